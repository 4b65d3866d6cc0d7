//! `osteon roc FILE --event EXPR --score A,B`.

use std::path::PathBuf;

use crate::cli::names::some_names;
use crate::cli::{Format, Globals, Outcome, output};
use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_stats::evaluate::bootstrap;
use osteon_stats::table::event::Event;
use osteon_study::study::{self, Error};

/// Area under the curve, cut-offs and comparisons of scores in any CSV file
///
/// A higher score means the event. Rows with a hole in one of the columns are left out.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A CSV file with a heading
    file: PathBuf,
    /// COLUMN=VALUE, COLUMN!=VALUE, COLUMN<NUMBER, <=, > or >=
    #[arg(long, value_name = "EXPR")]
    event: String,
    /// The columns that hold scores, a name with a comma in quotes
    #[arg(long, required = true, value_name = "COLUMN,...")]
    score: Vec<String>,
    /// Of the bootstrap
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Resamples of the bootstrap
    #[arg(long, default_value_t = bootstrap::Params::default().replicates, value_name = "N")]
    replicates: usize,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let event: Event = args.event.parse()?;
    let read = study::read_table(&args.file, &[])?;
    let params = bootstrap::Params { replicates: args.replicates };
    let (found, notes) = study::discriminate(
        &read,
        &event,
        &some_names("--score", &args.score)?,
        &params,
        Seed(args.seed),
        &Job::unwatched(),
    )?;
    if globals.format == Format::Json {
        output::print_json(&found.json())?;
        return Ok(Outcome::Done);
    }
    let mut sheet = found.sheet(format!("ROC analysis of {event}"));
    sheet.notes.extend(notes);
    output::print_sheet(&sheet, globals.format)?;
    Ok(Outcome::Done)
}
