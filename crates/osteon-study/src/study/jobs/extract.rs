//! Features of every region of every patient into the study: in parallel, resumable, each patient whole or not at all.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;
use crate::protocol::codebook::slot::Slot;
use crate::protocol::learn::{Lesions, Masks};
use crate::store::{
    ALL_LESIONS, Exclusive, FeatureId, ImageFile, Inputs, NewRun, PatientId, Place, RegionState, Role, RunId, Write,
    natural,
};
use crate::study::data::input;
use crate::study::error::with_causes;
use crate::study::jobs::space::Space;
use crate::study::{Error, Study};
use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_radiomics::describe::catalogue;
use osteon_radiomics::diagnose::{self, RegionCheck};
use osteon_radiomics::grid::Image;
use osteon_radiomics::read::dicom::On;
use osteon_radiomics::read::{Params, Reading};
use osteon_radiomics::roi::Roi;

/// Which patients, and whether results that stand are made again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtractRequest {
    /// Codes; none is all included patients.
    pub codes: Vec<String>,
    pub force: bool,
}

/// What an extraction did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExtractReport {
    /// Patients whose regions were all measured now.
    pub done: usize,
    /// Patients whose results stood already.
    pub skipped: usize,
    /// Patients without images.
    pub without_images: usize,
    pub failures: Vec<Failure>,
    /// Patients who came after the newest fit and got predictions of its models.
    pub predicted: usize,
    /// Where a damaged file was moved that stood in the place of a shard.
    pub aside: Option<PathBuf>,
}

/// One patient's trouble: in one region, or in all when `roi` is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: String,
    pub roi: String,
    pub reason: String,
}

/// One patient to be measured.
pub(in crate::study) struct Task {
    pub id: PatientId,
    pub code: String,
    pub slots: Vec<SlotTask>,
}

/// The image of one slot, and what is measured in it.
pub(in crate::study) struct SlotTask {
    pub image: ImageFile,
    pub drawings: Vec<Drawing>,
    /// The image of another slot on which the masks were drawn.
    pub drawn_on: Option<ImageFile>,
}

/// The masks of one lesion by one rater: one file, or those of all lesions as one.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::study) struct Drawing {
    pub lesion: String,
    pub rater: Role,
    pub files: Vec<ImageFile>,
}

/// The regions of one drawing.
pub(in crate::study) struct Measured {
    pub slot: String,
    lesion: String,
    rater: Role,
    inputs: Inputs,
    pub regions: Vec<Region>,
}

pub(in crate::study) struct Region {
    pub name: String,
    /// What the region is; `None` where its mask could not be read.
    check: Option<RegionCheck>,
    /// Values in catalogue order, or why there are none.
    pub outcome: Result<Vec<Option<f64>>, String>,
}

impl Study {
    /// Measures what is not measured under the present inputs: image and masks, and the settings of their slot. One step of the job a patient. A patient's trouble is in the report;
    /// when the job is cancelled, what is stored stays and the next extraction goes on from there.
    pub fn extract(&self, request: &ExtractRequest, job: &Job) -> Result<ExtractReport, Error> {
        self.protocol.check()?;
        let mut report = ExtractReport::default();
        if self.tasks(request, &mut report)?.is_empty() {
            return Ok(report);
        }
        let busy =
            || Error::Request("another extraction of this study is running; osteon jobs shows queued ones".to_owned());
        let _one_at_a_time = Exclusive::take(self.store.path(), "extraction")?.ok_or_else(busy)?;
        // Asked again under the lock: another extraction may have ended in between.
        report = ExtractReport::default();
        let tasks = self.tasks(request, &mut report)?;
        if tasks.is_empty() {
            return Ok(report);
        }
        let runs = self.begin(&tasks)?;
        self.measure_all(&tasks, &runs, job, &mut report)?;
        self.store.write("extract", |write| runs.values().try_for_each(|(run, _)| write.end_run(*run)))?;
        let measured: Vec<PatientId> = tasks.iter().map(|task| task.id).collect();
        report.predicted = self.predict_later(&measured)?;
        Ok(report)
    }

