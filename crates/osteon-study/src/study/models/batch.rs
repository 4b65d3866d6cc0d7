//! Many patients under a model file: a table with pyradiomics' batch columns and clinical ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::model::ModelError;
use crate::model::card::provenance;
use crate::model::given::named_unit;
use crate::model::read::Model;
use crate::pipeline::learn::RAD_SCORE;
use crate::report::sheet::{Cell, Sheet};
use crate::study::Error;
use crate::study::data::{input, manifest};
use crate::study::models::predict::{Files, Predicted, predict_files, prediction_json};
use crate::study::pages::patient_pages::words;
use osteon_base::cells;
use osteon_base::job::Job;
use osteon_radiomics::read::Label;

/// One patient of a batch.
#[derive(Clone, Debug)]
pub struct BatchRow {
    pub id: String,
    pub given: BTreeMap<String, String>,
    /// What the model says, or why it says nothing.
    pub outcome: Result<Predicted, String>,
}

/// A batch, in the order of its file.
#[derive(Clone, Debug)]
pub struct Batch {
    pub rows: Vec<BatchRow>,
    /// What was understood of the file.
    pub notes: Vec<String>,
}

/// Where the columns stand.
struct Columns {
    id: Option<usize>,
    /// Image and mask of each slot, as `Files` names them.
    files: Vec<(String, [usize; 2])>,
    label: Option<usize>,
    series: Option<usize>,
    /// Position, input of the model, unit of the heading.
    inputs: Vec<(usize, String, Option<String>)>,
}

/// Applies a model to each row of a table. Columns: `Image` and `Mask` (paths from the table's folder on; not needed
/// where a column `rad_score` is given; `image_SLOT` and `mask_SLOT` for a model of several images), `Label`, `Series`, an id, and the model's clinical inputs by name. One step of
/// the job a patient; a patient's trouble is in the row.
///
/// # Errors
/// When the table cannot be read, lacks an input that the model needs of everybody, or has one in another unit.
pub fn predict_batch(model: &Model, path: &Path, reading: &[String], job: &Job) -> Result<Batch, Error> {
    let grid = cells::read(&input::bytes(path)?, &cells::Params::default())
        .map_err(|cause| Error::from(cause).within(path))?;
    let nothing = || Error::Header("no header, expected Image,Mask and the model's clinical inputs".to_owned());
    let (header, rows) = grid.headed().ok_or_else(|| nothing().within(path))?;
    let headings: Vec<String> = header.texts().map(str::to_owned).collect();
    let mut notes: Vec<String> = grid.notes.iter().map(ToString::to_string).collect();
    let columns = columns(model, &headings, &mut notes).map_err(|cause| cause.within(path))?;
    let rows: Vec<cells::Row> = rows.collect();
    let stage = job.stage("patients", rows.len());
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut found = Vec::new();
    for row in rows {
        let text = |at: Option<usize>| at.map(|at| row.text(at).to_owned()).filter(|text| !text.is_empty());
        let id = text(columns.id).unwrap_or_else(|| format!("line {}", row.line));
        let pair = |(slot, at): &(String, [usize; 2])| {
            let [image, mask] = at.map(|at| text(Some(at)));
            Some((slot.clone(), [folder.join(image?), folder.join(mask?)]))
        };
        let slots: BTreeMap<String, [PathBuf; 2]> = columns.files.iter().filter_map(pair).collect();
        let files = match slots.is_empty() {
            false => {
                let named = text(columns.label);
                let label = named.as_ref().and_then(|text| text.parse().ok()).map_or(Label::Only, Label::Value);
                Some(Files {
                    slots,
                    series: text(columns.series),
                    // A label is a number, the name of a structure is none.
                    structure: named.filter(|_| label == Label::Only),
                    label,
                    reading: reading.to_vec(),
                })
            }
            true => None,
        };
        let (given, outcome) = match given(model, &columns, &row) {
            Ok(given) => {
                let outcome = predict_files(model, files.as_ref(), &given, &job.silent());
                (given, outcome)
            }
            Err(cause) => (BTreeMap::new(), Err(cause.into())),
        };
        let outcome = match outcome {
            Err(cancelled @ Error::Cancelled(_)) => return Err(cancelled),
            outcome => outcome.map_err(|cause| cause.in_full()),
        };
        found.push(BatchRow { id, given, outcome });
        stage.step()?;
    }
    Ok(Batch { rows: found, notes })
}

fn given(model: &Model, columns: &Columns, row: &cells::Row) -> Result<BTreeMap<String, String>, ModelError> {
    let mut known = BTreeMap::new();
    for (at, name, unit) in &columns.inputs {
        let text = row.text(*at);
        if !text.is_empty() {
            known.insert(name.clone(), model.checked(name, unit.as_deref(), text)?);
        }
    }
    Ok(known)
}

