//! What hospitals send, as a user links and measures it: series and contours by folder, archive and file.

use std::fs;
use std::path::Path;
use std::process::Command;

use dicom_dictionary_std::tags;
use osteon_radiomics::read::dicom::is_dicom;
use osteon_radiomics::read::{Limits, zip};
use tempfile::TempDir;

use crate::dicom_files::{CANARY, Slice, claiming_meta, decimals, deflated, nested, structure_set, zipped};
use crate::support::{fixture, run};

/// Six slices of 12 x 12 voxels of 1 mm, 3 mm apart, each voxel of another intensity.
fn stack(echo_time_ms: f64) -> Vec<Slice> {
    let slice = |z: u16| Slice {
        rows: 12,
        columns: 12,
        spacing_mm: [1.0, 1.0],
        position_mm: [0.0, 0.0, 3.0 * f64::from(z)],
        pixels: (0..144).map(|at| 100 + (at * 37 + z * 11) % 97).collect(),
        more: vec![decimals(tags::ECHO_TIME, &[echo_time_ms])],
        ..Slice::at(0.0)
    };
    (0..6).map(slice).collect()
}

fn square(z: f64, from: f64, to: f64) -> [[f64; 3]; 4] {
    [[from, from, z], [to, from, z], [to, to, z], [from, to, z]]
}

/// A folder with `series/`, its archive, and contours of two structures.
fn sent(at: &Path, echo_time_ms: f64) {
    fs::create_dir_all(at.join("series")).unwrap();
    let files: Vec<(String, Vec<u8>)> =
        stack(echo_time_ms).iter().enumerate().map(|(n, slice)| (format!("{n}.dcm"), slice.bytes())).collect();
    files.iter().for_each(|(name, bytes)| fs::write(at.join("series").join(name), bytes).unwrap());
    let drawn: Vec<_> = (1..5).map(|z| square(3.0 * f64::from(z), 2.5, 8.5)).collect();
    let tumour: Vec<&[[f64; 3]]> = drawn.iter().map(|points| &points[..]).collect();
    let other = square(3.0, 0.5, 2.5);
    fs::write(at.join("contours.dcm"), structure_set(&[("tumour", &tumour), ("bone", &[&other])])).unwrap();
}

fn archive(at: &Path) {
    let names: Vec<String> = (0..6).map(|n| format!("series/{n}.dcm")).collect();
    let files: Vec<Vec<u8>> = names.iter().map(|name| fs::read(at.join(name)).unwrap()).collect();
    let listed: Vec<(&str, &[u8])> = names.iter().zip(&files).map(|(name, bytes)| (&name[..], &bytes[..])).collect();
    fs::write(at.join("series.zip"), zipped(&[&listed[..], &[("README", b"no image")]].concat())).unwrap();
}

fn features(folder: &Path, image: &str, more: &[&str]) -> (i32, String, String) {
    let set = ["--preset", "pyradiomics", "--families", "firstorder", "--set", "preprocess.bin_width=10"];
    run(folder, &[&["features", image, "contours.dcm", "--quiet"], &set[..], more].concat())
}

#[test]
fn a_folder_an_archive_and_a_single_slice_are_one_series() {
    let folder = tempfile::tempdir().unwrap();
    sent(folder.path(), 90.0);
    archive(folder.path());
    let (code, expected, said) = features(folder.path(), "series", &["--structure", "tumour"]);
    assert_eq!((code, &said[..]), (0, "note: tumour of several was measured: tumour, bone\n"));
    assert_eq!(expected.lines().count(), 1 + 18);
    for image in ["series.zip", "series/3.dcm"] {
        assert_eq!(features(folder.path(), image, &["--structure", "tumour"]).1, expected, "{image}");
    }
    let (code, _, said) = features(folder.path(), "series", &[]);
    assert_eq!(code, 2);
    assert!(said.contains("tumour, bone") && said.contains("--structure"), "{said}");
    assert!(features(folder.path(), "contours.dcm", &["--structure", "tumour"]).2.contains("expected an image"));
}

#[test]
fn one_of_several_series_is_picked() {
    let folder = tempfile::tempdir().unwrap();
    sent(folder.path(), 90.0);
    let scout = Slice { series: "1.2.9", description: "scout", ..Slice::at(0.0) };
    fs::write(folder.path().join("series/scout.dcm"), scout.bytes()).unwrap();
    let (code, _, said) = features(folder.path(), "series", &["--structure", "tumour"]);
    assert_eq!(code, 2);
    assert!(said.contains("\"scout\", 3 x 2, 1 files") && said.contains("\"T2 FS\", 12 x 12, 6 files"), "{said}");
    assert!(said.contains("--series"), "{said}");
    for series in ["1", "T2 FS", "1.2.3.4"] {
        assert_eq!(features(folder.path(), "series", &["--structure", "tumour", "--series", series]).0, 0, "{series}");
    }
}

