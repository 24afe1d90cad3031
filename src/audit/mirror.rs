//! The log as static files, laid out as C2SP tlog-tiles wants them: any web server can serve them, and whoever has a copy
//! can check the log when this server is gone.

use std::fs;
use std::path::Path;

use crate::audit::http_tiles::{entries, hashes};
use crate::audit::{store, tile};
use crate::db::conn::Conn;
use crate::kernel::refusal::{Answer, Fault};
use crate::web::problem::NOT_FOUND;

/// Writes checkpoint, key, tiles and bundles; tells how many entries there are. The checkpoint comes last, so that a
/// directory with a checkpoint is whole.
///
/// # Errors
/// A fault if the log is not whole or a file cannot be written.
pub fn write(conn: &mut Conn, directory: &Path) -> Answer<i64> {
    let log = store::log(conn)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let last = store::last_checkpoint(conn)?.ok_or_else(|| NOT_FOUND.refuse())?;
    let size = u64::try_from(last.size).map_err(|error| Fault::caused("the log's size", error))?;
    for tile in tile::tiles(size) {
        let content = hashes(conn, &tile)?.ok_or_else(|| Fault::broken(format!("{tile} is missing")))?;
        put(directory, &tile.to_string(), &content)?;
    }
    for bundle in tile::bundles(size) {
        let content = entries(conn, &bundle)?.ok_or_else(|| Fault::broken(format!("{bundle} is missing")))?;
        put(directory, &bundle.to_string(), &content)?;
    }
    put(directory, "key", format!("{}\n", log.verifier_key).as_bytes())?;
    // Whoever reads the directory meanwhile gets the old checkpoint or the new one, whole.
    put(directory, "checkpoint.next", last.note.as_bytes())?;
    let place = directory.join("checkpoint");
    fs::rename(directory.join("checkpoint.next"), &place)
        .map_err(|error| Fault::caused(format!("write {}", place.display()), error))?;
    Ok(last.size)
}

fn put(directory: &Path, name: &str, content: &[u8]) -> Result<(), Fault> {
    let path = directory.join(name);
    let made = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(&path, content));
    made.map_err(|error| Fault::caused(format!("write {}", path.display()), error))
}
