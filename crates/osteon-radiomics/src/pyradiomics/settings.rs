//! pyradiomics' settings by their own names, each checked as its schema does.

use serde_json::Value;

use crate::feature::general::{Norm, Rules};
use crate::feature::levels::{Bins, Edges, Precision};
use crate::filter::binary_pattern::{Circle, MOST_SAMPLES, Method};
use crate::filter::undecimated::{Levels, Wavelet};
use crate::grid::Element;
use crate::preprocess::{Interpolator, Scaling, Steps, Window};

/// Every setting, at the value that holds for one image type.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub minimum_dimensions: usize,
    pub minimum_size: Option<usize>,
    /// Of image and mask, relative to the spacing; `None` is the reader's own.
    pub geometry_tolerance: Option<f64>,
    pub correct_mask: bool,
    pub additional_info: bool,
    pub label: i64,
    pub label_channel: usize,
    pub bin_width: f64,
    pub bin_count: Option<usize>,
    pub normalize: bool,
    pub normalize_scale: f64,
    pub remove_outliers: Option<f64>,
    /// Empty for none.
    pub resampled_spacing_mm: Vec<f64>,
    /// `None` turns resampling off.
    pub interpolator: Option<Interpolator>,
    pub pad_distance: usize,
    pub pre_crop: bool,
    pub distances: Vec<usize>,
    pub force_2d: bool,
    /// 0 z, 1 y, 2 x.
    pub force_2d_dimension: usize,
    /// One or two thresholds; empty for none.
    pub resegment_range: Vec<f64>,
    pub resegment_mode: Mode,
    pub resegment_shape: bool,
    /// Scales of the Laplacian of Gaussian (mm), with the words of their images' names.
    pub sigma_mm: Vec<(f64, String)>,
    pub start_level: usize,
    pub level: usize,
    pub wavelet: String,
    pub gradient_use_spacing: bool,
    pub lbp_2d: Circle,
    pub voxel_array_shift: f64,
    pub symmetrical_glcm: bool,
    pub weighting_norm: Option<Norm>,
    pub gldm_a: u32,
}

/// What the thresholds of a re-segmentation are relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Absolute,
    /// To the region's maximum.
    Relative,
    /// Standard deviations from the region's mean.
    Sigma,
}

/// A value that a setting does not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {found}, expected {expected}")]
pub struct Unfit {
    pub key: String,
    pub found: String,
    pub expected: &'static str,
}

/// Names of all settings.
pub const NAMES: [&str; 37] = [
    "minimumROIDimensions",
    "minimumROISize",
    "geometryTolerance",
    "correctMask",
    "additionalInfo",
    "label",
    "label_channel",
    "binWidth",
    "binCount",
    "normalize",
    "normalizeScale",
    "removeOutliers",
    "resampledPixelSpacing",
    "interpolator",
    "padDistance",
    "distances",
    "force2D",
    "force2Ddimension",
    "resegmentRange",
    "resegmentMode",
    "resegmentShape",
    "preCrop",
    "sigma",
    "start_level",
    "level",
    "wavelet",
    "gradientUseSpacing",
    "lbp2DRadius",
    "lbp2DSamples",
    "lbp2DMethod",
    "lbp3DLevels",
    "lbp3DIcosphereRadius",
    "lbp3DIcosphereSubdivision",
    "voxelArrayShift",
    "symmetricalGLCM",
    "weightingNorm",
    "gldm_a",
];

/// Settings of voxel-based extraction, which have no say in that of regions.
pub const VOXEL_NAMES: [&str; 4] = ["kernelRadius", "maskedKernel", "initValue", "voxelBatch"];

/// What an image type of its own may change: the others were used before there were image types.
const OF_IMAGE_TYPES: [&str; 23] = [
    "binWidth",
    "binCount",
    "distances",
    "force2D",
    "force2Ddimension",
    "sigma",
    "start_level",
    "level",
    "wavelet",
    "gradientUseSpacing",
    "lbp2DRadius",
    "lbp2DSamples",
    "lbp2DMethod",
    "lbp3DLevels",
    "lbp3DIcosphereRadius",
    "lbp3DIcosphereSubdivision",
    "voxelArrayShift",
    "symmetricalGLCM",
    "weightingNorm",
    "gldm_a",
    "additionalInfo",
    "geometryTolerance",
    "label_channel",
];

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            minimum_dimensions: 2,
            minimum_size: None,
            geometry_tolerance: None,
            correct_mask: false,
            additional_info: true,
            label: 1,
            label_channel: 0,
            bin_width: 25.0,
            bin_count: None,
            normalize: false,
            normalize_scale: 1.0,
            remove_outliers: None,
            resampled_spacing_mm: Vec::new(),
            interpolator: Some(Interpolator::Bspline),
            pad_distance: 5,
            pre_crop: false,
            distances: vec![1],
            force_2d: false,
            force_2d_dimension: 0,
            resegment_range: Vec::new(),
            resegment_mode: Mode::Absolute,
            resegment_shape: false,
            sigma_mm: Vec::new(),
            start_level: 0,
            level: 1,
            wavelet: "coif1".to_owned(),
            gradient_use_spacing: true,
            lbp_2d: Circle { radius: 1.0, samples: 8, method: Method::Uniform },
            voxel_array_shift: 0.0,
            symmetrical_glcm: true,
            weighting_norm: None,
            gldm_a: 0,
        }
    }
}

