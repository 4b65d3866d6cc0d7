//! `osteon evaluate`: all of the evaluation for any scores in a CSV file, or for the study's models.

use std::path::PathBuf;

use crate::cli::cells::Cells;
use crate::cli::names::some_names;
use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::{self, Error, EvaluateRequest, ModelTable};

/// Judge scores in a CSV file or the study's models: ROC, operating points, calibration, tests, net benefit
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scores with events; the models of the study when not given
    #[arg(requires = "event", requires = "score")]
    file: Option<PathBuf>,
    /// COLUMN=VALUE, COLUMN!=VALUE, COLUMN<NUMBER, <=, > or >=
    #[arg(long, value_name = "EXPR", requires = "file")]
    event: Option<String>,
    /// Columns with scores
    #[arg(long, value_name = "COLUMNS", requires = "file")]
    score: Vec<String>,
    /// Judge the values of this column apart
    #[arg(long, value_name = "COLUMN", requires = "file")]
    by: Option<String>,
    /// The set of --by in which Youden's cut-offs are learnt; the one called training when not given, else each its own
    #[arg(long, value_name = "SET", requires = "by")]
    cutoff_set: Option<String>,
    /// Models of the study: those of Table 3 (regions) or of Table 5 (clinical, radiomics, combined)
    #[arg(long, value_name = "N", value_parser = ["3", "5"], default_value = "5", conflicts_with = "file")]
    table: String,
    /// Judge the study's models within groups: a variable with levels, such as sex or a centre, or a filter, such as
    /// 'age < 18'
    #[arg(long, value_name = "VARIABLE|FILTER", conflicts_with_all = ["file", "cutoff_sensitivity"])]
    subgroups: Option<String>,
    /// Repeat Tables 3 and 5 with patients exactly at the outcome's cut-off (90 % necrosis) counted as events
    #[arg(long, conflicts_with = "file")]
    cutoff_sensitivity: bool,
    /// Scores of at least this count as events
    #[arg(long, default_value_t = 0.5)]
    threshold: f64,
    #[command(flatten)]
    cells: Cells,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let sheets = match (&args.file, &args.event) {
        (Some(file), Some(event)) => study::evaluate(file, &request(args, event)?)?,
        _ if args.cutoff_sensitivity => opening::read(globals)?.cutoff_sensitivity()?,
        _ => {
            let table = if args.table == "3" { ModelTable::Three } else { ModelTable::Five };
            let study = opening::read(globals)?;
            match &args.subgroups {
                Some(by) => study.subgroups(table, by)?,
                None => study.evaluation(table, args.threshold)?,
            }
        }
    };
    output::print_sheets(&sheets, globals.format)?;
    Ok(Outcome::Done)
}

fn request(args: &Args, event: &str) -> Result<EvaluateRequest, Error> {
    Ok(EvaluateRequest {
        event: event.parse()?,
        scores: some_names("--score", &args.score)?,
        by: args.by.clone(),
        threshold: args.threshold,
        cutoff_set: args.cutoff_set.clone(),
        cells: args.cells.options(&[], None),
    })
}
