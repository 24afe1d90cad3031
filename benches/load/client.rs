//! The load generator: many clients on one thread, each with a connection of its own that it keeps, asking again as soon
//! as it is answered. Knows just enough of HTTP/1.1 to be cheap and still strict: an answer that it cannot read, of
//! another status than wanted, or longer than announced is counted as such and never as a success.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::ward::Served;

/// Stands for a number that is different in every request.
pub const NUMBER: &str = "############";
/// Before the window, so that connections, caches and prepared statements are there.
const WARM_UP: Duration = Duration::from_secs(1);
/// After the window the last answers must have come within this time.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The bytes of a request, ready but for its number.
#[derive(Clone)]
pub struct Request {
    bytes: Vec<u8>,
    holes: Vec<usize>,
}

impl Request {
    /// A GET; `token` signs in.
    pub fn get(path: &str, token: Option<&str>) -> Self {
        Self::of(format!(
            "GET {path} HTTP/1.1\r\nHost: ward.test\r\n{}\r\n",
            authorization(token)
        ))
    }

    /// A POST of JSON, with further header lines.
    pub fn post(path: &str, token: &str, headers: &str, json: &str) -> Self {
        Self::of(format!(
            "POST {path} HTTP/1.1\r\nHost: ward.test\r\n{}{headers}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{json}",
            authorization(Some(token)),
            json.len(),
        ))
    }

    /// A POST of JSON by nobody in particular.
    pub fn post_by_nobody(path: &str, json: &str) -> Self {
        Self::of(format!(
            "POST {path} HTTP/1.1\r\nHost: ward.test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
            json.len(),
        ))
    }

    /// What is sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn of(text: String) -> Self {
        let holes = text.match_indices(NUMBER).map(|(at, _)| at).collect();
        Self {
            bytes: text.into_bytes(),
            holes,
        }
    }

    /// Fills the holes in.
    fn number(&mut self, number: u64) {
        if self.holes.is_empty() {
            return;
        }
        let digits = format!("{number:0width$}", width = NUMBER.len());
        for hole in &self.holes {
            self.bytes[*hole..*hole + NUMBER.len()].copy_from_slice(digits.as_bytes());
        }
    }
}

fn authorization(token: Option<&str>) -> String {
    token
        .map(|token| format!("Authorization: Bearer {token}\r\n"))
        .unwrap_or_default()
}

/// A load on one server.
pub struct Load<'s> {
    /// The server.
    pub on: &'s Served,
    /// How many ask at once.
    pub clients: usize,
    /// Threads of the generator.
    pub threads: usize,
    /// How long it is measured.
    pub window: Duration,
    /// What is asked, in turn.
    pub requests: Vec<Request>,
    /// The status of a success.
    pub wanted: u16,
}

/// What came of a load.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Successes within the window: how long each took, in microseconds.
    pub micros: Vec<u32>,
    /// Successes at any time.
    pub acknowledged: u64,
    /// Answers of another status, at any time.
    pub others: BTreeMap<u16, u64>,
    /// Seconds of processor time that the server used for all of them.
    pub cpu: f64,
    /// Connections that ended, or answers that could not be read.
    pub broken: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.micros.extend(other.micros);
        self.acknowledged += other.acknowledged;
        for (status, count) in other.others {
            *self.others.entry(status).or_default() += count;
        }
        self.broken.extend(other.broken);
    }
}

impl Load<'_> {
    /// Puts the load on.
    pub fn run(&self) -> Tally {
        let cpu = self.on.cpu();
        let begin = Instant::now() + WARM_UP;
        let end = begin + self.window;
        let threads = self.threads.clamp(1, self.clients);
        let mut all = Tally::default();
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|thread| {
                    let clients = (thread..self.clients).step_by(threads);
                    scope.spawn(move || runtime().block_on(self.clients(clients, begin, end)))
                })
                .collect();
            for thread in running {
                all.add(thread.join().expect("the load generator runs"));
            }
        });
        all.cpu = self.on.cpu() - cpu;
        all
    }

    async fn clients(&self, clients: impl Iterator<Item = usize>, begin: Instant, end: Instant) -> Tally {
        let asked = |client| Asked {
            address: self.on.address,
            client,
            requests: self.requests.clone(),
            wanted: self.wanted,
        };
        let mut running: JoinSet<Tally> = clients.map(|client| one(asked(client), begin, end)).collect();
        let mut all = Tally::default();
        let last = tokio::time::Instant::from_std(end + PATIENCE);
        while let Some(tally) = tokio::time::timeout_at(last, running.join_next())
            .await
            .expect("the last answers come in time")
        {
            all.add(tally.expect("a client runs"));
        }
        all
    }
}

/// What clients run on: one thread.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made")
}

/// What one client is to do.
struct Asked {
    address: SocketAddr,
    client: usize,
    requests: Vec<Request>,
    wanted: u16,
}

