//! The plan of an extraction in parts: which patients each shard measures, and under what inputs.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::protocol::Protocol;
use crate::store::{ImageFile, PatientId, Role, Scratch, StoreError};
use crate::study::data::input;
use crate::study::jobs::extract::{SlotTask, Task, unchanged};
use crate::study::{Error, ExtractReport, ExtractRequest, Study};
use osteon_base::job::Job;
use osteon_radiomics::grid::{Geometry, Mask};
use osteon_radiomics::read::dicom::On;

/// What shards need to know without the study file. A shard, a status and a merge refuse a plan whose hash is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// SHA-256 of this document, in one line, with an empty hash.
    pub hash: String,
    pub program_version: String,
    /// The study file that the shards are merged into; relative paths of images start from its folder.
    pub study: PathBuf,
    /// Hash of the study's last change, and whether its data were locked, when the plan was made.
    pub trail_head: String,
    pub locked: bool,
    pub protocol_hash: String,
    /// Hash of the protocol's part that features depend on.
    pub extraction_hash: String,
    pub protocol: String,
    pub shards: Vec<Vec<PlannedPatient>>,
}

/// A patient of a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedPatient {
    pub code: String,
    /// Voxels around the tumour that are filtered, in all masks: what a patient costs.
    pub size: u64,
    /// The image, then its masks.
    pub files: Vec<PlannedFile>,
}

/// A file as the study knew it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFile {
    pub role: String,
    pub slot: String,
    pub lesion: String,
    pub path: PathBuf,
    pub sha256: String,
    pub bytes: u64,
    pub label: Option<i64>,
    pub geometry: Geometry,
}

/// What was planned, and what was left out.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanReport {
    pub plan: Plan,
    /// Patients whose results stand already.
    pub skipped: usize,
    pub without_images: usize,
}

impl Study {
    /// Divides what an extraction would measure into at most `n_shards` shards of even cost. One step of the job a
    /// patient, whose masks are read. The same study and number give the same plan.
    pub fn plan_shards(&self, request: &ExtractRequest, n_shards: usize, job: &Job) -> Result<PlanReport, Error> {
        let mut report = ExtractReport::default();
        let tasks = self.tasks(request, &mut report)?;
        if tasks.is_empty() || n_shards == 0 {
            let ExtractReport { skipped, without_images, .. } = report;
            let why = format!("{skipped} patients are measured, {without_images} have no image and mask");
            return Err(Error::Request(format!("nothing to be divided into {n_shards} shards: {why}")));
        }
        let stage = job.stage("sizes", tasks.len());
        let (folder, protocol) = (self.folder(), &self.protocol);
        let patients: Vec<PlannedPatient> = tasks
            .into_par_iter()
            .map(|task| {
                let of_slot = |slot: &SlotTask| {
                    let masks = slot.drawings.iter().flat_map(|it| &it.files);
                    let grid = slot.drawn_on.as_ref().unwrap_or(&slot.image);
                    masks.map(|mask| cost(mask, &grid.geometry, &folder, protocol)).sum::<u64>()
                };
                let size = task.slots.iter().map(of_slot).sum();
                stage.step()?;
                Ok(planned(task, size))
            })
            .collect::<Result<_, Error>>()?;
        let row = self.store.study()?;
        let wrong = |source| Error::File { path: self.store.path().to_owned(), source };
        let plan = Plan {
            hash: String::new(),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            study: self.store.path().canonicalize().map_err(wrong)?,
            trail_head: self.store.trail_head()?,
            locked: row.locked.is_some(),
            protocol_hash: row.protocol_hash,
            extraction_hash: self.protocol.extraction_hash(),
            protocol: row.protocol_toml,
            shards: balanced(patients, n_shards),
        };
        let plan = Plan { hash: plan.digest(), ..plan };
        Ok(PlanReport { plan, skipped: report.skipped, without_images: report.without_images })
    }
}

impl Plan {
    /// Reads a plan, which must be as it was made.
    pub fn read(path: &Path) -> Result<Plan, Error> {
        let wrong = |source| Error::File { path: path.to_owned(), source };
        let bytes = input::table_bytes(path)?;
        let plan: Plan = serde_json::from_slice(&bytes).map_err(|cause| wrong(std::io::Error::other(cause)))?;
        if plan.hash != plan.digest() {
            return Err(Error::Request(format!("{}: the plan was changed after it was made", path.display())));
        }
        Ok(plan)
    }

