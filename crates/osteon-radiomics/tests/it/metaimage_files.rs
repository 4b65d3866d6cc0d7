//! MetaImage files made in memory.
#![allow(dead_code, reason = "each test module uses a part")]

use std::io::Write;

const FIELDS: [&str; 10] = [
    "ObjectType = Image",
    "NDims = 3",
    "BinaryData = True",
    "BinaryDataByteOrderMSB = False",
    "CompressedData = False",
    "TransformMatrix = 0 1 0 -1 0 0 0 0 1",
    "Offset = -10 20 30",
    "ElementSpacing = 0.5 0.75 3",
    "DimSize = 3 2 2",
    "ElementType = MET_SHORT",
];

/// An image of 3 x 2 x 2 voxels, whole in one file.
pub fn whole() -> Vec<u8> {
    file(&[], "LOCAL", &voxels())
}

/// The same with compressed voxels.
pub fn compressed() -> Vec<u8> {
    file(&["CompressedData = True"], "LOCAL", &zlib(&voxels()))
}

/// Bytes as one zlib stream.
pub fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn voxels() -> Vec<u8> {
    (-2..10i16).flat_map(i16::to_le_bytes).collect()
}

/// The header with some lines replaced by field, then the voxels.
pub fn file(changes: &[&'static str], data: &str, voxels: &[u8]) -> Vec<u8> {
    let field = |line: &str| line.split(" = ").next().unwrap().to_owned();
    let mut lines = FIELDS;
    for change in changes {
        let place = lines.iter().position(|line| field(line) == field(change)).expect("a field of the header");
        lines[place] = change;
    }
    [format!("{}\nElementDataFile = {data}\n", lines.join("\n")).as_bytes(), voxels].concat()
}
