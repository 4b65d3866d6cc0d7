//! `osteon agreement`: features between the mask and the repeat mask.

use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::Error;

/// Intraclass correlation of features between the mask and the repeat mask
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One row a feature, with intervals
    #[arg(long)]
    features: bool,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::read(globals)?;
    output::print_sheet(&study.agreement_sheet(args.features)?, globals.format)?;
    Ok(Outcome::Done)
}
