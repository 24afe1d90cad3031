//! The number that a wording in capital numerals seems to mean.
//!
//! It is lenient on purpose and must never be taken for the amount: the caller writes the number
//! out again and compares.

use super::money::{Money, MoneyError};
use super::words::WordsError;
use super::words_writing::DIGITS;

/// The simplified form of the variants that must be accepted.
pub(super) fn simplified(character: char) -> char {
    match character {
        '貳' => '贰',
        '叄' | '參' => '叁',
        '陸' => '陆',
        '萬' => '万',
        '億' => '亿',
        '圆' | '圓' => '元',
        '負' => '负',
        '幣' => '币',
        '正' => '整',
        other => other,
    }
}

/// What the words mean when every 零 and 整 is overlooked; whether they stand right is for the
/// caller to compare.
pub(super) fn meaning(words: &str) -> Result<Money, WordsError> {
    let foreign =
        |character: &char| !DIGITS.contains(character) && !"仟佰拾万亿元角分整负".contains(*character);
    if let Some(character) = words.chars().find(foreign) {
        return Err(WordsError::ForeignCharacter { character });
    }
    let unsigned = words.strip_prefix('负');
    let magnitude = magnitude(unsigned.unwrap_or(words)).ok_or(WordsError::NoAmount)?;
    let amount = i64::try_from(magnitude)
        .map_err(|_| MoneyError::OutOfRange)
        .and_then(Money::from_fen)?;
    Ok(if unsigned.is_some() {
        amount.negated()
    } else {
        amount
    })
}

/// The amount in fen, or `None` where numerals and units form no number.
fn magnitude(words: &str) -> Option<u64> {
    let mut fen = None;
    let mut number = Number::default();
    for character in words.chars() {
        let worth = match character {
            '元' => 100,
            '角' => 10,
            '分' => 1,
            '整' => continue,
            numeral => {
                number.push(numeral)?;
                continue;
            }
        };
        let part = std::mem::take(&mut number).value()?.checked_mul(worth)?;
        fen = Some(fen.unwrap_or(0_u64).checked_add(part)?);
    }
    if number.begun { None } else { fen }
}

/// The number in front of one of the units 元, 角 and 分, while it is read.
#[derive(Default)]
struct Number {
    begun: bool,
    /// A digit that waits for its unit.
    digit: Option<u64>,
    /// Below 万, as far as it has units.
    section: u64,
    /// From 万 up to below 亿.
    ten_thousands: u64,
    /// From 亿 up.
    hundred_millions: u64,
}

impl Number {
    fn push(&mut self, numeral: char) -> Option<()> {
        self.begun = true;
        match numeral {
            '零' => {}
            '拾' => self.unit(10)?,
            '佰' => self.unit(100)?,
            '仟' => self.unit(1_000)?,
            '万' => {
                self.ten_thousands = self
                    .ten_thousands
                    .checked_add(self.take_section()?.checked_mul(10_000)?)?
            }
            '亿' => {
                let section = self
                    .take_section()?
                    .checked_add(std::mem::take(&mut self.ten_thousands))?;
                self.hundred_millions = self
                    .hundred_millions
                    .checked_add(section.checked_mul(100_000_000)?)?;
            }
            other => {
                let digit = DIGITS.iter().position(|digit| *digit == other)?;
                if self.digit.replace(u64::try_from(digit).ok()?).is_some() {
                    return None;
                }
            }
        }
        Some(())
    }

    fn unit(&mut self, worth: u64) -> Option<()> {
        self.section = self.section.checked_add(self.digit.take()?.checked_mul(worth)?)?;
        Some(())
    }

    fn take_section(&mut self) -> Option<u64> {
        std::mem::take(&mut self.section).checked_add(self.digit.take().unwrap_or(0))
    }

    fn value(mut self) -> Option<u64> {
        let section = self.take_section()?;
        let value = section
            .checked_add(self.ten_thousands)?
            .checked_add(self.hundred_millions)?;
        self.begun.then_some(value)
    }
}
