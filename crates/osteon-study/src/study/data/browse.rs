//! What lists and details of patients show, as sheets.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::codebook::Value;
use crate::report::sheet::{Cell, Sheet};
use crate::store::{Change, ChangeFilter, ImageFile, PARTS, Patient, PatientId, Query, QueryState};
use crate::study::{Error, Study, View};
use osteon_radiomics::read::dicom::deviations;

/// How far the work on one patient is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Images and masks, in words.
    pub files: Vec<String>,
    /// Regions measured and regions that failed.
    pub measured: usize,
    pub failed: usize,
    pub open_queries: usize,
}

impl Study {
    /// Images, extraction and queries of every patient that has any.
    pub fn progress(&self) -> Result<BTreeMap<PatientId, Progress>, Error> {
        let mut progress: BTreeMap<PatientId, Progress> = BTreeMap::new();
        for (patient, titles) in self.store.image_titles()? {
            progress.entry(patient).or_default().files = titles;
        }
        for (patient, [measured, failed]) in self.store.region_counts()? {
            let of = progress.entry(patient).or_default();
            (of.measured, of.failed) = (measured, failed);
        }
        let open = |query: &Query| query.state == QueryState::Open && self.may_see(&query.field);
        for query in self.store.queries()?.into_iter().filter(open) {
            progress.entry(query.patient).or_default().open_queries += 1;
        }
        Ok(progress)
    }

    /// All patients, one row each.
    pub fn patients_sheet(&self) -> Result<Sheet, Error> {
        let progress = self.progress()?;
        let patients = self.store.patients()?;
        let mut headings = vec!["patient".to_owned()];
        headings.extend(self.variables().map(|(_, variable)| variable.name.to_owned()));
        if self.view == View::Full {
            headings.push("response".to_owned());
        }
        headings.extend(["included", "images", "regions", "queries"].map(str::to_owned));
        let row =
            |patient: &Patient| self.patient_row(patient, progress.get(&patient.id).unwrap_or(&Progress::default()));
        let included = patients.iter().filter(|patient| patient.included()).count();
        Ok(Sheet {
            title: format!("Patients of {}", self.store.study()?.title),
            headings,
            rows: patients.iter().map(row).collect(),
            notes: vec![format!("{included} included, {} excluded", patients.len() - included)],
            provenance: self.provenance()?,
        })
    }

    fn patient_row(&self, patient: &Patient, progress: &Progress) -> Vec<Cell> {
        let mut cells = vec![Cell::Text(patient.code.clone())];
        cells.extend(self.variables().map(|(at, _)| cell(patient, at)));
        if self.view == View::Full {
            cells.push(text(patient.side()));
        }
        cells.push(text(if patient.included() { "yes" } else { "no" }));
        cells.push(Cell::Count(progress.files.len()));
        cells.push(Cell::Count(progress.measured));
        cells.push(Cell::Count(progress.open_queries));
        cells
    }

    /// Everything about one patient: variables, inclusion, files, extraction, queries.
    pub fn patient_sheet(&self, code: &str) -> Result<Sheet, Error> {
        let patient = self.store.patient(code)?;
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        let mut row = |field: &str, cell: Cell| rows.push(vec![text(field), cell]);
        for (at, variable) in self.variables() {
            row(&variable.heading(), cell(&patient, at));
        }
        if self.view == View::Full {
            row("Response", text(patient.side()));
        }
        row("Included", Cell::Text(patient.exclusion.as_ref().map_or("yes".into(), |why| format!("no: {why}"))));
        for file in self.store.images_of(patient.id)? {
            let [z, y, x] = file.geometry.shape;
            // Four digits: a spacing of 0.976562 mm is 0.9766.
            let [dz, dy, dx] = file.geometry.spacing_mm.map(|mm| format!("{mm:.3e}").parse().unwrap_or(mm));
            let label = file.label.map(|label| format!(", label {label}")).unwrap_or_default();
            let geometry = format!("{x} x {y} x {z} voxels of {dx} x {dy} x {dz} mm{label}");
            row(&file.title(), Cell::Text(format!("{}: {geometry}", file.path.display())));
            for (what, told) in self.acquisition_lines(&file) {
                row(what, Cell::Text(told));
            }
        }
        for state in self.store.region_states()?.into_iter().filter(|state| state.patient == patient.id) {
            let place = state.place.to_string();
            row(&place, Cell::Text(state.error.map_or("measured".into(), |why| format!("failed: {why}"))));
        }
        for (of, what, told) in self.region_lines(patient.id)? {
            row(&format!("{of}: {what}"), Cell::Text(told));
        }
        for query in self.store.queries_of(patient.id)?.into_iter().filter(|query| self.may_see(&query.field)) {
            let answer = query.answer.map(|answer| format!(": {answer}")).unwrap_or_default();
            let place = format!("Query {} on {}", query.id.0, query.field);
            row(&place, Cell::Text(format!("{} ({}{answer})", query.text, query.state.name())));
        }
        let headings = ["field", "value"].map(str::to_owned).to_vec();
        let notes = vec![format!("version {}", patient.version)];
        Ok(Sheet { title: format!("Patient {code}"), headings, rows, notes, provenance: self.provenance()? })
    }

