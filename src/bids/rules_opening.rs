//! The opening of a lot: what is opened, what stays sealed, and the record of it, from which anybody who has the sealed bytes can tell
//! whether it is true. The record is written once and its bytes are hashed. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::bids::rules::{BidId, Fate, Version};
use crate::bids::rules_document::BidDocument;
use crate::bids::rules_eligibility::Rival;
use crate::bids::rules_responses::is_addressed;
use crate::bids::sealing::{self, OneFileKey, Opened, Unopenable};
use crate::books::rules::{BookId, LotId};
use crate::books::rules_readiness::Item;
use crate::kernel::money::Money;
use crate::kernel::party::OrganisationId;
use crate::kernel::refusal::{Fault, Kind, Objection, Reason};
use crate::registry::rules_organisations::Organisation;
use crate::statutes::profile::Citation;
use crate::text;

/// What a record of this form begins with.
pub const FORMAT: &str = "wardbook/opening/v1";
/// Bytes of a stored record at most.
pub const RECORD_BYTES_MAX: usize = 4_194_304;

/// Fewer shares were handed in than it takes.
pub static OPENING_SHARES_MISSING: Reason = Reason::new(
    Kind::Conflict,
    "opening_shares_missing",
    "见证人提交的份额尚不足",
    "Fewer shares were handed in than it takes",
);
/// Bids came in while others were being opened.
pub static OPENING_OVERTAKEN: Reason = Reason::new(
    Kind::Busy,
    "opening_overtaken",
    "开标期间投标有变化，请重试",
    "The bids changed while they were being opened; try again",
);

/// The reasons of this file.
pub static REASONS: [&Reason; 2] = [&OPENING_SHARES_MISSING, &OPENING_OVERTAKEN];

/// What came of a lot at its opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OpeningOutcome)]
pub enum Outcome {
    /// Its bids were opened.
    Opened,
    /// 流标: there were too few, and nothing was opened.
    Unsuccessful,
}

impl Outcome {
    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Unsuccessful => "unsuccessful",
        }
    }

    /// The outcome of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Opened, Self::Unsuccessful]
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

/// How the key came to be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OpeningKeyUse, example = json!({"kind": "shared", "threshold": 2, "shares": [1, 3]}))]
pub struct KeyUse {
    /// `custodial`, kept by the service, or `shared` among witnesses.
    #[schema(pattern = "^(custodial|shared)$")]
    pub kind: String,
    /// How many shares it took; `null` if it was not shared.
    #[schema(minimum = 2, maximum = 9)]
    pub threshold: Option<u8>,
    /// Which were handed in.
    #[schema(max_items = 9)]
    pub shares: Vec<u8>,
}

/// Places that are named where a bid does not answer its lot, at most.
const PLACES_NAMED_MAX: usize = 10;

/// What of the things that are found at an opening puts a bid out. The others are for the panel to judge, or, as a recusal, about people
/// of the buyer's and not about the bid.
const DECISIVE: [&str; 7] = [
    "not_verified",
    "debarred",
    "qualification_missing",
    "qualification_expired",
    "not_small",
    "size_not_declared",
    "same_control",
];

/// Something that was found about a bid when it was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OpeningFinding, example = json!({"code": "debarred", "pointer": "/supplier_id", "is_decisive": true, "detail_zh": "处于禁止参加政府采购活动期间", "detail_en": "the supplier is debarred", "rule": null, "citations": []}))]
pub struct Finding {
    /// What, as in the warnings before the opening.
    #[schema(max_length = 40)]
    pub code: String,
    /// Where in the bid.
    #[schema(max_length = 200)]
    pub pointer: String,
    /// True if it puts the bid out; otherwise the panel judges it.
    pub is_decisive: bool,
    /// In Chinese.
    #[schema(max_length = 2000)]
    pub detail_zh: String,
    /// In English.
    #[schema(max_length = 2000)]
    pub detail_en: String,
    /// The code of the rule, if it is one of the statutes.
    #[schema(max_length = 100)]
    pub rule: Option<String>,
    /// Where it stands.
    #[schema(max_items = 20)]
    pub citations: Vec<Citation>,
}

