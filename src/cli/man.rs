//! `osteon man`: the manual pages, made from the clap definition.

use std::path::PathBuf;

use clap_mangen::Man;

use crate::cli::{Outcome, output};
use osteon_study::study::Error;

/// Print the manual page of osteon, or write the pages of all commands to a folder
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write one page a command to
    dir: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let pages = pages();
    match &args.dir {
        None => output::print(&pages[0].1)?,
        Some(dir) => {
            for (name, text) in &pages {
                let path = dir.join(name);
                std::fs::write(&path, text).map_err(|source| Error::File { path, source })?;
            }
        }
    }
    Ok(Outcome::Done)
}

/// File name and text of every page, `osteon.1` first.
pub fn pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    let mut root = crate::cli::definition();
    root.build();
    collect(&root, "osteon", &mut pages);
    pages
}

fn collect(command: &clap::Command, name: &str, pages: &mut Vec<(String, String)>) {
    let mut text = Vec::new();
    Man::new(command.clone().name(name.to_owned())).date("").render(&mut text).expect("a Vec takes every write");
    pages.push((format!("{name}.1"), String::from_utf8(text).expect("help is UTF-8")));
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help") {
        collect(inner, &format!("{name}-{}", inner.get_name()), pages);
    }
}
