//! The chain from training rows: every region, the clinical model, the best region, the combined model, the forest.

use rayon::prelude::*;

use crate::pipeline::clinical;
use crate::pipeline::cohort::Features;
use crate::pipeline::learn::RAD_SCORE;
use crate::pipeline::recipe::{CLINICAL, COMBINED, RADIOMICS};
use crate::pipeline::timed::hazard::{self, Hazard};
use crate::pipeline::timed::region::{self, RegionHazard, Trouble};
use crate::pipeline::timed::{Timed, TooFewEvents};
use crate::protocol::Protocol;
use crate::protocol::learn::{BY_AUC, Fusion, RadScore};
use crate::protocol::source::FUSED;
use osteon_base::job::{Cancelled, Job};
use osteon_base::seed::Seed;
use osteon_stats::model::forest::MaxFeatures;
use osteon_stats::survival::concordance::{PairWeight, concordance};
use osteon_stats::survival::cox::FitError;
use osteon_stats::survival::forest::{Params, SurvivalForest};

/// The survival forest on the features of the best region, by its name among the models.
pub const FOREST: &str = "forest";

/// Everything that was learnt, as one value; scoring changes nothing in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Positions of the training patients.
    pub train: Vec<usize>,
    /// Times at which survival is stated.
    pub horizons: Vec<f64>,
    pub regions: Vec<LearntRegion>,
    /// Position of the region that gives the Rad-score.
    pub best: usize,
    pub predictors: Vec<String>,
    pub clinical: Hazard,
    /// The Rad-score alone.
    pub radiomics: Hazard,
    pub combined: Hazard,
    pub forest: SurvivalForest,
    /// How the forest was grown, in words.
    pub forest_note: String,
}

/// One region and what its training patients get.
#[derive(Clone, Debug, PartialEq)]
pub struct LearntRegion {
    pub region: String,
    pub model: Result<RegionHazard, Trouble>,
    /// The Rad-score of the region alone as a Cox model.
    pub hazard: Option<Hazard>,
    /// One a training row: Rad-score from a chain learnt on the other folds.
    pub out_of_fold: Vec<Option<f64>>,
    /// Harrell's C of the out-of-fold scores.
    pub c: Option<f64>,
    pub notes: Vec<String>,
}

/// What a model says of one patient.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// High where the event comes early; of Cox models the log hazard ratio.
    pub risk: f64,
    /// Probability of no event by each horizon.
    pub survival: Vec<f64>,
}

/// Each model by name with one score a patient.
pub type Scores = Vec<(String, Vec<Option<Score>>)>;

