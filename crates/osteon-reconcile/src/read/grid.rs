//! A table as its file has it: rows of cells with their places, the words around it, nothing understood yet.

/// A table of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// The words above it, `Table 3. Performance of ...`; empty when there are none.
    pub title: String,
    /// The words below it.
    pub legend: String,
    pub rows: Vec<GridRow>,
    /// The file says which cells span others; otherwise a header cell that empty ones follow may span them.
    pub has_spans: bool,
    /// Rows that the file marks as its header; 0 when it marks none.
    pub header_rows: usize,
    /// What was lost or assumed while the file was read, one sentence each, lower case.
    pub notes: Vec<String>,
}

/// A row of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GridRow {
    /// Of the file where it has lines, otherwise the row's number in its table; from 1.
    pub line: usize,
    pub cells: Vec<GridCell>,
}

/// One place of the grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GridCell {
    /// Trimmed, white space made single spaces.
    pub text: String,
    pub line: usize,
    /// Another cell of the file reaches over this place.
    pub is_covered: bool,
    /// Places to the right that the cell reaches over, itself included; 1 where the file does not say.
    pub width: usize,
    /// White space and levels before the text, as far as the file has them.
    pub indent: usize,
}

impl GridCell {
    pub fn new(text: &str, line: usize) -> GridCell {
        let tidied = tidy(text);
        let leading = text.chars().take_while(|c| c.is_whitespace()).count();
        let indent = if tidied.is_empty() { 0 } else { leading };
        GridCell { text: tidied, line, is_covered: false, width: 1, indent }
    }
}

impl Grid {
    /// Columns of the widest row.
    pub fn width(&self) -> usize {
        self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0)
    }

    /// The text at a row and column from 0; empty outside.
    pub fn text(&self, row: usize, column: usize) -> &str {
        self.rows.get(row).and_then(|row| row.cells.get(column)).map_or("", |cell| &cell.text)
    }

    /// Says that so many cells were left out.
    pub fn leave_out(&mut self, cells: usize) {
        if cells > 0 {
            let why = format!(
                "{cells} cells beyond column {MOST_COLUMNS} or beyond {MOST_CELLS} cells of the table were left out; \
                 divide the table"
            );
            self.notes.push(why);
        }
    }

    /// Whether any cell has a digit: a table of words or of layout has nothing to check.
    pub fn has_numbers(&self) -> bool {
        self.rows.iter().flat_map(|row| &row.cells).any(|cell| cell.text.bytes().any(|byte| byte.is_ascii_digit()))
    }
}

/// Single spaces, no invisible characters.
pub fn tidy(text: &str) -> String {
    let visible: String =
        text.chars().filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Places of a table under construction, filled cell by cell with their spans.
#[derive(Debug, Default)]
pub struct Builder {
    pub grid: Grid,
    /// For each column, rows that a cell from above still covers.
    hanging: Vec<usize>,
    cells: usize,
    left_out: usize,
}

/// No printed table has more; a file that says so is cut there.
pub const MOST_COLUMNS: usize = 200;
pub const MOST_CELLS: usize = 200_000;

impl Builder {
    /// A new row on this line.
    pub fn row(&mut self, line: usize) {
        self.cover();
        self.grid.rows.push(GridRow { line, cells: Vec::new() });
    }

    /// Puts a cell at the next free place of the last row.
    pub fn cell(&mut self, text: &str, line: usize, width: usize, height: usize) {
        if self.grid.rows.is_empty() {
            self.row(line);
        }
        self.cover();
        let row = self.grid.rows.last_mut().expect("a row was just put there");
        let asked = width.max(1);
        let width = width.clamp(1, MOST_COLUMNS);
        if row.cells.len() + width > MOST_COLUMNS || self.cells + width > MOST_CELLS {
            // What a cell spans beyond the table holds nothing.
            self.left_out += 1;
            return;
        }
        self.left_out += usize::from(asked > width);
        self.cells += width;
        self.grid.has_spans |= width > 1 || height > 1;
        for at in 0..width {
            let mut cell = GridCell::new(if at == 0 { text } else { "" }, line);
            cell.is_covered = at > 0;
            cell.width = if at == 0 { width } else { 1 };
            let column = row.cells.len();
            if self.hanging.len() <= column {
                self.hanging.resize(column + 1, 0);
            }
            self.hanging[column] = height.clamp(1, 65_535);
            row.cells.push(cell);
        }
    }

    /// The finished table.
    pub fn finish(mut self) -> Grid {
        self.cover();
        self.grid.rows.retain(|row| !row.cells.is_empty());
        self.grid.leave_out(self.left_out);
        self.grid
    }

    /// Puts covered places where cells from above reach into the last row.
    fn cover(&mut self) {
        let is_first = self.grid.rows.len() < 2;
        let Some(row) = self.grid.rows.last_mut().filter(|_| !is_first) else { return };
        while let Some(left) = self.hanging.get_mut(row.cells.len()).filter(|left| **left > 1) {
            *left -= 1;
            row.cells.push(GridCell { line: row.line, is_covered: true, width: 1, ..GridCell::default() });
        }
    }
}
