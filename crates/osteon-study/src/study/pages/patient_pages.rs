//! What the dashboard shows of patients: the list as a table, and the pages of one patient as sheets.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::codebook::variable::{Moment, Variable};
use crate::report::sheet::{Cell, Sheet};
use crate::store::{Change, ChangeFilter, Patient, Side};
use crate::study::{Error, Study, View};
use osteon_stats::table::filter::Filter;
use osteon_stats::table::{Column, Table, Values};

impl Study {
    /// All patients or the first ones, the excluded too, and each row's version. Columns: the clinical variables,
    /// `response`, `included`, `set` where there is a split, `images` and `extraction` in words.
    pub fn patient_table(&self, limit: Option<usize>) -> Result<(Table, Vec<i64>), Error> {
        let patients = match limit {
            Some(limit) => self.store.first_patients(limit)?,
            None => self.store.patients()?,
        };
        let mut columns: Vec<Column> = self
            .variables()
            .map(|(at, it)| it.column(patients.iter().map(|patient| patient.entries[at].as_ref())))
            .collect();
        let text = |name: &str, of: &dyn Fn(&Patient) -> Option<String>| levels(name, patients.iter().map(of));
        if self.view == View::Full {
            columns.push(text("response", &|patient| Some(patient.side().to_owned()).filter(|side| !side.is_empty())));
        }
        columns.push(text("included", &|patient| Some(if patient.included() { "yes" } else { "no" }.to_owned())));
        if let Some(split) = self.shown_split()? {
            let sides: BTreeMap<_, Side> = split.members.into_iter().collect();
            columns.push(text("set", &|patient| sides.get(&patient.id).map(|side| side.name().to_owned())));
        }
        let titles = self.store.image_titles()?;
        columns.push(text("images", &|patient| titles.get(&patient.id).map(|titles| titles.join(", "))));
        let regions = self.store.region_counts()?;
        columns.push(text("extraction", &|patient| {
            regions.get(&patient.id).map(|[done, failed]| match failed {
                0 => format!("{done} done"),
                _ => format!("{done} done, {failed} failed"),
            })
        }));
        let versions = patients.iter().map(|patient| patient.version).collect();
        let rows = patients.into_iter().map(|patient| patient.code).collect();
        Ok((Table::new(rows, columns).expect("each column has one value a patient"), versions))
    }

    /// The patients that pass a filter over the columns of `patient_table`.
    pub fn filtered_patients_sheet(&self, text: &str) -> Result<Sheet, Error> {
        let (table, _) = self.patient_table(None)?;
        let filter = Filter::parse(text, &table).map_err(|source| Error::Filter { text: text.to_owned(), source })?;
        let passing: BTreeSet<&str> = filter.rows(&table).into_iter().map(|row| table.rows()[row].as_str()).collect();
        let mut sheet = self.patients_sheet()?;
        sheet.rows.retain(|row| passing.contains(row[0].text().as_str()));
        sheet.notes.push(format!("{} patients pass the filter {text}", sheet.rows.len()));
        Ok(sheet)
    }

    /// Every variable of a patient with its value and unit, and whether the patient is included.
    pub fn variables_sheet(&self, code: &str) -> Result<Sheet, Error> {
        let patient = self.store.patient(code)?;
        let value = |at: usize| match &patient.entries[at] {
            None => Cell::Empty,
            Some(crate::protocol::codebook::Value::Missing(reason)) => words(format!("missing: {reason}")),
            Some(value) => words(patient.book.variables[at].text(value)),
        };
        let mut rows: Vec<Vec<Cell>> = self
            .variables()
            .map(|(at, variable)| vec![words(&variable.name), value(at), words(meaning(variable))])
            .collect();
        if self.view == View::Full {
            let response = if patient.event.is_some() { words(patient.side()) } else { Cell::Empty };
            rows.push(vec![words("response"), response, words(self.outcome_in_words())]);
        }
        let why = patient.exclusion.clone().unwrap_or_default();
        rows.push(vec![words("included"), words(if patient.included() { "yes" } else { "no" }), words(why)]);
        rows.push(vec![words("version"), words(patient.version.to_string()), words("grows with each change")]);
        self.sheet(format!("Patient {code}"), &["field", "value", "meaning"], rows)
    }

    /// Both sides of the outcome in force in words; empty where none is declared.
    pub fn outcome_in_words(&self) -> String {
        let book = &*self.protocol.codebook;
        let Some(outcome) = book.outcome() else { return String::new() };
        let [without, with] = outcome.sides_in_words(book);
        format!("{}: {with}; {}: {without}", outcome.event_label, outcome.other_label)
    }

