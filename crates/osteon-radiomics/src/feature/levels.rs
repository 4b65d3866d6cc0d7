//! Grey levels of fixed width, anchored at 0 as pyradiomics does: bins are the same for every region.

use crate::feature::layout::Layout;

/// Width of the bins, and how exactly their edges are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bins {
    pub width: f64,
    pub edges: Edges,
}

/// Where a bin begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edges {
    /// At the multiples of the width: `floor(x / w)`.
    Multiples,
    /// At the multiples of the width as pyradiomics adds them up from each region's minimum: off by the roundings of
    /// the image's precision, which move a voxel whose value is next to an edge.
    Counted(Precision),
    /// So many bins of equal width between a region's extremes, the largest value in the last: numpy's histogram. The
    /// width has no say.
    Number(usize, Precision),
}

/// Of the numbers that pyradiomics holds an image in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    Single,
    Double,
}

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
#[error("the bin width {bin_width} makes {levels} gray levels, at most {MAX_LEVELS} are counted")]
pub struct TooManyLevels {
    pub bin_width: f64,
    pub levels: f64,
}

/// Grey levels that one image may have.
pub const MAX_LEVELS: usize = 20_000;

impl Levels {
    /// `level = floor(x / w) - floor(min / w) + 1`, the minimum taken over all regions; of a region alone, counted as
    /// the bins say.
    pub fn new(layout: &Layout, values: &[f64], bins: Bins) -> Result<Levels, TooManyLevels> {
        let width = bins.width;
        let (low, high) = range(values);
        let base = (low / width).floor();
        let levels = match bins.edges {
            Edges::Number(n, _) => n as f64,
            _ => (high / width).floor() - base + 1.0,
        };
        if levels > MAX_LEVELS as f64 {
            return Err(TooManyLevels { bin_width: width, levels });
        }
        let of_voxel: Vec<u16> = match bins.edges {
            Edges::Counted(precision) if layout.regions.len() == 1 => {
                let counted = Counted::new(low, width, precision);
                values.iter().map(|&value| counted.level(value)).collect()
            }
            Edges::Number(n, precision) => {
                let edges = numbered(low, high, n, precision);
                let below = |value: &f64| edges.partition_point(|edge| edge <= value) as u16;
                values.iter().map(below).collect()
            }
            _ => values.iter().map(|value| level(value / width, base)).collect(),
        };
        let mut cells = vec![0; layout.n_cells];
        for (&cell, &level) in layout.cells.iter().zip(&of_voxel) {
            cells[cell as usize] = level;
        }
        let span = usize::from(of_voxel.iter().copied().max().unwrap_or(0));
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

    /// Whether each region would have the same levels alone.
    pub fn are_those_of_each_region(&self, layout: &Layout, values: &[f64], bins: Bins) -> bool {
        let precision = match bins.edges {
            Edges::Multiples => return true,
            Edges::Number(..) => return layout.regions.len() == 1,
            Edges::Counted(precision) => precision,
        };
        (0..layout.regions.len()).all(|region| {
            let (values, levels) = (&values[layout.voxels_of(region)], &self.of_voxel[layout.voxels_of(region)]);
            let counted = Counted::new(range(values).0, bins.width, precision);
            let below = self.lowest[region] as u16 - 1;
            values.iter().zip(levels).all(|(&value, &level)| counted.level(value) == level - below)
        })
    }

    /// The levels of a region in its own numbers: those of the slice `counts[region][lowest..=highest]`.
    pub fn range(&self, region: usize) -> std::ops::RangeInclusive<usize> {
        self.lowest[region]..=self.highest[region]
    }
}

/// The least and the largest value; of none, infinity and minus infinity.
pub fn range(values: &[f64]) -> (f64, f64) {
    const LANES: usize = 8;
    let (mut low, mut high) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            // Unlike `f64::min` these are one instruction each: there is no NaN.
            low[lane] = if chunk[lane] < low[lane] { chunk[lane] } else { low[lane] };
            high[lane] = if chunk[lane] > high[lane] { chunk[lane] } else { high[lane] };
        }
    }
    let low = low.into_iter().chain(rest.iter().copied()).fold(f64::INFINITY, f64::min);
    (low, high.into_iter().chain(rest.iter().copied()).fold(f64::NEG_INFINITY, f64::max))
}

