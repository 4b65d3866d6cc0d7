//! The document itself, member by member; `schemas/model-1.schema.json` says the same to other programs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map as Object, Value};

pub use crate::model::batch::{BatchPart, CombatPart, Reference, SourceCombat};
pub use crate::pipeline::harmonise::Map;
pub use crate::pipeline::region::Link;
pub use crate::report::summary::{LevelShare, NumberSummary, TrainingPart, VariableSummary};
use osteon_stats::model::forest::{self, Forest, Setting};
use osteon_stats::model::nomogram::Nomogram;

/// What the member `format` says.
pub const FORMAT: &str = "osteon model";
/// The version of the document that this program writes and reads, and that of one whose Rad-score is LASSO's linear score:
/// a reader that knows forests alone must not take it for one.
pub const VERSION: u64 = 1;
pub const LINEAR_VERSION: u64 = 2;
/// That of one whose features are harmonized, whatever its Rad-score: a reader that takes features as measured must not.
pub const HARMONISED_VERSION: u64 = 3;

/// A model that travels. Every number of patients in it is a count, a mean, an SD, a covariance or a quantile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    pub format: String,
    pub version: u64,
    pub program: Program,
    pub research_use_only: String,
    pub origin: Origin,
    /// The model that this one is an update of.
    pub parent: Option<Parent>,
    pub outcome: Outcome,
    /// What a user of the model needs of each kind of image, and how it is measured.
    pub slots: Vec<Slot>,
    /// One model a source; those that `rad_score` names are used, the others are for comparison.
    pub sources: Vec<Source>,
    pub rad_score: RadScore,
    /// Harmonization of features; `null` where they are taken as measured.
    pub combat: Option<CombatPart>,
    pub clinical: LogisticPart,
    pub combined: LogisticPart,
    pub nomogram: Option<Nomogram>,
    pub thresholds: Vec<Threshold>,
    /// Variables and outcome as a codebook declares them: `variable`, `outcome`, `prediction_moment`.
    pub codebook: Object<String, Value>,
    /// How the models were learnt: the protocol's `learn`, `select`, `forest`.
    pub learning: Object<String, Value>,
    pub training: TrainingPart,
    pub performance: Vec<Performance>,
    /// Made-up patients with what the model says of them, by which a reader checks itself.
    pub examples: Vec<Example>,
    /// Of the canonical form (RFC 8785) of all other members.
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    pub name: String,
    pub version: String,
}

/// Where the model comes from, in hashes alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// When the fit ended, UTC.
    pub fitted_at: String,
    /// The program that fitted it.
    pub fitted_by: String,
    pub protocol_sha256: String,
    /// Hash of what the fit read.
    pub inputs: String,
    /// Hash of the last change of the study when the fit began.
    pub trail_head: String,
    /// A whole number of 64 bits, as text: not every reader of JSON keeps so many.
    pub seed: String,
}

/// The model before an update, and what the update did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parent {
    pub sha256: String,
    pub update: Update,
    /// Patients of the cohort that it was made with, and how many had the event.
    pub n: usize,
    pub n_events: usize,
}

/// A named update of the combined model's linear predictor to `intercept + slope * lp`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// `recalibration in the large`, `recalibration by slope` or `batches estimated`.
    pub name: String,
    pub intercept: f64,
    pub slope: f64,
    /// Codes of batches that were estimated, where the update is that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    pub name: String,
    /// The condition over variables under which the event has happened.
    pub event: String,
    pub event_label: String,
    pub other_label: String,
}

/// One place for an image, and how features are measured in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    pub slot: String,
    pub label: String,
    pub sequence: String,
    pub timepoint: String,
    pub modality: String,
    /// Of intensities; empty where they are arbitrary.
    pub unit: String,
    /// What its DICOM headers should say.
    pub acquisition: Object<String, Value>,
    /// The protocol's `preprocess`, `roi`, `filter`, `feature` and `mask`.
    pub settings: Object<String, Value>,
    /// Hash of these settings.
    pub extraction_sha256: String,
}

/// The model of one source: features, their scaling, the forest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// As Table 3 calls it: the region, with its slot before it where there are several, a change between two slots, or
    /// all sources together.
    pub name: String,
    /// Training patients that have the source, and how many had the event.
    pub n: usize,
    pub n_events: usize,
    /// Features that were allowed and varied, from which these were selected.
    pub n_candidates: usize,
    /// In the order of the forest's columns.
    pub features: Vec<FeaturePart>,
    /// Of the linear LASSO score of z-scores.
    pub lasso_intercept: f64,
    /// Covariance (divided by n - 1) of the features' z-scores among training patients.
    pub covariance: Vec<Vec<f64>>,
    /// 97.5th percentile of the training patients' Mahalanobis distances.
    pub distance_p97_5: Option<f64>,
    pub setting: Setting,
    /// Over z-scores.
    #[serde(with = "forest::exchange")]
    pub forest: Forest,
    /// Version 2 alone: the linear score is the Rad-score, and its probability is by this logistic regression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Version 3 alone: the batches whose differences are taken out of the features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combat: Option<SourceCombat>,
}

