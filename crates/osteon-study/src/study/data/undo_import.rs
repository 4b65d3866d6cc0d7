//! Imports as a list, and one turned back as a whole.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::sheet::{Cell, Sheet};
use crate::store::{Change, Import, Write, stored};
use crate::study::data::edit::required;
use crate::study::data::rules;
use crate::study::{Error, Study};

/// What turning back an import did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnedBack {
    /// The import that was turned back.
    pub import: i64,
    /// Number of the entry that did it, which can be turned back too.
    pub entry: Option<i64>,
    pub values: usize,
    /// Patients whom the import had brought: they stay in the file, without these values and excluded.
    pub excluded: usize,
}

/// Patient, and field as the trail names it, with the value before the import; `None` was none.
type Before = BTreeMap<String, BTreeMap<String, Option<String>>>;

impl Study {
    /// Every import, the newest first: file, changes, who, when and why, and which were turned back.
    pub fn imports_sheet(&self) -> Result<Sheet, Error> {
        let imports = self.store.imports()?;
        let seen = self.changes_seen()?;
        let mut rows = Vec::new();
        for import in imports.iter().rev() {
            // Through the reader's own view: a reason may tell what is hidden.
            let first = seen.iter().rev().find(|(seq, _)| *seq >= import.first);
            let (actor, reason) =
                first.map(|(_, change)| (change.actor.clone(), change.reason.clone())).unwrap_or_default();
            let state = match (imports.iter().find(|it| it.undoes == Some(import.id)), import.undoes) {
                (Some(by), _) => format!("turned back by {}", by.id),
                (None, Some(of)) => format!("turns back {of}"),
                (None, None) => "in force".to_owned(),
            };
            let count = |n: i64| Cell::Count(usize::try_from(n).unwrap_or(0));
            // Of what this reader may see: the others would be counted by who compares the two.
            let own = |seq: &i64| (import.first..=import.last).contains(seq);
            let changes = i64::try_from(seen.iter().filter(|(seq, _)| own(seq)).count()).unwrap_or(0);
            let texts = [
                import.kind.clone(),
                import.path.clone(),
                import.at.clone(),
                actor,
                reason,
                state,
                import.sha256.clone(),
            ];
            rows.push([count(import.id), count(changes)].into_iter().chain(texts.map(Cell::Text)).collect());
        }
        Ok(Sheet {
            title: "Imports".to_owned(),
            headings: ["import", "changes", "kind", "file", "at", "by", "reason", "state", "sha256"]
                .map(str::to_owned)
                .to_vec(),
            rows,
            notes: Vec::new(),
            provenance: self.provenance()?,
        })
    }

    /// Takes back all that an import changed, in one entry; `None` takes the newest that is in force. Refused where a
    /// value was changed since.
    pub fn undo_import(&self, id: Option<i64>, reason: &str) -> Result<TurnedBack, Error> {
        let imports = self.store.imports()?;
        let import = chosen(&imports, id)?;
        let reason = turned_back(import.id, &required(reason)?);
        self.store.write(&reason, |write| {
            let first = write.last_change()? + 1;
            let before = before(&write.changes_between(import.first, import.last)?);
            self.is_untouched(write, import, &before)?;
            let (mut values, mut excluded) = (0, 0);
            for (code, fields) in &before {
                values += self.restore_values(write, code, fields)?;
                excluded += usize::from(restore_place(write, code, fields, &reason)?);
                rules::apply(write, &self.protocol, code)?;
            }
            let entry = write.end_import("clinical", &import.path, &import.sha256, first, Some(import.id))?;
            Ok(TurnedBack { import: import.id, entry, values, excluded })
        })
    }