    /// A run for each slot that is measured, with the ids of its features.
    fn begin(&self, tasks: &[Task]) -> Result<Runs, Error> {
        let is_measured =
            |slot: &&Slot| tasks.iter().any(|task| task.slots.iter().any(|it| it.image.slot == slot.slot));
        self.store.write("extract", |write| {
            let begin = |slot: &Slot| {
                let own = self.protocol.in_slot(&slot.slot);
                let inputs = self.protocol.slot_hash(&slot.slot);
                let run = write.begin_run(&NewRun { kind: "extract", inputs: &inputs, seed: EXTRACTION_SEED })?;
                Ok::<_, Error>((slot.slot.clone(), (run, write.catalogue(&catalogue(&own.measured()))?)))
            };
            self.protocol.slots().iter().filter(is_measured).map(begin).collect()
        })
    }

    /// The patients that an extraction would measure.
    pub(in crate::study) fn tasks(
        &self,
        request: &ExtractRequest,
        report: &mut ExtractReport,
    ) -> Result<Vec<Task>, Error> {
        let patients = match request.codes.as_slice() {
            [] => self.store.patients()?.into_iter().filter(|patient| patient.included()).collect(),
            codes => codes.iter().map(|code| self.store.patient(code)).collect::<Result<Vec<_>, _>>()?,
        };
        let standing = if request.force { BTreeMap::new() } else { self.standing()? };
        let mut tasks = Vec::new();
        let rejected = self.rejected_masks()?;
        for patient in patients {
            let mut files = self.store.images_of(patient.id)?;
            let of_patient = rejected.get(&patient.id).map_or(&[][..], Vec::as_slice);
            files.retain(|file| !of_patient.contains(file));
            let slots: Vec<SlotTask> =
                self.protocol.slots().iter().filter_map(|slot| self.slot_task(slot, &files)).collect();
            let stands = |slot: &SlotTask| self.stands(patient.id, slot, &standing);
            if slots.is_empty() {
                report.without_images += 1;
            } else if slots.iter().all(stands) {
                report.skipped += 1;
            } else {
                let slots = slots.into_iter().filter(|slot| !stands(slot)).collect();
                tasks.push(Task { id: patient.id, code: patient.code, slots });
            }
        }
        Ok(tasks)
    }

    /// Masks that are not measured, where the protocol wants accepted ones.
    fn rejected_masks(&self) -> Result<BTreeMap<PatientId, Vec<ImageFile>>, Error> {
        let mut rejected: BTreeMap<PatientId, Vec<ImageFile>> = BTreeMap::new();
        if self.protocol.learn.masks == Masks::Accepted {
            for mask in self.judged()?.into_iter().filter(|mask| !mask.is_accepted()) {
                rejected.entry(mask.file.patient).or_default().push(mask.file);
            }
        }
        Ok(rejected)
    }

    /// What is measured in a patient's slot; `None` without its image or any mask for it.
    pub(in crate::study) fn slot_task(&self, slot: &Slot, files: &[ImageFile]) -> Option<SlotTask> {
        let image_of = |slot: &str| files.iter().find(|it| it.role == Role::Image && it.slot == slot).cloned();
        let image = image_of(&slot.slot)?;
        let borrowed = !slot.masks_of.is_empty();
        let drawn_in = if borrowed { &slot.masks_of } else { &slot.slot };
        let masks = files.iter().filter(|it| it.role != Role::Image && it.slot == *drawn_in);
        let mut drawings: Vec<Drawing> = masks
            .map(|mask| Drawing { lesion: mask.lesion.clone(), rater: mask.role.clone(), files: vec![mask.clone()] })
            .collect();
        drawings.sort_by_cached_key(|it| (it.rater.clone(), natural(&it.lesion)));
        if self.protocol.learn.lesions == Lesions::All {
            let raters: BTreeMap<Role, Vec<ImageFile>> = drawings.iter().fold(BTreeMap::new(), |mut raters, it| {
                raters.entry(it.rater.clone()).or_insert_with(Vec::new).extend(it.files.iter().cloned());
                raters
            });
            let several = raters.into_iter().filter(|(_, files)| files.len() > 1);
            drawings.extend(several.map(|(rater, files)| Drawing { lesion: ALL_LESIONS.to_owned(), rater, files }));
        }
        let drawn_on = borrowed.then(|| image_of(&slot.masks_of)).flatten();
        (!drawings.is_empty()).then_some(SlotTask { image, drawings, drawn_on })
    }

