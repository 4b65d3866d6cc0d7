//! The patients of this study under a model that they were not learnt for: who they are, and what the model says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::model::ModelError;
use crate::model::apply::{Raw, probability, rad_value};
use crate::model::batch::BATCH;
use crate::model::file::{ModelFile, Slot, Source};
use crate::model::given::plain;
use crate::model::read::Model;
use crate::model::terms::{self, parts};
use crate::pipeline::learn::RAD_SCORE;
use crate::pipeline::recipe::{CLINICAL, COMBINED, RADIOMICS};
use crate::protocol::codebook::variable::Variable;
use crate::store::{Patient, PatientId, Side};
use crate::study::data::input;
use crate::study::jobs::extract::{Task, measure};
use crate::study::{Error, Study};
use osteon_base::cells;
use osteon_base::job::Job;
use osteon_base::text::counted;
use osteon_radiomics::describe::catalogue;
use osteon_stats::table::filter::Filter;

/// Who is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// What the cohort is called; `None`: after its rule.
    pub name: Option<String>,
    /// A filter of patients, as everywhere.
    pub filter: Option<String>,
    /// A file whose first column has ids.
    pub ids: Option<PathBuf>,
}

/// Patients with a known outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct External {
    pub name: String,
    /// How they were chosen, in words.
    pub rule: String,
    pub patients: Vec<Patient>,
    pub event: Vec<bool>,
    /// Who was left out, and why.
    pub notes: Vec<String>,
}

/// Probabilities of the patients of a cohort under each model of a file, in the order of Tables 3 and 5.
pub type Scores = Vec<(String, Vec<Option<f64>>)>;

impl Study {
    /// The cohort: included patients with a known outcome who pass the rule and were not learnt from.
    ///
    /// # Errors
    /// When nobody is left, or a listed id is no patient.
    pub(in crate::study) fn external(&self, model: &Model, who: &Who) -> Result<External, Error> {
        self.needs_response()?;
        let mut rules = Vec::new();
        let (table, _) = self.patient_table(None)?;
        let mut codes: BTreeSet<String> = table.rows().iter().cloned().collect();
        if let Some(text) = &who.filter {
            let filter = Filter::parse(text, &table).map_err(|source| Error::Filter { text: text.clone(), source })?;
            codes = filter.rows(&table).into_iter().map(|row| table.rows()[row].clone()).collect();
            rules.push(text.clone());
        }
        if let Some(path) = &who.ids {
            let listed = listed(path)?;
            if let Some(foreign) = listed.iter().find(|code| !table.rows().contains(code)) {
                self.store.patient(foreign)?;
            }
            codes.retain(|code| listed.contains(code));
            rules.push(format!("{} listed", counted(listed.len(), "id")));
        }
        let mut notes = Vec::new();
        let learnt = self.learnt_from(model)?;
        let (mut patients, mut event) = (Vec::new(), Vec::new());
        let (mut excluded, mut unknown, mut training) = (0, 0, 0);
        for patient in self.store.patients()?.into_iter().filter(|it| codes.contains(&it.code)) {
            match (patient.included(), learnt.contains(&patient.id), patient.event) {
                (false, ..) => excluded += 1,
                (_, true, _) => training += 1,
                (.., None) => unknown += 1,
                (.., Some(own)) => {
                    event.push(own);
                    patients.push(patient);
                }
            }
        }
        let left = |n: usize, why: &str| (n > 0).then(|| format!("{} left out: {why}", counted(n, "patient")));
        notes.extend(left(excluded, "excluded from the study"));
        notes.extend(left(training, "the model learnt from them"));
        notes.extend(left(unknown, "outcome unknown"));
        if patients.is_empty() {
            let rule = if rules.is_empty() { "this study".to_owned() } else { rules.join(", ") };
            return Err(Error::Request(format!("no patient to validate on ({rule}); {}", notes.join("; "))));
        }
        let rule = if rules.is_empty() { "all included patients".to_owned() } else { rules.join("; ") };
        let name = who.name.clone().or_else(|| who.filter.clone()).unwrap_or_else(|| {
            if training > 0 { "patients the model did not learn from" } else { "external cohort" }.to_owned()
        });
        if ["training", "test", "train"].contains(&name.as_str()) {
            return Err(Error::Request(format!(
                "a cohort called {name} would be taken for the study's own set: give --cohort another name"
            )));
        }
        Ok(External { name, rule, patients, event, notes })
    }

