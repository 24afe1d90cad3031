//! What ARCHITECTURE.md and the way this code is written can state mechanically: which way imports run, where SQL and time
//! come from, how files begin and how long they may be. Reads the sources as text and knows nothing else of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The floors of the house, from the ground up. A module imports from its own slice and from the floors below; the slices of
/// one floor do not know each other.
const FLOORS: &[&[&str]] = &[
    &["kernel"],
    &["db"],
    &["web"],
    &["audit"],
    &["outbox", "files", "statutes", "duties"],
    &["registry", "people"],
    &["budget", "standards"],
    &["books"],
    &["bids", "ballots"],
    &["award"],
    &["contracts"],
    &["payments"],
    &["portal", "publish", "oversight"],
    &["imports"],
    &["app"],
    &["cli"],
];

/// Macros live at the root of the crate, whichever file they stand in.
const MACROS: &[(&str, &str)] = &[("text", "kernel"), ("ids", "kernel"), ("both", "db")];

/// Where SQL is written: `db/`, every `store.rs`, and these.
const SQL_ELSEWHERE: &[(&str, &str)] = &[
    (
        "src/app/time.rs",
        "one row: where a simulated clock stands. Not worth a file of its own",
    ),
    (
        "src/kernel/id.rs",
        "no statement: ids say how they are stored, once for all of them",
    ),
    (
        "src/web/idempotency.rs",
        "one table, read and written inside the transaction of any act",
    ),
];

/// Who keeps the house: changes that are not the ward's state and so leave no event.
const UPKEEP: &[(&str, &str)] = &[
    (
        "src/app/registration.rs",
        "mail that a resident with a letter asks for, and tries of its link; that an account is opened is an event",
    ),
    (
        "src/app/keeping.rs",
        "forgets old answers and sessions that ended long ago, notes when machines' tokens were used, reminds of qualifications that end, tells of what happens to books, of what saved searches find and of enquiries without an answer, and puts standards into the search",
    ),
    (
        "src/app/keeping_ballots.rs",
        "writes to voters, and once more to those who have not voted: an event for each would tell who has not",
    ),
    (
        "src/app/keeping_defects.rs",
        "reminds contractors of defects, tells officers of late ones, counts refused reports and forgets addresses",
    ),
    (
        "src/app/keeping_publication.rs",
        "publishes what acts have made public; what it publishes follows from their events",
    ),
    (
        "src/contracts/http_defect_forms.rs",
        "counts reports beyond what is taken of a place in a day: a flood must not fill the log",
    ),
    (
        "src/app/ledger.rs",
        "measures an older ledger, and makes totals of spending anew: what follows from the ledger, and nothing else",
    ),
    ("src/db/database.rs", "passes it on to the writer"),
    (
        "src/files/sweep.rs",
        "forgets contents that no attachment has any more; that it ended was recorded",
    ),
    (
        "src/imports/http.rs",
        "says of a file that it still waits for its turn; that its import was begun and started are events",
    ),
    (
        "src/outbox/sender.rs",
        "marks what is sent: whether a mail server has taken a mail is not the ward's state",
    ),
    (
        "src/people/http_links.rs",
        "mail that a stranger asks for: a code, a link; what follows from it is an event",
    ),
    (
        "src/people/http_second_factor.rs",
        "a secret that is not confirmed and counts for nothing",
    ),
    (
        "src/people/http_outside.rs",
        "attempts to sign in through another provider; what follows from them is an event",
    ),
    (
        "src/people/http_sessions.rs",
        "the next refresh token of a session, and tries of a code; that a token was shown twice is an event",
    ),
];

/// Lines of code in a file, without its tests, comments and blank lines.
const LINES_MAX: usize = 500;

/// Files that are longer, and why they are still one room.
const LONGER: &[(&str, &str)] = &[
    (
        "src/web/policy.rs",
        "the one table of who may do what: in two files it would be two tables",
    ),
    (
        "src/outbox/content.rs",
        "the one list of the kinds of mail, and a sample of each",
    ),
    (
        "src/db/schema.rs",
        "the list of all tables: which of them may be joined is said of all at once",
    ),
    ("src/lib.rs", "the map of all modules, a line about each"),
];

