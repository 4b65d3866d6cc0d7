//! A model as a person reads it: what it is for, whom it was learnt from, how well it does, where it must not be used.

use crate::model::file::{LogisticPart, ModelFile, Slot, VariableSummary};
use crate::model::read::Model;
use crate::pipeline::learn::RAD_SCORE;
use crate::report::page::{Block, Page, Section};
use crate::report::sheet::{Cell, Sheet};
use osteon_base::text::counted;

/// The card of a model.
pub fn card(model: &Model) -> Page {
    let file = &model.file;
    Page {
        title: format!("Model card: probability of {}", file.outcome.event_label),
        first: vec![file.research_use_only.clone()],
        sections: vec![
            use_section(model),
            population(model),
            inputs(model),
            equation(model),
            performance(file),
            limits(file),
        ],
        provenance: provenance(file),
    }
}

/// Where the numbers come from.
pub fn provenance(file: &ModelFile) -> Vec<String> {
    let mut lines = vec![
        format!("model: {}", file.sha256),
        format!("protocol: {}", file.origin.protocol_sha256),
        format!("trail head: {}", file.origin.trail_head),
        format!("fitted: {} (osteon {})", file.origin.fitted_at, file.origin.fitted_by),
    ];
    lines.extend(file.parent.as_ref().map(|parent| {
        format!(
            "parent: {} ({}, {}, {} with the event)",
            parent.sha256,
            parent.update.name,
            counted(parent.n, "patient"),
            parent.n_events
        )
    }));
    lines
}

fn section(heading: &str, blocks: Vec<Block>) -> Section {
    Section { heading: heading.to_owned(), blocks }
}

