//! Neighbourhood grey tone difference (5 features): a voxel's level against the mean of its neighbours.

use crate::feature::layout::Layout;
use crate::feature::levels::Levels;
use crate::feature::{Feature, Wanted, read};
use osteon_base::wide::wide;

/// What the neighbourhood features are read from: one entry for each level that the region has.
pub struct Ngtdm {
    /// The region's own level numbers.
    level: Vec<f64>,
    /// Share of the region's voxels.
    share: Vec<f64>,
    /// Sum of the absolute differences between a voxel's level and its neighbours' mean.
    difference: Vec<f64>,
    n: f64,
}

/// pyradiomics' neighbourhood features. A voxel without neighbours has no difference but is counted; the IBSI leaves
/// it out.
pub const FEATURES: &[Feature<Ngtdm>] = &[
    Feature { name: "Busyness", ibsi: Some("NQ30"), of: busyness },
    Feature { name: "Coarseness", ibsi: Some("QCDE"), of: coarseness },
    Feature { name: "Complexity", ibsi: Some("HDEZ"), of: complexity },
    Feature { name: "Contrast", ibsi: Some("65HE"), of: contrast },
    Feature { name: "Strength", ibsi: Some("1X9X"), of: strength },
];

/// Levels up to which the sums of 26 neighbours of four shells fit into one word.
pub const MAX_PACKED: usize = u16::MAX as usize / 26;

/// The wanted features of every region of a layout.
///
/// # Panics
/// When there are several shells and more than `MAX_PACKED` levels.
pub fn describe(wanted: &Wanted, layout: &Layout, levels: &Levels) -> Vec<Vec<Option<f64>>> {
    if wanted.ngtdm.is_empty() {
        return vec![Vec::new(); layout.regions.len()];
    }
    let differences = differences(layout, levels);
    let summary = |region: usize| Ngtdm::of(&differences[region], levels, region);
    (0..layout.regions.len()).map(|region| read(&wanted.ngtdm, &summary(region))).collect()
}

/// A voxel of level `i` among `n` neighbours whose levels add up to `s` differs from their mean by `|n i - s| / n`.
/// The numerators are whole: they are added up by level and by `n`, exactly and in any order.
pub fn differences(layout: &Layout, levels: &Levels) -> Vec<Vec<u64>> {
    assert!(layout.n_shells == 1 || levels.span <= MAX_PACKED, "the sums of four shells fit into one word");
    let sums = neighbour_sums(layout, levels);
    let mut found = vec![vec![0u64; (levels.span + 1) * 27]; layout.regions.len()];
    for (shell, voxels) in layout.shells() {
        let inside = |region: &usize| layout.regions[*region].contains(&shell);
        let regions: Vec<(usize, u32, u64)> = (0..found.len())
            .filter(inside)
            .map(|region| (region, layout.byte_mask(region), word_mask(layout, region)))
            .collect();
        for voxel in voxels {
            let level = u64::from(levels.of_voxel[voxel]);
            let (sum, n) = (sums[voxel], layout.neighbours[voxel]);
            for &(region, bytes, words) in &regions {
                let n = u64::from((n & bytes).wrapping_mul(0x0101_0101) >> 24);
                let sum = if layout.n_shells == 1 { sum } else { (sum & words).wrapping_mul(0x1_0001_0001_0001) >> 48 };
                found[region][(level * 27 + n) as usize] += (n * level).abs_diff(sum);
            }
        }
    }
    found
}

/// Sixteen bits for each shell of a region, all set.
fn word_mask(layout: &Layout, region: usize) -> u64 {
    layout.regions[region].clone().map(|shell| 0xffff << (16 * shell)).sum()
}

/// Of every voxel: the sum of its neighbours' levels by shell, sixteen bits a shell; all in one word for one shell.
fn neighbour_sums(layout: &Layout, levels: &Levels) -> Vec<u64> {
    let word = |cell: usize| match layout.shell_of[cell] {
        crate::feature::layout::OUTSIDE => 0,
        shell => u64::from(levels.cells[cell]) << (16 * shell),
    };
    let words: Vec<u64> = (0..layout.n_cells).map(word).collect();
    let (mut columns, mut planes) = (vec![0; words.len()], vec![0; words.len()]);
    triples(&words, layout.strides[1], &mut columns);
    triples(&columns, layout.strides[0], &mut planes);
    let around = |&cell: &u32| {
        let cell = cell as usize;
        planes[cell - 1] + planes[cell] + planes[cell + 1] - words[cell]
    };
    layout.cells.iter().map(around).collect()
}

