//! What files say of a slice that may tell it from another: each fact once, with what it means where it differs.

use std::collections::BTreeSet;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::read::dicom::object::Fields;
use crate::read::dicom::split::Unit;
use Kind::{BValue, Component, Gradient, Hidden, Number, Text};
use Weight::{Contrast, Course, Detail};

/// A fact of a slice.
#[derive(Clone, Copy)]
pub struct Fact {
    /// In messages.
    pub name: &'static str,
    fields: &'static [Tag],
    /// The functional group and its field in enhanced images.
    group: Option<(Tag, Tag)>,
    pub weight: Weight,
    kind: Kind,
}

/// What it means where a fact differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Slices of other values are of another image.
    Contrast,
    /// Slices of one place are of different images; elsewhere it is said.
    Detail,
    /// Slices of one place are of different images; it may go on from slice to slice.
    Course,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    /// Values that differ by rounding are one.
    Number,
    BValue,
    /// Magnitude, phase, real or imaginary part.
    Component,
    /// Told by a number instead of its value, which may name a person.
    Hidden,
    Gradient,
}

/// Private b-values of a slice.
const SIEMENS_B_VALUE: Tag = Tag(0x0019, 0x100c);
const PHILIPS_B_VALUE: Tag = Tag(0x2001, 0x1003);
const GE_B_VALUE: Tag = Tag(0x0043, 0x1039);

/// Where a slice may state its b-value.
pub const B_VALUES: [Tag; 4] = [tags::DIFFUSION_B_VALUE, SIEMENS_B_VALUE, PHILIPS_B_VALUE, GE_B_VALUE];

/// Numbers of one value differ by less than this part: measured echo times do so from slice to slice.
const CLOSE: f64 = 5e-3;

const fn fact(name: &'static str, fields: &'static [Tag], weight: Weight, kind: Kind) -> Fact {
    Fact { name, fields, group: None, weight, kind }
}

const fn framed(fact: Fact, sequence: Tag, field: Tag) -> Fact {
    Fact { group: Some((sequence, field)), ..fact }
}

/// In the order in which they are tried.
pub const FACTS: [Fact; 28] = [
    fact("description", &[tags::SERIES_DESCRIPTION], Detail, Text),
    framed(fact("echo time", &[tags::ECHO_TIME], Contrast, Number), tags::MR_ECHO_SEQUENCE, tags::EFFECTIVE_ECHO_TIME),
    framed(fact("b-value", &B_VALUES, Contrast, BValue), tags::MR_DIFFUSION_SEQUENCE, tags::DIFFUSION_B_VALUE),
    framed(
        fact("time point", &[tags::TEMPORAL_POSITION_IDENTIFIER], Detail, Text),
        tags::FRAME_CONTENT_SEQUENCE,
        tags::TEMPORAL_POSITION_INDEX,
    ),
    framed(fact("image type", &[tags::IMAGE_TYPE], Detail, Text), tags::MR_IMAGE_FRAME_TYPE_SEQUENCE, tags::FRAME_TYPE),
    fact("inversion time", &[tags::INVERSION_TIME], Detail, Number),
    fact("flip angle", &[tags::FLIP_ANGLE], Detail, Number),
    fact("trigger time", &[tags::TRIGGER_TIME], Course, Text),
    framed(fact("stack", &[tags::STACK_ID], Course, Text), tags::FRAME_CONTENT_SEQUENCE, tags::STACK_ID),
    framed(
        fact("acquisition", &[tags::ACQUISITION_NUMBER], Course, Text),
        tags::FRAME_CONTENT_SEQUENCE,
        tags::FRAME_ACQUISITION_NUMBER,
    ),
    fact("sequence", &[tags::SEQUENCE_NAME, tags::PULSE_SEQUENCE_NAME], Detail, Text),
    fact("kernel", &[tags::CONVOLUTION_KERNEL], Detail, Text),
    fact("echo number", &[tags::ECHO_NUMBERS], Contrast, Text),
    framed(
        fact("component", &[tags::COMPLEX_IMAGE_COMPONENT], Contrast, Component),
        tags::MR_IMAGE_FRAME_TYPE_SEQUENCE,
        tags::COMPLEX_IMAGE_COMPONENT,
    ),
    framed(
        fact("repetition time", &[tags::REPETITION_TIME], Detail, Number),
        tags::MR_TIMING_AND_RELATED_PARAMETERS_SEQUENCE,
        tags::REPETITION_TIME,
    ),
    fact("contrast agent", &[tags::CONTRAST_BOLUS_AGENT], Detail, Text),
    framed(
        fact("cardiac phase", &[tags::NOMINAL_PERCENTAGE_OF_CARDIAC_PHASE], Course, Number),
        tags::CARDIAC_SYNCHRONIZATION_SEQUENCE,
        tags::NOMINAL_PERCENTAGE_OF_CARDIAC_PHASE,
    ),
    fact("tube voltage", &[tags::KVP], Detail, Number),
    fact("gradient orientation", &[tags::DIFFUSION_GRADIENT_ORIENTATION], Course, Gradient),
    fact("frame reference time", &[tags::FRAME_REFERENCE_TIME], Course, Text),
    fact("thickness", &[tags::SLICE_THICKNESS], Course, Number),
    fact("protocol", &[tags::PROTOCOL_NAME], Detail, Text),
    fact("filter", &[tags::FILTER_TYPE], Detail, Text),
    fact("series number", &[tags::SERIES_NUMBER], Detail, Text),
    fact("patient", &[tags::PATIENT_ID], Contrast, Hidden),
    fact("frame of reference", &[tags::FRAME_OF_REFERENCE_UID], Contrast, Text),
    fact("acquisition time", &[tags::ACQUISITION_DATE_TIME, tags::ACQUISITION_TIME], Course, Text),
    fact("content time", &[tags::CONTENT_TIME], Course, Text),
];

