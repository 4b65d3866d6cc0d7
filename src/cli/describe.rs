//! `osteon describe FILE --event EXPR`.

use std::path::PathBuf;

use crate::cli::cells::Cells;
use crate::cli::names::names;
use crate::cli::{Format, Globals, Outcome, output};
use osteon_stats::stats::compare::Params;
use osteon_stats::table::event::Event;
use osteon_study::report::describe;
use osteon_study::study::{self, Error};

/// Compare the variables of any CSV file between rows with and without an event
///
/// Every test is in the JSON; text and the other formats print the one that its rule chooses, and say why. Columns of
/// two values are compared as levels. A column of numbers with a cell that is none is refused at that cell.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A CSV file with a heading
    file: PathBuf,
    /// COLUMN=VALUE, COLUMN!=VALUE, COLUMN<NUMBER, <=, > or >=
    #[arg(long, value_name = "EXPR")]
    event: String,
    /// Columns to describe, a name with a comma in quotes; all others than the event's when not given
    #[arg(long, value_name = "COLUMN,...")]
    variables: Vec<String>,
    /// Columns of numbers that are codes
    #[arg(long, value_name = "COLUMN,...")]
    categorical: Vec<String>,
    /// Columns of two values that are compared as numbers
    #[arg(long, value_name = "COLUMN,...")]
    continuous: Vec<String>,
    #[command(flatten)]
    cells: Cells,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let event: Event = args.event.parse()?;
    let (variables, continuous) = (names(&args.variables), names(&args.continuous));
    let used = std::iter::once(&event.column).chain(&variables).cloned().collect();
    let options = args.cells.options(&args.categorical, (!variables.is_empty()).then_some(used));
    let read = study::read_table(&args.file, &options)?;
    let found = study::describe(read, &event, &variables, &continuous, &Params::default())?;
    if globals.format == Format::Json {
        output::print_json(&describe::json(found.n[0] + found.n[1], &found.variables))?;
        return Ok(Outcome::Done);
    }
    let mut sheet = describe::sheet(format!("{} by {event}", args.file.display()), found.n, &found.variables);
    sheet.notes.extend(found.notes);
    output::print_sheet(&sheet, globals.format)?;
    Ok(Outcome::Done)
}
