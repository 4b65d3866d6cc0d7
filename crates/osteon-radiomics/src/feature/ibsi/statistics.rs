//! Intensity statistics, and the same of discretised intensities with what their histogram adds.

/// Name and IBSI code of every feature, in the order of `statistics`.
pub const STATISTICS: [(&str, &str); 18] = [
    ("stat_mean", "Q4LE"),
    ("stat_var", "ECT3"),
    ("stat_skew", "KE2A"),
    ("stat_kurt", "IPH6"),
    ("stat_median", "Y12H"),
    ("stat_min", "1GSF"),
    ("stat_p10", "QG58"),
    ("stat_p90", "8DWT"),
    ("stat_max", "84IY"),
    ("stat_iqr", "SALO"),
    ("stat_range", "2OJQ"),
    ("stat_mad", "4FUA"),
    ("stat_rmad", "1128"),
    ("stat_medad", "N72L"),
    ("stat_cov", "7TET"),
    ("stat_qcod", "9S40"),
    ("stat_energy", "N8CA"),
    ("stat_rms", "5ZWQ"),
];

/// Name and IBSI code of every feature, in the order of `histogram`.
pub const HISTOGRAM: [(&str, &str); 23] = [
    ("ih_mean", "X6K6"),
    ("ih_var", "CH89"),
    ("ih_skew", "88K1"),
    ("ih_kurt", "C3I7"),
    ("ih_median", "WIFQ"),
    ("ih_min", "1PR8"),
    ("ih_p10", "GPMT"),
    ("ih_p90", "OZ0C"),
    ("ih_max", "3NCY"),
    ("ih_mode", "AMMC"),
    ("ih_iqr", "WR0O"),
    ("ih_range", "5Z3W"),
    ("ih_mad", "D2ZX"),
    ("ih_rmad", "WRZB"),
    ("ih_medad", "4RNL"),
    ("ih_cov", "CWYJ"),
    ("ih_qcod", "SLWD"),
    ("ih_entropy", "TLU2"),
    ("ih_uniformity", "BJ5W"),
    ("ih_max_grad", "12CE"),
    ("ih_max_grad_g", "8E6O"),
    ("ih_min_grad", "VQB3"),
    ("ih_min_grad_g", "RHQZ"),
];

/// What intensities and levels have in common.
struct Summary {
    mean: f64,
    variance: f64,
    skewness: f64,
    kurtosis: f64,
    /// Percentiles 0, 10, 25, 50, 75, 90, 100, interpolated between order statistics.
    percentiles: [f64; 7],
    mean_deviation: f64,
    robust_deviation: f64,
    median_deviation: f64,
}

impl Summary {
    fn of(values: &[f64]) -> Summary {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let mean = average(sorted.iter().copied());
        let moment = |power| average(sorted.iter().map(|value| (value - mean).powi(power)));
        let variance = moment(2);
        let percentiles = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0].map(|share| percentile(&sorted, share));
        let [_, p10, _, median, _, p90, _] = percentiles;
        let central: Vec<f64> = sorted.iter().copied().filter(|value| (p10..=p90).contains(value)).collect();
        let central_mean = average(central.iter().copied());
        let deviation = |values: &[f64], from: f64| average(values.iter().map(|value| (value - from).abs()));
        let over = |moment: f64, scale: f64| if variance == 0.0 { 0.0 } else { moment / scale };
        Summary {
            mean,
            variance,
            skewness: over(moment(3), variance.powf(1.5)),
            kurtosis: if variance == 0.0 { 0.0 } else { moment(4) / (variance * variance) - 3.0 },
            percentiles,
            mean_deviation: deviation(&sorted, mean),
            robust_deviation: deviation(&central, central_mean),
            median_deviation: deviation(&sorted, median),
        }
    }

    fn range(&self) -> f64 {
        self.percentiles[6] - self.percentiles[0]
    }

    fn quartiles(&self) -> [f64; 2] {
        [self.percentiles[2], self.percentiles[4]]
    }

    fn variation(&self) -> f64 {
        self.variance.sqrt() / self.mean
    }

    fn quartile_dispersion(&self) -> f64 {
        let [low, high] = self.quartiles();
        (high - low) / (high + low)
    }
}

