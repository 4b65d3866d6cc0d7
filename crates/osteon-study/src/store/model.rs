//! What was learnt: models, their features, and each patient's probability.

use rusqlite::{OptionalExtension, params};
use serde_json::{Value, json};

use crate::store::trail::sha256;
use crate::store::{ModelId, PatientId, Run, RunId, SplitId, Store, StoreError, Write};

/// A model to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct NewModel {
    /// clinical, radiomics, combined, or a region's name.
    pub name: String,
    /// logistic or forest.
    pub kind: &'static str,
    /// Everything that was learnt, as JSON.
    pub recipe: String,
    /// Chosen features with their weights.
    pub features: Vec<(String, f64)>,
    pub predictions: Vec<Prediction>,
}

/// A stored model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub id: ModelId,
    pub run: RunId,
    pub split: SplitId,
    pub name: String,
    pub kind: String,
    pub recipe: String,
    pub predictions: Vec<Prediction>,
}

/// One patient's probability of the event.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    pub patient: PatientId,
    pub origin: Origin,
    pub probability: f64,
    /// The linear score, where the model has one.
    pub linear: Option<f64>,
}

/// From what a probability came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The model learnt from all training rows.
    Fitted,
    /// A model learnt from the other folds.
    OutOfFold,
}

impl Origin {
    /// As the database writes it.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Fitted => "fitted",
            Origin::OutOfFold => "out of fold",
        }
    }
}

/// Models with their predictions, and selected features with the bits of their weights.
type Learnt = (Vec<Value>, Vec<(String, String, u64)>);

