//! `osteon samplesize develop|validate|auc`.

use crate::cli::{Globals, Outcome, output};
use osteon_stats::evaluate::external_size::{Expected, Predictor};
use osteon_study::report::sample_size::{self, Fit};
use osteon_study::study::Error;

/// How many patients a prediction model needs, to be developed or to be validated
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, clap::Subcommand)]
enum Question {
    Develop(Develop),
    Validate(Validate),
    Auc(Auc),
}

/// Riley's four criteria for a model of a binary outcome, the first three as pmsampsize
#[derive(Debug, clap::Args)]
struct Develop {
    /// Candidate parameters: every variable, level, cubic term and feature that is tried
    #[arg(long, value_name = "N")]
    parameters: usize,
    /// Share of patients with the event
    #[arg(long, value_name = "SHARE")]
    prevalence: f64,
    /// Expected R2 of Cox and Snell
    #[arg(long, value_name = "R2")]
    r2: Option<f64>,
    /// Expected R2 of Nagelkerke; 0.15 is taken when nothing is expected
    #[arg(long, value_name = "R2", conflicts_with = "r2")]
    nagelkerke: Option<f64>,
    /// Expected AUC, from which the R2 is made
    #[arg(long, value_name = "AUC", conflicts_with_all = ["r2", "nagelkerke"])]
    auc: Option<f64>,
    /// Shrinkage that is accepted
    #[arg(long, value_name = "S", default_value_t = 0.9)]
    shrinkage: f64,
}

/// Riley's criteria for an external validation, as pmvalsampsize
#[derive(Debug, clap::Args)]
struct Validate {
    /// Share of patients with the event
    #[arg(long, value_name = "SHARE")]
    prevalence: f64,
    /// Expected AUC
    #[arg(long, value_name = "AUC")]
    auc: f64,
    /// Mean and SD of a normal linear predictor; what AUC and prevalence make it when not given
    #[arg(long, value_name = "MEAN,SD", allow_hyphen_values = true)]
    lp_normal: Option<String>,
    /// Parameters of a beta distribution of the probabilities
    #[arg(long, value_name = "A,B", conflicts_with = "lp_normal")]
    lp_beta: Option<String>,
    /// Observed over expected events
    #[arg(long, value_name = "RATIO", default_value_t = 1.0)]
    oe: f64,
    /// Width of its 95 % interval
    #[arg(long, value_name = "WIDTH", default_value_t = 0.2)]
    oe_width: f64,
    /// Width of the calibration slope's 95 % interval
    #[arg(long, value_name = "WIDTH", default_value_t = 0.2)]
    slope_width: f64,
    /// Width of the AUC's 95 % interval
    #[arg(long, value_name = "WIDTH", default_value_t = 0.1)]
    auc_width: f64,
    /// Threshold probability of the net benefit
    #[arg(long, value_name = "P")]
    threshold: Option<f64>,
    /// Width of the standardized net benefit's 95 % interval
    #[arg(long, value_name = "WIDTH", default_value_t = 0.2, requires = "threshold")]
    net_benefit_width: f64,
    /// Sensitivity and specificity at the threshold; what the linear predictor gives when not given
    #[arg(long, value_name = "SENS,SPEC", requires = "threshold")]
    operating_point: Option<String>,
}

/// Precision of an AUC, and power of a difference of two on the same patients
#[derive(Debug, clap::Args)]
struct Auc {
    /// Expected AUC
    #[arg(long, value_name = "AUC")]
    auc: f64,
    /// The AUC that it is compared with
    #[arg(long, value_name = "AUC")]
    against: Option<f64>,
    /// Correlation of the two AUCs' errors
    #[arg(long, value_name = "R", default_value_t = 0.5, requires = "against")]
    correlation: f64,
    /// Patients with and without the event, where they are known
    #[arg(long, value_name = "EVENTS,OTHERS")]
    patients: Option<String>,
    /// Width of the 95 % interval
    #[arg(long, value_name = "WIDTH", default_value_t = 0.1)]
    width: f64,
    /// Power of the comparison
    #[arg(long, value_name = "POWER", default_value_t = 0.8)]
    power: f64,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let sheet = match &args.question {
        Question::Develop(asked) => develop(asked)?,
        Question::Validate(asked) => validate(asked)?,
        Question::Auc(asked) => auc(asked)?,
    };
    output::print_sheet(&sheet, globals.format)?;
    Ok(Outcome::Done)
}

