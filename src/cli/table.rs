//! `osteon table N`.

use std::path::PathBuf;

use crate::cli::{Globals, Outcome, opening, output};
use crate::protocol::Preset;
use crate::study::{self, ClinicalTable, Error, ModelTable};

/// Print a table of the study, alone or beside the published one
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 1 the cohort by response; 2 the same in the training and test sets; 3 the regions' forests; 4 logistic regression;
    /// 5 the clinical, radiomics and combined models
    #[arg(value_parser = ["1", "2", "3", "4", "5"])]
    number: String,
    /// Published cells (a CSV file: table,set,row,column,printed) to compare with
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Choose tests by this preset instead of the study's protocol: published or recommended
    #[arg(long, value_name = "PRESET")]
    preset: Option<String>,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let which = match args.number.as_str() {
        "1" => ClinicalTable::One,
        "2" => ClinicalTable::Two,
        _ => ClinicalTable::Four,
    };
    let study = opening::read(globals)?;
    let models = match args.number.as_str() {
        "3" => Some(ModelTable::Three),
        "5" => Some(ModelTable::Five),
        _ => None,
    };
    if let Some(table) = models {
        output::print_sheet(&study.model_table(table)?, globals.format)?;
        return Ok(Outcome::Done);
    }
    let protocol = match &args.preset {
        None => study.protocol.clone(),
        Some(name) => study.protocol.clone().with_statistics_of(name.parse::<Preset>()?),
    };
    let (sheet, entries) = study.clinical_table(which, &protocol)?;
    let sheet = match &args.against {
        None => sheet,
        Some(path) => study::beside_published(which, &entries, path)?,
    };
    output::print_sheet(&sheet, globals.format)?;
    Ok(Outcome::Done)
}
