//! Does a model file hold together: its hash, and every number that others determine, computed again.

use std::collections::BTreeMap;

use nalgebra::{DMatrix, SymmetricEigen};
use serde_json::Value;

use crate::model::build::finished;
use crate::model::canonical;
use crate::model::file::{LogisticPart, ModelFile, NumberSummary, Source, VariableSummary};
use crate::model::read::{Model, document, protocol, shape};
use osteon_radiomics::describe::catalogue;
use osteon_radiomics::roi::Roi;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    pub what: String,
    /// What was found wrong; empty where nothing was.
    pub wrong: Vec<String>,
}

/// Numbers that are computed again may differ by rounding of `exp` and `ln` between machines, relative to their size.
const ROUNDING: f64 = 1e-12;
/// Sums over the nodes of a tree, and eigenvalues, gather more.
const SUMS: f64 = 1e-9;

/// Looks at everything; a file that is no model gives one entry with the reason.
pub fn check(text: &str) -> Vec<Checked> {
    let mut done = Vec::new();
    let mut note = |what: &str, wrong: Vec<String>| done.push(Checked { what: what.to_owned(), wrong });
    let document = match document(text) {
        Ok(document) => document,
        Err(cause) => {
            note("format and version", vec![cause.to_string()]);
            return done;
        }
    };
    note("format and version", Vec::new());
    note("SHA-256 of the canonical form", hash(&document));
    let file = match shape(document) {
        Ok(file) => file,
        Err(cause) => {
            note("members and their types", vec![cause.to_string()]);
            return done;
        }
    };
    let model = match Model::of(file.clone()) {
        Ok(model) => model,
        Err(cause) => {
            note("members and their types", vec![cause.to_string()]);
            return done;
        }
    };
    note("members and their types", Vec::new());
    note("settings of images and their hash", settings(&file));
    note("forests", file.sources.iter().flat_map(forest).collect());
    note("covariances", covariances(&file));
    note("counts", counts(&file));
    note("means, SDs and percentiles", summaries(&file));
    if file.combat.is_some() {
        note("batches of harmonization", batches(&file));
    }
    note("performance", performance(&file));
    note("nomogram and examples, computed again", again(&model));
    done
}

fn hash(document: &Value) -> Vec<String> {
    let stated = document[canonical::HASH].as_str().unwrap_or("absent");
    let computed = canonical::hash(document);
    if stated == computed { Vec::new() } else { vec![format!("the file says {stated}, it is {computed}")] }
}

fn settings(file: &ModelFile) -> Vec<String> {
    let mut wrong = Vec::new();
    for slot in &file.slots {
        let Ok(protocol) = protocol(slot) else { continue };
        let computed = protocol.extraction_hash();
        if computed != slot.extraction_sha256 {
            wrong.push(format!(
                "{}: the settings have the hash {computed}, the file says {}",
                slot.slot, slot.extraction_sha256
            ));
        }
        let names = catalogue(&protocol.measured());
        let regions: Vec<String> = Roi::all(&protocol.roi).iter().map(Roi::to_string).collect();
        let own =
            |it: &&crate::model::file::FeaturePart| it.slot == slot.slot || it.earlier.as_ref() == Some(&slot.slot);
        for feature in file.sources.iter().flat_map(|source| &source.features).filter(own) {
            if !regions.contains(&feature.region) {
                wrong.push(format!("{}: no region of the settings ({})", feature.region, regions.join(", ")));
            }
            if !names.contains(&feature.feature) {
                wrong.push(format!("{}: the settings measure no {}", slot.slot, feature.feature));
            }
        }
    }
    wrong
}

/// A node's cover and value are those of its children together, and all leaves of a forest's trees weigh alike.
fn forest(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    if source.forest.trees.len() != source.setting.n_trees {
        let (found, expected) = (source.forest.trees.len(), source.setting.n_trees);
        wrong.push(format!("{}: {found} trees, the setting says {expected}", source.name));
    }
    for (at, tree) in source.forest.trees.iter().enumerate() {
        for (node, own) in tree.nodes.iter().enumerate() {
            let Some(split) = own.split else { continue };
            let (left, right) = (&tree.nodes[split.left], &tree.nodes[split.right]);
            let cover = left.cover + right.cover;
            let value = (left.cover * left.value + right.cover * right.value) / cover;
            if !near(cover, own.cover, SUMS) || !near(value, own.value, SUMS) {
                wrong.push(format!("{}: tree {at}, node {node} is not the sum of its children", source.name));
            }
        }
    }
    let own: Vec<&String> = source.features.iter().map(|feature| &feature.name).collect();
    if source.forest.features.iter().collect::<Vec<_>>() != own {
        wrong.push(format!("{}: the forest's features are others, or in another order", source.name));
    }
    wrong
}

