//! In a reader process: what DuckDB showed of two runs, compared.

use super::side::{Item, Side};
use super::stage::names;
use super::text::Text;
use super::types;
use crate::proof::compare::{How, compare};
use crate::proof::effects::{Effects, Target, compared};
use crate::proof::frame::Frame;
use crate::proof::rows::pool::Literals;
use crate::proof::run::unprovable;
use greylag_driver::error::DriverError;
use greylag_model::proof::{Content, Difference, DifferenceKind, Outcome, ProofRequest, Reason};
use greylag_model::types::DataType;
use greylag_model::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// Two runs to compare.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JudgeRequest {
    /// What is to be proven.
    pub(super) proof: ProofRequest,
    pub(super) nonce: String,
    /// What was shown of the old text.
    pub(super) one: String,
    /// What was shown of the other run.
    pub(super) other: String,
    pub(super) pair: Pair,
}

/// What the other run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pair {
    /// That of the new text.
    Texts,
    /// That of the old text with its rows in another order; whether the order of results is compared, too.
    Again {
        /// It is.
        ordered: bool,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// A difference, or why none can be told; nothing if they are the same.
    pub(super) outcome: Option<Outcome>,
    /// Rows that came of the old text.
    pub(super) rows_out: u64,
    /// The version of DuckDB.
    pub(super) version: String,
}

/// What was shown of a side.
#[derive(Clone, Debug, Default)]
struct Shown {
    version: String,
    items: Vec<Table>,
    others: u64,
}

/// One item.
#[derive(Clone, Debug, Default)]
struct Table {
    names: Vec<String>,
    types: Vec<String>,
    rows: Vec<Map<String, Json>>,
    count: u64,
}

/// Works on a request.
pub(crate) fn judge(asked: &JudgeRequest) -> Result<Judged, DriverError> {
    let request = &asked.proof;
    let texts = asked.pair == Pair::Texts;
    let items = |text: &str, old: bool| -> Result<Vec<Item>, Outcome> {
        let (text, word) = (Text::of(text, &mut Literals::default())?, if old { "old" } else { "new" });
        Ok(Side { word, text: &text, names: &names(request, old), nonce: &asked.nonce }.items())
    };
    let one = items(&request.old, true).and_then(|items| Ok((shown(&asked.one, &asked.nonce)?, items)));
    let other = if texts { items(&request.new, false) } else { items(&request.old, true) };
    let other = other.and_then(|items| Ok((shown(&asked.other, &asked.nonce)?, items)));
    let told = |outcome| Ok(Judged { outcome: Some(outcome), rows_out: 0, version: String::new() });
    let ((one, one_items), (other, other_items)) = match (one, other) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(outcome), _) | (_, Err(outcome)) => return told(outcome),
    };
    let rows_out = one.items.iter().map(|item| item.count).sum();
    let version = one.version.clone();
    let outcome = match asked.pair {
        Pair::Again { ordered } => again(&one, &other, &one_items, ordered).map(Outcome::Different),
        Pair::Texts => match nested(request, &[(&one, &one_items), (&other, &other_items)]) {
            Some(outcome) => Some(outcome),
            None => both(request, (&one, &one_items), (&other, &other_items))?.map(Outcome::Different),
        },
    };
    Ok(Judged { outcome, rows_out, version })
}

/// How what the new text did differs.
fn both(
    request: &ProofRequest,
    (one, one_items): (&Shown, &[Item]),
    (other, other_items): (&Shown, &[Item]),
) -> Result<Option<Difference>, DriverError> {
    if let Some(found) = compared(request, effects(one, one_items), effects(other, other_items))? {
        return Ok(Some(found));
    }
    // Same in number and meaning: what is left are types that are compared by their words.
    let pairs = one.items.iter().zip(&other.items).zip(one_items);
    let is_relation = |item: &Item| matches!(item.target, Some(Target::Relation(_)));
    Ok(pairs.filter(|(_, item)| !is_relation(item)).find_map(|((one, other), _)| other_types(one, other)))
}

