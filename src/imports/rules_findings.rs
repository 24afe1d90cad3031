//! What an import found that was not as it should be, and what it made of it: each finding has a place, a reason and words in both languages. Nothing that an
//! import leaves out, changes or doubts is without one. Pure.

use crate::kernel::text::Text;

/// Characters of what was found, and of what was made of it, that a finding shows.
pub const SHOWN_LENGTH_MAX: usize = 200;
/// Characters of a place.
pub const POINTER_LENGTH_MAX: usize = 400;

/// What sort of thing a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nature {
    /// Something was taken otherwise than it was written.
    Repair,
    /// Something was not taken.
    Rejection,
    /// Something was taken as it was, and is worth knowing.
    Note,
}

impl Nature {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Repair => "repair",
            Self::Rejection => "rejection",
            Self::Note => "note",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $code:literal $nature:ident $zh:literal $en:literal;)+) => {
        /// Why a finding was made.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its name in the API, which never changes.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What sort of finding it is of.
            pub const fn nature(self) -> Nature {
                match self { $(Self::$name => Nature::$nature,)+ }
            }

            /// What it means.
            pub const fn words(self) -> Text {
                match self { $(Self::$name => Text::fixed($zh, $en),)+ }
            }

            /// The one of that name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.name() == name)
            }
        }
    };
}

