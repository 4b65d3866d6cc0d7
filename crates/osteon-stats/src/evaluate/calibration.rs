//! Do probabilities mean what they say: Brier score, recalibration, val.prob's indices, smooth calibration errors.

use crate::evaluate::smooth;
use crate::stats::distribution::{Z_975, chi2_sf, normal_two_sided};

/// Calibration of probabilities against events; what cannot be computed is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    pub n: usize,
    pub events: usize,
    /// Probabilities of exactly 0 or 1: they have no logit, and take no part in what is made of logits (recalibration,
    /// calibration in the large, `indices`), as in `val.prob`.
    pub n_certain: usize,
    /// Rows of which the probability of what happened is below `EXTREME` and not 0: each weighs more than all others.
    pub n_extreme: usize,
    /// Mean squared error.
    pub brier: f64,
    /// 1 − Brier / (prevalence (1 − prevalence)).
    pub brier_scaled: Option<f64>,
    pub log_loss: f64,
    /// Events observed over expected; `None` when none is expected.
    pub oe_ratio: Option<f64>,
    /// Logistic regression of the event on the logit of the probability; `None` when it separates the events.
    pub recalibration: Option<Recalibration>,
    /// Intercept with the logit as offset (calibration in the large), and its standard error.
    pub in_the_large: Option<(f64, f64)>,
    /// Spiegelhalter's z and its two-sided p.
    pub spiegelhalter: Option<(f64, f64)>,
    pub indices: Option<Indices>,
    /// |probability − lowess|: largest, 90 % quantile, mean (val.prob's Emax, E90, Eavg).
    pub lowess: Errors,
    /// |probability − loess of degree 2|: largest, 90 % quantile, mean (ICI), median (E50).
    pub loess: Option<Errors>,
    /// Estimated calibration index: 100 times the mean squared distance to the loess curve (Van Hoorde et al. 2015).
    pub eci: Option<f64>,
}

/// No model of patients is so sure: a probability of what happened below this is a mistake of the score.
pub const EXTREME: f64 = 1e-6;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recalibration {
    pub intercept: f64,
    pub intercept_se: f64,
    pub slope: f64,
    pub slope_se: f64,
}

impl Recalibration {
    /// Wald's 95 % interval.
    pub fn intercept_ci(&self) -> [f64; 2] {
        wald(self.intercept, self.intercept_se)
    }

    /// Wald's 95 % interval.
    pub fn slope_ci(&self) -> [f64; 2] {
        wald(self.slope, self.slope_se)
    }
}

impl Calibration {
    /// Wald's 95 % interval of the calibration in the large.
    pub fn in_the_large_ci(&self) -> Option<[f64; 2]> {
        self.in_the_large.map(|(a, se)| wald(a, se))
    }

    /// 95 % interval of observed over expected events, on the logarithmic scale (Debray et al. 2017).
    pub fn oe_ci(&self) -> Option<[f64; 2]> {
        let (n, events, ratio) = (self.n as f64, self.events as f64, self.oe_ratio?);
        let half = Z_975 * ((1.0 - events / n) / events).sqrt();
        (events > 0.0).then(|| [ratio * (-half).exp(), ratio * half.exp()])
    }
}

fn wald(estimate: f64, se: f64) -> [f64; 2] {
    [estimate - Z_975 * se, estimate + Z_975 * se]
}

/// Discrimination D, unreliability U and quality Q with the likelihood of the probabilities as they are (Harrell).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Indices {
    pub r2: f64,
    pub d: f64,
    pub d_chi2: f64,
    /// `None` with the recalibration.
    pub u: Option<Unreliability>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unreliability {
    pub u: f64,
    pub chi2: f64,
    pub p: f64,
    pub q: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Errors {
    pub max: f64,
    pub q90: f64,
    pub median: f64,
    pub mean: f64,
}

/// One point of a calibration curve in groups of equal size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    pub n: usize,
    pub predicted: f64,
    pub observed: f64,
}

