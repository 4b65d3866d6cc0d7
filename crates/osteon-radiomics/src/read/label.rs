//! Which voxels of a file of labels, or of parts of voxels, are the region.

use std::collections::{BTreeMap, HashMap};

use crate::read::{Fractional, Label, Present, ReadError, Reading};
use osteon_base::text::counted;

/// Distinct values that are told apart; a file of labels has fewer, one of intensities may have more.
const MOST_VALUES: usize = 4096;
/// A value this close to a whole number is that number: single precision and resampling leave less.
const WHOLE: f64 = 1e-3;
/// Parts of a voxel lie from 0 to 1; splines overshoot by less than a half.
const PARTS: std::ops::RangeInclusive<f64> = -0.5..=1.5;
/// Labels that are kept with a reading.
pub const KEPT: usize = 32;
/// Labels that a message shows.
const SHOWN: usize = 8;

/// How often each value but 0 occurs.
#[derive(Clone, Debug)]
pub struct Tally {
    counts: HashMap<u64, usize>,
    /// The run of equal values that is being counted.
    last: u64,
    run: usize,
    /// Values that found no place in `counts`.
    more: usize,
    low: f64,
    high: f64,
    half: usize,
    above_zero: usize,
    not_finite: usize,
}

/// What makes a voxel one of the region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inside {
    NonZero,
    Near(f64),
    Half,
}

impl Inside {
    pub fn holds(self, value: f64) -> bool {
        match self {
            Inside::NonZero => value != 0.0 && value.is_finite(),
            Inside::Near(label) => (value - label).abs() <= WHOLE,
            Inside::Half => value >= 0.5 && value.is_finite(),
        }
    }
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            counts: HashMap::new(),
            last: 0,
            run: 0,
            more: 0,
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
            half: 0,
            above_zero: 0,
            not_finite: 0,
        }
    }
}

impl Tally {
    pub fn note(&mut self, value: f64) {
        if value == 0.0 {
            return;
        }
        if value.to_bits() != self.last {
            self.flush();
            self.last = value.to_bits();
        }
        self.run += 1;
    }

    /// Puts the last run where it belongs; called once more after the last value.
    pub fn flush(&mut self) {
        let (value, run) = (f64::from_bits(self.last), std::mem::take(&mut self.run));
        if run == 0 {
            return;
        }
        if !value.is_finite() {
            self.not_finite += run;
            return;
        }
        self.low = self.low.min(value);
        self.high = self.high.max(value);
        self.half += if value >= 0.5 { run } else { 0 };
        self.above_zero += if value > 0.0 { run } else { 0 };
        if self.counts.len() < MOST_VALUES || self.counts.contains_key(&self.last) {
            *self.counts.entry(self.last).or_default() += run;
        } else {
            self.more += run;
        }
    }

    /// Voxels by whole number; `None` when a value is not whole, or when there are too many to be labels.
    fn whole(&self) -> Option<BTreeMap<i64, usize>> {
        let mut labels = BTreeMap::new();
        for (&bits, &count) in &self.counts {
            let value = f64::from_bits(bits);
            if value.abs() >= 9e15 || (value - value.round()).abs() > WHOLE || value.round() == 0.0 {
                return None;
            }
            *labels.entry(value.round() as i64).or_default() += count;
        }
        Some(labels)
    }

    pub fn is_whole(&self) -> bool {
        self.more == 0 && self.whole().is_some()
    }

    /// Voxels near a whole number.
    pub fn near(&self, label: i64) -> usize {
        let own = |(bits, _): &(&u64, &usize)| (f64::from_bits(**bits) - label as f64).abs() <= WHOLE;
        self.counts.iter().filter(own).map(|(_, count)| *count).sum()
    }

    /// Voxels of all values but 0.
    fn total(&self) -> usize {
        self.counts.values().sum()
    }

    fn is_parts(&self) -> bool {
        PARTS.contains(&self.low) && PARTS.contains(&self.high)
    }

    /// Every value with its voxels, the smallest first.
    pub fn present(&self) -> Vec<Present> {
        let mut values: Vec<(f64, usize)> = match self.whole() {
            Some(whole) => whole.into_iter().map(|(label, count)| (label as f64, count)).collect(),
            None => self.counts.iter().map(|(&bits, &count)| (f64::from_bits(bits), count)).collect(),
        };
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        values.into_iter().map(|(value, voxels)| Present { name: value.to_string(), voxels: Some(voxels) }).collect()
    }
}

