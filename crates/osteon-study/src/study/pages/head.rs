//! The dashboard's first line, and what its watcher and its patients ask of the file.

use crate::store::JobRow;
use crate::study::{Error, Study, split_in_words};

/// What stands above every page.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub title: String,
    /// The study file's name, without its folders.
    pub file: String,
    /// When and by whom.
    pub locked: Option<String>,
    /// The data are no patients'.
    pub synthetic: bool,
    /// The split in force, in words, and whether it is locked; none for a blind reader.
    pub split: Option<(String, bool)>,
    /// The models that learnt from the split in force, in words.
    pub fitted: Option<String>,
}

impl Study {
    pub fn head(&self) -> Result<Head, Error> {
        let row = self.store.study()?;
        let split = self.shown_split()?;
        let fitted = split.as_ref().map(|split| self.store.fit_on(split.id)).transpose()?.flatten();
        Ok(Head {
            synthetic: row.title.to_lowercase().contains("synthetic"),
            title: row.title,
            file: self.path().file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            locked: row.locked.map(|(at, by)| format!("{at} by {by}")),
            split: split.map(|split| (split_in_words(&split), split.locked)),
            fitted: fitted.map(|(run, n)| format!("the {n} models of run {}", run.0)),
        })
    }

    /// A number that grows when another program writes to the file; `None` where the file cannot be asked.
    pub fn data_version(&self) -> Option<i64> {
        self.store.data_version().ok()
    }

    pub fn jobs(&self) -> Result<Vec<JobRow>, Error> {
        Ok(self.store.jobs()?)
    }

    pub fn count_patients(&self) -> Result<usize, Error> {
        Ok(self.store.count_patients()?)
    }

    /// Whether a fit of a response has finished and left models.
    pub fn has_models(&self) -> Result<bool, Error> {
        Ok(!self.store.models()?.is_empty())
    }
}
