//! A region as the IBSI sees it: the outline for shape, and the voxels whose intensities count.

use crate::feature::ibsi::Params;
use crate::feature::layout::DIRECTIONS;
use crate::grid::{Mask, Volume};

/// A region in a box that is one cell larger on every side.
pub struct Region {
    /// Cells of the padded box along z, y, x.
    pub shape: [usize; 3],
    pub spacing_mm: [f64; 3],
    /// Cells of the morphological mask.
    pub outline: Vec<usize>,
    /// Whether a cell belongs to the morphological mask.
    pub in_outline: Vec<bool>,
    /// Cells of the intensity mask: the outline without what re-segmentation took away.
    pub cells: Vec<usize>,
    /// Intensities of `cells`.
    pub values: Vec<f64>,
    /// Position in the image of the first cell inside the padding.
    low: [usize; 3],
}

impl Region {
    /// `None` when the outline is empty or no voxel is left by re-segmentation.
    pub fn new(volume: &Volume, outline: &Mask, params: &Params) -> Option<Region> {
        let bounds = outline.bounds()?;
        let shape = bounds.shape.map(|n| n + 2);
        let mut region = Region {
            shape,
            spacing_mm: volume.geometry().spacing_mm,
            outline: Vec::new(),
            in_outline: vec![false; shape.iter().product()],
            cells: Vec::new(),
            values: Vec::new(),
            low: bounds.low,
        };
        let (inside, values) = (outline.cut(bounds), volume.cut(bounds));
        for ((at, &inside), &value) in inside.cells().indexed_iter().zip(values.as_slice()) {
            if inside {
                let cell = region.cell([at.0 + 1, at.1 + 1, at.2 + 1]);
                region.outline.push(cell);
                region.in_outline[cell] = true;
                region.values.push(value);
            }
        }
        let kept = kept(&region.values, params);
        let keep = |value: &f64| (kept[0]..=kept[1]).contains(value);
        region.cells =
            region.outline.iter().zip(&region.values).filter(|(_, value)| keep(value)).map(|it| *it.0).collect();
        region.values.retain(keep);
        (!region.cells.is_empty()).then_some(region)
    }

    pub fn cell(&self, [z, y, x]: [usize; 3]) -> usize {
        (z * self.shape[1] + y) * self.shape[2] + x
    }

    /// z, y, x of a cell in the padded box.
    pub fn place(&self, cell: usize) -> [usize; 3] {
        let [_, ny, nx] = self.shape;
        [cell / (ny * nx), cell / nx % ny, cell % nx]
    }

    /// z, y, x of a cell in the image.
    pub fn position(&self, cell: usize) -> [usize; 3] {
        let place = self.place(cell);
        std::array::from_fn(|k| place[k] + self.low[k] - 1)
    }

    /// Cells to the next one in each of the 13 directions; the first four stay in the slice.
    pub fn steps(&self) -> [isize; 13] {
        let [_, ny, nx] = self.shape.map(|n| n as isize);
        DIRECTIONS.map(|[z, y, x]| (z * ny + y) * nx + x)
    }
}

/// Least and largest intensity that re-segmentation keeps: the range, and so many standard deviations (divided by n)
/// around the mean, both taken over the whole outline.
fn kept(values: &[f64], params: &Params) -> [f64; 2] {
    let mut kept = [f64::NEG_INFINITY, f64::INFINITY];
    if let &[low, high] = params.range.as_slice() {
        kept = [low, high];
    }
    if params.outliers_sd > 0.0 {
        let within: Vec<f64> = values.iter().copied().filter(|value| (kept[0]..=kept[1]).contains(value)).collect();
        let n = within.len() as f64;
        let mean = within.iter().sum::<f64>() / n;
        let sd = (within.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
        let reach = params.outliers_sd * sd;
        kept = [kept[0].max(mean - reach), kept[1].min(mean + reach)];
    }
    kept
}
