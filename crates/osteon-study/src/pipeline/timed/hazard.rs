//! Cox models on clinical variables and the Rad-score, and the rule that chooses the variables.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::pipeline::clinical::Term;
use crate::pipeline::missing::completed;
use crate::pipeline::timed::pooling::pool;
use crate::pipeline::timed::{Timed, cumulative_hazards};
use crate::protocol::learn::{ClinicalRule, Params as Learn};
use osteon_base::seed::Seed;
use osteon_stats::stats::distribution::{Z_975, normal_two_sided, t_quantile, t_two_sided};
use osteon_stats::stats::rubin::Pooled;
use osteon_stats::survival::cox::{self, Fit, FitError, LogHazard, Method, Params};
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
    /// Variables that rows left out lack, and how many do; one row may lack several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacking: Vec<(String, usize)>,
    /// What stands for a missing value of each term; none where a patient without it gets no prediction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fill: Vec<Option<f64>>,
    /// What Rubin's rules say of each coefficient; empty without multiple imputation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pooled: Vec<Option<Pooled>>,
    /// The cumulative hazard at each stated time; none where no event came before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<Option<AtTime>>,
}

/// ln of the cumulative hazard at a time: `intercept` plus the linear predictor without its centre.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtTime {
    pub time: f64,
    pub intercept: f64,
    /// Of the intercept, then the coefficients.
    pub covariance: Vec<Vec<f64>>,
}

impl Hazard {
    /// Fits the times on the terms in `rows` that have them all, with Efron's ties; Firth's penalty where the likelihood
    /// is monotone. Survival is stated at `horizons`.
    pub fn fit(timed: &Timed, terms: &[Term], rows: &[usize], horizons: &[f64]) -> Result<Hazard, FitError> {
        let (complete, design) = design(timed, terms, rows);
        let Some(follow_up) = timed.follow_up.select(&complete) else { return Err(FitError::NoEvent { n: 0 }) };
        let mut fit = cox::fit(&design, &follow_up, None, Params::default())?;
        let mut notes: Vec<String> = fit.warnings.iter().map(ToString::to_string).collect();
        if fit.is_monotone() {
            fit = cox::fit(&design, &follow_up, None, Params { method: Method::Firth, ..Params::default() })?;
            notes.push("fitted with Firth's penalty".to_owned());
        }
        let baseline = cox::baseline(&design, &follow_up, None, &fit);
        let at = |&time: &f64| {
            let LogHazard { intercept, covariance } = baseline.as_ref()?.log_hazard(0, time)?;
            Some(AtTime { time, intercept, covariance })
        };
        let at = horizons.iter().map(at).collect();
        let steps = baseline.as_ref().map(|found| found.strata[0].clone());
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
            lacking: lacking(terms, rows),
            fill: Vec::new(),
            pooled: Vec::new(),
            at,
        })
    }

    /// The same on clinical `variables` after the terms of `head`, whose missing values are treated as the study says:
    /// left out, filled, or imputed and pooled. The imputation knows the event and the cumulative hazard at each row's time
    /// (White and Royston 2009).
    pub fn of_variables(
        timed: &Timed,
        head: Option<Term>,
        variables: &[String],
        rows: &[usize],
        horizons: &[f64],
        params: &Learn,
        seed: Seed,
    ) -> Result<Hazard, FitError> {
        let event = timed.cohort.event.iter().map(|&event| f64::from(u8::from(event))).collect();
        let hazards = cumulative_hazards(&timed.times_of(rows), timed.follow_up.times());
        let head_of = head.clone();
        let done = completed(&timed.cohort, &[event, hazards], head, variables, rows, params, seed);
        let one = |terms: &Vec<Term>| Hazard::fit(timed, terms, &done.rows, horizons);
        let mut fits = done.sets.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        let mut fitted = if done.is_imputed { pool(&fits) } else { fits.swap_remove(0) };
        if let Some((name, values)) = head_of.filter(|_| done.rows.len() < rows.len()) {
            let n = rows.iter().filter(|&&row| values[row].is_none()).count();
            fitted.n_missing += n;
            fitted.lacking.insert(0, (name, n));
        }
        fitted.notes.extend(done.note);
        if done.fill.iter().any(Option::is_some) {
            fitted.fill = done.fill;
        }
        Ok(fitted)
    }

    /// Log hazard ratio against the means of the rows learnt from; `None` where a value is missing.
    pub fn risk(&self, values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
        let fill = self.fill.iter().copied().chain(std::iter::repeat(None));
        let values: Option<Vec<f64>> = values.zip(fill).map(|(value, fill)| value.or(fill)).collect();
        Some(self.coefficients.iter().zip(values?).fold(self.centre, |sum, (b, x)| sum + b * x))
    }

    /// Probability of no event up to a time; after the last event learnt from it stays where it is.
    pub fn survival(&self, risk: f64, time: f64) -> f64 {
        let passed = self.baseline.partition_point(|step| step[0] <= time);
        passed.checked_sub(1).map_or(1.0, |last| (-self.baseline[last][1] * risk.exp()).exp())
    }

    /// Probability of no event by the horizon at a position, with its 95 % interval: Wald's on the log-log scale, the
    /// Rad-score taken as known. `None` for a fit that kept no uncertainty of its survival.
    pub fn survival_with_interval(&self, at: usize, values: &[f64]) -> Option<[f64; 3]> {
        let Some(line) = self.at.get(at)? else { return Some([1.0; 3]) };
        let eta = self.coefficients.iter().zip(values).fold(line.intercept, |sum, (b, x)| sum + b * x);
        let x: Vec<f64> = std::iter::once(1.0).chain(values.iter().copied()).collect();
        let inner = |row: &Vec<f64>| row.iter().zip(&x).map(|(c, x)| c * x).sum::<f64>();
        let variance: f64 = line.covariance.iter().zip(&x).map(|(row, x)| x * inner(row)).sum();
        let half = Z_975 * variance.max(0.0).sqrt();
        Some([eta, eta + half, eta - half].map(|eta| (-eta.exp()).exp()))
    }

    /// Hazard ratio of a term with Wald's 95 % interval and P; `None` where it was not estimated. Under multiple imputation
    /// both are of t with Barnard and Rubin's degrees of freedom.
    pub fn ratio(&self, at: usize) -> Option<([f64; 3], f64)> {
        let (b, se) = (self.coefficients[at], self.covariance[at][at].sqrt());
        let df = self.pooled.get(at).copied().flatten().map(|pooled| pooled.df);
        let quantile = df.and_then(|df| t_quantile(0.975, df)).unwrap_or(Z_975);
        let p = df.map_or_else(|| normal_two_sided(b / se), |df| t_two_sided(b / se, df));
        (se > 0.0).then(|| ([b, b - quantile * se, b + quantile * se].map(f64::exp), p))
    }

    /// Who was left out for a missing value, by what is missing; `None` where nobody was.
    pub fn left_out(&self) -> Option<String> {
        let of: Vec<String> = self.lacking.iter().map(|(name, n)| format!("{name} {n}")).collect();
        let by = if of.is_empty() { String::new() } else { format!(" ({})", of.join(", ")) };
        (self.n_missing > 0).then(|| format!("{} training patients left out, a value is missing{by}", self.n_missing))
    }
}

