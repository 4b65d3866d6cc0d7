//! Intraclass correlation of repeated measurements: the six forms of Shrout and Fleiss, as psych::ICC.

use ndarray::{ArrayView2, Axis};
use statrs::distribution::{ContinuousCDF, FisherSnedecor};
use statrs::function::beta::beta_reg;

/// A form of the ICC: model and unit (Shrout and Fleiss 1979).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// ICC(1,1): one-way random, one measurement.
    Icc1,
    /// ICC(2,1): two-way random, absolute agreement, one measurement.
    Icc2,
    /// ICC(3,1): two-way mixed, consistency, one measurement.
    Icc3,
    /// ICC(1,k): as ICC(1,1), mean of the k measurements.
    Icc1k,
    /// ICC(2,k): as ICC(2,1), mean of the k measurements.
    Icc2k,
    /// ICC(3,k): as ICC(3,1), mean of the k measurements.
    Icc3k,
}

impl Form {
    pub const ALL: [Form; 6] = [Form::Icc1, Form::Icc2, Form::Icc3, Form::Icc1k, Form::Icc2k, Form::Icc3k];

    /// The name that psych::ICC gives it.
    pub fn name(self) -> &'static str {
        match self {
            Form::Icc1 => "ICC1",
            Form::Icc2 => "ICC2",
            Form::Icc3 => "ICC3",
            Form::Icc1k => "ICC1k",
            Form::Icc2k => "ICC2k",
            Form::Icc3k => "ICC3k",
        }
    }
}

/// One form with its F test and 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Icc {
    pub form: Form,
    pub value: f64,
    pub f: f64,
    pub df1: f64,
    pub df2: f64,
    pub p: f64,
    pub low: f64,
    pub high: f64,
}

/// Mean squares of the two-way layout.
struct MeanSquares {
    n: f64,
    k: f64,
    rows: f64,
    columns: f64,
    error: f64,
    within: f64,
}

/// The six forms in the order of `Form::ALL`. `x` is targets x measurements.
/// `None` with fewer than 2 targets or 2 measurements, or when the measurements agree to the last digit and nothing varies within.
pub fn icc(x: ArrayView2<f64>) -> Option<[Icc; 6]> {
    let ms = mean_squares(x)?;
    Some(Form::ALL.map(|form| one(form, &ms)))
}

/// ICC(2,1) alone, for thousands of features. 1 where both measurements are the same and targets differ.
pub fn agreement(x: ArrayView2<f64>) -> Option<f64> {
    let MeanSquares { n, k, rows, columns, error, .. } = sums(x)?;
    let total = rows + (k - 1.0) * error + k * (columns - error) / n;
    (total > 0.0).then(|| (rows - error) / total)
}

fn mean_squares(x: ArrayView2<f64>) -> Option<MeanSquares> {
    sums(x).filter(|ms| ms.error > 0.0 && ms.within > 0.0)
}

fn sums(x: ArrayView2<f64>) -> Option<MeanSquares> {
    let (n, k) = (x.nrows() as f64, x.ncols() as f64);
    if n < 2.0 || k < 2.0 {
        return None;
    }
    let mean = x.sum() / (n * k);
    let (row_means, column_means) = (x.mean_axis(Axis(1))?, x.mean_axis(Axis(0))?);
    let spread = |means: &ndarray::Array1<f64>| means.iter().map(|m| (m - mean).powi(2)).sum::<f64>();
    let (rows, columns) = (k * spread(&row_means), n * spread(&column_means));
    // Summed cell by cell: a difference of sums would lose digits where measurements nearly agree.
    let (mut within, mut error) = (0.0, 0.0);
    for ((i, j), value) in x.indexed_iter() {
        within += (value - row_means[i]).powi(2);
        error += (value - row_means[i] - column_means[j] + mean).powi(2);
    }
    Some(MeanSquares {
        n,
        k,
        rows: rows / (n - 1.0),
        columns: columns / (k - 1.0),
        error: error / ((n - 1.0) * (k - 1.0)),
        within: within / (n * (k - 1.0)),
    })
}

fn one(form: Form, ms: &MeanSquares) -> Icc {
    let MeanSquares { n, k, rows, columns, error, within } = *ms;
    let averaged = |(value, low, high): (f64, f64, f64)| {
        let up = |r: f64| r * k / (1.0 + r * (k - 1.0));
        (up(value), up(low), up(high))
    };
    let (value, low, high) = match form {
        Form::Icc1 | Form::Icc1k => consistency(rows, within, n - 1.0, n * (k - 1.0), k),
        Form::Icc2 | Form::Icc2k => absolute(ms),
        Form::Icc3 | Form::Icc3k => consistency(rows, error, n - 1.0, (n - 1.0) * (k - 1.0), k),
    };
    let of_mean = matches!(form, Form::Icc1k | Form::Icc2k | Form::Icc3k);
    let (mut value, low, high) = if of_mean { averaged((value, low, high)) } else { (value, low, high) };
    if form == Form::Icc2k {
        value = (rows - error) / (rows + (columns - error) / n);
    }
    let one_way = matches!(form, Form::Icc1 | Form::Icc1k);
    let (f, df2) = if one_way { (rows / within, n * (k - 1.0)) } else { (rows / error, (n - 1.0) * (k - 1.0)) };
    Icc { form, value, f, df1: n - 1.0, df2, p: f_tail(f, n - 1.0, df2), low, high }
}

/// (MSR − MS) / (MSR + (k − 1) MS) with the exact interval from the F distribution.
fn consistency(rows: f64, other: f64, df1: f64, df2: f64, k: f64) -> (f64, f64, f64) {
    let from_f = |f: f64| (f - 1.0) / (f + k - 1.0);
    let f = rows / other;
    (from_f(f), from_f(f / f_quantile(0.975, df1, df2)), from_f(f * f_quantile(0.975, df2, df1)))
}

/// Absolute agreement with the interval of McGraw and Wong (1996).
fn absolute(ms: &MeanSquares) -> (f64, f64, f64) {
    let MeanSquares { n, k, rows, columns, error, .. } = *ms;
    let r = (rows - error) / (rows + (k - 1.0) * error + k * (columns - error) / n);
    let fj = columns / error;
    let rest = n * (1.0 + (k - 1.0) * r) - k * r;
    let top = (k - 1.0) * (n - 1.0) * (k * r * fj + rest).powi(2);
    let df = top / ((n - 1.0) * (k * r * fj).powi(2) + rest.powi(2));
    let (upper, lower) = (f_quantile(0.975, n - 1.0, df), f_quantile(0.975, df, n - 1.0));
    let spread = k * columns + (k * n - k - n) * error;
    let low = n * (rows - upper * error) / (upper * spread + n * rows);
    let high = n * (lower * rows - error) / (spread + n * lower * rows);
    (r, low, high)
}

fn f_tail(f: f64, df1: f64, df2: f64) -> f64 {
    beta_reg(df2 / 2.0, df1 / 2.0, df2 / (df2 + df1 * f))
}

/// Quantile of the F distribution, by bisection on its distribution function to the last bit.
fn f_quantile(p: f64, df1: f64, df2: f64) -> f64 {
    let f = FisherSnedecor::new(df1, df2).expect("degrees of freedom are positive");
    let (mut low, mut high) = (0.0, 1.0);
    while f.cdf(high) < p {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if f.cdf(middle) < p { low = middle } else { high = middle }
    }
    high
}
