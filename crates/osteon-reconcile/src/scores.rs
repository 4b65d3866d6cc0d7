//! Printed classification scores against every confusion matrix of the declared and of near group sizes.

use std::collections::BTreeMap;

use crate::finding::{Finding, Kind, Severity};
use crate::judge::{is_outside, swapped};
use crate::metrics::{Matrix, matrices, other_sizes};
use crate::models::{Auc, Model, Sizes};
use crate::tested::grade;

/// How far from the declared ones other group sizes are tried.
const REACH: i64 = 3;

/// What the scores of `models` get wrong and reveal.
pub fn check(models: &[Model]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let event = event(models);
    if let Some(event) = &event {
        findings.push(event_note(models, event));
    }
    let mut moved: BTreeMap<(i64, i64), Vec<&Model>> = BTreeMap::new();
    for model in models {
        let Some(sizes) = &model.declared else { continue };
        let declared = oriented(sizes, event.as_deref());
        if let Some(size) = size_of(model, declared, &mut findings) {
            moved.entry(size).or_default().push(model);
        }
    }
    findings.extend(moved.iter().filter_map(|(size, models)| moved_note(*size, models)));
    findings
}

/// Sizes of the event group and the other.
fn oriented(sizes: &Sizes, event: Option<&str>) -> (i64, i64) {
    let first = event.is_some_and(|event| sizes.names[0] == event);
    if first { (sizes.n[0], sizes.n[1]) } else { (sizes.n[1], sizes.n[0]) }
}

/// The group that most rows can only have as the event.
fn event(models: &[Model]) -> Option<String> {
    let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
    for model in models.iter().filter(|model| model.scores.len() > 1) {
        let Some(sizes) = &model.declared else { continue };
        let fits = |p: usize| !matrices(&model.scores, sizes.n[p], sizes.n[1 - p]).is_empty();
        for p in [0, 1].into_iter().filter(|&p| fits(p) && !fits(1 - p)) {
            *votes.entry(&sizes.names[p]).or_default() += 1;
        }
    }
    votes.into_iter().max_by_key(|&(_, votes)| votes).map(|(name, _)| name.to_owned())
}

fn event_note(models: &[Model], event: &str) -> Finding {
    let place = models.iter().find(|model| model.declared.is_some()).map(|model| model.at("event"));
    let place = place.expect("an event is of a declared group");
    Finding {
        kind: Kind::Event,
        severity: Severity::Note,
        place: crate::finding::Place { row: "all rows".into(), ..place },
        printed: String::new(),
        implied: event.to_owned(),
        alternatives: Vec::new(),
        why: format!("Sensitivities are of {event}: with the other group as the event no confusion matrix fits."),
    }
}

/// The sizes the scores are of, when they are not the declared ones; findings on the way.
fn size_of(model: &Model, declared: (i64, i64), findings: &mut Vec<Finding>) -> Option<(i64, i64)> {
    if model.scores.len() < 2 || !matrices(&model.scores, declared.0, declared.1).is_empty() {
        return None;
    }
    if let Some(finding) = swapped::scores(model, declared.0, declared.1) {
        findings.push(finding);
        return None;
    }
    let others = nearest_first(model, other_sizes(&model.scores, declared.0, declared.1, REACH));
    if let Some(&size) = others.first() {
        let matrix = matrices(&model.scores, size.0, size.1)[0];
        findings.push(size_finding(model, declared, size, &matrix, &others));
        return Some(size);
    }
    one_wrong(model, declared, findings)
}

/// Near sizes, those that also allow the printed AUC before the others.
fn nearest_first(model: &Model, mut sizes: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    sizes.sort_by_key(|&size| !model.auc.as_ref().is_none_or(|(_, auc)| has_area(auc, size)));
    sizes
}

/// Whether some ranking of so many patients, ties allowed, has the printed area: a whole number of halves of pairs.
pub fn has_area(auc: &Auc, (positives, negatives): (i64, i64)) -> bool {
    !auc.area.numerators(2 * positives * negatives).is_empty()
}

fn size_finding(
    model: &Model,
    declared: (i64, i64),
    size: (i64, i64),
    matrix: &Matrix,
    others: &[(i64, i64)],
) -> Finding {
    let alone = |at: usize| matrices(&vec![model.scores[at]], declared.0, declared.1).is_empty();
    let wrong: Vec<&str> =
        (0..model.scores.len()).filter(|&at| alone(at)).map(|at| model.columns[at].as_str()).collect();
    let columns = if wrong.is_empty() { model.columns.join(", ") } else { wrong.join(", ") };
    let printed: Vec<String> = model.scores.iter().map(|(_, printed)| printed.to_string()).collect();
    let (p, n) = size;
    Finding {
        kind: Kind::GroupSize,
        severity: Severity::Inconsistent,
        place: model.at(&columns),
        printed: printed.join(" "),
        implied: format!("n = {} ({p}/{n})", p + n),
        alternatives: others.iter().map(|(p, n)| format!("n = {} ({p}/{n})", p + n)).collect(),
        why: format!(
            "No confusion matrix of the declared {} ({}/{}) gives these scores; of {} ({p}/{n}) one does: TP {}, FN \
             {}, TN {}, FP {}.",
            declared.0 + declared.1,
            declared.0,
            declared.1,
            p + n,
            matrix.true_positive,
            matrix.false_negative,
            matrix.true_negative,
            matrix.false_positive
        ),
    }
}

