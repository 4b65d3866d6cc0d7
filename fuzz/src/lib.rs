//! What must hold for any bytes whatever; each target of `cargo fuzz` calls one of these.

use osteon_radiomics::grid::Geometry;
use osteon_study::protocol::Protocol;
use osteon_radiomics::read::dicom::{self, Instance};
use osteon_radiomics::read::{self, Label, Limits, Source};
use osteon_study::protocol::codebook::Codebook;
use osteon_study::study::{ClinicalMap, read_clinical};
use osteon_stats::table::filter::Filter;
use osteon_stats::table::{Column, Table, Values};

const LIMITS: Limits = Limits { max_bytes: 1 << 20 };

/// An image that is read has finite voxels on a grid with a size; a mask is never empty.
pub fn image(bytes: &[u8]) {
    let source = Source { bytes, data: Some(&[0; 48]) };
    if let Ok(image) = read::image(source, &LIMITS) {
        assert!(image.volume.as_slice().iter().all(|value| value.is_finite()));
        assert!(image.volume.geometry().spacing_mm.iter().all(|size| *size > 0.0));
    }
    for label in [Label::AnyNonZero, Label::Value(1)] {
        if let Ok(mask) = read::mask(source, label, &LIMITS) {
            assert!(mask.as_slice().contains(&true));
        }
    }
}

/// A DICOM file of any kind is a series, contours, segments, or an error.
pub fn dicom(bytes: &[u8]) {
    let instance = || Instance { name: "file.dcm".to_owned(), bytes };
    let _ = dicom::kind(&instance(), &LIMITS);
    let _ = dicom::list(&[instance()], &LIMITS);
    if let Ok(scan) = dicom::scan(&[instance()], None, &LIMITS) {
        assert!(scan.image.volume.as_slice().iter().all(|value| value.is_finite()));
    }
    let shape = [4, 2, 3];
    let axes = [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]];
    let grid = Geometry { shape, origin_mm: [-10.0, 20.0, 0.0], spacing_mm: [5.0, 0.5, 0.75], axes };
    let _ = dicom::structures(&instance(), &LIMITS);
    let _ = dicom::contours(&instance(), None, &grid, &LIMITS);
    let _ = dicom::segments(&instance(), &LIMITS);
    let _ = dicom::segmentation(&instance(), None, &grid, &LIMITS);
}

/// A clinical file, after a map and a zero byte where there is one: rows with clean ids and values that the schema
/// takes, refusals, or an error.
pub fn clinical(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let (map, file) = second.map_or((&[][..], first), |file| (first, file));
    let Ok(map) = ClinicalMap::parse(&String::from_utf8_lossy(map), Codebook::study()) else { return };
    let Ok(clinical) = read_clinical(file, Codebook::study(), &map) else { return };
    for row in clinical.rows {
        assert!(!row.code.is_empty() && osteon_base::text::clean(&row.code) == row.code);
    }
}

/// A protocol that is taken comes back from its own print, with the same hash.
pub fn protocol(text: &str) {
    if let Ok(protocol) = Protocol::parse(text) {
        let again = Protocol::parse(&protocol.to_toml()).expect("what was printed is a protocol");
        assert_eq!(again, protocol);
        assert_eq!(again.hash(), protocol.hash());
    }
}

/// A filter answers for every row, also turned round.
pub fn filter(text: &str) {
    let table = table();
    match Filter::parse(text, &table) {
        Ok(filter) => assert!(filter.rows(&table).len() <= 3),
        Err(error) => assert!(error.at.end <= text.chars().count().max(error.at.start)),
    }
}

fn table() -> Table {
    let column = |name: &str, values| Column { name: name.to_owned(), values };
    let levels = ["no", "yes"].map(str::to_owned).to_vec();
    let columns = vec![
        column("alp", Values::Numbers(vec![Some(80.5), None, Some(300.0)])),
        column("age", Values::Numbers(vec![Some(14.0), Some(15.0), None])),
        column("pathological_fracture", Values::Levels { levels, codes: vec![Some(1), None, Some(0)] }),
    ];
    Table::new(["P1", "P2", "P10"].map(str::to_owned).to_vec(), columns).expect("three rows each")
}
