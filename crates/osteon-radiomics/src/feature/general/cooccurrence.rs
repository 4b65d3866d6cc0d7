//! Co-occurrence features of matrices that need not be symmetrical nor of whole numbers.

use crate::feature::general::offsets::one_way;
use crate::feature::general::{Cells, Norm, Rules};
use crate::feature::glcm::FEATURES;
use crate::feature::logarithm::EPSILON;
use crate::feature::second::second_singular_value;

/// A level, the level of its neighbour, and how often.
type Entry = (u32, u32, f64);

/// One value a feature of `glcm::FEATURES`, the mean over the directions where it is defined.
pub fn describe(cells: &Cells, rules: &Rules, spacing_mm: [f64; 3], has_mcc: bool) -> Vec<Option<f64>> {
    let mut matrices = Vec::new();
    for offset in one_way(cells.shape, &rules.distances, rules.across) {
        let weight = rules.weighting.map_or(1.0, |norm| weight(norm, offset, spacing_mm));
        matrices.push(count(cells, offset, rules.symmetric, weight));
    }
    if rules.weighting.is_some() {
        matrices = vec![added(matrices.concat())];
    }
    let mut present: Vec<u32> = cells.levels.iter().copied().filter(|level| *level > 0).collect();
    present.sort_unstable();
    present.dedup();
    let all: Vec<[f64; FEATURES.len()]> =
        matrices.iter().filter_map(|matrix| Some(Matrix::new(matrix, &present, cells)?.features(has_mcc))).collect();
    (0..FEATURES.len())
        .map(|at| {
            let known: Vec<f64> = all.iter().map(|values| values[at]).filter(|value| value.is_finite()).collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        })
        .collect()
}

/// exp(-length2) of a direction.
fn weight(norm: Norm, offset: [isize; 3], spacing_mm: [f64; 3]) -> f64 {
    if norm == Norm::Equal { 1.0 } else { (-norm.length_mm(offset, spacing_mm).powi(2)).exp() }
}

fn count(cells: &Cells, offset: [isize; 3], symmetric: bool, weight: f64) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (at, place) in cells.voxels() {
        let level = cells.levels[at];
        if let Some(other) = cells.level_at(place, offset) {
            entries.push((level, other, weight));
            if symmetric {
                entries.push((other, level, weight));
            }
        }
    }
    added(entries)
}

/// Equal cells of a matrix as one.
fn added(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by_key(|&(i, j, _)| (i, j));
    let same = entries.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
    same.map(|cells| (cells[0].0, cells[0].1, cells.iter().map(|cell| cell.2).sum())).collect()
}

/// Probabilities of one matrix.
struct Matrix<'a> {
    /// Positions of two levels in `present`, and their probability.
    cells: Vec<(usize, usize, f64)>,
    present: &'a [u32],
    highest: usize,
    /// Whether the region has one level only.
    is_flat: bool,
    /// Marginals by position in `present`.
    px: Vec<f64>,
    py: Vec<f64>,
}

