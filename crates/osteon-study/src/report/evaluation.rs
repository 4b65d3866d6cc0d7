//! All of the evaluation of scores: operating points, calibration, tests between models, net benefit.

use crate::report::performance::{Cut, HL_NOTE, HL_P, Scored, threshold};
use crate::report::sheet::{Cell, Sheet};
use osteon_stats::evaluate::calibration::{Calibration, calibration};
use osteon_stats::evaluate::decision;
use osteon_stats::evaluate::reclassification::{Gain, idi, nri};
use osteon_stats::evaluate::roc::{self, confusion};
use osteon_stats::stats::describe::{Quantiles, mean, quantile, sd};
use osteon_stats::stats::proportion::{clopper_pearson, wilson};

/// Every share at a cut, with Wilson's and the exact interval; F1 is no share and has none.
pub fn operating_points(title: &str, rows: &[Scored], cut: &Cut) -> Sheet {
    let headings = ["Set", "Model", "Measure", "Threshold", "Of", "Value", "Wilson", "Exact"];
    let mut cells = Vec::new();
    for scored in rows {
        let Some(threshold) = threshold(scored, rows, cut) else { continue };
        let called = confusion(&scored.score, &scored.event, threshold);
        let head = |measure: &str| {
            let texts = [&scored.set, &scored.model, measure].map(|text| Cell::Text(text.to_owned()));
            texts.into_iter().chain([Cell::Number { value: threshold, digits: 4 }]).collect::<Vec<_>>()
        };
        let range =
            |limits: Option<[f64; 2]>| limits.map_or(Cell::Empty, |[low, high]| Cell::Range { low, high, digits: 3 });
        for (name, n, of) in called.shares() {
            let mut row = head(name);
            let value = (of > 0).then(|| n as f64 / of as f64);
            row.extend([Cell::Text(format!("{n}/{of}")), Cell::number(value, 3)]);
            row.extend([range(wilson(n, of)), range(clopper_pearson(n, of))]);
            cells.push(row);
        }
        let mut row = head("F1");
        row.extend([Cell::Empty, Cell::number(called.f1(), 3), Cell::Empty, Cell::Empty]);
        cells.push(row);
    }
    let note = match cut {
        Cut::At(threshold) => format!("scores of at least {threshold} count as events"),
        Cut::Youden(set) => format!("cut at each score's largest Youden index in {set}"),
    };
    sheet(title, &headings, cells, vec![note, "95 % intervals: Wilson's score, Clopper and Pearson's exact".to_owned()])
}

fn sheet(title: &str, headings: &[&str], rows: Vec<Vec<Cell>>, notes: Vec<String>) -> Sheet {
    let headings = headings.iter().map(|heading| (*heading).to_owned()).collect();
    Sheet { title: title.to_owned(), headings, rows, notes, provenance: Vec::new() }
}

