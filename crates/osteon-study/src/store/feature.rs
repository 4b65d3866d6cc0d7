//! Extracted features: the catalogue, one result a patient, region and rater, and matrices read back.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::store::{ExtractionId, FeatureId, PatientId, Role, RunId, Store, StoreError, Write};

/// The files that one result came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    pub image_sha256: String,
    pub mask_sha256: String,
}

/// What became of one region: its values in catalogue order, or why there are none.
pub type Outcome<'a> = Result<&'a [Option<f64>], String>;

/// The stored state of one region, without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionState {
    pub patient: PatientId,
    pub roi: String,
    /// The mask or the repeat mask.
    pub rater: Role,
    pub run: RunId,
    pub inputs: Inputs,
    /// Why there are no values.
    pub error: Option<String>,
    /// Digest of the values.
    pub values_sha256: Option<String>,
}

/// One value of one patient; `None` is undefined.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureValue {
    pub roi: String,
    pub rater: Role,
    pub feature: String,
    pub value: Option<f64>,
}

/// The values of one region: patients x features; `None` where undefined.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Matrix {
    pub patients: Vec<PatientId>,
    pub features: Vec<String>,
    /// Row by row.
    pub values: Vec<Option<f64>>,
}

/// A result but for its values: what its hash covers.
pub(in crate::store) const COLUMNS: &str =
    "patient, roi, rater, run, image_sha256, mask_sha256, status, error, values_sha256";

