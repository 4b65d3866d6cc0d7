//! Estimates of several centres pooled by random effects, with the interval in which another centre's is expected.

use crate::stats::distribution::t_quantile;

/// How the variance between centres is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// Restricted maximum likelihood (Viechtbauer 2005), by Fisher scoring.
    Reml,
    DerSimonianLaird,
}

/// A pooled estimate with the intervals of Hartung and Knapp (2001), Sidik and Jonkman (2002).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pooled {
    pub k: usize,
    pub estimate: f64,
    pub se: f64,
    /// 95 %, by t with k - 1 degrees of freedom.
    pub interval: [f64; 2],
    pub tau2: f64,
    /// Cochran's.
    pub q: f64,
    /// Percent of the variance that is between centres (Higgins and Thompson 2002).
    pub i2: f64,
    /// 95 %, of another centre's true value: t with k - 1 degrees of freedom, as metafor 3.8's `predict`; `None` below
    /// three centres.
    pub predicted: Option<[f64; 2]>,
}

/// Sums of powers of weights.
struct Weights {
    w: Vec<f64>,
    sums: [f64; 3],
    mean: f64,
}

impl Weights {
    fn of(y: &[f64], v: &[f64], tau2: f64) -> Weights {
        let w: Vec<f64> = v.iter().map(|v| 1.0 / (v + tau2)).collect();
        let sums = [1, 2, 3].map(|power| w.iter().map(|w| w.powi(power)).sum::<f64>());
        let mean = w.iter().zip(y).map(|(w, y)| w * y).sum::<f64>() / sums[0];
        Weights { w, sums, mean }
    }
}

/// Pools estimates `y` with variances `v`; `None` below two centres, and where a variance is not above 0.
pub fn random_effects(y: &[f64], v: &[f64], between: Between) -> Option<Pooled> {
    let k = y.len();
    let sound = y.iter().all(|y| y.is_finite()) && v.iter().all(|v| v.is_finite() && *v > 0.0);
    if k < 2 || k != v.len() || !sound {
        return None;
    }
    let fixed = Weights::of(y, v, 0.0);
    let q: f64 = fixed.w.iter().zip(y).map(|(w, y)| w * (y - fixed.mean).powi(2)).sum();
    let [s1, s2, _] = fixed.sums;
    let df = (k - 1) as f64;
    let moment = ((q - df) / (s1 - s2 / s1)).max(0.0);
    let tau2 = match between {
        Between::DerSimonianLaird => moment,
        Between::Reml => reml(y, v, moment),
    };
    let own = Weights::of(y, v, tau2);
    let spread: f64 = own.w.iter().zip(y).map(|(w, y)| w * (y - own.mean).powi(2)).sum::<f64>() / df;
    let se = (spread / own.sums[0]).sqrt();
    let t = t_quantile(0.975, df)?;
    // The typical variance within centres.
    let within = df * s1 / (s1 * s1 - s2);
    let around = |half: f64| [own.mean - half, own.mean + half];
    Some(Pooled {
        k,
        estimate: own.mean,
        se,
        interval: around(t * se),
        tau2,
        q,
        i2: 100.0 * tau2 / (tau2 + within),
        predicted: (k > 2).then(|| around(t * (se * se + tau2).sqrt())),
    })
}

/// Fisher scoring of the restricted likelihood, at 0 where it points below.
fn reml(y: &[f64], v: &[f64], start: f64) -> f64 {
    const STEPS: usize = 10_000;
    let mut tau2 = start;
    for _ in 0..STEPS {
        let Weights { w, sums: [s1, s2, s3], mean } = Weights::of(y, v, tau2);
        let squares: f64 = w.iter().zip(y).map(|(w, y)| (w * (y - mean)).powi(2)).sum();
        let information = s2 - 2.0 * s3 / s1 + (s2 / s1).powi(2);
        let next = (tau2 + (squares - (s1 - s2 / s1)) / information).max(0.0);
        let is_done = (next - tau2).abs() <= 1e-15 * (1.0 + tau2);
        tau2 = next;
        if is_done {
            break;
        }
    }
    tau2
}
