//! Distributions and hypothesis tests on slices, and linear algebra.
