//! The whole chain learnt again: Harrell's optimism, repeated nested cross-validation, permuted responses, random
//! splits.

use std::collections::BTreeMap;
use std::sync::Mutex;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::pipeline::cohort::{Cohort, Features, draw_within};
use crate::pipeline::learn::{LearnError, Recipe, Scores, auc_of, relearn};
use crate::pipeline::learner::LinearModel;
use crate::pipeline::recipe::{CLINICAL, COMBINED, RADIOMICS};
use crate::pipeline::rivals::{RIVALS, UNHARMONISED, rivals};
use crate::pipeline::unharmonised::{Beside, as_measured};
use crate::protocol::Protocol;
use crate::protocol::learn::Learner;
use crate::protocol::source::FUSED;
use osteon_base::job::{Cancelled, Job};
use osteon_base::seed::Seed;
use osteon_stats::evaluate::judged::{Judged, judged};
use osteon_stats::evaluate::optimism::{self, Corrected, Metrics};
use osteon_stats::evaluate::refits::{OutOfBag, Refit, out_of_bag, point_632_plus};
use osteon_stats::evaluate::repeated::{CrossValidated, cross_validated};
use osteon_stats::evaluate::roc::{self, confusion};
use osteon_stats::evaluate::stability::nogueira;

/// The metrics that are corrected, in their order.
pub const METRICS: [&str; 7] = ["auc", "accuracy", "sensitivity", "specificity", "precision", "f1", "brier"];

/// What relearning says of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    pub model: String,
    /// One a metric of `METRICS`: apparent, optimism, corrected.
    pub optimism: Vec<Option<Optimism>>,
    /// AUC of the pooled held-out probabilities, one a repeat.
    pub nested_auc: Vec<f64>,
    /// Share of permuted chains with a nested AUC at least as large, with 1 added above and below.
    pub permutation_p: Option<f64>,
    /// Nested AUCs of the permuted chains.
    pub permuted_auc: Vec<f64>,
    /// AUCs in the test sets of random splits of all patients, one a split.
    #[serde(default)]
    pub split_auc: Vec<f64>,
    /// The nested AUC with its interval, of `LEAST_REPEATS` and more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nested: Option<CrossValidated>,
    /// The AUC of left-out pairs and .632+, of `LEAST_SAMPLES` bootstrap samples and more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<OutOfBag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point_632_plus: Option<f64>,
    /// In how many of these samples each feature or predictor was chosen, the most frequent first; of the radiomics model
    /// the region that gave the Rad-score.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chosen: Vec<(String, usize)>,
    /// Samples that were learnt from, for `chosen`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub chosen_of: usize,
    /// All models side by side by held-out probabilities, the combined model's alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compared: Vec<Judged>,
    /// What is reported beside what the same chain gives without harmonization, the combined model's alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unharmonised: Vec<Beside>,
}

/// Fewer bootstrap samples leave too few out together to tell an AUC and its standard error.
pub const LEAST_SAMPLES: usize = 50;
/// Fewer repeats of nested cross-validation have no interval and no comparison.
pub const LEAST_REPEATS: usize = 5;

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// One corrected metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Optimism {
    pub apparent: f64,
    pub optimism: f64,
    pub corrected: f64,
    pub used: usize,
}

impl From<Corrected> for Optimism {
    fn from(from: Corrected) -> Optimism {
        Optimism { apparent: from.apparent, optimism: from.optimism, corrected: from.corrected, used: from.used }
    }
}

