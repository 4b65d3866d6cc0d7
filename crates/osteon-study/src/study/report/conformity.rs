//! The IBSI's phantoms measured under its configurations, and held against its consensus.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::Array3;

use crate::protocol::{Preset, Protocol};
use crate::report::conformity::Judged;
use crate::study::Error;
use crate::study::data::input;
use osteon_base::job::Job;
use osteon_radiomics::describe::catalogue;
use osteon_radiomics::feature::ibsi::Part;
use osteon_radiomics::grid::{Element, Geometry, Grid, Image, Mask};
use osteon_radiomics::read::dicom::On;
use osteon_radiomics::read::{Label, Uneven};
use osteon_radiomics::roi::Roi;

/// The consensus of the digital phantom and of configurations A to E of the CT phantom.
const CONSENSUS: &str = include_str!("../../../../../fixtures/ibsi1/consensus.csv");
const DIGITAL_PHANTOM: &str = include_str!("../../../../../fixtures/ibsi1/digital_phantom.txt");

/// The manual's configurations as assignments over the preset `ibsi` (its section 5.2, table 5.1); the first is the
/// digital phantom.
pub const CONFIGURATIONS: [(&str, &[&str]); 6] = [
    (
        "digital_phantom",
        &[
            "feature.ibsi.n_bins=0",
            "preprocess.bin_width=1",
            "feature.ibsi.volume_n_bins=0",
            "feature.ibsi.dimensions=['2D', '2.5D', '3D']",
        ],
    ),
    (
        "config_A",
        &[
            "feature.ibsi.range=[-500, 400]",
            "feature.ibsi.n_bins=0",
            "preprocess.bin_width=25",
            "feature.ibsi.volume_n_bins=0",
            "feature.ibsi.dimensions=['2D', '2.5D']",
        ],
    ),
    (
        "config_B",
        &[
            "preprocess.spacing_mm=[2, 2, 0]",
            "preprocess.round=true",
            "feature.ibsi.range=[-500, 400]",
            "feature.ibsi.n_bins=32",
            "feature.ibsi.volume_n_bins=0",
            "feature.ibsi.dimensions=['2D', '2.5D']",
        ],
    ),
    (
        "config_C",
        &[
            "preprocess.spacing_mm=[2, 2, 2]",
            "preprocess.round=true",
            "feature.ibsi.range=[-1000, 400]",
            "feature.ibsi.n_bins=0",
            "preprocess.bin_width=25",
            "feature.ibsi.volume_n_bins=0",
            "feature.ibsi.volume_bin_width=2.5",
        ],
    ),
    (
        "config_D",
        &[
            "preprocess.spacing_mm=[2, 2, 2]",
            "preprocess.round=true",
            "feature.ibsi.outliers_sd=3",
            "feature.ibsi.n_bins=32",
            "feature.ibsi.volume_n_bins=0",
        ],
    ),
    (
        "config_E",
        &[
            "preprocess.spacing_mm=[2, 2, 2]",
            "preprocess.interpolation=bspline",
            "preprocess.round=true",
            "feature.ibsi.range=[-1000, 400]",
            "feature.ibsi.outliers_sd=3",
            "feature.ibsi.n_bins=32",
            "feature.ibsi.volume_n_bins=1000",
        ],
    ),
];

/// Measures the digital phantom and, where `folder` holds the CT phantom, configurations A to E. `reference` is another
/// table of the consensus: CSV with `setting`, `feature`, `aggregation`, `value`, `tolerance`.
pub fn conformity(folder: Option<&Path>, reference: Option<&Path>, job: &Job) -> Result<Vec<Judged>, Error> {
    let text = reference.map(input::text).transpose()?;
    let consensus = consensus(text.as_deref().unwrap_or(CONSENSUS))?;
    let ct = folder.map(ct_phantom).transpose()?;
    let digital = digital_phantom();
    let stage = job.stage("configurations", if ct.is_some() { CONFIGURATIONS.len() } else { 1 });
    let mut judged = Vec::new();
    for (at, (name, assignments)) in CONFIGURATIONS.into_iter().enumerate() {
        let Some((image, mask)) = (if at == 0 { Some(&digital) } else { ct.as_ref() }) else { continue };
        let protocol = Preset::Ibsi.protocol().set(assignments.iter().copied())?;
        judged.extend(measure(name, image, mask, &protocol, &consensus, job)?);
        stage.step()?;
    }
    Ok(judged)
}

type Consensus = BTreeMap<(String, String, String), (f64, f64)>;

