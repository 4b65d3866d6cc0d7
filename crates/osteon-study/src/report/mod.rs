//! Presentation: sheets and figures from results.

pub mod against;
pub mod calculator;
pub mod checklist;
pub mod clinical;
pub mod cohort;
pub mod conformity;
pub mod curves;
pub mod describe;
pub mod discrimination;
pub mod docx;
pub mod evaluation;
pub mod external;
pub mod figure;
pub mod hazards;
pub mod methods;
pub mod odds;
pub mod page;
pub mod performance;
pub mod printed;
pub mod regression;
pub mod screening;
pub mod sheet;
pub mod summary;
pub mod values;
