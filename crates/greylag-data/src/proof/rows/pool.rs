//! The values that a column is drawn from.
//!
//! Three kinds: a small domain that all columns of a family share, so that joins match and miss and groups have several
//! rows; the literals of the texts with their neighbours, so that comparisons go both ways; and a few others, odd ones and extremes.

use super::draws::Draws;
use greylag_model::cast::convert;
use greylag_model::types::DataType;
use greylag_model::value::Value;

/// Literals of a kind that are used at most.
const MOST: usize = 60;
/// How deep lists and structs are filled.
const DEPTH: u32 = 4;

/// The literals of texts, without repetition.
#[derive(Clone, Debug, Default)]
pub(in crate::proof) struct Literals {
    /// Numbers as written.
    pub(in crate::proof) numbers: Vec<String>,
    /// Strings.
    pub(in crate::proof) texts: Vec<String>,
}

impl Literals {
    /// Adds a number.
    pub(in crate::proof) fn number(&mut self, text: &str) {
        if !self.numbers.iter().any(|known| known == text) {
            self.numbers.push(text.to_owned());
        }
    }

    /// Adds a string.
    pub(in crate::proof) fn text(&mut self, text: &str) {
        if text.len() <= 256 && !self.texts.iter().any(|known| known == text) {
            self.texts.push(text.to_owned());
        }
    }
}

/// Values of a type, by kind.
#[derive(Clone, Debug, Default)]
pub(in crate::proof) struct Pool {
    small: Vec<Value>,
    literal: Vec<Value>,
    other: Vec<Value>,
}

impl Pool {
    /// The values of a type. `wild` has extremes among them, on which arithmetic may fail.
    pub(in crate::proof) fn of(data_type: &DataType, literals: &Literals, wild: bool) -> Self {
        let mut pool = Self::default();
        let read = |text: &str| convert(Value::String(text.to_owned()), &DataType::String, data_type, None).ok();
        pool.small = small(data_type).iter().filter_map(|text| read(text)).collect();
        for text in spread(&literals.numbers).flat_map(|number| around(number)) {
            pool.literal.extend(read(&text));
        }
        for text in spread(&literals.texts) {
            for text in variants(text, data_type) {
                pool.literal.extend(read(&text));
            }
        }
        pool.other = others(data_type).iter().filter_map(|text| read(text)).collect();
        match data_type {
            DataType::Binary => {
                pool.small = [&b"a"[..], b"b", b"c"].map(|bytes| Value::Binary(bytes.to_vec())).to_vec();
                pool.other = vec![Value::Binary(Vec::new()), Value::Binary(vec![0, 255])];
            }
            _ if data_type.is_nested() => pool.small = nested(data_type, literals),
            _ => {}
        }
        if let Some((least, most)) = data_type.integer_range().filter(|_| wild) {
            pool.other.extend([least, most, most / 2].map(Value::Int));
        }
        pool
    }

    /// Draws a value; null now and then where that may be.
    pub(in crate::proof) fn draw(&self, draws: &mut Draws, nullable: bool) -> Value {
        if nullable && draws.chance(14) {
            return Value::Null;
        }
        let kind = draws.below(100);
        let of = match kind {
            0..45 => &self.small,
            45..85 if !self.literal.is_empty() => &self.literal,
            45..85 => &self.small,
            _ if self.other.is_empty() => &self.small,
            _ => &self.other,
        };
        let drawn = draws.one(of).or_else(|| self.small.first()).or_else(|| self.other.first());
        drawn.cloned().unwrap_or(Value::Null)
    }
}

/// Some of many, from everywhere among them.
fn spread(all: &[String]) -> impl Iterator<Item = &String> {
    let step = all.len().div_ceil(MOST).max(1);
    all.iter().step_by(step)
}

/// A number and its neighbours.
fn around(number: &str) -> Vec<String> {
    match number.split_once('.') {
        None => match number.parse::<i128>() {
            Ok(whole) => [whole, whole.saturating_sub(1), whole.saturating_add(1)].map(|n| n.to_string()).to_vec(),
            Err(_) => vec![number.to_owned()],
        },
        Some((whole, _)) => {
            let mut texts = vec![number.to_owned()];
            if let Ok(whole) = whole.parse::<i128>() {
                texts.extend([whole, whole.saturating_add(1)].map(|n| n.to_string()));
            }
            texts
        }
    }
}

/// A string, as it is and as something that compares or matches otherwise.
fn variants(text: &str, data_type: &DataType) -> Vec<String> {
    match data_type {
        DataType::String => {
            let filled = text.replace('%', "q").replace('_', "r");
            let mut all = vec![text.to_owned(), filled, format!("{text}z"), text.to_uppercase(), text.to_lowercase()];
            all.dedup();
            all
        }
        _ => vec![text.to_owned()],
    }
}

