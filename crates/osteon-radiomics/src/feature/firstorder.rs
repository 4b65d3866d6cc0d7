//! Distribution of a region's values (18 features).

use crate::feature::layout::Layout;
use crate::feature::levels::{Levels, range};
use crate::feature::logarithm::{NLogN, entropy};
use crate::feature::{Feature, Wanted, read};
use crate::grid::{Geometry, Grid};

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
    let sorted = Sorted::new(layout, values);
    let spreads: Vec<Spread> = layout.shells().map(|(_, voxels)| Spread::of(&values[voxels])).collect();
    let summary = |region: usize| {
        let spread = layout.regions[region].clone().map(|shell| spreads[shell]).reduce(Spread::with);
        let spread = spread.expect("a region has a shell");
        FirstOrder::of(&spread, &sorted.region(region), &levels.counts[region], voxel_mm3)
    };
    (0..layout.regions.len()).map(|region| read(&wanted.firstorder, &summary(region))).collect()
}

/// The wanted features of some values and how often each gray level occurs among them.
pub fn of_values(wanted: &Wanted, values: &[f64], counts: &[u32], voxel_mm3: f64) -> Vec<Option<f64>> {
    let cells = ndarray::Array3::zeros((1, 1, values.len()));
    let line = Grid::new(Geometry::upright([1, 1, values.len()], [1.0; 3]), cells).expect("a line of the values");
    let layout = Layout::new(&line, &[(0, 0)]);
    let sorted = Sorted::new(&layout, values);
    read(&wanted.firstorder, &FirstOrder::of(&Spread::of(values), &sorted.region(0), counts, voxel_mm3))
}

/// A flat region has neither skewness nor kurtosis: 0.
fn standardised(moment: f64, scale: f64) -> f64 {
    if scale == 0.0 { 0.0 } else { moment / scale }
}

impl FirstOrder {
    fn of(spread: &Spread, values: &SortedRegion, counts: &[u32], voxel_mm3: f64) -> FirstOrder {
        let &Spread { n, minimum, maximum, mean, powers: [second, third, fourth], energy } = spread;
        let percentiles = values.percentiles();
        let (low, high) = (percentiles[0], percentiles[4]);
        let robust = values.mean_within(low, high);
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
            percentiles,
            deviation: values.deviation_within(minimum, maximum, mean),
            robust_deviation: values.deviation_within(low, high, robust),
            entropy: entropy(total(&|count| n_log_n.of(count)), n, counts.iter().filter(|&&count| count > 0).count()),
            uniformity: total(&|count| f64::from(count).powi(2)) / (n * n),
        }
    }
}

/// Sums over some values, which can be made of those over their parts.
#[derive(Clone, Copy)]
struct Spread {
    n: f64,
    minimum: f64,
    maximum: f64,
    mean: f64,
    /// Sums of the differences from the mean to the power of 2, 3 and 4.
    powers: [f64; 3],
    /// Sum of squares.
    energy: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Spread {
        let n = values.len() as f64;
        let (minimum, maximum) = range(values);
        let [sum, energy] = sums(values, |x| [x, x * x]);
        // Of equal values the rounded mean would leave a spread; of none there is no mean.
        let mean = if values.is_empty() { 0.0 } else { (sum / n).clamp(minimum, maximum) };
        let powers = sums(values, |x| {
            let d = x - mean;
            let square = d * d;
            [square, square * d, square * square]
        });
        Spread { n, minimum, maximum, mean, powers, energy }
    }

    /// Both together (Pebay 2008, equation 2.1: the powers of each part, moved to the common mean).
    fn with(self, other: Spread) -> Spread {
        if self.n == 0.0 || other.n == 0.0 {
            return if self.n == 0.0 { other } else { self };
        }
        let n = self.n + other.n;
        let (minimum, maximum) = (self.minimum.min(other.minimum), self.maximum.max(other.maximum));
        let mean = (self.mean + (other.mean - self.mean) * (other.n / n)).clamp(minimum, maximum);
        let [own, others] = [self, other].map(|part| part.powers_about(mean));
        let powers = std::array::from_fn(|k| own[k] + others[k]);
        Spread { n, minimum, maximum, mean, powers, energy: self.energy + other.energy }
    }

    fn powers_about(&self, mean: f64) -> [f64; 3] {
        let d = self.mean - mean;
        let [second, third, fourth] = self.powers;
        [
            second + self.n * d * d,
            third + 3.0 * d * second + self.n * d * d * d,
            fourth + 4.0 * d * third + 6.0 * d * d * second + self.n * d * d * d * d,
        ]
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

/// Values in fine bins, and within each bin shell by shell: what is asked by rank or up to a value is a sum over whole
/// bins, and a look into one or two.
struct Sorted<'a> {
    layout: &'a Layout,
    values: Vec<f64>,
    /// Where the values of bin `b` and shell `s` begin: `b * n_shells + s`.
    starts: Vec<u32>,
    /// Sum of how far the values of each bin and shell lie above the lowest.
    above: Vec<f64>,
    lowest: f64,
    /// Bins per intensity.
    scale: f64,
}

/// The values of one region.
struct SortedRegion<'a> {
    all: &'a Sorted<'a>,
    region: usize,
    /// How many values lie in each bin and all before it.
    ends: Vec<u32>,
    /// Sum of how far the values of each bin lie above the lowest.
    above: Vec<f64>,
}

