//! A reading in words, shown before anything is judged: every column and row with its role, and what took no part.

use crate::cells::{PublishedCell, Value};
use crate::read::{Of, Reading};
use crate::role::{Role, RowRole};

/// How many cells with numbers a table has, and which of them no check read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    pub cells: usize,
    pub used: usize,
    /// Line, column, text.
    pub missing: Vec<(usize, usize, String)>,
}

/// Whether a cell has numbers of the body; the size in a header has not.
fn counts(cell: &PublishedCell) -> bool {
    let is_number = !matches!(cell.value, Value::Absent | Value::Reference | Value::Words);
    is_number && cell.row_role != RowRole::Sizes
}

/// The coverage of a reading; `used` says of each of its cells whether a check read it.
pub fn coverage(reading: &Reading, used: &[bool]) -> Coverage {
    let mut coverage = Coverage { missing: reading.unread.clone(), ..Coverage::default() };
    coverage.cells = reading.unread.len();
    let is_unread = |cell: &&PublishedCell| {
        cell.value == Value::Words
            && cell.row_role != RowRole::Sizes
            && cell.printed.bytes().any(|byte| byte.is_ascii_digit())
    };
    for cell in reading.cells.iter().filter(is_unread) {
        coverage.cells += 1;
        coverage.missing.push((cell.source.line, cell.source.column, cell.printed.clone()));
    }
    // A P or a standard error in the cell of its estimate is no cell of its own.
    let is_inner = |cell: &PublishedCell| {
        let own = |it: &&PublishedCell| {
            it.source.line == cell.source.line
                && it.source.column == cell.source.column
                && matches!(it.role, Role::Estimate(_) | Role::Score(_) | Role::Average(_))
        };
        matches!(cell.role, Role::P(_) | Role::StandardError) && reading.cells.iter().any(|it| own(&it))
    };
    let read = reading.cells.iter().zip(used).filter(|(cell, _)| counts(cell) && !is_inner(cell));
    for (cell, used) in read {
        let n = 1 + cell.source.also.len();
        coverage.cells += n;
        if *used {
            coverage.used += n;
        } else {
            coverage.missing.push((cell.source.line, cell.source.column, cell.printed.clone()));
        }
    }
    coverage.missing.sort();
    coverage
}

/// The reading in lines.
pub fn text(reading: &Reading) -> String {
    let mut lines = vec![head(reading)];
    for (of, word, title) in [(Of::Column, "column", "Columns"), (Of::Row, "line", "Rows")] {
        let all: Vec<_> = reading.said.iter().filter(|said| said.of == of).collect();
        if all.is_empty() {
            continue;
        }
        lines.push(format!("  {title}"));
        let width = all.iter().map(|said| said.heading.chars().count()).max().unwrap_or(0).min(36);
        for said in all {
            lines.push(format!("    {word} {:<3} {:<width$}  {}", said.at, cut(&said.heading, width), said.role));
        }
    }
    lines.join("\n") + "\n"
}

fn head(reading: &Reading) -> String {
    let title = if reading.title.is_empty() { String::new() } else { format!(": {}", cut(&reading.title, 100)) };
    format!("Table {} of {}{title}", reading.name, reading.file)
}

/// `412 of 460 cells took part; these did not: ...`
pub fn coverage_text(reading: &Reading, coverage: &Coverage) -> String {
    let head = format!("Table {}: {} of {} cells took part", reading.name, coverage.used, coverage.cells);
    if coverage.missing.is_empty() {
        return head;
    }
    let mut columns: Vec<usize> = coverage.missing.iter().map(|(_, column, _)| *column).collect();
    columns.sort_unstable();
    columns.dedup();
    let heading = |column: usize| {
        reading
            .said
            .iter()
            .find(|said| said.of == Of::Column && said.at == column)
            .map_or("", |said| said.heading.as_str())
    };
    let of_column = |&column: &usize| {
        let lines: Vec<usize> = coverage.missing.iter().filter(|it| it.1 == column).map(|it| it.0).collect();
        let name = heading(column);
        let name = if name.is_empty() { String::new() } else { format!(" ({})", cut(name, 40)) };
        format!("column {column}{name}, {}", ranges(&lines))
    };
    format!("{head}; these did not: {}", columns.iter().map(of_column).collect::<Vec<_>>().join("; "))
}

/// `lines 3-7, 9`
fn ranges(lines: &[usize]) -> String {
    let mut lines = lines.to_vec();
    lines.sort_unstable();
    lines.dedup();
    let runs: Vec<String> = lines
        .chunk_by(|a, b| a + 1 == *b)
        .map(|run| match run {
            [one] => one.to_string(),
            run => format!("{}-{}", run[0], run[run.len() - 1]),
        })
        .collect();
    format!("{} {}", if lines.len() == 1 { "line" } else { "lines" }, runs.join(", "))
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}
