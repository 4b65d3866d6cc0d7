//! A table of counts by grey level and by size, from which runs, zones and dependences are described alike.

use crate::feature::logarithm::{EPSILON, NLogN, entropy};

/// How many things of each level and size a region has.
#[derive(Clone, Debug)]
pub struct SizeTable {
    width: usize,
    /// Counts of sizes up to `SMALL`, a row of levels each.
    small: Vec<u32>,
    /// Larger things one by one: size, level, and how many.
    large: Vec<(u32, u16, u32)>,
    /// Largest size in `small`.
    longest: usize,
}

/// Sizes that are counted in rows.
const SMALL: usize = 32;

impl SizeTable {
    /// A table for levels up to `span`.
    pub fn new(span: usize) -> SizeTable {
        SizeTable { width: span + 1, small: vec![0; (SMALL + 1) * (span + 1)], large: Vec::new(), longest: 0 }
    }

    pub fn clear(&mut self) {
        self.small[..(self.longest + 1) * self.width].fill(0);
        self.large.clear();
        self.longest = 0;
    }

    pub fn add(&mut self, level: u16, size: u32) {
        self.change(level, size, 1);
    }

    /// Adds `n` things, or takes them back: the least negative number is `u32::MAX`. Whoever reads the table first adds
    /// up what makes every count whole, or calls `fill_singles` for those of size 1.
    pub fn change(&mut self, level: u16, size: u32, n: u32) {
        if size as usize <= SMALL {
            let count = &mut self.small[size as usize * self.width + usize::from(level)];
            *count = count.wrapping_add(n);
            self.longest = self.longest.max(size as usize);
        } else {
            self.large.push((size, level, n));
        }
    }

    /// Adds things of these levels and small sizes.
    pub fn add_all(&mut self, levels: &[u16], sizes: &[u8]) {
        for (&level, &size) in levels.iter().zip(sizes) {
            self.small[usize::from(size) * self.width + usize::from(level)] += 1;
        }
        self.longest = sizes.iter().fold(self.longest, |longest, &size| longest.max(usize::from(size)));
    }

    /// Counts one thing unless it is large; says whether it did.
    pub fn add_small(&mut self, level: u16, size: u32) -> bool {
        let is_small = size as usize <= SMALL;
        if is_small {
            self.small[size as usize * self.width + usize::from(level)] += 1;
            self.longest = self.longest.max(size as usize);
        }
        is_small
    }

    /// Takes back one thing that is not large.
    pub fn remove_small(&mut self, level: u16, size: u32) {
        if size as usize <= SMALL {
            let count = &mut self.small[size as usize * self.width + usize::from(level)];
            *count = count.wrapping_sub(1);
        }
    }

    /// Adds what another table of as many levels counted.
    pub fn merge(&mut self, other: &SizeTable) {
        let end = (other.longest + 1) * self.width;
        self.small[..end].iter_mut().zip(&other.small[..end]).for_each(|(own, n)| *own = own.wrapping_add(*n));
        self.large.extend(&other.large);
        self.longest = self.longest.max(other.longest);
    }

    /// Things of size 1: every voxel of a level that is in nothing larger.
    pub fn fill_singles(&mut self, voxels: &[u32]) {
        let (head, rows) = self.small.split_at_mut(2 * self.width);
        let singles = &mut head[self.width..];
        singles.copy_from_slice(voxels);
        for (row, size) in rows.chunks_exact(self.width).zip(2u32..).take(self.longest.saturating_sub(1)) {
            singles.iter_mut().zip(row).for_each(|(single, n)| *single = single.wrapping_sub(size.wrapping_mul(*n)));
        }
        for &(size, level, n) in &self.large {
            let single = &mut singles[usize::from(level)];
            *single = single.wrapping_sub(size.wrapping_mul(n));
        }
        self.longest = self.longest.max(1);
    }

    /// Size, and its counts by level, ascending; `large` things are sorted for it.
    fn for_each_row(&mut self, mut visit: impl FnMut(u32, &[u32], std::ops::Range<usize>)) {
        for (row, size) in self.small.chunks_exact(self.width).zip(0..).take(self.longest + 1).skip(1) {
            visit(size, row, 0..row.len());
        }
        self.large.sort_unstable();
        let mut row = vec![0u32; if self.large.is_empty() { 0 } else { self.width }];
        for same in self.large.chunk_by(|a, b| a.0 == b.0) {
            let levels = usize::from(same[0].1)..usize::from(same[same.len() - 1].1) + 1;
            for &(_, level, n) in same {
                row[usize::from(level)] = row[usize::from(level)].wrapping_add(n);
            }
            visit(same[0].0, &row, levels.clone());
            row[levels].fill(0);
        }
    }
}

/// What the features of such a table are read from; levels are the region's own numbers.
pub struct Sizes {
    /// Number of things, and of voxels in them.
    pub n: f64,
    pub voxels: f64,
    /// Means of `1 / size^2` and `size^2`.
    pub small: f64,
    pub large: f64,
    /// Means of `1 / level^2` and `level^2`.
    pub low: f64,
    pub high: f64,
    /// Means of the products: small and low, small and high, large and low, large and high.
    pub small_low: f64,
    pub small_high: f64,
    pub large_low: f64,
    pub large_high: f64,
    /// Sums of squared counts by level and by size, divided by `n`.
    pub level_non_uniformity: f64,
    pub size_non_uniformity: f64,
    pub level_variance: f64,
    pub size_variance: f64,
    pub entropy: f64,
}

