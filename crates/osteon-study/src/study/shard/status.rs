//! Which shards of a plan lie in a folder, and what is wrong with the others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::protocol::Protocol;
use crate::report::sheet::{Cell, Sheet};
use crate::store::{Run, Store};
use crate::study::shard::Plan;
use crate::study::{Error, Failure};

/// A whole file of a shard.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub path: PathBuf,
    /// From 1.
    pub number: usize,
    pub run: Run,
    pub failures: Vec<Failure>,
}

/// What became of a shard.
#[derive(Clone, Debug, PartialEq)]
pub enum ShardState {
    Missing,
    Whole(Box<Found>),
    /// A file that cannot be used, and why.
    Broken(PathBuf, String),
}

/// The shards of a plan as they lie in a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Shards {
    pub plan: Plan,
    /// One state a shard, the first being number 1.
    pub states: Vec<ShardState>,
    /// Files of other plans, and files beside the one that is used.
    pub foreign: Vec<(PathBuf, String)>,
}

impl Shards {
    /// Looks at every `shard-*.db` of a folder. What a file says of itself counts, its name only where it says nothing.
    pub fn in_folder(folder: &Path, plan: Plan) -> Result<Shards, Error> {
        let mut states = vec![ShardState::Missing; plan.shards.len()];
        let mut foreign = Vec::new();
        for path in files(folder)? {
            match inspect(&plan, &path) {
                Ok(found) => match &mut states[found.number - 1] {
                    ShardState::Whole(first) => {
                        foreign.push((path, format!("a second file of shard {}", first.number)));
                    }
                    state => *state = ShardState::Whole(Box::new(found)),
                },
                Err(Error::OtherPlan(_)) => foreign.push((path, "a file of another plan".to_owned())),
                Err(cause) => match named(&path).and_then(|number| states.get_mut(number.checked_sub(1)?)) {
                    Some(state @ ShardState::Missing) => *state = ShardState::Broken(path, cause.in_full()),
                    _ => foreign.push((path, cause.in_full())),
                },
            }
        }
        Ok(Shards { plan, states, foreign })
    }

    /// Numbers of the shards that are to be run still.
    pub fn missing(&self) -> Vec<usize> {
        let whole = |state: &ShardState| matches!(state, ShardState::Whole(_));
        (1..=self.states.len()).filter(|number| !whole(&self.states[number - 1])).collect()
    }

    /// One row a shard.
    pub fn sheet(&self) -> Sheet {
        let headings = ["shard", "state", "patients", "size", "failed", "host", "seconds", "why"];
        let rows = self.states.iter().enumerate().map(|(at, state)| self.row(at, state)).collect();
        let whole = self.states.len() - self.missing().len();
        let mut notes = vec![format!("{whole} of {} shards are whole", self.states.len())];
        notes.extend(self.foreign.iter().map(|(path, why)| format!("{}: {why}", path.display())));
        Sheet {
            title: "Shards".to_owned(),
            headings: headings.map(str::to_owned).to_vec(),
            rows,
            notes,
            provenance: vec![format!("plan: {}", self.plan.hash), format!("osteon: {}", self.plan.program_version)],
        }
    }

    fn row(&self, at: usize, state: &ShardState) -> Vec<Cell> {
        let text = |text: &str| Cell::Text(text.to_owned());
        let patients = &self.plan.shards[at];
        let size: u64 = patients.iter().map(|patient| patient.size).sum();
        let (name, [failed, host, seconds, why]) = match state {
            ShardState::Missing => ("missing", [Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty]),
            ShardState::Broken(_, why) => ("broken", [Cell::Empty, Cell::Empty, Cell::Empty, text(why)]),
            ShardState::Whole(found) => {
                let codes: BTreeSet<&str> = found.failures.iter().map(|failure| failure.code.as_str()).collect();
                let seconds = seconds(&found.run).map_or(Cell::Empty, |seconds| Cell::number(Some(seconds), 1));
                ("whole", [Cell::Count(codes.len()), text(&found.run.host), seconds, Cell::Empty])
            }
        };
        let size = Cell::Count(usize::try_from(size).unwrap_or(usize::MAX));
        vec![Cell::Count(at + 1), text(name), Cell::Count(patients.len()), size, failed, host, seconds, why]
    }
}

/// Numbers as Slurm's `--array` takes them: `3,7-9`.
pub fn ranges(numbers: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let text = |(first, last): (usize, usize)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    ranges.into_iter().map(text).collect::<Vec<_>>().join(",")
}

/// What a file says of itself, if it is a whole shard of this plan: its patients are those planned, under the planned
/// protocol, by the planned version.
pub(in crate::study::shard) fn inspect(plan: &Plan, path: &Path) -> Result<Found, Error> {
    let store = Store::open_shard(path)?;
    let not_whole = |why: &str| Error::Request(format!("{}: {why}", path.display()));
    let shards = store.shards()?;
    let [own] = shards.as_slice() else { return Err(not_whole("not a file of one shard")) };
    if own.plan != plan.hash || own.sha256.is_some() {
        return Err(Error::OtherPlan(path.to_owned()));
    }
    let run = store.run(own.run)?.ok_or_else(|| not_whole("no run"))?;
    let protocol = Protocol::stored(&plan.protocol)?;
    let hashes: Vec<String> = protocol.slots().iter().map(|slot| protocol.slot_hash(&slot.slot)).collect();
    if run.program_version != plan.program_version || !hashes.contains(&run.inputs) {
        return Err(Error::OtherPlan(path.to_owned()));
    }
    let codes: BTreeMap<_, _> = store.patients()?.into_iter().map(|patient| (patient.id, patient.code)).collect();
    let states = store.region_states()?;
    let planned: BTreeSet<&str> = plan.shard(own.number)?.iter().map(|patient| patient.code.as_str()).collect();
    let code = |state: &crate::store::RegionState| codes.get(&state.patient).map_or("", String::as_str);
    let measured: BTreeSet<&str> = states.iter().map(code).collect();
    if run.finished_at.is_none() || planned != measured {
        return Err(not_whole("not all planned patients are in it"));
    }
    let failure = |state: &crate::store::RegionState| {
        let reason = state.error.clone()?;
        Some(Failure { code: code(state).to_owned(), roi: state.place.region_name(), reason })
    };
    let failures = states.iter().filter_map(failure).collect();
    Ok(Found { path: path.to_owned(), number: own.number, run, failures })
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let wrong = |source| Error::File { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("shard-") && name.ends_with(".db") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The number in a name like `shard-3.db`.
fn named(path: &Path) -> Option<usize> {
    path.file_stem()?.to_str()?.strip_prefix("shard-")?.parse().ok()
}

fn seconds(run: &Run) -> Option<f64> {
    let at = |text: &str| text.parse::<jiff::Timestamp>().ok();
    let (from, to) = (at(&run.started_at)?, at(run.finished_at.as_deref()?)?);
    Some(to.duration_since(from).as_secs_f64())
}
