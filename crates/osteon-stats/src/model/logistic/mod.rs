//! Binary logistic regression: estimates equal to R's `glm`, separation and collinearity said by name.
//!
//! linfa-logistic finds the maximum on standardised columns, Newton's method polishes it to machine precision, and
//! standard errors come from the Fisher information there. Profile intervals, likelihood-ratio tests, Firth's penalty,
//! Hosmer-Lemeshow and variance inflation are functions beside it.

mod balance;
mod collinear;
mod design;
mod firth;
mod hosmer_lemeshow;
mod newton;
mod profile;
pub mod ridge;
pub mod screen;
mod separation;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::stats::distribution::{Z_975, normal_two_sided};
use crate::table::Design;

pub use collinear::variance_inflation;
pub(crate) use design::Standardised;
pub use hosmer_lemeshow::{Grouping, HosmerLemeshow, hosmer_lemeshow};
pub use profile::{Profile, affordable, fit_with_profiles, likelihood_ratio, profile, wald};

use osteon_base::setting::{self, Unfit};

/// The name of the constant term, as in R.
pub const INTERCEPT: &str = "(Intercept)";

/// How a model is fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    pub method: Method,
    /// How Hosmer-Lemeshow divides the rows.
    pub grouping: Grouping,
    /// Into how many groups.
    pub groups: usize,
}

/// What is maximised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    MaximumLikelihood,
    /// Firth (1993): finite also under separation.
    Firth,
}

impl Params {
    /// Names a setting that no run could use.
    pub fn check(&self) -> Result<(), Unfit> {
        setting::at_least("groups", self.groups, 3)
    }
}

impl Default for Params {
    fn default() -> Self {
        Params { method: Method::MaximumLikelihood, grouping: Grouping::Spss, groups: 10 }
    }
}

/// A fitted model.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    pub method: Method,
    pub n: usize,
    pub events: usize,
    /// The intercept, then one a column of the design.
    pub terms: Vec<Term>,
    /// Covariance of the estimates, terms x terms; rows and columns of terms without a standard error are 0.
    pub covariance: Array2<f64>,
    /// The probability of the event, one a row.
    pub probabilities: Vec<f64>,
    /// With Firth's penalty when that is the method; its limit under separation.
    pub log_likelihood: f64,
    /// Of the intercept alone, likewise.
    pub null_log_likelihood: f64,
    pub converged: bool,
    pub warnings: Vec<Warning>,
}

/// One coefficient.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    pub name: String,
    /// The log odds ratio of one unit; infinite under separation, `None` when aliased or undetermined.
    pub estimate: Option<f64>,
    /// `None` when the estimate is not finite.
    pub se: Option<f64>,
}

/// What a reader of the model must know.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// A combination of terms tells the event without error, on all rows or on some.
    Separation {
        complete: bool,
        terms: Vec<Infinite>,
    },
    /// Under separation any value of these coefficients fits as well: the other terms tell the same rows.
    Undetermined {
        terms: Vec<String>,
    },
    /// The term is a linear combination of earlier ones (none of them: it is constant) and was left out.
    Aliased {
        term: String,
        of: Vec<String>,
    },
    /// As many estimates as rows: the fit repeats the data and no degree of freedom is left.
    Saturated {
        n: usize,
    },
    NotConverged,
}

/// A term whose estimate has no finite maximum, and where it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Infinite {
    pub term: String,
    /// Larger values have the event.
    pub positive: bool,
}

/// Why no model can be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FitError {
    #[error("{events} of {n} rows have the event: a model needs rows with and without it")]
    OneOutcome { n: usize, events: usize },
    #[error("{terms} terms on {n} rows are too many to fit: is a column an identifier?")]
    TooManyTerms { n: usize, terms: usize },
    #[error("the design has {design} rows, the event {event}")]
    Length { design: usize, event: usize },
}

impl Term {
    pub fn z(&self) -> Option<f64> {
        Some(self.estimate? / self.se?)
    }

    /// Wald's two-sided p value.
    pub fn p(&self) -> Option<f64> {
        self.z().map(normal_two_sided)
    }

    pub fn odds_ratio(&self) -> Option<f64> {
        self.estimate.map(f64::exp)
    }

    /// Wald's 95 % interval of the odds ratio.
    pub fn odds_ratio_wald(&self) -> Option<[f64; 2]> {
        let (estimate, se) = (self.estimate?, self.se?);
        Some([(estimate - Z_975 * se).exp(), (estimate + Z_975 * se).exp()])
    }
}

impl Fit {
    /// -2 (null log-likelihood - log-likelihood), the model's chi-square.
    pub fn model_chi2(&self) -> f64 {
        2.0 * (self.log_likelihood - self.null_log_likelihood)
    }

    /// Terms beside the intercept that were estimated: the model's degrees of freedom.
    pub fn df(&self) -> usize {
        self.terms[1..].iter().filter(|term| term.estimate.is_some() || self.is_undetermined(&term.name)).count()
    }

