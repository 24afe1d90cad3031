//! Takes a file apart into releases and records while it is read: whatever it is — a release, a record, a package of either, an array of any of them, or one
//! after the other on lines, packed with gzip or not; its bytes decide, never its name. Only one release is ever held, and only up to a bound: what is
//! larger, deeper or of more values is passed over and told. Knows only brackets, quotes and members; what is between them is read by others. Pure but for
//! the reader that it is given.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use crate::imports::rules_findings::{Code, Finding, step};

/// Bounds of one release, or of what stands around releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes.
    pub bytes_max: usize,
    /// Values in each other.
    pub depth_max: usize,
    /// Values.
    pub values_max: usize,
}

impl Bounds {
    /// Those that imports have.
    pub const USUAL: Self = Self {
        bytes_max: 8 * 1024 * 1024,
        depth_max: 32,
        values_max: 200_000,
    };
}

/// Packages in each other, and arrays around them.
const CONTAINERS_MAX: usize = 6;

/// What was taken out of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// An object that holds no others: a release, or what stands around releases.
    Object {
        /// Where it begins in the file, as a JSON pointer; the first part is the number of the document.
        pointer: String,
        /// Its bytes, without the arrays `releases` and `records`.
        bytes: Vec<u8>,
        /// Whether it had such an array.
        is_container: bool,
        /// The number of the object it stands in, if it stands in one.
        parent: Option<u64>,
        /// Its own number.
        number: u64,
    },
    /// Something that was passed over.
    Finding(Finding),
}

/// Whether bytes begin as gzip does.
fn is_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// A reader of what a file says, unpacked if it is packed.
///
/// # Errors
/// Those of the reader.
pub fn unpacked<R: Read + 'static>(reader: R) -> io::Result<Box<dyn BufRead>> {
    let mut buffered = BufReader::with_capacity(64 * 1024, reader);
    if is_packed(buffered.fill_buf()?) {
        return Ok(Box::new(BufReader::with_capacity(
            64 * 1024,
            MultiGzDecoder::new(buffered),
        )));
    }
    Ok(Box::new(buffered))
}

/// Why reading ended before the file did.
#[derive(Debug)]
enum Broken {
    /// The file could not be read.
    Io(io::Error),
    /// What is there cannot be taken apart.
    Shape(Code, String),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Whether a value fits, as far as it was seen.
#[derive(Clone, Copy, Debug, Default)]
struct Measure {
    values: usize,
    excess: Option<Code>,
}

/// Takes a file apart and gives each piece to `take`, which may stop everything.
///
/// # Errors
/// Those of `take`, and of the reader. A file that breaks off is no error but a finding.
pub fn pieces<E: From<io::Error>>(
    reader: impl BufRead,
    bounds: Bounds,
    take: &mut dyn FnMut(Piece) -> Result<(), E>,
) -> Result<(), E> {
    let mut splitter = Splitter {
        reader,
        bounds,
        number: 0,
    };
    let mut document = 0_u64;
    match splitter.skip_mark().and_then(|()| splitter.peek()) {
        Ok(_) => {}
        Err(Broken::Io(error)) => return end(error, "", take),
        Err(Broken::Shape(code, found)) => return take(Piece::Finding(Finding::at(code, "", &found, ""))),
    }
    loop {
        let pointer = format!("/{document}");
        let next = match splitter.peek() {
            Ok(next) => next,
            Err(Broken::Io(error)) => return end(error, &pointer, take),
            Err(Broken::Shape(code, found)) => {
                return take(Piece::Finding(Finding::at(code, &pointer, &found, "")));
            }
        };
        match next {
            None if document == 0 => {
                return take(Piece::Finding(Finding::at(Code::EmptyFile, "", "", "")));
            }
            None => return Ok(()),
            // Between the values of a file that has a comma at the end of each line.
            Some(b',') if document > 0 => splitter.reader.consume(1),
            Some(_) => {
                let mut pending = None;
                let done = splitter.value(&pointer, (0, None), &mut |piece| {
                    take(piece).map_err(|error| {
                        pending = Some(error);
                        Broken::Shape(Code::NotJson, String::new())
                    })
                });
                if let Some(error) = pending {
                    return Err(error);
                }
                match done {
                    Ok(()) => {}
                    Err(Broken::Io(error)) => return end(error, &pointer, take),
                    Err(Broken::Shape(code, found)) => {
                        take(Piece::Finding(Finding::at(code, &pointer, &found, "")))?;
                        // What comes on the next line may be good.
                        match splitter.skip_line() {
                            Ok(true) => {}
                            Ok(false) => return Ok(()),
                            Err(error) => return end(error, &pointer, take),
                        }
                    }
                }
                document = document.saturating_add(1);
            }
        }
    }
}

/// A file whose packing is damaged ends there; one that cannot be read is an error.
fn end<E: From<io::Error>>(
    error: io::Error,
    pointer: &str,
    take: &mut dyn FnMut(Piece) -> Result<(), E>,
) -> Result<(), E> {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => take(
            Piece::Finding(Finding::at(Code::BrokenOff, pointer, &error.to_string(), "")),
        ),
        _ => Err(error.into()),
    }
}

