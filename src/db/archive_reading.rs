//! Reads an archive in the format that `archive` describes. Never accepts a file of which a single byte is missing or
//! different.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::bufread::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::db::archive::{Cell, FORMAT, Header, KeyFile, LINE_BYTES_MAX, Section, Trailer};
use crate::db::layout::Table;
use crate::kernel::refusal::Fault;

/// Keys in one archive.
const KEYS_MAX: usize = 1_000;

/// What comes next in an archive.
#[derive(Debug)]
pub enum Item {
    /// A key.
    Key(KeyFile),
    /// A table begins.
    Table(Table),
    /// A row of the table that began last.
    Row(Vec<Cell>),
    /// The end; every byte before was as it was written.
    End(Trailer),
}

/// Reads an archive, line by line. Only when [`Item::End`] has come is anything known of the rest.
pub struct Reader<R: BufRead> {
    lines: BufReader<GzDecoder<R>>,
    digest: Sha256,
    line: Zeroizing<Vec<u8>>,
    rows: BTreeMap<String, u64>,
    table: Option<(Table, u64)>,
    keys: usize,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// A fault if it is not an archive of this format.
    pub fn open(input: R) -> Result<(Header, Self), Fault> {
        let mut reader = Self {
            lines: BufReader::new(GzDecoder::new(input)),
            digest: Sha256::new(),
            line: Zeroizing::default(),
            rows: BTreeMap::new(),
            table: None,
            keys: 0,
        };
        let no_archive = || Fault::broken("this is not a wardbook backup");
        reader.read_line().map_err(|_| no_archive())?;
        let header: Value = serde_json::from_slice(&reader.line).map_err(|_| no_archive())?;
        match header.get("format").and_then(Value::as_str) {
            Some(FORMAT) => {}
            Some(other) if other.starts_with("wardbook-backup/") => {
                return Err(Fault::broken(format!(
                    "this backup is of the format {other}, which a newer wardbook has made; restore it with that \
                     version or a later one"
                )));
            }
            _ => return Err(no_archive()),
        }
        let header =
            serde_json::from_value(header).map_err(|error| damaged(&format!("its header: {error}")))?;
        reader.digest.update(&*reader.line);
        Ok((header, reader))
    }

    /// Reads on.
    ///
    /// # Errors
    /// A fault if the archive is damaged, or ends before its end.
    pub fn next_item(&mut self) -> Result<Item, Fault> {
        self.read_line()?;
        if self.line.first() == Some(&b'[') {
            return self.row().map(Item::Row);
        }
        let section =
            serde_json::from_slice(&self.line).map_err(|_| damaged("it has a line that nothing can read"))?;
        if let Section::End(trailer) = section {
            return self.end(trailer).map(Item::End);
        }
        self.digest.update(&*self.line);
        match section {
            Section::Key { name, content } => self.key(name, &content).map(Item::Key),
            Section::Table(table) => {
                self.end_table();
                let known = self.rows.contains_key(&table.name);
                if known || table.columns.is_empty() {
                    return Err(damaged(&format!("table {} is in it twice or empty", table.name)));
                }
                self.table = Some((table.clone(), 0));
                Ok(Item::Table(table))
            }
            Section::End(_) => Err(Fault::broken("an end that was not handled")),
        }
    }

    fn key(&mut self, name: String, content: &str) -> Result<KeyFile, Fault> {
        self.keys += 1;
        match BASE64.decode(content) {
            Ok(content) if KeyFile::may_be_named(&name) && self.keys <= KEYS_MAX && self.table.is_none() => {
                Ok(KeyFile {
                    name,
                    content: content.into(),
                })
            }
            _ => Err(damaged("it has a key that is none")),
        }
    }

    fn row(&mut self) -> Result<Vec<Cell>, Fault> {
        self.digest.update(&*self.line);
        let Some((table, rows)) = &mut self.table else {
            return Err(damaged("it has a row without a table"));
        };
        *rows += 1;
        let wrong = || damaged(&format!("row {rows} of {} does not fit its columns", table.name));
        let values: Vec<Value> = serde_json::from_slice(&self.line).map_err(|_| wrong())?;
        if values.len() != table.columns.len() {
            return Err(wrong());
        }
        let cells = table.columns.iter().zip(values);
        cells
            .map(|(column, value)| Cell::read(column.kind, value))
            .collect::<Option<_>>()
            .ok_or_else(wrong)
    }

    fn end(&mut self, trailer: Trailer) -> Result<Trailer, Fault> {
        self.end_table();
        if trailer.sha256 != hex::encode(self.digest.clone().finalize()) {
            return Err(damaged("its content is not what its checksum was made of"));
        }
        if trailer.rows != self.rows {
            return Err(damaged("the number of its rows is not what its end says"));
        }
        let unreadable = |error: std::io::Error| damaged(&error.to_string());
        // Reading to the very end also makes gzip compare its own checksum.
        let more = self.lines.fill_buf().map_err(unreadable)?.len();
        let after = self
            .lines
            .get_mut()
            .get_mut()
            .fill_buf()
            .map_err(unreadable)?
            .len();
        if more + after > 0 {
            return Err(damaged("something follows after its end"));
        }
        Ok(trailer)
    }

    fn end_table(&mut self) {
        self.rows
            .extend(self.table.take().map(|(table, rows)| (table.name, rows)));
    }

    /// Reads one line, whole, into `self.line`.
    fn read_line(&mut self) -> Result<(), Fault> {
        self.line.clear();
        let max = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
        (&mut self.lines)
            .take(max)
            .read_until(b'\n', &mut self.line)
            .map_err(|error| damaged(&error.to_string()))?;
        match self.line.last() {
            Some(b'\n') => Ok(()),
            Some(_) if self.line.len() >= LINE_BYTES_MAX => Err(damaged("it has a line without an end")),
            _ => Err(damaged("it stops before its end")),
        }
    }
}

