//! How well features agree between two segmentations: histograms of the ICC, one panel a region.

use crate::report::figure::{Draft, Figure, Paper, lettered, value, words};
use osteon_plot::{Anchor, Axis, Colour, Direction, Mark, Panel, Pen, Range, Shape, TextStyle, Ticks, What};

/// One region and the ICC of each feature; undefined ones are left out and counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    pub name: String,
    pub icc: Vec<Option<f64>>,
}

const BINS: usize = 20;

/// `masks`: whose are compared, in words; `threshold`: the smallest ICC that counts as agreement.
pub fn figure(regions: &[Region], masks: &str, threshold: f64, paper: &Paper) -> Figure {
    let draft = Draft {
        name: "icc",
        title: "Agreement of two segmentations",
        caption: format!(
            "Agreement of features between {masks}: number of features by ICC(2,1) in each region. Dashed line: threshold of \
             {threshold}, with the percentage of features at or above it; values below 0 are counted in the first bar. ICC, \
             intraclass correlation coefficient."
        ),
        columns: paper.columns(2) * 2.min(regions.len()).max(1),
        headings: &["region", "from", "to", "features"],
    };
    let mut rows = Vec::new();
    for region in regions {
        for (n, count) in counts(region).into_iter().enumerate() {
            let edge = |n: usize| value(n as f64 / BINS as f64);
            rows.push(vec![words(&region.name), edge(n), edge(n + 1), crate::report::sheet::Cell::Count(count)]);
        }
    }
    let most = regions.iter().flat_map(counts).max().unwrap_or(1).max(1);
    let panels = regions.iter().enumerate().map(|(n, region)| panel(n, region, threshold, most)).collect();
    draft.finish(paper, panels, rows)
}

fn counts(region: &Region) -> Vec<usize> {
    let mut counts = vec![0; BINS];
    for icc in region.icc.iter().flatten() {
        counts[((icc.max(0.0) * BINS as f64) as usize).min(BINS - 1)] += 1;
    }
    counts
}

fn panel(n: usize, region: &Region, threshold: f64, most: usize) -> Panel {
    let known: Vec<f64> = region.icc.iter().flatten().copied().collect();
    let good = known.iter().filter(|&&icc| icc >= threshold).count();
    let share = if known.is_empty() { 0.0 } else { 100.0 * good as f64 / known.len() as f64 };
    let bin = |n: usize| n as f64 / BINS as f64;
    let bar = |(n, count): (usize, usize)| [bin(n) + 0.004, 0.0, bin(n + 1) - 0.004, count as f64];
    let (above, below): (Vec<_>, Vec<_>) =
        counts(region).into_iter().enumerate().map(bar).partition(|it| it[0] >= threshold - 1e-9);
    let beside = TextStyle { anchor: Anchor::End, offset_pt: [-3.0, 0.0], ..TextStyle::default() };
    Panel {
        title: lettered(n, &region.name),
        x: Axis {
            ticks: Ticks::At([0.0, 0.5, 1.0].map(|at| (at, format!("{at:.1}"))).to_vec()),
            ..Axis::fixed("ICC(2,1)", 0.0, 1.0)
        },
        y: Axis { range: Range::Fixed(0.0, most as f64 * 1.2), ..Axis::titled("Features") },
        marks: vec![
            Mark::new(What::Bars { boxes: below }, Colour::Muted),
            Mark::new(What::Bars { boxes: above }, Colour::Series(0)),
            Mark::rule(threshold, Direction::Vertical, Pen::dashed(0.8)),
            Mark::text([threshold, most as f64 * 1.12], format!("{share:.0}% ≥ {threshold}"), beside),
        ],
        shape: Shape::Ratio(0.75),
        ..Panel::default()
    }
}
