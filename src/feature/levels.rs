//! Grey levels of fixed width, anchored at 0 as pyradiomics does: bins are the same for every region.

use crate::feature::layout::Layout;

/// Grey levels of every voxel of a layout: 1 is the lowest bin of all its regions.
pub struct Levels {
    /// Level of every cell of the padded box; 0 outside.
    pub cells: Vec<u16>,
    /// Level of every voxel, shell by shell.
    pub of_voxel: Vec<u16>,
    /// Highest level of all.
    pub span: usize,
    /// Voxels of each level, 0 to `span`, by region.
    pub counts: Vec<Vec<u32>>,
    /// Lowest level of each region: it is the region's level 1.
    pub lowest: Vec<usize>,
    /// Highest level of each region.
    pub highest: Vec<usize>,
}

/// More grey levels than any texture has meaning for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the bin width {bin_width} makes {levels} grey levels, at most {MAX_LEVELS} are counted")]
pub struct TooManyLevels {
    pub bin_width: f64,
    pub levels: f64,
}

/// Grey levels that one image may have.
pub const MAX_LEVELS: usize = 20_000;

impl Levels {
    /// `level = floor(x / w) - floor(min / w) + 1`, the minimum taken over all regions.
    pub fn new(layout: &Layout, values: &[f64], bin_width: f64) -> Result<Levels, TooManyLevels> {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let base = (low / bin_width).floor();
        let levels = (high / bin_width).floor() - base + 1.0;
        if levels > MAX_LEVELS as f64 {
            return Err(TooManyLevels { bin_width, levels });
        }
        let mut cells = vec![0; layout.n_cells];
        let mut of_voxel = Vec::with_capacity(values.len());
        for (&cell, value) in layout.cells.iter().zip(values) {
            let bin = value / bin_width;
            // Never negative, so that cutting off the fraction is the floor, unless the difference was rounded up.
            let above = (bin - base) as i32;
            let level = (above + 1 - i32::from(bin < base + f64::from(above))) as u16;
            cells[cell as usize] = level;
            of_voxel.push(level);
        }
        let span = if values.is_empty() { 0 } else { levels as usize };
        let by_shell: Vec<Vec<u32>> = layout.shells().map(|(_, voxels)| histogram(&of_voxel[voxels], span)).collect();
        let counts: Vec<Vec<u32>> = layout
            .regions
            .iter()
            .map(|shells| (0..=span).map(|level| shells.clone().map(|shell| by_shell[shell][level]).sum()).collect())
            .collect();
        let lowest = counts.iter().map(|counts| counts.iter().position(|&n| n > 0).unwrap_or(1)).collect();
        let highest = counts.iter().map(|counts| counts.iter().rposition(|&n| n > 0).unwrap_or(1)).collect();
        Ok(Levels { cells, of_voxel, span, counts, lowest, highest })
    }

    /// The levels of a region in its own numbers: those of the slice `counts[region][lowest..=highest]`.
    pub fn range(&self, region: usize) -> std::ops::RangeInclusive<usize> {
        self.lowest[region]..=self.highest[region]
    }
}

fn histogram(levels: &[u16], span: usize) -> Vec<u32> {
    let mut counts = vec![0; span + 1];
    for &level in levels {
        counts[usize::from(level)] += 1;
    }
    counts
}
