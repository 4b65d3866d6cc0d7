//! Shapley values against brute-force enumeration (Python, float64), to 1e-10.

use ndarray::{Array2, Axis};
use osteon_stats::model::forest::Forest;
use osteon_stats::model::shap;
use serde_json::Value;

use osteon_testing::{Comparison, json, shared};

fn row(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(row).collect();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

fn close(off: &mut Comparison, name: &str, ours: &[f64], theirs: &[f64]) {
    for (j, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        off.close(format!("{name} feature {j}"), *ours, *theirs, 0.0, 1e-10);
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn shapley_values_of_forests_are_exact() {
    let mut off = Comparison::default();
    for name in ["breast6", "breast3_deep"] {
        let Some(path) = shared(&format!("reference/statistics/shap/shap_forest_{name}.json")) else { return };
        let reference = json(&path);
        let text = shared(&format!("reference/statistics/shap/forest_{name}.json")).unwrap();
        let forest = Forest::from_json(&std::fs::read_to_string(text).unwrap()).unwrap();
        let (x, background) = (matrix(&reference["explained"]), matrix(&reference["background"]));
        let (path, inter) = (&reference["path_dependent"], &reference["interventional"]);
        let (path_values, inter_values) =
            (matrix(&path["shap_values_bruteforce"]), matrix(&inter["shap_values_bruteforce"]));
        for (i, x) in x.axis_iter(Axis(0)).enumerate() {
            let ours = shap::path_dependent(&forest, x);
            close(&mut off, &format!("{name} path row {i}"), &ours.values, &path_values.row(i).to_vec());
            off.close(format!("{name} path base"), ours.base, path["base_value"].as_f64().unwrap(), 0.0, 1e-10);
            off.close(
                format!("{name} sum"),
                ours.base + ours.values.iter().sum::<f64>(),
                forest.probability(x),
                0.0,
                1e-10,
            );
            let ours = shap::interventional(&forest, x, background.view());
            close(&mut off, &format!("{name} interventional row {i}"), &ours.values, &inter_values.row(i).to_vec());
            off.close(format!("{name} base"), ours.base, inter["base_value_exact"].as_f64().unwrap(), 0.0, 1e-10);
            off.close(
                format!("{name} p {i}"),
                forest.probability(x),
                reference["prediction"][i].as_f64().unwrap(),
                0.0,
                1e-12,
            );
        }
    }
    off.finish(41 * 16 + 21 * 10);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn shapley_values_of_a_logistic_model_are_exact() {
    let mut off = Comparison::default();
    let Some(path) = shared("reference/statistics/shap/shap_linear_cohort_combined_train.json") else { return };
    let train = matrix(&json(&path)["X"]);
    for set in ["train", "test"] {
        let path = shared(&format!("reference/statistics/shap/shap_linear_cohort_combined_{set}.json")).unwrap();
        let reference = json(&path);
        let names = row_names(&reference["features"]);
        let b: Vec<f64> = names.iter().map(|name| reference["coef"][name].as_f64().unwrap()).collect();
        let intercept = reference["intercept"].as_f64().unwrap();
        let (x, lo, pr) =
            (matrix(&reference["X"]), matrix(&reference["log_odds_shap"]), matrix(&reference["probability_shap"]));
        for (i, x) in x.axis_iter(Axis(0)).enumerate() {
            let ours = shap::linear(intercept, &b, x, train.view());
            close(&mut off, &format!("{set} log odds {i}"), &ours.values, &lo.row(i).to_vec());
            off.close("base", ours.base, reference["base_log_odds"].as_f64().unwrap(), 0.0, 1e-10);
            let ours = shap::logistic(intercept, &b, x, train.view());
            close(&mut off, &format!("{set} probability {i}"), &ours.values, &pr.row(i).to_vec());
            off.close("base probability", ours.base, reference["base_probability"].as_f64().unwrap(), 0.0, 1e-10);
        }
    }
    off.finish(93 * 8);
}

fn row_names(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}
