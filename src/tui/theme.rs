//! Looks: the sixteen named colours or none at all, signs in Unicode or ASCII.
//!
//! Text keeps the terminal's own colours, bold where it matters; red and magenta are the only colours of the sixteen
//! that are read well on white and on black alike, so text has no others. Whatever has a colour has a word or a sign too.

use ratatui::style::{Color, Modifier, Style};

/// How the dashboard may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    pub colour: bool,
    pub ascii: bool,
    /// The terminal has 256 colors: images get 24 greys instead of four.
    pub deep: bool,
}

/// Signs, each one column wide in every font.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signs {
    pub cursor: &'static str,
    pub mark: &'static str,
    pub ascending: &'static str,
    pub descending: &'static str,
    pub dash: &'static str,
    pub bar_full: &'static str,
    pub bar_empty: &'static str,
    pub separator: &'static str,
    pub more_left: &'static str,
    pub more_right: &'static str,
}

impl Theme {
    pub const PLAIN: Theme = Theme { colour: false, ascii: true, deep: false };

    pub fn signs(self) -> Signs {
        if self.ascii { ASCII } else { UNICODE }
    }

    fn coloured(self, colour: Color) -> Style {
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    pub fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub fn good(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub fn attention(self) -> Style {
        self.coloured(Color::Magenta)
    }

    pub fn bad(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// A cell in the selected row.
    pub fn selected_cell(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD | Modifier::UNDERLINED)
    }
}

const UNICODE: Signs = Signs {
    cursor: "▌",
    mark: "*",
    ascending: "↑",
    descending: "↓",
    dash: "─",
    bar_full: "█",
    bar_empty: "░",
    separator: "│",
    more_left: "‹",
    more_right: "›",
};

const ASCII: Signs = Signs {
    cursor: ">",
    mark: "*",
    ascending: "^",
    descending: "v",
    dash: "-",
    bar_full: "#",
    bar_empty: ".",
    separator: "|",
    more_left: "<",
    more_right: ">",
};
