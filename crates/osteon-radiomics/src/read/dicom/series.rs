//! Slices to a volume: grouped by series, sorted along their normal, refused unless they are an even stack.

use std::collections::{BTreeMap, BTreeSet};

use dicom_dictionary_std::tags;
use ndarray::Array3;

use crate::grid::{Element, Geometry, Grid, Image};
use crate::read::dicom::acquisition::acquisition;
use crate::read::dicom::frame::{Plane, planes};
use crate::read::dicom::split::{self, Unit};
use crate::read::dicom::{DicomError, Identity, Instance, Scan, object};
use crate::read::dicom::{drawing, resample};
use crate::read::{Limits, Uneven};
use osteon_base::text::counted;

/// Gaps between slices may differ from the usual one by this part of it: scanners round positions.
const EVEN: f64 = 0.02;

/// They may differ by this too, where it is less than a quarter of the usual gap. The same bounds how far a slice may lie
/// off the even grid.
const EVEN_MM: f64 = 0.1;

/// A deviation below this part of the gap is not worth a word.
const UNSAID: f64 = 1e-3;

/// Two slices of one stack have the same spacing to this: decimal strings carry six digits.
const SAME: f64 = 1e-4;

/// The same orientation to this part of a unit vector: some exports round to three digits.
const SAME_DIRECTION: f64 = 1e-3;

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
    /// What tells it from other images of the same UID; empty where there are none.
    pub differs: String,
    /// Positions in the list of files.
    pub files: Vec<usize>,
    /// Positions of its planes: file, and plane in the file.
    pub planes: Vec<(usize, usize)>,
    /// Files that are the same as one before, byte for byte.
    pub repeated: usize,
    /// UIDs and numbers of all instances of its UID, those of other images under it too.
    pub instances: BTreeSet<String>,
    pub numbers: BTreeSet<i64>,
    /// What is not the same for all of its planes, one sentence each.
    pub varying: Vec<String>,
}

/// Which series of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    Only,
    /// Its UID, its description, what tells it from the others, or its number in the list from 1.
    Named(&'a str),
    /// The one that holds this file.
    Holding(usize),
}

impl std::fmt::Display for Series {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Series { uid, description, modality, rows, columns, files, .. } = self;
        write!(f, "{uid} {modality} \"{description}\", {columns} x {rows}, {} files", files.len())?;
        if self.differs.is_empty() { Ok(()) } else { write!(f, ", {}", self.differs) }
    }
}

/// The image series among files, in the order of their first file; what is no DICOM image is passed over.
pub fn list(files: &[Instance], limits: &Limits) -> Result<Vec<Series>, DicomError> {
    Ok(listed(files, limits)?.0)
}

/// The series, and how many files without the mark of DICOM turned out to be something else.
fn listed(files: &[Instance], limits: &Limits) -> Result<(Vec<Series>, usize), DicomError> {
    let mut found: Vec<(Series, Vec<Unit>)> = Vec::new();
    let mut place: BTreeMap<String, usize> = BTreeMap::new();
    let mut instances: BTreeMap<String, usize> = BTreeMap::new();
    let mut unread = 0;
    for (index, instance) in files.iter().enumerate().filter(|(_, file)| crate::read::dicom::is_dicom(file.bytes)) {
        let file = match object::open(instance, limits) {
            Err(DicomError::Syntax { .. }) if instance.bytes.get(128..132) != Some(b"DICM") => {
                unread += 1;
                continue;
            }
            file => file?,
        };
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
            let (differs, files, planes) = (String::new(), Vec::new(), Vec::new());
            let (repeated, instances, numbers) = (0, BTreeSet::new(), BTreeSet::new());
            let series = Series {
                uid,
                description,
                modality,
                rows,
                columns,
                is_multi_frame,
                differs,
                files,
                planes,
                repeated,
                instances,
                numbers,
                varying: Vec::new(),
            };
            found.push((series, Vec::new()));
        }
        let (series, units) = &mut found[at];
        let before = fields.text(tags::SOP_INSTANCE_UID).map(|uid| *instances.entry(uid).or_insert(index));
        let is_repeated = |before: usize| before != index && is_same(&files[before], instance, &file, limits);
        if before.is_some_and(is_repeated) {
            series.repeated += 1;
            continue;
        }
        series.instances.extend(fields.text(tags::SOP_INSTANCE_UID));
        series.numbers.extend(fields.number(tags::INSTANCE_NUMBER).map(|number| number as i64));
        units.extend(split::units(&file, index));
    }
    Ok((found.into_iter().flat_map(|(series, units)| parts(&series, units)).collect(), unread))
}

