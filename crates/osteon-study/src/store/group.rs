//! A study that the members of a group share, by the file system's own permissions.

use std::ffi::CString;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::store::StoreError;
use crate::store::file::beside;

/// Owner and group read and write, others nothing.
const FILE: u32 = 0o660;
/// What a shared folder has besides what it had: the group may make files, which get the folder's group.
const FOLDER: u32 = 0o2770;

/// A group of accounts of this machine.
pub struct Group {
    pub name: String,
    id: libc::gid_t,
}

impl Group {
    /// Errors for a group that is not there.
    pub fn named(name: &str) -> Result<Group, StoreError> {
        let unknown =
            || StoreError::Refused(format!("{name}: this machine has no such group; the command groups lists yours"));
        Ok(Group { name: name.to_owned(), id: gid(name).ok_or_else(unknown)? })
    }

    /// Gives a study file, its log, and its folder to the group; gives the folder. Errors where the file system or the
    /// file's owner does not allow it.
    pub fn share(&self, study: &Path) -> Result<PathBuf, StoreError> {
        share(study, self)
    }
}

fn share(study: &Path, group: &Group) -> Result<PathBuf, StoreError> {
    let Group { name, id } = group;
    let real = study.canonicalize().map_err(|source| StoreError::File { path: study.to_owned(), source })?;
    let folder = real.parent().expect("a file has a folder").to_owned();
    let mode = |path: &Path| path.metadata().map(|found| found.mode() & 0o7777);
    let give = |path: &Path, mode: u32| {
        let given =
            chown(path, None, Some(*id)).and_then(|()| std::fs::set_permissions(path, Permissions::from_mode(mode)));
        given.map_err(|cause| {
            let path = path.display();
            StoreError::Refused(format!(
                "{path} cannot be given to group {name}: {cause}; only its owner, as a member, can"
            ))
        })
    };
    let was = mode(&folder).map_err(|source| StoreError::File { path: folder.clone(), source })?;
    give(&folder, was | FOLDER)?;
    for suffix in ["", "-wal", "-shm"] {
        let path = beside(&real, suffix);
        if path.exists() {
            give(&path, FILE)?;
        }
    }
    Ok(folder)
}

/// Gives a copy the owner, group and permissions of what it is a copy of, as far as this account may: one whose group
/// cannot be given is for its owner only.
pub(in crate::store) fn same_access(of: &Path, copy: &Path) -> std::io::Result<()> {
    let (found, own) = (of.metadata()?, copy.metadata()?);
    if found.uid() != own.uid() {
        let _ = chown(copy, Some(found.uid()), None);
    }
    let has_group = found.gid() == own.gid() || chown(copy, None, Some(found.gid())).is_ok();
    let mode = if has_group { found.mode() & FILE } else { 0o600 };
    std::fs::set_permissions(copy, Permissions::from_mode(mode | 0o600))
}

/// The number of a group.
fn gid(name: &str) -> Option<libc::gid_t> {
    let name = CString::new(name).ok()?;
    let mut entry = std::mem::MaybeUninit::<libc::group>::uninit();
    let mut buffer = vec![0; 64 * 1024];
    let mut found = std::ptr::null_mut();
    // SAFETY: the pointers are valid for the call and `buffer.len()` is the buffer's length; a number is copied out.
    unsafe {
        let failed =
            libc::getgrnam_r(name.as_ptr(), entry.as_mut_ptr(), buffer.as_mut_ptr().cast(), buffer.len(), &mut found);
        (failed == 0 && !found.is_null()).then(|| (*found).gr_gid)
    }
}