fn columns(model: &Model, headings: &[String], notes: &mut Vec<String>) -> Result<Columns, Error> {
    let lower: Vec<String> = headings.iter().map(|heading| heading.to_lowercase()).collect();
    let find = |names: &[&str]| names.iter().find_map(|name| lower.iter().position(|heading| heading == name));
    let mut inputs = Vec::new();
    for (at, heading) in headings.iter().enumerate() {
        let (name, unit) = named_unit(heading);
        let means = |input: &&String| {
            let label = model.codebook.named(input).map(|variable| variable.label.to_lowercase());
            input.eq_ignore_ascii_case(name) || label.is_some_and(|label| label == name.to_lowercase())
        };
        if let Some(input) = model.inputs().iter().find(means) {
            if let Some(unit) = unit {
                model.checked(input, Some(unit), "")?;
            }
            inputs.push((at, input.clone(), unit.map(str::to_owned)));
        }
    }
    let files = file_columns(model, &lower);
    let columns = Columns {
        id: find(manifest::PATIENT),
        files: files.clone(),
        label: find(&["label", "roi", "structure", "segment"]),
        series: find(&["series"]),
        inputs,
    };
    let has = |name: &str| columns.inputs.iter().any(|(_, input, _)| input == name);
    let wanted = model.file.rad_slots();
    let lacks = wanted.iter().find(|slot| !files.iter().any(|(own, _)| own == *slot || own.is_empty()));
    if let Some(slot) = lacks.filter(|_| !has(RAD_SCORE)) {
        let missing = match wanted.as_slice() {
            [_] => "a column image or mask".to_owned(),
            _ => format!("a column image_{slot} or mask_{slot}"),
        };
        return Err(ModelError::Slot { wanted: wanted.join(", "), missing }.into());
    }
    let fill = |name: &str| model.file.combined.terms.iter().any(|term| term.variable == name && term.fill.is_some());
    let needed = model.combined.terms.iter().map(|term| crate::model::terms::parts(term).0);
    if let Some(name) = needed.into_iter().find(|name| *name != RAD_SCORE && !has(name) && !fill(name)) {
        let found = osteon_base::text::clean(&headings.join(", ")).into_owned();
        return Err(Error::Header(format!("no column {name}, which the model needs; found {found}")));
    }
    let used = [columns.id, columns.label, columns.series];
    let is_file = |at: usize| columns.files.iter().any(|(_, pair)| pair.contains(&at));
    let is_used =
        |at: usize| used.contains(&Some(at)) || is_file(at) || columns.inputs.iter().any(|(own, ..)| *own == at);
    let unused: Vec<&str> = (0..headings.len()).filter(|&at| !is_used(at)).map(|at| headings[at].as_str()).collect();
    if !unused.is_empty() {
        notes.push(format!("columns that the model has no input for: {}", unused.join(", ")));
    }
    Ok(columns)
}

/// Columns of images and masks: `image_SLOT` and `mask_SLOT`, or `image` and `mask` where one slot is needed.
fn file_columns(model: &Model, headings: &[String]) -> Vec<(String, [usize; 2])> {
    let find = |names: &[&str], slot: &str| {
        let is = |heading: &String| names.iter().any(|name| *heading == format!("{name}_{slot}").to_lowercase());
        headings.iter().position(is)
    };
    let plain = |names: &[&str]| names.iter().find_map(|name| headings.iter().position(|heading| heading == name));
    let wanted = model.file.rad_slots();
    let mut found = Vec::new();
    for slot in &wanted {
        if let (Some(image), Some(mask)) = (find(manifest::IMAGE, slot), find(manifest::MASK, slot)) {
            found.push(((*slot).to_owned(), [image, mask]));
        }
    }
    if let (true, [_], Some(image), Some(mask)) =
        (found.is_empty(), wanted.as_slice(), plain(manifest::IMAGE), plain(manifest::MASK))
    {
        found.push((String::new(), [image, mask]));
    }
    found
}

/// A batch for people: one row a patient.
pub fn batch_sheet(model: &Model, batch: &Batch) -> Sheet {
    let row = |it: &BatchRow| {
        let id = words(osteon_base::text::clean(&it.id));
        match &it.outcome {
            Ok(predicted) => {
                let applied = &predicted.applied;
                let risk =
                    Cell::Interval { estimate: applied.probability, low: applied.low, high: applied.high, digits: 3 };
                let distances = applied.sources.iter().map(|source| source.distance);
                let distance = distances.reduce(f64::max);
                vec![
                    id,
                    Cell::Number { value: applied.rad_score, digits: 4 },
                    Cell::number(applied.total_points, 1),
                    risk,
                    Cell::number(distance, 2),
                    words(applied.warnings.join("; ")),
                ]
            }
            Err(why) => vec![id, Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty, words(format!("failed: {why}"))],
        }
    };
    let risk = format!("Probability of {} (95 % CI)", model.event_label());
    let headings = ["Patient", "Rad-score", "Points", &risk, "Distance", "Warnings"].map(str::to_owned).to_vec();
    let mut notes = vec![model.file.research_use_only.clone()];
    notes.extend(batch.notes.iter().cloned());
    notes.push("interval: Wald's on the linear predictor, the Rad-score taken as known".to_owned());
    notes.push(
        "distance: Mahalanobis, of the Rad-score's features to the training patients; the largest of several sources"
            .to_owned(),
    );
    Sheet {
        title: format!("Predictions for {}", osteon_base::text::counted(batch.rows.len(), "patient")),
        headings,
        rows: batch.rows.iter().map(row).collect(),
        notes,
        provenance: provenance(&model.file),
    }
}

/// A batch for programs: an array with one object a patient.
pub fn batch_json(model: &Model, batch: &Batch) -> Value {
    let row = |it: &BatchRow| match &it.outcome {
        Ok(predicted) => {
            let mut document = prediction_json(model, predicted, &it.given);
            document["patient"] = json!(it.id);
            document
        }
        Err(why) => json!({ "patient": it.id, "error": why }),
    };
    Value::Array(batch.rows.iter().map(row).collect())
}
