//! Extraction into the study: whole patients, resumable, each failure named.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use osteon_base::job::Job;
use osteon_study::protocol::Preset;
use osteon_study::store::{Role, SLOT};
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
    assert_eq!(study.store().region_states().unwrap().len(), 4 * 3);
    assert_eq!(study.store().matrix(SLOT, "intra", &Role::Mask).unwrap().patients.len(), 3);
    assert_eq!(study.store().matrix(SLOT, "intra", &Role::RepeatMask).unwrap().patients.len(), 1);
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
    let stored = study.store().matrix(SLOT, "intra", &Role::Mask).unwrap();
    assert_eq!(stored.patients.len(), 1);
    study.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    let resumed = study.store().matrix(SLOT, "intra", &Role::Mask).unwrap();
    study.extract(&ExtractRequest { force: true, ..ExtractRequest::default() }, &Job::unwatched()).unwrap();
    assert_eq!(study.store().matrix(SLOT, "intra", &Role::Mask).unwrap(), resumed);
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

#[test]
fn one_image_has_the_same_noise_for_every_command_patient_file_and_study() {
    use std::io::Read;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let set = ["filter.images=[\"specklenoise\", \"shotnoise\", \"additivegaussiannoise\"]", "roi.margins_mm=[2]"];
    let protocol = Preset::Study.protocol().set(set).unwrap();
    let protocol = protocol.set(["feature.families=[\"firstorder\"]"]).unwrap();
    let study = Study::create(&at("study.db"), "A study", protocol.clone()).unwrap();
    fs::write(at("c.csv"), "patient_id\nA\nB\nC\n").unwrap();
    study.import_clinical(&at("c.csv"), None, BadRows::Refuse).unwrap();
    let [image, mask] = ["image", "mask"].map(|what| fixture(&format!("phantoms/phantom_a_{what}.nii.gz")));
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(fs::File::open(&image).unwrap()).read_to_end(&mut plain).unwrap();
    // The first voxel, far from the mask: another image.
    let mut other = plain.clone();
    let first = f32::from_le_bytes(plain[108..112].try_into().unwrap()) as usize;
    other[first] ^= 1;
    let rows = ["A,image.nii.gz", "B,image.nii", "C,other.nii"].map(|row| format!("{row},mask.nii.gz\n"));
    fs::copy(&image, at("image.nii.gz")).unwrap();
    fs::copy(&mask, at("mask.nii.gz")).unwrap();
    fs::write(at("image.nii"), plain).unwrap();
    fs::write(at("other.nii"), other).unwrap();
    fs::write(at("manifest.csv"), format!("patient,image,mask\n{}", rows.concat())).unwrap();
    study.import_images(&at("manifest.csv"), BadRows::Refuse).unwrap();
    let plan = study.plan_shards(&ExtractRequest::default(), 1, &Job::unwatched()).unwrap().plan;
    plan.run_shard(1, &at("shard.db"), false, &Job::unwatched()).unwrap();
    study.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    let stored = |study: &Study| study.store().matrix(SLOT, "intra_peri_2mm", &Role::Mask).unwrap();
    let matrix = stored(&study);
    let width = matrix.features.len();
    assert_eq!((matrix.patients.len(), width), (3, 3 * 18));
    let [a, b, c] = [0, 1, 2].map(|row| &matrix.values[row * width..(row + 1) * width]);
    assert_eq!(a, b, "the same voxels in a compressed file and in a plain one");
    assert!(a.iter().zip(c).filter(|(a, c)| a != c).count() > width / 2, "another image has other noise");
    let shard = Study::open(&at("shard.db"), osteon_study::store::Access::Read).unwrap();
    assert_eq!(stored(&shard).values, matrix.values);
    let request = osteon_study::study::FeaturesRequest {
        image: at("image.nii"),
        mask: at("mask.nii.gz"),
        series: None,
        structure: None,
        label: osteon_radiomics::read::Label::Only,
        channel: None,
        rois: vec!["intra_peri_2mm".parse().unwrap()],
        protocol,
        diagnostics: false,
    };
    let alone = osteon_study::study::features(&request, &Job::unwatched()).unwrap();
    let value = |row: &osteon_study::report::values::Row| match row.value {
        osteon_study::report::values::Value::Number(number) => Some(number),
        _ => None,
    };
    assert_eq!(alone.rows.iter().map(value).collect::<Vec<_>>(), a);
}

#[test]
fn features_of_noise_that_an_earlier_version_measured_do_not_stand_and_others_do() {
    // Hashes of 0.1.0.
    let hash = |set: &[&str]| Preset::Study.protocol().set(set.iter().copied()).unwrap().extraction_hash();
    let original = hash(&["filter.images=[\"original\"]"]);
    assert_eq!(original, "4e8a4f31685a68693c4f02305059b1809c161facba0aec9b87509e0db476ff5b");
    assert_ne!(hash(&[]), "afe67b3ea4b5a85db182185e47bd96784f86fca8e41f3eae3a40702280110443");
}
