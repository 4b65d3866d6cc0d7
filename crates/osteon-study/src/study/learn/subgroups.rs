//! Models within groups of patients: centres, scanners, sexes, ages (TRIPOD+AI 23b).

use std::collections::{BTreeMap, BTreeSet};

use crate::report::evaluation;
use crate::report::performance::{self, Corrected, Cut, Scored};
use crate::report::sheet::Sheet;
use crate::store::{PatientId, Side};
use crate::study::{Error, ModelTable, Study};
use osteon_stats::table::Values;
use osteon_stats::table::filter::Filter;

impl Study {
    /// Performance and calibration of the study's models in each set and group. `by` is a variable with levels (a group
    /// each), or a filter such as `age < 18` (those who pass, and the others).
    ///
    /// # Errors
    /// When `by` is neither, or there is no fit.
    pub fn subgroups(&self, table: ModelTable, by: &str) -> Result<Vec<Sheet>, Error> {
        self.needs_response()?;
        let groups = self.groups(by)?;
        let events = self.events()?;
        let (rows, _, run) = self.own_rows(table, &events)?;
        let split = self.store.split()?.ok_or(Error::NoSplit)?;
        let sides: BTreeMap<PatientId, Side> = split.members.into_iter().collect();
        let mut apart = Vec::new();
        for (label, members) in &groups {
            for row in &rows {
                let side = if row.set == "test" { Side::Test } else { Side::Train };
                // The order in which scores are listed.
                let ids: Vec<PatientId> = events.keys().copied().filter(|id| sides.get(id) == Some(&side)).collect();
                let scores: BTreeMap<PatientId, f64> =
                    row.kept.iter().map(|&at| ids[at]).zip(row.score.iter().copied()).collect();
                let own: Vec<PatientId> = ids.into_iter().filter(|id| members.contains(id)).collect();
                let event: Vec<bool> = own.iter().map(|id| events[id]).collect();
                let score: Vec<Option<f64>> = own.iter().map(|id| scores.get(id).copied()).collect();
                let set = format!("{}, {label}", row.set);
                apart.push(Scored::new(&row.model, &set, &event, &score, Corrected::default()));
            }
        }
        let mut performance = performance::table(&format!("Performance by {by}"), &apart, &Cut::At(0.5));
        performance.notes.extend(apart.iter().filter_map(evaluation::one_class));
        let unknown = events.keys().filter(|id| !groups.iter().any(|(_, members)| members.contains(id))).count();
        if unknown > 0 {
            let who = osteon_base::text::counted(unknown, "patient");
            performance.notes.push(format!("{who} in no group: the value is missing"));
        }
        let mut calibration = evaluation::calibrations(&apart);
        calibration.title = format!("{} by {by}", calibration.title);
        let mut sheets = vec![performance, calibration];
        for sheet in &mut sheets {
            sheet.provenance = self.provenance()?;
            sheet.provenance.push(format!("run: {}", run.0));
        }
        sheets.into_iter().map(|sheet| self.told(sheet)).collect()
    }

    /// Groups by name; a patient without a value is in none.
    pub(in crate::study) fn groups(&self, by: &str) -> Result<Vec<(String, BTreeSet<PatientId>)>, Error> {
        let (table, _) = self.patient_table(None)?;
        let ids: BTreeMap<String, PatientId> = self.store.patients()?.into_iter().map(|it| (it.code, it.id)).collect();
        let named = |rows: &mut dyn Iterator<Item = usize>| rows.map(|row| ids[&table.rows()[row]]).collect();
        if let Ok(column) = table.column(by) {
            let Values::Levels { levels, codes } = &column.values else {
                return Err(Error::Request(format!(
                    "{by} is a number: a filter makes two groups of it, such as \"{by} < 18\""
                )));
            };
            let of = |at: usize| (0..codes.len()).filter(move |&row| codes[row] == Some(at));
            let group = |(at, level): (usize, &String)| (level.clone(), named(&mut of(at)));
            let groups = levels.iter().enumerate().map(group);
            return Ok(groups.filter(|(_, members): &(String, BTreeSet<PatientId>)| !members.is_empty()).collect());
        }
        let filter = Filter::parse(by, &table).map_err(|source| Error::Filter { text: by.to_owned(), source })?;
        // A patient without a value that the filter asks for is on neither side.
        let mut asked = BTreeSet::new();
        columns(&filter, &mut asked);
        let is_known = |row: &usize| asked.iter().all(|&at| has_value(&table.columns()[at].values, *row));
        let (passing, others): (Vec<usize>, Vec<usize>) =
            (0..table.rows().len()).filter(is_known).partition(|&row| filter.passes(&table, row));
        Ok(vec![
            (by.to_owned(), named(&mut passing.into_iter())),
            (format!("not ({by})"), named(&mut others.into_iter())),
        ])
    }
}

/// The columns that a filter asks.
fn columns(filter: &Filter, asked: &mut BTreeSet<usize>) {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().for_each(|part| columns(part, asked)),
        Filter::Not(inner) => columns(inner, asked),
        Filter::Test { column, .. } => asked.extend(column),
    }
}

fn has_value(values: &Values, row: usize) -> bool {
    match values {
        Values::Numbers(values) => values[row].is_some(),
        Values::Levels { codes, .. } => codes[row].is_some(),
    }
}
