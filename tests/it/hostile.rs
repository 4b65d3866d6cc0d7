//! Broken and hostile files are told, by name of what is wrong, and never end the program.

use osteon_radiomics::grid::Element;
use osteon_radiomics::read::{self, Label, Limits, ReadError, Source};
use proptest::prelude::*;

use crate::forge::{self, Nifti};

/// What the file is, its bytes, and what the message must say.
type Case = (&'static str, Vec<u8>, &'static str);

fn nifti(change: impl FnOnce(&mut Nifti)) -> Vec<u8> {
    let mut file = Nifti::new([2, 3, 4], Element::F32, &(0..24).map(f64::from).collect::<Vec<_>>(), false);
    change(&mut file);
    file.bytes
}

fn voxel(value: f64) -> Vec<u8> {
    let mut values = [1.0; 24];
    values[15] = value;
    Nifti::new([2, 3, 4], Element::F32, &values, true).bytes
}

fn nifti_2(change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = forge::nifti_2([2, 3, 4], &[1; 24]);
    change(&mut bytes);
    bytes
}

fn nrrd(lines: &[&str]) -> Vec<u8> {
    [forge::nrrd_header(lines).into_bytes(), vec![1; 48]].concat()
}

/// A gzip stream of a header that promises 24 voxels, and of 64 MiB.
fn bomb() -> Vec<u8> {
    let mut bytes = nifti(|_| ());
    bytes.resize(64 << 20, 0);
    forge::gzip(&bytes)
}

fn damaged(mut bytes: Vec<u8>, at_from_end: usize) -> Vec<u8> {
    let at = bytes.len() - at_from_end;
    bytes[at] ^= 0x55;
    bytes
}

