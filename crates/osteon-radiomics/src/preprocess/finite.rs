//! Images with voxels that are no finite numbers, as programs write around a brain or beyond a field of view.

use std::borrow::Cow;

use crate::grid::{Image, Mask};
use crate::preprocess::PreprocessError;

/// The image with finite numbers alone, for those who look at nothing beyond `measured`: the voxels of every region.
/// `around` names what looks beyond it.
///
/// # Errors
/// With a voxel inside that is no finite number; with one outside where something looks there.
pub fn finite<'a>(
    image: &'a Image,
    measured: impl FnOnce() -> Mask,
    around: Option<&'static str>,
) -> Result<Cow<'a, Image>, PreprocessError> {
    let values = image.volume.as_slice();
    let n = values.iter().filter(|value| !value.is_finite()).count();
    if n == 0 {
        return Ok(Cow::Borrowed(image));
    }
    let measured = measured();
    let inside = values.iter().zip(measured.as_slice()).filter(|(value, inside)| **inside && !value.is_finite());
    let inside = inside.count();
    if inside > 0 {
        return Err(PreprocessError::NotFinite { voxels: inside, n });
    }
    if let Some(reader) = around {
        return Err(PreprocessError::NotFiniteAround { voxels: n, reader });
    }
    // Read by nobody: a value of the region widens no range.
    let filler = values.iter().zip(measured.as_slice()).find(|(_, inside)| **inside).map_or(0.0, |(value, _)| *value);
    let volume = image.volume.map(|&value| if value.is_finite() { value } else { filler });
    Ok(Cow::Owned(Image { volume, element: image.element }))
}
