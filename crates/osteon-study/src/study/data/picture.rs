//! A patient's image with its tumour and a ring, to be looked at.

use crate::store::{ImageFile, Role};
use crate::study::data::input;
use crate::study::{Error, Study};
use osteon_radiomics::grid::{Mask, Volume};
use osteon_radiomics::roi::{Roi, Shells};

/// Image, tumour and ring on the image's own grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub image: Volume,
    pub tumour: Mask,
    pub ring: Mask,
    /// What the ring is called, such as `peri_4mm`.
    pub ring_name: String,
}

impl Study {
    /// The image of a patient with the tumour and the protocol's widest ring, from the files as they are now.
    pub fn picture(&self, code: &str) -> Result<Picture, Error> {
        let patient = self.store.patient(code)?;
        let files = self.store.images_of(patient.id)?;
        let missing = if files.iter().any(|file| file.role == Role::Image) { "mask" } else { "image" };
        let (image_file, mask_file) =
            self.pair_to_show(&files).ok_or_else(|| Error::NoImage(code.to_owned(), missing))?;
        let (image_file, mask_file) = (&image_file, &mask_file);
        let (image_path, mask_path) = (self.path_of(image_file), self.path_of(mask_file));
        let bytes = input::image_bytes(&image_path, None, self.protocol.mask.uneven)?;
        let on = bytes.on().ok_or_else(|| Error::NoImageFile(image_path.clone()))?;
        let image = bytes.image(&image_path)?.volume;
        let drawn = input::image_bytes(&mask_path, None, self.protocol.mask.uneven)?;
        let tumour = drawn.region(&mask_path, mask_file.picked(), on, &self.protocol.mask)?.mask;
        let margins_mm = &self.protocol.roi.margins_mm;
        let widest = Roi::Peri(margins_mm.iter().copied().fold(0.0, f64::max));
        let ring = Shells::around(&tumour, margins_mm).region(widest);
        let ring = ring.unwrap_or_else(|| tumour.map(|_| false));
        Ok(Picture { image, tumour, ring, ring_name: widest.to_string() })
    }

    /// The image of the first slot that has a mask drawn on it by the rater who is learnt from, with the first such mask.
    pub(in crate::study) fn pair_to_show(&self, files: &[ImageFile]) -> Option<(ImageFile, ImageFile)> {
        let rater = self.rater();
        self.protocol.slots().iter().find_map(|slot| {
            let of = |role: &Role| files.iter().find(|file| file.role == *role && file.slot == slot.slot).cloned();
            Some((of(&Role::Image)?, of(&rater)?))
        })
    }
}
