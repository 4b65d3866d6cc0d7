//! Radiomics studies in one SQLite file.
//!
#![doc = include_str!("../README.md")]

pub mod model;
pub mod pipeline;
pub mod protocol;
pub mod report;
#[cfg(feature = "testing")]
pub mod store;
#[cfg(not(feature = "testing"))]
mod store;
pub mod study;
