//! Phrases that the parser does not know, among them those that bind names of their own.
//!
//! | what | dialect | example | read as |
//! |---|---|---|---|
//! | lists made of lists | DuckDB | `[f(x) for x in l if g(x)]` | `[f(x) ,        l ,  g(x)]` |
//! | values with names | BigQuery | `with(a as f(b), a + 1)` | `xith(     f(b), a + 1)` |
//! | one of two values | ClickHouse | `a ? b : c` | `a | b | c` |
//! | columns by a star | DuckDB | `columns(* exclude (a))` | `columns(           a )` |
//! | table expressions without `as` | Spark | `with t (select …)` | `with t as (select …)` |
//! | fields of a value | Spark | `a:['b']` | `a ['b']` |
//! | sizes of types | all | `cast(a as text(9))` | `cast(a as text   )` |
//! | rows with all columns | BigQuery | `full outer union all by name` | `union all by name` |
//! | joins with a condition | Spark | `cross join t on a = b` | `join t on a = b` |
//! | numbers that are not known | Snowflake | `limit n` | `limit 1` |
//! | lists without parentheses or values | all | `a in b`, `a not in ()` | `a =  b`, `a     =  1 ` |
//! | numbers of rows | all | `lateral f(a) with ordinality as b (c, d)` | `lateral f(a) as b (c, d)` |
//! | strings as they stand | Spark | `r'a'` | ` 'a'` |
//! | functions of all columns | ClickHouse | `* apply(f)`, `columns('x') apply(f)` | `columns(*)`, `columns('x')` |
//! | all columns of a pattern | DuckDB | `* like 'a%'` | `columns(*)` |
//! | what is said of a value or table | PostgreSQL | `a is json`, `tablespace x`, `approximate count(a)` | `a`, ` `, `count(a)` |
//! | types of parameters | Snowflake | `x int -> x + 1` | `x -> x + 1` |
//! | from which end is counted | all | `nth_value(a, 2) from first over (…)` | `nth_value(a, 2) over (…)` |
//!
//! Where a name stands for such a value, it is remembered: it is no column there.

use super::blank::Blanker;
use super::dialect::Dialect;
use super::lex::{Kind, Token};

