//! A plot on the screen, in braille or in ASCII.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::tui::grid_view::put;
use crate::tui::theme::Theme;
use osteon_plot::cells::{Charset, least_height, screens};
use osteon_plot::{Ansi, Plot};
use osteon_study::report::figure::Figure;

/// A part of a figure that fits the screen.
struct Part {
    panels: Vec<usize>,
    /// Rows of the drawing, and the first that is seen.
    rows: usize,
    first: usize,
}

/// How many screens a figure needs.
pub fn parts_of(figure: &Figure, (width, height): (u16, u16)) -> usize {
    parts(figure, usize::from(width), usize::from(height)).len()
}

/// Panels that do not fit together go to screens of their own; what is too high for one is seen in parts.
fn parts(figure: &Figure, width: usize, height: usize) -> Vec<Part> {
    let screens = screens(&figure.plot, width, height);
    let need = |panels: &[usize]| least_height(&some(figure, panels).plot, width, Charset::Braille);
    if let [panels] = &screens[..]
        && need(panels) <= height.max(13)
    {
        return vec![Part { panels: panels.clone(), rows: height, first: 0 }];
    }
    // The last line tells which part is seen.
    let room = height.saturating_sub(1).max(1);
    let cut = |panels: Vec<usize>| {
        let rows = need(&panels).max(room);
        let firsts = (0..rows.div_ceil(room)).map(move |n| (n * room).min(rows - room));
        firsts.map(move |first| Part { panels: panels.clone(), rows, first })
    };
    screens.into_iter().flat_map(cut).collect()
}

fn some(figure: &Figure, panels: &[usize]) -> Figure {
    let panels = panels.iter().map(|&at| figure.plot.panels[at].clone()).collect();
    Figure { plot: Plot { panels, ..figure.plot.clone() }, ..figure.clone() }
}

/// Draws a figure, or one of the parts that it needs.
pub fn draw(figure: &Figure, part: usize, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let parts = parts(figure, usize::from(area.width), usize::from(area.height));
    let Some(at) = parts.len().checked_sub(1).map(|last| part.min(last)) else { return };
    let lower = if parts.len() < 2 { area } else { Rect { height: area.height.saturating_sub(1), ..area } };
    draw_part(&some(figure, &parts[at].panels), &parts[at], theme, lower, buffer);
    if parts.len() > 1 {
        let more = format!("{} of {}: down and up", at + 1, parts.len());
        put(buffer, area.x + 1, area.bottom() - 1, area.width.saturating_sub(1), &more, false, Style::new());
    }
}

fn draw_part(figure: &Figure, part: &Part, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    let charset = if theme.ascii { Charset::Ascii } else { Charset::Braille };
    let cells = figure.cells(usize::from(area.width), part.rows, charset);
    for y in 0..area.height {
        for x in 0..area.width {
            let Some(cell) = cells.cell(usize::from(x), part.first + usize::from(y)) else { continue };
            let style = if theme.colour { Style::new().fg(colour(cell.colour)) } else { Style::new() };
            let style = if cell.bold { style.add_modifier(Modifier::BOLD) } else { style };
            buffer[(area.x + x, area.y + y)].set_char(cell.symbol).set_style(style);
        }
    }
}

fn colour(ansi: Ansi) -> Color {
    match ansi {
        Ansi::Foreground | Ansi::DarkGray => Color::Reset,
        Ansi::Red => Color::Red,
        Ansi::Magenta => Color::Magenta,
        Ansi::Cyan => Color::Cyan,
        Ansi::Green => Color::Green,
    }
}
