//! SHAP: how much each value moved each prediction; over all patients, and for one.

use crate::report::figure::{Draft, Figure, Paper, column, lettered, text_cell, value, words};
use osteon_plot::{Anchor, Axis, Colour, ColourBar, Direction, Look, Mark, Marker, Panel, Pen, Shape, What, number};

/// One variable over all patients.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    pub name: String,
    /// SHAP value of each patient.
    pub shap: Vec<f64>,
    /// The variable's value of each patient.
    pub values: Vec<f64>,
}

/// One patient.
#[derive(Clone, Debug, PartialEq)]
pub struct Patient {
    pub name: String,
    /// The mean prediction that all begin with.
    pub base: f64,
    /// `ALP = 620` and what it adds.
    pub steps: Vec<(String, f64)>,
    /// `log odds` or `probability`.
    pub unit: String,
}

/// Variables that are drawn at most; the numbers hold all.
const SHOWN: usize = 15;

/// Beeswarm and mean absolute values, most important first.
/// `patients` names the patients in the numbers, in the order of the values.
pub fn summary(variables: &[Variable], patients: &[String], unit: &str, paper: &Paper) -> Figure {
    let mut order: Vec<&Variable> = variables.iter().collect();
    order.sort_by(|a, b| importance(b).total_cmp(&importance(a)).then(a.name.cmp(&b.name)));
    let shown = &order[..order.len().min(SHOWN)];
    let layout = Layout::of(shown, paper);
    let draft = Draft {
        name: "shap",
        title: "SHAP values",
        caption: format!(
            "SHAP values ({unit}): one point a patient at its own value, stacked where values coincide and colored by the \
             rank of the variable's value among patients (A); mean absolute SHAP value of each variable (B). Positive \
             values raise the prediction. SHAP, Shapley additive explanations.{}",
            if order.len() > SHOWN {
                format!(" The {SHOWN} largest of {} variables.", order.len())
            } else {
                String::new()
            }
        ),
        columns: layout.columns,
        headings: &["variable", "patient", "value", "shap", "mean_absolute_shap"],
    };
    let rows = order.iter().flat_map(|it| {
        let mean = importance(it);
        let values = it.values.iter().zip(&it.shap).zip(patients);
        values.map(move |((v, s), patient)| vec![words(&it.name), words(patient), value(*v), value(*s), value(mean)])
    });
    let rows = rows.collect();
    draft.finish(paper, vec![beeswarm(shown, unit, &layout, paper), bars(shown, unit, &layout)], rows)
}

/// How the two panels stand: side by side, or below each other where long names would leave no room between them.
struct Layout {
    columns: usize,
    row_pt: f64,
}

impl Layout {
    fn of(order: &[&Variable], paper: &Paper) -> Layout {
        const LONG: usize = 30;
        let long = order.iter().any(|it| it.name.chars().count() > LONG);
        Layout { columns: if long { 1 } else { paper.columns(2) }, row_pt: if long { 20.0 } else { 40.0 } }
    }

    fn shape(&self, n_rows: usize) -> Shape {
        Shape::Height { mm: n_rows as f64 * self.row_pt * 25.4 / 72.0 }
    }
}

fn importance(variable: &Variable) -> f64 {
    variable.shap.iter().map(|shap| shap.abs()).sum::<f64>() / variable.shap.len().max(1) as f64
}

fn rows_axis(n: usize) -> Axis {
    Axis::hidden(n as f64 - 0.45, -0.55)
}

fn names(order: &[&Variable]) -> Vec<osteon_plot::TextColumn> {
    let cells = order.iter().enumerate().map(|(n, it)| text_cell(n as f64, it.name.as_str())).collect();
    vec![column("", Anchor::End, cells)]
}

fn beeswarm(order: &[&Variable], unit: &str, layout: &Layout, paper: &Paper) -> Panel {
    const SIZE_PT: f64 = 3.2;
    let all = order.iter().flat_map(|it| &it.shap);
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &s| (l.min(s), h.max(s)));
    // About as wide as high on paper: a point's size in units of the two axes.
    let width_pt = paper.width_mm / layout.columns as f64 * 1.7;
    let size = [(high - low).max(1e-12) * SIZE_PT / width_pt, SIZE_PT / layout.row_pt];
    let mut marks = vec![Mark::rule(0.0, Direction::Vertical, Pen::solid(0.6))];
    for (row, variable) in order.iter().enumerate() {
        let heights = swarm(&variable.shap, size);
        let at = variable.shap.iter().zip(heights).map(|(&x, dy)| [x, row as f64 + dy]).collect();
        let levels = ranks(&variable.values);
        marks.push(Mark::new(What::Points { at, marker: Marker::Disc, size_pt: SIZE_PT, levels }, Colour::Ink));
    }
    Panel {
        title: lettered(0, "Each patient"),
        x: Axis::titled(&format!("SHAP value ({unit})")),
        y: rows_axis(order.len()),
        left: names(order),
        colour_bar: Some(ColourBar { title: "Value".into(), low: "Low".into(), high: "High".into() }),
        marks,
        shape: layout.shape(order.len()),
        share: 1.4,
        ..Panel::default()
    }
}

/// Points of a row stay within this part of its height, above and below.
const HALF_ROW: f64 = 0.42;

/// Heights that keep points of one row from lying on each other; dense rows are pressed together until all fit. Only
/// heights: a point never leaves its value.
fn swarm(values: &[f64], size: [f64; 2]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut step = size[1];
    loop {
        let heights = stacked(values, &order, size[0], step);
        if step < size[1] / 50.0 || heights.iter().all(|y| y.abs() <= HALF_ROW) {
            return heights;
        }
        step *= 0.8;
    }
}

