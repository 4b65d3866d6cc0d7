//! `osteon codebook`: variables, outcomes and images as files.

use std::path::{Path, PathBuf};

use crate::cli::{Format, Globals, Outcome, opening, output};
use osteon_study::protocol::Preset;
use osteon_study::protocol::codebook::{Codebook, PRESETS};
use osteon_study::report::sheet::workbook;
use osteon_study::study::{
    CodebookForm, Error, clinical_template, clinical_template_sheet, codebook_sheet, editable_sheet, lost,
    read_codebook, write_codebook, write_whole,
};

/// Show the codebook of the study, write it in another form, or put another one in force
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "A codebook file is read as REDCap's data dictionary, as a sheet (.csv or .xlsx, one row a variable) or as TOML \
                  (.toml), as its first line and its name tell. What a form cannot say is named."
)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    source: Source,
    /// Print an empty clinical file instead: a column for each variable, units and allowed values below; with --format
    /// xlsx as a workbook
    #[arg(long)]
    template: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Put the codebook of a file in force; each changed key goes to the trail, and nothing that would lose a value is
    /// taken
    Import {
        file: PathBuf,
        /// Why; goes to the trail
        #[arg(long)]
        reason: String,
    },
    /// Write the codebook in a form
    Export {
        #[command(flatten)]
        source: Source,
        /// The form
        #[arg(long = "as", value_enum, default_value_t = As::Toml)]
        form: As,
        /// The file to write; standard output when not given
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Which codebook is meant.
#[derive(Debug, clap::Args)]
struct Source {
    /// A codebook file instead of the study's
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// A preset instead of the study's
    #[arg(long, conflicts_with = "from", value_parser = PRESETS.map(|(name, _)| name))]
    preset: Option<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum As {
    Toml,
    Csv,
    Redcap,
    /// The sheet of csv as an Excel workbook
    Xlsx,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    match &args.action {
        None if args.template && globals.format == Format::Xlsx => {
            output::print_workbook(&[clinical_template_sheet(&codebook(&args.source, globals)?)])?;
        }
        None if args.template => output::print(&clinical_template(&codebook(&args.source, globals)?))?,
        None => output::print_sheet(&codebook_sheet(&codebook(&args.source, globals)?), globals.format)?,
        Some(Action::Import { file, reason }) => {
            let found = read_codebook(file)?;
            found.notes.iter().for_each(|note| output::say(globals, &format!("note: {note}")));
            let study = opening::write(globals)?;
            let was = study.protocol.codebook.clone();
            let hash = study.use_codebook(&found, reason)?;
            let said = if found.form == CodebookForm::Redcap { lost(&was, &found.codebook) } else { Vec::new() };
            said.iter().for_each(|line| output::warn(&format!("warning: {line}")));
            if found.form != CodebookForm::Toml {
                output::say(globals, "note: outcomes and images, of which this form says nothing, stay as they are");
            }
            output::say(globals, &format!("in force: {} variables, protocol {hash}", found.codebook.variables.len()));
        }
        Some(Action::Export { source, form: As::Xlsx, output: to }) => {
            let book = codebook(source, globals)?;
            let outcomes =
                book.outcomes.iter().map(|it| format!("note: outcome {} has no place in this form", it.name));
            outcomes.for_each(|line| output::say(globals, &line));
            let sheet = editable_sheet(&book);
            match to {
                Some(path) => put(path, &workbook(&[sheet]).map_err(Error::Request)?)?,
                None => output::print_workbook(&[sheet])?,
            }
        }
        Some(Action::Export { source, form, output: to }) => {
            let form = match form {
                As::Toml => CodebookForm::Toml,
                As::Csv => CodebookForm::Csv,
                As::Redcap | As::Xlsx => CodebookForm::Redcap,
            };
            let (text, lost) = write_codebook(&codebook(source, globals)?, form);
            lost.iter().for_each(|line| output::say(globals, &format!("note: {line}")));
            match to {
                Some(path) => put(path, text.as_bytes())?,
                None => output::print(&text)?,
            }
        }
    }
    Ok(Outcome::Done)
}

/// Writes a codebook file; only another codebook is replaced.
fn put(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if path.is_file() && read_codebook(path).is_err() {
        return Err(Error::Store(osteon_study::study::StoreError::Foreign(path.to_owned())));
    }
    write_whole(path, bytes).map_err(|source| Error::File { path: path.to_owned(), source })
}

fn codebook(source: &Source, globals: &Globals) -> Result<Codebook, Error> {
    if let Some(file) = &source.from {
        let found = read_codebook(file)?;
        found.notes.iter().for_each(|note| output::say(globals, &format!("note: {note}")));
        return Ok(found.codebook);
    }
    Ok(match source.preset.as_deref() {
        Some("osteosarcoma") => Codebook::osteosarcoma().clone(),
        Some(_) => Codebook::study().clone(),
        None if globals.study.exists() => Codebook::clone(&opening::read(globals)?.protocol.codebook),
        None => Codebook::clone(&Preset::Study.protocol().codebook),
    })
}
