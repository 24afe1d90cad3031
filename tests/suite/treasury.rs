//! A department with money, for the tests: people who propose and people who confirm, a fund, and lines of it.

use serde_json::{Value, json};
use wardbook::kernel::party::{OrganisationId, OrganisationKind};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::cast::{Person, organisation, person};
use crate::harness::{Reply, Ward};
use crate::organisations::sql;

/// The category of services that the tests' lines are of.
pub const CATEGORY: &str = "testing";

/// An amount in the API's form.
pub fn yuan(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

/// Somebody in a role of an organisation.
pub fn of(ward: &Ward, role: Role, organisation: &OrganisationId) -> Person {
    person(ward, &[Grant::of(role).in_organisation(organisation.clone())])
}

/// A POST, with a body or without.
pub fn posts(ward: &Ward, who: &Person, path: &str, body: Option<&Value>) -> Reply {
    let ask = who
        .asks(ward, "POST", &format!("/api/v1{path}"))
        .header("if-match", "*");
    match body {
        Some(body) => ask.json(body).send(),
        None => ask.send(),
    }
}

/// A GET.
pub fn gets(ward: &Ward, who: &Person, path: &str) -> Reply {
    who.asks(ward, "GET", &format!("/api/v1{path}")).send()
}

/// The id of what was made.
pub fn made(reply: &Reply) -> String {
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json()["id"].as_str().unwrap().to_owned()
}

/// A department with a fund.
pub struct Treasury {
    /// The department.
    pub department: OrganisationId,
    /// Proposes.
    pub anna: Person,
    /// Confirms.
    pub boris: Person,
    /// The fund.
    pub fund: String,
}

impl Treasury {
    /// A department and its fund, of which nothing is appropriated.
    pub fn new(ward: &Ward) -> Self {
        let department = organisation(ward, OrganisationKind::Department, None);
        let (anna, boris) = (
            of(ward, Role::FinanceOfficer, &department),
            of(ward, Role::BuyerApprover, &department),
        );
        let category = format!(
            "INSERT INTO service_categories (code, name_zh, name_en, state, version, created_at, updated_at) \
             VALUES ('{CATEGORY}', '试', 'Testing', 'active', 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
        );
        sql(ward, &category).unwrap();
        let body = json!({"code": "WT-FW", "kind": "special_fund", "organisation_id": department, "name_zh": "社区服务专项",
            "name_en": "Community services", "basis": "凤财预〔2026〕3号"});
        let fund = made(&posts(ward, &anna, "/funds", Some(&body)));
        Self {
            department,
            anna,
            boris,
            fund,
        }
    }

    /// The same with an appropriation for 2026.
    pub fn with(ward: &Ward, amount: &str) -> Self {
        let treasury = Self::new(ward);
        let body = json!({"kind": "appropriation", "fiscal_year": 2026, "amount": yuan(amount), "document": "凤财预〔2026〕3号", "reason": "年初安排"});
        treasury.moves(ward, &body);
        treasury
    }

    /// Proposes a movement.
    pub fn proposes(&self, ward: &Ward, body: &Value) -> Reply {
        posts(
            ward,
            &self.anna,
            &format!("/funds/{}/budget-movements", self.fund),
            Some(body),
        )
    }

    /// Confirms one.
    pub fn confirms(&self, ward: &Ward, movement: &str) -> Reply {
        let path = format!("/funds/{}/budget-movements/{movement}/confirmation", self.fund);
        posts(ward, &self.boris, &path, None)
    }

    /// Proposes a movement and confirms it.
    pub fn moves(&self, ward: &Ward, body: &Value) -> String {
        let id = made(&self.proposes(ward, body));
        let confirmed = self.confirms(ward, &id);
        assert_eq!(confirmed.status, 200, "{}", confirmed.text);
        id
    }

    /// A line of the fund for an organisation.
    pub fn line(&self, ward: &Ward, code: &str, year: i64, organisation: &OrganisationId) -> String {
        let body = json!({"fiscal_year": year, "code": code, "organisation_id": organisation, "category": CATEGORY,
            "purpose_zh": "试", "purpose_en": "Testing"});
        made(&posts(
            ward,
            &self.anna,
            &format!("/funds/{}/budget-lines", self.fund),
            Some(&body),
        ))
    }

    /// A line of the department for 2026 with money in it.
    pub fn filled(&self, ward: &Ward, code: &str, amount: &str) -> String {
        let line = self.line(ward, code, 2026, &self.department);
        let body = json!({"kind": "allocation", "fiscal_year": 2026, "to_line_id": line, "amount": yuan(amount), "reason": "年初安排"});
        self.moves(ward, &body);
        line
    }

    /// How a line stands: its balances by code.
    pub fn balances(&self, ward: &Ward, line: &str) -> Value {
        let reply = gets(ward, &self.anna, &format!("/budget-lines/{line}"));
        assert_eq!(reply.status, 200, "{}", reply.text);
        let mut balances = reply.json()["balances"].take();
        for balance in balances.as_object_mut().unwrap().values_mut() {
            *balance = balance["amount"].take();
        }
        balances
    }
}
