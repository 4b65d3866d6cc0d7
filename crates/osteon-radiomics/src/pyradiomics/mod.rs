//! pyradiomics' own parameter files and everything that its settings ask for: the same names, order and numbers as its
//! version 3.0.1, from an image and a mask that were read.
//!
//! A `Parameters` is what a file says; `extract` measures by it. What cannot be honoured is refused by name when the
//! file is read, or left out and listed where that was asked for.

mod class;
mod document;
mod extract;
mod images;
mod maps;
mod settings;
mod told;

pub use class::Class;
pub use document::{ImageType, Kernel, Parameters, ParametersError, Strictness};
pub use extract::{ExtractError, Extraction, extract};
pub use maps::{Map, MapError, maps};
pub use settings::{Mode, NAMES as SETTINGS, Settings, Unfit};
