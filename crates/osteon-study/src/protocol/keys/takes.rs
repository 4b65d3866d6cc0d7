//! What a setting takes: kinds, bounds and choices, in words and as a check.

use toml::Value;

/// What a setting takes.
pub enum Takes {
    Flag,
    /// A number within bounds.
    Number(Bounds),
    /// A whole number, least and largest.
    Whole(i64, i64),
    /// A list of numbers within bounds, empty or not.
    Numbers(Bounds),
    /// A list with at least one number within bounds.
    SomeNumbers(Bounds),
    /// A list with at least one whole number of at least so much.
    Wholes(i64),
    /// One of some words.
    Word(&'static [&'static str]),
    /// A list with at least one of some words.
    Words(&'static [&'static str]),
    /// A list of names, as these words say; the setting itself knows them.
    Names(&'static str),
    /// A text, as these words say; the setting itself knows it.
    Text(&'static str),
    /// One value a variable, as these words say.
    ByVariable(&'static str),
}

/// Limits of a number; a limit that is not `within` is itself left out.
pub struct Bounds {
    pub low: (f64, bool),
    pub high: (f64, bool),
    pub words: &'static str,
}

const NO_END: (f64, bool) = (f64::INFINITY, false);

pub const ABOVE_ZERO: Bounds = Bounds { low: (0.0, false), high: NO_END, words: "a number above 0" };
pub const NOT_NEGATIVE: Bounds = Bounds { low: (0.0, true), high: NO_END, words: "a number of at least 0" };
pub const SHARE: Bounds = Bounds { low: (0.0, false), high: (1.0, false), words: "a number between 0 and 1" };
pub const FROM_0_TO_1: Bounds = Bounds { low: (0.0, true), high: (1.0, true), words: "a number from 0 to 1" };
pub const P: Bounds = Bounds { low: (0.0, false), high: (1.0, true), words: "a number above 0, at most 1" };
pub const PART_OF_A_VOXEL: Bounds =
    Bounds { low: (0.0, true), high: (0.5, false), words: "a part of a voxel from 0 to less than 0.5" };
pub const MARGIN: Bounds = Bounds { low: (0.0, false), high: (1000.0, true), words: "numbers above 0, at most 1000" };
/// The setting itself knows how many, and in what order.
pub const ANY_NUMBER: Bounds = Bounds { low: (f64::NEG_INFINITY, false), high: NO_END, words: "two ascending numbers" };
pub const POSITIVE: Bounds = Bounds { low: (0.0, false), high: NO_END, words: "numbers above 0" };
/// Whole numbers without an upper limit of their own.
pub const NO_LIMIT: i64 = i64::MAX;

impl Bounds {
    fn hold(&self, number: f64) -> bool {
        let above = if self.low.1 { number >= self.low.0 } else { number > self.low.0 };
        let below = if self.high.1 { number <= self.high.0 } else { number < self.high.0 };
        above && below
    }
}

impl Takes {
    /// `a whole number of at least 2`, for help and refusals.
    pub fn in_words(&self) -> String {
        match self {
            Takes::Flag => "true or false".to_owned(),
            Takes::Number(bounds) => bounds.words.to_owned(),
            Takes::Whole(least, most) if *most == NO_LIMIT => format!("a whole number of at least {least}"),
            Takes::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Takes::Numbers(bounds) => format!("a list of {}, or []", bounds.words),
            Takes::SomeNumbers(bounds) => format!("a list of numbers, each {}", bounds.words),
            Takes::Wholes(least) => format!("a list of whole numbers of at least {least}"),
            Takes::Word(words) => format!("one of {}", words.join(", ")),
            Takes::Words(words) => format!("a list of {}", words.join(", ")),
            Takes::Names(what) | Takes::Text(what) | Takes::ByVariable(what) => (*what).to_owned(),
        }
    }

    /// A value that this does not take, as it was found; `None` for one that it takes.
    pub fn refuses(&self, value: &Value) -> Option<String> {
        let number = |value: &Value| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
        let whole = |value: &Value, least: i64| value.as_integer().is_some_and(|n| n >= least);
        let each = |fits: &dyn Fn(&Value) -> bool| value.as_array().is_some_and(|items| items.iter().all(fits));
        let some = || value.as_array().is_some_and(|items| !items.is_empty());
        let word = |value: &Value, words: &[&str]| value.as_str().is_some_and(|text| words.contains(&text));
        let fits = match self {
            Takes::Flag => value.is_bool(),
            Takes::Number(bounds) => number(value).is_some_and(|number| bounds.hold(number)),
            Takes::Whole(least, most) => value.as_integer().is_some_and(|n| n >= *least && n <= *most),
            Takes::Numbers(bounds) => each(&|item| number(item).is_some_and(|number| bounds.hold(number))),
            Takes::SomeNumbers(bounds) => {
                some() && each(&|item| number(item).is_some_and(|number| bounds.hold(number)))
            }
            Takes::Wholes(least) => some() && each(&|item| whole(item, *least)),
            Takes::Word(words) => word(value, words),
            Takes::Words(words) => some() && each(&|item| word(item, words)),
            Takes::Names(_) => value.is_str() || each(&Value::is_str),
            Takes::Text(_) => value.is_str(),
            Takes::ByVariable(_) => value.is_table(),
        };
        (!fits).then(|| match value {
            Value::Float(number) => format!("{number:?}"),
            other => other.to_string(),
        })
    }

    /// Values at and just beyond every limit, in TOML's notation, and whether they fit.
    #[cfg(test)]
    pub fn samples(&self) -> Vec<(String, bool)> {
        let limit = |(at, within): (f64, bool), beyond: f64| {
            let finite = at.is_finite();
            finite.then(|| [(format!("{at:?}"), within), (format!("{:?}", at + beyond), false)]).into_iter().flatten()
        };
        match self {
            Takes::Flag => vec![("true".into(), true), ("1".into(), false)],
            Takes::Number(bounds) => {
                let mut all: Vec<(String, bool)> = limit(bounds.low, -1e-3).chain(limit(bounds.high, 1e-3)).collect();
                all.extend([("nan".into(), false), ("\"wide\"".into(), false), ("0.25".into(), true)]);
                all
            }
            Takes::Whole(least, most) => {
                let mut all = vec![(least.to_string(), true), ((least - 1).to_string(), false)];
                if *most != NO_LIMIT {
                    all.extend([(most.to_string(), true), ((most + 1).to_string(), false)]);
                }
                all.push(("1.5".into(), false));
                all
            }
            Takes::Numbers(bounds) => {
                let list = |(text, fits): (String, bool)| (format!("[{text}]"), fits);
                limit(bounds.low, -1e-3).chain(limit(bounds.high, 1e-3)).map(list).collect()
            }
            Takes::SomeNumbers(bounds) => {
                let list = |(text, fits): (String, bool)| (format!("[{text}]"), fits);
                let mut all: Vec<_> = limit(bounds.low, -1e-3).chain(limit(bounds.high, 1e-3)).map(list).collect();
                all.push(("[]".into(), false));
                all
            }
            Takes::Wholes(least) => {
                vec![(format!("[{least}]"), true), (format!("[{}]", least - 1), false), ("[]".into(), false)]
            }
            Takes::Word(words) => {
                let mut all: Vec<(String, bool)> = words.iter().map(|word| (format!("{word:?}"), true)).collect();
                all.push(("\"nonsense\"".into(), false));
                all
            }
            Takes::Words(words) => {
                let mut all: Vec<(String, bool)> = words.iter().map(|word| (format!("[{word:?}]"), true)).collect();
                all.extend([("[]".into(), false), ("[\"nonsense\"]".into(), false)]);
                all
            }
            Takes::Names(_) => vec![("3".into(), false)],
            Takes::Text(_) => vec![("3".into(), false)],
            Takes::ByVariable(_) => vec![("3".into(), false)],
        }
    }
}
