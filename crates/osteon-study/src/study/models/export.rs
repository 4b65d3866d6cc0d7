//! A fit as a model file, and a model file as a card and a list of checks.

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::build::{self, Learning};
use crate::model::check::{self, Checked};
use crate::model::file::{ModelFile, Origin, Performance};
use crate::model::read::Model;
use crate::pipeline::recipe::{Learnt, RADIOMICS, Stored, Training};
use crate::protocol::Protocol;
use crate::protocol::learn::{Learner, RadScore};
use crate::report::performance::Scored;
use crate::store::{Model as StoredModel, PatientId, Prediction, Run, RunId, Side};
use crate::study::data::input;
use crate::study::learn::performance::{recipe, scored};
use crate::study::learn::prediction::rad_score_of;
use crate::study::{Error, Study};
use osteon_stats::evaluate::calibration::{brier, calibration};
use osteon_stats::evaluate::roc;

impl Study {
    /// The models of a fit as a file that travels; of the newest fit where no run is named.
    ///
    /// # Errors
    /// When there is no such fit, or the data are no longer those that it learnt from: what a file says of the training
    /// patients must be of them.
    pub fn export_model(&self, run: Option<i64>) -> Result<ModelFile, Error> {
        self.needs_response()?;
        let run = self.fit_of(run)?;
        let protocol = Protocol::stored(&self.store.protocol_document(&run.protocol_hash)?)?;
        if protocol.hash() != self.protocol.hash() {
            return Study { protocol, ..self.reopen()? }.file_of(&run);
        }
        self.file_of(&run)
    }

    fn fit_of(&self, run: Option<i64>) -> Result<Run, Error> {
        let Some(id) = run else { return self.newest_fit()?.ok_or(Error::NoFit) };
        let fits = || -> Result<Vec<String>, Error> {
            let runs = self.store.runs()?.into_iter().filter(|run| run.kind == "fit" && run.finished_at.is_some());
            Ok(runs.map(|run| run.id.0.to_string()).collect())
        };
        let found = self.store.run(RunId(id))?.filter(|run| run.kind == "fit" && run.finished_at.is_some());
        match found {
            Some(run) => Ok(run),
            None => Err(Error::Field { found: format!("run {id} that is a finished fit"), valid: fits()?.join(", ") }),
        }
    }

    /// The file of a run whose protocol is in force in this study.
    fn file_of(&self, run: &Run) -> Result<ModelFile, Error> {
        if self.fit_inputs()? != run.inputs {
            return Err(Error::Request(format!(
                "the data are not those that run {} learnt from: osteon fit learns from the present ones",
                run.id.0
            )));
        }
        let models = self.store.models_of(run.id)?;
        let stored: Vec<Stored> = models.iter().map(recipe).collect::<Result<_, _>>()?;
        let learnt: Vec<Learnt> = stored.iter().map(|it| it.learnt.clone()).collect();
        let patients = self.learning_patients()?;
        let radiomics = models.iter().find(|model| model.name == RADIOMICS).ok_or(Error::NoFit)?;
        let reported = match self.protocol.learn.rad_score {
            RadScore::OutOfFold | RadScore::Lasso => crate::store::Origin::OutOfFold,
            RadScore::InSample => crate::store::Origin::Fitted,
        };
        // What the models behind learnt from: scores of training patients.
        let training = |model: &StoredModel, origin: crate::store::Origin, of: fn(&Prediction) -> f64| {
            let known: BTreeMap<PatientId, f64> =
                model.predictions.iter().filter(|one| one.origin == origin).map(|one| (one.patient, of(one))).collect();
            let mut scores = vec![None; patients.ids.len()];
            patients.train.iter().for_each(|&row| scores[row] = known.get(&patients.ids[row]).copied());
            scores
        };
        let regions = models.iter().zip(&stored).filter(|(_, stored)| stored.region_model().is_some());
        let of_source = |(model, _): (&StoredModel, &Stored)| {
            (model.name.clone(), training(model, crate::store::Origin::OutOfFold, |one| one.probability))
        };
        Ok(build::build(Learning {
            cohort: &patients.cohort,
            train: &patients.train,
            learnt: &learnt,
            protocol: &self.protocol,
            rad_scores: &training(radiomics, reported, rad_score_of),
            source_scores: &regions.map(of_source).collect(),
            origin: Origin {
                fitted_at: run.finished_at.clone().unwrap_or_default(),
                fitted_by: run.program_version.clone(),
                protocol_sha256: run.protocol_hash.clone(),
                inputs: run.inputs.clone(),
                trail_head: run.trail_head.clone(),
                seed: run.seed.0.to_string(),
            },
            performance: self.performance_of(&models, &stored, &patients.split)?,
        })?)
    }

    fn performance_of(
        &self,
        models: &[StoredModel],
        stored: &[Stored],
        split: &crate::store::Split,
    ) -> Result<Vec<Performance>, Error> {
        let events = self.events()?;
        let sides: BTreeMap<PatientId, Side> = split.members.iter().copied().collect();
        let mut rows = Vec::new();
        for (side, set) in [(Side::Train, "training"), (Side::Test, "test")] {
            // Learners beside the forest stay with the study: the file has no place for them.
            let all = models.iter().zip(stored).filter(|(model, _)| Learner::of(&model.name).is_none());
            for (model, stored) in all {
                let row = scored(model, set, side, &events, &sides)?;
                let held = side == Side::Train && stored.training == Training::OutOfFold;
                rows.push(performance(&row, if held { "out of fold" } else { "fitted" }));
            }
        }
        Ok(rows)
    }
}

/// What a file keeps of the scores of a model in a set.
pub(in crate::study) fn performance(row: &Scored, probabilities: &str) -> Performance {
    let auc = roc::auc(&row.score, &row.event);
    let interval = auc.as_ref().map(|auc| auc.interval().0);
    let calibrated = calibration(&row.event, &row.score);
    Performance {
        model: row.model.clone(),
        set: row.set.clone(),
        probabilities: probabilities.to_owned(),
        n: row.event.len(),
        n_events: row.event.iter().filter(|&&event| event).count(),
        auc: auc.map(|auc| auc.auc),
        auc_low: interval.map(|it| it[0]),
        auc_high: interval.map(|it| it[1]),
        brier: brier(&row.event, &row.score),
        calibration_intercept: calibrated.as_ref().and_then(|it| it.in_the_large).map(|(intercept, _)| intercept),
        calibration_slope: calibrated.and_then(|it| it.recalibration).map(|it| it.slope),
        apparent_auc: row.corrected.in_sample,
        corrected_auc: row.corrected.optimism,
    }
}

/// Reads a model file.
///
/// # Errors
/// When it is none, was changed, or is of another version; the file is named.
pub fn read_model(path: &Path) -> Result<Model, Error> {
    Model::read(&input::text(path)?).map_err(|source| Error::Model { path: path.to_owned(), source })
}

/// Everything that a model file must hold together in, each with what was found wrong.
pub fn check_model(path: &Path) -> Result<Vec<Checked>, Error> {
    Ok(check::check(&input::text(path)?))
}
