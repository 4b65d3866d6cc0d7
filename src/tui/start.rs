//! The first page, where there is no study file yet: make one, open another, or try the demonstration.
//!
//! It stands before the dashboard: it reads keys by itself and does one thing at a time.

use std::path::{Path, PathBuf};

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::app::Options;
use crate::tui::dialog::wrap;
use crate::tui::form::{Form, Outcome, Purpose};
use crate::tui::grid_view::put;
use crate::tui::keys::parted;
use crate::tui::terminal::{Terminal, give_back};
use crate::tui::theme::Theme;
use osteon_study::protocol::{Preset, Protocol};
use osteon_study::study::{Error, Study, propose_protocol, read_protocol};

/// What the reader wants at the start.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// The study is made, or another one was picked.
    Open(PathBuf),
    Demo(PathBuf),
    Leave,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Preset,
    File,
    Codebook,
    Other,
    Demo,
    Leave,
}

const CHOICES: [(Choice, &str, &str); 6] = [
    (Choice::Preset, "n", "new study from a preset: variables, outcome and settings are there"),
    (
        Choice::File,
        "f",
        "new study from your clinical file (CSV or XLSX): a codebook is proposed, to be read and edited",
    ),
    (Choice::Codebook, "c", "new study from a protocol or codebook file (TOML)"),
    (Choice::Other, "o", "open another study file"),
    (Choice::Demo, "d", "the demonstration: 93 artificial patients with images, made in about a minute"),
    (Choice::Leave, "q", "leave"),
];

/// State of the page.
struct Start {
    path: PathBuf,
    theme: Theme,
    at: usize,
    form: Option<(Choice, Form)>,
    said: Vec<String>,
}

/// Shows the page until something is chosen.
pub fn run(path: &Path, options: Options) -> Result<Wish, Error> {
    let wrong = |source| Error::File { path: PathBuf::from("terminal"), source };
    let mut start = Start { path: path.to_owned(), theme: options.theme, at: 0, form: None, said: Vec::new() };
    let mut terminal = Terminal::take(false).map_err(wrong)?;
    let wish = loop {
        let size = terminal.size().map_err(wrong)?;
        terminal.draw(size, |buffer| start.draw(buffer)).map_err(wrong)?;
        match event::read().map_err(wrong)? {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                if let Some(wish) = start.key(key) {
                    break wish;
                }
            }
            Event::Paste(text) => {
                if let Some((_, form)) = &mut start.form {
                    form.paste(&text);
                }
            }
            _ => (),
        }
    };
    give_back();
    Ok(wish)
}