/// Validates the chain that gave `recipe`: from its training rows alone, but for the random splits of all patients.
pub fn validate(
    cohort: &Cohort,
    recipe: &Recipe,
    protocol: &Protocol,
    seed: Seed,
    job: &Job,
) -> Result<Vec<Validation>, LearnError> {
    let params = &protocol.learn;
    let train = &recipe.train;
    let apparent = recipe.scores(cohort, train);
    let names: Vec<String> = apparent.named(recipe).into_iter().map(|(name, _)| name).collect();
    let resampled = bootstrap(cohort, recipe, &apparent, protocol, seed, job)?;
    // Permuted chains are held against a nested AUC of the responses as they are.
    let n_repeats = params.n_repeats.max(usize::from(params.n_permutations > 0));
    let compare = n_repeats >= LEAST_REPEATS;
    let (held, choices) = nested(cohort, train, protocol, seed.named("nested"), n_repeats, compare, job)?;
    let event = cohort.events(train);
    // What is relearnt only to be held against the models of the paper does without learners beside the forest.
    let mut alone = protocol.clone();
    alone.learn.learners = vec![Learner::Forest];
    let alone = &alone;
    let nested = aucs(&held, &event);
    let permuted = permuted(cohort, train, alone, seed.named("permuted"), job)?;
    let splits = splits(cohort, alone, seed.named("splits"), job)?;
    let one = |(at, model): (usize, String)| {
        let nested_auc: Vec<f64> = nested.iter().filter_map(|repeat| repeat[at]).collect();
        let permuted_auc: Vec<f64> = permuted.iter().filter_map(|one| one.get(at).copied().flatten()).collect();
        let permutation_p = nested_auc.first().filter(|_| !permuted_auc.is_empty()).map(|observed| {
            let as_large = permuted_auc.iter().filter(|auc| *auc >= observed).count();
            (as_large + 1) as f64 / (permuted_auc.len() + 1) as f64
        });
        let split_auc = splits.iter().filter_map(|split| split.get(at).copied().flatten()).collect();
        let own = |model: usize| -> Vec<Vec<Option<f64>>> {
            held.iter().filter_map(|repeat| repeat.get(model).cloned().flatten()).collect()
        };
        let left_out = (resampled.used >= LEAST_SAMPLES).then(|| out_of_bag(&event, &resampled.refits[at])).flatten();
        let in_sample = resampled.optimism[at].first().copied().flatten().map(|auc| auc.apparent);
        let compared = match compare && model == COMBINED {
            true => compared(cohort, protocol, &event, &own, &choices),
            false => Vec::new(),
        };
        Validation {
            model,
            optimism: resampled.optimism[at].clone(),
            nested: if compare { cross_validated(&event, &own(at), params.n_folds) } else { None },
            nested_auc,
            permutation_p,
            permuted_auc,
            split_auc,
            point_632_plus: left_out.zip(in_sample).map(|(left, apparent)| point_632_plus(apparent, left.auc, 0.5)),
            left_out,
            chosen: resampled.chosen[at].clone(),
            chosen_of: if resampled.chosen[at].is_empty() { 0 } else { resampled.used },
            compared,
            unharmonised: Vec::new(),
        }
    };
    Ok(names.into_iter().enumerate().map(one).collect())
}

/// The protocol with as many outer folds as the smaller class of a part of the patients allows: a part is learnt from
/// whole or not at all, never without some of its folds.
fn with_folds_for(cohort: &Cohort, rows: &[usize], protocol: &Protocol) -> Protocol {
    let mut adapted = protocol.clone();
    adapted.learn.n_folds = adapted.learn.n_folds.min(cohort.smaller_class(rows).max(2));
    adapted
}

/// The metrics of `METRICS` at the threshold 0.5, from the rows that have a probability.
pub fn metrics(event: &[bool], p: &[Option<f64>]) -> Metrics {
    let (event, p): (Vec<bool>, Vec<f64>) = event.iter().zip(p).filter_map(|(&event, p)| Some((event, (*p)?))).unzip();
    let called = confusion(&p, &event, 0.5);
    let brier = event.iter().zip(&p).map(|(&event, p)| (p - f64::from(event)).powi(2)).sum::<f64>() / p.len() as f64;
    vec![
        roc::auc(&p, &event).map(|auc| auc.auc),
        called.accuracy(),
        called.sensitivity(),
        called.specificity(),
        called.precision(),
        called.f1(),
        (!p.is_empty()).then_some(brier),
    ]
}

/// Metrics of all models, one list after the other.
fn all_metrics(event: &[bool], scores: &Scores, recipe: &Recipe) -> Metrics {
    scores.named(recipe).into_iter().flat_map(|(_, p)| metrics(event, p)).collect()
}

/// The models of Table 5 and the rivals, by their held-out probabilities of all repeats; how alike what they chose is.
fn compared(
    cohort: &Cohort,
    protocol: &Protocol,
    event: &[bool],
    held: &dyn Fn(usize) -> Vec<Vec<Option<f64>>>,
    choices: &[Choice],
) -> Vec<Judged> {
    let first = cohort.regions.len();
    let learners = protocol.learn.beside_the_forest();
    let names = [COMBINED, RADIOMICS, CLINICAL].into_iter().zip([first + 2, first + 1, first]);
    let beside = learners.iter().enumerate().map(|(at, learner)| (learner.name(), first + 3 + at));
    let rivals = RIVALS.into_iter().enumerate().map(|(at, name)| (name, first + 3 + learners.len() + at));
    let one = |(name, at): (&str, usize)| {
        let stability = stability(cohort, protocol, choices, name);
        Judged { stability, ..judged(name, event, &held(at), protocol.learn.n_folds) }
    };
    let last = first + 3 + learners.len() + RIVALS.len();
    let unharmonised = protocol.harmonises().then_some((UNHARMONISED, last));
    names.chain(beside).chain(rivals).chain(unharmonised).map(one).collect()
}

