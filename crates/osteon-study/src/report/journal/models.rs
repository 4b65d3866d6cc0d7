//! Tables 3 and 5 for a journal: performance with intervals, one block a set.

use crate::report::journal::{Footnotes, Look, heading, level};
use crate::report::performance::Scored;
use crate::report::sheet::{Cell, Sheet};
use osteon_stats::evaluate::calibration::{brier, calibration};
use osteon_stats::evaluate::roc::{self, confusion};
use osteon_stats::stats::proportion::wilson;

/// `named` gives a model's proper name; `threshold` cuts scores into event and no event.
pub fn models(title: &str, rows: &[Scored], named: impl Fn(&str) -> String, threshold: f64, look: &Look) -> Sheet {
    let headings = [
        "Model",
        "AUC (95% CI)",
        "Accuracy (95% CI)",
        "Sensitivity (95% CI)",
        "Specificity (95% CI)",
        "Calibration slope",
        "Brier score",
    ];
    let mut notes = Footnotes::default();
    let mut cells = Vec::new();
    let mut last = None;
    for scored in rows {
        let set = set(&scored.set);
        if last.as_ref() != Some(&set) {
            let events = scored.event.iter().filter(|&&event| event).count();
            let mut row = vec![heading(format!("{set} (n = {}, {events} events)", scored.event.len()))];
            row.resize(headings.len(), Cell::Empty);
            cells.push(row);
            last = Some(set.clone());
        }
        cells.push(of_model(scored, &set, named(&scored.model), threshold, look, &mut notes));
    }
    let mut lines = vec![format!(
        "Classification threshold {}. 95% CI: DeLong for AUC, Wilson for proportions. Abbreviations: AUC, area under the ROC \
         curve; CI, confidence interval; ROC, receiver operating characteristic.",
        look.proportion(threshold, 2)
    )];
    lines.extend(notes.lines());
    let headings = headings.map(str::to_owned).to_vec();
    Sheet { title: title.to_owned(), headings, rows: cells, notes: lines, provenance: Vec::new() }
}

fn of_model(scored: &Scored, set: &str, name: String, threshold: f64, look: &Look, notes: &mut Footnotes) -> Vec<Cell> {
    let first = rows_left_out(scored).map_or(name.clone(), |note| format!("{name}{}", notes.mark(&note)));
    let mut row = vec![level(set, &first)];
    row.push(match roc::auc(&scored.score, &scored.event) {
        Some(auc) => {
            let (interval, by) = auc.interval();
            let cell = look.interval(auc.auc, interval, 3, true);
            match by {
                roc::Interval::Newcombe => {
                    let mark =
                        notes.mark("Newcombe method 5 (2006): the DeLong interval has no width or does not exist");
                    Cell::Printed(format!("{}{mark}", cell.text()))
                }
                _ => cell,
            }
        }
        None => Cell::Empty,
    });
    let shares = confusion(&scored.score, &scored.event, threshold).shares();
    row.extend(shares[..3].iter().map(|(_, n, of)| match wilson(*n, *of) {
        Some(interval) => look.interval(*n as f64 / *of as f64, interval, 3, true),
        None => Cell::Empty,
    }));
    let indices = calibration(&scored.event, &scored.score).filter(|_| scored.is_probability());
    let slope = indices.and_then(|it| it.recalibration).map(|it| it.slope);
    row.push(slope.map_or(Cell::Printed("–".to_owned()), |slope| Cell::Printed(look.number(slope, 2))));
    let brier = brier(&scored.event, &scored.score).filter(|_| scored.is_probability());
    row.push(brier.map_or(Cell::Printed("–".to_owned()), |brier| Cell::Printed(look.proportion(brier, 3))));
    row
}

fn rows_left_out(scored: &Scored) -> Option<String> {
    (scored.n_missing > 0).then(|| {
        format!("{} of the set without a score were left out", osteon_base::text::counted(scored.n_missing, "patient"))
    })
}

/// `Training set`; the name of an external cohort as it is.
fn set(name: &str) -> String {
    match name {
        "training" => "Training set".to_owned(),
        "test" => "Test set".to_owned(),
        other => other.to_owned(),
    }
}
