//! A study manager for MRI radiomics: the dashboard and the command line over the osteon crates.

pub mod cli;
pub mod tui;
