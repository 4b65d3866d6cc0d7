//! Response maps of the IBSI's second phase, held against its reference maps.

use osteon_radiomics::filter::ibsi::{Filter, Kind, apply, apply_within, configurations, maps};
use osteon_radiomics::grid::{Bounds, Geometry, Grid};
use osteon_testing::{Comparison, shared, sweep};

use crate::forge::reference_image;

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn every_response_map_lies_within_a_hundredth_of_the_references_range() {
    if shared("reference/radiomics/ibsi2").is_none() {
        return;
    }
    let mut comparison = Comparison::default();
    let mut n_maps = 0;
    for map in maps() {
        let reference = format!("ibsi2/{}-ValidCRM.nii.gz", map.name);
        // Gabor filters in three planes take their time.
        if shared(&format!("reference/radiomics/{reference}")).is_none() || map.name == "4_a_2" && !sweep() {
            continue;
        }
        n_maps += 1;
        let theirs = reference_image(&reference);
        let phantom = format!("images/ibsi_2_digital_phantom/nifti/{0}/image/{0}.nii.gz", map.phantom);
        let ours = apply(&reference_image(&phantom).volume, &map.filter);
        let theirs = theirs.volume.as_slice();
        let (low, high) = theirs.iter().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
        let worst = ours.as_slice().iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        comparison.close(map.name.to_owned(), worst / (high - low), 0.0, 0.0, 0.01);
    }
    assert_eq!(n_maps, if sweep() { 26 } else { 25 });
    comparison.finish(n_maps);
}

#[test]
fn a_response_within_a_box_is_that_of_the_whole() {
    let shape = [24, 31, 40];
    let value = |(z, y, x): (usize, usize, usize)| ((z * 7919 + y * 104729 + x * 1299709 + z * y * x) % 401) as f64;
    let volume = Grid::new(Geometry::upright(shape, [1.0; 3]), ndarray::Array3::from_shape_fn(shape, value)).unwrap();
    let bounds = Bounds { low: [10, 3, 25], shape: [4, 5, 6] };
    for configuration in configurations() {
        let Some(filter) = configuration.filter else { continue };
        // A narrower wave, so that the box is smaller than the image.
        let kind = match filter.kind {
            Kind::Gabor { angle, .. } => Kind::Gabor { sigma_mm: 0.8, wavelength_mm: 2.0, gamma: 1.0, angle },
            other => other,
        };
        let filter = Filter { kind, ..filter };
        let whole = apply(&volume, &filter).cut(bounds);
        let part = apply_within(&volume, &filter, bounds);
        let apart = whole.as_slice().iter().zip(part.as_slice()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-9, "{}: {apart}", configuration.name);
    }
}
