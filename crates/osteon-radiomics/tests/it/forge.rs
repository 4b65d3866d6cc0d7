//! Image files made in memory, right ones and wrong ones.
#![allow(dead_code, reason = "each test module uses a part")]

use std::io::Write;

use osteon_radiomics::grid::{Element, Image, Mask};
use osteon_radiomics::read::{self, Label, Limits, Source};

/// The image in these bytes, which must be one.
pub fn image(bytes: &[u8]) -> Image {
    read::image(Source { bytes, data: None }, &Limits::default()).expect("an image")
}

/// Every voxel above or below 0 in these bytes, which must hold some.
pub fn mask(bytes: &[u8]) -> Mask {
    read::mask(Source { bytes, data: None }, Label::AnyNonZero, &Limits::default()).expect("a mask")
}

/// A NIfTI-1 file of `shape` x, y, z with axes along RAS and its first voxel at (10, 20, 30) in RAS.
pub struct Nifti {
    pub bytes: Vec<u8>,
    pub big_endian: bool,
}

/// NIfTI's code of each number type.
pub const CODES: [(Element, i16); 10] = [
    (Element::U8, 2),
    (Element::I16, 4),
    (Element::I32, 8),
    (Element::F32, 16),
    (Element::F64, 64),
    (Element::I8, 256),
    (Element::U16, 512),
    (Element::U32, 768),
    (Element::I64, 1024),
    (Element::U64, 1280),
];

impl Nifti {
    pub fn new(shape: [usize; 3], element: Element, values: &[f64], big_endian: bool) -> Nifti {
        let mut file = Nifti { bytes: vec![0; 352], big_endian };
        file.i32(0, 348);
        for (at, size) in [3, shape[0], shape[1], shape[2], 1, 1, 1, 1].into_iter().enumerate() {
            file.i16(40 + 2 * at, size as i16);
        }
        let code = CODES.iter().find(|(known, _)| *known == element).expect("every type has a code").1;
        file.i16(70, code);
        file.i16(72, 8 * element.bytes() as i16);
        for (at, size) in [1.0, 0.5, 0.75, 3.0].into_iter().enumerate() {
            file.f32(76 + 4 * at, size);
        }
        file.f32(108, 352.0);
        file.f32(112, 1.0);
        file.bytes[123] = 2;
        file.i16(252, 1);
        for (at, place) in [10.0, 20.0, 30.0].into_iter().enumerate() {
            file.f32(268 + 4 * at, place);
        }
        file.bytes[344..348].copy_from_slice(b"n+1\0");
        file.bytes.extend(encode(element, values, big_endian));
        file
    }

    pub fn i16(&mut self, at: usize, value: i16) -> &mut Self {
        self.put(at, &value.to_le_bytes())
    }

    pub fn i32(&mut self, at: usize, value: i32) -> &mut Self {
        self.put(at, &value.to_le_bytes())
    }

    pub fn f32(&mut self, at: usize, value: f32) -> &mut Self {
        self.put(at, &value.to_le_bytes())
    }

    fn put(&mut self, at: usize, little: &[u8]) -> &mut Self {
        for (k, &byte) in little.iter().enumerate() {
            self.bytes[at + if self.big_endian { little.len() - 1 - k } else { k }] = byte;
        }
        self
    }
}

/// A NIfTI-2 file of unsigned bytes, its axes given by an sform.
pub fn nifti_2(shape: [i64; 3], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 544];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &540i32.to_le_bytes());
    put(4, b"n+2\0\r\n\x1a\n");
    put(12, &2i16.to_le_bytes());
    put(14, &8i16.to_le_bytes());
    for (at, size) in [3, shape[0], shape[1], shape[2]].into_iter().enumerate() {
        put(16 + 8 * at, &size.to_le_bytes());
    }
    for (at, size) in [1.0, 0.5, 0.75, 3.0f64].into_iter().enumerate() {
        put(104 + 8 * at, &size.to_le_bytes());
    }
    put(168, &544i64.to_le_bytes());
    put(348, &1i32.to_le_bytes());
    for (at, part) in [(400, 0.5), (424, 10.0), (440, 0.75), (456, 20.0), (480, 3.0), (488, 30.0f64)] {
        put(at, &part.to_le_bytes());
    }
    put(500, &2i32.to_le_bytes());
    bytes.extend(values);
    bytes
}

/// An NRRD header of 2 x 3 x 4 big-endian shorts in RAS with `lines` added or, by field, replacing one.
pub fn nrrd_header(lines: &[&str]) -> String {
    let mut fields = vec![
        "type: short",
        "dimension: 3",
        "space: right-anterior-superior",
        "sizes: 2 3 4",
        "space directions: (0.5,0,0) (0,0.75,0) (0,0,3)",
        "endian: big",
        "encoding: raw",
        "space origin: (10,20,30)",
    ];
    for line in lines {
        let field = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
        match fields.iter().position(|own| field(own) == field(line)) {
            Some(at) if line.ends_with(": -") => drop(fields.remove(at)),
            Some(at) => fields[at] = line,
            None => fields.push(line),
        }
    }
    format!("NRRD0004\n# made by a test\n{}\n\n", fields.join("\n"))
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub fn encode(element: Element, values: &[f64], big_endian: bool) -> Vec<u8> {
    let one = |value: f64| match element {
        Element::U8 => vec![value as u8],
        Element::I8 => (value as i8).to_le_bytes().to_vec(),
        Element::U16 => (value as u16).to_le_bytes().to_vec(),
        Element::I16 => (value as i16).to_le_bytes().to_vec(),
        Element::U32 => (value as u32).to_le_bytes().to_vec(),
        Element::I32 => (value as i32).to_le_bytes().to_vec(),
        Element::U64 => (value as u64).to_le_bytes().to_vec(),
        Element::I64 => (value as i64).to_le_bytes().to_vec(),
        Element::F32 => (value as f32).to_le_bytes().to_vec(),
        Element::F64 => value.to_le_bytes().to_vec(),
    };
    let order = |mut bytes: Vec<u8>| {
        if big_endian {
            bytes.reverse();
        }
        bytes
    };
    values.iter().flat_map(|&value| order(one(value))).collect()
}

/// An image of the radiomics references, which the caller knows to be there.
pub fn reference_image(path: &str) -> Image {
    image(&reference_bytes(path))
}

/// A mask of the radiomics references, which the caller knows to be there.
pub fn reference_mask(path: &str) -> Mask {
    mask(&reference_bytes(path))
}

fn reference_bytes(path: &str) -> Vec<u8> {
    let path = osteon_testing::shared("reference/radiomics").expect("the caller asked").join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