    /// How an image was acquired, and each deviation from what the protocol expects; nothing where the file is silent.
    pub(in crate::study) fn acquisition_lines(&self, file: &ImageFile) -> Vec<(&'static str, String)> {
        let Some(found) = &file.acquisition else { return Vec::new() };
        let told = found.to_string();
        let own = (!told.is_empty()).then_some(("acquisition", told));
        let deviations = deviations(found, &self.protocol.in_slot(&file.slot).acquisition)
            .into_iter()
            .map(|what| ("deviation", what));
        own.into_iter().chain(deviations).collect()
    }

    /// The trail, newest first; a blind reader does not see necrosis.
    pub fn trail_sheet(&self, filter: &ChangeFilter) -> Result<Sheet, Error> {
        let row = |change: Change| {
            let (new, old) = (crate::study::models::validate::shown(&change), change.old.unwrap_or_default());
            let cells =
                [change.at, change.actor, change.host, change.table, change.row, change.field, old, new, change.reason];
            let seq = Cell::Count(usize::try_from(change.seq).unwrap_or(0));
            [seq].into_iter().chain(cells.map(Cell::Text)).collect()
        };
        let headings = ["seq", "at", "actor", "host", "table", "row", "field", "old", "new", "reason"];
        Ok(Sheet {
            title: "Trail".to_owned(),
            headings: headings.map(str::to_owned).to_vec(),
            rows: self.changes(filter)?.into_iter().map(row).collect(),
            notes: Vec::new(),
            provenance: self.provenance()?,
        })
    }

    /// The changes that pass a filter, newest first, without the values that this reader may not see.
    pub fn changes(&self, filter: &ChangeFilter) -> Result<Vec<Change>, Error> {
        if self.view == View::Full {
            return Ok(self.store.changes(filter)?);
        }
        let is = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        let passes = |it: &Change| {
            let named = is(&filter.row, &it.row) && is(&filter.actor, &it.actor) && is(&filter.field, &it.field);
            named && (filter.before == 0 || it.seq < filter.before)
        };
        let seen = self.changes_seen()?.into_iter().map(|(_, change)| change).filter(passes);
        Ok(seen.take(if filter.limit == 0 { usize::MAX } else { filter.limit }).collect())
    }