/// A study with two patients whose files lie in `sent/A` and `sent/B`.
fn study() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init", "--title", "A study"]);
    fs::write(folder.path().join("c.csv"), "patient_id\nA\nB\nC\n").unwrap();
    run(folder.path(), &["import", "clinical", "c.csv"]);
    sent(&folder.path().join("sent/A"), 90.0);
    sent(&folder.path().join("sent/B"), 60.0);
    fs::create_dir_all(folder.path().join("sent/C/series")).unwrap();
    fs::write(folder.path().join("sent/C/series/0.dcm"), stack(90.0)[0].bytes()).unwrap();
    folder
}

#[test]
fn series_and_contours_are_linked_with_a_preview_and_warnings() {
    let folder = study();
    let manifest = "patient,image,mask,label\nA,A/series,A/contours.dcm,tumour\nB,B/series,B/contours.dcm,tumour\n";
    fs::write(folder.path().join("sent/manifest.csv"), manifest).unwrap();
    let (code, printed, said) = run(folder.path(), &["import", "images", "sent/manifest.csv", "--dry-run"]);
    assert_eq!(code, 0, "{printed}{said}");
    assert!(printed.contains("A/series") && printed.contains("12 x 12 x 6"), "{printed}");
    assert!(said.contains("B: echo time 60 ms, expected 90 ms") && !said.contains("A: echo"), "{said}");
    let (code, linked, said) = run(folder.path(), &["import", "images", "sent/manifest.csv"]);
    assert_eq!((code, &linked), (0, &printed), "the pairs are shown before they are linked: {said}");
    assert!(said.contains("2 patients linked: 4 files new"), "{said}");
    let (code, _, said) = run(folder.path(), &["verify"]);
    assert_eq!(code, 0, "{said}");
    let shown = |patient| run(folder.path(), &["show", patient, "--format", "csv"]).1;
    assert!(
        shown("B").contains("TE 60 ms") && shown("B").contains("echo time 60 ms, expected 90 ms"),
        "{}",
        shown("B")
    );
    assert!(shown("A").contains("TE 90 ms") && !shown("A").contains("echo time"), "{}", shown("A"));
    for entry in fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let bytes = fs::read(&entry).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()), "{}", entry.display());
    }
}

#[test]
fn a_folder_says_what_it_pairs_and_what_not() {
    let folder = study();
    let (code, printed, said) = run(folder.path(), &["import", "images", "sent", "--dry-run"]);
    // Contours of two structures need a name, which a manifest gives.
    assert_eq!(code, 2, "{said}");
    assert!(printed.contains("tumour, bone"), "{printed}");
    assert!(
        printed.contains("─ C: no mask, left out") && printed.contains("─ A: refused: mask A/contours.dcm"),
        "{printed}"
    );
}

#[test]
fn one_folder_a_patient_of_series_and_contours_is_linked_and_measured() {
    let folder = study();
    for patient in ["A", "B"] {
        let drawn: Vec<_> = (1..5).map(|z| square(3.0 * f64::from(z), 2.5, 8.5)).collect();
        let tumour: Vec<&[[f64; 3]]> = drawn.iter().map(|points| &points[..]).collect();
        let at = folder.path().join("sent").join(patient);
        fs::write(at.join("contours.dcm"), structure_set(&[("tumour", &tumour)])).unwrap();
    }
    let (code, printed, said) = run(folder.path(), &["import", "images", "sent", "--format", "csv"]);
    assert_eq!(code, 0, "{printed}{said}");
    assert!(printed.contains("A,A/series,A/contours.dcm,,12 x 12 x 6"), "{printed}");
    assert!(said.contains("2 patients linked: 4 files new") && said.contains("C: no mask, left out"), "{said}");
    let (code, _, said) = run(folder.path(), &["extract"]);
    assert_eq!(code, 0, "{said}");
    assert!(run(folder.path(), &["show", "A"]).1.contains("measured"));
}