    /// Refuses what would take back more than the import.
    fn is_untouched(&self, write: &Write, import: &Import, before: &Before) -> Result<(), Error> {
        let later = write.changes_between(import.last + 1, i64::MAX)?;
        let touched = |change: &&Change| {
            let fields = before.get(&change.row).filter(|_| change.table == "patient");
            fields.is_some_and(|fields| fields.contains_key(&change.field) || fields.contains_key("code"))
        };
        let named: BTreeSet<String> =
            later.iter().filter(touched).map(|it| format!("{} {} (change {})", it.row, it.field, it.seq)).collect();
        if named.is_empty() {
            return Ok(());
        }
        if self.is_blind() {
            let what = "some of its values were changed since; turn these back first";
            return Err(Error::Request(format!("import {} cannot be turned back as a whole: {what}", import.id)));
        }
        let first: Vec<String> = named.iter().take(5).cloned().collect();
        let more = if named.len() > first.len() { ", ..." } else { "" };
        Err(Error::Request(format!(
            "import {} cannot be turned back as a whole: {} of its values were changed since: {}{more}; turn these back \
             first",
            import.id,
            named.len(),
            first.join(", ")
        )))
    }

    /// Sets values to what they were; gives how many.
    fn restore_values(
        &self,
        write: &Write,
        code: &str,
        fields: &BTreeMap<String, Option<String>>,
    ) -> Result<usize, Error> {
        let patient = write.patient(code)?;
        let (mut version, mut n) = (patient.version, 0);
        for (field, old) in fields.iter().filter(|(field, _)| !PLACE.contains(&field.as_str())) {
            let gone =
                || Error::Request(format!("{code}: the codebook no longer has a place for {field}; edit it by hand"));
            let variable = self.protocol.codebook.keyed(field).ok_or_else(gone)?;
            let value = old.as_deref().map(|old| stored(variable, old).ok_or_else(gone)).transpose()?;
            version = self.enter(write, &patient, version, variable, value.as_ref())?;
            n += 1;
        }
        Ok(n)
    }
}

/// Fields of the trail that are no values.
const PLACE: [&str; 3] = ["code", "included", "exclusion_reason"];

/// Why an import's patients are excluded.
fn turned_back(id: i64, reason: &str) -> String {
    format!("import {id} turned back: {reason}")
}

/// Whether a patient was excluded because the import that brought it was turned back.
pub fn is_turned_back(exclusion: &str) -> bool {
    let id = exclusion.strip_prefix("import ").and_then(|rest| rest.split_once(" turned back: "));
    id.is_some_and(|(id, _)| id.parse::<i64>().is_ok())
}

fn chosen(imports: &[Import], id: Option<i64>) -> Result<&Import, Error> {
    let by = |id: i64| imports.iter().find(|it| it.undoes == Some(id));
    match id {
        Some(id) => {
            let unknown = || Error::Request(format!("no import {id}; osteon import list names all"));
            let import = imports.iter().find(|it| it.id == id).ok_or_else(unknown)?;
            match by(id) {
                None if import.kind != "clinical" => Err(Error::Request(format!(
                    "import {id} linked images, which are never unlinked: link the right files in their place"
                ))),
                None => Ok(import),
                Some(by) => Err(Error::Request(format!("import {id} was turned back by {}", by.id))),
            }
        }
        None => {
            let in_force = |it: &&Import| it.kind == "clinical" && it.undoes.is_none() && by(it.id).is_none();
            let none = || Error::Request("no import is in force; osteon import list names all".to_owned());
            imports.iter().rev().find(in_force).ok_or_else(none)
        }
    }
}

/// What each field held before the first of these changes.
fn before(changes: &[Change]) -> Before {
    let mut before = Before::new();
    for change in changes.iter().filter(|change| change.table == "patient") {
        let fields = before.entry(change.row.clone()).or_default();
        fields.entry(change.field.clone()).or_insert_with(|| change.old.clone());
    }
    before
}

/// Excludes who was brought, or who was excluded before; whether the patient is excluded now and was not.
fn restore_place(
    write: &Write,
    code: &str,
    fields: &BTreeMap<String, Option<String>>,
    reason: &str,
) -> Result<bool, Error> {
    let patient = write.patient(code)?;
    let exclusion = match fields.get("exclusion_reason") {
        Some(old) => old.as_deref(),
        None if fields.contains_key("code") => Some(reason),
        None => return Ok(false),
    };
    if patient.exclusion.as_deref() == exclusion {
        return Ok(false);
    }
    write.exclude_patient(&patient, exclusion)?;
    Ok(exclusion.is_some())
}