/// Why nothing could be learnt.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LearnError {
    #[error(transparent)]
    TooFew(#[from] TooFewEvents),
    #[error("no clinical variable can be fitted to the times")]
    NoPredictor,
    #[error("no region could be learnt; {region}: {trouble}")]
    NoRegion { region: String, trouble: Trouble },
    #[error("no features of any region")]
    NoFeatures,
    #[error("no region {found}; the regions are {valid}")]
    Region { found: String, valid: String },
    #[error("the {model} model: {cause}")]
    Hazard { model: &'static str, cause: FitError },
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Learns from the rows `train`, and from nothing else. One step of the job a region and fold.
pub fn learn(
    timed: &Timed,
    train: &[usize],
    horizons: &[f64],
    protocol: &Protocol,
    seed: Seed,
    job: &Job,
) -> Result<Recipe, LearnError> {
    let params = &protocol.learn;
    let folds = timed.folds(train, params.n_folds, seed.named("outer folds"))?;
    let regions = learn_regions(timed, train, &folds, horizons, protocol, seed, job)?;
    let wanted = match params.fusion {
        Fusion::Best => params.best_region.as_str(),
        Fusion::Early => FUSED,
        Fusion::Late => BY_AUC,
    };
    let best = best_region(&regions, wanted)?;
    let failed = |model| move |cause| LearnError::Hazard { model, cause };
    let predictors = hazard::predictors(timed, train, params).ok_or(LearnError::NoPredictor)?;
    let score = (RAD_SCORE.to_owned(), training_scores(timed, train, &regions[best], params.rad_score));
    let imputation = seed.named("imputation");
    let of_variables = |head, seed| Hazard::of_variables(timed, head, &predictors, train, horizons, params, seed);
    let clinical = of_variables(None, imputation.named("clinical")).map_err(failed(CLINICAL))?;
    let combined = of_variables(Some(score.clone()), imputation.named("combined")).map_err(failed(COMBINED))?;
    let model = regions[best].model.as_ref().expect("the best region has a model");
    Ok(Recipe {
        train: train.to_vec(),
        horizons: horizons.to_vec(),
        clinical,
        radiomics: Hazard::fit(timed, &[score], train, horizons).map_err(failed(RADIOMICS))?,
        combined,
        forest: forest(timed, features_of(timed, &regions[best].region), model, train, &forest_params(protocol), seed),
        forest_note: forest_in_words(protocol),
        regions,
        best,
        predictors,
    })
}

/// The forest on the chosen features of a region.
fn forest(
    timed: &Timed,
    features: &Features,
    model: &RegionHazard,
    train: &[usize],
    params: &Params,
    seed: Seed,
) -> SurvivalForest {
    let known = model.z(features, train);
    let rows: Vec<usize> = (0..train.len()).filter(|&at| known[at].is_some()).collect();
    let z: Vec<&Vec<f64>> = known.iter().flatten().collect();
    let x = ndarray::Array2::from_shape_fn((rows.len(), model.features.len()), |(i, j)| z[i][j]);
    let of: Vec<usize> = rows.iter().map(|&at| train[at]).collect();
    SurvivalForest::fit(x.view(), &timed.times_of(&of), params, seed.named("survival forest"))
}

/// How the survival forest is grown: by the protocol's setting where its grid has one; else by ranger's usual setting for
/// survival with as many trees as the largest forest of the grid, which is not searched: in every resample a search would
/// grow hundreds of survival forests.
pub fn forest_params(protocol: &Protocol) -> Params {
    match protocol.forest.settings().as_slice() {
        [only] => Params {
            n_trees: only.n_trees,
            max_depth: only.max_depth,
            min_samples_leaf: only.min_samples_leaf,
            max_features: only.max_features,
        },
        _ => {
            let n_trees = protocol.forest.n_trees.iter().copied().max();
            let usual = Params::default();
            Params { n_trees: n_trees.unwrap_or(usual.n_trees), ..usual }
        }
    }
}

/// The same in words.
pub fn forest_in_words(protocol: &Protocol) -> String {
    let Params { n_trees, max_depth, min_samples_leaf, max_features } = forest_params(protocol);
    let depth = if max_depth == 0 { "unlimited depth".to_owned() } else { format!("maximum depth {max_depth}") };
    let drawn = match max_features {
        MaxFeatures::Sqrt => "the square root of the features",
        MaxFeatures::Log2 => "the binary logarithm of the number of features",
        MaxFeatures::All => "all features",
    };
    let tuned = match protocol.forest.settings().len() {
        1 => "as the protocol sets it",
        _ => "not tuned: the protocol's grid is searched for the forests of the response alone",
    };
    format!(
        "survival forest of {n_trees} trees, {depth}, at least {min_samples_leaf} samples in a leaf, {drawn} tried at a \
         split; {tuned}"
    )
}

fn learn_regions(
    timed: &Timed,
    train: &[usize],
    folds: &[usize],
    horizons: &[f64],
    protocol: &Protocol,
    seed: Seed,
    job: &Job,
) -> Result<Vec<LearntRegion>, LearnError> {
    let n_folds = protocol.learn.n_folds;
    let parts = timed.cohort.regions.len() * (n_folds + 1);
    let stage = job.stage("regions", parts);
    // Part 0 of a region learns from all rows, part k from all but fold k - 1.
    let part = |at: usize| {
        let (features, fold) = (&timed.cohort.regions[at / (n_folds + 1)], at % (n_folds + 1));
        let rows: Vec<usize> =
            (0..train.len()).filter(|&i| fold == 0 || folds[i] != fold - 1).map(|i| train[i]).collect();
        let learnt = region::learn(timed, features, &rows, protocol, seed.nth(fold), job);
        stage.step().map(|()| learnt)
    };
    let learnt: Vec<Result<RegionHazard, Trouble>> =
        (0..parts).into_par_iter().map(part).collect::<Result<_, Cancelled>>()?;
    let mut learnt = learnt.into_iter();
    let region = |features: &Features| {
        let model = learnt.next().expect("one part a region");
        let others: Vec<_> = learnt.by_ref().take(n_folds).collect();
        let score = |(i, &row): (usize, &usize)| others[folds[i]].as_ref().ok()?.scores(features, &[row])[0];
        let out_of_fold: Vec<Option<f64>> = train.iter().enumerate().map(score).collect();
        let without = train.iter().filter(|&&row| features.rows[row].is_none()).count();
        let mut notes = Vec::new();
        if without > 0 {
            notes.push(format!("{without} of {} training patients left out: the region was not measured", train.len()));
        }
        for (fold, trouble) in others.iter().enumerate().filter_map(|(fold, it)| Some((fold, it.as_ref().err()?))) {
            let held = folds.iter().filter(|&&of| of == fold).count();
            notes.push(format!(
                "fold {} of {n_folds}: no model ({trouble}); its {held} patients have no score",
                fold + 1
            ));
        }
        let mut learnt = LearntRegion {
            region: features.region.clone(),
            c: c_of(timed, train, &out_of_fold),
            model,
            hazard: None,
            out_of_fold,
            notes,
        };
        if learnt.model.is_ok() {
            let score = training_scores(timed, train, &learnt, protocol.learn.rad_score);
            learnt.hazard = Hazard::fit(timed, &[(RAD_SCORE.to_owned(), score)], train, horizons).ok();
        }
        learnt
    };
    Ok(timed.cohort.regions.iter().map(region).collect())
}

/// Harrell's C of the rows that have a score.
pub fn c_of(timed: &Timed, rows: &[usize], scores: &[Option<f64>]) -> Option<f64> {
    let (known, risk): (Vec<usize>, Vec<f64>) =
        rows.iter().zip(scores).filter_map(|(&row, score)| Some((row, (*score)?))).unzip();
    concordance(&timed.follow_up.select(&known)?, &risk, PairWeight::Harrell).map(|found| found.c)
}

fn best_region(regions: &[LearntRegion], wanted: &str) -> Result<usize, LearnError> {
    let usable = |at: &usize| regions[*at].model.is_ok() && regions[*at].hazard.is_some();
    if wanted != BY_AUC {
        let valid = || regions.iter().map(|region| region.region.as_str()).collect::<Vec<_>>().join(", ");
        let at = regions.iter().position(|region| region.region == wanted);
        let at = at.ok_or_else(|| LearnError::Region { found: wanted.to_owned(), valid: valid() })?;
        return Some(at).filter(usable).ok_or_else(|| no_region(&regions[at]));
    }
    let c = |at: usize| regions[at].c.unwrap_or(0.0);
    let best = (0..regions.len()).filter(usable).reduce(|best, next| if c(next) > c(best) { next } else { best });
    best.ok_or_else(|| regions.first().map_or(LearnError::NoFeatures, no_region))
}

fn no_region(of: &LearntRegion) -> LearnError {
    let trouble = of.model.as_ref().err().cloned();
    let trouble = trouble.unwrap_or_else(|| Trouble::Hazard("too few scores".to_owned()));
    LearnError::NoRegion { region: of.region.clone(), trouble }
}

fn features_of<'a>(timed: &'a Timed, region: &str) -> &'a Features {
    timed.cohort.regions.iter().find(|features| features.region == region).expect("a learnt region")
}

