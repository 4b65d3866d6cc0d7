//! Slices to a volume: grouped by series, sorted along their normal, refused unless they are an even stack.

use std::collections::BTreeMap;

use dicom_dictionary_std::tags;
use ndarray::Array3;

use crate::grid::{Element, Geometry, Grid, Image};
use crate::read::Limits;
use crate::read::dicom::acquisition::acquisition;
use crate::read::dicom::frame::{Plane, planes};
use crate::read::dicom::{DicomError, Instance, Scan, object};

/// Gaps between slices may differ from the usual one by this part of it: scanners round positions.
const EVEN: f64 = 0.01;

/// Two slices of one stack have the same spacing and orientation to this: decimal strings carry six digits.
const SAME: f64 = 1e-4;

/// One series among the files of a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub uid: String,
    /// For people to tell series apart; never stored.
    pub description: String,
    pub modality: String,
    pub rows: usize,
    pub columns: usize,
    /// Whether its first file holds more than one slice.
    pub is_multi_frame: bool,
    /// Positions in the list of files.
    pub files: Vec<usize>,
}

impl std::fmt::Display for Series {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Series { uid, description, modality, rows, columns, files, .. } = self;
        write!(f, "{uid} {modality} \"{description}\", {columns} x {rows}, {} files", files.len())
    }
}

/// The image series among files, in the order of their first file; what is no DICOM image is passed over.
pub fn list(files: &[Instance], limits: &Limits) -> Result<Vec<Series>, DicomError> {
    let mut found: Vec<Series> = Vec::new();
    let mut place: BTreeMap<String, usize> = BTreeMap::new();
    for (index, instance) in files.iter().enumerate().filter(|(_, file)| crate::read::dicom::is_dicom(file.bytes)) {
        let file = object::open(instance, limits)?;
        let fields = file.fields();
        let (Some(uid), Some(rows), Some(columns)) =
            (fields.text(tags::SERIES_INSTANCE_UID), fields.number(tags::ROWS), fields.number(tags::COLUMNS))
        else {
            continue;
        };
        let modality = fields.text(tags::MODALITY).unwrap_or_default();
        if modality == "SEG" {
            continue;
        }
        let at = *place.entry(uid.clone()).or_insert(found.len());
        if at == found.len() {
            let description = fields.text(tags::SERIES_DESCRIPTION).unwrap_or_default();
            let (rows, columns) = (rows as usize, columns as usize);
            let is_multi_frame = fields.number(tags::NUMBER_OF_FRAMES).is_some_and(|frames| frames > 1.0);
            found.push(Series { uid, description, modality, rows, columns, is_multi_frame, files: Vec::new() });
        }
        found[at].files.push(index);
    }
    Ok(found)
}

/// One series as a volume. `wanted` is its UID, its description or its number in the list from 1; it may be left
/// out when there is only one.
pub fn scan(files: &[Instance], wanted: Option<&str>, limits: &Limits) -> Result<Scan, DicomError> {
    let all = list(files, limits)?;
    let series = pick(&all, wanted, files.len())?;
    let first = object::open(&files[series.files[0]], limits)?;
    let acquisition = acquisition(&first.fields());
    drop(first);
    let mut stack = Vec::new();
    let mut bytes = 0;
    for &index in &series.files {
        let file = object::open(&files[index], limits)?;
        for plane in planes(&file, limits)? {
            bytes += size_of_val(&plane.values[..]) as u128;
            if bytes > u128::from(limits.max_bytes) {
                return Err(DicomError::TooLarge { bytes, limit: limits.max_bytes });
            }
            stack.push(plane);
        }
    }
    Ok(Scan { image: volume(stack)?, acquisition, files: series.files.clone() })
}

fn pick<'a>(all: &'a [Series], wanted: Option<&str>, files: usize) -> Result<&'a Series, DicomError> {
    let numbered = || all.iter().enumerate().map(|(at, series)| format!("{} {series}", at + 1)).collect();
    match (wanted, all) {
        (_, []) => Err(DicomError::NoSeries { files }),
        (None, [only]) => Ok(only),
        (None, _) => Err(DicomError::SeveralSeries(numbered())),
        (Some(wanted), _) => {
            let number = wanted.parse::<usize>().ok().and_then(|number| all.get(number.wrapping_sub(1)));
            let named = || all.iter().find(|series| series.uid == wanted || series.description == wanted);
            let unknown = || DicomError::UnknownSeries { wanted: wanted.to_owned(), present: numbered() };
            number.or_else(named).ok_or_else(unknown)
        }
    }
}

