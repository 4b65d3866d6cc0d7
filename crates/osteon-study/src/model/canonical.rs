//! The form of a JSON document of which the hash is made: RFC 8785, the JSON Canonicalization Scheme.
//!
//! No white space; members sorted by their names as UTF-16; numbers as ECMAScript writes a double; strings with the
//! shortest escapes. So the hash does not depend on who wrote the file, or on its line breaks.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The member that holds the hash, which is made of all others.
pub const HASH: &str = "sha256";

/// SHA-256 of a document without its own member `sha256`, lower case hexadecimal.
pub fn hash(document: &Value) -> String {
    let mut rest = document.clone();
    if let Value::Object(members) = &mut rest {
        members.shift_remove(HASH);
    }
    osteon_base::text::hex(Sha256::digest(canonical(&rest)))
}

/// The document in its canonical form.
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => out.push_str(&value.to_string()),
        Value::Number(number) => out.push_str(&decimal(number.as_f64().unwrap_or(f64::NAN))),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (at, name) in names.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&Value::String(name.clone()).to_string());
                out.push(':');
                write(&members[name], out);
            }
            out.push('}');
        }
    }
}

/// A finite double as ECMAScript's `Number::toString` writes it (ECMA-262, 6.1.6.1.20).
fn decimal(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // serde_json (Ryu) writes the shortest digits that read back, the even one of two as near: those of ECMAScript.
    let text = serde_json::Number::from_f64(value.abs()).map(|number| number.to_string()).unwrap_or_default();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i32 = exponent.parse().expect("the exponent is a whole number");
    let all = format!("{whole}{part}");
    let leading = all.len() - all.trim_start_matches('0').len();
    let digits = all.trim_matches('0').to_owned();
    let (k, n) = (digits.len() as i32, whole.len() as i32 - leading as i32 + exponent);
    let sign = if value < 0.0 { "-" } else { "" };
    let zeros = |count: i32| "0".repeat(count.max(0) as usize);
    match n {
        _ if k <= n && n <= 21 => format!("{sign}{digits}{}", zeros(n - k)),
        1..=21 => format!("{sign}{}.{}", &digits[..n as usize], &digits[n as usize..]),
        -5..=0 => format!("{sign}0.{}{digits}", zeros(-n)),
        _ => {
            let plus = if n > 0 { "+" } else { "" };
            let rest = if k > 1 { format!(".{}", &digits[1..]) } else { String::new() };
            format!("{sign}{}{rest}e{plus}{}", &digits[..1], n - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_those_of_rfc_8785() {
        // Appendix B of RFC 8785: IEEE 754 bits and their text.
        for (bits, text) in [
            (0x0000000000000000, "0"),
            (0x8000000000000000, "0"),
            (0x0000000000000001, "5e-324"),
            (0x8000000000000001, "-5e-324"),
            (0x7fefffffffffffff, "1.7976931348623157e+308"),
            (0xffefffffffffffff, "-1.7976931348623157e+308"),
            (0x4340000000000000, "9007199254740992"),
            (0xc340000000000000, "-9007199254740992"),
            (0x4430000000000000, "295147905179352830000"),
            (0x44b52d02c7e14af5, "9.999999999999997e+22"),
            (0x44b52d02c7e14af6, "1e+23"),
            (0x44b52d02c7e14af7, "1.0000000000000001e+23"),
            (0x444b1ae4d6e2ef4e, "999999999999999700000"),
            (0x444b1ae4d6e2ef4f, "999999999999999900000"),
            (0x444b1ae4d6e2ef50, "1e+21"),
            (0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"),
            (0x3eb0c6f7a0b5ed8d, "0.000001"),
            (0x41b3de4355555553, "333333333.3333332"),
            (0x41b3de4355555554, "333333333.33333325"),
            (0x41b3de4355555555, "333333333.3333333"),
            (0x41b3de4355555556, "333333333.3333334"),
            (0x41b3de4355555557, "333333333.33333343"),
            (0xbecbf647612f3696, "-0.0000033333333333333333"),
            (0x43143ff3c1cb0959, "1424953923781206.2"),
        ] {
            assert_eq!(decimal(f64::from_bits(bits)), text);
        }
    }

    #[test]
    fn members_are_sorted_as_rfc_8785_sorts_them() {
        // Section 3.2.3 of RFC 8785.
        let text = r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#;
        let sorted = canonical(&serde_json::from_str(text).unwrap());
        let order = ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"];
        let places: Vec<usize> = order.iter().map(|word| sorted.find(word).unwrap()).collect();
        assert!(places.is_sorted(), "{sorted}");
    }

    #[test]
    fn the_hash_is_of_all_members_but_itself() {
        let one = json!({"b": [1.0, null, true], "a": "x\n", "sha256": "0"});
        assert_eq!(canonical(&one), r#"{"a":"x\n","b":[1,null,true],"sha256":"0"}"#);
        let other = json!({"a": "x\n", "b": [1, null, true], "sha256": "1"});
        assert_eq!(hash(&one), hash(&other));
        assert_ne!(hash(&one), hash(&json!({"a": "x", "b": [1.0, null, true]})));
    }
}
