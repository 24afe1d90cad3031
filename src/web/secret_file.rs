//! Files that hold a key: readable by their owner only, written whole or not at all, never overwritten.

use std::fs;
use std::io::Write;
use std::path::Path;

use zeroize::Zeroizing;

use crate::kernel::refusal::Fault;

/// Writes a new file with mode 0600 and makes it durable.
///
/// # Errors
/// A fault if the file exists or cannot be written.
pub fn write_new(path: &Path, content: &[u8]) -> Result<(), Fault> {
    let failed = |error: std::io::Error| Fault::caused(format!("write {}", path.display()), error);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(failed)
}

/// Reads a 32-byte seed written as 64 hexadecimal digits.
///
/// # Errors
/// A fault if the file cannot be read or holds something else.
pub fn read_seed(path: &Path) -> Result<Zeroizing<[u8; 32]>, Fault> {
    let text = fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|error| Fault::caused(format!("read {}", path.display()), error))?;
    let mut seed = Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(text.trim(), seed.as_mut_slice()).map_err(|_| {
        Fault::broken(format!(
            "{} does not hold a key of 64 hexadecimal digits",
            path.display()
        ))
    })?;
    Ok(seed)
}

/// Makes a directory that only its owner can enter, if it is not there.
///
/// # Errors
/// A fault if it cannot be made.
pub fn private_directory(path: &Path) -> Result<(), Fault> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|error| Fault::caused(format!("make {}", path.display()), error))
}
