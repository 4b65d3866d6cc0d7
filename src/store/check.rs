//! Whether a study file is whole: SQLite's own checks, the schema, and the data against the trail.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use crate::protocol::variable::VARIABLES;
use crate::store::trail::sha256;
use crate::store::{ChangeFilter, Store, StoreError};

impl Store {
    /// What SQLite's integrity and foreign key checks find; nothing when all is well.
    pub fn check_integrity(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare("PRAGMA integrity_check(20)")?;
        let lines = statement.query_map([], |row| row.get(0))?;
        let mut findings: Vec<String> = lines.collect::<Result<_, _>>()?;
        findings.retain(|line| line != "ok");
        let mut statement = self.connection.prepare("PRAGMA foreign_key_check")?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(2)?)))?;
        for row in rows {
            let (table, parent) = row?;
            findings.push(format!("a row of {table} refers to no row of {parent}"));
        }
        Ok(findings)
    }

    /// Tables, triggers and views that are not those of the schema.
    pub fn check_schema(&self) -> Result<Vec<String>, StoreError> {
        let fresh = Connection::open_in_memory()?;
        fresh.execute_batch(crate::store::file::SCHEMA)?;
        let (found, expected) = (objects(&self.connection)?, objects(&fresh)?);
        let differs = |name: &&String| found.get(*name) != expected.get(*name);
        let names: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
        let tell = |name: &String| match (found.get(name), expected.get(name)) {
            (None, _) => format!("{name} is missing from the schema"),
            (_, None) => format!("{name} is no part of the schema"),
            _ => format!("{name} is not as in the schema"),
        };
        Ok(names.into_iter().filter(differs).map(tell).collect())
    }

    /// Clinical values, inclusion, linked files and protocols that are not what the trail and their hashes say.
    pub fn check_against_trail(&self) -> Result<Vec<String>, StoreError> {
        let mut told: BTreeMap<(String, String, String), Option<String>> = BTreeMap::new();
        for change in self.changes(&ChangeFilter::default())?.into_iter().rev() {
            told.insert((change.table, change.row, change.field), change.new);
        }
        let mut findings = Vec::new();
        let mut compare = |table: &str, row: &str, field: &str, found: Option<String>| {
            let key = (table.to_owned(), row.to_owned(), field.to_owned());
            if told.get(&key).cloned().flatten() != found {
                findings.push(format!("{table} {row}: {field} is not what the trail says"));
            }
        };
        for patient in self.patients()? {
            compare("patient", &patient.code, "code", Some(patient.code.clone()));
            for (variable, entry) in VARIABLES.iter().zip(&patient.entries) {
                compare("patient", &patient.code, variable.name, entry.map(|entry| entry.text()));
            }
            compare("patient", &patient.code, "exclusion_reason", patient.exclusion.clone());
            for file in self.images_of(patient.id)? {
                let role = file.role.name();
                let path = file.path.to_string_lossy().into_owned();
                compare("image", &patient.code, &format!("{role} path"), Some(path));
                compare("image", &patient.code, &format!("{role} sha256"), Some(file.sha256));
                compare("image", &patient.code, &format!("{role} label"), file.label.map(|label| label.to_string()));
            }
        }
        let study = self.study()?;
        if sha256(&study.protocol_toml) != study.protocol_hash {
            findings.push("the protocol in force is not the one of its hash".to_owned());
        }
        Ok(findings)
    }
}

/// Type, name and definition of everything in a schema, blanks apart.
fn objects(connection: &Connection) -> Result<BTreeMap<String, String>, StoreError> {
    let sql = "SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
