//! How sure a ROC curve is: pointwise limits of the sensitivity at chosen specificities.

use rayon::prelude::*;

use crate::evaluate::bootstrap::{Params, percentile, stratified};
use crate::evaluate::roc::{self, Point};
use osteon_base::job::{Cancelled, Job};
use osteon_base::seed::Seed;

/// The sensitivity at one specificity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    pub specificity: f64,
    pub sensitivity: f64,
    pub low: f64,
    pub high: f64,
}

/// The height of a curve at a specificity, straight between its points, the highest of a vertical piece.
pub fn sensitivity_at(points: &[Point], specificity: f64) -> Option<f64> {
    let after = points.partition_point(|point| point.specificity < specificity);
    let right = points.get(after)?;
    if right.specificity == specificity {
        return Some(right.sensitivity);
    }
    let left = points.get(after.checked_sub(1)?)?;
    let share = (specificity - left.specificity) / (right.specificity - left.specificity);
    Some(left.sensitivity + share * (right.sensitivity - left.sensitivity))
}

/// 95 % percentile limits over resamples within outcomes (pROC's `ci.se`); empty unless there are rows with and without
/// the event.
pub fn band(
    scores: &[f64],
    event: &[bool],
    specificities: &[f64],
    params: &Params,
    seed: Seed,
    job: &Job,
) -> Result<Vec<Limits>, Cancelled> {
    if !event.contains(&true) || !event.contains(&false) {
        return Ok(Vec::new());
    }
    let stage = job.stage("ROC band", params.replicates);
    let heights = |points: &[Point]| specificities.iter().map(|&at| sensitivity_at(points, at)).collect::<Vec<_>>();
    let one = |replicate: usize| {
        stage.step()?;
        let rows = stratified(event, seed.nth(replicate));
        let drawn: Vec<f64> = rows.iter().map(|&row| scores[row]).collect();
        let of: Vec<bool> = rows.iter().map(|&row| event[row]).collect();
        Ok(heights(&roc::curve(&drawn, &of)))
    };
    let drawn: Vec<Vec<Option<f64>>> =
        (0..params.replicates).into_par_iter().map(one).collect::<Result<_, Cancelled>>()?;
    let own = heights(&roc::curve(scores, event));
    let limits = |at: usize| {
        let values: Vec<f64> = drawn.iter().filter_map(|heights| heights[at]).collect();
        let [low, high] = percentile(&values)?;
        Some(Limits { specificity: specificities[at], sensitivity: own[at]?, low, high })
    };
    Ok((0..specificities.len()).filter_map(limits).collect())
}
