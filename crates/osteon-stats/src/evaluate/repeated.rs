//! The AUC of repeated cross-validation with an interval.

use serde::{Deserialize, Serialize};

use crate::evaluate::roc;
use crate::stats::distribution::Z_975;

/// Mean AUC of pooled held-out scores over repeats, with its 95 % interval.
///
/// Folds share most of the patients that they learn from, so that DeLong's variance of held-out scores is too small.
/// Nadeau and Bengio (2003) take the held-out share over the learnt one for the correlation of two folds: of `k` folds
/// and `r` repeats the variance grows by 1 / r + k / (k - 1) (Bouckaert and Frank 2004). The interval is of the modelling
/// procedure on as many patients as a fold learns from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossValidated {
    pub auc: f64,
    pub se: f64,
    /// Wald's, clipped at 0 and 1.
    pub ci: [f64; 2],
    /// Standard error of the mean over repeats: what other folds would have changed.
    pub monte_carlo: f64,
    pub repeats: usize,
}

/// `repeats` holds one score a row each; rows without one do not count. `None` where no repeat has an AUC with a
/// variance.
pub fn cross_validated(event: &[bool], repeats: &[Vec<Option<f64>>], n_folds: usize) -> Option<CrossValidated> {
    let one = |scores: &Vec<Option<f64>>| {
        let (event, scores): (Vec<bool>, Vec<f64>) =
            event.iter().zip(scores).filter_map(|(&event, score)| Some((event, (*score)?))).unzip();
        let auc = roc::auc(&scores, &event)?;
        Some((auc.auc, auc.variance()?))
    };
    let found: Vec<(f64, f64)> = repeats.iter().filter_map(one).collect();
    if found.is_empty() || n_folds < 2 {
        return None;
    }
    let (r, k) = (found.len() as f64, n_folds as f64);
    let auc = found.iter().map(|one| one.0).sum::<f64>() / r;
    let variance = found.iter().map(|one| one.1).sum::<f64>() / r;
    let se = (variance * (1.0 / r + k / (k - 1.0))).sqrt();
    let spread = found.iter().map(|one| (one.0 - auc).powi(2)).sum::<f64>() / (r - 1.0).max(1.0);
    Some(CrossValidated {
        auc,
        se,
        ci: [(auc - Z_975 * se).max(0.0), (auc + Z_975 * se).min(1.0)],
        monte_carlo: (spread / r).sqrt(),
        repeats: found.len(),
    })
}