impl Store {
    /// The catalogue: names in the order of their ids.
    pub fn features(&self) -> Result<Vec<(FeatureId, String)>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT id, name FROM feature ORDER BY id")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What is stored, region by region.
    pub fn region_states(&self) -> Result<Vec<RegionState>, StoreError> {
        let sql = "SELECT patient, roi, rater, run, image_sha256, mask_sha256, error, values_sha256 FROM extraction
             ORDER BY patient, id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(RegionState {
                patient: row.get(0)?,
                roi: row.get(1)?,
                rater: rater(&row.get::<_, String>(2)?),
                run: row.get(3)?,
                inputs: Inputs { image_sha256: row.get(4)?, mask_sha256: row.get(5)? },
                error: row.get(6)?,
                values_sha256: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many regions of each patient are measured and how many failed; patients without any are not listed.
    pub fn region_counts(&self) -> Result<BTreeMap<PatientId, [usize; 2]>, StoreError> {
        let sql = "SELECT patient, count(values_sha256), count(error) FROM extraction GROUP BY patient";
        let mut statement = self.connection.prepare_cached(sql)?;
        let count = |n: i64| usize::try_from(n).unwrap_or(0);
        let rows = statement.query_map([], |row| Ok((row.get(0)?, [count(row.get(1)?), count(row.get(2)?)])))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The values of one region by one rater, patients by id, features in catalogue order. Errors when they are not those
    /// that were stored.
    pub fn matrix(&self, roi: &str, rater: Role) -> Result<Matrix, StoreError> {
        let features = self.features()?;
        let sql = "SELECT id, patient, values_sha256 FROM extraction
                   WHERE roi = ?1 AND rater = ?2 AND status = 'done' ORDER BY patient";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found: Vec<(ExtractionId, PatientId, String)> = statement
            .query_map(params![roi, rater.name()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        let mut values = vec![None; found.len() * features.len()];
        let sql = "SELECT feature, value FROM feature_value WHERE extraction = ?1 ORDER BY feature";
        let mut statement = self.connection.prepare_cached(sql)?;
        for (row, (extraction, patient, stored)) in values.chunks_mut(features.len().max(1)).zip(&found) {
            let mut cells = statement.query([extraction])?;
            let mut place = features.iter().zip(row);
            let mut hash = Sha256::new();
            while let Some(cell) = cells.next()? {
                let feature: FeatureId = cell.get(0)?;
                let read: Option<f64> = cell.get(1)?;
                hash.update(bytes_of(read));
                if let Some((_, value)) = place.find(|((id, _), _)| *id == feature) {
                    *value = read;
                }
            }
            if text(hash) != *stored {
                let code = self.patients()?.into_iter().find(|it| it.id == *patient).map(|it| it.code);
                let place = format!("{} {roi} {}", code.unwrap_or_default(), rater.name());
                return Err(StoreError::Altered(place));
            }
        }
        let patients = found.into_iter().map(|(_, patient, _)| patient).collect();
        Ok(Matrix { patients, features: features.into_iter().map(|(_, name)| name).collect(), values })
    }

    /// All values of one patient.
    pub fn values_of(&self, patient: PatientId) -> Result<Vec<FeatureValue>, StoreError> {
        let sql = "SELECT roi, rater, name, value FROM extraction
                   JOIN feature_value ON extraction = extraction.id JOIN feature ON feature.id = feature
                   WHERE patient = ?1 ORDER BY extraction.id, feature";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([patient], |row| {
            let rater = rater(&row.get::<_, String>(1)?);
            Ok(FeatureValue { roi: row.get(0)?, rater, feature: row.get(2)?, value: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Results whose values are not those that were stored, as `patient roi rater`.
    pub fn altered_values(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT extraction.id, code, roi, rater, values_sha256 FROM extraction
                   JOIN patient ON patient.id = patient WHERE status = 'done' ORDER BY extraction.id";
        let mut statement = self.connection.prepare(sql)?;
        let mut values =
            self.connection.prepare_cached("SELECT value FROM feature_value WHERE extraction = ?1 ORDER BY feature")?;
        let mut rows = statement.query([])?;
        let mut altered = Vec::new();
        while let Some(row) = rows.next()? {
            let found: Vec<Option<f64>> =
                values.query_map([row.get::<_, i64>(0)?], |cell| cell.get(0))?.collect::<Result<_, _>>()?;
            if row.get::<_, String>(4)? != digest(found) {
                let (code, roi, rater): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
                altered.push(format!("{code} {roi} {rater}"));
            }
        }
        Ok(altered)
    }
}

impl Write<'_> {
    /// Ids of the named features in this order, new names entered in the catalogue.
    pub fn catalogue(&self, names: &[String]) -> Result<Vec<FeatureId>, StoreError> {
        let mut find = self.connection.prepare_cached("SELECT id FROM feature WHERE name = ?1")?;
        let mut enter = self.connection.prepare_cached("INSERT INTO feature (name) VALUES (?1) RETURNING id")?;
        let id = |name: &String| match find.query_row([name], |row| row.get(0)).optional()? {
            Some(id) => Ok(id),
            None => Ok(enter.query_row([name], |row| row.get(0))?),
        };
        names.iter().map(id).collect()
    }

    /// Stores one region's result in place of an earlier one.
    pub fn put_region(
        &self,
        run: RunId,
        (patient, roi, rater): (PatientId, &str, Role),
        inputs: &Inputs,
        features: &[FeatureId],
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached("DELETE FROM extraction WHERE patient = ?1 AND roi = ?2 AND rater = ?3")?
            .execute(params![patient, roi, rater.name()])?;
        let sql = format!(
            "INSERT INTO extraction ({COLUMNS}, seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, osteon_hash(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '', ''))"
        );
        let values = outcome.as_ref().copied().unwrap_or_default();
        let ordered = ordered(features, values);
        let (status, error, digest) = match &outcome {
            Ok(_) => ("done", None, Some(digest(ordered.iter().map(|(_, value)| *value)))),
            Err(why) => ("failed", Some(why.as_str()), None),
        };
        let bound =
            params![patient, roi, rater.name(), run, inputs.image_sha256, inputs.mask_sha256, status, error, digest];
        self.connection.prepare_cached(&sql)?.execute(bound)?;
        let extraction = self.connection.last_insert_rowid();
        let mut insert = self.connection.prepare_cached("INSERT INTO feature_value VALUES (?1, ?2, ?3)")?;
        for (feature, value) in ordered {
            insert.execute(params![extraction, feature, value])?;
        }
        Ok(())
    }
}

fn rater(name: &str) -> Role {
    if name == Role::RepeatMask.name() { Role::RepeatMask } else { Role::Mask }
}

/// The digest that a region's values have in a study whose ids of their features are these.
pub fn values_sha256(features: &[FeatureId], values: &[Option<f64>]) -> String {
    digest(ordered(features, values).into_iter().map(|(_, value)| value))
}

/// Values in the order of the features' ids, which is how they are read back.
fn ordered(features: &[FeatureId], values: &[Option<f64>]) -> Vec<(FeatureId, Option<f64>)> {
    let values = values.iter().map(|value| value.filter(|value| !value.is_nan()));
    let mut ordered: Vec<(FeatureId, Option<f64>)> = features.iter().copied().zip(values).collect();
    ordered.sort_by_key(|(feature, _)| *feature);
    ordered
}

/// SHA-256 of the 64-bit little-endian values, one NaN for every undefined one. SQLite keeps no negative zero.
fn digest(values: impl IntoIterator<Item = Option<f64>>) -> String {
    let mut hash = Sha256::new();
    for value in values {
        hash.update(bytes_of(value));
    }
    text(hash)
}

fn bytes_of(value: Option<f64>) -> [u8; 8] {
    (value.unwrap_or(f64::NAN) + 0.0).to_le_bytes()
}

fn text(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
