//! `osteon reconcile`: published numbers held against themselves and against recomputed ones.

use std::path::PathBuf;

use crate::cli::{Format, Globals, Outcome, opening, output};
use osteon_base::text::clean_lines;
use osteon_reconcile::Severity;
use osteon_study::study::{Error, readings, reconcile};

/// Check published tables against themselves, or against recomputed ones
///
/// Tables are read as they are printed: a saved article page (all its tables), JATS XML, a Word document, Markdown, TSV
/// or CSV as pasted from Excel or Word, a workbook. What each column and row was taken for is shown first, then how many
/// cells took part in the checks. Every printed number stands for all values that round to it, and every check asks
/// whether some data give all the numbers it sees: percentages, sums, pooled means and SDs, GRIM and GRIMMER, chi-square
/// and Fisher's test, odds ratios from counts, Wald p values, confusion matrices, AUCs and their intervals, DeLong's
/// test, repeated rows.
#[derive(Debug, clap::Args)]
#[command(after_long_help = FORMAT)]
pub struct Args {
    /// Files with the tables of one paper; - reads standard input
    #[arg(value_name = "FILE", required_unless_present = "rows")]
    files: Vec<PathBuf>,
    /// Show how the tables are understood, and check nothing
    #[arg(long = "read", conflicts_with_all = ["against", "study_cells", "rows"])]
    read_only: bool,
    /// Print the cells as a tidy file, one cell a line, and check nothing
    #[arg(long, conflicts_with_all = ["against", "study_cells", "rows", "read_only"])]
    tidy: bool,
    /// Write how each file was read beside it, as FILE.toml, to be corrected and read again
    #[arg(long, conflicts_with_all = ["against", "study_cells", "rows"])]
    write_reading: bool,
    /// Compare with the recomputed cells of this file instead
    #[arg(long, value_name = "CELLS", requires = "files")]
    against: Option<PathBuf>,
    /// Compare with what the study gives for Tables 1 to 5 instead, cell by cell, in units of the last printed digit
    #[arg(long, requires = "files", conflicts_with = "against")]
    study_cells: bool,
    /// Leave out the notes on what the numbers reveal
    #[arg(long)]
    no_notes: bool,
    /// One verdict for each row of this file (columns id, type, payload) instead
    #[arg(long, value_name = "ROWS", conflicts_with = "files")]
    rows: Option<PathBuf>,
}

const FORMAT: &str = "\
For example:

  osteon reconcile article.html
  osteon reconcile --read table3.docx
  xclip -o | osteon reconcile -

Files given together are tables of one paper; sets are matched by their names. FILE.toml beside a file corrects how it \
is read: role, pair, unit and size of a column, role of a row, rounding of a table; --write-reading writes it with the \
roles that were found. JSON (--format json) has tables, each with file, title, cells, used and roles, and findings, each \
with file, line, column, table, row, heading, kind, severity, printed, implied and why; line and column count from 1, \
column is null where a finding is of a whole row.

A tidy file has the columns table, set, row, column, printed; every cell as it is printed:

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
    if args.study_cells {
        let [file] = &args.files[..] else {
            return Err(Error::OneFile { option: "--study-cells", found: args.files.len() });
        };
        output::print_sheet(&opening::read(globals)?.beside_published(file)?, globals.format)?;
        return Ok(Outcome::Done);
    }
    let readings = readings::readings(&args.files)?;
    if let Some(recomputed) = &args.against {
        let cells: Vec<_> = readings.into_iter().flat_map(|reading| reading.cells).collect();
        let differences = reconcile::differences(&cells, recomputed)?;
        output::print_sheet(&reconcile::difference_sheet(&differences), globals.format)?;
        return Ok(Outcome::Done);
    }
    if args.write_reading {
        for path in readings::write_corrections(&args.files, &readings)? {
            output::say(
                globals,
                &format!("{}: written; change what is wrong and read the tables again", path.display()),
            );
        }
    }
    if args.tidy {
        output::print(&clean_lines(&readings::tidy(&readings)?))?;
        return Ok(Outcome::Done);
    }
    let mut judged = readings::judged(readings);
    if args.read_only {
        output::print(&clean_lines(&judged.reading_text()))?;
        return Ok(Outcome::Done);
    }
    judged.findings.retain(|finding| !args.no_notes || finding.severity != Severity::Note);
    match globals.format {
        Format::Text => output::print(&clean_lines(&(judged.reading_text() + &reconcile::text(&judged.findings))))?,
        Format::Json => output::print_json(&judged.json())?,
        format => output::print_sheet(&reconcile::finding_sheet(&judged.findings), format)?,
    }
    Ok(Outcome::Done)
}
