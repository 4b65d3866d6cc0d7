//! Several images under one series UID: told apart by what differs between slices of one place, or by a contrast that is
//! not the same in all of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::read::dicom::fact::{FACTS, Weight, grouped};
use crate::read::dicom::object::{Fields, File};
use dicom_dictionary_std::tags;

/// One plane of a series, and what may tell it from another of the same place.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Position in the list of files, and of the plane in its file.
    pub file: usize,
    pub frame: usize,
    place: Option<[i64; 3]>,
    /// Instance number, or position in its file.
    number: Option<i64>,
    pub(super) facts: [Option<String>; FACTS.len()],
}

/// Contrasts of one stack; more values are those of single slices.
const MOST_CONTRASTS: usize = 4;

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
    let group = |tag| frame.and_then(|frame| frame.items(tag).next());
    let position = group(tags::PLANE_POSITION_SEQUENCE).unwrap_or(*fields).position_mm().ok();
    // A thousandth of a millimetre: decimal strings carry no more.
    let place = position.map(|mm| mm.map(|part| (part * 1e3).round() as i64));
    let number = frame
        .map_or_else(|| fields.number(tags::INSTANCE_NUMBER).map(|number| number as i64), |_| i64::try_from(at).ok());
    Unit { file, frame: at, place, number, facts: FACTS.map(|fact| fact.of(fields, frame)) }
}

/// The planes of each place that is known.
fn places(units: &[Unit]) -> BTreeMap<[i64; 3], Vec<usize>> {
    let mut places: BTreeMap<[i64; 3], Vec<usize>> = BTreeMap::new();
    for (at, unit) in units.iter().enumerate() {
        if let Some(place) = unit.place {
            places.entry(place).or_default().push(at);
        }
    }
    places
}

/// How often one place occurs at most.
fn repeats(units: &[Unit]) -> usize {
    places(units).values().map(Vec::len).max().unwrap_or(0)
}

/// The images among the planes, each with what tells it from the others; one without a word where there is but one, or
/// where nothing tells the planes of one place apart.
pub fn split(units: Vec<Unit>) -> Vec<(String, Vec<Unit>)> {
    let mut parts = vec![(String::new(), units)];
    for at in 0..FACTS.len() {
        parts = parts.into_iter().flat_map(|part| by_fact(part, at)).collect();
    }
    for at in (0..FACTS.len()).filter(|&at| FACTS[at].weight == Weight::Contrast) {
        parts = parts.into_iter().flat_map(|part| by_contrast(part, at)).collect();
    }
    parts.into_iter().flat_map(by_number).collect()
}

/// By a fact that differs between planes of one place and has no more values than a place has planes.
fn by_fact((told, units): (String, Vec<Unit>), at: usize) -> Vec<(String, Vec<Unit>)> {
    let places = places(&units);
    let repeats = places.values().map(Vec::len).max().unwrap_or(0);
    let fits = |words: &Vec<Option<String>>| {
        let n = words.iter().collect::<BTreeSet<_>>().len();
        (2..=repeats).contains(&n) && places.values().any(|own| own.iter().any(|&unit| words[unit] != words[own[0]]))
    };
    let words = if repeats < 2 { None } else { grouped(&units, at).into_iter().find(fits) };
    parts(told, units, words, at)
}

/// By a contrast that differs between the slices of a stack, no place of which occurs twice: a half-sent series of two
/// echoes is no image.
fn by_contrast((told, units): (String, Vec<Unit>), at: usize) -> Vec<(String, Vec<Unit>)> {
    let fits = |words: &Vec<Option<String>>| {
        let n = words.iter().flatten().collect::<BTreeSet<_>>().len();
        (2..=MOST_CONTRASTS).contains(&n)
    };
    let words = if repeats(&units) > 1 { None } else { grouped(&units, at).into_iter().next_back().filter(fits) };
    parts(told, units, words, at)
}

fn parts(told: String, units: Vec<Unit>, words: Option<Vec<Option<String>>>, at: usize) -> Vec<(String, Vec<Unit>)> {
    let Some(words) = words else { return vec![(told, units)] };
    let name = FACTS[at].name;
    let mut parts: Vec<(String, Vec<Unit>)> = Vec::new();
    for (unit, value) in units.into_iter().zip(words) {
        let value = value.unwrap_or_else(|| "not stated".to_owned());
        let word = if told.is_empty() { format!("{name} {value}") } else { format!("{told}, {name} {value}") };
        match parts.iter_mut().find(|(own, _)| *own == word) {
            Some((_, own)) => own.push(unit),
            None => parts.push((word, vec![unit])),
        }
    }
    parts
}

