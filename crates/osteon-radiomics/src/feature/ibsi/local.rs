//! Local intensity: the mean over a ball of one cubic centimetre, around the brightest voxel and the largest of all.

use crate::feature::ibsi::region::Region;
use crate::grid::Volume;

pub const NAMES: [(&str, &str); 2] = [("loc_peak_loc", "VJGA"), ("loc_peak_glob", "0F91")];

/// Radius of a ball of 1 cm3, in mm: where it reaches, the image is needed beyond the region.
pub const RADIUS_MM: f64 = 6.203_504_908_994;

/// The ball may reach beyond the region, not beyond the image.
pub fn describe(volume: &Volume, region: &Region) -> [Option<f64>; 2] {
    let ball = ball(region.spacing_mm);
    let peaks: Vec<f64> = region.cells.iter().map(|&cell| mean(volume, region.position(cell), &ball)).collect();
    let highest = region.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let brightest = peaks.iter().zip(&region.values).filter(|(_, value)| **value == highest).map(|(&peak, _)| peak);
    [brightest.reduce(f64::max), peaks.iter().copied().reduce(f64::max)]
}

/// Voxels z, y, x away whose centres lie in the ball.
fn ball(spacing_mm: [f64; 3]) -> Vec<[isize; 3]> {
    let reach = spacing_mm.map(|mm| (RADIUS_MM / mm).floor() as isize);
    let mut ball = Vec::new();
    for z in -reach[0]..=reach[0] {
        for y in -reach[1]..=reach[1] {
            for x in -reach[2]..=reach[2] {
                let away = [z, y, x];
                let square: f64 = (0..3).map(|k| (away[k] as f64 * spacing_mm[k]).powi(2)).sum();
                if square <= RADIUS_MM * RADIUS_MM {
                    ball.push(away);
                }
            }
        }
    }
    ball
}

fn mean(volume: &Volume, centre: [usize; 3], ball: &[[isize; 3]]) -> f64 {
    let (mut n, mut sum) = (0.0, 0.0);
    for away in ball {
        let at: [usize; 3] = std::array::from_fn(|k| centre[k].wrapping_add_signed(away[k]));
        if let Some(value) = volume.cells().get(at) {
            n += 1.0;
            sum += value;
        }
    }
    sum / n
}