const NUMBERS: &[&str] = &["0", "1", "2", "3", "4", "5"];
const DATES: &[&str] = &["2024-01-01", "2024-01-02", "2024-01-03", "2024-02-29"];
const TIMES: &[&str] = &["00:00:00", "01:00:00", "12:30:00"];
const WALL: &[&str] = &["2024-01-01 00:00:00", "2024-01-01 12:30:00", "2024-01-02 00:00:00", "2024-02-29 23:59:59"];
const INSTANTS: &[&str] =
    &["2024-01-01 00:00:00Z", "2024-01-01 12:30:00Z", "2024-01-02 00:00:00Z", "2024-02-29 23:59:59Z"];

/// What all columns of a type share.
fn small(data_type: &DataType) -> &'static [&'static str] {
    match data_type {
        DataType::Boolean => &["true", "false"],
        DataType::Date => DATES,
        DataType::Time(_) => TIMES,
        DataType::Timestamp { zone: None, .. } => WALL,
        DataType::Timestamp { .. } => INSTANTS,
        DataType::String => &["a", "b", "c", "1", "2", "3"],
        _ if data_type.is_number() => NUMBERS,
        _ => &[],
    }
}

/// The odd ones.
fn others(data_type: &DataType) -> &'static [&'static str] {
    match data_type {
        DataType::Date => &["1969-12-31", "1999-12-31", "2030-06-15"],
        DataType::Time(_) => &["23:59:59"],
        DataType::Timestamp { zone: None, .. } => &["1969-12-31 23:59:59", "2030-06-15 06:07:08"],
        DataType::Timestamp { .. } => &["1969-12-31 23:59:59Z", "2030-06-15 06:07:08Z"],
        DataType::String => &[
            "",
            "A",
            "Ab",
            "a b",
            "b c",
            "true",
            "false",
            "0",
            "4.5",
            "17",
            "-1",
            "1.25",
            "2024-01-01",
            "2024-01-02",
            "2024-01-02 03:04:05",
            "2024-01-02T03:04:05Z",
            "12:30:00",
            "a@b.c",
            "c-d",
            "a,b",
            "x/y",
            "a_b",
            "é",
            "x",
            "y",
            "zz",
            "100",
            "250.75",
            "2023-07-08",
        ],
        DataType::Float32 | DataType::Float64 => &["0.5", "2.5", "-1.25", "17", "100", "1000.75"],
        DataType::Decimal { .. } => &["0.5", "2.25", "-1.5", "17", "100", "1000.75", "-3"],
        _ if data_type.is_number() => &["7", "11", "17", "42", "100", "101", "-1", "-3", "1000", "30000", "100000"],
        _ => &[],
    }
}

fn nested(data_type: &DataType, literals: &Literals) -> Vec<Value> {
    let mut draws = Draws::new(7, "nested");
    (0..6).map(|_| nested_value(data_type, literals, &mut draws, DEPTH)).collect()
}

fn nested_value(data_type: &DataType, literals: &Literals, draws: &mut Draws, depth: u32) -> Value {
    let next = |of: &DataType, draws: &mut Draws| match depth {
        0 => Value::Null,
        _ if of.is_nested() => nested_value(of, literals, draws, depth - 1),
        _ => Pool::of(of, literals, false).draw(draws, true),
    };
    match data_type {
        DataType::List(item) => Value::List((0..draws.below(4)).map(|_| next(item, draws)).collect()),
        DataType::Struct(fields) => Value::Struct(fields.iter().map(|(_, field)| next(field, draws)).collect()),
        DataType::Map(key, value) => {
            let drawn = Pool::of(key, literals, false).draw(draws, false);
            Value::Map(vec![(drawn, next(value, draws))])
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_come_with_their_neighbours() {
        let mut literals = Literals::default();
        literals.number("17.5");
        literals.number("13");
        literals.text("ab%");
        let ints = Pool::of(&DataType::Int32, &literals, false);
        assert_eq!(ints.literal, [17, 18, 13, 12, 14].map(Value::Int));
        let texts = Pool::of(&DataType::String, &literals, false);
        assert!(texts.literal.contains(&Value::String("abq".to_owned())));
        assert!(!ints.other.contains(&Value::Int(i32::MAX.into())));
        assert!(Pool::of(&DataType::Int32, &literals, true).other.contains(&Value::Int(i32::MAX.into())));
    }

    #[test]
    fn every_type_has_values() {
        let types = "boolean int8 uint64 float32 decimal(9,2) date time(us) timestamp(ns) string binary list<int64> map<string,int64>";
        for text in types.split(' ').chain(["timestamp(us, UTC)", "struct<a: int64, b: list<string>>"]) {
            let Ok(data_type) = text.parse::<DataType>() else { panic!("{text}") };
            let pool = Pool::of(&data_type, &Literals::default(), true);
            let different: std::collections::HashSet<String> = pool.small.iter().map(|v| format!("{v:?}")).collect();
            assert!(different.len() > 1, "{text}: {pool:?}");
        }
    }
}
