//! One image and mask under a set of parameters, in pyradiomics' order of steps.

use std::collections::HashMap;

use ndarray::Axis;

use crate::describe::measure;
use crate::feature::layout::{Layout, OUTSIDE};
use crate::feature::levels::{Levels, TooManyLevels};
use crate::feature::{Family, Wanted, firstorder, general, shape, shape2d};
use crate::filter::undecimated::Wavelet;
use crate::filter::{FilterError, binary_pattern, laplacian_of_gaussian, point};
use crate::grid::{Bounds, Element, Image, Mask, Volume};
use crate::preprocess::{self, Extent, PreprocessError};
use crate::pyradiomics::class::{Class, Found, wanted};
use crate::pyradiomics::document::{ImageType, Parameters};
use crate::pyradiomics::settings::{Mode, Settings};
use crate::pyradiomics::told;
use osteon_base::job::{Cancelled, Job};
use osteon_base::text::counted;

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Extraction {
    /// pyradiomics' `diagnostics_` columns; none where `additionalInfo` is off.
    pub diagnostics: Vec<(String, String)>,
    /// Features by pyradiomics' names, in its order; `None` where it has no number.
    pub values: Vec<(String, Option<f64>)>,
    /// Images that could not be made and classes that were left out, one sentence each.
    pub notes: Vec<String>,
}

/// Why there are no features.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExtractError {
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    #[error("the region is a single voxel")]
    OneVoxel,
    #[error("the region has {found} dimensions, minimumROIDimensions is {least}")]
    Dimensions { found: usize, least: usize },
    #[error("the region has {}, minimumROISize wants more than {least}", counted(*.found, "voxel"))]
    Size { found: usize, least: usize },
    #[error("re-segmentation left {} of the region", counted(*.0, "voxel"))]
    Resegmented(usize),
    #[error("shape2D: the region is {found} voxels thick along {axis}, expected one slice (force2Ddimension)")]
    Thick { found: usize, axis: char },
    #[error("{image}: {why}")]
    Filter { image: String, why: FilterError },
    #[error("{image}: {why}")]
    Levels { image: String, why: TooManyLevels },
    #[error("{image}: {} of the region are no finite numbers", counted(*.voxels, "voxel"))]
    NotFinite { image: String, voxels: usize },
}

/// Measures the region of a mask on its image's grid.
pub fn extract(image: &Image, mask: &Mask, parameters: &Parameters, job: &Job) -> Result<Extraction, ExtractError> {
    let settings = &parameters.settings;
    let is_filtered = parameters.images.iter().any(|(kind, _)| *kind != ImageType::Original);
    let readers =
        [(settings.normalize, "normalize"), (settings.resamples(), "resampledPixelSpacing"), (is_filtered, "a filter")];
    let reader = readers.into_iter().find(|(reads, _)| *reads).map(|(_, reader)| reader);
    let image = preprocess::finite(image, || mask.clone(), reader)?;
    let mut diagnostics = told::configuration(parameters);
    told::of_image("original", &image.volume, &mut diagnostics);
    told::of_mask("original", mask, None, &mut diagnostics);
    let prepared = preprocess::prepare_by(&image, mask, extent(mask, settings)?, &settings.steps())?;
    job.check()?;
    if settings.resamples() {
        told::of_image("interpolated", &prepared.image.volume, &mut diagnostics);
        told::of_mask("interpolated", &prepared.mask, Some(&prepared.image.volume), &mut diagnostics);
    }
    let mut bounds = checked(&prepared.mask, settings)?;
    let mut region = prepared.mask.clone();
    if !settings.resegment_range.is_empty() {
        region = resegmented(&prepared.image.volume, &region, settings)?;
        bounds = checked(&region, settings)?;
        told::of_mask("resegmented", &region, Some(&prepared.image.volume), &mut diagnostics);
    }
    let mut work = Work { parameters, bounds, notes: Vec::new(), values: Vec::new() };
    let outline = if settings.resegment_shape { &region } else { &prepared.mask };
    work.shapes(outline, settings)?;
    work.images(&prepared.image, &region, job)?;
    let Work { notes, values, .. } = work;
    if !settings.additional_info {
        diagnostics.clear();
    }
    Ok(Extraction { diagnostics, values, notes })
}

/// How much of the image is prepared: the padded box where it is resampled or `preCrop` says so, else all of it.
fn extent(mask: &Mask, settings: &Settings) -> Result<Extent, ExtractError> {
    if settings.resamples() {
        return Ok(Extent::Around { voxels: [settings.pad_distance; 3], counted_from: settings.pad_distance });
    }
    if settings.pre_crop {
        checked(mask, settings)?;
        return Ok(Extent::Around { voxels: [settings.pad_distance; 3], counted_from: settings.pad_distance });
    }
    Ok(Extent::Whole)
}

