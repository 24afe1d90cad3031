//! Versions and conditional requests (RFC 9110 §13): every updatable thing has a version, its `ETag` is that version, and
//! an update says which one it means.

use actix_web::HttpRequest;
use actix_web::http::header::{IF_MATCH, IF_NONE_MATCH};

use crate::kernel::refusal::{Answer, Kind, Reason};
use crate::text;

/// The update does not say which version it means.
pub static VERSION_MISSING: Reason = Reason::new(
    Kind::VersionMissing,
    "version_missing",
    "缺少 If-Match：请附上所修改版本的 ETag",
    "Send If-Match with the ETag of the version you mean to change",
);
/// The thing has changed since the caller last saw it.
pub static VERSION_STALE: Reason = Reason::new(
    Kind::Stale,
    "version_stale",
    "内容已被他人修改，请重新读取",
    "It has changed since; read it again",
);

/// The `ETag` of a version.
pub fn etag(version: i64) -> String {
    format!("\"v{version}\"")
}

/// Which version an update means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// `If-Match: *`: whatever it is now.
    Any,
    /// This one.
    Version(i64),
}

impl Expected {
    /// Reads `If-Match`.
    ///
    /// # Errors
    /// [`VERSION_MISSING`] without the header; [`VERSION_STALE`] for an ETag that was never one of ours.
    pub fn of(request: &HttpRequest) -> Answer<Self> {
        let Some(header) = request.headers().get(IF_MATCH) else {
            return Err(VERSION_MISSING.refuse().into());
        };
        let value = header.to_str().unwrap_or_default().trim();
        if value == "*" {
            return Ok(Self::Any);
        }
        match version_of(value) {
            Some(version) => Ok(Self::Version(version)),
            None => Err(VERSION_STALE.refuse().into()),
        }
    }

    /// Refuses unless `current` is the version meant.
    ///
    /// # Errors
    /// [`VERSION_STALE`].
    pub fn check(self, current: i64) -> Answer<()> {
        match self {
            Self::Any => Ok(()),
            Self::Version(version) if version == current => Ok(()),
            Self::Version(version) => Err(VERSION_STALE
                .because(text!(
                    "您的版本是 v{version}，当前版本是 v{current}",
                    "you mean version v{version}; the current one is v{current}"
                ))
                .into()),
        }
    }
}

fn version_of(etag: &str) -> Option<i64> {
    let digits = etag.strip_prefix("\"v")?.strip_suffix('"')?;
    let canonical = !digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit());
    canonical.then(|| digits.parse().ok()).flatten()
}

/// True if the caller's copy (`If-None-Match`) is this one, so that 304 is the whole answer.
pub fn is_current(request: &HttpRequest, etag: &str) -> bool {
    request
        .headers()
        .get_all(IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .any(|value| {
            value
                .split(',')
                .map(str::trim)
                .any(|known| known == "*" || known.trim_start_matches("W/") == etag)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn an_update_names_its_version() {
        let request = |value: &str| {
            TestRequest::default()
                .insert_header((IF_MATCH, value))
                .to_http_request()
        };
        assert_eq!(Expected::of(&request("\"v3\"")).unwrap(), Expected::Version(3));
        assert_eq!(Expected::of(&request("*")).unwrap(), Expected::Any);
        for bad in [
            "v3",
            "\"3\"",
            "\"v03\"",
            "\"v-3\"",
            "W/\"v3\"",
            "\"v99999999999999999999\"",
            "",
        ] {
            assert!(Expected::of(&request(bad)).is_err(), "{bad}");
        }
        assert!(Expected::of(&TestRequest::default().to_http_request()).is_err());
        assert!(Expected::Version(3).check(3).is_ok());
        assert!(Expected::Version(3).check(4).is_err());
    }

    #[test]
    fn a_copy_that_is_current_need_not_be_sent_again() {
        let request = |value: &str| {
            TestRequest::default()
                .insert_header((IF_NONE_MATCH, value))
                .to_http_request()
        };
        assert!(is_current(&request("\"v1\", W/\"v2\""), "\"v2\""));
        assert!(is_current(&request("*"), "\"v2\""));
        assert!(!is_current(&request("\"v1\""), "\"v2\""));
    }
}
