//! `osteon reconcile`: published numbers held against themselves and against recomputed ones.

use std::path::PathBuf;

use crate::cli::{Format, Globals, Outcome, opening, output};
use osteon_reconcile::Severity;
use osteon_study::study::{self, Error, reconcile};

/// Check published tables against themselves, or against recomputed ones
///
/// Every printed number stands for all values that round to it, and every check asks whether some data give all the
/// numbers it sees: percentages, sums, pooled means and SDs, GRIM and GRIMMER, chi-square and Fisher's test, odds
/// ratios from counts, Wald p values, confusion matrices, AUCs and their intervals, DeLong's test, repeated rows.
#[derive(Debug, clap::Args)]
#[command(after_long_help = FORMAT)]
pub struct Args {
    /// Published tables, one cell a line
    #[arg(value_name = "PUBLISHED.csv", required_unless_present = "rows")]
    file: Option<PathBuf>,
    /// Compare with the recomputed cells of this file, of the same columns, instead
    #[arg(long, value_name = "FILE", requires = "file")]
    against: Option<PathBuf>,
    /// Compare with what the study gives for Tables 1 to 5 instead, cell by cell, in units of the last printed digit
    #[arg(long, requires = "file", conflicts_with = "against")]
    study_cells: bool,
    /// Leave out the notes on what the numbers reveal
    #[arg(long)]
    no_notes: bool,
    /// One verdict for each row of this file (columns id, type, payload) instead
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    rows: Option<PathBuf>,
}

const FORMAT: &str = "\
PUBLISHED.csv has the columns table, set, row, column, printed; every cell as it is printed:

  table,set,row,column,printed
  1,all,n,Total,93
  1,all,n,Good,45
  1,all,n,Poor,48
  1,all,Sex: Male,Total,24(25.8)
  1,all,Sex,statistic,0.084
  1,all,Sex,P value,0.771
  1,all,Age,Total,17.13 ± 9.01
  3,training,Model A,AUC (95%CI),0.927(0.871-0.983)
  3,training,Model A,Sensitivity,0.769
  4,all,Sex,univariate OR (95%CI),1.148(0.452-2.914)
  4,all,Sex,univariate P value,0.771
  text,training,DeLong: Model A vs Model B,P value,0.645

Rows named n give the size of each group; a level is written Variable: Level; a test stands in the columns statistic \
and P value. The sets of one table (training, test) are held against another table that has all patients. Known \
scores are Accuracy, Sensitivity, Specificity, Precision, NPV and F1. A cell that was not printed is left out, or is \
a dash. With `--rows`, a row has a type (metrics, count_percent, z_to_p, table_p, odds_ratio, mean_sd_pool) and a \
JSON payload.

Severities: X impossible, ! inconsistent, ? typo, ~ rounding, i note.";

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    if let Some(rows) = &args.rows {
        output::print_sheet(&reconcile::verdict_sheet(&reconcile::rows(rows)?), globals.format)?;
        return Ok(Outcome::Done);
    }
    let file = args.file.as_ref().expect("clap asks for a file without --rows");
    if args.study_cells {
        output::print_sheet(&opening::read(globals)?.beside_published(file)?, globals.format)?;
        return Ok(Outcome::Done);
    }
    let cells = study::reconcile::published(file)?;
    if let Some(recomputed) = &args.against {
        let differences = reconcile::differences(&cells, recomputed)?;
        output::print_sheet(&reconcile::difference_sheet(&differences), globals.format)?;
        return Ok(Outcome::Done);
    }
    let mut findings = reconcile::findings(&cells);
    findings.retain(|finding| !args.no_notes || finding.severity != Severity::Note);
    match globals.format {
        Format::Text => output::print(&reconcile::text(&findings))?,
        format => output::print_sheet(&reconcile::finding_sheet(&findings), format)?,
    }
    Ok(Outcome::Done)
}
