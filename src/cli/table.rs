//! `osteon table N`.

use std::path::PathBuf;

use crate::cli::describe::Correction;
use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::protocol::Preset;
use osteon_study::report::differences::Asked;
use osteon_study::report::sheet::Sheet;
use osteon_study::study::{ClinicalTable, Error, ModelTable, Study};

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
    /// Choose the tests of Tables 1, 2 and 4 by this preset instead of the study's protocol: published or recommended
    #[arg(long, value_name = "PRESET")]
    preset: Option<String>,
    /// Tables 1 and 2 with adjusted P values: holm, or bh for q values
    #[arg(long, value_name = "holm|bh", conflicts_with = "against")]
    adjust: Option<Correction>,
    /// Tables 1 and 2 with differences, their 95 % intervals, and standardised differences
    #[arg(long, conflicts_with = "against")]
    differences: bool,
    /// Which values are missing among the variables of Tables 1 and 2, each and together, below the table
    #[arg(long, conflicts_with = "against")]
    missing_values: bool,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::read(globals)?;
    let sheet = match args.number.as_str() {
        "1" => clinical(&study, ClinicalTable::One, args)?,
        "2" => clinical(&study, ClinicalTable::Two, args)?,
        "3" => models(&study, ModelTable::Three, args)?,
        "4" => clinical(&study, ClinicalTable::Four, args)?,
        _ => models(&study, ModelTable::Five, args)?,
    };
    if args.missing_values {
        let sheets = [vec![sheet], study.missing_values()?].concat();
        output::print_sheets(&sheets, globals.format)?;
    } else {
        output::print_sheet(&sheet, globals.format)?;
    }
    Ok(Outcome::Done)
}

fn clinical(study: &Study, table: ClinicalTable, args: &Args) -> Result<Sheet, Error> {
    let protocol = match &args.preset {
        None => study.protocol.clone(),
        Some(name) => study.protocol.clone().with_statistics_of(name.parse::<Preset>()?),
    };
    match &args.against {
        None => Ok(study.clinical_table_as(table, &protocol, asked(args))?.0),
        Some(path) => study.clinical_beside(table, &protocol, path),
    }
}

fn asked(args: &Args) -> Asked {
    Asked { adjust: args.adjust.map(Into::into), differences: args.differences }
}

fn models(study: &Study, table: ModelTable, args: &Args) -> Result<Sheet, Error> {
    if args.preset.is_some() {
        let number = table.number();
        return Err(Error::Request(format!(
            "--preset chooses the tests of Tables 1, 2 and 4; Table {number} has none: its models are those of the newest fit"
        )));
    }
    if !asked(args).nothing() {
        let number = table.number();
        return Err(Error::Request(format!(
            "--adjust and --differences are for Tables 1 and 2; Table {number} compares no groups of patients"
        )));
    }
    match &args.against {
        None => study.model_table(table),
        Some(path) => study.models_beside(table, path),
    }
}
