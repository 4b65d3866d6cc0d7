//! NIfTI-1 and NIfTI-2 headers, in one file with the voxels (`n+1`, `n+2`) or beside them (`ni1`, `ni2`), plain or gzip.
//!
//! Fields and methods are those of `nifti1.h` and `nifti2.h` (NIfTI Data Format Working Group); where the two
//! orientations compete we decide as ITK 5.4 does.

use std::io::Read;

use crate::grid::{Element, Geometry};
use crate::read::data::{Coding, Gzip, Layout, Order, Skip, fill};
use crate::read::{Format, Header, ReadError};

/// Where the fields of one version lie; all the rest is shared.
struct Version {
    bytes: usize,
    magic_at: usize,
    magic: &'static [u8],
    /// Of a header beside its voxels.
    pair: &'static [u8],
    field: fn(&Raw, Field) -> f64,
}

/// A header as stored, with its byte order.
struct Raw {
    bytes: Vec<u8>,
    order: Order,
}

/// The numbers we need, by the names of `nifti1.h`.
#[derive(Clone, Copy)]
enum Field {
    Dim(usize),
    Pixdim(usize),
    Datatype,
    Bitpix,
    VoxOffset,
    SclSlope,
    SclInter,
    QformCode,
    SformCode,
    XyztUnits,
    Quatern(usize),
    Qoffset(usize),
    Srow(usize, usize),
}

const VERSIONS: [Version; 2] = [
    Version { bytes: 348, magic_at: 344, magic: b"n+1\0", pair: b"ni1\0", field: field_1 },
    Version { bytes: 540, magic_at: 4, magic: b"n+2\0\r\n\x1a\n", pair: b"ni2\0\r\n\x1a\n", field: field_2 },
];

/// Parses the header at the front of `content`; `gzip` tells whether the file was inflated to get there.
pub fn header(mut content: impl Read, gzip: bool) -> Result<Header, ReadError> {
    let mut bytes = vec![0; VERSIONS[0].bytes];
    let found = fill(&mut content, &mut bytes)?;
    bytes.truncate(found);
    let (version, order) = version(&bytes)?;
    bytes.resize(version.bytes, 0);
    let found = found + fill(&mut content, &mut bytes[found..])?;
    if found < version.bytes {
        return Err(ReadError::ShortHeader { found, expected: version.bytes });
    }
    let magic = &bytes[version.magic_at..version.magic_at + version.magic.len()];
    let is_pair = magic == version.pair;
    if magic != version.magic && !is_pair {
        let expected = "n+1, n+2, ni1 or ni2; Analyze 7.5 does not say which side is left: convert it to NIfTI with the \
                        program that wrote it, or from its DICOM files";
        return Err(ReadError::Field { field: "magic", found: text(magic), expected });
    }
    let raw = Raw { bytes, order };
    let gzip = match (is_pair, gzip) {
        (true, _) => Gzip::AsFound,
        (false, true) => Gzip::File,
        (false, false) => Gzip::None,
    };
    parse(&raw, version, gzip, content)
}

/// Told by `sizeof_hdr`, the first number, in either byte order.
fn version(bytes: &[u8]) -> Result<(&'static Version, Order), ReadError> {
    let Some(first) = bytes.first_chunk::<4>() else {
        return Err(ReadError::ShortHeader { found: bytes.len(), expected: VERSIONS[0].bytes });
    };
    for version in &VERSIONS {
        let size = version.bytes as i32;
        if i32::from_le_bytes(*first) == size {
            return Ok((version, Order::LittleEndian));
        }
        if i32::from_be_bytes(*first) == size {
            return Ok((version, Order::BigEndian));
        }
    }
    Err(ReadError::Unknown { found: text(&bytes[..bytes.len().min(8)]) })
}

/// `behind` is what follows the header.
fn parse(raw: &Raw, version: &Version, gzip: Gzip, behind: impl Read) -> Result<Header, ReadError> {
    let get = |field| (version.field)(raw, field);
    let (element, of_bits) = element(get(Field::Datatype), get(Field::Bitpix))?;
    let (geometry, mut notes) = geometry(&get)?;
    notes.extend(of_bits);
    let (slope, intercept) = scaling(get(Field::SclSlope), get(Field::SclInter));
    let mut offset = get(Field::VoxOffset);
    let is_pair = gzip == Gzip::AsFound;
    // Four bytes between header and voxels tell of extensions.
    let mut least = if is_pair { 0 } else { version.bytes + 4 };
    if let Some(found) = unstated(offset, least, &geometry, element, behind)? {
        (offset, least) = (found as f64, found);
        notes
            .push(format!("vox_offset is 0: the voxels were taken from byte {found}, where the file's size puts them"));
    }
    if offset.fract() != 0.0 && offset.is_finite() {
        notes.push(format!("vox_offset is {offset}: the voxels were taken from byte {}, as ITK does", offset.floor()));
        offset = offset.floor();
    }
    if !(offset >= least as f64 && offset < f64::from(u32::MAX)) {
        let expected = "a number of bytes, at least the header's: write the file again with the program that made it";
        return Err(ReadError::Field { field: "vox_offset", found: offset.to_string(), expected });
    }
    let skip = match gzip {
        Gzip::None => Skip::Bytes { stored: offset as u64, content: 0 },
        _ => Skip::Bytes { stored: 0, content: offset as u64 },
    };
    let layout = Layout { element, order: raw.order, gzip, coding: Coding::Binary, skip, slope, intercept };
    let data_file = is_pair.then(|| ".img".to_owned());
    Ok(Header { notes, ..Header::plain(Format::Nifti, geometry, data_file, layout) })
}

