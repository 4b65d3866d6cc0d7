//! `osteon report`: the study as one page to hand in.

use std::path::PathBuf;

use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::Error;

/// Write the report: one HTML page, the same as Markdown and DOCX, and every figure as SVG and PDF with its numbers as CSV
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write report.html, report.md, report.docx, captions.md, figures/ and the calculating nomogram.html to; made where
    /// it is missing
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Published tables (table,set,row,column,printed) whose audit the report shows beside the study's own
    #[arg(long, value_name = "FILE")]
    published: Option<PathBuf>,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let page = opening::read(globals)?.write_report(&args.output, args.published.as_deref())?;
    output::print(&format!("{}\n", page.display()))?;
    Ok(Outcome::Done)
}
