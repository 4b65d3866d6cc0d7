//! The whole chain from training rows: every region, the clinical model, the best region, the combined model.

use rayon::prelude::*;

use crate::pipeline::clinical::{self, Logistic};
use crate::pipeline::cohort::{Cohort, TooFew};
use crate::pipeline::harmonise::{self, HarmoniseError};
use crate::pipeline::learner::{self, LearnerTrouble, LearntLearner, LinearModel};
use crate::pipeline::missing;
use crate::pipeline::region::{self, Link, RegionModel, RegionTrouble};
use crate::protocol::Protocol;
use crate::protocol::learn::{BY_AUC, Fusion, Harmonise, Learner, RadScore};
use crate::protocol::source::FUSED;
use osteon_base::job::{Cancelled, Job};
use osteon_base::seed::Seed;
use osteon_stats::evaluate::roc;
use osteon_stats::model::logistic::FitError;

/// Everything that was learnt, as one value; scoring changes nothing in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Positions of the training patients in the cohort.
    pub train: Vec<usize>,
    pub regions: Vec<LearntRegion>,
    /// Position of the region that gives the Rad-score; where all are joined, of the one with the largest AUC.
    pub best: usize,
    /// The logistic regression that joins the Rad-scores of several sources, which are its terms.
    pub fusion: Option<Logistic>,
    pub clinical_predictors: Vec<String>,
    pub clinical: Logistic,
    pub combined: Logistic,
    /// Learners beside the forest, from the region that gives the Rad-score.
    pub learners: Vec<LearntLearner>,
}

/// One region and what its training patients get.
#[derive(Clone, Debug, PartialEq)]
pub struct LearntRegion {
    pub region: String,
    pub model: Result<RegionModel, RegionTrouble>,
    /// One a training row: Rad-score from a chain learnt on the other folds.
    pub out_of_fold: Vec<Option<f64>>,
    /// The linear LASSO score from the same chains.
    pub out_of_fold_linear: Vec<Option<f64>>,
    /// AUC of the out-of-fold scores.
    pub auc: Option<f64>,
    /// Training rows without the region, folds whose model could not be learnt, and folds that were too small for the
    /// protocol's cross-validation: what the reader of a score must know.
    pub notes: Vec<String>,
}

/// The probabilities of patients under every model.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// One list a region, in the order of the recipe.
    pub regions: Vec<Vec<Option<f64>>>,
    pub clinical: Vec<Option<f64>>,
    pub radiomics: Vec<Option<f64>>,
    /// The term of the combined model: the radiomics model's probability, or LASSO's linear score.
    pub rad_score: Vec<Option<f64>>,
    pub combined: Vec<Option<f64>>,
    /// One list a learner beside the forest, in the order of the recipe.
    pub learners: Vec<Vec<Option<f64>>>,
}