/// One score left out at a time: which one must be wrong for the others to fit, at the declared or near sizes.
fn one_wrong(model: &Model, declared: (i64, i64), findings: &mut Vec<Finding>) -> Option<(i64, i64)> {
    let mut fits: Vec<(i64, usize, (i64, i64), Matrix)> = Vec::new();
    for left_out in 0..model.scores.len() {
        let mut rest = model.scores.clone();
        rest.remove(left_out);
        let near = nearest_first(model, other_sizes(&rest, declared.0, declared.1, REACH));
        for size in std::iter::once(declared).chain(near) {
            let distance = (size.0 - declared.0).abs() + (size.1 - declared.1).abs();
            fits.extend(matrices(&rest, size.0, size.1).into_iter().map(|matrix| (distance, left_out, size, matrix)));
        }
    }
    // Three scores or fewer that remain fit by chance; then nobody can be blamed.
    let nearest = fits.iter().map(|(distance, ..)| *distance).min();
    let fits: Vec<_> = fits.into_iter().filter(|(distance, ..)| Some(*distance) == nearest).collect();
    let Some((_, left_out, size, matrix)) = fits.first().cloned().filter(|_| model.scores.len() > 3) else {
        findings.push(impossible(model, declared));
        return None;
    };
    let (score, printed) = model.scores[left_out];
    let computed = matrix.score(score).unwrap_or(0.0);
    let copied = model.scores.iter().position(|&(other, value)| other != score && value == printed);
    let copy = copied.map_or(String::new(), |at| format!(", and the printed value is that of {}", model.columns[at]));
    let alternatives = fits.iter().map(|(_, at, size, matrix)| {
        let (score, printed) = model.scores[*at];
        let value = matrix.score(score).map_or("undefined".to_owned(), |value| printed.like(value));
        format!("{} {value} at {}/{}", model.columns[*at], size.0, size.1)
    });
    findings.push(Finding {
        kind: Kind::Metric,
        severity: match grade(printed, computed) {
            Severity::Rounding => Severity::Rounding,
            _ if is_outside(model) => Severity::Inconsistent,
            _ => Severity::Typo,
        },
        place: model.at(&model.columns[left_out]),
        printed: printed.to_string(),
        implied: printed.like(computed),
        alternatives: alternatives.collect(),
        why: format!(
            "The other scores are those of TP {}, FN {}, TN {}, FP {}, which gives {}{copy}.",
            matrix.true_positive,
            matrix.false_negative,
            matrix.true_negative,
            matrix.false_positive,
            printed.like(computed)
        ),
    });
    if size == declared {
        return None;
    }
    let mut rest = model.clone();
    rest.scores.remove(left_out);
    rest.columns.remove(left_out);
    findings.push(size_finding(&rest, declared, size, &matrix, &[size]));
    Some(size)
}

fn impossible(model: &Model, declared: (i64, i64)) -> Finding {
    let printed: Vec<String> = model.scores.iter().map(|(_, printed)| printed.to_string()).collect();
    Finding {
        kind: Kind::Metric,
        severity: Severity::Inconsistent,
        place: model.at(&model.columns.join(", ")),
        printed: printed.join(" "),
        implied: String::new(),
        alternatives: Vec::new(),
        why: format!(
            "No confusion matrix gives these scores, of {}/{} patients or of any size within {REACH} of each, even \
             with one of them left out; means over folds could.",
            declared.0, declared.1
        ),
    }
}

/// Several rows that share other sizes: they were computed on another split.
fn moved_note((p, n): (i64, i64), models: &[&Model]) -> Option<Finding> {
    let (first, more) = models.split_first()?;
    (!more.is_empty()).then(|| Finding {
        kind: Kind::Sample,
        severity: Severity::Note,
        place: first.at("n"),
        printed: String::new(),
        implied: format!("n = {} ({p}/{n})", p + n),
        alternatives: Vec::new(),
        why: format!(
            "{} rows share these sizes, so they were computed on other patients than the rest: {}.",
            models.len(),
            models.iter().map(|model| model.describe()).collect::<Vec<_>>().join("; ")
        ),
    })
}
