//! Tables 1 and 2 for a journal.

use crate::protocol::codebook::Codebook;
use crate::protocol::codebook::variable::Variable;
use crate::report::clinical::{Block, blocks_of_sets, form, whole};
use crate::report::cohort::{Compared, Effect, Kind, is_rank_test};
use crate::report::describe::summary_cell;
use crate::report::journal::{Footnotes, Look, heading, level};
use crate::report::sheet::{Cell, Sheet};
use osteon_stats::stats::compare::{Chosen, PFrom, Params, TestName};
use osteon_stats::stats::describe::Summary;
use osteon_stats::stats::text::decimals;
use osteon_stats::table::{Table, TableError};

/// Patient characteristics by the sides of the outcome, with effect sizes.
pub fn table_1(
    book: &Codebook,
    cohort: &Table,
    event: &[Option<bool>],
    params: &Params,
    look: &Look,
) -> Result<Sheet, TableError> {
    let block = whole(book, cohort, event, params)?;
    let mut notes = Footnotes::default();
    let mut headings = vec!["Characteristic".to_owned(), format!("All (n = {})", block.n[0] + block.n[1])];
    headings.extend(groups(&block, ""));
    headings.extend(["Effect size".to_owned(), look.p_heading().to_owned()]);
    let mut rows = Vec::new();
    for variable in &block.variables {
        let form = form(book, variable);
        let (rank, name) = (rank(&[variable]), label(form, &[variable]));
        let mut first = vec![heading(&name)];
        first.extend(summaries(variable, rank, true, look));
        first.extend([effect(variable, look, &mut notes), p(variable, look, &mut notes)]);
        rows.push(first);
        let n_columns = headings.len();
        rows.extend(further(form, &name, &[variable], look, |cells| {
            let mut row: Vec<Cell> = cells[0].to_vec();
            row.resize(n_columns - 1, Cell::Empty);
            row
        }));
    }
    let mut lines = vec![abbreviations(&block, true)];
    lines.extend(notes.lines());
    let title = "Table 1. Patient characteristics by response".to_owned();
    Ok(Sheet { title, headings, rows, notes: lines, provenance: Vec::new() })
}

/// The same within the training and the test set, and the two sets against each other.
pub fn table_2(
    book: &Codebook,
    cohort: &Table,
    event: &[Option<bool>],
    test: &[Option<bool>],
    params: &Params,
    look: &Look,
) -> Result<Sheet, TableError> {
    let blocks = blocks_of_sets(book, cohort, event, test, params)?;
    let mut notes = Footnotes::default();
    let mut headings = vec!["Characteristic".to_owned()];
    let p_heading = look.p_heading();
    for (block, set) in blocks[..2].iter().zip(["Training", "Test"]) {
        headings.extend(groups(block, &format!("{set}: ")));
        headings.push(format!("{set}: {p_heading}"));
    }
    headings.push(format!("Training vs test: {p_heading}"));
    let mut rows = Vec::new();
    for at in 0..blocks[0].variables.len() {
        let [training, testing, sets] = [0, 1, 2].map(|block: usize| &blocks[block].variables[at]);
        let form = form(book, training);
        let both = [training, testing];
        let (rank, name) = (rank(&both), label(form, &both));
        let mut first = vec![heading(&name)];
        for variable in both {
            first.extend(summaries(variable, rank, false, look));
            first.push(p(variable, look, &mut notes));
        }
        first.push(p(sets, look, &mut notes));
        rows.push(first);
        rows.extend(further(form, &name, &both, look, |cells| {
            let mut row: Vec<Cell> =
                cells.iter().flat_map(|[_, first, second]| [first.clone(), second.clone(), Cell::Empty]).collect();
            row.push(Cell::Empty);
            row
        }));
    }
    let mut lines = vec![abbreviations(&blocks[0], false)];
    lines.extend(notes.lines());
    let title = "Table 2. Patient characteristics by response in the training and test sets".to_owned();
    Ok(Sheet { title, headings, rows, notes: lines, provenance: Vec::new() })
}

fn groups(block: &Block, prefix: &str) -> Vec<String> {
    (0..2).map(|group| format!("{prefix}{} (n = {})", block.groups[group], block.n[group])).collect()
}

/// Whether medians are printed: where ranks are compared in any of the comparisons of a row.
fn rank(variables: &[&Compared]) -> bool {
    variables.iter().any(|variable| is_rank_test(variable.chosen()))
}

/// `ALP, U/L, median (IQR)`; `Sex, No. (%)`.
fn label(form: &Variable, variables: &[&Compared]) -> String {
    let unit = if form.unit.is_empty() { String::new() } else { format!(", {}", form.unit) };
    match variables[0].kind {
        Kind::Categorical { .. } => format!("{}, No. (%)", form.label),
        Kind::Continuous(_) if rank(variables) => format!("{}{unit}, median (IQR)", form.label),
        Kind::Continuous(_) => format!("{}{unit}, mean ± SD", form.label),
    }
}

