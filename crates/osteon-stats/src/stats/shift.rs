//! Hodges and Lehmann's shift between two samples: the median of all differences, with its interval.

use crate::stats::distribution::Z_975;
use crate::stats::mann_whitney::{MannWhitney, lower_half};

/// By how much the first sample lies above the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// Median of the differences first minus second (Hodges and Lehmann 1963).
    pub estimate: f64,
    pub low: f64,
    pub high: f64,
    /// Confidence of the interval: 0.95, or what the groups can reach where they are too small for it.
    pub level: f64,
    /// The limits come from the exact distribution of U, not from its normal approximation.
    pub is_exact: bool,
}

/// Sizes below which R's `wilcox.test` is exact where no value comes twice.
pub const EXACT_BELOW: usize = 50;
/// Differences up to this many are all written down.
const FEW: usize = 65_536;

/// Whether a test of groups of these sizes is exact: both small, and no ties.
pub fn is_exact(m: usize, n: usize, test: &MannWhitney) -> bool {
    m < EXACT_BELOW && n < EXACT_BELOW && !test.has_ties && test.p_exact.is_some()
}

/// The shift of `a` against `b`, and the interval that inverts the Mann-Whitney test of them: by the exact distribution
/// of U where `is_exact` (as R's `wilcox.test`), else by the normal one (Hollander and Wolfe 1999, 4.3). `None` when a
/// group is empty.
pub fn shift(a: &[f64], b: &[f64], is_exact: bool) -> Option<Shift> {
    let (m, n) = (a.len(), b.len());
    let pairs = m.checked_mul(n).filter(|&pairs| pairs > 0)?;
    let differences = Differences::new(a, b);
    let (rank, level) = if is_exact { exact_rank(m, n) } else { (normal_rank(m, n), 0.95) };
    let (lower, upper) = (differences.nth((pairs - 1) / 2), differences.nth(pairs / 2));
    Some(Shift {
        estimate: lower / 2.0 + upper / 2.0,
        low: differences.nth(rank - 1),
        high: differences.nth(pairs - rank),
        level,
        is_exact,
    })
}

/// Rank from 1 of the lower limit among the sorted differences, and its confidence: R's `qwilcox(0.025, m, n)`.
fn exact_rank(m: usize, n: usize) -> (usize, f64) {
    let mut below = 0.0;
    for (u, p) in lower_half(m, n).into_iter().enumerate() {
        if below + p >= 0.025 {
            // The smallest difference is the widest limit that there is.
            return if u == 0 { (1, 1.0 - 2.0 * p) } else { (u, 0.95) };
        }
        below += p;
    }
    (1, 0.0)
}

fn normal_rank(m: usize, n: usize) -> usize {
    let (m, n) = (m as f64, n as f64);
    let rank = m * n / 2.0 - Z_975 * (m * n * (m + n + 1.0) / 12.0).sqrt();
    rank.round().max(1.0) as usize
}

/// All differences of two samples, without writing many of them down.
enum Differences {
    Sorted(Vec<f64>),
    /// Both samples sorted.
    Implied(Vec<f64>, Vec<f64>),
}

impl Differences {
    fn new(a: &[f64], b: &[f64]) -> Differences {
        let sorted = |values: &mut Vec<f64>| values.sort_by(f64::total_cmp);
        if a.len() * b.len() <= FEW {
            let mut all: Vec<f64> = a.iter().flat_map(|x| b.iter().map(move |y| x - y)).collect();
            sorted(&mut all);
            return Differences::Sorted(all);
        }
        let (mut a, mut b) = (a.to_vec(), b.to_vec());
        sorted(&mut a);
        sorted(&mut b);
        Differences::Implied(a, b)
    }

    /// The difference at a position from 0, by rising size.
    fn nth(&self, at: usize) -> f64 {
        match self {
            Differences::Sorted(all) => all[at],
            Differences::Implied(a, b) => {
                // Bisection over the doubles themselves ends at the difference, not near it.
                let (mut low, mut high) = (order(a[0] - b[b.len() - 1]), order(a[a.len() - 1] - b[0]));
                while low < high {
                    let middle = low + (high - low) / 2;
                    if at_most(a, b, value(middle)) > at { high = middle } else { low = middle + 1 }
                }
                value(low)
            }
        }
    }
}

/// How many differences of sorted samples are at most `limit`, in one pass over both.
fn at_most(a: &[f64], b: &[f64], limit: f64) -> usize {
    let mut first = b.len();
    let mut count = 0;
    for x in a.iter().rev() {
        // The larger x, the later the first y that brings x - y down to the limit.
        while first > 0 && x - b[first - 1] <= limit {
            first -= 1;
        }
        count += b.len() - first;
    }
    count
}

/// Doubles as whole numbers of the same order.
fn order(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn value(order: u64) -> f64 {
    f64::from_bits(if order >> 63 == 1 { order ^ 1 << 63 } else { !order })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mann_whitney::mann_whitney;

    #[test]
    fn small_groups_have_rs_exact_shift_and_interval() {
        // R 4.2.2: wilcox.test(x, y, conf.int = TRUE).
        let check = |x: &[f64], y: &[f64], expected: [f64; 3], level: f64| {
            let test = mann_whitney(x, y, 10_000).unwrap();
            let found = shift(x, y, is_exact(x.len(), y.len(), &test)).unwrap();
            let values = [found.estimate, found.low, found.high];
            let close = values.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12);
            assert!(found.is_exact && close && (found.level - level).abs() < 1e-12, "{found:?}");
        };
        let x = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
        let y = [1.15, 0.88, 0.90, 0.74, 1.21];
        check(&x, &y, [0.305, -0.15, 0.76], 0.95);
        // Four and three values cannot reach 95 %: 1 - 2/35.
        check(&[1.0, 8.0, 27.0, 64.0], &[1001.0, 1010.0, 1100.0], [-1001.0, -1099.0, -937.0], 1.0 - 2.0 / 35.0);
    }

    #[test]
    fn implied_differences_are_those_written_down() {
        let a: Vec<f64> = (0..400).map(|at| f64::from(at * 7919 % 1009) / 7.0 - 60.0).collect();
        let b: Vec<f64> = (0..300).map(|at| f64::from(at * 104_729 % 997) / 11.0).collect();
        let implied = Differences::new(&a, &b);
        assert!(matches!(implied, Differences::Implied(..)));
        let mut all: Vec<f64> = a.iter().flat_map(|x| b.iter().map(move |y| x - y)).collect();
        all.sort_by(f64::total_cmp);
        for at in [0, 1, 2_999, 59_999, 60_000, 119_999] {
            assert_eq!(implied.nth(at), all[at], "{at}");
        }
    }
}
