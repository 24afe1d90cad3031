//! The language in which the lifecycle is told: somebody does something, somebody sees something, everybody sees something, time goes on. All of it over
//! HTTP, the clock included; whoever has an account signs in with a password, and again whenever time has gone on.

use std::cell::RefCell;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use wardbook::app::first_admin;

use crate::faults::eventually;
use crate::harness::{Reply, Ward};
use crate::people_accounts::mails_to;

/// Everybody's password.
const PASSWORD: &str = "seven plane trees along the lane";

/// A story.
pub struct Story<'w> {
    /// Where it happens.
    pub ward: &'w Ward,
    tokens: RefCell<BTreeMap<String, String>>,
    /// What was made, by its name: accounts, organisations, areas, lines.
    ids: RefCell<BTreeMap<String, String>>,
}

/// The mail address of somebody.
fn address(who: &str) -> String {
    format!("{who}@people.example")
}

/// What a reply says, which has to be that it went well.
pub fn well(reply: &Reply, what: &str) -> Value {
    assert!(
        (200..300).contains(&reply.status),
        "{what}: {} {}",
        reply.status,
        reply.text
    );
    serde_json::from_str(&reply.text).unwrap_or_default()
}

/// The text of a member.
pub fn text(json: &Value, member: &str) -> String {
    json[member]
        .as_str()
        .unwrap_or_else(|| panic!("{member} of {json}"))
        .to_owned()
}

/// An amount in the API's form.
pub fn yuan(amount: &str) -> Value {
    json!({"amount": amount, "currency": "CNY"})
}

impl<'w> Story<'w> {
    /// The ward is empty. Whoever has started it follows the link that it shows, and is its first administrator.
    pub fn begin(ward: &'w Ward) -> Self {
        let story = Self {
            ward,
            tokens: RefCell::default(),
            ids: RefCell::default(),
        };
        let link = first_admin::offer(ward.house()).unwrap().unwrap();
        let token = link.rsplit('/').next().unwrap().to_owned();
        let body = json!({"email": address("admin"), "display_name": "admin", "language": "zh-CN", "password": PASSWORD});
        story.by_nobody("POST", &format!("/invitations/{token}"), &body);
        story
    }

    /// The id of what was called so.
    pub fn id(&self, name: &str) -> String {
        let found = self.ids.borrow().get(name).cloned();
        found.unwrap_or_else(|| panic!("nothing is called {name}"))
    }

    /// Calls what was made by a name.
    pub fn call(&self, name: &str, made: &Value) -> String {
        let id = text(made, "id");
        self.ids.borrow_mut().insert(name.to_owned(), id.clone());
        id
    }

    /// Somebody invites people in roles, in an organisation or of the platform; each follows the link of their mail.
    pub fn invite(&self, by: &str, people: &[(&str, &str)], organisation: Option<&str>) {
        for (name, role) in people {
            let mut body = json!({"email": address(name), "language": "zh-CN", "role": role});
            if let Some(organisation) = organisation {
                body["organisation_id"] = json!(self.id(organisation));
            }
            self.call(name, &self.does(by, "/accounts", &body));
        }
    }

    /// Those who were invited follow the links of their mails.
    pub fn come(&self, people: &[&str]) {
        for name in people {
            let token = eventually("an invitation", || {
                let mails = mails_to(self.ward, &address(name));
                mails.iter().find_map(|mail| {
                    let at = mail.find("/invitations/")? + "/invitations/".len();
                    mail.get(at..at + 43).map(str::to_owned)
                })
            });
            let body = json!({"display_name": name, "language": "zh-CN", "password": PASSWORD});
            self.by_nobody("POST", &format!("/invitations/{token}"), &body);
        }
    }

    fn token(&self, who: &str) -> String {
        if let Some(token) = self.tokens.borrow().get(who) {
            return token.clone();
        }
        let body = json!({"email": address(who), "password": PASSWORD});
        let token = text(&self.by_nobody("POST", "/sessions", &body), "access_token");
        self.tokens.borrow_mut().insert(who.to_owned(), token.clone());
        token
    }

    /// What somebody is answered.
    pub fn asks(&self, who: &str, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let ask = self
            .ward
            .ask(method, &format!("/api/v1{path}"))
            .in_session(&self.token(who))
            .header("accept-language", "en");
        // What has no revision yet is written without one.
        let is_new = path.ends_with("/bids") || method == "PUT";
        let ask = if is_new { ask } else { ask.header("if-match", "*") };
        match body {
            Some(body) => ask.json(body).send(),
            None => ask.send(),
        }
    }

    /// Somebody does something, and it is done.
    pub fn does(&self, who: &str, path: &str, body: &Value) -> Value {
        let reply = self.asks(who, "POST", path, Some(body));
        well(&reply, &format!("{who} {path}"))
    }

    /// Somebody does something of which nothing more is said.
    pub fn just_does(&self, who: &str, path: &str) -> Value {
        well(&self.asks(who, "POST", path, None), &format!("{who} {path}"))
    }

    /// Somebody writes something down.
    pub fn writes(&self, who: &str, path: &str, body: &Value) -> Value {
        well(&self.asks(who, "PUT", path, Some(body)), &format!("{who} {path}"))
    }

    /// Somebody sends a file.
    pub fn sends(&self, who: &str, path: &str, kind: &str, bytes: &[u8]) -> Value {
        let ask = self.ward.ask("POST", &format!("/api/v1{path}"));
        let ask = ask.in_session(&self.token(who));
        let ask = ask.header("content-disposition", "attachment; filename=\"minutes\"");
        well(&ask.body(kind, bytes).send(), &format!("{who} {path}"))
    }

    /// Somebody sees something.
    pub fn sees(&self, who: &str, path: &str) -> Value {
        well(&self.asks(who, "GET", path, None), &format!("{who} {path}"))
    }

    fn by_nobody(&self, method: &str, path: &str, body: &Value) -> Value {
        let ask = self.ward.ask(method, &format!("/api/v1{path}"));
        well(&ask.json(body).send(), path)
    }

    /// Somebody without an account does something.
    pub fn anybody_does(&self, path: &str, body: &Value) -> Value {
        self.by_nobody("POST", path, body)
    }

    /// Everybody sees something.
    pub fn public(&self, path: &str) -> Value {
        well(&self.ward.get(&format!("/api/v1{path}")), path)
    }

    /// Time goes on until then, if it is not later already; whoever acts after that signs in again.
    pub fn go_to(&self, until: &str) {
        let now: DateTime<Utc> = text(&self.public("/time"), "now").parse().unwrap();
        if until.parse::<DateTime<Utc>>().unwrap() > now {
            self.does("admin", "/dev/clock", &json!({"now": until}));
            self.tokens.borrow_mut().clear();
        }
    }
}
