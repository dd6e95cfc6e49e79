//! Blanks parts of a statement that the parser does not know and that name nothing.
//!
//! Each byte of them becomes a space or is written over, so all offsets stay true. Applied only after a statement failed as it
//! is, in any dialect:
//!
//! | what | example | read as |
//! |---|---|---|
//! | hints in braces | `join @{method=hash} t` | `join t` |
//! | options of what is made | `options (description = '…')` | |
//! | the type of a written array | `array<struct<x int64>>[(1)]` | `array[(1)]` |
//! | types with parentheses | `cast(x as array(varchar))` | `cast(x as xxxxx)` |
//! | operators | `a << b`, `a ** b` | `a || b` |
//! | types with types in them | `cast(x as struct<a: array<int>>)` | `cast(x as xxxxxx)` |
//! | functions called like a keyword | `assert.true(x)`, `safe.substr(x, 1)` | `assert.xxxx(x)`, `safe.xxxxxx(x, 1)` |
//! | digits in groups | `100_000` | `1000000` |
//! | kinds of objects | `create snapshot table t` | `create table t` |
//! | what is remembered of a table expression | `with t using key (a) as (…)`, `as not materialized (` | |
//! | rows paired by name | `insert into t by name select` | |
//! | collations | `x collate nocase` | `x` |
//! | how a value is quoted | `json_query(x, 'lax $.a' omit quotes)` | |
//! | what a function of JSON gives otherwise | `json_value(x, 'p' returning int default y on empty)` | `json_value(x, 'p' , y)` |
//! | pairs of an object | `json_object('k': x)` | `json_object('k', x)` |
//! | names of arguments | `f(input => table(select 1))` | `f(table(select 1))` |
//! | types of parameters | `(x int) -> x + 1` | `(x) -> x + 1` |
//! | spreads | `a in (** arr)` | `a in (arr)` |
//! | how rows are matched or sampled | `asof left join t using (k)`, `using sample 10%` | `left join t using (k)` |
//! | relations as arguments | `f(table t)`, `table(f(table(t)))` | `f(0)`, and `t` is read as a relation |
//! | queries as arguments | `table(f(table(select 1)))` | `table(f(array(select 1)))` |
//! | columns by their place | `t.$1` | `$1` |
//! | the division of whole numbers | `a div b` | `a / b` |
//! | models of a prediction | `ml.predict(model d.m, …)` | `ml.predict(0, …)` |
//! | the version of a table | `from t for version as of 12` | `from t` |
//! | options of a copy | `copy t from 'x' (header 0)` | |

use super::dialect::Dialect;
use super::lex::{Kind, Token};
use super::marks::Marks;

/// A text with parts blanked, and what is remembered of them.
pub(super) struct Blanked {
    pub(super) text: String,
    pub(super) marks: Marks,
}

/// A copy of the text with such parts blanked; none if there are none. `base` is where the text begins in that of the tokens.
pub(super) fn blank(text: &str, tokens: &[Token], base: usize, dialect: Dialect) -> Option<Blanked> {
    let bytes = text.as_bytes().to_vec();
    let mut blanker = Blanker { text, tokens, base, dialect, bytes, changed: false, marks: Marks::default() };
    let mut at = 0;
    while at < tokens.len() {
        let next = blanker.respell(at).or_else(|| blanker.phrase(at)).or_else(|| blanker.attribute(at));
        let next = next.unwrap_or_else(|| blanker.rule(at));
        at = next.max(at + 1);
    }
    let Blanker { bytes, changed, marks, .. } = blanker;
    changed.then(|| Some(Blanked { text: String::from_utf8(bytes).ok()?, marks })).flatten()
}

pub(super) struct Blanker<'a> {
    text: &'a str,
    pub(super) tokens: &'a [Token],
    base: usize,
    pub(super) dialect: Dialect,
    bytes: Vec<u8>,
    pub(super) changed: bool,
    pub(super) marks: Marks,
}

