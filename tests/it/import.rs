//! Clinical variables and images come into a study whole, or not at all and with every reason.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support::{fixture, run};

fn study() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["init", "--title", "A study"]).0, 0);
    folder
}

fn changes(folder: &Path) -> usize {
    run(folder, &["log", "-n", "0", "--format", "csv"]).1.lines().count()
}

#[test]
fn the_cohort_is_imported_once_and_again_changes_nothing() {
    let folder = study();
    let cohort = fixture("cohort.csv");
    let import = ["import", "clinical", cohort.to_str().unwrap()];
    let (code, _, said) = run(folder.path(), &import);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("93 patients added, 0 values changed"), "{said}");
    assert!(said.contains("not read: split"), "{said}");
    let before = changes(folder.path());
    let (code, printed, said) = run(folder.path(), &import);
    assert_eq!((code, printed.as_str()), (0, ""));
    assert!(said.contains("0 patients added, 0 values changed, 93 patients unchanged"), "{said}");
    assert_eq!(changes(folder.path()), before);
    let (_, patients, _) = run(folder.path(), &["patients", "--format", "csv"]);
    assert_eq!(patients.lines().filter(|line| line.contains("non-pGR")).count(), 48);
}

#[test]
fn a_refused_cell_stops_the_import_unless_bad_rows_are_skipped() {
    let folder = study();
    fs::write(folder.path().join("bad.csv"), "patient_id,sex,alp\nA,female,1O0\nB,male,88\n").unwrap();
    let (code, printed, said) = run(folder.path(), &["import", "clinical", "bad.csv"]);
    assert_eq!(code, 2);
    for part in ["2", "alp", "1O0", "a number above 0"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    assert!(said.contains("nothing was imported"), "{said}");
    assert!(!run(folder.path(), &["patients", "--format", "csv"]).1.contains("B,male"));
    assert_eq!(run(folder.path(), &["import", "clinical", "bad.csv", "--skip-bad-rows"]).0, 1);
    assert!(run(folder.path(), &["patients", "--format", "csv"]).1.contains("B,male"));
}

#[test]
fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let folder = study();
    let put = |alp: &str| fs::write(folder.path().join("c.csv"), format!("patient_id,alp\nA,{alp}\n")).unwrap();
    put("88");
    assert_eq!(run(folder.path(), &["import", "clinical", "c.csv"]).0, 0);
    let before = changes(folder.path());
    put("\"99,5\"");
    let (code, printed, said) = run(folder.path(), &["import", "clinical", "c.csv", "--dry-run", "--format", "csv"]);
    assert_eq!(code, 0, "{said}");
    assert!(printed.contains("A,alp,88,99.5"), "{printed}");
    assert!(said.contains("would be changed") && said.contains("decimal commas in alp"), "{said}");
    assert_eq!(changes(folder.path()), before);
}

#[test]
fn images_are_linked_by_manifest_or_folder_after_their_grids_were_compared() {
    let folder = study();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("c.csv"), "patient_id\nA\nB\n").unwrap();
    run(folder.path(), &["import", "clinical", "c.csv"]);
    for code in ["A", "B"] {
        fs::create_dir_all(at("images").join(code)).unwrap();
        for kind in ["image", "mask"] {
            let from = fixture(&format!("phantoms/phantom_a_{kind}.nii.gz"));
            fs::copy(from, at("images").join(code).join(format!("{kind}.nii.gz"))).unwrap();
        }
    }
    let (code, printed, said) = run(folder.path(), &["import", "images", "images"]);
    assert_eq!(code, 0, "{printed}{said}");
    assert!(said.contains("2 patients linked: 4 files new"), "{said}");
    fs::write(
        at("images/manifest.csv"),
        "patient,image,mask,repeat_mask\nA,A/image.nii.gz,A/mask.nii.gz,\nB,B/image.nii.gz,B/mask.nii.gz,A/mask.nii.gz\n",
    )
    .unwrap();
    let (code, _, said) = run(folder.path(), &["import", "images", "images/manifest.csv"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("1 file new, 4 unchanged"), "{said}");
    assert!(run(folder.path(), &["show", "B"]).1.contains("repeat mask"));
}

#[test]
fn a_file_that_is_outside_missing_or_on_another_grid_is_refused() {
    let folder = study();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("c.csv"), "patient_id\nA\n").unwrap();
    run(folder.path(), &["import", "clinical", "c.csv"]);
    fs::create_dir_all(at("in")).unwrap();
    for (from, to) in [
        ("phantom_a_image.nii.gz", "in/image.nii.gz"),
        ("phantom_a_mask.nii.gz", "in/mask.nii.gz"),
        ("phantom_b_mask.nrrd", "in/other.nrrd"),
        ("phantom_a_mask.nii.gz", "outside.nii.gz"),
    ] {
        fs::copy(fixture("phantoms").join(from), at(to)).unwrap();
    }
    std::os::unix::fs::symlink(at("outside.nii.gz"), at("in/link.nii.gz")).unwrap();
    fs::write(at("in/text.nii.gz"), "no image").unwrap();
    fs::write(at("in/voxels.nhdr"), crate::forge::nrrd_header(&["data file: voxels.raw"])).unwrap();
    std::os::unix::fs::symlink(at("outside.nii.gz"), at("in/voxels.raw")).unwrap();
    let check = |patient: &str, mask: &str, label: &str, expected: &str| {
        let text = format!("patient,image,mask,label\n{patient},image.nii.gz,{mask},{label}\n");
        fs::write(at("in/manifest.csv"), text).unwrap();
        let (code, printed, said) = run(folder.path(), &["import", "images", "in/manifest.csv", "--format", "csv"]);
        assert_eq!(code, 2, "{mask}: {printed}{said}");
        assert!(printed.contains(expected), "{mask}: {printed}");
    };
    check("A", "../other.nrrd", "", "can be read");
    check("A", "voxels.nhdr", "", "a symbolic link, expected the file of the voxels");
    check("A", "none.nii.gz", "", "can be read");
    check("A", "text.nii.gz", "", "image");
    check("A", "other.nrrd", "", "lies outside the image");
    check("A", "mask.nii.gz", "77", "label 77");
    check("A", "mask.nii.gz", "one", "no segment is called one: the file names none, its labels are 1 (");
    check("Z", "mask.nii.gz", "", "a patient of the study");
}

