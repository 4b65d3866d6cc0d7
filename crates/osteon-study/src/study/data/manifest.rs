//! Which file is whose image or mask: what a manifest says, and what a folder was found to hold.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::store::{LESION, Role};
use crate::study::data::input;
use crate::study::{Error, Refusal};
use osteon_base::cells;

/// The files of one patient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Line in the manifest; 0 for a folder.
    pub line: u64,
    pub code: String,
    /// As the manifest names it, by its sequence and `timepoint` or by the slot's own name; empty for the only one.
    pub slot: String,
    pub timepoint: String,
    /// What the mask is of, and who drew it; empty for the only one.
    pub lesion: String,
    pub rater: String,
    pub image: PathBuf,
    /// None where the masks of another slot serve.
    pub mask: Option<PathBuf>,
    pub repeat_mask: Option<PathBuf>,
    /// Label of the masks.
    pub label: Option<i64>,
    /// Structure of contours or of a segmentation.
    pub structure: Option<String>,
    /// Series of a folder or archive.
    pub series: Option<String>,
}

/// What a manifest or a folder names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub entries: Vec<Entry>,
    pub refused: Vec<Refusal>,
    pub left_out: Vec<LeftOut>,
    pub notes: Vec<String>,
}

/// A file of a folder, or a patient, that is not linked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Empty where it is in no patient's folder.
    pub code: String,
    /// Empty where it is the patient.
    pub path: PathBuf,
    pub why: String,
}

impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path.to_string_lossy();
        let parts: Vec<&str> = [&self.code, &*path, &self.why].into_iter().filter(|part| !part.is_empty()).collect();
        write!(f, "{}, left out", parts.join(": "))
    }
}

/// Headers of a manifest; the first name of each is ours, the others those of pyradiomics and of clinical files.
pub(in crate::study) const PATIENT: &[&str] =
    &["patient", "patient_id", "patient id", "patientid", "id", "subject", "case", "code"];
pub(in crate::study) const IMAGE: &[&str] = &["image", "img", "image_path", "imagepath"];
const SLOTS: &[&str] = &["slot", "sequence", "image_slot"];
const REPEAT: &[&str] = &["repeat_mask", "repeat mask", "repeat", "repeatmask", "second_mask", "mask2", "mask_2"];
pub(in crate::study) const MASK: &[&str] = &["mask", "segmentation", "seg", "mask_path", "maskpath"];

impl Entry {
    /// Image first.
    pub fn files(&self) -> Vec<(Role, &Path)> {
        let mut files = vec![(Role::Image, self.image.as_path())];
        files.extend(self.mask.as_deref().map(|path| (self.role(), path)));
        files.extend(self.repeat_mask.as_deref().map(|path| (Role::RepeatMask, path)));
        files
    }

    /// What its mask is by the rater who drew it.
    pub fn role(&self) -> Role {
        if self.rater.is_empty() { Role::Mask } else { Role::named(&self.rater) }
    }

    pub fn lesion(&self) -> &str {
        if self.lesion.is_empty() { LESION } else { &self.lesion }
    }

    pub fn refusal(&self, column: &str, value: &str, expected: &str) -> Refusal {
        let column = if self.line == 0 { format!("{} {column}", self.code) } else { column.to_owned() };
        Refusal { line: self.line, column, value: value.to_owned(), expected: expected.to_owned() }
    }
}

