//! The Mann-Whitney U test: SPSS's Z and p, and exact p values.

use crate::stats::distribution::normal_two_sided;

/// A Mann-Whitney test of two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MannWhitney {
    /// The smaller of the two U.
    pub u: f64,
    /// Corrected for ties, not for continuity, at most 0: as SPSS prints it. `None` when all values are equal.
    pub z: Option<f64>,
    /// Two-sided, from `z`.
    pub p: Option<f64>,
    /// Twice the lower tail of U without ties (SPSS's `Exact Sig.`, R's without ties); `None` beyond the limit.
    pub p_exact: Option<f64>,
    /// P(|W - E W| >= observed) over all divisions of the observed, possibly tied ranks; `None` beyond the limit.
    pub p_exact_ties: Option<f64>,
    /// Whether a value comes twice.
    pub has_ties: bool,
    /// P(first > second) - P(first < second), from -1 to 1 (Cureton 1956).
    pub rank_biserial: f64,
}

/// Operations that an exact distribution may take: a fraction of a second.
const EXACT_OPERATIONS: usize = 200_000_000;

/// The test; exact p values where n1 n2 is at most `exact_pairs`. `None` when a group is empty.
pub fn mann_whitney(a: &[f64], b: &[f64], exact_pairs: usize) -> Option<MannWhitney> {
    let (m, n) = (a.len(), b.len());
    if m == 0 || n == 0 {
        return None;
    }
    let pooled: Vec<f64> = a.iter().chain(b).copied().collect();
    let (ranks, ties) = midranks(&pooled);
    let (mf, nf) = (m as f64, n as f64);
    let total = mf + nf;
    let rank_sum: f64 = ranks[..m].iter().sum();
    let u_a = rank_sum - mf * (mf + 1.0) / 2.0;
    let u = u_a.min(mf * nf - u_a);
    let tie_term: f64 = ties.iter().map(|&t| (t as f64).powi(3) - t as f64).sum();
    let variance = mf * nf / (12.0 * total * (total - 1.0)) * (total.powi(3) - total - tie_term);
    let z = (variance > 0.0).then(|| (u - mf * nf / 2.0) / variance.sqrt());
    let small = m.saturating_mul(n) <= exact_pairs;
    Some(MannWhitney {
        u,
        z,
        p: z.map(normal_two_sided),
        p_exact: (small && m.min(n).saturating_mul(m * n) <= EXACT_OPERATIONS).then(|| exact_untied(u, m, n)),
        p_exact_ties: small.then(|| exact_tied(&ranks, m)).flatten(),
        has_ties: ties.iter().any(|&size| size > 1),
        rank_biserial: 2.0 * u_a / (mf * nf) - 1.0,
    })
}

/// Ranks from 1, ties sharing their mean, and the sizes of the groups of equal values.
pub fn midranks(values: &[f64]) -> (Vec<f64>, Vec<usize>) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut sizes = Vec::new();
    let mut first = 0;
    for group in order.chunk_by(|&i, &j| values[i] == values[j]) {
        for &at in group {
            ranks[at] = first as f64 + (group.len() + 1) as f64 / 2.0;
        }
        first += group.len();
        sizes.push(group.len());
    }
    (ranks, sizes)
}

/// Twice P(U <= ⌊u⌋) under all orders of m and n different values, at most 1.
fn exact_untied(u: f64, m: usize, n: usize) -> f64 {
    let probabilities = lower_half(m, n);
    (2.0 * probabilities[..=(u.floor() as usize).min(m * n / 2)].iter().sum::<f64>()).min(1.0)
}

/// P(U = 0), P(U = 1) and so on up to the middle, under all orders of m and n different values.
///
/// The number of orders with a given U is a coefficient of the Gaussian binomial (Mann and Whitney 1947), built up
/// one factor (1 - q^(n+i)) / (1 - q^i) at a time, as probabilities; symmetry keeps small tails exact.
pub fn lower_half(m: usize, n: usize) -> Vec<f64> {
    let (m, n) = (m.min(n), m.max(n));
    let limit = m * n / 2;
    let mut f = vec![Double::ZERO; limit + 1];
    f[0] = Double { high: 1.0, low: 0.0 };
    for i in 1..=m {
        for at in (n + i..=limit).rev() {
            f[at] = f[at].plus(f[at - n - i], -1.0);
        }
        for at in i..=limit {
            f[at] = f[at].plus(f[at - i], 1.0);
        }
        let degree = n * i;
        for at in degree / 2 + 1..=limit {
            f[at] = if at <= degree { f[degree - at] } else { Double::ZERO };
        }
        let share = i as f64 / (n + i) as f64;
        f.iter_mut().for_each(|value| *value = value.times(share));
    }
    f.into_iter().map(|value| value.high).collect()
}

/// A number as a sum of two: dividing the factors out costs half the digits of one.
#[derive(Clone, Copy)]
struct Double {
    high: f64,
    low: f64,
}

impl Double {
    const ZERO: Double = Double { high: 0.0, low: 0.0 };

    /// The sum with `sign` times another (Knuth's two-sum).
    fn plus(self, other: Double, sign: f64) -> Double {
        let (a, b) = (self.high, sign * other.high);
        let sum = a + b;
        let part = sum - a;
        Double::normal(sum, (a - (sum - part)) + (b - part) + self.low + sign * other.low)
    }

    fn times(self, factor: f64) -> Double {
        let product = self.high * factor;
        Double::normal(product, self.high.mul_add(factor, -product) + self.low * factor)
    }

    fn normal(high: f64, low: f64) -> Double {
        let sum = high + low;
        Double { high: sum, low: low - (sum - high) }
    }
}

