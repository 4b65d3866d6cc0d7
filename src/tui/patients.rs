//! The patient list: find, filter, sort, mark, choose columns. The selection belongs to an id, not to a position.

use std::collections::BTreeSet;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::app::App;
use crate::tui::bindings::Action;
use crate::tui::clipboard::MOST_COPIED;
use crate::tui::data::{Cohort, Page, Screen};
use crate::tui::dialog::Dialog;
use crate::tui::grid_view::{Grid, GridView, Heading, Move};
use crate::tui::message::{Effect, Request};
use crate::tui::{forms, layout, page};
use osteon_base::text::counted;
use osteon_stats::table::Values;
use osteon_stats::table::filter::Filter;

/// State of the list.
#[derive(Clone, Debug, Default)]
pub struct Patients {
    pub cohort: Arc<Cohort>,
    /// How many are excluded; each has a sign in the list.
    excluded: usize,
    /// All patients are here, not only the first page.
    pub whole: bool,
    /// Rows of the cohort that pass the filter, in the order shown.
    pub order: Vec<u32>,
    pub filter_text: String,
    /// Column name and whether descending.
    pub sort: Option<(String, bool)>,
    pub marks: BTreeSet<String>,
    /// Names of columns that are not shown.
    pub hidden: BTreeSet<String>,
    pub view: GridView,
    /// The patient whose pages are shown.
    pub open: Option<String>,
}

impl Patients {
    /// Whether the first rows are here.
    pub fn have_arrived(&self) -> bool {
        !self.cohort.widths.is_empty()
    }

    /// Row of the cohort under the cursor.
    pub fn row(&self) -> Option<usize> {
        self.order.get(self.view.row).map(|&row| row as usize)
    }

    /// The open patient, or the one under the cursor.
    pub fn selected(&self) -> Option<&str> {
        let here = || self.row().map(|row| self.cohort.table.rows()[row].as_str());
        self.open.as_deref().or_else(here)
    }

    /// Row of the cohort of the selected patient.
    pub fn selected_row(&self) -> Option<usize> {
        match &self.open {
            Some(id) => self.cohort.table.rows().iter().position(|it| it == id),
            None => self.row(),
        }
    }

    /// The column that says who is included, and its code for those who are not.
    fn inclusion(&self) -> Option<(&[Option<usize>], usize)> {
        let column = self.cohort.table.columns().iter().find(|column| column.name == "included")?;
        let Values::Levels { levels, codes } = &column.values else { return None };
        Some((codes, levels.iter().position(|level| level == "no")?))
    }

    fn is_excluded(&self, row: usize) -> bool {
        self.inclusion().is_some_and(|(codes, no)| codes[row] == Some(no))
    }

    /// Columns that are shown, the id first.
    pub fn columns(&self) -> Vec<usize> {
        (0..self.cohort.columns()).filter(|&at| at == 0 || !self.hidden.contains(self.cohort.name(at))).collect()
    }

    /// The column under the cursor.
    pub fn column(&self) -> usize {
        self.columns().get(self.view.column).copied().unwrap_or(0)
    }

    fn headings(&self, ascii: (&str, &str)) -> Vec<Heading> {
        let heading = |at: usize| {
            let name = self.cohort.name(at);
            let sign = match &self.sort {
                Some((sorted, descending)) if sorted == name => {
                    if *descending {
                        ascii.1
                    } else {
                        ascii.0
                    }
                }
                _ => "",
            };
            let text = format!("{}{sign}", short(name));
            let width = self.cohort.widths[at].max(short(name).chars().count() as u16 + 1);
            Heading { text, width, right: self.cohort.is_number(at) }
        };
        self.columns().into_iter().map(heading).collect()
    }

    fn widths(&self) -> Vec<u16> {
        if self.cohort.widths.is_empty() {
            Vec::new()
        } else {
            self.headings(("", "")).iter().map(|it| it.width).collect()
        }
    }

