//! Why a file of published numbers was refused.

/// A file of published numbers that cannot be read; the line counts from 1 and the header is line 1.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error("not a CSV file")]
    Csv(#[from] csv::Error),
    #[error(transparent)]
    Cells(#[from] osteon_base::cells::CellsError),
    #[error("the header has no column {name:?}")]
    NoColumn { name: &'static str },
    #[error("line {line}, column {column:?}: {why}")]
    Cell { line: u64, column: &'static str, why: String },
}