/// Whether a setting changes anything when an image type has it.
pub fn is_of_image_types(key: &str) -> bool {
    OF_IMAGE_TYPES.contains(&key)
}

impl Settings {
    /// Sets one setting; `null` is pyradiomics' default. The key must be one of `NAMES`.
    pub fn set(&mut self, key: &str, value: &Value) -> Result<(), Unfit> {
        let usual = Settings::default();
        let read = Read { key, value };
        let is_null = value.is_null();
        match key {
            "minimumROIDimensions" => {
                self.minimum_dimensions = read.whole(1, 3, "1, 2 or 3", usual.minimum_dimensions)?
            }
            "minimumROISize" => self.minimum_size = read.or_none(|read| read.natural())?,
            "geometryTolerance" => self.geometry_tolerance = read.or_none(|read| read.above_zero())?,
            "correctMask" => self.correct_mask = read.flag(usual.correct_mask)?,
            "additionalInfo" => self.additional_info = read.flag(usual.additional_info)?,
            "label" => self.label = read.whole(1, i64::MAX as usize, "a whole number above 0", 1)? as i64,
            "label_channel" => self.label_channel = read.whole(0, usize::MAX, "a whole number of at least 0", 0)?,
            "binWidth" => self.bin_width = if is_null { usual.bin_width } else { read.above_zero()? },
            "binCount" => self.bin_count = read.or_none(|read| read.natural())?,
            "normalize" => self.normalize = read.flag(usual.normalize)?,
            "normalizeScale" => self.normalize_scale = if is_null { 1.0 } else { read.above_zero()? },
            "removeOutliers" => self.remove_outliers = read.or_none(|read| read.above_zero())?,
            "resampledPixelSpacing" => {
                let expected = "three numbers of at least 0, or null";
                self.resampled_spacing_mm = if is_null { Vec::new() } else { read.numbers(expected, |mm| mm >= 0.0)? };
                read.require(is_null || self.resampled_spacing_mm.len() == 3, expected)?;
            }
            "interpolator" => self.interpolator = if is_null { None } else { Some(read.interpolator()?) },
            "padDistance" => {
                self.pad_distance = read.whole(0, 100_000, "a whole number of at least 0", usual.pad_distance)?
            }
            "distances" => {
                let expected = "whole numbers above 0, at most 100, each once";
                let found = if is_null { vec![1.0] } else { read.numbers(expected, |n| n.fract() == 0.0)? };
                let sound = |n: &f64| (1.0..=100.0).contains(n);
                let once = (1..found.len()).all(|at| !found[..at].contains(&found[at]));
                read.require(!found.is_empty() && found.iter().all(sound) && once, expected)?;
                self.distances = found.iter().map(|n| *n as usize).collect();
            }
            "force2D" => self.force_2d = read.flag(usual.force_2d)?,
            "force2Ddimension" => self.force_2d_dimension = read.whole(0, 2, "0 (z), 1 (y) or 2 (x)", 0)?,
            "resegmentRange" => {
                let expected = "one or two numbers, or null";
                self.resegment_range = if is_null { Vec::new() } else { read.numbers(expected, |_| true)? };
                read.require(is_null || [1, 2].contains(&self.resegment_range.len()), expected)?;
                self.resegment_range.sort_by(f64::total_cmp);
            }
            "resegmentMode" => {
                let words = [("absolute", Mode::Absolute), ("relative", Mode::Relative), ("sigma", Mode::Sigma)];
                self.resegment_mode =
                    if is_null { usual.resegment_mode } else { read.word(&words, "absolute, relative or sigma")? };
            }
            "resegmentShape" => self.resegment_shape = read.flag(false)?,
            "preCrop" => self.pre_crop = read.flag(false)?,
            "sigma" => {
                let expected = "a list of numbers above 0";
                let found = if is_null { Vec::new() } else { read.numbers(expected, |sigma| sigma > 0.0)? };
                let words = value.as_array().into_iter().flatten().map(python_number);
                self.sigma_mm = found.into_iter().zip(words).collect();
            }
            "start_level" => self.start_level = read.whole(0, 20, "a whole number from 0 to 20", 0)?,
            "level" => self.level = read.whole(1, 20, "a whole number from 1 to 20", 1)?,
            "wavelet" => {
                let name = if is_null { Some("coif1") } else { value.as_str() };
                let known = name.filter(|name| Wavelet::new(name).is_some());
                let expected = "a discrete wavelet of PyWavelets: haar, dbN, symN, coifN, biorN.M, rbioN.M or dmey";
                read.require(known.is_some(), expected)?;
                self.wavelet = known.expect("just required").to_owned();
            }
            "gradientUseSpacing" => self.gradient_use_spacing = read.flag(true)?,
            "lbp2DRadius" => self.lbp_2d.radius = if is_null { 1.0 } else { read.above_zero()? },
            "lbp2DSamples" => self.lbp_2d.samples = read.whole(1, MOST_SAMPLES, "a whole number from 1 to 52", 8)?,
            "lbp2DMethod" => {
                let words = [
                    ("default", Method::Default),
                    ("ror", Method::Ror),
                    ("uniform", Method::Uniform),
                    ("var", Method::Var),
                ];
                self.lbp_2d.method =
                    if is_null { Method::Uniform } else { read.word(&words, "default, ror, uniform or var")? };
            }
            "lbp3DLevels" => drop(read.whole(1, 1000, "a whole number above 0", 2)?),
            "lbp3DIcosphereRadius" => drop(if is_null { 1.0 } else { read.above_zero()? }),
            "lbp3DIcosphereSubdivision" => drop(read.whole(0, 100, "a whole number of at least 0", 1)?),
            "voxelArrayShift" => {
                let whole = value.as_i64().filter(|n| n.unsigned_abs() < 1 << 53);
                read.require(is_null || whole.is_some(), "a whole number")?;
                self.voxel_array_shift = whole.unwrap_or(0) as f64;
            }
            "symmetricalGLCM" => self.symmetrical_glcm = read.flag(true)?,
            "weightingNorm" => {
                let words = [
                    ("euclidean", Norm::Euclidean),
                    ("manhattan", Norm::Manhattan),
                    ("infinity", Norm::Infinity),
                    ("no_weighting", Norm::Equal),
                ];
                let expected = "euclidean, manhattan, infinity, no_weighting or null";
                self.weighting_norm = if is_null { None } else { Some(read.word(&words, expected)?) };
            }
            "gldm_a" => self.gldm_a = read.whole(0, 1 << 20, "a whole number of at least 0", 0)? as u32,
            _ => unreachable!("the caller knows the names"),
        }
        Ok(())
    }

