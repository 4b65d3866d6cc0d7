//! `osteon survival FILE --time T --event EXPR --terms A,B`.

use std::path::PathBuf;

use crate::cli::cells::Cells;
use crate::cli::logistic::reference;
use crate::cli::names::names;
use crate::cli::{Format, Globals, Outcome, output};
use osteon_stats::survival::cox::{Method, Params, Ties};
use osteon_stats::table::event::Event;
use osteon_stats::table::read::Options;
use osteon_study::study::{self, Error, HazardRequest};

/// Fit a Cox regression to any CSV file
///
/// Rows with a hole in one of the columns are left out. Estimates are those of R's coxph; proportional hazards are
/// tested by scaled Schoenfeld residuals over Kaplan-Meier time, as cox.zph does. Indicators are named by column and
/// level; the reference is the first level by name unless given. A term whose likelihood rises for ever is named.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A CSV file with a heading
    file: PathBuf,
    /// The column that holds how long a row was followed
    #[arg(long, value_name = "COLUMN")]
    time: String,
    /// COLUMN=VALUE, COLUMN!=VALUE, COLUMN<NUMBER, <=, > or >=; rows without it are censored at their time
    #[arg(long, value_name = "EXPR")]
    event: String,
    /// The variables of the model, a name with a comma in quotes: '"a,b",c'
    #[arg(long, required = true, value_name = "COLUMN,...")]
    terms: Vec<String>,
    /// The column that holds when a row came under observation: left truncation, or one of several intervals
    #[arg(long, value_name = "COLUMN")]
    entry: Option<String>,
    /// What is done with events at one time
    #[arg(long, value_name = "WAY", default_value = "efron")]
    ties: Way,
    /// Firth's penalised likelihood, finite also where the likelihood is monotone
    #[arg(long)]
    firth: bool,
    /// Robust variance, rows of one value of the column (centre, patient) taken together
    #[arg(long, value_name = "COLUMN")]
    robust: Option<String>,
    /// A baseline hazard for each value of the column
    #[arg(long, value_name = "COLUMN")]
    strata: Option<String>,
    /// The level that others are compared with
    #[arg(long, value_name = "COLUMN=LEVEL")]
    reference: Vec<String>,
    /// Columns of numbers that are codes
    #[arg(long, value_name = "COLUMN,...")]
    categorical: Vec<String>,
    #[command(flatten)]
    cells: Cells,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Way {
    /// Efron's approximation
    Efron,
    /// Breslow's approximation
    Breslow,
    /// The conditional likelihood of all orders, for few distinct times
    Exact,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let event: Event = args.event.parse()?;
    let terms = names(&args.terms);
    let references = args.reference.iter().map(|text| reference(text, &terms)).collect::<Result<Vec<_>, _>>()?;
    let mut used = vec![event.column.clone(), args.time.clone()];
    used.extend(terms.iter().chain(&args.entry).chain(&args.robust).chain(&args.strata).cloned());
    let numeric = std::iter::once(&args.time).chain(&args.entry).cloned().collect();
    let options = Options { numeric, ..args.cells.options(&args.categorical, Some(used)) };
    let read = study::read_table(&args.file, &options)?;
    let request = HazardRequest {
        time: args.time.clone(),
        entry: args.entry.clone(),
        event: event.clone(),
        terms,
        references,
        strata: args.strata.clone(),
        cluster: args.robust.clone(),
        params: Params {
            ties: match args.ties {
                Way::Efron => Ties::Efron,
                Way::Breslow => Ties::Breslow,
                Way::Exact => Ties::Exact,
            },
            method: if args.firth { Method::Firth } else { Method::PartialLikelihood },
        },
    };
    let (hazards, notes) = study::hazards(&read, &request)?;
    if globals.format == Format::Json {
        let mut json = hazards.json();
        json["notes"] = notes.into();
        output::print_json(&json)?;
        return Ok(Outcome::Done);
    }
    let mut sheet = hazards.sheet(format!("Cox regression of {event} by {}", args.time));
    sheet.notes.extend(notes);
    output::print_sheet(&sheet, globals.format)?;
    Ok(Outcome::Done)
}
