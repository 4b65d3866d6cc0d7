//! A frozen model on patients that it was not learnt from. What was looked at is recorded in the trail, so that a model
//! that was tuned until a validation looked well says so itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::build::{self, variable};
use crate::model::file::{ModelFile, NumberSummary, Parent, TrainingPart, Update};
use crate::model::read::Model;
use crate::pipeline::recipe::{CLINICAL, COMBINED, RADIOMICS, is_of_five};
use crate::report::external::{self, CaseMix};
use crate::report::performance::{Corrected, Cut, Scored};
use crate::report::sheet::Sheet;
use crate::report::uncertainty::How;
use crate::store::{Change, Patient, PatientId};
use crate::study::learn::performance::sheets;
use crate::study::models::cohort::{External, Scores, Who};
use crate::study::models::export::performance;
use crate::study::{Error, ModelTable, Study};
use osteon_base::job::Job;
use osteon_stats::evaluate::calibration::calibration;
use osteon_stats::table::Table;

/// What was looked at, as the trail keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// SHA-256 of the model file.
    pub model: String,
    /// Hash of what its fit read: by this a study knows its own models.
    pub inputs: String,
    pub fitted_at: String,
    pub event: String,
    pub rule: String,
    pub left_out: Vec<String>,
    pub patients: Vec<String>,
    pub scores: Scores,
    /// The patients that the model was learnt from.
    pub training: TrainingPart,
    pub rad_score: NumberSummary,
}

/// A validation that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Validated {
    pub cohort: String,
    /// One score a model, the regions first.
    pub rows: Vec<Scored>,
    pub sheets: Vec<Sheet>,
    pub notes: Vec<String>,
}

/// A named update of a model by a cohort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updating {
    /// Another intercept.
    InTheLarge,
    /// Another intercept and one factor for all coefficients.
    Slope,
}

impl Study {
    /// Validates models on the patients of a rule: the first one is the model in question, the others are compared with
    /// it. Each is recorded in the trail.
    ///
    /// # Errors
    /// When a model does not fit the study (outcome, slots, variables, units), or nobody is left.
    pub fn validate(&self, models: &[Model], who: &Who, job: &Job) -> Result<Validated, Error> {
        let [model, others @ ..] = models else { return Err(Error::Request("no model file is named".to_owned())) };
        let cohort = self.external(model, who)?;
        let mut notes = cohort.notes.clone();
        let (scores, said) = self.scores_under(model, &cohort.patients, job)?;
        notes.extend(said);
        let mut recorded = vec![record(model, &cohort, &scores)];
        let mut rows = scored(&cohort, &scores, "");
        for other in others {
            let (scores, said) = self.scores_under(other, &cohort.patients, job)?;
            notes.extend(said);
            recorded.push(record(other, &cohort, &scores));
            let named = scores.into_iter().filter(|(name, _)| name == COMBINED).collect();
            rows.extend(scored(&cohort, &named, &suffix(&other.file.sha256)));
        }
        self.record(&cohort.name, &recorded)?;
        let mix = self.case_mix(&cohort.name, &cohort.patients, &cohort.event, &recorded[0])?;
        let mut made = external::sheets(&cohort.name, &mix, &models_of_five(&rows), self.protocol.learn.seed);
        made[0].notes.extend(notes.iter().cloned());
        let how = How { seed: self.protocol.learn.seed.named("evaluate"), ..How::default() };
        made.extend(sheets(&rows, 0.5, &Cut::YoudenOfEach, &how)?);
        for sheet in &mut made {
            sheet.provenance = self.provenance()?;
            sheet.provenance.push(format!("model: {}", model.file.sha256));
        }
        Ok(Validated { cohort: cohort.name, rows, sheets: made, notes })
    }

