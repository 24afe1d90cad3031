//! Where a log is read from: a directory with a copy of it, or the web address that serves it.
//!
//! A source is not trusted: what it returns is checked by whoever asked. It must never return more
//! bytes than asked for, wait without end, or read outside the log's own directory.

use std::{
    fs::File,
    io::{self, Read},
    path::{Component, Path, PathBuf},
    thread,
    time::Duration,
};
use thiserror::Error;
use ureq::{Agent, Body, http::Response};

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long one request may take in all; the largest bundle is 16 MiB.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// How often one request is tried before the server counts as unreachable.
const ATTEMPTS_MAX: u32 = 4;

/// The pause between two attempts unless the server names one.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest pause a server can ask for.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// How many redirects are followed.
const REDIRECTS_MAX: u32 = 3;

/// Why a part of the log could not be had.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SourceError {
    /// The source answers, and says that it has no such part.
    #[error("it is not there")]
    Missing,
    /// The source does not answer, or not in a way that says anything about the log.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// The part is larger than it can be in any log.
    #[error("it is larger than it can be")]
    TooLarge,
}

/// A place that holds the parts of a log under their names.
pub trait Source {
    /// The content under `path` (`checkpoint`, `tile/0/000`, …), of at most `limit` bytes.
    ///
    /// # Errors
    /// [`SourceError`].
    fn get(&self, path: &str, limit: usize) -> Result<Vec<u8>, SourceError>;
}

/// The source at an `http://` or `https://` address, or else in the directory of that name.
#[must_use]
pub fn open(place: &str) -> Box<dyn Source> {
    if place.starts_with("http://") || place.starts_with("https://") {
        Box::new(HttpSource::new(place))
    } else {
        Box::new(DirSource::new(place))
    }
}

/// A copy of a log in a directory, one file for each path.
#[derive(Clone, Debug)]
pub struct DirSource {
    directory: PathBuf,
}

impl DirSource {
    /// The log in this directory, which holds `checkpoint` and `tile/`.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }
}

impl Source for DirSource {
    fn get(&self, path: &str, limit: usize) -> Result<Vec<u8>, SourceError> {
        // `..` and absolute paths would lead out of the directory, so no log has them.
        if !Path::new(path)
            .components()
            .all(|it| matches!(it, Component::Normal(_)))
        {
            return Err(SourceError::Missing);
        }
        let content = File::open(self.directory.join(path)).and_then(|it| read(it, limit));
        match content {
            Ok(content) => content.ok_or(SourceError::TooLarge),
            Err(error) if is_absence(&error) => Err(SourceError::Missing),
            Err(error) => Err(SourceError::Unreachable(error.to_string())),
        }
    }
}

/// A file where a directory should be leaves what lies under it as absent as no file at all.
fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// A log served over HTTP.
#[derive(Clone, Debug)]
pub struct HttpSource {
    base: String,
    agent: Agent,
    pause: Duration,
}

/// What came of one attempt.
enum Attempt {
    Done(Result<Vec<u8>, SourceError>),
    /// Something that may pass: why, and how long to wait if the server said so.
    Again(String, Option<Duration>),
}

impl HttpSource {
    /// The log at this address, the one under which `checkpoint` is found.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let agent = Agent::config_builder()
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(REQUEST_TIMEOUT))
            .max_redirects(REDIRECTS_MAX)
            .http_status_as_error(false)
            .accept_encoding("identity")
            .user_agent(concat!("wardbook/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self {
            base: base.trim_end_matches('/').to_owned(),
            agent,
            pause: PAUSE,
        }
    }

    fn attempt(&self, path: &str, limit: usize) -> Attempt {
        let mut response = match self.agent.get(format!("{}/{path}", self.base)).call() {
            Ok(response) => response,
            Err(error @ (ureq::Error::BadUri(_) | ureq::Error::TooManyRedirects)) => {
                return Attempt::Done(Err(SourceError::Unreachable(error.to_string())));
            }
            Err(error) => return Attempt::Again(error.to_string(), None),
        };
        let status = response.status();
        match status.as_u16() {
            200 => {}
            404 | 410 => return Attempt::Done(Err(SourceError::Missing)),
            429 | 500..=599 => {
                return Attempt::Again(format!("the server answers {status}"), asked_pause(&response));
            }
            _ => {
                let why = format!("the server answers {status}");
                return Attempt::Done(Err(SourceError::Unreachable(why)));
            }
        }
        // A server may compress without being asked; taking that for the content would make an
        // honest log look broken.
        if header(&response, "content-encoding").is_some_and(|it| it != "identity") {
            let why = "the server compresses its answers, which this program cannot read";
            return Attempt::Done(Err(SourceError::Unreachable(why.to_owned())));
        }
        match read(response.body_mut().as_reader(), limit) {
            Ok(content) => Attempt::Done(content.ok_or(SourceError::TooLarge)),
            Err(error) => Attempt::Again(error.to_string(), None),
        }
    }
}

impl Source for HttpSource {
    fn get(&self, path: &str, limit: usize) -> Result<Vec<u8>, SourceError> {
        let mut attempts = 1;
        loop {
            match self.attempt(path, limit) {
                Attempt::Done(content) => return content,
                Attempt::Again(why, _) if attempts == ATTEMPTS_MAX => {
                    return Err(SourceError::Unreachable(why));
                }
                Attempt::Again(_, pause) => thread::sleep(pause.unwrap_or(self.pause)),
            }
            attempts += 1;
        }
    }
}