    /// The training patients of the model's own fit, where it was made in this study.
    fn learnt_from(&self, model: &Model) -> Result<BTreeSet<PatientId>, Error> {
        let origin = &model.file.origin;
        let is_own = |run: &&crate::store::Run| run.kind == "fit" && run.inputs == origin.inputs;
        let runs = self.store.runs()?;
        let Some(_) = runs.iter().find(is_own) else { return Ok(BTreeSet::new()) };
        let split = self.store.split()?;
        let members = split.map(|split| split.members).unwrap_or_default();
        Ok(members.into_iter().filter(|(_, side)| *side == Side::Train).map(|(id, _)| id).collect())
    }

    /// What the model says of the patients. Features of this study are taken where they were measured as the model
    /// measures; else the linked images are measured now, one step of the job a patient.
    ///
    /// # Errors
    /// When the study predicts something else, or lacks a slot or variable, or has one in another unit.
    pub(in crate::study) fn scores_under(
        &self,
        model: &Model,
        patients: &[Patient],
        job: &Job,
    ) -> Result<(Scores, Vec<String>), Error> {
        self.same_outcome(model)?;
        let variables = self.same_variables(model)?;
        let (rows, mut notes) = self.rows_under(model, patients, job)?;
        let batches = self.batches_under(model, patients)?;
        notes.extend(known_batches(model, &batches)?);
        let (mut scores, mut values): (Scores, Scores) = (Vec::new(), Vec::new());
        for source in &model.file.sources {
            let of = |at: usize, what: fn(&Source, &[f64]) -> f64| {
                let values = source.features.iter().map(|it| it.value(|name| rows[at].get(name).copied()));
                let values = values.collect::<Option<Vec<f64>>>()?;
                // Who is of no known batch has no score, which a note says.
                let batch = source.batch(&model.file, &batches[at]).ok()?;
                Some(what(source, &source.harmonised(&values, batch)))
            };
            let all = |what: fn(&Source, &[f64]) -> f64| -> Vec<Option<f64>> {
                (0..patients.len()).map(|at| of(at, what)).collect()
            };
            scores.push((source.name.clone(), all(probability)));
            values.push((source.name.clone(), all(rad_value)));
        }
        let all = |from: &Scores| -> Vec<Option<f64>> {
            let of = |name: &str, at: usize| from.iter().find(|(own, _)| own == name).and_then(|(_, own)| own[at]);
            (0..patients.len()).map(|at| model.rad_score(|name| of(name, at))).collect()
        };
        // They differ where the Rad-score is a linear score.
        let (radiomics, rad_scores) = (all(&scores), all(&values));
        let known: Vec<BTreeMap<String, String>> =
            patients.iter().map(|patient| self.known_of(patient, &variables)).collect();
        let clinical = known.iter().map(|known| model.clinical_probability(known)).collect();
        let combined = known.iter().zip(&rad_scores).map(|(known, score)| {
            let values = model.combined.terms.iter().map(|term| match term.as_str() {
                RAD_SCORE => *score,
                _ => {
                    known.contains_key(parts(term).0).then(|| terms::value(&model.codebook, term, known).ok()).flatten()
                }
            });
            model.combined.score(values)
        });
        let combined = combined.collect();
        scores.push((CLINICAL.to_owned(), clinical));
        scores.push((RADIOMICS.to_owned(), radiomics));
        scores.push((COMBINED.to_owned(), combined));
        Ok((scores, notes))
    }

    fn same_outcome(&self, model: &Model) -> Result<(), Error> {
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        let own = self.protocol.codebook.outcome().map(|outcome| outcome.event.clone()).unwrap_or_default();
        let wanted = &model.file.outcome.event;
        if squeezed(&own) == squeezed(wanted) {
            return Ok(());
        }
        Err(Error::Request(format!(
            "the model predicts {} ({wanted}), the study's outcome is {own}: an [outcome] table in the protocol with event = \
             \"{wanted}\" declares the model's",
            model.file.outcome.event_label
        )))
    }

