//! What the newest fit of a time to event is worth: performance, resampling, hazard ratios, risk groups.

use std::collections::BTreeMap;

use crate::pipeline::recipe::{CLINICAL, COMBINED, RADIOMICS};
use crate::pipeline::timed::learn::FOREST;
use crate::pipeline::timed::recipe::{Learnt, Stored};
use crate::pipeline::timed::validate;
use crate::report::clinical::table_1_of;
use crate::report::curves::{Curves, CurvesOf};
use crate::report::differences::Asked;
use crate::report::figure::{Figure, Paper};
use crate::report::prognosis::{self, Judged};
use crate::report::sheet::{Cell, Sheet};
use crate::store::{Origin, PatientId, Prediction, Side};
use crate::study::learn::timed::{KIND, Prognosis};
use crate::study::report::figure::title_of;
use crate::study::trust::standing::doubted;
use crate::study::{Error, Study};
use osteon_stats::survival::follow_up::FollowUp;
use osteon_stats::survival::kaplan_meier::Interval;

/// The models that are compared, in their order.
const MODELS: [&str; 4] = [CLINICAL, RADIOMICS, COMBINED, FOREST];
const SETS: [(Side, &str); 2] = [(Side::Train, "training"), (Side::Test, "test")];
/// A group of a calibration table holds so many patients, about.
pub(in crate::study) const CALIBRATED: usize = 15;

impl Study {
    /// Sheets of the newest fit of a time to event: performance in both sets, resampling, hazard ratios, regions,
    /// calibration and decision curve at the last horizon, and curves of the risk groups.
    pub fn prognosis_sheets(&self, outcome: Option<&str>) -> Result<Vec<Sheet>, Error> {
        let found = self.prognosis(outcome)?;
        let stored = &found.models.first().ok_or(Error::NoFit)?.1;
        let (horizons, unit) = (stored.horizons.clone(), stored.unit.clone());
        let name = format!("{}: {} over {unit}", found.outcome.name, found.outcome.event_label);
        let rows = judged(&found, &horizons);
        let mut sheets = vec![prognosis::performance(format!("Models of {name}"), &horizons, &rows)];
        if rows.iter().any(|row| row.set == "training") && is_out_of_fold(&found) {
            sheets[0].notes.push(
                "training: Rad-scores of radiomics and combined are out-of-fold; those of the forest are of trees that \
                 saw the patients"
                    .to_owned(),
            );
        }
        sheets[0].notes.extend(stored.left_out.iter().cloned());
        let of_models = found.models.iter().filter(|(name, ..)| MODELS.contains(&name.as_str()));
        sheets[0].notes.extend(of_models.flat_map(|(name, stored, _)| stored.unscored_in_words(name)));
        sheets.push(resampling(&found, &horizons));
        sheets.extend(self.hazard_sheets(&found));
        sheets.push(self.regions_of(&found));
        let test: Vec<&Judged> = rows.iter().filter(|row| row.set == "test").collect();
        if let Some(&last) = horizons.last() {
            let combined = test.iter().find(|row| row.model == COMBINED);
            if let Some((row, Some(survival))) = combined.map(|row| (row, row.survival.last().cloned().flatten())) {
                let n_groups = (row.follow_up.len() / CALIBRATED).clamp(2, 10);
                let title = format!("Calibration of the combined model at {last} {unit}, test");
                sheets.push(prognosis::calibration(title, &row.follow_up, &survival, last, n_groups));
            }
            sheets.push(prognosis::decision(
                format!("Decision curves at {last} {unit}, test"),
                horizons.len() - 1,
                last,
                &test,
            ));
        }
        for (side, set) in SETS {
            if let Some(curves) = risk_curves(&found, side) {
                let mut own = curves.sheets(format!("Risk groups of the combined model, {set}"));
                own[0].notes.push("high risk: above the median of the training patients".to_owned());
                sheets.extend(own);
            }
        }
        let provenance = self.provenance_of(KIND)?;
        for sheet in &mut sheets {
            sheet.provenance.clone_from(&provenance);
        }
        if let Some(doubt) = &found.doubt {
            sheets[0].title = format!("{doubt}: {}", sheets[0].title);
        }
        Ok(sheets)
    }

