//! Tables 3 and 5: what each model achieves in each set, as published, then what relearning says, intervals, calibration.

use crate::report::printed::{Entry, model_label};
use crate::report::sheet::{Cell, Sheet};
use osteon_base::text::counted;
use osteon_stats::evaluate::calibration::brier;
use osteon_stats::evaluate::roc::{self, Wanted, confusion};
use osteon_stats::model::logistic::{Grouping, HosmerLemeshow, hosmer_lemeshow};
use osteon_stats::stats::proportion::wilson;

/// One score in one set: the rows that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    pub model: String,
    pub set: String,
    pub event: Vec<bool>,
    pub score: Vec<f64>,
    /// Positions of the rows in the set.
    pub kept: Vec<usize>,
    /// Rows of the set without a score.
    pub n_missing: usize,
    pub corrected: Corrected,
}

/// What the whole chain learnt again says; `None` where it was not.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Corrected {
    /// AUC in the training rows of the models learnt on all of them: what Harrell's bootstrap corrects.
    pub in_sample: Option<f64>,
    /// AUC by Harrell's bootstrap.
    pub optimism: Option<f64>,
    /// Accuracy, sensitivity, specificity, precision, F1 and Brier score by Harrell's bootstrap.
    pub others: [Option<f64>; 6],
    /// Mean AUC of repeated nested cross-validation.
    pub nested: Option<f64>,
    /// p of the permutation test.
    pub permutation_p: Option<f64>,
    /// Median, 2.5 % and 97.5 % quantile of the test AUC over random splits; of test sets only.
    pub splits: Option<[f64; 3]>,
    /// The interval of the nested AUC.
    pub nested_ci: Option<[f64; 2]>,
    /// AUC of left-out pairs with its limits, and the .632+ estimate.
    pub left_out: Option<[f64; 3]>,
    pub point_632_plus: Option<f64>,
}

/// Columns of a published table.
pub const N_PUBLISHED: usize = 8;

/// A column after the published ones; it is left out where it is empty in every row.
type Extra = (String, Box<dyn Fn(&Scored) -> Cell>);

/// Where a score is cut into event and no event.
#[derive(Clone, Debug, PartialEq)]
pub enum Cut {
    At(f64),
    /// At the point of the largest Youden index in the same model's set of this name.
    Youden(String),
    /// At that of each set itself.
    YoudenOfEach,
    /// Where this is reached in the same model's set of this name; in each set itself without one.
    Reaching(Wanted, Option<String>),
}

impl Cut {
    /// What reaching an operating point is called.
    pub(in crate::report) fn wanted(wanted: Wanted) -> String {
        match wanted {
            Wanted::Sensitivity(least) => format!("a sensitivity of at least {least}"),
            Wanted::Specificity(least) => format!("a specificity of at least {least}"),
        }
    }
}

impl Scored {
    pub fn new(model: &str, set: &str, event: &[bool], score: &[Option<f64>], corrected: Corrected) -> Scored {
        let kept: Vec<usize> = (0..event.len()).filter(|&row| score[row].is_some()).collect();
        Scored {
            model: model.to_owned(),
            set: set.to_owned(),
            event: kept.iter().map(|&row| event[row]).collect(),
            score: kept.iter().filter_map(|&row| score[row]).collect(),
            n_missing: event.len() - kept.len(),
            kept,
            corrected,
        }
    }

    pub(in crate::report) fn is_probability(&self) -> bool {
        self.score.iter().all(|p| (0.0..=1.0).contains(p))
    }

    /// Hosmer and Lemeshow's test in ten groups, equal probabilities together.
    pub(in crate::report) fn hosmer_lemeshow(&self) -> Option<HosmerLemeshow> {
        if self.is_probability() { hosmer_lemeshow(&self.event, &self.score, Grouping::Spss, 10) } else { None }
    }
}

