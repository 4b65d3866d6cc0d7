//! The trail: who changed what, as a chain of hashes that the file's triggers write.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};
use sha2::{Digest, Sha256};

use crate::store::{Actor, Store, StoreError};

/// What the changes of the current transaction are signed with.
#[derive(Clone, Debug)]
pub struct Signature {
    pub at: String,
    pub actor: Actor,
    pub reason: String,
}

/// One link of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub seq: i64,
    /// UTC, ISO 8601.
    pub at: String,
    pub actor: String,
    pub host: String,
    pub table: String,
    /// The patient's code, or what else names the row.
    pub row: String,
    pub field: String,
    pub old: Option<String>,
    pub new: Option<String>,
    pub reason: String,
    pub previous: String,
    pub hash: String,
    /// One random number for each of old, new and reason, known to this file alone, so that nobody finds a value of few
    /// possibilities by trying them on its hash; empty for links of before schema 6.
    pub salt: String,
    /// The hash of each of the three with its salt: what the link's own hash covers in their place.
    pub sealed: String,
}

/// Which changes to list; an empty text lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    pub row: String,
    pub actor: String,
    pub field: String,
    /// Only changes before this one; 0 starts at the newest.
    pub before: i64,
    /// At most so many; 0 is all.
    pub limit: usize,
}

impl Default for Signature {
    fn default() -> Self {
        let nobody = Actor { name: String::new(), host: String::new() };
        Signature { at: String::new(), actor: nobody, reason: String::new() }
    }
}

/// Hexadecimal digits of a salt: 128 bits.
const SALT: usize = 32;
/// What stands in the place of a salt whose text was taken out.
const NO_SALT: &str = "--------------------------------";
/// Tables whose links may lose their values; of others only the reason is a person's own text.
const PERSONAL: [&str; 5] = ["patient", "query", "image", "verdict", "validation"];

/// The functions that the triggers of `schema.sql` call.
pub fn register(connection: &Connection, signature: &Arc<Mutex<Signature>>) -> Result<(), StoreError> {
    type Part = fn(&Signature) -> String;
    let parts: [(&str, Part); 4] = [
        ("osteon_now", |signature| signature.at.clone()),
        ("osteon_actor", |signature| signature.actor.name.clone()),
        ("osteon_host", |signature| signature.actor.host.clone()),
        ("osteon_reason", |signature| signature.reason.clone()),
    ];
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    for (name, part) in parts {
        let signature = Arc::clone(signature);
        let read = move |_: &mut Context| Ok(part(&signature.lock().expect("no holder of the signature panics")));
        connection.create_scalar_function(name, 0, flags, read)?;
    }
    let flags = flags | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("osteon_text", 1, flags, |context| Ok(text(context.get_raw(0))))?;
    connection.create_scalar_function("osteon_hash", -1, flags, |context| {
        let seq = serde_json::Value::from(context.get::<i64>(0)?);
        // A number on its way into a column of text is hashed as the text that it becomes.
        let rest = (1..context.len()).map(|at| text(context.get_raw(at)).into());
        Ok(digest(&std::iter::once(seq).chain(rest).collect::<Vec<_>>()))
    })?;
    connection.create_scalar_function("osteon_texts", 4, flags, |context| {
        let texts = [1, 2, 3].map(|at| text(context.get_raw(at)));
        Ok(commitments(&context.get::<String>(0)?, &texts))
    })?;
    // The same for a link however often it is asked for, new at each connection: three salts, one a text.
    let key: [u8; 32] = rand::random();
    connection.create_scalar_function("osteon_salt", 1, flags, move |context| {
        let seq = context.get::<i64>(0)?;
        let part = |n: u8| sha256([key.as_slice(), &seq.to_le_bytes(), &[n]].concat())[..SALT].to_owned();
        Ok([part(0), part(1), part(2)].join(" "))
    })?;
    // The hash of a row of any length.
    connection.create_scalar_function("osteon_seal", -1, flags, |context| {
        Ok(digest(&(0..context.len()).map(|at| text(context.get_raw(at)).into()).collect::<Vec<_>>()))
    })?;
    Ok(())
}

