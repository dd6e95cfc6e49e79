//! Names that the parser takes for something else, spelled so that it does not, and items with several names.
//!
//! | what | dialect | example | read as |
//! |---|---|---|---|
//! | names that are words of the grammar | Spark, BigQuery | `a as from, b`, `from table` | `a as fro_, b`, `from tabl_` |
//! | names that begin with digits | Spark, BigQuery | `t.30_days` | `t._0_days` |
//! | parts of a tuple by their number | ClickHouse | `f(x).2` | `f(x).x` |
//! | fields that begin with `_` | all | `x[0]._id` | `x[0].xid` |
//! | numbers in the place of names | BigQuery | `unpivot (… in ((a, b) as 1))` | `… as _` |
//! | several names of one item | Spark | `stack(…) as (k, v)` | `stack(…)     k     `, and `v` is remembered |
//! | all columns of a merge | Spark, Snowflake | `when matched then update set *` | `when matched then delete`, and remembered |
//! | strings one after the other, which are one | BigQuery, Spark | `'a' 'b'` | `'a'    ` |
//!
//! A name that is spelled otherwise is remembered by its place: what it is called is said by the text alone.

use super::blank::Blanker;
use super::dialect::Dialect;
use super::lex::{Kind, Token};

/// What may stand after a column called `from`, and not after the word of the clause.
const AFTER_NAME: &[&str] =
    &["as", "from", "and", "or", "asc", "desc", "is", "in", "between", "like", "then", "else", "end", "when"];

/// The most letters of a number that stands in the place of a name.
const LONGEST: usize = 20;

