//! One patient under a model file: image and mask are measured as the model asks, and it is applied.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::ModelError;
use crate::model::apply::{Applied, AppliedFeature, AppliedSource, Raw};
use crate::model::batch::BATCH;
use crate::model::card::provenance;
use crate::model::file::{FeaturePart, Slot};
use crate::model::read::Model;
use crate::pipeline::learn::RAD_SCORE;
use crate::report::sheet::{Cell, Sheet};
use crate::study::jobs::features::{Pair, read_pair};
use crate::study::jobs::measure::measure;
use crate::study::learn::batches::scanner;
use crate::study::pages::patient_pages::words;
use crate::study::{Error, FeaturesRequest};
use osteon_base::job::Job;
use osteon_radiomics::describe::catalogue;
use osteon_radiomics::diagnose::{self, RegionCheck};
use osteon_radiomics::read::Label;
use osteon_radiomics::roi::Roi;

/// Images and masks of a patient who is in no study.
#[derive(Clone, Debug, PartialEq)]
pub struct Files {
    /// Image and mask of each slot; the empty name is the only slot that the model needs.
    pub slots: BTreeMap<String, [PathBuf; 2]>,
    pub series: Option<String>,
    pub structure: Option<String>,
    pub label: Label,
    /// `mask.KEY=VALUE` over the model's own settings of how a mask is read.
    pub reading: Vec<String>,
}

/// A patient under a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Predicted {
    #[serde(flatten)]
    pub applied: Applied,
    /// What was measured, by `slot.region.feature`.
    pub measured: Raw,
    /// What the regions of the Rad-score are, each with its slot; none where the score was given.
    pub regions: Vec<(String, RegionCheck)>,
    /// What was found and decided while the files were read.
    pub notes: Vec<String>,
    /// Batches that the images told, by the input that says them.
    #[serde(skip)]
    pub batches: BTreeMap<String, String>,
}

/// Measures and applies; `given` are clinical values by name, and `rad_score` where there are no files.
///
/// # Errors
/// When an input is missing or in another unit, or a region cannot be measured.
pub fn predict_files(
    model: &Model,
    files: Option<&Files>,
    given: &BTreeMap<String, String>,
    job: &Job,
) -> Result<Predicted, Error> {
    let wanted = model.file.rad_slots();
    let lacking = |missing: String| ModelError::Slot { wanted: wanted.join(", "), missing };
    let Some(files) = files else {
        if !given.contains_key(RAD_SCORE) {
            return Err(lacking("image and mask".to_owned()).into());
        }
        let applied = model.apply(None, given)?;
        let notes = vec!["the Rad-score was given: no features were measured".to_owned()];
        let (measured, batches) = (Raw::new(), BTreeMap::new());
        return Ok(Predicted { applied, measured, regions: Vec::new(), notes, batches });
    };
    if given.contains_key(RAD_SCORE) {
        let why = "rad_score is given beside an image, which gives it: leave one of them out";
        return Err(Error::Request(why.to_owned()));
    }
    // What can be refused without measuring is refused first.
    let mut complete = given.clone();
    complete.insert(RAD_SCORE.to_owned(), "0.5".to_owned());
    model.apply(None, &complete)?;
    if !model.is_by_scanner() {
        model.file.rad_sources().into_iter().try_for_each(|source| source.batch(&model.file, given).map(drop))?;
    }
    if let Some(foreign) = files.slots.keys().find(|name| !name.is_empty() && !wanted.contains(&name.as_str())) {
        return Err(ModelError::Input { found: foreign.clone(), valid: wanted.join(", ") }.into());
    }
    let mut measured = Measured::default();
    for name in &wanted {
        let only = files.slots.get("").filter(|_| wanted.len() == 1);
        let pair = files.slots.get(*name).or(only).ok_or_else(|| lacking((*name).to_owned()))?;
        let slot = model.file.slot(name).expect("the slot was looked for when the file was opened");
        measured.add(model, slot, pair, files, job)?;
    }
    let Measured { values, checks, mut notes, scanners } = measured;
    let (mut given, mut batches) = (given.clone(), BTreeMap::new());
    for (slot, scanner) in scanners {
        let name = format!("{BATCH}.{slot}");
        if !given.contains_key(BATCH) && !given.contains_key(&name) {
            notes.push(format!("batch: {scanner}, as the image of {slot} says"));
            batches.insert(name.clone(), scanner.clone());
            given.insert(name, scanner);
        }
    }
    Ok(Predicted { applied: model.apply(Some(&values), &given)?, measured: values, regions: checks, notes, batches })
}

