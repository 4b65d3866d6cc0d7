//! Clinical statistics: data frames, descriptions and tests, models, feature selection, evaluation.

pub mod evaluate;
pub mod model;
pub mod select;
pub mod stats;
pub mod table;
