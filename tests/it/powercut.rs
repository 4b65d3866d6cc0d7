//! The power goes at any moment: what was acknowledged is there, and what is there is whole.
//!
//! The program runs with a recorder preloaded (`tests/powercut/recorder.c`, built here by the C compiler; without one,
//! or on another system than Linux, the tests say that they are skipped). From its record follows what a disk may hold
//! after a cut: what was forced, and of the rest any part: writes lost or torn at 512 bytes, names not yet in their
//! folder.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_study::store::{Access, ChangeFilter};
use osteon_study::study::{Edit, Study};
use rand::Rng;

use crate::support::{fixture, program, rounds};

/// One record; `Acknowledged` is written by the test when a command has ended well.
#[derive(Debug)]
enum Step {
    Created(String),
    Truncated(String, usize),
    Written(String, usize, Vec<u8>),
    Forced(String),
    Unlinked(String),
    Renamed(String, String),
    Linked(String, String),
    Acknowledged(String),
}

#[derive(Clone, Debug)]
enum Pending {
    Length(usize),
    Bytes(usize, Vec<u8>),
}

#[derive(Clone, Debug)]
enum Name {
    Made(String, usize),
    Gone(String),
    Moved(String, String),
}

#[derive(Clone, Default)]
struct OnDisk {
    bytes: Vec<u8>,
    pending: Vec<Pending>,
}

struct Recorder {
    folder: tempfile::TempDir,
    library: PathBuf,
    /// What was there before.
    first: BTreeMap<String, Vec<u8>>,
}

impl Recorder {
    /// `None`, said, where there is no C compiler.
    fn new(folder: tempfile::TempDir) -> Option<Recorder> {
        let library = folder.path().with_extension("recorder.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/powercut/recorder.c");
        let mut compiler = std::process::Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-pthread", "-o"]).arg(&library).arg(source).arg("-ldl");
        match compiler.status() {
            Ok(status) => assert!(status.success(), "the recorder does not compile"),
            Err(cause) => {
                eprintln!("skipped: no C compiler: {cause}");
                return None;
            }
        }
        let first = files_below(folder.path());
        Some(Recorder { folder, library, first })
    }

    fn log(&self) -> PathBuf {
        self.folder.path().with_extension("log")
    }

    fn run(&self, arguments: &[&str]) {
        let mut command = program(self.folder.path(), arguments);
        command.env("LD_PRELOAD", &self.library).env("RECORD_LOG", self.log());
        command.env("RECORD_ROOT", self.folder.path());
        assert!(command.status().unwrap().success(), "{arguments:?}");
    }

    /// Says that a command ended well, in the words by which it is found again.
    fn acknowledge(&self, told: &str) {
        let mut record = vec![b'A'];
        record.extend(u32::try_from(told.len()).unwrap().to_le_bytes());
        record.extend([0; 20]);
        record.extend(told.as_bytes());
        fs::OpenOptions::new().append(true).create(true).open(self.log()).unwrap().write_all(&record).unwrap();
    }

    fn steps(&self) -> Vec<Step> {
        let bytes = fs::read(self.log()).unwrap();
        let number =
            |at: usize, n: usize| bytes[at..at + n].iter().rev().fold(0, |all, byte| all << 8 | usize::from(*byte));
        let mut steps = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let (what, lengths) = (bytes[at], [number(at + 1, 4), number(at + 5, 4)]);
            let (offset, n) = (number(at + 9, 8), number(at + 17, 8));
            at += 25;
            let mut text = |n: usize| {
                at += n;
                String::from_utf8(bytes[at - n..at].to_vec()).unwrap()
            };
            let (name, other) = (text(lengths[0]), text(lengths[1]));
            steps.push(match what {
                b'C' => Step::Created(name),
                b'T' => Step::Truncated(name, offset),
                b'W' => Step::Written(name, offset, bytes[at..at + n].to_vec()),
                b'S' => Step::Forced(name),
                b'U' => Step::Unlinked(name),
                b'R' => Step::Renamed(name, other),
                b'L' => Step::Linked(name, other),
                b'A' => Step::Acknowledged(name),
                other => panic!("record {other}"),
            });
            at += n;
        }
        steps
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        for path in [self.library.clone(), self.log()] {
            let _ = fs::remove_file(path);
        }
    }
}

fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_below(&entry.path()));
        } else {
            files.insert(entry.path().display().to_string(), fs::read(entry.path()).unwrap());
        }
    }
    files
}

