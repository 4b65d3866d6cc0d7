//! An image that keeps its grid is cut to what is looked at; nothing shows it.

use ndarray::Array3;
use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_radiomics::describe::{Params, catalogue, describe};
use osteon_radiomics::filter::{FILTERS, Input, LogKernel};
use osteon_radiomics::grid::{Bounds, Element, Geometry, Grid, Image, Mask};
use osteon_radiomics::roi::Roi;

const SHAPE: [usize; 3] = [35, 44, 61];

fn image(element: Element) -> Image {
    let value = |(z, y, x): (usize, usize, usize)| ((z * 7919 + y * 104729 + x * 1299709 + z * y * x) % 4001) as f64;
    let geometry = Geometry::upright(SHAPE, [3.0, 2.0, 2.5]);
    Image { volume: Grid::new(geometry, Array3::from_shape_fn(SHAPE, value)).unwrap(), element }
}

/// In the middle, and at borders.
fn regions() -> [Bounds; 3] {
    [
        Bounds { low: [14, 20, 25], shape: [4, 5, 6] },
        Bounds { low: [0, 20, 54], shape: [3, 4, 7] },
        Bounds { low: [31, 39, 0], shape: [4, 5, 3] },
    ]
}

#[test]
fn every_filter_gives_a_cut_image_the_bits_of_the_whole() {
    let mut cropped = 0;
    for element in [Element::I16, Element::F32] {
        let image = image(element);
        for kernel in [LogKernel::Recursive, LogKernel::Exact] {
            let params = osteon_radiomics::filter::Params {
                log_sigma_mm: vec![0.4, 1.0],
                log_kernel: kernel,
                ..Params::pyradiomics().filter
            };
            for filter in &FILTERS {
                for bounds in regions() {
                    let geometry = image.volume.geometry();
                    let Some(reach) = filter.reach(&params, geometry) else { continue };
                    let seen = bounds.grown(reach.around(bounds, SHAPE), SHAPE);
                    cropped += usize::from(seen.shape != SHAPE);
                    let part = image.cut(seen);
                    let input = |image, at| Input { image, at, params: &params, seed: Seed(5) };
                    let whole = (filter.apply)(&input(&image, [0; 3]));
                    let part = (filter.apply)(&input(&part, seen.low.map(|low| low as i64)));
                    let own = Bounds { low: std::array::from_fn(|k| bounds.low[k] - seen.low[k]), ..bounds };
                    for (whole, part) in whole.into_iter().zip(part) {
                        let (whole, part) = (whole.unwrap().cut(bounds), part.unwrap().cut(own));
                        // Squares are about the mean of what is given.
                        let rounding = if filter.key == "boxsigmaimage" { 1e-12 } else { 0.0 };
                        let pairs = whole.as_slice().iter().zip(part.as_slice());
                        let apart = pairs.map(|(a, b)| (a - b).abs() / a.abs().max(1.0)).fold(0.0, f64::max);
                        assert!(apart <= rounding, "{} {bounds:?}: {apart}", filter.key);
                    }
                }
            }
        }
    }
    assert!(cropped > 100, "{cropped}");
}

fn ball(middle: [usize; 3], radius: usize) -> Mask {
    let inside = |(z, y, x): (usize, usize, usize)| {
        [z, y, x].into_iter().zip(middle).map(|(a, b)| a.abs_diff(b).pow(2)).sum::<usize>() <= radius * radius
    };
    Grid::new(image(Element::I16).volume.geometry().clone(), Array3::from_shape_fn(SHAPE, inside)).unwrap()
}

/// Two filters look at the whole image, which is then kept whole: the other images must not tell.
#[test]
fn features_are_those_of_the_whole_image() {
    let base = Params::pyradiomics();
    let image = image(Element::I16);
    let rest =
        FILTERS.iter().map(|filter| filter.key).filter(|key| !["normalize", "laplaciansharpening"].contains(key));
    let rest: Vec<String> = rest.map(str::to_owned).collect();
    let with = |images: Vec<String>, families: &[&str]| {
        let mut params = base.clone();
        params.preprocess.bin_width = 200.0;
        params.filter.images = images;
        params.filter.log_sigma_mm = vec![0.4, 1.0];
        params.feature.families = families.iter().map(|&word| word.to_owned()).collect();
        params
    };
    for (middle, families) in [
        ([17, 22, 30], &["shape", "firstorder", "glcm"][..]),
        ([1, 40, 58], &["firstorder", "gldm"]),
        ([17, 22, 30], &["ibsi"]),
    ] {
        let mask = ball(middle, 3);
        let rois = [Roi::Intra, Roi::Peri(5.0)];
        let measured = |params: &Params| {
            let found = describe(&image, &mask, &rois, params, &Job::unwatched()).unwrap();
            let names = catalogue(params);
            found
                .into_iter()
                .map(|it| names.iter().cloned().zip(it.outcome.unwrap()).collect::<Vec<_>>())
                .collect::<Vec<_>>()
        };
        let whole = measured(&with(vec!["all".to_owned()], families));
        let cut = measured(&with(rest.clone(), families));
        for (whole, cut) in whole.iter().zip(&cut) {
            let whole: std::collections::BTreeMap<_, _> = whole.iter().cloned().collect();
            for (name, value) in cut {
                let (a, b) = (whole[name], *value);
                // Coordinates of a cut image have another origin, and squares another mean: last bits may differ.
                let is_rounded = families == ["ibsi"] || name.starts_with("boxsigmaimage");
                let same = a == b || is_rounded && (a.unwrap() - b.unwrap()).abs() <= 1e-9 * a.unwrap().abs();
                assert!(same, "{name} at {middle:?}: {a:?} {b:?}");
            }
        }
    }
}
