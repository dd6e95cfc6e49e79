//! Durations as migration files write them: a whole number and a unit.

/// Milliseconds of `500ms`, `10s`, `30m`, `6h`, `14d`; `None` if the text is not a duration or overflows.
pub fn parse_millis(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::parse_millis;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        let read = ["500ms", "10s", "30m", "6 h", "14d", "0s", "1.5h", "h", "10", "-1s", "99999999999999999d"];
        let millis = read.map(parse_millis);
        let expected = [500, 10_000, 1_800_000, 21_600_000, 1_209_600_000, 0].map(Some);
        assert_eq!(millis[..6], expected);
        assert_eq!(millis[6..], [None; 5]);
    }
}
