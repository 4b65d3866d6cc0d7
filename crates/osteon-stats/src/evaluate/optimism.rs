//! Harrell's optimism bootstrap: how much better a model looks where it was learnt.

use rayon::prelude::*;

use osteon_base::job::{Cancelled, Stage};
use osteon_base::seed::Seed;

/// What one model is worth: one number a metric, `None` where undefined.
pub type Metrics = Vec<Option<f64>>;

/// One metric, apparent and corrected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corrected {
    pub apparent: f64,
    /// Mean of (in the bootstrap sample − in the original rows).
    pub optimism: f64,
    pub optimism_sd: f64,
    pub corrected: f64,
    /// Bootstrap samples in which the metric was defined on both sides.
    pub used: usize,
}

/// Positions of bootstrap rows, sample after sample.
pub fn resamples(n_rows: usize, n_samples: usize, seed: Seed) -> Vec<Vec<usize>> {
    let row = |seed: Seed| ((u128::from(seed.0) * n_rows as u128) >> 64) as usize;
    let sample = |at: usize| (0..n_rows).map(|draw| row(seed.nth(at).nth(draw))).collect();
    (0..n_samples).map(sample).collect()
}

/// The same within strata (one a row): each row of a sample is drawn from the stratum of the row in whose place it is, so
/// that every sample has as many of each as there are.
pub fn resamples_within(strata: &[usize], n_samples: usize, seed: Seed) -> Vec<Vec<usize>> {
    let n_strata = strata.iter().max().map_or(0, |last| last + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); n_strata];
    strata.iter().enumerate().for_each(|(row, &stratum)| members[stratum].push(row));
    let row = |seed: Seed, own: &[usize]| own[((u128::from(seed.0) * own.len() as u128) >> 64) as usize];
    let sample = |at: usize| {
        strata.iter().enumerate().map(|(draw, &stratum)| row(seed.nth(at).nth(draw), &members[stratum])).collect()
    };
    (0..n_samples).map(sample).collect()
}

/// Corrects `apparent` metrics. `relearn` learns on the rows of a sample and gives the metrics of that model on the
/// sample and on the original rows; it gets the sample's position, to name its randomness. `None` when nothing could
/// be learnt there.
pub fn correct(
    apparent: &Metrics,
    samples: &[Vec<usize>],
    relearn: impl Fn(usize, &[usize]) -> Option<(Metrics, Metrics)> + Sync,
    stage: &Stage,
) -> Result<Vec<Option<Corrected>>, Cancelled> {
    let one = |(at, rows): (usize, &Vec<usize>)| {
        let answer = relearn(at, rows);
        stage.step().map(|()| answer)
    };
    let answers: Vec<Option<(Metrics, Metrics)>> = samples.par_iter().enumerate().map(one).collect::<Result<_, _>>()?;
    let metric = |k: usize| {
        let apparent = apparent[k]?;
        let gap = |(own, original): &(Metrics, Metrics)| Some(own[k]? - original[k]?).filter(|gap| gap.is_finite());
        let gaps: Vec<f64> = answers.iter().flatten().filter_map(gap).collect();
        let used = gaps.len();
        if used < 2 {
            return None;
        }
        let optimism = gaps.iter().sum::<f64>() / used as f64;
        let squares: f64 = gaps.iter().map(|gap| (gap - optimism).powi(2)).sum();
        let optimism_sd = (squares / (used - 1) as f64).sqrt();
        Some(Corrected { apparent, optimism, optimism_sd, corrected: apparent - optimism, used })
    };
    Ok((0..apparent.len()).map(metric).collect())
}
