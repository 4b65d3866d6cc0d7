//! Where ITK's resampling looks for each new voxel in the old image, to the last bit.
//!
//! A new voxel half-way between two old ones takes one or the other by a rounding. ITK goes from index to point in mm
//! and back by an inverted matrix, for both ends of each row, and along a straight line between them; any other way to
//! the same place differs in thousands of voxels of an oblique image.

use crate::grid::Geometry;
use crate::preprocess::inverse::{Matrix, inverse};
use crate::preprocess::lattice::Axis;

/// The way from a new voxel to its continuous index in the old image. Everything here is in the order x, y, z.
pub struct Way {
    old_origin: [f64; 3],
    new_origin: [f64; 3],
    new_to_point: Matrix,
    point_to_old: Matrix,
    /// Position from which pyradiomics counts, and voxels of its rows.
    counted_from: [i64; 3],
    row_len: f64,
}

/// One row of new voxels.
pub struct Row {
    start: [f64; 3],
    along: [f64; 3],
    row_len: f64,
    first: i64,
}

impl Way {
    pub fn new(old: &Geometry, axes: &[Axis; 3]) -> Way {
        let [z, y, x] = axes;
        let by_axis = [x, y, z];
        let direction: Matrix = std::array::from_fn(|row| std::array::from_fn(|column| old.axes[2 - column][row]));
        let scaled = |mm: [f64; 3]| direction.map(|row| std::array::from_fn(|column| row[column] * mm[column]));
        let [sz, sy, sx] = old.spacing_mm;
        let old_to_point: Matrix = scaled([sx, sy, sz]);
        let start = by_axis.map(|axis| axis.start);
        let new_origin = std::array::from_fn(|row| {
            old_to_point[row].iter().zip(start).fold(0.0, |sum, (mm, at)| sum + mm * at) + old.origin_mm[row]
        });
        Way {
            old_origin: old.origin_mm,
            new_origin,
            new_to_point: scaled(by_axis.map(|axis| axis.spacing_mm)),
            point_to_old: inverse(old_to_point),
            counted_from: by_axis.map(|axis| axis.counted_from),
            row_len: x.counted_len as f64,
        }
    }

    /// The row at lattice positions `z` and `y`, whose first voxel is at `x`.
    pub fn row(&self, z: i64, y: i64, x: i64) -> Row {
        let [from_x, from_y, from_z] = self.counted_from;
        let (y, z) = ((y - from_y) as f64, (z - from_z) as f64);
        let start = self.old_index([0.0, y, z]);
        let end = self.old_index([self.row_len, y, z]);
        let along = std::array::from_fn(|k| end[k] - start[k]);
        Row { start, along, row_len: self.row_len, first: x - from_x }
    }

    fn old_index(&self, new: [f64; 3]) -> [f64; 3] {
        let point: [f64; 3] = std::array::from_fn(|row| {
            self.new_to_point[row].iter().zip(new).fold(self.new_origin[row], |sum, (mm, at)| sum + mm * at)
        });
        let apart: [f64; 3] = std::array::from_fn(|k| point[k] - self.old_origin[k]);
        self.point_to_old.map(|row| row[0] * apart[0] + row[1] * apart[1] + row[2] * apart[2])
    }
}

impl Row {
    /// The old voxel x, y, z nearest to the new voxel `at` of the row, the higher of two; `None` outside of an old
    /// image of `shape` x, y, z.
    pub fn nearest(&self, at: usize, shape: [usize; 3]) -> Option<[usize; 3]> {
        let mut found = [0; 3];
        for (k, place) in self.place(at).into_iter().enumerate() {
            if !(-0.5..shape[k] as f64 - 0.5).contains(&place) {
                return None;
            }
            found[k] = (place + 0.5).floor() as usize;
        }
        Some(found)
    }

    /// The continuous index x, y, z of the new voxel `at` of the row.
    pub fn place(&self, at: usize) -> [f64; 3] {
        let alpha = (self.first + at as i64) as f64 / self.row_len;
        std::array::from_fn(|k| self.start[k] + alpha * self.along[k])
    }
}