    /// The performance of the models, for a page; what to do where there are none.
    pub fn prognosis_page(&self, outcome: Option<&str>) -> Result<Sheet, Error> {
        Ok(self.prognosis_sheets(outcome)?.swap_remove(0))
    }

    /// Table 1 of the patients whose time is known: by their event, or by the risk groups of the combined model.
    pub fn table_1_of_time(&self, outcome: Option<&str>, by_risk: bool, asked: Asked) -> Result<Sheet, Error> {
        let chosen = self.timed_outcome(outcome)?;
        let (known, lost) = self.passed(chosen)?;
        let event: BTreeMap<String, bool> = match by_risk {
            false => known.iter().map(|(patient, passed)| (patient.code.clone(), passed.cause == 1)).collect(),
            true => {
                let high = high_risk(&self.prognosis(outcome)?);
                known.iter().filter_map(|(it, _)| Some((it.code.clone(), *high.get(&it.id)?))).collect()
            }
        };
        let cohort = self.cohort()?;
        let second: Vec<Option<bool>> = cohort.rows().iter().map(|code| event.get(code).copied()).collect();
        let groups = if by_risk { ["low risk", "high risk"] } else { [&*chosen.other_label, &*chosen.event_label] };
        let by = if by_risk { "risk group" } else { "event" };
        let title = format!("Table 1. Clinical characteristics by {by}, {}", chosen.name);
        let (book, params) = (&*self.protocol.codebook, &self.protocol.compare);
        let (mut sheet, _) = table_1_of(book, &cohort, groups, &second, title, params, asked)?;
        sheet.notes.extend(lost);
        sheet.notes.push(match by_risk {
            true => "risk groups: below and above the median risk of the training patients; training patients by \
                     out-of-fold scores where the protocol says so"
                .to_owned(),
            false => {
                "patients without the event were followed for different times: groups are a description, P values \
                      do not heed when the event came"
                    .to_owned()
            }
        });
        sheet.provenance = self.provenance()?;
        Ok(sheet)
    }

    /// Curves of the risk groups of the combined model in both sets; none where there is no such model.
    pub(in crate::study) fn risk_figures(&self, outcome: &str, paper: &Paper) -> Result<Vec<Figure>, Error> {
        let found = match self.prognosis(Some(outcome)) {
            Ok(found) => found,
            Err(Error::NoResult { .. } | Error::NoSplit) => return Ok(Vec::new()),
            Err(other) => return Err(other),
        };
        let unit = found.models.first().map_or_else(String::new, |(_, stored, _)| stored.unit.clone());
        let one = |(side, set): (Side, &str)| {
            let mut figure = risk_curves(&found, side)?.figure(&format!("{outcome} ({unit})"), paper);
            figure.caption = format!(
                "{} Risk groups of the combined model in the {set} set: below and above the median risk of the \
                 training patients.",
                figure.caption
            );
            Some(doubted(figure, found.doubt.clone()))
        };
        Ok(SETS.into_iter().filter_map(one).collect())
    }

    /// Hazard ratios of the clinical and the combined model.
    fn hazard_sheets(&self, found: &Prognosis) -> Vec<Sheet> {
        let of = |(name, stored, _): &(String, Stored, Vec<Prediction>)| {
            let hazard = stored.hazard().filter(|_| MODELS.contains(&name.as_str()))?;
            let row = |at: usize| {
                let (ratio, p) = match hazard.ratio(at) {
                    Some(([estimate, low, high], p)) => (Cell::Interval { estimate, low, high, digits: 2 }, Cell::P(p)),
                    None => (Cell::Empty, Cell::Empty),
                };
                vec![Cell::Text(hazard.terms[at].clone()), ratio, p]
            };
            let mut notes = vec![format!("{} training patients, {} events", hazard.n, hazard.n_events)];
            notes.extend(hazard.left_out());
            notes.extend(hazard.notes.clone());
            Some(Sheet {
                title: format!("Cox model: {name}"),
                headings: ["Term", "HR (95% CI)", "P"].map(str::to_owned).to_vec(),
                rows: (0..hazard.terms.len()).map(row).collect(),
                notes,
                provenance: Vec::new(),
            })
        };
        found.models.iter().filter_map(of).collect()
    }

