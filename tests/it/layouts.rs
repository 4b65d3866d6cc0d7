//! Folders as programs and archives lay them out, and what is said of each file that is not linked.

use std::fs;
use std::path::Path;

use dicom_dictionary_std::tags;
use tempfile::TempDir;

use crate::dicom_files::{Slice, text};
use crate::support::{fixture, run};

/// A study of the patients 001 and 002.
fn study() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init", "--title", "A study"]);
    fs::write(folder.path().join("c.csv"), "patient_id\n001\n002\n").unwrap();
    run(folder.path(), &["import", "clinical", "c.csv"]);
    folder
}

fn put(folder: &Path, kind: &str, name: &str) {
    let to = folder.join(name);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(fixture(&format!("phantoms/phantom_a_{kind}.nii.gz")), to).unwrap();
}

/// Files with their contents, the exit code, and what is said.
type Case = (&'static [(&'static str, &'static str)], i32, &'static str);

#[test]
fn layouts_of_programs_and_archives_are_understood_and_shown_as_a_tree() {
    let cases: [Case; 9] = [
        (
            &[
                ("image", "imagesTr/001_0000.nii.gz"),
                ("mask", "labelsTr/001.nii.gz"),
                ("image", "imagesTs/002_0000.nii.gz"),
            ],
            0,
            "├─ 001: image imagesTr/001_0000.nii.gz, mask labelsTr/001.nii.gz, 44 x 40 x 11 voxels\n└─ 002: no mask, left out",
        ),
        (
            &[("image", "001/4 T2 FS.nii.gz"), ("mask", "001/Segmentation.nii.gz")],
            0,
            "└─ 001: image 001/4 T2 FS.nii.gz, mask 001/Segmentation.nii.gz",
        ),
        (
            &[
                ("image", "sub-001/ses-1/anat/sub-001_ses-1_T2w.nii.gz"),
                ("mask", "derivatives/drawn/sub-001/ses-1/anat/sub-001_ses-1_label-tumor_dseg.nii.gz"),
                ("image", "derivatives/prep/sub-001/ses-1/anat/sub-001_ses-1_desc-preproc_T2w.nii.gz"),
            ],
            0,
            "desc-preproc_T2w.nii.gz (made from the raw image)",
        ),
        (
            &[("image", "cohort/site/sub-2/t1.nii.gz"), ("mask", "cohort/site/sub-2/gtv.nii.gz")],
            0,
            "└─ 002: image cohort/site/sub-2/t1.nii.gz, mask cohort/site/sub-2/gtv.nii.gz",
        ),
        (
            &[
                ("image", "1/a.nii.gz"),
                ("mask", "1/mask.nii.gz"),
                ("image", "001/a.nii.gz"),
                ("mask", "001/mask.nii.gz"),
            ],
            2,
            "two folders or rows mean the same patient",
        ),
        (
            &[("image", "002/a.nii.gz"), ("image", "002/b.nii.gz"), ("mask", "002/mask.nii.gz")],
            2,
            "a manifest (patient,image,mask) says which",
        ),
        (
            &[("image", "002/a.nii.gz"), ("image", "002/b.nii.gz"), ("mask", "002/mask.nii.gz")],
            2,
            "└─ 002: refused: image 002/a.nii.gz, 002/b.nii.gz",
        ),
        (
            &[
                ("image", "sub-002/ses-1/anat/sub-002_ses-1_T2w.nii.gz"),
                ("image", "sub-002/ses-2/anat/sub-002_ses-2_T2w.nii.gz"),
                ("mask", "derivatives/drawn/sub-002/ses-2/anat/sub-002_ses-2_dseg.nii.gz"),
            ],
            0,
            "left out sub-002/ses-1/anat/sub-002_ses-1_T2w.nii.gz (the mask is of ses-2)",
        ),
        (&[("image", "002/a.nii.gz")], 1, "└─ 002: no mask, left out"),
    ];
    for (files, code, expected) in cases {
        let folder = study();
        files.iter().for_each(|(kind, name)| put(&folder.path().join("data"), kind, name));
        let (found, printed, said) = run(folder.path(), &["import", "images", "data", "--dry-run"]);
        let unwrapped = printed.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_said = printed.contains(expected) || unwrapped.contains(expected);
        assert!(found == code && is_said, "{expected}: {found} {printed}{said}");
        assert_eq!(found == 1, said.contains("known layouts"), "{said}");
    }
}

