//! Tables 3 and 5: what each model achieves in each set, with what relearning says; and tests between models.

use crate::evaluate::calibration::{Calibration, calibration};
use crate::evaluate::decision;
use crate::evaluate::reclassification::{idi, nri};
use crate::evaluate::roc::{self, confusion};
use crate::report::sheet::{Cell, Sheet};
use crate::stats::proportion::clopper_pearson;

/// One score in one set: the rows that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    pub model: String,
    pub set: String,
    pub event: Vec<bool>,
    pub score: Vec<f64>,
    /// Rows of the set without a score.
    pub n_missing: usize,
    pub corrected: Corrected,
}

/// AUCs of the whole chain learnt again; `None` where it was not, and in the test set.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Corrected {
    /// Harrell's bootstrap.
    pub optimism: Option<f64>,
    /// Mean of repeated nested cross-validation.
    pub nested: Option<f64>,
    /// p of the permutation test.
    pub permutation_p: Option<f64>,
}

/// One of the corrected values.
type Correction = fn(&Corrected) -> Option<f64>;

/// Where a score is cut into event and no event.
#[derive(Clone, Debug, PartialEq)]
pub enum Cut {
    At(f64),
    /// At the point of the largest Youden index in the same model's set of this name.
    Youden(String),
}

impl Scored {
    pub fn new(model: &str, set: &str, event: &[bool], score: &[Option<f64>], corrected: Corrected) -> Scored {
        let have = event.iter().zip(score).filter_map(|(&event, score)| Some((event, (*score)?)));
        let (kept, values): (Vec<bool>, Vec<f64>) = have.unzip();
        let n_missing = event.len() - kept.len();
        Scored { model: model.to_owned(), set: set.to_owned(), event: kept, score: values, n_missing, corrected }
    }

    fn is_probability(&self) -> bool {
        self.score.iter().all(|p| (0.0..=1.0).contains(p))
    }
}

/// The published columns, then the corrected AUCs where there are any.
pub fn table(title: &str, rows: &[Scored], cut: &Cut) -> Sheet {
    let mut headings: Vec<String> =
        ["Set", "Model", "AUC (95 % CI)", "Accuracy", "Sensitivity", "Specificity", "Precision", "F1"]
            .map(str::to_owned)
            .to_vec();
    let wanted = |of: Correction| rows.iter().any(|row| of(&row.corrected).is_some());
    let extra: Vec<(&str, Correction)> = [
        ("AUC bootstrap-corrected", (|c| c.optimism) as Correction),
        ("AUC nested CV", |c| c.nested),
        ("Permutation p", |c| c.permutation_p),
    ]
    .into_iter()
    .filter(|(_, of)| wanted(*of))
    .collect();
    headings.extend(extra.iter().map(|(name, _)| (*name).to_owned()));
    let row = |scored: &Scored| {
        let mut cells = vec![Cell::Text(scored.set.clone()), Cell::Text(scored.model.clone()), area(scored)];
        cells.extend(shares(scored, threshold(scored, rows, cut)));
        cells.extend(extra.iter().map(|(name, of)| match *name {
            "Permutation p" => Cell::p(of(&scored.corrected)),
            _ => Cell::number(of(&scored.corrected), 3),
        }));
        cells
    };
    let mut notes = vec![match cut {
        Cut::At(threshold) => format!("scores of at least {threshold} count as events"),
        Cut::Youden(set) => format!("cut at the largest Youden index in {set}"),
    }];
    notes.push("AUC: DeLong's Wald interval, clipped at 0 and 1".to_owned());
    for scored in rows.iter().filter(|scored| scored.n_missing > 0) {
        notes.push(format!("{}, {}: {} without a score left out", scored.model, scored.set, scored.n_missing));
    }
    Sheet { title: title.to_owned(), headings, rows: rows.iter().map(row).collect(), notes, provenance: Vec::new() }
}

