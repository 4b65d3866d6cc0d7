//! Text as grids of cells: separators, encodings, quotes, places.

use osteon_base::cells::{CellsError, Grid, Note, Params, Place, Separator, read};

fn grid(bytes: impl AsRef<[u8]>) -> Grid {
    read(bytes.as_ref(), &Params::default()).unwrap_or_else(|why| panic!("{why}"))
}

fn refused(bytes: impl AsRef<[u8]>) -> String {
    read(bytes.as_ref(), &Params::default()).unwrap_err().to_string()
}

/// The rows as `line: text|text`.
fn shown(grid: &Grid) -> Vec<String> {
    let row = |row: osteon_base::cells::Row| format!("{}: {}", row.line, row.texts().collect::<Vec<_>>().join("|"));
    grid.rows().map(row).collect()
}

#[test]
fn the_separator_is_the_one_that_makes_a_table() {
    let check = |text: &str, expected: Separator| {
        let notes = grid(text).notes;
        let said = notes.iter().find_map(|note| match note {
            Note::Separator(separator) => Some(*separator),
            _ => None,
        });
        assert_eq!(said.unwrap_or(Separator::Comma), expected, "{text:?}");
    };
    check("id,alp\n1,2\n", Separator::Comma);
    check("id;alp\n1;2,5\n2;3,5\n", Separator::Semicolon);
    check("id\talp\n1\t2,5\n2\t3,5\n", Separator::Tab);
    check("id|alp\n1|2\n", Separator::Pipe);
    // A title line, decimal commas in every row, lists in a cell, prose in the header.
    check("Cohort 2020\nid;alp\n1;2\n", Separator::Semicolon);
    check("Cohort, 2020\nid;alp;ldh\n1;2,5;3\n2;3,5;4\n", Separator::Semicolon);
    check("id;size, mm\n1;12,5\n2;13,5\n", Separator::Semicolon);
    check("id,codes\n1,a;b;c\n2,d;e;f\n", Separator::Comma);
    check("id,note\n1,a|b\n2,c|d\n", Separator::Comma);
    check("\"id;nr\",\"a;b\"\n1,2\n", Separator::Comma);
    check("id\n1\n2\n", Separator::Comma);
    check("", Separator::Comma);
}

#[test]
fn a_first_line_may_name_the_separator() {
    for text in ["sep=;\nid;a,b\n1;2\n", "SEP=;\r\nid;a,b\r\n1;2\r\n", "\"sep=;\"\rid;a,b\r1;2\r"] {
        let grid = grid(text);
        assert_eq!(shown(&grid), ["2: id|a,b", "3: 1|2"], "{text:?}");
        assert_eq!(grid.notes, [Note::SeparatorLine, Note::Separator(Separator::Semicolon)]);
    }
    assert_eq!(shown(&grid("sep=\t\na\tb\n")), ["2: a|b"]);
    let told = Params { separator: Some(Separator::Pipe), ..Params::default() };
    assert_eq!(shown(&read(b"a,b|c,d\n", &told).unwrap()), ["1: a,b|c,d"]);
}

#[test]
fn every_cell_knows_its_line_and_column() {
    let check = |text: &str, expected: &[(&str, usize, usize)]| {
        let grid = grid(text);
        let cells: Vec<_> = grid.rows().flat_map(|row| row.cells()).map(|it| (it.text, it.line, it.column)).collect();
        assert_eq!(cells, expected, "{text:?}");
    };
    check("a,b\n1,2\n", &[("a", 1, 1), ("b", 1, 2), ("1", 2, 1), ("2", 2, 2)]);
    check("a\r\n\r\nb\r\n", &[("a", 1, 1), ("b", 3, 1)]);
    check("a\rb\r", &[("a", 1, 1), ("b", 2, 1)]);
    check("\"x\ny\",b\nc", &[("x\ny", 1, 1), ("b", 2, 2), ("c", 3, 1)]);
    check("\"x\r\ny\",\"b\"\r\n\"c\"", &[("x\ny", 1, 1), ("b", 2, 2), ("c", 3, 1)]);
    check("a,\n,b", &[("a", 1, 1), ("", 1, 2), ("", 2, 1), ("b", 2, 2)]);
}

#[test]
fn cells_are_trimmed_of_what_nobody_sees() {
    let grid =
        grid("id, alp\nP1\u{a0}, 120\u{200b}\n\u{feff}P2 ,\" 3 \"\n \"a \"\"b\"\"\" ,\"c,d\"\n5\" nail,=\"007\"\n");
    assert_eq!(shown(&grid), ["1: id|alp", "2: P1|120", "3: P2|3", "4: a \"b\"|c,d", "5: 5\" nail|007"]);
    let first = Place::Text { line: 5, column: 2 };
    assert_eq!(grid.notes, [Note::AsFormula { cells: 1, first }]);
}

