//! `osteon evaluate`: all of the evaluation for any scores in a CSV file.

use std::path::PathBuf;

use crate::cli::{Globals, Outcome, output};
use crate::study::{self, Error, EvaluateRequest};

/// Judge scores in a CSV file: ROC, operating points, calibration, tests between scores, net benefit
#[derive(Debug, clap::Args)]
pub struct Args {
    file: PathBuf,
    /// Column and value of the event
    #[arg(long, value_name = "COLUMN=VALUE")]
    event: String,
    /// Columns with scores
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', required = true)]
    score: Vec<String>,
    /// Judge the values of this column apart
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
    /// Scores of at least this count as events
    #[arg(long, default_value_t = 0.5)]
    threshold: f64,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let (column, value) = args.event.split_once('=').ok_or_else(|| Error::Cell {
        place: "--event".to_owned(),
        found: args.event.clone(),
        expected: "COLUMN=VALUE".to_owned(),
    })?;
    let request = EvaluateRequest {
        event: (column.to_owned(), value.to_owned()),
        scores: args.score.clone(),
        by: args.by.clone(),
        threshold: args.threshold,
    };
    for (at, sheet) in study::evaluate(&args.file, &request)?.iter().enumerate() {
        if at > 0 {
            output::print("\n")?;
        }
        output::print_sheet(sheet, globals.format)?;
    }
    Ok(Outcome::Done)
}
