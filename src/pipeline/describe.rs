//! One patient: image and mask in, the features of every region out.

use crate::grid::{Image, Mask};
use crate::job::{Cancelled, Job};
use crate::protocol::Protocol;
use crate::roi::Roi;
use crate::seed::Seed;

/// The features of one region, or why there are none.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionFeatures {
    pub roi: Roi,
    /// One value a name of `catalogue`, in its order; `None` where the feature is undefined.
    pub outcome: Result<Vec<Option<f64>>, RegionError>,
}

/// One region's trouble: data, kept and shown.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RegionError {
    #[error("the region holds {0} voxels, at least 2 in 2 dimensions are needed")]
    TooSmall(usize),
}

/// Why a whole patient could not be described.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DescribeError {
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Names of all features under a protocol, `original_shape_Elongation` first.
pub fn catalogue(_protocol: &Protocol) -> Vec<String> {
    Vec::new()
}

/// The features of `rois`; one step of the job an image and region. `seed` drives the noise images of this patient.
pub fn describe(
    _image: &Image,
    _mask: &Mask,
    _rois: &[Roi],
    _protocol: &Protocol,
    _seed: Seed,
    _job: &Job,
) -> Result<Vec<RegionFeatures>, DescribeError> {
    Ok(Vec::new())
}
