//! Tables of plain counts with a row and a column of totals: confusion matrices, centers by sets, features by classes.

use crate::cells::{PublishedCell, Value};
use crate::finding::{Finding, Kind, Severity};
use crate::metric::Metric;
use crate::printed::Printed;
use crate::read::words;
use crate::role::Role;
use crate::tested::grade;

/// Rows or columns that add up for each that does not, and how many at the least.
const FEWEST: usize = 2;

/// Whole numbers by row and column; the last of each are totals. 0 where the table leaves a cell empty.
struct Tally<'a> {
    cells: Vec<Vec<Option<&'a PublishedCell>>>,
    counts: Vec<Vec<i64>>,
}

/// What the totals of all tables get wrong, and what of rows that print their number of patients in two parts.
pub fn check(cells: &[PublishedCell]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in tables(cells) {
        if let Some(tally) = tally(cells, table) {
            findings.extend(tally.findings());
            findings.extend(recalls(cells, &tally));
        }
        findings.extend(parts(cells, table));
        findings.extend(matrices(cells, table));
    }
    findings
}

/// Places of the cells that the totals of their table are held against.
pub fn used(cells: &[PublishedCell]) -> Vec<&PublishedCell> {
    let mut used: Vec<&PublishedCell> = Vec::new();
    for table in tables(cells) {
        used.extend(tally(cells, table).iter().flat_map(|it| it.cells.iter().flatten().flatten()));
        used.extend(sized(cells, table).into_iter().flat_map(|(size, one, other)| [size.0, one.0, other.0]));
    }
    used
}

fn tables(cells: &[PublishedCell]) -> Vec<&str> {
    let mut tables: Vec<&str> = cells.iter().map(|it| it.place.table.as_str()).collect();
    tables.dedup();
    tables.sort_unstable();
    tables.dedup();
    tables
}

fn whole(cell: &PublishedCell) -> Option<i64> {
    match cell.value {
        Value::Number(n) if n.decimals() == 0 && n.is_exact() && n.value() >= 0.0 && !cell.is_percent => {
            Some(n.value() as i64)
        }
        _ => None,
    }
}

/// The counts of a table whose groups are plain whole numbers in every row above one of totals.
fn tally<'a>(cells: &'a [PublishedCell], table: &str) -> Option<Tally<'a>> {
    let own: Vec<&PublishedCell> = cells
        .iter()
        .filter(|it| it.place.table == table && matches!(it.role, Role::Group { .. }) && it.source.row > 0)
        .collect();
    let mut columns: Vec<usize> = own.iter().map(|it| it.source.column).collect();
    columns.sort_unstable();
    columns.dedup();
    let total = own.iter().find(|it| words::is_total(&it.place.column))?.source.column;
    // Parts stand before their total.
    columns.retain(|&it| it <= total);
    let is_total = |it: &&&PublishedCell| {
        let row = it.place.row.trim_start_matches([':', ' ']);
        words::is_total(row.trim_end_matches(": yes")) || row == "n"
    };
    let last = own.iter().filter(is_total).map(|it| it.source.row).max()?;
    let mut rows: Vec<usize> = own.iter().map(|it| it.source.row).filter(|&it| it <= last).collect();
    rows.sort_unstable();
    rows.dedup();
    let at =
        |row: usize, column: usize| own.iter().copied().find(|it| it.source.row == row && it.source.column == column);
    let cells: Vec<Vec<Option<&PublishedCell>>> =
        rows.iter().map(|&row| columns.iter().map(|&column| at(row, column)).collect()).collect();
    let is_plain = cells.iter().flatten().flatten().all(|it| whole(it).is_some());
    let is_full = cells.iter().flatten().filter(|it| it.is_none()).count() * 4 <= rows.len() * columns.len();
    let counts = cells.iter().map(|row| row.iter().map(|it| it.and_then(whole).unwrap_or(0)).collect()).collect();
    (is_plain && is_full && rows.len() > 2 && columns.len() > 2).then_some(Tally { cells, counts })
}