/// The Rad-score of the training rows as Cox models see it, one entry a patient of the cohort.
fn training_scores(timed: &Timed, train: &[usize], region: &LearntRegion, kind: RadScore) -> Vec<Option<f64>> {
    let mut scores = vec![None; timed.cohort.codes.len()];
    let own = match (kind, &region.model) {
        (RadScore::InSample, Ok(model)) => model.scores(features_of(timed, &region.region), train),
        _ => region.out_of_fold.clone(),
    };
    train.iter().zip(own).for_each(|(&row, score)| scores[row] = score);
    scores
}

impl Recipe {
    /// Names of the models in their order: the regions, then clinical, radiomics, combined and forest.
    pub fn names(&self) -> Vec<String> {
        let regions = self.regions.iter().map(|learnt| learnt.region.clone());
        regions.chain([CLINICAL, RADIOMICS, COMBINED, FOREST].map(str::to_owned)).collect()
    }

    /// Scores of any patients, from the chain learnt on all training rows.
    pub fn scores(&self, timed: &Timed, rows: &[usize]) -> Scores {
        let region = |learnt: &LearntRegion| match &learnt.model {
            Ok(model) => model.scores(features_of(timed, &learnt.region), rows),
            Err(_) => vec![None; rows.len()],
        };
        self.with_rad_scores(timed, rows, self.regions.iter().map(region).collect())
    }