/// Nogueira's stability of what a model chose in the folds of all repeats; `None` where it chose nothing by itself.
fn stability(cohort: &Cohort, protocol: &Protocol, choices: &[Choice], name: &str) -> Option<f64> {
    let own: Vec<&Vec<String>> = choices.iter().filter_map(|choice| choice.get(name)).collect();
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    own.iter().copied().flatten().for_each(|chosen| *counts.entry(chosen).or_default() += 1);
    let eligible = |features: &Features| features.eligible.iter().filter(|&&may| may).count();
    let of = match name {
        CLINICAL if protocol.learn.screens() => cohort.clinical.columns().len(),
        CLINICAL => return None,
        // The features of all sources together are those of the sources again.
        _ => match cohort.regions.iter().find(|features| features.region == FUSED) {
            Some(all) => eligible(all),
            None => cohort.regions.iter().map(eligible).sum(),
        },
    };
    nogueira(&counts.into_values().collect::<Vec<_>>(), own.len(), of)
}

/// What each model chose in one fold, by the model's name: features with their region, or clinical variables.
type Choice = BTreeMap<String, Vec<String>>;

fn choice(recipe: &Recipe) -> Choice {
    let best = &recipe.regions[recipe.best];
    let within = |names: &[String]| names.iter().map(|name| format!("{}.{name}", best.region)).collect::<Vec<String>>();
    let mut found = Choice::from([(CLINICAL.to_owned(), recipe.clinical_predictors.clone())]);
    if let Ok(model) = &best.model {
        found.insert(RADIOMICS.to_owned(), within(&model.features));
        found.insert(RIVALS[0].to_owned(), within(&model.features));
        found.insert(RIVALS[1].to_owned(), within(&model.shortlist));
    }
    for learnt in &recipe.learners {
        if let Ok(model) = &learnt.model {
            found.insert(learnt.learner.name().to_owned(), within(&model.features));
        }
    }
    found
}

/// What the bootstrap says, one list a model.
struct Resampled {
    optimism: Vec<Vec<Option<Optimism>>>,
    refits: Vec<Vec<Refit>>,
    chosen: Vec<Vec<(String, usize)>>,
    /// Samples from which something was learnt.
    used: usize,
}

/// One refit beyond its metrics, one list a model: probabilities of all training rows, and what was chosen.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Further {
    scores: Vec<Vec<Option<f64>>>,
    chosen: Vec<Vec<String>>,
}

fn further(again: &Recipe, scores: &Scores) -> Further {
    let named = scores.named(again);
    let chosen = |(at, (name, _)): (usize, &(String, &[Option<f64>]))| match again.regions.get(at) {
        Some(region) => region.model.as_ref().map(|model| model.features.clone()).unwrap_or_default(),
        None if name == CLINICAL => again.clinical_predictors.clone(),
        None if name == RADIOMICS => vec![again.regions[again.best].region.clone()],
        None => {
            let learnt = again.learners.iter().find(|learnt| learnt.learner.name() == name);
            let model = learnt.and_then(|learnt| learnt.model.as_ref().ok());
            let within = |model: &LinearModel| {
                model.features.iter().map(|feature| format!("{}.{feature}", model.region)).collect()
            };
            model.map(within).unwrap_or_default()
        }
    };
    let chosen = named.iter().enumerate().map(chosen).collect();
    Further { chosen, scores: named.into_iter().map(|(_, p)| p.to_vec()).collect() }
}

