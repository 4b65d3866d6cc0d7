//! Where the voxels of a resampled image lie: pyradiomics' lattice, corner to corner with the old one.

use crate::grid::{Bounds, Geometry};
use crate::preprocess::Extent;

/// A grid of new spacing whose first voxel's outer corner is the old one's.
pub struct Lattice {
    /// Along z, y, x.
    axes: [Ratio; 3],
}

/// Old and new voxels along one axis.
#[derive(Clone, Copy)]
struct Ratio {
    old_mm: f64,
    new_mm: f64,
    old_len: usize,
}

/// The places of new voxels along one axis, in voxels of the old image.
pub struct Axis {
    /// Position of the first in the whole lattice.
    pub first: i64,
    pub spacing_mm: f64,
    /// Continuous indices into the old image.
    pub places: Vec<f64>,
    /// First position and length of pyradiomics' own crop, and the continuous index of its first voxel: the last bit
    /// of every place is counted from there.
    pub counted_from: i64,
    pub counted_len: usize,
    pub start: f64,
    old_len: usize,
}

impl Lattice {
    /// `None` when the old spacing is kept on every axis (numpy's `allclose`).
    ///
    /// `spacing_mm` is x, y, z; 0, and an axis on which the region is one voxel thick, keep the old spacing.
    pub fn new(old: &Geometry, region: Bounds, spacing_mm: &[f64]) -> Option<Lattice> {
        let &[x, y, z] = spacing_mm else { return None };
        let asked = [z, y, x];
        let axes: [Ratio; 3] = std::array::from_fn(|k| {
            let old_mm = old.spacing_mm[k];
            let new_mm = if asked[k] == 0.0 || region.shape[k] == 1 { old_mm } else { asked[k] };
            Ratio { old_mm, new_mm, old_len: old.shape[k] }
        });
        let kept = axes.iter().all(|axis| (axis.new_mm - axis.old_mm).abs() <= 1e-8 + 1e-5 * axis.old_mm);
        (!kept).then_some(Lattice { axes })
    }

    /// The grid whose centre is the old one's: as many voxels as cover the old extent, none more.
    pub fn centred(&self) -> [Axis; 3] {
        self.axes.map(Ratio::centred)
    }

    pub fn axes(&self, region: Bounds, extent: Extent) -> [Axis; 3] {
        std::array::from_fn(|k| {
            let (ratio, low, len) = (self.axes[k], region.low[k], region.shape[k]);
            match extent {
                Extent::Whole => ratio.axis((0, ratio.last()), (0, ratio.last())),
                Extent::Around { voxels, counted_from } => {
                    let counted = ratio.range(low, len, counted_from as f64);
                    ratio.axis(counted, ratio.range(low, len, voxels[k] as f64))
                }
            }
        })
    }
}

impl Ratio {
    /// Last position of the whole lattice.
    fn last(self) -> i64 {
        (self.old_len as f64 * self.old_mm / self.new_mm).ceil() as i64 - 1
    }

    /// A quotient that rounding left above a whole number is that number.
    fn centred(self) -> Axis {
        let len = ((self.old_len as f64 * self.old_mm / self.new_mm) * (1.0 - 1e-12)).ceil() as usize;
        let step = self.new_mm / self.old_mm;
        let start = ((self.old_len - 1) as f64 - (len - 1) as f64 * step) / 2.0;
        Axis {
            first: 0,
            spacing_mm: self.new_mm,
            places: (0..len).map(|at| start + at as f64 * step).collect(),
            counted_from: 0,
            counted_len: len,
            start,
            old_len: self.old_len,
        }
    }

    /// First and last position at `pad` new voxels around a region of the old image.
    fn range(self, low: usize, len: usize, pad: f64) -> (i64, i64) {
        let ratio = self.old_mm / self.new_mm;
        let first = ((low as f64 - 0.5) * ratio - pad).floor() as i64;
        let last = (((low + len) as f64 - 0.5) * ratio + pad).ceil() as i64;
        (first.max(0), last.min(self.last()))
    }

    /// Counted from the first voxel of `counted`, as pyradiomics does from its crop.
    fn axis(self, counted: (i64, i64), (first, last): (i64, i64)) -> Axis {
        let (ratio, step) = (self.old_mm / self.new_mm, self.new_mm / self.old_mm);
        let start = 0.5 * (self.new_mm - self.old_mm) / self.old_mm + counted.0 as f64 / ratio;
        Axis {
            first,
            spacing_mm: self.new_mm,
            places: (first..=last).map(|at| start + (at - counted.0) as f64 * step).collect(),
            counted_from: counted.0,
            counted_len: (counted.1 + 1 - counted.0) as usize,
            start,
            old_len: self.old_len,
        }
    }
}

impl Axis {
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether the old image reaches this place: half a voxel beyond its outer centres, and a little more where a
    /// rounding decides voxel by voxel.
    pub fn may_be_inside(&self, place: f64) -> bool {
        const ROUNDING: f64 = 1e-6;
        (-0.5 - ROUNDING..self.old_len as f64 - 0.5 + ROUNDING).contains(&place)
    }
}

/// The geometry of the new voxels.
pub fn geometry(old: &Geometry, axes: &[Axis; 3]) -> Geometry {
    Geometry {
        shape: axes.each_ref().map(Axis::len),
        origin_mm: old.point_mm(axes.each_ref().map(|axis| axis.places[0])),
        spacing_mm: axes.each_ref().map(|axis| axis.spacing_mm),
        axes: old.axes,
    }
}
