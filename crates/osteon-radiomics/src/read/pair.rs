//! Whether an image and its mask lie on the same grid.

use crate::grid::Geometry;
use crate::read::{Params, Placing, ReadError, off_grid};

/// Errors, with both geometries, unless every voxel of the one is a voxel of the other under the same index, within a
/// hundredth of a voxel at the corners.
pub fn check_pair(image: &Geometry, mask: &Geometry) -> Result<(), ReadError> {
    let placing = Placing::new(image, mask);
    let same = placing.keeps_every_index(image.shape, mask.shape);
    if same && placing.off_voxels <= Params::default().tolerance_voxels {
        return Ok(());
    }
    Err(off_grid(image, mask, placing.off_voxels))
}
