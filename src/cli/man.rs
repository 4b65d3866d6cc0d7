//! `osteon man`: the manual pages, made from the clap definition.

use std::path::PathBuf;

use clap_mangen::Man;

use crate::cli::man_examples::{EXAMPLES, GROUPS};
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
                let is_own = |found: &[u8]| {
                    found.windows(3).any(|part| part == b".TH") && found.windows(6).any(|part| part == b"osteon")
                };
                if path.exists() && !is_own(&osteon_study::study::read_bytes(&path)?) {
                    return Err(Error::Store(osteon_study::study::StoreError::Foreign(path)));
                }
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
    let text = String::from_utf8(text).expect("help is UTF-8");
    pages.push((format!("{name}.1"), with_examples(&text, command, name) + &see_also(command, name)));
    for inner in shown(command) {
        collect(inner, &format!("{name}-{}", inner.get_name()), pages);
    }
}

fn shown(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
}

/// Examples of the help under their own heading; of other commands, those of the list.
fn with_examples(text: &str, command: &clap::Command, name: &str) -> String {
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    if after.starts_with("Example") {
        return text.replacen(".SH EXTRA", ".SH EXAMPLES", 1);
    }
    let known = EXAMPLES.iter().find(|(known, _)| *known == name).map(|(_, lines)| *lines);
    // What has no example of its own says where its options are told.
    let help = format!("{} --help", name.replace('-', " "));
    let lines = known.map_or_else(|| vec![help.as_str()], <[&str]>::to_vec);
    let lines: Vec<String> =
        lines.iter().map(|line| format!("  {}", line.replace('\\', "\\\\").replace('-', "\\-"))).collect();
    let section = format!(".SH EXAMPLES\n.nf\n{}\n.fi\n", lines.join("\n"));
    // Version and authors close a page.
    match text.find(".SH VERSION") {
        Some(at) => format!("{}{section}{}", &text[..at], &text[at..]),
        None => format!("{}\n{section}", text.trim_end()),
    }
}

/// The page above, those below, and those of commands that belong together.
fn see_also(command: &clap::Command, name: &str) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut add = |other: String| {
        if other != name && !names.contains(&other) {
            names.push(other);
        }
    };
    if let Some((above, _)) = name.rsplit_once('-') {
        add(above.to_owned());
    }
    if name != "osteon" {
        shown(command).for_each(|inner| add(format!("{name}-{}", inner.get_name())));
    }
    let own = name.strip_prefix("osteon-").unwrap_or_default();
    let own = own.split('-').next().unwrap_or(own);
    let groups = GROUPS.iter().filter(|group| group.contains(&own) || name == "osteon");
    groups.flat_map(|group| group.iter()).for_each(|other| add(format!("osteon-{other}")));
    let names: Vec<String> = names.iter().map(|name| format!("\\fB{}\\fR(1)", name.replace('-', "\\-"))).collect();
    format!(".SH \"SEE ALSO\"\n{}\n", names.join(", "))
}
