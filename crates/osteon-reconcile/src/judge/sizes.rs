//! How many events and others a set has, inferred from all its rows when the table does not say.
//!
//! A printed share of d digits is a fraction k/n of few n. Each share of a size's own kind (sensitivities of the
//! events, specificities of the others) adds the logarithm of how unlikely it is to be such a fraction by chance; each
//! further score that the two counts then give adds up to 0.8, less where so many patients have fractions near any
//! printed value; the number of sizes tried is taken off, and 1.5 where digits
//! were cut instead of rounded. Below `SPEAKS` nothing is said.

use crate::metrics::{Matrix, SENSITIVITY, SPECIFICITY, matrices_by};
use crate::models::Model;
use crate::printed::{Printed, Rounding};

/// The score from which a size is spoken of.
pub const SPEAKS: f64 = 6.0;
/// The most that one further score adds.
const FURTHER: f64 = 0.8;
/// What is taken off where digits were cut.
const CUT: f64 = 1.5;
/// The largest group tried.
pub const LARGEST: i64 = 3000;
/// The best single sizes from which pairs are made.
const BEST: usize = 80;
/// Shares in a hundred that are misprinted, as far as sizes are concerned.
const MISPRINTS: f64 = 0.03;

/// Sizes that the printed shares speak for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inferred {
    pub positives: i64,
    pub negatives: i64,
    pub score: f64,
    pub rounding: Rounding,
    /// Rows that have a matrix of this size, of those that have both shares.
    pub rows: (usize, usize),
}

/// The sizes of a set from its rows; `total` where the table prints how many patients there are in all.
pub fn infer(rows: &[&Model], total: Option<i64>) -> Option<Inferred> {
    let may_be_cut = rows.iter().all(|row| !row.is_rounded);
    let ways = [Rounding::Nearest, Rounding::Cut].into_iter().filter(|&it| it == Rounding::Nearest || may_be_cut);
    let best = ways.filter_map(|rounding| infer_by(rows, total, rounding));
    let best = best.max_by(|a, b| {
        a.score.total_cmp(&b.score).then((a.rounding == Rounding::Nearest).cmp(&(b.rounding == Rounding::Nearest)))
    })?;
    (best.score >= SPEAKS).then_some(best)
}

fn infer_by(rows: &[&Model], total: Option<i64>, rounding: Rounding) -> Option<Inferred> {
    let (of_events, of_others) = (distinct(rows, SENSITIVITY), distinct(rows, SPECIFICITY));
    if of_events.is_empty() || of_others.is_empty() {
        return None;
    }
    let largest = total.map_or(LARGEST, |n| n - 1).min(LARGEST);
    let events: Vec<f64> = (1..=largest).map(|n| evidence(&of_events, n, rounding)).collect();
    let others: Vec<f64> = (1..=largest).map(|n| evidence(&of_others, n, rounding)).collect();
    let pairs: Vec<(i64, i64)> = match total {
        Some(total) => (1..total.min(largest + 1)).map(|p| (p, total - p)).collect(),
        None => {
            let (p, n) = (best_of(&events), best_of(&others));
            p.iter().flat_map(|&p| n.iter().map(move |&n| (p, n))).collect()
        }
    };
    // Sizes tried: all pairs of no more patients, or all splits of the printed number.
    let base = |&(positives, negatives): &(i64, i64)| {
        let n = (positives + negatives) as f64;
        let tried = if total.is_some() { n } else { 0.5 * n * n };
        let cut = if rounding == Rounding::Cut { CUT } else { 0.0 };
        let at = |evidence: &[f64], n: i64| evidence.get(n as usize - 1).copied().unwrap_or(f64::NEG_INFINITY);
        at(&events, positives) + at(&others, negatives) - tried.log10() - cut
    };
    let mut pairs: Vec<(f64, (i64, i64))> = pairs.iter().map(|pair| (base(pair), *pair)).collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    // No more can be won than every further score of every row.
    let most: f64 = rows.iter().map(|row| FURTHER * row.scores.len().saturating_sub(2) as f64).sum();
    let mut best: Option<Inferred> = None;
    for (base, (positives, negatives)) in pairs {
        if base + most < SPEAKS || best.is_some_and(|best| base + most <= best.score) {
            break;
        }
        let (mut score, mut fitting, mut judged) = (base, 0, 0);
        for row in rows {
            let Some((met, is_all)) = further(row, positives, negatives, rounding) else { continue };
            judged += 1;
            fitting += usize::from(is_all);
            score += met;
        }
        if best.is_none_or(|best| score > best.score) {
            best = Some(Inferred { positives, negatives, score, rounding, rows: (fitting, judged) });
        }
    }
    best
}

/// Printed shares of one kind, each value once; 0 and 1 are fractions of any number.
fn distinct(rows: &[&Model], score: usize) -> Vec<Printed> {
    let mut values: Vec<Printed> = Vec::new();
    for row in rows {
        for &(_, printed) in row.scores.iter().filter(|(at, it)| *at == score && it.is_exact()) {
            let inside = printed.value() > 0.0 && printed.value() < 1.0;
            if inside && !values.iter().any(|it| it.value() == printed.value()) {
                values.push(printed);
            }
        }
    }
    values
}

/// What the shares say for a group of n: logarithms of likelihood ratios against shares of any kind.
fn evidence(shares: &[Printed], n: i64, rounding: Rounding) -> f64 {
    shares
        .iter()
        .map(|share| {
            let chance = (n as f64 * share.unit()).min(1.0);
            if share.is_share_of(n, rounding) {
                ((1.0 - MISPRINTS) / chance).log10().max(0.0)
            } else {
                (MISPRINTS / (1.0 - chance).max(MISPRINTS)).log10()
            }
        })
        .sum()
}

fn best_of(evidence: &[f64]) -> Vec<i64> {
    let mut sizes: Vec<i64> = (1..=evidence.len() as i64).collect();
    sizes.sort_by(|&a, &b| evidence[b as usize - 1].total_cmp(&evidence[a as usize - 1]).then(a.cmp(&b)));
    sizes.truncate(BEST);
    sizes
}

/// What a row's further scores add under the matrix of this size that meets most of them, and whether it meets all.
/// `None` when the row has no sensitivity and specificity, or they are not of this size.
fn further(row: &Model, positives: i64, negatives: i64, rounding: Rounding) -> Option<(f64, bool)> {
    let (shares, rest): (Vec<_>, Vec<_>) =
        row.scores.iter().copied().partition(|(score, _)| [SENSITIVITY, SPECIFICITY].contains(score));
    if shares.len() < 2 {
        return None;
    }
    let n = (positives + negatives) as f64;
    let worth = |printed: Printed| (-(n * printed.unit()).min(1.0).log10()).min(FURTHER);
    let adds = |matrix: &Matrix| {
        let met = rest.iter().filter(|&&(score, value)| matrix.prints(score, value, rounding));
        let met: Vec<f64> = met.map(|&(_, value)| worth(value)).collect();
        (met.iter().sum::<f64>(), met.len() == rest.len())
    };
    let found = matrices_by(&shares, positives, negatives, rounding);
    found.iter().map(adds).max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
}
