//! Tail probabilities and quantiles, right to about 1e-12 relative down to 1e-300.
//!
//! Tails are computed as tails, never as one minus the rest.

use statrs::function::erf::erfc_inv;

use crate::stats::root;
use crate::stats::special::{beta_i, gamma_q, ln_beta};

/// The normal quantile of 0.975, for 95 % intervals.
pub const Z_975: f64 = 1.959_963_984_540_054;

/// P(Z <= z).
pub fn normal_cdf(z: f64) -> f64 {
    normal_sf(-z)
}

/// P(Z > z).
pub fn normal_sf(z: f64) -> f64 {
    let tail = 0.5 * normal_two_sided(z);
    if z < 0.0 { 1.0 - tail } else { tail }
}

/// P(|Z| > |z|), which is Q(1/2, z²/2): statrs' erfc is off by 1e-11 between 0.5 and 2.
pub fn normal_two_sided(z: f64) -> f64 {
    gamma_q(0.5, 0.5 * z * z)
}

/// The z below which lies the probability `p`; infinite at 0 and 1.
pub fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        return if p <= 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let z = -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p);
    // One Newton step on the tail that keeps its digits.
    let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    let off = if z < 0.0 { normal_cdf(z) - p } else { (1.0 - p) - normal_sf(z) };
    if density > 0.0 { z - off / density } else { z }
}

/// P(X > x) of chi-square with `df` degrees of freedom.
pub fn chi2_sf(x: f64, df: f64) -> f64 {
    gamma_q(0.5 * df, 0.5 * x)
}

/// P(|T| > |t|) of Student's t.
pub fn t_two_sided(t: f64, df: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    // x = df / (df + t²), written for the larger one so that t² does not overflow.
    let ratio = if t.abs() > 1e150 { 0.0 } else { t * t / df };
    if t.abs() > 1e150 {
        return (0.5 * df * (df.ln() - 2.0 * t.abs().ln()) - ln_beta(0.5 * df, 0.5) - (0.5 * df).ln()).exp();
    }
    beta_i(0.5 * df, 0.5, 1.0 / (1.0 + ratio), ratio / (1.0 + ratio))
}

/// The t below which lies the probability `p`.
pub fn t_quantile(p: f64, df: f64) -> Option<f64> {
    let tail = 2.0 * p.min(1.0 - p);
    if p == 0.5 {
        return Some(0.0);
    }
    let t = positive_root(|t| t_two_sided(t, df), tail)?;
    Some(if p < 0.5 { -t } else { t })
}

/// P(X > x) of Fisher's F.
pub fn f_sf(x: f64, df1: f64, df2: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let ratio = df1 * x / df2;
    beta_i(0.5 * df2, 0.5 * df1, 1.0 / (1.0 + ratio), 1.0 / (1.0 + 1.0 / ratio))
}

/// The x below which lies the probability `p` of Fisher's F.
pub fn f_quantile(p: f64, df1: f64, df2: f64) -> Option<f64> {
    positive_root(|x| f_sf(x, df1, df2), 1.0 - p)
}

/// The x below which lies the probability `p` of chi-square.
pub fn chi2_quantile(p: f64, df: f64) -> Option<f64> {
    positive_root(|x| chi2_sf(x, df), 1.0 - p)
}

/// The x below which lies the probability `p` of Beta(a, b).
pub fn beta_quantile(p: f64, a: f64, b: f64) -> Option<f64> {
    // On the scale of the log odds both ends keep their digits.
    let at = |logit: f64| (1.0 / (1.0 + (-logit).exp()), 1.0 / (1.0 + logit.exp()));
    let off = |logit: f64| {
        let (x, y) = at(logit);
        (beta_i(a, b, x, y) / p).ln().clamp(-1e300, 1e300)
    };
    root::bracketed(off, -700.0, 700.0).map(|logit| at(logit).0)
}

/// P(K > x) of Kolmogorov's limit distribution, x being √n D.
pub fn kolmogorov_sf(x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x < 1.0 {
        // The theta-function form converges fast where the alternating one does not.
        let w = std::f64::consts::PI.powi(2) / (8.0 * x * x);
        let sum: f64 = (0..20).map(|k| (-w * f64::from(2 * k + 1).powi(2)).exp()).sum();
        return 1.0 - std::f64::consts::TAU.sqrt() / x * sum;
    }
    2.0 * (1..20).map(|k| f64::from(k % 2 * 2 - 1) * (-2.0 * x * x * f64::from(k * k)).exp()).sum::<f64>()
}

/// Where a falling tail function of x > 0 equals `tail`, found on logarithmic scales.
fn positive_root(sf: impl Fn(f64) -> f64, tail: f64) -> Option<f64> {
    if !(tail > 0.0 && tail < 1.0) {
        return None;
    }
    let off = |ln_x: f64| (sf(ln_x.exp()) / tail).ln().clamp(-1e300, 1e300);
    root::bracketed(off, -700.0, 700.0).map(f64::exp)
}
