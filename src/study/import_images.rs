//! Images and masks linked to patients, from a manifest or from a folder; each pair checked before it is linked.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::read::check_pair;
use crate::store::{ImageFile, PatientId, Role};
use crate::study::manifest::{self, Entry};
use crate::study::{BadRows, Error, Refusal, Study, input};

/// What an import of images did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImagesReport {
    pub refused: Vec<Refusal>,
    /// Files linked anew or in place of others.
    pub linked: usize,
    /// Files that were linked just so before.
    pub unchanged: usize,
    pub patients: usize,
    /// What in a folder was not understood.
    pub notes: Vec<String>,
    pub applied: bool,
}

impl Study {
    /// Links the files of a manifest, or of a folder with one folder a patient. A file that is no image, lies outside,
    /// or does not lie on its image's grid is refused; with a refusal nothing is linked, unless bad rows are skipped.
    pub fn import_images(&self, source: &Path, bad_rows: BadRows) -> Result<ImagesReport, Error> {
        let found = if source.is_dir() { manifest::folder(source)? } else { manifest::file(source)? };
        let mut report = ImagesReport { refused: found.refused, notes: found.notes, ..ImagesReport::default() };
        let base = canonical(if source.is_dir() { source } else { source.parent().unwrap_or(Path::new("")) })?;
        let home = canonical(&self.folder())?;
        let mut entries = Vec::new();
        for entry in found.entries {
            match self.store.find_patient(&entry.code)? {
                Some(patient) => entries.push((patient.id, entry)),
                None => report.refused.push(entry.refusal("patient", &entry.code, "a patient of the study")),
            }
        }
        let checked: Vec<Result<Vec<ImageFile>, Refusal>> =
            entries.par_iter().map(|(patient, entry)| check(*patient, entry, &base, &home)).collect();
        let mut good = Vec::new();
        for files in checked {
            files.map_or_else(|refusal| report.refused.push(refusal), |files| good.push(files));
        }
        report.refused.sort_by_key(|refusal| refusal.line);
        report.patients = good.len();
        if bad_rows == BadRows::Refuse && !report.refused.is_empty() {
            return Ok(report);
        }
        let name = source.file_name().unwrap_or(source.as_os_str()).to_string_lossy();
        self.store.write(&format!("import images {name}"), |write| {
            for file in good.iter().flatten() {
                let new = write.link_image(file)?;
                report.linked += usize::from(new);
                report.unchanged += usize::from(!new);
            }
            Ok(ImagesReport { applied: true, ..report })
        })
    }

    /// Where a linked file lies.
    pub fn path_of(&self, file: &ImageFile) -> PathBuf {
        self.folder().join(&file.path)
    }
}

/// Reads the files of one patient and compares their grids.
fn check(patient: PatientId, entry: &Entry, base: &Path, home: &Path) -> Result<Vec<ImageFile>, Refusal> {
    let mut files = Vec::new();
    for (role, path) in entry.files() {
        let shown = path.to_string_lossy();
        let refuse = |expected: String| entry.refusal(role.name(), &shown, &expected);
        let place = inside(base, path).map_err(refuse)?;
        let bytes = input::image_bytes(&place).map_err(|cause| refuse(reason(&cause)))?;
        let geometry = bytes.header.geometry.clone();
        let label = if role == Role::Image { None } else { entry.label };
        if role != Role::Image {
            let image: &ImageFile = &files[0];
            check_pair(&image.geometry, &geometry).map_err(|cause| refuse(cause.to_string()))?;
            bytes.mask(&place, label).map_err(|cause| refuse(reason(&cause)))?;
        }
        let path = place.strip_prefix(home).map_or_else(|_| place.clone(), Path::to_owned);
        files.push(ImageFile {
            patient,
            role,
            path,
            sha256: bytes.sha256.clone(),
            bytes: bytes.len(),
            label,
            geometry,
        });
    }
    Ok(files)
}

/// The real path of a file below `base`; a path that leads outside, or a symbolic link, is refused.
fn inside(base: &Path, path: &Path) -> Result<PathBuf, String> {
    use std::path::Component::{CurDir, Normal};
    let plain = path.strip_prefix(base).unwrap_or(path);
    if !plain.components().all(|part| matches!(part, Normal(_) | CurDir)) {
        return Err("a file below the folder of the manifest".to_owned());
    }
    let place: PathBuf = base.join(plain).components().filter(|part| *part != CurDir).collect();
    match place.canonicalize() {
        Ok(real) if real == place => Ok(place),
        Ok(_) => Err("a file, not a symbolic link".to_owned()),
        Err(cause) => Err(format!("a file that can be read ({cause})")),
    }
}

fn canonical(folder: &Path) -> Result<PathBuf, Error> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    folder.canonicalize().map_err(|source| Error::File { path: folder.to_owned(), source })
}

/// The cause alone: the refusal names the file.
fn reason(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    }
}