impl Finding {
    /// What was found, as the record has it. That two people in charge have one name makes nobody one: unless a tie was `declared`, the
    /// panel judges that.
    pub fn of(item: Item, declared: bool) -> Self {
        let is_suspicion = item.code == "same_control" && !declared;
        Self {
            is_decisive: DECISIVE.contains(&item.code) && !is_suspicion,
            code: item.code.to_owned(),
            pointer: item.pointer,
            detail_zh: item.detail.zh().to_owned(),
            detail_en: item.detail.en().to_owned(),
            rule: item.rule.map(str::to_owned),
            citations: item.citations,
        }
    }

    /// That a bid does not answer its lot, and where, which the panel judges.
    pub fn does_not_answer(objections: &[Objection]) -> Self {
        let places = objections.len();
        let named = objections.iter().take(PLACES_NAMED_MAX);
        let (zh, en): (Vec<String>, Vec<String>) = named
            .map(|one| {
                (
                    format!("{} {}", one.pointer, one.detail.zh()),
                    format!("{} {}", one.pointer, one.detail.en()),
                )
            })
            .unzip();
        let (zh, en) = (zh.join("；"), en.join("; "));
        let more = if places > PLACES_NAMED_MAX { " …" } else { "" };
        let places_word = if places == 1 { "place" } else { "places" };
        let detail = text!(
            "有 {places} 处未按要求响应，由评标委员会审查：{zh}{more}",
            "it does not answer its lot in {places} {places_word}, which the panel judges: {en}{more}"
        );
        Self {
            code: "does_not_answer".to_owned(),
            pointer: String::new(),
            is_decisive: false,
            detail_zh: detail.zh().to_owned(),
            detail_en: detail.en().to_owned(),
            rule: None,
            citations: Vec::new(),
        }
    }
}

/// A bid that was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OpenedBid)]
pub struct OpenedBid {
    /// The bid.
    pub bid_id: BidId,
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// Its Chinese name on the day.
    pub supplier_zh: String,
    /// Its English name on the day.
    pub supplier_en: String,
    /// The number of the version that counted.
    #[schema(minimum = 1, maximum = 50)]
    pub version: i64,
    /// SHA-256 of the sealed bytes.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// The price, as the bid says it.
    pub total: Money,
    /// The key of this one file: whoever has the sealed bytes reads by it what was opened.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    pub file_key: String,
    /// True if nothing in it is personal or marked as confidential: then everybody gets the sealed bytes.
    pub is_public: bool,
    /// What was found about it.
    pub findings: Vec<Finding>,
}

/// A bid that could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UnopenableBid)]
pub struct UnopenableBid {
    /// The bid.
    pub bid_id: BidId,
    /// Whose it is.
    pub supplier_id: OrganisationId,
    /// The number of the version that counted.
    #[schema(minimum = 1, maximum = 50)]
    pub version: i64,
    /// SHA-256 of the sealed bytes.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// `not_to_this_book`, `header_broken`, `content_broken`, `too_large`, `not_a_bid`, `names_another`.
    #[schema(max_length = 40)]
    pub reason: String,
}

/// A bid that stays sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StillSealedBid)]
pub struct StillSealedBid {
    /// The bid.
    pub bid_id: BidId,
    /// SHA-256 of its last sealed bytes.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// `withdrawn`, or `unconfirmed` after an addendum.
    #[schema(max_length = 40)]
    pub reason: String,
}

