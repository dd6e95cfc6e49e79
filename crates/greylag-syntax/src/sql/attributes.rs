//! How tables are stored, where the parser does not know it: attributes of columns and tables that warehouses have of their own.
//!
//! | what | dialect | example |
//! |---|---|---|
//! | how values are packed | Redshift, ClickHouse | `a int encode zstd`, `a Int64 codec(ZSTD(1))` |
//! | how rows are spread and sorted | Redshift | `distkey`, `diststyle key`, `distkey (a)`, `compound sortkey (a, b)` |
//! | where it lies | Spark | `using delta partitioned by (d) location 'x'` |
//! | whether it has rows | Redshift, PostgreSQL | `as select … with no data` |
//! | where it is made | ClickHouse | `create table t on cluster '{c}'` |
//! | how rows are kept | ClickHouse | `partition by f(a) order by (a, b) ttl a + interval 3 day settings x = 1` |
//! | which table it is like | ClickHouse | `create table t as u engine = Distributed(…)` |
//! | the other side of an outer join | Redshift | `a.x = b.x (+)` |
//! | what is said of files | Redshift | `copy t from 's3://…' iam_role '…' csv` |
//!
//! All of it is blanked. The columns that attributes name are those of the table that is made, and are remembered.

use super::blank::Blanker;
use super::dialect::Dialect;
use super::lex::Kind;

/// Words of an expression of `ttl` that are no columns.
const NO_COLUMNS: &[&str] = &[
    "interval",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "delete",
    "to",
    "disk",
    "volume",
    "where",
    "group",
    "by",
    "set",
    "and",
    "or",
    "not",
    "recompress",
];

/// Words that begin an attribute of Redshift.
const STORED: &[&str] = &["encode", "diststyle", "backup", "distkey", "sortkey", "compound", "interleaved"];

/// Words that end the list or expression of an attribute.
const AFTER_LIST: &[&str] =
    &["settings", "comment", "primary", "order", "partition", "sample", "ttl", "as", "engine", "empty", "select"];

