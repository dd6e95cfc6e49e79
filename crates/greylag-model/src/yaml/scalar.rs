//! Plain scalars by the core schema of YAML 1.2 (section 10.3.2): no `yes`, no `0777`, no dates.

use super::node::Kind;
use serde_json::Number;

/// Reads a plain scalar; `Err` if it is a number that cannot be kept exactly or at all (infinities, NaN, integers
/// beyond 64 bits).
pub(super) fn plain(text: &str) -> Result<Kind, ()> {
    let own = || Box::<str>::from(text);
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Kind::Null),
        "true" | "True" | "TRUE" => return Ok(Kind::Boolean(true, own())),
        "false" | "False" | "FALSE" => return Ok(Kind::Boolean(false, own())),
        _ => {}
    }
    let numeric = text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.'));
    match if numeric { number(text) } else { Reading::Text } {
        Reading::Number(number) => Ok(Kind::Number(number, own())),
        Reading::Lost => Err(()),
        Reading::Text => Ok(Kind::String(own(), super::Style::Plain)),
    }
}

/// What a plain scalar is taken for.
enum Reading {
    Text,
    Number(Number),
    /// A number that cannot be kept.
    Lost,
}

impl From<Option<Number>> for Reading {
    fn from(number: Option<Number>) -> Self {
        number.map_or(Self::Lost, Self::Number)
    }
}

fn number(text: &str) -> Reading {
    if let Some(digits) = text.strip_prefix("0x").filter(|digits| all(digits, |byte| byte.is_ascii_hexdigit())) {
        return u64::from_str_radix(digits, 16).ok().map(Number::from).into();
    }
    if let Some(digits) = text.strip_prefix("0o").filter(|digits| all(digits, |byte| matches!(byte, b'0'..=b'7'))) {
        return u64::from_str_radix(digits, 8).ok().map(Number::from).into();
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Reading::Lost;
    }
    if all(unsigned, |byte| byte.is_ascii_digit()) {
        let text = text.strip_prefix('+').unwrap_or(text);
        let signed = text.parse::<i64>().ok().map(Number::from);
        return signed.or_else(|| text.parse::<u64>().ok().map(Number::from)).into();
    }
    let Some(value) = text.parse::<f64>().ok().filter(|_| is_float(unsigned)) else { return Reading::Text };
    let negative_zero = value == 0.0 && value.is_sign_negative();
    let whole = value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 && !negative_zero;
    // `1.0` is `1`, as in JSON for JavaScript: whoever wants a whole number takes either.
    if whole { Reading::Number(Number::from(value as i64)) } else { Number::from_f64(value).into() }
}

/// `\. [0-9]+ | [0-9]+ ( \. [0-9]* )?`, then perhaps an exponent.
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let digits = |text: &str| all(text, |byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    mantissa_fits && exponent.is_none_or(digits)
}

fn all(text: &str, test: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(test)
}

#[cfg(test)]
mod tests {
    use super::plain;
    use crate::yaml::Kind;

    fn check(text: &str, expected: &str) {
        let seen = match plain(text) {
            Ok(Kind::Null) => "null".to_owned(),
            Ok(Kind::Boolean(value, _)) => format!("boolean {value}"),
            Ok(Kind::Number(value, _)) => format!("number {value}"),
            Ok(Kind::String(value, _)) => format!("text {value}"),
            Ok(_) => "collection".to_owned(),
            Err(()) => "refused".to_owned(),
        };
        assert_eq!(seen, expected, "for `{text}`");
    }

    #[test]
    fn core_schema() {
        for text in ["", "~", "null", "Null", "NULL"] {
            check(text, "null");
        }
        check("TRUE", "boolean true");
        check("False", "boolean false");
        for text in ["yes", "no", "on", "y", "nULL", "tRUE", "0b1", "1_000", "12:30", "2024-01-01", "-", "+", ".", "e1"]
        {
            check(text, &format!("text {text}"));
        }
        check("007", "number 7");
        check("0o17", "number 15");
        check("0xfF", "number 255");
        check("-12", "number -12");
        check("+12", "number 12");
        check("18446744073709551615", "number 18446744073709551615");
        check("1.", "number 1");
        check(".5", "number 0.5");
        check("1e3", "number 1000");
        check("-1.5E-3", "number -0.0015");
        check("-0.0", "number -0.0");
        for text in ["0x", "0o8", "1e", "1.2.3", "..5", "1.e", "-.inff"] {
            check(text, &format!("text {text}"));
        }
        for text in [".inf", "-.Inf", ".NaN", "18446744073709551616", "-9223372036854775809", "1e999"] {
            check(text, "refused");
        }
    }
}
