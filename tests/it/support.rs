//! What tests share: the program, beside the reference files and comparisons of `osteon-testing`.
#![allow(dead_code, reason = "each test module uses a part")]

use std::path::Path;

pub use osteon_testing::*;

/// Runs the program in a folder, with no study but what the arguments name.
pub fn osteon(folder: &Path, arguments: &[&str]) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_osteon"))
        .current_dir(folder)
        .args(arguments)
        .env_remove("OSTEON_STUDY")
        .env_remove("OSTEON_BLIND")
        .output()
        .expect("the program was built")
}

/// Runs the program, and gives its exit code, its results and what it said.
pub fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = osteon(folder, arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// The program with nothing to read from and nowhere to print to.
pub fn program(folder: &Path, arguments: &[&str]) -> std::process::Command {
    use std::process::Stdio;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_osteon"));
    command.current_dir(folder).args(arguments).env_remove("OSTEON_STUDY").env_remove("OSTEON_BLIND");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The program under an account that may read a folder and write nothing in it; root, whom no permission binds,
/// becomes nobody. `None`, said on stderr, where that account cannot reach the program.
pub fn bound(folder: &Path, arguments: &[&str]) -> Option<std::process::Command> {
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};
    let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        set(&path, if path.is_dir() { 0o555 } else { 0o444 });
    }
    set(folder, 0o555);
    let command = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_osteon"));
        command.current_dir(folder).args(arguments).env_remove("OSTEON_STUDY").env_remove("OSTEON_BLIND");
        // SAFETY: geteuid has no preconditions.
        if unsafe { libc::geteuid() } == 0 {
            command.uid(65534).gid(65534);
        }
        command
    };
    if command().arg("--version").output().is_err() {
        eprintln!("skipped: another account cannot run {}", env!("CARGO_BIN_EXE_osteon"));
        return None;
    }
    Some(command())
}