fn bootstrap(
    cohort: &Cohort,
    recipe: &Recipe,
    apparent: &Scores,
    protocol: &Protocol,
    seed: Seed,
    job: &Job,
) -> Result<Resampled, LearnError> {
    let (train, seed) = (&recipe.train, seed.named("bootstrap"));
    let n = protocol.learn.n_bootstraps;
    let samples = match cohort.strata.is_empty() {
        true => optimism::resamples(train.len(), n, seed),
        false => optimism::resamples_within(&cohort.strata_and_classes(train), n, seed),
    };
    let stage = job.stage("bootstrap", n);
    let event = cohort.events(train);
    let one = |at: usize, sample: &[usize]| {
        let rows: Vec<usize> = sample.iter().map(|&i| train[i]).collect();
        let protocol = with_folds_for(cohort, &rows, protocol);
        let again = relearn(cohort, &rows, &protocol, seed.nth(at), &job.silent()).ok()?;
        let own = all_metrics(&cohort.events(&rows), &again.scores(cohort, &rows), &again);
        let scores = again.scores(cohort, train);
        let original = all_metrics(&event, &scores, &again);
        Some((own, original, (n >= LEAST_SAMPLES).then(|| further(&again, &scores))))
    };
    let kept: Mutex<Vec<Option<Further>>> = Mutex::new(vec![None; n]);
    // A cancelled sample gives nothing, and the stage says so.
    let relearn = |at: usize, sample: &[usize]| {
        let (own, original, further) = job.part(&format!("bootstrap/{at}"), || one(at, sample)).ok()??;
        kept.lock().expect("no holder of the refits panics")[at] = further;
        Some((own, original))
    };
    let corrected = optimism::correct(&all_metrics(&event, apparent, recipe), &samples, relearn, &stage)?;
    let optimism: Vec<Vec<Option<Optimism>>> =
        corrected.chunks(METRICS.len()).map(|one| one.iter().map(|c| c.map(Optimism::from)).collect()).collect();
    let kept = kept.into_inner().expect("no holder of the refits panics");
    let used = kept.iter().flatten().count();
    let of_model = |model: usize| {
        let refit = |(rows, further): (&Vec<usize>, &Option<Further>)| {
            Some(Refit { rows: rows.clone(), scores: further.as_ref()?.scores.get(model)?.clone() })
        };
        samples.iter().zip(&kept).filter_map(refit).collect()
    };
    let models = optimism.len();
    Ok(Resampled {
        refits: (0..models).map(of_model).collect(),
        chosen: (0..models).map(|model| counted(&kept, model)).collect(),
        used,
        optimism,
    })
}

/// How often each name was chosen, the most frequent first, equal ones by name.
fn counted(kept: &[Option<Further>], model: usize) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for name in kept.iter().flatten().filter_map(|further| further.chosen.get(model)).flatten() {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().map(|(name, n)| (name.clone(), n)).collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    counts
}

/// Positions of the held rows of one fold, and their probabilities under each model with what was chosen, if it could be
/// learnt.
type HeldOut = (Vec<usize>, Option<(Vec<Vec<Option<f64>>>, Choice)>);

/// Pooled held-out probabilities of one repeat, one entry a model; `None` where a fold could not be learnt: an AUC of the
/// others would be one of fewer patients.
type Pooled = Vec<Option<Vec<Option<f64>>>>;

/// AUCs of pooled held-out probabilities, one list a repeat.
fn aucs(held: &[Pooled], event: &[bool]) -> Vec<Vec<Option<f64>>> {
    let auc = |pooled: &Option<Vec<Option<f64>>>| pooled.as_ref().and_then(|pooled| auc_of(event, pooled));
    held.iter().map(|repeat| repeat.iter().map(auc).collect()).collect()
}

