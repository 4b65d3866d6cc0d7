//! Contours and segmentations: which one is picked, whether it belongs to the image, what leaves the image; and hostile
//! ones.

use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use osteon_radiomics::grid::Geometry;
use osteon_radiomics::read::dicom::{DicomError, Draw, Identity, Instance, On, Which, region};
use osteon_radiomics::read::{Cut, Fractional, Limits, OtherFrame, Params, Region, Resample};
use proptest::prelude::*;

use crate::dicom_files::{decimals, file, number, segmentation, sequence, structure_set, text};

type Element = DataElement<InMemDicomObject>;

/// The grid of `dicom_files::Slice`s at 0, 5 and 10 mm.
fn grid() -> Geometry {
    Geometry { origin_mm: [-10.0, 20.0, 0.0], ..Geometry::upright([3, 2, 3], [5.0, 0.5, 0.75]) }
}

fn drawn(bytes: &[u8], which: Which, params: Params, identity: Option<&Identity>) -> Result<Region, DicomError> {
    let instance = Instance { name: "drawing.dcm".to_owned(), bytes };
    let geometry = grid();
    region(&instance, &Draw { which, params }, On { geometry: &geometry, identity }, &Limits::default())
}

fn plain(bytes: &[u8], which: Which) -> Result<Region, DicomError> {
    drawn(bytes, which, Params::default(), None)
}

/// A segmentation of eight-bit frames on the grid: kind, largest fractional value, frames (segment, z, pixels).
fn bytes_of(kind: &str, largest: u16, frames: &[(u16, f64, [u8; 6])], more: Vec<Element>) -> Vec<u8> {
    let bits: Vec<(u16, [f64; 3], [bool; 6])> =
        frames.iter().map(|(segment, z, _)| (*segment, [-10.0, 20.0, *z], [false; 6])).collect();
    let object = dicom_object::from_reader(&segmentation(&bits)[..]).unwrap();
    let pixels: Vec<u8> = frames.iter().flat_map(|frame| frame.2).collect();
    let changed = [
        text(tags::SEGMENTATION_TYPE, VR::CS, kind),
        number(tags::MAXIMUM_FRACTIONAL_VALUE, largest),
        number(tags::BITS_ALLOCATED, 8),
        DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(pixels.into())),
    ];
    let mut whole = object.into_inner();
    changed.into_iter().chain(more).for_each(|element| drop(whole.put(element)));
    file(whole.into_iter().collect(), uids::EXPLICIT_VR_LITTLE_ENDIAN)
}

#[test]
fn half_a_voxel_and_more_of_a_fractional_segmentation_is_inside() {
    let bytes = bytes_of("FRACTIONAL", 200, &[(1, 5.0, [0, 1, 99, 100, 101, 200])], vec![]);
    let found = plain(&bytes, Which::Number(1)).unwrap();
    assert_eq!(found.mask.count(), 3);
    assert_eq!(found.reading.fractional, Some(Fractional { half: 3, above_zero: 5 }));
    let whole = bytes_of("FRACTIONAL", 255, &[(1, 5.0, [0, 0, 255, 255, 0, 255])], vec![]);
    assert_eq!(plain(&whole, Which::Number(1)).unwrap().reading.fractional, None);
}

#[test]
fn a_label_map_holds_the_numbers_of_its_segments() {
    let bytes = bytes_of("LABELMAP", 1, &[(0, 5.0, [0, 1, 2, 2, 2, 1])], vec![]);
    let count = |which| plain(&bytes, which).map(|found| found.mask.count());
    assert_eq!((count(Which::Name("tumour")), count(Which::Number(2)), count(Which::All)), (Ok(2), Ok(3), Ok(5)));
    assert!(matches!(count(Which::Only), Err(DicomError::SeveralStructures(_))));
    assert!(matches!(count(Which::Number(7)), Err(DicomError::NoStructure { .. })));
}

