//! What was measured, beside the measurements: geometry, counts and values of image and tumour, before and after
//! preparation.

mod air;
mod region;

use crate::describe::{self, Params};
use crate::grid::{Geometry, Image, Mask, Volume};
use crate::preprocess::PreprocessError;
use crate::roi::Roi;

pub use region::{RegionCheck, regions};

/// Names and values under pyradiomics' names, points and sizes in its order x, y, z.
pub fn diagnose(
    image: &Image,
    mask: &Mask,
    rois: &[Roi],
    params: &Params,
) -> Result<Vec<(String, String)>, PreprocessError> {
    let mut found = Vec::new();
    of_image("Image-original", &image.volume, &mut found);
    of_mask("Mask-original", mask, &mut found);
    let prepared = describe::prepare(image, mask, rois, params)?.prepared;
    of_image("Image-interpolated", &prepared.image.volume, &mut found);
    of_mask("Mask-interpolated", &prepared.mask, &mut found);
    let cells = prepared.image.volume.as_slice().iter().zip(prepared.mask.as_slice());
    let inside: Vec<f64> = cells.filter(|(_, inside)| **inside).map(|(value, _)| *value).collect();
    of_values("Mask-interpolated", &inside, &mut found);
    Ok(found)
}

type Found = Vec<(String, String)>;

pub(crate) fn of_image(what: &str, volume: &Volume, found: &mut Found) {
    let Geometry { shape, spacing_mm, .. } = volume.geometry();
    found.push((format!("{what}_Dimensionality"), "3D".to_owned()));
    found.push((format!("{what}_Spacing"), tuple(spacing_mm)));
    found.push((format!("{what}_Size"), tuple(shape)));
    of_values(what, volume.as_slice(), found);
}

/// Of the finite numbers.
pub(crate) fn of_values(what: &str, values: &[f64], found: &mut Found) {
    let finite: Vec<f64>;
    let values = if values.iter().all(|value| value.is_finite()) {
        values
    } else {
        finite = values.iter().copied().filter(|value| value.is_finite()).collect();
        &finite
    };
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for (name, value) in [("Mean", mean), ("Minimum", low), ("Maximum", high)] {
        found.push((format!("{what}_{name}"), format!("{value:?}")));
    }
}

pub(crate) fn of_mask(what: &str, mask: &Mask, found: &mut Found) {
    let Geometry { shape, spacing_mm, .. } = mask.geometry();
    found.push((format!("{what}_Spacing"), tuple(spacing_mm)));
    found.push((format!("{what}_Size"), tuple(shape)));
    let Some(bounds) = mask.bounds() else { return };
    let [[z, y, x], [depth, height, width]] = [bounds.low, bounds.shape];
    found.push((format!("{what}_BoundingBox"), format!("({x}, {y}, {z}, {width}, {height}, {depth})")));
    found.push((format!("{what}_VoxelNum"), mask.count().to_string()));
    found.push((format!("{what}_VolumeNum"), components(&mask.cut(bounds)).to_string()));
    let mut sums = [0; 3];
    for (at, _) in mask.cut(bounds).cells().indexed_iter().filter(|(_, inside)| **inside) {
        [z + at.0, y + at.1, x + at.2].iter().zip(&mut sums).for_each(|(index, sum)| *sum += index);
    }
    let centre = sums.map(|sum| sum as f64 / mask.count() as f64);
    found.push((format!("{what}_CenterOfMassIndex"), tuple(&centre)));
    let [px, py, pz] = mask.geometry().point_mm(centre);
    found.push((format!("{what}_CenterOfMass"), tuple(&[pz, py, px])));
}

/// `(x, y, z)` of a triple z, y, x.
fn tuple<T: std::fmt::Debug>([z, y, x]: &[T; 3]) -> String {
    format!("({x:?}, {y:?}, {z:?})")
}

/// Parts of the mask that touch by face, edge or corner.
fn components(mask: &Mask) -> usize {
    let shape = mask.geometry().shape;
    let mut left = mask.cells().clone();
    let mut count = 0;
    for ((z, y, x), &inside) in mask.cells().indexed_iter() {
        if !inside || !left[[z, y, x]] {
            continue;
        }
        count += 1;
        left[[z, y, x]] = false;
        let mut open = vec![[z, y, x]];
        while let Some(at) = open.pop() {
            let range = |k: usize| at[k].saturating_sub(1)..(at[k] + 2).min(shape[k]);
            for z in range(0) {
                for y in range(1) {
                    for x in range(2) {
                        if std::mem::take(&mut left[[z, y, x]]) {
                            open.push([z, y, x]);
                        }
                    }
                }
            }
        }
    }
    count
}
