//! `osteon ibsi`: the IBSI's phantoms, and how far our values lie from its consensus.

use std::path::PathBuf;

use crate::cli::watch::watched;
use crate::cli::{Globals, Outcome, output};
use osteon_study::report::conformity;
use osteon_study::study::{self, Error};

/// Measure the IBSI's phantoms and hold the values against its consensus
#[derive(Debug, clap::Args)]
#[command(after_help = "The digital phantom is built in. Configurations A to E need the CT phantom: a folder \
                        ibsi_1_ct_radiomics_phantom of the IBSI's data sets, anywhere below DIR. Each configuration is \
                        the preset ibsi with the assignments that crates/osteon-radiomics/DECISIONS.md lists. Exit code 1 when a value lies \
                        outside its tolerance.")]
pub struct Args {
    /// Where the IBSI's data sets lie; the digital phantom alone when not given
    dir: Option<PathBuf>,
    /// Another consensus: CSV with the columns setting, feature, aggregation, value, tolerance
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Print every value instead of a row a family
    #[arg(long)]
    all: bool,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let judged = watched(globals, |job| study::conformity(args.dir.as_deref(), args.reference.as_deref(), job))?;
    let sheet = if args.all { conformity::every(&judged) } else { conformity::summary(&judged) };
    output::print_sheet(&sheet, globals.format)?;
    let beyond = judged.iter().any(|it| it.is_within() == Some(false));
    Ok(if beyond { Outcome::SomeFailed } else { Outcome::Done })
}