/// The share of all choices of `m` ranks whose sum is at least as far from its expectation as that of the first `m`.
///
/// Ranks are taken as whole steps above the least one; choices are counted by their number and sum (Streitberg and
/// Röhmel 1986).
fn exact_tied(ranks: &[f64], m: usize) -> Option<f64> {
    let steps = steps(ranks);
    let observed: usize = steps[..m].iter().sum();
    let all: usize = steps.iter().sum();
    let n = steps.len();
    let (chosen, target) = if m <= n - m { (m, observed) } else { (n - m, all - observed) };
    let mut sorted = steps;
    sorted.sort_unstable();
    // The least sum of k ranks, for each k.
    let least: Vec<usize> = (0..=chosen).map(|k| sorted[..k].iter().sum()).collect();
    let width = sorted[n - chosen..].iter().sum::<usize>() - least[chosen] + 1;
    if n.saturating_mul(chosen).saturating_mul(width) > EXACT_OPERATIONS {
        return None;
    }
    let shares = shares_of_sums(&sorted, &least, width);
    // Distances from the expectation chosen * all / n, as whole numbers.
    let distance = |sum: usize| (sum * n).abs_diff(chosen * all);
    let far = distance(target);
    let counted = shares.iter().enumerate().filter(|(above, _)| distance(least[chosen] + above) >= far);
    Some(counted.map(|(_, share)| share).sum::<f64>().min(1.0))
}

/// Midranks as multiples of their largest common step above the smallest one.
fn steps(ranks: &[f64]) -> Vec<usize> {
    let doubled: Vec<usize> = ranks.iter().map(|rank| (2.0 * rank) as usize).collect();
    let smallest = doubled.iter().copied().min().unwrap_or(0);
    let step = doubled.iter().fold(0, |step, rank| common_divisor(step, rank - smallest)).max(1);
    doubled.iter().map(|rank| (rank - smallest) / step).collect()
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// The shares of all choices of `least.len() - 1` of the ascending `ranks` by their sum, from the least sum on.
fn shares_of_sums(ranks: &[usize], least: &[usize], width: usize) -> Vec<f64> {
    let chosen = least.len() - 1;
    // A row for each number of ranks chosen so far, a column for each sum above the least one of that number.
    let mut counts = vec![0.0; (chosen + 1) * width];
    counts[0] = 1.0;
    let mut reach = least.to_vec();
    for (seen, &rank) in ranks.iter().enumerate() {
        // Each step keeps the share of choices among the ranks seen so far: C(s, k) grows by s / (s - k) and so on.
        let seen = seen as f64;
        for k in (0..=chosen).rev() {
            let kf = k as f64;
            let (keep, take) = ((seen + 1.0 - kf).max(0.0) / (seen + 1.0), kf / (seen + 1.0));
            let (below, here) = counts.split_at_mut(k * width);
            here[..=reach[k] - least[k]].iter_mut().for_each(|share| *share *= keep);
            if k > 0 && kf <= seen + 1.0 {
                let from = least[k - 1] + rank;
                let below = &below[(k - 1) * width..][..=reach[k - 1] - least[k - 1]];
                reach[k] = reach[k].max(reach[k - 1] + rank);
                here[from - least[k]..].iter_mut().zip(below).for_each(|(share, below)| *share += take * below);
            }
        }
    }
    counts.split_off(chosen * width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_exact_distributions_agree_without_ties() {
        let (a, b) = ([1.0, 2.0, 5.0, 9.0], [3.0, 6.0, 7.0, 8.0, 10.0, 11.0]);
        let test = mann_whitney(&a, &b, 1000).unwrap();
        assert_eq!(test.u, 5.0);
        // 2 (1 + 1 + 2 + 3 + 5 + 6) / 210: the partitions of 0 to 5 into at most four parts of at most 6.
        assert!((test.p_exact.unwrap() - 36.0 / 210.0).abs() < 1e-15);
        assert!((test.p_exact_ties.unwrap() - 36.0 / 210.0).abs() < 1e-15);
    }

    #[test]
    fn two_hundred_a_group_lose_no_digits() {
        // Python 3.11: counts of orders as whole numbers, 2 sum(counts[:u + 1]) / comb(m + n, m).
        let exact = [
            (20_000.0, 204, 206, 0.39955995985223275),
            (19_000.0, 204, 206, 0.09363479687019877),
            (15_000.0, 150, 300, 5.2796250237181976e-9),
            (3_000.0, 200, 200, 1.9106274765355833e-61),
        ];
        for (u, m, n, p) in exact {
            let found = exact_untied(u, m, n);
            assert!((found / p - 1.0).abs() < 1e-12, "{u} {m} {n}: {found}");
        }
    }

    #[test]
    fn an_exact_p_of_two_values_is_hypergeometric() {
        // Python 3.11, whole numbers: of C(500, 200) choices of 200 from 280 ones and 220 zeros, those whose ones are at
        // least as far from 112 as 80.
        let group = |zeros: usize, ones: usize| [vec![0.0; zeros], vec![1.0; ones]].concat();
        let test = mann_whitney(&group(120, 80), &group(100, 200), 100_000).unwrap();
        let p = test.p_exact_ties.unwrap();
        assert!((p / 5.503_310_325_627_525e-9 - 1.0).abs() < 1e-11, "{p}");
    }

    #[test]
    fn ties_everywhere_have_no_z_and_an_exact_p_of_one() {
        let test = mann_whitney(&[1.0; 3], &[1.0; 4], 1000).unwrap();
        assert_eq!((test.z, test.p, test.p_exact_ties), (None, None, Some(1.0)));
        assert_eq!(mann_whitney(&[], &[1.0], 1000), None);
    }
}