impl Tally<'_> {
    /// By how much the parts of each row, and of each column, exceed its total.
    fn gaps(&self) -> [Vec<i64>; 2] {
        let (height, width) = (self.counts.len(), self.counts[0].len());
        let row = |at: usize| self.counts[at][..width - 1].iter().sum::<i64>() - self.counts[at][width - 1];
        let column =
            |at: usize| self.counts[..height - 1].iter().map(|row| row[at]).sum::<i64>() - self.counts[height - 1][at];
        [(0..height).map(row).collect(), (0..width).map(column).collect()]
    }

    fn findings(&self) -> Vec<Finding> {
        let [rows, columns] = self.gaps();
        let wrong = |gaps: &[i64]| -> Vec<usize> { (0..gaps.len()).filter(|&at| gaps[at] != 0).collect() };
        let (of_rows, of_columns) = (wrong(&rows), wrong(&columns));
        let holds = |gaps: &[i64], wrong: &[usize]| gaps.len() - wrong.len() >= FEWEST && wrong.len() < 2;
        if !holds(&rows, &of_rows) || !holds(&columns, &of_columns) {
            return Vec::new();
        }
        let (height, width) = (rows.len(), columns.len());
        match (&of_rows[..], &of_columns[..]) {
            // One cell in a row and a column that do not add up, by the same number.
            (&[row], &[column]) => {
                let is_total = [row + 1 == height, column + 1 == width];
                let by = match is_total {
                    [false, false] if rows[row] == columns[column] => -rows[row],
                    [true, false] if rows[row] == -columns[column] => columns[column],
                    [false, true] if rows[row] == -columns[column] => rows[row],
                    [true, true] if rows[row] == columns[column] => rows[row],
                    _ => return Vec::new(),
                };
                self.finding(row, column, by).into_iter().collect()
            }
            // Only the grand total, or a row whose column is not summed, is off.
            (&[row], []) => self.finding(row, width - 1, rows[row]).into_iter().collect(),
            ([], &[column]) => self.finding(height - 1, column, columns[column]).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn finding(&self, row: usize, column: usize, by: i64) -> Option<Finding> {
        let cell = self.cells[row][column]?;
        let implied = self.counts[row][column] + by;
        (implied >= 0).then(|| Finding {
            kind: Kind::Sum,
            severity: match grade(Printed::of(self.counts[row][column] as f64, 0), implied as f64) {
                Severity::Rounding => Severity::Inconsistent,
                severity => severity,
            },
            place: cell.place.clone(),
            printed: cell.printed.clone(),
            implied: implied.to_string(),
            alternatives: Vec::new(),
            why: format!("With {implied} its row and its column add up to their totals, as all others do."),
        })
    }
}

/// Recalls beside a confusion matrix: the diagonal over the totals of its rows, where those of the other rows are.
fn recalls(cells: &[PublishedCell], tally: &Tally) -> Vec<Finding> {
    let n = tally.counts.len() - 1;
    if n + 1 != tally.counts[0].len() || !tally.findings().is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(&PublishedCell, Printed, [i64; 2])> = Vec::new();
    for (at, row) in tally.cells[..n].iter().enumerate() {
        let Some(line) = row.iter().flatten().next().map(|it| (it.source.row, &it.place.table)) else { continue };
        let own = cells
            .iter()
            .find(|it| (it.source.row, &it.place.table) == line && it.role == Role::Score(Metric::Sensitivity));
        if let Some(cell) = own
            && let Value::Number(recall) = cell.value
        {
            found.push((cell, recall, [tally.counts[at][at], tally.counts[at][n]]));
        }
    }
    let is_right = |(_, recall, [above, below]): &(&PublishedCell, Printed, [i64; 2])| recall.is_ratio(*above, *below);
    let (right, wrong): (Vec<_>, Vec<_>) = found.iter().partition(|it| is_right(it));
    if right.len() < FEWEST || wrong.len() > 1 {
        return Vec::new();
    }
    let finding = |(cell, recall, [above, below]): &&(&PublishedCell, Printed, [i64; 2])| {
        let computed = *above as f64 / (*below).max(1) as f64;
        Finding {
            kind: Kind::Metric,
            severity: grade(*recall, computed),
            place: cell.place.clone(),
            printed: cell.printed.clone(),
            implied: crate::cells::shown_like(&cell.printed, *recall, computed),
            alternatives: Vec::new(),
            why: format!("{above} of the {below} of its row lie on the diagonal, as in the other rows."),
        }
    };
    wrong.iter().map(finding).collect()
}

type Counted<'a> = (&'a PublishedCell, i64);