#[test]
fn links_that_lead_nowhere_and_other_files_are_told() {
    let folder = study();
    let data = folder.path().join("data");
    put(&data, "image", "001/t2.nii.gz");
    fs::write(data.join("001/notes.txt"), "nothing").unwrap();
    std::os::unix::fs::symlink("../../annex/gone.nii.gz", data.join("001/mask.nii.gz")).unwrap();
    let (code, printed, said) = run(folder.path(), &["import", "images", "data", "--dry-run"]);
    assert_eq!(code, 1, "{printed}{said}");
    for expected in [
        "001/mask.nii.gz (a link that leads nowhere; datalad get",
        "1 files are neither image nor mask: 001/notes.txt",
        "no mask",
    ] {
        assert!(printed.contains(expected), "{expected}: {printed}");
    }
}

#[test]
fn a_dicomdir_stands_for_the_slices_below_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let slices = folder.path().join("DICOM/A");
    fs::create_dir_all(&slices).unwrap();
    let slice = |z: u16| Slice { position_mm: [0.0, 0.0, f64::from(z) * 5.0], ..Slice::at(0.0) };
    for z in 0..3 {
        fs::write(slices.join(format!("IM{z}")), slice(z).bytes()).unwrap();
    }
    let list = vec![text(tags::FILE_SET_ID, dicom_core::VR::CS, "DISC")];
    let mut bytes = crate::dicom_files::file(list, dicom_dictionary_std::uids::EXPLICIT_VR_LITTLE_ENDIAN);
    // The class of the file: the stored MR Image Storage has the length of the directory's with two spaces of padding.
    let class = b"1.2.840.10008.5.1.4.1.1.4\0";
    let at = bytes.windows(class.len()).position(|it| it == class).unwrap();
    bytes[at..at + class.len()].copy_from_slice(b"1.2.840.10008.1.3.10\0\0\0\0\0\0");
    fs::write(folder.path().join("DICOMDIR"), bytes).unwrap();
    let set = ["--preset", "pyradiomics", "--families", "firstorder", "--roi", "intra"];
    let image = |path: &str| run(folder.path(), &[&["features", path, "mask.nrrd"], &set[..]].concat());
    let header = "NRRD0004\ntype: uchar\ndimension: 3\nspace: left-posterior-superior\nsizes: 3 2 3\n\
                  space directions: (0.75,0,0) (0,0.5,0) (0,0,5)\nspace origin: (0,0,0)\nencoding: raw\n\n";
    fs::write(folder.path().join("mask.nrrd"), [header.as_bytes(), &[1; 18]].concat()).unwrap();
    let (code, printed, said) = image("DICOMDIR");
    assert!(code == 0 && printed.contains("firstorder_Mean"), "{printed}{said}");
    assert_eq!(printed, image("DICOM").1);
}

#[test]
fn a_store_that_moved_is_relocated_by_its_hashes() {
    let folder = study();
    let at = |name: &str| folder.path().join(name);
    let store = tempfile::tempdir().unwrap();
    put(&store.path().join("old"), "image", "a/t2.nii.gz");
    put(&store.path().join("old"), "mask", "a/m.nii.gz");
    let [old, new] = ["old", "new"].map(|name| store.path().join(name).to_str().unwrap().to_owned());
    fs::write(at("m.csv"), format!("patient,image,mask\n001,{old}/a/t2.nii.gz,{old}/a/m.nii.gz\n")).unwrap();
    let linked = run(folder.path(), &["import", "images", "m.csv"]);
    assert_eq!(linked.0, 0, "{linked:?}");
    put(&store.path().join("new"), "image", "a/t2.nii.gz");
    put(&store.path().join("new"), "image", "a/m.nii.gz");
    let relocate = || run(folder.path(), &["images", "relocate", &old, &new]);
    let (code, _, said) = relocate();
    assert!(code == 2 && said.contains("new/a/m.nii.gz: another content than the file that was imported"), "{said}");
    put(&store.path().join("new"), "mask", "a/m.nii.gz");
    fs::remove_dir_all(&old).unwrap();
    let (code, _, said) = relocate();
    assert!(code == 0 && said.contains("2 files relocated"), "{said}");
    assert!(run(folder.path(), &["log"]).1.contains("images relocate"), "{}", run(folder.path(), &["log"]).1);
    assert!(relocate().2.contains("no file is linked below"), "{}", relocate().2);
    assert_eq!(run(folder.path(), &["verify"]).0, 0);
    let shown = run(folder.path(), &["show", "001"]).1;
    assert!(shown.replace(['\n', ' '], "").contains("new/a/t2.nii.gz"), "{shown}");
}

