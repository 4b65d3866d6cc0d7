//! DICOM SEG to a mask on the image's grid.

use std::collections::{BTreeMap, BTreeSet};

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use ndarray::Array3;

use crate::grid::{Geometry, Grid, Mask};
use crate::read::dicom::drawing::{self, Draw, On, Which};
use crate::read::dicom::object::{self, Fields, File};
use crate::read::dicom::own_grid::OwnGrid;
use crate::read::dicom::slices::Slices;
use crate::read::dicom::{DicomError, Instance, contour, frame};
use crate::read::{Cut, Fractional, Limits, Reading, Region, Resample, place};
use osteon_base::text::counted;

/// Labels of the segments of a file, in its order.
pub fn segments(instance: &Instance, limits: &Limits) -> Result<Vec<String>, DicomError> {
    let file = object::open(instance, limits)?;
    Ok(labelled(&file.fields()).into_iter().map(|(_, label)| label).collect())
}

/// The voxels of a segment; `wanted` may be left out when there is only one.
pub fn segmentation(
    instance: &Instance,
    wanted: Option<&str>,
    geometry: &Geometry,
    limits: &Limits,
) -> Result<Mask, DicomError> {
    let draw = Draw { which: wanted.map_or(Which::Only, Which::Name), ..Draw::default() };
    Ok(region(&object::open(instance, limits)?, &draw, On::grid(geometry), limits)?.0.mask)
}

/// What the stored numbers mean: DICOM PS3.3, C.8.20.2.
enum Meaning {
    Binary,
    /// Half and more of the largest value is inside.
    Fractional {
        largest: f64,
    },
    /// The number of the segment.
    Labels,
}

