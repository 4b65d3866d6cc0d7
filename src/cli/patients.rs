//! `osteon patients`, `osteon show`.

use crate::cli::{Globals, Outcome, opening, output};
use crate::study::Error;

/// Show everything about one patient
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// The patient
    id: String,
}

pub fn list(globals: &Globals) -> Result<Outcome, Error> {
    output::print_sheet(&opening::read(globals)?.patients_sheet()?, globals.format)?;
    Ok(Outcome::Done)
}

pub fn show(args: &ShowArgs, globals: &Globals) -> Result<Outcome, Error> {
    output::print_sheet(&opening::read(globals)?.patient_sheet(&args.id)?, globals.format)?;
    Ok(Outcome::Done)
}
