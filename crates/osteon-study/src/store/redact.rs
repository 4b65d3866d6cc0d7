//! Texts that are taken out of the file for good: values, reasons, queries and files of a patient.
//!
//! A link of the trail whose text is taken out can no longer be held against its own hash. A later link, `redaction`,
//! carries the hash of the link as it is from then on, and the file lets a link be changed only into what such a link
//! announces. So the chain goes on, who changed what and when stays under a hash, and only the text is gone.

use std::path::PathBuf;

use rusqlite::params;

use crate::store::file::APPLICATION_ID;
use crate::store::query::RESOLVED;
use crate::store::{Change, PatientId, Store, StoreError, Write};

/// What stands where a text was.
pub const REDACTED: &str = "[redacted]";

/// Which texts of a link are taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What the value was and became.
    Values,
    /// Why.
    Reason,
    Both,
}

impl Write<'_> {
    /// Takes texts out of links of the trail; gives how many links were changed.
    pub fn redact_links(&self, links: &[(Change, Part)]) -> Result<usize, StoreError> {
        let mut n = 0;
        for (link, part) in links {
            let after = without(link, *part);
            if after == *link {
                continue;
            }
            if !link.may_lose_values() && (link.sealed.is_empty() || *part != Part::Reason) {
                let seq = link.seq;
                return Err(StoreError::Refused(format!("change {seq} is no one's own text and cannot be taken out")));
            }
            let announce = "INSERT INTO trail VALUES ('redaction', ?1, 'change ' || ?2, NULL, ?3)";
            self.connection.prepare_cached(announce)?.execute(params![link.row, link.seq, after.seal()])?;
            let sql = "UPDATE change SET old = ?2, new = ?3, reason = ?4, salt = ?5 WHERE seq = ?1";
            let mut change = self.connection.prepare_cached(sql)?;
            change.execute(params![after.seq, after.old, after.new, after.reason, after.salt])?;
            n += 1;
        }
        Ok(n)
    }

    /// Sets the values of a variable, or of all, to missing for the reason `redacted`; gives how many there were.
    pub fn erase_values(&self, patient: PatientId, key: Option<&str>) -> Result<usize, StoreError> {
        let sql = "UPDATE clinical SET number = NULL, word = NULL, missing = 'redacted'
                   WHERE patient = ?1 AND missing IS NOT 'redacted' AND variable IN
                         (SELECT id FROM variable WHERE NOT computed AND (?2 IS NULL OR key = ?2))";
        let n = self.connection.execute(sql, params![patient, key])?;
        self.connection.execute("UPDATE patient SET version = version + 1 WHERE id = ?1", [patient])?;
        let sql = "SELECT code FROM patient WHERE id = ?1";
        let code: String = self.connection.query_row(sql, [patient], |row| row.get(0))?;
        let entries = self.patient(&code)?.entries;
        self.put_outcomes(patient, &entries)?;
        Ok(n)
    }

    /// Takes out what was asked and answered about a field, or about all; gives how many queries.
    pub fn erase_queries(&self, patient: PatientId, fields: &[&str]) -> Result<usize, StoreError> {
        let sql = "UPDATE query SET text = ?3, answer = iif(answer IS NULL OR answer = ?4, answer, ?3)
                   WHERE patient = ?1 AND text <> ?3
                     AND (?2 = '[]' OR field IN (SELECT value FROM json_each(?2)))";
        let fields = serde_json::to_string(fields).expect("texts are JSON");
        Ok(self.connection.execute(sql, params![patient, fields, REDACTED, RESOLVED])?)
    }

    /// Takes a withdrawn patient's verdicts out; gives how many.
    pub fn erase_verdicts(&self, patient: PatientId) -> Result<usize, StoreError> {
        Ok(self.connection.execute("DELETE FROM verdict WHERE patient = ?1", [patient])?)
    }

    /// Takes readers' notes on a patient's masks out; gives how many.
    pub fn erase_notes(&self, patient: PatientId) -> Result<usize, StoreError> {
        let sql = "UPDATE verdict SET note = ?2 WHERE patient = ?1 AND note NOT IN ('', ?2)";
        Ok(self.connection.execute(sql, params![patient, REDACTED])?)
    }

    /// Takes the salt from the hash of files that brought these changes: a small file can be found by trying values.
    pub fn unsalt_imports(&self, links: &[(Change, Part)]) -> Result<(), StoreError> {
        let mut unsalt =
            self.connection.prepare_cached("UPDATE import SET salt = '' WHERE ?1 BETWEEN first AND last")?;
        for (link, _) in links {
            unsalt.execute([link.seq])?;
        }
        Ok(())
    }

    /// Replaces the reason of an exclusion.
    pub fn erase_exclusion(&self, patient: PatientId, by: &str) -> Result<(), StoreError> {
        let sql = "UPDATE patient SET exclusion_reason = ?2, version = version + 1
                   WHERE id = ?1 AND exclusion_reason IS NOT NULL AND exclusion_reason <> ?2";
        self.connection.execute(sql, params![patient, by])?;
        Ok(())
    }

    /// Says that a patient withdrew, and what becomes of the data.
    pub fn withdraw(&self, code: &str, how: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO trail VALUES ('withdrawal', ?1, ?2, NULL, 'consent withdrawn')";
        self.connection.execute(sql, params![code, how])?;
        Ok(())
    }

    /// Takes a withdrawn patient's files and feature values out; gives how many files and results.
    pub fn erase_images(&self, patient: PatientId) -> Result<(usize, usize), StoreError> {
        let results = self.connection.execute("DELETE FROM extraction WHERE patient = ?1", [patient])?;
        let files = self.connection.execute("DELETE FROM image WHERE patient = ?1", [patient])?;
        self.measured.borrow_mut().insert(patient);
        Ok((files, results))
    }
}

