//! Filtered images: every filter listed once, each volume in, volume out.

use serde::{Deserialize, Serialize};

/// Which filtered images are made, and on which part of the image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Names of images or groups of images; `["all"]` is every one.
    pub images: Vec<String>,
    /// Scales of the Laplacian of Gaussian in mm.
    pub log_sigma_mm: Vec<f64>,
}
