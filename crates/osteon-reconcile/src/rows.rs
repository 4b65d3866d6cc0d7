//! One verdict for each row of published numbers: could some data give all of them at the printed digits?
//!
//! A file of rows has the columns `id`, `type` and `payload` (a JSON object); other columns are ignored.

use serde_json::{Map, Value, json};

use crate::error::ReconcileError;
use crate::independence::{self, Effort, Test};
use crate::metrics;
use crate::moments::{self, Moments};
use crate::odds::{self, OddsRatio, TwoByTwo};
use crate::printed::Printed;
use osteon_stats::stats::distribution::normal_two_sided;

/// What is said of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub id: String,
    pub consistent: bool,
    /// What would agree: other group sizes, counts, p values, the tests or directions that fit.
    pub alternatives: Value,
}

/// Decimals of scores, statistics, p values and odds ratios: JSON numbers lose their trailing zeros.
const DECIMALS: u32 = 3;
/// Decimals of percentages.
const PERCENT_DECIMALS: u32 = 1;
/// How far from the declared ones other group sizes are tried.
const REACH: i64 = 3;

/// The verdict on every row of the CSV `text`, in order.
pub fn verdicts(text: &str) -> Result<Vec<Verdict>, ReconcileError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headers = reader.headers()?.clone();
    let column =
        |name: &'static str| headers.iter().position(|it| it.trim() == name).ok_or(ReconcileError::NoColumn { name });
    let (id, kind, payload) = (column("id")?, column("type")?, column("payload")?);
    let mut verdicts = Vec::new();
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |index: usize| record.get(index).unwrap_or("").trim();
        let refuse = |column: &'static str, why: String| ReconcileError::Cell { line, column, why };
        let object: Map<String, Value> = serde_json::from_str(cell(payload))
            .map_err(|cause| refuse("payload", format!("not a JSON object: {cause}")))?;
        let judged = judge(cell(kind), &Payload(&object)).map_err(|why| match why {
            Refused::Type => refuse("type", format!("{:?} is none of {}", cell(kind), TYPES.join(", "))),
            Refused::Payload(why) => refuse("payload", why),
        })?;
        verdicts.push(Verdict { id: cell(id).to_owned(), consistent: judged.0, alternatives: judged.1 });
    }
    Ok(verdicts)
}

const TYPES: [&str; 6] = ["metrics", "count_percent", "z_to_p", "table_p", "odds_ratio", "mean_sd_pool"];

enum Refused {
    Type,
    Payload(String),
}

type Judged = Result<(bool, Value), Refused>;

fn judge(kind: &str, payload: &Payload) -> Judged {
    match kind {
        "metrics" => classification(payload),
        "count_percent" => count_percent(payload),
        "z_to_p" => z_to_p(payload),
        "table_p" => table_p(payload),
        "odds_ratio" => odds_ratio(payload),
        "mean_sd_pool" => mean_sd_pool(payload),
        _ => Err(Refused::Type),
    }
}

fn classification(payload: &Payload) -> Judged {
    let (positives, negatives) = (payload.count("declared_pos")? as i64, payload.count("declared_neg")? as i64);
    let mut printed = Vec::new();
    for (key, _) in payload.0.iter().filter(|(key, value)| !key.starts_with("declared_") && !value.is_null()) {
        let score = metrics::score_named(key).ok_or_else(|| Refused::Payload(format!("unknown score {key:?}")))?;
        printed.push((score, payload.printed(key, DECIMALS)?));
    }
    let consistent = !metrics::matrices(&printed, positives, negatives).is_empty();
    Ok((consistent, json!(metrics::other_sizes(&printed, positives, negatives, REACH))))
}

fn count_percent(payload: &Payload) -> Judged {
    let (n, count) = (payload.count("n")? as i64, payload.count("count")? as i64);
    let percent = payload.printed("percent", PERCENT_DECIMALS)?;
    let fitting: Vec<i64> = (0..=n).filter(|&k| percent.is_ratio(100 * k, n)).collect();
    Ok((fitting.contains(&count), json!(fitting)))
}

fn z_to_p(payload: &Payload) -> Judged {
    let (z, p) = (payload.printed("z", DECIMALS)?, payload.printed("p", DECIMALS)?);
    let implied = Printed::of(normal_two_sided(z.value()), DECIMALS).value();
    Ok((p.meets(z.interval().magnitude().map(normal_two_sided)), json!([implied])))
}

