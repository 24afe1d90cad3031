//! Which releases concern an area: read from what is published and from where books and notices say that they are for. Nothing is kept for it.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text as SqlText};

use crate::both;
use crate::db::conn::Conn;
use crate::db::schema::ocds_releases;
use crate::kernel::refusal::Answer;
use crate::publish::store::Row;

/// Of the area of the path `$1`, of one within it or of one around it; or bought by the residents' committee of the area or of one within it.
const CONCERN: &str = "WITH inside (id) AS (SELECT id FROM areas WHERE path >= $1 AND path < $2), \
    around (id) AS (SELECT id FROM inside UNION SELECT id FROM areas WHERE substr($1, 1, length(path)) = path), \
    subjects (id) AS (SELECT book_id FROM book_areas WHERE area_id IN (SELECT id FROM around) \
        UNION SELECT notice_id FROM intention_areas WHERE area_id IN (SELECT id FROM around) \
        UNION SELECT books.id FROM books JOIN organisations ON organisations.id = books.organisation_id \
            WHERE organisations.kind = 'community' AND organisations.area_id IN (SELECT id FROM inside) \
        UNION SELECT intention_notices.id FROM intention_notices JOIN organisations ON organisations.id = intention_notices.organisation_id \
            WHERE organisations.kind = 'community' AND organisations.area_id IN (SELECT id FROM inside)) \
    SELECT ocds_releases.sequence FROM ocds_releases JOIN subjects ON subjects.id = ocds_releases.subject_id \
    WHERE ocds_releases.sequence > $3 AND ocds_releases.sequence <= $4 AND (ocds_releases.tags LIKE $5 OR ocds_releases.tags LIKE $6) \
    ORDER BY ocds_releases.sequence DESC LIMIT $7";

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    sequence: i64,
}

/// Up to `max` releases that concern the area of a path, the newest first: beyond one sequence, up to another, whose tags fit one of two patterns.
///
/// # Errors
/// A fault of the database.
pub fn concerning(
    conn: &mut Conn,
    path: &str,
    (beyond, up_to): (i64, i64),
    [tag, other]: [&str; 2],
    max: i64,
) -> Answer<Vec<i64>> {
    // Every path ends with a slash, and `0` is the character after it.
    let end = format!("{}0", path.trim_end_matches('/'));
    let statement = match conn {
        Conn::Sqlite(_) => CONCERN.replace('$', "?"),
        Conn::Postgres(_) => CONCERN.to_owned(),
    };
    let query = sql_query(statement)
        .bind::<SqlText, _>(path)
        .bind::<SqlText, _>(end)
        .bind::<BigInt, _>(beyond)
        .bind::<BigInt, _>(up_to)
        .bind::<SqlText, _>(tag)
        .bind::<SqlText, _>(other)
        .bind::<BigInt, _>(max);
    let found: Vec<Found> = both!(conn, c => query.load(c))?;
    Ok(found.into_iter().map(|one| one.sequence).collect())
}

/// The release of that sequence.
///
/// # Errors
/// A fault of the database.
pub fn release(conn: &mut Conn, sequence: i64) -> Answer<Option<Row>> {
    Ok(ocds_releases::table
        .find(sequence)
        .select(Row::as_select())
        .first(conn)
        .optional()?)
}

/// The bytes of a release of a process, by its number among them.
///
/// # Errors
/// A fault of the database.
pub fn content(conn: &mut Conn, ocid: &str, number: i64) -> Answer<Option<String>> {
    Ok(ocds_releases::table
        .filter(ocds_releases::ocid.eq(ocid))
        .filter(ocds_releases::number.eq(number))
        .select(ocds_releases::content)
        .first(conn)
        .optional()?)
}
