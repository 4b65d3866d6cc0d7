//! Kolmogorov-Smirnov tests of normality with mean and SD from the sample.

use crate::stats::describe::{mean, sd};
use crate::stats::distribution::{kolmogorov_sf, normal_cdf, normal_sf};

/// The largest distance of a sample's distribution from the normal one, with both p values in use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KolmogorovSmirnov {
    pub d: f64,
    /// As if mean and SD had been known: too large, but printed by many programs (SPSS's one-sample test).
    pub p_plain: f64,
    /// Lilliefors: Dallal and Wilkinson (1986), above 0.1 Stephens (1974); SPSS Explore, R's nortest.
    pub p_lilliefors: f64,
}

/// `None` below five values or without spread.
pub fn kolmogorov_smirnov(values: &[f64]) -> Option<KolmogorovSmirnov> {
    let n = values.len() as f64;
    let (mean, sd) = (mean(values)?, sd(values)?);
    if values.len() < 5 || sd == 0.0 {
        return None;
    }
    let mut z: Vec<f64> = values.iter().map(|value| (value - mean) / sd).collect();
    z.sort_by(f64::total_cmp);
    let distance = |(at, &z): (usize, &f64)| {
        let (below, above) = (normal_cdf(z) - at as f64 / n, (at + 1) as f64 / n - normal_cdf(z));
        // In the upper tail both sides of the difference are near 1: take it from their complements.
        if z > 0.0 {
            let rest = normal_sf(z);
            return ((n - at as f64) / n - rest).max(rest - (n - at as f64 - 1.0) / n);
        }
        below.max(above)
    };
    let d = z.iter().enumerate().map(distance).fold(0.0, f64::max);
    Some(KolmogorovSmirnov { d, p_plain: kolmogorov_sf(n.sqrt() * d).clamp(0.0, 1.0), p_lilliefors: lilliefors(d, n) })
}

/// The p value of distance `d` in a sample of `n`.
fn lilliefors(d: f64, n: f64) -> f64 {
    let (k, m) = if n <= 100.0 { (d, n) } else { (d * (n / 100.0).powf(0.49), 100.0) };
    let p = (-7.01256 * k * k * (m + 2.78019) + 2.99587 * k * (m + 2.78019).sqrt() - 0.122119
        + 0.974598 / m.sqrt()
        + 1.67997 / m)
        .exp();
    if p <= 0.1 {
        return p;
    }
    let k = (n.sqrt() - 0.01 + 0.85 / n.sqrt()) * d;
    let polynomial = |c: [f64; 5]| c.iter().rev().fold(0.0, |sum, c| sum * k + c);
    match k {
        ..=0.302 => 1.0,
        ..=0.5 => polynomial([2.76773, -19.828315, 80.709644, -138.55152, 81.218052]),
        ..=0.9 => polynomial([-4.901232, 40.662806, -97.490286, 94.029866, -32.355711]),
        ..=1.31 => polynomial([6.198765, -19.558097, 23.186922, -12.234627, 2.423045]),
        _ => 0.0,
    }
}
