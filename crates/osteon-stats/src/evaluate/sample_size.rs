//! How many patients a prediction model needs: Riley's criteria, and how precise an AUC can be.

use crate::stats::distribution::{normal_cdf, normal_quantile};

/// Riley et al. 2019/2020 for a binary outcome, as pmsampsize.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleSize {
    /// Largest possible Cox-Snell R² at this prevalence.
    pub max_r2: f64,
    pub nagelkerke: f64,
    /// Patients for the wanted shrinkage.
    pub for_shrinkage: usize,
    /// Patients for an optimism in Nagelkerke's R² of at most 0.05.
    pub for_optimism: usize,
    /// Patients for the overall risk within 0.05.
    pub for_risk: usize,
    /// Patients for a mean absolute error of predicted probabilities of at most 0.05 (Riley et al. 2020, after van
    /// Smeden et al. 2019); pmsampsize leaves this criterion out, and so does `n`.
    pub for_error: usize,
    pub n: usize,
    pub events: f64,
    pub events_per_parameter: f64,
}

/// `r2` is the expected Cox-Snell R², `shrinkage` 0.9 by custom.
pub fn sample_size(n_parameters: usize, prevalence: f64, r2: f64, shrinkage: f64) -> SampleSize {
    let parameters = n_parameters as f64;
    let null = prevalence * prevalence.ln() + (1.0 - prevalence) * (1.0 - prevalence).ln();
    let max_r2 = 1.0 - (2.0 * null).exp();
    let patients = |s: f64| (parameters / ((s - 1.0) * (1.0 - r2 / s).ln())).ceil() as usize;
    let for_shrinkage = patients(shrinkage);
    let for_optimism = patients(r2 / (r2 + 0.05 * max_r2));
    // 1.96 and not the exact quantile, as pmsampsize.
    let for_risk = ((1.96 / 0.05_f64).powi(2) * prevalence * (1.0 - prevalence)).ceil() as usize;
    let for_error = n_for_error(n_parameters, prevalence, 0.05);
    let n = for_shrinkage.max(for_optimism).max(for_risk);
    let events = n as f64 * prevalence;
    let nagelkerke = r2 / max_r2;
    let events_per_parameter = events / parameters;
    SampleSize { max_r2, nagelkerke, for_shrinkage, for_optimism, for_risk, for_error, n, events, events_per_parameter }
}

/// Patients at which the mean absolute error of predicted probabilities is `error` (van Smeden et al. 2019); the share of
/// the rarer outcome counts.
pub fn n_for_error(n_parameters: usize, prevalence: f64, error: f64) -> usize {
    let rarer = prevalence.min(1.0 - prevalence);
    let ln_n = (-0.508 + 0.259 * rarer.ln() + 0.504 * (n_parameters as f64).ln() - error.ln()) / 0.544;
    ln_n.exp().ceil() as usize
}

/// Cox-Snell R² of a model with this AUC when the linear predictor is normal with one SD in both classes.
pub fn r2_of_auc(auc: f64, prevalence: f64) -> f64 {
    let d = std::f64::consts::SQRT_2 * normal_quantile(auc);
    let k = (prevalence / (1.0 - prevalence)).ln() - d * d / 2.0;
    let density = |x: f64| (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let log_likelihood = |x: f64| {
        let e = d * x + k;
        let softplus = e.max(0.0) + (-e.abs()).exp().ln_1p();
        prevalence * density(x - d) * (e - softplus) - (1.0 - prevalence) * density(x) * softplus
    };
    // The integrand is analytic and vanishes at both ends: the trapezoid rule converges geometrically.
    let (low, high, steps) = (-12.0, 12.0 + d, 4000);
    let h = (high - low) / f64::from(steps);
    let total: f64 = (0..=steps).map(|i| log_likelihood(low + h * f64::from(i))).sum::<f64>() * h;
    let null = prevalence * prevalence.ln() + (1.0 - prevalence) * (1.0 - prevalence).ln();
    1.0 - (-2.0 * (total - null)).exp()
}

/// Standard error of an AUC before there are data (Hanley and McNeil 1982).
pub fn auc_se(auc: f64, n_events: usize, n_others: usize) -> f64 {
    let (m, n) = (n_events as f64, n_others as f64);
    let (q1, q2) = (auc / (2.0 - auc), 2.0 * auc * auc / (1.0 + auc));
    ((auc * (1.0 - auc) + (m - 1.0) * (q1 - auc * auc) + (n - 1.0) * (q2 - auc * auc)) / (m * n)).sqrt()
}

/// Smallest number of patients in each class for a 95 % interval of the AUC at most `width` wide.
pub fn n_for_auc_width(auc: f64, width: f64) -> usize {
    let z = normal_quantile(0.975);
    (5..).find(|&n| 2.0 * z * auc_se(auc, n, n) <= width).expect("the standard error falls to 0")
}

/// Smallest number in each class at which a difference of two correlated AUCs is found with this power at 5 %.
pub fn n_for_auc_difference(auc1: f64, auc2: f64, correlation: f64, power: f64) -> Option<usize> {
    let z = normal_quantile(0.975) + normal_quantile(power);
    let found = |&n: &usize| {
        let (se1, se2) = (auc_se(auc1, n, n), auc_se(auc2, n, n));
        let variance = se1 * se1 + se2 * se2 - 2.0 * correlation * se1 * se2;
        (auc1 - auc2).abs() / variance.sqrt() >= z
    };
    (5..=200_000).find(found)
}

/// Power of DeLong's test, two-sided at 5 %, of a difference of two correlated AUCs with this many rows of either
/// outcome, from Hanley and McNeil's standard errors.
pub fn power_of_auc_difference(auc1: f64, auc2: f64, correlation: f64, n_events: usize, n_others: usize) -> f64 {
    let (se1, se2) = (auc_se(auc1, n_events, n_others), auc_se(auc2, n_events, n_others));
    let se = (se1 * se1 + se2 * se2 - 2.0 * correlation * se1 * se2).sqrt();
    let (away, z) = ((auc1 - auc2).abs() / se, normal_quantile(0.975));
    normal_cdf(away - z) + normal_cdf(-away - z)
}

/// Shrinkage to expect of a fitted model from its likelihood ratio chi-square (Van Houwelingen and Le Cessie 1990).
pub fn heuristic_shrinkage(chi2: f64, n_parameters: usize) -> f64 {
    (chi2 - n_parameters as f64) / chi2
}
