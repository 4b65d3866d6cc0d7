//! What is there and what comes next: one row a patient with a column a step, and the sentence that says what to do.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::sheet::Sheet;
use crate::store::{ImageFile, Judgement, Patient, PatientId, Query, QueryState, RegionState, Role, Side};
use crate::study::data::quality::Judged;
use crate::study::pages::patient_pages::words;
use crate::study::{Error, ExtractReport, ExtractRequest, Standing, Study};
use osteon_base::text::counted;

/// Something that waits to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextStep {
    pub what: String,
    /// The command that does it.
    pub command: &'static str,
}

/// What both pages are made from, asked once.
struct Present {
    patients: Vec<Patient>,
    files: BTreeMap<PatientId, Vec<ImageFile>>,
    masks: Vec<Judged>,
    queries: Vec<Query>,
    states: Vec<RegionState>,
    /// Patients whom an extraction would measure, and how many stand.
    waiting: BTreeSet<PatientId>,
    n_measured: usize,
}

impl Study {
    /// What is missing, in the order in which it is done.
    pub fn next_steps(&self) -> Result<Vec<NextStep>, Error> {
        self.steps(&self.present()?)
    }

    fn present(&self) -> Result<Present, Error> {
        let mut files: BTreeMap<PatientId, Vec<ImageFile>> = BTreeMap::new();
        for file in self.store.images()? {
            files.entry(file.patient).or_default().push(file);
        }
        let mut report = ExtractReport::default();
        let tasks = self.tasks(&ExtractRequest::default(), &mut report)?;
        Ok(Present {
            patients: self.store.patients()?,
            files,
            masks: self.judged()?,
            queries: self.store.queries()?.into_iter().filter(|it| self.may_see(&it.field)).collect(),
            states: self.store.region_states()?,
            waiting: tasks.into_iter().map(|task| task.id).collect(),
            n_measured: report.skipped,
        })
    }

