//! NRRD headers, with the voxels in the same file or beside it (teem's "Definition of NRRD File Format").

use std::collections::BTreeMap;

use crate::grid::{Element, Geometry};
use crate::read::data::{Coding, Gzip, Layout, Order, Skip};
use crate::read::{Format, Header, Layers, ReadError, Segment, list};

/// Headers of hundreds of segments take a megabyte.
const LONGEST_HEADER: usize = 16 << 20;
/// Layers and segments of a file.
const MOST: usize = 4096;

/// `field: value` lines by lower-case field, and the `key:=value` lines of segments by key.
type Fields = BTreeMap<String, String>;

/// Parses the header of a file that begins with `NRRD`.
pub fn header(bytes: &[u8]) -> Result<Header, ReadError> {
    let (fields, end) = fields(bytes)?;
    let Axes { domain, layers } = axes(&fields)?;
    let element = element(required(&fields, "type")?)?;
    let geometry = geometry(&fields, domain)?;
    let (files, elsewhere) = data_files(&fields)?;
    let mut files = files.into_iter();
    let data_file = files.next();
    let (gzip, coding) = match required(&fields, "encoding")?.to_ascii_lowercase().as_str() {
        "raw" => (Gzip::None, Coding::Binary),
        "gzip" | "gz" => (Gzip::Voxels, Coding::Binary),
        "bzip2" | "bz2" => (Gzip::Bzip2, Coding::Binary),
        "text" | "txt" | "ascii" => (Gzip::None, Coding::Text),
        "hex" => (Gzip::None, Coding::Hex),
        other => return Err(wrong("encoding", other, "raw, gzip, bzip2, text or hex; save the file with one of them")),
    };
    let start = if data_file.is_some() { 0 } else { end };
    let sizes = geometry.shape.iter().map(|&n| n as u64).chain([layers.count as u64]);
    let numbers = sizes.into_iter().try_fold(1, u64::checked_mul);
    // Of several files each ends with its part.
    let numbers = Header::numbers_each(numbers, files.len() + 1);
    let voxel_bytes = numbers.and_then(|n| n.checked_mul(element.bytes() as u64));
    let skip = skip(&fields, start as u64, voxel_bytes, gzip)?;
    let order = if coding == Coding::Text { Order::LittleEndian } else { order(&fields, element)? };
    let layout = Layout { element, order, gzip, coding, skip, slope: 1.0, intercept: 0.0 };
    let segments = segments(&fields, layers.count)?;
    let mut notes = space_note(&fields);
    let has = |names: [&str; 2]| names.iter().any(|name| fields.contains_key(*name));
    if has(["axis maxs", "axismaxs"]) && !has(["axis mins", "axismins"]) && !fields.contains_key("space origin") {
        notes.push("axis maxs without axis mins give no origin: it was taken as 0, as ITK does".to_owned());
    }
    let plain = Header::plain(Format::Nrrd, geometry, data_file, layout);
    Ok(Header { further_files: files.collect(), elsewhere, segments, notes, layers, ..plain }.of_list())
}

/// Which axes are those of space, and what the fourth holds.
struct Axes {
    domain: [usize; 3],
    layers: Layers,
}

/// Three axes of space; of four one that has no direction, or is a list by its kind, or is 1 long.
fn axes(fields: &Fields) -> Result<Axes, ReadError> {
    let dimension = required(fields, "dimension")?;
    let one = Layers { count: 1, interleaved: false };
    match dimension {
        "3" => return Ok(Axes { domain: [0, 1, 2], layers: one }),
        "4" => (),
        other => return Err(wrong("dimension", other, "3, or 4 with layers of segments")),
    }
    let sizes: Vec<usize> = words(required(fields, "sizes")?, "sizes", "four whole numbers of at least 1")?;
    if sizes.len() != 4 {
        return Err(wrong("sizes", &format!("{sizes:?}"), "four whole numbers of at least 1"));
    }
    let directions = fields.get("space directions").map(|text| vectors(text)).transpose()?;
    let bare = directions.as_ref().and_then(|all| all.iter().position(Option::is_none));
    let kinds: Vec<&str> = fields.get("kinds").map(|text| text.split_whitespace().collect()).unwrap_or_default();
    let listed = kinds.iter().position(|kind| *kind != "domain" && *kind != "space");
    let single = sizes.iter().position(|&size| size == 1);
    let unclear = || wrong("dimension", "4", "3, or 4 with one axis that is a list or 1 long");
    let at = bare.or(listed).or(single).filter(|&at| at < 4).ok_or_else(unclear)?;
    let count = sizes[at];
    if !(1..=MOST).contains(&count) || count > 1 && at != 0 && at != 3 {
        return Err(wrong("sizes", &format!("{sizes:?}"), "1 to 4096 layers on the first or the last axis"));
    }
    let domain: Vec<usize> = (0..4).filter(|&axis| axis != at).collect();
    let domain = domain.try_into().expect("four less one are three");
    Ok(Axes { domain, layers: Layers { count, interleaved: at == 0 } })
}

