//! DICOM series, contours and segmentations: against real series, small files made here, and hostile ones.

use std::fs;
use std::path::Path;

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use osteon_radiomics::grid::{Element, Geometry};
use osteon_radiomics::read::dicom::{
    Acquisition, Contrast, DicomError, Instance, Scan, Wanted, contours, deviations, diffusivity, list, scan, scan_of,
    segmentation, segments, structures, unlikely_unit,
};
use osteon_radiomics::read::{Label, Limits, Source, Uneven, check_pair, image, mask};
use proptest::prelude::*;

use crate::dicom_files::{self, CANARY, Slice, decimals, deflated, enhanced, nested, number, rle, structure_set, text};
use osteon_testing::{fixture, shared};

const IMAGES: &str = "reference/radiomics/images/sts_mr_t1";

fn read_folder(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let named = |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (named(path), fs::read(path).unwrap())).collect()
}

fn instances(files: &[(String, Vec<u8>)]) -> Vec<Instance<'_>> {
    files.iter().map(|(name, bytes)| Instance { name: name.clone(), bytes }).collect()
}

fn instance(bytes: &[u8]) -> Instance<'_> {
    Instance { name: "file.dcm".to_owned(), bytes }
}

fn source(bytes: &[u8]) -> Source<'_> {
    Source { bytes, data: None }
}

fn scan_slices(slices: &[Slice], wanted: Option<&str>) -> Result<Scan, DicomError> {
    let files: Vec<_> = slices.iter().enumerate().map(|(n, slice)| (format!("{n}.dcm"), slice.bytes())).collect();
    scan(&instances(&files), wanted, &Limits::default())
}

