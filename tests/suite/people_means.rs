//! What people do with their own means of signing in and what is done for them: another password, a lost second factor; that a right
//! which was taken is gone wherever reads come from; and what people are told of their roles.

use chrono::Duration;
use serde_json::{Value, json};
use wardbook::kernel::clock::rfc3339;
use wardbook::kernel::party::OrganisationKind;
use wardbook::people::store_sessions;
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::cast::organisation;
use crate::harness::{Person, Reply, Ward, start};
use crate::on_both;
use crate::outbox::lines;
use crate::people_accounts::{code_now, enrol, move_clock, sign_in_with, text};

const NEW: &str = "seven herons on the east wall";

fn change(ward: &Ward, access: &str, current: &str, new: &str) -> Reply {
    ward.ask("POST", "/api/v1/me/password")
        .in_session(access)
        .json(&json!({ "current_password": current, "password": new }))
        .send()
}

fn me(ward: &Ward, access: &str) -> Reply {
    ward.ask("GET", "/api/v1/me").in_session(access).send()
}

/// Mail of a kind to an account, however far it has come.
fn mails(ward: &Ward, kind: &str, to: &Person) -> usize {
    let query = format!(
        "SELECT id AS line FROM outbox WHERE kind = '{kind}' AND account_id = '{}'",
        to.id
    );
    lines(ward, &query).len()
}

/// An address of a copy of the ward's database as it stands; nobody may be connected to it.
fn copied(
    ward: &std::path::Path,
    database: Option<&crate::harness::PostgresDatabase>,
) -> (String, Option<crate::harness::PostgresDatabase>) {
    match database {
        Some(database) => {
            let copy = database.copy();
            (copy.url(), Some(copy))
        }
        None => {
            let (from, to) = (ward.join("wardbook.db"), ward.join("replica.db"));
            std::fs::copy(&from, &to).unwrap();
            let wal = ward.join("wardbook.db-wal");
            if wal.exists() {
                std::fs::copy(&wal, ward.join("replica.db-wal")).unwrap();
            }
            (format!("sqlite://{}", to.display()), None)
        }
    }
}

