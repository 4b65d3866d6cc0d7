//! The planes of a file: one of a plain slice, many of an enhanced multi-frame image.

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};
use dicom_pixeldata::PixelDecoder;
use dicom_transfer_syntax_registry::{TransferSyntax, TransferSyntaxIndex, TransferSyntaxRegistry};

use crate::grid::Element;
use crate::read::Limits;
use crate::read::dicom::object::{Fields, File};
use crate::read::dicom::{DicomError, codestream, jpeg_ls, run_length};

/// One plane: where it lies, and its intensities, rows x columns.
#[derive(Clone, Debug)]
pub struct Plane {
    pub name: String,
    pub position_mm: [f64; 3],
    /// Unit vectors along which the column and the row number grow.
    pub along: ([f64; 3], [f64; 3]),
    /// Between rows, between columns.
    pub spacing_mm: [f64; 2],
    pub rows: usize,
    pub columns: usize,
    /// Distance to the next slice as the file says it, for a stack of one.
    pub thickness_mm: Option<f64>,
    /// Distance between slices as the file says it.
    pub stated_gap_mm: Option<f64>,
    /// MONOCHROME2, or MONOCHROME1, whose low values are shown bright.
    pub photometric: String,
    /// Whether a table says what stored numbers mean.
    pub has_modality_lut: bool,
    pub element: Element,
    pub values: Vec<f64>,
}

/// How stored numbers become intensities, and where one plane lies.
struct Place {
    position_mm: [f64; 3],
    along: ([f64; 3], [f64; 3]),
    spacing_mm: [f64; 2],
    thickness_mm: Option<f64>,
    stated_gap_mm: Option<f64>,
    slope: f64,
    intercept: f64,
}

/// Siemens' number of slices side by side in one plane.
const IMAGES_IN_MOSAIC: Tag = Tag(0x0019, 0x100a);

/// All planes of a file, intensities rescaled.
pub fn planes(file: &File, limits: &Limits) -> Result<Vec<Plane>, DicomError> {
    let fields = file.fields();
    let is_siemens = fields.text(tags::MANUFACTURER).is_some_and(|maker| maker.to_lowercase().contains("siemens"));
    let has_tiles = is_siemens && fields.number(IMAGES_IN_MOSAIC).is_some_and(|n| n > 1.0);
    let is_named =
        fields.text(tags::IMAGE_TYPE).is_some_and(|kind| kind.split('\\').any(|part| part.trim() == "MOSAIC"));
    if is_named || has_tiles {
        return Err(DicomError::Mosaic { name: file.name.clone() });
    }
    let rows = fields.size(tags::ROWS, "Rows")?;
    let columns = fields.size(tags::COLUMNS, "Columns")?;
    let places = places(&fields)?;
    let photometric = fields.text(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_else(|| "MONOCHROME2".to_owned());
    let has_modality_lut = fields.items(tags::MODALITY_LUT_SEQUENCE).next().is_some();
    let (stored, element) = stored(file, [rows, columns], places.len(), limits)?;
    let name = |at: usize| match places.len() {
        1 => file.name.clone(),
        _ => format!("{}, frame {}", file.name, at + 1),
    };
    let plane = |(at, (place, stored)): (usize, (&Place, &[f64]))| Plane {
        name: name(at),
        position_mm: place.position_mm,
        along: place.along,
        spacing_mm: place.spacing_mm,
        rows,
        columns,
        thickness_mm: place.thickness_mm,
        stated_gap_mm: place.stated_gap_mm,
        photometric: photometric.clone(),
        has_modality_lut,
        element: rescaled(element, place),
        values: stored.iter().map(|value| value * place.slope + place.intercept).collect(),
    };
    Ok(places.iter().zip(stored.chunks_exact(rows * columns)).enumerate().map(plane).collect())
}

/// Whole numbers stay whole numbers when slope and intercept are: GDCM's rule, as ITK reads DICOM.
fn rescaled(element: Element, place: &Place) -> Element {
    match (place.slope, place.intercept) {
        (1.0, 0.0) => element,
        (slope, intercept) if slope.fract() == 0.0 && intercept.fract() == 0.0 => Element::I32,
        _ => Element::F64,
    }
}

/// A plain slice is described by its own fields, an enhanced image by functional groups: each frame's own before
/// those that all frames share.
fn places(fields: &Fields) -> Result<Vec<Place>, DicomError> {
    let frames: Vec<Fields> = fields.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).collect();
    if frames.is_empty() {
        return Ok(vec![place(fields, |_| *fields)?]);
    }
    let shared = fields.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).next();
    let of_frame = |frame: &Fields<'_>| {
        let frame = *frame;
        let group = move |group: Tag| {
            let in_shared = || shared.and_then(|shared| shared.items(group).next());
            frame.items(group).next().or_else(in_shared).unwrap_or(*fields)
        };
        place(fields, group)
    };
    frames.iter().map(of_frame).collect()
}