#[test]
fn encodings_give_the_same_grid() {
    let text = "id\tname\nP1\tMüller, 骨肉腫 😀\n";
    let expected = shown(&grid(text));
    let units: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for bytes in [
        [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        [b"\xFF\xFE".as_slice(), &little].concat(),
        [b"\xFE\xFF".as_slice(), &big].concat(),
        little,
        big,
    ] {
        assert_eq!(shown(&grid(&bytes)), expected, "{:?}", &bytes[..4]);
    }
}

#[test]
fn other_encodings_and_formats_are_refused_by_name() {
    let latin = refused(b"id,site\nP1,ok\nP2,M\xf6lheim\n");
    assert!(latin.starts_with("line 3, column 2: byte 0xF6 is not UTF-8"), "{latin}");
    assert!(latin.ends_with("\"Mölheim\""), "{latin}");
    assert!(refused(b"\"a\nb\",\"M\xfcller\"\n").starts_with("line 2, column 2: byte 0xFC"));
    assert!(refused(b"a,b\n\x80,1\n").ends_with("\"€\""));
    assert_eq!(refused(b"a,b\n1,\0\n"), "line 2, column 2: a NUL character");
    assert!(refused(b"\xff\xfea").contains("odd number"));
    assert_eq!(refused(b"\xff\xfea\0\n\0\0\xd8\n\0"), "line 2: half of a UTF-16 surrogate pair");
    for (bytes, named) in [
        (&b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1rest"[..], ".xls"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"$FL2@(#) SPSS", "SPSS"),
        (b"  <HTML><table>", "HTML"),
        (b"\xEF\xBB\xBF<?xml version=\"1.0\"?>", "XML"),
        (b"\xff\xfe\0\0a\0\0\0", "UTF-32"),
    ] {
        let told = refused(bytes);
        assert!(told.contains(named), "{told}");
    }
}

#[test]
fn quotes_that_do_not_close_are_told_where_they_open() {
    assert_eq!(refused("a,b\n1,\"2\n3,4\n"), "line 2, column 2: the quote that opens here is not closed");
    let told = refused("a,b\n1,\"5\" nail\"\n");
    assert!(told.starts_with("line 2, column 2: \"nail\\\"\" follows a closing quote"), "{told}");
}

#[test]
fn sizes_have_bounds() {
    let few = Params { max_cells: 3, max_bytes: 10, ..Params::default() };
    assert_eq!(read(b"a,b\n1,2\n", &few), Err(CellsError::TooManyCells { limit: 3 }));
    assert_eq!(read(b"a,b\n1,2\n3,4\n", &few), Err(CellsError::Bytes { found: 12, limit: 10 }));
}

#[test]
fn large_cells_and_wide_rows_take_linear_time() {
    let begin = std::time::Instant::now();
    let million = "x".repeat(1 << 20);
    let quotes = "\"\"".repeat(1 << 20);
    assert_eq!(grid(format!("a,b\n{million},\"{quotes}\"\n")).rows().nth(1).unwrap().text(1).len(), 1 << 20);
    assert_eq!(grid(format!("a\n{}", "\n".repeat(1 << 20))).rows().count(), 1);
    assert_eq!(grid(",".repeat(1 << 20)).rows().next().unwrap().len(), (1 << 20) + 1);
    assert!(refused(format!("a,\"{}", "x\n".repeat(1 << 20))).contains("not closed"));
    assert!(refused([million.as_bytes(), b"\xff"].concat()).contains("0xFF"));
    let pads = " ".repeat(1 << 20);
    assert_eq!(grid(format!("a,b\n{pads}x{pads},{pads}\"y\"{pads}\n")).rows().nth(1).unwrap().text(0), "x");
    // Half a second in an unoptimised build; quadratic time would take hours.
    assert!(begin.elapsed().as_secs() < 60);
}

#[test]
fn rows_are_fitted_to_their_header() {
    let grid = grid("\n,,,\nid,alp,,\n1,2,,\n\n,,,\n3,4\n5\n6,7,8,\n9,,\n");
    let (header, body) = grid.headed().unwrap();
    assert_eq!(header.texts().collect::<Vec<_>>(), ["id", "alp"]);
    let fitted: Vec<_> = body.map(|row| (row.line, row.fitted(2).map(|row| row.text(1)))).collect();
    assert_eq!(fitted, [(4, Some("2")), (7, Some("4")), (8, None), (9, None), (10, Some(""))]);
    assert!(self::grid(",,\n\n").headed().is_none());
}

#[test]
fn no_bytes_make_the_reader_panic() {
    use proptest::prelude::*;
    let piece = prop_oneof![
        Just(b",".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\n".to_vec()),
        Just(b";".to_vec()),
        Just(b"sep=;\n".to_vec()),
        Just(b"\xEF\xBB\xBF".to_vec()),
        Just(b"\xFF\xFE".to_vec()),
        Just(b"=\"1\"".to_vec()),
        Just(b" ".to_vec()),
        Just("\u{a0}".as_bytes().to_vec()),
        any::<Vec<u8>>(),
    ];
    proptest!(ProptestConfig::with_cases(2000), |(pieces in prop::collection::vec(piece, 0..12))| {
        let bytes = pieces.concat();
        if let Ok(grid) = read(&bytes, &Params::default()) {
            for row in grid.rows() {
                prop_assert!(row.len() > 0 && row.texts().all(|text| text.trim() == text));
            }
        }
    });
}
