//! Documents to be printed: put together from pieces in both languages and written by one template, in Chinese, in English, or in both
//! side by side. A document loads nothing and runs nothing; its style is known to the content security policy by its hash. How it
//! breaks into pages is the style's to say: A4, headings with what follows them, heads of tables on every page, numbered pages.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_LANGUAGE, HeaderValue};
use askama::Template;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use sha2::{Digest, Sha256};

use crate::kernel::refusal::{Answer, Fault};
use crate::kernel::text::{Language, Text};
use crate::web::envelope::CONTENT_SECURITY_POLICY;

const STYLE: &str = include_str!("../../templates/print.css");

static SECURITY_POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
});

/// In which language a document is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    /// In one.
    One(Language),
    /// In both, side by side.
    Both,
}

impl Tongue {
    /// All three with their names in a query; Chinese by its short name as well.
    pub const NAMED: [(&'static str, Self); 4] = [
        ("zh-CN", Self::One(Language::Chinese)),
        ("zh", Self::One(Language::Chinese)),
        ("en", Self::One(Language::English)),
        ("both", Self::Both),
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::One(language) => language.tag(),
            Self::Both => "both",
        }
    }

    const fn content_language(self) -> &'static str {
        match self {
            Self::One(language) => language.tag(),
            Self::Both => "zh-CN, en",
        }
    }
}

/// What stands in a cell of a table: lines.
pub type Cell = Vec<Text>;

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// What it is called.
    pub name: Text,
    /// True for numbers, which stand at the right.
    pub is_number: bool,
    /// True for a quarter of the width, whatever the other columns hold.
    pub is_wide: bool,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// What it shows.
    pub caption: Text,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each with as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows. The columns of numbers are those whose place is listed.
    pub fn new<const N: usize>(caption: Text, names: [Text; N], numbers: &[usize]) -> Self {
        let columns = names.into_iter().enumerate().map(|(at, name)| Column {
            name,
            is_number: numbers.contains(&at),
            is_wide: false,
        });
        Self {
            caption,
            columns: columns.collect(),
            rows: Vec::new(),
        }
    }

    /// The same with a column that keeps a quarter of the width.
    #[must_use]
    pub fn wide(mut self, at: usize) -> Self {
        if let Some(column) = self.columns.get_mut(at) {
            column.is_wide = true;
        }
        self
    }

    /// The cells of a row, and which of them are numbers.
    fn cells<'t>(&'t self, row: &'t [Cell]) -> impl Iterator<Item = (&'t Cell, bool)> {
        let is_number = self.columns.iter().map(|column| column.is_number);
        row.iter().zip(is_number)
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }
}

/// A numbered clause.
#[derive(Clone, Debug)]
pub struct Clause {
    /// Its number.
    pub number: String,
    /// What it says.
    pub text: Text,
}

/// A piece of a document.
#[derive(Clone, Debug)]
pub enum Block {
    /// The heading of a part.
    Part(Text),
    /// The heading of a section within a part.
    Section(Text),
    /// A paragraph.
    Paragraph(Text),
    /// Something that nobody must overlook.
    Warning(Text),
    /// What is what, a line each.
    Facts(Vec<(Text, Cell)>),
    /// Clauses.
    Clauses(Vec<Clause>),
    /// A table.
    Table(Table),
    /// Something to be scanned, on a piece of its own that can be cut out.
    Code(Code),
}

/// A QR code with what is read beside it.
#[derive(Clone, Debug)]
pub struct Code {
    /// What it stands for.
    pub title: Text,
    /// What to do with it.
    pub hint: Text,
    /// The drawing, made by [`qr`].
    drawing: String,
    /// The same to be typed.
    pub typed: String,
}

impl Code {
    /// The QR code of a link.
    ///
    /// # Errors
    /// As [`qr`].
    pub fn of(link: &str, title: Text, hint: Text, typed: String) -> Result<Self, Fault> {
        Ok(Self {
            title,
            hint,
            drawing: qr(link)?,
            typed,
        })
    }
}

/// The QR code of a link as SVG, to stand inside a page.
///
/// # Errors
/// A fault if a QR code cannot hold the link, which an address of usual length never causes.
pub fn qr(link: &str) -> Result<String, Fault> {
    let code = QrCode::with_error_correction_level(link, EcLevel::M)
        .map_err(|error| Fault::caused("draw a QR code", error))?;
    let drawing = code.render::<svg::Color<'_>>().min_dimensions(180, 180).build();
    // It stands inside a page, where an XML declaration has no place.
    let start = drawing.find("<svg").unwrap_or_default();
    Ok(drawing.get(start..).unwrap_or_default().to_owned())
}

/// A document without a language yet.
#[derive(Clone, Debug)]
pub struct Document {
    /// What sort of document it is.
    pub kind: Text,
    /// Its title.
    pub title: Text,
    /// Its pieces, from top to bottom.
    pub blocks: Vec<Block>,
}

#[derive(Template)]
#[template(path = "print.html")]
struct Html<'a> {
    tongue: Tongue,
    ward: &'a Text,
    style: &'static str,
    document: &'a Document,
}

