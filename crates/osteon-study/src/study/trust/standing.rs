//! Whether the newest fit stands on the present data: said first wherever its results are shown.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::protocol::Protocol;
use crate::protocol::learn::Missing;
use crate::report::figure::Figure;
use crate::report::sheet::Sheet;
use crate::store::{ALL_LESIONS, ImageFile, Patient, PatientId, Place, RegionState, Role, Run, RunId, Side};
use crate::study::{Error, Study};
use osteon_stats::model::logistic::screen::Rows;
use osteon_stats::select::Reproducible;

/// Which rule a hash of a fit's inputs follows. A hash of another version is neither equal nor unequal to one of this.
const VERSION: &str = "v2:";

/// What a fit is to the present data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Current,
    /// Why it is not, in a few words.
    Changed(String),
    /// Its hash is of an earlier version.
    NotComparable,
}

/// How notes begin that say that results are not of the present data.
const OUT_OF_DATE: &str = "Out of date, ";
const EARLIER: &str = "Fit of an earlier version";

/// Whether a note says that results are not of the present data: where notes are not printed, it is told beside them.
pub fn is_doubt(note: &str) -> bool {
    [OUT_OF_DATE, EARLIER].iter().any(|it| note.starts_with(it))
}

impl Study {
    /// What the newest fit is to the present data and protocol; `None` where there is none.
    pub fn standing_of_fit(&self) -> Result<Option<Standing>, Error> {
        let Some(run) = self.newest_fit()? else { return Ok(None) };
        if !run.inputs.starts_with(VERSION) {
            return Ok(Some(Standing::NotComparable));
        }
        let then = Protocol::stored(&self.store.protocol_document(&run.protocol_hash)?)?;
        let measured_alike = then.extraction_hash() == self.protocol.extraction_hash();
        if then.learning_part() != self.protocol.learning_part() || !measured_alike {
            return Ok(Some(Standing::Changed("another protocol is in force".to_owned())));
        }
        Ok(Some(match self.fit_inputs() {
            Ok(inputs) if inputs == run.inputs => Standing::Current,
            Ok(_) | Err(Error::NoSplit) => Standing::Changed(self.what_changed()?),
            Err(other) => return Err(other),
        }))
    }

    /// Why what is shown of the newest fit is not of the present data, in a sentence; `None` where it is, or where
    /// there is no fit.
    pub fn doubt(&self) -> Result<Option<String>, Error> {
        Ok(match self.standing_of_fit()? {
            None | Some(Standing::Current) => None,
            Some(Standing::Changed(why)) => Some(format!("{OUT_OF_DATE}{why} since the fit (osteon fit)")),
            Some(Standing::NotComparable) => {
                Some(format!("{EARLIER}, not comparable with the present data (osteon fit)"))
            }
        })
    }

    /// Why what is shown of the features is not of the present images and settings; `None` where it is, or where there
    /// are none.
    pub fn doubt_of_features(&self) -> Result<Option<String>, Error> {
        let included: BTreeSet<PatientId> =
            self.store.patients()?.into_iter().filter(Patient::included).map(|patient| patient.id).collect();
        let files = self.store.images()?;
        let mut settings: BTreeMap<RunId, Protocol> = BTreeMap::new();
        for run in self.store.runs()?.into_iter().filter(|run| run.kind == "extract") {
            settings.insert(run.id, Protocol::stored(&self.store.protocol_document(&run.protocol_hash)?)?);
        }
        let same_settings = |state: &RegionState| {
            let slot = &state.place.slot;
            settings.get(&state.run).is_none_or(|then| then.slot_hash(slot) == self.protocol.slot_hash(slot))
        };
        let same_files = |state: &RegionState| {
            let own = |file: &&ImageFile| file.patient == state.patient && file.slot == state.place.slot;
            let image = files.iter().filter(own).find(|file| file.role == Role::Image);
            let is_mask = |file: &&ImageFile| file.role == state.place.rater && file.lesion == state.place.lesion;
            let mask = files.iter().filter(own).find(is_mask).filter(|_| state.place.lesion != ALL_LESIONS);
            image.is_none_or(|file| file.sha256 == state.inputs.image_sha256)
                && mask.is_none_or(|file| file.input() == state.inputs.mask_sha256)
        };
        let stands = |state: &RegionState| same_settings(state) && same_files(state);
        let states = self.store.region_states()?.into_iter();
        let measured = states.filter(|it| it.error.is_none() && included.contains(&it.patient));
        let old = measured.filter(|state| !stands(state)).count();
        Ok((old > 0).then(|| {
            let regions = osteon_base::text::counted(old, "region");
            format!("{OUT_OF_DATE}{regions} measured on other images or settings (osteon extract)")
        }))
    }

    /// A sheet of the newest fit, which says first where it is not of the present data.
    pub(in crate::study) fn told(&self, mut sheet: Sheet) -> Result<Sheet, Error> {
        if let Some(doubt) = self.doubt()? {
            sheet.title = format!("{doubt}: {}", sheet.title);
        }
        Ok(sheet)
    }

    /// The same of a figure: title, first panel, caption and numbers.
    pub(in crate::study) fn told_of(&self, figure: Figure) -> Result<Figure, Error> {
        Ok(doubted(figure, self.doubt()?))
    }

    /// The protocol under which the newest fit was made; that in force where there is none.
    pub(in crate::study) fn protocol_of_fit(&self) -> Result<Protocol, Error> {
        Ok(match self.newest_fit()? {
            Some(run) => Protocol::stored(&self.store.protocol_document(&run.protocol_hash)?)?,
            None => self.protocol.clone(),
        })
    }

