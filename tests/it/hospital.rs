//! Synthetic hospitals: patients with clinical values and small images that the test makes itself. Nobody is real.

use std::fs;
use std::path::{Path, PathBuf};

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_study::protocol::{Preset, Protocol};
use osteon_study::study::{BadRows, ExtractRequest, Study};
use rand::Rng;

/// Settings under which a patient is measured and a study fitted in moments.
pub const QUICK: [&str; 12] = [
    "filter.images=[\"original\"]",
    "roi.margins_mm=[2]",
    "feature.families=[\"firstorder\"]",
    "forest.n_trees=[20]",
    "forest.max_depth=[2]",
    "forest.min_samples_leaf=[3]",
    "select.mrmr.n_features=6",
    "learn.n_folds=3",
    "learn.n_bootstraps=2",
    "learn.n_repeats=0",
    "learn.clinical=[\"alp\", \"pathological_fracture\"]",
    "select.lasso.n_folds=3",
];

/// x, y, z.
const SIZE: [usize; 3] = [24, 22, 10];
const SPACING_MM: [f64; 3] = [1.5, 1.5, 3.0];

/// One patient of a hospital.
#[derive(Clone, Debug)]
pub struct Person {
    pub code: String,
    pub alp: f64,
    pub fracture: bool,
    pub necrosis_pct: f64,
    seed: Seed,
}

impl Person {
    pub fn event(&self) -> bool {
        self.necrosis_pct < 90.0
    }

    /// The values of the model's inputs as the command line takes them.
    pub fn assignments(&self) -> Vec<String> {
        vec![format!("alp={}", self.alp), format!("pathological_fracture={}", self.fracture_in_words())]
    }

    pub fn fracture_in_words(&self) -> &'static str {
        if self.fracture { "yes" } else { "no" }
    }
}

/// `n` patients whose ids begin with `prefix`.
pub fn people(prefix: &str, n: usize, seed: u64) -> Vec<Person> {
    let person = |at: usize| {
        let code = format!("{prefix}{:03}", at + 1);
        let seed = Seed(seed).named(&code);
        let mut rng = seed.rng();
        let event = at.is_multiple_of(2);
        let alp = 120.0 + 300.0 * rng.random::<f64>() + if event { 80.0 * rng.random::<f64>() } else { 0.0 };
        let necrosis_pct = if event { 20.0 + 60.0 * rng.random::<f64>() } else { 91.0 + 8.0 * rng.random::<f64>() };
        let fracture = rng.random_bool(if event { 0.5 } else { 0.25 });
        Person { code, alp, fracture, necrosis_pct, seed }
    };
    (0..n).map(person).collect()
}

/// The quick protocol over the preset `study`.
pub fn protocol(further: &[&str]) -> Protocol {
    let protocol = Preset::Study.protocol().set(QUICK).unwrap();
    protocol.set(further.iter().copied()).unwrap()
}

/// A study file with these people, their images linked and measured.
pub fn study(folder: &Path, people: &[Person], protocol: Protocol) -> Study {
    fs::create_dir_all(folder).unwrap();
    let study = Study::create(&folder.join("study.db"), "A hospital", protocol).unwrap();
    add(&study, folder, people);
    study
}

/// Enters people, links and measures their images.
pub fn add(study: &Study, folder: &Path, people: &[Person]) {
    let mut text = "patient_id,alp,pathological_fracture,necrosis_pct\n".to_owned();
    for it in people {
        text.push_str(&format!("{},{},{},{}\n", it.code, it.alp, it.fracture_in_words(), it.necrosis_pct));
        draw(folder, it);
    }
    fs::write(folder.join("clinical.csv"), text).unwrap();
    study.import_clinical(&folder.join("clinical.csv"), None, BadRows::Refuse).unwrap();
    study.import_images(&folder.join("images"), BadRows::Refuse).unwrap();
    let report = study.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    assert!(report.failures.is_empty(), "{:?}", report.failures);
}

/// Image and mask of a patient.
pub fn files(folder: &Path, code: &str) -> [PathBuf; 2] {
    ["image.nrrd", "mask.nrrd"].map(|name| folder.join("images").join(code).join(name))
}

/// Writes a noisy ball: rougher and larger where there is the event.
fn draw(folder: &Path, person: &Person) {
    let mut rng = person.seed.named("image").rng();
    let rough = if person.event() { 28.0 } else { 20.0 } + 10.0 * rng.random::<f64>();
    let radius = 7.0 + 2.0 * rng.random::<f64>();
    let (mut image, mut mask) = (Vec::new(), Vec::new());
    for z in 0..SIZE[2] {
        for y in 0..SIZE[1] {
            for x in 0..SIZE[0] {
                let from = |k: usize, at: usize| (at as f64 - (SIZE[k] - 1) as f64 / 2.0) * SPACING_MM[k];
                let inside = (from(0, x).powi(2) + from(1, y).powi(2) + from(2, z).powi(2)).sqrt() <= radius;
                let noise: f64 = (0..4).map(|_| rng.random_range(-1.0..1.0)).sum();
                let level = if inside { 420.0 + rough * noise } else { 180.0 + 12.0 * noise };
                image.push(level.round() as i16);
                mask.push(i16::from(inside));
            }
        }
    }
    let [image_path, mask_path] = files(folder, &person.code);
    fs::create_dir_all(image_path.parent().unwrap()).unwrap();
    fs::write(image_path, nrrd(&image)).unwrap();
    fs::write(mask_path, nrrd(&mask)).unwrap();
}

fn nrrd(voxels: &[i16]) -> Vec<u8> {
    let [x, y, z] = SIZE;
    let [dx, dy, dz] = SPACING_MM;
    let mut bytes = format!(
        "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: {x} {y} {z}\n\
         space directions: ({dx},0,0) (0,{dy},0) (0,0,{dz})\nspace origin: (0,0,0)\nendian: little\nencoding: raw\n\n"
    )
    .into_bytes();
    voxels.iter().for_each(|voxel| bytes.extend(voxel.to_le_bytes()));
    bytes
}

/// A split by a rule on ids, entered from a file.
pub fn split(study: &Study, folder: &Path, people: &[Person], is_training: impl Fn(usize, &Person) -> bool) {
    let mut text = "patient_id,split\n".to_owned();
    for (at, it) in people.iter().enumerate() {
        text.push_str(&format!("{},{}\n", it.code, if is_training(at, it) { "train" } else { "test" }));
    }
    fs::write(folder.join("split.csv"), text).unwrap();
    study.import_split(&folder.join("split.csv"), "split").unwrap();
}
