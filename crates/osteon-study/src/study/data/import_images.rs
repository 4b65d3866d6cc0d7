//! Images and masks linked to patients, from a manifest or from a folder; each pair checked before it is linked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::protocol::Protocol;
use crate::protocol::codebook::slot::Slot;
use crate::store::{ImageFile, PatientId, Role};
use crate::study::data::input;
use crate::study::data::layout;
use crate::study::data::manifest::{self, Entry, Found, LeftOut};
use crate::study::{BadRows, Error, Refusal, Study};
use osteon_radiomics::grid::Image;
use osteon_radiomics::read::Label;
use osteon_radiomics::read::dicom::{On, deviations, diffusivity, unlikely_unit};
use osteon_stats::stats::describe::{Quantiles, quantile};

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
    /// Slot, lesion and rater, where they are not the only ones.
    pub of: String,
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
        // A folder has no bytes of its own: those of the files that are linked stand for it.
        let hashes: String = files.iter().map(|file| file.sha256.as_str()).collect();
        self.store.write(&format!("import images {source}"), |write| {
            let first = write.last_change()? + 1;
            for file in &files {
                let new = write.link_image(file)?;
                report.linked += usize::from(new);
                report.unchanged += usize::from(!new);
            }
            write.end_import("images", &source, &crate::store::sha256(&hashes), first, None)?;
            Ok(ImagesReport { applied: true, ..report })
        })
    }

    /// Reads the files of a manifest, or of a folder with one folder a patient, and links nothing. A file that is no
    /// image, lies outside, or does not lie on its image's grid is refused.
    pub fn pair_images(&self, source: &Path) -> Result<Pairs, Error> {
        self.pair_labelled_images(source, None)
    }

    /// The same; masks for which the manifest names no label have this one: a number, `all`, or the name of a structure.
    pub fn pair_labelled_images(&self, source: &Path, label: Option<&str>) -> Result<Pairs, Error> {
        let codes: Vec<String> = self.store.patients()?.into_iter().map(|patient| patient.code).collect();
        let mut found = if source.is_dir() {
            layout::folder(source, &codes, self.protocol.slots())?
        } else {
            manifest::file(source)?
        };
        if source.is_dir() && found.entries.is_empty() && found.refused.is_empty() {
            found = manifest::in_folder(source)?.unwrap_or(found);
        }
        let Found { entries: mut named, refused, left_out, notes } = found;
        for entry in named.iter_mut().filter(|entry| entry.label.is_none() && entry.structure.is_none()) {
            entry.label = label.and_then(|label| label.parse().ok());
            entry.structure = label.filter(|_| entry.label.is_none()).map(str::to_owned);
        }
        // The folder that is called exactly as a patient is theirs; one that may mean them comes after.
        if source.is_dir() {
            named.sort_by_key(|entry| !codes.contains(&entry.code));
        }
        let mut report = ImagesReport { refused, left_out, notes, ..ImagesReport::default() };
        let base = canonical(if source.is_dir() { source } else { source.parent().unwrap_or(Path::new("")) })?;
        let home = canonical(&self.folder())?;
        let mut entries: Vec<(PatientId, Entry)> = Vec::new();
        // Masks by patient, slot, lesion and rater; the image of each patient's slot.
        let mut seen = BTreeSet::new();
        let mut images: BTreeMap<(String, String), (PathBuf, Option<String>)> = BTreeMap::new();
        for mut entry in named {
            match self.slot_named(&entry) {
                Ok(slot) => entry.slot = slot,
                Err((found, expected)) => {
                    report.refused.push(entry.refusal("slot", &found, &expected));
                    continue;
                }
            }
            if entry.mask.is_none() && self.protocol.slot(&entry.slot).is_none_or(|slot| slot.masks_of.is_empty()) {
                let expected = format!("a mask, or image.{}.masks_of in the protocol", entry.slot);
                report.refused.push(entry.refusal("mask", "", &expected));
                continue;
            }
            if let Some(code) = manifest::matching(&entry.code, &codes).filter(|code| **code != entry.code) {
                report.notes.push(format!("{} is taken for the patient {code}", entry.code));
                entry.code.clone_from(code);
            }
            let place = (entry.code.clone(), entry.slot.clone(), entry.lesion().to_owned(), entry.role());
            if seen.contains(&place) {
                let expected = "each patient once: two folders or rows mean the same patient";
                report.refused.push(entry.refusal("patient", &entry.code, expected));
                continue;
            }
            let slot = (entry.code.clone(), entry.slot.clone());
            let image = (entry.image.clone(), entry.series.clone());
            if let Some((other, _)) = images.get(&slot).filter(|other| **other != image) {
                let expected = format!("one image in the slot {}; {} was named before", entry.slot, other.display());
                report.refused.push(entry.refusal("image", &entry.image.to_string_lossy(), &expected));
                continue;
            }
            match self.store.find_patient(&entry.code)? {
                Some(patient) => {
                    seen.insert(place);
                    images.entry(slot).or_insert(image);
                    entries.push((patient.id, entry));
                }
                None => {
                    let alike =
                        manifest::alike(&entry.code, &codes).into_iter().cloned().collect::<Vec<_>>().join(", ");
                    let more = if alike.is_empty() { String::new() } else { format!("; it may mean each of {alike}") };
                    let expected = format!("a patient of the study{more}");
                    report.refused.push(entry.refusal("patient", &entry.code, &expected));
                }
            }
        }
        let slots = self.protocol.slots().iter().map(|slot| (slot.slot.as_str(), self.protocol.in_slot(&slot.slot)));
        let slots: BTreeMap<&str, Protocol> = slots.collect();
        let checked: Vec<Result<Sound, Refusal>> = entries
            .par_iter()
            .map(|(patient, entry)| check(*patient, entry, [&base, &home], &slots[entry.slot.as_str()]))
            .collect();
        let (mut files, mut linked) = (Vec::new(), BTreeSet::new());
        let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for sound in checked {
            match sound {
                Err(refusal) => report.refused.push(refusal),
                Ok(sound) => {
                    // The image of a slot comes with each of its masks.
                    let place = |it: &ImageFile| (it.patient, it.role.clone(), it.slot.clone(), it.lesion.clone());
                    if let Some(image) = sound.files.iter().find(|file| file.role == Role::Image) {
                        let own = owners.entry(image.sha256.clone()).or_default();
                        if !own.contains(&sound.link.code) {
                            own.push(sound.link.code.clone());
                        }
                    }
                    files.extend(sound.files.into_iter().filter(|it| linked.insert(place(it))));
                    report.links.push(sound.link);
                    report.warnings.extend(sound.warnings);
                }
            }
        }
        for codes in owners.into_values().filter(|codes| codes.len() > 1) {
            report
                .warnings
                .push(format!("{} have the same image, byte for byte: one of them is another's", codes.join(", ")));
        }
        if report.links.is_empty() && report.refused.is_empty() {
            report.notes.push(format!("nothing to link; {}", layout::LAYOUTS));
        }
        report.refused.sort_by_key(|refusal| refusal.line);
        report.patients = report.links.iter().map(|link| &link.code).collect::<BTreeSet<_>>().len();
        let source = source.file_name().unwrap_or(source.as_os_str()).to_string_lossy().into_owned();
        Ok(Pairs { report, files, source })
    }

    /// The slot that an entry means, or what was found instead of one and what is expected.
    fn slot_named(&self, entry: &Entry) -> Result<String, (String, String)> {
        let slots = self.protocol.slots();
        let names = || slots.iter().map(|slot| slot.slot.as_str()).collect::<Vec<_>>().join(", ");
        let Entry { slot, timepoint, .. } = entry;
        if slot.is_empty() && slots.len() == 1 {
            return Ok(slots[0].slot.clone());
        }
        let is = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        let both = [format!("{slot}_{timepoint}"), format!("{slot}-{timepoint}")];
        let named = |it: &&Slot| match timepoint.is_empty() {
            true => is(&it.slot, slot),
            false => {
                let is_then = is(&it.timepoint, timepoint) && (is(&it.sequence, slot) || is(&it.slot, slot));
                is_then || both.iter().any(|both| is(&it.slot, both))
            }
        };
        let mut found = slots.iter().filter(named);
        let shown = format!("{slot} {timepoint}").trim().to_owned();
        match (found.next(), found.next()) {
            (Some(slot), None) => Ok(slot.slot.clone()),
            (None, _) if slot.is_empty() => Err((shown, format!("a column slot with one of {}", names()))),
            (None, _) => Err((shown, format!("one of the protocol's slots: {}", names()))),
            (Some(_), Some(_)) => Err((shown, "one slot; several have this sequence and timepoint".to_owned())),
        }
    }

    /// Where a linked file lies.
    pub fn path_of(&self, file: &ImageFile) -> PathBuf {
        self.folder().join(&file.path)
    }
}

