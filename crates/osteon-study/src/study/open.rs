//! A study at hand: its file, its protocol, and what may be shown of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::protocol::Protocol;
use crate::protocol::codebook::variable::Variable;
use crate::store::{Access, Store};
use crate::study::Error;

/// An open study; one a thread.
pub struct Study {
    pub(in crate::study) store: Store,
    /// The protocol in force when the study was opened.
    pub protocol: Protocol,
    /// What may be shown.
    pub view: View,
    /// Names and keys of the variables that tell an outcome.
    pub(in crate::study) hidden: BTreeSet<String>,
    pub(in crate::study) times: Times,
}

/// How pages show when something was done; files, logs and the trail have UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Times {
    #[default]
    Utc,
    /// In the zone of this machine, or of `TZ`.
    Local,
}

/// What a reader may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum View {
    #[default]
    Full,
    /// Nothing that an outcome depends on, nor anything made from it.
    Blind,
}

impl Study {
    /// Makes a new study file.
    pub fn create(path: &Path, title: &str, protocol: Protocol) -> Result<Study, Error> {
        let store = Store::create(path, "a new study", |write| {
            write.make_study(title, &protocol.hash(), &protocol.document())?;
            Ok::<_, Error>(())
        })?;
        Study::of(store, protocol)
    }

    /// A study in memory, for tests.
    pub fn in_memory(title: &str, protocol: Protocol) -> Result<Study, Error> {
        let make = |write: &crate::store::Write| write.make_study(title, &protocol.hash(), &protocol.document());
        let store = Store::in_memory(make)?;
        Study::of(store, protocol)
    }

    fn of(store: Store, protocol: Protocol) -> Result<Study, Error> {
        store.use_codebook(&store.study()?.protocol_hash, &protocol.codebook);
        let hidden = store.ever_hidden()?;
        Ok(Study { store, protocol, view: View::Full, hidden, times: Times::Utc })
    }

    /// Opens a study file for reading and writing, or for reading only where writing is not safe.
    pub fn open(path: &Path, access: Access) -> Result<Study, Error> {
        let store = Store::open(path, access)?;
        let protocol = Protocol::stored(&store.study()?.protocol_toml)?;
        Study::of(store, protocol)
    }

    /// The same study for another thread.
    pub fn reopen(&self) -> Result<Study, Error> {
        let Study { protocol, view, hidden, times, .. } = self;
        let store = self.store.reopen()?;
        store.use_codebook(&self.protocol.hash(), &protocol.codebook);
        Ok(Study { store, protocol: protocol.clone(), view: *view, hidden: hidden.clone(), times: *times })
    }

    /// Reads the protocol again where another one is in force by now.
    pub fn renew(&mut self) -> Result<(), Error> {
        let row = self.store.study()?;
        if row.protocol_hash != self.protocol.hash() {
            self.protocol = Protocol::stored(&row.protocol_toml)?;
            self.store.use_codebook(&row.protocol_hash, &self.protocol.codebook);
            self.hidden = self.store.ever_hidden()?;
        }
        Ok(())
    }

    /// The same study as a reader may see it.
    pub fn seen(self, view: View) -> Study {
        Study { view, ..self }
    }

    /// The same study with its pages in other times.
    pub fn in_times(self, times: Times) -> Study {
        Study { times, ..self }
    }

    /// Day and minute of a time of the study file, as pages show it.
    pub(in crate::study) fn minute(&self, at: &str) -> String {
        let local = || at.parse::<jiff::Timestamp>().ok().map(|at| at.to_zoned(jiff::tz::TimeZone::system()));
        match self.times {
            Times::Local if let Some(local) = local() => local.strftime("%Y-%m-%d %H:%M").to_string(),
            _ => at.get(..16).unwrap_or(at).replace('T', " "),
        }
    }

    /// The variables that may be shown, with their positions in `Patient::entries`.
    pub fn variables(&self) -> impl Iterator<Item = (usize, &Variable)> {
        self.protocol.codebook.variables.iter().enumerate().filter(|(_, variable)| self.may_see(&variable.name))
    }

    /// The variable of a field's name.
    ///
    /// # Errors
    /// When the codebook has none, or a blind reader may not see it: both are told alike.
    pub fn variable(&self, name: &str) -> Result<&Variable, Error> {
        self.variables().map(|(_, variable)| variable).find(|variable| variable.name == name).ok_or_else(|| {
            Error::Field {
                found: osteon_base::text::clean(name).into_owned(),
                valid: self.variables().map(|(_, variable)| variable.name.as_str()).collect::<Vec<_>>().join(", "),
            }
        })
    }

    /// Whether a field may be shown to this reader. A field of the trail begins with a variable's key.
    pub fn may_see(&self, field: &str) -> bool {
        self.view == View::Full || !self.hidden.contains(field.split(' ').next().unwrap_or(field))
    }

    /// The split in force; none for a blind reader: who is in no set has no outcome.
    pub(in crate::study) fn shown_split(&self) -> Result<Option<crate::store::Split>, Error> {
        if self.is_blind() { Ok(None) } else { Ok(self.store.split()?) }
    }

    pub fn is_blind(&self) -> bool {
        self.view == View::Blind
    }

    /// The study's file.
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// Called when another program holds the file and this one has to wait.
    pub fn on_waiting(&mut self, tell: impl Fn() + Send + 'static) {
        self.store.on_waiting(tell);
    }

    /// Why the file can only be read.
    pub fn read_only(&self) -> Option<&str> {
        self.store.read_only()
    }

    /// Why the file can only be read, from where it lies and how it was opened alone.
    pub fn kept_from_writing(&self) -> Option<&str> {
        self.store.kept_from_writing()
    }

    /// The copy of the file as it was before opening brought it to this schema.
    pub fn migrated(&self) -> Option<&Path> {
        self.store.migrated()
    }

    /// Whether the file has this program's schema; not told of a file that cannot be read.
    pub fn has_present_schema(&self) -> bool {
        self.store.has_present_schema().unwrap_or(false)
    }

    /// Writes a checked copy; gives what was not the study's own and was left out.
    pub fn backup(&self, to: &Path) -> Result<Vec<String>, Error> {
        Ok(self.store.backup(to)?)
    }

    /// The study's rows without a door in between, for tests of what the doors promise.
    #[cfg(feature = "testing")]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Refuses what cannot be shown to a blind reader.
    pub fn needs_response(&self) -> Result<(), Error> {
        match (self.view, self.protocol.codebook.outcome()) {
            (View::Blind, _) => Err(Error::Blind),
            (View::Full, Some(_)) => Ok(()),
            (View::Full, None) => Err(Error::Request(
                "the codebook declares no outcome; an [outcome] table in the protocol does, with event = a condition over \
                 variables"
                    .to_owned(),
            )),
        }
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
