//! The rows that judge models: scores and AUC with their intervals, counts, and the group sizes they were printed for.

use crate::cells::{PublishedCell, Value};
use crate::cohort::Arm;
use crate::finding::Place;
use crate::metric::Metric;
use crate::metrics::{Matrix, Printeds, SCORES, YOUDEN, score_of};
use crate::printed::Printed;
use crate::read::statements::TEXT;
use crate::read::words;
use crate::role::{Role, Rounding};

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
    /// Shares of one, also where percentages are printed.
    pub scores: Printeds,
    /// The column of each score.
    pub columns: Vec<String>,
    /// The interval of each score.
    pub limits: Vec<Option<(Printed, Printed)>>,
    /// Each score as it is printed.
    pub texts: Vec<String>,
    /// True and false positives and negatives (TP, FN, TN, FP): column and count.
    pub counts: [Option<(String, i64)>; 4],
    pub auc: Option<(String, Auc)>,
    /// The group sizes that the cohort tables print for this set.
    pub declared: Option<Sizes>,
    /// The number of patients that the row itself prints: column and number.
    pub own_size: Option<(String, i64)>,
    /// How many patients the set has in all, where only that is printed.
    pub total: Option<i64>,
    /// The text, and no table, may be what says it.
    pub is_total_said: bool,
    /// A person said that digits are rounded, never cut off.
    pub is_rounded: bool,
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

    /// The first printed value of a score.
    pub fn score(&self, score: usize) -> Option<Printed> {
        self.scores.iter().find(|(at, _)| *at == score).map(|(_, printed)| *printed)
    }

    /// The matrix, when all four counts are printed.
    pub fn matrix(&self) -> Option<Matrix> {
        let [tp, fn_, tn, fp] = [0, 1, 2, 3].map(|at| self.counts[at].as_ref().map(|(_, n)| *n));
        Some(Matrix { true_positive: tp?, false_negative: fn_?, true_negative: tn?, false_positive: fp? })
    }

    /// Without the scores at these positions, ascending.
    pub fn remove(&mut self, positions: &[usize]) {
        for &at in positions.iter().rev() {
            self.scores.remove(at);
            self.columns.remove(at);
            self.limits.remove(at);
            self.texts.remove(at);
        }
    }

    fn new(cell: &PublishedCell, arms: &[Arm]) -> Model {
        let of_set = |name: &str| words::same_set(name, &cell.place.set);
        let is_table = |arm: &&Arm| arm.table != TEXT;
        let arm = arms.iter().filter(is_table).find(|arm| arm.set.eq_ignore_ascii_case(&cell.place.set));
        let arm = arm.or_else(|| arms.iter().filter(is_table).find(|arm| of_set(&arm.set)));
        let said = arms.iter().find(|arm| arm.table == TEXT && of_set(&arm.set)).and_then(total);
        // The sets of one table are often the groups of another.
        let group = arms.iter().flat_map(|arm| &arm.groups).find(|group| of_set(&group.column));
        Model {
            place: cell.place.clone(),
            scores: Vec::new(),
            columns: Vec::new(),
            limits: Vec::new(),
            texts: Vec::new(),
            counts: [const { None }; 4],
            auc: None,
            own_size: None,
            declared: arm.and_then(sizes),
            total: arm.and_then(total).or(group.map(|group| group.n as i64).filter(|&n| n > 1)).or(said),
            is_total_said: said.is_some(),
            is_rounded: cell.rounding == Some(Rounding::Rounded),
        }
    }
}

/// The cells of a confusion matrix, in the order of `Model::counts`.
const COUNTS: [Metric; 4] = [Metric::TruePositive, Metric::FalseNegative, Metric::TrueNegative, Metric::FalsePositive];

/// Every row with a score, counts or an AUC, in order of appearance.
pub fn models(cells: &[PublishedCell], arms: &[Arm]) -> Vec<Model> {
    let mut models: Vec<Model> = Vec::new();
    for cell in cells {
        let Role::Score(metric) = cell.role else { continue };
        let (score, count) = (score_of(metric), COUNTS.iter().position(|it| *it == metric));
        let numbers = matches!(cell.value, Value::Number(_) | Value::Estimate { .. });
        if metric == Metric::Kappa && is_agreement(cells, cell) {
            continue;
        }
        if !numbers || score.is_none() && count.is_none() && metric != Metric::Auc {
            continue;
        }
        let same = |it: &Model| {
            (&it.place.table, &it.place.set, &it.place.row) == (&cell.place.table, &cell.place.set, &cell.place.row)
        };
        let at = models.iter().position(same).unwrap_or_else(|| {
            models.push(Model::new(cell, arms));
            models.len() - 1
        });
        models[at].take(cells, cell, score, count);
    }
    for cell in cells.iter().filter(|it| it.role == Role::Score(Metric::Size)) {
        let Value::Number(n) = cell.value else { continue };
        let (table, set, row) = (&cell.place.table, &cell.place.set, &cell.place.row);
        let own = |it: &&mut Model| (&it.place.table, &it.place.set, &it.place.row) == (table, set, row);
        if let Some(model) = models.iter_mut().find(own).filter(|_| n.decimals() == 0) {
            model.own_size = Some((cell.place.column.clone(), n.value() as i64));
        }
    }
    models.retain(|model| !model.scores.is_empty() || model.auc.is_some());
    models
}