const FINE_BINS: usize = 1024;

impl<'a> Sorted<'a> {
    fn new(layout: &'a Layout, values: &[f64]) -> Sorted<'a> {
        let (lowest, highest) = range(values);
        // Monotone in the value, which is all that ranks need.
        let scale = if highest > lowest { (FINE_BINS - 1) as f64 / (highest - lowest) } else { 0.0 };
        let n_shells = layout.n_shells;
        let bins: Vec<u16> = values.iter().map(|value| ((value - lowest) * scale) as i32 as u16).collect();
        let mut starts = vec![0u32; FINE_BINS * n_shells + 1];
        for (shell, voxels) in layout.shells() {
            for &bin in &bins[voxels] {
                starts[usize::from(bin) * n_shells + shell + 1] += 1;
            }
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut above = vec![0.0; FINE_BINS * n_shells];
        let mut sorted = vec![0.0; values.len()];
        for (shell, voxels) in layout.shells() {
            for (&value, &bin) in values[voxels.clone()].iter().zip(&bins[voxels]) {
                let slot = usize::from(bin) * n_shells + shell;
                sorted[next[slot] as usize] = value;
                next[slot] += 1;
                above[slot] += value - lowest;
            }
        }
        Sorted { layout, values: sorted, starts, above, lowest, scale }
    }

    fn region(&'a self, region: usize) -> SortedRegion<'a> {
        let (n_shells, shells) = (self.layout.n_shells, &self.layout.regions[region]);
        let mut count = 0;
        let ends = self.starts.windows(n_shells + 1).step_by(n_shells).map(|starts| {
            count += starts[shells.end() + 1] - starts[*shells.start()];
            count
        });
        let ends = ends.collect();
        let above = self.above.chunks_exact(n_shells).map(|above| above[shells.clone()].iter().sum()).collect();
        SortedRegion { all: self, region, ends, above }
    }

    fn bin_of(&self, value: f64) -> usize {
        ((value - self.lowest) * self.scale) as usize
    }
}

impl SortedRegion<'_> {
    /// 10, 25, 50, 75 and 90 % with linear interpolation, as numpy's default.
    fn percentiles(&self) -> [f64; 5] {
        let n = self.all.layout.voxels_of(self.region).len();
        [0.10, 0.25, 0.50, 0.75, 0.90].map(|share| {
            let rank = share * (n - 1) as f64;
            let (below, part) = (rank.floor(), rank.fract());
            let [a, b] = self.of_rank(below as u32);
            // numpy's interpolation, which is exact at both ends.
            if part >= 0.5 { b - (b - a) * (1.0 - part) } else { a + (b - a) * part }
        })
    }

    /// The value of a rank and of the next one (of the last, twice).
    fn of_rank(&self, rank: u32) -> [f64; 2] {
        let bin = self.ends.partition_point(|&end| end <= rank);
        let left = rank - if bin == 0 { 0 } else { self.ends[bin - 1] };
        let mut found = self.bin(bin).to_vec();
        let (_, &mut value, above) = found.select_nth_unstable_by(left as usize, f64::total_cmp);
        let next = above.iter().copied().fold(f64::INFINITY, f64::min);
        if next.is_finite() {
            return [value, next];
        }
        let later = self.ends.partition_point(|&end| end <= self.ends[bin]);
        let least = || self.bin(later).iter().copied().fold(f64::INFINITY, f64::min);
        [value, if later < FINE_BINS { least() } else { value }]
    }

    /// Mean of the values from `low` to `high`.
    fn mean_within(&self, low: f64, high: f64) -> f64 {
        let (mut n, mut sum) = (0.0, 0.0);
        self.visit_within(low, high, None, |count, above| {
            n += count;
            sum += above;
        });
        self.all.lowest + sum / n
    }

    /// Mean absolute difference from `middle` of the values from `low` to `high`, between which it lies.
    fn deviation_within(&self, low: f64, high: f64, middle: f64) -> f64 {
        let (mut n, mut sum) = (0.0, 0.0);
        let middle_above = middle - self.all.lowest;
        self.visit_within(low, high, Some(middle), |count, above| {
            n += count;
            // All values of a visit lie on one side of the middle.
            sum += (above - count * middle_above).abs();
        });
        sum / n
    }

    /// Gives number and sum above the lowest of whole bins, and of each single value in the bins of `low`, `high` and
    /// `middle`.
    fn visit_within(&self, low: f64, high: f64, middle: Option<f64>, mut visit: impl FnMut(f64, f64)) {
        let [first, last] = [low, high].map(|value| self.all.bin_of(value));
        let middle = middle.map(|value| self.all.bin_of(value));
        for bin in first..=last {
            if bin == first || bin == last || Some(bin) == middle {
                let within = self.bin(bin).iter().filter(|value| (low..=high).contains(value));
                within.for_each(|value| visit(1.0, value - self.all.lowest));
            } else {
                visit((self.ends[bin] - self.ends[bin - 1]).into(), self.above[bin]);
            }
        }
    }

    /// The region's values in one bin.
    fn bin(&self, bin: usize) -> &[f64] {
        let shells = &self.all.layout.regions[self.region];
        let first = bin * self.all.layout.n_shells;
        let starts = &self.all.starts;
        &self.all.values[starts[first + shells.start()] as usize..starts[first + shells.end() + 1] as usize]
    }
}
