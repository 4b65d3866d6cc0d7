//! `:`: every binding by its name, found by fuzzy matching, with an argument where one makes sense.

use crossterm::event::{KeyCode, KeyEvent};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;
use ratatui_textarea::{CursorMove, TextArea};

use crate::tui::app::{App, act};
use crate::tui::bindings::{Action, BINDINGS, Binding};
use crate::tui::data::{Page, Screen};
use crate::tui::dialog::{Dialog, frame};
use crate::tui::grid_view::put;
use crate::tui::message::{Effect, Request};
use crate::tui::{forms, patients, shell};

/// A name that the command line knows.
#[derive(Clone, Copy)]
enum Target {
    Binding(&'static Binding),
    Page(Screen, Page),
}

impl Target {
    fn name(self) -> String {
        match self {
            Target::Binding(binding) => binding.name.to_owned(),
            Target::Page(_, page) => page.name().to_lowercase().replace(' ', "-"),
        }
    }

    fn help(self) -> String {
        match self {
            Target::Binding(binding) => binding.help.to_owned(),
            Target::Page(Screen::Patients, _) => "page of the patient".to_owned(),
            Target::Page(screen, _) => format!("page of {}", screen.name()),
        }
    }
}

pub fn key(app: &mut App, mut line: TextArea<'static>, mut pick: usize, key: KeyEvent) -> Vec<Effect> {
    let text = line.lines().concat();
    // The words of the shell mean what they mean there.
    if key.code == KeyCode::Enter && shell::is_line(&text) {
        return shell::ask(app, &text);
    }
    let Found { targets: found, argument } = found(app, &text);
    match key.code {
        KeyCode::Esc => return Vec::new(),
        KeyCode::Backspace if text.is_empty() => return Vec::new(),
        KeyCode::Enter => return run(app, &text, found.get(pick).copied(), &argument),
        KeyCode::Down => pick = (pick + 1).min(found.len().saturating_sub(1)),
        KeyCode::Up => pick = pick.saturating_sub(1),
        KeyCode::Tab => {
            if let Some(target) = found.get(pick) {
                line.clear();
                line.insert_str(format!("{} ", target.name()));
                line.move_cursor(CursorMove::End);
            }
        }
        _ => {
            line.input(key);
            pick = 0;
        }
    }
    app.dialog = Some(Dialog::Command { line, pick });
    Vec::new()
}

/// What a line may stand for, the best first, and what is left of it as an argument.
struct Found {
    targets: Vec<Target>,
    argument: String,
}

/// Names that match the whole line (`table 3` for `table-3`), or else its first word.
fn found(app: &App, line: &str) -> Found {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let known = known(app);
    let called = |name: &str| known.iter().find(|target| target.name() == name).copied();
    let of_word = |targets| Found { targets, argument: rest.trim().to_owned() };
    if let Some(exact) = called(word) {
        return of_word(vec![exact]);
    }
    let whole = called(&line.replace(' ', "-")).map_or_else(|| best(&known, line), |exact| vec![exact]);
    if whole.is_empty() { of_word(best(&known, word)) } else { Found { targets: whole, argument: String::new() } }
}

/// Everything that has a name here.
fn known(app: &App) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    let here = app.contexts();
    let anywhere = [
        Action::Fit,
        Action::Extract,
        Action::Draw,
        Action::ImportSplit,
        Action::Lock,
        Action::Verify,
        Action::Reconcile,
        Action::Report,
    ];
    let of_here =
        BINDINGS.iter().filter(|binding| here.contains(&binding.context) && binding.action != Action::Command);
    let others = BINDINGS.iter().filter(|binding| anywhere.contains(&binding.action));
    for binding in of_here.chain(others) {
        if !targets.iter().any(|target| target.name() == binding.name) {
            targets.push(Target::Binding(binding));
        }
    }
    // A patient's pages come first while patients are on the screen; two pages of one name are told apart by it.
    let of_a_patient = app.screen == Screen::Patients && app.patients.selected().is_some();
    let first = Some(Screen::Patients).filter(|_| of_a_patient);
    for screen in first.into_iter().chain(Screen::ALL.into_iter().filter(|screen| *screen != Screen::Patients)) {
        targets.extend(screen.pages().iter().map(|page| Target::Page(screen, *page)));
    }
    targets
}

/// Targets whose names match loosely, the best first.
fn best(targets: &[Target], text: &str) -> Vec<Target> {
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
    let mut scored: Vec<(u32, Target)> = Vec::new();
    for target in targets {
        let mut chars = Vec::new();
        let name = target.name();
        if let Some(score) = pattern.score(nucleo_matcher::Utf32Str::new(&name, &mut chars), &mut matcher) {
            scored.push((score, *target));
        }
    }
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().map(|(_, target)| target).collect()
}

fn run(app: &mut App, text: &str, target: Option<Target>, argument: &str) -> Vec<Effect> {
    match target {
        None => shell::ask(app, text),
        Some(Target::Page(screen, page)) => {
            if screen == Screen::Patients {
                app.patients.open = app.patients.selected().map(str::to_owned);
            }
            app.open_page(screen, page)
        }
        Some(Target::Binding(binding)) => match (binding.when)(app) {
            Err(why) => {
                app.complain(format!("{}: {why}", binding.name));
                Vec::new()
            }
            Ok(()) if argument.is_empty() => act(app, binding.action),
            Ok(()) => with_argument(app, binding, argument),
        },
    }
}

fn with_argument(app: &mut App, binding: &Binding, argument: &str) -> Vec<Effect> {
    match binding.action {
        Action::Filter if app.screen == Screen::Patients => patients::filter(app, argument),
        Action::Filter => forms::filter_changes(app, argument).unwrap_or_else(|why| {
            app.complain(why);
            Vec::new()
        }),
        Action::Sort => patients::sort_by(app, argument),
        Action::Find => forms::find(app, argument),
        Action::Export => forms::export(app, argument),
        Action::Show(Screen::Patients) => patients::open(app, argument),
        Action::TakePatient => vec![Effect::Ask(Request::Values { id: argument.to_owned() })],
        Action::Reconcile => forms::reconcile(app, argument),
        Action::Report => forms::report(app, argument),
        _ => {
            app.complain(format!("{} takes no argument", binding.name));
            Vec::new()
        }
    }
}

pub fn draw(app: &App, line: &TextArea, pick: usize, area: Rect, buffer: &mut Buffer) {
    let theme = app.options.theme;
    let found = found(app, &line.lines().concat()).targets;
    let rows = (found.len() + 1).clamp(2, 12) as u16;
    let inner = frame("Command: Tab completes, Enter runs, Esc leaves", rows, theme, area, buffer);
    line.render(Rect { height: 1, ..inner }.intersection(inner), buffer);
    let seen = usize::from(inner.height.saturating_sub(1)).max(1);
    let top = (pick + 1).saturating_sub(seen);
    for ((at, target), y) in found.iter().enumerate().skip(top).zip(inner.y + 1..inner.bottom()) {
        let text = format!("{:<16} {}", target.name(), target.help());
        let style = if at == pick { theme.selected() } else { Style::new() };
        put(buffer, inner.x, y, inner.width, &text, false, style);
    }
    if found.is_empty() && inner.height > 1 {
        let text = line.lines().concat();
        let (said, style) = match shell::is_line(&text) {
            true => (format!("osteon {}", text.trim()), Style::new()),
            false => ("nothing is called that".to_owned(), theme.bad()),
        };
        put(buffer, inner.x, inner.y + 1, inner.width, &said, false, style);
    }
}