#[test]
fn another_frame_of_reference_is_refused_unless_it_is_accepted_and_another_series_is_said() {
    let series =
        sequence(tags::REFERENCED_SERIES_SEQUENCE, vec![vec![text(tags::SERIES_INSTANCE_UID, VR::UI, "1.2.3.4")]]);
    let frame = text(tags::FRAME_OF_REFERENCE_UID, VR::UI, "1.2.9");
    let bytes = bytes_of("FRACTIONAL", 1, &[(1, 5.0, [1; 6])], vec![series, frame]);
    let image = |series_uid: &str, frame_of_reference: &str| Identity {
        series_uid: series_uid.to_owned(),
        frame_of_reference: frame_of_reference.to_owned(),
        ..Identity::default()
    };
    let read = |params, identity: &Identity| drawn(&bytes, Which::Number(1), params, Some(identity));
    let notes = |found: Region| found.reading.notes.join("; ");
    assert_eq!(notes(read(Params::default(), &image("1.2.3.4", "1.2.9")).unwrap()), "");
    assert!(notes(read(Params::default(), &image("1.2.3.5", "1.2.9")).unwrap()).contains("on another series"));
    let other = image("1.2.3.4", "1.2.8");
    assert!(matches!(read(Params::default(), &other), Err(DicomError::OtherFrame { .. })));
    let accepted = Params { other_frame: OtherFrame::Accept, ..Params::default() };
    assert!(notes(read(accepted, &other).unwrap()).contains("as accepted"));
}

#[test]
fn what_leaves_the_image_is_refused_with_its_count_or_kept_as_a_share() {
    let bytes = bytes_of("FRACTIONAL", 1, &[(1, 10.0, [1; 6]), (1, 15.0, [1, 1, 0, 0, 0, 0])], vec![]);
    let told = plain(&bytes, Which::Number(1)).unwrap_err().to_string();
    assert_eq!(told, "2 of 8 voxels of tumour lie outside the image");
    let accepted = Params { cut: Cut::Accept, ..Params::default() };
    let found = drawn(&bytes, Which::Number(1), accepted, None).unwrap();
    assert_eq!((found.mask.count(), found.reading.cut_share), (6, 0.25));
}

#[test]
fn a_name_that_occurs_twice_is_picked_by_its_number() {
    let square = |z: f64| [[-10.2, 19.9, z], [-9.0, 19.9, z], [-9.0, 20.2, z], [-10.2, 20.2, z]];
    let (low, high) = (square(0.0), square(5.0));
    let bytes = structure_set(&[("GTV", &[&low]), ("GTV", &[&low, &high])]);
    let told = plain(&bytes, Which::Name("GTV")).unwrap_err().to_string();
    assert!(told.contains("2 structures are named GTV"), "{told}");
    let count = |n| plain(&bytes, Which::Number(n)).map(|found| found.mask.count());
    assert_eq!((count(0), count(1)), (Ok(2), Ok(4)));
}

#[test]
fn contours_between_slices_are_taken_to_the_nearest_and_gaps_are_noticed() {
    let square = |z: f64| [[-10.2, 19.9, z], [-9.0, 19.9, z], [-9.0, 20.2, z], [-10.2, 20.2, z]];
    let read = |heights: &[f64]| {
        let rings: Vec<_> = heights.iter().map(|&z| square(z)).collect();
        let contours: Vec<&[[f64; 3]]> = rings.iter().map(|ring| &ring[..]).collect();
        plain(&structure_set(&[("GTV", &contours)]), Which::Only)
    };
    let found = read(&[1.0, 6.0]).unwrap();
    assert_eq!(found.mask.count(), 4);
    assert!(found.reading.notes[0].contains("2 contours of GTV lie up to 0.200 slices off"), "{:?}", found.reading);
    assert!(read(&[0.0, 10.0]).unwrap().reading.notes[0].contains("2 of the 3 slices"));
    assert!(matches!(read(&[2.5]), Err(DicomError::OffSlice { .. })));
    // Drawn on twice as many planes as the image has slices: each slice has the contours of its own plane.
    let twice = read(&[0.0, 2.4, 5.0, 7.4]).unwrap();
    assert_eq!(twice.mask.count(), 4);
    assert!(twice.reading.notes.iter().any(|note| note.contains("between the image's slices")), "{:?}", twice.reading);
}

