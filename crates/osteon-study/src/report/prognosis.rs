//! How well models of a time to event do, as sheets.

use crate::report::sheet::{Cell, Sheet};
use osteon_stats::stats::distribution::Z_975;
use osteon_stats::survival::accuracy::{auc_at, brier_at, calibration_at, integrated_brier};
use osteon_stats::survival::concordance::{PairWeight, concordance};
use osteon_stats::survival::cox::{self, Params};
use osteon_stats::survival::decision::net_benefits;
use osteon_stats::survival::follow_up::FollowUp;
use osteon_stats::table::Design;

/// What one model says of the patients of one set.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub model: String,
    /// `training`, `test`, or a cohort by name.
    pub set: String,
    pub follow_up: FollowUp,
    /// High where the event comes early.
    pub risk: Vec<f64>,
    /// Probability of no event by each horizon, one list a horizon; `None` where the model does not tell it.
    pub survival: Vec<Option<Vec<f64>>>,
    /// Whether `risk` is a log hazard ratio.
    pub is_hazard: bool,
}

const LEVEL: usize = 3;

/// One row a model and set: numbers, concordance, and at each horizon area, Brier score and calibration.
pub fn performance(title: String, horizons: &[f64], rows: &[Judged]) -> Sheet {
    let mut headings: Vec<String> =
        ["Model", "Set", "n", "Events", "Harrell's C (95% CI)", "Uno's C (95% CI)"].map(str::to_owned).to_vec();
    for what in ["AUC", "Brier score"] {
        headings.extend(horizons.iter().map(|time| format!("{what} at {time}")));
    }
    headings.push("Integrated Brier score".to_owned());
    headings.extend(horizons.iter().map(|time| format!("Observed/expected at {time} (95% CI)")));
    headings.push("Calibration slope (95% CI)".to_owned());
    let last = horizons.last().copied();
    let row = |judged: &Judged| {
        let Judged { follow_up, risk, survival, .. } = judged;
        let c = |weight| {
            concordance(follow_up, risk, weight).map_or(Cell::Empty, |found| {
                let (low, high) = ((found.c - Z_975 * found.se).max(0.0), (found.c + Z_975 * found.se).min(1.0));
                Cell::Interval { estimate: found.c, low, high, digits: LEVEL }
            })
        };
        let mut cells = vec![
            Cell::Text(judged.model.clone()),
            Cell::Text(judged.set.clone()),
            Cell::Count(follow_up.len()),
            Cell::Count(follow_up.n_events()),
            c(PairWeight::Harrell),
            c(PairWeight::Uno { until: last }),
        ];
        for (at, &time) in horizons.iter().enumerate() {
            let marker: Option<Vec<f64>> = survival[at].as_ref().map(|all| all.iter().map(|s| 1.0 - s).collect());
            cells.push(Cell::number(auc_at(follow_up, marker.as_ref().unwrap_or(risk), time), LEVEL));
        }
        for (survival, &time) in survival.iter().zip(horizons) {
            cells.push(Cell::number(survival.as_ref().and_then(|own| brier_at(follow_up, own, time)), LEVEL));
        }
        let whole: Option<Vec<Vec<f64>>> = survival.iter().cloned().collect();
        cells.push(Cell::number(whole.and_then(|own| integrated_brier(follow_up, &own, horizons)), LEVEL));
        for (survival, &time) in survival.iter().zip(horizons) {
            let found = survival.as_ref().map(|own| calibration_at(follow_up, own, time, 1));
            cells.push(match found.as_ref().and_then(|found| Some((found.ratio?, found.limits))) {
                Some((estimate, Some([low, high]))) => Cell::Interval { estimate, low, high, digits: 2 },
                Some((estimate, None)) => Cell::Number { value: estimate, digits: 2 },
                None => Cell::Empty,
            });
        }
        cells.push(if judged.is_hazard { slope(follow_up, risk) } else { Cell::Empty });
        cells
    };
    let mut notes = vec![
        "AUC, Brier score: rows censored before the time are made up for by inverse probability of censoring weights"
            .to_owned(),
        "observed/expected: events by Kaplan-Meier over the mean predicted probability; calibration slope: Cox \
         regression on the predicted log hazard ratio, 1 is right"
            .to_owned(),
    ];
    if horizons.len() > 1 {
        notes.push("integrated Brier score: trapezoidal mean between the first and the last of these times".to_owned());
    }
    if let Some(last) = last {
        notes.push(format!("Uno's C: events up to {last}"));
    }
    Sheet { title, headings, rows: rows.iter().map(row).collect(), notes, provenance: Vec::new() }
}

