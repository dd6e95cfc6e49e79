//! What a text does, as far as its words tell.
//!
//! Statements are told apart by their first words; only those that read or write rows of tables are run. Each is handed on as it stands.

use super::scan::{Kind, Token, tokens};
use crate::proof::rows::pool::Literals;
use crate::proof::run::unprovable;
use greylag_model::proof::{Outcome, Reason};

/// Limits up to this are tried as they are.
const SMALL: u64 = 12;

/// Functions of chance, or of who asks.
const CHANCE: &[&str] = &[
    "random",
    "uuid",
    "gen_random_uuid",
    "uuidv4",
    "uuidv7",
    "setseed",
    "nextval",
    "currval",
    "txid_current",
    "current_query",
    "current_query_id",
    "current_transaction_id",
    "current_connection_id",
    "stats",
];
/// Functions that run what stands in a string, or write where results are shown.
const HIDES: &[&str] = &[
    "query",
    "query_table",
    "json_execute_serialized_sql",
    "from_substrait",
    "from_substrait_json",
    "write_log",
    "enable_logging",
];

/// The clock's functions, which stand still as long as nobody asks for the built-in one.
const CLOCK: &[&str] = &[
    "now",
    "today",
    "current_date",
    "current_time",
    "current_timestamp",
    "current_localtime",
    "current_localtimestamp",
    "localtime",
    "localtimestamp",
    "transaction_timestamp",
    "get_current_time",
    "get_current_timestamp",
];

/// The parts of a name, in lower case.
pub(super) type Name = Vec<String>;

/// A text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) steps: Vec<Step>,
    /// All that may be a name, in order, each once.
    pub(super) names: Vec<Name>,
    /// Whether its clock stands still.
    pub(super) has_clock: bool,
    /// Whether a limit was lowered.
    pub(super) is_lowered: bool,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// As it is run.
    pub(super) sql: String,
    pub(super) deed: Deed,
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Gives rows, in an order or not.
    Query { ordered: bool },
    /// Makes a table or a view, in the place of another one or not.
    Make { name: Name, replaces: bool },
    /// Changes the rows of a table.
    Write(Name),
    /// Takes a table away.
    Drop(Name),
}

impl Text {
    /// Understands a text; adds its literals to others.
    pub(super) fn of(text: &str, literals: &mut Literals) -> Result<Self, Outcome> {
        let all = tokens(text);
        let all = all.map_err(|why| unprovable(Reason::Unparsed, format!("it could not be parsed: {why}")))?;
        let mut found = Self { names: names(&all), ..Self::default() };
        for tokens in all.split(|token| token.is_mark(";")).filter(|tokens| !tokens.is_empty()) {
            refuse(tokens)?;
            collect(tokens, literals);
            found.has_clock |= called(tokens).any(|(_, name, _)| CLOCK.contains(&name.as_str()))
                || tokens.iter().any(|token| CLOCK.iter().any(|name| token.is(name)));
            let deed = deed(tokens).map_err(|what| unprovable(Reason::Unsupported, format!("`{what}` is not run")))?;
            let (sql, is_lowered) = lowered(text, tokens);
            found.is_lowered |= is_lowered;
            found.steps.push(Step { sql, deed });
        }
        Ok(found)
    }
}

