//! Student's, Welch's and Levene's tests and the standardised mean difference of two samples.
//!
//! Differences are first minus second sample.

use crate::stats::describe::{mean, sd};
use crate::stats::distribution::{f_sf, t_two_sided};

/// A statistic with its degrees of freedom and its p value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    pub statistic: f64,
    pub df: f64,
    pub p: f64,
}

/// What the tests need of a sample.
struct Moments {
    n: f64,
    mean: f64,
    /// Of the mean: sd / √n.
    se: f64,
    sd: f64,
}

fn moments(values: &[f64]) -> Option<Moments> {
    let n = values.len() as f64;
    let sd = sd(values)?;
    Some(Moments { n, mean: mean(values)?, se: sd / n.sqrt(), sd })
}

/// Student's t with the pooled variance; a group of one adds a mean and no spread, as in R and SPSS.
///
/// `None` for an empty group, two values in all, or no spread.
pub fn t_pooled(a: &[f64], b: &[f64]) -> Option<Test> {
    let part = |values: &[f64]| Some((values.len() as f64, mean(values)?, sd(values).unwrap_or(0.0)));
    let ((m, x, sd_x), (n, y, sd_y)) = (part(a)?, part(b)?);
    let df = m + n - 2.0;
    let unit = sd_x.max(sd_y);
    let pooled = (((m - 1.0) * (sd_x / unit).powi(2) + (n - 1.0) * (sd_y / unit).powi(2)) / df).sqrt() * unit;
    t_test((x - y) / (pooled * (1.0 / m + 1.0 / n).sqrt()), df)
}

/// Welch's t, which lets the variances differ; `None` below two values a group or without any spread.
pub fn t_welch(a: &[f64], b: &[f64]) -> Option<Test> {
    let (x, y) = (moments(a)?, moments(b)?);
    let unit = x.se.max(y.se);
    let (u, v) = ((x.se / unit).powi(2), (y.se / unit).powi(2));
    let df = (u + v).powi(2) / (u * u / (x.n - 1.0) + v * v / (y.n - 1.0));
    t_test((x.mean - y.mean) / ((u + v).sqrt() * unit), df)
}

fn t_test(statistic: f64, df: f64) -> Option<Test> {
    (statistic.is_finite() && df.is_finite()).then(|| Test { statistic, df, p: t_two_sided(statistic, df) })
}

/// Levene's test of equal variances, centred at the means as SPSS does; `df` is the denominator's, n - 2.
///
/// `None` where the distances from the means have no spread within the groups, as in two groups of two.
pub fn levene(a: &[f64], b: &[f64]) -> Option<Test> {
    // Rounding of the distances of equally distant values is no spread.
    const ROUNDING: f64 = 1e-14;
    let distances = |values: &[f64]| -> Option<Vec<f64>> {
        let centre = mean(values)?;
        Some(values.iter().map(|value| (value - centre).abs()).collect())
    };
    let (x, y) = (distances(a)?, distances(b)?);
    let largest = a.iter().chain(b).fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let spread = sd(&x).unwrap_or(0.0).max(sd(&y).unwrap_or(0.0));
    if spread <= ROUNDING * largest {
        return None;
    }
    // With two groups the F of an analysis of variance is the square of Student's t.
    let t = t_pooled(&x, &y)?;
    let statistic = t.statistic * t.statistic;
    statistic.is_finite().then(|| Test { statistic, df: t.df, p: f_sf(statistic, 1.0, t.df) })
}

/// Difference of the means over the root of the mean variance (Austin 2009); `None` without any spread.
pub fn standardised_difference(a: &[f64], b: &[f64]) -> Option<f64> {
    let (x, y) = (moments(a)?, moments(b)?);
    let unit = x.sd.max(y.sd);
    let spread = (((x.sd / unit).powi(2) + (y.sd / unit).powi(2)) / 2.0).sqrt() * unit;
    Some((x.mean - y.mean) / spread).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_without_spread_or_size_have_no_test() {
        let tests = [t_pooled, t_welch, levene];
        for test in tests {
            assert_eq!(test(&[1.0], &[2.0]), None);
            assert_eq!(test(&[], &[1.0, 2.0]), None);
            assert_eq!(test(&[], &[]), None);
            assert_eq!(test(&[2.0, 2.0], &[1.0, 1.0]), None);
        }
        assert_eq!(standardised_difference(&[2.0, 2.0], &[1.0, 1.0]), None);
    }

    #[test]
    fn a_group_of_one_has_the_spread_of_the_other() {
        // R 4.2.2: t.test(c(1, 2, 4), 9, var.equal = TRUE); car::leveneTest(c(1, 2, 4, 9), factor(c(1, 1, 1, 2)), mean)
        let t = t_pooled(&[1.0, 2.0, 4.0], &[9.0]).unwrap();
        assert!(
            (t.statistic / -3.7796447300922718 - 1.0).abs() < 1e-14 && (t.p / 0.06341418841830605 - 1.0).abs() < 1e-13,
            "{t:?}"
        );
        let f = levene(&[1.0, 2.0, 4.0], &[9.0]).unwrap();
        assert!(
            (f.statistic / 1.9230769230769231 - 1.0).abs() < 1e-14 && (f.p / 0.2998599579859951 - 1.0).abs() < 1e-13,
            "{f:?}"
        );
        assert_eq!(t_welch(&[1.0, 2.0, 4.0], &[9.0]), None);
        assert_eq!(levene(&[0.1, 0.7], &[0.2, 0.3]), None);
    }

    #[test]
    fn the_unit_of_measurement_does_not_matter() {
        let (a, b) = ([1.0, 2.0, 4.0], [2.0, 5.0, 9.0, 3.0]);
        let huge = |values: &[f64]| values.iter().map(|value| value * 1e300).collect::<Vec<_>>();
        for test in [t_pooled, t_welch, levene] {
            let (small, large) = (test(&a, &b).unwrap(), test(&huge(&a), &huge(&b)).unwrap());
            assert!((small.statistic / large.statistic - 1.0).abs() < 1e-14);
            assert!((small.p / large.p - 1.0).abs() < 1e-13);
        }
    }
}
