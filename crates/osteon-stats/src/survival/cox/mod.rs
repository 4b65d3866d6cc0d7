//! Proportional hazards (Cox 1972): estimates equal to R's `coxph`, for late entry, strata and each way with ties.
//!
//! A likelihood without a maximum is found, proved and named, as separation is in logistic regression. Robust variance,
//! the test of proportional hazards, baseline hazard and residuals are functions beside the fit.

mod baseline;
mod firth;
mod likelihood;
mod monotone;
mod newton;
mod profile;
mod proportional;
mod residuals;
mod sums;

use nalgebra::{DMatrix, DVector};
use ndarray::Array2;

use crate::model::logistic::{Infinite, Standardised, Warning as Aliasing};
use crate::stats::distribution::{Z_975, chi2_sf, normal_two_sided};
use crate::survival::follow_up::FollowUp;
use crate::table::Design;

pub use baseline::{Baseline, LogHazard, Predicted, baseline};
pub use profile::{Profile, profile};
pub use proportional::{Proportional, Transform, proportional};
pub use residuals::{Residuals, residuals, robust};

use crate::survival::cox::likelihood::Prepared;

/// How a model is fitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params {
    pub ties: Ties,
    pub method: Method,
}

/// What is done with events at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// Efron (1977): R's default, near the exact one.
    #[default]
    Efron,
    Breslow,
    /// The conditional likelihood of all ways in which the events could have fallen: for times that are few and discrete.
    Exact,
}

/// What is maximised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    #[default]
    PartialLikelihood,
    /// Firth (1993) and Heinze and Schemper (2001): finite also where the likelihood is monotone.
    Firth,
}

/// A fitted model.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    pub params: Params,
    pub n: usize,
    pub events: usize,
    /// One a column of the design.
    pub terms: Vec<Term>,
    /// Covariance of the estimates, terms x terms; rows and columns of terms without a standard error are 0.
    pub covariance: Array2<f64>,
    /// At the estimates; with Firth's penalty when that is the method; its limit where it is monotone.
    pub log_likelihood: f64,
    /// Of coefficients of 0, likewise.
    pub null_log_likelihood: f64,
    /// The score test's chi-square; `None` for a penalised fit.
    pub score: Option<f64>,
    pub converged: bool,
    pub warnings: Vec<Warning>,
    /// What is added to the predictor to have it 0 at the means of the columns.
    pub centre: f64,
}

/// One coefficient.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    pub name: String,
    /// The log hazard ratio of one unit; infinite where the likelihood is monotone, `None` when aliased or undetermined.
    pub estimate: Option<f64>,
    /// `None` when the estimate is not finite.
    pub se: Option<f64>,
}

/// What a reader of the model must know.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// Whoever has the event always has the highest value of a combination of terms among those at risk.
    Monotone {
        terms: Vec<Infinite>,
    },
    /// Of a monotone likelihood: any value of these coefficients fits as well, since it rises as far without them.
    Undetermined {
        terms: Vec<String>,
    },
    /// The term is a linear combination of earlier ones (none of them: it is constant) and was left out.
    Aliased {
        term: String,
        of: Vec<String>,
    },
    NotConverged,
}

/// Why no model can be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FitError {
    #[error("none of {n} rows has the event: a model needs at least one")]
    NoEvent { n: usize },
    #[error("{terms} terms on {n} rows are too many to fit: is a column an identifier?")]
    TooManyTerms { n: usize, terms: usize },
    #[error("{events} events at one time among {at_risk} rows are too many for exact ties: use efron")]
    TooManyTies { events: usize, at_risk: usize },
    #[error("the design has {design} rows, the follow-up {follow_up}")]
    Length { design: usize, follow_up: usize },
    #[error("Firth's penalty is not defined for exact ties: use efron or breslow")]
    FirthExact,
}

/// A chi-square test of the whole model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    pub chi2: f64,
    pub df: usize,
    pub p: f64,
}

impl Test {
    fn new(chi2: f64, df: usize) -> Option<Test> {
        (df > 0 && chi2.is_finite()).then(|| Test { chi2, df, p: chi2_sf(chi2, df as f64) })
    }
}

impl Term {
    pub fn z(&self) -> Option<f64> {
        Some(self.estimate? / self.se?)
    }

    /// Wald's two-sided p value.
    pub fn p(&self) -> Option<f64> {
        self.z().map(normal_two_sided)
    }