/// The variables that rows lack, in the order of the terms, with how many rows.
fn lacking(terms: &[Term], rows: &[usize]) -> Vec<(String, usize)> {
    let mut found: Vec<(String, usize)> = Vec::new();
    for (name, values) in terms {
        let (variable, n) = (variable_of(name), rows.iter().filter(|&&row| values[row].is_none()).count());
        if n > 0 && found.last().is_none_or(|(last, _)| last != variable) {
            found.push((variable.to_owned(), n));
        }
    }
    found
}

/// The variables that keep a row from a prediction by the terms; `fill` has one value a term.
pub fn missing_of<'a>(terms: &'a [Term], fill: &[Option<f64>], row: usize) -> Vec<&'a str> {
    let is_hole = |at: &usize| terms[*at].1[row].is_none() && fill.get(*at).copied().flatten().is_none();
    let mut names: Vec<&str> = (0..terms.len()).filter(is_hole).map(|at| variable_of(&terms[at].0)).collect();
    names.dedup();
    names
}

/// The variable of a term: `site` of `site=femur`.
fn variable_of(term: &str) -> &str {
    term.split_once('=').map_or(term, |(name, _)| name)
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
/// `p_enter`, then a multivariable Wald P below `p_keep`; where none is, the one with the smallest P; or every candidate
/// where `clinical_rule` says so. `None` where no candidate can be fitted.
pub fn predictors(timed: &Timed, train: &[usize], learn: &Learn) -> Option<Vec<String>> {
    let candidates: Vec<&str> = timed.cohort.clinical.columns().iter().map(|column| column.name.as_str()).collect();
    if !learn.clinical.is_empty() {
        return Some(learn.clinical.clone());
    }
    if learn.clinical_rule == ClinicalRule::All {
        return (!candidates.is_empty()).then(|| candidates.iter().map(|&name| name.to_owned()).collect());
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