impl Start {
    fn key(&mut self, key: KeyEvent) -> Option<Wish> {
        if let Some(parts) = parted(key) {
            return parts.into_iter().find_map(|part| self.key(part));
        }
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return Some(Wish::Leave);
        }
        if let Some((choice, mut form)) = self.form.take() {
            match form.key(key) {
                Outcome::Closed => (),
                Outcome::Open => self.form = Some((choice, form)),
                Outcome::Submitted => match self.done(choice, &form) {
                    Ok(wish) => return wish,
                    Err(cause) => {
                        let hint = cause.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                        self.form = Some((choice, Form { error: Some(format!("{}{hint}", cause.in_full())), ..form }));
                    }
                },
            }
            return None;
        }
        match key.code {
            KeyCode::Down | KeyCode::Char('j') => self.at = (self.at + 1).min(CHOICES.len() - 1),
            KeyCode::Up | KeyCode::Char('k') => self.at = self.at.saturating_sub(1),
            KeyCode::Enter => return self.choose(CHOICES[self.at].0),
            KeyCode::Char(c) => {
                if let Some(at) = CHOICES.iter().position(|(_, key, _)| key.starts_with(c)) {
                    self.at = at;
                    return self.choose(CHOICES[at].0);
                }
            }
            _ => (),
        }
        None
    }

    fn choose(&mut self, choice: Choice) -> Option<Wish> {
        let file = self.path.display().to_string();
        let presets = Preset::ALL.map(Preset::name).join(", ");
        let form = |title: &str, fields: &[(&str, &str)]| Form::new(title, Purpose::Start, fields);
        let form = match choice {
            Choice::Preset => {
                let fields = [("title", "Osteosarcoma study"), ("preset", "osteosarcoma"), ("file", &file)];
                form("New study", &fields).saying([format!("presets: {presets}")])
            }
            Choice::File => form("A codebook from a clinical file", &[("clinical file", "")]).saying([format!(
                "proposes variables, units and levels as {}, which you read and edit; then c makes the study",
                self.path.with_extension("toml").display()
            )]),
            Choice::Codebook => {
                let proposed = self.path.with_extension("toml");
                let proposed = if proposed.exists() { proposed.display().to_string() } else { String::new() };
                let fields = [("protocol file", proposed.as_str()), ("title", "A study"), ("file", &file)];
                form("New study from a file", &fields)
            }
            Choice::Other => form("Open a study", &[("file", "")]).saying(studies_here()),
            Choice::Demo => form("The demonstration", &[("folder", "osteon-demo")]),
            Choice::Leave => return Some(Wish::Leave),
        };
        self.form = Some((choice, form));
        None
    }

    fn done(&mut self, choice: Choice, form: &Form) -> Result<Option<Wish>, Error> {
        let answer = |at: usize| form.answer(at);
        Ok(match choice {
            Choice::Preset => {
                let protocol = answer(1).parse::<Preset>()?.protocol();
                Some(create(&answer(2), &answer(0), protocol)?)
            }
            Choice::Codebook => Some(create(&answer(2), &answer(1), read_protocol(Path::new(&answer(0)))?)?),
            Choice::File => {
                let (to, n, notes) = propose_protocol(Path::new(&answer(0)), &self.path.with_extension("toml"))?;
                self.said = vec![format!("{} proposes {n} variables: read and edit it, then press c", to.display())];
                self.said.extend(notes);
                None
            }
            Choice::Other => {
                let path = PathBuf::from(answer(0));
                if !path.is_file() {
                    return Err(Error::Request(format!("{}: no such file", path.display())));
                }
                Some(Wish::Open(path))
            }
            Choice::Demo => Some(Wish::Demo(PathBuf::from(answer(0)))),
            Choice::Leave => Some(Wish::Leave),
        })
    }

    fn draw(&self, buffer: &mut Buffer) {
        let area = buffer.area;
        let width = area.width.saturating_sub(4);
        let mut y = area.y + 1;
        let mut line = |text: &str, style: Style| {
            if y < area.bottom() {
                put(buffer, area.x + 2, y, width, text, false, style);
            }
            y += 1;
        };
        line("osteon", self.theme.heading());
        let here = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        line(&format!("There is no study at {}", here.display()), Style::new());
        line("", Style::new());
        for (at, (_, key, what)) in CHOICES.iter().enumerate() {
            let style = if at == self.at { self.theme.selected() } else { Style::new() };
            for (n, part) in wrap(&[(*what).to_owned()], usize::from(width).saturating_sub(4)).iter().enumerate() {
                line(&format!("{:<3} {part}", if n == 0 { key } else { "" }), style);
            }
        }
        line("", Style::new());
        for text in wrap(&self.said, usize::from(width)) {
            line(&text, self.theme.attention());
        }
        line("j k or the letter, Enter; nothing is written before you say so", Style::new());
        if let Some((_, form)) = &self.form {
            let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
            form.draw(self.theme, below, buffer);
        }
    }
}

fn create(file: &str, title: &str, protocol: Protocol) -> Result<Wish, Error> {
    let path = PathBuf::from(file);
    Study::create(&path, title, protocol)?;
    Ok(Wish::Open(path))
}

/// Files of this folder that may be studies.
fn studies_here() -> Vec<String> {
    let found = std::fs::read_dir(".").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<String> = found
        .filter(|path| path.extension().is_some_and(|ending| ending == "db"))
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    found.sort();
    match found.len() {
        0 => vec!["no file of this folder ends in .db".to_owned()],
        _ => vec![format!("in this folder: {}", found.join(", "))],
    }
}
