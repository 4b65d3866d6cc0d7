//! How a study learns: sets, clinical predictors, Rad-score, best region, and how much is spent on validation.

use serde::{Deserialize, Serialize};

use crate::protocol::nearest;
use osteon_base::seed::Seed;
use osteon_base::setting::{self, Unfit};
use osteon_stats::select::combat::Prior;

/// Choices of the whole chain from features to the combined model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// All randomness of splits, folds, forests and resamples comes from here.
    pub seed: Seed,
    /// Share of each response group that is drawn for training.
    pub train_fraction: f64,
    /// Which probability stands for the Rad-score when the combined model is learnt.
    pub rad_score: RadScore,
    /// `by_auc` takes the region with the largest out-of-fold AUC in training; else a region's name.
    pub best_region: String,
    /// Clinical predictors by name; empty: by the rule of `p_enter` and `p_keep`.
    pub clinical: Vec<String>,
    /// Which candidates the clinical model has where `clinical` names none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub clinical_rule: ClinicalRule,
    /// Penalty of the clinical and the combined model.
    #[serde(default, skip_serializing_if = "is_default")]
    pub penalty: Penalty,
    /// Variables with a smaller univariate p enter the multivariate model.
    pub p_enter: f64,
    /// Of those, the ones with a smaller multivariate p are kept (the smallest when there is none).
    pub p_keep: f64,
    /// What happens to patients without a clinical predictor.
    pub missing: Missing,
    /// Imputations under `missing = "multiple"`.
    pub n_imputations: usize,
    /// Variables that help to impute under `missing = "multiple"` and are no predictors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub auxiliary: Vec<String>,
    /// Folds of out-of-fold probabilities and of nested cross-validation.
    pub n_folds: usize,
    /// Bootstrap samples of the whole chain for Harrell's optimism; 0 does without. The SD of the optimism of an AUC is
    /// about 0.05 in a study of 75: 20 samples (preset `study`, a fit in well under a minute) know its mean to 0.011,
    /// 200 (`recommended`, for publication) to 0.004.
    pub n_bootstraps: usize,
    /// Repeats of nested cross-validation of the whole chain; 0 does without.
    pub n_repeats: usize,
    /// Permutations of the response through the whole chain, held against nested cross-validation, which is repeated
    /// once at least; 0 does without.
    pub n_permutations: usize,
    /// Random splits of all patients in the shares of `train_fraction`: on each the whole chain is learnt and tested
    /// anew, to show how far the test AUC depends on who was drawn. They are reported beside the split in force, and
    /// nothing is learnt or chosen from them; 0 does without.
    pub n_splits: usize,
    /// Whose masks are learnt from; those of others serve the agreement. Also read as `mask.rater`.
    #[serde(default = "first_rater", skip_serializing_if = "is_first_rater")]
    pub rater: String,
    /// Which masks are measured.
    #[serde(default, skip_serializing_if = "is_default")]
    pub masks: Masks,
    /// Which lesion stands for a patient who has several.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lesions: Lesions,
    /// What may be learnt from: sources by name or slots; empty is all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Changes between two timepoints of a sequence as sources of their own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub delta: Delta,
    /// How several sources give one Rad-score.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fusion: Fusion,
    /// What is learnt from the region that gives the Rad-score; the forest always is.
    #[serde(default = "forest_alone", skip_serializing_if = "is_forest_alone")]
    pub learners: Vec<Learner>,
    /// Mixings of the elastic net among which cross-validated deviance chooses: 0 is ridge, 1 LASSO.
    #[serde(default = "usual_alphas", skip_serializing_if = "is_usual_alphas")]
    pub elastic_net_alpha: Vec<f64>,
    /// Costs of the support vector machine among which the mean AUC over folds chooses.
    #[serde(default = "usual_costs", skip_serializing_if = "is_usual_costs")]
    pub svm_cost: Vec<f64>,
    /// How differences between scanners or centres are taken out of features.
    #[serde(default, skip_serializing_if = "is_default")]
    pub harmonise: Harmonise,
    /// What tells them apart: a variable with levels or [`SCANNER`]; empty for the variable of the role batch.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub batch: String,
    /// Candidate variables whose effects on features are kept while batches are harmonized.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub batch_covariates: Vec<String>,
    /// What is assumed of batch effects over the features.
    #[serde(default, skip_serializing_if = "is_default")]
    pub batch_prior: Prior,
}

