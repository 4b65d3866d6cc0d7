//! A folder of images to pairs: what each file is, whose it is, and why one is left out.

mod names;
mod slots;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::protocol::codebook::slot::Slot;
use crate::store::Role;
use crate::study::data::input;
use crate::study::data::manifest::{Entry, Found, LeftOut, matching};
use crate::study::{Error, Refusal};
use osteon_radiomics::read::dicom::Kind;

/// Said when nothing was found to link.
pub const LAYOUTS: &str = "known layouts: one folder a patient at any depth (PATIENT/image.nii.gz with \
     PATIENT/mask.nii.gz, or DICOM series with RTSTRUCT or SEG, as TCIA and XNAT give them, or a folder of 3D Slicer), \
     BIDS (sub-PATIENT/anat with masks below derivatives), nnU-Net (imagesTr/PATIENT_0000.nii.gz with \
     labelsTr/PATIENT.nii.gz), or a manifest with the columns patient,image,mask";

/// How deep below a folder images are looked for: XNAT keeps slices ten folders down.
const DEPTH: usize = 12;
const SUFFIXES: [&str; 9] = [".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".hdr", ".hdr.gz", ".zip"];

/// Words of a mask's name, and words that tell one only where no other mask is there.
const MASK_WORDS: [&str; 6] = ["mask", "seg", "label", "roi", "gtv", "ctv"];
const WEAK_MASK_WORDS: [&str; 3] = ["tumor", "tumour", "lesion"];
const REPEAT_WORDS: [&str; 3] = ["repeat", "second", "rater2"];

/// A file or folder that may be a patient's image or mask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Candidate {
    path: PathBuf,
    /// DICOM: the series in it, or those on which it was drawn.
    series: BTreeSet<String>,
    /// DICOM: the instances in it.
    instances: BTreeSet<String>,
    /// DICOM: what its series is called, and the modality.
    description: String,
    modality: String,
}

type Files = BTreeMap<Role, Vec<Candidate>>;

/// Looks through a folder: one folder a patient at any depth, BIDS, or nnU-Net. What a file is, its name says; of a
/// DICOM file its modality, and the slices of one folder are one image.
/// Where a study has several slots, each image and mask goes to the slot that its name, its path or the slot's rule
/// says.
pub fn folder(base: &Path, codes: &[String], slots: &[Slot]) -> Result<Found, Error> {
    let mut walk = input::Walk::default();
    input::below(base, DEPTH, &mut walk)?;
    let below = |path: &PathBuf| path.strip_prefix(base).ok().map(Path::to_owned);
    let mut files: Vec<PathBuf> = walk.files.iter().filter_map(below).collect();
    files.sort();
    let mut found = Found::default();
    for dead in walk.dead.iter().filter_map(below) {
        let why = "a link that leads nowhere; datalad get, git annex get or the store's own program fetch the file";
        let code = owner(&dead, codes).unwrap_or_default();
        found.left_out.push(LeftOut { code, path: dead, why: why.to_owned() });
    }
    for empty in walk.empty.iter().filter_map(below).filter(|path| !path.as_os_str().is_empty()) {
        let code = owner(&empty.join("file"), codes).unwrap_or_default();
        found.left_out.push(LeftOut { code, path: empty, why: "an empty folder".to_owned() });
    }
    let mut patients: BTreeMap<String, Files> = BTreeMap::new();
    let mut others: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let parts = of_headers(base, &files);
    for file in files {
        let nn_unet = nn_unet(&file);
        let code = nn_unet.as_ref().map(|(_, code)| code.clone()).or_else(|| owner(&file, codes));
        let named = nn_unet.map(|(role, _)| role).or_else(|| role(&file));
        let named = named.map(|role| (role, Candidate { path: file.clone(), ..Candidate::default() }));
        match (code, named.or_else(|| dicom_role(base, &file))) {
            // Read with the header, or with the slices, that they belong to.
            (_, None) if parts.contains(&file) || file.file_name().is_some_and(|name| name == "DICOMDIR") => (),
            (code, None) => others.entry(code.unwrap_or_default()).or_default().push(file),
            (None, Some(_)) => {
                let why = "in no patient's folder".to_owned();
                found.left_out.push(LeftOut { code: String::new(), path: file, why });
            }
            (Some(code), Some((role, candidate))) => add(patients.entry(code).or_default(), role, candidate),
        }
    }
    for (code, files) in others {
        let names: Vec<String> = files.iter().take(3).map(|file| file.display().to_string()).collect();
        let more = if files.len() > names.len() { ", ..." } else { "" };
        let why = format!("{} files are neither image nor mask: {}{more}", files.len(), names.join(", "));
        found.left_out.push(LeftOut { code, path: PathBuf::new(), why });
    }
    for (code, files) in patients {
        match slots {
            [_] => pair(code, files, &mut found),
            several => slots::pair(code, files, several, &mut found),
        }
    }
    Ok(found)
}

