//! NRRD headers, with the voxels in the same file or beside it (teem's "Definition of NRRD File Format").

use std::collections::BTreeMap;

use crate::grid::{Element, Geometry};
use crate::read::data::{Gzip, Layout, Order, Skip};
use crate::read::{Format, Header, ReadError};

/// No header of one volume is longer.
const LONGEST_HEADER: usize = 1 << 16;

/// `field: value` lines by lower-case field.
type Fields = BTreeMap<String, String>;

/// Parses the header of a file that begins with `NRRD`.
pub fn header(bytes: &[u8]) -> Result<Header, ReadError> {
    let (fields, end) = fields(bytes)?;
    let dimension = required(&fields, "dimension")?;
    if dimension != "3" {
        return Err(wrong("dimension", dimension, "3"));
    }
    let element = element(required(&fields, "type")?)?;
    let geometry = geometry(&fields)?;
    let data_file = fields.get("data file").or(fields.get("datafile")).map(|name| beside(name)).transpose()?;
    let gzip = match required(&fields, "encoding")? {
        "raw" => Gzip::None,
        "gzip" | "gz" => Gzip::Voxels,
        other => return Err(wrong("encoding", other, "raw or gzip")),
    };
    let start = if data_file.is_some() { 0 } else { end };
    let voxel_bytes = geometry.shape.iter().map(|&n| n as u64).try_fold(element.bytes() as u64, u64::checked_mul);
    let skip = skip(&fields, start as u64, voxel_bytes, gzip)?;
    let layout = Layout { element, order: order(&fields, element)?, gzip, skip, slope: 1.0, intercept: 0.0 };
    Ok(Header { format: Format::Nrrd, geometry, element, data_file, layout })
}

/// The header's fields and the position after its empty line.
fn fields(bytes: &[u8]) -> Result<(Fields, usize), ReadError> {
    let head = &bytes[..bytes.len().min(LONGEST_HEADER)];
    let (mut fields, mut at) = (Fields::new(), 0);
    loop {
        let Some(length) = head[at..].iter().position(|&byte| byte == b'\n') else {
            // A detached header may end without an empty line.
            if bytes.len() < LONGEST_HEADER && (fields.contains_key("data file") || fields.contains_key("datafile")) {
                note(&head[at..], &mut fields)?;
                return Ok((fields, bytes.len()));
            }
            return Err(ReadError::Missing("empty line after its fields"));
        };
        let line = head[at..at + length].trim_ascii_end();
        at += length + 1;
        if line.is_empty() {
            return Ok((fields, at));
        }
        if at > length + 1 {
            note(line, &mut fields)?;
        } else if !matches!(line, [b'N', b'R', b'R', b'D', b'0', b'0', b'0', b'1'..=b'5']) {
            return Err(wrong("magic", &line.escape_ascii().to_string(), "NRRD0001 to NRRD0005"));
        }
    }
}

/// Keeps a `field: value` line; comments and `key:=value` lines mean nothing to us.
fn note(line: &[u8], fields: &mut Fields) -> Result<(), ReadError> {
    let line = std::str::from_utf8(line).map_err(|_| wrong("header", "bytes that are no text", "lines of text"))?;
    if line.starts_with('#') || line.contains(":=") || line.is_empty() {
        return Ok(());
    }
    let (field, value) = line
        .split_once(": ")
        .or(line.split_once(':'))
        .ok_or_else(|| wrong("header line", &line.chars().take(40).collect::<String>(), "field: value"))?;
    match fields.insert(field.trim().to_ascii_lowercase(), value.trim().to_owned()) {
        None => Ok(()),
        Some(_) => Err(wrong("header line", &format!("a second {field}"), "each field once")),
    }
}

fn required<'a>(fields: &'a Fields, field: &'static str) -> Result<&'a str, ReadError> {
    fields.get(field).map(String::as_str).ok_or(ReadError::Missing(field))
}

fn wrong(field: &'static str, found: &str, expected: &'static str) -> ReadError {
    ReadError::Field { field, found: found.to_owned(), expected }
}

fn element(name: &str) -> Result<Element, ReadError> {
    Ok(match name {
        "signed char" | "int8" | "int8_t" => Element::I8,
        "uchar" | "unsigned char" | "uint8" | "uint8_t" => Element::U8,
        "short" | "short int" | "signed short" | "signed short int" | "int16" | "int16_t" => Element::I16,
        "ushort" | "unsigned short" | "unsigned short int" | "uint16" | "uint16_t" => Element::U16,
        "int" | "signed int" | "int32" | "int32_t" => Element::I32,
        "uint" | "unsigned int" | "uint32" | "uint32_t" => Element::U32,
        "longlong"
        | "long long"
        | "long long int"
        | "signed long long"
        | "signed long long int"
        | "int64"
        | "int64_t" => Element::I64,
        "ulonglong" | "unsigned long long" | "unsigned long long int" | "uint64" | "uint64_t" => Element::U64,
        "float" => Element::F32,
        "double" => Element::F64,
        other => return Err(wrong("type", other, "an integer type, float or double")),
    })
}

fn order(fields: &Fields, element: Element) -> Result<Order, ReadError> {
    match fields.get("endian").map(String::as_str) {
        Some("little") => Ok(Order::LittleEndian),
        Some("big") => Ok(Order::BigEndian),
        None if element.bytes() == 1 => Ok(Order::LittleEndian),
        None => Err(ReadError::Missing("endian")),
        Some(other) => Err(wrong("endian", other, "little or big")),
    }
}

