//! Patients on the first two principal components, one series a batch: as measured, and harmonized.

use crate::report::figure::{Draft, Figure, Paper, lettered, value, words};
use osteon_plot::{Axis, Colour, Legend, Mark, Marker, Panel, Shape, What};

/// One panel.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// `As measured`.
    pub name: String,
    /// Batch and scores of each patient.
    pub points: Vec<(String, [f64; 2])>,
    /// Shares of the variance along the two, and of each that lies between batches.
    pub shares: [f64; 2],
    pub between: [f64; 2],
}

/// Marks are told apart by shape too.
const MARKERS: [Marker; 3] = [Marker::Circle, Marker::Square, Marker::Diamond];

/// `source`: whose features; `set`: of which patients; `by`: what tells the batches.
pub fn figure(states: &[State], source: &str, set: &str, by: &str, paper: &Paper) -> Figure {
    let draft = Draft {
        name: "batch",
        title: "Batch effects",
        caption: format!(
            "First two principal components of the z-scores of all features of the region {source} in {} {set} patients, by \
             {by}. In brackets: percentage of the variance along the component; below the panel's title: percentage of it \
             that lies between batches. PC, principal component.",
            states.first().map_or(0, |state| state.points.len()),
        ),
        columns: paper.columns(states.len()),
        headings: &["state", "batch", "pc1", "pc2"],
    };
    let rows = states.iter().flat_map(|state| {
        let row = |(batch, [x, y]): &(String, [f64; 2])| vec![words(&state.name), words(batch), value(*x), value(*y)];
        state.points.iter().map(row)
    });
    let rows = rows.collect();
    draft.finish(paper, states.iter().enumerate().map(|(at, state)| panel(at, state)).collect(), rows)
}

fn panel(at: usize, state: &State) -> Panel {
    let mut names: Vec<&String> = state.points.iter().map(|(batch, _)| batch).collect();
    names.sort();
    names.dedup();
    let series = |(at, name): (usize, &&String)| {
        let own: Vec<[f64; 2]> =
            state.points.iter().filter(|(batch, _)| batch == *name).map(|(_, point)| *point).collect();
        let n = own.len();
        let what = What::Points { at: own, marker: MARKERS[at % MARKERS.len()], size_pt: 4.0, levels: Vec::new() };
        Mark::new(what, Colour::Series(at)).named(format!("{name} (n = {n})"))
    };
    let axis = |k: usize| Axis::titled(&format!("PC {} ({:.0}%)", k + 1, 100.0 * state.shares[k]));
    let between = state.between.map(|share| format!("{:.0}%", 100.0 * share)).join(" and ");
    Panel {
        title: lettered(at, &format!("{}: {between} between batches", state.name)),
        x: axis(0),
        y: axis(1),
        marks: names.iter().enumerate().map(series).collect(),
        legend: Legend::Below,
        shape: Shape::Ratio(0.9),
        ..Panel::default()
    }
}
