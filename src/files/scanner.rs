//! The virus scanner: clamd, by its protocol (clamd(8), `INSTREAM`), over TCP or a Unix socket. A file is scanned when it has
//! arrived whole, so that a slow uploader does not hold one of the scanner's threads. What could not be scanned is never
//! said to be clean.

use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::files::rules::SCANNER_UNAVAILABLE;
use crate::kernel::refusal::{Answer, Stop};

/// How long the scanner may take to be reached.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it may take for one file.
const SCAN_TIMEOUT: Duration = Duration::from_secs(120);
/// Bytes sent in one piece.
const PIECE_BYTES: usize = 64 * 1024;
/// Bytes of the scanner's answer that are read.
const ANSWER_BYTES_MAX: u64 = 4_096;
/// Characters of a finding that are kept.
const FINDING_LENGTH_MAX: usize = 200;

/// What the scanner says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing was found.
    Clean,
    /// What was found, as the scanner calls it.
    Infected(String),
}

/// Where the scanner listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanner {
    /// `host:port`
    Tcp(String),
    /// The path of a socket.
    Unix(std::path::PathBuf),
}

/// Why a text does not say where a scanner listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scanner is tcp://host:port or unix:///path")]
pub struct NoScanner;

impl std::str::FromStr for Scanner {
    type Err = NoScanner;

    fn from_str(text: &str) -> Result<Self, NoScanner> {
        if let Some(path) = text.strip_prefix("unix://") {
            return if path.starts_with('/') {
                Ok(Self::Unix(path.into()))
            } else {
                Err(NoScanner)
            };
        }
        let address = text.strip_prefix("tcp://").ok_or(NoScanner)?;
        let (host, port) = address.rsplit_once(':').ok_or(NoScanner)?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(NoScanner);
        }
        Ok(Self::Tcp(address.to_owned()))
    }
}

impl Scanner {
    /// Has a file scanned.
    ///
    /// # Errors
    /// [`SCANNER_UNAVAILABLE`] if the scanner cannot be reached, takes too long, breaks off, or says neither that the file is
    /// clean nor that it is not.
    pub async fn scan<E>(&self, file: impl Stream<Item = Result<Bytes, E>> + Unpin) -> Answer<Finding>
    where
        E: std::fmt::Display,
    {
        let answer = match self {
            Self::Tcp(address) => {
                let connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
                within(converse(opened(connected)?, file)).await?
            }
            #[cfg(unix)]
            Self::Unix(path) => {
                let connecting = tokio::net::UnixStream::connect(path);
                let connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
                within(converse(opened(connected)?, file)).await?
            }
            #[cfg(not(unix))]
            Self::Unix(_) => return Err(unavailable("this system has no Unix sockets")),
        };
        finding(&answer).ok_or_else(|| unavailable(answer.trim_end_matches('\0')))
    }
}

fn opened<T>(connected: Result<std::io::Result<T>, tokio::time::error::Elapsed>) -> Answer<T> {
    match connected {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(unavailable(error)),
        Err(late) => Err(unavailable(late)),
    }
}

async fn within(conversation: impl Future<Output = Result<String, String>>) -> Answer<String> {
    match tokio::time::timeout(SCAN_TIMEOUT, conversation).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(why)) => Err(unavailable(why)),
        Err(late) => Err(unavailable(late)),
    }
}

fn unavailable(why: impl std::fmt::Display) -> Stop {
    tracing::error!(%why, "the virus scanner did not answer for a file");
    SCANNER_UNAVAILABLE.refuse().retry_after(10).into()
}

/// Sends the file in pieces, each with its length before it and an empty one at the end, and reads the answer.
async fn converse<E: std::fmt::Display>(
    mut scanner: impl AsyncRead + AsyncWrite + Unpin,
    mut file: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<String, String> {
    let said = |error: std::io::Error| error.to_string();
    let mut sending = scanner.write_all(b"zINSTREAM\0").await;
    while let (Ok(()), Some(chunk)) = (&sending, file.next().await) {
        let chunk = chunk.map_err(|error| error.to_string())?;
        for piece in chunk.chunks(PIECE_BYTES) {
            sending = send(&mut scanner, piece).await;
            if sending.is_err() {
                break;
            }
        }
    }
    if sending.is_ok() {
        sending = send(&mut scanner, &[]).await;
    }
    // A scanner that has read enough answers and hangs up while there is still something to send.
    let mut answer = Vec::new();
    let read = scanner.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await;
    match (sending, read) {
        (_, Ok(_)) if !answer.is_empty() => Ok(String::from_utf8_lossy(&answer).into_owned()),
        (Err(error), _) | (_, Err(error)) => Err(said(error)),
        (Ok(()), Ok(_)) => Err("it hung up without an answer".to_owned()),
    }
}

async fn send(scanner: &mut (impl AsyncWrite + Unpin), piece: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(piece.len()).map_err(std::io::Error::other)?;
    scanner.write_all(&length.to_be_bytes()).await?;
    scanner.write_all(piece).await
}

/// `stream: OK` and `stream: Name FOUND`; anything else (`… ERROR`) is no finding.
fn finding(answer: &str) -> Option<Finding> {
    let said = answer.trim_end_matches(['\0', '\n']).strip_prefix("stream: ")?;
    if said == "OK" {
        return Some(Finding::Clean);
    }
    let name = said.strip_suffix(" FOUND")?;
    let printable = |c: &char| c.is_ascii_graphic() || *c == ' ';
    Some(Finding::Infected(
        name.chars().filter(printable).take(FINDING_LENGTH_MAX).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_of_the_protocol_are_a_finding() {
        assert_eq!(finding("stream: OK\0"), Some(Finding::Clean));
        assert_eq!(
            finding("stream: Win.Test.EICAR_HDB-1 FOUND\0"),
            Some(Finding::Infected("Win.Test.EICAR_HDB-1".into()))
        );
        let long = format!("stream: {}\u{7} FOUND", "x".repeat(500));
        assert_eq!(finding(&long), Some(Finding::Infected("x".repeat(200))));
        for other in [
            "",
            "OK",
            "stream: ",
            "stream: OKAY",
            "INSTREAM size limit exceeded. ERROR\0",
            "stream: x ERROR",
            "UNKNOWN COMMAND\0",
        ] {
            assert_eq!(finding(other), None, "{other}");
        }
    }

    #[test]
    fn a_scanner_is_named_by_its_address() {
        assert_eq!(
            "tcp://127.0.0.1:3310".parse(),
            Ok(Scanner::Tcp("127.0.0.1:3310".into()))
        );
        assert_eq!("tcp://[::1]:3310".parse(), Ok(Scanner::Tcp("[::1]:3310".into())));
        assert_eq!(
            "unix:///run/clamd.sock".parse(),
            Ok(Scanner::Unix("/run/clamd.sock".into()))
        );
        for bad in [
            "",
            "127.0.0.1:3310",
            "tcp://:3310",
            "tcp://host",
            "tcp://host:port",
            "unix://",
            "unix://x",
            "http://x:1",
        ] {
            assert_eq!(bad.parse::<Scanner>(), Err(NoScanner), "{bad}");
        }
    }
}