/// The first column whose type has no equal here and is another one.
fn other_types(one: &Table, other: &Table) -> Option<Difference> {
    let mut columns = one.types.iter().zip(&other.types).zip(&one.names);
    let ((was, is), name) = columns.find(|((was, is), _)| was != is && types::read(was).is_none())?;
    let why = format!("column `{name}` is `{is}` and was `{was}`");
    Some(Difference { kind: DifferenceKind::Columns, why, columns: vec![name.clone()], ..Difference::default() })
}

/// How two runs of one text differ.
fn again(one: &Shown, other: &Shown, items: &[Item], ordered: bool) -> Option<Difference> {
    let mut pairs = one.items.iter().zip(&other.items).zip(items);
    pairs.find_map(|((one, other), item)| {
        let how = How { ordered: ordered && item.ordered, strict: true };
        compare(&one.frame(), &other.frame(), how, "the result")
    })
}

/// Why a changed dataset that was written cannot be told back: its nested values come as text.
fn nested(request: &ProofRequest, sides: &[(&Shown, &[Item])]) -> Option<Outcome> {
    let last = |items: &[Item]| items.iter().rposition(|item| item.target.is_none());
    for (shown, items) in sides {
        for (at, (table, item)) in shown.items.iter().zip(*items).enumerate() {
            let relation = match item.target {
                Some(Target::Relation(relation)) => Some(relation),
                None if last(items) == Some(at) => request.makes,
                _ => None,
            };
            let content = relation.and_then(|relation| request.relations.get(relation)).map(|known| &known.content);
            let is_changed = matches!(content, Some(Content::Changed(_)));
            if is_changed && table.types.iter().any(|name| types::read(name).is_none()) {
                let why = "a column of a changed dataset has a type that is not told back from DuckDB";
                return Some(unprovable(Reason::Unsupported, why));
            }
        }
    }
    None
}

fn effects(shown: &Shown, items: &[Item]) -> Effects {
    let mut effects = Effects::default();
    for (table, item) in shown.items.iter().zip(items) {
        match &item.target {
            None => effects.results.push((table.frame(), item.ordered)),
            Some(target) => {
                effects.tables.insert(target.clone(), table.frame());
            }
        }
    }
    effects
}

impl Table {
    fn frame(&self) -> Frame {
        let types: Vec<DataType> =
            self.types.iter().map(|name| types::read(name).unwrap_or(DataType::String)).collect();
        let value = |row: &Map<String, Json>, name: &String, data_type| match row.get(name) {
            Some(Json::String(text)) => types::value(text, data_type),
            _ => Value::Null,
        };
        let row = |row| self.names.iter().zip(&types).map(|(name, of)| value(row, name, of)).collect();
        Frame { names: self.names.clone(), rows: self.rows.iter().map(row).collect(), types }
    }
}

/// Reads what was shown.
fn shown(output: &str, nonce: &str) -> Result<Shown, Outcome> {
    let odd = || unprovable(Reason::Unsupported, "DuckDB shows something else than what it was asked for");
    let mut shown = Shown::default();
    let mut whole = false;
    for line in output.lines().filter(|line| !line.trim().is_empty()) {
        let row: Map<String, Json> = serde_json::from_str(line).map_err(|_| odd())?;
        let marks = row.iter().filter_map(|(key, value)| Some((key.strip_prefix(nonce)?.strip_prefix('.')?, value)));
        let marks: Vec<(&str, &Json)> = marks.collect();
        if marks.is_empty() {
            let table = shown.items.last_mut().ok_or_else(odd)?;
            // A row has a value for each column, or it is not one of this table.
            if row.len() != table.names.len() || !table.names.iter().all(|name| row.contains_key(name)) {
                return Err(odd());
            }
            table.rows.push(row);
            continue;
        }
        for (mark, value) in marks {
            whole |= shown.mark(mark, value).ok_or_else(odd)?;
        }
    }
    if !whole {
        return Err(odd());
    }
    if shown.others > 0 {
        return Err(unprovable(Reason::Unsupported, "it makes tables that its words do not tell of"));
    }
    Ok(shown)
}

