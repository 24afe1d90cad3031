//! What the configuration says about mail, made into what the outbox needs.

use std::net::IpAddr;
use std::time::Duration;

use crate::app::settings::{MailTransport, Settings, SmtpTls};
use crate::ballots::polling;
use crate::books::custody::Custody;
use crate::kernel::refusal::Fault;
use crate::kernel::text::Text;
use crate::outbox::address::Address;
use crate::outbox::content::Unsealing;
use crate::outbox::letter::Letterhead;
use crate::outbox::sender::Mailing;
use crate::outbox::transport::{Security, SmtpServer, Transport};
use crate::outbox::unsubscribe::UnsubscribeKey;

/// Where mail comes from if the configuration does not say: an address that no mail server accepts.
const FROM_DEFAULT: &str = "wardbook@localhost";

/// Longest time that one mail may take.
const TIMEOUT_SECONDS_MAX: u64 = 600;

/// Checks what the configuration says about mail.
///
/// # Errors
/// A fault that names the setting.
pub fn check(settings: &Settings) -> Result<(), Fault> {
    from(settings)?;
    if settings.mail_transport == MailTransport::File {
        return Ok(());
    }
    let wrong = |why: &str| Err(Fault::broken(why));
    if settings.mail_from.is_empty() || settings.smtp_host.is_empty() {
        return wrong("mail_transport = \"smtp\" needs mail_from and smtp_host");
    }
    if settings.smtp_timeout_seconds == 0 || settings.smtp_timeout_seconds > TIMEOUT_SECONDS_MAX {
        return wrong("smtp_timeout_seconds is from 1 to 600");
    }
    if settings.smtp_user.is_empty() != settings.smtp_password.0.is_empty() {
        return wrong("smtp_user and smtp_password are given together or not at all");
    }
    if settings.smtp_tls == SmtpTls::None && !is_this_machine(&settings.smtp_host) {
        return wrong(
            "smtp_tls = \"none\" is for a mail server on the same machine (localhost): others could read mail and password on \
             the way",
        );
    }
    Ok(())
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn from(settings: &Settings) -> Result<Address, Fault> {
    let from = match settings.mail_from.as_str() {
        "" => FROM_DEFAULT,
        from => from,
    };
    from.parse().map_err(|error| Fault::caused("mail_from", error))
}

/// The host of an address like `https://ward.example:8443/x`.
fn host_of(url: &str) -> &str {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// Links to votes, which are sealed with the key directory until they are sent.
struct Links(Custody);

impl Unsealing for Links {
    fn unsealed(&self, sealed: &str) -> Result<String, Fault> {
        // A path is one that a version before this wrote: what is sealed has no slash.
        if sealed.starts_with('/') {
            return Ok(sealed.to_owned());
        }
        polling::opened_link(&self.0, sealed)
    }
}

/// What the outbox needs to send.
///
/// # Errors
/// A fault if a setting does not hold, or a directory or a key cannot be made.
pub fn mailing(settings: &Settings) -> Result<Mailing, Fault> {
    let timeout = Duration::from_secs(settings.smtp_timeout_seconds.max(1));
    let transport = match settings.mail_transport {
        MailTransport::File => {
            let directory = settings.data_dir.join("mail");
            tracing::info!(directory = %directory.display(), "mail is written to files; nobody gets it");
            Transport::files(&directory)?
        }
        MailTransport::Smtp => Transport::smtp(server(settings, timeout)?)?,
    };
    Ok(Mailing {
        transport,
        head: Letterhead {
            ward: Text::made(settings.ward_name_zh.clone(), settings.ward_name_en.clone()),
            public_url: settings.public_url(),
            zone: settings.zone,
            from: from(settings)?,
        },
        key: UnsubscribeKey::open(&settings.keys_dir())?,
        seals: Box::new(Links(Custody::open(&settings.keys_dir())?)),
        timeout,
    })
}

fn server(settings: &Settings, timeout: Duration) -> Result<SmtpServer, Fault> {
    let (security, port) = match settings.smtp_tls {
        SmtpTls::None => (Security::None, 25),
        SmtpTls::Starttls => (Security::StartTls, 587),
        SmtpTls::Tls => (Security::Tls, 465),
    };
    let authority = match settings.smtp_ca_file.as_os_str().is_empty() {
        true => None,
        false => Some(
            std::fs::read(&settings.smtp_ca_file).map_err(|error| Fault::caused("smtp_ca_file", error))?,
        ),
    };
    let user = settings.smtp_user.clone();
    Ok(SmtpServer {
        host: settings.smtp_host.clone(),
        port: match settings.smtp_port {
            0 => port,
            other => other,
        },
        security,
        authority,
        credentials: (!user.is_empty()).then(|| (user, settings.smtp_password.0.clone())),
        hello: host_of(&settings.public_url()).to_owned(),
        timeout,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::settings::Secret;

    fn smtp() -> Settings {
        Settings {
            mail_transport: MailTransport::Smtp,
            mail_from: "ward@example.org".to_owned(),
            smtp_host: "mail.example.org".to_owned(),
            ..Settings::default()
        }
    }

    #[test]
    fn mail_is_not_sent_where_others_could_read_it() {
        assert!(check(&Settings::default()).is_ok());
        assert!(check(&smtp()).is_ok());
        let change = |change: fn(&mut Settings)| {
            let mut settings = smtp();
            change(&mut settings);
            check(&settings).map_err(|fault| fault.to_string())
        };
        for (broken, named) in [
            (change(|s| s.mail_from.clear()), "mail_from"),
            (change(|s| s.mail_from = "a@b\r\nBcc: c@d".into()), "mail_from"),
            (change(|s| s.smtp_host.clear()), "smtp_host"),
            (change(|s| s.smtp_tls = SmtpTls::None), "smtp_tls"),
            (change(|s| s.smtp_user = "ward".into()), "smtp_password"),
            (change(|s| s.smtp_timeout_seconds = 0), "smtp_timeout_seconds"),
        ] {
            assert!(broken.clone().is_err_and(|why| why.contains(named)), "{broken:?}");
        }
        let local = |host: &str| {
            let settings = Settings {
                smtp_tls: SmtpTls::None,
                smtp_host: host.to_owned(),
                ..smtp()
            };
            check(&settings).is_ok()
        };
        assert!(local("localhost") && local("127.0.0.1") && local("::1"));
        assert!(!local("10.0.0.1") && !local("localhost.example.org"));
    }

    #[test]
    fn a_password_is_never_printed() {
        let settings = Settings {
            smtp_password: Secret("hunter2".to_owned()),
            ..smtp()
        };
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn the_host_of_an_address_is_found() {
        assert_eq!(host_of("https://ward.example:8443/x"), "ward.example");
        assert_eq!(host_of("http://[::1]:80"), "::1");
        assert_eq!(host_of("http://127.0.0.1:8080"), "127.0.0.1");
    }
}
