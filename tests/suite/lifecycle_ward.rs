//! The ward of the lifecycle before anything is bought: its areas, organisations and people, the residents' roll, the pool of experts, and the money.

use serde_json::{Value, json};
use wardbook::app::demo_cast::{Body, PUBLIC_BODIES, SUPPLIERS};

use crate::lifecycle_books::BOOKS;
use crate::lifecycle_story::{Story, text, yuan};

/// Areas by their codes.
const AREAS: [(&str, &str, &str); 8] = [
    ("9901", "凤城市", "Fengcheng City"),
    ("990101", "凤鸣区", "Fengming District"),
    ("990101001", "梧桐街道", "Wutong Street"),
    ("990101001001", "桂园社区", "Guiyuan Community"),
    ("990101001002", "槐荫社区", "Huaiyin Community"),
    ("990101001003", "柳堤社区", "Liudi Community"),
    ("990101001004", "枫林社区", "Fenglin Community"),
    ("990101001005", "竹溪社区", "Zhuxi Community"),
];

/// Public bodies, and who works there in which role beside whoever administers it.
const BODIES: [(&str, &[(&str, &str)]); 4] = [
    ("bureau", &[("regulator", "regulator")]),
    ("audit", &[("auditor", "auditor")]),
    (
        "street",
        &[
            ("street.officer", "buyer_officer"),
            ("street.reviewer", "buyer_officer"),
            ("street.approver", "buyer_approver"),
            ("street.finance", "finance_officer"),
            ("street.finance2", "finance_officer"),
            ("street.finance3", "finance_officer"),
        ],
    ),
    (
        "guiyuan",
        &[
            ("guiyuan.officer", "buyer_officer"),
            ("guiyuan.reviewer", "buyer_officer"),
            ("guiyuan.approver", "buyer_approver"),
            ("guiyuan.finance", "finance_officer"),
            ("guiyuan.finance2", "finance_officer"),
            ("guiyuan.finance3", "finance_officer"),
            ("registrar", "registrar"),
        ],
    ),
];

/// Those who may sit on a panel: one more than sit.
pub const EXPERTS: [&str; 6] = ["expert1", "expert2", "expert3", "expert4", "expert5", "expert6"];
/// Residents of Guiyuan who are of age.
pub const RESIDENTS: usize = 200;

/// Sets the ward up.
pub fn set_up(story: &Story<'_>) {
    for (code, zh, en) in AREAS {
        let parent = AREAS
            .iter()
            .rev()
            .find(|(one, ..)| code.len() > one.len() && code.starts_with(one));
        let parent = parent.map(|(one, ..)| story.id(one));
        let body = json!({"parent_id": parent, "code": code, "name_zh": zh, "name_en": en});
        story.call(code, &story.does("admin", "/areas", &body));
    }
    people(story);
    license(story);
    roll(story);
    for expert in EXPERTS {
        let categories = ["greening", "property", "sanitation", "security"];
        let body = json!({"account_id": story.id(expert), "categories": categories, "employers": []});
        story.does("regulator", "/panel-experts", &body);
    }
    money(story);
}

/// One administrator enters organisations and another verifies them; each has an administrator of its own, who invites those who work there.
fn people(story: &Story<'_>) {
    story.invite("admin", &[("admin2", "admin")], None);
    story.invite("admin", &EXPERTS.map(|expert| (expert, "evaluator")), None);
    story.come(&["admin2"]);
    story.come(&EXPERTS);
    let bodies: Vec<&Body> = BODIES
        .iter()
        .map(|(key, _)| of_key(&PUBLIC_BODIES, key))
        .collect();
    let all = || bodies.iter().copied().chain(&SUPPLIERS);
    for body in all() {
        enter(story, body);
        story.invite(
            "admin",
            &[(&chief(body.key), "organisation_admin")],
            Some(body.key),
        );
    }
    for body in all() {
        story.come(&[&chief(body.key)]);
    }
    for (key, staff) in BODIES {
        story.invite(&chief(key), staff, Some(key));
    }
    for supplier in &SUPPLIERS {
        let agent = [(supplier.key, "supplier_agent")];
        // An agent is called as the supplier is; the supplier's id is kept aside.
        let id = story.id(supplier.key);
        story.invite(&chief(supplier.key), &agent, Some(supplier.key));
        story.call(&of(supplier.key), &json!({"id": id}));
    }
    for (name, _) in BODIES.iter().flat_map(|(_, staff)| staff.iter()) {
        story.come(&[name]);
    }
    for supplier in &SUPPLIERS {
        story.come(&[supplier.key]);
    }
}

/// Guards need a licence: claimed by whoever administers the supplier, verified by the regulator.
fn license(story: &Story<'_>) {
    let guards = BOOKS.iter().filter(|book| book.category == "security");
    for bid in guards.flat_map(|book| book.bids) {
        let path = format!("/organisations/{}/qualifications", story.id(&of(bid.by)));
        let licence = json!({"kind": "security_service", "issuer": "凤城市公安局", "number": bid.by, "valid_from": "2025-07-01", "valid_to": "2028-06-30"});
        let claimed = text(&story.does(&chief(bid.by), &path, &licence), "id");
        let evidence = json!({"evidence": "许可证原件"});
        story.does("regulator", &format!("{path}/{claimed}/verification"), &evidence);
    }
}

