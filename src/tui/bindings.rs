//! The one table of keys: bindings, help, hints and the command line are made from it.

use crate::tui::app::App;
use crate::tui::data::{Page, Screen};

/// Where a key has its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    Global,
    Study,
    Table,
    Patients,
    Patient,
    Slice,
    Jobs,
    Clinical,
    Split,
    Models,
    Nomogram,
    Trail,
}

impl Context {
    pub const ALL: [Context; 12] = [
        Context::Global,
        Context::Study,
        Context::Table,
        Context::Patients,
        Context::Patient,
        Context::Slice,
        Context::Jobs,
        Context::Clinical,
        Context::Split,
        Context::Models,
        Context::Nomogram,
        Context::Trail,
    ];

    /// Contexts that are in force together, the narrowest first.
    pub const CHAINS: [&[Context]; 11] = [
        &[Context::Study, Context::Table, Context::Global],
        &[Context::Patients, Context::Table, Context::Global],
        &[Context::Patient, Context::Table, Context::Global],
        &[Context::Slice, Context::Global],
        &[Context::Jobs, Context::Table, Context::Global],
        &[Context::Clinical, Context::Table, Context::Global],
        &[Context::Split, Context::Table, Context::Global],
        &[Context::Models, Context::Table, Context::Global],
        &[Context::Nomogram, Context::Global],
        &[Context::Trail, Context::Table, Context::Global],
        &[Context::Table, Context::Global],
    ];

    pub fn name(self) -> &'static str {
        match self {
            Context::Global => "everywhere",
            Context::Study => "study",
            Context::Table => "tables",
            Context::Patients => "patients",
            Context::Patient => "patient",
            Context::Slice => "slices",
            Context::Jobs => "jobs",
            Context::Clinical => "clinical",
            Context::Split => "split",
            Context::Models => "models",
            Context::Nomogram => "nomogram",
            Context::Trail => "trail",
        }
    }
}

/// What a key or a command asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Show(Screen),
    Help,
    Command,
    Back,
    Quit,
    Redraw,
    Suspend,
    Down,
    Up,
    Left,
    Right,
    HalfDown,
    HalfUp,
    PageDown,
    PageUp,
    First,
    Last,
    RowStart,
    RowEnd,
    NextPage,
    PreviousPage,
    Open,
    Find,
    FindNext,
    FindPrevious,
    CopyCell,
    CopyRow,
    CopyTable,
    Export,
    Filter,
    Sort,
    Mark,
    Columns,
    Edit,
    Exclude,
    Undo,
    UnmarkAll,
    MarkAll,
    Ask,
    Answer,
    Close,
    Accept,
    Redo,
    LeaveOut,
    NextMask,
    PreviousMask,
    Zoom,
    Turn,
    Extract,
    Slices,
    SliceForward,
    SliceBack,
    WindowWider,
    WindowNarrower,
    LevelUp,
    LevelDown,
    WindowReset,
    Outline,
    ToTumour,
    Fit,
    Cancel,
    Retry,
    Draw,
    Lock,
    ImportSplit,
    Compare,
    More,
    Less,
    NextValue,
    PreviousValue,
    TakePatient,
    Explain,
    Verify,
    Reconcile,
    ToCell,
    Correct,
    NextOutcome,
    Report,
}

/// One row of the table of keys.
pub struct Binding {
    pub context: Context,
    /// Keys in their notation, separated by blanks.
    pub keys: &'static str,
    pub action: Action,
    /// The word of the command line and of key files.
    pub name: &'static str,
    pub help: &'static str,
    /// Why not, when it cannot be used now.
    pub when: fn(&App) -> Result<(), &'static str>,
}

const fn key(
    context: Context,
    keys: &'static str,
    action: Action,
    name: &'static str,
    help: &'static str,
    when: fn(&App) -> Result<(), &'static str>,
) -> Binding {
    Binding { context, keys, action, name, help, when }
}

fn always(_: &App) -> Result<(), &'static str> {
    Ok(())
}

fn writable(app: &App) -> Result<(), &'static str> {
    if app.options.read_only { Err("the study is open for reading only") } else { Ok(()) }
}

