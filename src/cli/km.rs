//! `osteon km FILE --time T --event EXPR`.

use std::path::PathBuf;

use crate::cli::cells::Cells;
use crate::cli::figure::Written;
use crate::cli::names::have_a_use;
use crate::cli::{Format, Globals, Outcome, figure, opening, output};
use osteon_plot::cells::Charset;
use osteon_plot::svg::Text;
use osteon_stats::survival::kaplan_meier::Interval;
use osteon_stats::table::event::Event;
use osteon_stats::table::read::Options;
use osteon_study::report::figure::{DPI, Paper, TWO_COLUMNS_MM};
use osteon_study::study::{self, CurveRequest, Error, Followed};

/// Survival curves of any CSV file, or of the study: medians, survival at stated times, numbers at risk, log-rank tests
///
/// Rows with missing values in one of the columns are left out. With --competing, cumulative incidence and Gray's test take the
/// place of survival and log-rank tests. Every step of the curves is in the JSON.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A CSV file with a heading; without one, the patients of the study and an outcome of kind time that it declares
    #[arg(requires = "time", requires = "event")]
    file: Option<PathBuf>,
    /// The column that holds how long a row was followed
    #[arg(long, value_name = "COLUMN", requires = "file")]
    time: Option<String>,
    /// COLUMN=VALUE, COLUMN!=VALUE, COLUMN<NUMBER, <=, > or >=; rows without it are censored at their time
    #[arg(long, value_name = "EXPR", requires = "file")]
    event: Option<String>,
    /// Which outcome of the study, where it declares several times; its competing events are those declared
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    outcome: Option<String>,
    /// The column that tells groups
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
    /// The column that holds when a row came under observation
    #[arg(long, value_name = "COLUMN")]
    entry: Option<String>,
    /// An event after which the other cannot happen any more: incidence is shown instead of survival
    #[arg(long, value_name = "EXPR", requires = "file")]
    competing: Option<String>,
    /// Test within each value of the column
    #[arg(long, value_name = "COLUMN", requires = "by")]
    strata: Option<String>,
    /// Times at which survival is stated; those of the axis when not given
    #[arg(long, value_name = "TIME,...", value_delimiter = ',')]
    at: Vec<f64>,
    /// On which scale the 95% intervals are even
    #[arg(long, value_name = "SCALE", default_value = "log-log")]
    interval: Scale,
    /// File to write the curves to: .pdf or .svg (vectors), .tiff or .png (300 dpi), with every number shown beside it in
    /// NAME.numbers.csv; .csv, the numbers alone. May be given again
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Width of the figure on paper in mm
    #[arg(long, default_value_t = TWO_COLUMNS_MM, value_name = "MM")]
    width: f64,
    /// Draw the curves in the terminal too
    #[arg(long)]
    draw: bool,
    /// Columns of numbers that are codes
    #[arg(long, value_name = "COLUMN,...")]
    categorical: Vec<String>,
    #[command(flatten)]
    cells: Cells,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Scale {
    Plain,
    Log,
    LogLog,
    Logit,
    Arcsine,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    if let Some(at) = args.at.iter().find(|at| !(at.is_finite() && **at >= 0.0)) {
        return Err(Error::Request(format!("--at {at}: expected a time of at least 0")));
    }
    let others: Vec<String> = args.by.iter().chain(&args.entry).chain(&args.strata).cloned().collect();
    let (found, source) = match (&args.file, &args.time, &args.event) {
        (Some(file), Some(time), Some(event)) => {
            let event: Event = event.parse()?;
            let competing: Option<Event> = args.competing.as_deref().map(str::parse).transpose()?;
            let mut used = vec![event.column.clone(), time.clone()];
            used.extend(others);
            used.extend(competing.iter().map(|event| event.column.clone()));
            have_a_use("--categorical", &args.categorical, &used)?;
            let numeric = std::iter::once(time).chain(&args.entry).cloned().collect();
            let options = Options { numeric, ..args.cells.options(&args.categorical, Some(used)) };
            let read = study::read_table(file, &options)?;
            let title = format!("{event} over {time}");
            let references = Vec::new();
            (Followed { read, time: time.clone(), event, competing, title, references }, file.display().to_string())
        }
        _ => {
            let study = opening::read(globals)?;
            (study.followed(args.outcome.as_deref(), &others)?, globals.study.display().to_string())
        }
    };
    let read = found.read;
    let request = CurveRequest {
        time: found.time.clone(),
        entry: args.entry.clone(),
        event: found.event,
        competing: found.competing,
        by: args.by.clone(),
        strata: args.strata.clone(),
        at: args.at.clone(),
        interval: match args.interval {
            Scale::Plain => Interval::Plain,
            Scale::Log => Interval::Log,
            Scale::LogLog => Interval::LogLog,
            Scale::Logit => Interval::Logit,
            Scale::Arcsine => Interval::Arcsine,
        },
    };
    let (curves, notes) = study::curves(&read, &request)?;
    let provenance = vec![format!("file: {source}"), format!("version: osteon {}", env!("CARGO_PKG_VERSION"))];
    let drawing = || curves.figure(&found.time, &Paper { width_mm: args.width, provenance: provenance.clone() });
    let is_drawn = |path: &PathBuf| !path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    if args.output.iter().any(is_drawn) {
        drawing().fits().map_err(|source| Error::Tight {
            figure: "kaplan-meier".to_owned(),
            size: format!("{} mm", args.width),
            source: Box::new(source),
            remedy: "a larger --width, or fewer groups".to_owned(),
        })?;
    }
    for path in &args.output {
        figure::write(&drawing(), path, Written { dpi: DPI, text: Text::Outlines })?;
    }
    if globals.format == Format::Json {
        let mut json = curves.json();
        json["notes"] = notes.into();
        output::print_json(&json)?;
        return Ok(Outcome::Done);
    }
    let by = args.by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
    let mut sheets = curves.sheets(format!("{}{by}", found.title));
    sheets[0].notes.extend(notes);
    output::print_sheets(&sheets, globals.format)?;
    if args.draw {
        output::print(&figure::drawn(&drawing(), Charset::Braille, globals.color))?;
    }
    Ok(Outcome::Done)
}