/// Reads a manifest: a file of cells with the columns `patient`, `image`, `mask` and, where wanted, `repeat_mask`,
/// `label` (a number, or the name of a contoured structure), `series`, `slot`, `timepoint`, `lesion` and `rater`. An
/// image may be a folder or an archive of DICOM files. Paths are relative to the manifest.
pub fn file(path: &Path) -> Result<Found, Error> {
    let wrong = |cause: &dyn std::fmt::Display| Error::Header(format!("{}: {cause}", path.display()));
    let grid = cells::read(&input::bytes(path)?, &cells::Params::default()).map_err(|cause| wrong(&cause))?;
    let (header, rows) = grid.headed().ok_or_else(|| wrong(&"no header, expected patient,image,mask"))?;
    let headers: Vec<String> = header.texts().map(str::to_lowercase).collect();
    let find = |names: &[&str]| names.iter().find_map(|name| headers.iter().position(|header| header == name));
    let need = |names: &[&str]| {
        let found = || osteon_base::text::clean(&headers.join(", ")).into_owned();
        find(names).ok_or_else(|| {
            Error::Header(format!("no column {} ({}); found {}", names[0], names[1..].join(", "), found()))
        })
    };
    let (patient, image, mask) = (need(PATIENT)?, need(IMAGE)?, need(MASK)?);
    let repeat = find(REPEAT);
    let (label, series) = (find(&["label", "roi", "structure", "segment"]), find(&["series"]));
    let (slot, timepoint) = (find(SLOTS), find(&["timepoint", "time point", "time_point", "session", "visit"]));
    let (lesion, rater) = (find(&["lesion", "lesion_id", "tumour", "tumor"]), find(&["rater", "reader", "observer"]));
    let mut seen = BTreeSet::new();
    let mut found = Found { notes: grid.notes.iter().map(|note| note.to_string()).collect(), ..Found::default() };
    let known = [repeat, label, series, slot, timepoint, lesion, rater, Some(patient), Some(image), Some(mask)];
    let unread = headers.iter().enumerate().filter(|(at, name)| !name.is_empty() && !known.contains(&Some(*at)));
    let unread: Vec<&str> = unread.map(|(_, name)| name.as_str()).collect();
    if !unread.is_empty() {
        let told = osteon_base::text::clean(&unread.join(", ")).into_owned();
        found.notes.push(format!(
            "columns of the manifest that were not read: {told}; known are patient, image, mask, repeat_mask, label, series, \
             slot, timepoint, lesion and rater"
        ));
    }
    for row in rows {
        let line = row.line as u64;
        let cell = |at: usize| osteon_base::text::clean(row.text(at)).into_owned();
        let optional = |at: Option<usize>| at.map(cell).filter(|cell| !cell.is_empty());
        let mut refuse = |column: &str, value: String, expected: &str| {
            found.refused.push(Refusal { line, column: column.to_owned(), value, expected: expected.to_owned() });
        };
        let needed = [("patient", patient), ("image", image), ("mask", mask)];
        let may_lack = |name: &str| name == "mask" && slot.is_some();
        if let Some((name, _)) = needed.into_iter().find(|(name, at)| cell(*at).is_empty() && !may_lack(name)) {
            refuse(name, String::new(), "a name");
            continue;
        }
        // A label is a number, the name of a structure is none.
        let named = optional(label);
        let label = named.as_ref().and_then(|text| text.parse::<i64>().ok());
        let structure = named.filter(|_| label.is_none());
        let entry = Entry {
            line,
            code: cell(patient),
            slot: optional(slot).unwrap_or_default(),
            timepoint: optional(timepoint).unwrap_or_default(),
            lesion: optional(lesion).unwrap_or_default(),
            rater: optional(rater).unwrap_or_default(),
            image: cell(image).into(),
            mask: optional(Some(mask)).map(PathBuf::from),
            repeat_mask: optional(repeat).map(PathBuf::from),
            label,
            structure,
            series: optional(series),
        };
        // Patients' ids are told apart by capital letters, words for slots and lesions are not.
        let place = [&entry.slot, &entry.timepoint, &entry.lesion, &entry.rater].map(|part| part.to_lowercase());
        if !seen.insert((entry.code.clone(), place)) {
            refuse(
                "patient",
                cell(patient),
                "each patient once: the columns slot, timepoint, lesion and rater tell several images or masks apart; masks \
                 of one lesion have to be merged into one file",
            );
            continue;
        }
        found.entries.push(entry);
    }
    Ok(found)
}

/// The manifest of a folder of images, where it holds just one: the only table of cells with the columns of a manifest.
pub fn in_folder(folder: &Path) -> Result<Option<Found>, Error> {
    let wrong = |source| Error::File { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        if ["csv", "tsv"].contains(&&*ending)
            && let Ok(manifest) = file(&path)
        {
            found.push((path, manifest));
        }
    }
    if found.len() != 1 {
        return Ok(None);
    }
    Ok(found.pop().map(|(path, mut manifest)| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        manifest.notes.push(format!("the folder's {} is a manifest and was read", osteon_base::text::clean(&name)));
        manifest
    }))
}

/// The patient id that a name means: itself, or the only one that differs by `sub-` or leading zeros.
pub fn matching<'a>(name: &str, codes: &'a [String]) -> Option<&'a String> {
    codes.iter().find(|code| *code == name).or_else(|| match alike(name, codes)[..] {
        [only] => Some(only),
        _ => None,
    })
}

/// Patient ids that differ from a name by no more than `sub-` or leading zeros.
pub fn alike<'a>(name: &str, codes: &'a [String]) -> Vec<&'a String> {
    let plain = |name: &str| {
        let name = name.strip_prefix("sub-").unwrap_or(name).to_owned();
        let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        let digits = name.trim_start_matches('0');
        if is_number { (if digits.is_empty() { "0" } else { digits }).to_owned() } else { name }
    };
    codes.iter().filter(|code| plain(code) == plain(name)).collect()
}
