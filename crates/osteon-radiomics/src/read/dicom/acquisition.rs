//! How an image was acquired: the numbers that a study's protocol asks about, and nothing of the patient.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use crate::read::dicom::fact::B_VALUES;
use crate::read::dicom::object::Fields;
use osteon_base::setting::{self, Unfit};

const PHILIPS_SCALE_SLOPE: Tag = Tag(0x2005, 0x100e);

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
    /// DICOM's word, such as `MR`; empty expects none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub modality: String,
    #[serde(default, skip_serializing_if = "Contrast::is_any")]
    pub contrast: Contrast,
    /// In s/mm2.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub b_value: f64,
    /// Unit of intensities that are quantities; empty expects none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

/// Whether a contrast agent is expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contrast {
    #[default]
    Any,
    With,
    Without,
}

impl Contrast {
    fn is_any(&self) -> bool {
        *self == Contrast::Any
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Params {
    /// Names a setting that no run could use.
    pub fn check(&self) -> Result<(), Unfit> {
        setting::not_negative("repetition_time_ms", self.repetition_time_ms)?;
        setting::not_negative("echo_time_ms", self.echo_time_ms)?;
        setting::not_negative("slice_thickness_mm", self.slice_thickness_mm)?;
        setting::not_negative("field_strength_t", self.field_strength_t)?;
        setting::not_negative("tolerance", self.tolerance)?;
        setting::not_negative("b_value", self.b_value)
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality: Option<String>,
    /// `Some(true)` where the file names an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contrast: Option<bool>,
    /// In s/mm2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub b_value: Option<f64>,
    /// Of the real world values, or of PET.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What Philips' private scale says of a value: measured ones are this many times those that the file shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
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
            self.contrast.and_then(|is| is.then(|| "with contrast agent".to_owned())),
            number("b", self.b_value, "s/mm2"),
            self.unit.as_ref().map(|unit| format!("values in {unit}")),
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
        ("b-value", "s/mm2", found.b_value, expected.b_value),
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
    let wanted = &expected.modality;
    match found.modality.as_ref().filter(|modality| !wanted.is_empty() && !modality.eq_ignore_ascii_case(wanted)) {
        Some(modality) => deviations.push(format!("modality {modality}, expected {wanted}")),
        None if !wanted.is_empty() && found.modality.is_none() => {
            deviations.push(format!("modality not stated, expected {wanted}"));
        }
        None => (),
    }
    match expected.contrast {
        Contrast::With if found.contrast != Some(true) => deviations.push("no contrast agent is named".to_owned()),
        Contrast::Without if found.contrast == Some(true) => {
            deviations.push("a contrast agent was given, expected none".to_owned());
        }
        _ => (),
    }
    deviations.extend(unit_deviations(found, expected));
    deviations
}

/// What the file says of the unit of its values; one that says nothing is judged by the values themselves.
fn unit_deviations(found: &Acquisition, expected: &Params) -> Vec<String> {
    let wanted = expected.unit.trim();
    if wanted.is_empty() {
        return Vec::new();
    }
    let other = |unit: &&String| match (diffusivity(unit), diffusivity(wanted)) {
        (Some(found), Some(wanted)) => (found / wanted - 1.0).abs() > 1e-6,
        _ => !unit.trim().eq_ignore_ascii_case(wanted),
    };
    let unit = found.unit.as_ref().filter(other).map(|unit| format!("values in {unit}, expected {wanted}"));
    let scale = found.scale.map(|scale| {
        format!("Philips' scale (2005,100E) makes measured values {scale} times those of the file, expected {wanted} as they are")
    });
    unit.into_iter().chain(scale).collect()
}

/// The factor to mm2/s of a unit of diffusion, as people or UCUM write it: `1e-6 mm2/s`, `10*-6.mm2/s`, `um2/s`.
pub fn diffusivity(unit: &str) -> Option<f64> {
    let plain: String = unit.chars().filter(|c| !c.is_whitespace()).collect::<String>().replace('\u{b2}', "2");
    let plain = plain.replace(['\u{b5}', '\u{3bc}'], "u").replace("^", "").to_ascii_lowercase();
    if plain == "um2/s" {
        return Some(1e-6);
    }
    let front = plain.strip_suffix("mm2/s")?.trim_end_matches(['.', '*', 'x', '\u{d7}', '\u{b7}']);
    match front.strip_prefix("10").map(|rest| rest.trim_start_matches('*')) {
        _ if front.is_empty() => Some(1.0),
        Some(exponent) if exponent.starts_with('-') => Some(10_f64.powi(exponent.parse().ok()?)),
        _ => front.parse().ok().filter(|factor: &f64| *factor > 0.0),
    }
}

/// Diffusion of water in tissue, in mm2/s: anything else is a map in another unit.
const TISSUE: std::ops::RangeInclusive<f64> = 5e-5..=5e-3;

/// Says that the values of a map, by the median of those above 0, cannot be in the unit that is expected of a diffusion map.
pub fn unlikely_unit(median: f64, unit: &str) -> Option<String> {
    let factor = diffusivity(unit)?;
    if TISSUE.contains(&(median * factor)) {
        return None;
    }
    let fits = ["mm2/s", "1e-3 mm2/s", "1e-6 mm2/s", "1e-9 mm2/s"];
    let other = fits.into_iter().find(|other| diffusivity(other).is_some_and(|it| TISSUE.contains(&(median * it))));
    let as_if = other.map_or_else(String::new, |other| format!("; it would be one in {other}"));
    Some(format!("the median of its values above 0 is {median:.4}: no diffusion of water in {unit}{as_if}"))
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
    let contrast = fields.text(tags::CONTRAST_BOLUS_AGENT).is_some_and(|agent| is_agent(&agent))
        || fields.items(tags::CONTRAST_BOLUS_AGENT_SEQUENCE).next().is_some();
    Acquisition {
        repetition_time_ms: number(tags::REPETITION_TIME, timing),
        echo_time_ms: number(tags::ECHO_TIME, tags::MR_ECHO_SEQUENCE)
            .or_else(|| group(tags::MR_ECHO_SEQUENCE)?.number(tags::EFFECTIVE_ECHO_TIME)),
        slice_thickness_mm: number(tags::SLICE_THICKNESS, tags::PIXEL_MEASURES_SEQUENCE),
        field_strength_t: fields.number(tags::MAGNETIC_FIELD_STRENGTH).filter(|&tesla| tesla > 0.0),
        matrix: matrix(fields),
        manufacturer_model: fields.text(tags::MANUFACTURER_MODEL_NAME),
        fat_suppressed: fat_suppressed.then_some(true),
        modality: fields.text(tags::MODALITY),
        contrast: contrast.then_some(true),
        b_value: b_value(fields),
        unit: unit(fields),
        scale: scale(fields),
    }
}

/// At the top level, in a scanner's private field, or in the first frame.
fn b_value(fields: &Fields) -> Option<f64> {
    let own = B_VALUES.iter().find_map(|&tag| fields.number(tag));
    let framed = || {
        let frame = fields.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).next()?;
        frame.items(tags::MR_DIFFUSION_SEQUENCE).next()?.number(tags::DIFFUSION_B_VALUE)
    };
    // A map that was computed from several b-values states none, or a sum beyond any single one.
    own.or_else(framed).filter(|&value| (0.0..1e5).contains(&value))
}

fn unit(fields: &Fields) -> Option<String> {
    let mapped = || {
        let mapping = fields.items(tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE).next()?;
        mapping.items(tags::MEASUREMENT_UNITS_CODE_SEQUENCE).next()?.text(tags::CODE_VALUE)
    };
    mapped().or_else(|| fields.text(tags::UNITS)).filter(|unit| !unit.trim().is_empty())
}

/// Philips keeps measured values as (shown value) / (rescale slope x scale slope).
fn scale(fields: &Fields) -> Option<f64> {
    let scale = fields.number(PHILIPS_SCALE_SLOPE)? * fields.number(tags::RESCALE_SLOPE).unwrap_or(1.0);
    let factor = 1.0 / scale;
    (factor.is_finite() && (factor - 1.0).abs() > 1e-3).then_some(factor)
}

/// Technicians write `NONE` into the field of the agent, too.
fn is_agent(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    !["", "no", "none", "n/a", "na", "0", "without", "nativ", "native"].contains(&text.as_str())
}

/// AcquisitionMatrix holds frequency rows and columns, phase rows and columns; two of the four are 0.
fn matrix(fields: &Fields) -> Option<[f64; 2]> {
    match fields.numbers(tags::ACQUISITION_MATRIX)?[..] {
        [rows, 0.0, 0.0, columns] | [0.0, columns, rows, 0.0] => Some([rows, columns]),
        _ => None,
    }
}