    /// The study's variable for each clinical input of the model.
    fn same_variables(&self, model: &Model) -> Result<Vec<(String, &Variable)>, Error> {
        let book = &self.protocol.codebook;
        let mut found = Vec::new();
        let names = model.inputs();
        for name in names.iter().map(String::as_str).filter(|name| *name != RAD_SCORE) {
            let Some(theirs) = model.codebook.named(name) else { continue };
            let own = book.keyed(&theirs.key).or_else(|| book.named(name)).ok_or_else(|| ModelError::Value {
                name: name.to_owned(),
                found: "absent from the study's codebook".to_owned(),
                expected: format!("a variable of this name, {}", theirs.expected()),
            })?;
            if plain(&own.unit) != plain(&theirs.unit) {
                let (found, expected) = (own.unit.clone(), theirs.unit.clone());
                return Err(ModelError::Unit { name: name.to_owned(), found, expected }.into());
            }
            if let Some(level) = own.levels().into_iter().find(|level| theirs.read(level).is_err()) {
                let (found, expected) = (format!("level {level}"), theirs.expected());
                return Err(ModelError::Value { name: name.to_owned(), found, expected }.into());
            }
            found.push((name.to_owned(), own));
        }
        Ok(found)
    }

    /// A patient's clinical values under the model's names; missing ones are left out.
    fn known_of(&self, patient: &Patient, variables: &[(String, &Variable)]) -> BTreeMap<String, String> {
        let value = |(name, own): &(String, &Variable)| {
            let at = patient.book.place(&own.name)?;
            patient.known(at).map(|_| (name.clone(), patient.text(at)))
        };
        variables.iter().filter_map(value).collect()
    }

    /// What says each patient's batch, under the names that a model takes it by; nothing where it harmonizes nothing.
    ///
    /// # Errors
    /// When the study has no such variable.
    pub(in crate::study) fn batches_under(
        &self,
        model: &Model,
        patients: &[Patient],
    ) -> Result<Vec<BTreeMap<String, String>>, Error> {
        let mut found = vec![BTreeMap::new(); patients.len()];
        let Some(part) = &model.file.combat else { return Ok(found) };
        let ids: Vec<PatientId> = patients.iter().map(|patient| patient.id).collect();
        for source in &model.file.sources {
            let Some(combat) = &source.combat else { continue };
            let slot = |slot: &String| crate::protocol::source::Source {
                name: slot.clone(),
                slot: slot.clone(),
                region: String::new(),
                earlier: None,
            };
            let slots: Vec<_> = combat.slots.iter().map(slot).collect();
            let batches = self.batches(&part.by, &slots, &ids)?;
            for (row, batch) in found.iter_mut().zip(batches.of) {
                row.extend(batch.map(|batch| (format!("{BATCH}.{}", source.name), batch)));
            }
        }
        Ok(found)
    }

    /// A model with the batches of a cohort that it did not know, as a file of its own.
    ///
    /// # Errors
    /// As `validate`, and when there is no such batch or too few of its patients.
    pub fn with_batches(&self, model: &Model, who: &Who, job: &Job) -> Result<ModelFile, Error> {
        let External { patients, event, .. } = self.external(model, who)?;
        let (rows, _) = self.rows_under(model, &patients, job)?;
        Ok(model.with_batches(&rows, &self.batches_under(model, &patients)?, &event)?)
    }

    /// The measured values of each patient that the model's sources are made of.
    fn rows_under(&self, model: &Model, patients: &[Patient], job: &Job) -> Result<(Vec<Raw>, Vec<String>), Error> {
        let mut rows = vec![Raw::new(); patients.len()];
        let mut notes = Vec::new();
        let ids: Vec<PatientId> = patients.iter().map(|patient| patient.id).collect();
        for slot in &model.file.slots {
            if self.protocol.slot(&slot.slot).is_none() {
                let own: Vec<&str> = self.protocol.slots().iter().map(|own| own.slot.as_str()).collect();
                let missing = format!("{} (the study has {})", slot.slot, own.join(", "));
                return Err(ModelError::Slot { wanted: slot.slot.clone(), missing }.into());
            }
            if slot.extraction_sha256 != self.protocol.slot_hash(&slot.slot) {
                notes.push(format!(
                    "{}: the study measures otherwise than the model: its images were measured for the model",
                    slot.slot
                ));
                notes.extend(self.measured_under(model, slot, patients, &mut rows, job)?);
                continue;
            }
            for region in regions_of(model, slot) {
                let (names, values) = self.measured(&slot.slot, region, &self.rater(), &ids)?;
                for (row, values) in rows.iter_mut().zip(values) {
                    add(row, slot, region, &names, values.unwrap_or_default());
                }
            }
        }
        Ok((rows, notes))
    }

