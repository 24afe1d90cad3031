//! What a bank says as ISO 20022 XML: `pain.002`, what became of a file of payments, and `camt.053`, the statement of an account, each of any version that has these elements.
//! It is read event by event: nothing of it is kept but what is asked for. A file with a document type, with an entity of its own, too deep, or not whole is refused. Pure.

use std::borrow::Cow;

use chrono::NaiveDate;
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::kernel::refusal::Refusal;
use crate::kernel::text::Text;
use crate::payments::rules_bank_results::{
    Amount, ENTRIES_MAX, Entry, Format, Reading, Said, Subject, UNREADABLE,
};
use crate::registry::rules_text::day_of;
use crate::text;

/// Elements inside each other at most.
const DEPTH_MAX: usize = 40;
/// Characters of one element's text at most; more is not looked at.
const TEXT_LENGTH_MAX: usize = 500;
/// The namespaces that are read, without their versions.
const NAMESPACES: [(&str, Format); 2] = [
    ("urn:iso:std:iso:20022:tech:xsd:pain.002.001.", Format::Pain002),
    ("urn:iso:std:iso:20022:tech:xsd:camt.053.001.", Format::Camt053),
];

fn unreadable(zh: &'static str, en: &'static str) -> Refusal {
    UNREADABLE.because(Text::fixed(zh, en))
}

/// What has been read of a file until now.
struct Sight {
    format: Format,
    name: Option<String>,
    entries: Vec<Entry>,
    report: Report,
    statement: Statement,
}

/// What a `pain.002` has said on the way to a payment.
#[derive(Default)]
struct Report {
    message_id: Option<String>,
    group: Status,
    instruction: Status,
    instruction_id: Option<String>,
    payment: Status,
    entry: Option<Entry>,
    instructions: usize,
    /// Payments of this instruction, and of all.
    payments: (usize, usize),
}

/// A status, and why.
#[derive(Clone, Default)]
struct Status {
    code: Option<String>,
    reason: Option<String>,
}

impl Status {
    fn said(&self) -> Option<Said> {
        self.code.as_deref().map(|code| match code {
            "ACSC" | "ACCC" => Said::Paid,
            "RJCT" | "CANC" => Said::Returned,
            _ => Said::Pending,
        })
    }

    fn because(&mut self, text: &str) {
        let reason = self.reason.get_or_insert_default();
        if !reason.is_empty() {
            reason.push(' ');
        }
        reason.push_str(text);
    }
}

/// What a `camt.053` has said on the way to a payment.
#[derive(Default)]
struct Statement {
    number: usize,
    account: Option<String>,
    booking: Booking,
    detail: Option<Detail>,
}

/// An entry of an account.
#[derive(Default)]
struct Booking {
    number: usize,
    details: usize,
    amount: Option<Amount>,
    is_credit: bool,
    is_reversal: bool,
    is_booked: bool,
    day: Option<NaiveDate>,
    reference: Option<String>,
}

/// One payment of it.
#[derive(Default)]
struct Detail {
    id: Option<String>,
    amount: Option<Amount>,
    is_return: bool,
    reason: Status,
    reference: Option<String>,
    creditor: Option<String>,
}