    /// Whether every region of a slot is measured from these files.
    fn stands(
        &self,
        patient: PatientId,
        slot: &SlotTask,
        standing: &BTreeMap<(PatientId, Place), RegionState>,
    ) -> bool {
        let regions = protocol_regions(&self.protocol);
        slot.drawings.iter().all(|drawing| {
            let inputs = slot.inputs(drawing);
            let stored = |region: &String| standing.get(&(patient, drawing.place(&slot.image.slot, region)));
            regions.iter().all(|region| stored(region).is_some_and(|state| state.inputs == inputs))
        })
    }

    /// What was measured under the settings in force, without failure.
    pub(in crate::study) fn standing(&self) -> Result<BTreeMap<(PatientId, Place), RegionState>, Error> {
        let slots = self.protocol.slots().iter();
        let hashes: BTreeMap<&str, String> =
            slots.map(|it| (it.slot.as_str(), self.protocol.slot_hash(&it.slot))).collect();
        let inputs: BTreeMap<RunId, String> = self.store.runs()?.into_iter().map(|run| (run.id, run.inputs)).collect();
        let stands = |state: &RegionState| {
            let hash = hashes.get(state.place.slot.as_str());
            state.error.is_none() && hash.is_some() && inputs.get(&state.run) == hash
        };
        let states = self.store.region_states()?.into_iter().filter(stands);
        Ok(states.map(|state| ((state.patient, state.place.clone()), state)).collect())
    }

    /// Workers read and measure, each one patient at a time; this thread alone writes.
    fn measure_all(&self, tasks: &[Task], runs: &Runs, job: &Job, report: &mut ExtractReport) -> Result<(), Error> {
        let stage = job.stage("patients", tasks.len());
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let folder = self.folder();
        let protocol = &self.protocol;
        let workers = rayon::current_num_threads().min(tasks.len());
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(workers);
            for _ in 0..workers {
                let (sender, folder, next, stop) = (sender.clone(), &folder, &next, &stop);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                        // A panic is this patient's failure; the others are measured.
                        let caught = catch_unwind(AssertUnwindSafe(|| measure(task, folder, protocol, &job.silent())));
                        let measured = caught.unwrap_or_else(|_| Err(Error::Internal("measuring")));
                        if sender.send((task, measured)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            let written = self.write_all(&receiver, runs, &stage, report);
            stop.store(true, Ordering::Relaxed);
            written
        })
    }

    fn write_all(
        &self,
        results: &Receiver<(&Task, Result<Vec<Measured>, Error>)>,
        runs: &Runs,
        stage: &osteon_base::job::Stage,
        report: &mut ExtractReport,
    ) -> Result<(), Error> {
        for (task, measured) in results {
            let measured = match measured {
                Err(Error::Cancelled(cause)) => return Err(cause.into()),
                Err(cause) => failed(task, &protocol_regions(&self.protocol), &cause),
                Ok(measured) => measured,
            };
            self.store.write_patiently("extract", stage, |write| put(write, runs, task, &measured))?;
            note(task, &measured, report);
            stage.step()?;
        }
        report.failures.sort_by_cached_key(|failure| (natural(&failure.code), failure.roi.clone()));
        Ok(())
    }
}

/// Nothing of an extraction depends on its run: the seed of noise is the image's own.
const EXTRACTION_SEED: Seed = Seed(0);

