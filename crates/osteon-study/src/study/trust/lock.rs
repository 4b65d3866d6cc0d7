//! What governs a study as a whole: its protocol, freezing and thawing, backups and their way back.

use std::path::Path;

use crate::protocol::Protocol;
use crate::store;
use crate::study::data::edit::required;
use crate::study::data::rules;
use crate::study::{Error, Study};

impl Study {
    /// Freezes clinical data and images.
    pub fn lock(&self, reason: &str) -> Result<(), Error> {
        Ok(self.store.write(&required(reason)?, |write| write.lock())?)
    }

    /// Lets clinical data and images be changed again.
    pub fn unlock(&self, reason: &str) -> Result<(), Error> {
        Ok(self.store.write(&required(reason)?, |write| write.unlock())?)
    }

    /// Puts another protocol in force; gives its hash. Earlier results keep the protocol they were made under; queries
    /// that rules raised follow the new rules.
    pub fn use_protocol(&self, protocol: Protocol, reason: &str) -> Result<String, Error> {
        let hash = protocol.hash();
        // What is refused because of stored values tells them: a blind reader changes no hidden variable.
        let hidden = self.protocol.codebook.variables.iter().filter(|it| !self.may_see(&it.name));
        if self.is_blind() && hidden.into_iter().any(|it| protocol.codebook.keyed(&it.key) != Some(it)) {
            return Err(Error::Blind);
        }
        // Rules on a hidden variable answer questions about it.
        if self.is_blind() && self.asks_of_hidden(&protocol) != self.asks_of_hidden(&self.protocol) {
            return Err(Error::Blind);
        }
        self.plan_allows(&hash)?;
        self.store.write(&required(reason)?, |write| {
            write.set_protocol(&hash, &protocol.document())?;
            if protocol.query != self.protocol.query || protocol.codebook != self.protocol.codebook {
                for patient in write.patients()? {
                    rules::apply(write, &protocol, &patient.code)?;
                }
            }
            Ok::<_, Error>(())
        })?;
        Ok(hash)
    }

    /// The rules of a protocol that raise queries on what a blind reader may not see.
    fn asks_of_hidden(&self, protocol: &Protocol) -> Vec<String> {
        let rules = &protocol.query;
        let is_hidden = |name: &str| !self.may_see(name.split(':').next().unwrap_or(name).trim());
        let conditions = rules.inconsistent.iter().filter(|rule| is_hidden(rule)).cloned();
        let usual = rules.usual.iter().filter(|(name, _)| is_hidden(name)).map(|range| format!("{range:?}"));
        conditions.chain(usual).chain([format!("missing {}", rules.missing)]).collect()
    }

    /// Keeps the split in force from being replaced.
    pub fn lock_split(&self, reason: &str) -> Result<(), Error> {
        Ok(self.store.write(&required(reason)?, |write| write.lock_split(true))?)
    }

    /// Lets the split in force be replaced again.
    pub fn unlock_split(&self, reason: &str) -> Result<(), Error> {
        Ok(self.store.write(&required(reason)?, |write| write.lock_split(false))?)
    }
}

/// Checks that a backup is whole; gives its trail head.
pub fn check_backup(path: &Path) -> Result<String, Error> {
    Ok(store::check_copy(path)?)
}

/// Puts a backup in the place of a study file that is not there; gives what of it was left behind.
pub fn restore(from: &Path, to: &Path) -> Result<Vec<String>, Error> {
    Ok(store::restore(from, to)?)
}
