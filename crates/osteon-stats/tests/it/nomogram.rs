//! Nomograms against rms 6.5.0.

use osteon_stats::model::nomogram::{Effect, Nomogram, nomogram};
use serde_json::Value;

use osteon_testing::{Comparison, Frame, json, shared};

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// The effects of a reference model, from its coefficients and the limits of its data.
fn effects(reference: &Value) -> Vec<Effect> {
    let limit = |name: &str, which: &str| -> f64 {
        reference["datadist_limits"][name][which].as_str().unwrap().parse().unwrap()
    };
    let of = |(name, axis): (&String, &Value)| match axis["values"][0].as_str() {
        None => Effect::Continuous {
            name: name.clone(),
            coefficient: reference["coef"][name].as_f64().unwrap(),
            low: limit(name, "Low"),
            high: limit(name, "High"),
        },
        Some(_) => {
            let level = |level: &Value| {
                let level = level.as_str().unwrap().to_owned();
                let b = reference["coef"][format!("{name}={level}")].as_f64().unwrap_or(0.0);
                (level, b)
            };
            Effect::Levels {
                name: name.clone(),
                levels: axis["values"].as_array().unwrap().iter().map(level).collect(),
            }
        }
    };
    reference["axes"].as_object().unwrap().iter().map(of).collect()
}

/// Smallest and largest linear predictor of the training rows.
fn range(case: &str) -> (f64, f64) {
    let data = |file: &str| Frame::read(&shared(&format!("reference/statistics/data/{file}.csv")).unwrap());
    let probabilities = match case {
        "birthwt" => data("scores_birthwt").numbers("prob_final"),
        "cohort_combined_train" => {
            let frame = data("cohort_radscore");
            let train = frame.texts("split").into_iter().zip(frame.numbers("combined_prob"));
            train.filter(|(set, _)| set == "train").map(|(_, p)| p).collect()
        }
        _ => {
            let (frame, logistic) =
                (data("cohort"), shared("reference/statistics/nomogram/nomogram_cohort_clinical93.json"));
            let b = &json(&logistic.unwrap())["coef"];
            let b = |name: &str| b[name].as_f64().unwrap();
            let rows = frame.numbers("alp").into_iter().zip(frame.texts("pathological_fracture"));
            let lp = |(alp, fracture): (f64, String)| {
                let yes = if fracture == "yes" { b("pathological_fracture=yes") } else { 0.0 };
                1.0 / (1.0 + (-(b("Intercept") + b("alp") * alp + yes)).exp())
            };
            rows.map(lp).collect()
        }
    };
    let lp = |p: f64| (p / (1.0 - p)).ln();
    let low = probabilities.iter().copied().fold(f64::INFINITY, f64::min);
    (lp(low), lp(probabilities.into_iter().fold(0.0, f64::max)))
}

/// rms inverts the risk by linear interpolation on 1000 steps of the linear predictor, we exactly:
/// the most that can differ is h² / 8 |f'' / f'|, in points.
fn interpolation(ours: &Nomogram, risk: f64) -> f64 {
    let marks = &ours.linear_predictor;
    let h = (marks[marks.len() - 1].value - marks[0].value) / 999.0;
    ours.points_per_unit * h * h / 8.0 * (1.0 - 2.0 * risk).abs()
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn points_totals_and_risks_are_those_of_rms() {
    let mut off = Comparison::default();
    for case in ["birthwt", "cohort_clinical93", "cohort_combined_train"] {
        let Some(path) = shared(&format!("reference/statistics/nomogram/nomogram_{case}.json")) else { return };
        let reference = json(&path);
        let ours =
            nomogram(reference["coef"]["Intercept"].as_f64().unwrap(), &effects(&reference), range(case)).unwrap();
        for (axis, (name, theirs)) in ours.axes.iter().zip(reference["axes"].as_object().unwrap()) {
            let points = numbers(&theirs["points"]);
            off.same(format!("{case} {name} marks"), axis.marks.len(), points.len());
            for (mark, points) in axis.marks.iter().zip(points) {
                off.close(format!("{case} {name} {}", mark.label), mark.points, points, 1e-6, 1e-9);
            }
        }
        off.close(format!("{case} sc"), ours.points_per_unit, reference["info"]["sc"].as_f64().unwrap(), 1e-6, 0.0);
        off.same(format!("{case} total axis"), ours.total.clone(), numbers(&reference["total_points_axis"]));
        for (axis, marks, value) in [("lp_axis", &ours.linear_predictor, "lp"), ("risk_axis", &ours.risk, "lp")] {
            let (points, values) = (numbers(&reference[axis]["total_points"]), numbers(&reference[axis][value]));
            off.same(format!("{case} {axis} marks"), marks.len(), points.len());
            for (mark, (points, value)) in marks.iter().zip(points.into_iter().zip(values)) {
                let allowed = if axis == "risk_axis" { interpolation(&ours, value) } else { 0.0 };
                off.close(format!("{case} {axis} {value}"), mark.points, points, 1e-6, allowed + 1e-9);
                off.close(format!("{case} {axis} value {value}"), mark.value, value, 1e-12, 1e-12);
            }
        }
        for patient in reference["patients"].as_array().unwrap() {
            let total = patient["total"].as_f64().unwrap();
            off.close(
                format!("{case} probability"),
                ours.probability(total),
                patient["prob"].as_f64().unwrap(),
                1e-6,
                0.0,
            );
        }
    }
    off.finish(150);
}
