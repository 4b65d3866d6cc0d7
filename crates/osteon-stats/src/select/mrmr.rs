//! Minimum redundancy, maximum relevance: greedy choice of features that tell of the event and not of each other.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::select::mutual::{CountLog, States, discretise};
use osteon_base::setting::{self, Unfit};

/// How mRMR weighs features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    pub method: Method,
    /// How many features are kept at most.
    pub n_features: usize,
    /// How `mid` and `miq` cut a feature into states.
    pub bins: Bins,
    /// t of `bins = "mean_sd"`.
    pub sd_multiple: f64,
    /// Number of states of `bins = "quantiles"`.
    pub n_quantiles: usize,
}

/// Relevance and redundancy, and how they are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// F statistic over mean absolute correlation (at least 0.001), as mrmr-selection.
    Fcq,
    /// F statistic minus mean absolute correlation.
    Fcd,
    /// Mutual information with the event minus mean mutual information with those chosen.
    Mid,
    /// Mutual information with the event over (mean mutual information with those chosen + 0.01), as Peng's miq.
    Miq,
    /// As `mid`, mutual information from correlations as if Gaussian, as mRMRe.
    MidGauss,
}

/// States of a feature for `mid` and `miq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bins {
    /// Below mean − t SD, between, above mean + t SD.
    MeanSd,
    /// Equal frequencies.
    Quantiles,
}

impl Params {
    /// Names a setting that no run could use.
    pub fn check(&self) -> Result<(), Unfit> {
        setting::at_least("n_features", self.n_features, 1)?;
        setting::above_zero("sd_multiple", self.sd_multiple)?;
        setting::at_least("n_quantiles", self.n_quantiles, 2)
    }
}

impl Default for Params {
    fn default() -> Self {
        Params { method: Method::Miq, n_features: 50, bins: Bins::MeanSd, sd_multiple: 1.0, n_quantiles: 5 }
    }
}

/// Positions of the chosen columns of `x` (rows x columns) and the score each was chosen at, best first.
/// Of equal scores the lower position wins; a constant column is chosen after all others.
pub fn order(x: ArrayView2<f64>, event: &[bool], params: &Params) -> Vec<(usize, f64)> {
    match params.method {
        Method::Fcq | Method::Fcd => by_f(x, &f_statistics(x, event), params),
        Method::MidGauss => by_gauss(x, &event.iter().map(|&event| f64::from(event)).collect::<Vec<_>>(), params),
        Method::Mid | Method::Miq => {
            by_information(x, &event.iter().map(|&event| usize::from(event)).collect::<Vec<_>>(), params)
        }
    }
}

/// The same for an outcome in numbers, the martingale residuals of a time for instance: F is that of its regression on
/// a column, which for an event is the same as of two groups, and states of the outcome are made as those of a column.
pub fn order_of(x: ArrayView2<f64>, outcome: &[f64], params: &Params) -> Vec<(usize, f64)> {
    match params.method {
        Method::Fcq | Method::Fcd => by_f(x, &regression_f(x, outcome), params),
        Method::MidGauss => by_gauss(x, outcome, params),
        Method::Mid | Method::Miq => by_information(x, &discretise(ArrayView1::from(outcome), params), params),
    }
}

fn by_f(x: ArrayView2<f64>, relevance: &[f64], params: &Params) -> Vec<(usize, f64)> {
    let units = unit_columns(x);
    let correlation = |a: usize, b: usize| units.row(a).dot(&units.row(b));
    let n = params.n_features;
    match params.method {
        Method::Fcq => {
            let redundancy = |a, b| correlation(a, b).abs().max(0.001);
            // A copy of everything chosen brings nothing.
            let combine: Combine = |f, r| if r >= 1.0 - 1e-15 { 0.0 } else { f / r };
            greedy(relevance, &redundancy, combine, n)
        }
        _ => greedy(relevance, &|a, b| correlation(a, b).abs(), |f, r| f - r, n),
    }
}

fn by_gauss(x: ArrayView2<f64>, outcome: &[f64], params: &Params) -> Vec<(usize, f64)> {
    let units = unit_columns(x);
    let y = Array2::from_shape_fn((outcome.len(), 1), |(i, _)| outcome[i]);
    let outcome = unit_columns(y.view());
    let information = |r: f64| -0.5 * (1.0 - r * r).max(1e-300).ln();
    let relevance: Vec<f64> = units.rows().into_iter().map(|x| information(x.dot(&outcome.row(0)))).collect();
    let redundancy = |a: usize, b: usize| information(units.row(a).dot(&units.row(b)));
    greedy(&relevance, &redundancy, |i, r| i - r, params.n_features)
}

fn by_information(x: ArrayView2<f64>, outcome: &[usize], params: &Params) -> Vec<(usize, f64)> {
    let log = CountLog::up_to(outcome.len());
    let columns: Vec<_> = x.axis_iter(Axis(1)).collect();
    let states: Vec<States> = columns.par_iter().map(|column| log.states(&discretise(*column, params))).collect();
    let outcome = log.states(outcome);
    let relevance: Vec<f64> = states.iter().map(|states| log.information(states, &outcome)).collect();
    let combine: Combine = match params.method {
        Method::Miq => |relevance, redundancy| relevance / (redundancy + 0.01),
        _ => |relevance, redundancy| relevance - redundancy,
    };
    greedy(&relevance, &|a, b| log.information(&states[a], &states[b]), combine, params.n_features)
}

