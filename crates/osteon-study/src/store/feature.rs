//! Extracted features: the catalogue, one result a patient, region and rater, and matrices read back.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::store::trail::sha256;
use crate::store::{ExtractionId, FeatureId, ImageFile, PatientId, Place, Role, RunId, Store, StoreError, Write};
use osteon_radiomics::diagnose::RegionCheck;

/// The files that one result came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    pub image_sha256: String,
    pub mask_sha256: String,
}

impl Inputs {
    /// Of a result that was measured in an image by some masks, in the order of their lesions.
    pub fn of<'a>(image: &ImageFile, masks: impl IntoIterator<Item = &'a ImageFile>) -> Inputs {
        let masks: Vec<String> = masks.into_iter().map(ImageFile::input).collect();
        Inputs { image_sha256: image.sha256.clone(), mask_sha256: masks.join(" with ") }
    }
}

/// What became of one region: its values in catalogue order, or why there are none.
pub type Outcome<'a> = Result<&'a [Option<f64>], String>;

/// The stored state of one region, without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionState {
    pub patient: PatientId,
    pub place: Place,
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
    pub place: Place,
    pub feature: String,
    pub value: Option<f64>,
}

/// The values of one region: lesions of patients x features; `None` where undefined.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Matrix {
    /// A patient has a row a lesion.
    pub patients: Vec<PatientId>,
    pub lesions: Vec<String>,
    pub features: Vec<String>,
    /// Row by row.
    pub values: Vec<Option<f64>>,
}

/// A result but for its values: what its hash covers.
pub(in crate::store) const COLUMNS: &str = "patient, slot, region, lesion, rater, run, image_sha256, mask_sha256, status, error, values_sha256, layout, diagnostics";
/// The names of a layout's features, which its hash covers.
pub(in crate::store) const NAMES: &str =
    "(SELECT json_group_array(name ORDER BY place.key) FROM json_each(features) AS place
      JOIN feature ON feature.id = place.value)";
/// Values in one row of `feature_block`.
const WIDTH: usize = 57;

