//! ComBat against neuroCombat (Python), in training rows and in rows that came later.

use ndarray::Array2;
use osteon_stats::select::combat::{Combat, CombatError, Prior};
use osteon_testing::{Comparison, fixture, json};
use serde_json::Value;

fn matrix(value: &Value) -> Array2<f64> {
    let rows = value.as_array().unwrap();
    let cell = |i: usize, j: usize| rows[i][j].as_f64().unwrap();
    Array2::from_shape_fn((rows.len(), rows[0].as_array().unwrap().len()), |(i, j)| cell(i, j))
}

#[test]
fn combat_is_that_of_neurocombat() {
    // neuroCombat 0.2.12 by fixtures/statistics/combat.py.
    let found = json(&fixture("statistics/combat.json"));
    let names: Vec<String> = ["scanner A", "scanner B", "scanner C"].map(str::to_owned).to_vec();
    let place = |value: &Value| names.iter().position(|name| *value == **name).unwrap();
    let batch: Vec<usize> = found["batches"].as_array().unwrap().iter().map(place).collect();
    let x = matrix(&found["x"]);
    let later = matrix(&found["later"]);
    let age = Array2::from_shape_fn((x.nrows(), 1), |(row, _)| found["age"][row].as_f64().unwrap());
    let none = Array2::zeros((x.nrows(), 0));
    let mut comparison = Comparison::default();
    for run in found["runs"].as_array().unwrap() {
        let (covariate, parametric) = (run["covariate"] == true, run["parametric"] == true);
        let prior = if parametric { Prior::Parametric } else { Prior::NonParametric };
        let covariates = if covariate { age.view() } else { none.view() };
        let (combat, adjusted) = Combat::fit(x.view(), &names, &batch, covariates, prior).unwrap();
        let mut all = |what: &str, own: &dyn Fn(usize, usize) -> f64, theirs: &Value| {
            let theirs = matrix(theirs);
            for ((i, j), value) in theirs.indexed_iter() {
                let name = format!("{what} {i} {j}, covariate {covariate}, parametric {parametric}");
                comparison.close(name, own(i, j), *value, 1e-8, 1e-12);
            }
        };
        all("adjusted", &|i, j| adjusted[[i, j]], &run["data"]);
        all("gamma", &|i, j| combat.gamma[i][j], &run["gamma"]);
        all("delta", &|i, j| combat.delta[i][j], &run["delta"]);
        let after: Vec<Vec<f64>> = later
            .rows()
            .into_iter()
            .zip(found["later_batches"].as_array().unwrap())
            .map(|(row, name)| combat.apply(&row.to_vec(), combat.batch(name.as_str().unwrap()).unwrap()))
            .collect();
        all("later", &|i, j| after[i][j], &run["later"]);
        assert!(matches!(combat.batch("scanner D"), Err(CombatError::Unseen { .. })));
    }
    comparison.finish(4 * (42 * 9 + 2 * 27 + 54));
}

#[test]
fn a_batch_that_was_not_there_is_estimated_as_neurocombat_estimates_one() {
    // neuroCombat 0.2.12 by fixtures/statistics/combat_batch.py.
    let found = json(&fixture("statistics/combat_batch.json"));
    let names = ["A", "B"].map(str::to_owned).to_vec();
    let place = |value: &Value| names.iter().position(|name| *value == **name).unwrap();
    let batch: Vec<usize> = found["batches"].as_array().unwrap().iter().map(place).collect();
    let (x, new) = (matrix(&found["x"]), matrix(&found["new"]));
    let age = Array2::from_shape_fn((x.nrows(), 1), |(row, _)| found["age"][row].as_f64().unwrap());
    let none = Array2::zeros((x.nrows(), 0));
    let mut comparison = Comparison::default();
    for run in found["runs"].as_array().unwrap() {
        let prior = if run["parametric"] == true { Prior::Parametric } else { Prior::NonParametric };
        let covariates = if run["covariate"] == true { age.view() } else { none.view() };
        let (mut combat, _) = Combat::fit(x.view(), &names, &batch, covariates, prior).unwrap();
        let at = combat.adopt("C", new.view(), prior).unwrap();
        assert!(matches!(combat.adopt("A", new.view(), prior), Err(CombatError::Known { .. })));
        let after = matrix(&run["after"]);
        for j in 0..new.ncols() {
            let name = |what: &str| format!("{what} {j}, {}, {}", run["covariate"], run["parametric"]);
            comparison.close(name("gamma"), combat.gamma[at][j], run["gamma"][j].as_f64().unwrap(), 1e-8, 1e-12);
            comparison.close(name("delta"), combat.delta[at][j], run["delta"][j].as_f64().unwrap(), 1e-8, 1e-12);
            let [intercept, slope] = combat.map(at, j);
            for (i, row) in new.rows().into_iter().enumerate() {
                let (own, by_map) = (combat.apply(&row.to_vec(), at)[j], intercept + slope * row[j]);
                comparison.close(name(&format!("row {i}")), own, after[[i, j]], 1e-8, 1e-12);
                comparison.close(name(&format!("row {i}, mapped")), by_map, after[[i, j]], 1e-8, 1e-12);
            }
        }
    }
    comparison.finish(4 * 7 * (2 + 2 * 11));
}

#[test]
fn what_cannot_be_harmonized_is_refused() {
    let x = Array2::from_shape_fn((6, 3), |(i, j)| (i * (j + 2) % 5) as f64);
    let names = |n: usize| (0..n).map(|at| format!("b{at}")).collect::<Vec<String>>();
    let none = Array2::zeros((6, 0));
    let fit = |names: &[String], batch: &[usize], covariates: &Array2<f64>| {
        Combat::fit(x.view(), names, batch, covariates.view(), Prior::Parametric).map(|_| ())
    };
    assert_eq!(fit(&names(1), &[0; 6], &none), Err(CombatError::OneBatch { found: 1 }));
    let small = fit(&names(2), &[0, 0, 0, 0, 0, 1], &none);
    assert!(matches!(small, Err(CombatError::Small { rows: 1, .. })), "{small:?}");
    let same = Array2::from_shape_fn((6, 1), |(i, _)| f64::from(u8::from(i > 2)));
    assert_eq!(fit(&names(2), &[0, 0, 0, 1, 1, 1], &same), Err(CombatError::Collinear));
}
