//! Regions against SimpleITK's distance maps.

use osteon_radiomics::grid::{Image, Mask};
use osteon_radiomics::preprocess::{self, Extent, Params};
use osteon_radiomics::roi::{Roi, Shells};

use crate::forge::{reference_image, reference_mask};
use osteon_testing::{Comparison, shared};

const MARGINS: [f64; 3] = [2.0, 4.0, 6.0];

fn case(name: &str) -> (Image, Mask) {
    match name.strip_prefix("STS_") {
        Some(_) => {
            let file = |kind: &str| format!("images/sts_mr_t1/{name}/MR_T1_{kind}.nii.gz");
            (reference_image(&file("image")), reference_mask(&file("mask")))
        }
        None => {
            let file = |kind: &str| format!("images/pyradiomics/{name}_{kind}.nrrd");
            (reference_image(&file("image")), reference_mask(&file("label")))
        }
    }
}

/// The tumour on its own grid, or resampled with the 12 voxels around it that the reference keeps.
fn tumour(name: &str) -> Mask {
    let (case_name, grid) = name.rsplit_once('_').unwrap();
    let (image, mask) = case(case_name);
    if grid == "native" {
        return mask;
    }
    let params = Params { normalise: false, ..osteon_radiomics::describe::Params::mr_rings().preprocess };
    preprocess::prepare(&image, &mask, Extent::Around { voxels: [12; 3], counted_from: 12 }, &params).unwrap().mask
}

fn roi(kind: &str, margin: f64) -> Roi {
    match kind {
        "tumour" => Roi::Intra,
        "dilated" | "dil" => Roi::IntraPeri(margin),
        "ring" => Roi::Peri(margin),
        other => panic!("{other} is no region"),
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn every_dilation_and_ring_has_the_voxels_that_were_counted() {
    let Some(path) = shared("reference/radiomics/masks/dilation_voxel_counts.csv") else { return };
    let mut comparison = Comparison::default();
    let mut shells: Option<(String, Shells)> = None;
    for row in csv::Reader::from_path(path).unwrap().records().map(Result::unwrap) {
        if shells.as_ref().is_none_or(|(name, _)| *name != row[0]) {
            shells = Some((row[0].to_owned(), Shells::around(&tumour(&row[0]), &MARGINS)));
        }
        let (name, shells) = shells.as_ref().unwrap();
        let region = shells.region(roi(&row[1], row[2].parse().unwrap())).unwrap();
        comparison.same(format!("{name} {} {}", &row[1], &row[2]), region.count(), row[3].parse().unwrap());
    }
    comparison.finish(70);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn every_voxel_of_every_region_is_where_the_reference_has_it() {
    if shared("reference/radiomics/masks").is_none() {
        return;
    }
    let mut comparison = Comparison::default();
    for name in ["brain1_native", "brain1_resampled1x1x3", "STS_008_native", "STS_008_resampled1x1x3"] {
        let shells = Shells::around(&tumour(name), &MARGINS);
        for kind in ["tumour", "dil2mm", "dil4mm", "dil6mm", "ring2mm", "ring4mm", "ring6mm"] {
            let margin = kind.trim_matches(char::is_alphabetic).parse().unwrap_or(0.0);
            let kind_only = kind.split(char::is_numeric).next().unwrap();
            let ours = shells.region(roi(kind_only, margin)).unwrap();
            let theirs = reference_mask(&format!("masks/{name}_{kind}.nii.gz"));
            comparison.same(format!("{name} {kind}: voxels"), ours.as_slice() == theirs.as_slice(), true);
            let apart = ours.geometry().corner_distance_mm(theirs.geometry());
            comparison.same(format!("{name} {kind}: grid"), apart.is_some_and(|mm| mm < 1e-4), true);
        }
    }
    comparison.finish(56);
}

#[test]
fn a_margin_without_shells_has_no_region() {
    let mask = crate::forge::mask(
        &crate::forge::Nifti::new([3, 3, 3], osteon_radiomics::grid::Element::U8, &[1.0; 27], false).bytes,
    );
    assert_eq!(Shells::around(&mask, &MARGINS).region(Roi::Peri(3.0)), None);
}