    /// Every change that this reader may see, the newest first, each with its number in the file. A blind reader gets
    /// them numbered anew: what is left out tells by being there, and so would a gap in the numbers or in the
    /// chain of hashes.
    pub(in crate::study) fn changes_seen(&self) -> Result<Vec<(i64, Change)>, Error> {
        let mut all = self.store.changes(&ChangeFilter::default())?;
        if self.view == View::Full {
            return Ok(all.into_iter().map(|change| (change.seq, change)).collect());
        }
        // A link on a hidden variable tells by being there that there is a value; so does a member of a split, which a
        // patient is whose outcome is known.
        let is_split =
            |it: &Change| it.table == "split" && !["drawn", "imported", "terms", "locked"].contains(&it.field.as_str());
        // The hash of a fit's parts holds results; a redaction of what is hidden tells that it was there.
        let is_hidden = |it: &Change| !self.may_see(&it.field) || is_split(it) || it.table == PARTS;
        let mut hidden: BTreeSet<i64> = all.iter().filter(|it| is_hidden(it)).map(|it| it.seq).collect();
        let redacts_hidden =
            |it: &&Change| it.table == "redaction" && numbered(&it.field).is_some_and(|(n, _)| hidden.contains(&n));
        hidden.extend(all.iter().filter(redacts_hidden).map(|it| it.seq).collect::<Vec<_>>());
        // What was written as the reason of a hidden change stands on whatever changed with it, too.
        let of_hidden: BTreeSet<(String, String)> = all
            .iter()
            .filter(|change| !self.may_see(&change.field))
            .map(|change| (change.at.clone(), change.reason.clone()))
            .collect();
        all.retain(|change| !hidden.contains(&change.seq));
        let n = all.len();
        let anew: BTreeMap<i64, usize> = all.iter().enumerate().map(|(at, it)| (it.seq, n - at)).collect();
        // A number in the words of a change is the file's; of a change that is left out there is none to give.
        let renumbered = |text: &str| {
            let (number, rest) = numbered(text)?;
            Some(anew.get(&number).map_or_else(|| format!("a change{rest}"), |number| format!("change {number}{rest}")))
        };
        let mut seen = Vec::with_capacity(n);
        for (at, mut change) in all.into_iter().enumerate() {
            let seq = change.seq;
            if of_hidden.contains(&(change.at.clone(), change.reason.clone())) {
                HIDDEN.clone_into(&mut change.reason);
            }
            // An import tells how many changes it made, those that are left out here too; a run's hash holds results.
            if change.table == "import" {
                for value in [&mut change.old, &mut change.new].into_iter().flatten() {
                    HIDDEN.clone_into(value);
                }
            }
            for text in [&mut change.field, &mut change.reason] {
                *text = renumbered(text).unwrap_or_else(|| std::mem::take(text));
            }
            HIDDEN.clone_into(&mut change.previous);
            HIDDEN.clone_into(&mut change.sealed);
            change.seq = i64::try_from(n - at).unwrap_or(i64::MAX);
            seen.push((seq, change));
        }
        Ok(seen)
    }

    /// The head of the trail as this reader may see it: the hash of a hidden value is withheld.
    pub fn trail_head(&self) -> Result<String, Error> {
        if self.view == View::Full {
            return Ok(self.store.trail_head()?);
        }
        let newest = self.changes(&ChangeFilter { limit: 1, ..ChangeFilter::default() })?;
        Ok(newest.into_iter().next().map(|change| change.hash).unwrap_or_default())
    }

    /// What the file holds of a patient's field now, as far as this reader may see it, and who changed the patient last.
    pub fn value_now(&self, code: &str, field: &str) -> Result<String, Error> {
        let patient = self.store.patient(code)?;
        let at = patient.book.place(field).filter(|&at| !patient.lacks(at));
        let entry = at.map_or_else(|| "missing".to_owned(), |at| patient.text(at));
        let entry = if self.may_see(field) { entry } else { HIDDEN.to_owned() };
        Ok(match self.last_change(code)? {
            Some(last) => format!("{entry} (last change: {} by {} at {})", last.field, last.actor, last.at),
            None => entry,
        })
    }
}

/// What stands in the place of what a blind reader must not see.
const HIDDEN: &str = "(hidden)";

/// A value of a variable, with the digits it was entered with.
fn cell(patient: &Patient, at: usize) -> Cell {
    match &patient.entries[at] {
        Some(Value::Number(value)) => {
            let digits = value.to_string().split_once('.').map_or(0, |(_, digits)| digits.len());
            Cell::Number { value: *value, digits }
        }
        Some(Value::Missing(reason)) => Cell::Text(format!("missing: {reason}")),
        Some(value) => Cell::Text(patient.book.variables[at].text(value)),
        None => Cell::Empty,
    }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// The number and the rest of a text that begins as `change N`.
fn numbered(text: &str) -> Option<(i64, &str)> {
    let rest = text.strip_prefix("change ")?;
    let end = rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(rest.len());
    Some((rest[..end].parse().ok()?, &rest[end..]))
}
