//! Several images under one series UID: told apart by what differs between slices of one place.

use std::collections::{BTreeMap, BTreeSet};

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::read::dicom::object::{Fields, File};

/// One plane of a series, and what may tell it from another of the same place.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Position in the list of files, and of the plane in its file.
    pub file: usize,
    pub frame: usize,
    place: Option<[i64; 3]>,
    /// Instance number, or position in its file.
    number: Option<i64>,
    facts: [Option<String>; FACTS.len()],
}

/// A fact: its name in messages; its field; for enhanced images the functional group and its field.
type Fact = (&'static str, &'static [Tag], Option<(Tag, Tag)>);

/// Private b-values of a slice.
const SIEMENS_B_VALUE: Tag = Tag(0x0019, 0x100c);
const PHILIPS_B_VALUE: Tag = Tag(0x2001, 0x1003);
const GE_B_VALUE: Tag = Tag(0x0043, 0x1039);

/// Where a slice may state its b-value.
pub(in crate::read::dicom) const B_VALUES: [Tag; 4] =
    [tags::DIFFUSION_B_VALUE, SIEMENS_B_VALUE, PHILIPS_B_VALUE, GE_B_VALUE];

/// In the order in which they are tried.
const FACTS: [Fact; 14] = [
    ("description", &[tags::SERIES_DESCRIPTION], None),
    ("echo time", &[tags::ECHO_TIME], Some((tags::MR_ECHO_SEQUENCE, tags::EFFECTIVE_ECHO_TIME))),
    ("b-value", &B_VALUES, Some((tags::MR_DIFFUSION_SEQUENCE, tags::DIFFUSION_B_VALUE))),
    (
        "time point",
        &[tags::TEMPORAL_POSITION_IDENTIFIER],
        Some((tags::FRAME_CONTENT_SEQUENCE, tags::TEMPORAL_POSITION_INDEX)),
    ),
    ("image type", &[tags::IMAGE_TYPE], Some((tags::MR_IMAGE_FRAME_TYPE_SEQUENCE, tags::FRAME_TYPE))),
    ("inversion time", &[tags::INVERSION_TIME], None),
    ("flip angle", &[tags::FLIP_ANGLE], None),
    ("trigger time", &[tags::TRIGGER_TIME], None),
    ("stack", &[tags::STACK_ID], Some((tags::FRAME_CONTENT_SEQUENCE, tags::STACK_ID))),
    ("acquisition", &[tags::ACQUISITION_NUMBER], Some((tags::FRAME_CONTENT_SEQUENCE, tags::FRAME_ACQUISITION_NUMBER))),
    ("sequence", &[tags::SEQUENCE_NAME, tags::PULSE_SEQUENCE_NAME], None),
    ("kernel", &[tags::CONVOLUTION_KERNEL], None),
    ("acquisition time", &[tags::ACQUISITION_DATE_TIME, tags::ACQUISITION_TIME], None),
    ("content time", &[tags::CONTENT_TIME], None),
];

/// The planes of a file.
pub fn units(file: &File, index: usize) -> Vec<Unit> {
    let fields = file.fields();
    let frames: Vec<Fields> = fields.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).collect();
    if frames.is_empty() {
        return vec![unit(&fields, None, index, 0)];
    }
    frames.iter().enumerate().map(|(at, frame)| unit(&fields, Some(frame), index, at)).collect()
}

fn unit(fields: &Fields, frame: Option<&Fields>, file: usize, at: usize) -> Unit {
    let group = |tag: Tag| frame.and_then(|frame| frame.items(tag).next());
    let position = group(tags::PLANE_POSITION_SEQUENCE).unwrap_or(*fields).position_mm().ok();
    let fact = |(_, own, in_group): Fact| {
        let framed = in_group.and_then(|(sequence, tag)| group(sequence)?.text(tag));
        framed.or_else(|| own.iter().find_map(|&tag| fields.text(tag)))
    };
    // A thousandth of a millimetre: decimal strings carry no more.
    let place = position.map(|mm| mm.map(|part| (part * 1e3).round() as i64));
    let number = frame
        .map_or_else(|| fields.number(tags::INSTANCE_NUMBER).map(|number| number as i64), |_| i64::try_from(at).ok());
    Unit { file, frame: at, place, number, facts: FACTS.map(fact) }
}

/// How often one place occurs at most.
fn repeats(units: &[Unit]) -> usize {
    let mut counts: BTreeMap<[i64; 3], usize> = BTreeMap::new();
    units.iter().filter_map(|unit| unit.place).for_each(|place| *counts.entry(place).or_default() += 1);
    counts.into_values().max().unwrap_or(0)
}

/// The images among the planes, each with what tells it from the others; one without a word where no place occurs
/// twice, or where nothing tells the planes apart.
pub fn split(units: Vec<Unit>) -> Vec<(String, Vec<Unit>)> {
    let mut parts = vec![(String::new(), units)];
    for (at, (name, ..)) in FACTS.iter().enumerate() {
        parts = parts.into_iter().flat_map(|part| by_fact(part, at, name)).collect();
    }
    parts.into_iter().flat_map(by_number).collect()
}

/// Where every place has as many planes and nothing else tells them apart, the first of each by its number, the second
/// of each, and so on: one pass of the scanner after the other.
fn by_number((told, mut units): (String, Vec<Unit>)) -> Vec<(String, Vec<Unit>)> {
    let n = repeats(&units);
    let mut places: BTreeMap<Option<[i64; 3]>, Vec<Option<i64>>> = BTreeMap::new();
    units.iter().for_each(|unit| places.entry(unit.place).or_default().push(unit.number));
    let is_complete = |numbers: &mut Vec<Option<i64>>| {
        numbers.sort_unstable();
        numbers.len() == n && numbers[0].is_some() && numbers.windows(2).all(|pair| pair[0] < pair[1])
    };
    if n < 2 || places.len() < 2 || places.contains_key(&None) || !places.values_mut().all(is_complete) {
        return vec![(told, units)];
    }
    let rank = |unit: &Unit| places[&unit.place].iter().position(|number| *number == unit.number);
    let mut parts = Vec::new();
    for pass in 0..n {
        let (own, others): (Vec<Unit>, Vec<Unit>) = units.into_iter().partition(|unit| rank(unit) == Some(pass));
        units = others;
        let word = format!("pass {} of {n} by instance numbers", pass + 1);
        parts.push((if told.is_empty() { word } else { format!("{told}, {word}") }, own));
    }
    parts
}

fn by_fact((told, units): (String, Vec<Unit>), at: usize, name: &str) -> Vec<(String, Vec<Unit>)> {
    let repeats = repeats(&units);
    let values: BTreeSet<Option<&String>> = units.iter().map(|unit| unit.facts[at].as_ref()).collect();
    if repeats < 2 || values.len() < 2 || values.len() > repeats {
        return vec![(told, units)];
    }
    let mut parts: Vec<(String, Vec<Unit>)> = Vec::new();
    for unit in units {
        let value = unit.facts[at].as_deref().unwrap_or("not stated");
        let word = if told.is_empty() { format!("{name} {value}") } else { format!("{told}, {name} {value}") };
        match parts.iter_mut().find(|(own, _)| *own == word) {
            Some((_, own)) => own.push(unit),
            None => parts.push((word, vec![unit])),
        }
    }
    parts
}
