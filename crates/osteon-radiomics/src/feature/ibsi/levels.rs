//! Grey levels by a fixed number of bins, or by bins of fixed width that begin at the least intensity allowed.

use crate::feature::levels::{MAX_LEVELS, TooManyLevels};

/// Grey levels of some intensities, 1 the lowest possible.
pub struct Discrete {
    pub levels: Vec<u32>,
    /// Highest level that the bins allow: their number, or the highest level present for bins of fixed width.
    pub highest: u32,
}

/// How intensities become levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bins {
    Number(usize),
    /// Width, and where the first bin begins.
    Width(f64, f64),
}

impl Discrete {
    pub fn new(values: &[f64], bins: Bins) -> Result<Discrete, TooManyLevels> {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let levels: Vec<u32> = match bins {
            Bins::Number(_) if low == high => vec![1; values.len()],
            Bins::Number(n) => {
                let level = |value: &f64| (n as f64 * (value - low) / (high - low)).floor() as u32 + 1;
                values.iter().map(|value| level(value).min(n as u32)).collect()
            }
            Bins::Width(bin_width, begin) => {
                let highest = ((high - begin) / bin_width).floor() + 1.0;
                if highest > MAX_LEVELS as f64 {
                    return Err(TooManyLevels { bin_width, levels: highest });
                }
                values.iter().map(|value| ((value - begin) / bin_width).floor() as u32 + 1).collect()
            }
        };
        let highest = match bins {
            Bins::Number(n) => n as u32,
            Bins::Width(..) => levels.iter().copied().max().unwrap_or(0),
        };
        Ok(Discrete { levels, highest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(values: &[f64], bins: Bins) -> Vec<u32> {
        Discrete::new(values, bins).unwrap().levels
    }

    #[test]
    fn a_number_of_bins_spans_the_intensities_and_a_width_begins_at_its_anchor() {
        assert_eq!(levels(&[0.0, 1.0, 2.0, 4.0], Bins::Number(4)), [1, 2, 3, 4]);
        assert_eq!(levels(&[7.0, 7.0], Bins::Number(4)), [1, 1]);
        assert_eq!(levels(&[-939.0, 0.0, 393.0], Bins::Width(25.0, -1000.0)), [3, 41, 56]);
        assert!(Discrete::new(&[0.0, 1e9], Bins::Width(1.0, 0.0)).is_err());
    }
}
