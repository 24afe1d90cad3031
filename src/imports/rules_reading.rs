//! Reads what tables hold of a process from its merged release. What joins nothing is told, and joined where there is one way to do it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Utc};
use sha2::{Digest, Sha256};

use crate::imports::rules_findings::Code;
use crate::imports::rules_process::{Award, Contract, Party, Process, Reference, Transaction, Value};
use crate::imports::rules_repairs::Findings;
use crate::imports::rules_values::amount_of_number;
use crate::kernel::clock::Instant;
use crate::publish::rules_json::{Json, Object};

/// Characters of an id in tables.
pub const ID_LENGTH_MAX: usize = 200;
/// Characters of a name in tables.
pub const NAME_LENGTH_MAX: usize = 300;
/// Characters of a title in tables.
pub const TITLE_LENGTH_MAX: usize = 500;
/// Characters of a code: a status, a method.
const CODE_LENGTH_MAX: usize = 60;

/// The texts of a member that is an array.
pub(super) fn texts<'o>(object: &'o Object, name: &str) -> impl Iterator<Item = &'o str> {
    let values = object.get(name).and_then(Json::as_array).unwrap_or_default();
    values.iter().filter_map(Json::as_text)
}

fn inner<'o>(object: &'o Object, names: &[&str]) -> Option<&'o Object> {
    names
        .iter()
        .try_fold(object, |object, name| object.get(name).and_then(Json::as_object))
}

fn at(object: Option<&Object>, name: &str) -> Option<Instant> {
    let text = object?.text(name)?;
    let read = DateTime::parse_from_rfc3339(text).ok()?;
    Some(read.with_timezone(&Utc))
}

/// A text without what neither a table nor a terminal can hold.
fn plain(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    shown.collect::<String>().trim().to_owned()
}

/// An id that fits into a table; a longer one keeps its beginning and is told apart by its hash.
pub fn short_id(text: &str) -> String {
    let id = plain(text);
    if id.chars().count() <= ID_LENGTH_MAX {
        return id;
    }
    let hash = hex::encode(Sha256::digest(text.as_bytes()));
    let beginning: String = id.chars().take(ID_LENGTH_MAX - 20).collect();
    format!("{beginning}…{}", hash.get(..16).unwrap_or_default())
}

/// Reads what tables hold of a merged release.
pub fn read(ocid: &str, merged: &Object, findings: &mut Findings) -> Process {
    let mut reader = Reader {
        currency: only_currency(merged),
        parties: BTreeMap::new(),
        names: BTreeMap::new(),
        order: Vec::new(),
        findings,
    };
    reader.take_parties(merged);
    let tender = inner(merged, &["tender"]);
    let buyer = merged.get("buyer").and_then(Json::as_object);
    let (buyer, place) = match buyer {
        Some(buyer) => (Some(buyer), "/buyer"),
        None => (
            tender.and_then(|tender| inner(tender, &["procuringEntity"])),
            "/tender/procuringEntity",
        ),
    };
    let buyer = buyer.and_then(|buyer| reader.reference(buyer, "buyer", place));
    let buyer = buyer.or_else(|| reader.with_role(&["buyer", "procuringEntity"]));
    let awards = reader.awards(merged);
    let (contracts, transactions) = reader.contracts(merged, &awards);
    let period = tender.and_then(|tender| inner(tender, &["tenderPeriod"]));
    let title = [
        tender.and_then(|tender| tender.text("title")),
        tender.and_then(|tender| tender.text("description")),
        awards.first().map(|award| award.title.as_str()),
        contracts.first().map(|contract| contract.title.as_str()),
    ];
    let title = title.into_iter().flatten().find(|title| !title.trim().is_empty());
    let title = reader.cut(title.unwrap_or_default(), TITLE_LENGTH_MAX, "/tender/title");
    let year = [
        awards.iter().filter_map(|award| award.at).min(),
        contracts.iter().filter_map(|contract| contract.signed_at).min(),
        at(period, "startDate"),
        at(Some(merged), "date"),
    ];
    Process {
        ocid: ocid.to_owned(),
        title,
        buyer,
        method: code(tender, "procurementMethod"),
        category: code(tender, "mainProcurementCategory"),
        classification: classification(merged),
        area: area(merged),
        status: code(tender, "status"),
        value: tender.map_or_else(Value::default, |tender| reader.value(tender, "/tender")),
        tender_starts_at: at(period, "startDate"),
        tender_ends_at: at(period, "endDate"),
        tenderers: tender.and_then(tenderers),
        year: year.into_iter().flatten().next().map(|at| i64::from(at.year())),
        parties: reader.listed(),
        awards,
        contracts,
        transactions,
    }
}

