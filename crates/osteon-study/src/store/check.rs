//! Whether a study file is whole: SQLite's own checks, the schema, and the data against the trail.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::store::migrate::VERSION;
use crate::store::trail::sha256;
use crate::store::{ChangeFilter, Patient, REDACTED, Store, StoreError, feature, image};

impl Store {
    /// What SQLite's integrity and foreign key checks find; nothing when all is well.
    pub fn check_integrity(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare("PRAGMA integrity_check(20)")?;
        let lines = statement.query_map([], |row| row.get(0))?;
        let mut findings: Vec<String> = lines.collect::<Result<_, _>>()?;
        findings.retain(|line| line != "ok");
        for table in self.tables()? {
            findings.extend(self.check_references(&table)?);
        }
        Ok(findings)
    }

    /// Rows of a table that refer to rows that are not there.
    pub(in crate::store) fn check_references(&self, table: &str) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare(&format!("PRAGMA foreign_key_check({table})"))?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(2)?)))?;
        let tell = |(table, parent): (String, String)| format!("a row of {table} refers to no row of {parent}");
        Ok(rows.map(|row| row.map(tell)).collect::<Result<_, _>>()?)
    }

    pub(in crate::store) fn tables(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
        let mut statement = self.connection.prepare(sql)?;
        let names = statement.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// While it lives, whatever is read is of one moment, however much others write.
    pub fn snapshot(&self) -> Result<Transaction<'_>, StoreError> {
        Ok(Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)?)
    }

    /// Tables, triggers and views that are not those of the schema; a file of an older schema is not held against it.
    pub fn check_schema(&self) -> Result<Vec<String>, StoreError> {
        if self.version()? != VERSION {
            return Ok(Vec::new());
        }
        let fresh = Connection::open_in_memory()?;
        fresh.execute_batch(crate::store::file::SCHEMA)?;
        let (mut found, expected) = (objects(&self.connection)?, objects(&fresh)?);
        // Its text follows from the codebook.
        found.remove("view cohort");
        let differs = |name: &&String| found.get(*name) != expected.get(*name);
        let names: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
        let tell = |name: &String| match (found.get(name), expected.get(name)) {
            (None, _) => format!("{name} is missing from the schema"),
            (_, None) => format!("{name} is no part of the schema"),
            _ => format!("{name} is not as in the schema"),
        };
        let mut findings: Vec<String> = names.into_iter().filter(differs).map(tell).collect();
        if !findings.iter().any(|finding| finding.starts_with("table ")) {
            findings.extend(self.check_codebook()?);
        }
        Ok(findings)
    }

    /// Clinical values, inclusion, linked files, queries, splits, locks, fits and protocols that are not what the trail
    /// and their hashes say.
    pub fn check_against_trail(&self) -> Result<Vec<String>, StoreError> {
        let changes = self.changes(&ChangeFilter::default())?;
        let mut told: BTreeMap<Place, Option<String>> = BTreeMap::new();
        let mut findings = Vec::new();
        for change in changes.iter().rev().cloned() {
            // A split is not locked at first.
            let new = change.new.filter(|new| (change.table.as_str(), new.as_str()) != ("split", "0"));
            let place = (change.table, change.row, change.field);
            let earlier = told.insert(place.clone(), new.clone());
            let (table, row, field) = &place;
            let is_final =
                matches!(table.as_str(), "run" | "import" | "shard") || table == "split" && field != "locked";
            if is_final && earlier.is_some_and(|earlier| earlier != new) {
                findings.push(format!("{table} {row}: the trail tells {field} twice, and not alike"));
            }
        }
        let mut held = self.held()?;
        // Fits of programs that kept no hash of them; migration writes the hashes of all that a file has.
        held.retain(|place, _| place.0 != "run" || self.version().is_ok_and(|it| it >= 6) || told.contains_key(place));
        // What was stored in one step with its end has no link of its beginning.
        let ended: BTreeSet<String> =
            self.runs()?.into_iter().filter(|run| run.finished_at.is_some()).map(|run| run.id.0.to_string()).collect();
        held.retain(|place, _| {
            place.0 != "run" || place.2 != "begun" || told.contains_key(place) || !ended.contains(&place.1)
        });
        let places: BTreeSet<&Place> = told.keys().filter(|place| is_held(place)).chain(held.keys()).collect();
        // What was taken out is held nowhere.
        let is_gone = |place: &Place, told: Option<&String>| {
            told.is_some_and(|it| it == REDACTED) && held.get(place).is_none_or(|held| held.ends_with(REDACTED))
        };
        let differs = |place: &&Place| {
            let told = told.get(*place).and_then(Option::as_ref);
            told != held.get(*place) && !is_gone(place, told)
        };
        let tell = |(table, row, field): &Place| format!("{table} {row}: {field} is not what the trail says");
        findings.extend(places.into_iter().filter(differs).map(tell));
        findings.extend(self.dates_against(&changes)?);
        findings.extend(self.patients_against(&changes)?);
        let sql = "SELECT DISTINCT 'run ' || run || ': it never ended, and has models'
                   FROM model JOIN run ON run.id = run WHERE finished_at IS NULL";
        let mut statement = self.connection.prepare(sql)?;
        let open = statement.query_map([], |row| row.get(0))?;
        findings.extend(open.collect::<Result<Vec<String>, _>>()?);
        findings.extend(self.queries_against(&changes)?);
        findings.extend(self.check_seals()?);
        let mut statement = self.connection.prepare("SELECT hash, toml FROM protocol")?;
        let protocols = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        for protocol in protocols {
            let (hash, toml) = protocol?;
            if sha256(toml) != hash {
                findings.push(format!("protocol {hash}: not the one of its hash"));
            }
        }
        Ok(findings)
    }

    /// Patients whose numbers in the file are not in the order in which the trail tells of them: results name patients
    /// by number.
    fn patients_against(&self, changes: &[crate::store::Change]) -> Result<Vec<String>, StoreError> {
        let is_added = |it: &&crate::store::Change| it.table == "patient" && it.field == "code" && it.old.is_none();
        let told: BTreeMap<&str, i64> = changes.iter().filter(is_added).map(|it| (it.row.as_str(), it.seq)).collect();
        let mut statement = self.connection.prepare("SELECT code FROM patient ORDER BY id")?;
        let codes: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let known: Vec<(&String, i64)> =
            codes.iter().filter_map(|code| Some((code, *told.get(code.as_str())?))).collect();
        let differs = known.windows(2).filter(|pair| pair[0].1 > pair[1].1);
        Ok(differs.map(|pair| format!("patient {}: its number is not the one it was given", pair[1].0)).collect())
    }

    /// Dates, persons and file names that are printed beside a link of the trail and are not the link's own.
    fn dates_against(&self, changes: &[crate::store::Change]) -> Result<Vec<String>, StoreError> {
        let mut findings = Vec::new();
        for import in self.imports()? {
            let id = import.id.to_string();
            let own = changes.iter().find(|it| it.table == "import" && it.row == id);
            if own.is_some_and(|it| it.at != import.at) {
                findings.push(format!("import {id}: its date is not what the trail says"));
            }
            let name = std::path::Path::new(&import.path).file_name().unwrap_or_default().to_string_lossy();
            let first = changes.iter().find(|it| it.seq == import.first).filter(|_| import.undoes.is_none());
            let tells =
                |reason: &str| reason == REDACTED || reason.starts_with(&format!("import {} {name}", import.kind));
            if first.is_some_and(|it| !tells(&it.reason)) {
                findings.push(format!("import {id}: its file is not what the trail says"));
            }
        }
        if self.version()? < VERSION {
            return Ok(findings);
        }
        let sql = "SELECT created_at, created_by, locked_at, coalesce(locked_by, '') FROM study";
        let texts = |row: &rusqlite::Row| Ok([0, 1, 2, 3].map(|at| row.get::<_, Option<String>>(at).ok().flatten()));
        let [created_at, created_by, locked_at, locked_by] = self.connection.query_row(sql, [], texts)?;
        let of = |field: &'static str| move |it: &&crate::store::Change| it.table == "study" && it.field == field;
        let made = changes.iter().rev().find(of("title")).filter(|it| it.old.is_none());
        if made.is_some_and(|it| Some(&it.at) != created_at.as_ref() || Some(&it.actor) != created_by.as_ref()) {
            findings.push("study: when and by whom it was made is not what the trail says".to_owned());
        }
        let lock = changes.iter().find(of("locked")).filter(|_| locked_at.is_some());
        if lock.is_some_and(|it| Some(&it.actor) != locked_by.as_ref()) {
            findings.push("study: who locked it is not what the trail says".to_owned());
        }
        Ok(findings)
    }

    /// Linked files and results that are not what their hashes say; older schemas have no hash of them.
    fn check_seals(&self) -> Result<Vec<String>, StoreError> {
        if self.version()? < VERSION {
            return Ok(Vec::new());
        }
        let (image, result, names) = (image::COLUMNS, feature::COLUMNS, feature::NAMES);
        let sql = format!(
            "SELECT 'the ' || iif(kind = 'image', 'image', rater) || ' of ' || code || ': its row is not what its hash says'
             FROM image JOIN patient ON patient.id = patient WHERE seal IS NOT osteon_seal({image})
             UNION ALL SELECT code || ' ' || region || ' ' || rater || ': its row is not what its hash says'
             FROM extraction JOIN patient ON patient.id = patient WHERE seal IS NOT osteon_seal({result})
             UNION ALL SELECT 'layout ' || id || ': its features are not what their hash says'
             FROM layout WHERE seal IS NOT osteon_seal(features, {names})"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let found = statement.query_map([], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Patient, field and value of every clinical value that somebody typed, as the trail writes them; those of
    /// variables that the codebook no longer has, too.
    fn typed_values(&self) -> Result<Vec<(String, String, Option<String>)>, StoreError> {
        if self.version()? < 6 {
            let text = |patient: &Patient, at: usize| (!patient.lacks(at)).then(|| patient.text(at));
            let of = |patient: &Patient| -> Vec<_> {
                let fields = patient.book.variables.iter().enumerate();
                fields.map(|(at, it)| (patient.code.clone(), it.name.clone(), text(patient, at))).collect()
            };
            return Ok(self.patients()?.iter().flat_map(of).collect());
        }
        let sql = "SELECT code, key || iif(clinical.moment = variable.moment, '', ' at ' || clinical.moment),
                          osteon_text(coalesce(number, word, 'missing: ' || missing)), word, clinical.kind
                   FROM clinical JOIN variable ON variable.id = clinical.variable JOIN patient ON patient.id = patient
                   WHERE NOT computed";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            let (text, word): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
            // A word that reads as a number, or as a missing value, is neither: the trail's text is the same.
            let is_number = row.get::<_, String>(4)? == "number";
            let poses =
                |word: &String| is_number && word.trim().parse::<f64>().is_ok() || word.starts_with("missing: ");
            let text =
                if word.as_ref().is_some_and(poses) { word.map(|word| format!("the word {word}")) } else { text };
            Ok((row.get(0)?, row.get(1)?, text))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Every value in force that the trail tells too.
    fn held(&self) -> Result<BTreeMap<Place, String>, StoreError> {
        let mut held = BTreeMap::new();
        let mut hold = |table: &str, row: &str, field: &str, value: Option<String>| {
            held.extend(value.map(|value| ((table.to_owned(), row.to_owned(), field.to_owned()), value)));
        };
        for patient in self.patients()? {
            let code = &patient.code;
            hold("patient", code, "code", Some(code.clone()));
            hold("patient", code, "exclusion_reason", patient.exclusion.clone());
            for file in self.images_of(patient.id)? {
                let role = file.in_trail();
                hold("image", code, &format!("{role} path"), Some(file.path.to_string_lossy().into_owned()));
                hold("image", code, &format!("{role} acquisition"), file.acquisition_json());
                hold("image", code, &format!("{role} sha256"), Some(file.sha256));
                hold("image", code, &format!("{role} label"), file.label.map(|label| label.to_string()));
            }
        }
        if self.version()? >= 6 {
            for patient in self.patients()? {
                hold("extraction", &patient.code, "results", self.results_of(patient.id)?);
            }
        }
        for (code, field, value) in self.typed_values()? {
            hold("patient", &code, &field, value);
        }
        let study = self.study()?;
        hold("study", &study.title, "title", Some(study.title.clone()));
        hold("study", &study.title, "protocol", Some(study.protocol_hash));
        hold("study", &study.title, "locked", study.locked.map(|(at, _)| at));
        let terms = if self.version()? < 6 { "NULL" } else { crate::store::split::TERMS };
        let sql =
            format!("SELECT id, source, coalesce('seed ' || seed, 'imported'), locked, {terms} AS terms FROM split");
        let mut statement = self.connection.prepare(&sql)?;
        let splits = statement
            .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
        for split in splits {
            let (id, source, origin, locked, terms): (i64, String, String, bool, Option<String>) = split?;
            hold("split", &id.to_string(), &source, Some(origin));
            hold("split", &id.to_string(), "terms", terms);
            hold("split", &id.to_string(), "locked", locked.then(|| "1".to_owned()));
        }
        if self.version()? >= 6 {
            let (lesion, rater) = (image::escaped("lesion"), image::escaped("rater"));
            let sql = format!(
                "SELECT code, slot || ' ' || {lesion} || ' ' || {rater} || ' by ' || reader,
                              trim(verdict || ' ' || mask_sha256 || ' ' || note)
                       FROM verdict JOIN patient ON patient.id = patient
                       WHERE verdict.id IN (SELECT max(id) FROM verdict GROUP BY patient, slot, lesion, rater, reader)"
            );
            let mut statement = self.connection.prepare(&sql)?;
            let verdicts = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            for verdict in verdicts {
                let (code, field, value): (String, String, String) = verdict?;
                hold("verdict", &code, &field, Some(value));
            }
        }
        let shards = if self.version()? < 6 { Vec::new() } else { self.shards()? };
        for shard in shards {
            hold("shard", &shard.plan, &format!("{} of {}", shard.number, shard.n_shards), shard.sha256);
        }
        for import in self.imports()? {
            hold("import", &import.id.to_string(), &import.kind, Some(import.told()));
        }
        for run in self.runs()? {
            hold("run", &run.id.0.to_string(), "begun", Some(run.begun()));
            if let Some((field, seal)) = self.seal(run.id)? {
                hold("run", &run.id.0.to_string(), field, Some(seal));
            }
        }
        let sql = "SELECT split, code, side FROM split_member JOIN patient ON id = patient";
        let mut statement = self.connection.prepare(sql)?;
        let members = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))?;
        for member in members {
            let (split, code, side): (i64, String, String) = member?;
            hold("split", &split.to_string(), &code, Some(side));
        }
        Ok(held)
    }
}

