//! A page: one sheet with a cursor, small sheets side by side, a chart, or a sentence that says why there is nothing.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::app::App;
use crate::tui::bindings::Action;
use crate::tui::clipboard::MOST_COPIED;
use crate::tui::data::{Content, Page, Screen};
use crate::tui::grid_view::{Grid, GridView, Heading, Move, put_lines};
use crate::tui::message::Effect;
use crate::tui::theme::Theme;
use crate::tui::{blocks, chart, forms, layout, origin, patients, study_page};
use osteon_study::report::sheet::{Cell, Format, Sheet, render};

/// One page and where the reader is in it.
#[derive(Clone, Debug)]
pub struct PageState {
    /// What it is about, where it is about one thing: a patient, two runs, a file, what passes a filter.
    pub subject: Option<String>,
    pub content: Option<Content>,
    /// It must be asked for (again) when it is seen.
    pub stale: bool,
    headings: Vec<Heading>,
    pub view: GridView,
    /// First line that is seen of blocks, or the screen of a figure that needs several.
    top: usize,
}

impl Default for PageState {
    fn default() -> Self {
        PageState { subject: None, content: None, stale: true, headings: Vec::new(), view: GridView::default(), top: 0 }
    }
}

/// Headings and cells wider than this are cut; `Enter` shows them whole.
const WIDEST: usize = 28;
/// Names of rows have more room.
const WIDEST_FIRST: usize = 44;
/// And so have last columns, which are words on the others.
const WIDEST_LAST: usize = 60;

impl PageState {
    /// A page that must be asked for.
    pub fn of(subject: Option<String>) -> PageState {
        PageState { subject, ..PageState::default() }
    }

    pub fn sheet(&self) -> Option<&Sheet> {
        match &self.content {
            Some(Content::Sheet(sheet)) => Some(sheet),
            _ => None,
        }
    }

    /// Takes new content and keeps the cursor where it was.
    fn take(&mut self, content: Content) {
        if let Content::Sheet(sheet) = &content {
            self.headings = headings(sheet);
        }
        self.content = Some(content);
    }

    pub fn settle(&mut self, size: (u16, u16)) {
        if let Some(Content::Blocks(sheets)) = &self.content {
            // A page of blocks has no heading: one more line is seen.
            let seen = usize::from(size.1) + 1;
            self.view.row = self.view.row.min(blocks::rows(sheets).saturating_sub(1));
            let line = blocks::line_of(sheets, size.0, self.view.row);
            let least = (line + 1).saturating_sub(seen);
            // The title above the first row is shown with it.
            self.top = self.top.clamp(least, line.saturating_sub(1).max(least));
            return;
        }
        let rows = self.sheet().map_or(0, |sheet| sheet.rows.len());
        self.view.settle(rows, &self.widths(), self.table_size(size));
    }

    fn widths(&self) -> Vec<u16> {
        self.headings.iter().map(|heading| heading.width).collect()
    }

    fn go(&mut self, to: Move, size: (u16, u16)) {
        if let Some(sheet) = self.sheet() {
            let (rows, widths, size) = (sheet.rows.len(), self.widths(), self.table_size(size));
            self.view.go(to, rows, &widths, size);
            return;
        }
        if let Some(Content::Blocks(sheets)) = &self.content {
            let last = blocks::rows(sheets).saturating_sub(1);
            self.view.row = match to {
                Move::Down(n) => (self.view.row + n).min(last),
                Move::Up(n) => self.view.row.saturating_sub(n),
                Move::Left => blocks::neighbour(sheets, self.view.row, -1),
                Move::Right => blocks::neighbour(sheets, self.view.row, 1),
                Move::First | Move::RowStart => 0,
                Move::Last | Move::RowEnd => last,
                Move::To(_) => self.view.row,
            };
            self.settle(size);
        }
        if let Some(Content::Chart(figure)) = &self.content {
            let last = chart::parts_of(figure, (size.0, size.1 + 1)).saturating_sub(1);
            self.top = match to {
                Move::Down(_) => (self.top + 1).min(last),
                Move::Up(_) => self.top.saturating_sub(1),
                Move::First => 0,
                Move::Last => last,
                _ => self.top,
            };
        }
    }

