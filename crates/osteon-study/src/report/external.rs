//! A cohort beside the patients that a model was learnt from, and decision curves with their uncertainty.

use rayon::prelude::*;

use crate::report::performance::Scored;
use crate::report::sheet::{Cell, Sheet};
use osteon_base::seed::Seed;
use osteon_stats::evaluate::decision;
use osteon_stats::evaluate::optimism::resamples;
use osteon_stats::stats::describe::{Quantiles, quantile};

pub use crate::report::summary::{LevelShare, NumberSummary, TrainingPart, VariableSummary};

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseMix {
    pub cohort: String,
    pub training: TrainingPart,
    /// Of training patients and of the cohort.
    pub rad_score: [NumberSummary; 2],
    pub n: usize,
    pub n_events: usize,
    pub own: Vec<VariableSummary>,
    pub event: String,
}

/// Resamples behind a band.
const SAMPLES: usize = 500;

/// The case mix, and net benefit with bootstrap bands.
pub fn sheets(cohort: &str, mix: &CaseMix, rows: &[Scored], seed: Seed) -> Vec<Sheet> {
    vec![case_mix(mix), net_benefit(cohort, rows, seed)]
}

/// One row a variable, a level, the event and the Rad-score.
pub fn case_mix(mix: &CaseMix) -> Sheet {
    let CaseMix { cohort, training, rad_score, n, n_events, own, event } = mix;
    let shares = [share(training.n_events, training.n), share(*n_events, *n)];
    let counts = [(training.n_events, training.n), (*n_events, *n)].map(|(n, of)| Cell::CountPercent { n, of });
    let [theirs, ours] = counts;
    let mut rows = vec![vec![Cell::Text(event.clone()), theirs, ours, difference_of_shares(shares)]];
    for variable in &training.variables {
        match variable {
            VariableSummary::Number { name, unit, summary } => {
                let label = if unit.is_empty() { name.clone() } else { format!("{name}, {unit}") };
                let found = own.iter().find_map(|it| match it {
                    VariableSummary::Number { name: other, summary, .. } if other == name => Some(*summary),
                    _ => None,
                });
                rows.push(number(label, [*summary, found.unwrap_or_default()]));
            }
            VariableSummary::Levels { name, levels, .. } => {
                rows.push(vec![Cell::Text(name.clone()), Cell::Empty, Cell::Empty, Cell::Empty]);
                let found = own.iter().find_map(|it| match it {
                    VariableSummary::Levels { name: other, levels, n } if other == name && *n > 0 => Some(levels),
                    _ => None,
                });
                for level in levels {
                    let other = found.map(|levels: &Vec<LevelShare>| {
                        levels.iter().find(|it| it.level == level.level).map_or(0.0, |it| it.share)
                    });
                    let percent = |share: Option<f64>| Cell::number(share.map(|share| 100.0 * share), 1);
                    rows.push(vec![
                        Cell::Level { of: name.clone(), level: level.level.clone() },
                        percent(Some(level.share)),
                        percent(other),
                        difference_of_shares([Some(level.share), other]),
                    ]);
                }
            }
        }
    }
    rows.push(number("Rad-score".to_owned(), *rad_score));
    let headings = [
        "Variable".to_owned(),
        format!("Training (n = {})", training.n),
        format!("{cohort} (n = {n})"),
        "Standardized difference".to_owned(),
    ];
    Sheet {
        title: format!("Case mix of {cohort}"),
        headings: headings.to_vec(),
        rows,
        notes: vec![
            "numbers: mean ± SD; levels: percent of patients with a value; standardized difference: of means by the root of \
             the mean variance, of proportions likewise (Austin 2009); above 0.1 in size is often called relevant"
                .to_owned(),
        ],
        provenance: Vec::new(),
    }
}

fn number(label: String, [theirs, ours]: [NumberSummary; 2]) -> Vec<Cell> {
    let cell = |it: NumberSummary| match (it.mean, it.sd) {
        (Some(mean), Some(sd)) => Cell::MeanSd { mean, sd, digits: 2 },
        _ => Cell::Empty,
    };
    let difference = || {
        let spread = ((theirs.sd?.powi(2) + ours.sd?.powi(2)) / 2.0).sqrt();
        (spread > 0.0).then_some((ours.mean? - theirs.mean?) / spread)
    };
    vec![Cell::Text(label), cell(theirs), cell(ours), Cell::number(difference(), 3)]
}

fn share(n: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| n as f64 / of as f64)
}

fn difference_of_shares([theirs, ours]: [Option<f64>; 2]) -> Cell {
    let difference = || {
        let (a, b) = (theirs?, ours?);
        let spread = ((a * (1.0 - a) + b * (1.0 - b)) / 2.0).sqrt();
        (spread > 0.0).then_some((b - a) / spread)
    };
    Cell::number(difference(), 3)
}

/// Net benefit at 10 to 90 % with pointwise 95 % percentile bands over resamples of patients.
pub fn net_benefit(cohort: &str, rows: &[Scored], seed: Seed) -> Sheet {
    let thresholds: Vec<f64> = (1..10).map(|tenth| f64::from(tenth) / 10.0).collect();
    let mut cells = Vec::new();
    for row in rows.iter().filter(|row| !row.event.is_empty() && row.is_probability()) {
        let curve = |rows: &[usize]| {
            let event: Vec<bool> = rows.iter().map(|&at| row.event[at]).collect();
            let p: Vec<f64> = rows.iter().map(|&at| row.score[at]).collect();
            decision::curve(&event, &p, &thresholds)
        };
        let all: Vec<usize> = (0..row.event.len()).collect();
        let samples: Vec<_> = resamples(all.len(), SAMPLES, seed.named("net benefit").named(&row.model))
            .into_par_iter()
            .map(|rows| curve(&rows))
            .collect();
        for (at, own) in curve(&all).into_iter().enumerate() {
            let mut values: Vec<f64> = samples.iter().map(|curve| curve[at].model).collect();
            values.sort_by(f64::total_cmp);
            let end = |p| quantile(&values, p, Quantiles::Type7).unwrap_or(own.model);
            let band = Cell::Interval { estimate: own.model, low: end(0.025), high: end(0.975), digits: 3 };
            let threshold = Cell::Number { value: own.threshold, digits: 1 };
            cells.push(vec![
                Cell::Text(row.model.clone()),
                threshold,
                band,
                Cell::Number { value: own.all, digits: 3 },
            ]);
        }
    }
    Sheet {
        title: format!("Net benefit in {cohort}"),
        headings: ["Model", "Threshold", "Net benefit (95 % band)", "Treat all"].map(str::to_owned).to_vec(),
        rows: cells,
        notes: vec![format!(
            "bands: pointwise percentiles over {SAMPLES} bootstrap samples of the cohort; treat none is 0"
        )],
        provenance: Vec::new(),
    }
}
