//! From files to the values that features are made of: least, most and mean of every filtered image in every region.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use osteon_base::seed::Seed;
use osteon_radiomics::filter::{self, Crop, Input, LogKernel};
use osteon_radiomics::grid::{Image, Mask};
use osteon_radiomics::preprocess::{self, Extent, Prepared};
use osteon_radiomics::roi::{Roi, Shells};

use crate::forge;
use crate::forge::{reference_image, reference_mask};
use osteon_testing::{Comparison, fixture, shared};

/// `least, most, mean` by image type, and these by case, region and setting.
type Moments = BTreeMap<(String, String, String), BTreeMap<String, [f64; 3]>>;

const FEATURES: [&str; 3] = ["Minimum", "Maximum", "Mean"];

fn reference(path: PathBuf) -> Moments {
    let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(path).unwrap()));
    let names = reader.headers().unwrap().clone();
    let mut moments = Moments::new();
    for row in reader.records().map(Result::unwrap) {
        let cell = |name: &str| names.iter().position(|own| own == name).map_or("", |at| &row[at]).to_owned();
        let Some(at) = FEATURES.iter().position(|&name| name == cell("feature")) else { continue };
        if cell("class") == "firstorder" {
            let image = moments.entry((cell("case"), cell("roi"), cell("setting"))).or_default();
            image.entry(cell("image_type")).or_default()[at] = cell("value").parse().unwrap();
        }
    }
    moments
}

fn case(name: &str) -> (Image, Mask) {
    let phantom = |file: &str| std::fs::read(fixture(&format!("phantoms/{file}"))).unwrap();
    match name {
        "phantom_a" => {
            (forge::image(&phantom("phantom_a_image.nii.gz")), forge::mask(&phantom("phantom_a_mask.nii.gz")))
        }
        "phantom_b" => (forge::image(&phantom("phantom_b_image.nrrd")), forge::mask(&phantom("phantom_b_mask.nrrd"))),
        _ if name.starts_with("STS") => {
            let file = |kind: &str| format!("images/sts_mr_t1/{name}/MR_T1_{kind}.nii.gz");
            (reference_image(&file("image")), reference_mask(&file("mask")))
        }
        _ => {
            let file = |kind: &str| format!("images/pyradiomics/{name}_{kind}.nrrd");
            (reference_image(&file("image")), reference_mask(&file("label")))
        }
    }
}

fn roi(name: &str) -> Option<Roi> {
    let margin = || name.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap();
    match name.trim_end_matches("mm").trim_end_matches(char::is_numeric) {
        "" => None,
        "intra" | "tumour" => Some(Roi::Intra),
        "ring" | "peri_" => Some(Roi::Peri(margin())),
        "dil" | "intra_peri_" => Some(Roi::IntraPeri(margin())),
        other => panic!("{other} is no region"),
    }
}

/// What the reference gave to its filters: the whole file on its own grid; pyradiomics' crop of the tumour; or, when
/// there are several regions, the region's box and 5 voxels.
fn crop(name: &str, setting: &str, region: Option<Roi>) -> Prepared {
    let (image, mask) = case(name);
    let native = setting == "default_bw25";
    let spacing_mm = if native { Vec::new() } else { vec![1.0, 1.0, 3.0] };
    let params = preprocess::Params {
        normalise: !native,
        spacing_mm,
        ..osteon_radiomics::describe::Params::mr_rings().preprocess
    };
    let alone = !native && region.is_none();
    let extent = match (native, alone) {
        (true, _) => Extent::Whole,
        (false, true) => Extent::PYRADIOMICS,
        (false, false) => Extent::Around { voxels: [12; 3], counted_from: 12 },
    };
    let whole = preprocess::prepare(&image, &mask, extent, &params).unwrap();
    let mask = Shells::around(&whole.mask, &[2.0, 4.0, 6.0]).region(region.unwrap_or(Roi::Intra)).unwrap();
    if native || alone {
        return Prepared { mask, ..whole };
    }
    let bounds = mask.bounds().unwrap().grown([5; 3], mask.geometry().shape);
    Prepared { image: whole.image.cut(bounds), mask: mask.cut(bounds), at: [0; 3] }
}

fn check(comparison: &mut Comparison, references: Moments) {
    for ((name, region, setting), images) in references {
        let prepared = crop(&name, &setting, roi(&region));
        let params = filter::Params {
            images: vec!["all".into()],
            log_sigma_mm: vec![0.5, 1.0, 1.5, 2.0, 3.0],
            log_kernel: LogKernel::Recursive,
            crop: Crop::Roi,
        };
        let input = Input { image: &prepared.image, at: prepared.at, params: &params, seed: Seed(0) };
        for chosen in filter::chosen(&params).unwrap().iter().filter(|it| !it.filter.key.ends_with("noise")) {
            if !chosen.names.iter().any(|name| images.contains_key(name)) {
                continue;
            }
            for (image, found) in chosen.names.iter().zip(chosen.apply(&input)) {
                let Some(theirs) = images.get(image) else { continue };
                let ours = moments(&found.unwrap(), &prepared.mask);
                for k in 0..3 {
                    let label = format!("{name} {region} {setting} {image} {}", FEATURES[k]);
                    comparison.close(label, ours[k], theirs[k], 1e-9, 1e-9);
                }
            }
        }
    }
}

fn moments(volume: &osteon_radiomics::grid::Volume, mask: &Mask) -> [f64; 3] {
    let inside = volume.as_slice().iter().zip(mask.as_slice()).filter(|(_, inside)| **inside).map(|(value, _)| *value);
    let (n, sum) = inside.clone().fold((0.0, 0.0), |(n, sum), value| (n + 1.0, sum + value));
    [inside.clone().fold(f64::INFINITY, f64::min), inside.fold(f64::NEG_INFINITY, f64::max), sum / n]
}

fn met(file: &str, at_least: usize) {
    let Some(path) = shared(&format!("reference/radiomics/{file}")) else { return };
    let mut comparison = Comparison::default();
    check(&mut comparison, reference(path));
    comparison.finish(at_least);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_phantoms_native_and_resampled() {
    met("synthetic/values.csv.gz", 4 * 14 * 3);
    met("synthetic/urp24.csv.gz", 22 * 3);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_phantoms_in_every_region() {
    met("synthetic/seven_roi.csv.gz", 7 * 22 * 3);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn patients_native_and_resampled() {
    met("values/real_dev_brain1_brain2_breast1.csv.gz", 9 * 14 * 3);
    met("values/sts_dev.csv.gz", 12 * 14 * 3);
    met("values/urp24_dev.csv.gz", 3 * 22 * 3);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn patients_in_every_region() {
    met("values/seven_roi_dev.csv.gz", 14 * 22 * 3);
}