fn place<'a>(file: &Fields<'a>, group: impl Fn(Tag) -> Fields<'a>) -> Result<Place, DicomError> {
    let measures = group(tags::PIXEL_MEASURES_SEQUENCE);
    let rescale = group(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE);
    let slope = rescale.number(tags::RESCALE_SLOPE).unwrap_or(1.0);
    if slope == 0.0 {
        return Err(file.wrong("RescaleSlope", "0".to_owned(), "a number that is not 0"));
    }
    let thickness = |tag| measures.number(tag).filter(|&mm| mm > 0.0);
    Ok(Place {
        position_mm: group(tags::PLANE_POSITION_SEQUENCE).position_mm()?,
        along: group(tags::PLANE_ORIENTATION_SEQUENCE).orientation()?,
        spacing_mm: measures.pixel_spacing_mm()?,
        thickness_mm: thickness(tags::SPACING_BETWEEN_SLICES).or_else(|| thickness(tags::SLICE_THICKNESS)),
        stated_gap_mm: thickness(tags::SPACING_BETWEEN_SLICES),
        slope,
        intercept: rescale.number(tags::RESCALE_INTERCEPT).unwrap_or(0.0),
    })
}

/// The stored numbers of all planes, one after the other, and their type.
fn stored(
    file: &File,
    [rows, columns]: [usize; 2],
    planes: usize,
    limits: &Limits,
) -> Result<(Vec<f64>, Element), DicomError> {
    let fields = file.fields();
    let frames = fields.number(tags::NUMBER_OF_FRAMES).unwrap_or(1.0);
    if frames != planes as f64 {
        return Err(fields.wrong("NumberOfFrames", frames.to_string(), "one position for each frame"));
    }
    if fields.number(tags::SAMPLES_PER_PIXEL).unwrap_or(1.0) != 1.0 {
        return Err(fields.wrong("SamplesPerPixel", "more than 1".to_owned(), "1: gray levels, not colors"));
    }
    let is_grey = |found: &String| matches!(found.as_str(), "MONOCHROME1" | "MONOCHROME2");
    if let Some(found) = fields.text(tags::PHOTOMETRIC_INTERPRETATION).filter(|found| !is_grey(found)) {
        return Err(fields.wrong("PhotometricInterpretation", found, "MONOCHROME1 or MONOCHROME2, gray levels"));
    }
    has_pixels(file)?;
    let pixel = Pixel::read(&fields)?;
    let voxels = rows * columns * planes;
    let bytes = voxels as u128 * size_of::<f64>() as u128;
    if bytes > u128::from(limits.max_bytes) {
        return Err(DicomError::TooLarge { bytes, limit: limits.max_bytes });
    }
    let expected = voxels * pixel.width;
    let raw = match fields.bytes(tags::PIXEL_DATA) {
        Some(raw) => raw,
        None => decoded(file, [rows, columns, planes], pixel.width)?.into(),
    };
    // A field has an even number of bytes, and some writers fill up blocks: nothing but zeros may follow.
    if raw.get(expected..).is_none_or(|rest| rest.iter().any(|&byte| byte != 0)) {
        return Err(DicomError::Pixels { name: file.name.clone(), found: raw.len(), expected });
    }
    Ok((raw[..expected].chunks_exact(pixel.width).map(|bytes| pixel.value(bytes)).collect(), pixel.element()))
}

