//! `osteon roc FILE --event EXPR --score A,B`.

use std::path::PathBuf;

use crate::cli::cells::Cells;
use crate::cli::names::{resamples, some_names};
use crate::cli::{Format, Globals, Outcome, output};
use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_stats::table::event::Event;
use osteon_stats::table::read::Options;
use osteon_study::report::discrimination::{Direction, HowScored};
use osteon_study::study::{self, Error};

/// Area under the curve, cut-offs and comparisons of scores in any CSV file
///
/// Rows with a missing value in one of the columns are left out. The interval of an area of 0 or 1 is Newcombe's.
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
    /// Whether high or low scores mean the event
    #[arg(long, default_value = "high", value_name = "high|low")]
    direction: Way,
    /// Of the bootstrap
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Resamples of the bootstrap; 2000 on up to 20,000 rows and none on more when not given
    #[arg(long, value_name = "N")]
    replicates: Option<usize>,
    #[command(flatten)]
    cells: Cells,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Way {
    High,
    Low,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let event: Event = args.event.parse()?;
    let scores = some_names("--score", &args.score)?;
    let used = std::iter::once(&event.column).chain(&scores).cloned().collect();
    let options = Options { numeric: scores.clone(), ..args.cells.options(&[], Some(used)) };
    let read = study::read_table(&args.file, &options)?;
    let how = HowScored {
        direction: match args.direction {
            Way::High => Direction::High,
            Way::Low => Direction::Low,
        },
        replicates: args.replicates.map(resamples).transpose()?,
        seed: Seed(args.seed),
    };
    let (found, notes) = study::discriminate(&read, &event, &scores, &how, &Job::unwatched())?;
    if globals.format == Format::Json {
        output::print_json(&found.json())?;
        return Ok(Outcome::Done);
    }
    let mut sheet = found.sheet(format!("ROC analysis of {event}"));
    sheet.notes.extend(notes);
    output::print_sheet(&sheet, globals.format)?;
    Ok(Outcome::Done)
}
