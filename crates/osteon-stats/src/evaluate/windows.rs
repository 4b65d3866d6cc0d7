//! Weighted parabolas through windows of many sorted points, from power sums over blocks of them.
//!
//! Left and right of its centre the tricube weight is a polynomial of the distance. A window is a few blocks on either
//! side; the power sums of a block about its own centre give those about the window's, and all terms stay below 1.

/// Highest power: nine of the weight, four of the parabola's squares.
const POWERS: usize = 14;
/// Points of the smallest block.
const LEAF: usize = 32;

/// Sorted points, the blocks over them, and the window that slides along.
pub struct Windows<'a> {
    x: &'a [f64],
    y: &'a [f64],
    /// Points that a window reaches.
    reach: usize,
    /// Heap of blocks, the root at 1; each holds the half of its parent.
    blocks: Vec<Block>,
    left: usize,
}

/// Power sums of the points of a block about its centre, in units of its radius.
#[derive(Clone, Default)]
struct Block {
    first: usize,
    end: usize,
    centre: f64,
    radius: f64,
    plain: [f64; POWERS],
    with_y: [f64; POWERS],
}

/// Sums of the weight times powers of the scaled distance, and of those with y.
#[derive(Default)]
struct Sums {
    w: [f64; 5],
    v: [f64; 3],
}

impl<'a> Windows<'a> {
    /// `x` rises.
    pub fn new(x: &'a [f64], y: &'a [f64], reach: usize) -> Windows<'a> {
        let leaves = x.len().div_ceil(LEAF).next_power_of_two();
        let mut blocks = vec![Block::default(); 2 * leaves];
        fill(&mut blocks, x, y, 1, 0, x.len());
        Windows { x, y, reach, blocks, left: 0 }
    }

    /// The parabola's value at `x0`, which rises from call to call. `None` where the points of the window lie too
    /// close to each other, or too far to one side, for these sums.
    pub fn parabola(&mut self, x0: f64) -> Option<f64> {
        let h = self.width(x0);
        if self.reach < 3 || h <= 0.0 {
            return None;
        }
        let first = self.x.partition_point(|x| (x - x0) / h <= -1.0);
        let end = self.x.partition_point(|x| (x - x0) / h < 1.0);
        let middle = self.x.partition_point(|x| *x < x0);
        let mut sums = Sums::default();
        self.add(1, first..middle, x0, h, -1.0, &mut sums);
        self.add(1, middle..end, x0, h, 1.0, &mut sums);
        sums.at_zero()
    }

    /// Distance to the farthest of the nearest points.
    fn width(&mut self, x0: f64) -> f64 {
        let x = self.x;
        while self.left + self.reach < x.len() && x[self.left + self.reach] - x0 < x0 - x[self.left] {
            self.left += 1;
        }
        (x0 - x[self.left]).max(x[self.left + self.reach - 1] - x0)
    }

    /// Adds the points of `range`, all on the given side of `x0`.
    fn add(&self, at: usize, range: std::ops::Range<usize>, x0: f64, h: f64, side: f64, sums: &mut Sums) {
        let block = &self.blocks[at];
        let (first, end) = (range.start.max(block.first), range.end.min(block.end));
        if first >= end {
            return;
        }
        if first == block.first && end == block.end {
            let (a, b) = (side * (block.centre - x0) / h, side * block.radius / h);
            sums.add(&moved(&block.plain, a, b), &moved(&block.with_y, a, b), side);
        } else if block.end - block.first <= LEAF {
            for point in first..end {
                let u = side * (self.x[point] - x0) / h;
                let powers: [f64; POWERS] = std::array::from_fn(|power| u.powi(power as i32));
                sums.add(&powers, &powers.map(|power| power * self.y[point]), side);
            }
        } else {
            self.add(2 * at, range.clone(), x0, h, side, sums);
            self.add(2 * at + 1, range, x0, h, side, sums);
        }
    }
}

fn fill(blocks: &mut Vec<Block>, x: &[f64], y: &[f64], at: usize, first: usize, end: usize) {
    if first >= end {
        return;
    }
    if blocks.len() <= at {
        blocks.resize(at + 1, Block::default());
    }
    let (low, high) = (x[first], x[end - 1]);
    let mut block =
        Block { first, end, centre: low / 2.0 + high / 2.0, radius: (high - low) / 2.0, ..Block::default() };
    for point in first..end {
        let t = if block.radius > 0.0 { (x[point] - block.centre) / block.radius } else { 0.0 };
        let mut power = 1.0;
        for k in 0..POWERS {
            block.plain[k] += power;
            block.with_y[k] += power * y[point];
            power *= t;
        }
    }
    blocks[at] = block;
    if end - first > LEAF {
        let middle = first.midpoint(end);
        fill(blocks, x, y, 2 * at, first, middle);
        fill(blocks, x, y, 2 * at + 1, middle, end);
    }
}

/// Power sums of a + b t from those of t.
fn moved(sums: &[f64; POWERS], a: f64, b: f64) -> [f64; POWERS] {
    let mut scaled = *sums;
    let mut factor = 1.0;
    for sum in &mut scaled {
        *sum *= factor;
        factor *= b;
    }
    // Pascal's triangle from the highest power down: each step adds a times the power below.
    let mut moved = [0.0; POWERS];
    for (power, moved) in moved.iter_mut().enumerate() {
        let mut binomial = 1.0;
        let mut total = 0.0;
        let mut a_power = 1.0;
        // Σ C(p, q) a^(p - q) b^q t^q, q from p down to 0.
        for q in (0..=power).rev() {
            total += binomial * a_power * scaled[q];
            a_power *= a;
            binomial = binomial * q as f64 / (power - q + 1) as f64;
        }
        *moved = total;
    }
    moved
}

impl Sums {
    /// Adds power sums of distances on one side.
    fn add(&mut self, plain: &[f64; POWERS], with_y: &[f64; POWERS], side: f64) {
        let weighted = |sums: &[f64; POWERS], k: usize| sums[k] - 3.0 * sums[k + 3] + 3.0 * sums[k + 6] - sums[k + 9];
        let mut sign = 1.0;
        for k in 0..5 {
            self.w[k] += sign * weighted(plain, k);
            if k < 3 {
                self.v[k] += sign * weighted(with_y, k);
            }
            sign *= side;
        }
    }

    /// The least-squares parabola at 0, by orthogonal polynomials about the mean distance.
    fn at_zero(&self) -> Option<f64> {
        let [w0, w1, w2, w3, w4] = self.w;
        let [v0, v1, v2] = self.v;
        let m = w1 / w0;
        let second = w2 / w0 - m * m;
        let third = w3 / w0 - 3.0 * m * w2 / w0 + 2.0 * m.powi(3);
        let fourth = w4 / w0 - 4.0 * m * w3 / w0 + 6.0 * m * m * w2 / w0 - 3.0 * m.powi(4);
        let slant = third / second;
        let norm = fourth - third * slant - second * second;
        // Below these the digits of the sums are gone.
        if w0.is_nan() || w0 <= 1e-3 || second.is_nan() || second < 1e-4 || norm.is_nan() || norm < 1e-5 {
            return None;
        }
        let squares = (v2 - 2.0 * m * v1 + m * m * v0) / w0;
        let line = (v1 - m * v0) / w0;
        let bend = (squares - slant * line - second * v0 / w0) / norm;
        Some(v0 / w0 - line / second * m + bend * (m * m + slant * m - second))
    }
}
