//! Filtered images against the arrays of SimpleITK, PyWavelets and the IBSI.

use osteon_base::seed::Seed;
use osteon_radiomics::filter::{self, Crop, FilterError, Input, LogKernel, Params};
use osteon_radiomics::grid::{Bounds, Element, Geometry, Grid, Image, Volume};

use crate::forge::reference_image;
use osteon_testing::{Comparison, shared};

fn params(images: &[&str]) -> Params {
    Params {
        images: images.iter().map(|&name| name.to_owned()).collect(),
        log_sigma_mm: vec![0.5, 1.0, 1.5, 2.0],
        log_kernel: LogKernel::Recursive,
        crop: Crop::Shared,
    }
}

/// All images asked for, with their names.
fn filtered(image: &Image, params: &Params) -> Vec<(String, filter::Filtered)> {
    let input = Input { image, at: [17, 60, 121], params, seed: Seed(1) };
    let each = |chosen: filter::Chosen| chosen.names.clone().into_iter().zip(chosen.apply(&input)).collect::<Vec<_>>();
    filter::chosen(params).unwrap().into_iter().flat_map(each).collect()
}

fn only(image: &Image, name: &str) -> Volume {
    filtered(image, &params(&[name])).remove(0).1.unwrap()
}

fn largest_difference(a: &Volume, b: &Volume) -> f64 {
    a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn range(volume: &Volume) -> f64 {
    let (low, high) = volume.as_slice().iter().fold((f64::MAX, f64::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    high - low
}

/// The absolute tolerance of each array of brain1; the noise images have none.
fn tolerance(name: &str) -> Option<f64> {
    match name {
        "additivegaussiannoise" | "specklenoise" | "shotnoise" => None,
        // Single precision, rounded after each pass as ITK does: the same numbers or not.
        "recursivegaussian" => Some(0.0),
        _ if name.starts_with("log-") => Some(0.0),
        // ITK takes these sums from an integral image, whose rounding grows with its size; a root doubles the digits lost.
        "boxmean" => Some(1e-11),
        "boxsigmaimage" => Some(1e-10),
        _ => Some(1e-12),
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn every_array_of_brain1_is_met() {
    let Some(folder) = shared("reference/radiomics/intermediate_brain1") else { return };
    let image = reference_image("intermediate_brain1/03_resampled_zscore.nii.gz");
    let mut params = params(&["all"]);
    params.log_sigma_mm.push(3.0);
    let mut comparison = Comparison::default();
    let ours = filtered(&image, &params);
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".nii.gz").and_then(|stem| stem.split_once('_')).map(|(_, name)| name)
        else {
            continue;
        };
        let Some((_, found)) = ours.iter().find(|(own, _)| own == name) else { continue };
        if let Some(tolerance) = tolerance(name) {
            let theirs = reference_image(&format!("intermediate_brain1/{file}"));
            let worst = largest_difference(found.as_ref().unwrap(), &theirs.volume);
            comparison.close(format!("{name}: largest difference"), worst, 0.0, 0.0, tolerance);
        }
    }
    comparison.finish(22);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_response_maps_of_the_ibsi_are_met_within_a_hundredth_of_their_range() {
    if shared("reference/radiomics/ibsi2").is_none() {
        return;
    }
    let phantom = |name: &str| {
        let mut image = reference_image(&format!("images/ibsi_2_digital_phantom/nifti/{name}/image/{name}.nii.gz"));
        image.element = Element::F64;
        image
    };
    let log = |name: &str, sigma_mm: f64| {
        let exact = Params { log_sigma_mm: vec![sigma_mm], log_kernel: LogKernel::Exact, ..params(&["log"]) };
        // The IBSI counts in voxels of 2 mm and does not scale by sigma2.
        filtered(&phantom(name), &exact).remove(0).1.unwrap().map(|value| value * 4.0 / (sigma_mm * sigma_mm))
    };
    let maps = [
        ("1_a_2", filter::mean(&phantom("checkerboard").volume, 7)),
        ("2_a", log("impulse", 3.0)),
        ("2_b", log("checkerboard", 5.0)),
        ("6_a_1", only(&phantom("sphere"), "wavelet-HHL")),
    ];
    let mut comparison = Comparison::default();
    for (name, ours) in &maps {
        let theirs = reference_image(&format!("ibsi2/{name}-ValidCRM.nii.gz")).volume;
        comparison.close(*name, largest_difference(ours, &theirs), 0.0, 0.0, 0.01 * range(&theirs));
    }
    comparison.finish(maps.len());
}

fn textured(shape: [usize; 3], spacing_mm: [f64; 3]) -> Image {
    let value = |(z, y, x): (usize, usize, usize)| {
        let (z, y, x) = (z as f64, y as f64, x as f64);
        (0.9 * x + 0.3 * y).sin()
            + (0.7 * y - 0.4 * z).cos()
            + 0.1 * ((x * 12.9 + y * 78.2 + z * 37.7).sin() * 43.7).fract()
    };
    let cells = ndarray::Array3::from_shape_fn(shape, value);
    Image { volume: Grid::new(Geometry::upright(shape, spacing_mm), cells).unwrap(), element: Element::F64 }
}

#[test]
fn a_wider_crop_changes_nothing_farther_inside_than_the_support() {
    let image = textured([24, 40, 44], [3.0, 1.0, 1.0]);
    let margin = [6, 9, 9];
    let bounds =
        Bounds { low: margin, shape: std::array::from_fn(|k| image.volume.geometry().shape[k] - 2 * margin[k]) };
    let params = params(&["all"]);
    for chosen in filter::chosen(&params).unwrap() {
        if ["normalize", "laplaciansharpening"].contains(&chosen.filter.key) {
            continue;
        }
        let support = (chosen.filter.support)(&params, image.volume.geometry());
        let shape = std::array::from_fn(|k| (bounds.shape[k] + 2 * support[k]).min(image.volume.geometry().shape[k]));
        let low = std::array::from_fn(|k| margin[k].saturating_sub(support[k]));
        let crop = image.cut(Bounds { low, shape });
        let at = low.map(|low| low as i64);
        let whole = chosen.apply(&Input { image: &image, at: [0; 3], params: &params, seed: Seed(3) });
        let part = chosen.apply(&Input { image: &crop, at, params: &params, seed: Seed(3) });
        let inner = Bounds { low: std::array::from_fn(|k| margin[k] - low[k]), shape: bounds.shape };
        for ((name, whole), part) in chosen.names.iter().zip(whole).zip(part) {
            let worst = largest_difference(&whole.unwrap().cut(bounds), &part.unwrap().cut(inner));
            // A recursion never ends; four sigma leave a thousandth of the range of 4.
            let tolerance = if name.starts_with("log") || name == "recursivegaussian" { 4e-3 } else { 1e-14 };
            assert!(worst <= tolerance, "{name}: {worst}");
        }
    }
}

#[test]
fn the_exact_laplacian_of_a_parabola_is_its_curvature() {
    let shape = [15, 31, 31];
    let square = |at: usize, centre: f64| (at as f64 - centre).powi(2);
    let cells =
        ndarray::Array3::from_shape_fn(shape, |(z, y, x)| 9.0 * square(z, 7.0) + square(y, 15.0) + square(x, 15.0));
    let volume = Grid::new(Geometry::upright(shape, [3.0, 1.0, 1.0]), cells).unwrap();
    let image = Image { volume, element: Element::F64 };
    let exact = Params { log_kernel: LogKernel::Exact, ..params(&["log"]) };
    for ((name, found), sigma) in filtered(&image, &exact).into_iter().zip([0.5, 1.0, 1.5, 2.0]) {
        let centre = found.unwrap().cells()[[7, 15, 15]];
        assert!((centre - 6.0 * sigma * sigma).abs() < 1e-9, "{name}: {centre}");
    }
}

#[test]
fn an_image_too_thin_for_a_recursion_and_a_flat_one_are_told() {
    let thin = textured([3, 20, 20], [3.0, 1.0, 1.0]);
    let told = filtered(&thin, &params(&["log-sigma-2-0-mm-3D"])).remove(0).1.unwrap_err();
    assert_eq!(told, FilterError::TooThin { axis: 'z', found: 3, sigma_mm: 2.0, expected: 4 });
    let flat = Image { volume: thin.volume.map(|_| 0.1), element: Element::F64 };
    for name in ["normalize", "laplaciansharpening"] {
        assert!(matches!(filtered(&flat, &params(&[name])).remove(0).1, Err(FilterError::Flat(_))), "{name}");
    }
}

#[test]
fn the_protocol_names_24_filtered_images_and_refuses_others() {
    let names: Vec<String> = filter::chosen(&params(&["all"])).unwrap().into_iter().flat_map(|it| it.names).collect();
    assert_eq!(names.len(), 25);
    assert_eq!(names[0], "original");
    assert!(
        ["log-sigma-0-5-mm-3D", "wavelet-LLH", "boxsigmaimage"].iter().all(|&it| names.iter().any(|own| own == it))
    );
    let some = filter::chosen(&params(&["wavelet-HHL", "log-sigma-1-5-mm-3D"])).unwrap();
    let some: Vec<String> = some.into_iter().flat_map(|it| it.names).collect();
    assert_eq!(some, ["log-sigma-1-5-mm-3D", "wavelet-HHL"]);
    assert_eq!(filter::chosen(&params(&["wavelets"])).err().unwrap().name, "wavelets");
}

fn moments(values: impl Iterator<Item = f64>) -> [f64; 4] {
    let values: Vec<f64> = values.collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let central = |power: i32| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / n;
    let sd = central(2).sqrt();
    [mean, sd, central(3) / sd.powi(3), central(4) / sd.powi(4)]
}

/// Each of 64,000 draws' mean, sd, skewness and kurtosis lie within five standard errors of the distribution's.
#[test]
fn noise_has_the_distribution_of_its_name() {
    let level = |value: f64| {
        let mut image = textured([40, 40, 40], [1.0; 3]);
        image.volume = image.volume.map(|_| value);
        image
    };
    let check = |name: &str, image: &Image, expected: [f64; 4], error: [f64; 4]| {
        let found = moments(only(image, name).as_slice().iter().copied());
        for k in 0..4 {
            assert!(
                (found[k] - expected[k]).abs() < 5.0 * error[k] / 253.0,
                "{name}: {found:?}, expected {expected:?}"
            );
        }
    };
    check("additivegaussiannoise", &level(3.0), [3.0, 1.0, 0.0, 3.0], [1.0, 0.71, 2.45, 4.9]);
    check("specklenoise", &level(3.0), [3.0, 3.0, 2.0, 9.0], [3.0, 4.25, 12.0, 140.0]);
    check("shotnoise", &level(4.0), [4.0, 2.0, 0.5, 3.25], [2.0, 1.5, 3.2, 9.0]);
    check("shotnoise", &level(100.0), [100.0, 10.0, 0.0, 3.0], [10.0, 7.1, 2.45, 4.9]);
    assert!(only(&level(-2.0), "shotnoise").as_slice().iter().all(|&count| count == 0.0));
}

#[test]
fn the_noise_of_a_voxel_hangs_on_its_place_and_the_seed_alone() {
    let image = textured([6, 7, 8], [1.0; 3]);
    let noise = params(&["additivegaussiannoise", "specklenoise", "shotnoise"]);
    let made = |image: &Image, at, seed| -> Vec<Volume> {
        let input = Input { image, at, params: &noise, seed };
        filter::chosen(&noise).unwrap().iter().flat_map(|it| it.apply(&input)).map(Result::unwrap).collect()
    };
    let bounds = Bounds { low: [1, 2, 3], shape: [4, 4, 4] };
    let whole = made(&image, [5, 5, 5], Seed(1));
    let part = made(&image.cut(bounds), [6, 7, 8], Seed(1));
    let other = made(&image, [5, 5, 5], Seed(2));
    for ((whole, part), other) in whole.iter().zip(&part).zip(&other) {
        assert_eq!(whole.cut(bounds).as_slice(), part.as_slice());
        assert_ne!(whole.as_slice(), other.as_slice());
    }
}

/// ITK's noise cannot be met voxel by voxel, but its arrays of brain1 must come from the same distributions.
#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_noise_arrays_of_itk_have_the_same_mean_and_spread() {
    if shared("reference/radiomics/intermediate_brain1").is_none() {
        return;
    }
    let image = reference_image("intermediate_brain1/03_resampled_zscore.nii.gz");
    let residual = |noisy: &Volume, name: &str| {
        let pairs = noisy.as_slice().iter().zip(image.volume.as_slice());
        let each = pairs.filter(|(_, value)| name == "additivegaussiannoise" || **value > 0.5);
        let [mean, sd, ..] = match name {
            "additivegaussiannoise" => moments(each.map(|(noisy, value)| noisy - value)),
            "specklenoise" => moments(each.map(|(noisy, value)| noisy / value)),
            _ => moments(each.map(|(noisy, value)| (noisy - value) / value.sqrt())),
        };
        (mean, sd)
    };
    let mut comparison = Comparison::default();
    for (file, name) in [("05", "additivegaussiannoise"), ("13", "specklenoise"), ("15", "shotnoise")] {
        let theirs = reference_image(&format!("intermediate_brain1/{file}_{name}.nii.gz")).volume;
        let ((mean, sd), (itk_mean, itk_sd)) = (residual(&only(&image, name), name), residual(&theirs, name));
        // Five standard errors of a difference over some 30,000 voxels.
        comparison.close(format!("{name}: mean"), mean, itk_mean, 0.0, 0.04);
        comparison.close(format!("{name}: sd"), sd, itk_sd, 0.0, 0.08);
    }
    comparison.finish(6);
}

/// Turned by a quarter about z: the voxel at (y, x) goes to (x, n - 1 - y).
fn turned(volume: &Volume) -> Volume {
    let mut cells = volume.cells().clone();
    cells.swap_axes(1, 2);
    cells.invert_axis(ndarray::Axis(2));
    let [nz, ny, nx] = volume.geometry().shape;
    Grid::new(Geometry::upright([nz, nx, ny], volume.geometry().spacing_mm), cells).unwrap()
}

#[test]
fn a_quarter_turn_of_the_image_is_one_of_the_filtered_image() {
    let image = textured([8, 14, 14], [3.0, 1.0, 1.0]);
    let quarter = Image { volume: turned(&image.volume), element: Element::F64 };
    for name in [
        "boxmean",
        "boxsigmaimage",
        "curvatureflow",
        "laplaciansharpening",
        "normalize",
        "discretegaussian",
        "mean",
        "log",
    ] {
        for (ours, theirs) in filtered(&image, &params(&[name])).into_iter().zip(filtered(&quarter, &params(&[name]))) {
            let worst = largest_difference(&turned(&ours.1.unwrap()), &theirs.1.unwrap());
            // Single precision in the Laplacian of Gaussian.
            let tolerance = if name == "log" { 1e-5 } else { 1e-12 };
            assert!(worst < tolerance, "{}: {worst}", ours.0);
        }
    }
}