#[derive(Default)]
struct Measured {
    values: Raw,
    checks: Vec<(String, RegionCheck)>,
    notes: Vec<String>,
    /// Slot and scanner, for a model that asks.
    scanners: Vec<(String, String)>,
}

impl Measured {
    /// Measures the features of the Rad-score in one slot.
    fn add(
        &mut self,
        model: &Model,
        slot: &Slot,
        [image, mask]: &[PathBuf; 2],
        files: &Files,
        job: &Job,
    ) -> Result<(), Error> {
        let own = model.protocol(slot);
        let protocol = own.clone().set(files.reading.iter().map(String::as_str))?;
        let request = FeaturesRequest {
            image: image.clone(),
            mask: mask.clone(),
            series: files.series.clone(),
            structure: files.structure.clone(),
            label: files.label,
            channel: None,
            // All of them, as an extraction does: how far the image is prepared depends on the widest margin.
            rois: Roi::all(&protocol.roi),
            protocol,
            diagnostics: false,
        };
        let Pair { image, mask, reading, acquisition, .. } = read_pair(&request)?;
        let scanner = acquisition.as_ref().and_then(scanner).filter(|_| model.is_by_scanner());
        self.scanners.extend(scanner.map(|scanner| (slot.slot.clone(), scanner)));
        self.notes.extend(reading.sentences());
        if request.protocol.mask != own.mask {
            self.notes.push("the mask was read under other settings than the model's own".to_owned());
        }
        let checks = diagnose::regions(&image, &mask, &request.rois, &reading);
        let found = measure(&image, &mask, &request.rois, &request.protocol, job)?;
        let names = catalogue(&request.protocol.measured());
        let features = || model.file.rad_sources().into_iter().flat_map(|source| &source.features);
        let is_here = |it: &&FeaturePart| it.slot == slot.slot || it.earlier.as_ref() == Some(&slot.slot);
        let wanted: BTreeSet<&str> = features().filter(is_here).map(|it| it.region.as_str()).collect();
        for (region, check) in found.into_iter().zip(checks) {
            let name = region.roi.to_string();
            if !wanted.contains(name.as_str()) {
                continue;
            }
            let values = region.outcome.map_err(|source| Error::Region { roi: name.clone(), source })?;
            let known = names.iter().zip(values).filter_map(|(feature, value)| Some((feature, value?)));
            let place = |feature: &String| format!("{}.{name}.{feature}", slot.slot);
            let is_used = |input: &String| features().any(|it| it.inputs().contains(input));
            self.values.extend(known.map(|(feature, value)| (place(feature), value)).filter(|(it, _)| is_used(it)));
            self.checks.push((slot.slot.clone(), check));
        }
        Ok(())
    }
}

/// A prediction for people: the probability with what it is made of, the features, the region's check.
pub fn prediction_sheets(model: &Model, title: &str, predicted: &Predicted) -> Vec<Sheet> {
    let applied = &predicted.applied;
    let mut rows: Vec<Vec<Cell>> = applied
        .terms
        .iter()
        .map(|term| {
            let name = if term.filled { format!("{} (missing)", term.name) } else { term.name.clone() };
            let shap = Cell::Number { value: term.shap, digits: 3 };
            vec![words(name), Cell::Number { value: term.value, digits: 3 }, Cell::number(term.points, 1), shap]
        })
        .collect();
    rows.push(vec![words("total"), Cell::Empty, Cell::number(applied.total_points, 1), Cell::Empty]);
    let risk = Cell::Interval { estimate: applied.probability, low: applied.low, high: applied.high, digits: 3 };
    let label = format!("probability of {} (95 % CI)", model.event_label());
    rows.push(vec![words(label), risk, Cell::Empty, Cell::Empty]);
    let mut notes = vec![model.file.research_use_only.clone()];
    notes.extend(applied.warnings.iter().map(|warning| format!("warning: {warning}")));
    notes.extend(predicted.notes.iter().cloned());
    notes.push("interval: Wald's on the linear predictor, the Rad-score taken as known".to_owned());
    notes.push("SHAP: what the value adds to the log odds at the means of training patients".to_owned());
    let headings = ["Term", "Value", "Points", "SHAP"].map(str::to_owned).to_vec();
    let mut sheets =
        vec![Sheet { title: title.to_owned(), headings, rows, notes, provenance: provenance(&model.file) }];
    sheets.extend(applied.sources.iter().map(source_sheet));
    sheets.extend(predicted.regions.iter().map(|(slot, check)| region_sheet(slot, check)));
    sheets
}