/// `SegmentN_Name`, `SegmentN_LabelValue` and `SegmentN_Layer` of 3D Slicer, in the order of N.
fn segments(fields: &Fields, n_layers: usize) -> Result<Vec<Segment>, ReadError> {
    let number = |n: usize, what: &str| {
        let text = fields.get(&format!("Segment{n}_{what}"));
        text.map(|text| text.parse::<i64>().map_err(|_| wrong("a segment", text, "a whole number"))).transpose()
    };
    // 3D Slicer before 5 kept one segment a layer and did not number the layers.
    let is_numbered = fields.keys().any(|key| key.starts_with("Segment") && key.ends_with("_Layer"));
    let mut found = Vec::new();
    for n in 0..MOST {
        let Some(name) = fields.get(&format!("Segment{n}_Name")).or(fields.get(&format!("Segment{n}_ID"))) else {
            continue;
        };
        let layer = number(n, "Layer")?.unwrap_or(if is_numbered || n_layers == 1 { 0 } else { n as i64 });
        let layer = usize::try_from(layer)
            .ok()
            .filter(|&layer| layer < n_layers)
            .ok_or_else(|| wrong("Layer of a segment", &format!("{layer} of {name}"), "a layer that the file holds"))?;
        let id = fields.get(&format!("Segment{n}_ID")).cloned().unwrap_or_else(|| format!("Segment{n}"));
        found.push(Segment { name: name.clone(), id, layer, value: number(n, "LabelValue")?.unwrap_or(1) });
    }
    Ok(found)
}

/// The file beside the header, or the files of a list; and the name of one that leads elsewhere.
fn data_files(fields: &Fields) -> Result<(Vec<String>, Option<String>), ReadError> {
    let Some(text) = fields.get("data file").or(fields.get("datafile")) else { return Ok((Vec::new(), None)) };
    let mut lines = text.lines();
    list::files("data file", lines.next().unwrap_or_default(), lines)
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
            if bytes.len() >= LONGEST_HEADER {
                let expected =
                    "an empty line within 16 MB: save the file without what other programs keep in its header";
                return Err(wrong("header", "more than 16 MB", expected));
            }
            return Err(ReadError::Missing("empty line after its fields"));
        };
        let line = head[at..at + length].trim_ascii_end();
        at += length + 1;
        if line.is_empty() {
            return Ok((fields, at));
        }
        if is_list(&fields) {
            let text = line_text(line)?;
            let name = if fields.contains_key("data file") { "data file" } else { "datafile" };
            let names = fields.get_mut(name).expect("a list is a data file");
            if names.lines().count() > MOST {
                return Err(wrong("data file", "a list of more files", "at most 4096 files"));
            }
            names.push('\n');
            names.push_str(text);
        } else if at > length + 1 {
            note(line, &mut fields)?;
        } else if !matches!(line, [b'N', b'R', b'R', b'D', b'0', b'0', b'0', b'1'..=b'5']) {
            return Err(wrong("magic", &line.escape_ascii().to_string(), "NRRD0001 to NRRD0005"));
        }
    }
}

/// Whether the lines that follow are names of data files, up to the header's end.
fn is_list(fields: &Fields) -> bool {
    let file = fields.get("data file").or(fields.get("datafile"));
    file.is_some_and(|file| file.split_whitespace().next() == Some("LIST"))
}

fn line_text(line: &[u8]) -> Result<&str, ReadError> {
    std::str::from_utf8(line).map_err(|_| wrong("header", "bytes that are no text", "lines of text"))
}

