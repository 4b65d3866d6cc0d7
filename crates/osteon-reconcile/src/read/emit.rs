//! A grid turned into a reading: every cell read under its column and row.

use std::collections::HashSet;

use crate::cells::{PublishedCell, Value};
use crate::finding::Place;
use crate::metric::Metric;
use crate::read::columns::{self, Column};
use crate::read::correction::{Metrics, TableCorrection, Unit};
use crate::read::grid::{Grid, GridRow};
use crate::read::header::{self, Frame};
use crate::read::value::{self, Read, Shape};
use crate::read::{Reading, beside, matrix, models, said, terms, words};
use crate::role::{Role, Rounding, RowRole, Source};

/// A table being read.
pub struct Table<'a> {
    pub file: &'a str,
    pub name: String,
    pub grid: &'a Grid,
    pub reads: Vec<Vec<Read>>,
    pub frame: Frame,
    /// Columns under the header, and under each row that begins a new one.
    pub columns: Vec<Column>,
    pub again: Vec<(usize, Vec<Column>)>,
    pub correction: TableCorrection,
    pub cells: Vec<PublishedCell>,
    /// Row and column of every cell that was read or is part of one.
    pub taken: HashSet<(usize, usize)>,
}

/// Finds structure and roles, reads every cell, and lists what was not read.
///
/// `is_decimal` says that the file writes decimals with a comma.
pub fn understand(
    mut grid: Grid,
    file: &str,
    [number, total]: [usize; 2],
    correction: TableCorrection,
    is_decimal: bool,
) -> Reading {
    for row in &mut grid.rows {
        // A cell that is missing at the end of a line is an empty one.
        row.cells.truncate(crate::read::grid::MOST_COLUMNS);
    }
    let halves = beside::stacked(&mut grid);
    let mut reads: Vec<Vec<Read>> = grid
        .rows
        .iter()
        .map(|row| row.cells.iter().map(|cell| value::read_by(&cell.text, is_decimal)).collect())
        .collect();
    let width = grid.width();
    let absent = value::read("");
    reads.iter_mut().for_each(|row| row.resize(width, absent.clone()));
    settle_points(&grid, &mut reads);
    let frame = header::frame(&grid, &reads, correction.labels);
    let in_rows = match correction.metrics {
        Some(metrics) => metrics == Metrics::Rows,
        None => metrics_in_rows(&grid, &reads, &frame),
    };
    let found = |paths: &[Vec<String>]| columns::columns(&grid, &reads, &frame, paths, in_rows, &correction);
    let columns = found(&frame.paths);
    let sections = header::sections(&grid);
    let again: Vec<(usize, Vec<Column>)> = frame
        .again
        .iter()
        .map(|(row, paths)| {
            let mut columns = found(paths);
            // The row that opens a section names its set.
            for column in columns.iter_mut().filter(|it| sections.contains(row) && it.set.is_empty()) {
                column.set = words::without_size(grid.text(*row, 0));
            }
            (*row, columns)
        })
        .collect();
    let name = correction.name.clone().unwrap_or_else(|| table_name(&grid.title, file, number, total));
    let mut table = Table {
        file,
        name: name.clone(),
        grid: &grid,
        reads,
        frame,
        columns,
        again,
        correction,
        cells: Vec::new(),
        taken: HashSet::new(),
    };
    let rows = if table.correction.metrics.is_none() && table.correction.is_silent() && matrix::read(&mut table) {
        Vec::new()
    } else if in_rows {
        models::in_rows(&mut table)
    } else {
        terms::in_columns(&mut table)
    };
    let mut said = said::said(&table, &rows, in_rows);
    let mut unread = table.unread();
    let rounding = table.correction.rounding;
    let mut cells = table.cells;
    if let Some(halves) = &halves {
        halves.put_back(&mut cells, &mut said, &mut unread);
    }
    shares(&mut cells);
    for cell in &mut cells {
        cell.rounding = rounding;
        if rounding == Some(Rounding::Cut) && cell.row_role != RowRole::Sizes {
            cell.value = cell.value.cut();
        }
    }
    unique(&mut cells);
    let title = grid.title.clone();
    let grid = halves.map_or(grid, |it| it.grid);
    Reading { file: file.to_owned(), number, name, title, grid, said, cells, unread }
}

/// Where raised decimal points are the rule they are no oddity.
fn settle_points(grid: &Grid, reads: &mut [Vec<Read>]) {
    let cells = || grid.rows.iter().flat_map(|row| &row.cells);
    let raised = cells().filter(|cell| cell.text.contains('·')).count();
    let points =
        cells().filter(|cell| cell.text.contains('.') && cell.text.bytes().any(|byte| byte.is_ascii_digit())).count();
    if raised > points {
        for read in reads.iter_mut().flatten() {
            if read.odd.as_ref().is_some_and(|odd| odd.why.starts_with("A raised point")) {
                read.odd = None;
            }
        }
    }
}

