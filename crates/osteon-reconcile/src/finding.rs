//! What a check found: where, what is printed, what it should be and why.

/// How grave a finding is, gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// No data at all give the printed numbers.
    Impossible,
    /// No data give it together with the other printed numbers.
    Inconsistent,
    /// One value is wrong, and the others say which it should be.
    Typo,
    /// Off in the last printed digit only.
    Rounding,
    /// Nothing wrong: what the numbers reveal.
    Note,
}

impl Severity {
    pub const ALL: [Severity; 5] =
        [Severity::Impossible, Severity::Inconsistent, Severity::Typo, Severity::Rounding, Severity::Note];

    pub fn word(self) -> &'static str {
        match self {
            Severity::Impossible => "impossible",
            Severity::Inconsistent => "inconsistent",
            Severity::Typo => "typo",
            Severity::Rounding => "rounding",
            Severity::Note => "note",
        }
    }

    /// One sign of plain ASCII for lists.
    pub fn sign(self) -> char {
        match self {
            Severity::Impossible => 'X',
            Severity::Inconsistent => '!',
            Severity::Typo => '?',
            Severity::Rounding => '~',
            Severity::Note => 'i',
        }
    }
}

/// Which question the printed numbers failed, or answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Format,
    Count,
    Percent,
    Sum,
    Mean,
    Sd,
    Grim,
    Grimmer,
    Statistic,
    PValue,
    OddsRatio,
    Direction,
    GroupSize,
    Metric,
    Auc,
    AucInterval,
    DeLong,
    Brier,
    Repeat,
    Event,
    Reference,
    Sample,
    Method,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::Format => "number format",
            Kind::Count => "count",
            Kind::Percent => "percentage",
            Kind::Sum => "sum",
            Kind::Mean => "mean",
            Kind::Sd => "standard deviation",
            Kind::Grim => "GRIM",
            Kind::Grimmer => "GRIMMER",
            Kind::Statistic => "test statistic",
            Kind::PValue => "p value",
            Kind::OddsRatio => "odds ratio",
            Kind::Direction => "direction",
            Kind::GroupSize => "group size",
            Kind::Metric => "classification",
            Kind::Auc => "AUC",
            Kind::AucInterval => "AUC interval",
            Kind::DeLong => "DeLong test",
            Kind::Brier => "Brier score",
            Kind::Repeat => "repeated numbers",
            Kind::Event => "event",
            Kind::Reference => "reference level",
            Kind::Sample => "patients used",
            Kind::Method => "method",
        }
    }
}

/// Where a finding is: a cell, or a row when `column` names several or `all`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub table: String,
    pub set: String,
    pub row: String,
    pub column: String,
}

/// One thing that the printed numbers get wrong or reveal.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub kind: Kind,
    pub severity: Severity,
    pub place: Place,
    pub printed: String,
    /// What the other numbers imply; empty when they imply no single value.
    pub implied: String,
    /// What else would make the numbers agree.
    pub alternatives: Vec<String>,
    /// One sentence.
    pub why: String,
}
