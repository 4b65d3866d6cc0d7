//! The terminal while the dashboard has it: taken, written to, and given back whatever happens.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

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

static TAKEN: AtomicBool = AtomicBool::new(false);

/// Where pictures go; dropping it gives the terminal back.
pub struct Terminal<W: Write> {
    out: W,
    encoder: Encoder,
    mouse: bool,
}

impl Terminal<io::Stdout> {
    /// Takes the terminal of this process and makes a panic give it back before it prints.
    pub fn take(mouse: bool) -> io::Result<Self> {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
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