impl Blanker<'_> {
    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).filter(|token| token.kind == Kind::Word).map_or("", |token| self.text_of(*token))
    }

    pub(super) fn text_of(&self, token: Token) -> &str {
        self.text.get(token.start as usize - self.base..token.end as usize - self.base).unwrap_or_default()
    }

    pub(super) fn is(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.word(at).eq_ignore_ascii_case(word))
    }

    pub(super) fn mark(&self, at: usize, mark: u8) -> bool {
        self.tokens.get(at).is_some_and(|token| token.mark(mark))
    }

    /// The token after a group that opens at `open`.
    pub(super) fn after(&self, open: usize) -> usize {
        let (mut at, mut depth) = (open, 0_usize);
        while let Some(token) = self.tokens.get(at) {
            at += 1;
            match token.kind {
                Kind::Mark(b'(' | b'{' | b'[') => depth += 1,
                Kind::Mark(b')' | b'}' | b']') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        at
    }

    pub(super) fn clear(&mut self, first: usize, end: usize) -> usize {
        if let (Some(from), Some(to)) = (self.tokens.get(first), self.tokens.get(end.saturating_sub(1))) {
            let range = from.start as usize - self.base..to.end as usize - self.base;
            for byte in self.bytes.get_mut(range).unwrap_or_default().iter_mut().filter(|byte| **byte != b'\n') {
                *byte = b' ';
            }
            self.changed = true;
        }
        end
    }

    /// Writes one byte over every byte of a token.
    pub(super) fn fill(&mut self, at: usize, byte: u8) -> usize {
        if let Some(token) = self.tokens.get(at) {
            let range = token.start as usize - self.base..token.end as usize - self.base;
            self.bytes.get_mut(range).unwrap_or_default().fill(byte);
            self.changed = true;
        }
        at + 1
    }

    /// Applies the first rule that fits at a token, and says where to go on.
    fn rule(&mut self, at: usize) -> usize {
        let Some(token) = self.tokens.get(at) else { return at };
        match token.kind {
            Kind::Parameter if token.end - token.start == 1 && self.mark(at + 1, b'{') => {
                self.clear(at, self.after(at + 1))
            }
            Kind::Mark(b'*') if self.is_spread(at) => self.clear(at, at + 2),
            Kind::Mark(b'<' | b'>' | b'*') => self.operator(at),
            Kind::Mark(b'(') => self.parameters(at),
            // A column by its place: of which relation it is does not matter to the parser.
            Kind::Word | Kind::Quoted if self.mark(at + 1, b'.') && self.is_place(at + 2) => self.clear(at, at + 2),
            Kind::Number if self.is_grouped(token) => self.digits(at),
            Kind::Word => self.word_rule(at),
            _ => at,
        }
    }

    fn word_rule(&mut self, at: usize) -> usize {
        let opens = self.mark(at + 1, b'(');
        let word = self.word(at).to_ascii_lowercase();
        match word.as_str() {
            "options" if opens => self.clear(at, self.after(at + 1)),
            "array" | "map" | "row" if opens && self.is_type(at) => {
                self.fill(at, b'x');
                self.clear(at + 1, self.after(at + 1))
            }
            "array" if self.mark(at + 1, b'<') => self.typed_array(at),
            "true" | "false" | "null" | "not" | "substr" | "substring" | "trim" | "floor" | "ceil" | "ceiling"
            | "position" | "overlay" | "extract" | "left" | "right" | "cast"
                if opens && at > 0 && self.mark(at - 1, b'.') =>
            {
                self.fill(at, b'x')
            }
            "array" | "map" | "struct" if self.mark(at + 1, b'<') && self.is_cast_to(at) => self.nested_type(at),
            "snapshot" | "aggregate"
                if at > 0 && self.is(at - 1, &["create", "drop", "replace", "temp", "temporary"]) =>
            {
                self.clear(at, at + 1)
            }
            "using" if self.is(at + 1, &["key"]) && self.mark(at + 2, b'(') => self.clear(at, self.after(at + 2)),
            "materialized" if opens => self.clear(at - usize::from(at > 0 && self.is(at - 1, &["not"])), at + 1),
            "by" if self.is(at + 1, &["name"]) && !self.joins_sets(at) => self.clear(at, at + 2),
            "collate" => self.clear(at, at + 2),
            "omit" | "keep" if self.is(at + 1, &["quotes"]) => self.clear(at, at + 2),
            "json_value" | "json_query" | "json_exists" if opens => self.json(at + 1),
            "json_object" if opens => self.pairs(at + 1),
            "asof" if self.is(at + 1, &["join", "left", "inner", "right", "full"]) => self.clear(at, at + 1),
            "using" if self.is(at + 1, &["sample"]) => self.sample(at),
            "using" if at > 0 && self.is(0, &["create"]) && self.is_bare_word(at + 1) => self.clear(at, at + 2),
            "div" if at > 0 && !self.mark(at - 1, b'.') && !opens => {
                self.clear(at, at + 1);
                self.write(at, b"/")
            }
            "model" if at > 0 && self.mark(at - 1, b'(') => self.model(at),
            "table" if at > 1 && (self.mark(at - 1, b'(') || self.mark(at - 1, b',')) => self.argument(at),
            "glob" if at > 0 && !self.mark(at - 1, b'.') && !opens => self.write(at, b"like"),
            _ if self.is_argument(at) => {
                let next = self.clear(at, at + 3);
                if self.is(next, &["table"]) { self.argument(next) } else { next }
            }
            "for" if self.is(at + 1, &["version", "timestamp"]) && self.is(at + 2, &["as"]) => self.version(at),
            "copy" if at == 0 => self.copy(),
            _ => at,
        }
    }

    /// Whether `=>` stands behind a name at the beginning of an argument.
    fn is_argument(&self, at: usize) -> bool {
        at > 0
            && (self.mark(at - 1, b'(') || self.mark(at - 1, b','))
            && self.mark(at + 1, b'=')
            && self.mark(at + 2, b'>')
    }

    /// Whether `**` stands where an operand begins.
    fn is_spread(&self, at: usize) -> bool {
        at > 0 && self.mark(at + 1, b'*') && (self.mark(at - 1, b'(') || self.mark(at - 1, b','))
    }

    /// A word with nothing of a path or a call behind it.
    fn is_bare_word(&self, at: usize) -> bool {
        !self.word(at).is_empty() && !self.mark(at + 1, b'.') && !self.mark(at + 1, b'(')
    }

    /// `$1`.
    fn is_place(&self, at: usize) -> bool {
        let token = self.tokens.get(at).filter(|token| token.kind == Kind::Parameter);
        let text =
            token.and_then(|token| self.text.get(token.start as usize - self.base..token.end as usize - self.base));
        text.and_then(|text| text.strip_prefix('$'))
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
    }

    /// The types of the parameters of a lambda, whose list opens here: it is an argument, so that no call's list is taken for one, whose
    /// result is read as JSON.
    fn parameters(&mut self, open: usize) -> usize {
        let end = self.after(open);
        let is_argument = open > 0 && (self.mark(open - 1, b'(') || self.mark(open - 1, b','));
        let is_expression = (open..end).any(|at| self.is(at, &["case", "select", "with", "not", "distinct"]));
        if is_expression || !(is_argument && self.mark(end, b'-') && self.mark(end + 1, b'>')) {
            return open;
        }
        let mut at = open + 1;
        while at + 1 < end {
            let mut next = at;
            while next + 1 < end && !self.mark(next, b',') {
                next = if self.mark(next, b'(') { self.after(next) } else { next + 1 };
            }
            // A type is a word behind the name; what is joined by a mark is an expression.
            if next > at + 1 && !self.word(at).is_empty() && !self.word(at + 1).is_empty() {
                self.clear(at + 1, next);
            }
            at = next + 1;
        }
        open
    }

    /// The colons between keys and values of an object whose list opens here.
    fn pairs(&mut self, open: usize) -> usize {
        let (end, mut depth) = (self.after(open), 0_usize);
        for at in open..end {
            match self.tokens[at].kind {
                Kind::Mark(b'(' | b'[' | b'{') => depth += 1,
                Kind::Mark(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
                Kind::Mark(b':') if depth == 1 && !self.mark(at + 1, b':') && !self.mark(at - 1, b':') => {
                    self.write(at, b",");
                }
                _ => {}
            }
        }
        open
    }

    /// `using sample 10%`, `using sample reservoir(50 rows)`.
    fn sample(&mut self, at: usize) -> usize {
        let number = self.tokens.get(at + 2).is_some_and(|token| token.kind == Kind::Number);
        let opens = self.mark(at + 3, b'(');
        let unit = self.mark(at + 3, b'%') || self.is(at + 3, &["percent", "rows"]);
        match (number, opens) {
            (true, _) => self.clear(at, at + 3 + usize::from(unit)),
            (false, true) => self.clear(at, self.after(at + 3)),
            _ => at,
        }
    }

    /// The token after a path that begins here.
    fn path_end(&self, from: usize) -> usize {
        let is_part =
            |token: &Token| matches!(token.kind, Kind::Word | Kind::Quoted) || token.mark(b'.') || token.mark(b'-');
        (from..self.tokens.len()).find(|at| !is_part(&self.tokens[*at])).unwrap_or(self.tokens.len().max(from))
    }

    /// A relation or query that is given to a function.
    fn argument(&mut self, at: usize) -> usize {
        let opens = self.mark(at + 1, b'(');
        if opens && self.is(at + 2, &["select", "with"]) {
            return self.write(at, b"array");
        }
        let first = at + 1 + usize::from(opens);
        let end = self.path_end(first);
        let closes = self.mark(end, b')') || !opens && self.mark(end, b',');
        if end == first || !closes {
            return at;
        }
        let end = end + usize::from(opens);
        self.marks.tables.extend(self.tokens.get(first).map(|token| token.start));
        self.clear(at, end);
        self.write(at, b"0");
        end
    }

    /// `model d.m` as an argument: it names no dataset.
    fn model(&mut self, at: usize) -> usize {
        let end = self.path_end(at + 1);
        if end == at + 1 || !(self.mark(end, b',') || self.mark(end, b')')) {
            return at;
        }
        self.clear(at, end);
        self.write(at, b"0");
        end
    }

    /// Writes over the beginning of a token.
    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) -> usize {
        if let Some(token) = self.tokens.get(at) {
            let start = token.start as usize - self.base;
            if let Some(place) = self.bytes.get_mut(start..start + bytes.len()) {
                place.copy_from_slice(bytes);
                self.changed = true;
            }
        }
        at + 1
    }

    /// Clauses of a function of JSON whose arguments open here: what is given instead is an argument, the rest names nothing.
    fn json(&mut self, open: usize) -> usize {
        const OTHERWISE: &[&str] = &["null", "error", "empty", "true", "false", "unknown"];
        let end = self.after(open).saturating_sub(1);
        let (mut at, mut depth) = (open + 1, 0_usize);
        while at < end {
            let is_on = |at: usize| self.is(at, &["on"]) && self.is(at + 1, &["empty", "error"]);
            at = match self.tokens[at].kind {
                Kind::Mark(b'(' | b'[') => {
                    depth += 1;
                    at + 1
                }
                Kind::Mark(b')' | b']') => {
                    depth = depth.saturating_sub(1);
                    at + 1
                }
                Kind::Word if depth > 0 => at + 1,
                Kind::Word if self.is(at, &["returning"]) => {
                    let clause = ["default", "null", "error", "empty", "omit", "keep", "with", "without"];
                    let next = (at + 1..end).find(|next| self.is(*next, &clause)).unwrap_or(end);
                    self.clear(at, next)
                }
                Kind::Word if self.is(at, &["with", "without"]) => {
                    let wrapper = (at + 1..end.min(at + 4)).find(|next| self.is(*next, &["wrapper"]));
                    wrapper.map_or(at + 1, |wrapper| self.clear(at, wrapper + 1))
                }
                Kind::Word if self.is(at, OTHERWISE) && is_on(at + 1) => self.clear(at, at + 3),
                Kind::Word if self.is(at, &["empty"]) && is_on(at + 2) => self.clear(at, at + 4),
                Kind::Word if is_on(at) => self.clear(at, at + 2),
                Kind::Word if self.is(at, &["default"]) => {
                    self.clear(at, at + 1);
                    self.write(at, b",")
                }
                _ => at + 1,
            };
        }
        open
    }

    /// `for version as of` with a number or a text, perhaps behind the word of its type.
    fn version(&mut self, at: usize) -> usize {
        let literal =
            |at: usize| self.tokens.get(at).is_some_and(|token| matches!(token.kind, Kind::Number | Kind::Text));
        let typed = usize::from(self.is(at + 4, &["timestamp", "date"]));
        if self.is(at + 3, &["of"]) && literal(at + 4 + typed) { self.clear(at, at + 5 + typed) } else { at }
    }

    /// Whether `array (…)` is the type of a cast and no subquery or call.
    fn is_type(&self, at: usize) -> bool {
        at > 0 && self.is(at - 1, &["as"]) && !self.is(at + 2, &["select", "with"])
    }

    /// Whether a type begins here that something is cast to.
    fn is_cast_to(&self, at: usize) -> bool {
        at > 1 && (self.is(at - 1, &["as"]) || self.mark(at - 1, b':') && self.mark(at - 2, b':'))
    }

    /// The token behind the parameters of a type, which stand between `<` and `>`.
    fn behind_parameters(&self, at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (end, token) in self.tokens.iter().enumerate().skip(at + 1) {
            match token.kind {
                Kind::Mark(b'<') => depth += 1,
                Kind::Mark(b'>') => depth = depth.saturating_sub(1),
                Kind::Mark(b';') => return None,
                _ => {}
            }
            if depth == 0 {
                return Some(end + 1);
            }
        }
        None
    }

    /// `struct<a: int, b: array<string>>` as what something is cast to.
    fn nested_type(&mut self, at: usize) -> usize {
        let Some(end) = self.behind_parameters(at) else { return at };
        if self.mark(end, b'[') || self.mark(end, b'(') {
            return at;
        }
        self.fill(at, b'x');
        self.clear(at + 1, end)
    }

    /// The options at the end of `copy`.
    fn copy(&mut self) -> usize {
        let open = (0..self.tokens.len()).rev().find(|at| self.mark(*at, b'('));
        match open {
            Some(open)
                if open > 0 && self.after(open) == self.tokens.len() && !self.is(open + 1, &["select", "with"]) =>
            {
                let with = usize::from(self.is(open - 1, &["with"]));
                let text = self.tokens.get(open - 1 - with).is_some_and(|token| token.kind == Kind::Text);
                if text { self.clear(open - with, self.tokens.len()) } else { 1 }
            }
            _ => 1,
        }
    }

    /// Shifts and powers, which are two marks with nothing between them and no type around them.
    fn operator(&mut self, at: usize) -> usize {
        let (Some(one), Some(two)) = (self.tokens.get(at), self.tokens.get(at + 1)) else { return at };
        let doubled = one.kind == two.kind && one.end == two.start;
        let type_before = self.is(at.saturating_sub(1), &["array", "struct", "map", "range"]);
        if !doubled || type_before || one.mark(b'>') && self.closes_type(at) {
            return at;
        }
        self.fill(at, b'|');
        self.fill(at + 1, b'|')
    }

    /// Whether a `>` closes a type: somewhere before it in the same group `array<` or the like is open.
    fn closes_type(&self, at: usize) -> bool {
        let (mut open, mut depth) = (0_usize, 0_usize);
        for before in (0..at).rev().take(400) {
            match self.tokens.get(before).map(|token| token.kind) {
                Some(Kind::Mark(b')')) => depth += 1,
                Some(Kind::Mark(b'(')) if depth == 0 => return false,
                Some(Kind::Mark(b'(')) => depth -= 1,
                Some(Kind::Mark(b'>')) => open += 1,
                Some(Kind::Mark(b'<')) if before > 0 && self.is(before - 1, &["array", "struct", "map", "range"]) => {
                    if open == 0 {
                        return true;
                    }
                    open -= 1;
                }
                _ => {}
            }
        }
        false
    }

    fn is_grouped(&self, token: &Token) -> bool {
        let text = self.text.get(token.start as usize - self.base..token.end as usize - self.base).unwrap_or_default();
        text.contains('_') && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'_' | b'.'))
    }

    fn digits(&mut self, at: usize) -> usize {
        if let Some(token) = self.tokens.get(at) {
            let range = token.start as usize - self.base..token.end as usize - self.base;
            for byte in self.bytes.get_mut(range).unwrap_or_default().iter_mut().filter(|byte| **byte == b'_') {
                *byte = b'0';
            }
            self.changed = true;
        }
        at + 1
    }

    /// `array<int64>[1, 2]` is read as `array[1, 2]`.
    fn typed_array(&mut self, at: usize) -> usize {
        match self.behind_parameters(at).filter(|end| self.mark(*end, b'[')) {
            Some(end) => self.clear(at + 1, end),
            None => at,
        }
    }
}
