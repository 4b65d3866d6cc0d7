//! The questions of the dashboard: what each asks, and what its answers do.

use std::path::PathBuf;

use crate::tui::app::{App, change, work};
use crate::tui::data::{Content, Page, Screen};
use crate::tui::dialog::Dialog;
use crate::tui::export::{Ending, View};
use crate::tui::form::{Form, Purpose};
use crate::tui::message::{Change, Effect, Request, Work};
use crate::tui::{patients, tables};
use osteon_study::protocol::keys;

/// Does what a filled form asks; a refused answer keeps the form open with the reason.
pub fn submit(app: &mut App, form: Form) -> Vec<Effect> {
    match outcome(app, &form) {
        Ok(effects) => {
            app.sent = effects.iter().any(answers_soon).then_some(form);
            effects
        }
        Err(why) => {
            app.dialog = Some(Dialog::Form(Form { error: Some(why), ..form }));
            Vec::new()
        }
    }
}

/// Whether the study takes or refuses it at once; a report takes its time.
fn answers_soon(effect: &Effect) -> bool {
    use Request as R;
    matches!(effect, Effect::Ask(R::Change(_) | R::Work(_) | R::Write { .. } | R::Values { .. } | R::Correct(_)))
}

fn outcome(app: &mut App, form: &Form) -> Result<Vec<Effect>, String> {
    let first = form.answer(0);
    let reason = |at: usize| {
        Some(form.answer(at)).filter(|text| !text.is_empty()).ok_or_else(|| "a change needs a reason".to_owned())
    };
    Ok(match form.purpose.clone() {
        Purpose::Find => find(app, &first),
        Purpose::FilterPatients => {
            let effects = patients::filter(app, &first);
            match app.note.take_if(|note| note.bad) {
                Some(note) => return Err(note.text),
                None => effects,
            }
        }
        Purpose::FilterChanges => filter_changes(app, &first)?,
        Purpose::Export => {
            Ending::of(&first)?;
            export(app, &first)
        }
        Purpose::Edit { id, field, version } => {
            change(app, Change::Edit { id, field, value: first, reason: reason(1)?, version })
        }
        Purpose::Exclude { id, version } => change(app, Change::Exclude { id, reason: reason(0)?, version }),
        Purpose::Include { id, version } => change(app, Change::Include { id, reason: reason(0)?, version }),
        Purpose::Undo { id, seq } => change(app, Change::Undo { id, reason: reason(0)?, seq }),
        Purpose::Split => {
            let seed = first.parse().map_err(|_| "the seed is a whole number from 0".to_owned())?;
            let percent = form.answer(1).parse().ok().filter(|n| (1..100).contains(n));
            let train_percent = percent.ok_or("the training part is a whole percentage from 1 to 99")?;
            change(app, Change::Split { seed, train_percent })
        }
        Purpose::Fit => {
            // What was left as it is changes no protocol, and a setting without a say may stay as it is.
            let answers = form.fields.iter().enumerate().map(|(at, field)| (field.label.clone(), form.answer(at)));
            let changed = answers.filter(|answer| !app.head.parameters.contains(answer));
            let assignments = changed.map(|(key, value)| format!("{key}={value}")).collect();
            work(app, Work::Fit { assignments })
        }
        Purpose::ImportSplit => {
            let column = Some(form.answer(1)).filter(|name| !name.is_empty()).ok_or("which column has the sets?")?;
            change(app, Change::ImportSplit { path: PathBuf::from(first), column })
        }
        Purpose::LockSplit => change(app, Change::LockSplit { reason: reason(0)? }),
        Purpose::Start => Vec::new(),
        Purpose::Ask { id, field } => {
            let text = Some(first).filter(|text| !text.is_empty()).ok_or("what is asked?")?;
            change(app, Change::Ask { id, field, text })
        }
        Purpose::Answer { query } => {
            let text = Some(first).filter(|text| !text.is_empty()).ok_or("what is the answer?")?;
            change(app, Change::Answer { query, text })
        }
        Purpose::Close { query } => change(app, Change::Close { query, reason: reason(0)? }),
        Purpose::Judge { id, mask, judgement } => {
            let note = reason(0)?;
            let judged = change(app, Change::Judge { id, mask, judgement, note });
            return Ok(judged.into_iter().chain(crate::tui::slices::next(app, 1)).collect());
        }
        Purpose::TakePatient => vec![Effect::Ask(Request::Values { id: first })],
        Purpose::Reconcile => reconcile(app, &first),
        Purpose::Correct { table, line, column } => tables::corrected(app, form, table, (line, column)),
        Purpose::Report => report(app, &first),
    })
}

