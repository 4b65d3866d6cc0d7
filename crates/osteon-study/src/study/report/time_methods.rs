//! What was done for times to event, in words: from the stored run, never from what the protocol would allow.

use crate::pipeline::recipe::{CLINICAL, COMBINED};
use crate::pipeline::timed::hazard::Hazard;
use crate::pipeline::timed::learn::FOREST;
use crate::pipeline::timed::recipe::{Learnt, Stored};
use crate::protocol::Protocol;
use crate::protocol::codebook::time::Clock;
use crate::protocol::learn::RadScore;
use crate::study::learn::timed::{Prognosis, of};
use crate::study::report::told::Paragraph;
use crate::study::{Error, Study, View};
use osteon_stats::select::lasso::Rule;

impl Study {
    /// Three paragraphs for each time to event with models: what it is, how they were learnt, how they were judged. None for
    /// a blind reader.
    pub(in crate::study) fn times_in_words(&self) -> Result<Vec<Paragraph>, Error> {
        let mut told = Vec::new();
        if self.view == View::Blind {
            return Ok(told);
        }
        for outcome in self.timed_outcomes() {
            let found = match self.prognosis(Some(&outcome.name)) {
                Ok(found) => found,
                Err(Error::NoResult { .. } | Error::NoSplit) => continue,
                Err(other) => return Err(other),
            };
            let protocol = Protocol::stored(&self.store.protocol_document(&found.run.protocol_hash)?)?;
            let name = &outcome.name;
            told.push((format!("Time to event {name}"), definition(&found)));
            told.push((format!("Models of {name}"), self.learning_in_words(&found, &protocol)));
            told.push((format!("Evaluation of the models of {name}"), evaluation(&found, &protocol)));
        }
        Ok(told)
    }

    fn learning_in_words(&self, found: &Prognosis, protocol: &Protocol) -> String {
        let label =
            |name: &String| self.protocol.codebook.named(name).map_or_else(|| name.clone(), |it| it.label.clone());
        let mut text = String::new();
        if let Some(Learnt::Combined { hazard, predictors, region, .. }) = learnt(found, COMBINED) {
            if let Some(Learnt::Region { model, .. }) = learnt(found, region) {
                let lasso = &protocol.select.lasso;
                text.push_str(&format!(
                    "In each region, z-scores of {} varying features were ranked by mRMR on martingale residuals; the {} \
                     top-ranked features of {region} entered LASSO-penalized Cox regression (Breslow's partial likelihood, up \
                     to {} folds, {}), which kept {}{}. Its linear predictor is the Rad-score; {region} gave it, the region {}.",
                    model.n_varying,
                    model.shortlist.len(),
                    lasso.n_folds,
                    match lasso.rule {
                        Rule::Min => "lambda of the smallest cross-validated deviance",
                        Rule::OneSe => "largest lambda within one standard error of the smallest cross-validated deviance",
                    },
                    model.features.len(),
                    if model.fell_back { " (the first of mRMR: LASSO kept none)" } else { "" },
                    match protocol.learn.best_region.as_str() {
                        crate::protocol::learn::BY_AUC => "with the largest Harrell's C of out-of-fold scores",
                        _ => "that the protocol names",
                    }
                ));
            }
            let names: Vec<String> = predictors.iter().map(label).collect();
            text.push_str(&format!(" Clinical predictors: {}.", names.join(", ")));
            if let Some(Learnt::Clinical { hazard, .. }) = learnt(found, CLINICAL) {
                text.push_str(&fit_in_words(CLINICAL, hazard));
            }
            text.push_str(&fit_in_words(COMBINED, hazard));
            let learnt_from = match protocol.learn.rad_score {
                RadScore::InSample => "in-sample",
                RadScore::OutOfFold | RadScore::Lasso => "out-of-fold",
            };
            text.push_str(&format!(" It learnt from {learnt_from} Rad-scores."));
        }
        let forest = found.models.iter().find(|(name, ..)| name == FOREST);
        text.extend(
            forest.iter().flat_map(|(_, stored, _)| stored.notes.iter().map(|note| format!(" Beside it: {note}."))),
        );
        text.trim_start().to_owned()
    }
}

fn learnt<'a>(found: &'a Prognosis, name: &str) -> Option<&'a Learnt> {
    found.models.iter().find(|(own, ..)| own == name).map(|(_, stored, _)| &stored.learnt)
}

fn definition(found: &Prognosis) -> String {
    let time = of(&found.outcome);
    let begins = match (&time.landmark, &time.clock) {
        (Some(landmark), _) => {
            format!("time begins at {landmark} (landmark; patients whose time had ended are left out)")
        }
        (None, Clock::Dates { origin, .. }) => format!("time begins at {origin}"),
        (None, Clock::Duration(name)) => format!("time is {name}"),
    };
    let mut text =
        format!("{} ({}) over {}; {begins}.", found.outcome.event_label, found.outcome.event, time.unit.name());
    if !time.competing.is_empty() {
        let names: Vec<&str> = time.competing.iter().map(|(name, _)| name.as_str()).collect();
        text.push_str(&format!(
            " Competing events ({}) were censored in models: their hazards are cause-specific.",
            names.join(", ")
        ));
    }
    if let Some(end) = time.censor_after {
        text.push_str(&format!(" Follow-up ended at {end} {} for everybody.", time.unit.name()));
    }
    let stored = found.models.first().map(|(_, stored, _)| stored);
    text.extend(stored.iter().flat_map(|stored| stored.left_out.iter().map(|note| format!(" {note}."))));
    text
}

fn fit_in_words(name: &str, hazard: &Hazard) -> String {
    let firth = hazard.notes.iter().any(|note| note.contains("Firth"));
    let how = if firth { "Firth's penalized likelihood, as the likelihood is monotone" } else { "partial likelihood" };
    let mut text = format!(
        " The {name} Cox model was fitted by {how} (Efron's ties) to {} training patients, {} with the event",
        hazard.n, hazard.n_events
    );
    text.extend(hazard.left_out().map(|who| format!(" ({who})")));
    text.push('.');
    let missing = hazard.notes.iter().filter(|note| note.contains("missing value"));
    text.extend(missing.map(|note| format!(" {name} model: {note}.")));
    text
}

fn evaluation(found: &Prognosis, protocol: &Protocol) -> String {
    let Some((_, stored, _)) = found.models.first() else { return String::new() };
    let Stored { horizons, unit, validation, .. } = stored;
    let times: Vec<String> = horizons.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "Survival is stated at {} {unit}. Discrimination: Harrell's and Uno's C, and the area under the time-dependent ROC \
         curve; accuracy: Brier score and its integral, both with inverse probability of censoring weights; calibration: \
         observed over expected events, calibration slope, and Kaplan-Meier estimates in groups of predicted survival; \
         clinical use: decision curves. Risk groups: above the median risk of the training patients, low risk below.",
        times.join(", ")
    );
    if validation.samples > 0 {
        text.push_str(&format!(
            " For Harrell's optimism the entire modelling pipeline was refitted in {} bootstrap samples, {} of which could \
             be learnt from.",
            validation.samples, validation.used
        ));
    }
    if !validation.nested.is_empty() {
        text.push_str(&format!(
            " Nested cross-validation with up to {} folds was repeated {} times.",
            protocol.learn.n_folds,
            validation.nested.len()
        ));
    }
    text
}
