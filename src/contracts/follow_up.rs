//! The links by which those without an account hear what became of their report and say whether it is put right: a report and a code that only the
//! holder of the key can make. Nothing of a link is stored; it is made anew whenever it is sent.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::contracts::rules_defect_reports::DefectReportId;
use crate::kernel::id;
use crate::kernel::refusal::Fault;
use crate::web::secret_file;

/// The key's file in the key directory.
const FILE: &str = "follow-up.key";
/// Bytes of the code: enough that nobody guesses one.
const CODE_BYTES: usize = 16;
/// A longer token is not looked at.
const TOKEN_LENGTH_MAX: usize = 100;

/// The key that makes and checks the links.
#[derive(Clone)]
pub struct FollowUpKey(Zeroizing<[u8; 32]>);

impl FollowUpKey {
    /// The key in a directory, made if there is none. Instances that share the directory share the key.
    ///
    /// # Errors
    /// A fault if it cannot be read or written.
    pub fn open(directory: &Path) -> Result<Self, Fault> {
        let file = directory.join(FILE);
        if !file.exists() {
            let seed = Zeroizing::new(id::random::<32>()?);
            secret_file::write_if_missing(&file, hex::encode(seed.as_slice()).as_bytes())?;
        }
        secret_file::read_seed(&file).map(Self)
    }

    /// The token of a report.
    ///
    /// # Errors
    /// A fault if the key is of a length that HMAC refuses, which it never does.
    pub fn token(&self, report: &DefectReportId) -> Result<String, Fault> {
        let whole = self.code(report)?.finalize().into_bytes();
        let code = whole.get(..CODE_BYTES).unwrap_or_default();
        Ok(format!("{report}.{}", BASE64_URL_SAFE_NO_PAD.encode(code)))
    }

    /// The page behind the token of a report.
    ///
    /// # Errors
    /// As [`Self::token`].
    pub fn path(&self, report: &DefectReportId) -> Result<String, Fault> {
        Ok(format!("/r/reports/{}", self.token(report)?))
    }

    /// The report of a token, if the token is one of ours.
    ///
    /// # Errors
    /// As [`Self::token`].
    pub fn report(&self, token: &str) -> Result<Option<DefectReportId>, Fault> {
        let parts = token.rsplit_once('.').filter(|_| token.len() <= TOKEN_LENGTH_MAX);
        let read = parts.and_then(|(report, code)| {
            let report: DefectReportId = report.parse().ok()?;
            let code = BASE64_URL_SAFE_NO_PAD.decode(code).ok()?;
            (code.len() == CODE_BYTES).then_some((report, code))
        });
        let Some((report, code)) = read else {
            return Ok(None);
        };
        // In constant time, whatever part of it is right.
        let is_ours = self.code(&report)?.verify_truncated_left(&code).is_ok();
        Ok(is_ours.then_some(report))
    }

    fn code(&self, report: &DefectReportId) -> Result<Hmac<Sha256>, Fault> {
        let mut code = Hmac::<Sha256>::new_from_slice(self.0.as_slice())
            .map_err(|error| Fault::caused("the key of the links to reports", error))?;
        code.update(b"wardbook follow a report\n");
        code.update(report.as_str().as_bytes());
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeZone, Utc};

    #[test]
    fn a_link_is_of_one_report_and_of_one_ward() {
        let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let key = FollowUpKey::open(ours.path()).unwrap();
        let now = Utc.with_ymd_and_hms(2026, 5, 4, 0, 0, 0).unwrap();
        let (report, other) = (DefectReportId::mint(now), DefectReportId::mint(now));
        let token = key.token(&report).unwrap();
        assert_eq!(
            FollowUpKey::open(ours.path()).unwrap().report(&token).unwrap(),
            Some(report.clone())
        );
        assert_eq!(
            FollowUpKey::open(theirs.path()).unwrap().report(&token).unwrap(),
            None
        );
        let (_, code) = token.split_once('.').unwrap();
        for forged in [
            format!("{other}.{code}"),
            format!("{report}."),
            report.to_string(),
            String::new(),
            format!("{token}A"),
            "x".repeat(500),
        ] {
            assert_eq!(key.report(&forged).unwrap(), None, "{forged}");
        }
        assert!(key.path(&report).unwrap().starts_with("/r/reports/defectreport_"));
    }
}