/// Rows of scores that print their number of patients and, in two columns of counts, its parts.
fn sized<'a>(cells: &'a [PublishedCell], table: &str) -> Vec<(Counted<'a>, Counted<'a>, Counted<'a>)> {
    let own = || cells.iter().filter(|it| it.place.table == table && it.source.row > 0);
    let sizes = own().filter(|it| it.role == Role::Score(Metric::Size)).filter_map(|it| Some((it, whole(it)?)));
    let row = |(size, n): Counted<'a>| {
        let parts: Vec<Counted> = own()
            .filter(|it| it.source.row == size.source.row && matches!(it.role, Role::Group { .. }))
            .map(|it| whole(it).map(|n| (it, n)))
            .collect::<Option<_>>()?;
        let &[one, other] = &parts[..] else { return None };
        Some(((size, n), one, other))
    };
    let found: Vec<_> = sizes.filter_map(row).collect();
    let adding = found.iter().filter(|((_, n), (_, a), (_, b))| a + b == *n).count();
    if adding >= FEWEST && adding + 1 >= found.len() { found } else { Vec::new() }
}

/// Rows whose number of patients is not that of their confusion matrix, where those of the others are.
fn matrices(cells: &[PublishedCell], table: &str) -> Vec<Finding> {
    const COUNTS: [Metric; 4] =
        [Metric::TruePositive, Metric::FalsePositive, Metric::TrueNegative, Metric::FalseNegative];
    let own = || cells.iter().filter(|it| it.place.table == table && it.source.row > 0);
    let sizes = own().filter(|it| it.role == Role::Score(Metric::Size)).filter_map(|it| Some((it, whole(it)?)));
    let row = |(size, n): Counted| {
        let count = |metric: Metric| {
            own().find(|it| it.source.row == size.source.row && it.role == Role::Score(metric)).and_then(whole)
        };
        Some((size.clone(), n, COUNTS.into_iter().map(count).sum::<Option<i64>>()?))
    };
    let found: Vec<(PublishedCell, i64, i64)> = sizes.filter_map(row).collect();
    let wrong: Vec<&(PublishedCell, i64, i64)> = found.iter().filter(|(_, n, sum)| n != sum).collect();
    if found.len() < wrong.len() + FEWEST || wrong.len() > 1 {
        return Vec::new();
    }
    let finding = |(size, n, sum): &&(PublishedCell, i64, i64)| Finding {
        kind: Kind::Sum,
        severity: Severity::Inconsistent,
        place: size.place.clone(),
        printed: n.to_string(),
        implied: sum.to_string(),
        alternatives: Vec::new(),
        why: format!("TP, FP, TN and FN are {sum} together; in the other rows they are the number of patients."),
    };
    wrong.iter().map(finding).collect()
}

fn parts(cells: &[PublishedCell], table: &str) -> Vec<Finding> {
    let wrong = sized(cells, table).into_iter().filter(|((_, n), (_, a), (_, b))| a + b != *n);
    let finding = |((size, n), (_, a), (_, b)): (Counted, Counted, Counted)| Finding {
        kind: Kind::Sum,
        severity: Severity::Inconsistent,
        place: size.place.clone(),
        printed: n.to_string(),
        implied: (a + b).to_string(),
        alternatives: Vec::new(),
        why: format!("{a} + {b} are {}; in the other rows the two parts add up.", a + b),
    };
    wrong.map(finding).collect()
}