/// The Cox regression of the times on a log hazard ratio.
fn slope(follow_up: &FollowUp, risk: &[f64]) -> Cell {
    let design = Design {
        rows: (0..risk.len()).map(|row| row.to_string()).collect(),
        columns: vec!["risk".to_owned()],
        x: ndarray::Array2::from_shape_fn((risk.len(), 1), |(i, _)| risk[i]),
    };
    let Ok(fit) = cox::fit(&design, follow_up, None, Params::default()) else { return Cell::Empty };
    match (fit.terms[0].estimate.filter(|it| it.is_finite()), fit.terms[0].se) {
        (Some(estimate), Some(se)) => {
            Cell::Interval { estimate, low: estimate - Z_975 * se, high: estimate + Z_975 * se, digits: 2 }
        }
        _ => Cell::Empty,
    }
}

/// Predicted beside observed survival at a time, in groups of rising prediction.
pub fn calibration(title: String, follow_up: &FollowUp, survival: &[f64], time: f64, n_groups: usize) -> Sheet {
    let found = calibration_at(follow_up, survival, time, n_groups);
    let row = |(at, group): (usize, &osteon_stats::survival::accuracy::CalibrationGroup)| {
        let observed = match group.observed.limits {
            Some([low, high]) => Cell::Interval { estimate: group.observed.survival, low, high, digits: LEVEL },
            None => Cell::Number { value: group.observed.survival, digits: LEVEL },
        };
        vec![
            Cell::Count(at + 1),
            Cell::Count(group.n),
            Cell::Number { value: group.predicted, digits: LEVEL },
            observed,
        ]
    };
    Sheet {
        title,
        headings: ["Group", "n", "Mean predicted survival", "Observed survival (95% CI)"].map(str::to_owned).to_vec(),
        rows: found.groups.iter().enumerate().map(row).collect(),
        notes: vec!["observed: Kaplan-Meier, 95% CI on the log-log scale".to_owned()],
        provenance: Vec::new(),
    }
}

/// Thresholds of the decision curves.
pub const THRESHOLDS: [f64; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// Net benefits at a time, which is the horizon at a position: of treating everybody, and by each model, which are of one
/// set.
pub fn decision(title: String, at: usize, time: f64, rows: &[&Judged]) -> Sheet {
    let known = |judged: &&&Judged| judged.survival.get(at).is_some_and(Option::is_some);
    let rows: Vec<&&Judged> = rows.iter().filter(known).collect();
    let of = |judged: &&&Judged| {
        let survival = judged.survival[at].as_ref().expect("it was filtered");
        let risk: Vec<f64> = survival.iter().map(|survival| 1.0 - survival).collect();
        net_benefits(&judged.follow_up, &risk, time, &THRESHOLDS)
    };
    let found: Vec<_> = rows.iter().map(of).collect();
    let mut headings = vec!["Threshold".to_owned(), "Treat all".to_owned()];
    headings.extend(rows.iter().map(|judged| judged.model.clone()));
    let row = |at: usize| {
        let mut cells = vec![Cell::Number { value: THRESHOLDS[at], digits: 1 }];
        cells.push(Cell::number(found.first().map(|own| own[at].all), LEVEL));
        cells.extend(found.iter().map(|own| Cell::number(own[at].model, LEVEL)));
        cells
    };
    let rows = if found.is_empty() { Vec::new() } else { (0..THRESHOLDS.len()).map(row).collect() };
    let notes = vec![
        "net benefit of treating whoever is predicted to have the event by then; treating nobody has 0; empty where \
         nobody of the treated was followed for so long"
            .to_owned(),
    ];
    Sheet { title, headings, rows, notes, provenance: Vec::new() }
}