impl Blanker<'_> {
    /// Applies the rule of this file that fits at a token, and says where to go on.
    pub(super) fn attribute(&mut self, at: usize) -> Option<usize> {
        let is_table = self.is(0, &["create", "alter", "drop", "truncate", "rename", "optimize"]);
        match self.dialect {
            Dialect::Postgres if self.is(0, &["create"]) => self.stored(at),
            Dialect::Postgres if self.is(0, &["copy"]) => self.copied(at),
            Dialect::ClickHouse if is_table => self.made(at),
            Dialect::Spark if self.is(0, &["create"]) => self.lies(at),
            _ => None,
        }
        .or_else(|| self.outer(at))
    }

    /// `b.x (+)`.
    fn outer(&mut self, at: usize) -> Option<usize> {
        let sign = self.mark(at, b'(') && self.mark(at + 1, b'+') && self.mark(at + 2, b')');
        let name = self.tokens.get(at.checked_sub(1)?)?.kind;
        let fits = self.dialect == Dialect::Postgres && sign && matches!(name, Kind::Word | Kind::Quoted);
        fits.then(|| self.clear(at, at + 3))
    }

    fn copied(&mut self, at: usize) -> Option<usize> {
        let file = self.tokens.get(at + 1).is_some_and(|token| token.kind == Kind::Text);
        let more = at + 2 < self.tokens.len() && !self.mark(at + 2, b'(') && !self.is(at + 2, &["with"]);
        (self.is(at, &["from"]) && file && more).then(|| self.clear(at + 2, self.tokens.len()))
    }

    /// Attributes of Redshift. A column may be called like one: it stands after a comma or a parenthesis, or after a dot.
    fn stored(&mut self, at: usize) -> Option<usize> {
        let data = at + 1 + usize::from(self.is(at + 1, &["no"]));
        if self.is(at, &["with"]) && self.is(data, &["data"]) && data + 1 == self.tokens.len() {
            return Some(self.clear(at, data + 1));
        }
        if !self.is(at, STORED) || (0..at).any(|before| self.is(before, &["select"])) {
            return None;
        }
        let before = self.tokens.get(at.checked_sub(1)?)?;
        if matches!(before.kind, Kind::Mark(b',' | b'(' | b'.'))
            || self.is(at - 1, &["select", "as", "by", "and", "or", "on"])
        {
            return None;
        }
        let next = self.tokens.get(at + 1);
        let opens = self.mark(at + 1, b'(');
        if self.is(at, &["encode"]) && next.is_some_and(|token| token.kind == Kind::Word) {
            return Some(self.clear(at, at + 2));
        }
        if self.is(at, &["diststyle", "backup"]) && self.is(at + 1, &["all", "even", "key", "auto", "yes", "no"]) {
            return Some(self.clear(at, at + 2));
        }
        if self.is(at, &["sortkey"]) && self.is(at + 1, &["auto"]) {
            return Some(self.clear(at, at + 2));
        }
        if self.is(at, &["compound", "interleaved"]) && self.is(at + 1, &["sortkey"]) {
            return Some(self.clear(at, at + 1));
        }
        if !self.is(at, &["distkey", "sortkey"]) {
            return None;
        }
        let ends = next.is_none_or(|token| matches!(token.kind, Kind::Word | Kind::Mark(b',' | b')')));
        match (opens, ends) {
            (true, _) => {
                let end = self.after(at + 1);
                Some(self.named(at, at + 1, end, &[]))
            }
            (false, true) => Some(self.clear(at, at + 1)),
            (false, false) => None,
        }
    }

    /// Attributes of Spark, which stand before the query if there is one.
    fn lies(&mut self, at: usize) -> Option<usize> {
        if (0..at).any(|before| self.is(before, &["select"])) || at < 3 {
            return None;
        }
        let opens = self.mark(at + 1, b'(');
        let by = self.is(at, &["partitioned", "clustered", "cluster"])
            && self.is(at + 1, &["by"])
            && self.mark(at + 2, b'(');
        let text = self.tokens.get(at + 1).is_some_and(|token| token.kind == Kind::Text);
        if by {
            let end = self.after(at + 2);
            // A column may have its type behind it.
            let types: Vec<usize> = (at + 4..end).filter(|word| self.word_ends(word - 1)).collect();
            for column in at + 3..end {
                let kind = self.tokens.get(column).map(|token| token.kind);
                let called = self.mark(column + 1, b'(');
                if matches!(kind, Some(Kind::Word | Kind::Quoted)) && !called && !types.contains(&column) {
                    self.marks.columns.extend(self.tokens.get(column).map(|token| token.start));
                }
            }
            self.clear(at, end);
            if self.is(end, &["into"]) && self.is(end + 2, &["buckets"]) {
                return Some(self.clear(end, end + 3));
            }
            return Some(end);
        }
        match (self.is(at, &["tblproperties", "options"]) && opens, self.is(at, &["location", "comment"]) && text) {
            (true, _) => Some(self.clear(at, self.after(at + 1))),
            (false, true) => Some(self.clear(at, at + 2)),
            (false, false) => None,
        }
    }

    fn word_ends(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Quoted))
    }

    /// Attributes of ClickHouse.
    fn made(&mut self, at: usize) -> Option<usize> {
        if self.is(at, &["on"]) && self.is(at + 1, &["cluster"]) {
            let is_name = self
                .tokens
                .get(at + 2)
                .is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Quoted | Kind::Text));
            return is_name.then(|| self.clear(at, at + 3));
        }
        if self.is(at, &["codec"])
            && self.mark(at + 1, b'(')
            && at > 0
            && !self.mark(at - 1, b',')
            && !self.mark(at - 1, b'(')
        {
            return Some(self.clear(at, self.after(at + 1)));
        }
        if self.is(at, &["as"]) && self.is(0, &["create"]) {
            let mut end = at + 2;
            while self.mark(end, b'.') {
                end += 2;
            }
            let like = self.is(end, &["engine"]) && self.mark(end + 1, b'=');
            if like {
                let start = self.tokens.get(at + 1).map(|token| token.start);
                self.marks.tables.extend(start);
                return Some(self.clear(at, end));
            }
        }
        // Its arguments are read by whoever reads the table.
        if self.is(at, &["engine"]) && self.mark(at + 1, b'=') && self.mark(at + 3, b'(') {
            return Some(self.clear(at + 3, self.after(at + 3)));
        }
        let text = self.tokens.get(at + 1).is_some_and(|token| token.kind == Kind::Text);
        if self.is(at, &["comment"]) && text {
            return Some(self.clear(at, at + 2));
        }
        if !self.is(0, &["create"]) || !self.is_of_table(at) {
            return None;
        }
        if self.is(at, &["settings"]) && self.mark(at + 2, b'=') {
            let end = self.after_list(at + 1).max(at + 4);
            return Some(self.clear(at, end));
        }
        if self.is(at, &["ttl"]) {
            let end = self.after_list(at + 1);
            return Some(self.named(at, at + 1, end, NO_COLUMNS));
        }
        let by = self.is(at, &["partition", "order", "sample"]) && self.is(at + 1, &["by"]);
        if by || self.is(at, &["primary"]) && self.is(at + 1, &["key"]) {
            let end = self.after_list(at + 2);
            return Some(self.named(at, at + 2, end, &["asc", "desc", "nulls", "first", "last"]));
        }
        (self.is(at, &["sync"]) && !self.is(0, &["create"]) && at + 1 == self.tokens.len())
            .then(|| self.clear(at, at + 1))
    }

    /// Whether a token stands after the engine of a table, and in no query.
    fn is_of_table(&self, at: usize) -> bool {
        let mut depth = 0_usize;
        let mut engine = false;
        for before in 0..at {
            match self.tokens.get(before).map(|token| token.kind) {
                Some(Kind::Mark(b'(')) => depth += 1,
                Some(Kind::Mark(b')')) => depth = depth.saturating_sub(1),
                Some(Kind::Word) if self.is(before, &["select"]) => return false,
                Some(Kind::Word) => engine |= depth == 0 && self.is(before, &["engine"]),
                _ => {}
            }
        }
        engine && depth == 0
    }

    /// The token after the list or expression of an attribute that begins here.
    fn after_list(&self, first: usize) -> usize {
        let (mut at, mut depth) = (first, 0_usize);
        while let Some(token) = self.tokens.get(at) {
            match token.kind {
                Kind::Mark(b'(' | b'[') => depth += 1,
                Kind::Mark(b')' | b']') if depth == 0 => break,
                Kind::Mark(b')' | b']') => depth -= 1,
                Kind::Word if depth == 0 && self.is(at, AFTER_LIST) => {
                    break;
                }
                _ => {}
            }
            at += 1;
        }
        at
    }

    /// Blanks an attribute whose expressions stand at `first..end`; the columns in them are remembered.
    fn named(&mut self, at: usize, first: usize, end: usize, others: &[&str]) -> usize {
        for column in first..end {
            let kind = self.tokens.get(column).map(|token| token.kind);
            let is_word = kind == Some(Kind::Word) && !self.is(column, others) && !self.mark(column + 1, b'(');
            if (kind == Some(Kind::Quoted) || is_word) && !self.mark(column - 1, b'.') {
                self.marks.columns.extend(self.tokens.get(column).map(|token| token.start));
            }
        }
        self.clear(at, end)
    }
}
