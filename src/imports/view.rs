//! How imports, what was found in them, and the processes that they tell of are shown.

use chrono::NaiveDateTime;
use serde::Serialize;
use utoipa::ToSchema;

use crate::imports::rules::{Import, ImportId, Kind, State};
use crate::imports::rules_findings::{Code, Nature};
use crate::imports::rules_process::{Award, Contract, Party, Reference, Transaction, Value};
use crate::imports::rules_values::decimal;
use crate::imports::store::Kept;
use crate::imports::store_processes::{Parts, ProcessRow};
use crate::kernel::clock::{Instant, rfc3339};

/// A file that was read in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Import)]
pub struct ImportView {
    /// Its id.
    pub id: ImportId,
    /// The file's name.
    #[schema(example = "releases-2025.jsonl.gz")]
    pub name: String,
    /// SHA-256 of its bytes, hexadecimal.
    #[schema(example = "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9")]
    pub sha256: String,
    /// How many bytes.
    #[schema(example = 482_130)]
    pub bytes: i64,
    /// What sort of file it is.
    pub kind: Kind,
    /// How far it has come.
    pub state: State,
    /// True if it was read to its end, and nothing of it was new.
    #[schema(example = false)]
    pub unchanged: bool,
    /// Releases that were read so far.
    #[schema(example = 100)]
    pub releases: i64,
    /// Of these, those that were imported before.
    #[schema(example = 3)]
    pub releases_known: i64,
    /// Of these, those that were added.
    #[schema(example = 97)]
    pub releases_added: i64,
    /// Processes that are new.
    #[schema(example = 90)]
    pub processes_added: i64,
    /// Processes that say something else than before.
    #[schema(example = 2)]
    pub processes_changed: i64,
    /// Values that were taken otherwise than they stand.
    #[schema(example = 14)]
    pub repairs: i64,
    /// Values and releases that were not taken.
    #[schema(example = 1)]
    pub rejections: i64,
    /// What is worth knowing.
    #[schema(example = 20)]
    pub notes: i64,
    /// How many of these can be read with `findings`; the counts have all.
    #[schema(example = 35)]
    pub findings_kept: i64,
    /// Who began it.
    #[schema(example = "user_01jd3n8f5teqkrzvq1c0m6h2ax")]
    pub begun_by: String,
    /// When, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub begun_at: String,
    /// When its turn came, UTC; `null` while it waits for it.
    #[schema(required = true, example = "2026-03-01T08:00:01.000000Z")]
    pub started_at: Option<String>,
    /// When its last batch was loaded, it said that it waits, or it ended, UTC.
    #[schema(example = "2026-03-01T08:00:09.000000Z")]
    pub moved_at: String,
}

impl ImportView {
    /// An import as it is now.
    pub fn of(import: Import, now: Instant) -> Self {
        Self {
            state: import.state_at(now),
            unchanged: import.state == State::Done && import.is_unchanged(),
            sha256: hex::encode(import.sha256),
            bytes: import.bytes,
            kind: import.kind,
            releases: import.counts.releases,
            releases_known: import.counts.releases_known,
            releases_added: import.counts.releases_added,
            processes_added: import.counts.processes_added,
            processes_changed: import.counts.processes_changed,
            repairs: import.counts.found.repairs,
            rejections: import.counts.found.rejections,
            notes: import.counts.found.notes,
            findings_kept: import.counts.findings_kept,
            begun_by: import.begun_by,
            begun_at: rfc3339(import.begun_at),
            started_at: import.started_at.map(rfc3339),
            moved_at: rfc3339(import.moved_at),
            id: import.id,
            name: import.name,
        }
    }
}

/// Something that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportFinding)]
pub struct FindingView {
    /// Its number in the import.
    #[schema(example = 1)]
    pub number: i64,
    /// Why.
    #[schema(example = "amount_as_text")]
    pub code: String,
    /// `repair`: taken otherwise; `rejection`: not taken; `note`: taken as it is.
    #[schema(example = "repair")]
    pub nature: &'static str,
    /// What that means, in Chinese.
    #[schema(example = "金额为文字，已转为数值")]
    pub meaning_zh: String,
    /// In English.
    #[schema(example = "The amount is a text; it was read as a number")]
    pub meaning_en: String,
    /// Of which process, if that is known.
    #[schema(required = true, example = "ocds-213czf-2025-001")]
    pub ocid: Option<String>,
    /// Of which release, if that is known.
    #[schema(required = true, example = "2025-001-3")]
    pub release_id: Option<String>,
    /// Where in the release; where in the file, of what is no release.
    #[schema(example = "/tender/value/amount")]
    pub pointer: String,
    /// What was found there, at most 200 characters.
    #[schema(example = "1,200.50")]
    pub found: String,
    /// What was made of it; empty if nothing was.
    #[schema(example = "1200.50")]
    pub made: String,
}

