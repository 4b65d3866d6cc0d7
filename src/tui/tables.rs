//! Published tables on the screen: from a finding to its cell, from cell to cell, and what a person says of one.

use crate::tui::app::App;
use crate::tui::data::{Page, Screen};
use crate::tui::dialog::Dialog;
use crate::tui::form::{Form, Purpose};
use crate::tui::layout;
use crate::tui::message::{Correction, Effect, Request};
use crate::tui::page::PageState;
use osteon_study::report::sheet::Sheet;
use osteon_study::study::{Amendment, CORRECTED_ROLES};

/// The cell to stand on when the tables are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jump {
    pub table: String,
    pub line: String,
    /// From 1; 0 for a whole row.
    pub column: usize,
}

/// Columns before the first of a table as printed: its name, the line, the row's role.
const BEFORE: usize = 3;

fn text(sheet: &Sheet, row: usize, heading: &str) -> String {
    let column = sheet.headings.iter().position(|it| it == heading);
    column.and_then(|column| sheet.rows.get(row)?.get(column)).map_or_else(String::new, |cell| cell.text())
}

/// From a finding to its cell in the table as printed; from there to the next finding's.
pub fn to_cell(app: &mut App) -> Vec<Effect> {
    let goes_on = app.page() == Some(Page::Printed);
    let size = layout::grid_size(app.size);
    let Some(state) = app.pages.get_mut(&Page::Reconciliation).filter(|state| state.sheet().is_some()) else {
        app.complain("the findings are not here yet");
        return Vec::new();
    };
    let rows = state.sheet().map_or(0, |sheet| sheet.rows.len());
    let first = state.view.row + usize::from(goes_on);
    let has_line = |row: &usize| state.sheet().is_some_and(|sheet| !text(sheet, *row, "line").is_empty());
    let Some(row) = (0..rows).map(|by| (first + by) % rows).find(has_line) else {
        app.complain("no finding has a place in a table");
        return Vec::new();
    };
    state.view.row = row;
    state.settle(size);
    let Some(sheet) = state.sheet() else { return Vec::new() };
    let [table, line, column] = ["table", "line", "column"].map(|heading| text(sheet, row, heading));
    let told = format!("{} of {rows}, {}: {}", row + 1, text(sheet, row, "severity"), text(sheet, row, "why"));
    app.jump = Some(Jump { table, line, column: column.parse().unwrap_or(0) });
    app.say(told);
    let effects = app.open_page(Screen::Trail, Page::Printed);
    place(app);
    effects
}

/// Puts the cursor on the cell that was asked for, when the tables are here.
pub fn place(app: &mut App) {
    let size = layout::grid_size(app.size);
    let Some(jump) = app.jump.clone() else { return };
    let Some(state) = app.pages.get_mut(&Page::Printed) else { return };
    let Some(sheet) = state.sheet() else { return };
    let is_row = |row: &usize| text(sheet, *row, "table") == jump.table && text(sheet, *row, "line") == jump.line;
    if let Some(row) = (0..sheet.rows.len()).find(is_row) {
        (state.view.row, state.view.column) = (row, BEFORE - 1 + jump.column);
        state.settle(size);
    }
    app.jump = None;
}

/// Asks what the column, the row and the table of the cell under the cursor are.
pub fn correct(app: &mut App) -> Vec<Effect> {
    let Some(state) = app.pages.get(&Page::Printed) else { return Vec::new() };
    let Some(sheet) = state.sheet() else { return Vec::new() };
    let (table, line) = (text(sheet, state.view.row, "table"), text(sheet, state.view.row, "line"));
    let column = (state.view.column + 1).saturating_sub(BEFORE).max(1);
    let fields = ["role", "pair", "unit", "rounding", "role of the row"].map(|label| (label, ""));
    let form = Form::new(
        format!("Table {table}, column {column}"),
        Purpose::Correct { table, line: line.parse().unwrap_or(0), column },
        &fields,
    )
    .saying([
        format!("roles of a column: {}, or a metric", CORRECTED_ROLES.join(", ")),
        "pair: the groups that a P compares, A : B; unit: percent or share; rounding: rounded or cut".to_owned(),
        "roles of a row: heading, sizes, variable, level, single, ignore".to_owned(),
        "what is empty stays as it is; written beside the file, as FILE.toml".to_owned(),
    ]);
    app.dialog = Some(Dialog::Form(form));
    Vec::new()
}

/// Sends what the form says.
pub fn corrected(app: &App, form: &Form, table: String, (line, column): (usize, usize)) -> Vec<Effect> {
    let [role, pair, unit, rounding, row_role] = [0, 1, 2, 3, 4].map(|at| form.answer(at));
    let amendment = Amendment { role, pair, unit, rounding, row_role };
    let published = app.published.clone();
    vec![Effect::Ask(Request::Correct(Correction { published, table, line, column, amendment }))]
}

/// Reads the tables again, from the file that now has corrections beside it.
pub fn again(app: &mut App, published: String) -> Vec<Effect> {
    let place = app.pages.get(&Page::Printed).map(|state| state.view.clone());
    app.published = published;
    forget(app);
    let mut effects = app.refresh();
    if let (Some(state), Some(view)) = (app.pages.get_mut(&Page::Printed), place) {
        state.view = view;
    }
    // The findings are made anew too, for the next step from one to another.
    let subject = Some(app.published.clone());
    if app.page() != Some(Page::Reconciliation) {
        let mut state = PageState::of(subject.clone());
        state.stale = false;
        app.pages.insert(Page::Reconciliation, state);
        effects.push(Effect::Ask(Request::Page(Page::Reconciliation, subject)));
    }
    effects
}

/// The pages of other tables than those that are asked for now.
pub fn forget(app: &mut App) {
    [Page::Reconciliation, Page::Printed, Page::Beside].iter().for_each(|page| drop(app.pages.remove(page)));
}
