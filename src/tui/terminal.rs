//! The terminal while the dashboard has it: taken, written to, and given back whatever happens.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode, size};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::encode::Encoder;

/// Alternate screen, no cursor, no line wrap, bracketed paste; nothing here asks the terminal a question.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h";
const LEAVE: &str = "\x1b[?2026l\x1b[0m\x1b[r\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l";
/// Clicks and wheel in the SGR notation, no movement.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

/// The exit code of a panic, whichever thread it happens in.
const PANICKED: i32 = 101;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// Where pictures go; dropping it gives the terminal back.
pub struct Terminal<W: Write> {
    out: W,
    encoder: Encoder,
    mouse: bool,
}

impl Terminal<io::Stdout> {
    /// Takes the terminal of this process and makes a panic give it back before it prints. A panic of another thread
    /// ends the program: the loop would go on drawing on a terminal that it has no more.
    pub fn take(mouse: bool) -> io::Result<Self> {
        let before = std::panic::take_hook();
        let taker = thread::current().id();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
            if thread::current().id() != taker {
                std::process::exit(PANICKED);
            }
        }));
        let mut terminal = Terminal::over(io::stdout(), mouse);
        terminal.enter()?;
        Ok(terminal)
    }

    /// Takes the terminal (again, after a suspension); the next picture is drawn whole.
    pub fn enter(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        self.encoder.forget();
        let mouse = if self.mouse { MOUSE_ON } else { "" };
        self.send(&format!("{ENTER}{mouse}"))
    }

    /// Columns and rows.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        size()
    }
}

impl<W: Write> Terminal<W> {
    /// A terminal behind any writer, in no special mode.
    pub fn over(out: W, mouse: bool) -> Self {
        Terminal { out, encoder: Encoder::default(), mouse }
    }

    /// Shows a picture drawn by `view`: one write, or none when nothing differs.
    pub fn draw(&mut self, (width, height): (u16, u16), view: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        let mut picture = Buffer::empty(Rect::new(0, 0, width, height));
        view(&mut picture);
        let bytes = self.encoder.frame(&picture);
        self.send(&bytes)
    }

    /// Draws everything again with the next picture.
    pub fn forget(&mut self) {
        self.encoder.forget();
    }

    /// Bytes that are no picture, such as a copy to the clipboard.
    pub fn send(&mut self, bytes: &str) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.out.write_all(bytes.as_bytes())?;
        self.out.flush()
    }

    /// The writer, for measuring.
    pub fn writer(&self) -> &W {
        &self.out
    }
}

impl<W: Write> Drop for Terminal<W> {
    fn drop(&mut self) {
        give_back();
    }
}

/// Restores the terminal once, saying nothing when it is gone.
pub fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        let _ = out.write_all(MOUSE_OFF.as_bytes()).and_then(|()| out.write_all(LEAVE.as_bytes()));
        let _ = out.flush();
        let _ = disable_raw_mode();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portable_pty::{CommandBuilder, PtySize, native_pty_system};
    use std::io::Read;

    const FAULT: &str = "OSTEON_TEST_FAULT";

    /// Run by the other test, on a terminal of its own.
    #[test]
    fn ends_as_it_is_asked_to() {
        let Ok(fault) = std::env::var(FAULT) else { return };
        let mut terminal = Terminal::take(true).unwrap();
        terminal.send("a picture").unwrap();
        match fault.as_str() {
            "panic" => panic!("a fault of the loop"),
            "panic of a worker" => thread::spawn(|| panic!("a fault of a worker")).join().unwrap(),
            _ => (),
        }
    }

    #[test]
    fn an_error_and_a_panic_of_any_thread_give_the_terminal_back() {
        for (fault, code) in [("error", 0), ("panic", 101), ("panic of a worker", 101)] {
            let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
            let pty = native_pty_system().openpty(size).unwrap();
            let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
            command.args(["--exact", "tui::terminal::tests::ends_as_it_is_asked_to", "--nocapture"]);
            command.env(FAULT, fault);
            let mut child = pty.slave.spawn_command(command).unwrap();
            assert_eq!(child.wait().unwrap().exit_code(), code, "{fault}");
            let modes = pty.master.get_termios().unwrap().local_flags;
            drop(pty.slave);
            let mut sent = Vec::new();
            // The end of a terminal is an error to its reader.
            let _ = pty.master.try_clone_reader().unwrap().read_to_end(&mut sent);
            let sent = String::from_utf8_lossy(&sent).into_owned();
            let after = sent.split_once("a picture").map(|(_, after)| after);
            assert!(after.is_some_and(|after| after.contains(MOUSE_OFF) && after.contains(LEAVE)), "{fault}: {sent:?}");
            // Without this one the terminal is raw.
            assert!(format!("{modes:?}").contains("ICANON"), "{fault}: {modes:?}");
        }
    }
}
