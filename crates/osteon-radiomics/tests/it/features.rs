//! Features against pyradiomics' values: every row of the reference tables, each miss by name.

use std::collections::BTreeMap;
use std::path::Path;

use osteon_base::job::Job;
use osteon_radiomics::describe::{Params, catalogue, describe};
use osteon_radiomics::grid::{Image, Mask};
use osteon_radiomics::read::{self, Label, Limits, Source};
use osteon_radiomics::roi::Roi;

use osteon_testing::{Comparison, fixture, shared};

/// Full feature names with their values.
type Values = Vec<(String, f64)>;

/// Reference values by case, setting and region.
type Reference = BTreeMap<[String; 3], Values>;

/// Regions by name.
type Regions<'a> = Vec<(&'a str, &'a Values)>;

fn reference(path: &Path) -> Reference {
    let file = std::fs::File::open(path).unwrap();
    let mut rows = csv::Reader::from_reader(flate2::read::GzDecoder::new(file));
    let headers = rows.headers().unwrap().clone();
    let mut found = Reference::new();
    for row in rows.records() {
        let row = row.unwrap();
        let cell = |name: &str| headers.iter().position(|it| it == name).map_or("intra", |at| &row[at]);
        let roi = match cell("roi") {
            "tumour" => "intra".to_owned(),
            roi if roi.starts_with("ring") => format!("peri_{}mm", &roi[4..]),
            roi if roi.starts_with("dil") => format!("intra_peri_{}mm", &roi[3..]),
            roi => roi.to_owned(),
        };
        let name = format!("{}_{}_{}", cell("image_type"), cell("class"), cell("feature"));
        // ITK's noise depends on its number of threads.
        if !["additivegaussiannoise", "specklenoise", "shotnoise"].contains(&cell("image_type")) {
            let key = [cell("case"), cell("setting"), &roi].map(str::to_owned);
            found.entry(key).or_default().push((name, cell("value").parse().unwrap()));
        }
    }
    found
}

fn read_pair(image: &Path, mask: &Path) -> (Image, Mask) {
    let (image, mask) = (std::fs::read(image).unwrap(), std::fs::read(mask).unwrap());
    let source = |bytes| Source { bytes, data: None };
    let limits = Limits::default();
    (read::image(source(&image), &limits).unwrap(), read::mask(source(&mask), Label::AnyNonZero, &limits).unwrap())
}

/// Image and mask of a case of the shared references.
fn shared_pair(case: &str) -> Option<(Image, Mask)> {
    let (image, mask) = match case.strip_prefix("STS_") {
        Some(_) => (format!("sts_mr_t1/{case}/MR_T1_image.nii.gz"), format!("sts_mr_t1/{case}/MR_T1_mask.nii.gz")),
        None => (format!("pyradiomics/{case}_image.nrrd"), format!("pyradiomics/{case}_label.nrrd")),
    };
    let path = |name: &str| shared(&format!("reference/radiomics/images/{name}"));
    Some(read_pair(&path(&image)?, &path(&mask)?))
}

fn fixture_pair(case: &str) -> (Image, Mask) {
    let ending = if case == "phantom_a" { "nii.gz" } else { "nrrd" };
    let path = |what: &str| fixture(&format!("phantoms/{case}_{what}.{ending}"));
    read_pair(&path("image"), &path("mask"))
}

/// The parameters of a setting of the reference tables, with the images that the table has.
fn params(setting: &str, names: &[(String, f64)]) -> Params {
    let bin_width = if setting.contains("0.25") { 0.25 } else { 0.1 };
    let mut images: Vec<String> = names.iter().map(|(name, _)| name.split('_').next().unwrap().to_owned()).collect();
    images.sort();
    images.dedup();
    let mut base = Params::pyradiomics();
    base.filter.log_sigma_mm = vec![0.5, 1.0, 1.5, 2.0, 3.0];
    base.filter.images = images;
    if setting != "default_bw25" {
        base.preprocess = osteon_radiomics::preprocess::Params { bin_width, ..Params::mr_rings().preprocess };
    }
    base
}

fn roi(name: &str) -> Roi {
    let millimetres = |text: &str| text.trim_end_matches("mm").parse().unwrap();
    match (name.strip_prefix("peri_"), name.strip_prefix("intra_peri_")) {
        (Some(margin), _) => Roi::Peri(millimetres(margin)),
        (_, Some(margin)) => Roi::IntraPeri(millimetres(margin)),
        _ => Roi::Intra,
    }
}

