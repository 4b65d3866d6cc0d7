//! The loop: it sleeps until something happens, changes the state, and draws once for all that happened.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::tui::app::{App, Options, update};
use crate::tui::clipboard::osc52;
use crate::tui::effects::Workers;
use crate::tui::input;
use crate::tui::keys::Bindings;
use crate::tui::message::{Effect, Message};
use crate::tui::terminal::{Terminal, give_back};
use crate::tui::view::view;
use osteon_study::study::{Error, Study};

/// Runs the dashboard of a study until it is left; the terminal is as before whatever happens.
pub fn run(study: &Study, options: Options, bindings: Bindings) -> Result<(), Error> {
    let (to, messages) = channel();
    let workers = Workers::start(study, &to)?;
    let outcome = attend(&workers, options, bindings, to, &messages);
    give_back();
    outcome.map_err(|source| Error::File { path: Path::new("terminal").to_owned(), source })
}

fn attend(
    workers: &Workers,
    options: Options,
    bindings: Bindings,
    to: Sender<Message>,
    messages: &Receiver<Message>,
) -> io::Result<()> {
    let mut app = App::new(options, bindings, crossterm::terminal::size()?);
    app.start().into_iter().for_each(|effect| {
        if let Effect::Ask(request) = effect {
            workers.ask(request)
        }
    });
    input::obey_signals(to.clone())?;
    let mut terminal = Terminal::take(options.mouse)?;
    input::watch_hangup(to.clone());
    input::listen(to);
    let mut pending = messages.recv().ok();
    while let Some(message) = pending.take() {
        let mut effects = update(&mut app, message);
        while let Ok(more) = messages.try_recv() {
            effects.extend(update(&mut app, more));
        }
        for effect in effects {
            match effect {
                Effect::Ask(request) => workers.ask(request),
                Effect::Copy(text) => terminal.send(&osc52(&text, std::env::var_os("TMUX").is_some()))?,
                Effect::Redraw => terminal.forget(),
                Effect::Suspend => suspend(&mut terminal)?,
                Effect::Quit => return Ok(()),
            }
        }
        app.size = terminal.size()?;
        terminal.draw(app.size, |buffer| view(&app, buffer))?;
        pending = messages.recv().ok();
    }
    Ok(())
}

/// Stops like any program under job control; going on takes the terminal again.
fn suspend(terminal: &mut Terminal<io::Stdout>) -> io::Result<()> {
    give_back();
    signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
    terminal.enter()
}