    /// Writes the plan to a new file, for its owner only.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let wrong = |source| Error::File { path: path.to_owned(), source };
        if path.exists() {
            return Err(StoreError::Exists(path.to_owned()).into());
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(wrong)?;
        let draft = Scratch::in_folder(folder, "plan");
        std::fs::write(draft.path(), serde_json::to_vec(self).expect("a plan is plain data")).map_err(wrong)?;
        Ok(draft.publish(path)?)
    }

    /// Refuses what another osteon planned: other code may give other values.
    pub fn same_version(&self) -> Result<(), Error> {
        let here = env!("CARGO_PKG_VERSION");
        if self.program_version == here {
            return Ok(());
        }
        Err(Error::Request(format!("the plan is of osteon {}, this is {here}", self.program_version)))
    }

    /// A shard by its number, from 1.
    pub fn shard(&self, number: usize) -> Result<&[PlannedPatient], Error> {
        let shard = number.checked_sub(1).and_then(|at| self.shards.get(at));
        let none = || Error::Request(format!("no shard {number}, the plan has shards 1 to {}", self.shards.len()));
        shard.map(Vec::as_slice).ok_or_else(none)
    }

    fn digest(&self) -> String {
        let bare = Plan { hash: String::new(), ..self.clone() };
        crate::store::sha256(serde_json::to_vec(&bare).expect("a plan is plain data"))
    }
}

impl PlannedFile {
    /// The file as a study links it.
    pub fn linked(&self, patient: PatientId, folder: &Path) -> ImageFile {
        let PlannedFile { role, slot, lesion, path, sha256, bytes, label, geometry } = self.clone();
        let (role, path) = (Role::named(&role), folder.join(path));
        ImageFile { patient, role, slot, lesion, path, sha256, bytes, label, geometry, acquisition: None }
    }
}

fn planned(task: Task, size: u64) -> PlannedPatient {
    let file = |file: ImageFile| {
        let ImageFile { role, slot, lesion, path, sha256, bytes, label, geometry, .. } = file;
        PlannedFile { role: role.name().to_owned(), slot, lesion, path, sha256, bytes, label, geometry }
    };
    let mut files: Vec<PlannedFile> = task.slots.into_iter().flat_map(SlotTask::files).map(file).collect();
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|it| seen.insert((it.role.clone(), it.slot.clone(), it.lesion.clone())));
    PlannedPatient { code: task.code, size, files }
}

/// Voxels of the box around the tumour and its widest margin, at the protocol's spacing; `grid` is the image's. A mask that cannot be read
/// counts with its whole grid; what is wrong with it is said when its patient is measured.
fn cost(file: &ImageFile, grid: &Geometry, folder: &Path, protocol: &Protocol) -> u64 {
    let path = folder.join(&file.path);
    let mask = unchanged(file, &path, &protocol.mask)
        .and_then(|bytes| bytes.region(&path, file.picked(), On::grid(grid), &protocol.mask))
        .ok()
        .map(|region| region.mask);
    let shape = mask.as_ref().and_then(Mask::bounds).map_or(grid.shape, |bounds| bounds.shape);
    let margin_mm = protocol.roi.margins_mm.iter().copied().fold(0.0, f64::max);
    let spacing = &protocol.preprocess.spacing_mm;
    let voxels = (0..3).map(|k| {
        let old_mm = grid.spacing_mm[k];
        let new_mm = spacing.get(2 - k).copied().filter(|&mm| mm > 0.0).unwrap_or(old_mm);
        ((shape[k] as f64 * old_mm + 2.0 * margin_mm) / new_mm).ceil()
    });
    voxels.product::<f64>() as u64
}

/// The largest patient first, each to the shard that has least to do; within a shard in the order given.
fn balanced(patients: Vec<PlannedPatient>, n_shards: usize) -> Vec<Vec<PlannedPatient>> {
    let n_shards = n_shards.min(patients.len());
    let mut order: Vec<usize> = (0..patients.len()).collect();
    order.sort_by_key(|&at| Reverse(patients[at].size));
    let mut least: std::collections::BinaryHeap<Reverse<(u64, usize, usize)>> =
        (0..n_shards).map(|shard| Reverse((0, 0, shard))).collect();
    let mut shard_of = vec![0; patients.len()];
    for at in order {
        let Reverse((size, n, shard)) = least.pop().expect("there is a shard");
        shard_of[at] = shard;
        least.push(Reverse((size + patients[at].size, n + 1, shard)));
    }
    let mut shards = vec![Vec::new(); n_shards];
    for (patient, shard) in patients.into_iter().zip(shard_of) {
        shards[shard].push(patient);
    }
    shards
}
