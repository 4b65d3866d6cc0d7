//! `osteon features` as a user runs it: what is printed, and what is refused.

use std::path::Path;

use assert_cmd::Command;

use crate::support::{fixture, run, shared};

fn osteon(image: &Path, mask: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("osteon").unwrap();
    let output = command.arg("features").arg(image).arg(mask).arg("--quiet").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn phantom(arguments: &[&str]) -> (i32, String, String) {
    let file = |what: &str| fixture(&format!("phantoms/phantom_a_{what}.nii.gz"));
    osteon(&file("image"), &file("mask"), arguments)
}

#[test]
fn features_are_printed_as_csv_and_as_json() {
    let (code, csv, _) = phantom(&["--preset", "pyradiomics"]);
    assert_eq!(code, 0);
    assert_eq!(csv.lines().count(), 1 + 107);
    // pyradiomics 3.1.1 prints 0.94871759982238302.
    let line = csv.lines().nth(1).unwrap();
    let value = line.strip_prefix("intra,original_shape_Elongation,").unwrap();
    assert!((value.parse::<f64>().unwrap() - 0.948_717_599_822_383).abs() < 1e-12, "{line}");
    let (_, json, _) = phantom(&["--preset", "pyradiomics", "--format", "json", "--roi", "peri_2mm"]);
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(rows[0]["roi"], "peri_2mm");
    assert_eq!(rows.as_array().unwrap().len(), 107);
}

#[test]
fn diagnostics_say_what_was_measured() {
    let set = ["--set", "preprocess.spacing_mm=[1,1,3]", "--set", "preprocess.normalise=true", "--diagnostics"];
    let (code, csv, _) = phantom(&[&["--preset", "pyradiomics"], &set[..]].concat());
    assert_eq!(code, 0);
    // The resampled tumour of the reference holds 3231 mm3.
    assert!(csv.contains("\n,diagnostics_Mask-interpolated_VoxelNum,1077\n"), "{csv}");
    assert!(csv.contains("\n,diagnostics_Image-interpolated_Spacing,\"(1.0, 1.0, 3.0)\"\n"));
}

#[test]
fn a_wrong_request_names_what_would_be_right() {
    let many: Vec<String> = (1..=255).map(|n| format!("--roi=peri_{n}mm")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let cases: [(&[&str], &str); 7] = [
        (&many, "255 margins, at most 100 can be measured"),
        (&["--roi", "peri_1e300mm"], "no region is called peri_1e300mm"),
        (&["--set", "preprocess.binwidth=1"], "nearest valid key is preprocess.bin_width"),
        (&["--set", "feature.exclude=[\"glcm_Mcc\"]"], "no feature is called glcm_Mcc"),
        (&["--set", "filter.images=[\"boxmeen\"]"], "boxmeen"),
        (&["--format", "latex"], "csv or json"),
        (&["--label", "9"], "no voxel of label 9"),
    ];
    for (arguments, message) in cases {
        let (code, out, err) = phantom(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains(message), "{err}");
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn every_edge_case_is_measured_or_refused_with_a_reason() {
    let Some(folder) = shared("reference/radiomics/edge_cases") else { return };
    let refused = [
        ("two_voxels_line", false, "line of 2 voxels"),
        ("two_voxels_line", true, "single voxel"),
        ("one_voxel", false, "single voxel"),
        ("empty_mask", false, "empty"),
        ("flat_intensity", true, "flat"),
        ("mask_origin_off_0.4mm", false, "same grid"),
        ("mask_origin_off_0.4mm", true, "same grid"),
    ];
    let measured = ["base", "label2", "single_slice", "touches_corner", "two_components", "full_mask", "hole"];
    let run = |case: &str, mri: bool| {
        let file = |what: &str| folder.join(format!("{case}_{what}.nii.gz"));
        let set = ["--set", "preprocess.spacing_mm=[1,1,3]", "--set", "preprocess.normalise=true"];
        let set = if mri { &set[..] } else { &[] };
        osteon(&file("image"), &file("mask"), &[&["--preset", "pyradiomics"], set].concat())
    };
    for (case, mri, reason) in refused {
        let (code, _, err) = run(case, mri);
        assert_eq!(code, 2, "{case}: {err}");
        assert!(err.contains(reason), "{case}: {err}");
    }
    for case in measured
        .into_iter()
        .chain(["mask_origin_off_1e-7", "oblique_20deg", "flipped_axes", "negative_values"])
        .chain(["mask_size_differs"])
    {
        let (code, out, err) = run(case, false);
        assert_eq!((code, out.lines().count()), (0, 108), "{case}: {err}");
    }
}

#[test]
fn a_batch_of_pyradiomics_measures_label_1_and_tells_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let shape = [8, 8, 4];
    let write = |name: &str, element, value: &dyn Fn(usize) -> f64| {
        let values: Vec<f64> = (0..256).map(value).collect();
        std::fs::write(at(name), crate::forge::Nifti::new(shape, element, &values, false).bytes).unwrap();
    };
    use osteon_radiomics::grid::Element;
    write("i.nii", Element::I16, &|at| (at * 7 % 31) as f64);
    write("one.nii", Element::U8, &|at| f64::from(u8::from((64..128).contains(&at))));
    write("three.nii", Element::U8, &|at| if at < 64 { 3.0 } else { f64::from(u8::from(at < 128)) });
    write("other.nii", Element::U8, &|at| if at < 64 { 255.0 } else { 0.0 });
    let cases = "ID,Image,Mask,Label\na,i.nii,one.nii,\nb,i.nii,three.nii,\nc,i.nii,three.nii,3\nd,i.nii,other.nii,\n";
    std::fs::write(at("cases.csv"), cases).unwrap();
    let (code, printed, said) = run(folder.path(), &["features", "--batch", "cases.csv", "--families", "firstorder"]);
    assert_eq!(code, 1, "{said}");
    let rows: Vec<Vec<&str>> = printed.lines().map(|line| line.split(',').collect()).collect();
    let mean = rows[0].iter().position(|name| *name == "original_firstorder_Mean").unwrap();
    assert_eq!(rows[0][..4], ["ID", "Image", "Mask", "Label"]);
    let of = |from: usize| (from..from + 64).map(|at| (at * 7 % 31) as f64).sum::<f64>() / 64.0;
    let found: Vec<f64> = rows[1..4].iter().map(|row| row[mean].parse().unwrap()).collect();
    assert!((found[0] - of(64)).abs() < 1e-9 && found[1] == found[0] && (found[2] - of(0)).abs() < 1e-9, "{found:?}");
    assert_eq!((rows[4].len(), rows[4][mean]), (rows[0].len(), ""));
    assert!(said.contains("line 3: 1 of several was measured: 1 (64 voxels), 3 (64 voxels)"), "{said}");
    assert!(said.contains("line 5: ") && said.contains("no voxel of label 1; its labels are 255"), "{said}");
}
