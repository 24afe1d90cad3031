//! What a witness does on a machine of their own, without a server: making a key, opening a share, and trying with others that their shares
//! open the canary.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;
use clap::Subcommand;
use zeroize::Zeroizing;

use crate::books::shares::{self, SEALED_BYTES_MAX, SHEET_BYTES_MAX, Share, Sheet};
use crate::kernel::refusal::Fault;
use crate::web::secret_file;

/// Bytes of a file with identities that are read.
const KEY_FILE_BYTES_MAX: usize = 65_536;

/// What a witness does.
#[derive(Subcommand)]
pub enum OnShares {
    /// Make the key that shares are sealed to, and print the recipient to register
    Key {
        /// Where the key goes; it must not exist yet
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Open a share: prints the share, for the opening, and the word, for the rehearsal
    Open {
        /// The share as it was downloaded
        file: PathBuf,
        /// The file with your key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Try that opened shares open the canary: they are all in one place then, so do it where nothing is left behind
    Rehearse {
        /// The canary as it was downloaded
        canary: PathBuf,
        /// What `share open` printed, a file for each share
        #[arg(required = true)]
        sheets: Vec<PathBuf>,
    },
}

/// Does it, and gives what is to be printed.
///
/// # Errors
/// Those of [`key`], [`open`] and [`rehearse`].
pub fn run(what: OnShares) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let output = match what {
        OnShares::Key { output } => key(&output)?,
        OnShares::Open { file, key } => open(&file, &key)?.trim_end().to_owned(),
        OnShares::Rehearse { canary, sheets } => {
            format!("{} shares open the canary", rehearse(&canary, &sheets)?)
        }
    };
    Ok(Zeroizing::new(output.into_bytes()))
}

/// Makes a key, writes it to a file that only its owner reads, and gives the recipient that is registered. The file is one of stock `age`.
///
/// # Errors
/// A fault if the file is there already or cannot be written.
pub fn key(output: &Path) -> Result<String, Fault> {
    let identity = Identity::generate();
    let recipient = identity.to_public().to_string();
    let secret = identity.to_string();
    let content = Zeroizing::new(format!("# public key: {recipient}\n{}\n", secret.expose_secret()));
    secret_file::write_new(output, content.as_bytes())?;
    Ok(recipient)
}

/// Opens a share with the witness's key file: the lines of the sheet.
///
/// # Errors
/// A file that cannot be read; a key that does not open it; a file that holds no share.
pub fn open(file: &Path, key_file: &Path) -> Result<Zeroizing<String>, Fault> {
    let sealed = read_up_to(file, SEALED_BYTES_MAX)?;
    let keys = text(read_up_to(key_file, KEY_FILE_BYTES_MAX)?, key_file)?;
    let identities = keys
        .lines()
        .filter_map(|line| line.trim().parse::<Identity>().ok());
    let opened = identities
        .filter_map(|identity| age::decrypt(&identity, &sealed).ok())
        .next()
        .ok_or_else(|| {
            Fault::broken(format!(
                "no key of {} opens {}",
                key_file.display(),
                file.display()
            ))
        })?;
    let sheet = text(Zeroizing::new(opened), file)?;
    match Sheet::read(&sheet) {
        Some(_) => Ok(sheet),
        None => Err(not_a_share(file)),
    }
}

fn not_a_share(file: &Path) -> Fault {
    Fault::broken(format!("{} holds no share of an opening key", file.display()))
}

/// Tries whether opened shares give back the key that opens a canary; gives how many different ones there were.
///
/// # Errors
/// Files that cannot be read, or are no shares, or of different books; shares that do not open it.
pub fn rehearse(canary: &Path, sheets: &[PathBuf]) -> Result<usize, Fault> {
    let sealed = read_up_to(canary, SEALED_BYTES_MAX)?;
    let mut known: Option<Sheet> = None;
    let mut handed: Vec<Share> = Vec::new();
    for file in sheets {
        let sheet =
            Sheet::read(&text(read_up_to(file, SHEET_BYTES_MAX)?, file)?).ok_or_else(|| not_a_share(file))?;
        if known
            .as_ref()
            .is_some_and(|one| (&one.book, &one.recipient) != (&sheet.book, &sheet.recipient))
        {
            return Err(Fault::broken(format!("{} is of another book", file.display())));
        }
        if !handed.iter().any(|share| share.number() == sheet.share.number()) {
            handed.push(sheet.share.clone());
        }
        known = Some(sheet);
    }
    let sheet = known.ok_or_else(|| Fault::broken("no share was given"))?;
    let count = u8::try_from(handed.len()).map_err(|error| Fault::caused("too many shares", error))?;
    // All of them together give the key back if they are at least as many as it takes; how many that is, no share says.
    let identity = shares::recover(&handed, count, &sheet.recipient).map_err(|_| {
        Fault::broken(format!(
            "these {count} different shares do not give the key back: they are fewer than it takes, or one of them is not as it was sealed"
        ))
    })?;
    if shares::opens_canary(&identity, &sheet.book, &sheet.recipient, &sealed) {
        Ok(handed.len())
    } else {
        Err(Fault::broken(
            "the shares give the key back, and it does not open this canary",
        ))
    }
}

fn text(bytes: Zeroizing<Vec<u8>>, file: &Path) -> Result<Zeroizing<String>, Fault> {
    let text = std::str::from_utf8(&bytes)
        .map_err(|error| Fault::caused(format!("{} is no text", file.display()), error))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The bytes of a file that is not longer than it may be.
///
/// # Errors
/// A fault if it is, or cannot be read.
pub(super) fn read_up_to(file: &Path, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let failed = |error| Fault::caused(format!("read {}", file.display()), error);
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let mut content = Zeroizing::new(Vec::new());
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
