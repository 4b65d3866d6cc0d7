//! `osteon describe FILE --event EXPR`.

use std::path::PathBuf;

use crate::cli::cells::Cells;
use crate::cli::names::{have_a_use, names};
use crate::cli::{Format, Globals, Outcome, output};
use osteon_stats::stats::adjust::Adjustment;
use osteon_stats::stats::compare::Params;
use osteon_stats::table::event::Event;
use osteon_study::report::describe;
use osteon_study::report::differences::{Asked, missing_sheets};
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
    /// A column of adjusted P values: holm, or bh for q values
    #[arg(long, value_name = "holm|bh")]
    adjust: Option<Correction>,
    /// Columns of differences with their 95 % intervals, and standardized differences
    #[arg(long)]
    differences: bool,
    /// Print which values are missing, each and together, instead of comparing
    #[arg(long, conflicts_with_all = ["adjust", "differences"])]
    missing_values: bool,
    #[command(flatten)]
    cells: Cells,
}

/// Of several P values.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Correction {
    Holm,
    Bh,
}

impl From<Correction> for Adjustment {
    fn from(how: Correction) -> Self {
        match how {
            Correction::Holm => Adjustment::Holm,
            Correction::Bh => Adjustment::Bh,
        }
    }
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let event: Event = args.event.parse()?;
    let (variables, continuous) = (names(&args.variables), names(&args.continuous));
    let used: Vec<String> = std::iter::once(&event.column).chain(&variables).cloned().collect();
    if !variables.is_empty() {
        have_a_use("--categorical", &args.categorical, &used)?;
        have_a_use("--continuous", &args.continuous, &variables)?;
    } else if continuous.contains(&event.column) {
        let (place, found) = ("--continuous".to_owned(), event.column.clone());
        return Err(Error::Cell { place, found, expected: "a variable, not the column of the event".to_owned() });
    }
    let options = args.cells.options(&args.categorical, (!variables.is_empty()).then_some(used));
    let read = study::read_table(&args.file, &options)?;
    let found = study::describe(read, &event, &variables, &continuous, &Params::default())?;
    if args.missing_values {
        let mut sheets = missing_sheets(&found.missing, str::to_owned);
        sheets[0].notes.extend(found.notes);
        output::print_sheets(&sheets, globals.format)?;
        return Ok(Outcome::Done);
    }
    if globals.format == Format::Json {
        output::print_json(&describe::json(found.n[0] + found.n[1], &found.variables))?;
        return Ok(Outcome::Done);
    }
    let asked = Asked { adjust: args.adjust.map(Adjustment::from), differences: args.differences };
    let mut sheet = describe::sheet(format!("{} by {event}", args.file.display()), found.n, &found.variables, asked);
    sheet.notes.extend(found.notes);
    output::print_sheet(&sheet, globals.format)?;
    Ok(Outcome::Done)
}
