//! Cox models on clinical variables and the Rad-score, and the rule that chooses the variables.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::pipeline::clinical::Term;
use crate::pipeline::timed::Timed;
use crate::protocol::learn::Params as Learn;
use osteon_stats::stats::distribution::Z_975;
use osteon_stats::survival::cox::{self, Fit, FitError, Method, Params};
use osteon_stats::table::Design;

/// A fitted Cox model, as plain numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hazard {
    pub terms: Vec<String>,
    /// Log hazard ratios of one unit.
    pub coefficients: Vec<f64>,
    pub covariance: Vec<Vec<f64>>,
    /// What is added to the predictor to have it 0 at the means of the rows learnt from.
    pub centre: f64,
    /// Cumulative hazard at these means: time of an event, hazard up to and at it.
    pub baseline: Vec<[f64; 2]>,
    /// Rows with every term, and rows left out for a missing one.
    pub n: usize,
    pub n_missing: usize,
    pub n_events: usize,
    /// Smallest and largest value of each term in the rows learnt from.
    pub ranges: Vec<(f64, f64)>,
    pub notes: Vec<String>,
}

impl Hazard {
    /// Fits the times on the terms in `rows` that have them all, with Efron's ties; Firth's penalty where the likelihood
    /// is monotone.
    pub fn fit(timed: &Timed, terms: &[Term], rows: &[usize]) -> Result<Hazard, FitError> {
        let (complete, design) = design(timed, terms, rows);
        let Some(follow_up) = timed.follow_up.select(&complete) else { return Err(FitError::NoEvent { n: 0 }) };
        let mut fit = cox::fit(&design, &follow_up, None, Params::default())?;
        let mut notes: Vec<String> = fit.warnings.iter().map(ToString::to_string).collect();
        if fit.is_monotone() {
            fit = cox::fit(&design, &follow_up, None, Params { method: Method::Firth, ..Params::default() })?;
            notes.push("fitted with Firth's penalty".to_owned());
        }
        let steps = cox::baseline(&design, &follow_up, None, &fit).map(|found| found.strata[0].clone());
        let range = |column: ndarray::ArrayView1<f64>| {
            column.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)))
        };
        Ok(Hazard {
            terms: design.columns.clone(),
            coefficients: fit.terms.iter().map(|term| term.estimate.unwrap_or(0.0)).collect(),
            covariance: fit.covariance.rows().into_iter().map(|row| row.to_vec()).collect(),
            centre: fit.centre,
            baseline: steps.unwrap_or_default().iter().map(|step| [step.time, step.hazard]).collect(),
            n: complete.len(),
            n_missing: rows.len() - complete.len(),
            n_events: fit.events,
            ranges: design.x.columns().into_iter().map(range).collect(),
            notes,
        })
    }

    /// Log hazard ratio against the means of the rows learnt from; `None` where a value is missing.
    pub fn risk(&self, values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
        let values: Option<Vec<f64>> = values.collect();
        Some(self.coefficients.iter().zip(values?).fold(self.centre, |sum, (b, x)| sum + b * x))
    }

    /// Probability of no event up to a time; after the last event learnt from it stays where it is.
    pub fn survival(&self, risk: f64, time: f64) -> f64 {
        let passed = self.baseline.partition_point(|step| step[0] <= time);
        passed.checked_sub(1).map_or(1.0, |last| (-self.baseline[last][1] * risk.exp()).exp())
    }

    /// Hazard ratio of a term with Wald's 95 % interval and P; `None` where it was not estimated.
    pub fn ratio(&self, at: usize) -> Option<([f64; 3], f64)> {
        let (b, se) = (self.coefficients[at], self.covariance[at][at].sqrt());
        let p = osteon_stats::stats::distribution::normal_two_sided(b / se);
        (se > 0.0).then(|| ([b, b - Z_975 * se, b + Z_975 * se].map(f64::exp), p))
    }
}

/// The rows that have all terms, and their design.
fn design(timed: &Timed, terms: &[Term], rows: &[usize]) -> (Vec<usize>, Design) {
    let complete: Vec<usize> =
        rows.iter().copied().filter(|&row| terms.iter().all(|(_, values)| values[row].is_some())).collect();
    let value = |(i, j): (usize, usize)| terms[j].1[complete[i]].expect("a complete row");
    let design = Design {
        rows: complete.iter().map(|&row| timed.cohort.codes[row].clone()).collect(),
        columns: terms.iter().map(|(name, _)| name.clone()).collect(),
        x: Array2::from_shape_fn((complete.len(), terms.len()), value),
    };
    (complete, design)
}

/// The predictors that the protocol names, else those that the rule keeps: a univariable likelihood-ratio P below
/// `p_enter`, then a multivariable Wald P below `p_keep`; where none is, the one with the smallest P. `None` where no
/// candidate can be fitted.
pub fn predictors(timed: &Timed, train: &[usize], learn: &Learn) -> Option<Vec<String>> {
    let candidates: Vec<&str> = timed.cohort.clinical.columns().iter().map(|column| column.name.as_str()).collect();
    if !learn.clinical.is_empty() {
        return Some(learn.clinical.clone());
    }
    let fit = |names: &[&str]| {
        let terms: Vec<Term> = names.iter().flat_map(|name| timed.cohort.coded(name)).collect();
        let (complete, design) = design(timed, &terms, train);
        let found = cox::fit(&design, &timed.follow_up.select(&complete)?, None, Params::default());
        found.ok().filter(|fit: &Fit| fit.df() > 0)
    };
    let alone: Vec<(&str, f64)> =
        candidates.iter().filter_map(|name| fit(&[name])?.likelihood_ratio().map(|test| (*name, test.p))).collect();
    let smallest = |of: &[(&str, f64)]| {
        let best = of.iter().copied().reduce(|best, next| if next.1 < best.1 { next } else { best });
        best.map(|(name, _)| vec![name.to_owned()])
    };
    let entered: Vec<&str> = alone.iter().filter(|(_, p)| *p < learn.p_enter).map(|(name, _)| *name).collect();
    if entered.len() < 2 {
        return smallest(&alone);
    }
    let Some(together) = fit(&entered) else { return smallest(&alone) };
    let mut first = 0;
    let tested: Vec<(&str, f64)> = entered
        .iter()
        .filter_map(|name| {
            let k = timed.cohort.coded(name).len();
            let places: Vec<usize> = (first..first + k).filter(|&at| together.terms[at].estimate.is_some()).collect();
            first += k;
            together.wald_of(&places).map(|test| (*name, test.p))
        })
        .collect();
    let kept: Vec<String> =
        tested.iter().filter(|(_, p)| *p < learn.p_keep).map(|(name, _)| (*name).to_owned()).collect();
    if kept.is_empty() { smallest(&tested).or_else(|| smallest(&alone)) } else { Some(kept) }
}
