//! Weighted sums of neighbours along one axis.

use ndarray::Array3;

use osteon_base::wide::wide;

/// What lies beyond the last voxel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// Nothing: the sum goes on without it.
    Nothing,
    /// The last voxel again: a b c | c c.
    Repeat,
    /// The image mirrored at its edge: a b c | c b.
    Mirror,
}

impl Border {
    fn source(self, at: isize, len: usize) -> Option<usize> {
        let last = len as isize - 1;
        match self {
            Border::Nothing => (0..=last).contains(&at).then_some(at as usize),
            Border::Repeat => Some(at.clamp(0, last) as usize),
            Border::Mirror => {
                let at = at.rem_euclid(2 * (last + 1));
                Some(at.min(2 * last + 1 - at) as usize)
            }
        }
    }
}

/// The sum over a window centred on each voxel of `weights` (odd in number, symmetric) times the voxels along `axis`
/// (0 z, 1 y, 2 x).
pub fn convolve(cells: &Array3<f64>, axis: usize, weights: &[f64], border: Border) -> Array3<f64> {
    let (_, ny, nx) = cells.dim();
    let mut sums = Array3::zeros(cells.dim());
    let from = cells.as_slice().expect("grids are contiguous");
    let to = sums.as_slice_mut().expect("a fresh array is contiguous");
    sweep(from, to, [ny, nx], axis, weights, border);
    sums
}

wide! {
    fn sweep(from: &[f64], to: &mut [f64], rows: [usize; 2], axis: usize, weights: &[f64], border: Border) {
        let [ny, nx] = rows;
        match axis {
            0 => across(from, to, ny * nx, nx, weights, border),
            1 => {
                for (from, to) in from.chunks_exact(ny * nx).zip(to.chunks_exact_mut(ny * nx)) {
                    across(from, to, nx, nx, weights, border);
                }
            }
            _ => along(from, to, nx, weights, border),
        }
    }
}

/// Neighbours are `stride` apart; whole rows are added up, so the inner loop runs through memory.
#[inline(always)]
fn across(from: &[f64], to: &mut [f64], stride: usize, row: usize, weights: &[f64], border: Border) {
    let (len, reach) = (from.len() / stride, weights.len() as isize / 2);
    for (start, sums) in to.chunks_exact_mut(row).enumerate().map(|(k, sums)| (k * row, sums)) {
        let (at, within) = ((start / stride) as isize, start % stride);
        for (tap, &weight) in weights.iter().enumerate() {
            if let Some(source) = border.source(at + tap as isize - reach, len) {
                let values = &from[source * stride + within..][..row];
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
            }
        }
    }
}

/// Neighbours lie side by side; each row is lengthened by what its border says.
#[inline(always)]
fn along(from: &[f64], to: &mut [f64], row: usize, weights: &[f64], border: Border) {
    let reach = weights.len() / 2;
    let mut long = vec![0.0; row + 2 * reach];
    for (values, sums) in from.chunks_exact(row).zip(to.chunks_exact_mut(row)) {
        for (at, value) in long.iter_mut().enumerate() {
            *value = border.source(at as isize - reach as isize, row).map_or(0.0, |source| values[source]);
        }
        for (tap, &weight) in weights.iter().enumerate() {
            sums.iter_mut().zip(&long[tap..]).for_each(|(sum, value)| *sum += weight * value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_border_gives_its_neighbours_on_every_axis() {
        let values = [1.0, 10.0, 100.0];
        let expected = [(Border::Nothing, [11.0, 111.0, 110.0]), (Border::Repeat, [12.0, 111.0, 210.0])];
        for (border, sums) in expected {
            for (axis, shape) in [[3, 1, 1], [1, 3, 1], [1, 1, 3]].into_iter().enumerate() {
                let cells = Array3::from_shape_vec(shape, values.to_vec()).unwrap();
                let found = convolve(&cells, axis, &[1.0; 3], border);
                assert_eq!(found.as_slice().unwrap(), sums, "{border:?} along {axis}");
            }
        }
        let far = Array3::from_shape_vec((1, 1, 3), values.to_vec()).unwrap();
        let mirrored = convolve(&far, 2, &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], Border::Mirror);
        // c b | a b c | c b a: three to the left and three to the right.
        assert_eq!(mirrored.as_slice().unwrap(), [200.0, 20.0, 2.0]);
    }
}
