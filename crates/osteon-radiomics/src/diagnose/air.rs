//! Air around the patient: what is dark and leads to the border of its slice.

use crate::grid::{Grid, Volume};

/// Bins between the 1st and the 99th percentile.
const BINS: usize = 256;

/// Voxels below Otsu's threshold (1979) of the image clipped at its 1st and 99th percentile that are joined, by sides
/// within their slice, to the slice's border. `None` for a flat image, or one without a finite voxel.
pub fn air(volume: &Volume) -> Option<Grid<bool>> {
    let threshold = otsu(volume.as_slice())?;
    let [_, ny, nx] = volume.geometry().shape;
    let mut cells = volume.cells().mapv(|_| false);
    let mut stack = Vec::new();
    for (values, mut air) in volume.cells().outer_iter().zip(cells.outer_iter_mut()) {
        let border = (0..nx).flat_map(|x| [[0, x], [ny - 1, x]]).chain((0..ny).flat_map(|y| [[y, 0], [y, nx - 1]]));
        stack.extend(border);
        while let Some([y, x]) = stack.pop() {
            if air[[y, x]] || values[[y, x]].is_nan() || values[[y, x]] >= threshold {
                continue;
            }
            air[[y, x]] = true;
            stack.extend((y > 0).then(|| [y - 1, x]));
            stack.extend((y + 1 < ny).then_some([y + 1, x]));
            stack.extend((x > 0).then(|| [y, x - 1]));
            stack.extend((x + 1 < nx).then_some([y, x + 1]));
        }
    }
    Some(Grid::new(volume.geometry().clone(), cells).expect("the volume's own shape"))
}

/// The threshold that divides the clipped values into two classes of greatest variance between them.
fn otsu(values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let last = sorted.len().checked_sub(1)?;
    let mut percentile = |share: f64| *sorted.select_nth_unstable_by((last as f64 * share) as usize, f64::total_cmp).1;
    let (low, high) = (percentile(0.01), percentile(0.99));
    let width = (high - low) / BINS as f64;
    if !(width.is_finite() && width > 0.0) {
        return None;
    }
    let mut counts = [0usize; BINS];
    for value in &sorted {
        counts[(((value - low) / width).max(0.0) as usize).min(BINS - 1)] += 1;
    }
    let total = sorted.len() as f64;
    let sum: f64 = counts.iter().enumerate().map(|(bin, &n)| bin as f64 * n as f64).sum();
    let (mut below, mut below_sum, mut best, mut at) = (0.0, 0.0, -1.0, 0);
    for (bin, &n) in counts.iter().enumerate().take(BINS - 1) {
        below += n as f64;
        below_sum += bin as f64 * n as f64;
        let above = total - below;
        if below == 0.0 || above == 0.0 {
            continue;
        }
        let apart = below_sum / below - (sum - below_sum) / above;
        let between = below * above * apart * apart;
        if between > best {
            (best, at) = (between, bin + 1);
        }
    }
    Some(low + at as f64 * width)
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;
    use crate::grid::Geometry;

    #[test]
    fn air_is_dark_and_leads_to_the_border_of_its_slice() {
        let body = |y: usize, x: usize| (2..18).contains(&y) && (2..18).contains(&x);
        let cavity = |y: usize, x: usize| (8..11).contains(&y) && (8..11).contains(&x);
        let value = |(_, y, x): (usize, usize, usize)| if body(y, x) && !cavity(y, x) { 100.0 } else { (x % 3) as f64 };
        let cells = Array3::from_shape_fn((2, 20, 20), value);
        let volume = Grid::new(Geometry::upright([2, 20, 20], [1.0; 3]), cells).unwrap();
        let found = air(&volume).unwrap();
        assert_eq!(found.count(), 2 * (400 - 256));
        assert!(!found.cells()[[0, 9, 9]]);
        assert!(air(&volume.map(|_| 5.0)).is_none());
    }
}
