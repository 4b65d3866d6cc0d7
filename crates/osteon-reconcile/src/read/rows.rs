//! What each row is: sections, variables with their levels, quantities, models.

use crate::cohort::levels_of;
use crate::read::columns::{Column, Kind};
use crate::read::correction::TableCorrection;
use crate::read::grid::Grid;
use crate::read::header::Frame;
use crate::read::value::{Read, Shape};
use crate::read::words;

/// A row of the body as it was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Of the grid, from 0.
    pub at: usize,
    pub kind: RowKind,
    /// The set of patients that a section or a label names; empty for none.
    pub set: String,
    /// Section or first label, where it is no set.
    pub section: String,
    pub variable: String,
    /// Level, or model.
    pub label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    Heading,
    Sizes,
    /// Without numbers of its own but a P: its levels follow.
    Variable,
    Level,
    /// A variable in one row.
    Single,
    Ignored,
}

/// The labels of a row, blanks filled from above.
fn labels(grid: &Grid, frame: &Frame, row: usize, last: &mut Vec<String>) -> Vec<String> {
    let own: Vec<String> = (0..frame.n_labels).map(|column| grid.text(row, column).to_owned()).collect();
    let mut filled = own.clone();
    let first_own = own.iter().position(|it| !it.is_empty());
    for (at, text) in filled.iter_mut().enumerate() {
        if text.is_empty() && first_own.is_none_or(|first| at < first) {
            *text = last.get(at).cloned().unwrap_or_default();
        }
    }
    last.clone_from(&filled);
    filled
}

/// Which cells of a row have something to read.
struct Filled {
    data: bool,
    p: bool,
    /// Number of whole counts in groups.
    counts: usize,
}

fn filled(reads: &[Vec<Read>], columns: &[Column], row: usize) -> Filled {
    let of = |at: usize| reads[row].get(at).map_or(&Shape::Absent, |read| &read.shape);
    let some = |at: usize| !matches!(of(at), Shape::Absent);
    let data = |kind: Kind| !matches!(kind, Kind::Label | Kind::P | Kind::Statistic | Kind::Ignored);
    Filled {
        data: (0..columns.len()).any(|at| data(columns[at].kind) && some(at)),
        p: (0..columns.len()).any(|at| columns[at].kind == Kind::P && some(at)),
        counts: (0..columns.len())
            .filter(|&at| columns[at].kind == Kind::Group)
            .filter(|&at| matches!(of(at), Shape::One(n) | Shape::Pair(n, _) if n.decimals() == 0 && n.value() >= 0.0))
            .count(),
    }
}

/// Whether a row of scores has nothing but a size: it opens a section.
fn only_size(reads: &[Vec<Read>], columns: &[Column], row: usize) -> bool {
    let filled = (0..columns.len())
        .filter(|&at| columns[at].kind != Kind::Label && !matches!(reads[row][at].shape, Shape::Absent));
    let kinds: Vec<Kind> = filled.map(|at| columns[at].kind).collect();
    columns.len() > 3 && kinds == [Kind::Score(crate::metric::Metric::Size)]
}

/// The count in the first group of a row.
fn first_count(reads: &[Vec<Read>], columns: &[Column], row: usize) -> Option<(usize, u64)> {
    let group = (0..columns.len()).find(|&at| columns[at].kind == Kind::Group)?;
    match reads[row].get(group)?.shape {
        Shape::One(n) | Shape::Pair(n, _) if n.decimals() == 0 && n.value() >= 0.0 => Some((group, n.value() as u64)),
        _ => None,
    }
}

/// The variable whose levels are being read.
struct Open {
    name: String,
    indent: usize,
    /// A P stands in its own row.
    has_p: bool,
    /// A row of its own without numbers.
    is_heading: bool,
    n_levels: usize,
    sum: u64,
}