fn table_p(payload: &Payload) -> Judged {
    let (table, p) = (payload.table("table")?, payload.printed("p", DECIMALS)?);
    let fitting: Vec<Test> = independence::tests(&table, Effort::Full)
        .into_iter()
        .filter(|tested| p.meets(tested.range()))
        .map(|tested| tested.test)
        .collect();
    // The likelihood ratio is rarely what a paper prints: named only where nothing else fits.
    let likely: Vec<Test> = fitting.iter().copied().filter(|&test| test != Test::LikelihoodRatio).collect();
    let fitting = if likely.is_empty() { fitting } else { likely };
    let fitting: Vec<&str> = fitting.into_iter().map(Test::word).collect();
    Ok((!fitting.is_empty(), json!(fitting)))
}

fn odds_ratio(payload: &Payload) -> Judged {
    let table = TwoByTwo {
        event_exposed: payload.count("event_exposed")?,
        other_exposed: payload.count("nonevent_exposed")?,
        event_rest: payload.count("event_unexposed")?,
        other_rest: payload.count("nonevent_unexposed")?,
    };
    let [estimate, low, high, p] = [
        payload.printed("OR", DECIMALS)?,
        payload.printed("lo", DECIMALS)?,
        payload.printed("hi", DECIMALS)?,
        payload.printed("p", DECIMALS)?,
    ];
    let fits = |table: TwoByTwo| {
        odds::wald(&table).is_some_and(|odds: OddsRatio| {
            estimate.is(odds.estimate) && low.meets(odds.low) && high.meets(odds.high) && p.is(odds.p)
        })
    };
    let fitting: Vec<&str> = [("as stated", table), ("inverted", table.inverted())]
        .into_iter()
        .filter(|&(_, table)| fits(table))
        .map(|(name, _)| name)
        .collect();
    Ok((!fitting.is_empty(), json!(fitting)))
}

fn mean_sd_pool(payload: &Payload) -> Judged {
    let group = |n: u64, mean: &str, sd: &str| -> Result<Moments, Refused> {
        Ok(Moments { n, mean: payload.printed(mean, 0)?, sd: payload.printed(sd, 0)?, is_error: false })
    };
    let (n1, n2) = (payload.count("n1")?, payload.count("n2")?);
    let groups = [group(n1, "mean1", "sd1")?, group(n2, "mean2", "sd2")?, group(n1 + n2, "mean", "sd")?];
    let [one, other, whole] = &groups;
    let pooled = moments::pool(&[one.group(), other.group()]);
    let (mean_ok, sd_ok) = (whole.mean.meets(pooled.mean), whole.sd.meets(pooled.sd));
    let integer = payload.0.get("integer_data").and_then(Value::as_bool).unwrap_or(false);
    let alternatives = if integer {
        json!({ "mean_ok": mean_ok, "sd_ok": sd_ok, "grim": groups.each_ref().map(Moments::passes_grim) })
    } else {
        json!({ "mean_ok": mean_ok, "sd_ok": sd_ok })
    };
    let consistent = mean_ok && sd_ok && (!integer || moments::whole_numbers_pool(one, other, whole));
    Ok((consistent, alternatives))
}

/// The numbers of a payload, each asked for by name.
struct Payload<'a>(&'a Map<String, Value>);

impl Payload<'_> {
    fn value(&self, key: &str) -> Result<&Value, Refused> {
        self.0.get(key).ok_or_else(|| Refused::Payload(format!("{key:?} is missing")))
    }

    fn count(&self, key: &str) -> Result<u64, Refused> {
        let value = self.value(key)?;
        let count = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|&n| n < 1_000_000);
        count.ok_or_else(|| Refused::Payload(format!("{key:?} is {value}, expected a count below a million")))
    }

    /// The number as printed; a JSON number gets back the zeros up to `decimals`.
    fn printed(&self, key: &str, decimals: u32) -> Result<Printed, Refused> {
        let value = self.value(key)?;
        let printed = match value {
            Value::String(text) => Printed::parse(text),
            Value::Number(_) => value.as_f64().and_then(|it| Printed::parse(&it.to_string())),
            _ => None,
        };
        let printed = printed.ok_or_else(|| Refused::Payload(format!("{key:?} is {value}, expected a number")))?;
        Ok(if value.is_number() { printed.at_least(decimals) } else { printed })
    }

    fn table(&self, key: &str) -> Result<Vec<Vec<u64>>, Refused> {
        let value = self.value(key)?;
        let table: Option<Vec<Vec<u64>>> = serde_json::from_value(value.clone()).ok();
        let sound = |table: &Vec<Vec<u64>>| {
            table.len() > 1
                && table.iter().all(|row| row.len() > 1 && row.len() == table[0].len())
                && table.iter().flatten().sum::<u64>() < 1_000_000
        };
        table.filter(sound).ok_or_else(|| Refused::Payload(format!("{key:?} is {value}, expected rows of counts")))
    }
}
