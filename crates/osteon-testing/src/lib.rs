//! What tests share: reference files, and a comparison that lists every miss by name.

use std::path::{Path, PathBuf};

/// The top of the checkout.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A file or folder of the reference collection beside the checkout; `None`, said on stderr, where the collection lacks it.
///
/// # Panics
/// Where there is no collection at all: the test is to be marked as ignored there, so that it never counts as passed.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = root().join("../shared").join(path);
    if found.exists() {
        return Some(found);
    }
    assert!(
        root().join("../shared/reference").exists(),
        "needs the reference collection ({path}): mark the test #[cfg_attr(not(reference), ignore = \"needs the reference collection\")]"
    );
    eprintln!("skipped: the reference {path} is not in this collection");
    None
}

/// A file of `fixtures/`.
pub fn fixture(path: &str) -> PathBuf {
    root().join("fixtures").join(path)
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
