//! The IBSI's second phase: response maps of its phantoms and intensity statistics of filtered CT, held against its
//! consensus.

use std::path::{Path, PathBuf};

use crate::report::filters::{Judged, Map};
use crate::study::Error;
use crate::study::data::input;
use osteon_base::job::Job;
use osteon_radiomics::describe::Params;
use osteon_radiomics::feature::ibsi::intensity_statistics;
use osteon_radiomics::filter::ibsi::{self, Configuration, Space, apply, apply_within};
use osteon_radiomics::grid::{Image, Mask};
use osteon_radiomics::preprocess::{self, Extent, Interpolation};
use osteon_radiomics::read::dicom::On;
use osteon_radiomics::read::{Label, Uneven};

/// What is held against the consensus of the second phase.
#[derive(Clone, Debug, Default)]
pub struct Filtered {
    pub maps: Vec<Map>,
    pub values: Vec<Judged>,
}

/// Makes every map whose phantom and reference lie below a folder, and measures the CT phantom where it and a table of
/// reference values lie there; those of a name that is wanted.
///
/// # Errors
/// When the folder holds no reference map and no table; when a map has another shape than its phantom.
pub fn filter_conformity(folder: &Path, wanted: impl Fn(&str) -> bool, job: &Job) -> Result<Filtered, Error> {
    let mut files = Vec::new();
    below(folder, 8, &mut files)?;
    let maps: Vec<ibsi::Map> = ibsi::maps().into_iter().filter(|planned| wanted(planned.name)).collect();
    let configurations: Vec<Configuration> = ibsi::configurations().into_iter().filter(|it| wanted(&it.name)).collect();
    let stage = job.stage("filters", maps.len() + configurations.len());
    let mut found = Filtered::default();
    for planned in maps {
        let reference = ending(&files, &format!("{}-validcrm.nii", planned.name));
        let phantom = ending(&files, &format!("{0}/image/{0}.nii", planned.phantom));
        if let (Some(reference), Some(phantom)) = (reference, phantom) {
            found.maps.push(judged(&planned, &image(phantom)?, &image(reference)?)?);
        }
        stage.step()?;
    }
    let is_table =
        |path: &&PathBuf| is_named(path, |name| name.starts_with("reference_values") && name.ends_with(".csv"));
    let mut consensus = Consensus::new();
    for table in files.iter().filter(is_table) {
        consensus.extend(read_consensus(table)?);
    }
    if let (false, Some((phantom, mask))) = (consensus.is_empty(), ct(&files)?) {
        let mut cubes: Option<(Image, Mask)> = None;
        for configuration in &configurations {
            // What no table speaks of is not measured.
            if consensus.keys().any(|key| key.0 == configuration.name) {
                let pair = match configuration.space {
                    Space::Slices => (&phantom, &mask),
                    Space::Volume => {
                        if cubes.is_none() {
                            cubes = Some(resampled(&phantom, &mask)?);
                        }
                        let (image, mask) = cubes.as_ref().expect("made just now, or before");
                        (image, mask)
                    }
                };
                found.values.extend(measured(configuration, pair, &consensus));
            }
            stage.step()?;
        }
    }
    if found.maps.is_empty() && found.values.is_empty() {
        let why =
            "no reference map N-ValidCRM.nii.gz with its phantom, and no reference_values.csv with the CT phantom";
        return Err(Error::Header(format!("{}: {why}", folder.display())));
    }
    Ok(found)
}

fn judged(planned: &ibsi::Map, phantom: &Image, reference: &Image) -> Result<Map, Error> {
    let made = apply(&phantom.volume, &planned.filter);
    let theirs = reference.volume.as_slice();
    if theirs.len() != made.as_slice().len() {
        return Err(Error::Header(format!("map {}: of another shape than its phantom", planned.name)));
    }
    let (low, high) =
        theirs.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
    let apart = || made.as_slice().iter().zip(theirs).map(|(a, b)| (a - b).abs() / (high - low));
    Ok(Map {
        name: planned.name,
        phantom: planned.phantom,
        filter: format!("{:?}", planned.filter.kind),
        largest: apart().fold(0.0, f64::max),
        beyond: apart().filter(|share| *share > 0.01).count(),
        voxels: theirs.len(),
    })
}

/// Configuration and feature; value and tolerance.
type Consensus = std::collections::BTreeMap<(String, String), (f64, f64)>;

