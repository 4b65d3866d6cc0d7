//! `osteon figure`: a figure in the terminal, or as PDF, SVG, TIFF, PNG or CSV.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::cli::{Color, Globals, Outcome, opening, output};
use osteon_plot::cells::{self, Charset};
use osteon_plot::svg;
use osteon_study::report::figure::{DPI, Figure, TWO_COLUMNS_MM};
use osteon_study::study::{Error, FigureName, FigureRequest, ForestShap};

/// Draw a figure in the terminal, or write it to files
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  osteon figure roc\n  osteon figure roc -o roc.pdf -o roc.tiff --width 85 --dpi 600\n  \
    osteon figure dca -o dca.pdf --thresholds 0.1-0.6\n  osteon figure shap --region intra_peri_4mm -o shap.svg --text live"
)]
pub struct Args {
    /// Which figure
    #[arg(value_parser = names())]
    name: FigureName,
    /// File to write; its ending says how: .pdf or .svg (vectors), .tiff or .png (--dpi), with every number shown beside it
    /// in NAME.numbers.csv; .csv, the numbers alone; .html, the nomogram as a page that calculates. May be given again
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Width on paper in mm: 85 is one column of a journal, 174 two. A width at which a word would be cut is refused
    #[arg(long, default_value_t = TWO_COLUMNS_MM, value_name = "MM")]
    width: f64,
    /// Height on paper in mm; what the content needs when not given
    #[arg(long, value_name = "MM")]
    height: Option<f64>,
    /// Point size of the text; lines and markers grow with it
    #[arg(long, default_value_t = osteon_plot::FONT_PT, value_name = "PT")]
    font_size: f64,
    /// Dots to the inch of .png and .tiff, 50 to 2400: 300 for color, 600 to 1200 for line art
    #[arg(long, default_value_t = DPI, value_name = "N")]
    dpi: f64,
    /// What words are in .svg: outlines, which look the same everywhere, or live text in Inter, Arial or Helvetica
    #[arg(long, value_enum, default_value_t = Text::Outlines)]
    text: Text,
    /// Threshold probabilities of the decision curves, as 0.05-0.6; where at least five patients of each set are positive
    /// when not given
    #[arg(long, value_name = "FROM-TO", value_parser = range)]
    thresholds: Option<[f64; 2]>,
    /// Name patients in the numbers by codes instead of their ids
    #[arg(long)]
    deidentify: bool,
    /// Whose figure, where it shows one patient; the first with images when not given
    #[arg(long, value_name = "ID")]
    patient: Option<String>,
    /// Which region: of `lasso`, the one that gives the Rad-score when not given; whose forest `shap` and `waterfall`
    /// explain, the combined model when not given; of `icc` and `workflow`, all when not given
    #[arg(long, value_name = "ROI")]
    region: Option<String>,
    /// Which time to event `km` and `cif` show; the first that the study declares when not given
    #[arg(long, value_name = "NAME")]
    outcome: Option<String>,
    /// The variable that tells the groups of `km` and `cif`
    #[arg(long, value_name = "VARIABLE")]
    by: Option<String>,
    /// Explain a forest against each training patient (interventional TreeSHAP) instead of by its cover
    #[arg(long, requires = "region")]
    interventional: bool,
    /// Draw in the terminal with ASCII signs instead of braille
    #[arg(long)]
    ascii: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Text {
    Outlines,
    Live,
}

/// `0.05-0.6`: two threshold probabilities.
fn range(text: &str) -> Result<[f64; 2], String> {
    let parts = text.split_once('-').and_then(|(from, to)| Some([from.trim().parse().ok()?, to.trim().parse().ok()?]));
    let known = parts.filter(|[from, to]: &[f64; 2]| *from >= 0.01 && to - from >= 0.02 && *to <= 0.99);
    known.ok_or_else(|| "expected two probabilities from 0.01 to 0.99, the smaller first, as 0.05-0.6".to_owned())
}

fn names() -> impl TypedValueParser<Value = FigureName> {
    let values: Vec<PossibleValue> =
        FigureName::every().map(|(_, name, help)| PossibleValue::new(name).help(help)).collect();
    PossibleValuesParser::new(values).map(|name| {
        let found = FigureName::every().find(|(_, own, _)| *own == name);
        found.expect("clap lets only these names through").0
    })
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::read(globals)?;
    if !(50.0..=2400.0).contains(&args.dpi) {
        let expected = "50 to 2400 dots to the inch".to_owned();
        return Err(Error::Cell { place: "the resolution".to_owned(), found: args.dpi.to_string(), expected });
    }
    let request = FigureRequest {
        patient: args.patient.clone(),
        region: args.region.clone(),
        height_mm: args.height,
        font_pt: args.font_size,
        thresholds: args.thresholds,
        deidentify: args.deidentify,
        forest_shap: if args.interventional { ForestShap::Interventional } else { ForestShap::PathDependent },
        outcome: args.outcome.clone(),
        by: args.by.clone(),
        ..FigureRequest::new(args.name, args.width)
    };
    // Numbers and the terminal need no room on paper.
    let is_drawn = args.output.iter().any(|path| ending(path) != "csv" && ending(path) != "html");
    let figure = if is_drawn { study.fitting_figure(&request)? } else { study.figure(&request)? };
    if matches!(args.name, FigureName::Roc | FigureName::Dca | FigureName::Calibration) {
        opening::shown(globals, &study, &format!("figure {}", figure.plot.name));
    }
    let text = if args.text == Text::Live { svg::Text::Live } else { svg::Text::Outlines };
    let how = Written { dpi: args.dpi, text };
    for path in &args.output {
        match ending(path).as_str() {
            "html" if args.name == FigureName::Nomogram => put(path, study.calculator()?.as_bytes())?,
            _ => write(&figure, path, how)?,
        }
    }
    if args.output.is_empty() {
        let charset = if args.ascii { Charset::Ascii } else { Charset::Braille };
        output::print(&drawn(&figure, charset, globals.color))?;
    }
    Ok(Outcome::Done)
}

/// The figure over the width of the terminal, 80 columns where there is none.
pub fn drawn(figure: &Figure, charset: Charset, color: Color) -> String {
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

/// How pictures are written.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    pub dpi: f64,
    pub text: svg::Text,
}

/// Writes a figure as its file's ending says.
pub fn write(figure: &Figure, path: &Path, how: Written) -> Result<(), Error> {
    match ending(path).as_str() {
        "svg" => put(path, figure.svg_as(how.text).as_bytes())?,
        "pdf" => put(path, &figure.pdf())?,
        "png" => put(path, &figure.png(how.dpi)?)?,
        "tif" | "tiff" => put(path, &figure.tiff(how.dpi)?)?,
        "csv" => return put(path, figure.csv().as_bytes()),
        _ if figure.plot.name == "nomogram" => {
            return Err(Error::Ending { path: path.to_owned(), expected: ".pdf, .svg, .tiff, .png, .csv or .html" });
        }
        _ => return Err(Error::Ending { path: path.to_owned(), expected: ".pdf, .svg, .tiff, .png or .csv" }),
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
    let found = osteon_study::study::read_bytes(path)?;
    let heading = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').next().unwrap_or_default().to_vec();
    // Its kind by its first bytes, and its program by what it says of itself.
    let is_kind = found.get(..4) == new.get(..4);
    let is_own = is_kind && found.windows(6).any(|part| part == b"osteon") || heading(&found) == heading(new);
    if is_own { Ok(()) } else { Err(Error::Store(osteon_study::study::StoreError::Foreign(path.to_owned()))) }
}
