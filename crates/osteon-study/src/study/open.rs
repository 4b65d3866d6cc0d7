//! A study at hand: its file, its protocol, and what may be shown of it.

use std::path::{Path, PathBuf};

use crate::protocol::Protocol;
use crate::protocol::variable::{NECROSIS, VARIABLES, Variable};
use crate::store::{Access, Store};
use crate::study::Error;

/// An open study; one a thread.
pub struct Study {
    pub store: Store,
    /// The protocol in force when the study was opened.
    pub protocol: Protocol,
    /// What may be shown.
    pub view: View,
}

/// What a reader may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum View {
    #[default]
    Full,
    /// Neither necrosis nor response nor anything made from them.
    Blind,
}

impl Study {
    /// Makes a new study file.
    pub fn create(path: &Path, title: &str, protocol: Protocol) -> Result<Study, Error> {
        let store = Store::create(path, "a new study", |write| {
            write.make_study(title, &protocol.hash(), &protocol.document())?;
            Ok::<_, Error>(())
        })?;
        Ok(Study { store, protocol, view: View::Full })
    }

    /// A study in memory, for tests.
    pub fn in_memory(title: &str, protocol: Protocol) -> Result<Study, Error> {
        let make = |write: &crate::store::Write| write.make_study(title, &protocol.hash(), &protocol.document());
        let store = Store::in_memory(make)?;
        Ok(Study { store, protocol, view: View::Full })
    }

    /// Opens a study file for reading and writing, or for reading only where writing is not safe.
    pub fn open(path: &Path, access: Access) -> Result<Study, Error> {
        let store = Store::open(path, access)?;
        let protocol = Protocol::stored(&store.study()?.protocol_toml)?;
        Ok(Study { store, protocol, view: View::Full })
    }

    /// The same study for another thread.
    pub fn reopen(&self) -> Result<Study, Error> {
        Ok(Study { store: self.store.reopen()?, protocol: self.protocol.clone(), view: self.view })
    }

    /// Reads the protocol again where another one is in force by now.
    pub fn renew(&mut self) -> Result<(), Error> {
        let row = self.store.study()?;
        if row.protocol_hash != self.protocol.hash() {
            self.protocol = Protocol::stored(&row.protocol_toml)?;
        }
        Ok(())
    }

    /// The same study as a reader may see it.
    pub fn seen(self, view: View) -> Study {
        Study { view, ..self }
    }

    /// The variables that may be shown, with their positions in `Patient::entries`.
    pub fn variables(&self) -> impl Iterator<Item = (usize, &'static Variable)> + use<> {
        let blind = self.view == View::Blind;
        VARIABLES.iter().enumerate().filter(move |(_, variable)| !(blind && variable.name == NECROSIS))
    }

    pub fn is_blind(&self) -> bool {
        self.view == View::Blind
    }

    /// Refuses what cannot be shown to a blind reader.
    pub fn needs_response(&self) -> Result<(), Error> {
        if self.view == View::Blind { Err(Error::Blind) } else { Ok(()) }
    }

    /// The folder that relative paths of images start from.
    pub fn folder(&self) -> PathBuf {
        let parent = self.store.path().parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new(".")).to_owned()
    }

    /// What results stand on, one `name: value` a line, for sheets and figures.
    pub fn provenance(&self) -> Result<Vec<String>, Error> {
        let row = self.store.study()?;
        let state = if row.locked.is_some() { "locked" } else { "not locked" };
        Ok(vec![
            format!("study: {} ({state})", row.title),
            format!("trail head: {}", self.trail_head()?),
            format!("protocol: {}", row.protocol_hash),
            format!("seed: {}", self.protocol.learn.seed.0),
            format!("osteon: {}", env!("CARGO_PKG_VERSION")),
        ])
    }

    /// The same for what came out of runs: the newest finished one of this kind is named with its own seed and version.
    pub fn provenance_of(&self, kind: &str) -> Result<Vec<String>, Error> {
        let mut lines = self.provenance()?;
        let runs = self.store.runs()?;
        lines.extend(runs.iter().find(|run| run.kind == kind && run.finished_at.is_some()).map(|run| {
            let (id, seed, version, began) = (run.id.0, run.seed.0, &run.program_version, &run.started_at);
            format!("run: {id} ({kind}, seed {seed}, osteon {version}, {began}, protocol {})", run.protocol_hash)
        }));
        Ok(lines)
    }
}
