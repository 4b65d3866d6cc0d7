//! What tests share: reference files, and a comparison that lists every miss by name.
#![allow(dead_code, reason = "each test module uses a part")]

use std::path::{Path, PathBuf};

use osteon::grid::{Image, Mask};

/// A file or folder of the reference collection beside the checkout; `None`, said on stderr, where it is absent.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: the reference {path} is not on this machine");
    None
}

/// A file of `fixtures/`.
pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)
}

/// A CSV file of references, cells as text.
pub struct Frame {
    pub names: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Frame {
    pub fn read(path: &Path) -> Frame {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let names = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        Frame { names, rows }
    }

    pub fn texts(&self, name: &str) -> Vec<String> {
        let at = self.names.iter().position(|other| other == name).unwrap_or_else(|| panic!("no column {name}"));
        self.rows.iter().map(|row| row[at].clone()).collect()
    }

    /// A column of numbers; empty and NA are NaN.
    pub fn numbers(&self, name: &str) -> Vec<f64> {
        self.texts(name).iter().map(|text| text.parse().unwrap_or(f64::NAN)).collect()
    }

    /// Rows x the named columns.
    pub fn matrix(&self, names: &[String]) -> ndarray::Array2<f64> {
        let columns: Vec<Vec<f64>> = names.iter().map(|name| self.numbers(name)).collect();
        ndarray::Array2::from_shape_fn((self.rows.len(), names.len()), |(i, j)| columns[j][i])
    }
}

pub fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// An image of the radiomics references, which the caller knows to be there.
pub fn reference_image(path: &str) -> Image {
    crate::forge::image(&reference_bytes(path))
}

/// A mask of the radiomics references, which the caller knows to be there.
pub fn reference_mask(path: &str) -> Mask {
    crate::forge::mask(&reference_bytes(path))
}

fn reference_bytes(path: &str) -> Vec<u8> {
    let path = shared("reference/radiomics").expect("the caller asked").join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Compares many numbers and fails once, naming each that is off.
#[derive(Default)]
pub struct Comparison {
    checked: usize,
    misses: Vec<String>,
}

impl Comparison {
    /// `ours` within `absolute + relative * |theirs|` of `theirs`; two NaN agree.
    pub fn close(&mut self, name: impl std::fmt::Display, ours: f64, theirs: f64, relative: f64, absolute: f64) {
        self.checked += 1;
        let off = (ours - theirs).abs();
        let same = ours == theirs || ours.is_nan() && theirs.is_nan() || off <= absolute + relative * theirs.abs();
        if !same {
            self.misses.push(format!("{name}: {ours:e}, reference {theirs:e}, off by {off:e}"));
        }
    }

    pub fn same<T: PartialEq + std::fmt::Debug>(&mut self, name: impl std::fmt::Display, ours: T, theirs: T) {
        self.checked += 1;
        if ours != theirs {
            self.misses.push(format!("{name}: {ours:?}, reference {theirs:?}"));
        }
    }

    pub fn miss(&mut self, name: impl Into<String>) {
        self.checked += 1;
        self.misses.push(name.into());
    }

    /// Fails when anything was off, or when fewer than `at_least` values were compared.
    pub fn finish(self, at_least: usize) {
        let Comparison { checked, misses } = self;
        assert!(
            misses.is_empty(),
            "{} of {checked} values are off:\n{}",
            misses.len(),
            misses[..misses.len().min(60)].join("\n")
        );
        assert!(checked >= at_least, "only {checked} values were compared, expected {at_least}");
        eprintln!("{checked} values agree");
    }
}

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

/// The contents of a gzip file.
pub fn gunzip(path: &Path) -> Vec<u8> {
    use std::io::Read;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

/// Whether the long sweeps were asked for (`OSTEON_SWEEP=1`).
pub fn sweep() -> bool {
    std::env::var_os("OSTEON_SWEEP").is_some_and(|it| !it.is_empty())
}

/// How often to try: few times in every run, many in a sweep.
pub fn rounds(every_run: usize, in_a_sweep: usize) -> usize {
    if sweep() { in_a_sweep } else { every_run }
}