    pub(in crate::study) fn newest_fit(&self) -> Result<Option<Run>, Error> {
        Ok(self.store.runs()?.into_iter().find(|run| run.kind == "fit" && run.finished_at.is_some()))
    }

    /// Hash of what a fit would read now: ids, event, set, the candidate variables or those that the protocol names, and
    /// the digests of the regions. Labels, usual ranges and the program's version do not enter.
    pub(in crate::study) fn fit_inputs(&self) -> Result<String, Error> {
        let split = self.store.split()?.ok_or(Error::NoSplit)?;
        let sides: BTreeMap<PatientId, Side> = split.members.into_iter().collect();
        let mut patients: Vec<(Patient, bool, Side)> = Vec::new();
        // Patients of no set take part where all patients choose the clinical predictors.
        let mut choosing: Vec<(Patient, bool)> = Vec::new();
        let all_choose = self.protocol.screen.rows == Rows::All && self.protocol.learn.screens();
        for patient in self.store.patients()?.into_iter().filter(Patient::included) {
            match (patient.event, sides.get(&patient.id)) {
                (Some(event), Some(&side)) => patients.push((patient, event, side)),
                (Some(event), None) if all_choose => choosing.push((patient, event)),
                _ => (),
            }
        }
        choosing.sort_by(|a, b| a.0.code.cmp(&b.0.code));
        patients.sort_by(|a, b| a.0.code.cmp(&b.0.code));
        let named = &self.protocol.learn.clinical;
        let learn = &self.protocol.learn;
        let auxiliary = learn.auxiliary.iter().filter(|_| learn.missing == Missing::Multiple && !named.is_empty());
        let mut variables: Vec<&str> =
            if named.is_empty() { self.protocol.candidates() } else { named.iter().map(String::as_str).collect() };
        variables.extend(auxiliary.map(String::as_str));
        variables.sort_unstable();
        variables.dedup();
        let sources = self.protocol.sources();
        let regions: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        let is_gated = self.protocol.select.reproducible == Reproducible::Icc;
        let repeat = if is_gated { self.second_rater()?.or(Some(Role::RepeatMask)) } else { None };
        // One digest a lesion, in the order of their names.
        let mut digests: BTreeMap<(PatientId, String, String, Role), String> = BTreeMap::new();
        let mut states = self.store.region_states()?;
        states.sort_by(|a, b| a.place.lesion.cmp(&b.place.lesion));
        for state in states {
            let Place { slot, region, rater, .. } = state.place;
            let digest = digests.entry((state.patient, slot, region, rater)).or_default();
            digest.push_str(state.values_sha256.as_deref().unwrap_or_default());
        }
        let mut hash = Sha256::new();
        // Each word with its length: no two lists of words are the same bytes.
        let mut put = |word: &str| {
            hash.update((word.len() as u64).to_le_bytes());
            hash.update(word);
        };
        variables.iter().chain(&regions).for_each(|word| put(word));
        for (patient, event, side) in &patients {
            put(&patient.code);
            put(if *event { "event" } else { "no event" });
            put(side.name());
            for name in &variables {
                put(&patient.book.place(name).map(|at| patient.text(at)).unwrap_or_default());
            }
            for rater in [Some(self.rater()), repeat.clone()].into_iter().flatten() {
                for source in &sources {
                    for slot in [Some(&source.slot), source.earlier.as_ref()].into_iter().flatten() {
                        let place = (patient.id, slot.clone(), source.region.clone(), rater.clone());
                        put(digests.get(&place).map_or("", String::as_str));
                    }
                }
            }
        }
        for (patient, event) in &choosing {
            put(&patient.code);
            put(if *event { "event" } else { "no event" });
            for name in &variables {
                put(&patient.book.place(name).map(|at| patient.text(at)).unwrap_or_default());
            }
        }
        for batches in sources.iter().filter(|_| self.protocol.harmonises()) {
            let ids: Vec<PatientId> = patients.iter().map(|(patient, ..)| patient.id).collect();
            let found = self.batches_in_force(std::slice::from_ref(batches), &ids)?;
            found.iter().flat_map(|found| &found.of).for_each(|name| put(name.as_deref().unwrap_or_default()));
        }
        Ok(format!("{VERSION}{}", osteon_base::text::hex(hash.finalize())))
    }

    /// `6 of its patients excluded`, or that values changed.
    fn what_changed(&self) -> Result<String, Error> {
        let learnt: BTreeSet<PatientId> =
            self.store.models()?.iter().flat_map(|model| model.predictions.iter().map(|one| one.patient)).collect();
        let included: BTreeSet<PatientId> =
            self.store.patients()?.into_iter().filter(Patient::included).map(|patient| patient.id).collect();
        Ok(match learnt.difference(&included).count() {
            0 => "the data changed".to_owned(),
            n => format!("{} excluded", osteon_base::text::counted(n, "patient")),
        })
    }
}

/// A figure that says first why it is not of the present data, if it is not.
pub(in crate::study) fn doubted(mut figure: Figure, doubt: Option<String>) -> Figure {
    let Some(doubt) = doubt else { return figure };
    let short = doubt.split(',').next().unwrap_or(&doubt);
    figure.plot.title = format!("{short}: {}", figure.plot.title);
    if let Some(panel) = figure.plot.panels.first_mut() {
        // The drawing itself has no caption.
        panel.title = format!("{short}: {}", panel.title).trim_end_matches([':', ' ']).to_owned();
    }
    figure.numbers.title = format!("{doubt}: {}", figure.numbers.title);
    figure.caption = format!("{doubt}. {}", figure.caption);
    figure
}
