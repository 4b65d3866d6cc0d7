//! Row ids that cannot be exchanged for each other.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map($name)
            }
        }
    )*};
}

ids! {
    /// A row of `patient`.
    PatientId,
    /// A row of `run`.
    RunId,
    /// A row of `feature`.
    FeatureId,
    /// A row of `extraction`.
    ExtractionId,
    /// A row of `split`.
    SplitId,
    /// A row of `model`.
    ModelId,
    /// A row of `job`.
    JobId,
    /// A row of `query`.
    QueryId,
}
