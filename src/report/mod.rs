//! Presentation: sheets and figures from results.

pub mod sheet;
