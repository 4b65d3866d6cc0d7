//! The report as files of a folder.

use std::path::{Path, PathBuf};

use crate::report::{citations, docx, page};
use crate::store::{sha256, write_all_whole};
use crate::study::report::document::{Form, MODEL_FILE};
use crate::study::{Error, Study};

impl Study {
    /// Writes report.html, report.md, report.docx, captions.md, figures/, the calculating nomogram.html and the model file
    /// model.json; gives the page's path.
    /// `published` is a file of published tables whose audit the report shows.
    pub fn write_report(&self, dir: &Path, published: Option<&Path>, form: &Form) -> Result<PathBuf, Error> {
        let page = self.report_in(form, published)?;
        let figures = dir.join("figures");
        let mut files = vec![
            ("report.html".to_owned(), page::html(&page).into_bytes()),
            ("report.md".to_owned(), page::markdown(&page).into_bytes()),
            ("report.docx".to_owned(), docx::docx(&page)?),
            ("captions.md".to_owned(), page::captions(&page).into_bytes()),
        ];
        let text: String = page.texts().collect();
        let works = citations::cited(&text);
        if !works.is_empty() {
            files.push(("references.bib".to_owned(), citations::bibliography(&works).into_bytes()));
        }
        for figure in page.figures() {
            files.push((format!("figures/{}.svg", figure.plot.name), figure.svg().into_bytes()));
            files.push((format!("figures/{}.pdf", figure.plot.name), figure.pdf()));
            files.push((format!("figures/{}.csv", figure.plot.name), figure.csv().into_bytes()));
        }
        match self.calculator() {
            Ok(text) => files.push(("nomogram.html".to_owned(), text.into_bytes())),
            Err(Error::NoFit | Error::NoSplit | Error::Blind) => (),
            Err(other) => return Err(other),
        }
        if self.needs_response().is_ok()
            && let Ok(file) = self.export_model(None)
        {
            files.push((MODEL_FILE.to_owned(), file.to_text().into_bytes()));
        }
        refuse_changed(dir, &files)?;
        let made = [dir, figures.as_path()].map(|folder| (!folder.exists()).then(|| folder.to_owned()));
        std::fs::create_dir_all(&figures).map_err(|source| Error::File { path: figures.clone(), source })?;
        let list: String = files.iter().map(|(name, bytes)| format!("{}  {name}\n", sha256(bytes))).collect();
        // The list first: what an interrupted report left is then known to be its own.
        let listed = [known(dir), list.clone()].concat();
        let mut all = vec![(dir.join(LIST), listed.as_bytes())];
        all.extend(files.iter().map(|(name, bytes)| (dir.join(name), bytes.as_slice())));
        all.push((dir.join(LIST), list.as_bytes()));
        write_all_whole(&all).map_err(|(path, source)| {
            // Folders that hold nothing are not left behind.
            made.iter().rev().flatten().for_each(|folder| drop(std::fs::remove_dir(folder)));
            Error::File { path, source }
        })?;
        Ok(dir.join("report.html"))
    }
}

/// Hashes of a report's files, in the form of sha256sum: what of them was changed since is not replaced.
const LIST: &str = "files.sha256";

fn known(dir: &Path) -> String {
    std::fs::read_to_string(dir.join(LIST)).unwrap_or_default()
}

/// Names files in the folder that a report would replace and that are not those of a report before it.
fn refuse_changed(dir: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
    let known = known(dir);
    let is_foreign = |(name, new): &&(String, Vec<u8>)| {
        let Ok(found) = std::fs::read(dir.join(name)) else { return false };
        let own = format!("{}  {name}", sha256(&found));
        found != *new && !known.lines().any(|line| line == own)
    };
    let changed: Vec<&str> = files.iter().filter(is_foreign).map(|(name, _)| name.as_str()).collect();
    if changed.is_empty() {
        Ok(())
    } else {
        Err(Error::WouldReplace { folder: dir.to_owned(), names: changed.join(", ") })
    }
}
