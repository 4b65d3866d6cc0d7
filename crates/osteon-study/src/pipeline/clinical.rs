//! Logistic models on clinical variables and the Rad-score, and the rule that chooses the variables.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::pipeline::cohort::Cohort;
use crate::protocol::Protocol;
use crate::protocol::learn::{ClinicalRule, Penalty};
use osteon_stats::model::logistic::ridge::ridge_by_aicc;
use osteon_stats::model::logistic::screen::choose;
use osteon_stats::model::logistic::{self, FitError, Method};
use osteon_stats::stats::distribution::{Z_975, t_quantile};
use osteon_stats::stats::rubin::Pooled;
use osteon_stats::table::Design;
use osteon_stats::table::encode::EncodeError;

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
    /// What Rubin's rules say of the intercept and each coefficient; empty without multiple imputation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pooled: Vec<Option<Pooled>>,
    /// The ridge penalty, where there was one; means over imputations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ridge: Option<Ridge>,
    pub notes: Vec<String>,
}

/// A ridge penalty that the corrected AIC chose.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ridge {
    pub penalty: f64,
    /// Effective degrees of freedom of the coefficients.
    pub df: f64,
}

/// A column of a model: its name and one value a patient of the cohort.
pub type Term = (String, Vec<Option<f64>>);

impl Logistic {
    /// Fits the event on the terms in `rows` that have them all; Firth's penalty where the terms separate the events.
    pub fn fit(cohort: &Cohort, terms: &[Term], rows: &[usize]) -> Result<Logistic, FitError> {
        Logistic::penalised(cohort, terms, rows, Penalty::None)
    }

