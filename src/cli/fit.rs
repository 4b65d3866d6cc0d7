//! `osteon fit`: selection, forests, clinical, radiomics and combined models.

use crate::cli::watch::watched;
use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::{Error, FitReport, TimedReport};

/// Learn every model from the training set, validate it, predict all patients
///
/// With --outcome the models are those of a time to event: Rad-scores by the LASSO of proportional hazards, Cox models and a
/// survival forest, refitted in every resample, and stored as a run of their own; osteon table survival shows them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An outcome of kind time that the study declares
    #[arg(long, value_name = "NAME")]
    outcome: Option<String>,
    /// Hold out each level of a variable (a centre) once and learn everything from the others; osteon table centres shows
    /// how the models do there
    #[arg(long, value_name = "VARIABLE", conflicts_with = "outcome")]
    leave_out: Option<String>,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::write(globals)?;
    if let Some(outcome) = &args.outcome {
        let report = watched(globals, |job| study.fit_time(Some(outcome), job))?;
        return Ok(tell_time(&report, globals));
    }
    if let Some(by) = &args.leave_out {
        let report = watched(globals, |job| study.fit_centres(by, job))?;
        report.notes.iter().for_each(|note| output::say(globals, note));
        output::say(globals, &format!("{} held out once each, {} predicted", report.centres.join(", "), report.n));
        return Ok(Outcome::Done);
    }
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

fn tell_time(report: &TimedReport, globals: &Globals) -> Outcome {
    let TimedReport { outcome, n_train, n_test, n_left_out, best_region, predictors, regions, notes } = report;
    output::say(
        globals,
        &format!("{outcome}: learnt from {n_train} patients, {n_test} in test, {n_left_out} left out"),
    );
    for (region, found) in regions {
        match found {
            Ok(n) => output::say(globals, &format!("{region}: {n} features")),
            Err(trouble) => output::warn(&format!("{region}: {trouble}")),
        }
    }
    output::say(globals, &format!("radiomics: {best_region}; clinical: {}", predictors.join(", ")));
    notes.iter().for_each(|note| output::say(globals, note));
    if regions.iter().any(|(_, found)| found.is_err()) { Outcome::SomeFailed } else { Outcome::Done }
}