    pub fn hazard_ratio(&self) -> Option<f64> {
        self.estimate.map(f64::exp)
    }

    /// Wald's 95 % interval of the hazard ratio.
    pub fn hazard_ratio_wald(&self) -> Option<[f64; 2]> {
        let (estimate, se) = (self.estimate?, self.se?);
        Some([(estimate - Z_975 * se).exp(), (estimate + Z_975 * se).exp()])
    }
}

impl Fit {
    /// Terms that were estimated: the model's degrees of freedom.
    pub fn df(&self) -> usize {
        self.terms.iter().filter(|term| term.estimate.is_some() || self.is_undetermined(&term.name)).count()
    }

    /// The likelihood-ratio test of all terms.
    pub fn likelihood_ratio(&self) -> Option<Test> {
        Test::new(2.0 * (self.log_likelihood - self.null_log_likelihood), self.df())
    }

    pub fn score_test(&self) -> Option<Test> {
        Test::new(self.score?, self.df())
    }

    /// Wald's test of all terms; `None` where one is infinite.
    pub fn wald(&self) -> Option<Test> {
        let all: Vec<usize> = (0..self.terms.len()).filter(|&at| self.terms[at].estimate.is_some()).collect();
        self.wald_of(&all)
    }

    /// Wald's test that the terms at some places are all 0; `None` where one has no finite estimate.
    pub fn wald_of(&self, places: &[usize]) -> Option<Test> {
        let known = |&at: &usize| self.terms[at].se.and(self.terms[at].estimate);
        let b = DVector::from_vec(places.iter().map(known).collect::<Option<Vec<f64>>>()?);
        let v = DMatrix::from_fn(b.len(), b.len(), |i, j| self.covariance[[places[i], places[j]]]);
        Test::new(v.cholesky()?.solve(&b).dot(&b), b.len())
    }

    /// Events for each estimated term; `None` without terms.
    pub fn events_per_variable(&self) -> Option<f64> {
        (self.df() > 0).then(|| self.events as f64 / self.df() as f64)
    }

    pub fn term(&self, name: &str) -> Option<&Term> {
        self.terms.iter().find(|term| term.name == name)
    }

    /// The log hazard ratio of each row of a design against the means of the fitted rows; `None` where a term is
    /// infinite. Aliased terms add nothing.
    pub fn predictor(&self, design: &Design) -> Option<Vec<f64>> {
        let slopes: Vec<f64> = self.terms.iter().map(|term| term.estimate.unwrap_or(0.0)).collect();
        slopes.iter().all(|slope| slope.is_finite()).then(|| {
            let row = |row: ndarray::ArrayView1<f64>| row.iter().zip(&slopes).map(|(x, b)| x * b).sum::<f64>();
            design.x.outer_iter().map(|values| row(values) + self.centre).collect()
        })
    }

    /// The likelihood is monotone in a way that leaves the term without any estimate.
    pub fn is_undetermined(&self, name: &str) -> bool {
        let has =
            |warning: &Warning| matches!(warning, Warning::Undetermined { terms } if terms.iter().any(|it| it == name));
        self.warnings.iter().any(has)
    }

    pub fn is_monotone(&self) -> bool {
        self.warnings.iter().any(|warning| matches!(warning, Warning::Monotone { .. }))
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Warning::Monotone { terms } => {
                write!(f, "monotone likelihood: ")?;
                if terms.is_empty() {
                    write!(f, "several terms order the events, each without the others")?;
                }
                for (at, infinite) in terms.iter().enumerate() {
                    let (comma, sign) = (if at > 0 { ", " } else { "" }, if infinite.positive { '+' } else { '-' });
                    write!(f, "{comma}{} goes to {sign}infinity", infinite.term)?;
                }
                write!(f, "; Firth's penalized likelihood gives finite estimates")
            }
            Warning::Undetermined { terms } => {
                write!(f, "{}: undetermined, any coefficient fits as well beside the other terms", terms.join(", "))
            }
            Warning::Aliased { term, of } if of.is_empty() => write!(f, "{term} is constant and was left out"),
            Warning::Aliased { term, of } => {
                write!(f, "{term} is a linear combination of {} and was left out", of.join(", "))
            }
            Warning::NotConverged => write!(f, "the fit did not converge"),
        }
    }
}