/// Why nothing could be learnt.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LearnError {
    #[error("the training set has {events} patients with the event and {others} without: both are needed")]
    OneClass { events: usize, others: usize },
    #[error(transparent)]
    TooFew(#[from] TooFew),
    #[error("the choice of clinical predictors: {0}")]
    Predictors(#[from] osteon_stats::table::encode::EncodeError),
    #[error("no region could be learnt; {region}: {trouble}")]
    NoRegion { region: String, trouble: RegionTrouble },
    #[error("no features of any region")]
    NoFeatures,
    #[error("no region {found}; the regions are {valid}")]
    Region { found: String, valid: String },
    #[error("the {model} model: {cause}")]
    Logistic { model: &'static str, cause: FitError },
    #[error(transparent)]
    Harmonise(#[from] HarmoniseError),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// The name of the Rad-score as a term of the combined model.
pub const RAD_SCORE: &str = "rad_score";

/// Learns from the rows `train` of the cohort, and from nothing else. One step of the job a region and fold.
pub fn learn(
    cohort: &Cohort,
    train: &[usize],
    protocol: &Protocol,
    seed: Seed,
    job: &Job,
) -> Result<Recipe, LearnError> {
    learn_with(cohort, train, protocol, seed, Learners::OutOfFoldToo, job)
}

/// The same without out-of-fold probabilities of the learners beside the forest: resampling does not ask for them.
pub fn relearn(
    cohort: &Cohort,
    train: &[usize],
    protocol: &Protocol,
    seed: Seed,
    job: &Job,
) -> Result<Recipe, LearnError> {
    learn_with(cohort, train, protocol, seed, Learners::FittedAlone, job)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Learners {
    OutOfFoldToo,
    FittedAlone,
}

fn learn_with(
    cohort: &Cohort,
    train: &[usize],
    protocol: &Protocol,
    seed: Seed,
    wanted_of_learners: Learners,
    job: &Job,
) -> Result<Recipe, LearnError> {
    let params = &protocol.learn;
    let events = train.iter().filter(|&&row| cohort.event[row]).count();
    if events == 0 || events == train.len() {
        return Err(LearnError::OneClass { events, others: train.len() - events });
    }
    // Resamples hold fewer patients of a batch than the training set, which has to have enough.
    let checks = wanted_of_learners == Learners::OutOfFoldToo && params.harmonise == Harmonise::Combat;
    if let Some(first) = cohort.regions.first().filter(|_| checks) {
        harmonise::check(cohort, first, train)?;
    }
    let folds = cohort.folds(train, params.n_folds, seed.named("outer folds"))?;
    // Before anything is learnt: every part must hold two patients of the smaller class, or it has no folds of its own.
    let smaller = cohort.smaller_class(train);
    if smaller - smaller.div_ceil(params.n_folds) < 2 {
        return Err(TooFew { smallest: smaller, folds: params.n_folds }.into());
    }
    let (regions, parts): (Vec<LearntRegion>, Vec<Parts>) =
        learn_regions(cohort, train, &folds, protocol, seed, checks, job)?.into_iter().unzip();
    let wanted = match params.fusion {
        Fusion::Best => params.best_region.as_str(),
        Fusion::Early => FUSED,
        Fusion::Late => BY_AUC,
    };
    let best = best_region(&regions, wanted)?;
    let failed = |model| move |cause| LearnError::Logistic { model, cause };
    let clinical_predictors = clinical::predictors(cohort, train, protocol)?;
    let of_region = |region| training_rad_score(cohort, train, region, params.rad_score);
    let fusion = (params.fusion == Fusion::Late).then(|| join(cohort, train, &regions)).transpose();
    let fusion = fusion.map_err(failed("radiomics"))?;
    let learnt_from = match &fusion {
        None => of_region(&regions[best]),
        Some(fusion) => {
            let terms: Vec<Vec<Option<f64>>> = regions.iter().filter(|it| it.model.is_ok()).map(of_region).collect();
            let joined = |row: usize| fusion.score(terms.iter().map(|values| values[row]));
            (0..cohort.codes.len()).map(joined).collect()
        }
    };
    let fit = |head, seed| missing::fit(cohort, head, &clinical_predictors, train, params, seed);
    let imputation = seed.named("imputation");
    let clinical = fit(None, imputation.named("clinical")).map_err(failed("clinical"))?;
    let with_score = Some((RAD_SCORE.to_owned(), learnt_from));
    let combined = fit(with_score, imputation.named("combined")).map_err(failed("combined"))?;
    let beside = Beside { cohort, train, folds: &folds, region: &regions[best], parts: &parts[best], protocol, seed };
    let learners = protocol.learn.beside_the_forest();
    let learners = learners.into_par_iter().map(|learner| beside.learn(learner, wanted_of_learners)).collect();
    Ok(Recipe { train: train.to_vec(), regions, best, fusion, clinical_predictors, clinical, combined, learners })
}

/// The models of one region on all but one fold, one a fold.
type Parts = Vec<Result<RegionModel, RegionTrouble>>;

/// What learners beside the forest learn from: the selections of the region that gives the Rad-score.
struct Beside<'a> {
    cohort: &'a Cohort,
    train: &'a [usize],
    folds: &'a [usize],
    region: &'a LearntRegion,
    parts: &'a Parts,
    protocol: &'a Protocol,
    seed: Seed,
}

impl Beside<'_> {
    fn learn(&self, learner: Learner, wanted: Learners) -> LearntLearner {
        let Beside { cohort, train, folds, region, .. } = *self;
        let features = cohort.regions.iter().find(|features| features.region == region.region);
        let on = |rows: &[usize], selected: &Result<RegionModel, RegionTrouble>, fold: usize| {
            let (Some(features), Ok(selected)) = (features, selected) else { return Err(LearnerTrouble::NoRegion) };
            learner::learn(cohort, features, selected, rows, learner, self.protocol, self.seed.nth(fold))
        };
        let of_fold = |fold: usize| {
            let rows: Vec<usize> = (0..train.len()).filter(|&i| folds[i] != fold).map(|i| train[i]).collect();
            on(&rows, &self.parts[fold], fold + 1)
        };
        let n_folds = if wanted == Learners::OutOfFoldToo { self.parts.len() } else { 0 };
        let others: Vec<Result<LinearModel, LearnerTrouble>> = (0..n_folds).into_par_iter().map(of_fold).collect();
        let held = |(i, &row): (usize, &usize)| {
            let model = others.get(folds[i])?.as_ref().ok()?;
            model.scores(features?, &[row])[0].map(|(p, _)| p)
        };
        let out_of_fold = if others.is_empty() { Vec::new() } else { train.iter().enumerate().map(held).collect() };
        LearntLearner { learner, region: region.region.clone(), model: on(train, &region.model, 0), out_of_fold }
    }
}

/// The Rad-scores of all sources that could be learnt, joined: by their out-of-fold scores, so that a source that fits
/// its own patients too well does not outweigh the others.
fn join(cohort: &Cohort, train: &[usize], regions: &[LearntRegion]) -> Result<Logistic, FitError> {
    let usable = regions.iter().filter(|region| region.model.is_ok());
    let term = |region: &LearntRegion| {
        let scores = training_rad_score(cohort, train, region, RadScore::OutOfFold);
        (region.region.clone(), scores)
    };
    Logistic::fit(cohort, &usable.map(term).collect::<Vec<_>>(), train)
}

fn learn_regions(
    cohort: &Cohort,
    train: &[usize],
    folds: &[usize],
    protocol: &Protocol,
    seed: Seed,
    checks: bool,
    job: &Job,
) -> Result<Vec<(LearntRegion, Parts)>, LearnError> {
    let n_folds = protocol.learn.n_folds;
    let parts = cohort.regions.len() * (n_folds + 1);
    let stage = job.stage("regions", parts);
    // Part 0 of a region learns from all rows, part k from all but fold k - 1.
    let part = |at: usize| {
        let (features, fold) = (&cohort.regions[at / (n_folds + 1)], at % (n_folds + 1));
        let rows: Vec<usize> =
            (0..train.len()).filter(|&i| fold == 0 || folds[i] != fold - 1).map(|i| train[i]).collect();
        let learn = || {
            if fold == 0 && checks {
                let measured: Vec<usize> = rows.iter().copied().filter(|&row| features.rows[row].is_some()).collect();
                harmonise::check(cohort, features, &measured)
                    .map_err(|cause| RegionTrouble::Harmonise(cause.to_string()))?;
            }
            region::learn(cohort, features, &rows, protocol, seed.nth(fold), job)
        };
        let learnt = job.part(&format!("region/{}/{fold}", features.region), learn)?;
        stage.step().map(|()| learnt)
    };
    let learnt: Vec<Result<RegionModel, RegionTrouble>> =
        (0..parts).into_par_iter().map(part).collect::<Result<_, Cancelled>>()?;
    let mut learnt = learnt.into_iter();
    let region = |features: &crate::pipeline::cohort::Features| {
        let model = learnt.next().expect("one part a region");
        let others: Vec<_> = learnt.by_ref().take(n_folds).collect();
        let score = |(i, &row): (usize, &usize)| {
            let held = others[folds[i]].as_ref().ok()?;
            held.scores(features, &[row])[0]
        };
        let scores: Vec<Option<(f64, f64)>> = train.iter().enumerate().map(score).collect();
        let part = |of: fn((f64, f64)) -> f64| -> Vec<Option<f64>> { scores.iter().map(|it| it.map(of)).collect() };
        let (p, linear) = (part(|(p, _)| p), part(|(_, linear)| linear));
        let mut notes = notes(cohort, features, train, folds, &others, protocol);
        notes.extend(model.as_ref().ok().and_then(constant_within_batches));
        let event = cohort.events(train);
        let mut region = LearntRegion {
            region: features.region.clone(),
            model,
            auc: auc_of(&event, &p),
            out_of_fold: p,
            out_of_fold_linear: linear,
            notes,
        };
        if protocol.learn.rad_score == RadScore::Lasso {
            region.auc = auc_of(&event, &region.out_of_fold_linear);
            region.link(cohort, train);
        }
        (region, others)
    };
    Ok(cohort.regions.iter().map(region).collect())
}

impl LearntRegion {
    /// Makes the linear score the region's: a logistic regression of the event on out-of-fold scores gives probabilities.
    fn link(&mut self, cohort: &Cohort, train: &[usize]) {
        let Ok(model) = &mut self.model else { return };
        let mut values = vec![None; cohort.codes.len()];
        train.iter().zip(&self.out_of_fold_linear).for_each(|(&row, linear)| values[row] = *linear);
        match Logistic::fit(cohort, &[(RAD_SCORE.to_owned(), values)], train) {
            Ok(fit) => {
                let slope = fit.coefficients[0];
                let share = |event: usize, n: usize| (event as f64 / (n - event) as f64).ln();
                let link = match slope > 0.0 {
                    true => Link { intercept: fit.intercept, slope },
                    // What points the wrong way out of fold tells nothing: the share of events stands for everybody.
                    false => Link { intercept: share(fit.n_events, fit.n), slope: 0.0 },
                };
                if link.slope == 0.0 {
                    self.notes
                        .push("the LASSO's linear score told nothing of training patients out of fold".to_owned());
                }
                model.link = Some(link);
                let of = |linear: &Option<f64>| linear.map(|linear| link.probability(linear));
                self.out_of_fold = self.out_of_fold_linear.iter().map(of).collect();
            }
            Err(cause) => self.model = Err(RegionTrouble::Link(cause.to_string())),
        }
    }
}

/// What kept training rows from being learnt from or scored, and where cross-validation had fewer folds than asked for.
fn notes(
    cohort: &Cohort,
    features: &crate::pipeline::cohort::Features,
    train: &[usize],
    folds: &[usize],
    others: &[Result<RegionModel, RegionTrouble>],
    protocol: &Protocol,
) -> Vec<String> {
    let mut notes = Vec::new();
    let without = train.iter().filter(|&&row| features.rows[row].is_none()).count();
    if without > 0 {
        notes.push(format!("{without} of {} training patients left out: the region was not measured", train.len()));
    }
    for (fold, trouble) in others.iter().enumerate().filter_map(|(fold, model)| Some((fold, model.as_ref().err()?))) {
        let held = folds.iter().filter(|&&of| of == fold).count();
        let n = others.len();
        notes.push(format!("fold {} of {n}: no model ({trouble}); its {held} patients have no score", fold + 1));
    }
    let asked = protocol.forest.n_folds.max(protocol.select.lasso.n_folds);
    let smallest = |fold: usize| {
        let rows: Vec<usize> = (0..train.len()).filter(|&i| folds[i] != fold).map(|i| train[i]).collect();
        cohort.smaller_class(&rows.into_iter().filter(|&row| features.rows[row].is_some()).collect::<Vec<_>>())
    };
    let least = (0..others.len()).map(smallest).min().unwrap_or(asked);
    if (2..asked).contains(&least) {
        notes.push(format!("cross-validation of LASSO and forest had {least} folds instead of {asked} where training parts have {least} patients in the smaller class"));
    }
    notes
}

fn constant_within_batches(model: &RegionModel) -> Option<String> {
    let n = model.harmonised.as_ref().map_or(0, |it| it.n_constant);
    let features = osteon_base::text::counted(n, "feature");
    (n > 0).then(|| format!("{features} left out before harmonization: constant within a batch"))
}

/// AUC of the rows that have a score.
pub fn auc_of(event: &[bool], scores: &[Option<f64>]) -> Option<f64> {
    let (event, scores): (Vec<bool>, Vec<f64>) =
        event.iter().zip(scores).filter_map(|(&event, score)| Some((event, (*score)?))).unzip();
    roc::auc(&scores, &event).map(|auc| auc.auc)
}

fn best_region(regions: &[LearntRegion], wanted: &str) -> Result<usize, LearnError> {
    if wanted != BY_AUC {
        let valid = || regions.iter().map(|region| region.region.as_str()).collect::<Vec<_>>().join(", ");
        let at = regions.iter().position(|region| region.region == wanted);
        let at = at.ok_or_else(|| LearnError::Region { found: wanted.to_owned(), valid: valid() })?;
        return match &regions[at].model {
            Ok(_) => Ok(at),
            Err(trouble) => Err(LearnError::NoRegion { region: wanted.to_owned(), trouble: trouble.clone() }),
        };
    }
    let usable = (0..regions.len()).filter(|&at| regions[at].model.is_ok());
    let auc = |at: usize| regions[at].auc.unwrap_or(0.0);
    match (usable.reduce(|best, next| if auc(next) > auc(best) { next } else { best }), regions.first()) {
        (Some(best), _) => Ok(best),
        (None, None) => Err(LearnError::NoFeatures),
        (None, Some(first)) => {
            let trouble = first.model.clone().expect_err("no region is usable");
            Err(LearnError::NoRegion { region: first.region.clone(), trouble })
        }
    }
}

/// The Rad-score of the training rows as the combined model sees it, one entry a patient of the cohort.
fn training_rad_score(cohort: &Cohort, train: &[usize], region: &LearntRegion, kind: RadScore) -> Vec<Option<f64>> {
    let features = cohort.regions.iter().find(|features| features.region == region.region).expect("a learnt region");
    let mut scores = vec![None; cohort.codes.len()];
    match (kind, &region.model) {
        (RadScore::InSample, Ok(model)) => {
            let fitted = model.scores(features, train);
            train.iter().zip(fitted).for_each(|(&row, score)| scores[row] = score.map(|(p, _)| p));
        }
        (RadScore::Lasso, _) => {
            train.iter().zip(&region.out_of_fold_linear).for_each(|(&row, score)| scores[row] = *score);
        }
        _ => train.iter().zip(&region.out_of_fold).for_each(|(&row, score)| scores[row] = *score),
    }
    scores
}

impl Recipe {
    /// Whether LASSO's linear score is the Rad-score.
    fn is_linear(&self) -> bool {
        self.regions[self.best].model.as_ref().is_ok_and(|model| model.link.is_some())
    }

    /// Probabilities of any patients, from the chain learnt on all training rows.
    pub fn scores(&self, cohort: &Cohort, rows: &[usize]) -> Scores {
        let features = |region: &str| cohort.regions.iter().find(|features| features.region == region);
        let region = |learnt: &LearntRegion| match (&learnt.model, features(&learnt.region)) {
            (Ok(model), Some(features)) => model.scores(features, rows),
            _ => vec![None; rows.len()],
        };
        let mut regions: Vec<Vec<Option<(f64, f64)>>> = self.regions.iter().map(region).collect();
        let linear =
            self.is_linear().then(|| regions[self.best].iter().map(|it| it.map(|(_, linear)| linear)).collect());
        let of = |scores: Vec<Option<(f64, f64)>>| scores.into_iter().map(|it| it.map(|(p, _)| p)).collect();
        let learner = |learnt: &LearntLearner| match (&learnt.model, features(&learnt.region)) {
            (Ok(model), Some(features)) => of(model.scores(features, rows)),
            _ => vec![None; rows.len()],
        };
        let learners = self.learners.iter().map(learner).collect();
        let regions = regions.drain(..).map(of).collect();
        Scores { learners, ..self.with_rad_score(cohort, rows, regions, linear) }
    }

    /// Probabilities of the training patients as reported: out of fold where the protocol says so.
    pub fn training_scores(&self, cohort: &Cohort, kind: RadScore) -> Scores {
        match kind {
            RadScore::InSample => self.scores(cohort, &self.train),
            RadScore::OutOfFold | RadScore::Lasso => {
                let regions = self.regions.iter().map(|region| region.out_of_fold.clone()).collect();
                let linear = self.is_linear().then(|| self.regions[self.best].out_of_fold_linear.clone());
                let none = || vec![None; self.train.len()];
                let learner = |learnt: &LearntLearner| match learnt.out_of_fold.is_empty() {
                    true => none(),
                    false => learnt.out_of_fold.clone(),
                };
                let learners = self.learners.iter().map(learner).collect();
                Scores { learners, ..self.with_rad_score(cohort, &self.train, regions, linear) }
            }
        }
    }

    /// `linear` is the Rad-score where it is no probability.
    fn with_rad_score(
        &self,
        cohort: &Cohort,
        rows: &[usize],
        regions: Vec<Vec<Option<f64>>>,
        linear: Option<Vec<Option<f64>>>,
    ) -> Scores {
        let radiomics = match &self.fusion {
            None => regions[self.best].clone(),
            Some(fusion) => {
                let terms: Vec<&Vec<Option<f64>>> =
                    self.regions.iter().zip(&regions).filter(|(it, _)| it.model.is_ok()).map(|(_, p)| p).collect();
                (0..rows.len()).map(|row| fusion.score(terms.iter().map(|values| values[row]))).collect()
            }
        };
        let rad_score = linear.unwrap_or_else(|| radiomics.clone());
        let terms = clinical::terms(cohort, &self.clinical_predictors);
        let clinical = self.clinical.scores(&terms, rows);
        let combined = |(&row, score): (&usize, &Option<f64>)| {
            self.combined.score(std::iter::once(*score).chain(terms.iter().map(|(_, values)| values[row])))
        };
        let combined = rows.iter().zip(&rad_score).map(combined).collect();
        Scores { regions, clinical, radiomics, rad_score, combined, learners: Vec::new() }
    }
}

impl Scores {
    /// Every model by name: the regions, then clinical, radiomics, combined, then learners beside the forest.
    pub fn named(&self, recipe: &Recipe) -> Vec<(String, &[Option<f64>])> {
        let regions = recipe.regions.iter().zip(&self.regions).map(|(learnt, p)| (learnt.region.clone(), p.as_slice()));
        let others = [("clinical", &self.clinical), ("radiomics", &self.radiomics), ("combined", &self.combined)];
        let others = others.into_iter().map(|(name, p)| (name.to_owned(), p.as_slice()));
        let learners = recipe.learners.iter().zip(&self.learners);
        let learners = learners.map(|(learnt, p)| (learnt.learner.name().to_owned(), p.as_slice()));
        regions.chain(others).chain(learners).collect()
    }
}