/// The rows of a cohort or regression table.
pub fn rows(
    grid: &Grid,
    reads: &[Vec<Read>],
    frame: &Frame,
    columns: &[Column],
    correction: &TableCorrection,
) -> Vec<Row> {
    let body: Vec<usize> = (frame.n_header..grid.rows.len()).filter(|&row| !frame.is_header_row(row)).collect();
    let is_score = columns.iter().any(|it| matches!(it.kind, Kind::Score(metric) if metric.is_share()));
    let is_model_first = {
        let heading = words::plain(columns.first().map_or("", Column::leaf));
        frame.n_labels > 2
            || ["model", "cohort", "set", "outcome", "endpoint", "dataset", "group"]
                .iter()
                .any(|word| heading.contains(word))
    };
    let indents: Vec<usize> =
        body.iter().map(|&row| grid.rows[row].cells.first().map_or(0, |cell| cell.indent)).collect();
    let is_indented = indents.iter().any(|&it| it > 0) && indents.contains(&0);
    let (mut section, mut set) = (String::new(), String::new());
    let mut open: Option<Open> = None;
    let mut last = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    for (index, &at) in body.iter().enumerate() {
        let own_label = grid.text(at, 0).to_owned();
        let labels = labels(grid, frame, at, &mut last);
        let has = filled(reads, columns, at);
        let mut row = Row {
            at,
            kind: RowKind::Single,
            set: set.clone(),
            section: section.clone(),
            variable: String::new(),
            label: String::new(),
        };
        if let Some(said) = correction.row(grid.rows[at].line) {
            said.apply(&mut row);
            if !said.role.is_empty() {
                if row.kind == RowKind::Variable {
                    open = Some(Open {
                        name: row.variable.clone(),
                        indent: indents[index],
                        has_p: has.p,
                        is_heading: true,
                        n_levels: 0,
                        sum: 0,
                    });
                }
                rows.push(row);
                continue;
            }
        }
        let only_label = !has.data && !has.p || is_score && only_size(reads, columns, at);
        let next_has_data = body.get(index + 1).is_none_or(|&next| {
            let next = filled(reads, columns, next);
            next.data || next.p
        });
        if frame.n_labels > 1 && !is_score && !only_label {
            // Labels in columns of their own: model, variable, level.
            let mut labels: &[String] = &labels;
            if is_model_first && labels.len() > 1 {
                row.set.clone_from(&labels[0]);
                labels = &labels[1..];
            }
            row.variable = labels[0].clone();
            row.label = labels[1..].iter().filter(|it| !it.is_empty()).cloned().collect::<Vec<_>>().join(" ");
            row.kind = match (row.label.is_empty(), has.data) {
                (true, false) => RowKind::Variable,
                (true, true) => RowKind::Single,
                (false, _) => RowKind::Level,
            };
            rows.push(row);
            continue;
        }
        if is_score {
            if only_label {
                let text = own_label;
                row.kind = RowKind::Heading;
                row.label.clone_from(&text);
                words::head(text, &mut set, &mut section);
                rows.push(row);
                continue;
            }
            model_labels(&labels, columns, &mut row);
            rows.push(row);
            continue;
        }
        let label = labels[0].clone();
        let indent = indents[index];
        if only_label {
            row.kind = RowKind::Heading;
            row.label.clone_from(&label);
            if words::is_set(&label) && !next_has_data {
                set = label;
                open = None;
            } else if !next_has_data {
                section = label;
                open = None;
            } else {
                row.kind = RowKind::Variable;
                row.variable.clone_from(&label);
                open = Some(Open { name: label, indent, has_p: false, is_heading: true, n_levels: 0, sum: 0 });
            }
            rows.push(row);
            continue;
        }
        if !has.data {
            row.kind = RowKind::Variable;
            row.variable.clone_from(&label);
            open = Some(Open { name: label, indent, has_p: true, is_heading: true, n_levels: 0, sum: 0 });
            rows.push(row);
            continue;
        }
        if words::is_size(&label) && has.counts > 0 && !has.p {
            row.kind = RowKind::Sizes;
            rows.push(row);
            continue;
        }
        let n = first_count(reads, columns, at);
        let size = n.and_then(|(group, _)| columns[group].n);
        let continues = own_label.is_empty();
        let belongs = open.as_ref().is_some_and(|open| {
            let may = if is_indented && open.is_heading {
                indent > open.indent
                    || indents.iter().all(|&it| it <= open.indent)
                    || indent == open.indent && open.has_p && completes(reads, columns, &body[index..], open.sum)
            } else {
                true
            };
            let p_fits = !has.p
                || open.is_heading && !open.has_p && open.n_levels == 0
                || !columns.iter().any(|it| it.kind == Kind::Group)
                || columns.iter().any(|it| matches!(it.kind, Kind::Estimate(_)));
            let is_full =
                size.is_some_and(|size| open.sum == size && open.n_levels > 1) && !words::is_missing(&own_label);
            let follows = open.is_heading || has.counts > 0 && !has.p;
            continues || may && p_fits && follows && !is_full
        });
        match open.as_mut().filter(|_| belongs) {
            Some(variable) => {
                variable.n_levels += 1;
                variable.sum += n.map_or(0, |(_, n)| n);
                // The P of the variable stands with its first level.
                row.kind = RowKind::Level;
                row.variable.clone_from(&variable.name);
                row.label = if continues { format!("row {}", grid.rows[at].line) } else { label };
            }
            None => {
                row.variable.clone_from(&label);
                open = None;
                let levels = unheaded(grid, reads, columns, &body[index..], is_indented.then_some(&indents[index..]));
                if levels > 0 {
                    open = Some(Open {
                        name: label.clone(),
                        indent,
                        has_p: has.p,
                        is_heading: false,
                        n_levels: 1,
                        sum: n.map_or(0, |(_, n)| n),
                    });
                    if n.is_some() && has.p && !is_indented {
                        // The first level carries the P, and the variable has no row of its own.
                        row.kind = RowKind::Level;
                        row.label = label;
                    } else if n.is_none() || is_indented {
                        let name = levels_of(&label);
                        open = Some(Open { name, indent, has_p: true, is_heading: true, n_levels: 0, sum: 0 });
                    }
                }
            }
        }
        rows.push(row);
    }
    if is_score {
        tell_apart(grid, reads, columns, &mut rows);
    }
    rows
}

