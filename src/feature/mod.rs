//! Feature families: each builds one summary of a region, a const table reads it.

use serde::{Deserialize, Serialize};

/// Which features are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Families by pyradiomics' names: `shape`, `firstorder`, `glcm`, `glrlm`, `glszm`, `gldm`, `ngtdm`.
    pub families: Vec<String>,
    /// Features left out, as `family_Name`.
    pub exclude: Vec<String>,
}
