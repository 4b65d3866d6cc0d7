//! `osteon fit`: selection, forests, clinical, radiomics and combined models.

use crate::cli::watch::watched;
use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::{Error, FitReport};

/// Learn every model from the training set, validate it, predict all patients
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::write(globals)?;
    let report = watched(globals, |job| study.fit(job))?;
    Ok(tell(&report, globals))
}

/// Says what was learnt.
pub fn tell(report: &FitReport, globals: &Globals) -> Outcome {
    let FitReport { n_train, n_test, n_left_out, best_region, clinical_predictors, regions, notes } = report;
    output::say(globals, &format!("learnt from {n_train} patients, {n_test} in test, {n_left_out} left out"));
    for (region, outcome) in regions {
        match outcome {
            Ok(n) => output::say(globals, &format!("{region}: {n} features")),
            Err(trouble) => output::warn(&format!("{region}: {trouble}")),
        }
    }
    output::say(globals, &format!("radiomics: {best_region}; clinical: {}", clinical_predictors.join(", ")));
    notes.iter().for_each(|note| output::say(globals, note));
    if regions.iter().any(|(_, outcome)| outcome.is_err()) { Outcome::SomeFailed } else { Outcome::Done }
}