    /// Scores of the training patients from Rad-scores of the other folds. The forest's are those of the whole: its
    /// trees saw them.
    pub fn out_of_fold(&self, timed: &Timed) -> Scores {
        let regions = self.regions.iter().map(|region| region.out_of_fold.clone()).collect();
        self.with_rad_scores(timed, &self.train, regions)
    }

    fn with_rad_scores(&self, timed: &Timed, rows: &[usize], regions: Vec<Vec<Option<f64>>>) -> Scores {
        let terms = clinical::terms(&timed.cohort, &self.predictors);
        let clinical = |row: usize| terms.iter().map(move |(_, values)| values[row]);
        let of = |hazard: &Hazard, risk: Option<f64>| {
            let risk = risk?;
            Some(Score { risk, survival: self.horizons.iter().map(|&time| hazard.survival(risk, time)).collect() })
        };
        let mut all: Scores = Vec::new();
        for (learnt, scores) in self.regions.iter().zip(&regions) {
            let one = |score: &Option<f64>| {
                let hazard = learnt.hazard.as_ref()?;
                of(hazard, hazard.risk([*score].into_iter()))
            };
            all.push((learnt.region.clone(), scores.iter().map(one).collect()));
        }
        let best = &regions[self.best];
        let with = rows.iter().zip(best);
        all.push((
            CLINICAL.to_owned(),
            rows.iter().map(|&row| of(&self.clinical, self.clinical.risk(clinical(row)))).collect(),
        ));
        let alone = |score: &Option<f64>| of(&self.radiomics, self.radiomics.risk([*score].into_iter()));
        all.push((RADIOMICS.to_owned(), best.iter().map(alone).collect()));
        let combined = |(&row, score): (&usize, &Option<f64>)| {
            of(&self.combined, self.combined.risk(std::iter::once(*score).chain(clinical(row))))
        };
        all.push((COMBINED.to_owned(), with.map(combined).collect()));
        all.push((FOREST.to_owned(), self.forest_scores(timed, rows)));
        all
    }

    /// Why a model of [`Recipe::names`] says nothing of a patient.
    pub fn why_unscored(&self, timed: &Timed, name: &str, row: usize) -> String {
        let best = &self.regions[self.best];
        let of_region = |learnt: &LearntRegion| match (&learnt.model, &learnt.hazard) {
            (Ok(_), Some(_)) if features_of(timed, &learnt.region).rows[row].is_none() => "region not measured",
            (Ok(model), Some(_)) if model.z(features_of(timed, &learnt.region), &[row])[0].is_none() => {
                "a chosen feature is undefined"
            }
            (Ok(_), Some(_)) => "no Rad-score out of fold",
            _ => "the region has no model",
        };
        let of_terms = |fill: &[Option<f64>]| {
            let terms = clinical::terms(&timed.cohort, &self.predictors);
            let names = hazard::missing_of(&terms, fill, row).join(", ");
            (!names.is_empty()).then(|| format!("{names} missing"))
        };
        let found = match (name, self.regions.iter().find(|learnt| learnt.region == name)) {
            (_, Some(learnt)) => return of_region(learnt).to_owned(),
            (CLINICAL, _) => of_terms(&self.clinical.fill),
            (COMBINED, _) => of_terms(self.combined.fill.get(1..).unwrap_or_default()),
            _ => None,
        };
        found.unwrap_or_else(|| of_region(best).to_owned())
    }

    fn forest_scores(&self, timed: &Timed, rows: &[usize]) -> Vec<Option<Score>> {
        let learnt = &self.regions[self.best];
        let Ok(model) = &learnt.model else { return vec![None; rows.len()] };
        let one = |z: Option<Vec<f64>>| {
            let hazard = self.forest.hazard(ndarray::ArrayView1::from(&z?));
            let survival = |time: &f64| {
                let passed = self.forest.times.partition_point(|event| event <= time);
                passed.checked_sub(1).map_or(1.0, |last| (-hazard[last]).exp())
            };
            Some(Score { risk: self.forest.mortality(&hazard), survival: self.horizons.iter().map(survival).collect() })
        };
        model.z(features_of(timed, &learnt.region), rows).into_iter().map(one).collect()
    }
}
