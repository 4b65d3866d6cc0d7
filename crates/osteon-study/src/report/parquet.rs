//! Tables as Parquet files: one row group, columns of double precision or of text, plain and uncompressed.
//!
//! Written after the format's specification (apache/parquet-format 2.10): a table of features needs a twentieth of it.

/// A column; `None` is null.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    Numbers(Vec<Option<f64>>),
    Texts(Vec<Option<String>>),
}

/// The bytes of a file. Names have to differ for most readers to find a column.
///
/// # Panics
/// When the columns differ in length.
pub fn file(columns: &[(String, Column)]) -> Vec<u8> {
    let n_rows = columns.first().map_or(0, |(_, column)| column.len());
    assert!(columns.iter().all(|(_, column)| column.len() == n_rows), "columns of one table");
    let mut bytes = MAGIC.to_vec();
    let mut chunks = Vec::new();
    for (name, column) in columns {
        let page = page(column);
        let start = bytes.len();
        bytes.extend(page_header(n_rows, page.len()));
        bytes.extend(page);
        chunks.push(chunk(name, column, n_rows, start, bytes.len() - start));
    }
    let footer = footer(columns, n_rows, &chunks, bytes.len() - MAGIC.len());
    bytes.extend(&footer);
    bytes.extend((footer.len() as u32).to_le_bytes());
    bytes.extend(MAGIC);
    bytes
}

const MAGIC: [u8; 4] = *b"PAR1";

// Numbers of the specification.
const DOUBLE: i64 = 5;
const BYTE_ARRAY: i64 = 6;
const OPTIONAL: i64 = 1;
const UTF8: i64 = 0;
const PLAIN: i64 = 0;
const RLE: i64 = 3;

impl Column {
    fn len(&self) -> usize {
        match self {
            Column::Numbers(cells) => cells.len(),
            Column::Texts(cells) => cells.len(),
        }
    }

    fn kind(&self) -> i64 {
        match self {
            Column::Numbers(_) => DOUBLE,
            Column::Texts(_) => BYTE_ARRAY,
        }
    }

    fn known(&self) -> Vec<bool> {
        match self {
            Column::Numbers(cells) => cells.iter().map(Option::is_some).collect(),
            Column::Texts(cells) => cells.iter().map(Option::is_some).collect(),
        }
    }
}

/// Which cells are known, as runs, and the known ones.
fn page(column: &Column) -> Vec<u8> {
    let known = column.known();
    let mut runs = Vec::new();
    for run in known.chunk_by(|a, b| a == b) {
        varint((run.len() as u64) << 1, &mut runs);
        runs.push(u8::from(run[0]));
    }
    let mut page = (runs.len() as u32).to_le_bytes().to_vec();
    page.extend(runs);
    match column {
        Column::Numbers(cells) => cells.iter().flatten().for_each(|cell| page.extend(cell.to_le_bytes())),
        Column::Texts(cells) => cells.iter().flatten().for_each(|cell| {
            page.extend((cell.len() as u32).to_le_bytes());
            page.extend(cell.as_bytes());
        }),
    }
    page
}

fn page_header(n_rows: usize, len: usize) -> Vec<u8> {
    let values = Struct::default().int(1, n_rows as i64).int(2, PLAIN).int(3, RLE).int(4, RLE);
    Struct::default().int(1, 0).int(2, len as i64).int(3, len as i64).structure(5, values).end()
}

fn chunk(name: &str, column: &Column, n_rows: usize, start: usize, len: usize) -> Struct {
    let own = Struct::default()
        .int(1, column.kind())
        .list(2, INT, 2, [zigzag(PLAIN), zigzag(RLE)].concat())
        .list(3, BINARY, 1, text(name))
        .int(4, 0)
        .long(5, n_rows as i64)
        .long(6, len as i64)
        .long(7, len as i64)
        .long(9, start as i64);
    Struct::default().long(2, start as i64).structure(3, own)
}

fn footer(columns: &[(String, Column)], n_rows: usize, chunks: &[Struct], len: usize) -> Vec<u8> {
    let mut schema = Struct::default().binary(4, "schema").int(5, columns.len() as i64).end();
    for (name, column) in columns {
        let mut element = Struct::default().int(1, column.kind()).int(3, OPTIONAL).binary(4, name);
        if column.kind() == BYTE_ARRAY {
            // Both ways in which text is told: older readers know the first.
            let string = Struct::default().structure(1, Struct::default());
            element = element.int(6, UTF8).structure(10, string);
        }
        schema.extend(element.end());
    }
    let all: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.clone().end()).collect();
    let group = Struct::default().list(1, STRUCT, chunks.len(), all).long(2, len as i64).long(3, n_rows as i64).end();
    Struct::default()
        .int(1, 2)
        .list(2, STRUCT, columns.len() + 1, schema)
        .long(3, n_rows as i64)
        .list(4, STRUCT, 1, group)
        .binary(6, "osteon")
        .end()
}

const INT: u8 = 5;
const LONG: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A structure in Thrift's compact protocol; fields are written in ascending order.
#[derive(Clone, Default)]
struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

impl Struct {
    fn field(mut self, id: u8, kind: u8, value: &[u8]) -> Struct {
        self.bytes.push((id - self.last) << 4 | kind);
        self.bytes.extend(value);
        self.last = id;
        self
    }

    fn int(self, id: u8, value: i64) -> Struct {
        self.field(id, INT, &zigzag(value))
    }

    fn long(self, id: u8, value: i64) -> Struct {
        self.field(id, LONG, &zigzag(value))
    }

    fn binary(self, id: u8, value: &str) -> Struct {
        self.field(id, BINARY, &text(value))
    }

    fn structure(self, id: u8, value: Struct) -> Struct {
        self.field(id, STRUCT, &value.end())
    }

    fn list(self, id: u8, kind: u8, n: usize, items: Vec<u8>) -> Struct {
        let mut value = Vec::new();
        if n < 15 {
            value.push((n as u8) << 4 | kind);
        } else {
            value.push(0xf0 | kind);
            varint(n as u64, &mut value);
        }
        value.extend(items);
        self.field(id, LIST, &value)
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

fn varint(mut value: u64, to: &mut Vec<u8>) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn zigzag(value: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint((value << 1 ^ value >> 63) as u64, &mut bytes);
    bytes
}

fn text(value: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(value.len() as u64, &mut bytes);
    bytes.extend(value.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// pyarrow 26.0.1 and fastparquet 2026.9.0 read these bytes as this table, nulls and an empty text included.
    #[test]
    fn a_file_has_the_bytes_that_pyarrow_read() {
        let numbers = vec![Some(0.1), None, Some(-2.5e300)];
        let texts = vec![Some("é, \"x\"".to_owned()), Some(String::new()), None];
        let many: Vec<(String, Column)> = (0..20)
            .map(|at| (format!("original_glcm_{at}"), Column::Numbers(numbers.clone())))
            .chain([("Image".to_owned(), Column::Texts(texts))])
            .collect();
        let bytes = file(&many);
        assert_eq!((&bytes[..4], &bytes[bytes.len() - 4..]), (&MAGIC[..], &MAGIC[..]));
        // FNV-1a.
        let hash = bytes
            .iter()
            .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
        assert_eq!(format!("{hash:016x}"), "f94c319c718c44f5");
    }
}
