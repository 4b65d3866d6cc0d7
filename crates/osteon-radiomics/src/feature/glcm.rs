//! Grey level co-occurrence (24 features): symmetric, one matrix a direction, features averaged over directions.

use nalgebra::DMatrix;

use crate::feature::layout::Layout;
use crate::feature::levels::Levels;
use crate::feature::logarithm::{NLogN, SHARE, entropy};
use crate::feature::second::second_singular_value;
use crate::feature::{Feature, Wanted, read_mean};

/// What the co-occurrence features of one direction are read from.
pub struct Glcm {
    /// Neighbours by their two levels, the lower first, each unordered pair of voxels counted once.
    pairs: Vec<Pair>,
    /// Levels that the region has.
    n_levels: usize,
    joint: Joint,
    sum: Sum,
    difference: Difference,
}

/// How often two levels are neighbours; `low <= high` are the region's own level numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    pub low: u16,
    pub high: u16,
    pub n: u32,
}

/// The matrix itself and its marginal.
struct Joint {
    mean: f64,
    variance: f64,
    energy: f64,
    maximum: f64,
    entropy: f64,
    /// Entropy of the marginal, and of the product of the two marginals: over the matrix (HXY1), over all cells (HXY2).
    marginal_entropy: f64,
    cross_entropy: f64,
    product_entropy: f64,
}

/// Distribution of the sum of two neighbours' levels: central moments of order 2 to 4.
struct Sum {
    average: f64,
    moments: [f64; 3],
    entropy: f64,
}

/// Distribution of the difference of two neighbours' levels.
struct Difference {
    average: f64,
    contrast: f64,
    variance: f64,
    entropy: f64,
    inverse: f64,
    inverse_moment: f64,
    inverse_normalised: f64,
    inverse_moment_normalised: f64,
    inverse_variance: f64,
}

/// pyradiomics' co-occurrence features.
pub const FEATURES: &[Feature<Glcm>] = &[
    Feature { name: "Autocorrelation", ibsi: Some("QWB0"), of: autocorrelation },
    Feature { name: "ClusterProminence", ibsi: Some("AE86"), of: |s| Some(s.sum.moments[2]) },
    Feature { name: "ClusterShade", ibsi: Some("7NFM"), of: |s| Some(s.sum.moments[1]) },
    Feature { name: "ClusterTendency", ibsi: Some("DG8W"), of: |s| Some(s.sum.moments[0]) },
    Feature { name: "Contrast", ibsi: Some("ACUI"), of: |s| Some(s.difference.contrast) },
    Feature { name: "Correlation", ibsi: Some("NI2N"), of: correlation },
    Feature { name: "DifferenceAverage", ibsi: Some("TF7R"), of: |s| Some(s.difference.average) },
    Feature { name: "DifferenceEntropy", ibsi: Some("NTRS"), of: |s| Some(s.difference.entropy) },
    Feature { name: "DifferenceVariance", ibsi: Some("D3YU"), of: |s| Some(s.difference.variance) },
    Feature { name: "Id", ibsi: Some("IB1Z"), of: |s| Some(s.difference.inverse) },
    Feature { name: "Idm", ibsi: Some("WF0Z"), of: |s| Some(s.difference.inverse_moment) },
    Feature { name: "Idmn", ibsi: Some("1QCO"), of: |s| Some(s.difference.inverse_moment_normalised) },
    Feature { name: "Idn", ibsi: Some("NDRX"), of: |s| Some(s.difference.inverse_normalised) },
    Feature { name: "Imc1", ibsi: Some("R8DG"), of: information_correlation_1 },
    Feature { name: "Imc2", ibsi: Some("JN9H"), of: information_correlation_2 },
    Feature { name: "InverseVariance", ibsi: Some("E8JP"), of: |s| Some(s.difference.inverse_variance) },
    Feature { name: "JointAverage", ibsi: Some("60VM"), of: |s| Some(s.joint.mean) },
    Feature { name: "JointEnergy", ibsi: Some("8ZQL"), of: |s| Some(s.joint.energy) },
    Feature { name: "JointEntropy", ibsi: Some("TU9B"), of: |s| Some(s.joint.entropy) },
    Feature { name: "MCC", ibsi: None, of: |s| Some(maximal_correlation(s)) },
    Feature { name: "MaximumProbability", ibsi: Some("GYBY"), of: |s| Some(s.joint.maximum) },
    Feature { name: "SumAverage", ibsi: Some("ZGXS"), of: |s| Some(s.sum.average) },
    Feature { name: "SumEntropy", ibsi: Some("P6QZ"), of: |s| Some(s.sum.entropy) },
    Feature { name: "SumSquares", ibsi: Some("UR99"), of: |s| Some(s.joint.variance) },
];

