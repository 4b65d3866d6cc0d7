//! Who acts, where and when: what every change is signed with.

use std::ffi::CStr;

use jiff::Timestamp;

/// A person at a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub name: String,
    pub host: String,
}

impl Actor {
    /// The person at the keyboard: under sudo the one who logged in, followed by the account that acts.
    pub fn of_process() -> Actor {
        // SAFETY: geteuid has no preconditions and cannot fail.
        let acting = unsafe { libc::geteuid() };
        let login = login_uid().unwrap_or(acting);
        let name = if login == acting { user(acting) } else { format!("{} as {}", user(login), user(acting)) };
        Actor { name, host: host() }
    }
}

/// Now, UTC, ISO 8601 with milliseconds.
pub fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The kernel's login id, which sudo and su leave alone; else what sudo says, believed of root only.
fn login_uid() -> Option<libc::uid_t> {
    let kernel = std::fs::read_to_string("/proc/self/loginuid").ok().and_then(|text| text.trim().parse().ok());
    // SAFETY: as above.
    let root = unsafe { libc::geteuid() } == 0;
    let sudo = || std::env::var("SUDO_UID").ok().filter(|_| root).and_then(|text| text.parse().ok());
    kernel.filter(|&uid| uid != libc::uid_t::MAX).or_else(sudo)
}

fn user(uid: libc::uid_t) -> String {
    let mut entry = std::mem::MaybeUninit::<libc::passwd>::uninit();
    let mut buffer = vec![0; 16 * 1024];
    let mut found = std::ptr::null_mut();
    // SAFETY: the pointers are valid for the call and `buffer.len()` is the buffer's length; `pw_name` points into
    // `buffer`, which outlives its use.
    let name = unsafe {
        let failed = libc::getpwuid_r(uid, entry.as_mut_ptr(), buffer.as_mut_ptr().cast(), buffer.len(), &mut found);
        (failed == 0 && !found.is_null()).then(|| CStr::from_ptr((*found).pw_name).to_string_lossy().into_owned())
    };
    name.map_or_else(|| format!("uid {uid}"), |name| osteon_base::text::clean(&name).into_owned())
}

fn host() -> String {
    let mut buffer = [0_u8; 256];
    // SAFETY: the buffer is one byte longer than what the call may fill, so the name ends with a zero.
    unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) };
    let name = CStr::from_bytes_until_nul(&buffer).map(CStr::to_string_lossy).unwrap_or_default();
    osteon_base::text::clean(&name).into_owned()
}