/// Reads the files of one patient and compares their grids.
fn check(patient: PatientId, entry: &Entry, [base, home]: [&Path; 2], protocol: &Protocol) -> Result<Sound, Refusal> {
    let (expected, mask) = (&protocol.acquisition, &protocol.mask);
    let of = what(entry, protocol);
    let whose = if of.is_empty() { entry.code.clone() } else { format!("{} {of}", entry.code) };
    let mut identity = None;
    let mut files: Vec<ImageFile> = Vec::new();
    let mut warnings = Vec::new();
    for (role, path) in entry.files() {
        let shown = path.to_string_lossy();
        let refuse = |expected: String| entry.refusal(role.name(), &shown, &expected);
        let place = place_of(base, path).map_err(refuse)?;
        let mut part = if role == Role::Image { entry.series.clone() } else { entry.structure.clone() };
        let drawn = entry.mask.as_deref().filter(|_| role == Role::Image).and_then(|mask| place_of(base, mask).ok());
        let read = input::image_under(&place, part.as_deref(), drawn.as_deref(), mask.uneven);
        let (bytes, series) = read.map_err(|cause| refuse(reason(&cause)))?;
        part = part.or(series);
        let label = if role == Role::Image { None } else { entry.label };
        let geometry = match files.first() {
            None => bytes.geometry().cloned().ok_or_else(|| refuse("an image, not contours".to_owned()))?,
            Some(image) => {
                let picked = label.map_or(Label::Only, Label::Value);
                let on = On { geometry: &image.geometry, identity: identity.as_ref() };
                let region = bytes.region(&place, picked, on, mask).map_err(|cause| refuse(reason(&cause)))?;
                let said = region.reading.sentences();
                warnings.extend(said.into_iter().map(|what| format!("{whose} {}: {what}", role.name())));
                bytes.geometry().unwrap_or(&image.geometry).clone()
            }
        };
        if role == Role::Image {
            identity = bytes.identity().cloned();
            let unlikely = diffusivity(&expected.unit).and_then(|_| median_above_zero(&bytes.image(&place).ok()?));
            let unlikely = unlikely.and_then(|median| unlikely_unit(median, &expected.unit));
            warnings.extend(unlikely.map(|what| format!("{whose}: {what}")));
        }
        warnings.extend(bytes.notes().iter().map(|what| format!("{whose} {}: {what}", role.name())));
        let acquisition = bytes.acquisition().filter(|_| role == Role::Image).cloned();
        if let Some(found) = &acquisition {
            warnings.extend(deviations(found, expected).into_iter().map(|what| format!("{whose}: {what}")));
        }
        let mut path = stored_path(home, &place).into_os_string();
        if path.to_string_lossy().contains('#') {
            return Err(refuse("a path without #".to_owned()));
        }
        path.extend(part.iter().flat_map(|part| ["#", part]).map(std::ffi::OsStr::new));
        let path = PathBuf::from(path);
        let sha256 = bytes.sha256.clone();
        let lesion = if role == Role::Image { String::new() } else { entry.lesion().to_owned() };
        let (slot, bytes) = (entry.slot.clone(), bytes.len);
        files.push(ImageFile { patient, role, slot, lesion, path, sha256, bytes, label, geometry, acquisition });
    }
    let [nz, ny, nx] = files[0].geometry.shape;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let link = Link {
        code: entry.code.clone(),
        of,
        image: text(&entry.image),
        mask: entry.mask.as_deref().map(text).unwrap_or_default(),
        repeat_mask: entry.repeat_mask.as_deref().map(text).unwrap_or_default(),
        voxels: format!("{nx} x {ny} x {nz}"),
    };
    Ok(Sound { files, link, warnings })
}

