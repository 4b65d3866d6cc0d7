//! `osteon report`: the study as one page to hand in.

use std::path::{Path, PathBuf};

use crate::cli::{Globals, Outcome, opening, output};
use crate::report::docx;
use crate::report::page::{self, Page};
use crate::study::Error;

/// Write the report: one HTML page, the same as Markdown and DOCX, and every figure as SVG with its numbers as CSV
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write report.html, report.md, report.docx, figures/ and the calculating nomogram.html to; made where
    /// it is missing
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Published tables (table,set,row,column,printed) whose audit the report shows beside the study's own
    #[arg(long, value_name = "FILE")]
    published: Option<PathBuf>,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::read(globals)?;
    let page = study.report(args.published.as_deref())?;
    write(&page, &args.output)?;
    match study.calculator() {
        Ok(text) => put(&args.output.join("nomogram.html"), text)?,
        Err(Error::NoFit | Error::NoSplit | Error::Blind) => (),
        Err(other) => return Err(other),
    }
    output::print(&format!("{}\n", args.output.join("report.html").display()))?;
    Ok(Outcome::Done)
}

fn write(page: &Page, dir: &Path) -> Result<(), Error> {
    let figures = dir.join("figures");
    std::fs::create_dir_all(&figures).map_err(|source| Error::File { path: figures.clone(), source })?;
    put(&dir.join("report.html"), page::html(page))?;
    put(&dir.join("report.md"), page::markdown(page))?;
    put(&dir.join("report.docx"), docx::docx(page)?)?;
    for figure in page.figures() {
        put(&figures.join(format!("{}.svg", figure.plot.name)), figure.svg())?;
        put(&figures.join(format!("{}.csv", figure.plot.name)), figure.csv())?;
    }
    Ok(())
}

fn put(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
    std::fs::write(path, bytes).map_err(|source| Error::File { path: path.to_owned(), source })
}
