//! How an image was acquired: the numbers that a study's protocol asks about, and nothing of the patient.

use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use crate::read::dicom::object::Fields;
use osteon_base::setting::{self, Unfit};

/// The sequence that the study expects; 0 means that any value will do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    pub repetition_time_ms: f64,
    pub echo_time_ms: f64,
    pub slice_thickness_mm: f64,
    pub field_strength_t: f64,
    /// Whether the fat signal has to be suppressed.
    pub fat_suppressed: bool,
    /// Part by which a number may differ from the expected one before it is called a deviation.
    pub tolerance: f64,
}

impl Params {
    /// Names a setting that no run could use.
    pub fn check(&self) -> Result<(), Unfit> {
        setting::not_negative("repetition_time_ms", self.repetition_time_ms)?;
        setting::not_negative("echo_time_ms", self.echo_time_ms)?;
        setting::not_negative("slice_thickness_mm", self.slice_thickness_mm)?;
        setting::not_negative("field_strength_t", self.field_strength_t)?;
        setting::not_negative("tolerance", self.tolerance)
    }
}

/// What the file says of the acquisition; `None` where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Acquisition {
    pub repetition_time_ms: Option<f64>,
    pub echo_time_ms: Option<f64>,
    pub slice_thickness_mm: Option<f64>,
    pub field_strength_t: Option<f64>,
    /// Rows and columns as acquired, before interpolation.
    pub matrix: Option<[f64; 2]>,
    pub manufacturer_model: Option<String>,
    pub fat_suppressed: Option<bool>,
}

impl std::fmt::Display for Acquisition {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        let number = |name: &str, value: Option<f64>, unit: &str| value.map(|value| format!("{name} {value} {unit}"));
        let parts = [
            number("TR", self.repetition_time_ms, "ms"),
            number("TE", self.echo_time_ms, "ms"),
            number("slices of", self.slice_thickness_mm, "mm"),
            number("field", self.field_strength_t, "T"),
            self.matrix.map(|[rows, columns]| format!("matrix {rows} x {columns}")),
            self.fat_suppressed.and_then(|is| is.then(|| "fat suppressed".to_owned())),
            self.manufacturer_model.clone(),
        ];
        formatter.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// Each deviation of an acquisition from what the study expects, in words with both values.
pub fn deviations(found: &Acquisition, expected: &Params) -> Vec<String> {
    let numbers = [
        ("repetition time", "ms", found.repetition_time_ms, expected.repetition_time_ms),
        ("echo time", "ms", found.echo_time_ms, expected.echo_time_ms),
        ("slice thickness", "mm", found.slice_thickness_mm, expected.slice_thickness_mm),
        ("field strength", "T", found.field_strength_t, expected.field_strength_t),
    ];
    let mut deviations: Vec<String> = numbers
        .into_iter()
        .filter(|(_, _, _, expected)| *expected > 0.0)
        .filter_map(|(name, unit, found, wanted)| match found {
            None => Some(format!("{name} not stated, expected {wanted} {unit}")),
            Some(found) if (found - wanted).abs() > expected.tolerance * wanted => {
                Some(format!("{name} {found} {unit}, expected {wanted} {unit}"))
            }
            Some(_) => None,
        })
        .collect();
    if expected.fat_suppressed && found.fat_suppressed != Some(true) {
        deviations.push("fat suppression not stated".to_owned());
    }
    deviations
}

/// Reads what a plain slice says at its top level, an enhanced image in its shared functional groups.
pub(crate) fn acquisition(fields: &Fields) -> Acquisition {
    let shared = fields.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).next();
    let group = |tag| shared.and_then(|shared| shared.items(tag).next());
    let number = |tag, within| fields.number(tag).or_else(|| group(within)?.number(tag)).filter(|&value| value > 0.0);
    let timing = tags::MR_TIMING_AND_RELATED_PARAMETERS_SEQUENCE;
    let options = fields.text(tags::SCAN_OPTIONS).unwrap_or_default();
    let modifier =
        group(tags::MR_MODIFIER_SEQUENCE).and_then(|group| group.text(tags::SPECTRALLY_SELECTED_SUPPRESSION));
    let fat_suppressed = options.split('\\').any(|option| matches!(option.trim(), "FS" | "SFS" | "FATSAT"))
        || modifier.as_deref() == Some("FAT");
    Acquisition {
        repetition_time_ms: number(tags::REPETITION_TIME, timing),
        echo_time_ms: number(tags::ECHO_TIME, tags::MR_ECHO_SEQUENCE)
            .or_else(|| group(tags::MR_ECHO_SEQUENCE)?.number(tags::EFFECTIVE_ECHO_TIME)),
        slice_thickness_mm: number(tags::SLICE_THICKNESS, tags::PIXEL_MEASURES_SEQUENCE),
        field_strength_t: fields.number(tags::MAGNETIC_FIELD_STRENGTH).filter(|&tesla| tesla > 0.0),
        matrix: matrix(fields),
        manufacturer_model: fields.text(tags::MANUFACTURER_MODEL_NAME),
        fat_suppressed: fat_suppressed.then_some(true),
    }
}

/// AcquisitionMatrix holds frequency rows and columns, phase rows and columns; two of the four are 0.
fn matrix(fields: &Fields) -> Option<[f64; 2]> {
    match fields.numbers(tags::ACQUISITION_MATRIX)?[..] {
        [rows, 0.0, 0.0, columns] | [0.0, columns, rows, 0.0] => Some([rows, columns]),
        _ => None,
    }
}
