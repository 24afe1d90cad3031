//! The file that a bank is told by what to pay: ISO 20022 `pain.001.001.09`, one instruction with all payments of a batch, in CNY, from the buyer's account. Its elements stand in
//! the order of the published schema; sums are exact. Accounts are their own numbers (`Othr`), banks are named by their CNAPS code (大额支付系统行号). Pure.

use chrono::NaiveDate;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use crate::kernel::clock::Instant;
use crate::kernel::money::Money;
use crate::kernel::refusal::{Fault, Kind, Reason, Stop};
use crate::payments::rules_bank_names::{Names, written};
use crate::registry::rules_bank_accounts::BankAccount;
use crate::text;

/// The namespace of the message.
pub const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";
/// Characters of a name, and of what a payment is for, at most (`Max140Text`).
pub const TEXT_LENGTH_MAX: usize = 140;
/// Characters of an identification at most (`Max35Text`).
pub const ID_LENGTH_MAX: usize = 35;

/// A name cannot be written in the letters that were asked for.
pub static NAME_UNWRITABLE: Reason = Reason::new(
    Kind::Conflict,
    "payment_batch_name_unwritable",
    "户名无法以所选文字写出",
    "A name cannot be written in these letters",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 1] = [&NAME_UNWRITABLE];

/// One payment of it.
#[derive(Clone, Debug)]
pub struct Payment {
    /// What the bank says again whenever it speaks of the payment.
    pub end_to_end_id: String,
    /// How much.
    pub amount: Money,
    /// To whom.
    pub to: BankAccount,
    /// What for.
    pub purpose: String,
}

/// What the file says.
#[derive(Clone, Debug)]
pub struct BankFile {
    /// Its own identification, which no other file has.
    pub message_id: String,
    /// When it was made, UTC.
    pub made_at: Instant,
    /// On which day the bank is to pay.
    pub execution_on: NaiveDate,
    /// In which letters names are.
    pub names: Names,
    /// From which account.
    pub from: BankAccount,
    /// What is paid, in this order.
    pub payments: Vec<Payment>,
}

struct Xml {
    writer: Writer<Vec<u8>>,
    names: Names,
}

fn broken(error: std::io::Error) -> Fault {
    Fault::caused("write a file for the bank", error)
}

impl Xml {
    fn event(&mut self, event: Event<'_>) -> Result<(), Fault> {
        self.writer.write_event(event).map_err(broken)
    }

    /// An element, and what is in it.
    fn within(&mut self, name: &str, inside: impl FnOnce(&mut Self) -> Result<(), Stop>) -> Result<(), Stop> {
        self.event(Event::Start(BytesStart::new(name)))?;
        inside(self)?;
        Ok(self.event(Event::End(BytesEnd::new(name)))?)
    }

    fn leaf_of(&mut self, start: BytesStart<'_>, text: &str) -> Result<(), Fault> {
        let end = start.to_end().into_owned();
        self.event(Event::Start(start))?;
        self.event(Event::Text(BytesText::new(text)))?;
        self.event(Event::End(end))
    }

    fn leaf(&mut self, name: &str, text: &str) -> Result<(), Fault> {
        self.leaf_of(BytesStart::new(name), text)
    }

    /// A name, in the letters of the file.
    fn name(&mut self, name: &str) -> Result<(), Stop> {
        let Some(line) = written(name, self.names, TEXT_LENGTH_MAX) else {
            let why = text!("无法写出“{name}”", "`{name}` cannot be written");
            return Err(NAME_UNWRITABLE.because(why).into());
        };
        Ok(self.leaf("Nm", &line)?)
    }

    fn party(&mut self, element: &str, account: &BankAccount) -> Result<(), Stop> {
        self.within(element, |xml| xml.name(&account.holder))
    }

    fn account(&mut self, element: &str, account: &BankAccount) -> Result<(), Stop> {
        self.within(element, |xml| {
            xml.within("Id", |xml| {
                xml.within("Othr", |xml| Ok(xml.leaf("Id", &account.number)?))
            })?;
            Ok(xml.leaf("Ccy", "CNY")?)
        })
    }

    fn agent(&mut self, element: &str, account: &BankAccount) -> Result<(), Stop> {
        self.within(element, |xml| {
            xml.within("FinInstnId", |xml| {
                xml.within("ClrSysMmbId", |xml| {
                    xml.within("ClrSysId", |xml| Ok(xml.leaf("Cd", "CNAPS")?))?;
                    Ok(xml.leaf("MmbId", &account.bank_code)?)
                })?;
                xml.name(&account.bank_name)
            })
        })
    }

    fn payment(&mut self, payment: &Payment) -> Result<(), Stop> {
        self.within("CdtTrfTxInf", |xml| {
            xml.within("PmtId", |xml| Ok(xml.leaf("EndToEndId", &payment.end_to_end_id)?))?;
            xml.within("Amt", |xml| {
                let mut amount = BytesStart::new("InstdAmt");
                amount.push_attribute(("Ccy", "CNY"));
                Ok(xml.leaf_of(amount, &payment.amount.to_string())?)
            })?;
            xml.agent("CdtrAgt", &payment.to)?;
            xml.party("Cdtr", &payment.to)?;
            xml.account("CdtrAcct", &payment.to)?;
            match written(&payment.purpose, xml.names, TEXT_LENGTH_MAX) {
                Some(purpose) => xml.within("RmtInf", |xml| Ok(xml.leaf("Ustrd", &purpose)?)),
                None => Ok(()),
            }
        })
    }
}