pub fn find_form(app: &App) -> Dialog {
    Dialog::Form(Form::new("Find", Purpose::Find, &[("text", &app.find)]))
}

pub fn find(app: &mut App, text: &str) -> Vec<Effect> {
    if text.is_empty() {
        return Vec::new();
    }
    app.find = text.to_owned();
    crate::tui::app::act(app, crate::tui::bindings::Action::FindNext)
}

pub fn filter_form(app: &App) -> Dialog {
    let form = if app.screen == Screen::Trail {
        Form::new("Show only changes", Purpose::FilterChanges, &[("filter", &app.trail_filter)]).saying([
            "such as: patient = SYN004 and field = alp; who ~ kim".to_owned(),
            format!("columns: {}", osteon_study::study::trail_columns().collect::<Vec<_>>().join(" ")),
            "an empty filter shows all".to_owned(),
        ])
    } else {
        let names = app.patients.cohort.table.columns().iter().map(|column| column.name.as_str()).collect::<Vec<_>>();
        Form::new("Show only patients", Purpose::FilterPatients, &[("filter", &app.patients.filter_text)]).saying([
            "such as: alp > 300 and pf = yes; ldh is missing; not (sex = male or id ~ 7)".to_owned(),
            format!("columns: id {}", names.join(" ")),
            "an empty filter shows all".to_owned(),
        ])
    };
    Dialog::Form(form)
}

/// Asks the trail again, for the changes that pass; an empty text asks for all.
pub fn filter_changes(app: &mut App, text: &str) -> Result<Vec<Effect>, String> {
    if !text.is_empty() {
        osteon_study::study::trail_filter(text).map_err(|why| why.in_full())?;
    }
    text.clone_into(&mut app.trail_filter);
    Ok(app.open_page(Screen::Trail, Page::Changes))
}

/// The field under the cursor of the list or of the patient's variables, with its present value.
pub fn field_here(app: &App) -> Option<(String, String)> {
    let row = app.patients.selected_row()?;
    let cohort = &app.patients.cohort;
    let name = match (&app.patients.open, app.pages.get(&Page::Variables)) {
        (None, _) => cohort.name(app.patients.column()).to_owned(),
        (Some(_), Some(state)) => state.row_name()?,
        _ => return None,
    };
    let at = (1..cohort.columns()).find(|&at| cohort.name(at) == name)?;
    Some((name, cohort.text(row, at)))
}

pub fn edit(app: &mut App) -> Vec<Effect> {
    let found = app.patients.selected().map(str::to_owned).zip(field_here(app));
    let Some((id, (field, value))) = found else {
        app.complain("stand on a clinical variable to change it");
        return Vec::new();
    };
    let book = std::sync::Arc::clone(&app.patients.cohort.book);
    let Some(variable) = book.named(&field) else {
        app.complain(format!("{field} is not entered by hand; clinical variables are"));
        return Vec::new();
    };
    if let Some(formula) = &variable.formula {
        app.complain(format!("{field} is computed: {}", formula.text()));
        return Vec::new();
    }
    let version = version(app);
    let lines = [
        format!("now: {}", if value.is_empty() { "missing" } else { &value }),
        format!("{}: {}; empty for missing", variable.heading(), variable.expected()),
    ];
    let purpose = Purpose::Edit { id: id.clone(), field: field.clone(), version };
    let form = Form::new(format!("{id}, {field}"), purpose, &[("value", &value), ("reason", "")]).saying(lines);
    app.dialog = Some(Dialog::Form(form));
    Vec::new()
}

/// Version of the selected patient's row as it is shown.
fn version(app: &App) -> i64 {
    app.patients.selected_row().and_then(|row| app.patients.cohort.versions.get(row)).copied().unwrap_or(0)
}

pub fn exclude(app: &mut App) -> Vec<Effect> {
    let Some((id, row)) = app.patients.selected().map(str::to_owned).zip(app.patients.selected_row()) else {
        return Vec::new();
    };
    let cohort = &app.patients.cohort;
    let included = (1..cohort.columns()).find(|&at| cohort.name(at) == "included");
    let is_out = included.is_some_and(|at| cohort.text(row, at) == "no");
    let version = version(app);
    let form = if is_out {
        Form::new(format!("Include {id} again"), Purpose::Include { id, version }, &[("reason", "")])
    } else {
        Form::new(format!("Exclude {id}"), Purpose::Exclude { id, version }, &[("reason", "")])
            .saying(["nothing is deleted; the patient leaves tables and models".to_owned()])
    };
    app.dialog = Some(Dialog::Form(form));
    Vec::new()
}

