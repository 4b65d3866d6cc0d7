//! Changing one patient: a field, or whether it belongs to the study; always with a reason.

use crate::protocol::codebook::Value;
use crate::protocol::codebook::variable::Variable;
use crate::store::{Patient, Write};
use crate::study::data::rules;
use crate::study::{Error, Study};

/// One field of one patient to be set; an empty value clears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub field: String,
    pub value: String,
}

/// Whether a patient belongs to the study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belongs {
    Yes,
    No,
}

impl Study {
    /// The variable of a field that is to be written: a blind reader may enter what may not be read.
    pub(in crate::study) fn variable_to_write(&self, name: &str) -> Result<&Variable, Error> {
        match self.protocol.codebook.named(name).or_else(|| self.protocol.codebook.keyed(name)) {
            Some(variable) => Ok(variable),
            None => self.variable(name),
        }
    }

    /// Sets fields of a patient in one change. `version` is the one that the editor saw; `None` takes the newest. Gives
    /// the fields that are now without a value, by a word for missing or by none.
    pub fn edit(&self, code: &str, edits: &[Edit], reason: &str, version: Option<i64>) -> Result<Vec<String>, Error> {
        let reason = required(reason)?;
        let mut cleared = Vec::new();
        self.store.write(&reason, |write| {
            let patient = write.patient(code)?;
            let mut version = version.unwrap_or(patient.version);
            for edit in edits {
                let variable = self.variable_to_write(&edit.field)?;
                let value = variable.read(&edit.value).map_err(|expected| Error::Cell {
                    place: format!("{code} {}", variable.name),
                    found: osteon_base::text::clean(&edit.value).into_owned(),
                    expected,
                })?;
                version = self.enter(write, &patient, version, variable, value.as_ref())?;
                cleared.extend(value.is_none().then(|| variable.name.clone()));
            }
            rules::apply(write, &self.protocol, code)
        })?;
        Ok(cleared)
    }

    /// Sets one variable. What a blind reader enters in a hidden one is told even where it is the value that was there.
    pub(in crate::study) fn enter(
        &self,
        write: &Write,
        patient: &Patient,
        version: i64,
        variable: &Variable,
        value: Option<&Value>,
    ) -> Result<i64, Error> {
        let now = write.patient(&patient.code)?;
        let at = self.protocol.codebook.place(&variable.name);
        let is_as_before = at.is_some_and(|at| now.entries[at].as_ref() == value);
        let version = write.edit_patient(patient, version, variable, value)?;
        if is_as_before && !self.may_see(&variable.name) {
            write.tell_again(patient, variable, value)?;
        }
        Ok(version)
    }

    /// Takes a patient out of the study; nothing is deleted.
    pub fn exclude(&self, code: &str, reason: &str) -> Result<(), Error> {
        self.decide(code, Belongs::No, reason, None)
    }

    /// Takes an excluded patient back into the study.
    pub fn include(&self, code: &str, reason: &str) -> Result<(), Error> {
        self.decide(code, Belongs::Yes, reason, None)
    }

    /// Excludes or includes a patient. `version` is the one that was seen; `None` takes the newest.
    pub fn decide(&self, code: &str, belongs: Belongs, reason: &str, version: Option<i64>) -> Result<(), Error> {
        let reason = required(reason)?;
        self.store.write(&reason, |write| {
            let patient = write.patient(code)?;
            let seen = Patient { version: version.unwrap_or(patient.version), ..patient };
            write.exclude_patient(&seen, (belongs == Belongs::No).then_some(reason.as_str()))?;
            rules::apply(write, &self.protocol, code)
        })
    }
}

/// The reason, cleaned; refused when nothing is left.
pub(in crate::study) fn required(reason: &str) -> Result<String, Error> {
    let reason = osteon_base::text::clean(reason).trim().to_owned();
    if reason.is_empty() { Err(Error::NoReason) } else { Ok(reason) }
}
