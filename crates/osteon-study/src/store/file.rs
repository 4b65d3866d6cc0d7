//! One connection to one study file: creating, opening, and the one way to write.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::ops::Deref;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::protocol::codebook::Codebook;
use crate::store::trail::{self, Signature};
use crate::store::{Actor, PatientId, RunId, StoreError, actor, guard, migrate};
use osteon_base::job::{Cancelled, Stage};
use osteon_base::seed::Seed;

pub(in crate::store) const SCHEMA: &str = include_str!("../../../../schema.sql");
pub(in crate::store) const APPLICATION_ID: i32 = 0x6F73_7465;
/// How long a write waits for other writers.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
    /// Write even where SQLite's locks cannot be relied on.
    WriteOnNetwork,
}

/// A connection to a study file; one a thread.
pub struct Store {
    pub(in crate::store) connection: Connection,
    path: PathBuf,
    actor: Actor,
    signature: Arc<Mutex<Signature>>,
    read_only: Option<String>,
    /// What is damaged, once somebody asked.
    damage: OnceCell<Option<String>>,
    /// Device and inode of the file that was opened.
    identity: Option<(u64, u64)>,
    /// The same of its log, which stands beside it as long as a connection is open.
    log: Option<(u64, u64)>,
    /// The copy that was made of the file before it was brought to this schema.
    migrated: Option<PathBuf>,
    clock: Cell<fn() -> String>,
    waiting: Box<dyn Fn() + Send>,
    /// Hash of the protocol that values are read and written under, and its codebook.
    pub(in crate::store) book: RefCell<Option<(String, Arc<Codebook>)>>,
    /// The run whose models were found to be those of the trail, and the state of the file then.
    pub(in crate::store) sound: Cell<Option<(RunId, i64)>>,
}

/// A transaction that changes the study; reads through it see its own changes.
pub struct Write<'a> {
    store: &'a Store,
    /// When the transaction began, as the trail says.
    pub at: String,
    /// Whose results were replaced: the trail gets their new digest before the transaction ends.
    pub(in crate::store) measured: RefCell<BTreeSet<PatientId>>,
}

