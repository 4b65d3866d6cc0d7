//! LASSO-Cox against glmnet, survival forests against ranger, decision curves at a time against their formula over
//! survfit: synthetic data of `fixtures/survival` in every run, public data sets where R is there and `OSTEON_PEERS=1`.

use crate::survival::public_data_sets;

use ndarray::Array2;
use osteon_base::seed::Seed;
use osteon_stats::model::forest::MaxFeatures;
use osteon_stats::select::lasso::{Columns, cox};
use osteon_stats::survival::concordance::{PairWeight, concordance};
use osteon_stats::survival::decision::net_benefits;
use osteon_stats::survival::follow_up::FollowUp;
use osteon_stats::survival::forest::{Params, SurvivalForest};
use osteon_testing::{Comparison, fixture, gunzip};
use serde_json::Value;

/// glmnet stops where the weighted squared change of coefficients is below 1e-18 of the null deviance.
const PATH: (f64, f64) = (1e-7, 1e-7);

#[test]
fn synthetic_data_give_the_paths_of_glmnet_the_forests_of_ranger_and_the_decision_curves_of_the_formula() {
    let sets: Value = serde_json::from_slice(&gunzip(&fixture("survival/lasso.json.gz"))).unwrap();
    let mut comparison = Comparison::default();
    sets.as_array().unwrap().iter().for_each(|set| compare(set, &mut comparison));
    comparison.finish(1900);
}

#[test]
fn public_data_sets_give_the_same() {
    let Some(sets) = public_data_sets("survival/lasso.R") else { return };
    let mut comparison = Comparison::default();
    sets.as_array().unwrap().iter().for_each(|set| compare(set, &mut comparison));
    assert!(sets.as_array().unwrap().len() >= 6);
    comparison.finish(4000);
}

fn compare(set: &Value, comparison: &mut Comparison) {
    let name = set["name"].as_str().unwrap();
    let rows: Vec<Vec<f64>> = set["data"]["x"].as_array().unwrap().iter().map(numbers).collect();
    let x = Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j]);
    let event = numbers(&set["data"]["event"]).iter().map(|event| *event == 1.0).collect();
    let follow_up = FollowUp::right_censored(numbers(&set["data"]["time"]), event).unwrap();
    let lambda = numbers(&set["lambda"]);
    let largest = cox::lambdas(x.view(), &follow_up, Columns::Standardised, 2, 0.5)[0];
    comparison.close(format!("{name} largest lambda"), largest, set["largest"].as_f64().unwrap(), 1e-10, 0.0);
    for (key, columns) in [("beta", Columns::Standardised), ("raw", Columns::AsGiven)] {
        let path = cox::path(x.view(), &follow_up, columns, &lambda);
        for (at, theirs) in set[key].as_array().unwrap().iter().enumerate() {
            let mut own = vec![0.0; x.ncols()];
            path.coefficients[at].iter().for_each(|&(j, b)| own[j] = b);
            for (j, (own, theirs)) in own.iter().zip(numbers(theirs)).enumerate() {
                comparison.close(format!("{name} {key} {at} column {j}"), *own, theirs, PATH.0, PATH.1);
            }
        }
    }
    let folds: Vec<usize> = numbers(&set["fold"]).iter().map(|fold| *fold as usize).collect();
    let fitted = cox::fit_at(x.view(), &follow_up, &folds, Columns::Standardised, &lambda).unwrap();
    let errors =
        fitted.errors.iter().zip(numbers(&set["cvm"])).zip(fitted.standard_errors.iter().zip(numbers(&set["cvsd"])));
    for (at, ((own, theirs), (own_se, their_se))) in errors.enumerate() {
        comparison.close(format!("{name} cross-validated error {at}"), *own, theirs, 1e-7, 0.0);
        comparison.close(format!("{name} its standard error {at}"), *own_se, their_se, 1e-6, 0.0);
    }
    comparison.close(format!("{name} at min"), fitted.at_min as f64, set["at_min"].as_f64().unwrap(), 0.0, 0.0);
    comparison.close(format!("{name} at 1se"), fitted.at_one_se as f64, set["at_1se"].as_f64().unwrap(), 0.0, 0.0);
    let deviance = cox::deviance(&follow_up, &numbers(&set["eta"]));
    comparison.close(format!("{name} deviance"), deviance, set["deviance"].as_f64().unwrap(), 1e-10, 0.0);
    forests(name, set, &x, &follow_up, comparison);
    decision(name, &set["decision"], &follow_up, comparison);
}

/// Means of C of out-of-bag rows over seeds differ by less than four standard errors of their difference, and by no
/// more than 0.005 beyond that: which rows a tree draws and how it breaks ties is each program's own.
fn forests(name: &str, set: &Value, x: &Array2<f64>, follow_up: &FollowUp, comparison: &mut Comparison) {
    let used = x.slice(ndarray::s![.., ..set["n_forest"].as_u64().unwrap() as usize]);
    let theirs = numbers(&set["forest"]);
    let params = Params { n_trees: 100, max_depth: 0, min_samples_leaf: 6, max_features: MaxFeatures::Sqrt };
    let of_seed = |seed: usize| {
        let forest = SurvivalForest::fit(used, follow_up, &params, Seed(seed as u64));
        let scores = forest.out_of_bag(used, Seed(seed as u64));
        let rows: Vec<usize> = (0..scores.len()).filter(|&row| scores[row].is_some()).collect();
        let risk: Vec<f64> = rows.iter().filter_map(|&row| scores[row]).collect();
        concordance(&follow_up.select(&rows).unwrap(), &risk, PairWeight::Harrell).unwrap().c
    };
    let own: Vec<f64> = (0..theirs.len().min(12)).map(of_seed).collect();
    let moments = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64;
        (mean, variance / values.len() as f64)
    };
    let ((own, own_variance), (theirs, their_variance)) = (moments(&own), moments(&theirs));
    let bound = 4.0 * (own_variance + their_variance).sqrt() + 0.005;
    comparison.close(format!("{name} forest"), own, theirs, 0.0, bound);
}

fn decision(name: &str, theirs: &Value, follow_up: &FollowUp, comparison: &mut Comparison) {
    let (at, thresholds) = (theirs["at"].as_f64().unwrap(), numbers(&theirs["thresholds"]));
    let last = numbers(&theirs["last"]);
    let own = net_benefits(follow_up, &numbers(&theirs["risk"]), at, &thresholds);
    for (k, (model, all)) in numbers(&theirs["model"]).into_iter().zip(numbers(&theirs["all"])).enumerate() {
        let name = format!("{name} net benefit {}", thresholds[k]);
        comparison.close(&name, own[k].all, all, 1e-10, 1e-12);
        match own[k].model {
            Some(own) => comparison.close(&name, own, model, 1e-10, 1e-12),
            None => assert!(last[k] < at, "{name}: nobody was followed to {at}"),
        }
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    let number = |value: &Value| value.as_f64().unwrap_or(f64::INFINITY);
    value.as_array().unwrap().iter().map(number).collect()
}