impl Store {
    /// Writes the file anew without what was freed, and empties its log: a text that was taken out is in neither. False
    /// where another program reads the file just now, and so keeps both as they were.
    pub fn purge(&self) -> Result<bool, StoreError> {
        self.connection.execute_batch("VACUUM")?;
        let busy: i64 = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        Ok(busy == 0)
    }

    /// Other study files in the folder, such as copies and backups, which still hold what was taken out here.
    pub fn copies_beside(&self) -> Vec<PathBuf> {
        let Ok(own) = self.path().canonicalize() else { return Vec::new() };
        let folder = own.parent().map(std::fs::read_dir);
        let entries = folder.into_iter().flatten().flatten().flatten().map(|entry| entry.path());
        let mut found: Vec<PathBuf> = entries.filter(|path| *path != own && path.is_file() && is_study(path)).collect();
        found.sort();
        found
    }
}

/// Whether a file's header is that of a study file.
fn is_study(path: &std::path::Path) -> bool {
    use std::io::Read;
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(72).read_to_end(&mut head));
    read.is_ok()
        && head.starts_with(b"SQLite format 3\0")
        && head.get(68..72) == Some(&APPLICATION_ID.to_be_bytes()[..])
}

/// The link with the texts taken out.
fn without(link: &Change, part: Part) -> Change {
    let mut after = link.clone();
    if part != Part::Reason {
        // A query's source is no text of a person, and is counted against the trail.
        let source = ["rule: ", "person: "].into_iter().filter(|_| link.table == "query");
        let replace = |text: &String| match source.clone().find(|source| text.starts_with(source)) {
            Some(source) => format!("{source}{REDACTED}"),
            None if text == RESOLVED || text == "missing: redacted" => text.clone(),
            None => REDACTED.to_owned(),
        };
        after.old = link.old.as_ref().map(replace);
        after.new = link.new.as_ref().map(replace);
    }
    if part != Part::Values {
        after.reason = REDACTED.to_owned();
    }
    // Without its salt nobody finds a text by trying texts on its hash.
    let gone = [after.old != link.old, after.new != link.new, after.reason != link.reason];
    after.unsalted(gone)
}

/// Whether a text is what stands in the place of one that was taken out.
pub(in crate::store) fn is_redacted(text: &str) -> bool {
    ["", "rule: ", "person: "].iter().any(|source| text.strip_prefix(source) == Some(REDACTED))
}
