//! Tables 1 and 2: the cohort by response, as a whole and within the training and test sets.

use crate::protocol::codebook::Codebook;
use crate::protocol::codebook::variable::Variable;
use crate::report::cohort::{Compared, EFFECT, Kind, compare, is_rank_test};
use crate::report::describe::{summary_cell, test_cells};
use crate::report::differences::Asked;
use crate::report::printed::Entry;
use crate::report::sheet::{Cell, Sheet};
use osteon_stats::stats::compare::{ContinuousRule, PFrom, Params, TestName};
use osteon_stats::stats::describe::Summary;
use osteon_stats::stats::text::decimals;
use osteon_stats::table::{Column, Table, TableError, Values};

/// What the headings and notes of Table 2 begin with, one a comparison.
pub const SETS: [&str; 3] = ["Training: ", "Test: ", "Sets: "];

/// One comparison of two groups over all printed variables.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// `all`, `training`, `test`, or `balance` for training against test.
    pub set: &'static str,
    pub groups: [String; 2],
    pub n: [usize; 2],
    pub variables: Vec<Compared>,
}

/// Which statistics a continuous variable is printed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spread {
    /// Mean ± SD for all, as published.
    MeanSd,
    /// The median where ranks are compared.
    ByTest,
}

/// Table 1: all patients by the sides of the outcome in force; patients whose side is unknown do not count.
pub fn table_1(
    book: &Codebook,
    cohort: &Table,
    event: &[Option<bool>],
    params: &Params,
    asked: Asked,
) -> Result<(Sheet, Vec<Entry>), TableError> {
    let title = "Table 1. Clinical characteristics by response".to_owned();
    table_1_of(book, cohort, book.sides(), event, title, params, asked)
}

/// The same by two other groups: with and without an event in the course of time, or of low and high risk.
pub fn table_1_of(
    book: &Codebook,
    cohort: &Table,
    groups: [&str; 2],
    second: &[Option<bool>],
    title: String,
    params: &Params,
    asked: Asked,
) -> Result<(Sheet, Vec<Entry>), TableError> {
    let block = block(book, "all", groups, cohort, second, params)?;
    let spread = spread(params);
    let mut headings = vec!["Variable".to_owned(), format!("Total (n = {})", block.n[0] + block.n[1])];
    headings.extend(group_headings(&block, "", asked));
    let mut rows = Vec::new();
    for (variable, adjusted) in block.variables.iter().zip(asked.adjusted(&block.variables)) {
        rows.extend(variable_rows(book, variable, &[Part { variable, total: true, adjusted }], spread, asked));
    }
    let mut notes = vec![spread.note().to_owned(), EFFECT.to_owned()];
    notes.extend(asked.notes());
    notes.extend(block.variables.iter().map(|variable| variable.note(&form(book, variable).in_tables())));
    let sheet = Sheet { title, headings, rows, notes, provenance: Vec::new() };
    Ok((sheet, entries(book, &block)))
}

/// Table 2: by response within each set, and training against test. `test` is membership of the test set.
pub fn table_2(
    book: &Codebook,
    cohort: &Table,
    event: &[Option<bool>],
    test: &[Option<bool>],
    params: &Params,
    asked: Asked,
) -> Result<(Sheet, Vec<Entry>), TableError> {
    let blocks = blocks_of_sets(book, cohort, event, test, params)?;
    let spread = spread(params);
    let mut headings = vec!["Variable".to_owned()];
    let mut notes = vec![spread.note().to_owned(), EFFECT.to_owned()];
    notes.extend(asked.notes());
    for (block, prefix) in blocks.iter().zip(SETS) {
        headings.extend(group_headings(block, prefix, asked));
        let label = |variable: &Compared| format!("{prefix}{}", form(book, variable).in_tables());
        notes.extend(block.variables.iter().map(|variable| variable.note(&label(variable))));
    }
    let mut rows = Vec::new();
    let adjusted = blocks.each_ref().map(|block| asked.adjusted(&block.variables));
    for at in 0..blocks[0].variables.len() {
        let sets = blocks.iter().zip(&adjusted);
        let parts: Vec<Part> = sets
            .map(|(block, adjusted)| Part { variable: &block.variables[at], total: false, adjusted: adjusted[at] })
            .collect();
        rows.extend(variable_rows(book, parts[0].variable, &parts, spread, asked));
    }
    let title = "Table 2. Clinical characteristics by response in the training and test sets".to_owned();
    let found = blocks[..2].iter().flat_map(|block| entries(book, block)).collect();
    Ok((Sheet { title, headings, rows, notes, provenance: Vec::new() }, found))
}

