//! The state of the dashboard, and the one function that changes it.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent};

use crate::tui::bindings::{Action, Context};
use crate::tui::data::{Head, Page, Screen};
use crate::tui::dialog::{self, Dialog};
use crate::tui::form::Form;
use crate::tui::grid_view::Move;
use crate::tui::jobs::Jobs;
use crate::tui::keys::{self, Bindings, Key};
use crate::tui::message::{Answer, Change, Effect, Message, Pointer, Request, Work};
use crate::tui::nomogram::NomogramScreen;
use crate::tui::page::PageState;
use crate::tui::patients::Patients;
use crate::tui::slices::Slices;
use crate::tui::theme::Theme;
use crate::tui::{forms, jobs, layout, nomogram, origin, page, patients, slices, study_page, tables};

/// What the reader chose at the start.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub theme: Theme,
    pub read_only: bool,
    pub mouse: bool,
}

/// The whole state.
#[derive(Clone, Debug)]
pub struct App {
    pub options: Options,
    pub bindings: Bindings,
    pub size: (u16, u16),
    pub screen: Screen,
    pub head: Head,
    pub patients: Patients,
    pub jobs: Jobs,
    pub nomogram: NomogramScreen,
    /// The slice viewer lies over the patient it shows.
    pub slices: Option<Slices>,
    pub pages: BTreeMap<Page, PageState>,
    pub dialog: Option<Dialog>,
    pub note: Option<Note>,
    /// The form whose answers were sent to the study: it comes back when they are refused, until the next key.
    pub sent: Option<Form>,
    /// What `n` looks for.
    pub find: String,
    pub trail_filter: String,
    /// Runs that are marked for comparison, two at most.
    pub compared: Vec<String>,
    /// Which time to event is shown, counted on over those of the study.
    pub outcome: usize,
    /// File of published tables, or the pasted tables themselves (several lines), that were given to reconcile.
    pub published: String,
    /// The cell to stand on when the published tables are on the screen.
    pub jump: Option<tables::Jump>,
    /// Keys pressed before the first patients were here; they are pressed again when there is a row to act on. `None`
    /// from then on.
    early: Option<Vec<KeyEvent>>,
    shown: BTreeMap<Screen, Page>,
}

/// One line to the reader, until the next key.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    pub text: String,
    pub bad: bool,
}

impl App {
    pub fn new(options: Options, bindings: Bindings, size: (u16, u16)) -> App {
        App {
            options,
            bindings,
            size,
            screen: Screen::Patients,
            head: Head::default(),
            patients: Patients::default(),
            jobs: Jobs::default(),
            nomogram: NomogramScreen::default(),
            slices: None,
            pages: BTreeMap::new(),
            dialog: None,
            note: None,
            sent: None,
            find: String::new(),
            trail_filter: String::new(),
            compared: Vec::new(),
            outcome: 0,
            published: String::new(),
            jump: None,
            early: Some(Vec::new()),
            shown: BTreeMap::new(),
        }
    }

    /// What is asked at the start.
    pub fn start(&self) -> Vec<Effect> {
        [Request::Cohort, Request::Head, Request::Jobs, Request::Soundness].map(Effect::Ask).to_vec()
    }

    pub fn say(&mut self, text: impl Into<String>) {
        self.note = Some(Note { text: text.into(), bad: false });
    }

    pub fn complain(&mut self, text: impl Into<String>) {
        self.note = Some(Note { text: text.into(), bad: true });
    }