impl Protocol {
    /// The files of a patient that a result at this place comes from; `None` where one of them is not linked.
    pub(in crate::study) fn inputs(&self, files: &[ImageFile], place: &Place) -> Option<Inputs> {
        let drawn_in = self.slot(&place.slot).map(|slot| &slot.masks_of).filter(|slot| !slot.is_empty());
        let drawn_in = drawn_in.unwrap_or(&place.slot);
        let image = files.iter().find(|it| it.role == Role::Image && it.slot == place.slot)?;
        let is_own = |it: &&ImageFile| {
            it.role == place.rater && it.slot == *drawn_in && (it.lesion == place.lesion || place.lesion == ALL_LESIONS)
        };
        let mut masks: Vec<&ImageFile> = files.iter().filter(is_own).collect();
        masks.sort_by_cached_key(|it| natural(&it.lesion));
        (!masks.is_empty()).then(|| Inputs::of(image, masks))
    }
}

/// The run and the ids of the features of each slot.
type Runs = BTreeMap<String, (RunId, Vec<FeatureId>)>;

impl SlotTask {
    /// The files that a drawing's results come from.
    fn inputs(&self, drawing: &Drawing) -> Inputs {
        Inputs::of(&self.image, &drawing.files)
    }

    /// The image, the one that was drawn on, then the masks, each file once.
    pub fn files(self) -> Vec<ImageFile> {
        let masks = self.drawings.into_iter().filter(|it| it.lesion != ALL_LESIONS).flat_map(|it| it.files);
        std::iter::once(self.image).chain(self.drawn_on).chain(masks).collect()
    }
}

impl Drawing {
    fn place(&self, slot: &str, region: &str) -> Place {
        let (slot, region) = (slot.to_owned(), region.to_owned());
        Place { slot, region, lesion: self.lesion.clone(), rater: self.rater.clone() }
    }
}

/// A slot that cannot be measured fails by itself; the others are measured.
pub(in crate::study) fn measure(
    task: &Task,
    folder: &Path,
    protocol: &Protocol,
    job: &Job,
) -> Result<Vec<Measured>, Error> {
    let mut measured = Vec::new();
    for slot in &task.slots {
        match measure_slot(slot, folder, protocol, job) {
            Err(cause @ Error::Cancelled(_)) => return Err(cause),
            Err(cause) => measured.extend(failed_slot(slot, &protocol_regions(protocol), &cause.in_full())),
            Ok(of_slot) => measured.extend(of_slot),
        }
    }
    Ok(measured)
}

fn measure_slot(slot: &SlotTask, folder: &Path, protocol: &Protocol, job: &Job) -> Result<Vec<Measured>, Error> {
    let path = folder.join(&slot.image.path);
    let protocol = &protocol.in_slot(&slot.image.slot);
    let bytes = unchanged(&slot.image, &path, &protocol.mask)?;
    let (image, said) = bytes.image_as_stored(&path)?;
    let notes = said.into_iter().map(|note| format!("image: {note}")).collect();
    let of_image = Reading { notes, missing_slices: bytes.missing_slices(), ..Reading::default() };
    let (image, identity) = ((image, of_image), bytes.identity().cloned());
    drop(bytes);
    let on = On { geometry: image.0.volume.geometry(), identity: identity.as_ref() };
    let space = match &slot.drawn_on {
        Some(other) => Space::of(slot, other, on, folder, protocol)?,
        None => Space::Own,
    };
    slot.drawings.iter().map(|it| measure_drawing(slot, &image, (on, &space), it, folder, protocol, job)).collect()
}

fn measure_drawing(
    slot: &SlotTask,
    (image, of_image): &(Image, Reading),
    (on, space): (On, &Space),
    drawing: &Drawing,
    folder: &Path,
    protocol: &Protocol,
    job: &Job,
) -> Result<Measured, Error> {
    let mut read: Option<osteon_radiomics::read::Region> = None;
    for file in &drawing.files {
        let path = folder.join(&file.path);
        let next = unchanged(file, &path, &protocol.mask)?;
        let next = next.region(&path, file.picked(), space.drawn_on(on), &protocol.mask)?;
        let mut next = space.bring(next, on.geometry, &protocol.mask)?;
        match &mut read {
            None => read = Some(next),
            Some(all) => {
                all.mask = all.mask.or(&next.mask);
                all.reading.notes.append(&mut next.reading.notes);
            }
        }
    }
    let mut read = read.expect("a drawing has a file");
    read.reading.notes.extend(of_image.notes.iter().cloned());
    read.reading.missing_slices = read.reading.missing_slices.max(of_image.missing_slices);
    let rois = Roi::all(&protocol.roi);
    let checks = diagnose::regions(image, &read.mask, &rois, &read.reading);
    let regions = crate::study::jobs::measure::measure(image, &read.mask, &rois, protocol, job)?
        .into_iter()
        .zip(checks)
        .map(|(region, check)| Region {
            name: region.roi.to_string(),
            check: Some(check),
            outcome: region.outcome.map_err(|cause| with_causes(&cause)),
        })
        .collect();
    Ok(Measured { regions, ..slot.measured(drawing) })
}