fn stack() -> Vec<Slice> {
    [10.0, 0.0, 15.0, 5.0].map(Slice::at).to_vec()
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn a_real_series_and_its_contours_equal_their_nifti_copies() {
    for patient in ["STS_008", "STS_025"] {
        let Some(root) = shared(&format!("{IMAGES}/{patient}")) else { return };
        let files = read_folder(&root.join("dicom/image"));
        let dicom = scan(&instances(&files), None, &Limits::default()).unwrap().image;
        let nifti = image(source(&fs::read(root.join("MR_T1_image.nii.gz")).unwrap()), &Limits::default()).unwrap();
        assert_eq!(check_pair(nifti.volume.geometry(), dicom.volume.geometry()), Ok(()));
        assert_eq!(dicom.volume.as_slice(), nifti.volume.as_slice(), "{patient}: voxels");
        let files = read_folder(&root.join("dicom/mask"));
        let drawn = &instances(&files)[0];
        assert_eq!(structures(drawn, &Limits::default()).unwrap(), ["GTV_Mass_MR_T1"]);
        let ours = contours(drawn, Some("GTV_Mass_MR_T1"), dicom.volume.geometry(), &Limits::default()).unwrap();
        let bytes = fs::read(root.join("MR_T1_mask.nii.gz")).unwrap();
        let theirs = mask(source(&bytes), Label::AnyNonZero, &Limits::default()).unwrap();
        // Not one voxel differs: Dice 1.
        assert_eq!(ours.as_slice(), theirs.as_slice(), "{patient}: mask");
    }
}

#[test]
fn slices_in_any_order_become_one_volume() {
    let found = scan_slices(&stack(), None).unwrap();
    let geometry = found.image.volume.geometry();
    assert_eq!(geometry.shape, [4, 2, 3]);
    assert_eq!(geometry.spacing_mm, [5.0, 0.5, 0.75]);
    assert_eq!(geometry.origin_mm, [-10.0, 20.0, 0.0]);
    let firsts: Vec<f64> = (0..4).map(|z| found.image.volume.cells()[[z, 0, 0]]).collect();
    assert_eq!(firsts, [0.0, 50.0, 100.0, 150.0]);
    assert_eq!(found.image.element, Element::U16);
    assert_eq!(found.acquisition.repetition_time_ms, Some(2000.0));
    assert_eq!(found.acquisition.fat_suppressed, Some(true));
}

#[test]
fn an_oblique_stack_keeps_its_axes_and_rescales_its_values() {
    let (c, s) = (0.8, 0.6);
    let tilted = |step: f64| Slice {
        orientation: [1.0, 0.0, 0.0, 0.0, c, s],
        position_mm: [0.0, -s * step, c * step],
        slope: 0.5,
        intercept: -3.0,
        ..Slice::at(step)
    };
    let found = scan_slices(&[tilted(0.0), tilted(4.0)], None).unwrap();
    let geometry = found.image.volume.geometry();
    assert!((geometry.spacing_mm[0] - 4.0).abs() < 1e-12);
    assert!((geometry.axes[0][1] + s).abs() < 1e-12 && (geometry.axes[1][2] - s).abs() < 1e-12);
    assert_eq!(found.image.volume.cells()[[0, 0, 1]], -2.5);
    assert_eq!(found.image.element, Element::F64);
}

#[test]
fn every_transfer_syntax_gives_the_same_voxels() {
    let expected = scan_slices(&stack(), None).unwrap();
    // Explicit big endian is retired, and still sent.
    for syntax in [uids::IMPLICIT_VR_LITTLE_ENDIAN, "1.2.840.10008.1.2.2"] {
        let slices: Vec<Slice> = stack().into_iter().map(|slice| Slice { transfer_syntax: syntax, ..slice }).collect();
        assert_eq!(scan_slices(&slices, None).unwrap(), expected, "{syntax}");
    }
    let files: Vec<_> = stack().iter().enumerate().map(|(n, slice)| (n.to_string(), rle(slice))).collect();
    assert_eq!(scan(&instances(&files), None, &Limits::default()).unwrap(), expected, "RLE");
    let files: Vec<_> =
        stack().iter().enumerate().map(|(n, slice)| (n.to_string(), deflated(&slice.bytes(), 0))).collect();
    assert_eq!(scan(&instances(&files), None, &Limits::default()).unwrap(), expected, "deflated");
}

#[test]
fn compressed_slices_decode_to_the_plain_one() {
    let read = |name: &str| {
        let bytes = fs::read(fixture(&format!("dicom/{name}.dcm"))).unwrap();
        scan(&[instance(&bytes)], None, &Limits::default()).unwrap().image.volume.into_cells()
    };
    let plain = read("plain");
    for name in ["jpeg2000", "jpeg_lossless", "rle"] {
        assert_eq!(read(name), plain, "{name}");
    }
}

#[test]
fn an_enhanced_image_is_read_frame_by_frame() {
    let found = scan(&[instance(&enhanced(&stack()))], None, &Limits::default()).unwrap();
    assert_eq!(found.image.volume.geometry().shape, [4, 2, 3]);
    assert_eq!(found.image.volume.cells()[[1, 0, 0]], 50.0 * 2.0 - 1.0);
}

#[test]
fn what_is_no_even_stack_is_refused_with_positions_and_names() {
    type Change = fn(&mut Vec<Slice>);
    let refused = |change: Change| {
        let mut slices = stack();
        change(&mut slices);
        scan_slices(&slices, None).expect_err("refused").to_string()
    };
    let cases: [(Change, &str); 11] = [
        (|s| s.push(Slice::at(5.0)), "two slices lie at 5.000 mm and nothing tells them apart: 3.dcm and 4.dcm"),
        (|s| s[3].position_mm[2] = 6.0, "uneven slices"),
        (
            |s| s.push(Slice::at(25.0)),
            "10.0000 mm between 2.dcm at 15.0000 mm and 4.dcm at 25.0000 mm, 5.0000 mm between most",
        ),
        (|s| s[1].orientation = [0.0, 1.0, 0.0, 0.0, 0.0, 1.0], "mixes orientations"),
        (|s| s[1].spacing_mm = [0.5, 0.5], "mixes pixel spacings"),
        (|s| s[1].position_mm[0] = 3.0, "sheared"),
        (|s| s[0].more = vec![text(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\M\\MOSAIC")], "0.dcm: a mosaic"),
        (
            |s| {
                let tiles = number(dicom_core::Tag(0x0019, 0x100a), 16);
                s[0].more = vec![text(tags::MANUFACTURER, VR::LO, "SIEMENS"), tiles];
            },
            "0.dcm: a mosaic",
        ),
        (|s| s[1].pixels.truncate(4), "1.dcm: the voxels take 8 bytes, expected 12"),
        (|s| s[1].more = vec![number(tags::BITS_STORED, 0)], "BitsStored"),
        (|s| s[1].more = vec![number(tags::SAMPLES_PER_PIXEL, 3)], "gray levels, not colors"),
    ];
    for (change, expected) in cases {
        let message = refused(change);
        assert!(message.contains(expected), "{message:?} lacks {expected:?}");
    }
}

/// The values of `Slice::at` grow by 10 a millimetre, so linear interpolation has them exactly.
#[test]
fn uneven_slices_are_resampled_where_that_is_accepted() {
    let slices = [0.0, 5.0, 10.0, 20.0, 25.0, 31.0].map(Slice::at);
    let files: Vec<_> = slices.iter().enumerate().map(|(n, slice)| (format!("{n}.dcm"), slice.bytes())).collect();
    let found = scan_of(&instances(&files), Wanted::Only, Uneven::Resample, &Limits::default()).unwrap();
    let volume = &found.image.volume;
    assert_eq!((volume.geometry().shape, volume.geometry().spacing_mm[0]), ([7, 2, 3], 5.0));
    let first: Vec<f64> = (0..7).map(|z| volume.cells()[[z, 0, 0]]).collect();
    assert_eq!(first, [0.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0]);
    assert!(
        found.notes[0].contains("7 slices 5.0000 mm apart from 6 stored ones, 2 of them interpolated"),
        "{:?}",
        found.notes
    );
    let even = scan_of(&instances(&files[..3]), Wanted::Only, Uneven::Resample, &Limits::default()).unwrap();
    assert!(even.notes.is_empty() && even.image.element == Element::U16);
    // 15 mm has no slice; 31 mm is no hole.
    assert_eq!((found.missing_slices, even.missing_slices), (1, 0));
}

/// Gaps that grow by a percent each lie within two percent of the usual one, their sum does not.
#[test]
fn slices_that_drift_from_the_even_grid_are_refused_or_resampled() {
    let heights: Vec<f64> = (0..21).map(f64::from).map(|at| 2.41 * at + 0.004 * at * (at - 1.0)).collect();
    let slice = |&z: &f64| Slice { pixels: vec![(100.0 * z) as u16; 6], ..Slice::at(z) };
    let files: Vec<_> =
        heights.iter().enumerate().map(|(n, z)| (format!("{n}.dcm"), slice(z).bytes())).collect::<Vec<_>>();
    let read = |uneven| scan_of(&instances(&files), Wanted::Only, uneven, &Limits::default());
    let told = read(Uneven::Refuse).unwrap_err().to_string();
    assert!(told.contains("distances go from 2.4100 to 2.5620 mm, 10.dcm at 24.4600 mm is expected at"), "{told}");
    assert!(told.contains("--uneven resample"), "{told}");
    let found = read(Uneven::Resample).unwrap();
    let gap = heights[20] / 20.0;
    let geometry = found.image.volume.geometry();
    assert!(geometry.shape[0] == 21 && (geometry.spacing_mm[0] - gap).abs() < 1e-9, "{geometry:?}");
    // Values are a hundred times the height: interpolated ones as well.
    assert!((found.image.volume.cells()[[10, 0, 0]] - 1000.0 * gap).abs() < 1.5);
    assert!(found.notes[0].contains("uneven slices were resampled"), "{:?}", found.notes);
    assert_eq!(found.missing_slices, 0);
}

#[test]
fn a_file_that_was_cut_short_says_so() {
    let whole = Slice::at(0.0).bytes();
    let told = scan(&[instance(&whole[..whole.len() - 5])], None, &Limits::default()).unwrap_err().to_string();
    assert!(told.contains("the file was cut short: fetch it again"), "{told}");
}

fn numbered(z_mm: f64, at: i32) -> Slice {
    Slice { more: vec![text(tags::INSTANCE_NUMBER, VR::IS, &at.to_string())], ..Slice::at(z_mm) }
}

#[test]
fn slices_whose_numbers_go_up_by_two_lack_every_other_one() {
    let every_second = [0.0, 10.0, 20.0, 30.0].map(|z| numbered(z, 1 + (z / 5.0) as i32));
    let found = scan_slices(&every_second, None).unwrap();
    assert_eq!(found.missing_slices, 3);
    assert!(found.notes[0].contains("no file has the 3 numbers"), "{:?}", found.notes);
    let all = [0.0, 5.0, 10.0, 15.0].map(|z| numbered(z, 1 + (z / 5.0) as i32));
    assert_eq!(scan_slices(&all, None).unwrap().missing_slices, 0);
    // Files that say how far apart slices are were never closer.
    let stated = every_second.clone().map(|mut slice| {
        slice.more.push(decimals(tags::SPACING_BETWEEN_SLICES, &[10.0]));
        slice
    });
    assert_eq!(scan_slices(&stated, None).unwrap().missing_slices, 0);
    // Numbers of another echo in between are no holes.
    let echo = |slice: Slice, ms: f64| {
        let mut slice = slice;
        slice.more.push(decimals(tags::ECHO_TIME, &[ms]));
        slice
    };
    let first = [0.0, 5.0, 10.0].map(|z| echo(numbered(z, 1 + (z / 2.5) as i32), 10.0));
    let second = [0.0, 5.0, 10.0].map(|z| echo(numbered(z, 2 + (z / 2.5) as i32), 80.0));
    let both = [first, second].concat();
    let found = scan_slices(&both, Some("echo time 80")).unwrap();
    assert_eq!((found.missing_slices, found.image.volume.geometry().shape[0]), (0, 3));
}

#[test]
fn an_instance_that_was_stored_twice_under_other_headers_is_read_once() {
    let uid = |z_mm: f64| text(tags::SOP_INSTANCE_UID, VR::UI, &format!("1.2.3.4.{z_mm}"));
    let slice = |z_mm| Slice { more: vec![uid(z_mm)], ..Slice::at(z_mm) };
    let mut again = slice(5.0);
    again.more.push(text(tags::INSTITUTION_NAME, VR::LO, "elsewhere"));
    again.transfer_syntax = uids::IMPLICIT_VR_LITTLE_ENDIAN;
    let found = scan_slices(&[slice(0.0), slice(5.0), slice(10.0), again.clone()], None).unwrap();
    assert_eq!(found.image.volume.geometry().shape[0], 3);
    assert!(found.notes[0].contains("1 files of the series are stored twice"), "{:?}", found.notes);
    again.pixels[0] += 1;
    assert!(matches!(scan_slices(&[slice(0.0), slice(5.0), again], None), Err(DicomError::Duplicate { .. })));
}

#[test]
fn images_of_one_series_are_told_apart_by_private_b_values_times_kernels_or_else_by_their_numbers() {
    type Fact = fn(usize) -> Vec<dicom_core::DataElement<dicom_object::InMemDicomObject>>;
    let cases: [(Fact, &str); 5] = [
        (
            |n| vec![text(dicom_core::Tag(0x0043, 0x1039), VR::IS, ["0\\8\\0\\0", "1000000800\\8\\0\\0"][n])],
            "b-value 800",
        ),
        (|n| vec![text(tags::CONTENT_TIME, VR::TM, ["100000", "100100"][n])], "content time 100100"),
        (|n| vec![text(tags::SEQUENCE_NAME, VR::SH, ["fl2d", "tir2d"][n])], "sequence tir2d"),
        (|n| vec![text(tags::CONVOLUTION_KERNEL, VR::SH, ["B30", "B70"][n])], "kernel B70"),
        (|_| Vec::new(), "pass 2 of 2 by instance numbers"),
    ];
    for (fact, told) in cases {
        let slice = |at: usize| {
            let mut slice = numbered([0.0, 5.0, 10.0][at % 3], at as i32);
            slice.pixels[0] = at as u16;
            slice.more.extend(fact(at / 3));
            slice
        };
        let slices: Vec<Slice> = (0..6).map(slice).collect();
        let refused = scan_slices(&slices, None).unwrap_err().to_string();
        assert!(refused.contains("2 series") && refused.contains(told), "{told}: {refused}");
        let found = scan_slices(&slices, Some("2")).unwrap().image.volume;
        let first: Vec<f64> = (0..3).map(|z| found.cells()[[z, 0, 0]]).collect();
        assert_eq!(first, [3.0, 4.0, 5.0], "{told}");
    }
}

#[test]
fn inverted_grey_levels_are_read_as_stored_and_said() {
    let inverted =
        |z| Slice { more: vec![text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME1")], ..Slice::at(z) };
    let found = scan_slices(&[inverted(0.0), inverted(5.0)], None).unwrap();
    assert_eq!(found.image, scan_slices(&[Slice::at(0.0), Slice::at(5.0)], None).unwrap().image);
    assert!(found.notes[0].contains("MONOCHROME1"), "{:?}", found.notes);
    let mixed = scan_slices(&[inverted(0.0), Slice::at(5.0)], None).unwrap_err().to_string();
    assert!(mixed.contains("mixes photometric interpretations"), "{mixed}");
}

/// What writers get wrong, and every other reader reads: zeros behind the voxels, another syntax than stated, no meta
/// group in big-endian order.
#[test]
fn what_other_readers_forgive_is_read() {
    let expected = scan_slices(&[Slice::at(0.0)], None).unwrap().image;
    let plain = Slice::at(0.0).bytes();
    let read = |bytes: &[u8]| scan(&[instance(bytes)], None, &Limits::default()).map(|found| found.image);
    let length = u32::from_le_bytes(plain[140..144].try_into().unwrap()) as usize;
    let set = 144 + length;
    assert_eq!(read(&plain[set..]).as_ref(), Ok(&expected), "no meta group");
    assert_eq!(read(&[&b"DICM"[..], &plain[132..]].concat()).as_ref(), Ok(&expected), "no preamble");
    let mut padded = Slice::at(0.0);
    padded.pixels.extend([0; 64]);
    assert_eq!(read(&padded.bytes()).as_ref(), Ok(&expected), "padding");
    let implicit = Slice { transfer_syntax: uids::IMPLICIT_VR_LITTLE_ENDIAN, ..Slice::at(0.0) }.bytes();
    let own = 144 + u32::from_le_bytes(implicit[140..144].try_into().unwrap()) as usize;
    assert_eq!(
        read(&[&plain[..set], &implicit[own..]].concat()).as_ref(),
        Ok(&expected),
        "implicit, stated as explicit"
    );
    assert_eq!(
        read(&[&implicit[..own], &plain[set..]].concat()).as_ref(),
        Ok(&expected),
        "explicit, stated as implicit"
    );
    let big = Slice { transfer_syntax: "1.2.840.10008.1.2.2", ..Slice::at(0.0) }.bytes();
    let own = 144 + u32::from_le_bytes(big[140..144].try_into().unwrap()) as usize;
    assert_eq!(read(&big[own..]).as_ref(), Ok(&expected), "big endian without a meta group");
    let mut lengthless = plain.clone();
    lengthless[140..144].copy_from_slice(&[0; 4]);
    assert_eq!(read(&lengthless).as_ref(), Ok(&expected), "group length 0");
}

#[test]
fn several_series_are_listed_and_picked() {
    let scout = || Slice { series: "1.2.9", description: "scout", ..Slice::at(0.0) };
    let slices = [scout(), Slice::at(0.0), Slice::at(5.0)];
    let message = scan_slices(&slices, None).expect_err("two series").to_string();
    assert!(message.contains("1 1.2.9 MR \"scout\", 3 x 2, 1 files") && message.contains("2 1.2.3.4"), "{message}");
    for wanted in ["2", "T2 FS", "1.2.3.4"] {
        assert_eq!(scan_slices(&slices, Some(wanted)).unwrap().image.volume.geometry().shape, [2, 2, 3]);
    }
    assert!(matches!(scan_slices(&slices, Some("T1")), Err(DicomError::UnknownSeries { .. })));
    assert!(matches!(scan(&[instance(b"no image")], None, &Limits::default()), Err(DicomError::NoSeries { files: 1 })));
}

/// A grid of 1 mm voxels, 8 x 8 x 2.
fn grid() -> Geometry {
    Geometry::upright([2, 8, 8], [3.0, 1.0, 1.0])
}

fn square(z: f64, from: f64, to: f64) -> [[f64; 3]; 4] {
    [[from, from, z], [to, from, z], [to, to, z], [from, to, z]]
}

fn filled(structures: &[(&str, &[&[[f64; 3]]])], wanted: Option<&str>) -> Result<usize, DicomError> {
    let bytes = structure_set(structures);
    contours(&instance(&bytes), wanted, &grid(), &Limits::default()).map(|mask| mask.count())
}

#[test]
fn contours_are_filled_by_the_even_odd_rule() {
    let outer = square(3.0, 0.5, 6.5);
    let hole = square(3.0, 2.5, 4.5);
    assert_eq!(filled(&[("tumour", &[&outer])], None), Ok(36));
    assert_eq!(filled(&[("tumour", &[&outer, &hole])], Some("tumour")), Ok(32), "an inner contour");
    let islands = [square(0.0, 0.5, 1.5), square(3.0, 4.5, 6.5)];
    assert_eq!(filled(&[("tumour", &[&islands[0], &islands[1]])], None), Ok(1 + 4), "two polygons");
    let keyhole: Vec<[f64; 3]> =
        [&outer[..], &outer[..1], &[hole[0], hole[3], hole[2], hole[1], hole[0]], &outer[..1]].concat();
    assert_eq!(filled(&[("tumour", &[&keyhole])], None), Ok(32), "a keyhole");
}

#[test]
fn structures_are_picked_by_name_and_must_lie_on_the_image() {
    let drawn = square(3.0, 0.5, 6.5);
    let two = [("tumour", &[&drawn[..]][..]), ("oedema", &[&drawn[..]][..])];
    assert_eq!(filled(&two, None).unwrap_err().to_string(), "several structures, one has to be named: tumour, oedema");
    assert_eq!(filled(&two, Some("bone")).unwrap_err().to_string(), "no structure bone; there are: tumour, oedema");
    let between = square(1.5, 0.5, 6.5);
    assert!(matches!(filled(&[("tumour", &[&between])], None), Err(DicomError::OffSlice { .. })));
    let outside = square(300.0, 0.5, 6.5);
    assert!(matches!(filled(&[("tumour", &[&outside])], None), Err(DicomError::EmptyStructure { .. })));
}

#[test]
fn a_segmentation_is_laid_on_its_image() {
    let image = scan_slices(&stack(), None).unwrap().image;
    let tumour = [true, false, false, false, true, true];
    let at = |z: f64| [-10.0, 20.0, z];
    let bytes = dicom_files::segmentation(&[(1, at(5.0), tumour), (2, at(5.0), [true; 6]), (1, at(10.0), [true; 6])]);
    assert_eq!(segments(&instance(&bytes), &Limits::default()).unwrap(), ["tumour", "oedema"]);
    let read = |wanted| segmentation(&instance(&bytes), wanted, image.volume.geometry(), &Limits::default());
    let found = read(Some("tumour")).unwrap();
    assert_eq!(found.count(), 9);
    assert!(found.cells()[[1, 0, 0]] && !found.cells()[[1, 0, 1]] && found.cells()[[2, 0, 1]]);
    assert!(matches!(read(None), Err(DicomError::SeveralStructures(_))));
    let beside = dicom_files::segmentation(&[(1, [-10.2, 20.0, 5.0], tumour)]);
    let off = segmentation(&instance(&beside), Some("tumour"), image.volume.geometry(), &Limits::default());
    assert!(matches!(off, Err(DicomError::Grid { .. })));
}

#[test]
fn deviations_from_the_acquisition_are_told_with_both_values() {
    let found = scan_slices(&stack(), None).unwrap().acquisition;
    let mut expected = osteon_radiomics::read::dicom::Params {
        repetition_time_ms: 2000.0,
        echo_time_ms: 90.0,
        slice_thickness_mm: 5.0,
        field_strength_t: 1.5,
        fat_suppressed: true,
        tolerance: 0.1,
        modality: "MR".to_owned(),
        contrast: Contrast::Any,
        b_value: 0.0,
        unit: String::new(),
    };
    assert_eq!(deviations(&found, &expected), Vec::<String>::new());
    expected.echo_time_ms = 60.0;
    assert_eq!(deviations(&found, &expected), ["echo time 90 ms, expected 60 ms"]);
    let other = osteon_radiomics::read::dicom::Params {
        echo_time_ms: 90.0,
        modality: "CT".to_owned(),
        contrast: Contrast::With,
        b_value: 800.0,
        unit: "1e-6 mm2/s".to_owned(),
        ..expected
    };
    let told = ["b-value not stated, expected 800 s/mm2", "modality MR, expected CT", "no contrast agent is named"];
    assert_eq!(deviations(&found, &other), told);
}

#[test]
fn a_diffusion_map_is_known_by_its_unit_or_its_values() {
    for (unit, factor) in [("1e-6 mm2/s", 1e-6), ("10*-6.mm2/s", 1e-6), ("um2/s", 1e-6), ("mm\u{b2}/s", 1.0)] {
        assert!(diffusivity(unit).is_some_and(|it| (it / factor - 1.0).abs() < 1e-12), "{unit}");
    }
    assert_eq!(diffusivity("HU"), None);
    let found = |unit: &str| Acquisition { unit: Some(unit.to_owned()), ..Acquisition::default() };
    let expected = osteon_radiomics::read::dicom::Params {
        repetition_time_ms: 0.0,
        echo_time_ms: 0.0,
        slice_thickness_mm: 0.0,
        field_strength_t: 0.0,
        fat_suppressed: false,
        tolerance: 0.1,
        modality: String::new(),
        contrast: Contrast::Without,
        b_value: 0.0,
        unit: "1e-6 mm2/s".to_owned(),
    };
    assert_eq!(deviations(&found("um2/s"), &expected), Vec::<String>::new());
    assert_eq!(deviations(&found("10*-3.mm2/s"), &expected), ["values in 10*-3.mm2/s, expected 1e-6 mm2/s"]);
    let scaled = Acquisition { scale: Some(2.5), contrast: Some(true), ..Acquisition::default() };
    let told = deviations(&scaled, &expected);
    assert!(told[0].starts_with("a contrast agent was given") && told[1].contains("2.5 times"), "{told:?}");
    assert_eq!(unlikely_unit(1100.0, "1e-6 mm2/s"), None);
    let told = unlikely_unit(1.1, "1e-6 mm2/s").unwrap();
    assert!(told.ends_with("no diffusion of water in 1e-6 mm2/s; it would be one in 1e-3 mm2/s"), "{told}");
}

#[test]
fn nothing_of_the_patient_comes_out() {
    let found = scan_slices(&stack(), None).unwrap();
    assert!(!format!("{:?}", found.acquisition).contains(CANARY));
    let mut slices = stack();
    slices[2].position_mm[2] = 17.0;
    slices[2].series = "1.2.3.4";
    let error = scan_slices(&slices, None).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(CANARY));
    let bytes = Slice::at(0.0).bytes();
    let listed = list(&[instance(&bytes)], &Limits::default()).unwrap();
    assert!(!format!("{listed:?} {}", listed[0]).contains(CANARY));
}

#[test]
fn hostile_files_are_refused_within_the_limit() {
    let small = Limits { max_bytes: 1 << 20 };
    let read = |bytes: &[u8]| scan(&[instance(bytes)], None, &small).expect_err("refused");
    assert!(matches!(read(&nested(10_000)), DicomError::Nested { .. } | DicomError::Syntax { .. }));
    assert!(matches!(read(&deflated(&Slice::at(0.0).bytes(), 64)), DicomError::TooLarge { .. }));
    let mut wide = Slice::at(0.0);
    (wide.rows, wide.columns) = (65535, 65535);
    assert!(matches!(read(&wide.bytes()), DicomError::TooLarge { .. }));
    let whole = Slice::at(0.0).bytes();
    let told = read(&dicom_files::claiming_meta(&whole)).to_string();
    assert!(told.contains("a field of 3221225472 bytes in "), "{told}");
    for end in (0..whole.len()).step_by(17) {
        assert!(scan(&[instance(&whole[..end])], None, &small).is_err(), "the first {end} bytes pass");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_change_of_bytes_makes_the_readers_panic(at in 132usize..900, byte: u8, which in 0usize..4) {
        let bytes = [
            Slice::at(0.0).bytes(),
            structure_set(&[("tumour", &[&square(3.0, 0.5, 6.5)])]),
            dicom_files::segmentation(&[(1, [-10.0, 20.0, 5.0], [true; 6])]),
            rle(&Slice::at(0.0)),
        ];
        let mut bytes = bytes[which].clone();
        let at = at % bytes.len();
        bytes[at] = byte;
        let limits = Limits { max_bytes: 1 << 24 };
        let _ = scan(&[instance(&bytes)], None, &limits);
        let _ = contours(&instance(&bytes), None, &grid(), &limits);
        let _ = segmentation(&instance(&bytes), None, &grid(), &limits);
    }
}

type Elements = Vec<dicom_core::DataElement<dicom_object::InMemDicomObject>>;

/// Slice `at` of image `which`; instance numbers change their order on every second slice.
fn crossed(at: usize, which: usize, facts: Elements) -> Slice {
    let number = 2 * at + if at.is_multiple_of(2) { which } else { 1 - which };
    let mut slice = numbered(5.0 * at as f64, number as i32);
    slice.pixels[0] = (10 * which + at) as u16;
    slice.more.extend(facts);
    slice
}

#[test]
fn whatever_tells_two_images_of_one_series_apart_counts_before_their_numbers() {
    type Fact = fn(usize) -> Elements;
    let cases: [(Fact, &str); 13] = [
        (|n| vec![text(tags::ECHO_NUMBERS, VR::IS, ["1", "2"][n])], "echo number 2"),
        (|n| vec![text(tags::REPETITION_TIME, VR::DS, ["500", "2000"][n])], "repetition time 2000"),
        (|n| vec![text(tags::CONTRAST_BOLUS_AGENT, VR::LO, ["none", "Gd"][n])], "contrast agent Gd"),
        (|n| [vec![], vec![text(tags::CONTRAST_BOLUS_AGENT, VR::LO, "Gd")]][n].clone(), "contrast agent Gd"),
        (|n| vec![text(tags::SERIES_NUMBER, VR::IS, ["3", "4"][n])], "series number 4"),
        (|n| vec![text(tags::COMPLEX_IMAGE_COMPONENT, VR::CS, ["MAGNITUDE", "PHASE"][n])], "component PHASE"),
        (|n| vec![text(tags::FRAME_REFERENCE_TIME, VR::DS, ["0", "60000"][n])], "frame reference time 60000"),
        (
            |n| {
                let along = [[1.0, 0.0, 0.0], [0.0, 0.6, 0.8]][n].to_vec();
                let value = dicom_core::value::PrimitiveValue::F64(along.into());
                vec![dicom_core::DataElement::new(tags::DIFFUSION_GRADIENT_ORIENTATION, VR::FD, value)]
            },
            "gradient orientation 0\\0.6\\0.8",
        ),
        (
            |n| {
                let value = dicom_core::value::PrimitiveValue::F64(vec![[10.0, 75.0][n]].into());
                vec![dicom_core::DataElement::new(tags::NOMINAL_PERCENTAGE_OF_CARDIAC_PHASE, VR::FD, value)]
            },
            "cardiac phase 75",
        ),
        (|n| vec![text(tags::KVP, VR::DS, ["80", "140"][n])], "tube voltage 140"),
        (|n| vec![text(tags::SLICE_THICKNESS, VR::DS, ["2", "5.5"][n])], "thickness 5.5"),
        (|n| vec![text(tags::PATIENT_ID, VR::LO, ["AAA", "BBB"][n])], "patient 2 of 2"),
        (|n| vec![text(tags::FRAME_OF_REFERENCE_UID, VR::UI, ["1.2.1", "1.2.2"][n])], "frame of reference 1.2.2"),
    ];
    for (fact, told) in cases {
        let slices: Vec<Slice> =
            (0..8).map(|k| (k / 2, k % 2)).map(|(at, which)| crossed(at, which, fact(which))).collect();
        let refused = scan_slices(&slices, None).unwrap_err().to_string();
        assert!(refused.contains("2 series") && refused.contains(told), "{told}: {refused}");
        assert!(!refused.contains("pass") && !refused.contains("BBB"), "{told}: {refused}");
        let found = scan_slices(&slices, Some(told)).unwrap();
        let first: Vec<f64> = (0..4).map(|z| found.image.volume.cells()[[z, 0, 0]]).collect();
        assert_eq!(first, [10.0, 11.0, 12.0, 13.0], "{told}");
        // One of the second image's slices is lost: the first is whole.
        let found = scan_slices(&slices[..7], Some("1")).unwrap();
        assert_eq!(found.image.volume.geometry().shape[0], 4, "{told}");
    }
}

#[test]
fn echo_times_that_differ_by_rounding_from_slice_to_slice_are_one() {
    let echo = |at: usize, which: usize| {
        let ms = [20.0, 80.0][which] + 0.001 * at as f64;
        crossed(at, which, vec![decimals(tags::ECHO_TIME, &[ms])])
    };
    let slices: Vec<Slice> = (0..8).map(|k| echo(k / 2, k % 2)).collect();
    let refused = scan_slices(&slices, None).unwrap_err().to_string();
    assert!(refused.contains("echo time 20 to 20.003") && refused.contains("echo time 80 to 80.003"), "{refused}");
    let found = scan_slices(&slices, Some("2")).unwrap();
    assert_eq!((0..4).map(|z| found.image.volume.cells()[[z, 0, 0]]).collect::<Vec<_>>(), [10.0, 11.0, 12.0, 13.0]);
    let one: Vec<Slice> = (0..4).map(|at| echo(at, 0)).collect();
    assert!(scan_slices(&one, None).unwrap().notes.is_empty());
}

#[test]
fn instance_numbers_without_a_clear_order_tell_no_images_apart() {
    let at_number = |at: usize, number: i32| numbered(5.0 * at as f64, number);
    let slices = |numbers: [i32; 6]| -> Vec<Slice> {
        numbers.into_iter().enumerate().map(|(k, number)| at_number(k / 2, number)).collect()
    };
    // Slice by slice from either end, and pass by pass.
    for clear in [[1, 2, 3, 4, 5, 6], [5, 6, 3, 4, 1, 2], [1, 4, 2, 5, 3, 6]] {
        assert!(matches!(scan_slices(&slices(clear), None), Err(DicomError::SeveralSeries(_))), "{clear:?}");
    }
    for unclear in [[1, 2, 5, 6, 3, 4], [1, 3, 2, 6, 4, 5]] {
        assert!(matches!(scan_slices(&slices(unclear), None), Err(DicomError::Duplicate { .. })), "{unclear:?}");
    }
}

#[test]
fn a_stack_of_two_contrasts_patients_or_frames_is_no_image_and_of_two_angles_is_said() {
    let stack = |facts: &dyn Fn(usize) -> Elements| -> Vec<Slice> {
        (0..4).map(|at| Slice { more: facts(at), ..Slice::at(5.0 * at as f64) }).collect()
    };
    let type_of = |at: usize| ["ORIGINAL\\PRIMARY\\M\\ND", "ORIGINAL\\PRIMARY\\P\\ND"][at];
    type Facts<'a> = &'a dyn Fn(usize) -> Elements;
    let mixed: [(Facts, &str); 6] = [
        (&|at| vec![text(tags::ECHO_TIME, VR::DS, ["20", "80"][at / 2])], "echo time 80"),
        (&|at| vec![text(tags::ECHO_TIME, VR::DS, ["20", "80"][at % 2])], "echo time 80"),
        (&|at| vec![text(tags::ECHO_NUMBERS, VR::IS, ["1", "2"][at / 2])], "echo number 2"),
        (&|at| vec![text(tags::IMAGE_TYPE, VR::CS, type_of(at / 2))], "component P"),
        (&|at| vec![text(tags::PATIENT_ID, VR::LO, ["AAA", "BBB"][at / 2])], "patient 2 of 2"),
        (
            &|at| vec![text(tags::FRAME_OF_REFERENCE_UID, VR::UI, ["1.2.1", "1.2.2"][at / 2])],
            "frame of reference 1.2.2",
        ),
    ];
    for (facts, told) in mixed {
        let refused = scan_slices(&stack(facts), None).unwrap_err().to_string();
        assert!(refused.contains("2 series") && refused.contains(told), "{told}: {refused}");
        assert!(!refused.contains("BBB"), "{refused}");
    }
    let angles = scan_slices(&stack(&|at| vec![text(tags::FLIP_ANGLE, VR::DS, ["10", "12"][at / 2])]), None).unwrap();
    assert_eq!(angles.notes, ["flip angle differs between the slices: 10 in 2, 12 in 2"]);
    // One frame of reference a slice is what some programs that take out names leave.
    let frames = |at: usize| vec![text(tags::FRAME_OF_REFERENCE_UID, VR::UI, &format!("1.2.{at}"))];
    let slices: Vec<Slice> = (0..6).map(|at| Slice { more: frames(at), ..Slice::at(5.0 * at as f64) }).collect();
    let notes = scan_slices(&slices, None).unwrap().notes;
    assert_eq!(notes, ["frame of reference differs between the slices: 6 different ones"]);
}

#[test]
fn a_table_of_intensities_is_said_and_a_file_without_voxels_is_told_as_such() {
    let table = dicom_files::sequence(tags::MODALITY_LUT_SEQUENCE, vec![vec![number(tags::BITS_STORED, 16)]]);
    let with = |z: f64| Slice { more: vec![table.clone()], ..Slice::at(z) };
    let notes = scan_slices(&[with(0.0), with(5.0)], None).unwrap().notes;
    assert!(notes[0].contains("Modality LUT Sequence") && notes[0].contains("not applied"), "{notes:?}");
    let without = |more: Elements| {
        let mut elements = Slice::at(5.0).elements();
        elements.retain(|element| dicom_core::header::Header::tag(element) != tags::PIXEL_DATA);
        elements.extend(more);
        let files = [
            ("0.dcm".to_owned(), Slice::at(0.0).bytes()),
            ("1.dcm".to_owned(), dicom_files::file(elements, uids::EXPLICIT_VR_LITTLE_ENDIAN)),
        ];
        scan(&instances(&files), None, &Limits::default()).unwrap_err().to_string()
    };
    let told = without(Vec::new());
    assert!(told.contains("1.dcm: no Pixel Data") && told.contains("fetch the file again"), "{told}");
    let floats = dicom_core::value::PrimitiveValue::F32(vec![0.0; 6].into());
    let told = without(vec![dicom_core::DataElement::new(tags::FLOAT_PIXEL_DATA, VR::OF, floats)]);
    assert!(told.contains("Float Pixel Data"), "{told}");
}