/// The files of voxels that headers among the files name.
fn of_headers(base: &Path, files: &[PathBuf]) -> BTreeSet<PathBuf> {
    let is_header = |file: &&PathBuf| {
        let name = file.to_string_lossy().to_lowercase();
        [".nhdr", ".mhd", ".hdr", ".hdr.gz"].iter().any(|ending| name.ends_with(ending))
    };
    let named = files.iter().filter(is_header).flat_map(|header| input::voxel_files(&base.join(header)));
    named.filter_map(|path| path.strip_prefix(base).ok().map(Path::to_owned)).collect()
}

fn add(files: &mut Files, role: Role, candidate: Candidate) {
    let candidates = files.entry(role).or_default();
    match candidates.iter_mut().find(|own| own.path == candidate.path) {
        Some(own) => {
            own.series.extend(candidate.series);
            own.instances.extend(candidate.instances);
        }
        None => candidates.push(candidate),
    }
}

/// One image and one mask of a patient; several of a kind are refused, unless all but one can be left out.
fn pair(code: String, mut files: Files, found: &mut Found) {
    weak_masks(&mut files);
    let mut left_out = derived(&mut files);
    left_out.extend(of_other_sessions(&mut files));
    left_out.extend(of_other_names(&mut files));
    let (series, others) = drawn_on(&mut files);
    left_out.extend(others);
    found.left_out.extend(left_out.into_iter().map(|(path, why)| LeftOut { code: code.clone(), path, why }));
    if let Some((role, paths)) = files.iter().find(|(_, paths)| paths.len() > 1) {
        let value = paths.iter().map(|own| own.path.to_string_lossy()).collect::<Vec<_>>().join(", ");
        let expected = match role {
            Role::Image => "one image; a manifest (patient,image,mask) says which",
            _ => {
                "one mask, or a second one named repeat or rater2; a manifest (patient,image,mask,repeat_mask) says which"
            }
        };
        let masks = files.get(&Role::Mask).filter(|_| *role == Role::Image).into_iter().flatten();
        let masks: Vec<String> = masks.map(|own| own.path.display().to_string()).collect();
        let beside = if masks.is_empty() { String::new() } else { format!("; the mask is {}", masks.join(", ")) };
        let (column, expected) = (format!("{code} {}", role.name()), format!("{expected}{beside}"));
        found.refused.push(Refusal { line: 0, column, value, expected });
        return;
    }
    if let Some(refusal) = contradicted(&code, &files) {
        found.refused.push(refusal);
        return;
    }
    let mut take = |role| files.remove(&role).and_then(|mut paths| paths.pop()).map(|own| own.path);
    match (take(Role::Image), take(Role::Mask), take(Role::RepeatMask)) {
        (Some(image), Some(mask), repeat_mask) => {
            found.entries.push(Entry { code, image, mask: Some(mask), repeat_mask, series, ..Entry::default() });
        }
        (image, mask, repeat) => {
            let why = match (&image, &mask, &repeat) {
                (Some(_), None, Some(_)) => "no mask, only a repeat mask",
                (Some(_), ..) => "no mask",
                _ => "no image",
            };
            found.left_out.push(LeftOut { code, path: PathBuf::new(), why: why.to_owned() });
        }
    }
}

/// A file called after a tumor is a mask where there is no other, and another image.
fn weak_masks(files: &mut Files) {
    if files.contains_key(&Role::Mask) {
        return;
    }
    let Some(images) = files.get_mut(&Role::Image).filter(|images| images.len() > 1) else { return };
    let is_weak = |own: &Candidate| {
        let name = own.path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        own.series.is_empty() && WEAK_MASK_WORDS.iter().any(|word| name.contains(word))
    };
    let (masks, kept): (Vec<Candidate>, Vec<Candidate>) = images.drain(..).partition(is_weak);
    if kept.is_empty() {
        *images = masks;
        return;
    }
    *images = kept;
    if !masks.is_empty() {
        files.insert(Role::Mask, masks);
    }
}

