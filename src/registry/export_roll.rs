//! A community's roll as a table, for its registrar's spreadsheet. Pure. The columns are those that an import reads, so that what was
//! exported, corrected and imported again is understood. Two things spreadsheets do to a table are provided for: without a mark they
//! take UTF-8 for something else, and they run a cell as a formula that begins like one, a telephone number with `+` for instance.

use encoding_rs::GB18030;

use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::{FORMULA, Language, Text};
use crate::registry::rules_person::square_metres;
use crate::registry::store_roll_reading::Listed;
use crate::web::format::csv_table;
use crate::web::problem::INVALID;

/// How the table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 with the mark at its beginning by which spreadsheets know it.
    Utf8,
    /// GB 18030, which older spreadsheets in mainland China expect.
    Gb18030,
}

impl Encoding {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Utf8, Self::Gb18030];

    /// The name in the API, in the log and in `charset`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Gb18030 => "gb18030",
        }
    }
}

/// A cell that no spreadsheet runs: behind an apostrophe, which it takes for "this is text".
pub fn guarded(cell: &str) -> String {
    if cell.starts_with(FORMULA) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// The cell without its guard. An apostrophe before anything else is somebody's name.
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'')
        .filter(|rest| rest.starts_with(FORMULA))
        .unwrap_or(cell)
}

fn header(language: Language) -> [&'static str; 7] {
    match language {
        Language::Chinese => ["户号", "姓名", "出生日期", "面积", "业主", "手机", "邮箱"],
        Language::English => [
            "household",
            "name",
            "birth_date",
            "dwelling_area",
            "owner",
            "phone",
            "email",
        ],
    }
}

/// The table of those who are on a roll; whoever is not any more has no row.
///
/// # Errors
/// [`INVALID`] at `?encoding` for GB 18030 if a text has no form in it, as a character for private use has not; a fault if it cannot be
/// written, which memory always can.
pub fn table(roll: &[Listed], encoding: Encoding, language: Language) -> Answer<Vec<u8>> {
    let rows = roll.iter().filter_map(|listed| {
        let person = listed.resident.person.as_ref()?;
        let household = listed.household.as_ref();
        let area = household.and_then(|household| household.dwelling_area);
        let owner = match (person.is_owner, language) {
            (true, Language::Chinese) => "是",
            (false, Language::Chinese) => "否",
            (true, Language::English) => "yes",
            (false, Language::English) => "no",
        };
        Some([
            guarded(household.map_or("", |household| &household.code)),
            guarded(&person.name),
            person.birth_date.to_string(),
            area.map(|area| square_metres(area.dm2())).unwrap_or_default(),
            owner.to_owned(),
            guarded(person.phone.as_deref().unwrap_or_default()),
            guarded(person.email.as_deref().unwrap_or_default()),
        ])
    });
    let table = csv_table(&header(language), rows)?;
    match encoding {
        Encoding::Utf8 => Ok([b"\xef\xbb\xbf".as_slice(), &table].concat()),
        Encoding::Gb18030 => {
            let text = String::from_utf8(table).map_err(|error| Fault::caused("write CSV", error))?;
            let (bytes, _, lossy) = GB18030.encode(&text);
            if lossy {
                let why = Text::fixed(
                    "名册中有 GB18030 无法表示的字符，请改用 utf-8",
                    "a text on the roll has no form in GB18030; take utf-8",
                );
                return Err(INVALID.because(why).at("?encoding").into());
            }
            Ok(bytes.into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cell_that_begins_like_a_formula_is_text_and_comes_back_as_it_was() {
        for formula in ["+8613800138000", "=1+1", "-1", "@x", "＝1", "＋1"] {
            assert_eq!(guarded(formula), format!("'{formula}"));
            assert_eq!(unguarded(&guarded(formula)), formula);
        }
        for plain in ["", "王小梅", "'t Hooft", "'", "3-2-501", "13800138000"] {
            assert_eq!((guarded(plain).as_str(), unguarded(plain)), (plain, plain));
        }
    }

    proptest! {
        #[test]
        fn no_cell_begins_like_a_formula(cell in "[=+@'a字-]{0,4}|\\PC*") {
            prop_assert!(!guarded(&cell).starts_with(FORMULA));
            // What begins with a guard already is not kept on a roll as such.
            if unguarded(&cell) == cell {
                let cell_guarded = guarded(&cell);
                prop_assert_eq!(unguarded(&cell_guarded), cell.as_str());
            }
        }
    }
}
