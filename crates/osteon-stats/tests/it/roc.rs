//! ROC, DeLong and bootstrap against R 4.2.2 with pROC 1.18.0: `roc/` of the statistics references.

use osteon_stats::evaluate::bootstrap::{self, AucOfRows};
use osteon_stats::evaluate::roc;
use osteon_stats::stats::describe::{mean, sd};
use osteon_stats::stats::proportion::{clopper_pearson, wilson};
use osteon_stats::table::event::Event;
use osteon_stats::table::{Table, read};
use serde_json::Value;

use osteon_testing::{Comparison, shared};

/// Reference, file, event.
const SETS: [(&str, &str, &str); 4] = [
    ("cohort", "cohort_radscore", "non_pgr=1"),
    ("aSAH", "aSAH", "outcome=Poor"),
    ("birthwt", "scores_birthwt", "low=1"),
    ("breast_cancer", "breast_cancer", "malignant=1"),
];

fn table(set: &str) -> Option<Table> {
    let bytes = std::fs::read(shared(&format!("reference/statistics/data/{set}.csv"))?).unwrap();
    Some(read::csv(&bytes, &[]).unwrap().table)
}

fn json(path: &str) -> Option<Value> {
    let text = std::fs::read_to_string(shared(&format!("reference/statistics/roc/{path}"))?).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// Complete rows of one stratum: the event and each score.
fn rows(table: &Table, stratum: &str, event: &str, scores: &[&str]) -> Option<(Vec<bool>, Vec<Vec<f64>>)> {
    let event = event.parse::<Event>().unwrap().of(table).unwrap();
    let inside = match stratum {
        "all" => vec![Some(true); event.len()],
        stratum => format!("split={stratum}").parse::<Event>().unwrap().of(table).unwrap(),
    };
    let name = |score: &&str| if *score == "wfns_num" { "wfns".to_owned() } else { (*score).to_owned() };
    let values: Option<Vec<&[Option<f64>]>> = scores.iter().map(|score| table.numbers(&name(score)).ok()).collect();
    let values = values?;
    let kept = |row: &usize| {
        inside[*row] == Some(true) && event[*row].is_some() && values.iter().all(|values| values[*row].is_some())
    };
    let kept: Vec<usize> = (0..event.len()).filter(kept).collect();
    let column = |values: &&[Option<f64>]| kept.iter().filter_map(|&row| values[row]).collect();
    Some((kept.iter().filter_map(|&row| event[row]).collect(), values.iter().map(column).collect()))
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn areas_cut_offs_and_pairs_are_those_of_proc() {
    let mut comparison = Comparison::default();
    for (set, file, event) in SETS {
        let (Some(table), Some(reference)) = (table(file), json(&format!("roc_{set}.json"))) else { return };
        for (key, expected) in reference["scores"].as_object().unwrap() {
            let (stratum, score) = key.split_once('/').unwrap();
            let Some((event, scores)) = rows(&table, stratum, event, &[score]) else { continue };
            check_score(&mut comparison, &format!("{set} {key}"), &scores[0], &event, expected);
        }
        for (key, expected) in reference["paired"].as_object().unwrap() {
            let parts: Vec<&str> = key.split('/').collect();
            let Some((event, scores)) = rows(&table, parts[0], event, &parts[1..]) else { continue };
            let areas: Vec<_> = scores.iter().map(|scores| roc::auc(scores, &event).unwrap()).collect();
            let test = roc::paired(&areas[0], &areas[1]).unwrap();
            let mut close = |what: &str, ours: Option<f64>, relative: f64| {
                let Some(theirs) = expected[what].as_f64() else { return };
                comparison.close(format!("{set} {key} {what}"), ours.unwrap_or(f64::NAN), theirs, relative, 1e-12);
            };
            close("diff", Some(test.difference), 1e-10);
            close("se_diff", Some(test.se), 1e-10);
            close("z", test.z, 1e-10);
            close("p", test.p, 1e-9);
        }
    }
    comparison.finish(1500);
}

fn check_score(comparison: &mut Comparison, name: &str, scores: &[f64], event: &[bool], expected: &Value) {
    let area = roc::auc(scores, event).unwrap();
    let mut close = |what: &str, ours: Option<f64>, theirs: &Value, relative: f64| {
        let Some(theirs) = theirs.as_f64() else { return };
        comparison.close(format!("{name} {what}"), ours.unwrap_or(f64::NAN), theirs, relative, 1e-13);
    };
    close("auc", Some(area.auc), &expected["auc"], 1e-10);
    close("variance", area.variance(), &expected["delong_var"], 1e-10);
    close("hanley", Some(area.hanley_mcneil_se()), &expected["hanley_mcneil_se"], 1e-10);
    for side in 0..2 {
        close("ci", area.ci().map(|ci| ci[side]), &expected["delong_ci_pROC_clipped"][side], 1e-10);
        close("logit ci", area.ci_logit().map(|ci| ci[side]), &expected["delong_ci_logit"][side], 1e-10);
    }
    let points = roc::curve(scores, event);
    let best = roc::youden(&points).unwrap();
    let first = &expected["youden_all_ties"][0];
    close("youden threshold", Some(best.threshold), &first["threshold_midpoint"], 1e-10);
    close("youden sensitivity", Some(best.sensitivity), &first["sensitivity"], 1e-10);
    close("youden specificity", Some(best.specificity), &first["specificity"], 1e-10);
    for (key, threshold) in [("metrics_at_0.5", 0.5), ("metrics_at_youden_first", best.threshold)] {
        let expected = &expected[key];
        if expected.is_null() {
            continue;
        }
        let confusion = roc::confusion(scores, event, threshold);
        let measures = [
            ("TP", Some(confusion.tp as f64)),
            ("FP", Some(confusion.fp as f64)),
            ("accuracy", confusion.accuracy()),
            ("sensitivity", confusion.sensitivity()),
            ("specificity", confusion.specificity()),
            ("precision", confusion.precision()),
            ("npv", confusion.npv()),
            ("f1", confusion.f1()),
            ("balanced_accuracy", confusion.balanced_accuracy()),
            ("mcc", confusion.mcc()),
            ("kappa", confusion.kappa()),
        ];
        measures.into_iter().for_each(|(what, ours)| close(&format!("{key} {what}"), ours, &expected[what], 1e-10));
        for (what, x, n) in confusion.shares() {
            for side in 0..2 {
                let theirs = &expected["ci"][what];
                close(&format!("{what} wilson"), wilson(x, n).map(|ci| ci[side]), &theirs["wilson"][side], 1e-10);
                let exact = clopper_pearson(x, n).map(|ci| ci[side]);
                close(&format!("{what} exact"), exact, &theirs["clopper_pearson"][side], 1e-10);
            }
        }
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_bootstrap_of_given_resamples_is_rs() {
    let (Some(table), Some(reference)) = (table("cohort_radscore"), json("bootstrap_cohort_train.json")) else {
        return;
    };
    let path = shared("reference/statistics/roc/bootstrap_indices_cohort_train_stratified.csv").unwrap();
    let indices: Vec<Vec<usize>> = std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| line.split(',').map(|field| field.parse::<usize>().unwrap() - 1).collect())
        .collect();
    let mut comparison = Comparison::default();
    for (score, expected) in reference.as_object().unwrap().iter().filter(|(_, value)| value["auc"].is_number()) {
        let (event, scores) = rows(&table, "train", "non_pgr=1", &[score]).unwrap();
        let areas = AucOfRows::new(&scores[0], &event);
        let replicates: Vec<f64> = indices.iter().map(|rows| areas.of(rows).unwrap()).collect();
        let all: Vec<usize> = (0..event.len()).collect();
        let without =
            |row: usize| areas.of(&all.iter().copied().filter(|&other| other != row).collect::<Vec<_>>()).unwrap();
        let leave_one_out: Vec<f64> = all.iter().map(|&row| without(row)).collect();
        let estimate = areas.of(&all).unwrap();
        let (percentile, bca) =
            (bootstrap::percentile(&replicates).unwrap(), bootstrap::bca(estimate, &replicates, &leave_one_out));
        let mut close = |what: &str, ours: f64, theirs: &Value| {
            comparison.close(format!("{score} {what}"), ours, theirs.as_f64().unwrap(), 1e-10, 0.0);
        };
        close("auc", estimate, &expected["auc"]);
        close("mean", mean(&replicates).unwrap(), &expected["boot_mean"]);
        close("sd", sd(&replicates).unwrap(), &expected["boot_sd"]);
        for side in 0..2 {
            close("percentile", percentile[side], &expected["percentile"][side]);
            close("bca", bca.unwrap()[side], &expected["bca"][side]);
        }
    }
    comparison.finish(50);
}
