//! Random postings by the thousand, a hundred in a transaction, against a model of what each account and each hold has to have: the books add up, nothing stands below zero, and what would
//! be too much is refused. `WARDBOOK_TEST_POSTINGS` says how many, and a million takes minutes.

use std::time::Instant as Stopwatch;

use wardbook::budget::rules_ledger::{AccountCode, LedgerAccountId, Order, TransferCode, TransferId};
use wardbook::db::writer::Tx;
use wardbook::kernel::money::Money;

use crate::award_sequences::Dice;
use crate::harness::Ward;
use crate::ledger::{account, code, post, verdict};
use crate::on_both;
use crate::outbox::lines as rows;
use crate::treasury::Treasury;

/// How many there are, if nothing else is said.
const POSTINGS: usize = 8_000;
/// Lines that it goes to and fro between.
const LINES: usize = 6;
/// Postings of one transaction.
const TOGETHER: usize = 100;
/// What each line has at first, in fen.
const MONEY: i64 = 100_000_000;

/// The accounts of a line.
struct Accounts {
    available: LedgerAccountId,
    committed: LedgerAccountId,
    retained: LedgerAccountId,
    spent: LedgerAccountId,
}

/// Money that is held, of a line.
struct Held {
    id: TransferId,
    line: usize,
    is_retained: bool,
    left: i64,
}

/// What a line has to have.
#[derive(Clone, Copy, Default)]
struct Sums {
    available: i64,
    committed: i64,
    retained: i64,
    spent: i64,
}

/// A poster, and what it knows.
struct Poster {
    accounts: Vec<Accounts>,
    sums: Vec<Sums>,
    held: Vec<Held>,
    dice: Dice,
    refused: usize,
}

/// What is to be posted, and how it ends.
struct Wanted {
    order: Order,
    expected: &'static str,
}

impl Poster {
    /// Up to a quarter of what is there; now and then a fen more than that.
    fn fen(&mut self, there: i64) -> i64 {
        if self.dice.roll(400) == 0 {
            return there + 1;
        }
        let most = usize::try_from(there.min(1 + there / 4)).unwrap_or(0);
        1 + i64::try_from(self.dice.roll(most.max(1))).unwrap()
    }

    fn order(
        &self,
        at: (&LedgerAccountId, &LedgerAccountId),
        amount: i64,
        code: TransferCode,
        hold: Option<&TransferId>,
    ) -> Order {
        Order {
            id: TransferId::mint(crate::harness::start()),
            from: at.0.clone(),
            to: at.1.clone(),
            amount: Money::from_fen(amount).unwrap(),
            code,
            hold: hold.cloned(),
            matter: "test".to_owned(),
        }
    }

    /// From one line to another, or held by one.
    fn of_free(&mut self) -> Wanted {
        let (line, other) = (self.dice.roll(LINES), self.dice.roll(LINES));
        let amount = self.fen(self.sums[line].available);
        let fits = amount <= self.sums[line].available;
        let (from, held) = (&self.accounts[line].available, &self.accounts[line].committed);
        if line != other && self.dice.0.is_multiple_of(2) {
            let order = self.order(
                (from, &self.accounts[other].available),
                amount,
                TransferCode::Transfer,
                None,
            );
            if fits {
                self.sums[line].available -= amount;
                self.sums[other].available += amount;
            }
            return Wanted {
                order,
                expected: if fits { "done" } else { "ledger_would_overdraw" },
            };
        }
        let order = self.order((from, held), amount, TransferCode::Commitment, None);
        if fits {
            self.sums[line].available -= amount;
            self.sums[line].committed += amount;
            self.held.push(Held {
                id: order.id.clone(),
                line,
                is_retained: false,
                left: amount,
            });
        }
        Wanted {
            order,
            expected: if fits { "done" } else { "ledger_would_overdraw" },
        }
    }

    /// Out of a hold: paid, kept back, or given back.
    fn of_held(&mut self) -> Wanted {
        let at = self.dice.roll(self.held.len());
        let Held {
            id,
            line,
            is_retained,
            left,
        } = &self.held[at];
        let (id, line, is_retained, left) = (id.clone(), *line, *is_retained, *left);
        let amount = if self.dice.roll(3) == 0 {
            left
        } else {
            self.fen(left)
        };
        let course = self.dice.roll(if is_retained { 2 } else { 3 });
        let accounts = &self.accounts[line];
        let from = if is_retained {
            &accounts.retained
        } else {
            &accounts.committed
        };
        let (to, code) = match course {
            0 => (&accounts.spent, TransferCode::Payment),
            1 => (&accounts.available, TransferCode::Release),
            _ => (&accounts.retained, TransferCode::Retention),
        };
        let order = self.order((from, to), amount, code, Some(&id));
        if amount > left {
            return Wanted {
                order,
                expected: "ledger_hold_exceeded",
            };
        }
        let sums = &mut self.sums[line];
        *(if is_retained {
            &mut sums.retained
        } else {
            &mut sums.committed
        }) -= amount;
        match course {
            0 => sums.spent += amount,
            1 => sums.available += amount,
            _ => {
                sums.retained += amount;
                self.held.push(Held {
                    id: order.id.clone(),
                    line,
                    is_retained: true,
                    left: amount,
                });
            }
        }
        self.held[at].left -= amount;
        if self.held[at].left == 0 {
            self.held.swap_remove(at);
        }
        Wanted {
            order,
            expected: "done",
        }
    }