/// What the disk may hold when the power goes after these steps, and what was acknowledged by then.
fn cut(
    first: &BTreeMap<String, Vec<u8>>,
    steps: &[Step],
    rng: &mut impl Rng,
) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
    let mut files: Vec<OnDisk> = Vec::new();
    let (mut names, mut durable) = (BTreeMap::new(), BTreeMap::new());
    for (name, bytes) in first {
        names.insert(name.clone(), files.len());
        durable.insert(name.clone(), files.len());
        files.push(OnDisk { bytes: bytes.clone(), pending: Vec::new() });
    }
    let mut folder: Vec<Name> = Vec::new();
    let mut acknowledged = Vec::new();
    let keep = |durable: &mut BTreeMap<String, usize>, folder: &mut Vec<Name>, n: usize| {
        for change in folder.drain(..n) {
            match change {
                Name::Made(name, file) => drop(durable.insert(name, file)),
                Name::Gone(name) => drop(durable.remove(&name)),
                Name::Moved(from, to) => {
                    if let Some(file) = durable.remove(&from) {
                        durable.insert(to, file);
                    }
                }
            }
        }
    };
    for step in steps {
        match step {
            Step::Created(name) => {
                names.insert(name.clone(), files.len());
                folder.push(Name::Made(name.clone(), files.len()));
                files.push(OnDisk::default());
            }
            Step::Truncated(name, n) => {
                if let Some(&file) = names.get(name) {
                    files[file].pending.push(Pending::Length(*n));
                }
            }
            Step::Written(name, at, bytes) => {
                if let Some(&file) = names.get(name) {
                    files[file].pending.push(Pending::Bytes(*at, bytes.clone()));
                }
            }
            Step::Forced(name) => match names.get(name) {
                // A file that is forced has its name too.
                Some(&file) => {
                    let OnDisk { bytes, pending } = &mut files[file];
                    pending.drain(..).for_each(|change| apply(bytes, &change));
                    let made = folder.iter().position(|it| matches!(it, Name::Made(_, made) if *made == file));
                    keep(&mut durable, &mut folder, made.map_or(0, |at| at + 1));
                }
                None => {
                    let n = folder.len();
                    keep(&mut durable, &mut folder, n);
                }
            },
            Step::Unlinked(name) => {
                names.remove(name);
                folder.push(Name::Gone(name.clone()));
            }
            Step::Renamed(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
                folder.push(Name::Moved(from.clone(), to.clone()));
            }
            Step::Linked(from, to) => {
                if let Some(&file) = names.get(from) {
                    names.insert(to.clone(), file);
                    folder.push(Name::Made(to.clone(), file));
                }
            }
            Step::Acknowledged(told) => acknowledged.push(told.clone()),
        }
    }
    let n = rng.random_range(0..=folder.len());
    keep(&mut durable, &mut folder, n);
    let all = rng.random_bool(0.2);
    let left = durable.into_iter().map(|(name, file)| {
        let OnDisk { mut bytes, pending } = files[file].clone();
        for change in pending {
            if !all && rng.random_bool(0.5) {
                continue;
            }
            match change {
                Pending::Bytes(at, written) if rng.random_bool(0.3) => {
                    let sector = rng.random_range(0..=written.len() / 512) * 512;
                    let part =
                        if rng.random_bool(0.5) { (at, &written[..sector]) } else { (at + sector, &written[sector..]) };
                    apply(&mut bytes, &Pending::Bytes(part.0, part.1.to_vec()));
                }
                change => apply(&mut bytes, &change),
            }
        }
        (name, bytes)
    });
    (left.collect(), acknowledged)
}

fn apply(bytes: &mut Vec<u8>, change: &Pending) {
    match change {
        Pending::Length(n) => bytes.resize(*n, 0),
        Pending::Bytes(at, written) => {
            bytes.resize(bytes.len().max(at + written.len()), 0);
            bytes[*at..at + written.len()].copy_from_slice(written);
        }
    }
}

