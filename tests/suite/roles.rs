//! Roles are given by whom the policy says and for whom they exist; what is taken is gone at the next request; deputies have
//! a time; machines' tokens do less than their owners.

use chrono::Duration;
use serde_json::{Value, json};
use wardbook::kernel::clock::rfc3339;
use wardbook::kernel::party::{AccountId, OrganisationId, OrganisationKind};
use wardbook::people::acts_roles::{self, MakeApiToken};
use wardbook::people::rules_roles::API_TOKENS_MAX;
use wardbook::web::actor::{Actor, Grant};
use wardbook::web::policy::{Role, scopes};

use crate::cast::{Person, organisation, organisation_in_state, person, person_with};
use crate::harness::{Reply, Ward, start};
use crate::on_both;

fn in_office(role: Role, office: &OrganisationId) -> Grant {
    Grant::of(role).in_organisation(office.clone())
}

fn give(ward: &Ward, by: &Person, to: &AccountId, role: Role, office: Option<&OrganisationId>) -> Reply {
    let body = json!({ "account_id": to, "role": role, "organisation_id": office });
    by.asks(ward, "POST", "/api/v1/role-grants").json(&body).send()
}

fn take(ward: &Ward, by: &Person, grant: &str) -> Reply {
    by.asks(ward, "POST", &format!("/api/v1/role-grants/{grant}/end"))
        .send()
}

fn id(reply: &Reply) -> String {
    assert!(matches!(reply.status, 200 | 201), "{}", reply.text);
    reply.json()["id"].as_str().unwrap().to_owned()
}

fn roles_of(ward: &Ward, who: &Person) -> Vec<String> {
    let reply = who
        .asks(
            ward,
            "GET",
            &format!("/api/v1/role-grants?in_force=true&account_id={}", who.id),
        )
        .send();
    assert_eq!(reply.status, 200, "{}", reply.text);
    let items = reply.json()["items"].as_array().unwrap().clone();
    items
        .iter()
        .map(|item| item["role"].as_str().unwrap().to_owned())
        .collect()
}

fn advance(ward: &Ward, to: chrono::DateTime<chrono::Utc>) {
    let reply = ward.post("/api/v1/dev/clock", &json!({ "now": rfc3339(to) }));
    assert_eq!(reply.status, 200, "{}", reply.text);
}

fn lend(ward: &Ward, by: &Person, grant: &str, deputy: &AccountId, from: Option<i64>, until: i64) -> Reply {
    let day = |day: i64| rfc3339(start() + Duration::days(day));
    let body = json!({ "grant_id": grant, "deputy_id": deputy, "from": from.map(day), "until": day(until) });
    by.asks(ward, "POST", "/api/v1/deputations").json(&body).send()
}

