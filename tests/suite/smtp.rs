//! A mail server for tests, over real TCP: it takes mail, refuses, asks to come back, hangs, goes away in the middle, speaks TLS
//! and wants a password, as each test needs. What it was sent is kept byte for byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;
use wardbook::app::settings::{MailTransport, Secret, Settings, SmtpTls};

use crate::faults::eventually;

/// The name and password that a server wants, if it wants any.
pub const USER: &str = "ward";
pub const PASSWORD: &str = "correct horse battery staple";

/// Where the server stands in its dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Greeting,
    Sender,
    Recipient,
    /// While the message is on its way.
    Data,
    /// When all of it has arrived, and before that is said.
    Taken,
}

/// What the server does there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Takes everything.
    Good,
    /// Answers with this line.
    Says(Stage, &'static str),
    /// Says nothing more and keeps the connection.
    Hangs(Stage),
    /// Goes away without a word.
    Leaves(Stage),
}

/// A mail as it came.
#[derive(Clone, Debug)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    /// The message, without the dots that SMTP adds.
    pub message: String,
    pub encrypted: bool,
    pub signed_in: bool,
}

impl Taken {
    /// The message's head, unfolded: one header a line.
    pub fn head(&self) -> Vec<String> {
        let (head, _) = self.message.split_once("\r\n\r\n").expect("a head and a body");
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        unfolded.split("\r\n").map(str::to_owned).collect()
    }

    /// The only header of that name.
    pub fn header(&self, name: &str) -> String {
        let head = self.head();
        let found: Vec<&str> = head
            .iter()
            .filter_map(|line| line.strip_prefix(&format!("{name}: ")))
            .collect();
        assert_eq!(found.len(), 1, "{name} in {head:#?}");
        found[0].to_owned()
    }

    /// The first address that it goes to, without what stands round it.
    pub fn recipient(&self) -> &str {
        self.to[0].trim_start_matches("TO:<").trim_end_matches('>')
    }
}

/// What a server shows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    pub tls: SmtpTls,
    /// Whether it says that it can do STARTTLS.
    pub offers_starttls: bool,
    pub wants_password: bool,
    /// The name in its certificate.
    pub name: &'static str,
}

impl Default for Ways {
    fn default() -> Self {
        Self {
            tls: SmtpTls::None,
            offers_starttls: true,
            wants_password: false,
            name: "localhost",
        }
    }
}

struct Shared {
    ways: Ways,
    certificate: Arc<ServerConfig>,
    mood: Mutex<Mood>,
    taken: Mutex<Vec<Taken>>,
    lines: Mutex<Vec<String>>,
    connections: Mutex<usize>,
    closed: AtomicBool,
}

/// The server; it ends with the value.
pub struct MailServer {
    shared: Arc<Shared>,
    port: u16,
    dir: TempDir,
    thread: Option<JoinHandle<()>>,
}

impl MailServer {
    /// A server without TLS that takes everything.
    pub fn start() -> Self {
        Self::with(Ways::default())
    }

    pub fn with(ways: Ways) -> Self {
        let made = rcgen::generate_simple_self_signed([ways.name.to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), made.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            ways,
            certificate: Arc::new(certificate),
            mood: Mutex::new(Mood::Good),
            taken: Mutex::default(),
            lines: Mutex::default(),
            connections: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        let door = shared.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if door.closed.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), shared) = (stream, door.clone()) else {
                    continue;
                };
                *shared.connections.lock().unwrap() += 1;
                // A client that goes away in the middle is a test's business.
                std::thread::spawn(move || drop(talk(stream, &shared)));
            }
        });
        Self {
            shared,
            port,
            dir,
            thread: Some(thread),
        }
    }

    /// From now on it does this.
    pub fn becomes(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// Everything that it has taken.
    pub fn taken(&self) -> Vec<Taken> {
        self.shared.taken.lock().unwrap().clone()
    }

    /// Waits until it has taken this many mails.
    pub fn takes(&self, count: usize) -> Vec<Taken> {
        eventually("the mail server to take mail", || {
            let taken = self.taken();
            assert!(taken.len() <= count, "{taken:#?}");
            (taken.len() == count).then_some(taken)
        })
    }

    /// Every line that a client has said outside of a message.
    pub fn lines(&self) -> Vec<String> {
        self.shared.lines.lock().unwrap().clone()
    }

    /// How many clients have come.
    pub fn connections(&self) -> usize {
        *self.shared.connections.lock().unwrap()
    }

    /// The file with the authority that signed its certificate.
    pub fn authority(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Tells a ward to send its mail here.
    pub fn serves(&self, settings: &mut Settings) {
        settings.mail_transport = MailTransport::Smtp;
        settings.mail_from = "ward@ward.example".to_owned();
        settings.smtp_host = "localhost".to_owned();
        settings.smtp_port = self.port;
        settings.smtp_tls = self.shared.ways.tls;
        settings.smtp_ca_file = self.authority();
        settings.smtp_timeout_seconds = 20;
        if self.shared.ways.wants_password {
            settings.smtp_user = USER.to_owned();
            settings.smtp_password = Secret(PASSWORD.to_owned());
        }
    }

    /// The same for a process, whose clock stands still and which says all it has to say.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("WARDBOOK_ENVIRONMENT", "development".to_owned()),
            ("WARDBOOK_CLOCK", "simulated".to_owned()),
            ("WARDBOOK_LOG_LEVEL", "debug".to_owned()),
            ("WARDBOOK_MAIL_TRANSPORT", "smtp".to_owned()),
            ("WARDBOOK_MAIL_FROM", "ward@ward.example".to_owned()),
            ("WARDBOOK_SMTP_HOST", "localhost".to_owned()),
            ("WARDBOOK_SMTP_PORT", self.port.to_string()),
            ("WARDBOOK_SMTP_TLS", "none".to_owned()),
            ("WARDBOOK_SMTP_TIMEOUT_SECONDS", "20".to_owned()),
        ]
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        // Wakes the one that waits for clients.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// One client's dialogue.
struct Talk<'s> {
    shared: &'s Shared,
    wire: BufReader<Box<dyn Wire>>,
    plain: TcpStream,
    encrypted: bool,
    signed_in: bool,
}