fn covariances(file: &ModelFile) -> Vec<String> {
    let mut wrong = Vec::new();
    let parts = [("clinical", &file.clinical.covariance), ("combined", &file.combined.covariance)];
    let fusion = file.rad_score.fusion.as_ref().map(|part| ("rad_score.fusion", &part.covariance));
    let regions = file.sources.iter().map(|source| (source.name.as_str(), &source.covariance)).chain(fusion);
    for (name, matrix) in parts.into_iter().chain(regions) {
        let n = matrix.len();
        let largest = matrix.iter().flatten().fold(0.0, |most: f64, value| most.max(value.abs()));
        let is_symmetric = (0..n).all(|i| (0..i).all(|k| (matrix[i][k] - matrix[k][i]).abs() <= SUMS * largest));
        if !is_symmetric {
            wrong.push(format!("{name}: the covariance is not symmetric"));
            continue;
        }
        let values = SymmetricEigen::new(DMatrix::from_fn(n, n, |i, k| matrix[i][k])).eigenvalues;
        let most = values.iter().copied().fold(0.0, f64::max);
        if values.iter().any(|value| *value < -SUMS * most) {
            wrong.push(format!("{name}: the covariance has negative eigenvalues"));
        }
    }
    wrong
}

fn counts(file: &ModelFile) -> Vec<String> {
    let (mut wrong, mut differ) = (Vec::new(), Vec::new());
    let mut most = |name: &str, events: usize, n: usize, of: usize| {
        if events > n || n > of {
            wrong.push(format!("{name}: {events} events of {n} patients of {of}"));
        }
    };
    let of = file.training.n;
    most("training", file.training.n_events, of, of);
    for (name, part) in [("clinical", &file.clinical), ("combined", &file.combined)] {
        most(name, part.n_events, part.n + part.n_missing, of);
        let missing_events = file.training.n_events.saturating_sub(part.n_events);
        if part.n + part.n_missing != of || missing_events > part.n_missing {
            let n = part.n_events;
            differ.push(format!(
                "{name}: {n} events of {} patients and {} without values are not the {} of {of} in training",
                part.n, part.n_missing, file.training.n_events
            ));
        }
    }
    for source in &file.sources {
        most(&source.name, source.n_events, source.n, of);
    }
    most("rad_score", 0, file.rad_score.summary.n, of);
    for variable in &file.training.variables {
        match variable {
            VariableSummary::Number { name, summary, .. } => most(name, 0, summary.n, of),
            VariableSummary::Levels { name, n, .. } => most(name, 0, *n, of),
        }
    }
    for row in &file.performance {
        most(&format!("{} in {}", row.model, row.set), row.n_events, row.n, row.n);
    }
    [wrong, differ].concat()
}

fn summaries(file: &ModelFile) -> Vec<String> {
    let mut wrong = Vec::new();
    for variable in &file.training.variables {
        match variable {
            VariableSummary::Number { name, summary, .. } => wrong.extend(ordered(name, summary)),
            VariableSummary::Levels { name, n, levels } => {
                let sum: f64 = levels.iter().map(|level| level.share).sum();
                if *n > 0 && !near(sum, 1.0, SUMS) || levels.iter().any(|level| !(0.0..=1.0).contains(&level.share)) {
                    wrong.push(format!("{name}: the proportions of its levels add up to {sum}"));
                }
            }
        }
    }
    wrong.extend(ordered("rad_score", &file.rad_score.summary));
    let parts: [(&str, &LogisticPart); 2] = [("clinical", &file.clinical), ("combined", &file.combined)];
    for (name, part) in parts {
        for term in part.terms.iter().filter(|term| term.p2_5 > term.p97_5) {
            wrong.push(format!("{name}: the percentiles of {} are in the wrong order", term.name));
        }
    }
    for source in &file.sources {
        for feature in source.features.iter().filter(|feature| feature.p2_5 > feature.p97_5) {
            wrong.push(format!("{}: the percentiles of {} are in the wrong order", source.name, feature.name));
        }
        // z-scores are divided by the SD with n, their covariance by n - 1: each diagonal is n / (n - 1) where the
        // source's own patients made the scaling.
        let n = source.n as f64;
        let off = (0..source.features.len()).find(|&at| !near(source.covariance[at][at], n / (n - 1.0), 1e-6));
        if let Some(at) = off.filter(|_| source.n > 1) {
            let name = &source.features[at].name;
            wrong.push(format!("{}: the variance of {name} does not fit its SD", source.name));
        }
    }
    wrong
}