/// Cuts the power at random moments, and opens what is left as the next day would.
fn survives(recorder: &Recorder, cuts: usize, seed: &str) {
    let steps = recorder.steps();
    assert!(steps.iter().any(|step| matches!(step, Step::Forced(_))), "nothing was recorded");
    let mut rng = Seed(30).named(seed).rng();
    for round in 0..cuts {
        let at = rng.random_range(1..=steps.len());
        let (left, acknowledged) = cut(&recorder.first, &steps[..at], &mut rng);
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in left {
            let to = folder.path().join(Path::new(&name).strip_prefix(recorder.folder.path()).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(to, bytes).unwrap();
        }
        let path = folder.path().join("study.db");
        let told = format!("{seed}, round {round}, step {at} of {}", steps.len());
        let study = match Study::open(&path, Access::Write) {
            Ok(study) => study,
            Err(cause) => {
                assert!(acknowledged.is_empty() && recorder.first.is_empty(), "{told}: {cause}");
                continue;
            }
        };
        assert_eq!(study.store().read_only(), None, "{told}");
        let found = study.verify(None, &Job::unwatched()).unwrap();
        assert_eq!(found.findings, [""; 0], "{told}");
        let changes = study.store().changes(&ChangeFilter::default()).unwrap();
        for word in &acknowledged {
            match word.strip_prefix("file ") {
                Some(name) if name.ends_with(".db") => {
                    let whole = osteon_study::store::check_copy(&folder.path().join(name));
                    assert!(whole.is_ok(), "{told}: {name}: {whole:?}");
                }
                Some(name) => assert!(folder.path().join(name).exists(), "{told}: {name}"),
                None => assert!(changes.iter().any(|it| it.reason.contains(word)), "{told}: {word} is lost"),
            }
        }
        let is_locked = study.store().study().unwrap().locked.is_some();
        if let Some(change) = changes.iter().find(|it| it.table == "patient").filter(|_| !is_locked) {
            study.edit(&change.row, &[Edit { field: "alp".into(), value: "9".into() }], "the next day", None).unwrap();
        }
        assert_eq!(study.store().check_whole().unwrap(), [""; 0], "{told}");
    }
}

#[test]
fn nothing_acknowledged_is_lost_in_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let Some(recorder) = Recorder::new(folder) else { return };
    let at = |name: &str| recorder.folder.path().join(name);
    let quick = "preset = \"study\"\nfilter.images = [\"original\"]\nroi.margins_mm = [2]\nfeature.families = [\"firstorder\"]\n";
    // What is not the program's own stands on the disk already.
    let outside = tempfile::tempdir().unwrap();
    let given = |name: &str, text: &str| {
        let path = outside.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let protocol = given("p.toml", quick);
    recorder.run(&["init", "--protocol", &protocol]);
    recorder.acknowledge("file study.db");
    let rows: String = (1..=30).map(|at| format!("P{at},{}\n", 90 + at)).collect();
    recorder.run(&["import", "clinical", &given("c.csv", &format!("patient_id,alp\n{rows}"))]);
    recorder.acknowledge("import");
    let edit = |n: usize| {
        let (id, value, reason) =
            (format!("P{}", n % 30 + 1), format!("alp={}", 1000 + n), format!("edit number {n};"));
        recorder.run(&["edit", &id, &value, "--reason", &reason]);
        recorder.acknowledge(&reason);
    };
    (0..15).for_each(edit);
    for code in ["P1", "P2", "P3"] {
        for kind in ["image", "mask"] {
            let name = format!("images/{code}/{kind}.nii.gz");
            fs::create_dir_all(outside.path().join("images").join(code)).unwrap();
            fs::copy(fixture(&format!("phantoms/phantom_a_{kind}.nii.gz")), outside.path().join(name)).unwrap();
        }
    }
    recorder.run(&["import", "images", &outside.path().join("images").display().to_string()]);
    recorder.acknowledge("images");
    recorder.run(&["extract", "P1"]);
    (15..25).for_each(edit);
    recorder.run(&["backup", "copy.db"]);
    recorder.acknowledge("file copy.db");
    recorder.run(&["shard", "plan", "--shards", "1"]);
    recorder.acknowledge("file plan.json");
    recorder.run(&["shard", "run", "plan.json", "1"]);
    recorder.acknowledge("file shard-1.db");
    recorder.run(&["shard", "merge", "."]);
    (25..35).for_each(edit);
    assert!(at("study.db").exists());
    survives(&recorder, rounds(20, 300), "a study's day");
}

#[test]
fn a_migration_survives_a_power_cut() {
    let (folder, _) = crate::migrate::stored(5);
    let Some(recorder) = Recorder::new(folder) else { return };
    recorder.run(&["log"]);
    recorder.acknowledge("knows schema 6");
    survives(&recorder, rounds(8, 100), "a migration");
}
