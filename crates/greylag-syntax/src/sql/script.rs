//! A whole text: piece by piece, with what the pieces leave for those after them.

use std::collections::HashSet;
use std::mem;

use super::Schemas;
use super::dialect::Dialect;
use super::kept;
use super::lex::{Kind, Token, lex};
use super::lines::Lines;
use super::marks::Marks;
use super::parse::{self, Tree};
use super::reading::{Confidence, Name, Parsed, Place, Reading, RelationRole, Role, Statement, Unknown};
use super::split::{Form, Piece, split};
use super::walk::{Said, Walker};

/// The longest text that is read, in bytes.
const LONGEST: usize = 32 << 20;
/// How deep bodies of functions may hold bodies of functions.
const DEEPEST: usize = 4;
/// The stack for a piece, and for each token of its longest chain: a chain of operators makes a tree that is as deep as it is
/// long, and which calls itself when it is taken down.
const STACK: usize = 1 << 20;
const STACK_OF_TOKEN: usize = 2 << 10;
/// The stack for each level of parentheses: the parser calls itself through a dozen large functions.
const STACK_OF_LEVEL: usize = 256 << 10;
/// The stack for each call of itself without parentheses, as by `not not not x`.
const STACK_OF_CALL: usize = 32 << 10;
/// The stack for a text: enough for nearly all of its pieces, so that none needs one of its own.
const STACK_OF_TEXT: usize = 16 << 20;

pub(super) fn read(text: &str, dialect: Dialect, schemas: &dyn Schemas) -> Reading {
    if text.len() > LONGEST {
        let unknown = Unknown {
            range: 0..text.len(),
            reason: format!("the text is longer than {LONGEST} bytes"),
            statement: None,
        };
        return Reading { unknown: vec![unknown], ..Reading::default() };
    }
    let mut walker = Walker {
        text,
        dialect,
        schemas,
        tokens: lex(text, dialect),
        reading: Reading::default(),
        known: Vec::new(),
        ctes: Vec::new(),
        locals: Vec::new(),
        variables: Vec::new(),
        renames: Vec::new(),
        plain: HashSet::new(),
        scalars: Vec::new(),
        aggregated: false,
        takes_rows: false,
        block: None,
        statement: 0,
        marks: Marks::default(),
        lines: Lines::new(""),
        base: 0,
    };
    stacker::maybe_grow(STACK_OF_TEXT, STACK_OF_TEXT, || walker.pieces(0));
    walker.reading
}

