//! Mail addresses and names of recipients, checked so that nothing in them can end a header or begin a command. An address
//! is personal: it is never written out whole but where a mail is sent.

use std::fmt;
use std::str::FromStr;

/// Characters of an address (RFC 5321 §4.5.3.1.3, less the angle brackets).
pub const ADDRESS_LENGTH_MAX: usize = 254;

/// Characters of a recipient's name; what is longer is cut.
pub const NAME_LENGTH_MAX: usize = 100;

/// The text is no mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a mail address")]
pub struct NotAnAddress;

/// A mail address. Whoever prints it sees `w***@example.org`; [`Address::whole`] is for the envelope and the table.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address(lettre::Address);

impl Address {
    /// The address itself.
    pub fn whole(&self) -> &str {
        self.0.as_ref()
    }

    /// The address as lettre has it.
    pub(super) fn inner(&self) -> &lettre::Address {
        &self.0
    }

    /// What people who are not its owner may see of it.
    pub fn masked(&self) -> String {
        let first: String = self.0.user().chars().take(1).collect();
        format!("{first}***@{}", self.0.domain())
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    /// Quoted local parts, which may hold anything, and domains that are no names are refused although RFC 5321 knows them:
    /// nobody has such an address, and everybody who forges one does.
    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let plain = text
            .chars()
            .all(|c| !c.is_whitespace() && !is_hidden(c) && !"\"()<>[]:;,\\".contains(c));
        if !plain || text.chars().count() > ADDRESS_LENGTH_MAX {
            return Err(NotAnAddress);
        }
        let address: lettre::Address = text.parse().map_err(|_| NotAnAddress)?;
        if address.domain().parse::<std::net::IpAddr>().is_ok() {
            return Err(NotAnAddress);
        }
        Ok(Self(address))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// True for what a reader does not see, and for what makes them see another text than the one that is there: controls,
/// and the marks that turn the direction of writing.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

/// A text for one line, a subject or a name: hidden characters and line ends are spaces, and it is cut at `length_max`
/// characters.
pub fn one_line(text: &str, length_max: usize) -> String {
    let visible: String = text
        .chars()
        .map(|c| if is_hidden(c) { ' ' } else { c })
        .take(length_max.saturating_mul(2))
        .collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    words.join(" ").chars().take(length_max).collect()
}

/// A text for a body: line ends stay, hidden characters go, and it is cut at `length_max` characters.
pub fn several_lines(text: &str, length_max: usize) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .filter(|c| *c == '\n' || !is_hidden(*c))
        .take(length_max)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_shown_to_others_without_its_name() {
        let address: Address = "wang.wei@example.org".parse().unwrap();
        assert_eq!(address.to_string(), "w***@example.org");
        assert_eq!(format!("{address:?}"), "w***@example.org");
        assert_eq!(address.whole(), "wang.wei@example.org");
        assert_eq!(
            "王伟@例子.中国".parse::<Address>().unwrap().masked(),
            "王***@例子.中国"
        );
    }

    #[test]
    fn what_could_end_a_header_or_begin_a_command_is_no_address() {
        let long = format!("{}@example.org", "a".repeat(ADDRESS_LENGTH_MAX));
        for bad in [
            "",
            "a",
            "a@",
            "@example.org",
            "a b@example.org",
            "a@example.org\r\nBcc: b@example.org",
            "a@example.org\n",
            "a\0@example.org",
            "\"a\r\nRCPT TO:<b@example.org>\"@example.org",
            "\"a b\"@example.org",
            "a@example.org>",
            "a@example.org,b@example.org",
            "Wang <a@example.org>",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a\u{202e}b@example.org",
            &long,
        ] {
            assert!(bad.parse::<Address>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(
            one_line("  王\r\nBcc: x@y.z\u{202e}\0 伟\u{2029}", 100),
            "王 Bcc: x@y.z 伟"
        );
        assert_eq!(one_line(&"长".repeat(500), 100).chars().count(), 100);
        assert_eq!(several_lines("一\r\n二\u{202e}\0\u{7}\n三", 100), "一\n二\n三");
    }

    proptest! {
        #[test]
        fn no_text_becomes_two_lines_or_an_address_with_a_break(text in any::<String>()) {
            prop_assert!(!one_line(&text, 50).contains(|c: char| c.is_control()));
            if let Ok(address) = text.parse::<Address>() {
                prop_assert!(!address.whole().contains(|c: char| c.is_control() || c.is_whitespace()));
            }
        }
    }
}
