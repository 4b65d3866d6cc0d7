//! The training and test sets: drawn, imported, and how alike they are.

use std::collections::BTreeMap;
use std::path::Path;

use crate::pipeline::cohort::{draw, draw_whole};
use crate::protocol::codebook::Codebook;
use crate::report::sheet::{Cell, Sheet};
use crate::store::{Patient, PatientId, Side, Split};
use crate::study::{Error, Study, View};
use osteon_base::seed::Seed;
use osteon_stats::stats::compare::{Params, categorical, continuous};
use osteon_stats::table::{Column, Values};

/// Patients with their stratum.
struct Strata {
    patients: Vec<Patient>,
    event: Vec<bool>,
    name: String,
}

impl Study {
    /// Draws a split stratified by response among included patients whose response is known; in a study whose only outcomes
    /// are times, by the event of the first one among patients whose time is known. Gives the set sizes.
    pub fn draw_split(&self, seed: Seed, train_fraction: f64) -> Result<(usize, usize), Error> {
        let Strata { patients, event, name } = self.strata()?;
        let codes: Vec<String> = patients.iter().map(|patient| patient.code.clone()).collect();
        let side = |train| if train { Side::Train } else { Side::Test };
        let members: Vec<(PatientId, Side)> = patients
            .iter()
            .zip(draw(&codes, &event, train_fraction, seed))
            .map(|(p, train)| (p.id, side(train)))
            .collect();
        let sizes = both(&members)?;
        let reason = "split new";
        self.store.write(reason, |write| write.add_split(Some(seed), Some(train_fraction), &name, &members))?;
        Ok(sizes)
    }

    /// Draws a split that keeps the patients of each level of a variable (a centre, a scanner) on one side.
    ///
    /// # Errors
    /// When the variable has no levels, fewer than two of them occur, or an included patient's is missing.
    pub fn draw_split_whole(&self, seed: Seed, train_fraction: f64, by: &str) -> Result<(usize, usize), Error> {
        let Strata { patients, event, .. } = self.strata()?;
        let groups = self.groups(by)?;
        let place = |patient: &crate::store::Patient| groups.iter().position(|(_, own)| own.contains(&patient.id));
        let places: Vec<Option<usize>> = patients.iter().map(place).collect();
        let missing = places.iter().filter(|place| place.is_none()).count();
        if missing > 0 {
            let who = osteon_base::text::counted(missing, "included patient");
            return Err(Error::Request(format!("{who} without {by}: enter it, or exclude them")));
        }
        let places: Vec<usize> = places.into_iter().flatten().collect();
        let mut known = places.clone();
        known.sort_unstable();
        known.dedup();
        if known.len() < 2 {
            return Err(Error::Request(format!(
                "all included patients have one {by}: it cannot be kept whole on two sides"
            )));
        }
        let dense: Vec<usize> = places.iter().map(|place| known.partition_point(|other| other < place)).collect();
        let train = draw_whole(&dense, &event, train_fraction, seed);
        let side = |train| if train { Side::Train } else { Side::Test };
        let members: Vec<(PatientId, Side)> =
            patients.iter().zip(train).map(|(it, train)| (it.id, side(train))).collect();
        let strata = format!("{by}, each kept whole");
        let sizes = both(&members)?;
        self.store.write("split new", |write| write.add_split(Some(seed), Some(train_fraction), &strata, &members))?;
        Ok(sizes)
    }

    /// Who is split, and by what: the response where the study declares one, else the event of its first time.
    fn strata(&self) -> Result<Strata, Error> {
        let first = self.timed_outcomes().first().map(|outcome| outcome.name.clone());
        match first.filter(|_| self.protocol.codebook.outcome().is_none()) {
            None => {
                self.needs_response()?;
                let mut patients = self.store.patients()?;
                patients.retain(|patient| patient.included() && patient.event.is_some());
                let event = patients.iter().map(|patient| patient.event == Some(true)).collect();
                Ok(Strata { patients, event, name: "response".to_owned() })
            }
            // By its name: a blind reader is refused.
            Some(name) => {
                let (known, _) = self.passed(self.timed_outcome(Some(&name))?)?;
                if known.is_empty() {
                    return Err(Error::Request(format!("no included patient has a time of {name}")));
                }
                let event = known.iter().map(|(_, passed)| passed.cause == 1).collect();
                let patients = known.into_iter().map(|(patient, _)| patient).collect();
                Ok(Strata { patients, event, name: format!("the event of {name}") })
            }
        }
    }

