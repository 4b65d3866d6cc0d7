//! What tells of batch effects, against R.

use ndarray::Array2;
use osteon_stats::select::components::components;
use osteon_stats::stats::kruskal::kruskal_wallis;
use osteon_testing::{Comparison, fixture, json};

#[test]
fn kruskal_and_wallis_test_and_components_are_those_of_r() {
    // R 4.2.2 by fixtures/statistics/batch_effect.R.
    let found = json(&fixture("statistics/batch_effect.json"));
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let group: Vec<usize> = found["group"].as_array().unwrap().iter().map(|it| number(it) as usize).collect();
    let x = Array2::from_shape_fn((group.len(), 5), |(i, j)| number(&found["x"][i][j]));
    let mut comparison = Comparison::default();
    for j in 0..5 {
        let own = kruskal_wallis(&x.column(j).to_vec(), &group).unwrap();
        comparison.close(format!("H {j}"), own.h, number(&found["h"][j]), 1e-12, 1e-12);
        comparison.close(format!("P {j}"), own.p, number(&found["p"][j]), 1e-12, 1e-12);
    }
    let own = components(x.view(), 2).unwrap();
    for k in 0..2 {
        comparison.close(format!("share {k}"), own.shares[k], number(&found["shares"][k]), 1e-10, 1e-12);
        for (i, scores) in own.scores.iter().enumerate() {
            comparison.close(format!("score {i} {k}"), scores[k], number(&found["scores"][i][k]), 1e-9, 1e-10);
        }
    }
    comparison.finish(10 + 2 + 44);
    assert_eq!(kruskal_wallis(&[1.0, 1.0, 1.0], &[0, 0, 1]), None);
    assert_eq!(kruskal_wallis(&[1.0, 2.0], &[0, 0]), None);
    assert!(components(Array2::zeros((3, 2)).view(), 2).is_none());
}
