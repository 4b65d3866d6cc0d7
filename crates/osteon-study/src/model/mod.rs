//! The model file: one JSON document that turns an image, a mask and clinical values into a probability.
//!
//! `file` is the document, `canonical` its form for the hash, `build` makes it from what a fit learnt, `read` checks and
//! opens it, `apply` asks it, `card` tells a person what it is. No patient's value, id or file name is in it.

pub mod apply;
pub mod batch;
pub mod build;
pub mod canonical;
pub mod card;
pub mod check;
pub mod file;
pub mod given;
pub mod read;
pub mod terms;

pub use read::ModelError;
