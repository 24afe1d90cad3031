//! What the tests of the log share: many events at once, a reader that owes nothing to our own tree code, the program
//! itself as its users run it, and a hand that reaches into the database behind the server's back.

use std::path::Path;
use std::process::{Command, Output};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Nullable};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{Checkpoint, Hash, HashReader, Tile, record_hash, stored_hashes, tree_hash};
use wardbook::web::policy::Role;

use crate::harness::Ward;

/// Imports as many areas, which makes as many events in one transaction. `batch` keeps the imports of a test apart.
pub fn import(ward: &Ward, batch: u16, count: u16) {
    let (city, street) = (format!("{batch:04}"), format!("{batch:04}01001"));
    let mut table = "code,parent_code,name_zh\n".to_owned();
    let rows = (0..count).map(|row| match row {
        0 => format!("{city},,城{batch}\n"),
        1 => format!("{city}01,{city},区\n"),
        2 => format!("{street},{city}01,街\n"),
        row => format!("{street}{row:03},{street},社区{row}\n"),
    });
    table.extend(rows);
    // What came before gets a checkpoint of its own.
    ward.settle();
    let reply = ward
        .ask("POST", "/api/v1/areas/import")
        .by(Role::Admin)
        .body("text/csv", table)
        .send();
    assert_eq!(reply.status, 200, "{}", reply.text);
    ward.settle();
}

/// What came back from under `/audit/`.
pub struct Part {
    pub status: u16,
    pub kind: String,
    pub caching: String,
    pub content: Vec<u8>,
}

/// Reads a part of the log over HTTP: `checkpoint`, `tile/0/000`, …
pub fn part(ward: &Ward, path: &str) -> Part {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .new_agent();
    let mut response = agent.get(ward.url(&format!("/audit/{path}"))).call().unwrap();
    let header = |name: &str| {
        let value = response.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    Part {
        status: response.status().as_u16(),
        kind: header("content-type"),
        caching: header("cache-control"),
        content: response
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_vec()
            .unwrap(),
    }
}

/// The content of a part that must be there.
pub fn content(ward: &Ward, path: &str) -> Vec<u8> {
    let part = part(ward, path);
    assert_eq!(part.status, 200, "{path}");
    part.content
}

/// The newest checkpoint, as it is served.
pub fn checkpoint(ward: &Ward) -> String {
    ward.settle();
    String::from_utf8(content(ward, "checkpoint")).unwrap()
}

/// The key of the log, as it is served.
pub fn key(ward: &Ward) -> String {
    let line = String::from_utf8(content(ward, "key")).unwrap();
    line.strip_suffix('\n').expect("one line").to_owned()
}

/// A checkpoint, opened by other people's code.
pub fn opened(note: &str, key: &str) -> Checkpoint {
    let known = VerifierList::new(vec![Box::new(StandardVerifier::new(key).unwrap())]);
    let note = Note::from_bytes(note.as_bytes()).unwrap();
    let (good, unknown) = note.verify(&known).unwrap();
    assert_eq!((good.len(), unknown.len()), (1, 0));
    Checkpoint::from_bytes(note.text()).unwrap()
}

/// A log rebuilt from its entries by other people's code.
#[derive(Default)]
pub struct Rebuilt {
    hashes: Vec<Hash>,
    pub entries: Vec<Vec<u8>>,
}

impl HashReader for Rebuilt {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let at = |index: &u64| self.hashes[usize::try_from(*index).unwrap()];
        Ok(indexes.iter().map(at).collect())
    }
}

impl Rebuilt {
    /// Reads every entry of the first `size`, from the bundles that belong to a log of this size.
    pub fn read(ward: &Ward, size: u64) -> Self {
        let mut log = Self::default();
        for tile in Tile::new_tiles(8, 0, size)
            .iter()
            .filter(|tile| tile.level() == 0)
        {
            let mut tile = *tile;
            tile.set_is_data();
            let bundle = content(ward, &path(&tile));
            let entries = entries(&bundle);
            assert_eq!(u32::try_from(entries.len()), Ok(tile.width()), "{}", tile.path());
            for entry in entries {
                let index = u64::try_from(log.entries.len()).unwrap();
                let hashes = stored_hashes(index, &entry, &log).unwrap();
                log.hashes.extend(hashes);
                log.entries.push(entry);
            }
        }
        assert_eq!(u64::try_from(log.entries.len()), Ok(size));
        log
    }

