//! Table 4 for a journal.

use crate::report::figure::forest::{Estimate, Row};
use crate::report::journal::{Footnotes, Look, heading, level};
use crate::report::odds;
use crate::report::regression::Regression;
use crate::report::screening::Screening;
use crate::report::sheet::{Cell, Sheet};
use osteon_stats::model::logistic::Method;
use osteon_stats::model::logistic::screen::Rows;

/// Univariable and multivariable odds ratios with reference levels and increases.
pub fn table_4(screening: &Screening, look: &Look) -> Sheet {
    let lines = odds::rows(screening);
    let p = look.p_heading();
    let headings = ["Characteristic", "Univariable OR (95% CI)", &format!("Univariable {p}")]
        .into_iter()
        .chain(["Multivariable OR (95% CI)", &format!("Multivariable {p}")])
        .map(str::to_owned)
        .collect();
    let mut notes = Footnotes::default();
    let together = screening.multivariate.as_ref();
    let mut of = String::new();
    let mut rows = Vec::new();
    let is_level = |row: &Row| row.label.starts_with(' ');
    for (at, line) in lines.iter().enumerate() {
        let name = line.label.trim_start();
        if !is_level(line) {
            of = name.to_owned();
        }
        // The levels of one variable: those before and behind this one.
        let block = || {
            let before = lines[..at].iter().rev().take_while(|row| is_level(row));
            before.chain(lines[at..].iter().take_while(|row| is_level(row)))
        };
        let variable = screening.variables.iter().find(|it| of == it.variable.label || of == odds::with_increase(it));
        let alone = variable.and_then(|it| Some((it.model.as_ref().ok()?, it.encoded.kept.len())));
        let both = together.and_then(|(encoded, model)| Some((model.as_ref().ok()?, encoded.kept.len())));
        let mut row = vec![if is_level(line) { level(&of, name) } else { heading(name) }];
        row.extend(cells(
            line,
            line.univariable,
            alone,
            block().any(|row| row.univariable.is_some()),
            look,
            &mut notes,
        ));
        let is_in = block().any(|row| row.multivariable.is_some());
        row.extend(cells(line, line.multivariable, both, is_in, look, &mut notes));
        rows.push(row);
    }
    let who = match screening.rows {
        Rows::All => format!("all {} patients", screening.n_rows),
        Rows::Train => format!("the {} patients of the training set", screening.n_rows),
    };
    let mut lines = vec![format!(
        "Logistic regression with {} as the event in {who}. Variables with a univariable P below {} entered the multivariable \
         model. Abbreviations: CI, confidence interval; OR, odds ratio.",
        screening.event, screening.enter
    )];
    lines.extend(notes.lines());
    let title = format!("Table 4. Univariable and multivariable logistic regression of {}", screening.event);
    Sheet { title, headings, rows, notes: lines, provenance: Vec::new() }
}

/// Odds ratio and P of one model; the reference level where the model has others of it.
fn cells(
    line: &Row,
    estimate: Option<Estimate>,
    model: Option<(&Regression, usize)>,
    is_in: bool,
    look: &Look,
    notes: &mut Footnotes,
) -> [Cell; 2] {
    match (estimate, model) {
        (Some(it), Some((model, n))) => {
            // Three decimals where two would hide a narrow interval, as for a variable in small units.
            let digits = if it.high - it.low < 0.05 { 3 } else { 2 };
            let method = match model.fit.method {
                Method::MaximumLikelihood => "Wald test",
                Method::Firth => "Wald test, Firth penalized likelihood",
            };
            let mark = notes.mark(&format!("{method}, n = {n}, {} events", model.fit.events));
            let odds = look.interval(it.odds_ratio, [it.low, it.high], digits, false);
            [odds, Cell::Printed(format!("{}{mark}", look.p(it.p)))]
        }
        _ if line.reference && is_in => [Cell::Printed("1\u{a0}(reference)".to_owned()), Cell::Empty],
        _ => [Cell::Empty, Cell::Empty],
    }
}
