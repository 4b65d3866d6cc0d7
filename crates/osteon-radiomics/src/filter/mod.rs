//! Filtered images: every filter listed once, each volume in, volumes out.
//!
//! A filter computes all images of its group together, since they share work. None looks at the region: what a voxel
//! becomes depends on the crop that was given, and near its border only as far as `Filter::support` says.

pub mod binary_pattern;
mod exact;
mod flow;
pub mod ibsi;
mod intensity;
mod line;
mod noise;
pub mod point;
mod recursive;
mod smooth;
pub mod undecimated;
mod wavelet;

use serde::{Deserialize, Deserializer, Serialize};

use crate::grid::{Element, Geometry, Image, Reach, Volume};
use osteon_base::seed::Seed;
use osteon_base::setting::{self, Unfit};

pub use recursive::laplacian_of_gaussian;
pub use smooth::mean;

/// Which filtered images are made, and on which part of the image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Names of images or groups of images; `["all"]`, or the word alone, is every one.
    #[serde(deserialize_with = "one_or_more")]
    pub images: Vec<String>,
    /// Scales of the Laplacian of Gaussian in mm.
    pub log_sigma_mm: Vec<f64>,
    /// How the Laplacian of Gaussian is computed.
    pub log_kernel: LogKernel,
    /// The part of the image that filters see.
    pub crop: Crop,
}

/// How the Laplacian of Gaussian is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogKernel {
    /// ITK's recursion in single precision, as pyradiomics; no true Gaussian below two voxels.
    Recursive,
    /// The sampled Gaussian, cut at four sigma.
    Exact,
}

/// The part of the image that filters see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Crop {
    /// Each region's box and 5 voxels around it, as pyradiomics: some images then depend on the region. An image
    /// that keeps its own grid is filtered whole.
    Roi,
    /// One box for all regions, wide enough for every filter: each image is made once.
    Shared,
}

/// A group of images that one computation gives.
pub struct Filter {
    /// The group's word in `filter.images`.
    pub key: &'static str,
    /// One line for help and tables.
    pub about: &'static str,
    /// Names of its images, as pyradiomics writes them.
    pub names: fn(&Params) -> Vec<String>,
    /// Voxels z, y, x around a voxel that its value depends on.
    pub support: fn(&Params, &Geometry) -> [usize; 3],
    /// Whether what lies beyond its support changes a value too, if only a little.
    pub sight: Sight,
    /// The number type that ITK gives its images.
    pub element: fn(&Input) -> Element,
    /// One outcome a name.
    pub apply: fn(&Input) -> Vec<Filtered>,
}

/// How far a filter looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Not beyond its support.
    Support,
    /// Over the whole crop.
    Crop,
}

/// One filtered image, or why there is none.
pub type Filtered = Result<Volume, FilterError>;

/// What a filter may look at.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    pub image: &'a Image,
    /// Where the image's first voxel lies in the patient's whole image, z, y, x: noise hangs on the place.
    pub at: [i64; 3],
    pub params: &'a Params,
    /// The seed of noise, `Image::noise_seed` of the whole image.
    pub seed: Seed,
}

/// Why there is no filtered image.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FilterError {
    #[error("the image is {found} voxels along {axis}, sigma {sigma_mm} mm needs {expected}")]
    TooThin { axis: char, found: usize, sigma_mm: f64, expected: usize },
    #[error("the image is flat: every voxel is {0}")]
    Flat(f64),
}

/// A name in `filter.images` that no filter has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no filtered image is called {name}; there are all, {valid}")]
pub struct UnknownImage {
    pub name: String,
    pub valid: String,
}

