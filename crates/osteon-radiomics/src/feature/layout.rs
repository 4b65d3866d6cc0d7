//! Where the voxels of some regions lie: everything that depends on the mask alone, made once for all images.
//!
//! Regions are unions of consecutive shells, so that what is counted in a shell, or between two shells, is counted
//! once and added up. Voxels are listed shell by shell: a region is one slice of the list.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::feature::plane::{Plane, Planes, plane};
use crate::grid::{Bounds, Grid};

/// One neighbour of each of the 13 opposite pairs (z, y, x), in the order of memory.
pub const DIRECTIONS: [[isize; 3]; 13] = [
    [0, 0, 1],
    [0, 1, -1],
    [0, 1, 0],
    [0, 1, 1],
    [1, -1, -1],
    [1, -1, 0],
    [1, -1, 1],
    [1, 0, -1],
    [1, 0, 0],
    [1, 0, 1],
    [1, 1, -1],
    [1, 1, 0],
    [1, 1, 1],
];

/// Shells that one layout can hold: their sums are packed into one word.
pub const MAX_SHELLS: usize = 4;

/// The shell of a cell outside all regions.
pub const OUTSIDE: u8 = u8::MAX;

/// The voxels of some regions in a box that is one cell larger on every side.
pub struct Layout {
    /// Consecutive shells of each region.
    pub regions: Vec<RangeInclusive<usize>>,
    pub n_shells: usize,
    /// Cells of the padded box.
    pub n_cells: usize,
    /// Distance in cells to the neighbour in each direction.
    pub steps: [usize; 13],
    /// Distance in cells between neighbours along z, y, x.
    pub strides: [usize; 3],
    /// Cell of every voxel, shell by shell.
    pub cells: Vec<u32>,
    /// Where each shell begins in the list of voxels, and where the last one ends.
    pub starts: Vec<usize>,
    /// Shell of every cell, or `OUTSIDE`.
    pub shell_of: Vec<u8>,
    /// By direction and by `pair` of shells: the cells whose next cell in this direction is a voxel too.
    pub pairs: Vec<Vec<Vec<u32>>>,
    /// Of every voxel: how many of its 26 neighbours lie in each shell, one byte a shell.
    pub neighbours: Vec<u32>,
    /// Of every voxel: which of its 26 neighbours lie in each shell, one bit a direction and, from bit 13, its opposite.
    pub around: Vec<[u32; MAX_SHELLS]>,
    /// Cells that are voxels.
    pub inside: Plane,
    /// By direction: voxels whose next voxel lies in the same shell.
    pub same_shell_ahead: Planes,
    /// By region and direction: whether a straight line holds two voxels.
    pub lines: Vec<[bool; 13]>,
    /// Place of every voxel in the image, z, y, x.
    places: Vec<[u32; 3]>,
}

/// Position of an unordered pair of shells in a list of all pairs: those up to shell `k` come first.
pub fn pair(a: usize, b: usize) -> usize {
    let (low, high) = (a.min(b), a.max(b));
    high * (high + 1) / 2 + low
}

impl Layout {
    /// `shells` numbers the shell of every voxel; regions are first and last shells. Voxels of no region are left out.
    ///
    /// # Panics
    /// When a region reaches over more than `MAX_SHELLS` shells.
    pub fn new(shells: &Grid<u8>, regions: &[(u8, u8)]) -> Layout {
        let first = regions.iter().map(|region| region.0).min().unwrap_or(0);
        let last = regions.iter().map(|region| region.1).max().unwrap_or(0);
        let n_shells = usize::from(last - first) + 1;
        assert!(n_shells <= MAX_SHELLS, "a layout holds {MAX_SHELLS} shells");
        let wanted = |shell: u8| regions.iter().any(|region| (region.0..=region.1).contains(&shell));
        let kept = shells.map(|&shell| if wanted(shell) { shell - first } else { OUTSIDE });
        let regions = regions.iter().map(|region| usize::from(region.0 - first)..=usize::from(region.1 - first));
        Layout::of_kept(&kept, regions.collect(), n_shells)
    }