    /// First cell of the row under the cursor.
    pub fn row_name(&self) -> Option<String> {
        Some(self.sheet()?.rows.get(self.view.row)?.first()?.text().trim().to_owned())
    }

    /// The cell under the cursor.
    pub fn cell(&self) -> Option<&Cell> {
        self.sheet()?.rows.get(self.view.row)?.get(self.view.column)
    }

    pub fn draw(&self, app: &App, page: Page, area: Rect, buffer: &mut Buffer) {
        let theme = app.options.theme;
        match &self.content {
            None => say(waiting_for(page), area, buffer),
            Some(Content::Nothing(why)) => say(why, area, buffer),
            Some(Content::Blocks(sheets)) => blocks::draw(sheets, self.top, self.view.row, theme, area, buffer),
            Some(Content::Chart(figure)) => chart::draw(figure, self.top, theme, area, buffer),
            Some(Content::Sheet(sheet)) if sheet.rows.is_empty() => {
                let none = format!("{}: nothing yet", if sheet.title.is_empty() { page.name() } else { &sheet.title });
                say(sheet.notes.first().unwrap_or(&none), area, buffer);
            }
            Some(Content::Sheet(sheet)) => {
                let marked: &[String] = if page == Page::Runs { &app.compared } else { &[] };
                self.draw_sheet(sheet, &self.view, marked, theme, area, buffer);
            }
        }
    }

    /// Draws a table that no cursor is in, beside or below something else.
    pub fn draw_beside(&self, theme: Theme, area: Rect, buffer: &mut Buffer) {
        let nowhere = GridView { row: usize::MAX, column: usize::MAX, top: 0, left: 1 };
        match self.sheet() {
            Some(sheet) => {
                let rows = Rect { height: area.height.min(self.height() - 1), ..area };
                self.draw_sheet(sheet, &nowhere, &[], theme, rows, buffer);
            }
            None => say("reading", area, buffer),
        }
    }

    /// Rows of the table, heading and an empty line.
    pub fn height(&self) -> u16 {
        self.sheet().map_or(1, |sheet| (sheet.rows.len() + 2).min(usize::from(u16::MAX)) as u16)
    }

    fn draw_sheet(
        &self,
        sheet: &Sheet,
        view: &GridView,
        marked: &[String],
        theme: Theme,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let cell = |row: usize, column: usize| {
            let cell = &sheet.rows[row][column];
            (cell.text(), look(cell, theme))
        };
        let sign = |row: usize| if marked.contains(&sheet.rows[row][0].text()) { theme.signs().mark } else { " " };
        let grid = Grid { headings: &self.headings, rows: sheet.rows.len(), cell: &cell, sign: &sign };
        let (area, beside) = self.room_beside(area);
        view.draw(&grid, theme, area, buffer);
        if let Some(beside) = beside {
            put_lines(buffer, beside, &origin::of_cell(sheet, view.row, view.column, false));
        }
        let used = 2 + sheet.rows.len().min(usize::from(area.height)) as u16;
        if used < area.height {
            let width = area.width.saturating_sub(2);
            let below = Rect { x: area.x + 1, y: area.y + used, width, height: area.height - used };
            put_lines(buffer, below, &sheet.notes);
        }
    }
}

/// Columns that a text beside a table has at least.
const BESIDE: u16 = 50;

impl PageState {
    /// On a wide screen a table has beside it where the number under the cursor comes from.
    fn room_beside(&self, area: Rect) -> (Rect, Option<Rect>) {
        if area.width < layout::WIDE {
            return (area, None);
        }
        let whole = self.headings.iter().fold(3_u16, |sum, heading| sum.saturating_add(heading.width + 2));
        let left = whole.min(area.width - BESIDE);
        let beside = Rect { x: area.x + left, width: (area.width - left).min(100), ..area };
        (Rect { width: left - 2, ..area }, Some(beside))
    }