impl Shown {
    /// Takes one mark; whether it is the last.
    fn mark(&mut self, mark: &str, value: &Json) -> Option<bool> {
        if let Some((at, what)) = mark.split_once('.') {
            let at: usize = at.parse().ok()?;
            if at == self.items.len() {
                self.items.push(Table::default());
            }
            let table = self.items.get_mut(at)?;
            match what {
                "name" => table.names.push(value.as_str()?.to_owned()),
                "type" => table.types.push(value.as_str()?.to_owned()),
                _ => table.count = value.as_u64()?,
            }
            return Some(false);
        }
        match mark {
            "begin" => value.as_str()?.clone_into(&mut self.version),
            "others" => self.others = value.as_u64()?,
            _ => {}
        }
        Some(mark == "others")
    }
}

#[cfg(test)]
mod tests {
    use super::{JudgeRequest, Pair, judge};
    use greylag_driver::proof::conformance::request;
    use greylag_model::proof::Outcome;

    const BEGIN: &str = "{\"n.begin\":\"v1\"}\n{\"n.end\":1}\n";
    const END: &str = "{\"n.others\":0}\n";

    fn side(kind: &str, values: &[&str]) -> String {
        let rows = values.iter().map(|value| format!("{{\"a\":{value}}}\n")).collect::<Vec<_>>().concat();
        let (columns, count) = (format!("{{\"n.0.name\":\"a\",\"n.0.type\":\"{kind}\"}}\n"), values.len());
        format!("{BEGIN}{columns}{{\"n.0.rows\":{count}}}\n{rows}\n{END}")
    }

    fn judged(one: String, other: String, pair: Pair) -> String {
        let proof = request("select id as a from raw.users_v1", "select user_id as a from raw.users_v2");
        let Ok(judged) = judge(&JudgeRequest { proof, nonce: "n".to_owned(), one, other, pair }) else { panic!() };
        match judged.outcome {
            None => format!("equal {}", judged.rows_out),
            Some(Outcome::Different(found)) => found.why,
            Some(Outcome::Unprovable(found)) => found.why,
            Some(Outcome::Equal) => panic!("no difference is none"),
        }
    }

    fn check(one: String, other: String, expected: &str) {
        assert_eq!(judged(one, other, Pair::Texts), expected);
    }

    #[test]
    fn what_was_shown_is_compared() {
        let ints = |values: &[&str]| side("BIGINT", values);
        check(ints(&["\"1\"", "null"]), ints(&["null", "\"1\""]), "equal 2");
        let why = "the result: 1 rows of the old text alone and 1 of the new one alone";
        check(ints(&["\"1\""]), ints(&["\"2\""]), why);
        check(ints(&["\"1\""]), side("INTEGER", &["\"1\""]), "column `a` of the result is `int32` and was `int64`");
        check(side("UUID", &["\"1\""]), side("VARCHAR", &["\"1\""]), "column `a` is `VARCHAR` and was `UUID`");
        let again = Pair::Again { ordered: false };
        assert_eq!(judged(ints(&["\"1\"", "\"2\""]), ints(&["\"2\"", "\"1\""]), again), "equal 2");
    }

    #[test]
    fn what_was_not_asked_for_tells_nothing() {
        let odd = "DuckDB shows something else than what it was asked for";
        let right = || side("BIGINT", &["\"1\""]);
        check(right(), right().replace(END, ""), odd);
        check(right(), right().replace("\"a\":", "\"b\":"), odd);
        check(right(), "{}".to_owned(), odd);
        check(right(), "Error".to_owned(), odd);
        check(right(), right().replace(":0}", ":2}"), "it makes tables that its words do not tell of");
    }
}
