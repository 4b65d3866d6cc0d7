//! Choosing features from training rows: constant ones out, z-score, mRMR, LASSO; agreement of two segmentations.

pub mod combat;
pub mod components;
pub mod copies;
pub mod correlated;
pub mod icc;
pub mod lasso;
pub mod mrmr;
pub mod scale;

mod mutual;

use osteon_base::setting::{self, Unfit};
use serde::{Deserialize, Serialize};

/// How features are chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Which features may be chosen at all.
    pub reproducible: Reproducible,
    /// Smallest ICC(2,1) between the two segmentations under `reproducible = "icc"`.
    pub icc_min: f64,
    pub mrmr: mrmr::Params,
    pub lasso: lasso::Params,
    /// Before mRMR.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub correlation: correlated::Params,
}

fn is_usual(params: &correlated::Params) -> bool {
    *params == correlated::Params::default()
}

/// The gate before selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reproducible {
    /// Every feature passes.
    All,
    /// Features whose ICC(2,1) between the mask and the repeat mask reaches `icc_min`.
    Icc,
}

impl Params {
    /// Names a setting that no run could use.
    pub fn check(&self) -> Result<(), Unfit> {
        let share = (0.0..=1.0).contains(&self.icc_min);
        setting::require(share, "icc_min", self.icc_min, "a number from 0 to 1")?;
        self.mrmr.check().map_err(|unfit| unfit.below("mrmr"))?;
        self.correlation.check().map_err(|unfit| unfit.below("correlation"))?;
        self.lasso.check().map_err(|unfit| unfit.below("lasso"))
    }
}

impl Default for Params {
    fn default() -> Self {
        Params {
            reproducible: Reproducible::All,
            icc_min: 0.75,
            mrmr: mrmr::Params::default(),
            lasso: lasso::Params::default(),
            correlation: correlated::Params::default(),
        }
    }
}
