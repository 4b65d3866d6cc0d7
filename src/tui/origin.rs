//! `Enter`: where a number comes from. What the screen knows is shown at once, what the study knows when it answers.

use crate::tui::app::App;
use crate::tui::data::{Content, Page};
use crate::tui::dialog::Dialog;
use crate::tui::message::{Effect, Request};
use crate::tui::page::PageState;
use osteon_study::report::sheet::{Cell, Sheet};
use osteon_study::study::{Asked, ModelTable, definition};

const TITLE: &str = "Where does this come from";
/// Stands in a text until the study has answered.
pub const ASKING: &str = "(asking the study)";

/// Opens the text about what is under the cursor, and asks for the rest.
pub fn open(app: &mut App, page: Page) -> Vec<Effect> {
    let Some(state) = app.pages.get(&page) else { return Vec::new() };
    let (lines, asked) = match &state.content {
        Some(Content::Sheet(sheet)) => {
            let asked = asked(state, page, sheet);
            (of_cell(sheet, state.view.row, state.view.column, asked.is_some()), asked)
        }
        Some(Content::Blocks(sheets)) => (of_block(sheets, state.view.row), None),
        Some(Content::Chart(figure)) => {
            let mut lines = vec![figure.caption.clone(), String::new()];
            lines.extend(figure.plot.provenance.iter().cloned());
            (lines, None)
        }
        _ => return Vec::new(),
    };
    app.dialog = Some(Dialog::text(TITLE, lines));
    asked.map(|asked| Effect::Ask(Request::Origin(asked))).into_iter().collect()
}

/// The study's answer takes its place in the text that waits for it.
pub fn arrived(app: &mut App, more: Vec<String>) {
    if let Some(Dialog::Text { lines, .. }) = &mut app.dialog
        && let Some(at) = lines.iter().position(|line| line == ASKING)
    {
        lines.splice(at..=at, more);
    }
}

/// Names, full precision, meaning, notes and provenance of one cell.
pub fn of_cell(sheet: &Sheet, row: usize, column: usize, more: bool) -> Vec<String> {
    let Some(cell) = sheet.rows.get(row).and_then(|row| row.get(column)) else { return Vec::new() };
    let heading = &sheet.headings[column];
    let name = row_name(sheet, row);
    let text = cell.text();
    let whole = match text.trim() {
        _ if column == 0 => name,
        "" => format!("{name}, {heading}"),
        text => format!("{name}, {heading}: {text}"),
    };
    let mut lines = vec![sheet.title.clone(), whole];
    if cell.is_number() {
        lines.extend(cell.precise().iter().map(|(name, value)| format!("  {name} {value}")));
    }
    lines.extend(definition(heading).map(|meaning| format!("{heading}: {meaning}")));
    if more {
        lines.push(ASKING.to_owned());
    }
    lines.extend(words_of(sheet, row, column));
    let own = variable(&sheet.rows[row][0]);
    lines.extend(sheet.notes.iter().filter(|note| subject(sheet, note).is_none_or(|of| of == own)).cloned());
    lines.push(String::new());
    lines.extend(sheet.provenance.iter().cloned());
    lines
}

/// What else the row says in words, uncut.
fn words_of(sheet: &Sheet, row: usize, column: usize) -> impl Iterator<Item = String> {
    let others = sheet.rows[row].iter().zip(&sheet.headings).enumerate().skip(1).filter(move |(at, _)| *at != column);
    others.filter_map(|(_, (cell, heading))| match cell {
        Cell::Text(text) if !text.trim().is_empty() => Some(format!("{heading}: {}", text.trim())),
        _ => None,
    })
}

fn of_block(sheets: &[Sheet], at: usize) -> Vec<String> {
    let mut rows = sheets.iter().flat_map(|sheet| sheet.rows.iter().map(move |row| (sheet, row)));
    let Some((sheet, row)) = rows.nth(at) else { return Vec::new() };
    let texts: Vec<String> = row.iter().map(|cell| cell.text().trim().to_owned()).collect();
    let mut lines = vec![sheet.title.clone(), texts.join(": ")];
    for cell in row.iter().filter(|cell| cell.is_number()) {
        lines.extend(cell.precise().iter().map(|(name, value)| format!("  {name} {value}")));
    }
    lines.extend(definition(&sheet.title).map(str::to_owned));
    lines.extend(sheet.notes.iter().cloned());
    lines.push(String::new());
    lines.extend(sheet.provenance.iter().cloned());
    lines
}

fn row_name(sheet: &Sheet, row: usize) -> String {
    match &sheet.rows[row][0] {
        Cell::Level { of, level } => format!("{of}, {level}"),
        cell => cell.text(),
    }
}

/// The variable that a row is about.
fn variable(first: &Cell) -> String {
    match first {
        Cell::Level { of, .. } => of.clone(),
        cell => cell.text().trim().to_owned(),
    }
}

/// The variable that a note is about, where it begins with one of the table's.
fn subject(sheet: &Sheet, note: &str) -> Option<String> {
    let bare = osteon_study::report::clinical::SETS.iter().find_map(|set| note.strip_prefix(set)).unwrap_or(note);
    let about = |of: &String| bare.strip_prefix(of.as_str()).is_some_and(|rest| rest.starts_with([':', ' ']));
    sheet.rows.iter().map(|row| variable(&row[0])).filter(|of| !of.is_empty()).find(about)
}

/// What the study can say beyond the sheet.
fn asked(state: &PageState, page: Page, sheet: &Sheet) -> Option<Asked> {
    let row = sheet.rows.get(state.view.row)?;
    let text = |at: usize| row.get(at).map(|cell| cell.text().trim().to_owned()).unwrap_or_default();
    let code = state.subject.clone();
    let metric = |table| Some(Asked::Metric { table, set: text(0), model: text(1) });
    match page {
        Page::Variables => Some(Asked::Variable { code: code?, field: text(0) }),
        Page::Features if state.view.column > 0 => {
            let region = sheet.headings[state.view.column].clone();
            Some(Asked::Feature { code: code?, feature: text(0), region })
        }
        Page::Predictions => Some(Asked::Prediction { code: code?, model: text(0) }),
        Page::Table4 => Some(Asked::Coefficient { label: variable(&row[0]) }),
        Page::Table1 | Page::Table2 => Some(Asked::Clinical { label: variable(&row[0]) }),
        Page::Table3 => metric(ModelTable::Three),
        Page::Table5 => metric(ModelTable::Five),
        Page::Selected => Some(Asked::Weight { region: text(1), feature: text(0) }),
        _ => None,
    }
}
