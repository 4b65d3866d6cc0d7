//! Linked files of a store that moved: their new places, believed only with the hashes of the old ones.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::store::ImageFile;
use crate::study::data::import_images::{canonical, stored_path};
use crate::study::data::input;
use crate::study::{Error, Study};
use osteon_radiomics::read::Uneven;

/// What a relocation did, or would have done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relocation {
    /// Files below the old place.
    pub files: usize,
    /// Files linked at another place.
    pub other: usize,
    /// Files that the new place lacks, or holds with another content: nothing moves while there is one.
    pub refused: Vec<(PathBuf, String)>,
}

impl Study {
    /// Links the files below `old` at the same paths below `new`, if each has the bytes that were imported.
    ///
    /// # Errors
    /// When no file is linked below `old`, or the store cannot be written.
    pub fn relocate_images(&self, old: &Path, new: &Path) -> Result<Relocation, Error> {
        let home = canonical(&self.folder())?;
        let here = std::path::absolute(old).map_err(|source| Error::File { path: old.to_owned(), source })?;
        let new = canonical(new)?;
        let all = self.store.images()?;
        let moved = |file: &ImageFile| {
            let place = home.join(&file.path);
            let rest = place.strip_prefix(&here).or_else(|_| place.strip_prefix(old)).ok()?.to_owned();
            Some((file.clone(), new.join(rest)))
        };
        let below: Vec<(ImageFile, PathBuf)> = all.iter().filter_map(moved).collect();
        if below.is_empty() {
            let found = all.first().map_or("none".to_owned(), |file| home.join(&file.path).display().to_string());
            let told = format!("no file is linked below {}; the first linked file is {found}", old.display());
            return Err(Error::Request(told));
        }
        let unsound = |(file, place): &(ImageFile, PathBuf)| match input::image_bytes(place, None, Uneven::Resample) {
            Ok(bytes) if bytes.sha256 == file.sha256 => None,
            Ok(_) => Some((place.clone(), "another content than the file that was imported".to_owned())),
            Err(cause) => Some((place.clone(), crate::study::error::with_causes(&cause))),
        };
        let refused: Vec<(PathBuf, String)> = below.par_iter().filter_map(unsound).collect();
        let report = Relocation { files: below.len(), other: all.len() - below.len(), refused };
        if report.refused.is_empty() {
            self.store.write(&format!("images relocate {} {}", old.display(), new.display()), |write| {
                for (file, place) in below {
                    write.link_image(&ImageFile { path: stored_path(&home, &place), ..file })?;
                }
                Ok::<_, Error>(())
            })?;
        }
        Ok(report)
    }
}
