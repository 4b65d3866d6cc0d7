//! Learners beside the forest on public data: elastic net by glmnet 4.1.6 and Platt's sigmoid by R's `glm`
//! (`fixtures/statistics/learners.R`); support vector machines by scikit-learn 1.9.1, stability by NumPy (`learners.py`).

use ndarray::{Array2, Axis};
use osteon_stats::evaluate::stability::nogueira;
use osteon_stats::model::platt::Platt;
use osteon_stats::model::svm::LinearSvm;
use osteon_stats::select::lasso::{Params, elastic_net};
use osteon_stats::select::scale::Scaling;
use osteon_testing::{Comparison, Frame, fixture, json, shared};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// Features, outcome and folds (from 0) as the scripts have them.
fn data(name: &str) -> Option<(Array2<f64>, Vec<f64>, Vec<usize>)> {
    let frame = Frame::read(&shared(&format!("reference/statistics/data/{name}.csv"))?);
    if name == "breast_cancer" {
        let names: Vec<String> =
            frame.names.iter().filter(|name| !["id", "malignant"].contains(&name.as_str())).cloned().collect();
        let folds = Frame::read(&shared("reference/statistics/data/folds_breast_cancer.csv")?);
        let folds = folds.numbers("fold").iter().map(|fold| *fold as usize - 1).collect();
        return Some((frame.matrix(&names), frame.numbers("malignant"), folds));
    }
    let yes = |name: &str| frame.texts(name).iter().map(|text| f64::from(text == "yes")).collect::<Vec<f64>>();
    let columns = [frame.numbers("age"), frame.numbers("lwt"), yes("smoke"), yes("ht"), yes("ui")];
    let n = columns[0].len();
    let x = Array2::from_shape_fn((n, columns.len()), |(i, j)| columns[j][i]);
    Some((x, frame.numbers("low"), (0..n).map(|row| row % 5).collect()))
}

const SETS: [&str; 2] = ["breast_cancer", "birthwt"];
const MIXINGS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// Tolerances: coefficients 1e-6 of the largest (glmnet at `thresh = 1e-20` is itself within 2e-7 of the optimum),
/// cross-validated deviance and its standard error 1e-7.
#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn elastic_nets_from_ridge_to_lasso_are_those_of_glmnet() {
    let reference = json(&fixture("statistics/learners_r.json"));
    let mut off = Comparison::default();
    for name in SETS {
        let Some((x, y, folds)) = data(name) else { return };
        let params = Params { n_lambdas: 10, lambda_ratio: 0.01, ..Params::default() };
        let mut best: Option<(f64, f64)> = None;
        for mixing in MIXINGS {
            let theirs = &reference["elastic_net"][name][mixing.to_string()];
            let ours = elastic_net(x.view(), &y, &folds, &[mixing], &params).unwrap();
            let (lasso, tag) = (&ours.lasso, format!("{name} {mixing}"));
            let coefficients: Vec<Vec<f64>> = theirs["coefficients"].as_array().unwrap().iter().map(numbers).collect();
            for (k, lambda) in numbers(&theirs["lambda"]).into_iter().enumerate() {
                off.close(format!("{tag} lambda {k}"), lasso.path.lambdas[k], lambda, 1e-12, 0.0);
                let largest = coefficients[k].iter().fold(0.0, |most: f64, b| most.max(b.abs()));
                let mut own = vec![0.0; x.ncols()];
                lasso.path.coefficients[k].iter().for_each(|&(j, b)| own[j] = b);
                for (j, (own, theirs)) in own.into_iter().zip(&coefficients[k]).enumerate() {
                    off.close(format!("{tag} coefficient {k} {j}"), own, *theirs, 0.0, 1e-6 * largest + 1e-9);
                }
                off.close(
                    format!("{tag} intercept {k}"),
                    lasso.path.intercepts[k],
                    numbers(&theirs["intercept"])[k],
                    1e-6,
                    0.0,
                );
                off.close(format!("{tag} cvm {k}"), lasso.errors[k], numbers(&theirs["cvm"])[k], 1e-7, 0.0);
                off.close(format!("{tag} cvsd {k}"), lasso.standard_errors[k], numbers(&theirs["cvsd"])[k], 1e-6, 0.0);
            }
            off.same(format!("{tag} min"), lasso.at_min + 1, theirs["at_min"].as_u64().unwrap() as usize);
            off.same(format!("{tag} 1se"), lasso.at_one_se + 1, theirs["at_1se"].as_u64().unwrap() as usize);
            let deviance = numbers(&theirs["cvm"])[lasso.at_min];
            if best.is_none_or(|(_, least)| deviance < least) {
                best = Some((mixing, deviance));
            }
        }
        let chosen = elastic_net(x.view(), &y, &folds, &MIXINGS, &params).unwrap();
        off.same(format!("{name} mixing"), chosen.mixing, best.unwrap().0);
    }
    off.finish(2000);
}

