//! Runs, zones, zone distances and dependences: counts by level and by size, described alike.

use std::collections::VecDeque;

use crate::feature::ibsi::texture::{Dimension, Levels, Pairs, table};

pub const RUNS: [(&str, &str); 16] = [
    ("rlm_sre", "22OV"),
    ("rlm_lre", "W4KF"),
    ("rlm_lgre", "V3SW"),
    ("rlm_hgre", "G3QZ"),
    ("rlm_srlge", "HTZT"),
    ("rlm_srhge", "GD3A"),
    ("rlm_lrlge", "IVPO"),
    ("rlm_lrhge", "3KUM"),
    ("rlm_glnu", "R5YN"),
    ("rlm_glnu_norm", "OVBL"),
    ("rlm_rlnu", "W92Y"),
    ("rlm_rlnu_norm", "IC23"),
    ("rlm_r_perc", "9ZK5"),
    ("rlm_gl_var", "8CE5"),
    ("rlm_rl_var", "SXLW"),
    ("rlm_rl_entr", "HJ9O"),
];

pub const ZONES: [(&str, &str); 16] = [
    ("szm_sze", "5QRC"),
    ("szm_lze", "48P8"),
    ("szm_lgze", "XMSY"),
    ("szm_hgze", "5GN9"),
    ("szm_szlge", "5RAI"),
    ("szm_szhge", "HW1V"),
    ("szm_lzlge", "YH51"),
    ("szm_lzhge", "J17V"),
    ("szm_glnu", "JNSA"),
    ("szm_glnu_norm", "Y1RO"),
    ("szm_zsnu", "4JP3"),
    ("szm_zsnu_norm", "VB3A"),
    ("szm_z_perc", "P30P"),
    ("szm_gl_var", "BYLV"),
    ("szm_zs_var", "3NSA"),
    ("szm_zs_entr", "GU8N"),
];

pub const DISTANCES: [(&str, &str); 16] = [
    ("dzm_sde", "0GBI"),
    ("dzm_lde", "MB4I"),
    ("dzm_lgze", "S1RA"),
    ("dzm_hgze", "K26C"),
    ("dzm_sdlge", "RUVG"),
    ("dzm_sdhge", "DKNJ"),
    ("dzm_ldlge", "A7WM"),
    ("dzm_ldhge", "KLTH"),
    ("dzm_glnu", "VFT7"),
    ("dzm_glnu_norm", "7HP3"),
    ("dzm_zdnu", "V294"),
    ("dzm_zdnu_norm", "IATH"),
    ("dzm_z_perc", "VIWW"),
    ("dzm_gl_var", "QK93"),
    ("dzm_zd_var", "7WT1"),
    ("dzm_zd_entr", "GBDU"),
];

pub const DEPENDENCES: [(&str, &str); 17] = [
    ("ngl_lde", "SODN"),
    ("ngl_hde", "IMOQ"),
    ("ngl_lgce", "TL9H"),
    ("ngl_hgce", "OAE7"),
    ("ngl_ldlge", "EQ3F"),
    ("ngl_ldhge", "JA6D"),
    ("ngl_hdlge", "NBZI"),
    ("ngl_hdhge", "9QMG"),
    ("ngl_glnu", "FP8K"),
    ("ngl_glnu_norm", "5SPA"),
    ("ngl_dcnu", "Z87G"),
    ("ngl_dcnu_norm", "OKJI"),
    ("ngl_dc_perc", "6XV8"),
    ("ngl_gl_var", "1PFV"),
    ("ngl_dc_var", "DNX2"),
    ("ngl_dc_entr", "FCBV"),
    ("ngl_dc_energy", "CAS9"),
];

/// Level and length of every run, by slab and direction.
pub fn runs(levels: &Levels, dimension: Dimension) -> Vec<Vec<Pairs>> {
    let steps = levels.region.steps();
    let along = |cells: &[usize], step: isize| {
        let begins = |cell: &&usize| levels.next(**cell, -step) != levels.cells[**cell];
        let run = |&cell: &usize| {
            let level = levels.cells[cell];
            let goes_on = |length: &u32| levels.next(cell, step * *length as isize) == level;
            (level, (1..).find(|length| !goes_on(length)).expect("a run ends at the padding"))
        };
        Pairs { pairs: cells.iter().filter(begins).map(run).collect(), voxels: cells.len() }
    };
    let of_slab = |cells: &[usize]| steps[..dimension.directions()].iter().map(|&step| along(cells, step)).collect();
    levels.slabs(dimension).into_iter().map(of_slab).collect()
}

