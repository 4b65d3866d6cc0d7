//! How many patients an external validation needs (Riley et al. 2021, 2024), as pmvalsampsize.

use crate::stats::distribution::normal_quantile;

/// How the linear predictor is distributed among the patients to come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Predictor {
    Normal {
        mean: f64,
        sd: f64,
    },
    /// Probabilities of Beta(a, b).
    Beta {
        a: f64,
        b: f64,
    },
    /// Normal in either outcome with one SD, so that AUC and prevalence are those given and probabilities are
    /// calibrated.
    OfAuc,
}

/// What is expected, and how wide 95 % intervals may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    pub prevalence: f64,
    pub auc: f64,
    pub predictor: Predictor,
    /// Observed over expected events, 1 by custom.
    pub oe: f64,
    pub oe_width: f64,
    pub slope_width: f64,
    pub auc_width: f64,
    /// Threshold probability and the width of the standardised net benefit's interval.
    pub net_benefit: Option<(f64, f64)>,
    /// Sensitivity and specificity at that threshold; what the predictor gives when not known.
    pub operating_point: Option<[f64; 2]>,
}

/// Patients by criterion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct External {
    pub for_oe: usize,
    pub for_slope: usize,
    pub for_auc: usize,
    pub for_net_benefit: Option<usize>,
    /// Sensitivity and specificity behind `for_net_benefit`.
    pub operating_point: Option<[f64; 2]>,
    pub n: usize,
    pub events: f64,
}

/// 1.96 and not the exact quantile, as pmvalsampsize.
const Z: f64 = 1.96;
/// The step by which pmvalsampsize searches standard errors.
const STEP: f64 = 1e-4;

/// Patients for each criterion.
pub fn external(expected: &Expected) -> External {
    let prevalence = expected.prevalence;
    let oe_width = |se: f64| (expected.oe.ln() + Z * se).exp() - (expected.oe.ln() - Z * se).exp();
    let se_oe = smallest(|se| oe_width(se) >= expected.oe_width);
    let for_oe = up((1.0 - prevalence) / (prevalence * se_oe * se_oe));
    let [i00, i01, i11] = information(expected);
    let se_slope = expected.slope_width / (2.0 * Z);
    let for_slope = up(i00 / (se_slope * se_slope * (i00 * i11 - i01 * i01)));
    let for_auc = n_for_auc(expected.auc, prevalence, expected.auc_width);
    let operating_point = expected
        .net_benefit
        .map(|(threshold, _)| expected.operating_point.unwrap_or_else(|| operating(expected, threshold)));
    let for_net_benefit = expected
        .net_benefit
        .zip(operating_point)
        .map(|((threshold, width), point)| n_for_net_benefit(prevalence, point, threshold, width));
    let n = for_oe.max(for_slope).max(for_auc).max(for_net_benefit.unwrap_or(0));
    External { for_oe, for_slope, for_auc, for_net_benefit, operating_point, n, events: n as f64 * prevalence }
}

fn up(n: f64) -> usize {
    n.ceil() as usize
}

/// The first multiple of the step that is wide enough.
fn smallest(wide: impl Fn(f64) -> bool) -> f64 {
    (1..1_000_000).map(|k| f64::from(k) * STEP).find(|&se| wide(se)).unwrap_or(f64::INFINITY)
}

fn n_for_auc(auc: f64, prevalence: f64, width: f64) -> usize {
    let se = |n: usize| {
        let star = n as f64 / 2.0 - 1.0;
        let spread = 1.0 + star * (1.0 - auc) / (2.0 - auc) + star * auc / (1.0 + auc);
        (auc * (1.0 - auc) * spread / ((n * n) as f64 * prevalence * (1.0 - prevalence))).sqrt()
    };
    let (mut low, mut high) = (1, 2);
    while 2.0 * Z * se(high) > width && high < 1 << 40 {
        (low, high) = (high, 2 * high);
    }
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if 2.0 * Z * se(middle) <= width { high = middle } else { low = middle }
    }
    high
}

/// Patients for a 95 % interval of the standardised net benefit of this width (Riley et al. 2021, equation 10).
pub fn n_for_net_benefit(prevalence: f64, [sensitivity, specificity]: [f64; 2], threshold: f64, width: f64) -> usize {
    // Rounded as pmvalsampsize rounds it.
    let se = (1e3 * smallest(|se| 2.0 * Z * se >= width)).round() / 1e3;
    let w = (1.0 - prevalence) / prevalence * threshold / (1.0 - threshold);
    let wrong = 1.0 - specificity;
    let spread = sensitivity * (1.0 - sensitivity) / prevalence
        + w * w * specificity * wrong / (1.0 - prevalence)
        + w * w * wrong * wrong / (prevalence * (1.0 - prevalence));
    up(spread / (se * se))
}

/// Mean of `f` of linear predictor over their distribution.
fn mean<const K: usize>(expected: &Expected, f: impl Fn(f64) -> [f64; K]) -> [f64; K] {
    // Smooth densities that vanish at both ends: the trapezoid rule converges geometrically.
    const STEPS: u32 = 20_000;
    let normal = |x: f64, mean: f64, sd: f64| (-((x - mean) / sd).powi(2) / 2.0).exp();
    let (low, high): (f64, f64);
    let density: Box<dyn Fn(f64) -> f64> = match expected.predictor {
        Predictor::Normal { mean, sd } => {
            (low, high) = (mean - 12.0 * sd, mean + 12.0 * sd);
            Box::new(move |x| normal(x, mean, sd))
        }
        Predictor::Beta { a, b } => {
            (low, high) = (-40.0 / a.min(1.0), 40.0 / b.min(1.0));
            Box::new(move |x| (-a * (-x).exp().ln_1p() - b * x.exp().ln_1p()).exp())
        }
        Predictor::OfAuc => {
            let prevalence = expected.prevalence;
            let variance = 2.0 * normal_quantile(expected.auc).powi(2);
            let sd = variance.sqrt();
            let others = (prevalence / (1.0 - prevalence)).ln() - variance / 2.0;
            (low, high) = (others - 12.0 * sd, others + variance + 12.0 * sd);
            Box::new(move |x| {
                (1.0 - prevalence) * normal(x, others, sd) + prevalence * normal(x, others + variance, sd)
            })
        }
    };
    let h = (high - low) / f64::from(STEPS);
    let (mut total, mut sums) = (0.0, [0.0; K]);
    for k in 0..=STEPS {
        let x = low + h * f64::from(k);
        let density = density(x);
        total += density;
        for (sum, value) in sums.iter_mut().zip(f(x)) {
            *sum += density * value;
        }
    }
    sums.map(|sum| sum / total)
}

fn logistic(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

/// The unit information of intercept and slope of a calibrated model.
fn information(expected: &Expected) -> [f64; 3] {
    mean(expected, |x| {
        let w = logistic(x) * logistic(-x);
        [w, w * x, w * x * x]
    })
}

/// Sensitivity and specificity at a threshold probability.
fn operating(expected: &Expected, threshold: f64) -> [f64; 2] {
    let cut = (threshold / (1.0 - threshold)).ln();
    let [events, hits, others, quiet] = mean(expected, |x| {
        let (p, above) = (logistic(x), f64::from(u8::from(x > cut)));
        [p, p * above, 1.0 - p, (1.0 - p) * (1.0 - above)]
    });
    [hits / events, quiet / others]
}