/// Refuses what hangs on chance, and what hides what it does.
fn refuse(tokens: &[Token<'_>]) -> Result<(), Outcome> {
    for (at, name, arguments) in called(tokens) {
        let is_built_in = at > 0 && tokens[at - 1].is_mark(".") && CLOCK.contains(&name.as_str());
        if CHANCE.contains(&name.as_str()) || is_built_in {
            return Err(unprovable(Reason::Random, format!("`{name}` gives something else each time")));
        }
        // With one argument it is the time since then.
        if name == "age" && arguments == 1 {
            return Err(unprovable(Reason::Random, "`age` hangs on the day on which it is asked"));
        }
        if HIDES.contains(&name.as_str()) {
            return Err(unprovable(Reason::Unsupported, format!("`{name}` is not run")));
        }
    }
    let samples = |pair: &[Token<'_>]| pair[0].is("using") && pair[1].is("sample");
    if tokens.iter().any(|token| token.is("tablesample")) || tokens.windows(2).any(samples) {
        return Err(unprovable(Reason::Random, "a sample of a table is another one each time"));
    }
    Ok(())
}

/// The functions that are called: where, by which name, and with how many arguments.
fn called(tokens: &[Token<'_>]) -> impl Iterator<Item = (usize, String, usize)> {
    tokens.windows(2).enumerate().filter(|(_, pair)| pair[1].is_mark("(")).filter_map(|(at, pair)| {
        let name = pair[0].name()?;
        Some((at, name, arguments(&tokens[at + 2..])))
    })
}

/// How many arguments stand before the parenthesis that closes.
fn arguments(tokens: &[Token<'_>]) -> usize {
    let (mut depth, mut count) = (0_usize, 1);
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Mark {
            continue;
        }
        match token.raw {
            "(" | "[" | "{" => depth += 1,
            ")" if depth == 0 => return if at == 0 { 0 } else { count },
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            "," if depth == 0 => count += 1,
            _ => {}
        }
    }
    count
}

/// The literals of a statement.
fn collect(tokens: &[Token<'_>], literals: &mut Literals) {
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Number => {
                literals.number(token.raw);
                if at > 0 && tokens[at - 1].is_mark("-") {
                    literals.number(&format!("-{}", token.raw));
                }
            }
            Kind::Text => {
                if let Some(inner) = token.raw.strip_prefix('\'').and_then(|raw| raw.strip_suffix('\'')) {
                    literals.text(&inner.replace("''", "'"));
                }
            }
            _ => {}
        }
    }
}

/// A statement as it is run: a large limit becomes a small one, as no made-up table reaches it. Whether one did.
fn lowered(text: &str, tokens: &[Token<'_>]) -> (String, bool) {
    let (mut sql, mut from, mut is_lowered) = (String::new(), tokens[0].at, false);
    for pair in tokens.windows(2).filter(|pair| pair[0].is("limit") && pair[1].kind == Kind::Number) {
        let Some(rows) = pair[1].raw.parse::<u64>().ok().filter(|rows| *rows > SMALL) else { continue };
        sql.push_str(&text[from..pair[1].at]);
        sql.push_str(&(5 + rows % 7).to_string());
        (from, is_lowered) = (pair[1].end(), true);
    }
    let end = tokens.last().map_or(from, Token::end);
    sql.push_str(&text[from..end]);
    (sql, is_lowered)
}

/// All names, with their dots.
fn names(tokens: &[Token<'_>]) -> Vec<Name> {
    let mut found: Vec<Name> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match name(&tokens[at..]) {
            Some((name, length)) => {
                at += length;
                if !found.contains(&name) {
                    found.push(name);
                }
            }
            None => at += 1,
        }
    }
    found
}

/// The name at the beginning, and how many tokens it takes.
fn name(tokens: &[Token<'_>]) -> Option<(Name, usize)> {
    let mut parts = vec![tokens.first()?.name()?];
    let mut at = 1;
    while tokens.get(at).is_some_and(|token| token.is_mark("."))
        && let Some(part) = tokens.get(at + 1).and_then(Token::name)
    {
        parts.push(part);
        at += 2;
    }
    Some((parts, at))
}

/// What a statement does, or which one is not run.
fn deed(tokens: &[Token<'_>]) -> Result<Deed, String> {
    let word = |at: usize| tokens.get(at).map(|token| token.raw.to_lowercase()).unwrap_or_default();
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    let not_run = || Err([word(0), word(1)].join(" ").trim().to_owned());
    let named = |at: usize| name(tokens.get(at..).unwrap_or_default()).map(|(name, _)| name);
    let first = if tokens[0].is_mark("(") { "select".to_owned() } else { word(0) };
    let deed = match first.as_str() {
        "select" | "with" | "from" | "values" | "pivot" | "unpivot" | "table" => {
            return Ok(Deed::Query { ordered: is_ordered(tokens) });
        }
        "create" => {
            let replaces = is(1, "or") && is(2, "replace");
            let mut at = if replaces { 3 } else { 1 };
            at += usize::from(is(at, "temp") || is(at, "temporary"));
            if !is(at, "table") && !is(at, "view") {
                return not_run();
            }
            let is_optional = is(at + 1, "if") && is(at + 2, "not") && is(at + 3, "exists");
            at += if is_optional { 4 } else { 1 };
            named(at).map(|name| Deed::Make { name, replaces: replaces || is_optional })
        }
        "insert" => {
            let at = if is(1, "or") { 3 } else { 1 };
            if is(at, "into") { named(at + 1).map(Deed::Write) } else { None }
        }
        "update" => named(1).map(Deed::Write),
        "delete" if is(1, "from") => named(2).map(Deed::Write),
        "merge" if is(1, "into") => named(2).map(Deed::Write),
        "truncate" => named(if is(1, "table") { 2 } else { 1 }).map(Deed::Write),
        "drop" if is(1, "table") || is(1, "view") => {
            named(if is(2, "if") && is(3, "exists") { 4 } else { 2 }).map(Deed::Drop)
        }
        _ => None,
    };
    match deed {
        Some(Deed::Write(_)) if tokens.iter().any(|token| token.is("returning")) => {
            Err(format!("{first} that returns rows"))
        }
        Some(deed) => Ok(deed),
        None => not_run(),
    }
}

/// Whether a query asks for an order of all of its rows.
fn is_ordered(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.raw {
            "(" | "[" | "{" if token.kind == Kind::Mark => depth += 1,
            ")" | "]" | "}" if token.kind == Kind::Mark => depth = depth.saturating_sub(1),
            _ if depth == 0 && token.is("order") && tokens.get(at + 1).is_some_and(|next| next.is("by")) => {
                return true;
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Deed, Text};
    use crate::proof::rows::pool::Literals;
    use greylag_model::proof::Outcome;

    fn text(text: &str) -> Text {
        let Ok(found) = Text::of(text, &mut Literals::default()) else { panic!("{text}") };
        found
    }

    fn check(sql: &str, expected: &[(&str, Deed)]) {
        let steps = text(sql).steps.into_iter().map(|step| (step.sql, step.deed)).collect::<Vec<_>>();
        let expected: Vec<_> = expected.iter().map(|(sql, deed)| ((*sql).to_owned(), deed.clone())).collect();
        assert_eq!(steps, expected, "{sql}");
    }

    fn name(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    fn refused(text: &str) -> (&'static str, String) {
        match Text::of(text, &mut Literals::default()) {
            Err(Outcome::Unprovable(found)) => (found.reason.name(), found.why),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn statements_are_told_by_their_words() {
        check(
            "-- a\nfrom T order by a; /* ; */ (select max(a) over (order by b) from t); ;",
            &[
                ("from T order by a", Deed::Query { ordered: true }),
                ("(select max(a) over (order by b) from t)", Deed::Query { ordered: false }),
            ],
        );
        let make = |text: &str, replaces| Deed::Make { name: name(text), replaces };
        for (sql, deed) in [
            ("create or replace temp table A.\"B\" as select 1", make("a.b", true)),
            ("create view if not exists v as from t", make("v", true)),
            ("create table a.b.c (x int)", make("a.b.c", false)),
            ("insert or ignore into T.x values (1)", Deed::Write(name("t.x"))),
            ("update t set a = 1", Deed::Write(name("t"))),
            ("delete from s.t", Deed::Write(name("s.t"))),
            ("merge into t using s on true when matched then delete", Deed::Write(name("t"))),
            ("truncate table t", Deed::Write(name("t"))),
            ("drop table if exists s.t", Deed::Drop(name("s.t"))),
        ] {
            check(sql, &[(sql, deed)]);
        }
    }

    #[test]
    fn what_reaches_outside_is_not_run() {
        for (text, what) in [
            ("copy t to '/tmp/x'", "copy t"),
            ("ATTACH '/tmp/x' as y", "attach '/tmp/x'"),
            ("install httpfs", "install httpfs"),
            (".shell ls", ". shell"),
            ("set threads = 8", "set threads"),
            ("pragma version", "pragma version"),
            ("create macro f() as 1", "create macro"),
            ("from query('select 1')", "query"),
            ("insert into t values (1) returning *", "insert that returns rows"),
        ] {
            assert_eq!(refused(text), ("unsupported", format!("`{what}` is not run")));
        }
        for text in
            ["select 1 where Random() > 1", "from t using sample 3", "select system.main.now()", "select age(d)"]
        {
            assert_eq!(refused(text).0, "random", "{text}");
        }
        assert!(text("select age(a, b), now()").has_clock);
    }

    #[test]
    fn names_and_literals_are_seen_and_large_limits_lowered() {
        let mut literals = Literals::default();
        let sql = "select u.\"Id\", 'it''s' from raw.users as u where a > -3 limit 1000000";
        let Ok(found) = Text::of(sql, &mut literals) else { panic!() };
        assert!(found.names.contains(&name("raw.users")) && found.names.contains(&name("u.id")));
        assert_eq!(
            (literals.numbers.join(" "), literals.texts.join(" ")),
            ("3 -3 1000000".to_owned(), "it's".to_owned())
        );
        assert!(found.is_lowered && found.steps[0].sql.ends_with("limit 6"));
    }
}