/// The published columns, then corrected values, calibration and Wilson's intervals where there are any.
pub fn table(title: &str, rows: &[Scored], cut: &Cut) -> Sheet {
    let published = ["Set", "Model", "AUC (95 % CI)", "Accuracy", "Sensitivity", "Specificity", "Precision", "F1"];
    let cut_of: Vec<Option<f64>> = rows.iter().map(|scored| threshold(scored, rows, cut)).collect();
    let mut cells: Vec<Vec<Cell>> = Vec::new();
    for (scored, &threshold) in rows.iter().zip(&cut_of) {
        let mut row = vec![Cell::Text(scored.set.clone()), Cell::Text(scored.model.clone()), area(scored)];
        row.extend(shares(scored, threshold));
        cells.push(row);
    }
    let mut headings = published.map(str::to_owned).to_vec();
    for (heading, of) in extras() {
        let column: Vec<Cell> = rows.iter().map(of).collect();
        add(&mut headings, &mut cells, heading, column);
    }
    for (k, name) in ["Accuracy", "Sensitivity", "Specificity", "Precision"].iter().enumerate() {
        let range = |(scored, threshold): (&Scored, &Option<f64>)| {
            let (_, n, of) = threshold.map(|at| confusion(&scored.score, &scored.event, at).shares()[k])?;
            wilson(n, of).map(|[low, high]| Cell::Range { low, high, digits: 3 })
        };
        let column = rows.iter().zip(&cut_of).map(|row| range(row).unwrap_or(Cell::Empty)).collect();
        add(&mut headings, &mut cells, format!("{name} 95 % CI"), column);
    }
    let mut notes = vec![match cut {
        Cut::At(threshold) => {
            format!("classification threshold {threshold}")
        }
        Cut::Youden(set) => format!("cut at the largest Youden index in {set}"),
        Cut::YoudenOfEach => "cut at the largest Youden index in the same set".to_owned(),
        Cut::Reaching(wanted, _) => format!("cut where {} is reached", Cut::wanted(*wanted)),
    }];
    notes.push("AUC: DeLong's Wald interval, clipped at 0 and 1; proportions: Wilson 95% CI".to_owned());
    notes.extend(newcombe(rows));
    if headings.iter().any(|heading| heading == HL_P) {
        notes.push(HL_NOTE.to_owned());
    }
    notes.extend(rows.iter().filter_map(no_hosmer_lemeshow));
    for (heading, note) in [(NESTED_CI, NESTED_CI_NOTE), (LEFT_OUT, LEFT_OUT_NOTE)] {
        if headings.iter().any(|found| found == heading) {
            notes.push(note.to_owned());
        }
    }
    if headings.iter().any(|heading| heading == IN_SAMPLE) {
        notes.push(IN_SAMPLE_NOTE.to_owned());
    }
    if headings.iter().any(|heading| heading == SPLITS) {
        notes.push("AUC random splits: median, 2.5 % and 97.5 % quantile in the test sets".to_owned());
    }
    for scored in rows.iter().filter(|scored| scored.n_missing > 0) {
        notes.push(format!("{}, {}: {} without a score left out", scored.model, scored.set, scored.n_missing));
    }
    Sheet { title: title.to_owned(), headings, rows: cells, notes, provenance: Vec::new() }
}

/// A table of models in two: the published columns with the corrected AUCs, and all that follows.
pub fn parted(sheet: Sheet) -> [Sheet; 2] {
    let at = sheet.headings.iter().position(|heading| heading == FIRST_FURTHER).unwrap_or(sheet.headings.len());
    let further = |row: &[Cell]| row[..2].iter().chain(&row[at..]).cloned().collect();
    let second = Sheet {
        title: format!("{} (continued)", sheet.title),
        headings: sheet.headings[..2].iter().chain(&sheet.headings[at..]).cloned().collect(),
        rows: sheet.rows.iter().map(|row| further(row)).collect(),
        notes: Vec::new(),
        provenance: sheet.provenance.clone(),
    };
    let first = Sheet {
        headings: sheet.headings[..at].to_vec(),
        rows: sheet.rows.iter().map(|row| row[..at].to_vec()).collect(),
        ..sheet
    };
    [first, second]
}