impl From<Kept> for FindingView {
    fn from(kept: Kept) -> Self {
        let code = Code::named(&kept.code);
        let words = code.map(Code::words);
        Self {
            nature: code.map_or(Nature::Note, Code::nature).name(),
            meaning_zh: words
                .as_ref()
                .map_or_else(String::new, |words| words.zh().to_owned()),
            meaning_en: words
                .as_ref()
                .map_or_else(String::new, |words| words.en().to_owned()),
            number: kept.number,
            code: kept.code,
            ocid: kept.ocid,
            release_id: kept.release_id,
            pointer: kept.pointer,
            found: kept.found,
            made: kept.made,
        }
    }
}

/// An amount of any currency.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedValue)]
pub struct ValueView {
    /// Decimal, in units of the currency.
    #[schema(example = "1200.50")]
    pub amount: String,
    /// The currency's code of three letters; `null` if nobody said it.
    #[schema(required = true, example = "MXN")]
    pub currency: Option<String>,
}

fn value(value: Value) -> Option<ValueView> {
    Some(ValueView {
        amount: decimal(value.hundredths?),
        currency: value.currency,
    })
}

/// An organisation as publishers name it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedOrganisation)]
pub struct OrganisationView {
    /// Its id in the process.
    #[schema(example = "DO-RPE-81285")]
    pub id: String,
    /// Its name; empty if none is known.
    #[schema(example = "Salu Britom SRL")]
    pub name: String,
}

impl From<Reference> for OrganisationView {
    fn from(reference: Reference) -> Self {
        Self {
            id: reference.id,
            name: reference.name,
        }
    }
}

fn at(at: Option<Instant>) -> Option<String> {
    at.map(rfc3339)
}

fn moment(at: Option<NaiveDateTime>) -> Option<String> {
    at.map(|at| rfc3339(at.and_utc()))
}

/// An imported process, in short.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedProcessSummary)]
pub struct ProcessSummary {
    /// Its id.
    #[schema(example = "ocds-213czf-2025-001")]
    pub ocid: String,
    /// What it is called.
    #[schema(example = "Servicio de limpieza")]
    pub title: String,
    /// Who buys.
    #[schema(required = true)]
    pub buyer: Option<OrganisationView>,
    /// `open`, `selective`, `limited`, `direct`, or what the publisher says.
    #[schema(required = true, example = "open")]
    pub method: Option<String>,
    /// `goods`, `works`, `services`, or what the publisher says.
    #[schema(required = true, example = "services")]
    pub category: Option<String>,
    /// The class of the first item, as `scheme-id`.
    #[schema(required = true, example = "UNSPSC-76111601")]
    pub classification: Option<String>,
    /// The code of the area that the first item is for.
    #[schema(required = true, example = "310101001")]
    pub area: Option<String>,
    /// The tender's status.
    #[schema(required = true, example = "complete")]
    pub status: Option<String>,
    /// What it was estimated at.
    #[schema(required = true)]
    pub value: Option<ValueView>,
    /// From when bids were taken, UTC.
    #[schema(required = true, example = "2025-03-01T08:00:00.000000Z")]
    pub tender_starts_at: Option<String>,
    /// Until when, UTC.
    #[schema(required = true, example = "2025-03-21T08:00:00.000000Z")]
    pub tender_ends_at: Option<String>,
    /// How many bid.
    #[schema(required = true, example = 3)]
    pub tenderers: Option<i64>,
    /// The year of its first award, or of what comes next to it.
    #[schema(required = true, example = 2025)]
    pub year: Option<i64>,
    /// How many releases tell of it.
    #[schema(example = 4)]
    pub releases: i64,
    /// When it was imported or changed by an import, UTC.
    #[schema(example = "2026-03-01T08:00:00.000000Z")]
    pub changed_at: String,
}

impl From<ProcessRow> for ProcessSummary {
    fn from(row: ProcessRow) -> Self {
        let name = row.buyer_name.unwrap_or_default();
        Self {
            ocid: row.ocid,
            title: row.title,
            buyer: row.buyer_id.map(|id| OrganisationView { id, name }),
            method: row.method,
            category: row.category,
            classification: row.classification,
            area: row.area,
            status: row.status,
            value: value(Value {
                hundredths: row.amount_hundredths,
                currency: row.currency,
            }),
            tender_starts_at: moment(row.tender_starts_at),
            tender_ends_at: moment(row.tender_ends_at),
            tenderers: row.tenderers,
            year: row.year,
            releases: row.releases,
            changed_at: rfc3339(row.changed_at.and_utc()),
        }
    }
}

/// Who took part in an imported process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedParty)]
pub struct PartyView {
    /// Its id in the process.
    #[schema(example = "DO-RPE-81285")]
    pub id: String,
    /// Its name; empty if none is known.
    #[schema(example = "Salu Britom SRL")]
    pub name: String,
    /// In which roles.
    #[schema(example = json!(["supplier"]))]
    pub roles: Vec<String>,
    /// Its id in a register, as `scheme-id`.
    #[schema(required = true, example = "DO-RPE-81285")]
    pub identifier: Option<String>,
}

