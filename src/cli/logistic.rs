//! `osteon logistic FILE --event EXPR --terms A,B`.

use std::path::PathBuf;

use crate::cli::cells::Cells;
use crate::cli::names::{have_a_use, names};
use crate::cli::{Format, Globals, Outcome, output};
use osteon_base::seed::Seed;
use osteon_stats::evaluate::sample_size::heuristic_shrinkage;
use osteon_stats::model::logistic::{Method, Params, ridge};
use osteon_stats::table::event::Event;
use osteon_stats::table::expand::Expansion;
use osteon_study::report::penalised::{self, Validated};
use osteon_study::study::{self, Error, Regressed};

/// Fit a logistic regression to any CSV file
///
/// Rows with a missing value in one of the columns are left out. Indicators are named by column and level; the reference is
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
    /// Firth's penalized likelihood, finite also under separation
    #[arg(long)]
    firth: bool,
    /// A restricted cubic spline of a term with so many knots (3 to 7), placed as rms::rcs; with a test of non-linearity
    #[arg(long, value_name = "COLUMN=KNOTS")]
    spline: Vec<String>,
    /// The product of two terms, tested together
    #[arg(long, value_name = "COLUMN:COLUMN")]
    interaction: Vec<String>,
    /// Also the ridge of rms::lrm with this penalty, or with that of the largest corrected AIC
    #[arg(long, value_name = "PENALTY|aicc")]
    ridge: Option<String>,
    /// Also all slopes times one factor: the heuristic one, or the bootstrap-corrected calibration slope
    #[arg(long, value_name = "heuristic|bootstrap")]
    shrink: Option<Shrinkage>,
    /// Refit the model on so many bootstrap samples: optimism of AUC, R2, Brier score, calibration and net benefit
    #[arg(long, value_name = "N")]
    bootstrap: Option<usize>,
    /// Threshold probabilities of the net benefit that is corrected
    #[arg(long, value_name = "P,...", value_delimiter = ',', requires = "bootstrap")]
    thresholds: Vec<f64>,
    /// Of the bootstrap
    #[arg(long, default_value_t = 1, value_name = "N", requires = "bootstrap")]
    seed: u64,
    /// Write the bootstrap samples for another program: one line a sample, positions of the rows of the model from 0
    #[arg(long, value_name = "FILE", requires = "bootstrap")]
    resamples: Option<PathBuf>,
    #[command(flatten)]
    cells: Cells,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Shrinkage {
    Heuristic,
    Bootstrap,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let event: Event = args.event.parse()?;
    let terms = names(&args.terms);
    let references = args.reference.iter().map(|text| reference(text, &terms)).collect::<Result<Vec<_>, _>>()?;
    let method = if args.firth { Method::Firth } else { Method::MaximumLikelihood };
    let used: Vec<String> = std::iter::once(&event.column).chain(&terms).cloned().collect();
    have_a_use("--categorical", &args.categorical, &used)?;
    let read = study::read_table(&args.file, &args.cells.options(&args.categorical, Some(used)))?;
    let params = Params { method, ..Params::default() };
    let by = expansion(args)?;
    let found = study::regress(&read, &event, &terms, &references, &by, &params)?;
    let design = &found.encoded.design;
    let levels: Vec<_> =
        found.encoded.variables.iter().filter(|it| it.reference.is_some()).map(|it| it.columns.clone()).collect();
    let ridge = match args.ridge.as_deref() {
        Some("aicc") => Some(ridge::ridge_by_aicc(design, &found.event, &levels)?),
        Some(text) => Some(ridge::ridge(design, &found.event, &levels, penalty(text)?)?),
        None => None,
    };
    let validated = match args.bootstrap {
        Some(samples) => Some(validate(args, &found, &params, samples)?),
        None => None,
    };
    let shrunken = match args.shrink {
        Some(how) => Some(shrunken(how, &found, validated.as_ref())?),
        None => None,
    };
    if globals.format == Format::Json {
        let mut json = found.regression.json();
        if let Some(ridge) = &ridge {
            json["ridge"] = penalised::ridge_json(ridge);
        }
        if let Some((shrunken, _)) = &shrunken {
            json["shrunken"] = serde_json::json!({
                "factor": shrunken.factor, "intercept": shrunken.intercept, "slopes": shrunken.slopes,
            });
        }
        if let Some(validated) = &validated {
            json["validation"] = validated.json();
        }
        output::print_json(&json)?;
        return Ok(Outcome::Done);
    }
    let mut sheet = found.regression.sheet(format!("Logistic regression of {event}"));
    sheet.notes.extend(found.notes.iter().cloned());
    let mut sheets = vec![sheet];
    sheets.extend(ridge.map(|it| penalised::ridge_sheet(&it, args.ridge.as_deref() == Some("aicc"))));
    sheets.extend(shrunken.map(|(it, how)| penalised::shrunken_sheet(&it, &design.columns, how)));
    sheets.extend(validated.map(|it| it.sheet()));
    match &sheets[..] {
        [only] => output::print_sheet(only, globals.format)?,
        several => output::print_sheets(several, globals.format)?,
    }
    Ok(Outcome::Done)
}

