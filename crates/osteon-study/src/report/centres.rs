//! Models in centres that they were not learnt from: one row a centre, and the centres pooled by random effects.

use crate::report::performance::Scored;
use crate::report::sheet::{Cell, Sheet};
use osteon_stats::evaluate::calibration::calibration;
use osteon_stats::evaluate::pooled::{Between, Pooled, random_effects};
use osteon_stats::evaluate::roc;
use osteon_stats::stats::distribution::Z_975;

/// One model in one centre.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Patients of the other centres that it was learnt from.
    pub learnt_from: usize,
    /// Patients of the centre, those without a probability too.
    pub n_all: usize,
    /// Its set is the centre.
    pub scored: Scored,
}

/// What is pooled of a model: an estimate with its standard error on the scale on which centres are pooled.
struct Quantity {
    name: &'static str,
    of: fn(&Scored) -> Option<(f64, f64)>,
    back: fn(f64) -> f64,
}

const QUANTITIES: [Quantity; 3] = [
    Quantity { name: "AUC", of: logit_auc, back: |eta| 1.0 / (1.0 + (-eta).exp()) },
    Quantity {
        name: "Calibration in the large",
        of: |it| calibration(&it.event, &it.score)?.in_the_large,
        back: |x| x,
    },
    Quantity {
        name: "Calibration slope",
        of: |it| calibration(&it.event, &it.score)?.recalibration.map(|fit| (fit.slope, fit.slope_se)),
        back: |x| x,
    },
];

/// By the delta method; `None` at 0 and 1, and where DeLong's variance is 0 or does not exist.
fn logit_auc(row: &Scored) -> Option<(f64, f64)> {
    let auc = roc::auc(&row.score, &row.event)?;
    let se = auc.variance().filter(|variance| *variance > 0.0)?.sqrt();
    (auc.auc > 0.0 && auc.auc < 1.0).then(|| ((auc.auc / (1.0 - auc.auc)).ln(), se / (auc.auc * (1.0 - auc.auc))))
}

/// One row a model and centre.
pub fn by_centre(by: &str, held: &[Held]) -> Sheet {
    let row = |it: &Held| {
        let Scored { event, score, .. } = &it.scored;
        let auc = roc::auc(score, event).map_or(Cell::Empty, |auc| {
            let [low, high] = auc.interval().0;
            Cell::Interval { estimate: auc.auc, low, high, digits: 3 }
        });
        let found = calibration(event, score);
        let wald = |estimate: f64, se: f64| Cell::Interval {
            estimate,
            low: estimate - Z_975 * se,
            high: estimate + Z_975 * se,
            digits: 2,
        };
        let large = found.as_ref().and_then(|it| it.in_the_large).map_or(Cell::Empty, |(value, se)| wald(value, se));
        let slope =
            found.as_ref().and_then(|it| it.recalibration).map_or(Cell::Empty, |fit| wald(fit.slope, fit.slope_se));
        vec![
            Cell::Text(it.scored.model.clone()),
            Cell::Text(it.scored.set.clone()),
            Cell::Count(it.learnt_from),
            Cell::Count(event.len()),
            Cell::Count(event.iter().filter(|&&event| event).count()),
            Cell::Count(it.n_all - event.len()),
            auc,
            large,
            slope,
            Cell::number(found.map(|it| it.brier), 3),
        ]
    };
    let headings = [
        "Model",
        "Held out",
        "Learnt from",
        "Patients",
        "Events",
        "Without a probability",
        "AUC (95% CI)",
        "Calibration in the large (95% CI)",
        "Calibration slope (95% CI)",
        "Brier",
    ];
    Sheet {
        title: format!("Leave-one-out by {by}: each under models of the others"),
        headings: headings.map(str::to_owned).to_vec(),
        rows: held.iter().map(row).collect(),
        notes: vec![
            "AUC: DeLong's interval (Newcombe's where that has no width); calibration: Wald's intervals; empty where one \
             outcome group is missing or the probabilities separate them"
                .to_owned(),
        ],
        provenance: Vec::new(),
    }
}

/// One row a model and quantity.
pub fn pooled(by: &str, models: &[&str], held: &[Held]) -> Sheet {
    let mut rows = Vec::new();
    let mut notes = vec![
        "random effects: REML, interval of Hartung and Knapp, t with one degree of freedom fewer than centres; prediction \
         interval: where the true value of another centre is expected with 95 %, from three centres on; AUC pooled on the \
         logit (DeLong's variance by the delta method) and transformed back"
            .to_owned(),
    ];
    for model in models {
        let own: Vec<&Scored> = held.iter().map(|it| &it.scored).filter(|row| row.model == *model).collect();
        for quantity in &QUANTITIES {
            let known: Vec<(&str, (f64, f64))> =
                own.iter().filter_map(|row| Some((row.set.as_str(), (quantity.of)(row)?))).collect();
            let lost: Vec<&str> =
                own.iter().map(|row| row.set.as_str()).filter(|set| !known.iter().any(|(own, _)| own == set)).collect();
            if !lost.is_empty() {
                notes.push(format!(
                    "{model}, {}: without {}, where it has no standard error",
                    quantity.name,
                    lost.join(", ")
                ));
            }
            let y: Vec<f64> = known.iter().map(|(_, (estimate, _))| *estimate).collect();
            let v: Vec<f64> = known.iter().map(|(_, (_, se))| se * se).collect();
            rows.push(row(model, quantity, known.len(), random_effects(&y, &v, Between::Reml)));
        }
    }
    let headings = ["Model", "Quantity", "Centres", "Pooled (95% CI)", "95% prediction interval", "Tau²", "I², %"];
    Sheet {
        title: format!("Pooled over the levels of {by}"),
        headings: headings.map(str::to_owned).to_vec(),
        rows,
        notes,
        provenance: Vec::new(),
    }
}

fn row(model: &str, quantity: &Quantity, k: usize, found: Option<Pooled>) -> Vec<Cell> {
    let back = quantity.back;
    let pooled = found.map_or(Cell::Empty, |it| Cell::Interval {
        estimate: back(it.estimate),
        low: back(it.interval[0]),
        high: back(it.interval[1]),
        digits: 3,
    });
    let predicted = found.and_then(|it| it.predicted).map_or(Cell::Empty, |[low, high]| Cell::Range {
        low: back(low),
        high: back(high),
        digits: 3,
    });
    vec![
        Cell::Text(model.to_owned()),
        Cell::Text(quantity.name.to_owned()),
        Cell::Count(k),
        pooled,
        predicted,
        Cell::number(found.map(|it| it.tau2), 3),
        Cell::number(found.map(|it| it.i2), 1),
    ]
}