    fn steps(&self, present: &Present) -> Result<Vec<NextStep>, Error> {
        let Present { patients, files, masks, queries, states, waiting, n_measured } = present;
        let mut steps = Vec::new();
        let mut add = |n: usize, what: String, command: &'static str| {
            if n > 0 {
                steps.push(NextStep { what, command });
            }
        };
        add(usize::from(patients.is_empty()), "no patients yet".to_owned(), "import clinical FILE");
        let included: Vec<&Patient> = patients.iter().filter(|patient| patient.included()).collect();
        let has = |patient: &Patient, slot: &str, is_image: bool| {
            let files = files.get(&patient.id).map_or(&[][..], Vec::as_slice);
            files.iter().any(|file| file.slot == slot && (file.role == Role::Image) == is_image)
        };
        // Slots of which as many patients lack something are one step.
        let mut lacking: BTreeMap<(bool, usize), Vec<&str>> = BTreeMap::new();
        for slot in self.protocol.slots() {
            let lacks_image = included.iter().filter(|it| !has(it, &slot.slot, true)).count();
            let needs_mask = |it: &&&Patient| has(it, &slot.slot, true) && !has(it, &slot.slot, false);
            let own = slot.masks_of.is_empty();
            let lacks_mask = if own { included.iter().filter(needs_mask).count() } else { 0 };
            lacking.entry((false, lacks_image)).or_default().push(&slot.slot);
            lacking.entry((true, lacks_mask)).or_default().push(&slot.slot);
        }
        let several = self.protocol.slots().len() > 1;
        for ((is_mask, n), slots) in lacking {
            let of = if several { format!(" in {}", slots.join(", ")) } else { String::new() };
            let what = if is_mask { "with an image lack a mask" } else { "lack an image" };
            add(n, format!("{} {what}{of}", counted(n, "patient")), "import images FILE");
        }
        let n = masks.iter().filter(|it| it.has(Judgement::ToRedo)).count();
        add(n, format!("{} to be drawn again", counted(n, "mask")), "masks list --to-redo");
        let n = masks.iter().filter(|it| it.verdicts.is_empty()).count();
        // Whoever judges no masks is not told to.
        let is_judged = n < masks.len();
        add(if is_judged { n } else { 0 }, format!("{} not judged yet", counted(n, "mask")), "masks list --open");
        let in_state = |state| queries.iter().filter(|query| query.state == state).count();
        let word = |n: usize| if n == 1 { "query" } else { "queries" };
        let n = in_state(QueryState::Open);
        add(n, format!("{n} {} wait for an answer", word(n)), "query list");
        let n = in_state(QueryState::Answered);
        add(n, format!("{n} answered {} to be closed", word(n)), "query list");
        add(waiting.len(), format!("{} to be measured", counted(waiting.len(), "patient")), "extract");
        let failed: BTreeSet<PatientId> = states.iter().filter(|it| it.error.is_some()).map(|it| it.patient).collect();
        let n = failed.len();
        add(n, format!("{} with regions that could not be measured", counted(n, "patient")), "status");
        let unknown = self.store.unknown_outcomes()?.iter().map(|(_, n)| n).sum::<usize>();
        let shown = if self.is_blind() { 0 } else { unknown };
        add(shown, format!("the outcome of {} is unknown", counted(unknown, "patient")), "patients");
        let has_split = self.store.split()?.is_some();
        let is_measured = *n_measured > 0;
        add(usize::from(is_measured && !has_split), "no training and test set yet".to_owned(), "split new");
        if !self.is_blind() && has_split && is_measured {
            match self.standing_of_fit()? {
                None => add(1, "no models yet".to_owned(), "fit"),
                Some(Standing::Changed(why)) => add(1, format!("{why} since the fit"), "fit"),
                Some(Standing::Current | Standing::NotComparable) => (),
            }
        }
        if steps.is_empty() {
            let command = if self.store.study()?.locked.is_some() { "report DIR" } else { "lock" };
            let what = if command == "lock" { "everything is there: lock the data" } else { "the report" };
            steps.push(NextStep { what: what.to_owned(), command });
        }
        Ok(steps)
    }

    /// One row a patient, one column a step: values, images, masks, verdicts, features, queries, set.
    pub fn status_sheet(&self) -> Result<Sheet, Error> {
        let present = self.present()?;
        let next = self.steps(&present)?;
        let Present { patients, files, masks, queries: asked, states: measured, waiting, .. } = present;
        let mut verdicts: BTreeMap<PatientId, Vec<Judged>> = BTreeMap::new();
        for judged in masks {
            verdicts.entry(judged.file.patient).or_default().push(judged);
        }
        let mut queries: BTreeMap<PatientId, [usize; 2]> = BTreeMap::new();
        for query in asked {
            let counts = queries.entry(query.patient).or_default();
            counts[0] += usize::from(query.state == QueryState::Open);
            counts[1] += usize::from(query.state == QueryState::Answered);
        }
        let mut states: BTreeMap<PatientId, Vec<RegionState>> = BTreeMap::new();
        for state in measured {
            states.entry(state.patient).or_default().push(state);
        }
        let split = self.shown_split()?;
        let sides: BTreeMap<PatientId, Side> = split.iter().flat_map(|split| split.members.iter().copied()).collect();
        let slots = self.protocol.slots();
        let mut headings = vec!["patient".to_owned(), "values".to_owned()];
        headings.extend(slots.iter().map(|slot| match slots.len() {
            1 => "images".to_owned(),
            _ => slot.slot.clone(),
        }));
        headings.extend(["masks", "features", "queries", "set", "included"].map(str::to_owned));
        let row = |patient: &Patient| {
            let missing = self.variables().filter(|(at, it)| !it.is_computed() && patient.lacks(*at)).count();
            let mut row = vec![
                words(&patient.code),
                words(if missing == 0 { "complete".to_owned() } else { format!("{missing} missing") }),
            ];
            let files = files.get(&patient.id).map_or(&[][..], Vec::as_slice);
            row.extend(slots.iter().map(|slot| words(linked(files, &slot.slot, slot.masks_of.is_empty()))));
            row.push(words(verdict(verdicts.get(&patient.id).map_or(&[][..], Vec::as_slice))));
            let own = states.get(&patient.id).map_or(&[][..], Vec::as_slice);
            let failed = own.iter().filter(|state| state.error.is_some()).count();
            row.push(words(match (own.len(), failed, waiting.contains(&patient.id)) {
                (0, ..) => "no".to_owned(),
                (_, 0, false) => "done".to_owned(),
                (_, 0, true) => "out of date".to_owned(),
                (_, failed, _) => format!("{failed} failed"),
            }));
            row.push(words(match queries.get(&patient.id).copied().unwrap_or_default() {
                [0, 0] => String::new(),
                [open, 0] => format!("{open} open"),
                [0, answered] => format!("{answered} answered"),
                [open, answered] => format!("{open} open, {answered} answered"),
            }));
            row.push(words(sides.get(&patient.id).map_or("", |side| side.name())));
            row.push(words(if patient.included() { "yes" } else { "no" }));
            row
        };
        Ok(Sheet {
            title: "Status".to_owned(),
            headings,
            rows: patients.iter().map(row).collect(),
            notes: next.into_iter().map(|step| format!("next: {} (osteon {})", step.what, step.command)).collect(),
            provenance: self.provenance()?,
        })
    }
}

/// `image + 2 masks`, or what is missing.
fn linked(files: &[ImageFile], slot: &str, own_masks: bool) -> String {
    let of = |is_image: bool| files.iter().filter(|it| it.slot == slot && (it.role == Role::Image) == is_image).count();
    match (of(true), of(false), own_masks) {
        (0, 0, _) => "no".to_owned(),
        (0, ..) => "no image".to_owned(),
        (_, _, false) => "image".to_owned(),
        (_, 0, true) => "no mask".to_owned(),
        (_, 1, true) => "image + mask".to_owned(),
        (_, n, true) => format!("image + {n} masks"),
    }
}

/// The worst of what readers say of a patient's masks.
fn verdict(masks: &[Judged]) -> String {
    let n = |of: &dyn Fn(&Judged) -> bool| masks.iter().filter(|it| of(it)).count();
    let (redo, excluded) = (n(&|it| it.has(Judgement::ToRedo)), n(&|it| it.has(Judgement::Excluded)));
    let open = n(&|it| it.verdicts.is_empty());
    match (masks.len(), redo, excluded, open) {
        (0, ..) => String::new(),
        (_, redo, ..) if redo > 0 => format!("{redo} to redo"),
        (_, _, excluded, _) if excluded > 0 => format!("{excluded} excluded"),
        (_, _, _, 0) => "accepted".to_owned(),
        (all, _, _, open) if open == all => "not judged".to_owned(),
        (all, _, _, open) => format!("{} of {all} accepted", all - open),
    }
}
