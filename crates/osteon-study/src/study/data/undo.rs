//! Turning a patient's last change back, as a new change with its own reason.

use crate::store::{Change, ChangeFilter};
use crate::study::{Edit, Error, Study};

impl Study {
    /// The patient's last change that can be turned back, as this reader may see it; being added to the study is none.
    pub fn last_edit(&self, code: &str) -> Result<Change, Error> {
        let filter = ChangeFilter { row: code.to_owned(), ..ChangeFilter::default() };
        last(self.changes(&filter)?, code)
    }

    /// Sets the field that was changed last to what it was before; gives what was done, in words. `seq` is the change
    /// that was seen as the last one; `None` takes the newest.
    pub fn undo(&self, code: &str, reason: &str, seq: Option<i64>) -> Result<String, Error> {
        let patient = self.store.patient(code)?;
        if seq.map(|seen| Ok::<_, Error>(seen != self.last_edit(code)?.seq)).transpose()?.unwrap_or(false) {
            return Err(Error::Request(format!("{code} was changed again meanwhile; look at the change first")));
        }
        // The last one that this reader may see; its number in the file stands in the reason.
        let own = self.changes_seen()?.into_iter().filter(|(_, change)| change.row == code);
        let own = own.map(|(seq, change)| Change { seq, ..change }).collect();
        let Change { field, old, seq: last, .. } = last(own, code)?;
        let reason = crate::study::data::edit::required(reason)?;
        let reason = format!("change {last} turned back: {reason}");
        match field.as_str() {
            "included" | "exclusion_reason" if patient.included() => {
                self.exclude(code, &reason)?;
                Ok("excluded again".to_owned())
            }
            "included" | "exclusion_reason" => {
                self.include(code, &reason)?;
                Ok("included again".to_owned())
            }
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

/// The newest change of a patient's row that is not its beginning.
fn last(changes: Vec<Change>, code: &str) -> Result<Change, Error> {
    let own: Vec<Change> = changes.into_iter().filter(|change| change.table == "patient").collect();
    let added = own.iter().find(|change| change.field == "code").map(|change| change.at.clone());
    let newest = own.into_iter().next().filter(|change| Some(&change.at) != added.as_ref());
    newest.ok_or_else(|| Error::NothingToUndo(code.to_owned()))
}