pub fn statistics(values: &[f64]) -> [Option<f64>; 18] {
    let s = Summary::of(values);
    let energy: f64 = values.iter().map(|value| value * value).sum();
    let [low, p10, _, median, _, p90, high] = s.percentiles;
    let [p25, p75] = s.quartiles();
    [
        s.mean,
        s.variance,
        s.skewness,
        s.kurtosis,
        median,
        low,
        p10,
        p90,
        high,
        p75 - p25,
        s.range(),
        s.mean_deviation,
        s.robust_deviation,
        s.median_deviation,
        s.variation(),
        s.quartile_dispersion(),
        energy,
        (energy / values.len() as f64).sqrt(),
    ]
    .map(Some)
}

/// `highest` is the number of bins.
pub fn histogram(levels: &[u32], highest: u32) -> [Option<f64>; 23] {
    let values: Vec<f64> = levels.iter().map(|&level| f64::from(level)).collect();
    let s = Summary::of(&values);
    let mut counts = vec![0.0; highest as usize];
    levels.iter().for_each(|&level| counts[level as usize - 1] += 1.0);
    let n = levels.len() as f64;
    let shares = || counts.iter().filter(|&&count| count > 0.0).map(|count| count / n);
    let [low, p10, _, median, _, p90, high] = s.percentiles;
    let [p25, p75] = s.quartiles();
    let gradients = gradients(&counts);
    // The first of several.
    let largest = (0..gradients.len()).rev().max_by(|&a, &b| gradients[a].total_cmp(&gradients[b]));
    let smallest = (0..gradients.len()).min_by(|&a, &b| gradients[a].total_cmp(&gradients[b]));
    let at = |level: usize| level as f64 + 1.0;
    [
        Some(s.mean),
        Some(s.variance),
        Some(s.skewness),
        Some(s.kurtosis),
        Some(median),
        Some(low),
        Some(p10),
        Some(p90),
        Some(high),
        Some(mode(&counts, s.mean)),
        Some(p75 - p25),
        Some(s.range()),
        Some(s.mean_deviation),
        Some(s.robust_deviation),
        Some(s.median_deviation),
        Some(s.variation()),
        Some(s.quartile_dispersion()),
        Some(-shares().map(|p| p * p.log2()).sum::<f64>()),
        Some(shares().map(|p| p * p).sum()),
        largest.map(|level| gradients[level]),
        largest.map(at),
        smallest.map(|level| gradients[level]),
        smallest.map(at),
    ]
}

/// The level of the highest count; of several, the one nearest to the mean.
fn mode(counts: &[f64], mean: f64) -> f64 {
    let highest = counts.iter().copied().fold(0.0, f64::max);
    let levels = counts.iter().zip(1..).filter(|(count, _)| **count == highest).map(|(_, level)| f64::from(level));
    levels.min_by(|a, b| (a - mean).abs().total_cmp(&(b - mean).abs())).unwrap_or(0.0)
}

/// Central differences of the counts, one-sided at both ends; none for a single bin.
fn gradients(counts: &[f64]) -> Vec<f64> {
    let last = counts.len().saturating_sub(1);
    if last == 0 {
        return Vec::new();
    }
    let slope = |at: usize| {
        let (before, after) = (at.saturating_sub(1), (at + 1).min(last));
        (counts[after] - counts[before]) / (after - before) as f64
    };
    (0..counts.len()).map(slope).collect()
}

fn average(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// Linear interpolation between order statistics (Hyndman and Fan's type 7).
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let low = place.floor() as usize;
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (place - low as f64) * (sorted[high] - sorted[low])
}
