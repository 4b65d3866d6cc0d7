//! Logistic models on clinical variables and the Rad-score, and the rule that chooses the variables.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::pipeline::cohort::Cohort;
use crate::protocol::learn::Params;
use osteon_stats::model::logistic::{self, FitError, Method};
use osteon_stats::stats::distribution::{Z_975, chi2_sf};
use osteon_stats::table::Design;

/// A fitted logistic model, as plain numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Logistic {
    pub terms: Vec<String>,
    pub intercept: f64,
    pub coefficients: Vec<f64>,
    /// Intercept first.
    pub covariance: Vec<Vec<f64>>,
    /// Rows with every term, and rows left out for a missing one.
    pub n: usize,
    pub n_missing: usize,
    pub n_events: usize,
    /// Smallest and largest value of each term in the training rows.
    pub ranges: Vec<(f64, f64)>,
    /// What stands for a missing value of each term; none where a patient without it gets no probability.
    #[serde(default)]
    pub fill: Vec<Option<f64>>,
    pub notes: Vec<String>,
}

/// A column of a model: its name and one value a patient of the cohort.
pub type Term = (String, Vec<Option<f64>>);

impl Logistic {
    /// Fits the event on the terms in `rows` that have them all; Firth's penalty where the terms separate the events.
    pub fn fit(cohort: &Cohort, terms: &[Term], rows: &[usize]) -> Result<Logistic, FitError> {
        let complete: Vec<usize> =
            rows.iter().copied().filter(|&row| terms.iter().all(|(_, values)| values[row].is_some())).collect();
        let value = |(i, j): (usize, usize)| terms[j].1[complete[i]].expect("a complete row");
        let design = Design {
            rows: complete.iter().map(|&row| cohort.codes[row].clone()).collect(),
            columns: terms.iter().map(|(name, _)| name.clone()).collect(),
            x: Array2::from_shape_fn((complete.len(), terms.len()), value),
        };
        let event = cohort.events(&complete);
        let mut fit = logistic::fit(&design, &event, &logistic::Params::default())?;
        let mut notes: Vec<String> = fit.warnings.iter().map(ToString::to_string).collect();
        if fit.is_separated() {
            let params = logistic::Params { method: Method::Firth, ..logistic::Params::default() };
            fit = logistic::fit(&design, &event, &params)?;
            notes.push("fitted with Firth's penalty".to_owned());
        }
        let estimate = |at: usize| fit.terms[at].estimate.unwrap_or(0.0);
        let range = |column: ndarray::ArrayView1<f64>| {
            column.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)))
        };
        Ok(Logistic {
            terms: design.columns.clone(),
            intercept: estimate(0),
            coefficients: (1..=terms.len()).map(estimate).collect(),
            covariance: fit.covariance.rows().into_iter().map(|row| row.to_vec()).collect(),
            n: complete.len(),
            n_missing: rows.len() - complete.len(),
            n_events: event.iter().filter(|&&event| event).count(),
            ranges: design.x.columns().into_iter().map(range).collect(),
            fill: vec![None; terms.len()],
            notes,
        })
    }

    pub fn linear_predictor(&self, values: &[f64]) -> f64 {
        self.coefficients.iter().zip(values).fold(self.intercept, |sum, (b, x)| sum + b * x)
    }

    pub fn probability(&self, values: &[f64]) -> f64 {
        1.0 / (1.0 + (-self.linear_predictor(values)).exp())
    }

    /// 95 % interval of the probability: Wald's on the linear predictor.
    pub fn interval(&self, values: &[f64]) -> (f64, f64) {
        let x: Vec<f64> = std::iter::once(1.0).chain(values.iter().copied()).collect();
        let inner = |row: &Vec<f64>| row.iter().zip(&x).map(|(c, x)| c * x).sum::<f64>();
        let variance: f64 = self.covariance.iter().zip(&x).map(|(row, x)| x * inner(row)).sum();
        let (eta, half) = (self.linear_predictor(values), Z_975 * variance.max(0.0).sqrt());
        let p = |eta: f64| 1.0 / (1.0 + (-eta).exp());
        (p(eta - half), p(eta + half))
    }

    /// Probability from one value a term; `None` where a value is missing and nothing stands for it.
    pub fn score(&self, values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
        let fill = self.fill.iter().copied().chain(std::iter::repeat(None));
        let values: Option<Vec<f64>> = values.zip(fill).map(|(value, fill)| value.or(fill)).collect();
        Some(self.probability(&values?))
    }

    /// Probabilities of patients.
    pub fn scores(&self, terms: &[Term], rows: &[usize]) -> Vec<Option<f64>> {
        rows.iter().map(|&row| self.score(terms.iter().map(|(_, values)| values[row]))).collect()
    }
}

