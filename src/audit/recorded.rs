//! What the log has of something, for rules that must not believe a table: each entry with the proof that the signed log has it. Whoever changes an entry in its table, and its hash
//! beside it, would have to sign the log anew.

use crate::audit::http_tiles::prove;
use crate::audit::note::Verifier;
use crate::audit::store_recorded::{self, Recorded, Standing};
use crate::db::conn::Conn;
use crate::kernel::refusal::Answer;

/// The entries of one kind about one thing, in the order of their ids. One that the log does not have as it stands in its table stands among them with nothing in it. One that waits
/// for its place is believed: it gets one as it is, and stays there for everybody to see.
///
/// # Errors
/// A fault of the database, or if the stored tree is not whole.
pub fn recorded(conn: &mut Conn, log: &Verifier, kind: &str, subject: &str) -> Answer<Vec<Recorded>> {
    let standing = store_recorded::standing(conn, kind, subject)?;
    standing.into_iter().map(|one| proved(conn, log, one)).collect()
}

fn proved(conn: &mut Conn, log: &Verifier, one: Standing) -> Answer<Recorded> {
    let is_in_log = !one.is_placed || prove(conn, &one.id)?.verify(&one.entry, log).is_ok();
    Ok(if is_in_log { one.said } else { Recorded::default() })
}