/// Where every place has as many planes and nothing else tells them apart, the first of each by its number, the second
/// of each, and so on: one pass of the scanner after the other. The numbers have to run in one of two clear orders, pass
/// after pass or slice after slice, and no contrast may differ within a place.
fn by_number((told, mut units): (String, Vec<Unit>)) -> Vec<(String, Vec<Unit>)> {
    let n = repeats(&units);
    let places = places(&units);
    let numbers = |own: &Vec<usize>| {
        let mut numbers: Vec<i64> = own.iter().filter_map(|&unit| units[unit].number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    let sorted: Vec<([i64; 3], Vec<i64>)> = places.iter().map(|(place, own)| (*place, numbers(own))).collect();
    let is_complete = n > 1 && sorted.len() > 1 && sorted.iter().all(|(_, own)| own.len() == n);
    let is_whole = units.iter().all(|unit| unit.place.is_some()) && units.len() == n * sorted.len();
    if !is_complete || !is_whole || !is_clear(sorted.clone(), n) || differs_within(&units, &places) {
        return vec![(told, units)];
    }
    let ranks: BTreeMap<[i64; 3], Vec<i64>> = sorted.into_iter().collect();
    let rank = |unit: &Unit| {
        let own = unit.place.and_then(|place| ranks.get(&place));
        own.zip(unit.number).and_then(|(own, number)| own.iter().position(|other| *other == number))
    };
    let mut parts = Vec::new();
    for pass in 0..n {
        let (own, others): (Vec<Unit>, Vec<Unit>) = units.into_iter().partition(|unit| rank(unit) == Some(pass));
        units = others;
        let word = format!("pass {} of {n} by instance numbers", pass + 1);
        parts.push((if told.is_empty() { word } else { format!("{told}, {word}") }, own));
    }
    parts
}

/// Whether all numbers of a pass lie before those of the next, or all of a place before those of the next place along the
/// stack.
fn is_clear(mut sorted: Vec<([i64; 3], Vec<i64>)>, n: usize) -> bool {
    let reach = |pass: usize| {
        let own = sorted.iter().map(|(_, numbers)| numbers[pass]);
        (own.clone().min().unwrap_or_default(), own.max().unwrap_or_default())
    };
    if (1..n).all(|pass| reach(pass - 1).1 < reach(pass).0) {
        return true;
    }
    sorted.sort_by_key(|(_, numbers)| numbers[0]);
    let along: [i64; 3] = std::array::from_fn(|k| sorted[sorted.len() - 1].0[k] - sorted[0].0[k]);
    sorted.windows(2).all(|pair| {
        let step: f64 = (0..3).map(|k| (pair[1].0[k] - pair[0].0[k]) as f64 * along[k] as f64).sum();
        step > 0.0 && pair[0].1[n - 1] < pair[1].1[0]
    })
}

fn differs_within(units: &[Unit], places: &BTreeMap<[i64; 3], Vec<usize>>) -> bool {
    (0..FACTS.len()).filter(|&at| FACTS[at].weight == Weight::Contrast).any(|at| {
        let Some(words) = grouped(units, at).into_iter().next_back() else { return false };
        places.values().any(|own| own.iter().any(|&unit| words[unit] != words[own[0]]))
    })
}

/// What is said of an image whose slices do not have all facts in common.
pub fn varying(units: &[Unit]) -> Vec<String> {
    let one = |at: usize| {
        let words = grouped(units, at).into_iter().next_back()?;
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for word in words {
            *counts.entry(word.unwrap_or_else(|| "not stated".to_owned())).or_default() += 1;
        }
        let n = counts.len();
        let name = FACTS[at].name;
        let shown: Vec<String> = counts.into_iter().map(|(word, n)| format!("{word} in {n}")).collect();
        match n {
            0 | 1 => None,
            2..=MOST_CONTRASTS => Some(format!("{name} differs between the slices: {}", shown.join(", "))),
            _ => Some(format!("{name} differs between the slices: {n} different ones")),
        }
    };
    (0..FACTS.len()).filter(|&at| FACTS[at].weight != Weight::Course).filter_map(one).collect()
}
