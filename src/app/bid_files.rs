//! Sealing a bid and reopening one, on the bidder's or anybody's own machine: files in, files out, without a server and without a network.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::bids::sealing::{self, CONTENT_BYTES_MAX, OneFileKey};
use crate::kernel::refusal::{Fault, Stop};
use crate::web::secret_file;

/// A sealed bid that was written.
pub struct SealedFile {
    /// Where.
    pub path: PathBuf,
    /// SHA-256 of its bytes, as the receipt will name it.
    pub sha256: String,
    /// How many bytes.
    pub bytes: usize,
}

/// Seals a bid that lies in a file as JSON, and writes it to another; to the same name with `.age` behind it, if none is given.
///
/// # Errors
/// A file that cannot be read, or is there already; what is no JSON; those of sealing.
pub fn seal(file: &Path, recipient: &str, output: Option<PathBuf>) -> Result<SealedFile, Fault> {
    let content = read_up_to(file, CONTENT_BYTES_MAX)?;
    // What is no JSON would be found unopenable when nothing can be done about it any more.
    serde_json::from_slice::<serde::de::IgnoredAny>(&content)
        .map_err(|error| Fault::caused(format!("{} is no JSON", file.display()), error))?;
    let sealed = sealing::seal(&content, recipient).map_err(|error| Fault::caused("seal the bid", error))?;
    let path = output.unwrap_or_else(|| {
        let mut name = file.as_os_str().to_owned();
        name.push(".age");
        PathBuf::from(name)
    });
    secret_file::write_new(&path, &sealed)?;
    Ok(SealedFile {
        path,
        sha256: hex::encode(Sha256::digest(&sealed)),
        bytes: sealed.len(),
    })
}

/// What a sealed bid says, by the key of this one file that the record of its opening gives.
///
/// # Errors
/// A file that cannot be read; what is no key; the reason why it cannot be opened.
pub fn reopen(file: &Path, file_key: &str) -> Result<Vec<u8>, Fault> {
    let sealed = read_up_to(file, sealing::ARRIVING_BYTES_MAX)?;
    let sealed = sealing::arrived(&sealed)
        .map_err(|refusal| Fault::caused(file.display().to_string(), Stop::from(refusal)))?;
    let key =
        OneFileKey::from_hex(file_key).ok_or_else(|| Fault::broken("a file key is 32 digits of base 16"))?;
    sealing::reopen(&sealed, &key).map_err(|error| Fault::caused(file.display().to_string(), error))
}

fn read_up_to(file: &Path, bytes_max: usize) -> Result<Vec<u8>, Fault> {
    let failed = |error| Fault::caused(format!("read {}", file.display()), error);
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let mut content = Vec::new();
    std::fs::File::open(file)
        .map_err(failed)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(failed)?;
    if content.len() > bytes_max {
        return Err(Fault::broken(format!(
            "{} is longer than {bytes_max} bytes",
            file.display()
        )));
    }
    Ok(content)
}
