//! Ranges of numbers as a study writes them: `> 0, <= 100000`, `[3, 80]`, `90 to 99`, `>= 90`.

use std::fmt;

/// Numbers between two ends, each of which may be open or absent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Minus infinity for none.
    pub low: f64,
    /// Infinity for none.
    pub high: f64,
    /// Whether `low` itself is outside.
    pub above: bool,
    /// Whether `high` itself is outside.
    pub below: bool,
}

/// Why a text is no range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    #[error("{0:?} is no bound; expected such as \"> 0, <= 100\", \"10 to 20\" or [10, 20]")]
    Bound(String),
    #[error("{0:?} bounds the same side twice")]
    Twice(String),
    #[error("{0:?} holds no number")]
    Empty(String),
}

impl Default for Range {
    fn default() -> Self {
        Range { low: f64::NEG_INFINITY, high: f64::INFINITY, above: false, below: false }
    }
}

impl Range {
    /// From `low` to `high`, both inside.
    pub fn closed(low: f64, high: f64) -> Range {
        Range { low, high, ..Range::default() }
    }

    /// Bounds between commas, `LOW to HIGH`, or a single number.
    pub fn parse(text: &str) -> Result<Range, RangeError> {
        let wrong = || RangeError::Bound(text.to_owned());
        let number = |word: &str| word.trim().parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(wrong);
        let mut range = Range::default();
        if let Some((low, high)) = text.split_once(" to ") {
            range = Range::closed(number(low)?, number(high)?);
        } else if let Ok(only) = number(text) {
            range = Range::closed(only, only);
        } else {
            for bound in text.split(',') {
                let bound = bound.trim();
                let (sign, rest) = bound.split_at(bound.find(|c: char| !"<>=".contains(c)).unwrap_or(bound.len()));
                let value = number(rest)?;
                let (low, open) = match sign {
                    ">" => (true, true),
                    ">=" => (true, false),
                    "<" => (false, true),
                    "<=" => (false, false),
                    _ => return Err(wrong()),
                };
                let end = if low { &mut range.low } else { &mut range.high };
                if end.is_finite() {
                    return Err(RangeError::Twice(text.to_owned()));
                }
                *end = value;
                *(if low { &mut range.above } else { &mut range.below }) = open;
            }
        }
        if range.low > range.high || range.low == range.high && (range.above || range.below) {
            return Err(RangeError::Empty(text.to_owned()));
        }
        Ok(range)
    }

    pub fn contains(&self, value: f64) -> bool {
        (value > self.low || value == self.low && !self.above)
            && (value < self.high || value == self.high && !self.below)
    }

    /// Whether every number of another range is in this one.
    pub fn covers(&self, other: &Range) -> bool {
        let low = other.low > self.low || other.low == self.low && (other.above || !self.above);
        let high = other.high < self.high || other.high == self.high && (other.below || !self.below);
        low && high
    }

    /// Whether every number is allowed.
    pub fn is_everything(&self) -> bool {
        *self == Range::default()
    }

    /// The number, where only one is allowed.
    pub fn only(&self) -> Option<f64> {
        (self.low == self.high).then_some(self.low)
    }

    /// What may be typed, in words.
    pub fn words(&self) -> String {
        let Range { low, high, above, below } = *self;
        match (low.is_finite(), high.is_finite()) {
            (false, false) => "a number".to_owned(),
            (true, true) if !above && !below => format!("a number from {low} to {high}"),
            (true, true) if above && !below => format!("a number above {low}, at most {high}"),
            _ => format!("a number {self}"),
        }
    }
}

/// As it is read.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Range { low, high, above, below } = *self;
        let lower = if above { ">" } else { ">=" };
        let upper = if below { "<" } else { "<=" };
        match (low.is_finite(), high.is_finite()) {
            (true, true) if low == high => write!(f, "{low}"),
            (true, true) => write!(f, "{lower} {low}, {upper} {high}"),
            (true, false) => write!(f, "{lower} {low}"),
            (false, true) => write!(f, "{upper} {high}"),
            (false, false) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_reads_back_and_knows_its_ends() {
        let check = |text: &str, inside: &[f64], outside: &[f64]| {
            let range = Range::parse(text).unwrap();
            assert_eq!(Range::parse(&range.to_string()).unwrap(), range, "{text}");
            assert!(inside.iter().all(|&value| range.contains(value)), "{text}");
            assert!(!outside.iter().any(|&value| range.contains(value)), "{text}");
        };
        check("> 0, <= 100000", &[1e-300, 100_000.0], &[0.0, 100_001.0]);
        check("<=3,>=-3", &[-3.0, 0.0, 3.0], &[3.1]);
        check(">= 90", &[90.0, 1e9], &[89.9]);
        check("50 to 89", &[50.0, 89.0], &[89.5]);
        check("7", &[7.0], &[7.1]);
        for wrong in ["", "x", "> ", "3 <", "> 1, > 2", "> 3, < 3", "5 to 2", ">= inf", "=> 3"] {
            assert!(Range::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_range_covers_what_lies_in_it() {
        let range = |text: &str| Range::parse(text).unwrap();
        assert!(range("<= 90").covers(&range("< 90")) && !range("< 90").covers(&range("<= 90")));
        assert!(range(">= 0").covers(&range("0 to 5")) && !range("> 0").covers(&range("0 to 5")));
        assert!(!range("0 to 5").covers(&range("> 1")));
    }
}
