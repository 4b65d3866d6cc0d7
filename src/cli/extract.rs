//! `osteon extract`: features of all regions into the study.

use crate::cli::watch::watched;
use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::{Error, ExtractReport, ExtractRequest};

/// Measure every region of every patient; what is measured already is skipped
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Patients; all included ones when not given
    ids: Vec<String>,
    /// Measure again what is measured already
    #[arg(long)]
    force: bool,
    /// Do it in a process of its own, which goes on when this terminal is closed
    #[arg(long)]
    background: bool,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::write(globals)?;
    let request = ExtractRequest { codes: args.ids.clone(), force: args.force };
    if args.background {
        let job = study.queue_extraction(&request)?;
        study.start_worker()?;
        output::say(globals, &format!("job {}; osteon jobs shows how far it is", job.0));
        return Ok(Outcome::Done);
    }
    let report = watched(globals, |job| study.extract(&request, job))?;
    Ok(tell(&report, globals))
}

/// Says what was done, each failed patient with its reason.
pub fn tell(report: &ExtractReport, globals: &Globals) -> Outcome {
    let ExtractReport { done, skipped, without_images, failures, predicted, aside } = report;
    if let Some(path) = aside {
        output::warn(&format!("the damaged file in its place was moved to {}", path.display()));
    }
    output::say(globals, &format!("{done} patients measured, {skipped} as they were"));
    if *without_images > 0 {
        output::say(globals, &format!("{without_images} patients have no image and mask"));
    }
    if *predicted > 0 {
        let who = osteon_base::text::counted(*predicted, "patient");
        output::say(globals, &format!("{who} who came after the fit: predicted by its models, not used in learning"));
    }
    for failure in failures {
        let place = if failure.roi.is_empty() { String::new() } else { format!(" {}", failure.roi) };
        output::warn(&format!("{}{place}: {}", failure.code, failure.reason));
    }
    if failures.is_empty() { Outcome::Done } else { Outcome::SomeFailed }
}