/// Score from relevance and mean redundancy.
type Combine = fn(f64, f64) -> f64;

fn greedy(
    relevance: &[f64],
    redundancy: &(dyn Fn(usize, usize) -> f64 + Sync),
    combine: Combine,
    n: usize,
) -> Vec<(usize, f64)> {
    let mut chosen: Vec<(usize, f64)> = Vec::new();
    let mut rest: Vec<usize> = (0..relevance.len()).collect();
    let mut sums = vec![0.0; relevance.len()];
    while chosen.len() < n && !rest.is_empty() {
        if let Some(&(last, _)) = chosen.last() {
            let added: Vec<f64> = rest.par_iter().with_min_len(256).map(|&j| redundancy(j, last)).collect();
            rest.iter().zip(added).for_each(|(&j, value)| sums[j] += value);
        }
        let score = |j: usize| match chosen.len() {
            0 => relevance[j],
            n => combine(relevance[j], sums[j] / n as f64),
        };
        let best = rest.iter().map(|&j| (j, score(j))).reduce(|best, next| if next.1 > best.1 { next } else { best });
        let best = best.expect("something is left");
        rest.retain(|&j| j != best.0);
        chosen.push(best);
    }
    chosen
}

/// One-way analysis of variance of each column by event; 0 where the column is constant.
pub fn f_statistics(x: ArrayView2<f64>, event: &[bool]) -> Vec<f64> {
    let n = event.len() as f64;
    let n1 = event.iter().filter(|&&event| event).count() as f64;
    let statistic = |column: ArrayView1<f64>| {
        let mean_of = |class: bool, count: f64| {
            column.iter().zip(event).filter(|(_, event)| **event == class).map(|(value, _)| value).sum::<f64>() / count
        };
        let (m0, m1, mean) = (mean_of(false, n - n1), mean_of(true, n1), column.sum() / n);
        let between = (n - n1) * (m0 - mean).powi(2) + n1 * (m1 - mean).powi(2);
        let own = |event: bool| if event { m1 } else { m0 };
        let within: f64 = column.iter().zip(event).map(|(value, &event)| (value - own(event)).powi(2)).sum();
        if between == 0.0 { 0.0 } else { between / (within / (n - 2.0)) }
    };
    x.axis_iter(Axis(1)).map(statistic).collect()
}

/// F of the regression of an outcome on each column; 0 where one of them is constant.
fn regression_f(x: ArrayView2<f64>, outcome: &[f64]) -> Vec<f64> {
    let y = Array2::from_shape_fn((outcome.len(), 1), |(i, _)| outcome[i]);
    let (units, outcome) = (unit_columns(x), unit_columns(y.view()));
    let statistic = |column: ArrayView1<f64>| {
        let r = column.dot(&outcome.row(0));
        if r == 0.0 { 0.0 } else { r * r / ((1.0 - r * r).max(1e-300) / (outcome.len() as f64 - 2.0)) }
    };
    units.rows().into_iter().map(statistic).collect()
}

/// Columns x rows, each centred and of length 1 (0 for a constant column): inner products are correlations.
fn unit_columns(x: ArrayView2<f64>) -> Array2<f64> {
    let mut units = x.t().as_standard_layout().into_owned();
    for mut column in units.rows_mut() {
        let mean = column.sum() / column.len() as f64;
        column.mapv_inplace(|value| value - mean);
        let length = column.iter().map(|value| value * value).sum::<f64>().sqrt();
        column.mapv_inplace(|value| if length > 0.0 { value / length } else { 0.0 });
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn an_event_as_a_number_gives_the_order_of_the_event() {
        let x = Array2::from_shape_fn((24, 6), |(i, j)| ((i * (3 * j + 5) + j * j) % 17) as f64);
        let event: Vec<bool> = (0..24).map(|i| (i * 7) % 5 < 2).collect();
        let number: Vec<f64> = event.iter().map(|&event| f64::from(event)).collect();
        for method in [Method::Fcq, Method::Fcd, Method::MidGauss] {
            let params = Params { method, ..Params::default() };
            let (own, other) = (order(x.view(), &event, &params), order_of(x.view(), &number, &params));
            for (own, other) in own.iter().zip(&other) {
                assert_eq!(own.0, other.0, "{method:?}");
                assert!((own.1 - other.1).abs() < 1e-9 * own.1.abs().max(1.0), "{method:?} {own:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_copy_and_a_constant_come_last() {
        let x = array![[1.0, 1.0, 5.0, 0.3], [2.0, 2.0, 5.0, 0.9], [3.5, 3.5, 5.0, 0.1], [4.0, 4.0, 5.0, 0.5]];
        let event = [false, false, true, true];
        for method in [Method::Fcq, Method::Mid, Method::MidGauss] {
            let chosen = order(x.view(), &event, &Params { method, sd_multiple: 0.5, ..Params::default() });
            assert_eq!(chosen[0].0, 0, "{method:?}");
            assert_eq!(chosen.len(), 4);
            assert!(chosen.iter().all(|(_, score)| score.is_finite()), "{method:?} {chosen:?}");
        }
    }
}
