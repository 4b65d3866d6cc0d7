//! Presentation: sheets and figures from results.

pub mod calculator;
pub mod checklist;
pub mod figure;
pub mod methods;
pub mod page;
pub mod cohort;
pub mod describe;
pub mod discrimination;
pub mod regression;
pub mod sheet;