    /// How the image is prepared.
    pub(crate) fn steps(&self) -> Steps {
        let scaling = Scaling { outliers_sd: self.remove_outliers, factor: self.normalize_scale };
        Steps {
            scaling: self.normalize.then_some(scaling),
            spacing_mm: if self.interpolator.is_some() { self.resampled_spacing_mm.clone() } else { Vec::new() },
            interpolator: self.interpolator.unwrap_or(Interpolator::Bspline),
        }
    }

    /// Whether the image gets a grid of its own, and is cropped with it.
    pub(crate) fn resamples(&self) -> bool {
        self.interpolator.is_some() && !self.resampled_spacing_mm.is_empty()
    }

    /// Whether texture is three-dimensional, of distance 1, symmetrical and not weighted.
    pub(crate) fn has_usual_texture(&self) -> bool {
        self.rules() == Rules::default()
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules {
            distances: self.distances.clone(),
            across: self.force_2d.then_some(self.force_2d_dimension),
            weighting: self.weighting_norm,
            symmetric: self.symmetrical_glcm,
            alpha: self.gldm_a,
        }
    }

    pub(crate) fn bins(&self, element: Element) -> Bins {
        let precision = if element == Element::F32 { Precision::Single } else { Precision::Double };
        let edges = self.bin_count.map_or(Edges::Counted(precision), |n| Edges::Number(n, precision));
        Bins { width: self.bin_width, edges }
    }

    pub(crate) fn wavelet_levels(&self) -> Levels {
        let axes = [2, 1, 0].into_iter().filter(|&axis| !self.force_2d || axis != self.force_2d_dimension).collect();
        Levels { skipped: self.start_level, levels: self.level, axes }
    }
}

/// A number as Python prints it: `2.0`, `2`.
fn python_number(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if !value.is_i64() && !value.is_u64() => format!("{number:?}"),
        _ => value.to_string(),
    }
}

/// The value of one setting on its way.
struct Read<'a> {
    key: &'a str,
    value: &'a Value,
}

