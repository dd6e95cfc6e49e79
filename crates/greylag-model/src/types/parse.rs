//! Reading a type's text form.

use super::{DataType, TimeUnit};
use std::str::FromStr;

/// Plain names: canonical ones first, then what other systems call them.
const NAMES: &[(&str, DataType)] = &[
    ("boolean", DataType::Boolean),
    ("int8", DataType::Int8),
    ("int16", DataType::Int16),
    ("int32", DataType::Int32),
    ("int64", DataType::Int64),
    ("uint8", DataType::UInt8),
    ("uint16", DataType::UInt16),
    ("uint32", DataType::UInt32),
    ("uint64", DataType::UInt64),
    ("float32", DataType::Float32),
    ("float64", DataType::Float64),
    ("date", DataType::Date),
    ("string", DataType::String),
    ("binary", DataType::Binary),
    ("bool", DataType::Boolean),
    ("tinyint", DataType::Int8),
    ("smallint", DataType::Int16),
    ("int", DataType::Int32),
    ("integer", DataType::Int32),
    ("bigint", DataType::Int64),
    ("utinyint", DataType::UInt8),
    ("usmallint", DataType::UInt16),
    ("uinteger", DataType::UInt32),
    ("ubigint", DataType::UInt64),
    ("real", DataType::Float32),
    ("float", DataType::Float32),
    ("double", DataType::Float64),
    ("text", DataType::String),
    ("varchar", DataType::String),
    ("utf8", DataType::String),
    ("blob", DataType::Binary),
    ("bytea", DataType::Binary),
    ("bytes", DataType::Binary),
    ("date32", DataType::Date),
];

/// Names that take arguments.
const TAKING: &[&str] = &["decimal", "numeric", "time", "timestamp", "timestamptz", "list", "array", "struct", "map"];

/// Types nest this deep at most.
const DEPTH: usize = 64;

const EXPECTED: &str = "expected e.g. `int64`, `decimal(15,2)`, `timestamp(us, UTC)`, `list<string>`, \
                        `struct<a: int32, b: string>` or `map<string, int64>`";

impl FromStr for DataType {
    type Err = String;

    /// Reads the canonical form and aliases (`bigint`, `text`, `double`, …); keywords in any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut reader = Reader { text, at: 0 };
        let data_type = reader.data_type(0)?;
        reader.space();
        match reader.rest() {
            "" => Ok(data_type),
            rest => Err(format!("`{rest}` follows the type `{data_type}`, where its text should end")),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, letter: char) -> bool {
        self.space();
        let found = self.rest().starts_with(letter);
        if found {
            self.at += letter.len_utf8();
        }
        found
    }

    fn expect(&mut self, letter: char, of: &str) -> Result<(), String> {
        if self.take(letter) {
            return Ok(());
        }
        match self.rest().chars().next() {
            Some(found) => Err(format!("expected `{letter}` in `{of}`, found `{found}`")),
            None => Err(format!("expected `{letter}` in `{of}`, found the end")),
        }
    }

