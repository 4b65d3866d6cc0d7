//! `osteon evaluate`: all of the evaluation for any scores in a CSV file, or for the study's models.

use std::path::PathBuf;

use crate::cli::cells::Cells;
use crate::cli::figure::Written;
use crate::cli::names::{resamples, some_names};
use crate::cli::{Globals, Outcome, figure, opening, output};
use osteon_base::seed::Seed;
use osteon_plot::svg::Text;
use osteon_stats::evaluate::roc::Wanted;
use osteon_study::report::figure::{DPI, TWO_COLUMNS_MM};
use osteon_study::report::uncertainty::How;
use osteon_study::study::{self, Error, EvaluateRequest, ModelTable};

/// Judge scores in a CSV file or the study's models: ROC, operating points, calibration, tests, net benefit
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scores with events; the models of the study when not given
    #[arg(requires = "event", requires = "score")]
    file: Option<PathBuf>,
    /// COLUMN=VALUE, COLUMN!=VALUE, COLUMN<NUMBER, <=, > or >=
    #[arg(long, value_name = "EXPR", requires = "file")]
    event: Option<String>,
    /// Columns with scores
    #[arg(long, value_name = "COLUMNS", requires = "file")]
    score: Vec<String>,
    /// Judge the values of this column apart
    #[arg(long, value_name = "COLUMN", requires = "file")]
    by: Option<String>,
    /// The set of --by in which Youden's cut-offs are learnt; the one called training when not given, else each its own
    #[arg(long, value_name = "SET", requires = "by")]
    cutoff_set: Option<String>,
    /// Models of the study: those of Table 3 (regions) or of Table 5 (clinical, radiomics, combined)
    #[arg(long, value_name = "N", value_parser = ["3", "5"], default_value = "5", conflicts_with = "file")]
    table: String,
    /// Judge the study's models within groups: a variable with levels, such as sex or a centre, or a filter, such as
    /// 'age < 18'
    #[arg(long, value_name = "VARIABLE|FILTER", conflicts_with_all = ["file", "cutoff_sensitivity"])]
    subgroups: Option<String>,
    /// Repeat Tables 3 and 5 with patients exactly at the outcome's cut-off (90 % necrosis) counted as events
    #[arg(long, conflicts_with = "file")]
    cutoff_sensitivity: bool,
    /// Classification threshold: scores of at least this are positive
    #[arg(long, default_value_t = 0.5)]
    threshold: f64,
    /// Threshold probabilities of the net benefit with its intervals
    #[arg(long, value_name = "P,...", value_delimiter = ',')]
    thresholds: Vec<f64>,
    /// An operating point with at least this sensitivity, fixed where cut-offs are learnt
    #[arg(long, value_name = "SHARE")]
    at_sensitivity: Option<f64>,
    /// An operating point with at least this specificity, fixed where cut-offs are learnt
    #[arg(long, value_name = "SHARE", conflicts_with = "at_sensitivity")]
    at_specificity: Option<f64>,
    /// Of intervals by bootstrap, of scores in a file
    #[arg(long, default_value_t = 1, value_name = "N", requires = "file")]
    seed: u64,
    /// Resamples of intervals by bootstrap
    #[arg(long, default_value_t = 2000, value_name = "N")]
    replicates: usize,
    /// Folder to write roc.svg, dca.svg and calibration.svg to, with their bands, and their numbers beside them
    #[arg(long, value_name = "FOLDER", requires = "file")]
    figures: Option<PathBuf>,
    #[command(flatten)]
    cells: Cells,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let sheets = match (&args.file, &args.event) {
        (Some(file), Some(event)) => {
            let request = request(args, event)?;
            let sheets = study::evaluate(file, &request)?;
            if let Some(folder) = &args.figures {
                let how = Written { dpi: DPI, text: Text::Outlines };
                std::fs::create_dir_all(folder).map_err(|source| Error::File { path: folder.clone(), source })?;
                for (name, figure) in study::evaluate_figures(file, &request, TWO_COLUMNS_MM)? {
                    figure::write(&figure, &folder.join(format!("{name}.svg")), how)?;
                }
            }
            sheets
        }
        _ if args.cutoff_sensitivity => {
            let study = opening::read(globals)?;
            let sheets = study.cutoff_sensitivity()?;
            opening::shown(globals, &study, "evaluate");
            sheets
        }
        _ => {
            if !(0.0..=1.0).contains(&args.threshold) {
                return Err(refused("--threshold", args.threshold, "a number from 0 to 1: models give probabilities"));
            }
            let table = if args.table == "3" { ModelTable::Three } else { ModelTable::Five };
            let study = opening::read(globals)?;
            let sheets = match &args.subgroups {
                Some(by) => study.subgroups(table, by)?,
                None => study.evaluation_as(table, args.threshold, &how(args)?)?,
            };
            opening::shown(globals, &study, "evaluate");
            sheets
        }
    };
    output::print_sheets(&sheets, globals.format)?;
    Ok(Outcome::Done)
}

fn refused(option: &str, found: f64, expected: &str) -> Error {
    Error::Cell { place: option.to_owned(), found: found.to_string(), expected: expected.to_owned() }
}

fn request(args: &Args, event: &str) -> Result<EvaluateRequest, Error> {
    if !args.threshold.is_finite() {
        return Err(refused("--threshold", args.threshold, "a number"));
    }
    Ok(EvaluateRequest {
        event: event.parse()?,
        scores: some_names("--score", &args.score)?,
        by: args.by.clone(),
        threshold: args.threshold,
        cutoff_set: args.cutoff_set.clone(),
        cells: args.cells.options(&[], None),
        how: how(args)?,
    })
}

fn how(args: &Args) -> Result<How, Error> {
    let share = |option: &str, value: f64| match value > 0.0 && value < 1.0 {
        true => Ok(value),
        false => Err(refused(option, value, "a number between 0 and 1")),
    };
    let usual = How::default();
    let thresholds = args.thresholds.iter().map(|&at| share("--thresholds", at)).collect::<Result<Vec<_>, _>>()?;
    let wanted = match (args.at_sensitivity, args.at_specificity) {
        (Some(least), _) => Some(Wanted::Sensitivity(share("--at-sensitivity", least)?)),
        (_, Some(least)) => Some(Wanted::Specificity(share("--at-specificity", least)?)),
        _ => None,
    };
    Ok(How {
        thresholds: if thresholds.is_empty() { usual.thresholds } else { thresholds },
        wanted,
        replicates: resamples(args.replicates)?,
        seed: Seed(args.seed),
    })
}
