//! The families of the IBSI's reference manual (version 11), by its own definitions and rules: what a region's
//! intensities are (re-segmentation), how levels are made, and how matrices of directions and slices are put together.
//!
//! Left out: densities of the oriented bounding box and of the minimum volume ellipsoid, and the area under the
//! intensity-volume histogram, for which there is no consensus to be held against.

mod cooccurrence;
mod hull;
mod levels;
mod local;
mod morphology;
mod region;
mod sizes;
mod spatial;
mod statistics;
mod texture;
mod tone;
mod volume;

use serde::{Deserialize, Serialize};

use crate::feature::ibsi::levels::{Bins, Discrete};
use crate::feature::ibsi::region::Region;
use crate::feature::ibsi::texture::{Counts, Levels, averaged, mean, merged};
use crate::feature::levels::MAX_LEVELS;
use crate::feature::levels::TooManyLevels;
use crate::grid::{Mask, Volume};
use osteon_base::setting::{self, Unfit};

pub use local::RADIUS_MM;
pub use texture::Dimension;

/// Which voxels count and how they are discretised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Least and largest intensity that stays in a region; empty keeps all.
    pub range: Vec<f64>,
    /// Voxels farther from the mean than so many standard deviations leave a region; 0 keeps all.
    pub outliers_sd: f64,
    /// Number of grey levels; 0 takes bins of `preprocess.bin_width` that begin at the range's lower end, or at a
    /// region's least intensity.
    pub n_bins: usize,
    /// The same for the intensity-volume histogram; with both 0 intensities are taken as they are.
    pub volume_n_bins: usize,
    pub volume_bin_width: f64,
    /// Neighbourhoods of texture: `2D`, `2.5D`, `3D`.
    pub dimensions: Vec<Dimension>,
}

impl Params {
    /// Names a setting that no run could use.
    pub fn check(&self) -> Result<(), Unfit> {
        let range = self.range.is_empty() || self.range.len() == 2 && self.range[0] < self.range[1];
        setting::require(range, "range", &self.range, "[] or two ascending numbers")?;
        setting::not_negative("outliers_sd", self.outliers_sd)?;
        setting::not_negative("volume_bin_width", self.volume_bin_width)?;
        for (key, n) in [("n_bins", self.n_bins), ("volume_n_bins", self.volume_n_bins)] {
            setting::require(n <= MAX_LEVELS, key, n, "at most 20000 bins")?;
        }
        setting::require(
            !self.dimensions.is_empty(),
            "dimensions",
            &self.dimensions,
            "one or more of 2D, 2.5D and 3D",
        )?;
        setting::without_copies("dimensions", &self.dimensions)
    }
}

impl Default for Params {
    fn default() -> Params {
        Params {
            range: Vec::new(),
            outliers_sd: 0.0,
            n_bins: 32,
            volume_n_bins: 1000,
            volume_bin_width: 0.0,
            dimensions: vec![Dimension::Volume],
        }
    }
}

/// A family of the manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Morphology,
    LocalIntensity,
    Statistics,
    Histogram,
    VolumeHistogram,
    CoOccurrence,
    RunLength,
    SizeZone,
    DistanceZone,
    ToneDifference,
    Dependence,
}

impl Part {
    pub const ALL: [Part; 11] = [
        Part::Morphology,
        Part::LocalIntensity,
        Part::Statistics,
        Part::Histogram,
        Part::VolumeHistogram,
        Part::CoOccurrence,
        Part::RunLength,
        Part::SizeZone,
        Part::DistanceZone,
        Part::ToneDifference,
        Part::Dependence,
    ];

    /// The manual's name.
    pub fn name(self) -> &'static str {
        match self {
            Part::Morphology => "morphology",
            Part::LocalIntensity => "local intensity",
            Part::Statistics => "intensity statistics",
            Part::Histogram => "intensity histogram",
            Part::VolumeHistogram => "intensity-volume histogram",
            Part::CoOccurrence => "GLCM",
            Part::RunLength => "GLRLM",
            Part::SizeZone => "GLSZM",
            Part::DistanceZone => "GLDZM",
            Part::ToneDifference => "NGTDM",
            Part::Dependence => "NGLDM",
        }
    }

    /// Name and code of its features; those of the outline come first.
    pub fn features(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Part::Morphology => [&morphology::OUTLINE[..], &morphology::INHOMOGENEITY[..]].concat(),
            Part::LocalIntensity => local::NAMES.to_vec(),
            Part::Statistics => statistics::STATISTICS.to_vec(),
            Part::Histogram => statistics::HISTOGRAM.to_vec(),
            Part::VolumeHistogram => volume::NAMES.to_vec(),
            Part::CoOccurrence => cooccurrence::NAMES.to_vec(),
            Part::RunLength => sizes::RUNS.to_vec(),
            Part::SizeZone => sizes::ZONES.to_vec(),
            Part::DistanceZone => sizes::DISTANCES.to_vec(),
            Part::ToneDifference => tone::NAMES.to_vec(),
            Part::Dependence => sizes::DEPENDENCES.to_vec(),
        }
    }

    /// Endings of its features' names, one for each way in which matrices are put together; one empty one without.
    pub fn endings(self, dimensions: &[Dimension]) -> Vec<String> {
        let suffixes = || dimensions.iter().map(|dimension| dimension.suffix());
        match self {
            Part::CoOccurrence | Part::RunLength => {
                suffixes().flat_map(|suffix| [format!("_{suffix}_avg"), format!("_{suffix}_comb")]).collect()
            }
            Part::SizeZone | Part::DistanceZone | Part::ToneDifference | Part::Dependence => {
                suffixes().map(|suffix| format!("_{suffix}")).collect()
            }
            _ => vec![String::new()],
        }
    }
}