/// The record of the opening of a lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OpeningRecord, example = json!({
    "format": "wardbook/opening/v1", "book_id": "book_01jd3n8f5teqkrzvq1c0m6h2ax", "lot_id": "lot_01jd3n8f5teqkrzvq1c0m6h2ax", "lot_code": "1",
    "book_version": 1, "recipient": "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa", "key": {"kind": "custodial", "threshold": null, "shares": []},
    "deadline": "2026-04-01T01:00:00.000000Z", "opened_at": "2026-04-01T01:00:03.000000Z", "bids_min": 3, "bids": 0, "outcome": "unsuccessful",
    "opened": [], "unopenable": [], "still_sealed": []
}))]
pub struct OpeningRecord {
    /// `wardbook/opening/v1`
    #[schema(max_length = 40)]
    pub format: String,
    /// The book.
    pub book_id: BookId,
    /// The lot.
    pub lot_id: LotId,
    /// Its code in the book.
    #[schema(max_length = 20)]
    pub lot_code: String,
    /// The version of the book that held.
    #[schema(minimum = 1, maximum = 100)]
    pub book_version: i64,
    /// To whom the bids were to be sealed.
    #[schema(max_length = 100)]
    pub recipient: String,
    /// How the key came to be there.
    pub key: KeyUse,
    /// The deadline for bids, UTC.
    #[schema(max_length = 40)]
    pub deadline: String,
    /// When they were opened, UTC.
    #[schema(max_length = 40)]
    pub opened_at: String,
    /// With fewer bids nothing is opened.
    #[schema(minimum = 1, maximum = 100)]
    pub bids_min: u32,
    /// How many there were that counted.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub bids: usize,
    /// What came of it.
    pub outcome: Outcome,
    /// What was opened, the lowest price first.
    pub opened: Vec<OpenedBid>,
    /// What could not be opened.
    pub unopenable: Vec<UnopenableBid>,
    /// What stays sealed; nothing is told of it if nothing was opened.
    pub still_sealed: Vec<StillSealedBid>,
}

impl OpeningRecord {
    /// The bytes that are stored and hashed, once.
    ///
    /// # Errors
    /// A fault if it cannot be written, or is longer than a record may be.
    pub fn written(&self) -> Result<String, Fault> {
        let written = serde_json::to_string(self)
            .map_err(|error| Fault::caused("write the record of an opening", error))?;
        if written.len() > RECORD_BYTES_MAX {
            return Err(Fault::broken(format!("a record of {} bytes", written.len())));
        }
        Ok(written)
    }
}