/// The level of a value of so many bin widths, where the first level begins at `base` widths.
fn level(bin: f64, base: f64) -> u16 {
    // Never negative, so that cutting off the fraction is the floor, unless the difference was rounded up.
    let above = (bin - base) as i32;
    (above + 1 - i32::from(bin < base + f64::from(above))) as u16
}

/// pyradiomics' edges `first + i step`: `numpy.arange(min - min % w, ..., w)`.
struct Counted {
    first: f64,
    step: f64,
}

impl Counted {
    fn new(low: f64, width: f64, precision: Precision) -> Counted {
        // numpy takes the remainder and the second edge in the image's precision, and all else in double.
        let (first, second) = match precision {
            Precision::Double => {
                let first = low - low.rem_euclid(width);
                (first, first + width)
            }
            Precision::Single => {
                let (low, width) = (low as f32, width as f32);
                let first = low - low.rem_euclid(width);
                (f64::from(first), f64::from(first + width))
            }
        };
        Counted { first, step: second - first }
    }

    /// How many edges are not above the value.
    fn level(&self, value: f64) -> u16 {
        let edge = |bin: f64| self.first + bin * self.step;
        let bin = ((value - self.first) / self.step).floor();
        // The division is off by one where the value is next to an edge.
        let bin = bin + f64::from(u8::from(edge(bin + 1.0) <= value)) - f64::from(u8::from(edge(bin) > value));
        bin as u16 + 1
    }
}

/// `numpy.histogram`'s edges in the image's precision, the last moved by 1 so that the largest value lies below it.
fn numbered(low: f64, high: f64, n: usize, precision: Precision) -> Vec<f64> {
    let (low, high) = if low == high { (low - 0.5, high + 0.5) } else { (low, high) };
    let mut edges: Vec<f64> = match precision {
        Precision::Double => {
            let step = (high - low) / n as f64;
            (0..=n).map(|at| at as f64 * step + low).collect()
        }
        Precision::Single => {
            let (low, step) = (low as f32, (high as f32 - low as f32) / n as f32);
            (0..=n).map(|at| f64::from(at as f32 * step + low)).collect()
        }
    };
    edges[n] = match precision {
        Precision::Double => high + 1.0,
        Precision::Single => f64::from(high as f32 + 1.0),
    };
    edges
}

fn histogram(levels: &[u16], span: usize) -> Vec<u32> {
    let mut counts = vec![0; span + 1];
    for &level in levels {
        counts[usize::from(level)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_edges_are_numpys() {
        // numpy 2.4.6: low = numpy.float32(-0.84637415); low -= low % 0.1; numpy.arange(low, low + 1.6, 0.1)[[1, 9, 15]]
        let single = Counted::new(f64::from(-0.846_374_15_f32), 0.1, Precision::Single);
        let edges = [1.0, 9.0, 15.0].map(|bin| single.first + bin * single.step);
        assert_eq!(edges, [-0.800000011920929, 1.7881393432617188e-07, 0.6000003218650818]);
        assert_eq!([1.457_002_4e-7, 1.788_139_4e-7].map(|value| single.level(value)), [9, 10]);
        // numpy 2.4.6: low = -0.84637415; low -= low % 0.1; numpy.arange(low, low + 1.6, 0.1)[[1, 9, 15]]
        let double = Counted::new(-0.84637415, 0.1, Precision::Double);
        let edges = [1.0, 9.0, 15.0].map(|bin| double.first + bin * double.step);
        assert_eq!(edges, [-0.8, -2.220446049250313e-16, 0.5999999999999995]);
    }
}