    fn record(&self, cohort: &str, recorded: &[Recorded]) -> Result<(), Error> {
        // The record tells probabilities: it is hidden from a blind reader with what the outcome is made of.
        let book = &self.protocol.codebook;
        let hidden = book.outcome().and_then(|outcome| outcome.reads(book).into_iter().next());
        let key = hidden.and_then(|name| book.named(name)).map_or("outcome", |variable| variable.key.as_str());
        self.store.write("validation of a model that was not learnt from these patients", |write| {
            for one in recorded {
                let field = format!("{key} predicted by model {}", &one.model[..12.min(one.model.len())]);
                let document = serde_json::to_string(one).expect("a record is plain data");
                write.note_validation(cohort, &field, &document)?;
            }
            Ok::<_, Error>(())
        })
    }

    /// The newest validation of each cohort and model, in the order in which they were first made.
    pub(in crate::study) fn recorded(&self) -> Result<Vec<(String, Recorded)>, Error> {
        let mut found: Vec<(String, Recorded)> = Vec::new();
        for row in self.store.validations()? {
            let Ok(one) = serde_json::from_str::<Recorded>(&row.document) else { continue };
            match found.iter_mut().find(|(cohort, known)| *cohort == row.cohort && known.model == one.model) {
                Some((_, known)) => *known = one,
                None => found.push((row.cohort, one)),
            }
        }
        Ok(found)
    }

    /// The rows of Table 3 or 5 that validations add: one a cohort and model. Patients whose outcome is unknown by now
    /// have none.
    pub(in crate::study) fn external_rows(
        &self,
        table: ModelTable,
        events: &BTreeMap<PatientId, bool>,
    ) -> Result<Vec<Scored>, Error> {
        let mut rows = Vec::new();
        let recorded = self.recorded()?;
        if recorded.is_empty() {
            return Ok(rows);
        }
        let own = self.newest_fit()?.map(|run| run.inputs);
        let ids: BTreeMap<String, PatientId> = self.store.patients()?.into_iter().map(|it| (it.code, it.id)).collect();
        for (cohort, one) in recorded {
            let event: Vec<Option<bool>> =
                one.patients.iter().map(|code| events.get(ids.get(code)?).copied()).collect();
            let kept: Vec<usize> = (0..event.len()).filter(|&at| event[at].is_some()).collect();
            let event: Vec<bool> = kept.iter().filter_map(|&at| event[at]).collect();
            let suffix = if own.as_ref() == Some(&one.inputs) { String::new() } else { suffix(&one.model) };
            let is_five = is_of_five;
            for (name, scores) in one.scores.iter().filter(|(name, _)| is_five(name) == (table == ModelTable::Five)) {
                let score: Vec<Option<f64>> = kept.iter().map(|&at| scores.get(at).copied().flatten()).collect();
                rows.push(Scored::new(&format!("{name}{suffix}"), &cohort, &event, &score, Corrected::default()));
            }
        }
        Ok(rows)
    }

    /// The cohort beside the training patients of the model.
    pub(in crate::study) fn case_mix(
        &self,
        cohort: &str,
        patients: &[Patient],
        event: &[bool],
        one: &Recorded,
    ) -> Result<CaseMix, Error> {
        let book = &*self.protocol.codebook;
        let columns = book
            .variables
            .iter()
            .enumerate()
            .filter(|(_, it)| it.is_compared())
            .map(|(at, it)| it.column(patients.iter().map(|patient| patient.entries[at].as_ref())))
            .collect();
        let codes = patients.iter().map(|patient| patient.code.clone()).collect();
        let table = Table::new(codes, columns)?;
        let rows: Vec<usize> = (0..patients.len()).collect();
        let own = table.columns().iter().map(|column| variable(book, column, &rows)).collect();
        let of = |name: &str| {
            let scores =
                one.scores.iter().find(|(own, _)| own == name).map(|(_, scores)| scores.iter().copied().flatten());
            build::summary(&scores.into_iter().flatten().collect::<Vec<_>>())
        };
        Ok(CaseMix {
            cohort: cohort.to_owned(),
            training: one.training.clone(),
            rad_score: [one.rad_score, of(RADIOMICS)],
            n: event.len(),
            n_events: event.iter().filter(|&&event| event).count(),
            own,
            event: one.event.clone(),
        })
    }
}