/// Fields of a segmentation, and what a hostile writer would put there.
fn hostile(which: usize, value: usize) -> Element {
    const TAGS: [Tag; 12] = [
        tags::ROWS,
        tags::COLUMNS,
        tags::BITS_ALLOCATED,
        tags::NUMBER_OF_FRAMES,
        tags::SEGMENTATION_TYPE,
        tags::MAXIMUM_FRACTIONAL_VALUE,
        tags::SEGMENT_SEQUENCE,
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        tags::PIXEL_DATA,
        tags::FRAME_OF_REFERENCE_UID,
        tags::REFERENCED_SERIES_SEQUENCE,
    ];
    let numbers = [0u16, 1, 2, 3, 7, 255, 256, 32767, 65535];
    let words = ["", "BINARY", "FRACTIONAL", "LABELMAP", "99999999999", "-1", "1e38\\1e38\\1e38", "nan", "\u{1b}[2J"];
    let decimals = ["1e38\\0\\0", "-1e38\\1\\1", "nan\\nan\\nan", "0\\0\\0", "1e-320\\1\\1", "-10\\20\\5", "1\\0"];
    let place = |at: usize| vec![text(tags::IMAGE_POSITION_PATIENT, VR::DS, decimals[at % decimals.len()])];
    let frame = |at: usize| {
        let spacing = vec![text(tags::PIXEL_SPACING, VR::DS, ["0\\0", "1e38\\1e38", "0.5\\0.75", "-1\\1"][at % 4])];
        let turned = ["1\\0\\0\\0\\1\\0", "0\\0\\0\\0\\0\\0", "0\\1\\0\\1\\0\\0", "-1\\0\\0\\0\\1\\0"][at / 4 % 4];
        vec![
            sequence(tags::PLANE_POSITION_SEQUENCE, vec![place(at)]),
            sequence(tags::PIXEL_MEASURES_SEQUENCE, vec![spacing]),
            sequence(
                tags::PLANE_ORIENTATION_SEQUENCE,
                vec![vec![text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, turned)]],
            ),
            sequence(
                tags::SEGMENT_IDENTIFICATION_SEQUENCE,
                vec![vec![number(tags::REFERENCED_SEGMENT_NUMBER, (at % 3) as u16)]],
            ),
        ]
    };
    let tag = TAGS[which % TAGS.len()];
    match which % TAGS.len() {
        0..=2 | 5 => number(tag, numbers[value % numbers.len()]),
        6 => sequence(tag, vec![vec![number(tags::SEGMENT_NUMBER, numbers[value % 9])]; value % 3]),
        7 => sequence(tag, (0..value % 5).map(|at| frame(value + at)).collect()),
        8 => sequence(tag, vec![frame(value); value % 2]),
        9 => DataElement::new(tag, VR::OB, PrimitiveValue::U8(vec![value as u8; value % 40 * 2].into())),
        11 => sequence(tag, vec![vec![text(tags::SERIES_INSTANCE_UID, VR::UI, "1")]; value % 4]),
        _ => text(tag, VR::LO, words[value % words.len()]),
    }
}

