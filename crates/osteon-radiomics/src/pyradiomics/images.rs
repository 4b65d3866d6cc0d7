//! The images that a parameter file asks for, each within the box that is measured.

use crate::filter::undecimated::Wavelet;
use crate::filter::{binary_pattern, laplacian_of_gaussian, point, recursive_reach};
use crate::grid::{Bounds, Element, Geometry, Image, Reach, Volume};
use crate::pyradiomics::document::{ImageType, Parameters};
use crate::pyradiomics::extract::ExtractError;
use crate::pyradiomics::settings::Settings;

/// What filtered images are made from.
pub struct Source<'a> {
    pub parameters: &'a Parameters,
    /// The prepared image.
    pub image: &'a Image,
    /// The box of the prepared image that is measured.
    pub bounds: Bounds,
    /// Largest absolute intensity of the image that is filtered.
    pub most: f64,
}

impl Source<'_> {
    /// Names, images within the box, and number types of one image type; says which could not be made.
    pub fn images(
        &self,
        kind: ImageType,
        notes: &mut Vec<String>,
    ) -> Result<Vec<(String, Volume, Element)>, ExtractError> {
        let settings = self.parameters.settings_of(kind);
        let shape = self.image.volume.geometry().shape;
        let seen = self.seen_by(kind, &settings);
        let own = Bounds { low: std::array::from_fn(|k| self.bounds.low[k] - seen.low[k]), ..self.bounds };
        let cut = (seen.shape != shape).then(|| self.image.cut(seen));
        let made = self.filtered(kind, cut.as_ref().unwrap_or(self.image), &settings, notes)?;
        Ok(made.into_iter().map(|(name, volume, element)| (name, volume.cut(own), element)).collect())
    }

    /// What of an image an image type has to see: all where the image was cropped as pyradiomics does, which shows.
    fn seen_by(&self, kind: ImageType, settings: &Settings) -> Bounds {
        let geometry = self.image.volume.geometry();
        let whole = Bounds { low: [0; 3], shape: geometry.shape };
        if settings.resamples() || settings.pre_crop {
            return whole;
        }
        let around = reach(kind, geometry, settings).map(|reach| reach.around(self.bounds, geometry.shape));
        around.map_or(whole, |voxels| self.bounds.grown(voxels, geometry.shape))
    }

    /// Names, images and number types of one image type.
    fn filtered(
        &self,
        kind: ImageType,
        image: &Image,
        settings: &Settings,
        notes: &mut Vec<String>,
    ) -> Result<Vec<(String, Volume, Element)>, ExtractError> {
        let volume = &image.volume;
        let kept = if image.element == Element::F32 { Element::F32 } else { Element::F64 };
        if let Some(function) = function(kind) {
            let name = kind.name().to_lowercase();
            let made = function.apply(volume, self.most);
            let made = made.map_err(|why| ExtractError::Filter { image: name.clone(), why })?;
            return Ok(vec![(name, made, Element::F64)]);
        }
        match kind {
            ImageType::Original => Ok(vec![("original".to_owned(), volume.clone(), image.element)]),
            ImageType::LoG => {
                let mut made = Vec::new();
                for (sigma_mm, word) in &settings.sigma_mm {
                    let name = format!("log-sigma-{}-mm-3D", word.replace('.', "-"));
                    match laplacian_of_gaussian(volume, *sigma_mm) {
                        Ok(filtered) => made.push((name, filtered, Element::F32)),
                        Err(why) => notes.push(format!("{name} was left out: {why}")),
                    }
                }
                Ok(made)
            }
            ImageType::Wavelet => {
                let wavelet = Wavelet::new(&settings.wavelet).expect("the name was checked when it was read");
                let bands = wavelet.bands(image, &settings.wavelet_levels());
                Ok(bands.into_iter().map(|(name, volume)| (name, volume, kept)).collect())
            }
            ImageType::Square | ImageType::SquareRoot | ImageType::Logarithm | ImageType::Exponential => {
                unreachable!("functions of a voxel were applied above")
            }
            ImageType::Gradient => {
                let made = point::gradient_magnitude(volume, settings.gradient_use_spacing);
                Ok(vec![("gradient".to_owned(), made, Element::F32)])
            }
            ImageType::Lbp2D => {
                if !settings.force_2d {
                    notes
                        .push("lbp-2D: patterns are of planes, features of volumes, for force2D is not set".to_owned());
                }
                let made = binary_pattern::patterns(image, settings.force_2d_dimension, settings.lbp_2d);
                Ok(vec![("lbp-2D".to_owned(), made, image.element)])
            }
        }
    }
}

