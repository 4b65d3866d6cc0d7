//! pyradiomics' batch file: a table of images and masks to one row of features a case.

use std::path::{Path, PathBuf};

use crate::protocol::Protocol;
use crate::report::values::{self, Value};
use crate::study::data::input;
use crate::study::error::with_causes;
use crate::study::{Error, FeaturesRequest, features};
use osteon_base::cells;
use osteon_base::job::Job;
use osteon_radiomics::read::Label;
use osteon_radiomics::roi::Roi;

/// Which cases, and how they are measured.
#[derive(Clone, Debug)]
pub struct BatchRequest {
    /// Cells with the columns `Image` and `Mask`, and where wanted `Label`; paths are relative to it.
    pub cases: PathBuf,
    /// None is every region of the protocol.
    pub rois: Vec<Roi>,
    pub protocol: Protocol,
    pub diagnostics: bool,
}

/// One row a case: the cells of its row, then its features.
#[derive(Clone, Debug, Default)]
pub struct BatchReport {
    pub headings: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// What was found and decided while files were read, by the case's line.
    pub notes: Vec<String>,
    /// Cases and regions that could not be measured, by the case's line.
    pub failures: Vec<String>,
}

/// Measures every case; one that cannot be measured has no features and a failure. A case without a label is measured
/// at label 1, as in pyradiomics, and other labels of its mask are told. One step of the job a case.
pub fn batch(request: &BatchRequest, job: &Job) -> Result<BatchReport, Error> {
    let path = &request.cases;
    let wrong = |cause: &dyn std::fmt::Display| Error::Header(format!("{}: {cause}", path.display()));
    let grid = cells::read(&input::bytes(path)?, &cells::Params::default()).map_err(|cause| wrong(&cause))?;
    let (header, rows) = grid.headed().ok_or_else(|| wrong(&"no header, expected Image,Mask"))?;
    let own: Vec<String> = header.texts().map(|text| osteon_base::text::clean(text).into_owned()).collect();
    let find = |name: &str| own.iter().position(|own| own.to_lowercase() == name);
    let need = |name: &str| find(name).ok_or_else(|| wrong(&format!("no column {name}; found {}", own.join(", "))));
    let (image, mask, label) = (need("image")?, need("mask")?, find("label"));
    let rows: Vec<_> = rows.collect();
    let stage = job.stage("cases", rows.len());
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut report = BatchReport { headings: own.clone(), ..BatchReport::default() };
    for row in rows {
        let mut cells: Vec<String> =
            (0..own.len()).map(|at| osteon_base::text::clean(row.text(at)).into_owned()).collect();
        let told = format!("line {}", row.line);
        let label = match label.map(|at| cells[at].as_str()).filter(|text| !text.is_empty()) {
            None => Ok(Label::Value(1)),
            Some(text) => text.parse().map_err(|cause| format!("{cause}")),
        };
        let of = |label| FeaturesRequest {
            image: folder.join(&cells[image]),
            mask: folder.join(&cells[mask]),
            series: None,
            structure: None,
            label,
            rois: request.rois.clone(),
            protocol: request.protocol.clone(),
            diagnostics: request.diagnostics,
        };
        let found = label.map(of).map(|case| features(&case, &job.silent()));
        match found {
            Err(why) => report.failures.push(format!("{told}: {why}")),
            Ok(Err(Error::Cancelled(cause))) => return Err(cause.into()),
            Ok(Err(cause)) => report.failures.push(format!("{told}: {}", with_causes(&cause))),
            Ok(Ok(found)) => {
                report.notes.extend(found.notes.iter().map(|note| format!("{told}: {note}")));
                report.failures.extend(found.failures.iter().map(|(roi, why)| format!("{told}: {roi}: {why}")));
                for values::Row { roi, feature, value } in found.rows {
                    let is_plain = roi.is_empty() || roi == Roi::Intra.to_string();
                    let name = if is_plain { feature } else { format!("{roi}_{feature}") };
                    let at = report.headings[own.len()..].iter().position(|known| *known == name);
                    let at = own.len() + at.unwrap_or(report.headings.len() - own.len());
                    if at == report.headings.len() {
                        report.headings.push(name);
                    }
                    cells.resize(cells.len().max(at + 1), String::new());
                    cells[at] = match value {
                        Value::Number(number) => values::significant(number),
                        Value::Undefined => String::new(),
                        Value::Text(text) => text,
                    };
                }
            }
        }
        report.rows.push(cells);
        stage.step()?;
    }
    let width = report.headings.len();
    report.rows.iter_mut().for_each(|row| row.resize(width, String::new()));
    Ok(report)
}
