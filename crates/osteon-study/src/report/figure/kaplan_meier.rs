//! Survival and incidence curves with the numbers at risk below.

use crate::report::figure::roc::dash;
use crate::report::figure::{Draft, Figure, Paper, column, text_cell, under, value, words};
use osteon_plot::{
    Anchor, Axis, Colour, Direction, Legend, Look, Mark, Marker, Panel, Pen, Range, Shape, TextStyle, Ticks, What,
};

/// Which way curves go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Survival,
    Incidence,
}

/// One curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub name: String,
    pub n: usize,
    /// `[time, value, low, high]` after each step; limits may be NaN.
    pub points: Vec<[f64; 4]>,
    /// Where rows were censored.
    pub censored: Vec<[f64; 2]>,
    /// When the last row ended.
    pub last: f64,
    /// At each tick.
    pub at_risk: Vec<usize>,
}

/// Height of a line of numbers at risk, in units of the y axis.
const LINE: f64 = 0.085;
/// Where the lines begin, below the axis.
const BELOW: f64 = -0.12;

pub fn figure(kind: Kind, groups: &[Group], ticks: &[f64], time: &str, p: Option<&str>, paper: &Paper) -> Figure {
    let (title, y) = match kind {
        Kind::Survival => ("Kaplan-Meier curves", "Survival"),
        Kind::Incidence => ("Cumulative incidence", "Cumulative incidence"),
    };
    let draft = Draft {
        name: "kaplan-meier",
        title,
        caption: format!(
            "{title} over {time}; bands: 95% confidence intervals; strokes: censored. Below the curves: numbers at \
             risk.{}",
            p.map_or_else(String::new, |p| format!(" {p}."))
        ),
        columns: 1,
        headings: &["group", "what", "time", "value", "low", "high"],
    };
    let mut rows = Vec::new();
    for group in groups {
        let mut row = |what: &str, numbers: [f64; 4]| {
            rows.push([words(&group.name), words(what)].into_iter().chain(numbers.map(value)).collect());
        };
        group.points.iter().for_each(|point| row("curve", *point));
        group.censored.iter().for_each(|at| row("censored", [at[0], at[1], f64::NAN, f64::NAN]));
        let counts = ticks.iter().zip(&group.at_risk);
        counts.for_each(|(&at, &n)| row("at risk", [at, n as f64, f64::NAN, f64::NAN]));
    }
    draft.finish(paper, vec![panel(kind, groups, ticks, time, y, p)], rows)
}

fn panel(kind: Kind, groups: &[Group], ticks: &[f64], time: &str, y: &str, p: Option<&str>) -> Panel {
    let start = if kind == Kind::Survival { 1.0 } else { 0.0 };
    let end = groups.iter().map(|group| group.last).chain(ticks.iter().copied()).fold(0.0, f64::max);
    let (mut back, mut front) = (Vec::new(), Vec::new());
    for (at, group) in groups.iter().enumerate() {
        let colour = Colour::Series(at);
        back.extend(band(group, colour));
        let mut points = vec![[0.0, start]];
        points.extend(group.points.iter().map(|point| [point[0], point[1]]));
        let level = points.last().map_or(start, |point| point[1]);
        points.push([group.last, level]);
        let mark = Mark::new(What::Step { points, pen: Pen { width_pt: 1.4, dash: dash(at) } }, colour);
        front.push(if groups.len() > 1 { mark.named(format!("{} (n = {})", group.name, group.n)) } else { mark });
        if !group.censored.is_empty() {
            front.push(Mark::points(group.censored.clone(), Marker::Tick, 4.0, colour));
        }
        for (&tick, n) in ticks.iter().zip(&group.at_risk) {
            let style = TextStyle { size_pt: 7.0, ..TextStyle::default() };
            let what = What::Text { at: [tick, height(at)], text: n.to_string(), style };
            front.push(Mark::new(what, Colour::Ink));
        }
    }
    front.push(Mark::rule(0.0, Direction::Horizontal, Pen::solid(0.6)));
    let names = groups.iter().enumerate().map(|(at, group)| text_cell(height(at), &*group.name));
    let heading = text_cell(BELOW + LINE * 0.4, "At risk");
    let shares = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0].map(|at| (at, format!("{at:.1}"))).to_vec();
    let low = height(groups.len()) + LINE * 0.3;
    Panel {
        title: p.unwrap_or_default().to_owned(),
        x: Axis {
            range: Range::Fixed(-0.02 * end, end * 1.03),
            ticks: Ticks::At(ticks.iter().map(|tick| (*tick, tick.to_string())).collect()),
            ..Axis::titled(time)
        },
        y: Axis { look: Look::Grid, range: Range::Fixed(low, 1.02), ticks: Ticks::At(shares), ..Axis::titled(y) },
        marks: under(back, front),
        left: vec![column("", Anchor::End, std::iter::once(heading).chain(names).collect())],
        legend: if groups.len() > 1 { Legend::Below } else { Legend::None },
        shape: Shape::Ratio(0.55 + 0.05 * groups.len() as f64),
        ..Panel::default()
    }
}

/// Where the numbers of a group stand.
fn height(group: usize) -> f64 {
    BELOW - LINE * (group as f64 + 0.6)
}

/// Limits as a staircase; where they are not known there is no band.
fn band(group: &Group, colour: Colour) -> Option<Mark> {
    let known: Vec<&[f64; 4]> = group.points.iter().filter(|point| point[2].is_finite()).collect();
    let ends = known.iter().skip(1).map(|point| point[0]).chain([group.last]);
    let (mut x, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new());
    for (point, end) in known.iter().zip(ends) {
        for at in [point[0], end] {
            x.push(at);
            low.push(point[2]);
            high.push(point[3]);
        }
    }
    (!x.is_empty()).then(|| Mark::new(What::Band { x, low, high }, colour).faded(0.15))
}