wide! {
    /// Each word with the words `stride` before and after it; nothing at the ends.
    fn triples(words: &[u64], stride: usize, sums: &mut [u64]) {
        let inner = stride..words.len() - stride;
        let triples = words.iter().zip(&words[stride..]).zip(&words[2 * stride..]);
        sums[inner].iter_mut().zip(triples).for_each(|(sum, ((a, b), c))| *sum = a + b + c);
    }
}

impl Ngtdm {
    fn of(differences: &[u64], levels: &Levels, region: usize) -> Ngtdm {
        let counts = &levels.counts[region];
        let n = f64::from(counts.iter().sum::<u32>());
        let present = || counts.iter().enumerate().filter(|count| *count.1 > 0);
        let difference = |level: usize| {
            let by_neighbours = differences[level * 27..][..27].iter().enumerate().skip(1);
            by_neighbours.map(|(n, &sum)| sum as f64 / n as f64).sum()
        };
        Ngtdm {
            level: present().map(|(level, _)| (level - levels.lowest[region] + 1) as f64).collect(),
            share: present().map(|(_, &count)| f64::from(count) / n).collect(),
            difference: present().map(|(level, _)| difference(level)).collect(),
            n,
        }
    }

    /// Of one row a level from 0 on: voxels, and the sum of their differences; rows without voxels are left out.
    pub fn of_rows(rows: &[(f64, f64)]) -> Ngtdm {
        let n: f64 = rows.iter().map(|row| row.0).sum();
        let present = || rows.iter().enumerate().filter(|(_, row)| row.0 > 0.0);
        Ngtdm {
            level: present().map(|(level, _)| level as f64).collect(),
            share: present().map(|(_, row)| row.0 / n).collect(),
            difference: present().map(|(_, row)| row.1).collect(),
            n,
        }
    }

    /// Sum over all ordered pairs of levels.
    fn over_pairs(&self, of: impl Fn(usize, usize) -> f64) -> f64 {
        let below = |i: usize| (0..i).map(|j| of(i, j)).sum::<f64>();
        2.0 * (0..self.level.len()).map(below).sum::<f64>()
    }

    fn weighted_difference(&self) -> f64 {
        self.share.iter().zip(&self.difference).map(|(share, difference)| share * difference).sum()
    }
}

/// A million where nothing differs.
fn coarseness(s: &Ngtdm) -> Option<f64> {
    let weighted = s.weighted_difference();
    Some(if weighted == 0.0 { 1e6 } else { 1.0 / weighted })
}

fn contrast(s: &Ngtdm) -> Option<f64> {
    let n = s.level.len() as f64;
    let apart = s.over_pairs(|i, j| s.share[i] * s.share[j] * (s.level[i] - s.level[j]).powi(2));
    let differences = s.difference.iter().sum::<f64>();
    Some(if n < 2.0 { 0.0 } else { apart * differences / s.n / (n * (n - 1.0)) })
}

fn busyness(s: &Ngtdm) -> Option<f64> {
    let apart = s.over_pairs(|i, j| (s.level[i] * s.share[i] - s.level[j] * s.share[j]).abs());
    Some(if apart == 0.0 { 0.0 } else { s.weighted_difference() / apart })
}

fn complexity(s: &Ngtdm) -> Option<f64> {
    let term = |i: usize, j: usize| {
        let weighted = s.share[i] * s.difference[i] + s.share[j] * s.difference[j];
        (s.level[i] - s.level[j]).abs() * weighted / (s.share[i] + s.share[j])
    };
    Some(s.over_pairs(term) / s.n)
}

fn strength(s: &Ngtdm) -> Option<f64> {
    let apart = s.over_pairs(|i, j| (s.share[i] + s.share[j]) * (s.level[i] - s.level[j]).powi(2));
    let differences = s.difference.iter().sum::<f64>();
    Some(if differences == 0.0 { 0.0 } else { apart / differences })
}