/// Whether an instance that was stored twice has the same plane both times, whatever else was written beside it.
fn is_same(before: &Instance, instance: &Instance, file: &object::File, limits: &Limits) -> bool {
    if before.bytes == instance.bytes {
        return true;
    }
    let Ok(other) = object::open(before, limits) else { return false };
    let (own, other) = (file.fields(), other.fields());
    let same = |tag| own.text(tag) == other.text(tag);
    let alike = [
        tags::ROWS,
        tags::COLUMNS,
        tags::NUMBER_OF_FRAMES,
        tags::BITS_ALLOCATED,
        tags::PIXEL_REPRESENTATION,
        tags::IMAGE_POSITION_PATIENT,
        tags::IMAGE_ORIENTATION_PATIENT,
        tags::PIXEL_SPACING,
        tags::RESCALE_SLOPE,
        tags::RESCALE_INTERCEPT,
    ];
    let voxels = own.bytes(tags::PIXEL_DATA);
    alike.into_iter().all(same) && voxels.is_some() && voxels == other.bytes(tags::PIXEL_DATA)
}

fn parts(series: &Series, units: Vec<Unit>) -> Vec<Series> {
    let part = |(differs, units): (String, Vec<Unit>)| {
        let mut files: Vec<usize> = units.iter().map(|unit| unit.file).collect();
        files.dedup();
        let planes = units.iter().map(|unit| (unit.file, unit.frame)).collect();
        let varying = split::varying(&units);
        let own = differs.strip_prefix("description ").map(|own| own.split(", ").next().unwrap_or(own).to_owned());
        let description = own.unwrap_or_else(|| series.description.clone());
        Series { differs, files, planes, description, varying, ..series.clone() }
    };
    split::split(units).into_iter().map(part).collect()
}

/// One series as a volume. `wanted` is its UID, its description or its number in the list from 1; it may be left
/// out when there is only one.
pub fn scan(files: &[Instance], wanted: Option<&str>, limits: &Limits) -> Result<Scan, DicomError> {
    scan_of(files, wanted.map_or(Wanted::Only, Wanted::Named), Uneven::Refuse, limits)
}

/// One series as a volume; `uneven` tells what happens where its slices lie unevenly.
pub fn scan_of(files: &[Instance], wanted: Wanted, uneven: Uneven, limits: &Limits) -> Result<Scan, DicomError> {
    let (all, unread) = listed(files, limits)?;
    let series = pick(&all, wanted, files.len())?;
    let first = object::open(&files[series.files[0]], limits)?;
    let acquisition = acquisition(&first.fields());
    let frame_of_reference = first.text(tags::FRAME_OF_REFERENCE_UID).unwrap_or_default();
    drop(first);
    let (mut stack, mut own_numbers) = (Vec::new(), BTreeSet::new());
    let mut bytes = 0;
    for &index in &series.files {
        let file = object::open(&files[index], limits)?;
        own_numbers.extend(file.fields().number(tags::INSTANCE_NUMBER).map(|number| number as i64));
        for (at, plane) in planes(&file, limits)?.into_iter().enumerate() {
            if !series.planes.contains(&(index, at)) {
                continue;
            }
            bytes += size_of_val(&plane.values[..]) as u128;
            if bytes > u128::from(limits.max_bytes) {
                return Err(DicomError::TooLarge { bytes, limit: limits.max_bytes });
            }
            stack.push(plane);
        }
    }
    let mut notes = Vec::new();
    if series.repeated > 0 {
        notes.push(format!("{} files of the series are stored twice and were read once", series.repeated));
    }
    if unread > 0 {
        notes.push(format!("{unread} files without the mark of DICOM were left out: they cannot be read as DICOM"));
    }
    if stack.iter().any(|plane| plane.photometric == "MONOCHROME1") {
        notes.push(INVERTED.to_owned());
    }
    if stack.iter().any(|plane| plane.has_modality_lut) {
        notes.push(LUT.to_owned());
    }
    notes.extend(series.varying.iter().cloned());
    let identity = Identity {
        series_uid: series.uid.clone(),
        frame_of_reference,
        instances: series.instances.clone(),
        slice_thickness_mm: acquisition.slice_thickness_mm,
    };
    let unnumbered = unnumbered(&own_numbers, &series.numbers, &stack);
    let (image, by_position) = volume(stack, uneven, &mut notes)?;
    if unnumbered > 0 {
        notes.push(format!(
            "instance numbers go up by more than 1: no file has the {} between the first and the last",
            counted(unnumbered, "number")
        ));
    }
    let missing_slices = by_position.max(unnumbered);
    Ok(Scan { image, acquisition, identity, files: series.files.clone(), missing_slices, notes })
}