/// From left to right, each point at the free height nearest to the row.
fn stacked(values: &[f64], order: &[usize], reach: f64, step: f64) -> Vec<f64> {
    let mut placed: Vec<(f64, i32)> = Vec::new();
    let mut heights = vec![0.0; values.len()];
    for &at in order {
        let x = values[at];
        let near: Vec<i32> = placed.iter().rev().take_while(|p| x - p.0 < reach).map(|p| p.1).collect();
        let slots = (0..).map(|n: i32| if n % 2 == 0 { n / 2 } else { -(n + 1) / 2 });
        let slot = slots.into_iter().find(|slot| !near.contains(slot)).expect("heights do not end");
        heights[at] = f64::from(slot) * step;
        placed.push((x, slot));
    }
    heights
}

/// Mean ranks from 0 to 1: one far value does not take all the colour.
fn ranks(values: &[f64]) -> Vec<f64> {
    let below = |v: f64| values.iter().filter(|&&other| other < v).count() as f64;
    let equal = |v: f64| values.iter().filter(|&&other| other == v).count() as f64;
    let top = (values.len() as f64 - 1.0).max(1.0);
    let rank: Vec<f64> = values.iter().map(|&v| (below(v) + (equal(v) - 1.0) / 2.0) / top).collect();
    let (low, high) = rank.iter().fold((1.0f64, 0.0f64), |(l, h), &r| (l.min(r), h.max(r)));
    rank.iter().map(|r| if high > low { (r - low) / (high - low) } else { 0.5 }).collect()
}

fn bars(order: &[&Variable], unit: &str, layout: &Layout) -> Panel {
    let boxes =
        order.iter().enumerate().map(|(n, it)| [0.0, n as f64 - 0.28, importance(it), n as f64 + 0.28]).collect();
    let text = |(n, it): (usize, &&Variable)| text_cell(n as f64, number(importance(it), 3));
    Panel {
        title: lettered(1, "Mean absolute value"),
        x: Axis::titled(&format!("Mean |SHAP| ({unit})")),
        y: rows_axis(order.len()),
        left: names(order),
        right: vec![column("", Anchor::End, order.iter().enumerate().map(text).collect())],
        marks: vec![Mark::new(What::Bars { boxes }, Colour::Series(0))],
        shape: layout.shape(order.len()),
        ..Panel::default()
    }
}

/// From the mean prediction to the patient's own, one step a variable, largest first.
pub fn waterfall(patient: &Patient, paper: &Paper) -> Figure {
    let mut steps = patient.steps.clone();
    steps.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    let draft = Draft {
        name: "waterfall",
        title: "SHAP values of one patient",
        caption: format!(
            "SHAP values of patient {}: from the mean prediction ({}) in training to the patient's own, one step a variable; \
             orange raises and blue lowers the prediction. SHAP, Shapley additive explanations.",
            patient.name, patient.unit
        ),
        columns: 1,
        headings: &["step", "shap", "after"],
    };
    let mut after = patient.base;
    let mut rows = vec![vec![words("mean prediction"), value(f64::NAN), value(after)]];
    let mut levels = vec![after];
    for (name, step) in &steps {
        after += step;
        levels.push(after);
        rows.push(vec![words(name), value(*step), value(after)]);
    }
    draft.finish(paper, vec![falls(patient, &steps, &levels)], rows)
}

fn falls(patient: &Patient, steps: &[(String, f64)], levels: &[f64]) -> Panel {
    let mut marks = Vec::new();
    for (row, ((_, step), pair)) in steps.iter().zip(levels.windows(2)).enumerate() {
        let y = row as f64 + 1.0;
        let colour = if *step < 0.0 { Colour::Series(0) } else { Colour::Series(1) };
        let boxes = vec![[pair[0], y - 0.32, pair[1], y + 0.32]];
        marks.push(Mark::new(What::Bars { boxes }, colour));
        let join = vec![[[pair[1], y - 0.32], [pair[1], y + 1.32]]];
        marks.push(Mark::new(What::Segments { pairs: join, pen: Pen::dashed(0.5) }, Colour::Muted));
    }
    let last = steps.len() as f64 + 1.0;
    let ends = vec![[levels[0], 0.0], [levels[levels.len() - 1], last]];
    marks.push(Mark::new(
        What::Segments { pairs: vec![[[levels[0], 0.0], [levels[0], 1.32]]], pen: Pen::dashed(0.5) },
        Colour::Muted,
    ));
    marks.push(Mark::points(ends, Marker::Diamond, 5.0, Colour::Ink));
    let mut labels = vec![text_cell(0.0, "Mean prediction")];
    labels.extend(steps.iter().enumerate().map(|(n, step)| text_cell(n as f64 + 1.0, step.0.as_str())));
    labels.push(osteon_plot::TextCell { at: last, text: "This patient".into(), bold: true });
    let signed = |step: f64| format!("{}{}", if step > 0.0 { "+" } else { "" }, number(step, 3));
    let mut amounts = vec![text_cell(0.0, number(levels[0], 3))];
    amounts.extend(steps.iter().enumerate().map(|(n, step)| text_cell(n as f64 + 1.0, signed(step.1))));
    amounts.push(osteon_plot::TextCell { at: last, text: number(levels[levels.len() - 1], 3), bold: true });
    Panel {
        title: format!("Patient {}", patient.name),
        x: Axis { look: Look::Grid, ..Axis::titled(&format!("Prediction ({})", patient.unit)) },
        y: Axis::hidden(last + 0.6, -0.6),
        left: vec![column("", Anchor::End, labels)],
        right: vec![column("", Anchor::End, amounts)],
        marks,
        shape: Shape::Height { mm: (last + 1.0) * 5.5 },
        ..Panel::default()
    }
}