    fn while_matching(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        self.space();
        let rest = self.rest();
        let end = rest.find(|letter| !accept(letter)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn word(&mut self) -> &'a str {
        self.while_matching(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    }

    fn data_type(&mut self, depth: usize) -> Result<DataType, String> {
        if depth > DEPTH {
            return Err(format!("types nest deeper than {DEPTH} levels"));
        }
        let written = self.word();
        let name = written.to_ascii_lowercase();
        if let Some((_, data_type)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(data_type.clone());
        }
        match name.as_str() {
            "" => Err(format!("expected a type, {EXPECTED}")),
            "decimal" | "numeric" => self.decimal(),
            "time" => Ok(DataType::Time(if self.take('(') { self.unit("time", true)? } else { TimeUnit::Us })),
            "timestamp" => self.timestamp(None),
            "timestamptz" => self.timestamp(Some("UTC")),
            "list" | "array" => {
                self.expect('<', "list<type>")?;
                let item = self.data_type(depth + 1)?;
                self.expect('>', "list<type>")?;
                Ok(DataType::List(Box::new(item)))
            }
            "struct" => self.fields(depth),
            "map" => {
                self.expect('<', "map<key type, value type>")?;
                let key = self.data_type(depth + 1)?;
                self.expect(',', "map<key type, value type>")?;
                let value = self.data_type(depth + 1)?;
                self.expect('>', "map<key type, value type>")?;
                Ok(DataType::Map(Box::new(key), Box::new(value)))
            }
            _ => {
                let near = NAMES
                    .iter()
                    .map(|(known, _)| *known)
                    .chain(TAKING.iter().copied())
                    .map(|known| (strsim::damerau_levenshtein(known, &name), known))
                    .filter(|(distance, known)| *distance <= known.len() / 3 + 1)
                    .min();
                let said = near.map_or(EXPECTED.to_owned(), |(_, known)| format!("did you mean `{known}`?"));
                Err(format!("`{written}` is not a type; {said}"))
            }
        }
    }

    fn number(&mut self, of: &str) -> Result<u8, String> {
        let digits = self.while_matching(|letter| letter.is_ascii_digit());
        digits.parse().map_err(|_| format!("expected a number in `{of}`, found `{}`", self.shown(digits)))
    }

    fn shown(&self, taken: &'a str) -> &'a str {
        if taken.is_empty() { self.rest() } else { taken }
    }

    fn decimal(&mut self) -> Result<DataType, String> {
        const FORM: &str = "decimal(precision,scale)";
        self.expect('(', FORM)?;
        let precision = self.number(FORM)?;
        let scale = if self.take(',') { self.number(FORM)? } else { 0 };
        self.expect(')', FORM)?;
        if !(1..=38).contains(&precision) {
            return Err(format!("a decimal's precision is 1 to 38, not {precision}"));
        }
        if scale > precision {
            return Err(format!("a decimal's scale is 0 to its precision of {precision}, not {scale}"));
        }
        Ok(DataType::Decimal { precision, scale })
    }

    fn unit(&mut self, of: &str, close: bool) -> Result<TimeUnit, String> {
        let word = self.word();
        let unit = match word.to_ascii_lowercase().as_str() {
            "s" | "0" => TimeUnit::S,
            "ms" | "3" => TimeUnit::Ms,
            "us" | "6" => TimeUnit::Us,
            "ns" | "9" => TimeUnit::Ns,
            _ => {
                return Err(format!(
                    "expected a unit `s`, `ms`, `us` or `ns` in `{of}(unit)`, found `{}`",
                    self.shown(word)
                ));
            }
        };
        if close {
            self.expect(')', &format!("{of}(unit)"))?;
        }
        Ok(unit)
    }

    fn timestamp(&mut self, default_zone: Option<&str>) -> Result<DataType, String> {
        let mut unit = TimeUnit::Us;
        let mut zone = default_zone.map(str::to_owned);
        if self.take('(') {
            unit = self.unit("timestamp", false)?;
            if self.take(',') {
                let name = self.while_matching(|letter| !matches!(letter, ')' | '(' | ',' | '<' | '>')).trim_end();
                zone = Some(canonical_zone(name)?);
            }
            self.expect(')', "timestamp(unit, zone)")?;
        }
        Ok(DataType::Timestamp { unit, zone })
    }

    fn fields(&mut self, depth: usize) -> Result<DataType, String> {
        const FORM: &str = "struct<name: type, …>";
        self.expect('<', FORM)?;
        let mut fields: Vec<(String, DataType)> = Vec::new();
        if self.take('>') {
            return Ok(DataType::Struct(fields));
        }
        loop {
            let name = self.field_name()?;
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(format!("the struct has two fields `{name}`"));
            }
            self.expect(':', FORM)?;
            fields.push((name, self.data_type(depth + 1)?));
            if !self.take(',') {
                self.expect('>', FORM)?;
                return Ok(DataType::Struct(fields));
            }
        }
    }

    fn field_name(&mut self) -> Result<String, String> {
        if !self.take('"') {
            let name = self.word();
            return if name.is_empty() {
                Err(format!("expected a field's name, found `{}`", self.rest()))
            } else {
                Ok(name.to_owned())
            };
        }
        let mut name = String::new();
        loop {
            let rest = self.rest();
            let Some(end) = rest.find('"') else { return Err("a quoted field name does not end".to_owned()) };
            name.push_str(&rest[..end]);
            self.at += end + 1;
            if !self.rest().starts_with('"') {
                return Ok(name);
            }
            name.push('"');
            self.at += 1;
        }
    }
}

/// A zone as types hold it: an IANA name as IANA spells it, or `+hh:mm`.
pub(crate) fn canonical_zone(name: &str) -> Result<String, String> {
    if name.eq_ignore_ascii_case("z") || name.eq_ignore_ascii_case("utc") {
        return Ok("UTC".to_owned());
    }
    if let Some(minutes) = fixed_offset(name) {
        let sign = if minutes < 0 { '-' } else { '+' };
        return Ok(format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60));
    }
    match chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name)) {
        Some(zone) => Ok(zone.name().to_owned()),
        None => {
            let near = chrono_tz::TZ_VARIANTS
                .iter()
                .map(|zone| (strsim::damerau_levenshtein(zone.name(), name), zone.name()))
                .min()
                .filter(|(distance, _)| *distance <= 4);
            let said = near.map_or("expected e.g. `UTC`, `Europe/Berlin` or `+02:00`".to_owned(), |(_, known)| {
                format!("did you mean `{known}`?")
            });
            Err(format!("`{name}` is not a time zone; {said}"))
        }
    }
}