/// All patients by the sides of the outcome.
pub(in crate::report) fn whole(
    book: &Codebook,
    cohort: &Table,
    event: &[Option<bool>],
    params: &Params,
) -> Result<Block, TableError> {
    block(book, "all", book.sides(), cohort, event, params)
}

/// By response within the training and the test set, and training against test.
pub(in crate::report) fn blocks_of_sets(
    book: &Codebook,
    cohort: &Table,
    event: &[Option<bool>],
    test: &[Option<bool>],
    params: &Params,
) -> Result<[Block; 3], TableError> {
    let within = |side: bool| -> Vec<Option<bool>> {
        event.iter().zip(test).map(|(event, test)| event.filter(|_| *test == Some(side))).collect()
    };
    let known: Vec<Option<bool>> =
        event.iter().zip(test).map(|(event, test)| test.filter(|_| event.is_some())).collect();
    Ok([
        block(book, "training", book.sides(), cohort, &within(false), params)?,
        block(book, "test", book.sides(), cohort, &within(true), params)?,
        block(book, "balance", ["training", "test"], cohort, &known, params)?,
    ])
}

/// A P value that Table 1 or 2 prints.
#[derive(Clone, Debug, PartialEq)]
pub struct PrintedTest {
    /// `1` or `2`.
    pub table: &'static str,
    /// The variable; with its comparison where the table has three.
    pub label: String,
    pub test: TestName,
    pub from: PFrom,
}

/// The tests whose P values Table 1 prints, and Table 2 where there are sets, in the order of the tables.
pub fn printed_tests(
    book: &Codebook,
    cohort: &Table,
    event: &[Option<bool>],
    test: Option<&[Option<bool>]>,
    params: &Params,
) -> Result<Vec<PrintedTest>, TableError> {
    let mut blocks = vec![("1", "", whole(book, cohort, event, params)?)];
    if let Some(test) = test {
        let sets = [" (training)", " (test)", " (sets)"].into_iter();
        let found = sets.zip(blocks_of_sets(book, cohort, event, test, params)?);
        blocks.extend(found.map(|(label, block)| ("2", label, block)));
    }
    let of = |(table, set, block): &(&'static str, &str, Block)| {
        let printed = |variable: &Compared| {
            let chosen = variable.chosen()?;
            let label = format!("{}{set}", form(book, variable).in_tables());
            Some(PrintedTest { table, label, test: chosen.test, from: chosen.from })
        };
        block.variables.iter().filter_map(printed).collect::<Vec<_>>()
    };
    Ok(blocks.iter().flat_map(of).collect())
}

impl Spread {
    fn note(self) -> &'static str {
        match self {
            Spread::MeanSd => "n (%); mean ± SD",
            Spread::ByTest => "n (%); mean ± SD, median [quartiles] where ranks are compared",
        }
    }
}

/// The published tables print mean ± SD beside Mann-Whitney's test throughout.
fn spread(params: &Params) -> Spread {
    if params.continuous == ContinuousRule::MannWhitney { Spread::MeanSd } else { Spread::ByTest }
}

fn block(
    book: &Codebook,
    set: &'static str,
    groups: [&str; 2],
    cohort: &Table,
    second: &[Option<bool>],
    params: &Params,
) -> Result<Block, TableError> {
    let names: Vec<&str> = book.described().into_iter().map(|variable| variable.name.as_str()).collect();
    let variables = compare(&in_printed_order(book, cohort)?, &names, second, params)?;
    let n = [false, true].map(|group| second.iter().filter(|&&of| of == Some(group)).count());
    Ok(Block { set, groups: groups.map(str::to_owned), n, variables })
}