/// Where the voxels of one file begin whose header says 0: behind the four bytes that tell of extensions, or where they
/// are missing behind the header itself; the number of bytes tells. `None` where the header is right, or neither fits.
fn unstated(
    offset: f64,
    least: usize,
    geometry: &Geometry,
    element: Element,
    behind: impl Read,
) -> Result<Option<usize>, ReadError> {
    let bytes = geometry.shape.iter().try_fold(element.bytes() as u64, |n, &size| n.checked_mul(size as u64));
    let Some(bytes) = bytes.filter(|&bytes| offset == 0.0 && least > 0 && bytes < u64::from(u32::MAX)) else {
        return Ok(None);
    };
    let found = std::io::copy(&mut behind.take(bytes + 5), &mut std::io::sink());
    let found = found.map_err(|cause| ReadError::Gzip(cause.to_string()))?;
    Ok([least, least - 4].into_iter().find(|start| found == bytes + (start + 4 - least) as u64))
}

/// The type of the voxels, and what is to be said of a header that gives it another size.
fn element(datatype: f64, bitpix: f64) -> Result<(Element, Option<String>), ReadError> {
    let element = match datatype as i64 {
        2 => Element::U8,
        4 => Element::I16,
        8 => Element::I32,
        16 => Element::F32,
        64 => Element::F64,
        256 => Element::I8,
        512 => Element::U16,
        768 => Element::U32,
        1024 => Element::I64,
        1280 => Element::U64,
        128 | 2304 => {
            let expected = "one number a voxel; a mask in colors has to be saved as labels";
            return Err(ReadError::Field { field: "datatype", found: "RGB".to_owned(), expected });
        }
        _ => {
            let expected = "an integer or real type of 8 to 64 bits";
            return Err(ReadError::Field { field: "datatype", found: datatype.to_string(), expected });
        }
    };
    // Some programs leave 0; ITK goes by the type alone.
    let bits = 8 * element.bytes();
    let is_other = bitpix != 0.0 && bitpix != bits as f64;
    let note = || format!("bitpix is {bitpix}, the datatype has {bits} bits: the datatype was used, as ITK does");
    Ok((element, is_other.then(note)))
}

/// A slope of 0, or one that is no number as some programs write it, is 1; such an intercept is 0 (ITK 5.4).
fn scaling(slope: f64, intercept: f64) -> (f64, f64) {
    let slope = if slope == 0.0 || !slope.is_finite() { 1.0 } else { slope };
    (slope, if intercept.is_finite() { intercept } else { 0.0 })
}