/// The wanted features of every region of a layout.
pub fn describe(wanted: &Wanted, layout: &Layout, levels: &Levels) -> Vec<Vec<Option<f64>>> {
    if wanted.glcm.is_empty() {
        return vec![Vec::new(); layout.regions.len()];
    }
    let mut summaries: Vec<Vec<Glcm>> = layout.regions.iter().map(|_| Vec::with_capacity(13)).collect();
    for direction in 0..13 {
        for (region, pairs) in co_occurrences(layout, levels, direction).into_iter().enumerate() {
            if !pairs.is_empty() {
                summaries[region].push(Glcm::of(pairs, levels, region));
            }
        }
    }
    summaries.iter().map(|directions| read_mean(&wanted.glcm, directions)).collect()
}

/// Grey levels up to which pairs are counted in a square table; beyond, they are sorted.
const DENSE: usize = 512;

/// Neighbours in one direction by their levels, for every region.
pub fn co_occurrences(layout: &Layout, levels: &Levels, direction: usize) -> Vec<Vec<Pair>> {
    let lists = &layout.pairs[direction];
    let step = layout.steps[direction];
    let regions = 0..layout.regions.len();
    if levels.span > DENSE {
        let counted = |region| sorted_pairs(&lists_of(layout, region, lists), levels, step, levels.lowest[region]);
        return regions.map(counted).collect();
    }
    let width = levels.span + 1;
    let tables: Vec<Vec<u32>> = lists.iter().map(|cells| table(cells, levels, step, width)).collect();
    let mut total = vec![0; width * width];
    let counted = |region| {
        total.fill(0);
        for table in lists_of(layout, region, &tables) {
            total.iter_mut().zip(table).for_each(|(total, n)| *total += n);
        }
        folded(&total, width, levels.range(region))
    };
    regions.map(counted).collect()
}

/// The items, one for each pair of shells, of those pairs that lie in a region.
fn lists_of<'a, T>(layout: &Layout, region: usize, items: &'a [Vec<T>]) -> Vec<&'a Vec<T>> {
    layout.pairs_of(region).map(|at| &items[at]).filter(|item| !item.is_empty()).collect()
}

/// Level of a cell by level of the cell one step on; empty for no cells.
fn table(cells: &[u32], levels: &Levels, step: usize, width: usize) -> Vec<u32> {
    if cells.is_empty() {
        return Vec::new();
    }
    let mut counts = vec![0; width * width];
    let (here, there) = (&levels.cells[..], &levels.cells[step..]);
    let at = |cell: u32| usize::from(here[cell as usize]) * width + usize::from(there[cell as usize]);
    // Neighbours are often alike, and a counter that was just written has to be waited for: two tables take turns.
    let two = if cells.len() > 4 * counts.len() { cells.len() / 2 } else { 0 };
    let (halves, rest) = cells.split_at(2 * two);
    if two > 0 {
        let mut others = vec![0; width * width];
        let (first, second) = halves.split_at(two);
        for (&a, &b) in first.iter().zip(second) {
            counts[at(a)] += 1;
            others[at(b)] += 1;
        }
        counts.iter_mut().zip(others).for_each(|(count, other): (&mut u32, u32)| *count += other);
    }
    rest.iter().for_each(|&cell| counts[at(cell)] += 1);
    counts
}

/// Both orders of two levels together; a region's own level numbers.
fn folded(table: &[u32], width: usize, range: std::ops::RangeInclusive<usize>) -> Vec<Pair> {
    let (first, last) = (*range.start(), *range.end());
    let mut pairs = Vec::new();
    for low in range {
        for high in low..=last {
            let n = table[low * width + high] + if low < high { table[high * width + low] } else { 0 };
            if n > 0 {
                pairs.push(Pair { low: (low - first + 1) as u16, high: (high - first + 1) as u16, n });
            }
        }
    }
    pairs
}

