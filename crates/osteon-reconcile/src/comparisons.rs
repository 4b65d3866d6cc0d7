//! Printed DeLong tests, Brier scores and rows that repeat.

use crate::auc::standard_error;
use crate::cells::{PublishedCell, Value};
use crate::finding::{Finding, Kind, Severity};
use crate::metrics::{matrices, other_sizes, score_named};
use crate::models::Model;
use crate::printed::{Interval, Printed};
use crate::read::words;
use crate::role::RowRole;
use crate::tested::grade;
use osteon_stats::stats::distribution::normal_two_sided;
use osteon_stats::stats::text::p_text;

/// What comparisons between models get wrong and reveal.
pub fn check(cells: &[PublishedCell], models: &[Model]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for cell in cells {
        findings.extend(statistic_with_p(cell));
        let Value::Number(p) = cell.value else { continue };
        if let Some(pair) = cell.place.row.strip_prefix("DeLong: ").and_then(|pair| pair.split_once(" vs ")) {
            findings.extend(delong(cell, p, pair, models));
        }
        if cell.place.column.to_lowercase().starts_with("brier") {
            findings.extend(brier(cell, p, models));
        }
    }
    findings.extend(repeats(models));
    findings.extend(mirrored(cells));
    findings
}

/// The same pair on both sides of a matrix.
fn mirrored(cells: &[PublishedCell]) -> Vec<Finding> {
    let pairs: Vec<(&PublishedCell, Printed, (&str, &str))> = cells
        .iter()
        .filter(|cell| cell.row_role == RowRole::Comparison)
        .filter_map(|cell| {
            let Value::Number(number) = cell.value else { return None };
            let row = cell.place.row.strip_prefix("DeLong: ").unwrap_or(&cell.place.row);
            Some((cell, number, row.split_once(" vs ")?))
        })
        .collect();
    let mut findings = Vec::new();
    for (at, (cell, number, (one, other))) in pairs.iter().enumerate() {
        let same = |it: &&(&PublishedCell, Printed, (&str, &str))| {
            let (first, second) = (&it.0.place, &cell.place);
            (&first.table, &first.set, &first.column) == (&second.table, &second.set, &second.column)
                && it.2 == (*other, *one)
        };
        let Some((_, mirror, _)) = pairs[..at].iter().find(same) else { continue };
        // No P and no correlation: told by itself.
        if mirror.value().abs() > 1.0 || number.value().abs() > 1.0 {
            continue;
        }
        if mirror.interval().overlaps(number.interval()) {
            continue;
        }
        findings.push(Finding {
            kind: Kind::Repeat,
            severity: Severity::Inconsistent,
            place: cell.place.clone(),
            printed: cell.printed.clone(),
            implied: mirror.to_string(),
            alternatives: Vec::new(),
            why: format!("The same pair is printed as {mirror} on the other side of the diagonal."),
        });
    }
    findings
}

/// `Z = 1.189 (p value = 0.264)`: a normal Z says its own P; of other statistics the degrees of freedom are not known.
fn statistic_with_p(cell: &PublishedCell) -> Option<Finding> {
    let Value::Test { statistic, p } = cell.value else { return None };
    let text = cell.printed.trim_start();
    let is_normal = text.starts_with(['Z', 'z']) || cell.place.column.to_lowercase().contains("delong");
    let implied = statistic.interval().magnitude().map(normal_two_sided);
    if !is_normal || p.meets(implied) {
        return None;
    }
    let computed = normal_two_sided(statistic.value());
    Some(Finding {
        kind: Kind::PValue,
        severity: grade(p, computed),
        place: cell.place.clone(),
        printed: cell.printed.clone(),
        implied: p.like(computed),
        alternatives: Vec::new(),
        why: format!("A normal Z of {statistic} has the two-sided p {}.", p.like(computed)),
    })
}

fn named<'a>(models: &'a [Model], set: &str, name: &str) -> Option<&'a Model> {
    let own = || models.iter().filter(|it| it.place.row.eq_ignore_ascii_case(name.trim()) && it.auc.is_some());
    // A table of P values without a set is of the only set that the models have.
    let only = || own().next().filter(|_| set == "all" && own().count() == 1);
    own()
        .find(|model| model.place.set.eq_ignore_ascii_case(set))
        .or_else(|| own().find(|model| words::same_set(&model.place.set, set)))
        .or_else(only)
}

/// Every p that DeLong's test of two printed AUCs can have, whatever the correlation between the models.
fn possible_p(one: &Model, other: &Model) -> Option<Interval> {
    let (a, b) = (one.auc.as_ref()?.1, other.auc.as_ref()?.1);
    let (s, t) = (standard_error(&a)?, standard_error(&b)?);
    let difference = a.area.interval().minus(b.area.interval()).magnitude();
    // The variance of the difference lies between (s - t)^2 and (s + t)^2.
    let widest = s.high + t.high;
    let narrowest = s.minus(t).magnitude().low;
    let p = |difference: f64, error: f64| if error > 0.0 { normal_two_sided(difference / error) } else { 0.0 };
    let most = if difference.low == 0.0 { 1.0 } else { p(difference.low, widest) };
    Some(Interval { low: p(difference.high, narrowest), high: most })
}