    /// The contexts whose keys are in force, the narrowest first.
    pub fn contexts(&self) -> &'static [Context] {
        let narrowest = match self.screen {
            _ if self.slices.is_some() => Context::Slice,
            Screen::Patients if self.patients.open.is_some() => Context::Patient,
            Screen::Patients => Context::Patients,
            Screen::Jobs => Context::Jobs,
            Screen::Split => Context::Split,
            Screen::Models => Context::Models,
            Screen::Nomogram => Context::Nomogram,
            Screen::Trail => Context::Trail,
            Screen::Study => Context::Study,
            Screen::Clinical => Context::Clinical,
        };
        Context::CHAINS.iter().find(|chain| chain[0] == narrowest).expect("every context begins a chain")
    }

    /// The page that is seen, where the screen has pages.
    pub fn page(&self) -> Option<Page> {
        match self.screen {
            Screen::Patients if self.patients.open.is_none() => None,
            screen => self.shown.get(&screen).or(screen.pages().first()).copied(),
        }
    }

    /// The patient that a page is about, where it is about one.
    pub fn patient_of(&self, page: Page) -> Option<String> {
        Screen::Patients.pages().contains(&page).then(|| self.patients.open.clone()).flatten()
    }

    /// What a page is about, where it is about one thing: a patient, two runs, a file, what passes a filter.
    fn subject_of(&self, page: Page) -> Option<String> {
        match page {
            Page::Changes => Some(self.trail_filter.clone()).filter(|text| !text.is_empty()),
            Page::Survival | Page::Hazards | Page::Prognosis => {
                let all = &self.head.outcomes;
                (!all.is_empty()).then(|| all[self.outcome % all.len()].clone())
            }
            Page::Comparison => (self.compared.len() == 2).then(|| self.compared.join(" ")),
            Page::Reconciliation | Page::Printed | Page::Beside => {
                Some(self.published.clone()).filter(|path| !path.is_empty())
            }
            _ => self.patient_of(page),
        }
    }

    /// Shows a page of a screen.
    pub fn open_page(&mut self, screen: Screen, page: Page) -> Vec<Effect> {
        self.slices = None;
        self.screen = screen;
        self.shown.insert(screen, page);
        self.refresh()
    }

    /// Asks for what is seen and not here, or here and no longer true.
    pub fn refresh(&mut self) -> Vec<Effect> {
        let Some(page) = self.page() else {
            return match self.screen {
                Screen::Patients => patients::refresh(self),
                Screen::Nomogram => vec![Effect::Ask(Request::Nomogram)],
                _ => Vec::new(),
            };
        };
        let subject = self.subject_of(page);
        let state = self.pages.entry(page).or_default();
        if state.subject != subject {
            *state = PageState::of(subject.clone());
        }
        if state.stale {
            state.stale = false;
            return vec![Effect::Ask(Request::Page(page, subject))];
        }
        self.settle();
        Vec::new()
    }

    /// Everything that is here may be out of date.
    pub fn stale(&mut self) -> Vec<Effect> {
        self.pages.values_mut().for_each(|state| state.stale = true);
        self.refresh()
    }

    /// Brings cursors into sight after the size or the rows changed.
    pub fn settle(&mut self) {
        let size = layout::grid_size(self.size);
        patients::settle(self);
        self.jobs.settle(size);
        if let Some(state) = self.page().and_then(|page| self.pages.get_mut(&page)) {
            state.settle(size);
        }
    }
}

/// What a message changes, and what is to be done outside.
pub fn update(app: &mut App, message: Message) -> Vec<Effect> {
    match message {
        Message::Key(event) => key(app, event),
        // A table of several lines is judged where published tables are; a dialog takes one line.
        Message::Paste(text) if forms::takes_table(app, &text) => {
            app.dialog = None;
            forms::reconcile(app, &text)
        }
        Message::Paste(text) => {
            if let Some(dialog) = &mut app.dialog {
                dialog::paste(dialog, &text);
            }
            Vec::new()
        }
        Message::Pointer(what, x, y) => pointer(app, what, x, y),
        Message::Resize(width, height) => {
            app.size = (width, height);
            app.settle();
            // A wider screen may show more than was asked for.
            let mut effects = app.refresh();
            effects.push(Effect::Redraw);
            effects
        }
        Message::DataChanged => vec![Effect::Ask(Request::Head), Effect::Ask(Request::Jobs)],
        Message::Answer(answer) => answered(app, answer),
        Message::Hangup => vec![Effect::Quit],
        Message::Waiting => {
            app.say("waiting: another program is writing to the study file");
            Vec::new()
        }
    }
}

