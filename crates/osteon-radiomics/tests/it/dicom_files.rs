//! Small DICOM files made in memory, so that no file of a patient is ever needed.

use dicom_core::value::{DataSetSequence, PrimitiveValue, Value};
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

pub const CANARY: &str = "CANARY^NAME";

pub fn text(tag: Tag, vr: VR, value: &str) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, vr, PrimitiveValue::from(value))
}

pub fn number(tag: Tag, value: u16) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, VR::US, PrimitiveValue::from(value))
}

pub fn decimals(tag: Tag, values: &[f64]) -> DataElement<InMemDicomObject> {
    text(tag, VR::DS, &values.iter().map(f64::to_string).collect::<Vec<_>>().join("\\"))
}

pub fn sequence(tag: Tag, items: Vec<Vec<DataElement<InMemDicomObject>>>) -> DataElement<InMemDicomObject> {
    let items: Vec<_> = items.into_iter().map(InMemDicomObject::from_element_iter).collect();
    DataElement::new(tag, VR::SQ, Value::from(DataSetSequence::from(items)))
}

/// Patient fields that must never come out again.
fn patient() -> Vec<DataElement<InMemDicomObject>> {
    vec![
        text(tags::PATIENT_NAME, VR::PN, CANARY),
        text(tags::PATIENT_ID, VR::LO, CANARY),
        text(tags::PATIENT_BIRTH_DATE, VR::DA, "19990131"),
        text(tags::STUDY_DATE, VR::DA, "20010902"),
        text(tags::STUDY_DESCRIPTION, VR::LO, CANARY),
    ]
}

/// A data set as a file in a transfer syntax.
pub fn file(elements: Vec<DataElement<InMemDicomObject>>, transfer_syntax: &str) -> Vec<u8> {
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(transfer_syntax)
        .media_storage_sop_class_uid(uids::MR_IMAGE_STORAGE)
        .media_storage_sop_instance_uid("1.2.3");
    let object = InMemDicomObject::from_element_iter(patient().into_iter().chain(elements)).with_meta(meta).unwrap();
    let mut bytes = Vec::new();
    object.write_all(&mut bytes).unwrap();
    bytes
}

/// One slice of 3 columns and 2 rows; change what a test is about.
#[derive(Clone)]
pub struct Slice {
    pub series: &'static str,
    pub description: &'static str,
    pub position_mm: [f64; 3],
    pub orientation: [f64; 6],
    pub rows: u16,
    pub columns: u16,
    pub spacing_mm: [f64; 2],
    pub pixels: Vec<u16>,
    pub slope: f64,
    pub intercept: f64,
    pub transfer_syntax: &'static str,
    pub more: Vec<DataElement<InMemDicomObject>>,
}

impl Slice {
    pub fn at(z_mm: f64) -> Slice {
        let first = (z_mm * 10.0) as u16;
        Slice {
            series: "1.2.3.4",
            description: "T2 FS",
            position_mm: [-10.0, 20.0, z_mm],
            orientation: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            rows: 2,
            columns: 3,
            spacing_mm: [0.5, 0.75],
            pixels: (first..first + 6).collect(),
            slope: 1.0,
            intercept: 0.0,
            transfer_syntax: uids::EXPLICIT_VR_LITTLE_ENDIAN,
            more: Vec::new(),
        }
    }

    pub fn elements(&self) -> Vec<DataElement<InMemDicomObject>> {
        let mut elements = vec![
            text(tags::MODALITY, VR::CS, "MR"),
            text(tags::SERIES_INSTANCE_UID, VR::UI, self.series),
            text(tags::SERIES_DESCRIPTION, VR::LO, self.description),
            text(tags::MANUFACTURER_MODEL_NAME, VR::LO, "Trio"),
            decimals(tags::REPETITION_TIME, &[2000.0]),
            decimals(tags::ECHO_TIME, &[90.0]),
            decimals(tags::SLICE_THICKNESS, &[5.0]),
            decimals(tags::MAGNETIC_FIELD_STRENGTH, &[1.5]),
            text(tags::SCAN_OPTIONS, VR::CS, "FS"),
            decimals(tags::IMAGE_POSITION_PATIENT, &self.position_mm),
            decimals(tags::IMAGE_ORIENTATION_PATIENT, &self.orientation),
            number(tags::SAMPLES_PER_PIXEL, 1),
            text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
            number(tags::ROWS, self.rows),
            number(tags::COLUMNS, self.columns),
            decimals(tags::PIXEL_SPACING, &self.spacing_mm),
            number(tags::BITS_ALLOCATED, 16),
            number(tags::BITS_STORED, 16),
            number(tags::HIGH_BIT, 15),
            number(tags::PIXEL_REPRESENTATION, 0),
            decimals(tags::RESCALE_SLOPE, &[self.slope]),
            decimals(tags::RESCALE_INTERCEPT, &[self.intercept]),
            DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(self.pixels.clone().into())),
        ];
        elements.extend(self.more.clone());
        elements
    }

    pub fn bytes(&self) -> Vec<u8> {
        file(self.elements(), self.transfer_syntax)
    }
}

