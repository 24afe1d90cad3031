//! Files on their way out. A whole file is hashed while it is sent, and its last piece is held back until the hash is known:
//! a damaged file is never received as if it were whole.

use std::io;
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, stream};
use object_store::Error;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout_at};

/// What is being sent.
struct Sending {
    from: BoxStream<'static, Result<Bytes, Error>>,
    until: Instant,
    /// The hash so far and what it must be, for a whole file.
    check: Option<(Sha256, String)>,
    /// The piece that is sent when the next one is there, or when the hash is right.
    held: Option<Bytes>,
}

/// A part of a file, broken off after `within`.
pub fn part(
    from: BoxStream<'static, Result<Bytes, Error>>,
    within: Duration,
) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    send(from, within, None)
}

/// A whole file, broken off after `within` or before its last piece if its SHA-256 is not `sha256`.
pub fn whole(
    from: BoxStream<'static, Result<Bytes, Error>>,
    within: Duration,
    sha256: String,
) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    send(from, within, Some((Sha256::new(), sha256)))
}

fn send(
    from: BoxStream<'static, Result<Bytes, Error>>,
    within: Duration,
    check: Option<(Sha256, String)>,
) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    let sending = Sending {
        from,
        until: Instant::now() + within,
        check,
        held: None,
    };
    stream::try_unfold(sending, |mut sending| async move {
        let piece = sending.next().await?;
        Ok(piece.map(|piece| (piece, sending)))
    })
}

impl Sending {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            // Asked each time, because what is there at once is never late for a timeout.
            if Instant::now() >= self.until {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let piece = match timeout_at(self.until, self.from.next()).await {
                Ok(Some(Ok(piece))) => piece,
                Ok(Some(Err(error))) => {
                    tracing::error!(%error, "a file could not be read to its end");
                    return Err(io::Error::other(error));
                }
                Ok(None) => {
                    self.judge()?;
                    return Ok(self.held.take());
                }
                Err(_) => return Err(io::ErrorKind::TimedOut.into()),
            };
            if let Some((hash, _)) = &mut self.check {
                hash.update(&piece);
            }
            if let Some(before) = self.held.replace(piece) {
                return Ok(Some(before));
            }
        }
    }

    fn judge(&mut self) -> io::Result<()> {
        let Some((hash, expected)) = self.check.take() else {
            return Ok(());
        };
        let found = hex::encode(hash.finalize());
        if found == expected {
            return Ok(());
        }
        metrics::counter!("wardbook_files_damaged_total").increment(1);
        tracing::error!(
            sha256 = expected,
            found,
            "a file is damaged; run `wardbook verify files`"
        );
        Err(io::ErrorKind::InvalidData.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::TryStreamExt;

    fn pieces(all: &[&'static [u8]]) -> BoxStream<'static, Result<Bytes, Error>> {
        let all: Vec<_> = all.iter().map(|piece| Ok(Bytes::from_static(piece))).collect();
        stream::iter(all).boxed()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_whole_file_arrives_whole_or_without_its_end() {
        let hash = hex::encode(Sha256::digest(b"abcdef"));
        let sent: Vec<Bytes> = whole(pieces(&[b"ab", b"cd", b"ef"]), LONG, hash.clone())
            .try_collect()
            .await
            .unwrap();
        assert_eq!(sent.concat(), b"abcdef");
        let sent: Vec<io::Result<Bytes>> = whole(pieces(&[b"ab", b"cd", b"eX"]), LONG, hash).collect().await;
        assert_eq!(sent.len(), 3);
        assert_eq!(sent[1].as_ref().unwrap(), &b"cd"[..]);
        assert_eq!(sent[2].as_ref().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn a_part_is_not_hashed_and_both_end_in_time() {
        let sent: Vec<Bytes> = part(pieces(&[b"cd", b"e"]), LONG).try_collect().await.unwrap();
        assert_eq!(sent.concat(), b"cde");
        let late: Vec<io::Result<Bytes>> = part(pieces(&[b"cd"]), Duration::ZERO).collect().await;
        assert_eq!(late[0].as_ref().unwrap_err().kind(), io::ErrorKind::TimedOut);
        let stuck = part(stream::pending().boxed(), Duration::from_millis(5))
            .collect::<Vec<_>>()
            .await;
        assert_eq!(stuck[0].as_ref().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