/// How differences between batches are taken out of features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Harmonise {
    /// Features are taken as measured.
    #[default]
    None,
    /// ComBat (Johnson, Li and Rabinovic 2007), learnt from the training rows of whatever is learnt.
    Combat,
}

/// The word for model and field strength as DICOM tells them.
pub const SCANNER: &str = "scanner";

/// What is learnt from the features of the region that gives the Rad-score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Learner {
    /// Gives the Rad-score (or stands beside LASSO's linear score where that does).
    Forest,
    /// Logistic regression with the elastic net's penalty, on the features that entered LASSO.
    ElasticNet,
    /// Linear support vector machine on the features that LASSO chose, with Platt's sigmoid.
    Svm,
}

impl Learner {
    /// Those beside the forest, in the order of tables.
    pub const BESIDE: [Learner; 2] = [Learner::ElasticNet, Learner::Svm];

    /// As protocol, tables and the study file call it.
    pub fn name(self) -> &'static str {
        match self {
            Learner::Forest => "forest",
            Learner::ElasticNet => "elastic_net",
            Learner::Svm => "svm",
        }
    }

    /// As a sentence calls it.
    pub fn label(self) -> &'static str {
        match self {
            Learner::Forest => "random forest",
            Learner::ElasticNet => "elastic-net logistic regression",
            Learner::Svm => "linear support vector machine",
        }
    }

    /// The learner beside the forest that a model's name is; `None` for other models.
    pub fn of(name: &str) -> Option<Learner> {
        Learner::BESIDE.into_iter().find(|learner| learner.name() == name)
    }
}

fn forest_alone() -> Vec<Learner> {
    vec![Learner::Forest]
}

fn is_forest_alone(learners: &Vec<Learner>) -> bool {
    *learners == forest_alone()
}

fn usual_alphas() -> Vec<f64> {
    vec![0.0, 0.25, 0.5, 0.75, 1.0]
}

fn is_usual_alphas(alphas: &Vec<f64>) -> bool {
    *alphas == usual_alphas()
}

fn usual_costs() -> Vec<f64> {
    vec![0.001, 0.01, 0.1, 1.0]
}

fn is_usual_costs(costs: &Vec<f64>) -> bool {
    *costs == usual_costs()
}

/// The mask of a study that names no raters.
fn first_rater() -> String {
    "mask".to_owned()
}

fn is_first_rater(name: &String) -> bool {
    *name == first_rater()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Which candidates the clinical model has where the protocol names none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClinicalRule {
    /// Those that pass `p_enter` and `p_keep`.
    #[default]
    Screen,
    /// All of them: nothing is chosen by P values.
    All,
}

/// Penalty of the clinical and the combined model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Penalty {
    #[default]
    None,
    /// Ridge, as `rms::lrm(penalty = )`, by the corrected AIC.
    Ridge,
}

/// Which masks are measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Masks {
    /// Whatever readers say of them.
    #[default]
    All,
    /// Those that a reader accepts and none rejects.
    Accepted,
}

/// Which lesion stands for a patient who has several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lesions {
    /// That of the largest volume in its slot; of equal ones the first by name.
    #[default]
    Largest,
    /// All together, measured as one region.
    All,
}

/// What the change of a feature between two timepoints is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delta {
    #[default]
    None,
    /// Later minus earlier.
    Difference,
    /// Later by earlier; undefined where the earlier value is 0.
    Ratio,
    Both,
}

/// How several sources give one Rad-score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fusion {
    /// The best source alone gives it.
    #[default]
    Best,
    /// One selection and forest over the features of all sources together.
    Early,
    /// A Rad-score each, joined by a logistic regression of the out-of-fold scores.
    Late,
}

/// What happens to patients without the value of a clinical predictor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// They are left out of the fit, counted, and get no probability.
    CompleteCase,
    /// The median of the training patients stands for the value, or their most frequent level.
    Simple,
    /// Chained equations with predictive mean matching among the training patients, fits pooled by Rubin's rules; a
    /// new patient gets the value of `simple`.
    Multiple,
}