/// Keeps a `field: value` line and what names segments; comments and other `key:=value` lines mean nothing to us.
fn note(line: &[u8], fields: &mut Fields) -> Result<(), ReadError> {
    if line.starts_with(b"#") || line.is_empty() {
        return Ok(());
    }
    if let Some(at) = line.windows(2).position(|pair| pair == b":=") {
        if line.starts_with(b"Segment") {
            fields.insert(any_text(&line[..at]), any_text(&line[at + 2..]));
        }
        return Ok(());
    }
    let line = line_text(line)?;
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

fn skip(fields: &Fields, start: u64, voxel_bytes: Option<u64>, gzip: Gzip) -> Result<Skip, ReadError> {
    let count = |fields: &Fields, field, other| -> Result<i64, ReadError> {
        let Some(text) = fields.get(field).or(fields.get(other)) else { return Ok(0) };
        text.parse().map_err(|_| wrong(field, text, "a whole number"))
    };
    let lines = count(fields, "line skip", "lineskip")?;
    let Ok(lines) = u64::try_from(lines) else {
        return Err(wrong("line skip", &lines.to_string(), "0 or more"));
    };
    match count(fields, "byte skip", "byteskip")? {
        n if n >= 0 && lines > 0 => Ok(Skip::Lines { start, lines, bytes: n as u64 }),
        -1 if gzip == Gzip::None => Ok(Skip::AllButVoxels { bytes: voxel_bytes.unwrap_or(u64::MAX) }),
        n if n >= 0 && gzip == Gzip::None => Ok(Skip::Bytes { stored: start.saturating_add(n as u64), content: 0 }),
        n if n >= 0 => Ok(Skip::Bytes { stored: start, content: n as u64 }),
        n => Err(wrong("byte skip", &n.to_string(), "0 or more, or -1 before raw voxels")),
    }
}

/// Text in UTF-8, else in Latin-1: the format asks for ASCII, programs write what they are given.
fn any_text(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).map(str::to_owned);
    text.unwrap_or_else(|_| bytes.iter().map(|&byte| char::from(byte)).collect()).trim().to_owned()
}

