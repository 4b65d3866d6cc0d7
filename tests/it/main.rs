//! One test binary: each module proves one part of the program.

mod floors;
mod forge;
mod man;
pub mod plot;
mod preprocess;
mod read;
mod roi;
mod select;
mod store;
mod support;