    /// Images and masks with their geometry and hash, and the state of each region.
    pub fn images_sheet(&self, code: &str) -> Result<Sheet, Error> {
        let patient = self.store.patient(code)?;
        let mut rows = Vec::new();
        for file in self.store.images_of(patient.id)? {
            let geometry = &file.geometry;
            let role = file.title();
            let role = role.as_str();
            let by = |values: [String; 3]| values.join(" x ");
            let [z, y, x] = geometry.shape;
            let [dz, dy, dx] = geometry.spacing_mm;
            rows.push(vec![words(role), words("file"), words(file.path.display().to_string())]);
            rows.push(vec![words(role), words("voxels, x y z"), words(by([x, y, z].map(|n| n.to_string())))]);
            rows.push(vec![words(role), words("spacing, mm"), words(by([dx, dy, dz].map(|n| n.to_string())))]);
            rows.push(vec![words(role), words("SHA-256"), words(file.sha256.clone())]);
            let acquired = self.acquisition_lines(&file).into_iter();
            rows.extend(acquired.map(|(what, told)| vec![words(role), words(what), words(told)]));
        }
        for state in self.store.region_states()?.into_iter().filter(|state| state.patient == patient.id) {
            let what = state.place.to_string();
            rows.push(vec![words("region"), words(what), words(state.error.unwrap_or_else(|| "done".to_owned()))]);
        }
        let told = self.region_lines(patient.id)?.into_iter();
        rows.extend(told.map(|(of, what, told)| vec![words(of), words(what), words(told)]));
        self.sheet(format!("Images of {code}"), &["of", "what", "value"], rows)
    }

    /// One row a feature, one column a region of a slot and lesion; only what the rater drew who is learnt from.
    pub fn features_sheet(&self, code: &str) -> Result<Sheet, Error> {
        let patient = self.store.patient(code)?;
        let values = self.store.values_of(patient.id)?;
        let rater = self.rater();
        let first = || values.iter().filter(|value| value.place.rater == rater);
        // In the order in which they were measured: slots, then lesions, then regions.
        let mut regions: Vec<String> = Vec::new();
        for name in first().map(|value| value.place.region_name()) {
            if regions.last() != Some(&name) && !regions.contains(&name) {
                regions.push(name);
            }
        }
        let mut rows: BTreeMap<&str, Vec<Cell>> = BTreeMap::new();
        for value in first() {
            let row = rows.entry(&value.feature).or_insert_with(|| vec![Cell::Empty; regions.len()]);
            if let Some(at) = regions.iter().position(|region| *region == value.place.region_name()) {
                row[at] = Cell::number(value.value, 4);
            }
        }
        let rows = rows.into_iter().map(|(name, cells)| std::iter::once(words(name)).chain(cells).collect()).collect();
        let headings: Vec<&str> = std::iter::once("feature").chain(regions.iter().map(String::as_str)).collect();
        self.sheet(format!("Features of {code}"), &headings, rows)
    }

    /// Each change of a patient and its files, newest first.
    pub fn history_sheet(&self, code: &str) -> Result<Sheet, Error> {
        let changes = self.changes(&ChangeFilter { row: code.to_owned(), ..ChangeFilter::default() })?;
        let row = |it: Change| {
            let texts =
                [it.field, it.old.unwrap_or_default(), it.new.unwrap_or_default(), it.reason, it.actor, it.table];
            std::iter::once(words(self.minute(&it.at))).chain(texts.map(words)).collect()
        };
        let headings = ["when", "field", "old", "new", "why", "who", "of"];
        self.sheet(format!("History of {code}"), &headings, changes.into_iter().map(row).collect())
    }

    /// The patient's newest change.
    pub fn last_change(&self, code: &str) -> Result<Option<Change>, Error> {
        let filter = ChangeFilter { row: code.to_owned(), ..ChangeFilter::default() };
        // That results were measured is no change of the patient.
        Ok(self.changes(&filter)?.into_iter().find(|change| change.table != "extraction"))
    }

    /// A sheet under the study's provenance.
    pub(in crate::study) fn sheet(
        &self,
        title: String,
        headings: &[&str],
        rows: Vec<Vec<Cell>>,
    ) -> Result<Sheet, Error> {
        let headings = headings.iter().map(|&heading| heading.to_owned()).collect();
        Ok(Sheet { title, headings, rows, notes: Vec::new(), provenance: self.provenance()? })
    }
}

pub(in crate::study) fn words(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

/// What a variable is, for the page of a patient: its heading, when it is known, and the formula that computes it.
fn meaning(variable: &Variable) -> String {
    let moment = match variable.moment {
        Moment::Baseline => String::new(),
        other => format!(" ({})", other.name()),
    };
    let formula = variable.formula.as_ref().map(|formula| format!(" = {}", formula.text())).unwrap_or_default();
    format!("{}{moment}{formula}", variable.heading())
}

/// A column of words, its levels in the order of the alphabet.
pub(in crate::study) fn levels(name: &str, words: impl Iterator<Item = Option<String>>) -> Column {
    let words: Vec<Option<String>> = words.collect();
    let known: BTreeSet<&String> = words.iter().flatten().collect();
    let position: BTreeMap<&String, usize> = known.iter().enumerate().map(|(at, word)| (*word, at)).collect();
    let codes = words.iter().map(|word| word.as_ref().map(|word| position[word])).collect();
    let levels = known.into_iter().cloned().collect();
    Column { name: name.to_owned(), values: Values::Levels { levels, codes } }
}