/// Squares and inverse squares of a region's level numbers, by the layout's level.
pub struct LevelPowers {
    lowest: usize,
    squares: Vec<f64>,
    inverse_squares: Vec<f64>,
}

impl LevelPowers {
    pub fn new(span: usize, lowest: usize) -> LevelPowers {
        let squares: Vec<f64> = (0..=span).map(|level| (level as f64 - lowest as f64 + 1.0).powi(2)).collect();
        // Levels below the lowest never occur.
        let inverse = |(level, square): (usize, &f64)| if level < lowest { 0.0 } else { 1.0 / square };
        LevelPowers { lowest, inverse_squares: squares.iter().enumerate().map(inverse).collect(), squares }
    }
}

impl Sizes {
    /// Of cells one by one: level, size, and how many, which need not be whole. `None` where nothing is counted.
    pub fn of_cells(cells: impl Iterator<Item = (f64, f64, f64)> + Clone) -> Option<Sizes> {
        let n: f64 = cells.clone().map(|cell| cell.2).sum();
        if n <= 0.0 {
            return None;
        }
        let mean = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            cells.clone().map(|(level, size, count)| count * of(level, size)).sum::<f64>() / n
        };
        let by = |key: &dyn Fn((f64, f64, f64)) -> f64| -> Vec<(f64, f64)> {
            let mut all: Vec<(f64, f64)> = cells.clone().map(|cell| (key(cell), cell.2)).collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0));
            let same = all.chunk_by(|a, b| a.0 == b.0);
            same.map(|same| (same[0].0, same.iter().map(|cell| cell.1).sum())).collect()
        };
        let (by_level, by_size) = (by(&|cell| cell.0), by(&|cell| cell.1));
        Some(Sizes {
            n,
            voxels: cells.clone().map(|(_, size, count)| size * count).sum(),
            small: mean(&|_, size| 1.0 / (size * size)),
            large: mean(&|_, size| size * size),
            low: mean(&|level, _| 1.0 / (level * level)),
            high: mean(&|level, _| level * level),
            small_low: mean(&|level, size| 1.0 / (level * level * size * size)),
            small_high: mean(&|level, size| level * level / (size * size)),
            large_low: mean(&|level, size| size * size / (level * level)),
            large_high: mean(&|level, size| level * level * size * size),
            level_non_uniformity: by_level.iter().map(|(_, n)| n * n).sum::<f64>() / n,
            size_non_uniformity: by_size.iter().map(|(_, n)| n * n).sum::<f64>() / n,
            level_variance: variance(&by_level, n),
            size_variance: variance(&by_size, n),
            entropy: -cells.map(|cell| cell.2 / n).map(|p| p * (p + EPSILON).log2()).sum::<f64>(),
        })
    }

    /// `None` for an empty table.
    pub fn of(table: &mut SizeTable, powers: &LevelPowers) -> Option<Sizes> {
        let n_log_n = NLogN::new();
        let mut by_level = vec![0u32; table.width];
        let (mut by_size, mut logs, mut cells) = (Vec::new(), 0.0, 0);
        let mut sums = [0.0; 6];
        table.for_each_row(|size, row, levels| {
            let (mut n, mut low, mut high) = (0u32, 0.0, 0.0);
            for level in levels {
                let count = row[level];
                if count > 0 {
                    by_level[level] += count;
                    n += count;
                    cells += 1;
                    logs += n_log_n.of(count);
                    low += f64::from(count) * powers.inverse_squares[level];
                    high += f64::from(count) * powers.squares[level];
                }
            }
            if n > 0 {
                let square = f64::from(size).powi(2);
                by_size.push((f64::from(size), f64::from(n)));
                for (sum, term) in
                    sums.iter_mut().zip([low, high, low / square, high / square, low * square, high * square])
                {
                    *sum += term;
                }
            }
        });
        let n: f64 = by_size.iter().map(|size| size.1).sum();
        let levels = |(level, &count): (usize, &u32)| (level as f64 - powers.lowest as f64 + 1.0, f64::from(count));
        let by_level: Vec<(f64, f64)> = by_level.iter().enumerate().map(levels).collect();
        let [low, high, small_low, small_high, large_low, large_high] = sums.map(|sum| sum / n);
        (n > 0.0).then(|| Sizes {
            n,
            voxels: by_size.iter().map(|(size, n)| size * n).sum(),
            small: by_size.iter().map(|(size, n)| n / (size * size)).sum::<f64>() / n,
            large: by_size.iter().map(|(size, n)| n * (size * size)).sum::<f64>() / n,
            low,
            high,
            small_low,
            small_high,
            large_low,
            large_high,
            level_non_uniformity: by_level.iter().map(|(_, n)| n * n).sum::<f64>() / n,
            size_non_uniformity: by_size.iter().map(|(_, n)| n * n).sum::<f64>() / n,
            level_variance: variance(&by_level, n),
            size_variance: variance(&by_size, n),
            entropy: entropy(logs, n, cells),
        })
    }
}

fn variance(counts: &[(f64, f64)], n: f64) -> f64 {
    let mean = counts.iter().map(|(value, count)| value * count).sum::<f64>() / n;
    counts.iter().map(|(value, count)| count * (value - mean).powi(2)).sum::<f64>() / n
}