/// Reads a file.
///
/// # Errors
/// [`UNREADABLE`], and why.
pub fn read(bytes: &[u8]) -> Result<Reading, Refusal> {
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable("应为 UTF-8 编码", "it must be UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // XML 1.0 knows three of the control characters.
    if text
        .chars()
        .any(|one| one < ' ' && !matches!(one, '\t' | '\n' | '\r'))
    {
        return Err(unreadable("含控制字符", "it has control characters"));
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut sight: Option<Sight> = None;
    let mut path: Vec<String> = Vec::new();
    let (mut inside, mut currency) = (String::new(), None);
    loop {
        let event = reader.read_event();
        let at = reader.buffer_position();
        let broken =
            || UNREADABLE.because(text!("第 {at} 字节处不是有效的 XML", "it is no XML at byte {at}"));
        match event.map_err(|_| broken())? {
            Event::DocType(_) => {
                return Err(unreadable(
                    "不接受文档类型声明",
                    "a document type is not accepted",
                ));
            }
            Event::Decl(declared) => only_utf8(declared.encoding())?,
            Event::Start(start) => {
                if path.len() >= DEPTH_MAX {
                    return Err(unreadable("嵌套过深", "its elements are too deep"));
                }
                if path.is_empty() {
                    if sight.is_some() {
                        return Err(broken());
                    }
                    sight = Some(Sight::of(format(&start)?));
                }
                path.push(String::from_utf8_lossy(start.local_name().as_ref()).into_owned());
                inside.clear();
                currency = attribute(&start, b"Ccy");
                if let Some(sight) = &mut sight {
                    sight.begins(&path.join("/"));
                }
            }
            // Around the outermost element there may be space and nothing else.
            Event::Text(text) if path.is_empty() => {
                if !text.decode().map_err(|_| broken())?.trim().is_empty() {
                    return Err(broken());
                }
            }
            Event::CData(_) | Event::GeneralRef(_) if path.is_empty() => return Err(broken()),
            Event::Text(text) => add(&mut inside, &text.decode().map_err(|_| broken())?),
            Event::CData(text) => add(&mut inside, &text.decode().map_err(|_| broken())?),
            Event::GeneralRef(entity) => inside.push(known(&entity)?),
            Event::End(_) => {
                if let Some(sight) = &mut sight {
                    let joined = path.join("/");
                    let value = inside.trim();
                    if !value.is_empty() {
                        sight.says(&joined, value, currency.as_deref());
                    }
                    sight.ends(&joined);
                    if sight.entries.len() > ENTRIES_MAX {
                        return Err(UNREADABLE.because(text!(
                            "最多 {ENTRIES_MAX} 笔",
                            "it must have at most {ENTRIES_MAX} entries"
                        )));
                    }
                }
                inside.clear();
                currency = None;
                path.pop();
            }
            Event::Eof => break,
            Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
        }
    }
    match sight {
        Some(sight) if path.is_empty() => Ok(Reading {
            format: sight.format,
            name: sight.name,
            entries: sight.entries,
        }),
        _ => Err(unreadable("文件不完整", "it is not whole")),
    }
}

fn add(inside: &mut String, text: &str) {
    let room = TEXT_LENGTH_MAX.saturating_sub(inside.chars().count());
    inside.extend(text.chars().take(room));
}

/// Whether a file says that it is UTF-8, or nothing.
fn only_utf8(
    encoding: Option<Result<Cow<'_, [u8]>, quick_xml::events::attributes::AttrError>>,
) -> Result<(), Refusal> {
    match encoding {
        None => Ok(()),
        Some(Ok(name)) if name.eq_ignore_ascii_case(b"utf-8") => Ok(()),
        Some(_) => Err(unreadable("应为 UTF-8 编码", "it must be UTF-8")),
    }
}

/// The character of a reference; those of a document's own are not followed.
fn known(entity: &BytesRef<'_>) -> Result<char, Refusal> {
    let refused = || unreadable("不接受实体引用", "an entity of its own is not accepted");
    if let Ok(Some(one)) = entity.resolve_char_ref() {
        return Ok(one);
    }
    let name = entity.decode().map_err(|_| refused())?;
    let text = resolve_xml_entity(&name).ok_or_else(refused)?;
    text.chars().next().ok_or_else(refused)
}

fn attribute(start: &BytesStart<'_>, name: &[u8]) -> Option<String> {
    let found = start.try_get_attribute(name).ok().flatten()?;
    Some(String::from_utf8_lossy(&found.value).into_owned())
}

/// What sort of file it is, by the namespace of its outermost element.
fn format(start: &BytesStart<'_>) -> Result<Format, Refusal> {
    let wrong = || {
        unreadable(
            "应为 pain.002.001 或 camt.053.001",
            "it must be pain.002.001 or camt.053.001",
        )
    };
    if start.local_name().as_ref() != b"Document" {
        return Err(wrong());
    }
    let namespaces = start
        .attributes()
        .flatten()
        .filter(|one| one.key.as_ref().starts_with(b"xmlns"));
    for one in namespaces {
        let name = String::from_utf8_lossy(&one.value).into_owned();
        if let Some((_, format)) = NAMESPACES.iter().find(|(known, _)| name.starts_with(known)) {
            return Ok(*format);
        }
    }
    Err(wrong())
}

const REPORT: &str = "Document/CstmrPmtStsRpt/";
const STATEMENT: &str = "Document/BkToCstmrStmt/Stmt";

impl Sight {
    fn of(format: Format) -> Self {
        Self {
            format,
            name: None,
            entries: Vec::new(),
            report: Report::default(),
            statement: Statement::default(),
        }
    }

    fn begins(&mut self, path: &str) {
        match self.format {
            Format::Pain002 => self.report_begins(path),
            Format::Camt053 => self.statement_begins(path),
            Format::Table => {}
        }
    }

    fn says(&mut self, path: &str, text: &str, currency: Option<&str>) {
        match self.format {
            Format::Pain002 => self.report_says(path, text, currency),
            Format::Camt053 => self.statement_says(path, text, currency),
            Format::Table => {}
        }
    }

    fn ends(&mut self, path: &str) {
        match self.format {
            Format::Pain002 => self.report_ends(path),
            Format::Camt053 => self.statement_ends(path),
            Format::Table => {}
        }
    }

    fn report_begins(&mut self, path: &str) {
        let report = &mut self.report;
        match path.strip_prefix(REPORT) {
            Some("OrgnlPmtInfAndSts") => {
                report.instructions = report.instructions.saturating_add(1);
                (report.instruction, report.instruction_id) = (Status::default(), None);
                report.payments.0 = 0;
            }
            Some("OrgnlPmtInfAndSts/TxInfAndSts") => {
                let (of, all) = report.payments;
                report.payments = (of.saturating_add(1), all.saturating_add(1));
                let (instruction, payment) = (report.instructions, report.payments.0);
                let place = format!("/OrgnlPmtInfAndSts/{instruction}/TxInfAndSts/{payment}");
                report.payment = Status::default();
                report.entry = Some(Entry::at(place));
            }
            _ => {}
        }
    }

    fn report_says(&mut self, path: &str, text: &str, currency: Option<&str>) {
        let Some(path) = path.strip_prefix(REPORT) else {
            return;
        };
        let owned = || Some(text.to_owned());
        let report = &mut self.report;
        if let (Some(entry), Some(path)) = (
            &mut report.entry,
            path.strip_prefix("OrgnlPmtInfAndSts/TxInfAndSts/"),
        ) {
            match path {
                "OrgnlEndToEndId" => entry.subject = Subject::Payment(text.to_owned()),
                "TxSts" => report.payment.code = owned(),
                "StsRsnInf/Rsn/Cd" | "StsRsnInf/Rsn/Prtry" | "StsRsnInf/AddtlInf" => {
                    report.payment.because(text)
                }
                "AcctSvcrRef" => entry.reference = owned(),
                "OrgnlTxRef/Amt/InstdAmt" => entry.amount = Some(Amount::read(text, currency)),
                "OrgnlTxRef/CdtrAcct/Id/Othr/Id" | "OrgnlTxRef/CdtrAcct/Id/IBAN" => entry.creditor = owned(),
                "OrgnlTxRef/DbtrAcct/Id/Othr/Id" | "OrgnlTxRef/DbtrAcct/Id/IBAN" => entry.debtor = owned(),
                "FctvIntrBkSttlmDt/Dt" => entry.booked_on = day_of(text),
                _ => {}
            }
            return;
        }
        match path {
            "GrpHdr/MsgId" => self.name = owned(),
            "OrgnlGrpInfAndSts/OrgnlMsgId" => report.message_id = owned(),
            "OrgnlGrpInfAndSts/GrpSts" => report.group.code = owned(),
            "OrgnlGrpInfAndSts/StsRsnInf/Rsn/Cd"
            | "OrgnlGrpInfAndSts/StsRsnInf/Rsn/Prtry"
            | "OrgnlGrpInfAndSts/StsRsnInf/AddtlInf" => {
                report.group.because(text);
            }
            "OrgnlPmtInfAndSts/OrgnlPmtInfId" => report.instruction_id = owned(),
            "OrgnlPmtInfAndSts/PmtInfSts" => report.instruction.code = owned(),
            "OrgnlPmtInfAndSts/StsRsnInf/Rsn/Cd"
            | "OrgnlPmtInfAndSts/StsRsnInf/Rsn/Prtry"
            | "OrgnlPmtInfAndSts/StsRsnInf/AddtlInf" => {
                report.instruction.because(text);
            }
            _ => {}
        }
    }

    /// What is not said of a payment is what is said of its instruction, and what is not said of that is what is said of the file.
    fn report_ends(&mut self, path: &str) {
        let report = &mut self.report;
        match path.strip_prefix(REPORT) {
            Some("OrgnlPmtInfAndSts/TxInfAndSts") => {
                let levels = [&report.payment, &report.instruction, &report.group];
                let said = levels.iter().find_map(|status| status.said());
                let reason = levels.iter().find_map(|status| status.reason.clone());
                if let Some(entry) = report.entry.take() {
                    self.entries.push(Entry {
                        said: said.unwrap_or(Said::Unreadable),
                        message_id: report.message_id.clone(),
                        reason,
                        ..entry
                    });
                }
            }
            Some("OrgnlPmtInfAndSts") if report.payments.0 == 0 => {
                let levels = [&report.instruction, &report.group];
                let said = levels.iter().find_map(|status| status.said());
                let reason = levels.iter().find_map(|status| status.reason.clone());
                let id = report
                    .instruction_id
                    .clone()
                    .or_else(|| report.message_id.clone());
                let place = format!("/OrgnlPmtInfAndSts/{}", report.instructions);
                self.whole(place, id, (said, reason));
            }
            None if path == "Document" && report.instructions == 0 && report.message_id.is_some() => {
                let (said, reason) = (report.group.said(), report.group.reason.clone());
                let id = report.message_id.clone();
                self.whole("/OrgnlGrpInfAndSts".to_owned(), id, (said, reason));
            }
            _ => {}
        }
    }

    fn whole(&mut self, place: String, id: Option<String>, (said, reason): (Option<Said>, Option<String>)) {
        self.entries.push(Entry {
            subject: id.map_or(Subject::Nobody, Subject::Message),
            said: said.unwrap_or(Said::Unreadable),
            reason,
            ..Entry::at(place)
        });
    }

    fn statement_begins(&mut self, path: &str) {
        let statement = &mut self.statement;
        match path.strip_prefix(STATEMENT) {
            Some("") => {
                *statement = Statement {
                    number: statement.number.saturating_add(1),
                    ..Statement::default()
                };
            }
            Some("/Ntry") => {
                statement.booking = Booking {
                    number: statement.booking.number.saturating_add(1),
                    ..Booking::default()
                };
            }
            Some("/Ntry/NtryDtls/TxDtls") => {
                statement.booking.details = statement.booking.details.saturating_add(1);
                statement.detail = Some(Detail::default());
            }
            Some("/Ntry/NtryDtls/TxDtls/RtrInf") => {
                if let Some(detail) = &mut statement.detail {
                    detail.is_return = true;
                }
            }
            _ => {}
        }
    }

    fn statement_says(&mut self, path: &str, text: &str, currency: Option<&str>) {
        let Some(path) = path.strip_prefix(STATEMENT) else {
            return;
        };
        let owned = || Some(text.to_owned());
        let statement = &mut self.statement;
        if let (Some(detail), Some(path)) =
            (&mut statement.detail, path.strip_prefix("/Ntry/NtryDtls/TxDtls/"))
        {
            match path {
                "Refs/EndToEndId" => detail.id = owned(),
                "Refs/AcctSvcrRef" => detail.reference = owned(),
                "Amt" => detail.amount = Some(Amount::read(text, currency)),
                "AmtDtls/TxAmt/Amt" if detail.amount.is_none() => {
                    detail.amount = Some(Amount::read(text, currency))
                }
                "RltdPties/CdtrAcct/Id/Othr/Id" | "RltdPties/CdtrAcct/Id/IBAN" => detail.creditor = owned(),
                "RtrInf/Rsn/Cd" | "RtrInf/Rsn/Prtry" | "RtrInf/AddtlInf" => detail.reason.because(text),
                _ => {}
            }
            return;
        }
        let booking = &mut statement.booking;
        match path {
            "/Id" => self.name = owned(),
            "/Acct/Id/Othr/Id" | "/Acct/Id/IBAN" => statement.account = owned(),
            "/Ntry/Amt" => booking.amount = Some(Amount::read(text, currency)),
            "/Ntry/CdtDbtInd" => booking.is_credit = text == "CRDT",
            "/Ntry/RvslInd" => booking.is_reversal = matches!(text, "true" | "1"),
            "/Ntry/Sts" | "/Ntry/Sts/Cd" => booking.is_booked = text == "BOOK",
            "/Ntry/BookgDt/Dt" => booking.day = day_of(text),
            "/Ntry/BookgDt/DtTm" => booking.day = text.get(..10).and_then(day_of),
            "/Ntry/AcctSvcrRef" => booking.reference = owned(),
            _ => {}
        }
    }

    fn statement_ends(&mut self, path: &str) {
        let statement = &mut self.statement;
        match path.strip_prefix(STATEMENT) {
            Some("/Ntry/NtryDtls/TxDtls") => {
                let detail = statement.detail.take().unwrap_or_default();
                let entry = statement.entry(detail);
                self.entries.push(entry);
            }
            Some("/Ntry") if statement.booking.details == 0 => {
                let entry = statement.entry(Detail::default());
                self.entries.push(entry);
            }
            _ => {}
        }
    }
}

impl Statement {
    /// A debit that is booked was paid; a credit that says so is one that came back; any other credit is other money.
    fn entry(&self, detail: Detail) -> Entry {
        let booking = &self.booking;
        let is_back = detail.is_return || booking.is_reversal;
        let said = match (booking.is_booked, booking.is_credit, is_back) {
            (false, _, _) => Said::Pending,
            (true, false, false) => Said::Paid,
            (true, true, true) => Said::Returned,
            (true, true, false) | (true, false, true) => Said::Other,
        };
        let mut place = format!("/Stmt/{}/Ntry/{}", self.number, booking.number);
        if booking.details > 0 {
            place.push_str(&format!("/TxDtls/{}", booking.details));
        }
        let is_named = detail.id.as_deref().is_some_and(|id| id != "NOTPROVIDED");
        Entry {
            subject: detail
                .id
                .filter(|_| is_named)
                .map_or(Subject::Nobody, Subject::Payment),
            said,
            // What the entry comes to is what its only payment comes to; of several each has its own.
            amount: detail.amount.or_else(|| booking.amount.clone()),
            debtor: Some(self.account.clone().unwrap_or_default()),
            creditor: detail.creditor,
            reference: detail.reference.or_else(|| booking.reference.clone()),
            booked_on: booking.day,
            reason: detail.reason.reason,
            ..Entry::at(place)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::payments::rules_claims::tests::yuan;

    fn report(inner: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- of the bank --><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
             <GrpHdr><MsgId>R1</MsgId><CreDtTm>2026-06-15T10:00:00</CreDtTm></GrpHdr>{inner}</CstmrPmtStsRpt></Document>"
        )
    }

    fn statement(entries: &str) -> String {
        format!(
            "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><GrpHdr><MsgId>S0</MsgId></GrpHdr><Stmt><Id>S1</Id>\
             <Acct><Id><Othr><Id>1100</Id></Othr></Id><Svcr><FinInstnId><Othr><Id>9</Id></Othr></FinInstnId></Svcr></Acct>{entries}</Stmt></BkToCstmrStmt></Document>"
        )
    }

    fn one(text: &str) -> Entry {
        let reading = read(text.as_bytes()).unwrap();
        assert_eq!(reading.entries.len(), 1, "{reading:?}");
        reading.entries.into_iter().next().unwrap()
    }

    fn payment(id: &str) -> Subject {
        Subject::Payment(id.to_owned())
    }

    #[test]
    fn a_report_speaks_of_payments_of_an_instruction_or_of_the_file() {
        let group =
            "<OrgnlGrpInfAndSts><OrgnlMsgId>m1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>";
        let text = report(&format!(
            "{group}</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>m1</OrgnlPmtInfId>\
             <TxInfAndSts><OrgnlEndToEndId>a</OrgnlEndToEndId><TxSts>ACSC</TxSts><AcctSvcrRef>B&amp;1&#x41;</AcctSvcrRef><FctvIntrBkSttlmDt><Dt>2026-06-15</Dt></FctvIntrBkSttlmDt>\
             <OrgnlTxRef><Amt><InstdAmt Ccy=\"CNY\">188868.3</InstdAmt></Amt><DbtrAcct><Id><Othr><Id>1100</Id></Othr></Id></DbtrAcct><CdtrAcct><Id><Othr><Id>6222</Id></Othr></Id></CdtrAcct></OrgnlTxRef></TxInfAndSts>\
             <TxInfAndSts><OrgnlEndToEndId>b</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf><![CDATA[closed <account>]]></AddtlInf></StsRsnInf></TxInfAndSts>\
             <TxInfAndSts><OrgnlEndToEndId>c</OrgnlEndToEndId><TxSts>ACSP</TxSts></TxInfAndSts><TxInfAndSts><OrgnlEndToEndId>d</OrgnlEndToEndId></TxInfAndSts></OrgnlPmtInfAndSts>"
        ));
        let reading = read(text.as_bytes()).unwrap();
        assert_eq!(
            (reading.format, reading.name.as_deref()),
            (Format::Pain002, Some("R1"))
        );
        let said: Vec<_> = reading
            .entries
            .iter()
            .map(|one| (one.subject.clone(), one.said))
            .collect();
        assert_eq!(
            said,
            [
                (payment("a"), Said::Paid),
                (payment("b"), Said::Returned),
                (payment("c"), Said::Pending),
                (payment("d"), Said::Unreadable),
            ]
        );
        let first = &reading.entries[0];
        assert_eq!(
            (
                first.place.as_str(),
                first.amount.clone(),
                first.reference.as_deref(),
                first.message_id.as_deref()
            ),
            (
                "/OrgnlPmtInfAndSts/1/TxInfAndSts/1",
                Some(Amount::Exact(yuan("188868.30"))),
                Some("B&1A"),
                Some("m1")
            )
        );
        assert_eq!(
            (
                first.debtor.as_deref(),
                first.creditor.as_deref(),
                first.booked_on.map(|day| day.to_string()).as_deref()
            ),
            (Some("1100"), Some("6222"), Some("2026-06-15"))
        );
        assert_eq!(
            reading.entries[1].reason.as_deref(),
            Some("AC04 closed <account>")
        );
        // Of the instruction, and of the whole file.
        let whole = one(&report(&format!(
            "{group}</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>m1</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts></OrgnlPmtInfAndSts>"
        )));
        assert_eq!(
            (whole.subject, whole.said),
            (Subject::Message("m1".to_owned()), Said::Returned)
        );
        let whole = one(&report(&format!(
            "{group}<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Prtry>X</Prtry></Rsn></StsRsnInf></OrgnlGrpInfAndSts>"
        )));
        assert_eq!(
            (whole.subject, whole.said, whole.reason.as_deref()),
            (Subject::Message("m1".to_owned()), Said::Returned, Some("X"))
        );
        let below = one(&report(&format!(
            "{group}<GrpSts>ACSC</GrpSts></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><TxInfAndSts><OrgnlEndToEndId>a</OrgnlEndToEndId></TxInfAndSts></OrgnlPmtInfAndSts>"
        )));
        assert_eq!((below.subject, below.said), (payment("a"), Said::Paid));
    }

    #[test]
    fn a_statement_speaks_of_what_was_debited_and_of_what_came_back() {
        let booked = |direction: &str, more: &str| {
            format!(
                "<Ntry><Amt Ccy=\"CNY\">10.00</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><DtTm>2026-06-15T01:00:00</DtTm></BookgDt><AcctSvcrRef>B1</AcctSvcrRef>{more}</Ntry>"
            )
        };
        let of = |id: &str, more: &str| {
            format!("<NtryDtls><TxDtls><Refs><EndToEndId>{id}</EndToEndId></Refs>{more}</TxDtls></NtryDtls>")
        };
        let paid = one(&statement(&booked(
            "DBIT",
            &of(
                "a",
                "<RltdPties><CdtrAcct><Id><Othr><Id>6222</Id></Othr></Id></CdtrAcct></RltdPties>",
            ),
        )));
        assert_eq!(
            (paid.subject, paid.said, paid.amount),
            (payment("a"), Said::Paid, Some(Amount::Exact(yuan("10.00"))))
        );
        assert_eq!(
            (
                paid.debtor.as_deref(),
                paid.creditor.as_deref(),
                paid.reference.as_deref()
            ),
            (Some("1100"), Some("6222"), Some("B1"))
        );
        assert_eq!(
            (
                paid.place.as_str(),
                paid.booked_on.map(|day| day.to_string()).as_deref()
            ),
            ("/Stmt/1/Ntry/1/TxDtls/1", Some("2026-06-15"))
        );
        let back = one(&statement(&booked(
            "CRDT",
            &of("a", "<RtrInf><Rsn><Cd>AC01</Cd></Rsn></RtrInf>"),
        )));
        assert_eq!(
            (back.said, back.reason.as_deref()),
            (Said::Returned, Some("AC01"))
        );
        assert_eq!(
            one(&statement(&booked("CRDT", "<RvslInd>true</RvslInd>"))).said,
            Said::Returned
        );
        assert_eq!(one(&statement(&booked("CRDT", &of("a", "")))).said, Said::Other);
        let bare = one(&statement(&booked("DBIT", "")));
        assert_eq!(
            (bare.subject, bare.said, bare.place.as_str()),
            (Subject::Nobody, Said::Paid, "/Stmt/1/Ntry/1")
        );
        assert_eq!(
            one(&statement(&booked("DBIT", &of("NOTPROVIDED", "")))).subject,
            Subject::Nobody
        );
        let pending = booked("DBIT", &of("a", "")).replace("BOOK", "PDNG");
        assert_eq!(one(&statement(&pending)).said, Said::Pending);
        // The version before said the state in the element itself, and the amount elsewhere.
        let older = statement(&booked(
            "DBIT",
            &of(
                "a",
                "<AmtDtls><TxAmt><Amt Ccy=\"CNY\">7.00</Amt></TxAmt></AmtDtls>",
            ),
        ))
        .replace("camt.053.001.08", "camt.053.001.02")
        .replace("<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>");
        assert_eq!(
            (one(&older).said, one(&older).amount),
            (Said::Paid, Some(Amount::Exact(yuan("7.00"))))
        );
        // Two payments of one entry, each with its own amount; with a prefix.
        let two = statement(&booked(
            "DBIT",
            "<NtryDtls><TxDtls><Refs><EndToEndId>a</EndToEndId></Refs><Amt Ccy=\"CNY\">3.00</Amt></TxDtls><TxDtls><Refs><EndToEndId>b</EndToEndId></Refs><Amt Ccy=\"USD\">7.00</Amt></TxDtls></NtryDtls>",
        ));
        let amounts: Vec<_> = read(two.as_bytes())
            .unwrap()
            .entries
            .into_iter()
            .map(|one| one.amount)
            .collect();
        assert_eq!(amounts, [Some(Amount::Exact(yuan("3.00"))), Some(Amount::Odd)]);
        let prefixed = "<s:Document xmlns:s=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><s:BkToCstmrStmt><s:Stmt><s:Ntry><s:Sts>BOOK</s:Sts></s:Ntry></s:Stmt></s:BkToCstmrStmt></s:Document>";
        assert_eq!(
            one(prefixed).debtor.as_deref(),
            Some(""),
            "a statement that names no account is of none"
        );
    }

    #[test]
    fn what_is_unsafe_or_something_else_is_refused() {
        let deep = format!(
            "<Document xmlns=\"{}08\">{}",
            NAMESPACES[1].0,
            "<a>".repeat(DEPTH_MAX)
        );
        let many = statement(&"<Ntry/>".repeat(ENTRIES_MAX + 1));
        for text in [
            "",
            "<",
            "no",
            "<Document/>",
            "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\"/>",
            "<html xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"/>",
            "<?xml version=\"1.0\" encoding=\"GBK\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"/>",
            "<!DOCTYPE Document [<!ENTITY a \"b\">]><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"/>",
            "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><a>&b;</a></Document>",
            "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><a>&#0;</a></Document>",
            "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><a></b></Document>",
            "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><a>",
            &deep,
            &many,
        ] {
            let refusal = read(text.as_bytes()).map(|_| text.len()).unwrap_err();
            assert_eq!(refusal.reason.code, "bank_statement_unreadable", "{text:.80}");
        }
        assert!(read(&[0xff]).is_err());
        // What goes on after its end, and what XML cannot hold.
        let whole = report("");
        assert!(read(format!("{whole}\n<!-- the end -->\n").as_bytes()).is_ok());
        for more in [
            whole.trim_start_matches("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"),
            "<x/>",
            "x",
            "<![CDATA[x]]>",
            "&lt;",
        ] {
            assert!(read(format!("{whole}{more}").as_bytes()).is_err(), "{more}");
        }
        assert!(read(report("<X>\u{0}</X>").as_bytes()).is_err());
        let long = statement(&format!(
            "<Ntry><AcctSvcrRef>{}</AcctSvcrRef></Ntry>",
            "x".repeat(100_000)
        ));
        assert_eq!(one(&long).reference.map(|text| text.len()), Some(TEXT_LENGTH_MAX));
    }

    proptest! {
        /// Whatever bytes come, in whatever place of a file: they are read or refused, and nothing else.
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..600, cut in 0_usize..600) {
            let _ = read(&bytes);
            let whole = statement("<Ntry><Amt Ccy=\"CNY\">1.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><NtryDtls><TxDtls><Refs><EndToEndId>a</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>");
            let mut mixed = whole.into_bytes();
            let at = at.min(mixed.len());
            let end = (at + cut / 10).min(mixed.len());
            mixed.splice(at..end, bytes);
            let _ = read(&mixed);
            mixed.truncate(cut);
            let _ = read(&mixed);
        }
    }
}
