//! What this process is told once: files for their owner only, no core dumps, no words of the study in a panic.

/// Sets the process up before anything is read.
pub fn set_up() {
    // SAFETY: the calls only change limits and signals of this process, and `none` outlives its call.
    unsafe {
        libc::umask(0o077);
        // A file that may not grow is an error to be told, not the end of the program.
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &none);
    }
    keep_memory();
    // A panic's message may hold a patient's value; the place in the program says enough.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
        eprintln!("osteon: internal error at {place}; acknowledged changes are stored");
    }));
}

/// Memory that was given back is kept for the next image: asking the system for it again costs a fault a page.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_memory() {
    const LARGEST_KEPT: i32 = 64 << 20;
    // SAFETY: the calls only set numbers of the allocator, before there is a second thread.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST_KEPT);
        libc::mallopt(libc::M_TRIM_THRESHOLD, LARGEST_KEPT);
        libc::mallopt(libc::M_TOP_PAD, LARGEST_KEPT / 16);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_memory() {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Run by the other test, in a process of its own.
    #[test]
    fn a_process_that_panics() {
        if std::env::var_os("OSTEON_TEST_PANIC").is_some() {
            set_up();
            let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
            let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap_or_default();
            eprintln!("{}", core.split_whitespace().collect::<Vec<_>>().join(" "));
            panic!("Canary07x");
        }
    }

    #[test]
    fn a_panic_tells_its_place_and_no_value_and_leaves_no_core() {
        let program = std::env::current_exe().expect("a test has a program");
        let test = "cli::process::tests::a_process_that_panics";
        let mut child = std::process::Command::new(program);
        let output = child.args(["--exact", test, "--nocapture"]).env("OSTEON_TEST_PANIC", "1").output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(said.contains("internal error at src/cli/process.rs:"), "{said}");
        assert!(!said.contains("Canary"), "{said}");
        if cfg!(target_os = "linux") {
            assert!(said.contains("Max core file size 0 0 bytes"), "{said}");
        }
    }
}
