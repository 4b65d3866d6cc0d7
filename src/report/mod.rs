//! Presentation: sheets and figures from results.

pub mod calculator;
pub mod checklist;
pub mod figure;
pub mod methods;
pub mod page;
pub mod sheet;