/// A training patient's Rad-score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RadScore {
    /// From the forest that was grown on the patient too: close to the truth it was shown, in training only.
    InSample,
    /// From a chain learnt on the other folds: what a new patient would get.
    OutOfFold,
    /// LASSO's linear combination of the chosen features in place of the forest's probability, out of fold in training.
    Lasso,
}

impl Params {
    /// Whether P values of univariable and multivariable tests choose the clinical predictors.
    pub fn screens(&self) -> bool {
        self.clinical.is_empty() && self.clinical_rule == ClinicalRule::Screen
    }

    /// Learners beside the forest, in the order of tables.
    pub fn beside_the_forest(&self) -> Vec<Learner> {
        Learner::BESIDE.into_iter().filter(|learner| self.learners.contains(learner)).collect()
    }

    /// Names a setting that no run could use; `regions` (sources by name) and `candidates` are what the study has, `outcome` names what
    /// says what is predicted.
    pub fn check(&self, regions: &[String], candidates: &[&str], outcome: &[&str]) -> Result<(), Unfit> {
        setting::share("train_fraction", self.train_fraction)?;
        for (key, p) in [("p_enter", self.p_enter), ("p_keep", self.p_keep)] {
            setting::require(p > 0.0 && p <= 1.0, key, p, "a number above 0, at most 1")?;
        }
        setting::at_least("n_imputations", self.n_imputations, 2)?;
        setting::at_least("n_folds", self.n_folds, 2)?;
        setting::some("learners", &self.learners)?;
        setting::some("elastic_net_alpha", &self.elastic_net_alpha)?;
        let odd = self.elastic_net_alpha.iter().find(|alpha| !(0.0..=1.0).contains(*alpha));
        setting::require(odd.is_none(), "elastic_net_alpha", odd, "numbers from 0 to 1")?;
        setting::some("svm_cost", &self.svm_cost)?;
        self.svm_cost.iter().try_for_each(|&cost| setting::above_zero("svm_cost", cost))?;
        let joins = self.rad_score == RadScore::Lasso && self.fusion == Fusion::Late;
        let expected = "best or early: under rad_score = \"lasso\" there are no probabilities to join";
        setting::require(!joins, "fusion", self.fusion, expected)?;
        let known = |name: &String| candidates.contains(&name.as_str());
        let lists = [
            ("clinical", &self.clinical),
            ("auxiliary", &self.auxiliary),
            ("batch_covariates", &self.batch_covariates),
        ];
        for (key, names) in lists {
            if let Some(name) = names.iter().find(|name| !known(name)) {
                let expected = match outcome.contains(&name.as_str()) {
                    true => "a candidate variable: the outcome does not predict itself".to_owned(),
                    false => format!("a candidate variable; the nearest is {}", nearest(name, candidates)),
                };
                return setting::require(false, key, name, &expected);
            }
            setting::without_copies(key, names)?;
        }
        let region = self.best_region == BY_AUC || regions.contains(&self.best_region);
        let expected = format!("{BY_AUC} or one of {}", regions.join(", "));
        setting::require(region, "best_region", &self.best_region, &expected)
    }
}

impl Default for Params {
    fn default() -> Self {
        Params {
            seed: Seed(20_260_730),
            // 75 of 93.
            train_fraction: 0.806,
            rad_score: RadScore::OutOfFold,
            best_region: BY_AUC.to_owned(),
            clinical: Vec::new(),
            clinical_rule: ClinicalRule::default(),
            penalty: Penalty::default(),
            p_enter: 0.1,
            p_keep: 0.05,
            missing: Missing::CompleteCase,
            n_imputations: 20,
            auxiliary: Vec::new(),
            n_folds: 5,
            n_bootstraps: 20,
            n_repeats: 1,
            n_permutations: 0,
            n_splits: 0,
            rater: first_rater(),
            masks: Masks::default(),
            lesions: Lesions::default(),
            sources: Vec::new(),
            delta: Delta::default(),
            fusion: Fusion::default(),
            learners: forest_alone(),
            elastic_net_alpha: usual_alphas(),
            svm_cost: usual_costs(),
            harmonise: Harmonise::default(),
            batch: String::new(),
            batch_covariates: Vec::new(),
            batch_prior: Prior::default(),
        }
    }
}

/// The word for the region with the largest out-of-fold AUC.
pub const BY_AUC: &str = "by_auc";