fn code(of: Option<&Object>, name: &str) -> Option<String> {
    let text = plain(of?.text(name)?);
    (!text.is_empty()).then(|| text.chars().take(CODE_LENGTH_MAX).collect())
}

fn tenderers(tender: &Object) -> Option<i64> {
    if let Some(Json::Number(count)) = tender.get("numberOfTenderers") {
        return count.parse().ok().filter(|count| (0..=1_000_000).contains(count));
    }
    let count = tender.objects("tenderers").count();
    (count > 0).then(|| i64::try_from(count).ok()).flatten()
}

/// The code of the area of the first item of a tender or contract that has one.
fn area(merged: &Object) -> Option<String> {
    let tender = inner(merged, &["tender"]);
    let items = tender
        .into_iter()
        .chain(merged.objects("contracts"))
        .flat_map(|of| of.objects("items"));
    let mut codes = items.filter_map(|item| {
        let gazetteer = inner(item, &["deliveryLocation", "gazetteer"])?;
        let code = plain(texts(gazetteer, "identifiers").next()?);
        (!code.is_empty()).then(|| code.chars().take(CODE_LENGTH_MAX).collect())
    });
    codes.next()
}

/// The class of the first item that has one.
fn classification(merged: &Object) -> Option<String> {
    let tender = inner(merged, &["tender"]);
    let items = tender
        .into_iter()
        .chain(merged.objects("awards"))
        .chain(merged.objects("contracts"));
    let classes = items
        .flat_map(|of| of.objects("items"))
        .filter_map(|item| inner(item, &["classification"]));
    let mut named = classes.filter_map(|class| {
        let id = plain(class.text("id")?);
        let scheme = class.text("scheme").map(plain).unwrap_or_default();
        let whole = if scheme.is_empty() {
            id.clone()
        } else {
            format!("{scheme}-{id}")
        };
        (!id.is_empty()).then(|| whole.chars().take(CODE_LENGTH_MAX).collect())
    });
    named.next()
}

/// The one currency of a process, if it has one only.
fn only_currency(merged: &Object) -> Option<String> {
    let mut known = BTreeSet::new();
    gather_currencies(merged, &mut known);
    let only = known.len() == 1;
    known.into_iter().next().filter(|_| only)
}

fn gather_currencies(of: &Object, known: &mut BTreeSet<String>) {
    for (name, value) in of.members() {
        match value {
            Json::Text(text) if name == "currency" => {
                known.insert(text.clone());
            }
            Json::Object(of) => gather_currencies(of, known),
            Json::Array(values) => {
                for of in values.iter().filter_map(Json::as_object) {
                    gather_currencies(of, known);
                }
            }
            _ => {}
        }
    }
}

struct Reader<'f> {
    currency: Option<String>,
    parties: BTreeMap<String, Party>,
    /// Ids by names.
    names: BTreeMap<String, String>,
    order: Vec<String>,
    findings: &'f mut Findings,
}