/// The same for so many levels that a table would not fit.
fn sorted_pairs(lists: &[&Vec<u32>], levels: &Levels, step: usize, first: usize) -> Vec<Pair> {
    let level = |cell: usize| levels.cells[cell] - first as u16 + 1;
    let key = |&cell: &u32| {
        let (a, b) = (level(cell as usize), level(cell as usize + step));
        (a.min(b), a.max(b))
    };
    let mut keys: Vec<(u16, u16)> = lists.iter().flat_map(|cells| cells.iter().map(key)).collect();
    keys.sort_unstable();
    keys.chunk_by(PartialEq::eq).map(|same| Pair { low: same[0].0, high: same[0].1, n: same.len() as u32 }).collect()
}

impl Glcm {
    fn of(pairs: Vec<Pair>, levels: &Levels, region: usize) -> Glcm {
        let highest = levels.highest[region] - levels.lowest[region] + 1;
        let n_levels = levels.counts[region].iter().filter(|&&count| count > 0).count();
        // Counts of unordered pairs: the matrix has each twice.
        let (mut marginal, mut sum, mut difference) =
            (vec![0u32; highest + 1], vec![0u32; 2 * highest + 1], vec![0u32; highest]);
        for pair in &pairs {
            let (low, high) = (usize::from(pair.low), usize::from(pair.high));
            marginal[low] += pair.n;
            marginal[high] += pair.n;
            sum[low + high] += pair.n;
            difference[high - low] += pair.n;
        }
        let n = f64::from(sum.iter().sum::<u32>());
        Glcm {
            n_levels,
            joint: Joint::of(&pairs, &marginal, 2.0 * n),
            sum: Sum::of(&sum, n),
            difference: Difference::of(&difference, n, highest as f64),
            pairs,
        }
    }
}

impl Joint {
    fn of(pairs: &[Pair], marginal: &[u32], total: f64) -> Joint {
        let n_log_n = NLogN::new();
        let inverse: Vec<f64> = marginal.iter().map(|&count| 1.0 / f64::from(count)).collect();
        let (mut squares, mut logs, mut cells, mut largest, mut ratios) = (0, 0.0, 0, 0, 0.0);
        for pair in pairs {
            // A pair of equal levels is one cell of the matrix that holds it in both orders.
            let (n, times) = if pair.low == pair.high { (2 * pair.n, 1) } else { (pair.n, 2) };
            squares += u64::from(times) * u64::from(n) * u64::from(n);
            logs += f64::from(times) * n_log_n.of(n);
            cells += times as usize;
            largest = largest.max(n);
            let product = inverse[usize::from(pair.low)] * inverse[usize::from(pair.high)];
            ratios += f64::from(times * n) * product;
        }
        let moment = moments(marginal, total);
        let present = marginal.iter().filter(|&&count| count > 0).count();
        let marginal_entropy = entropy(marginal.iter().map(|&count| n_log_n.of(count)).sum(), total, present);
        // Without the small number inside the logarithm.
        let product = 2.0 * (marginal_entropy + present as f64 * SHARE);
        Joint {
            mean: moment.0,
            variance: moment.1[0],
            energy: squares as f64 / (total * total),
            maximum: f64::from(largest) / total,
            entropy: entropy(logs, total, cells),
            marginal_entropy,
            cross_entropy: product - SHARE * ratios * total,
            product_entropy: product - SHARE * (present * present) as f64,
        }
    }
}

impl Sum {
    fn of(counts: &[u32], n: f64) -> Sum {
        let (average, moments) = moments(counts, n);
        Sum { average, moments, entropy: entropy_of(counts, n) }
    }
}

impl Difference {
    fn of(counts: &[u32], n: f64, highest: f64) -> Difference {
        let (average, [variance, ..]) = moments(counts, n);
        let mean = |of: &dyn Fn(f64) -> f64| {
            let terms = counts.iter().enumerate().map(|(k, &count)| f64::from(count) * of(k as f64));
            terms.sum::<f64>() / n
        };
        Difference {
            average,
            contrast: mean(&|k| k * k),
            variance,
            entropy: entropy_of(counts, n),
            inverse: mean(&|k| 1.0 / (1.0 + k)),
            inverse_moment: mean(&|k| 1.0 / (1.0 + k * k)),
            inverse_normalised: mean(&|k| 1.0 / (1.0 + k / highest)),
            inverse_moment_normalised: mean(&|k| 1.0 / (1.0 + k * k / (highest * highest))),
            inverse_variance: mean(&|k| if k > 0.0 { 1.0 / (k * k) } else { 0.0 }),
        }
    }
}

