//! Files that hold a key: readable by their owner only, written whole or not at all, never overwritten.

use std::fs;
use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::kernel::refusal::Fault;

/// Writes a new file with mode 0600 and makes it durable. It appears under its name only when it is whole, so that neither
/// a crash nor an instance that starts at the same moment can meet half a key.
///
/// # Errors
/// A fault if the file exists or cannot be written.
pub fn write_new(path: &Path, content: &[u8]) -> Result<(), Fault> {
    if write_if_missing(path, content)? {
        Ok(())
    } else {
        Err(Fault::broken(format!(
            "write {}: it is there already",
            path.display()
        )))
    }
}

/// As [`write_new`], but leaves a file that is there as it is; tells whether it wrote.
///
/// # Errors
/// A fault if the file cannot be written.
pub fn write_if_missing(path: &Path, content: &[u8]) -> Result<bool, Fault> {
    let failed = |error: std::io::Error| Fault::caused(format!("write {}", path.display()), error);
    match whole(path, content).map_err(failed)?.persist_noclobber(path) {
        Ok(_) => sync_directory(path).map(|()| true).map_err(failed),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error.error)),
    }
}

/// Writes a file with mode 0600 over whatever is there: the old one or the new one is there at every moment, and whole,
/// however many processes write it.
///
/// # Errors
/// A fault if the file cannot be written.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), Fault> {
    let failed = |error: std::io::Error| Fault::caused(format!("write {}", path.display()), error);
    whole(path, content)
        .map_err(failed)?
        .persist(path)
        .map_err(|error| failed(error.error))?;
    sync_directory(path).map_err(failed)
}

/// A durable file without a name, in the directory that it is to appear in. It is of mode 0600, and deleted unless it
/// gets a name.
fn whole(path: &Path, content: &[u8]) -> std::io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(directory_of(path))?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// A name is durable when its directory is.
///
/// # Errors
/// That of the file system.
pub fn sync_directory(path: &Path) -> std::io::Result<()> {
    fs::File::open(directory_of(path))?.sync_all()
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

/// Reads a 32-byte seed written as 64 hexadecimal digits.
///
/// # Errors
/// A fault if the file cannot be read or holds something else.
pub fn read_seed(path: &Path) -> Result<Zeroizing<[u8; 32]>, Fault> {
    let text = fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|error| Fault::caused(format!("read {}", path.display()), error))?;
    seed(text.as_bytes()).ok_or_else(|| {
        Fault::broken(format!(
            "{} does not hold a key of 64 hexadecimal digits",
            path.display()
        ))
    })
}

/// The 32-byte seed that 64 hexadecimal digits stand for, with or without a line's end.
pub fn seed(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(text.trim_ascii(), seed.as_mut_slice()).ok()?;
    Some(seed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_written_once_and_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("log.key");
        write_new(&file, b"one").unwrap();
        assert!(write_new(&file, b"two").is_err());
        assert!(!write_if_missing(&file, b"three").unwrap());
        assert_eq!(fs::read(&file).unwrap(), b"one");
        replace(&file, b"four").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"four");
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "nothing else is left"
        );
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn whoever_writes_at_the_same_moment_nobody_meets_half_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mark");
        let texts = ["a".repeat(100_000), "b".repeat(50_000)];
        replace(&file, texts[0].as_bytes()).unwrap();
        std::thread::scope(|threads| {
            for text in &texts {
                threads.spawn(|| (0..50).for_each(|_| replace(&file, text.as_bytes()).unwrap()));
            }
            for _ in 0..200 {
                let found = fs::read_to_string(&file).unwrap();
                assert!(texts.contains(&found), "{} bytes", found.len());
            }
        });
    }
}
