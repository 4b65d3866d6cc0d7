//! Features of every region of every patient into the study: in parallel, resumable, each patient whole or not at all.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;
use crate::store::{Exclusive, FeatureId, ImageFile, Inputs, NewRun, PatientId, RegionState, Role, RunId, Write};
use crate::study::data::input;
use crate::study::error::with_causes;
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
    pub image: ImageFile,
    pub masks: Vec<ImageFile>,
}

/// The regions of one mask.
struct Measured {
    rater: Role,
    inputs: Inputs,
    regions: Vec<Region>,
}

struct Region {
    roi: String,
    /// What the region is; `None` where its mask could not be read.
    check: Option<RegionCheck>,
    /// Values in catalogue order, or why there are none.
    outcome: Result<Vec<Option<f64>>, String>,
}

impl Study {
    /// Measures what is not measured under the present inputs: image and mask, the protocol's part that features
    /// depend on, and the program's version. One step of the job a patient. A patient's trouble is in the report;
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
        let names = catalogue(&self.protocol.measured());
        let hash = self.protocol.extraction_hash();
        let (run, features) = self.store.write("extract", |write| {
            let run = write.begin_run(&NewRun { kind: "extract", inputs: &hash, seed: EXTRACTION_SEED })?;
            Ok::<_, Error>((run, write.catalogue(&names)?))
        })?;
        self.measure_all(&tasks, run, &features, job, &mut report)?;
        self.store.write("extract", |write| write.end_run(run))?;
        Ok(report)
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
        let wanted: Vec<String> = Roi::all(&self.protocol.roi).iter().map(Roi::to_string).collect();
        let mut tasks = Vec::new();
        for patient in patients {
            let mut files = self.store.images_of(patient.id)?;
            files.sort_by_key(|file| file.role);
            if files.len() < 2 || files[0].role != Role::Image {
                report.without_images += 1;
                continue;
            }
            let image = files.remove(0);
            let stands = |mask: &ImageFile| {
                let inputs = Inputs { image_sha256: image.sha256.clone(), mask_sha256: mask.input() };
                let stored = |roi: &String| standing.get(&(patient.id, roi.clone(), mask.role));
                wanted.iter().all(|roi| stored(roi).is_some_and(|state| state.inputs == inputs))
            };
            if files.iter().all(stands) {
                report.skipped += 1;
            } else {
                tasks.push(Task { id: patient.id, code: patient.code, image, masks: files });
            }
        }
        Ok(tasks)
    }

    /// What was measured by this version under the protocol in force, without failure.
    pub(in crate::study) fn standing(&self) -> Result<BTreeMap<(PatientId, String, Role), RegionState>, Error> {
        let hash = self.protocol.extraction_hash();
        let same = |run: &crate::store::Run| run.inputs == hash && run.program_version == env!("CARGO_PKG_VERSION");
        let runs: Vec<RunId> = self.store.runs()?.iter().filter(|run| same(run)).map(|run| run.id).collect();
        let stands = |state: &RegionState| state.error.is_none() && runs.contains(&state.run);
        let states = self.store.region_states()?.into_iter().filter(stands);
        Ok(states.map(|state| ((state.patient, state.roi.clone(), state.rater), state)).collect())
    }

    /// Workers read and measure, each one patient at a time; this thread alone writes.
    fn measure_all(
        &self,
        tasks: &[Task],
        run: RunId,
        features: &[FeatureId],
        job: &Job,
        report: &mut ExtractReport,
    ) -> Result<(), Error> {
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
            let written = self.write_all(&receiver, run, features, &stage, report);
            stop.store(true, Ordering::Relaxed);
            written
        })
    }

    fn write_all(
        &self,
        results: &Receiver<(&Task, Result<Vec<Measured>, Error>)>,
        run: RunId,
        features: &[FeatureId],
        stage: &osteon_base::job::Stage,
        report: &mut ExtractReport,
    ) -> Result<(), Error> {
        for (task, measured) in results {
            let measured = match measured {
                Err(Error::Cancelled(cause)) => return Err(cause.into()),
                Err(cause) => failed(task, protocol_regions(&self.protocol), &cause),
                Ok(measured) => measured,
            };
            self.store.write_patiently("extract", stage, |write| put(write, run, task, features, &measured))?;
            note(task, &measured, report);
            stage.step()?;
        }
        report.failures.sort_by_cached_key(|failure| (crate::store::natural(&failure.code), failure.roi.clone()));
        Ok(())
    }
}