/// Said of an image whose low values are meant to be shown bright.
const INVERTED: &str = "PhotometricInterpretation is MONOCHROME1 (low values are shown bright): the stored values were \
                        taken as they are, as ITK and pydicom do";

/// Said of an image whose stored values another program may turn into others.
const LUT: &str = "the files have a Modality LUT Sequence, a table of intensities, which was not applied: the stored values \
                   were taken, as ITK does; pydicom's apply_modality_lut applies it";

/// Instance numbers that no file has, where an even stack's own go up by the same number of more than one and nothing
/// else of the series lies between: every other slice of an exported series. A hole at one place of an even stack is none
/// of it. Files that state a distance between slices which is the stack's own lack none.
fn unnumbered(own: &BTreeSet<i64>, all: &BTreeSet<i64>, stack: &[Plane]) -> usize {
    let steps: BTreeSet<i64> = own.iter().zip(own.iter().skip(1)).map(|(a, b)| b - a).collect();
    let (Some(&step), Some(first), Some(last)) = (steps.first(), own.first(), own.last()) else { return 0 };
    let is_regular = steps.len() == 1 && (2..=10).contains(&step) && own.len() == stack.len() && own.len() > 2;
    if !is_regular || all.range(first..=last).count() > own.len() {
        return 0;
    }
    let reach = |axis: usize| {
        let at = |plane: &Plane| plane.position_mm[axis];
        let low = stack.iter().map(at).fold(f64::INFINITY, f64::min);
        stack.iter().map(at).fold(f64::NEG_INFINITY, f64::max) - low
    };
    let gap = (0..3).map(|axis| reach(axis).powi(2)).sum::<f64>().sqrt() / (stack.len() - 1) as f64;
    let is_stated = stack.iter().filter_map(|plane| plane.stated_gap_mm).any(|mm| (mm - gap).abs() <= EVEN * gap);
    if is_stated { 0 } else { (step as usize - 1) * (own.len() - 1) }
}

fn pick<'a>(all: &'a [Series], wanted: Wanted, files: usize) -> Result<&'a Series, DicomError> {
    let numbered = |keep: &dyn Fn(&Series) -> bool| {
        let kept = all.iter().enumerate().filter(|(_, series)| keep(series));
        kept.map(|(at, series)| format!("{} {series}", at + 1)).collect::<Vec<_>>()
    };
    let only = |keep: &dyn Fn(&Series) -> bool| {
        let found: Vec<&Series> = all.iter().filter(|series| keep(series)).collect();
        match found[..] {
            [] => None,
            [only] => Some(Ok(only)),
            _ => Some(Err(DicomError::SeveralSeries(numbered(keep)))),
        }
    };
    match (wanted, all) {
        (_, []) => Err(DicomError::NoSeries { files }),
        (Wanted::Only, _) => only(&|_| true).expect("there is a series"),
        (Wanted::Holding(file), _) => {
            only(&|series| series.files.contains(&file)).unwrap_or(Err(DicomError::NoSeries { files }))
        }
        (Wanted::Named(wanted), _) => {
            let unknown = || DicomError::UnknownSeries { wanted: wanted.to_owned(), present: numbered(&|_| true) };
            only(&|series| series.uid == wanted)
                .or_else(|| only(&|series| series.description == wanted))
                .or_else(|| only(&|series| series.differs == wanted))
                .or_else(|| only(&|series| drawing::is_alike(&series.description, wanted)))
                .or_else(|| wanted.parse::<usize>().ok().and_then(|n| all.get(n.wrapping_sub(1))).map(Ok))
                .unwrap_or_else(|| Err(unknown()))
        }
    }
}

