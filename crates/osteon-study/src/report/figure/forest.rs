//! Odds ratios with intervals on a logarithmic axis, univariable and multivariable side by side.

use crate::report::figure::{Draft, Figure, Paper, column, lettered, value, words};
use crate::report::sheet::Cell;
use osteon_plot::{
    Anchor, Axis, Colour, Direction, Legend, Mark, Marker, Panel, Pen, Range, Scale, Shape, TextCell, What,
};

/// One line of the plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// `Pathological fracture`, or a level indented by two blanks.
    pub label: String,
    pub univariable: Option<Estimate>,
    pub multivariable: Option<Estimate>,
    /// The level that others are compared with.
    pub reference: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub odds_ratio: f64,
    pub low: f64,
    pub high: f64,
    pub p: f64,
}

pub fn figure(rows: &[Row], paper: &Paper) -> Figure {
    let draft = Draft {
        name: "forest",
        title: "Odds ratios",
        caption: "Odds ratios with 95% CI on a logarithmic scale. Squares: estimates; bars: 95% CI, ending in an arrow where it \
                  leaves the axis. Odds ratios of numeric variables are for the stated increase; 1 (reference) marks the \
                  level that others are compared with. CI, confidence interval; OR, odds ratio."
            .to_owned(),
        columns: paper.columns(2),
        headings: &["row", "model", "odds_ratio", "low", "high", "p"],
    };
    let mut numbers = Vec::new();
    for row in rows {
        for (model, estimate) in [("univariable", row.univariable), ("multivariable", row.multivariable)] {
            if let Some(it) = estimate {
                let of = [it.odds_ratio, it.low, it.high, it.p].map(value);
                numbers.push([words(&row.label), words(model)].into_iter().chain(of).collect());
            }
        }
    }
    let both = rows.iter().any(|row| row.multivariable.is_some());
    let one_row = draft.columns > 1;
    let mut panels = vec![panel(&lettered(0, "Univariable"), rows, |row| row.univariable, true)];
    if both {
        // Side by side the rows of both panels are the same; below each other each has its own.
        let own = if one_row { rows.to_vec() } else { told(rows, |row| row.multivariable) };
        panels.push(panel(&lettered(1, "Multivariable"), &own, |row| row.multivariable, !one_row));
    } else {
        panels[0].title.clear();
    }
    let columns = draft.columns.min(panels.len());
    Draft { columns, ..draft }.finish(paper, panels, numbers)
}