/// The first few of a list, and how many more there are.
pub fn listed(present: &[Present]) -> String {
    let shown: Vec<String> = present.iter().take(SHOWN).map(Present::to_string).collect();
    let more = present.len().saturating_sub(SHOWN);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// What is inside under a label, and what has to be said of it.
///
/// A file with one value is a mask whatever the value. Whole values are labels: several want one to be named. Other
/// values from 0 to 1 are parts of voxels: half and more is inside.
pub fn choose(tally: &Tally, label: Label) -> Result<(Inside, Reading), ReadError> {
    if tally.counts.is_empty() {
        return Err(if tally.not_finite > 0 { ReadError::MaskNotFinite } else { ReadError::Empty });
    }
    let (inside, mut reading) = among(tally, label)?;
    // Numbers are kept in double precision.
    if tally.high.abs().max(tally.low.abs()) >= 9_007_199_254_740_992.0 {
        reading.notes.push("labels of 2^53 and more may be several that are read as one: save smaller ones".to_owned());
    }
    if tally.not_finite > 0 {
        let voxels = counted(tally.not_finite, "voxel");
        reading.notes.push(format!("no finite number in {voxels} of the mask: taken for outside, as ITK does"));
    }
    Ok((inside, reading))
}

/// The same by the finite values alone.
fn among(tally: &Tally, label: Label) -> Result<(Inside, Reading), ReadError> {
    let whole = tally.whole().filter(|_| tally.more == 0);
    let mut present = tally.present();
    let several = whole.as_ref().is_some_and(|labels| labels.len() > 1);
    let parts = |mut reading: Reading| {
        let fractional = Fractional { half: tally.half, above_zero: tally.above_zero };
        if fractional.half == 0 {
            return Err(ReadError::NoHalf { above_zero: fractional.above_zero, high: tally.high });
        }
        reading.fractional = Some(fractional);
        Ok((Inside::Half, reading))
    };
    let no_label = |label| ReadError::NoLabel { label, present: listed(&tally.present()) };
    match label {
        // Stored 0 and 1 under an intercept of -1: what is -1 is the background.
        Label::Only if tally.counts.len() == 1 && tally.more == 0 && tally.high < 0.0 => {
            Err(ReadError::Negative { value: tally.high, voxels: tally.total() })
        }
        Label::Only | Label::AnyNonZero if tally.counts.len() == 1 && tally.more == 0 => {
            Ok((Inside::NonZero, Reading { present, ..Reading::default() }))
        }
        Label::Only if several || tally.more > 0 && !tally.is_parts() => {
            Err(ReadError::SeveralLabels { n: present.len(), present: listed(&present) })
        }
        Label::AnyNonZero if whole.is_some() => {
            present.truncate(KEPT);
            Ok((Inside::NonZero, Reading { picked: "all".to_owned(), present, ..Reading::default() }))
        }
        Label::Only if whole.is_some() => Ok((Inside::NonZero, Reading { present, ..Reading::default() })),
        Label::Value(label) if tally.near(label) > 0 && (whole.is_some() || !tally.is_parts()) => {
            present.truncate(KEPT);
            Ok((Inside::Near(label as f64), Reading { picked: label.to_string(), present, ..Reading::default() }))
        }
        Label::Value(label) if whole.is_some() || label != 1 || !tally.is_parts() => Err(no_label(label)),
        // One value between 0 and 1 alone is a mask of another scale, not of this label.
        Label::Value(label) if tally.counts.len() == 1 && tally.more == 0 => Err(no_label(label)),
        _ if tally.is_parts() => parts(Reading::default()),
        _ => Err(ReadError::Values { low: tally.low, high: tally.high }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(values: &[f64], label: Label) -> Result<(usize, Reading), String> {
        let mut tally = Tally::default();
        values.iter().for_each(|&value| tally.note(value));
        tally.flush();
        let (inside, reading) = choose(&tally, label).map_err(|error| error.to_string())?;
        Ok((values.iter().filter(|&&value| inside.holds(value)).count(), reading))
    }

    #[test]
    fn one_value_is_a_mask_whatever_it_is() {
        for value in [1.0, 255.0, 0.0039, 0.9999] {
            let (inside, reading) = found(&[0.0, value, value, 0.0], Label::Only).unwrap();
            assert_eq!((inside, reading.present.len(), reading.sentences().len()), (2, 1, 0), "{value}");
        }
        assert_eq!(found(&[0.0, 0.9999], Label::Value(1)).unwrap().0, 1);
        // 0 and 1 under an intercept of -1: the tumor is what is 0.
        assert!(found(&[0.0, -1.0, -1.0], Label::Only).unwrap_err().contains("below 0, -1 in 2 voxels"));
        assert_eq!(found(&[0.0, -3.0], Label::Value(-3)).unwrap().0, 1);
        assert!(found(&[0.0, 255.0], Label::Value(1)).unwrap_err().contains("label 1; its labels are 255 (1 voxel)"));
        assert!(found(&[0.0, 0.0039], Label::Value(1)).is_err());
    }

    #[test]
    fn several_labels_want_one_to_be_named() {
        let values = [0.0, 1.0, 1.0, 2.00001, 0.0, 3.0];
        let told = found(&values, Label::Only).unwrap_err();
        assert!(told.contains("3 labels") && told.contains("1 (2 voxels), 2 (1 voxel), 3 (1 voxel)"), "{told}");
        assert_eq!(found(&values, Label::Value(2)).unwrap().0, 1);
        let (all, reading) = found(&values, Label::AnyNonZero).unwrap();
        assert_eq!((all, reading.picked.as_str(), reading.present.len()), (4, "all", 3));
        assert!(found(&values, Label::Value(7)).is_err());
        let intensities: Vec<f64> = (0..9000).map(f64::from).collect();
        assert!(found(&intensities, Label::Only).is_err());
    }

    #[test]
    fn what_is_no_number_is_outside_and_said() {
        let (inside, reading) = found(&[f64::NAN, 1.0, f64::INFINITY, 0.0], Label::Only).unwrap();
        assert_eq!((inside, reading.notes.len()), (1, 1));
        assert!(reading.notes[0].contains("2 voxels"), "{:?}", reading.notes);
        assert!(found(&[f64::NAN, 0.0], Label::Only).is_err());
    }

    #[test]
    fn parts_of_voxels_are_inside_from_a_half_on() {
        let values = [0.0, 0.1, 0.5, 0.7, 1.0, -0.02, 1.04];
        for label in [Label::Only, Label::AnyNonZero, Label::Value(1)] {
            let (inside, reading) = found(&values, label).unwrap();
            assert_eq!(inside, 4);
            assert_eq!(reading.fractional, Some(Fractional { half: 4, above_zero: 5 }));
        }
        assert!(found(&[0.0, 0.1, 0.2], Label::Only).unwrap_err().contains("half"));
        assert!(found(&[0.0, 0.5, 127.5, 255.0], Label::Only).unwrap_err().contains("not whole"));
    }
}
