//! The whole chain learnt again: Harrell's optimism, repeated nested cross-validation, permuted responses, random
//! splits.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::pipeline::cohort::{Cohort, draw};
use crate::pipeline::learn::{LearnError, Recipe, Scores, auc_of, learn};
use crate::protocol::Protocol;
use osteon_base::job::{Cancelled, Job};
use osteon_base::seed::Seed;
use osteon_stats::evaluate::optimism::{self, Corrected, Metrics};
use osteon_stats::evaluate::roc::{self, confusion};

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
    let optimism = bootstrap(cohort, recipe, &apparent, protocol, seed, job)?;
    // Permuted chains are held against a nested AUC of the responses as they are.
    let n_repeats = params.n_repeats.max(usize::from(params.n_permutations > 0));
    let nested = nested(cohort, train, protocol, seed.named("nested"), n_repeats, job)?;
    let permuted = permuted(cohort, train, protocol, seed.named("permuted"), job)?;
    let splits = splits(cohort, protocol, seed.named("splits"), job)?;
    let one = |(at, model): (usize, String)| {
        let nested_auc: Vec<f64> = nested.iter().filter_map(|repeat| repeat[at]).collect();
        let permuted_auc: Vec<f64> = permuted.iter().filter_map(|one| one[at]).collect();
        let permutation_p = nested_auc.first().filter(|_| !permuted_auc.is_empty()).map(|observed| {
            let as_large = permuted_auc.iter().filter(|auc| *auc >= observed).count();
            (as_large + 1) as f64 / (permuted_auc.len() + 1) as f64
        });
        let optimism = optimism[at].clone();
        let split_auc = splits.iter().filter_map(|split| split.get(at).copied().flatten()).collect();
        Validation { model, optimism, nested_auc, permutation_p, permuted_auc, split_auc }
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

fn bootstrap(
    cohort: &Cohort,
    recipe: &Recipe,
    apparent: &Scores,
    protocol: &Protocol,
    seed: Seed,
    job: &Job,
) -> Result<Vec<Vec<Option<Optimism>>>, LearnError> {
    let (train, seed) = (&recipe.train, seed.named("bootstrap"));
    let n = protocol.learn.n_bootstraps;
    let samples = optimism::resamples(train.len(), n, seed);
    let stage = job.stage("bootstrap", n);
    let event = cohort.events(train);
    let one = |at: usize, sample: &[usize]| {
        let rows: Vec<usize> = sample.iter().map(|&i| train[i]).collect();
        let protocol = with_folds_for(cohort, &rows, protocol);
        let again = learn(cohort, &rows, &protocol, seed.nth(at), &job.silent()).ok()?;
        let own = all_metrics(&cohort.events(&rows), &again.scores(cohort, &rows), &again);
        let original = all_metrics(&event, &again.scores(cohort, train), &again);
        Some((own, original))
    };
    // A cancelled sample gives nothing, and the stage says so.
    let relearn = |at: usize, sample: &[usize]| job.part(&format!("bootstrap/{at}"), || one(at, sample)).ok()?;
    let corrected = optimism::correct(&all_metrics(&event, apparent, recipe), &samples, relearn, &stage)?;
    Ok(corrected.chunks(METRICS.len()).map(|one| one.iter().map(|c| c.map(Optimism::from)).collect()).collect())
}

/// Positions of the held rows of one fold, and their probabilities under each model if it could be learnt.
type HeldOut = (Vec<usize>, Option<Vec<Vec<Option<f64>>>>);

/// AUCs of pooled held-out probabilities: one list a repeat, one entry a model.
fn nested(
    cohort: &Cohort,
    rows: &[usize],
    protocol: &Protocol,
    seed: Seed,
    n_repeats: usize,
    job: &Job,
) -> Result<Vec<Vec<Option<f64>>>, LearnError> {
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
            let recipe = learn(cohort, &train, &protocol, seed.nth(repeat).nth(fold), &job.silent()).ok()?;
            let held_rows: Vec<usize> = held.iter().map(|&i| rows[i]).collect();
            let scores = recipe.scores(cohort, &held_rows);
            Some(scores.named(&recipe).into_iter().map(|(_, p)| p.to_vec()).collect::<Vec<_>>())
        };
        let scores = job.part(&format!("nested/{repeat}/{fold}"), learnt)?;
        stage.step()?;
        Ok::<_, Cancelled>((held, scores))
    };
    let parts: Vec<_> = (0..n_repeats * n_folds).into_par_iter().map(part).collect::<Result<_, _>>()?;
    let event = cohort.events(rows);
    let n_models = cohort.regions.len() + 3;
    let pooled = |repeat: &[HeldOut]| {
        let auc = |model: usize| {
            let mut pooled = vec![None; rows.len()];
            for (held, scores) in repeat {
                // A repeat that lacks a fold has no AUC: that of the other folds would be one of fewer patients.
                held.iter().zip(&scores.as_ref()?[model]).for_each(|(&i, p)| pooled[i] = *p);
            }
            auc_of(&event, &pooled)
        };
        (0..n_models).map(auc).collect()
    };
    Ok(parts.chunks(n_folds).map(pooled).collect())
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
        let aucs =
            || nested(&shuffled, train, protocol, seed.nth(at), 1, &job.silent()).map_err(|cause| cause.to_string());
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
        let drawn = draw(&cohort.codes, &cohort.event, protocol.learn.train_fraction, seed.nth(at));
        let (train, test): (Vec<usize>, Vec<usize>) = (0..drawn.len()).partition(|&row| drawn[row]);
        let aucs = || {
            let protocol = with_folds_for(cohort, &train, protocol);
            let Ok(recipe) = learn(cohort, &train, &protocol, seed.nth(at), &job.silent()) else { return Vec::new() };
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