    /// Filters and sorts again, and keeps the cursor on its patient; errors with the filter's.
    fn arrange(&mut self, keep: Option<String>) -> Result<(), String> {
        let table = &self.cohort.table;
        self.order = if self.filter_text.is_empty() {
            (0..table.rows().len() as u32).collect()
        } else {
            let filter = Filter::parse(&self.filter_text, table).map_err(|error| error.to_string())?;
            filter.rows(table).into_iter().map(|row| row as u32).collect()
        };
        self.sort_order();
        let at = keep.and_then(|id| self.order.iter().position(|&row| self.cohort.table.rows()[row as usize] == id));
        self.view.row = at.unwrap_or(self.view.row).min(self.order.len().saturating_sub(1));
        Ok(())
    }

    /// By the sorted column, missing values last, equal ones in the natural order of ids.
    fn sort_order(&mut self) {
        let rank = &self.cohort.rank;
        self.order.sort_unstable_by_key(|&row| rank[row as usize]);
        let Some((name, descending)) = &self.sort else { return };
        let Some(column) = self.cohort.table.columns().iter().find(|column| column.name == *name) else {
            if *descending {
                self.order.reverse();
            }
            return;
        };
        let number = |row: u32| match &column.values {
            Values::Numbers(values) => values[row as usize],
            Values::Levels { codes, .. } => codes[row as usize].map(|code| code as f64),
        };
        self.order.sort_by(|&a, &b| match (number(a), number(b)) {
            (Some(x), Some(y)) if *descending => y.total_cmp(&x),
            (Some(x), Some(y)) => x.total_cmp(&y),
            (x, y) => y.is_some().cmp(&x.is_some()),
        });
    }
}

/// Headings that fit a narrow screen.
fn short(name: &str) -> &str {
    const SHORT: [(&str, &str); 9] = [
        ("age", "age y"),
        ("location", "site"),
        ("diameter_mm", "diam mm"),
        ("pathological_fracture", "fracture"),
        ("lung_metastasis", "mets"),
        ("alp", "alp U/L"),
        ("ldh", "ldh U/L"),
        ("necrosis_pct", "necr %"),
        ("extraction", "regions"),
    ];
    SHORT.iter().find(|(long, _)| *long == name).map_or(name, |(_, short)| short)
}

/// What the selected patient needs on the screen.
pub fn refresh(app: &mut App) -> Vec<Effect> {
    if app.size.0 < layout::WIDE || app.patients.open.is_some() {
        return Vec::new();
    }
    let Some(id) = app.patients.selected().map(str::to_owned) else { return Vec::new() };
    let mut effects = Vec::new();
    for page in BESIDE {
        let beside = app.pages.entry(page).or_default();
        if beside.stale || beside.subject.as_ref() != Some(&id) {
            *beside = page::PageState::of(Some(id.clone()));
            beside.stale = false;
            effects.push(Effect::Ask(Request::Page(page, Some(id.clone()))));
        }
    }
    effects
}

/// Pages of the selected patient that a wide screen has beside the list.
const BESIDE: [Page; 2] = [Page::Variables, Page::History];

/// The list came, or came again.
pub fn arrived(app: &mut App, cohort: Arc<Cohort>, whole: bool) -> Vec<Effect> {
    let patients = &mut app.patients;
    if patients.whole && !whole {
        return Vec::new();
    }
    let keep = patients.row().map(|row| patients.cohort.table.rows()[row].clone());
    let first = !patients.have_arrived();
    patients.cohort = cohort;
    patients.whole = whole;
    let excluded = |(codes, no): (&[Option<usize>], usize)| codes.iter().filter(|code| **code == Some(no)).count();
    patients.excluded = patients.inclusion().map_or(0, excluded);
    if let Err(error) = patients.arrange(keep) {
        patients.filter_text.clear();
        patients.arrange(None).expect("no filter is no error");
        app.complain(format!("the filter was dropped: {error}"));
    }
    if first {
        app.patients.view.row = 0;
    }
    app.settle();
    refresh(app)
}