impl Store {
    /// Makes a study file; `first` fills it in the transaction that makes its tables.
    pub fn create<E: From<StoreError>>(
        path: &Path,
        reason: &str,
        first: impl FnOnce(&Write) -> Result<(), E>,
    ) -> Result<Store, E> {
        guard::free_place(path)?;
        reserve(path)?;
        let made = Self::fill(path, reason, first);
        if made.is_err() {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(beside(path, suffix));
            }
        }
        made
    }

    /// A study in memory, for tests.
    pub fn in_memory<E: From<StoreError>>(first: impl FnOnce(&Write) -> Result<(), E>) -> Result<Store, E> {
        Self::fill(Path::new(":memory:"), "made in memory", first)
    }

    fn fill<E: From<StoreError>>(
        path: &Path,
        reason: &str,
        first: impl FnOnce(&Write) -> Result<(), E>,
    ) -> Result<Store, E> {
        let connection = Connection::open(path).map_err(StoreError::from)?;
        // Rows of features fill pages of 8 KiB better than of 4 KiB, and pages that a fit no longer needs can be given back.
        connection.pragma_update(None, "page_size", 8192).map_err(StoreError::from)?;
        connection.pragma_update(None, "auto_vacuum", "incremental").map_err(StoreError::from)?;
        // The file's own setting: once, at creation. Setting it at each open would starve other writers.
        let wal = connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()));
        wal.map_err(StoreError::from)?;
        let store = Self::ready(connection, path, None)?;
        store.begin_and(reason, |write| {
            store.connection.execute_batch(SCHEMA).map_err(StoreError::from)?;
            first(write)
        })?;
        Ok(store)
    }

    /// Opens a study file. Nothing in it is changed, unless it is of an older schema: then it is copied and brought to
    /// this one. A file on a network file system, or one that cannot be written, is opened for reading only;
    /// `read_only` says why. A damaged file is not written to either: it is looked through before the first write.
    pub fn open(path: &Path, access: Access) -> Result<Store, StoreError> {
        let forced = access == Access::WriteOnNetwork;
        let place = || unsafe_place(path).filter(|_| !forced);
        let hindrance = || place().or_else(|| guard::second_name(path)).or_else(|| unwritable(path));
        let reason = if access == Access::Read { Some("as asked".to_owned()) } else { hindrance() };
        let store = Self::known(path, reason.clone())?;
        if store.version()? == migrate::VERSION {
            return Ok(store);
        }
        // The connection that migrates closes last, so that everything is in the file itself afterwards.
        drop(store);
        if let Some(why) = hindrance() {
            return Err(StoreError::Older { path: path.to_owned(), why });
        }
        let migrated = Self::known(path, None)?.migrate()?;
        Ok(Store { migrated, ..Self::known(path, reason)? })
    }

    /// Opens a copy of this or an older schema to read it; nothing in it is changed and nothing made beside it.
    pub(in crate::store) fn as_it_is(path: &Path) -> Result<Store, StoreError> {
        let read_only = Some("as asked".to_owned());
        if has_log(path) { Self::known(path, read_only) } else { Self::by(unchanging, path, read_only) }
    }

    fn known(path: &Path, read_only: Option<String>) -> Result<Store, StoreError> {
        let is_read_only = read_only.is_some();
        Self::by(|path| connect(path, is_read_only), path, read_only)
    }

    fn by(
        connect: impl FnOnce(&Path) -> Result<Connection, StoreError>,
        path: &Path,
        read_only: Option<String>,
    ) -> Result<Store, StoreError> {
        if !path.is_file() {
            return Err(match path.exists() {
                true => StoreError::NoFile(path.to_owned()),
                false => StoreError::Missing(path.to_owned()),
            });
        }
        let store = connect(path)
            .and_then(|connection| Self::ready(connection, path, read_only))
            .and_then(|store| store.check().map(|()| store))
            .map(|store| Store { log: identity(&log_of(path)), ..store });
        store.map_err(|cause| match cause {
            StoreError::Damaged(rusqlite::Error::SqliteFailure(code, _)) if code.code == ErrorCode::NotADatabase => {
                StoreError::NotAStudy(path.to_owned())
            }
            other => other,
        })
    }

    fn ready(mut connection: Connection, path: &Path, read_only: Option<String>) -> Result<Store, StoreError> {
        let jitter = Seed(u64::from(std::process::id())).named(&actor::now());
        connection.busy_handler(Some(move |attempt: i32| {
            let attempt = usize::try_from(attempt).unwrap_or(0);
            std::thread::sleep(Duration::from_millis(1 + jitter.nth(attempt).0 % 20));
            attempt < 50
        }))?;
        connection.execute_batch(
            "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA recursive_triggers = ON;
             PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;",
        )?;
        let signature = Arc::new(Mutex::new(Signature::default()));
        trail::register(&connection, &signature)?;
        let actor = Actor::of_process();
        let identity = identity(path);
        let waiting = Box::new(|| ());
        let (path, migrated, clock) = (path.to_owned(), None, Cell::new(actor::now as fn() -> String));
        let damage = OnceCell::new();
        let log = None;
        let book = RefCell::new(None);
        Ok(Store {
            connection,
            path,
            actor,
            signature,
            read_only,
            damage,
            identity,
            log,
            migrated,
            clock,
            waiting,
            book,
            sound: Cell::new(None),
        })
    }

    /// Refuses what is no study file, and one of a newer schema.
    fn check(&self) -> Result<(), StoreError> {
        let application: i32 = self.connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        if application != APPLICATION_ID {
            return Err(StoreError::NotAStudy(self.path.clone()));
        }
        let (found, known) = (self.version()?, migrate::VERSION);
        if found <= known {
            // Variables are declared since schema 6: before it the table is not there.
            let has_variables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'variable'";
            let of_six: i64 = self.connection.query_row(has_variables, [], |row| row.get(0))?;
            return if found < 6 && of_six > 0 {
                Err(StoreError::Refused(format!(
                    "{}: the file's header says schema {found}, its tables are those of schema 6: it was altered; osteon restore \
                     puts a backup in its place",
                    self.path.display()
                )))
            } else {
                Ok(())
            };
        }
        let by = self.connection.query_row("SELECT program_version FROM study", [], |row| row.get::<_, String>(0));
        let by = by.map_or_else(|_| "of a later version".to_owned(), |by| osteon_base::text::clean(&by).into_owned());
        Err(StoreError::Newer { path: self.path.clone(), found, known, by })
    }

    /// Another connection to the same file, for another thread.
    pub fn reopen(&self) -> Result<Store, StoreError> {
        Ok(Store { damage: self.damage.clone(), ..Self::known(&self.path, self.read_only.clone())? })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Why nothing can be written, if so. The first time the tables that the trail covers are looked through for
    /// damage, which takes seconds in a file of millions of changes; not the feature values: these have hashes, and
    /// `verify` reads all.
    pub fn read_only(&self) -> Option<&str> {
        self.kept_from_writing().or_else(|| {
            let look = || self.first_damage().map(|damage| format!("it is damaged ({damage})"));
            self.damage.get_or_init(look).as_deref()
        })
    }

    /// Whether the file has this program's schema.
    pub fn has_present_schema(&self) -> Result<bool, StoreError> {
        Ok(self.version()? == migrate::VERSION)
    }

    /// Why the file was opened for reading only, if it was; known at once.
    pub fn kept_from_writing(&self) -> Option<&str> {
        self.read_only.as_deref()
    }

    /// The copy that was made of the file when opening brought it to this program's schema.
    pub fn migrated(&self) -> Option<&Path> {
        self.migrated.as_deref()
    }

    pub(in crate::store) fn now(&self) -> String {
        (self.clock.get())()
    }

    /// Changes are dated by another clock, as when the machine's was set back.
    #[cfg(feature = "testing")]
    pub fn set_clock(&self, clock: fn() -> String) {
        self.clock.set(clock);
    }

    /// `tell` is called when a write has to wait for another one, about once a second.
    pub fn on_waiting(&mut self, tell: impl Fn() + Send + 'static) {
        self.waiting = Box::new(tell);
    }

    /// Lets the file grow by no more than so many pages, as a full disk would; `None` takes the limit away.
    #[cfg(feature = "testing")]
    pub fn limit_pages(&self, more: Option<u32>) -> Result<(), StoreError> {
        let pages: u32 = self.connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let most = more.map_or(u32::MAX - 1, |more| pages + more);
        Ok(self.connection.pragma_update_and_check(None, "max_page_count", most, |_| Ok(()))?)
    }

    /// Changes when another connection has changed the file.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        Ok(self.connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// One change, whole or not at all. `reason` goes to the trail with each field that `work` changes.
    pub fn write<T, E: From<StoreError>>(
        &self,
        reason: &str,
        work: impl FnOnce(&Write) -> Result<T, E>,
    ) -> Result<T, E> {
        if let Some(why) = self.read_only() {
            return Err(StoreError::ReadOnly(why.to_owned()).into());
        }
        self.begin_and(reason, work)
    }

    /// The same for long work: while another program keeps the file locked it waits, until the job is cancelled.
    pub fn write_patiently<T, E: From<StoreError> + From<Cancelled>>(
        &self,
        reason: &str,
        stage: &Stage,
        mut work: impl FnMut(&Write) -> Result<T, E>,
    ) -> Result<T, E> {
        loop {
            let mut begun = false;
            let result = self.write(reason, |write| {
                begun = true;
                work(write).map_err(Waited::Other)
            });
            match result {
                Err(Waited::Busy) if !begun => stage.check()?,
                Err(Waited::Busy) => return Err(StoreError::Busy(PATIENCE.as_secs()).into()),
                Err(Waited::Store(cause)) => return Err(cause.into()),
                Err(Waited::Other(cause)) => return Err(cause),
                Ok(value) => return Ok(value),
            }
        }
    }

    pub(in crate::store) fn begin_and<T, E: From<StoreError>>(
        &self,
        reason: &str,
        work: impl FnOnce(&Write) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self.begin()?;
        self.check_names()?;
        let at = self.now();
        *self.signature.lock().expect("no holder of the signature panics") = Signature {
            at: at.clone(),
            actor: self.actor.clone(),
            reason: osteon_base::text::clean(reason).trim().to_owned(),
        };
        let write = Write { store: self, at, measured: RefCell::default() };
        let result = work(&write)?;
        write.tell_results()?;
        transaction.commit().map_err(StoreError::from)?;
        // What was written to a log without a name is lost with this connection: it is not reported as done.
        self.check_names()?;
        Ok(result)
    }

    /// Errors when the file or its log is no longer the one that was opened.
    fn check_names(&self) -> Result<(), StoreError> {
        if identity(&self.path) != self.identity {
            return Err(StoreError::Gone(self.path.clone()));
        }
        let log = log_of(&self.path);
        if self.log.is_some() && identity(&log) != self.log {
            return Err(StoreError::LogGone(log));
        }
        Ok(())
    }

    /// `BEGIN IMMEDIATE`, again and again for up to 30 seconds.
    fn begin(&self) -> Result<Transaction<'_>, StoreError> {
        let start = Instant::now();
        loop {
            match Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate) {
                Err(rusqlite::Error::SqliteFailure(cause, _))
                    if matches!(cause.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) =>
                {
                    if start.elapsed() > PATIENCE {
                        return Err(StoreError::Busy(PATIENCE.as_secs()));
                    }
                    (self.waiting)();
                }
                other => return Ok(other?),
            }
        }
    }
}

