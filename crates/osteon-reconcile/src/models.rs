//! The rows that judge models: scores and AUC with its interval, and the group sizes they were printed for.

use crate::cells::{PublishedCell, Value};
use crate::cohort::Arm;
use crate::finding::Place;
use crate::metrics::{Printeds, score_named};
use crate::printed::Printed;

/// A printed area with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Auc {
    pub area: Printed,
    pub interval: Option<(Printed, Printed)>,
}

/// One model on one set.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its first cell's place.
    pub place: Place,
    pub scores: Printeds,
    /// The column of each score.
    pub columns: Vec<String>,
    pub auc: Option<(String, Auc)>,
    /// The group sizes that the cohort tables print for this set.
    pub declared: Option<Sizes>,
}

/// Two groups and their sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizes {
    pub names: [String; 2],
    pub n: [i64; 2],
}

impl Model {
    /// The place of one of its columns.
    pub fn at(&self, column: &str) -> Place {
        Place { column: column.to_owned(), ..self.place.clone() }
    }

    pub fn describe(&self) -> String {
        format!("{:?} of table {} {}", self.place.row, self.place.table, self.place.set)
    }
}

/// Every row with at least two scores or an AUC, in order of appearance.
pub fn models(cells: &[PublishedCell], arms: &[Arm]) -> Vec<Model> {
    let mut models: Vec<Model> = Vec::new();
    for cell in cells {
        let column = &cell.place.column;
        let score = score_named(column);
        let is_auc = column.to_uppercase().starts_with("AUC");
        if score.is_none() && !is_auc {
            continue;
        }
        let same = |it: &&mut Model| {
            (&it.place.table, &it.place.set, &it.place.row) == (&cell.place.table, &cell.place.set, &cell.place.row)
        };
        if models.iter_mut().find(same).is_none() {
            let declared = arms.iter().find(|arm| arm.set.eq_ignore_ascii_case(&cell.place.set)).and_then(sizes);
            let (scores, columns) = (Vec::new(), Vec::new());
            models.push(Model { place: cell.place.clone(), scores, columns, auc: None, declared });
        }
        let model = models.iter_mut().find(same).expect("just put there");
        match (score, cell.value) {
            (Some(score), Value::Number(printed)) => {
                model.scores.push((score, printed));
                model.columns.push(column.clone());
            }
            (None, Value::Estimate { estimate, low, high }) => {
                model.auc = Some((column.clone(), Auc { area: estimate, interval: Some((low, high)) }));
            }
            (None, Value::Number(area)) => model.auc = Some((column.clone(), Auc { area, interval: None })),
            _ => (),
        }
    }
    models.retain(|model| model.scores.len() > 1 || model.auc.is_some());
    models
}

fn sizes(arm: &Arm) -> Option<Sizes> {
    let [one, other] = arm.compared()[..] else { return None };
    let groups = [&arm.groups[one], &arm.groups[other]];
    Some(Sizes { names: groups.map(|group| group.column.clone()), n: groups.map(|group| group.n as i64) })
}
