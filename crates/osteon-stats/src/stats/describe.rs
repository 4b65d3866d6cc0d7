//! Mean, spread and quantiles of a sample.

use serde::{Deserialize, Serialize};

/// How quantiles are interpolated (Hyndman and Fan 1996).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantiles {
    /// Position p (n + 1): SPSS, Minitab.
    Type6,
    /// Position p (n - 1) + 1: R, NumPy, spreadsheets.
    Type7,
}

/// What a sample looks like; each value is `None` where the sample is too small for it.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Summary {
    pub n: usize,
    pub mean: Option<f64>,
    /// Divided by n - 1.
    pub sd: Option<f64>,
    pub median: Option<f64>,
    pub q1: Option<f64>,
    pub q3: Option<f64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
}

/// Describes finite values.
pub fn summary(values: &[f64], quantiles: Quantiles) -> Summary {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |p| quantile(&sorted, p, quantiles);
    Summary {
        n: values.len(),
        mean: mean(values),
        sd: sd(values),
        median: at(0.5),
        q1: at(0.25),
        q3: at(0.75),
        min: sorted.first().copied(),
        max: sorted.last().copied(),
    }
}

/// The arithmetic mean, exact for a constant sample; `None` for an empty one.
pub fn mean(values: &[f64]) -> Option<f64> {
    let first = *values.first()?;
    let scale = power_of_two(values);
    // A second pass over the rest takes away the rounding of the first.
    let n = values.len() as f64;
    let rough = values.iter().map(|value| value / scale / n).sum::<f64>();
    let rest = values.iter().map(|value| value / scale - rough).sum::<f64>() / n;
    if values.iter().all(|&value| value == first) { Some(first) } else { Some((rough + rest) * scale) }
}

/// The unbiased variance; exactly 0 for a constant sample, `None` below two values or where it overflows.
pub fn variance(values: &[f64]) -> Option<f64> {
    sd(values).map(|sd| sd * sd).filter(|variance| variance.is_finite())
}

/// The standard deviation, divided by n - 1; exactly 0 for a constant sample, `None` below two values.
pub fn sd(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let scale = power_of_two(values);
    let scaled: Vec<f64> = values.iter().map(|value| value / scale).collect();
    let mean = mean(&scaled)?;
    Some((scaled.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt() * scale)
}

/// The quantile at probability `p` of sorted values; `None` for an empty sample.
pub fn quantile(sorted: &[f64], p: f64, quantiles: Quantiles) -> Option<f64> {
    let n = sorted.len();
    let position = match quantiles {
        Quantiles::Type6 => p * (n + 1) as f64 - 1.0,
        Quantiles::Type7 => p * (n.max(1) - 1) as f64,
    };
    // Thirds and tenths of n fall on a value; rounding must not move them off it.
    let position = position.clamp(0.0, n.max(1) as f64 - 1.0);
    let floor = (position + 4.0 * f64::EPSILON * position).floor();
    let fraction = (position - floor).max(0.0);
    let low = *sorted.get(floor as usize)?;
    let high = *sorted.get(floor as usize + 1).unwrap_or(&low);
    Some(if fraction == 0.0 || low == high { low } else { low * (1.0 - fraction) + high * fraction })
}

/// A power of two near the largest magnitude when squares would overflow or vanish, else 1: scaling by it is exact.
fn power_of_two(values: &[f64]) -> f64 {
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    if largest == 0.0 || (1e-100..1e100).contains(&largest) { 1.0 } else { largest.log2().floor().exp2() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_tiny_constant_and_empty_samples_have_an_answer() {
        assert_eq!(sd(&[0.1; 7]), Some(0.0));
        assert_eq!(mean(&[0.1; 7]), Some(0.1));
        assert_eq!(mean(&[1e300, 3e300]), Some(2e300));
        assert!((sd(&[1e300, 3e300]).unwrap() / 1e300 - 2.0_f64.sqrt()).abs() < 1e-15);
        assert!((sd(&[1e-300, 3e-300]).unwrap() / 1e-300 - 2.0_f64.sqrt()).abs() < 1e-15);
        assert_eq!(mean(&[1.7e308, 1.7e308, 1.6e308]).map(f64::is_finite), Some(true));
        assert_eq!(summary(&[], Quantiles::Type7), Summary::default());
        assert_eq!(summary(&[4.0], Quantiles::Type6).q3, Some(4.0));
        assert_eq!(summary(&[4.0], Quantiles::Type6).sd, None);
    }
}