    /// What each region kept.
    fn regions_of(&self, found: &Prognosis) -> Sheet {
        let all = self.protocol.all_sources();
        let title = |name: &str| all.iter().find(|it| it.name == name).map_or_else(|| name.to_owned(), title_of);
        let mut notes = vec![
            "C: Harrell's, of out-of-fold Rad-scores in training; the region with the largest gives the Rad-score"
                .to_owned(),
        ];
        let row = |(name, stored, _): &(String, Stored, Vec<Prediction>)| {
            let (n, c, words) = match &stored.learnt {
                Learnt::Region { model, c, .. } => {
                    let mut words: Vec<String> = model.features.clone();
                    words.truncate(5);
                    let more = model.features.len().saturating_sub(words.len());
                    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                    let alone = if model.fell_back { "LASSO kept nothing; the first of mRMR alone: " } else { "" };
                    (
                        Cell::Count(model.features.len()),
                        Cell::number(*c, 3),
                        format!("{alone}{}{more}", words.join(", ")),
                    )
                }
                Learnt::NoRegion { error, .. } => (Cell::Empty, Cell::Empty, error.clone()),
                _ => return None,
            };
            Some(vec![Cell::Text(title(name)), n, c, Cell::Text(words)])
        };
        let rows = found.models.iter().filter_map(row).collect();
        notes.extend(
            found
                .models
                .iter()
                .flat_map(|(name, stored, _)| stored.notes.iter().map(move |note| format!("{name}: {note}"))),
        );
        let headings = ["Region", "Features", "C", "Chosen by LASSO"].map(str::to_owned).to_vec();
        Sheet { title: "Regions".to_owned(), headings, rows, notes, provenance: Vec::new() }
    }
}

/// The times and predictions of a set, in the order of the patients' ids.
fn of_set(found: &Prognosis, predictions: &[Prediction], side: Side) -> Option<(FollowUp, Vec<Prediction>)> {
    // Where scores of the other folds are told, a training patient without one has none: the fitted one saw the patient.
    let has_folds = side == Side::Train && predictions.iter().any(|one| one.origin == Origin::OutOfFold);
    let wanted = if has_folds { Origin::OutOfFold } else { Origin::Fitted };
    let of_set = predictions.iter().filter(|one| one.origin == wanted && found.sides.get(&one.patient) == Some(&side));
    let own: BTreeMap<PatientId, &Prediction> = of_set.map(|one| (one.patient, one)).collect();
    let known: Vec<(&Prediction, _)> =
        own.into_values().filter_map(|one| Some((one, found.passed.get(&one.patient)?))).collect();
    let times = known.iter().map(|(_, passed)| passed.time).collect();
    let events = known.iter().map(|(_, passed)| passed.cause == 1).collect();
    let follow_up = FollowUp::right_censored(times, events).ok()?;
    Some((follow_up, known.into_iter().map(|(one, _)| one.clone()).collect()))
}

pub(in crate::study) fn is_out_of_fold(found: &Prognosis) -> bool {
    found.models.iter().any(|(_, _, predictions)| predictions.iter().any(|one| one.origin == Origin::OutOfFold))
}

