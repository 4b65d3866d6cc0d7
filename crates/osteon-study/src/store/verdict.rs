//! Readers' verdicts on masks: the newest of a reader stands, for the mask that was seen.

use rusqlite::params;

use crate::store::{ImageFile, PatientId, Place, Role, Store, StoreError, Write};

/// What a reader says of a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    Accepted,
    /// It has to be drawn again.
    ToRedo,
    /// It is not measured.
    Excluded,
}

/// One verdict as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub patient: PatientId,
    /// Slot, lesion and rater of the mask; its region is empty.
    pub mask: Place,
    pub mask_sha256: String,
    pub reader: String,
    pub judgement: Judgement,
    pub note: String,
    pub at: String,
}

impl Judgement {
    pub const ALL: [Judgement; 3] = [Judgement::Accepted, Judgement::ToRedo, Judgement::Excluded];

    /// As the database writes it.
    pub fn name(self) -> &'static str {
        match self {
            Judgement::Accepted => "accepted",
            Judgement::ToRedo => "to redo",
            Judgement::Excluded => "excluded",
        }
    }

    pub fn named(name: &str) -> Option<Judgement> {
        Judgement::ALL.into_iter().find(|judgement| judgement.name() == name)
    }
}

impl Verdict {
    /// Whether it is about this mask as it is now.
    pub fn is_of(&self, file: &ImageFile) -> bool {
        let Place { slot, lesion, rater, .. } = &self.mask;
        let own = (self.patient, slot, lesion, rater, &self.mask_sha256);
        own == (file.patient, &file.slot, &file.lesion, &file.role, &file.sha256)
    }
}

impl Store {
    /// The verdict of each reader on each mask that stands, by patient: of several by one reader on a mask the newest.
    pub fn verdicts(&self) -> Result<Vec<Verdict>, StoreError> {
        let sql = "SELECT patient, slot, lesion, rater, mask_sha256, reader, verdict, note, at FROM verdict
                   WHERE id IN (SELECT max(id) FROM verdict GROUP BY patient, slot, lesion, rater, reader)
                   ORDER BY patient, slot, lesion, rater, reader";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let (slot, lesion): (String, String) = (row.get(1)?, row.get(2)?);
            let rater = Role::named(&row.get::<_, String>(3)?);
            Ok(Verdict {
                patient: row.get(0)?,
                mask: Place { slot, region: String::new(), lesion, rater },
                mask_sha256: row.get(4)?,
                reader: row.get(5)?,
                judgement: Judgement::named(&row.get::<_, String>(6)?).unwrap_or(Judgement::ToRedo),
                note: row.get(7)?,
                at: row.get(8)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Write<'_> {
    /// Enters what the person who writes says of a mask.
    pub fn judge(&self, mask: &ImageFile, judgement: Judgement, note: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO verdict (patient, slot, lesion, rater, mask_sha256, reader, verdict, note, at)
                   VALUES (?1, ?2, ?3, ?4, ?5, osteon_actor(), ?6, ?7, osteon_now())";
        let bound =
            params![mask.patient, mask.slot, mask.lesion, mask.role.name(), mask.sha256, judgement.name(), note];
        self.connection.prepare_cached(sql)?.execute(bound)?;
        Ok(())
    }
}
