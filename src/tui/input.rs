//! The threads that wake the loop: keys, signals, a terminal that went away.

use std::os::fd::RawFd;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use crossterm::event::{self, Event, KeyEventKind, MouseButton, MouseEventKind};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::tui::message::{Message, Pointer};

/// Keys, pastes, clicks and new sizes, for as long as the program lives.
pub fn listen(to: Sender<Message>) {
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            if let Some(message) = message(event)
                && to.send(message).is_err()
            {
                return;
            }
        }
        let _ = to.send(Message::Hangup);
    });
}

fn message(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Message::Key(key)),
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(width, height) => Some(Message::Resize(width, height)),
        Event::Mouse(mouse) => {
            let what = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => Pointer::Click,
                MouseEventKind::ScrollUp => Pointer::WheelUp,
                MouseEventKind::ScrollDown => Pointer::WheelDown,
                _ => return None,
            };
            Some(Message::Pointer(what, mouse.column, mouse.row))
        }
        _ => None,
    }
}

/// Ends the loop on SIGTERM, SIGHUP and SIGINT, and the process when the loop does not end in time.
pub fn obey_signals(to: Sender<Message>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT])?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let _ = to.send(Message::Hangup);
            end_soon(128 + signal);
        }
    });
    Ok(())
}

/// Ends the program when its terminal is closed: reading a closed pty would spin for ever.
pub fn watch_hangup(to: Sender<Message>) {
    thread::spawn(move || {
        if wait_for_hangup(libc::STDIN_FILENO) {
            let _ = to.send(Message::Hangup);
            end_soon(128 + SIGHUP);
        }
    });
}

/// Blocks, without waking, until the other side of the descriptor is gone.
fn wait_for_hangup(fd: RawFd) -> bool {
    let mut polled = libc::pollfd { fd, events: 0, revents: 0 };
    loop {
        // SAFETY: one valid pollfd is passed, with its count.
        let ready = unsafe { libc::poll(&mut polled, 1, -1) };
        if ready > 0 {
            return polled.revents & (libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) != 0;
        }
        if ready < 0 && std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
            return false;
        }
    }
}

fn end_soon(code: i32) {
    thread::sleep(Duration::from_millis(500));
    crate::tui::terminal::give_back();
    std::process::exit(code);
}
