//! The study file: all SQL is here.
