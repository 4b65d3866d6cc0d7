//! Boxes of voxels: what encloses a region, and cutting it out.

use ndarray::s;

use crate::grid::{Geometry, Grid, Image, Mask};

/// A box of voxels, axes z, y, x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// First voxel inside.
    pub low: [usize; 3],
    pub shape: [usize; 3],
}

impl Bounds {
    /// The box grown by `voxels` to both sides of each axis, as far as a grid of `shape` goes.
    pub fn grown(self, voxels: [usize; 3], shape: [usize; 3]) -> Bounds {
        let low: [usize; 3] = std::array::from_fn(|k| self.low[k].saturating_sub(voxels[k]));
        let end = |k: usize| (self.low[k] + self.shape[k] + voxels[k]).min(shape[k]);
        Bounds { low, shape: std::array::from_fn(|k| end(k) - low[k]) }
    }
}

/// How far from a region the image still changes a value in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Along z, y, x.
    pub voxels: [usize; 3],
    /// Whether what lies at the other end of an axis follows on its border.
    pub wraps: bool,
}

impl Reach {
    /// Voxels to keep around a region: an axis is kept whole where its border is reached and what follows on it too.
    pub fn around(self, region: Bounds, shape: [usize; 3]) -> [usize; 3] {
        std::array::from_fn(|k| {
            let (low, end) = (region.low[k], region.low[k] + region.shape[k]);
            let meets = self.voxels[k] > low || end + self.voxels[k] > shape[k];
            if self.wraps && meets { shape[k] } else { self.voxels[k] }
        })
    }
}

impl Geometry {
    /// The part of this geometry inside a box.
    pub fn cut(&self, bounds: Bounds) -> Geometry {
        let origin_mm = self.point_mm(bounds.low.map(|n| n as f64));
        Geometry { shape: bounds.shape, origin_mm, ..self.clone() }
    }
}

impl<T: Clone> Grid<T> {
    /// The part of the grid inside a box, which must lie in it.
    pub fn cut(&self, bounds: Bounds) -> Grid<T> {
        let [z, y, x] = std::array::from_fn(|k| bounds.low[k]..bounds.low[k] + bounds.shape[k]);
        let cells = self.cells().slice(s![z, y, x]).as_standard_layout().into_owned();
        Grid::new(self.geometry().cut(bounds), cells).expect("the slice has the shape of the box")
    }
}

impl Image {
    /// The part of the image inside a box, which must lie in it.
    pub fn cut(&self, bounds: Bounds) -> Image {
        Image { volume: self.volume.cut(bounds), element: self.element }
    }
}

impl Mask {
    /// The smallest box that holds the region; `None` when it is empty.
    pub fn bounds(&self) -> Option<Bounds> {
        let [_, ny, nx] = self.geometry().shape;
        let (mut low, mut high) = ([usize::MAX; 3], [0; 3]);
        for (row, cells) in self.as_slice().chunks_exact(nx.max(1)).enumerate() {
            let Some(first) = cells.iter().position(|&inside| inside) else { continue };
            let last = cells.iter().rposition(|&inside| inside).expect("a row with a first has a last");
            for (k, (from, to)) in [(row / ny, row / ny), (row % ny, row % ny), (first, last)].into_iter().enumerate() {
                low[k] = low[k].min(from);
                high[k] = high[k].max(to);
            }
        }
        (low[0] != usize::MAX).then(|| Bounds { low, shape: std::array::from_fn(|k| high[k] + 1 - low[k]) })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;

    #[test]
    fn the_box_of_a_region_is_cut_out_in_place() {
        let geometry = Geometry::upright([4, 5, 6], [3.0, 2.0, 1.0]);
        let inside = |at: (usize, usize, usize)| [(1, 2, 3), (2, 4, 1)].contains(&at);
        let mask = Grid::new(geometry, Array3::from_shape_fn((4, 5, 6), inside)).unwrap();
        let bounds = mask.bounds().unwrap();
        assert_eq!(bounds, Bounds { low: [1, 2, 1], shape: [2, 3, 3] });
        let grown = bounds.grown([1, 9, 1], [4, 5, 6]);
        assert_eq!(grown, Bounds { low: [0, 0, 0], shape: [4, 5, 5] });
        let cut = mask.cut(bounds);
        assert_eq!((cut.count(), cut.geometry().origin_mm), (2, [1.0, 4.0, 3.0]));
        assert_eq!(mask.map(|_| false).bounds(), None);
    }
}
