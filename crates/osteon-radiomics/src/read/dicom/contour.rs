//! RTSTRUCT contours to a mask on the image's grid.

use std::collections::{BTreeMap, BTreeSet};

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use ndarray::Array3;

use crate::grid::{Geometry, Grid, Mask};
use crate::read::dicom::drawing::{self, Draw, On, Which};
use crate::read::dicom::fill::{self, Rings};
use crate::read::dicom::{DicomError, Instance, object};
use crate::read::{Cut, Limits, Reading, Region};
use osteon_base::text::counted;

/// ContourOffsetVector, retired.
const CONTOUR_OFFSET_VECTOR: Tag = Tag(0x3006, 0x0045);

/// All points of a contour lie in one plane to this part of the slice distance.
const FLAT: f64 = 0.1;

/// A contour is taken to the slice that is nearest; halfway between two slices there is none.
const HALFWAY: f64 = 0.499;

/// Slices from the image's first; no contour of it is farther away.
const FARTHEST: f64 = 1e6;

/// Contours this close to a slice are on it: planning systems write positions with few digits.
const ON_SLICE: f64 = 0.01;

/// Names of the structures of a file that have closed contours, in its order; points, isocentres and lines are none.
pub fn structures(instance: &Instance, limits: &Limits) -> Result<Vec<String>, DicomError> {
    let file = object::open(instance, limits)?;
    Ok(named(&file).into_iter().map(|(_, name)| name).collect())
}

/// The voxels whose centres lie within a structure; `wanted` may be left out when there is only one structure.
pub fn contours(
    instance: &Instance,
    wanted: Option<&str>,
    geometry: &Geometry,
    limits: &Limits,
) -> Result<Mask, DicomError> {
    let draw = Draw { which: wanted.map_or(Which::Only, Which::Name), ..Draw::default() };
    Ok(region(&object::open(instance, limits)?, &draw, On::grid(geometry))?.0.mask)
}

/// The region, the names of its structures, and the frame of reference in which it was drawn.
pub(super) fn region(
    file: &object::File,
    draw: &Draw,
    on: On,
) -> Result<(Region, Vec<String>, Option<String>), DicomError> {
    let named = named(file);
    let picked = drawing::pick(&named, draw.which).map_err(|error| match error {
        DicomError::NoStructures(_) => DicomError::NoStructures(unclosed(file)),
        DicomError::NoStructure { wanted, present } if is_named(file, &wanted) => {
            let wanted = format!("{wanted} with a closed contour: the file names it without one");
            DicomError::NoStructure { wanted, present }
        }
        error => error,
    })?;
    // Slices of a DICOM series are its first axis; a file that was made from one may have it elsewhere.
    let axis = on.identity.map_or_else(|| across(file, picked[0].0, on.geometry), |_| 0);
    let order: [usize; 3] = std::array::from_fn(|k| [axis, usize::from(axis == 0), 2 - usize::from(axis == 2)][k]);
    let geometry = &turned(on.geometry, order);
    let mut cells = Array3::from_elem(geometry.shape, false);
    let (mut total, mut notes) = (fill::Filled::default(), Vec::new());
    for (number, structure) in &picked {
        let slices = slices(file, *number, structure, geometry, &mut notes)?;
        striped(&slices, structure, &mut notes);
        for (z, rings) in slices {
            let filled = fill::fill(&rings, z, &mut cells).map_err(|what| DicomError::Field {
                name: file.name.clone(),
                field: "ContourData",
                found: what,
                expected: "contours near the image",
            })?;
            total.add(&filled);
        }
    }
    let structure = || picked.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
    if total.drawn == total.lost {
        return Err(DicomError::EmptyStructure { structure: structure() });
    }
    if total.lost > 0 && draw.params.cut == Cut::Refuse {
        return Err(DicomError::CutOff { structure: structure(), lost: total.lost, drawn: total.drawn });
    }
    if total.repeated > 0 {
        notes.push(format!("{} contours are stored twice and were taken once", total.repeated));
    }
    if total.disputed > 0 {
        notes.push(format!(
            "contours of one slice overlap: {} voxels depend on whether the overlap is inside or outside",
            total.disputed
        ));
    }
    let (name, present) = drawing::picked(&named, &picked);
    let cut_share = total.lost as f64 / total.drawn as f64;
    let moved = if axis == 0 { String::new() } else { "axes in another order".to_owned() };
    let reading = Reading { present, picked: name, cut_share, notes, moved, ..Reading::default() };
    let mut back = [0; 3];
    order.into_iter().enumerate().for_each(|(at, own)| back[own] = at);
    let cells = cells.permuted_axes(back).as_standard_layout().into_owned();
    let mask = Grid::new(on.geometry.clone(), cells).expect("the cells have the geometry's shape");
    let frame = frame_of(file, picked[0].0);
    Ok((Region { mask, reading }, picked.into_iter().map(|(_, name)| name).collect(), frame))
}

