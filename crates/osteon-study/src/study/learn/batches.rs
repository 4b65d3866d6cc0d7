//! Where patients were scanned: by a declared variable, or by model and field strength as the DICOM image told them.

use std::collections::BTreeMap;

use crate::pipeline::cohort::Features;
use crate::pipeline::harmonise::Batches;
use crate::pipeline::region::RegionModel;
use crate::protocol::learn::SCANNER;
use crate::protocol::source::Source;
use crate::store::{Model, Patient, PatientId, Role};
use crate::study::learn::performance::recipe;
use crate::study::{Error, Study};
use osteon_radiomics::read::dicom::Acquisition;

/// What stands between the scanners of a patient whose images come from several.
const AND: &str = " + ";

impl Study {
    /// The batch of each patient in some sources together; `None` where the protocol in force harmonizes nothing.
    pub(in crate::study) fn batches_in_force(
        &self,
        sources: &[Source],
        ids: &[PatientId],
    ) -> Result<Option<Batches>, Error> {
        match self.protocol.batch_by().filter(|_| self.protocol.harmonises()) {
            Some(by) => Ok(Some(self.batches(by, sources, ids)?)),
            None => Ok(None),
        }
    }

    /// The batch of each patient in some sources together: the level of a variable, or the scanners of the slots.
    ///
    /// # Errors
    /// When the codebook has no such variable.
    pub(in crate::study) fn batches(&self, by: &str, sources: &[Source], ids: &[PatientId]) -> Result<Batches, Error> {
        let patients = self.store.patients()?;
        let place = self.protocol.codebook.place(by);
        let of: BTreeMap<PatientId, String> = match place {
            Some(at) => {
                let known = patients.iter().filter(|patient| patient.known(at).is_some());
                known.map(|patient| (patient.id, patient.text(at))).collect()
            }
            None if by == SCANNER => {
                let mut slots: Vec<&str> = Vec::new();
                for slot in sources.iter().flat_map(|it| it.earlier.iter().chain([&it.slot])) {
                    if !slots.contains(&slot.as_str()) {
                        slots.push(slot);
                    }
                }
                self.scanners(&slots)?
            }
            None => {
                let valid = self.protocol.codebook.variables.iter().map(|it| it.name.as_str()).collect::<Vec<_>>();
                return Err(Error::Field { found: by.to_owned(), valid: format!("{}, {SCANNER}", valid.join(", ")) });
            }
        };
        Ok(Batches { by: by.to_owned(), of: ids.iter().map(|id| of.get(id).cloned()).collect() })
    }

    /// The scanner of each patient's images in some slots; of several scanners all, in the order of the slots.
    fn scanners(&self, slots: &[&str]) -> Result<BTreeMap<PatientId, String>, Error> {
        let images: Vec<_> = self.store.images()?.into_iter().filter(|file| file.role == Role::Image).collect();
        let mut by_patient: BTreeMap<PatientId, BTreeMap<usize, Option<String>>> = BTreeMap::new();
        for file in &images {
            if let Some(at) = slots.iter().position(|slot| *slot == file.slot) {
                let found = file.acquisition.as_ref().and_then(scanner);
                by_patient.entry(file.patient).or_default().insert(at, found);
            }
        }
        let joined = |(id, found): (PatientId, BTreeMap<usize, Option<String>>)| {
            let mut names: Vec<String> = Vec::new();
            for name in found.into_values() {
                let name = name?;
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            Some((id, names.join(AND)))
        };
        Ok(by_patient.into_iter().filter_map(joined).collect())
    }

    /// Refuses a patient of a batch that the models of a fit know nothing of.
    ///
    /// # Errors
    /// When there is such a model, with what to do.
    pub(in crate::study) fn refuse_unseen(&self, models: &[Model], patient: &Patient) -> Result<(), Error> {
        for model in models {
            let stored = recipe(model)?;
            let Some((region, harmonised)) = stored.region_model().and_then(|it| Some((it, it.harmonised.as_ref()?)))
            else {
                continue;
            };
            let code = &patient.code;
            let batches = self.batches(&harmonised.by, &self.source(&region.region)?, &[patient.id])?;
            match batches.of[0].as_deref() {
                None => {
                    let by = &harmonised.by;
                    return Err(Error::Request(format!(
                        "{code} has no {by}, by which features are harmonized: enter it"
                    )));
                }
                Some(own) if harmonised.combat.batch(own).is_err() => {
                    return Err(Error::Request(format!(
                        "{code} is of the batch {own}, which no training patient had, and a frozen model says nothing of \
                         it: osteon model export writes the model, osteon validate FILE --update batch estimates the batch \
                         from at least 10 patients"
                    )));
                }
                Some(_) => (),
            }
        }
        Ok(())
    }

    /// The features of the source that a model was learnt from, with the batches that its own fit was harmonized by.
    pub(in crate::study) fn features_of(&self, model: &RegionModel, ids: &[PatientId]) -> Result<Features, Error> {
        let (names, rows) = self.rows_named(&model.region, &self.rater(), ids)?;
        let batch = match &model.harmonised {
            Some(harmonised) => Some(self.batches(&harmonised.by, &self.source(&model.region)?, ids)?),
            None => None,
        };
        Ok(Features { region: model.region.clone(), eligible: vec![true; names.len()], names, rows, batch })
    }
}

/// `Skyra, 3 T`; `None` where the file does not tell both. Field strengths are told to a tenth: 2.89 T and 3 T of one model
/// are told apart, 1.494 T and 1.5 T are not.
pub(in crate::study) fn scanner(acquisition: &Acquisition) -> Option<String> {
    let model = acquisition.manufacturer_model.as_ref()?.split_whitespace().collect::<Vec<_>>().join(" ");
    let tenths = (acquisition.field_strength_t? * 10.0).round() / 10.0;
    (!model.is_empty()).then(|| format!("{model}, {tenths} T"))
}