/// One selected feature, and where it is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeaturePart {
    /// As the source calls it.
    pub name: String,
    pub slot: String,
    pub region: String,
    /// As pyradiomics names it.
    pub feature: String,
    /// The slot of the earlier timepoint, where the value is the change from it.
    pub earlier: Option<String>,
    /// `difference` (later minus earlier) or `ratio` (later by earlier).
    pub change: Option<Change>,
    pub mean: f64,
    /// Divided by n.
    pub sd: f64,
    /// The LASSO's weight of the z-score.
    pub weight: f64,
    pub p2_5: Option<f64>,
    pub p97_5: Option<f64>,
    /// Version 3 alone: what a measured value becomes in each batch of the source, before it is scaled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maps: Vec<Map>,
}

/// What the change of a feature between two timepoints is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Difference,
    Ratio,
}

/// What the Rad-score is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RadScore {
    /// The source whose forest or linear score gives it; with `fusion`, the best single one.
    pub source: String,
    /// The logistic regression that joins the scores of several sources, which are its terms.
    pub fusion: Option<LogisticPart>,
    /// From where the training patients' scores come: `out_of_fold` or `in_sample`.
    pub training: String,
    pub summary: NumberSummary,
}

/// A logistic model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogisticPart {
    pub intercept: f64,
    pub terms: Vec<Term>,
    /// Of intercept and coefficients, in this order.
    pub covariance: Vec<Vec<f64>>,
    pub n: usize,
    pub n_events: usize,
    /// Training patients left out for a missing value.
    pub n_missing: usize,
    /// Fitted with Firth's penalty, because the terms separate the events.
    pub firth: bool,
}

/// One column of a logistic model: a number, or 1 for patients with the level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// `rad_score`, a variable, or `variable=level`.
    pub name: String,
    pub variable: String,
    pub level: Option<String>,
    pub coefficient: f64,
    /// What stands for a missing value; `null` where a patient without it gets no probability.
    pub fill: Option<f64>,
    /// Mean and quantiles of the column among training patients.
    pub mean: f64,
    pub p2_5: Option<f64>,
    pub p97_5: Option<f64>,
}

/// A probability at which patients are divided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    pub name: String,
    pub model: String,
    pub probability: f64,
}

/// What one model achieved in one set of patients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Performance {
    pub model: String,
    /// `training`, `test`, or an external cohort.
    pub set: String,
    /// Whose probabilities these are: `fitted` or `out of fold`.
    pub probabilities: String,
    pub n: usize,
    pub n_events: usize,
    pub auc: Option<f64>,
    pub auc_low: Option<f64>,
    pub auc_high: Option<f64>,
    pub brier: Option<f64>,
    pub calibration_intercept: Option<f64>,
    pub calibration_slope: Option<f64>,
    /// AUC in the training patients of the models that saw them, and corrected by the bootstrap.
    pub apparent_auc: Option<f64>,
    pub corrected_auc: Option<f64>,
}

/// A made-up patient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    pub name: String,
    /// `slot.region.feature`, and clinical variables by name.
    pub inputs: BTreeMap<String, Value>,
    pub rad_score: f64,
    pub linear_predictor: f64,
    pub probability: f64,
}

impl ModelFile {
    /// The sources that the Rad-score is made of.
    pub fn rad_sources(&self) -> Vec<&Source> {
        let names: Vec<&str> = match &self.rad_score.fusion {
            None => vec![&self.rad_score.source],
            Some(fusion) => fusion.terms.iter().map(|term| term.variable.as_str()).collect(),
        };
        names.into_iter().filter_map(|name| self.sources.iter().find(|source| source.name == name)).collect()
    }

    /// Names of the slots that the Rad-score is measured in, in the order of the file.
    pub fn rad_slots(&self) -> Vec<&str> {
        let features = || self.rad_sources().into_iter().flat_map(|source| &source.features);
        let is_used = |name: &str| features().any(|it| it.slot == name || it.earlier.as_deref() == Some(name));
        self.slots.iter().map(|slot| slot.slot.as_str()).filter(|name| is_used(name)).collect()
    }

    /// The slot of a name.
    pub fn slot(&self, name: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.slot == name)
    }

    /// The document under its hash.
    pub fn sealed(mut self) -> ModelFile {
        self.sha256 = String::new();
        let document = serde_json::to_value(&self).expect("a model is plain data");
        self.sha256 = crate::model::canonical::hash(&document);
        self
    }

    /// The text of the file: one line of JSON.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string(self).expect("a model is plain data");
        text.push('\n');
        text
    }
}

impl FeaturePart {
    /// Names of the measured values that the feature is made of, the present one first: `slot.region.feature`.
    pub fn inputs(&self) -> Vec<String> {
        let slots = std::iter::once(&self.slot).chain(&self.earlier);
        slots.map(|slot| format!("{slot}.{}.{}", self.region, self.feature)).collect()
    }

    /// The feature from measured values; `None` where one is missing or the change is not finite.
    pub fn value(&self, of: impl Fn(&str) -> Option<f64>) -> Option<f64> {
        let values = self.inputs().iter().map(|name| of(name)).collect::<Option<Vec<f64>>>()?;
        let change = match (self.change, values.as_slice()) {
            (None, [now]) => *now,
            (Some(Change::Difference), [now, was]) => now - was,
            (Some(Change::Ratio), [now, was]) => now / was,
            _ => return None,
        };
        Some(change).filter(|value| value.is_finite())
    }
}
