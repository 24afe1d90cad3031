//! Forms with files (`multipart/form-data`, RFC 7578), read part by part: words are held in memory, files pass by as streams. Everything
//! that is read has a maximum, whatever the request says of itself.

use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::HttpMessage;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::web::Bytes;
use futures_util::StreamExt;

use crate::kernel::refusal::{Answer, Refusal, Stop};
use crate::kernel::text::Text;
use crate::text;
use crate::web::body::{Incoming, Stream, broken_off, refuse_other_content, too_large};
use crate::web::context::Context;
use crate::web::envelope::RequestInfo;
use crate::web::problem::{MALFORMED, TIMED_OUT};

/// What a form with files is sent as.
pub const FORM_DATA: &str = "multipart/form-data";
/// Parts of one form at most.
const PARTS_MAX: usize = 40;
/// Bytes of the words of one part: several times what any field of ours holds.
const WORDS_BYTES_MAX: usize = 32 * 1024;

/// How much of a form is read.
#[derive(Clone, Copy, Debug)]
pub struct FormLimits {
    /// Bytes of all of it.
    pub bytes_max: u64,
    /// Bytes of one file.
    pub file_bytes_max: u64,
    /// How long it may take, as long as its pieces keep coming.
    pub within: Duration,
}

/// A form that is being read.
pub struct Form {
    parts: Multipart,
    limits: FormLimits,
    silence_max: Duration,
    seen: usize,
}

/// A part of a form.
pub enum Part {
    /// A field that was filled in.
    Words {
        /// The field's name.
        name: String,
        /// What it holds.
        value: String,
    },
    /// A file. It has to be read to its end, or given up, before the next part is asked for.
    File {
        /// The field's name.
        name: String,
        /// The file's name, as the client has it.
        file_name: String,
        /// What the client says that it is, without parameters.
        media_type: String,
        /// Its bytes.
        body: Stream,
    },
}

impl Incoming {
    /// Reads a form with files.
    ///
    /// # Errors
    /// [`UNSUPPORTED_CONTENT`](crate::web::problem::UNSUPPORTED_CONTENT);
    /// [`BODY_TOO_LARGE`](crate::web::problem::BODY_TOO_LARGE) if it says itself that it is.
    pub fn form(self, limits: FormLimits) -> Answer<Form> {
        let (request, payload) = self.apart();
        refuse_other_content(&request, &[FORM_DATA])?;
        let length = request.headers().get(CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > limits.bytes_max) {
            return Err(too_large(limits.bytes_max));
        }
        if let Some(info) = request.extensions().get::<RequestInfo>() {
            info.patience.extend(limits.within);
        }
        let silence_max = Context::of(&request)?.settings.request_timeout;
        Ok(Form::over(request.headers(), payload, limits, silence_max))
    }
}

impl Form {
    /// The form that comes in these pieces.
    fn over(
        headers: &HeaderMap,
        pieces: impl futures_util::Stream<Item = Result<Bytes, PayloadError>> + 'static,
        limits: FormLimits,
        silence_max: Duration,
    ) -> Self {
        let mut left = limits.bytes_max;
        let bounded = pieces.map(move |piece| {
            let piece = piece?;
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            left = left.checked_sub(length).ok_or(PayloadError::Overflow)?;
            Ok(piece)
        });
        Self {
            parts: Multipart::new(headers, bounded),
            limits,
            silence_max,
            seen: 0,
        }
    }

    /// The next part; `None` after the last one. A field for a file in which none was chosen is passed over.
    ///
    /// # Errors
    /// [`MALFORMED`] for what is no form, or breaks off; [`BODY_TOO_LARGE`](crate::web::problem::BODY_TOO_LARGE); [`TIMED_OUT`] if nothing
    /// comes for as long as a whole request may usually take.
    pub async fn next(&mut self) -> Answer<Option<Part>> {
        loop {
            let next = tokio::time::timeout(self.silence_max, self.parts.next()).await;
            let Some(field) = next.map_err(|_| TIMED_OUT.refuse().retry_after(1))? else {
                return Ok(None);
            };
            let field = field.map_err(|error| not_a_form(&error, self.limits.bytes_max))?;
            self.seen = self.seen.saturating_add(1);
            if self.seen > PARTS_MAX {
                let detail = text!("最多 {PARTS_MAX} 个部分", "at most {PARTS_MAX} parts");
                return Err(MALFORMED.because(detail).into());
            }
            let name = field.name().map(str::to_owned);
            let name =
                name.ok_or_else(|| MALFORMED.because(Text::fixed("有一部分没有名称", "a part has no name")))?;
            let disposition = field.content_disposition();
            let file_name = disposition.and_then(|one| one.get_filename()).map(str::to_owned);
            let media_type = field
                .content_type()
                .map(|kind| kind.essence_str().to_ascii_lowercase());
            match file_name {
                Some(file_name) if file_name.is_empty() => self.pass_over(field).await?,
                Some(file_name) => {
                    return Ok(Some(Part::File {
                        name,
                        file_name,
                        media_type: media_type.unwrap_or_default(),
                        body: self.stream(field),
                    }));
                }
                None => {
                    let value = self.words(field, &name).await?;
                    return Ok(Some(Part::Words { name, value }));
                }
            }
        }
    }

    fn stream(&self, field: Field) -> Stream {
        let bytes_max = self.limits.bytes_max;
        let pieces = field.map(move |piece| piece.map_err(|error| not_a_form(&error, bytes_max)));
        Stream::new(pieces.boxed_local(), self.limits.file_bytes_max, self.silence_max)
    }

