//! Distribution of a region's values (18 features).

use crate::feature::layout::Layout;
use crate::feature::levels::Levels;
use crate::feature::logarithm::{NLogN, entropy};
use crate::feature::{Feature, Wanted, read};

/// What the first-order features are read from.
pub struct FirstOrder {
    n: f64,
    minimum: f64,
    maximum: f64,
    mean: f64,
    /// Central moments of order 2, 3, 4, divided by n.
    moments: [f64; 3],
    /// Sum of squares.
    energy: f64,
    voxel_mm3: f64,
    /// 10, 25, 50, 75 and 90 %.
    percentiles: [f64; 5],
    /// Mean absolute deviation from the mean: of all values, and of those from the 10 % to the 90 % percentile.
    deviation: f64,
    robust_deviation: f64,
    /// Of the grey levels.
    entropy: f64,
    uniformity: f64,
}

/// pyradiomics' first-order features. Its kurtosis is not the excess: the IBSI's is smaller by 3.
pub const FEATURES: &[Feature<FirstOrder>] = &[
    Feature { name: "10Percentile", ibsi: Some("QG58"), of: |s| Some(s.percentiles[0]) },
    Feature { name: "90Percentile", ibsi: Some("8DWT"), of: |s| Some(s.percentiles[4]) },
    Feature { name: "Energy", ibsi: Some("N8CA"), of: |s| Some(s.energy) },
    Feature { name: "Entropy", ibsi: Some("TLU2"), of: |s| Some(s.entropy) },
    Feature { name: "InterquartileRange", ibsi: Some("SALO"), of: |s| Some(s.percentiles[3] - s.percentiles[1]) },
    Feature { name: "Kurtosis", ibsi: Some("IPH6"), of: |s| Some(standardised(s.moments[2], s.moments[0].powi(2))) },
    Feature { name: "Maximum", ibsi: Some("84IY"), of: |s| Some(s.maximum) },
    Feature { name: "MeanAbsoluteDeviation", ibsi: Some("4FUA"), of: |s| Some(s.deviation) },
    Feature { name: "Mean", ibsi: Some("Q4LE"), of: |s| Some(s.mean) },
    Feature { name: "Median", ibsi: Some("Y12H"), of: |s| Some(s.percentiles[2]) },
    Feature { name: "Minimum", ibsi: Some("1GSF"), of: |s| Some(s.minimum) },
    Feature { name: "Range", ibsi: Some("2OJQ"), of: |s| Some(s.maximum - s.minimum) },
    Feature { name: "RobustMeanAbsoluteDeviation", ibsi: Some("1128"), of: |s| Some(s.robust_deviation) },
    Feature { name: "RootMeanSquared", ibsi: Some("5ZWQ"), of: |s| Some((s.energy / s.n).sqrt()) },
    Feature { name: "Skewness", ibsi: Some("KE2A"), of: |s| Some(standardised(s.moments[1], s.moments[0].powf(1.5))) },
    Feature { name: "TotalEnergy", ibsi: None, of: |s| Some(s.energy * s.voxel_mm3) },
    Feature { name: "Uniformity", ibsi: Some("BJ5W"), of: |s| Some(s.uniformity) },
    Feature { name: "Variance", ibsi: Some("ECT3"), of: |s| Some(s.moments[0]) },
];

/// The wanted features of every region of a layout; `values` are those of its voxels.
pub fn describe(
    wanted: &Wanted,
    layout: &Layout,
    values: &[f64],
    levels: &Levels,
    voxel_mm3: f64,
) -> Vec<Vec<Option<f64>>> {
    if wanted.firstorder.is_empty() {
        return vec![Vec::new(); layout.regions.len()];
    }
    let ranks = Ranks::new(layout, values);
    let summary = |region: usize| {
        let own = &values[layout.voxels_of(region)];
        FirstOrder::of(own, &ranks.percentiles(region), &levels.counts[region], voxel_mm3)
    };
    (0..layout.regions.len()).map(|region| read(&wanted.firstorder, &summary(region))).collect()
}

/// A flat region has neither skewness nor kurtosis: 0.
fn standardised(moment: f64, scale: f64) -> f64 {
    if scale == 0.0 { 0.0 } else { moment / scale }
}