fn area(scored: &Scored) -> Cell {
    let auc = roc::auc(&scored.score, &scored.event);
    match auc.as_ref().and_then(|auc| Some((auc.auc, auc.ci()?))) {
        Some((estimate, [low, high])) => Cell::Interval { estimate, low, high, digits: 3 },
        None => Cell::number(auc.map(|auc| auc.auc), 3),
    }
}

fn threshold(scored: &Scored, rows: &[Scored], cut: &Cut) -> Option<f64> {
    match cut {
        Cut::At(threshold) => Some(*threshold),
        Cut::Youden(set) => {
            let learnt = rows.iter().find(|row| row.model == scored.model && row.set == *set)?;
            roc::youden(&roc::curve(&learnt.score, &learnt.event)).map(|point| point.threshold)
        }
    }
}

fn shares(scored: &Scored, threshold: Option<f64>) -> Vec<Cell> {
    let Some(threshold) = threshold else { return vec![Cell::Empty; 5] };
    let called = confusion(&scored.score, &scored.event, threshold);
    let shares = [called.accuracy(), called.sensitivity(), called.specificity(), called.precision(), called.f1()];
    shares.into_iter().map(|share| Cell::number(share, 3)).collect()
}

/// Every share with its exact interval.
pub fn intervals(rows: &[Scored], cut: &Cut) -> Sheet {
    let headings = ["Set", "Model", "Threshold", "Accuracy", "Sensitivity", "Specificity", "Precision", "NPV"];
    let row = |scored: &Scored| {
        let threshold = threshold(scored, rows, cut);
        let mut cells =
            vec![Cell::Text(scored.set.clone()), Cell::Text(scored.model.clone()), Cell::number(threshold, 4)];
        let Some(threshold) = threshold else {
            cells.extend(vec![Cell::Empty; 5]);
            return cells;
        };
        let called = confusion(&scored.score, &scored.event, threshold);
        cells.extend(called.shares().into_iter().map(|(_, n, of)| match clopper_pearson(n, of) {
            Some([low, high]) => Cell::Interval { estimate: n as f64 / of as f64, low, high, digits: 3 },
            None => Cell::Empty,
        }));
        cells
    };
    Sheet {
        title: "Operating points".to_owned(),
        headings: headings.map(str::to_owned).to_vec(),
        rows: rows.iter().map(row).collect(),
        notes: vec!["Clopper-Pearson 95 % intervals".to_owned()],
        provenance: Vec::new(),
    }
}

/// Calibration of the scores that are probabilities.
pub fn calibrations(rows: &[Scored]) -> Sheet {
    let headings = [
        "Set",
        "Model",
        "Brier",
        "Brier scaled",
        "Intercept",
        "Slope",
        "In the large",
        "O/E",
        "Emax",
        "Eavg",
        "ICI",
        "ECI",
        "Spiegelhalter p",
    ];
    let row = |scored: &Scored| {
        let found: Option<Calibration> = calibration(&scored.event, &scored.score);
        let of = |value: Option<f64>, digits| Cell::number(value, digits);
        let c = found.as_ref();
        let recalibration = c.and_then(|c| c.recalibration);
        vec![
            Cell::Text(scored.set.clone()),
            Cell::Text(scored.model.clone()),
            of(c.map(|c| c.brier), 3),
            of(c.and_then(|c| c.brier_scaled), 3),
            of(recalibration.map(|r| r.intercept), 3),
            of(recalibration.map(|r| r.slope), 3),
            of(c.and_then(|c| c.in_the_large).map(|(a, _)| a), 3),
            of(c.map(|c| c.oe_ratio), 3),
            of(c.map(|c| c.lowess.max), 3),
            of(c.map(|c| c.lowess.mean), 3),
            of(c.and_then(|c| c.loess).map(|e| e.mean), 3),
            of(c.and_then(|c| c.eci), 3),
            Cell::p(c.and_then(|c| c.spiegelhalter).map(|(_, p)| p)),
        ]
    };
    Sheet {
        title: "Calibration".to_owned(),
        headings: headings.map(str::to_owned).to_vec(),
        rows: rows.iter().filter(|scored| scored.is_probability()).map(row).collect(),
        notes: vec!["Emax and Eavg from lowess as val.prob; ICI and ECI from loess of degree 2, span 0.75".to_owned()],
        provenance: Vec::new(),
    }
}