/// Asks what would be turned back; the answer opens the question.
pub fn undo(app: &mut App) -> Vec<Effect> {
    let id = app.patients.selected().map(str::to_owned);
    id.map(|id| Effect::Ask(Request::LastEdit { id })).into_iter().collect()
}

pub fn undo_form(id: String, seq: i64, text: String) -> Dialog {
    let form = Form::new(format!("Turn the last change of {id} back"), Purpose::Undo { id, seq }, &[("reason", "")])
        .saying([text, "the trail keeps both changes".to_owned()]);
    Dialog::Form(form)
}

/// Both versions of a row that somebody else changed meanwhile.
pub fn conflict(app: &mut App, ours: Change, theirs: &str, version: i64) {
    let again = match ours {
        Change::Edit { id, field, value, reason, .. } => Some((id, field, value, reason)),
        _ => None,
    };
    match again {
        Some((id, field, value, reason)) => {
            let lines = [
                "somebody changed this patient while you were writing; nothing of yours was saved".to_owned(),
                format!("theirs: {theirs}"),
                format!("yours: {value}"),
                "Enter writes yours over theirs, Esc keeps theirs".to_owned(),
            ];
            let purpose = Purpose::Edit { id: id.clone(), field: field.clone(), version };
            let form =
                Form::new(format!("{id}, {field}: two versions"), purpose, &[("value", &value), ("reason", &reason)]);
            app.dialog = Some(Dialog::Form(form.saying(lines)));
        }
        None => app.complain(format!("somebody changed this patient meanwhile ({theirs}); look again")),
    }
}

pub fn draw_split(app: &mut App) -> Vec<Effect> {
    let form = Form::new("A new split", Purpose::Split, &[("seed", "1"), ("training %", "80")])
        .saying(["the split in force is replaced, and stays in the file".to_owned()])
        .saying(orphans(app));
    app.dialog = Some(Dialog::Form(form));
    Vec::new()
}

pub fn lock_split(app: &mut App) -> Vec<Effect> {
    let form = Form::new("Lock the split", Purpose::LockSplit, &[("reason", "")])
        .saying(["it can then be replaced only after osteon unlock --split".to_owned()]);
    app.dialog = Some(Dialog::Form(form));
    Vec::new()
}

/// The protocol's parameters of learning, as a form.
pub fn fit(app: &mut App) -> Vec<Effect> {
    let fields: Vec<(&str, &str)> =
        app.head.parameters.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    if fields.is_empty() {
        return work(app, Work::Fit { assignments: Vec::new() });
    }
    let form = Form::new("Fit all models", Purpose::Fit, &fields)
        .saying(["a changed value puts a new protocol in force; the run carries its hash".to_owned()])
        .hinted(app.head.parameters.iter().map(|(key, _)| hint(key)));
    app.dialog = Some(Dialog::Form(form));
    Vec::new()
}

/// What a setting means and takes.
fn hint(key: &str) -> String {
    keys::of(key).map_or_else(String::new, |key| format!("{}; {}", key.meaning, key.takes.in_words()))
}

/// Marks the run under the cursor, or takes the mark away; two marked runs are shown side by side.
pub fn compare(app: &mut App) -> Vec<Effect> {
    let run = (app.page() == Some(Page::Runs)).then(|| app.pages.get(&Page::Runs)?.row_name()).flatten();
    let Some(run) = run else {
        app.complain("stand on a run of the page Runs to compare it");
        return Vec::new();
    };
    if let Some(at) = app.compared.iter().position(|marked| *marked == run) {
        app.compared.remove(at);
        app.say(format!("run {run} is not marked any more"));
        return Vec::new();
    }
    if app.compared.len() == 2 {
        app.compared.clear();
    }
    app.compared.push(run.clone());
    if app.compared.len() == 2 {
        return app.open_page(Screen::Models, Page::Comparison);
    }
    app.say(format!("run {run} is marked; mark a second one"));
    Vec::new()
}

