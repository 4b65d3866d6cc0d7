//! Feature values as text that keeps every bit: CSV and JSON with 17 significant digits.

/// One value of one region; text where it is a diagnostic.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Empty when it belongs to no region.
    pub roi: String,
    pub feature: String,
    pub value: Value,
}

/// A number, its absence, or a word about the run.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Number(f64),
    Undefined,
    Text(String),
}

/// `roi,feature,value`, one line a row; an undefined value is an empty field.
pub fn csv(rows: &[Row]) -> String {
    let mut text = String::from("roi,feature,value\n");
    for Row { roi, feature, value } in rows {
        text.push_str(&quoted(roi));
        text.push(',');
        text.push_str(&quoted(feature));
        text.push(',');
        match value {
            Value::Number(number) => text.push_str(&significant(*number)),
            Value::Undefined => (),
            Value::Text(words) => text.push_str(&quoted(words)),
        }
        text.push('\n');
    }
    text
}

/// An array of objects with `roi`, `feature` and `value`; an undefined value is `null`.
pub fn json(rows: &[Row]) -> String {
    let string = |text: &str| serde_json::Value::from(text).to_string();
    let object = |Row { roi, feature, value }: &Row| {
        let value = match value {
            Value::Number(number) => significant(*number),
            Value::Undefined => "null".to_owned(),
            Value::Text(words) => string(words),
        };
        format!("{{\"roi\":{},\"feature\":{},\"value\":{value}}}", string(roi), string(feature))
    };
    format!("[\n{}\n]\n", rows.iter().map(object).collect::<Vec<_>>().join(",\n"))
}

/// A finite number with 17 significant digits, as C's `%.17g` writes it.
pub fn significant(value: f64) -> String {
    let scientific = format!("{value:.16e}");
    let (digits, exponent) = scientific.split_once('e').expect("the notation has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    let trimmed = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
    if !(-4..17).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(digits), exponent.abs());
    }
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let digits = digits.replace('.', "");
    let text = match exponent {
        16 => digits,
        0.. => {
            let (whole, part) = digits.split_at(exponent as usize + 1);
            trimmed(&format!("{whole}.{part}"))
        }
        _ => trimmed(&format!("0.{}{digits}", "0".repeat(-exponent as usize - 1))),
    };
    format!("{sign}{text}")
}

/// A field of CSV.
pub fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_c_prints_them_and_read_back_the_same() {
        let cases = [
            (632.0, "632"),
            (-0.094_389_388_087_382_98, "-0.09438938808738298"),
            (11_579_797_135.314_934, "11579797135.314934"),
            (1e6, "1000000"),
            (1e-7, "9.9999999999999995e-08"),
            (1e22, "1e+22"),
            (0.0, "0"),
            (0.1, "0.10000000000000001"),
        ];
        for (value, text) in cases {
            assert_eq!(significant(value), text);
            assert_eq!(text.parse::<f64>(), Ok(value));
        }
    }

    #[test]
    fn a_field_with_a_comma_is_quoted_and_a_hole_is_empty() {
        let row = |feature: &str, value| Row { roi: "intra".into(), feature: feature.into(), value };
        let rows = [row("size", Value::Text("(1, 2)".into())), row("mean", Value::Undefined)];
        assert_eq!(csv(&rows), "roi,feature,value\nintra,size,\"(1, 2)\"\nintra,mean,\n");
        assert!(json(&rows).contains("\"value\":null"));
    }
}