/// Whether the names of metrics stand in the labels of rows rather than above columns.
fn metrics_in_rows(grid: &Grid, reads: &[Vec<Read>], frame: &Frame) -> bool {
    let is_metric =
        |text: &str| Metric::named(text).or_else(|| Metric::at_end(text)).is_some_and(|metric| metric != Metric::Size);
    let body = (frame.n_header..grid.rows.len()).filter(|&row| !frame.is_header_row(row));
    let with_data: Vec<usize> = body
        .filter(|&row| (frame.n_labels..grid.width()).any(|at| !matches!(reads[row][at].shape, Shape::Absent)))
        .collect();
    let in_rows = with_data.iter().filter(|&&row| (0..frame.n_labels).any(|at| is_metric(grid.text(row, at)))).count();
    let in_columns =
        frame.paths.iter().skip(frame.n_labels).filter(|path| path.iter().any(|text| is_metric(text))).count();
    in_rows > 1 && in_rows > in_columns && 4 * in_rows >= with_data.len()
}

/// `3` of `Table 3. ...`; otherwise the file, and the table's number when it has several.
fn table_name(title: &str, file: &str, number: usize, total: usize) -> String {
    let lower = title.to_lowercase();
    let numbered = lower.find("table").and_then(|at| {
        let rest: String = title.get(at + 5..)?.trim_start().chars().take_while(|c| c.is_alphanumeric()).collect();
        (!rest.is_empty() && at < 20 && (rest.bytes().any(|byte| byte.is_ascii_digit()) || rest.len() < 4))
            .then_some(rest)
    });
    let stem = std::path::Path::new(file).file_stem().map_or("table".into(), |stem| stem.to_string_lossy());
    match numbered {
        Some(number) => number,
        None if total > 1 => format!("{stem} {number}"),
        None => stem.into_owned(),
    }
}

