//! DICOM SEG to a mask on the image's grid.

use dicom_dictionary_std::tags;
use ndarray::Array3;

use crate::grid::{Geometry, Grid, Mask};
use crate::read::Limits;
use crate::read::dicom::object::{self, Fields};
use crate::read::dicom::{DicomError, Instance};

/// A frame belongs to a slice when its corner is this close, in mm: decimal strings carry six digits.
const ON_GRID_MM: f64 = 1e-3;

/// Labels of the segments of a file, in its order.
pub fn segments(instance: &Instance, limits: &Limits) -> Result<Vec<String>, DicomError> {
    let file = object::open(instance, limits)?;
    Ok(labelled(&file.fields()).into_iter().map(|(_, label)| label).collect())
}

/// The voxels of a binary segment; `wanted` may be left out when there is only one.
pub fn segmentation(
    instance: &Instance,
    wanted: Option<&str>,
    geometry: &Geometry,
    limits: &Limits,
) -> Result<Mask, DicomError> {
    let file = object::open(instance, limits)?;
    let fields = file.fields();
    let (number, structure) = pick(&fields, wanted)?;
    let rows = fields.size(tags::ROWS, "Rows")?;
    let columns = fields.size(tags::COLUMNS, "Columns")?;
    let frames: Vec<Fields> = fields.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).collect();
    let bits = bits(&file, rows * columns * frames.len(), limits)?;
    let shared = fields.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).next();
    let mut cells = Array3::from_elem(geometry.shape, false);
    for (frame, inside) in frames.iter().zip(bits.chunks_exact(rows * columns)) {
        let group = |tag| frame.items(tag).next().or_else(|| shared.and_then(|shared| shared.items(tag).next()));
        let segment = group(tags::SEGMENT_IDENTIFICATION_SEQUENCE)
            .and_then(|group| group.number(tags::REFERENCED_SEGMENT_NUMBER));
        if segment != Some(number) {
            continue;
        }
        let orientation = group(tags::PLANE_ORIENTATION_SEQUENCE).unwrap_or(fields);
        let measures = group(tags::PIXEL_MEASURES_SEQUENCE).unwrap_or(fields);
        let found = Geometry {
            shape: [1, rows, columns],
            origin_mm: group(tags::PLANE_POSITION_SEQUENCE).unwrap_or(fields).position_mm()?,
            ..plane_geometry(geometry, &orientation, &measures)?
        };
        let z = slice_of(geometry, &found)?;
        for (cell, &inside) in cells.index_axis_mut(ndarray::Axis(0), z).iter_mut().zip(inside) {
            *cell |= inside;
        }
    }
    if !cells.iter().any(|&inside| inside) {
        return Err(DicomError::EmptyStructure { structure });
    }
    Ok(Grid::new(geometry.clone(), cells).expect("the cells have the geometry's shape"))
}

fn labelled(fields: &Fields) -> Vec<(f64, String)> {
    fields
        .items(tags::SEGMENT_SEQUENCE)
        .filter_map(|item| Some((item.number(tags::SEGMENT_NUMBER)?, item.text(tags::SEGMENT_LABEL)?)))
        .collect()
}

fn pick(fields: &Fields, wanted: Option<&str>) -> Result<(f64, String), DicomError> {
    let labelled = labelled(fields);
    let present = labelled.iter().map(|(_, label)| label.as_str()).collect::<Vec<_>>().join(", ");
    match (wanted, &labelled[..]) {
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(DicomError::SeveralStructures(present)),
        (Some(wanted), _) => labelled
            .iter()
            .find(|(_, label)| label == wanted)
            .cloned()
            .ok_or(DicomError::NoStructure { wanted: wanted.to_owned(), present }),
    }
}

/// One flag a pixel: packed bits, lowest first, without gaps between frames; or bytes, any above 0 inside.
fn bits(file: &object::File, pixels: usize, limits: &Limits) -> Result<Vec<bool>, DicomError> {
    let fields = file.fields();
    if pixels as u64 > limits.max_bytes {
        return Err(DicomError::TooLarge { bytes: pixels as u128, limit: limits.max_bytes });
    }
    let allocated = fields.size(tags::BITS_ALLOCATED, "BitsAllocated")?;
    let uid = || file.object.meta().transfer_syntax().to_owned();
    let raw = fields
        .bytes(tags::PIXEL_DATA)
        .ok_or_else(|| DicomError::TransferSyntax { name: file.name.clone(), uid: uid() })?;
    let expected = if allocated == 1 { pixels.div_ceil(8) } else { pixels };
    if !matches!(allocated, 1 | 8) {
        return Err(fields.wrong("BitsAllocated", allocated.to_string(), "1 or 8"));
    }
    if raw.len() != expected && raw.len() != expected + expected % 2 {
        return Err(DicomError::Pixels { name: file.name.clone(), found: raw.len(), expected });
    }
    let bit = |at: usize| if allocated == 1 { raw[at / 8] >> (at % 8) & 1 == 1 } else { raw[at] > 0 };
    Ok((0..pixels).map(bit).collect())
}

/// The grid of one frame, its slice distance taken from the image.
fn plane_geometry(image: &Geometry, orientation: &Fields, measures: &Fields) -> Result<Geometry, DicomError> {
    let (along_x, along_y) = orientation.orientation()?;
    let [dy, dx] = measures.pixel_spacing_mm()?;
    Ok(Geometry { spacing_mm: [image.spacing_mm[0], dy, dx], axes: [image.axes[0], along_y, along_x], ..image.clone() })
}

/// The image's slice on which a frame lies voxel by voxel.
fn slice_of(image: &Geometry, frame: &Geometry) -> Result<usize, DicomError> {
    let off_grid = || DicomError::Grid { image: Box::new(image.clone()), found: Box::new(frame.clone()) };
    let along =
        |k: usize| -> f64 { (0..3).map(|d| (frame.origin_mm[d] - image.origin_mm[d]) * image.axes[k][d]).sum() };
    let z = (along(0) / image.spacing_mm[0]).round();
    if !(z >= 0.0 && z < image.shape[0] as f64) {
        return Err(off_grid());
    }
    let slice = Geometry {
        shape: [1, image.shape[1], image.shape[2]],
        origin_mm: image.point_mm([z, 0.0, 0.0]),
        ..image.clone()
    };
    let close = slice.corner_distance_mm(frame).is_some_and(|apart| apart <= ON_GRID_MM);
    if close { Ok(z as usize) } else { Err(off_grid()) }
}
