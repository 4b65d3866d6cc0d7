//! Which rows are the header, which columns hold labels, and what stands above each column.

use crate::read::grid::Grid;
use crate::read::value::{Read, Shape};
use crate::read::words;

/// The frame of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    pub n_header: usize,
    pub n_labels: usize,
    /// For each column the header texts from top to bottom, repeats left out.
    pub paths: Vec<Vec<String>>,
    /// Rows inside the body that replace the top of the header from there on, with the paths that they make.
    pub again: Vec<(usize, Vec<Vec<String>>)>,
}

impl Frame {
    pub fn is_header_row(&self, row: usize) -> bool {
        row < self.n_header || self.again.iter().any(|(at, _)| *at == row)
    }
}

/// Finds the frame of a grid; `reads` are its cells read one by one.
pub fn frame(grid: &Grid, reads: &[Vec<Read>], labels: Option<usize>) -> Frame {
    let n_header = n_header(grid, reads);
    let n_labels = labels.unwrap_or_else(|| n_labels(grid, reads, n_header)).clamp(1, grid.width().max(1));
    let header: Vec<usize> = (0..n_header).collect();
    let paths = paths(grid, &header, n_labels);
    let sections = sections(grid);
    let again = (n_header..grid.rows.len())
        .filter(|&row| starts_again(grid, reads, row) || sections.contains(&row))
        .map(|row| {
            let rows: Vec<usize> = match sections.contains(&row) {
                true => (0..n_header).chain([row]).collect(),
                false => std::iter::once(row).chain(1..n_header).collect(),
            };
            (row, self::paths(grid, &rows, n_labels))
        })
        .collect();
    Frame { n_header, n_labels, paths, again }
}

/// Rows that open a set of patients with the sizes of its groups, `Training cohort | n = 78 | n = 35`, where there are
/// several.
pub fn sections(grid: &Grid) -> Vec<usize> {
    let is_size = |text: &str| words::size(text).is_some() && words::without_size(text).is_empty();
    let is_section = |&row: &usize| {
        let beyond: Vec<usize> = filled(grid, row).into_iter().filter(|&column| column > 0).collect();
        words::is_set(grid.text(row, 0)) && beyond.len() > 1 && beyond.iter().all(|&it| is_size(grid.text(row, it)))
    };
    let found: Vec<usize> = (1..grid.rows.len()).filter(is_section).collect();
    if found.len() > 1 { found } else { Vec::new() }
}

fn shape(reads: &[Vec<Read>], row: usize, column: usize) -> &Shape {
    reads.get(row).and_then(|row| row.get(column)).map_or(&Shape::Absent, |read| &read.shape)
}

/// Whether a filled cell may stand in a header: words, or the size of a group.
fn is_heading(grid: &Grid, reads: &[Vec<Read>], row: usize, column: usize) -> bool {
    matches!(shape(reads, row, column), Shape::Words) || words::size(grid.text(row, column)).is_some()
}

fn filled(grid: &Grid, row: usize) -> Vec<usize> {
    (0..grid.width()).filter(|&column| !grid.text(row, column).is_empty()).collect()
}

fn n_header(grid: &Grid, reads: &[Vec<Read>]) -> usize {
    let mut n = 1;
    let sections = sections(grid);
    while n + 1 < grid.rows.len() && !sections.contains(&n) && goes_on(grid, reads, n) {
        n += 1;
    }
    let marked = if grid.has_spans || grid.header_rows > 1 { grid.header_rows } else { 0 };
    // A file that marks value rows as header is not believed.
    let believed = (1..marked.min(grid.rows.len().saturating_sub(1)))
        .take_while(|&row| filled(grid, row).iter().skip(1).all(|&column| is_heading(grid, reads, row, column)))
        .count()
        + 1;
    n.max(believed)
}

fn goes_on(grid: &Grid, reads: &[Vec<Read>], row: usize) -> bool {
    let filled = filled(grid, row);
    let beyond: Vec<usize> = filled.iter().copied().filter(|&column| column > 0).collect();
    if beyond.is_empty() || !beyond.iter().all(|&column| is_heading(grid, reads, row, column)) {
        return false;
    }
    let label_is_open = grid.text(row, 0).is_empty();
    let above_has_gaps = (1..grid.width()).any(|column| grid.text(row - 1, column).is_empty());
    let all_sizes = beyond.iter().all(|&column| words::size(grid.text(row, column)).is_some());
    // `Age | | | ` opens a variable; `Sex | Male | Female` under a full header is a row of words.
    label_is_open || above_has_gaps && beyond.len() > 1 || all_sizes
}

/// A row of headings inside the body: no label, words only, at least one with a size or two that are known.
fn starts_again(grid: &Grid, reads: &[Vec<Read>], row: usize) -> bool {
    let filled = filled(grid, row);
    let known = |&column: &usize| {
        let text = grid.text(row, column);
        words::size(text).is_some()
            || words::is_p(text)
            || words::measure(text).is_some()
            || crate::metric::Metric::named(text).is_some()
    };
    grid.text(row, 0).is_empty()
        && !filled.is_empty()
        && filled.iter().all(|&column| is_heading(grid, reads, row, column))
        && (filled.iter().any(|&column| words::size(grid.text(row, column)).is_some())
            || filled.iter().filter(|it| known(it)).count() > 1)
}