impl Blanker<'_> {
    /// Applies the rule of this file that fits at a token, and says where to go on.
    pub(super) fn respell(&mut self, at: usize) -> Option<usize> {
        let token = *self.tokens.get(at)?;
        let before = at.checked_sub(1).and_then(|at| self.tokens.get(at)).copied();
        match (token.kind, self.dialect) {
            (Kind::Text, Dialect::BigQuery | Dialect::Spark) => {
                before.filter(|before| before.kind == Kind::Text)?;
                Some(self.clear(at, at + 1))
            }
            (Kind::Number, Dialect::Spark) if self.is_name_of_digits(token) => Some(self.spell(at, b"_")),
            (Kind::Number, Dialect::BigQuery) if at > 0 && self.is(at - 1, &["as"]) => {
                Some(self.spell(at, &[b'_'; LONGEST]))
            }
            (Kind::Number, Dialect::BigQuery) => {
                let dot = before.filter(|before| before.mark(b'.') && before.end == token.start)?;
                let qualifier = at.checked_sub(2).and_then(|at| self.tokens.get(at))?;
                let is_name = matches!(qualifier.kind, Kind::Word | Kind::Quoted) && qualifier.end == dot.start;
                (is_name && !self.text_of(token).contains('.')).then(|| self.spell(at, b"_"))
            }
            (Kind::Word, Dialect::BigQuery) if self.is(at, &["table"]) && self.is_table(at) => {
                Some(self.spell(at, b"tabl_"))
            }
            (Kind::Word, Dialect::Spark) if self.is(at, &["all"]) && self.is_qualifier(at) => {
                Some(self.spell(at, b"al_"))
            }
            (Kind::Number, Dialect::ClickHouse) => {
                let dot = before.filter(|before| before.mark(b'.') && before.end == token.start)?;
                let operand = at.checked_sub(2).and_then(|at| self.tokens.get(at))?;
                let is_operand =
                    matches!(operand.kind, Kind::Word | Kind::Quoted | Kind::Mark(b')' | b']') | Kind::Number);
                (is_operand && operand.end == dot.start).then(|| self.spell(at, &[b'x'; LONGEST]))
            }
            (Kind::Word, _) if self.text_of(token).starts_with('_') && self.is_field_of_value(at) => {
                Some(self.spell(at, b"x"))
            }
            (Kind::Word, Dialect::Spark) if self.is(at, &["from"]) && self.is_column_from(at) => {
                Some(self.spell(at, b"fro_"))
            }
            (Kind::Word, Dialect::Spark | Dialect::Snowflake)
                if self.is(0, &["merge"]) && self.takes_all(at).is_some() =>
            {
                let end = self.takes_all(at)?;
                self.all(at, end)
            }
            (Kind::Word, Dialect::Spark) if self.is(at, &["as"]) && self.mark(at + 1, b'(') => self.several(at),
            _ => None,
        }
    }

    /// Writes over the beginning of a name, whose place is remembered.
    fn spell(&mut self, at: usize, letters: &[u8]) -> usize {
        let Some(token) = self.tokens.get(at).copied() else { return at + 1 };
        let length = (token.end - token.start) as usize;
        self.marks.respelled.push(token.start);
        self.write(at, letters.get(..length).unwrap_or(letters))
    }

    /// Whether a dot after a call or subscript stands before a name.
    fn is_field_of_value(&self, at: usize) -> bool {
        at > 1 && self.mark(at - 1, b'.') && (self.mark(at - 2, b')') || self.mark(at - 2, b']'))
    }

    /// Whether `table` is the name of a table expression: no function and no other name follows.
    fn is_table(&self, at: usize) -> bool {
        let before = |words: &[&str]| at > 0 && self.is(at - 1, words);
        let next = self.tokens.get(at + 1);
        let ends = next.is_none_or(|token| match token.kind {
            Kind::Mark(mark) => matches!(mark, b')' | b',' | b';' | b'.'),
            Kind::Word => true,
            _ => false,
        });
        let is_defined = self.is(at + 1, &["as"]) && self.mark(at + 2, b'(');
        before(&["from", "join"]) && ends || is_defined || self.mark(at + 1, b'.')
    }

    /// Whether a word is what a relation is called, or is called by.
    fn is_qualifier(&self, at: usize) -> bool {
        let after_as = at > 0 && self.is(at - 1, &["as"]);
        self.mark(at + 1, b'.')
            || after_as && self.is(at + 1, &["on", "where", "join", "left", "inner", "cross", "full"])
    }

    /// Whether a number is a name: it has letters, and not those that numbers have.
    fn is_name_of_digits(&self, token: Token) -> bool {
        let text = self.text_of(token).to_ascii_lowercase();
        let rest = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let exponent = rest.strip_prefix('e').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        let suffix = matches!(rest, "" | "l" | "s" | "y" | "d" | "f" | "bd");
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        plain && !exponent && !suffix && !text.starts_with("0x")
    }

    /// Whether `from` is a column or its name: what is after it begins no relation.
    fn is_column_from(&self, at: usize) -> bool {
        let Some(next) = self.tokens.get(at + 1).filter(|_| at > 0 && !self.is(at - 1, &["distinct"])) else {
            return false;
        };
        match next.kind {
            Kind::Mark(mark) => matches!(mark, b',' | b')' | b'=' | b'|' | b'<' | b'>' | b'!' | b'/'),
            Kind::Word if self.is(at + 1, &["order", "group"]) => self.is(at + 2, &["by"]),
            Kind::Word => self.is(at + 1, AFTER_NAME) && !(self.is(at + 1, &["from"]) && self.is_column_from(at + 1)),
            _ => false,
        }
    }

    /// The token after `update set *`, `insert *` or `… all by name`, if that begins here.
    fn takes_all(&self, at: usize) -> Option<usize> {
        if !self.is(at, &["update", "insert"]) || !self.is(at.checked_sub(1)?, &["then"]) {
            return None;
        }
        let star = at + 1 + usize::from(self.is(at, &["update"]) && self.is(at + 1, &["set"]));
        let by_name = self.is(at + 1, &["all"]) && self.is(at + 2, &["by"]) && self.is(at + 3, &["name"]);
        match (self.mark(star, b'*'), by_name) {
            (true, _) => Some(star + 1),
            (false, true) => Some(at + 4),
            (false, false) => None,
        }
    }

    /// A branch of a merge that takes all is read as one that deletes: its condition stays what it is.
    fn all(&mut self, at: usize, end: usize) -> Option<usize> {
        let when = (0..at).rev().find(|before| self.is(*before, &["when"]))?;
        if self.is(when + 1, &["not"]) {
            self.clear(when + 1, when + 2);
            if self.is(when + 3, &["by"]) && self.is(when + 4, &["target"]) {
                self.clear(when + 3, when + 5);
            }
        }
        self.clear(at, end);
        self.write(at, b"delete");
        self.marks.all = true;
        Some(end)
    }

    /// `f(…) as (a, b)`: the first name stays, the others are remembered.
    fn several(&mut self, at: usize) -> Option<usize> {
        let called = at.checked_sub(1).is_some_and(|at| self.mark(at, b')'));
        let end = self.after(at + 1);
        let names: Vec<usize> = (at + 2..end.checked_sub(1)?).step_by(2).collect();
        let is_name =
            |at: &usize| matches!(self.tokens.get(*at).map(|token| token.kind), Some(Kind::Word | Kind::Quoted));
        let commas = (at + 3..end - 1).step_by(2).all(|at| self.mark(at, b','));
        if !called || !commas || !names.iter().all(is_name) || !(end - at).is_multiple_of(2) {
            return None;
        }
        let start = |at: &usize| self.tokens.get(*at).map(|token| token.start);
        let mut starts = names.iter().filter_map(start);
        let several = (starts.next()?, starts.collect());
        self.marks.several.push(several);
        self.clear(at, at + 2);
        Some(self.clear(at + 3, end))
    }
}
