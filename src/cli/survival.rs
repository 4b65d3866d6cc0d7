//! `osteon survival FILE --time T --event EXPR --terms A,B`.

use std::path::PathBuf;

use crate::cli::cells::Cells;
use crate::cli::logistic::reference;
use crate::cli::names::{have_a_use, names};
use crate::cli::{Format, Globals, Outcome, opening, output};
use osteon_stats::survival::cox::{Method, Params, Ties};
use osteon_stats::table::event::Event;
use osteon_stats::table::read::Options;
use osteon_study::report::hazards;
use osteon_study::study::{self, Error, HazardRequest};

/// Fit a Cox regression to any CSV file, or to the study
///
/// Rows with missing values in one of the columns are left out. Estimates are those of R's coxph; proportional hazards are
/// tested by scaled Schoenfeld residuals over Kaplan-Meier time, as cox.zph does. Indicators are named by column and
/// level; the reference is the first level by name unless given. A term whose likelihood rises for ever is named.
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
    /// Which outcome of the study, where it declares several times
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    outcome: Option<String>,
    /// The variables of the model, a name with a comma in quotes: '"a,b",c'; of the study, every candidate alone and together
    /// those that learn.clinical names or learn.p_enter lets in, when not given
    #[arg(long, required_unless_present = "outcome", value_name = "COLUMN,...")]
    terms: Vec<String>,
    /// The column that holds when a row came under observation: left truncation, or one of several intervals
    #[arg(long, value_name = "COLUMN")]
    entry: Option<String>,
    /// What is done with events at one time
    #[arg(long, value_name = "WAY", default_value = "efron")]
    ties: Way,
    /// Firth's penalized likelihood, finite also where the likelihood is monotone
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
    let terms = names(&args.terms);
    if terms.is_empty() {
        let own = [("--entry", args.entry.is_some()), ("--robust", args.robust.is_some())];
        let own = own.into_iter().chain([("--strata", args.strata.is_some()), ("--firth", args.firth)]);
        if let Some((option, _)) = own.chain([("--reference", !args.reference.is_empty())]).find(|(_, given)| *given) {
            return Err(Error::Request(format!("{option} is for a model of named terms: add --terms")));
        }
        output::print_sheet(&opening::read(globals)?.hazard_table(args.outcome.as_deref())?, globals.format)?;
        return Ok(Outcome::Done);
    }
    let mut references = args.reference.iter().map(|text| reference(text, &terms)).collect::<Result<Vec<_>, _>>()?;
    let others: Vec<String> =
        terms.iter().chain(&args.entry).chain(&args.robust).chain(&args.strata).cloned().collect();
    let (read, time, event, title) = match (&args.file, &args.time, &args.event) {
        (Some(file), Some(time), Some(event)) => {
            let event: Event = event.parse()?;
            let used: Vec<String> = [event.column.clone(), time.clone()].into_iter().chain(others).collect();
            have_a_use("--categorical", &args.categorical, &used)?;
            let numeric = std::iter::once(time).chain(&args.entry).cloned().collect();
            let options = Options { numeric, ..args.cells.options(&args.categorical, Some(used)) };
            let title = format!("{event} by {time}");
            (study::read_table(file, &options)?, time.clone(), event, title)
        }
        _ => {
            let found = opening::read(globals)?.followed(args.outcome.as_deref(), &others)?;
            let free =
                |(name, _): &(String, String)| terms.contains(name) && references.iter().all(|(it, _)| it != name);
            let declared: Vec<_> = found.references.into_iter().filter(free).collect();
            references.extend(declared);
            (found.read, found.time, found.event, found.title)
        }
    };
    let request = HazardRequest {
        time,
        entry: args.entry.clone(),
        event,
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
    let (found, notes) = study::hazards(&read, &request)?;
    if globals.format == Format::Json {
        let mut json = found.json();
        json["notes"] = notes.into();
        output::print_json(&json)?;
        return Ok(Outcome::Done);
    }
    let mut sheet = found.sheet(format!("Cox regression of {title}"));
    sheet.notes.extend(notes);
    if args.file.is_some() {
        output::print_sheet(&sheet, globals.format)?;
        return Ok(Outcome::Done);
    }
    let alone: Vec<_> =
        study::each_alone(&read, &request).into_iter().map(|(name, found)| (name, found.ok())).collect();
    let table = hazards::side_by_side(format!("Table 4. Hazard ratios, {title}"), &alone, &found);
    output::print_sheets(&[table, sheet], globals.format)?;
    Ok(Outcome::Done)
}
