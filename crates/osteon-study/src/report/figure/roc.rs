//! Receiver operating characteristic curves, one panel a set of patients.

use crate::report::figure::{Draft, Figure, Paper, lettered, panels_in_words, under, value, words};
use osteon_plot::{Axis, Colour, Dash, Legend, Look, Mark, Panel, Pen, Shape, What};

/// One panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    /// `Training set`.
    pub name: String,
    pub n: usize,
    pub curves: Vec<Curve>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    pub model: String,
    /// Corners `[1 - specificity, sensitivity]` from (0, 0) to (1, 1).
    pub points: Vec<[f64; 2]>,
    pub auc: f64,
    /// 95 % interval of the AUC.
    pub interval: Option<[f64; 2]>,
    /// `[1 - specificity, low, high]`: pointwise 95 % limits of the sensitivity; empty for none.
    pub band: Vec<[f64; 3]>,
}

pub fn figure(sets: &[Set], paper: &Paper) -> Figure {
    let draft = Draft {
        name: "roc",
        title: "ROC curves",
        caption: format!(
            "ROC curves of the models in {}. Values are AUCs with DeLong 95% CI. Dashed line: no discrimination. AUC, area \
             under the ROC curve; CI, confidence interval; ROC, receiver operating characteristic.",
            panels_in_words(sets.iter().map(|set| (set.name.as_str(), set.n)))
        ) + band_of(sets).as_deref().unwrap_or_default(),
        columns: paper.columns(sets.len()),
        headings: &[
            "set",
            "model",
            "auc",
            "low",
            "high",
            "one_minus_specificity",
            "sensitivity",
            "sensitivity_low",
            "sensitivity_high",
        ],
    };
    let rows = sets.iter().flat_map(|set| {
        set.curves.iter().flat_map(|curve| {
            let [low, high] = curve.interval.unwrap_or([f64::NAN; 2]);
            let head = [words(&set.name), words(&curve.model), value(curve.auc), value(low), value(high)];
            let at = curve.points.iter().map(|&[x, y]| [x, y, f64::NAN, f64::NAN]);
            let band = curve.band.iter().map(|&[x, low, high]| [x, f64::NAN, low, high]);
            at.chain(band).map(move |point| head.iter().cloned().chain(point.map(value)).collect())
        })
    });
    let rows = rows.collect();
    draft.finish(paper, sets.iter().enumerate().map(|(n, set)| panel(n, set)).collect(), rows)
}

fn panel(n: usize, set: &Set) -> Panel {
    let chance = Mark::line(vec![[0.0, 0.0], [1.0, 1.0]], Pen::dashed(0.7), Colour::Muted);
    let (mut back, mut marks) = (Vec::new(), vec![chance]);
    for (at, curve) in set.curves.iter().enumerate() {
        back.extend(band(&curve.band, Colour::Series(at)));
        let name = match curve.interval {
            Some([low, high]) => format!("{} AUC {:.3} ({low:.3}–{high:.3})", curve.model, curve.auc),
            None => format!("{} AUC {:.3}", curve.model, curve.auc),
        };
        let pen = Pen { width_pt: 1.4, dash: dash(at) };
        marks.push(Mark::new(What::Line { points: curve.points.clone(), pen }, Colour::Series(at)).named(name));
    }
    Panel {
        title: lettered(n, &format!("{} (n = {})", set.name, set.n)),
        x: Axis { look: Look::Grid, ..Axis::fixed("1 − specificity", 0.0, 1.0) },
        y: Axis { look: Look::Grid, ..Axis::fixed("Sensitivity", 0.0, 1.0) },
        marks: under(back, marks),
        legend: Legend::Inside,
        shape: Shape::Ratio(1.0),
        ..Panel::default()
    }
}

/// Whose band is drawn.
fn band_of(sets: &[Set]) -> Option<String> {
    let curve = sets.iter().flat_map(|set| &set.curves).find(|curve| !curve.band.is_empty())?;
    Some(format!(" {}: shaded, pointwise 95% bootstrap interval of the sensitivity.", curve.model))
}

/// A band of `[x, low, high]`; nothing without points.
pub fn band(points: &[[f64; 3]], colour: Colour) -> Option<Mark> {
    let of = |k: usize| points.iter().map(|p| p[k]).collect();
    (!points.is_empty()).then(|| Mark::new(What::Band { x: of(0), low: of(1), high: of(2) }, colour).faded(0.18))
}

/// Series are told apart by dashes too: for print without colour, and where curves lie on each other.
pub fn dash(series: usize) -> Dash {
    [Dash::Solid, Dash::Dashed, Dash::DashDot, Dash::Dotted][series % 4]
}