/// The region, and the names of its segments.
pub(super) fn region(file: &File, draw: &Draw, on: On, limits: &Limits) -> Result<(Region, Vec<String>), DicomError> {
    let geometry = on.geometry;
    let fields = file.fields();
    let named = labelled(&fields);
    let picked = match drawing::pick(&named, draw.which) {
        // Of several, one alone may have voxels.
        Err(cause @ DicomError::SeveralStructures(_)) => Err(cause),
        picked => Ok(picked?),
    };
    let meaning = meaning(&fields)?;
    let rows = fields.size(tags::ROWS, "Rows")?;
    let columns = fields.size(tags::COLUMNS, "Columns")?;
    let frames: Vec<Fields> = fields.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).collect();
    let stored = frame::numbers(file, [rows, columns, frames.len()], limits)?;
    let shared = fields.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).next();
    let segment = |frame: &Fields<'_>| {
        let group = group(frame, shared, tags::SEGMENT_IDENTIFICATION_SEQUENCE);
        group.and_then(|group| group.number(tags::REFERENCED_SEGMENT_NUMBER))
    };
    let planes = || frames.iter().zip(stored.chunks_exact(rows * columns)).enumerate();
    let picked = match picked {
        Ok(picked) => picked,
        Err(several) => {
            let filled = planes().flat_map(|(_, (frame, stored))| filled(&meaning, segment(frame), stored)).collect();
            only_filled(&named, &filled).ok_or(several)?
        }
    };
    let is_picked = |number: f64| picked.iter().any(|(own, _)| *own as f64 == number);
    let holds = |value: f64| match meaning {
        Meaning::Binary => value > 0.0,
        Meaning::Fractional { largest } => 2.0 * value >= largest,
        Meaning::Labels => is_picked(value),
    };
    let is_label_map = matches!(meaning, Meaning::Labels);
    let mut cells = Array3::from_elem(geometry.shape, false);
    let mut found = Count::default();
    let mut own_grid = OwnGrid::default();
    let mut off_grid = None;
    let mut slices: Option<Slices> = None;
    let mut seen: BTreeMap<Vec<i64>, (usize, &[f64])> = BTreeMap::new();
    for (at, (frame, stored)) in planes() {
        let number = segment(frame);
        if !is_label_map && !number.is_some_and(is_picked) {
            continue;
        }
        let group = |tag| group(frame, shared, tag).unwrap_or(fields);
        let position = group(tags::PLANE_POSITION_SEQUENCE);
        let orientation = group(tags::PLANE_ORIENTATION_SEQUENCE);
        if let Some(place) = place_of(&position, &orientation, number) {
            match seen.get(&place) {
                Some((first, before)) if *before != stored => {
                    let (name, first, other) = (file.name.clone(), first + 1, at + 1);
                    return Err(DicomError::FramesDiffer { name, first, other });
                }
                Some(_) => {
                    found.repeated += 1;
                    continue;
                }
                None => drop(seen.insert(place, (at, stored))),
            }
        }
        if let Meaning::Fractional { largest } = meaning {
            found.beyond += stored.iter().filter(|&&value| value > largest).count();
            found.most = stored.iter().copied().fold(found.most, f64::max);
        }
        found.above_zero += stored.iter().filter(|&&value| value > 0.0).count();
        if !stored.iter().any(|&value| holds(value)) {
            continue;
        }
        let measures = group(tags::PIXEL_MEASURES_SEQUENCE);
        let lattice = Lattice::new(geometry, &position, &orientation, &measures, [rows, columns])?;
        if lattice.off_voxels > draw.params.tolerance_voxels {
            let (image, own) = (Box::new(geometry.clone()), Box::new(lattice.own.clone()));
            let error = DicomError::Grid { off: lattice.off(), image, found: own };
            if draw.params.resample == Resample::Never {
                return Err(error);
            }
            off_grid.get_or_insert(error);
        }
        if let Some(axis) = lattice.across().filter(|_| slices.is_none()) {
            slices = Some(Slices::new(geometry, axis, stated_mm(&measures)));
        }
        if draw.params.resample == Resample::Nearest {
            own_grid.add(&lattice.own, stored.iter().map(|&value| holds(value)).collect());
        }
        found.off_voxels = found.off_voxels.max(lattice.off_voxels);
        found.moved |= !lattice.is_upright();
        if found.frame.is_none() {
            (found.frame, found.stated_mm) = (Some(lattice.own.clone()), stated_mm(&measures));
        }
        for (at, _) in stored.iter().enumerate().filter(|(_, value)| holds(**value)) {
            found.drawn += 1;
            match lattice.voxel(at / columns, at % columns, geometry.shape) {
                Some(voxel) => cells[voxel] = true,
                None => found.lost += 1,
            }
        }
    }
    if let (Meaning::Fractional { largest }, 1..) = (&meaning, found.beyond) {
        let stated = format!("{largest}, and {} have more, up to {}", counted(found.beyond, "voxel"), found.most);
        let expected = "the largest value of a voxel: export the segmentation again with it";
        return Err(fields.wrong("MaximumFractionalValue", stated, expected));
    }
    let structure = || picked.iter().map(|(_, label)| label.as_str()).collect::<Vec<_>>().join(", ");
    if found.drawn == 0 {
        return Err(match meaning {
            Meaning::Fractional { largest } if found.above_zero > 0 => {
                DicomError::NoHalf { structure: structure(), largest, most: found.most, above_zero: found.above_zero }
            }
            _ => DicomError::NoVoxel { structure: structure() },
        });
    }
    for (_, (frame, stored)) in planes() {
        let position = group(frame, shared, tags::PLANE_POSITION_SEQUENCE).unwrap_or(fields);
        let is_own = is_label_map || segment(frame).is_some_and(is_picked);
        if let (Some(slices), Ok(position_mm)) = (&mut slices, position.position_mm()) {
            slices.add(geometry, position_mm, is_own, is_own && stored.iter().any(|&value| holds(value)));
        }
    }
    let thickness_mm = on.identity.and_then(|image| image.slice_thickness_mm);
    let other_gap_mm = slices.as_ref().and_then(|slices| slices.other_gap_mm(thickness_mm));
    if let (Some(gap_mm), Some(slices), None) = (other_gap_mm, &slices, &off_grid) {
        let error = of_other_slices(geometry, found.frame.as_ref(), slices, gap_mm);
        if draw.params.resample == Resample::Never {
            return Err(error);
        }
        off_grid = Some(error);
    }
    let said = || match found.repeated {
        1 => "1 frame of the segmentation is stored twice and was taken once".to_owned(),
        n => format!("{n} frames of the segmentation are stored twice and were taken once"),
    };
    let mut notes: Vec<String> = (found.repeated > 0).then(said).into_iter().collect();
    let (name, present) = drawing::picked(&named, &picked);
    let names = || picked.iter().map(|(_, label)| label.clone()).collect();
    let is_parted = matches!(meaning, Meaning::Fractional { .. }) && found.above_zero != found.drawn;
    let fractional = is_parted.then_some(Fractional { half: found.drawn, above_zero: found.above_zero });
    if let Some(cause) = off_grid {
        let [distance_mm, thickness_mm] = found.stated_mm;
        let mask = own_grid.mask([other_gap_mm.or(distance_mm), thickness_mm], limits).ok_or(cause)?;
        let reading = Reading { present, picked: name, fractional, notes, ..Reading::default() };
        let placed = place::nearest(&mask, reading, geometry, &draw.params).map_err(DicomError::OwnGrid)?;
        return Ok((placed, names()));
    }
    if found.drawn == found.lost {
        return Err(DicomError::EmptyStructure { structure: structure() });
    }
    if found.lost > 0 && draw.params.cut == Cut::Refuse {
        return Err(DicomError::CutOff { structure: structure(), lost: found.lost, drawn: found.drawn });
    }
    notes.extend(slices.and_then(|slices| striped(&slices, &structure())));
    let reading = Reading {
        present,
        picked: name,
        fractional,
        off_grid_voxels: found.off_voxels,
        moved: if found.moved { "rows or columns in another order".to_owned() } else { String::new() },
        cut_share: found.lost as f64 / found.drawn as f64,
        notes,
        ..Reading::default()
    };
    let mask = Grid::new(geometry.clone(), cells).expect("the cells have the geometry's shape");
    Ok((Region { mask, reading }, names()))
}