/// An RTSTRUCT with named structures, each a list of contours of x, y, z points.
pub fn structure_set(structures: &[(&str, &[&[[f64; 3]]])]) -> Vec<u8> {
    let named = structures
        .iter()
        .enumerate()
        .map(|(n, (name, _))| vec![text(tags::ROI_NUMBER, VR::IS, &n.to_string()), text(tags::ROI_NAME, VR::LO, name)]);
    let contour = |points: &&[[f64; 3]]| {
        vec![
            text(tags::CONTOUR_GEOMETRIC_TYPE, VR::CS, "CLOSED_PLANAR"),
            decimals(tags::CONTOUR_DATA, points.as_flattened()),
        ]
    };
    let drawn = structures.iter().enumerate().map(|(n, (_, contours))| {
        vec![
            sequence(tags::CONTOUR_SEQUENCE, contours.iter().map(contour).collect()),
            text(tags::REFERENCED_ROI_NUMBER, VR::IS, &n.to_string()),
        ]
    });
    let elements = vec![
        text(tags::MODALITY, VR::CS, "RTSTRUCT"),
        sequence(tags::STRUCTURE_SET_ROI_SEQUENCE, named.collect()),
        sequence(tags::ROI_CONTOUR_SEQUENCE, drawn.collect()),
    ];
    file(elements, uids::IMPLICIT_VR_LITTLE_ENDIAN)
}

/// A binary SEG of two segments on the grid of `Slice`: one frame for each (segment, position, pixels).
pub fn segmentation(frames: &[(u16, [f64; 3], [bool; 6])]) -> Vec<u8> {
    let segment = |n: u16, label| vec![number(tags::SEGMENT_NUMBER, n), text(tags::SEGMENT_LABEL, VR::LO, label)];
    let frame = |(n, position, _): &(u16, [f64; 3], [bool; 6])| {
        vec![
            sequence(tags::SEGMENT_IDENTIFICATION_SEQUENCE, vec![vec![number(tags::REFERENCED_SEGMENT_NUMBER, *n)]]),
            sequence(tags::PLANE_POSITION_SEQUENCE, vec![vec![decimals(tags::IMAGE_POSITION_PATIENT, position)]]),
        ]
    };
    let mut packed = vec![0u8; (frames.len() * 6).div_ceil(8).next_multiple_of(2)];
    for (at, _) in frames.iter().flat_map(|(_, _, pixels)| pixels).enumerate().filter(|(_, inside)| **inside) {
        packed[at / 8] |= 1 << (at % 8);
    }
    let shared = vec![
        sequence(tags::PIXEL_MEASURES_SEQUENCE, vec![vec![decimals(tags::PIXEL_SPACING, &[0.5, 0.75])]]),
        sequence(
            tags::PLANE_ORIENTATION_SEQUENCE,
            vec![vec![decimals(tags::IMAGE_ORIENTATION_PATIENT, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0])]],
        ),
    ];
    let elements = vec![
        text(tags::MODALITY, VR::CS, "SEG"),
        number(tags::ROWS, 2),
        number(tags::COLUMNS, 3),
        number(tags::BITS_ALLOCATED, 1),
        text(tags::NUMBER_OF_FRAMES, VR::IS, &frames.len().to_string()),
        sequence(tags::SEGMENT_SEQUENCE, vec![segment(1, "tumour"), segment(2, "oedema")]),
        sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]),
        sequence(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, frames.iter().map(frame).collect()),
        DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(packed.into())),
    ];
    file(elements, uids::EXPLICIT_VR_LITTLE_ENDIAN)
}

/// An enhanced image: the slices as frames of one file.
pub fn enhanced(slices: &[Slice]) -> Vec<u8> {
    let frame = |slice: &Slice| {
        vec![sequence(
            tags::PLANE_POSITION_SEQUENCE,
            vec![vec![decimals(tags::IMAGE_POSITION_PATIENT, &slice.position_mm)]],
        )]
    };
    let first = &slices[0];
    let shared = vec![
        sequence(tags::PIXEL_MEASURES_SEQUENCE, vec![vec![decimals(tags::PIXEL_SPACING, &first.spacing_mm)]]),
        sequence(
            tags::PLANE_ORIENTATION_SEQUENCE,
            vec![vec![decimals(tags::IMAGE_ORIENTATION_PATIENT, &first.orientation)]],
        ),
        sequence(
            tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
            vec![vec![decimals(tags::RESCALE_SLOPE, &[2.0]), decimals(tags::RESCALE_INTERCEPT, &[-1.0])]],
        ),
    ];
    let pixels: Vec<u16> = slices.iter().flat_map(|slice| slice.pixels.clone()).collect();
    let mut elements = first.elements();
    let replaced = [tags::IMAGE_POSITION_PATIENT, tags::IMAGE_ORIENTATION_PATIENT, tags::PIXEL_SPACING];
    elements.retain(|element| {
        let tag = dicom_core::header::Header::tag(element);
        !replaced.contains(&tag)
    });
    elements.extend([
        text(tags::NUMBER_OF_FRAMES, VR::IS, &slices.len().to_string()),
        sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]),
        sequence(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, slices.iter().map(frame).collect()),
        DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(pixels.into())),
    ]);
    file(elements, uids::EXPLICIT_VR_LITTLE_ENDIAN)
}