    /// Paid, and come back.
    fn of_spent(&mut self) -> Wanted {
        let line = self.dice.roll(LINES);
        let amount = self.fen(self.sums[line].spent);
        let accounts = &self.accounts[line];
        let order = self.order(
            (&accounts.spent, &accounts.available),
            amount,
            TransferCode::Refund,
            None,
        );
        let fits = amount <= self.sums[line].spent;
        if fits {
            self.sums[line].spent -= amount;
            self.sums[line].available += amount;
        }
        Wanted {
            order,
            expected: if fits { "done" } else { "ledger_would_overdraw" },
        }
    }

    fn wanted(&mut self) -> Wanted {
        match self.dice.roll(10) {
            0..=3 => self.of_free(),
            4 => self.of_spent(),
            _ if self.held.is_empty() => self.of_free(),
            _ => self.of_held(),
        }
    }

    /// Posts so many: those that are done many together, one that is refused alone, and what was before it comes first.
    fn run(&mut self, ward: &Ward, postings: usize) {
        let mut together = Vec::with_capacity(TOGETHER);
        for _ in 0..postings {
            let wanted = self.wanted();
            if wanted.expected == "done" {
                together.push(wanted.order);
            } else {
                settle(ward, &mut together);
                assert_eq!(posted(ward, vec![wanted.order]), wanted.expected);
                self.refused += 1;
            }
            if together.len() == TOGETHER {
                settle(ward, &mut together);
            }
        }
        settle(ward, &mut together);
    }
}

fn posted(ward: &Ward, orders: Vec<Order>) -> &'static str {
    code(
        ward.context()
            .db
            .write_and_wait(move |tx: &mut Tx<'_>| post(tx, orders.clone())),
    )
}

fn settle(ward: &Ward, together: &mut Vec<Order>) {
    if !together.is_empty() {
        assert_eq!(posted(ward, std::mem::take(together)), "done");
    }
}

fn postings() -> usize {
    let said = std::env::var("WARDBOOK_TEST_POSTINGS");
    said.map_or(POSTINGS, |said| said.parse().expect("a number of postings"))
}

on_both! {
    fn whatever_is_posted_the_books_add_up_and_nothing_stands_below_zero(ward) {
        let treasury = Treasury::with(&ward, "100000000.00");
        let lines: Vec<String> = (0..LINES).map(|line| treasury.filled(&ward, &format!("L{line}"), "1000000.00")).collect();
        let of = |line: &String, code| account(&ward, line, code);
        let accounts = lines.iter().map(|line| Accounts {
            available: of(line, AccountCode::Available),
            committed: of(line, AccountCode::Committed),
            retained: of(line, AccountCode::Retained),
            spent: of(line, AccountCode::Spent),
        });
        let mut poster = Poster {
            accounts: accounts.collect(),
            sums: vec![Sums { available: MONEY, ..Sums::default() }; LINES],
            held: Vec::new(),
            dice: Dice(40_000),
            refused: 0,
        };
        let (all, began) = (postings(), Stopwatch::now());
        poster.run(&ward, all);
        let took = began.elapsed();
        let there: usize = rows(&ward, "SELECT CAST(COUNT(*) AS TEXT) AS line FROM ledger_transfers WHERE matter = 'test'")[0].parse().unwrap();
        assert_eq!(there + poster.refused, all);
        assert!(poster.refused > 0, "what is too much was never tried");
        // What the model says, to the fen.
        for (line, sums) in lines.iter().zip(&poster.sums) {
            let balances = treasury.balances(&ward, line);
            let of = |code: &str| balances[code].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
            assert_eq!([of("available"), of("committed"), of("retained"), of("spent")], [sums.available, sums.committed, sums.retained, sums.spent]);
        }
        // What the tables say: as much on one side as on the other, nothing below zero but where money comes from, and each row as its entries have it.
        let one = |query: &str| rows(&ward, query)[0].clone();
        assert_eq!(one("SELECT CAST(SUM(balance_fen) AS TEXT) AS line FROM ledger_accounts"), "0");
        assert_eq!(one("SELECT CAST(SUM(amount_fen) AS TEXT) AS line FROM ledger_entries"), "0");
        assert_eq!(one("SELECT CAST(COUNT(*) AS TEXT) AS line FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id WHERE e.balance_fen < 0 AND a.code <> 'source'"), "0");
        let checking = Stopwatch::now();
        let found = verdict(&ward);
        assert!(found.holds(), "{found}");
        println!("{there} postings in {:.1} s and {} refused, verified in {:.1} s", took.as_secs_f64(), poster.refused, checking.elapsed().as_secs_f64());
    }
}