const IN_SAMPLE: &str = "AUC in-sample";
const IN_SAMPLE_NOTE: &str = "AUC bootstrap-corrected (Harrell): the in-sample AUC less the mean optimism of models \
    refitted on bootstrap samples, so it may exceed an AUC of out-of-fold scores beside it. A bootstrap sample holds two \
    thirds of the rows that its model is judged on, and random forests overfit their training samples: the optimism comes \
    out too small, and the nested AUC is the one to trust. Corrected proportions and Brier scores likewise, at a threshold \
    of 0.5";
const NESTED_CI: &str = "AUC nested CV (95% CI)";
const NESTED_CI_NOTE: &str = "AUC nested CV: mean of repeated nested cross-validation of the entire pipeline, the AUC to \
    trust; its interval is DeLong's, widened for folds that share training patients (Nadeau and Bengio)";
const LEFT_OUT: &str = "AUC left-out pairs (95% CI)";
const LEFT_OUT_NOTE: &str = "AUC left-out pairs: pairs of patients that a bootstrap refit did not see (Yousef et al.), with \
    the standard error of the delta method after the bootstrap (Efron and Tibshirani), which is too large where nothing can \
    be learnt; .632+ mixes it with the in-sample AUC";
const SPLITS: &str = "AUC random splits";
/// The heading after the corrected AUCs.
const FIRST_FURTHER: &str = "Brier";
pub(in crate::report) const HL_P: &str = "H-L p";
pub(in crate::report) const HL_NOTE: &str = "Hosmer-Lemeshow: ten groups, equal probabilities together; degrees of \
    freedom are groups - 2, as where the model was learnt; H-L p, new rows: all groups, as where it was not";

fn add(headings: &mut Vec<String>, rows: &mut [Vec<Cell>], heading: String, column: Vec<Cell>) {
    if column.iter().any(|cell| *cell != Cell::Empty) {
        headings.push(heading);
        rows.iter_mut().zip(column).for_each(|(row, cell)| row.push(cell));
    }
}

fn extras() -> Vec<Extra> {
    fn column(heading: &str, of: impl Fn(&Scored) -> Cell + 'static) -> Extra {
        (heading.to_owned(), Box::new(of))
    }
    let brier = |scored: &Scored| brier(&scored.event, &scored.score).filter(|_| scored.is_probability());
    let mut extras = vec![
        column("n", |it| Cell::Count(it.event.len())),
        column("Events", |it| Cell::Count(it.event.iter().filter(|&&event| event).count())),
        column(NESTED_CI, |it| match (it.corrected.nested, it.corrected.nested_ci) {
            (Some(estimate), Some([low, high])) => Cell::Interval { estimate, low, high, digits: 3 },
            _ => Cell::Empty,
        }),
        column(LEFT_OUT, |it| match it.corrected.left_out {
            Some([estimate, low, high]) => Cell::Interval { estimate, low, high, digits: 3 },
            None => Cell::Empty,
        }),
        column("AUC .632+", |it| Cell::number(it.corrected.point_632_plus, 3)),
        column(IN_SAMPLE, |it| Cell::number(it.corrected.in_sample, 3)),
        column("AUC bootstrap-corrected", |it| Cell::number(it.corrected.optimism, 3)),
        column("AUC nested CV", |it| Cell::number(it.corrected.nested.filter(|_| it.corrected.nested_ci.is_none()), 3)),
        column("Permutation p", |it| Cell::p(it.corrected.permutation_p)),
        column(SPLITS, |it| match it.corrected.splits {
            Some([estimate, low, high]) => Cell::Interval { estimate, low, high, digits: 3 },
            None => Cell::Empty,
        }),
        column(FIRST_FURTHER, move |it| Cell::number(brier(it), 3)),
        column(HL_P, |it| Cell::p(it.hosmer_lemeshow().and_then(|test| test.p))),
        column("H-L p, new rows", |it| Cell::p(it.hosmer_lemeshow().map(|test| test.p_of_new_rows()))),
    ];
    let names = ["Accuracy", "Sensitivity", "Specificity", "Precision", "F1", FIRST_FURTHER];
    extras.extend(
        names
            .iter()
            .enumerate()
            .map(|(k, name)| column(&format!("{name} corrected"), move |it| Cell::number(it.corrected.others[k], 3))),
    );
    extras
}

