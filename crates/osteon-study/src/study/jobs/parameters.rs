//! One case under pyradiomics' own parameters.

use std::path::{Path, PathBuf};

use crate::report::values::Value;
use crate::store::write_whole;
use crate::study::Error;
use crate::study::data::{input, nifti};
use crate::study::jobs::batch::{Case, Found};
use osteon_base::job::Job;
use osteon_base::text::counted;
use osteon_radiomics::grid::{Image, Mask};
use osteon_radiomics::pyradiomics::{ExtractError, MapError, Parameters, ParametersError, Strictness, extract, maps};
use osteon_radiomics::read::{self, Label, Resample};

/// Which feature maps to write.
#[derive(Clone, Debug)]
pub struct MapsRequest {
    pub image: PathBuf,
    pub mask: PathBuf,
    pub parameters: Parameters,
    /// What the mask may be.
    pub reading: read::Params,
    /// `glcm_JointEntropy`, or `glcm` for all of a class.
    pub names: Vec<String>,
    pub folder: PathBuf,
}

/// Reads a parameter file.
pub fn read_parameters(path: &Path, strictness: Strictness) -> Result<Parameters, Error> {
    let text = input::text(path)?;
    Parameters::parse(&text, strictness).map_err(|source| Error::Parameters { path: path.to_owned(), source })
}

/// Applies pyradiomics' `--setting NAME:VALUE`.
pub fn apply_settings(parameters: &mut Parameters, settings: &[String]) -> Result<(), Error> {
    for setting in settings {
        let (name, value) = setting
            .split_once(':')
            .ok_or_else(|| Error::Request(format!("--setting {setting}: expected NAME:VALUE, as in binWidth:10")))?;
        set(parameters, name.trim(), value.trim())?;
    }
    Ok(())
}

fn set(parameters: &mut Parameters, name: &str, value: &str) -> Result<(), Error> {
    let wrong = |source: ParametersError| Error::Request(source.to_string());
    parameters.set(name, value).map_err(wrong)
}

/// An image and a mask that were read under pyradiomics' parameters.
struct Pair {
    image: Image,
    mask: Mask,
    /// With what the case itself sets.
    parameters: Parameters,
    notes: Vec<String>,
    /// Of the image's file and the mask's.
    sha256: [String; 2],
}

fn read_pair(case: &Case, parameters: &Parameters, mask: &read::Params) -> Result<Pair, Error> {
    let mut parameters = parameters.clone();
    let mut notes = Vec::new();
    for (heading, cell) in case.settings() {
        match heading {
            "Label" | "label" => set(&mut parameters, "label", cell)?,
            "Label_channel" | "label_channel" => set(&mut parameters, "label_channel", cell)?,
            other if is_setting(other) => {
                set(&mut parameters, other, cell)?;
                notes.push(format!("{other} is {cell} for this case: the column is called as the setting"));
            }
            _ => (),
        }
    }
    let settings = &parameters.settings;
    let usual = mask.tolerance_voxels;
    let asked = settings.geometry_tolerance.unwrap_or(0.0);
    // Half a voxel is another place.
    let tolerance_voxels = usual.max(asked.min(0.49));
    let resample = if settings.correct_mask { Resample::Nearest } else { mask.resample };
    let how = read::Params { tolerance_voxels, resample, ..*mask };
    let (image_file, _) = input::image_under(&case.image, None, Some(&case.mask), how.uneven)?;
    let mask_file = input::image_bytes(&case.mask, None, how.uneven)?;
    let on = image_file.on().ok_or_else(|| Error::NoImageFile(case.image.clone()))?;
    let label = Label::Value(settings.label);
    let region = mask_file.region_in(&case.mask, label, Some(settings.label_channel), on, &how)?;
    let (image, said) = image_file.image_as_stored(&case.image)?;
    notes.extend(region.reading.sentences());
    notes.extend(said.into_iter().map(|note| format!("image: {note}")));
    let sha256 = [image_file.sha256, mask_file.sha256];
    Ok(Pair { image, mask: region.mask, parameters, notes, sha256 })
}

/// The values of one case, with pyradiomics' `diagnostics_` columns first.
pub fn measured(case: &Case, parameters: &Parameters, mask: &read::Params, job: &Job) -> Result<Found, Error> {
    let Pair { image, mask, parameters, mut notes, sha256: [image_sha256, mask_sha256] } =
        read_pair(case, parameters, mask)?;
    let settings = &parameters.settings;
    let found = extract(&image, &mask, &parameters, job).map_err(|cause| match cause {
        ExtractError::Cancelled(cancelled) => Error::Cancelled(cancelled),
        other => Error::Extract(other),
    })?;
    notes.extend(found.notes);
    let mut values = Vec::new();
    if settings.additional_info {
        let version = ("diagnostics_Versions_osteon".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        let hashes = [("diagnostics_Image-original_", &image_sha256), ("diagnostics_Mask-original_", &mask_sha256)];
        let mut told = vec![version];
        for (name, value) in found.diagnostics {
            for (prefix, hash) in hashes {
                let own = format!("{prefix}Hash");
                if name.starts_with(prefix) && !told.iter().any(|it| it.0 == own) {
                    told.push((own, hash.clone()));
                }
            }
            told.push((name, value));
        }
        values.extend(told.into_iter().map(|(name, value)| (name, Value::Text(value))));
    }
    values.extend(found.values.into_iter().map(|(name, value)| (name, value.map_or(Value::Undefined, Value::Number))));
    Ok(Found { values, notes, failures: Vec::new() })
}

/// Writes feature maps of one image and mask into a folder, one compressed NIfTI file each, and tells which and what
/// should be said.
pub fn feature_maps(request: &MapsRequest, job: &Job) -> Result<(Vec<PathBuf>, Vec<String>), Error> {
    let MapsRequest { image, mask, parameters, reading, names, folder } = request;
    let case = Case::of_files(image, mask);
    let pair = read_pair(&case, parameters, reading)?;
    let (found, notes) = maps(&pair.image, &pair.mask, &pair.parameters, names, job).map_err(|cause| match cause {
        MapError::Extract(ExtractError::Cancelled(cancelled)) => Error::Cancelled(cancelled),
        MapError::Extract(other) => Error::Extract(other),
        other => Error::Request(format!("--maps: {other}")),
    })?;
    let mut told = pair.notes;
    told.extend(notes);
    std::fs::create_dir_all(folder).map_err(|source| Error::File { path: folder.clone(), source })?;
    let mut written = Vec::new();
    for map in found {
        let path = folder.join(format!("{}.nii.gz", map.name));
        let too_long = || Error::Request(format!("{}: an axis has more than 32767 voxels", map.name));
        let bytes = nifti::compressed_volume(&map.volume).ok_or_else(too_long)?;
        let undefined = map.volume.as_slice().iter().filter(|value| value.is_nan()).count();
        if undefined > 0 && !pair.parameters.kernel.initial.is_nan() {
            told.push(format!("{}: no value in {}, which hold nan", map.name, counted(undefined, "voxel")));
        }
        write_whole(&path, &bytes).map_err(|source| Error::File { path: path.clone(), source })?;
        written.push(path);
    }
    Ok((written, told))
}

fn is_setting(name: &str) -> bool {
    osteon_radiomics::pyradiomics::SETTINGS.contains(&name)
}
