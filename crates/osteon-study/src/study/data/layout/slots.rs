//! The files of a patient to the slots of a study that has several: by a slot's rule, or by the words in names.

use std::path::Path;

use regex_lite::RegexBuilder;

use crate::protocol::codebook::slot::Slot;
use crate::store::Role;
use crate::study::Refusal;
use crate::study::data::layout::{Candidate, Files, derived, weak_masks};
use crate::study::data::manifest::{Entry, Found, LeftOut};

/// A patient's images in their slots, each with the masks that were drawn on it.
pub(in crate::study::data::layout) fn pair(code: String, mut files: Files, slots: &[Slot], found: &mut Found) {
    weak_masks(&mut files);
    let left_out = derived(&mut files);
    found.left_out.extend(left_out.into_iter().map(|(path, why)| LeftOut { code: code.clone(), path, why }));
    let images = files.remove(&Role::Image).unwrap_or_default();
    let masks: Vec<Candidate> = files.into_values().flatten().collect();
    let refuse = |found: &mut Found, column: &str, value: String, expected: String| {
        found.refused.push(Refusal { line: 0, column: format!("{code} {column}"), value, expected });
    };
    let mut filled: Vec<(&Slot, &Candidate)> = Vec::new();
    for slot in slots {
        let own: Vec<&Candidate> = images.iter().filter(|image| belongs(image, slot, slots)).collect();
        match own[..] {
            [] => (),
            [image] => filled.push((slot, image)),
            ref several => {
                let expected = format!(
                    "one image in the slot {}; a rule (image.{}.series) or a manifest with a column slot says which",
                    slot.slot, slot.slot
                );
                refuse(found, &slot.slot, listed(several), expected);
                return;
            }
        }
    }
    for image in images.iter().filter(|image| !filled.iter().any(|(_, other)| other == image)) {
        let why = "in no slot of the protocol".to_owned();
        found.left_out.push(LeftOut { code: code.clone(), path: image.path.clone(), why });
    }
    let mut entries: Vec<Entry> = Vec::new();
    for mask in &masks {
        let Some((slot, image)) = drawn_on(mask, &filled, slots) else {
            let why = "a mask of no slot that has an image".to_owned();
            found.left_out.push(LeftOut { code: code.clone(), path: mask.path.clone(), why });
            continue;
        };
        let (lesion, rater) = (after(&mask.path, &["lesion", "les", "tumour", "tumor"]), rater_of(&mask.path));
        let entry = entry(&code, slot, image);
        entries.push(Entry { lesion, rater, mask: Some(mask.path.clone()), ..entry });
    }
    for (slot, image) in &filled {
        let has_own = entries.iter().any(|entry| entry.slot == slot.slot);
        if !has_own && !slot.masks_of.is_empty() {
            entries.push(entry(&code, slot, image));
        } else if !has_own {
            let why = format!("no mask for the slot {}", slot.slot);
            found.left_out.push(LeftOut { code: code.clone(), path: image.path.clone(), why });
        }
    }
    if filled.is_empty() {
        found.left_out.push(LeftOut { code, why: "no image".to_owned(), ..LeftOut::default() });
    }
    found.entries.extend(entries);
}

fn entry(code: &str, slot: &Slot, image: &Candidate) -> Entry {
    // One folder may hold several series.
    let series = image.series.iter().next().filter(|_| image.series.len() > 1).cloned();
    Entry { code: code.to_owned(), slot: slot.slot.clone(), image: image.path.clone(), series, ..Entry::default() }
}

fn listed(candidates: &[&Candidate]) -> String {
    candidates.iter().map(|own| own.path.to_string_lossy()).collect::<Vec<_>>().join(", ")
}

/// The slot on whose image a mask was drawn: that of its series, of its name, or the only one whose masks are its own.
fn drawn_on<'a>(
    mask: &Candidate,
    filled: &[(&'a Slot, &'a Candidate)],
    slots: &[Slot],
) -> Option<(&'a Slot, &'a Candidate)> {
    let shares = |(_, image): &&(&Slot, &Candidate)| image.series.intersection(&mask.series).next().is_some();
    let named = |(slot, _): &&(&Slot, &Candidate)| belongs(mask, slot, slots);
    let own: Vec<_> = filled.iter().filter(|(slot, _)| slot.masks_of.is_empty()).collect();
    let found = filled.iter().find(shares).or_else(|| filled.iter().find(named));
    found.copied().or_else(|| if let [only] = own[..] { Some(*only) } else { None })
}

/// Whether a file belongs to a slot: by the slot's rule; where it has none, by its name, or by sequence and timepoint. A
/// name that says more wins over one that says less: `t2_post` over `t2`.
fn belongs(candidate: &Candidate, slot: &Slot, slots: &[Slot]) -> bool {
    if !slot.modality.is_empty() && !candidate.modality.is_empty() && candidate.modality != slot.modality {
        return false;
    }
    if !slot.series.is_empty() {
        // What the rule of a slot cannot tell of a mask, its name does.
        let is_drawing = candidate.description.is_empty();
        return holds(&slot.series, candidate) || is_drawing && says(candidate, slot) > 0;
    }
    let own = says(candidate, slot);
    own > 0 && slots.iter().filter(|it| it.series.is_empty()).all(|other| says(candidate, other) <= own)
}

