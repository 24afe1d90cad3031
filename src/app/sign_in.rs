//! What the configuration says about another provider of sign-ins, made into what people's floor needs.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::app::settings::Settings;
use crate::kernel::refusal::Fault;
use crate::people::http_return::RETURN_PATH;
use crate::people::provider::ProviderSettings;
use crate::people::rules_outside::Demands;

/// Longest time that one question may take: four of them end before a request does.
const TIMEOUT_SECONDS_MAX: u64 = 7;
/// Characters of an issuer's address.
const ISSUER_LENGTH_MAX: usize = 500;

/// Checks what the configuration says about the provider.
///
/// # Errors
/// A fault that names the setting.
pub fn check(settings: &Settings) -> Result<(), Fault> {
    let wrong = |why: &str| Err(Fault::broken(why));
    if settings.oidc_issuer.is_empty() {
        return Ok(());
    }
    if !is_safe(&settings.oidc_issuer) || settings.oidc_issuer.len() > ISSUER_LENGTH_MAX {
        return wrong("oidc_issuer is an https address without query (http on the same machine only)");
    }
    if settings.oidc_client_id.is_empty() {
        return wrong("oidc_issuer needs oidc_client_id");
    }
    if !settings.oidc_client_secret.0.is_empty() && !settings.oidc_client_secret_file.as_os_str().is_empty() {
        return wrong("oidc_client_secret and oidc_client_secret_file cannot both be given");
    }
    if settings.oidc_timeout_seconds == 0 || settings.oidc_timeout_seconds > TIMEOUT_SECONDS_MAX {
        return wrong("oidc_timeout_seconds is from 1 to 7");
    }
    let redirect = &settings.oidc_redirect_url;
    if !redirect.is_empty() && !is_safe(redirect) {
        return wrong("oidc_redirect_url is an https address without query (http on the same machine only)");
    }
    for name in [&settings.oidc_name_zh, &settings.oidc_name_en] {
        if name.trim().is_empty() {
            return wrong("oidc_name_zh and oidc_name_en are what people call the provider");
        }
    }
    Ok(())
}

/// True for an address on the way to which nobody can listen.
fn is_safe(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_plain = !url.contains(['?', '#', ' ', '@']) && !host.is_empty();
    is_plain && (scheme == "https" || scheme == "http" && is_here)
}

/// The provider, if there is one.
///
/// # Errors
/// A fault if a file cannot be read.
pub fn provider(settings: &Settings) -> Result<Option<ProviderSettings>, Fault> {
    if settings.oidc_issuer.is_empty() {
        return Ok(None);
    }
    let read = |name: &'static str, path: &Path| match path.as_os_str().is_empty() {
        true => Ok(None),
        false => std::fs::read(path)
            .map(Some)
            .map_err(|error| Fault::caused(format!("read {} ({name})", path.display()), error)),
    };
    let in_file = read("oidc_client_secret_file", &settings.oidc_client_secret_file)?;
    let in_file = in_file.map(Zeroizing::new).map(|bytes| {
        let text = String::from_utf8_lossy(&bytes);
        Zeroizing::new(text.trim().to_owned())
    });
    let given = Zeroizing::new(settings.oidc_client_secret.0.clone());
    let secret = in_file.unwrap_or(given);
    Ok(Some(ProviderSettings {
        issuer: settings.oidc_issuer.clone(),
        client_id: settings.oidc_client_id.clone(),
        client_secret: (!secret.is_empty()).then_some(secret),
        scopes: settings.oidc_scopes.clone(),
        redirect_url: match settings.oidc_redirect_url.as_str() {
            "" => format!("{}{RETURN_PATH}", settings.public_url()),
            url => url.to_owned(),
        },
        name_zh: settings.oidc_name_zh.clone(),
        name_en: settings.oidc_name_en.clone(),
        link_by_verified_email: settings.oidc_link_by_verified_email,
        demands: Demands {
            required_acr: settings.oidc_required_acr.clone(),
            required_amr: settings.oidc_required_amr.clone(),
            second_factor_acr: settings.oidc_second_factor_acr.clone(),
            second_factor_amr: settings.oidc_second_factor_amr.clone(),
        },
        authorities: read("oidc_ca_file", &settings.oidc_ca_file)?,
        timeout: Duration::from_secs(settings.oidc_timeout_seconds),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::settings::Secret;

    fn with(change: impl FnOnce(&mut Settings)) -> Settings {
        let mut settings = Settings {
            oidc_issuer: "https://id.ward.example/realms/ward".to_owned(),
            oidc_client_id: "wardbook".to_owned(),
            public_url: "https://ward.example/".to_owned(),
            ..Settings::default()
        };
        change(&mut settings);
        settings
    }

    #[test]
    fn without_an_issuer_there_is_no_provider() {
        assert!(check(&Settings::default()).is_ok());
        assert!(provider(&Settings::default()).unwrap().is_none());
        let made = provider(&with(|_| {})).unwrap().unwrap();
        assert_eq!(made.redirect_url, "https://ward.example/sign-in/return");
        assert!(made.client_secret.is_none() && !made.link_by_verified_email);
    }

    #[test]
    fn what_would_be_unsafe_or_unusable_is_an_error_that_names_the_setting() {
        let said = |change: fn(&mut Settings)| check(&with(change)).unwrap_err().to_string();
        assert!(said(|one| one.oidc_issuer = "http://id.ward.example".to_owned()).contains("oidc_issuer"));
        assert!(
            said(|one| one.oidc_issuer = "https://id.ward.example?a=b".to_owned()).contains("oidc_issuer")
        );
        assert!(said(|one| one.oidc_issuer = "https://a@b.example".to_owned()).contains("oidc_issuer"));
        assert!(said(|one| one.oidc_client_id = String::new()).contains("oidc_client_id"));
        assert!(said(|one| one.oidc_timeout_seconds = 8).contains("oidc_timeout_seconds"));
        assert!(
            said(|one| one.oidc_redirect_url = "http://app.example/x".to_owned()).contains("redirect_url")
        );
        assert!(said(|one| one.oidc_name_en = " ".to_owned()).contains("oidc_name_en"));
        let both = |one: &mut Settings| {
            one.oidc_client_secret = Secret("a".to_owned());
            one.oidc_client_secret_file = "/x".into();
        };
        assert!(said(both).contains("oidc_client_secret"));
        assert!(check(&with(|one| one.oidc_issuer = "http://127.0.0.1:9000".to_owned())).is_ok());
        assert!(check(&with(|one| one.oidc_issuer = "http://[::1]:9000/a".to_owned())).is_ok());
    }

    #[test]
    fn the_secret_comes_from_a_file_or_from_the_configuration() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("secret");
        std::fs::write(&file, "  from the file\n").unwrap();
        let secret = |settings: &Settings| provider(settings).unwrap().unwrap().client_secret.unwrap();
        assert_eq!(
            *secret(&with(|one| one.oidc_client_secret_file = file)),
            "from the file"
        );
        let given = with(|one| one.oidc_client_secret = Secret("given".to_owned()));
        assert_eq!(*secret(&given), "given");
        assert!(provider(&with(|one| one.oidc_client_secret_file = "/no/such".into())).is_err());
        assert!(!format!("{given:?}").contains("given"));
    }
}