impl Fact {
    /// What a file, or one of its frames, says; `None` where it says nothing.
    pub(super) fn of(&self, fields: &Fields, frame: Option<&Fields>) -> Option<String> {
        let group = |tag: Tag| frame.and_then(|frame| frame.items(tag).next());
        let framed = self.group.and_then(|(sequence, tag)| group(sequence)?.text(tag));
        let own = || self.fields.iter().find_map(|&tag| Some((tag, fields.text(tag)?)));
        match self.kind {
            BValue => framed.or_else(|| own().map(|(tag, text)| if tag == GE_B_VALUE { of_ge(text) } else { text })),
            Component => framed.or_else(|| own().map(|own| own.1)).or_else(|| {
                let kind = fields.text(tags::IMAGE_TYPE)?;
                let part = kind.split('\\').skip(2).map(str::trim).find(|part| COMPONENTS.contains(part));
                part.map(str::to_owned)
            }),
            Gradient => {
                let directions = group(tags::MR_DIFFUSION_SEQUENCE)
                    .and_then(|group| group.items(tags::DIFFUSION_GRADIENT_DIRECTION_SEQUENCE).next());
                let nested = directions.and_then(|group| group.text(tags::DIFFUSION_GRADIENT_ORIENTATION));
                nested.or_else(|| own().map(|own| own.1))
            }
            Text | Number | Hidden => framed.or_else(|| own().map(|own| own.1)),
        }
    }
}

/// Parts of complex images in ImageType.
const COMPONENTS: [&str; 12] =
    ["M", "P", "R", "I", "MAGNITUDE", "PHASE", "REAL", "IMAGINARY", "M_FFE", "P_FFE", "R_FFE", "I_FFE"];

/// GE writes four numbers, the first of them the b-value, to which 10^9 may have been added.
fn of_ge(text: String) -> String {
    match text.split('\\').next().and_then(|first| first.trim().parse::<i64>().ok()) {
        Some(b) if b > 100_000 => (b % 100_000).to_string(),
        Some(b) => b.to_string(),
        None => text,
    }
}

/// Each plane's value of a fact: as written, then with numbers that differ by rounding as one.
pub(super) fn grouped(units: &[Unit], at: usize) -> Vec<Vec<Option<String>>> {
    let exact: Vec<Option<String>> = units.iter().map(|unit| unit.facts[at].clone()).collect();
    let known: BTreeSet<&String> = exact.iter().flatten().collect();
    match FACTS[at].kind {
        Number | BValue => match near(&known) {
            Some(groups) => {
                let word = |value: &String| groups.iter().find(|(own, _)| own.contains(&value)).map(|it| it.1.clone());
                let close = exact.iter().map(|value| value.as_ref().and_then(word)).collect();
                vec![exact.clone(), close]
            }
            None => vec![exact],
        },
        Hidden => {
            let n = known.len();
            let place =
                |value: &String| known.iter().position(|own| *own == value).map(|k| format!("{} of {n}", k + 1));
            vec![exact.iter().map(|value| value.as_ref().and_then(place)).collect()]
        }
        _ => vec![exact],
    }
}

/// Numbers in groups, each with its word; `None` where one is no number.
fn near<'a>(known: &BTreeSet<&'a String>) -> Option<Vec<(Vec<&'a String>, String)>> {
    let mut numbers: Vec<(f64, &String)> = known
        .iter()
        .map(|text| Some((text.trim().parse::<f64>().ok().filter(|n| n.is_finite())?, *text)))
        .collect::<Option<_>>()?;
    numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut groups: Vec<Vec<(f64, &String)>> = Vec::new();
    for own in numbers {
        match groups.last_mut().and_then(|group| group.last().map(|last| last.0)) {
            Some(last) if own.0 - last <= CLOSE * own.0.abs().max(last.abs()) => {
                groups.last_mut().expect("it has a last number").push(own);
            }
            _ => groups.push(vec![own]),
        }
    }
    let word = |group: &[(f64, &String)]| match group {
        [(_, only)] => (*only).clone(),
        several => format!("{} to {}", several[0].1, several[several.len() - 1].1),
    };
    Some(groups.iter().map(|group| (group.iter().map(|own| own.1).collect(), word(group))).collect())
}
