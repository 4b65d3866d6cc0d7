//! Regions: dilations by millimetres, rings, and the seven regions of a study.

mod shell;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use osteon_base::setting::{self, Unfit};
pub use shell::Shells;

/// Margins of one image at most: each shell between two is told by a byte, and more would be a slip.
pub const MAX_MARGINS: usize = 100;

/// No region reaches a meter beyond its tumour: the largest margin in mm.
pub const MAX_MARGIN_MM: f64 = 1000.0;

/// Which regions are made around the tumour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Margins in mm; each gives a ring (`peri`) and the tumour with its ring (`intra_peri`).
    pub margins_mm: Vec<f64>,
}

impl Params {
    /// Names a setting that no run could use.
    pub fn check(&self) -> Result<(), Unfit> {
        let margins = &self.margins_mm;
        let sound = margins.iter().all(|margin| *margin > 0.0 && *margin <= MAX_MARGIN_MM);
        setting::require(sound, "margins_mm", margins, "numbers above 0, at most 1000")?;
        setting::without_copies("margins_mm", margins)
    }
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

/// A word that names no region.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no region is called {0}; there are intra, peri_Nmm and intra_peri_Nmm, as in peri_2mm, up to 1000 mm")]
pub struct UnknownRoi(String);

impl FromStr for Roi {
    type Err = UnknownRoi;

    fn from_str(name: &str) -> Result<Roi, UnknownRoi> {
        let margin = |text: &str| {
            let margin: f64 = text.strip_suffix("mm")?.parse().ok()?;
            (margin > 0.0 && margin <= MAX_MARGIN_MM).then_some(margin)
        };
        let found = match (name.strip_prefix("peri_"), name.strip_prefix("intra_peri_")) {
            _ if name == "intra" => Some(Roi::Intra),
            (Some(text), _) => margin(text).map(Roi::Peri),
            (_, Some(text)) => margin(text).map(Roi::IntraPeri),
            _ => None,
        };
        found.ok_or_else(|| UnknownRoi(name.to_owned()))
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
        assert!(names.iter().all(|name| name.parse::<Roi>().unwrap().to_string() == *name));
        assert!(
            ["peri_", "peri_-2mm", "intra_4mm", "dil2", "peri_1e300mm", "peri_nanmm"]
                .iter()
                .all(|name| name.parse::<Roi>().is_err())
        );
    }
}