fn words(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

fn sheet(title: &str, headings: &[&str], rows: Vec<Vec<Cell>>, notes: Vec<String>) -> Block {
    let headings = headings.iter().map(|&heading| heading.to_owned()).collect();
    Block::Sheet(Sheet { title: title.to_owned(), headings, rows, notes, provenance: Vec::new() })
}

fn use_section(model: &Model) -> Section {
    let file = &model.file;
    let outcome = &file.outcome;
    let text = format!(
        "Estimates the probability of {} ({}) against {} for one patient from images ({}), a tumor mask and clinical values. \
         Intended for research on prediction models: external validation, comparison, updating.",
        outcome.event_label,
        outcome.event,
        outcome.other_label,
        file.slots.iter().map(named).collect::<Vec<_>>().join("; ")
    );
    let mut rest = file.research_use_only.clone();
    rest.replace_range(..1, &rest[..1].to_uppercase());
    section("Intended use", vec![Block::Text(text), Block::Warning(format!("{rest}."))])
}

fn named(slot: &Slot) -> String {
    let parts = [&slot.modality, &slot.sequence, &slot.timepoint];
    let told: Vec<&str> = parts.iter().map(|part| part.as_str()).filter(|part| !part.is_empty()).collect();
    if told.is_empty() { slot.slot.clone() } else { format!("{}: {}", slot.slot, told.join(", ")) }
}

fn population(model: &Model) -> Section {
    let training = &model.file.training;
    let text = format!(
        "{}, {} with the event ({}).",
        counted(training.n, "training patient"),
        training.n_events,
        model.event_label()
    );
    let mut rows = Vec::new();
    for variable in &training.variables {
        match variable {
            VariableSummary::Number { name, unit, summary } => {
                let label = if unit.is_empty() { name.clone() } else { format!("{name}, {unit}") };
                let mean = match (summary.mean, summary.sd) {
                    (Some(mean), Some(sd)) => Cell::MeanSd { mean, sd, digits: 2 },
                    _ => Cell::Empty,
                };
                let median = match (summary.median, summary.q1, summary.q3) {
                    (Some(median), Some(q1), Some(q3)) => Cell::MedianIqr { median, q1, q3, digits: 2 },
                    _ => Cell::Empty,
                };
                rows.push(vec![words(label), Cell::Count(summary.n), mean, median, range(summary.p2_5, summary.p97_5)]);
            }
            VariableSummary::Levels { name, n, levels } => {
                rows.push(vec![words(name), Cell::Count(*n), Cell::Empty, Cell::Empty, Cell::Empty]);
                for level in levels {
                    let of = Cell::Level { of: name.clone(), level: level.level.clone() };
                    let share = Cell::Number { value: 100.0 * level.share, digits: 1 };
                    rows.push(vec![of, Cell::Empty, share, Cell::Empty, Cell::Empty]);
                }
            }
        }
    }
    let headings = ["Variable", "Patients", "Mean ± SD or percent", "Median [Q1–Q3]", "2.5th–97.5th percentile"];
    let notes = vec!["quantiles of type 7; no extreme value is in the file".to_owned()];
    section("Population", vec![Block::Text(text), sheet("Training patients", &headings, rows, notes)])
}

fn range(low: Option<f64>, high: Option<f64>) -> Cell {
    match (low, high) {
        (Some(low), Some(high)) => Cell::Range { low, high, digits: 2 },
        _ => Cell::Empty,
    }
}

fn inputs(model: &Model) -> Section {
    let names = model.inputs();
    let row = |name: &&str| {
        if *name == RAD_SCORE {
            return vec![words(RAD_SCORE), words("from image and mask"), words("a probability, 0 to 1"), Cell::Empty];
        }
        if model.batch_inputs().iter().any(|own| own == name) {
            let (label, values, missing) = batch_row(model);
            return vec![words(*name), words(label), words(values), words(missing)];
        }
        let variable = model.codebook.named(name);
        let expected = variable.map(|it| it.expected()).unwrap_or_default();
        let label = variable.map(|it| it.heading()).unwrap_or_default();
        let fill =
            model.file.combined.terms.iter().filter(|term| term.variable == **name).all(|term| term.fill.is_some());
        vec![words(*name), words(label), words(expected), words(if fill { "may be missing" } else { "needed" })]
    };
    let rows = names.iter().map(String::as_str).collect::<Vec<_>>().iter().map(row).collect();
    let clinical = sheet("Inputs", &["Name", "Label", "Values", "Missing"], rows, Vec::new());
    let mut measured = Vec::new();
    let used: Vec<&str> = model.file.rad_sources().into_iter().map(|source| source.name.as_str()).collect();
    for source in &model.file.sources {
        let is_used = used.contains(&source.name.as_str());
        measured.push(vec![
            words(&source.name),
            Cell::Count(source.features.len()),
            Cell::Count(source.setting.n_trees),
            Cell::Count(source.n),
            words(if is_used { "gives the Rad-score" } else { "for comparison" }),
        ]);
    }
    let slots = model.file.slots.iter().map(|slot| {
        let is_used = model.file.rad_slots().contains(&slot.slot.as_str());
        let used = if is_used { "image and mask needed" } else { "for comparison" };
        vec![words(&slot.slot), words(named(slot)), words(&slot.unit), words(used)]
    });
    let slots = sheet("Images", &["Slot", "Image", "Unit", "Use"], slots.collect(), Vec::new());
    let sources = sheet("Sources", &["Source", "Features", "Trees", "Training patients", "Use"], measured, Vec::new());
    let mut blocks = vec![clinical, slots, sources];
    for source in model.file.rad_sources() {
        let features = source.features.iter().map(|feature| {
            let text = |value: f64| words(format!("{value:.4e}"));
            let weight = Cell::Number { value: feature.weight, digits: 4 };
            vec![words(&feature.name), text(feature.mean), text(feature.sd), weight]
        });
        let title = format!("Features of the Rad-score ({})", source.name);
        blocks.push(sheet(&title, &["Feature", "Mean", "SD", "LASSO weight"], features.collect(), Vec::new()));
    }
    blocks.extend(batches(model));
    section("Inputs", blocks)
}

/// What the input `batch` is, what it may be, and whether it may be missing.
fn batch_row(model: &Model) -> (String, &'static str, &'static str) {
    let by = model.file.combat.as_ref().map_or("", |part| part.by.as_str());
    match model.is_by_scanner() {
        true => ("scanner of the image".to_owned(), "a batch of the list below", "as the DICOM image tells it"),
        false => (format!("batch ({by})"), "a batch of the list below, by its name or code", "needed"),
    }
}

/// The batches that the features were harmonized for.
fn batches(model: &Model) -> Option<Block> {
    let part = model.file.combat.as_ref()?;
    let mut rows = Vec::new();
    for source in model.file.rad_sources() {
        for batch in source.combat.iter().flat_map(|combat| &combat.batches) {
            rows.push(vec![
                words(&source.name),
                words(batch.shown()),
                Cell::Count(batch.n),
                batch.n_events.map_or(words("had no part"), Cell::Count),
            ]);
        }
    }
    let kept = match part.covariates.as_slice() {
        [] => String::new(),
        names => format!(", effects of {} kept", names.join(", ")),
    };
    let mut notes = vec![format!(
        "features are harmonized by ComBat ({} empirical Bayes, batches by {}{kept}); another batch is refused, and estimated \
         by osteon validate --update batch; ComBat was not designed for training and test",
        if part.prior == Default::default() { "parametric" } else { "non-parametric" },
        part.by
    )];
    if !model.is_by_scanner() {
        notes.push("a code stands for a name that does not travel; whoever knows the name gives it".to_owned());
    }
    Some(sheet("Batches", &["Source", "Batch", "Patients", "Events"], rows, notes))
}

fn equation(model: &Model) -> Section {
    let mut rows = Vec::new();
    let fusion = model.file.rad_score.fusion.as_ref().map(|part| ("radiomics", part));
    let parts = [("clinical", &model.file.clinical), ("combined", &model.file.combined)];
    for (name, part) in parts.into_iter().chain(fusion) {
        rows.extend(coefficients(name, part));
    }
    let title = "Logistic models";
    let notes = vec![
        "log odds of the event: the intercept and the sum of coefficients times values; a level counts 1 for patients who \
         have it"
            .to_owned(),
    ];
    section("Equation", vec![sheet(title, &["Model", "Term", "Coefficient", "SE"], rows, notes)])
}

fn coefficients(name: &str, part: &LogisticPart) -> Vec<Vec<Cell>> {
    let se =
        |at: usize| Cell::number(part.covariance.get(at).and_then(|row| row.get(at)).map(|v| v.max(0.0).sqrt()), 5);
    let row =
        |at: usize, term: &str, value: f64| vec![words(name), words(term), Cell::Number { value, digits: 5 }, se(at)];
    let terms = part.terms.iter().enumerate().map(|(at, term)| row(at + 1, &term.name, term.coefficient));
    std::iter::once(row(0, "intercept", part.intercept)).chain(terms).collect()
}

fn performance(file: &ModelFile) -> Section {
    let row = |it: &crate::model::file::Performance| {
        let auc = match (it.auc, it.auc_low, it.auc_high) {
            (Some(estimate), Some(low), Some(high)) => Cell::Interval { estimate, low, high, digits: 3 },
            (auc, ..) => Cell::number(auc, 3),
        };
        vec![
            words(&it.set),
            words(&it.model),
            Cell::Count(it.n),
            Cell::Count(it.n_events),
            auc,
            Cell::number(it.apparent_auc, 3),
            Cell::number(it.corrected_auc, 3),
            Cell::number(it.brier, 3),
            Cell::number(it.calibration_intercept, 3),
            Cell::number(it.calibration_slope, 3),
        ]
    };
    let headings = [
        "Set",
        "Model",
        "Patients",
        "Events",
        "AUC (95 % CI)",
        "AUC apparent",
        "AUC bootstrap-corrected",
        "Brier",
        "Calibration intercept",
        "Calibration slope",
    ];
    let is_external = |it: &&crate::model::file::Performance| !["training", "test"].contains(&it.set.as_str());
    let external = match file.performance.iter().filter(is_external).count() {
        0 => "External: none is recorded in this file; osteon validate makes one.".to_owned(),
        _ => "External cohorts stand below the study's own sets.".to_owned(),
    };
    let notes = vec!["AUC: DeLong's interval; training probabilities of models with a Rad-score are out of fold where the file says so".to_owned()];
    let rows = file.performance.iter().map(row).collect();
    section("Performance", vec![Block::Text(external), sheet("Performance", &headings, rows, notes)])
}

fn limits(file: &ModelFile) -> Section {
    let smaller = file.combined.n_events.min(file.combined.n - file.combined.n_events.min(file.combined.n));
    let mut told = vec![format!(
        "{} of the smaller class stand behind {} and a Rad-score that was selected from {} features.",
        counted(smaller, "training patient"),
        counted(file.combined.terms.len(), "coefficient"),
        file.rad_sources().into_iter().map(|source| source.n_candidates).sum::<usize>()
    )];
    told.push(
        "Not for patients whose inputs are outside the ranges above, for other sequences or scanners without validation, or \
         for other units. The interval of a probability covers the coefficients alone: the Rad-score is taken as known."
            .to_owned(),
    );
    if file.combined.firth || file.clinical.firth {
        told.push("Terms separated the events: coefficients are by Firth's penalized likelihood.".to_owned());
    }
    if let Some(parent) = &file.parent {
        told.push(format!(
            "Updated ({}) on {}: performance there is apparent.",
            parent.update.name,
            counted(parent.n, "patient")
        ));
    }
    section("Limits", told.into_iter().map(Block::Text).collect())
}