impl Html<'_> {
    fn lang(&self) -> &'static str {
        match self.tongue {
            Tongue::One(language) => language.tag(),
            Tongue::Both => Language::Chinese.tag(),
        }
    }

    /// True if a text has to be said twice.
    fn is_two(&self, text: &Text) -> bool {
        self.tongue == Tongue::Both && text.zh() != text.en()
    }

    fn say<'t>(&self, text: &'t Text) -> &'t str {
        match self.tongue {
            Tongue::One(language) => text.in_language(language),
            Tongue::Both => text.zh(),
        }
    }

    fn tongues(&self) -> [(&'static str, &'static str, bool); 3] {
        let labels = ["中文", "English", "中英对照 Both"];
        // Chinese has two names, and is one choice.
        let named = Tongue::NAMED.into_iter().filter(|(name, _)| *name != "zh");
        let mut named = named
            .zip(labels)
            .map(|((name, tongue), label)| (name, label, tongue == self.tongue));
        std::array::from_fn(|_| named.next().unwrap_or_default())
    }
}

impl Document {
    /// The document as HTML.
    ///
    /// # Errors
    /// A fault if the template cannot be written, which a test would have shown.
    pub fn written(&self, ward: &Text, tongue: Tongue) -> Result<String, Fault> {
        let html = Html {
            tongue,
            ward,
            style: STYLE,
            document: self,
        };
        html.render()
            .map_err(|error| Fault::caused("write a document to be printed", error))
    }

    /// The document as an answer.
    ///
    /// # Errors
    /// As [`Self::written`].
    pub fn answer(&self, ward: &Text, tongue: Tongue) -> Answer<HttpResponse> {
        let html = self.written(ward, tongue)?;
        let language = HeaderValue::from_static(tongue.content_language());
        Ok(HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_LANGUAGE, language))
            .insert_header((CONTENT_SECURITY_POLICY, SECURITY_POLICY.as_str()))
            .body(html))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let mut table = Table::new(
            Text::fixed("表", "Table"),
            [Text::fixed("名称", "Name"), Text::fixed("数量", "Amount")],
            &[1],
        );
        table.row([
            vec![Text::fixed("道路<b>", "Roads")],
            vec![Text::fixed("58000", "58000")],
        ]);
        Document {
            kind: Text::fixed("责任书", "Book"),
            title: Text::fixed("甲 & 乙", "A & B"),
            blocks: vec![
                Block::Part(Text::fixed("一、责任", "1 Duties")),
                Block::Section(Text::fixed("采购人", "The buyer")),
                Block::Warning(Text::fixed("草案", "A draft")),
                Block::Clauses(vec![Clause {
                    number: "1.1".to_owned(),
                    text: Text::fixed("清扫", "Sweeps"),
                }]),
                Block::Facts(vec![(
                    Text::fixed("编号", "Id"),
                    vec![Text::fixed("book_1", "book_1")],
                )]),
                Block::Paragraph(Text::fixed("段落", "A paragraph")),
                Block::Table(table),
                Block::Code(
                    Code::of(
                        "https://ward.example/r/AB",
                        Text::fixed("公厕", "Toilet"),
                        Text::fixed("扫码", "Scan"),
                        "AB".to_owned(),
                    )
                    .unwrap(),
                ),
            ],
        }
    }

    fn written(tongue: Tongue) -> String {
        document()
            .written(&Text::fixed("甲区", "A ward"), tongue)
            .unwrap()
    }

    #[test]
    fn a_document_is_in_one_language_or_in_both() {
        let (zh, en, both) = (
            written(Tongue::One(Language::Chinese)),
            written(Tongue::One(Language::English)),
            written(Tongue::Both),
        );
        for (chinese, english) in [
            ("清扫", "Sweeps"),
            ("草案", "A draft"),
            ("名称", "Name"),
            ("一、责任", "1 Duties"),
            ("段落", "A paragraph"),
            ("公厕", "Toilet"),
        ] {
            assert!(zh.contains(chinese) && !zh.contains(english), "{chinese}");
            assert!(en.contains(english) && !en.contains(chinese), "{english}");
            assert!(both.contains(chinese) && both.contains(english), "{chinese}");
        }
        // Each choice leads to itself, and the one that is shown is marked.
        for page in [&zh, &en, &both] {
            let links: Vec<&str> = page
                .split("href=\"?lang=")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .collect();
            assert_eq!(links, ["zh-CN", "en", "both"]);
            assert_eq!(
                page.matches("<a aria-current").count() + page.matches("\" aria-current").count(),
                1
            );
        }
        // What is the same in both languages is said once.
        assert_eq!(both.matches("58000").count(), 1);
        assert!(zh.contains("<html lang=\"zh-CN\">") && en.contains("<html lang=\"en\">"));
    }

    #[test]
    fn whatever_was_entered_is_text_and_nothing_is_loaded_or_run() {
        let page = written(Tongue::Both);
        assert!(
            page.contains("道路&#60;b&#62;") && page.contains("甲 &#38; 乙"),
            "{page}"
        );
        assert!(page.contains("<svg") && !page.contains("<?xml"));
        for foreign in ["<script", "src=", "url(", "style=\"", "@import"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        let (_, rest) = page.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let hash = BASE64_STANDARD.encode(Sha256::digest(style));
        assert!(SECURITY_POLICY.contains(&format!("style-src 'sha256-{hash}'")));
    }
}
