//! `osteon report`: the study as one page to hand in.

use std::path::PathBuf;

use crate::cli::table::{FormName, Looks};
use crate::cli::{Format, Globals, Outcome, opening, output};
use osteon_study::report::page;
use osteon_study::study::Error;

/// Write the report: one HTML page, the same as Markdown and DOCX, and every figure as SVG and PDF with its numbers as CSV
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write report.html, report.md, report.docx, captions.md, figures/ and the calculating nomogram.html to; made where
    /// it is missing
    #[arg(short, long, value_name = "DIR", required_unless_present = "summary")]
    output: Option<PathBuf>,
    /// Print one page instead: who, what, the result, and what it is worth; with --format html a page, with markdown or
    /// text a text
    #[arg(long, conflicts_with_all = ["output", "published", "form", "style", "decimal", "leading_zero"])]
    summary: bool,
    /// Published tables (table,set,row,column,printed) whose audit the report shows beside the study's own
    #[arg(long, value_name = "FILE")]
    published: Option<PathBuf>,
    /// Form of Tables 1 to 5: journal, with what it leaves out in supplementary tables, or full
    #[arg(long, value_enum, default_value_t = FormName::Journal)]
    form: FormName,
    #[command(flatten)]
    looks: Looks,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let form = args.looks.form(args.form)?;
    let study = opening::read(globals)?;
    let Some(output) = &args.output else {
        let page = study.summary()?;
        opening::shown(globals, &study, "report");
        output::print(&match globals.format {
            Format::Html => page::html(&page),
            Format::Markdown => page::markdown(&page),
            _ => page::text(&page),
        })?;
        return Ok(Outcome::Done);
    };
    let page = study.write_report(output, args.published.as_deref(), &form)?;
    opening::shown(globals, &study, "report");
    output::print(&format!("{}\n", page.display()))?;
    Ok(Outcome::Done)
}
