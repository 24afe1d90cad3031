//! Writes an archive in the format that `archive` describes. Never writes what reading would refuse.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::db::archive::{Cell, Header, KeyFile, LINE_BYTES_MAX, Section, Trailer};
use crate::db::layout::Table;
use crate::kernel::refusal::Fault;

/// Writes an archive, line by line.
pub struct Writer<W: Write> {
    out: GzEncoder<BufWriter<W>>,
    digest: Sha256,
    line: Zeroizing<Vec<u8>>,
    rows: BTreeMap<String, u64>,
    pub(super) table: Option<(String, u64)>,
}

impl<W: Write> Writer<W> {
    /// Begins an archive.
    ///
    /// # Errors
    /// A fault if it cannot be written.
    pub fn begin(out: W, header: &Header) -> Result<Self, Fault> {
        let mut writer = Self {
            out: GzEncoder::new(BufWriter::new(out), Compression::default()),
            digest: Sha256::new(),
            line: Zeroizing::default(),
            rows: BTreeMap::new(),
            table: None,
        };
        writer.put(header)?;
        Ok(writer)
    }

    /// Writes a key; before all tables.
    ///
    /// # Errors
    /// As [`Self::begin`]; a fault if reading would refuse the name.
    pub fn key(&mut self, key: &KeyFile) -> Result<(), Fault> {
        if !KeyFile::may_be_named(&key.name) {
            return Err(Fault::broken(format!(
                "{:?} is among the keys, but a key's name is of lower-case letters, digits and hyphens and ends in .key",
                key.name
            )));
        }
        self.put(&Section::Key {
            name: key.name.clone(),
            content: BASE64.encode(&*key.content),
        })
    }

    /// Begins a table; the rows that follow are its own.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn table(&mut self, table: &Table) -> Result<(), Fault> {
        self.end_table();
        self.put(&Section::Table(table.clone()))?;
        self.table = Some((table.name.clone(), 0));
        Ok(())
    }

    /// Writes a row and tells how many the table has by now.
    ///
    /// # Errors
    /// As [`Self::begin`]; a fault if the row is longer than a line may be.
    pub fn row(&mut self, cells: &[Cell]) -> Result<u64, Fault> {
        self.put(&Row(cells))?;
        let (_, rows) = self
            .table
            .as_mut()
            .ok_or_else(|| Fault::broken("a row without a table"))?;
        *rows += 1;
        Ok(*rows)
    }

    /// Ends the archive and gives back what it was written to.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn end(mut self) -> Result<(Trailer, W), Fault> {
        self.end_table();
        let trailer = Trailer {
            rows: std::mem::take(&mut self.rows),
            sha256: hex::encode(self.digest.clone().finalize()),
        };
        self.put(&Section::End(trailer.clone()))?;
        let out = self
            .out
            .finish()
            .map_err(writing)?
            .into_inner()
            .map_err(|error| writing(error.into_error()))?;
        Ok((trailer, out))
    }

    fn end_table(&mut self) {
        self.rows.extend(self.table.take());
    }

    pub(super) fn put(&mut self, line: &impl Serialize) -> Result<(), Fault> {
        self.line.clear();
        serde_json::to_writer(&mut *self.line, line).map_err(|error| Fault::caused("write a line", error))?;
        self.line.push(b'\n');
        if self.line.len() > LINE_BYTES_MAX {
            return Err(Fault::broken(format!(
                "a row of {} bytes is longer than an archive's line may be",
                self.line.len()
            )));
        }
        self.digest.update(&*self.line);
        self.out.write_all(&self.line).map_err(writing)
    }
}

fn writing(error: std::io::Error) -> Fault {
    Fault::caused("write the archive", error)
}

struct Row<'a>(&'a [Cell]);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut row = to.serialize_seq(Some(self.0.len()))?;
        for cell in self.0 {
            row.serialize_element(cell)?;
        }
        row.end()
    }
}
