//! pyradiomics' batch file: a table of images and masks to one row of features a case.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::protocol::Protocol;
use crate::report::cases::Cases;
use crate::report::values::{self, Value};
use crate::study::data::input;
use crate::study::error::with_causes;
use crate::study::jobs::journal::{Journal, Kept};
use crate::study::jobs::parameters;
use crate::study::{Error, FeaturesRequest, features};
use osteon_base::cells;
use osteon_base::job::Job;
use osteon_radiomics::pyradiomics::Parameters;
use osteon_radiomics::read::Label;
use osteon_radiomics::roi::Roi;

/// Which cases, and how they are measured.
#[derive(Clone, Debug)]
pub struct BatchRequest {
    pub cases: Which,
    pub how: How,
    /// Where finished cases are kept until the last is done, and found again.
    pub journal: Option<Resume>,
}

/// The cases.
#[derive(Clone, Debug)]
pub enum Which {
    /// A table with the columns `Image` and `Mask`, and where wanted `Label` and `Label_channel`; paths are relative to
    /// it. Under a parameter file a column that is called as a setting sets it for its case.
    Table(PathBuf),
    One {
        image: PathBuf,
        mask: PathBuf,
    },
}

/// By what features are measured.
#[derive(Clone, Debug)]
pub enum How {
    Protocol {
        protocol: Box<Protocol>,
        /// None is every region of the protocol.
        rois: Vec<Roi>,
        diagnostics: bool,
        /// Where a case names none.
        label: Label,
        series: Option<String>,
        structure: Option<String>,
    },
    /// By pyradiomics' own parameters; what a mask may be is the protocol's.
    Parameters { parameters: Box<Parameters>, mask: osteon_radiomics::read::Params },
}

/// What becomes of a table that is written, or was begun before.
#[derive(Clone, Debug)]
pub struct Resume {
    /// The table that is made.
    pub out: PathBuf,
    /// Whether cases that stand in it, or in its journal, are taken from there.
    pub skips_done: bool,
}

/// One row a case: the cells of its row, then its features.
#[derive(Clone, Debug, Default)]
pub struct BatchReport {
    pub cases: Cases,
    /// What was found and decided while files were read, by the case's line.
    pub notes: Vec<String>,
    /// Cases and regions that could not be measured, by the case's line.
    pub failures: Vec<String>,
}

/// The column that tells why a case has no features.
pub const FAILURE: &str = "diagnostics_Failure";

/// One case.
pub struct Case {
    /// Of its table; `None` where it stands alone.
    line: Option<usize>,
    /// Headings and cells of its row.
    own: Vec<(String, String)>,
    pub image: PathBuf,
    pub mask: PathBuf,
}

/// What a case gave: names and values, notes, and regions that failed.
pub struct Found {
    pub values: Vec<(String, Value)>,
    pub notes: Vec<String>,
    pub failures: Vec<String>,
}

impl Case {
    /// One that stands in no table.
    pub fn of_files(image: &Path, mask: &Path) -> Case {
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        let own = vec![("Image".to_owned(), shown(image)), ("Mask".to_owned(), shown(mask))];
        Case { line: None, own, image: image.to_owned(), mask: mask.to_owned() }
    }

    /// The cell under a heading, whatever its capitals, unless it is empty.
    pub fn cell(&self, heading: &str) -> Option<&str> {
        let own = self.own.iter().find(|(own, _)| own.eq_ignore_ascii_case(heading));
        own.map(|(_, cell)| cell.as_str()).filter(|cell| !cell.is_empty())
    }

    /// Cells under headings that are exactly names of settings.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.own.iter().map(|(heading, cell)| (heading.as_str(), cell.as_str())).filter(|(_, cell)| !cell.is_empty())
    }

    fn told(&self, what: &str) -> String {
        self.line.map_or_else(|| what.to_owned(), |line| format!("line {line}: {what}"))
    }
}

