//! What the names of an image and of a mask say of each other: BIDS' entities, contrasts, before and after, patients.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// BIDS' entities that an image and what was drawn on it have in common.
const ENTITIES: [&str; 13] =
    ["ses", "task", "acq", "ce", "rec", "dir", "run", "echo", "flip", "inv", "mt", "part", "chunk"];

/// Words of contrasts, and what they are called here.
const CONTRASTS: [(&str, &str); 22] = [
    ("t1", "t1"),
    ("t1w", "t1"),
    ("t1c", "t1"),
    ("t1ce", "t1"),
    ("t1gd", "t1"),
    ("t2", "t2"),
    ("t2w", "t2"),
    ("t2star", "t2star"),
    ("t2starw", "t2star"),
    ("pd", "pd"),
    ("pdw", "pd"),
    ("flair", "flair"),
    ("stir", "stir"),
    ("dwi", "dwi"),
    ("adc", "adc"),
    ("swi", "swi"),
    ("bold", "bold"),
    ("dce", "dce"),
    ("asl", "asl"),
    ("ct", "ct"),
    ("pet", "pet"),
    ("t1rho", "t1rho"),
];

/// Spaces that are a patient's own.
const NATIVE: [&str; 5] = ["orig", "native", "individual", "scanner", "subject"];

/// What a file's name says.
struct Said {
    entities: BTreeMap<String, String>,
    space: Option<String>,
    contrasts: BTreeSet<&'static str>,
    /// `pre` or `post`.
    when: Option<&'static str>,
}

fn said(path: &Path) -> Said {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    let folders = path.parent().into_iter().flat_map(Path::iter).map(|part| part.to_string_lossy().to_lowercase());
    let sessions = folders.filter(|part| part.starts_with("ses-"));
    let pairs: Vec<(String, String)> = sessions
        .chain(stem.split('_').map(str::to_owned))
        .filter_map(|part| part.split_once('-').map(|(key, value)| (key.to_owned(), unpadded(value))))
        .collect();
    let space = pairs.iter().find(|(key, _)| key == "space").map(|(_, value)| value.clone());
    let entities = pairs.into_iter().filter(|(key, _)| ENTITIES.contains(&key.as_str())).collect();
    let words: Vec<&str> = stem.split(|c: char| !c.is_alphanumeric()).collect();
    let contrasts = words.iter().filter_map(|word| contrast(word)).collect();
    let when = match ["pre", "post"].map(|when| words.contains(&when)) {
        [true, false] => Some("pre"),
        [false, true] => Some("post"),
        _ => None,
    };
    Said { entities, space, contrasts, when }
}

fn contrast(word: &str) -> Option<&'static str> {
    CONTRASTS.iter().find(|(own, _)| *own == word).map(|(_, name)| *name)
}

/// A number without the zeros before it.
fn unpadded(value: &str) -> String {
    let digits = value.trim_start_matches('0');
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && !digits.is_empty() { digits.to_owned() } else { value.to_owned() }
}

/// In what the names of an image and a mask contradict each other; `None` where they do not.
pub fn contradiction(image: &Path, mask: &Path) -> Option<String> {
    let (own, drawn) = (said(image), said(mask));
    for (key, value) in &drawn.entities {
        if let Some(other) = own.entities.get(key).filter(|other| *other != value) {
            return Some(format!("the image is {key}-{other}, the mask {key}-{value}"));
        }
    }
    if let (Some(a), Some(b)) = (own.when, drawn.when)
        && a != b
    {
        return Some(format!("the image is called {a}, the mask {b}"));
    }
    if let Some(space) = drawn.space.as_ref().filter(|space| own.space.as_ref() != Some(space)) {
        let is_own = contrast(space).is_some_and(|name| own.contrasts.is_empty() || own.contrasts.contains(name));
        if !is_own && !NATIVE.contains(&space.as_str()) {
            return Some(format!("the mask is in the space {space}, the image is not called so"));
        }
        return None;
    }
    let apart = own.contrasts.is_disjoint(&drawn.contrasts);
    (apart && !own.contrasts.is_empty() && !drawn.contrasts.is_empty()).then(|| {
        let listed = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(" ");
        format!("the image is called {}, the mask {}", listed(&own.contrasts), listed(&drawn.contrasts))
    })
}

/// How much the names of an image and a mask have in common beyond a patient.
pub fn agreement(image: &Path, mask: &Path) -> usize {
    let (own, drawn) = (said(image), said(mask));
    let entities = drawn.entities.iter().filter(|(key, value)| own.entities.get(*key) == Some(value)).count();
    let contrasts = own.contrasts.intersection(&drawn.contrasts).count();
    entities + contrasts + usize::from(own.when.is_some() && own.when == drawn.when)
}

