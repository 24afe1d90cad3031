//! The residents of the demo ward: some hundreds of invented people, always the same, because nothing here is drawn by chance.

/// Family names, most common ones.
const FAMILY: [&str; 24] = [
    "赵", "钱", "孙", "李", "周", "吴", "郑", "王", "冯", "陈", "褚", "卫", "蒋", "沈", "韩", "杨", "朱",
    "秦", "尤", "许", "何", "吕", "施", "张",
];
/// Given names.
const GIVEN: [&str; 20] = [
    "伟", "芳", "秀英", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超",
    "秀兰", "霞", "平",
];
/// Residents of each community.
const RESIDENTS: usize = 84;
/// How many of them share a dwelling, in turn.
const HOUSEHOLDS: [usize; 5] = [2, 3, 1, 4, 2];

/// The roll of the community number `community` as a table: the columns that a registrar's own table has.
pub fn table(community: usize) -> String {
    let mut table = String::from("户号,姓名,出生日期,面积,业主\n");
    let (mut household, mut left) = (0_usize, 0_usize);
    for place in 0..RESIDENTS {
        if left == 0 {
            left = pick(&HOUSEHOLDS, household).copied().unwrap_or(1);
            household = household.saturating_add(1);
        }
        left = left.saturating_sub(1);
        table.push_str(&row(community, place, household));
    }
    table
}

fn row(community: usize, place: usize, household: usize) -> String {
    let mixed = place
        .saturating_mul(7)
        .saturating_add(community.saturating_mul(5));
    let family = pick(&FAMILY, place.saturating_add(community))
        .copied()
        .unwrap_or_default();
    let given = pick(&GIVEN, place.saturating_add(community.saturating_mul(3)))
        .copied()
        .unwrap_or_default();
    // Whoever comes first in a dwelling is an adult and owns it; of the rest every third is a child.
    let first = place == 0 || starts_household(place);
    let year = if first || !place.is_multiple_of(3) {
        1942_usize.saturating_add(mixed.saturating_mul(11) % 62)
    } else {
        2008_usize.saturating_add(mixed % 17)
    };
    let (month, day) = (
        (mixed % 12).saturating_add(1),
        (mixed.saturating_mul(3) % 28).saturating_add(1),
    );
    let building = household.saturating_sub(1) / 12;
    let floor = (household.saturating_sub(1) % 12) / 2;
    let door = (household.saturating_sub(1) % 2).saturating_add(1);
    let area = 52_usize.saturating_add(household.saturating_mul(13) % 71);
    format!(
        "{}-1-{}0{door},{family}{given},{year}-{month:02}-{day:02},{area}.{:02},{}\n",
        building.saturating_add(1),
        floor.saturating_add(1),
        household.saturating_mul(37) % 100,
        if first { "是" } else { "否" },
    )
}

fn starts_household(place: usize) -> bool {
    let mut begins = 0_usize;
    for household in 0..=place {
        if begins == place {
            return true;
        }
        begins = begins.saturating_add(pick(&HOUSEHOLDS, household).copied().unwrap_or(1));
    }
    false
}

/// The item at a place of a list that begins again at its end.
fn pick<T>(list: &[T], place: usize) -> Option<&T> {
    list.get(place.checked_rem(list.len())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_community_has_its_own_residents_each_once() {
        let mut rows = BTreeSet::new();
        for community in 0..5 {
            let table = table(community);
            assert_eq!(table.lines().count(), RESIDENTS + 1);
            for row in table.lines().skip(1) {
                assert_eq!(row.split(',').count(), 5, "{row}");
                let name = row.split(',').take(3).collect::<Vec<_>>().join(",");
                assert!(rows.insert(format!("{community}:{name}")), "{row} is there twice");
            }
        }
        assert_eq!(table(0), table(0));
        assert!(table(0).lines().nth(1).unwrap().contains("赵伟"));
    }

    #[test]
    fn each_dwelling_has_one_area_and_an_owner() {
        let table = table(2);
        let mut owners = std::collections::BTreeMap::new();
        for row in table.lines().skip(1) {
            let columns: Vec<&str> = row.split(',').collect();
            let known = owners
                .entry(columns[0].to_owned())
                .or_insert((columns[3].to_owned(), 0));
            assert_eq!(known.0, columns[3]);
            known.1 += usize::from(columns[4] == "是");
        }
        assert!(owners.values().all(|(_, owners)| *owners == 1), "{owners:?}");
        assert!(owners.len() > 30);
    }
}
