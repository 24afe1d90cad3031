//! Sealing a bid and reopening one, on the bidder's or anybody's own machine: files in, files out, without a server and without a network.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use sha2::{Digest, Sha256};

use crate::app::share_files::read_up_to;
use crate::bids::rules_document::BidDocument;
use crate::bids::sealing::{self, CONTENT_BYTES_MAX, OneFileKey};
use crate::kernel::money::Money;
use crate::kernel::refusal::{Fault, Stop};
use crate::web::secret_file;

/// What is done with bids on this machine.
#[derive(Subcommand)]
pub enum OnBids {
    /// Seal a bid to the key of its book, as an age file
    Seal {
        /// The bid as JSON
        file: PathBuf,
        /// The book's recipient, `age1…`
        #[arg(long, value_name = "RECIPIENT")]
        to: String,
        /// Where the sealed bid goes [default: FILE.age]; it must not exist yet
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Print what a sealed bid says, by the file key in the record of its opening
    Open {
        /// The sealed bid
        file: PathBuf,
        /// The key of this one file
        #[arg(long, value_name = "KEY")]
        file_key: String,
    },
}

/// Does it, and gives what is to be printed.
///
/// # Errors
/// Those of [`seal`] and [`reopen`].
pub fn run(what: OnBids) -> Result<Vec<u8>, Fault> {
    match what {
        OnBids::Seal { file, to, output } => {
            let SealedFile { path, sha256, bytes } = seal(&file, &to, output)?;
            let path = path.display();
            Ok(format!("sealed to {path}\nSHA-256 {sha256}\n{bytes} bytes").into_bytes())
        }
        OnBids::Open { file, file_key } => reopen(&file, &file_key),
    }
}

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
/// A file that cannot be read, or is there already; what is no bid, or one whose price lines do not add up; those of sealing. Whether it answers
/// its lot only its book could tell.
pub fn seal(file: &Path, recipient: &str, output: Option<PathBuf>) -> Result<SealedFile, Fault> {
    let content = read_up_to(file, CONTENT_BYTES_MAX)?;
    // What is no bid would be found unopenable when nothing can be done about it any more.
    let document = BidDocument::read(&content)
        .map_err(|why| Fault::broken(format!("{}: {}", file.display(), why.en())))?;
    let sum = Money::sum(document.price_lines.iter().map(|line| line.amount));
    if sum.as_ref() != Ok(&document.total) {
        let (path, total) = (file.display(), document.total);
        return Err(Fault::broken(format!(
            "{path}: its price lines do not add up to its total of {total}"
        )));
    }
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