    fn of_kept(shells: &Grid<u8>, regions: Vec<RangeInclusive<usize>>, n_shells: usize) -> Layout {
        let (low, shape) = bounds(shells);
        let strides = [(shape[1] + 2) * (shape[2] + 2), shape[2] + 2, 1];
        let n_cells = (shape[0] + 2) * strides[0];
        let mut lists = vec![(Vec::new(), Vec::new()); n_shells];
        let mut shell_of = vec![OUTSIDE; n_cells];
        let full = shells.geometry().shape;
        for z in 0..shape[0] {
            for y in 0..shape[1] {
                let source = ((low[0] + z) * full[1] + low[1] + y) * full[2] + low[2];
                let cell = (z + 1) * strides[0] + (y + 1) * strides[1] + 1;
                for (x, &shell) in shells.as_slice()[source..source + shape[2]].iter().enumerate() {
                    if shell != OUTSIDE {
                        shell_of[cell + x] = shell;
                        lists[usize::from(shell)].0.push((cell + x) as u32);
                        lists[usize::from(shell)]
                            .1
                            .push([z + low[0], y + low[1], x + low[2]].map(|place| place as u32));
                    }
                }
            }
        }
        let mut starts = vec![0];
        starts.extend(lists.iter().scan(0, |end, list| {
            *end += list.0.len();
            Some(*end)
        }));
        let (cells, places): (Vec<_>, Vec<_>) = lists.into_iter().unzip();
        let steps = DIRECTIONS.map(|along| (0..3).map(|k| along[k] * strides[k] as isize).sum::<isize>() as usize);
        let mut layout = Layout {
            regions,
            n_shells,
            n_cells,
            steps,
            strides,
            cells: cells.concat(),
            starts,
            shell_of,
            pairs: Vec::new(),
            neighbours: Vec::new(),
            around: Vec::new(),
            inside: Plane::new(),
            same_shell_ahead: Planes::default(),
            lines: Vec::new(),
            places: places.concat(),
        };
        layout.pairs = layout.steps.iter().map(|&step| layout.pairs_along(step)).collect();
        layout.neighbours = layout.count_neighbours();
        layout.around = layout.cells.iter().map(|&cell| layout.shells_around(cell as usize)).collect();
        layout.inside = plane(n_cells, |cell| layout.shell_of[cell] != OUTSIDE);
        layout.same_shell_ahead = layout.steps.map(|step| layout.same_shell_along(step));
        layout.lines = (0..layout.regions.len()).map(|region| layout.lines_of(region)).collect();
        layout
    }

    /// The layout of one region alone, as a single shell, and its voxels' values in their new order.
    pub fn single(&self, region: usize, values: &[f64]) -> (Layout, Vec<f64>) {
        let shape = [self.n_cells / self.strides[0], self.strides[0] / self.strides[1], self.strides[1]];
        let mut shells = ndarray::Array3::from_elem(shape, OUTSIDE);
        let mut image = vec![0.0; self.n_cells];
        let flat = shells.as_slice_mut().expect("a new array is in standard order");
        for voxel in self.voxels_of(region) {
            let cell = self.cells[voxel] as usize;
            flat[cell] = 0;
            image[cell] = values[voxel];
        }
        let geometry = crate::grid::Geometry::upright(shape, [1.0; 3]);
        let layout = Layout::new(&Grid::new(geometry, shells).expect("the array has the shape"), &[(0, 0)]);
        let values = layout.gather(&image, Bounds { low: [0; 3], shape });
        (layout, values)
    }

    /// Number of voxels in all shells together.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Place z, y, x of a cell in the padded box.
    pub fn place(&self, cell: u32) -> [usize; 3] {
        let cell = cell as usize;
        [cell / self.strides[0], cell % self.strides[0] / self.strides[1], cell % self.strides[1]]
    }

    /// The values of every voxel, shell by shell, from the part of the image inside a box.
    pub fn gather(&self, part: &[f64], bounds: Bounds) -> Vec<f64> {
        let [z, y, x] = bounds.low;
        let [_, ny, nx] = bounds.shape;
        let before = (z * ny + y) * nx + x;
        let at = |place: &[u32; 3]| (place[0] as usize * ny + place[1] as usize) * nx + place[2] as usize - before;
        self.places.iter().map(|place| part[at(place)]).collect()
    }

    /// Where a region's voxels stand in the list.
    pub fn voxels_of(&self, region: usize) -> std::ops::Range<usize> {
        let shells = &self.regions[region];
        self.starts[*shells.start()]..self.starts[*shells.end() + 1]
    }

