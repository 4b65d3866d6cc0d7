//! The report as files of a folder.

use std::path::{Path, PathBuf};

use crate::report::{docx, page};
use crate::study::{Error, Study};

impl Study {
    /// Writes report.html, report.md, report.docx, figures/ and the calculating nomogram.html; gives the page's path.
    /// `published` is a file of published tables whose audit the report shows.
    pub fn write_report(&self, dir: &Path, published: Option<&Path>) -> Result<PathBuf, Error> {
        let page = self.report(published)?;
        let figures = dir.join("figures");
        std::fs::create_dir_all(&figures).map_err(|source| Error::File { path: figures.clone(), source })?;
        put(&dir.join("report.html"), page::html(&page))?;
        put(&dir.join("report.md"), page::markdown(&page))?;
        put(&dir.join("report.docx"), docx::docx(&page)?)?;
        for figure in page.figures() {
            put(&figures.join(format!("{}.svg", figure.plot.name)), figure.svg())?;
            put(&figures.join(format!("{}.csv", figure.plot.name)), figure.csv())?;
        }
        match self.calculator() {
            Ok(text) => put(&dir.join("nomogram.html"), text)?,
            Err(Error::NoFit | Error::NoSplit | Error::Blind) => (),
            Err(other) => return Err(other),
        }
        Ok(dir.join("report.html"))
    }
}

fn put(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
    std::fs::write(path, bytes).map_err(|source| Error::File { path: path.to_owned(), source })
}
