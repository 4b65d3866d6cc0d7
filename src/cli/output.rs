//! Results on stdout, everything else on stderr.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::study::Error;

/// Writes to stdout; a reader that went away (`osteon ... | head`) is no error.
pub fn print(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(source) => Err(Error::File { path: "standard output".into(), source }),
        Ok(()) => Ok(()),
    }
}

/// Prints the error with its causes and its hint, and gives its exit code.
pub fn failure(error: &Error) -> ExitCode {
    let mut text = format!("osteon: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("\nhint: {hint}"));
    }
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::from(error.exit_code())
}