/// How many words of a slot stand in a file's path or description; 0 where one is missing.
fn says(candidate: &Candidate, slot: &Slot) -> usize {
    let text = format!("{} {}", candidate.path.display(), candidate.description);
    let found = words(&text);
    let has = |word: &String| found.iter().any(|own| own == word || *own == format!("{word}w"));
    let all = |wanted: Vec<String>| if wanted.iter().all(has) { wanted.len() } else { 0 };
    let by_sequence = match slot.sequence.is_empty() {
        true => 0,
        false => all(words(&format!("{} {}", slot.sequence, slot.timepoint))),
    };
    all(words(&slot.slot)).max(by_sequence)
}

fn words(text: &str) -> Vec<String> {
    let split = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    split.map(str::to_lowercase).collect()
}

/// A rule such as `description ~ "T2.*FS" & path ~ "post"`, upper and lower case alike. What cannot be read never holds:
/// it was refused when the protocol was checked.
fn holds(rule: &str, candidate: &Candidate) -> bool {
    let Ok(conditions) = conditions(rule) else { return false };
    conditions.iter().all(|(field, pattern)| {
        let path = candidate.path.to_string_lossy();
        let text = match *field {
            "path" => &*path,
            "modality" => &candidate.modality,
            _ => &candidate.description,
        };
        RegexBuilder::new(pattern).case_insensitive(true).build().is_ok_and(|pattern| pattern.is_match(text))
    })
}

/// Fields and patterns of a rule, or what is wrong with it.
pub(in crate::study::data) fn conditions(rule: &str) -> Result<Vec<(&'static str, String)>, String> {
    const FIELDS: [&str; 3] = ["description", "path", "modality"];
    let condition = |text: &str| {
        let (field, pattern) = text.split_once('~').ok_or_else(|| format!("{text}: expected FIELD ~ \"PATTERN\""))?;
        let field = FIELDS.into_iter().find(|known| *known == field.trim());
        let field = field.ok_or_else(|| format!("{text}: expected one of {}", FIELDS.join(", ")))?;
        let pattern = pattern.trim().trim_matches('"').to_owned();
        match RegexBuilder::new(&pattern).size_limit(1 << 16).build() {
            Ok(_) => Ok((field, pattern)),
            Err(cause) => Err(format!("{text}: {cause}")),
        }
    };
    rule.split('&').map(|text| condition(text.trim())).collect()
}

/// What stands behind one of the words in a file's name: `lesion-2` is `2`.
fn after(path: &Path, names: &[&str]) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.split('.').next().unwrap_or_default();
    let parts: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
    for (at, part) in parts.iter().enumerate() {
        for known in names {
            match part.strip_prefix(known) {
                Some("") => {
                    if let Some(next) = parts.get(at + 1).filter(|next| next.len() <= 8) {
                        return (*next).to_owned();
                    }
                }
                Some(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => return number.to_owned(),
                _ => (),
            }
        }
    }
    String::new()
}

fn rater_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    match after(path, &["rater", "reader", "observer"]) {
        rater if !rater.is_empty() => rater,
        _ if name.contains("repeat") || name.contains("second") => Role::RepeatMask.name().to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_which_slot_lesion_and_rater() {
        let slot = |name: &str, sequence: &str, timepoint: &str| Slot {
            slot: name.to_owned(),
            sequence: sequence.to_owned(),
            timepoint: timepoint.to_owned(),
            ..Slot::only()
        };
        let slots = [slot("t2_pre", "T2", "pre"), slot("t2_post", "T2", "post"), slot("adc_pre", "ADC", "pre")];
        let file = |path: &str| Candidate { path: path.into(), ..Candidate::default() };
        let of = |path: &str| slots.iter().position(|slot| belongs(&file(path), slot, &slots));
        assert_eq!(of("sub-01/ses-pre/anat/sub-01_ses-pre_T2w.nii.gz"), Some(0));
        assert_eq!(of("sub-01/ses-post/anat/sub-01_ses-post_T2w.nii.gz"), Some(1));
        assert_eq!(of("P1/adc_pre.nii.gz"), Some(2));
        assert_eq!(of("P1/t1.nii.gz"), None);
        let mask = Path::new("P1/t2_pre_lesion-2_rater-AB_mask.nii.gz");
        assert_eq!((after(mask, &["lesion"]), rater_of(mask)), ("2".to_owned(), "ab".to_owned()));
        assert_eq!(rater_of(Path::new("P1/repeat_mask.nii.gz")), "repeat mask");
    }

    #[test]
    fn a_rule_is_told_what_is_wrong_with_it() {
        let mri = Candidate { description: "AX T2 TSE FS".to_owned(), modality: "MR".to_owned(), ..Default::default() };
        assert!(holds("description ~ \"t2.*fs\" & modality ~ \"MR\"", &mri));
        assert!(!holds("description ~ \"T1\"", &mri));
        assert!(conditions("colour ~ \"T1\"").unwrap_err().contains("description, path, modality"));
        assert!(conditions("description ~ \"(\"").is_err());
    }
}