/// The file's bytes, if they are those that were imported.
pub(in crate::study) fn unchanged(file: &ImageFile, path: &Path, params: &Params) -> Result<input::ImageBytes, Error> {
    let bytes = input::image_bytes(path, None, params.uneven)?;
    if bytes.sha256 == file.sha256 { Ok(bytes) } else { Err(Error::Changed(path.to_owned())) }
}

fn protocol_regions(protocol: &Protocol) -> Vec<String> {
    Roi::all(&protocol.roi).iter().map(Roi::to_string).collect()
}

/// The whole patient failed: each region says why.
fn failed(task: &Task, regions: &[String], cause: &Error) -> Vec<Measured> {
    task.slots.iter().flat_map(|slot| failed_slot(slot, regions, &cause.in_full())).collect()
}

fn failed_slot(slot: &SlotTask, regions: &[String], reason: &str) -> Vec<Measured> {
    let region = |name: &String| Region { name: name.clone(), check: None, outcome: Err(reason.to_owned()) };
    let measured =
        |drawing: &Drawing| Measured { regions: regions.iter().map(region).collect(), ..slot.measured(drawing) };
    slot.drawings.iter().map(measured).collect()
}

impl SlotTask {
    /// A drawing's result, without regions yet.
    fn measured(&self, drawing: &Drawing) -> Measured {
        Measured {
            slot: self.image.slot.clone(),
            lesion: drawing.lesion.clone(),
            rater: drawing.rater.clone(),
            inputs: self.inputs(drawing),
            regions: Vec::new(),
        }
    }
}

impl Measured {
    fn place(&self, region: &str) -> Place {
        let Measured { slot, lesion, rater, .. } = self;
        Place { slot: slot.clone(), region: region.to_owned(), lesion: lesion.clone(), rater: rater.clone() }
    }
}

fn put(write: &Write, runs: &Runs, task: &Task, measured: &[Measured]) -> Result<(), Error> {
    for drawing in measured {
        let (run, features) = &runs[&drawing.slot];
        for Region { name, check, outcome } in &drawing.regions {
            let outcome = outcome.as_deref().map_err(Clone::clone);
            let place = drawing.place(name);
            write.put_region(*run, (task.id, &place), &drawing.inputs, features, outcome, check.as_ref())?;
        }
    }
    Ok(())
}

fn note(task: &Task, measured: &[Measured], report: &mut ExtractReport) {
    let troubles: Vec<(String, &String)> = measured
        .iter()
        .flat_map(|drawing| drawing.regions.iter().map(move |region| (drawing.place(&region.name), region)))
        .filter_map(|(place, region)| region.outcome.as_ref().err().map(|why| (in_words(&place), why)))
        .collect();
    let regions: usize = measured.iter().map(|drawing| drawing.regions.len()).sum();
    let failure = |roi: String, reason: &String| Failure { code: task.code.clone(), roi, reason: reason.clone() };
    match troubles.as_slice() {
        [] => report.done += 1,
        [(_, first), ..] if troubles.len() == regions && troubles.iter().all(|(_, why)| why == first) => {
            report.failures.push(failure(String::new(), first));
        }
        some => report.failures.extend(some.iter().map(|(roi, why)| failure(roi.clone(), why))),
    }
}

fn in_words(place: &Place) -> String {
    match place.rater {
        Role::Mask => place.region_name(),
        _ => place.to_string(),
    }
}
