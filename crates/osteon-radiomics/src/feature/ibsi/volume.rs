//! The intensity-volume histogram: which part of the region has at least an intensity.

use crate::feature::ibsi::levels::{Bins, Discrete};
use crate::feature::levels::TooManyLevels;

/// Name and IBSI code of every feature, in the order of `describe`.
pub const NAMES: [(&str, &str); 6] = [
    ("ivh_v10", "BC2M"),
    ("ivh_v90", "BC2M"),
    ("ivh_i10", "GBPN"),
    ("ivh_i90", "GBPN"),
    ("ivh_diff_v10_v90", "DDTU"),
    ("ivh_diff_i10_i90", "CNV2"),
];

/// Values that voxels are compared with, and the intensities between which fractions are taken.
struct Scale {
    values: Vec<f64>,
    steps: Vec<f64>,
    low: f64,
    high: f64,
}

/// `bins` of `None` takes intensities as they are: whole numbers step by one, others from one to the next present.
/// Fractions of intensity count from the lower to the upper end of the re-segmentation range where there is one.
pub fn describe(
    values: &[f64],
    bins: Option<Bins>,
    range: Option<[f64; 2]>,
) -> Result<[Option<f64>; 6], TooManyLevels> {
    let scale = scale(values, bins, range)?;
    let mut sorted = scale.values.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let share_from = |step: f64| 1.0 - sorted.partition_point(|&value| value < step) as f64 / n;
    let volume = |fraction: f64| {
        let bound = scale.low + fraction * (scale.high - scale.low);
        scale.steps.iter().find(|&&step| step >= bound).map_or(0.0, |&step| share_from(step))
    };
    // The least intensity that at most this part of the region has; above all of them where there is none.
    let intensity = |fraction: f64| {
        let at = scale.steps.partition_point(|&step| share_from(step) > fraction);
        scale.steps.get(at).copied().unwrap_or(scale.high)
    };
    let [v10, v90, i10, i90] = [volume(0.1), volume(0.9), intensity(0.1), intensity(0.9)];
    Ok([v10, v90, i10, i90, v10 - v90, i10 - i90].map(Some))
}

fn scale(values: &[f64], bins: Option<Bins>, range: Option<[f64; 2]>) -> Result<Scale, TooManyLevels> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Ok(match bins {
        None => {
            let [low, high] = range.unwrap_or([least, largest]);
            Scale { steps: steps(values, least, largest), values: values.to_vec(), low, high }
        }
        Some(bins @ Bins::Number(n)) => {
            let values = Discrete::new(values, bins)?.levels.into_iter().map(f64::from).collect();
            Scale { values, steps: (1..=n as u32).map(f64::from).collect(), low: 1.0, high: n as f64 }
        }
        Some(bins @ Bins::Width(width, begin)) => {
            let discrete = Discrete::new(values, bins)?;
            let centre = |level: u32| begin + (f64::from(level) - 0.5) * width;
            let last = range.map_or(discrete.highest, |range| ((range[1] - begin) / width).ceil() as u32);
            let last = last.max(discrete.highest);
            Scale {
                values: discrete.levels.into_iter().map(centre).collect(),
                steps: (1..=last).map(centre).collect(),
                low: centre(1),
                high: centre(last),
            }
        }
    })
}

/// Intensities to compare with, ascending.
fn steps(values: &[f64], least: f64, largest: f64) -> Vec<f64> {
    const MOST: f64 = 1e6;
    if values.iter().all(|value| value.fract() == 0.0) && largest - least < MOST {
        return (0..=(largest - least) as u32).map(|step| least + f64::from(step)).collect();
    }
    let mut steps = values.to_vec();
    steps.sort_unstable_by(f64::total_cmp);
    steps.dedup();
    steps
}