#[test]
fn a_folder_with_nothing_but_a_manifest_and_its_files_is_read_by_the_manifest() {
    let folder = study();
    let data = folder.path().join("data");
    put(&data, "image", "i.nii.gz");
    put(&data, "mask", "m.nii.gz");
    fs::write(data.join("cases.csv"), "ID;Image;Mask\n001;i.nii.gz;m.nii.gz\n").unwrap();
    let (code, printed, said) = run(folder.path(), &["import", "images", "data", "--dry-run"]);
    assert!(code == 0 && printed.contains("001: image i.nii.gz, mask m.nii.gz"), "{printed}{said}");
    assert!(said.contains("the folder's cases.csv is a manifest and was read"), "{said}");
    fs::copy(data.join("cases.csv"), data.join("other.csv")).unwrap();
    assert_eq!(run(folder.path(), &["import", "images", "data", "--dry-run"]).0, 1, "two manifests: none is picked");
}

#[test]
fn what_stands_for_a_file_elsewhere_is_told_from_an_image() {
    let folder = study();
    let data = folder.path().join("data");
    put(&data, "mask", "001/mask.nii.gz");
    for text in [
        "../../.git/annex/objects/xx/yy/MD5E-s1--0.nii.gz/MD5E-s1--0.nii.gz",
        "/annex/objects/MD5E-s1--0.nii.gz\n",
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    ] {
        fs::write(data.join("001/t2.nii.gz"), text).unwrap();
        let (code, printed, said) = run(folder.path(), &["import", "images", "data", "--dry-run"]);
        let all = [printed, said].concat().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(code == 2 && all.contains("stands for a file elsewhere"), "{all}");
        let (code, _, said) = run(folder.path(), &["features", "data/001/t2.nii.gz", "data/001/mask.nii.gz"]);
        assert!(code == 2 && said.contains("git lfs pull"), "{said}");
    }
}

/// A SEG on the slices of a study's series, in a frame of reference of its own.
fn segmentation_elsewhere() -> Vec<u8> {
    let bytes = crate::dicom_files::segmentation(&[(1, [-10.0, 20.0, 5.0], [true; 6])]);
    let mut whole = dicom_object::from_reader(&bytes[..]).unwrap().into_inner();
    whole.put(text(tags::FRAME_OF_REFERENCE_UID, dicom_core::VR::UI, "1.2.9"));
    crate::dicom_files::file(whole.into_iter().collect(), dicom_dictionary_std::uids::EXPLICIT_VR_LITTLE_ENDIAN)
}

#[test]
fn what_the_protocol_accepts_of_a_mask_is_recorded_with_the_result_of_a_study() {
    let folder = study();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("series")).unwrap();
    for (n, z) in [0.0, 5.0, 10.0, 20.0].into_iter().enumerate() {
        let more = vec![text(tags::FRAME_OF_REFERENCE_UID, dicom_core::VR::UI, "1.2.8")];
        fs::write(at(&format!("series/{n}.dcm")), Slice { more, ..Slice::at(z) }.bytes()).unwrap();
    }
    fs::write(at("seg.dcm"), segmentation_elsewhere()).unwrap();
    // A lattice of half the rows: twice as many of them as the phantom's rows, and two labels.
    put(folder.path(), "image", "i.nii.gz");
    let image = osteon_radiomics::read::header(&fs::read(at("i.nii.gz")).unwrap(), &Default::default()).unwrap();
    let [nz, ny, nx] = image.geometry.shape;
    let labels: Vec<f64> = (0..nz * ny * nx).map(|cell| [0.0, 1.0, 2.0][cell / nx % ny / 3 % 3]).collect();
    let mut two = crate::forge::Nifti::new([nx, ny, nz], osteon_radiomics::grid::Element::U8, &labels, false);
    let own = {
        use std::io::Read;
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(&fs::read(at("i.nii.gz")).unwrap()[..]).read_to_end(&mut bytes).unwrap();
        bytes
    };
    // The phantom's place, a third of a voxel to the left.
    two.bytes[76..108].copy_from_slice(&own[76..108]);
    two.bytes[252..328].copy_from_slice(&own[252..328]);
    let moved = f32::from_le_bytes(own[292..296].try_into().unwrap()) + image.geometry.spacing_mm[2] as f32 / 3.0;
    two.f32(292, moved).f32(268, moved);
    fs::write(at("two.nii"), &two.bytes).unwrap();
    let manifest = "patient,image,mask,label\n001,series,seg.dcm,1\n002,i.nii.gz,two.nii,2\n";
    fs::write(at("m.csv"), manifest).unwrap();
    let import = || run(folder.path(), &["import", "images", "m.csv"]);
    let (code, printed, said) = import();
    let all = [printed, said].concat().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == 2 && all.contains("uneven slices") && all.contains("voxels off the image's grid"), "{all}");
    let set = ["mask.uneven=resample", "mask.other_frame=accept", "mask.resample=nearest", "roi.margins_mm=[]"];
    let quick = ["filter.images=[\"original\"]", "feature.families=[\"firstorder\"]"];
    let protocol = osteon_study::protocol::Preset::Study.protocol().set(set.into_iter().chain(quick)).unwrap();
    fs::write(at("p.toml"), protocol.to_toml()).unwrap();
    let told = run(folder.path(), &["protocol", "use", "p.toml", "--reason", "exported elsewhere"]);
    assert_eq!(told.0, 0, "{told:?}");
    let (code, printed, said) = import();
    assert_eq!(code, 0, "{printed}{said}");
    run(folder.path(), &["extract"]);
    let shown = |patient: &str| run(folder.path(), &["show", patient, "--format", "csv"]).1;
    for (patient, expected) in [
        ("001", "the mask was drawn in another frame of reference than the image's, as accepted"),
        ("001", "uneven slices were resampled, as accepted"),
        ("001", "the image's series lacks 1 slice"),
        ("001", "tumour of several was measured: tumour, oedema"),
        ("002", "the mask was resampled to the image's grid, its volume changed by"),
        ("002", "2 of several was measured: 1 ("),
    ] {
        assert!(shown(patient).contains(expected), "{expected}: {}", shown(patient));
    }
}