    /// The root of the first `size` entries.
    pub fn root(&self, size: u64) -> Hash {
        tree_hash(size, self).unwrap()
    }

    /// Compares every tile of a log of this size with what the ward serves.
    pub fn compare_tiles(&self, ward: &Ward, size: u64) {
        for tile in Tile::new_tiles(8, 0, size) {
            let path = path(&tile);
            assert!(
                content(ward, &path) == tile.read_data(self).unwrap(),
                "{path} at size {size}"
            );
        }
    }

    /// The leaf hash of an entry.
    pub fn leaf(&self, index: u64) -> Hash {
        record_hash(&self.entries[usize::try_from(index).unwrap()])
    }
}

/// The path of a tile: theirs names the height, and calls entries data.
fn path(tile: &Tile) -> String {
    let path = tile.path();
    let path = path.strip_prefix("tile/8/").unwrap();
    format!("tile/{}", path.replace("data/", "entries/"))
}

fn entries(mut bundle: &[u8]) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bundle.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        entries.push(entry.to_vec());
        bundle = rest;
    }
    assert!(bundle.is_empty());
    entries
}

/// Runs the program, in a directory where nothing is configured.
pub fn wardbook(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wardbook"))
        .args(arguments)
        .env_clear()
        .current_dir(directory)
        .output()
        .unwrap()
}

/// Runs `wardbook verify log`: its exit code, and what it says.
pub fn verify(place: &str, key: &str, since: Option<&str>) -> (i32, String) {
    let directory = tempfile::tempdir().unwrap();
    let mut arguments = vec!["verify", "log", place, "--key", key];
    if let Some(since) = since {
        std::fs::write(directory.path().join("since"), since).unwrap();
        arguments.extend(["--since", "since"]);
    }
    let output = wardbook(directory.path(), &arguments);
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().expect("it ends by itself"),
        String::from_utf8(said).unwrap(),
    )
}

/// Verifies the log that a ward serves.
pub fn verify_served(ward: &Ward, since: Option<&str>) -> (i32, String) {
    verify(&ward.url("/audit"), &key(ward), since)
}

/// Runs SQL behind the server's back.
pub fn sql(ward: &Ward, statements: &str) {
    match &ward.database {
        Some(database) => PgConnection::establish(&database.url())
            .unwrap()
            .batch_execute(statements),
        None => sqlite(ward).batch_execute(statements),
    }
    .unwrap_or_else(|error| panic!("{statements}: {error}"));
}

/// A number that SQL gives, behind the server's back; none if it is NULL.
pub fn number(ward: &Ward, query: &str) -> Option<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<BigInt>)]
        number: Option<i64>,
    }
    let query = sql_query(format!("SELECT ({query}) AS number"));
    let row: Row = match &ward.database {
        Some(database) => query.get_result(&mut PgConnection::establish(&database.url()).unwrap()),
        None => query.get_result(&mut sqlite(ward)),
    }
    .unwrap();
    row.number
}

fn sqlite(ward: &Ward) -> SqliteConnection {
    let path = ward.dir.path().join("wardbook.db");
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute("PRAGMA busy_timeout = 30000").unwrap();
    conn
}

/// Takes the triggers away that make the log append-only, as whoever owns the database can.
pub fn disarm(ward: &Ward) {
    let statements: String = if ward.database.is_some() {
        ["log", "events", "private", "nodes", "checkpoints"]
            .map(|table| format!("ALTER TABLE audit_{table} DISABLE TRIGGER USER;"))
            .concat()
    } else {
        [
            "events_written_once",
            "events_placed_once",
            "events_kept",
            "private_kept",
            "private_only_erased",
            "log_fixed",
            "log_kept",
            "nodes_fixed",
            "nodes_kept",
            "checkpoints_fixed",
            "checkpoints_kept",
        ]
        .map(|trigger| format!("DROP TRIGGER audit_{trigger};"))
        .concat()
    };
    sql(ward, &statements);
}
