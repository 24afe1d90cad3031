//! The words of a text, as they are searched: one tokenizer of our own for both databases, so that both find the same. Chinese has no
//! spaces, so every two neighbouring characters are a token and every single one as well: 环卫 is found inside 道路环卫保洁. Words of
//! letters and digits are tokens in lower case, and are found by how they begin. Pure.

use std::collections::BTreeMap;

use crate::kernel::refusal::Refusal;
use crate::kernel::text::Text;
use crate::text;
use crate::web::problem::MALFORMED;

/// Characters of a token; a longer word is found by its beginning.
pub const TOKEN_LENGTH_MAX: usize = 40;
/// Different tokens of one document; what comes after them is not found.
pub const TOKENS_MAX: usize = 6_000;
/// Characters of a query.
pub const QUERY_LENGTH_MAX: usize = 100;
/// Terms of a query.
pub const TERMS_MAX: usize = 12;
/// Letters from which on a word is found by how it begins; a single one only as a word of its own.
const PREFIX_LENGTH_MIN: usize = 2;
/// Characters of a snippet, and how many of them come before its first hit.
const SNIPPET_LENGTH: usize = 120;
const SNIPPET_LEAD: usize = 20;
/// What a token counts in a title and in a text, each time.
const TITLE_WEIGHT: i64 = 10;
const BODY_WEIGHT: i64 = 1;
/// What a token counts at most: a text that repeats itself is not more to the point for that.
const WEIGHT_MAX: i64 = 40;

/// Something to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The token.
    pub token: String,
    /// True if tokens that begin with it will do.
    pub is_prefix: bool,
}

/// A stretch of a text without a gap: characters that are all Chinese, or all of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Ideograph,
    Word,
    Gap,
}

fn class(c: char) -> Class {
    match c {
        '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}'
        | '〇'
        | '々' => Class::Ideograph,
        c if c.is_alphanumeric() => Class::Word,
        _ => Class::Gap,
    }
}

/// A character as it is compared: of the usual width, in lower case. One for one, so that places in a text stay what they are.
fn folded(c: char) -> char {
    let narrow = match c {
        '\u{ff01}'..='\u{ff5e}' => u32::from(c)
            .checked_sub(0xfee0)
            .and_then(char::from_u32)
            .unwrap_or(c),
        '\u{3000}' => ' ',
        c => c,
    };
    let mut lower = narrow.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => narrow,
    }
}

/// The runs of a text: where each begins, its class, its folded characters.
fn runs(text: &str) -> Vec<(usize, Class, Vec<char>)> {
    let mut runs: Vec<(usize, Class, Vec<char>)> = Vec::new();
    let mut last = Class::Gap;
    for (at, c) in text.chars().map(folded).enumerate() {
        let now = class(c);
        match runs.last_mut() {
            Some((_, _, run)) if now == last && now != Class::Gap => run.push(c),
            _ if now != Class::Gap => runs.push((at, now, vec![c])),
            _ => {}
        }
        last = now;
    }
    runs
}

fn shortened(word: &[char]) -> String {
    word.iter().take(TOKEN_LENGTH_MAX).collect()
}

/// The tokens of a text that stands in the index, each as often as it comes.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    for (_, class, run) in runs(text) {
        if class == Class::Word {
            tokens.push(shortened(&run));
        } else {
            tokens.extend(run.iter().map(char::to_string));
            tokens.extend(run.windows(2).map(|pair| pair.iter().collect::<String>()));
        }
    }
    tokens
}

/// What a document is found by, with what each token counts: titles count more than texts, and first.
pub fn weights(titles: &[&str], bodies: &[&str]) -> BTreeMap<String, i64> {
    let mut weights: BTreeMap<String, i64> = BTreeMap::new();
    for (texts, weight) in [(titles, TITLE_WEIGHT), (bodies, BODY_WEIGHT)] {
        for token in texts.iter().flat_map(|text| tokens(text)) {
            let is_full = weights.len() >= TOKENS_MAX;
            match weights.get_mut(&token) {
                Some(known) => *known = known.saturating_add(weight).min(WEIGHT_MAX),
                None if is_full => {}
                None => drop(weights.insert(token, weight)),
            }
        }
    }
    weights
}