/// LIBSVM keeps its kernel in single precision and stops at 1e-6: weights to 1e-5 of the largest and 1e-6, intercepts to
/// 1e-6. Ours is no worse than its objective, and proves itself: what primal and dual differ by is rounding (`gap`).
#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn linear_support_vector_machines_are_those_of_libsvm() {
    let reference = json(&fixture("statistics/learners_py.json"));
    let mut off = Comparison::default();
    for name in SETS {
        let Some((x, y, _)) = data(name) else { return };
        let event: Vec<bool> = y.iter().map(|y| *y == 1.0).collect();
        let z = Scaling::of(x.view()).apply(x.view());
        for theirs in reference["svm"][name].as_array().unwrap() {
            let cost = theirs["cost"].as_f64().unwrap();
            let ours = LinearSvm::fit(z.view(), &event, cost).unwrap();
            let tag = format!("{name} {cost}");
            off.same(format!("{tag} converged"), ours.converged, true);
            let weights = numbers(&theirs["weights"]);
            let largest = weights.iter().fold(0.0, |most: f64, w| most.max(w.abs()));
            for (k, (own, theirs)) in ours.weights.iter().zip(&weights).enumerate() {
                off.close(format!("{tag} weight {k}"), *own, *theirs, 0.0, 1e-5 * largest + 1e-6);
            }
            off.close(format!("{tag} intercept"), ours.intercept, theirs["intercept"].as_f64().unwrap(), 0.0, 1e-6);
            let hinge: f64 = z
                .axis_iter(Axis(0))
                .zip(&event)
                .map(|(row, &event)| (1.0 - if event { 1.0 } else { -1.0 } * ours.decision(row)).max(0.0))
                .sum();
            let objective = 0.5 * ours.weights.iter().map(|w| w * w).sum::<f64>() + cost * hinge;
            let least = theirs["objective"].as_f64().unwrap();
            if objective > least * (1.0 + 1e-9) {
                off.miss(format!("{tag} objective {objective}, LIBSVM has {least}"));
            }
            off.close(format!("{tag} gap"), ours.gap, 0.0, 0.0, 1e-9 * objective);
        }
    }
    off.finish(100);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_sigmoid_is_that_of_a_logistic_regression_on_platts_targets() {
    let reference = json(&fixture("statistics/learners_r.json"));
    let Some((x, y, _)) = data("birthwt") else { return };
    let f: Vec<f64> = x.column(1).iter().map(|lwt| lwt / 30.0 - 4.0).collect();
    let event: Vec<bool> = y.iter().map(|y| *y == 1.0).collect();
    let ours = Platt::fit(&f, &event);
    let mut off = Comparison::default();
    off.close("a", ours.a, reference["platt"]["a"].as_f64().unwrap(), 1e-9, 0.0);
    off.close("b", ours.b, reference["platt"]["b"].as_f64().unwrap(), 1e-9, 0.0);
    off.finish(2);
    // Separated values have a finite sigmoid.
    let apart = Platt::fit(&[-3.0, -2.0, 2.0, 3.0], &[false, false, true, true]);
    assert!(apart.a < 0.0 && apart.a.is_finite(), "{apart:?}");
}

#[test]
fn stability_is_that_of_its_definition() {
    let reference = json(&fixture("statistics/learners_py.json"));
    let theirs = &reference["stability"];
    let counts: Vec<usize> = numbers(&theirs["counts"]).iter().map(|n| *n as usize).collect();
    let mut off = Comparison::default();
    let counts = |of: f64| &counts[..of as usize];
    for (of, value) in numbers(&theirs["of"]).into_iter().zip(numbers(&theirs["value"])) {
        let ours = nogueira(counts(of), theirs["samples"].as_u64().unwrap() as usize, of as usize).unwrap();
        off.close(format!("of {of}"), ours, value, 1e-12, 0.0);
    }
    off.finish(2);
    assert_eq!(nogueira(&[5, 5], 5, 9), Some(1.0));
    assert_eq!(nogueira(&[], 5, 9), None);
}