fn panel(title: &str, rows: &[Row], of: fn(&Row) -> Option<Estimate>, labelled: bool) -> Panel {
    let found: Vec<(f64, Estimate)> =
        rows.iter().enumerate().filter_map(|(n, row)| of(row).map(|it| (n as f64, it))).collect();
    let (low, high) = span(&found);
    let whiskers = found.iter().map(|(y, it)| [[it.low.max(low), *y], [it.high.min(high), *y]]).collect();
    let beyond = found.iter().flat_map(|(y, it)| {
        let right = (it.high > high).then_some([[high / 1.02, *y], [high, *y]]);
        let left = (it.low < low).then_some([[low * 1.02, *y], [low, *y]]);
        [right, left]
    });
    let sure = |it: &Estimate| it.low > 1.0 || it.high < 1.0;
    let points =
        |which: bool| found.iter().filter(|(_, it)| sure(it) == which).map(|(y, it)| [it.odds_ratio, *y]).collect();
    // The interval lies over its square, so that a narrow one is seen too; its ends have caps.
    let cap = |x: f64, y: f64| (low..=high).contains(&x).then_some([[x, y - 0.14], [x, y + 0.14]]);
    let caps = found.iter().flat_map(|(y, it)| [cap(it.low, *y), cap(it.high, *y)]).flatten().collect();
    let squares = |which: bool, colour, name: &str| {
        let at: Vec<[f64; 2]> = points(which);
        let name = if at.is_empty() { "" } else { name };
        Mark::points(at, Marker::Square, 4.4, colour).named(name)
    };
    let marks = vec![
        Mark::rule(1.0, Direction::Vertical, Pen::dashed(0.7)),
        squares(true, Colour::Series(1), "95% CI excludes 1"),
        squares(false, Colour::Series(0), "95% CI includes 1"),
        Mark::new(What::Segments { pairs: whiskers, pen: Pen::solid(0.9) }, Colour::Ink),
        Mark::new(What::Segments { pairs: caps, pen: Pen::solid(0.7) }, Colour::Ink),
        Mark::new(What::Arrows { pairs: beyond.flatten().collect(), pen: Pen::solid(0.9) }, Colour::Ink),
    ];
    let cell = |n: usize, text: String| TextCell { at: n as f64, text, bold: false };
    let labels = rows.iter().enumerate().map(|(n, row)| TextCell {
        at: n as f64,
        text: row.label.replace("  ", "\u{a0}\u{a0}\u{a0}"),
        bold: !row.label.starts_with(' '),
    });
    let estimates = rows.iter().enumerate().map(|(n, row)| {
        let reference =
            || if row.reference && block(rows, n).any(|row| of(row).is_some()) { "1 (reference)" } else { "" };
        cell(n, of(row).map_or_else(|| reference().to_owned(), |it| written(&it)))
    });
    let ps = rows.iter().enumerate().map(|(n, row)| cell(n, of(row).map_or(String::new(), |it| Cell::P(it.p).text())));
    Panel {
        title: title.to_owned(),
        x: Axis { scale: Scale::Log, range: Range::Fixed(low, high), ..Axis::titled("Odds ratio (log scale)") },
        y: Axis::hidden(rows.len() as f64 - 0.4, -0.6),
        left: if labelled { vec![column("", Anchor::Start, labels.collect())] } else { Vec::new() },
        right: vec![column("OR (95% CI)", Anchor::End, estimates.collect()), column("P", Anchor::End, ps.collect())],
        marks,
        legend: Legend::Below,
        shape: Shape::Height { mm: rows.len() as f64 * 4.0 + 2.0 },
        ..Panel::default()
    }
}

/// Rows with an estimate, and the headings and references that belong to them.
fn told(rows: &[Row], of: fn(&Row) -> Option<Estimate>) -> Vec<Row> {
    let heads = |n: usize| rows.get(n + 1).is_some_and(|next| next.label.starts_with(' '));
    let kept = |n: &usize| {
        let own = if heads(*n) && !rows[*n].label.starts_with(' ') { n + 1 } else { *n };
        of(&rows[*n]).is_some() || block(rows, own).any(|row| of(row).is_some())
    };
    (0..rows.len()).filter(kept).map(|n| rows[n].clone()).collect()
}

/// The levels of the variable that row `n` is a level of.
fn block(rows: &[Row], n: usize) -> impl Iterator<Item = &Row> {
    let level = |row: &&Row| row.label.starts_with(' ');
    let before = rows[..n].iter().rev().take_while(level);
    before.chain(rows[n..].iter().take_while(level))
}

/// Three decimals where two would hide a narrow interval, as for a variable in small units.
fn written(it: &Estimate) -> String {
    let narrow = it.high - it.low < 0.05;
    let text = |v: f64| if narrow { format!("{v:.3}") } else { short(v) };
    format!("{} ({}–{})", text(it.odds_ratio), text(it.low), text(it.high))
}

/// Three significant digits where numbers are large, two decimals otherwise.
fn short(value: f64) -> String {
    match value {
        v if v >= 1000.0 => osteon_plot::number(v, 0),
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v if v > 0.0 && v < 0.01 => format!("{v:.3}"),
        v => format!("{v:.2}"),
    }
}

/// The axis holds every estimate and the usual intervals, but no interval alone takes more than a factor of 100.
fn span(found: &[(f64, Estimate)]) -> (f64, f64) {
    let usable = |v: f64| v.is_finite() && v > 0.0;
    let ratios = found.iter().map(|(_, it)| it.odds_ratio).filter(|&v| usable(v));
    let (low, high) = ratios.fold((1.0f64, 1.0f64), |(l, h), v| (l.min(v), h.max(v)));
    let lows = found.iter().map(|(_, it)| it.low).filter(|&v| usable(v)).fold(low, f64::min);
    let highs = found.iter().map(|(_, it)| it.high).filter(|&v| usable(v)).fold(high, f64::max);
    ((lows.max(low / 20.0) / 1.1).min(0.5), (highs.min(high * 20.0) * 1.1).max(2.0))
}