struct File {
    /// Its path from the root of the repository.
    path: String,
    text: String,
}

impl File {
    /// Its lines without comments, numbered from 1.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().map(|line| match line.find("//") {
            // Not the one in `https://`.
            Some(at) if !line[..at].ends_with(':') => &line[..at],
            _ => line,
        });
        (1..).zip(lines)
    }

    /// The part of the house it belongs to: `db` for `src/db/conn.rs`, `cli` for `src/cli.rs`.
    fn slice(&self) -> &str {
        let path = self.path.strip_prefix("src/").unwrap();
        path.split_once('/')
            .map_or_else(|| path.trim_end_matches(".rs"), |(slice, _)| slice)
    }

    /// True for `store.rs`, and for `store_roles.rs`, which is what a slice with two stores calls the second.
    fn is_room(&self, room: &str) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let rest = name.strip_prefix(room).and_then(|rest| rest.strip_suffix(".rs"));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    }

    /// Lines of code before its tests.
    fn lines_of_code(&self) -> usize {
        let code = self
            .text
            .split("\n#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default();
        let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
        code.lines().map(str::trim).filter(is_code).count()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(directory: &Path, keep: &dyn Fn(&str) -> bool, found: &mut Vec<File>) {
    let mut entries: Vec<PathBuf> = match std::fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => return,
    };
    entries.sort();
    for path in entries {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            collect(&path, keep, found);
        } else if keep(&name)
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            found.push(File { path: name, text });
        }
    }
}

/// The Rust files below these directories.
fn rust(directories: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    for directory in directories {
        collect(&root().join(directory), &|name| name.ends_with(".rs"), &mut found);
    }
    assert!(!found.is_empty());
    found
}

/// The places where a text occurs in code, as `path:line`.
fn occurrences<'f>(files: &'f [File], what: &str) -> Vec<(&'f File, usize)> {
    let mut places = Vec::new();
    for file in files {
        places.extend(
            file.code()
                .filter(|(_, line)| line.contains(what))
                .map(|(n, _)| (file, n)),
        );
    }
    places
}

fn shown(places: &[(&File, usize)]) -> Vec<String> {
    places
        .iter()
        .map(|(file, line)| format!("{}:{line}", file.path))
        .collect()
}

/// The files in which a text occurs must be exactly those that are listed with a reason.
fn only_in(files: &[File], what: &str, listed: &[(&str, &str)]) {
    let places = occurrences(files, what);
    let found: BTreeSet<&str> = places.iter().map(|(file, _)| file.path.as_str()).collect();
    let listed: BTreeSet<&str> = listed.iter().map(|(path, _)| *path).collect();
    assert_eq!(found, listed, "`{what}` is at {:#?}", shown(&places));
}

/// The modules right under the root of the crate that a text names: `crate::db::conn`, `crate::{audit, db::conn}`.
fn named_modules(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, prefix) in code.match_indices("crate::") {
        let rest = &code[at + prefix.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.insert(identifier(rest));
            continue;
        };
        let mut depth = 1;
        let mut begins = true;
        for (at, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' => begins = depth == 1,
                _ if character.is_whitespace() => {}
                _ if begins && depth == 1 => {
                    names.insert(identifier(&group[at..]));
                    begins = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|character| character.is_alphanumeric() || *character == '_')
        .collect()
}

fn floor(slice: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&slice))
}

/// Whether a slice may import from another, which may also be a macro.
fn may_import(slice: &str, other: &str) -> bool {
    let other = MACROS
        .iter()
        .find(|(name, _)| *name == other)
        .map_or(other, |(_, slice)| *slice);
    match (floor(slice), floor(other)) {
        (Some(mine), Some(theirs)) => slice == other || theirs < mine,
        _ => false,
    }
}