/// Leading columns of words; the first always is one.
fn n_labels(grid: &Grid, reads: &[Vec<Read>], n_header: usize) -> usize {
    let body = n_header..grid.rows.len();
    let mut n = 1;
    for column in 1..grid.width().saturating_sub(1) {
        let headings: Vec<&str> = (0..n_header).map(|row| grid.text(row, column)).filter(|it| !it.is_empty()).collect();
        let leaf = headings.last().copied().unwrap_or("");
        let known = words::is_p(leaf)
            || words::is_statistic(leaf)
            || words::measure(leaf).is_some()
            || words::interval(leaf).is_some();
        let filled: Vec<usize> = body.clone().filter(|&row| !grid.text(row, column).is_empty()).collect();
        let is_label = |row: &&usize| {
            let text = grid.text(**row, column);
            matches!(shape(reads, **row, column), Shape::Words)
                || text.starts_with(['≤', '≥', '<', '>', '＜', '＞'])
                || text.starts_with(|c: char| c.is_ascii_digit()) && is_range(text)
        };
        // Numbers that cannot be read are no labels.
        let numbers = filled.iter().filter(|&&row| is_number_like(grid.text(row, column))).count();
        if 2 * numbers > filled.len() {
            break;
        }
        let like_labels = filled.iter().filter(is_label).count();
        // Signs of size alone are P values, not levels.
        let words = filled.iter().filter(|&&row| matches!(shape(reads, row, column), Shape::Words)).count();
        if known || filled.is_empty() || 5 * like_labels < 3 * filled.len() || words == 0 {
            break;
        }
        n += 1;
    }
    n
}

/// Whether a text is made of numbers, whatever stands between them: `50 / 47.6%`, `0.784/0.803`; no `3/4` or `T1-2`.
fn is_number_like(text: &str) -> bool {
    let text = crate::read::value::normal(text).to_lowercase();
    let text = text.trim_start_matches(['n', ' ', '=']);
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let has_decimals = text.split('.').skip(1).any(|it| it.starts_with(|c: char| c.is_ascii_digit()));
    let digits = text.chars().filter(char::is_ascii_digit).count();
    text.starts_with(|c: char| c.is_ascii_digit()) && letters < 2 && digits > 2 && (has_decimals || text.contains('('))
}

/// `1–3`, `20-29`: a level, where words stand around it.
fn is_range(text: &str) -> bool {
    matches!(crate::read::value::read(text).shape, Shape::Ends(..))
}

/// What stands above each column in these header rows.
fn paths(grid: &Grid, header: &[usize], n_labels: usize) -> Vec<Vec<String>> {
    let width = grid.width();
    let mut levels: Vec<Vec<String>> = Vec::new();
    // Columns at which a group of the row above ends.
    let mut walls = vec![false; width + 1];
    for (level, &row) in header.iter().enumerate() {
        let is_last = level + 1 == header.len();
        let mut texts: Vec<String> = (0..width).map(|column| grid.text(row, column).to_owned()).collect();
        if grid.has_spans {
            for column in 0..width {
                let reach = grid.rows.get(row).and_then(|it| it.cells.get(column)).map_or(1, |cell| cell.width);
                let text = texts[column].clone();
                for over in texts.iter_mut().take((column + reach).min(width)).skip(column + 1) {
                    over.clone_from(&text);
                }
            }
        } else if !is_last || header.len() == 1 {
            spread(&mut texts, n_labels, &walls, |column| {
                header.len() == 1 || header[level + 1..].iter().any(|&below| !grid.text(below, column).is_empty())
            });
        }
        for column in 1..width {
            walls[column] |= texts[column] != texts[column - 1] || texts[column].is_empty();
        }
        levels.push(texts);
    }
    (0..width)
        .map(|column| {
            let mut path: Vec<String> = Vec::new();
            for texts in &levels {
                if !texts[column].is_empty() && path.last() != Some(&texts[column]) {
                    path.push(texts[column].clone());
                }
            }
            path
        })
        .collect()
}

/// Lets headings reach over the empty cells to their right, as far as something stands below.
fn spread(texts: &mut [String], n_labels: usize, walls: &[bool], has_below: impl Fn(usize) -> bool) {
    let width = texts.len();
    let starts: Vec<usize> = (n_labels..width).filter(|&column| !texts[column].is_empty()).collect();
    let end = |at: usize| {
        let from = starts[at];
        let next = starts.get(at + 1).copied().unwrap_or(width);
        (from + 1..next).find(|&column| walls[column] || !has_below(column)).unwrap_or(next)
    };
    let mut ends: Vec<usize> = (0..starts.len()).map(end).collect();
    // The last heading has nothing to its right that would stop it: it reaches no further than the others do.
    if let [others @ .., last] = &ends[..] {
        let reach = |at: usize| ends[at] - starts[at];
        let wide: Vec<usize> = (0..others.len()).map(reach).filter(|&it| it > 1).collect();
        if let Some(&usual) = wide.first()
            && wide.iter().all(|&it| it == usual)
            && reach(others.len()) > usual
        {
            let cut = starts[others.len()] + usual;
            debug_assert!(cut <= *last);
            *ends.last_mut().expect("there is a last") = cut;
        }
    }
    for (&from, &end) in starts.iter().zip(&ends) {
        let text = texts[from].clone();
        for over in &mut texts[from + 1..end] {
            over.clone_from(&text);
        }
    }
}
