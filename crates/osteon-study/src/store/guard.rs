//! Which files may be written, replaced or given a name.
//!
//! SQLite finds a database's log by the database's name: a file with two names has two logs, and a log that outlived
//! its database would be read into the next file of that name. Neither shows until a change is lost.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::store::StoreError;
use crate::store::file::beside;

/// What SQLite keeps beside a database.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Why a study file must not be written to under this name, if so: it has another one.
pub(in crate::store) fn second_name(path: &Path) -> Option<String> {
    let real = path.canonicalize().ok()?;
    let links = real.metadata().ok()?.nlink();
    if links > 1 {
        let links = links - 1;
        return Some(format!("it has {links} more name(s) (hard links), each of which would have a log of its own"));
    }
    is_mounted(&real).then(|| "it is mounted under this name and has another one where it comes from".to_owned())
}

/// Whether the file itself, and not a folder above it, is a mount point.
fn is_mounted(file: &Path) -> bool {
    let mounts = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    mounts.split(|byte| *byte == b'\n').any(|line| {
        let point = line.split(|byte| *byte == b' ').nth(4).unwrap_or_default();
        unescaped(point) == file.as_os_str().as_bytes()
    })
}

/// A path as mountinfo writes it: blanks and backslashes as three octal digits.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        let octal = tail.get(..3).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match octal.filter(|_| byte == b'\\') {
            Some(code) => {
                plain.push(code);
                rest = &tail[3..];
            }
            None => {
                plain.push(byte);
                rest = tail;
            }
        }
    }
    plain
}

/// Refuses a place for a new study file that is taken, or beside which the log of a file that is gone still lies.
pub(in crate::store) fn free_place(path: &Path) -> Result<(), StoreError> {
    if path.symlink_metadata().is_ok() {
        return Err(StoreError::Exists(path.to_owned()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(StoreError::Refused(format!("{}: there is no folder {}", path.display(), folder.display())));
    }
    let left: Vec<PathBuf> = COMPANIONS.iter().map(|suffix| beside(path, suffix)).collect();
    match left.into_iter().find(|left| left.symlink_metadata().is_ok()) {
        Some(orphan) => Err(StoreError::Orphan { path: path.to_owned(), orphan }),
        None => Ok(()),
    }
}

/// Gives a finished file its name, which must be free: never two names at once, and nothing is replaced.
pub(in crate::store) fn name_new(draft: &Path, to: &Path) -> Result<(), StoreError> {
    let wrong = |source| StoreError::File { path: to.to_owned(), source };
    match rename_to_free(draft, to) {
        Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => Err(StoreError::Exists(to.to_owned())),
        result => result.and_then(|()| sync_folder(to)).map_err(wrong),
    }
}

/// `renameat2` with `RENAME_NOREPLACE`; on file systems without it a check and a rename.
fn rename_to_free(from: &Path, to: &Path) -> std::io::Result<()> {
    let text = |path: &Path| std::ffi::CString::new(path.as_os_str().as_bytes()).map_err(std::io::Error::other);
    let (old, new) = (text(from)?, text(to)?);
    // SAFETY: both paths end with a zero byte and live through the call.
    let done = unsafe {
        libc::renameat2(libc::AT_FDCWD, old.as_ptr(), libc::AT_FDCWD, new.as_ptr(), libc::RENAME_NOREPLACE) == 0
    };
    if done {
        return Ok(());
    }
    let cause = std::io::Error::last_os_error();
    match cause.raw_os_error() {
        Some(libc::EINVAL | libc::ENOSYS) if to.symlink_metadata().is_err() => std::fs::rename(from, to),
        Some(libc::EINVAL | libc::ENOSYS) => Err(std::io::ErrorKind::AlreadyExists.into()),
        _ => Err(cause),
    }
}

/// Moves what stands at a place to a free name beside it, and gives that name.
pub(in crate::store) fn move_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let names = (1..).map(|n| beside(path, &format!(".aside-{n}")));
    for name in names {
        match name_new(path, &name) {
            Err(StoreError::Exists(_)) => (),
            result => return result.map(|()| name),
        }
    }
    unreachable!("some number is free")
}

/// Writes files whole or not at all: each beside its place, forced to the disk, and only when all are there renamed, in
/// this order. The error comes with the file that could not be written.
pub fn write_all_whole(files: &[(PathBuf, &[u8])]) -> Result<(), (PathBuf, std::io::Error)> {
    let mut drafts = Vec::new();
    let drafted = files.iter().try_for_each(|(path, bytes)| {
        drafts.push(draft_of(path, bytes).map_err(|cause| (path.clone(), cause))?);
        Ok(())
    });
    let renamed = drafted.and_then(|()| {
        let mut places = drafts.iter().zip(files);
        places.try_for_each(|((draft, real), (path, _))| {
            let put = std::fs::rename(draft, real).and_then(|()| sync_folder(real));
            put.map_err(|cause| (path.clone(), cause))
        })
    });
    renamed.inspect_err(|_| drafts.iter().for_each(|(draft, _)| drop(std::fs::remove_file(draft))))
}

/// Writes a file whole or not at all: beside its place, forced to the disk, then renamed.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        // A device or a pipe that the user named is written to as it is.
        return OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let (draft, real) = draft_of(path, bytes)?;
    let put = std::fs::rename(&draft, &real).and_then(|()| sync_folder(&real));
    put.inspect_err(|_| drop(std::fs::remove_file(&draft)))
}