fn source_sheet(source: &AppliedSource) -> Sheet {
    let row = |it: &AppliedFeature| {
        let number = |value: f64, digits| Cell::Number { value, digits };
        vec![words(&it.name), words(format!("{:.6e}", it.value)), number(it.z, 3), number(it.shap, 4)]
    };
    let limit =
        source.distance_p97_5.map_or(String::new(), |limit| format!("; 97.5 % of training patients within {limit:.2}"));
    let p = source.distance_p.map_or(String::new(), |p| format!("; P = {}", osteon_stats::stats::text::p_text(p)));
    Sheet {
        title: format!("Rad-score {:.4} ({})", source.score, source.name),
        headings: ["Feature", "Value", "z-score", "SHAP"].map(str::to_owned).to_vec(),
        rows: source.features.iter().map(row).collect(),
        notes: vec![
            format!("SHAP: path-dependent TreeSHAP on the Rad-score, from {:.4} on", source.base),
            format!("Mahalanobis distance to the training patients: {:.2}{limit}{p}", source.distance),
        ],
        provenance: Vec::new(),
    }
}

fn region_sheet(slot: &str, check: &RegionCheck) -> Sheet {
    let share =
        |share: Option<f64>| share.map_or(Cell::Empty, |share| Cell::Number { value: 100.0 * share, digits: 1 });
    let rows = vec![
        vec![words("voxels"), Cell::Count(check.voxels)],
        vec![words("volume, mm³"), Cell::Number { value: check.volume_mm3, digits: 1 }],
        vec![words("slices"), Cell::Count(check.slices)],
        vec![words("slices without the region between them"), Cell::Count(check.empty_slices)],
        vec![words("pieces"), Cell::Count(check.pieces)],
        vec![words("holes"), Cell::Count(check.holes)],
        vec![words("cut off by the image, %"), share(check.cut_share)],
        vec![words("in air, %"), share(check.air_share)],
    ];
    Sheet {
        title: format!("Check of the region {slot}.{}", check.roi),
        headings: ["What", "Value"].map(str::to_owned).to_vec(),
        rows,
        notes: Vec::new(),
        provenance: Vec::new(),
    }
}

/// A prediction for programs; `inputs` is a row that `references/apply_model.py` takes.
pub fn prediction_json(model: &Model, predicted: &Predicted, given: &BTreeMap<String, String>) -> Value {
    let mut inputs = serde_json::Map::new();
    for (name, value) in &predicted.measured {
        inputs.insert(name.clone(), json!(value));
    }
    for (name, text) in given.iter().chain(&predicted.batches) {
        let number = model.codebook.named(name).and_then(|variable| variable.read(text).ok().flatten());
        let value = match number.as_ref().and_then(crate::protocol::codebook::Value::number) {
            Some(number) => json!(number),
            None if name == RAD_SCORE => text.parse::<f64>().map_or(json!(text), |score| json!(score)),
            None => json!(text),
        };
        inputs.insert(name.clone(), value);
    }
    let mut document = serde_json::to_value(predicted).unwrap_or(Value::Null);
    document["inputs"] = Value::Object(inputs);
    document["event"] = json!(model.event_label());
    document["model"] = json!(model.file.sha256);
    document["use"] = json!(model.file.research_use_only);
    document
}
