//! MetaImage headers (`.mha` with the voxels behind, `.mhd` with them beside), as ITK-SNAP and SimpleITK write them.

use std::collections::BTreeMap;

use crate::grid::{Element, Geometry};
use crate::read::data::{Coding, Gzip, Layout, Order, Skip};
use crate::read::{Format, Header, ReadError, list};

/// No header of one volume is longer.
const LONGEST_HEADER: usize = 1 << 16;

type Fields = BTreeMap<String, String>;

/// Whether bytes look like such a header: lines of text, the number of dimensions among the first.
pub fn is_metaimage(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    head.first().is_some_and(u8::is_ascii_alphabetic) && head.windows(5).any(|word| word == b"NDims")
}

pub fn header(bytes: &[u8]) -> Result<Header, ReadError> {
    let (fields, end) = fields(bytes)?;
    let fields = of_three(fields)?;
    if let Some(found) = fields.get("ElementNumberOfChannels").filter(|found| *found != "1") {
        let expected = "NDims = 3 and one channel: save one channel as a file of its own";
        return Err(wrong("header", &format!("ElementNumberOfChannels = {found}"), expected));
    }
    let element = element(required(&fields, "ElementType")?)?;
    let geometry = geometry(&fields)?;
    let (files, elsewhere) = match required(&fields, "ElementDataFile")? {
        "LOCAL" => (Vec::new(), None),
        first => list::files(
            "ElementDataFile",
            first,
            String::from_utf8_lossy(&bytes[end..bytes.len().min(end + LONGEST_HEADER)]).lines(),
        )?,
    };
    let mut files = files.into_iter();
    let data_file = files.next();
    let gzip = if is_true(&fields, &["CompressedData"]) { Gzip::Zlib } else { Gzip::None };
    let start = if data_file.is_some() { 0 } else { end as u64 };
    let skip = match fields.get("HeaderSize").map(|text| text.parse::<i64>()) {
        None => Skip::Bytes { stored: start, content: 0 },
        Some(Ok(n)) if n >= 0 => Skip::Bytes { stored: start.max(n as u64), content: 0 },
        Some(Ok(-1)) if gzip == Gzip::None => {
            let numbers = geometry.shape.iter().try_fold(1, |n: u64, &size| n.checked_mul(size as u64));
            // Of several files each ends with its part.
            let numbers = Header::numbers_each(numbers, files.len() + 1);
            Skip::AllButVoxels {
                bytes: numbers.and_then(|n| n.checked_mul(element.bytes() as u64)).unwrap_or(u64::MAX),
            }
        }
        Some(_) => return Err(wrong("HeaderSize", &fields["HeaderSize"], "0 or more, or -1 before raw voxels")),
    };
    let big = is_true(&fields, &["BinaryDataByteOrderMSB", "ElementByteOrderMSB"]);
    let order = if big { Order::BigEndian } else { Order::LittleEndian };
    let is_text = fields.get("BinaryData").is_some_and(|value| value.eq_ignore_ascii_case("false"));
    let coding = if is_text && gzip == Gzip::None { Coding::Text } else { Coding::Binary };
    // Text is turned into the least byte first.
    let order = if coding == Coding::Text { Order::LittleEndian } else { order };
    let layout = Layout { element, order, gzip, coding, skip, slope: 1.0, intercept: 0.0 };
    let plain = Header::plain(Format::MetaImage, geometry, data_file, layout);
    Ok(Header { further_files: files.collect(), elsewhere, ..plain }.of_list())
}

/// The fields of a volume of three axes; a fourth that is 1 long is left out, as ITK does.
fn of_three(mut fields: Fields) -> Result<Fields, ReadError> {
    let dims = fields.get("NDims").map_or("3", String::as_str);
    if dims == "3" {
        return Ok(fields);
    }
    let last = fields.get("DimSize").and_then(|sizes| sizes.split_whitespace().nth(3));
    if dims != "4" || last != Some("1") {
        let expected =
            "NDims = 3 and one channel, or a fourth axis that is 1 long: save one volume as a file of its own";
        return Err(wrong("header", &format!("NDims = {dims}"), expected));
    }
    let vectors = ["DimSize", "ElementSpacing", "ElementSize", "Offset", "Position", "Origin", "CenterOfRotation"];
    for (field, value) in &mut fields {
        let words: Vec<&str> = value.split_whitespace().collect();
        let kept: Vec<&str> = match words.len() {
            4 if vectors.contains(&field.as_str()) => words[..3].to_vec(),
            16 if ["TransformMatrix", "Rotation", "Orientation"].contains(&field.as_str()) => {
                [&words[..3], &words[4..7], &words[8..11]].concat()
            }
            _ => continue,
        };
        *value = kept.join(" ");
    }
    Ok(fields)
}