fn delong(cell: &PublishedCell, p: Printed, (one, other): (&str, &str), models: &[Model]) -> Vec<Finding> {
    let set = &cell.place.set;
    let pair = named(models, set, one).zip(named(models, set, other));
    let finding = |kind, severity, implied, alternatives, why| {
        let (place, printed) = (cell.place.clone(), cell.printed.clone());
        Finding { kind, severity, place, printed, implied, alternatives, why }
    };
    let Some((a, b)) = pair else { return Vec::new() };
    let mut findings = Vec::new();
    if let Some(possible) = possible_p(a, b).filter(|&possible| !p.meets(possible)) {
        let mut sets: Vec<&str> = models.iter().map(|model| model.place.set.as_str()).filter(|it| it != set).collect();
        sets.sort_unstable();
        sets.dedup();
        let elsewhere = |other_set: &&str| {
            let pair = named(models, other_set, one).zip(named(models, other_set, other));
            pair.and_then(|(a, b)| possible_p(a, b)).is_some_and(|possible| p.meets(possible))
        };
        let alternatives: Vec<String> =
            sets.into_iter().filter(elsewhere).map(|set| format!("possible in the {set} set")).collect();
        let most = match p_text(possible.high) {
            below if below.starts_with('<') => below.replacen('<', "p < ", 1),
            limit => format!("p <= {limit}"),
        };
        let why = format!(
            "AUCs {} and {} with their intervals have {most}, whatever the correlation of the models.",
            area(a),
            area(b)
        );
        findings.push(finding(Kind::DeLong, Severity::Impossible, most, alternatives, why));
    }
    if let (Some(m), Some(n)) = (patients(a), patients(b))
        && m != n
    {
        let why = format!("DeLong's test pairs the same patients, but the rows are of {m} and {n}.");
        findings.push(finding(Kind::Sample, Severity::Inconsistent, String::new(), Vec::new(), why));
    }
    findings
}

fn area(model: &Model) -> String {
    model.auc.as_ref().map(|(_, auc)| auc.area.to_string()).unwrap_or_default()
}

/// How many patients the scores are of, when the declared or a near size fits and no doubt is left.
fn patients(model: &Model) -> Option<i64> {
    let [a, b] = model.declared.as_ref()?.n;
    if [(a, b), (b, a)].iter().any(|&(p, n)| !matrices(&model.scores, p, n).is_empty()) {
        return Some(a + b);
    }
    let near: Vec<i64> =
        [(a, b), (b, a)].iter().flat_map(|&(p, n)| other_sizes(&model.scores, p, n, 1)).map(|(p, n)| p + n).collect();
    near.first().copied().filter(|first| near.iter().all(|n| n == first))
}

/// A calibrated model's Brier score is at most its error rate: p (1 - p) <= min(p, 1 - p).
fn brier(cell: &PublishedCell, score: Printed, models: &[Model]) -> Option<Finding> {
    let accuracy = score_named("accuracy")?;
    let own = models.iter().filter(|model| {
        model.place.row == cell.place.row
            && (model.place.set == cell.place.set || !models.iter().any(|it| it.place.set == cell.place.set))
    });
    let (mut wrong, mut all) = (0.0, 0.0);
    for model in own {
        let (_, printed) = model.scores.iter().find(|(score, _)| *score == accuracy)?;
        let n = patients(model)? as f64;
        wrong += (1.0 - printed.value()) * n;
        all += n;
    }
    let error = (all > 0.0).then(|| wrong / all)?;
    (score.interval().low > error).then(|| Finding {
        kind: Kind::Brier,
        severity: Severity::Note,
        place: cell.place.clone(),
        printed: cell.printed.clone(),
        implied: format!("<= {error:.3}"),
        alternatives: Vec::new(),
        why: format!(
            "{:.0} of {all:.0} patients are misclassified; the Brier score of calibrated probabilities is at most that \
             share, {error:.3}.",
            wrong
        ),
    })
}

/// Models that share all scores, or the AUC with its interval.
fn repeats(models: &[Model]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, model) in models.iter().enumerate() {
        for earlier in &models[..at] {
            let scores = model.scores.len() > 3 && model.scores == earlier.scores;
            let auc = model
                .auc
                .as_ref()
                .zip(earlier.auc.as_ref())
                .is_some_and(|((_, a), (_, b))| a.interval.is_some() && a == b);
            let (columns, what) = match (scores, auc) {
                (true, true) => ("all".to_owned(), "every number: the same model, or one copied"),
                (true, false) => (
                    model.columns.join(", "),
                    "all scores but not the AUC: two models that classify alike, or a copied row",
                ),
                (false, true) => (
                    model.auc.as_ref().map(|it| it.0.clone()).unwrap_or_default(),
                    "the AUC and its interval but not the scores: a copied cell, or chance",
                ),
                (false, false) => continue,
            };
            let shown: Vec<String> = if scores {
                model.scores.iter().map(|(_, printed)| printed.to_string()).collect()
            } else {
                vec![area(model)]
            };
            findings.push(Finding {
                kind: Kind::Repeat,
                severity: Severity::Note,
                place: model.at(&columns),
                printed: shown.join(" "),
                implied: String::new(),
                alternatives: Vec::new(),
                why: format!("It shares with {} {what}.", earlier.describe()),
            });
        }
    }
    findings
}
