//! An extraction in parts: the same study however it was divided, and a word for everything that is wrong.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_radiomics::grid::Element;
use osteon_study::protocol::Preset;
use osteon_study::study::shard::{MergeOptions, Plan, Shards};
use osteon_study::study::{BadRows, Error, ExtractRequest, Study};
use rand::Rng;
use rand::seq::SliceRandom;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::forge::{Nifti, gzip};
use crate::support::run;

const N: usize = 20;

/// Twenty patients of their own image and size, under a protocol that is quick; two have a repeat mask.
fn study() -> (TempDir, Study) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let quick = ["filter.images=[\"original\"]", "roi.margins_mm=[2]", "feature.families=[\"firstorder\"]"];
    let study = Study::create(&at("study.db"), "A study", Preset::Study.protocol().set(quick).unwrap()).unwrap();
    let codes: Vec<String> = (1..=N).map(|n| format!("P{n}")).collect();
    fs::write(at("c.csv"), format!("patient_id\n{}\n", codes.join("\n"))).unwrap();
    study.import_clinical(&at("c.csv"), None, BadRows::Refuse).unwrap();
    for (n, code) in codes.iter().enumerate() {
        fs::create_dir_all(at("images").join(code)).unwrap();
        let put = |name: &str, bytes: Vec<u8>| fs::write(at("images").join(code).join(name), gzip(&bytes)).unwrap();
        let mut rng = Seed(5).nth(n).rng();
        let shape = [16, 16, 6];
        let grey: Vec<f64> = (0..16 * 16 * 6).map(|_| rng.random_range(0..900) as f64).collect();
        put("image.nii.gz", Nifti::new(shape, Element::I16, &grey, false).bytes);
        let inside = |half: usize| {
            let near = |k: usize, at: usize| k.abs_diff(at) <= half;
            let voxel = |i: usize| near(8, i % 16) && near(8, i / 16 % 16) && near(3, i / 256);
            (0..16 * 16 * 6).map(|i| f64::from(u8::from(voxel(i)))).collect::<Vec<f64>>()
        };
        put("mask.nii.gz", Nifti::new(shape, Element::U8, &inside(2 + n % 4), false).bytes);
        if n < 2 {
            put("repeat_mask.nii.gz", Nifti::new(shape, Element::U8, &inside(3), false).bytes);
        }
    }
    let report = study.import_images(&at("images"), BadRows::Refuse).unwrap();
    assert!(report.applied, "{:?}", report.refused);
    (folder, study)
}

/// Plans in `shards/` and runs shards in an order drawn by a seed.
fn planned(folder: &TempDir, study: &Study, n_shards: usize, seed: u64) -> (PathBuf, Plan) {
    let shards = folder.path().join("shards");
    let plan = study.plan_shards(&ExtractRequest::default(), n_shards, &Job::unwatched()).unwrap().plan;
    plan.write(&shards.join("plan.json")).unwrap();
    let mut numbers: Vec<usize> = (1..=n_shards).collect();
    numbers.shuffle(&mut Seed(seed).rng());
    for number in numbers {
        let report = plan.run_shard(number, &file(&shards, number), false, &Job::unwatched()).unwrap();
        assert_eq!(report.failures, []);
    }
    (shards, plan)
}

fn file(shards: &Path, number: usize) -> PathBuf {
    shards.join(format!("shard-{number}.db"))
}

fn merge(study: &Study, shards: &Path, plan: &Plan) -> Result<osteon_study::study::shard::MergeReport, Error> {
    study.merge_shards(&Shards::in_folder(shards, plan.clone())?, MergeOptions::default())
}

/// All features as CSV, and the hashes of inputs and values of every region.
fn features(study: &Study) -> (String, Vec<String>) {
    let mut csv = Vec::new();
    study.write_features(&mut csv).unwrap();
    let states = study.store().region_states().unwrap();
    let digest = |state: &osteon_study::store::RegionState| {
        let patient = state.patient;
        format!("{patient:?} {} {:?} {:?}", state.place, state.inputs, state.values_sha256)
    };
    (String::from_utf8(csv).unwrap(), states.iter().map(digest).collect())
}