/// Columns of the named variables.
pub fn terms(cohort: &Cohort, variables: &[String]) -> Vec<Term> {
    variables.iter().flat_map(|variable| cohort.coded(variable)).collect()
}

/// The clinical predictors: those the protocol names, or by its rule from `rows` alone.
pub fn predictors(cohort: &Cohort, rows: &[usize], params: &Params) -> Vec<String> {
    if !params.clinical.is_empty() {
        return params.clinical.clone();
    }
    let names = cohort.clinical.columns().iter().map(|column| column.name.clone());
    let mut univariate: Vec<(String, f64)> =
        names.filter_map(|name| p_value(cohort, rows, std::slice::from_ref(&name), 0).map(|p| (name, p))).collect();
    univariate.sort_by(|a, b| a.1.total_cmp(&b.1));
    let entered: Vec<String> =
        univariate.iter().filter(|(_, p)| *p < params.p_enter).map(|(name, _)| name.clone()).collect();
    let Some((smallest, _)) = univariate.first() else { return Vec::new() };
    if entered.is_empty() {
        return vec![smallest.clone()];
    }
    let together: Vec<(usize, f64)> =
        (0..entered.len()).filter_map(|at| p_value(cohort, rows, &entered, at).map(|p| (at, p))).collect();
    let kept: Vec<String> =
        together.iter().filter(|(_, p)| *p < params.p_keep).map(|(at, _)| entered[*at].clone()).collect();
    match together.iter().min_by(|a, b| a.1.total_cmp(&b.1)) {
        _ if !kept.is_empty() => kept,
        Some((at, _)) => vec![entered[*at].clone()],
        None => vec![smallest.clone()],
    }
}

/// p of the variable at `at` in a model of all: Wald's for one column, the likelihood ratio's for more or under separation.
fn p_value(cohort: &Cohort, rows: &[usize], variables: &[String], at: usize) -> Option<f64> {
    let all = terms(cohort, variables);
    let own = cohort.coded(&variables[at]);
    let complete: Vec<usize> = rows.iter().copied().filter(|&row| all.iter().all(|(_, v)| v[row].is_some())).collect();
    let fit = |terms: &[&Term]| {
        let value = |(i, j): (usize, usize)| terms[j].1[complete[i]].expect("a complete row");
        let x = Array2::from_shape_fn((complete.len(), terms.len()), value);
        let design = Design {
            rows: complete.iter().map(|&row| cohort.codes[row].clone()).collect(),
            columns: terms.iter().map(|(name, _)| name.clone()).collect(),
            x,
        };
        logistic::fit(&design, &cohort.events(&complete), &logistic::Params::default()).ok()
    };
    let full = fit(&all.iter().collect::<Vec<_>>())?;
    if own.len() == 1
        && let Some(p) = full.term(&own[0].0).and_then(logistic::Term::p)
    {
        return Some(p);
    }
    let others: Vec<&Term> = all.iter().filter(|(name, _)| own.iter().all(|(mine, _)| mine != name)).collect();
    let reduced = if others.is_empty() { full.null_log_likelihood } else { fit(&others)?.log_likelihood };
    Some(chi2_sf((2.0 * (full.log_likelihood - reduced)).max(0.0), own.len() as f64))
}