#[test]
fn a_manifest_of_windows_and_a_label_for_all_masks_of_a_folder_are_taken() {
    let folder = study();
    let data = folder.path().join("data");
    for code in ["001", "002"] {
        put(&data, "image", &format!("{code}/t2.nii.gz"));
        put(&data, "mask", &format!("{code}/mask.nii.gz"));
    }
    fs::write(folder.path().join("m.csv"), "patient,image,mask\n001,data\\001\\t2.nii.gz,.\\data\\001\\mask.nii.gz\n")
        .unwrap();
    let (code, _, said) = run(folder.path(), &["import", "images", "m.csv", "--dry-run"]);
    assert!(code == 0 && said.contains("1 patient would be linked"), "{said}");
    let label = |label: &str| run(folder.path(), &["import", "images", "data", "--label", label, "--dry-run"]);
    assert_eq!((label("1").0, label("all").0), (0, 0));
    let (code, printed, _) = label("7");
    assert!(
        code == 2 && printed.split_whitespace().collect::<Vec<_>>().join(" ").contains("no voxel of label 7"),
        "{printed}"
    );
}

#[test]
fn a_drawing_picks_its_own_series_where_others_lie_beside_it() {
    let folder = study();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("all")).unwrap();
    for (series, from) in [("1.2.3.4", 0), ("1.2.3.5", 100)] {
        for z in 0..3u16 {
            let pixels = (0..6).map(|pixel| from + 10 * z + pixel).collect();
            let slice = Slice { series, pixels, ..Slice::at(5.0 * f64::from(z)) };
            fs::write(at(&format!("all/{series}-{z}")), slice.bytes()).unwrap();
        }
    }
    let bytes = crate::dicom_files::segmentation(&[(1, [-10.0, 20.0, 5.0], [true; 6])]);
    let mut whole = dicom_object::from_reader(&bytes[..]).unwrap().into_inner();
    let series = vec![vec![text(tags::SERIES_INSTANCE_UID, dicom_core::VR::UI, "1.2.3.5")]];
    whole.put(crate::dicom_files::sequence(tags::REFERENCED_SERIES_SEQUENCE, series));
    let bytes = crate::dicom_files::file(whole.into_iter().collect(), "1.2.840.10008.1.2.1");
    fs::write(at("seg.dcm"), bytes).unwrap();
    let set = ["--preset", "pyradiomics", "--families", "firstorder", "--roi", "intra", "--label", "1"];
    let (code, printed, said) = run(folder.path(), &[&["features", "all", "seg.dcm"], &set[..]].concat());
    assert!(code == 0 && printed.contains("original_firstorder_Minimum,110\n"), "{printed}{said}");
    assert!(said.contains("the one on which the mask was drawn was read"), "{said}");
    fs::write(at("m.csv"), "patient,image,mask,label\n001,all,seg.dcm,1\n").unwrap();
    let (code, _, said) = run(folder.path(), &["import", "images", "m.csv"]);
    assert!(code == 0 && said.contains("the one on which the mask was drawn was read"), "{said}");
    assert!(run(folder.path(), &["show", "001", "--format", "csv"]).1.contains("all#1.2.3.5"));
    assert_eq!(run(folder.path(), &["verify"]).0, 0);
}