#[test]
fn the_study_is_the_same_in_one_three_or_twenty_shards_in_any_order_or_none() {
    let (_whole, single) = study();
    single.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    let expected = features(&single);
    assert_eq!(expected.1.len(), 3 * (N + 2));
    for (n_shards, seed) in [(1, 0), (3, 1), (3, 2), (20, 3)] {
        let (folder, study) = study();
        let (shards, plan) = planned(&folder, &study, n_shards, seed);
        let report = merge(&study, &shards, &plan).unwrap();
        assert_eq!((report.merged, report.regions), (n_shards, 3 * (N + 2)));
        assert!(features(&study) == expected, "{n_shards} shards, order {seed}");
        let found = study.verify(None, &Job::unwatched()).unwrap();
        assert_eq!(found.findings, [""; 0]);
        let report = study.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
        assert_eq!((report.done, report.skipped), (0, N), "what was merged stands");
    }
}

#[test]
fn a_second_merge_changes_nothing_and_the_trail_has_each_file_once() {
    let (folder, study) = study();
    let (shards, plan) = planned(&folder, &study, 3, 4);
    merge(&study, &shards, &plan).unwrap();
    let state = || (study.store().trail_head().unwrap(), study.store().runs().unwrap(), features(&study));
    let before = state();
    let report = merge(&study, &shards, &plan).unwrap();
    assert_eq!((report.merged, report.unchanged, report.regions), (0, 3, 0));
    assert_eq!(state(), before);
    let told: Vec<_> = study.store().changes(&Default::default()).unwrap();
    let told: Vec<_> = told.iter().filter(|change| change.table == "shard").collect();
    assert_eq!(told.len(), 3);
    for (change, number) in told.iter().rev().zip(1..) {
        let hash = osteon_study::store::sha256(fs::read(file(&shards, number)).unwrap());
        assert_eq!((change.field.clone(), change.new.clone()), (format!("{number} of 3"), Some(hash)));
        assert!(change.reason.starts_with("shard merge"), "{}", change.reason);
    }
}

#[test]
fn a_missing_and_a_truncated_shard_are_named_and_run_again() {
    let (folder, study) = study();
    let (shards, plan) = planned(&folder, &study, 5, 5);
    let whole = fs::read(file(&shards, 4)).unwrap();
    fs::remove_file(file(&shards, 2)).unwrap();
    fs::write(file(&shards, 4), &whole[..whole.len() / 2]).unwrap();
    let osteon = |arguments: &[&str]| run(folder.path(), arguments);
    let (code, out, _) = osteon(&["shard", "status", "shards", "--format", "csv"]);
    assert_eq!(code, 1);
    let states: Vec<&str> = out.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
    assert_eq!(states, ["whole", "missing", "whole", "broken", "whole"], "{out}");
    assert!(out.contains("the file was cut"), "{out}");
    assert_eq!(osteon(&["shard", "status", "shards", "--missing"]), (0, "2,4\n".to_owned(), String::new()));
    let (code, _, said) = osteon(&["shard", "merge", "shards"]);
    assert_eq!(code, 2);
    let first = &plan.shards[1][0].code;
    assert!(said.contains(&format!("shard 2 is missing (4 patients: {first}")), "{said}");
    assert!(said.contains("shard 4 is broken (4 patients"), "{said}");
    assert_eq!(study.store().region_states().unwrap(), []);
    let (code, _, said) = osteon(&["shard", "merge", "shards", "--partial"]);
    assert_eq!((code, said.contains("shards 2,4 are missing")), (1, true), "{said}");
    for number in ["2", "4"] {
        assert_eq!(osteon(&["shard", "run", "shards/plan.json", number, "--quiet"]).0, 0);
    }
    assert_eq!(fs::read(file(&shards, 4)).unwrap().len(), whole.len());
    assert_eq!(osteon(&["shard", "status", "shards", "--missing"]).1, "");
    let (code, _, said) = osteon(&["shard", "merge", "shards"]);
    assert_eq!((code, said.trim()), (0, &*format!("2 shards merged with {} regions, 3 as they were", regions(&plan))));
}

/// Regions of shards 2 and 4.
fn regions(plan: &Plan) -> usize {
    [1, 3].iter().flat_map(|&at| &plan.shards[at]).map(|patient| 3 * (patient.files.len() - 1)).sum()
}