impl Store {
    /// The catalogue: names in the order of their ids.
    pub fn features(&self) -> Result<Vec<(FeatureId, String)>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT id, name FROM feature ORDER BY id")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What is stored, region by region.
    pub fn region_states(&self) -> Result<Vec<RegionState>, StoreError> {
        let sql = "SELECT patient, slot, region, lesion, rater, run, image_sha256, mask_sha256, error, values_sha256
                   FROM extraction ORDER BY patient, id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(RegionState {
                patient: row.get(0)?,
                place: place(row, 1)?,
                run: row.get(5)?,
                inputs: Inputs { image_sha256: row.get(6)?, mask_sha256: row.get(7)? },
                error: row.get(8)?,
                values_sha256: row.get(9)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What each region is; results of earlier versions have no check. Errors when one does not read back.
    pub fn region_checks(&self) -> Result<Vec<(PatientId, Place, RegionCheck)>, StoreError> {
        self.checks_where("diagnostics IS NOT NULL", &[])
    }

    /// Each patient's lesions in a slot by one rater, with the volume (mm3) of the tumour; 0 where it is not known.
    pub fn lesion_volumes(&self, slot: &str, rater: &Role) -> Result<Vec<(PatientId, String, f64)>, StoreError> {
        let sql = "SELECT patient, lesion, coalesce(json_extract(diagnostics, '$.volume_mm3'), 0.0) FROM extraction
                   WHERE region = 'intra' AND slot = ?1 AND rater = ?2 ORDER BY patient, lesion";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement
            .query_map(params![slot, rater.name()], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, f64>(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What the regions of one patient are.
    pub fn region_checks_of(&self, patient: PatientId) -> Result<Vec<(Place, RegionCheck)>, StoreError> {
        let checks = self.checks_where("patient = ?1 AND diagnostics IS NOT NULL", params![patient])?;
        Ok(checks.into_iter().map(|(_, place, check)| (place, check)).collect())
    }

    fn checks_where(
        &self,
        condition: &str,
        bound: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<(PatientId, Place, RegionCheck)>, StoreError> {
        let sql = format!(
            "SELECT patient, slot, region, lesion, rater, diagnostics FROM extraction
             WHERE {condition} ORDER BY patient, id"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(bound)?;
        let mut checks = Vec::new();
        while let Some(row) = rows.next()? {
            let (place, text) = (place(row, 1)?, row.get::<_, String>(5)?);
            let check =
                serde_json::from_str(&text).map_err(|_| StoreError::Altered(format!("the check of {place}")))?;
            checks.push((row.get(0)?, place, check));
        }
        Ok(checks)
    }

    /// How many regions of each patient are measured and how many failed; patients without any are not listed.
    pub fn region_counts(&self) -> Result<BTreeMap<PatientId, [usize; 2]>, StoreError> {
        let sql = "SELECT patient, count(values_sha256), count(error) FROM extraction GROUP BY patient";
        let mut statement = self.connection.prepare_cached(sql)?;
        let count = |n: i64| usize::try_from(n).unwrap_or(0);
        let rows = statement.query_map([], |row| Ok((row.get(0)?, [count(row.get(1)?), count(row.get(2)?)])))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The values of one slot and region by one rater, patients by id and lesions by name, features in catalogue order.
    /// Errors when they are not those that were stored.
    pub fn matrix(&self, slot: &str, region: &str, rater: &Role) -> Result<Matrix, StoreError> {
        let features = self.features()?;
        let sql = "SELECT id, patient, lesion, values_sha256, layout FROM extraction
                   WHERE slot = ?1 AND region = ?2 AND rater = ?3 AND status = 'done' ORDER BY patient, lesion";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found: Vec<(ExtractionId, PatientId, String, String, i64)> = statement
            .query_map(params![slot, region, rater.name()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })?
            .collect::<Result<_, _>>()?;
        let place: BTreeMap<FeatureId, usize> = features.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
        let mut layouts: BTreeMap<i64, Vec<Option<usize>>> = BTreeMap::new();
        let mut values = vec![None; found.len() * features.len()];
        for (row, (extraction, patient, lesion, stored, layout)) in values.chunks_mut(features.len().max(1)).zip(&found)
        {
            if !layouts.contains_key(layout) {
                let places = self.layout(*layout)?.iter().map(|id| place.get(id).copied()).collect();
                layouts.insert(*layout, places);
            }
            let places = &layouts[layout];
            let read = self.blocks(*extraction, places.len())?;
            if digest(read.iter().copied()) != *stored {
                let code = self.patients()?.into_iter().find(|it| it.id == *patient).map(|it| it.code);
                let (slot, region) = (slot.to_owned(), region.to_owned());
                let place = Place { slot, region, lesion: lesion.clone(), rater: rater.clone() };
                return Err(StoreError::Altered(in_words(&code.unwrap_or_default(), &place)));
            }
            for (value, place) in read.into_iter().zip(places) {
                if let Some(place) = place {
                    row[*place] = value;
                }
            }
        }
        let (patients, lesions) = found.into_iter().map(|(_, patient, lesion, ..)| (patient, lesion)).unzip();
        Ok(Matrix { patients, lesions, features: features.into_iter().map(|(_, name)| name).collect(), values })
    }

    /// All values of one patient.
    pub fn values_of(&self, patient: PatientId) -> Result<Vec<FeatureValue>, StoreError> {
        let sql = "SELECT slot, region, lesion, rater, name, value FROM extraction
                   JOIN feature_value ON extraction = extraction.id JOIN feature ON feature.id = feature
                   WHERE patient = ?1 ORDER BY extraction.id, feature";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([patient], |row| {
            Ok(FeatureValue { place: place(row, 0)?, feature: row.get(4)?, value: row.get(5)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Results whose values are not those that were stored, as `patient roi rater`.
    pub fn altered_values(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT extraction.id, code, slot, region, lesion, rater, values_sha256, json_array_length(features)
                   FROM extraction JOIN patient ON patient.id = patient JOIN layout ON layout.id = layout
                   WHERE status = 'done' ORDER BY extraction.id";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut altered = Vec::new();
        while let Some(row) = rows.next()? {
            let n = usize::try_from(row.get::<_, i64>(7)?).unwrap_or(0);
            if row.get::<_, String>(6)? != digest(self.blocks(row.get(0)?, n)?) {
                altered.push(in_words(&row.get::<_, String>(1)?, &place(row, 2)?));
            }
        }
        Ok(altered)
    }

    /// The digest of all results of a patient: SHA-256 of the JSON array of [slot, region, lesion, rater, seal, seal of
    /// the layout], ordered by the first four; `None` without any.
    pub(in crate::store) fn results_of(&self, patient: PatientId) -> Result<Option<String>, StoreError> {
        let sql = "SELECT slot, region, lesion, rater, extraction.seal, layout.seal
                   FROM extraction LEFT JOIN layout ON layout.id = layout
                   WHERE patient = ?1 ORDER BY slot, region, lesion, rater";
        let mut statement = self.connection.prepare_cached(sql)?;
        let text = |row: &rusqlite::Row, at: usize| row.get::<_, Option<String>>(at);
        let rows =
            statement.query_map([patient], |row| (0..6).map(|at| text(row, at)).collect::<Result<Vec<_>, _>>())?;
        let rows: Vec<Vec<Option<String>>> = rows.collect::<Result<_, _>>()?;
        let told = || sha256(serde_json::to_string(&rows).expect("texts are JSON"));
        Ok((!rows.is_empty()).then(told))
    }

    /// The features of a layout, in the order of their ids.
    fn layout(&self, id: i64) -> Result<Vec<FeatureId>, StoreError> {
        let altered = || StoreError::Altered(format!("layout {id}"));
        let sql = format!("SELECT features, seal IS osteon_seal(features, {NAMES}) FROM layout WHERE id = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let (text, holds): (String, bool) = statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if !holds {
            return Err(altered());
        }
        let ids: Vec<i64> = serde_json::from_str(&text).map_err(|_| altered())?;
        Ok(ids.into_iter().map(FeatureId).collect())
    }

    /// The `n` values of an extraction, in the order of its layout; a row that is not there holds none. What stands in
    /// cells that no feature has comes after them: nothing does, unless the file was altered.
    fn blocks(&self, extraction: ExtractionId, n: usize) -> Result<Vec<Option<f64>>, StoreError> {
        let sql = "SELECT * FROM feature_block WHERE extraction = ?1 ORDER BY block";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([extraction])?;
        let mut values = vec![None; n];
        while let Some(row) = rows.next()? {
            let block = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(usize::MAX);
            let from = block.saturating_mul(WIDTH);
            for at in 0..WIDTH {
                let value: Option<f64> = row.get(at + 2)?;
                match from.checked_add(at).filter(|place| *place < n) {
                    Some(place) => values[place] = value,
                    None => values.extend(value.map(Some)),
                }
            }
        }
        Ok(values)
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

    /// Stores one region's result, and what the region is, in place of an earlier one.
    pub fn put_region(
        &self,
        run: RunId,
        (patient, place): (PatientId, &Place),
        inputs: &Inputs,
        features: &[FeatureId],
        outcome: Outcome,
        check: Option<&RegionCheck>,
    ) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "DELETE FROM extraction WHERE patient = ?1 AND slot = ?2 AND region = ?3 AND lesion = ?4 AND rater = ?5",
            )?
            .execute(params![patient, place.slot, place.region, place.lesion, place.rater.name()])?;
        let marks: Vec<String> = (1..=13).map(|at| format!("?{at}")).collect();
        let marks = marks.join(", ");
        let sql = format!("INSERT INTO extraction ({COLUMNS}, seal) VALUES ({marks}, osteon_seal({marks}))");
        let values = outcome.as_ref().copied().unwrap_or_default();
        let ordered = ordered(features, values);
        let (status, error, digest) = match &outcome {
            Ok(_) => ("done", None, Some(digest(ordered.iter().map(|(_, value)| *value)))),
            Err(why) => ("failed", Some(why.as_str()), None),
        };
        let layout = outcome.is_ok().then(|| self.keep_layout(&ordered)).transpose()?;
        let (image, mask) = (&inputs.image_sha256, &inputs.mask_sha256);
        let (slot, region, lesion, rater) = (&place.slot, &place.region, &place.lesion, place.rater.name());
        let check = check.map(|check| serde_json::to_string(check).expect("a check is plain data"));
        let bound =
            params![patient, slot, region, lesion, rater, run, image, mask, status, error, digest, layout, check];
        self.connection.prepare_cached(&sql)?.execute(bound)?;
        let extraction = self.connection.last_insert_rowid();
        let marks: Vec<String> = (1..=WIDTH + 2).map(|at| format!("?{at}")).collect();
        let sql = format!("INSERT INTO feature_block VALUES ({})", marks.join(", "));
        let mut insert = self.connection.prepare_cached(&sql)?;
        for (block, values) in ordered.chunks(WIDTH).enumerate() {
            insert.raw_bind_parameter(1, extraction)?;
            insert.raw_bind_parameter(2, block.cast_signed() as i64)?;
            for at in 0..WIDTH {
                insert.raw_bind_parameter(at + 3, values.get(at).and_then(|(_, value)| *value))?;
            }
            insert.raw_execute()?;
        }
        self.measured.borrow_mut().insert(patient);
        Ok(())
    }

    /// Writes to the trail what the results of patients are now, as a digest.
    pub(in crate::store) fn tell_results(&self) -> Result<(), StoreError> {
        for patient in self.measured.take() {
            let code: String =
                self.connection.query_row("SELECT code FROM patient WHERE id = ?1", [patient], |row| row.get(0))?;
            let sql = "INSERT INTO trail SELECT 'extraction', ?1, 'results', was, ?2 FROM (SELECT (
                           SELECT new FROM change WHERE tbl = 'extraction' AND row_key = ?1 ORDER BY seq DESC LIMIT 1
                       ) AS was) WHERE was IS NOT ?2";
            let mut tell = self.connection.prepare_cached(sql)?;
            tell.execute(params![code, self.results_of(patient)?])?;
        }
        Ok(())
    }

    /// Marks all patients as measured in this transaction: at migration, which anchors the results of before.
    pub(in crate::store) fn tell_all_results(&self) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare("SELECT DISTINCT patient FROM extraction")?;
        let patients: Vec<PatientId> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        self.measured.borrow_mut().extend(patients);
        Ok(())
    }

    /// The id of the layout of these features.
    fn keep_layout(&self, ordered: &[(FeatureId, Option<f64>)]) -> Result<i64, StoreError> {
        let ids: Vec<i64> = ordered.iter().map(|(id, _)| id.0).collect();
        let text = serde_json::to_string(&ids).expect("numbers are JSON");
        let mut find = self.connection.prepare_cached("SELECT id FROM layout WHERE features = ?1")?;
        if let Some(id) = find.query_row([&text], |row| row.get(0)).optional()? {
            return Ok(id);
        }
        let sql = format!(
            "INSERT INTO layout (features, seal) SELECT features, osteon_seal(features, {NAMES})
             FROM (SELECT ?1 AS features)"
        );
        self.connection.execute(&sql, [text])?;
        Ok(self.connection.last_insert_rowid())
    }
}

/// Slot, region, lesion and rater from four columns.
fn place(row: &rusqlite::Row, at: usize) -> rusqlite::Result<Place> {
    let rater = Role::named(&row.get::<_, String>(at + 3)?);
    Ok(Place { slot: row.get(at)?, region: row.get(at + 1)?, lesion: row.get(at + 2)?, rater })
}

/// `P001 intra mask`, and slot and lesion where they are not the only ones.
fn in_words(code: &str, place: &Place) -> String {
    format!("{code} {} {}", place.region_name(), place.rater.name())
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
    osteon_base::text::hex(hash.finalize())
}
