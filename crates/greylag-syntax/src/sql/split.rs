//! Cuts a text into pieces that can be parsed alone.
//!
//! A semicolon ends a statement wherever it stands; no dialect has one inside parentheses. Scripts hold statements in blocks
//! (`begin … end`, `if … then … end if`, loops, handlers): the words of a block are cut off the statements inside, so that
//! each of these is read by itself whatever the parser knows of scripts, and a condition becomes an expression of its own.

use std::ops::Range;

use super::lex::{Kind, Token};

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// A statement.
    Statement,
    /// An expression: a condition of a block, or a value.
    Expression,
    /// Words of a script that name no relation and no column.
    Script,
    /// The head of a procedure: what it names are parameters.
    Head,
}

/// A piece: which tokens, and what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) tokens: Range<usize>,
    pub(super) form: Form,
}

/// All pieces of a text, in order.
pub(super) fn split(text: &str, tokens: &[Token]) -> Vec<Piece> {
    let mut splitter = Splitter { text, tokens, pieces: Vec::new(), blocks: 0 };
    let mut first = 0;
    for at in 0..=tokens.len() {
        if tokens.get(at).is_none_or(|token| token.mark(b';')) {
            if first < at {
                splitter.part(first..at);
            }
            first = at + 1;
        }
    }
    splitter.pieces
}

struct Splitter<'a> {
    text: &'a str,
    tokens: &'a [Token],
    pieces: Vec<Piece>,
    /// How many blocks are open.
    blocks: usize,
}

