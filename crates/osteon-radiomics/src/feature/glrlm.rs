//! Grey level runs (16 features): one table a direction, features averaged over directions.

use crate::feature::layout::{Layout, pair};
use crate::feature::levels::Levels;
use crate::feature::plane::{Plane, bits, set_alike, window, window_before};
use crate::feature::sizes::{LevelPowers, SizeTable, Sizes};
use crate::feature::{Feature, Wanted, read_mean};
use osteon_base::wide::wide;

/// pyradiomics' run length features.
pub const FEATURES: &[Feature<Sizes>] = &[
    Feature { name: "GrayLevelNonUniformity", ibsi: Some("R5YN"), of: |s| Some(s.level_non_uniformity) },
    Feature {
        name: "GrayLevelNonUniformityNormalized",
        ibsi: Some("OVBL"),
        of: |s| Some(s.level_non_uniformity / s.n),
    },
    Feature { name: "GrayLevelVariance", ibsi: Some("8CE5"), of: |s| Some(s.level_variance) },
    Feature { name: "HighGrayLevelRunEmphasis", ibsi: Some("G3QZ"), of: |s| Some(s.high) },
    Feature { name: "LongRunEmphasis", ibsi: Some("W4KF"), of: |s| Some(s.large) },
    Feature { name: "LongRunHighGrayLevelEmphasis", ibsi: Some("3KUM"), of: |s| Some(s.large_high) },
    Feature { name: "LongRunLowGrayLevelEmphasis", ibsi: Some("IVPO"), of: |s| Some(s.large_low) },
    Feature { name: "LowGrayLevelRunEmphasis", ibsi: Some("V3SW"), of: |s| Some(s.low) },
    Feature { name: "RunEntropy", ibsi: Some("HJ9O"), of: |s| Some(s.entropy) },
    Feature { name: "RunLengthNonUniformity", ibsi: Some("W92Y"), of: |s| Some(s.size_non_uniformity) },
    Feature { name: "RunLengthNonUniformityNormalized", ibsi: Some("IC23"), of: |s| Some(s.size_non_uniformity / s.n) },
    Feature { name: "RunPercentage", ibsi: Some("9ZK5"), of: |s| Some(s.n / s.voxels) },
    Feature { name: "RunVariance", ibsi: Some("SXLW"), of: |s| Some(s.size_variance) },
    Feature { name: "ShortRunEmphasis", ibsi: Some("22OV"), of: |s| Some(s.small) },
    Feature { name: "ShortRunHighGrayLevelEmphasis", ibsi: Some("GD3A"), of: |s| Some(s.small_high) },
    Feature { name: "ShortRunLowGrayLevelEmphasis", ibsi: Some("HTZT"), of: |s| Some(s.small_low) },
];

/// The wanted features of every region of a layout.
pub fn describe(wanted: &Wanted, layout: &Layout, levels: &Levels) -> Vec<Vec<Option<f64>>> {
    let regions = 0..layout.regions.len();
    if wanted.glrlm.is_empty() {
        return vec![Vec::new(); regions.len()];
    }
    let powers: Vec<LevelPowers> =
        regions.clone().map(|region| LevelPowers::new(levels.span, levels.lowest[region])).collect();
    let mut summaries: Vec<Vec<Sizes>> = regions.clone().map(|_| Vec::with_capacity(13)).collect();
    let mut runs = Runs::new(layout, levels);
    for direction in 0..layout.steps.len() {
        count(&mut runs, direction);
        for region in regions.clone().filter(|&region| layout.lines[region][direction]) {
            summaries[region].extend(Sizes::of(runs.of(region), &powers[region]));
        }
    }
    summaries.iter().map(|directions| read_mean(&wanted.glrlm, directions)).collect()
}

