//! One patient's regions: a slice, and the slice with each region on it.

use crate::report::figure::{Draft, Figure, Paper, value, words};
use crate::report::sheet::Cell;
use osteon_plot::{Anchor, Axis, Colour, Mark, Panel, Pen, Shape, TextStyle, What};

/// One slice of an image, rows from the top, and regions on the same cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// Whose it is, for who draws it: the figure itself names nobody.
    pub patient: String,
    pub columns: usize,
    /// Intensities, row after row.
    pub intensities: Vec<f64>,
    /// Size of a cell across and down.
    pub spacing_mm: [f64; 2],
    pub regions: Vec<(String, Vec<bool>)>,
}

pub fn figure(slice: &Slice, paper: &Paper) -> Figure {
    let draft = Draft {
        name: "workflow",
        title: "Regions of one patient",
        caption:
            "Regions of interest in one patient, on the slice with the largest tumor area (a). Intra: tumor; peri: the \
                  region around it up to the stated distance; intra + peri: both together. Scale bar: 10 mm."
                .to_owned(),
        columns: paper.columns(2) * 2,
        headings: &["region", "cells", "area_mm2"],
    };
    let area = slice.spacing_mm[0] * slice.spacing_mm[1];
    let row = |(name, cells): &(String, Vec<bool>)| {
        let count = cells.iter().filter(|&&inside| inside).count();
        vec![words(name), Cell::Count(count), value(count as f64 * area)]
    };
    let rows = slice.regions.iter().map(row).collect();
    let mut panels = vec![panel(slice, 0, "Image", None)];
    panels.extend(slice.regions.iter().enumerate().map(|(n, (name, cells))| panel(slice, n + 1, name, Some(cells))));
    draft.finish(paper, panels, rows)
}

fn panel(slice: &Slice, n: usize, name: &str, region: Option<&[bool]>) -> Panel {
    let columns = slice.columns.max(1);
    let rows = (slice.intensities.len() / columns).max(1);
    let raster =
        What::Raster { x: [0.0, columns as f64], y: [0.0, rows as f64], columns, grey: grey(&slice.intensities) };
    let mut marks = vec![Mark::new(raster, Colour::Ink)];
    if let Some(cells) = region {
        marks.push(Mark::new(What::Bars { boxes: runs(cells, columns) }, Colour::Series(1)).faded(0.3));
        let pen = Pen::solid(0.9);
        marks.push(Mark::new(What::Segments { pairs: outline(cells, columns), pen }, Colour::Series(4)));
    }
    if region.is_none() {
        marks.extend(scale_bar(slice, rows));
    }
    let letter = char::from(b'a' + (n % 26) as u8);
    Panel {
        title: format!("{letter}  {name}"),
        x: Axis::hidden(0.0, columns as f64),
        y: Axis::hidden(rows as f64, 0.0),
        marks,
        shape: Shape::Ratio(rows as f64 * slice.spacing_mm[1] / (columns as f64 * slice.spacing_mm[0])),
        ..Panel::default()
    }
}

/// A white line of 10 mm in the lower left corner.
fn scale_bar(slice: &Slice, rows: usize) -> [Mark; 2] {
    let (x, y) = (slice.columns as f64 * 0.05, rows as f64 * 0.94);
    let pairs = vec![[[x, y], [x + 10.0 / slice.spacing_mm[0], y]]];
    let style = TextStyle { anchor: Anchor::Start, offset_pt: [0.0, 5.5], ..TextStyle::default() };
    let words = Mark { colour: Colour::White, ..Mark::text([x, y], "10 mm", style) };
    [Mark::new(What::Segments { pairs, pen: Pen::solid(1.6) }, Colour::White), words]
}

/// Black at the 1st percentile, white at the 99th.
fn grey(intensities: &[f64]) -> Vec<u8> {
    let mut sorted: Vec<f64> = intensities.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted.get(((sorted.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or(0.0);
    let (low, high) = (at(0.01), at(0.99));
    let width = (high - low).max(1e-12);
    intensities.iter().map(|v| ((v - low) / width * 255.0).clamp(0.0, 255.0) as u8).collect()
}

/// Horizontal runs of a region as rectangles.
fn runs(cells: &[bool], columns: usize) -> Vec<[f64; 4]> {
    let mut boxes = Vec::new();
    for (y, row) in cells.chunks(columns).enumerate() {
        let mut x = 0;
        while x < row.len() {
            let length = row[x..].iter().take_while(|&&inside| inside).count();
            if length > 0 {
                boxes.push([x as f64, y as f64, (x + length) as f64, y as f64 + 1.0]);
            }
            x += length.max(1);
        }
    }
    boxes
}

/// Edges between cells inside and cells outside; straight runs are one line.
fn outline(cells: &[bool], columns: usize) -> Vec<[[f64; 2]; 2]> {
    let rows = cells.len() / columns;
    let inside = |x: isize, y: isize| {
        x >= 0 && y >= 0 && x < columns as isize && y < rows as isize && cells[y as usize * columns + x as usize]
    };
    let mut lines = Vec::new();
    let mut edges = |length: usize, edge: &dyn Fn(isize) -> bool, line: &dyn Fn(f64, f64) -> [[f64; 2]; 2]| {
        let mut from = 0;
        for at in 0..=length {
            if at == length || !edge(at as isize) {
                if at > from {
                    lines.push(line(from as f64, at as f64));
                }
                from = at + 1;
            }
        }
    };
    for y in 0..=rows as isize {
        edges(columns, &|x| inside(x, y - 1) != inside(x, y), &|a, b| [[a, y as f64], [b, y as f64]]);
    }
    for x in 0..=columns as isize {
        edges(rows, &|y| inside(x - 1, y) != inside(x, y), &|a, b| [[x as f64, a], [x as f64, b]]);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_of_two_cells_is_their_rectangle() {
        let lines = outline(&[false, false, false, true, true, false], 3);
        assert_eq!(lines.len(), 4);
        assert!(lines.contains(&[[0.0, 1.0], [2.0, 1.0]]));
        assert!(lines.contains(&[[2.0, 1.0], [2.0, 2.0]]));
    }
}
