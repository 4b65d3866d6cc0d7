//! `osteon logistic FILE --event EXPR --terms A,B`.

use std::path::PathBuf;

use crate::cli::cells::Cells;
use crate::cli::names::names;
use crate::cli::{Format, Globals, Outcome, output};
use osteon_stats::model::logistic::{Method, Params};
use osteon_stats::table::event::Event;
use osteon_study::study::{self, Error};

/// Fit a logistic regression to any CSV file
///
/// Rows with a hole in one of the columns are left out. Indicators are named by column and level; the reference is
/// the first level by name unless given; one that no complete row has is refused.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A CSV file with a heading
    file: PathBuf,
    /// COLUMN=VALUE, COLUMN!=VALUE, COLUMN<NUMBER, <=, > or >=
    #[arg(long, value_name = "EXPR")]
    event: String,
    /// The variables of the model, a name with a comma in quotes: '"a,b",c'
    #[arg(long, required = true, value_name = "COLUMN,...")]
    terms: Vec<String>,
    /// The level that others are compared with
    #[arg(long, value_name = "COLUMN=LEVEL")]
    reference: Vec<String>,
    /// Columns of numbers that are codes
    #[arg(long, value_name = "COLUMN,...")]
    categorical: Vec<String>,
    /// Firth's penalised likelihood, finite also under separation
    #[arg(long)]
    firth: bool,
    #[command(flatten)]
    cells: Cells,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let event: Event = args.event.parse()?;
    let terms = names(&args.terms);
    let references = args.reference.iter().map(|text| reference(text, &terms)).collect::<Result<Vec<_>, _>>()?;
    let method = if args.firth { Method::Firth } else { Method::MaximumLikelihood };
    let used = std::iter::once(&event.column).chain(&terms).cloned().collect();
    let read = study::read_table(&args.file, &args.cells.options(&args.categorical, Some(used)))?;
    let params = Params { method, ..Params::default() };
    let (regression, notes) = study::regress(&read, &event, &terms, &references, &params)?;
    if globals.format == Format::Json {
        output::print_json(&regression.json())?;
        return Ok(Outcome::Done);
    }
    let mut sheet = regression.sheet(format!("Logistic regression of {event}"));
    sheet.notes.extend(notes);
    output::print_sheet(&sheet, globals.format)?;
    Ok(Outcome::Done)
}

/// `COLUMN=LEVEL`, where the column's name may hold the sign too.
pub fn reference(text: &str, terms: &[String]) -> Result<(String, String), Error> {
    let divided: Vec<(&str, &str)> =
        text.match_indices('=').map(|(at, _)| (text[..at].trim(), text[at + 1..].trim())).collect();
    let known = divided.iter().find(|(column, _)| terms.iter().any(|term| term == column));
    let (column, level) = known
        .or(divided.first())
        .ok_or_else(|| Error::Request(format!("--reference {text}: expected COLUMN=LEVEL")))?;
    Ok(((*column).to_owned(), (*level).to_owned()))
}
