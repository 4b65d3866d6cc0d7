//! Bootstrap distributions: parallel, seeded, the same digits for any number of threads.

use rand::Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::stats::describe::{Quantiles, quantile, sd};
use crate::stats::distribution::{normal_cdf, normal_quantile, normal_two_sided};
use osteon_base::job::{Cancelled, Job};
use osteon_base::seed::Seed;

/// How much is resampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    pub replicates: usize,
}

impl Default for Params {
    fn default() -> Self {
        Params { replicates: 2000 }
    }
}

/// Rows drawn with replacement within each outcome, so that every resample has both.
pub fn stratified(event: &[bool], seed: Seed) -> Vec<usize> {
    let rows = |wanted: bool| -> Vec<usize> { (0..event.len()).filter(|&row| event[row] == wanted).collect() };
    let mut rng = seed.rng();
    let mut drawn = Vec::with_capacity(event.len());
    for stratum in [rows(true), rows(false)] {
        drawn.extend((0..stratum.len()).map(|_| stratum[rng.random_range(0..stratum.len())]));
    }
    drawn
}

/// Rows drawn with replacement from all of them.
pub fn plain(n_rows: usize, seed: Seed) -> Vec<usize> {
    let mut rng = seed.rng();
    (0..n_rows).map(|_| rng.random_range(0..n_rows)).collect()
}

/// The difference of two areas on the same rows, by a bootstrap within outcomes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AreaDifference {
    pub difference: f64,
    /// Standard deviation over the resamples.
    pub se: f64,
    /// Percentiles.
    pub ci: [f64; 2],
    /// Difference over its standard error, and its two-sided p (pROC's `roc.test(method = "bootstrap")`).
    pub z: f64,
    pub p: f64,
    pub replicates: usize,
}

/// `None` where a score has no area, or the difference is the same in all resamples.
pub fn area_difference(
    a: &AucOfRows,
    b: &AucOfRows,
    params: &Params,
    seed: Seed,
    job: &Job,
) -> Result<Option<AreaDifference>, Cancelled> {
    let all: Vec<usize> = (0..a.event.len()).collect();
    let of = |rows: &[usize]| Some(a.of(rows)? - b.of(rows)?);
    let Some(difference) = of(&all) else { return Ok(None) };
    let found = distribution(a.event, params, seed, job, of)?;
    let (Some(se), Some(ci)) = (sd(&found).filter(|se| *se > 0.0), percentile(&found)) else { return Ok(None) };
    let z = difference / se;
    Ok(Some(AreaDifference { difference, se, ci, z, p: normal_two_sided(z), replicates: found.len() }))
}

/// `statistic` of each resample, in order of the replicates; those where it is undefined are left out.
pub fn distribution(
    event: &[bool],
    params: &Params,
    seed: Seed,
    job: &Job,
    statistic: impl Fn(&[usize]) -> Option<f64> + Sync,
) -> Result<Vec<f64>, Cancelled> {
    let stage = job.stage("bootstrap", params.replicates);
    let one = |replicate: usize| {
        stage.step()?;
        Ok(statistic(&stratified(event, seed.nth(replicate))))
    };
    let all: Vec<Option<f64>> = (0..params.replicates).into_par_iter().map(one).collect::<Result<_, Cancelled>>()?;
    Ok(all.into_iter().flatten().collect())
}

/// The area under the curve of resampled rows, in one pass over scores sorted once.
pub struct AucOfRows<'a> {
    event: &'a [bool],
    /// The group of equal scores that each row belongs to, from the lowest.
    group: Vec<usize>,
    n_groups: usize,
}

impl<'a> AucOfRows<'a> {
    pub fn new(scores: &[f64], event: &'a [bool]) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&i, &j| scores[i].total_cmp(&scores[j]));
        let mut group = vec![0; scores.len()];
        let mut n_groups = 0;
        for equal in order.chunk_by(|&i, &j| scores[i] == scores[j]) {
            equal.iter().for_each(|&row| group[row] = n_groups);
            n_groups += 1;
        }
        AucOfRows { event, group, n_groups }
    }

    /// `None` unless the rows have both outcomes.
    pub fn of(&self, rows: &[usize]) -> Option<f64> {
        let mut counts = vec![[0_u32; 2]; self.n_groups];
        rows.iter().for_each(|&row| counts[self.group[row]][usize::from(self.event[row])] += 1);
        let (mut below, mut pairs, mut events) = (0.0, 0.0, 0.0);
        for [others, hits] in counts {
            let (others, hits) = (f64::from(others), f64::from(hits));
            pairs += hits * (below + others / 2.0);
            below += others;
            events += hits;
        }
        (below > 0.0 && events > 0.0).then(|| pairs / (events * below))
    }
}

/// The 95 % percentile interval (quantiles of type 7); `None` without replicates.
pub fn percentile(replicates: &[f64]) -> Option<[f64; 2]> {
    quantiles(replicates, [0.025, 0.975])
}

/// The 95 % BCa interval (Efron 1987), `leave_one_out` being the statistic without each row in turn.
///
/// `None` when all replicates lie on one side of the estimate or the statistic does not vary.
pub fn bca(estimate: f64, replicates: &[f64], leave_one_out: &[f64]) -> Option<[f64; 2]> {
    let share = |keep: fn(f64, f64) -> bool| {
        replicates.iter().filter(|&&value| keep(value, estimate)).count() as f64 / replicates.len() as f64
    };
    let bias =
        normal_quantile(share(|value, estimate| value < estimate) + share(|value, estimate| value == estimate) / 2.0);
    let mean = leave_one_out.iter().sum::<f64>() / leave_one_out.len() as f64;
    let moment = |power: i32| leave_one_out.iter().map(|value| (mean - value).powi(power)).sum::<f64>();
    let acceleration = moment(3) / (6.0 * moment(2).powf(1.5));
    if !bias.is_finite() || !acceleration.is_finite() {
        return None;
    }
    let level = |p: f64| {
        let z = bias + normal_quantile(p);
        normal_cdf(bias + z / (1.0 - acceleration * z))
    };
    quantiles(replicates, [level(0.025), level(0.975)])
}

fn quantiles(values: &[f64], [low, high]: [f64; 2]) -> Option<[f64; 2]> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some([quantile(&sorted, low, Quantiles::Type7)?, quantile(&sorted, high, Quantiles::Type7)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_threads_changes_no_digit() {
        let scores: Vec<f64> = (0..60).map(|at| f64::from(at * 37 % 61)).collect();
        let event: Vec<bool> = (0..60).map(|at| at % 3 == 0 || at > 45).collect();
        let areas = AucOfRows::new(&scores, &event);
        let draw = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let params = Params { replicates: 200 };
            pool.install(|| distribution(&event, &params, Seed(5), &Job::unwatched(), |rows| areas.of(rows)).unwrap())
        };
        assert_eq!(draw(1), draw(3));
        assert_eq!(draw(1).len(), 200);
    }
}