/// Where the voxels lie, and what the header says twice and differently.
fn geometry(get: &impl Fn(Field) -> f64) -> Result<(Geometry, Vec<String>), ReadError> {
    let [nx, ny, nz] = shape(get)?;
    let unit_mm = match get(Field::XyztUnits) as i64 & 7 {
        1 => 1000.0,
        3 => 0.001,
        _ => 1.0,
    };
    let (columns, offset) = orientation(get)?;
    let pixdim_mm = [1, 2, 3].map(|d| get(Field::Pixdim(d)).abs());
    let is_size = |mm: f64| mm.is_finite() && mm > 0.0;
    let along_mm = columns.map(norm);
    let unlike = |d: usize| is_size(pixdim_mm[d]) && (along_mm[d] - pixdim_mm[d]).abs() > 1e-2 * along_mm[d];
    // In the digits that single precision holds.
    let sizes = |mm: [f64; 3]| mm.map(|mm| (mm as f32).to_string()).join(" x ");
    let note = || {
        let (pixdim, sform) = (sizes(pixdim_mm), sizes(along_mm));
        format!("pixdim says {pixdim}, the sform {sform}: the sizes of pixdim were used, as ITK does")
    };
    let none = pixdim_mm.iter().filter(|&&mm| !is_size(mm)).count();
    let of_none = || format!("pixdim has no size of {none} of 3 axes: the sform's was used, where ITK takes 1 mm");
    // ITK 5.4 mirrors the directions of an axis whose pixdim is below 0; nibabel, and who takes the affine at its word, do
    // not.
    let mirrored: Vec<String> =
        (0..3).filter(|d| get(Field::Pixdim(d + 1)) < 0.0).map(|d| format!("pixdim[{}]", d + 1)).collect();
    let of_mirror = || {
        format!(
            "{} below 0: the axis lies as sform or qform say; ITK 5.4 mirrors it, so a mask that it wrote lies elsewhere",
            mirrored.join(", ")
        )
    };
    let of_mirror = (!mirrored.is_empty()).then(of_mirror);
    let notes = [(none > 0).then(of_none), (0..3).any(unlike).then(note), of_mirror].into_iter().flatten().collect();
    let mut spacing_xyz = [0.0; 3];
    let mut axes_xyz = [[0.0; 3]; 3];
    for d in 0..3 {
        // ITK 5.4 takes directions from the affine and sizes from pixdim.
        let along = along_mm[d];
        let spacing = if is_size(pixdim_mm[d]) { pixdim_mm[d] } else { along };
        if !(spacing.is_finite() && spacing > 0.0) {
            return Err(ReadError::Field {
                field: "pixdim",
                found: spacing.to_string(),
                expected: "a finite size above 0",
            });
        }
        spacing_xyz[d] = spacing * unit_mm;
        axes_xyz[d] = lps(columns[d].map(|part| part / along));
    }
    let [(x, sx), (y, sy), (z, sz)] = [0, 1, 2].map(|d| (axes_xyz[d], spacing_xyz[d]));
    let geometry = Geometry {
        shape: [nz, ny, nx],
        origin_mm: lps(offset.map(|part| part * unit_mm)),
        spacing_mm: [sz, sy, sx],
        axes: [z, y, x],
    };
    Ok((geometry, notes))
}

fn shape(get: &impl Fn(Field) -> f64) -> Result<[usize; 3], ReadError> {
    let dimensions = get(Field::Dim(0));
    let wrong = |found: String, expected| Err(ReadError::Field { field: "dim", found, expected });
    if !(3.0..=7.0).contains(&dimensions) {
        return wrong(format!("{dimensions} dimensions"), "3");
    }
    if let Some(more) = (4..=dimensions as usize).map(|d| get(Field::Dim(d))).find(|&n| n > 1.0) {
        let expected = "one volume: a series of volumes or a mask in colors has to be split or saved as labels";
        return wrong(format!("a further dimension of {more}"), expected);
    }
    let sizes = [1, 2, 3].map(|d| get(Field::Dim(d)));
    if sizes.iter().any(|&n| !(1.0..=f64::from(i32::MAX)).contains(&n)) {
        return wrong(format!("{sizes:?}"), "sizes of at least 1");
    }
    Ok(sizes.map(|n| n as usize))
}

/// Three columns (mm along index x, y, z) and the first voxel's place, in the file's RAS system. As in ITK 5.4 the sform
/// counts where its code is 1 or the qform has none, then the qform; a header without either gives bare spacing along
/// the axes of LPS. A sheared sform is no grid of ours, then the qform counts.
fn orientation(get: &impl Fn(Field) -> f64) -> Result<([[f64; 3]; 3], [f64; 3]), ReadError> {
    let has_qform = get(Field::QformCode) > 0.0;
    let sform = get(Field::SformCode);
    let found = if sform > 0.0 && (sform == 1.0 || !has_qform) {
        let columns = [0, 1, 2].map(|d| [0, 1, 2].map(|row| get(Field::Srow(row, d))));
        let offset = [0, 1, 2].map(|row| get(Field::Srow(row, 3)));
        if is_orthogonal(&columns) {
            (columns, offset)
        } else if has_qform {
            qform(get)?
        } else {
            return Err(ReadError::Field {
                field: "srow_x, srow_y, srow_z",
                found: format!("{columns:?}"),
                expected: "three finite axes at right angles",
            });
        }
    } else if has_qform {
        qform(get)?
    } else {
        let size = [1, 2, 3].map(|d| get(Field::Pixdim(d)).abs());
        ([[-size[0], 0.0, 0.0], [0.0, -size[1], 0.0], [0.0, 0.0, size[2]]], [0.0; 3])
    };
    if found.1.iter().all(|part| part.is_finite()) {
        return Ok(found);
    }
    Err(ReadError::Field { field: "origin", found: format!("{:?}", found.1), expected: "finite numbers" })
}