fn cases() -> u32 {
    if std::env::var_os("OSTEON_SWEEP").is_some() { 20_000 } else { 300 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    /// Structure-aware: whole fields of a valid segmentation change, and a few bytes of the file.
    #[test]
    fn no_segmentation_makes_the_reader_panic_or_take_more_than_its_limit(
        changes in prop::collection::vec((0usize..12, 0usize..64), 1..5),
        bytes in prop::collection::vec((132usize..1200, any::<u8>()), 0..3),
        kind in 0usize..3,
        label in -1i64..4,
    ) {
        let kinds = ["BINARY", "FRACTIONAL", "LABELMAP"];
        let more = changes.into_iter().map(|(which, value)| hostile(which, value)).collect();
        let mut whole = bytes_of(kinds[kind], 200, &[(1, 5.0, [0, 1, 2, 100, 150, 200]), (2, 10.0, [1; 6])], more);
        for (at, byte) in bytes {
            let at = at % whole.len();
            whole[at] = byte;
        }
        let which = if label < 0 { Which::All } else { Which::Number(label) };
        let instance = Instance { name: "file.dcm".to_owned(), bytes: &whole };
        let geometry = grid();
        let draw = Draw { which, params: Params { cut: Cut::Accept, ..Params::default() } };
        if let Err(cause) = region(&instance, &draw, On::grid(&geometry), &Limits { max_bytes: 1 << 24 }) {
            prop_assert!(!cause.to_string().contains('\u{1b}'), "{}", cause);
        }
    }
}

#[test]
fn a_structure_is_found_by_its_name_but_for_capital_letters_where_only_one_fits() {
    let square = |z: f64| [[-10.2, 19.9, z], [-9.0, 19.9, z], [-9.0, 20.2, z], [-10.2, 20.2, z]];
    let (low, high) = (square(0.0), square(5.0));
    let bytes = structure_set(&[("GTV", &[&low]), ("gtv ln", &[&low, &high]), ("CTV", &[&low]), ("ctv", &[&high])]);
    let found = plain(&bytes, Which::Name("gtv")).unwrap();
    assert_eq!(found.mask.count(), 2);
    assert!(found.reading.notes.iter().any(|note| note.contains("gtv is taken for GTV")), "{:?}", found.reading);
    assert!(plain(&bytes, Which::Name("ctv")).unwrap().reading.notes.is_empty());
    assert!(matches!(plain(&bytes, Which::Name("Ctv")), Err(DicomError::StructureTwice { .. })));
    let segments = bytes_of("FRACTIONAL", 1, &[(1, 5.0, [1; 6])], vec![]);
    assert_eq!(plain(&segments, Which::Name("TUMOUR")).unwrap().mask.count(), 6);
}

/// Pixels of twice the image's width on slices of 10 mm: each covers two columns, and the slices at 0 and 10 mm.
#[test]
fn a_segmentation_of_another_grid_is_resampled_where_that_is_asked_for() {
    let spacing = vec![decimals(tags::PIXEL_SPACING, &[0.5, 1.5]), decimals(tags::SLICE_THICKNESS, &[10.0])];
    let shared = vec![
        sequence(tags::PIXEL_MEASURES_SEQUENCE, vec![spacing]),
        sequence(
            tags::PLANE_ORIENTATION_SEQUENCE,
            vec![vec![decimals(tags::IMAGE_ORIENTATION_PATIENT, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0])]],
        ),
    ];
    let shared = sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]);
    let frames = [(1, 0.0, [1, 0, 0, 0, 1, 0]), (1, 10.0, [1, 0, 0, 0, 0, 0])];
    let bytes = bytes_of("FRACTIONAL", 1, &frames, vec![shared]);
    assert!(matches!(plain(&bytes, Which::Number(1)), Err(DicomError::Grid { .. })));
    let nearest = Params { resample: Resample::Nearest, ..Params::default() };
    let found = drawn(&bytes, Which::Number(1), nearest, None).unwrap();
    // SimpleITK 2.5.7, nearest neighbor: columns 0, 1 and 2 lie at 0, 0.5 and 1 of a pixel, 5 mm halfway between slices;
    // halves round up.
    let at: Vec<[usize; 3]> =
        found.mask.cells().indexed_iter().filter(|(_, inside)| **inside).map(|((z, y, x), _)| [z, y, x]).collect();
    assert_eq!(at, [[0, 0, 0], [0, 1, 1], [0, 1, 2], [1, 0, 0], [2, 0, 0]]);
    assert!(found.reading.resampled.is_some());
}

#[test]
fn slices_that_a_drawing_names_and_the_image_lacks_are_counted() {
    let instance = |uid: &str| vec![text(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, uid)];
    let named = sequence(tags::REFERENCED_INSTANCE_SEQUENCE, ["1.1", "1.2", "1.3", "1.4"].map(instance).to_vec());
    let series = sequence(
        tags::REFERENCED_SERIES_SEQUENCE,
        vec![vec![text(tags::SERIES_INSTANCE_UID, VR::UI, "1.2.3.4"), named]],
    );
    let bytes = bytes_of("FRACTIONAL", 1, &[(1, 5.0, [1; 6])], vec![series]);
    let read = |uids: &[&str]| {
        let instances = uids.iter().map(|uid| (*uid).to_owned()).collect();
        let identity = Identity { series_uid: "1.2.3.4".to_owned(), instances, ..Identity::default() };
        drawn(&bytes, Which::Number(1), Params::default(), Some(&identity)).unwrap().reading
    };
    let lacking = read(&["1.1", "1.2", "9"]);
    assert_eq!(lacking.missing_slices, Some(2));
    assert!(lacking.notes[0].contains("names 4 slices of its series, 2 of them are not"), "{lacking:?}");
    assert_eq!(read(&["1.1", "1.2", "1.3", "1.4", "1.5"]).missing_slices, None);
    assert_eq!(read(&[]).missing_slices, None);
}