pub fn act(app: &mut App, action: Action) -> Vec<Effect> {
    let page = usize::from(layout::grid_size(app.size).1).max(2);
    let to = match action {
        Action::Down => Move::Down(1),
        Action::Up => Move::Up(1),
        Action::Left => Move::Left,
        Action::Right => Move::Right,
        Action::HalfDown => Move::Down(page / 2),
        Action::HalfUp => Move::Up(page / 2),
        Action::PageDown => Move::Down(page - 1),
        Action::PageUp => Move::Up(page - 1),
        Action::First => Move::First,
        Action::Last => Move::Last,
        Action::RowStart => Move::RowStart,
        Action::RowEnd => Move::RowEnd,
        Action::Mark => {
            mark(app);
            Move::Down(1)
        }
        Action::UnmarkAll => {
            app.patients.marks.clear();
            app.say("no patient is marked");
            return Vec::new();
        }
        Action::MarkAll => {
            let rows = app.patients.cohort.table.rows();
            let shown: Vec<String> = app.patients.order.iter().map(|&row| rows[row as usize].clone()).collect();
            app.patients.marks.extend(shown);
            app.say(format!("{} marked", counted(app.patients.marks.len(), "patient")));
            return Vec::new();
        }
        Action::Open => return open_selected(app),
        Action::Filter => {
            app.dialog = Some(forms::filter_form(app));
            return Vec::new();
        }
        Action::Sort => return sort(app),
        Action::Columns => {
            app.dialog = Some(Dialog::Columns { at: app.patients.column().saturating_sub(1) });
            return Vec::new();
        }
        Action::FindNext => return find(app, true),
        Action::FindPrevious => return find(app, false),
        Action::CopyCell | Action::CopyRow | Action::CopyTable => return copy(app, action),
        _ => return Vec::new(),
    };
    go(app, to);
    refresh(app)
}

fn go(app: &mut App, to: Move) {
    let widths = app.patients.widths();
    let size = size(app);
    let rows = app.patients.order.len();
    app.patients.view.go(to, rows, &widths, size);
}

fn size(app: &App) -> (u16, u16) {
    let (width, height) = layout::grid_size(app.size);
    (layout::halves(Rect::new(0, 0, width, height)).0.width, height)
}

/// Brings the cursor into sight.
pub fn settle(app: &mut App) {
    let (widths, size) = (app.patients.widths(), size(app));
    let rows = app.patients.order.len();
    app.patients.view.settle(rows, &widths, size);
}

pub fn click(app: &mut App, x: u16, y: u16) -> Vec<Effect> {
    let widths = app.patients.widths();
    let (row, column) = app.patients.view.at(x, y, &widths);
    if row < app.patients.order.len() {
        app.patients.view.column = column;
        go(app, Move::To(row));
    }
    refresh(app)
}

fn mark(app: &mut App) {
    if let Some(id) = app.patients.selected().map(str::to_owned)
        && !app.patients.marks.remove(&id)
    {
        app.patients.marks.insert(id);
    }
}

fn open_selected(app: &mut App) -> Vec<Effect> {
    app.patients.open = app.patients.selected().map(str::to_owned);
    app.refresh()
}

/// Opens a patient by its id.
pub fn open(app: &mut App, id: &str) -> Vec<Effect> {
    let rows = app.patients.cohort.table.rows();
    let Some(found) = rows.iter().find(|row| row.eq_ignore_ascii_case(id)).cloned() else {
        app.complain(format!("no patient {id}"));
        return Vec::new();
    };
    app.screen = Screen::Patients;
    if let Some(at) = app.patients.order.iter().position(|&row| app.patients.cohort.table.rows()[row as usize] == found)
    {
        go(app, Move::To(at));
    }
    app.patients.open = Some(found);
    app.refresh()
}

