//! A cell that an import cannot take.

/// Where it is, what it is, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Line in the file, the header being 1; 0 where there is no file.
    pub line: u64,
    pub column: String,
    pub value: String,
    pub expected: String,
}
