//! Shared ground of the osteon crates: jobs with progress and cancellation, named randomness, text without control
//! characters, wide registers.
//!
#![doc = include_str!("../README.md")]

pub mod cells;
pub mod job;
pub mod seed;
pub mod setting;
pub mod text;
pub mod wide;