/// Every filter: the original image, then those of the study's portal in its order.
pub const FILTERS: [Filter; 15] = [
    Filter {
        key: "original",
        about: "the image itself",
        names: |_| one("original"),
        support: |_, _| [0; 3],
        sight: Sight::Support,
        element: |input| input.image.element,
        apply: |input| vec![Ok(input.image.volume.clone())],
    },
    Filter {
        key: "boxmean",
        about: "mean of 3 x 3 x 3 voxels, the window cut at the border",
        names: |_| one("boxmean"),
        support: |_, _| [1; 3],
        sight: Sight::Support,
        element: kept,
        apply: |input| vec![Ok(smooth::box_mean(&input.image.volume))],
    },
    Filter {
        key: "additivegaussiannoise",
        about: "normal noise of standard deviation 1 added",
        names: |_| one("additivegaussiannoise"),
        support: |_, _| [0; 3],
        sight: Sight::Support,
        element: kept,
        apply: |input| vec![Ok(noise::additive_gaussian(input))],
    },
    Filter {
        key: "binomialblurimage",
        about: "weights 1-2-1 along each axis, once",
        names: |_| one("binomialblurimage"),
        support: |_, _| [1; 3],
        sight: Sight::Support,
        element: kept,
        apply: |input| vec![Ok(smooth::binomial_blur(&input.image.volume))],
    },
    Filter {
        key: "curvatureflow",
        about: "curvature flow, 5 steps of 0.05",
        names: |_| one("curvatureflow"),
        support: |_, _| [flow::STEPS; 3],
        sight: Sight::Support,
        element: kept,
        apply: |input| vec![Ok(flow::curvature_flow(&input.image.volume))],
    },
    Filter {
        key: "boxsigmaimage",
        about: "standard deviation (n - 1) of 3 x 3 x 3 voxels, the window cut at the border",
        names: |_| one("boxsigmaimage"),
        support: |_, _| [1; 3],
        sight: Sight::Support,
        element: kept,
        apply: |input| vec![Ok(smooth::box_sigma(&input.image.volume))],
    },
    Filter {
        key: "log",
        about: "Laplacian of Gaussian, scale-normalized, one image for each sigma",
        names: |params| params.log_sigma_mm.iter().map(|&sigma_mm| log_name(sigma_mm)).collect(),
        support: |params, geometry| reach(params.log_sigma_mm.iter().copied().fold(0.0, f64::max), geometry),
        sight: Sight::Crop,
        element: log_element,
        apply: |input| input.params.log_sigma_mm.iter().map(|&sigma_mm| log(input, sigma_mm)).collect(),
    },
    Filter {
        key: "wavelet",
        about: "undecimated coif1 wavelet, level 1, eight bands of low (L) and high (H) pass along x, y, z",
        names: |_| wavelet::BANDS.iter().map(|band| format!("wavelet-{band}")).collect(),
        support: |_, _| [wavelet::SUPPORT; 3],
        sight: Sight::Support,
        element: kept,
        apply: |input| wavelet::bands(input.image).into_iter().map(Ok).collect(),
    },
    Filter {
        key: "normalize",
        about: "z-score over the crop",
        names: |_| one("normalize"),
        support: |_, _| [0; 3],
        sight: Sight::Crop,
        element: kept,
        apply: |input| vec![intensity::normalize(&input.image.volume)],
    },
    Filter {
        key: "laplaciansharpening",
        about: "the Laplacian, stretched to the image's range, subtracted",
        names: |_| one("laplaciansharpening"),
        support: |_, _| [1; 3],
        sight: Sight::Crop,
        element: kept,
        apply: |input| vec![intensity::laplacian_sharpening(&input.image.volume)],
    },
    Filter {
        key: "discretegaussian",
        about: "discrete Gaussian of variance 1 mm2",
        names: |_| one("discretegaussian"),
        support: |_, geometry| geometry.spacing_mm.map(|spacing| smooth::gaussian_weights(spacing).len() / 2),
        sight: Sight::Support,
        element: kept,
        apply: |input| vec![Ok(smooth::discrete_gaussian(&input.image.volume))],
    },
    Filter {
        key: "mean",
        about: "mean of 3 x 3 x 3 voxels, the border repeated",
        names: |_| one("mean"),
        support: |_, _| [1; 3],
        sight: Sight::Support,
        element: kept,
        apply: |input| vec![Ok(smooth::mean(&input.image.volume, 1))],
    },
    Filter {
        key: "specklenoise",
        about: "multiplied by gamma noise of mean and standard deviation 1",
        names: |_| one("specklenoise"),
        support: |_, _| [0; 3],
        sight: Sight::Support,
        element: kept,
        apply: |input| vec![Ok(noise::speckle(input))],
    },
    Filter {
        key: "recursivegaussian",
        about: "recursive Gaussian of sigma 1 mm along x",
        names: |_| one("recursivegaussian"),
        support: |_, geometry| [0, 0, reach(1.0, geometry)[2]],
        sight: Sight::Crop,
        element: |_| Element::F32,
        apply: |input| vec![recursive::gaussian_x(&input.image.volume, 1.0)],
    },
    Filter {
        key: "shotnoise",
        about: "a Poisson count of the voxel's mean",
        names: |_| one("shotnoise"),
        support: |_, _| [0; 3],
        sight: Sight::Support,
        element: kept,
        apply: |input| vec![Ok(noise::shot(input))],
    },
];

/// A chosen filter with those of its images that were asked for.
pub struct Chosen {
    pub filter: &'static Filter,
    pub names: Vec<String>,
    /// For each image of the filter, whether it was asked for.
    wanted: Vec<bool>,
}

impl Chosen {
    /// The images asked for, in the order of `names`.
    pub fn apply(&self, input: &Input) -> Vec<Filtered> {
        let images = (self.filter.apply)(input);
        images.into_iter().zip(&self.wanted).filter(|(_, wanted)| **wanted).map(|(image, _)| image).collect()
    }
}