/// Level and size of every zone of touching voxels of one level, and its level and distance from the outline.
pub fn zones(levels: &Levels, dimension: Dimension) -> [Vec<Vec<Pairs>>; 2] {
    let neighbours = levels.neighbours(dimension);
    let distances = distances(levels, dimension);
    let mut seen = vec![false; levels.cells.len()];
    let mut found = [Vec::new(), Vec::new()];
    for cells in levels.slabs(dimension) {
        let [mut sizes, mut depths] = [Vec::new(), Vec::new()];
        for &first in cells {
            if seen[first] {
                continue;
            }
            let level = levels.cells[first];
            let (mut zone, mut next, mut depth) = (vec![first], 0, u32::MAX);
            seen[first] = true;
            while let Some(&cell) = zone.get(next) {
                next += 1;
                depth = depth.min(distances[cell]);
                for &step in &neighbours {
                    let there = cell.strict_add_signed(step);
                    if levels.cells[there] == level && !seen[there] {
                        seen[there] = true;
                        zone.push(there);
                    }
                }
            }
            sizes.push((level, zone.len() as u32));
            depths.push((level, depth));
        }
        found[0].push(vec![Pairs { pairs: sizes, voxels: cells.len() }]);
        found[1].push(vec![Pairs { pairs: depths, voxels: cells.len() }]);
    }
    found
}

/// Steps from every cell of the outline to the nearest one outside, straight along the axes: 1 at the border.
fn distances(levels: &Levels, dimension: Dimension) -> Vec<u32> {
    let region = levels.region;
    let [_, ny, nx] = region.shape.map(|n| n as isize);
    let steps =
        if dimension == Dimension::Volume { vec![1, -1, nx, -nx, nx * ny, -nx * ny] } else { vec![1, -1, nx, -nx] };
    let mut distances = vec![0; region.in_outline.len()];
    let mut queue: VecDeque<usize> = VecDeque::new();
    for &cell in &region.outline {
        if steps.iter().any(|&step| !region.in_outline[cell.strict_add_signed(step)]) {
            distances[cell] = 1;
            queue.push_back(cell);
        }
    }
    while let Some(cell) = queue.pop_front() {
        for &step in &steps {
            let there = cell.strict_add_signed(step);
            if region.in_outline[there] && distances[there] == 0 {
                distances[there] = distances[cell] + 1;
                queue.push_back(there);
            }
        }
    }
    distances
}

/// Level of every voxel, and one more than its neighbours of the same level, by slab.
pub fn dependences(levels: &Levels, dimension: Dimension) -> Vec<Vec<Pairs>> {
    let neighbours = levels.neighbours(dimension);
    let of_voxel = |&cell: &usize| {
        let level = levels.cells[cell];
        (level, 1 + neighbours.iter().filter(|&&step| levels.next(cell, step) == level).count() as u32)
    };
    let of_slab = |cells: &[usize]| vec![Pairs { pairs: cells.iter().map(of_voxel).collect(), voxels: cells.len() }];
    levels.slabs(dimension).into_iter().map(of_slab).collect()
}

/// The features of one matrix, in the order of the names; the last is the energy, which only dependences have.
pub fn features(pairs: &Pairs) -> [Option<f64>; 17] {
    let n = pairs.pairs.len() as f64;
    let cells = table(pairs.pairs.clone());
    let mean = |of: &dyn Fn(f64, f64) -> f64| {
        cells.iter().map(|&(level, size, count)| count * of(f64::from(level), f64::from(size))).sum::<f64>() / n
    };
    let squares = |key: &dyn Fn(&(u32, u32, f64)) -> u32| {
        let mut keyed: Vec<(u32, f64)> = cells.iter().map(|cell| (key(cell), cell.2)).collect();
        keyed.sort_unstable_by_key(|it| it.0);
        keyed.chunk_by(|a, b| a.0 == b.0).map(|same| same.iter().map(|it| it.1).sum::<f64>().powi(2)).sum::<f64>()
    };
    let (by_level, by_size) = (squares(&|cell| cell.0), squares(&|cell| cell.1));
    let (level_mean, size_mean) = (mean(&|level, _| level), mean(&|_, size| size));
    [
        mean(&|_, size| size.powi(-2)),
        mean(&|_, size| size.powi(2)),
        mean(&|level, _| level.powi(-2)),
        mean(&|level, _| level.powi(2)),
        mean(&|level, size| (level * size).powi(-2)),
        mean(&|level, size| (level / size).powi(2)),
        mean(&|level, size| (size / level).powi(2)),
        mean(&|level, size| (level * size).powi(2)),
        by_level / n,
        by_level / (n * n),
        by_size / n,
        by_size / (n * n),
        n / pairs.voxels as f64,
        mean(&|level, _| (level - level_mean).powi(2)),
        mean(&|_, size| (size - size_mean).powi(2)),
        -cells.iter().map(|cell| cell.2 / n * (cell.2 / n).log2()).sum::<f64>(),
        cells.iter().map(|cell| (cell.2 / n).powi(2)).sum(),
    ]
    .map(Some)
}
