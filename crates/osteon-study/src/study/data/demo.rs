//! The synthetic study: 93 artificial patients with images, made from nothing, so that everything can be tried.

use std::path::Path;

use rand::Rng;
use rayon::prelude::*;

use crate::protocol::Preset;
use crate::protocol::codebook::Value;
use crate::store::{Access, Patient, Side};
use crate::study::data::nifti;
use crate::study::data::phantom::{self, Tumour};
use crate::study::{BadRows, Error, ExtractReport, ExtractRequest, Study};
use osteon_base::job::Job;
use osteon_base::seed::Seed;

/// The synthetic cohort.
pub const COHORT: &str = include_str!("../../../../../fixtures/cohort.csv");
pub const TITLE: &str = "Synthetic demonstration study (no real patients)";
/// Patients with a second rater's mask.
const REPEATED: usize = 30;
const SEED: Seed = Seed(20_260_730);

impl Study {
    /// Makes the synthetic study in a folder, or opens the one that is there: clinical variables, the split of the
    /// cohort, and images.
    pub fn demo(folder: &Path, job: &Job) -> Result<Study, Error> {
        std::fs::create_dir_all(folder).map_err(|source| Error::File { path: folder.to_owned(), source })?;
        let path = folder.join("study.db");
        let study = if path.exists() {
            Study::open(&path, Access::Write)?
        } else {
            Study::create(&path, TITLE, Preset::Study.protocol())?
        };
        if study.store.study()?.title != TITLE {
            return Err(Error::NotDemo(path));
        }
        let clinical = folder.join("clinical.csv");
        put(&clinical, COHORT.as_bytes())?;
        study.import_clinical(&clinical, None, BadRows::Refuse)?;
        study.split_of_cohort()?;
        let images = folder.join("images");
        study.draw_images(&images, job)?;
        study.import_images(&images, BadRows::Refuse)?;
        Ok(study)
    }

    /// Measures the synthetic patients.
    pub fn extract_all(&self, job: &Job) -> Result<ExtractReport, Error> {
        self.extract(&ExtractRequest::default(), job)
    }

    fn split_of_cohort(&self) -> Result<(), Error> {
        if self.store.split()?.is_some() {
            return Ok(());
        }
        let side = |line: &str| if line.ends_with(",train") { Side::Train } else { Side::Test };
        self.store.write("the split of the synthetic cohort", |write| {
            let member = |line: &str| {
                let code = line.split(',').next().unwrap_or_default();
                Ok((write.patient(code)?.id, side(line)))
            };
            let members = COHORT.lines().skip(1).map(member).collect::<Result<Vec<_>, Error>>()?;
            write.add_split(None, None, "", &members)?;
            Ok(())
        })
    }

    fn draw_images(&self, images: &Path, job: &Job) -> Result<(), Error> {
        let patients = self.store.patients()?;
        let stage = job.stage("synthetic images", patients.len());
        patients.par_iter().enumerate().try_for_each(|(at, patient)| {
            let folder = images.join(&patient.code);
            std::fs::create_dir_all(&folder).map_err(|source| Error::File { path: folder.clone(), source })?;
            let phantom = phantom::draw(tumour(patient), SEED.named(&patient.code));
            put(&folder.join("image.nii.gz"), &nifti::compressed(&phantom.image))?;
            put(&folder.join("mask.nii.gz"), &nifti::compressed(&phantom.mask))?;
            if at < REPEATED {
                put(&folder.join("repeat_mask.nii.gz"), &nifti::compressed(&phantom.repeat_mask))?;
            }
            Ok(stage.step()?)
        })
    }
}

/// A tumour whose size follows the patient's diameter and whose texture follows the response, weakly.
fn tumour(patient: &Patient) -> Tumour {
    let mut rng = SEED.named("tumour").named(&patient.code).rng();
    let diameter = patient.entry("diameter_mm").and_then(Value::number).unwrap_or(100.0);
    let poor = f64::from(u8::from(patient.event == Some(true)));
    Tumour {
        diameter_mm: (9.0 + diameter / 20.0).min(22.0),
        roughness: 30.0 + 14.0 * poor + rng.random_range(-14.0..14.0),
        oedema_mm: 3.0 + 1.5 * poor + rng.random_range(-1.5..1.5),
    }
}

/// Writes a file unless it holds just this already.
fn put(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if std::fs::read(path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    std::fs::write(path, bytes).map_err(|source| Error::File { path: path.to_owned(), source })
}
