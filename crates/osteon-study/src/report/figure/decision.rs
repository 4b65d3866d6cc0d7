//! Decision curves: net benefit over threshold probabilities, one panel a set of patients.

use crate::report::figure::roc::{band, dash};
use crate::report::figure::{Draft, Figure, Paper, lettered, panels_in_words, under, value, words};
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
    /// `[threshold, low, high]`: pointwise 95 % limits; empty for none.
    pub band: Vec<[f64; 3]>,
}

/// All panels have the range of thresholds that the curves have.
pub fn figure(sets: &[Set], paper: &Paper) -> Figure {
    let [from, to] = range(sets);
    let draft = Draft {
        name: "dca",
        title: "Decision curves",
        caption: format!(
            "Decision curves of the models in {}, over threshold probabilities from {from:.2} to {to:.2}. Net benefit per \
             patient of acting on each model, on all patients (treat all) and on none (treat none); a predicted \
             probability equal to the threshold counts as positive.",
            panels_in_words(sets.iter().map(|set| (set.name.as_str(), set.n)))
        ) + band_of(sets).as_deref().unwrap_or_default(),
        columns: paper.columns(sets.len()),
        headings: &["set", "strategy", "threshold", "net_benefit", "low", "high"],
    };
    let mut rows = Vec::new();
    for set in sets {
        let points = treat_all(set.prevalence, [from, to]);
        let all = Curve { model: "Treat all".to_owned(), points, band: Vec::new() };
        for curve in set.curves.iter().chain([&all]) {
            let head = [words(&set.name), words(&curve.model)];
            rows.extend(curve.points.iter().map(|&[threshold, benefit]| {
                let limits = curve.band.iter().find(|it| it[0] == threshold).map_or([f64::NAN; 2], |it| [it[1], it[2]]);
                let numbers = [threshold, benefit, limits[0], limits[1]];
                head.iter().cloned().chain(numbers.map(value)).collect()
            }));
        }
    }
    draft.finish(paper, sets.iter().enumerate().map(|(n, set)| panel(n, set, [from, to])).collect(), rows)
}

/// The smallest and the largest threshold of all curves.
fn range(sets: &[Set]) -> [f64; 2] {
    let points = sets.iter().flat_map(|set| &set.curves).flat_map(|curve| &curve.points);
    let ends = points.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], it| [low.min(it[0]), high.max(it[0])]);
    if ends[0] < ends[1] { ends } else { [0.01, 0.99] }
}

fn panel(n: usize, set: &Set, [from, to]: [f64; 2]) -> Panel {
    let best = set.curves.iter().flat_map(|curve| &curve.points).map(|point| point[1]);
    let top = (best.clone().fold(set.prevalence, f64::max) * 1.12).clamp(0.05, 1.0);
    // Every model's curve stays on the axis: one that leaves it could come back. Only treating all falls out of it.
    let bottom = (best.fold(0.0, f64::min) * 1.08).min(-top * 0.12);
    let mut marks = vec![
        Mark::line(vec![[from, 0.0], [to, 0.0]], Pen::solid(0.8), Colour::Ink).named("Treat none"),
        Mark::line(treat_all(set.prevalence, [from, to]), Pen::solid(0.9), Colour::Muted).named("Treat all"),
    ];
    let mut back = Vec::new();
    for (at, curve) in set.curves.iter().enumerate() {
        let clamped: Vec<[f64; 3]> =
            curve.band.iter().map(|p| [p[0], p[1].clamp(bottom, top), p[2].clamp(bottom, top)]).collect();
        back.extend(band(&clamped, Colour::Series(at)));
        let pen = Pen { width_pt: 1.4, dash: dash(at) };
        let what = What::Line { points: curve.points.clone(), pen };
        marks.push(Mark::new(what, Colour::Series(at)).named(&*curve.model));
    }
    Panel {
        title: lettered(n, &format!("{} (n = {})", set.name, set.n)),
        x: Axis { look: Look::Grid, ..Axis::fixed("Threshold probability", if from < 0.1 { 0.0 } else { from }, to) },
        y: Axis { look: Look::Grid, range: Range::Fixed(bottom, top), ..Axis::titled("Net benefit") },
        marks: under(back, marks),
        legend: Legend::Below,
        shape: Shape::Ratio(0.8),
        ..Panel::default()
    }
}

/// Whose band is drawn.
fn band_of(sets: &[Set]) -> Option<String> {
    let curve = sets.iter().flat_map(|set| &set.curves).find(|curve| !curve.band.is_empty())?;
    Some(format!(" {}: shaded, pointwise 95% bootstrap interval.", curve.model))
}

fn treat_all(prevalence: f64, [from, to]: [f64; 2]) -> Vec<[f64; 2]> {
    const STEPS: u32 = 100;
    let benefit = |t: f64| prevalence - (1.0 - prevalence) * t / (1.0 - t);
    (0..=STEPS).map(|n| from + (to - from) * f64::from(n) / f64::from(STEPS)).map(|t| [t, benefit(t)]).collect()
}
