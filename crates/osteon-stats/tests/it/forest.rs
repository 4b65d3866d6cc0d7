//! The forest against scikit-learn 1.9.1: the same distribution of AUCs over seeds, not the same trees.

use ndarray::{Array2, Axis};
use osteon_base::seed::Seed;
use osteon_stats::model::forest::{
    ClassWeight, Forest, MaxFeatures, Params, Ranked, Setting, probabilities_of_settings,
};
use serde_json::Value;

use osteon_testing::{Comparison, Frame, json, shared};

struct Case {
    name: &'static str,
    x: Array2<f64>,
    event: Vec<bool>,
    fold: Vec<usize>,
    test: Vec<bool>,
    reference: Value,
}

fn cases() -> Option<[Case; 2]> {
    let case = |name, data: &str, folds: &str, outcome: &str, names: Option<Vec<String>>| {
        let frame = Frame::read(&shared(&format!("reference/statistics/data/{data}.csv"))?);
        let reference = json(&shared(&format!("reference/statistics/rf/rf_{name}.json"))?);
        let names = names.unwrap_or_else(|| frame.names[1..31].to_vec());
        let folds = Frame::read(&shared(&format!("reference/statistics/data/{folds}.csv"))?).numbers("fold");
        let test = (0..frame.rows.len()).map(|i| match name {
            "breast_cancer" => (frame.numbers("id")[i] as usize).is_multiple_of(5),
            _ => i.is_multiple_of(5),
        });
        Some(Case {
            name,
            x: frame.matrix(&names),
            event: frame.numbers(outcome).iter().map(|&y| y == 1.0).collect(),
            fold: folds.iter().map(|&fold| fold as usize).collect(),
            test: test.collect(),
            reference,
        })
    };
    let eight = json(&shared("reference/statistics/rf/radsim_8_features.json")?);
    let eight = eight.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    Some([
        case("radsim_60x8", "radsim_75x300", "folds_radsim_75x300", "y", Some(eight))?,
        case("breast_cancer", "breast_cancer", "folds_breast_cancer", "malignant", None)?,
    ])
}

fn pick<T: Clone>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&i| values[i].clone()).collect()
}

fn auc(event: &[bool], score: &[f64]) -> f64 {
    let (mut sum, mut pairs) = (0.0, 0.0);
    for i in (0..event.len()).filter(|&i| event[i]) {
        for j in (0..event.len()).filter(|&j| !event[j]) {
            sum += f64::from(score[i] > score[j]) + 0.5 * f64::from(score[i] == score[j]);
            pairs += 1.0;
        }
    }
    sum / pairs
}

