//! Colours by their role: the Okabe-Ito set for series, a blue to vermillion ramp, and sixteen names for terminals.

/// A colour by its role.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Colour {
    Ink,
    Muted,
    Faint,
    White,
    /// A series: 0 blue, 1 vermillion, 2 green, 3 purple, 4 orange, 5 sky, 6 yellow, 7 black, then again.
    Series(usize),
    /// 0 low (blue) to 1 high (vermillion).
    Ramp(f64),
}

/// One of the sixteen named colours of a terminal, or its own foreground: foreground, red and magenta are readable on
/// white and on black, cyan and green at least seen on both; blue and yellow are lost on one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Ansi {
    #[default]
    Foreground,
    Red,
    Magenta,
    Cyan,
    Green,
    DarkGray,
}

/// Okabe and Ito, "Color Universal Design" (2008); the weak yellow late.
const SERIES: [[u8; 3]; 8] = [
    [0, 114, 178],
    [213, 94, 0],
    [0, 158, 115],
    [204, 121, 167],
    [230, 159, 0],
    [86, 180, 233],
    [240, 228, 66],
    [0, 0, 0],
];

/// Blue, grey, vermillion: ends that differ for every colour vision, a middle that stays seen on white.
const RAMP: [[f64; 3]; 3] = [[0.0, 114.0, 178.0], [190.0, 184.0, 190.0], [213.0, 94.0, 0.0]];

impl Colour {
    /// Red, green, blue.
    pub fn rgb(self) -> [u8; 3] {
        match self {
            Colour::Ink => [26, 26, 26],
            Colour::Muted => [110, 110, 110],
            Colour::Faint => [226, 226, 226],
            Colour::White => [255, 255, 255],
            Colour::Series(n) => SERIES[n % SERIES.len()],
            Colour::Ramp(level) => ramp(level),
        }
    }

    pub fn ansi(self) -> Ansi {
        match self {
            Colour::Ink | Colour::White => Ansi::Foreground,
            Colour::Muted | Colour::Faint => Ansi::DarkGray,
            Colour::Series(n) => [Ansi::Foreground, Ansi::Red, Ansi::Magenta, Ansi::Cyan, Ansi::Green][n % 5],
            Colour::Ramp(level) => match level {
                level if level < 1.0 / 3.0 => Ansi::Cyan,
                level if level > 2.0 / 3.0 => Ansi::Red,
                _ => Ansi::Foreground,
            },
        }
    }
}

impl Ansi {
    /// The "select graphic rendition" parameter of the foreground.
    pub fn sgr(self) -> u8 {
        match self {
            Ansi::Foreground => 39,
            Ansi::Red => 31,
            Ansi::Green => 32,
            Ansi::Magenta => 35,
            Ansi::Cyan => 36,
            Ansi::DarkGray => 90,
        }
    }
}

fn ramp(level: f64) -> [u8; 3] {
    let level = if level.is_finite() { level.clamp(0.0, 1.0) } else { 0.5 };
    let (from, to, part) =
        if level < 0.5 { (RAMP[0], RAMP[1], level * 2.0) } else { (RAMP[1], RAMP[2], level * 2.0 - 1.0) };
    std::array::from_fn(|c| (from[c] + (to[c] - from[c]) * part).round() as u8)
}
