//! The Study screen: what comes next, the status of every patient, queries and masks.

use crate::tui::app::{App, change};
use crate::tui::bindings::Action;
use crate::tui::data::{Content, Page};
use crate::tui::dialog::Dialog;
use crate::tui::form::{Form, Purpose};
use crate::tui::message::{Change, Effect};
use crate::tui::{forms, patients, slices};
use osteon_study::report::sheet::Cell;
use osteon_study::study::Judgement;

/// Cells of the row under the cursor, as texts.
fn row(app: &App, page: Page) -> Option<Vec<String>> {
    let state = app.pages.get(&page)?;
    let Some(Content::Sheet(sheet)) = &state.content else { return None };
    Some(sheet.rows.get(state.view.row)?.iter().map(Cell::text).collect())
}

pub fn act(app: &mut App, action: Action) -> Vec<Effect> {
    let judgement = match action {
        Action::Redo => Judgement::ToRedo,
        Action::LeaveOut => Judgement::Excluded,
        _ => Judgement::Accepted,
    };
    match (app.page(), action) {
        (Some(Page::Queries), Action::Answer | Action::Close) => query(app, action),
        (Some(Page::Masks), Action::Answer | Action::Redo | Action::LeaveOut) => {
            let Some(cells) = row(app, Page::Masks) else { return Vec::new() };
            judge(app, cells[0].clone(), cells[1].clone(), judgement)
        }
        _ => {
            app.complain("stand on a query or a mask: Tab goes through the pages");
            Vec::new()
        }
    }
}

/// An accepted mask needs no word; another one a note.
pub fn judge(app: &mut App, id: String, mask: String, judgement: Judgement) -> Vec<Effect> {
    if judgement == Judgement::Accepted {
        return change(app, Change::Judge { id, mask, judgement, note: String::new() });
    }
    let form = Form::new(
        format!("{id}, {mask}: {}", judgement.name()),
        Purpose::Judge { id, mask, judgement },
        &[("note", "")],
    );
    app.dialog = Some(Dialog::Form(form.saying(["the note goes to the trail and to who draws".to_owned()])));
    Vec::new()
}

fn query(app: &mut App, action: Action) -> Vec<Effect> {
    let Some(cells) = row(app, Page::Queries) else { return Vec::new() };
    let Ok(number) = cells[0].parse() else { return Vec::new() };
    let lines = [format!("{} of {}: {}", cells[2], cells[1], cells[4]), cells[5].clone()];
    let lines = lines.into_iter().filter(|line| !line.is_empty());
    let form = match action {
        Action::Answer => {
            Form::new(format!("Answer to query {number}"), Purpose::Answer { query: number }, &[("answer", "")])
        }
        _ => Form::new(format!("Close query {number}"), Purpose::Close { query: number }, &[("reason", "")]),
    };
    app.dialog = Some(Dialog::Form(form.saying(lines)));
    Vec::new()
}

/// A question about the value under the cursor.
pub fn ask(app: &mut App) -> Vec<Effect> {
    let found = app.patients.selected().map(str::to_owned).zip(forms::field_here(app));
    let Some((id, (field, value))) = found.filter(|(_, (field, _))| app.patients.cohort.book.named(field).is_some())
    else {
        app.complain("stand on a clinical variable to ask about it");
        return Vec::new();
    };
    let now = format!("now: {}", if value.is_empty() { "missing" } else { &value });
    let form = Form::new(format!("{id}, {field}: a query"), Purpose::Ask { id, field }, &[("question", "")]);
    app.dialog = Some(Dialog::Form(form.saying([now])));
    Vec::new()
}

/// The image of the row under the cursor.
pub fn picture(app: &mut App, page: Page) -> Option<Vec<Effect>> {
    match page {
        Page::Masks => open(app, page),
        Page::Status => {
            let id = row(app, page)?.swap_remove(0);
            Some(slices::show(app, &id, 0))
        }
        _ => None,
    }
}

/// Enter: goes to the thing.
pub fn open(app: &mut App, page: Page) -> Option<Vec<Effect>> {
    match page {
        Page::Status => {
            let id = row(app, page)?.swap_remove(0);
            let column = app.pages.get(&page).map_or(0, |state| state.view.column);
            let heading = heading(app, page, column)?;
            Some(match heading.as_str() {
                "masks" => slices::show(app, &id, 0),
                "queries" => app.open_page(crate::tui::data::Screen::Study, Page::Queries),
                _ => patients::open(app, &id),
            })
        }
        Page::Queries => {
            let id = row(app, page)?.swap_remove(1);
            Some(patients::open(app, &id))
        }
        Page::Masks => {
            let id = row(app, page)?.swap_remove(0);
            let all = app.pages.get(&page)?;
            let Some(Content::Sheet(sheet)) = &all.content else { return None };
            // Which of the patient's masks it is, in the order of the list.
            let nth = sheet.rows[..all.view.row].iter().filter(|row| row[0].text() == id).count();
            Some(slices::show(app, &id, nth))
        }
        Page::Overview => {
            let line = next_step(app)?;
            app.dialog = Some(Dialog::Command { line: crate::tui::form::area(&line), pick: 0 });
            Some(Vec::new())
        }
        _ => None,
    }
}

fn heading(app: &App, page: Page, column: usize) -> Option<String> {
    let Some(Content::Sheet(sheet)) = &app.pages.get(&page)?.content else { return None };
    sheet.headings.get(column).cloned()
}

/// The command of the step under the cursor of the first block.
fn next_step(app: &App) -> Option<String> {
    let state = app.pages.get(&Page::Overview)?;
    let Some(Content::Blocks(sheets)) = &state.content else { return None };
    let first = sheets.first()?;
    // The command stands below its step.
    let texts = first.rows.iter().skip(state.view.row).take(2).filter_map(|row| row.first());
    texts.into_iter().find_map(|cell| cell.text().trim().strip_prefix(':').map(str::to_owned))
}