impl Blanker<'_> {
    /// Applies the rule of this file that fits at a token, and says where to go on.
    pub(super) fn phrase(&mut self, at: usize) -> Option<usize> {
        let token = *self.tokens.get(at)?;
        match (token.kind, self.dialect) {
            (Kind::Mark(b'['), Dialect::DuckDb | Dialect::Generic) => self.comprehension(at),
            (Kind::Word, Dialect::BigQuery) if self.is(at, &["with"]) && self.mark(at + 1, b'(') => self.values(at),
            (Kind::Word, Dialect::Spark) if self.is(at, &["with"]) => self.tables(at),
            (Kind::Mark(b':'), Dialect::Spark | Dialect::Snowflake | Dialect::Generic) => self.subscript(at),
            (Kind::Mark(b'('), _) => self.size(at),
            (Kind::Word, Dialect::BigQuery) if self.is(at, &["full"]) => self.all_columns(at),
            (Kind::Word, Dialect::Spark) if self.is(at, &["cross"]) => self.crossed(at),
            (Kind::Word, Dialect::Snowflake) if self.is(at, &["limit"]) => self.bound(at),
            // In ClickHouse a relation may stand there.
            (Kind::Word, dialect) if dialect != Dialect::ClickHouse && self.is(at, &["in"]) => self.among(at),
            (Kind::Word, _) if self.is(at, &["with"]) && self.is(at + 1, &["ordinality"]) => {
                Some(self.clear(at, at + 2))
            }
            (Kind::Word, _) if self.is(at, &["from"]) && self.is(at + 1, &["first", "last"]) => self.counted(at),
            (Kind::Text, Dialect::Spark) if self.text_of(token).starts_with(['r', 'R']) => Some(self.write(at, b" ")),
            (Kind::Mark(b'*'), Dialect::ClickHouse) if self.is(at + 1, &["apply"]) => self.applied(at, at + 1),
            (Kind::Mark(b')'), Dialect::ClickHouse) if self.is(at + 1, &["apply"]) => {
                let end = self.applications(at + 1)?;
                Some(self.clear(at + 1, end))
            }
            (Kind::Mark(b'*'), Dialect::DuckDb) if self.is(at + 1, &["like", "ilike", "glob"]) => self.liked(at),
            (Kind::Mark(b'%'), Dialect::DuckDb) if at > 1 && self.is(at - 2, &["limit"]) => {
                Some(self.clear(at, at + 1))
            }
            (Kind::Word, Dialect::Snowflake) if self.is_typed_parameter(at) => Some(self.clear(at + 1, at + 2)),
            (Kind::Parameter, Dialect::ClickHouse) if token.end - token.start == 1 => self.either(at),
            (Kind::Word, Dialect::DuckDb | Dialect::Generic) if self.is(at, &["columns"]) => self.of_star(at),
            (Kind::Word, Dialect::Postgres) => self.postgres(at),
            _ => None,
        }
    }

    /// Words of PostgreSQL and Redshift.
    fn postgres(&mut self, at: usize) -> Option<usize> {
        let calls = |at: usize| self.mark(at + 1, b'(');
        if self.is(at, &["is"]) {
            let json = at + 1 + usize::from(self.is(at + 1, &["not"]));
            let kind = usize::from(self.is(json + 1, &["value", "array", "object", "scalar"]));
            return self.is(json, &["json"]).then(|| self.clear(at, json + 1 + kind));
        }
        if self.is(at, &["tablespace"]) && self.is(0, &["create", "alter"]) {
            return Some(self.clear(at, at + 2));
        }
        if self.is(at, &["approximate"]) && calls(at + 1) {
            return Some(self.clear(at, at + 1));
        }
        if self.is(at, &["xmlelement"]) && calls(at) && self.is(at + 2, &["name"]) {
            return Some(self.clear(at + 2, at + 4 + usize::from(self.mark(at + 4, b','))));
        }
        None
    }

    /// Whether a word is a parameter whose type stands behind it: `(a, x int -> x + 1)`.
    fn is_typed_parameter(&self, at: usize) -> bool {
        let begins = at > 0 && (self.mark(at - 1, b'(') || self.mark(at - 1, b','));
        let typed = self.tokens.get(at + 1).is_some_and(|token| token.kind == Kind::Word);
        begins && typed && self.mark(at + 2, b'-') && self.mark(at + 3, b'>')
    }

    /// The token after `apply (f)`, as often as it stands there.
    fn applications(&self, mut at: usize) -> Option<usize> {
        while self.is(at, &["apply"]) {
            if !self.mark(at + 1, b'(') {
                return None;
            }
            at = self.after(at + 1);
        }
        Some(at)
    }

    /// `* apply(f)`: one column for each, of which none is what it was.
    fn applied(&mut self, star: usize, apply: usize) -> Option<usize> {
        let end = self.applications(apply)?;
        self.any_columns(star, end)
    }

    /// `* like 'a%'`.
    fn liked(&mut self, star: usize) -> Option<usize> {
        let text = self.tokens.get(star + 2).is_some_and(|token| token.kind == Kind::Text);
        if text { self.any_columns(star, star + 3) } else { None }
    }

    /// Writes what may give any column over tokens that begin with a star of all relations.
    fn any_columns(&mut self, star: usize, end: usize) -> Option<usize> {
        const ANY: &[u8] = b"columns(*)";
        let qualified = star.checked_sub(1).is_some_and(|at| self.mark(at, b'.'));
        let last = self.tokens.get(end.checked_sub(1)?)?;
        if qualified || ((last.end - self.start(star)) as usize) < ANY.len() {
            return None;
        }
        self.clear(star, end);
        self.write(star, ANY);
        Some(end)
    }

    /// The tokens of the group that opens at `open` which are in no group inside it.
    fn level(&self, open: usize) -> Vec<usize> {
        let end = self.after(open).saturating_sub(1);
        let (mut found, mut at) = (Vec::new(), open + 1);
        while at < end {
            found.push(at);
            at = if matches!(self.tokens[at].kind, Kind::Mark(b'(' | b'[' | b'{')) { self.after(at) } else { at + 1 };
        }
        found
    }

    fn start(&self, at: usize) -> u32 {
        self.tokens.get(at).map_or(u32::MAX, |token| token.start)
    }

    /// Remembers that a word is no column from one token to before another.
    fn bind(&mut self, at: usize, first: usize, end: usize) {
        let Some(token) = self.tokens.get(at).copied() else { return };
        let range = self.start(first)..self.start(end);
        let name = self.text_of(token).into();
        self.marks.locals.push((range, name));
    }

    fn comprehension(&mut self, open: usize) -> Option<usize> {
        let level = self.level(open);
        let found = |words: &[&str], after: usize| level.iter().copied().find(|at| *at > after && self.is(*at, words));
        let each = found(&["for"], open + 1)?;
        let list = found(&["in"], each)?;
        let names = match list - each {
            2 => vec![each + 1],
            4 if self.mark(each + 2, b',') => vec![each + 1, each + 3],
            _ => return None,
        };
        if names.iter().any(|at| self.tokens[*at].kind != Kind::Word) {
            return None;
        }
        let (only, end) = (found(&["if"], list), self.after(open));
        for name in names {
            self.bind(name, open, each);
            if let Some(only) = only {
                self.bind(name, only, end);
            }
        }
        self.clear(each, list + 1);
        self.write(each, b",");
        if let Some(only) = only {
            self.clear(only, only + 1);
            self.write(only, b",");
        }
        Some(open + 1)
    }

    fn values(&mut self, at: usize) -> Option<usize> {
        let (level, end) = (self.level(at + 1), self.after(at + 1));
        let mut commas: Vec<usize> = level.iter().copied().filter(|at| self.mark(*at, b',')).collect();
        commas.push(end);
        let mut first = at + 2;
        let mut names = Vec::new();
        for comma in commas {
            if comma < end {
                let named = self.tokens.get(first)?.kind == Kind::Word && self.is(first + 1, &["as"]);
                if !named || comma < first + 3 {
                    return None;
                }
                names.push((first, comma));
            }
            first = comma + 1;
        }
        if names.is_empty() {
            return None;
        }
        for (name, comma) in names {
            self.bind(name, comma, end);
            self.clear(name, name + 2);
        }
        self.write(at, b"x");
        Some(at + 1)
    }

    /// The colon that belongs to the `?` at a token; `::` is a cast.
    fn either(&mut self, at: usize) -> Option<usize> {
        let (mut next, mut open) = (at + 1, 1_usize);
        while let Some(token) = self.tokens.get(next) {
            match token.kind {
                Kind::Mark(b'(' | b'[' | b'{') => {
                    next = self.after(next);
                    continue;
                }
                Kind::Mark(b')' | b']' | b'}' | b',' | b';') => return None,
                Kind::Mark(b':') if self.mark(next + 1, b':') => next += 1,
                Kind::Mark(b':') => open -= 1,
                Kind::Parameter if token.end - token.start == 1 => open += 1,
                _ => {}
            }
            if open == 0 {
                self.write(at, b"|");
                self.write(next, b"|");
                return Some(at + 1);
            }
            next += 1;
        }
        None
    }

    /// `columns(* exclude a)`: what is left out is named.
    fn of_star(&mut self, at: usize) -> Option<usize> {
        let star = at + 2;
        let lists = self.mark(at + 1, b'(') && self.mark(star, b'*') && self.is(star + 1, &["exclude", "except"]);
        if !lists {
            return None;
        }
        let (list, end) = (star + 2, self.after(at + 1) - 1);
        if self.mark(list, b'(') {
            if self.after(list) != end {
                return None;
            }
            self.clear(star, list + 1);
            return Some(self.clear(end - 1, end));
        }
        self.clear(star, list);
        Some(list)
    }

    /// `with t (select …), u (a) (select …)`: the parser is given each `as` that is not there.
    fn tables(&mut self, with: usize) -> Option<usize> {
        let mut at = with + 1 + usize::from(self.is(with + 1, &["recursive"]));
        let mut changed = None;
        loop {
            let name = self.tokens.get(at)?.kind;
            let mut open = at + 1;
            if self.mark(open, b'(') && !self.is(open + 1, &["select", "with", "values"]) {
                open = self.after(open);
            }
            if !matches!(name, Kind::Word | Kind::Quoted) {
                return changed;
            }
            if self.mark(open, b'(') && self.is(open + 1, &["select", "with", "values"]) {
                self.marks.named.push(self.start(open));
                self.changed = true;
                changed = Some(with + 1);
            } else if self.is(open, &["as"]) && self.mark(open + 1, b'(') {
                open += 1;
            } else {
                return changed;
            }
            at = self.after(open);
            if !self.mark(at, b',') {
                return changed;
            }
            at += 1;
        }
    }

    /// `a:['b']` is `a['b']`.
    fn subscript(&mut self, at: usize) -> Option<usize> {
        let follows =
            matches!(self.tokens.get(at.checked_sub(1)?)?.kind, Kind::Word | Kind::Quoted | Kind::Mark(b')' | b']'));
        (follows && self.mark(at + 1, b'[')).then(|| self.clear(at, at + 1))
    }

    /// The size of a type that the parser knows without one: `cast(x as text(255))`, `x::text(255)`.
    fn size(&mut self, open: usize) -> Option<usize> {
        let end = self.after(open);
        let is_size = |token: &Token| matches!(token.kind, Kind::Number | Kind::Mark(b','));
        let sizes = self.tokens.get(open + 1..end.checked_sub(1)?)?.iter().all(is_size);
        let word = open.checked_sub(1).filter(|at| self.tokens[*at].kind == Kind::Word)?;
        let before = word.checked_sub(1)?;
        let cast = self.is(before, &["as"]) && self.mark(end, b')');
        let colons = self.mark(before, b':') && before > 0 && self.mark(before - 1, b':');
        (sizes && (cast || colons)).then(|| self.clear(open, end))
    }

    /// `full outer union all by name`: columns of one side alone are kept, too, which changes no name.
    fn all_columns(&mut self, at: usize) -> Option<usize> {
        let union = at + 1 + usize::from(self.is(at + 1, &["outer"]));
        let by = union + 2;
        let fits = self.is(union, &["union"]) && self.is(union + 1, &["all", "distinct"]) && self.is(by, &["by"]);
        fits.then(|| self.clear(at, union))
    }

    /// Whether `by name` belongs to a set operation.
    pub(super) fn joins_sets(&self, by: usize) -> bool {
        let word = |back: usize, words: &[&str]| by.checked_sub(back).is_some_and(|at| self.is(at, words));
        word(1, &["union", "intersect", "except"])
            || word(1, &["all", "distinct"]) && word(2, &["union", "intersect", "except"])
    }

    /// `cross join t on …` joins as any other does.
    fn crossed(&mut self, at: usize) -> Option<usize> {
        if !self.is(at + 1, &["join"]) {
            return None;
        }
        let mut next = at + 2;
        while let Some(token) = self.tokens.get(next) {
            if token.kind == Kind::Mark(b'(') {
                next = self.after(next);
                continue;
            }
            if self.is(next, &["on"]) {
                return Some(self.clear(at, at + 1));
            }
            let is_name = matches!(token.kind, Kind::Word | Kind::Quoted | Kind::Mark(b'.'));
            if !is_name
                || self.is(next, &["join", "cross", "left", "right", "inner", "full", "where", "group", "order"])
            {
                return None;
            }
            next += 1;
        }
        None
    }

    /// A limit that is a word can only be a number that something else puts there.
    fn bound(&mut self, at: usize) -> Option<usize> {
        let before = self.tokens.get(at.checked_sub(1)?)?;
        let after_row = matches!(before.kind, Kind::Word | Kind::Quoted | Kind::Number | Kind::Mark(b')'));
        let ends = self.tokens.get(at + 2).is_none_or(|token| token.mark(b')') || token.mark(b';'));
        if !after_row || !ends || self.tokens.get(at + 1)?.kind != Kind::Word {
            return None;
        }
        Some(self.fill(at + 1, b'1'))
    }

    /// `a in b`, where one value, a list or a parameter stands without parentheses, names what `a = b` does.
    fn among(&mut self, at: usize) -> Option<usize> {
        // A list that a template left empty.
        let is_empty = self.mark(at + 1, b'(') && self.mark(at + 2, b')');
        let is_value = match self.tokens.get(at + 1)?.kind {
            _ if is_empty => true,
            Kind::Word => !self.is(at + 1, &["unnest", "table"]) && !self.mark(at + 2, b'('),
            Kind::Quoted | Kind::Parameter => true,
            _ => false,
        };
        let negated = at > 1 && self.is(at - 1, &["not"]);
        let operand = self.tokens.get(at.checked_sub(1 + usize::from(negated))?)?;
        let follows = matches!(operand.kind, Kind::Quoted | Kind::Number | Kind::Text | Kind::Mark(b')' | b']'))
            || operand.kind == Kind::Word && !(at > 1 && self.is(at - 2, &["for"]));
        if !is_value || !follows {
            return None;
        }
        if negated {
            self.clear(at - 1, at);
        }
        if is_empty {
            self.clear(at + 1, at + 3);
            self.write(at + 1, b"1");
        }
        Some(self.write(at, b"= "))
    }

    /// `nth_value(a, 2) from first over (…)`.
    fn counted(&mut self, at: usize) -> Option<usize> {
        let calls = at.checked_sub(1).is_some_and(|at| self.mark(at, b')'));
        let mut end = at + 2;
        if self.is(end, &["respect", "ignore"]) && self.is(end + 1, &["nulls"]) {
            end += 2;
        }
        (calls && self.is(end, &["over"])).then(|| self.clear(at, end))
    }
}
