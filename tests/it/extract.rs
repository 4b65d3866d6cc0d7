//! Extraction into the study: whole patients, resumable, each failure named.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use osteon_base::job::Job;
use osteon_study::protocol::Preset;
use osteon_study::store::Role;
use osteon_study::study::{BadRows, Error, ExtractRequest, Study};
use tempfile::TempDir;

use crate::support::{fixture, run};

/// Three patients with the same small image, under a protocol that is quick.
pub fn study() -> (TempDir, Study) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let quick = ["filter.images=[\"original\"]", "roi.margins_mm=[2]", "feature.families=[\"firstorder\"]"];
    let protocol = Preset::Study.protocol().set(quick).unwrap();
    let study = Study::create(&at("study.db"), "A study", protocol).unwrap();
    fs::write(at("c.csv"), "patient_id\nA\nB\nC\nD\n").unwrap();
    study.import_clinical(&at("c.csv"), None, BadRows::Refuse).unwrap();
    for code in ["A", "B", "C"] {
        fs::create_dir_all(at("images").join(code)).unwrap();
        for (from, to) in [("image", "image"), ("mask", "mask"), ("mask", "repeat_mask")] {
            if to != "repeat_mask" || code == "A" {
                let from = fixture(&format!("phantoms/phantom_a_{from}.nii.gz"));
                fs::copy(from, at("images").join(code).join(format!("{to}.nii.gz"))).unwrap();
            }
        }
    }
    study.import_images(&at("images"), BadRows::Refuse).unwrap();
    (folder, study)
}

#[test]
fn every_region_is_measured_once_and_what_stands_is_skipped() {
    let (_folder, study) = study();
    let all = ExtractRequest::default();
    let report = study.extract(&all, &Job::unwatched()).unwrap();
    assert_eq!((report.done, report.skipped, report.without_images), (3, 0, 1), "{:?}", report.failures);
    assert_eq!(study.store.region_states().unwrap().len(), 4 * 3);
    assert_eq!(study.store.matrix("intra", Role::Mask).unwrap().patients.len(), 3);
    assert_eq!(study.store.matrix("intra", Role::RepeatMask).unwrap().patients.len(), 1);
    let report = study.extract(&all, &Job::unwatched()).unwrap();
    assert_eq!((report.done, report.skipped), (0, 3));
    let report = study.extract(&ExtractRequest { codes: vec!["B".into()], force: true }, &Job::unwatched()).unwrap();
    assert_eq!((report.done, report.skipped), (1, 0));
}

#[test]
fn a_patient_that_fails_is_named_with_its_reason_and_the_others_are_measured() {
    let (folder, study) = study();
    fs::remove_file(folder.path().join("images/B/image.nii.gz")).unwrap();
    let other = fixture("phantoms/phantom_b_mask.nrrd");
    fs::copy(other, folder.path().join("images/C/mask.nii.gz")).unwrap();
    let report = study.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    assert_eq!(report.done, 1);
    let failures: Vec<(&str, &str)> = report.failures.iter().map(|it| (it.code.as_str(), it.roi.as_str())).collect();
    assert_eq!(failures, [("B", ""), ("C", "")]);
    assert!(report.failures[0].reason.contains("No such file"), "{:?}", report.failures);
    assert!(report.failures[1].reason.contains("not the one that was imported"), "{:?}", report.failures);
    fs::copy(fixture("phantoms/phantom_a_image.nii.gz"), folder.path().join("images/B/image.nii.gz")).unwrap();
    let report = study.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    assert_eq!((report.done, report.skipped, report.failures.len()), (1, 1, 1));
}

#[test]
fn a_cancelled_extraction_keeps_what_it_has_and_ends_with_the_same_values() {
    let (_folder, study) = study();
    let cancel = AtomicBool::new(false);
    let steps = Mutex::new(0);
    let report = |progress: osteon_base::job::Progress| {
        if progress.stage == "patients" && progress.done == 1 {
            *steps.lock().unwrap() += 1;
            cancel.store(true, Ordering::Relaxed);
        }
    };
    let stopped = study.extract(&ExtractRequest::default(), &Job::new(&cancel, &report));
    assert!(matches!(stopped, Err(Error::Cancelled(_))));
    let stored = study.store.matrix("intra", Role::Mask).unwrap();
    assert_eq!(stored.patients.len(), 1);
    study.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    let resumed = study.store.matrix("intra", Role::Mask).unwrap();
    study.extract(&ExtractRequest { force: true, ..ExtractRequest::default() }, &Job::unwatched()).unwrap();
    assert_eq!(study.store.matrix("intra", Role::Mask).unwrap(), resumed);
}

#[test]
fn the_number_of_threads_does_not_change_a_value() {
    let (folder, study) = study();
    drop(study);
    let features = |threads: &str| {
        assert_eq!(run(folder.path(), &["extract", "--force", "--quiet", "--threads", threads]).0, 0);
        run(folder.path(), &["export", "features"]).1
    };
    assert_eq!(features("1"), features("4"));
}