/// What a query asks for: documents that have all of its terms.
///
/// # Errors
/// [`MALFORMED`] if the query is too long, has too many terms, or has no letter, digit or character at all.
pub fn terms(query: &str) -> Result<Vec<Term>, Refusal> {
    let refused = |detail: Text| MALFORMED.because(detail).at("?q");
    if query.chars().count() > QUERY_LENGTH_MAX {
        return Err(refused(text!(
            "最多 {QUERY_LENGTH_MAX} 个字符",
            "at most {QUERY_LENGTH_MAX} characters"
        )));
    }
    let mut terms: Vec<Term> = Vec::new();
    let mut add = |token: String, is_prefix: bool| {
        let term = Term { token, is_prefix };
        if !terms.contains(&term) {
            terms.push(term);
        }
    };
    for (_, class, run) in runs(query) {
        match (class, run.as_slice()) {
            (Class::Word, word) => add(shortened(word), word.len() >= PREFIX_LENGTH_MIN),
            (_, [one]) => add(one.to_string(), false),
            (_, several) => several
                .windows(2)
                .for_each(|pair| add(pair.iter().collect(), false)),
        }
    }
    if terms.len() > TERMS_MAX {
        return Err(refused(text!(
            "检索词过多，最多 {TERMS_MAX} 个（每两个相邻汉字算一个）",
            "too many terms, at most {TERMS_MAX} (every two neighbouring Chinese characters are one)"
        )));
    }
    if terms.is_empty() {
        return Err(refused(Text::fixed(
            "没有可检索的文字",
            "there is nothing to search for",
        )));
    }
    Ok(terms)
}

/// The texts that follow all that begin with `prefix`: the end of its range, by code points.
pub fn end_of_prefix(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

/// A piece of a snippet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The text, as it stands.
    pub text: String,
    /// True if it is what was searched for.
    pub is_hit: bool,
}

