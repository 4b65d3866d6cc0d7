//! Patients who came after the fit: its models say something of them too, though nothing was learnt from them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::pipeline::clinical::Logistic;
use crate::pipeline::cohort::Features;
use crate::pipeline::recipe::{Learnt, RADIOMICS, Stored, kind};
use crate::protocol::Protocol;
use crate::store::{Model, NewModel, NewRun, Origin, Patient, PatientId, Prediction, Run, RunId};
use crate::study::learn::explain;
use crate::study::learn::performance::recipe;
use crate::study::learn::prediction::rad_score_of;
use crate::study::{Error, Study};

/// The kind of a run that applied a fit's models to patients who were not in it.
pub(in crate::study) const KIND: &str = "predict";

impl Study {
    /// Predictions of the newest fit for these patients, as far as they were not in it, stored as a run of their own;
    /// how many got one. Nothing is done where there is no fit, or where features are measured in another way than the
    /// fit's were.
    pub(in crate::study) fn predict_later(&self, ids: &[PatientId]) -> Result<usize, Error> {
        let Some(fit) = self.newest_fit()? else { return Ok(0) };
        let then = Protocol::stored(&self.store.protocol_document(&fit.protocol_hash)?)?;
        if then.extraction_hash() != self.protocol.extraction_hash() {
            return Ok(0);
        }
        let models = self.store.models_of(fit.id)?;
        let learnt: BTreeSet<PatientId> =
            models.iter().flat_map(|model| model.predictions.iter().map(|one| one.patient)).collect();
        let is_new = |it: &Patient| it.included() && ids.contains(&it.id) && !learnt.contains(&it.id);
        let patients: Vec<Patient> = self.store.patients()?.into_iter().filter(is_new).collect();
        if patients.is_empty() {
            return Ok(0);
        }
        let made = self.later_models(&fit, &models, &patients)?;
        let with: BTreeSet<PatientId> =
            made.iter().flat_map(|model| model.predictions.iter().map(|one| one.patient)).collect();
        let Some(split) = models.first().map(|model| model.split).filter(|_| !with.is_empty()) else { return Ok(0) };
        let inputs = inputs(fit.id);
        self.store.write(KIND, |write| {
            let run = write.begin_run(&NewRun { kind: KIND, inputs: &inputs, seed: fit.seed })?;
            for model in &made {
                write.put_model(run, split, model)?;
            }
            write.end_run(run)?;
            Ok::<_, Error>(())
        })?;
        Ok(with.len())
    }

    fn later_models(&self, fit: &Run, models: &[Model], patients: &[Patient]) -> Result<Vec<NewModel>, Error> {
        let stored: Vec<Stored> = models.iter().map(recipe).collect::<Result<_, _>>()?;
        let ids: Vec<PatientId> = patients.iter().map(|patient| patient.id).collect();
        let rows: Vec<usize> = (0..ids.len()).collect();
        let mut scores: BTreeMap<&str, Vec<Option<(f64, f64)>>> = BTreeMap::new();
        let mut measured: BTreeMap<String, Features> = BTreeMap::new();
        for region in stored.iter().filter_map(Stored::region_model) {
            let features = self.features_of(region, &ids)?;
            scores.insert(&region.region, region.scores(&features, &rows));
            measured.insert(region.region.clone(), features);
        }
        let is_linear = |region: &str| {
            let models = stored.iter().filter_map(Stored::region_model);
            models.filter(|model| model.region == region).any(|model| model.link.is_some())
        };
        let of_region = |region: &str, at: usize| scores.get(region).and_then(|scores| scores[at]);
        let fusion = stored.iter().find_map(|it| match &it.learnt {
            Learnt::Radiomics { fusion, .. } => fusion.as_deref().cloned(),
            _ => None,
        });
        let rad_score = |region: &str, fusion: Option<&Logistic>, at: usize| match fusion {
            None => of_region(region, at).map(|(p, _)| p),
            Some(fusion) => fusion.score(fusion.terms.iter().map(|name| of_region(name, at).map(|(p, _)| p))),
        };
        let one = |stored: &Stored, at: usize| -> Option<(f64, Option<f64>)> {
            match &stored.learnt {
                Learnt::Learner(model) => {
                    model.scores(measured.get(&model.region)?, &[at])[0].map(|(p, linear)| (p, Some(linear)))
                }
                Learnt::Region(model) => of_region(&model.region, at).map(|(p, linear)| (p, Some(linear))),
                Learnt::NoRegion { .. } => None,
                Learnt::Radiomics { region, fusion } => {
                    let linear = is_linear(region).then(|| of_region(region, at).map(|(_, linear)| linear)).flatten();
                    rad_score(region, fusion.as_deref(), at).map(|p| (p, linear))
                }
                Learnt::Clinical { logistic, .. } => {
                    let none = BTreeMap::new();
                    let values = logistic.terms.iter().map(|term| explain::value(&patients[at], term, &none));
                    logistic.score(values).map(|p| (p, None))
                }
                Learnt::Combined { logistic, region, .. } => {
                    let score = match is_linear(region) {
                        true => of_region(region, at).map(|(_, linear)| linear),
                        false => rad_score(region, fusion.as_ref(), at),
                    };
                    let own = score.map(|score| (patients[at].id, score)).into_iter().collect();
                    let values = logistic.terms.iter().map(|term| explain::value(&patients[at], term, &own));
                    logistic.score(values).map(|p| (p, None))
                }
            }
        };
        let model = |(model, stored): (&Model, &Stored)| {
            let prediction = |at: usize| {
                let (probability, linear) = one(stored, at)?;
                Some(Prediction { patient: ids[at], origin: Origin::Fitted, probability, linear })
            };
            NewModel {
                name: model.name.clone(),
                kind: kind(&model.name),
                recipe: json!({ "fit": fit.id.0 }).to_string(),
                features: Vec::new(),
                predictions: rows.iter().filter_map(|&at| prediction(at)).collect(),
            }
        };
        Ok(models.iter().zip(&stored).map(model).collect())
    }

    /// The newest predictions of a fit for patients who came after it: name and kind of the model, prediction.
    pub(in crate::study) fn later_predictions(&self, fit: RunId) -> Result<Vec<(String, String, Prediction)>, Error> {
        let wanted = inputs(fit);
        let mut found: BTreeMap<(PatientId, String), (String, String, Prediction)> = BTreeMap::new();
        // Newest first: what is there already is newer.
        for run in self.store.runs()?.into_iter().filter(|run| run.kind == KIND && run.inputs == wanted) {
            for model in self.store.models_of(run.id)? {
                for one in model.predictions {
                    let entry = (model.name.clone(), model.kind.clone(), one);
                    found.entry((entry.2.patient, entry.0.clone())).or_insert(entry);
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// The Rad-score of a patient who came after the newest fit.
    pub(in crate::study) fn later_rad_score(&self, patient: PatientId) -> Result<Option<f64>, Error> {
        let Some(fit) = self.store.newest_fit()? else { return Ok(None) };
        let found = self.later_predictions(fit)?.into_iter();
        let own = |(name, _, one): &(String, String, Prediction)| name == RADIOMICS && one.patient == patient;
        Ok(found.filter(own).map(|(_, _, one)| rad_score_of(&one)).next())
    }
}

/// What such a run reads: the models of the fit.
fn inputs(fit: RunId) -> String {
    format!("models of run {}", fit.0)
}
