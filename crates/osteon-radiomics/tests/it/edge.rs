//! Every odd pair of image and mask has an answer: features, or a message that says what is wrong.

use osteon_base::job::Job;
use osteon_radiomics::describe::{Params, describe};
use osteon_radiomics::read::{self, Label, Limits, Source};
use osteon_radiomics::roi::Roi;

use osteon_testing::{Comparison, shared};

fn params(setting: &str) -> Params {
    let preset = Params::pyradiomics();
    match setting {
        "native_bw25" => preset,
        _ => Params { preprocess: Params::mr_rings().preprocess, ..preset },
    }
}

/// From files to features of the tumour, or what a user is told.
fn answer(image: &[u8], mask: &[u8], label: Label, setting: &str) -> Result<usize, String> {
    let source = |bytes| Source { bytes, data: None };
    let limits = Limits::default();
    let (on, of) = (read::header(image, &limits), read::header(mask, &limits));
    let (on, of) = (on.map_err(|e| e.to_string())?, of.map_err(|e| e.to_string())?);
    read::check_pair(&on.geometry, &of.geometry).map_err(|e| e.to_string())?;
    let image = read::image(source(image), &limits).map_err(|e| e.to_string())?;
    let mask = read::mask(source(mask), label, &limits).map_err(|e| e.to_string())?;
    let described = describe(&image, &mask, &[Roi::Intra], &params(setting), &Job::unwatched());
    let region = described.map_err(|e| e.to_string())?.remove(0);
    region.outcome.map(|values| values.iter().flatten().count()).map_err(|e| e.to_string())
}

/// What we say where pyradiomics fails, crashes, or accepts a mask of another place.
fn expected(case: &str, setting: &str) -> Option<&'static str> {
    match (case, setting) {
        ("two_voxels_line", "native_bw25") => Some("a line of 2 voxels"),
        ("two_voxels_line" | "one_voxel", _) => Some("a single voxel"),
        ("empty_mask", _) => Some("the mask is empty"),
        ("flat_intensity", "mri_bw0.1") => Some("the image is flat"),
        ("mask_origin_off_0.4mm" | "mask_size_differs", _) => Some("image and mask do not lie on the same grid"),
        _ => None,
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn every_edge_case_has_a_decided_answer() {
    let Some(folder) = shared("reference/radiomics/edge_cases") else { return };
    let mut comparison = Comparison::default();
    for row in csv::Reader::from_path(folder.join("edge_status.csv")).unwrap().records().map(Result::unwrap) {
        let (case, setting) = (&row[0], &row[1]);
        let file = |kind: &str| std::fs::read(folder.join(format!("{case}_{kind}.nii.gz"))).unwrap();
        let answer = answer(&file("image"), &file("mask"), Label::AnyNonZero, setting);
        match (answer, expected(case, setting)) {
            (Ok(values), None) if values > 100 => comparison.same(case, true, true),
            (Err(told), Some(part)) if told.contains(part) => comparison.same(case, true, true),
            (answer, expected) => comparison.miss(format!("{case} {setting}: {answer:?}, expected {expected:?}")),
        }
    }
    comparison.finish(34);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn a_label_that_does_not_exist_is_told_with_those_that_do() {
    let Some(folder) = shared("reference/radiomics/edge_cases") else { return };
    let file = |kind: &str| std::fs::read(folder.join(format!("label2_{kind}.nii.gz"))).unwrap();
    let ask = |label| answer(&file("image"), &file("mask"), Label::Value(label), "native_bw25");
    assert!(ask(2).is_ok());
    assert!(ask(7).unwrap_err().contains("no voxel of label 7; its labels are"));
}
