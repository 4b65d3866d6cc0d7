//! Restricted cubic splines: knots as rms places them, and the truncated power basis that is linear beyond them.

use crate::stats::describe::{Quantiles, quantile};

/// Why a variable has no knots.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KnotError {
    #[error("{wanted} knots of a spline; expected 3 to 7")]
    Count { wanted: usize },
    #[error("{values} different values give fewer than 3 knots: enter the variable as it is, or its levels")]
    Few { values: usize },
}

/// Ends that hold at least this share of the rows get a knot of their own (`fractied` of `rcspline.eval`).
const TIED: f64 = 0.05;

/// The knots of `rms::rcs(x, n)` by quantiles (Harrell, Regression Modeling Strategies, 2.4.5), rising and all
/// different; fewer than `n` where values tie, at least 3.
pub fn knots(x: &[f64], n: usize) -> Result<Vec<f64>, KnotError> {
    if !(3..=7).contains(&n) {
        return Err(KnotError::Count { wanted: n });
    }
    let mut sorted = x.to_vec();
    sorted.sort_by(f64::total_cmp);
    let groups: Vec<(f64, usize)> = sorted.chunk_by(|a, b| a == b).map(|equal| (equal[0], equal.len())).collect();
    let few = || KnotError::Few { values: groups.len() };
    if groups.len() < 5 {
        return Err(few());
    }
    if groups.len() - 2 <= n {
        return Ok(groups[1..groups.len() - 1].iter().map(|group| group.0).collect());
    }
    let outer = match n {
        3 => 0.1,
        4..=6 => 0.05,
        _ => 0.025,
    };
    let share = |group: &(f64, usize)| group.1 as f64 / x.len() as f64;
    let inner_tied = groups[1..groups.len() - 1].iter().any(|group| share(group) >= TIED);
    let mut ends = [None, None];
    if !inner_tied && share(&groups[0]) >= TIED {
        ends[0] = Some(groups[1].0);
        sorted.retain(|&value| value > groups[1].0);
    }
    if !inner_tied && share(&groups[groups.len() - 1]) >= TIED {
        let knot = groups[groups.len() - 2].0;
        ends[1] = Some(knot);
        sorted.retain(|&value| value < knot);
    }
    let rest = n - ends.iter().flatten().count();
    let low = if rest == 2 { 0.5 } else { outer };
    let at = |k: usize| match rest {
        1 => 0.5,
        rest => low + (1.0 - outer - low) * k as f64 / (rest - 1) as f64,
    };
    let placed = (0..rest).map(|k| quantile(&sorted, at(k), Quantiles::Type7));
    let mut placed: Vec<f64> = placed.collect::<Option<_>>().ok_or_else(few)?;
    let distinct = 1 + placed.windows(2).filter(|pair| pair[0] != pair[1]).count();
    if distinct < rest.min(3) {
        return Err(few());
    }
    // Quantiles near the ends of few rows are unsteady: the fifth value from either end stands for them.
    if sorted.len() < 100 && rest > 1 && sorted.len() >= 5 {
        if ends[0].is_none() {
            placed[0] = sorted[4];
        }
        if ends[1].is_none() {
            placed[rest - 1] = sorted[sorted.len() - 5];
        }
    }
    let mut all: Vec<f64> = ends.into_iter().flatten().chain(placed).collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    if all.len() < 3 { Err(few()) } else { Ok(all) }
}

/// One fewer columns than knots: `x` itself, then the cubic terms over the square of the knots' span (`norm = 2`).
pub fn basis(x: f64, knots: &[f64]) -> Vec<f64> {
    let k = knots.len();
    let (first, before, last) = (knots[0], knots[k - 2], knots[k - 1]);
    let unit = (last - first).powi(2);
    let cube = |knot: f64| (x - knot).max(0.0).powi(3);
    let term = |knot: f64| {
        let tail = ((before - knot) * cube(last) - (last - knot) * cube(before)) / (last - before);
        (cube(knot) + tail) / unit
    };
    std::iter::once(x).chain(knots[..k - 2].iter().map(|&knot| term(knot))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spline_is_linear_beyond_its_knots() {
        let knots = [1.0, 2.0, 4.0, 7.0];
        for start in [-9.0, 7.0] {
            let at = |step: f64| basis(start + step, &knots);
            let (a, b, c) = (at(0.0), at(1.0), at(2.0));
            for k in 0..3 {
                assert!((a[k] - 2.0 * b[k] + c[k]).abs() < 1e-10, "{start} {k}");
            }
        }
        assert_eq!(self::knots(&[1.0, 2.0, 2.0, 1.0, 3.0], 3), Err(KnotError::Few { values: 3 }));
        assert_eq!(self::knots(&[1.0; 9], 9), Err(KnotError::Count { wanted: 9 }));
    }
}