/// A slice with one field that claims to be longer than the file.
fn lying(slice: &[u8], what: &str) -> Vec<u8> {
    let (tag, short): ([u8; 4], bool) = match what {
        "pixels" => ([0xe0, 0x7f, 0x10, 0], false),
        "decimal" => ([0x18, 0, 0x80, 0], true),
        _ => ([0x08, 0, 0x40, 0x11], false),
    };
    let mut bytes = slice.to_vec();
    let Some(at) = bytes.windows(4).position(|it| it == tag) else {
        // A sequence before the modality.
        let at = bytes.windows(4).position(|it| it == [0x08, 0, 0x60, 0]).unwrap();
        bytes.splice(at..at, [&[8, 0, 0x10, 0x11][..], b"SQ", &[0, 0, 0, 0, 0, 0x70]].concat());
        return bytes;
    };
    match short {
        true => bytes[at + 6..at + 8].copy_from_slice(&[0xf0, 0xff]),
        false => bytes[at + 8..at + 12].copy_from_slice(&[0, 0, 0, 0x70]),
    }
    bytes
}

#[test]
fn hostile_files_end_with_a_message_in_half_a_gigabyte() {
    let folder = tempfile::tempdir().unwrap();
    sent(folder.path(), 90.0);
    let whole = stack(90.0);
    let bomb = vec![0; 300 << 20];
    let bomb: Vec<u8> = [&whole[0].bytes()[..], &bomb].concat();
    let mut uneven = whole.clone();
    uneven[3].position_mm[2] = 9.9;
    let lengths = ["pixels", "decimal", "sequence"].map(|what| lying(&whole[0].bytes(), what));
    let [pixels, decimal, sequence] = lengths;
    let compressed = |name: &str, mark: [u8; 2], at: usize, size: &[u8]| {
        let mut bytes = fs::read(fixture(&format!("dicom/{name}.dcm"))).unwrap();
        let found = bytes.windows(2).position(|it| it == mark).unwrap();
        bytes[found + at..][..size.len()].copy_from_slice(size);
        bytes
    };
    let all = [0xff; 4];
    // What the stream claims, and what the header claims of a stream of a few hundred bytes.
    let jpeg = compressed("jpeg_lossless", [0xff, 0xc3], 5, &all);
    let jpeg_2000 = compressed("jpeg2000", [0xff, 0x51], 6, &[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    let both = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        for tag in [[0x28, 0, 0x10, 0], [0x28, 0, 0x11, 0]] {
            let found = bytes.windows(4).position(|it| it == tag).unwrap();
            bytes[found + 8..][..2].copy_from_slice(&[0xff, 0x3f]);
        }
        bytes
    };
    let both_2000 = both(&compressed("jpeg2000", [0xff, 0x51], 6, &[0, 0, 0x3f, 0xff, 0, 0, 0x3f, 0xff]));
    let files = [
        ("pixels", pixels, "pixels"),
        ("decimal", decimal, "decimal"),
        ("sequence", sequence, "sequence"),
        ("jpeg", jpeg, "compressed"),
        ("jpeg_2000", jpeg_2000, "compressed"),
        ("both_jpeg", both(&compressed("jpeg_lossless", [0xff, 0xc3], 5, &[0x3f, 0xff, 0x3f, 0xff])), "compressed"),
        ("both_jpeg_2000", both_2000, "compressed"),
        ("nested", nested(10_000), "nested"),
        ("meta", claiming_meta(&whole[0].bytes()), "a field of 3221225472 bytes"),
        ("deflated", deflated(&whole[0].bytes(), 700), "limit"),
        ("truncated", whole[0].bytes()[..700].to_vec(), "osteon"),
        ("bomb.zip", zipped(&[("a.dcm", &bomb)]), "limit"),
        ("cut.zip", zipped(&[("a.dcm", &whole[0].bytes())])[..300].to_vec(), "zip"),
        (
            "uneven.zip",
            zipped(&[("a", &uneven[2].bytes()), ("b", &uneven[3].bytes()), ("c", &uneven[4].bytes())]),
            "3.9",
        ),
    ];
    for (name, bytes, expected) in files {
        let path = folder.path().join("hostile").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let shell = format!(
            "ulimit -v 524288; exec {} features {} contours.dcm --structure tumour --threads 1",
            assert_cmd::cargo::cargo_bin("osteon").display(),
            path.display()
        );
        let output = Command::new("sh").args(["-c", &shell]).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(said.contains(expected), "{name}: {said}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn an_archive_is_not_trusted() {
    let small = zipped(&[("a.dcm", &stack(90.0)[0].bytes()), ("notes.txt", b"nothing")]);
    let names = |archive: &[u8]| {
        zip::files(archive, &Limits::default(), is_dicom)
            .map(|files| files.into_iter().map(|it| it.0).collect::<Vec<_>>())
    };
    assert_eq!(names(&small).unwrap(), ["a.dcm"]);
    for end in 0..small.len() {
        assert!(names(&small[..end]).is_err(), "the first {end} bytes pass");
    }
    let twice = zipped(&[("a.dcm", &stack(90.0)[0].bytes()), ("a.dcm", &stack(90.0)[1].bytes())]);
    assert!(names(&twice).expect_err("refused").to_string().contains("have one name"));
    let list = small.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    let changed = |at: usize, value: u8| {
        let mut archive = small.clone();
        archive[list + at] = value;
        names(&archive).expect_err("refused").to_string()
    };
    assert!(changed(8, 1).contains("a.dcm: it is encrypted"));
    assert!(changed(10, 12).contains("a.dcm: ") && changed(10, 12).contains("not supported"), "{}", changed(10, 12));
    assert!(changed(27, 0x7f).contains("limit"));
    assert!(changed(24, 0).contains("larger than its declared"), "{}", changed(24, 0));
    assert!(changed(45, 0x7f).contains("damaged zip archive"), "{}", changed(45, 0x7f));
    assert!(changed(16, 0xaa).contains("a.dcm: Invalid checksum"), "{}", changed(16, 0xaa));
}

/// One bit of the content or of the sum of any entry, wanted or not, refuses the archive by the entry's name.
#[test]
fn every_entry_of_an_archive_is_held_against_its_sum() {
    let slice = stack(90.0)[0].bytes();
    let whole = zipped(&[("a.dcm", &slice), ("notes.txt", b"nothing")]);
    let at = |wanted: &[u8]| whole.windows(wanted.len()).position(|bytes| bytes == wanted).unwrap();
    let (note, list) = (at(b"notes.txt") + 9, at(b"PK\x01\x02"));
    let refused = |at: usize| {
        let mut archive = whole.clone();
        archive[at] ^= 1;
        zip::files(&archive, &Limits::default(), is_dicom).map(|files| files.len()).map_err(|cause| cause.to_string())
    };
    for (place, name) in [(35 + 200, "a.dcm"), (note + 2, "notes.txt"), (list + 16, "a.dcm")] {
        let told = refused(place).expect_err("refused");
        assert!(told.starts_with(name), "{place}: {told}");
    }
    let passed = (35..list).filter(|&place| refused(place) == Ok(1)).count();
    let fields = 30 + "notes.txt".len();
    assert!(passed <= fields, "{passed} changed bits beyond the second local header pass");
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_archive_with_a_flipped_pixel_byte_is_refused() {
    let Some(folder) = crate::support::shared("cases/house") else { return };
    let mask = folder.join("zip_mask.nii.gz");
    let set = ["--preset", "pyradiomics", "--families", "firstorder", "--roi", "intra"];
    let read = |name: &str| run(&folder, &[&["features", name, mask.to_str().unwrap()], &set[..]].concat());
    assert_eq!(read("ok.zip").0, 0);
    let (code, printed, said) = read("bad_crc.zip");
    assert!(code == 2 && printed.is_empty() && said.contains("Invalid checksum"), "{said}");
}

#[test]
fn bids_pairs_an_image_with_the_mask_that_bears_its_name() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init", "--title", "A study"]);
    fs::write(folder.path().join("c.csv"), "patient_id\n001\n002\n").unwrap();
    run(folder.path(), &["import", "clinical", "c.csv"]);
    for (code, kinds) in [("001", &["image", "mask"][..]), ("002", &["image"])] {
        let anat = folder.path().join(format!("bids/sub-{code}/anat"));
        fs::create_dir_all(&anat).unwrap();
        for kind in kinds {
            let name = if *kind == "image" { "T2w" } else { "desc-tumour_mask" };
            let from = fixture(&format!("phantoms/phantom_a_{kind}.nii.gz"));
            fs::copy(from, anat.join(format!("sub-{code}_{name}.nii.gz"))).unwrap();
        }
    }
    let (code, printed, said) = run(folder.path(), &["import", "images", "bids", "--dry-run", "--format", "csv"]);
    assert_eq!(code, 0, "{printed}{said}");
    let line = "001,sub-001/anat/sub-001_T2w.nii.gz,sub-001/anat/sub-001_desc-tumour_mask.nii.gz,,";
    assert!(printed.contains(line), "{printed}");
    assert!(said.contains("002: no mask, left out") && said.contains("1 patient would be linked"), "{said}");
}
