//! `osteon ibsi`: the IBSI's phantoms, and how far our values lie from its consensus.

use std::path::PathBuf;

use crate::cli::watch::watched;
use crate::cli::{Globals, Outcome, output};
use osteon_study::report::{conformity, filters};
use osteon_study::study::{self, Error};

/// Measure the IBSI's phantoms and hold the values against its consensus
#[derive(Debug, clap::Args)]
#[command(after_help = "The digital phantom is built in. Configurations A to E need the CT phantom: a folder \
                        ibsi_1_ct_radiomics_phantom of the IBSI's data sets, anywhere below DIR. Each configuration is \
                        the preset ibsi with the assignments that crates/osteon-radiomics/DECISIONS.md lists. Phase 2 needs the IBSI's \
                        phantoms and response maps (N-ValidCRM.nii.gz) anywhere below DIR, and for the features of \
                        configurations 1.A to 9.A the CT phantom and reference_values.csv. Exit code 1 when a value or a \
                        voxel lies outside its tolerance.")]
pub struct Args {
    /// Where the IBSI's data sets lie; the digital phantom alone when not given
    dir: Option<PathBuf>,
    /// Another consensus: CSV with the columns setting, feature, aggregation, value, tolerance
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// 1 for features, 2 for convolutional filters
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2), value_name = "N")]
    phase: u8,
    /// Print every value instead of a row a family
    #[arg(long)]
    all: bool,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    if args.phase == 2 {
        return second(args, globals);
    }
    let judged = watched(globals, |job| study::conformity(args.dir.as_deref(), args.reference.as_deref(), job))?;
    let sheet = if args.all { conformity::every(&judged) } else { conformity::summary(&judged) };
    output::print_sheet(&sheet, globals.format)?;
    let beyond = judged.iter().any(|it| it.is_within() == Some(false));
    Ok(if beyond { Outcome::SomeFailed } else { Outcome::Done })
}

fn second(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let wrong = |what: &str| Error::Request(format!("--phase 2 {what}"));
    let folder = args.dir.as_deref().ok_or_else(|| wrong("wants the folder of the phantoms and maps"))?;
    if args.reference.is_some() {
        return Err(wrong("takes its consensus from the folder, not from --reference"));
    }
    let found = watched(globals, |job| study::filter_conformity(folder, |_| true, job))?;
    let mut sheets = Vec::new();
    if !found.maps.is_empty() {
        sheets.push(filters::maps(&found.maps));
    }
    if !found.values.is_empty() {
        sheets.push(if args.all { filters::every(&found.values) } else { filters::summary(&found.values) });
    }
    output::print_sheets(&sheets, globals.format)?;
    let beyond =
        found.maps.iter().any(|map| map.beyond > 0) || found.values.iter().any(|it| it.is_within() == Some(false));
    Ok(if beyond { Outcome::SomeFailed } else { Outcome::Done })
}