impl Store {
    /// The hash of the newest change; empty for no change at all.
    pub fn trail_head(&self) -> Result<String, StoreError> {
        let sql = "SELECT coalesce((SELECT hash FROM change ORDER BY seq DESC LIMIT 1), '')";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// The changes that pass a filter, newest first.
    pub fn changes(&self, filter: &ChangeFilter) -> Result<Vec<Change>, StoreError> {
        let columns = self.link_columns()?;
        let sql = format!(
            "SELECT {columns} FROM change
             WHERE (?1 = '' OR row_key = ?1) AND (?2 = '' OR actor = ?2) AND (?3 = '' OR field = ?3)
               AND (?4 = 0 OR seq < ?4)
             ORDER BY seq DESC LIMIT ?5"
        );
        let limit = if filter.limit == 0 { -1 } else { i64::try_from(filter.limit).unwrap_or(-1) };
        let mut statement = self.connection.prepare_cached(&sql)?;
        let bound = params![filter.row, filter.actor, filter.field, filter.before, limit];
        let rows = statement.query_map(bound, change)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a change with this hash is in the trail.
    pub fn has_change(&self, hash: &str) -> Result<bool, StoreError> {
        Ok(self
            .connection
            .query_row("SELECT EXISTS (SELECT 1 FROM change WHERE hash = ?1)", [hash], |row| row.get(0))?)
    }

    /// The columns of a link; files of before schema 6 have no salts.
    pub(in crate::store) fn link_columns(&self) -> Result<String, StoreError> {
        let salt = if self.version()? < 6 { "'', ''" } else { "salt, sealed" };
        Ok(format!("seq, at, actor, host, tbl, row_key, field, old, new, reason, previous, hash, {salt}"))
    }

    /// How many changes there are.
    pub fn count_changes(&self) -> Result<usize, StoreError> {
        let n: i64 = self.connection.query_row("SELECT count(*) FROM change", [], |row| row.get(0))?;
        Ok(usize::try_from(n).unwrap_or(0))
    }

    /// The hash that each redacted link must have, as the newest redaction of it announced.
    fn redactions(&self) -> Result<BTreeMap<i64, String>, StoreError> {
        let sql = "SELECT CAST(substr(field, 8) AS INTEGER), new FROM change WHERE tbl = 'redaction' ORDER BY seq";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Walks the chain from its first link; the error is the first link that does not hold, in words.
    pub fn check_trail(&self) -> Result<Result<(), String>, StoreError> {
        let sql = format!("SELECT {} FROM change ORDER BY seq", self.link_columns()?);
        let mut statement = self.connection.prepare(&sql)?;
        let redactions = self.redactions()?;
        let (mut previous, mut expected) = (String::new(), 1);
        for link in statement.query_map([], change)? {
            let link = link?;
            if link.seq != expected {
                return Ok(Err(format!("change {expected} is missing from the trail")));
            }
            if link.previous != previous {
                return Ok(Err(format!("change {} does not follow the one before it", link.seq)));
            }
            if !link.holds(redactions.get(&link.seq)) {
                return Ok(Err(format!("change {} is not what was recorded", link.seq)));
            }
            previous = link.hash;
            expected += 1;
        }
        Ok(Ok(()))
    }
}

impl Change {
    /// The hash that the row must have.
    pub fn digest(&self) -> String {
        let text = |text: &str| serde_json::Value::from(text);
        let option = |value: &Option<String>| value.as_deref().map_or(serde_json::Value::Null, text);
        let place = [&self.at, &self.actor, &self.host, &self.table, &self.row, &self.field].map(|it| text(it));
        let texts = match self.sealed.as_str() {
            "" => vec![option(&self.old), option(&self.new), text(&self.reason)],
            sealed => vec![text(sealed)],
        };
        let all = std::iter::once(self.seq.into()).chain(place).chain(texts).chain([text(&self.previous)]);
        digest(&all.collect::<Vec<_>>())
    }

    /// Old, new and reason.
    fn texts(&self) -> [Option<String>; 3] {
        [self.old.clone(), self.new.clone(), Some(self.reason.clone())]
    }

    /// Whether the row is what was recorded, but for texts that an announced redaction took out.
    fn holds(&self, announced: Option<&String>) -> bool {
        let is_announced = announced.is_some_and(|seal| *seal == self.seal());
        if self.sealed.is_empty() {
            // Of before schema 6: one hash over all, so that nothing of a redacted link can be held against it.
            let is_own = || self.texts().iter().flatten().any(|text| crate::store::redact::is_redacted(text));
            return self.hash == self.digest() || is_announced && self.may_lose_values() && is_own();
        }
        let made = commitments(&self.salt, &self.texts());
        let salts: Vec<&str> = self.salt.split(' ').collect();
        let parts = self.sealed.split(' ').zip(made.split(' ')).zip(self.texts()).enumerate();
        let part = |(at, ((sealed, made), text)): (usize, ((&str, &str), Option<String>))| {
            let is_gone = || {
                salts.get(at) == Some(&NO_SALT)
                    && is_announced
                    && (at == 2 || self.may_lose_values())
                    && text.is_some_and(|text| crate::store::redact::is_redacted(&text))
            };
            sealed == made || is_gone()
        };
        salts.len() == 3 && self.hash == self.digest() && parts.map(part).collect::<Vec<_>>() == [true; 3]
    }

    /// Whether it tells what a person said or was found to be.
    pub(in crate::store) fn may_lose_values(&self) -> bool {
        PERSONAL.contains(&self.table.as_str())
    }

    /// The same without the salts of these texts (old, new, reason).
    pub(in crate::store) fn unsalted(mut self, gone: [bool; 3]) -> Change {
        let salts = self.salt.split(' ').zip(gone).map(|(salt, gone)| if gone { NO_SALT } else { salt });
        let salts = salts.collect::<Vec<_>>().join(" ");
        if !self.salt.is_empty() {
            self.salt = salts;
        }
        self
    }

    /// The hash of the row as it stands, its own hash among it: what a redaction announces.
    pub fn seal(&self) -> String {
        let text = |text: &str| serde_json::Value::from(text);
        let option = |value: &Option<String>| value.as_deref().map_or(serde_json::Value::Null, text);
        digest(&[
            text(&self.seq.to_string()),
            text(&self.at),
            text(&self.actor),
            text(&self.host),
            text(&self.table),
            text(&self.row),
            text(&self.field),
            option(&self.old),
            option(&self.new),
            text(&self.reason),
            text(&self.previous),
            text(&self.hash),
            text(&self.salt),
            text(&self.sealed),
        ])
    }
}

/// SHA-256 of bytes, lower case hexadecimal.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    osteon_base::text::hex(Sha256::digest(bytes))
}

/// The hash of each text with its salt.
fn commitments(salts: &str, texts: &[Option<String>; 3]) -> String {
    let names = ["old", "new", "reason"];
    let salts = salts.split(' ').chain(std::iter::repeat("")).take(3);
    let seal = |((name, salt), text): ((&str, &str), &Option<String>)| {
        digest(&[salt.into(), name.into(), text.as_deref().map_or(serde_json::Value::Null, Into::into)])
    };
    names.into_iter().zip(salts).zip(texts).map(seal).collect::<Vec<_>>().join(" ")
}

fn digest(fields: &[serde_json::Value]) -> String {
    sha256(serde_json::to_string(fields).expect("text and numbers are JSON"))
}

pub(in crate::store) fn change(row: &Row) -> rusqlite::Result<Change> {
    Ok(Change {
        seq: row.get(0)?,
        at: row.get(1)?,
        actor: row.get(2)?,
        host: row.get(3)?,
        table: row.get(4)?,
        row: row.get(5)?,
        field: row.get(6)?,
        old: row.get(7)?,
        new: row.get(8)?,
        reason: row.get(9)?,
        previous: row.get(10)?,
        hash: row.get(11)?,
        salt: row.get(12)?,
        sealed: row.get(13)?,
    })
}

/// A value as the trail writes it: numbers in the shortest digits that read back to the same number.
fn text(value: ValueRef) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}