/// `nifti1.h`, method 2: a unit quaternion whose real part is what the other three leave.
fn qform(get: &impl Fn(Field) -> f64) -> Result<([[f64; 3]; 3], [f64; 3]), ReadError> {
    let [b, c, d] = [0, 1, 2].map(|part| get(Field::Quatern(part)));
    let square = b * b + c * c + d * d;
    // Single precision leaves 1e-7; beyond a thousandth it is no rotation.
    if square.is_nan() || square > 1.001 {
        let found = format!("{b}, {c}, {d}");
        return Err(ReadError::Field { field: "quaternion", found, expected: "the parts of a rotation" });
    }
    let scale = square.max(1.0).sqrt().recip();
    let (a, b, c, d) = ((1.0 - square).max(0.0).sqrt(), b * scale, c * scale, d * scale);
    let qfac = if get(Field::Pixdim(0)) < 0.0 { -1.0 } else { 1.0 };
    let size = [1, 2, 3].map(|d| get(Field::Pixdim(d)).abs());
    let columns = [
        [a * a + b * b - c * c - d * d, 2.0 * (b * c + a * d), 2.0 * (b * d - a * c)].map(|part| part * size[0]),
        [2.0 * (b * c - a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d + a * b)].map(|part| part * size[1]),
        [2.0 * (b * d + a * c), 2.0 * (c * d - a * b), a * a + d * d - b * b - c * c].map(|part| part * size[2] * qfac),
    ];
    Ok((columns, [0, 1, 2].map(|part| get(Field::Qoffset(part)))))
}

/// Right angles to a thousandth: ITK's own tolerance for what is still a grid.
fn is_orthogonal(columns: &[[f64; 3]; 3]) -> bool {
    let cosine = |i: usize, j: usize| {
        let dot: f64 = columns[i].iter().zip(columns[j]).map(|(a, b)| a * b).sum();
        dot / norm(columns[i]) / norm(columns[j])
    };
    columns.iter().all(|&column| norm(column).is_finite() && norm(column) > 0.0)
        && [(0, 1), (0, 2), (1, 2)].iter().all(|&(i, j)| cosine(i, j).abs() <= 1e-3)
}

fn norm(vector: [f64; 3]) -> f64 {
    vector.iter().map(|part| part * part).sum::<f64>().sqrt()
}

/// RAS to LPS: x and y change sign; no zero becomes negative.
fn lps([x, y, z]: [f64; 3]) -> [f64; 3] {
    [0.0 - x, 0.0 - y, z]
}

fn text(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}

fn field_1(raw: &Raw, field: Field) -> f64 {
    match field {
        Field::Dim(d) => raw.i16(40 + 2 * d),
        Field::Datatype => raw.i16(70),
        Field::Bitpix => raw.i16(72),
        Field::Pixdim(d) => raw.f32(76 + 4 * d),
        Field::VoxOffset => raw.f32(108),
        Field::SclSlope => raw.f32(112),
        Field::SclInter => raw.f32(116),
        Field::XyztUnits => f64::from(raw.bytes[123]),
        Field::QformCode => raw.i16(252),
        Field::SformCode => raw.i16(254),
        Field::Quatern(part) => raw.f32(256 + 4 * part),
        Field::Qoffset(part) => raw.f32(268 + 4 * part),
        Field::Srow(row, column) => raw.f32(280 + 16 * row + 4 * column),
    }
}

fn field_2(raw: &Raw, field: Field) -> f64 {
    match field {
        Field::Datatype => raw.i16(12),
        Field::Bitpix => raw.i16(14),
        Field::Dim(d) => raw.i64(16 + 8 * d),
        Field::Pixdim(d) => raw.f64(104 + 8 * d),
        Field::VoxOffset => raw.i64(168),
        Field::SclSlope => raw.f64(176),
        Field::SclInter => raw.f64(184),
        Field::QformCode => raw.i32(344),
        Field::SformCode => raw.i32(348),
        Field::Quatern(part) => raw.f64(352 + 8 * part),
        Field::Qoffset(part) => raw.f64(376 + 8 * part),
        Field::Srow(row, column) => raw.f64(400 + 32 * row + 8 * column),
        Field::XyztUnits => raw.i32(500),
    }
}

impl Raw {
    fn at<const N: usize>(&self, offset: usize) -> [u8; N] {
        let mut bytes: [u8; N] = self.bytes[offset..offset + N].try_into().expect("the header has this field");
        if self.order == Order::BigEndian {
            bytes.reverse();
        }
        bytes
    }

    fn i16(&self, offset: usize) -> f64 {
        f64::from(i16::from_le_bytes(self.at(offset)))
    }

    fn i32(&self, offset: usize) -> f64 {
        f64::from(i32::from_le_bytes(self.at(offset)))
    }

    fn i64(&self, offset: usize) -> f64 {
        i64::from_le_bytes(self.at(offset)) as f64
    }

    fn f32(&self, offset: usize) -> f64 {
        f64::from(f32::from_le_bytes(self.at(offset)))
    }

    fn f64(&self, offset: usize) -> f64 {
        f64::from_le_bytes(self.at(offset))
    }
}