/// Held-out probabilities, one entry a repeat; `compare` has those of the rivals after those of the models.
fn nested(
    cohort: &Cohort,
    rows: &[usize],
    protocol: &Protocol,
    seed: Seed,
    n_repeats: usize,
    compare: bool,
    job: &Job,
) -> Result<(Vec<Pooled>, Vec<Choice>), LearnError> {
    let n_folds = protocol.learn.n_folds;
    let stage = job.stage("nested cross-validation", n_repeats * n_folds);
    let folds = (0..n_repeats).map(|repeat| cohort.folds(rows, n_folds, seed.nth(repeat)));
    let folds: Vec<Vec<usize>> = folds.collect::<Result<_, _>>()?;
    let part = |at: usize| {
        let (repeat, fold) = (at / n_folds, at % n_folds);
        let (held, learnt): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|&i| folds[repeat][i] == fold);
        let train: Vec<usize> = learnt.iter().map(|&i| rows[i]).collect();
        let learnt = || {
            let protocol = with_folds_for(cohort, &train, protocol);
            let recipe = relearn(cohort, &train, &protocol, seed.nth(repeat).nth(fold), &job.silent()).ok()?;
            let held_rows: Vec<usize> = held.iter().map(|&i| rows[i]).collect();
            let scores = recipe.scores(cohort, &held_rows);
            let mut all: Vec<Vec<Option<f64>>> = scores.named(&recipe).into_iter().map(|(_, p)| p.to_vec()).collect();
            if !compare {
                return Some((all, Choice::new()));
            }
            all.extend(rivals(cohort, &recipe, &held_rows, &protocol));
            if protocol.harmonises() {
                let again = relearn(cohort, &train, &as_measured(&protocol), seed.nth(repeat).nth(fold), &job.silent());
                let combined = again.map(|again| again.scores(cohort, &held_rows).combined);
                all.push(combined.unwrap_or_else(|_| vec![None; held_rows.len()]));
            }
            Some((all, choice(&recipe)))
        };
        let scores = job.part(&format!("nested/{repeat}/{fold}"), learnt)?;
        stage.step()?;
        Ok::<_, Cancelled>((held, scores))
    };
    let parts: Vec<HeldOut> = (0..n_repeats * n_folds).into_par_iter().map(part).collect::<Result<_, _>>()?;
    let n_learners = protocol.learn.beside_the_forest().len();
    let n_rivals = RIVALS.len() + usize::from(protocol.harmonises());
    let n_models = cohort.regions.len() + 3 + n_learners + if compare { n_rivals } else { 0 };
    let pooled = |repeat: &[HeldOut]| -> Pooled {
        let of_model = |model: usize| {
            let mut pooled = vec![None; rows.len()];
            for (held, scores) in repeat {
                held.iter().zip(&scores.as_ref()?.0[model]).for_each(|(&i, p)| pooled[i] = *p);
            }
            Some(pooled)
        };
        (0..n_models).map(of_model).collect()
    };
    let found = parts.chunks(n_folds).map(pooled).collect();
    Ok((found, parts.into_iter().filter_map(|(_, learnt)| Some(learnt?.1)).collect()))
}

/// Nested AUCs with responses shuffled among the training rows, one list a permutation.
fn permuted(
    cohort: &Cohort,
    train: &[usize],
    protocol: &Protocol,
    seed: Seed,
    job: &Job,
) -> Result<Vec<Vec<Option<f64>>>, LearnError> {
    let n = protocol.learn.n_permutations;
    let stage = job.stage("permutations", n);
    let one = |at: usize| {
        let shuffled = shuffle(cohort, train, seed.nth(at));
        let aucs = || {
            nested(&shuffled, train, protocol, seed.nth(at), 1, false, &job.silent())
                .map(|(held, _)| self::aucs(&held, &shuffled.events(train)))
                .map_err(|cause| cause.to_string())
        };
        let aucs = job.part(&format!("permuted/{at}"), aucs)?;
        stage.step()?;
        Ok(aucs.ok().and_then(|aucs| aucs.into_iter().next()).unwrap_or_default())
    };
    (0..n).into_par_iter().map(one).collect()
}

/// Test AUCs of the chain learnt on random splits of all patients, one list a split; empty where nothing was learnt.
fn splits(cohort: &Cohort, protocol: &Protocol, seed: Seed, job: &Job) -> Result<Vec<Vec<Option<f64>>>, LearnError> {
    let n = protocol.learn.n_splits;
    let stage = job.stage("random splits", n);
    let one = |at: usize| {
        let drawn = draw_within(cohort, protocol.learn.train_fraction, seed.nth(at));
        let (train, test): (Vec<usize>, Vec<usize>) = (0..drawn.len()).partition(|&row| drawn[row]);
        let aucs = || {
            let protocol = with_folds_for(cohort, &train, protocol);
            let Ok(recipe) = relearn(cohort, &train, &protocol, seed.nth(at), &job.silent()) else { return Vec::new() };
            let (event, scores) = (cohort.events(&test), recipe.scores(cohort, &test));
            scores.named(&recipe).into_iter().map(|(_, p)| auc_of(&event, p)).collect()
        };
        let aucs = job.part(&format!("split/{at}"), aucs)?;
        stage.step().map(|()| aucs)
    };
    Ok((0..n).into_par_iter().map(one).collect::<Result<_, Cancelled>>()?)
}

/// The cohort with the events of `train` in another order among them.
pub fn shuffle(cohort: &Cohort, train: &[usize], seed: Seed) -> Cohort {
    let mut order = train.to_vec();
    order.sort_by_key(|&row| seed.named(&cohort.codes[row]).0);
    let mut shuffled = cohort.clone();
    train.iter().zip(order).for_each(|(&to, from)| shuffled.event[to] = cohort.event[from]);
    shuffled
}
