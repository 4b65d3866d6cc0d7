//! Learners beside the forest: elastic-net logistic regression and a linear support vector machine, from the same training
//! rows, folds and region.

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use crate::pipeline::cohort::{Cohort, Features, TooFew};
use crate::pipeline::harmonise::Maps;
use crate::pipeline::region::RegionModel;
use crate::protocol::Protocol;
use crate::protocol::learn::Learner;
use osteon_base::seed::Seed;
use osteon_stats::evaluate::roc;
use osteon_stats::model::platt::Platt;
use osteon_stats::model::svm::LinearSvm;
use osteon_stats::select::lasso::{LassoError, Tried, elastic_net};
use osteon_stats::select::scale::Scaling;

/// A linear score of z-scores, and how it becomes a probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearModel {
    pub learner: Learner,
    pub region: String,
    /// Training rows that have the region.
    pub n_rows: usize,
    pub n_events: usize,
    /// Features with a weight, largest first, with means, SDs and weights of their z-scores.
    pub features: Vec<String>,
    pub scaling: Scaling,
    pub weights: Vec<f64>,
    pub intercept: f64,
    /// Of decision values; `None` where the score is a log odds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platt: Option<Platt>,
    pub tuning: Tuning,
    /// How the features are harmonized, as in the region that they come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maps: Option<Maps>,
}

/// How the settings were chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tuning {
    /// By cross-validated deviance.
    ElasticNet { mixing: f64, lambda: f64, tried: Vec<Tried> },
    /// By the mean AUC over folds; `gap` is the duality gap of the fit.
    Svm { cost: f64, tried: Vec<(f64, f64)>, n_support: usize, gap: f64 },
}