/// Why a patient write did not happen.
enum Waited<E> {
    Busy,
    Store(StoreError),
    Other(E),
}

impl<E> From<StoreError> for Waited<E> {
    fn from(cause: StoreError) -> Self {
        if matches!(cause, StoreError::Busy(_)) { Waited::Busy } else { Waited::Store(cause) }
    }
}

impl Deref for Write<'_> {
    type Target = Store;

    fn deref(&self) -> &Store {
        self.store
    }
}

/// Creates the empty file, for its owner only; errors when there is one.
pub(in crate::store) fn reserve(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => Err(StoreError::Exists(path.to_owned())),
        Err(source) => Err(StoreError::File { path: path.to_owned(), source }),
    }
}

fn connect(path: &Path, read_only: bool) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if !read_only {
        return Ok(Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_WRITE)?);
    }
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let readable = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
    if readable.is_ok() || has_log(path) {
        return Ok(connection);
    }
    // In a folder that cannot be written SQLite cannot make its shared memory; with no log pending the file is whole.
    unchanging(path)
}

fn has_log(path: &Path) -> bool {
    std::fs::metadata(log_of(path)).is_ok_and(|file| file.len() > 0)
}

/// SQLite keeps the log beside the file itself, not beside a symbolic link to it.
fn log_of(path: &Path) -> PathBuf {
    beside(&path.canonicalize().unwrap_or_else(|_| path.to_owned()), "-wal")
}

