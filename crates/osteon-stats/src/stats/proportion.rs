//! Intervals of a proportion.

use crate::stats::distribution::{Z_975, beta_quantile};

/// Wilson's 95 % score interval of `x` of `n`; `None` for n = 0.
pub fn wilson(x: usize, n: usize) -> Option<[f64; 2]> {
    if n == 0 {
        return None;
    }
    let (count, z2) = (n as f64, Z_975 * Z_975);
    let p = x as f64 / count;
    let centre = (p + z2 / (2.0 * count)) / (1.0 + z2 / count);
    let half = Z_975 * (p * (1.0 - p) / count + z2 / (4.0 * count * count)).sqrt() / (1.0 + z2 / count);
    // At 0 and n the limit is exact; the formula leaves its rounding.
    let low = if x == 0 { 0.0 } else { centre - half };
    let high = if x == n { 1.0 } else { centre + half };
    Some([low, high])
}

/// Clopper and Pearson's exact 95 % interval of `x` of `n`; `None` for n = 0.
pub fn clopper_pearson(x: usize, n: usize) -> Option<[f64; 2]> {
    if n == 0 {
        return None;
    }
    let (hits, misses) = (x as f64, (n - x) as f64);
    let low = if x == 0 { 0.0 } else { beta_quantile(0.025, hits, misses + 1.0)? };
    let high = if x == n { 1.0 } else { beta_quantile(0.975, hits + 1.0, misses)? };
    Some([low, high])
}