#[test]
fn an_id_that_may_mean_two_patients_is_refused_with_both() {
    let folder = study();
    fs::write(folder.path().join("more.csv"), "patient_id\n7\n07\n").unwrap();
    run(folder.path(), &["import", "clinical", "more.csv"]);
    put(&folder.path().join("data"), "image", "007/t2.nii.gz");
    put(&folder.path().join("data"), "mask", "007/mask.nii.gz");
    let (code, printed, _) = run(folder.path(), &["import", "images", "data"]);
    let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == 2 && printed.contains("it may mean each of 07, 7"), "{printed}");
}

#[test]
fn names_that_contradict_are_refused_and_of_several_images_the_masks_name_picks_its_own() {
    let cases: [Case; 8] = [
        (
            &[("image", "sub-001/anat/sub-001_run-1_T2w.nii.gz"), ("mask", "sub-001/anat/sub-001_run-2_mask.nii.gz")],
            2,
            "names that agree: the image is run-1, the mask run-2",
        ),
        (
            &[
                ("image", "sub-001/anat/sub-001_T2w.nii.gz"),
                ("mask", "derivatives/x/sub-001/anat/sub-001_space-MNI152NLin6Asym_desc-tumor_mask.nii.gz"),
            ],
            2,
            "the mask is in the space mni152nlin6asym",
        ),
        (&[("image", "001/pre_T2.nii.gz"), ("mask", "001/post_mask.nii.gz")], 2, "called pre, the mask post"),
        (&[("image", "001/T1.nii.gz"), ("mask", "001/T2_mask.nii.gz")], 2, "called t1, the mask t2"),
        (&[("image", "sub-001/sub-002_T2w.nii.gz"), ("mask", "sub-001/mask.nii.gz")], 2, "called after sub-002"),
        (
            &[
                ("image", "sub-001/anat/sub-001_run-1_T2w.nii.gz"),
                ("image", "sub-001/anat/sub-001_run-2_T2w.nii.gz"),
                ("mask", "sub-001/anat/sub-001_run-2_desc-tumor_mask.nii.gz"),
            ],
            0,
            "image sub-001/anat/sub-001_run-2_T2w.nii.gz, mask",
        ),
        (
            &[
                ("image", "sub-001/anat/sub-001_T1w.nii.gz"),
                ("image", "sub-001/anat/sub-001_T2w.nii.gz"),
                ("mask", "sub-001/anat/sub-001_space-T2w_desc-tumor_mask.nii.gz"),
            ],
            0,
            "image sub-001/anat/sub-001_T2w.nii.gz, mask",
        ),
        (
            &[
                ("image", "1/T2.nii.gz"),
                ("mask", "1/mask.nii.gz"),
                ("image", "001/t2.nii.gz"),
                ("mask", "001/mask.nii.gz"),
            ],
            2,
            "001: image 001/t2.nii.gz, mask 001/mask.nii.gz",
        ),
    ];
    for (files, code, expected) in cases {
        let folder = study();
        files.iter().for_each(|(kind, name)| put(&folder.path().join("data"), kind, name));
        let (found, printed, said) = run(folder.path(), &["import", "images", "data", "--dry-run"]);
        let unwrapped = printed.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(found == code && unwrapped.contains(expected), "{expected}: {found} {printed}{said}");
    }
}

#[test]
fn empty_folders_columns_that_were_not_read_and_one_image_for_two_patients_are_told() {
    let folder = study();
    let data = folder.path().join("data");
    for code in ["001", "002"] {
        put(&data, "image", &format!("{code}/t2.nii.gz"));
        put(&data, "mask", &format!("{code}/mask.nii.gz"));
    }
    fs::create_dir_all(data.join("sub-3/anat")).unwrap();
    let (_, printed, said) = run(folder.path(), &["import", "images", "data", "--dry-run"]);
    assert!(printed.contains("an empty folder") && printed.contains("sub-3/anat"), "{printed}");
    assert!(said.contains("have the same image, byte for byte"), "{said}");
    let row = "001,data/001/t2.nii.gz,data/001/mask.nii.gz,data/001/mask.nii.gz,x\n";
    fs::write(folder.path().join("m.csv"), format!("patient,image,mask,repeatmask,site\n{row}")).unwrap();
    let (code, printed, said) = run(folder.path(), &["import", "images", "m.csv", "--dry-run"]);
    assert!(code == 0 && said.contains("columns of the manifest that were not read: site;"), "{printed}{said}");
    assert!(said.contains("3 files") || printed.contains("repeat"), "{printed}{said}");
}
