//! Masks judged by readers: who accepts which, what has to be drawn again, and how far readers agree.

use std::collections::BTreeMap;

use crate::report::sheet::{Cell, Sheet};
use crate::store::{ImageFile, Judgement, Patient, PatientId, Role, Verdict};
use crate::study::data::edit::required;
use crate::study::{Error, Study};
use osteon_stats::evaluate::roc::Confusion;

/// Which masks are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Masks {
    #[default]
    All,
    /// Without a verdict on the mask as it is now.
    Open,
    /// That somebody wants drawn again.
    ToRedo,
}

/// A mask with what readers say of it.
pub(in crate::study) struct Judged {
    pub file: ImageFile,
    pub verdicts: Vec<Verdict>,
}

impl Judged {
    /// Accepted by a reader and rejected by none.
    pub fn is_accepted(&self) -> bool {
        !self.verdicts.is_empty() && self.verdicts.iter().all(|it| it.judgement == Judgement::Accepted)
    }

    pub fn has(&self, judgement: Judgement) -> bool {
        self.verdicts.iter().any(|it| it.judgement == judgement)
    }
}

impl Study {
    /// Judges a patient's mask; `of` names it where there are several (`t2_pre`, `lesion 2`). A mask that is not accepted
    /// needs a note. Gives the mask in words.
    pub fn judge(&self, code: &str, of: Option<&str>, judgement: Judgement, note: &str) -> Result<String, Error> {
        let note = if judgement == Judgement::Accepted { note.trim().to_owned() } else { required(note)? };
        let patient = self.store.patient(code)?;
        let masks: Vec<ImageFile> =
            self.store.images_of(patient.id)?.into_iter().filter(|file| file.role != Role::Image).collect();
        let titles = || masks.iter().map(ImageFile::title).collect::<Vec<_>>().join("; ");
        let named = |file: &&ImageFile| of.is_none_or(|of| file.title() == of);
        let found: Vec<&ImageFile> = masks.iter().filter(named).collect();
        let mask = match found[..] {
            [mask] => mask,
            [] if masks.is_empty() => return Err(Error::NoImage(code.to_owned(), "mask")),
            _ => {
                let found = of.unwrap_or_default().to_owned();
                return Err(Error::Field { found, valid: titles() });
            }
        };
        let reason = if note.is_empty() { "a verdict" } else { note.as_str() };
        self.store.write(reason, |write| write.judge(mask, judgement, &note))?;
        Ok(mask.title())
    }

    /// Every mask of the study with its verdicts, by patient.
    pub(in crate::study) fn judged(&self) -> Result<Vec<Judged>, Error> {
        let mut of: BTreeMap<PatientId, Vec<Verdict>> = BTreeMap::new();
        for verdict in self.store.verdicts()? {
            of.entry(verdict.patient).or_default().push(verdict);
        }
        let judged = |file: ImageFile| {
            let all = of.get(&file.patient).map_or(&[][..], Vec::as_slice);
            let verdicts = all.iter().filter(|verdict| verdict.is_of(&file)).cloned().collect();
            Judged { file, verdicts }
        };
        Ok(self.store.images()?.into_iter().filter(|file| file.role != Role::Image).map(judged).collect())
    }