/// Value of a calibration and its digits.
type Number = (&'static str, fn(&Calibration) -> Option<f64>);

/// What `rms::val.prob` prints, with the indices of loess beside it.
const NUMBERS: [Number; 19] = [
    ("Brier", |c| Some(c.brier)),
    ("Brier scaled", |c| c.brier_scaled),
    ("Intercept", |c| c.recalibration.map(|r| r.intercept)),
    ("Slope", |c| c.recalibration.map(|r| r.slope)),
    ("In the large", |c| c.in_the_large.map(|(a, _)| a)),
    ("O/E", |c| Some(c.oe_ratio)),
    ("Log loss", |c| Some(c.log_loss)),
    ("R2", |c| c.indices.map(|i| i.r2)),
    ("D", |c| c.indices.map(|i| i.d)),
    ("U", |c| c.indices.and_then(|i| i.u).map(|u| u.u)),
    ("Q", |c| c.indices.and_then(|i| i.u).map(|u| u.q)),
    ("Emax", |c| Some(c.lowess.max)),
    ("E90", |c| Some(c.lowess.q90)),
    ("Eavg", |c| Some(c.lowess.mean)),
    ("ICI", |c| c.loess.map(|e| e.mean)),
    ("E50 (loess)", |c| c.loess.map(|e| e.median)),
    ("E90 (loess)", |c| c.loess.map(|e| e.q90)),
    ("Emax (loess)", |c| c.loess.map(|e| e.max)),
    ("ECI", |c| c.eci),
];

/// Calibration of the scores that are probabilities.
pub fn calibrations(rows: &[Scored]) -> Sheet {
    let mut headings = vec!["Set", "Model"];
    headings.extend(NUMBERS.map(|(name, _)| name));
    headings.extend(["U p", "Spiegelhalter z", "Spiegelhalter p", "H-L chi2", "H-L groups", HL_P, "H-L p, new rows"]);
    let row = |scored: &Scored| {
        let found = calibration(&scored.event, &scored.score);
        let mut row = vec![Cell::Text(scored.set.clone()), Cell::Text(scored.model.clone())];
        row.extend(NUMBERS.map(|(_, of)| Cell::number(found.as_ref().and_then(of), 3)));
        let u = found.as_ref().and_then(|c| c.indices).and_then(|i| i.u);
        let spiegelhalter = found.as_ref().and_then(|c| c.spiegelhalter);
        row.extend([Cell::p(u.map(|u| u.p)), Cell::number(spiegelhalter.map(|(z, _)| z), 3)]);
        row.push(Cell::p(spiegelhalter.map(|(_, p)| p)));
        let test = scored.hosmer_lemeshow();
        row.extend([
            Cell::number(test.map(|test| test.statistic), 3),
            test.map_or(Cell::Empty, |t| Cell::Count(t.groups)),
        ]);
        row.extend([Cell::p(test.and_then(|test| test.p)), Cell::p(test.map(|test| test.p_of_new_rows()))]);
        row
    };
    let notes = vec![
        "Emax, E90 and Eavg from lowess as val.prob; ICI, ECI and (loess) from loess of degree 2, span 0.75".to_owned(),
        HL_NOTE.to_owned(),
    ];
    let rows = rows.iter().filter(|scored| scored.is_probability()).map(row).collect();
    sheet("Calibration", &headings, rows, notes)
}

/// DeLong's test, NRI and IDI between all pairs of models within a set.
pub fn pairs(rows: &[Scored]) -> Sheet {
    let headings = [
        "Set",
        "First",
        "Second",
        "AUC difference",
        "Z",
        "P",
        "NRI at 0.5",
        "P (NRI)",
        "NRI continuous",
        "P (NRI continuous)",
        "IDI",
        "P (IDI)",
    ];
    let mut cells = Vec::new();
    for (at, first) in rows.iter().enumerate() {
        let others = rows[at + 1..].iter().filter(|second| second.set == first.set && second.event == first.event);
        cells.extend(others.map(|second| pair(first, second)));
    }
    let notes = vec!["DeLong's paired test; NRI and IDI are what the first adds to the second".to_owned()];
    sheet("Between models", &headings, cells, notes)
}

fn pair(first: &Scored, second: &Scored) -> Vec<Cell> {
    let area = |scored: &Scored| roc::auc(&scored.score, &scored.event);
    let delong = area(first).zip(area(second)).and_then(|(a, b)| roc::paired(&a, &b));
    let (event, old, new) = (&first.event, &second.score, &first.score);
    let gains: [Option<Gain>; 3] = match first.is_probability() && second.is_probability() {
        true => [nri(event, old, new, &[0.5]), nri(event, old, new, &[]), idi(event, old, new)],
        false => [None; 3],
    };
    let mut row =
        vec![Cell::Text(first.set.clone()), Cell::Text(first.model.clone()), Cell::Text(second.model.clone())];
    row.extend([Cell::number(delong.map(|d| d.difference), 3), Cell::number(delong.and_then(|d| d.z), 3)]);
    row.push(Cell::p(delong.and_then(|d| d.p)));
    row.extend(gains.iter().flat_map(|gain| [Cell::number(gain.map(|g| g.value), 3), Cell::p(gain.map(|g| g.p))]));
    row
}

/// Test AUCs over random splits, one list a model, beside that of the split in force.
pub fn random_splits(models: &[(String, Vec<f64>, Option<f64>)]) -> Sheet {
    let headings = [
        "Model",
        "Splits",
        "Mean",
        "SD",
        "Median",
        "2.5-97.5 %",
        "Smallest",
        "Largest",
        "Split in force",
        "Share below it",
    ];
    let row = |(model, aucs, own): &(String, Vec<f64>, Option<f64>)| {
        let mut sorted = aucs.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |p: f64| quantile(&sorted, p, Quantiles::Type7);
        let range = at(0.025).zip(at(0.975));
        let below = own.map(|own| sorted.partition_point(|&auc| auc < own) as f64 / sorted.len() as f64);
        let number = |value: Option<f64>| Cell::number(value, 3);
        vec![
            Cell::Text(model.clone()),
            Cell::Count(aucs.len()),
            number(mean(aucs)),
            number(sd(aucs)),
            number(at(0.5)),
            range.map_or(Cell::Empty, |(low, high)| Cell::Range { low, high, digits: 3 }),
            number(at(0.0)),
            number(at(1.0)),
            number(*own),
            number(below),
        ]
    };
    let notes = vec![
        "AUC in the test set; on each random split of all patients the entire modelling pipeline was refitted"
            .to_owned(),
        "patients are shared between splits: the spread shows what the draw decides, it is no interval of the AUC"
            .to_owned(),
    ];
    sheet("Random splits", &headings, models.iter().map(row).collect(), notes)
}

/// Net benefit of every probability at some thresholds, of treating everybody and of treating nobody.
pub fn net_benefits(rows: &[Scored]) -> Sheet {
    let thresholds: Vec<f64> = (1..10).map(|tenth| f64::from(tenth) / 10.0).collect();
    let row = |set: &str, model: &str, of: &dyn Fn(usize) -> f64| {
        let mut row = vec![Cell::Text(set.to_owned()), Cell::Text(model.to_owned())];
        row.extend((0..thresholds.len()).map(|at| Cell::Number { value: of(at), digits: 3 }));
        row
    };
    let mut cells = Vec::new();
    for (at, scored) in rows.iter().enumerate() {
        let curve = decision::curve(&scored.event, &scored.score, &thresholds);
        if scored.is_probability() {
            cells.push(row(&scored.set, &scored.model, &|at| curve[at].model));
        }
        if rows.get(at + 1).is_none_or(|next| next.set != scored.set) {
            cells.push(row(&scored.set, "treat all", &|at| curve[at].all));
            cells.push(row(&scored.set, "treat none", &|_| 0.0));
        }
    }
    let headings: Vec<String> = thresholds.iter().map(|t| format!("at {t}")).collect();
    let headings: Vec<&str> = ["Set", "Model"].into_iter().chain(headings.iter().map(String::as_str)).collect();
    let note = "probabilities of at least the threshold are treated".to_owned();
    sheet("Net benefit", &headings, cells, vec![note])
}
