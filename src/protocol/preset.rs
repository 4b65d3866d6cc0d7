//! Named protocols that others are written against.

use std::str::FromStr;

use crate::feature::ibsi;
use crate::filter::{Crop, LogKernel, Params};
use crate::model::logistic::{self, screen};
use crate::preprocess::{self, Alignment, Interpolation, MaskInterpolation};
use crate::protocol::learn::{self, RadScore};
use crate::protocol::{Protocol, ProtocolError};
use crate::select::Reproducible;
use crate::stats::compare::{self, CategoricalRule, ContinuousRule};

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
}

impl Preset {
    pub const ALL: [Preset; 5] =
        [Preset::Study, Preset::Published, Preset::Recommended, Preset::Pyradiomics, Preset::Ibsi];

    pub fn name(self) -> &'static str {
        match self {
            Preset::Study => "study",
            Preset::Published => "published",
            Preset::Recommended => "recommended",
            Preset::Pyradiomics => "pyradiomics",
            Preset::Ibsi => "ibsi",
        }
    }

    pub fn protocol(self) -> Protocol {
        let families = ["shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"];
        let study = Protocol {
            acquisition: crate::read::dicom::Params {
                repetition_time_ms: 2000.0,
                echo_time_ms: 90.0,
                slice_thickness_mm: 5.0,
                field_strength_t: 1.5,
                fat_suppressed: true,
                tolerance: 0.1,
            },
            query: crate::protocol::query::Params::default(),
            preprocess: preprocess::Params {
                normalise: true,
                spacing_mm: vec![1.0, 1.0, 3.0],
                grid: Alignment::Corner,
                interpolation: Interpolation::Bspline,
                mask_interpolation: MaskInterpolation::Nearest,
                round: false,
                bin_width: 0.1,
            },
            roi: crate::roi::Params { margins_mm: vec![2.0, 4.0, 6.0] },
            filter: Params {
                images: vec!["all".to_owned()],
                log_sigma_mm: vec![0.5, 1.0, 1.5, 2.0],
                log_kernel: LogKernel::Recursive,
                crop: Crop::Shared,
            },
            feature: crate::feature::Params {
                families: families.map(str::to_owned).to_vec(),
                exclude: ["glcm_MCC", "glcm_SumAverage", "glcm_JointAverage"].map(str::to_owned).to_vec(),
                ibsi: ibsi::Params::default(),
            },
            compare: compare::Params::default(),
            screen: screen::Params::default(),
            logistic: logistic::Params::default(),
            select: crate::select::Params::default(),
            forest: crate::model::forest::Params::default(),
            learn: learn::Params::default(),
        };
        match self {
            Preset::Study => study,
            Preset::Recommended => Protocol {
                select: crate::select::Params { reproducible: Reproducible::Icc, ..study.select },
                learn: learn::Params {
                    n_bootstraps: 200,
                    n_repeats: 10,
                    n_permutations: 200,
                    n_splits: 100,
                    ..study.learn
                },
                ..study
            },
            Preset::Published => Protocol {
                compare: compare::Params {
                    continuous: ContinuousRule::MannWhitney,
                    categorical: CategoricalRule::Pearson,
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
            Preset::Pyradiomics => Protocol {
                preprocess: preprocess::Params {
                    normalise: false,
                    spacing_mm: Vec::new(),
                    bin_width: 25.0,
                    ..study.preprocess
                },
                filter: Params { images: vec!["original".to_owned()], crop: Crop::Roi, ..study.filter },
                feature: crate::feature::Params { exclude: Vec::new(), ..study.feature },
                roi: crate::roi::Params { margins_mm: Vec::new() },
                ..study
            },
            Preset::Ibsi => Protocol {
                preprocess: preprocess::Params {
                    normalise: false,
                    spacing_mm: Vec::new(),
                    grid: Alignment::Centre,
                    interpolation: Interpolation::Linear,
                    mask_interpolation: MaskInterpolation::Linear,
                    bin_width: 25.0,
                    ..study.preprocess
                },
                filter: Params { images: vec!["original".to_owned()], crop: Crop::Roi, ..study.filter },
                feature: crate::feature::Params {
                    families: vec!["ibsi".to_owned()],
                    exclude: Vec::new(),
                    ..study.feature
                },
                roi: crate::roi::Params { margins_mm: Vec::new() },
                ..study
            },
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
