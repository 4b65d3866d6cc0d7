//! What a stored model learnt: one type for all kinds of models, written to and read from the study file.
//!
//! The document has no version of its own: all that were ever stored are of [`VERSION`] 1, and keys that later programs
//! added have a default.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::pipeline::clinical::Logistic;
use crate::pipeline::harmonise::Harmonised;
use crate::pipeline::learn::Recipe;
use crate::pipeline::learner::LinearModel;
use crate::pipeline::region::{Link, RegionModel};
use crate::pipeline::validate::Validation;
use crate::protocol::learn::Learner;
use osteon_stats::model::forest::{self, Forest, Setting};
use osteon_stats::select::lasso::Lasso;
use osteon_stats::select::scale::Scaling;

/// The version of the stored document.
pub const VERSION: u32 = 1;

/// Names of the models that are no regions; those of regions are the regions' own.
pub const CLINICAL: &str = "clinical";
pub const RADIOMICS: &str = "radiomics";
pub const COMBINED: &str = "combined";

/// One stored model.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub learnt: Learnt,
    /// Training rows and folds that a region's model did without.
    pub notes: Vec<String>,
    pub validation: Option<Validation>,
    /// Which probabilities of training patients are reported.
    pub training: Training,
}

/// What was learnt, by the kind of the model.
#[derive(Clone, Debug, PartialEq)]
pub enum Learnt {
    Region(Box<RegionModel>),
    /// Nothing could be learnt, and why.
    NoRegion {
        region: String,
        error: String,
    },
    Clinical {
        logistic: Logistic,
        predictors: Vec<String>,
    },
    /// The source that gives the Rad-score, or the regression that joins the Rad-scores of several, which are its terms.
    Radiomics {
        region: String,
        fusion: Option<Box<Logistic>>,
    },
    Combined {
        logistic: Logistic,
        predictors: Vec<String>,
        region: String,
    },
    /// A learner beside the forest.
    Learner(Box<LinearModel>),
}

/// Whether a model of this name is of Table 5: no region's.
pub fn is_of_five(name: &str) -> bool {
    [CLINICAL, RADIOMICS, COMBINED].contains(&name) || Learner::of(name).is_some()
}

/// The kind of the model of a name, as the study file has it.
pub fn kind(name: &str) -> &'static str {
    match (name, Learner::of(name)) {
        (CLINICAL | COMBINED, _) => "logistic",
        (_, Some(learner)) => learner.name(),
        (_, None) => Learner::Forest.name(),
    }
}

/// Which probabilities of training patients a model reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Training {
    #[default]
    #[serde(rename = "fitted")]
    Fitted,
    #[serde(rename = "out of fold")]
    OutOfFold,
}

impl Stored {
    /// Reads the document of the model of a name.
    ///
    /// # Errors
    /// When the document lacks what a model of this name has.
    pub fn parse(name: &str, text: &str) -> Result<Stored, serde_json::Error> {
        let rest: Rest = serde_json::from_str(text)?;
        let learnt = match (name, rest.error) {
            (CLINICAL, _) => {
                let OfLogistic { logistic, predictors, .. } = serde_json::from_str(text)?;
                Learnt::Clinical { logistic, predictors }
            }
            (COMBINED, _) => {
                let OfLogistic { logistic, predictors, region } = serde_json::from_str(text)?;
                Learnt::Combined { logistic, predictors, region }
            }
            (RADIOMICS, _) => Learnt::Radiomics { region: rest.region, fusion: rest.fusion.map(Box::new) },
            (_, Some(error)) => Learnt::NoRegion { region: rest.region, error },
            (_, None) if rest.learner.is_some() => Learnt::Learner(Box::new(rest.learner.expect("it is there"))),
            (_, None) => Learnt::Region(Box::new(serde_json::from_str::<OfRegion>(text)?.into())),
        };
        let Rest { notes, validation, training, .. } = rest;
        Ok(Stored { learnt, notes, validation, training })
    }

    /// The document, as the study file keeps it.
    pub fn to_json(&self) -> String {
        let mut body = match &self.learnt {
            Learnt::Region(model) => region(model),
            Learnt::NoRegion { region, error } => json!({ "region": region, "error": error }),
            Learnt::Clinical { logistic, predictors } => json!({ "logistic": logistic, "predictors": predictors }),
            Learnt::Radiomics { region, fusion: None } => json!({ "region": region }),
            Learnt::Radiomics { region, fusion: Some(fusion) } => json!({ "region": region, "fusion": fusion }),
            Learnt::Combined { logistic, predictors, region } => {
                json!({ "logistic": logistic, "predictors": predictors, "region": region })
            }
            Learnt::Learner(model) => json!({ "learner": model, "region": model.region }),
        };
        if !self.notes.is_empty() {
            body["notes"] = json!(self.notes);
        }
        body["validation"] = json!(self.validation);
        body["training"] = json!(self.training);
        body.to_string()
    }

    /// The region that the model learnt from; `None` for the clinical model.
    pub fn region(&self) -> Option<&str> {
        match &self.learnt {
            Learnt::Region(model) => Some(&model.region),
            Learnt::Learner(model) => Some(&model.region),
            Learnt::NoRegion { region, .. } | Learnt::Radiomics { region, .. } | Learnt::Combined { region, .. } => {
                Some(region)
            }
            Learnt::Clinical { .. } => None,
        }
    }