pub(in crate::study) fn judged(found: &Prognosis, horizons: &[f64]) -> Vec<Judged> {
    let mut rows = Vec::new();
    for (side, set) in SETS {
        for name in MODELS {
            let Some((_, stored, predictions)) = found.models.iter().find(|(own, ..)| own == name) else { continue };
            let Some((follow_up, own)) = of_set(found, predictions, side) else { continue };
            let risk: Vec<f64> = own.iter().map(|one| one.linear.unwrap_or(0.0)).collect();
            let last = horizons.len().saturating_sub(1);
            let survival = |(at, &time): (usize, &f64)| match stored.hazard() {
                Some(hazard) => Some(risk.iter().map(|&risk| hazard.survival(risk, time)).collect()),
                None if at == last => Some(own.iter().map(|one| 1.0 - one.probability).collect()),
                None => None,
            };
            let survival = horizons.iter().enumerate().map(survival).collect();
            rows.push(Judged {
                model: name.to_owned(),
                set: set.to_owned(),
                follow_up,
                survival,
                is_hazard: stored.hazard().is_some(),
                risk,
            });
        }
    }
    rows
}

/// Optimism and nested cross-validation of the models, one row a model and metric.
fn resampling(found: &Prognosis, horizons: &[f64]) -> Sheet {
    let names = validate::names(horizons);
    let mut rows = Vec::new();
    for name in MODELS {
        let Some((_, stored, _)) = found.models.iter().find(|(own, ..)| own == name) else { continue };
        for (at, metric) in names.iter().enumerate() {
            let optimism = stored.validation.optimism.get(at).copied().flatten();
            let nested: Vec<f64> = stored.validation.nested.iter().filter_map(|repeat| repeat[at]).collect();
            let mean = (!nested.is_empty()).then(|| nested.iter().sum::<f64>() / nested.len() as f64);
            rows.push(vec![
                Cell::Text(name.to_owned()),
                Cell::Text(metric.clone()),
                Cell::number(optimism.map(|it| it.apparent), 3),
                Cell::number(optimism.map(|it| it.optimism), 3),
                Cell::number(optimism.map(|it| it.corrected), 3),
                Cell::number(mean, 3),
            ]);
        }
    }
    let mut notes = Vec::new();
    if let Some((_, stored, _)) = found.models.first() {
        let validation = &stored.validation;
        notes.push(format!(
            "the entire modelling pipeline was refitted in {} bootstrap samples of the training patients, {} of which \
             could be learnt from; nested cross-validation was repeated {} times",
            validation.samples,
            validation.used,
            validation.nested.len()
        ));
    }
    let headings = ["Model", "Metric", "Apparent", "Optimism", "Corrected", "Nested cross-validation"];
    let headings = headings.map(str::to_owned).to_vec();
    Sheet { title: "Resampling".to_owned(), headings, rows, notes, provenance: Vec::new() }
}

/// Whether a patient's risk under the combined model is above the median of the training patients.
fn high_risk(found: &Prognosis) -> BTreeMap<PatientId, bool> {
    let Some((_, stored, predictions)) = found.models.iter().find(|(name, ..)| name == COMBINED) else {
        return BTreeMap::new();
    };
    let Learnt::Combined { cut: Some(cut), .. } = &stored.learnt else { return BTreeMap::new() };
    let of = |(side, _)| of_set(found, predictions, side).map_or_else(Vec::new, |(_, own)| own);
    let all = SETS.into_iter().flat_map(of);
    all.filter_map(|one| Some((one.patient, one.linear? > *cut))).collect()
}

/// Curves of the patients below and above the training median of the combined model's risk.
fn risk_curves(found: &Prognosis, side: Side) -> Option<Curves> {
    let (_, stored, predictions) = found.models.iter().find(|(name, ..)| name == COMBINED)?;
    let Learnt::Combined { cut: Some(cut), .. } = &stored.learnt else { return None };
    let (follow_up, own) = of_set(found, predictions, side)?;
    let high: Vec<usize> = own.iter().map(|one| usize::from(one.linear.is_some_and(|risk| risk > *cut))).collect();
    let is_one = high.iter().all(|group| *group == high[0]);
    if is_one {
        return None;
    }
    let names = ["low risk", "high risk"].map(str::to_owned).to_vec();
    let at = &stored.horizons;
    Some(Curves::new(CurvesOf {
        follow_up: &follow_up,
        competing: None,
        group: &high,
        names,
        strata: None,
        at,
        interval: Interval::LogLog,
    }))
}
