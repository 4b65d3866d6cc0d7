//! The page that a reviewer reads first: what was compared, what was corrected, what it is worth.

use crate::pipeline::recipe::{CLINICAL, COMBINED};
use crate::protocol::learn::Learner;
use crate::report::page::{Block, Section};
use crate::report::performance::Scored;
use crate::report::sheet::{Cell, Sheet};
use crate::study::learn::performance::recipe;
use crate::study::pages::patient_pages::words;
use crate::study::{Error, ModelTable, Study};
use osteon_base::text::counted;
use osteon_stats::evaluate::calibration::calibration;
use osteon_stats::evaluate::judged::Judged;
use osteon_stats::evaluate::roc;
use osteon_stats::stats::text::fixed;

const HEADINGS: [&str; 8] = [
    "Model",
    "Expected in new patients: nested AUC (95% CI)",
    ".632+",
    "Harrell-corrected AUC",
    "Apparent AUC",
    "Test AUC (95% CI)",
    "Test calibration slope",
    "Test Brier",
];

impl Study {
    /// The first section of a report; `None` where nothing was learnt, or for a blind reader.
    pub(in crate::study) fn review_section(&self) -> Result<Option<Section>, Error> {
        if self.needs_response().is_err() || self.fitted()?.is_none() {
            return Ok(None);
        }
        let rows = match self.own_rows(ModelTable::Five, &self.events()?) {
            Ok((rows, ..)) => rows,
            Err(Error::NoFit | Error::NoSplit) => return Ok(None),
            Err(other) => return Err(other),
        };
        let models = self.store.models()?;
        let combined = models.iter().find(|model| model.name == COMBINED).ok_or(Error::NoFit)?;
        let compared = recipe(combined)?.validation.map(|it| it.compared).unwrap_or_default();
        let mut blocks = vec![Block::Text(self.compared_in_words(&rows, &compared)?)];
        blocks.push(Block::Sheet(self.told(Sheet {
            title: "Every model in one row".to_owned(),
            headings: HEADINGS.map(str::to_owned).to_vec(),
            rows: rows.iter().filter(|row| row.set == "training").map(|training| row(training, &rows)).collect(),
            notes: vec![
                "read from left to right: what a new patient can expect comes first, what the training patients show comes \
                 before the test set alone"
                    .to_owned(),
            ],
            provenance: self.provenance_of("fit")?,
        })?));
        let corrected = self.relearnt()?.map(|text| format!("What was corrected. For corrected values {text}."));
        blocks.extend(corrected.map(Block::Text));
        blocks.push(Block::Text(self.worth_in_words(&rows, &compared)?));
        blocks.extend(self.warnings_of_leakage()?);
        let told = [self.plan_in_words()?, self.first_look_in_words()?];
        let told: Vec<String> = told.into_iter().flatten().map(|text| format!("{text}.")).collect();
        if !told.is_empty() {
            blocks.push(Block::Text(told.join(" ")));
        }
        Ok(Some(Section { heading: "Summary for reviewers".to_owned(), blocks }))
    }

    fn compared_in_words(&self, rows: &[Scored], compared: &[Judged]) -> Result<String, Error> {
        let of = |set: &str| {
            let row = rows.iter().find(|row| row.set == set && row.model == CLINICAL);
            let events = row.map_or(0, |row| row.event.iter().filter(|&&event| event).count());
            format!("{} with {}", counted(row.map_or(0, |row| row.event.len()), "patient"), counted(events, "event"))
        };
        let names: Vec<String> = rows.iter().filter(|row| row.set == "training").map(|row| shown(&row.model)).collect();
        let mut text = format!(
            "What was compared. {} were learnt from {} and tested once in {}.",
            capitalised(&names.join(", ")),
            of("training"),
            of("test")
        );
        let rivals: Vec<&str> = compared
            .iter()
            .map(|it| it.name.as_str())
            .filter(|name| !rows.iter().any(|row| row.model == *name))
            .collect();
        if !rivals.is_empty() {
            text.push_str(&format!(
                " In the same folds of nested cross-validation: {} (osteon compare).",
                rivals.join(", ")
            ));
        }
        Ok(text)
    }

