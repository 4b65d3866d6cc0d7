//! Which file is whose image or mask: read from a manifest, or found in a folder with one folder a patient.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::store::Role;
use crate::study::data::input;
use crate::study::{Error, Refusal};
use osteon_radiomics::read::dicom::Kind;

/// The files of one patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Line in the manifest; 0 for a folder.
    pub line: u64,
    pub code: String,
    pub image: PathBuf,
    pub mask: PathBuf,
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
    pub notes: Vec<String>,
}

/// How deep below a folder images are looked for.
const DEPTH: usize = 6;
const SUFFIXES: [&str; 7] = [".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".zip"];

impl Entry {
    /// Image first.
    pub fn files(&self) -> Vec<(Role, &Path)> {
        let mut files = vec![(Role::Image, self.image.as_path()), (Role::Mask, self.mask.as_path())];
        files.extend(self.repeat_mask.as_deref().map(|path| (Role::RepeatMask, path)));
        files
    }

    pub fn refusal(&self, column: &str, value: &str, expected: &str) -> Refusal {
        let column = if self.line == 0 { format!("{} {column}", self.code) } else { column.to_owned() };
        Refusal { line: self.line, column, value: value.to_owned(), expected: expected.to_owned() }
    }
}

/// Reads a manifest: CSV with the columns `patient`, `image`, `mask` and, where wanted, `repeat_mask`, `label` (a number,
/// or the name of a contoured structure) and `series`. An image may be a folder or an archive of DICOM files.
/// Paths are relative to the manifest.
pub fn file(path: &Path) -> Result<Found, Error> {
    let text = input::text(path)?;
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let headers: Vec<String> = reader.headers()?.iter().map(str::to_lowercase).collect();
    let find = |name: &str| headers.iter().position(|header| header == name);
    let need = |name: &str| {
        let columns = || headers.join(", ");
        find(name)
            .ok_or_else(|| Error::Header(format!("no column {name}; found {}", osteon_base::text::clean(&columns()))))
    };
    let (patient, image, mask) = (need("patient")?, need("image")?, need("mask")?);
    let repeat = find("repeat_mask").or(find("repeat mask"));
    let (label, series) = (find("label").or(find("roi")), find("series"));
    let mut found = Found::default();
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: usize| osteon_base::text::clean(record.get(at).unwrap_or_default()).into_owned();
        let optional = |at: Option<usize>| at.map(cell).filter(|cell| !cell.is_empty());
        let mut refuse = |column: &str, value: String, expected: &str| {
            found.refused.push(Refusal { line, column: column.to_owned(), value, expected: expected.to_owned() });
        };
        if let Some((name, _)) =
            [("patient", patient), ("image", image), ("mask", mask)].into_iter().find(|(_, at)| cell(*at).is_empty())
        {
            refuse(name, String::new(), "a name");
            continue;
        }
        // A label is a number, the name of a structure is none.
        let named = optional(label);
        let label = named.as_ref().and_then(|text| text.parse::<i64>().ok());
        let structure = named.filter(|_| label.is_none());
        if found.entries.iter().any(|entry: &Entry| entry.code == cell(patient)) {
            refuse("patient", cell(patient), "each patient once");
            continue;
        }
        found.entries.push(Entry {
            line,
            code: cell(patient),
            image: cell(image).into(),
            mask: cell(mask).into(),
            repeat_mask: optional(repeat).map(PathBuf::from),
            label,
            structure,
            series: optional(series),
        });
    }
    Ok(found)
}

/// Looks through a folder: `PATIENT/image.nii.gz`, `PATIENT/mask.nii.gz`, `PATIENT/repeat_mask.nii.gz`, or BIDS
/// (`sub-PATIENT/anat/...`, masks below `derivatives`). What a file is, its name says; of a DICOM file its modality,
/// and the slices of one folder are one image.
pub fn folder(base: &Path) -> Result<Found, Error> {
    let mut files = Vec::new();
    walk(base, Path::new(""), DEPTH, &mut files)?;
    files.sort();
    let mut found = Found::default();
    let mut patients: BTreeMap<String, BTreeMap<Role, Vec<PathBuf>>> = BTreeMap::new();
    for file in files {
        let Some((role, path)) = role(&file).map(|role| (role, file.clone())).or_else(|| dicom_role(base, &file))
        else {
            continue;
        };
        match owner(&file) {
            None => found.notes.push(format!("{}: in no patient's folder, left out", file.display())),
            Some(code) => {
                let paths = patients.entry(code).or_default().entry(role).or_default();
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
    }
    for (code, mut files) in patients {
        if let Some((role, paths)) = files.iter().find(|(_, paths)| paths.len() > 1) {
            let value = paths.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>().join(", ");
            let expected = "one file; a manifest says which".to_owned();
            found.refused.push(Refusal { line: 0, column: format!("{code} {}", role.name()), value, expected });
            continue;
        }
        let mut take = |role| files.remove(&role).and_then(|mut paths| paths.pop());
        match (take(Role::Image), take(Role::Mask), take(Role::RepeatMask)) {
            (Some(image), Some(mask), repeat_mask) => {
                found.entries.push(Entry {
                    line: 0,
                    code,
                    image,
                    mask,
                    repeat_mask,
                    label: None,
                    structure: None,
                    series: None,
                });
            }
            (image, ..) => {
                let missing = if image.is_some() { "mask" } else { "image" };
                found.notes.push(format!("{code}: no {missing}, left out"));
            }
        }
    }
    Ok(found)
}

fn walk(base: &Path, below: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let path = base.join(below);
    let wrong = |source| Error::File { path: path.clone(), source };
    for entry in std::fs::read_dir(&path).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let (kind, place) = (entry.file_type().map_err(wrong)?, below.join(entry.file_name()));
        // A symbolic link is neither a file nor a folder here.
        if kind.is_dir() && depth > 0 {
            walk(base, &place, depth - 1, files)?;
        } else if kind.is_file() {
            files.push(place);
        }
    }
    Ok(())
}

/// The patient: BIDS' `sub-` folder, else the first folder.
fn owner(file: &Path) -> Option<String> {
    let folders: Vec<String> = file.parent()?.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let subject = folders.iter().find_map(|name| name.strip_prefix("sub-"));
    subject.map(str::to_owned).or_else(|| folders.first().cloned())
}

/// A slice stands for its folder, contours and segmentations for themselves.
fn dicom_role(base: &Path, file: &Path) -> Option<(Role, PathBuf)> {
    let path = base.join(file);
    if !input::is_dicom_file(&path) {
        return None;
    }
    let name = file.to_string_lossy().to_lowercase();
    let is_repeat = ["repeat", "second", "rater2"].iter().any(|word| name.contains(word));
    match input::kind_of(&path)? {
        Kind::Image => Some((Role::Image, file.parent()?.to_owned())),
        _ if is_repeat => Some((Role::RepeatMask, file.to_owned())),
        _ => Some((Role::Mask, file.to_owned())),
    }
}

fn role(file: &Path) -> Option<Role> {
    let name = file.file_name()?.to_string_lossy().to_lowercase();
    let stem = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix))?;
    let any = |words: &[&str]| words.iter().any(|word| stem.contains(word));
    match (any(&["mask", "seg", "label"]), any(&["repeat", "second", "rater2"])) {
        (true, true) => Some(Role::RepeatMask),
        (true, false) => Some(Role::Mask),
        (false, _) => Some(Role::Image),
    }
}