/// Shows only patients that pass; an empty text shows all.
pub fn filter(app: &mut App, text: &str) -> Vec<Effect> {
    let before = std::mem::replace(&mut app.patients.filter_text, text.trim().to_owned());
    let keep = app.patients.row().map(|row| app.patients.cohort.table.rows()[row].clone());
    if let Err(error) = app.patients.arrange(keep) {
        app.patients.filter_text = before;
        app.complain(error);
        return Vec::new();
    }
    let (seen, all) = (app.patients.order.len(), app.patients.cohort.patients);
    app.say(if text.trim().is_empty() {
        format!("all {}", counted(all, "patient"))
    } else {
        format!("{seen} of {} pass", counted(all, "patient"))
    });
    settle(app);
    refresh(app)
}

fn sort(app: &mut App) -> Vec<Effect> {
    let name = app.patients.cohort.name(app.patients.column()).to_owned();
    let next = match app.patients.sort.take() {
        Some((sorted, false)) if sorted == name => Some((name, true)),
        Some((sorted, true)) if sorted == name => None,
        _ => Some((name, false)),
    };
    sorted(app, next)
}

/// Sorts by a column named in words; a minus before it sorts descending.
pub fn sort_by(app: &mut App, text: &str) -> Vec<Effect> {
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    let cohort = &app.patients.cohort;
    let found = (0..cohort.columns()).map(|at| cohort.name(at)).find(|it| it.starts_with(name)).map(str::to_owned);
    match found {
        Some(found) => sorted(app, Some((found, descending))),
        None => {
            app.complain(format!("no column {name}"));
            Vec::new()
        }
    }
}

fn sorted(app: &mut App, sort: Option<(String, bool)>) -> Vec<Effect> {
    app.say(match &sort {
        Some((name, false)) => format!("sorted by {name}"),
        Some((name, true)) => format!("sorted by {name}, descending"),
        None => "in the natural order of ids".to_owned(),
    });
    let keep = app.patients.row().map(|row| app.patients.cohort.table.rows()[row].clone());
    app.patients.sort = sort;
    app.patients.arrange(keep).expect("the filter was read before");
    settle(app);
    refresh(app)
}

/// Goes to the next row with the text in any shown column, around the end.
pub fn find(app: &mut App, forward: bool) -> Vec<Effect> {
    let wanted = app.find.to_lowercase();
    let patients = &app.patients;
    let n = patients.order.len();
    let seekers: Vec<Seeker> =
        patients.columns().into_iter().map(|column| Seeker::new(&patients.cohort, column, &wanted)).collect();
    let has = |at: &usize| seekers.iter().any(|seeker| seeker.finds(patients.order[*at] as usize));
    let start = patients.view.row;
    let found = if forward {
        (1..=n).map(|by| (start + by) % n).find(has)
    } else {
        (1..=n).map(|by| (start + n - by) % n).find(has)
    };
    match found {
        Some(at) => {
            go(app, Move::To(at));
            refresh(app)
        }
        None => {
            app.complain(format!("nothing here contains {}", app.find));
            Vec::new()
        }
    }
}

/// Looks for a text in one column; a column of levels is searched once a level.
enum Seeker<'a> {
    Ids { ids: &'a [String], wanted: &'a str },
    Numbers { values: &'a [Option<f64>], wanted: &'a str },
    Levels { codes: &'a [Option<usize>], hits: Vec<bool> },
}

impl<'a> Seeker<'a> {
    fn new(cohort: &'a Cohort, column: usize, wanted: &'a str) -> Seeker<'a> {
        let Some(at) = column.checked_sub(1) else { return Seeker::Ids { ids: cohort.table.rows(), wanted } };
        match &cohort.table.columns()[at].values {
            Values::Numbers(values) => Seeker::Numbers { values, wanted },
            Values::Levels { levels, codes } => {
                let hits = levels.iter().map(|level| level.to_lowercase().contains(wanted)).collect();
                Seeker::Levels { codes, hits }
            }
        }
    }

    fn finds(&self, row: usize) -> bool {
        match self {
            Seeker::Ids { ids, wanted } => ids[row].to_lowercase().contains(wanted),
            Seeker::Numbers { values, wanted } => values[row].is_some_and(|value| value.to_string().contains(wanted)),
            Seeker::Levels { codes, hits } => codes[row].is_some_and(|code| hits[code]),
        }
    }
}