/// What became of the sealed bytes of one bid.
#[derive(Debug, PartialEq, Eq)]
pub enum Attempt {
    /// They are a bid for this lot by this bidder.
    Opened(Box<(BidDocument, OneFileKey)>),
    /// They are not, or could not be opened: the name of the reason.
    Unopenable(&'static str),
}

/// What the sealed bytes of a bid are, once it was tried to open them.
pub fn attempt(opened: Result<Opened, Unopenable>, lot: &LotId, supplier: &OrganisationId) -> Attempt {
    let opened = match opened {
        Ok(opened) => opened,
        Err(why) => return Attempt::Unopenable(why.name()),
    };
    let Ok(document) = BidDocument::read(&opened.content) else {
        return Attempt::Unopenable("not_a_bid");
    };
    // A copy of somebody else's sealed bytes opens as well, and is somebody else's bid.
    if is_addressed(&document, lot, supplier) {
        Attempt::Opened(Box::new((document, opened.file_key)))
    } else {
        Attempt::Unopenable("names_another")
    }
}

/// A bidder as the others see it.
pub fn rival((supplier, document): &(Organisation, BidDocument)) -> Rival {
    let particulars = &supplier.current.particulars;
    Rival {
        supplier_id: supplier.id.clone(),
        name: (particulars.name_zh.clone(), particulars.name_en.clone()),
        credit_code: particulars.credit_code.as_ref().map(ToString::to_string),
        person_in_charge: particulars.legal_representative.clone(),
        ties: document
            .ties
            .iter()
            .map(|tie| (tie.kind, tie.credit_code.clone()))
            .collect(),
    }
}

/// Whether a bidder or one of the others has declared that they are of one hand.
pub fn declared(supplier: &Organisation, document: &BidDocument, rivals: &[Rival]) -> bool {
    let own = supplier
        .current
        .particulars
        .credit_code
        .as_ref()
        .map(ToString::to_string);
    rivals
        .iter()
        .filter(|rival| rival.supplier_id != supplier.id)
        .any(|rival| {
            let by_rival = rival.ties.iter().any(|(_, code)| Some(code) == own.as_ref());
            by_rival
                || document
                    .ties
                    .iter()
                    .any(|tie| Some(&tie.credit_code) == rival.credit_code.as_ref())
        })
}

/// Whether everybody may have the sealed bytes once their key is published: nothing in them is personal or marked as confidential.
pub fn is_public(document: &BidDocument) -> bool {
    document.confidential.is_empty() && document.key_staff.is_empty() && document.interests.is_empty()
}

/// How many of a lot's bids count, and whether they are as many as it takes.
pub fn outcome(fates: &[(Version, Fate)], bids_min: u32) -> (usize, Outcome) {
    let count = fates
        .iter()
        .filter(|(_, fate)| matches!(fate, Fate::Opened(_)))
        .count();
    let suffices = usize::try_from(bids_min).is_ok_and(|min| count >= min);
    let outcome = if suffices {
        Outcome::Opened
    } else {
        Outcome::Unsuccessful
    };
    (count, outcome)
}

/// What a reader of a record finds when it looks at the sealed bytes of one bid.
///
/// # Errors
/// What does not hold, in words.
pub fn check(record: &OpeningRecord, bid: &OpenedBid, sealed: &[u8]) -> Result<(), String> {
    if hex::encode(crate::bids::rules::hash(sealed)) != bid.sha256 {
        return Err("the sealed bytes are not those of the record".to_owned());
    }
    let key = OneFileKey::from_hex(&bid.file_key).ok_or("its file key is none")?;
    let content = sealing::reopen(sealed, &key).map_err(|why| format!("it does not open: {why}"))?;
    let document = BidDocument::read(&content).map_err(|why| format!("it is no bid: {}", why.en()))?;
    if !is_addressed(&document, &record.lot_id, &bid.supplier_id) {
        return Err("it names another lot or another bidder".to_owned());
    }
    if document.total != bid.total {
        let (said, recorded) = (document.total, bid.total);
        return Err(format!("its price is {said}, and the record says {recorded}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bids::rules::hash;
    use crate::kernel::text::Text;
    use chrono::{TimeZone, Utc};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const LOT: &str = "lot_01jd3n8f5teqkrzvq1c0m6h2ax";
    const BIDDER: &str = "org_01jd3n8f5teqkrzvq1c0m6h2ax";

    fn bid() -> Value {
        json!({
            "lot_id": LOT, "supplier_id": BIDDER, "book_version": 1, "price_lines": [], "total": {"amount": "500.00", "currency": "CNY"},
            "criteria": [], "indicators": [], "key_staff": [], "subcontractors": [], "consortium": [], "ties": [], "interests": [],
            "documents": [], "confidential": []
        })
    }

    /// What becomes of an opened file that says this.
    fn says(content: &[u8]) -> Attempt {
        let opened = Opened {
            content: content.to_vec(),
            file_key: OneFileKey::from_hex(&"0".repeat(32)).unwrap(),
        };
        attempt(Ok(opened), &LOT.parse().unwrap(), &BIDDER.parse().unwrap())
    }

    fn tried(content: &[u8]) -> (Attempt, Vec<u8>) {
        let identity = age::x25519::Identity::generate();
        let sealed = sealing::seal(content, &identity.to_public().to_string()).unwrap();
        let opened = sealing::open(&sealed, &identity);
        (
            attempt(opened, &LOT.parse().unwrap(), &BIDDER.parse().unwrap()),
            sealed,
        )
    }

    #[test]
    fn only_a_bid_for_this_lot_by_this_bidder_is_opened() {
        assert!(matches!(says(bid().to_string().as_bytes()), Attempt::Opened(_)));
        let mut other_lot = bid();
        other_lot["lot_id"] = json!("lot_01jd3n8f5teqkrzvq1c0m6h2ay");
        let mut other_bidder = bid();
        other_bidder["supplier_id"] = json!("org_01jd3n8f5teqkrzvq1c0m6h2ay");
        for another in [other_lot, other_bidder] {
            assert_eq!(
                says(another.to_string().as_bytes()),
                Attempt::Unopenable("names_another")
            );
        }
        let twice = bid().to_string().replacen('{', "{\"book_version\":2,", 1);
        let mut more = bid();
        more["price"] = json!(1);
        for none in [
            "",
            "{}",
            "[]",
            "Dear street office",
            twice.as_str(),
            more.to_string().as_str(),
            "\u{feff}{}",
        ] {
            assert_eq!(says(none.as_bytes()), Attempt::Unopenable("not_a_bid"), "{none}");
        }
        let lot = LOT.parse().unwrap();
        for why in [
            Unopenable::WrongKey,
            Unopenable::HeaderBroken,
            Unopenable::ContentBroken,
            Unopenable::TooLarge,
        ] {
            assert_eq!(
                attempt(Err(why), &lot, &BIDDER.parse().unwrap()),
                Attempt::Unopenable(why.name())
            );
        }
    }

    fn recorded() -> (OpeningRecord, Vec<u8>) {
        let (Attempt::Opened(opened), sealed) = tried(bid().to_string().as_bytes()) else {
            unreachable!("it is a bid");
        };
        let (document, key) = *opened;
        let now = Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap();
        let record = OpeningRecord {
            format: FORMAT.to_owned(),
            book_id: BookId::mint(now),
            lot_id: LOT.parse().unwrap(),
            lot_code: "1".to_owned(),
            book_version: 1,
            recipient: String::new(),
            key: KeyUse {
                kind: "custodial".to_owned(),
                threshold: None,
                shares: Vec::new(),
            },
            deadline: String::new(),
            opened_at: String::new(),
            bids_min: 1,
            bids: 1,
            outcome: Outcome::Opened,
            opened: vec![OpenedBid {
                bid_id: BidId::mint(now),
                supplier_id: BIDDER.parse().unwrap(),
                supplier_zh: "甲".to_owned(),
                supplier_en: "A".to_owned(),
                version: 1,
                sha256: hex::encode(hash(&sealed)),
                total: document.total,
                file_key: key.to_hex(),
                is_public: is_public(&document),
                findings: Vec::new(),
            }],
            unopenable: Vec::new(),
            still_sealed: Vec::new(),
        };
        (record, sealed)
    }

    #[test]
    fn a_record_holds_for_the_bytes_that_it_is_about_and_a_changed_one_does_not() {
        let (record, sealed) = recorded();
        let good = record.opened[0].clone();
        assert_eq!(check(&record, &good, &sealed), Ok(()));
        assert!(good.is_public);
        let fault = |bid: OpenedBid| check(&record, &bid, &sealed).unwrap_err();
        let total = Money::from_fen(49_999).unwrap();
        assert!(
            fault(OpenedBid {
                total,
                ..good.clone()
            })
            .contains("price")
        );
        let other = OpenedBid {
            file_key: "0".repeat(32),
            ..good.clone()
        };
        assert!(fault(other).contains("does not open"));
        let supplier_id = "org_01jd3n8f5teqkrzvq1c0m6h2ay".parse().unwrap();
        assert!(
            fault(OpenedBid {
                supplier_id,
                ..good.clone()
            })
            .contains("another bidder")
        );
        assert!(
            check(&record, &good, b"x")
                .unwrap_err()
                .contains("not those of the record")
        );
        let written = record.written().unwrap();
        assert_eq!(serde_json::from_str::<OpeningRecord>(&written).unwrap(), record);
    }

    #[test]
    fn what_is_decisive_puts_a_bid_out_and_a_name_alone_makes_nobody_of_one_hand() {
        let item = |code| Item {
            pointer: "/supplier_id".to_owned(),
            code,
            detail: Text::fixed("甲", "A"),
            rule: None,
            citations: Vec::new(),
        };
        for code in DECISIVE {
            assert!(Finding::of(item(code), true).is_decisive, "{code}");
        }
        assert!(!Finding::of(item("same_control"), false).is_decisive);
        assert!(!Finding::of(item("qualification_unproven"), true).is_decisive);
        assert!(
            !Finding::of(item("recusal"), true).is_decisive && !Finding::does_not_answer(&[]).is_decisive
        );
    }

    proptest! {
        #[test]
        fn whatever_is_sealed_becomes_a_bid_or_a_reason(content in proptest::collection::vec(any::<u8>(), 0..300), cut in 0..400_usize, with in "[\\PC]{0,20}") {
            prop_assert_eq!(says(&content), Attempt::Unopenable("not_a_bid"));
            // Something that was a bid before somebody wrote in it.
            let text = bid().to_string();
            let cut = cut.min(text.len());
            let changed = format!("{}{with}{}", text.get(..cut).unwrap_or_default(), text.get(cut..).unwrap_or_default());
            if let Attempt::Opened(opened) = says(changed.as_bytes()) {
                prop_assert_eq!(opened.0.lot_id.as_str(), LOT);
            }
        }
    }
}
