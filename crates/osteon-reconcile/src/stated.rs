//! What the text says of models and terms against the tables: how a model was chosen, and where a term points.

use crate::cells::{PublishedCell, Value};
use crate::finding::{Finding, Kind, Severity};
use crate::models::{Auc, Model};

/// A model that goes on to another table, was the best of its own in the test set, and was not in the training set:
/// it was chosen by its test AUC.
pub fn chosen(models: &[Model]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for model in models.iter().filter(|it| is_test(&it.place.set)) {
        let Some((column, auc)) = &model.auc else { continue };
        let (own, training) = (rivals(models, model, is_test), rivals(models, model, is_training));
        let goes_on = |it: &&Model| {
            it.place.table != model.place.table
                && it.place.set == model.place.set
                && it.auc.as_ref().map(|(_, auc)| auc) == Some(auc)
                && it.scores == model.scores
        };
        let Some(later) = models.iter().find(goes_on) else { continue };
        let before = |a: &Model| models.iter().position(|it| it.place == a.place);
        let Some(trained) = training.iter().find(|(row, _)| *row == model.place.row) else { continue };
        let better = |all: &[(String, Auc)], than: &Auc| {
            all.iter().filter(|(_, it)| it.area.value() > than.area.value()).count()
        };
        if own.len() < 3 || before(later) < before(model) || better(&own, auc) > 0 {
            continue;
        }
        let rank = better(&training, &trained.1);
        if rank == 0 {
            continue;
        }
        findings.push(Finding {
            kind: Kind::Sample,
            severity: Severity::Note,
            place: model.at(column),
            printed: auc.area.to_string(),
            implied: "chosen by its test AUC".to_owned(),
            alternatives: Vec::new(),
            why: format!(
                "Of {} models it has the highest AUC in {} and {} have a higher one in {}, and it goes on to table {}: \
                 the test set took part in the choice.",
                own.len(),
                model.place.set,
                rank,
                training_set(models, model).unwrap_or("training"),
                later.place.table
            ),
        });
    }
    findings
}

fn is_test(set: &str) -> bool {
    let set = set.to_lowercase();
    set.contains("test") || set.contains("valid")
}

fn is_training(set: &str) -> bool {
    let set = set.to_lowercase();
    ["train", "develop", "deriv", "primary"].iter().any(|word| set.contains(word))
}

/// The models of the same table on a kind of set, with their areas.
fn rivals(models: &[Model], of: &Model, is_set: fn(&str) -> bool) -> Vec<(String, Auc)> {
    let set = if is_set(&of.place.set) { Some(of.place.set.as_str()) } else { training_set(models, of) };
    models
        .iter()
        .filter(|it| it.place.table == of.place.table && Some(it.place.set.as_str()) == set)
        .filter_map(|it| it.auc.as_ref().map(|(_, auc)| (it.place.row.clone(), *auc)))
        .collect()
}

fn training_set<'a>(models: &'a [Model], of: &Model) -> Option<&'a str> {
    models
        .iter()
        .find(|it| it.place.table == of.place.table && is_training(&it.place.set))
        .map(|it| it.place.set.as_str())
}

/// A term as its univariate odds ratio has it.
pub struct Direction {
    pub row: String,
    /// The group that higher values, or the later level, go with.
    pub towards: String,
    pub odds_ratio: String,
}

/// Rows `SHAP: Term` (column: a group; 1 when higher values speak for it, -1 when against it) against the odds ratios.
pub fn shap(cells: &[PublishedCell], directions: &[Direction]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for cell in cells {
        let Some(term) = cell.place.row.strip_prefix("SHAP: ") else { continue };
        let Value::Number(sign) = cell.value else { continue };
        let same = |it: &&Direction| it.row.eq_ignore_ascii_case(term.trim());
        let Some(direction) = directions.iter().find(same) else { continue };
        let agrees = direction.towards.eq_ignore_ascii_case(&cell.place.column) == (sign.value() > 0.0);
        if sign.value() == 0.0 || agrees {
            continue;
        }
        findings.push(Finding {
            kind: Kind::Direction,
            severity: Severity::Inconsistent,
            place: cell.place.clone(),
            printed: cell.printed.clone(),
            implied: direction.towards.clone(),
            alternatives: Vec::new(),
            why: format!(
                "The odds ratio {} says that higher values of {term} go with {}; other covariates can turn a sign, and \
                 the text has to say so.",
                direction.odds_ratio, direction.towards
            ),
        });
    }
    findings
}
