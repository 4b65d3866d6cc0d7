//! Distributions, descriptions and hypothesis tests on slices.
//!
//! Values are finite; holes are taken out by the caller or given as `None` where a function says so. What a sample
//! is too small or too constant for is `None`.

pub mod adjust;
pub mod compare;
pub mod contingency;
pub mod describe;
pub mod difference;
pub mod distribution;
pub mod fisher;
mod fisher_rows;
pub mod kruskal;
pub mod mann_whitney;
pub mod normality;
pub mod proportion;
pub mod root;
pub mod rubin;
pub mod shapiro;
pub mod shift;
mod special;
pub mod text;
pub mod two_groups;