/// Table, row and field, as the trail names them.
type Place = (String, String, String);

/// Whether the newest word of the trail on this place must be the value in force.
fn is_held((table, _, field): &Place) -> bool {
    match table.as_str() {
        "patient" => field != "included",
        "image" => !field.ends_with(" patient"),
        "study" => field != "schema",
        "run" => field != "resumed" && field != "seconds",
        "split" | "import" | "extraction" | "verdict" | "shard" => true,
        _ => false,
    }
}

/// Type, name and definition of everything in a schema, blanks apart.
fn objects(connection: &Connection) -> Result<BTreeMap<String, String>, StoreError> {
    // SQLite's own are these tables, and the indexes that it makes without a statement: never a trigger or a view.
    let sql = "SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_schema
               WHERE NOT (type = 'index' AND sql IS NULL)
                 AND NOT (type = 'table' AND name IN ('sqlite_sequence', 'sqlite_stat1', 'sqlite_stat4'))";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, plain(&row.get::<_, String>(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Drops the triggers, views and indexes that are no part of the schema, and gives their names.
pub(in crate::store) fn drop_foreign(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let fresh = Connection::open_in_memory()?;
    fresh.execute_batch(crate::store::file::SCHEMA)?;
    let (found, expected) = (objects(connection)?, objects(&fresh)?);
    let mut dropped = Vec::new();
    // The view `cohort` follows from the codebook; `check_codebook` holds it against that.
    for name in found.keys().filter(|name| !expected.contains_key(*name) && *name != "view cohort") {
        let Some((kind @ ("trigger" | "view" | "index"), own)) = name.split_once(' ') else { continue };
        connection.execute_batch(&format!("DROP {kind} IF EXISTS \"{}\"", own.replace('"', "\"\"")))?;
        dropped.push(name.clone());
    }
    let left = objects(connection)?;
    match dropped.iter().find(|name| left.contains_key(*name)) {
        Some(name) => Err(StoreError::Refused(format!("{name} is no part of the schema and cannot be left out"))),
        None => Ok(dropped),
    }
}

/// A statement without comments and without white space but between words: a column that a migration added is written
/// on another line than in a new file.
fn plain(sql: &str) -> String {
    let mut plain = String::with_capacity(sql.len());
    let mut chars = sql.chars().peekable();
    let mut is_text = false;
    let mut gap = false;
    while let Some(c) = chars.next() {
        if !is_text && c == '-' && chars.peek() == Some(&'-') {
            chars.by_ref().take_while(|c| *c != '\n').for_each(drop);
            gap = true;
        } else if !is_text && c.is_whitespace() {
            gap = true;
        } else {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            if gap && is_word(c) && plain.chars().next_back().is_some_and(is_word) {
                plain.push(' ');
            }
            gap = false;
            is_text ^= c == '\'';
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_compared_by_what_they_say() {
        let written = "CREATE TABLE a (\n    b TEXT,  -- what b is\n    c  INT\n)";
        assert_eq!(plain(written), plain("CREATE TABLE a (b TEXT, c INT)"));
        assert_ne!(plain(written), plain("CREATE TABLE a (b TEXT, cINT)"));
        assert_ne!(plain("SELECT 'a -- b'"), plain("SELECT 'a -- c'"), "a text is no comment");
        assert_ne!(plain("SELECT 'a  b'"), plain("SELECT 'a b'"));
    }
}