/// Name and value of the intensity statistics of some voxels.
pub fn intensity_statistics(values: &[f64]) -> Vec<(&'static str, Option<f64>)> {
    let found = finite(statistics::statistics(values).to_vec());
    statistics::STATISTICS.iter().map(|feature| feature.0).zip(found).collect()
}

/// Names of the features that need the outline only.
pub fn outline_names() -> Vec<String> {
    morphology::OUTLINE.iter().map(|feature| feature.0.to_owned()).collect()
}

/// Names of the features of one image, in the order of `describe`.
pub fn names(params: &Params) -> Vec<String> {
    let of_part = |part: Part| {
        let features = part.features();
        let features = if part == Part::Morphology { features[morphology::OUTLINE.len()..].to_vec() } else { features };
        let named = move |ending: String| features.iter().map(|it| format!("{}{ending}", it.0)).collect::<Vec<_>>();
        part.endings(&params.dimensions).into_iter().flat_map(named).collect::<Vec<_>>()
    };
    Part::ALL.into_iter().flat_map(of_part).collect()
}

/// A region's outline, measured once for all images.
pub struct Outline {
    pub mask: Mask,
    /// One value a name of `outline_names`.
    pub features: Vec<Option<f64>>,
}

impl Outline {
    pub fn new(mask: Mask) -> Outline {
        let features = finite(morphology::outline(&mask).to_vec());
        Outline { mask, features }
    }
}

/// The features of one image in a region, one a name of `names`; all `None` when re-segmentation leaves no voxel.
pub fn describe(
    volume: &Volume,
    outline: &Outline,
    params: &Params,
    bin_width: f64,
) -> Result<Vec<Option<f64>>, TooManyLevels> {
    let Some(region) = Region::new(volume, &outline.mask, params) else { return Ok(vec![None; names(params).len()]) };
    let range = <[f64; 2]>::try_from(params.range.as_slice()).ok();
    let least = region.values.iter().copied().fold(f64::INFINITY, f64::min);
    let begin = range.map_or(least, |range| range[0]);
    let bins = if params.n_bins > 0 { Bins::Number(params.n_bins) } else { Bins::Width(bin_width, begin) };
    let volume_bins = match (params.volume_n_bins, params.volume_bin_width) {
        (0, 0.0) => None,
        (0, width) => Some(Bins::Width(width, begin)),
        (n, _) => Some(Bins::Number(n)),
    };
    let Discrete { levels, highest } = Discrete::new(&region.values, bins)?;
    let mut values = morphology::inhomogeneity(&region, outline.features[0]).to_vec();
    values.extend(local::describe(volume, &region));
    values.extend(statistics::statistics(&region.values));
    values.extend(statistics::histogram(&levels, highest));
    values.extend(volume::describe(&region.values, volume_bins, range)?);
    values.extend(texture(&region, &levels, highest, &params.dimensions));
    Ok(finite(values))
}

/// Names and values of all texture families, one dimension after the other within a family.
fn texture(region: &Region, of_voxel: &[u32], highest: u32, dimensions: &[Dimension]) -> Vec<Option<f64>> {
    let mut cells = vec![0; region.in_outline.len()];
    region.cells.iter().zip(of_voxel).for_each(|(&cell, &level)| cells[cell] = level);
    let levels = Levels { region, cells, highest };
    let n_levels = f64::from(highest);
    let co_occurrence = |dimension| {
        let pairs = cooccurrence::pairs(&levels, dimension);
        both(pairs, dimension, |pairs| cooccurrence::features(pairs, n_levels))
    };
    let runs = |dimension| both(sizes::runs(&levels, dimension), dimension, sixteen);
    let zones: Vec<_> = dimensions.iter().map(|&dimension| sizes::zones(&levels, dimension)).collect();
    let zone = |which: usize| {
        let of = |(slabs, &dimension): (&[Vec<Vec<texture::Pairs>>; 2], &Dimension)| {
            mean(&merged(slabs[which].clone(), dimension), sixteen)
        };
        zones.iter().zip(dimensions).flat_map(of).collect::<Vec<_>>()
    };
    let tones = |&dimension: &Dimension| mean(&merged(tone::tones(&levels, dimension), dimension), tone::features);
    let dependences =
        |&dimension: &Dimension| mean(&merged(sizes::dependences(&levels, dimension), dimension), sizes::features);
    let mut values: Vec<Option<f64>> = dimensions.iter().flat_map(|&dimension| co_occurrence(dimension)).collect();
    values.extend(dimensions.iter().flat_map(|&dimension| runs(dimension)));
    values.extend(zone(0));
    values.extend(zone(1));
    values.extend(dimensions.iter().flat_map(tones));
    values.extend(dimensions.iter().flat_map(dependences));
    values
}

/// Features averaged over directions, then those of all directions put together.
fn both<C: Counts, const N: usize>(
    slabs: Vec<Vec<C>>,
    dimension: Dimension,
    features: impl Fn(&C) -> [Option<f64>; N] + Copy,
) -> Vec<Option<f64>> {
    let merged = merged(slabs.clone(), dimension);
    [mean(&averaged(slabs, dimension), features), mean(&merged, features)].concat()
}

/// Without the energy, which only dependences have.
fn sixteen(pairs: &texture::Pairs) -> [Option<f64>; 16] {
    let all = sizes::features(pairs);
    std::array::from_fn(|k| all[k])
}

/// A number that is none is undefined.
fn finite(values: Vec<Option<f64>>) -> Vec<Option<f64>> {
    values.into_iter().map(|value| value.filter(|value| value.is_finite())).collect()
}
