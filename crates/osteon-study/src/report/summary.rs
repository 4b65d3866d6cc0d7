//! What patients are like as a group: the summaries that a model file keeps and that tables compare.

use serde::{Deserialize, Serialize};

/// The training patients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingPart {
    pub n: usize,
    pub n_events: usize,
    /// Clinical variables, those without a place in a model too.
    pub variables: Vec<VariableSummary>,
}

/// What training patients have of a variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum VariableSummary {
    Number {
        name: String,
        unit: String,
        summary: NumberSummary,
    },
    Levels {
        name: String,
        /// Patients with a value.
        n: usize,
        levels: Vec<LevelShare>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelShare {
    pub level: String,
    pub share: f64,
}

/// A number among training patients; quantiles of type 7, which are no patient's extreme.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberSummary {
    /// Patients with a value.
    pub n: usize,
    pub mean: Option<f64>,
    /// Divided by n - 1.
    pub sd: Option<f64>,
    pub p2_5: Option<f64>,
    pub q1: Option<f64>,
    pub median: Option<f64>,
    pub q3: Option<f64>,
    pub p97_5: Option<f64>,
}