/// The new value of a change for people: a validation in a line, anything else as it is.
pub(in crate::study) fn shown(change: &Change) -> String {
    let new = change.new.clone().unwrap_or_default();
    if change.table != "validation" {
        return new;
    }
    let Ok(one) = serde_json::from_str::<Recorded>(&new) else { return new };
    let n = osteon_base::text::counted(one.patients.len(), "patient");
    format!("{n} ({}) under model {}; osteon export has their probabilities", one.rule, one.model)
}

fn suffix(model: &str) -> String {
    format!(" (model {})", &model[..8.min(model.len())])
}

fn models_of_five(rows: &[Scored]) -> Vec<Scored> {
    let is = |row: &&Scored| [CLINICAL, RADIOMICS, COMBINED].iter().any(|name| row.model.starts_with(name));
    rows.iter().filter(is).cloned().collect()
}

fn record(model: &Model, cohort: &External, scores: &Scores) -> Recorded {
    Recorded {
        model: model.file.sha256.clone(),
        inputs: model.file.origin.inputs.clone(),
        fitted_at: model.file.origin.fitted_at.clone(),
        event: model.file.outcome.event_label.clone(),
        rule: cohort.rule.clone(),
        left_out: cohort.notes.clone(),
        patients: cohort.patients.iter().map(|patient| patient.code.clone()).collect(),
        scores: scores.clone(),
        training: model.file.training.clone(),
        rad_score: model.file.rad_score.summary,
    }
}

fn scored(cohort: &External, scores: &Scores, suffix: &str) -> Vec<Scored> {
    let row = |(name, score): &(String, Vec<Option<f64>>)| {
        Scored::new(&format!("{name}{suffix}"), &cohort.name, &cohort.event, score, Corrected::default())
    };
    scores.iter().map(row).collect()
}

/// The model with its combined part recalibrated on a cohort, as a file of its own that names its parent.
///
/// # Errors
/// When the cohort's probabilities separate its events, or all are certain: nothing can be estimated then.
pub fn updated(model: &Model, updating: Updating, validated: &Validated) -> Result<ModelFile, Error> {
    let row = validated.rows.iter().find(|row| row.model == COMBINED).ok_or(Error::NoFit)?;
    let nothing = || {
        Error::Request(format!(
            "the model cannot be recalibrated on {}: its probabilities separate the events, or too few patients have one",
            validated.cohort
        ))
    };
    let found = calibration(&row.event, &row.score).ok_or_else(nothing)?;
    let (name, intercept, slope) = match updating {
        Updating::InTheLarge => {
            let (intercept, _) = found.in_the_large.ok_or_else(nothing)?;
            ("recalibration in the large", intercept, 1.0)
        }
        Updating::Slope => {
            let fit = found.recalibration.ok_or_else(nothing)?;
            ("recalibration by slope", fit.intercept, fit.slope)
        }
    };
    let mut file = model.file.clone();
    let n_events = row.event.iter().filter(|&&event| event).count();
    file.parent = Some(Parent {
        sha256: model.file.sha256.clone(),
        update: Update { name: name.to_owned(), intercept, slope, batches: Vec::new() },
        n: row.event.len(),
        n_events,
    });
    file.combined.intercept = intercept + slope * file.combined.intercept;
    file.combined.terms.iter_mut().for_each(|term| term.coefficient *= slope);
    file.combined.covariance.iter_mut().flatten().for_each(|cell| *cell *= slope * slope);
    let logit = |p: f64| (p / (1.0 - p)).ln();
    let after = |p: &f64| Some(1.0 / (1.0 + (-(intercept + slope * logit(*p))).exp()));
    let again: Vec<Option<f64>> = row.score.iter().map(after).collect();
    let set = format!("{} (updated on it: apparent)", row.set);
    file.performance.push(performance(row, "fitted"));
    file.performance
        .push(performance(&Scored::new(COMBINED, &set, &row.event, &again, Corrected::default()), "fitted"));
    Ok(build::finished(file)?)
}
