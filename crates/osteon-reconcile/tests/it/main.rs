//! Tables of papers, read and judged.

mod forms;
mod layouts;
mod measured;
mod mutated;
mod published;
mod reading;
mod rows;
mod several;
mod small;
mod wide;
mod writers;
