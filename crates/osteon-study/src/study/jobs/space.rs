//! Masks of one slot on the image of another: where both lie on one grid or in one frame of reference.

use std::path::Path;

use crate::protocol::Protocol;
use crate::store::ImageFile;
use crate::study::Error;
use crate::study::jobs::extract::{SlotTask, unchanged};
use osteon_radiomics::grid::Geometry;
use osteon_radiomics::read::dicom::{Identity, On};
use osteon_radiomics::read::{self, Label, Params, Region, Resample};

/// Where the masks of a slot were drawn.
pub(in crate::study) enum Space {
    /// On its own image.
    Own,
    /// On another slot's image, in the same space: its grid and its names.
    Shared(Box<Shared>),
}

pub(in crate::study) struct Shared {
    note: String,
    geometry: Geometry,
    identity: Option<Identity>,
    is_one_grid: bool,
}

impl Space {
    /// Whether masks that were drawn on another slot's image have a place on this one.
    ///
    /// # Errors
    /// When neither the grids nor the frames of reference are the same, and nobody declared the images registered.
    pub fn of(slot: &SlotTask, other: &ImageFile, on: On, folder: &Path, protocol: &Protocol) -> Result<Space, Error> {
        let path = folder.join(&other.path);
        let drawn = unchanged(other, &path, &protocol.mask)?;
        let geometry = drawn.geometry().unwrap_or(&other.geometry).clone();
        let identity = drawn.identity().cloned();
        let voxel_mm = on.geometry.spacing_mm.into_iter().fold(f64::INFINITY, f64::min);
        let apart = on.geometry.corner_distance_mm(&geometry);
        let is_one_grid = apart.is_some_and(|mm| mm <= protocol.mask.tolerance_voxels * voxel_mm);
        let frame = |it: Option<&Identity>| it.map(|it| it.frame_of_reference.clone()).filter(|it| !it.is_empty());
        let is_registered = protocol.slot(&slot.image.slot).is_some_and(|it| it.registered);
        let how = match (frame(on.identity), frame(identity.as_ref())) {
            (Some(own), Some(other)) if own == other => "in one frame of reference",
            _ if is_registered => "declared registered",
            (Some(_), Some(_)) => return Err(elsewhere(slot, other, "their frames of reference differ")),
            _ if is_one_grid => "on the same grid",
            _ => return Err(elsewhere(slot, other, "neither grid nor frame of reference is the same")),
        };
        let resampled = if is_one_grid { "" } else { ", each voxel as the nearest one there" };
        let note = format!("mask drawn on {}, {how}{resampled}", other.slot);
        Ok(Space::Shared(Box::new(Shared { note, geometry, identity, is_one_grid })))
    }

    /// What a mask is read on: the image that it was drawn on.
    pub fn drawn_on<'a>(&'a self, own: On<'a>) -> On<'a> {
        match self {
            Space::Own => own,
            Space::Shared(shared) => On { geometry: &shared.geometry, identity: shared.identity.as_ref() },
        }
    }

    /// A region as it was drawn, on the grid of the slot's own image.
    pub fn bring(&self, region: Region, own: &Geometry, params: &Params) -> Result<Region, Error> {
        let Space::Shared(shared) = self else { return Ok(region) };
        let Shared { note, is_one_grid, .. } = &**shared;
        let Region { mask, mut reading } = region;
        let mask = if *is_one_grid {
            mask.on(own).expect("one grid has one shape")
        } else {
            let volume = mask.map(|&inside| f64::from(inside));
            let params = Params { resample: Resample::Nearest, ..*params };
            let wrong = |cause: read::ReadError| Error::Request(format!("the mask of another slot: {cause}"));
            let placed = read::region_of(&volume, Label::AnyNonZero, own, &params).map_err(wrong)?;
            reading.notes.extend(placed.reading.sentences());
            placed.mask
        };
        reading.notes.push(note.clone());
        Ok(Region { mask, reading })
    }
}

fn elsewhere(slot: &SlotTask, other: &ImageFile, why: &str) -> Error {
    let name = &slot.image.slot;
    Error::Request(format!(
        "the masks of {} have no place on {name}: {why}; link masks drawn on {name}, or declare image.{name}.registered \
         = true where the images were registered",
        other.slot
    ))
}
