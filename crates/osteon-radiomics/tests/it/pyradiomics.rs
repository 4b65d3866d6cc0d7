//! Parameter files against pyradiomics 3.0.1 on three synthetic images (`fixtures/pyradiomics/make.py`).

use std::collections::BTreeMap;

use osteon_base::job::Job;
use osteon_radiomics::grid::{Image, Mask};
use osteon_radiomics::pyradiomics::{ExtractError, Extraction, Parameters, Strictness, extract, maps};
use osteon_radiomics::read::{self, Label, Limits, Source};
use osteon_testing::{Comparison, fixture, gunzip};

fn file(name: &str) -> Vec<u8> {
    std::fs::read(fixture(&format!("pyradiomics/{name}"))).unwrap()
}

fn parameters(name: &str) -> Parameters {
    Parameters::parse(&String::from_utf8(file(name)).unwrap(), Strictness::Refuse).unwrap()
}

fn case(name: &str, label: i64) -> (Image, Mask) {
    let ending = [("c", "nii.gz"), ("d", "nrrd"), ("e", "mha")].into_iter().find(|it| it.0 == name).unwrap().1;
    let [image, mask] = ["image", "mask"].map(|what| file(&format!("{what}_{name}.{ending}")));
    let source = |bytes| Source { bytes, data: None };
    let image = read::image(source(&image), &Limits::default()).unwrap();
    let mask = read::mask(source(&mask), Label::Value(label), &Limits::default()).unwrap();
    let mask = mask.on(image.volume.geometry()).unwrap();
    (image, mask)
}

fn measured(name: &str, image: &str) -> Result<Extraction, ExtractError> {
    let parameters = parameters(name);
    let (image, mask) = case(image, parameters.settings.label);
    extract(&image, &mask, &parameters, &Job::unwatched())
}

/// Parameter file and image; names and values in pyradiomics' order.
type References = BTreeMap<(String, String), Vec<(String, String)>>;

fn references() -> References {
    let bytes = gunzip(&fixture("pyradiomics/values.csv.gz"));
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(&bytes[..]);
    let mut found = References::new();
    for row in reader.records() {
        let row = row.unwrap();
        let key = (row[0].to_owned(), row[1].to_owned());
        found.entry(key).or_default().push((row[2].to_owned(), row[3].to_owned()));
    }
    found
}

#[test]
fn every_parameter_file_gives_pyradiomics_names_in_its_order_and_its_values() {
    let references = references();
    let files: std::collections::BTreeSet<&String> = references.keys().map(|key| &key.0).collect();
    assert_eq!((files.len(), references.len()), (20, 60));
    let mut comparison = Comparison::default();
    for ((name, image), theirs) in &references {
        let label = format!("{name} {image}");
        let found = match measured(name, image) {
            Ok(found) => found,
            Err(cause) => {
                comparison.miss(format!("{label}: {cause}"));
                continue;
            }
        };
        let is_told = |name: &str| name.starts_with("diagnostics_");
        let names: Vec<&str> = theirs.iter().map(|it| it.0.as_str()).filter(|name| !is_told(name)).collect();
        let own: Vec<&str> = found.values.iter().map(|it| it.0.as_str()).collect();
        comparison.same(format!("{label} names"), own, names);
        let values: BTreeMap<&str, Option<f64>> = found.values.iter().map(|it| (it.0.as_str(), it.1)).collect();
        let told: BTreeMap<&str, &str> = found.diagnostics.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect();
        for (feature, value) in theirs {
            if is_told(feature) {
                comparison.same(format!("{label} {feature}"), told.get(feature.as_str()), Some(&value.as_str()));
                continue;
            }
            let ours = values.get(feature.as_str()).copied().flatten().unwrap_or(f64::NAN);
            let relative = if feature.ends_with("_MCC") { 1e-8 } else { 1e-9 };
            comparison.close(format!("{label} {feature}"), ours, value.parse().unwrap(), relative, 1e-9);
        }
    }
    comparison.finish(9000);
}