/// Measures every case, each on a thread of its own; one that cannot be measured has no features and a failure. A case
/// without a label is measured at label 1, as in pyradiomics, and other labels of its mask are told. The table does not
/// depend on the number of threads. One step of the job a case.
pub fn batch(request: &BatchRequest, job: &Job) -> Result<BatchReport, Error> {
    let cases = listed(&request.cases)?;
    let journal = request.journal.as_ref().map(|resume| Journal::open(resume, &request.how.told())).transpose()?;
    let stage = job.stage("cases", cases.len());
    let outcomes: Vec<Mutex<Option<Result<Kept, Error>>>> = cases.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    // Plain threads that each hold one case: a parallel iterator would let one that waits begin another.
    std::thread::scope(|scope| {
        for _ in 0..rayon::current_num_threads().clamp(1, cases.len().max(1)) {
            scope.spawn(|| {
                while let Some((at, case)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    cases.get(at).map(|case| (at, case))
                } {
                    let done = journal.as_ref().and_then(|journal| journal.done(&case.own));
                    let outcome = match done {
                        Some(kept) => Ok(kept),
                        None => measured(case, &request.how, job),
                    };
                    if let (Some(journal), Ok(kept)) = (&journal, &outcome) {
                        journal.keep(kept);
                    }
                    let stop = outcome.is_err() || stage.step().is_err();
                    *outcomes[at].lock().expect("no holder of an outcome panics") = Some(outcome);
                    if stop {
                        next.store(cases.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    job.check()?;
    let mut report = BatchReport::default();
    report.cases.headings =
        cases.first().map(|case| case.own.iter().map(|cell| cell.0.clone()).collect()).unwrap_or_default();
    report.cases.n_own = report.cases.headings.len();
    let mut kept = Vec::new();
    for outcome in outcomes {
        let outcome = outcome.into_inner().expect("no holder of an outcome panics");
        kept.push(outcome.ok_or(osteon_base::job::Cancelled)??);
    }
    let n_kept = kept.iter().filter(|case| case.is_old).count();
    if n_kept > 0 {
        report.notes.push(format!("{n_kept} of {} cases were taken from the earlier run", kept.len()));
    }
    let mut columns: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    for (at, case) in kept.iter().enumerate() {
        let mut row: Vec<Value> = case.own.iter().map(|cell| Value::Text(cell.1.clone())).collect();
        let failed = case.failure.iter().map(|why| (FAILURE.to_owned(), Value::Text(why.clone())));
        for (name, value) in case.values.iter().cloned().chain(failed) {
            let column = *columns.entry(name.clone()).or_insert_with(|| {
                report.cases.headings.push(name);
                report.cases.headings.len() - 1
            });
            row.resize(row.len().max(column + 1), Value::Text(String::new()));
            row[column] = value;
        }
        report.cases.rows.push(row);
        let told = |what: &String| cases[at].told(what);
        report.notes.extend(case.notes.iter().map(told));
        report.failures.extend(case.failures.iter().chain(&case.failure).map(told));
    }
    Ok(report)
}

impl How {
    /// Everything that a case's values depend on besides the case.
    fn told(&self) -> String {
        match self {
            How::Protocol { protocol, rois, diagnostics, .. } => format!("{} {rois:?} {diagnostics}", protocol.hash()),
            How::Parameters { parameters, mask } => {
                format!("{:?} {:?} {:?} {mask:?}", parameters.given, parameters.classes, parameters.images)
            }
        }
    }
}

/// The cases of a table.
fn listed(which: &Which) -> Result<Vec<Case>, Error> {
    let path = match which {
        Which::Table(path) => path,
        Which::One { image, mask } => {
            return Ok(vec![Case::of_files(image, mask)]);
        }
    };
    let wrong = |cause: &dyn std::fmt::Display| Error::Header(format!("{}: {cause}", path.display()));
    let grid = cells::read(&input::bytes(path)?, &cells::Params::default()).map_err(|cause| wrong(&cause))?;
    let (header, rows) = grid.headed().ok_or_else(|| wrong(&"no header, expected Image,Mask"))?;
    let own: Vec<String> = header.texts().map(|text| osteon_base::text::clean(text).into_owned()).collect();
    let find = |name: &str| own.iter().position(|own| own.to_lowercase() == name);
    let need = |name: &str| find(name).ok_or_else(|| wrong(&format!("no column {name}; found {}", own.join(", "))));
    let (image, mask) = (need("image")?, need("mask")?);
    let folder = path.parent().unwrap_or(Path::new(""));
    let case = |row: cells::Row| {
        let cell = |at: usize| osteon_base::text::clean(row.text(at)).into_owned();
        let cells: Vec<(String, String)> = own.iter().enumerate().map(|(at, name)| (name.clone(), cell(at))).collect();
        let file = |at: usize| folder.join(&cells[at].1);
        Case { line: Some(row.line), image: file(image), mask: file(mask), own: cells }
    };
    Ok(rows.map(case).collect())
}

/// One case's row; only a cancelled job is an error.
fn measured(case: &Case, how: &How, job: &Job) -> Result<Kept, Error> {
    let silent = job.silent();
    let found = match how {
        How::Parameters { parameters, mask } => parameters::measured(case, parameters, mask, &silent),
        How::Protocol { .. } => by_protocol(case, how, &silent),
    };
    let own = case.own.clone();
    match found {
        Ok(Found { values, notes, failures }) => {
            Ok(Kept { own, values, notes, failures, failure: None, is_old: false })
        }
        Err(Error::Cancelled(cause)) => Err(cause.into()),
        Err(cause) => Ok(Kept { own, failure: Some(with_causes(&cause)), ..Kept::default() }),
    }
}

fn by_protocol(case: &Case, how: &How, job: &Job) -> Result<Found, Error> {
    let How::Protocol { protocol, rois, diagnostics, label, series, structure } = how else {
        unreachable!("the caller has looked");
    };
    // `FILE#NAME` picks a segment by name, which needs no label.
    let is_named = case.mask.to_string_lossy().contains('#') && !case.mask.exists();
    let channel = match case.cell("label_channel") {
        None => None,
        Some(text) => Some(text.parse::<usize>().map_err(|_| {
            Error::Request(format!("Label_channel is {text}, expected the number of a layer, from 0 on"))
        })?),
    };
    let label = match case.cell("label") {
        None if is_named => Label::Only,
        None => *label,
        Some(text) => {
            text.parse().map_err(|cause: osteon_radiomics::read::UnknownLabel| Error::Request(cause.to_string()))?
        }
    };
    let request = FeaturesRequest {
        image: case.image.clone(),
        mask: case.mask.clone(),
        series: series.clone(),
        structure: structure.clone(),
        label,
        channel,
        rois: rois.clone(),
        protocol: (**protocol).clone(),
        diagnostics: *diagnostics,
    };
    let found = features(&request, job)?;
    let named = |row: values::Row| {
        let is_plain = row.roi.is_empty() || row.roi == Roi::Intra.to_string();
        (if is_plain { row.feature } else { format!("{}_{}", row.roi, row.feature) }, row.value)
    };
    Ok(Found {
        values: found.rows.into_iter().map(named).collect(),
        notes: found.notes,
        failures: found.failures.iter().map(|(roi, why)| format!("{roi}: {why}")).collect(),
    })
}