/// An even stack of planes as a volume.
fn volume(mut stack: Vec<Plane>) -> Result<Image, DicomError> {
    let first = &stack[0];
    for plane in &stack[1..] {
        same_kind(first, plane)?;
    }
    let (along_x, along_y) = first.along;
    let normal = cross(along_x, along_y);
    let height = |plane: &Plane| dot(plane.position_mm, normal);
    stack.sort_by(|a, b| height(a).total_cmp(&height(b)));
    let gap = even_gap(&stack, &height)?;
    for plane in &stack {
        let offset: [f64; 3] = std::array::from_fn(|k| plane.position_mm[k] - stack[0].position_mm[k]);
        let apart_mm = dot(offset, along_x).hypot(dot(offset, along_y));
        if apart_mm > EVEN * gap {
            return Err(DicomError::Sheared { name: plane.name.clone(), apart_mm });
        }
    }
    let first = &stack[0];
    let geometry = Geometry {
        shape: [stack.len(), first.rows, first.columns],
        origin_mm: first.position_mm,
        spacing_mm: [gap, first.spacing_mm[0], first.spacing_mm[1]],
        axes: [normal, along_y, along_x],
    };
    let element = stack.iter().map(|plane| plane.element).reduce(wider).expect("a series has a plane");
    let cells: Vec<f64> = stack.into_iter().flat_map(|plane| plane.values).collect();
    let cells = Array3::from_shape_vec(geometry.shape, cells).expect("every plane has rows x columns values");
    Ok(Image { volume: Grid::new(geometry, cells).expect("the cells have the geometry's shape"), element })
}

fn same_kind(first: &Plane, other: &Plane) -> Result<(), DicomError> {
    let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(p, q)| (p - q).abs() <= SAME);
    let mixed = |what, of: fn(&Plane) -> String| {
        Err(DicomError::Mixed {
            what,
            first: of(first),
            first_name: first.name.clone(),
            other: of(other),
            other_name: other.name.clone(),
        })
    };
    if (first.rows, first.columns) != (other.rows, other.columns) {
        return mixed("sizes", |plane| format!("{} x {}", plane.columns, plane.rows));
    }
    if !close(&first.spacing_mm, &other.spacing_mm) {
        return mixed("pixel spacings", |plane| format!("{:?}", plane.spacing_mm));
    }
    if !(close(&first.along.0, &other.along.0) && close(&first.along.1, &other.along.1)) {
        return mixed("orientations", |plane| format!("{:?}", plane.along));
    }
    Ok(())
}

/// The distance between neighbours of a sorted stack; the file's own word for a single slice.
fn even_gap(stack: &[Plane], height: &impl Fn(&Plane) -> f64) -> Result<f64, DicomError> {
    if let [only] = stack {
        return only.thickness_mm.ok_or_else(|| DicomError::Field {
            name: only.name.clone(),
            field: "SliceThickness",
            found: "absent".to_owned(),
            expected: "a size above 0 for a single slice",
        });
    }
    let gaps: Vec<f64> = stack.windows(2).map(|pair| height(&pair[1]) - height(&pair[0])).collect();
    let mut sorted = gaps.clone();
    sorted.sort_by(f64::total_cmp);
    let usual = sorted[sorted.len() / 2];
    for (pair, &gap) in stack.windows(2).zip(&gaps) {
        let (first, other) = (&pair[0], &pair[1]);
        if gap <= SAME {
            let (position_mm, first, other) = (height(first), first.name.clone(), other.name.clone());
            return Err(DicomError::Duplicate { position_mm, first, other });
        }
        if (gap - usual).abs() > EVEN * usual {
            return Err(DicomError::Uneven {
                gap_mm: gap,
                usual_mm: usual,
                first: first.name.clone(),
                first_mm: height(first),
                other: other.name.clone(),
                other_mm: height(other),
            });
        }
    }
    Ok(gaps.iter().sum::<f64>() / gaps.len() as f64)
}

fn wider(a: Element, b: Element) -> Element {
    match a.bytes().cmp(&b.bytes()) {
        std::cmp::Ordering::Less => b,
        _ => a,
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