    fn worth_in_words(&self, rows: &[Scored], compared: &[Judged]) -> Result<String, Error> {
        let mut text = "What it is worth.".to_owned();
        let judged = |name: &str| compared.iter().find(|it| it.name == name);
        let auc = |it: &Judged| {
            it.auc.map(|auc| format!("{} ({} to {})", fixed(auc.auc, 3), fixed(auc.ci[0], 3), fixed(auc.ci[1], 3)))
        };
        match judged(COMBINED).and_then(|it| Some((it, it.auc?))) {
            Some((own, interval)) => {
                let others = [CLINICAL, "volume alone"].into_iter().filter_map(|name| {
                    Some(format!("{name} {}", auc(judged(name)?)?))
                });
                let others: Vec<String> = others.collect();
                let than = if others.is_empty() { String::new() } else { format!("; {}", others.join(", ")) };
                text.push_str(&format!(
                    " Combined model, by nested cross-validation: AUC {}{than}.",
                    auc(own).unwrap_or_default()
                ));
                text.push_str(match (interval.ci[0] > 0.5, interval.ci[1] < 0.5) {
                    (true, _) => " Its interval excludes 0.5.",
                    (_, true) => " Its interval lies below 0.5: low probabilities go with the event.",
                    _ => " Its interval includes 0.5: that it discriminates is not shown.",
                });
                if let Some(none) = judged("no model").and_then(|it| Some((own.brier?, it.brier?))) {
                    let better = if none.0 < none.1 { "below" } else { "not below" };
                    text.push_str(&format!(
                        " Its Brier score, {}, is {better} that of the share of events ({}).",
                        fixed(none.0, 3),
                        fixed(none.1, 3)
                    ));
                }
            }
            None => text.push_str(
                " No interval of what new patients can expect: it takes learn.n_repeats of at least 5 (preset recommended).",
            ),
        }
        let test = |name: &str| rows.iter().find(|row| row.set == "test" && row.model == name);
        if let (Some(first), Some(second)) = (test(COMBINED), test(CLINICAL))
            && first.kept == second.kept
            && let Some(pair) = roc::auc(&first.score, &first.event)
                .zip(roc::auc(&second.score, &second.event))
                .and_then(|(a, b)| roc::paired(&a, &b))
        {
            let p = pair.p.map_or_else(|| "no P value".to_owned(), |p| format!("P = {}", fixed(p, 3)));
            text.push_str(&format!(
                " In the test set its AUC differs from the clinical model's by {} ({p}, DeLong).",
                fixed(pair.difference, 3)
            ));
        }
        text.push_str(&format!(" Sample: {}.", self.size_in_words()?));
        Ok(text)
    }
}

/// One model: corrected, apparent and test values.
fn row(training: &Scored, rows: &[Scored]) -> Vec<Cell> {
    let known = &training.corrected;
    let nested = match (known.nested, known.nested_ci) {
        (Some(estimate), Some([low, high])) => Cell::Interval { estimate, low, high, digits: 3 },
        (nested, _) => Cell::number(nested, 3),
    };
    let test = rows.iter().find(|row| row.set == "test" && row.model == training.model);
    let auc = test.and_then(|test| roc::auc(&test.score, &test.event));
    let of_test = auc.map_or(Cell::Empty, |auc| {
        let [low, high] = auc.interval().0;
        Cell::Interval { estimate: auc.auc, low, high, digits: 3 }
    });
    let calibrated = test
        .filter(|test| test.score.iter().all(|p| (0.0..=1.0).contains(p)))
        .and_then(|test| calibration(&test.event, &test.score));
    let slope = calibrated.as_ref().and_then(|it| it.recalibration).map(|it| it.slope);
    vec![
        words(shown(&training.model)),
        nested,
        Cell::number(known.point_632_plus, 3),
        Cell::number(known.optimism, 3),
        Cell::number(known.in_sample, 3),
        of_test,
        Cell::number(slope, 3),
        Cell::number(calibrated.map(|it| it.brier), 3),
    ]
}

/// A model as a sentence calls it.
fn shown(name: &str) -> String {
    Learner::of(name).map_or(name, |learner| learner.label()).to_owned()
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
