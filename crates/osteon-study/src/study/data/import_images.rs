//! Images and masks linked to patients, from a manifest or from a folder; each pair checked before it is linked.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::store::{ImageFile, PatientId, Role};
use crate::study::data::input;
use crate::study::data::layout;
use crate::study::data::manifest::{self, Entry, Found, LeftOut};
use crate::study::{BadRows, Error, Refusal, Study};
use osteon_radiomics::read::dicom::{On, Params, deviations};
use osteon_radiomics::read::{self, Label};

/// What an import of images did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImagesReport {
    pub refused: Vec<Refusal>,
    /// Files linked anew or in place of others.
    pub linked: usize,
    /// Files that were linked just so before.
    pub unchanged: usize,
    pub patients: usize,
    /// Files and patients of a folder that are not linked, and why.
    pub left_out: Vec<LeftOut>,
    pub notes: Vec<String>,
    /// How a patient's series deviates from the acquisition that the protocol expects.
    pub warnings: Vec<String>,
    /// What is, or would be, linked.
    pub links: Vec<Link>,
    pub applied: bool,
}

/// The files of one patient, as paths below the folder or the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    pub code: String,
    pub image: String,
    pub mask: String,
    pub repeat_mask: String,
    /// In the order of x, y, z.
    pub voxels: String,
}

/// Pairs of images and masks, checked but not yet linked.
pub struct Pairs {
    report: ImagesReport,
    files: Vec<ImageFile>,
    source: String,
}

/// One patient's files, and what is odd about them.
struct Sound {
    files: Vec<ImageFile>,
    link: Link,
    warnings: Vec<String>,
}

impl Pairs {
    /// What would be linked, what would be refused, and what found no pair.
    pub fn report(&self) -> &ImagesReport {
        &self.report
    }
}

impl Study {
    /// Links the files of a manifest, or of a folder with one folder a patient, as `pair_images` finds them.
    pub fn import_images(&self, source: &Path, bad_rows: BadRows) -> Result<ImagesReport, Error> {
        self.link_images(self.pair_images(source)?, bad_rows)
    }

    /// Links pairs; with a refusal nothing is linked, unless bad rows are skipped.
    pub fn link_images(&self, pairs: Pairs, bad_rows: BadRows) -> Result<ImagesReport, Error> {
        let Pairs { mut report, files, source } = pairs;
        if bad_rows == BadRows::Refuse && !report.refused.is_empty() {
            return Ok(report);
        }
        self.store.write(&format!("import images {source}"), |write| {
            for file in &files {
                let new = write.link_image(file)?;
                report.linked += usize::from(new);
                report.unchanged += usize::from(!new);
            }
            Ok(ImagesReport { applied: true, ..report })
        })
    }

    /// Reads the files of a manifest, or of a folder with one folder a patient, and links nothing. A file that is no
    /// image, lies outside, or does not lie on its image's grid is refused.
    pub fn pair_images(&self, source: &Path) -> Result<Pairs, Error> {
        let codes: Vec<String> = self.store.patients()?.into_iter().map(|patient| patient.code).collect();
        let found = if source.is_dir() { layout::folder(source, &codes)? } else { manifest::file(source)? };
        let Found { entries: named, refused, left_out, notes } = found;
        let mut report = ImagesReport { refused, left_out, notes, ..ImagesReport::default() };
        let base = canonical(if source.is_dir() { source } else { source.parent().unwrap_or(Path::new("")) })?;
        let home = canonical(&self.folder())?;
        let mut entries = Vec::new();
        for mut entry in named {
            if let Some(code) = manifest::matching(&entry.code, &codes).filter(|code| **code != entry.code) {
                report.notes.push(format!("{} is taken for the patient {code}", entry.code));
                entry.code.clone_from(code);
            }
            if entries.iter().any(|(_, other): &(PatientId, Entry)| other.code == entry.code) {
                let expected = "each patient once: two folders or rows mean the same patient";
                report.refused.push(entry.refusal("patient", &entry.code, expected));
                continue;
            }
            match self.store.find_patient(&entry.code)? {
                Some(patient) => entries.push((patient.id, entry)),
                None => report.refused.push(entry.refusal("patient", &entry.code, "a patient of the study")),
            }
        }
        let (expected, mask) = (&self.protocol.acquisition, &self.protocol.mask);
        let checked: Vec<Result<Sound, Refusal>> =
            entries.par_iter().map(|(patient, entry)| check(*patient, entry, [&base, &home], expected, mask)).collect();
        let mut files = Vec::new();
        for sound in checked {
            match sound {
                Err(refusal) => report.refused.push(refusal),
                Ok(sound) => {
                    files.extend(sound.files);
                    report.links.push(sound.link);
                    report.warnings.extend(sound.warnings);
                }
            }
        }
        if report.links.is_empty() && report.refused.is_empty() {
            report.notes.push(format!("nothing to link; {}", layout::LAYOUTS));
        }
        report.refused.sort_by_key(|refusal| refusal.line);
        report.patients = report.links.len();
        let source = source.file_name().unwrap_or(source.as_os_str()).to_string_lossy().into_owned();
        Ok(Pairs { report, files, source })
    }