/// The box of a region that is large enough.
fn checked(mask: &Mask, settings: &Settings) -> Result<Bounds, ExtractError> {
    let bounds = mask.bounds().ok_or(PreprocessError::EmptyMask)?;
    let found = bounds.shape.iter().filter(|&&n| n > 1).count();
    if found == 0 {
        return Err(ExtractError::OneVoxel);
    }
    if found < settings.minimum_dimensions {
        return Err(ExtractError::Dimensions { found, least: settings.minimum_dimensions });
    }
    let found = mask.count();
    match settings.minimum_size {
        Some(least) if found <= least => Err(ExtractError::Size { found, least }),
        _ => Ok(bounds),
    }
}

/// The voxels of a region between the thresholds, both included.
fn resegmented(volume: &Volume, mask: &Mask, settings: &Settings) -> Result<Mask, ExtractError> {
    let cells = volume.as_slice().iter().zip(mask.as_slice());
    let inside: Vec<f64> = cells.filter(|(_, inside)| **inside).map(|(value, _)| *value).collect();
    let n = inside.len() as f64;
    let threshold = |range: f64| match settings.resegment_mode {
        Mode::Absolute => range,
        Mode::Relative => range * inside.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Mode::Sigma => {
            let mean = inside.iter().sum::<f64>() / n;
            let sd = (inside.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
            mean + sd * range
        }
    };
    let thresholds: Vec<f64> = settings.resegment_range.iter().map(|&range| threshold(range)).collect();
    let (low, high) = (thresholds[0], thresholds.get(1).copied().unwrap_or(f64::INFINITY));
    let mut values = volume.as_slice().iter();
    let kept = mask.map(|&inside| {
        let value = *values.next().expect("image and mask have one grid");
        inside && value >= low && value <= high
    });
    match kept.count() {
        n @ (0 | 1) => Err(ExtractError::Resegmented(n)),
        _ => Ok(kept),
    }
}

/// A region as a layout of its own.
fn layout(mask: &Mask) -> Layout {
    Layout::new(&mask.map(|&inside| if inside { 0 } else { OUTSIDE }), &[(0, 0)])
}

struct Work<'a> {
    parameters: &'a Parameters,
    /// The region's box in the prepared image.
    bounds: Bounds,
    notes: Vec<String>,
    values: Vec<(String, Option<f64>)>,
}

