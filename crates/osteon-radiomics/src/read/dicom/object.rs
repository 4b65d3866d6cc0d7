//! One DICOM file as fields that can be asked for, opened without trusting it.

use std::io::Read;

use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{DefaultDicomObject, FileMetaTableBuilder, InMemDicomObject};
use dicom_parser::dataset::DataToken;
use dicom_parser::dataset::read::DataSetReader;
use dicom_transfer_syntax_registry::entries::EXPLICIT_VR_LITTLE_ENDIAN;

use dicom_transfer_syntax_registry::{TransferSyntax, TransferSyntaxIndex, TransferSyntaxRegistry};
use flate2::read::DeflateDecoder;

use crate::read::Limits;
use crate::read::dicom::{DicomError, Instance, meta};

/// Sequences nested deeper are refused: real files stay below ten levels, and the parser's stack is not endless.
pub const MAX_DEPTH: usize = 32;

const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// Images shrink ten times, empty ones fifty; what shrinks more, beyond some megabytes, is made to fill memory.
pub const MOST_RATIO: u64 = 100;
const ALWAYS: u64 = 64 << 20;

/// An opened file; `name` is for messages only.
pub struct File {
    pub name: String,
    pub object: DefaultDicomObject,
}

/// A data set: a file's own, or an item of a sequence in it.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    name: &'a str,
    object: &'a InMemDicomObject,
}

/// Parses a file; no more than the limit is inflated, no deeper than `MAX_DEPTH` is followed.
pub fn open(instance: &Instance, limits: &Limits) -> Result<File, DicomError> {
    let name = || instance.name.clone();
    let syntax = |cause: String| DicomError::Syntax { name: instance.name.clone(), cause };
    let start = meta::read(instance.bytes).map_err(syntax)?;
    // The table wants a class and an instance; nothing here reads them.
    let stated = |uid: String| if uid.is_empty() { "2.25.0".to_owned() } else { uid };
    let mut meta = FileMetaTableBuilder::new()
        .transfer_syntax(start.transfer_syntax)
        .media_storage_sop_class_uid(stated(start.class))
        .media_storage_sop_instance_uid(stated(start.instance))
        .build()
        .map_err(|cause| syntax(one_line(&cause)))?;
    let data_set = &instance.bytes[start.data_set..];
    let inflated;
    let data_set = if meta.transfer_syntax().trim_end_matches('\0') == DEFLATED {
        inflated = inflate(data_set, limits).map_err(|cause| match cause {
            None => DicomError::TooLarge { bytes: u128::from(limits.max_bytes) + 1, limit: limits.max_bytes },
            Some(cause) => syntax(cause),
        })?;
        meta.transfer_syntax = EXPLICIT_VR_LITTLE_ENDIAN.uid().to_owned();
        &inflated[..]
    } else {
        data_set
    };
    let transfer_syntax = TransferSyntaxRegistry.get(meta.transfer_syntax()).ok_or_else(|| {
        DicomError::TransferSyntax { name: name(), uid: osteon_base::text::clean(meta.transfer_syntax()).into_owned() }
    })?;
    let is_explicit =
        !matches!(meta.transfer_syntax().trim_end_matches('\0'), uids::IMPLICIT_VR_LITTLE_ENDIAN | meta::BIG_ENDIAN);
    let data_set = if is_explicit { meta::known_lengths(data_set) } else { data_set.into() };
    check_tokens(&data_set, transfer_syntax, &instance.name)?;
    let object = InMemDicomObject::read_dataset_with_ts(&data_set[..], transfer_syntax)
        .map_err(|cause| syntax(one_line(&cause)))?
        .with_exact_meta(meta);
    Ok(File { name: name(), object })
}

/// Walks over the data set before anything is built from it: no sequence too deep, no field longer than the file.
fn check_tokens(data_set: &[u8], transfer_syntax: &TransferSyntax, name: &str) -> Result<(), DicomError> {
    let syntax = |cause: String| DicomError::Syntax { name: name.to_owned(), cause };
    let tokens = DataSetReader::new_with_ts(data_set, transfer_syntax).map_err(|cause| syntax(one_line(&cause)))?;
    let mut depth = 0usize;
    for token in tokens {
        let length = match token.map_err(|cause| syntax(one_line(&cause)))? {
            DataToken::SequenceStart { len, .. } => {
                depth += 1;
                len
            }
            DataToken::SequenceEnd => {
                depth = depth.saturating_sub(1);
                continue;
            }
            DataToken::PixelSequenceStart => {
                depth += 1;
                continue;
            }
            DataToken::ElementHeader(header) => header.len,
            DataToken::ItemStart { len } => len,
            _ => continue,
        };
        if depth > MAX_DEPTH {
            return Err(DicomError::Nested { name: name.to_owned() });
        }
        if let Some(bytes) = length.get().filter(|&bytes| bytes as usize > data_set.len()) {
            return Err(syntax(format!("a field of {bytes} bytes in {} bytes of data", data_set.len())));
        }
    }
    Ok(())
}

/// `Err(None)` when the content is larger than the limit.
fn inflate(deflated: &[u8], limits: &Limits) -> Result<Vec<u8>, Option<String>> {
    let mut content = Vec::new();
    let cap = limits.max_bytes.min((deflated.len() as u64).saturating_mul(MOST_RATIO).max(ALWAYS)).saturating_add(1);
    DeflateDecoder::new(deflated).take(cap).read_to_end(&mut content).map_err(|cause| Some(cause.to_string()))?;
    if content.len() as u64 == cap { Err(None) } else { Ok(content) }
}