/// A functional group: a frame's own before the one that all frames share.
fn group<'a>(frame: &Fields<'a>, shared: Option<Fields<'a>>, tag: Tag) -> Option<Fields<'a>> {
    frame.items(tag).next().or_else(|| shared.and_then(|shared| shared.items(tag).next()))
}

/// Numbers of the segments that have voxels in a frame.
fn filled(meaning: &Meaning, segment: Option<f64>, stored: &[f64]) -> BTreeSet<i64> {
    let above = stored.iter().filter(|&&value| value > 0.0);
    match meaning {
        Meaning::Labels => above.map(|&value| value as i64).collect(),
        _ => above.take(1).filter_map(|_| segment.map(|number| number as i64)).collect(),
    }
}

/// The only segment with voxels.
fn only_filled(named: &[(i64, String)], filled: &BTreeSet<i64>) -> Option<Vec<(i64, String)>> {
    let own: Vec<(i64, String)> = named.iter().filter(|(number, _)| filled.contains(number)).cloned().collect();
    (own.len() == 1).then_some(own)
}

/// A grid whose slices are not as far apart as the image's.
fn of_other_slices(image: &Geometry, frame: Option<&Geometry>, slices: &Slices, gap_mm: f64) -> DicomError {
    let off = format!("its slices are {gap_mm:.4} mm apart, the image's {:.4} mm", slices.image_gap_mm());
    let mut found = frame.unwrap_or(image).clone();
    found.spacing_mm[0] = gap_mm;
    DicomError::Grid { off, image: Box::new(image.clone()), found: Box::new(found) }
}

/// Notices slices without a frame between the first and the last.
fn striped(slices: &Slices, structure: &str) -> Option<String> {
    let (all, own) = slices.filled();
    (own < all).then(|| {
        format!(
            "{structure} has frames for {own} of the {all} slices from its first to its last: the others are not inside"
        )
    })
}

/// The distance of slices, and their thickness, as pixel measures say them.
fn stated_mm(measures: &Fields) -> [Option<f64>; 2] {
    [tags::SPACING_BETWEEN_SLICES, tags::SLICE_THICKNESS].map(|tag| measures.number(tag).filter(|&mm| mm > 0.0))
}

#[derive(Default)]
struct Count {
    drawn: usize,
    lost: usize,
    above_zero: usize,
    /// Frames that are the same as one before.
    repeated: usize,
    /// Voxels above the largest value that the file states, and the largest of all.
    beyond: usize,
    most: f64,
    off_voxels: f64,
    moved: bool,
    /// The plane of the first frame with voxels.
    frame: Option<Geometry>,
    /// Its SpacingBetweenSlices and SliceThickness.
    stated_mm: [Option<f64>; 2],
}

/// Segment, position in micrometres and orientation in thousandths of a frame; `None` where its place is not told.
fn place_of(position: &Fields, orientation: &Fields, segment: Option<f64>) -> Option<Vec<i64>> {
    let position_mm = position.numbers(tags::IMAGE_POSITION_PATIENT)?;
    let turned = orientation.numbers(tags::IMAGE_ORIENTATION_PATIENT)?;
    let whole = |part: f64| (1e3 * part).round() as i64;
    let parts = position_mm.into_iter().chain(turned).map(whole);
    Some(parts.chain([segment.map_or(-1, |segment| segment as i64)]).collect())
}

fn labelled(fields: &Fields) -> Vec<(i64, String)> {
    fields
        .items(tags::SEGMENT_SEQUENCE)
        .filter_map(|item| Some((item.number(tags::SEGMENT_NUMBER)? as i64, item.text(tags::SEGMENT_LABEL))))
        .map(|(number, label)| (number, drawing::name_of(number, label)))
        // Number 0 is the background of a label map.
        .filter(|(number, _)| *number > 0)
        .collect()
}