/// The stored numbers of a segmentation's frames: single bits, lowest first, without gaps between frames; or words.
pub fn numbers(file: &File, [rows, columns, frames]: [usize; 3], limits: &Limits) -> Result<Vec<f64>, DicomError> {
    let fields = file.fields();
    let pixels = rows * columns * frames;
    let bytes = pixels as u128 * size_of::<f64>() as u128;
    if bytes > u128::from(limits.max_bytes) {
        return Err(DicomError::TooLarge { bytes, limit: limits.max_bytes });
    }
    let allocated = fields.size(tags::BITS_ALLOCATED, "BitsAllocated")?;
    let width = match allocated {
        1 | 8 => 1,
        16 => 2,
        _ => return Err(fields.wrong("BitsAllocated", allocated.to_string(), "1, 8 or 16")),
    };
    has_pixels(file)?;
    let uid = || osteon_base::text::clean(file.object.meta().transfer_syntax()).into_owned();
    let raw = match fields.bytes(tags::PIXEL_DATA) {
        Some(raw) => raw,
        None if allocated == 1 => return Err(DicomError::TransferSyntax { name: file.name.clone(), uid: uid() }),
        None => decoded(file, [rows, columns, frames], width)?.into(),
    };
    let expected = if allocated == 1 { pixels.div_ceil(8) } else { pixels * width };
    if raw.len() != expected && raw.len() != expected + expected % 2 {
        return Err(DicomError::Pixels { name: file.name.clone(), found: raw.len(), expected });
    }
    Ok(match allocated {
        1 => (0..pixels).map(|at| f64::from(raw[at / 8] >> (at % 8) & 1)).collect(),
        8 => raw[..pixels].iter().map(|&byte| f64::from(byte)).collect(),
        _ => raw[..expected].chunks_exact(2).map(|word| f64::from(u16::from_ne_bytes([word[0], word[1]]))).collect(),
    })
}

/// Refuses a file that keeps no voxels, or others than whole numbers.
fn has_pixels(file: &File) -> Result<(), DicomError> {
    let has = |tag: Tag| file.object.element(tag).is_ok();
    let found = match () {
        () if has(tags::PIXEL_DATA) => return Ok(()),
        () if has(tags::FLOAT_PIXEL_DATA) || has(tags::DOUBLE_FLOAT_PIXEL_DATA) => {
            "it has Float Pixel Data, as parametric maps do; save it as NIfTI or NRRD with the program that made it"
        }
        () if has(tags::PIXEL_DATA_PROVIDER_URL) => "it names a server that keeps it; fetch the file with its voxels",
        () => "fetch the file again from the archive, or leave it out of the folder",
    };
    Err(DicomError::NoPixels { name: file.name.clone(), found })
}

