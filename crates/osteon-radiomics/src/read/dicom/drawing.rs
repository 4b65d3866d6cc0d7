//! What is picked of a drawing, RTSTRUCT or SEG, and whether it belongs to its image.

use std::collections::BTreeSet;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::grid::Geometry;
use crate::read::dicom::object::{self, Fields};
use crate::read::dicom::{DicomError, Identity, Instance, contour, segmentation};
use crate::read::{Limits, OtherFrame, Params, Present, Region};
use osteon_base::text::counted;

/// Structures that a message names.
const SHOWN: usize = 32;

/// Which structure or segment of a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'a> {
    /// The only one; a drawing with several is refused.
    Only,
    Name(&'a str),
    /// By the number that the file gives it.
    Number(i64),
    /// Every one, taken together.
    All,
}

/// How a drawing is put on its image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draw<'a> {
    pub which: Which<'a>,
    pub params: Params,
}

impl Default for Draw<'_> {
    fn default() -> Self {
        Draw { which: Which::Only, params: Params::default() }
    }
}

/// The image of a drawing: its grid, and its names where it is DICOM too.
#[derive(Clone, Copy, Debug)]
pub struct On<'a> {
    pub geometry: &'a Geometry,
    pub identity: Option<&'a Identity>,
}

impl On<'_> {
    /// An image of which nothing but its grid is known.
    pub fn grid(geometry: &Geometry) -> On<'_> {
        On { geometry, identity: None }
    }
}

/// The region of a drawing on its image's grid.
pub fn region(instance: &Instance, draw: &Draw, on: On, limits: &Limits) -> Result<Region, DicomError> {
    let file = object::open(instance, limits)?;
    let is_segmentation = file.text(tags::MODALITY).as_deref() == Some("SEG");
    let (mut region, names, frames) = if is_segmentation {
        let (region, names) = segmentation::region(&file, draw, on, limits)?;
        (region, names, file.text(tags::FRAME_OF_REFERENCE_UID))
    } else {
        contour::region(&file, draw, on)?
    };
    if let (Which::Name(wanted), [only]) = (draw.which, &names[..]) {
        region.reading.notes.extend(renamed(wanted, only));
    }
    let notes = belongs(&file, frames.as_deref(), draw, on.identity)?;
    region.reading.notes.extend(notes);
    if let Some((missing, named)) = on.identity.and_then(|image| missing(&file.fields(), image)) {
        region.reading.missing_slices = Some(missing);
        region.reading.notes.push(format!(
            "the mask names {} of its series, {missing} of them are not among the image's files",
            counted(named, "slice")
        ));
    }
    Ok(region)
}

/// Slices of the image's series that the drawing names, and how many of them the image lacks; `None` where it lacks none,
/// or none is named.
fn missing(fields: &Fields, image: &Identity) -> Option<(usize, usize)> {
    if image.instances.is_empty() {
        return None;
    }
    let own = |item: &Fields<'_>| item.text(tags::SERIES_INSTANCE_UID).as_ref() == Some(&image.series_uid);
    let instances = |item: Fields<'_>, within: Tag| {
        item.items(within).filter_map(|instance| instance.text(tags::REFERENCED_SOP_INSTANCE_UID)).collect::<Vec<_>>()
    };
    let of_segmentation = fields.items(tags::REFERENCED_SERIES_SEQUENCE).filter(own);
    let of_segmentation = of_segmentation.flat_map(|series| instances(series, tags::REFERENCED_INSTANCE_SEQUENCE));
    let of_contours = contoured_series(fields).into_iter().filter(own);
    let of_contours = of_contours.flat_map(|series| instances(series, tags::CONTOUR_IMAGE_SEQUENCE));
    let named: BTreeSet<String> = of_segmentation.chain(of_contours).collect();
    let missing = named.difference(&image.instances).count();
    (missing > 0).then_some((missing, named.len()))
}

/// Items of the series on which contours were drawn.
fn contoured_series<'a>(fields: &Fields<'a>) -> Vec<Fields<'a>> {
    fields
        .items(tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE)
        .flat_map(|frame| frame.items(tags::RT_REFERENCED_STUDY_SEQUENCE).collect::<Vec<_>>())
        .flat_map(|study| study.items(tags::RT_REFERENCED_SERIES_SEQUENCE).collect::<Vec<_>>())
        .collect()
}