/// A file name for the present view.
pub fn export_form(app: &mut App) -> Vec<Effect> {
    let (name, kinds) = match app.page() {
        None if app.screen == Screen::Nomogram => ("prediction.csv".to_owned(), "csv md html json tex txt"),
        None => ("patients.csv".to_owned(), "csv md html json tex txt"),
        Some(page) => {
            let stem = page.name().to_lowercase().replace(' ', "-");
            match app.pages.get(&page).and_then(|state| state.content.as_ref()) {
                Some(Content::Chart(_)) => (format!("{stem}.svg"), "svg, or csv for its numbers"),
                _ => (format!("{stem}.csv"), "csv md html json tex txt"),
            }
        }
    };
    let form = Form::new("Write this view to a file", Purpose::Export, &[("file", &name)])
        .saying([format!("the ending decides: {kinds}")]);
    app.dialog = Some(Dialog::Form(form));
    Vec::new()
}

/// Writes the present view to a file whose ending decides the form.
pub fn export(app: &mut App, path: &str) -> Vec<Effect> {
    match view_here(app).and_then(|view| Ok((view, Ending::of(path)?))) {
        Ok((view, ending)) => vec![Effect::Ask(Request::Write { path: PathBuf::from(path), view, ending })],
        Err(why) => {
            app.complain(why);
            Vec::new()
        }
    }
}

fn view_here(app: &App) -> Result<View, String> {
    let content = app.page().and_then(|page| app.pages.get(&page)).and_then(|state| state.content.as_ref());
    match content {
        _ if app.screen == Screen::Nomogram => {
            let sheet = crate::tui::nomogram::sheet(app).ok_or("there is no prediction to write yet")?;
            Ok(View::Content(Box::new(Content::Sheet(sheet))))
        }
        Some(Content::Nothing(_)) => Err("there is nothing to write here".to_owned()),
        Some(content) => Ok(View::Content(Box::new(content.clone()))),
        None if app.screen == Screen::Patients => {
            let patients = &app.patients;
            let (rows, columns) = (patients.order.clone(), patients.columns());
            Ok(View::Patients { cohort: std::sync::Arc::clone(&patients.cohort), rows, columns })
        }
        None => Err("there is no table to write here".to_owned()),
    }
}

/// A file of published cells to hold against themselves and against this study.
pub fn reconcile_form(app: &App) -> Dialog {
    let file = if app.published.contains('\n') { "" } else { app.published.as_str() };
    let form = Form::new("Published tables", Purpose::Reconcile, &[("file", file)])
        .saying(["tables as printed, in HTML, DOCX, Markdown, TSV, CSV or XLSX; or paste a table here".to_owned()]);
    Dialog::Form(form)
}

/// Whether pasted text is a table for the page of published tables: several lines, no dialog but the one that asks for
/// a file of them.
pub fn takes_table(app: &App, text: &str) -> bool {
    let is_table = text.trim().contains(['\n', '\r']);
    let here = matches!(app.page(), Some(Page::Reconciliation | Page::Printed | Page::Beside));
    is_table
        && match &app.dialog {
            None => here,
            Some(Dialog::Form(form)) => form.purpose == Purpose::Reconcile,
            Some(_) => false,
        }
}

/// Opens the page on a file, or on pasted tables (several lines).
pub fn reconcile(app: &mut App, path: &str) -> Vec<Effect> {
    // Terminals paste line ends as carriage returns.
    app.published =
        if path.contains(['\n', '\r']) { path.replace("\r\n", "\n").replace('\r', "\n") } else { path.to_owned() };
    tables::forget(app);
    app.open_page(Screen::Trail, Page::Reconciliation)
}

pub fn report(app: &mut App, folder: &str) -> Vec<Effect> {
    app.say(format!("writing the report to {folder}; it takes a while"));
    vec![Effect::Ask(Request::Report { folder: PathBuf::from(folder) })]
}

pub fn report_form() -> Dialog {
    let form = Form::new("Write the report", Purpose::Report, &[("folder", "report")])
        .saying(["report.html, report.md, report.docx, every figure, and a nomogram that calculates".to_owned()]);
    Dialog::Form(form)
}

pub fn import_split(app: &mut App) -> Vec<Effect> {
    let form = Form::new("Import a split", Purpose::ImportSplit, &[("file", ""), ("column", "split")])
        .saying(["a CSV file: patients first, and a column of train and test".to_owned()])
        .saying(orphans(app));
    app.dialog = Some(Dialog::Form(form));
    Vec::new()
}

/// What a new split would leave behind.
fn orphans(app: &App) -> Vec<String> {
    let lost = app.head.fitted.as_ref().map(|fitted| {
        vec![
            format!("warning: {fitted} learnt from the split in force"),
            "their tables, curves and nomogram are gone until the next fit".to_owned(),
        ]
    });
    lost.unwrap_or_default()
}