#[test]
fn regions_that_the_settings_do_not_take_are_refused_with_the_setting() {
    let (image, mask) = case("c", 1);
    let told = |settings: &str| {
        let text =
            format!("imageType: {{Original: {{}}}}\nfeatureClass: {{firstorder: [Mean]}}\nsetting: {{{settings}}}");
        let parameters = Parameters::parse(&text, Strictness::Refuse).unwrap();
        extract(&image, &mask, &parameters, &Job::unwatched()).map(|_| ()).map_err(|cause| cause.to_string())
    };
    assert_eq!(told("minimumROISize: 100"), Ok(()));
    assert!(told("minimumROISize: 100000").unwrap_err().contains("minimumROISize wants more than 100000"));
    assert!(told("resegmentRange: [5000, 6000]").unwrap_err().contains("left 0 voxels of the region"));
    let (image, mask) = case("c", 3);
    let text = "featureClass: {firstorder: [Mean]}\nsetting: {minimumROIDimensions: 3}";
    let parameters = Parameters::parse(text, Strictness::Refuse).unwrap();
    let refused = extract(&image, &mask, &parameters, &Job::unwatched()).unwrap_err().to_string();
    assert_eq!(refused, "the region has 2 dimensions, minimumROIDimensions is 3");
}

#[test]
fn what_gives_no_image_or_class_is_told() {
    let (image, mask) = case("c", 1);
    let text = "imageType: {LoG: {sigma: [40]}, Original: {}}\nfeatureClass: {shape2D: , firstorder: [Mean]}";
    let parameters = Parameters::parse(text, Strictness::Refuse).unwrap();
    let found = extract(&image, &mask, &parameters, &Job::unwatched()).unwrap();
    let names: Vec<&str> = found.values.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(names, ["original_firstorder_Mean"]);
    assert!(found.notes.iter().any(|note| note.starts_with("log-sigma-40-mm-3D was left out")), "{:?}", found.notes);
    assert!(found.notes.iter().any(|note| note.starts_with("shape2D was left out")), "{:?}", found.notes);
}

/// Every voxel of five voxel-based extractions (`fixtures/pyradiomics/maps.py`).
#[test]
fn feature_maps_are_those_of_pyradiomics() {
    let runs: [(&str, &str, &str); 5] = [
        ("plain", "c", "setting: {binWidth: 40, label: 2}"),
        ("wide", "e", "setting: {binWidth: 300, label: 2}\nvoxelSetting: {kernelRadius: 2, initValue: -7}"),
        ("unmasked", "c", "setting: {binWidth: 60, label: 2}\nvoxelSetting: {maskedKernel: false}"),
        ("plane", "e", "setting: {binWidth: 300, force2D: true, voxelArrayShift: 100, label: 2}"),
        ("filtered", "d", "imageType: {LoG: {sigma: [2.0]}}\nsetting: {binCount: 8, label: 2}"),
    ];
    let bytes = gunzip(&fixture("pyradiomics/maps.csv.gz"));
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).has_headers(false).from_reader(&bytes[..]);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let names: Vec<String> = ["firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"].map(str::to_owned).to_vec();
    let mut comparison = Comparison::default();
    for (run, image, text) in runs {
        let parameters = Parameters::parse(text, Strictness::Refuse).unwrap();
        let (image, mask) = case(image, 2);
        let (found, _) = maps(&image, &mask, &parameters, &names, &Job::unwatched()).unwrap();
        let own = |name: &str| found.iter().find(|map| map.name == name).unwrap_or_else(|| panic!("{run}: no {name}"));
        let start = rows.iter().position(|row| &row[1] == run).unwrap() - 1;
        let grown = mask.bounds().unwrap().grown([parameters.kernel.radius; 3], mask.geometry().shape);
        for (column, name) in rows[start].iter().enumerate().skip(5) {
            let map = own(name);
            assert_eq!(map.volume.geometry().shape, grown.shape);
            for row in rows[start + 1..].iter().take_while(|row| &row[1] == run) {
                let at: [usize; 3] = std::array::from_fn(|k| row[2 + k].parse::<usize>().unwrap() - grown.low[k]);
                let ours = map.volume.cells()[at];
                let label = format!("{run} {name} {at:?}");
                match row[column].parse::<f64>() {
                    Ok(theirs) => {
                        let relative = if name.ends_with("_MCC") { 1e-7 } else { 1e-9 };
                        comparison.close(label, ours, theirs, relative, 1e-9);
                    }
                    Err(_) => comparison.same(label, ours.is_nan(), true),
                }
            }
        }
        let outside =
            own(&rows[start][5]).volume.cells().iter().filter(|cell| **cell == parameters.kernel.initial).count();
        assert!(outside >= grown.shape.iter().product::<usize>() - mask.count(), "{run}");
    }
    comparison.finish(40_000);
}