struct Splitter<R> {
    reader: R,
    bounds: Bounds,
    number: u64,
}

type Take<'t> = &'t mut dyn FnMut(Piece) -> Result<(), Broken>;

fn unexpected(byte: Option<u8>) -> Broken {
    match byte {
        None => Broken::Shape(Code::BrokenOff, String::new()),
        Some(byte) => Broken::Shape(Code::NotJson, char::from(byte).to_string()),
    }
}

impl<R: BufRead> Splitter<R> {
    /// Passes over the mark that some put before UTF-8.
    fn skip_mark(&mut self) -> Result<(), Broken> {
        if self.reader.fill_buf()?.starts_with(&[0xef, 0xbb, 0xbf]) {
            self.reader.consume(3);
        }
        Ok(())
    }

    /// The next byte that is no white space, still unread.
    fn peek(&mut self) -> Result<Option<u8>, Broken> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            // The separator of RFC 7464 is passed over like white space.
            let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x1e);
            match buffer.iter().position(|byte| !blank(byte)) {
                Some(at) => {
                    let byte = buffer.get(at).copied();
                    self.reader.consume(at);
                    return Ok(byte);
                }
                None => {
                    let length = buffer.len();
                    self.reader.consume(length);
                }
            }
        }
    }

    /// Passes over the rest of a line. False at the end of the file.
    fn skip_line(&mut self) -> io::Result<bool> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            match buffer.iter().position(|byte| *byte == b'\n') {
                Some(at) => {
                    self.reader.consume(at.saturating_add(1));
                    return Ok(true);
                }
                None => {
                    let length = buffer.len();
                    self.reader.consume(length);
                }
            }
        }
    }

    /// A document, or a value in an array of them.
    fn value(&mut self, pointer: &str, within: (usize, Option<u64>), take: Take<'_>) -> Result<(), Broken> {
        match self.peek()? {
            Some(b'{') => self.object(pointer, within, take),
            Some(b'[') if within.0 < CONTAINERS_MAX => self.array(pointer, within, take),
            Some(b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                let mut bytes = Vec::new();
                let _ = self.raw(&mut bytes)?;
                let found = String::from_utf8_lossy(&bytes);
                let is_word = !matches!(bytes.first(), Some(b'[' | b'"'));
                if is_word && serde_json::from_slice::<&serde_json::value::RawValue>(&bytes).is_err() {
                    return Err(Broken::Shape(Code::NotJson, found.into_owned()));
                }
                take(Piece::Finding(Finding::at(Code::NoRelease, pointer, &found, "")))
            }
            other => Err(unexpected(other)),
        }
    }

    fn array(
        &mut self,
        pointer: &str,
        (depth, parent): (usize, Option<u64>),
        take: Take<'_>,
    ) -> Result<(), Broken> {
        self.reader.consume(1);
        let mut at = 0_u64;
        if self.peek()? == Some(b']') {
            self.reader.consume(1);
            return Ok(());
        }
        loop {
            self.value(
                &format!("{pointer}/{at}"),
                (depth.saturating_add(1), parent),
                take,
            )?;
            at = at.saturating_add(1);
            match self.peek()? {
                Some(b',') => self.reader.consume(1),
                Some(b']') => {
                    self.reader.consume(1);
                    return Ok(());
                }
                other => return Err(unexpected(other)),
            }
        }
    }

    /// An object: what it holds in `releases` and `records` is taken apart on the way, the rest is kept.
    fn object(
        &mut self,
        pointer: &str,
        (depth, parent): (usize, Option<u64>),
        take: Take<'_>,
    ) -> Result<(), Broken> {
        self.reader.consume(1);
        self.number = self.number.saturating_add(1);
        let number = self.number;
        let mut kept = vec![b'{'];
        let mut measure = Measure::default();
        let mut is_container = false;
        let mut is_first = true;
        loop {
            match self.peek()? {
                Some(b'}') if is_first => {
                    self.reader.consume(1);
                    break;
                }
                Some(b'"') => {}
                other => return Err(unexpected(other)),
            }
            let mut name = Vec::new();
            measure.add(self.raw(&mut name)?);
            match self.peek()? {
                Some(b':') => self.reader.consume(1),
                other => return Err(unexpected(other)),
            }
            let holds = matches!(name.as_slice(), b"\"releases\"" | b"\"records\"");
            if holds && depth < CONTAINERS_MAX && self.peek()? == Some(b'[') {
                is_container = true;
                let plain = String::from_utf8_lossy(&name);
                let place = step(pointer, plain.trim_matches('"'));
                self.array(&place, (depth.saturating_add(1), Some(number)), take)?;
            } else {
                let mut value = Vec::new();
                measure.add(self.raw(&mut value)?);
                self.keep((&mut kept, &mut measure), &name, &value);
            }
            is_first = false;
            match self.peek()? {
                Some(b',') => self.reader.consume(1),
                Some(b'}') => {
                    self.reader.consume(1);
                    break;
                }
                other => return Err(unexpected(other)),
            }
        }
        kept.push(b'}');
        if measure.values > self.bounds.values_max {
            measure.excess.get_or_insert(Code::TooMany);
        }
        take(match measure.excess {
            Some(code) => {
                let found = String::from_utf8_lossy(&kept).into_owned();
                Piece::Finding(Finding::at(code, pointer, &found, ""))
            }
            None => Piece::Object {
                pointer: pointer.to_owned(),
                bytes: kept,
                is_container,
                parent,
                number,
            },
        })
    }

    /// Keeps a member, unless that would be too much.
    fn keep(&self, (kept, measure): (&mut Vec<u8>, &mut Measure), name: &[u8], value: &[u8]) {
        if measure.excess.is_some() {
            return;
        }
        let length = kept.len().saturating_add(name.len()).saturating_add(value.len());
        if length > self.bounds.bytes_max {
            measure.excess = Some(Code::TooLarge);
            // What is shown of it is its beginning.
            kept.truncate(1_000);
            return;
        }
        if kept.len() > 1 {
            kept.push(b',');
        }
        kept.extend_from_slice(name);
        kept.push(b':');
        kept.extend_from_slice(value);
    }

    /// Reads one value, whatever it is, into `bytes`, as far as the bound allows.
    fn raw(&mut self, bytes: &mut Vec<u8>) -> Result<Measure, Broken> {
        let mut measure = Measure::default();
        let (mut depth, mut in_text, mut escaped, mut begun) = (0_usize, false, false, false);
        let mut brackets: Vec<u8> = Vec::new();
        let mut in_word = false;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                // A number is only ended by what follows it.
                if begun && depth == 0 && in_word {
                    return Ok(measure);
                }
                return Err(unexpected(None));
            }
            let mut used = 0_usize;
            let mut is_done = false;
            for byte in buffer {
                let byte = *byte;
                if in_text {
                    used = used.saturating_add(1);
                    if escaped {
                        escaped = false;
                    } else if byte == b'\\' {
                        escaped = true;
                    } else if byte == b'"' {
                        in_text = false;
                        if depth == 0 {
                            is_done = true;
                            break;
                        }
                    }
                    continue;
                }
                if in_word
                    && depth == 0
                    && matches!(byte, b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\r' | b'\n')
                {
                    is_done = true;
                    break;
                }
                used = used.saturating_add(1);
                match byte {
                    b'"' => {
                        measure.values = measure.values.saturating_add(1);
                        (in_text, in_word, begun) = (true, false, true);
                    }
                    b'{' | b'[' => {
                        measure.values = measure.values.saturating_add(1);
                        depth = depth.saturating_add(1);
                        if depth > self.bounds.depth_max {
                            measure.excess.get_or_insert(Code::TooDeep);
                        } else {
                            brackets.push(byte);
                        }
                        (in_word, begun) = (false, true);
                    }
                    b'}' | b']' => {
                        if depth <= self.bounds.depth_max {
                            let opening = if byte == b'}' { b'{' } else { b'[' };
                            if brackets.pop() != Some(opening) {
                                return Err(unexpected(Some(byte)));
                            }
                        }
                        depth = depth.saturating_sub(1);
                        in_word = false;
                        if depth == 0 {
                            is_done = true;
                            break;
                        }
                    }
                    b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => {
                        if depth == 0 && matches!(byte, b',' | b':') {
                            return Err(unexpected(Some(byte)));
                        }
                        in_word = false;
                    }
                    _ => {
                        if !in_word {
                            measure.values = measure.values.saturating_add(1);
                        }
                        (in_word, begun) = (true, true);
                    }
                }
            }
            if measure.excess.is_none() && bytes.len().saturating_add(used) > self.bounds.bytes_max {
                measure.excess = Some(Code::TooLarge);
            }
            if measure.excess.is_none() {
                bytes.extend_from_slice(buffer.get(..used).unwrap_or_default());
            } else {
                bytes.truncate(1_000);
            }
            self.reader.consume(used);
            if is_done {
                return Ok(measure);
            }
        }
    }
}

