//! What a bank says, as a table that anybody can fill in from its statement: CSV with the columns `claim_id` or `end_to_end_id`, `status`, `amount`, and if there are such
//! `reference`, `booked_on`, `reason`. Pure.

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::kernel::refusal::Refusal;
use crate::kernel::text::Text;
use crate::payments::rules_bank_results::{
    Amount, ENTRIES_MAX, Entry, Format, Reading, Said, Subject, UNREADABLE,
};
use crate::payments::rules_batches::reference;
use crate::registry::rules_text::day_of;
use crate::text;

/// The columns, in any order; one of the first two.
pub const COLUMNS: [&str; 7] = [
    "claim_id",
    "end_to_end_id",
    "status",
    "amount",
    "reference",
    "booked_on",
    "reason",
];

/// What a status says, in the words of a table or in the codes of ISO 20022.
fn said(status: &str) -> Said {
    match status.to_ascii_lowercase().as_str() {
        "paid" | "confirmed" | "acsc" | "accc" | "book" | "成功" | "已支付" => Said::Paid,
        "failed" | "rejected" | "returned" | "rjct" | "canc" | "失败" | "退回" | "退票" => {
            Said::Returned
        }
        "pending" | "pdng" | "acsp" | "actc" | "accp" | "处理中" => Said::Pending,
        _ => Said::Unreadable,
    }
}

/// Reads a table.
///
/// # Errors
/// [`UNREADABLE`] if it is not UTF-8 CSV with these columns, or has too many rows.
pub fn read(bytes: &[u8]) -> Result<Reading, Refusal> {
    let unreadable = |zh: &'static str, en: &'static str| UNREADABLE.because(Text::fixed(zh, en));
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable("应为 UTF-8 编码", "it must be UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text.as_bytes());
    let not_csv = |error: &csv::Error| {
        let line = error.position().map_or(0, csv::Position::line);
        UNREADABLE.because(text!("第 {line} 行不是有效的 CSV", "line {line} is no CSV"))
    };
    let header = reader.headers().map_err(|error| not_csv(&error))?.clone();
    let place = |name: &str| header.iter().position(|known| known.eq_ignore_ascii_case(name));
    let has_subject = place("claim_id").is_some() || place("end_to_end_id").is_some();
    if !has_subject || place("status").is_none() || place("amount").is_none() {
        return Err(unreadable(
            "首行应含 claim_id 或 end_to_end_id，以及 status 与 amount",
            "the first line must name claim_id or end_to_end_id, and status and amount",
        ));
    }
    if let Some(name) = header
        .iter()
        .find(|name| !COLUMNS.iter().any(|known| known.eq_ignore_ascii_case(name)))
    {
        let name: String = name.chars().take(40).collect();
        return Err(UNREADABLE.because(text!("未知列：{name}", "unknown column: {name}")));
    }
    let mut entries = Vec::new();
    for (index, row) in reader.records().enumerate() {
        let row = row.map_err(|error| not_csv(&error))?;
        if index >= ENTRIES_MAX {
            return Err(UNREADABLE.because(text!(
                "最多 {ENTRIES_MAX} 行",
                "it must have at most {ENTRIES_MAX} rows"
            )));
        }
        let cell = |name: &str| {
            let cell = place(name).and_then(|place| row.get(place));
            cell.filter(|cell| !cell.is_empty())
        };
        entries.push(entry(index, &row, &cell));
    }
    Ok(Reading {
        format: Format::Table,
        name: None,
        entries,
    })
}

fn entry<'r>(index: usize, _: &StringRecord, cell: &dyn Fn(&str) -> Option<&'r str>) -> Entry {
    let id = cell("claim_id").or_else(|| cell("end_to_end_id"));
    let day = cell("booked_on").map(day_of);
    let is_day = !matches!(day, Some(None));
    let amount = cell("amount").map(|amount| Amount::read(amount, None));
    // A row without an amount cannot be compared, and one with a day that is none was not meant so.
    let is_whole = amount.is_some() && is_day;
    let said = cell("status").map_or(Said::Unreadable, said);
    Entry {
        subject: id.map_or(Subject::Nobody, |id| Subject::Payment(reference(id).to_owned())),
        said: if is_whole { said } else { Said::Unreadable },
        amount,
        reference: cell("reference").map(str::to_owned),
        booked_on: day.flatten(),
        reason: cell("reason").map(str::to_owned),
        ..Entry::at(format!("/{index}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::payments::rules_claims::tests::yuan;

    #[test]
    fn rows_say_what_they_say() {
        let table = "\u{feff}End_To_End_Id,status,amount,reference,booked_on,reason\n\
                     01a,paid,1.00,B1,2026-06-15,\n\
                     claim_01b,RJCT,2.00,,,AC04\n\
                     ,退票,3.00,,,\n01c,brewed,1.00,,,\n01d,paid,,,,\n01e,paid,1.00,,15.6.2026,\n";
        let reading = read(table.as_bytes()).unwrap();
        let said: Vec<_> = reading
            .entries
            .iter()
            .map(|one| (one.place.as_str(), one.subject.clone(), one.said))
            .collect();
        let of = |id: &str| Subject::Payment(id.to_owned());
        assert_eq!(
            said,
            [
                ("/0", of("01a"), Said::Paid),
                ("/1", of("01b"), Said::Returned),
                ("/2", Subject::Nobody, Said::Returned),
                ("/3", of("01c"), Said::Unreadable),
                ("/4", of("01d"), Said::Unreadable),
                ("/5", of("01e"), Said::Unreadable),
            ]
        );
        let first = &reading.entries[0];
        assert_eq!(
            (
                &first.amount,
                first.reference.as_deref(),
                first.booked_on.map(|day| day.to_string()).as_deref()
            ),
            (&Some(Amount::Exact(yuan("1.00"))), Some("B1"), Some("2026-06-15"))
        );
        assert_eq!(reading.entries[1].reason.as_deref(), Some("AC04"));
    }

    #[test]
    fn other_tables_are_refused() {
        for table in [
            "",
            "status,amount\n",
            "claim_id,amount\n",
            "claim_id,status,amount,colour\n",
            "claim_id,status,amount\na,b\n",
            "\u{0}",
        ] {
            assert_eq!(
                read(table.as_bytes()).unwrap_err().reason.code,
                "bank_statement_unreadable",
                "{table:?}"
            );
        }
        assert!(read(&[0xff, 0xfe]).is_err());
        let many = format!(
            "claim_id,status,amount\n{}",
            "a,paid,1.00\n".repeat(ENTRIES_MAX + 1)
        );
        assert!(read(many.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), rows in "[a-z,\\n\"]{0,80}") {
            let _ = read(&bytes);
            let _ = read(format!("claim_id,status,amount\n{rows}").as_bytes());
        }
    }
}