/// The fitted coefficients in standardised units; `None` where one is not finite.
fn coordinates(standardised: &Standardised, fit: &Fit) -> Option<DVector<f64>> {
    let one = |(&at, sd): (&usize, &f64)| fit.terms[at].estimate.filter(|it| it.is_finite()).map(|b| b * sd);
    let Standardised { kept, sds, .. } = standardised;
    kept.iter().zip(sds).map(one).collect::<Option<Vec<f64>>>().map(DVector::from_vec)
}

/// Rows times squared terms of a step that takes a few seconds.
const MAX_OPERATIONS: usize = 500_000_000;
/// Subsets are added up one event and one row at a time; more than this takes minutes.
const MAX_EXACT: usize = 20_000_000;

/// Fits the hazard on every column of the design, within strata when given (one number a row).
pub fn fit(design: &Design, follow_up: &FollowUp, strata: Option<&[usize]>, params: Params) -> Result<Fit, FitError> {
    let (n, events, terms) = (follow_up.len(), follow_up.n_events(), design.columns.len());
    if design.x.nrows() != n {
        return Err(FitError::Length { design: design.x.nrows(), follow_up: n });
    }
    if events == 0 {
        return Err(FitError::NoEvent { n });
    }
    if n.saturating_mul(terms).saturating_mul(terms) > MAX_OPERATIONS {
        return Err(FitError::TooManyTerms { n, terms });
    }
    if params.ties == Ties::Exact && params.method == Method::Firth {
        return Err(FitError::FirthExact);
    }
    let (standardised, aliased) = Standardised::new(design);
    let prepared = Prepared::new(&standardised.z, follow_up, strata, params.ties);
    if params.ties == Ties::Exact {
        let work = |ties: &(usize, usize)| ties.0 * ties.1 * (1 + standardised.kept.len().pow(2));
        let worst = prepared.ties().max_by_key(work).filter(|ties| work(ties) > MAX_EXACT);
        if let Some((events, at_risk)) = worst {
            return Err(FitError::TooManyTies { events, at_risk });
        }
    }
    let mut fit = match params.method {
        Method::PartialLikelihood => partial(design, &standardised, &prepared, params),
        Method::Firth => firth::fit(design, &standardised, &prepared, params),
    };
    fit.warnings.extend(aliased.into_iter().filter_map(|warning| match warning {
        Aliasing::Aliased { term, of } => Some(Warning::Aliased { term, of }),
        _ => None,
    }));
    Ok(fit)
}

fn partial(design: &Design, standardised: &Standardised, prepared: &Prepared, params: Params) -> Fit {
    let k = standardised.kept.len();
    let null = prepared.at(&DVector::zeros(k));
    let score = null.information.clone().cholesky().map(|factor| factor.solve(&null.score).dot(&null.score));
    let solution = newton::maximise(prepared, DVector::zeros(k), &[]);
    let mut fit = assemble(design, standardised, prepared, params, &solution);
    (fit.null_log_likelihood, fit.score) = (null.log_likelihood, score);
    if let Some(direction) = monotone::direction(prepared, &solution) {
        monotone::mark(&mut fit, standardised, prepared, &direction, &solution);
    } else if !fit.converged {
        fit.warnings.push(Warning::NotConverged);
    }
    fit
}

/// The fit in the units of the design.
fn assemble(
    design: &Design,
    standardised: &Standardised,
    prepared: &Prepared,
    params: Params,
    solution: &newton::Solution,
) -> Fit {
    let position = |at: usize| standardised.kept.iter().position(|&kept| kept == at);
    let sd = |p: usize| standardised.sds[p];
    let term = |at: usize| Term {
        name: design.columns[at].clone(),
        estimate: position(at).map(|p| solution.coefficients[p] / sd(p)),
        se: position(at).map(|p| solution.covariance[(p, p)].sqrt() / sd(p)),
    };
    let between = |i: usize, j: usize| match (position(i), position(j)) {
        (Some(i), Some(j)) => solution.covariance[(i, j)] / sd(i) / sd(j),
        _ => 0.0,
    };
    let k = design.columns.len();
    let centre = (0..standardised.kept.len()).map(|p| -solution.coefficients[p] / sd(p) * standardised.means[p]).sum();
    Fit {
        params,
        n: prepared.n,
        events: prepared.n_events,
        terms: (0..k).map(term).collect(),
        covariance: Array2::from_shape_fn((k, k), |(i, j)| between(i, j)),
        log_likelihood: solution.log_likelihood,
        null_log_likelihood: 0.0,
        score: None,
        converged: solution.converged,
        warnings: Vec::new(),
        centre,
    }
}
