//! Files as hospitals send them: every case of the collection that the DICOM reader and the import answer for.

use std::path::Path;

use crate::support::{run, shared};

/// What is right for a case.
enum Right {
    /// Mean and volume in mm³.
    Measured(f64, f64),
    /// Refused, and the message holds these words.
    Refused(&'static str),
    /// Measured, and these words are said.
    Said(f64, f64, &'static str),
}
use Right::{Measured, Refused, Said};

/// Mean and volume by pydicom with numpy, highdicom and plastimatch, as the collection's table names them.
const CASES: [(&str, Right); 72] = [
    ("D01", Measured(320.4667, 1296.0)),
    ("D02", Measured(320.4667, 1296.0)),
    ("D03", Measured(320.4667, 1296.0)),
    // The spacing across slices is SimpleITK's (2.5.7): 2.50233 mm.
    ("D06", Said(320.4667, 1297.2061, "distances between slices")),
    ("D07", Said(320.4667, 1296.0, "orientations of the slices")),
    ("D09", Refused("2 series, one has to be picked")),
    ("D09b", Measured(320.4667, 1296.0)),
    ("D10", Said(320.4667, 1296.0, "stored twice")),
    ("D13e", Measured(320.4667, 1296.0)),
    ("D16", Measured(320.4667, 1296.0)),
    ("D19", Measured(320.4667, 1296.0)),
    ("D27d", Refused("2 series, one has to be picked")),
    ("D28", Refused("mosaic")),
    ("S02b", Measured(320.4667, 1296.0)),
    ("S03", Measured(320.4667, 1296.0)),
    ("S02", Said(f64::NAN, 1269.0, "parts of voxels")),
    ("S05b", Measured(320.4667, 1296.0)),
    ("S07", Refused("another frame of reference")),
    ("S10", Said(320.4667, 1296.0, "voxel by voxel")),
    ("T03", Said(332.2016, 1728.0, "taken to the nearest")),
    ("T04", Said(328.5625, 864.0, "the others are not inside")),
    ("T05", Refused("160 of 640 voxels")),
    ("T06", Refused("another frame of reference")),
    ("T07", Said(332.2016, 1728.0, "stored twice")),
    ("T07c", Said(f64::NAN, 1728.0, "contours of one slice overlap")),
    ("T08", Said(331.4754, 1533.6, "contours of one slice overlap")),
    ("T12", Measured(332.2016, 1728.0)),
    ("T15", Refused("no structure number 7")),
    ("D04", Refused("uneven slices: 5.0000 mm between I006.dcm")),
    ("D05", Measured(320.4667, 1296.0)),
    ("D08", Refused("the series mixes sizes")),
    ("D11", Measured(320.4667, 1296.0)),
    ("D13", Measured(320.4667, 1296.0)),
    ("D13b", Measured(320.4667, 1296.0)),
    ("D13d", Measured(320.4667, 1296.0)),
    ("D13h", Measured(320.4667, 1296.0)),
    ("D13i", Measured(320.4667, 1296.0)),
    ("D14", Measured(579.8248, 1296.0)),
    ("D15", Said(320.4667, 1296.0, "MONOCHROME1")),
    ("D17", Measured(320.4667, 1296.0)),
    ("D18", Measured(320.4667, 1296.0)),
    ("D20", Measured(320.4667, 1296.0)),
    ("D21", Measured(320.4667, 1296.0)),
    ("D22", Measured(320.4667, 1296.0)),
    ("D22b", Measured(320.4667, 1296.0)),
    ("D16b", Measured(320.4667, 1296.0)),
    ("D16c", Measured(320.4667, 1296.0)),
    ("D13c", Measured(320.4667, 1296.0)),
    ("D13g", Measured(320.4667, 1296.0)),
    // SimpleITK 2.5.7 on these positions of two decimals; the table has the volume before rounding.
    ("D23", Said(320.4667, 362.8347, "distances between slices")),
    ("D24", Measured(320.4667, 362.8840)),
    ("D25", Measured(320.4667, 1296.0)),
    ("D25b", Measured(320.4667, 1296.0)),
    ("D27", Measured(320.4667, 1296.0)),
    ("D27b", Measured(320.4667, 1296.0)),
    ("D27c", Measured(579.8248, 1296.0)),
    ("D29", Refused("3 series, one has to be picked")),
    // Two series have this description since the table was made, with other voxels: none is picked silently.
    ("D29b", Refused("2 series, one has to be picked")),
    ("S01", Measured(320.4667, 1296.0)),
    ("S05", Measured(320.4667, 1296.0)),
    ("S05c", Refused("Tumor, Muscle")),
    ("S08", Refused("--resample-mask nearest")),
    ("S09", Refused("112 of 480 voxels")),
    // 389 voxel centres lie within the contours (numpy), whose area is 383.5 pixels; the table counts another export.
    ("T01", Measured(f64::NAN, 1050.3)),
    ("T02", Measured(332.2016, 1728.0)),
    ("T03b", Refused("off the image's slices")),
    ("T10", Said(332.2016, 1728.0, "gtv is taken for GTV")),
    ("T11", Measured(332.2016, 1728.0)),
    ("T13", Measured(332.2016, 1728.0)),
    ("T14", Measured(332.2016, 1728.0)),
    ("S11", Measured(320.4667, 1296.0)),
    ("T01b", Measured(f64::NAN, 962.5)),
];

/// Words of a command line; a name behind `--series` or `--structure` may have several.
fn words(command: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut in_name = false;
    for word in command.split_whitespace() {
        match words.last_mut().filter(|_| in_name && !word.starts_with("--")) {
            Some(name) if !name.starts_with("--") => name.extend([" ", word]),
            _ => words.push(word.to_owned()),
        }
        in_name = word == "--series" || word == "--structure" || (in_name && !word.starts_with("--"));
    }
    words
}

fn number(printed: &str, feature: &str) -> f64 {
    let line = printed.lines().find(|line| line.contains(feature)).unwrap_or_else(|| panic!("no {feature}"));
    line.rsplit(',').next().and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

fn table(folder: &Path) -> Vec<(String, Vec<String>)> {
    let mut reader = csv::Reader::from_path(folder.join("cases.csv")).expect("a table of cases");
    let records = reader.records().map(|record| record.expect("a case"));
    records.map(|record| (record[0].to_owned(), words(&record[5]))).collect()
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn dicom_as_hospitals_send_it_is_right_or_refused_with_the_remedy() {
    let Some(folder) = shared("cases/wild") else { return };
    let table = table(&folder);
    let mut wrong = Vec::new();
    for (id, right) in CASES {
        let (_, command) = table.iter().find(|(own, _)| own == id).unwrap_or_else(|| panic!("no case {id}"));
        let arguments: Vec<&str> = command.iter().skip(1).map(String::as_str).collect();
        let (code, printed, said) = run(&folder, &arguments);
        let close = |mean: f64, volume: f64| {
            code == 0
                && (mean.is_nan() || (number(&printed, "original_firstorder_Mean,") - mean).abs() < 1e-3)
                && (number(&printed, "original_shape_VoxelVolume,") - volume).abs() < 1e-2
        };
        let sound = match right {
            Measured(mean, volume) => close(mean, volume),
            Said(mean, volume, words) => close(mean, volume) && said.contains(words),
            Refused(words) => code == 2 && said.contains(words),
        };
        if !sound {
            let shown: Vec<&str> =
                printed.lines().filter(|line| line.contains("Mean,") || line.contains("VoxelV")).collect();
            wrong.push(format!("{id}: {code} {shown:?} {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Cases of folders and manifests, and words that are printed or said.
const IMPORTS: [(&str, i32, &str); 16] = [
    ("I01", 0, "007 is taken for the patient 7"),
    ("I02", 0, "sub-001: image sub-001/anat"),
    ("I04", 0, "linked"),
    ("I04b", 0, "the same slices as in"),
    ("I04c", 0, "linked"),
    ("I08", 0, "linked"),
    ("I08c", 0, "linked"),
    ("I06", 2, "Tumor (480 voxels), Muscle (18"),
    ("I06b", 0, "mask P01/tumor_ROI.nii.gz"),
    ("I07", 2, "drawn in another"),
    ("I08d", 0, "linked"),
    ("I08f", 2, "can be read"),
    ("I09", 0, "linked"),
    ("I10", 2, "which"),
    ("I12", 2, "merged"),
    ("I14", 2, "which"),
];

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn folders_and_manifests_as_hospitals_send_them_are_linked_or_refused_with_the_remedy() {
    let Some(folder) = shared("cases/wild") else { return };
    let mut wrong = Vec::new();
    for (id, expected, words) in IMPORTS {
        let study = tempfile::tempdir().unwrap();
        let own = folder.join("imp").join(id);
        let source = std::fs::read_dir(&own).unwrap().map(|entry| entry.unwrap().path());
        let manifest = |path: &Path| Some(path.join("m.csv")).filter(|file| file.exists());
        let images = source.filter(|path| path.ends_with("img")).map(|path| manifest(&path).unwrap_or(path));
        let images = images.last().unwrap_or_else(|| panic!("{id} has no img"));
        run(study.path(), &["init", "--title", "A study"]);
        run(study.path(), &["import", "clinical", own.join("c.csv").to_str().unwrap()]);
        let (code, printed, said) = run(study.path(), &["import", "images", images.to_str().unwrap(), "--dry-run"]);
        if code != expected || !(printed.contains(words) || said.contains(words)) {
            wrong.push(format!("{id}: {code} {printed}{said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A copy of a folder in which the texts that stand for symbolic links are links again.
fn linked(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let own = to.join(entry.file_name());
        if entry.path().is_dir() {
            linked(&entry.path(), &own);
            continue;
        }
        let bytes = std::fs::read(entry.path()).unwrap();
        match std::str::from_utf8(&bytes).ok().filter(|text| text.starts_with("../")) {
            Some(link) => std::os::unix::fs::symlink(link.trim(), own).unwrap(),
            None => std::fs::write(own, bytes).unwrap(),
        }
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn data_sets_of_symbolic_links_are_linked_by_folder_and_by_manifest() {
    let Some(folder) = shared("cases/wild") else { return };
    for (id, source) in [("I03", "img"), ("I03b", "img/m.csv")] {
        let study = tempfile::tempdir().unwrap();
        linked(&folder.join("imp").join(id), &study.path().join("own"));
        run(study.path(), &["init", "--title", "A study"]);
        run(study.path(), &["import", "clinical", "own/c.csv"]);
        let (code, printed, said) = run(study.path(), &["import", "images", &format!("own/{source}")]);
        assert!(code == 0 && said.contains("1 patient linked: 2 files new"), "{id}: {printed}{said}");
        assert_eq!(run(study.path(), &["verify"]).0, 0, "{id}");
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn contours_and_segmentations_pick_their_own_series_among_three() {
    let Some(folder) = shared("cases/wild") else { return };
    let set = ["--preset", "pyradiomics", "--roi", "intra", "--families", "firstorder"];
    for (mask, mean) in [("dcm/rt_box.dcm", 332.2016), ("dcm/seg_bin.dcm", 320.4667)] {
        let (code, printed, said) = run(&folder, &[&["features", "dcm/two", mask], &set[..]].concat());
        assert!(code == 0 && (number(&printed, "original_firstorder_Mean,") - mean).abs() < 1e-3, "{printed}{said}");
    }
}
