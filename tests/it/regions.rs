//! What a region is goes with its result: stored, shown, compared between patients.

use std::fs;
use std::path::Path;

use osteon_base::job::Job;
use osteon_radiomics::grid::Element;
use osteon_study::protocol::Preset;
use osteon_study::store::{Place, Role};
use osteon_study::study::{BadRows, ExtractRequest, Study};
use tempfile::TempDir;

use crate::forge::Nifti;
use crate::support::run;

const SHAPE: [usize; 3] = [14, 14, 8];

/// A file whose voxels are a function of x, y, z.
fn write(path: &Path, element: Element, value: impl Fn([usize; 3]) -> f64) {
    let [nx, ny, nz] = SHAPE;
    let values: Vec<f64> = (0..nx * ny * nz).map(|at| value([at % nx, at / nx % ny, at / nx / ny])).collect();
    fs::write(path, Nifti::new(SHAPE, element, &values, false).bytes).unwrap();
}

fn body([x, y, z]: [usize; 3]) -> f64 {
    if (2..12).contains(&x) && (2..12).contains(&y) { 100.0 + ((7 * x + 3 * y + 5 * z) % 23) as f64 } else { 0.0 }
}

fn tumour(at: [usize; 3], size: usize) -> bool {
    at.iter().zip([3, 3, 2]).all(|(&at, low)| (low..low + size).contains(&at))
}

/// Ten patients; the mask of P3 is a stripe in the corner of the image, in air for the most part, and that of P5 has
/// parts of voxels.
fn study() -> (TempDir, Study) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let quick = ["filter.images=[\"original\"]", "roi.margins_mm=[2]", "feature.families=[\"firstorder\"]"];
    let study = Study::create(&at("study.db"), "A study", Preset::Study.protocol().set(quick).unwrap()).unwrap();
    let codes: Vec<String> = (0..10).map(|n| format!("P{n}")).collect();
    fs::write(at("c.csv"), format!("patient_id\n{}\n", codes.join("\n"))).unwrap();
    study.import_clinical(&at("c.csv"), None, BadRows::Refuse).unwrap();
    for (n, code) in codes.iter().enumerate() {
        let own = at("images").join(code);
        fs::create_dir_all(&own).unwrap();
        write(&own.join("image.nii"), Element::I16, body);
        let inside = |at: [usize; 3]| match n {
            3 => at[1] < 2 && at[0] < 3 && at[2].is_multiple_of(2),
            n => tumour(at, 5) && at != [5, 5, 2 + n % 5],
        };
        let part = if n == 5 { 0.75 } else { 1.0 };
        let value = |at| match (inside(at), n) {
            (true, 5) if at[0] == 3 => 0.25,
            (true, _) => part,
            (false, _) => 0.0,
        };
        write(&own.join("mask.nii"), Element::F32, value);
    }
    let linked = study.import_images(&at("images"), BadRows::Refuse).unwrap();
    assert_eq!(linked.patients, 10, "{:?}", linked.refused);
    assert!(linked.warnings.iter().any(|told| told.starts_with("P5 ") && told.contains("99 voxels of half and more")));
    let report = study.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    // On the study's grid the stripe is a line: a region without values has a check too.
    let failed: Vec<(&str, &str)> = report.failures.iter().map(|it| (it.code.as_str(), it.roi.as_str())).collect();
    assert_eq!(failed, [("P3", "intra")]);
    (folder, study)
}

