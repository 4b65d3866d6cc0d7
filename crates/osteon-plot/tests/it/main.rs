//! Figures as SVG, PNG and terminal cells.

mod plot;
mod words;