fn copy(app: &mut App, action: Action) -> Vec<Effect> {
    let patients = &app.patients;
    let Some(row) = patients.row() else { return Vec::new() };
    if action == Action::CopyTable && patients.order.len() > MOST_COPIED {
        return page::too_many(app, app.patients.order.len());
    }
    let line =
        |row: usize| patients.columns().iter().map(|&at| patients.cohort.text(row, at)).collect::<Vec<_>>().join("\t");
    let (text, said) = match action {
        Action::CopyCell => (patients.cohort.text(row, patients.column()), "copied the cell".to_owned()),
        Action::CopyRow => (line(row), "copied the row".to_owned()),
        _ => {
            let head = patients.columns().iter().map(|&at| patients.cohort.name(at)).collect::<Vec<_>>().join("\t");
            let rows = patients.order.iter().map(|&row| line(row as usize));
            (
                std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n"),
                format!("copied {}", osteon_base::text::counted(patients.order.len(), "row")),
            )
        }
    };
    app.say(said);
    vec![Effect::Copy(text)]
}

/// Before the id of an excluded patient.
const EXCLUDED: &str = "x";

/// How many, which and in which order.
pub fn title(app: &App) -> String {
    let patients = &app.patients;
    let (seen, all) = (patients.order.len(), patients.cohort.patients);
    let all_of_them = counted(all, "patient");
    let mut parts = vec![if seen == all { all_of_them } else { format!("{seen} of {all_of_them}") }];
    if !patients.whole {
        parts.push("reading".to_owned());
    } else if patients.excluded > 0 {
        parts.push(format!("{} excluded: {EXCLUDED}", patients.excluded));
    }
    if !patients.filter_text.is_empty() {
        parts.push(format!("filter: {}", patients.filter_text));
    }
    if let Some((name, descending)) = &patients.sort {
        parts.push(format!("by {name}{}", if *descending { ", descending" } else { "" }));
    }
    if !patients.marks.is_empty() {
        parts.push(format!("{} marked", patients.marks.len()));
    }
    if !patients.hidden.is_empty() {
        parts.push(format!("{} hidden", counted(patients.hidden.len(), "column")));
    }
    parts.join("; ")
}

pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = app.options.theme;
    let (left, right) = layout::halves(area);
    let patients = &app.patients;
    if !patients.have_arrived() {
        return page::say("reading the patients", area, buffer);
    }
    if patients.order.is_empty() {
        let none = if patients.cohort.patients == 0 {
            "no patients yet: osteon import clinical FILE.csv"
        } else {
            "no patient passes the filter; Esc shows all"
        };
        return page::say(none, area, buffer);
    }
    let signs = theme.signs();
    let columns = patients.columns();
    let cell = |at: usize, column: usize| {
        let row = patients.order[at] as usize;
        let text = patients.cohort.shown(row, columns[column]);
        let style = match (patients.cohort.name(columns[column]), text.as_str()) {
            ("included", "no") => theme.attention(),
            ("extraction", text) if text.contains("failed") => theme.bad(),
            _ => Style::new(),
        };
        (if text.is_empty() { "-".to_owned() } else { text }, style)
    };
    let sign = |at: usize| {
        let row = patients.order[at] as usize;
        match (patients.marks.contains(&patients.cohort.table.rows()[row]), patients.is_excluded(row)) {
            (true, _) => signs.mark,
            (false, true) => EXCLUDED,
            (false, false) => " ",
        }
    };
    let headings = patients.headings((signs.ascending, signs.descending));
    let grid = Grid { headings: &headings, rows: patients.order.len(), cell: &cell, sign: &sign };
    patients.view.draw(&grid, theme, left, buffer);
    let Some(mut free) = right else { return };
    for state in BESIDE.iter().filter_map(|page| app.pages.get(page)) {
        state.draw_beside(theme, free, buffer);
        let used = state.height().min(free.height);
        free = Rect { y: free.y + used, height: free.height - used, ..free };
    }
}
