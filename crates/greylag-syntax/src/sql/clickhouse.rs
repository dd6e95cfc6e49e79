//! What ClickHouse has in `from` that the parser reads as something else.
//!
//! The parser takes a word that it does not know after a relation for its alias, so these are not left to fail: the text is
//! adapted before it is parsed, byte for byte, and offsets stay true.
//!
//! | what | example | read as |
//! |---|---|---|
//! | rows as they are after merging | `from t as a final` | `from t as a` |
//! | how strictly rows are joined | `from t any left join u`, `from t left any join u` | `from t left join u` |
//! | how rows of other servers are asked | `global left join u`, `x global in (…)` | `left join u`, `x in (…)` |
//! | arrays whose elements become rows | `from t left array join a as x, f(b) as y` | `from t , a as x, f(b) as y` |
//!
//! What follows `array join` is told apart from relations by where it begins. An array that is neither a path of names nor a call
//! cannot stand there for the parser, and makes the statement one that is not understood.

use super::lex::{Kind, Token};

/// A text that the parser reads as it is meant.
pub(super) struct Adapted {
    pub(super) text: String,
    /// Where arrays begin that stand in the place of relations.
    pub(super) arrays: Vec<u32>,
    /// The tokens that are left of the piece.
    pub(super) tokens: Vec<Token>,
}

/// Words that begin a clause.
const CLAUSES: &[&str] = &[
    "select",
    "from",
    "join",
    "on",
    "using",
    "where",
    "prewhere",
    "group",
    "having",
    "order",
    "limit",
    "settings",
    "with",
    "union",
    "except",
    "intersect",
    "qualify",
    "window",
    "format",
];
/// Words of a join before `join`.
const KINDS: &[&str] =
    &["left", "right", "inner", "full", "outer", "cross", "any", "all", "semi", "anti", "asof", "global"];
/// Those that say nothing of names and that the parser does not know in every place.
const STRICT: &[&str] = &["any", "all", "semi", "anti", "asof", "global"];

/// Adapts the piece of a text that begins at `base` and has these tokens; an error says what cannot be adapted.
pub(super) fn adapt(whole: &str, piece: &str, tokens: &[Token], base: usize) -> Result<Adapted, String> {
    let mut adapter = Adapter { whole, tokens, base, bytes: piece.as_bytes().to_vec(), arrays: Vec::new() };
    // The clause that each open group stands in.
    let mut clauses = vec![""];
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let mut next = at + 1;
        match token.kind {
            Kind::Mark(b'(' | b'[' | b'{') => clauses.push(""),
            Kind::Mark(b')' | b']' | b'}') if clauses.len() > 1 => {
                clauses.pop();
            }
            Kind::Word if at == 0 || !tokens[at - 1].mark(b'.') => {
                let clause = clauses.last().copied().unwrap_or_default();
                next = adapter.word(at, clause)?;
                let found = CLAUSES.iter().find(|clause| token.is(whole, clause));
                if let (Some(found), Some(clause)) = (found, clauses.last_mut()) {
                    *clause = found;
                }
            }
            _ => {}
        }
        at = next.max(at + 1);
    }
    let Adapter { bytes, arrays, .. } = adapter;
    let left = |token: &&Token| bytes.get(token.start as usize - base).is_some_and(|byte| *byte != b' ');
    let tokens = tokens.iter().filter(left).copied().collect();
    let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
    Ok(Adapted { text, arrays, tokens })
}

struct Adapter<'a> {
    whole: &'a str,
    tokens: &'a [Token],
    base: usize,
    bytes: Vec<u8>,
    arrays: Vec<u32>,
}

impl Adapter<'_> {
    fn is(&self, at: usize, words: &[&str]) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_any(self.whole, words))
    }

    fn before(&self, at: usize, words: &[&str]) -> bool {
        at.checked_sub(1).is_some_and(|at| self.is(at, words))
    }

    /// Writes over a token, with spaces after what is written.
    fn write(&mut self, at: usize, bytes: &[u8]) {
        let Some(token) = self.tokens.get(at) else { return };
        let range = token.start as usize - self.base..token.end as usize - self.base;
        let Some(place) = self.bytes.get_mut(range) else { return };
        place.fill(b' ');
        place.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    }

    /// Applies the rule that fits at a word, and says where to go on.
    fn word(&mut self, at: usize, clause: &str) -> Result<usize, String> {
        let joins = matches!(clause, "from" | "join" | "on" | "using");
        if self.is(at, &["global"]) && self.is(at + 1, &["in", "not"]) {
            self.write(at, b"");
        } else if joins && self.is(at, &["array"]) && self.is(at + 1, &["join"]) {
            return self.arrays(at);
        } else if joins && self.is(at, STRICT) && (self.is(at + 1, KINDS) || self.is(at + 1, &["join"])) {
            // `left semi join` and the like are known.
            let known =
                self.before(at, &["left", "right"]) && self.is(at, &["semi", "anti"]) && self.is(at + 1, &["join"]);
            if !known {
                self.write(at, b"");
            }
        } else if matches!(clause, "from" | "join") && self.is(at, &["final"]) && self.ends_relation(at) {
            self.write(at, b"");
        }
        Ok(at + 1)
    }

    /// Whether `final` stands after a relation or its alias, and no name does after it.
    fn ends_relation(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let after_name = before.is_some_and(|token| match token.kind {
            Kind::Word => !token.is_any(self.whole, &["from", "join", "as"]),
            kind => matches!(kind, Kind::Quoted | Kind::Mark(b')')),
        });
        let next = self.tokens.get(at + 1);
        let ends = next.is_none_or(|token| match token.kind {
            Kind::Word => {
                token.is_any(self.whole, CLAUSES)
                    || token.is_any(self.whole, KINDS)
                    || token.is_any(self.whole, &["array", "sample", "offset", "fetch"])
            }
            kind => matches!(kind, Kind::Mark(b')' | b',' | b';')),
        });
        after_name && ends
    }

    /// `array join`: it becomes a comma, and where its arrays begin is written down.
    fn arrays(&mut self, at: usize) -> Result<usize, String> {
        if self.before(at, &["left", "inner"]) {
            self.write(at - 1, b"");
        }
        self.write(at, b",");
        self.write(at + 1, b"");
        let mut first = at + 2;
        loop {
            let token = self.tokens.get(first).filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted));
            let token = token.ok_or("the array of an `array join` is neither a column nor a call")?;
            self.arrays.push(token.start);
            match self.item(first) {
                Some(comma) => first = comma + 1,
                None => return Ok(at + 2),
            }
        }
    }

    /// The comma after an array, if another follows.
    fn item(&self, first: usize) -> Option<usize> {
        let (mut at, mut depth) = (first, 0_usize);
        while let Some(token) = self.tokens.get(at) {
            match token.kind {
                Kind::Mark(b'(' | b'[' | b'{') => depth += 1,
                Kind::Mark(b')' | b']' | b'}' | b';') if depth == 0 => return None,
                Kind::Mark(b')' | b']' | b'}') => depth -= 1,
                Kind::Mark(b',') if depth == 0 => return Some(at),
                Kind::Word if depth == 0 && (self.is(at, CLAUSES) || self.is(at, KINDS)) => return None,
                _ => {}
            }
            at += 1;
        }
        None
    }
}
