//! Figures of what was learnt: the LASSO path, the nomogram.

use crate::report::figure::{lasso, nomogram};
use osteon_stats::model;
use osteon_stats::select::lasso::{Family, Lasso};

/// A stored path with the names of its columns.
pub fn lasso(region: &str, names: &[String], fitted: &Lasso, family: Family) -> lasso::Lasso {
    let ever = |j: usize| fitted.path.coefficients.iter().flatten().any(|&(at, _)| at == j);
    let along = |j: usize| {
        let at = |chosen: &Vec<(usize, f64)>| chosen.iter().find(|(at, _)| *at == j).map_or(0.0, |(_, weight)| *weight);
        fitted.path.coefficients.iter().map(at).collect()
    };
    let kept = (0..names.len()).filter(|&j| ever(j));
    lasso::Lasso {
        region: region.to_owned(),
        lambdas: fitted.path.lambdas.clone(),
        features: kept.map(|j| (names[j].clone(), along(j))).collect(),
        error: match family {
            Family::Gaussian => "Mean squared error",
            Family::Binomial => "Binomial deviance",
        }
        .to_owned(),
        errors: fitted.errors.clone(),
        standard_errors: fitted.standard_errors.clone(),
        at_min: fitted.at_min,
        at_one_se: fitted.at_one_se,
        chosen: fitted.chosen,
    }
}

/// Probabilities that a nomogram marks where they are reached.
const RISKS: [f64; 13] = [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];

/// The scales of a model with words for its effects.
pub fn nomogram(from: &model::nomogram::Nomogram, labels: &[String], event: &str) -> nomogram::Nomogram {
    let ticks = |marks: &[model::nomogram::Mark]| marks.iter().map(|mark| (mark.label.clone(), mark.points)).collect();
    let variable = |(axis, label): (&model::nomogram::Axis, &String)| nomogram::Scale {
        name: label.clone(),
        ticks: ticks(&axis.marks),
    };
    // Stored nomograms mark 0.05 to 0.95; figures mark what the axis of the training patients reaches.
    let reached = from.linear_predictor.iter().map(|mark| mark.value);
    let (low, high) = reached.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let risk = |risk: &f64| {
        let lp = (risk / (1.0 - risk)).ln();
        (low..=high).contains(&lp).then(|| (risk.to_string(), (lp - from.origin) * from.points_per_unit))
    };
    let total = from.total.iter().map(|&points| (format!("{points:.0}"), points)).collect();
    nomogram::Nomogram {
        most_points: 100.0,
        variables: from.axes.iter().zip(labels).map(variable).collect(),
        total: nomogram::Scale { name: "Total points".to_owned(), ticks: total },
        probability: nomogram::Scale {
            name: format!("Probability of {event}"),
            ticks: RISKS.iter().filter_map(risk).collect(),
        },
    }
}
