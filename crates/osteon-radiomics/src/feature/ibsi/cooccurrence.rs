//! Grey level co-occurrence: 25 features of neighbours' levels, distance 1, symmetric.

use crate::feature::ibsi::texture::{Dimension, Levels, Pairs, table};

/// Name and IBSI code of every feature, in the order of `features`.
pub const NAMES: [(&str, &str); 25] = [
    ("cm_joint_max", "GYBY"),
    ("cm_joint_avg", "60VM"),
    ("cm_joint_var", "UR99"),
    ("cm_joint_entr", "TU9B"),
    ("cm_diff_avg", "TF7R"),
    ("cm_diff_var", "D3YU"),
    ("cm_diff_entr", "NTRS"),
    ("cm_sum_avg", "ZGXS"),
    ("cm_sum_var", "OEEB"),
    ("cm_sum_entr", "P6QZ"),
    ("cm_energy", "8ZQL"),
    ("cm_contrast", "ACUI"),
    ("cm_dissimilarity", "8S9J"),
    ("cm_inv_diff", "IB1Z"),
    ("cm_inv_diff_norm", "NDRX"),
    ("cm_inv_diff_mom", "WF0Z"),
    ("cm_inv_diff_mom_norm", "1QCO"),
    ("cm_inv_var", "E8JP"),
    ("cm_corr", "NI2N"),
    ("cm_auto_corr", "QWB0"),
    ("cm_clust_tend", "DG8W"),
    ("cm_clust_shade", "7NFM"),
    ("cm_clust_prom", "AE86"),
    ("cm_info_corr1", "R8DG"),
    ("cm_info_corr2", "JN9H"),
];

/// Levels of neighbours, both orders, by slab and direction.
pub fn pairs(levels: &Levels, dimension: Dimension) -> Vec<Vec<Pairs>> {
    let steps = levels.region.steps();
    let along = |cells: &[usize], step: isize| {
        let mut pairs = Vec::with_capacity(2 * cells.len());
        for &cell in cells {
            let (here, there) = (levels.cells[cell], levels.next(cell, step));
            if there > 0 {
                pairs.extend([(here, there), (there, here)]);
            }
        }
        Pairs { pairs, voxels: cells.len() }
    };
    let of_slab = |cells: &[usize]| steps[..dimension.directions()].iter().map(|&step| along(cells, step)).collect();
    levels.slabs(dimension).into_iter().map(of_slab).collect()
}

/// The features of one matrix of `n_levels` levels.
pub fn features(pairs: &Pairs, n_levels: f64) -> [Option<f64>; 25] {
    let total = pairs.pairs.len() as f64;
    let cells: Vec<(f64, f64, f64)> =
        table(pairs.pairs.clone()).into_iter().map(|(i, j, n)| (f64::from(i), f64::from(j), n / total)).collect();
    let mean = |of: &dyn Fn(f64, f64) -> f64| cells.iter().map(|&(i, j, p)| p * of(i, j)).sum::<f64>();
    let average = mean(&|i, _| i);
    let variance = mean(&|i, _| (i - average).powi(2));
    let joint_entropy = entropy(cells.iter().map(|cell| cell.2));
    let difference = marginal(&cells, |i, j| (i - j).abs());
    let sum = marginal(&cells, |i, j| i + j);
    let single = marginal(&cells, |i, _| i);
    let difference_average = mean(&|i, j| (i - j).abs());
    let contrast = mean(&|i, j| (i - j).powi(2));
    let cluster = |power: i32| mean(&|i, j| (i + j - 2.0 * average).powi(power));
    let own_entropy = entropy(single.iter().map(|it| it.1));
    let probability = |level: f64| single[single.partition_point(|it| it.0 < level)].1;
    let crossed = -mean(&|i, j| (probability(i) * probability(j)).log2());
    let gained = 2.0 * own_entropy - joint_entropy;
    let inverse = |of: &dyn Fn(f64) -> f64| mean(&|i, j| 1.0 / (1.0 + of((i - j).abs())));
    [
        cells.iter().map(|cell| cell.2).reduce(f64::max),
        Some(average),
        Some(variance),
        Some(joint_entropy),
        Some(difference_average),
        Some(mean(&|i, j| ((i - j).abs() - difference_average).powi(2))),
        Some(entropy(difference.iter().map(|it| it.1))),
        Some(2.0 * average),
        Some(cluster(2)),
        Some(entropy(sum.iter().map(|it| it.1))),
        Some(cells.iter().map(|cell| cell.2 * cell.2).sum()),
        Some(contrast),
        Some(difference_average),
        Some(inverse(&|d| d)),
        Some(inverse(&|d| d / n_levels)),
        Some(inverse(&|d| d * d)),
        Some(inverse(&|d| (d / n_levels).powi(2))),
        Some(mean(&|i, j| if i == j { 0.0 } else { (i - j).powi(-2) })),
        // A single level is perfectly correlated with itself.
        Some(if single.len() == 1 { 1.0 } else { mean(&|i, j| (i - average) * (j - average)) / variance }),
        Some(mean(&|i, j| i * j)),
        Some(cluster(2)),
        Some(cluster(3)),
        Some(cluster(4)),
        Some(if single.len() == 1 { 1.0 } else { (joint_entropy - crossed) / own_entropy }),
        Some(if gained > 0.0 { (1.0 - (-2.0 * gained).exp()).sqrt() } else { 0.0 }),
    ]
}

/// Probability by value of `key`, ascending.
fn marginal(cells: &[(f64, f64, f64)], key: impl Fn(f64, f64) -> f64) -> Vec<(f64, f64)> {
    let mut keyed: Vec<(f64, f64)> = cells.iter().map(|&(i, j, p)| (key(i, j), p)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    keyed.chunk_by(|a, b| a.0 == b.0).map(|same| (same[0].0, same.iter().map(|it| it.1).sum())).collect()
}

fn entropy(probabilities: impl Iterator<Item = f64>) -> f64 {
    -probabilities.map(|p| p * p.log2()).sum::<f64>()
}