/// The filters that the protocol asks for, in the order of `FILTERS`; errors at a name that none has.
pub fn chosen(params: &Params) -> Result<Vec<Chosen>, UnknownImage> {
    let all = FILTERS.each_ref().map(|filter| (filter, (filter.names)(params)));
    for name in &params.images {
        let known = name == "all" || all.iter().any(|(filter, names)| filter.key == name || names.contains(name));
        if !known {
            return Err(UnknownImage { name: name.clone(), valid: FILTERS.each_ref().map(|it| it.key).join(", ") });
        }
    }
    let asked = |word: &str| params.images.iter().any(|name| name == word);
    let chosen = all.into_iter().map(|(filter, names)| {
        let wanted: Vec<bool> = names.iter().map(|name| asked("all") || asked(filter.key) || asked(name)).collect();
        let names = names.into_iter().zip(&wanted).filter(|(_, wanted)| **wanted).map(|(name, _)| name).collect();
        Chosen { filter, names, wanted }
    });
    Ok(chosen.filter(|chosen| !chosen.names.is_empty()).collect())
}

impl Params {
    /// Names a setting that no run could use; `chosen` has checked the names of images.
    pub fn check(&self) -> Result<(), Unfit> {
        let sound = self.log_sigma_mm.iter().all(|sigma| sigma.is_finite() && *sigma > 0.0);
        setting::require(sound, "log_sigma_mm", &self.log_sigma_mm, "numbers above 0")?;
        setting::without_copies("log_sigma_mm", &self.log_sigma_mm)?;
        setting::some("images", &self.images)
    }

    /// Whether a chosen image is made with random numbers.
    ///
    /// # Panics
    /// When `images` names an image that no filter has: parameters are checked when they are read.
    pub fn has_noise(&self) -> bool {
        let chosen = chosen(self).expect("parameters are checked when they are read");
        chosen.iter().any(|chosen| noise::KEYS.contains(&chosen.filter.key))
    }
}

/// Voxels z, y, x that a crop needs around a region so that no chosen filter sees the crop's border.
pub fn support(params: &Params, geometry: &Geometry) -> Result<[usize; 3], UnknownImage> {
    let needs = chosen(params)?.into_iter().map(|chosen| (chosen.filter.support)(params, geometry));
    Ok(needs.fold([0; 3], |most, need| std::array::from_fn(|k| most[k].max(need[k]))))
}

impl Filter {
    /// What the filter needs around a region to give there what it gives on the whole image; `None` when it looks at all
    /// of it.
    pub fn reach(&self, params: &Params, geometry: &Geometry) -> Option<Reach> {
        match self.key {
            "normalize" | "laplaciansharpening" => None,
            "log" if params.log_kernel == LogKernel::Recursive => {
                Some(recursive_reach(params.log_sigma_mm.iter().copied().fold(0.0, f64::max), geometry))
            }
            "recursivegaussian" => {
                let Reach { voxels: [_, _, x], wraps } = recursive_reach(1.0, geometry);
                Some(Reach { voxels: [0, 0, x], wraps })
            }
            key => {
                // One more, for a wavelet's axis of odd length is one voxel longer.
                let voxels = (self.support)(params, geometry).map(|voxels| voxels + usize::from(voxels > 0));
                Some(Reach { voxels, wraps: key == "wavelet" })
            }
        }
    }
}

/// Of ITK's recursive Gaussian, whose slower wave falls by exp(-1.37) each sigma: 30 of them leave 1e-18 of what lies
/// beyond, less than the last bit of double precision. Fewer than four voxels it refuses.
pub fn recursive_reach(sigma_mm: f64, geometry: &Geometry) -> Reach {
    let voxels = geometry.spacing_mm.map(|spacing| ((30.0 * sigma_mm / spacing).ceil() as usize).max(4));
    Reach { voxels, wraps: false }
}

fn one(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

/// pyradiomics' name: `log-sigma-0-5-mm-3D`.
fn log_name(sigma_mm: f64) -> String {
    format!("log-sigma-{}-mm-3D", format!("{sigma_mm:?}").replace('.', "-"))
}

/// Single precision stays, all else becomes double.
fn kept(input: &Input) -> Element {
    if input.image.element == Element::F32 { Element::F32 } else { Element::F64 }
}

fn log_element(input: &Input) -> Element {
    match input.params.log_kernel {
        LogKernel::Recursive => Element::F32,
        LogKernel::Exact => Element::F64,
    }
}

fn log(input: &Input, sigma_mm: f64) -> Filtered {
    match input.params.log_kernel {
        LogKernel::Recursive => recursive::laplacian_of_gaussian(&input.image.volume, sigma_mm),
        LogKernel::Exact => Ok(exact::laplacian_of_gaussian(&input.image.volume, sigma_mm)),
    }
}

/// Four sigma: a Gaussian's weight beyond is 6e-5, the cut of the IBSI's filters.
fn reach(sigma_mm: f64, geometry: &Geometry) -> [usize; 3] {
    geometry.spacing_mm.map(|spacing| (4.0 * sigma_mm / spacing).ceil() as usize)
}

/// A list of names, or one name alone.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a name or a list of names")]
    enum Names {
        One(String),
        More(Vec<String>),
    }
    Ok(match Names::deserialize(deserializer)? {
        Names::One(name) => vec![name],
        Names::More(names) => names,
    })
}
