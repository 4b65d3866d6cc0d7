//! The Hosmer-Lemeshow test of calibration, with the three divisions in use.

use serde::{Deserialize, Serialize};

use crate::stats::describe::{Quantiles, quantile};
use crate::stats::distribution::chi2_sf;

/// How rows are divided by their probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// Equal probabilities stay together, groups close at n / groups: SPSS and SAS.
    Spss,
    /// Between quantiles of the probabilities: R's ResourceSelection and most scripts.
    Quantile,
    /// Equal numbers in order of probability, equal ones divided in order of the rows.
    Rank,
}

/// The test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HosmerLemeshow {
    pub statistic: f64,
    pub groups: usize,
    /// Groups - 2.
    pub df: usize,
    /// `None` when two or fewer groups leave no degree of freedom.
    pub p: Option<f64>,
}

impl HosmerLemeshow {
    /// p with as many degrees of freedom as groups: the rows are new to the model (Hosmer, Lemeshow and Sturdivant
    /// 2013, section 5.2.2).
    pub fn p_of_new_rows(&self) -> f64 {
        chi2_sf(self.statistic, self.groups as f64)
    }
}

/// `None` when a group expects no event, or nothing but events, and has another.
pub fn hosmer_lemeshow(
    event: &[bool],
    probabilities: &[f64],
    grouping: Grouping,
    groups: usize,
) -> Option<HosmerLemeshow> {
    let rounded: Vec<f64> = probabilities.iter().map(|&p| significant(p)).collect();
    let group_of = match grouping {
        Grouping::Spss => by_blocks(&rounded, groups),
        Grouping::Quantile => by_quantiles(&rounded, groups),
        Grouping::Rank => by_rank(&rounded, groups),
    };
    let n_groups = group_of.iter().max()? + 1;
    let mut sums = vec![(0.0, 0.0, 0.0); n_groups];
    for ((&group, &event), &p) in group_of.iter().zip(event).zip(probabilities) {
        let (n, observed, expected) = &mut sums[group];
        *n += 1.0;
        *observed += f64::from(event);
        *expected += p;
    }
    sums.retain(|(n, ..)| *n > 0.0);
    let of = |(n, observed, expected): &(f64, f64, f64)| {
        let square = (observed - expected).powi(2);
        // A group of certain outcomes that came true adds nothing, where rounding would have 0 / 0.
        if square == 0.0 { 0.0 } else { square / expected + square / (n - expected) }
    };
    let statistic: f64 = sums.iter().map(of).sum();
    let (groups, df) = (sums.len(), sums.len().saturating_sub(2));
    let p = (df > 0).then(|| chi2_sf(statistic, df as f64));
    statistic.is_finite().then_some(HosmerLemeshow { statistic, groups, df, p })
}

/// Twelve significant digits: rows with the same values have the same probability but for rounding.
fn significant(p: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    let scale = 10_f64.powf(11.0 - p.log10().floor());
    (p * scale).round() / scale
}

/// Rows in order of probability, ties in the order of the rows.
fn order(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    order
}

/// Blocks of equal probability join a group while it is below its target and at most half the block goes beyond; a
/// last group below a twentieth of the rows joins its neighbour (SAS/STAT, PROC LOGISTIC, LACKFIT).
fn by_blocks(p: &[f64], groups: usize) -> Vec<usize> {
    let n = p.len();
    let target = (n as f64 / groups as f64 + 0.5).floor() as usize;
    let mut group_of = vec![0; n];
    let (mut group, mut held) = (0, 0);
    for block in order(p).chunk_by(|&i, &j| p[i] == p[j]) {
        if held > 0 && (held >= target || held + block.len() / 2 > target) {
            group += 1;
            held = 0;
        }
        held += block.len();
        block.iter().for_each(|&row| group_of[row] = group);
    }
    if group > 0 && held < (0.05 * n as f64 + 0.5).floor() as usize {
        group_of.iter_mut().filter(|of| **of == group).for_each(|of| *of -= 1);
    }
    group_of
}

fn by_quantiles(p: &[f64], groups: usize) -> Vec<usize> {
    let mut sorted = p.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut breaks: Vec<f64> =
        (1..=groups).filter_map(|k| quantile(&sorted, k as f64 / groups as f64, Quantiles::Type7)).collect();
    let lowest = sorted.first().copied().unwrap_or(0.0);
    breaks.retain(|&upper| upper > lowest);
    breaks.dedup();
    p.iter().map(|&p| breaks.partition_point(|&upper| upper < p).min(breaks.len().max(1) - 1)).collect()
}

fn by_rank(p: &[f64], groups: usize) -> Vec<usize> {
    let n = p.len();
    let mut group_of = vec![0; n];
    for (rank, row) in order(p).into_iter().enumerate() {
        group_of[row] = ((rank + 1) * groups).div_ceil(n) - 1;
    }
    group_of
}
