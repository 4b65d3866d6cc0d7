//! RTSTRUCT contours to a mask on the image's grid.

use dicom_dictionary_std::tags;
use ndarray::Array3;

use crate::grid::{Geometry, Grid, Mask};
use crate::read::Limits;
use crate::read::dicom::{DicomError, Instance, object};

/// A contour belongs to a slice when it lies within this part of the slice distance; planning systems write
/// positions with fewer digits than scanners.
const ON_SLICE: f64 = 0.1;

/// Names of the structures of a file that have contours, in its order.
pub fn structures(instance: &Instance, limits: &Limits) -> Result<Vec<String>, DicomError> {
    let file = object::open(instance, limits)?;
    Ok(named(&file).into_iter().map(|(_, name)| name).collect())
}

/// The voxels whose centres lie within a structure: polygons of a slice are filled together by the even-odd rule,
/// so holes, islands and keyhole cuts come out. `wanted` may be left out when there is only one structure.
pub fn contours(
    instance: &Instance,
    wanted: Option<&str>,
    geometry: &Geometry,
    limits: &Limits,
) -> Result<Mask, DicomError> {
    let file = object::open(instance, limits)?;
    let named = named(&file);
    let names = || named.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
    let (number, structure) = match (wanted, &named[..]) {
        (None, [only]) => only.clone(),
        (None, _) => return Err(DicomError::SeveralStructures(names())),
        (Some(wanted), _) => {
            let unknown = || DicomError::NoStructure { wanted: wanted.to_owned(), present: names() };
            named.iter().find(|(_, name)| name == wanted).cloned().ok_or_else(unknown)?
        }
    };
    let mut cells = Array3::from_elem(geometry.shape, false);
    let fields = file.fields();
    let of_structure = |item: &object::Fields<'_>| item.number(tags::REFERENCED_ROI_NUMBER) == Some(number);
    for contour in fields
        .items(tags::ROI_CONTOUR_SEQUENCE)
        .filter(of_structure)
        .flat_map(|item| item.items(tags::CONTOUR_SEQUENCE).collect::<Vec<_>>())
    {
        let kind = contour.text(tags::CONTOUR_GEOMETRIC_TYPE).unwrap_or_default();
        match kind.as_str() {
            "CLOSED_PLANAR" | "CLOSEDPLANAR_XOR" => (),
            "POINT" | "OPEN_PLANAR" | "OPEN_NONPLANAR" => continue,
            _ => return Err(contour.wrong("ContourGeometricType", kind, "CLOSED_PLANAR")),
        }
        let data = contour.numbers(tags::CONTOUR_DATA).unwrap_or_default();
        if data.is_empty() || data.len() % 3 != 0 {
            let found = format!("{} numbers", data.len());
            return Err(contour.wrong("ContourData", found, "three finite numbers a point"));
        }
        let points: Vec<[f64; 3]> =
            data.chunks_exact(3).map(|point| index_of(geometry, [point[0], point[1], point[2]])).collect();
        let slice = slice_of(&points, geometry, &structure)?;
        if let Some(z) = slice {
            flip_inside(&points, z, &mut cells);
        }
    }
    if !cells.iter().any(|&inside| inside) {
        return Err(DicomError::EmptyStructure { structure });
    }
    Ok(Grid::new(geometry.clone(), cells).expect("the cells have the geometry's shape"))
}

/// Number and name of each structure that has a contour.
fn named(file: &object::File) -> Vec<(f64, String)> {
    let fields = file.fields();
    let drawn: Vec<f64> = fields
        .items(tags::ROI_CONTOUR_SEQUENCE)
        .filter(|item| item.items(tags::CONTOUR_SEQUENCE).next().is_some())
        .filter_map(|item| item.number(tags::REFERENCED_ROI_NUMBER))
        .collect();
    fields
        .items(tags::STRUCTURE_SET_ROI_SEQUENCE)
        .filter_map(|item| Some((item.number(tags::ROI_NUMBER)?, item.text(tags::ROI_NAME)?)))
        .filter(|(number, _)| drawn.contains(number))
        .collect()
}

/// Continuous index z, y, x of a physical point.
fn index_of(geometry: &Geometry, point_mm: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|k| {
        let along: f64 = (0..3).map(|d| (point_mm[d] - geometry.origin_mm[d]) * geometry.axes[k][d]).sum();
        along / geometry.spacing_mm[k]
    })
}

/// The slice on which all points lie; `None` when it is outside the image.
fn slice_of(points: &[[f64; 3]], geometry: &Geometry, structure: &str) -> Result<Option<usize>, DicomError> {
    let slice = points[0][0].round();
    let off = points.iter().map(|point| (point[0] - slice).abs()).fold(0.0, f64::max);
    if off > ON_SLICE {
        return Err(DicomError::OffSlice { structure: structure.to_owned(), apart_mm: off * geometry.spacing_mm[0] });
    }
    Ok((slice >= 0.0 && slice < geometry.shape[0] as f64).then_some(slice as usize))
}

/// Flips every voxel of slice `z` whose centre lies within the polygon: each row is cut by the polygon's edges,
/// and between an odd and the next even crossing lies the inside. An edge owns its lower end, not its upper one,
/// so that a corner counts once.
fn flip_inside(polygon: &[[f64; 3]], z: usize, cells: &mut Array3<bool>) {
    let (_, ny, nx) = cells.dim();
    let ys = || polygon.iter().map(|point| point[1]);
    let first = ys().fold(f64::INFINITY, f64::min).ceil().max(0.0) as usize;
    let last = ys().fold(f64::NEG_INFINITY, f64::max).floor().min(ny as f64 - 1.0);
    let mut crossings = Vec::new();
    for y in (first..ny).take_while(|&y| y as f64 <= last) {
        let height = y as f64;
        crossings.clear();
        for (a, b) in polygon.iter().zip(polygon.iter().cycle().skip(1)) {
            if (a[1] <= height) != (b[1] <= height) {
                crossings.push(a[2] + (height - a[1]) / (b[1] - a[1]) * (b[2] - a[2]));
            }
        }
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let from = pair[0].ceil().max(0.0) as usize;
            for x in (from..nx).take_while(|&x| (x as f64) < pair[1]) {
                cells[[z, y, x]] ^= true;
            }
        }
    }
}