#[test]
fn structures_without_a_name_have_their_number_and_the_same_line_twice_is_one() {
    let square = |z: f64| [[-10.2, 19.9, z], [-9.0, 19.9, z], [-9.0, 20.2, z], [-10.2, 20.2, z]];
    let bytes = structure_set(&[("", &[&square(0.0)])]);
    assert_eq!(plain(&bytes, Which::Only).unwrap().mask.count(), 2);
    assert_eq!(plain(&bytes, Which::Name("unnamed 0")).unwrap().mask.count(), 2);
    let whole = dicom_object::from_reader(&structure_set(&[("GTV", &[&square(0.0)])])[..]).unwrap().into_inner();
    let line = || vec![text(tags::ROI_NUMBER, VR::IS, "0"), text(tags::ROI_NAME, VR::LO, "GTV")];
    let mut twice = whole.clone();
    twice.put(sequence(tags::STRUCTURE_SET_ROI_SEQUENCE, vec![line(), line()]));
    let twice = file(twice.into_iter().collect(), uids::IMPLICIT_VR_LITTLE_ENDIAN);
    assert_eq!(plain(&twice, Which::Only).unwrap().mask.count(), 2);
}

/// A structure set of one structure, GTV, of contours of a type.
fn contoured(contours: &[(&str, &[f64])], more: &[Element]) -> Vec<u8> {
    let contour = |(kind, points): &(&str, &[f64])| {
        let own = [text(tags::CONTOUR_GEOMETRIC_TYPE, VR::CS, kind), decimals(tags::CONTOUR_DATA, points)];
        own.into_iter().chain(more.to_vec()).collect()
    };
    let mut whole = dicom_object::from_reader(&structure_set(&[("GTV", &[])])[..]).unwrap().into_inner();
    let drawn = vec![
        sequence(tags::CONTOUR_SEQUENCE, contours.iter().map(contour).collect()),
        text(tags::REFERENCED_ROI_NUMBER, VR::IS, "0"),
    ];
    whole.put(sequence(tags::ROI_CONTOUR_SEQUENCE, vec![drawn]));
    file(whole.into_iter().collect(), uids::IMPLICIT_VR_LITTLE_ENDIAN)
}

#[test]
fn contours_that_enclose_no_area_are_counted_and_damaged_ones_say_so() {
    let square = [-10.2, 19.9, 5.0, -9.0, 19.9, 5.0, -9.0, 20.2, 5.0, -10.2, 20.2, 5.0];
    let open = ("OPEN_PLANAR", &square[..]);
    let contours = [("CLOSED_PLANAR", &square[..]), open, ("POINT", &square[..3]), ("CLOSED_PLANAR", &square[..6])];
    let found = plain(&contoured(&contours, &[]), Which::Only).unwrap();
    assert_eq!(found.mask.count(), 2);
    let told = "left out of GTV: 3 contours without an area, 1 of OPEN_PLANAR, 1 of POINT, 1 of one or two points";
    assert_eq!(found.reading.notes, [told]);
    let told = plain(&contoured(&[open], &[]), Which::Only).unwrap_err().to_string();
    assert!(told.contains("points and open contours alone: GTV; close them"), "{told}");
    let told = plain(&contoured(&[("CLOSED_PLANAR", &square[..11])], &[]), Which::Only).unwrap_err().to_string();
    assert!(told.contains("ContourData is 11 numbers") && told.contains("the file is damaged"), "{told}");
    let offset = [decimals(Tag(0x3006, 0x0045), &[0.0, 0.0, 1.2])];
    let found = plain(&contoured(&contours[..1], &offset), Which::Only).unwrap();
    assert!(found.reading.notes[0].contains("was not applied to 1 contour of GTV"), "{:?}", found.reading);
}