    /// One row a mask: what it is, what readers say, and where its file lies, as a work list for who draws.
    pub fn masks_sheet(&self, which: Masks) -> Result<Sheet, Error> {
        let codes: BTreeMap<PatientId, String> =
            self.store.patients()?.into_iter().map(|Patient { id, code, .. }| (id, code)).collect();
        let mut volumes: BTreeMap<(PatientId, String, String, Role), f64> = BTreeMap::new();
        for (patient, place, check) in self.store.region_checks()? {
            if place.region == "intra" {
                volumes.insert((patient, place.slot, place.lesion, place.rater), check.volume_mm3);
            }
        }
        let mut masks = self.judged()?;
        masks.sort_by_cached_key(|it| crate::store::natural(codes.get(&it.file.patient).map_or("", String::as_str)));
        let n = masks.len();
        let open = masks.iter().filter(|it| it.verdicts.is_empty()).count();
        let redo = masks.iter().filter(|it| it.has(Judgement::ToRedo)).count();
        let shown = |it: &&Judged| match which {
            Masks::All => true,
            Masks::Open => it.verdicts.is_empty(),
            Masks::ToRedo => it.has(Judgement::ToRedo),
        };
        let row = |it: &Judged| {
            let file = &it.file;
            let place = (file.patient, file.slot.clone(), file.lesion.clone(), file.role.clone());
            let state = match it.verdicts.first() {
                None => "not judged",
                Some(_) if it.is_accepted() => Judgement::Accepted.name(),
                Some(first) if it.verdicts.iter().all(|other| other.judgement == first.judgement) => {
                    first.judgement.name()
                }
                Some(_) => "readers differ",
            };
            let said = it.verdicts.iter().map(|verdict| {
                let note = if verdict.note.is_empty() { String::new() } else { format!(" ({})", verdict.note) };
                format!("{}: {}{note}", verdict.reader, verdict.judgement.name())
            });
            vec![
                Cell::Text(codes.get(&file.patient).cloned().unwrap_or_default()),
                Cell::Text(file.title()),
                Cell::Text(state.to_owned()),
                Cell::number(volumes.get(&place).map(|mm3| mm3 / 1000.0), 1),
                Cell::Text(said.collect::<Vec<_>>().join("; ")),
                Cell::Text(self.path_of(file).display().to_string()),
            ]
        };
        let mut notes = vec![format!("{n} masks: {open} not judged, {redo} to be drawn again")];
        notes.extend(self.agreement_of_readers(&masks));
        Ok(Sheet {
            title: "Masks".to_owned(),
            headings: ["patient", "mask", "verdict", "mL", "readers", "file"].map(str::to_owned).to_vec(),
            rows: masks.iter().filter(shown).map(row).collect(),
            notes,
            provenance: self.provenance()?,
        })
    }

    /// Cohen's kappa of two readers over the masks that both judged: accepted or not.
    fn agreement_of_readers(&self, masks: &[Judged]) -> Vec<String> {
        let mut readers: Vec<&str> =
            masks.iter().flat_map(|it| it.verdicts.iter().map(|verdict| verdict.reader.as_str())).collect();
        readers.sort_unstable();
        readers.dedup();
        let pairs = (0..readers.len()).flat_map(|a| (a + 1..readers.len()).map(move |b| (a, b)));
        let told = |(a, b): (usize, usize)| {
            let by = |it: &Judged, reader: &str| {
                it.verdicts.iter().find(|verdict| verdict.reader == reader).map(|it| it.judgement)
            };
            let both: Vec<[bool; 2]> = masks
                .iter()
                .filter_map(|it| Some([by(it, readers[a])?, by(it, readers[b])?]))
                .map(|both| both.map(|it| it == Judgement::Accepted))
                .collect();
            let n = both.len();
            let kappa = kappa(&both)?;
            Some(format!("{} and {}: kappa {kappa:.2} over {n} masks (accepted or not)", readers[a], readers[b]))
        };
        pairs.filter_map(told).collect()
    }
}

/// Cohen's kappa; `None` for no pairs, or where both only ever say the same word.
fn kappa(pairs: &[[bool; 2]]) -> Option<f64> {
    let n = |first: bool, second: bool| pairs.iter().filter(|pair| **pair == [first, second]).count();
    let both = Confusion { tp: n(true, true), fn_: n(true, false), tn: n(false, false), fp: n(false, true) };
    both.kappa()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kappa_is_that_of_r() {
        // R 4.2.2, psych 2.2.9: cohen.kappa of the table 20, 5 / 10, 15 is 0.40.
        let mut pairs = vec![[true, true]; 20];
        pairs.extend([[true, false]; 5]);
        pairs.extend([[false, true]; 10]);
        pairs.extend([[false, false]; 15]);
        assert!((kappa(&pairs).unwrap() - 0.4).abs() < 1e-12);
        assert_eq!(kappa(&[[true, true]; 3]), None);
        assert_eq!(kappa(&[]), None);
    }
}
