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
    // A panic's message may hold a patient's value; the place in the program says enough.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
        eprintln!("osteon: stopped by a fault of its own at {place}; acknowledged changes are stored");
    }));
}
