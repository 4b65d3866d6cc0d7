//! Rubin's rules: one estimate from those of several imputations, with its uncertainty.

use serde::{Deserialize, Serialize};

/// A pooled coefficient (Rubin 1987; van Buuren 2018, 2.3), as mice's `pool`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pooled {
    pub estimate: f64,
    /// Mean of the variances.
    pub within: f64,
    /// Variance of the estimates between imputations.
    pub between: f64,
    /// `within` + (1 + 1/m) `between`.
    pub total: f64,
    /// Barnard and Rubin's (1999) degrees of freedom.
    pub df: f64,
    /// Fraction of missing information.
    pub fmi: f64,
}

/// Shares of the variance below this are taken as this: without any there would be no finite degrees of freedom. mice's
/// bound.
const LEAST_SHARE: f64 = 1e-4;

/// Pools estimates and their variances, one each an imputation. `df_complete` are the residual degrees of freedom that
/// the data would have without missing values. `None` for fewer than two imputations, or without any variance.
pub fn pool(estimates: &[f64], variances: &[f64], df_complete: f64) -> Option<Pooled> {
    let m = estimates.len() as f64;
    if estimates.len() < 2 || variances.len() != estimates.len() {
        return None;
    }
    let estimate = estimates.iter().sum::<f64>() / m;
    let within = variances.iter().sum::<f64>() / m;
    let between = estimates.iter().map(|one| (one - estimate).powi(2)).sum::<f64>() / (m - 1.0);
    let added = (1.0 + 1.0 / m) * between;
    let total = within + added;
    if !total.is_finite() || within <= 0.0 || df_complete <= 0.0 {
        return None;
    }
    let share = (added / total).max(LEAST_SHARE);
    let old = (m - 1.0) / (share * share);
    let observed = (df_complete + 1.0) / (df_complete + 3.0) * df_complete * (1.0 - share);
    let df = if df_complete.is_infinite() { old } else { old * observed / (old + observed) };
    let increase = added / within;
    let fmi = (increase + 2.0 / (df + 3.0)) / (increase + 1.0);
    Some(Pooled { estimate, within, between, total, df, fmi })
}