impl Work<'_> {
    fn put(&mut self, image: &str, class: Class, features: &[String], found: &Found) {
        let name = |feature: &String| format!("{image}_{}_{feature}", class.name());
        self.values.extend(features.iter().map(|feature| (name(feature), class.value(feature, found))));
    }

    fn shapes(&mut self, outline: &Mask, settings: &Settings) -> Result<(), ExtractError> {
        let classes: Vec<(Class, Vec<String>)> =
            self.parameters.classes.iter().filter(|(class, _)| class.is_shape()).cloned().collect();
        let outline = outline.cut(self.bounds);
        let of = |wanted: Class| classes.iter().find(move |(class, _)| *class == wanted);
        if let Some((class, features)) = of(Class::Of(Family::Shape)) {
            let wanted = wanted(&classes).wanted();
            let values = shape::describe(&wanted, &layout(&outline), 0, outline.geometry().spacing_mm);
            let names = wanted.of_outline().into_iter().map(|(_, name)| name.to_owned());
            self.put("original", *class, features, &names.zip(values).collect());
        }
        if let Some((class, features)) = of(Class::Shape2D) {
            let axis = settings.force_2d_dimension;
            let thick = outline.geometry().shape[axis];
            // pyradiomics asks the box along x, y, z for an axis of z, y, x.
            if !settings.force_2d {
                self.notes.push("shape2D was left out: force2D is not set".to_owned());
            } else if self.bounds.shape[2 - axis] == 1 {
                self.notes.push(
                    "shape2D was left out, as in pyradiomics: the region has no extent along the other axis".to_owned(),
                );
            } else if thick > 1 {
                return Err(ExtractError::Thick { found: thick, axis: ['z', 'y', 'x'][axis] });
            } else {
                let plane = outline.cells().index_axis(Axis(axis), 0).to_owned();
                let spacing = outline.geometry().spacing_mm;
                let across: Vec<f64> = (0..3).filter(|&k| k != axis).map(|k| spacing[k]).collect();
                let values = shape2d::describe(&plane, [across[0], across[1]]);
                let names = shape2d::NAMES.map(str::to_owned);
                self.put("original", *class, features, &names.into_iter().zip(values).collect());
            }
        }
        Ok(())
    }

    fn images(&mut self, image: &Image, region: &Mask, job: &Job) -> Result<(), ExtractError> {
        let parameters = self.parameters;
        let classes: Vec<(Class, Vec<String>)> =
            parameters.classes.iter().filter(|(class, _)| !class.is_shape()).cloned().collect();
        let region = region.cut(self.bounds);
        let layout = layout(&region);
        let wanted = wanted(&classes).wanted();
        for (kind, _) in &parameters.images {
            let settings = parameters.settings_of(*kind);
            for (name, filtered, element) in self.filtered(*kind, image, &settings)? {
                job.check()?;
                let part = filtered.cut(self.bounds);
                let whole = Bounds { low: [0; 3], shape: part.geometry().shape };
                let values = layout.gather(part.as_slice(), whole);
                let odd = values.iter().filter(|value| !value.is_finite()).count();
                if odd > 0 {
                    return Err(ExtractError::NotFinite { image: name, voxels: odd });
                }
                let found = features(&wanted, &layout, &values, &settings, (element, &part))
                    .map_err(|why| ExtractError::Levels { image: name.clone(), why })?;
                for (class, features) in &classes {
                    let Class::Of(family) = class else { continue };
                    self.put(&name, *class, features, found.get(family.name()).unwrap_or(&Found::new()));
                }
            }
        }
        Ok(())
    }

    /// Names, images and number types of one image type.
    fn filtered(
        &mut self,
        kind: ImageType,
        image: &Image,
        settings: &Settings,
    ) -> Result<Vec<(String, Volume, Element)>, ExtractError> {
        let volume = &image.volume;
        let kept = if image.element == Element::F32 { Element::F32 } else { Element::F64 };
        let point = |name: &str, function: point::Function| {
            let made = function.apply(volume).map_err(|why| ExtractError::Filter { image: name.to_owned(), why })?;
            Ok(vec![(name.to_owned(), made, Element::F64)])
        };
        match kind {
            ImageType::Original => Ok(vec![("original".to_owned(), volume.clone(), image.element)]),
            ImageType::LoG => {
                let mut made = Vec::new();
                for (sigma_mm, word) in &settings.sigma_mm {
                    let name = format!("log-sigma-{}-mm-3D", word.replace('.', "-"));
                    match laplacian_of_gaussian(volume, *sigma_mm) {
                        Ok(filtered) => made.push((name, filtered, Element::F32)),
                        Err(why) => self.notes.push(format!("{name} was left out: {why}")),
                    }
                }
                Ok(made)
            }
            ImageType::Wavelet => {
                let wavelet = Wavelet::new(&settings.wavelet).expect("the name was checked when it was read");
                let bands = wavelet.bands(image, &settings.wavelet_levels());
                Ok(bands.into_iter().map(|(name, volume)| (name, volume, kept)).collect())
            }
            ImageType::Square => point("square", point::Function::Square),
            ImageType::SquareRoot => point("squareroot", point::Function::SquareRoot),
            ImageType::Logarithm => point("logarithm", point::Function::Logarithm),
            ImageType::Exponential => point("exponential", point::Function::Exponential),
            ImageType::Gradient => {
                let made = point::gradient_magnitude(volume, settings.gradient_use_spacing);
                Ok(vec![("gradient".to_owned(), made, Element::F32)])
            }
            ImageType::Lbp2D => {
                if !settings.force_2d {
                    self.notes
                        .push("lbp-2D: patterns are of planes, features of volumes, for force2D is not set".to_owned());
                }
                let made = binary_pattern::patterns(image, settings.force_2d_dimension, settings.lbp_2d);
                Ok(vec![("lbp-2D".to_owned(), made, image.element)])
            }
        }
    }
}

/// Values of one image by family and feature.
fn features(
    wanted: &Wanted,
    layout: &Layout,
    values: &[f64],
    settings: &Settings,
    (element, part): (Element, &Volume),
) -> Result<HashMap<&'static str, Found>, TooManyLevels> {
    let (bins, voxel_mm3) = (settings.bins(element), part.geometry().voxel_mm3());
    let all = if settings.has_usual_texture() {
        measure(wanted, layout, values, bins, voxel_mm3)?.swap_remove(0)
    } else {
        let levels = Levels::new(layout, values, bins)?;
        let mut all = firstorder::describe(wanted, layout, values, &levels, voxel_mm3).swap_remove(0);
        let texture = general::describe(wanted, layout, &levels, &settings.rules(), part.geometry().spacing_mm);
        all.extend(texture.into_iter().flatten());
        all
    };
    let mut found = HashMap::<&str, Found>::new();
    for ((family, name), value) in wanted.of_image().into_iter().zip(all) {
        found.entry(family.name()).or_default().insert(name.to_owned(), value);
    }
    if let Some(first) = found.get_mut(Family::FirstOrder.name()).filter(|_| settings.voxel_array_shift != 0.0) {
        let energy: f64 = values.iter().map(|value| (value + settings.voxel_array_shift).powi(2)).sum();
        let shifted = [
            ("Energy", energy),
            ("TotalEnergy", energy * voxel_mm3),
            ("RootMeanSquared", (energy / values.len() as f64).sqrt()),
        ];
        for (name, value) in shifted {
            first.entry(name.to_owned()).and_modify(|found| *found = Some(value));
        }
    }
    Ok(found)
}