/// BIDS: images below `derivatives` were made from the raw ones, which count.
fn derived(files: &mut Files) -> Vec<(PathBuf, String)> {
    let Some(images) = files.get_mut(&Role::Image) else { return Vec::new() };
    let is_derived = |own: &Candidate| own.path.iter().any(|part| part == "derivatives");
    if images.iter().all(is_derived) {
        return Vec::new();
    }
    let (others, kept): (Vec<Candidate>, Vec<Candidate>) = images.drain(..).partition(is_derived);
    *images = kept;
    others.into_iter().map(|other| (other.path, "made from the raw image".to_owned())).collect()
}

/// BIDS: images of other sessions than the only one that the masks are of.
fn of_other_sessions(files: &mut Files) -> Vec<(PathBuf, String)> {
    let session = |own: &Candidate| {
        let path = own.path.to_string_lossy().into_owned();
        let mut words = path.split(['/', '\\', '_', '.']).filter(|word| word.starts_with("ses-") && word.len() > 4);
        words.next_back().map(str::to_owned)
    };
    let masks = files.iter().filter(|(role, _)| **role != Role::Image).flat_map(|(_, masks)| masks);
    let sessions: BTreeSet<Option<String>> = masks.map(session).collect();
    let [Some(wanted)] = &sessions.into_iter().collect::<Vec<_>>()[..] else { return Vec::new() };
    let wanted = wanted.clone();
    let Some(images) = files.get_mut(&Role::Image).filter(|images| images.len() > 1) else { return Vec::new() };
    if !images.iter().any(|image| session(image).as_ref() == Some(&wanted)) {
        return Vec::new();
    }
    let is_other = |own: &Candidate| session(own).is_some_and(|it| it != wanted);
    let (others, kept): (Vec<Candidate>, Vec<Candidate>) = images.drain(..).partition(is_other);
    *images = kept;
    others.into_iter().map(|other| (other.path, format!("the mask is of {wanted}"))).collect()
}

/// Of several images, those that the name of the only mask does not mean.
fn of_other_names(files: &mut Files) -> Vec<(PathBuf, String)> {
    let Some([mask]) = files.get(&Role::Mask).map(Vec::as_slice) else { return Vec::new() };
    let (mask, is_drawing) = (mask.path.clone(), !mask.series.is_empty());
    let Some(images) = files.get_mut(&Role::Image).filter(|images| images.len() > 1) else { return Vec::new() };
    if is_drawing || images.iter().any(|image| !image.series.is_empty()) {
        return Vec::new();
    }
    let fits = |own: &Candidate| names::contradiction(&own.path, &mask).is_none();
    let agreement = |own: &Candidate| if fits(own) { names::agreement(&own.path, &mask) + 1 } else { 0 };
    let best = images.iter().map(agreement).max().unwrap_or(0);
    if best < 2 || images.iter().filter(|own| agreement(own) == best).count() != 1 {
        return Vec::new();
    }
    let (kept, others): (Vec<Candidate>, Vec<Candidate>) = images.drain(..).partition(|own| agreement(own) == best);
    *images = kept;
    let why = format!("the mask's name, {}, is of another image", mask.display());
    others.into_iter().map(|other| (other.path, why.clone())).collect()
}

/// Names of an image and its masks that contradict each other, or name another patient; DICOM says what it is itself.
fn contradicted(code: &str, files: &Files) -> Option<Refusal> {
    let [image] = files.get(&Role::Image).map(Vec::as_slice)? else { return None };
    let remedy = "a manifest (patient,image,mask) says that they belong together";
    let refuse = |role: Role, path: &Path, why: String| Refusal {
        line: 0,
        column: format!("{code} {}", role.name()),
        value: path.display().to_string(),
        expected: format!("names that agree: {why}; {remedy}"),
    };
    for (role, own) in files.iter().flat_map(|(role, all)| all.iter().map(move |own| (role, own))) {
        let is_file = own.series.is_empty() && own.instances.is_empty();
        if let Some(other) = names::other_patient(code, &own.path).filter(|_| is_file) {
            let why = format!("the file is called after {other}, its folder after {code}");
            return Some(refuse(role.clone(), &own.path, why));
        }
        if *role != Role::Image
            && is_file
            && image.series.is_empty()
            && let Some(why) = names::contradiction(&image.path, &own.path)
        {
            return Some(refuse(role.clone(), &own.path, why));
        }
    }
    None
}