fn unlocked(app: &App) -> Result<(), &'static str> {
    writable(app)?;
    if app.head.locked.is_some() { Err("the study is locked: osteon unlock") } else { Ok(()) }
}

/// Whether another split may take the place of the one in force.
fn replaceable(app: &App) -> Result<(), &'static str> {
    unlocked(app)?;
    match &app.head.split {
        Some(split) if split.locked => Err("the split is locked: osteon unlock --split"),
        _ => Ok(()),
    }
}

fn lockable(app: &App) -> Result<(), &'static str> {
    replaceable(app)?;
    if app.head.split.is_none() { Err("there is no split yet") } else { Ok(()) }
}

fn on_patient(app: &App) -> Result<(), &'static str> {
    app.patients.selected().map(|_| ()).ok_or("no patient is selected")
}

fn unlocked_on_patient(app: &App) -> Result<(), &'static str> {
    unlocked(app).and(on_patient(app))
}

fn finding(app: &App) -> Result<(), &'static str> {
    if app.find.is_empty() { Err("nothing was searched yet: /") } else { Ok(()) }
}

fn on_tables(app: &App) -> Result<(), &'static str> {
    match app.page() {
        Some(Page::Reconciliation | Page::Printed) => Ok(()),
        _ => Err("only on the pages of published tables: r"),
    }
}

fn on_cell(app: &App) -> Result<(), &'static str> {
    if app.page() == Some(Page::Printed) { Ok(()) } else { Err("only on a published table as printed: r, then f") }
}

fn on_time(app: &App) -> Result<(), &'static str> {
    match app.page() {
        Some(Page::Survival | Page::Hazards | Page::Prognosis) if app.head.outcomes.len() > 1 => Ok(()),
        Some(Page::Survival | Page::Hazards | Page::Prognosis) => Err("the study has no other outcome of kind time"),
        _ => Err("only on the pages of a time to event"),
    }
}

fn on_running_job(app: &App) -> Result<(), &'static str> {
    writable(app)?;
    match app.jobs.selected() {
        Some(job) if job.state.is_active() => Ok(()),
        Some(_) => Err("the selected job has ended"),
        None => Err("no job is selected"),
    }
}

fn on_ended_job(app: &App) -> Result<(), &'static str> {
    writable(app)?;
    match app.jobs.selected() {
        Some(job) if job.state.is_active() => Err("the selected job has not ended"),
        Some(_) => Ok(()),
        None => Err("no job is selected"),
    }
}

use Action as A;
use Context as C;