/// Why a learner has no model: data, kept and shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum LearnerTrouble {
    #[error("the region that gives the Rad-score has no model to take features from")]
    NoRegion,
    #[error(transparent)]
    TooFew(#[from] TooFew),
    #[error(transparent)]
    Lasso(#[from] LassoError),
    #[error("the training rows are of one class")]
    OneClass,
    #[error("the support vector machine did not converge at the cost {0}")]
    NotConverged(f64),
}

/// One learner and what its training patients get.
#[derive(Clone, Debug, PartialEq)]
pub struct LearntLearner {
    pub learner: Learner,
    pub region: String,
    pub model: Result<LinearModel, LearnerTrouble>,
    /// One a training row: probability under a model learnt on the other folds; empty where nobody asked for them.
    pub out_of_fold: Vec<Option<f64>>,
}

/// Learns from `rows` alone, with the features that `region` selected on the same rows. `seed` is the one that the region
/// was learnt with: the folds of its LASSO and its forest are used again.
///
/// # Errors
/// When the rows are too few for folds, of one class, or nothing varies.
pub fn learn(
    cohort: &Cohort,
    features: &Features,
    region: &RegionModel,
    rows: &[usize],
    learner: Learner,
    protocol: &Protocol,
    seed: Seed,
) -> Result<LinearModel, LearnerTrouble> {
    let seed = seed.named(&features.region);
    let rows: Vec<usize> = rows.iter().copied().filter(|&row| features.rows[row].is_some()).collect();
    let names = if learner == Learner::ElasticNet { &region.shortlist } else { &region.features };
    let columns = features.places(names).ok_or(LearnerTrouble::NoRegion)?;
    let x = features.matrix_under(&rows, &columns, region.maps(names).as_ref());
    let scaling = Scaling::of(x.view());
    let z = scaling.apply(x.view());
    let event = cohort.events(&rows);
    let fitted = match learner {
        Learner::ElasticNet => {
            let folds = cohort.folds_at_most(&rows, protocol.select.lasso.n_folds, seed.named("lasso folds"))?;
            of_elastic_net(&z, &event, &folds, protocol)?
        }
        Learner::Forest | Learner::Svm => {
            let folds = cohort.folds_at_most(&rows, protocol.forest.n_folds, seed.named("tuning folds"))?;
            of_svm(&z, &event, &folds, &protocol.learn.svm_cost)?
        }
    };
    let mut order: Vec<usize> = (0..names.len()).filter(|&at| fitted.weights[at] != 0.0).collect();
    order.sort_by(|&a, &b| fitted.weights[b].abs().total_cmp(&fitted.weights[a].abs()));
    let of = |values: &[f64]| order.iter().map(|&at| values[at]).collect::<Vec<f64>>();
    let chosen: Vec<String> = order.iter().map(|&at| names[at].clone()).collect();
    Ok(LinearModel {
        maps: region.maps(&chosen),
        learner,
        region: features.region.clone(),
        n_rows: rows.len(),
        n_events: event.iter().filter(|&&event| event).count(),
        features: chosen,
        scaling: Scaling { means: of(&scaling.means), sds: of(&scaling.sds) },
        weights: of(&fitted.weights),
        intercept: fitted.intercept,
        platt: fitted.platt,
        tuning: fitted.tuning,
    })
}

struct Fitted {
    weights: Vec<f64>,
    intercept: f64,
    platt: Option<Platt>,
    tuning: Tuning,
}

fn of_elastic_net(
    z: &Array2<f64>,
    event: &[bool],
    folds: &[usize],
    protocol: &Protocol,
) -> Result<Fitted, LearnerTrouble> {
    let y: Vec<f64> = event.iter().map(|&event| f64::from(event)).collect();
    let fit = elastic_net(z.view(), &y, folds, &protocol.learn.elastic_net_alpha, &protocol.select.lasso)?;
    let mut weights = vec![0.0; z.ncols()];
    fit.lasso.weights().iter().for_each(|&(at, weight)| weights[at] = weight);
    Ok(Fitted {
        weights,
        intercept: fit.lasso.path.intercepts[fit.lasso.chosen],
        platt: None,
        tuning: Tuning::ElasticNet { mixing: fit.mixing, lambda: fit.lasso.lambda(), tried: fit.tried },
    })
}

fn of_svm(z: &Array2<f64>, event: &[bool], folds: &[usize], costs: &[f64]) -> Result<Fitted, LearnerTrouble> {
    let fit = |rows: &[usize], cost: f64| {
        let y: Vec<bool> = rows.iter().map(|&row| event[row]).collect();
        let fit = LinearSvm::fit(z.select(Axis(0), rows).view(), &y, cost).ok_or(LearnerTrouble::OneClass)?;
        if fit.converged { Ok(fit) } else { Err(LearnerTrouble::NotConverged(cost)) }
    };
    let n_folds = folds.iter().max().map_or(0, |last| last + 1);
    let mut best: Option<(usize, f64, Vec<f64>)> = None;
    let mut tried = Vec::new();
    for (at, &cost) in costs.iter().enumerate() {
        let (mut decisions, mut mean) = (vec![0.0; event.len()], 0.0);
        for fold in 0..n_folds {
            let (held, learnt): (Vec<usize>, Vec<usize>) = (0..event.len()).partition(|&row| folds[row] == fold);
            let model = fit(&learnt, cost)?;
            held.iter().for_each(|&row| decisions[row] = model.decision(z.row(row)));
            let of_held = |values: &dyn Fn(usize) -> f64| held.iter().map(|&row| values(row)).collect::<Vec<f64>>();
            let y: Vec<bool> = held.iter().map(|&row| event[row]).collect();
            mean += roc::auc(&of_held(&|row| decisions[row]), &y).map_or(0.5, |auc| auc.auc) / n_folds as f64;
        }
        tried.push((cost, mean));
        if best.as_ref().is_none_or(|(_, most, _)| mean > *most) {
            best = Some((at, mean, decisions));
        }
    }
    let (at, _, decisions) = best.ok_or(LearnerTrouble::OneClass)?;
    let model = fit(&(0..event.len()).collect::<Vec<_>>(), costs[at])?;
    Ok(Fitted {
        weights: model.weights,
        intercept: model.intercept,
        platt: Some(Platt::fit(&decisions, event)),
        tuning: Tuning::Svm { cost: model.cost, tried, n_support: model.n_support, gap: model.gap },
    })
}

impl LinearModel {
    /// Probability and linear score of patients; `None` where the region failed or a feature is undefined.
    pub fn scores(&self, features: &Features, rows: &[usize]) -> Vec<Option<(f64, f64)>> {
        let Some(columns) = features.places(&self.features) else { return vec![None; rows.len()] };
        let score = |&row: &usize| {
            let values = features.values(row, &columns, self.maps.as_ref())?;
            let mut linear = self.intercept;
            for (k, &value) in values.iter().enumerate() {
                linear += self.weights[k] * self.scaling.z(k, value);
            }
            Some((self.probability(linear), linear))
        };
        rows.iter().map(score).collect()
    }

    fn probability(&self, linear: f64) -> f64 {
        self.platt.map_or_else(|| 1.0 / (1.0 + (-linear).exp()), |platt| platt.probability(linear))
    }

    /// `alpha 0.5, lambda 0.0312` or `cost 0.1, 41 support vectors`.
    pub fn setting_in_words(&self) -> String {
        match &self.tuning {
            Tuning::ElasticNet { mixing, lambda, .. } => format!("alpha {mixing}, lambda {lambda:.4}"),
            Tuning::Svm { cost, n_support, .. } => format!("cost {cost}, {n_support} support vectors"),
        }
    }
}