/// Mean of the positions, and their central moments of order 2 to 4.
fn moments(counts: &[u32], n: f64) -> (f64, [f64; 3]) {
    let mean = counts.iter().enumerate().map(|(at, &count)| at as f64 * f64::from(count)).sum::<f64>() / n;
    let mut sums = [0.0; 3];
    for (at, &count) in counts.iter().enumerate() {
        let d = at as f64 - mean;
        let square = f64::from(count) * d * d;
        sums[0] += square;
        sums[1] += square * d;
        sums[2] += square * d * d;
    }
    (mean, sums.map(|sum| sum / n))
}

fn entropy_of(counts: &[u32], n: f64) -> f64 {
    let n_log_n = NLogN::new();
    let present = counts.iter().filter(|&&count| count > 0).count();
    entropy(counts.iter().map(|&count| n_log_n.of(count)).sum(), n, present)
}

/// `i j` is a quarter of `(i + j)^2 - (i - j)^2`.
fn autocorrelation(glcm: &Glcm) -> Option<f64> {
    let squared_sum = glcm.sum.moments[0] + glcm.sum.average * glcm.sum.average;
    Some((squared_sum - glcm.difference.contrast) / 4.0)
}

fn correlation(glcm: &Glcm) -> Option<f64> {
    let covariance = (glcm.sum.moments[0] - glcm.difference.contrast) / 4.0;
    let variance = glcm.joint.variance;
    Some(if variance == 0.0 { 1.0 } else { covariance / (variance + f64::EPSILON) })
}

fn information_correlation_1(glcm: &Glcm) -> Option<f64> {
    let joint = &glcm.joint;
    let gained = joint.entropy - joint.cross_entropy;
    Some(if joint.marginal_entropy == 0.0 { 0.0 } else { gained / joint.marginal_entropy })
}

/// `None` when rounding makes the matrix more random than its marginals.
fn information_correlation_2(glcm: &Glcm) -> Option<f64> {
    let gained = glcm.joint.product_entropy - glcm.joint.entropy;
    (gained >= 0.0).then(|| (1.0 - (-2.0 * gained).exp()).sqrt())
}

/// The second largest absolute eigenvalue of the matrix divided by the roots of its marginals: its square is the
/// second eigenvalue of pyradiomics' Q. A single level gives 1.
fn maximal_correlation(glcm: &Glcm) -> f64 {
    if glcm.n_levels < 2 {
        return 1.0;
    }
    let mut present: Vec<u16> = glcm.pairs.iter().flat_map(|pair| [pair.low, pair.high]).collect();
    present.sort_unstable();
    present.dedup();
    let position = |level: u16| present.binary_search(&level).expect("every level of a pair is listed");
    if present.len() > DENSE_MCC {
        return sparse_correlation(glcm, present.len(), position);
    }
    let mut joint = DMatrix::<f64>::zeros(present.len(), present.len());
    for pair in &glcm.pairs {
        let (low, high) = (position(pair.low), position(pair.high));
        joint[(low, high)] += f64::from(pair.n);
        joint[(high, low)] += f64::from(pair.n);
    }
    let roots: Vec<f64> = joint.row_iter().map(|row| row.sum().sqrt()).collect();
    let scaled = DMatrix::from_fn(present.len(), present.len(), |i, j| joint[(i, j)] / (roots[i] * roots[j]));
    let mut sizes: Vec<f64> = scaled.symmetric_eigenvalues().iter().map(|value| value.abs()).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    sizes.get(1).copied().unwrap_or(0.0)
}

/// Levels up to which all eigenvalues are found; more, and the second alone is (equal to 1e-12).
const DENSE_MCC: usize = 128;

fn sparse_correlation(glcm: &Glcm, n: usize, position: impl Fn(u16) -> usize) -> f64 {
    let mut cells = Vec::with_capacity(2 * glcm.pairs.len());
    let mut marginal = vec![0.0; n];
    for pair in &glcm.pairs {
        let (low, high, n) = (position(pair.low), position(pair.high), f64::from(pair.n));
        marginal[low] += n;
        marginal[high] += n;
        if low == high {
            cells.push((low, low, 2.0 * n));
        } else {
            cells.extend([(low, high, n), (high, low, n)]);
        }
    }
    let total: f64 = marginal.iter().sum();
    cells.iter_mut().for_each(|(i, j, value)| *value /= (marginal[*i] * marginal[*j]).sqrt());
    let roots: Vec<f64> = marginal.iter().map(|n| (n / total).sqrt()).collect();
    second_singular_value(cells, &roots, &roots)
}
