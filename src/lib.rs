//! A study manager for MRI radiomics of osteosarcoma: one binary, one SQLite file.
//!
//! The modules stand on floors; a module imports only from lower floors
//! (`ARCHITECTURE.md` has the map, `tests/it/floors.rs` enforces it).

pub mod cli;
pub mod evaluate;
pub mod feature;
pub mod filter;
pub mod grid;
pub mod job;
pub mod model;
pub mod pipeline;
pub mod plot;
pub mod preprocess;
pub mod protocol;
pub mod read;
pub mod reconcile;
pub mod report;
pub mod roi;
pub mod seed;
pub mod select;
pub mod stats;
pub mod store;
pub mod study;
pub mod table;
pub mod text;
pub mod tui;
pub mod wide;