/// A connection to a file that nobody writes to: nothing is made beside it.
fn unchanging(path: &Path) -> Result<Connection, StoreError> {
    let uri = format!("file:{}?mode=ro&immutable=1", escaped(path));
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(uri, flags)?)
}

/// The file that SQLite keeps beside the study file.
pub(in crate::store) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Device and inode of a file; what is written to a file without a name is lost.
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// The path with every byte percent-encoded that means something in a URI.
fn escaped(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte);
    let encode = |byte: u8| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.as_os_str().as_bytes().iter().map(|&byte| encode(byte)).collect()
}

/// Asked without opening the file: closing it again would end the locks that SQLite holds on it in this process.
fn unwritable(path: &Path) -> Option<String> {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: `name` ends with a zero byte.
    let allowed = unsafe { libc::access(name.as_ptr(), libc::W_OK) } == 0;
    let cause = std::io::Error::last_os_error;
    (!allowed).then(|| format!("it cannot be opened for writing ({})", cause()))
}

/// Why SQLite's locks cannot be relied on where the file lies, if so.
fn unsafe_place(path: &Path) -> Option<String> {
    let name = network_name(file_system(path)?)?;
    Some(format!("it lies on a network file system ({name}), where locks cannot be relied on"))
}

/// The name of a network file system, by the magic numbers of statfs(2).
fn network_name(kind: i64) -> Option<&'static str> {
    const NETWORK: &[(i64, &str)] = &[
        (0x6969, "NFS"),
        (0x517B, "SMB"),
        (0xFE53_4D42, "SMB2"),
        (0xFF53_4D42, "CIFS"),
        (0x5346_414F, "AFS"),
        (0x0102_1997, "9P"),
        (0x6573_5546, "FUSE"),
        (0x00C3_6400, "Ceph"),
        (0x0BD0_0BD0, "Lustre"),
        (0x1983_0326, "BeeGFS"),
        (0x4750_4653, "GPFS"),
    ];
    // Some kernels give the number as a signed 32-bit one.
    NETWORK.iter().find(|(magic, _)| *magic == kind & 0xFFFF_FFFF).map(|(_, name)| *name)
}

fn file_system(path: &Path) -> Option<i64> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut found = std::mem::MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: `path` ends with a zero and `found` is filled when the call gives 0.
    unsafe { (libc::statfs(path.as_ptr(), found.as_mut_ptr()) == 0).then(|| found.assume_init().f_type) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_the_numbers_of_linux() {
        // linux/magic.h and statfs(2); the last two as a kernel with signed numbers gives them.
        for (kind, name) in [(0x6969, "NFS"), (0xFF53_4D42, "CIFS"), (0x6573_5546, "FUSE"), (-0x00AC_B2BE, "CIFS")] {
            assert_eq!(network_name(kind), Some(name), "{kind:x}");
        }
        // ext4, tmpfs, xfs, btrfs, overlayfs
        for kind in [0xEF53, 0x0102_1994, 0x5846_5342, 0x9123_683E, 0x794C_7630] {
            assert_eq!(network_name(kind), None, "{kind:x}");
        }
        assert!(file_system(Path::new("/")).is_some());
    }
}
