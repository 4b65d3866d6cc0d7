//! What a stored model of a time to event learnt, written to and read from the study file.

use serde::{Deserialize, Serialize};

use crate::pipeline::recipe::{CLINICAL, COMBINED, RADIOMICS};
use crate::pipeline::timed::hazard::Hazard;
use crate::pipeline::timed::learn::{FOREST, Recipe};
use crate::pipeline::timed::region::RegionHazard;
use crate::pipeline::timed::validate::Validation;
use osteon_stats::survival::forest::SurvivalForest;

/// One stored model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    pub outcome: String,
    /// What time is counted in.
    pub unit: String,
    /// Times at which survival is stated, in the unit; the stored probability is of the event by the last.
    pub horizons: Vec<f64>,
    pub learnt: Learnt,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Who is in neither set or has no time, and what the protocol says that a time does not heed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Patients with a time of whom the model says nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unscored: Vec<Unscored>,
    pub validation: Validation,
}

/// Patients of a set without a prediction, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unscored {
    /// `training` or `test`.
    pub set: String,
    pub reason: String,
    pub n: usize,
}

/// What was learnt, by the kind of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learnt {
    /// `c`: of the out-of-fold scores.
    Region {
        model: Box<RegionHazard>,
        hazard: Option<Hazard>,
        c: Option<f64>,
    },
    /// Nothing could be learnt, and why.
    NoRegion {
        region: String,
        error: String,
    },
    Clinical {
        hazard: Hazard,
        predictors: Vec<String>,
    },
    Radiomics {
        hazard: Hazard,
        region: String,
    },
    /// `cut`: patients with a larger risk are the high-risk group; the median of the training patients.
    Combined {
        hazard: Hazard,
        predictors: Vec<String>,
        region: String,
        cut: Option<f64>,
    },
    Forest {
        region: String,
        features: Vec<String>,
        forest: SurvivalForest,
    },
}

impl Stored {
    /// # Errors
    /// When the document is no model of a time to event.
    pub fn parse(text: &str) -> Result<Stored, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// One sentence a set in which patients have no prediction, by reason.
    pub fn unscored_in_words(&self, model: &str) -> Vec<String> {
        let of = |set: &str| {
            let own: Vec<&Unscored> = self.unscored.iter().filter(|it| it.set == set).collect();
            let n: usize = own.iter().map(|it| it.n).sum();
            let by: Vec<String> = own.iter().map(|it| format!("{} {}", it.reason, it.n)).collect();
            (n > 0).then(|| format!("{set}, {model}: {n} without a prediction ({})", by.join("; ")))
        };
        ["training", "test"].iter().filter_map(|set| of(set)).collect()
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a model is plain data")
    }

    /// The Cox model, where it is one.
    pub fn hazard(&self) -> Option<&Hazard> {
        match &self.learnt {
            Learnt::Clinical { hazard, .. } | Learnt::Radiomics { hazard, .. } | Learnt::Combined { hazard, .. } => {
                Some(hazard)
            }
            Learnt::Region { hazard, .. } => hazard.as_ref(),
            Learnt::NoRegion { .. } | Learnt::Forest { .. } => None,
        }
    }
}

/// What the model at a position of [`Recipe::names`] learnt, its kind in the database, and its notes.
pub fn learnt(recipe: &Recipe, at: usize, cut: Option<f64>) -> (Learnt, &'static str, Vec<String>) {
    let best = &recipe.regions[recipe.best];
    let (region, predictors) = (best.region.clone(), recipe.predictors.clone());
    if let Some(learnt) = recipe.regions.get(at) {
        return match &learnt.model {
            Ok(model) => {
                let (model, hazard, c) = (Box::new(model.clone()), learnt.hazard.clone(), learnt.c);
                (Learnt::Region { model, hazard, c }, "lasso-cox", learnt.notes.clone())
            }
            Err(trouble) => {
                let (region, error) = (learnt.region.clone(), trouble.to_string());
                (Learnt::NoRegion { region, error }, "lasso-cox", Vec::new())
            }
        };
    }
    let name = recipe.names().swap_remove(at);
    let (learnt, kind) = match name.as_str() {
        CLINICAL => (Learnt::Clinical { hazard: recipe.clinical.clone(), predictors }, "cox"),
        RADIOMICS => (Learnt::Radiomics { hazard: recipe.radiomics.clone(), region }, "cox"),
        COMBINED => (Learnt::Combined { hazard: recipe.combined.clone(), predictors, region, cut }, "cox"),
        _ => {
            let features = best.model.as_ref().map(|model| model.features.clone()).unwrap_or_default();
            (Learnt::Forest { region, features, forest: recipe.forest.clone() }, "survival forest")
        }
    };
    let notes = if name == FOREST { vec![recipe.forest_note.clone()] } else { Vec::new() };
    (learnt, kind, notes)
}
