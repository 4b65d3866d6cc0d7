//! The dashboard: keys to messages, messages to state, state to screen.
//!
//! `update(&mut App, Message) -> Vec<Effect>` does no input or output, `view(&App, &mut Buffer)` changes nothing;
//! `run` feeds the one from a channel, draws by the other, and hands effects to worker threads.

pub mod app;
pub mod bindings;
mod blocks;
mod chart;
mod clipboard;
mod columns;
mod command;
pub mod data;
mod dialog;
mod effects;
pub mod encode;
pub mod export;
mod form;
mod forms;
mod grid_view;
mod help;
mod input;
mod jobs;
pub mod keys;
mod layout;
pub mod message;
mod nomogram;
mod origin;
mod page;
mod patients;
mod run;
pub mod shell;
mod slices;
pub mod start;
mod study_page;
mod tables;
pub mod terminal;
pub mod theme;
pub mod view;

pub use run::run;