/// An even stack of planes as a volume, and how many slices were missing in it before it was made even.
fn volume(mut stack: Vec<Plane>, uneven: Uneven, notes: &mut Vec<String>) -> Result<(Image, usize), DicomError> {
    let first = &stack[0];
    let mut turned = 0.0f64;
    for plane in &stack[1..] {
        turned = turned.max(same_kind(first, plane)?);
    }
    if turned > SAME {
        notes.push(format!("orientations of the slices differ by up to {turned:.5} of a unit vector"));
    }
    let (along_x, along_y) = first.along;
    let normal = cross(along_x, along_y);
    let height = |plane: &Plane| dot(plane.position_mm, normal);
    stack.sort_by(|a, b| height(a).total_cmp(&height(b)));
    let mut missing = 0;
    let gap = match even_gap(&stack, &height, notes) {
        Err(DicomError::Uneven { usual_mm, .. }) if uneven == Uneven::Resample => {
            let gaps = stack.windows(2).map(|pair| height(&pair[1]) - height(&pair[0]));
            missing = gaps.map(|gap| ((gap / usual_mm).round() as usize).saturating_sub(1)).sum();
            stack = resample::even(stack, &height, usual_mm, notes);
            usual_mm
        }
        Err(DicomError::Drift { gap_mm, .. }) if uneven == Uneven::Resample => {
            stack = resample::even(stack, &height, gap_mm, notes);
            gap_mm
        }
        gap => gap?,
    };
    for plane in &stack {
        let offset: [f64; 3] = std::array::from_fn(|k| plane.position_mm[k] - stack[0].position_mm[k]);
        let apart_mm = dot(offset, along_x).hypot(dot(offset, along_y));
        if apart_mm > tolerance_mm(gap) {
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
    let volume = Grid::new(geometry, cells).expect("the cells have the geometry's shape");
    Ok((Image { volume, element }, missing))
}

/// The largest difference of orientation.
fn same_kind(first: &Plane, other: &Plane) -> Result<f64, DicomError> {
    let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(p, q)| (p - q).abs()).fold(0.0, f64::max);
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
    if first.photometric != other.photometric {
        return mixed("photometric interpretations", |plane| plane.photometric.clone());
    }
    if apart(&first.spacing_mm, &other.spacing_mm) > SAME {
        return mixed("pixel spacings", |plane| format!("{:?}", plane.spacing_mm));
    }
    let turned = apart(&first.along.0, &other.along.0).max(apart(&first.along.1, &other.along.1));
    if turned > SAME_DIRECTION {
        return mixed("orientations", |plane| format!("{:?}", plane.along));
    }
    Ok(turned)
}

/// The distance between neighbours of a sorted stack; the file's own word for a single slice.
fn even_gap(stack: &[Plane], height: &impl Fn(&Plane) -> f64, notes: &mut Vec<String>) -> Result<f64, DicomError> {
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
        if (gap - usual).abs() > tolerance_mm(usual) {
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
    // Small differences of one sign add up: contours and frames are put on the even grid, so each slice has to be on it.
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let expected_mm = |at: usize| height(&stack[0]) + at as f64 * mean;
    let off = |at: usize| (height(&stack[at]) - expected_mm(at)).abs();
    let farthest = (0..stack.len()).max_by(|&a, &b| off(a).total_cmp(&off(b))).unwrap_or_default();
    if off(farthest) > tolerance_mm(mean) {
        return Err(DicomError::Drift {
            name: stack[farthest].name.clone(),
            at_mm: height(&stack[farthest]),
            expected_mm: expected_mm(farthest),
            gap_mm: mean,
            least_mm: sorted[0],
            most_mm: sorted[sorted.len() - 1],
        });
    }
    let worst = gaps.iter().map(|gap| (gap - usual).abs()).fold(0.0, f64::max);
    if worst > UNSAID * usual {
        notes.push(format!("distances between slices differ by up to {worst:.4} mm from {usual:.4} mm"));
    }
    Ok(mean)
}

fn tolerance_mm(gap: f64) -> f64 {
    (EVEN * gap).max(EVEN_MM.min(gap / 4.0))
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