/// The cells of Table 3 or 5 in the words of the published ones.
pub fn entries(rows: &[Scored], cut: &Cut) -> Vec<Entry> {
    const COLUMNS: [&str; 6] = ["AUC (95%CI)", "Accuracy", "Sensitivity", "Specificity", "Precision", "F1"];
    let of = |scored: &Scored| {
        let set = if scored.set == "test" { "test" } else { "training" };
        let row = model_label(&scored.model).to_owned();
        let cells = std::iter::once(area(scored)).chain(shares(scored, threshold(scored, rows, cut)));
        let entry = |(column, cell): (&str, Cell)| Entry { set, row: row.clone(), column: column.to_owned(), cell };
        COLUMNS.into_iter().zip(cells).map(entry).collect::<Vec<_>>()
    };
    rows.iter().flat_map(of).collect()
}

fn area(scored: &Scored) -> Cell {
    let Some(auc) = roc::auc(&scored.score, &scored.event) else { return Cell::Empty };
    let ([low, high], _) = auc.interval();
    Cell::Interval { estimate: auc.auc, low, high, digits: 3 }
}

/// The intervals that are not DeLong's.
fn newcombe(rows: &[Scored]) -> Option<String> {
    let is = |scored: &&Scored| {
        roc::auc(&scored.score, &scored.event).is_some_and(|auc| auc.interval().1 == roc::Interval::Newcombe)
    };
    let found: Vec<String> =
        rows.iter().filter(is).map(|scored| format!("{} ({})", scored.model, scored.set)).collect();
    (!found.is_empty()).then(|| {
        let found = found.join(", ");
        format!("{found}: DeLong's interval has no width or does not exist; Newcombe's (method 5, 2006) is given")
    })
}

pub(in crate::report) fn threshold(scored: &Scored, rows: &[Scored], cut: &Cut) -> Option<f64> {
    match cut {
        Cut::At(threshold) => Some(*threshold),
        Cut::Youden(_) | Cut::YoudenOfEach => youden(learnt_in(scored, rows, cut)?),
        Cut::Reaching(wanted, _) => {
            let learnt = learnt_in(scored, rows, cut)?;
            roc::reaching(&roc::curve(&learnt.score, &learnt.event), *wanted).map(|point| point.threshold)
        }
    }
}

/// Why the Hosmer-Lemeshow test of probabilities, or its p value, is empty.
pub(in crate::report) fn no_hosmer_lemeshow(scored: &Scored) -> Option<String> {
    let (model, set) = (&scored.model, &scored.set);
    if !scored.is_probability() || scored.score.is_empty() {
        return None;
    }
    match scored.hosmer_lemeshow() {
        None => Some(format!(
            "{model}, {set}: no Hosmer-Lemeshow test: a group is expected to have no event, or nothing but events, and has \
             another, which makes its chi-square infinite"
        )),
        Some(test) if test.p.is_none() => Some(format!(
            "{model}, {set}: no {HL_P}: {} of different probabilities leave no degree of freedom",
            counted(test.groups, "group")
        )),
        Some(_) => None,
    }
}

/// The scores from which a cut-off is learnt; `None` where none of them are there, or none are needed.
pub(in crate::report) fn learnt_in<'a>(scored: &'a Scored, rows: &'a [Scored], cut: &Cut) -> Option<&'a Scored> {
    match cut {
        Cut::At(_) => None,
        Cut::YoudenOfEach | Cut::Reaching(_, None) => Some(scored),
        Cut::Youden(set) | Cut::Reaching(_, Some(set)) => {
            rows.iter().find(|row| row.model == scored.model && row.set == *set)
        }
    }
}

fn youden(scored: &Scored) -> Option<f64> {
    roc::youden(&roc::curve(&scored.score, &scored.event)).map(|point| point.threshold)
}

fn shares(scored: &Scored, threshold: Option<f64>) -> Vec<Cell> {
    let Some(threshold) = threshold else { return vec![Cell::Empty; 5] };
    let called = confusion(&scored.score, &scored.event, threshold);
    let shares = [called.accuracy(), called.sensitivity(), called.specificity(), called.precision(), called.f1()];
    shares.into_iter().map(|share| Cell::number(share, 3)).collect()
}
