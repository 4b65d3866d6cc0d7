//! A plot on the screen, in braille or in ASCII.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::plot::cells::{Charset, screens};
use crate::plot::{Ansi, Plot};
use crate::report::figure::Figure;
use crate::tui::grid_view::put;
use crate::tui::theme::Theme;

/// Draws a figure, or one of the screens that it needs.
pub fn draw(figure: &Figure, screen: usize, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let screens = screens(&figure.plot, usize::from(area.width), usize::from(area.height));
    if screens.len() < 2 {
        return draw_whole(figure, theme, area, buffer);
    }
    let screen = screen.min(screens.len() - 1);
    let panels = screens[screen].iter().map(|&at| figure.plot.panels[at].clone()).collect();
    let part = Figure { plot: Plot { panels, ..figure.plot.clone() }, ..figure.clone() };
    draw_whole(&part, theme, Rect { height: area.height - 1, ..area }, buffer);
    let more = format!("{} of {}: down and up", screen + 1, screens.len());
    put(buffer, area.x + 1, area.bottom() - 1, area.width.saturating_sub(1), &more, false, Style::new());
}

fn draw_whole(figure: &Figure, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    let charset = if theme.ascii { Charset::Ascii } else { Charset::Braille };
    let cells = figure.cells(usize::from(area.width), usize::from(area.height), charset);
    for y in 0..area.height {
        for x in 0..area.width {
            let Some(cell) = cells.cell(usize::from(x), usize::from(y)) else { continue };
            let style = if theme.colour { Style::new().fg(colour(cell.colour)) } else { Style::new() };
            let style = if cell.bold { style.add_modifier(Modifier::BOLD) } else { style };
            buffer[(area.x + x, area.y + y)].set_char(cell.symbol).set_style(style);
        }
    }
}

fn colour(ansi: Ansi) -> Color {
    match ansi {
        // Blue and yellow are unreadable on one background or the other.
        Ansi::Foreground | Ansi::DarkGray => Color::Reset,
        Ansi::Red => Color::Red,
        Ansi::Green => Color::Green,
        Ansi::Yellow | Ansi::Magenta => Color::Magenta,
        Ansi::Blue | Ansi::Cyan => Color::Cyan,
    }
}
