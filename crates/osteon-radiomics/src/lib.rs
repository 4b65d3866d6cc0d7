//! Radiomic features of medical images: files to grids, preprocessing, regions, filters, features.
//!
#![doc = include_str!("../README.md")]

pub mod describe;
pub mod diagnose;
pub mod feature;
pub mod filter;
mod fourier;
pub mod grid;
pub mod preprocess;
pub mod pyradiomics;
pub mod read;
pub mod roi;