    /// Shell of each voxel of the list with its position.
    pub fn shells(&self) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> + '_ {
        self.starts.windows(2).map(|ends| ends[0]..ends[1]).enumerate()
    }

    /// One byte for each shell of a region, all bits set.
    pub fn byte_mask(&self, region: usize) -> u32 {
        self.regions[region].clone().map(|shell| 0xff << (8 * shell)).sum()
    }

    /// Positions of the pairs of shells that lie in a region.
    pub fn pairs_of(&self, region: usize) -> impl Iterator<Item = usize> + '_ {
        let shells = move || self.regions[region].clone();
        shells().flat_map(move |a| shells().filter(move |&b| b <= a).map(move |b| pair(a, b)))
    }

    /// Of every voxel of a shell: which of its 26 neighbours lie in a region.
    pub fn around_within(&self, shell: usize, region: usize) -> impl Iterator<Item = u32> + '_ {
        let shells = self.regions[region].clone();
        let wanted: [u32; MAX_SHELLS] = std::array::from_fn(|shell| if shells.contains(&shell) { u32::MAX } else { 0 });
        let within = move |around: &[u32; MAX_SHELLS]| {
            around[0] & wanted[0] | around[1] & wanted[1] | around[2] & wanted[2] | around[3] & wanted[3]
        };
        self.around[self.starts[shell]..self.starts[shell + 1]].iter().map(within)
    }

    fn pairs_along(&self, step: usize) -> Vec<Vec<u32>> {
        let mut lists = vec![Vec::new(); pair(0, self.n_shells)];
        for (shell, voxels) in self.shells() {
            (0..self.n_shells).for_each(|other| lists[pair(shell, other)].reserve(voxels.len()));
            for &cell in &self.cells[voxels] {
                let other = self.shell_of[cell as usize + step];
                if other != OUTSIDE {
                    lists[pair(shell, usize::from(other))].push(cell);
                }
            }
        }
        lists
    }

    fn count_neighbours(&self) -> Vec<u32> {
        let one = |cell: usize| match self.shell_of[cell] {
            OUTSIDE => 0,
            shell => 1 << (8 * shell),
        };
        let around =
            |&cell: &u32| self.steps.iter().map(|step| one(cell as usize + step) + one(cell as usize - step)).sum();
        self.cells.iter().map(around).collect()
    }

    fn shells_around(&self, cell: usize) -> [u32; MAX_SHELLS] {
        let mut around = [0; MAX_SHELLS];
        let mut set = |other: usize, bit: usize| {
            if let Some(shell) = around.get_mut(usize::from(self.shell_of[other])) {
                *shell |= 1 << bit;
            }
        };
        for (direction, &step) in self.steps.iter().enumerate() {
            set(cell + step, direction);
            set(cell - step, DIRECTIONS.len() + direction);
        }
        around
    }

    fn same_shell_along(&self, step: usize) -> Plane {
        plane(self.n_cells, |cell| {
            let shell = self.shell_of[cell];
            shell != OUTSIDE && self.shell_of[cell + step] == shell
        })
    }

    fn lines_of(&self, region: usize) -> [bool; 13] {
        std::array::from_fn(|direction| {
            let shells = &self.regions[region];
            let inside = |a: usize| shells.contains(&a);
            let touching = (0..self.n_shells)
                .any(|a| (0..=a).any(|b| inside(a) && inside(b) && !self.pairs[direction][pair(a, b)].is_empty()));
            touching || self.line_holds_two(region, DIRECTIONS[direction])
        })
    }

    /// Whether two voxels that do not touch stand on one line: only asked when no two touch.
    fn line_holds_two(&self, region: usize, along: [isize; 3]) -> bool {
        let axis = along.iter().position(|&step| step != 0).expect("a direction goes somewhere");
        let mut lines = HashSet::new();
        self.cells[self.voxels_of(region)].iter().any(|&cell| {
            let at = self.place(cell);
            let steps = at[axis] as isize;
            !lines.insert(std::array::from_fn::<isize, 3, _>(|k| at[k] as isize - steps * along[k]))
        })
    }
}

/// The box around all voxels of some shell: first voxel and shape.
fn bounds(shells: &Grid<u8>) -> ([usize; 3], [usize; 3]) {
    let kept = shells.map(|&shell| shell != OUTSIDE);
    kept.bounds().map_or(([0; 3], [0; 3]), |bounds| (bounds.low, bounds.shape))
}