fn geometry(fields: &Fields, domain: [usize; 3]) -> Result<Geometry, ReadError> {
    let sizes: Vec<usize> = words(required(fields, "sizes")?, "sizes", "three whole numbers of at least 1")?;
    if sizes.len().to_string() != required(fields, "dimension")? {
        return Err(wrong("sizes", &format!("{sizes:?}"), "three whole numbers of at least 1"));
    }
    let [nx, ny, nz] = domain.map(|axis| sizes[axis]);
    // Teem and ITK hold a size in 32 bits at least; more is a lie.
    if sizes.iter().any(|n| !(1..=i32::MAX as usize).contains(n)) {
        return Err(wrong("sizes", &format!("{sizes:?}"), "three whole numbers of at least 1"));
    }
    let signs = signs(fields)?;
    let columns = match fields.get("space directions") {
        Some(text) => {
            let all = vectors(text)?;
            let own = |axis: usize| all.get(axis).copied().flatten();
            let found: Option<Vec<[f64; 3]>> = domain.iter().map(|&axis| own(axis)).collect();
            let found = found.filter(|_| all.len() == sizes.len()).and_then(|found| found.try_into().ok());
            let found: [[f64; 3]; 3] = found.ok_or_else(|| wrong("space directions", text, "three vectors (x,y,z)"))?;
            found.map(|vector| [0, 1, 2].map(|k| vector[k] * signs[k] + 0.0))
        }
        None => spacings(fields, domain)?,
    };
    let spacing = columns.map(|column| column.iter().map(|part| part * part).sum::<f64>().sqrt());
    if spacing.iter().any(|size| !(size.is_finite() && *size > 0.0)) || !at_right_angles(&columns, spacing) {
        return Err(wrong("space directions", &format!("{columns:?}"), "three finite axes at right angles"));
    }
    let origin = match fields.get("space origin") {
        Some(text) => vector(text).filter(|point| point.iter().all(|part| part.is_finite())),
        None => Some(axis_origin(fields, domain, spacing)?.unwrap_or_default()),
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

/// The centre of the first voxel by `axis mins`, as ITK has it where the file names no space: the lower edge of the voxel
/// is meant unless the axis is centred on nodes. `None` where there are none.
fn axis_origin(fields: &Fields, domain: [usize; 3], spacing: [f64; 3]) -> Result<Option<[f64; 3]>, ReadError> {
    let Some(text) = fields.get("axis mins").or(fields.get("axismins")) else { return Ok(None) };
    let all = words::<f64>(text, "axis mins", "a number for each axis")?;
    if Some(&all.len().to_string()) != fields.get("dimension") {
        return Err(wrong("axis mins", text, "a number for each axis"));
    }
    let low = domain.map(|axis| all[axis]);
    if low.iter().all(|part| part.is_nan()) {
        return Ok(None);
    }
    let has_space = ["space", "space dimension", "space directions"].iter().any(|field| fields.contains_key(*field));
    if has_space || low.iter().any(|part| !part.is_finite()) {
        let expected = "finite numbers in a file without a space; save the file with a space origin instead";
        return Err(wrong("axis mins", text, expected));
    }
    let centres = fields.get("centers").or(fields.get("centerings")).map(|text| text.split_whitespace().collect());
    let centres: Vec<&str> = centres.unwrap_or_default();
    let half = |d: usize| if centres.get(domain[d]) == Some(&"node") { 0.0 } else { spacing[d] / 2.0 };
    Ok(Some([0, 1, 2].map(|d| low[d] + half(d))))
}

/// What turns the file's space into LPS; a space without a name, or one of another name, counts as LPS, as in ITK.
fn signs(fields: &Fields) -> Result<[f64; 3], ReadError> {
    match fields.get("space").map(|name| name.to_ascii_lowercase()).as_deref() {
        None | Some("left-posterior-superior" | "lps" | "scanner-xyz" | "3d-right-handed" | "3d-left-handed") => {
            Ok([1.0, 1.0, 1.0])
        }
        Some("right-anterior-superior" | "ras") => Ok([-1.0, -1.0, 1.0]),
        Some("left-anterior-superior" | "las") => Ok([1.0, -1.0, 1.0]),
        Some(other) => Err(wrong("space", other, "left-posterior-superior, RAS, LAS, scanner-xyz or 3D-right-handed")),
    }
}

/// What is said of a space that does not name the patient's sides.
fn space_note(fields: &Fields) -> Vec<String> {
    let space = fields.get("space").filter(|space| {
        ["scanner-xyz", "3d-right-handed", "3d-left-handed"].contains(&space.to_ascii_lowercase().as_str())
    });
    space
        .map(|space| format!("the space {space} was taken for left-posterior-superior, as ITK does"))
        .into_iter()
        .collect()
}

fn spacings(fields: &Fields, domain: [usize; 3]) -> Result<[[f64; 3]; 3], ReadError> {
    let text = fields.get("spacings").ok_or(ReadError::Missing("space directions"))?;
    let all = words::<f64>(text, "spacings", "three numbers")?;
    if Some(&all.len().to_string()) != fields.get("dimension") {
        return Err(wrong("spacings", text, "three numbers"));
    }
    let [x, y, z] = domain.map(|axis| all[axis]);
    Ok([[x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, z]])
}

fn words<T: std::str::FromStr>(text: &str, field: &'static str, expected: &'static str) -> Result<Vec<T>, ReadError> {
    text.split_whitespace().map(|word| word.parse().map_err(|_| wrong(field, text, expected))).collect()
}

/// `(a,b,c) (d,e,f) (g,h,i)`, with `none` for an axis that is not of space.
fn vectors(text: &str) -> Result<Vec<Option<[f64; 3]>>, ReadError> {
    let wrong = || wrong("space directions", text, "three vectors (x,y,z)");
    let (mut rest, mut found) = (text.trim(), Vec::new());
    while !rest.is_empty() && found.len() <= 4 {
        if let Some(after) = rest.strip_prefix("none") {
            found.push(None);
            rest = after.trim_start();
        } else {
            let end = rest.find(')').ok_or_else(wrong)? + 1;
            found.push(Some(vector(&rest[..end]).ok_or_else(wrong)?));
            rest = rest[end..].trim_start();
        }
    }
    Ok(found)
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