/// The declaration of a compared variable.
pub(in crate::report) fn form<'a>(book: &'a Codebook, variable: &Compared) -> &'a Variable {
    book.named(&variable.name).expect("tables compare variables of the codebook")
}

/// The cohort with levels in the order of the table, whatever order its source has: sums over levels then have the same
/// last digit for a study and for a file.
fn in_printed_order(book: &Codebook, cohort: &Table) -> Result<Table, TableError> {
    let column = |column: &Column| {
        let (Some(form), Values::Levels { levels, codes }) = (book.named(&column.name), &column.values) else {
            return column.clone();
        };
        let printed = form.printed_levels();
        let place =
            |level: &String| printed.iter().position(|(name, _)| *name == level.as_str()).unwrap_or(printed.len());
        let mut order: Vec<usize> = (0..levels.len()).collect();
        order.sort_by_key(|&code| place(&levels[code]));
        let mut new_code = vec![0; levels.len()];
        order.iter().enumerate().for_each(|(new, &old)| new_code[old] = new);
        let codes = codes.iter().map(|code| code.map(|code| new_code[code])).collect();
        let levels = order.iter().map(|&code| levels[code].clone()).collect();
        Column { name: column.name.clone(), values: Values::Levels { levels, codes } }
    };
    Table::new(cohort.rows().to_vec(), cohort.columns().iter().map(column).collect())
}

fn group_headings(block: &Block, prefix: &str, asked: Asked) -> Vec<String> {
    let groups = (0..2).map(|group| format!("{prefix}{} (n = {})", block.groups[group], block.n[group]));
    let tests = ["test", "statistic", "df", "p", "effect"];
    let name = |test: &str| if prefix.is_empty() { test.to_owned() } else { format!("{prefix}{test}") };
    groups.chain(tests.into_iter().chain(asked.headings()).map(name)).collect()
}

/// One comparison's columns of a variable.
struct Part<'a> {
    variable: &'a Compared,
    /// Whether both groups together come first.
    total: bool,
    adjusted: Option<f64>,
}

/// The rows of a variable: its name with summaries and tests, one a level, and the missing ones.
fn variable_rows(book: &Codebook, first: &Compared, parts: &[Part], spread: Spread, asked: Asked) -> Vec<Vec<Cell>> {
    let form = form(book, first);
    let name = form.in_tables();
    let mut rows = vec![vec![Cell::Text(name.clone())]];
    for part in parts {
        rows[0].extend(summaries(part, spread));
        rows[0].extend(test_cells(part.variable));
        rows[0].extend(asked.cells(part.variable, part.adjusted).swap_remove(0));
    }
    let further = asked.headings().len();
    let level_row = |label: String, at: Option<usize>, cells: &dyn Fn(&Part) -> Vec<Cell>| {
        let mut row = vec![Cell::Level { of: name.clone(), level: label }];
        for part in parts {
            row.extend(cells(part));
            row.extend(vec![Cell::Empty; 5]);
            let own = at.and_then(|at| asked.cells(part.variable, None).into_iter().nth(at + 1));
            row.extend(own.unwrap_or_else(|| vec![Cell::Empty; further]));
        }
        row
    };
    if let Kind::Categorical { levels, .. } = &first.kind {
        for (at, level) in levels.iter().enumerate() {
            rows.push(level_row(form.level_in_tables(level).to_owned(), Some(at), &|part| counts(part, at)));
        }
    }
    if parts.iter().any(|part| part.variable.missing != [0, 0]) {
        rows.push(level_row("missing".to_owned(), None, &|part| {
            let missing = part.variable.missing;
            let total = part.total.then_some(Cell::Count(missing[0] + missing[1]));
            total.into_iter().chain(missing.map(Cell::Count)).collect()
        }));
    }
    rows
}

