//! The LASSO: coefficients along the path, cross-validated error, weights of the chosen features.

use crate::report::figure::roc::dash;
use crate::report::figure::{Draft, Figure, Paper, column, lettered, text_cell, value, words};
use osteon_plot::{
    Anchor, Axis, Colour, Direction, Look, Mark, Marker, Panel, Pen, Range, Scale, Shape, TextStyle, Ticks, What,
};

/// Bars that leave the figure on one page, beside two panels or below them; the numbers hold all.
const MOST_BARS: usize = 30;
const MOST_NARROW_BARS: usize = 10;

/// A fitted path.
#[derive(Clone, Debug, PartialEq)]
pub struct Lasso {
    /// Which region, for the caption.
    pub region: String,
    /// Descending.
    pub lambdas: Vec<f64>,
    /// Name and coefficient at each lambda, of features that are ever chosen.
    pub features: Vec<(String, Vec<f64>)>,
    /// `Mean squared error` or `Binomial deviance`.
    pub error: String,
    pub errors: Vec<f64>,
    pub standard_errors: Vec<f64>,
    pub at_min: usize,
    pub at_one_se: usize,
    /// Where the protocol's rule stopped.
    pub chosen: usize,
}

pub fn figure(lasso: &Lasso, paper: &Paper) -> Figure {
    let found = weights(lasso);
    let n_bars = found.len().min(if paper.columns(2) > 1 { MOST_BARS } else { MOST_NARROW_BARS });
    let draft = Draft {
        name: "lasso",
        title: "LASSO coefficient paths, cross-validation and selected features",
        caption: format!(
            "LASSO feature selection in the region {}: coefficient paths over the penalty λ (A), cross-validated error with \
             standard errors (B), and non-zero coefficients at the chosen λ (C){}. Upper axis: number of features with \
             non-zero coefficients. Dashed line: chosen λ ({:.4}); dotted line: largest λ within one standard error of \
             the minimum. Features are standardized. LASSO, least absolute shrinkage and selection operator.",
            lasso.region,
            if found.len() > n_bars { format!("; the {n_bars} largest of {}", found.len()) } else { String::new() },
            lasso.lambdas[lasso.chosen]
        ),
        columns: paper.columns(2),
        headings: &["panel", "feature", "lambda", "value", "standard_error"],
    };
    let mut panels = vec![path(lasso), cross_validation(lasso)];
    if n_bars > 0 {
        panels.push(if draft.columns > 1 { bars(&found[..n_bars]) } else { narrow_bars(&found[..n_bars]) });
    }
    draft.finish(paper, panels, numbers(lasso))
}

fn numbers(lasso: &Lasso) -> Vec<Vec<crate::report::sheet::Cell>> {
    let mut rows = Vec::new();
    for (name, coefficients) in &lasso.features {
        for (lambda, coefficient) in lasso.lambdas.iter().zip(coefficients) {
            rows.push(vec![words("path"), words(name), value(*lambda), value(*coefficient), value(f64::NAN)]);
        }
    }
    for ((lambda, error), se) in lasso.lambdas.iter().zip(&lasso.errors).zip(&lasso.standard_errors) {
        rows.push(vec![words("cross-validation"), words(""), value(*lambda), value(*error), value(*se)]);
    }
    let lambda = lasso.lambdas[lasso.chosen];
    rows.extend(
        weights(lasso)
            .iter()
            .map(|(name, weight)| vec![words("weight"), words(name), value(lambda), value(*weight), value(f64::NAN)]),
    );
    rows
}

/// Non-zero coefficients where the rule stopped, largest first.
fn weights(lasso: &Lasso) -> Vec<(&str, f64)> {
    let at = lasso.features.iter().map(|(name, path)| (name.as_str(), path[lasso.chosen]));
    let mut found: Vec<_> = at.filter(|(_, weight)| *weight != 0.0).collect();
    found.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(b.0)));
    found
}

fn lambda_axis(lasso: &Lasso) -> Axis {
    let (first, last) = (lasso.lambdas[0], lasso.lambdas[lasso.lambdas.len() - 1]);
    Axis {
        scale: Scale::Log,
        range: Range::Fixed(last * 0.999_999, first * 1.000_001),
        ..Axis::titled("λ (log scale)")
    }
}

/// How many coefficients are not zero, over the panel.
fn above(lasso: &Lasso) -> Axis {
    let count = |at: usize| lasso.features.iter().filter(|(_, path)| path[at] != 0.0).count().to_string();
    let step = (lasso.lambdas.len() / 6).max(1);
    let ticks = (0..lasso.lambdas.len()).step_by(step).map(|at| (lasso.lambdas[at], count(at))).collect();
    Axis { ticks: Ticks::At(ticks), ..Axis::titled("Features with non-zero coefficients") }
}

fn rules(lasso: &Lasso) -> Vec<Mark> {
    let mut rules = vec![Mark::rule(lasso.lambdas[lasso.chosen], Direction::Vertical, Pen::dashed(0.8))];
    if lasso.at_one_se != lasso.chosen {
        let pen = Pen { width_pt: 0.8, dash: osteon_plot::Dash::Dotted };
        rules.push(Mark::rule(lasso.lambdas[lasso.at_one_se], Direction::Vertical, pen));
    }
    rules
}

