//! What the tests of the roll share: communities with their registrars, people, tables to import.

use serde_json::{Value, json};
use wardbook::web::actor::Grant;
use wardbook::web::policy::Role;

use crate::cast::{self, Person};
use crate::harness::{Ask, Reply, Ward};

/// A community and who keeps its roll.
pub struct Community {
    /// The area.
    pub id: String,
    /// The registrar.
    pub registrar: Person,
}

/// Somebody with a role, for an area if one is given.
pub fn person(ward: &Ward, role: Role, area: Option<&str>) -> Person {
    let grant = Grant::of(role);
    cast::person(
        ward,
        &[match area {
            Some(area) => grant.in_area(area.parse().unwrap()),
            None => grant,
        }],
    )
}

/// Begins a request of somebody, who reads Chinese.
pub fn by<'w>(ward: &'w Ward, person: &Person, method: &str, path: &str) -> Ask<'w> {
    ward.ask(method, path)
        .header("authorization", &format!("Bearer {}", person.token))
}

impl Community {
    /// Two communities of one street, each with a registrar.
    pub fn two(ward: &Ward) -> [Self; 2] {
        let city = ward.area(None, "凤城市");
        let district = ward.area(Some(&city), "凤鸣区");
        let street = ward.area(Some(&district), "梧桐街道");
        ["桂园社区", "槐荫社区"].map(|name| {
            let id = ward.area(Some(&street), name);
            let registrar = person(ward, Role::Registrar, Some(&id));
            Self { id, registrar }
        })
    }

    /// Begins a request by the registrar, below the area.
    pub fn ask<'w>(&self, ward: &'w Ward, method: &str, below: &str) -> Ask<'w> {
        let path = format!("/api/v1/areas/{}/{below}", self.id);
        by(ward, &self.registrar, method, &path)
    }

    /// Begins a request by the registrar about a resident or a household.
    pub fn about<'w>(&self, ward: &'w Ward, method: &str, path: &str) -> Ask<'w> {
        by(ward, &self.registrar, method, &format!("/api/v1/{path}"))
    }

    /// Enters somebody and returns their id.
    pub fn enter(&self, ward: &Ward, household: &str, name: &str, birth_date: &str) -> String {
        let body = json!({ "household": household, "name": name, "birth_date": birth_date });
        let reply = self.ask(ward, "POST", "residents").json(&body).send();
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    /// A resident as the registrar reads them.
    pub fn read(&self, ward: &Ward, id: &str) -> Value {
        let reply = self.about(ward, "GET", &format!("residents/{id}")).send();
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    /// Everybody on the roll, by household.
    pub fn all(&self, ward: &Ward) -> Vec<Value> {
        let reply = self.ask(ward, "GET", "residents?limit=200").send();
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["items"].as_array().unwrap().clone()
    }

    /// Sends a table.
    pub fn import(&self, ward: &Ward, query: &str, table: &str) -> Reply {
        self.ask(ward, "POST", &format!("residents/import?{query}"))
            .body("text/csv; charset=utf-8", table)
            .send()
    }

    /// Previews a table and imports it.
    pub fn imported(&self, ward: &Ward, query: &str, table: &str) -> Value {
        let trial = self.import(ward, &format!("{query}&dry_run=true"), table);
        assert_eq!(trial.status, 200, "{}", trial.text);
        let preview = trial.json()["preview"].as_str().unwrap().to_owned();
        let done = self.import(ward, &format!("{query}&preview={preview}"), table);
        assert_eq!(done.status, 200, "{}", done.text);
        done.json()
    }
}
