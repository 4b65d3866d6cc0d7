//! Shards into the study: one transaction, the same result in whatever number and order they come.

use std::collections::BTreeMap;

use crate::protocol::Protocol;
use crate::store::{
    FeatureId, PatientId, Place, RegionState, Role, Run, RunId, ShardRow, Store, Write, file_sha256, values_sha256,
};
use crate::study::shard::{Found, Plan, PlannedPatient, ShardState, Shards};
use crate::study::{Error, Failure, Study};
use osteon_radiomics::diagnose::RegionCheck;

/// What a merge takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeOptions {
    /// Whole shards although others are missing or broken.
    pub partial: bool,
}

/// What a merge did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MergeReport {
    /// Shards that brought something.
    pub merged: usize,
    /// Shards whose results stood already.
    pub unchanged: usize,
    /// Regions that were stored.
    pub regions: usize,
    /// Numbers of the shards that were not there or not whole.
    pub missing: Vec<usize>,
    /// Patients of whole shards that could not be measured.
    pub failures: Vec<Failure>,
}

/// A result of a patient.
type Spot = (PatientId, Place);

/// What the study has before a merge.
struct Present {
    /// Values of this version under the protocol in force.
    done: BTreeMap<Spot, RegionState>,
    failed: BTreeMap<Spot, RegionState>,
}

/// One shard on its way into the study.
struct Source<'a> {
    found: &'a Found,
    plan: &'a Plan,
    store: Store,
    sha256: String,
    /// From the patients of the shard file to those of the study.
    patients: BTreeMap<PatientId, PatientId>,
}

impl Study {
    /// Takes the results of shards in place of what does not stand; what stands under the same inputs is left alone.
    /// All or nothing. Refuses another study's plan, another protocol or version, changed inputs, and values that
    /// differ from standing ones of the same inputs.
    pub fn merge_shards(&self, shards: &Shards, options: MergeOptions) -> Result<MergeReport, Error> {
        self.check_plan(&shards.plan)?;
        if let Some((path, why)) = shards.foreign.first() {
            return Err(Error::Request(format!("{}: {why}", path.display())));
        }
        let mut report = MergeReport { missing: shards.missing(), ..MergeReport::default() };
        if !report.missing.is_empty() && !options.partial {
            return Err(Error::Incomplete(incomplete(shards)));
        }
        let found: Vec<&Found> = shards.states.iter().filter_map(whole).collect();
        report.failures = found.iter().flat_map(|found| found.failures.iter().cloned()).collect();
        self.store.write(&format!("shard merge, plan {}", &shards.plan.hash[..12]), |write| {
            let present = Present { done: self.standing()?, failed: self.failed_regions()? };
            for found in found {
                let source = open(found, &shards.plan, write)?;
                match source.merge(write, &present)? {
                    0 => report.unchanged += 1,
                    n => (report.merged, report.regions) = (report.merged + 1, report.regions + n),
                }
            }
            Ok(report)
        })
    }

    fn failed_regions(&self) -> Result<BTreeMap<Spot, RegionState>, Error> {
        let states = self.store.region_states()?.into_iter().filter(|state| state.error.is_some());
        Ok(states.map(|state| ((state.patient, state.place.clone()), state)).collect())
    }

    fn check_plan(&self, plan: &Plan) -> Result<(), Error> {
        plan.same_version()?;
        if plan.extraction_hash != self.protocol.extraction_hash() {
            let (was, now) = (&plan.extraction_hash[..12], &self.protocol.extraction_hash()[..12]);
            let why = format!("the plan measures under protocol {was}, the study has {now} in force");
            return Err(Error::Request(why));
        }
        if !self.store.has_change(&plan.trail_head)? {
            return Err(Error::Request("the plan is of another study: its trail head is no change of this one".into()));
        }
        Ok(())
    }
}