#[test]
fn absolute_paths_parents_and_symbolic_links_of_a_manifest_are_followed() {
    let folder = study();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("c.csv"), "patient_id\nA\n007\n").unwrap();
    run(folder.path(), &["import", "clinical", "c.csv"]);
    fs::create_dir_all(at("in/top/sub-A/anat")).unwrap();
    fs::create_dir_all(at("store")).unwrap();
    for (from, to) in [("phantom_a_image.nii.gz", "store/i.nii.gz"), ("phantom_a_mask.nii.gz", "store/m.nii.gz")] {
        fs::copy(fixture("phantoms").join(from), at(to)).unwrap();
    }
    let absolute = at("store/m.nii.gz").to_str().unwrap().to_owned();
    fs::write(at("in/manifest.csv"), format!("ID;Image;Mask\nA;../store/i.nii.gz;{absolute}\n")).unwrap();
    let linked = |source: &str| run(folder.path(), &["import", "images", source, "--dry-run"]);
    let (code, printed, said) = linked("in/manifest.csv");
    assert!(code == 0 && said.contains("1 patient would be linked"), "{printed}{said}");
    // A data set of links, one folder down, with a circle in it.
    std::os::unix::fs::symlink(at("store/i.nii.gz"), at("in/top/sub-A/anat/t2.nii.gz")).unwrap();
    std::os::unix::fs::symlink(at("store/m.nii.gz"), at("in/top/sub-A/anat/t2_mask.nii.gz")).unwrap();
    std::os::unix::fs::symlink(at("in"), at("in/top/circle")).unwrap();
    let (code, printed, said) = linked("in");
    assert!(code == 0 && said.contains("1 patient would be linked"), "{printed}{said}");
    assert!(said.contains("sub-A is taken for the patient A"), "{said}");
    fs::create_dir_all(at("empty")).unwrap();
    let (code, _, said) = linked("empty");
    assert!(code == 1 && said.contains("known layouts"), "{said}");
}

#[test]
fn an_edit_needs_a_known_field_a_possible_value_and_a_reason() {
    let folder = study();
    fs::write(folder.path().join("c.csv"), "patient_id,alp\nA,88\n").unwrap();
    run(folder.path(), &["import", "clinical", "c.csv"]);
    let edit = |what: &str, reason: &str| run(folder.path(), &["edit", "A", what, "--reason", reason]).0;
    assert_eq!(edit("alp=120", "typing error"), 0);
    assert_eq!(edit("alp=x", "typing error"), 2);
    assert_eq!(edit("height=1", "typing error"), 2);
    assert_eq!(edit("alp=1", " "), 2);
    assert_eq!(run(folder.path(), &["exclude", "A", "--reason", "no MRI"]).0, 0);
    assert!(run(folder.path(), &["show", "A"]).1.contains("no: no MRI"));
    assert!(run(folder.path(), &["log", "A", "--format", "csv"]).1.contains("alp,88,120,typing error"));
    assert_eq!(run(folder.path(), &["show", "B"]).0, 2);
}

#[test]
fn a_blind_reader_sees_neither_necrosis_nor_response() {
    let folder = study();
    run(folder.path(), &["import", "clinical", fixture("cohort.csv").to_str().unwrap()]);
    for command in [["patients"].as_slice(), &["show", "SYN001"], &["log", "-n", "0"]] {
        for format in ["text", "csv", "json", "html"] {
            let (code, printed, _) = run(folder.path(), &[command, &["--blind", "--format", format]].concat());
            assert_eq!(code, 0);
            assert!(!printed.contains("pGR") && !printed.to_lowercase().contains("necrosis, %"), "{command:?}");
        }
    }
    let (_, log, _) = run(folder.path(), &["log", "SYN001", "--field", "necrosis_pct", "--blind", "--format", "csv"]);
    assert_eq!(log.lines().count(), 1, "a line would tell that there is a value: {log}");
}

#[test]
fn a_cell_of_a_million_letters_is_refused_at_once_and_not_shown_whole() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(crate::support::run(folder.path(), &["init"]).0, 0);
    let text = format!("patient_id,age,alp\nP1,12,{}\nP2,13,100\n", "q".repeat(1 << 20));
    std::fs::write(folder.path().join("clinical.csv"), text).unwrap();
    let started = std::time::Instant::now();
    let (code, out, error) = crate::support::run(folder.path(), &["import", "clinical", "clinical.csv"]);
    assert_ne!(code, 0);
    assert!(out.len() + error.len() < 5_000, "{}", out.len() + error.len());
    // A minute and a half where every line looked at all that was left.
    assert!(started.elapsed().as_secs() < 20);
}