/// The pause in seconds that an overloaded server asks for.
fn asked_pause(response: &Response<Body>) -> Option<Duration> {
    let seconds = header(response, "retry-after")?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(PAUSE_MAX))
}

fn header<'r>(response: &'r Response<Body>, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

/// All that is left to read; `None` if it is more than `limit` bytes.
fn read(reader: impl Read, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(one_more).read_to_end(&mut content)?;
    Ok((content.len() <= limit).then_some(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs,
        io::{BufRead, BufReader, Write},
        net::TcpListener,
    };

    /// A server that gives one answer to each request in turn, closing the connection after it,
    /// and then the paths it was asked for.
    fn serve(answers: Vec<String>) -> (String, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/audit", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let mut paths = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let request = lines.next().unwrap().unwrap();
                paths.push(request.split(' ').nth(1).unwrap().to_owned());
                while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
                stream.write_all(answer.as_bytes()).unwrap();
            }
            paths
        });
        (base, server)
    }

    fn answer(head: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    fn get(answers: Vec<String>, limit: usize) -> (Result<Vec<u8>, SourceError>, Vec<String>) {
        let (base, server) = serve(answers);
        let source = HttpSource {
            pause: Duration::ZERO,
            ..HttpSource::new(&format!("{base}/"))
        };
        let content = source.get("tile/0/000", limit);
        (content, server.join().unwrap())
    }

    fn unreachable_why(content: Result<Vec<u8>, SourceError>) -> String {
        match content {
            Err(SourceError::Unreachable(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_served_part_is_read_up_to_its_limit() {
        let (content, paths) = get(vec![answer("200 OK", "hashes")], 6);
        assert_eq!(content, Ok(b"hashes".to_vec()));
        assert_eq!(paths, ["/audit/tile/0/000"]);
        assert_eq!(
            get(vec![answer("200 OK", "hashes")], 5).0,
            Err(SourceError::TooLarge)
        );
        let unending = "HTTP/1.1 200 OK\r\n\r\nhashes".to_owned();
        assert_eq!(get(vec![unending], 5).0, Err(SourceError::TooLarge));
    }

    #[test]
    fn only_a_plain_no_counts_as_missing() {
        assert_eq!(
            get(vec![answer("404 Not Found", "")], 6).0,
            Err(SourceError::Missing)
        );
        assert_eq!(get(vec![answer("410 Gone", "")], 6).0, Err(SourceError::Missing));
        assert!(unreachable_why(get(vec![answer("403 Forbidden", "")], 6).0).contains("403"));
    }

    #[test]
    fn what_may_pass_is_tried_again_and_then_given_up() {
        let busy = || answer("503 Service Unavailable\r\nRetry-After: 0", "");
        let (content, paths) = get(vec![busy(), String::new(), answer("200 OK", "hashes")], 6);
        assert_eq!((content, paths.len()), (Ok(b"hashes".to_vec()), 3));
        let (content, paths) = get(vec![busy(), busy(), busy(), busy()], 6);
        assert!(unreachable_why(content).contains("503"));
        assert_eq!(paths.len(), 4);
        let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhashes".to_owned();
        unreachable_why(get(vec![cut; 4], 9).0);
    }

    #[test]
    fn few_redirects_are_followed() {
        let moved = || answer("302 Found\r\nLocation: elsewhere", "");
        let (content, paths) = get(vec![moved(), answer("200 OK", "hashes")], 6);
        assert_eq!(content, Ok(b"hashes".to_vec()));
        assert_eq!(paths, ["/audit/tile/0/000", "/audit/tile/0/elsewhere"]);
        unreachable_why(get(vec![moved(), moved(), moved(), moved()], 6).0);
    }

    #[test]
    fn a_compressed_answer_is_not_taken_for_the_content() {
        let squeezed = answer("200 OK\r\nContent-Encoding: gzip", "hashes");
        assert!(unreachable_why(get(vec![squeezed], 6).0).contains("compresses"));
    }

    #[test]
    fn nobody_listening_is_unreachable() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let source = HttpSource {
            pause: Duration::ZERO,
            ..HttpSource::new(&base)
        };
        unreachable_why(source.get("checkpoint", 9));
        unreachable_why(HttpSource::new("http://").get("checkpoint", 9));
    }

    #[test]
    fn a_directory_gives_its_own_files_only() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("log/tile")).unwrap();
        fs::write(directory.path().join("secret"), "secret").unwrap();
        fs::write(directory.path().join("log/checkpoint"), "note").unwrap();
        let source = open(directory.path().join("log").to_str().unwrap());
        assert_eq!(source.get("checkpoint", 4), Ok(b"note".to_vec()));
        assert_eq!(source.get("checkpoint", 3), Err(SourceError::TooLarge));
        let absolute = directory.path().join("secret");
        for path in [
            "key",
            "../secret",
            "tile/../../secret",
            "checkpoint/key",
            absolute.to_str().unwrap(),
        ] {
            assert_eq!(source.get(path, 99), Err(SourceError::Missing), "{path}");
        }
        unreachable_why(source.get("tile", 99));
    }
}