/// Relative and absolute tolerance of a feature, from the references' README.
fn tolerance(name: &str) -> (f64, f64) {
    let feature = name.rsplit('_').next().unwrap();
    match feature {
        "MCC" => (1e-8, 1e-9),
        "MeshVolume" | "SurfaceArea" | "Sphericity" | "SurfaceVolumeRatio" => (1e-9, 0.0),
        _ if name.contains("_shape_") => (1e-10, 0.0),
        _ => (1e-9, 1e-9),
    }
}

/// Compares the regions of one case and setting.
fn compare(comparison: &mut Comparison, case: &str, regions: &Regions, (image, mask): &(Image, Mask), params: &Params) {
    let rois: Vec<Roi> = regions.iter().map(|(name, _)| roi(name)).collect();
    let names = catalogue(params);
    let described = describe(image, mask, &rois, params, &Job::unwatched()).unwrap();
    for ((region, expected), ours) in regions.iter().zip(described) {
        let values = ours.outcome.unwrap_or_else(|error| panic!("{case} {region}: {error}"));
        let ours: BTreeMap<&str, Option<f64>> = names.iter().map(String::as_str).zip(values).collect();
        for (name, value) in expected.iter() {
            let (relative, absolute) = tolerance(name);
            match ours.get(name.as_str()) {
                Some(Some(own)) => {
                    comparison.close(format!("{case} {region} {name}"), *own, *value, relative, absolute)
                }
                other => comparison.miss(format!("{case} {region} {name}: {other:?}, reference {value:e}")),
            }
        }
    }
}

/// Each case and setting of a table, all regions together.
fn compare_table(
    table: &Path,
    pair: impl Fn(&str) -> Option<(Image, Mask)>,
    wanted: impl Fn(&str) -> bool,
    at_least: usize,
) {
    let reference = reference(table);
    let mut comparison = Comparison::default();
    let mut groups: BTreeMap<[&str; 2], Regions> = BTreeMap::new();
    for ([case, setting, region], values) in &reference {
        groups.entry([case, setting]).or_default().push((region, values));
    }
    for ([case, setting], regions) in groups.iter().filter(|group| wanted(group.0[0])) {
        let Some(pair) = pair(case) else { return };
        let mut params = params(setting, regions[0].1);
        if regions.len() > 1 {
            params.roi.margins_mm = vec![2.0, 4.0, 6.0];
        }
        compare(&mut comparison, &format!("{case} {setting}"), regions, &pair, &params);
    }
    comparison.finish(at_least);
}

#[test]
fn the_study_has_2264_features() {
    let names = catalogue(&Params::mr_rings());
    assert_eq!(names.len(), 2264);
    assert_eq!(names[0], "original_shape_Elongation");
    let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
}

fn values(name: &str) -> Option<std::path::PathBuf> {
    shared(&format!("reference/radiomics/values/{name}"))
}

#[test]
fn phantoms_meet_pyradiomics() {
    compare_table(
        &fixture("phantoms/values.csv.gz"),
        |case| Some(fixture_pair(case)),
        |case| case == "phantom_a",
        2632,
    );
}

#[test]
fn phantoms_meet_pyradiomics_on_filtered_images() {
    compare_table(&fixture("phantoms/urp24.csv.gz"), |case| Some(fixture_pair(case)), |_| true, 4120);
}

#[test]
fn phantoms_meet_pyradiomics_in_seven_regions() {
    compare_table(
        &fixture("phantoms/seven_roi.csv.gz"),
        |case| Some(fixture_pair(case)),
        |case| case == "phantom_a",
        14420,
    );
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn real_images_meet_pyradiomics() {
    if let Some(table) = values("real_dev_brain1_brain2_breast1.csv.gz") {
        compare_table(&table, shared_pair, |_| true, 11844);
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn sarcomas_meet_pyradiomics() {
    if let Some(table) = values("sts_dev.csv.gz") {
        compare_table(&table, shared_pair, |case| ["STS_003", "STS_025"].contains(&case), 1);
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn real_images_meet_pyradiomics_on_filtered_images() {
    if let Some(table) = values("urp24_dev.csv.gz") {
        compare_table(&table, shared_pair, |_| true, 1);
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn real_images_meet_pyradiomics_in_seven_regions() {
    if let Some(table) = values("seven_roi_dev.csv.gz") {
        compare_table(&table, shared_pair, |_| true, 28840);
    }
}