fn path(lasso: &Lasso) -> Panel {
    let mut marks = rules(lasso);
    let chosen = weights(lasso);
    for (name, coefficients) in &lasso.features {
        let points = lasso.lambdas.iter().zip(coefficients).map(|(&lambda, &weight)| [lambda, weight]).collect();
        // Chosen features keep the colour of their bar; all others step back.
        let mark = match chosen.iter().position(|(kept, _)| kept == name) {
            Some(at) => {
                Mark::line(points, Pen { width_pt: 1.1, dash: dash(at / COLOURS) }, Colour::Series(at % COLOURS))
            }
            None => Mark::line(points, Pen::solid(0.5), Colour::Muted).faded(0.5),
        };
        marks.push(mark);
    }
    Panel {
        title: lettered(0, "Coefficients"),
        x: lambda_axis(lasso),
        y: Axis::titled("Coefficient"),
        above: Some(above(lasso)),
        marks,
        ..Panel::default()
    }
}

fn cross_validation(lasso: &Lasso) -> Panel {
    let points: Vec<[f64; 2]> = lasso.lambdas.iter().zip(&lasso.errors).map(|(&l, &e)| [l, e]).collect();
    let whisker = |(point, se): (&[f64; 2], &f64)| [[point[0], point[1] - se], [point[0], point[1] + se]];
    let whiskers = points.iter().zip(&lasso.standard_errors).map(whisker).collect();
    let mut marks = rules(lasso);
    marks.push(Mark::new(What::Segments { pairs: whiskers, pen: Pen::solid(0.5) }, Colour::Muted));
    marks.push(Mark::points(points, Marker::Disc, 2.6, Colour::Series(1)));
    Panel {
        title: lettered(1, "Cross-validation"),
        x: lambda_axis(lasso),
        y: Axis::titled(&lasso.error),
        above: Some(above(lasso)),
        marks,
        ..Panel::default()
    }
}

/// Colours that series take; further ones begin again, with dashes and paler bars.
const COLOURS: usize = 6;

fn bar(at: usize, weight: f64, y: f64) -> Mark {
    let boxes = vec![[weight.min(0.0), y - 0.35, weight.max(0.0), y + 0.35]];
    Mark::new(What::Bars { boxes }, Colour::Series(at % COLOURS)).faded(1.0 / (1.0 + (at / COLOURS) as f64 * 0.8))
}

/// Names above their bars, where beside them there is no room.
fn narrow_bars(weights: &[(&str, f64)]) -> Panel {
    let (low, high) = weights.iter().fold((0.0f64, 0.0f64), |(l, h), (_, w)| (l.min(*w), h.max(*w)));
    let low = low - (high - low) * 0.02;
    let mut marks = Vec::new();
    for (at, (name, weight)) in weights.iter().enumerate() {
        let y = 2.0 * at as f64;
        let style = TextStyle { anchor: Anchor::Start, ..TextStyle::default() };
        marks.push(Mark::text([low, y], *name, style));
        marks.push(bar(at, *weight, y + 0.9));
    }
    // Zero is drawn along the bars only: a line through would cross the names.
    let pairs = (0..weights.len()).map(|at| 2.0 * at as f64).map(|y| [[0.0, y + 0.45], [0.0, y + 1.35]]).collect();
    marks.push(Mark::new(What::Segments { pairs, pen: Pen::solid(0.6) }, Colour::Muted));
    let cells = weights.iter().enumerate().map(|(n, it)| text_cell(2.0 * n as f64 + 0.9, osteon_plot::number(it.1, 4)));
    Panel {
        title: lettered(2, "Features with non-zero coefficients"),
        x: Axis::fixed("Coefficient (standardized features)", low, high.max(low + 1e-9)),
        y: Axis { ticks: Ticks::None, ..Axis::hidden(2.0 * weights.len() as f64 - 0.4, -0.8) },
        right: vec![column("", Anchor::End, cells.collect())],
        marks,
        shape: Shape::Height { mm: weights.len() as f64 * 6.4 + 2.0 },
        wide: true,
        ..Panel::default()
    }
}

fn bars(weights: &[(&str, f64)]) -> Panel {
    let mut marks: Vec<Mark> = weights.iter().enumerate().map(|(at, it)| bar(at, it.1, at as f64)).collect();
    marks.push(Mark::rule(0.0, Direction::Vertical, Pen::solid(0.6)));
    let cells = |of: &dyn Fn(&(&str, f64)) -> String| {
        weights.iter().enumerate().map(|(n, it)| text_cell(n as f64, of(it))).collect()
    };
    Panel {
        title: lettered(2, "Features with non-zero coefficients"),
        x: Axis { look: Look::Grid, ..Axis::titled("Coefficient (standardized features)") },
        y: Axis { ticks: Ticks::None, ..Axis::hidden(weights.len() as f64 - 0.4, -0.6) },
        left: vec![column("", Anchor::Start, cells(&|it| it.0.to_owned()))],
        right: vec![column("", Anchor::End, cells(&|it| osteon_plot::number(it.1, 4)))],
        marks,
        shape: Shape::Height { mm: weights.len() as f64 * 3.6 + 3.0 },
        wide: true,
        ..Panel::default()
    }
}