#[test]
fn frames_of_one_place_are_taken_once_or_refused_where_they_differ() {
    let frame = |pixels| (1, 5.0, pixels);
    let first = [0, 1, 1, 0, 0, 1];
    let frames = [frame(first), frame(first), (2, 5.0, [1; 6]), (1, 10.0, [1; 6])];
    let found = plain(&bytes_of("FRACTIONAL", 1, &frames, vec![]), Which::Number(1)).unwrap();
    assert_eq!((found.mask.count(), found.reading.fractional), (9, None));
    assert_eq!(found.reading.notes, ["1 frame of the segmentation is stored twice and was taken once"]);
    for other in [[0, 1, 0, 0, 0, 1], [0; 6]] {
        let bytes = bytes_of("BINARY", 1, &[(1, 10.0, [1; 6]), frame(first), frame(other)], vec![]);
        let told = plain(&bytes, Which::Number(1)).unwrap_err().to_string();
        assert!(told.contains("frames 2 and 3 are of one segment at one place and differ"), "{told}");
    }
}

#[test]
fn parts_above_the_stated_largest_value_are_refused_with_their_count() {
    let bytes = bytes_of("FRACTIONAL", 50, &[(1, 5.0, [0, 25, 50, 51, 100, 10])], vec![]);
    let told = plain(&bytes, Which::Number(1)).unwrap_err().to_string();
    assert!(told.contains("MaximumFractionalValue is 50, and 2 voxels have more, up to 100"), "{told}");
}

/// A segmentation whose frames say how far apart its slices are, and how thick.
fn of_slices(frames: &[(u16, f64, [u8; 6])], distance_mm: Option<f64>, thickness_mm: Option<f64>) -> Vec<u8> {
    let mut measures = vec![decimals(tags::PIXEL_SPACING, &[0.5, 0.75])];
    measures.extend(distance_mm.map(|mm| decimals(tags::SPACING_BETWEEN_SLICES, &[mm])));
    measures.extend(thickness_mm.map(|mm| decimals(tags::SLICE_THICKNESS, &[mm])));
    let turned = vec![decimals(tags::IMAGE_ORIENTATION_PATIENT, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0])];
    let shared = vec![
        sequence(tags::PIXEL_MEASURES_SEQUENCE, vec![measures]),
        sequence(tags::PLANE_ORIENTATION_SEQUENCE, vec![turned]),
    ];
    let shared = sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]);
    bytes_of("FRACTIONAL", 1, frames, vec![shared])
}

/// Counts by slice under nearest neighbours, from SimpleITK 2.5: `Resample(mask, image, Transform(), sitkNearestNeighbor)`
/// of two slices 10 mm apart, or one of 10 mm, on slices 5 mm apart.
#[test]
fn a_segmentation_of_thicker_slices_is_refused_or_resampled_as_itk_does() {
    let nearest = Params { resample: Resample::Nearest, cut: Cut::Accept, ..Params::default() };
    let by_slice = |found: &Region| -> Vec<usize> {
        (0..3).map(|z| found.mask.cells().index_axis(ndarray::Axis(0), z).iter().filter(|&&it| it).count()).collect()
    };
    let (full, empty) = ([1; 6], [0; 6]);
    let low: &[(u16, f64, [u8; 6])] = &[(1, 0.0, full), (1, 10.0, empty)];
    let high: &[(u16, f64, [u8; 6])] = &[(1, 0.0, empty), (1, 10.0, full)];
    let middle: &[(u16, f64, [u8; 6])] = &[(1, 5.0, full)];
    for stated in [(Some(10.0), Some(10.0)), (Some(10.0), None), (None, Some(10.0))] {
        for (frames, expected) in [(low, [6, 0, 0]), (high, [0, 6, 6]), (middle, [6, 6, 0])] {
            let bytes = of_slices(frames, stated.0, stated.1);
            let told = plain(&bytes, Which::Number(1)).unwrap_err().to_string();
            assert!(told.contains("slices are 10.0000 mm apart, the image's 5.0000 mm"), "{stated:?}: {told}");
            let found = drawn(&bytes, Which::Number(1), nearest, None).unwrap();
            assert_eq!(by_slice(&found), expected, "{stated:?}");
            assert!(found.reading.resampled.is_some(), "{stated:?}");
        }
    }
    // A thin frame of a finer segmentation on one of the image's slices.
    assert!(plain(&of_slices(middle, Some(1.0), Some(1.0)), Which::Number(1)).is_err());
}