/// Semicolons, with the columns `filter_id`, `feature_tag`, `consensus_value`, `tolerance`.
fn read_consensus(path: &Path) -> Result<Consensus, Error> {
    let text = input::text(path)?;
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(text.as_bytes());
    let headers = reader.headers()?.clone();
    let wrong = |name: &str| Error::Header(format!("{}: no column {name}", path.display()));
    let column = |name: &str| headers.iter().position(|own| own == name).ok_or_else(|| wrong(name));
    let [id, tag, value, tolerance] =
        [column("filter_id")?, column("feature_tag")?, column("consensus_value")?, column("tolerance")?];
    let mut found = Consensus::new();
    for row in reader.records() {
        let row = row?;
        let line = row.position().map_or(0, csv::Position::line);
        let number = |at: usize| {
            let text = row.get(at).unwrap_or_default();
            let expected = "a number".to_owned();
            let cell =
                || Error::Cell { place: format!("{}, line {line}", path.display()), found: text.to_owned(), expected };
            text.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(cell)
        };
        found.insert((row[id].to_owned(), row[tag].to_owned()), (number(value)?, number(tolerance)?));
    }
    Ok(found)
}

/// Cubes of 1 mm, intensities by cubic B-splines and rounded, the mask linear, as the IBSI aligns grids.
fn resampled(image: &Image, mask: &Mask) -> Result<(Image, Mask), Error> {
    let params = preprocess::Params {
        spacing_mm: vec![1.0; 3],
        interpolation: Interpolation::Bspline,
        round: true,
        ..Params::ibsi().preprocess
    };
    let prepared =
        preprocess::prepare(image, mask, Extent::Whole, &params).map_err(|why| Error::Describe(why.into()))?;
    Ok((prepared.image, prepared.mask))
}

fn measured(configuration: &Configuration, (image, mask): (&Image, &Mask), consensus: &Consensus) -> Vec<Judged> {
    let Configuration { name, filter, .. } = configuration;
    let bounds = mask.bounds().expect("a mask that was read has voxels");
    let (own, mask) = (image.volume.cut(bounds), mask.cut(bounds));
    let response = filter.as_ref().map(|filter| apply_within(&image.volume, filter, bounds));
    let values = response.as_ref().unwrap_or(&own).as_slice();
    // The region is re-segmented by the intensities of the image, not of the response.
    let kept = |(at, inside): &(usize, &bool)| **inside && (-1000.0..=400.0).contains(&own.as_slice()[*at]);
    let inside: Vec<f64> = mask.as_slice().iter().enumerate().filter(kept).map(|(at, _)| values[at]).collect();
    let judged = |(feature, value): (&'static str, Option<f64>)| Judged {
        configuration: name.clone(),
        feature,
        value,
        consensus: consensus.get(&(name.clone(), feature.to_owned())).copied(),
    };
    intensity_statistics(&inside).into_iter().map(judged).collect()
}

fn image(path: &Path) -> Result<Image, Error> {
    input::image_bytes(path, None, Uneven::Refuse)?.image(path)
}

/// The CT phantom of the second phase: `phantom.nii.gz` and `mask.nii.gz` in one folder of its name, or in `image` and
/// `mask` below it.
fn ct(files: &[PathBuf]) -> Result<Option<(Image, Mask)>, Error> {
    let is_ct = |path: &&PathBuf| {
        path.to_string_lossy().to_lowercase().contains("ibsi_2_ct")
            || path.to_string_lossy().to_lowercase().contains("ibsi2_ct")
    };
    let of = |start: &str| files.iter().filter(is_ct).find(|path| is_named(path, |name| name.starts_with(start)));
    let (Some(phantom), Some(drawn)) = (of("phantom.nii"), of("mask.nii")) else { return Ok(None) };
    let phantom = image(phantom)?;
    let on = On::grid(phantom.volume.geometry());
    let mask = input::image_bytes(drawn, None, Uneven::Refuse)?.region(drawn, Label::Only, on, &Default::default())?;
    Ok(Some((phantom, mask.mask)))
}

fn is_named(path: &Path, is: impl Fn(&str) -> bool) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| is(&name.to_lowercase()))
}

/// The first file whose path ends so, packed or not.
fn ending<'a>(files: &'a [PathBuf], end: &str) -> Option<&'a PathBuf> {
    let ends = |path: &&PathBuf| {
        let text = path.to_string_lossy().to_lowercase();
        let text = text.strip_suffix(".gz").unwrap_or(&text);
        text.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with(['/', '\\']))
    };
    files.iter().find(ends)
}

fn below(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let mut walk = input::Walk::default();
    input::below(folder, depth, &mut walk)?;
    walk.files.sort();
    files.extend(walk.files);
    Ok(())
}
