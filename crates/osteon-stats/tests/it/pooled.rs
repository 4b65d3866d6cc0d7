//! Random-effects pooling against metafor.

use osteon_stats::evaluate::pooled::{Between, random_effects};
use osteon_testing::{Comparison, fixture, json};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|it| it.as_f64().unwrap()).collect()
}

#[test]
fn pooling_is_that_of_metafor() {
    // metafor 3.8-1 (R 4.2.2) by fixtures/statistics/pooled.R.
    let found = json(&fixture("statistics/pooled.json"));
    let mut comparison = Comparison::default();
    for (at, set) in found.as_array().unwrap().iter().enumerate() {
        let (y, v) = (numbers(&set["y"]), numbers(&set["v"]));
        for run in set["runs"].as_array().unwrap() {
            let between = if run["method"] == "REML" { Between::Reml } else { Between::DerSimonianLaird };
            let own = random_effects(&y, &v, between).unwrap();
            let band = own.predicted.unwrap();
            for (name, own, theirs) in [
                ("estimate", own.estimate, &run["estimate"]),
                ("se", own.se, &run["se"]),
                ("low", own.interval[0], &run["low"]),
                ("high", own.interval[1], &run["high"]),
                ("tau2", own.tau2, &run["tau2"]),
                ("q", own.q, &run["q"]),
                ("i2", own.i2, &run["i2"]),
                ("predicted low", band[0], &run["predicted"][0]),
                ("predicted high", band[1], &run["predicted"][1]),
            ] {
                let name = format!("set {at}, {}: {name}", run["method"]);
                comparison.close(name, own, theirs.as_f64().unwrap(), 1e-8, 1e-8);
            }
        }
    }
    comparison.finish(7 * 2 * 9);
}

#[test]
fn what_cannot_be_pooled_is_none() {
    assert_eq!(random_effects(&[1.0], &[0.1], Between::Reml), None);
    assert_eq!(random_effects(&[1.0, 2.0], &[0.1, 0.0], Between::Reml), None);
    assert!(random_effects(&[1.0, 2.0], &[0.1, 0.2], Between::Reml).unwrap().predicted.is_none());
}
