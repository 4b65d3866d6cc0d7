//! Cases that are done before the last one is: kept beside the table that will hold them, so that an interrupted run
//! can go on.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use sha2::{Digest, Sha256};

use crate::report::values::Value;
use crate::store::StoreError;
use crate::study::Error;
use crate::study::data::input;
use crate::study::jobs::batch::{FAILURE, Resume};
use osteon_base::cells;

/// One case as its row tells it.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Headings and cells of its row.
    pub own: Vec<(String, String)>,
    pub values: Vec<(String, Value)>,
    pub notes: Vec<String>,
    /// Regions that could not be measured.
    pub failures: Vec<String>,
    /// Why there are no values.
    pub failure: Option<String>,
    /// Whether an earlier run made it.
    pub is_old: bool,
}

/// Done cases, and where the next ones go.
pub struct Journal {
    done: HashMap<String, Kept>,
    file: Mutex<File>,
}

/// The journal of a table: `features.csv.part`.
pub fn path_of(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

impl Journal {
    /// Begins a journal; where cases are to be skipped, it goes on with the one that is there and with the table itself.
    /// `how` names everything that values depend on: a journal of other settings is not gone on with.
    pub fn open(resume: &Resume, how: &str) -> Result<Journal, Error> {
        let path = path_of(&resume.out);
        let wrong = |source| Error::File { path: path.clone(), source };
        let version = env!("CARGO_PKG_VERSION");
        let head = format!("osteon {version} {}\n", osteon_base::text::hex(Sha256::digest(how)));
        let mut done = HashMap::new();
        let mut goes_on = false;
        if resume.skips_done {
            if resume.out.is_file() {
                from_table(&resume.out, &mut done)?;
            }
            if path.is_file() {
                let text = std::fs::read_to_string(&path).map_err(wrong)?;
                if !text.starts_with(&head) {
                    return Err(Error::Request(format!(
                        "{}: of other settings or another version; remove it, or give another -o",
                        path.display()
                    )));
                }
                // The last line may have been cut off where the run ended.
                let kept = text.lines().skip(1).filter_map(|line| serde_json::from_str(line).ok()).map(from_json);
                done.extend(kept.map(|kept: Kept| (key(&kept.own), kept)));
                goes_on = true;
            }
        }
        if path.exists() && !goes_on && !input::bytes(&path)?.starts_with(b"osteon ") {
            return Err(Error::Store(StoreError::Foreign(path)));
        }
        let mut options = OpenOptions::new();
        let options = if goes_on { options.append(true) } else { options.write(true).create(true).truncate(true) };
        let mut file = options.open(&path).map_err(wrong)?;
        file.write_all(if goes_on { b"\n" } else { head.as_bytes() }).map_err(wrong)?;
        Ok(Journal { done, file: Mutex::new(file) })
    }

    /// The case of these cells, where an earlier run measured it.
    pub fn done(&self, own: &[(String, String)]) -> Option<Kept> {
        self.done.get(&key(own)).cloned()
    }

    /// Keeps a case that was measured now; one that failed is tried again the next time.
    pub fn keep(&self, kept: &Kept) {
        if kept.is_old || kept.failure.is_some() {
            return;
        }
        let line = format!("{}\n", to_json(kept));
        // Without its journal a run is as good, only not to be gone on with.
        let _ = self.file.lock().expect("no holder of the journal panics").write_all(line.as_bytes());
    }
}

fn key(own: &[(String, String)]) -> String {
    own.iter().map(|(heading, cell)| format!("{heading}\t{cell}\n")).collect()
}

fn to_json(kept: &Kept) -> serde_json::Value {
    let value = |value: &Value| match value {
        Value::Number(number) => serde_json::json!(number),
        Value::Undefined => serde_json::Value::Null,
        Value::Text(text) => serde_json::json!(text),
    };
    let values: Vec<_> = kept.values.iter().map(|(name, it)| serde_json::json!([name, value(it)])).collect();
    serde_json::json!({"own": kept.own, "values": values, "notes": kept.notes, "failures": kept.failures})
}

fn from_json(json: serde_json::Value) -> Kept {
    let texts = |key: &str| serde_json::from_value(json[key].clone()).unwrap_or_default();
    let value = |pair: &serde_json::Value| {
        let value = match &pair[1] {
            serde_json::Value::Null => Value::Undefined,
            serde_json::Value::String(text) => Value::Text(text.clone()),
            number => Value::Number(number.as_f64()?),
        };
        Some((pair[0].as_str()?.to_owned(), value))
    };
    Kept {
        own: serde_json::from_value(json["own"].clone()).unwrap_or_default(),
        values: json["values"].as_array().into_iter().flatten().filter_map(value).collect(),
        notes: texts("notes"),
        failures: texts("failures"),
        failure: None,
        is_old: true,
    }
}

/// The cases of a table that an earlier run wrote: those without a failure, their fields as they stand.
fn from_table(path: &Path, done: &mut HashMap<String, Kept>) -> Result<(), Error> {
    let wrong = |cause: &dyn std::fmt::Display| Error::Header(format!("{}: {cause}", path.display()));
    let grid = cells::read(&input::bytes(path)?, &cells::Params::default()).map_err(|cause| wrong(&cause))?;
    let Some((header, rows)) = grid.headed() else { return Ok(()) };
    let headings: Vec<String> = header.texts().map(str::to_owned).collect();
    let is_measured =
        |name: &&String| name.contains("_") && (name.starts_with("diagnostics_") || name.matches('_').count() > 1);
    let n_own = headings.iter().position(|name| is_measured(&name)).unwrap_or(headings.len());
    for row in rows {
        let cells = headings.iter().enumerate().map(|(at, name)| (name.clone(), row.text(at).to_owned()));
        let (mut own, mut values, mut has_failed) = (Vec::new(), Vec::new(), true);
        for (at, (name, cell)) in cells.enumerate() {
            if at < n_own {
                own.push((name, cell));
            } else if name == FAILURE {
                has_failed = !cell.is_empty();
                if has_failed {
                    break;
                }
            } else {
                has_failed = false;
                values.push((name, Value::Text(cell)));
            }
        }
        if !has_failed {
            done.insert(key(&own), Kept { own, values, is_old: true, ..Kept::default() });
        }
    }
    Ok(())
}