/// The bytes in a file beside the place that a path leads to, forced to the disk; its path and that place.
fn draft_of(path: &Path, bytes: &[u8]) -> std::io::Result<(PathBuf, PathBuf)> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if real.is_dir() {
        return Err(std::io::Error::other("a folder stands there: name another file"));
    }
    if is_database(&real) {
        return Err(std::io::Error::other("a database stands there, which nothing replaces: name another file"));
    }
    let draft = beside(&real, &format!(".{}.{:08x}.draft", std::process::id(), rand::random::<u32>()));
    let write = || {
        let mode = real.metadata().map_or(0o600, |found| found.mode() & 0o777);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().inspect_err(|_| drop(std::fs::remove_file(&draft)))?;
    Ok((draft, real))
}

/// Whether a file begins as SQLite's do: a study, a shard, a backup.
fn is_database(path: &Path) -> bool {
    use std::io::Read;
    let mut head = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && head == *b"SQLite format 3\0"
}

/// Forces the folder's list of names to the disk.
pub(in crate::store) fn sync_folder(of: &Path) -> std::io::Result<()> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// A lock on work that one process at a time may do on a study; given back when the value, or its process, is gone.
pub struct Exclusive {
    /// `None` for a study in memory, which nobody else sees.
    held: Option<(File, PathBuf)>,
}

impl Exclusive {
    /// Takes the lock; `None` when another process holds it. Its file stands beside the study while it is held: a lock
    /// on the study file itself would end SQLite's own ones.
    pub fn take(study: &Path, work: &str) -> Result<Option<Exclusive>, StoreError> {
        use std::os::fd::AsRawFd;
        let Ok(real) = study.canonicalize() else { return Ok(Some(Exclusive { held: None })) };
        let path = beside(&real, &format!("-{work}"));
        let wrong = |source| StoreError::File { path: path.clone(), source };
        loop {
            // Whoever may write the study may ask whether it is locked.
            let mode = real.metadata().map_or(0o600, |found| found.mode() & 0o660);
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(mode).open(&path);
            let file = file.map_err(wrong)?;
            // SAFETY: the descriptor is open.
            if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
                return Ok(None);
            }
            // Whoever held it before may have removed the name between our opening and our lock.
            let same = |named: std::fs::Metadata| file.metadata().is_ok_and(|own| own.ino() == named.ino());
            if path.metadata().is_ok_and(same) {
                return Ok(Some(Exclusive { held: Some((file, path)) }));
            }
        }
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        if let Some((_, path)) = &self.held {
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_is_read_as_the_kernel_writes_it() {
        assert_eq!(unescaped(br"/a\040b\134c"), b"/a b\\c");
        assert_eq!(unescaped(br"/plain\9"), br"/plain\9");
        assert!(is_mounted(Path::new("/proc")));
        assert!(!is_mounted(Path::new("/proc/self/mountinfo")));
    }

    #[test]
    fn a_name_that_is_taken_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        std::fs::write(&a, "new").unwrap();
        std::fs::write(&b, "old").unwrap();
        assert!(matches!(name_new(&a, &b), Err(StoreError::Exists(_))));
        assert_eq!(std::fs::read_to_string(&b).unwrap(), "old");
        assert_eq!(move_aside(&b).unwrap(), folder.path().join("b.aside-1"));
        name_new(&a, &b).unwrap();
        assert_eq!(std::fs::read_to_string(&b).unwrap(), "new");
        assert!(second_name(&b).is_none());
    }

    #[test]
    fn one_process_at_a_time_holds_a_lock() {
        let folder = tempfile::tempdir().unwrap();
        let study = folder.path().join("study.db");
        std::fs::write(&study, "").unwrap();
        let held = Exclusive::take(&study, "extract").unwrap().expect("free");
        assert!(Exclusive::take(&study, "extract").unwrap().is_none());
        assert!(Exclusive::take(&study, "fit").unwrap().is_some());
        drop(held);
        assert!(Exclusive::take(&study, "extract").unwrap().is_some());
        assert!(!folder.path().join("study.db-extract").exists());
    }
}