/// What a name is compared by.
fn folded(name: &str) -> String {
    let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

fn name_of(organisation: &Object) -> Option<&str> {
    let identifier = inner(organisation, &["identifier"]);
    let names = [
        organisation.text("name"),
        organisation.text("legalName"),
        identifier.and_then(|identifier| identifier.text("legalName")),
    ];
    names.into_iter().flatten().find(|name| !name.trim().is_empty())
}

/// The id in a register: `scheme-id`.
fn identifier_of(organisation: &Object) -> Option<String> {
    let identifier = inner(organisation, &["identifier"])?;
    let id = short_id(identifier.text("id")?);
    Some(match identifier.text("scheme") {
        Some(scheme) if !id.is_empty() => short_id(&format!("{}-{id}", plain(scheme))),
        _ => id,
    })
    .filter(|id| !id.is_empty())
}

impl Reader<'_> {
    fn cut(&mut self, text: &str, max: usize, pointer: &str) -> String {
        let text = plain(text);
        if text.chars().count() <= max {
            return text;
        }
        let cut: String = text.chars().take(max).collect();
        self.findings.add(Code::TextCut, pointer, &text, "");
        cut
    }

    fn take_parties(&mut self, merged: &Object) {
        for (at, party) in merged.objects("parties").enumerate() {
            let pointer = format!("/parties/{at}");
            let identifier = identifier_of(party);
            let name = self.cut(name_of(party).unwrap_or_default(), NAME_LENGTH_MAX, &pointer);
            let id = match party.text("id").map(short_id).filter(|id| !id.is_empty()) {
                Some(id) => id,
                None => {
                    let made = identifier.clone().unwrap_or_else(|| short_id(&name));
                    self.findings.add(Code::IdMissing, &pointer, "", &made);
                    made
                }
            };
            if id.is_empty() || self.parties.contains_key(&id) {
                continue;
            }
            let roles: BTreeSet<&str> = texts(party, "roles").collect();
            let roles: Vec<String> = roles.into_iter().map(plain).collect();
            self.add(Party {
                id,
                name,
                roles: roles.join(" ").chars().take(TITLE_LENGTH_MAX).collect(),
                identifier,
            });
        }
    }

    fn add(&mut self, party: Party) {
        if !party.name.is_empty() {
            self.names
                .entry(folded(&party.name))
                .or_insert_with(|| party.id.clone());
        }
        self.order.push(party.id.clone());
        self.parties.insert(party.id.clone(), party);
    }

    /// Whom a reference means: the party of its id, else the one of its name; whom nobody described is added.
    fn reference(&mut self, organisation: &Object, role: &str, pointer: &str) -> Option<Reference> {
        let said = organisation.text("id").map(short_id).filter(|id| !id.is_empty());
        let name = self.cut(
            name_of(organisation).unwrap_or_default(),
            NAME_LENGTH_MAX,
            pointer,
        );
        if let Some(party) = said.as_ref().and_then(|id| self.parties.get(id)) {
            let known = if party.name.is_empty() {
                name
            } else {
                party.name.clone()
            };
            return Some(Reference {
                id: party.id.clone(),
                name: known,
            });
        }
        let identifier = identifier_of(organisation);
        let by_register = identifier.as_ref().and_then(|wanted| {
            let mut found = self.parties.values();
            found.find(|party| party.identifier.as_ref() == Some(wanted) || party.id == *wanted)
        });
        if let Some(party) = by_register {
            return Some(Reference {
                id: party.id.clone(),
                name: party.name.clone(),
            });
        }
        if let Some(id) = self.names.get(&folded(&name)).filter(|_| !name.is_empty()) {
            let id = id.clone();
            if let Some(said) = &said {
                self.findings.add(Code::PartyByName, pointer, said, &id);
            }
            return Some(Reference { id, name });
        }
        let id = said
            .or_else(|| identifier.clone())
            .unwrap_or_else(|| short_id(&name));
        if id.is_empty() {
            return None;
        }
        self.findings.add(Code::PartyMissing, pointer, &id, &name);
        self.add(Party {
            id: id.clone(),
            name: name.clone(),
            roles: role.to_owned(),
            identifier,
        });
        Some(Reference { id, name })
    }

    fn with_role(&self, roles: &[&str]) -> Option<Reference> {
        let mut parties = self.order.iter().filter_map(|id| self.parties.get(id));
        let found = parties.find(|party| party.roles.split(' ').any(|role| roles.contains(&role)))?;
        Some(Reference {
            id: found.id.clone(),
            name: found.name.clone(),
        })
    }

    fn listed(&self) -> Vec<Party> {
        self.order
            .iter()
            .filter_map(|id| self.parties.get(id).cloned())
            .collect()
    }

    /// The value that something has, its currency inferred where there is one way to.
    fn value(&mut self, of: &Object, pointer: &str) -> Value {
        let Some(value) = inner(of, &["value"]) else {
            return Value::default();
        };
        self.money(value, &format!("{pointer}/value"))
    }

    fn money(&mut self, value: &Object, pointer: &str) -> Value {
        let Some(Json::Number(text)) = value.get("amount") else {
            return Value::default();
        };
        let hundredths = amount_of_number(text).ok().map(|amount| amount.hundredths);
        let said = value.text("currency").map(str::to_owned);
        let currency = match (said, self.currency.clone()) {
            (Some(said), _) => Some(said),
            (None, Some(only)) => {
                self.findings.add(Code::CurrencyMissing, pointer, "", &only);
                Some(only)
            }
            (None, None) => {
                self.findings.add(Code::CurrencyUnknown, pointer, text, "");
                None
            }
        };
        Value { hundredths, currency }
    }

    /// The id of an object of an array, or its place.
    fn id(&mut self, of: &Object, at: usize, pointer: &str, taken: &mut BTreeSet<String>) -> String {
        let id = match of.text("id").map(short_id).filter(|id| !id.is_empty()) {
            Some(id) => id,
            None => {
                let made = format!("#{}", at.saturating_add(1));
                self.findings.add(Code::IdMissing, pointer, "", &made);
                made
            }
        };
        let mut own = id.clone();
        let mut n = 2_u32;
        while !taken.insert(own.clone()) {
            own = format!("{id}#{n}");
            n = n.saturating_add(1);
        }
        own
    }

    fn references(&mut self, of: &Object, name: &str, pointer: &str) -> Vec<Reference> {
        let mut found: Vec<Reference> = Vec::new();
        for (at, one) in of.objects(name).enumerate() {
            let one = self.reference(one, "supplier", &format!("{pointer}/{name}/{at}"));
            found.extend(one.filter(|one| !found.iter().any(|known| known.id == one.id)));
        }
        found
    }

    fn awards(&mut self, merged: &Object) -> Vec<Award> {
        let mut taken = BTreeSet::new();
        let mut awards = Vec::new();
        for (place, award) in merged.objects("awards").enumerate() {
            let pointer = format!("/awards/{place}");
            let title = award
                .text("title")
                .or_else(|| award.text("description"))
                .unwrap_or_default();
            awards.push(Award {
                id: self.id(award, place, &pointer, &mut taken),
                title: self.cut(title, TITLE_LENGTH_MAX, &pointer),
                status: code(Some(award), "status"),
                at: at(Some(award), "date"),
                value: self.value(award, &pointer),
                suppliers: self.references(award, "suppliers", &pointer),
            });
        }
        awards
    }

    fn contracts(&mut self, merged: &Object, awards: &[Award]) -> (Vec<Contract>, Vec<Transaction>) {
        let mut taken = BTreeSet::new();
        let (mut contracts, mut transactions) = (Vec::new(), Vec::new());
        for (place, contract) in merged.objects("contracts").enumerate() {
            let pointer = format!("/contracts/{place}");
            let id = self.id(contract, place, &pointer, &mut taken);
            let award = self.award_of(contract, awards, &pointer);
            let mut suppliers = self.references(contract, "suppliers", &pointer);
            if suppliers.is_empty() {
                suppliers = award.map(|award| award.suppliers.clone()).unwrap_or_default();
            }
            let period = inner(contract, &["period"]);
            let title = contract
                .text("title")
                .or_else(|| contract.text("description"))
                .unwrap_or_default();
            let paid = self.transactions(contract, &id, &pointer);
            transactions.extend(paid);
            contracts.push(Contract {
                award_id: award.map(|award| award.id.clone()),
                title: self.cut(title, TITLE_LENGTH_MAX, &pointer),
                status: code(Some(contract), "status"),
                signed_at: at(Some(contract), "dateSigned"),
                starts_at: at(period, "startDate"),
                ends_at: at(period, "endDate"),
                value: self.value(contract, &pointer),
                suppliers,
                id,
            });
        }
        (contracts, transactions)
    }

    fn award_of<'a>(&mut self, contract: &Object, awards: &'a [Award], pointer: &str) -> Option<&'a Award> {
        let said = contract.text("awardID").map(short_id).filter(|id| !id.is_empty());
        match (said, awards) {
            (Some(said), _) => {
                let found = awards.iter().find(|award| award.id == said);
                if found.is_none() {
                    self.findings
                        .add(Code::AwardMissing, &format!("{pointer}/awardID"), &said, "");
                }
                found
            }
            (None, [only]) => {
                self.findings.add(Code::AwardInferred, pointer, "", &only.id);
                Some(only)
            }
            (None, _) => {
                self.findings.add(Code::AwardMissing, pointer, "", "");
                None
            }
        }
    }

    fn transactions(&mut self, contract: &Object, contract_id: &str, pointer: &str) -> Vec<Transaction> {
        let Some(implementation) = inner(contract, &["implementation"]) else {
            return Vec::new();
        };
        let mut taken = BTreeSet::new();
        let mut transactions = Vec::new();
        for (place, paid) in implementation.objects("transactions").enumerate() {
            let pointer = format!("{pointer}/implementation/transactions/{place}");
            let old = |reader: &mut Self, new: &str, old: &str| {
                let found = inner(paid, &[new]);
                if found.is_some() {
                    return (found.cloned(), format!("{pointer}/{new}"));
                }
                let found = inner(paid, &[old]);
                let place = format!("{pointer}/{old}");
                if found.is_some() {
                    reader.findings.add(Code::OldMember, &place, old, new);
                }
                (found.cloned(), place)
            };
            let (value, value_at) = old(self, "value", "amount");
            let (payer, payer_at) = old(self, "payer", "providerOrganization");
            let (payee, payee_at) = old(self, "payee", "receiverOrganization");
            transactions.push(Transaction {
                contract_id: contract_id.to_owned(),
                id: self.id(paid, place, &pointer, &mut taken),
                at: at(Some(paid), "date"),
                value: value.map_or_else(Value::default, |value| self.money(&value, &value_at)),
                payer: payer.and_then(|payer| self.reference(&payer, "payer", &payer_at)),
                payee: payee.and_then(|payee| self.reference(&payee, "payee", &payee_at)),
            });
        }
        transactions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::rules_merging::{Said, merged};
    use crate::imports::rules_repairs::repaired;

    fn release(text: &str) -> Said {
        let Json::Object(release) = Json::parse(text).unwrap() else {
            panic!("no object")
        };
        let release = repaired(&release, &mut Findings::default());
        Said {
            id: release.text("id").unwrap_or_default().to_owned(),
            sha256: Vec::new(),
            release,
        }
    }

    fn of(releases: &[&str]) -> (Process, Vec<String>) {
        let releases: Vec<_> = releases.iter().map(|text| release(text)).collect();
        let mut findings = Findings::default();
        let merged = merged(releases, &mut findings);
        let process = read("o", &merged, &mut findings);
        let told = findings.into_all().into_iter();
        (
            process,
            told.map(|one| format!("{} {}", one.code.name(), one.pointer))
                .collect(),
        )
    }

    #[test]
    fn releases_are_merged_and_lost_roles_put_back() {
        let (process, told) = of(&[
            r#"{"id":"2","date":"2020-02-01T00:00:00Z","parties":[{"id":"p","roles":["payer"]}],"tender":{"status":"complete"}}"#,
            r#"{"id":"1","date":"2020-01-01T00:00:00Z","parties":[{"id":"p","name":"P","roles":["buyer"]}],"tender":{"status":"active","title":"T"}}"#,
        ]);
        assert_eq!(
            (process.title.as_str(), process.status.as_deref()),
            ("T", Some("complete"))
        );
        assert_eq!(process.parties[0].roles, "buyer payer");
        assert_eq!(process.buyer.unwrap().name, "P");
        assert_eq!(told, ["roles_lost /parties/0/roles"]);
    }

    #[test]
    fn a_release_of_another_shape_is_left_out_and_told() {
        let (process, told) = of(&[
            r#"{"id":"1","date":"2020-01-01T00:00:00Z","tender":{"title":"T","own":{"a":1}}}"#,
            r#"{"id":"2","date":"2020-02-01T00:00:00Z","tender":{"title":"U","own":[{"a":1}]}}"#,
            r#"{"id":"3","date":"2020-03-01T00:00:00Z","tender":{"status":"active"}}"#,
        ]);
        assert_eq!(
            (process.title.as_str(), process.status.as_deref()),
            ("T", Some("active"))
        );
        assert_eq!(told, ["merge_conflict "]);
    }

    #[test]
    fn what_joins_nothing_is_told_and_joined_where_it_can_be() {
        let (process, told) = of(&[r#"{"id":"1","date":"2021-05-01T00:00:00Z",
            "parties":[{"id":"A","name":"甲 公司","roles":["supplier"]}],
            "buyer":{"id":"B","name":"Buyer"},
            "tender":{"value":{"amount":5,"currency":"CNY"}},
            "awards":[{"id":"1","date":"2021-04-01T00:00:00Z","suppliers":[{"id":"X","name":"甲  公司"}],"value":{"amount":4}}],
            "contracts":[{"id":"c"},{"id":"d","awardID":"9"}]}"#]);
        assert_eq!(process.year, Some(2021));
        assert_eq!(process.awards[0].suppliers[0].id, "A");
        assert_eq!(process.awards[0].value.currency.as_deref(), Some("CNY"));
        assert_eq!(process.contracts[0].award_id.as_deref(), Some("1"));
        assert_eq!(process.contracts[0].suppliers[0].id, "A");
        assert_eq!(process.contracts[1].award_id, None);
        assert_eq!(process.parties.len(), 2);
        assert_eq!(
            told,
            [
                "party_missing /buyer",
                "currency_missing /awards/0/value",
                "party_by_name /awards/0/suppliers/0",
                "award_inferred /contracts/0",
                "award_missing /contracts/1/awardID",
            ]
        );
    }

    #[test]
    fn payments_of_version_1_0_are_read() {
        let (process, told) = of(&[
            r#"{"id":"1","buyer":{"identifier":{"scheme":"MX","id":7},"name":"B"},
            "contracts":[{"id":"c","implementation":{"transactions":[
                {"id":"t","date":"2017-01-02T00:00:00Z","amount":{"amount":12.5,"currency":"MXN"},
                 "providerOrganization":{"id":"G","legalName":"GACM"},"receiverOrganization":{"name":"B"}},
                {"value":{"amount":1}}]}}]}"#,
        ]);
        let paid = &process.transactions[0];
        assert_eq!(
            (paid.value.hundredths, paid.payer.as_ref().unwrap().name.as_str()),
            (Some(1_250), "GACM")
        );
        assert_eq!(paid.payee.as_ref().unwrap().id, "MX-7");
        assert_eq!(process.transactions[1].id, "#2");
        assert_eq!(process.transactions[1].value.currency.as_deref(), Some("MXN"));
        assert!(told.contains(&"old_member /contracts/0/implementation/transactions/0/amount".to_owned()));
        assert!(told.contains(&"id_missing /contracts/0/implementation/transactions/1".to_owned()));
    }

    #[test]
    fn amounts_of_several_currencies_are_not_guessed() {
        let (process, told) = of(&[r#"{"tender":{"value":{"amount":5,"currency":"CNY"}},
            "awards":[{"id":"1","value":{"amount":4,"currency":"USD"}},{"id":"2","value":{"amount":3}}]}"#]);
        assert_eq!(
            process.awards[1].value,
            Value {
                hundredths: Some(300),
                currency: None
            }
        );
        assert_eq!(told, ["currency_unknown /awards/1/value"]);
    }

    #[test]
    fn long_ids_stay_apart() {
        let (one, other) = (short_id(&"a".repeat(300)), short_id(&"a".repeat(301)));
        assert!(one != other && one.chars().count() <= ID_LENGTH_MAX);
        assert_eq!(short_id(" a\u{0}b "), "a b");
    }
}