fn brier(event: &[bool], p: &[f64]) -> f64 {
    event.iter().zip(p).map(|(&event, p)| (p - f64::from(event)).powi(2)).sum::<f64>() / p.len() as f64
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Z of the Mann-Whitney test, ties corrected.
fn mann_whitney_z(a: &[f64], b: &[f64]) -> f64 {
    let (n, m) = (a.len() as f64, b.len() as f64);
    let u: f64 =
        a.iter().flat_map(|a| b.iter().map(move |b| f64::from(a > b) + 0.5 * f64::from((a - b).abs() < 1e-12))).sum();
    let mut all = [a, b].concat();
    all.sort_by(f64::total_cmp);
    let ties: f64 =
        all.chunk_by(|a, b| (a - b).abs() < 1e-12).map(|tied| (tied.len() as f64).powi(3) - tied.len() as f64).sum();
    let total = n + m;
    let variance = n * m / 12.0 * ((total + 1.0) - ties / (total * (total - 1.0)));
    (u - n * m / 2.0) / variance.sqrt()
}

/// Two-sample Mann-Whitney test against the seeds of scikit-learn at p = 0.001 (|Z| < 3.29, 18 comparisons),
/// and our mean within 4 SD of theirs.
fn indistinguishable(off: &mut Comparison, name: String, ours: &[f64], theirs: &[f64]) {
    let sd = (theirs.iter().map(|v| (v - mean(theirs)).powi(2)).sum::<f64>() / (theirs.len() - 1) as f64).sqrt();
    let z = mann_whitney_z(ours, theirs);
    eprintln!("{name}: mean {:.4}, scikit-learn {:.4} (SD {sd:.4}), Mann-Whitney Z {z:.2}", mean(ours), mean(theirs));
    off.close(format!("{name} Z"), z, 0.0, 0.0, 3.29);
    off.close(format!("{name} mean"), mean(ours), mean(theirs), 0.0, 4.0 * sd);
}

fn of_runs(runs: &Value, key: &str) -> Vec<f64> {
    runs.as_array().unwrap().iter().map(|run| run[key].as_f64().unwrap()).collect()
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn a_fixed_forest_is_indistinguishable_from_scikit_learns() {
    let Some(cases) = cases() else { return };
    let mut off = Comparison::default();
    for case in cases {
        let (test, train): (Vec<usize>, Vec<usize>) = (0..case.event.len()).partition(|&i| case.test[i]);
        let (x, held) = (case.x.select(Axis(0), &train), case.x.select(Axis(0), &test));
        let (event, held_event) = (pick(&case.event, &train), pick(&case.event, &test));
        let rows = Ranked::new(x.view(), &event);
        let names = vec![String::new(); x.ncols()];
        let setting = Setting { n_trees: 200, max_depth: 0, min_samples_leaf: 1, max_features: MaxFeatures::Sqrt };
        let mut values = [const { Vec::new() }; 3];
        let mut importances = vec![0.0; x.ncols()];
        for seed in 0..40 {
            let forest = Forest::fit(&names, &rows, setting, ClassWeight::Equal, Seed(seed));
            let p = forest.probabilities(held.view());
            let oob: Vec<f64> = forest.out_of_bag(x.view(), Seed(seed)).into_iter().map(Option::unwrap).collect();
            for (list, value) in
                values.iter_mut().zip([auc(&held_event, &p), brier(&held_event, &p), auc(&event, &oob)])
            {
                list.push(value);
            }
            importances.iter_mut().zip(forest.importances()).for_each(|(sum, value)| *sum += value / 40.0);
        }
        for (key, ours) in ["test_auc", "test_brier", "oob_auc"].into_iter().zip(&values) {
            let name = format!("{} fixed {key}", case.name);
            indistinguishable(&mut off, name, ours, &of_runs(&case.reference["fixed_runs"], key));
        }
        let theirs = |key: &str| -> Vec<f64> {
            case.reference[key].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
        };
        for (j, (mean, sd)) in theirs("mean_importance").into_iter().zip(theirs("sd_importance")).enumerate() {
            off.close(format!("{} importance {j}", case.name), importances[j], mean, 0.0, sd);
        }
    }
    off.finish(50);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_grid_search_is_indistinguishable_from_scikit_learns() {
    let Some(cases) = cases() else { return };
    let mut off = Comparison::default();
    let grid =
        Params { n_trees: vec![50, 150], max_depth: vec![3, 0], min_samples_leaf: vec![1, 5], ..Params::default() };
    for case in cases {
        let (test, train): (Vec<usize>, Vec<usize>) = (0..case.event.len()).partition(|&i| case.test[i]);
        let settings = grid.settings();
        let mut values = [const { Vec::new() }; 5];
        for seed in (0..20).map(Seed) {
            let mut mean_auc = vec![0.0; settings.len()];
            let folds: std::collections::BTreeSet<usize> = train.iter().map(|&i| case.fold[i]).collect();
            for &fold in &folds {
                let (held, learnt): (Vec<usize>, Vec<usize>) = train.iter().partition(|&&i| case.fold[i] == fold);
                let (x, event) = (case.x.select(Axis(0), &learnt), pick(&case.event, &learnt));
                let (held_x, held_event) = (case.x.select(Axis(0), &held), pick(&case.event, &held));
                let rows = Ranked::new(x.view(), &event);
                let p = probabilities_of_settings(&rows, held_x.view(), &settings, ClassWeight::Equal, seed);
                mean_auc.iter_mut().zip(&p).for_each(|(sum, p)| *sum += auc(&held_event, p) / folds.len() as f64);
            }
            let best = (0..settings.len()).fold(0, |best, at| if mean_auc[at] > mean_auc[best] { at } else { best });
            let (x, event) = (case.x.select(Axis(0), &train), pick(&case.event, &train));
            let rows = Ranked::new(x.view(), &event);
            let names = vec![String::new(); x.ncols()];
            let forest = Forest::fit(&names, &rows, settings[best], ClassWeight::Equal, seed);
            let (held, held_event) = (case.x.select(Axis(0), &test), pick(&case.event, &test));
            let p = forest.probabilities(held.view());
            let oob: Vec<f64> = forest.out_of_bag(x.view(), seed).into_iter().map(Option::unwrap).collect();
            let found = [
                mean_auc[best],
                auc(&held_event, &p),
                brier(&held_event, &p),
                auc(&event, &forest.probabilities(x.view())),
                auc(&event, &oob),
            ];
            values.iter_mut().zip(found).for_each(|(list, value)| list.push(value));
        }
        for (key, ours) in ["cv_auc", "test_auc", "test_brier", "train_auc", "oob_auc"].into_iter().zip(&values) {
            indistinguishable(
                &mut off,
                format!("{} grid {key}", case.name),
                ours,
                &of_runs(&case.reference["runs"], key),
            );
        }
    }
    off.finish(20);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn a_forest_survives_json_and_a_broken_one_is_refused() {
    let Some(path) = shared("reference/statistics/shap/forest_breast6.json") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let forest = Forest::from_json(&text).unwrap();
    assert_eq!(Forest::from_json(&forest.to_json()).unwrap(), forest);
    let broken = |key: &str, value: Value| {
        let mut document: Value = serde_json::from_str(&text).unwrap();
        document["trees"][0][key][0] = value;
        Forest::from_json(&document.to_string()).is_err()
    };
    assert!(broken("children_left", 0.into()) && broken("feature", 99.into()) && broken("value", 2.into()));
}