/// Training patients of the batches are those of the source, and the codes of one source differ.
fn batches(file: &ModelFile) -> Vec<String> {
    let mut wrong = Vec::new();
    for (source, combat) in file.sources.iter().filter_map(|source| Some((source, source.combat.as_ref()?))) {
        let own = || combat.batches.iter().filter_map(|batch| Some((batch.n, batch.n_events?)));
        let (n, events) = own().fold((0, 0), |(n, events), it| (n + it.0, events + it.1));
        if (n, events) != (source.n, source.n_events) {
            let (all, with) = (source.n, source.n_events);
            wrong.push(format!(
                "{}: {events} events of {n} patients in its batches, {with} of {all} in all",
                source.name
            ));
        }
        let codes: std::collections::BTreeSet<&str> = combat.batches.iter().map(|batch| batch.code.as_str()).collect();
        if codes.len() < combat.batches.len() {
            wrong.push(format!("{}: two batches have one code", source.name));
        }
        let known = |name: &str| file.slots.iter().any(|slot| slot.slot == name);
        wrong.extend(
            combat.slots.iter().filter(|slot| !known(slot)).map(|slot| format!("{}: no slot {slot}", source.name)),
        );
        for part in &combat.reference {
            let measured = source.features.iter().filter(|it| it.slot == part.slot && it.region == part.region);
            let lost = measured.filter(|it| (it.change, &it.earlier) == (part.change, &part.earlier));
            wrong.extend(
                lost.filter(|it| !part.features.contains(&it.feature))
                    .map(|it| format!("{}: {} was not harmonized", source.name, it.name)),
            );
        }
    }
    wrong
}

fn ordered(name: &str, summary: &NumberSummary) -> Option<String> {
    let NumberSummary { p2_5, q1, median, q3, p97_5, sd, .. } = *summary;
    let points: Vec<f64> = [p2_5, q1, median, q3, p97_5].into_iter().flatten().collect();
    let fits = points.is_sorted() && sd.is_none_or(|sd| sd >= 0.0);
    (!fits).then(|| format!("{name}: percentiles in the wrong order, or a negative SD"))
}

fn performance(file: &ModelFile) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in &file.performance {
        let name = format!("{} in {}", row.model, row.set);
        let shares = [row.auc, row.auc_low, row.auc_high, row.brier, row.apparent_auc, row.corrected_auc];
        if shares.iter().flatten().any(|share| !(0.0..=1.0).contains(share)) {
            wrong.push(format!("{name}: an AUC or Brier score is not from 0 to 1"));
        }
        if row.auc < row.auc_low || row.auc_high < row.auc {
            wrong.push(format!("{name}: the AUC is outside its interval"));
        }
    }
    wrong
}

/// The nomogram from the coefficients, and the examples from everything.
fn again(model: &Model) -> Vec<String> {
    let file = &model.file;
    let made = match finished(file.clone()) {
        Ok(made) => made,
        Err(cause) => return vec![cause.to_string()],
    };
    let mut wrong = Vec::new();
    compare("nomogram", &value(&made.nomogram), &value(&file.nomogram), &mut wrong);
    let by_name: BTreeMap<&str, _> = made.examples.iter().map(|it| (it.name.as_str(), it)).collect();
    for example in &file.examples {
        match by_name.get(example.name.as_str()) {
            Some(own) => compare(&format!("example {}", example.name), &value(*own), &value(example), &mut wrong),
            None => wrong.push(format!("example {}: not one of the three that a file has", example.name)),
        }
    }
    if file.examples.len() != made.examples.len() {
        wrong.push(format!("{} examples, expected {}", file.examples.len(), made.examples.len()));
    }
    wrong
}

fn value(of: &impl serde::Serialize) -> Value {
    serde_json::to_value(of).expect("a part of a model is plain data")
}

/// Names the first place where two documents differ by more than rounding.
fn compare(place: &str, own: &Value, stated: &Value, wrong: &mut Vec<String>) {
    let before = wrong.len();
    match (own, stated) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            if !near(a, b, ROUNDING) {
                wrong.push(format!("{place}: the file says {b}, computed again it is {a}"));
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{place}[{at}]"), a, b, wrong);
                if wrong.len() > before {
                    return;
                }
            }
        }
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
            for (name, a) in a {
                compare(&format!("{place}.{name}"), a, b.get(name).unwrap_or(&Value::Null), wrong);
                if wrong.len() > before {
                    return;
                }
            }
        }
        _ if own == stated => (),
        _ => wrong.push(format!("{place}: the file says {stated}, computed again it is {own}")),
    }
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}
