//! Where mail goes: to a mail server over SMTP (RFC 5321), or into files. Says how it went in one word; the server's own
//! words, which often hold an address, go no further than this file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters, TlsVersion,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};

use crate::kernel::refusal::Fault;
use crate::outbox::address::Address;
use crate::outbox::rules::{Failure, MailId};
use crate::web::secret_file;

/// Mail kept as files; the oldest make room.
pub const FILES_MAX: usize = 10_000;

/// How long a server may take to say goodbye after it has taken a mail.
const GOODBYE: Duration = Duration::from_secs(2);

/// How the way to the mail server is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all: for a server on the same machine.
    None,
    /// By STARTTLS (RFC 3207), which must be offered.
    StartTls,
    /// By TLS from the first byte (RFC 8314).
    Tls,
}

/// A mail server, from the configuration.
#[derive(Clone)]
pub struct SmtpServer {
    /// Its name, which its certificate must carry.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is kept from others.
    pub security: Security,
    /// A certificate authority of the ward's own besides those that everybody trusts; PEM.
    pub authority: Option<Vec<u8>>,
    /// Name and password, if it wants them.
    pub credentials: Option<(String, String)>,
    /// How this service calls itself: the host of its address.
    pub hello: String,
    /// How long one mail may take, from the first byte to the last.
    pub timeout: Duration,
}

/// Where mail goes.
pub enum Transport {
    /// Into a directory, each mail a file that mail programs open.
    Files(PathBuf),
    /// To a mail server.
    Smtp(Box<Smtp>),
}

/// A way to a mail server.
pub struct Smtp {
    server: SmtpServer,
    tls: Option<TlsParameters>,
    hello: ClientId,
}

/// A mail as it goes over the wire.
pub struct Envelope<'a> {
    /// Its id.
    pub id: &'a MailId,
    /// Who sends it.
    pub from: &'a Address,
    /// Whom it goes to.
    pub to: &'a Address,
    /// The whole message.
    pub message: &'a [u8],
}

impl Transport {
    /// Files in a directory, which is made if it is not there.
    ///
    /// # Errors
    /// A fault if it cannot be made.
    pub fn files(directory: &Path) -> Result<Self, Fault> {
        secret_file::private_directory(directory)?;
        Ok(Self::Files(directory.to_owned()))
    }

    /// A mail server. Nothing is asked of it yet.
    ///
    /// # Errors
    /// A fault if the certificate authority cannot be read.
    pub fn smtp(server: SmtpServer) -> Result<Self, Fault> {
        let tls = match server.security {
            Security::None => None,
            Security::StartTls | Security::Tls => Some(tls(&server)?),
        };
        let hello = match server.hello.parse::<std::net::IpAddr>() {
            Ok(std::net::IpAddr::V4(v4)) => ClientId::Ipv4(v4),
            Ok(std::net::IpAddr::V6(v6)) => ClientId::Ipv6(v6),
            Err(_) => ClientId::Domain(server.hello.clone()),
        };
        Ok(Self::Smtp(Box::new(Smtp { server, tls, hello })))
    }

    /// Sends one mail. It is taken, for certain, if and only if the answer is `Ok`; otherwise it may have been, in the
    /// moment between the last byte and the answer, and will be sent again under the same `Message-ID`.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send(&self, mail: Envelope<'_>) -> Result<(), Failure> {
        match self {
            Self::Files(directory) => {
                let file = directory.join(format!("{}.eml", mail.id));
                secret_file::replace(&file, mail.message).map_err(|fault| {
                    tracing::warn!(%fault, "a mail could not be written");
                    Failure::Unreachable
                })
            }
            Self::Smtp(smtp) => {
                let sent = tokio::time::timeout(smtp.server.timeout, smtp.send(mail)).await;
                let mut connection = sent.map_err(|_| Failure::TimedOut)??;
                // The mail is taken; whether the server says goodbye changes nothing.
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
                });
                Ok(())
            }
        }
    }

    /// Makes room among the files; the oldest go.
    pub fn make_room(&self) {
        let Self::Files(directory) = self else { return };
        let Ok(entries) = std::fs::read_dir(directory) else {
            return;
        };
        // Names are ids, and ids sort by age.
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
            .collect();
        files.sort();
        let too_many = files.len().saturating_sub(FILES_MAX);
        for file in files.iter().take(too_many) {
            if let Err(error) = std::fs::remove_file(file) {
                tracing::warn!(%error, "an old mail could not be deleted");
            }
        }
    }
}

