//! pyradiomics' parameter and batch files at the command line.

use std::path::PathBuf;

use crate::support::{fixture, run};

fn file(name: &str) -> String {
    fixture(&format!("pyradiomics/{name}")).to_str().unwrap().to_owned()
}

/// A folder with a batch file of these rows below `Image,Mask` and more headings.
fn batch(headings: &str, rows: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (image, mask) = (file("image_c.nii.gz"), file("mask_c.nii.gz"));
    let row = |more: &&str| format!("{image},{mask}{more}\n");
    let text = format!("Image,Mask{headings}\n{}", rows.iter().map(row).collect::<String>());
    std::fs::write(folder.path().join("cases.csv"), text).unwrap();
    let cases = folder.path().join("cases.csv");
    (folder, cases)
}

fn table(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn a_parameter_file_measures_one_image_long_or_wide() {
    let folder = tempfile::tempdir().unwrap();
    let (image, mask, params) = (file("image_c.nii.gz"), file("mask_c.nii.gz"), file("01_default.yaml"));
    let own = ["features", &image, &mask, "--params", &params];
    let (code, long, said) = run(folder.path(), &own);
    assert_eq!(code, 0, "{said}");
    let rows = table(&long);
    assert_eq!(rows[0], ["Image", "Mask", "feature", "value"]);
    let of = |name: &str| rows.iter().find(|row| row[2] == name).map(|row| row[3].clone()).unwrap();
    // pyradiomics 3.0.1, fixtures/pyradiomics/values.csv.gz.
    let mean: f64 = of("original_firstorder_Mean").parse().unwrap();
    assert!(of("diagnostics_Mask-original_VoxelNum").parse::<usize>().unwrap() > 100 && mean.is_finite());
    assert!(of("diagnostics_Configuration_Settings").contains("'resampledPixelSpacing': None"));
    assert_eq!(rows.iter().filter(|row| !row[2].starts_with("diagnostics_")).count(), 1 + 107);
    let (_, wide, _) = run(folder.path(), &[&own[..], &["--layout", "wide"]].concat());
    let wide = table(&wide);
    let at = wide[0].iter().position(|name| name == "original_firstorder_Mean").unwrap();
    assert_eq!((wide.len(), wide[1][at].clone()), (2, of("original_firstorder_Mean")));
    let (_, coarse, _) =
        run(folder.path(), &[&own[..], &["--setting", "binWidth:50", "--setting", "label: 2"]].concat());
    assert_ne!(coarse, long);
    let refused = run(folder.path(), &[&own[..], &["--setting", "binwidth:50"]].concat());
    assert!(refused.0 == 2 && refused.2.contains("setting binwidth is not known"), "{}", refused.2);
    let (code, plain, _) = run(folder.path(), &["features", &image, &mask, "--label", "1"]);
    assert_eq!((code, plain.lines().count()), (0, 108));
    assert_eq!(run(folder.path(), &[&own[..], &["-o", "a.feather"]].concat()).0, 2);
    assert_eq!(run(folder.path(), &[&own[..], &["-o", "a.parquet"]].concat()).0, 0);
    let written = std::fs::read(folder.path().join("a.parquet")).unwrap();
    assert!(written.starts_with(b"PAR1") && written.ends_with(b"PAR1"));
}

#[test]
fn feature_maps_are_nifti_files_on_the_place_of_their_region() {
    let folder = tempfile::tempdir().unwrap();
    let (image, mask) = (file("image_d.nrrd"), file("mask_d.nrrd"));
    let own = ["features", &image, &mask, "--label", "2", "--setting", "binWidth:10", "--setting", "kernelRadius:2"];
    let wanted = ["--maps", "glcm_JointEntropy,firstorder_Mean", "-o", "maps"];
    let (code, told, said) = run(folder.path(), &[&own[..], &wanted].concat());
    assert_eq!(code, 0, "{said}");
    assert_eq!(told.lines().count(), 2, "{told}");
    let map = folder.path().join("maps/original_firstorder_Mean.nii.gz");
    // A map lies where its region lies: it takes the mask, and holds a number in each of its voxels.
    let (code, _, said) = run(folder.path(), &["features", map.to_str().unwrap(), &mask, "--label", "2"]);
    assert_eq!(code, 0, "{said}");
    for (names, why) in
        [("glcm_Entropy", "glcm_JointEntropy"), ("shape", "whole region"), ("texture", "firstorder, glcm")]
    {
        let (code, _, said) = run(folder.path(), &[&own[..], &["--maps", names, "-o", "maps"]].concat());
        assert!(code == 2 && said.contains(why), "{names}: {said}");
    }
}

#[test]
fn a_batch_is_the_same_for_any_number_of_threads_and_a_failed_case_is_a_row_with_its_reason() {
    let rows = [",1,a,25", ",2,b,25", ",7,c,25", ",,d,50"];
    let (folder, cases) = batch(",Label,ID,binWidth", &rows);
    let cases = cases.to_str().unwrap();
    let params = file("20_nearest.yaml");
    let own = ["features", "--batch", cases, "--params", &params];
    let (code, one, said) = run(folder.path(), &[&own[..], &["--threads", "1"]].concat());
    assert_eq!(code, 1, "{said}");
    for threads in ["2", "5"] {
        assert_eq!(run(folder.path(), &[&own[..], &["--threads", threads]].concat()).1, one);
    }
    let found = table(&one);
    assert_eq!(found[0][..5], ["Image", "Mask", "Label", "ID", "binWidth"]);
    let column = |name: &str| found[0].iter().position(|own| own == name).unwrap();
    let failure = column("diagnostics_Failure");
    assert!(found[3][failure].contains("no voxel of label 7; its labels are 1"), "{:?}", found[3][failure]);
    let (entropy, mean) = (column("original_firstorder_Entropy"), column("original_firstorder_Mean"));
    assert_eq!((found[1][mean].clone(), found[3][mean].as_str()), (found[4][mean].clone(), ""));
    assert_ne!(found[1][entropy], found[4][entropy]);
    assert!(said.contains("line 5: binWidth is 50 for this case"), "{said}");
    assert!(said.contains("line 4: ") && said.contains("1 of several was measured"), "{said}");
    let (_, json, _) = run(folder.path(), &[&own[..], &["--format", "json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[1]["original_firstorder_Mean"].as_f64(), found[2][mean].parse().ok());
    assert!(json[2]["diagnostics_Failure"].is_string());
}

#[test]
fn a_batch_goes_on_where_it_stopped_and_tries_failed_cases_again() {
    let (folder, cases) = batch(",Label", &[",1", ",2", ",7"]);
    let params = file("06_resegment.yaml");
    let own = ["features", "--batch", "cases.csv", "--params", &params, "-o", "f.csv"];
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name));
    assert_eq!(run(folder.path(), &own).0, 1);
    let whole = read("f.csv").unwrap();
    assert!(read("f.csv.part").is_err());
    // A run that ended after its first case leaves a journal of it.
    let lines: Vec<&str> = whole.lines().collect();
    std::fs::write(folder.path().join("f.csv"), format!("{}\n{}\n", lines[0], lines[1])).unwrap();
    let (code, _, said) = run(folder.path(), &[&own[..], &["--resume"]].concat());
    assert_eq!((code, read("f.csv").unwrap()), (1, whole.clone()), "{said}");
    assert!(said.contains("1 of 3 cases were taken from the earlier run"), "{said}");
    std::fs::write(folder.path().join("f.csv.part"), "osteon 0 other\n").unwrap();
    let (code, _, said) = run(folder.path(), &[&own[..], &["--resume"]].concat());
    assert!(code == 2 && said.contains("of other settings or another version"), "{said}");
    assert!(cases.exists());
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name_or_left_out_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let params = folder.path().join("p.yaml");
    std::fs::write(&params, "imageType:\n  Original: {}\n  LBP3D: {}\nfeatureClass: {firstorder: [Mean]}\n").unwrap();
    let (image, mask) = (file("image_d.nrrd"), file("mask_d.nrrd"));
    let own = ["features", &image, &mask, "--params", "p.yaml"];
    let (code, out, said) = run(folder.path(), &own);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(said.contains("imageType LBP3D cannot be honoured") && said.contains("--lenient"), "{said}");
    let (code, out, said) = run(folder.path(), &[&own[..], &["--lenient"]].concat());
    assert!(
        code == 0 && out.contains("original_firstorder_Mean") && said.contains("left out: imageType LBP3D"),
        "{said}"
    );
}

#[test]
fn a_parameter_file_becomes_a_protocol_that_says_what_it_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let from = |name: &str| run(folder.path(), &["protocol", "from", &file(name)]);
    let (code, plain, said) = from("01_default.yaml");
    let usual = run(folder.path(), &["protocol", "show", "--preset", "pyradiomics"]).1;
    assert_eq!((code, plain, said.as_str()), (0, usual, ""));
    let (code, own, said) = from("03_mr_3mm.yaml");
    assert_eq!(code, 0);
    assert!(own.starts_with("# no counterpart: setting normalizeScale: 100\n"), "{own}");
    assert!(said.contains("no counterpart: setting voxelArrayShift: 300"), "{said}");
    std::fs::write(folder.path().join("p.toml"), &own).unwrap();
    assert_eq!(run(folder.path(), &["protocol", "check", "p.toml"]).0, 0);
    assert!(own.contains("spacing_mm = [3.0, 3.0, 3.0]") && own.contains("log_sigma_mm = [3.0, 5.0]"), "{own}");
}
