//! Kruskal and Wallis' test: do several groups come from one distribution.

use crate::stats::distribution::chi2_sf;
use crate::stats::mann_whitney::midranks;

/// H, corrected for ties, with its asymptotic P (Kruskal and Wallis 1952).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KruskalWallis {
    pub h: f64,
    pub df: usize,
    pub p: f64,
}

/// As R's `kruskal.test`; `None` with fewer than two groups that have values, or where all values are alike. `group` has one
/// entry a value.
pub fn kruskal_wallis(values: &[f64], group: &[usize]) -> Option<KruskalWallis> {
    let n = values.len() as f64;
    let (ranks, ties) = midranks(values);
    let n_groups = group.iter().max().map_or(0, |last| last + 1);
    let (mut sums, mut sizes) = (vec![0.0; n_groups], vec![0.0; n_groups]);
    for (rank, &own) in ranks.iter().zip(group) {
        sums[own] += rank;
        sizes[own] += 1.0;
    }
    let filled = sizes.iter().filter(|size| **size > 0.0).count();
    let squares: f64 =
        sums.iter().zip(&sizes).filter(|(_, size)| **size > 0.0).map(|(sum, size)| sum * sum / size).sum();
    let tied: f64 = ties.iter().map(|&t| (t as f64).powi(3) - t as f64).sum();
    let correction = 1.0 - tied / (n.powi(3) - n);
    if filled < 2 || correction <= 0.0 || !correction.is_finite() {
        return None;
    }
    let h = (12.0 * squares / (n * (n + 1.0)) - 3.0 * (n + 1.0)) / correction;
    let df = filled - 1;
    Some(KruskalWallis { h, df, p: chi2_sf(h.max(0.0), df as f64) })
}