#[test]
fn imports_are_found_however_they_are_written() {
    let code = "use crate::db::conn::{Conn, connect};\nuse crate::{\n    audit::{self, store},\n    kernel::id, web,\n};\n\
                crate::text!(\"…\"); $crate::both!(x)";
    let expected = ["audit", "both", "db", "kernel", "text", "web"].map(str::to_owned);
    assert_eq!(named_modules(code), BTreeSet::from(expected));
    assert!(may_import("registry", "audit") && may_import("audit", "audit") && may_import("web", "both"));
    assert!(!may_import("audit", "registry") && !may_import("kernel", "both"));
    assert!(!may_import("registry", "people") && !may_import("registry", "unheard_of"));
}

#[test]
fn imports_run_downward_only() {
    let mut upward = Vec::new();
    for file in rust(&["src"]) {
        if matches!(file.path.as_str(), "src/lib.rs" | "src/main.rs") {
            continue;
        }
        let slice = file.slice();
        assert!(floor(slice).is_some(), "{} is on no floor", file.path);
        let code: String = file.code().map(|(_, line)| format!("{line}\n")).collect();
        upward.extend(
            named_modules(&code)
                .into_iter()
                .filter(|other| !may_import(slice, other))
                .map(|other| format!("{} imports {other}", file.path)),
        );
        // A way out of the slice that names no floor.
        assert!(!code.contains("super::super::super"), "{}", file.path);
        let outside_tests = code.split("#[cfg(test)]").next().unwrap_or_default();
        assert!(!outside_tests.contains("super::super"), "{}", file.path);
    }
    assert_eq!(upward, Vec::<String>::new());
}

#[test]
fn every_file_says_first_what_it_is() {
    let files = rust(&["src", "tests", "benches", "examples"]);
    let without: Vec<_> = files
        .iter()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| &file.path)
        .collect();
    assert_eq!(without, Vec::<&String>::new());
}

#[test]
fn every_module_is_on_the_map_with_a_line_about_it() {
    let map = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let mut declared = BTreeSet::from(["src/lib.rs".to_owned(), "src/main.rs".to_owned()]);
    let mut directory = None;
    let (mut told, mut for_tests) = (false, false);
    for line in map.lines() {
        let words = line.trim();
        let declaration = words.trim_start_matches("pub ").trim_start_matches("(crate) ");
        match declaration.strip_prefix("mod ") {
            Some(rest) => {
                assert!(told || for_tests, "no line about `{words}`");
                if let Some(name) = rest.strip_suffix(" {") {
                    directory = Some(name);
                } else {
                    let name = rest.trim_end_matches(';');
                    declared.insert(match directory {
                        Some(directory) => format!("src/{directory}/{name}.rs"),
                        None => format!("src/{name}.rs"),
                    });
                }
                (told, for_tests) = (false, false);
            }
            None if words.starts_with("/// ") => told = true,
            None if words == "#[cfg(test)]" => for_tests = true,
            None if line == "}" => directory = None,
            None => {}
        }
    }
    let there: BTreeSet<String> = rust(&["src"]).into_iter().map(|file| file.path).collect();
    assert_eq!(declared, there);

    let files = rust(&["src"]);
    let mut elsewhere = occurrences(&files, "mod ");
    elsewhere.retain(|(file, line)| {
        let line = file.text.lines().nth(line - 1).unwrap_or_default().trim();
        file.path != "src/lib.rs" && line.contains("mod ") && line.ends_with(';') && !line.starts_with("use ")
    });
    assert_eq!(
        shown(&elsewhere),
        Vec::<String>::new(),
        "modules are declared in src/lib.rs"
    );
}

#[test]
fn time_comes_from_the_clock() {
    let files = rust(&["src"]);
    only_in(&files, "Utc::now", &[("src/kernel/clock.rs", "it is the clock")]);
    for other in ["Local::now", "SystemTime::now", "now_v7"] {
        only_in(&files, other, &[]);
    }
}

#[test]
fn every_operation_is_in_the_document() {
    // A handler given to `.route(` would be served without being described, and without being tested by role.
    only_in(&rust(&["src"]), ".route(", &[]);
}

#[test]
fn sql_is_where_it_belongs() {
    let mut files = rust(&["src"]);
    files.retain(|file| file.slice() != "db" && !file.is_room("store"));
    only_in(&files, "diesel::", SQL_ELSEWHERE);
    for room in ["http", "rules"] {
        let found = files
            .iter()
            .filter(|file| file.is_room(room) && file.text.contains("diesel"));
        assert_eq!(found.count(), 0, "{room} holds no SQL");
    }
}