fn develop(asked: &Develop) -> Result<osteon_study::report::sheet::Sheet, Error> {
    share("--prevalence", asked.prevalence)?;
    share("--shrinkage", asked.shrinkage)?;
    if asked.parameters == 0 {
        return Err(refused("--parameters", "0", "at least 1"));
    }
    let null = asked.prevalence * asked.prevalence.ln() + (1.0 - asked.prevalence) * (1.0 - asked.prevalence).ln();
    let largest = 1.0 - (2.0 * null).exp();
    let fit = match (asked.r2, asked.auc) {
        (Some(r2), _) if !(r2 > 0.0 && r2 < largest.min(asked.shrinkage)) => {
            let expected =
                format!("above 0, below {largest:.4} (the largest at this prevalence) and below the shrinkage");
            return Err(refused("--r2", &r2.to_string(), &expected));
        }
        (Some(r2), _) => Fit::CoxSnell(r2),
        (_, Some(auc)) => Fit::Auc(area("--auc", auc)?),
        _ => Fit::Nagelkerke(share("--nagelkerke", asked.nagelkerke.unwrap_or(0.15))?),
    };
    Ok(sample_size::development(asked.parameters, asked.prevalence, fit, asked.shrinkage))
}

fn validate(asked: &Validate) -> Result<osteon_study::report::sheet::Sheet, Error> {
    let predictor = match (&asked.lp_normal, &asked.lp_beta) {
        (Some(text), _) => {
            let [mean, sd] = pair("--lp-normal", text)?;
            positive("--lp-normal", sd)?;
            Predictor::Normal { mean, sd }
        }
        (_, Some(text)) => {
            let [a, b] = pair("--lp-beta", text)?;
            positive("--lp-beta", a.min(b))?;
            Predictor::Beta { a, b }
        }
        _ => Predictor::OfAuc,
    };
    for (name, width) in [("--oe", asked.oe), ("--oe-width", asked.oe_width), ("--slope-width", asked.slope_width)] {
        positive(name, width)?;
    }
    share("--auc-width", asked.auc_width)?;
    let threshold = asked.threshold.map(|threshold| share("--threshold", threshold)).transpose()?;
    positive("--net-benefit-width", asked.net_benefit_width)?;
    let point = asked.operating_point.as_ref().map(|text| pair("--operating-point", text)).transpose()?;
    if let Some(point) = point {
        for value in point {
            share("--operating-point", value)?;
        }
    }
    Ok(sample_size::validation(&Expected {
        prevalence: share("--prevalence", asked.prevalence)?,
        auc: area("--auc", asked.auc)?,
        predictor,
        oe: asked.oe,
        oe_width: asked.oe_width,
        slope_width: asked.slope_width,
        auc_width: asked.auc_width,
        net_benefit: threshold.map(|threshold| (threshold, asked.net_benefit_width)),
        operating_point: point,
    }))
}

fn auc(asked: &Auc) -> Result<osteon_study::report::sheet::Sheet, Error> {
    area("--auc", asked.auc)?;
    share("--width", asked.width)?;
    share("--power", asked.power)?;
    let other = match asked.against {
        Some(against) if against == asked.auc => {
            return Err(refused("--against", &against.to_string(), "another AUC than --auc"));
        }
        Some(against) if !(-1.0 < asked.correlation && asked.correlation < 1.0) => {
            area("--against", against)?;
            return Err(refused("--correlation", &asked.correlation.to_string(), "a number between -1 and 1"));
        }
        Some(against) => Some((area("--against", against)?, asked.correlation)),
        None => None,
    };
    let n = match &asked.patients {
        Some(text) => {
            let [events, others] = pair("--patients", text)?;
            if events < 2.0 || others < 2.0 || events.fract() + others.fract() != 0.0 {
                return Err(refused("--patients", text, "two whole numbers of at least 2, as 39,36"));
            }
            Some((events as usize, others as usize))
        }
        None => None,
    };
    Ok(sample_size::areas(asked.auc, other, n, asked.width, asked.power))
}

fn refused(option: &str, found: &str, expected: &str) -> Error {
    Error::Cell { place: option.to_owned(), found: found.to_owned(), expected: expected.to_owned() }
}

/// A number between 0 and 1, neither of them.
fn share(option: &str, value: f64) -> Result<f64, Error> {
    if value > 0.0 && value < 1.0 {
        Ok(value)
    } else {
        Err(refused(option, &value.to_string(), "a number between 0 and 1"))
    }
}

/// An AUC that a model can be expected to have.
fn area(option: &str, value: f64) -> Result<f64, Error> {
    if value > 0.5 && value < 1.0 {
        Ok(value)
    } else {
        Err(refused(option, &value.to_string(), "an AUC between 0.5 and 1"))
    }
}

fn positive(option: &str, value: f64) -> Result<f64, Error> {
    let fine = value > 0.0 && value.is_finite();
    if fine { Ok(value) } else { Err(refused(option, &value.to_string(), "a number above 0")) }
}

/// Two numbers with a comma between.
fn pair(option: &str, text: &str) -> Result<[f64; 2], Error> {
    let parts: Option<Vec<f64>> =
        text.split(',').map(|part| part.trim().parse().ok().filter(|it: &f64| it.is_finite())).collect();
    match parts.as_deref() {
        Some(&[a, b]) => Ok([a, b]),
        _ => Err(refused(option, text, "two numbers with a comma between, as 0.5,1.2")),
    }
}
