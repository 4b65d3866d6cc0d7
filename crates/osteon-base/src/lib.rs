//! Shared ground of the osteon crates: jobs with progress and cancellation, named randomness, text without control
//! characters, wide registers.

pub mod cells;
pub mod job;
pub mod seed;
pub mod setting;
pub mod text;
pub mod wide;