impl Read<'_> {
    fn require(&self, fits: bool, expected: &'static str) -> Result<(), Unfit> {
        let unfit = || Unfit { key: self.key.to_owned(), found: self.value.to_string(), expected };
        if fits { Ok(()) } else { Err(unfit()) }
    }

    fn or_none<T>(&self, of: impl Fn(&Self) -> Result<T, Unfit>) -> Result<Option<T>, Unfit> {
        if self.value.is_null() { Ok(None) } else { of(self).map(Some) }
    }

    fn flag(&self, usual: bool) -> Result<bool, Unfit> {
        self.require(self.value.is_null() || self.value.is_boolean(), "true or false")?;
        Ok(self.value.as_bool().unwrap_or(usual))
    }

    fn whole(&self, low: usize, high: usize, expected: &'static str, usual: usize) -> Result<usize, Unfit> {
        let found = self.value.as_u64().map(|n| n as usize).filter(|n| (low..=high).contains(n));
        self.require(self.value.is_null() || found.is_some(), expected)?;
        Ok(found.unwrap_or(usual))
    }

    fn natural(&self) -> Result<usize, Unfit> {
        self.whole(1, u32::MAX as usize, "a whole number above 0", 1)
    }

    fn above_zero(&self) -> Result<f64, Unfit> {
        let found = self.value.as_f64().filter(|number| number.is_finite() && *number > 0.0);
        self.require(found.is_some(), "a number above 0")?;
        Ok(found.expect("just required"))
    }

    fn numbers(&self, expected: &'static str, fits: impl Fn(f64) -> bool) -> Result<Vec<f64>, Unfit> {
        let number = |item: &Value| item.as_f64().filter(|number| number.is_finite() && fits(*number));
        let found = self.value.as_array().and_then(|items| items.iter().map(number).collect::<Option<Vec<f64>>>());
        self.require(found.is_some(), expected)?;
        Ok(found.expect("just required"))
    }

    fn word<T: Copy>(&self, words: &[(&str, T)], expected: &'static str) -> Result<T, Unfit> {
        let found = words.iter().find(|(word, _)| self.value.as_str() == Some(word));
        self.require(found.is_some(), expected)?;
        Ok(found.expect("just required").1)
    }

    /// By SimpleITK's name or number.
    fn interpolator(&self) -> Result<Interpolator, Unfit> {
        let all = [
            ("sitkNearestNeighbor", Interpolator::Nearest),
            ("sitkLinear", Interpolator::Linear),
            ("sitkBSpline", Interpolator::Bspline),
            ("sitkGaussian", Interpolator::Gaussian),
            ("sitkLabelGaussian", Interpolator::LabelGaussian),
            ("sitkHammingWindowedSinc", Interpolator::Sinc(Window::Hamming)),
            ("sitkCosineWindowedSinc", Interpolator::Sinc(Window::Cosine)),
            ("sitkWelchWindowedSinc", Interpolator::Sinc(Window::Welch)),
            ("sitkLanczosWindowedSinc", Interpolator::Sinc(Window::Lanczos)),
            ("sitkBlackmanWindowedSinc", Interpolator::Sinc(Window::Blackman)),
        ];
        let expected = "an interpolator of SimpleITK by name, as in sitkBSpline, or by its number from 1 to 10";
        match self.value.as_u64() {
            Some(number @ 1..=10) => Ok(all[number as usize - 1].1),
            _ => self.word(&all, expected),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_setting_takes_null_or_says_why_and_refuses_a_map() {
        for name in NAMES {
            let mut settings = Settings::default();
            assert_eq!(settings.set(name, &Value::Null), Ok(()), "{name}");
            let told = settings.set(name, &json!({})).unwrap_err().to_string();
            assert!(told.starts_with(&format!("{name} is {{}}, expected ")), "{told}");
        }
        let mut settings = Settings::default();
        for name in NAMES.into_iter().filter(|name| *name != "interpolator") {
            settings.set(name, &Value::Null).unwrap();
        }
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn values_are_checked_as_the_schema_does() {
        let set = |key: &str, value: Value| Settings::default().set(key, &value).is_ok();
        assert!(set("binWidth", json!(25)) && set("binWidth", json!(0.5)) && !set("binWidth", json!(0)));
        assert!(!set("binWidth", json!("25")) && !set("normalize", json!("yes")) && !set("label", json!(0)));
        assert!(
            set("interpolator", json!(3)) && !set("interpolator", json!(11)) && !set("interpolator", json!("BSpline"))
        );
        assert!(!set("distances", json!([1, 1])) && set("distances", json!([1, 3])));
        assert!(!set("wavelet", json!("morl")) && set("wavelet", json!("bior2.2")));
        let mut settings = Settings::default();
        settings.set("sigma", &json!([2, 2.0, 0.5])).unwrap();
        let words: Vec<&str> = settings.sigma_mm.iter().map(|it| it.1.as_str()).collect();
        assert_eq!(words, ["2", "2.0", "0.5"]);
    }
}