fn talk(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let plain = stream.try_clone()?;
    let mut talk = Talk {
        shared,
        wire: BufReader::new(Box::new(stream)),
        plain,
        encrypted: false,
        signed_in: false,
    };
    if shared.ways.tls == SmtpTls::Tls {
        talk.encrypt()?;
    }
    talk.serve()
}

impl Talk<'_> {
    fn encrypt(&mut self) -> std::io::Result<()> {
        let server = ServerConnection::new(self.shared.certificate.clone()).unwrap();
        let wire: Box<dyn Wire> = Box::new(StreamOwned::new(server, self.plain.try_clone()?));
        self.wire = BufReader::new(wire);
        self.encrypted = true;
        Ok(())
    }

    fn say(&mut self, line: &str) -> std::io::Result<()> {
        let wire = self.wire.get_mut();
        wire.write_all(format!("{line}\r\n").as_bytes())?;
        wire.flush()
    }

    /// The next line, as it came; `None` when the client has gone.
    fn hear(&mut self) -> std::io::Result<Option<String>> {
        let mut line = Vec::new();
        self.wire.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }

    /// Answers at a stage, unless the mood is another one; false if the talk is over.
    fn answers(&mut self, at: Stage, usually: &str) -> std::io::Result<bool> {
        let mood = *self.shared.mood.lock().unwrap();
        match mood {
            Mood::Says(stage, line) if stage == at => self.say(line).map(|()| true),
            Mood::Hangs(stage) if stage == at => {
                while !self.shared.closed.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok(false)
            }
            Mood::Leaves(stage) if stage == at => {
                self.plain.shutdown(std::net::Shutdown::Both)?;
                Ok(false)
            }
            _ => self.say(usually).map(|()| true),
        }
    }

    fn serve(&mut self) -> std::io::Result<()> {
        if !self.answers(Stage::Greeting, "220 mail.example ESMTP")? {
            return Ok(());
        }
        let (mut from, mut to) = (String::new(), Vec::new());
        while let Some(line) = self.hear()? {
            self.shared.lines.lock().unwrap().push(line.clone());
            let line = line.trim_end_matches(['\r', '\n']);
            let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
            let going_on = match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.hello(),
                "STARTTLS" => {
                    self.say("220 go ahead")?;
                    self.encrypt().map(|()| true)
                }
                "AUTH" => self.sign_in(rest),
                "MAIL" if self.shared.ways.wants_password && !self.signed_in => {
                    self.say("530 5.7.0 sign in first").map(|()| true)
                }
                "MAIL" => {
                    from = rest.to_owned();
                    to.clear();
                    self.answers(Stage::Sender, "250 2.1.0 good")
                }
                "RCPT" => {
                    to.push(rest.to_owned());
                    self.answers(Stage::Recipient, "250 2.1.5 good")
                }
                "DATA" => self.take(&from, &to),
                "QUIT" => self.say("221 2.0.0 bye").map(|()| false),
                _ => self.say("500 5.5.1 what").map(|()| true),
            };
            if !going_on? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn hello(&mut self) -> std::io::Result<bool> {
        let ways = self.shared.ways;
        self.say("250-mail.example")?;
        if ways.tls == SmtpTls::Starttls && ways.offers_starttls && !self.encrypted {
            self.say("250-STARTTLS")?;
        }
        if ways.wants_password {
            self.say("250-AUTH PLAIN LOGIN")?;
        }
        self.say("250 8BITMIME").map(|()| true)
    }

    fn sign_in(&mut self, how: &str) -> std::io::Result<bool> {
        let right = BASE64.encode(format!("\0{USER}\0{PASSWORD}"));
        self.signed_in = how == format!("PLAIN {right}");
        let answer = if self.signed_in {
            "235 2.7.0 welcome"
        } else {
            "535 5.7.8 no"
        };
        self.say(answer).map(|()| true)
    }

    fn take(&mut self, from: &str, to: &[String]) -> std::io::Result<bool> {
        self.say("354 go ahead")?;
        let mut message = String::new();
        loop {
            let mood = *self.shared.mood.lock().unwrap();
            if message.len() > 200 && matches!(mood, Mood::Hangs(Stage::Data) | Mood::Leaves(Stage::Data)) {
                return self.answers(Stage::Data, "");
            }
            let Some(line) = self.hear()? else {
                return Ok(false);
            };
            if line == ".\r\n" {
                break;
            }
            message.push_str(line.strip_prefix('.').unwrap_or(&line));
        }
        let mood = *self.shared.mood.lock().unwrap();
        if !matches!(mood, Mood::Says(Stage::Taken, _)) {
            self.shared.taken.lock().unwrap().push(Taken {
                from: from.to_owned(),
                to: to.to_vec(),
                message,
                encrypted: self.encrypted,
                signed_in: self.signed_in,
            });
        }
        self.answers(Stage::Taken, "250 2.0.0 taken")
    }
}
