//! Tests of the shared ground over its public functions.

mod cells;
mod workbook;
