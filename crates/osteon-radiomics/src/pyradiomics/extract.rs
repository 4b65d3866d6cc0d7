//! One image and mask under a set of parameters, in pyradiomics' order of steps.

use std::collections::HashMap;

use ndarray::Axis;

use crate::describe::measure;
use crate::feature::layout::{Layout, OUTSIDE};
use crate::feature::levels::{Levels, TooManyLevels};
use crate::feature::{Family, Wanted, firstorder, general, shape, shape2d};
use crate::filter::{FilterError, point};
use crate::grid::{Bounds, Element, Image, Mask, Volume};
use crate::preprocess::{self, Extent, Prepared, PreprocessError};
use crate::pyradiomics::class::{Class, Found, wanted};
use crate::pyradiomics::document::{ImageType, Parameters};
use crate::pyradiomics::images::{Source, function, reach};
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
    let Ready { prepared, region, bounds, most, diagnostics } = ready(image, mask, parameters, 0)?;
    job.check()?;
    let mut work = Work { parameters, bounds, notes: Vec::new(), values: Vec::new() };
    let outline = if settings.resegment_shape { &region } else { &prepared.mask };
    work.shapes(outline, settings)?;
    work.images(&Source { parameters, image: &prepared.image, bounds, most }, &region, job)?;
    let Work { notes, values, .. } = work;
    Ok(Extraction { diagnostics, values, notes })
}

/// An image and its region as filters and features see them.
pub struct Ready {
    pub prepared: Prepared,
    /// After re-segmentation.
    pub region: Mask,
    /// The region's box.
    pub bounds: Bounds,
    /// Largest absolute intensity of the image that is filtered; 0 where no image type asks for it.
    pub most: f64,
    pub diagnostics: Vec<(String, String)>,
}

/// Prepares an image; `beyond` voxels around the region are measured too.
pub fn ready(image: &Image, mask: &Mask, parameters: &Parameters, beyond: usize) -> Result<Ready, ExtractError> {
    let settings = &parameters.settings;
    let is_filtered = parameters.images.iter().any(|(kind, _)| *kind != ImageType::Original);
    let readers =
        [(settings.normalize, "normalize"), (settings.resamples(), "resampledPixelSpacing"), (is_filtered, "a filter")];
    let reader = readers.into_iter().find(|(reads, _)| *reads).map(|(_, reader)| reader);
    let image = preprocess::finite(image, || mask.clone(), reader)?;
    let mut diagnostics = Vec::new();
    if settings.additional_info {
        diagnostics = told::configuration(parameters);
        told::of_image("original", &image.volume, &mut diagnostics);
        told::of_mask("original", mask, None, &mut diagnostics);
    }
    let prepared = preprocess::prepare_by(&image, mask, extent(mask, parameters, beyond)?, &settings.steps())?;
    if settings.additional_info && settings.resamples() {
        told::of_image("interpolated", &prepared.image.volume, &mut diagnostics);
        told::of_mask("interpolated", &prepared.mask, Some(&prepared.image.volume), &mut diagnostics);
    }
    let mut bounds = checked(&prepared.mask, settings)?;
    let mut region = prepared.mask.clone();
    if !settings.resegment_range.is_empty() {
        region = resegmented(&prepared.image.volume, &region, settings)?;
        bounds = checked(&region, settings)?;
        if settings.additional_info {
            told::of_mask("resegmented", &region, Some(&prepared.image.volume), &mut diagnostics);
        }
    }
    let ranged =
        if settings.normalize || settings.resamples() || settings.pre_crop { &prepared.image } else { &*image };
    let is_scaled = parameters.images.iter().any(|(kind, _)| function(*kind).is_some());
    let most = if is_scaled { point::largest(&ranged.volume) } else { 0.0 };
    Ok(Ready { prepared, region, bounds, most, diagnostics })
}

/// How much of the image is prepared: the padded box where it is resampled or `preCrop` says so, else what a filter
/// looks at, which gives the bits of the whole.
fn extent(mask: &Mask, parameters: &Parameters, beyond: usize) -> Result<Extent, ExtractError> {
    let settings = &parameters.settings;
    if settings.resamples() || settings.pre_crop {
        if !settings.resamples() {
            checked(mask, settings)?;
        }
        return Ok(Extent::Around { voxels: [settings.pad_distance; 3], counted_from: settings.pad_distance });
    }
    let Some(region) = mask.bounds() else { return Ok(Extent::Whole) };
    let shape = mask.geometry().shape;
    let region = region.grown([beyond; 3], shape);
    let mut kept = [0; 3];
    for (kind, _) in &parameters.images {
        let Some(reach) = reach(*kind, mask.geometry(), &parameters.settings_of(*kind)) else {
            return Ok(Extent::Whole);
        };
        let around = reach.around(region, shape);
        kept = std::array::from_fn(|k| kept[k].max(around[k] + beyond));
    }
    Ok(Extent::Around { voxels: kept, counted_from: settings.pad_distance })
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

    fn images(&mut self, source: &Source, region: &Mask, job: &Job) -> Result<(), ExtractError> {
        let parameters = self.parameters;
        let classes: Vec<(Class, Vec<String>)> =
            parameters.classes.iter().filter(|(class, _)| !class.is_shape()).cloned().collect();
        let region = region.cut(self.bounds);
        let layout = layout(&region);
        let wanted = wanted(&classes).wanted();
        for (kind, _) in &parameters.images {
            let settings = parameters.settings_of(*kind);
            for (name, part, element) in source.images(*kind, &mut self.notes)? {
                job.check()?;
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
    Ok(by_family(wanted, all, values, settings, voxel_mm3))
}

/// Values in the order of the families by name, energies of shifted intensities.
pub fn by_family(
    wanted: &Wanted,
    all: Vec<Option<f64>>,
    values: &[f64],
    settings: &Settings,
    voxel_mm3: f64,
) -> HashMap<&'static str, Found> {
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
    found
}