codes! {
    /// Bytes that are no JSON.
    NotJson "not_json" Rejection "不是有效的 JSON，未导入" "It is not valid JSON, and was not taken";
    /// Bytes that are no UTF-8.
    NotUtf8 "not_utf8" Repair "含有非 UTF-8 的字节，以替代字符代之" "Bytes that are not UTF-8 were replaced";
    /// A file without anything in it.
    EmptyFile "empty_file" Rejection "文件中没有内容" "There is nothing in the file";
    /// A file that ends in the middle.
    BrokenOff "broken_off" Rejection "文件在此中断，之后没有内容" "The file breaks off here";
    /// A release beyond the bound.
    TooLarge "too_large" Rejection "超过单个发布的大小上限，未导入" "It is larger than one release may be, and was not taken";
    /// A release nested too deep.
    TooDeep "too_deep" Rejection "嵌套过深，未导入" "It is nested too deep, and was not taken";
    /// Too many values or members.
    TooMany "too_many" Rejection "值或成员过多，未导入" "It has too many values, and was not taken";
    /// Neither release nor record nor package.
    NoRelease "no_release" Rejection "既不是发布，也不是记录或数据包，未导入" "It is neither a release nor a record nor a package, and was not taken";
    /// A release without the id of its process.
    OcidMissing "ocid_missing" Rejection "没有 ocid，不知属于哪个过程，未导入" "It has no ocid, so that nobody knows of which process it is; it was not taken";
    /// A process with more releases than are kept.
    TooManyReleases "too_many_releases" Rejection "该过程的发布过多，未导入" "Its process has more releases than are kept; it was not taken";
    /// Releases that contradict each other in shape.
    MergeConflict "merge_conflict" Rejection "与此前的发布结构矛盾，已保存但未合并" "It contradicts the releases before in shape; it is kept, but not merged";
    /// A record's releases are links.
    LinkedRelease "linked_release" Note "只给出发布的链接，以汇编发布代之" "Only a link to the release is given; the compiled release was taken instead";
    /// A release that is linked, and nothing stands for it.
    LinkedOnly "linked_only" Rejection "只给出发布的链接，没有内容可导入" "Only links to releases are given; there is nothing to take";
    /// A compiled release beside the releases that it was made of.
    CompiledBeside "compiled_beside" Note "汇编发布由所附的发布得出，未另行导入" "The compiled release follows from the releases beside it, and was not taken by itself";
    /// A member named twice.
    DuplicateMember "duplicate_member" Repair "成员重复，以最后一个为准" "The member is there twice; the last one counts";
    /// A member whose value says nothing.
    EmptyLeftOut "empty_left_out" Repair "空值，视为未提供" "It is empty, and taken as not said";
    /// A member that is null.
    NullMember "null_member" Note "值为 null：合并时删除此前的值" "It is null: when releases are merged it takes away what was there before";
    /// A null in an array, which takes away nothing.
    NullInArray "null_in_array" Note "数组中的 null，略去" "It is a null in an array, and was passed over";
    /// A character that cannot be shown.
    ControlCharacter "control_character" Repair "含有控制字符，以空格代之" "It has a control character, for which a blank was taken";
    /// An object where an array is due.
    ArrayExpected "array_expected" Repair "应为数组，已置于数组中" "An array is due here; it was put into one";
    /// An array where an object is due.
    ObjectExpected "object_expected" Repair "应为对象，取数组中的第一个" "An object is due here; the first of the array was taken";
    /// A text where an organisation is due.
    NameOnly "name_only" Repair "应为对象，文字作为名称" "An object is due here; the text was taken as its name";
    /// An amount without its object.
    BareAmount "bare_amount" Repair "应为金额对象，数值作为 amount" "An object is due here; the number was taken as its amount";
    /// Something that cannot be what is due.
    WrongShape "wrong_shape" Rejection "类型不符，未采用" "It is of another type than what is due, and was left out";
    /// A number where a text is due.
    TextExpected "text_expected" Repair "应为文字，已转为文字" "A text is due here; it was made one";
    /// An id that is a number.
    IdAsNumber "id_as_number" Repair "标识为数字，已转为文字" "The id is a number; it was made a text";
    /// An object of an array without an id.
    IdMissing "id_missing" Repair "没有标识，以其位置代之" "It has no id; its place stands for it";
    /// Another object of the same id.
    IdRepeated "id_repeated" Repair "标识与数组中另一项重复，已加序号" "Another object of the array has the same id; a number was added to it";
    /// The same object once more.
    SameTwice "same_twice" Repair "与数组中另一项完全相同，取其一" "It is in the array twice, just the same; one was taken";
    /// An amount that is a text.
    AmountAsText "amount_as_text" Repair "金额为文字，已转为数值" "The amount is a text; it was read as a number";
    /// An amount with the rests of binary fractions.
    FloatArtefact "float_artefact" Repair "金额带有二进制小数的误差，已舍入至分" "The amount has the rests of a binary fraction; it was rounded to hundredths";
    /// An amount with more digits than are kept.
    AmountRounded "amount_rounded" Repair "金额的小数多于两位，已舍入" "The amount has more than two decimals; it was rounded";
    /// An amount that is none.
    AmountUnreadable "amount_unreadable" Rejection "无法读作金额，未采用" "It cannot be read as an amount, and was left out";
    /// An amount without a currency that the process has.
    CurrencyMissing "currency_missing" Repair "没有币种，采用该过程唯一的币种" "It has no currency; the only one of its process was taken";
    /// An amount whose currency nobody knows.
    CurrencyUnknown "currency_unknown" Note "没有币种，且无从得知" "It has no currency, and none can be known";
    /// A currency that is no code.
    CurrencyMalformed "currency_malformed" Repair "币种代码不规范，已规范化或略去" "The currency is not a code of three letters as it stands; it was put right, or left out";
    /// A date without a zone.
    DateWithoutZone "date_without_zone" Repair "时间没有时区，视为 UTC" "The time has no zone; it was taken as UTC";
    /// A date without a time.
    DateWithoutTime "date_without_time" Repair "只有日期，视为当日零时（UTC）" "It is only a day; it was taken as its beginning, UTC";
    /// A date without seconds.
    DateWithoutSeconds "date_without_seconds" Repair "时间没有秒，视为零秒" "The time has no seconds; they were taken as none";
    /// A date in another form.
    DateForm "date_form" Repair "日期写法不规范，已转换" "The date is in another form than RFC 3339; it was converted";
    /// A day that there is not.
    DateImpossible "date_impossible" Rejection "没有这一天或这一时刻，未采用" "There is no such day or time; it was left out";
    /// A date that cannot be read.
    DateUnreadable "date_unreadable" Rejection "无法读作日期，未采用" "It cannot be read as a date, and was left out";
    /// A release without an id.
    ReleaseIdMissing "release_id_missing" Repair "发布没有 id，以其内容的哈希代之" "The release has no id; the hash of its content stands for it";
    /// A release without a date.
    ReleaseDateMissing "release_date_missing" Note "发布没有日期，合并时排在最前" "The release has no date; it comes first when releases are merged";
    /// A release id that has stood for something else.
    ReleaseIdReused "release_id_reused" Note "同一 id 的发布内容不同，均予保存" "Another release with this id says something else; both are kept";
    /// Two releases of one date.
    SameDate "same_date" Note "同一过程的两个发布日期相同，按其 id 的次序合并" "Two releases of one process have the same date; they are merged in the order of their ids";
    /// Roles that a later release left out.
    RolesLost "roles_lost" Repair "此前发布的角色在后来的发布中丢失，已补回" "Roles that an earlier release gave were lost in a later one; they were put back";
    /// A party that is referred to and not described.
    PartyMissing "party_missing" Repair "所引用的组织不在 parties 中，按引用补入" "The organisation is not among the parties; it was added from the reference";
    /// A party found by its name alone.
    PartyByName "party_by_name" Repair "组织标识对不上，按名称对应" "The organisation's id joins nothing; it was found by its name";
    /// A contract without an award that could be found.
    AwardMissing "award_missing" Note "合同所引用的中标结果不存在" "There is no award of this id";
    /// A contract whose award is the only one.
    AwardInferred "award_inferred" Repair "合同未注明中标结果，采用唯一的一个" "The contract names no award; the only one was taken";
    /// Members of version 1.0.
    OldMember "old_member" Repair "1.0 版的成员，按 1.1 版读取" "A member of version 1.0 was read as that of version 1.1";
    /// Members that are not in the standard.
    UnknownMember "unknown_member" Note "标准之外的成员，保存在原文中" "A member that the standard does not have; it is kept in the stored release";
    /// An amount that is not counted in spending.
    NotCounted "not_counted" Note "没有币种，或超出可计数的范围，不计入支出统计" "It has no currency, or is beyond what can be counted; spending does not count it";
    /// A process that the ward has published itself.
    OwnProcess "own_process" Note "这是本辖区自己发布的过程，不另存、不计入导入数据" "It is a process of this ward's own; it is neither kept nor counted as imported";
    /// A process whose amounts make a sum too large.
    SumTooLarge "imported_sum_too_large" Rejection "该币种的导入金额合计将超出可表示的范围，本过程不计入支出统计" "All imported amounts of its currency together would be larger than can be told; spending does not count this process";
    /// A text longer than is kept in a table.
    TextCut "text_cut" Repair "文字过长，表中只保留开头；原文完整" "The text is longer than what tables hold; it was cut there, and is whole in the stored release";
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Why.
    pub code: Code,
    /// Of which process, if that is known.
    pub ocid: Option<String>,
    /// Of which release, if that is known.
    pub release_id: Option<String>,
    /// Where in the release, as a JSON pointer; where in the file, of what is no release.
    pub pointer: String,
    /// What was found there, cut.
    pub found: String,
    /// What was made of it; empty if nothing was.
    pub made: String,
}