/// Who administers an organisation.
pub fn chief(key: &str) -> String {
    format!("{key}.chief")
}

/// What the organisation of a supplier is called, whose agent has its name.
pub fn of(supplier: &str) -> String {
    format!("organisation {supplier}")
}

fn of_key<'b>(bodies: &'b [Body], key: &str) -> &'b Body {
    bodies.iter().find(|body| body.key == key).unwrap()
}

/// The supplier of a name.
pub fn supplier(key: &str) -> &'static Body {
    of_key(&SUPPLIERS, key)
}

fn enter(story: &Story<'_>, body: &Body) {
    let size = body.size.map(|figures| {
        let amount = |yuan: i64| json!({"amount": format!("{yuan}.00"), "currency": "CNY"});
        json!({"industry": figures.industry, "employees": figures.employees, "revenue": amount(figures.revenue_yuan), "assets": figures.assets_yuan.map(amount)})
    });
    let entered = json!({
        "kind": body.kind, "name_zh": body.name_zh, "name_en": body.name_en, "credit_code": body.credit_code, "area_id": story.id(body.area),
        "legal_representative": body.in_charge, "contact_name": "石坚", "phone": "0990-5550301", "mail": "office@people.example", "address": "梧桐街道", "member_count": (body.kind.name() == "residents_group").then_some(12), "size": size
    });
    let id = story.call(body.key, &story.does("admin", "/organisations", &entered));
    story.does(
        "admin2",
        &format!("/organisations/{id}/verification"),
        &json!({"evidence": "登记证书原件"}),
    );
}

/// The registrar of Guiyuan reads in the table of its residents; the first sixty represent the others.
fn roll(story: &Story<'_>) {
    let mut table = "户号,姓名,出生日期,面积,业主\n".to_owned();
    for number in 1..=RESIDENTS {
        table.push_str(&format!(
            "1-1-{number},居民{number},1970-03-{:02},60.00,是\n",
            number % 28 + 1
        ));
    }
    let path = format!("/areas/{}/residents/import", story.id("990101001001"));
    let trial = story.sends(
        "registrar",
        &format!("{path}?dry_run=true"),
        "text/csv",
        table.as_bytes(),
    );
    let preview = text(&trial, "preview");
    let done = story.sends(
        "registrar",
        &format!("{path}?preview={preview}"),
        "text/csv",
        table.as_bytes(),
    );
    assert_eq!(done["entered"], RESIDENTS, "{done}");
}

/// The ids of residents of Guiyuan.
pub fn residents(story: &Story<'_>, count: usize) -> Vec<String> {
    let path = format!("/areas/{}/residents", story.id("990101001001"));
    let page = story.sees("registrar", &format!("{path}?limit=200"));
    let items = page["items"].as_array().unwrap().iter();
    items.take(count).map(|resident| text(resident, "id")).collect()
}

/// The fund of the street with a line for each book; the duty of the fifth goes to the community together with the money for it.
fn money(story: &Story<'_>) {
    let fund = json!({"code": "WT-FW", "kind": "special_fund", "organisation_id": story.id("street"), "name_zh": "公共服务专项",
        "name_en": "Public services", "basis": "凤财预〔2026〕3号"});
    let fund = story.call("fund", &story.does("street.finance", "/funds", &fund));
    moves(story, &fund, "appropriation", None, "5000000.00");
    for book in &BOOKS {
        let is_delegated = book.buyer != "street";
        let code = if is_delegated { "SAN-02" } else { book.line };
        line(story, (2026, code), book.category, "street");
        moves(story, &fund, "allocation", Some(code), book.budget);
        if is_delegated {
            line(story, (2026, book.line), book.category, book.buyer);
            let duty = json!({"from_organisation_id": story.id("street"), "to_organisation_id": story.id(book.buyer), "scope_zh": "公厕绿地自管",
                "scope_en": "Toilets and greens", "document_number": "梧街发〔2026〕1号", "document_date": "2026-03-01", "amount": yuan(book.budget),
                "from_line_id": story.id(code), "to_line_id": story.id(book.line)});
            let duty = text(&story.does("street.officer", "/delegations", &duty), "id");
            story.just_does("street.approver", &format!("/delegations/{duty}/commencement"));
        }
    }
}

/// Makes a budget line of the street's fund in a fiscal year.
pub fn line(story: &Story<'_>, (year, code): (u32, &str), category: &str, organisation: &str) {
    let fund = story.id("fund");
    let body = json!({"fiscal_year": year, "code": code, "organisation_id": story.id(organisation), "category": category,
        "purpose_zh": "公共服务", "purpose_en": "Public services"});
    let made = story.does("street.finance", &format!("/funds/{fund}/budget-lines"), &body);
    story.call(code, &made);
}

/// One finance officer proposes, the other confirms.
fn moves(story: &Story<'_>, fund: &str, kind: &str, to: Option<&str>, amount: &str) {
    let mut body = json!({"kind": kind, "fiscal_year": 2026, "amount": yuan(amount), "reason": "年初安排"});
    match to {
        Some(line) => body["to_line_id"] = json!(story.id(line)),
        None => body["document"] = json!("凤财预〔2026〕3号"),
    }
    let path = format!("/funds/{fund}/budget-movements");
    let made: Value = story.does("street.finance", &path, &body);
    story.just_does(
        "street.finance2",
        &format!("{path}/{}/confirmation", text(&made, "id")),
    );
}
