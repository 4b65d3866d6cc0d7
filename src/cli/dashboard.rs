//! `osteon` without a command: the dashboard.

use std::io::IsTerminal;
use std::path::PathBuf;

use etcetera::BaseStrategy;

use crate::cli::{Color, Globals, Outcome, demo, opening};
use crate::tui::app::Options;
use crate::tui::keys::Bindings;
use crate::tui::start::Wish;
use crate::tui::theme::Theme;
use osteon_study::study::Access;
use osteon_study::study::{Error, Study, Times};

/// Without a command the dashboard opens.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Dashboard")]
pub struct Args {
    /// Change nothing, start nothing
    #[arg(long)]
    read_only: bool,
    /// Borders, charts and images in ASCII; so without being asked where the locale (LC_ALL, LC_CTYPE, LANG) is C, POSIX
    /// or no UTF-8
    #[arg(long)]
    ascii: bool,
    /// Times in UTC, not in this machine's zone
    #[arg(long)]
    utc: bool,
    /// Clicks and the wheel work; selecting with the mouse then needs the terminal's own key
    #[arg(long)]
    mouse: bool,
    /// Keys of your own: a TOML file of [context] and name = ["key"]; keys.toml in osteon's configuration folder when
    /// not given
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Error::NoTerminal);
    }
    let access = match (args.read_only, globals.force_network) {
        (true, _) => Access::Read,
        (false, true) => Access::WriteOnNetwork,
        (false, false) => Access::Write,
    };
    if globals.study.symlink_metadata().is_err() && !args.read_only {
        return begin(args, globals, access);
    }
    open(&shown(opening::open(globals, access)?, args), args, globals)
}

/// A study whose pages have the times that were asked for.
fn shown(study: Study, args: &Args) -> Study {
    study.in_times(if args.utc { Times::Utc } else { Times::Local })
}

/// Without a study file the first page asks for one.
fn begin(args: &Args, globals: &Globals, access: Access) -> Result<Outcome, Error> {
    let options = Options { theme: theme(args, globals.color), read_only: false, mouse: args.mouse };
    match crate::tui::start::run(&globals.study, options)? {
        Wish::Leave => Ok(Outcome::Done),
        Wish::Open(path) => {
            let study = opening::open(&Globals { study: path, ..globals.clone() }, access)?;
            open(&shown(study, args), args, globals)
        }
        Wish::Demo(dir) => demo::run(&demo::Args::new(dir), globals),
    }
}

/// Opens the dashboard of a study.
pub fn open(study: &Study, args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let bindings = bindings(args)?;
    crate::tui::shell::know(crate::cli::definition());
    let read_only = args.read_only || study.kept_from_writing().is_some();
    let options = Options { theme: theme(args, globals.color), read_only, mouse: args.mouse };
    crate::tui::run(study, options, bindings)?;
    Ok(Outcome::Done)
}

/// <https://no-color.org>: any value but the empty one means no colors, unless they are asked for.
fn theme(args: &Args, color: Color) -> Theme {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let term = std::env::var("TERM").unwrap_or_default();
    let colour = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => !set("NO_COLOR") && term != "dumb",
    };
    Theme {
        colour,
        ascii: args.ascii || is_ascii(|name| std::env::var(name).ok()),
        deep: term.contains("256color") || set("COLORTERM"),
    }
}

/// Whether the locale says that the terminal has ASCII alone. One that nobody set says nothing.
fn is_ascii(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| variable(name).filter(|text| !text.is_empty()));
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        !(locale.contains("utf-8") || locale.contains("utf8"))
    })
}

/// The keys of the named file, of the configuration folder's, or the listed ones.
fn bindings(args: &Args) -> Result<Bindings, Error> {
    let usual = || etcetera::choose_base_strategy().ok().map(|base| base.config_dir().join("osteon/keys.toml"));
    let path = match &args.keys {
        Some(path) => path.clone(),
        None => match usual().filter(|path| path.exists()) {
            Some(path) => path,
            None => return Ok(Bindings::default()),
        },
    };
    let text = osteon_study::study::read_text(&path)?;
    Bindings::with(&text).map_err(|cause| Error::Keys { path, cause: cause.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_without_utf_8_means_ascii() {
        let of = |set: &'static [(&str, &str)]| {
            is_ascii(|name| set.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned()))
        };
        assert!(of(&[("LANG", "C")]) && of(&[("LC_ALL", "POSIX"), ("LANG", "en_US.UTF-8")]));
        assert!(of(&[("LANG", "de_DE.ISO-8859-1")]));
        assert!(!of(&[]) && !of(&[("LANG", "C.UTF-8")]) && !of(&[("LC_ALL", ""), ("LANG", "en_US.utf8")]));
    }
}
