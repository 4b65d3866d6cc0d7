//! A patient's image with its tumour and a ring, to be looked at.

use crate::protocol::codebook::slot::Slot;
use crate::store::{ImageFile, Place, Role, natural};
use crate::study::data::input;
use crate::study::{Error, Study};
use osteon_radiomics::grid::{Mask, Volume};
use osteon_radiomics::roi::{Roi, Shells};

/// Image, tumour and ring on the image's own grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The mask in words, and which of how many it is, from 0.
    pub mask: String,
    pub place: [usize; 2],
    /// What readers say of it, and what it is in numbers.
    pub said: Vec<String>,
    pub image: Volume,
    pub tumour: Mask,
    pub ring: Mask,
    /// What the ring is called, such as `peri_4mm`.
    pub ring_name: String,
}

impl Study {
    /// The image of a patient with the tumour and the protocol's widest ring, from the files as they are now. `nth` picks
    /// the mask of a patient who has several.
    pub fn picture(&self, code: &str, nth: usize) -> Result<Picture, Error> {
        let patient = self.store.patient(code)?;
        let files = self.store.images_of(patient.id)?;
        let missing = if files.iter().any(|file| file.role == Role::Image) { "mask" } else { "image" };
        let pairs = self.pairs_to_show(&files);
        let count = pairs.len();
        let at = nth.min(count.saturating_sub(1));
        let (image_file, mask_file) = pairs.get(at).ok_or_else(|| Error::NoImage(code.to_owned(), missing))?;
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
        let verdicts = self.store.verdicts()?.into_iter().filter(|verdict| verdict.is_of(mask_file));
        let mut said: Vec<String> = verdicts
            .map(|it| format!("{}: {} {}", it.reader, it.judgement.name(), it.note).trim().to_owned())
            .collect();
        let own = |place: &Place| {
            (&place.slot, &place.lesion, &place.rater) == (&mask_file.slot, &mask_file.lesion, &mask_file.role)
        };
        for (place, check) in self.store.region_checks_of(patient.id)? {
            if own(&place) && place.region == "intra" {
                said.push(check.to_string());
            }
        }
        let (mask, place) = (mask_file.title(), [at, count]);
        Ok(Picture { mask, place, said, image, tumour, ring, ring_name: widest.to_string() })
    }

    /// The image of the first slot that has a mask drawn on it by the rater who is learnt from, with the first such mask.
    pub(in crate::study) fn pair_to_show(&self, files: &[ImageFile]) -> Option<(ImageFile, ImageFile)> {
        self.pairs_to_show(files).into_iter().next()
    }

    /// Every mask with the image that it was drawn on: by slots, those of the rater who is learnt from first.
    fn pairs_to_show(&self, files: &[ImageFile]) -> Vec<(ImageFile, ImageFile)> {
        let rater = self.rater();
        let of_slot = |slot: &Slot| {
            let image = files.iter().find(|file| file.role == Role::Image && file.slot == slot.slot)?;
            let mut masks: Vec<&ImageFile> =
                files.iter().filter(|file| file.role != Role::Image && file.slot == slot.slot).collect();
            masks.sort_by_cached_key(|file| (file.role != rater, file.role.clone(), natural(&file.lesion)));
            Some(masks.into_iter().map(|mask| (image.clone(), mask.clone())).collect::<Vec<_>>())
        };
        self.protocol.slots().iter().filter_map(of_slot).flatten().collect()
    }
}