/// `None` without rows.
pub fn calibration(event: &[bool], p: &[f64]) -> Option<Calibration> {
    assert_eq!(event.len(), p.len(), "one probability an event");
    if p.is_empty() {
        return None;
    }
    let n = p.len() as f64;
    let y: Vec<f64> = event.iter().map(|&event| f64::from(event)).collect();
    let uncertain: Vec<usize> = (0..p.len()).filter(|&row| p[row] > 0.0 && p[row] < 1.0).collect();
    let logit: Vec<f64> = uncertain.iter().map(|&row| (p[row] / (1.0 - p[row])).ln()).collect();
    let y_of_logit: Vec<f64> = uncertain.iter().map(|&row| y[row]).collect();
    let brier = brier(event, p)?;
    let worst = spread(&y);
    let recalibration = recalibrate(&y_of_logit, &logit);
    let (lowess, loess) = smooth_errors(&y, p);
    let expected: f64 = p.iter().sum();
    Some(Calibration {
        n: p.len(),
        events: event.iter().filter(|&&event| event).count(),
        n_certain: p.len() - uncertain.len(),
        n_extreme: uncertain.iter().filter(|&&row| if event[row] { p[row] } else { 1.0 - p[row] } < EXTREME).count(),
        brier,
        brier_scaled: (worst > 0.0).then(|| 1.0 - brier / worst),
        log_loss: match (0..p.len()).any(|row| y[row] == 1.0 && p[row] <= 0.0 || y[row] == 0.0 && p[row] >= 1.0) {
            true => f64::INFINITY,
            false => deviance(&y_of_logit, &logit) / (2.0 * n),
        },
        oe_ratio: (expected > 0.0).then(|| y.iter().sum::<f64>() / expected),
        recalibration: recalibration.map(|(fit, _)| fit),
        in_the_large: in_the_large(&y_of_logit, &logit),
        spiegelhalter: spiegelhalter(&y, p),
        indices: (spread(&y_of_logit) > 0.0)
            .then(|| indices(&y_of_logit, &logit, recalibration.map(|(_, deviance)| deviance))),
        lowess,
        loess: loess.map(|(errors, _)| errors),
        eci: loess.map(|(_, eci)| eci),
    })
}

/// Mean squared error of the probabilities; `None` without rows.
pub fn brier(event: &[bool], p: &[f64]) -> Option<f64> {
    let squares = event.iter().zip(p).map(|(&event, p)| (p - f64::from(event)).powi(2));
    (!p.is_empty()).then(|| squares.sum::<f64>() / p.len() as f64)
}

/// Prevalence times the share without the event; 0 without rows.
fn spread(y: &[f64]) -> f64 {
    let prevalence = y.iter().sum::<f64>() / y.len().max(1) as f64;
    prevalence * (1.0 - prevalence)
}

/// −2 log-likelihood of linear predictors.
fn deviance(y: &[f64], eta: &[f64]) -> f64 {
    // ln(1 + e^eta) without overflow.
    let softplus = |eta: f64| eta.max(0.0) + (-eta.abs()).exp().ln_1p();
    2.0 * y.iter().zip(eta).map(|(y, &eta)| softplus(eta) - y * eta).sum::<f64>()
}

fn logistic(eta: f64) -> f64 {
    1.0 / (1.0 + (-eta).exp())
}

/// Logistic regression on one variable by Newton steps with halving; gives the fit and its deviance.
fn recalibrate(y: &[f64], logit: &[f64]) -> Option<(Recalibration, f64)> {
    let eta_of = |a: f64, b: f64| logit.iter().map(|x| a + b * x).collect::<Vec<f64>>();
    let (mut a, mut b) = (0.0, 0.0);
    let mut least = deviance(y, &eta_of(a, b));
    for _ in 0..200 {
        let (mut g, mut h) = ([0.0; 2], [0.0; 3]);
        for (y, &x) in y.iter().zip(logit) {
            let p = logistic(a + b * x);
            let w = p * (1.0 - p);
            g = [g[0] + y - p, g[1] + (y - p) * x];
            h = [h[0] + w, h[1] + w * x, h[2] + w * x * x];
        }
        let det = h[0] * h[2] - h[1] * h[1];
        if det.is_nan() || det <= 1e-12 * h[0] * h[2] || h[0] < 1e-8 {
            return None;
        }
        let (da, db) = ((h[2] * g[0] - h[1] * g[1]) / det, (h[0] * g[1] - h[1] * g[0]) / det);
        let mut step = 1.0;
        while deviance(y, &eta_of(a + step * da, b + step * db)) > least + 1e-12 * least.abs() && step > 1e-6 {
            step /= 2.0;
        }
        (a, b) = (a + step * da, b + step * db);
        least = deviance(y, &eta_of(a, b));
        if b.abs() > 1e6 {
            return None;
        }
        if da.abs() <= 1e-12 * (1.0 + a.abs()) && db.abs() <= 1e-12 * (1.0 + b.abs()) {
            break;
        }
    }
    // A deviance of zero is a limit that no coefficients reach: the probabilities separate the events.
    if least < 1e-6 {
        return None;
    }
    let w = |x: f64| logistic(a + b * x) * (1.0 - logistic(a + b * x));
    let h = logit.iter().fold([0.0; 3], |h, &x| [h[0] + w(x), h[1] + w(x) * x, h[2] + w(x) * x * x]);
    let det = h[0] * h[2] - h[1] * h[1];
    let (intercept_se, slope_se) = ((h[2] / det).sqrt(), (h[0] / det).sqrt());
    slope_se.is_finite().then_some((Recalibration { intercept: a, intercept_se, slope: b, slope_se }, least))
}