/// A file whose one element opens `depth` nested sequences.
pub fn nested(depth: usize) -> Vec<u8> {
    let whole = Slice::at(0.0).bytes();
    let mut bytes = whole[..whole.len() - Slice::at(0.0).pixels.len() * 2 - 12].to_vec();
    for _ in 0..depth {
        bytes.extend([0x20, 0x00, 0x11, 0x90]);
        bytes.extend(b"SQ\0\0");
        bytes.extend([0xff; 4]);
        bytes.extend([0xfe, 0xff, 0x00, 0xe0]);
        bytes.extend([0xff; 4]);
    }
    bytes
}

/// A plain file with its data set deflated, `zeros` megabytes of zeros appended to it.
pub fn deflated(plain: &[u8], zeros: usize) -> Vec<u8> {
    use std::io::Write;
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::MR_IMAGE_STORAGE)
        .media_storage_sop_instance_uid("1.2.3")
        .build()
        .unwrap();
    let mut bytes = plain[..132].to_vec();
    meta.write(&mut bytes).unwrap();
    // The first meta element tells how long the others are.
    let length = u32::from_le_bytes(plain[140..144].try_into().unwrap()) as usize;
    let mut encoder = flate2::write::DeflateEncoder::new(bytes, flate2::Compression::best());
    encoder.write_all(&plain[144 + length..]).unwrap();
    let megabyte = vec![0u8; 1 << 20];
    for _ in 0..zeros {
        encoder.write_all(&megabyte).unwrap();
    }
    encoder.finish().unwrap()
}

/// The RLE segments of 16-bit pixels (PS3.5, annex G): the high bytes, then the low ones, as literal runs.
pub fn rle(slice: &Slice) -> Vec<u8> {
    let literal = |bytes: Vec<u8>| -> Vec<u8> {
        let mut run: Vec<u8> = bytes.chunks(128).flat_map(|c| [&[c.len() as u8 - 1], c].concat()).collect();
        run.resize(run.len().next_multiple_of(2), 0);
        run
    };
    let high = literal(slice.pixels.iter().map(|pixel| (pixel >> 8) as u8).collect());
    let low = literal(slice.pixels.iter().map(|pixel| *pixel as u8).collect());
    let mut fragment = Vec::new();
    for word in [2u32, 64, 64 + high.len() as u32].into_iter().chain([0; 13]) {
        fragment.extend(word.to_le_bytes());
    }
    fragment.extend(high);
    fragment.extend(low);
    let mut elements = slice.elements();
    let fragments = dicom_core::value::PixelFragmentSequence::new(vec![], vec![fragment]);
    elements.push(DataElement::new(tags::PIXEL_DATA, VR::OB, Value::PixelSequence(fragments)));
    file(elements, uids::RLE_LOSSLESS)
}

/// A zip archive of deflated files (PKWARE's APPNOTE, 4.3).
#[allow(dead_code, reason = "the program's tests use it")]
pub fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write;
    let (mut archive, mut list) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        let deflated = encoder.finish().unwrap();
        let at = archive.len() as u32;
        // Version, flags, method 8, time, date, sum, sizes, length of the name, of what is extra.
        let mut fields: Vec<u8> = [20u16, 0, 8, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut sum = flate2::Crc::new();
        sum.update(content);
        fields.extend(sum.sum().to_le_bytes());
        fields.extend((deflated.len() as u32).to_le_bytes());
        fields.extend((content.len() as u32).to_le_bytes());
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend([0; 2]);
        archive.extend([b"PK\x03\x04", &fields[..], name.as_bytes(), &deflated].concat());
        let place = [&[0; 10][..], &at.to_le_bytes()].concat();
        list.extend([b"PK\x01\x02\x14\x00", &fields[..], &place, name.as_bytes()].concat());
    }
    let (start, count) = (archive.len() as u32, files.len() as u16);
    archive.extend(&list);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    archive.extend((list.len() as u32).to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0; 2]);
    archive
}

/// The file with another first field after its group length: a text that claims three gigabytes.
pub fn claiming_meta(whole: &[u8]) -> Vec<u8> {
    let field = [&b"\x02\x00\x02\x00UT\x00\x00"[..], &0xC000_0000_u32.to_le_bytes(), b"1.2"].concat();
    [&whole[..144], &field, &whole[144..]].concat()
}
