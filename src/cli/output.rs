//! Results on stdout, everything else on stderr.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::{Format, Globals};
use osteon_study::report::sheet::{self, Sheet};
use osteon_study::study::Error;

/// Writes to stdout; a reader that went away (`osteon ... | head`) is no error.
pub fn print(text: &str) -> Result<(), Error> {
    print_bytes(text.as_bytes())
}

/// Prints a sheet in the format asked for.
pub fn print_sheet(sheet: &Sheet, format: Format) -> Result<(), Error> {
    if format == Format::Csv {
        // CSV has no room for notes; that its numbers are not of the present data is said all the same.
        sheet.notes.iter().filter(|note| osteon_study::study::is_doubt(note)).for_each(|note| warn(note));
    }
    match sheet_format(format) {
        Some(format) => print(&sheet::render(sheet, format)),
        None => print_workbook(std::slice::from_ref(sheet)),
    }
}

/// Prints a sheet in the form of a journal; as text, at the width of the terminal.
pub fn print_journal(sheet: &Sheet, format: Format) -> Result<(), Error> {
    let is_terminal = io::stdout().is_terminal();
    let width =
        crossterm::terminal::size().ok().filter(|_| is_terminal).map_or(80, |(columns, _)| usize::from(columns));
    match sheet_format(format) {
        Some(format) => print(&sheet::for_journal(sheet, format, width.max(40))),
        None => print_workbook(std::slice::from_ref(sheet)),
    }
}

/// Prints sheets one below the other; as JSON, one array of them.
pub fn print_sheets(sheets: &[Sheet], format: Format) -> Result<(), Error> {
    let Some(form) = sheet_format(format) else { return print_workbook(sheets) };
    let rendered: Vec<String> = sheets.iter().map(|sheet| sheet::render(sheet, form)).collect();
    match format {
        Format::Json => print(&format!("[{}]\n", rendered.join(",").trim_end())),
        _ => print(&rendered.join("\n")),
    }
}

/// Prints a JSON document.
pub fn print_json(value: &serde_json::Value) -> Result<(), Error> {
    print(&format!("{value:#}\n"))
}

/// How a sheet is rendered as text; `None` for a workbook.
fn sheet_format(format: Format) -> Option<sheet::Format> {
    Some(match format {
        Format::Text => sheet::Format::Text,
        Format::Csv => sheet::Format::Csv,
        Format::Json => sheet::Format::Json,
        Format::Markdown => sheet::Format::Markdown,
        Format::Html => sheet::Format::Html,
        Format::Latex => sheet::Format::Latex,
        Format::Xlsx => return None,
    })
}

/// Writes sheets as one workbook to standard output, once a run and not to a terminal.
pub fn print_workbook(sheets: &[Sheet]) -> Result<(), Error> {
    static IS_WRITTEN: AtomicBool = AtomicBool::new(false);
    if io::stdout().is_terminal() {
        return Err(Error::Request(
            "a workbook is no text: lead it to a file, as in osteon ... > table.xlsx".to_owned(),
        ));
    }
    if IS_WRITTEN.swap(true, Ordering::Relaxed) {
        return Err(Error::Request(
            "this prints several tables, and a workbook is one: --format csv or html has all".to_owned(),
        ));
    }
    print_bytes(&sheet::workbook(sheets).map_err(Error::Request)?)
}

/// Writes bytes to standard output.
pub fn print_bytes(bytes: &[u8]) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(source) => Err(Error::File { path: "standard output".into(), source }),
        Ok(()) => Ok(()),
    }
}

/// Says something beside the results, unless quiet was asked for.
pub fn say(globals: &Globals, text: &str) {
    if !globals.quiet {
        warn(text);
    }
}

/// Says something that quiet does not silence.
pub fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "{}", osteon_base::text::clean_lines(text));
}

/// Prints help where it was asked for, else what is wrong with the arguments; these may hold any characters.
pub fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        warn(error.render().to_string().trim_end());
    } else {
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Prints the error with its causes and its hint, and gives its exit code.
pub fn failure(error: &Error) -> ExitCode {
    warn(&format!("osteon: {}", error.in_full()));
    if let Some(hint) = error.hint() {
        warn(&format!("hint: {hint}"));
    }
    ExitCode::from(error.exit_code())
}
