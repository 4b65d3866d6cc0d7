//! Models side by side, by the held-out probabilities of repeated cross-validation.

use serde::{Deserialize, Serialize};

use crate::evaluate::calibration::{brier, calibration};
use crate::evaluate::repeated::{CrossValidated, cross_validated};

/// One model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    pub name: String,
    pub auc: Option<CrossValidated>,
    /// Means over repeats.
    pub brier: Option<f64>,
    pub intercept: Option<f64>,
    pub slope: Option<f64>,
    /// Training patients without a held-out probability, of the first repeat.
    pub n_missing: usize,
    /// How alike the choices in all folds were (Nogueira), where the model chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stability: Option<f64>,
}

/// What held-out probabilities of all repeats say of one model.
pub fn judged(name: &str, event: &[bool], repeats: &[Vec<Option<f64>>], n_folds: usize) -> Judged {
    let known = |scores: &Vec<Option<f64>>| -> (Vec<bool>, Vec<f64>) {
        event.iter().zip(scores).filter_map(|(&event, score)| Some((event, (*score)?))).unzip()
    };
    type Measure<'a> = &'a dyn Fn(&[bool], &[f64]) -> Option<f64>;
    let mean = |of: Measure| {
        let found: Vec<f64> = repeats.iter().map(known).filter_map(|(event, p)| of(&event, &p)).collect();
        (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
    };
    let line = |event: &[bool], p: &[f64]| calibration(event, p).and_then(|found| found.recalibration);
    Judged {
        name: name.to_owned(),
        auc: cross_validated(event, repeats, n_folds),
        brier: mean(&|event, p| brier(event, p)),
        intercept: mean(&|event, p| line(event, p).map(|line| line.intercept)),
        slope: mean(&|event, p| line(event, p).map(|line| line.slope)),
        n_missing: repeats.first().map_or(0, |scores| scores.iter().filter(|score| score.is_none()).count()),
        stability: None,
    }
}
