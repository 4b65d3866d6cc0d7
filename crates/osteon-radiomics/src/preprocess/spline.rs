//! Interpolation by cubic B-splines with prefilter and mirrored border (Unser, Aldroubi and Eden 1993, part II).
//!
//! The new voxels lie on a grid along the old axes, so each axis is interpolated on its own.

use ndarray::{Array3, s};

use crate::grid::Volume;
use crate::preprocess::lattice::Axis;

/// Pole of the cubic B-spline's inverse filter: sqrt(3) - 2.
const POLE: f64 = -0.267_949_192_431_122_7;

/// Old voxels kept around what is asked: a cut there changes nothing, for the pole to the 40th is 1e-23.
const REACH: usize = 40;

/// Which old voxels a new one needs, and how much of each.
type Taps = [(usize, f64); 4];

/// Values of `of(old voxel)` at the places of `axes` (z, y, x); 0 well outside of the old image.
pub fn interpolate(old: &Volume, axes: &[Axis; 3], of: impl Fn(f64) -> f64) -> Array3<f64> {
    let needed: [_; 3] = std::array::from_fn(|k| needed(axes[k].places.as_slice(), old.geometry().shape[k]));
    let [z, y, x] = needed.clone();
    let mut coefficients = old.cells().slice(s![z, y, x]).mapv(of);
    prefilter(&mut coefficients);
    let taps: [Vec<Option<Taps>>; 3] =
        std::array::from_fn(|k| taps(&axes[k], needed[k].start, coefficients.shape()[k]));
    let mixed = mix_x(&coefficients, &taps[2]);
    mix_slices(&mix_rows(&mixed, &taps[1]), &taps[0])
}

fn needed(places: &[f64], len: usize) -> std::ops::Range<usize> {
    let (first, last) = (places[0], places[places.len() - 1]);
    let low = (first.max(0.0) as usize).saturating_sub(REACH).min(len - 1);
    let high = (last.max(0.0) as usize + REACH).min(len);
    low..high.max(low + 1)
}

/// The four neighbours of each place, mirrored at the border, and their B-spline weights; `None` well outside.
fn taps(axis: &Axis, start: usize, len: usize) -> Vec<Option<Taps>> {
    let one = |&place: &f64| {
        axis.may_be_inside(place).then(|| {
            let floor = place.floor();
            let t = place - floor;
            let first = floor as i64 - 1 - start as i64;
            let weights = [
                (1.0 - t).powi(3) / 6.0,
                2.0 / 3.0 - t * t * (2.0 - t) / 2.0,
                2.0 / 3.0 - (1.0 - t).powi(2) * (1.0 + t) / 2.0,
                t.powi(3) / 6.0,
            ];
            std::array::from_fn(|k| (mirror(first + k as i64, len), weights[k]))
        })
    };
    axis.places.iter().map(one).collect()
}

/// Whole-sample symmetry: index -1 is 1, index n is n - 2.
fn mirror(index: i64, len: usize) -> usize {
    let period = 2 * (len as i64 - 1).max(1);
    let at = index.rem_euclid(period);
    (if at < len as i64 { at } else { period - at }).min(len as i64 - 1) as usize
}

/// Turns samples into B-spline coefficients, in place, one axis after the other.
fn prefilter(cells: &mut Array3<f64>) {
    let (_, ny, nx) = cells.dim();
    let all = cells.as_slice_mut().expect("a fresh array is contiguous");
    all.chunks_mut(nx * LANES).for_each(|rows| recurse_rows(rows, nx));
    all.chunks_exact_mut(ny * nx).for_each(|slice| recurse(slice, nx));
    recurse(all, ny * nx);
}

/// Rows that are filtered side by side, since each value waits for the one before it.
const LANES: usize = 8;

/// The recursion along rows of `nx` samples.
fn recurse_rows(rows: &mut [f64], nx: usize) {
    let lanes = rows.len() / nx;
    let mut beside: Vec<f64> = (0..rows.len()).map(|at| rows[at % lanes * nx + at / lanes]).collect();
    recurse(&mut beside, lanes);
    for (lane, row) in rows.chunks_exact_mut(nx).enumerate() {
        row.iter_mut().zip(beside[lane..].iter().step_by(lanes)).for_each(|(value, found)| *value = *found);
    }
}

