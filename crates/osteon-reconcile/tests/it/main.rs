//! Tables of papers, read and judged.

mod beside;
mod denominators;
mod forms;
mod habits;
mod invented;
mod layouts;
mod measured;
mod mutated;
mod published;
mod reading;
mod relations;
mod rows;
mod several;
mod small;
mod wide;
mod writers;
