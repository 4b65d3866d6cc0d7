//! Calibration: what was observed over what was predicted, one panel a set of patients.

use crate::report::figure::roc::dash;
use crate::report::figure::{Draft, Figure, Paper, lettered, panels_in_words, signed, under, value, words};
use osteon_plot::{Axis, Colour, Direction, Legend, Look, Mark, Marker, Panel, Pen, Range, Shape, Ticks, What};

/// One panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    pub name: String,
    pub n: usize,
    pub models: Vec<Model>,
    /// Predicted probability and event of each patient by the last model, for the rug marks below the curves.
    pub patients: Vec<(f64, bool)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub name: String,
    pub brier: f64,
    /// Calibration in the large: the intercept with the logit of the prediction as offset.
    pub intercept: Option<f64>,
    /// Of the logistic regression of the event on the logit of the prediction.
    pub slope: Option<f64>,
    /// `[predicted, observed]` along the smoothed curve.
    pub smooth: Vec<[f64; 2]>,
    /// `[predicted, low, high]`: the bootstrap band; empty for none.
    pub band: Vec<[f64; 3]>,
    /// `[mean predicted, proportion observed, low, high]` of groups; empty for none.
    pub groups: Vec<[f64; 4]>,
}

pub fn figure(sets: &[Set], paper: &Paper) -> Figure {
    let draft = Draft {
        name: "calibration",
        title: "Calibration",
        caption: format!(
            "Calibration of the models in {}. Curves: observed proportion of events against the predicted probability, \
             smoothed by loess; dashed line: perfect calibration. {}: shaded, pointwise 95% CI of the curve; circles, \
             groups of patients by predicted probability with exact 95% CI; rug marks above and below the lower line, \
             patients with and without the event. Intercept: calibration in the large (0 is ideal); slope: of the \
             logistic recalibration (1 is ideal). CI, confidence interval.",
            panels_in_words(sets.iter().map(|set| (set.name.as_str(), set.n))),
            sets.first().and_then(|set| set.models.last()).map_or("Last model", |model| &model.name)
        ),
        columns: paper.columns(sets.len()),
        headings: &["set", "model", "what", "predicted", "observed", "low", "high"],
    };
    let mut rows = Vec::new();
    for set in sets {
        for model in &set.models {
            let mut row = |what: &str, numbers: [f64; 4]| {
                let head = [words(&set.name), words(&model.name), words(what)];
                rows.push(head.into_iter().chain(numbers.map(value)).collect());
            };
            let index = |index: Option<f64>| [f64::NAN, index.unwrap_or(f64::NAN), f64::NAN, f64::NAN];
            row("brier", index(Some(model.brier)));
            row("intercept", index(model.intercept));
            row("slope", index(model.slope));
            model.smooth.iter().for_each(|p| row("curve", [p[0], p[1], f64::NAN, f64::NAN]));
            model.band.iter().for_each(|p| row("band", [p[0], f64::NAN, p[1], p[2]]));
            model.groups.iter().for_each(|p| row("group", *p));
        }
    }
    draft.finish(paper, sets.iter().enumerate().map(|(n, set)| panel(n, set)).collect(), rows)
}

fn panel(n: usize, set: &Set) -> Panel {
    let ideal = Mark::line(vec![[0.0, 0.0], [1.0, 1.0]], Pen::dashed(0.7), Colour::Muted).named("Perfect calibration");
    let (mut back, mut front) = (Vec::new(), vec![ideal]);
    for (at, model) in set.models.iter().enumerate() {
        let colour = Colour::Series(at);
        if !model.band.is_empty() {
            let of = |k: usize| model.band.iter().map(|p| p[k].clamp(0.0, 1.0)).collect();
            back.push(Mark::new(What::Band { x: of(0), low: of(1), high: of(2) }, colour).faded(0.18));
        }
        let (intercept, slope) = (signed(model.intercept), signed(model.slope));
        let name = format!("{}: Brier {:.3}, intercept {intercept}, slope {slope}", model.name, model.brier);
        let pen = Pen { width_pt: 1.4, dash: dash(at) };
        front.push(Mark::new(What::Line { points: model.smooth.clone(), pen }, colour).named(name));
        let whiskers = model.groups.iter().map(|g| [[g[0], g[2]], [g[0], g[3]]]).collect();
        front.push(Mark::new(What::Segments { pairs: whiskers, pen: Pen::solid(0.8) }, colour));
        front.push(Mark::points(model.groups.iter().map(|g| [g[0], g[1]]).collect(), Marker::Circle, 4.0, colour));
    }
    front.extend(rug(&set.patients));
    let shares = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0].map(|at| (at, format!("{at:.1}"))).to_vec();
    Panel {
        title: lettered(n, &format!("{} (n = {})", set.name, set.n)),
        x: Axis { look: Look::Grid, ..Axis::fixed("Predicted probability", 0.0, 1.0) },
        y: Axis {
            look: Look::Grid,
            range: Range::Fixed(-0.16, 1.0),
            ticks: Ticks::At(shares),
            ..Axis::titled("Observed proportion of events")
        },
        marks: under(back, front),
        legend: Legend::Below,
        shape: Shape::Ratio(1.1),
        ..Panel::default()
    }
}

/// Patients as rug marks on a line under the curves.
fn rug(patients: &[(f64, bool)]) -> Vec<Mark> {
    const BASE: f64 = -0.08;
    if patients.is_empty() {
        return Vec::new();
    }
    let pair = |&(p, event): &(f64, bool)| [[p, BASE], [p, BASE + if event { 0.055 } else { -0.055 }]];
    let what = What::Segments { pairs: patients.iter().map(pair).collect(), pen: Pen::solid(0.5) };
    vec![Mark::new(what, Colour::Ink).faded(0.8), Mark::rule(BASE, Direction::Horizontal, Pen::solid(0.5))]
}
