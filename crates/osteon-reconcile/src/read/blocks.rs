//! A wide table that its file continues in further blocks: the same rows again, with further columns.

use crate::read::grid::Grid;

/// Blocks that repeat the leading columns of the grid before them, without a title of their own or with one that says
/// so, joined to it.
pub fn joined(grids: Vec<Grid>) -> Vec<Grid> {
    let mut kept: Vec<Grid> = Vec::new();
    for grid in grids {
        let shared = kept.last().map_or(0, |last| shared(last, &grid));
        let follows = grid.title.is_empty() || grid.title.contains("(continued)");
        match kept.last_mut().filter(|_| follows && shared > 0) {
            Some(last) => {
                let width = last.width();
                for (row, more) in last.rows.iter_mut().zip(grid.rows) {
                    row.cells.resize(width, Default::default());
                    row.cells.extend(more.cells.into_iter().skip(shared));
                }
                last.legend.push_str(&grid.legend);
            }
            None => kept.push(grid),
        }
    }
    kept
}

/// Leading columns that two grids of as many rows have in common.
fn shared(one: &Grid, other: &Grid) -> usize {
    if one.rows.len() != other.rows.len() || one.rows.len() < 2 {
        return 0;
    }
    let same = |column: usize| (0..one.rows.len()).all(|row| one.text(row, column) == other.text(row, column));
    (0..one.width().min(other.width())).take_while(|&column| same(column)).count()
}