fn measure(
    name: &str,
    image: &Image,
    mask: &Mask,
    protocol: &Protocol,
    consensus: &Consensus,
    job: &Job,
) -> Result<Vec<Judged>, Error> {
    let described = crate::study::jobs::measure::measure(image, mask, &[Roi::Intra], protocol, &job.silent())?;
    let region = described.into_iter().next().expect("one region was asked for");
    let values = region.outcome.map_err(|source| Error::Region { roi: name.to_owned(), source })?;
    let values: BTreeMap<String, Option<f64>> = catalogue(&protocol.measured()).into_iter().zip(values).collect();
    let mut judged = Vec::new();
    for family in Part::ALL {
        for ending in family.endings(&protocol.feature.ibsi.dimensions) {
            for (feature, ibsi) in family.features() {
                let aggregation = ending.trim_start_matches('_').to_owned();
                let key = (name.to_owned(), feature.to_owned(), aggregation.clone());
                judged.push(Judged {
                    configuration: name.to_owned(),
                    family,
                    feature: feature.to_owned(),
                    aggregation,
                    ibsi,
                    value: values[&format!("original_ibsi_{feature}{ending}")],
                    consensus: consensus.get(&key).copied(),
                });
            }
        }
    }
    Ok(judged)
}

fn consensus(text: &str) -> Result<Consensus, Error> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers()?.clone();
    let column = |name: &str| {
        headers.iter().position(|header| header == name).ok_or_else(|| Error::Header(format!("no column {name}")))
    };
    let names = ["setting", "feature", "aggregation", "value", "tolerance"];
    let columns = names.into_iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let mut found = Consensus::new();
    for record in reader.records() {
        let record = record?;
        let cell = |at: usize| record.get(columns[at]).unwrap_or_default();
        let number = |at: usize| {
            let line = record.position().map_or(0, csv::Position::line);
            let place = format!("line {line}, {}", names[at]);
            let wrong = || Error::Cell {
                place,
                found: osteon_base::text::clean(cell(at)).into_owned(),
                expected: "a number".to_owned(),
            };
            cell(at).parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(wrong)
        };
        let key = (cell(0).to_owned(), cell(1).to_owned(), cell(2).to_owned());
        found.insert(key, (number(3)?, number(4)?));
    }
    Ok(found)
}

/// 4 slices of 4 rows of 5 voxels of 2 mm; a dash marks the voxels outside the region.
fn digital_phantom() -> (Image, Mask) {
    let words = DIGITAL_PHANTOM.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
    let level = |word: &str| word.trim_end_matches('-').parse::<f64>().expect("the phantom is whole numbers");
    let (levels, inside): (Vec<f64>, Vec<bool>) = words.map(|word| (level(word), !word.ends_with('-'))).unzip();
    let geometry = Geometry::upright([4, 4, 5], [2.0; 3]);
    let shaped = "the phantom has 80 voxels";
    let volume = Grid::new(geometry.clone(), Array3::from_shape_vec((4, 4, 5), levels).expect(shaped)).expect(shaped);
    let mask = Grid::new(geometry, Array3::from_shape_vec((4, 4, 5), inside).expect(shaped)).expect(shaped);
    (Image { volume, element: Element::F64 }, mask)
}

/// `.../image/phantom.nii.gz` and `.../mask/mask.nii.gz` below a folder `ibsi_1_ct_radiomics_phantom`.
fn ct_phantom(folder: &Path) -> Result<(Image, Mask), Error> {
    const NAME: &str = "ibsi_1_ct_radiomics_phantom";
    let missing = || Error::Header(format!("{}: no folder {NAME} with nifti/image/phantom.nii.gz", folder.display()));
    let own = folder.file_name().is_some_and(|name| name == NAME).then(|| folder.to_owned());
    let phantom = own.or_else(|| find(folder, NAME, 5)).ok_or_else(missing)?;
    let [image, mask] = ["nifti/image/phantom.nii.gz", "nifti/mask/mask.nii.gz"].map(|file| phantom.join(file));
    let image = input::image_bytes(&image, None, Uneven::Refuse)?.image(&image)?;
    let on = On::grid(image.volume.geometry());
    let mask =
        input::image_bytes(&mask, None, Uneven::Refuse)?.region(&mask, Label::Only, on, &Default::default())?.mask;
    Ok((image, mask))
}

fn find(folder: &Path, name: &str, depth: usize) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    let here = folders.iter().find(|path| path.file_name().is_some_and(|found| found == name)).cloned();
    here.or_else(|| folders.iter().filter(|_| depth > 0).find_map(|path| find(path, name, depth - 1)))
}