fn refused(option: &str, found: &str, expected: &str) -> Error {
    Error::Cell { place: option.to_owned(), found: found.to_owned(), expected: expected.to_owned() }
}

fn expansion(args: &Args) -> Result<Expansion, Error> {
    let spline = |text: &String| {
        let parts = text.rsplit_once('=').map(|(name, knots)| (name.trim().to_owned(), knots.trim().parse()));
        match parts {
            Some((name, Ok(knots))) if (3..=7).contains(&knots) => Ok((name, knots)),
            _ => Err(refused("--spline", text, "COLUMN=KNOTS with 3 to 7 knots, as age=4")),
        }
    };
    let product = |text: &String| {
        let parts = text.split_once(':').map(|(a, b)| [a, b].map(|name| name.trim().to_owned()));
        parts.ok_or_else(|| refused("--interaction", text, "two terms, as age:sex"))
    };
    Ok(Expansion {
        splines: args.spline.iter().map(spline).collect::<Result<_, _>>()?,
        interactions: args.interaction.iter().map(product).collect::<Result<_, _>>()?,
    })
}

fn penalty(text: &str) -> Result<f64, Error> {
    let found = text.parse::<f64>().ok().filter(|it| *it >= 0.0 && it.is_finite());
    found.ok_or_else(|| refused("--ridge", text, "a penalty of at least 0, or aicc"))
}

fn validate(args: &Args, found: &Regressed, params: &Params, samples: usize) -> Result<Validated, Error> {
    if samples < 2 {
        return Err(refused("--bootstrap", &samples.to_string(), "at least 2 samples, 200 and more to publish"));
    }
    if let Some(at) = args.thresholds.iter().find(|at| !(**at > 0.0 && **at < 1.0)) {
        return Err(refused("--thresholds", &at.to_string(), "numbers between 0 and 1"));
    }
    let seed = Seed(args.seed);
    if let Some(path) = &args.resamples {
        let text = penalised::resamples_csv(found.event.len(), samples, seed);
        study::write_whole(path, text.as_bytes()).map_err(|source| Error::File { path: path.clone(), source })?;
    }
    Ok(penalised::validated(&found.encoded.design, &found.event, params, &args.thresholds, samples, seed)?)
}

fn shrunken(
    how: Shrinkage,
    found: &Regressed,
    validated: Option<&Validated>,
) -> Result<(ridge::Shrunken, &'static str), Error> {
    let fit = &found.regression.fit;
    let (factor, words) = match how {
        Shrinkage::Heuristic => {
            // With Firth's penalty the chi-square of the whole model is that of its own test.
            let chi2 = match fit.method {
                Method::MaximumLikelihood => Some(fit.model_chi2()),
                Method::Firth => found.regression.model.map(|test| test.statistic),
            };
            let factor = chi2.filter(|_| fit.df() > 0).map(|chi2| heuristic_shrinkage(chi2, fit.df()));
            (factor, "the heuristic factor (chi2 - df) / chi2 of Van Houwelingen and Le Cessie")
        }
        Shrinkage::Bootstrap => {
            let validated = validated.ok_or_else(|| refused("--shrink", "bootstrap", "--bootstrap N beside it"))?;
            (validated.slope(), "the bootstrap-corrected calibration slope")
        }
    };
    let factor = factor.filter(|it| *it > 0.0 && it.is_finite());
    let shrunken = factor.and_then(|factor| ridge::shrink(fit, &found.encoded.design, &found.event, factor));
    let shrunken = shrunken.ok_or_else(|| {
        Error::Request(
            "no shrinkage factor above 0: the model explains less than its terms do by chance, or has no \
                        finite estimates; --ridge aicc or --firth still give a model"
                .to_owned(),
        )
    })?;
    Ok((shrunken, words))
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