#[test]
fn what_a_region_is_is_stored_shown_and_compared() {
    let (folder, study) = study();
    let checks = study.store().region_checks().unwrap();
    assert_eq!(checks.len(), 30);
    let patient = study.store().patient("P3").unwrap().id;
    let own = |roi: &str| {
        let found = checks.iter().find(|(owner, place, _)| (*owner, place) == (patient, &Place::of(roi, Role::Mask)));
        found.unwrap().2.clone()
    };
    let intra = own("intra");
    assert_eq!((intra.voxels, intra.slices, intra.empty_slices, intra.pieces), (24, 4, 3, 4));
    // 0.5 x 0.75 x 3 mm a voxel; the body begins at column and row 2, and what is dark leads to the border.
    assert_eq!((intra.volume_mm3, intra.air_share, intra.cut_share), (27.0, Some(1.0), Some(0.0)));
    assert!(own("peri_2mm").cut_share.unwrap() > 0.4, "a ring that leaves the image keeps what it lost");
    let (code, shown, _) = run(folder.path(), &["show", "P3", "--format", "csv"]);
    assert_eq!(code, 0);
    let told = "24 voxels, 27.0 mm³, 4 slices and 3 without the region between them, 4 pieces, 0 holes";
    assert!(shown.contains("mask: intra") && shown.contains(told), "{shown}");
    let (_, shown, _) = run(folder.path(), &["show", "P5", "--format", "csv"]);
    assert!(shown.contains("mask: as read") && shown.contains("99 voxels of half and more"), "{shown}");
    let page = format!("{:?}", study.images_sheet("P3").unwrap().rows);
    assert!(page.contains(told), "the patient's page: {page}");
    let (code, _, said) = run(folder.path(), &["verify"]);
    assert_eq!(code, 0, "{said}");
    for expected in [
        "P3 intra (mask): volume 27.0 mm³, where 8 of 10 patients have 139.5 mm³",
        "P3 intra (mask): pieces 4, where 9 of 10 patients have 1",
        "P3 intra (mask): slices without the region between its own 3, where 9 of 10 patients have 0",
        "P3 intra (mask): proportion in air 100.0%, where 9 of 10 patients have 0.0%",
        "P3 peri_2mm (mask): proportion cut off by the image ",
        "mask: the mask holds parts of voxels: 99 voxels of half and more are inside, 124 are above 0 (P5)",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("P4 "), "the others are like each other: {said}");
}

#[test]
fn nine_patients_are_not_compared_and_an_altered_check_is_found() {
    let (folder, study) = study();
    drop(study);
    let path = folder.path().join("study.db");
    let file = rusqlite::Connection::open(&path).unwrap();
    let one = "DELETE FROM extraction WHERE patient = (SELECT id FROM patient WHERE code = 'P0')";
    file.execute_batch(&format!("PRAGMA foreign_keys = ON; {one}")).unwrap();
    let (code, _, said) = run(folder.path(), &["verify"]);
    assert!(code == 3 && said.contains("extraction P0: results is not what the trail says"), "{said}");
    assert!(!said.contains("robust z"), "{said}");
    let other = "UPDATE extraction SET diagnostics = replace(diagnostics, '\"pieces\":4', '\"pieces\":1')";
    file.execute_batch(other).unwrap();
    let (code, _, said) = run(folder.path(), &["verify"]);
    assert_ne!(code, 0, "{said}");
}

#[test]
fn voxels_that_are_no_numbers_are_left_outside_and_refused_where_something_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let edge = |[x, y, _]: [usize; 3]| x == 0 || y == 13;
    write(&at("plain.nii"), Element::F32, body);
    write(&at("nan.nii"), Element::F32, |at| if edge(at) { f64::NAN } else { body(at) });
    write(&at("inside.nii"), Element::F32, |at| if at == [4, 4, 3] { f64::INFINITY } else { body(at) });
    write(&at("mask.nii"), Element::U8, |at| f64::from(tumour(at, 4)));
    let measure = |image: &str, arguments: &[&str]| {
        let all = [&["features", image, "mask.nii", "--roi", "intra"], arguments].concat();
        run(folder.path(), &all)
    };
    let pyradiomics = ["--preset", "pyradiomics"];
    let (code, plain, _) = measure("plain.nii", &pyradiomics);
    assert_eq!(code, 0);
    let (code, values, said) = measure("nan.nii", &pyradiomics);
    assert_eq!((code, values), (0, plain), "{said}");
    assert!(said.contains("no finite number in 216 voxels of the image"), "{said}");
    let (code, _, said) = measure("nan.nii", &["--preset", "study"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("216 voxels outside the measured regions, where z-score normalization reads"), "{said}");
    let (code, _, said) = measure("nan.nii", &[&pyradiomics[..], &["--roi", "peri_6mm"]].concat());
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("of the measured regions, of 216 in the image"), "{said}");
    let (code, _, said) = measure("inside.nii", &pyradiomics);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("no finite number in 1 voxel of the measured regions") && said.contains("hint: "), "{said}");
}