    /// The logistic model, where it is one.
    pub fn logistic(&self) -> Option<&Logistic> {
        match &self.learnt {
            Learnt::Clinical { logistic, .. } | Learnt::Combined { logistic, .. } => Some(logistic),
            _ => None,
        }
    }

    /// The region's model, where there is one.
    pub fn region_model(&self) -> Option<&RegionModel> {
        match &self.learnt {
            Learnt::Region(model) => Some(model),
            _ => None,
        }
    }
}

/// What the model at a position of [`Scores::named`](crate::pipeline::learn::Scores::named) learnt, with its notes.
pub fn learnt(recipe: &Recipe, at: usize, name: &str) -> (Learnt, Vec<String>) {
    let best = || recipe.regions[recipe.best].region.clone();
    let predictors = recipe.clinical_predictors.clone();
    let learner = recipe.learners.iter().find(|learnt| learnt.learner.name() == name);
    if let (Some(learnt), None) = (learner, recipe.regions.get(at)) {
        return match &learnt.model {
            Ok(model) => (Learnt::Learner(Box::new(model.clone())), Vec::new()),
            Err(trouble) => {
                (Learnt::NoRegion { region: learnt.region.clone(), error: trouble.to_string() }, Vec::new())
            }
        };
    }
    match (recipe.regions.get(at), name) {
        (Some(region), _) => match &region.model {
            Ok(model) => (Learnt::Region(Box::new(model.clone())), region.notes.clone()),
            Err(trouble) => {
                (Learnt::NoRegion { region: region.region.clone(), error: trouble.to_string() }, Vec::new())
            }
        },
        (None, CLINICAL) => (Learnt::Clinical { logistic: recipe.clinical.clone(), predictors }, Vec::new()),
        (None, COMBINED) => {
            (Learnt::Combined { logistic: recipe.combined.clone(), predictors, region: best() }, Vec::new())
        }
        (None, _) => {
            let fusion = recipe.fusion.clone().map(Box::new);
            (Learnt::Radiomics { region: best(), fusion }, Vec::new())
        }
    }
}

/// What the documents of all kinds share.
#[derive(Deserialize)]
struct Rest {
    #[serde(default)]
    region: String,
    error: Option<String>,
    fusion: Option<Logistic>,
    learner: Option<LinearModel>,
    #[serde(default)]
    notes: Vec<String>,
    validation: Option<Validation>,
    #[serde(default)]
    training: Training,
}

#[derive(Deserialize)]
struct OfLogistic {
    logistic: Logistic,
    #[serde(default)]
    predictors: Vec<String>,
    #[serde(default)]
    region: String,
}

#[derive(Deserialize)]
struct OfRegion {
    region: String,
    n_rows: usize,
    n_events: usize,
    n_candidates: usize,
    n_varying: usize,
    #[serde(default)]
    copies: Vec<(String, String)>,
    #[serde(default)]
    correlated: Vec<(String, String)>,
    shortlist: Vec<String>,
    lasso: Lasso,
    fell_back: bool,
    features: Vec<String>,
    means: Vec<f64>,
    sds: Vec<f64>,
    weights: Vec<f64>,
    setting: Setting,
    tuning_auc: f64,
    #[serde(with = "forest::exchange")]
    forest: Forest,
    link: Option<Link>,
    harmonised: Option<Harmonised>,
}

impl From<OfRegion> for RegionModel {
    fn from(from: OfRegion) -> RegionModel {
        RegionModel {
            region: from.region,
            n_rows: from.n_rows,
            n_events: from.n_events,
            n_candidates: from.n_candidates,
            n_varying: from.n_varying,
            copies: from.copies,
            correlated: from.correlated,
            shortlist: from.shortlist,
            lasso: from.lasso,
            fell_back: from.fell_back,
            features: from.features,
            scaling: Scaling { means: from.means, sds: from.sds },
            weights: from.weights,
            setting: from.setting,
            tuning_auc: from.tuning_auc,
            forest: from.forest,
            link: from.link,
            harmonised: from.harmonised,
        }
    }
}

/// Everything that another program needs to score a patient and to draw the selection.
fn region(model: &RegionModel) -> Value {
    let forest: Value = serde_json::from_str(&model.forest.to_json()).expect("a forest writes JSON");
    let mut document = json!({
        "region": model.region,
        "n_rows": model.n_rows,
        "n_events": model.n_events,
        "n_candidates": model.n_candidates,
        "n_varying": model.n_varying,
        "copies": model.copies,
        "shortlist": model.shortlist,
        "lasso": model.lasso,
        "fell_back": model.fell_back,
        "features": model.features,
        "means": model.scaling.means,
        "sds": model.scaling.sds,
        "weights": model.weights,
        "setting": model.setting,
        "tuning_auc": model.tuning_auc,
        "forest": forest,
    });
    if !model.correlated.is_empty() {
        document["correlated"] = json!(model.correlated);
    }
    if let Some(link) = model.link {
        document["link"] = json!(link);
    }
    if let Some(harmonised) = &model.harmonised {
        document["harmonised"] = json!(harmonised);
    }
    document
}
