//! Decision curves: net benefit over threshold probabilities, one panel a set of patients.

use crate::report::figure::roc::dash;
use crate::report::figure::{Draft, Figure, Paper, lettered, value, words};
use osteon_plot::{Axis, Colour, Legend, Look, Mark, Panel, Pen, Range, Shape, What};

/// One panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    pub name: String,
    pub n: usize,
    /// Events over patients, for the line of treating all.
    pub prevalence: f64,
    pub curves: Vec<Curve>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    pub model: String,
    /// `[threshold, net benefit]`.
    pub points: Vec<[f64; 2]>,
}

pub fn figure(sets: &[Set], paper: &Paper) -> Figure {
    let draft = Draft {
        name: "dca",
        title: "Decision curves",
        caption: "Net benefit of treating by each model, of treating all and of treating none (Vickers and Elkin); \
                  a probability equal to the threshold counts as positive."
            .to_owned(),
        columns: paper.columns(sets.len()),
        headings: &["set", "strategy", "threshold", "net_benefit"],
    };
    let mut rows = Vec::new();
    for set in sets {
        let all = Curve { model: "Treat all".to_owned(), points: treat_all(set.prevalence) };
        for curve in set.curves.iter().chain([&all]) {
            let head = [words(&set.name), words(&curve.model)];
            rows.extend(curve.points.iter().map(|point| head.iter().cloned().chain(point.map(value)).collect()));
        }
    }
    draft.finish(paper, sets.iter().enumerate().map(|(n, set)| panel(n, set)).collect(), rows)
}

fn panel(n: usize, set: &Set) -> Panel {
    let best = set.curves.iter().flat_map(|curve| &curve.points).map(|point| point[1]);
    let top = (best.fold(set.prevalence, f64::max) * 1.12).clamp(0.05, 1.0);
    let mut marks = vec![
        Mark::line(vec![[0.0, 0.0], [1.0, 0.0]], Pen::solid(0.8), Colour::Ink).named("Treat none"),
        Mark::line(treat_all(set.prevalence), Pen::solid(0.9), Colour::Muted).named("Treat all"),
    ];
    for (at, curve) in set.curves.iter().enumerate() {
        let pen = Pen { width_pt: 1.4, dash: dash(at) };
        let what = What::Line { points: curve.points.clone(), pen };
        marks.push(Mark::new(what, Colour::Series(at)).named(&*curve.model));
    }
    Panel {
        title: lettered(n, &format!("{} (n = {})", set.name, set.n)),
        x: Axis { look: Look::Grid, ..Axis::fixed("Threshold probability", 0.0, 1.0) },
        y: Axis { look: Look::Grid, range: Range::Fixed(-top * 0.25, top), ..Axis::titled("Net benefit") },
        marks,
        legend: Legend::Below,
        shape: Shape::Ratio(0.8),
        ..Panel::default()
    }
}

fn treat_all(prevalence: f64) -> Vec<[f64; 2]> {
    let benefit = |t: f64| prevalence - (1.0 - prevalence) * t / (1.0 - t);
    (0..99).map(|n| f64::from(n) / 100.0).map(|t| [t, benefit(t)]).collect()
}