impl Measure {
    fn add(&mut self, other: Self) {
        self.values = self.values.saturating_add(other.values);
        if self.excess.is_none() {
            self.excess = other.excess;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const SMALL: Bounds = Bounds {
        bytes_max: 200,
        depth_max: 5,
        values_max: 40,
    };

    /// What a file is taken apart into, read in portions of a few bytes.
    fn apart(bytes: &[u8], bounds: Bounds) -> Vec<String> {
        let mut found = Vec::new();
        let reader = BufReader::with_capacity(3, bytes);
        let mut take = |piece: Piece| -> Result<(), io::Error> {
            match piece {
                Piece::Object {
                    pointer,
                    bytes,
                    is_container,
                    ..
                } => found.push(format!(
                    "{pointer} {}{}",
                    if is_container { "round " } else { "" },
                    String::from_utf8(bytes).unwrap()
                )),
                Piece::Finding(finding) => found.push(format!("{} {}", finding.pointer, finding.code.name())),
            }
            Ok(())
        };
        pieces(reader, bounds, &mut take).unwrap();
        found
    }

    #[test]
    fn every_form_of_a_file_is_taken_apart() {
        assert_eq!(apart(br#"{"ocid":"a"}"#, SMALL), [r#"/0 {"ocid":"a"}"#]);
        assert_eq!(
            apart(
                b"{\"ocid\":\"a\"}\n{\"ocid\":\"b\"},\r\n{\"ocid\":\"c\"}\n",
                SMALL
            ),
            [r#"/0 {"ocid":"a"}"#, r#"/1 {"ocid":"b"}"#, r#"/2 {"ocid":"c"}"#]
        );
        assert_eq!(
            apart(br#"[{"ocid":"a"}, {"ocid":"}]\"{"}]"#, SMALL),
            [r#"/0/0 {"ocid":"a"}"#, r#"/0/1 {"ocid":"}]\"{"}"#]
        );
        assert_eq!(
            apart(
                br#"{"uri":1, "releases":[{"ocid":"a"},{"ocid":"b"}],"version":"1.1"}"#,
                SMALL
            ),
            [
                r#"/0/releases/0 {"ocid":"a"}"#,
                r#"/0/releases/1 {"ocid":"b"}"#,
                r#"/0 round {"uri":1,"version":"1.1"}"#
            ]
        );
        assert_eq!(
            apart(
                br#"[{"records":[{"releases":[{"ocid":"a"}],"ocid":"a","compiledRelease":{"x":[1]}}]}]"#,
                SMALL
            ),
            [
                r#"/0/0/records/0/releases/0 {"ocid":"a"}"#,
                r#"/0/0/records/0 round {"ocid":"a","compiledRelease":{"x":[1]}}"#,
                "/0/0 round {}"
            ]
        );
        assert_eq!(apart(b"\xef\xbb\xbf {} ", SMALL), ["/0 {}"]);
        assert_eq!(apart(b"", SMALL), [" empty_file"]);
        assert_eq!(apart(b" \n", SMALL), [" empty_file"]);
        assert!(apart(b"[]", SMALL).is_empty());
    }

    #[test]
    fn what_is_too_much_is_passed_over_and_the_rest_is_taken() {
        let large = format!(r#"{{"ocid":"a","x":"{}"}}"#, "y".repeat(400));
        let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(9), "]".repeat(9));
        let many = format!(r#"{{"x":[{}1]}}"#, "1,".repeat(60));
        let text = format!("{large}\n{deep}\n{many}\n{{\"ocid\":\"b\"}}");
        assert_eq!(
            apart(text.as_bytes(), SMALL),
            ["/0 too_large", "/1 too_deep", "/2 too_many", r#"/3 {"ocid":"b"}"#]
        );
    }

    #[test]
    fn what_is_no_json_is_told_and_the_next_line_is_read() {
        let found = apart(
            b"{\"ocid\":\"a\"}\n{\"ocid\": oops]\n{\"ocid\":\"c\"}\n{\"ocid\":",
            SMALL,
        );
        assert_eq!(
            found,
            [
                r#"/0 {"ocid":"a"}"#,
                "/1 not_json",
                r#"/2 {"ocid":"c"}"#,
                "/3 broken_off"
            ]
        );
        assert_eq!(
            apart(b"[1, \"x\", {}]", SMALL),
            ["/0/0 no_release", "/0/1 no_release", "/0/2 {}"]
        );
        assert_eq!(apart(b"<html>", SMALL), ["/0 not_json"]);
        assert_eq!(apart(b"7", SMALL), ["/0 no_release"]);
        assert_eq!(apart(b"not json\n{}", SMALL), ["/0 not_json", "/1 {}"]);
    }

    #[test]
    fn the_bytes_say_whether_a_file_is_packed() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(br#"{"ocid":"a"}"#).unwrap();
        let packed = packed.finish().unwrap();
        let read = |bytes: Vec<u8>| {
            let mut found = 0;
            let mut broken = 0;
            pieces::<io::Error>(unpacked(io::Cursor::new(bytes)).unwrap(), SMALL, &mut |piece| {
                match piece {
                    Piece::Object { .. } => found += 1,
                    Piece::Finding(_) => broken += 1,
                }
                Ok(())
            })
            .unwrap();
            (found, broken)
        };
        assert_eq!(read(packed.clone()), (1, 0));
        assert_eq!(read([packed.clone(), packed.clone()].concat()), (2, 0));
        assert_eq!(read(packed[..packed.len() - 12].to_vec()), (0, 1));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_stop_it(bytes in proptest::collection::vec(proptest::sample::select(b"{}[]\",:a1\\ \nreleases".to_vec()), 0..120)) {
            let _ = apart(&bytes, SMALL);
        }
    }
}