impl Store {
    /// The newest finished fit.
    pub fn newest_fit(&self) -> Result<Option<RunId>, StoreError> {
        let sql = "SELECT max(id) FROM run WHERE kind = 'fit' AND finished_at IS NOT NULL";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// The models of the newest finished fit, in the order they were stored; empty when there was none.
    pub fn models(&self) -> Result<Vec<Model>, StoreError> {
        self.newest_fit()?.map_or_else(|| Ok(Vec::new()), |run| self.models_of(run))
    }

    /// The newest fit on a split and how many models it has; `None` when nothing was fitted on the split.
    pub fn fit_on(&self, split: SplitId) -> Result<Option<(RunId, usize)>, StoreError> {
        let sql = "SELECT run, count(*) FROM model JOIN run ON run.id = run AND run.kind = 'fit'
                   WHERE split = ?1 GROUP BY run ORDER BY run DESC LIMIT 1";
        let found = self.connection.query_row(sql, [split], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)));
        Ok(found.optional()?.map(|(run, n)| (run, n.cast_unsigned() as usize)))
    }

    /// The models of a run, in the order they were stored. Errors when the trail has another hash of them, or
    /// none.
    pub fn models_of(&self, run: RunId) -> Result<Vec<Model>, StoreError> {
        let state = self.data_version()?;
        if self.sound.get() != Some((run, state)) {
            let sql = "SELECT new FROM change WHERE tbl = 'run' AND row_key = ?1 AND field IN ('models', 'end')
                       ORDER BY seq DESC LIMIT 1";
            let told = self.connection.query_row(sql, [run.0.to_string()], |row| row.get::<_, String>(0)).optional()?;
            let is_finished = self.run(run)?.is_some_and(|run| run.finished_at.is_some());
            let is_sound = match told {
                Some(told) => matches!(self.seal(run)?, Some((_, held)) if held == told),
                None => self.version()? < 6 || !is_finished && self.read_models(run)?.is_empty(),
            };
            if !is_sound {
                return Err(StoreError::AlteredModels(run));
            }
            self.sound.set(Some((run, state)));
        }
        self.read_models(run)
    }

    fn read_models(&self, run: RunId) -> Result<Vec<Model>, StoreError> {
        let sql = "SELECT id, run, split, name, kind, recipe FROM model WHERE run = ?1 ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([run], |row| {
            Ok(Model {
                id: row.get(0)?,
                run: row.get(1)?,
                split: row.get(2)?,
                name: row.get(3)?,
                kind: row.get(4)?,
                recipe: row.get(5)?,
                predictions: Vec::new(),
            })
        })?;
        let mut models: Vec<Model> = rows.collect::<Result<_, _>>()?;
        for model in &mut models {
            model.predictions = self.predictions(model.id)?;
        }
        Ok(models)
    }

    /// Model, feature and weight of a run, in the order they were chosen.
    pub fn selected_features(&self, run: RunId) -> Result<Vec<(String, String, f64)>, StoreError> {
        let sql = "SELECT name, feature, weight FROM selected_feature JOIN model ON model.id = model
                   WHERE run = ?1 ORDER BY model, position";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What the trail keeps of a finished run, under the name `models` or `end`: SHA-256 of its row, its models, their
    /// features and predictions.
    pub(in crate::store) fn seal(&self, run: RunId) -> Result<Option<(&'static str, String)>, StoreError> {
        let (models, Some(row)) = (self.read_models(run)?, self.run(run)?) else { return Ok(None) };
        if row.finished_at.is_none() {
            return Ok(None);
        }
        let field = if models.is_empty() { "end" } else { "models" };
        let Run { kind, protocol_hash, inputs, seed, program_version, actor, host, started_at, .. } = &row;
        let of_run = (kind, protocol_hash, inputs, seed.0, program_version, actor, host, started_at);
        let rest = (&row.finished_at, row.locked, &row.trail_head);
        let (models, selected) = self.learnt_parts(run, &models, true)?;
        Ok(Some((field, sha256(json!([of_run, rest, models, selected]).to_string()))))
    }

    /// Hash of what a fit learnt and predicts, without who ran it, when, and the number of its split.
    pub fn learnt(&self, run: RunId) -> Result<String, StoreError> {
        let models = self.read_models(run)?;
        Ok(sha256(json!(self.learnt_parts(run, &models, false)?).to_string()))
    }

    /// Models with their predictions, and the selected features; with the split's number or without.
    fn learnt_parts(&self, run: RunId, models: &[Model], with_split: bool) -> Result<Learnt, StoreError> {
        let model = |it: &Model| {
            let predictions: Vec<_> = it
                .predictions
                .iter()
                .map(|one| (one.patient.0, one.origin.name(), one.probability.to_bits(), one.linear.map(f64::to_bits)))
                .collect();
            match with_split {
                true => json!([it.split.0, it.name, it.kind, it.recipe, predictions]),
                false => json!([it.name, it.kind, it.recipe, predictions]),
            }
        };
        let selected: Vec<_> = self
            .selected_features(run)?
            .into_iter()
            .map(|(name, feature, weight)| (name, feature, weight.to_bits()))
            .collect();
        Ok((models.iter().map(model).collect(), selected))
    }

    fn predictions(&self, model: ModelId) -> Result<Vec<Prediction>, StoreError> {
        let sql =
            "SELECT patient, origin, probability, linear FROM prediction WHERE model = ?1 ORDER BY patient, origin";
        let mut statement = self.connection.prepare_cached(sql)?;
        let origin = |name: String| if name == "fitted" { Origin::Fitted } else { Origin::OutOfFold };
        let rows = statement.query_map([model], |row| {
            Ok(Prediction {
                patient: row.get(0)?,
                origin: origin(row.get(1)?),
                probability: row.get(2)?,
                linear: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Write<'_> {
    /// Stores a model with its features and predictions.
    pub fn put_model(&self, run: RunId, split: SplitId, model: &NewModel) -> Result<ModelId, StoreError> {
        let sql = "INSERT INTO model (run, split, name, kind, recipe) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.connection.execute(sql, params![run, split, model.name, model.kind, model.recipe])?;
        let id = ModelId(self.connection.last_insert_rowid());
        let mut statement = self.connection.prepare_cached("INSERT INTO selected_feature VALUES (?1, ?2, ?3, ?4)")?;
        for (position, (feature, weight)) in model.features.iter().enumerate() {
            statement.execute(params![id, position.cast_signed() as i64, feature, weight])?;
        }
        let mut statement = self.connection.prepare_cached("INSERT INTO prediction VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for one in &model.predictions {
            statement.execute(params![id, one.patient, one.origin.name(), one.probability, one.linear])?;
        }
        Ok(id)
    }
}