/// The image's axis that goes across the first closed contour of a structure; the first where that is none of them.
fn across(file: &object::File, number: i64, geometry: &Geometry) -> usize {
    let data = |contour: object::Fields<'_>| contour.numbers(tags::CONTOUR_DATA).filter(|data| data.len() >= 9);
    let Some(data) = drawn(file, number).into_iter().find_map(data) else { return 0 };
    let index = |point: &[f64]| index_of(geometry, [point[0], point[1], point[2]]);
    let points: Vec<[f64; 3]> = data.chunks_exact(3).map(index).collect();
    let reach = |k: usize| {
        let at = points.iter().map(|point| point[k]);
        at.clone().fold(f64::NEG_INFINITY, f64::max) - at.fold(f64::INFINITY, f64::min)
    };
    let flat: Vec<usize> = (0..3).filter(|&k| reach(k) <= FLAT).collect();
    if let [only] = flat[..] { only } else { 0 }
}

/// The same grid with its axes in another order.
fn turned(geometry: &Geometry, order: [usize; 3]) -> Geometry {
    Geometry {
        shape: order.map(|k| geometry.shape[k]),
        origin_mm: geometry.origin_mm,
        spacing_mm: order.map(|k| geometry.spacing_mm[k]),
        axes: order.map(|k| geometry.axes[k]),
    }
}

/// Whether the file names a structure, drawn or not.
fn is_named(file: &object::File, wanted: &str) -> bool {
    let names = file.fields().items(tags::STRUCTURE_SET_ROI_SEQUENCE);
    names.filter_map(|item| item.text(tags::ROI_NAME)).any(|name| drawing::is_alike(&name, wanted))
}