#[test]
fn rules_are_pure() {
    let mut files = rust(&["src"]);
    files.retain(|file| file.is_room("rules"));
    assert!(!files.is_empty());
    for impure in [
        "crate::db",
        "actix_web",
        "web::context",
        "Clock",
        "id::random",
        "std::fs",
        "std::net",
    ] {
        only_in(&files, impure, &[]);
    }
}

#[test]
fn who_keeps_the_house_is_known() {
    // Also `upkeep_and_wait`.
    only_in(&rust(&["src"]), ".upkeep", UPKEEP);
}

#[test]
fn transactions_are_made_in_one_place() {
    let mut files = rust(&["src"]);
    files.retain(|file| file.slice() != "db");
    let on_a_seat = [
        (
            "src/audit/sequencer.rs",
            "on the connection that holds the seat, made by db/seat.rs",
        ),
        (
            "src/outbox/sender.rs",
            "on the connection that holds the seat, made by db/seat.rs",
        ),
    ];
    only_in(&files, ".transaction(", &on_a_seat);
    only_in(&files, "batch_execute", &[]);
}

#[test]
fn nothing_is_left_for_later_and_every_exception_says_why() {
    let files = rust(&["src", "tests", "benches", "examples"]);
    // Put together, so that this file is not one of those it finds.
    for (name, sign) in [
        ("todo", "!("),
        ("unimplemented", "!("),
        ("dbg", "!("),
        ("#[al", "low("),
        ("#![al", "low("),
    ] {
        only_in(&files, &format!("{name}{sign}"), &[]);
    }
    for file in &files {
        let signs = [["#[exp", "ect("].concat(), ["#![exp", "ect("].concat()];
        for (at, _) in signs.iter().flat_map(|sign| file.text.match_indices(sign)) {
            let end = file.text[at..].find(")]").unwrap_or_default();
            let attribute = &file.text[at..at + end];
            assert!(attribute.contains("reason = \""), "{}: {attribute}", file.path);
        }
    }
}

#[test]
fn no_file_is_longer_than_a_room() {
    let longer: BTreeSet<(String, usize)> = rust(&["src"])
        .into_iter()
        .map(|file| (file.lines_of_code(), file.path))
        .filter(|(lines, path)| *lines > LINES_MAX && !LONGER.iter().any(|(known, _)| known == path))
        .map(|(lines, path)| (path, lines))
        .collect();
    assert_eq!(longer, BTreeSet::new());
}

#[test]
fn the_house_is_described() {
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "LICENSE",
        "wardbook.example.toml",
        "deny.toml",
    ] {
        let text =
            std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!text.trim().is_empty(), "{name} is empty");
    }
    let told = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for slice in FLOORS.concat() {
        assert!(told.contains(slice), "ARCHITECTURE.md does not know {slice}");
    }
}

/// What works on one machine only.
#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    let signs = [
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["/ho", "me/"],
        ["/Us", "ers/"],
        ["C:\\", "Users"],
    ]
    .map(|parts| parts.concat());
    let mut files = Vec::new();
    for directory in [
        "src",
        "tests",
        "benches",
        "examples",
        "migrations",
        "packaging",
        "api-spec",
        ".ci",
    ] {
        collect(&root().join(directory), &|_| true, &mut files);
    }
    for entry in std::fs::read_dir(root()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let tells = [".md", ".toml", ".yml", ".yaml"]
            .iter()
            .any(|ending| name.ends_with(ending));
        if tells && let Ok(text) = std::fs::read_to_string(entry.path()) {
            files.push(File { path: name, text });
        }
    }
    assert!(
        files.iter().any(|file| file.path == "README.md")
            && files.iter().any(|file| file.path.starts_with("migrations/"))
    );
    let mut found = Vec::new();
    for file in &files {
        for (line, n) in file.text.lines().zip(1..) {
            if signs.iter().any(|sign| line.contains(sign.as_str())) {
                found.push(format!("{}:{n}", file.path));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}