fn key(app: &mut App, event: KeyEvent) -> Vec<Effect> {
    let is_bound = app.dialog.is_none() && app.bindings.find(app.contexts(), Key::from(event)).is_some();
    if let Some(parts) = keys::parted(event).filter(|_| !is_bound) {
        return parts.into_iter().flat_map(|part| key(app, part)).collect();
    }
    app.note = None;
    app.sent = None;
    if let Some(open) = app.dialog.take() {
        return dialog::key(app, open, event);
    }
    let found = app.bindings.find(app.contexts(), Key::from(event));
    let leaves = found.is_some_and(|binding| matches!(binding.action, Action::Quit | Action::Suspend));
    let of_the_list = found.is_some_and(|binding| binding.context != Context::Global);
    let early = app.early.as_mut().filter(|_| app.screen == Screen::Patients && !leaves);
    if let Some(early) = early.filter(|early| of_the_list || !early.is_empty()) {
        early.push(event);
        return Vec::new();
    }
    let Some(binding) = found else {
        if let KeyCode::Char(_) = event.code {
            let hint = app.bindings.key_of(Action::Help);
            app.complain(format!("{} means nothing here; {hint} lists the keys", Key::from(event)));
        }
        return Vec::new();
    };
    match (binding.when)(app) {
        Ok(()) => act(app, binding.action),
        Err(why) => {
            app.complain(format!("{}: {why}", binding.name));
            Vec::new()
        }
    }
}

/// Does what a key or a command names.
pub fn act(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Show(screen) => return show(app, screen),
        Action::Help => app.dialog = Some(Dialog::help(app.contexts())),
        Action::Command => app.dialog = Some(Dialog::command()),
        Action::Back => return back(app),
        Action::Quit => return vec![Effect::Quit],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Suspend => return vec![Effect::Suspend],
        Action::NextPage => return turn(app, 1),
        Action::PreviousPage => return turn(app, -1),
        Action::Find if app.slices.is_none() => app.dialog = Some(forms::find_form(app)),
        Action::Edit => return forms::edit(app),
        Action::Exclude => return forms::exclude(app),
        Action::Undo => return forms::undo(app),
        Action::Fit => return forms::fit(app),
        Action::Draw => return forms::draw_split(app),
        Action::Lock => return forms::lock_split(app),
        Action::ImportSplit => return forms::import_split(app),
        Action::Reconcile => app.dialog = Some(forms::reconcile_form(app)),
        Action::ToCell => return tables::to_cell(app),
        Action::Correct => return tables::correct(app),
        Action::NextOutcome => {
            app.outcome += 1;
            if let Some(name) = app.page().and_then(|page| app.subject_of(page)) {
                app.say(format!("the outcome {name}"));
            }
            return app.refresh();
        }
        Action::Report => app.dialog = Some(forms::report_form()),
        Action::Extract => return jobs::extract(app),
        Action::Export => return forms::export_form(app),
        Action::Slices => return slices::open(app),
        Action::Ask => return study_page::ask(app),
        Action::Answer | Action::Close if app.slices.is_none() => return study_page::act(app, action),
        Action::Redo | Action::LeaveOut if app.slices.is_none() => return study_page::act(app, action),
        Action::Verify => return app.open_page(Screen::Trail, Page::Verification),
        _ if app.slices.is_some() => return slices::act(app, action),
        _ => {
            return match (app.screen, app.page()) {
                (Screen::Patients, None) => patients::act(app, action),
                (Screen::Jobs, _) => jobs::act(app, action),
                (Screen::Nomogram, _) => nomogram::act(app, action),
                _ => page::act(app, action),
            };
        }
    }
    Vec::new()
}

fn show(app: &mut App, screen: Screen) -> Vec<Effect> {
    app.slices = None;
    if app.screen == screen && screen == Screen::Patients {
        app.patients.open = None;
    }
    app.screen = screen;
    let effects = app.refresh();
    app.settle();
    effects
}

fn back(app: &mut App) -> Vec<Effect> {
    if app.slices.take().is_some() {
        return app.refresh();
    }
    match app.screen {
        Screen::Patients if app.patients.open.is_some() => {
            app.patients.open = None;
            app.settle();
            app.refresh()
        }
        Screen::Patients if !app.patients.filter_text.is_empty() => patients::filter(app, ""),
        _ => {
            let quit = app.bindings.key_of(Action::Quit);
            app.say(format!("nothing to go back to; {quit} quits"));
            Vec::new()
        }
    }
}

fn turn(app: &mut App, by: isize) -> Vec<Effect> {
    let pages = app.screen.pages();
    let Some(at) = app.page().and_then(|page| pages.iter().position(|it| *it == page)) else {
        return Vec::new();
    };
    let next = (at as isize + by).rem_euclid(pages.len() as isize) as usize;
    app.open_page(app.screen, pages[next])
}

/// Asks for a change or for work, unless the dashboard may only read.
pub fn perform(app: &mut App, request: Request) -> Vec<Effect> {
    if app.options.read_only && matches!(request, Request::Change(_) | Request::Work(_)) {
        app.complain("the study is open for reading only");
        return Vec::new();
    }
    vec![Effect::Ask(request)]
}

