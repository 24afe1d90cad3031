//! A table as a workbook (XLSX: ISO/IEC 29500 Office Open XML), written by hand: one sheet in a ZIP file whose parts are stored and not compressed. Amounts are written as
//! the decimals that they are; a writer that takes floating-point numbers was rejected for that.

use crate::kernel::refusal::Fault;
use crate::kernel::text::plain_cell;

/// The media type of a workbook.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Words.
    Text(String),
    /// An exact decimal: digits, perhaps a sign and a point.
    Number(String),
}

impl Cell {
    /// The cell as a field of a CSV table.
    pub fn field(&self) -> &str {
        match self {
            Self::Empty => "",
            Self::Text(text) | Self::Number(text) => text,
        }
    }

    /// The same with words of which no spreadsheet makes a formula, for what came from elsewhere.
    pub fn plain_field(&self) -> String {
        match self {
            Self::Text(text) => plain_cell(text),
            other => other.field().to_owned(),
        }
    }
}

/// A table with one line of headings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What the sheet is called, up to 31 characters.
    pub title: &'static str,
    /// The headings.
    pub header: Vec<String>,
    /// The lines.
    pub rows: Vec<Vec<Cell>>,
}

const CONTENT_TYPES: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
    <Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
    <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
    <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
    <Override PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>\
    <Override PartName=\"/xl/worksheets/sheet1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>\
    <Override PartName=\"/xl/styles.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml\"/></Types>";
const RELATIONS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
    <Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
    <Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>";
const WORKBOOK_RELATIONS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
    <Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
    <Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/>\
    <Relationship Id=\"rId2\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles\" Target=\"styles.xml\"/></Relationships>";
/// The second format is that of headings, which are bold.
const STYLES: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
    <styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">\
    <fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font><font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts>\
    <fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill></fills>\
    <borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
    <cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>\
    <cellXfs count=\"2\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>\
    <xf numFmtId=\"0\" fontId=\"1\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyFont=\"1\"/></cellXfs></styleSheet>";

impl Table {
    /// The table as a workbook.
    ///
    /// # Errors
    /// A fault if it is larger than a ZIP file of the plain kind can be.
    pub fn workbook(&self) -> Result<Vec<u8>, Fault> {
        let workbook = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
             <workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
             xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">\
             <sheets><sheet name=\"{}\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
            escaped(self.title)
        );
        zipped(&[
            ("[Content_Types].xml", CONTENT_TYPES),
            ("_rels/.rels", RELATIONS),
            ("xl/workbook.xml", &workbook),
            ("xl/_rels/workbook.xml.rels", WORKBOOK_RELATIONS),
            ("xl/styles.xml", STYLES),
            ("xl/worksheets/sheet1.xml", &self.sheet()),
        ])
    }

    fn sheet(&self) -> String {
        let mut sheet = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
             <worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetViews><sheetView workbookViewId=\"0\">\
             <pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews><sheetData><row>",
        );
        for heading in &self.header {
            sheet.push_str("<c s=\"1\" t=\"inlineStr\"><is><t xml:space=\"preserve\">");
            sheet.push_str(&escaped(heading));
            sheet.push_str("</t></is></c>");
        }
        sheet.push_str("</row>");
        for row in &self.rows {
            sheet.push_str("<row>");
            for cell in row {
                match cell {
                    Cell::Empty => sheet.push_str("<c/>"),
                    Cell::Number(number) => {
                        sheet.push_str("<c><v>");
                        sheet.push_str(&escaped(number));
                        sheet.push_str("</v></c>");
                    }
                    Cell::Text(text) => {
                        sheet.push_str("<c t=\"inlineStr\"><is><t xml:space=\"preserve\">");
                        sheet.push_str(&escaped(text));
                        sheet.push_str("</t></is></c>");
                    }
                }
            }
            sheet.push_str("</row>");
        }
        sheet.push_str("</sheetData></worksheet>");
        sheet
    }
}

/// Text as XML has it. What XML has no character for is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => {}
            _ if character < ' ' => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The checksum of ZIP, bit by bit (ISO 3309).
fn checksum(bytes: &[u8]) -> u32 {
    let mut rest = u32::MAX;
    for byte in bytes {
        rest ^= u32::from(*byte);
        for _ in 0..8 {
            rest = (rest >> 1) ^ (0xedb8_8320 & (rest & 1).wrapping_neg());
        }
    }
    !rest
}

fn long(number: usize) -> Result<[u8; 4], Fault> {
    let number = u32::try_from(number).map_err(|error| Fault::caused("write a workbook", error))?;
    Ok(number.to_le_bytes())
}

fn short(number: usize) -> Result<[u8; 2], Fault> {
    let number = u16::try_from(number).map_err(|error| Fault::caused("write a workbook", error))?;
    Ok(number.to_le_bytes())
}

/// What a file's entry says of it, here and in the directory at the end: version 2.0, names in UTF-8, stored, the first of January 1980.
fn entry(name: &str, content: &str) -> Result<Vec<u8>, Fault> {
    let mut entry = vec![20, 0, 0, 8, 0, 0, 0, 0, 33, 0];
    entry.extend(checksum(content.as_bytes()).to_le_bytes());
    entry.extend(long(content.len())?);
    entry.extend(long(content.len())?);
    entry.extend(short(name.len())?);
    entry.extend([0, 0]);
    Ok(entry)
}

/// These files as a ZIP file.
fn zipped(files: &[(&str, &str)]) -> Result<Vec<u8>, Fault> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let entry = entry(name, content)?;
        directory.extend([0x50, 0x4b, 1, 2, 20, 0]);
        directory.extend(&entry);
        directory.extend([0; 10]);
        directory.extend(long(zip.len())?);
        directory.extend(name.as_bytes());
        zip.extend([0x50, 0x4b, 3, 4]);
        zip.extend(&entry);
        zip.extend(name.as_bytes());
        zip.extend(content.as_bytes());
    }
    let begins = zip.len();
    zip.extend(&directory);
    zip.extend([0x50, 0x4b, 5, 6, 0, 0, 0, 0]);
    zip.extend(short(files.len())?);
    zip.extend(short(files.len())?);
    zip.extend(long(directory.len())?);
    zip.extend(long(begins)?);
    zip.extend([0, 0]);
    Ok(zip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_zip() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum(b""), 0);
    }

    #[test]
    fn amounts_stay_exact_and_words_cannot_break_out() {
        let table = Table {
            title: "支出 spending",
            header: vec!["已支付 <Paid>".to_owned()],
            rows: vec![vec![
                Cell::Number("90071992547409.93".to_owned()),
                Cell::Text("a & \"b\" \u{1}<c>".to_owned()),
                Cell::Empty,
            ]],
        };
        let workbook = table.workbook().unwrap();
        let text = String::from_utf8_lossy(&workbook);
        assert!(
            text.contains("<v>90071992547409.93</v>") && text.contains("a &amp; &quot;b&quot; &lt;c&gt;")
        );
        assert!(text.contains("已支付 &lt;Paid&gt;") && text.contains("<c/>"));
        assert!(workbook.starts_with(b"PK\x03\x04"));
        assert_eq!(
            workbook.windows(4).filter(|four| four == b"PK\x01\x02").count(),
            6
        );
    }
}