    /// Where a linked file lies.
    pub fn path_of(&self, file: &ImageFile) -> PathBuf {
        self.folder().join(&file.path)
    }
}

/// Reads the files of one patient and compares their grids.
fn check(
    patient: PatientId,
    entry: &Entry,
    [base, home]: [&Path; 2],
    expected: &Params,
    mask: &read::Params,
) -> Result<Sound, Refusal> {
    let mut identity = None;
    let mut files: Vec<ImageFile> = Vec::new();
    let mut warnings = Vec::new();
    for (role, path) in entry.files() {
        let shown = path.to_string_lossy();
        let refuse = |expected: String| entry.refusal(role.name(), &shown, &expected);
        let place = place_of(base, path).map_err(refuse)?;
        let part = if role == Role::Image { &entry.series } else { &entry.structure };
        let bytes = input::image_bytes(&place, part.as_deref(), mask.uneven).map_err(|cause| refuse(reason(&cause)))?;
        let label = if role == Role::Image { None } else { entry.label };
        let geometry = match files.first() {
            None => bytes.geometry().cloned().ok_or_else(|| refuse("an image, not contours".to_owned()))?,
            Some(image) => {
                let picked = label.map_or(Label::Only, Label::Value);
                let on = On { geometry: &image.geometry, identity: identity.as_ref() };
                let region = bytes.region(&place, picked, on, mask).map_err(|cause| refuse(reason(&cause)))?;
                let said = region.reading.sentences();
                warnings.extend(said.into_iter().map(|what| format!("{} {}: {what}", entry.code, role.name())));
                bytes.geometry().unwrap_or(&image.geometry).clone()
            }
        };
        if role == Role::Image {
            identity = bytes.identity().cloned();
        }
        warnings.extend(bytes.notes().iter().map(|what| format!("{} {}: {what}", entry.code, role.name())));
        let acquisition = bytes.acquisition().filter(|_| role == Role::Image).cloned();
        if let Some(found) = &acquisition {
            warnings.extend(deviations(found, expected).into_iter().map(|what| format!("{}: {what}", entry.code)));
        }
        let mut path = stored_path(home, &place).into_os_string();
        if path.to_string_lossy().contains('#') {
            return Err(refuse("a path without #".to_owned()));
        }
        path.extend(part.iter().flat_map(|part| ["#", part]).map(std::ffi::OsStr::new));
        let path = PathBuf::from(path);
        let sha256 = bytes.sha256.clone();
        files.push(ImageFile { patient, role, path, sha256, bytes: bytes.len, label, geometry, acquisition });
    }
    let [nz, ny, nx] = files[0].geometry.shape;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let link = Link {
        code: entry.code.clone(),
        image: text(&entry.image),
        mask: text(&entry.mask),
        repeat_mask: entry.repeat_mask.as_deref().map(text).unwrap_or_default(),
        voxels: format!("{nx} x {ny} x {nz}"),
    };
    Ok(Sound { files, link, warnings })
}

/// Where a path of a manifest or a folder leads: an absolute one as it is, others below `base`, `..` taken away. A
/// symbolic link is followed when it is read, and stored as the link.
fn place_of(base: &Path, path: &Path) -> Result<PathBuf, String> {
    use std::path::Component::{CurDir, ParentDir};
    let mut place = PathBuf::new();
    for part in base.join(path).components() {
        match part {
            CurDir => (),
            ParentDir => drop(place.pop()),
            part => place.push(part),
        }
    }
    place.canonicalize().map_err(|cause| format!("a file that can be read ({cause})"))?;
    Ok(place)
}

/// How the place of a file is stored: relative to the study where it lies below it.
pub fn stored_path(home: &Path, place: &Path) -> PathBuf {
    place.strip_prefix(home).unwrap_or(place).to_owned()
}

pub fn canonical(folder: &Path) -> Result<PathBuf, Error> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    folder.canonicalize().map_err(|source| Error::File { path: folder.to_owned(), source })
}

/// The cause alone: the refusal names the file.
fn reason(error: &Error) -> String {
    let cause = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    error.hint().map_or_else(|| cause.clone(), |hint| format!("{cause}; {hint}"))
}