/// The recursion along `line.len() / width` samples, each of them `width` neighbouring values wide.
fn recurse(line: &mut [f64], width: usize) {
    let n = line.len() / width;
    if n < 2 {
        return;
    }
    // (1 - z)(1 - 1/z) scales the pair of recursions to unit gain at frequency 0.
    line.iter_mut().for_each(|value| *value *= (1.0 - POLE) * (1.0 - 1.0 / POLE));
    let first = causal_start(line, width, n);
    line[..width].copy_from_slice(&first);
    for k in 1..n {
        let (before, rest) = line.split_at_mut(k * width);
        let before = &before[(k - 1) * width..];
        rest[..width].iter_mut().zip(before).for_each(|(value, previous)| *value += POLE * previous);
    }
    let (head, last) = line.split_at_mut((n - 1) * width);
    let previous = &head[(n - 2) * width..];
    let gain = POLE / (POLE * POLE - 1.0);
    last.iter_mut().zip(previous).for_each(|(value, previous)| *value = gain * (*value + POLE * previous));
    for k in (0..n - 1).rev() {
        let (head, after) = line.split_at_mut((k + 1) * width);
        let value = &mut head[k * width..];
        value.iter_mut().zip(&*after).for_each(|(value, next)| *value = POLE * (next - *value));
    }
}

/// First value of the causal recursion over the mirrored, hence periodic, signal.
fn causal_start(line: &[f64], width: usize, n: usize) -> Vec<f64> {
    let mut start = line[..width].to_vec();
    let period = 2 * n as i32 - 2;
    // The 48th power is 3e-28: what is farther away is lost in the rounding of the sum.
    for k in 1..n.min(49) {
        let mirrored = if k == n - 1 { 0.0 } else { POLE.powi(period - k as i32) };
        let weight = POLE.powi(k as i32) + mirrored;
        let sample = &line[k * width..(k + 1) * width];
        start.iter_mut().zip(sample).for_each(|(sum, value)| *sum += weight * value);
    }
    let scale = 1.0 / (1.0 - POLE.powi(period));
    start.iter_mut().for_each(|sum| *sum *= scale);
    start
}

fn mix_x(cells: &Array3<f64>, taps: &[Option<Taps>]) -> Array3<f64> {
    let (nz, ny, nx) = cells.dim();
    let mut mixed = Array3::zeros((nz, ny, taps.len()));
    let from = cells.as_slice().expect("contiguous").chunks_exact(nx);
    let to = mixed.as_slice_mut().expect("contiguous").chunks_exact_mut(taps.len());
    for (row, new) in from.zip(to) {
        for (value, taps) in new.iter_mut().zip(taps) {
            if let Some(taps) = taps {
                *value = taps.iter().map(|&(at, weight)| weight * row[at]).sum();
            }
        }
    }
    mixed
}

fn mix_rows(cells: &Array3<f64>, taps: &[Option<Taps>]) -> Array3<f64> {
    let (nz, ny, nx) = cells.dim();
    let mut mixed = Array3::zeros((nz, taps.len(), nx));
    let from = cells.as_slice().expect("contiguous").chunks_exact(ny * nx);
    let to = mixed.as_slice_mut().expect("contiguous").chunks_exact_mut(taps.len() * nx);
    for (slice, new) in from.zip(to) {
        combine(slice, new, nx, taps);
    }
    mixed
}

fn mix_slices(cells: &Array3<f64>, taps: &[Option<Taps>]) -> Array3<f64> {
    let (_, ny, nx) = cells.dim();
    let mut mixed = Array3::zeros((taps.len(), ny, nx));
    let to = mixed.as_slice_mut().expect("contiguous");
    combine(cells.as_slice().expect("contiguous"), to, ny * nx, taps);
    mixed
}

/// Each `width` new values are weighted sums of four runs of old ones.
fn combine(old: &[f64], new: &mut [f64], width: usize, taps: &[Option<Taps>]) {
    for (to, taps) in new.chunks_exact_mut(width).zip(taps) {
        let Some(taps) = taps else { continue };
        let [(a, wa), (b, wb), (c, wc), (d, wd)] = *taps;
        let run = |at: usize| &old[at * width..(at + 1) * width];
        let (a, b, c, d) = (run(a), run(b), run(c), run(d));
        for (k, value) in to.iter_mut().enumerate() {
            *value = wa * a[k] + wb * b[k] + wc * c[k] + wd * d[k];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spline_of_the_coefficients_goes_through_the_samples() {
        for n in [1, 2, 3, 7, 40] {
            let samples: Vec<f64> = (0..n).map(|k| ((k * k * 7) % 11) as f64).collect();
            let mut cells = Array3::from_shape_vec((1, 1, n), samples.clone()).unwrap();
            prefilter(&mut cells);
            let c = |k: i64| cells[[0, 0, mirror(k, n)]];
            for (k, sample) in samples.iter().enumerate() {
                let k = k as i64;
                let through = (c(k - 1) + 4.0 * c(k) + c(k + 1)) / 6.0;
                assert!((through - sample).abs() < 1e-12, "{through} for {sample} of {n}");
            }
        }
    }
}