fn tls(server: &SmtpServer) -> Result<TlsParameters, Fault> {
    let named = |error: SmtpError| Fault::caused("set up TLS to the mail server", error);
    let mut builder = TlsParameters::builder(server.host.clone())
        .certificate_store(CertificateStore::WebpkiRoots)
        .set_min_tls_version(TlsVersion::Tlsv12);
    if let Some(pem) = &server.authority {
        builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(named)?);
    }
    builder.build_rustls().map_err(named)
}

impl Smtp {
    async fn send(&self, mail: Envelope<'_>) -> Result<AsyncSmtpConnection, Failure> {
        let mut connection = self.enter().await?;
        let mut options = Vec::new();
        if !(mail.to.whole().is_ascii() && mail.from.whole().is_ascii()) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Failure::Unsendable);
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        if !mail.message.is_ascii() {
            if !connection.server_info().supports_feature(Extension::EightBitMime) {
                return Err(Failure::Unsendable);
            }
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        // Whoever is refused as a sender is refused for all mail: that is the operator's to put right, and no reason to give
        // this one up.
        let sender = Mail::new(Some(mail.from.inner().clone()), options);
        connection
            .command(sender)
            .await
            .map_err(|error| at_door(&error))?;
        let recipient = Rcpt::new(mail.to.inner().clone(), Vec::new());
        connection
            .command(recipient)
            .await
            .map_err(|error| inside(&error))?;
        connection.command(Data).await.map_err(|error| inside(&error))?;
        connection
            .message(mail.message)
            .await
            .map_err(|error| inside(&error))?;
        Ok(connection)
    }

    /// Connects, goes over to TLS and says who we are, as the configuration wants.
    async fn enter(&self) -> Result<AsyncSmtpConnection, Failure> {
        let server = &self.server;
        let at_once = self.tls.clone().filter(|_| server.security == Security::Tls);
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            (server.host.as_str(), server.port),
            Some(server.timeout),
            &self.hello,
            at_once,
            None,
        )
        .await
        .map_err(|error| at_door(&error))?;
        if server.security == Security::StartTls {
            let tls = self.tls.clone().ok_or(Failure::Untrusted)?;
            // A server that does not offer it, or somebody in between who says so, gets neither password nor mail.
            connection.starttls(tls, &self.hello).await.map_err(|error| {
                if error.is_client() {
                    Failure::Untrusted
                } else {
                    at_door(&error)
                }
            })?;
        }
        if let Some((user, password)) = &server.credentials {
            let credentials = Credentials::new(user.clone(), password.clone());
            connection
                .auth(DEFAULT_MECHANISMS, &credentials)
                .await
                .map_err(|error| {
                    if error.is_client() || error.is_permanent() {
                        Failure::SignIn
                    } else {
                        at_door(&error)
                    }
                })?;
        }
        Ok(connection)
    }
}

/// What went wrong before the server was told whom the mail is for: never the mail's fault.
fn at_door(error: &SmtpError) -> Failure {
    if error.is_permanent() {
        Failure::SignIn
    } else {
        passing(error)
    }
}

/// What went wrong afterwards.
fn inside(error: &SmtpError) -> Failure {
    if error.is_permanent() {
        Failure::Refused
    } else {
        passing(error)
    }
}

fn passing(error: &SmtpError) -> Failure {
    if error.is_transient() {
        Failure::Deferred
    } else if error.is_timeout() {
        Failure::TimedOut
    } else if error.is_tls() || is_about_trust(error) {
        Failure::Untrusted
    } else {
        Failure::Unreachable
    }
}

/// True if rustls is among the causes: lettre takes a failed handshake for a failed connection.
fn is_about_trust(error: &SmtpError) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let inner = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if error.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        cause = error.source();
    }
    false
}