/// Of several series, the one on which the mask was drawn is the image; its name where its folder holds others.
fn drawn_on(files: &mut Files) -> (Option<String>, Vec<(PathBuf, String)>) {
    let none = (None, Vec::new());
    let Some([mask]) = files.get(&Role::Mask).map(Vec::as_slice) else { return none };
    let wanted = mask.series.clone();
    let Some(images) = files.get_mut(&Role::Image) else { return none };
    let holds = |image: &Candidate| image.series.intersection(&wanted).next().cloned();
    let Some(own) = images.iter().find_map(holds) else { return none };
    let (mut kept, others): (Vec<Candidate>, Vec<Candidate>) = images.drain(..).partition(|it| holds(it).is_some());
    let mut left_out: Vec<(PathBuf, String)> =
        others.into_iter().map(|other| (other.path, "the mask was drawn on another series".to_owned())).collect();
    // The same slices may have been exported twice.
    if let Some(whole) = (0..kept.len()).find(|&at| kept.iter().all(|it| it.instances.is_subset(&kept[at].instances))) {
        let whole = kept.remove(whole);
        let why = format!("the same slices as in {}", whole.path.display());
        left_out.extend(kept.drain(..).map(|other| (other.path, why.clone())));
        kept.push(whole);
    }
    let holds_others = kept.iter().any(|image| image.series.len() > 1);
    *images = kept;
    (holds_others.then_some(own), left_out)
}

/// The patient: the first folder with the name of a patient of the study, else BIDS' `sub-` folder, else the first
/// folder.
fn owner(file: &Path, codes: &[String]) -> Option<String> {
    let folders: Vec<String> = file.parent()?.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let known = folders.iter().find(|name| matching(name, codes).is_some());
    let subject = || folders.iter().find_map(|name| name.strip_prefix("sub-"));
    known.cloned().or_else(|| subject().map(str::to_owned)).or_else(|| folders.first().cloned())
}

/// nnU-Net: `imagesTr/CASE_0000.nii.gz` and `labelsTr/CASE.nii.gz`.
fn nn_unet(file: &Path) -> Option<(Role, String)> {
    let folder = file.parent()?.file_name()?.to_str()?;
    let name = file.file_name()?.to_str()?;
    let stem = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix))?;
    match folder {
        "imagesTr" | "imagesTs" | "imagesVal" => {
            let (case, channel) = stem.rsplit_once('_')?;
            let is_channel = channel.len() == 4 && channel.bytes().all(|byte| byte.is_ascii_digit());
            is_channel.then(|| (Role::Image, case.to_owned()))
        }
        "labelsTr" | "labelsTs" | "labelsVal" => Some((Role::Mask, stem.to_owned())),
        _ => None,
    }
}

/// A slice stands for its folder, contours and segmentations for themselves.
fn dicom_role(base: &Path, file: &Path) -> Option<(Role, Candidate)> {
    let path = base.join(file);
    if !input::is_dicom_file(&path) {
        return None;
    }
    let name = file.to_string_lossy().to_lowercase();
    let input::DicomFile { kind, series, instance, description, modality } = input::kind_of(&path)?;
    let own = |path: &Path| Candidate {
        path: path.to_owned(),
        series: series.into_iter().collect(),
        instances: instance.into_iter().collect(),
        description,
        modality,
    };
    Some(match kind {
        Kind::Image => (Role::Image, own(file.parent()?)),
        _ if REPEAT_WORDS.iter().any(|word| name.contains(word)) => (Role::RepeatMask, own(file)),
        _ => (Role::Mask, own(file)),
    })
}

fn role(file: &Path) -> Option<Role> {
    let name = file.file_name()?.to_string_lossy().to_lowercase();
    // What macOS keeps beside a file of that name.
    if name.starts_with("._") {
        return None;
    }
    let stem = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix))?;
    let any = |words: &[&str]| words.iter().any(|word| stem.contains(word));
    match (any(&MASK_WORDS), any(&REPEAT_WORDS)) {
        (true, true) => Some(Role::RepeatMask),
        (true, false) => Some(Role::Mask),
        (false, _) => Some(Role::Image),
    }
}