/// The beginning of a text, and none of what a database or a terminal cannot show.
pub fn shown(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let cut: String = plain.clone().take(SHOWN_LENGTH_MAX).collect();
    if plain.count() > SHOWN_LENGTH_MAX {
        let short: String = cut.chars().take(SHOWN_LENGTH_MAX - 1).collect();
        return format!("{short}…");
    }
    cut
}

impl Finding {
    /// A finding at a place.
    pub fn at(code: Code, pointer: &str, found: &str, made: &str) -> Self {
        Self {
            code,
            ocid: None,
            release_id: None,
            pointer: pointer
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .take(POINTER_LENGTH_MAX)
                .collect(),
            found: shown(found),
            made: shown(made),
        }
    }

    /// The same of a release.
    #[must_use]
    pub fn of(mut self, ocid: &str, release_id: Option<&str>) -> Self {
        self.ocid.get_or_insert_with(|| shown(ocid));
        if self.release_id.is_none() {
            self.release_id = release_id.map(shown);
        }
        self
    }
}

/// How many findings there are of each sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Repairs.
    pub repairs: i64,
    /// Rejections.
    pub rejections: i64,
    /// Notes.
    pub notes: i64,
}

impl Tally {
    /// Counts findings.
    pub fn of(findings: &[Finding]) -> Self {
        let mut tally = Self::default();
        for finding in findings {
            let count = match finding.code.nature() {
                Nature::Repair => &mut tally.repairs,
                Nature::Rejection => &mut tally.rejections,
                Nature::Note => &mut tally.notes,
            };
            *count = count.saturating_add(1);
        }
        tally
    }
}

/// One step of a JSON pointer.
pub fn step(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_words() {
        let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::named(code.name()), Some(*code));
            assert!(!code.words().zh().is_empty() && !code.words().en().is_empty());
        }
        assert_eq!(Code::named("nothing"), None);
    }

    #[test]
    fn what_is_shown_is_short_and_plain() {
        assert_eq!(shown("a\u{0}b\nc"), "a b c");
        assert_eq!(shown(&"字".repeat(300)).chars().count(), SHOWN_LENGTH_MAX);
        assert_eq!(step("/a", "b/c~d"), "/a/b~1c~0d");
    }
}