#[test]
fn a_shard_file_is_whole_private_and_says_what_it_is() {
    let (folder, study) = study();
    let (shards, plan) = planned(&folder, &study, 3, 6);
    let path = file(&shards, 2);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(shards.join("plan.json")).unwrap().permissions().mode() & 0o777, 0o600);
    let mut names: Vec<String> =
        fs::read_dir(&shards).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["plan.json", "shard-1.db", "shard-2.db", "shard-3.db"], "neither logs nor drafts");
    let shard = Study::open(&path, osteon_study::store::Access::Read).unwrap();
    assert_eq!(shard.store().check_whole().unwrap(), [""; 0]);
    assert!(shard.store().altered_values().unwrap().is_empty());
    let [row] = shard.store().shards().unwrap().try_into().unwrap();
    assert_eq!((row.plan, row.number, row.n_shards, row.sha256), (plan.hash.clone(), 2, 3, None));
    let run = shard.store().run(row.run).unwrap().unwrap();
    assert_eq!((run.inputs, run.program_version), (plan.extraction_hash.clone(), plan.program_version.clone()));
    let before = fs::metadata(&path).unwrap().ino();
    let report = plan.run_shard(2, &path, false, &Job::unwatched()).unwrap();
    assert_eq!((report.done, report.skipped), (0, plan.shards[1].len()));
    assert_eq!(fs::metadata(&path).unwrap().ino(), before, "a whole shard is left alone");
    plan.run_shard(2, &path, true, &Job::unwatched()).unwrap();
    assert_ne!(fs::metadata(&path).unwrap().ino(), before);
}

#[test]
fn a_run_that_is_cancelled_or_killed_leaves_no_file_of_its_shard() {
    let (folder, study) = study();
    let shards = folder.path().join("shards");
    let plan = study.plan_shards(&ExtractRequest::default(), 1, &Job::unwatched()).unwrap().plan;
    plan.write(&shards.join("plan.json")).unwrap();
    let cancel = std::sync::atomic::AtomicBool::new(true);
    let stopped = plan.run_shard(1, &file(&shards, 1), false, &Job::new(&cancel, &|_| ()));
    assert!(matches!(stopped, Err(Error::Cancelled(_))));
    let scratch = folder.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    for wait in [0, 5, 20, 60] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_osteon"))
            .args(["--quiet", "shard", "run", "shards/plan.json", "1"])
            .arg("-o")
            .arg(file(&shards, 1))
            .env("TMPDIR", &scratch)
            .current_dir(folder.path())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        // A run that was quicker than the kill has named its file, and then it is whole.
        if file(&shards, 1).exists() {
            let done = Connection::open(file(&shards, 1)).unwrap();
            let check: String = done.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(check, "ok");
            fs::remove_file(file(&shards, 1)).unwrap();
        }
    }
    plan.run_shard(1, &file(&shards, 1), false, &Job::unwatched()).unwrap();
    assert_eq!(merge(&study, &shards, &plan).unwrap().merged, 1);
}

#[test]
fn what_does_not_belong_together_is_refused_whole() {
    let (folder, study) = study();
    let (shards, plan) = planned(&folder, &study, 3, 7);
    let refused = |study: &Study, plan: &Plan, expected: &str| {
        let why = merge(study, &shards, plan).unwrap_err();
        assert!(why.in_full().contains(expected), "{}: {expected}", why.in_full());
        assert_eq!(why.exit_code(), 2);
    };
    refused(&study, &Plan { program_version: "0.0.1".into(), ..plan.clone() }, "the plan is of osteon 0.0.1");
    let other = Plan { trail_head: "0".repeat(64), ..plan.clone() };
    refused(&study, &other, "the plan is of another study");
    let two = study.plan_shards(&ExtractRequest::default(), 2, &Job::unwatched()).unwrap().plan;
    two.run_shard(1, &shards.join("shard-x.db"), false, &Job::unwatched()).unwrap();
    refused(&study, &plan, "shard-x.db: a file of another plan");
    fs::remove_file(shards.join("shard-x.db")).unwrap();
    fs::copy(file(&shards, 1), shards.join("shard-copy.db")).unwrap();
    refused(&study, &plan, "a second file of shard 1");
    fs::remove_file(shards.join("shard-copy.db")).unwrap();
    let protocol = study.protocol.clone().set(["roi.margins_mm=[3]"]).unwrap();
    let set = |protocol: &osteon_study::protocol::Protocol| {
        study.store().write("p", |write| write.set_protocol(&protocol.hash(), &protocol.document())).unwrap();
    };
    set(&protocol);
    let changed = Study::open(&folder.path().join("study.db"), osteon_study::store::Access::Write).unwrap();
    refused(&changed, &plan, "the plan measures under protocol");
    set(&study.protocol);
    let image = |code: &str| folder.path().join("images").join(code).join("image.nii.gz");
    fs::copy(image("P1"), image("P7")).unwrap();
    study.import_images(&folder.path().join("images"), BadRows::Refuse).unwrap();
    refused(&study, &plan, "patient P7: the image is not the one that was planned");
    assert_eq!(study.store().region_states().unwrap(), [], "nothing was merged");
    let again = plan.run_shard(1, &file(&shards, 2), false, &Job::unwatched()).unwrap_err();
    assert!(again.in_full().contains("shard 2"), "a shard is not written over another: {}", again.in_full());
}