/// The median of an image's values above 0: outside the patient a map of quantities is 0.
fn median_above_zero(image: &Image) -> Option<f64> {
    let mut values: Vec<f64> = image.volume.as_slice().iter().copied().filter(|&value| value > 0.0).collect();
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5, Quantiles::Type7)
}

/// Slot, lesion and rater of an entry, where they are not the only ones.
fn what(entry: &Entry, protocol: &Protocol) -> String {
    let slot = if protocol.slots().len() > 1 { entry.slot.clone() } else { String::new() };
    let lesion = if entry.lesion.is_empty() { String::new() } else { format!("lesion {}", entry.lesion) };
    let rater = if entry.rater.is_empty() { String::new() } else { format!("by {}", entry.rater) };
    [slot, lesion, rater].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Where a path of a manifest or a folder leads: an absolute one as it is, others below `base`, `..` taken away. A
/// symbolic link is followed when it is read, and stored as the link.
fn place_of(base: &Path, path: &Path) -> Result<PathBuf, String> {
    use std::path::Component::{CurDir, ParentDir};
    // A manifest written on Windows.
    let text = path.to_string_lossy();
    let turned = PathBuf::from(text.replace('\\', "/"));
    let is_windows = text.contains('\\') && !base.join(path).exists();
    let path = if is_windows { &turned } else { path };
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
