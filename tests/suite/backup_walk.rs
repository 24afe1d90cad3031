//! The whole way with the program itself: serve, back up while it serves, stop, restore somewhere else, serve again, and
//! let the verifier judge.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::harness::{NOWHERE, PostgresDatabase};

mod a_ward_is_backed_up_restored_and_goes_on_by_command {
    use super::*;

    #[test]
    fn sqlite() {
        walk(None, None);
    }

    #[test]
    fn postgres() {
        if let (Some(first), Some(second)) = (PostgresDatabase::make(), PostgresDatabase::make()) {
            walk(Some(&first), Some(&second));
        }
    }
}

fn walk(first: Option<&PostgresDatabase>, second: Option<&PostgresDatabase>) {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (Place::of(&dir, "old", first), Place::of(&dir, "new", second));
    let backup = dir.path().join("ward.backup");
    let file = backup.to_str().unwrap();

    let served = old.serve();
    let token = text(
        &old.run(&["admin", "token", "--subject", "user_1", "--role", "admin"])
            .stdout,
    );
    add_area(&served.address, &token, "凤城市");
    let made = old.run(&["backup", file]);
    assert!(
        text(&made.stdout).contains("6 keys written to"),
        "{}",
        text(&made.stdout)
    );
    assert!(
        text(&made.stderr).contains("areas: 1 rows"),
        "{}",
        text(&made.stderr)
    );
    let again = old.try_to(&["backup", file]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("exists"));
    let key = served.get("/audit/key");
    let checkpoint = dir.path().join("checkpoint");
    std::fs::write(&checkpoint, served.get("/audit/checkpoint")).unwrap();
    drop(served);

    let restored = new.run(&["restore", file]);
    assert!(
        text(&restored.stdout).contains("restored from"),
        "{}",
        text(&restored.stdout)
    );
    assert_eq!(new.try_to(&["restore", file]).status.code(), Some(1));
    assert_eq!(new.try_to(&["restore", "/no/such/file"]).status.code(), Some(2));
    let seed = std::fs::read_to_string(dir.path().join("new/keys/log.key")).unwrap();
    for output in [&made, &again, &restored] {
        for printed in [text(&output.stdout), text(&output.stderr)] {
            assert!(
                !printed.contains(seed.trim()) && !printed.contains("postgres://"),
                "{printed}"
            );
        }
    }

    let served = new.serve();
    // Tokens of before are good after it.
    add_area(&served.address, &token, "青城市");
    // Its beginning, two areas, and at each start a link for the first administrator.
    wait_for_size(&served, 5);
    let verdict = new.run(&[
        "verify",
        "log",
        &format!("{}/audit", served.address),
        "--key",
        key.trim(),
        "--since",
        checkpoint.to_str().unwrap(),
    ]);
    assert!(
        text(&verdict.stdout).contains("All 5 entries"),
        "{}",
        text(&verdict.stdout)
    );
}

/// A data directory, and the database beside it.
struct Place<'a> {
    dir: &'a Path,
    arguments: Vec<String>,
}

impl<'a> Place<'a> {
    fn of(dir: &'a TempDir, name: &str, database: Option<&PostgresDatabase>) -> Self {
        let data = dir.path().join(name);
        let mut arguments = vec!["--data-dir".to_owned(), data.to_str().unwrap().to_owned()];
        if let Some(database) = database {
            arguments.extend(["--database-url".to_owned(), database.url()]);
        }
        let dir = dir.path();
        Self { dir, arguments }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wardbook"));
        command
            .env_clear()
            .env("WARDBOOK_PUBLIC_URL", "http://ward.test")
            .env("WARDBOOK_JURISDICTION", NOWHERE)
            .current_dir(self.dir)
            .args(&self.arguments)
            .args(arguments);
        command
    }

    fn try_to(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.try_to(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        output
    }

    fn serve(&self) -> Served {
        let mut command = self.command(&["--listen", "127.0.0.1:0", "serve"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .trim()
            .rsplit(' ')
            .next()
            .filter(|it| it.starts_with("http://"));
        Served {
            address: address
                .unwrap_or_else(|| panic!("it did not start: {line}"))
                .to_owned(),
            child,
        }
    }
}

/// A server of its own process; stopped as an operator would when it goes.
struct Served {
    address: String,
    child: Child,
}

impl Served {
    fn get(&self, path: &str) -> String {
        let url = format!("{}{path}", self.address);
        ureq::get(&url)
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let asked = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", self.child.id())])
            .status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn add_area(address: &str, token: &str, name: &str) {
    let body = serde_json::json!({ "name_zh": name, "name_en": name }).to_string();
    let answer = ureq::post(format!("{address}/api/v1/areas"))
        .header("authorization", format!("Bearer {}", token.trim()))
        .header("content-type", "application/json")
        .send(body)
        .unwrap();
    assert_eq!(answer.status().as_u16(), 201);
}

/// On PostgreSQL an event has its place a moment after it has happened.
fn wait_for_size(served: &Served, size: u64) {
    let begun = std::time::Instant::now();
    while served.get("/audit/checkpoint").lines().nth(1) != Some(size.to_string().as_str()) {
        assert!(begun.elapsed().as_secs() < 30, "the log does not grow");
        std::thread::yield_now();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