    async fn pass_over(&self, field: Field) -> Answer<()> {
        let mut body = self.stream(field);
        match body.next().await? {
            None => Ok(()),
            Some(_) => Err(MALFORMED
                .because(Text::fixed("文件没有名称", "a file has no name"))
                .into()),
        }
    }

    async fn words(&self, field: Field, name: &str) -> Answer<String> {
        let mut body = self.stream(field);
        let mut bytes: Vec<u8> = Vec::new();
        while let Some(piece) = body.next().await? {
            if bytes.len().saturating_add(piece.len()) > WORDS_BYTES_MAX {
                let detail = text!("最多 {WORDS_BYTES_MAX} 字节", "at most {WORDS_BYTES_MAX} bytes");
                return Err(MALFORMED.because(detail).at(pointer(name)).into());
            }
            bytes.extend_from_slice(&piece);
        }
        let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
        let unreadable = || {
            let detail = Text::fixed("不是有效的 UTF-8 文本", "is not valid text in UTF-8");
            MALFORMED.because(detail).at(pointer(name))
        };
        Ok(text.ok_or_else(unreadable)?)
    }
}

/// A field as a place in the request.
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn not_a_form(error: &MultipartError, bytes_max: u64) -> Stop {
    match error {
        MultipartError::Payload(PayloadError::Overflow) => too_large(bytes_max),
        MultipartError::Payload(_) | MultipartError::Incomplete => broken_off().into(),
        _ => {
            let refusal: Refusal = MALFORMED.because(Text::fixed(
                "请求体不是 multipart/form-data 表单",
                "the body is no form of the kind multipart/form-data",
            ));
            refusal.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
    use futures_util::stream;
    use proptest::prelude::*;

    use super::*;

    /// What was read: words, and files by name, type and bytes; or the code of the refusal.
    type Seen = Result<Vec<(String, String, String, Vec<u8>)>, &'static str>;

    fn read(pieces: &[&[u8]]) -> Seen {
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("multipart/form-data; boundary=edge"),
        );
        let limits = FormLimits {
            bytes_max: 100_000,
            file_bytes_max: 1_000,
            within: Duration::from_secs(5),
        };
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        let mut form = Form::over(&headers, stream::iter(pieces), limits, Duration::from_secs(5));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let code = |stop: Stop| match stop {
            Stop::Refused(refusal) => refusal.reason.code,
            Stop::Fault(fault) => unreachable!("{fault}"),
        };
        runtime.block_on(async {
            let mut seen = Vec::new();
            while let Some(part) = form.next().await.map_err(code)? {
                match part {
                    Part::Words { name, value } => {
                        seen.push((name, String::new(), String::new(), value.into_bytes()))
                    }
                    Part::File {
                        name,
                        file_name,
                        media_type,
                        mut body,
                    } => {
                        let mut bytes = Vec::new();
                        while let Some(piece) = body.next().await.map_err(code)? {
                            bytes.extend_from_slice(&piece);
                        }
                        seen.push((name, file_name, media_type, bytes));
                    }
                }
            }
            Ok(seen)
        })
    }

    fn part(head: &str, body: &[u8]) -> Vec<u8> {
        let head = format!("--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n");
        [head.as_bytes(), body, b"\r\n"].concat()
    }

    const END: &[u8] = b"--edge--\r\n";

    #[test]
    fn words_and_files_are_read_wherever_the_pieces_end() {
        let words = part("name=\"text\"", "积水".as_bytes());
        let file = part(
            "name=\"photos\"; filename=\"a.png\"\r\nContent-Type: image/PNG; x=y",
            b"--edg\r\n-- bytes",
        );
        let empty = part(
            "name=\"photos\"; filename=\"\"\r\nContent-Type: application/octet-stream",
            b"",
        );
        let whole = [words, file, empty, END.to_vec()].concat();
        let expected = vec![
            (
                "text".to_owned(),
                String::new(),
                String::new(),
                "积水".as_bytes().to_vec(),
            ),
            (
                "photos".to_owned(),
                "a.png".to_owned(),
                "image/png".to_owned(),
                b"--edg\r\n-- bytes".to_vec(),
            ),
        ];
        assert_eq!(read(&[&whole]), Ok(expected.clone()));
        let single: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(read(&single), Ok(expected));
    }

    #[test]
    fn what_is_too_much_or_no_form_is_refused() {
        let long = part("name=\"photos\"; filename=\"a.png\"", &[b'x'; 1_001]);
        assert_eq!(read(&[&long, END]), Err("body_too_large"));
        assert_eq!(
            read(&[&part("name=\"text\"", &vec![b'x'; WORDS_BYTES_MAX + 1]), END]),
            Err("body_too_large")
        );
        assert_eq!(
            read(&[&part("name=\"text\"", b"\xff\xfe"), END]),
            Err("malformed")
        );
        assert_eq!(read(&[&part("name=\"text\"", b"a\0b"), END]), Err("malformed"));
        assert_eq!(
            read(&[&part("name=\"photos\"; filename=\"\"", b"x"), END]),
            Err("malformed")
        );
        assert_eq!(
            read(&[&part("name=\"text\"", b"x")]),
            Err("malformed"),
            "it breaks off"
        );
        assert_eq!(read(&[b"{}"]), Err("malformed"));
        let many = part("name=\"text\"", b"x").repeat(PARTS_MAX + 1);
        assert_eq!(read(&[&many, END]), Err("malformed"));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0_usize..400) {
            let mut whole = [part("name=\"photos\"; filename=\"a.png\"", &bytes), END.to_vec()].concat();
            let _ = read(&[&whole]);
            whole.truncate(cut);
            let _ = read(&[&whole]);
            let _ = read(&[&bytes]);
        }
    }
}
