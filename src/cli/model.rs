//! `osteon model`: a fit as a file that travels, its card, its check.

use std::path::{Path, PathBuf};

use crate::cli::{Format, Globals, Outcome, opening, output};
use osteon_study::model::card;
use osteon_study::report::page::{self, Page};
use osteon_study::report::sheet::{self, Sheet};
use osteon_study::study::{self, Error};

/// Write a fit as a model file, show its card, check it
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Write the models of a fit as one JSON document without patients
    ///
    /// It holds all that another hospital needs: how images are measured, the selected features with their scaling, the
    /// forests, the logistic models with their covariance, the nomogram, the variables, and means, SDs and percentiles
    /// of the training patients. schemas/model-1.schema.json describes it.
    Export {
        /// The run of the fit; the newest one when not given
        #[arg(long, value_name = "N")]
        run: Option<i64>,
        /// Where to write the file; - prints it
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Print what a model is for, whom it was learnt from, how well it does and its limits (text, markdown, html, json)
    Show { file: PathBuf },
    /// Compute a model file's hash and every number that others determine again
    Check { file: PathBuf },
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    opening::needs_sight(globals)?;
    match &args.action {
        Action::Export { run, output } => {
            let study = opening::read(globals)?;
            let file = study.export_model(*run)?;
            opening::shown(globals, &study, "model export");
            if output.as_os_str() == "-" {
                output::print(&file.to_text())?;
            } else {
                put(output, file.to_text().as_bytes())?;
                output::say(globals, &format!("{}: model {}", output.display(), file.sha256));
            }
            Ok(Outcome::Done)
        }
        Action::Show { file } => show(file, globals),
        Action::Check { file } => check(file, globals),
    }
}

/// Writes a model file; only another model file is replaced.
pub fn put(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let wrong = |source| Error::File { path: path.to_owned(), source };
    if path.is_file() {
        let found = study::read_bytes(path)?;
        let document: Option<serde_json::Value> = serde_json::from_slice(&found).ok();
        if document.is_none_or(|it| it["format"] != osteon_study::model::file::FORMAT) {
            return Err(Error::Store(osteon_study::study::StoreError::Foreign(path.to_owned())));
        }
    }
    study::write_whole(path, bytes).map_err(wrong)
}

fn show(file: &Path, globals: &Globals) -> Result<Outcome, Error> {
    let model = study::read_model(file)?;
    let card = card::card(&model);
    match globals.format {
        Format::Html => output::print(&page::html(&card))?,
        Format::Markdown => output::print(&page::markdown(&card))?,
        Format::Text => output::print(&text(&card))?,
        Format::Json | Format::Csv | Format::Latex | Format::Xlsx => {
            output::print_sheets(&sheets(&card), globals.format)?
        }
    }
    Ok(Outcome::Done)
}

fn sheets(card: &Page) -> Vec<Sheet> {
    let blocks = card.sections.iter().flat_map(|section| &section.blocks);
    let sheet = |block: &page::Block| match block {
        page::Block::Sheet(sheet) => Some(sheet.clone()),
        _ => None,
    };
    blocks.filter_map(sheet).collect()
}

/// The page for a terminal: sections with their sentences and tables.
fn text(card: &Page) -> String {
    let mut out = format!("{}\n{}\n", card.title, "=".repeat(card.title.chars().count()));
    for section in &card.sections {
        out.push_str(&format!("\n{}\n{}\n", section.heading, "-".repeat(section.heading.chars().count())));
        for block in &section.blocks {
            out.push('\n');
            match block {
                page::Block::Text(text) => out.push_str(&wrapped(text)),
                page::Block::Warning(text) => out.push_str(&wrapped(&format!("Warning: {text}"))),
                page::Block::Sheet(it) => out.push_str(&sheet::render(it, sheet::Format::Text)),
                page::Block::Figure(figure) => out.push_str(&wrapped(&figure.caption)),
            }
        }
    }
    out.push('\n');
    card.provenance.iter().for_each(|line| out.push_str(&format!("{line}\n")));
    out
}

fn wrapped(text: &str) -> String {
    const WIDTH: usize = 80;
    let (mut out, mut used) = (String::new(), 0);
    for word in osteon_base::text::clean(text).split_whitespace() {
        let width = word.chars().count();
        if used > 0 && used + 1 + width > WIDTH {
            out.push('\n');
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += width;
    }
    out.push('\n');
    out
}

fn check(file: &Path, globals: &Globals) -> Result<Outcome, Error> {
    let checked = study::check_model(file)?;
    let wrong: usize = checked.iter().map(|it| it.wrong.len()).sum();
    for it in &checked {
        match it.wrong.as_slice() {
            [] => output::say(globals, &format!("ok: {}", it.what)),
            some => some.iter().for_each(|why| output::warn(&format!("wrong: {}: {why}", it.what))),
        }
    }
    let data = "coefficients, scaling and percentiles, which the training patients decide";
    output::say(globals, &format!("not checked: {data}: whoever has the study, or noted the file's SHA-256, can tell"));
    match wrong {
        0 => Ok(Outcome::Done),
        n => Err(Error::BadModel { path: file.to_owned(), findings: n }),
    }
}