/// Rows of scores under the same labels, two thresholds of one model, get the words that stand beside their scores, or
/// their line.
fn tell_apart(grid: &Grid, reads: &[Vec<Read>], columns: &[Column], rows: &mut [Row]) {
    let key = |row: &Row| [row.set.clone(), row.section.clone(), row.label.clone()];
    let keys: Vec<Option<[String; 3]>> =
        rows.iter().map(|row| (row.kind == RowKind::Single).then(|| key(row))).collect();
    for at in 0..rows.len() {
        if keys[at].is_none() || keys.iter().filter(|it| **it == keys[at]).count() < 2 {
            continue;
        }
        let row = rows[at].at;
        let words: Vec<&str> = (0..columns.len())
            .filter(|&it| columns[it].kind != Kind::Label && matches!(reads[row][it].shape, Shape::Words))
            .map(|it| grid.text(row, it))
            .collect();
        let beside = if words.is_empty() { format!("line {}", grid.rows[row].line) } else { words.join(" ") };
        rows[at].label = format!("{} ({beside})", rows[at].label).trim_start().to_owned();
    }
}

/// Whether counts without a P, from the first row on, and what is summed already make up the first group: levels that are
/// not indented as those of other variables are.
fn completes(reads: &[Vec<Read>], columns: &[Column], body: &[usize], mut sum: u64) -> bool {
    for &row in body {
        let has = filled(reads, columns, row);
        let Some((group, n)) = first_count(reads, columns, row).filter(|_| !has.p) else { return false };
        sum += n;
        match columns[group].n {
            Some(size) if sum < size => (),
            size => return size == Some(sum),
        }
    }
    false
}

/// How many rows behind the first are levels of it without a heading: counts without P that add up to the group, or
/// rows further to the right.
fn unheaded(grid: &Grid, reads: &[Vec<Read>], columns: &[Column], body: &[usize], indents: Option<&[usize]>) -> usize {
    if let Some(indents) = indents {
        return indents[1..].iter().take_while(|&&it| it > indents[0]).count();
    }
    if !columns.iter().any(|it| it.kind == Kind::P) {
        return 0;
    }
    let (first, rest) = (body[0], &body[1..]);
    let follow = rest.iter().take_while(|&&row| {
        let has = filled(reads, columns, row);
        has.data && !has.p && has.counts > 0 && !grid.text(row, 0).is_empty()
    });
    let follow: Vec<usize> = follow.copied().collect();
    let own = first_count(reads, columns, first);
    let Some(group) = (0..columns.len()).find(|&at| columns[at].kind == Kind::Group) else { return 0 };
    let Some(size) = columns[group].n else { return 0 };
    let mut sum = own.map_or(0, |(_, n)| n);
    for (index, &row) in follow.iter().enumerate() {
        sum += first_count(reads, columns, row).map_or(0, |(_, n)| n);
        if sum == size {
            return index + 1;
        }
    }
    0
}

/// Set and model among the labels of a row of scores.
fn model_labels(labels: &[String], columns: &[Column], row: &mut Row) {
    let labels: Vec<String> = labels
        .iter()
        .flat_map(|text| match words::name_and_set(text) {
            Some((name, set)) => vec![name, set],
            None => vec![text.clone()],
        })
        .collect();
    let (sets, names): (Vec<&String>, Vec<&String>) =
        labels.iter().filter(|it| !it.is_empty()).partition(|it| words::is_set(it));
    let column_sets = columns.iter().any(|it| !it.set.is_empty());
    match (&sets[..], &names[..]) {
        ([], names) if names.len() > 1 => {
            // Without a word of sets the first label is what the others are within.
            if row.set.is_empty() && !column_sets {
                row.set = names[0].clone()
            } else {
                row.section = names[0].clone()
            };
            row.label = names[1..].iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" ");
        }
        ([], names) => {
            row.label = names.first().map_or(String::new(), |it| (*it).clone());
            if row.set.is_empty() && !column_sets {
                row.set = std::mem::take(&mut row.section);
            }
        }
        (sets, []) => {
            row.set = sets.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" ");
            row.label = std::mem::take(&mut row.section);
        }
        (sets, names) => {
            row.set = sets.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" ");
            row.label = names.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(" ");
        }
    }
}