fn damaged(why: &str) -> Fault {
    Fault::broken(format!("this backup is damaged: {why}. Nothing was restored"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::archive::LogFacts;
    use crate::db::archive_writing::Writer;
    use crate::db::layout::{Column, Kind};

    fn header() -> Header {
        Header {
            format: FORMAT.into(),
            version: "0".into(),
            made_at: "2026-03-02T00:00:00.000000Z".into(),
            migrations: vec!["0001".into()],
            log: LogFacts {
                origin: "o".into(),
                key: "k".into(),
                size: 0,
                root: String::new(),
            },
        }
    }

    fn every_kind() -> (Table, Vec<Vec<Cell>>) {
        let columns = Kind::ALL.map(|kind| Column {
            name: kind.name().into(),
            kind,
        });
        let table = Table {
            name: "kinds".into(),
            key: Vec::new(),
            columns: columns.to_vec(),
        };
        let at = |text: &str| Cell::Timestamp(text.parse().unwrap());
        let on = |text: &str| Cell::Date(text.parse().unwrap());
        let rows = vec![
            vec![
                Cell::BigInt(i64::MIN),
                Cell::Text("字\"\\\n\u{1F3EE}".into()),
                Cell::Bool(true),
                at("1969-12-31T23:59:59.999999"),
                on("0001-01-01"),
                Cell::Binary((0..=255).collect()),
            ],
            vec![
                Cell::BigInt(i64::MAX),
                Cell::Text(String::new()),
                Cell::Bool(false),
                at("2026-03-02T00:00:00"),
                on("9999-12-31"),
                Cell::Binary(Vec::new()),
            ],
            vec![Cell::Null; 6],
        ];
        (table, rows)
    }

    fn archive() -> Vec<u8> {
        let (table, rows) = every_kind();
        let mut writer = Writer::begin(Vec::new(), &header()).unwrap();
        writer
            .key(&KeyFile {
                name: "log.key".into(),
                content: b"secret".to_vec().into(),
            })
            .unwrap();
        writer.table(&table).unwrap();
        for row in &rows {
            writer.row(row).unwrap();
        }
        writer.end().unwrap().1
    }

    fn read(bytes: &[u8]) -> Result<(Vec<KeyFile>, Vec<Vec<Cell>>), Fault> {
        let (_, mut reader) = Reader::open(bytes)?;
        let (mut keys, mut rows) = (Vec::new(), Vec::new());
        loop {
            match reader.next_item()? {
                Item::Key(key) => keys.push(key),
                Item::Table(_) => {}
                Item::Row(row) => rows.push(row),
                Item::End(_) => return Ok((keys, rows)),
            }
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let (keys, rows) = read(&archive()).unwrap();
        assert_eq!(rows, every_kind().1);
        assert_eq!(
            (keys.len(), keys[0].content.as_slice()),
            (1, b"secret".as_slice())
        );
        assert!(!format!("{keys:?}").contains("secret"));
    }

    #[test]
    fn no_shorter_longer_or_other_file_is_accepted() {
        let whole = archive();
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "cut at {length}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert!(read(&longer).is_err());
        let content = read(&whole).unwrap();
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut other = whole.clone();
                other[place] ^= 1 << bit;
                // A few bits of gzip mean nothing: the time in its header, the padding of its last block.
                assert!(read(&other).map_or(true, |read| read == content), "{place}.{bit}");
            }
        }
    }

    #[test]
    fn a_row_that_is_missing_is_missed_even_with_a_fitting_checksum() {
        let (table, rows) = every_kind();
        let mut writer = Writer::begin(Vec::new(), &header()).unwrap();
        writer.table(&table).unwrap();
        writer.row(&rows[0]).unwrap();
        writer.table.as_mut().unwrap().1 = 2;
        let error = read(&writer.end().unwrap().1).unwrap_err().to_string();
        assert!(error.contains("number of its rows"), "{error}");
    }

    #[test]
    fn a_key_is_a_file_in_the_directory_of_keys_and_nowhere_else() {
        for name in ["../log.key", "a/b.key", ".key", "log", "/log.key", "Log.key"] {
            let mut writer = Writer::begin(Vec::new(), &header()).unwrap();
            let key = KeyFile {
                name: name.into(),
                content: Vec::new().into(),
            };
            assert!(writer.key(&key).is_err(), "{name}");
            let content = String::new();
            let name = name.to_owned();
            writer.put(&Section::Key { name, content }).unwrap();
            assert!(read(&writer.end().unwrap().1).is_err(), "{}", key.name);
        }
    }

    #[test]
    fn nanoseconds_are_refused_rather_than_lost() {
        let mut writer = Writer::begin(Vec::new(), &header()).unwrap();
        writer.table(&every_kind().0).unwrap();
        let odd = "2026-03-02T00:00:00.000000001".parse().unwrap();
        assert!(writer.row(&[Cell::Timestamp(odd)]).is_err());
    }

    #[test]
    fn a_later_format_says_so() {
        let later = Header {
            format: "wardbook-backup/2".into(),
            ..header()
        };
        let bytes = Writer::begin(Vec::new(), &later).unwrap().end().unwrap().1;
        assert!(read(&bytes).unwrap_err().to_string().contains("newer wardbook"));
        assert!(
            read(b"no gzip at all")
                .unwrap_err()
                .to_string()
                .contains("not a wardbook backup")
        );
    }
}
