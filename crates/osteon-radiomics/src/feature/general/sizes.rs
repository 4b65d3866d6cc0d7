//! Runs, zones and dependences, counted voxel by voxel.

use std::collections::{BTreeMap, HashSet};

use crate::feature::general::offsets::{both_ways, one_way};
use crate::feature::general::{Cells, Rules};
use crate::feature::sizes::Sizes;
use crate::feature::{Feature, read, read_mean};

type Kept = [&'static Feature<Sizes>];
/// How often a level and a size occur.
type Table = BTreeMap<(u32, u32), f64>;

/// Run length features: the mean over directions, or those of the weighted sum of all.
pub fn runs(kept: &Kept, cells: &Cells, rules: &Rules, spacing_mm: [f64; 3]) -> Vec<Option<f64>> {
    let offsets = one_way(cells.shape, &[1], rules.across);
    let tables = offsets.iter().map(|&offset| (offset, runs_along(cells, offset)));
    match rules.weighting {
        None => {
            let all: Vec<Sizes> = tables.filter_map(|(_, table)| of(&table)).collect();
            read_mean(kept, &all)
        }
        Some(norm) => {
            let mut sum = Table::new();
            for (offset, table) in tables {
                let weight = norm.length_mm(offset, spacing_mm);
                table.into_iter().for_each(|(key, n)| *sum.entry(key).or_default() += n * weight);
            }
            described(kept, &sum)
        }
    }
}

/// Zones of voxels of one level that touch.
pub fn zones(kept: &Kept, cells: &Cells, rules: &Rules) -> Vec<Option<f64>> {
    let offsets = both_ways(cells.shape, &[1], rules.across);
    let [_, ny, nx] = cells.shape;
    let place = |at: usize| [at / (ny * nx), at / nx % ny, at % nx];
    let mut seen = vec![false; cells.levels.len()];
    let mut table = Table::new();
    for (start, _) in cells.voxels() {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let (level, mut size, mut open) = (cells.levels[start], 0, vec![start]);
        while let Some(at) = open.pop() {
            size += 1;
            for &offset in &offsets {
                let Some(other) = cells.at(place(at), offset) else { continue };
                if cells.levels[other] == level && !std::mem::replace(&mut seen[other], true) {
                    open.push(other);
                }
            }
        }
        *table.entry((level, size)).or_default() += 1.0;
    }
    described(kept, &table)
}

/// One more than the neighbours whose level differs by at most `alpha`.
pub fn dependences(kept: &Kept, cells: &Cells, rules: &Rules) -> Vec<Option<f64>> {
    let offsets = both_ways(cells.shape, &rules.distances, rules.across);
    let mut table = Table::new();
    for (at, place) in cells.voxels() {
        let level = cells.levels[at];
        let depends = |offset: &&[isize; 3]| {
            cells.level_at(place, **offset).is_some_and(|other| other.abs_diff(level) <= rules.alpha)
        };
        *table.entry((level, offsets.iter().filter(depends).count() as u32 + 1)).or_default() += 1.0;
    }
    described(kept, &table)
}

/// Empty where no line holds two voxels.
fn runs_along(cells: &Cells, offset: [isize; 3]) -> Table {
    let back = offset.map(|by| -by);
    let mut table = Table::new();
    for (at, place) in cells.voxels() {
        let level = cells.levels[at];
        if cells.level_at(place, back) == Some(level) {
            continue;
        }
        let (mut length, mut here) = (1, place);
        while cells.level_at(here, offset) == Some(level) {
            here = std::array::from_fn(|k| here[k].wrapping_add_signed(offset[k]));
            length += 1;
        }
        *table.entry((level, length)).or_default() += 1.0;
    }
    if line_holds_two(cells, offset) { table } else { Table::new() }
}

fn line_holds_two(cells: &Cells, offset: [isize; 3]) -> bool {
    if cells.voxels().any(|(_, place)| cells.level_at(place, offset).is_some()) {
        return true;
    }
    let axis = offset.iter().position(|&by| by != 0).expect("an offset leads somewhere");
    let mut lines = HashSet::new();
    cells.voxels().any(|(_, place)| {
        let steps = place[axis] as isize * offset[axis];
        !lines.insert(std::array::from_fn::<isize, 3, _>(|k| place[k] as isize - steps * offset[k]))
    })
}

fn described(kept: &Kept, table: &Table) -> Vec<Option<f64>> {
    of(table).map_or_else(|| vec![None; kept.len()], |sizes| read(kept, &sizes))
}

fn of(table: &Table) -> Option<Sizes> {
    Sizes::of_cells(table.iter().map(|(&(level, size), &n)| (f64::from(level), f64::from(size), n)))
}
