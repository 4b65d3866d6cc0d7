//! z-score and resampling of images before anything is measured.

use serde::{Deserialize, Serialize};

/// How an image is prepared and its grey levels are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// z-score over all voxels of the file, with the n - 1 standard deviation.
    pub normalise: bool,
    /// Voxel size x, y, z in mm to resample to; empty keeps the image's own grid.
    pub spacing_mm: Vec<f64>,
    /// Width of the grey level bins, anchored at 0.
    pub bin_width: f64,
}