/// Nothing of an extraction depends on its run: the seed of noise is the image's own.
const EXTRACTION_SEED: Seed = Seed(0);

fn measure(task: &Task, folder: &Path, protocol: &Protocol, job: &Job) -> Result<Vec<Measured>, Error> {
    let path = folder.join(&task.image.path);
    let bytes = unchanged(&task.image, &path, &protocol.mask)?;
    let (image, said) = bytes.image_as_stored(&path)?;
    let notes = said.into_iter().map(|note| format!("image: {note}")).collect();
    let of_image = Reading { notes, missing_slices: bytes.missing_slices(), ..Reading::default() };
    let (image, identity) = ((image, of_image), bytes.identity().cloned());
    drop(bytes);
    let on = On { geometry: image.0.volume.geometry(), identity: identity.as_ref() };
    task.masks.iter().map(|mask| measure_mask(task, &image, on, mask, folder, protocol, job)).collect()
}

fn measure_mask(
    task: &Task,
    (image, of_image): &(Image, Reading),
    on: On,
    file: &ImageFile,
    folder: &Path,
    protocol: &Protocol,
    job: &Job,
) -> Result<Measured, Error> {
    let path = folder.join(&file.path);
    let mut read = unchanged(file, &path, &protocol.mask)?.region(&path, file.picked(), on, &protocol.mask)?;
    read.reading.notes.extend(of_image.notes.iter().cloned());
    read.reading.missing_slices = of_image.missing_slices;
    let rois = Roi::all(&protocol.roi);
    let checks = diagnose::regions(image, &read.mask, &rois, &read.reading);
    let regions = crate::study::jobs::measure::measure(image, &read.mask, &rois, protocol, job)?
        .into_iter()
        .zip(checks)
        .map(|(region, check)| Region {
            roi: region.roi.to_string(),
            check: Some(check),
            outcome: region.outcome.map_err(|cause| with_causes(&cause)),
        })
        .collect();
    let inputs = Inputs { image_sha256: task.image.sha256.clone(), mask_sha256: file.input() };
    Ok(Measured { rater: file.role, inputs, regions })
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
fn failed(task: &Task, rois: Vec<String>, cause: &Error) -> Vec<Measured> {
    let reason = cause.in_full();
    let measured = |mask: &ImageFile| Measured {
        rater: mask.role,
        inputs: Inputs { image_sha256: task.image.sha256.clone(), mask_sha256: mask.input() },
        regions: rois
            .iter()
            .map(|roi| Region { roi: roi.clone(), check: None, outcome: Err(reason.clone()) })
            .collect(),
    };
    task.masks.iter().map(measured).collect()
}

fn put(write: &Write, run: RunId, task: &Task, features: &[FeatureId], measured: &[Measured]) -> Result<(), Error> {
    for Measured { rater, inputs, regions } in measured {
        for Region { roi, check, outcome } in regions {
            let outcome = outcome.as_deref().map_err(Clone::clone);
            write.put_region(run, (task.id, roi, *rater), inputs, features, outcome, check.as_ref())?;
        }
    }
    Ok(())
}

fn note(task: &Task, measured: &[Measured], report: &mut ExtractReport) {
    let troubles: Vec<(String, &String)> = measured
        .iter()
        .flat_map(|mask| mask.regions.iter().map(move |region| (mask.rater, region)))
        .filter_map(|(rater, region)| region.outcome.as_ref().err().map(|why| (place(rater, &region.roi), why)))
        .collect();
    let regions: usize = measured.iter().map(|mask| mask.regions.len()).sum();
    let failure = |roi: String, reason: &String| Failure { code: task.code.clone(), roi, reason: reason.clone() };
    match troubles.as_slice() {
        [] => report.done += 1,
        [(_, first), ..] if troubles.len() == regions && troubles.iter().all(|(_, why)| why == first) => {
            report.failures.push(failure(String::new(), first));
        }
        some => report.failures.extend(some.iter().map(|(roi, why)| failure(roi.clone(), why))),
    }
}

fn place(rater: Role, roi: &str) -> String {
    if rater == Role::RepeatMask { format!("{roi} (repeat mask)") } else { roi.to_owned() }
}
