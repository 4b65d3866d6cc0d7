//! The `osteon` binary: everything it does is in the library.

fn main() -> std::process::ExitCode {
    osteon::cli::main()
}