/// Minutes east of UTC of `+hh:mm`, `-hh:mm`, `+hhmm` or `+hh`.
pub(crate) fn fixed_offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        5 if digits.as_bytes()[2] == b':' => (digits.get(..2)?, digits.get(3..)?),
        4 => digits.split_at_checked(2)?,
        2 => (digits, "00"),
        _ => return None,
    };
    if !hours.bytes().chain(minutes.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{DataType, NAMES, TimeUnit};
    use proptest::prelude::*;

    /// Any type, nested up to three levels.
    fn any_type() -> impl Strategy<Value = DataType> {
        let unit = prop_oneof![Just(TimeUnit::S), Just(TimeUnit::Ms), Just(TimeUnit::Us), Just(TimeUnit::Ns)];
        let zone = prop::option::of(prop_oneof![
            Just("UTC".to_owned()),
            Just("America/New_York".to_owned()),
            Just("Etc/GMT+3".to_owned()),
            Just("+05:30".to_owned()),
            Just("-08:00".to_owned())
        ]);
        let leaf = prop_oneof![
            (0..NAMES.len()).prop_map(|index| NAMES[index].1.clone()),
            (1u8..=38)
                .prop_flat_map(|precision| (Just(precision), 0..=precision))
                .prop_map(|(precision, scale)| { DataType::Decimal { precision, scale } }),
            unit.clone().prop_map(DataType::Time),
            (unit, zone).prop_map(|(unit, zone)| DataType::Timestamp { unit, zone }),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(|item| DataType::List(Box::new(item))),
                (inner.clone(), inner.clone()).prop_map(|(key, value)| DataType::Map(Box::new(key), Box::new(value))),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|fields| DataType::Struct(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn text_form_round_trips(data_type in any_type()) {
            prop_assert_eq!(data_type.to_string().parse::<DataType>().unwrap(), data_type);
        }

        #[test]
        fn rubbish_never_panics(text in "\\PC*") {
            let _ = text.parse::<DataType>();
        }
    }

    #[test]
    fn aliases_have_a_canonical_form() {
        let check = |text: &str, canonical: &str| assert_eq!(text.parse::<DataType>().unwrap().to_string(), canonical);
        check("bigint", "int64");
        check("TEXT", "string");
        check(" double ", "float64");
        check("numeric( 10 , 2 )", "decimal(10,2)");
        check("decimal(10)", "decimal(10,0)");
        check("timestamp", "timestamp(us)");
        check("timestamptz", "timestamp(us, UTC)");
        check("timestamp(ms,europe/berlin)", "timestamp(ms, Europe/Berlin)");
        check("timestamp(ns, +0530)", "timestamp(ns, +05:30)");
        check("array<Struct<\"a \"\"b\": int, c:date>>", "list<struct<\"a \"\"b\": int32, c: date>>");
    }

    #[test]
    fn errors_say_what_is_expected() {
        let check = |text: &str, message: &str| assert_eq!(text.parse::<DataType>().unwrap_err(), message);
        check("strin", "`strin` is not a type; did you mean `string`?");
        check("decimal(39,2)", "a decimal's precision is 1 to 38, not 39");
        check("decimal(5,6)", "a decimal's scale is 0 to its precision of 5, not 6");
        check("decimal", "expected `(` in `decimal(precision,scale)`, found the end");
        check("timestamp(us, Europe/Berln)", "`Europe/Berln` is not a time zone; did you mean `Europe/Berlin`?");
        check("list<int32", "expected `>` in `list<type>`, found the end");
        check("int32 x", "`x` follows the type `int32`, where its text should end");
        check("struct<a: int8, a: int8>", "the struct has two fields `a`");
        let deep = "list<".repeat(100);
        check(&deep, "types nest deeper than 64 levels");
    }
}