impl Walker<'_> {
    fn pieces(&mut self, depth: usize) {
        for piece in split(self.text, &self.tokens) {
            self.piece(&piece, depth);
        }
    }

    fn piece(&mut self, piece: &Piece, depth: usize) {
        let range = self.span(piece.tokens.start, piece.tokens.end);
        if range.is_empty() {
            return;
        }
        self.statement = self.reading.statements.len();
        let (query, target) = (None, None);
        self.reading.statements.push(Statement {
            range,
            parsed: Parsed::Dialect,
            query,
            target,
            target_columns: Vec::new(),
            assignments: Vec::new(),
        });
        match piece.form {
            Form::Script => {}
            Form::Head => self.head(piece),
            Form::Statement | Form::Expression => {
                let tokens = self.tokens.get(piece.tokens.clone()).unwrap_or_default();
                let chain = parse::longest_chain(self.text, tokens).min(parse::MOST_TOKENS);
                let calls = parse::depth(tokens).min(parse::DEEPEST) * STACK_OF_LEVEL
                    + chain.min(parse::RECURSION) * STACK_OF_CALL;
                let stack = STACK + chain * STACK_OF_TOKEN + calls;
                stacker::maybe_grow(stack, stack, || self.parsed(piece, chain));
            }
        }
        self.bodies(piece, depth);
    }

    /// Names in the head of a procedure or loop are variables of what follows.
    fn head(&mut self, piece: &Piece) {
        let tokens = self.tokens.get(piece.tokens.clone()).unwrap_or_default();
        let words =
            tokens.iter().filter(|token| token.kind == Kind::Word).map(|token| Box::from(token.text(self.text)));
        self.variables.extend(words);
    }

    fn parsed(&mut self, piece: &Piece, chain: usize) {
        let Some(range) = self.reading.statements.get(self.statement).map(|statement| statement.range.clone()) else {
            return;
        };
        let tokens = self.tokens.get(piece.tokens.clone()).unwrap_or_default();
        let text = self.text.get(range.clone()).unwrap_or_default();
        let outcome = match parse::beyond(self.text, text.len(), tokens) {
            Some(reason) => Err(reason),
            None => kept::parse(self.text, range.clone(), tokens, (self.dialect, piece.form), chain),
        };
        (self.lines, self.base) = (Lines::new(text), range.start);
        let parsed = match outcome {
            Ok(outcome) => {
                self.marks.clone_from(&outcome.marks);
                self.open_given();
                match &outcome.tree {
                    Tree::Statement(statement) => self.statement(statement, 0),
                    Tree::Expression(expr) => self.loose(expr),
                }
                self.close_given();
                self.tables();
                self.attributes();
                outcome.parsed
            }
            Err(_) if names_nothing(self.text, self.tokens.get(piece.tokens.clone()).unwrap_or_default()) => {
                Parsed::Blanked
            }
            Err(reason) => {
                self.unknown(range, reason);
                self.words(piece.tokens.clone());
                Parsed::Unknown
            }
        };
        if let Some(statement) = self.reading.statements.get_mut(self.statement) {
            statement.parsed = parsed;
        }
        self.ctes.clear();
        self.plain.clear();
        self.scalars.clear();
        self.renames.clear();
        self.block = None;
    }

    /// Relations that are given to functions, unless they are common table expressions.
    fn tables(&mut self) {
        for start in mem::take(&mut self.marks.tables) {
            let Some((parts, range, _)) = self.token_at(start as usize).and_then(|at| self.path_at(at)) else {
                continue;
            };
            let own = |query: &&super::reading::Query| query.statement == self.statement;
            let names = self.reading.queries.iter().filter(own).filter_map(|query| query.name.as_ref());
            let is_own = |name: &Name| parts.len() == 1 && self.dialect.same(name.written(), parts[0].written());
            if !names.into_iter().any(is_own) {
                self.push_relation(parts, range, None, RelationRole::Read, Confidence::Certain);
            }
        }
    }

    /// Columns that attributes of the target name.
    fn attributes(&mut self) {
        for start in mem::take(&mut self.marks.columns) {
            let target = self.reading.statements.get(self.statement).and_then(|statement| statement.target);
            let name = self.token_at(start as usize).and_then(|at| self.name_at(at));
            let (Some(target), Some(name)) = (target, name) else { continue };
            let resolution = self.of_target(target, name.written());
            self.push_column(&[name], 0, resolution, Said { role: Role::Define, place: Place::default() });
        }
    }

    /// Reads the body of a function or block that is written as a string, where its language is SQL.
    fn bodies(&mut self, piece: &Piece, depth: usize) {
        let tokens = self.tokens.get(piece.tokens.clone()).unwrap_or_default();
        let Some(body) = body_of(self.text, tokens, self.dialect) else { return };
        let text = body.text(self.text);
        let open = text.get(1..).and_then(|rest| rest.find('$')).map_or(1, |at| at + 2);
        let Some(inner) = text.get(open..text.len().saturating_sub(open)) else { return };
        if depth >= DEEPEST {
            let range = body.start as usize..body.end as usize;
            return self.unknown(range, format!("bodies are nested deeper than {DEEPEST}"));
        }
        let offset = body.start + open as u32;
        let mut tokens = lex(inner, self.dialect);
        for token in &mut tokens {
            token.start += offset;
            token.end += offset;
        }
        let variables = self.variables.len();
        self.head(piece);
        let outer = mem::replace(&mut self.tokens, tokens);
        self.pieces(depth + 1);
        self.variables.truncate(variables);
        self.tokens = outer;
    }
}

/// Statements that the parser may not know and that name neither relations nor columns. The body after `do` is read by itself.
fn names_nothing(text: &str, tokens: &[Token]) -> bool {
    let is = |at: usize, words: &[&str]| tokens.get(at).is_some_and(|token| token.is_any(text, words));
    let alone = is(0, &["leave", "break", "continue", "iterate"]) && tokens.len() <= 2;
    let body =
        is(0, &["do"]) && tokens.iter().any(|token| token.kind == Kind::Text && token.text(text).starts_with('$'));
    alone
        || body
        || is(0, &["export", "import"]) && is(1, &["database"])
        || is(0, &["checkpoint", "force"]) && is(tokens.len() - 1, &["checkpoint"])
}

/// The string that is the body of a function, procedure or block in SQL or a language of scripts around it.
fn body_of(text: &str, tokens: &[Token], dialect: Dialect) -> Option<Token> {
    let is = |at: usize, words: &[&str]| tokens.get(at).is_some_and(|token| token.is_any(text, words));
    let defines = is(0, &["create"]) && (1..6).any(|at| is(at, &["function", "procedure"]));
    let runs = is(0, &["do"]) || is(0, &["execute"]) && is(1, &["immediate"]);
    if !defines && !runs {
        return None;
    }
    let language = tokens.iter().position(|token| token.is(text, "language")).and_then(|at| tokens.get(at + 1));
    let language = language.map(|token| token.text(text).trim_matches('\'').to_ascii_lowercase());
    let is_sql = language
        .map_or(runs || dialect == Dialect::Snowflake, |language| matches!(language.as_str(), "sql" | "plpgsql"));
    let body = tokens.iter().find(|token| token.kind == Kind::Text && token.text(text).starts_with('$'))?;
    is_sql.then_some(*body)
}