fn nifti_cases() -> Vec<Case> {
    let sform = |file: &mut Nifti, parts: &[(usize, f32)]| {
        file.i16(252, 0).i16(254, 1);
        parts.iter().for_each(|&(at, part)| {
            file.f32(at, part);
        });
    };
    vec![
        ("nothing", vec![], "header ends after 0"),
        ("one byte", vec![0x5c], "header ends after 1"),
        ("a header cut short", nifti(|_| ())[..100].to_vec(), "header ends after 100"),
        ("a header alone", nifti(|_| ())[..348].to_vec(), "voxels end after 0 bytes, the header promises 96"),
        ("no voxels", nifti(|_| ())[..352].to_vec(), "voxels end after 0"),
        (
            "the last byte missing",
            nifti(|file| {
                file.bytes.pop();
            }),
            "voxels end after 95",
        ),
        ("another magic", nifti(|file| file.bytes[345] = b'i'), "keeps its voxels in .img"),
        ("no magic", nifti(|file| file.bytes[344..348].fill(0)), "magic"),
        (
            "another header size",
            nifti(|file| {
                file.i32(0, 349);
            }),
            "not an image",
        ),
        (
            "no dimensions",
            nifti(|file| {
                file.i16(40, 0);
            }),
            "dim is 0 dimensions",
        ),
        (
            "eight dimensions",
            nifti(|file| {
                file.i16(40, 8);
            }),
            "dim is 8 dimensions",
        ),
        (
            "two dimensions",
            nifti(|file| {
                file.i16(40, 2);
            }),
            "dim is 2 dimensions",
        ),
        (
            "a negative size",
            nifti(|file| {
                file.i16(42, -2);
            }),
            "dim is [-2.0",
        ),
        (
            "a size of 0",
            nifti(|file| {
                file.i16(46, 0);
            }),
            "expected sizes of at least 1",
        ),
        (
            "two volumes",
            nifti(|file| {
                file.i16(40, 4).i16(48, 2);
            }),
            "expected one volume",
        ),
        (
            "sizes whose product is beyond the limit",
            nifti(|file| {
                file.i16(42, i16::MAX).i16(44, i16::MAX).i16(46, i16::MAX);
            }),
            "the limit is 2147483648",
        ),
        (
            "colours",
            nifti(|file| {
                file.i16(70, 128);
            }),
            "datatype is RGB, expected one number a voxel",
        ),
        (
            "complex numbers",
            nifti(|file| {
                file.i16(70, 32);
            }),
            "datatype is 32",
        ),
        (
            "voxels inside the header",
            nifti(|file| {
                file.f32(108, 4.0);
            }),
            "vox_offset is 4",
        ),
        (
            "voxels inside the extension flags",
            nifti(|file| {
                file.f32(108, 351.0);
            }),
            "vox_offset is 351",
        ),
        (
            "voxels nowhere",
            nifti(|file| {
                file.f32(108, f32::NAN);
            }),
            "vox_offset is NaN",
        ),
        (
            "voxels before the file",
            nifti(|file| {
                file.f32(108, -352.0);
            }),
            "vox_offset is -352",
        ),
        (
            "voxels beyond the file",
            nifti(|file| {
                file.f32(108, 1e6);
            }),
            "voxels end after 0",
        ),
        (
            "voxels at an odd byte, one short",
            nifti(|file| {
                file.f32(108, 353.0);
            }),
            "voxels end after 95",
        ),
        (
            "voxels of no size",
            nifti(|file| {
                file.f32(80, 0.0);
            }),
            "expected a finite size above 0",
        ),
        (
            "voxels of a size that is no number",
            nifti(|file| {
                file.f32(84, f32::NAN);
            }),
            "pixdim",
        ),
        (
            "voxels without end",
            nifti(|file| {
                file.f32(88, f32::INFINITY);
            }),
            "pixdim",
        ),
        (
            "a quaternion that turns nothing",
            nifti(|file| {
                file.f32(256, 1.0).f32(260, 1.0);
            }),
            "quaternion is 1, 1, 0",
        ),
        (
            "a quaternion that is no number",
            nifti(|file| {
                file.f32(264, f32::NAN);
            }),
            "quaternion",
        ),
        ("an affine of zeros", nifti(|file| sform(file, &[])), "expected three finite axes"),
        (
            "a sheared affine",
            nifti(|file| sform(file, &[(280, 1.0), (284, 1.0), (300, 1.0), (320, 1.0)])),
            "right angles",
        ),
        (
            "an origin that is no number",
            nifti(|file| {
                file.f32(268, f32::NAN);
            }),
            "origin",
        ),
        ("a gzip stream cut short", forge::gzip(&nifti(|_| ()))[..60].to_vec(), "ends after"),
        ("a gzip header alone", forge::gzip(&nifti(|_| ()))[..10].to_vec(), "header ends after 0"),
        ("a wrong checksum", damaged(forge::gzip(&nifti(|_| ())), 6), "gzip"),
        ("gzip in gzip", forge::gzip(&forge::gzip(&nifti(|_| ()))), "not an image"),
        ("gzip of nothing", forge::gzip(&[]), "header ends after 0"),
        (
            "a gzip stream that promises 2 GB and holds none",
            forge::gzip(&nifti(|file| {
                file.i16(42, 1000).i16(44, 1000).i16(46, 260);
            })),
            "voxels end after 96",
        ),
        ("NIfTI-2 cut short", forge::nifti_2([2, 3, 4], &[])[..400].to_vec(), "header ends after 400"),
        ("NIfTI-2 with sizes that overflow", forge::nifti_2([1 << 40, 1 << 40, 1 << 40], &[]), "sizes of at least 1"),
        ("NIfTI-2 with a negative size", forge::nifti_2([-1, 3, 4], &[]), "sizes of at least 1"),
        ("NIfTI-2 with voxels far away", nifti_2(|bytes| bytes[175] = 0x7f), "vox_offset"),
        ("NIfTI-2 with NIfTI-1's magic", nifti_2(|bytes| bytes[6] = b'1'), "magic is"),
    ]
}