/// The closed contours of a structure by slice, in indices of the image; slices may lie outside it.
fn slices(
    file: &object::File,
    number: i64,
    structure: &str,
    geometry: &Geometry,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<i64, Rings>, DicomError> {
    let mut planes: BTreeMap<i64, Vec<(f64, fill::Ring)>> = BTreeMap::new();
    let (mut moved, mut farthest) = (0, 0.0f64);
    let (mut left_out, mut offset) = (BTreeMap::<String, usize>::new(), 0);
    for contour in drawn(file, number) {
        let kind = contour.text(tags::CONTOUR_GEOMETRIC_TYPE).unwrap_or_default();
        let is_xor = match kind.as_str() {
            "CLOSED_PLANAR" => false,
            "CLOSEDPLANAR_XOR" => true,
            "POINT" | "OPEN_PLANAR" | "OPEN_NONPLANAR" => {
                *left_out.entry(kind).or_default() += 1;
                continue;
            }
            _ => return Err(contour.wrong("ContourGeometricType", kind, "CLOSED_PLANAR")),
        };
        let data = contour.numbers(tags::CONTOUR_DATA).unwrap_or_default();
        if data.is_empty() || data.len() % 3 != 0 {
            let found = format!("{} numbers", data.len());
            let expected = "three finite numbers a point: the file is damaged, export it again";
            return Err(contour.wrong("the content of ContourData", found, expected));
        }
        let distinct: BTreeSet<[u64; 3]> =
            data.chunks_exact(3).map(|point| [point[0], point[1], point[2]].map(f64::to_bits)).collect();
        if distinct.len() < 3 {
            *left_out.entry("one or two points".to_owned()).or_default() += 1;
            continue;
        }
        let moves = contour.numbers(CONTOUR_OFFSET_VECTOR).unwrap_or_default();
        offset += usize::from(moves.iter().any(|&mm| mm != 0.0));
        let points: Vec<[f64; 3]> =
            data.chunks_exact(3).map(|point| index_of(geometry, [point[0], point[1], point[2]])).collect();
        let mean = points.iter().map(|point| point[0]).sum::<f64>() / points.len() as f64;
        if mean.is_nan() || mean.abs() >= FARTHEST {
            return Err(contour.wrong(
                "ContourData",
                format!("a contour at slice {mean:.0}"),
                "contours near the image",
            ));
        }
        let tilt = points.iter().map(|point| (point[0] - mean).abs()).fold(0.0, f64::max);
        let off = (mean - mean.round()).abs();
        if tilt > FLAT || off > HALFWAY {
            let apart_mm = tilt.max(off) * geometry.spacing_mm[0];
            return Err(DicomError::OffSlice { structure: structure.to_owned(), apart_mm });
        }
        if off > ON_SLICE {
            moved += 1;
            farthest = farthest.max(off);
        }
        let ring = fill::Ring { points: points.iter().map(|point| [point[1], point[2]]).collect(), is_xor };
        planes.entry(mean.round() as i64).or_default().push((mean, ring));
    }
    if !left_out.is_empty() {
        let kinds: Vec<String> = left_out.iter().map(|(kind, n)| format!("{n} of {kind}")).collect();
        let n = counted(left_out.values().sum(), "contour");
        notes.push(format!("left out of {structure}: {n} without an area, {}", kinds.join(", ")));
    }
    if offset > 0 {
        notes.push(format!(
            "a ContourOffsetVector, which the standard has retired, was not applied to {} of {structure}",
            counted(offset, "contour")
        ));
    }
    if moved > 0 {
        notes.push(format!(
            "{moved} contours of {structure} lie up to {:.3} slices off the image's slices and were taken to the nearest",
            farthest
        ));
    }
    Ok(planes.into_iter().map(|(z, rings)| (z, nearest_plane(z, rings, structure, notes))).collect())
}

/// Contours of several planes may have the same nearest slice: those of the nearest plane are its own.
fn nearest_plane(z: i64, rings: Vec<(f64, fill::Ring)>, structure: &str, notes: &mut Vec<String>) -> Rings {
    let off = |mean: f64| (mean - z as f64).abs();
    let nearest = rings.iter().map(|(mean, _)| *mean).min_by(|a, b| off(*a).total_cmp(&off(*b))).unwrap_or_default();
    let n = rings.len();
    let kept: Rings =
        rings.into_iter().filter(|(mean, _)| (mean - nearest).abs() <= FLAT).map(|(_, ring)| ring).collect();
    if kept.len() < n {
        notes.push(format!(
            "{} contours of {structure} lie between the image's slices, nearer ones were taken for slice {}",
            n - kept.len(),
            z + 1
        ));
    }
    kept
}

/// Notices slices without contours between the first and the last.
fn striped(slices: &BTreeMap<i64, Rings>, structure: &str, notes: &mut Vec<String>) {
    let (Some((first, _)), Some((last, _))) = (slices.first_key_value(), slices.last_key_value()) else { return };
    let all = (last - first + 1) as usize;
    if slices.len() < all {
        notes.push(format!(
            "{structure} has contours on {} of the {all} slices from its first to its last: the others are not inside",
            slices.len()
        ));
    }
}

fn drawn<'a>(file: &'a object::File, number: i64) -> Vec<object::Fields<'a>> {
    let of_structure = |item: &object::Fields<'_>| item.number(tags::REFERENCED_ROI_NUMBER) == Some(number as f64);
    let items = file.fields().items(tags::ROI_CONTOUR_SEQUENCE).filter(of_structure);
    items.flat_map(|item| item.items(tags::CONTOUR_SEQUENCE).collect::<Vec<_>>()).collect()
}