fn summaries(variable: &Compared, rank: bool, total: bool, look: &Look) -> Vec<Cell> {
    let Kind::Continuous(comparison) = &variable.kind else { return vec![Cell::Empty; if total { 3 } else { 2 }] };
    // One decimal more than a spread of two digits shows.
    let digits = decimals(comparison.all.sd, 1);
    let cell = |summary: &Summary| look.cell(&summary_cell(summary, rank, digits));
    let total = total.then(|| cell(&comparison.all));
    total.into_iter().chain(comparison.groups.iter().map(cell)).collect()
}

/// One row a level and one of missing values; `arranged` puts the cells of each comparison (all, first and second group)
/// in their columns.
fn further(
    form: &Variable,
    name: &str,
    variables: &[&Compared],
    look: &Look,
    arranged: impl Fn(&[[Cell; 3]]) -> Vec<Cell>,
) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    let mut add = |label: &str, of: &dyn Fn(&Compared) -> [Cell; 3]| {
        let cells: Vec<[Cell; 3]> = variables.iter().map(|variable| of(variable)).collect();
        rows.push([level(name, label)].into_iter().chain(arranged(&cells)).collect());
    };
    if let Kind::Categorical { levels, .. } = &variables[0].kind {
        for (at, own) in levels.iter().enumerate() {
            add(form.level_in_tables(own), &|variable| {
                let (n, Kind::Categorical { counts, .. }) = (variable.n(), &variable.kind) else {
                    return [Cell::Empty, Cell::Empty, Cell::Empty];
                };
                let [first, second] = counts[at];
                let cells = [(first + second, n[0] + n[1]), (first, n[0]), (second, n[1])];
                cells.map(|(n, of)| look.cell(&Cell::CountPercent { n, of }))
            });
        }
    }
    if variables.iter().any(|variable| variable.missing != [0, 0]) {
        add("Missing, No.", &|variable| {
            let [first, second] = variable.missing;
            [first + second, first, second].map(Cell::Count)
        });
    }
    rows
}

fn effect(variable: &Compared, look: &Look, notes: &mut Footnotes) -> Cell {
    let (text, note) = match variable.effect() {
        Effect::Difference(Some(value)) => (look.number(value, 2), "Standardized mean difference"),
        Effect::Association(Some(value)) => (look.proportion(value, 2), "Cramér V"),
        Effect::Shift(Some(shift)) => {
            let digits = match &variable.kind {
                Kind::Continuous(comparison) => decimals(comparison.all.sd, 1),
                Kind::Categorical { .. } => 2,
            };
            let cell = look.interval(shift.estimate, [shift.low, shift.high], digits, false);
            (cell.text(), "Hodges–Lehmann median difference (first minus second group) with 95% CI")
        }
        Effect::Difference(None) | Effect::Association(None) | Effect::Shift(None) => return Cell::Empty,
    };
    Cell::Printed(format!("{text}{}", notes.mark(note)))
}

fn p(variable: &Compared, look: &Look, notes: &mut Footnotes) -> Cell {
    let Some(chosen) = variable.chosen() else { return Cell::Printed("–".to_owned()) };
    let n: usize = variable.n().iter().sum();
    Cell::Printed(format!("{}{}", look.p(chosen.p), notes.mark(&format!("{}, n = {n}", test(chosen)))))
}

/// The name of a test in a sentence.
fn test(chosen: &Chosen) -> &'static str {
    match (chosen.test, chosen.from) {
        (TestName::TPooled, _) => "Student t test",
        (TestName::TWelch, _) => "Welch t test",
        (TestName::MannWhitney, PFrom::Exact) => "Exact Mann–Whitney U test",
        (TestName::MannWhitney, PFrom::Asymptotic) => "Mann–Whitney U test",
        (TestName::Pearson, _) => "Pearson χ² test",
        (TestName::Yates, _) => "χ² test with continuity correction",
        (TestName::LikelihoodRatio, _) => "Likelihood ratio χ² test",
        (TestName::Fisher, _) => "Fisher exact test",
    }
}

fn abbreviations(block: &Block, effects: bool) -> String {
    let has = |rank: bool| {
        block.variables.iter().any(|it| matches!(it.kind, Kind::Continuous(_)) && is_rank_test(it.chosen()) == rank)
    };
    let known = [
        (effects && has(true), "CI, confidence interval"),
        (has(true), "IQR, interquartile range (25th–75th percentile)"),
        (has(false), "SD, standard deviation"),
    ];
    let words: Vec<&str> = known.into_iter().filter(|(used, _)| *used).map(|(_, words)| words).collect();
    let first = "Percentages are of patients with a known value.";
    if words.is_empty() { first.to_owned() } else { format!("{first} Abbreviations: {}.", words.join("; ")) }
}