/// The header's fields, and where it ends: behind the line that says where the voxels are.
fn fields(bytes: &[u8]) -> Result<(Fields, usize), ReadError> {
    let head = &bytes[..bytes.len().min(LONGEST_HEADER)];
    let (mut fields, mut at) = (Fields::new(), 0);
    while at < head.len() {
        let length = head[at..].iter().position(|&byte| byte == b'\n').unwrap_or(head.len() - at);
        // Comments are in whatever encoding they were typed.
        let line = &String::from_utf8_lossy(&head[at..at + length]);
        at = (at + length + 1).min(head.len());
        let Some((field, value)) = line.split_once('=') else {
            return Err(wrong("header line", &line.chars().take(40).collect::<String>(), "Field = value"));
        };
        let field = field.trim().to_owned();
        let last = field == "ElementDataFile";
        if fields.insert(field.clone(), value.trim().to_owned()).is_some() {
            return Err(wrong("header line", &format!("a second {field}"), "each field once"));
        }
        if last {
            return Ok((fields, at));
        }
    }
    Err(ReadError::Missing("ElementDataFile"))
}

fn geometry(fields: &Fields) -> Result<Geometry, ReadError> {
    let sizes: [f64; 3] = numbers(fields, &["DimSize"])?.ok_or(ReadError::Missing("DimSize"))?;
    if sizes.iter().any(|&size| !(1.0..=f64::from(i32::MAX)).contains(&size) || size.fract() != 0.0) {
        return Err(wrong("DimSize", &format!("{sizes:?}"), "three whole numbers of at least 1"));
    }
    let spacing: [f64; 3] = numbers(fields, &["ElementSpacing", "ElementSize"])?.unwrap_or([1.0; 3]);
    if spacing.iter().any(|&mm| mm <= 0.0) {
        return Err(wrong("ElementSpacing", &format!("{spacing:?}"), "three sizes above 0"));
    }
    let turned: [f64; 9] = numbers(fields, &["TransformMatrix", "Rotation", "Orientation"])?
        .unwrap_or([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    let axes: [[f64; 3]; 3] = std::array::from_fn(|k| [turned[3 * k], turned[3 * k + 1], turned[3 * k + 2]]);
    let dot = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).map(|(p, q)| p * q).sum::<f64>();
    // A thousandth: beyond, voxels are sheared and no distance in mm holds.
    let square = |i: usize, j: usize| (dot(axes[i], axes[j]) - f64::from(u8::from(i == j))).abs() <= 1e-3;
    if !(0..3).all(|i| (0..3).all(|j| square(i, j))) {
        let expected = "three unit vectors at right angles, to a thousandth: save the file again with more decimals, from \
                        the program or the DICOM files that it was made from";
        return Err(wrong("TransformMatrix", &format!("{turned:?}"), expected));
    }
    let axes = axes.map(|axis| axis.map(|part| part / dot(axis, axis).sqrt()));
    Ok(Geometry {
        shape: [2, 1, 0].map(|k| sizes[k] as usize),
        origin_mm: numbers(fields, &["Offset", "Position", "Origin"])?.unwrap_or([0.0; 3]),
        spacing_mm: [spacing[2], spacing[1], spacing[0]],
        axes: [axes[2], axes[1], axes[0]],
    })
}

/// Exactly `N` finite numbers under the first of some names; `None` when the header has none of them.
fn numbers<const N: usize>(fields: &Fields, names: &[&'static str]) -> Result<Option<[f64; N]>, ReadError> {
    let Some((name, text)) = names.iter().find_map(|name| Some((*name, fields.get(*name)?))) else { return Ok(None) };
    let found: Option<Vec<f64>> =
        text.split_whitespace().map(|word| word.parse().ok().filter(|number: &f64| number.is_finite())).collect();
    let found = found.and_then(|found| found.try_into().ok());
    found.map(Some).ok_or_else(|| wrong(name, text, "finite numbers, one for each dimension"))
}

fn is_true(fields: &Fields, names: &[&str]) -> bool {
    names.iter().any(|name| fields.get(*name).is_some_and(|value| value.eq_ignore_ascii_case("true")))
}

fn required<'a>(fields: &'a Fields, field: &'static str) -> Result<&'a str, ReadError> {
    fields.get(field).map(String::as_str).ok_or(ReadError::Missing(field))
}

fn element(name: &str) -> Result<Element, ReadError> {
    Ok(match name {
        "MET_CHAR" => Element::I8,
        "MET_UCHAR" => Element::U8,
        "MET_SHORT" => Element::I16,
        "MET_USHORT" => Element::U16,
        "MET_INT" | "MET_LONG" => Element::I32,
        "MET_UINT" | "MET_ULONG" => Element::U32,
        "MET_LONG_LONG" => Element::I64,
        "MET_ULONG_LONG" => Element::U64,
        "MET_FLOAT" => Element::F32,
        "MET_DOUBLE" => Element::F64,
        other => return Err(wrong("ElementType", other, "an integer type, MET_FLOAT or MET_DOUBLE")),
    })
}

fn wrong(field: &'static str, found: &str, expected: &'static str) -> ReadError {
    ReadError::Field { field, found: found.to_owned(), expected }
}