/// Every key of the dashboard.
pub const BINDINGS: &[Binding] = &[
    key(C::Study, "a", A::Answer, "answer", "answer this query; on a mask: accept it", writable),
    key(C::Study, "c", A::Close, "close", "close this query, with a reason", writable),
    key(C::Study, "r", A::Redo, "redo", "this mask has to be drawn again", writable),
    key(C::Study, "d", A::LeaveOut, "leave-out", "this mask is not measured", writable),
    key(C::Study, "i", A::Slices, "slices", "the image with this patient's mask", always),
    key(C::Patients, "&", A::Filter, "filter", "show only patients such as: alp > 300 and pf = yes", always),
    key(C::Patients, "s", A::Sort, "sort", "sort by this column; again: descending; again: unsorted", always),
    key(C::Patients, "space", A::Mark, "mark", "mark or unmark this patient and go down", on_patient),
    key(C::Patients, "c", A::Columns, "columns", "choose which columns are shown", always),
    key(C::Patients, "e", A::Edit, "edit", "change this value, with a reason", unlocked_on_patient),
    key(C::Patients, "X", A::Exclude, "exclude", "exclude or include again, with a reason", unlocked_on_patient),
    key(C::Patients, "u", A::Undo, "undo", "turn the patient's last change back, as a new change", unlocked_on_patient),
    key(C::Patients, "U", A::UnmarkAll, "unmark-all", "no patient is marked", always),
    key(C::Patients, "*", A::MarkAll, "mark-all", "mark all patients that are shown", always),
    key(C::Patients, "Q", A::Ask, "ask", "raise a query about this value", unlocked_on_patient),
    key(C::Patient, "Q", A::Ask, "ask", "raise a query about this value", unlocked_on_patient),
    key(C::Patients, "i", A::Slices, "slices", "the image with the tumor and its ring", on_patient),
    key(C::Patients, "E", A::Extract, "extract", "extract features of the marked patients, or all", writable),
    key(C::Patient, "e", A::Edit, "edit", "change this value, with a reason", unlocked_on_patient),
    key(C::Patient, "X", A::Exclude, "exclude", "exclude or include again, with a reason", unlocked_on_patient),
    key(C::Patient, "u", A::Undo, "undo", "turn the patient's last change back, as a new change", unlocked_on_patient),
    key(C::Patient, "i", A::Slices, "slices", "the image with the tumor and its ring", on_patient),
    key(C::Patient, "E", A::Extract, "extract", "extract features of this patient", writable),
    key(C::Slice, "j down", A::SliceForward, "next-slice", "next slice", always),
    key(C::Slice, "k up", A::SliceBack, "previous-slice", "previous slice", always),
    key(C::Slice, "l right", A::LevelUp, "level-up", "higher level (L): darker", always),
    key(C::Slice, "h left", A::LevelDown, "level-down", "lower level: brighter", always),
    key(C::Slice, "+", A::WindowWider, "window-wider", "wider window (W): less contrast", always),
    key(C::Slice, "-", A::WindowNarrower, "window-narrower", "narrower window: more contrast", always),
    key(C::Slice, "0", A::WindowReset, "window-reset", "window and level as at first", always),
    key(C::Slice, "o", A::Outline, "outline", "tumor and ring on or off", always),
    key(C::Slice, "g", A::ToTumour, "largest", "the slice with most tumor", always),
    key(C::Slice, "z", A::Zoom, "zoom", "the tumor and its surroundings, or the whole slice", always),
    key(C::Slice, "t", A::Turn, "turn", "slices seen from another side", always),
    key(C::Slice, "n", A::NextMask, "next-mask", "the next mask: of this patient, then of the next", always),
    key(C::Slice, "p", A::PreviousMask, "previous-mask", "the mask before", always),
    key(C::Slice, "a", A::Accept, "accept", "the mask is right; on to the next", writable),
    key(C::Slice, "r", A::Redo, "redo", "the mask has to be drawn again, with a note", writable),
    key(C::Slice, "d", A::LeaveOut, "leave-out", "the mask is not measured, with a note", writable),
    key(C::Jobs, "E", A::Extract, "extract", "extract features of all patients", writable),
    key(C::Jobs, "f", A::Fit, "fit", "fit all models, after a look at the parameters", writable),
    key(C::Jobs, "c", A::Cancel, "cancel", "cancel the selected job", on_running_job),
    key(C::Jobs, "r", A::Retry, "retry", "do again what failed in the selected job", on_ended_job),
    key(C::Clinical, "o", A::NextOutcome, "next-outcome", "time to event: the next outcome of the study", on_time),
    key(C::Split, "s", A::Draw, "draw", "draw a new split by seed and ratio", replaceable),
    key(C::Split, "i", A::ImportSplit, "import-split", "read a split from a CSV file", replaceable),
    key(C::Split, "L", A::Lock, "lock-split", "lock the split: it cannot be replaced any more", lockable),
    key(C::Models, "f", A::Fit, "fit", "fit all models, after a look at the parameters", writable),
    key(C::Models, "c", A::Compare, "compare", "mark this run; the second mark shows both side by side", always),
    key(C::Nomogram, "j down", A::NextValue, "next-value", "next value", always),
    key(C::Nomogram, "k up", A::PreviousValue, "previous-value", "previous value", always),
    key(C::Nomogram, "l right", A::More, "more", "increase the value", always),
    key(C::Nomogram, "h left", A::Less, "less", "decrease the value", always),
    key(C::Nomogram, "p enter", A::TakePatient, "take-patient", "take the values of a patient", always),
    key(C::Nomogram, "tab", A::Explain, "explain", "SHAP of these values and of the study", always),
    key(C::Nomogram, "x", A::Export, "export", "write the prediction to a file: .csv, .md, .html, .json, .tex", always),
    key(C::Nomogram, "y", A::CopyCell, "copy", "copy the prediction", always),
    key(C::Trail, "&", A::Filter, "filter", "show only changes such as: field = alp and who ~ kim", always),
    key(C::Trail, "v", A::Verify, "verify", "check the hash chain and the file", always),
    key(C::Trail, "r", A::Reconcile, "reconcile", "published tables against themselves and this study", always),
    key(
        C::Trail,
        "f",
        A::ToCell,
        "to-cell",
        "published tables: the finding's cell; there, the next finding's",
        on_tables,
    ),
    key(
        C::Trail,
        "c",
        A::Correct,
        "correct",
        "published tables: say what this column or row is, and read again",
        on_cell,
    ),
    key(C::Trail, "R", A::Report, "report", "write the report: text, tables, figures", always),
    key(C::Table, "j down", A::Down, "down", "down", always),
    key(C::Table, "k up", A::Up, "up", "up", always),
    key(C::Table, "h left", A::Left, "left", "one column to the left", always),
    key(C::Table, "l right", A::Right, "right", "one column to the right", always),
    key(C::Table, "ctrl-d", A::HalfDown, "half-down", "half a page down", always),
    key(C::Table, "ctrl-u", A::HalfUp, "half-up", "half a page up", always),
    key(C::Table, "ctrl-f pgdn", A::PageDown, "page-down", "a page down", always),
    key(C::Table, "ctrl-b pgup", A::PageUp, "page-up", "a page up", always),
    key(C::Table, "g home", A::First, "first", "to the first row", always),
    key(C::Table, "G end", A::Last, "last", "to the last row", always),
    key(C::Table, "0", A::RowStart, "row-start", "to the first column", always),
    key(C::Table, "$", A::RowEnd, "row-end", "to the last column", always),
    key(C::Table, "tab ]", A::NextPage, "next-page", "the next page of this screen", always),
    key(C::Table, "shift-tab [", A::PreviousPage, "previous-page", "the previous page of this screen", always),
    key(C::Table, "enter", A::Open, "open", "open; on a number: where does this come from", always),
    key(C::Table, "/", A::Find, "find", "find a text, without regard to case", always),
    key(C::Table, "n", A::FindNext, "find-next", "the next place that was found", finding),
    key(C::Table, "N", A::FindPrevious, "find-previous", "the previous place that was found", finding),
    key(C::Table, "y", A::CopyCell, "copy", "copy this cell, in full precision", always),
    key(C::Table, "Y", A::CopyRow, "copy-row", "copy this row", always),
    key(C::Table, "ctrl-y", A::CopyTable, "copy-table", "copy this table", always),
    key(C::Table, "x", A::Export, "export", "write this view to a file: .csv, .md, .html, .json, .tex, .svg", always),
    key(C::Global, "1", A::Show(Screen::Study), "study", "the study at a glance", always),
    key(C::Global, "2", A::Show(Screen::Patients), "patients", "patients", always),
    key(C::Global, "3", A::Show(Screen::Jobs), "jobs", "extraction and fits", always),
    key(C::Global, "4", A::Show(Screen::Clinical), "clinical", "Tables 1, 2 and 4, time to event", always),
    key(C::Global, "5", A::Show(Screen::Split), "split", "training and test set", always),
    key(C::Global, "6", A::Show(Screen::Models), "models", "runs, Tables 3 and 5, features, curves", always),
    key(C::Global, "7", A::Show(Screen::Nomogram), "nomogram", "the nomogram", always),
    key(C::Global, "8", A::Show(Screen::Trail), "trail", "who changed what, when and why", always),
    key(C::Global, "?", A::Help, "help", "this help", always),
    key(C::Global, ":", A::Command, "command", "any of these by its name", always),
    key(C::Global, "esc backspace", A::Back, "back", "back; never quits", always),
    key(C::Global, "q ctrl-c", A::Quit, "quit", "quit; jobs go on without the dashboard", always),
    key(C::Global, "ctrl-l", A::Redraw, "redraw", "draw the screen again", always),
    key(C::Global, "ctrl-z", A::Suspend, "suspend", "stop for a while; fg comes back", always),
];