    /// Cox and Snell's R²; `None` for a penalised fit.
    pub fn cox_snell_r2(&self) -> Option<f64> {
        (self.method == Method::MaximumLikelihood).then(|| -(-self.model_chi2() / self.n as f64).exp_m1())
    }

    /// Nagelkerke's R²; `None` for a penalised fit.
    pub fn nagelkerke_r2(&self) -> Option<f64> {
        let largest = -(2.0 * self.null_log_likelihood / self.n as f64).exp_m1();
        self.cox_snell_r2().map(|r2| r2 / largest)
    }

    /// Rows of the rarer outcome for each estimated term; `None` without terms.
    pub fn events_per_variable(&self) -> Option<f64> {
        let df = self.df();
        (df > 0).then(|| self.events.min(self.n - self.events) as f64 / df as f64)
    }

    pub fn term(&self, name: &str) -> Option<&Term> {
        self.terms.iter().find(|term| term.name == name)
    }

    /// Events are separated in a way that leaves the term without any estimate.
    pub fn is_undetermined(&self, name: &str) -> bool {
        let has =
            |warning: &Warning| matches!(warning, Warning::Undetermined { terms } if terms.iter().any(|it| it == name));
        self.warnings.iter().any(has)
    }

    /// Some estimate is infinite.
    pub fn is_separated(&self) -> bool {
        self.warnings.iter().any(|warning| matches!(warning, Warning::Separation { .. }))
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Warning::Separation { complete, terms } => {
                let kind = if *complete { "complete" } else { "quasi-complete" };
                write!(f, "{kind} separation: ")?;
                if terms.is_empty() {
                    write!(f, "several terms tell the event, each without the others")?;
                }
                for (at, infinite) in terms.iter().enumerate() {
                    let (comma, sign) = (if at > 0 { ", " } else { "" }, if infinite.positive { '+' } else { '-' });
                    write!(f, "{comma}{} goes to {sign}infinity", infinite.term)?;
                }
                write!(f, "; Firth's penalized likelihood gives finite estimates")
            }
            Warning::Undetermined { terms } => {
                write!(
                    f,
                    "{}: undetermined, any coefficient fits as well beside the separating terms",
                    terms.join(", ")
                )
            }
            Warning::Aliased { term, of } if of.is_empty() => write!(f, "{term} is constant and was left out"),
            Warning::Aliased { term, of } => {
                write!(f, "{term} is a linear combination of {} and was left out", of.join(", "))
            }
            Warning::Saturated { n } => {
                write!(f, "the model has as many estimates as rows ({n}): it repeats the data and tests nothing")
            }
            Warning::NotConverged => write!(f, "the fit did not converge"),
        }
    }
}

/// Rows times squared terms of a step that takes a few seconds.
const MAX_OPERATIONS: usize = 500_000_000;

/// Rows and columns that a model can be fitted to.
fn check(design: &Design, event: &[bool]) -> Result<(), FitError> {
    let (n, events) = (event.len(), event.iter().filter(|&&event| event).count());
    let terms = design.columns.len();
    if design.x.nrows() != n {
        return Err(FitError::Length { design: design.x.nrows(), event: n });
    }
    if events == 0 || events == n {
        return Err(FitError::OneOutcome { n, events });
    }
    if n.saturating_mul(terms).saturating_mul(terms) > MAX_OPERATIONS {
        return Err(FitError::TooManyTerms { n, terms });
    }
    Ok(())
}

/// Fits the event on an intercept and every column of the design.
pub fn fit(design: &Design, event: &[bool], params: &Params) -> Result<Fit, FitError> {
    let n = event.len();
    check(design, event)?;
    let (standardised, aliased) = Standardised::new(design);
    let mut fit = match params.method {
        Method::MaximumLikelihood => maximum_likelihood(design, &standardised, event),
        Method::Firth => firth::fit(design, &standardised, event),
    };
    fit.warnings.extend(aliased);
    if standardised.kept.len() + 1 == n {
        fit.warnings.push(Warning::Saturated { n });
    }
    // What has no estimate comes after what is said of the model.
    fit.warnings.sort_by_key(|warning| matches!(warning, Warning::Undetermined { .. }));
    Ok(fit)
}

fn maximum_likelihood(design: &Design, standardised: &Standardised, event: &[bool]) -> Fit {
    let x = standardised.with_intercept();
    let offset = vec![0.0; event.len()];
    let solution = newton::maximise(&x, &offset, event, newton::start(standardised, event));
    if let Some(separation) = separation::find(&x, event, &solution) {
        return separation::limit(design, standardised, event, &separation);
    }
    let solution = if solution.converged { solution } else { newton::climb(&x, &offset, event, solution.coefficients) };
    let mut fit = standardised.fit(design, event, &solution, Method::MaximumLikelihood);
    if !fit.converged {
        fit.warnings.push(Warning::NotConverged);
    }
    fit
}