#[test]
fn other_values_under_the_same_inputs_are_refused_and_so_are_altered_ones() {
    let (folder, study) = study();
    let (shards, plan) = planned(&folder, &study, 2, 8);
    let alter = |sql: &str| {
        rusqlite::Connection::open(file(&shards, 1)).unwrap().execute_batch(sql).unwrap();
    };
    alter("UPDATE feature_block SET v2 = -v2 WHERE extraction = 2 AND block = 0");
    let why = merge(&study, &shards, &plan).unwrap_err().in_full();
    assert!(why.contains("the feature values are not those that were stored"), "{why}");
    alter("UPDATE feature_block SET v2 = -v2 WHERE extraction = 2 AND block = 0");
    study.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    merge(&study, &shards, &plan).unwrap();
    alter(
        "UPDATE extraction SET values_sha256 = (SELECT values_sha256 FROM extraction WHERE id = 2) WHERE id = 1;
         CREATE TEMP TABLE other AS SELECT * FROM feature_block WHERE extraction = 2;
         UPDATE other SET extraction = 1;
         DELETE FROM feature_block WHERE extraction = 1;
         INSERT INTO feature_block SELECT * FROM other",
    );
    let why = merge(&study, &shards, &plan).unwrap_err().in_full();
    assert!(why.contains("other values than those that stand"), "{why}");
}

#[test]
fn a_patient_that_fails_in_its_shard_is_named_by_run_status_and_merge() {
    let (folder, study) = study();
    let plan = study.plan_shards(&ExtractRequest::default(), 4, &Job::unwatched()).unwrap().plan;
    plan.write(&folder.path().join("shards/plan.json")).unwrap();
    fs::remove_file(folder.path().join("images/P7/mask.nii.gz")).unwrap();
    let mut codes = Vec::new();
    for number in 1..=4 {
        codes.push(run(folder.path(), &["shard", "run", "shards/plan.json", &number.to_string(), "--quiet"]).0);
    }
    codes.sort();
    assert_eq!(codes, [0, 0, 0, 1]);
    let (code, out, _) = run(folder.path(), &["shard", "status", "shards", "--format", "csv"]);
    let failed = out.lines().skip(1).filter(|line| line.split(',').nth(4) == Some("1")).count();
    assert_eq!((code, failed), (0, 1), "{out}");
    for _ in 0..2 {
        let (code, _, said) = run(folder.path(), &["shard", "merge", "shards"]);
        assert_eq!(code, 1);
        assert!(said.contains("P7 intra") && said.contains("mask.nii.gz"), "{said}");
        assert_eq!(study.store().runs().unwrap().len(), 4);
    }
}

#[test]
fn a_plan_is_even_the_same_each_time_and_only_as_it_was_made() {
    let (folder, study) = study();
    let make = |n: usize| study.plan_shards(&ExtractRequest::default(), n, &Job::unwatched());
    let plan = make(4).unwrap().plan;
    assert_eq!(plan, make(4).unwrap().plan);
    let sizes: Vec<u64> = plan.shards.iter().map(|shard| shard.iter().map(|patient| patient.size).sum()).collect();
    let largest = plan.shards.iter().flatten().map(|patient| patient.size).max().unwrap();
    assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= largest, "{sizes:?}");
    let mut codes: Vec<&str> = plan.shards.iter().flatten().map(|patient| patient.code.as_str()).collect();
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), N);
    assert_eq!(make(50).unwrap().plan.shards.len(), N, "no shard is empty");
    let path = folder.path().join("plan.json");
    plan.write(&path).unwrap();
    assert_eq!(Plan::read(&path).unwrap(), plan);
    assert!(plan.write(&path).unwrap_err().in_full().contains("there is a file already"));
    for number in [0, 5] {
        let why = plan.run_shard(number, &file(folder.path(), 1), false, &Job::unwatched()).unwrap_err().in_full();
        assert!(why.contains("the plan has shards 1 to 4"), "{why}");
    }
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"P3\"", "\"P4\"")).unwrap();
    assert!(Plan::read(&path).unwrap_err().in_full().contains("the plan was changed after it was made"));
    fs::write(&path, &text[..200]).unwrap();
    assert!(Plan::read(&path).unwrap_err().in_full().contains("plan.json"));
    study.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    assert!(make(2).unwrap_err().in_full().contains("20 patients are measured"));
}