/// A plain name or a path below the header's folder: a header must not reach for other files.
fn beside(name: &str) -> Result<String, ReadError> {
    let climbs = name.starts_with(['/', '\\']) || name.split(['/', '\\']).any(|part| part == "..");
    let is_list = name.starts_with("LIST") || name.contains('%');
    if name.is_empty() || climbs || is_list || name.contains('\0') {
        return Err(wrong("data file", name, "one file in the header's folder"));
    }
    Ok(name.to_owned())
}

fn skip(fields: &Fields, start: u64, voxel_bytes: Option<u64>, gzip: Gzip) -> Result<Skip, ReadError> {
    let count = |fields: &Fields, field, other| -> Result<i64, ReadError> {
        let Some(text) = fields.get(field).or(fields.get(other)) else { return Ok(0) };
        text.parse().map_err(|_| wrong(field, text, "a whole number"))
    };
    if count(fields, "line skip", "lineskip")? != 0 {
        return Err(wrong("line skip", "lines of text before the voxels", "0"));
    }
    match count(fields, "byte skip", "byteskip")? {
        -1 if gzip == Gzip::None => Ok(Skip::AllButVoxels { bytes: voxel_bytes.unwrap_or(u64::MAX) }),
        n if n >= 0 && gzip == Gzip::None => Ok(Skip::Bytes { stored: start.saturating_add(n as u64), content: 0 }),
        n if n >= 0 => Ok(Skip::Bytes { stored: start, content: n as u64 }),
        n => Err(wrong("byte skip", &n.to_string(), "0 or more, or -1 before raw voxels")),
    }
}

fn geometry(fields: &Fields) -> Result<Geometry, ReadError> {
    let sizes: Vec<usize> = words(required(fields, "sizes")?, "sizes", "three whole numbers of at least 1")?;
    let &[nx, ny, nz] = &sizes[..] else {
        return Err(wrong("sizes", &format!("{sizes:?}"), "three whole numbers of at least 1"));
    };
    // Teem and ITK hold a size in 32 bits at least; more is a lie.
    if sizes.iter().any(|n| !(1..=i32::MAX as usize).contains(n)) {
        return Err(wrong("sizes", &format!("{sizes:?}"), "three whole numbers of at least 1"));
    }
    let signs = signs(fields)?;
    let columns = match fields.get("space directions") {
        Some(text) => vectors(text)?.map(|vector| [0, 1, 2].map(|k| vector[k] * signs[k] + 0.0)),
        None => spacings(fields)?,
    };
    let spacing = columns.map(|column| column.iter().map(|part| part * part).sum::<f64>().sqrt());
    if spacing.iter().any(|size| !(size.is_finite() && *size > 0.0)) || !at_right_angles(&columns, spacing) {
        return Err(wrong("space directions", &format!("{columns:?}"), "three finite axes at right angles"));
    }
    let origin = match fields.get("space origin") {
        Some(text) => vector(text).filter(|point| point.iter().all(|part| part.is_finite())),
        None => Some([0.0; 3]),
    };
    let origin = origin.ok_or_else(|| wrong("space origin", &fields["space origin"], "(x,y,z)"))?;
    // Multiplied by the reciprocal as Teem does: the last bit decides ties of a resampled mask.
    let axes = [0, 1, 2].map(|d| columns[d].map(|part| part * (1.0 / spacing[d])));
    Ok(Geometry {
        shape: [nz, ny, nx],
        origin_mm: [0, 1, 2].map(|k| origin[k] * signs[k] + 0.0),
        spacing_mm: [spacing[2], spacing[1], spacing[0]],
        axes: [axes[2], axes[1], axes[0]],
    })
}

/// What turns the file's space into LPS; a space without a name counts as LPS, as in ITK.
fn signs(fields: &Fields) -> Result<[f64; 3], ReadError> {
    match fields.get("space").map(|name| name.to_ascii_lowercase()).as_deref() {
        None | Some("left-posterior-superior" | "lps") => Ok([1.0, 1.0, 1.0]),
        Some("right-anterior-superior" | "ras") => Ok([-1.0, -1.0, 1.0]),
        Some("left-anterior-superior" | "las") => Ok([1.0, -1.0, 1.0]),
        Some(other) => Err(wrong("space", other, "left-posterior-superior, or one that names RAS or LAS")),
    }
}

fn spacings(fields: &Fields) -> Result<[[f64; 3]; 3], ReadError> {
    let text = fields.get("spacings").ok_or(ReadError::Missing("space directions"))?;
    match words::<f64>(text, "spacings", "three numbers")?[..] {
        [x, y, z] => Ok([[x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, z]]),
        _ => Err(wrong("spacings", text, "three numbers")),
    }
}

fn words<T: std::str::FromStr>(text: &str, field: &'static str, expected: &'static str) -> Result<Vec<T>, ReadError> {
    text.split_whitespace().map(|word| word.parse().map_err(|_| wrong(field, text, expected))).collect()
}

/// `(a,b,c) (d,e,f) (g,h,i)`
fn vectors(text: &str) -> Result<[[f64; 3]; 3], ReadError> {
    let found: Option<Vec<[f64; 3]>> = text.split_inclusive(')').map(vector).collect();
    let found = found.and_then(|found| found.try_into().ok());
    found.ok_or_else(|| wrong("space directions", text, "three vectors (x,y,z)"))
}

fn vector(text: &str) -> Option<[f64; 3]> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    let parts: Vec<f64> = inner.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    parts.try_into().ok()
}

fn at_right_angles(columns: &[[f64; 3]; 3], spacing: [f64; 3]) -> bool {
    [(0, 1), (0, 2), (1, 2)].iter().all(|&(i, j)| {
        let dot: f64 = columns[i].iter().zip(columns[j]).map(|(a, b)| a * b).sum();
        // A thousandth: beyond, voxels are sheared and no distance in mm holds.
        (dot / spacing[i] / spacing[j]).abs() <= 1e-3
    })
}
