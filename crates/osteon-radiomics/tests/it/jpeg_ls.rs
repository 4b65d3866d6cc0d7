//! JPEG-LS planes against CharLS: streams coded and decoded by it, of synthetic planes (`fixtures/dicom/charls_streams.py`).

use dicom_core::value::{PixelFragmentSequence, Value};
use dicom_core::{DataElement, VR};
use dicom_dictionary_std::{tags, uids};
use osteon_radiomics::read::Limits;
use osteon_radiomics::read::dicom::{Instance, scan};
use osteon_testing::{fixture, json};
use sha2::{Digest, Sha256};

use crate::dicom_files::{self, Slice, number};

fn bytes_of(hexadecimal: &str) -> Vec<u8> {
    (0..hexadecimal.len()).step_by(2).map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap()).collect()
}

/// A slice of that size whose voxels are one JPEG-LS stream.
fn slice(rows: u16, columns: u16, bits: u16, syntax: &str, stream: Vec<u8>) -> Vec<u8> {
    let allocated = if bits > 8 { 16 } else { 8 };
    let more = vec![
        number(tags::BITS_ALLOCATED, allocated),
        number(tags::BITS_STORED, bits),
        number(tags::HIGH_BIT, bits - 1),
    ];
    let mut elements = Slice { rows, columns, more, ..Slice::at(0.0) }.elements();
    let fragments = PixelFragmentSequence::new(vec![], vec![stream]);
    elements.push(DataElement::new(tags::PIXEL_DATA, VR::OB, Value::PixelSequence(fragments)));
    dicom_files::file(elements, syntax)
}

/// The fixed cases; `OSTEON_JPEG_LS` names a file of others.
#[test]
fn streams_decode_to_the_samples_of_charls() {
    let cases = std::env::var_os("OSTEON_JPEG_LS").map_or_else(|| fixture("dicom/jpeg_ls.json"), Into::into);
    let mut wrong = Vec::new();
    for case in json(&cases).as_array().unwrap() {
        let size = |key: &str| case[key].as_u64().unwrap() as u16;
        let stream = bytes_of(case["stream"].as_str().unwrap());
        let syntax = if size("near") == 0 { uids::JPEGLS_LOSSLESS } else { uids::JPEGLS_NEAR_LOSSLESS };
        let file = slice(size("rows"), size("columns"), size("bits"), syntax, stream);
        let instance = Instance { name: "file.dcm".to_owned(), bytes: &file };
        let told = match scan(&[instance], None, &Limits::default()) {
            Err(cause) => cause.to_string(),
            Ok(found) => {
                let words = found.image.volume.as_slice().iter().flat_map(|&value| (value as u16).to_le_bytes());
                let sum = Sha256::digest(words.collect::<Vec<u8>>());
                sum.iter().map(|byte| format!("{byte:02x}")).collect()
            }
        };
        if case["sha256"] != told[..] {
            wrong.push(format!("{}: {told}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
