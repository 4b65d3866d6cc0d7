//! What still singles a patient out of a de-identified export: combinations of what others may know, and small cells.

use std::collections::BTreeMap;

use crate::protocol::codebook::Value;
use crate::protocol::codebook::variable::{Kind, Role, Variable};
use crate::store::Patient;
use crate::study::data::export::{Pen, is_age};
use crate::study::{Error, Study};

/// Groups smaller than this are told: the bound that registries use for tables they publish.
const SMALL: usize = 5;
/// Widths of bands that are tried where groups are small.
const WIDTHS: [f64; 3] = [5.0, 10.0, 20.0];

/// How many patients share their combination of some variables with how many.
struct Groups {
    /// The smallest group: k of k-anonymity.
    least: usize,
    /// Patients who are the only ones with theirs.
    alone: usize,
    /// Patients in groups below `SMALL`.
    small: usize,
}

impl Study {
    /// The variables by which others may know a patient: those named, or else the centre and what is called age, sex or
    /// gender. Errors for a name that the export does not have.
    pub(in crate::study) fn quasi_identifiers(&self, pen: &Pen) -> Result<Vec<(usize, &Variable)>, Error> {
        let exported = || self.variables().filter(|(_, it)| !pen.singles_out(it));
        if pen.options.quasi.is_empty() {
            let is_word = |text: &str| {
                let word = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                ["age", "sex", "gender"].contains(&word.to_lowercase().as_str())
            };
            let is_known =
                |it: &Variable| it.role == Role::Centre || is_word(&it.name) || is_word(&it.label) || is_age(it);
            return Ok(exported().filter(|(_, it)| is_known(it)).collect());
        }
        let find = |name: &String| {
            let names = || exported().map(|(_, it)| it.name.clone()).collect::<Vec<_>>().join(", ");
            let found = exported().find(|(_, it)| it.name == *name);
            found.ok_or_else(|| Error::Request(format!("no variable {name} is exported; expected one of {}", names())))
        };
        pen.options.quasi.iter().map(find).collect()
    }

    /// What a reader of the export could still do to find out who is who, a line each.
    pub(in crate::study) fn singled_out(&self, pen: &Pen) -> Result<Vec<String>, Error> {
        let patients = self.store.patients()?;
        let quasi = self.quasi_identifiers(pen)?;
        let mut told = Vec::new();
        if quasi.is_empty() {
            told.push(
                "combinations: not counted; --quasi names the variables by which others may know a patient".to_owned(),
            );
        } else {
            let names: Vec<&str> = quasi.iter().map(|(_, it)| it.name.as_str()).collect();
            let found = groups(&patients, &quasi, pen);
            told.push(format!(
                "by {} together: k = {}; {} of {} patients are alone with their combination, {} in groups under {SMALL}",
                names.join(", "),
                found.least,
                found.alone,
                patients.len(),
                found.small
            ));
            if found.small > 0 {
                told.extend(offers(&patients, &quasi, pen));
            }
        }
        for (at, variable) in self.variables().filter(|(_, it)| !pen.singles_out(it)) {
            let Kind::Levels { levels, .. } = &variable.kind else { continue };
            let count = |name: &str| {
                patients
                    .iter()
                    .filter(|it| matches!(&it.entries[at], Some(Value::Level(level)) if levels[*level].name == name))
                    .count()
            };
            let small = levels.iter().map(|level| (&level.name, count(&level.name)));
            let small: Vec<String> =
                small.filter(|(_, n)| (1..SMALL).contains(n)).map(|(name, n)| format!("{name} {n}")).collect();
            if !small.is_empty() {
                told.push(format!("{}: levels of fewer than {SMALL} patients: {}", variable.name, small.join(", ")));
            }
        }
        told.extend(self.undone_bands(pen));
        told.push("feature values: a row can be matched to the same images measured elsewhere".to_owned());
        Ok(told)
    }
}

fn groups(patients: &[Patient], quasi: &[(usize, &Variable)], pen: &Pen) -> Groups {
    let mut sizes: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for patient in patients {
        // Dates differ by patient once they are moved: what others know is the year.
        let cell = |(at, variable): &(usize, &Variable)| match &patient.entries[*at] {
            Some(Value::Date(date)) => date.year().to_string(),
            entry => pen.value(variable, entry.as_ref(), &patient.code),
        };
        *sizes.entry(quasi.iter().map(cell).collect()).or_default() += 1;
    }
    let below = |bound: usize| sizes.values().filter(|n| **n < bound).sum();
    Groups { least: sizes.values().copied().min().unwrap_or(0), alone: below(2), small: below(SMALL) }
}

impl Study {
    /// Bands that other columns undo: a computed number beside what its formula reads, or the other way round.
    fn undone_bands(&self, pen: &Pen) -> Vec<String> {
        let reads = |formula: &str, name: &str| {
            formula.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|it| it == name)
        };
        let mut told = Vec::new();
        for (name, _) in &pen.options.bands {
            for (_, computed) in self.variables().filter(|(_, it)| !pen.singles_out(it)) {
                let Some(formula) = computed.formula.as_ref().map(|it| it.text()) else { continue };
                if computed.name == *name || reads(formula, name) {
                    told.push(format!(
                        "bands of {name} can be undone: {} = {formula}, and both sides are exported",
                        computed.name
                    ));
                }
            }
        }
        told
    }
}

/// What bands of a number would change, for every number that has none yet.
fn offers(patients: &[Patient], quasi: &[(usize, &Variable)], pen: &Pen) -> Vec<String> {
    let is_open = |it: &&(usize, &Variable)| {
        matches!(it.1.kind, Kind::Number(_)) && pen.options.bands.iter().all(|(name, _)| *name != it.1.name)
    };
    let mut told = Vec::new();
    for (_, variable) in quasi.iter().filter(is_open) {
        let tried = WIDTHS.map(|width| {
            let found = groups(patients, quasi, &pen.with_band(&variable.name, width));
            format!("--band {}={width}: k = {}, {} in groups under {SMALL}", variable.name, found.least, found.small)
        });
        told.push(format!("bands would give: {}", tried.join("; ")));
    }
    told
}