/// A parser's message and its causes on one line, and what to do about a file that was cut short. They name tags and
/// positions, never values.
fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    // The parser's own words for an end that came too early.
    if ["failed to fill whole buffer", "unexpected end of file"].iter().any(|end| text.contains(end)) {
        text.push_str("; the file was cut short: fetch it again from the archive");
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl File {
    pub fn fields(&self) -> Fields<'_> {
        Fields { name: &self.name, object: &self.object }
    }

    pub fn text(&self, tag: Tag) -> Option<String> {
        self.fields().text(tag)
    }
}

impl<'a> Fields<'a> {
    fn element(&self, tag: Tag) -> Option<&'a DataElement<InMemDicomObject>> {
        self.object.get(tag).filter(|element| element.vr() != VR::SQ)
    }

    /// The text of a field, cleaned; `None` when absent or empty.
    pub fn text(&self, tag: Tag) -> Option<String> {
        let element = self.element(tag)?;
        let stored = match (element.vr(), element.to_bytes()) {
            // An archive that did not know the field kept its bytes.
            (VR::UN, Ok(bytes)) => String::from_utf8_lossy(&bytes).into_owned().into(),
            _ => element.to_str().ok()?,
        };
        let text = osteon_base::text::clean(stored.trim_matches(['\0', ' ']));
        (!text.is_empty()).then(|| text.into_owned())
    }

    /// The finite numbers of a field; `None` when absent, empty or no numbers.
    pub fn numbers(&self, tag: Tag) -> Option<Vec<f64>> {
        let element = self.element(tag)?;
        let numbers = match element.vr() {
            VR::UN => self.text(tag)?.split('\\').map(|part| part.trim().parse().ok()).collect::<Option<Vec<f64>>>()?,
            _ => element.to_multi_float64().ok()?,
        };
        (!numbers.is_empty() && numbers.iter().all(|number| number.is_finite())).then_some(numbers)
    }

    /// The first number of a field.
    pub fn number(&self, tag: Tag) -> Option<f64> {
        Some(self.numbers(tag)?[0])
    }

    /// A field of exactly `N` numbers; `field` is its name in messages.
    pub fn exactly<const N: usize>(&self, tag: Tag, field: &'static str) -> Result<[f64; N], DicomError> {
        let found = self.numbers(tag).unwrap_or_default();
        let told = || if found.is_empty() { "absent or no number".to_owned() } else { format!("{found:?}") };
        found[..].try_into().map_err(|_| self.wrong(field, told(), "finite numbers, one each"))
    }

    /// A whole number from 1 to the largest 16-bit number.
    pub fn size(&self, tag: Tag, field: &'static str) -> Result<usize, DicomError> {
        match self.number(tag) {
            Some(size) if (1.0..=65535.0).contains(&size) && size.fract() == 0.0 => Ok(size as usize),
            found => Err(self.wrong(field, found.map_or("absent".to_owned(), |n| n.to_string()), "1 to 65535")),
        }
    }

    /// The items of a sequence; none when it is absent.
    pub fn items(&self, tag: Tag) -> impl Iterator<Item = Fields<'a>> + use<'a> {
        let name = self.name;
        let items = self.object.get(tag).and_then(|element| element.items()).unwrap_or_default();
        items.iter().map(move |object| Fields { name, object })
    }

    /// The bytes of an uncompressed field.
    pub fn bytes(&self, tag: Tag) -> Option<std::borrow::Cow<'a, [u8]>> {
        self.element(tag)?.to_bytes().ok()
    }

    pub fn wrong(&self, field: &'static str, found: String, expected: &'static str) -> DicomError {
        DicomError::Field { name: self.name.to_owned(), field, found, expected }
    }

    /// Position of voxel (0, 0) of a plane, physical x, y, z in mm.
    pub fn position_mm(&self) -> Result<[f64; 3], DicomError> {
        self.exactly(tags::IMAGE_POSITION_PATIENT, "ImagePositionPatient")
    }

    /// Unit vectors along which the column number and the row number grow; they are checked to be at right angles.
    pub fn orientation(&self) -> Result<([f64; 3], [f64; 3]), DicomError> {
        let six: [f64; 6] = self.exactly(tags::IMAGE_ORIENTATION_PATIENT, "ImageOrientationPatient")?;
        let [along_x, along_y] = [[six[0], six[1], six[2]], [six[3], six[4], six[5]]];
        let dot = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).map(|(p, q)| p * q).sum::<f64>();
        // Decimal strings of 16 characters carry a direction to better than 1e-3.
        let unit = |v: [f64; 3]| (dot(v, v) - 1.0).abs() <= 1e-3;
        if !unit(along_x) || !unit(along_y) || dot(along_x, along_y).abs() > 1e-3 {
            return Err(self.wrong("ImageOrientationPatient", format!("{six:?}"), "two unit vectors at right angles"));
        }
        let scaled = |v: [f64; 3]| v.map(|part| part / dot(v, v).sqrt());
        Ok((scaled(along_x), scaled(along_y)))
    }

    /// Distance between rows (y) and between columns (x), in mm.
    pub fn pixel_spacing_mm(&self) -> Result<[f64; 2], DicomError> {
        let spacing: [f64; 2] = self.exactly(tags::PIXEL_SPACING, "PixelSpacing")?;
        if spacing.iter().all(|&mm| mm > 0.0) {
            return Ok(spacing);
        }
        Err(self.wrong("PixelSpacing", format!("{spacing:?}"), "two sizes above 0"))
    }
}