/// What is said of structures that have contours, none of them closed; empty where there are none.
fn unclosed(file: &object::File) -> String {
    let fields = file.fields();
    let drawn: Vec<f64> = fields
        .items(tags::ROI_CONTOUR_SEQUENCE)
        .filter(|item| item.items(tags::CONTOUR_SEQUENCE).next().is_some())
        .filter_map(|item| item.number(tags::REFERENCED_ROI_NUMBER))
        .collect();
    let names: Vec<String> = fields
        .items(tags::STRUCTURE_SET_ROI_SEQUENCE)
        .filter_map(|item| Some((item.number(tags::ROI_NUMBER)?, item.text(tags::ROI_NAME))))
        .filter(|(number, _)| drawn.contains(number))
        .map(|(number, name)| drawing::name_of(number as i64, name))
        .collect();
    match &names[..] {
        [] => String::new(),
        names => format!(
            "; points and open contours alone: {}; close them in the program that drew them, and export again",
            names.join(", ")
        ),
    }
}

/// Number and name of each structure that has a closed contour.
fn named(file: &object::File) -> Vec<(i64, String)> {
    let fields = file.fields();
    let is_closed = |contour: &object::Fields<'_>| {
        let kind = contour.text(tags::CONTOUR_GEOMETRIC_TYPE).unwrap_or_default();
        !matches!(kind.as_str(), "POINT" | "OPEN_PLANAR" | "OPEN_NONPLANAR")
    };
    let drawn: Vec<f64> = fields
        .items(tags::ROI_CONTOUR_SEQUENCE)
        .filter(|item| item.items(tags::CONTOUR_SEQUENCE).any(|contour| is_closed(&contour)))
        .filter_map(|item| item.number(tags::REFERENCED_ROI_NUMBER))
        .collect();
    fields
        .items(tags::STRUCTURE_SET_ROI_SEQUENCE)
        .filter_map(|item| Some((item.number(tags::ROI_NUMBER)?, item.text(tags::ROI_NAME))))
        .filter(|(number, _)| drawn.contains(number))
        .map(|(number, name)| (number as i64, drawing::name_of(number as i64, name)))
        // The same line twice is one structure.
        .fold(Vec::new(), |mut all, own| {
            if !all.contains(&own) {
                all.push(own);
            }
            all
        })
}

/// The frame of reference of a structure: its own, else the file's only one.
fn frame_of(file: &object::File, number: i64) -> Option<String> {
    let fields = file.fields();
    let own = fields
        .items(tags::STRUCTURE_SET_ROI_SEQUENCE)
        .find(|item| item.number(tags::ROI_NUMBER) == Some(number as f64))
        .and_then(|item| item.text(tags::REFERENCED_FRAME_OF_REFERENCE_UID));
    let all: Vec<String> = fields
        .items(tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE)
        .filter_map(|item| item.text(tags::FRAME_OF_REFERENCE_UID))
        .collect();
    own.or(if let [only] = &all[..] { Some(only.clone()) } else { fields.text(tags::FRAME_OF_REFERENCE_UID) })
}

/// Continuous index z, y, x of a physical point.
pub(super) fn index_of(geometry: &Geometry, point_mm: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|k| {
        let along: f64 = (0..3).map(|d| (point_mm[d] - geometry.origin_mm[d]) * geometry.axes[k][d]).sum();
        along / geometry.spacing_mm[k]
    })
}
