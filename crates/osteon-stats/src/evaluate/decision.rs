//! Decision curves (Vickers and Elkin 2006): what acting on a probability is worth, in true positives.

use rayon::prelude::*;

use crate::evaluate::bootstrap::{Params, percentile, plain};
use crate::stats::distribution::Z_975;
use osteon_base::job::{Cancelled, Job};
use osteon_base::seed::Seed;

/// Net benefit at one threshold probability, per patient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetBenefit {
    pub threshold: f64,
    /// Acting on probabilities of at least the threshold.
    pub model: f64,
    /// Acting on everybody; acting on nobody is worth 0.
    pub all: f64,
    pub true_positives: usize,
    pub false_positives: usize,
    /// Actions avoided per 100 patients without missing an event more than acting on everybody.
    pub avoided_per_100: f64,
}

/// One value a threshold, which lies between 0 and 1.
pub fn curve(event: &[bool], p: &[f64], thresholds: &[f64]) -> Vec<NetBenefit> {
    let n = p.len() as f64;
    let prevalence = event.iter().filter(|&&event| event).count() as f64 / n;
    let at = |&threshold: &f64| {
        let positive =
            |class: bool| event.iter().zip(p).filter(|(event, p)| **event == class && **p >= threshold).count();
        let (true_positives, false_positives) = (positive(true), positive(false));
        let odds = threshold / (1.0 - threshold);
        let model = true_positives as f64 / n - false_positives as f64 / n * odds;
        let all = prevalence - (1.0 - prevalence) * odds;
        let avoided_per_100 = 100.0 * (model - all) / odds;
        NetBenefit { threshold, model, all, true_positives, false_positives, avoided_per_100 }
    };
    thresholds.iter().map(at).collect()
}

/// A net benefit, or a difference of two, with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uncertain {
    pub threshold: f64,
    pub value: f64,
    /// A net benefit is the mean of one value a patient: its standard error is that of a mean.
    pub se: f64,
    /// Percentiles of the bootstrap; Wald's limits where it was left out.
    pub ci: [f64; 2],
}

/// Above this size the limits are Wald's: the mean of so many values is normal.
pub const BOOTSTRAP_ROWS: usize = 5000;

/// Net benefit with 95 % limits at each threshold, over resamples of all rows: the share of events is uncertain too.
pub fn benefits(
    event: &[bool],
    p: &[f64],
    thresholds: &[f64],
    params: &Params,
    seed: Seed,
    job: &Job,
) -> Result<Vec<Uncertain>, Cancelled> {
    let values = thresholds.iter().map(|&threshold| worths(event, p, threshold)).collect();
    uncertain(thresholds, values, params, seed, job)
}

/// Net benefit of the first score less that of the second on the same rows, likewise.
pub fn differences(
    event: &[bool],
    [first, second]: [&[f64]; 2],
    thresholds: &[f64],
    params: &Params,
    seed: Seed,
    job: &Job,
) -> Result<Vec<Uncertain>, Cancelled> {
    let value = |&threshold: &f64| {
        let (a, b) = (worths(event, first, threshold), worths(event, second, threshold));
        a.iter().zip(b).map(|(a, b)| a - b).collect()
    };
    uncertain(thresholds, thresholds.iter().map(value).collect(), params, seed, job)
}

/// What each patient adds: 1 for an event acted on, minus the odds of the threshold for another.
fn worths(event: &[bool], p: &[f64], threshold: f64) -> Vec<f64> {
    let odds = threshold / (1.0 - threshold);
    let worth = |(&event, &p): (&bool, &f64)| match p >= threshold {
        true if event => 1.0,
        true => -odds,
        false => 0.0,
    };
    event.iter().zip(p).map(worth).collect()
}

fn uncertain(
    thresholds: &[f64],
    values: Vec<Vec<f64>>,
    params: &Params,
    seed: Seed,
    job: &Job,
) -> Result<Vec<Uncertain>, Cancelled> {
    let rows = values.first().map_or(0, Vec::len);
    if rows == 0 {
        return Ok(Vec::new());
    }
    let n = rows as f64;
    let replicates = if rows > BOOTSTRAP_ROWS { 0 } else { params.replicates };
    let stage = job.stage("net benefit", replicates);
    let one = |replicate: usize| {
        stage.step()?;
        let drawn = plain(rows, seed.nth(replicate));
        Ok(values.iter().map(|values| drawn.iter().map(|&row| values[row]).sum::<f64>() / n).collect::<Vec<f64>>())
    };
    let means: Vec<Vec<f64>> = (0..replicates).into_par_iter().map(one).collect::<Result<_, Cancelled>>()?;
    let of = |(at, &threshold): (usize, &f64)| {
        let value = values[at].iter().sum::<f64>() / n;
        let variance = values[at].iter().map(|it| (it - value).powi(2)).sum::<f64>() / n;
        let se = (variance / n).sqrt();
        let drawn: Vec<f64> = means.iter().map(|means| means[at]).collect();
        let ci = percentile(&drawn).unwrap_or([value - Z_975 * se, value + Z_975 * se]);
        Uncertain { threshold, value, se, ci }
    };
    Ok(thresholds.iter().enumerate().map(of).collect())
}

/// Thresholds from 1 to 99 %.
pub fn percents() -> Vec<f64> {
    (1..100).map(|percent| f64::from(percent) / 100.0).collect()
}