on_both! {
    fn a_password_is_changed_by_whoever_knows_it_and_other_sessions_end(ward) {
        let person = ward.person("mei", &[]);
        let other = text(&ward.sign_in(&person.email, &person.password).json(), "access_token");
        assert_eq!(ward.ask("POST", "/api/v1/me/password").json(&json!({"current_password": "x", "password": NEW})).send().code(), "unauthenticated");
        let wrong = change(&ward, person.access(), "not the password at all", NEW);
        assert_eq!((wrong.code().as_str(), wrong.faults()[0].0.as_str()), ("credentials_refused", "/current_password"));
        let common = change(&ward, person.access(), &person.password, "Password1234!");
        assert_eq!((common.status, common.faults()[0].0.as_str()), (422, "/password"));
        assert_eq!((me(&ward, &other).status, ward.events("password.changed").len()), (200, 0));
        // A link that is on its way is void then.
        ward.ask("POST", "/api/v1/password-resets").json(&json!({"email": person.email})).send();
        let secret = crate::people_accounts::from_mail(&ward, &person.email, "/password-resets/", 43);
        let changed = change(&ward, person.access(), &person.password, NEW);
        assert_eq!((changed.status, changed.json()), (200, json!({"sessions_ended": 1})), "{}", changed.text);
        assert_eq!(me(&ward, &other).code(), "invalid_token");
        assert_eq!(me(&ward, person.access()).status, 200, "the session that asked goes on");
        let reset = ward.ask("POST", &format!("/api/v1/password-resets/{secret}")).json(&json!({"password": "nine lanterns under the old bridge"})).send();
        assert_eq!(reset.code(), "link_refused");
        assert_eq!(ward.sign_in(&person.email, &person.password).code(), "credentials_refused");
        assert_eq!(ward.sign_in(&person.email, NEW).status, 201);
        assert_eq!(ward.events("password.changed")[0]["entry"]["data"], json!({"by": "owner"}));
        assert_eq!(mails(&ward, "password.changed", &person), 1);
        // Whoever has somebody's session guesses no longer than anybody else.
        for _ in 0..9 {
            assert_eq!(change(&ward, person.access(), "not the password at all", NEW).code(), "credentials_refused");
        }
        assert_eq!(change(&ward, person.access(), NEW, &person.password).code(), "too_many_requests");
    }

    fn a_password_that_does_not_exist_is_not_changed(ward) {
        let body = json!({"email": "li.wei@people.example", "language": "en", "role": "evaluator"});
        ward.post("/api/v1/accounts", &body);
        let link = crate::people_accounts::from_mail(&ward, "li.wei@people.example", "/invitations/", 43);
        ward.ask("POST", &format!("/api/v1/invitations/{link}")).json(&json!({"display_name": "李伟", "language": "en"})).send();
        let challenge = ward.ask("POST", "/api/v1/sign-in-codes").json(&json!({"email": "li.wei@people.example"})).send().json();
        let code = crate::people_accounts::from_mail(&ward, "li.wei@people.example", "Your code is\r\n\r\n    ", 6);
        let signed_in = ward.ask("POST", "/api/v1/sessions").json(&json!({"challenge_id": challenge["challenge_id"], "code": code})).send();
        assert_eq!(signed_in.status, 201, "{}", signed_in.text);
        let access = text(&signed_in.json(), "access_token");
        assert_eq!(change(&ward, &access, "anything at all, who knows", NEW).code(), "credentials_refused");
        // Nor by a machine.
        let machine = crate::cast::person(&ward, &[]);
        assert_eq!(machine.asks(&ward, "POST", "/api/v1/me/password").json(&json!({"current_password": "x", "password": NEW})).send().status, 403);
    }

    fn a_lost_second_factor_is_removed_by_another_administrator_and_added_again(ward) {
        let admin = ward.person("an", &[Grant::of(Role::Admin)]);
        let other = ward.person("bo", &[Grant::of(Role::Admin)]);
        let remove = |by: &str, whose: &Person| ward.ask("DELETE", &format!("/api/v1/accounts/{}/second-factor", whose.id)).in_session(by).send();
        assert_eq!(remove(other.access(), &admin).code(), "second_factor_required", "only in a strong session");
        enrol(&ward, &admin);
        enrol(&ward, &other);
        assert_eq!(remove(admin.access(), &admin).code(), "second_factor_own");
        let nobody = ward.person("nobody", &[]);
        assert_eq!(remove(admin.access(), &nobody).code(), "second_factor_missing");
        assert_eq!(remove(nobody.access(), &admin).code(), "forbidden");
        let removed = remove(admin.access(), &other);
        assert_eq!((removed.status, removed.json()), (200, json!({"removed": true})), "{}", removed.text);
        assert_eq!(remove(admin.access(), &other).code(), "second_factor_missing");
        let add = |access: &str| ward.ask("POST", "/api/v1/areas").in_session(access).json(&json!({"name_zh": "市", "name_en": "x"})).send();
        assert_eq!(add(other.access()).code(), "second_factor_required", "at once, in sessions that were strong too");
        // It is recorded by whom, and told to whom it was.
        let events = ward.events("second_factor.removed");
        assert_eq!((events[0]["entry"]["data"].clone(), events[0]["opened"]["actor"].clone()), (json!({"by": "administrator"}), json!(admin.id)));
        // Two of them were added, and one was taken away.
        assert_eq!((mails(&ward, "second_factor.changed", &other), mails(&ward, "second_factor.changed", &admin)), (2, 1));
        // The password alone lets them in to add another one, and then they are what they were.
        let again = ward.sign_in(&other.email, &other.password);
        assert_eq!((again.status, &again.json()["second_factor"]), (201, &json!(false)), "{}", again.text);
        let other = Person { tokens: again.json(), ..other };
        let (secret, _) = enrol(&ward, &other);
        assert_eq!(add(other.access()).status, 201);
        move_clock(&ward, Duration::seconds(60));
        assert_eq!(sign_in_with(&ward, &other, &code_now(&ward, &secret)).status, 201);
    }

    fn people_are_told_of_their_roles_and_of_standing_in_for_somebody(ward) {
        let office = organisation(&ward, OrganisationKind::StreetOffice, None);
        let of_office = |role| Grant::of(role).in_organisation(office.clone());
        let mut ward = ward;
        ward.restart(|settings| settings.second_factor_roles = vec![Role::Auditor]);
        let chief = ward.person("chief", &[of_office(Role::OrganisationAdmin)]);
        let clerk = ward.person("clerk", &[]);
        let deputy = ward.person("deputy", &[of_office(Role::FinanceOfficer)]);
        assert_eq!(mails(&ward, "role.given", &chief), 0, "whoever sets a ward up tells its people");
        let post = |by: &Person, path: &str, body: &Value| {
            let reply = ward.ask("POST", path).in_session(by.access()).json(body).send();
            assert!((200..300).contains(&reply.status), "{}", reply.text);
            reply.json()
        };
        let given = post(&chief, "/api/v1/role-grants", &json!({"account_id": clerk.id, "role": "buyer_officer", "organisation_id": office}));
        assert_eq!((mails(&ward, "role.given", &clerk), mails(&ward, "role.given", &chief)), (1, 0));
        let lend = |days: i64| json!({"grant_id": given["id"], "deputy_id": deputy.id, "until": rfc3339(start() + Duration::days(days))});
        let lent = post(&clerk, "/api/v1/deputations", &lend(3));
        assert_eq!(mails(&ward, "deputy.appointed", &deputy), 1);
        let told = lines(&ward, "SELECT facts AS line FROM outbox WHERE kind = 'deputy.appointed'").pop().unwrap();
        for part in ["\"principal\":\"clerk\"", "采购经办人", "buyer's officer", "组织street_office", "\"from\":\"2026-03-02\"", "\"until\":\"2026-03-05\""] {
            assert!(told.contains(part), "{part}: {told}");
        }
        post(&clerk, &format!("/api/v1/deputations/{}/revocation", text(&lent, "id")), &json!({}));
        assert_eq!(mails(&ward, "deputy.ended", &deputy), 1);
        // Whoever stands in for a role that is taken stands in for it no longer, and is told so.
        post(&clerk, "/api/v1/deputations", &lend(2));
        post(&chief, &format!("/api/v1/role-grants/{}/end", text(&given, "id")), &json!({}));
        assert_eq!((mails(&ward, "role.taken", &clerk), mails(&ward, "deputy.ended", &deputy)), (1, 2));
        // Whoever is invited reads of their role in the invitation.
        let invited = post(&chief, "/api/v1/accounts", &json!({"email": "new@people.example", "language": "en", "role": "buyer_officer", "organisation_id": office}));
        let told = lines(&ward, &format!("SELECT kind AS line FROM outbox WHERE account_id = '{}'", text(&invited, "id")));
        assert_eq!(told, ["account.invited"]);
    }

    fn a_right_that_was_taken_is_gone_at_once_however_far_a_replica_lags_behind(ward) {
        let mut ward = ward;
        let person = ward.person("mei", &[]);
        let kept = text(&ward.sign_in(&person.email, &person.password).json(), "access_token");
        let other = text(&ward.sign_in(&person.email, &person.password).json(), "access_token");
        let (dir, database) = (ward.dir.path().to_owned(), ward.database.take());
        let mut replica = None;
        let own = database.as_ref().map(crate::harness::PostgresDatabase::url);
        ward.restart(|settings| {
            let (url, copy) = copied(&dir, database.as_ref());
            replica = copy;
            settings.database_url = own.unwrap_or_default();
            settings.database_read_url = url;
        });
        ward.database = database;
        assert_eq!(me(&ward, &other).status, 200);
        assert_eq!(ward.ask("DELETE", "/api/v1/sessions/current").in_session(&other).send().status, 200);
        assert_eq!(me(&ward, &other).code(), "invalid_token");
        // The replica has not heard of it.
        let (account, session) = (person.id.parse().unwrap(), text(&person.tokens, "session_id").parse().unwrap());
        let now = ward.context().clock.now();
        assert_eq!(ward.ask("POST", &format!("/api/v1/accounts/{}/suspension", person.id)).by(Role::Admin).send().status, 200);
        for token in [kept.as_str(), person.access()] {
            assert_eq!(me(&ward, token).code(), "invalid_token");
        }
        let there = ward.context().db.read_and_wait(|conn| store_sessions::is_alive(conn, &account, &session, now));
        assert_eq!(there.unwrap(), Some(false), "or nothing was shown");
        ward.restart(|_| ());
        drop(replica);
    }
}