impl<'a> Matrix<'a> {
    /// `None` without a pair of neighbours.
    fn new(entries: &[Entry], present: &'a [u32], of: &Cells) -> Option<Matrix<'a>> {
        let total: f64 = entries.iter().map(|entry| entry.2).sum();
        if total <= 0.0 {
            return None;
        }
        let position = |level: u32| present.binary_search(&level).expect("every level is listed");
        let (mut px, mut py) = (vec![0.0; present.len()], vec![0.0; present.len()]);
        let mut cells = Vec::with_capacity(entries.len());
        for &(i, j, n) in entries {
            let (i, j, p) = (position(i), position(j), n / total);
            px[i] += p;
            py[j] += p;
            cells.push((i, j, p));
        }
        Some(Matrix { cells, present, highest: of.highest, is_flat: of.is_flat, px, py })
    }

    fn level(&self, at: usize) -> f64 {
        f64::from(self.present[at])
    }

    fn sum(&self, of: impl Fn(f64, f64) -> f64) -> f64 {
        self.cells.iter().map(|&(i, j, p)| p * of(self.level(i), self.level(j))).sum()
    }

    /// In the order of `glcm::FEATURES`; not a number where undefined.
    fn features(&self, has_mcc: bool) -> [f64; FEATURES.len()] {
        let (mut sums, mut differences) = (vec![0.0; 2 * self.highest + 1], vec![0.0; self.highest]);
        for &(i, j, p) in &self.cells {
            let (i, j) = (self.present[i] as usize, self.present[j] as usize);
            sums[i + j] += p;
            differences[i.abs_diff(j)] += p;
        }
        let ng = self.highest as f64;
        let (ux, uy) = (self.sum(|i, _| i), self.sum(|_, j| j));
        let cluster = |power: i32| self.sum(|i, j| (i + j - ux - uy).powi(power));
        let over = |shares: &[f64], of: &dyn Fn(f64) -> f64| -> f64 {
            shares.iter().enumerate().map(|(k, p)| p * of(k as f64)).sum()
        };
        let difference = |of: &dyn Fn(f64) -> f64| over(&differences, of);
        let average = difference(&|k| k);
        let squares = self.sum(|i, _| (i - ux).powi(2));
        let deviations = squares.sqrt() * self.sum(|_, j| (j - uy).powi(2)).sqrt();
        let covariance = self.sum(|i, j| (i - ux) * (j - uy));
        let joint = entropy(self.cells.iter().map(|cell| cell.2));
        [
            self.sum(|i, j| i * j),
            cluster(4),
            cluster(3),
            cluster(2),
            self.sum(|i, j| (i - j).powi(2)),
            if deviations == 0.0 { 1.0 } else { covariance / (deviations + EPSILON) },
            average,
            entropy(differences.iter().copied()),
            difference(&|k| (k - average).powi(2)),
            difference(&|k| 1.0 / (1.0 + k)),
            difference(&|k| 1.0 / (1.0 + k * k)),
            difference(&|k| 1.0 / (1.0 + k * k / (ng * ng))),
            difference(&|k| 1.0 / (1.0 + k / ng)),
            self.imc_1(joint),
            self.imc_2(joint),
            difference(&|k| if k > 0.0 { 1.0 / (k * k) } else { 0.0 }),
            ux,
            self.cells.iter().map(|cell| cell.2 * cell.2).sum(),
            joint,
            if has_mcc { self.mcc() } else { f64::NAN },
            self.cells.iter().map(|cell| cell.2).fold(0.0, f64::max),
            over(&sums, &|k| k),
            entropy(sums.iter().copied()),
            squares,
        ]
    }

    fn imc_1(&self, joint: f64) -> f64 {
        let cross = |&(i, j, p): &(usize, usize, f64)| -p * (self.px[i] * self.py[j] + EPSILON).log2();
        let gained = joint - self.cells.iter().map(cross).sum::<f64>();
        let most = entropy(self.px.iter().copied()).max(entropy(self.py.iter().copied()));
        if most == 0.0 { 0.0 } else { gained / most }
    }

    fn imc_2(&self, joint: f64) -> f64 {
        let product = entropy(self.px.iter().flat_map(|x| self.py.iter().map(move |y| x * y)));
        if product == joint { 0.0 } else { (1.0 - (-2.0 * (product - joint)).exp()).sqrt() }
    }

    /// The second singular value of the matrix divided by the roots of its marginals: its square is the second
    /// eigenvalue of pyradiomics' Q.
    fn mcc(&self) -> f64 {
        if self.present.len() < 2 {
            // pyradiomics calls a flat region 1; in a flat kernel the second eigenvalue is 0.
            return if self.is_flat { 1.0 } else { 0.0 };
        }
        let scaled = self.cells.iter().map(|&(i, j, p)| (i, j, p / (self.px[i] * self.py[j]).sqrt())).collect();
        let roots = |shares: &[f64]| shares.iter().map(|share| share.sqrt()).collect::<Vec<_>>();
        second_singular_value(scaled, &roots(&self.px), &roots(&self.py))
    }
}

fn entropy(shares: impl Iterator<Item = f64>) -> f64 {
    -shares.filter(|share| *share > 0.0).map(|share| share * (share + EPSILON).log2()).sum::<f64>()
}