    /// Columns and rows that the table itself has.
    fn table_size(&self, (width, height): (u16, u16)) -> (u16, u16) {
        (self.room_beside(Rect::new(0, 0, width, 1)).0.width, height)
    }
}

/// Small p values and words of trouble stand out; each has its own words besides.
fn look(cell: &Cell, theme: Theme) -> Style {
    match cell {
        Cell::P(p) if *p < 0.05 => theme.good(),
        Cell::Text(text) if ["failed", "wrong", "missing", "lost"].contains(&text.as_str()) => theme.bad(),
        Cell::Text(text) if ["done", "ok"].contains(&text.as_str()) => theme.good(),
        Cell::Text(text) if text == "differs" => theme.attention(),
        _ => Style::new(),
    }
}

fn headings(sheet: &Sheet) -> Vec<Heading> {
    let heading = |(at, text): (usize, &String)| {
        let cells = || sheet.rows.iter().filter_map(move |row| row.get(at));
        let widest = cells().map(|cell| cell.text().chars().count()).max().unwrap_or(0);
        let numbers = cells().any(Cell::is_number) && cells().all(|cell| cell.is_number() || *cell == Cell::Empty);
        let most = match at {
            0 => WIDEST_FIRST,
            _ if at + 1 == sheet.headings.len() => WIDEST_LAST,
            _ => WIDEST,
        };
        let width = widest.max(text.chars().count()).min(most) as u16;
        Heading { text: text.clone(), width, right: numbers }
    };
    sheet.headings.iter().enumerate().map(heading).collect()
}

/// What is going on until the content is here.
fn waiting_for(page: Page) -> &'static str {
    match page {
        Page::Verification => "checking the trail, the data and the images on disk",
        Page::Icc | Page::Selected => "comparing the features of both masks",
        Page::Reconciliation | Page::Printed | Page::Beside => "reading the published tables",
        _ => "reading",
    }
}

/// One sentence in place of content.
pub fn say(text: &str, area: Rect, buffer: &mut Buffer) {
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    put_lines(buffer, inner, &[text.to_owned()]);
}

pub fn arrived(app: &mut App, page: Page, subject: Option<String>, content: Content) {
    let state = app.pages.entry(page).or_default();
    if state.subject != subject {
        return;
    }
    state.take(content);
    app.settle();
}

pub fn click(app: &mut App, page: Page, x: u16, y: u16) {
    let size = layout::grid_size(app.size);
    if let Some(state) = app.pages.get_mut(&page) {
        let (row, column) = state.view.at(x, y, &state.widths());
        state.view.column = column;
        state.go(Move::To(row), size);
    }
}

pub fn act(app: &mut App, action: Action) -> Vec<Effect> {
    let Some(page) = app.page() else { return Vec::new() };
    let size = layout::grid_size(app.size);
    let seen = usize::from(size.1).max(2);
    let Some(state) = app.pages.get_mut(&page) else { return Vec::new() };
    let to = match action {
        Action::Down => Move::Down(1),
        Action::Up => Move::Up(1),
        Action::Left => Move::Left,
        Action::Right => Move::Right,
        Action::HalfDown => Move::Down(seen / 2),
        Action::HalfUp => Move::Up(seen / 2),
        Action::PageDown => Move::Down(seen - 1),
        Action::PageUp => Move::Up(seen - 1),
        Action::First => Move::First,
        Action::Last => Move::Last,
        Action::RowStart => Move::RowStart,
        Action::RowEnd => Move::RowEnd,
        Action::Open => return open(app, page),
        Action::FindNext => return find(app, page, true),
        Action::FindPrevious => return find(app, page, false),
        Action::CopyCell | Action::CopyRow | Action::CopyTable => return copy(app, page, action),
        Action::Filter => {
            app.dialog = Some(forms::filter_form(app));
            return Vec::new();
        }
        Action::Compare => return forms::compare(app),
        _ => return Vec::new(),
    };
    state.go(to, size);
    Vec::new()
}