on_both! {
    fn an_organisations_administrator_gives_its_roles_and_no_others(ward) {
        let office = organisation(&ward, OrganisationKind::StreetOffice, None);
        let other = organisation(&ward, OrganisationKind::Department, None);
        let chief = person(&ward, &[in_office(Role::OrganisationAdmin, &office)]);
        let clerk = person(&ward, &[]);
        let given = give(&ward, &chief, &clerk.id, Role::BuyerOfficer, Some(&office));
        assert_eq!((given.status, given.json()["role"].as_str()), (201, Some("buyer_officer")), "{}", given.text);
        assert_eq!(roles_of(&ward, &clerk), ["buyer_officer"]);
        for (role, place, code) in [
            (Role::BuyerOfficer, Some(&office), "role_held"),
            (Role::BuyerOfficer, Some(&other), "forbidden"),
            (Role::BuyerOfficer, None, "forbidden"),
            (Role::Admin, None, "forbidden"),
            (Role::Auditor, Some(&office), "role_misplaced"),
            (Role::SupplierAgent, Some(&office), "role_misplaced"),
            (Role::Resident, Some(&office), "role_misplaced"),
            (Role::System, Some(&office), "role_misplaced"),
        ] {
            assert_eq!(give(&ward, &chief, &clerk.id, role, place).code(), code, "{role:?} in {place:?}");
        }
        assert_eq!(give(&ward, &chief, &chief.id, Role::BuyerApprover, Some(&office)).code(), "role_to_oneself");
        let nobody = AccountId::mint(start());
        assert_eq!(give(&ward, &chief, &nobody, Role::BuyerApprover, Some(&office)).code(), "account_unknown");
        // Whoever holds a role gives none.
        assert_eq!(give(&ward, &clerk, &chief.id, Role::BuyerApprover, Some(&office)).code(), "forbidden");
        assert_eq!(ward.events("role.given").len(), 1);
    }

    fn the_platforms_administrator_makes_administrators_and_no_officers(ward) {
        let office = organisation(&ward, OrganisationKind::StreetOffice, None);
        let raw = organisation_in_state(&ward, OrganisationKind::Company, None, "registered");
        let admin = person(&ward, &[Grant::of(Role::Admin)]);
        let anna = person(&ward, &[]);
        assert_eq!(give(&ward, &admin, &anna.id, Role::OrganisationAdmin, Some(&office)).status, 201);
        assert_eq!(give(&ward, &admin, &anna.id, Role::Evaluator, None).status, 201);
        for role in [Role::BuyerOfficer, Role::BuyerApprover, Role::FinanceOfficer, Role::OpeningWitness] {
            assert_eq!(give(&ward, &admin, &anna.id, role, Some(&office)).code(), "role_of_organisation");
        }
        assert_eq!(give(&ward, &admin, &anna.id, Role::OrganisationAdmin, Some(&raw)).code(), "organisation_not_verified");
        let unknown = OrganisationId::mint(start());
        assert_eq!(give(&ward, &admin, &anna.id, Role::OrganisationAdmin, Some(&unknown)).code(), "organisation_unknown");
        assert_eq!(give(&ward, &admin, &admin.id, Role::Evaluator, None).code(), "role_to_oneself");
    }

    fn a_registrar_is_one_of_the_communitys_own_area(ward) {
        let city = ward.area(None, "凤城市").parse().unwrap();
        let committee = organisation(&ward, OrganisationKind::Community, Some(&city));
        let chief = person(&ward, &[in_office(Role::OrganisationAdmin, &committee)]);
        let clerk = person(&ward, &[]);
        let given = give(&ward, &chief, &clerk.id, Role::Registrar, Some(&committee));
        assert_eq!(given.json()["area_id"], json!(city), "{}", given.text);
    }

    fn what_is_taken_is_gone_at_the_next_request(ward) {
        let admin = person(&ward, &[Grant::of(Role::Admin)]);
        let second = person(&ward, &[]);
        let grant = id(&give(&ward, &admin, &second.id, Role::Admin, None));
        let city = json!({ "name_zh": "凤城市", "name_en": "City" });
        assert_eq!(second.asks(&ward, "POST", "/api/v1/areas").json(&city).send().status, 201);
        let taken = take(&ward, &admin, &grant);
        assert_eq!(taken.status, 200, "{}", taken.text);
        assert!(taken.json()["ended_at"].is_string());
        let city = json!({ "name_zh": "新城市", "name_en": "New City" });
        assert_eq!(second.asks(&ward, "POST", "/api/v1/areas").json(&city).send().code(), "forbidden");
        assert_eq!(take(&ward, &admin, &grant).code(), "already_ended");
        assert_eq!(roles_of(&ward, &second), Vec::<String>::new());
        // Given again it is another grant; the one that ended stays known.
        assert_ne!(id(&give(&ward, &admin, &second.id, Role::Admin, None)), grant);
        let all = admin.asks(&ward, "GET", &format!("/api/v1/role-grants?account_id={}", second.id)).send();
        assert_eq!(all.json()["items"].as_array().unwrap().len(), 2);
    }

    fn the_last_administrator_of_the_platform_stays_one(ward) {
        let admin = person(&ward, &[Grant::of(Role::Admin)]);
        let own = admin.asks(&ward, "GET", "/api/v1/role-grants?role=admin").send().json()["items"][0]["id"].clone();
        assert_eq!(take(&ward, &admin, own.as_str().unwrap()).code(), "last_admin");
        let second = person(&ward, &[Grant::of(Role::Admin)]);
        assert_eq!(take(&ward, &second, own.as_str().unwrap()).status, 200);
    }

    fn who_holds_which_role_is_known_to_whom_it_concerns(ward) {
        let office = organisation(&ward, OrganisationKind::StreetOffice, None);
        let other = organisation(&ward, OrganisationKind::Department, None);
        let chief = person(&ward, &[in_office(Role::OrganisationAdmin, &office)]);
        let clerks: Vec<Person> = (0..3).map(|_| person(&ward, &[in_office(Role::BuyerOfficer, &office)])).collect();
        let asked = |who: &Person, query: &str| who.asks(&ward, "GET", &format!("/api/v1/role-grants{query}")).send();
        let page = asked(&chief, &format!("?organisation_id={office}&role=buyer_officer&limit=2"));
        assert_eq!(page.json()["items"].as_array().unwrap().len(), 2, "{}", page.text);
        let cursor = page.json()["next_cursor"].as_str().unwrap().to_owned();
        let rest = asked(&chief, &format!("?organisation_id={office}&role=buyer_officer&limit=2&cursor={cursor}"));
        assert_eq!(rest.json()["items"].as_array().unwrap().len(), 1);
        assert_eq!(rest.json()["next_cursor"], Value::Null);
        assert_eq!(asked(&chief, "").code(), "forbidden");
        assert_eq!(asked(&chief, &format!("?organisation_id={other}")).code(), "forbidden");
        assert_eq!(asked(&clerks[0], &format!("?organisation_id={office}")).code(), "forbidden");
        assert_eq!(asked(&clerks[0], &format!("?account_id={}", clerks[1].id)).code(), "forbidden");
        assert_eq!(asked(&clerks[0], &format!("?account_id={}", clerks[0].id)).status, 200);
        assert_eq!(ward.get(&format!("/api/v1/role-grants?organisation_id={office}")).code(), "unauthenticated");
    }

    fn the_log_tells_nobody_in_public_who_was_given_a_role(ward) {
        let office = organisation(&ward, OrganisationKind::StreetOffice, None);
        let chief = person(&ward, &[in_office(Role::OrganisationAdmin, &office)]);
        let clerk = person(&ward, &[]);
        give(&ward, &chief, &clerk.id, Role::BuyerOfficer, Some(&office));
        ward.settle();
        let public = ward.get("/api/v1/audit/events?type=role.given");
        assert!(public.text.contains(office.as_str()) && !public.text.contains(clerk.id.as_str()), "{}", public.text);
        let opened = ward.events("role.given")[0]["opened"]["content"].clone();
        assert_eq!(opened, json!(json!({ "account_id": clerk.id }).to_string()));
    }

    fn a_deputy_acts_within_the_time_and_no_longer_than_the_principal(ward) {
        let office = organisation(&ward, OrganisationKind::StreetOffice, None);
        let chief = person(&ward, &[in_office(Role::OrganisationAdmin, &office)]);
        let clerk = person(&ward, &[in_office(Role::BuyerOfficer, &office)]);
        let stranger = person(&ward, &[]);
        let grant = chief.asks(&ward, "GET", &format!("/api/v1/role-grants?account_id={}", chief.id)).send();
        let grant = grant.json()["items"][0]["id"].as_str().unwrap().to_owned();
        let tries = |code: &str| {
            assert_eq!(give(&ward, &clerk, &stranger.id, Role::OpeningWitness, Some(&office)).code(), code);
        };
        tries("forbidden");
        assert_eq!(lend(&ward, &clerk, &grant, &clerk.id, None, 5).code(), "not_found", "somebody else's role");
        assert_eq!(lend(&ward, &chief, &grant, &stranger.id, None, 5).code(), "deputy_unfit");
        assert_eq!(lend(&ward, &chief, &grant, &chief.id, None, 5).code(), "deputy_unfit");
        assert_eq!(lend(&ward, &chief, &grant, &clerk.id, Some(-1), 400).faults().len(), 2);
        let lent = lend(&ward, &chief, &grant, &clerk.id, Some(1), 3);
        assert_eq!(lent.status, 201, "{}", lent.text);
        assert_eq!(lend(&ward, &chief, &grant, &clerk.id, Some(2), 5).code(), "deputation_overlaps");
        tries("forbidden");
        advance(&ward, start() + Duration::days(1));
        assert_eq!(give(&ward, &clerk, &stranger.id, Role::OpeningWitness, Some(&office)).status, 201);
        // What was lent is not lent on: it is not one of the deputy's own grants.
        assert_eq!(lend(&ward, &clerk, &grant, &stranger.id, None, 5).code(), "not_found");
        advance(&ward, start() + Duration::days(3));
        assert_eq!(give(&ward, &clerk, &stranger.id, Role::BuyerOfficer, Some(&office)).code(), "forbidden");

        // Lent again, and the principal's own role ends.
        assert_eq!(lend(&ward, &chief, &grant, &clerk.id, None, 9).status, 201);
        assert_eq!(give(&ward, &clerk, &stranger.id, Role::BuyerOfficer, Some(&office)).status, 201);
        let admin = person(&ward, &[Grant::of(Role::Admin)]);
        assert_eq!(take(&ward, &admin, &grant).status, 200);
        assert_eq!(give(&ward, &clerk, &stranger.id, Role::BuyerApprover, Some(&office)).code(), "forbidden");
    }

    fn a_deputation_is_revoked_by_whom_it_concerns(ward) {
        let office = organisation(&ward, OrganisationKind::StreetOffice, None);
        let chief = person(&ward, &[in_office(Role::OrganisationAdmin, &office)]);
        let anna = person(&ward, &[in_office(Role::BuyerOfficer, &office)]);
        let boris = person(&ward, &[in_office(Role::FinanceOfficer, &office)]);
        let grant = anna.asks(&ward, "GET", &format!("/api/v1/role-grants?account_id={}", anna.id)).send().json()["items"][0]["id"].clone();
        let lent = id(&lend(&ward, &anna, grant.as_str().unwrap(), &boris.id, None, 9));
        let revoke = |who: &Person| who.asks(&ward, "POST", &format!("/api/v1/deputations/{lent}/revocation")).send();
        let seen = |who: &Person, query: &str| who.asks(&ward, "GET", &format!("/api/v1/deputations?{query}")).send();
        for who in [&anna, &boris] {
            let list = seen(who, &format!("account_id={}", who.id));
            assert_eq!(list.json()["items"].as_array().map(Vec::len), Some(1), "{}", list.text);
        }
        assert_eq!(seen(&chief, &format!("organisation_id={office}")).json()["items"][0]["role"], "buyer_officer");
        assert_eq!(seen(&boris, &format!("account_id={}", anna.id)).code(), "forbidden");
        // The deputy cannot revoke, and a stranger does not even learn that it is there.
        assert_eq!(revoke(&boris).code(), "not_found");
        assert_eq!(revoke(&person(&ward, &[])).code(), "not_found");
        assert_eq!(revoke(&chief).status, 200);
        assert_eq!(revoke(&anna).code(), "already_ended");
        assert_eq!(ward.events("deputy.*").len(), 2);
    }

    fn a_machines_token_is_shown_once_and_does_less_than_its_owner(ward) {
        let office = organisation(&ward, OrganisationKind::StreetOffice, None);
        let chief = person(&ward, &[in_office(Role::OrganisationAdmin, &office)]);
        let in_session = Actor::in_session(chief.id.to_string(), "session_1".to_owned(), Vec::new());
        let make = |scopes: &[&str], by: &Actor| {
            let (by, scopes) = (by.clone(), scopes.iter().map(|scope| (*scope).to_owned()).collect());
            let command = MakeApiToken { name: "export".to_owned(), scopes, expires_at: start() + Duration::days(30) };
            ward.context().db.write_and_wait(move |tx| acts_roles::make_api_token(tx, &by, &command))
        };
        let (token, secret) = make(&["people.read"], &in_session).unwrap();
        let reader = Person { id: chief.id.clone(), token: secret.to_string() };
        let asked = |who: &Person| who.asks(&ward, "GET", &format!("/api/v1/role-grants?organisation_id={office}")).send();
        assert_eq!(asked(&reader).status, 200);
        assert_eq!(give(&ward, &reader, &chief.id, Role::BuyerOfficer, Some(&office)).code(), "scope_missing");
        // Tokens make no tokens, whatever their scopes.
        let body = json!({ "name": "another", "scopes": ["people.read"], "expires_at": rfc3339(start() + Duration::days(1)) });
        for who in [&reader, &chief] {
            assert_eq!(who.asks(&ward, "POST", "/api/v1/me/api-tokens").json(&body).send().code(), "scope_missing");
        }
        assert_eq!(ward.ask("POST", "/api/v1/me/api-tokens").by(Role::Auditor).json(&body).send().code(), "session_needed");
        // Nothing that could be used is kept.
        let own = ward.context().db.read_and_wait(|conn| {
            wardbook::people::store_api_tokens::of_account(conn, reader.id.as_str(), None, 10)
        }).unwrap();
        assert_eq!(own.len(), 2);
        let file = std::fs::read(ward.dir.path().join("wardbook.db")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&file).contains(secret.as_str()));

        let revoked = ward.context().db.write_and_wait({
            let (by, id) = (in_session.clone(), token.id.clone());
            move |tx| acts_roles::revoke_api_token(tx, &by, &id)
        });
        assert!(revoked.unwrap().revoked_at.is_some());
        assert_eq!(asked(&reader).code(), "invalid_token");
        for _ in 1..API_TOKENS_MAX {
            make(&["people.read"], &in_session).unwrap();
        }
        assert!(make(&["people.read"], &in_session).unwrap_err().to_string().contains("too_many_tokens"));
    }

    fn a_token_ends_with_its_time_and_with_the_account(ward) {
        let anna = person(&ward, &[Grant::of(Role::Admin)]);
        let asked = || anna.asks(&ward, "GET", "/api/v1/role-grants").send();
        assert_eq!(asked().status, 200);
        advance(&ward, start() + Duration::days(366));
        assert_eq!(asked().code(), "invalid_token");
    }

    fn a_token_of_a_weak_session_has_no_officers_rights(ward) {
        let weak = person_with(&ward, &[Grant::of(Role::Admin)], false, &scopes());
        let city = json!({ "name_zh": "凤城市", "name_en": "City" });
        assert_eq!(weak.asks(&ward, "POST", "/api/v1/areas").json(&city).send().code(), "second_factor_required");
        assert_eq!(weak.asks(&ward, "GET", "/api/v1/areas").send().status, 200);
    }

    fn an_auditor_sees_who_did_what_on_a_matter(ward) {
        let auditor = person(&ward, &[Grant::of(Role::Auditor)]);
        let seen = auditor.asks(&ward, "GET", "/api/v1/duties?matter=org_unheard_of").send();
        assert_eq!(seen.json()["items"], json!([]), "{}", seen.text);
        assert_eq!(auditor.asks(&ward, "GET", "/api/v1/duties").send().faults(), [("?matter".to_owned(), "required".to_owned())]);
        assert_eq!(person(&ward, &[Grant::of(Role::Admin)]).asks(&ward, "GET", "/api/v1/duties?matter=x").send().code(), "forbidden");
    }
}
