//! Who is in the training set and who in the test set.

use rusqlite::{OptionalExtension, params};

use crate::store::{PatientId, SplitId, Store, StoreError, Write};
use osteon_base::seed::Seed;

/// One of the two sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Train,
    Test,
}

/// A split and its members.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    pub id: SplitId,
    /// `None` for a split that was imported.
    pub seed: Option<Seed>,
    pub train_fraction: Option<f64>,
    /// What it was stratified by; empty for nothing.
    pub strata: String,
    pub locked: bool,
    pub created_at: String,
    pub members: Vec<(PatientId, Side)>,
}

impl Side {
    /// As the database writes it.
    pub fn name(self) -> &'static str {
        match self {
            Side::Train => "train",
            Side::Test => "test",
        }
    }
}

/// How a split was made and when, as the trail tells it.
pub(in crate::store) const TERMS: &str =
    "'share ' || coalesce(osteon_text(train_fraction), 'unknown') || ', strata ' || strata || ', ' || created_at";

impl Store {
    /// The split in force, if there is one.
    pub fn split(&self) -> Result<Option<Split>, StoreError> {
        let sql = "SELECT id, seed, train_fraction, strata, locked, created_at FROM split ORDER BY id DESC LIMIT 1";
        let found = self.connection.query_row(sql, [], |row| {
            Ok(Split {
                id: row.get(0)?,
                seed: row.get::<_, Option<i64>>(1)?.map(|seed| Seed(seed.cast_unsigned())),
                train_fraction: row.get(2)?,
                strata: row.get(3)?,
                locked: row.get(4)?,
                created_at: row.get(5)?,
                members: Vec::new(),
            })
        });
        let Some(mut split) = found.optional()? else { return Ok(None) };
        let mut statement = self.connection.prepare("SELECT patient, side FROM split_member WHERE split = ?1")?;
        let side = |name: String| if name == "train" { Side::Train } else { Side::Test };
        let members = statement.query_map([split.id], |row| Ok((row.get(0)?, side(row.get(1)?))))?;
        split.members = members.collect::<Result<_, _>>()?;
        Ok(Some(split))
    }
}

impl Write<'_> {
    /// A new split, in force from now on; refused while the one in force is locked.
    pub fn add_split(
        &self,
        seed: Option<Seed>,
        train_fraction: Option<f64>,
        strata: &str,
        members: &[(PatientId, Side)],
    ) -> Result<SplitId, StoreError> {
        let source = if seed.is_some() { "drawn" } else { "imported" };
        let sql = "INSERT INTO split (source, seed, train_fraction, strata, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
        let bound = params![source, seed.map(|seed| seed.0.cast_signed()), train_fraction, strata, self.at];
        self.connection.execute(sql, bound)?;
        let id = SplitId(self.connection.last_insert_rowid());
        let mut statement = self.connection.prepare("INSERT INTO split_member VALUES (?1, ?2, ?3)")?;
        for (patient, side) in members {
            statement.execute(params![id, patient, side.name()])?;
        }
        Ok(id)
    }

    /// Tells how each split was made that the trail does not know: at migration.
    pub(in crate::store) fn tell_split_terms(&self) -> Result<(), StoreError> {
        let told = format!("INSERT INTO trail SELECT 'split', id, 'terms', NULL, {TERMS} FROM split ORDER BY id");
        self.connection.execute(&told, [])?;
        Ok(())
    }

    /// Tells the trail that results of a split's test set were shown; nothing but the trail holds it.
    pub fn tell_shown(&self, split: SplitId, what: &str) -> Result<(), StoreError> {
        let told = "INSERT INTO trail VALUES ('shown', ?1, 'test results shown', NULL, ?2)";
        self.connection.execute(told, params![split.0.to_string(), what])?;
        Ok(())
    }

    /// Freezes the split in force, or lets it be replaced again.
    pub fn lock_split(&self, locked: bool) -> Result<(), StoreError> {
        let sql = "UPDATE split SET locked = ?1 WHERE id = (SELECT max(id) FROM split)";
        match self.connection.execute(sql, [locked])? {
            0 => Err(StoreError::Refused("the study has no split".to_owned())),
            _ => Ok(()),
        }
    }
}