impl From<Party> for PartyView {
    fn from(party: Party) -> Self {
        Self {
            id: party.id,
            name: party.name,
            roles: party
                .roles
                .split(' ')
                .filter(|role| !role.is_empty())
                .map(str::to_owned)
                .collect(),
            identifier: party.identifier,
        }
    }
}

/// An award of an imported process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedAward)]
pub struct AwardView {
    /// Its id.
    #[schema(example = "1")]
    pub id: String,
    /// What it is called.
    #[schema(example = "Servicio de limpieza")]
    pub title: String,
    /// Its status.
    #[schema(required = true, example = "active")]
    pub status: Option<String>,
    /// When it was made, UTC.
    #[schema(required = true, example = "2025-04-01T08:00:00.000000Z")]
    pub awarded_at: Option<String>,
    /// What it comes to.
    #[schema(required = true)]
    pub value: Option<ValueView>,
    /// Who got it.
    pub suppliers: Vec<OrganisationView>,
}

impl From<Award> for AwardView {
    fn from(award: Award) -> Self {
        Self {
            id: award.id,
            title: award.title,
            status: award.status,
            awarded_at: at(award.at),
            value: value(award.value),
            suppliers: award.suppliers.into_iter().map(OrganisationView::from).collect(),
        }
    }
}

/// A contract of an imported process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedContract)]
pub struct ContractView {
    /// Its id.
    #[schema(example = "1")]
    pub id: String,
    /// The award that it follows from, if there is one of that id.
    #[schema(required = true, example = "1")]
    pub award_id: Option<String>,
    /// What it is called.
    #[schema(example = "Servicio de limpieza")]
    pub title: String,
    /// Its status.
    #[schema(required = true, example = "active")]
    pub status: Option<String>,
    /// When it was signed, UTC.
    #[schema(required = true, example = "2025-04-10T08:00:00.000000Z")]
    pub signed_at: Option<String>,
    /// When it begins, UTC.
    #[schema(required = true, example = "2025-05-01T00:00:00.000000Z")]
    pub starts_at: Option<String>,
    /// When it ends, UTC.
    #[schema(required = true, example = "2026-04-30T00:00:00.000000Z")]
    pub ends_at: Option<String>,
    /// What it comes to.
    #[schema(required = true)]
    pub value: Option<ValueView>,
    /// With whom.
    pub suppliers: Vec<OrganisationView>,
}

impl From<Contract> for ContractView {
    fn from(contract: Contract) -> Self {
        Self {
            id: contract.id,
            award_id: contract.award_id,
            title: contract.title,
            status: contract.status,
            signed_at: at(contract.signed_at),
            starts_at: at(contract.starts_at),
            ends_at: at(contract.ends_at),
            value: value(contract.value),
            suppliers: contract
                .suppliers
                .into_iter()
                .map(OrganisationView::from)
                .collect(),
        }
    }
}

/// A payment under a contract of an imported process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedTransaction)]
pub struct TransactionView {
    /// The contract.
    #[schema(example = "1")]
    pub contract_id: String,
    /// Its id.
    #[schema(example = "2025-000123")]
    pub id: String,
    /// When, UTC.
    #[schema(required = true, example = "2025-06-01T00:00:00.000000Z")]
    pub paid_at: Option<String>,
    /// How much.
    #[schema(required = true)]
    pub value: Option<ValueView>,
    /// By whom.
    #[schema(required = true)]
    pub payer: Option<OrganisationView>,
    /// To whom.
    #[schema(required = true)]
    pub payee: Option<OrganisationView>,
}

impl From<Transaction> for TransactionView {
    fn from(paid: Transaction) -> Self {
        Self {
            contract_id: paid.contract_id,
            id: paid.id,
            paid_at: at(paid.at),
            value: value(paid.value),
            payer: paid.payer.map(OrganisationView::from),
            payee: paid.payee.map(OrganisationView::from),
        }
    }
}

/// An imported process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedProcess)]
pub struct ProcessView {
    /// What it is, in short.
    pub summary: ProcessSummary,
    /// Who took part.
    pub parties: Vec<PartyView>,
    /// What was awarded.
    pub awards: Vec<AwardView>,
    /// What was contracted.
    pub contracts: Vec<ContractView>,
    /// What was paid.
    pub transactions: Vec<TransactionView>,
}

impl ProcessView {
    /// A process with its parts.
    pub fn of(head: ProcessRow, parts: Parts) -> Self {
        Self {
            summary: ProcessSummary::from(head),
            parties: parts.parties.into_iter().map(PartyView::from).collect(),
            awards: parts.awards.into_iter().map(AwardView::from).collect(),
            contracts: parts.contracts.into_iter().map(ContractView::from).collect(),
            transactions: parts
                .transactions
                .into_iter()
                .map(TransactionView::from)
                .collect(),
        }
    }
}
