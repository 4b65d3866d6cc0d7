//! `osteon predict`: the nomogram as a command.

use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::Error;

/// Points and probability of a patient under the combined model
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A patient of the study
    id: Option<String>,
    /// A value, such as alp=300, pathological_fracture=yes or rad_score=0.4; it replaces the patient's
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::read(globals)?;
    output::print_sheet(&study.predict(args.id.as_deref(), &args.set)?, globals.format)?;
    Ok(Outcome::Done)
}
