//! Named protocols that others are written against.

use std::str::FromStr;
use std::sync::Arc;

use toml::{Table, Value};

use crate::protocol::codebook::Codebook;
use crate::protocol::learn::{self, RadScore};
use crate::protocol::{Protocol, ProtocolError};
use osteon_radiomics::describe;
use osteon_stats::model::logistic::{self, screen};
use osteon_stats::select::Reproducible;
use osteon_stats::stats::compare::{self, CategoricalRule, ContinuousRule};

/// A named protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// The published study: z-score, 1 x 1 x 3 mm, seven regions.
    Study,
    /// What the published tables print: Mann-Whitney and Pearson throughout, all patients deciding the model;
    /// Rad-scores of training patients from the forest that saw them, which makes training AUCs nearly 1.
    Published,
    /// What the published methods promise: tests by normality and expected counts, training patients deciding;
    /// reproducible features only, validation of publishable size.
    Recommended,
    /// pyradiomics' defaults: native grid, bin width 25, the original image, every feature.
    Pyradiomics,
    /// The families of the IBSI's manual by its own rules: trilinear interpolation on a grid aligned by its centre when
    /// a spacing is set, 32 grey levels, three-dimensional texture.
    Ibsi,
    /// `recommended` for a prospective study of osteosarcoma under neoadjuvant chemotherapy: its 33 variables.
    Osteosarcoma,
}

impl Preset {
    pub const ALL: [Preset; 6] = [
        Preset::Study,
        Preset::Published,
        Preset::Recommended,
        Preset::Pyradiomics,
        Preset::Ibsi,
        Preset::Osteosarcoma,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Preset::Study => "study",
            Preset::Published => "published",
            Preset::Recommended => "recommended",
            Preset::Pyradiomics => "pyradiomics",
            Preset::Ibsi => "ibsi",
            Preset::Osteosarcoma => "osteosarcoma",
        }
    }

    pub fn protocol(self) -> Protocol {
        let describe::Params { preprocess, roi, filter, feature } = self.measured();
        let study = Protocol {
            acquisition: osteon_radiomics::read::dicom::Params {
                repetition_time_ms: 2000.0,
                echo_time_ms: 90.0,
                slice_thickness_mm: 5.0,
                field_strength_t: 1.5,
                fat_suppressed: true,
                tolerance: 0.1,
                modality: String::new(),
                contrast: osteon_radiomics::read::dicom::Contrast::Any,
                b_value: 0.0,
                unit: String::new(),
            },
            query: crate::protocol::query::Params::default(),
            preprocess,
            roi,
            filter,
            feature,
            compare: compare::Params::default(),
            screen: screen::Params::default(),
            logistic: logistic::Params::default(),
            select: osteon_stats::select::Params::default(),
            forest: osteon_stats::model::forest::Params::default(),
            learn: learn::Params::default(),
            mask: osteon_radiomics::read::Params::default(),
            codebook: Arc::new(Codebook::study().clone()),
        };
        match self {
            Preset::Study | Preset::Pyradiomics | Preset::Ibsi => study,
            Preset::Recommended => Protocol {
                select: osteon_stats::select::Params { reproducible: Reproducible::Icc, ..study.select },
                learn: learn::Params {
                    n_bootstraps: 200,
                    n_repeats: 10,
                    n_permutations: 200,
                    n_splits: 100,
                    ..study.learn
                },
                ..study
            },
            Preset::Osteosarcoma => {
                let mut document =
                    Table::from_iter([("codebook".to_owned(), Value::String("osteosarcoma".to_owned()))]);
                Preset::Recommended.protocol().declaring(&mut document).expect("a preset's codebook is known")
            }
            Preset::Published => Protocol {
                compare: compare::Params {
                    continuous: ContinuousRule::MannWhitney,
                    categorical: CategoricalRule::Pearson,
                    // Asymptotic p values throughout, as printed.
                    exact_pairs: 0,
                    ..study.compare
                },
                screen: screen::Params { rows: screen::Rows::All, ..study.screen },
                learn: learn::Params {
                    rad_score: RadScore::InSample,
                    best_region: "intra_peri_2mm".to_owned(),
                    clinical: vec!["alp".to_owned(), "pathological_fracture".to_owned()],
                    ..study.learn
                },
                ..study
            },
        }
    }

    /// What is measured, and how.
    fn measured(self) -> describe::Params {
        match self {
            Preset::Study | Preset::Published | Preset::Recommended | Preset::Osteosarcoma => {
                describe::Params::mr_rings()
            }
            Preset::Pyradiomics => describe::Params::pyradiomics(),
            Preset::Ibsi => describe::Params::ibsi(),
        }
    }
}

impl FromStr for Preset {
    type Err = ProtocolError;

    fn from_str(name: &str) -> Result<Preset, ProtocolError> {
        Preset::ALL.into_iter().find(|preset| preset.name() == name).ok_or_else(|| ProtocolError::UnknownPreset {
            name: name.to_owned(),
            valid: Preset::ALL.map(Preset::name).join(", "),
        })
    }
}