impl Model {
    fn take(&mut self, cells: &[PublishedCell], cell: &PublishedCell, score: Option<usize>, count: Option<usize>) {
        let column = cell.place.column.clone();
        let is_share = score.is_none_or(|score| SCORES[score].metric.is_share() || score == YOUDEN);
        let share = |printed: Printed| if is_share && is_percent(cells, cell) { printed.as_share() } else { printed };
        match (score, count, cell.value) {
            (Some(score), _, Value::Number(printed)) => self.add(cell, score, share(printed), None),
            (Some(score), _, Value::Estimate { estimate, low, high }) => {
                self.add(cell, score, share(estimate), Some((share(low), share(high))));
            }
            (_, Some(count), Value::Number(n)) if n.decimals() == 0 => {
                self.counts[count] = Some((column, n.value() as i64));
            }
            (None, None, Value::Estimate { estimate, low, high }) => {
                let interval = Some((share(low), share(high)));
                self.auc = Some((column, Auc { area: share(estimate), interval }));
            }
            (None, None, Value::Number(area)) => {
                self.auc = Some((column, Auc { area: share(area), interval: None }));
            }
            _ => (),
        }
    }

    fn add(&mut self, cell: &PublishedCell, score: usize, printed: Printed, limits: Option<(Printed, Printed)>) {
        self.scores.push((score, printed));
        self.columns.push(cell.place.column.clone());
        self.limits.push(limits);
        self.texts.push(cell.printed.clone());
    }
}

/// Whether the numbers of a cell are percentages that the reader left as they are: the cell has the sign, or a value
/// of its column is one that no share and no slip of one has.
fn is_percent(cells: &[PublishedCell], cell: &PublishedCell) -> bool {
    if cell.is_percent || cell.is_unit_said {
        return false;
    }
    let value = |it: &PublishedCell| match it.value {
        Value::Number(number) => number.value(),
        Value::Estimate { estimate, .. } => estimate.value(),
        _ => 0.0,
    };
    let column = |it: &&PublishedCell| {
        !it.is_percent && it.place.table == cell.place.table && it.place.column == cell.place.column
    };
    // 0.78 in a row of shares is one, whatever the unit of other rows.
    let row = |it: &&PublishedCell| {
        let same = (&it.place.table, &it.place.set, &it.place.row);
        same == (&cell.place.table, &cell.place.set, &cell.place.row)
            && matches!(it.role, Role::Score(metric) if metric.is_share() && !metric.is_area())
            && matches!(it.value, Value::Number(_) | Value::Estimate { .. })
    };
    let is_share = |it: &PublishedCell| {
        let (Value::Number(printed) | Value::Estimate { estimate: printed, .. }) = it.value else { return false };
        !it.is_percent && !it.printed.contains('%') && printed.is_two_digit_share()
    };
    let are_shares = is_share(cell) && cells.iter().filter(row).all(is_share);
    cell.printed.contains('%') || !are_shares && cells.iter().filter(column).any(|it| value(it) >= 10.0)
}

/// Whether a kappa is the agreement of readers, which no confusion matrix of theirs gives: its heading says so, or a
/// kappa of its table stands beside a reader.
pub fn is_agreement(cells: &[PublishedCell], cell: &PublishedCell) -> bool {
    let beside = |it: &&PublishedCell| it.role == cell.role && it.place.table == cell.place.table;
    words::says_agreement(&cell.place.column)
        || cells.iter().filter(beside).any(|it| words::is_reader(&it.place.row) || words::is_reader(&it.place.set))
}

fn sizes(arm: &Arm) -> Option<Sizes> {
    let [one, other] = arm.compared()[..] else { return None };
    let groups = [&arm.groups[one], &arm.groups[other]];
    Some(Sizes { names: groups.map(|group| group.column.clone()), n: groups.map(|group| group.n as i64) })
}

/// The size of the only group, or of the total.
fn total(arm: &Arm) -> Option<i64> {
    let only = if arm.groups.len() == 1 { Some(0) } else { arm.total() };
    only.map(|at| arm.groups[at].n as i64).filter(|&n| n > 1)
}
