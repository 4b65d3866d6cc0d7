//! The IBSI's digital phantom: every feature with an IBSI code within the consensus' tolerance.

use std::collections::BTreeMap;

use ndarray::Array3;
use osteon_base::job::Job;
use osteon_radiomics::describe::{Params, catalogue, describe};
use osteon_radiomics::feature::Family;
use osteon_radiomics::grid::{Element, Geometry, Grid, Image, Mask};
use osteon_radiomics::roi::Roi;

use osteon_testing::{Comparison, Frame, fixture};

/// 4 slices of 4 rows of 5 voxels; a dash marks the voxels outside the region.
fn phantom() -> (Image, Mask) {
    let text = std::fs::read_to_string(fixture("ibsi1/digital_phantom.txt")).unwrap();
    let words = text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
    let (levels, inside): (Vec<f64>, Vec<bool>) =
        words.map(|word| (word.trim_end_matches('-').parse::<f64>().unwrap(), !word.ends_with('-'))).unzip();
    let geometry = Geometry::upright([4, 4, 5], [2.0; 3]);
    let volume = Grid::new(geometry.clone(), Array3::from_shape_vec((4, 4, 5), levels).unwrap()).unwrap();
    let mask = Grid::new(geometry, Array3::from_shape_vec((4, 4, 5), inside).unwrap()).unwrap();
    (Image { volume, element: Element::F64 }, mask)
}

/// What the IBSI would call our value: pyradiomics' kurtosis is not the excess, and its axes divide by n, not n - 1.
fn as_ibsi(name: &str, value: f64) -> f64 {
    match name {
        "Kurtosis" => value - 3.0,
        "MajorAxisLength" | "MinorAxisLength" | "LeastAxisLength" => value * (74.0f64 / 73.0).sqrt(),
        _ => value,
    }
}

fn three_digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap()
}

#[test]
fn the_digital_phantom_meets_the_consensus() {
    let frame = Frame::read(&fixture("ibsi1/digital_phantom.csv"));
    let numbers = |name: &str| frame.texts(name).into_iter().map(|text| text.parse::<f64>().unwrap());
    let consensus: BTreeMap<String, (f64, f64)> =
        frame.texts("ibsi_id").into_iter().zip(numbers("value").zip(numbers("tolerance"))).collect();
    let (image, mask) = phantom();
    let mut params = Params::pyradiomics();
    params.preprocess.bin_width = 1.0;
    let described = describe(&image, &mask, &[Roi::Intra], &params, &Job::unwatched()).unwrap().remove(0);
    let ours: BTreeMap<String, Option<f64>> = catalogue(&params).into_iter().zip(described.outcome.unwrap()).collect();
    let mut comparison = Comparison::default();
    for family in Family::ALL {
        for (name, code) in family.features() {
            let Some((value, tolerance)) = code.and_then(|code| consensus.get(code)).copied() else { continue };
            let own = as_ibsi(name, ours[&format!("original_{}_{name}", family.name())].unwrap());
            let label = format!("{} {name} ({})", family.name(), code.unwrap_or_default());
            comparison.close(label, three_digits(own), value, 1e-12, tolerance);
        }
    }
    comparison.finish(98);
}
