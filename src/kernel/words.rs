//! Amounts of money in Chinese capital numerals (人民币大写), as bids, contracts and vouchers carry
//! them.
//!
//! It must never read a wording that the rules do not allow: words prevail over figures when a bid
//! is corrected, so a guess here would change a price.
//!
//! The rules are those of 正确填写票据和结算凭证的基本规定, appendix 1 of 支付结算办法
//! (银发〔1997〕393号). Where they leave a choice, one wording is written and every allowed one is
//! read.

use super::money::{Money, MoneyError};
use super::words_reading::{meaning, simplified};
use super::words_writing::{is_wording, wording};

/// The longest wording that is looked at, in characters; a correct one has fewer than 40.
pub const WORDS_MAX: usize = 64;

/// Why a wording is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// A character that no amount is written with, such as 二, 两, 廿, 毛 or a digit.
    #[error("{character:?} does not belong to an amount in capital numerals")]
    ForeignCharacter {
        /// The first such character.
        character: char,
    },
    /// Numerals and units in an order that forms no number, or a wording longer than [`WORDS_MAX`].
    #[error("the numerals and units do not form an amount")]
    NoAmount,
    /// The number can be made out, but it is not written like this: 零, 整 or a unit is missing or
    /// misplaced.
    #[error("this would be {amount}, which is written {written}")]
    NotWrittenSo {
        /// The amount that the wording seems to mean. It must not be taken for it.
        amount: Money,
        /// How that amount is written.
        written: String,
    },
    /// The amount is larger than [`Money::MAX`].
    #[error(transparent)]
    OutOfRange(#[from] MoneyError),
}

impl Money {
    /// The amount in capital numerals, without the prefix 人民币, which forms have printed:
    /// 2,350,200.00 is `贰佰叁拾伍万零贰佰元整`. A negative amount, of which the rules know
    /// nothing, begins with 负.
    ///
    /// Of the wordings that the rules leave to the writer this is the one that they show first: no
    /// 零 for a zero in the place of 万 alone (壹拾万柒仟元), 零 for a zero in the place of 元
    /// before 角 (壹仟陆佰捌拾元零叁角), nothing after 角.
    pub fn in_words_zh(self) -> String {
        wording(self)
            .into_iter()
            .filter(|piece| piece.written)
            .map(|piece| piece.character)
            .collect()
    }

