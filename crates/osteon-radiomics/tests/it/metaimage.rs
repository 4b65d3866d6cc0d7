//! MetaImage, as ITK-SNAP and SimpleITK write it: headers, voxels, and what is refused.

use osteon_radiomics::grid::{Element, Image};
use osteon_radiomics::read::{Limits, ReadError, Source, header, image};

use crate::metaimage_files::{compressed, file, voxels, whole};

fn read(bytes: &[u8]) -> Result<Image, ReadError> {
    image(Source { bytes, data: None }, &Limits::default())
}

#[test]
fn voxels_follow_their_header_plain_or_compressed() {
    let plain = read(&whole()).unwrap();
    let geometry = plain.volume.geometry();
    assert_eq!(geometry.shape, [2, 2, 3]);
    assert_eq!(geometry.spacing_mm, [3.0, 0.75, 0.5]);
    assert_eq!(geometry.origin_mm, [-10.0, 20.0, 30.0]);
    // The matrix holds one axis after the other, x first: ITK's direction, transposed.
    assert_eq!(geometry.axes, [[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    assert_eq!(plain.element, Element::I16);
    assert_eq!(plain.volume.as_slice()[..3], [-2.0, -1.0, 0.0]);
    assert_eq!(read(&compressed()).unwrap(), plain);
    let swapped: Vec<u8> = voxels().chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    assert_eq!(read(&file(&["BinaryDataByteOrderMSB = True"], "LOCAL", &swapped)).unwrap(), plain);
}

#[test]
fn a_header_alone_names_the_file_of_its_voxels() {
    let bytes = file(&[], "voxels.raw", &[]);
    assert_eq!(header(&bytes, &Limits::default()).unwrap().data_file.as_deref(), Some("voxels.raw"));
    let data = voxels();
    let found = image(Source { bytes: &bytes, data: Some(&data) }, &Limits::default()).unwrap();
    assert_eq!(found.volume.as_slice()[11], 9.0);
}

#[test]
fn a_header_that_promises_what_is_not_there_is_refused() {
    let check = |changes: &[&'static str], data: &str, expected: &str| {
        let message = read(&file(changes, data, &voxels())).expect_err(expected).to_string();
        assert!(message.contains(expected), "{message:?} lacks {expected:?}");
    };
    check(&["DimSize = 3 2 3"], "LOCAL", "the voxels end after 24 bytes");
    check(&["DimSize = 99999 99999 99999"], "LOCAL", "limit");
    check(&["DimSize = 3 0 2"], "LOCAL", "at least 1");
    check(&["ElementSpacing = 1 -1 1"], "LOCAL", "above 0");
    check(&["TransformMatrix = 1 1 0 0 1 0 0 0 1"], "LOCAL", "right angles");
    check(&["ElementType = MET_STRING"], "LOCAL", "ElementType");
    check(&["NDims = 4"], "LOCAL", "NDims = 4");
    check(&["CompressedData = True"], "LOCAL", "damaged");
    check(&[], "../other.raw", "its voxels in other.raw, which was not given");
    check(&[], "/etc/passwd", "its voxels in passwd, which was not given");
    check(&[], "LIST", "header's folder");
}

#[test]
fn voxels_may_be_text_or_lie_in_a_list_of_files() {
    let words =
        |data: &str| format!("Comment = Universit\u{e4}t\nNDims = 3\nDimSize = 2 1 3\nElementType = MET_SHORT\n{data}");
    let latin_1 = |text: String| text.chars().map(|letter| letter as u8).collect::<Vec<u8>>();
    let text = latin_1(words("BinaryData = False\nElementDataFile = LOCAL\n1 2 -3\n4 5 600\n"));
    let found = image(Source { bytes: &text, data: None }, &Limits::default()).unwrap();
    assert_eq!(found.volume.as_slice(), [1.0, 2.0, -3.0, 4.0, 5.0, 600.0]);
    let listed = ["LIST 2\na.raw\nb.raw\nsub/c.raw\n", "s%02d.raw 8 10 1\n"];
    let names = [["a.raw", "b.raw", "sub/c.raw"], ["s08.raw", "s09.raw", "s10.raw"]];
    for (list, names) in listed.into_iter().zip(names) {
        let found = header(&latin_1(words(&format!("ElementDataFile = {list}"))), &Limits::default()).unwrap();
        assert_eq!(found.data_file.as_deref(), Some(names[0]));
        assert_eq!(found.further_files, names[1..]);
    }
}

fn joined(header_bytes: &[u8], files: &[Vec<u8>]) -> Result<(Vec<f64>, Vec<String>), ReadError> {
    let named: Vec<(String, Vec<u8>)> =
        files.iter().enumerate().map(|(n, it)| (format!("{n}.raw"), it.clone())).collect();
    let data = header(header_bytes, &Limits::default())?.joined(&named)?;
    let source = Source { bytes: header_bytes, data: Some(&data) };
    let (image, notes) = osteon_radiomics::read::image_as_stored(source, &Limits::default())?;
    Ok((image.volume.as_slice().to_vec(), notes))
}

/// What MetaIO 5.4 (SimpleITK 2.5) reads of such files.
#[test]
fn what_stands_before_and_behind_the_voxels_of_each_file_of_a_list_is_passed_over() {
    let wanted: Vec<f64> = (-2..10).map(f64::from).collect();
    let slices: Vec<Vec<u8>> = voxels().chunks(12).map(<[u8]>::to_vec).collect();
    let around = |before: &[u8], behind: &[u8]| -> Vec<Vec<u8>> {
        slices.iter().map(|slice| [before, slice, behind].concat()).collect()
    };
    let with = |field: &str, data: &str| {
        let plain = String::from_utf8(file(&[], data, &[])).unwrap();
        plain.replacen("ElementDataFile", &format!("{field}ElementDataFile"), 1).into_bytes()
    };
    for data in ["LIST\n0.raw\n1.raw", "%d.raw 0 1 1"] {
        let read = |field: &str, files: &[Vec<u8>]| joined(&with(field, data), files).unwrap();
        assert_eq!(read("", &slices), (wanted.clone(), vec![]));
        assert_eq!(read("HeaderSize = 4\n", &around(b"abcd", b"")), (wanted.clone(), vec![]));
        assert_eq!(read("HeaderSize = -1\n", &around(b"abcdef", b"")), (wanted.clone(), vec![]));
        let (found, notes) = read("", &around(b"", b"\0\0"));
        assert_eq!(found, wanted);
        assert!(notes[0].contains("goes on after its voxels"), "{notes:?}");
        let short = [slices[0][..10].to_vec(), [&slices[1][..], b"\0\0"].concat()];
        let told = joined(&with("", data), &short).unwrap_err().to_string();
        assert_eq!(told, "0.raw: the voxels end after 10 bytes, the header promises 12");
        let zipped: Vec<Vec<u8>> = slices.iter().map(|slice| crate::metaimage_files::zlib(slice)).collect();
        let compressed = String::from_utf8(with("", data)).unwrap().replace("Data = False", "Data = True");
        assert_eq!(joined(compressed.as_bytes(), &zipped).unwrap().0, wanted);
    }
}

#[test]
fn a_fourth_axis_that_is_one_long_is_left_out() {
    let four =
        b"ObjectType = Image\nNDims = 4\nBinaryData = True\nTransformMatrix = 0 1 0 0 -1 0 0 0 0 0 1 0 0 0 0 1\n\
        Offset = -10 20 30 0\nElementSpacing = 0.5 0.75 3 1\nDimSize = 3 2 2 1\nElementType = MET_SHORT\n\
        ElementDataFile = LOCAL\n";
    assert_eq!(read(&[&four[..], &voxels()].concat()).unwrap(), read(&whole()).unwrap());
}