/// A patient's id opens the patient; anything else says where it comes from.
fn open(app: &mut App, page: Page) -> Vec<Effect> {
    if app.screen == Screen::Study {
        return study_page::open(app, page).unwrap_or_else(|| origin::open(app, page));
    }
    let Some(state) = app.pages.get(&page) else { return Vec::new() };
    if let Some(Cell::Text(text)) = state.cell()
        && app.screen != Screen::Patients
        && app.patients.cohort.table.rows().iter().any(|id| id == text)
    {
        let id = text.clone();
        return patients::open(app, &id);
    }
    origin::open(app, page)
}

fn find(app: &mut App, page: Page, forward: bool) -> Vec<Effect> {
    let size = layout::grid_size(app.size);
    let wanted = app.find.to_lowercase();
    let Some(state) = app.pages.get_mut(&page) else { return Vec::new() };
    let rows: Vec<&Vec<Cell>> = match &state.content {
        Some(Content::Sheet(sheet)) => sheet.rows.iter().collect(),
        Some(Content::Blocks(sheets)) => sheets.iter().flat_map(|sheet| &sheet.rows).collect(),
        _ => return Vec::new(),
    };
    let n = rows.len();
    let has = |row: &usize| rows[*row].iter().any(|cell| cell.text().to_lowercase().contains(&wanted));
    let start = state.view.row;
    let found = if forward {
        (1..=n).map(|by| (start + by) % n).find(has)
    } else {
        (1..=n).map(|by| (start + n - by) % n).find(has)
    };
    match found {
        Some(row) => {
            state.view.row = row;
            state.settle(size);
        }
        None => app.complain(format!("nothing here contains {}", app.find)),
    }
    Vec::new()
}

fn copy(app: &mut App, page: Page, action: Action) -> Vec<Effect> {
    let found = app.pages.get(&page).and_then(|state| match &state.content {
        Some(Content::Sheet(sheet)) => Some((state, vec![sheet], sheet.rows.get(state.view.row)?)),
        Some(Content::Blocks(sheets)) => {
            let row = sheets.iter().flat_map(|sheet| &sheet.rows).nth(state.view.row)?;
            Some((state, sheets.iter().collect(), row))
        }
        _ => None,
    });
    let Some((state, sheets, row)) = found else {
        app.complain("there is no table to copy here");
        return Vec::new();
    };
    let n = sheets.iter().map(|sheet| sheet.rows.len()).sum();
    if action == Action::CopyTable && n > MOST_COPIED {
        return too_many(app, n);
    }
    let table = || sheets.iter().map(|sheet| render(sheet, Format::Markdown)).collect::<Vec<_>>().join("\n");
    let line = || row.iter().map(|cell| cell.text().trim().to_owned()).collect::<Vec<_>>().join("\t");
    let (text, said) = match (action, row.get(state.view.column)) {
        (Action::CopyCell, Some(cell)) if sheets.len() == 1 => (full(cell), "copied the cell in full precision"),
        (Action::CopyTable, _) => (table(), "copied the table as Markdown"),
        _ => (line(), "copied the row"),
    };
    app.say(said);
    vec![Effect::Copy(text)]
}

/// Says what to do about a table that is too large for the clipboard.
pub fn too_many(app: &mut App, rows: usize) -> Vec<Effect> {
    let export = app.bindings.key_of(Action::Export);
    app.complain(format!("{rows} rows are too many to copy; {export} writes them to a file"));
    Vec::new()
}

fn full(cell: &Cell) -> String {
    if cell.is_number() {
        cell.precise().into_iter().map(|(_, value)| value).collect::<Vec<_>>().join("\t")
    } else {
        cell.text().trim().to_owned()
    }
}