/// The bytes of compressed planes, by the decoders of `dicom-pixeldata`, which trust what the planes say of themselves.
fn decoded(file: &File, [rows, columns, planes]: [usize; 3], width: usize) -> Result<Vec<u8>, DicomError> {
    let uid = file.object.meta().transfer_syntax().trim_end_matches('\0');
    let refused = || DicomError::TransferSyntax { name: file.name.clone(), uid: uid.to_owned() };
    let voxels = file.object.element(tags::PIXEL_DATA).map_err(|_| refused())?;
    let is_jpeg_ls = matches!(uid, uids::JPEGLS_LOSSLESS | uids::JPEGLS_NEAR_LOSSLESS);
    if !is_jpeg_ls && !TransferSyntaxRegistry.get(uid).is_some_and(TransferSyntax::can_decode_all) {
        return Err(refused());
    }
    let fragments = voxels.value().fragments().ok_or_else(refused)?;
    let each = || fragments.iter().map(Vec::as_slice);
    let is_whole = match uid {
        uids::RLE_LOSSLESS => run_length::is_whole(each(), rows * columns, width),
        // A single frame may lie in several fragments.
        _ if planes == 1 => codestream::is_likely([&fragments.concat()[..]], rows, columns),
        _ => codestream::is_likely(each(), rows, columns),
    };
    if !is_whole {
        return Err(DicomError::Compressed { name: file.name.clone() });
    }
    if is_jpeg_ls {
        let streams = if planes == 1 { vec![fragments.concat()] } else { fragments.to_vec() };
        return jpeg_ls(&streams, [rows, columns, planes], width)
            .ok_or_else(|| DicomError::Compressed { name: file.name.clone() });
    }
    Ok(file.object.decode_pixel_data().map_err(|_| refused())?.data().to_vec())
}

/// One stream a plane, to words in this processor's byte order.
fn jpeg_ls(streams: &[Vec<u8>], [rows, columns, planes]: [usize; 3], width: usize) -> Option<Vec<u8>> {
    if streams.len() != planes {
        return None;
    }
    let mut bytes = Vec::with_capacity(planes * rows * columns * width);
    for stream in streams {
        for sample in jpeg_ls::decode(stream, rows, columns)? {
            match width {
                1 => bytes.push(u8::try_from(sample).ok()?),
                2 => bytes.extend(u16::try_from(sample).ok()?.to_ne_bytes()),
                _ => bytes.extend(sample.to_ne_bytes()),
            }
        }
    }
    Some(bytes)
}

/// How one stored number lies in its bytes.
struct Pixel {
    width: usize,
    bits: u32,
    signed: bool,
}

impl Pixel {
    fn read(fields: &Fields) -> Result<Pixel, DicomError> {
        let allocated = fields.size(tags::BITS_ALLOCATED, "BitsAllocated")?;
        if !matches!(allocated, 8 | 16 | 32) {
            return Err(fields.wrong("BitsAllocated", allocated.to_string(), "8, 16 or 32"));
        }
        let bits = fields.size(tags::BITS_STORED, "BitsStored")?;
        if bits > allocated {
            return Err(fields.wrong("BitsStored", bits.to_string(), "at most BitsAllocated"));
        }
        let high = fields.number(tags::HIGH_BIT).unwrap_or(bits as f64 - 1.0);
        if high != bits as f64 - 1.0 {
            return Err(fields.wrong("HighBit", high.to_string(), "BitsStored - 1"));
        }
        let signed = fields.number(tags::PIXEL_REPRESENTATION).unwrap_or(0.0) == 1.0;
        Ok(Pixel { width: allocated / 8, bits: bits as u32, signed })
    }

    /// The bits stored, without what overlays may have left above them. The parser gives words in this
    /// processor's byte order.
    fn value(&self, bytes: &[u8]) -> f64 {
        let word = match *bytes {
            [a] => u32::from(a),
            [a, b] => u32::from(u16::from_ne_bytes([a, b])),
            [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]),
            _ => unreachable!("a width is 1, 2 or 4 bytes"),
        };
        let unused = 32 - self.bits;
        if self.signed { f64::from((word << unused) as i32 >> unused) } else { f64::from(word << unused >> unused) }
    }

    fn element(&self) -> Element {
        match (self.width, self.signed) {
            (1, false) => Element::U8,
            (1, true) => Element::I8,
            (2, false) => Element::U16,
            (2, true) => Element::I16,
            (_, false) => Element::U32,
            (_, true) => Element::I32,
        }
    }
}
