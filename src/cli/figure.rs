//! `osteon figure`: a figure in the terminal, or as SVG, PNG or CSV.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::cli::{Color, Globals, Outcome, opening, output};
use osteon_plot::cells::{self, Charset};
use osteon_study::report::figure::{Figure, TWO_COLUMNS_MM};
use osteon_study::study::{Error, FigureName, FigureRequest, ForestShap};

/// Draw a figure in the terminal, or write it to files
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which figure
    #[arg(value_parser = names())]
    name: FigureName,
    /// File to write; its ending says how: .svg or .png (300 dpi), with every number shown beside it in
    /// NAME.numbers.csv; .csv, the numbers alone; .html, the nomogram as a page that calculates. May be given again
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Width on paper in mm: 85 is one column of a journal, 174 two
    #[arg(long, default_value_t = TWO_COLUMNS_MM, value_name = "MM")]
    width: f64,
    /// Whose figure, where it shows one patient; the first with images when not given
    #[arg(long, value_name = "ID")]
    patient: Option<String>,
    /// Which region's LASSO, the one that gives the Rad-score when not given; whose forest `shap` and `waterfall`
    /// explain, the combined model when not given
    #[arg(long, value_name = "ROI")]
    region: Option<String>,
    /// Explain a forest against each training patient (interventional TreeSHAP) instead of by its cover
    #[arg(long, requires = "region")]
    interventional: bool,
    /// Draw in the terminal with ASCII signs instead of braille
    #[arg(long)]
    ascii: bool,
}

fn names() -> impl TypedValueParser<Value = FigureName> {
    let values = FigureName::ALL.map(|(_, name, help)| PossibleValue::new(name).help(help));
    PossibleValuesParser::new(values).map(|name| {
        let found = FigureName::ALL.into_iter().find(|(_, own, _)| *own == name);
        found.expect("clap lets only these names through").0
    })
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::read(globals)?;
    let figure = study.figure(&FigureRequest {
        patient: args.patient.clone(),
        region: args.region.clone(),
        forest_shap: if args.interventional { ForestShap::Interventional } else { ForestShap::PathDependent },
        ..FigureRequest::new(args.name, args.width)
    })?;
    for path in &args.output {
        match ending(path).as_str() {
            "html" if args.name == FigureName::Nomogram => put(path, study.calculator()?.as_bytes())?,
            _ => write(&figure, path)?,
        }
    }
    if args.output.is_empty() {
        let charset = if args.ascii { Charset::Ascii } else { Charset::Braille };
        output::print(&drawn(&figure, charset, globals.color))?;
    }
    Ok(Outcome::Done)
}

/// The figure over the width of the terminal, 80 columns where there is none.
fn drawn(figure: &Figure, charset: Charset, color: Color) -> String {
    let width = crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns).max(20));
    let coloured = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    let height = cells::height(&figure.plot, width, charset);
    format!(
        "{}\n{}\n",
        figure.cells(width, height, charset).to_text(coloured),
        osteon_base::text::clean(&figure.caption)
    )
}

fn ending(path: &Path) -> String {
    path.extension().and_then(|it| it.to_str()).unwrap_or_default().to_ascii_lowercase()
}

fn write(figure: &Figure, path: &Path) -> Result<(), Error> {
    match ending(path).as_str() {
        "svg" => put(path, figure.svg().as_bytes())?,
        "png" => put(path, &figure.png()?)?,
        "csv" => return put(path, figure.csv().as_bytes()),
        _ if figure.plot.name == "nomogram" => {
            return Err(Error::Ending { path: path.to_owned(), expected: ".svg, .png, .csv or .html" });
        }
        _ => return Err(Error::Ending { path: path.to_owned(), expected: ".svg, .png or .csv" }),
    }
    put(&path.with_extension("numbers.csv"), figure.csv().as_bytes())
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    refuse_foreign(path, bytes)?;
    osteon_study::study::write_whole(path, bytes).map_err(|source| Error::File { path: path.to_owned(), source })
}

/// A figure replaces a figure of this program only: its metadata say so, a table of numbers begins as the new one does.
fn refuse_foreign(path: &Path, new: &[u8]) -> Result<(), Error> {
    if !path.is_file() {
        return Ok(());
    }
    let found = std::fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    let heading = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').next().unwrap_or_default().to_vec();
    let is_own = found.windows(6).any(|part| part == b"osteon") || heading(&found) == heading(new);
    if is_own { Ok(()) } else { Err(Error::Store(osteon_study::store::StoreError::Foreign(path.to_owned()))) }
}
