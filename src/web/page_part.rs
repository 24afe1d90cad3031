//! A part of a page that has a title of its own: paragraphs, commands to be typed elsewhere, ways to go on.

use crate::kernel::text::Text;

/// A way to somewhere in this service.
pub(super) struct Link {
    /// What is read.
    pub(super) label: Text,
    /// Where it leads.
    pub(super) path: String,
    /// True for another page, which is then in the same language.
    pub(super) is_page: bool,
}

impl Link {
    /// A way to another page.
    pub(super) fn to_page(label: Text, path: impl Into<String>) -> Self {
        let (path, is_page) = (path.into(), true);
        Self { label, path, is_page }
    }

    /// What stands between the path and the language of a page.
    pub(super) fn joint(&self) -> &'static str {
        if self.path.contains('?') { "&" } else { "?" }
    }

    /// A way to something that is no page.
    pub(super) fn to_file(label: Text, path: impl Into<String>) -> Self {
        let (path, is_page) = (path.into(), false);
        Self { label, path, is_page }
    }
}

/// A text as HTML in which no two slashes are side by side: nothing of it is to be taken for an address.
pub(super) fn without_addresses(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => html.push_str("&#60;"),
            '>' => html.push_str("&#62;"),
            '&' => html.push_str("&#38;"),
            '/' => html.push_str("&#47;"),
            other => html.push(other),
        }
    }
    html
}

/// A part of a page with a title of its own.
pub struct Part {
    pub(super) title: Text,
    pub(super) paragraphs: Vec<Text>,
    /// As HTML.
    pub(super) commands: Option<String>,
    pub(super) links: Vec<Link>,
}

impl Part {
    /// A part that has nothing but a title.
    pub const fn new(title: Text) -> Self {
        Self {
            title,
            paragraphs: Vec::new(),
            commands: None,
            links: Vec::new(),
        }
    }

    /// The same with a paragraph.
    #[must_use]
    pub fn says(mut self, text: Text) -> Self {
        self.paragraphs.push(text);
        self
    }

    /// The same with commands to be typed elsewhere.
    #[must_use]
    pub fn runs(mut self, commands: impl AsRef<str>) -> Self {
        self.commands = Some(without_addresses(commands.as_ref()));
        self
    }

    /// The same with a way to another page of this service.
    #[must_use]
    pub fn leads_to(mut self, label: Text, path: impl Into<String>) -> Self {
        self.links.push(Link::to_page(label, path));
        self
    }

    /// The same with a way to something of this service that is no page.
    #[must_use]
    pub fn points_to(mut self, label: Text, path: impl Into<String>) -> Self {
        self.links.push(Link::to_file(label, path));
        self
    }
}