/// A path with everything that scripts stumble over.
const NASTY: &str = "it's {n} $HOME `x` \"q\" \\ @PLAN@ %a;&";

#[test]
fn scripts_take_any_path_and_shellcheck_finds_nothing() {
    let (folder, study) = study();
    let nasty = folder.path().join(NASTY);
    study
        .plan_shards(&ExtractRequest::default(), 3, &Job::unwatched())
        .unwrap()
        .plan
        .write(&nasty.join("plan.json"))
        .unwrap();
    for (kind, at_once) in [("slurm", "--array=1-3%2\n"), ("parallel", "--jobs 2 "), ("nextflow", "maxForks 2\n")] {
        let plan = format!("{NASTY}/plan.json");
        let (code, script, said) = run(folder.path(), &["emit", kind, &plan, "--cpus", "3", "--at-once", "2"]);
        assert_eq!(code, 0, "{said}");
        assert!(script.contains(at_once) && !script.contains("@CPUS@"), "{script}");
        if kind == "nextflow" {
            continue;
        }
        let path = folder.path().join(kind);
        fs::write(&path, script).unwrap();
        if let Some(output) = tool("shellcheck", |command| command.arg(&path)) {
            assert!(output.0, "{}", output.1);
        }
    }
    let (code, _, said) = run(folder.path(), &["emit", "snakemake", &format!("{NASTY}/plan.json")]);
    assert!(code == 2 && said.contains("snakemake reads braces"), "{said}");
    let control = folder.path().join("a\nb");
    fs::create_dir(&control).unwrap();
    fs::copy(nasty.join("plan.json"), control.join("plan.json")).unwrap();
    assert_eq!(run(folder.path(), &["emit", "slurm", "a\nb/plan.json"]).0, 2);
}

/// The script of each scheduler, as far as it is on this machine, on a folder with a nasty name; one shard is whole
/// already and one is broken.
#[test]
fn scripts_run_what_is_not_whole_and_give_the_same_study() {
    let (_whole, single) = study();
    single.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    for kind in ["slurm", "parallel", "snakemake"] {
        let (folder, study) = study();
        // Snakemake itself stumbles over braces in its working folder, and is refused there.
        let nasty = if kind == "snakemake" { NASTY.replace(['{', '}'], "") } else { NASTY.to_owned() };
        let shards = folder.path().join(&nasty);
        let plan = study.plan_shards(&ExtractRequest::default(), 3, &Job::unwatched()).unwrap().plan;
        plan.write(&shards.join("plan.json")).unwrap();
        plan.run_shard(1, &file(&shards, 1), false, &Job::unwatched()).unwrap();
        if kind != "snakemake" {
            fs::write(file(&shards, 2), "no shard").unwrap();
        }
        let script = folder.path().join("script");
        fs::write(&script, run(folder.path(), &["emit", kind, &format!("{nasty}/plan.json")]).1).unwrap();
        let ran = match kind {
            "slurm" => (1..=3)
                .map(|task| tool("bash", |it| it.arg(&script).env("SLURM_ARRAY_TASK_ID", task.to_string())))
                .find(|ran| ran.as_ref().is_none_or(|(done, _)| !done))
                .unwrap_or_else(|| Some((true, String::new()))),
            "parallel" => tool("parallel", |it| it.arg("--version"))
                .and_then(|_| tool("bash", |it| it.arg(&script).env("PARALLEL", "--will-cite"))),
            _ => {
                tool("snakemake", |it| it.current_dir(folder.path()).arg("--snakefile").arg(&script).args(["-c", "2"]))
            }
        };
        let Some((done, said)) = ran else { continue };
        assert!(done, "{kind}: {said}");
        if kind == "slurm" {
            merge(&study, &shards, &plan).unwrap();
        }
        assert!(features(&study) == features(&single), "{kind}");
    }
}

/// Whether a program went well and what it said; `None`, said on stderr, where it is absent.
fn tool(name: &str, arguments: impl Fn(&mut Command) -> &mut Command) -> Option<(bool, String)> {
    match arguments(&mut Command::new(name)).output() {
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
        }
        Err(_) => {
            eprintln!("skipped: {name} is not on this machine");
            None
        }
    }
}
