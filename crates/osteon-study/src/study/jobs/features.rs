//! The features of one image and mask, without a study file.

use std::path::PathBuf;

use crate::protocol::Protocol;
use crate::report::values::{Row, Value};
use crate::study::Error;
use crate::study::data::input;
use crate::study::jobs::measure::measure;
use osteon_base::job::Job;
use osteon_radiomics::describe::{self, RegionError};
use osteon_radiomics::diagnose::{self, RegionCheck};
use osteon_radiomics::grid::{Image, Mask};
use osteon_radiomics::read::dicom::Acquisition;
use osteon_radiomics::read::{Label, Reading};
use osteon_radiomics::roi::Roi;

/// What to measure.
#[derive(Clone, Debug)]
pub struct FeaturesRequest {
    pub image: PathBuf,
    pub mask: PathBuf,
    /// Which series of the image's folder or archive, where there are several.
    pub series: Option<String>,
    /// Which structure of contours or a segmentation, where there are several.
    pub structure: Option<String>,
    /// Label of the mask.
    pub label: Label,
    /// Which of the mask's layers, counted from 0; a mask of one layer has no other.
    pub channel: Option<usize>,
    /// None is every region of the protocol.
    pub rois: Vec<Roi>,
    pub protocol: Protocol,
    pub diagnostics: bool,
}

/// What was measured, region by region.
#[derive(Clone, Debug)]
pub struct FeaturesReport {
    pub rows: Vec<Row>,
    /// Regions that could not be measured.
    pub failures: Vec<(Roi, RegionError)>,
    /// What was found and decided while the files were read, one sentence each.
    pub notes: Vec<String>,
}

/// An image and its mask as they were read.
pub(in crate::study) struct Pair {
    pub image: Image,
    pub mask: Mask,
    pub reading: Reading,
    /// Of the image's file and the mask's.
    pub sha256: [String; 2],
    /// What the image says of its scanner; `None` where it is no DICOM.
    pub acquisition: Option<Acquisition>,
}

/// Reads the image and the mask of a request.
pub(in crate::study) fn read_pair(request: &FeaturesRequest) -> Result<Pair, Error> {
    let FeaturesRequest { image: image_path, mask: mask_path, protocol, .. } = request;
    let series = request.series.as_deref();
    let (image_file, _) = input::image_under(image_path, series, Some(mask_path), protocol.mask.uneven)?;
    let mask_file = input::image_bytes(mask_path, request.structure.as_deref(), protocol.mask.uneven)?;
    let on = image_file.on().ok_or_else(|| Error::NoImageFile(image_path.clone()))?;
    let region = mask_file.region_in(mask_path, request.label, request.channel, on, &protocol.mask)?;
    let (mask, mut reading) = (region.mask, region.reading);
    let (image, said) = image_file.image_as_stored(image_path)?;
    reading.notes.extend(said.into_iter().map(|note| format!("image: {note}")));
    reading.missing_slices = reading.missing_slices.max(image_file.missing_slices());
    let acquisition = image_file.acquisition().cloned();
    Ok(Pair { image, mask, reading, acquisition, sha256: [image_file.sha256, mask_file.sha256] })
}

/// Measures every region; errors when none could be.
pub fn features(request: &FeaturesRequest, job: &Job) -> Result<FeaturesReport, Error> {
    let FeaturesRequest { protocol, .. } = request;
    let Pair { image, mask, reading, sha256: [image_sha256, mask_sha256], .. } = read_pair(request)?;
    let notes = reading.sentences();
    let rois = if request.rois.is_empty() { Roi::all(&protocol.roi) } else { request.rois.clone() };
    let mut rows = Vec::new();
    if request.diagnostics {
        let settings = serde_json::to_string(protocol).expect("a protocol is plain data");
        let versions = [
            ("Versions_osteon", env!("CARGO_PKG_VERSION").to_owned()),
            ("Configuration_Settings", settings),
            ("Configuration_Hash", protocol.hash()),
            ("Image-original_Hash", image_sha256),
            ("Mask-original_Hash", mask_sha256),
        ];
        let found = diagnose::diagnose(&image, &mask, &rois, &protocol.measured())
            .map_err(|why| Error::Describe(why.into()))?;
        let checks = diagnose::regions(&image, &mask, &rois, &reading);
        let all = versions.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(found);
        rows.extend(all.map(|(name, value)| Row {
            roi: String::new(),
            feature: format!("diagnostics_{name}"),
            value: Value::Text(value),
        }));
        rows.extend(checks.iter().flat_map(check_rows));
    }
    let regions = measure(&image, &mask, &rois, protocol, job)?;
    let names = describe::catalogue(&protocol.measured());
    let mut failures = Vec::new();
    for region in regions {
        match region.outcome {
            Err(error) => failures.push((region.roi, error)),
            Ok(values) => rows.extend(names.iter().zip(values).map(|(name, value)| Row {
                roi: region.roi.to_string(),
                feature: name.clone(),
                value: value.map_or(Value::Undefined, Value::Number),
            })),
        }
    }
    match failures.first() {
        Some((roi, error)) if failures.len() == rois.len() => {
            Err(Error::Region { roi: roi.to_string(), source: error.clone() })
        }
        _ => Ok(FeaturesReport { rows, failures, notes }),
    }
}

/// A region's check, one row a number: pyradiomics has no names for these.
fn check_rows(check: &RegionCheck) -> Vec<Row> {
    let share = |share: Option<f64>| share.map_or(Value::Undefined, Value::Number);
    let count = |count: usize| Value::Number(count as f64);
    let reading = serde_json::to_string(&check.reading).expect("a reading is plain data");
    let values = [
        ("Voxels", count(check.voxels)),
        ("Volume", Value::Number(check.volume_mm3)),
        ("Slices", count(check.slices)),
        ("EmptySlices", count(check.empty_slices)),
        ("Pieces", count(check.pieces)),
        ("Holes", count(check.holes)),
        ("CutShare", share(check.cut_share)),
        ("AirShare", share(check.air_share)),
        ("MissingSlices", check.reading.missing_slices.map_or(Value::Undefined, count)),
        ("Reading", Value::Text(reading)),
    ];
    let row = |(name, value)| Row { roi: check.roi.clone(), feature: format!("diagnostics_Region_{name}"), value };
    values.into_iter().map(row).collect()
}
