//! `osteon patients`, `osteon show`.

use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::Error;

/// List the patients
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Only those that pass, such as "alp > 300 and pf = yes" or "necrosis is missing"
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,
}

/// Show everything about one patient
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// The patient
    id: String,
}

pub fn list(args: &ListArgs, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::read(globals)?;
    let sheet = match &args.filter {
        Some(filter) => study.filtered_patients_sheet(filter)?,
        None => study.patients_sheet()?,
    };
    output::print_sheet(&sheet, globals.format)?;
    Ok(Outcome::Done)
}

pub fn show(args: &ShowArgs, globals: &Globals) -> Result<Outcome, Error> {
    output::print_sheet(&opening::read(globals)?.patient_sheet(&args.id)?, globals.format)?;
    Ok(Outcome::Done)
}