    /// Measures the linked images of a slot as the model asks.
    fn measured_under(
        &self,
        model: &Model,
        slot: &Slot,
        patients: &[Patient],
        rows: &mut [Raw],
        job: &Job,
    ) -> Result<Vec<String>, Error> {
        let protocol = model.protocol(slot);
        let names = catalogue(&protocol.measured());
        let stage = job.stage("patients", patients.len());
        let mut notes = Vec::new();
        let lesions = self.lesions()?;
        for (patient, row) in patients.iter().zip(rows) {
            match self.task_of(patient, slot, lesions.get(&patient.id))? {
                None => notes.push(format!("{}: no image and mask in {}", patient.code, slot.slot)),
                Some(task) => {
                    for region in
                        measure(&task, &self.folder(), &protocol, &job.silent())?.into_iter().flat_map(|it| it.regions)
                    {
                        match region.outcome {
                            Ok(values) => add(row, slot, &region.name, &names, values),
                            Err(why) => notes.push(format!("{} {}: {why}", patient.code, region.name)),
                        }
                    }
                }
            }
            stage.step()?;
        }
        Ok(notes)
    }

    /// The image of a slot with the mask that is learnt from in this study.
    fn task_of(&self, patient: &Patient, slot: &Slot, lesion: Option<&String>) -> Result<Option<Task>, Error> {
        let declared = self.protocol.slot(&slot.slot).expect("the slot was looked for");
        let Some(mut task) = self.slot_task(declared, &self.store.images_of(patient.id)?) else { return Ok(None) };
        let rater = self.rater();
        task.drawings.retain(|it| it.rater == rater && lesion.is_none_or(|lesion| it.lesion == *lesion));
        task.drawings.truncate(1);
        let has_mask = !task.drawings.is_empty();
        Ok(has_mask.then(|| Task { id: patient.id, code: patient.code.clone(), slots: vec![task] }))
    }
}

/// What is to be said of patients without a batch; a batch that the model does not know is refused.
fn known_batches(model: &Model, batches: &[BTreeMap<String, String>]) -> Result<Vec<String>, ModelError> {
    let mut without = BTreeSet::new();
    for source in &model.file.sources {
        for (at, known) in batches.iter().enumerate() {
            match source.batch(&model.file, known) {
                Err(ModelError::NoBatch { .. }) => drop(without.insert(at)),
                other => drop(other?),
            }
        }
    }
    let by = model.file.combat.as_ref().map_or("", |part| part.by.as_str());
    let who = counted(without.len(), "patient");
    Ok((!without.is_empty()).then(|| format!("{who} without a known {by}: no Rad-score")).into_iter().collect())
}

/// The regions of a slot that a model's sources are made of.
fn regions_of<'a>(model: &'a Model, slot: &Slot) -> BTreeSet<&'a str> {
    let features = model.file.sources.iter().flat_map(|source| &source.features);
    let here = features.filter(|it| it.slot == slot.slot || it.earlier.as_ref() == Some(&slot.slot));
    here.map(|it| it.region.as_str()).collect()
}

fn add(row: &mut Raw, slot: &Slot, region: &str, names: &[String], values: Vec<Option<f64>>) {
    let known = names.iter().zip(values).filter_map(|(name, value)| Some((name, value?)));
    row.extend(known.map(|(name, value)| (format!("{}.{region}.{name}", slot.slot), value)));
}

/// Ids in the first column of a file; a heading that says so is none.
fn listed(path: &std::path::Path) -> Result<BTreeSet<String>, Error> {
    let grid = cells::read(&input::bytes(path)?, &cells::Params::default())
        .map_err(|cause| Error::from(cause).within(path))?;
    let ids = grid.rows().map(|row| row.text(0).to_owned()).filter(|id| !id.is_empty());
    let is_heading = |id: &String| crate::study::data::manifest::PATIENT.contains(&id.to_lowercase().as_str());
    Ok(ids.filter(|id| !is_heading(id)).collect())
}
