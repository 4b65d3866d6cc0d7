//! Entropies of integer counts.

use std::sync::LazyLock;

/// The number that pyradiomics adds to each probability before its logarithm: the spacing of numbers at 1.
pub const EPSILON: f64 = f64::EPSILON;

/// What the number adds to an entropy for each probability above 0.
pub const SHARE: f64 = EPSILON * std::f64::consts::LOG2_E;

/// Counts below this are looked up.
const TABLE: usize = 4096;

static N_LOG_N: LazyLock<Vec<f64>> = LazyLock::new(|| (0..TABLE).map(|n| of_count(n as f64)).collect());

/// `n log2 n`, for many counts in a row.
pub struct NLogN(&'static [f64]);

impl NLogN {
    pub fn new() -> NLogN {
        NLogN(&N_LOG_N)
    }

    pub fn of(&self, count: u32) -> f64 {
        self.0.get(count as usize).copied().unwrap_or_else(|| of_count(f64::from(count)))
    }
}

fn of_count(n: f64) -> f64 {
    if n == 0.0 { 0.0 } else { n * n.log2() }
}

/// `-sum p log2(p + e)` of counts that add up to `total`, from `n_log_n = sum c log2 c` over the `n` counts above 0.
///
/// `p log2(p + e)` is `p log2 p + e / ln 2` to first order; what is left out is below 1e-20 for any image.
///
/// Of a single count it is -e / ln 2 without rounding: correlations of information divide by such entropies.
pub fn entropy(n_log_n: f64, total: f64, n: usize) -> f64 {
    if n == 1 { -SHARE } else { total.log2() - n_log_n / total - n as f64 * SHARE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entropy_of_counts_is_the_entropy_of_probabilities() {
        let counts = [1u32, 5, 90, 5000, 70000];
        let total: f64 = counts.iter().map(|&count| f64::from(count)).sum();
        let direct: f64 = counts.iter().map(|&count| f64::from(count) / total).map(|p| -p * (p + EPSILON).log2()).sum();
        let n_log_n = NLogN::new();
        let ours = entropy(counts.iter().map(|&count| n_log_n.of(count)).sum(), total, counts.len());
        assert!((ours - direct).abs() < 1e-14, "{ours} {direct}");
    }
}