/// What an image type needs around a region to give there what it gives on the whole image; `None` when it looks at all
/// of it.
pub fn reach(kind: ImageType, geometry: &Geometry, settings: &Settings) -> Option<Reach> {
    let plain = |voxels| Some(Reach { voxels: [voxels; 3], wraps: false });
    match kind {
        ImageType::Original => plain(0),
        ImageType::Gradient => plain(1),
        ImageType::Lbp2D => plain(settings.lbp_2d.radius.ceil() as usize + 1),
        ImageType::LoG => {
            let widest = settings.sigma_mm.iter().map(|sigma| sigma.0).fold(0.0, f64::max);
            Some(recursive_reach(widest, geometry))
        }
        ImageType::Wavelet => {
            let wavelet = Wavelet::new(&settings.wavelet).expect("the name was checked when it was read");
            // One more a level, for an axis of odd length is one voxel longer.
            let voxels = (settings.start_level + settings.level) * (wavelet.support() + 1);
            Some(Reach { voxels: [voxels; 3], wraps: true })
        }
        // Scaled by the image's range, which is known beforehand unless it is normalized.
        ImageType::Square | ImageType::SquareRoot | ImageType::Logarithm | ImageType::Exponential => {
            if settings.normalize { None } else { plain(0) }
        }
    }
}

/// The function of a voxel that an image type is.
pub fn function(kind: ImageType) -> Option<point::Function> {
    match kind {
        ImageType::Square => Some(point::Function::Square),
        ImageType::SquareRoot => Some(point::Function::SquareRoot),
        ImageType::Logarithm => Some(point::Function::Logarithm),
        ImageType::Exponential => Some(point::Function::Exponential),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;
    use serde_json::{Map, json};

    use super::*;
    use crate::grid::Grid;

    #[test]
    fn every_image_type_gives_a_cut_image_the_bits_of_the_whole() {
        let shape = [33, 44, 47];
        let value =
            |(z, y, x): (usize, usize, usize)| ((z * 7919 + y * 104729 + x * 1299709 + z * y * x) % 4001) as f64;
        let geometry = Geometry::upright(shape, [3.0, 2.0, 2.5]);
        let volume = Grid::new(geometry, Array3::from_shape_fn(shape, value)).unwrap();
        let regions = [
            Bounds { low: [14, 20, 21], shape: [4, 5, 6] },
            Bounds { low: [0, 20, 40], shape: [3, 4, 7] },
            Bounds { low: [29, 39, 0], shape: [4, 5, 3] },
        ];
        let mut cropped = 0;
        for element in [Element::I16, Element::F32] {
            let image = Image { volume: volume.clone(), element };
            for kind in ImageType::ALL {
                let own: Map<String, serde_json::Value> = match kind {
                    ImageType::LoG => [("sigma".to_owned(), json!([0.4, 1]))].into_iter().collect(),
                    ImageType::Wavelet => [("level".to_owned(), json!(2))].into_iter().collect(),
                    _ => Map::new(),
                };
                let parameters = Parameters { images: vec![(kind, own)], ..Parameters::default() };
                let settings = parameters.settings_of(kind);
                for bounds in regions {
                    let most = point::largest(&image.volume);
                    let source = Source { parameters: &parameters, image: &image, bounds, most };
                    let whole = source.filtered(kind, &image, &settings, &mut Vec::new()).unwrap();
                    let part = source.images(kind, &mut Vec::new()).unwrap();
                    cropped += usize::from(source.seen_by(kind, &settings).shape != shape);
                    assert_eq!(whole.len(), part.len());
                    for ((name, whole, _), (_, part, _)) in whole.iter().zip(&part) {
                        assert_eq!(whole.cut(bounds).cells(), part.cells(), "{name} {bounds:?}");
                    }
                }
            }
        }
        assert!(cropped > 40, "{cropped}");
    }
}