fn in_the_large(y: &[f64], logit: &[f64]) -> Option<(f64, f64)> {
    let observed: f64 = y.iter().sum();
    if observed == 0.0 || observed == y.len() as f64 {
        return None;
    }
    let expected = |a: f64| logit.iter().map(|x| logistic(a + x)).sum::<f64>();
    let (mut low, mut high) = (-1.0, 1.0);
    while expected(low) > observed {
        low *= 2.0;
    }
    while expected(high) < observed {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if expected(middle) < observed { low = middle } else { high = middle }
    }
    let a = (low + high) / 2.0;
    let information: f64 = logit.iter().map(|x| logistic(a + x)).map(|p| p * (1.0 - p)).sum();
    Some((a, information.sqrt().recip()))
}

fn spiegelhalter(y: &[f64], p: &[f64]) -> Option<(f64, f64)> {
    let top: f64 = y.iter().zip(p).map(|(y, p)| (y - p) * (1.0 - 2.0 * p)).sum();
    let variance: f64 = p.iter().map(|p| (1.0 - 2.0 * p).powi(2) * p * (1.0 - p)).sum();
    let z = top / variance.sqrt();
    (variance > 0.0).then(|| (z, normal_two_sided(z)))
}

fn indices(y: &[f64], logit: &[f64], recalibrated: Option<f64>) -> Indices {
    let n = y.len() as f64;
    let prevalence = y.iter().sum::<f64>() / n;
    let null = -2.0 * n * (prevalence * prevalence.ln() + (1.0 - prevalence) * (1.0 - prevalence).ln());
    let own = deviance(y, logit);
    let chi2 = null - own;
    let d = (chi2 - 1.0) / n;
    let u = recalibrated.map(|recalibrated| {
        let chi2 = own - recalibrated;
        let u = (chi2 - 2.0) / n;
        Unreliability { u, chi2, p: chi2_sf(chi2.max(0.0), 2.0), q: d - u }
    });
    Indices { r2: (1.0 - (-chi2 / n).exp()) / (1.0 - (-null / n).exp()), d, d_chi2: chi2, u }
}

/// Errors against lowess, and against loess with the estimated calibration index.
fn smooth_errors(y: &[f64], p: &[f64]) -> (Errors, Option<(Errors, f64)>) {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let (x, y): (Vec<f64>, Vec<f64>) = order.iter().map(|&i| (p[i], y[i])).unzip();
    let curve = smooth::lowess(&x, &y, 2.0 / 3.0);
    // Of equal probabilities the first value of the curve counts for all, as in val.prob.
    let first = |i: usize| curve[x.partition_point(|&other| other < x[i])];
    let lowess = errors((0..x.len()).map(|i| (x[i] - first(i)).abs()).collect());
    let fitted = smooth::loess_at_points(&x, &y, 0.75);
    let loess = fitted.map(|fitted| {
        let distances: Vec<f64> = x.iter().zip(&fitted).map(|(x, fitted)| (x - fitted).abs()).collect();
        let eci = 100.0 * distances.iter().map(|d| d * d).sum::<f64>() / distances.len() as f64;
        (errors(distances), eci)
    });
    (lowess, loess)
}

fn errors(mut distances: Vec<f64>) -> Errors {
    distances.sort_by(f64::total_cmp);
    let n = distances.len();
    // R's quantile of type 7.
    let quantile = |p: f64| {
        let at = p * (n - 1) as f64;
        let low = at.floor() as usize;
        distances[low] + (at - low as f64) * (distances[(low + 1).min(n - 1)] - distances[low])
    };
    Errors {
        max: distances[n - 1],
        q90: quantile(0.9),
        median: quantile(0.5),
        mean: distances.iter().sum::<f64>() / n as f64,
    }
}

/// Mean prediction and share of events in `n_groups` groups of about equal size; equal probabilities stay together.
pub fn groups(event: &[bool], p: &[f64], n_groups: usize) -> Vec<Group> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); n_groups];
    for tied in order.chunk_by(|&a, &b| p[a] == p[b]) {
        let start = order.partition_point(|&i| p[i] < p[tied[0]]);
        groups[(2 * start + tied.len() - 1) * n_groups / (2 * p.len())].extend(tied);
    }
    let group = |rows: Vec<usize>| {
        let n = rows.len() as f64;
        Group {
            n: rows.len(),
            predicted: rows.iter().map(|&i| p[i]).sum::<f64>() / n,
            observed: rows.iter().filter(|&&i| event[i]).count() as f64 / n,
        }
    };
    groups.into_iter().filter(|rows| !rows.is_empty()).map(group).collect()
}