impl Table<'_> {
    /// The columns in force at a row.
    pub fn columns_at(&self, row: usize) -> &[Column] {
        self.again.iter().rev().find(|(at, _)| *at <= row).map_or(&self.columns, |(_, columns)| columns)
    }

    pub fn body(&self) -> Vec<usize> {
        (self.frame.n_header..self.grid.rows.len()).filter(|&row| !self.frame.is_header_row(row)).collect()
    }

    /// Whether the table, or one of its sets, says that its scores are of cross-validation.
    pub fn is_resampled(&self, set: &str) -> bool {
        let labels = self.frame.paths.first().map(|path| path.join(" ")).unwrap_or_default();
        [self.grid.title.as_str(), labels.as_str(), set].into_iter().any(words::is_resampled)
            || words::says_means_over_folds(&self.footnotes())
    }

    /// Whether the heading of the labels, the title or a footnote says that means stand with their standard errors.
    pub fn says_errors_of_means(&self) -> bool {
        let labels = self.frame.paths.first().map(|path| path.join(" ")).unwrap_or_default();
        let notes = self.footnotes();
        [self.grid.title.as_str(), labels.as_str(), notes.as_str()].into_iter().any(words::notes_errors_of_means)
    }

    /// What stands below the table: its legend, and last rows of one text alone.
    pub fn footnotes(&self) -> String {
        let alone = |row: &&GridRow| {
            row.cells.iter().skip(1).all(|cell| cell.text.is_empty())
                && row.cells.first().is_some_and(|cell| cell.text.contains(' '))
        };
        let rows = self.grid.rows.iter().rev().take_while(alone);
        let texts = rows.filter_map(|row| row.cells.first()).map(|cell| cell.text.as_str());
        texts.chain([self.grid.legend.as_str()]).collect::<Vec<_>>().join(" ")
    }

    pub fn line(&self, row: usize, column: usize) -> usize {
        let row = &self.grid.rows[row];
        row.cells.get(column).map_or(row.line, |cell| if cell.line == 0 { row.line } else { cell.line })
    }

    /// Puts a cell that was read at a place of the grid; `parts` are further places of it.
    pub fn push(
        &mut self,
        at: (usize, usize),
        parts: &[(usize, usize)],
        place: [String; 3],
        value: Value,
        roles: (Role, RowRole),
    ) {
        let (row, column) = at;
        let read = &self.reads[row][column];
        let mut printed = self.grid.text(row, column).to_owned();
        for &(row, column) in parts {
            let more = self.grid.text(row, column);
            if !printed.is_empty() && !more.starts_with(['(', '[']) {
                printed = format!("{printed} ({more})");
            } else {
                printed = format!("{printed} {more}");
            }
        }
        let odd =
            read.odd.clone().or_else(|| parts.iter().find_map(|&(row, column)| self.reads[row][column].odd.clone()));
        let [set, row_name, column_name] = place;
        let set = if set.is_empty() { "all".to_owned() } else { set };
        self.taken.insert(at);
        self.taken.extend(parts);
        let also = parts.iter().map(|&(row, column)| (self.line(row, column), column + 1)).collect();
        self.cells.push(PublishedCell {
            place: Place { table: self.name.clone(), set, row: row_name, column: column_name },
            printed,
            value,
            has_comma: read.has_comma,
            is_percent: read.is_percent,
            is_unit_said: false,
            fraction: read.fraction,
            range: read.range,
            odd,
            rounding: None,
            source: Source {
                file: self.file.to_owned(),
                line: self.line(row, column),
                row: row + 1,
                column: column + 1,
                also,
            },
            role: roles.0,
            row_role: roles.1,
        });
    }

    /// The size of a group or set, as a header or a label prints it; it is no cell of the body.
    pub fn push_size(&mut self, (row, column): (usize, usize), set: &str, name: &str, n: u64, is_total: bool) {
        let printed = n.to_string();
        let value = Value::Number(crate::printed::Printed::parse(&printed).expect("a whole number"));
        let set = if set.is_empty() { "all" } else { set };
        let place =
            Place { table: self.name.clone(), set: set.to_owned(), row: "n".to_owned(), column: name.to_owned() };
        let source = Source {
            file: self.file.to_owned(),
            line: self.line(row, column),
            row: row + 1,
            column: column + 1,
            also: Vec::new(),
        };
        self.cells.push(PublishedCell {
            place,
            printed,
            value,
            has_comma: false,
            is_percent: false,
            is_unit_said: false,
            fraction: None,
            range: None,
            odd: None,
            rounding: None,
            source,
            role: Role::Group { n: Some(n), is_total },
            row_role: RowRole::Sizes,
        });
    }

    /// The row of the header in which a column's size stands.
    pub fn size_row(&self, column: usize, n: u64) -> (usize, usize) {
        let header = (0..self.frame.n_header).chain(self.frame.again.iter().map(|(row, _)| *row));
        let mut found = (0, column);
        for row in header {
            for at in (0..=column).rev() {
                if words::size(self.grid.text(row, at)) == Some(n) {
                    found = (row, at);
                    break;
                }
            }
        }
        found
    }

    /// Cells of the body with a digit that were not read: line, column, text.
    fn unread(&self) -> Vec<(usize, usize, String)> {
        let mut unread = Vec::new();
        for row in self.body() {
            for column in self.frame.n_labels..self.grid.width() {
                let text = self.grid.text(row, column);
                let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
                let is_reference = self.reads[row][column].shape == Shape::Reference;
                if has_digit && !is_reference && !self.taken.contains(&(row, column)) {
                    unread.push((self.line(row, column), column + 1, text.to_owned()));
                }
            }
        }
        unread
    }

    /// Whether the scores of a line of cells are percentages without a sign: most lie above 1.
    pub fn is_percent(&self, line: &[(usize, usize)], heading: &str, said: Option<bool>) -> bool {
        if let Some(said) = said.or_else(|| self.correction.unit.map(|unit| unit == Unit::Percent)) {
            return said;
        }
        let values: Vec<f64> = line
            .iter()
            .filter(|&&(row, column)| !self.reads[row][column].is_percent)
            .filter_map(|&(row, column)| match self.reads[row][column].shape {
                Shape::One(value) | Shape::Interval(value, ..) | Shape::PlusMinus(value, _) | Shape::Pair(value, _) => {
                    Some(value.value())
                }
                _ => None,
            })
            .collect();
        let above = values.iter().filter(|&&value| value > 1.0).count();
        let most = values.iter().copied().fold(0.0, f64::max);
        2 * above > values.len() && (most >= 5.0 || words::says_percent(heading))
    }
}

/// Scores printed in percent, by their sign or their column, as shares of 1.
pub fn shares(cells: &mut [PublishedCell]) {
    for cell in cells.iter_mut().filter(|cell| cell.is_percent) {
        cell.value = match cell.value {
            Value::Number(number) => Value::Number(number.as_share()),
            Value::Estimate { estimate, low, high } => {
                Value::Estimate { estimate: estimate.as_share(), low: low.as_share(), high: high.as_share() }
            }
            Value::MeanSd { mean, sd } => Value::MeanSd { mean: mean.as_share(), sd: sd.as_share() },
            other => {
                cell.is_percent = false;
                other
            }
        };
    }
}

/// Makes places unique: a score printed under two names keeps its heading, anything else gets its line.
fn unique(cells: &mut [PublishedCell]) {
    let mut seen: HashSet<Place> = HashSet::new();
    for cell in cells.iter_mut() {
        let mut times = 1;
        let (row, column) = (cell.place.row.clone(), cell.place.column.clone());
        while !seen.insert(cell.place.clone()) {
            times += 1;
            match cell.role {
                Role::Score(_) | Role::P(_) | Role::Statistic(_) => cell.place.column = format!("{column} ({times})"),
                _ => {
                    cell.place.row = format!(
                        "{row} (line {}{})",
                        cell.source.line,
                        if times > 2 { format!(", {times}") } else { String::new() }
                    )
                }
            }
        }
    }
}
