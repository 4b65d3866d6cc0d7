//! Who is in which set, and whether the trail holds.

use std::collections::BTreeMap;

use crate::report::sheet::Sheet;
use crate::study::pages::patient_pages::words;
use crate::study::{Error, Study, split_in_words};
use osteon_base::job::Job;

impl Study {
    /// One row a patient of the split in force; no row, and a note, when there is no split.
    pub fn members_sheet(&self) -> Result<Sheet, Error> {
        self.needs_response()?;
        let Some(split) = self.store.split()? else {
            let empty = self.sheet("Split".to_owned(), &["patient"], Vec::new())?;
            return Ok(Sheet { notes: vec!["no split yet: s draws one by seed and ratio".to_owned()], ..empty });
        };
        let patients = self.store.patients()?;
        let sides: BTreeMap<_, _> = split.members.iter().copied().collect();
        let row = |patient: &crate::store::Patient| {
            let side = sides.get(&patient.id)?;
            let included = if patient.included() { "yes" } else { "no" };
            Some(vec![words(patient.code.clone()), words(side.name()), words(included)])
        };
        let rows = patients.iter().filter_map(row).collect();
        let sheet = self.sheet("Split".to_owned(), &["patient", "set", "included"], rows)?;
        Ok(Sheet { notes: vec![format!("{}, {}", split_in_words(&split), self.minute(&split.created_at))], ..sheet })
    }

    /// What a check of everything found: file, trail, images on disk, results and their inputs.
    pub fn verification_sheet(&self) -> Result<Sheet, Error> {
        let found = self.verify(None, &Job::unwatched())?;
        let finding = |text: &String| vec![words("wrong"), words(text.clone())];
        let mut rows: Vec<_> = found.findings.iter().map(finding).collect();
        if rows.is_empty() {
            let text = format!("{} changes, {} images, {} regions", found.changes, found.images, found.regions);
            rows.push(vec![words("ok"), words(text)]);
        }
        let sheet = self.sheet("Verification".to_owned(), &["result", "what"], rows)?;
        let promise = "the trail shows that something was altered; it cannot keep anybody from altering it".to_owned();
        Ok(Sheet { notes: found.notes.into_iter().chain([promise]).collect(), ..sheet })
    }
}