fn meaning(fields: &Fields) -> Result<Meaning, DicomError> {
    match fields.text(tags::SEGMENTATION_TYPE).as_deref() {
        None | Some("BINARY") => Ok(Meaning::Binary),
        Some("LABELMAP") => Ok(Meaning::Labels),
        Some("FRACTIONAL") => match fields.number(tags::MAXIMUM_FRACTIONAL_VALUE) {
            Some(largest) if largest >= 1.0 => Ok(Meaning::Fractional { largest }),
            found => {
                let found = found.map_or("absent".to_owned(), |found| found.to_string());
                Err(fields.wrong("MaximumFractionalValue", found, "a number from 1"))
            }
        },
        Some(found) => Err(fields.wrong("SegmentationType", found.to_owned(), "BINARY, FRACTIONAL or LABELMAP")),
    }
}

/// How rows and columns of a frame lead to voxels of the image.
struct Lattice {
    own: Geometry,
    start: [i64; 3],
    /// What one row, and one column, adds to the voxel.
    steps: [[i64; 3]; 2],
    off_voxels: f64,
}

impl Lattice {
    fn new(
        image: &Geometry,
        position: &Fields,
        orientation: &Fields,
        measures: &Fields,
        [rows, columns]: [usize; 2],
    ) -> Result<Lattice, DicomError> {
        let origin_mm = position.position_mm()?;
        let (along_x, along_y) = orientation.orientation()?;
        let [dy, dx] = measures.pixel_spacing_mm()?;
        let place = |row: f64, column: f64| {
            let point = std::array::from_fn(|k| origin_mm[k] + row * dy * along_y[k] + column * dx * along_x[k]);
            contour::index_of(image, point)
        };
        let first = place(0.0, 0.0);
        // A step of two voxels is as wrong as one of a thousand.
        let step = |at: f64, from: f64| (at - from).round().clamp(-2.0, 2.0) as i64;
        let whole = |at: [f64; 3]| -> [i64; 3] { std::array::from_fn(|k| step(at[k], first[k])) };
        let (start, steps) =
            (first.map(|part| part.round().clamp(-1e9, 1e9) as i64), [whole(place(1.0, 0.0)), whole(place(0.0, 1.0))]);
        let corner = |row: usize, column: usize| {
            let found = place(row as f64, column as f64);
            let off = |k: usize| found[k] - (start[k] + row as i64 * steps[0][k] + column as i64 * steps[1][k]) as f64;
            (0..3).map(|k| off(k).abs()).fold(0.0, f64::max)
        };
        let is_axis = |step: &[i64; 3]| step.iter().map(|part| part.abs()).sum::<i64>() == 1;
        let corners = [(0, 0), (rows - 1, 0), (0, columns - 1), (rows - 1, columns - 1)];
        let off = corners.into_iter().map(|(row, column)| corner(row, column)).fold(0.0, f64::max);
        let sound = steps.iter().all(is_axis) && first.iter().all(|part| part.abs() < 1e6);
        let own = Geometry {
            shape: [1, rows, columns],
            origin_mm,
            spacing_mm: [image.spacing_mm[0], dy, dx],
            axes: [image.axes[0], along_y, along_x],
        };
        Ok(Lattice { own, start, steps, off_voxels: if sound { off } else { f64::INFINITY } })
    }

    fn is_upright(&self) -> bool {
        self.steps == [[0, 1, 0], [0, 0, 1]]
    }

    /// The image's axis across the plane; `None` where the plane lies across several.
    fn across(&self) -> Option<usize> {
        let free: Vec<usize> = (0..3).filter(|&k| self.steps.iter().all(|step| step[k] == 0)).collect();
        if let [only] = free[..] { Some(only) } else { None }
    }

    fn off(&self) -> String {
        match self.off_voxels.is_finite() {
            true => format!("its corners lie up to {:.3} voxels off", self.off_voxels),
            false => "its axes and pixel sizes are not the image's".to_owned(),
        }
    }

    fn voxel(&self, row: usize, column: usize, shape: [usize; 3]) -> Option<[usize; 3]> {
        let at = |k: usize| self.start[k] + row as i64 * self.steps[0][k] + column as i64 * self.steps[1][k];
        let inside = |k: usize| usize::try_from(at(k)).ok().filter(|&at| at < shape[k]);
        Some([inside(0)?, inside(1)?, inside(2)?])
    }
}
