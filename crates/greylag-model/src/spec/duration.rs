//! Lengths of time as files give them: a whole number and a unit, `250ms`, `30s`, `5m`, `6h`, `14d`.

/// What the schema holds durations against.
pub(super) const PATTERN: &str = r"^[0-9]{1,12}(ms|s|m|h|d)$";

/// Units and their milliseconds.
const UNITS: [(&str, i64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Longest duration, milliseconds: a hundred years, so that adding one to any instant stays in range.
pub const LONGEST_MILLIS: i64 = 36_500 * 86_400_000;

/// Reads a duration into milliseconds. The error says what is wrong with it, as the end of a sentence.
pub fn parse(text: &str) -> Result<i64, &'static str> {
    let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let factor = factor.filter(|_| digits > 0).ok_or("is not a whole number and one of `ms`, `s`, `m`, `h`, `d`")?;
    let millis = number.parse::<i64>().ok().and_then(|number| number.checked_mul(factor));
    millis.filter(|millis| *millis <= LONGEST_MILLIS).ok_or("is longer than 100 years (`36500d`)")
}

/// The shortest text of a number of milliseconds; [`parse`] reads it back.
pub fn text(millis: i64) -> String {
    let millis = millis.max(0);
    let fits = |factor: i64| millis != 0 && millis % factor == 0;
    let (unit, factor) = UNITS.iter().rev().find(|(_, factor)| fits(*factor)).unwrap_or(&UNITS[1]);
    format!("{}{unit}", millis / factor)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_MILLIS, parse, text};

    #[test]
    fn numbers_and_units() {
        for (input, millis) in
            [("250ms", 250), ("0s", 0), ("30s", 30_000), ("5m", 300_000), ("6h", 21_600_000), ("14d", 1_209_600_000)]
        {
            assert_eq!(parse(input), Ok(millis), "{input}");
            assert_eq!(text(millis), input);
        }
        assert_eq!(parse("36500d"), Ok(LONGEST_MILLIS));
        assert_eq!(text(90_000), "90s");
    }

    #[test]
    fn what_is_not_one() {
        for input in ["", "5", "s", "5 m", "5M", "5min", "-5m", "1.5h", "1h30m", "٣s", "5w"] {
            assert_eq!(parse(input), Err("is not a whole number and one of `ms`, `s`, `m`, `h`, `d`"), "{input}");
        }
        for input in ["36501d", "9223372036854775807d", "99999999999999999999s"] {
            assert_eq!(parse(input), Err("is longer than 100 years (`36500d`)"), "{input}");
        }
    }
}
