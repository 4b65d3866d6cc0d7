//! Clinical statistics: data frames, descriptions and tests, models, feature selection, evaluation, time to event.
//!
#![doc = include_str!("../README.md")]

pub mod evaluate;
pub mod model;
pub mod select;
pub mod stats;
pub mod survival;
pub mod table;