    /// The same under a penalty; a ridge needs no other remedy for separation.
    pub fn penalised(cohort: &Cohort, terms: &[Term], rows: &[usize], penalty: Penalty) -> Result<Logistic, FitError> {
        let complete: Vec<usize> =
            rows.iter().copied().filter(|&row| terms.iter().all(|(_, values)| values[row].is_some())).collect();
        let value = |(i, j): (usize, usize)| terms[j].1[complete[i]].expect("a complete row");
        let design = Design {
            rows: complete.iter().map(|&row| cohort.codes[row].clone()).collect(),
            columns: terms.iter().map(|(name, _)| name.clone()).collect(),
            x: Array2::from_shape_fn((complete.len(), terms.len()), value),
        };
        let event = cohort.events(&complete);
        let mut ridge = None;
        let mut fit = match penalty {
            Penalty::None => logistic::fit(&design, &event, &logistic::Params::default())?,
            Penalty::Ridge => {
                let found = ridge_by_aicc(&design, &event, &levels(&design.columns))?;
                ridge = Some(Ridge { penalty: found.penalty, df: found.df });
                found.fit
            }
        };
        let mut notes: Vec<String> = fit.warnings.iter().map(ToString::to_string).collect();
        if penalty == Penalty::None && fit.is_separated() {
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
            pooled: Vec::new(),
            ridge,
            notes,
        })
    }

    /// The ridge penalty and how it was chosen; `None` for a fit without one.
    pub fn ridge_in_words(&self) -> Option<String> {
        let Ridge { penalty, df } = self.ridge?;
        let means = if self.pooled.is_empty() { "" } else { ", means over imputations" };
        Some(format!(
            "a ridge penalty of {penalty:.3} by the corrected AIC ({df:.1} effective degrees of freedom for {} coefficients\
             {means})",
            self.terms.len()
        ))
    }

    pub fn linear_predictor(&self, values: &[f64]) -> f64 {
        self.coefficients.iter().zip(values).fold(self.intercept, |sum, (b, x)| sum + b * x)
    }

    pub fn probability(&self, values: &[f64]) -> f64 {
        1.0 / (1.0 + (-self.linear_predictor(values)).exp())
    }

    /// What stands for 1.96 in an interval of the linear predictor: under multiple imputation the quantile of t with the
    /// fewest degrees of freedom among its coefficients (Barnard and Rubin 1999), which no combination of them has less
    /// of in practice; the normal one otherwise.
    pub fn quantile(&self) -> f64 {
        self.fewest_df().and_then(|df| t_quantile(0.975, df)).unwrap_or(Z_975)
    }

    /// How the interval of a probability is made.
    pub fn interval_in_words(&self) -> String {
        let by = self.fewest_df().map_or(String::new(), |df| {
            format!(" (t with {df:.1} degrees of freedom, the fewest of the pooled coefficients)")
        });
        format!("interval: Wald's on the linear predictor{by}, the Rad-score taken as known")
    }

    fn fewest_df(&self) -> Option<f64> {
        self.pooled.iter().flatten().map(|pooled| pooled.df).reduce(f64::min)
    }

    /// 95 % interval of the probability: Wald's on the linear predictor.
    pub fn interval(&self, values: &[f64]) -> (f64, f64) {
        let x: Vec<f64> = std::iter::once(1.0).chain(values.iter().copied()).collect();
        let inner = |row: &Vec<f64>| row.iter().zip(&x).map(|(c, x)| c * x).sum::<f64>();
        let variance: f64 = self.covariance.iter().zip(&x).map(|(row, x)| x * inner(row)).sum();
        let (eta, half) = (self.linear_predictor(values), self.quantile() * variance.max(0.0).sqrt());
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

/// The columns of each variable with levels: `name=level` one after the other.
fn levels(columns: &[String]) -> Vec<std::ops::Range<usize>> {
    let variable = |at: usize| columns[at].split_once('=').map(|(name, _)| name);
    let mut found: Vec<std::ops::Range<usize>> = Vec::new();
    for at in (0..columns.len()).filter(|&at| variable(at).is_some()) {
        match found.last_mut().filter(|last| last.end == at && variable(last.start) == variable(at)) {
            Some(last) => last.end = at + 1,
            None => found.push(at..at + 1),
        }
    }
    found
}

/// Columns of the named variables.
pub fn terms(cohort: &Cohort, variables: &[String]) -> Vec<Term> {
    variables.iter().flat_map(|variable| cohort.coded(variable)).collect()
}

/// The clinical predictors: those the protocol names, or by its rule from `rows` alone, as Table 4 shows it.
pub fn predictors(cohort: &Cohort, rows: &[usize], protocol: &Protocol) -> Result<Vec<String>, EncodeError> {
    if !protocol.learn.clinical.is_empty() {
        return Ok(protocol.learn.clinical.clone());
    }
    let columns = cohort.clinical.columns();
    if protocol.learn.clinical_rule == ClinicalRule::All {
        return Ok(columns.iter().map(|column| column.name.clone()).collect());
    }
    let known = |name: &&&str| columns.iter().any(|column| column.name == **name);
    let declared = protocol.candidates();
    let others = columns.iter().map(|column| column.name.as_str()).filter(|name| !declared.contains(name));
    let candidates: Vec<&str> = declared.iter().filter(known).copied().chain(others).collect();
    let event = |row: usize| cohort.event[row];
    Ok(choose(&cohort.clinical, &candidates, rows, event, &protocol.choice(), &protocol.logistic)?.chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_under_imputation_is_that_of_t_with_the_fewest_degrees_of_freedom() {
        let pooled = |df| Some(Pooled { estimate: 0.0, within: 1.0, between: 0.0, total: 1.0, df, fmi: 0.0 });
        let mut fit = Logistic {
            terms: vec!["x".to_owned()],
            intercept: 0.25,
            coefficients: vec![0.5],
            covariance: vec![vec![0.04, 0.0], vec![0.0, 0.0]],
            n: 20,
            n_missing: 0,
            n_events: 9,
            ranges: vec![(0.0, 1.0)],
            fill: Vec::new(),
            pooled: vec![pooled(12.0), pooled(5.0)],
            ridge: None,
            notes: Vec::new(),
        };
        // R 4.2.2: plogis(0.75 + c(-1, 1) * qt(0.975, 5) * 0.2); plogis(0.75 + c(-1, 1) * qnorm(0.975) * 0.2).
        let close = |found: (f64, f64), low: f64, high: f64| {
            assert!((found.0 - low).abs() < 1e-9 && (found.1 - high).abs() < 1e-9, "{found:?}");
        };
        close(fit.interval(&[1.0]), 0.558698987323080, 0.779733903502324);
        assert!(fit.interval_in_words().contains("t with 5.0 degrees of freedom"));
        fit.pooled.clear();
        close(fit.interval(&[1.0]), 0.588557948669616, 0.758045331009600);
    }
}