/// The patient that a file's name begins with, where that is written as `code` and is another.
pub fn other_patient(code: &str, path: &Path) -> Option<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = name.split('.').next().unwrap_or_default();
    if let Some(own) = stem.strip_prefix("sub-").and_then(|rest| rest.split('_').next()) {
        let plain = |text: &str| unpadded(&text.strip_prefix("sub-").unwrap_or(text).to_lowercase());
        return (plain(own) != plain(code)).then(|| format!("sub-{own}"));
    }
    let shape = parts(code);
    let has_both = shape.iter().any(|part| is_digits(part)) && shape.iter().any(|part| !is_digits(part));
    let found: Vec<String> = parts(stem).into_iter().take(shape.len()).collect();
    let is_alike = has_both
        && found.len() == shape.len()
        && found.iter().zip(&shape).all(|(a, b)| is_digits(a) && is_digits(b) || a.eq_ignore_ascii_case(b));
    let own = found.concat();
    let ends = stem[own.len().min(stem.len())..].chars().next().is_none_or(|next| !next.is_alphanumeric());
    let is_same = found.iter().zip(&shape).all(|(a, b)| unpadded(a).eq_ignore_ascii_case(&unpadded(b)));
    (is_alike && ends && !is_same && contrast(&own.to_lowercase()).is_none()).then_some(own)
}

/// Runs of digits and of others.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for letter in text.chars() {
        match parts.last_mut().filter(|last| is_digits(last) == letter.is_ascii_digit()) {
            Some(last) => last.push(letter),
            None => parts.push(letter.to_string()),
        }
    }
    parts
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_contradict_by_entity_space_contrast_and_time() {
        let told = |image: &str, mask: &str| contradiction(Path::new(image), Path::new(mask));
        for (image, mask, expected) in [
            ("sub-01_run-1_T2w.nii.gz", "sub-01_run-2_desc-tumor_mask.nii.gz", "run-1, the mask run-2"),
            ("sub-02_acq-sag_T2w.nii.gz", "sub-02_acq-ax_mask.nii.gz", "acq-sag, the mask acq-ax"),
            ("sub-05_echo-1_T2w.nii.gz", "sub-05_echo-2_mask.nii.gz", "echo-1, the mask echo-2"),
            ("sub-06_ses-1_T2w.nii.gz", "ses-2/sub-06_mask.nii.gz", "ses-1, the mask ses-2"),
            ("sub-03_T2w.nii.gz", "sub-03_space-T1w_mask.nii.gz", "space t1w"),
            ("sub-04_T2w.nii.gz", "sub-04_space-MNI152NLin6Asym_mask.nii.gz", "space mni152nlin6asym"),
            ("sub-07_T2w.nii.gz", "sub-07_T1w_desc-tumor_mask.nii.gz", "called t2, the mask t1"),
            ("P1/T1.nii.gz", "P1/T2_mask.nii.gz", "called t1, the mask t2"),
            ("P2/pre_T2.nii.gz", "P2/post_mask.nii.gz", "called pre, the mask post"),
        ] {
            let found = told(image, mask).unwrap_or_default();
            assert!(found.contains(expected), "{image}, {mask}: {found}");
        }
        for (image, mask) in [
            ("sub-01_run-01_T2w.nii.gz", "sub-01_run-1_mask.nii.gz"),
            ("sub-01_T2w.nii.gz", "sub-01_space-T2w_desc-tumor_mask.nii.gz"),
            ("sub-01_space-MNI_T2w.nii.gz", "sub-01_space-MNI_mask.nii.gz"),
            ("sub-01_T2w.nii.gz", "sub-01_space-orig_mask.nii.gz"),
            ("P1/T2_FLAIR.nii.gz", "P1/flair_mask.nii.gz"),
            ("P1/t1ce.nii.gz", "P1/t1_seg.nii.gz"),
            ("P1/image.nii.gz", "P1/T2_mask.nii.gz"),
        ] {
            assert_eq!(told(image, mask), None, "{image}, {mask}");
        }
    }

    #[test]
    fn a_name_that_begins_with_another_patient_is_found() {
        let other = |code: &str, name: &str| other_patient(code, Path::new(name));
        assert_eq!(other("P3", "P4_T2.nii.gz"), Some("P4".to_owned()));
        assert_eq!(other("HN-001", "HN-002_mask.nii.gz"), Some("HN-002".to_owned()));
        assert_eq!(other("08", "sub-07_T2w.nii.gz"), Some("sub-07".to_owned()));
        for (code, name) in [
            ("P3", "P3_T2.nii.gz"),
            ("P3", "p03_T2.nii.gz"),
            ("P3", "T2.nii.gz"),
            ("T3", "T2_mask.nii.gz"),
            ("08", "sub-8_T2w.nii.gz"),
            ("7", "2_T2.nii.gz"),
            ("P3", "P3a_T2.nii.gz"),
        ] {
            assert_eq!(other(code, name), None, "{code}, {name}");
        }
    }
}
