//! How often each feature, region and clinical variable was chosen in resamples: bars, the most frequent first.

use crate::report::figure::{Draft, Figure, Paper, column, lettered, text_cell, value, words};
use crate::report::sheet::Cell;
use osteon_plot::{Anchor, Axis, Colour, Direction, Mark, Panel, Pen, Shape, What};

/// What was chosen from one list.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// `Features of intra`, `Region of the Rad-score`, `Clinical predictors`.
    pub name: String,
    /// The most frequent first.
    pub counts: Vec<(String, usize)>,
    pub samples: usize,
}

/// Bars that are drawn at most in a panel; the numbers hold all.
const SHOWN: usize = 15;
const ROW_PT: f64 = 18.0;

pub fn figure(lists: &[Chosen], paper: &Paper) -> Figure {
    let cut: Vec<String> = lists
        .iter()
        .filter(|list| list.counts.len() > SHOWN)
        .map(|list| format!(" {}: the {SHOWN} most frequent of {}.", list.name, list.counts.len()))
        .collect();
    let samples = lists.iter().map(|list| list.samples).max().unwrap_or(0);
    let draft = Draft {
        name: "selection",
        title: "Selection frequencies",
        caption: format!(
            "Percentage of {samples} bootstrap samples of the training patients in which the entire modelling pipeline chose \
             each feature, region or clinical variable. Dashed line: half of the samples.{}",
            cut.concat()
        ),
        columns: 1,
        headings: &["list", "chosen", "samples", "of", "percent"],
    };
    let percent = |n: usize, of: usize| 100.0 * n as f64 / of.max(1) as f64;
    let rows = lists.iter().flat_map(|list| {
        let row = move |(name, n): &(String, usize)| {
            let counts = [Cell::Count(*n), Cell::Count(list.samples)];
            [vec![words(&list.name), words(name)], counts.to_vec(), vec![value(percent(*n, list.samples))]].concat()
        };
        list.counts.iter().map(row)
    });
    let rows = rows.collect();
    draft.finish(paper, lists.iter().enumerate().map(|(at, list)| panel(at, list)).collect(), rows)
}

fn panel(at: usize, list: &Chosen) -> Panel {
    let shown = &list.counts[..list.counts.len().min(SHOWN)];
    let bar = |(row, (_, n)): (usize, &(String, usize))| {
        let percent = 100.0 * *n as f64 / list.samples.max(1) as f64;
        [0.0, row as f64 - 0.35, percent, row as f64 + 0.35]
    };
    let cells = shown.iter().enumerate().map(|(row, (name, _))| text_cell(row as f64, name.as_str())).collect();
    Panel {
        title: lettered(at, &list.name),
        x: Axis::fixed("Samples, %", 0.0, 100.0),
        y: Axis::hidden(shown.len() as f64 - 0.45, -0.55),
        marks: vec![
            Mark::new(What::Bars { boxes: shown.iter().enumerate().map(bar).collect() }, Colour::Series(0)),
            Mark::rule(50.0, Direction::Vertical, Pen::dashed(0.8)),
        ],
        left: vec![column("", Anchor::End, cells)],
        shape: Shape::Height { mm: shown.len() as f64 * ROW_PT * 25.4 / 72.0 },
        ..Panel::default()
    }
}