wide! {
    /// Sixty-four voxels at a time: where runs start, and of these which go on, step by step, until none does.
    fn count(runs: &mut Runs<'_>, direction: usize) {
        runs.tables.iter_mut().for_each(SizeTable::clear);
        let step = runs.layout.steps[direction];
        set_alike(&mut runs.links, &runs.levels.cells, step, &runs.layout.inside);
        let same_shell = &runs.layout.same_shell_ahead[direction];
        for first in (0..runs.layout.n_cells).step_by(64) {
            let mut running = window(&runs.links, first) & !window_before(&runs.links, first, step);
            let short = running & !window(same_shell, first) & !window(&runs.links, first + step);
            for bit in bits(short) {
                runs.add_two(first + bit, step);
            }
            running &= !short;
            let (mut crossing, mut length, mut at) = (0, 1, first);
            while running != 0 {
                let (linked, same) = (window(&runs.links, at), window(same_shell, at));
                for bit in bits(running & !linked) {
                    let (shell, level) = (runs.layout.shell_of[first + bit], runs.levels.cells[first + bit]);
                    runs.tables[pair(usize::from(shell), usize::from(shell))].add(level, length);
                }
                crossing |= running & linked & !same;
                running &= linked & same;
                (at, length) = (at + step, length + 1);
            }
            for bit in bits(crossing) {
                runs.follow(first + bit, step);
            }
        }
    }
}

/// Runs of one direction, of two voxels and more; runs of one voxel are what is left.
pub struct Runs<'a> {
    layout: &'a Layout,
    levels: &'a Levels,
    /// By `pair` of shells: what regions that reach over both have beside what smaller regions have.
    tables: Vec<SizeTable>,
    of_region: SizeTable,
    /// Voxels whose next voxel has their level.
    links: Plane,
    /// Shell and length of each part of the run at hand that lies in one shell.
    parts: Vec<(u8, u32)>,
}

impl<'a> Runs<'a> {
    pub fn new(layout: &'a Layout, levels: &'a Levels) -> Runs<'a> {
        let tables = vec![SizeTable::new(levels.span); pair(0, layout.n_shells)];
        let of_region = SizeTable::new(levels.span);
        Runs { layout, levels, tables, of_region, links: Plane::new(), parts: Vec::new() }
    }

    /// Counts a run of two voxels in two shells.
    fn add_two(&mut self, start: usize, step: usize) {
        let [a, b] = [start, start + step].map(|cell| usize::from(self.layout.shell_of[cell]));
        self.tables[pair(a, b)].add(self.levels.cells[start], 2);
    }

    /// Counts a run that crosses shells.
    fn follow(&mut self, start: usize, step: usize) {
        let level = self.levels.cells[start];
        let (mut cell, mut shell, mut length) = (start, self.layout.shell_of[start], 1);
        self.parts.clear();
        while self.levels.cells[cell + step] == level {
            cell += step;
            let next = self.layout.shell_of[cell];
            if next != shell {
                self.parts.push((shell, length));
                (shell, length) = (next, 0);
            }
            length += 1;
        }
        self.parts.push((shell, length));
        self.share_out(level);
    }

    /// A region sees as one run each stretch of parts that lies inside it. Of every stretch the run is added, and the
    /// runs that it takes the place of are taken back, at the lowest and highest shell of the stretch: the sum over
    /// all stretches within a region leaves the longest ones.
    fn share_out(&mut self, level: u16) {
        const LESS_ONE: u32 = u32::MAX;
        for (at, &(shell, head)) in self.parts.iter().enumerate() {
            let (mut low, mut high, mut length) = (shell, shell, 0);
            for (further, &(shell, tail)) in self.parts[at..].iter().enumerate() {
                (low, high, length) = (low.min(shell), high.max(shell), length + tail);
                let table = &mut self.tables[pair(usize::from(low), usize::from(high))];
                let mut change = |length: u32, n: u32| {
                    if length > 1 {
                        table.change(level, length, n);
                    }
                };
                change(length, 1);
                if further > 0 {
                    change(length - head, LESS_ONE);
                    change(length - tail, LESS_ONE);
                }
                if further > 1 {
                    change(length - head - tail, 1);
                }
            }
        }
    }

    /// All runs of a region.
    fn of(&mut self, region: usize) -> &mut SizeTable {
        self.of_region.clear();
        for at in self.layout.pairs_of(region) {
            self.of_region.merge(&self.tables[at]);
        }
        self.of_region.fill_singles(&self.levels.counts[region]);
        &mut self.of_region
    }
}