impl FirstOrder {
    fn of(values: &[f64], percentiles: &[f64; 5], counts: &[u32], voxel_mm3: f64) -> FirstOrder {
        let n = values.len() as f64;
        let [sum, energy] = sums(values, |x| [x, x * x]);
        let minimum = values.iter().copied().fold(f64::INFINITY, f64::min);
        let maximum = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Of equal values the rounded mean would leave a spread.
        let mean = (sum / n).clamp(minimum, maximum);
        let [second, third, fourth, deviation] = sums(values, |x| {
            let d = x - mean;
            let square = d * d;
            [square, square * d, square * square, d.abs()]
        });
        let (low, high) = (percentiles[0], percentiles[4]);
        let within = |x: f64| if (low..=high).contains(&x) { 1.0 } else { 0.0 };
        let [n_within, sum_within] = sums(values, |x| [within(x), within(x) * x]);
        let middle = sum_within / n_within;
        let [robust] = sums(values, |x| [within(x) * (x - middle).abs()]);
        let n_log_n = NLogN::new();
        let total = |of: &dyn Fn(u32) -> f64| counts.iter().map(|&count| of(count)).sum::<f64>();
        FirstOrder {
            n,
            minimum,
            maximum,
            mean,
            moments: [second / n, third / n, fourth / n],
            energy,
            voxel_mm3,
            percentiles: *percentiles,
            deviation: deviation / n,
            robust_deviation: robust / n_within,
            entropy: entropy(total(&|count| n_log_n.of(count)), n, counts.iter().filter(|&&count| count > 0).count()),
            uniformity: total(&|count| f64::from(count).powi(2)) / (n * n),
        }
    }
}

/// Sums of several functions of all values, each in four interleaved parts: a fixed order that vectorises.
fn sums<const K: usize>(values: &[f64], of: impl Fn(f64) -> [f64; K]) -> [f64; K] {
    let mut parts = [[0.0; 4]; K];
    let mut add = |lane: usize, x: f64| {
        for (part, term) in parts.iter_mut().zip(of(x)) {
            part[lane] += term;
        }
    };
    let chunks = values.chunks_exact(4);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &x) in chunk.iter().enumerate() {
            add(lane, x);
        }
    }
    for (lane, &x) in rest.iter().enumerate() {
        add(lane, x);
    }
    parts.map(|part| (part[0] + part[1]) + (part[2] + part[3]))
}

/// Values in fine bins, and within each bin shell by shell: a percentile looks into one bin only.
struct Ranks<'a> {
    layout: &'a Layout,
    values: Vec<f64>,
    /// Where the values of bin `b` and shell `s` begin: `b * n_shells + s`.
    starts: Vec<u32>,
}

const FINE_BINS: usize = 1024;

impl<'a> Ranks<'a> {
    fn new(layout: &'a Layout, values: &[f64]) -> Ranks<'a> {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Monotone in the value, which is all that ranks need.
        let scale = if high > low { (FINE_BINS - 1) as f64 / (high - low) } else { 0.0 };
        let n_shells = layout.n_shells;
        let slot = |shell: usize, value: f64| ((value - low) * scale) as usize * n_shells + shell;
        let mut starts = vec![0u32; FINE_BINS * n_shells + 1];
        for (shell, voxels) in layout.shells() {
            for &value in &values[voxels] {
                starts[slot(shell, value) + 1] += 1;
            }
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut sorted = vec![0.0; values.len()];
        for (shell, voxels) in layout.shells() {
            for &value in &values[voxels] {
                let place = &mut next[slot(shell, value)];
                sorted[*place as usize] = value;
                *place += 1;
            }
        }
        Ranks { layout, values: sorted, starts }
    }

    /// 10, 25, 50, 75 and 90 % with linear interpolation, as numpy's default.
    fn percentiles(&self, region: usize) -> [f64; 5] {
        let n = self.layout.voxels_of(region).len();
        [0.10, 0.25, 0.50, 0.75, 0.90].map(|share| {
            let rank = share * (n - 1) as f64;
            let (below, part) = (rank.floor(), rank.fract());
            let [a, b] = self.of_rank(region, below as usize);
            // numpy's interpolation, which is exact at both ends.
            if part >= 0.5 { b - (b - a) * (1.0 - part) } else { a + (b - a) * part }
        })
    }

    /// The value of a rank and of the next one (of the last, twice).
    fn of_rank(&self, region: usize, rank: usize) -> [f64; 2] {
        let mut left = rank;
        let mut bin = 0;
        let mut size = self.bin(region, bin).len();
        while left >= size {
            left -= size;
            bin += 1;
            size = self.bin(region, bin).len();
        }
        let mut found = self.bin(region, bin).to_vec();
        let (_, &mut value, above) = found.select_nth_unstable_by(left, f64::total_cmp);
        let next = above.iter().copied().fold(f64::INFINITY, f64::min);
        if next.is_finite() {
            return [value, next];
        }
        let later = (bin + 1..FINE_BINS).map(|bin| self.bin(region, bin)).find(|values| !values.is_empty());
        [value, later.map_or(value, |values| values.iter().copied().fold(f64::INFINITY, f64::min))]
    }

    /// The region's values in one bin.
    fn bin(&self, region: usize, bin: usize) -> &[f64] {
        let shells = &self.layout.regions[region];
        let first = bin * self.layout.n_shells;
        &self.values[self.starts[first + shells.start()] as usize..self.starts[first + shells.end() + 1] as usize]
    }
}
