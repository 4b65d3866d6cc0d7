//! Calibration against rms 6.5.0 and base R 4.2.2, decision curves against dcurves 1.1.7, sample size against Python.

use osteon_stats::evaluate::{calibration, decision, reclassification, sample_size, smooth};
use serde_json::Value;

use osteon_testing::{Comparison, Frame, json, shared};

fn data(name: &str) -> Frame {
    Frame::read(&shared(&format!("reference/statistics/data/{name}.csv")).unwrap())
}

/// Events and probabilities of a reference case, in the order of patients.
fn case(name: &str) -> (Vec<bool>, Vec<f64>) {
    let (frame, outcome, score, rows): (Frame, &str, &str, Vec<usize>) = match name.split('/').collect::<Vec<_>>()[..] {
        ["birthwt", score] => {
            let frame = data("scores_birthwt");
            let n = frame.rows.len();
            (frame, "low", if score == "prob_final" { "prob_final" } else { "prob_lwt" }, (0..n).collect())
        }
        ["breast_cancer" | "breast_cancer_even_rows", _] => {
            let frame = data("scores_breast_cancer");
            let n = frame.rows.len();
            (frame, "malignant", "p", (1..n).step_by(2).collect())
        }
        [cohort, set, score] => {
            let frame = data("cohort_radscore");
            let split = frame.texts(if cohort == "cohort" { "split" } else { "split_alt" });
            let ids = frame.texts("patient_id");
            let mut rows: Vec<usize> = (0..split.len()).filter(|&i| split[i] == set).collect();
            rows.sort_by(|&a, &b| ids[a].cmp(&ids[b]));
            let score = match score {
                "combined_prob" => "combined_prob",
                "rad_score_intra_peri2" => "rad_score_intra_peri2",
                _ => "clinical_prob_altsplit",
            };
            (frame, "non_pgr", score, rows)
        }
        _ => panic!("no case {name}"),
    };
    let (y, p) = (frame.numbers(outcome), frame.numbers(score));
    rows.iter().map(|&i| (y[i] == 1.0, p[i])).unzip()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn calibration_is_that_of_r() {
    let Some(path) = shared("reference/statistics/calibration/calibration.json") else { return };
    let mut off = Comparison::default();
    for (name, reference) in json(&path).as_object().unwrap() {
        let (event, p) = case(name);
        let ours = calibration::calibration(&event, &p).unwrap();
        let recalibration = ours.recalibration.unwrap();
        let (citl, citl_se) = ours.in_the_large.unwrap();
        let (z, z_p) = ours.spiegelhalter.unwrap();
        let exact = [
            ("brier", ours.brier),
            ("brier_scaled", ours.brier_scaled.unwrap()),
            ("log_loss", ours.log_loss),
            ("oe_ratio", ours.oe_ratio.unwrap()),
            ("calibration_intercept_joint", recalibration.intercept),
            ("calibration_slope", recalibration.slope),
            ("calibration_slope_se", recalibration.slope_se),
            ("citl_offset_intercept", citl),
            ("citl_se", citl_se),
            ("spiegelhalter_z", z),
            ("spiegelhalter_p", z_p),
        ];
        for (key, value) in exact {
            off.close(format!("{name} {key}"), value, number(&reference[key]), 1e-7, 1e-9);
        }
        let (indices, theirs) = (ours.indices.unwrap(), &reference["val.prob"]);
        let u = indices.u.unwrap();
        for (key, value) in [("R2", indices.r2), ("D", indices.d), ("D:Chi-sq", indices.d_chi2 * 1.0)] {
            off.close(format!("{name} val.prob {key}"), value, number(&theirs[key]), 1e-7, 0.0);
        }
        // lrm stops earlier than our Newton steps: its own intercept and slope are off by up to 3e-6.
        for (key, value) in [("U", u.u), ("U:p", u.p), ("Q", u.q)] {
            off.close(format!("{name} val.prob {key}"), value, number(&theirs[key]), 1e-7, 1e-9);
        }
        for (key, value) in [("Intercept", recalibration.intercept), ("Slope", recalibration.slope)] {
            off.close(format!("{name} val.prob {key}"), value, number(&theirs[key]), 4e-6, 4e-6);
        }
        for (key, value) in [("Emax", ours.lowess.max), ("E90", ours.lowess.q90), ("Eavg", ours.lowess.mean)] {
            off.close(format!("{name} val.prob {key}"), value, number(&theirs[key]), 1e-4, 0.0);
        }
        // R's ICI interpolates loess between vertices of a tree of cells; ours is the curve itself (tested below).
        let loess = ours.loess.unwrap();
        for (key, value) in [("ICI", loess.mean), ("E50", loess.median), ("E90", loess.q90), ("Emax", loess.max)] {
            let theirs = number(&reference[key]);
            if (value - theirs).abs() > 1e-3 {
                eprintln!("{name} {key}: {value:.4} on the curve, {theirs:.4} interpolated by R");
            }
        }
    }
    off.finish(9 * 22);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn smooth_curves_are_those_of_r() {
    let Some(path) = shared("reference/statistics/calibration/calibration.json") else { return };
    let mut off = Comparison::default();
    for (name, reference) in json(&path).as_object().unwrap() {
        let (event, p) = case(name);
        let mut order: Vec<usize> = (0..p.len()).collect();
        order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
        let (x, y): (Vec<f64>, Vec<f64>) = order.iter().map(|&i| (p[i], f64::from(event[i]))).unzip();
        let theirs = reference["lowess_f2_3_iter0"]["y"].as_array().unwrap();
        for (i, (ours, theirs)) in smooth::lowess(&x, &y, 2.0 / 3.0).into_iter().zip(theirs).enumerate() {
            off.close(format!("{name} lowess {i}"), ours, number(theirs), 1e-8, 1e-10);
        }
        let direct = &reference["loess_degree2_span0.75_direct"];
        for (x0, theirs) in direct["x"].as_array().unwrap().iter().zip(direct["y"].as_array().unwrap()) {
            let x0 = number(x0);
            let ours = smooth::loess(&x, &y, 0.75, x0).unwrap_or(f64::NAN);
            off.close(format!("{name} loess at {x0}"), ours, number(theirs), 1e-8, 1e-8);
        }
    }
    off.finish(9 * 99);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn net_benefit_is_that_of_dcurves() {
    let Some(path) = shared("reference/statistics/calibration/decision_curve.csv") else { return };
    let mut off = Comparison::default();
    let reference = Frame::read(&path);
    let (cases, models) = (reference.texts("case"), reference.texts("model"));
    let thresholds = reference.numbers("threshold");
    let columns =
        ["net_benefit_ge", "net_benefit_all", "net_interventions_avoided_per100"].map(|c| reference.numbers(c));
    for row in 0..cases.len() {
        let name = match cases[row].as_str() {
            "birthwt" | "breast_cancer_even_rows" => format!("{}/{}", cases[row], models[row]),
            cohort => format!("{}/{}", cohort.replace("_train", "/train").replace("_test", "/test"), models[row]),
        };
        let (event, p) = case(&name);
        let ours = decision::curve(&event, &p, &[thresholds[row]])[0];
        for (value, theirs) in [ours.model, ours.all, ours.avoided_per_100].into_iter().zip(&columns) {
            off.close(format!("{name} at {}", thresholds[row]), value, theirs[row], 1e-12, 1e-12);
        }
    }
    off.finish(2000);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn sample_sizes_are_those_of_the_formulas() {
    let Some(path) = shared("reference/statistics/design/design.json") else { return };
    let (mut off, reference) = (Comparison::default(), json(&path));
    let check = |off: &mut Comparison, name: &str, case: &Value| {
        let (prevalence, r2) = (number(&case["prevalence"]), number(&case["r2_cs"]));
        let ours = sample_size::sample_size(case["parameters"].as_u64().unwrap() as usize, prevalence, r2, 0.9);
        for (key, value) in [
            ("max_r2_cs", ours.max_r2),
            ("nagelkerke", ours.nagelkerke),
            ("n_crit1", ours.for_shrinkage as f64),
            ("n_crit2", ours.for_optimism as f64),
            ("n_crit3", ours.for_risk as f64),
            ("n", ours.n as f64),
            ("events", ours.events),
            ("epp", ours.events_per_parameter),
        ] {
            off.close(format!("{name} {key}"), value, number(&case[key]), 1e-10, 0.0);
        }
        if case["cstat"].is_number() {
            off.close(format!("{name} R2"), sample_size::r2_of_auc(number(&case["cstat"]), prevalence), r2, 1e-9, 0.0);
        }
    };
    check(&mut off, "pmsampsize", &reference["pmsampsize_help_example(P=24,prev=.174,R2cs=.288)"]);
    for (name, case) in reference["paper_style"].as_object().unwrap() {
        check(&mut off, name, case);
    }
    for (key, theirs) in reference["r2cs_from_c"].as_object().unwrap() {
        let (auc, prevalence) = key.split_once('@').unwrap();
        let ours = sample_size::r2_of_auc(auc.parse().unwrap(), prevalence.parse().unwrap());
        off.close(format!("R2 {key}"), ours, number(theirs), 1e-9, 0.0);
    }
    for (key, theirs) in reference["n_per_class_for_auc_ci_total_width"].as_object().unwrap() {
        let (auc, width) = key.strip_prefix("A=").unwrap().split_once(",w=").unwrap();
        let ours = sample_size::n_for_auc_width(auc.parse().unwrap(), width.parse().unwrap());
        off.same(format!("n {key}"), ours as u64, theirs.as_u64().unwrap());
    }
    let power = sample_size::n_for_auc_difference(0.765, 0.728, 0.5, 0.8).map(|n| n as u64);
    off.same("n for a difference", power, reference["n_per_class_to_detect_0.765_vs_0.728_r=.5"].as_u64());
    off.finish(70);
}

#[test]
fn reclassification_and_discrimination_are_those_of_hmisc() {
    // Hmisc 4.8-0, improveProb(clinical, combined, event); with cuts, on the classes of findInterval.
    const REFERENCE: [(&str, &[f64], [f64; 2]); 8] = [
        ("train", &[], [1.68376068376068, 0.123573406489082]),
        ("train", &[0.5], [0.544871794871795, 0.128141763324203]),
        ("train", &[0.3, 0.6], [0.884615384615385, 0.125981984908009]),
        ("train", &[f64::NAN], [0.663949252724001, 0.0555936511078405]),
        ("test", &[], [1.11111111111111, 0.391963157194754]),
        ("test", &[0.5], [0.222222222222222, 0.188852574577511]),
        ("test", &[0.3, 0.6], [0.555555555555556, 0.277159806427699]),
        ("test", &[f64::NAN], [0.293252994825427, 0.157665267406953]),
    ];
    let frame = Frame::read(&osteon_testing::fixture("cohort_radscore.csv"));
    let (split, event) = (frame.texts("split"), frame.numbers("non_pgr"));
    let mut off = Comparison::default();
    for (set, cuts, [value, se]) in REFERENCE {
        let rows: Vec<usize> = (0..split.len()).filter(|&row| split[row] == set).collect();
        let of = |name: &str| rows.iter().map(|&row| frame.numbers(name)[row]).collect::<Vec<f64>>();
        let (old, new) = (of("clinical_prob_altsplit"), of("combined_prob"));
        let event: Vec<bool> = rows.iter().map(|&row| event[row] == 1.0).collect();
        // A cut that is no number stands for the integrated discrimination improvement.
        let gain = match cuts {
            [cut] if cut.is_nan() => reclassification::idi(&event, &old, &new),
            cuts => reclassification::nri(&event, &old, &new, cuts),
        };
        let gain = gain.unwrap();
        off.close(format!("{set} {cuts:?}"), gain.value, value, 1e-12, 0.0);
        off.close(format!("{set} {cuts:?} SE"), gain.se, se, 1e-12, 0.0);
    }
    off.finish(16);
}