    /// Reads a split from a CSV file: a column of patient codes first, then one whose values start with tr or te.
    pub fn import_split(&self, path: &Path, column: &str) -> Result<(usize, usize), Error> {
        let known: BTreeMap<String, PatientId> =
            self.store.patients()?.into_iter().map(|patient| (patient.code, patient.id)).collect();
        let file = |cause: csv::Error| Error::File { path: path.to_owned(), source: std::io::Error::other(cause) };
        let mut reader = csv::Reader::from_path(path).map_err(file)?;
        let names: Vec<String> = reader.headers()?.iter().map(|name| name.trim().to_owned()).collect();
        let at = names.iter().position(|name| name == column);
        let at = at.ok_or_else(|| Error::Field { found: column.to_owned(), valid: names.join(", ") })?;
        let mut members = Vec::new();
        for (line, record) in reader.records().enumerate() {
            let record = record?;
            let cell = |at: usize| record.get(at).unwrap_or("").trim();
            let wrong = |name: &str, found: &str, expected: &str| Error::Cell {
                place: format!("line {}, {name}", line + 2),
                found: found.to_owned(),
                expected: expected.to_owned(),
            };
            let id = known.get(cell(0)).ok_or_else(|| wrong(&names[0], cell(0), "the code of a patient"))?;
            let side = match cell(at).to_lowercase() {
                train if train.starts_with("tr") => Side::Train,
                test if test.starts_with("te") => Side::Test,
                _ => return Err(wrong(column, cell(at), "train or test")),
            };
            if members.iter().any(|(other, _)| other == id) {
                return Err(wrong(&names[0], cell(0), "each patient once"));
            }
            members.push((*id, side));
        }
        let sizes = both(&members)?;
        self.store.write("split import", |write| write.add_split(None, None, "", &members))?;
        Ok(sizes)
    }

    /// Both sets side by side: counts, means, and p of a difference in every variable.
    pub fn split_sheet(&self) -> Result<Sheet, Error> {
        if self.timed_outcomes().is_empty() || self.view == View::Blind {
            self.needs_response()?;
        }
        let split = self.store.split()?.ok_or(Error::NoSplit)?;
        let table = self.cohort()?;
        let Values::Levels { codes: sets, .. } = &table.column("set").map_err(|_| Error::NoSplit)?.values else {
            return Err(Error::NoSplit);
        };
        let shown = |column: &&Column| column.name != "set" && column.name != "event";
        let rows = table
            .columns()
            .iter()
            .filter(shown)
            .flat_map(|column| balance(&self.protocol.codebook, column, sets))
            .collect();
        let [n_train, n_test] = [0, 1].map(|set| sets.iter().filter(|it| **it == Some(set)).count());
        Ok(Sheet {
            title: "Training and test set".to_owned(),
            headings: vec![
                "Variable".to_owned(),
                format!("Training (n = {n_train})"),
                format!("Test (n = {n_test})"),
                "P".to_owned(),
            ],
            rows,
            notes: vec![split_in_words(&split)],
            provenance: self.provenance()?,
        })
    }
}

/// Where a split comes from, and whether it can be replaced.
pub fn split_in_words(split: &Split) -> String {
    let source = split.seed.map_or("imported".to_owned(), |seed| format!("drawn with seed {}", seed.0));
    format!("{source}, {}", if split.locked { "locked" } else { "not locked" })
}

/// Sizes of the training and test set.
///
/// # Errors
/// When one of them has nobody: what is learnt would be tested in no one, or nothing learnt.
fn both(members: &[(PatientId, Side)]) -> Result<(usize, usize), Error> {
    let n_train = members.iter().filter(|(_, side)| *side == Side::Train).count();
    let n_test = members.len() - n_train;
    if n_train == 0 || n_test == 0 {
        return Err(Error::Request(format!(
            "{n_train} training and {n_test} test patients: either set needs one at least; another share, or another file"
        )));
    }
    Ok((n_train, n_test))
}

fn balance(book: &Codebook, column: &Column, sets: &[Option<usize>]) -> Vec<Vec<Cell>> {
    let printed = book.described().into_iter().find(|variable| variable.name == column.name);
    let label = printed.map_or_else(|| column.name.clone(), |variable| variable.in_tables());
    let heading = Cell::Text(label.clone());
    match &column.values {
        Values::Numbers(values) => {
            let of = |set: usize| -> Vec<f64> {
                values.iter().zip(sets).filter(|(_, s)| **s == Some(set)).filter_map(|(v, _)| *v).collect()
            };
            let (train, test) = (of(0), of(1));
            let summary = |values: &[f64]| match (
                osteon_stats::stats::describe::mean(values),
                osteon_stats::stats::describe::sd(values),
            ) {
                (Some(mean), Some(sd)) => Cell::MeanSd { mean, sd, digits: 2 },
                (mean, _) => Cell::number(mean, 2),
            };
            let found = continuous(&train, &test, &Params::default());
            let p = found.chosen.map(|chosen| chosen.p);
            vec![vec![heading, summary(&train), summary(&test), Cell::p(p)]]
        }
        Values::Levels { levels, codes } => {
            let count = |set: usize, level: usize| {
                codes.iter().zip(sets).filter(|(code, s)| **code == Some(level) && **s == Some(set)).count()
            };
            let counts: Vec<Vec<usize>> =
                (0..levels.len()).map(|level| vec![count(0, level), count(1, level)]).collect();
            let of = |set: usize| counts.iter().map(|row| row[set]).sum();
            let found = categorical(&counts, &Params::default());
            let p = found.chosen.map(|chosen| chosen.p);
            let mut rows = vec![vec![heading, Cell::Empty, Cell::Empty, Cell::p(p)]];
            rows.extend(levels.iter().enumerate().map(|(at, level)| {
                let cell = |set: usize| Cell::CountPercent { n: counts[at][set], of: of(set) };
                let level = printed.map_or(level.as_str(), |variable| variable.level_in_tables(level)).to_owned();
                vec![Cell::Level { of: label.clone(), level }, cell(0), cell(1), Cell::Empty]
            }));
            rows
        }
    }
}