    /// The amount that a wording in capital numerals means.
    ///
    /// The prefix 人民币 and the variants 正, 圆, 圓, 萬, 億, 貳, 叄, 參, 陸 are read, as is every
    /// choice about 零 and 整 that the rules leave open; nothing else is.
    ///
    /// # Errors
    /// In this order: [`WordsError::NoAmount`] for an overlong wording,
    /// [`WordsError::ForeignCharacter`], [`WordsError::NoAmount`], [`WordsError::OutOfRange`],
    /// [`WordsError::NotWrittenSo`].
    pub fn from_words_zh(words: &str) -> Result<Self, WordsError> {
        if words.chars().nth(WORDS_MAX).is_some() {
            return Err(WordsError::NoAmount);
        }
        let simplified: String = words.chars().map(simplified).collect();
        let words = simplified.strip_prefix("人民币").unwrap_or(&simplified);
        let amount = meaning(words)?;
        if is_wording(words, &wording(amount)) {
            return Ok(amount);
        }
        Err(WordsError::NotWrittenSo {
            amount,
            written: amount.in_words_zh(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::money::FEN_MAX;
    use super::*;

    const WORKED: [(&str, &str); 30] = [
        // The examples of the rules themselves.
        ("1409.50", "壹仟肆佰零玖元伍角"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("1680.32", "壹仟陆佰捌拾元零叁角贰分"),
        ("107000.53", "壹拾万柒仟元零伍角叁分"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        // Amounts of the demo ward.
        ("2350200.00", "贰佰叁拾伍万零贰佰元整"),
        ("2298600.00", "贰佰贰拾玖万捌仟陆佰元整"),
        ("191550.00", "壹拾玖万壹仟伍佰伍拾元整"),
        ("68883.37", "陆万捌仟捌佰捌拾叁元叁角柒分"),
        ("957.75", "玖佰伍拾柒元柒角伍分"),
        ("705600.00", "柒拾万伍仟陆佰元整"),
        // Edges.
        ("0.00", "零元整"),
        ("0.01", "壹分"),
        ("0.50", "伍角"),
        ("0.53", "伍角叁分"),
        ("1.00", "壹元整"),
        ("10.00", "壹拾元整"),
        ("10.05", "壹拾元零伍分"),
        ("101.00", "壹佰零壹元整"),
        ("1001.10", "壹仟零壹元壹角"),
        ("10000.00", "壹万元整"),
        ("100500.00", "壹拾万零伍佰元整"),
        ("1000005.00", "壹佰万零伍元整"),
        ("100005000.00", "壹亿零伍仟元整"),
        ("1050000000.00", "壹拾亿伍仟万元整"),
        ("1001000000.00", "壹拾亿零壹佰万元整"),
        (
            "12345678901234.56",
            "壹拾贰万叁仟肆佰伍拾陆亿柒仟捌佰玖拾万壹仟贰佰叁拾肆元伍角陆分",
        ),
        ("90000000000000.00", "玖拾万亿元整"),
        ("-68883.33", "负陆万捌仟捌佰捌拾叁元叁角叁分"),
    ];

    fn read(words: &str) -> Result<String, WordsError> {
        Money::from_words_zh(words).map(|amount| amount.to_string())
    }

    #[test]
    fn worked_cases_are_written_and_read() {
        for (figures, words) in WORKED {
            assert_eq!(
                figures.parse::<Money>().unwrap().in_words_zh(),
                words,
                "{figures}"
            );
            assert_eq!(read(words).unwrap(), figures, "{words}");
        }
    }

    #[test]
    fn what_the_rules_leave_open_is_read() {
        for (words, figures) in [
            ("人民币壹仟肆佰零玖元伍角整", "1409.50"),
            ("壹仟陆佰捌拾元叁角贰分", "1680.32"),
            ("壹拾万零柒仟元伍角叁分", "107000.53"),
            ("壹拾万零柒仟元零伍角叁分", "107000.53"),
            ("壹亿伍仟元正", "100005000.00"),
            ("人民幣貳佰叁拾伍萬零貳佰圓整", "2350200.00"),
            ("壹億陸仟萬圆整", "160000000.00"),
        ] {
            assert_eq!(read(words).unwrap(), figures, "{words}");
        }
    }

    #[test]
    fn what_the_rules_forbid_is_refused() {
        for (words, character) in [
            ("二百元整", '二'),
            ("两佰元整", '两'),
            ("壹佰元 整", ' '),
            ("100元整", '1'),
            ("壹佰块", '块'),
            ("壹元5角", '5'),
        ] {
            assert_eq!(
                read(words),
                Err(WordsError::ForeignCharacter { character }),
                "{words}"
            );
        }
        let overlong = "零".repeat(WORDS_MAX + 1);
        for words in [
            "",
            "人民币",
            "整",
            "元整",
            "壹佰",
            "拾元整",
            "壹壹元整",
            "壹负元整",
            "负",
            "佰元整",
            "壹佰元零整",
            &overlong,
        ] {
            assert_eq!(read(words), Err(WordsError::NoAmount), "{words}");
        }
        assert!(matches!(read("玖拾壹万亿元整"), Err(WordsError::OutOfRange(_))));
    }

    #[test]
    fn a_misplaced_zero_or_closing_word_is_refused_with_the_right_wording() {
        for (words, written) in [
            ("贰佰叁拾伍万贰佰元整", "贰佰叁拾伍万零贰佰元整"),
            ("壹佰元", "壹佰元整"),
            ("壹佰零元整", "壹佰元整"),
            ("壹仟零零玖元整", "壹仟零玖元整"),
            ("伍元贰分", "伍元零贰分"),
            ("伍元零叁角", "伍元叁角"),
            ("壹分整", "壹分"),
            ("壹元壹分壹角", "壹元壹角壹分"),
            ("零伍角", "伍角"),
            ("负零元整", "零元整"),
            ("壹万万元整", "壹万元整"),
            ("壹佰贰仟元整", "贰仟壹佰元整"),
        ] {
            match read(words) {
                Err(WordsError::NotWrittenSo { written: right, .. }) => {
                    assert_eq!(right, written, "{words}")
                }
                other => assert!(
                    matches!(other, Err(WordsError::NotWrittenSo { .. })),
                    "{words}: {other:?}"
                ),
            }
        }
    }

    fn any_money() -> impl Strategy<Value = Money> {
        // Digits that are mostly zero exercise the rules on 零 far more than even ones do.
        let digit = prop_oneof![3 => Just(0_i64), 1 => 1_i64..=9];
        let sparse = prop::collection::vec(digit, 0..=15)
            .prop_map(|digits| digits.iter().fold(0, |fen, digit| fen * 10 + digit));
        prop_oneof![sparse, -FEN_MAX..=FEN_MAX].prop_map(|fen| Money::from_fen(fen).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn every_amount_round_trips(amount in any_money()) {
            let words = amount.in_words_zh();
            prop_assert_eq!(Money::from_words_zh(&words), Ok(amount));
            prop_assert!(words.chars().count() < WORDS_MAX);
            prop_assert!(!words.contains("零零"));
        }

        #[test]
        fn every_allowed_choice_means_the_same(amount in any_money(), choices in any::<u32>()) {
            let chosen = wording(amount).into_iter().enumerate();
            let words: String = chosen
                .filter(|(position, piece)| !piece.optional || choices & (1 << (position % 32)) != 0)
                .map(|(_, piece)| piece.character)
                .collect();
            prop_assert_eq!(Money::from_words_zh(&words), Ok(amount));
        }

        #[test]
        fn reading_is_never_a_guess(words in "负?[零壹贰玖拾佰仟万亿元角分整]{0,12}") {
            if let Ok(amount) = Money::from_words_zh(&words) {
                prop_assert!(is_wording(&words, &wording(amount)));
            }
        }
    }
}
