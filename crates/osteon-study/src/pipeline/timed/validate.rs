//! The chain of a time to event learnt again: Harrell's optimism and repeated nested cross-validation.

use serde::{Deserialize, Serialize};

use crate::pipeline::timed::Timed;
use crate::pipeline::timed::learn::{LearnError, Recipe, Score, Scores, learn};
use crate::pipeline::validate::Optimism;
use crate::protocol::Protocol;
use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_stats::evaluate::optimism::{self, Metrics};
use osteon_stats::survival::accuracy::{auc_at, brier_at};
use osteon_stats::survival::concordance::{PairWeight, concordance};
use osteon_stats::survival::follow_up::FollowUp;

/// What relearning says of one model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// One a metric of [`names`].
    pub optimism: Vec<Option<Optimism>>,
    /// Metrics of the pooled held-out scores, one list a repeat.
    pub nested: Vec<Metrics>,
    /// Bootstrap samples that were drawn, and from which something was learnt.
    pub samples: usize,
    pub used: usize,
}

/// Names of the metrics: C, then AUC and Brier score at each horizon.
pub fn names(horizons: &[f64]) -> Vec<String> {
    let at = |what: &'static str| horizons.iter().map(move |time| format!("{what} at {time}"));
    std::iter::once("Harrell's C".to_owned()).chain(at("AUC")).chain(at("Brier score")).collect()
}

/// The metrics of scores, over the rows that have one.
pub fn metrics(follow_up: &FollowUp, scores: &[Option<Score>], horizons: &[f64]) -> Metrics {
    let rows: Vec<usize> = (0..scores.len()).filter(|&row| scores[row].is_some()).collect();
    let Some(part) = follow_up.select(&rows) else { return vec![None; 1 + 2 * horizons.len()] };
    let known: Vec<&Score> = scores.iter().flatten().collect();
    let risk: Vec<f64> = known.iter().map(|score| score.risk).collect();
    let survival = |at: usize| -> Option<Vec<f64>> { Some(known.iter().map(|score| score.survival[at]).collect()) };
    let c = concordance(&part, &risk, PairWeight::Harrell).map(|found| found.c);
    let survival: Vec<Option<Vec<f64>>> = (0..horizons.len()).map(survival).collect();
    let (auc, brier) = metrics_of(&part, &risk, &survival, horizons);
    std::iter::once(c).chain(auc).chain(brier).collect()
}

/// AUC and Brier score at each horizon; where survival is not known, the AUC of `risk` and no Brier score.
pub fn metrics_of(
    follow_up: &FollowUp,
    risk: &[f64],
    survival: &[Option<Vec<f64>>],
    horizons: &[f64],
) -> (Metrics, Metrics) {
    let one = |(survival, &time): (&Option<Vec<f64>>, &f64)| {
        let event: Option<Vec<f64>> = survival.as_ref().map(|all| all.iter().map(|survival| 1.0 - survival).collect());
        let brier = survival.as_ref().and_then(|own| brier_at(follow_up, own, time));
        (auc_at(follow_up, event.as_deref().unwrap_or(risk), time), brier)
    };
    survival.iter().zip(horizons).map(one).unzip()
}

/// Validates the chain that gave `recipe`, from its training rows alone; one entry a model in the order of its names.
pub fn validate(
    timed: &Timed,
    recipe: &Recipe,
    protocol: &Protocol,
    seed: Seed,
    job: &Job,
) -> Result<Vec<Validation>, LearnError> {
    let (params, train, horizons) = (&protocol.learn, &recipe.train, &recipe.horizons);
    let n_models = recipe.names().len();
    let follow_up = timed.times_of(train);
    let all = |follow_up: &FollowUp, scores: &Scores| -> Metrics {
        scores.iter().flat_map(|(_, scores)| metrics(follow_up, scores, horizons)).collect()
    };
    let apparent = all(&follow_up, &recipe.scores(timed, train));
    let draws = optimism::resamples(train.len(), params.n_bootstraps, seed.named("bootstrap"));
    let samples: Vec<Vec<usize>> =
        draws.into_iter().map(|rows| rows.into_iter().map(|at| train[at]).collect()).collect();
    let used = std::sync::atomic::AtomicUsize::new(0);
    let relearn = |at: usize, rows: &[usize]| {
        let adapted = with_folds_for(timed, rows, protocol);
        let again = learn(timed, rows, horizons, &adapted, seed.named("relearn").nth(at), job).ok()?;
        used.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Some((all(&timed.times_of(rows), &again.scores(timed, rows)), all(&follow_up, &again.scores(timed, train))))
    };
    let stage = job.stage("bootstrap", samples.len());
    let corrected = optimism::correct(&apparent, &samples, relearn, &stage)?;
    let nested = (0..params.n_repeats)
        .map(|repeat| nested(timed, recipe, protocol, seed.named("nested").nth(repeat), job))
        .collect::<Result<Vec<Vec<Metrics>>, LearnError>>()?;
    let k = 1 + 2 * horizons.len();
    let one = |model: usize| Validation {
        optimism: corrected[model * k..(model + 1) * k].iter().map(|it| it.map(Optimism::from)).collect(),
        nested: nested.iter().map(|repeat| repeat[model].clone()).collect(),
        samples: samples.len(),
        used: used.load(std::sync::atomic::Ordering::Relaxed),
    };
    Ok((0..n_models).map(one).collect())
}

/// Metrics of each model's held-out scores of all folds together.
fn nested(
    timed: &Timed,
    recipe: &Recipe,
    protocol: &Protocol,
    seed: Seed,
    job: &Job,
) -> Result<Vec<Metrics>, LearnError> {
    let (train, horizons) = (&recipe.train, &recipe.horizons);
    let n_folds = protocol.learn.n_folds.min(timed.n_events(train));
    let folds = timed.folds(train, n_folds, seed.named("folds"))?;
    let n_models = recipe.names().len();
    let mut held: Vec<Vec<Option<Score>>> = vec![vec![None; train.len()]; n_models];
    let stage = job.stage("nested", n_folds);
    for fold in 0..n_folds {
        let rows: Vec<usize> = (0..train.len()).filter(|&at| folds[at] != fold).map(|at| train[at]).collect();
        let out: Vec<usize> = (0..train.len()).filter(|&at| folds[at] == fold).collect();
        let of: Vec<usize> = out.iter().map(|&at| train[at]).collect();
        let adapted = with_folds_for(timed, &rows, protocol);
        // A fold from which nothing can be learnt leaves its patients without a score.
        match learn(timed, &rows, horizons, &adapted, seed.named("fold").nth(fold), job) {
            Ok(again) => {
                for (model, (_, scores)) in again.scores(timed, &of).into_iter().enumerate() {
                    out.iter().zip(scores).for_each(|(&at, score)| held[model][at] = score);
                }
            }
            Err(LearnError::Cancelled(cause)) => return Err(cause.into()),
            Err(_) => (),
        }
        stage.step()?;
    }
    let follow_up = timed.times_of(train);
    Ok(held.iter().map(|scores| metrics(&follow_up, scores, horizons)).collect())
}

/// The protocol with as many outer folds as the events of a part of the patients allow.
fn with_folds_for(timed: &Timed, rows: &[usize], protocol: &Protocol) -> Protocol {
    let mut adapted = protocol.clone();
    adapted.learn.n_folds = adapted.learn.n_folds.min(timed.n_events(rows).max(2));
    adapted
}