impl BankFile {
    /// What all of it comes to.
    ///
    /// # Errors
    /// A fault of arithmetic.
    pub fn total(&self) -> Result<Money, Fault> {
        let total = Money::sum(self.payments.iter().map(|payment| payment.amount));
        total.map_err(|error| Fault::caused("add up a batch of payments", error))
    }

    /// Its bytes, which are UTF-8.
    ///
    /// # Errors
    /// [`NAME_UNWRITABLE`]; a fault of arithmetic.
    pub fn written(&self) -> Result<String, Stop> {
        let total = self.total()?.to_string();
        let mut xml = Xml {
            writer: Writer::new_with_indent(Vec::new(), b' ', 1),
            names: self.names,
        };
        xml.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let mut document = BytesStart::new("Document");
        document.push_attribute(("xmlns", NAMESPACE));
        xml.event(Event::Start(document))?;
        xml.within("CstmrCdtTrfInitn", |xml| {
            xml.within("GrpHdr", |xml| self.header(xml, &total))?;
            xml.within("PmtInf", |xml| self.instruction(xml, &total))
        })?;
        xml.event(Event::End(BytesEnd::new("Document")))?;
        let bytes = xml.writer.into_inner();
        let text = String::from_utf8(bytes);
        Ok(text.map_err(|error| Fault::caused("a file for the bank is UTF-8", error))?)
    }

    fn sums(&self, xml: &mut Xml, total: &str) -> Result<(), Fault> {
        xml.leaf("NbOfTxs", &self.payments.len().to_string())?;
        xml.leaf("CtrlSum", total)
    }

    fn header(&self, xml: &mut Xml, total: &str) -> Result<(), Stop> {
        xml.leaf("MsgId", &self.message_id)?;
        xml.leaf("CreDtTm", &self.made_at.format("%Y-%m-%dT%H:%M:%SZ").to_string())?;
        self.sums(xml, total)?;
        xml.party("InitgPty", &self.from)
    }

    fn instruction(&self, xml: &mut Xml, total: &str) -> Result<(), Stop> {
        xml.leaf("PmtInfId", &self.message_id)?;
        xml.leaf("PmtMtd", "TRF")?;
        // Each payment is an entry of its own in the bank's statement, so that its answer can be told by it.
        xml.leaf("BtchBookg", "false")?;
        self.sums(xml, total)?;
        xml.within("ReqdExctnDt", |xml| {
            Ok(xml.leaf("Dt", &self.execution_on.format("%Y-%m-%d").to_string())?)
        })?;
        xml.party("Dbtr", &self.from)?;
        xml.account("DbtrAcct", &self.from)?;
        xml.agent("DbtrAgt", &self.from)?;
        for payment in &self.payments {
            xml.payment(payment)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::rules_claims::tests::{now, yuan};

    fn account(holder: &str, number: &str) -> BankAccount {
        BankAccount {
            holder: holder.to_owned(),
            bank_name: "某银行梧桐支行".to_owned(),
            bank_code: "102100099996".to_owned(),
            number: number.to_owned(),
        }
    }

    fn file(names: Names) -> BankFile {
        let payment = |id: &str, amount: &str, holder: &str| Payment {
            end_to_end_id: id.to_owned(),
            amount: yuan(amount),
            to: account(holder, "6222021112345678903"),
            purpose: "第 1 期 发票 2431".to_owned(),
        };
        BankFile {
            message_id: "01jd3n8f5teqkrzvq1c0m6h2ax".to_owned(),
            made_at: now(),
            execution_on: now().date_naive(),
            names,
            from: account("凤鸣区 <梧桐> & 街道", "11001234567890123456"),
            payments: vec![
                payment("01jd3n8f5teqkrzvq1c0m6h2a1", "188868.30", "洁城公司"),
                payment("01jd3n8f5teqkrzvq1c0m6h2a2", "0.07", &"洁".repeat(200)),
            ],
        }
    }

    #[test]
    fn sums_are_exact_and_names_are_escaped_and_cut() {
        let chinese = file(Names::Chinese).written().unwrap();
        assert!(chinese.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">"));
        assert_eq!(chinese.matches("<NbOfTxs>2</NbOfTxs>").count(), 2);
        assert_eq!(chinese.matches("<CtrlSum>188868.37</CtrlSum>").count(), 2);
        assert!(chinese.contains("<InstdAmt Ccy=\"CNY\">0.07</InstdAmt>"));
        assert!(chinese.contains("<Nm>凤鸣区 &lt;梧桐&gt; &amp; 街道</Nm>"));
        assert!(chinese.contains(&format!("<Nm>{}</Nm>", "洁".repeat(140))));
        let latin = file(Names::Latin).written().unwrap();
        assert!(
            latin.is_ascii() && latin.contains("<Nm>FENG MING QU WU TONG JIE DAO</Nm>"),
            "{latin}"
        );
        assert!(latin.contains("<Ustrd>DI 1 QI FA PIAO 2431</Ustrd>"), "{latin}");
        let mut odd = file(Names::Latin);
        odd.payments[0].to.holder = "🐉".to_owned();
        let Err(Stop::Refused(refusal)) = odd.written() else {
            panic!("it was written");
        };
        assert_eq!(refusal.reason.code, "payment_batch_name_unwritable");
    }
}