fn nrrd_cases() -> Vec<Case> {
    let raw = |text: &str| text.as_bytes().to_vec();
    vec![
        ("magic alone", raw("NRRD"), "empty line"),
        ("a header without end", raw(&format!("NRRD0004\n{}", "#".repeat(1 << 17))), "empty line"),
        ("an unknown version", raw("NRRD0009\n\n"), "magic is NRRD0009"),
        ("no fields", raw("NRRD0004\n\n"), "no dimension"),
        ("two dimensions", nrrd(&["dimension: 2"]), "dimension is 2"),
        ("four dimensions", nrrd(&["dimension: 4"]), "expected four whole numbers"),
        ("no sizes", nrrd(&["sizes: -"]), "no sizes"),
        ("two sizes", nrrd(&["sizes: 2 3"]), "sizes is [2, 3]"),
        ("a size of 0", nrrd(&["sizes: 2 0 4"]), "expected three whole numbers of at least 1"),
        ("a negative size", nrrd(&["sizes: 2 -3 4"]), "sizes is 2 -3 4"),
        ("sizes that overflow", nrrd(&["sizes: 2147483647 2147483647 2147483647"]), "the limit is"),
        ("a size beyond 64 bits", nrrd(&["sizes: 99999999999999999999 1 1"]), "sizes"),
        ("no type", nrrd(&["type: -"]), "no type"),
        ("blocks", nrrd(&["type: block"]), "type is block"),
        ("no encoding", nrrd(&["encoding: -"]), "no encoding"),
        (
            "an encoding that is not read",
            nrrd(&["encoding: zrl"]),
            "encoding is zrl, expected raw, gzip, bzip2, text or hex",
        ),
        ("no byte order", nrrd(&["endian: -"]), "no endian"),
        ("a byte order of its own", nrrd(&["endian: middle"]), "endian is middle"),
        ("no directions", nrrd(&["space directions: -"]), "no space directions"),
        ("two directions", nrrd(&["space directions: (1,0,0) (0,1,0)"]), "three vectors"),
        ("a direction of none", nrrd(&["space directions: none (0,1,0) (0,0,1)"]), "three vectors"),
        ("parallel directions", nrrd(&["space directions: (1,0,0) (1,0,0) (0,0,1)"]), "right angles"),
        ("a direction of 0", nrrd(&["space directions: (0,0,0) (0,1,0) (0,0,1)"]), "right angles"),
        ("directions that are no numbers", nrrd(&["space directions: (nan,0,0) (0,1,0) (0,0,1)"]), "right angles"),
        ("an origin in two dimensions", nrrd(&["space origin: (1,2)"]), "space origin is (1,2)"),
        ("an origin without end", nrrd(&["space origin: (inf,0,0)"]), "space origin"),
        ("an unknown space", nrrd(&["space: xyz"]), "space is xyz"),
        ("a field twice", raw("NRRD0004\ntype: short\ntype: int\n\n"), "a second type"),
        ("a line that is no field", raw("NRRD0004\nhello\n\n"), "header line is hello"),
        ("a header that is no text", b"NRRD0004\n\xff\xfe: 1\n\n".to_vec(), "no text"),
        ("lines before the voxels", nrrd(&["line skip: 2"]), "voxels end after 0"),
        ("fewer lines than none", nrrd(&["line skip: -2"]), "line skip is -2"),
        ("a skip beyond the file", nrrd(&["byte skip: 9999999999"]), "voxels end after 0"),
        ("a negative skip", nrrd(&["byte skip: -2"]), "byte skip is -2"),
        ("voxels missing", forge::nrrd_header(&[]).into_bytes(), "voxels end after 0"),
        ("gzip that is none", nrrd(&["encoding: gzip"]), "gzip"),
        ("a list of files", nrrd(&["data file: LIST"]), "expected one file"),
        ("a numbered series", nrrd(&["data file: slice%03d.raw 1 9 1"]), "keeps its voxels in slice001.raw"),
        ("a file up the tree", nrrd(&["data file: ../secret.raw"]), "keeps its voxels in secret.raw"),
        ("a file from the root", nrrd(&["data file: /dev/zero"]), "keeps its voxels in zero, which was not given"),
        ("a data file that is not there", nrrd(&["data file: voxels.raw"]), "keeps its voxels in voxels.raw"),
    ]
}

