//! The nomogram: a scale a variable, points, total points, and the probability they give.

use crate::report::figure::{Draft, Figure, Paper, column, value, words};
use osteon_plot::{Anchor, Axis, Colour, Mark, Panel, Shape, What};

/// The scales, each in points.
#[derive(Clone, Debug, PartialEq)]
pub struct Nomogram {
    /// Points of one variable reach from 0 to this (100).
    pub most_points: f64,
    pub variables: Vec<Scale>,
    /// Total points and its ticks.
    pub total: Scale,
    /// Ticks of the probability at total points.
    pub probability: Scale,
}

/// One line with ticks `(label, points)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    pub name: String,
    pub ticks: Vec<(String, f64)>,
}

pub fn figure(nomogram: &Nomogram, paper: &Paper) -> Figure {
    let draft = Draft {
        name: "nomogram",
        title: "Nomogram",
        caption: "Nomogram of the combined model. Read the points of each value on the uppermost scale, add them up, and read \
                  the predicted probability below the total."
            .to_owned(),
        columns: 1,
        headings: &["scale", "value", "points"],
    };
    let scales = nomogram.variables.iter().chain([&nomogram.total, &nomogram.probability]);
    let rows = scales.flat_map(|it| it.ticks.iter().map(|(label, at)| vec![words(&it.name), words(label), value(*at)]));
    let rows = rows.collect();
    draft.finish(paper, vec![panel(nomogram)], rows)
}

fn panel(nomogram: &Nomogram) -> Panel {
    let most = nomogram.most_points;
    let whole = nomogram.total.ticks.iter().map(|tick| tick.1).fold(most, f64::max);
    let ruler = Scale {
        name: "Points".to_owned(),
        ticks: (0..=10).map(|n| most * f64::from(n) / 10.0).map(|at| (format!("{at:.0}"), at)).collect(),
    };
    let mut lines: Vec<(&Scale, f64)> = vec![(&ruler, 1.0)];
    lines.extend(nomogram.variables.iter().map(|scale| (scale, 1.0)));
    // Totals reach further than the points of one variable: their two lines have a scale of their own.
    lines.extend([(&nomogram.total, most / whole), (&nomogram.probability, most / whole)]);
    let marks = lines.iter().enumerate().map(|(row, (scale, factor))| {
        let ticks = scale.ticks.iter().map(|(label, at)| (at * factor, label.clone())).collect();
        Mark::new(What::Ruler { y: row as f64, ticks }, Colour::Ink)
    });
    let marks = marks.collect();
    let names = lines.iter().enumerate().map(|(row, (scale, _))| osteon_plot::TextCell {
        at: row as f64,
        text: scale.name.clone(),
        bold: row == 0 || row > nomogram.variables.len(),
    });
    Panel {
        x: Axis::hidden(-most * 0.02, most * 1.03),
        y: Axis::hidden(lines.len() as f64 - 0.6, -0.6),
        left: vec![column("", Anchor::Start, names.collect())],
        marks,
        shape: Shape::Height { mm: lines.len() as f64 * 8.0 },
        ..Panel::default()
    }
}
