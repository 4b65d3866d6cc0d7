//! Turning a patient's last change back, as a new change with its own reason.

use crate::store::{Change, ChangeFilter};
use crate::study::{Edit, Error, Study};

impl Study {
    /// Sets the field that was changed last to what it was before; gives what was done, in words.
    pub fn undo(&self, code: &str, reason: &str) -> Result<String, Error> {
        let patient = self.store.patient(code)?;
        let filter = ChangeFilter { row: code.to_owned(), ..ChangeFilter::default() };
        let last = self.store.changes(&filter)?.into_iter().find(|change| change.table == "patient");
        let Some(Change { field, old, seq, .. }) = last else { return Err(Error::NothingToUndo(code.to_owned())) };
        let reason = crate::study::edit::required(reason)?;
        let reason = format!("change {seq} turned back: {reason}");
        match field.as_str() {
            "included" | "exclusion_reason" if patient.included() => {
                self.exclude(code, &reason)?;
                Ok("excluded again".to_owned())
            }
            "included" | "exclusion_reason" => {
                self.include(code, &reason)?;
                Ok("included again".to_owned())
            }
            "code" => Err(Error::NothingToUndo(code.to_owned())),
            _ => {
                let value = old.unwrap_or_default();
                let said = match value.as_str() {
                    _ if !self.may_see(&field) => format!("{field} is as before"),
                    "" => format!("{field} is missing again"),
                    value => format!("{field} is {value} again"),
                };
                self.edit(code, &[Edit { field, value }], &reason, Some(patient.version))?;
                Ok(said)
            }
        }
    }
}
