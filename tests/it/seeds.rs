//! Small valid files that the fuzz targets start from.

use std::fs;
use std::path::Path;

use osteon_radiomics::grid::Element;
use osteon_radiomics::read::dicom::{Instance, kind};
use osteon_radiomics::read::{self, Limits, Source};
use osteon_study::protocol::{Preset, Protocol};
use osteon_study::study::{ClinicalMap, read_clinical};

use crate::dicom_files::{Slice, enhanced, rle, segmentation, structure_set};
use crate::forge::{self, Nifti};
use crate::metaimage_files as metaimage;

const SQUARE: [[f64; 3]; 4] = [[-10.0, 20.0, 0.0], [-9.0, 20.0, 0.0], [-9.0, 20.6, 0.0], [-10.0, 20.6, 0.0]];

fn images() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let values: Vec<f64> = (0..24).map(f64::from).collect();
    let plain = Nifti::new([2, 3, 4], Element::F32, &values, false).bytes;
    let swapped = Nifti::new([2, 3, 4], Element::I16, &values, true).bytes;
    let shorts = forge::encode(Element::I16, &values, true);
    let raw = [forge::nrrd_header(&[]).into_bytes(), shorts.clone()].concat();
    let packed = [forge::nrrd_header(&["encoding: gzip"]).into_bytes(), forge::gzip(&shorts)].concat();
    vec![
        ("nifti", vec![forge::gzip(&plain), plain, swapped, forge::nifti_2([2, 3, 4], &[1; 24])]),
        ("nrrd", vec![raw, packed]),
        ("metaimage", vec![metaimage::whole(), metaimage::compressed()]),
    ]
}

fn dicom() -> Vec<Vec<u8>> {
    let slices = [Slice::at(0.0), Slice::at(5.0)];
    let drawn = structure_set(&[("GTV", &[&SQUARE])]);
    let segments = segmentation(&[(1, [-10.0, 20.0, 0.0], [true; 6]), (1, [-10.0, 20.0, 5.0], [false; 6])]);
    vec![slices[0].bytes(), rle(&slices[0]), enhanced(&slices), drawn, segments]
}

fn texts() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let clinical = ["patient_id,sex,age,alp,necrosis_pct\nA,male,14,88.5,95\nB,f,9,,89\n", "patient_id;alp\nA;1,5\n"];
    let mapped = "[columns]\nalp = \"AP\"\n[levels.sex]\nmale = [\"M\"]\n\0patient_id,AP,sex\nA,1,M\n";
    let filters = ["alp > 300 and pf = yes", "not (age <= 14 or alp is missing)", "id ~ P1", "alp is not missing"];
    let bytes = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>();
    let protocols = [Preset::Study.protocol().to_toml(), "preset = \"pyradiomics\"\n".to_owned()];
    let protocols: Vec<&str> = protocols.iter().map(String::as_str).collect();
    vec![
        ("clinical", bytes(&[clinical[0], clinical[1], mapped])),
        ("filter", bytes(&filters)),
        ("protocol", bytes(&protocols)),
    ]
}

/// With OSTEON_FUZZ_SEEDS=DIR they are written there, a folder a target.
#[test]
fn the_seeds_of_the_fuzz_targets_are_files_that_can_be_read() {
    let mut seeds = images();
    for bytes in seeds.iter().flat_map(|(_, files)| files) {
        read::image(Source { bytes, data: None }, &Limits::default()).unwrap();
    }
    for bytes in &dicom() {
        kind(&Instance { name: "file.dcm".to_owned(), bytes }, &Limits::default()).unwrap();
    }
    let texts = texts();
    read_clinical(&texts[0].1[0], osteon_study::protocol::codebook::Codebook::study(), &ClinicalMap::default())
        .unwrap();
    Protocol::parse(std::str::from_utf8(&texts[2].1[0]).unwrap()).unwrap();
    seeds.push(("dicom", dicom()));
    seeds.extend(texts);
    let Some(folder) = std::env::var_os("OSTEON_FUZZ_SEEDS") else { return };
    for (target, files) in seeds {
        let folder = Path::new(&folder).join(target);
        fs::create_dir_all(&folder).unwrap();
        for (at, bytes) in files.iter().enumerate() {
            fs::write(folder.join(format!("seed{at}")), bytes).unwrap();
        }
    }
}
