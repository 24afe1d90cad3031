//! How an amount is written in capital numerals, with every choice that the rules on 零 and 整
//! leave open.
//!
//! It must never offer a wording that the rules forbid: what is read is compared with what stands here.

use super::money::Money;

/// The numerals from zero to nine.
pub(super) const DIGITS: [char; 10] = ['零', '壹', '贰', '叁', '肆', '伍', '陆', '柒', '捌', '玖'];

/// One character of a wording.
pub(super) struct Piece {
    pub(super) character: char,
    /// Whether the rules let the writer leave it out.
    pub(super) optional: bool,
    /// Whether [`Money::in_words_zh`] writes it.
    pub(super) written: bool,
}

/// How an amount is written, with every choice that the rules leave open.
pub(super) fn wording(amount: Money) -> Vec<Piece> {
    let mut wording = Wording(Vec::new());
    let magnitude = amount.fen().unsigned_abs();
    let (yuan, jiao, fen) = (magnitude / 100, magnitude / 10 % 10, magnitude % 10);
    if amount.is_negative() {
        wording.must('负');
    }
    if magnitude == 0 {
        wording.must('零');
    }
    wording.yuan(yuan);
    if yuan > 0 || magnitude == 0 {
        wording.must('元');
    }
    wording.fractions(yuan, jiao, fen);
    wording.0
}

/// Whether the words are the wording, with any of its optional characters left out. What follows an
/// optional character always differs from it, so taking it whenever it is there is enough.
pub(super) fn is_wording(words: &str, wording: &[Piece]) -> bool {
    let mut words = words.chars().peekable();
    let fits = |piece: &Piece| words.next_if_eq(&piece.character).is_some() || piece.optional;
    wording.iter().all(fits) && words.next().is_none()
}

/// A wording under construction.
struct Wording(Vec<Piece>);

impl Wording {
    fn must(&mut self, character: char) {
        self.0.push(Piece {
            character,
            optional: false,
            written: true,
        });
    }

    fn may(&mut self, character: char, written: bool) {
        self.0.push(Piece {
            character,
            optional: true,
            written,
        });
    }

    fn digit(&mut self, digit: u64) {
        if let Some(character) = usize::try_from(digit).ok().and_then(|digit| DIGITS.get(digit)) {
            self.must(*character);
        }
    }

    /// The yuan without the unit 元: groups of four digits, from 万亿 down.
    fn yuan(&mut self, yuan: u64) {
        let groups = [
            (yuan / 1_000_000_000_000, Some('万')),
            (yuan / 100_000_000 % 10_000, Some('亿')),
            (yuan / 10_000 % 10_000, Some('万')),
            (yuan % 10_000, None),
        ];
        let mut before: Option<u64> = None;
        let mut skipped = false;
        for (group, unit) in groups {
            if group > 0 {
                if let Some(before) = before {
                    self.zero_between(Neighbours {
                        before,
                        skipped,
                        after: group,
                    });
                }
                self.group(group);
                before = Some(group);
                skipped = false;
            } else {
                skipped = before.is_some();
            }
            // 亿 closes the section above it even when only that section's 万 holds digits:
            // 玖拾万亿.
            let closes_section = unit == Some('亿') && before.is_some();
            if let Some(unit) = unit.filter(|_| group > 0 || closes_section) {
                self.must(unit);
            }
        }
    }

    /// 零 between two groups of four digits. It must stand where the lower group has no thousands;
    /// where it has, but zeroes come before them, the rules let the writer choose.
    fn zero_between(&mut self, groups: Neighbours) {
        if groups.after < 1_000 {
            self.must('零');
        } else if groups.skipped {
            self.may('零', true);
        } else if groups.before.is_multiple_of(10) {
            self.may('零', false);
        }
    }

    /// Up to four digits with 仟, 佰 and 拾; one 零 for any run of zeroes between digits.
    fn group(&mut self, group: u64) {
        let places = [
            (group / 1_000, Some('仟')),
            (group / 100 % 10, Some('佰')),
            (group / 10 % 10, Some('拾')),
            (group % 10, None),
        ];
        let mut begun = false;
        let mut zero = false;
        for (digit, unit) in places {
            if digit == 0 {
                zero = begun;
                continue;
            }
            if zero {
                self.must('零');
            }
            self.digit(digit);
            unit.into_iter().for_each(|unit| self.must(unit));
            begun = true;
            zero = false;
        }
    }

    /// 角 and 分 after `yuan` whole yuan, and the closing 整.
    fn fractions(&mut self, yuan: u64, jiao: u64, fen: u64) {
        match (jiao, fen) {
            (0, 0) => self.must('整'),
            (0, _) if yuan > 0 => self.must('零'),
            (1.., _) if yuan > 0 && yuan.is_multiple_of(10) => self.may('零', true),
            _ => {}
        }
        if jiao > 0 {
            self.digit(jiao);
            self.must('角');
        }
        if fen > 0 {
            self.digit(fen);
            self.must('分');
        } else if jiao > 0 {
            self.may('整', false);
        }
    }
}

/// Two groups of four digits that are not zero, and whether groups of zeroes lie between them.
struct Neighbours {
    before: u64,
    skipped: bool,
    after: u64,
}