/// DeLong's test, NRI and IDI between all pairs of models within a set.
pub fn pairs(rows: &[Scored]) -> Sheet {
    let headings = ["Set", "First", "Second", "AUC difference", "Z", "P", "NRI at 0.5", "P (NRI)", "IDI", "P (IDI)"];
    let mut cells = Vec::new();
    for (at, first) in rows.iter().enumerate() {
        for second in rows[at + 1..].iter().filter(|second| second.set == first.set) {
            if second.event != first.event {
                continue;
            }
            let area = |scored: &Scored| roc::auc(&scored.score, &scored.event);
            let delong = area(first).zip(area(second)).and_then(|(a, b)| roc::paired(&a, &b));
            let probabilities = first.is_probability() && second.is_probability();
            let gain = |f: &dyn Fn() -> Option<crate::evaluate::reclassification::Gain>| {
                if probabilities { f() } else { None }
            };
            let reclassified = gain(&|| nri(&first.event, &second.score, &first.score, &[0.5]));
            let discriminated = gain(&|| idi(&first.event, &second.score, &first.score));
            cells.push(vec![
                Cell::Text(first.set.clone()),
                Cell::Text(first.model.clone()),
                Cell::Text(second.model.clone()),
                Cell::number(delong.map(|d| d.difference), 3),
                Cell::number(delong.and_then(|d| d.z), 3),
                Cell::p(delong.and_then(|d| d.p)),
                Cell::number(reclassified.map(|g| g.value), 3),
                Cell::p(reclassified.map(|g| g.p)),
                Cell::number(discriminated.map(|g| g.value), 3),
                Cell::p(discriminated.map(|g| g.p)),
            ]);
        }
    }
    Sheet {
        title: "Between models".to_owned(),
        headings: headings.map(str::to_owned).to_vec(),
        rows: cells,
        notes: vec!["DeLong's paired test; NRI and IDI are what the first adds to the second".to_owned()],
        provenance: Vec::new(),
    }
}

/// Net benefit of every probability at some thresholds.
pub fn net_benefits(rows: &[Scored]) -> Sheet {
    let thresholds: Vec<f64> = (1..10).map(|tenth| f64::from(tenth) / 10.0).collect();
    let mut cells = Vec::new();
    for scored in rows.iter().filter(|scored| scored.is_probability()) {
        let mut row = vec![Cell::Text(scored.set.clone()), Cell::Text(scored.model.clone())];
        let curve = decision::curve(&scored.event, &scored.score, &thresholds);
        row.extend(curve.iter().map(|point| Cell::Number { value: point.model, digits: 3 }));
        cells.push(row);
    }
    let mut seen: Vec<&str> = Vec::new();
    for scored in rows {
        if !seen.contains(&scored.set.as_str()) {
            seen.push(&scored.set);
            let mut row = vec![Cell::Text(scored.set.clone()), Cell::Text("treat all".to_owned())];
            let curve = decision::curve(&scored.event, &scored.score, &thresholds);
            row.extend(curve.iter().map(|point| Cell::Number { value: point.all, digits: 3 }));
            cells.push(row);
        }
    }
    let headings = ["Set", "Model"].map(str::to_owned).into_iter();
    Sheet {
        title: "Net benefit".to_owned(),
        headings: headings.chain(thresholds.iter().map(|t| format!("at {t}"))).collect(),
        rows: cells,
        notes: vec!["probabilities of at least the threshold are treated; treating nobody is worth 0".to_owned()],
        provenance: Vec::new(),
    }
}