impl Source<'_> {
    /// Stores what does not stand; gives the number of regions.
    fn merge(&self, write: &Write, present: &Present) -> Result<usize, Error> {
        let names: Vec<String> = self.store.features()?.into_iter().map(|(_, name)| name).collect();
        let features = write.catalogue(&names)?;
        let states = self.store.region_states()?;
        // Every lesion of a slot, region and rater is read at once.
        let group = |place: &Place| (place.rater.clone(), place.slot.clone(), place.region.clone());
        let mut groups: Vec<(Role, String, String)> = Vec::new();
        for state in &states {
            let of = group(&state.place);
            if !groups.contains(&of) {
                groups.push(of);
            }
        }
        let checks: BTreeMap<Spot, RegionCheck> =
            self.store.region_checks()?.into_iter().map(|(patient, place, check)| ((patient, place), check)).collect();
        let (mut runs, mut n) = (BTreeMap::new(), 0);
        for of in groups {
            let (rater, slot, region) = &of;
            let matrix = self.store.matrix(slot, region, rater)?;
            let whose = matrix.patients.iter().copied().zip(matrix.lesions.iter().map(String::as_str));
            let row_of: BTreeMap<(PatientId, &str), &[Option<f64>]> =
                whose.zip(matrix.values.chunks(names.len().max(1))).collect();
            for state in states.iter().filter(|state| group(&state.place) == of) {
                let values = row_of.get(&(state.patient, state.place.lesion.as_str())).copied();
                if self.stands(state, values, &features, present)? {
                    continue;
                }
                let run = match runs.get(&state.run) {
                    Some(run) => *run,
                    None => {
                        let run = self.adopt(state.run, runs.is_empty(), write)?;
                        runs.insert(state.run, run);
                        run
                    }
                };
                let spot = (self.patients[&state.patient], &state.place);
                let outcome = values.ok_or_else(|| state.error.clone().unwrap_or_default());
                let check = checks.get(&(state.patient, state.place.clone()));
                write.put_region(run, spot, &state.inputs, &features, outcome, check)?;
                n += 1;
            }
        }
        Ok(n)
    }

    /// Whether the study has this result already. A failure never takes the place of values.
    fn stands(
        &self,
        state: &RegionState,
        values: Option<&[Option<f64>]>,
        features: &[FeatureId],
        present: &Present,
    ) -> Result<bool, Error> {
        let place = (self.patients[&state.patient], state.place.clone());
        let Some(old) = present.done.get(&place).filter(|old| old.inputs == state.inputs) else {
            let told = |old: &RegionState| old.inputs == state.inputs && old.error == state.error;
            return Ok(present.failed.get(&place).is_some_and(told));
        };
        let same = values.is_none_or(|values| old.values_sha256 == Some(values_sha256(features, values)));
        if same {
            Ok(true)
        } else {
            Err(self.wrong(&format!("{}: other values than those that stand", state.place.region_name())))
        }
    }

    /// A run of the shard as it happened, but on the study's trail; the first of a file brings the file's own row.
    fn adopt(&self, id: RunId, is_first: bool, write: &Write) -> Result<RunId, Error> {
        let Found { run, number, .. } = self.found;
        let run = &self.store.run(id)?.unwrap_or_else(|| run.clone());
        let run = write.adopt_run(&Run {
            protocol_hash: self.plan.protocol_hash.clone(),
            trail_head: self.plan.trail_head.clone(),
            locked: self.plan.locked,
            ..run.clone()
        })?;
        let (plan, n_shards, sha256) = (self.plan.hash.clone(), self.plan.shards.len(), Some(self.sha256.clone()));
        if is_first {
            write.put_shard(&ShardRow { plan, number: *number, n_shards, run, sha256 })?;
        }
        Ok(run)
    }

    fn wrong(&self, why: &str) -> Error {
        Error::Request(format!("{}: {why}", self.found.path.display()))
    }
}

fn whole(state: &ShardState) -> Option<&Found> {
    if let ShardState::Whole(found) = state { Some(found.as_ref()) } else { None }
}

/// Opens a shard whose values are those that were stored and whose patients and files are the study's.
fn open<'a>(found: &'a Found, plan: &'a Plan, write: &Write) -> Result<Source<'a>, Error> {
    let store = Store::open_shard(&found.path)?;
    let sha256 = file_sha256(&found.path)?;
    let mut source = Source { found, plan, store, sha256, patients: BTreeMap::new() };
    if let Some(place) = source.store.altered_values()?.first() {
        return Err(source.wrong(&format!("{place}: the feature values are not those that were stored")));
    }
    for patient in plan.shard(found.number)? {
        let id = write.patient(&patient.code)?.id;
        check_files(patient, id, write)?;
        source.patients.insert(source.store.patient(&patient.code)?.id, id);
    }
    for state in source.store.region_states()? {
        check_inputs(&source, &state)?;
    }
    Ok(source)
}

/// The study's files of a patient are those that were planned.
fn check_files(patient: &PlannedPatient, id: PatientId, write: &Write) -> Result<(), Error> {
    let linked = write.images_of(id)?;
    for file in &patient.files {
        let same = |other: &crate::store::ImageFile| {
            let own = (other.role.name(), &other.slot, &other.lesion, &other.sha256, other.label);
            own == (file.role.as_str(), &file.slot, &file.lesion, &file.sha256, file.label)
        };
        if !linked.iter().any(same) {
            let PlannedPatient { code, .. } = patient;
            return Err(Error::Request(format!("patient {code}: the {} is not the one that was planned", file.role)));
        }
    }
    Ok(())
}

/// A result of the shard is of planned files.
fn check_inputs(source: &Source, state: &RegionState) -> Result<(), Error> {
    let files = source.store.images_of(state.patient)?;
    let planned = Protocol::stored(&source.plan.protocol)?;
    if planned.inputs(&files, &state.place).as_ref() == Some(&state.inputs) {
        Ok(())
    } else {
        Err(source.wrong("measured from other files than those planned"))
    }
}

/// Every shard that keeps a merge from being whole, with its patients.
fn incomplete(shards: &Shards) -> String {
    let line = |(at, state): (usize, &ShardState)| {
        let codes: Vec<&str> = shards.plan.shards[at].iter().map(|patient| patient.code.as_str()).collect();
        let more = if codes.len() > 3 { ", ..." } else { "" };
        let patients = format!("{} patients: {}{more}", codes.len(), codes[..codes.len().min(3)].join(", "));
        match state {
            ShardState::Whole(_) => None,
            ShardState::Missing => Some(format!("shard {} is missing ({patients})", at + 1)),
            ShardState::Broken(_, why) => Some(format!("shard {} is broken ({patients}): {why}", at + 1)),
        }
    };
    shards.states.iter().enumerate().filter_map(line).collect::<Vec<_>>().join("; ")
}

impl MergeReport {
    /// Whether something is left to be done by a person.
    pub fn some_failed(&self) -> bool {
        !self.missing.is_empty() || !self.failures.is_empty()
    }
}
