//! Whether an image and its mask lie on the same grid.

use crate::grid::Geometry;
use crate::read::ReadError;

/// Corner voxels may lie this far apart: NIfTI stores single precision, good to 1e-5 mm within a metre.
const CORNER_MM: f64 = 1e-4;

/// Errors, with both geometries, unless each corner voxel's centre, the spacing and the axes agree.
pub fn check_pair(image: &Geometry, mask: &Geometry) -> Result<(), ReadError> {
    let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(p, q)| (p - q).abs() <= CORNER_MM);
    let agree = image.corner_distance_mm(mask).is_some_and(|apart| apart <= CORNER_MM)
        && close(&image.spacing_mm, &mask.spacing_mm)
        && close(image.axes.as_flattened(), mask.axes.as_flattened());
    if agree { Ok(()) } else { Err(ReadError::Pair { image: Box::new(image.clone()), mask: Box::new(mask.clone()) }) }
}