fn summaries(part: &Part, spread: Spread) -> Vec<Cell> {
    let Kind::Continuous(comparison) = &part.variable.kind else {
        return vec![Cell::Empty; if part.total { 3 } else { 2 }];
    };
    let rank = spread == Spread::ByTest && is_rank_test(part.variable.chosen());
    let digits = decimals(comparison.all.sd, 2);
    let cell = |summary: &Summary| summary_cell(summary, rank, digits);
    let total = part.total.then(|| cell(&comparison.all));
    total.into_iter().chain(comparison.groups.iter().map(cell)).collect()
}

fn counts(part: &Part, level: usize) -> Vec<Cell> {
    let Kind::Categorical { counts, .. } = &part.variable.kind else { return vec![Cell::Empty; 2] };
    let (n, count) = (part.variable.n(), counts[level]);
    let total = part.total.then(|| Cell::CountPercent { n: count[0] + count[1], of: n[0] + n[1] });
    total.into_iter().chain((0..2).map(|group| Cell::CountPercent { n: count[group], of: n[group] })).collect()
}

/// The cells of a block in the words of the published tables.
fn entries(book: &Codebook, block: &Block) -> Vec<Entry> {
    let whole = block.set == "all";
    let entry = |row: &str, column: &str, cell: Cell| Entry {
        set: block.set,
        row: row.to_owned(),
        column: column.to_owned(),
        cell,
    };
    let columns = [whole.then_some("Total"), Some(block.groups[0].as_str()), Some(block.groups[1].as_str())];
    let columns: Vec<&str> = columns.into_iter().flatten().collect();
    let across = |row: &str, cells: Vec<Cell>| {
        columns.iter().zip(cells).map(|(column, cell)| entry(row, column, cell)).collect::<Vec<_>>()
    };
    let total = whole.then_some(Cell::Count(block.n[0] + block.n[1]));
    let mut found = across("n", total.into_iter().chain(block.n.map(Cell::Count)).collect());
    for variable in &block.variables {
        let form = form(book, variable);
        let name = form.in_tables();
        let part = Part { variable, total: whole, adjusted: None };
        match &variable.kind {
            Kind::Continuous(_) => found.extend(across(&name, summaries(&part, Spread::MeanSd))),
            Kind::Categorical { levels, .. } => {
                for (at, level) in levels.iter().enumerate() {
                    found.extend(across(&format!("{name}: {}", form.level_in_tables(level)), counts(&part, at)));
                }
            }
        }
        if let Some(chosen) = variable.chosen() {
            // An exact p value of ranks does not come from the Z beside it.
            if chosen.test != TestName::MannWhitney || chosen.from != PFrom::Exact {
                found.push(entry(&name, "statistic", Cell::number(chosen.statistic, 3)));
            }
            found.push(entry(&name, "P value", Cell::P(chosen.p)));
        }
    }
    found
}

/// Which rows of a cohort carry the event: the column `event`, else what the outcome in force says of the variables.
pub fn event_of(book: &Codebook, cohort: &Table) -> Result<Vec<Option<bool>>, TableError> {
    match (cohort.numbers("event"), book.outcome().and_then(|outcome| outcome.cut(book))) {
        (Ok(event), _) => Ok(event.iter().map(|event| event.map(|event| event == 1.0)).collect()),
        (Err(_), Some(cut)) => {
            let holds = |value: f64| cut.holds(value);
            Ok(cohort.numbers(&cut.variable.name)?.iter().map(|value| value.map(holds)).collect())
        }
        (Err(why), None) => Err(why),
    }
}

/// Which rows belong to the test set, from the column `set` (or `split`); `None` for rows in neither.
pub fn test_set_of(cohort: &Table) -> Result<Vec<Option<bool>>, TableError> {
    let column = cohort.column("set").or_else(|_| cohort.column("split"))?;
    let Values::Levels { levels, codes } = &column.values else {
        return Err(TableError::NotLevels(column.name.clone()));
    };
    let side = |code: usize| match levels[code].as_str() {
        "test" => Some(true),
        "train" | "training" => Some(false),
        _ => None,
    };
    Ok(codes.iter().map(|code| code.and_then(side)).collect())
}