#[test]
fn a_segmentation_on_the_images_own_slices_is_taken_whatever_its_header_says() {
    let sound = |bytes: &[u8], identity: Option<&Identity>| {
        let found = drawn(bytes, Which::Number(1), Params::default(), identity).unwrap();
        (found.mask.count(), found.reading.notes)
    };
    let full = [1; 6];
    // Neighbours on the image; a thickness without the gap between slices; nothing said at all.
    let both: &[(u16, f64, [u8; 6])] = &[(1, 0.0, full), (1, 5.0, full)];
    assert_eq!(sound(&of_slices(both, Some(10.0), Some(10.0)), None), (12, vec![]));
    assert_eq!(sound(&of_slices(&both[..1], None, Some(4.0)), None), (6, vec![]));
    assert_eq!(sound(&of_slices(&both[..1], None, None), None), (6, vec![]));
    // Slices of the image that overlap.
    let overlapping = Identity { slice_thickness_mm: Some(10.0), ..Identity::default() };
    assert_eq!(sound(&of_slices(&both[1..], None, Some(10.0)), Some(&overlapping)), (6, vec![]));
    let outer: &[(u16, f64, [u8; 6])] = &[(1, 0.0, full), (1, 10.0, full)];
    let (n, notes) = sound(&of_slices(outer, Some(5.0), Some(5.0)), None);
    assert_eq!(n, 12);
    assert!(notes[0].contains("frames for 2 of the 3 slices from its first to its last"), "{notes:?}");
}

#[test]
fn a_segment_without_voxels_is_told_as_such_and_the_only_filled_one_needs_no_name() {
    let below = bytes_of("FRACTIONAL", 255, &[(1, 5.0, [0, 1, 1, 0, 0, 1])], vec![]);
    let told = plain(&below, Which::Number(1)).unwrap_err().to_string();
    assert_eq!(
        told,
        "no voxel of tumour reaches a half of MaximumFractionalValue 255: 3 voxels above 0, the highest 1"
    );
    let empty = bytes_of("FRACTIONAL", 1, &[(1, 5.0, [0; 6]), (2, 5.0, [1; 6])], vec![]);
    let told = plain(&empty, Which::Number(1)).unwrap_err().to_string();
    assert_eq!(told, "tumour has no voxel in any frame of the segmentation");
    let found = plain(&empty, Which::Only).unwrap();
    assert_eq!((found.mask.count(), found.reading.picked.as_str()), (6, "oedema"));
}

#[test]
fn contours_fill_an_image_whose_axes_are_in_another_order() {
    let square = |z: f64| [[-10.2, 19.9, z], [-9.0, 19.9, z], [-9.0, 20.2, z], [-10.2, 20.2, z]];
    let (low, high) = (square(0.0), square(5.0));
    let bytes = structure_set(&[("GTV", &[&low, &high])]);
    let straight = plain(&bytes, Which::Only).unwrap();
    let grid = grid();
    for order in [[2, 1, 0], [1, 0, 2], [1, 2, 0]] {
        let geometry = Geometry {
            shape: order.map(|k| grid.shape[k]),
            origin_mm: grid.origin_mm,
            spacing_mm: order.map(|k| grid.spacing_mm[k]),
            axes: order.map(|k| grid.axes[k]),
        };
        let instance = Instance { name: "drawing.dcm".to_owned(), bytes: &bytes };
        let found = region(&instance, &Draw::default(), On::grid(&geometry), &Limits::default()).unwrap();
        assert_eq!(found.mask.geometry(), &geometry);
        let expected = straight.mask.cells().clone().permuted_axes(order);
        assert_eq!(found.mask.cells(), &expected, "{order:?}");
        assert_eq!(found.reading.moved, "axes in another order");
    }
    let none = structure_set(&[("GTV", &[]), ("CTV", &[&low])]);
    let told = plain(&none, Which::Name("GTV")).unwrap_err().to_string();
    assert!(told.contains("GTV with a closed contour: the file names it without one; there are: CTV"), "{told}");
}

#[test]
fn a_message_of_thousands_of_names_stays_short() {
    let square = [[-10.2, 19.9, 0.0], [-9.0, 19.9, 0.0], [-9.0, 20.2, 0.0], [-10.2, 20.2, 0.0]];
    let contours: &[&[[f64; 3]]] = &[&square];
    let structures: Vec<(&str, &[&[[f64; 3]]])> = (0..3000).map(|_| ("S", contours)).collect();
    let told = plain(&structure_set(&structures), Which::Only).unwrap_err().to_string();
    assert!(told.len() < 1000 && told.contains("and 2968 more"), "{}", told.len());
}
