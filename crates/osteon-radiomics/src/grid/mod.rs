//! Images as values: where voxels lie in space, and one cell for each.
//!
//! Axis order is z, y, x everywhere: `cells[[z, y, x]]`, `shape`, `spacing_mm` and `axes` alike.
//! Physical points are x, y, z in millimetres in the LPS system of DICOM and ITK.

mod bounds;
mod image;

use std::fmt;

use ndarray::Array3;
use serde::{Deserialize, Serialize};

pub use bounds::{Bounds, Reach};
pub use image::{Element, Image};

/// Where the voxels of a volume lie in space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Geometry {
    /// Number of voxels along z, y, x.
    pub shape: [usize; 3],
    /// Centre of voxel (0, 0, 0): physical x, y, z in mm (LPS).
    pub origin_mm: [f64; 3],
    /// Distance between voxel centres along z, y, x.
    pub spacing_mm: [f64; 3],
    /// `axes[k]` is the unit vector (physical x, y, z) along which index `k` of z, y, x grows.
    pub axes: [[f64; 3]; 3],
}

/// One cell for each voxel of a geometry.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid<T> {
    geometry: Geometry,
    cells: Array3<T>,
}

/// Intensities.
pub type Volume = Grid<f64>;

/// Which voxels belong to a region.
pub type Mask = Grid<bool>;

/// The cells do not fill the geometry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cells:?} cells do not fill a grid of {shape:?} voxels")]
pub struct ShapeError {
    pub cells: [usize; 3],
    pub shape: [usize; 3],
}

impl Geometry {
    /// Axes along x, y and z of the patient, origin at 0.
    pub fn upright(shape: [usize; 3], spacing_mm: [f64; 3]) -> Self {
        Geometry { shape, origin_mm: [0.0; 3], spacing_mm, axes: [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]] }
    }

    /// Physical x, y, z (mm) of a continuous index z, y, x.
    pub fn point_mm(&self, index: [f64; 3]) -> [f64; 3] {
        let mut point = self.origin_mm;
        for (k, &at) in index.iter().enumerate() {
            for (coordinate, along) in point.iter_mut().zip(self.axes[k]) {
                *coordinate += at * self.spacing_mm[k] * along;
            }
        }
        point
    }

    /// Number of voxels.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is no voxel at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Volume of one voxel in mm3.
    pub fn voxel_mm3(&self) -> f64 {
        self.spacing_mm.iter().product()
    }

    /// The eight corner voxels' centres, physical x, y, z (mm).
    pub fn corners_mm(&self) -> [[f64; 3]; 8] {
        std::array::from_fn(|corner| {
            self.point_mm(std::array::from_fn(|k| {
                if corner >> k & 1 == 1 { self.shape[k].saturating_sub(1) as f64 } else { 0.0 }
            }))
        })
    }

    /// Largest distance (mm) between the two grids' corner voxels; `None` when the shapes differ.
    pub fn corner_distance_mm(&self, other: &Geometry) -> Option<f64> {
        let apart = |(a, b): ([f64; 3], [f64; 3])| a.iter().zip(b).map(|(p, q)| (p - q).powi(2)).sum::<f64>().sqrt();
        (self.shape == other.shape)
            .then(|| self.corners_mm().into_iter().zip(other.corners_mm()).map(apart).fold(0.0, f64::max))
    }
}

/// In the order people use: x, y, z.
impl fmt::Display for Geometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([nz, ny, nx], [sz, sy, sx]) = (self.shape, self.spacing_mm);
        write!(f, "{nx} x {ny} x {nz} voxels of {sx} x {sy} x {sz} mm, ")?;
        let ([ox, oy, oz], [az, ay, ax]) = (self.origin_mm, self.axes);
        write!(f, "origin ({ox}, {oy}, {oz}), axes {ax:?} {ay:?} {az:?}")
    }
}

impl<T> Grid<T> {
    /// Errors when the cells do not fill the geometry.
    pub fn new(geometry: Geometry, cells: Array3<T>) -> Result<Self, ShapeError> {
        let (z, y, x) = cells.dim();
        if geometry.shape != [z, y, x] {
            return Err(ShapeError { cells: [z, y, x], shape: geometry.shape });
        }
        // Every stage reads the cells as one slice.
        let cells = if cells.is_standard_layout() {
            cells
        } else {
            Array3::from_shape_vec((z, y, x), cells.into_iter().collect()).expect("as many cells as before")
        };
        Ok(Grid { geometry, cells })
    }

    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    pub fn cells(&self) -> &Array3<T> {
        &self.cells
    }

    /// All cells, x fastest.
    pub fn as_slice(&self) -> &[T] {
        self.cells.as_slice().expect("the constructor made the layout standard")
    }

    /// The same geometry with other cells.
    pub fn map<U>(&self, f: impl FnMut(&T) -> U) -> Grid<U> {
        Grid { geometry: self.geometry.clone(), cells: self.cells.map(f) }
    }

    pub fn into_cells(self) -> Array3<T> {
        self.cells
    }
}

impl Mask {
    /// Number of voxels in the region.
    pub fn count(&self) -> usize {
        self.as_slice().iter().filter(|&&inside| inside).count()
    }

    /// Voxels of this region, of another one on the same grid, or of both. Panics when the shapes differ.
    pub fn or(&self, other: &Mask) -> Mask {
        assert_eq!(self.geometry.shape, other.geometry.shape, "regions of one grid");
        let cells = ndarray::Zip::from(&self.cells).and(&other.cells).map_collect(|&a, &b| a || b);
        Grid { geometry: self.geometry.clone(), cells }
    }

    /// The same voxels on another grid of the same shape.
    pub fn on(self, geometry: &Geometry) -> Result<Mask, ShapeError> {
        Grid::new(geometry.clone(), self.cells)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_do_not_fill_the_geometry_are_refused() {
        let geometry = Geometry::upright([2, 3, 4], [3.0, 1.0, 1.0]);
        assert!(Grid::new(geometry.clone(), Array3::<f64>::zeros((2, 3, 4))).is_ok());
        assert!(Grid::new(geometry, Array3::<f64>::zeros((4, 3, 2))).is_err());
    }

    #[test]
    fn a_point_moves_along_the_axis_of_its_index() {
        let geometry = Geometry::upright([2, 3, 4], [3.0, 2.0, 1.0]);
        assert_eq!(geometry.point_mm([1.0, 1.0, 1.0]), [1.0, 2.0, 3.0]);
        assert_eq!(geometry.corner_distance_mm(&geometry), Some(0.0));
    }
}
