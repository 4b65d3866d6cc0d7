//! A study of many patients, its features sampled: what the screens and tables cost when it is large.
//!
//! `OSTEON_SCALE=10000 cargo bench --bench scale` makes the study in a folder that is removed at the end and prints
//! seconds of processor time and of the clock; without the variable it does nothing. `OSTEON_SCALE_REGIONS=7` stores
//! all regions (one when not given), `OSTEON_SCALE_FIT=1` also times a fit without resampling.

use std::fmt::Write;
use std::time::{Duration, Instant};

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_radiomics::describe::catalogue;
use osteon_study::protocol::{Preset, Protocol};
use osteon_study::store::{Inputs, NewRun, Place, Role, SLOT};
use osteon_study::study::{BadRows, ClinicalTable, Study};
use rand::Rng;

fn main() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<usize>().ok());
    let Some(n) = number("OSTEON_SCALE") else {
        println!("skipped: OSTEON_SCALE=10000 makes a study of 10,000 patients and times it");
        return;
    };
    let folder = std::env::temp_dir().join(format!("osteon-scale-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a new folder");
    let path = folder.join("study.db");
    let protocol = protocol(number("OSTEON_SCALE_REGIONS").unwrap_or(1));
    let study = Study::create(&path, "Sampled", protocol).expect("a new study");
    std::fs::write(folder.join("clinical.csv"), clinical(n)).expect("a file");
    timed("import clinical", || study.import_clinical(&folder.join("clinical.csv"), None, BadRows::Refuse).unwrap());
    timed("store features", || sample(&study));
    timed("patients screen, first 200", || study.patient_table(Some(200)).unwrap());
    timed("patients screen, all", || study.patient_table(None).unwrap());
    timed("osteon patients", || study.patients_sheet().unwrap());
    timed("Table 1", || study.clinical_table(ClinicalTable::One, &study.protocol).unwrap());
    timed("split new", || study.draw_split(Seed(1), 0.8).unwrap());
    timed("split show", || study.split_sheet().unwrap());
    timed("matrix of one region", || study.store().matrix(SLOT, "intra", &Role::Mask).unwrap());
    timed("check of all values", || study.store().altered_values().unwrap());
    if number("OSTEON_SCALE_FIT").is_some() {
        timed("fit", || study.fit(&Job::unwatched()).unwrap());
    }
    let bytes = std::fs::metadata(&path).expect("the study").len();
    println!("{:<28} {:.0} bytes a patient, {:.2} GB in all", "file", bytes as f64 / n as f64, bytes as f64 / 1e9);
    std::fs::remove_dir_all(&folder).expect("our folder");
}

/// The study's features of one or seven regions; learnt once, without resampling, a small forest.
fn protocol(regions: usize) -> Protocol {
    let margins = if regions > 1 { "roi.margins_mm=[2, 4, 6]" } else { "roi.margins_mm=[]" };
    let set = [margins, "learn.n_bootstraps=0", "learn.n_repeats=0", "select.reproducible=\"all\""];
    Preset::Study.protocol().set(set).expect("valid keys")
}

/// Patients of the synthetic cohort, drawn with replacement under new codes.
fn clinical(n: usize) -> String {
    let lines: Vec<&str> = osteon_study::study::demo::COHORT.lines().collect();
    let mut rng = Seed(1).named("cohort").rng();
    let mut text = lines[0].to_owned();
    for at in 0..n {
        let (_, rest) = lines[rng.random_range(1..lines.len())].split_once(',').expect("a row has columns");
        write!(text, "\nX{at:06},{rest}").expect("memory");
    }
    text
}

/// Ten features of a hundred tell of the response, the others of nothing.
fn sample(study: &Study) {
    let names = catalogue(&study.protocol.measured());
    let patients = study.store().patients().unwrap();
    let rois: Vec<String> =
        osteon_radiomics::roi::Roi::all(&study.protocol.roi).iter().map(ToString::to_string).collect();
    let begin = |write: &osteon_study::store::Write| {
        let new = NewRun { kind: "extract", inputs: &study.protocol.extraction_hash(), seed: Seed(0) };
        Ok::<_, osteon_study::study::Error>((write.begin_run(&new)?, write.catalogue(&names)?))
    };
    let (run, features) = study.store().write("sample", begin).unwrap();
    let inputs = Inputs { image_sha256: "0".repeat(64), mask_sha256: "0".repeat(64) };
    for some in patients.chunks(100) {
        let put = |write: &osteon_study::store::Write| {
            for patient in some {
                let mut rng = Seed(2).named(&patient.code).rng();
                let shift = f64::from(u8::from(patient.event == Some(true)));
                for roi in &rois {
                    let value = |at: usize| {
                        Some(rng.random_range(-2.0..2.0) + shift * f64::from(u8::from(at.is_multiple_of(10))))
                    };
                    let values: Vec<Option<f64>> = (0..names.len()).map(value).collect();
                    write.put_region(
                        run,
                        (patient.id, &Place::of(roi, Role::Mask)),
                        &inputs,
                        &features,
                        Ok(&values),
                        None,
                    )?;
                }
            }
            Ok::<_, osteon_study::study::Error>(())
        };
        study.store().write("sample", put).unwrap();
    }
}

/// Prints processor and clock seconds of what is done, and its most memory so far.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (clock, before) = (Instant::now(), usage().0);
    let result = work();
    let (after, memory) = usage();
    let (cpu, clock) = ((after - before).as_secs_f64(), clock.elapsed().as_secs_f64());
    println!("{what:<28} {cpu:>8.2} s processor {clock:>8.2} s clock {memory:>6} MB at most");
    result
}

/// Processor time of this process, and the most memory that it held, in MB.
fn usage() -> (Duration, i64) {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the call fills the value that it is given.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let time = |at: libc::timeval| Duration::new(at.tv_sec as u64, at.tv_usec as u32 * 1000);
    (time(usage.ru_utime) + time(usage.ru_stime), usage.ru_maxrss / 1024)
}
