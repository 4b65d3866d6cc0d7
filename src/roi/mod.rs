//! Regions: dilations by millimetres, rings, and the seven regions of a study.

mod shell;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use shell::Shells;

/// Which regions are made around the tumour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Margins in mm; each gives a ring (`peri`) and the tumour with its ring (`intra_peri`).
    pub margins_mm: Vec<f64>,
}

/// One region of a patient, named as in the study: `intra`, `peri_2mm`, `intra_peri_2mm`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Roi {
    /// The tumour.
    Intra,
    /// The dilated tumour minus the tumour; margin in mm.
    Peri(f64),
    /// The dilated tumour; margin in mm.
    IntraPeri(f64),
}

impl Roi {
    /// `intra`, then a ring and a dilated tumour for each margin: intra, all rings, all dilations.
    pub fn all(params: &Params) -> Vec<Roi> {
        let margins = || params.margins_mm.iter().copied();
        [Roi::Intra].into_iter().chain(margins().map(Roi::Peri)).chain(margins().map(Roi::IntraPeri)).collect()
    }

    /// How far the region reaches beyond the tumour; `None` for the tumour itself.
    pub fn margin_mm(self) -> Option<f64> {
        match self {
            Roi::Intra => None,
            Roi::Peri(margin_mm) | Roi::IntraPeri(margin_mm) => Some(margin_mm),
        }
    }
}

impl fmt::Display for Roi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Roi::Intra => write!(f, "intra"),
            Roi::Peri(margin_mm) => write!(f, "peri_{margin_mm}mm"),
            Roi::IntraPeri(margin_mm) => write!(f, "intra_peri_{margin_mm}mm"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_study_has_seven_regions_with_the_published_names() {
        let names: Vec<String> =
            Roi::all(&Params { margins_mm: vec![2.0, 4.0, 6.0] }).iter().map(Roi::to_string).collect();
        let expected =
            ["intra", "peri_2mm", "peri_4mm", "peri_6mm", "intra_peri_2mm", "intra_peri_4mm", "intra_peri_6mm"];
        assert_eq!(names, expected);
    }
}