impl Splitter<'_> {
    fn is(&self, at: usize, words: &[&str]) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_any(self.text, words))
    }

    fn push(&mut self, tokens: Range<usize>, form: Form) {
        if !tokens.is_empty() {
            self.pieces.push(Piece { tokens, form });
        }
    }

    /// Cuts the words of blocks off what stands between two semicolons.
    fn part(&mut self, mut tokens: Range<usize>) {
        while !tokens.is_empty() {
            let Some(next) = self.lead(&tokens) else {
                let form = if self.is_assignment(&tokens) { Form::Expression } else { Form::Statement };
                let tokens = if form == Form::Expression { tokens.start + 3..tokens.end } else { tokens };
                return self.push(tokens, form);
            };
            tokens.start = next;
        }
    }

    /// The leading words of a block, if there are some: pushes what they hold and says where they end.
    fn lead(&mut self, tokens: &Range<usize>) -> Option<usize> {
        let at = tokens.start;
        let word = |word: &str| self.tokens.get(at).is_some_and(|token| token.is(self.text, word));
        if word("begin") {
            if tokens.len() == 1
                || self.is(
                    at + 1,
                    &[
                        "transaction",
                        "work",
                        "tran",
                        "isolation",
                        "read",
                        "deferrable",
                        "immediate",
                        "exclusive",
                        "deferred",
                    ],
                )
            {
                self.blocks += usize::from(tokens.len() == 1);
                return None;
            }
            self.blocks += 1;
            return self.script(at, at + 1);
        }
        if word("end")
            && (self.blocks > 0
                || tokens.len() == 1
                || self.is(at + 1, &["if", "loop", "while", "for", "repeat", "case"]))
        {
            self.blocks = self.blocks.saturating_sub(1);
            return self.script(at, tokens.end);
        }
        if word("create") {
            return self.procedure(tokens);
        }
        let head =
            word("if") && !self.is(at + 1, &["not", "exists"]) || word("if") && self.find(tokens, &["then"]).is_some();
        if head || self.is(at, &["elseif", "elsif"]) {
            return self.condition(tokens, &["then"], usize::from(word("if")));
        }
        if word("while") {
            return self.condition(tokens, &["do", "loop"], 1);
        }
        if word("for") {
            return self.loop_over(tokens);
        }
        if word("until") {
            self.push(at + 1..self.find(tokens, &["end"]).unwrap_or(tokens.end), Form::Expression);
            return Some(tokens.end);
        }
        if self.is(at, &["case", "when"]) && self.find(tokens, &["then"]).is_some() && (self.blocks > 0 || word("case"))
        {
            let first = if word("case") { at + 1 } else { at };
            let when = if self.is(first, &["when"]) { first + 1 } else { first };
            let then = self.find(tokens, &["then"])?;
            self.blocks += usize::from(word("case"));
            self.push(when..then, Form::Expression);
            return Some(then + 1);
        }
        if word("exception") && self.is(at + 1, &["when"]) || word("when") && self.blocks > 0 {
            let then = self.find(tokens, &["then"])?;
            return self.script(at, then + 1);
        }
        if word("repeat") || word("loop") {
            self.blocks += 1;
            return self.script(at, at + 1);
        }
        if word("else") && self.blocks > 0 {
            return self.script(at, at + 1);
        }
        let label = self.tokens.get(at + 1).is_some_and(|token| token.mark(b':'))
            && self.is(at + 2, &["begin", "loop", "while", "for", "repeat"]);
        label.then_some(at + 2)
    }

    fn script(&mut self, first: usize, end: usize) -> Option<usize> {
        self.push(first..end, Form::Script);
        Some(end)
    }

    /// The first of some words outside parentheses and `case … end`.
    fn find(&self, tokens: &Range<usize>, words: &[&str]) -> Option<usize> {
        let (mut depth, mut cases) = (0_usize, 0_usize);
        for at in tokens.start + 1..tokens.end {
            match self.tokens.get(at)?.kind {
                Kind::Mark(b'(') => depth += 1,
                Kind::Mark(b')') => depth = depth.saturating_sub(1),
                Kind::Word if depth == 0 && cases == 0 && self.is(at, words) => return Some(at),
                Kind::Word if self.is(at, &["case"]) => cases += 1,
                Kind::Word if cases > 0 && self.is(at, &["end"]) => cases -= 1,
                _ => {}
            }
        }
        None
    }

    fn condition(&mut self, tokens: &Range<usize>, words: &[&str], opened: usize) -> Option<usize> {
        let end = self.find(tokens, words)?;
        self.blocks += opened;
        self.push(tokens.start + 1..end, Form::Expression);
        Some(end + 1)
    }

    /// `for x in (select …) do`.
    fn loop_over(&mut self, tokens: &Range<usize>) -> Option<usize> {
        let end = self.find(tokens, &["do", "loop"])?;
        let list = self.find(tokens, &["in"])?;
        self.blocks += 1;
        self.push(tokens.start..list + 1, Form::Head);
        let form = if self.is(list + 1, &["select", "with"]) { Form::Statement } else { Form::Expression };
        let range = self.tokens.get(list + 1..end).unwrap_or_default();
        let counts = range.windows(2).any(|pair| matches!(pair, [one, other] if one.mark(b'.') && other.mark(b'.')));
        self.push(list + 1..end, if counts { Form::Script } else { form });
        Some(end + 1)
    }

    /// A procedure or function whose body is a block.
    fn procedure(&mut self, tokens: &Range<usize>) -> Option<usize> {
        let head = self.tokens.get(tokens.start..tokens.end.min(tokens.start + 6))?;
        if !head.iter().any(|token| token.is_any(self.text, &["procedure", "function", "trigger"])) {
            return None;
        }
        let begin = self.find(tokens, &["begin"])?;
        if self.is(begin + 1, &["atomic"]) {
            return None;
        }
        self.blocks += 1;
        self.push(tokens.start..begin + 1, Form::Head);
        Some(begin + 1)
    }

    /// `x := value`.
    fn is_assignment(&self, tokens: &Range<usize>) -> bool {
        let mark = |at: usize, mark: u8| self.tokens.get(at).is_some_and(|token| token.mark(mark));
        tokens.len() > 3 && mark(tokens.start + 1, b':') && mark(tokens.start + 2, b'=')
    }
}