/// UIDs of the series on which a drawing was made.
pub fn referenced_series(instance: &Instance, limits: &Limits) -> Result<Vec<String>, DicomError> {
    Ok(referenced(&object::open(instance, limits)?.fields()))
}

fn referenced(fields: &Fields) -> Vec<String> {
    let of_segmentation = fields.items(tags::REFERENCED_SERIES_SEQUENCE);
    let of_contours = contoured_series(fields);
    of_segmentation.chain(of_contours).filter_map(|item| item.text(tags::SERIES_INSTANCE_UID)).collect()
}

/// Another frame of reference is refused unless it is accepted; another series of the same frame is said.
fn belongs(
    file: &object::File,
    frame: Option<&str>,
    draw: &Draw,
    image: Option<&Identity>,
) -> Result<Option<String>, DicomError> {
    let Some(image) = image else { return Ok(None) };
    let other_frame =
        frame.is_some_and(|frame| !image.frame_of_reference.is_empty() && frame != image.frame_of_reference);
    if other_frame && draw.params.other_frame == OtherFrame::Refuse {
        let (found, expected) = (frame.unwrap_or_default().to_owned(), image.frame_of_reference.clone());
        return Err(DicomError::OtherFrame { name: file.name.clone(), found, expected });
    }
    if other_frame {
        return Ok(Some("the mask was drawn in another frame of reference than the image's, as accepted".to_owned()));
    }
    let series = referenced(&file.fields());
    let is_other = !series.is_empty() && !series.contains(&image.series_uid);
    Ok(is_other.then(|| "the mask was drawn on another series of the same frame of reference".to_owned()))
}

/// The picked ones of numbered names; a name that occurs twice has to be picked by its number.
pub(super) fn pick(named: &[(i64, String)], which: Which) -> Result<Vec<(i64, String)>, DicomError> {
    let twice = |name: &str| named.iter().filter(|(_, other)| other == name).count() > 1;
    let shown =
        |(number, name): &(i64, String)| if twice(name) { format!("{name} (number {number})") } else { name.clone() };
    let present = || listed(named.iter().map(shown));
    match (which, named) {
        (_, []) => Err(DicomError::NoStructures(String::new())),
        (Which::All, _) => Ok(named.to_vec()),
        (Which::Only, [only]) => Ok(vec![only.clone()]),
        (Which::Only, _) => Err(DicomError::SeveralStructures(present())),
        (Which::Number(wanted), _) => {
            let found = named.iter().find(|(number, _)| *number == wanted).cloned();
            let numbered = || listed(named.iter().map(|(n, name)| format!("{n} {name}")));
            let unknown = || DicomError::NoStructure { wanted: format!("number {wanted}"), present: numbered() };
            Ok(vec![found.ok_or_else(unknown)?])
        }
        (Which::Name(wanted), _) => {
            let mut found: Vec<_> = named.iter().filter(|(_, name)| name == wanted).cloned().collect();
            if found.is_empty() {
                found = named.iter().filter(|(_, name)| is_alike(name, wanted)).cloned().collect();
            }
            match found.len() {
                0 if wanted == "all" => Ok(named.to_vec()),
                0 => Err(DicomError::NoStructure { wanted: wanted.to_owned(), present: present() }),
                1 => Ok(found),
                n => Err(DicomError::StructureTwice { wanted: wanted.to_owned(), n, present: present() }),
            }
        }
    }
}

/// The first few names of a list, and how many more there are.
fn listed(mut names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.by_ref().take(SHOWN).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// A structure's name; its number where the file gives none.
pub(super) fn name_of(number: i64, name: Option<String>) -> String {
    name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| format!("unnamed {number}"))
}

/// Whether two names differ by capital letters and white space alone.
pub fn is_alike(name: &str, wanted: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(name) == plain(wanted)
}

/// Said of a structure whose name is not quite the wanted one.
pub fn renamed(wanted: &str, name: &str) -> Option<String> {
    (name != wanted)
        .then(|| format!("{wanted} is taken for {name}, the only one with this name but for capital letters"))
}

/// What is said of the picked ones when there are others.
pub(super) fn picked(named: &[(i64, String)], picked: &[(i64, String)]) -> (String, Vec<Present>) {
    if named.len() < 2 {
        return (String::new(), Vec::new());
    }
    let names = picked.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
    (names, named.iter().map(|(_, name)| Present { name: name.clone(), voxels: None }).collect())
}
