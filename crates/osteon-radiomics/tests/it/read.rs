//! Files become the grids that they describe.

use std::fs;

use osteon_radiomics::grid::{Element, Geometry, Image, Mask};
use osteon_radiomics::read::{self, Label, Limits, ReadError, Source};

use crate::forge::{self, Nifti};
use osteon_testing::{Comparison, fixture, shared};

const SHAPE: [usize; 3] = [2, 3, 4];

fn counting() -> Vec<f64> {
    (0..24).map(f64::from).collect()
}

/// Where the forged files lie, in LPS.
fn geometry() -> Geometry {
    Geometry {
        shape: [4, 3, 2],
        origin_mm: [-10.0, -20.0, 30.0],
        spacing_mm: [3.0, 0.75, 0.5],
        axes: [[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]],
    }
}

fn image(bytes: &[u8]) -> Result<Image, ReadError> {
    read::image(Source { bytes, data: None }, &Limits::default())
}

fn mask(bytes: &[u8], label: Label) -> Result<Mask, ReadError> {
    read::mask(Source { bytes, data: None }, label, &Limits::default())
}

fn check(name: &str, bytes: &[u8], element: Element) {
    let image = image(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(image.volume.geometry(), &geometry(), "{name}");
    assert_eq!(image.volume.as_slice(), counting(), "{name}");
    assert_eq!(image.element, element, "{name}");
}

#[test]
fn every_number_type_and_byte_order_of_nifti_is_read() {
    for (element, _) in forge::CODES {
        for big_endian in [false, true] {
            let file = Nifti::new(SHAPE, element, &counting(), big_endian).bytes;
            check(&format!("{element:?}, big endian {big_endian}"), &file, element);
            check(&format!("{element:?}, big endian {big_endian}, gzip"), &forge::gzip(&file), element);
        }
    }
    let bytes: Vec<u8> = (0..24).collect();
    check("NIfTI-2", &forge::nifti_2([2, 3, 4], &bytes), Element::U8);
    check("NIfTI-2, gzip", &forge::gzip(&forge::nifti_2([2, 3, 4], &bytes)), Element::U8);
}

#[test]
fn stored_numbers_are_scaled_as_the_header_says() {
    let mut file = Nifti::new(SHAPE, Element::I16, &counting(), false);
    file.f32(112, 0.5).f32(116, -3.0);
    let scaled = image(&file.bytes).unwrap();
    assert_eq!(scaled.volume.as_slice()[7], 0.5);
    assert_eq!(scaled.element, Element::F32);
    for no_slope in [0.0, f32::NAN] {
        file.f32(112, no_slope).f32(116, 0.0);
        assert_eq!(image(&file.bytes).unwrap().volume.as_slice(), counting());
    }
}

#[test]
fn the_sform_counts_before_the_qform_and_both_before_bare_spacing() {
    let mut file = Nifti::new(SHAPE, Element::U8, &counting(), false);
    file.i16(254, 1);
    // Index x along S, y along R, z along A.
    for (at, part) in [(284, 0.75), (304, 3.0), (312, 0.5), (324, 7.0)] {
        file.f32(at, part);
    }
    let turned = image(&file.bytes).unwrap().volume.geometry().clone();
    assert_eq!(turned.axes, [[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]);
    assert_eq!(turned.origin_mm, [0.0, 0.0, 7.0]);
    assert_eq!(turned.spacing_mm, [3.0, 0.75, 0.5]);
    // A shear is no grid: the qform then counts.
    file.f32(288, 3.0);
    assert_eq!(image(&file.bytes).unwrap().volume.geometry(), &geometry());
    file.i16(252, 0).i16(254, 0);
    let bare = image(&file.bytes).unwrap().volume.geometry().clone();
    // ITK 5.4 lays bare axes along L, P and S.
    let axes = [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]];
    assert_eq!(bare, Geometry { origin_mm: [0.0; 3], axes, ..geometry() });
}

#[test]
fn a_pixdim_that_is_not_the_sforms_is_said_once() {
    let mut file = Nifti::new(SHAPE, Element::U8, &counting(), false);
    file.i16(252, 0).i16(254, 1);
    for (at, part) in [(280, 1.2), (300, 0.9), (320, 2.5)] {
        file.f32(at, part);
    }
    let source = Source { bytes: &file.bytes, data: None };
    let (_, notes) = read::image_as_stored(source, &Limits::default()).unwrap();
    assert_eq!(
        notes,
        ["pixdim says 0.5 x 0.75 x 3, the sform 1.2 x 0.9 x 2.5: the sizes of pixdim were used, as ITK does"]
    );
    // SimpleITK 2.5: spacing (0.5, 0.75, 3), directions of the sform.
    assert_eq!(image(&file.bytes).unwrap().volume.geometry().spacing_mm, [3.0, 0.75, 0.5]);
    file.f32(80, f32::NAN);
    let source = Source { bytes: &file.bytes, data: None };
    let (_, notes) = read::image_as_stored(source, &Limits::default()).unwrap();
    assert!(notes[0].starts_with("pixdim has no size of 1 of 3 axes"), "{notes:?}");
}

#[test]
fn numbers_of_a_header_that_are_wrong_but_harmless_are_read_as_itk_reads_them() {
    let note = |file: &Nifti| {
        let source = Source { bytes: &file.bytes, data: None };
        read::image_as_stored(source, &Limits::default()).unwrap().1
    };
    let mut file = Nifti::new(SHAPE, Element::U8, &counting(), false);
    file.i16(72, 16);
    check("bitpix of another type", &file.bytes, Element::U8);
    assert_eq!(note(&file), ["bitpix is 16, the datatype has 8 bits: the datatype was used, as ITK does"]);
    file.i16(72, 8).f32(108, 352.5);
    check("an offset between two bytes", &file.bytes, Element::U8);
    assert_eq!(note(&file), ["vox_offset is 352.5: the voxels were taken from byte 352, as ITK does"]);
    file.f32(108, 352.0).i16(40, 4).i16(48, -1);
    check("a further dimension below 0", &file.bytes, Element::U8);
    file.i16(40, 3).i32(344, 0);
    let told = image(&file.bytes).unwrap_err().to_string();
    assert!(told.contains("which side is left: convert it to NIfTI"), "{told}");
}

#[test]
fn bytes_behind_the_voxels_are_left_and_said_in_every_format() {
    let nrrd = forge::nrrd_header(&[]).into_bytes();
    let voxels = forge::encode(Element::I16, &counting(), false);
    let mha = b"ObjectType = Image\nNDims = 3\nDimSize = 4 3 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n";
    for (name, bytes) in
        [("nrrd", [&nrrd[..], &voxels, &[7; 9]].concat()), ("mha", [&mha[..], &[1; 24], &[7; 9]].concat())]
    {
        let source = Source { bytes: &bytes, data: None };
        let (_, notes) = read::image_as_stored(source, &Limits::default()).unwrap();
        assert!(notes.iter().any(|it| it.contains("goes on after its voxels")), "{name}: {notes:?}");
    }
}

#[test]
fn a_quaternion_turns_the_axes_and_a_negative_qfac_flips_the_third() {
    let mut file = Nifti::new(SHAPE, Element::U8, &counting(), false);
    let half = std::f32::consts::FRAC_1_SQRT_2;
    // A quarter turn about z: index x along A, y along L.
    file.f32(264, half).f32(76, -1.0);
    let axes = image(&file.bytes).unwrap().volume.geometry().axes;
    let expected = [[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]];
    for (ours, theirs) in axes.as_flattened().iter().zip(expected.as_flattened()) {
        assert!((ours - theirs).abs() < 1e-7, "{axes:?}");
    }
}

#[test]
fn extensions_before_the_voxels_are_skipped_wherever_these_begin() {
    let mut file = Nifti::new(SHAPE, Element::U8, &counting(), false);
    file.f32(108, 385.0);
    let voxels = file.bytes.split_off(352);
    file.bytes.extend([7; 33]);
    file.bytes.extend(voxels);
    check("voxels at 385", &file.bytes, Element::U8);
    check("voxels at 385, gzip", &forge::gzip(&file.bytes), Element::U8);
}

#[test]
fn nrrd_is_read_in_its_encodings_spaces_and_line_ends() {
    let voxels = forge::encode(Element::I16, &counting(), true);
    let with = |lines: &[&str], voxels: &[u8]| [forge::nrrd_header(lines).as_bytes(), voxels].concat();
    check("raw", &with(&[], &voxels), Element::I16);
    check("gzip", &with(&["encoding: gz"], &forge::gzip(&voxels)), Element::I16);
    check(
        "carriage returns",
        &[forge::nrrd_header(&[]).replace('\n', "\r\n").as_bytes(), &voxels].concat(),
        Element::I16,
    );
    check("byte skip", &with(&["byte skip: 3"], &[b"abc", &voxels[..]].concat()), Element::I16);
    check("voxels at the end", &with(&["byte skip: -1"], &[b"abc", &voxels[..]].concat()), Element::I16);
    let lps = ["space: LPS", "space directions: (-0.5,0,0) (0,-0.75,0) (0,0,3)", "space origin: (-10,-20,30)"];
    check("LPS", &with(&lps, &voxels), Element::I16);
    let las = ["space: LAS", "space directions: (-0.5,0,0) (0,0.75,0) (0,0,3)", "space origin: (-10,20,30)"];
    check("LAS", &with(&las, &voxels), Element::I16);
    let little = forge::encode(Element::I16, &counting(), false);
    check("little endian", &with(&["endian: little"], &little), Element::I16);
}

#[test]
fn a_detached_header_names_the_file_of_its_voxels() {
    let voxels = forge::encode(Element::I16, &counting(), true);
    let header = forge::nrrd_header(&["data file: voxels.raw"]);
    let limits = Limits::default();
    assert_eq!(read::header(header.as_bytes(), &limits).unwrap().data_file.as_deref(), Some("voxels.raw"));
    let source = Source { bytes: header.as_bytes(), data: Some(&voxels) };
    assert_eq!(read::image(source, &limits).unwrap().volume.as_slice(), counting());
    assert_eq!(image(header.as_bytes()), Err(ReadError::DataFile("voxels.raw".into())));
}

#[test]
fn a_mask_is_one_label_or_every_voxel_above_or_below_zero() {
    let values: Vec<f64> = (0..24).map(|i| f64::from([0, 0, 1, 2][i % 4])).collect();
    let file = Nifti::new(SHAPE, Element::F32, &values, false).bytes;
    assert_eq!(mask(&file, Label::AnyNonZero).unwrap().count(), 12);
    assert_eq!(mask(&file, Label::Value(2)).unwrap().count(), 6);
    let absent = mask(&file, Label::Value(3)).unwrap_err().to_string();
    assert_eq!(absent, "the mask has no voxel of label 3; its labels are 1 (6 voxels), 2 (6 voxels)");
    let empty = Nifti::new(SHAPE, Element::U8, &[0.0; 24], false).bytes;
    assert_eq!(mask(&empty, Label::AnyNonZero), Err(ReadError::Empty));
    assert_eq!(mask(&empty, Label::Value(1)), Err(ReadError::Empty));
}

#[test]
fn a_mask_of_another_grid_is_refused_with_both_grids_printed() {
    let moved = |by_mm: f64| Geometry { origin_mm: [-10.0 + by_mm, -20.0, 30.0], ..geometry() };
    assert_eq!(read::check_pair(&geometry(), &moved(1e-7)), Ok(()));
    let error = read::check_pair(&geometry(), &moved(0.4)).unwrap_err().to_string();
    assert!(error.contains("origin (-10, -20, 30)") && error.contains("origin (-9.6, -20, 30)"), "{error}");
    let others = [
        Geometry { shape: [4, 3, 3], ..geometry() },
        Geometry { spacing_mm: [3.0, 0.75, 0.6], ..geometry() },
        Geometry { axes: [[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]], ..geometry() },
    ];
    assert!(others.iter().all(|other| read::check_pair(&geometry(), other).is_err()));
}

#[test]
fn the_phantoms_are_read_in_place() {
    let file = |name: &str| fs::read(fixture(&format!("phantoms/{name}"))).unwrap();
    let a = image(&file("phantom_a_image.nii.gz")).unwrap();
    assert_eq!(a.element, Element::I16);
    assert_eq!(a.volume.geometry().shape, [11, 40, 44]);
    assert_eq!(a.volume.geometry().origin_mm, [-20.5, 11.25, 300.0]);
    assert_eq!(a.volume.geometry().spacing_mm[0], f64::from(4.4f32));
    let b = image(&file("phantom_b_image.nrrd")).unwrap();
    assert_eq!((b.element, b.volume.geometry().shape), (Element::F32, [13, 36, 38]));
    assert!((b.volume.geometry().spacing_mm[2] - 0.9).abs() < 1e-15);
    for (name, image) in [("phantom_a_mask.nii.gz", &a), ("phantom_b_mask.nrrd", &b)] {
        let mask = mask(&file(name), Label::AnyNonZero).unwrap();
        assert_eq!(read::check_pair(image.volume.geometry(), mask.geometry()), Ok(()));
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_masks_of_other_programs_hold_the_voxels_they_counted() {
    let Some(folder) = shared("reference/radiomics") else { return };
    let mut comparison = Comparison::default();
    let cases = [
        ("images/pyradiomics/brain1_label.nrrd", 4137),
        ("images/pyradiomics/brain2_label.nrrd", 453),
        ("images/pyradiomics/breast1_label.nrrd", 143),
        ("images/sts_mr_t1/STS_008/MR_T1_mask.nii.gz", 8862),
        ("images/sts_mr_t1/STS_025/MR_T1_mask.nii.gz", 9655),
    ];
    for (path, voxels) in cases {
        let mask = mask(&fs::read(folder.join(path)).unwrap(), Label::AnyNonZero).unwrap();
        comparison.same(path, mask.count(), voxels);
    }
    comparison.finish(cases.len());
}

/// Which of two orientations SimpleITK 2.5.7 (ITK 5.4) takes, by the codes of qform and sform: the origins of files
/// whose forms have the identity and differ in their offsets.
#[test]
fn every_pair_of_form_codes_is_decided_as_itk_does() {
    for qform in 0..=5i16 {
        for sform in 0..=5i16 {
            let mut file = Nifti::new(SHAPE, Element::U8, &counting(), false);
            file.i16(252, qform).i16(254, sform).f32(76, 1.0);
            for (at, part) in [(256, 0.0), (260, 0.0), (264, 0.0), (268, 5.0), (272, 6.0), (276, 7.0)] {
                file.f32(at, part);
            }
            for (row, place) in [50.0, 60.0, 70.0].into_iter().enumerate() {
                for column in 0..3 {
                    let size = [0.5, 0.75, 3.0][column];
                    file.f32(280 + 16 * row + 4 * column, if row == column { size } else { 0.0 });
                }
                file.f32(280 + 16 * row + 12, place);
            }
            let expected = match (qform, sform) {
                (0, 0) => [0.0, 0.0, 0.0],
                (0, _) | (_, 1) => [-50.0, -60.0, 70.0],
                _ => [-5.0, -6.0, 7.0],
            };
            let found = image(&file.bytes).unwrap().volume.geometry().clone();
            assert_eq!(found.origin_mm, expected, "qform {qform}, sform {sform}");
            // Without a form ITK lays the axes along L, P and S.
            let side = if (qform, sform) == (0, 0) { 1.0 } else { -1.0 };
            assert_eq!(found.axes, [[0.0, 0.0, 1.0], [0.0, side, 0.0], [side, 0.0, 0.0]]);
        }
    }
}

/// First voxels by SimpleITK 2.5.7 of a file that stores 0, 1, 2, ...
#[test]
fn odd_slopes_are_read_as_itk_reads_them() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let cases = [
        ((0.0, 0.0), [0.0, 1.0]),
        ((0.0, 5.0), [5.0, 6.0]),
        ((nan, 0.0), [0.0, 1.0]),
        ((nan, nan), [0.0, 1.0]),
        ((1.0, nan), [0.0, 1.0]),
        ((2.0, nan), [0.0, 2.0]),
        ((inf, 0.0), [0.0, 1.0]),
        ((-inf, 3.0), [3.0, 4.0]),
        ((2.0, inf), [0.0, 2.0]),
        ((-1.0, 0.0), [0.0, -1.0]),
    ];
    for ((slope, intercept), expected) in cases {
        let mut file = Nifti::new(SHAPE, Element::I16, &counting(), false);
        file.f32(112, slope).f32(116, intercept);
        let found = image(&file.bytes).unwrap();
        assert_eq!(found.volume.as_slice()[..2], expected, "{slope} {intercept}");
    }
}

#[test]
fn nifti_may_be_padded_stand_in_two_files_and_have_empty_dimensions() {
    let mut file = Nifti::new(SHAPE, Element::U8, &counting(), false);
    file.i16(40, 5).i16(48, 0).i16(50, 1).i16(72, 0);
    check("dimensions of 0 and no bitpix", &file.bytes, Element::U8);
    let padded = [&file.bytes[..], &[7; 100]].concat();
    check("bytes behind the voxels", &padded, Element::U8);
    let (_, notes) = read::image_as_stored(Source { bytes: &padded, data: None }, &Limits::default()).unwrap();
    assert_eq!(notes.len(), 1);
    check("zeros behind gzip", &[forge::gzip(&file.bytes), vec![0; 512]].concat(), Element::U8);
    let members = [forge::gzip(&file.bytes[..100]), forge::gzip(&file.bytes[100..]), vec![0; 3]].concat();
    check("several members of gzip, padded", &members, Element::U8);
    let mut header = file;
    let voxels = header.bytes.split_off(352);
    header.f32(108, 0.0);
    header.bytes[344..348].copy_from_slice(b"ni1\0");
    let limits = Limits::default();
    assert_eq!(read::header(&header.bytes, &limits).unwrap().data_file.as_deref(), Some(".img"));
    for data in [voxels.clone(), forge::gzip(&voxels)] {
        let source = Source { bytes: &header.bytes, data: Some(&data) };
        assert_eq!(read::image(source, &limits).unwrap().volume.as_slice(), counting());
    }
}

#[test]
fn a_voxel_of_another_world_is_refused() {
    let mut file = Nifti::new(SHAPE, Element::U8, &counting(), false);
    file.f32(80, 1e38);
    assert!(image(&file.bytes).unwrap_err().to_string().contains("the voxel size"));
    let huge = forge::nrrd_header(&["space origin: (1e308,0,0)"]);
    assert!(image(huge.as_bytes()).unwrap_err().to_string().contains("the origin"));
}

fn region(bytes: &[u8], label: Label, name: Option<&str>) -> Result<(usize, String), String> {
    let source = Source { bytes, data: None };
    let found = read::region(
        source,
        read::Pick { label, name, channel: None },
        &geometry(),
        &read::Params::default(),
        &Limits::default(),
    )
    .map_err(|error| error.to_string())?;
    Ok((found.mask.count(), found.reading.picked))
}

#[test]
fn segments_are_picked_by_name_layer_by_layer() {
    // Two layers: the first number of a voxel is layer 0. Tumor has 6 voxels, Muscle 12, Empty none.
    let voxels: Vec<u8> = (0..24u8).flat_map(|at| [u8::from(at % 4 == 1), 3 * u8::from(at % 2 == 0)]).collect();
    let lines = [
        "type: uint8",
        "dimension: 4",
        "sizes: 2 2 3 4",
        "space directions: none (0.5,0,0) (0,0.75,0) (0,0,3)",
        "kinds: list domain domain domain",
        "Segment0_Name:=Tumor",
        "Segment0_LabelValue:=1",
        "Segment0_Layer:=0",
        "Segment1_Name:=Muscle",
        "Segment1_LabelValue:=3",
        "Segment1_Layer:=1",
        "Segment2_Name:=Empty",
        "Segment2_LabelValue:=9",
        "Author:=M\u{fc}ller",
    ];
    let file = [forge::nrrd_header(&lines).as_bytes(), &voxels].concat();
    assert_eq!(region(&file, Label::Only, Some("Tumor")), Ok((6, "Tumor".to_owned())));
    assert_eq!(region(&file, Label::Only, Some("Muscle")), Ok((12, "Muscle".to_owned())));
    assert_eq!(region(&file, Label::Value(3), None), Ok((12, "Muscle".to_owned())));
    assert!(region(&file, Label::Value(4), None).unwrap_err().contains("no voxel of label 4"));
    assert_eq!(region(&file, Label::AnyNonZero, None), Ok((18, "all".to_owned())));
    assert_eq!(region(&file, Label::Only, Some("all")), Ok((18, "all".to_owned())));
    // Older files do not number the layers: each segment has its own.
    let old = forge::nrrd_header(&lines).replace("Segment0_Layer:=0\n", "").replace("Segment1_Layer:=1\n", "");
    let old = [old.replace("Segment2_", "Other_").as_bytes(), &voxels].concat();
    assert_eq!(region(&old, Label::Only, Some("Muscle")), Ok((12, "Muscle".to_owned())));
    let unnamed = String::from_utf8_lossy(&forge::nrrd_header(&lines).into_bytes()).replace("Segment1_", "Other_");
    let told = region(&[unnamed.as_bytes(), &voxels].concat(), Label::Only, None).unwrap_err();
    assert!(told.contains("Tumor (6 voxels)") && told.contains("label 3 (12 voxels)"), "{told}");
    let told = region(&file, Label::Only, None).unwrap_err();
    assert!(told.contains("2 segments") && told.contains("Tumor (6 voxels), Muscle (12 voxels)"), "{told}");
    assert!(region(&file, Label::Only, Some("Bone")).unwrap_err().contains("no segment is called Bone"));
    assert!(region(&file, Label::Only, Some("Empty")).unwrap_err().contains("has no voxel"));
    let text = String::from_utf8(forge::nrrd_header(&lines).replace("Muscle", "Tumor").into_bytes()).unwrap();
    let twice = [text.as_bytes(), &voxels].concat();
    let told = region(&twice, Label::Only, Some("Tumor")).unwrap_err();
    assert!(
        told.ends_with("2 segments are called Tumor, known by their ids: Segment0 (6 voxels), Segment1 (12 voxels)"),
        "{told}"
    );
    // Of one name and one label, only the id says which.
    let same = text
        .replace("LabelValue:=3", "LabelValue:=1")
        .replace("Segment1_Name", "Segment1_ID:=Segment_7\nSegment1_Name");
    let voxels: Vec<u8> = voxels.iter().map(|&value| value.min(1)).collect();
    let same = [same.as_bytes(), &voxels].concat();
    assert_eq!(region(&same, Label::Only, Some("Segment_7")), Ok((12, "Tumor".to_owned())));
    assert_eq!(region(&same, Label::Only, Some("Segment0")), Ok((6, "Tumor".to_owned())));
}

#[test]
fn nrrd_is_read_as_text_and_from_lists_of_files() {
    let text = |lines: &[&str], voxels: &str| [forge::nrrd_header(lines), voxels.to_owned()].concat().into_bytes();
    let decimal: Vec<String> = (0..24).map(|n| n.to_string()).collect();
    check("text", &text(&["encoding: text"], &decimal.join(" ")), Element::I16);
    let hex: String = (0..24).map(|n| format!("{n:04x}\n")).collect();
    check("hex", &text(&["encoding: hex"], &hex), Element::I16);
    check(
        "scanner-xyz",
        &{
            let lines = [
                "space: scanner-xyz",
                "space directions: (-0.5,0,0) (0,-0.75,0) (0,0,3)",
                "space origin: (-10,-20,30)",
            ];
            [forge::nrrd_header(&lines).as_bytes(), &forge::encode(Element::I16, &counting(), true)].concat()
        },
        Element::I16,
    );
    let limits = Limits::default();
    let counted = read::header(&text(&["data file: x%03d.raw 1 3 1"], ""), &limits).unwrap();
    assert_eq!(counted.data_file.as_deref(), Some("x001.raw"));
    assert_eq!(counted.further_files, ["x002.raw", "x003.raw"]);
    assert!(read::header(&text(&["data file: x%d.raw 0 99999999 1"], ""), &limits).is_err());
    let elsewhere = read::header(&text(&["data file: %d/../../x 0 3 1"], ""), &limits).unwrap();
    assert_eq!((elsewhere.data_file.as_deref(), elsewhere.elsewhere.as_deref()), (Some("x"), Some("0/../../x")));
    let header = forge::nrrd_header(&[]);
    let listed = [header.trim_end(), "\ndata file: LIST\na.raw\nb.raw\n"].concat();
    let listed = read::header(listed.as_bytes(), &limits).unwrap();
    assert_eq!((listed.data_file.as_deref(), &listed.further_files[..]), (Some("a.raw"), &["b.raw".to_owned()][..]));
}

/// `bz2.compress` of Python on the numbers 0 to 23 in two bytes each, the highest first.
const BZIP2: [u8; 65] = [
    0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0x15, 0xad, 0x8f, 0x27, 0x00, 0x00, 0x00, 0x60, 0x00,
    0x7f, 0xff, 0xff, 0x80, 0x20, 0x00, 0x22, 0x35, 0x00, 0x00, 0x03, 0x21, 0x41, 0xa3, 0x46, 0x83, 0x20, 0x34, 0x45,
    0x12, 0xd8, 0xd7, 0x3e, 0x11, 0x94, 0xe9, 0x5b, 0x5f, 0x19, 0xd6, 0xf9, 0xdf, 0x1a, 0x18, 0x00, 0xbe, 0x2e, 0xe4,
    0x8a, 0x70, 0xa1, 0x20, 0x2b, 0x5b, 0x1e, 0x4e,
];

/// Origins as SimpleITK 2.5 reads them.
#[test]
fn nrrd_axis_mins_place_a_file_without_a_space() {
    let voxels = forge::encode(Element::I16, &counting(), true);
    let plain = ["space: -", "space directions: -", "space origin: -", "spacings: 2 3 4"];
    let read = |more: &[&str]| {
        let lines: Vec<&str> = plain.iter().chain(more).copied().collect();
        image(&[forge::nrrd_header(&lines).as_bytes(), &voxels].concat())
    };
    let origin = |more: &[&str]| read(more).unwrap().volume.geometry().origin_mm;
    assert_eq!(origin(&[]), [0.0; 3]);
    assert_eq!(origin(&["axis mins: -20 10 -40"]), [-19.0, 11.5, -38.0]);
    assert_eq!(origin(&["axis mins: -20 10 -40", "axis maxs: -14 20 -30"]), [-19.0, 11.5, -38.0]);
    assert_eq!(origin(&["axismins: -20 10 -40", "centerings: node node node"]), [-20.0, 10.0, -40.0]);
    assert_eq!(origin(&["axis mins: -20 10 -40", "centers: node ??? cell"]), [-20.0, 11.5, -38.0]);
    for more in [&["axis mins: -20 nan -40"][..], &["axis mins: -20 10"], &["axis mins: 1 2 3", "space: RAS"]] {
        let told = read(more).unwrap_err().to_string();
        assert!(told.contains("axis mins"), "{told}");
    }
}

#[test]
fn nrrd_may_be_compressed_by_bzip2() {
    let with = |voxels: &[u8]| [forge::nrrd_header(&["encoding: bzip2"]).as_bytes(), voxels].concat();
    check("bzip2", &with(&BZIP2), Element::I16);
    assert!(matches!(image(&with(&BZIP2[..40])), Err(ReadError::Truncated { .. } | ReadError::Gzip(_))));
    assert!(matches!(image(&with(b"no bzip2 stream at all")), Err(ReadError::Gzip(_))));
}

#[test]
fn voxels_without_an_offset_begin_where_the_size_of_the_file_puts_them() {
    let mut file = Nifti::new(SHAPE, Element::U8, &counting(), false);
    file.f32(108, 0.0);
    let short = [&file.bytes[..348], &file.bytes[352..]].concat();
    for (at, bytes) in [("352", &file.bytes), ("348", &short)] {
        check(at, bytes, Element::U8);
        check(at, &forge::gzip(bytes), Element::U8);
        let (_, notes) = read::image_as_stored(Source { bytes, data: None }, &Limits::default()).unwrap();
        assert!(notes[0].contains(&format!("vox_offset is 0: the voxels were taken from byte {at}")), "{notes:?}");
    }
    let longer = [&file.bytes[..], &[0]].concat();
    assert!(image(&longer).unwrap_err().to_string().contains("vox_offset is 0"));
}

#[test]
fn a_header_that_names_a_file_elsewhere_means_the_one_beside_it() {
    let limits = Limits::default();
    let nrrd = |name: &str| forge::nrrd_header(&[&format!("data file: {name}")]);
    let meta = |name: &str| format!("NDims = 3\nDimSize = 2 3 4\nElementType = MET_UCHAR\nElementDataFile = {name}\n");
    for (name, own) in [
        ("/data/study/voxels.raw", Some("voxels.raw")),
        ("C:\\study\\voxels.raw", Some("voxels.raw")),
        ("../../voxels.raw", Some("voxels.raw")),
        ("voxels/../../x.raw", Some("x.raw")),
        ("/etc/", None),
        ("..", None),
    ] {
        for header in [nrrd(name), meta(name)] {
            let found = read::header(header.as_bytes(), &limits);
            let Some(own) = own else {
                assert!(found.is_err(), "{name}");
                continue;
            };
            let found = found.unwrap();
            assert_eq!(found.data_file.as_deref(), Some(own), "{name}");
            assert!(found.notes[0].contains(&format!("the header names {name}")), "{:?}", found.notes);
        }
    }
    let below = read::header(meta("sub/voxels.raw").as_bytes(), &limits).unwrap();
    assert_eq!((below.data_file.as_deref(), below.elsewhere), (Some("sub/voxels.raw"), None));
}

#[test]
fn a_segment_is_found_by_its_name_but_for_capital_letters() {
    let voxels: Vec<u8> = (0..24u8).map(|at| u8::from(at < 5)).collect();
    let lines = ["type: uint8", "Segment0_Name:=Tumor  Left", "Segment0_LabelValue:=1"];
    let file = [forge::nrrd_header(&lines).as_bytes(), &voxels].concat();
    let source = Source { bytes: &file, data: None };
    let pick = read::Pick { label: Label::Only, name: Some("tumor left"), channel: None };
    let found = read::region(source, pick, &geometry(), &read::Params::default(), &Limits::default()).unwrap();
    assert_eq!(found.mask.count(), 5);
    assert!(found.reading.notes[0].contains("tumor left is taken for Tumor  Left"), "{:?}", found.reading);
}

#[test]
fn lines_of_text_before_the_voxels_are_skipped() {
    let voxels = forge::encode(Element::I16, &counting(), true);
    let with = |lines: &[&str], voxels: &[u8]| [forge::nrrd_header(lines).as_bytes(), voxels].concat();
    check("lines", &with(&["line skip: 2"], &[b"one\ntwo\n", &voxels[..]].concat()), Element::I16);
    check(
        "lines and bytes",
        &with(&["line skip: 1", "byte skip: 3"], &[b"one\nabc", &voxels[..]].concat()),
        Element::I16,
    );
    let zipped = [b"one\n", &forge::gzip(&[b"abc", &voxels[..]].concat())[..]].concat();
    check("lines before gzip", &with(&["line skip: 1", "byte skip: 3", "encoding: gzip"], &zipped), Element::I16);
}

/// What Teem (SimpleITK 2.5) reads of such files.
#[test]
fn skips_of_a_list_count_in_each_of_its_files() {
    let voxels = forge::encode(Element::I16, &counting(), true);
    let slices: Vec<Vec<u8>> = voxels.chunks(voxels.len() / 4).map(<[u8]>::to_vec).collect();
    let limits = Limits::default();
    let read = |fields: &[&'static str], files: &[Vec<u8>]| -> Result<(Vec<f64>, Vec<String>), ReadError> {
        let fields = [fields, &["data file: s%d.raw 1 4 1"]].concat();
        let header = forge::nrrd_header(&fields);
        let named: Vec<(String, Vec<u8>)> = files.iter().map(|it| ("s.raw".to_owned(), it.clone())).collect();
        let data = read::header(header.as_bytes(), &limits)?.joined(&named)?;
        let (image, notes) = read::image_as_stored(Source { bytes: header.as_bytes(), data: Some(&data) }, &limits)?;
        Ok((image.volume.as_slice().to_vec(), notes))
    };
    let around = |before: &[u8], behind: &[u8], of: &dyn Fn(&[u8]) -> Vec<u8>| -> Vec<Vec<u8>> {
        slices.iter().map(|slice| [before, &of(slice), behind].concat()).collect()
    };
    let (plain, gzip) = (|slice: &[u8]| slice.to_vec(), |slice: &[u8]| forge::gzip(slice));
    let wanted = (counting(), Vec::<String>::new());
    assert_eq!(read(&[], &slices), Ok(wanted.clone()));
    assert_eq!(read(&["line skip: 1"], &around(b"P5\n", b"", &plain)), Ok(wanted.clone()));
    assert_eq!(read(&["byte skip: 4"], &around(b"abcd", b"", &plain)), Ok(wanted.clone()));
    assert_eq!(read(&["byte skip: -1"], &around(b"abcdef", b"", &plain)), Ok(wanted.clone()));
    assert_eq!(read(&["encoding: gzip"], &around(b"", &[0; 9], &gzip)), Ok(wanted.clone()));
    assert_eq!(read(&["encoding: gzip", "line skip: 1"], &around(b"P5\n", b"", &gzip)), Ok(wanted.clone()));
    let inner = |slice: &[u8]| forge::gzip(&[b"abc", slice].concat());
    assert_eq!(read(&["encoding: gzip", "byte skip: 3"], &around(b"", b"", &inner)), Ok(wanted.clone()));
    let text: Vec<Vec<u8>> = counting()
        .chunks(6)
        .map(|own| own.iter().map(f64::to_string).collect::<Vec<_>>().join(" ").into_bytes())
        .collect();
    assert_eq!(read(&["encoding: text"], &text), Ok(wanted.clone()));
    let (found, notes) = read(&[], &around(b"", b"\0\0", &plain)).unwrap();
    assert_eq!(found, wanted.0);
    assert!(notes[0].contains("goes on after its voxels"), "{notes:?}");
    let mut uneven = slices.clone();
    let moved = uneven[0].split_off(10);
    uneven[1].extend(moved);
    assert_eq!(
        read(&[], &uneven).unwrap_err().to_string(),
        "s.raw: the voxels end after 10 bytes, the header promises 12"
    );
    let told = read(&[], &slices[..3]).map(|_| ()).unwrap_err().to_string();
    assert!(told.contains("the voxels end after 12 bytes"), "{told}");
}

/// nibabel 5 has the same affine with and without the sign; SimpleITK 2.5 mirrors the axis.
#[test]
fn an_axis_whose_pixdim_is_below_0_lies_as_its_affine_says_and_is_told() {
    for (qform, sform) in [(1, 0), (0, 1), (0, 0)] {
        let mut file = Nifti::new(SHAPE, Element::U8, &counting(), false);
        file.i16(252, qform).i16(254, sform);
        for (at, part) in [(280, 0.5), (300, 0.75), (320, 3.0)] {
            file.f32(at, part);
        }
        let straight = image(&file.bytes).unwrap().volume.geometry().clone();
        file.f32(80, -0.5);
        let (found, notes) =
            read::image_as_stored(Source { bytes: &file.bytes, data: None }, &Limits::default()).unwrap();
        assert_eq!(found.volume.geometry(), &straight, "qform {qform}, sform {sform}");
        assert!(notes[0].contains("pixdim[1] below 0"), "{notes:?}");
    }
}

#[test]
fn a_header_beyond_the_limit_is_told_as_such() {
    let long = [b"NRRD0004\ntype: short\n#".to_vec(), vec![b'x'; 17 << 20]].concat();
    let told = image(&long).unwrap_err().to_string();
    assert!(told.contains("more than 16 MB"), "{told}");
}