fn answered(app: &mut App, answer: Answer) -> Vec<Effect> {
    match answer {
        Answer::Head(head) => {
            let changed = app.head.trail_head != head.trail_head;
            let first = app.head == Head::default();
            app.head = head;
            if changed && !first {
                let mut effects = app.stale();
                effects.push(Effect::Ask(Request::Cohort));
                return effects;
            }
            Vec::new()
        }
        Answer::Cohort { cohort, whole } => {
            let mut effects = patients::arrived(app, cohort, whole);
            let early = app.early.take();
            effects.extend(early.into_iter().flatten().flat_map(|event| key(app, event)));
            effects
        }
        Answer::Jobs(rows) => jobs::arrived(app, rows),
        Answer::Unsound(why) => {
            app.options.read_only = true;
            app.complain(format!("nothing can be written: {why}"));
            Vec::new()
        }
        Answer::Page(page, subject, content) => {
            page::arrived(app, page, subject, *content);
            tables::place(app);
            Vec::new()
        }
        Answer::Corrected { published, text } => {
            app.sent = None;
            app.say(text);
            tables::again(app, published)
        }
        Answer::Origin(lines) => {
            origin::arrived(app, lines);
            Vec::new()
        }
        Answer::LastEdit { id, seq, text } => {
            if app.dialog.is_none() {
                app.dialog = Some(forms::undo_form(id, seq, text));
            }
            Vec::new()
        }
        Answer::Picture { id, picture } => {
            slices::arrived(app, &id, picture);
            Vec::new()
        }
        Answer::Said { title, lines } => {
            // Nothing comes in the way of what is being typed.
            match &app.dialog {
                Some(_) => app.say(format!("{title}: {}", lines.last().map_or("", String::as_str))),
                None => {
                    app.note = None;
                    app.dialog = Some(Dialog::text(title, lines));
                }
            }
            vec![Effect::Ask(Request::Head), Effect::Ask(Request::Jobs)]
        }
        Answer::Nomogram(nomogram) => {
            nomogram::arrived(app, nomogram);
            Vec::new()
        }
        Answer::Values { id, values } => {
            app.nomogram.take(id, values);
            Vec::new()
        }
        Answer::Done(text) => {
            app.sent = None;
            app.say(text);
            vec![Effect::Ask(Request::Head), Effect::Ask(Request::Jobs)]
        }
        Answer::Refused(text) => {
            app.early = None;
            match app.sent.take().filter(|_| app.dialog.is_none()) {
                Some(form) => app.dialog = Some(Dialog::Form(Form { error: Some(text), ..form })),
                None => app.complain(text),
            }
            Vec::new()
        }
        Answer::Conflict { change, theirs, version } => {
            app.sent = None;
            forms::conflict(app, change, &theirs, version);
            vec![Effect::Ask(Request::Head), Effect::Ask(Request::Cohort)]
        }
    }
}

fn pointer(app: &mut App, what: Pointer, x: u16, y: u16) -> Vec<Effect> {
    if app.dialog.is_some() || app.slices.is_some() {
        return Vec::new();
    }
    match what {
        Pointer::WheelUp => act(app, Action::Up),
        Pointer::WheelDown => act(app, Action::Down),
        Pointer::Click if y == 0 => layout::tab_at(app.size.0, x).map_or_else(Vec::new, |screen| show(app, screen)),
        Pointer::Click => {
            let Some(row) = y.checked_sub(layout::FIRST_ROW) else { return Vec::new() };
            match (app.screen, app.page()) {
                (Screen::Patients, None) => patients::click(app, x, row),
                (Screen::Jobs, _) => {
                    app.jobs.view.go(
                        Move::To(app.jobs.view.top + usize::from(row)),
                        app.jobs.rows.len(),
                        &[1],
                        layout::grid_size(app.size),
                    );
                    Vec::new()
                }
                (_, Some(page)) => {
                    page::click(app, page, x, row);
                    Vec::new()
                }
                _ => Vec::new(),
            }
        }
    }
}

/// The change that a form or a question stands for.
pub fn change(app: &mut App, change: Change) -> Vec<Effect> {
    perform(app, Request::Change(change))
}

/// The work that a form or a question stands for.
pub fn work(app: &mut App, work: Work) -> Vec<Effect> {
    perform(app, Request::Work(work))
}