/// One client, until the first answer after `end`.
async fn one(asked: Asked, begin: Instant, end: Instant) -> Tally {
    let Asked {
        address,
        client,
        mut requests,
        wanted,
    } = asked;
    let mut tally = Tally::default();
    let mut connection = match Connection::open(address).await {
        Ok(connection) => connection,
        Err(error) => {
            tally.broken.push(error);
            return tally;
        }
    };
    let numbers = client as u64 * 100_000_000;
    for (turn, number) in (numbers..).enumerate() {
        let which = (client + turn) % requests.len();
        let request = &mut requests[which];
        request.number(number);
        let asked = Instant::now();
        let status = match connection.ask(&request.bytes).await {
            Ok((status, _)) => status,
            Err(error) => {
                tally.broken.push(error);
                return tally;
            }
        };
        let answered = Instant::now();
        if status == wanted {
            tally.acknowledged += 1;
            if (begin..end).contains(&answered) {
                tally
                    .micros
                    .push(u32::try_from((answered - asked).as_micros()).unwrap_or(u32::MAX));
            }
        } else {
            *tally.others.entry(status).or_default() += 1;
        }
        if answered >= end {
            break;
        }
    }
    tally
}

/// Asks once, on a connection of its own: for preparing a measurement and for looking at what the server answers.
pub fn ask(address: SocketAddr, request: &Request) -> (u16, String) {
    let asked = async {
        let mut connection = Connection::open(address).await?;
        let (status, body) = connection.ask(&request.bytes).await?;
        String::from_utf8(body.to_vec())
            .map(|body| (status, body))
            .map_err(|error| error.to_string())
    };
    runtime().block_on(asked).expect("the server answers")
}

/// A connection that is kept.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Opens one.
    ///
    /// # Errors
    /// Why it cannot be.
    pub async fn open(address: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(address)
            .await
            .map_err(|error| format!("connect: {error}"))?;
        stream
            .set_nodelay(true)
            .map_err(|error| format!("connect: {error}"))?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(16 << 10),
        })
    }

    /// Sends a request and reads the whole answer: its status and its body.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn ask(&mut self, request: &[u8]) -> Result<(u16, &[u8]), String> {
        self.stream
            .write_all(request)
            .await
            .map_err(|error| format!("send: {error}"))?;
        self.buffer.clear();
        let mut head = None;
        loop {
            let read = self
                .stream
                .read_buf(&mut self.buffer)
                .await
                .map_err(|error| format!("receive: {error}"))?;
            if read == 0 {
                return Err("the server hung up".to_owned());
            }
            if head.is_none() {
                head = Head::of(&self.buffer)?;
            }
            if let Some(head) = &head {
                if self.buffer.len() == head.end + head.body {
                    return Ok((head.status, &self.buffer[head.end..]));
                }
                if self.buffer.len() > head.end + head.body {
                    return Err("the answer is longer than announced".to_owned());
                }
            }
            if self.buffer.len() > ANSWER_BYTES_MAX {
                return Err("the answer is too long".to_owned());
            }
        }
    }
}

/// The head of an answer.
struct Head {
    status: u16,
    /// Where the body begins.
    end: usize,
    /// Bytes of the body.
    body: usize,
}

impl Head {
    /// Reads the head (RFC 9112); `None` if it is not all there.
    fn of(bytes: &[u8]) -> Result<Option<Self>, String> {
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let mut end = 0;
        let (mut status, mut body) = (None, None);
        loop {
            let Some(line) = lines.next().filter(|line| line.ends_with(b"\r\n")) else {
                return Ok(None);
            };
            end += line.len();
            let line = &line[..line.len() - 2];
            if line.is_empty() {
                break;
            }
            if status.is_none() {
                status = Some(status_of(line)?);
            } else if let Some(at) = line.iter().position(|byte| *byte == b':') {
                let (name, value) = (&line[..at], line[at + 1..].trim_ascii());
                if name.eq_ignore_ascii_case(b"content-length") {
                    let length = std::str::from_utf8(value)
                        .ok()
                        .and_then(|value| value.parse().ok());
                    let length = length.ok_or("a Content-Length that is no number")?;
                    if body.replace(length).is_some() {
                        return Err("two Content-Lengths".to_owned());
                    }
                } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                    return Err("an answer in chunks, which this client does not read".to_owned());
                } else if name.eq_ignore_ascii_case(b"connection") && value.eq_ignore_ascii_case(b"close") {
                    return Err("the server does not keep the connection".to_owned());
                }
            } else {
                return Err("a header without a colon".to_owned());
            }
        }
        let status = status.ok_or("an answer without a status")?;
        let body = body.ok_or("an answer without Content-Length")?;
        Ok(Some(Self { status, end, body }))
    }
}

fn status_of(line: &[u8]) -> Result<u16, String> {
    std::str::from_utf8(line)
        .ok()
        .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        .and_then(|rest| rest.get(..3))
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| format!("not an answer: {}", String::from_utf8_lossy(line)))
}
