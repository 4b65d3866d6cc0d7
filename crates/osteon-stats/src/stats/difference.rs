//! Differences between two groups in the units of the variable, first minus second.

use crate::stats::describe::{Quantiles, Summary, summary};
use crate::stats::distribution::t_quantile;
use crate::stats::proportion::wilson;

/// A difference with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    pub estimate: f64,
    pub low: f64,
    pub high: f64,
}

/// How variances enter the interval of a difference of means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variances {
    Pooled,
    /// Welch's.
    Separate,
}

/// Difference of means with Student's or Welch's interval; `None` where that has no degrees of freedom.
pub fn means(a: &[f64], b: &[f64], variances: Variances) -> Option<Difference> {
    of_summaries(&summary(a, Quantiles::Type7), &summary(b, Quantiles::Type7), variances)
}

/// The same from sizes, means and standard deviations.
pub fn of_summaries(a: &Summary, b: &Summary, variances: Variances) -> Option<Difference> {
    let (m, n) = (a.n as f64, b.n as f64);
    let estimate = a.mean? - b.mean?;
    let (s, t) = (a.sd?.powi(2), b.sd?.powi(2));
    let (se, df) = match variances {
        Variances::Pooled => {
            let df = m + n - 2.0;
            ((((m - 1.0) * s + (n - 1.0) * t) / df * (1.0 / m + 1.0 / n)).sqrt(), df)
        }
        Variances::Separate => {
            let (u, v) = (s / m, t / n);
            ((u + v).sqrt(), (u + v).powi(2) / (u * u / (m - 1.0) + v * v / (n - 1.0)))
        }
    };
    let half = t_quantile(0.975, df)? * se;
    (half.is_finite() && df.is_finite()).then_some(Difference { estimate, low: estimate - half, high: estimate + half })
}

/// Difference of the shares `x` of `m` and `y` of `n` with Newcombe's interval from Wilson's of either (1998, method 10);
/// `None` without rows.
pub fn shares((x, m): (usize, usize), (y, n): (usize, usize)) -> Option<Difference> {
    let (first, second) = (wilson(x, m)?, wilson(y, n)?);
    let (p, q) = (x as f64 / m as f64, y as f64 / n as f64);
    let estimate = p - q;
    Some(Difference {
        estimate,
        low: estimate - (p - first[0]).hypot(second[1] - q),
        high: estimate + (first[1] - p).hypot(q - second[0]),
    })
}