fn other_cases() -> Vec<Case> {
    vec![
        ("a picture", b"\x89PNG\r\n\x1a\n0000000000000000".to_vec(), "expected NIfTI"),
        ("text", b"patient,age\n1,14\n".to_vec(), "expected NIfTI"),
        ("zeros", vec![0; 4096], "expected NIfTI"),
        ("noise", (0..4096u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect(), "expected NIfTI"),
    ]
}

#[test]
fn every_broken_file_is_told() {
    let cases: Vec<Case> = [nifti_cases(), nrrd_cases(), other_cases()].concat();
    assert!(cases.len() >= 85, "only {} files", cases.len());
    let mut wrong = Vec::new();
    for (name, bytes, expected) in &cases {
        let source = Source { bytes, data: None };
        let image = read::image(source, &Limits::default()).map(|_| "an image".to_owned());
        let mask = read::mask(source, Label::AnyNonZero, &Limits::default()).map(|_| "a mask".to_owned());
        for found in [image, mask] {
            match found {
                Ok(kind) => wrong.push(format!("{name}: read as {kind}")),
                Err(error) if !error.to_string().contains(expected) => wrong.push(format!("{name}: {error}")),
                Err(_) => (),
            }
        }
    }
    assert!(wrong.is_empty(), "{} files are not told as they should be:\n{}", wrong.len(), wrong.join("\n"));
}

/// The program itself, with no more than half a gigabyte of address space: that many bytes it cannot ask for.
#[cfg(target_os = "linux")]
#[test]
fn every_broken_file_is_a_message_and_exit_2_within_512_megabytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("image.nii"), nifti(|_| ())).unwrap();
    let cases: Vec<Case> = [nifti_cases(), nrrd_cases(), other_cases()].concat();
    let told = |image: &str, mask: &str| {
        let limited = "ulimit -v 524288; exec \"$0\" features \"$1\" \"$2\" --preset study --threads 1";
        let program = env!("CARGO_BIN_EXE_osteon");
        let mut command = std::process::Command::new("sh");
        let output = command.args(["-c", limited]).arg(program).args([path(image), path(mask)]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code() == Some(2) && text.starts_with("osteon: ") && output.stdout.is_empty(), text)
    };
    let mut wrong = Vec::new();
    for (name, bytes, _) in &cases {
        std::fs::write(path("broken"), bytes).unwrap();
        for (image, mask) in [("broken", "image.nii"), ("image.nii", "broken")] {
            let (is_told, text) = told(image, mask);
            if !is_told {
                wrong.push(format!("{name} ({image} {mask}): {text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} runs:\n{}", wrong.len(), 2 * cases.len(), wrong.join("\n"));
}

#[test]
fn voxels_that_are_no_numbers_are_refused_in_an_image_and_outside_in_a_mask() {
    for (value, name) in [(f64::NAN, "NaN"), (f64::NEG_INFINITY, "-inf")] {
        let bytes = voxel(value);
        let source = Source { bytes: &bytes, data: None };
        let told = read::image(source, &Limits::default()).unwrap_err().to_string();
        assert!(told.contains(&format!("voxel x 1, y 1, z 2 is {name}")), "{told}");
        assert_eq!(read::mask(source, Label::Only, &Limits::default()).unwrap().count(), 23);
    }
}

#[test]
fn what_follows_the_voxels_is_not_inflated() {
    let bytes = bomb();
    let limits = Limits { max_bytes: 1 << 10 };
    let (_, notes) = read::image_as_stored(Source { bytes: &bytes, data: None }, &limits).unwrap();
    assert!(notes[0].contains("goes on after its voxels"), "{notes:?}");
}

#[test]
fn a_limit_is_the_callers() {
    let limits = Limits { max_bytes: 191 };
    let bytes = nifti(|_| ());
    let told = read::image(Source { bytes: &bytes, data: None }, &limits);
    assert_eq!(told, Err(ReadError::TooLarge { bytes: 192, limit: 191 }));
    assert!(read::image(Source { bytes: &bytes, data: None }, &Limits { max_bytes: 192 }).is_ok());
}

fn seeds() -> Vec<Vec<u8>> {
    let plain = nifti(|_| ());
    let shorts = forge::encode(Element::I16, &(0..24).map(f64::from).collect::<Vec<_>>(), true);
    let nrrd_gzip = [forge::nrrd_header(&["encoding: gzip"]).into_bytes(), forge::gzip(&shorts)].concat();
    vec![forge::gzip(&plain), plain, nifti_2(|_| ()), nrrd(&[]), nrrd_gzip, segments(&[])]
}

/// Two layers of segments as 3D Slicer writes them, some of its lines replaced.
fn segments(lines: &[&str]) -> Vec<u8> {
    let own = [
        "type: uint8",
        "dimension: 4",
        "sizes: 2 2 3 4",
        "space directions: none (0.5,0,0) (0,0.75,0) (0,0,3)",
        "kinds: list domain domain domain",
        "Segment0_Name:=Tumor",
        "Segment0_LabelValue:=1",
        "Segment0_Layer:=0",
        "Segment1_Name:=Muscle",
        "Segment1_LabelValue:=1",
        "Segment1_Layer:=1",
    ];
    let kept = own.iter().filter(|line| {
        let field = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
        !lines.iter().any(|other| field(other) == field(line))
    });
    let all: Vec<&str> = kept.copied().chain(lines.iter().copied()).collect();
    [forge::nrrd_header(&all).into_bytes(), (0..48u8).map(|at| at % 2).collect()].concat()
}

/// What a line of a header of segments may say; none of it ends the program, or costs more than the limit.
const LINES: [&str; 30] = [
    "sizes: 0 2 3 4",
    "sizes: 5000 2 3 4",
    "sizes: 2 2 3",
    "sizes: 4294967296 2 3 4",
    "sizes: 2 65535 65535 65535",
    "sizes: 4 2 3 2",
    "dimension: 3",
    "dimension: 5",
    "space directions: none none (0,1,0) (0,0,3)",
    "space directions: (0.5,0,0) (0,0.75,0) (0,0,3) none",
    "space directions: none (1e300,0,0) (0,1,0) (0,0,3)",
    "space directions: none (0,0,3) (0,-0.75,0) (0.5,0,0)",
    "kinds: domain domain domain domain",
    "kinds: list list domain domain",
    "kinds: domain domain domain list",
    "space origin: (1e300,0,0)",
    "space origin: (4,0,0)",
    "space origin: (0.3,0,0)",
    "type: double",
    "type: int64",
    "encoding: text",
    "encoding: hex",
    "encoding: gzip",
    "Segment0_LabelValue:=nan",
    "Segment0_LabelValue:=-99999999999999999999",
    "Segment0_Layer:=9",
    "Segment0_Layer:=-1",
    "Segment1_Name:=Tumor",
    "Segment1_Name:=all",
    "Segment1_Name:=",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Whatever bytes change, the reader answers and stays within a limit of a megabyte.
    #[test]
    fn no_change_of_bytes_ends_the_program(
        which in 0..6usize,
        changes in proptest::collection::vec((0..4096usize, any::<u8>()), 0..12),
        cut in proptest::option::of(0..4096usize),
    ) {
        let mut bytes = seeds().swap_remove(which);
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        bytes.truncate(cut.unwrap_or(usize::MAX));
        let limits = Limits { max_bytes: 1 << 20 };
        let source = Source { bytes: &bytes, data: Some(&[0; 48]) };
        if let Ok(image) = read::image(source, &limits) {
            prop_assert!(image.volume.as_slice().iter().all(|value| value.is_finite()));
            prop_assert!(image.volume.geometry().spacing_mm.iter().all(|size| *size > 0.0));
        }
        let _ = read::mask(source, Label::AnyNonZero, &limits);
        let _ = read::mask(source, Label::Only, &limits);
    }

    /// Whatever a header of segments says, the reader answers, and a region that it gives is one of the image's grid.
    #[test]
    fn no_header_of_segments_ends_the_program(
        lines in proptest::collection::vec(0..LINES.len(), 0..4),
        name in proptest::option::of(prop_oneof!["Tumor", "Muscle", "all", "1"]),
        label in prop_oneof![Just(Label::Only), Just(Label::AnyNonZero), Just(Label::Value(1))],
        nearest in any::<bool>(),
    ) {
        let mut unlike: Vec<&str> = Vec::new();
        for line in lines.into_iter().map(|at| LINES[at]) {
            let field = |line: &str| line.split(':').next().map(str::to_owned);
            if !unlike.iter().any(|other| field(other) == field(line)) {
                unlike.push(line);
            }
        }
        let bytes = segments(&unlike);
        let resample = if nearest { read::Resample::Nearest } else { read::Resample::Never };
        let params = read::Params { resample, cut: read::Cut::Accept, ..read::Params::default() };
        let image = osteon_radiomics::grid::Geometry::upright([4, 3, 2], [3.0, 0.75, 0.5]);
        let pick = read::Pick { label, name: name.as_deref(), channel: None };
        let source = Source { bytes: &bytes, data: None };
        if let Ok(region) = read::region(source, pick, &image, &params, &Limits { max_bytes: 1 << 20 }) {
            prop_assert_eq!(region.mask.geometry(), &image);
            prop_assert!(region.mask.count() > 0);
            prop_assert!((0.0..1.0).contains(&region.reading.cut_share));
        }
    }
}
