//! One test binary: each module proves one part of the program.

mod floors;
mod man;
mod support;
