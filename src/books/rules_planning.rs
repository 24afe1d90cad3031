//! What the rules of planning share: an item of what a plan lacks or does unlawfully, with the rule that says so, and longer texts
//! that people enter. Pure.

use crate::kernel::refusal::Refusal;
use crate::kernel::text::{Text, is_hidden};
use crate::registry::rules_text::{Form, line_fits};
use crate::statutes::profile::{Citation, Profile};
use crate::text;

/// Characters of a title, in either language.
pub const TITLE_LENGTH_MAX: usize = 200;
/// Characters of an overview or of a need, in either language.
pub const OVERVIEW_LENGTH_MAX: usize = 5_000;
/// Characters of a reason, in either language.
pub const REASON_LENGTH_MAX: usize = 500;

/// Something that is missing or unlawful, and which rule says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// For programs.
    pub code: &'static str,
    /// In words.
    pub detail: Text,
    /// The code of the rule.
    pub rule: &'static str,
    /// Where the rule stands.
    pub citations: Vec<Citation>,
}

impl Item {
    /// What a rule of the profile has against something.
    pub fn of(profile: &Profile, rule: &'static str, code: &'static str, detail: Text) -> Self {
        let citations = profile.find(rule).map(|found| found.citations.clone());
        Self {
            code,
            detail,
            rule,
            citations: citations.unwrap_or_default(),
        }
    }
}

/// A text of several lines: each is one that tables can show, and the whole has 1 to `length_max` characters.
pub fn passage(form: &mut Form, pointer: &str, text: &str, length_max: usize) -> String {
    let text = text.replace("\r\n", "\n");
    let trimmed = text.trim();
    let length = trimmed.chars().count();
    if !(1..=length_max).contains(&length) {
        form.object(
            pointer,
            text!(
                "应为 1 至 {length_max} 个字符",
                "must have 1 to {length_max} characters"
            ),
        );
    } else if trimmed.chars().any(|c| c != '\n' && is_hidden(c)) {
        form.object(
            pointer,
            Text::fixed("含有不可见字符", "must not have invisible characters"),
        );
    } else if trimmed.starts_with(['=', '+', '-', '@']) {
        form.object(
            pointer,
            Text::fixed("不得以 = + - @ 开头", "must not begin with = + - or @"),
        );
    }
    trimmed.to_owned()
}

/// A passage in both languages; `name` is the name of the member without its language.
pub fn passages(form: &mut Form, name: &str, (zh, en): (&str, &str), length_max: usize) -> Text {
    Text::made(
        passage(form, &format!("/{name}_zh"), zh, length_max),
        passage(form, &format!("/{name}_en"), en, length_max),
    )
}

/// A line in both languages; `name` is the name of the member without its language.
pub fn lines(form: &mut Form, name: &str, (zh, en): (&str, &str), length_max: usize) -> Text {
    Text::made(
        form.line(&format!("/{name}_zh"), zh, length_max),
        form.line(&format!("/{name}_en"), en, length_max),
    )
}

/// A reason in both languages.
///
/// # Errors
/// Every fault of it.
pub fn reason(zh: &str, en: &str) -> Result<Text, Refusal> {
    let mut form = Form::new();
    let reason = lines(&mut form, "reason", (zh, en), REASON_LENGTH_MAX);
    form.finish(reason)
}

/// True for what may stand in one line of a table.
pub fn is_line(text: &str, length_max: usize) -> bool {
    line_fits(text, length_max).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> usize {
        let mut form = Form::new();
        passage(&mut form, "/x", text, 10);
        form.finish(())
            .err()
            .map_or(0, |refusal| refusal.objections.len())
    }

    #[test]
    fn a_passage_has_lines_and_hides_nothing() {
        assert_eq!(faults("甲\n\n乙"), 0);
        assert_eq!(faults("甲\r\n乙"), 0);
        for wrong in [
            "",
            " \n ",
            "01234567890",
            "甲\u{200b}乙",
            "甲\t乙",
            "=1+1",
            "甲\r乙",
        ] {
            assert_eq!(faults(wrong), 1, "{wrong:?}");
        }
    }
}