/// The part of a text around its first hit, in pieces; its beginning if there is none.
pub fn snippet(text: &str, terms: &[Term]) -> Vec<Piece> {
    let characters: Vec<char> = text.chars().collect();
    let mut hits = vec![false; characters.len()];
    let mut mark = |from: usize, length: usize| {
        hits.iter_mut()
            .skip(from)
            .take(length)
            .for_each(|hit| *hit = true);
    };
    for (begin, class, run) in runs(text) {
        for term in terms {
            let token: Vec<char> = term.token.chars().collect();
            if class == Class::Word {
                let fits = if term.is_prefix {
                    run.starts_with(&token)
                } else {
                    shortened(&run) == term.token
                };
                if fits {
                    mark(begin, token.len());
                }
            } else {
                let places = run.windows(token.len().max(1)).enumerate();
                for (at, _) in places.filter(|(_, window)| **window == *token) {
                    mark(begin.saturating_add(at), token.len());
                }
            }
        }
    }
    let first = hits.iter().position(|hit| *hit).unwrap_or_default();
    let from = first.saturating_sub(SNIPPET_LEAD);
    let mut pieces: Vec<Piece> = Vec::new();
    let shown = characters.iter().zip(&hits).skip(from).take(SNIPPET_LENGTH);
    for (c, is_hit) in shown {
        let c = if *c == '\n' { ' ' } else { *c };
        match pieces.last_mut() {
            Some(piece) if piece.is_hit == *is_hit => piece.text.push(c),
            _ => pieces.push(Piece {
                text: c.to_string(),
                is_hit: *is_hit,
            }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(query: &str, text: &str) -> bool {
        let known = weights(&[], &[text]);
        terms(query).unwrap().iter().all(|term| {
            known.keys().any(|token| {
                if term.is_prefix {
                    token.starts_with(&term.token)
                } else {
                    *token == term.token
                }
            })
        })
    }

    #[test]
    fn chinese_is_found_inside_longer_words_and_english_by_how_it_begins() {
        for (query, text, expected) in [
            ("环卫", "道路环卫保洁", true),
            ("环卫保洁", "道路环卫保洁", true),
            ("卫", "道路环卫保洁", true),
            ("环保", "道路环卫保洁", false),
            ("卫环", "道路环卫保洁", false),
            ("环卫", "环境卫生", false),
            ("sanit", "Street Sanitation", true),
            ("SANITATION", "street sanitation", true),
            ("itation", "Street sanitation", false),
            ("s", "Street sanitation", false),
            ("s", "Plan S", true),
            ("ｓｔｒｅｅｔ　１２", "street 12 months", true),
            ("道路 street", "道路 Streets", true),
            ("道路 avenue", "道路 Streets", false),
            ("12个月", "服务期12个月", true),
        ] {
            assert_eq!(found(query, text), expected, "{query} in {text}");
        }
    }

    #[test]
    fn a_query_has_its_limits() {
        let refused = |query: &str| terms(query).is_err();
        for wrong in [
            "",
            " ",
            "!?—，。",
            &"甲".repeat(101),
            "a1 b2 c3 d4 e5 f6 g7 h8 i9 j0 k1 l2 m3",
        ] {
            assert!(refused(wrong), "{wrong}");
        }
        assert!(refused("天地玄黄宇宙洪荒日月盈昃辰宿") && !refused("天地玄黄宇宙洪荒日月盈昃辰"));
        assert_eq!(terms("环卫环卫").unwrap().len(), 2, "环卫 and 卫环, each once");
        assert_eq!(terms(&"x".repeat(90)).unwrap()[0].token.len(), TOKEN_LENGTH_MAX);
    }

    #[test]
    fn titles_count_more_and_nothing_counts_without_end() {
        let weights = weights(&["环卫"], &["环卫 保洁"]);
        assert_eq!((weights["环卫"], weights["保洁"], weights["卫"]), (11, 1, 11));
        assert_eq!(super::weights(&[&"a ".repeat(50)], &[])["a"], WEIGHT_MAX);
        let long: String = (0x4e00..0x4e00 + 9_000).filter_map(char::from_u32).collect();
        assert_eq!(super::weights(&[], &[&long]).len(), TOKENS_MAX);
    }

    #[test]
    fn a_snippet_shows_the_hits_as_they_stand() {
        let shown = |text: &str, query: &str| {
            let pieces = snippet(text, &terms(query).unwrap());
            pieces
                .into_iter()
                .map(|piece| {
                    if piece.is_hit {
                        format!("[{}]", piece.text)
                    } else {
                        piece.text
                    }
                })
                .collect::<String>()
        };
        assert_eq!(shown("道路环卫保洁", "环卫"), "道路[环卫]保洁");
        assert_eq!(
            shown("Street Sanitation\nof ＳＡＮ", "san"),
            "Street [San]itation of [ＳＡＮ]"
        );
        assert_eq!(shown("nothing here", "环卫"), "nothing here");
        let far = format!("{}环卫{}", "甲".repeat(300), "乙".repeat(300));
        let cut = shown(&far, "环卫");
        assert!(
            cut.starts_with(&format!("{}[环卫]乙", "甲".repeat(20))) && cut.chars().count() == 122,
            "{cut}"
        );
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_text_is_found_in_it(before in "[一-龥a-z ]{0,20}", middle in "[一-龥]{1,12}", after in "[一-龥A-Z0-9 ]{0,20}") {
            let text = format!("{before}{middle}{after}");
            prop_assert!(found(&middle, &text));
            let hits = snippet(&text, &terms(&middle).unwrap());
            prop_assert!(hits.iter().any(|piece| piece.is_hit));
        }

        #[test]
        fn no_text_panics_and_snippets_add_nothing(text in "\\PC{0,200}", query in "\\PC{0,30}") {
            let known = weights(&[&text], &[&text]);
            prop_assert!(known.keys().all(|token| (1..=TOKEN_LENGTH_MAX).contains(&token.chars().count())));
            if let Ok(terms) = terms(&query) {
                let shown: String = snippet(&text, &terms).into_iter().map(|piece| piece.text).collect();
                prop_assert!(text.contains(&shown));
            }
        }

        #[test]
        fn what_begins_with_a_prefix_lies_in_its_range(prefix in "[a-z0-9]{2,8}", rest in "[a-zé-ÿ0-9ω]{0,8}", other in "[a-z0-9é]{1,10}") {
            let end = end_of_prefix(&prefix);
            let within = |token: &str| token >= prefix.as_str() && token < end.as_str();
            let whole = format!("{prefix}{rest}");
            prop_assert!(within(&whole));
            prop_assert_eq!(within(&other), other.starts_with(&prefix));
        }
    }
}
