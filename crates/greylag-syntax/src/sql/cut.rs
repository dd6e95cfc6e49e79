//! Where the items of a select list begin and end: the parser does not say, so the tokens are walked.

use std::ops::Range;

use super::lex::Kind;
use super::walk::Walker;

/// An item as it is cut from the tokens: its first token and the one after its last.
pub(super) type Cut = (usize, usize);

/// Words that end a select list.
const ENDS: &[&str] = &[
    "from",
    "where",
    "group",
    "having",
    "qualify",
    "order",
    "limit",
    "union",
    "except",
    "intersect",
    "minus",
    "window",
    "into",
    "fetch",
    "offset",
    "lateral",
    "connect",
    "start",
    "cluster",
    "distribute",
    "sort",
    "returning",
];

impl Walker<'_> {
    /// The items of the select list that begins at a token.
    pub(super) fn cut(&self, select: usize) -> Vec<Cut> {
        let at = self.after_modifiers(select + 1);
        let (mut cuts, mut first, mut at, mut depth) = (Vec::new(), at, at, 0_usize);
        while let Some(token) = self.tokens.get(at) {
            match token.kind {
                Kind::Mark(b'(' | b'[' | b'{') => depth += 1,
                Kind::Mark(b')' | b']' | b'}') if depth == 0 => break,
                Kind::Mark(b')' | b']' | b'}') => depth -= 1,
                Kind::Mark(b'<') if self.opens_type(at) => at = self.after_type(at) - 1,
                Kind::Mark(b',') if depth == 0 => {
                    cuts.push((first, at));
                    first = at + 1;
                }
                Kind::Mark(b';') if depth == 0 => break,
                Kind::Word if depth == 0 && self.ends_list(at, first) => break,
                _ => {}
            }
            at += 1;
        }
        if first < at {
            cuts.push((first, at));
        }
        cuts
    }

    /// Whether a word ends the list. `is distinct from` and a column of that name after a dot do not, nor does `* except (`.
    fn ends_list(&self, at: usize, first: usize) -> bool {
        let word = |at: Option<usize>, words: &[&str]| {
            at.and_then(|at| self.tokens.get(at)).is_some_and(|token| token.is_any(self.text, words))
        };
        let before = at.checked_sub(1).and_then(|at| self.tokens.get(at));
        if at == first && !word(Some(at), &["from"])
            || before.is_some_and(|token| token.mark(b'.') || token.is(self.text, "as"))
        {
            return false;
        }
        if word(Some(at), &["from"])
            && word(at.checked_sub(1), &["distinct"])
            && word(at.checked_sub(2), &["is", "not"])
        {
            return false;
        }
        if word(Some(at), &["except", "exclude"]) && before.is_some_and(|token| token.mark(b'*')) {
            return word(Some(at + 1), &["select", "all", "distinct", "from"]) || self.selects(at + 1);
        }
        word(Some(at), ENDS) && !self.is_soft(at)
    }

    fn selects(&self, at: usize) -> bool {
        let (open, select) = (self.tokens.get(at), self.tokens.get(at + 1));
        open.is_some_and(|token| token.mark(b'('))
            && select.is_some_and(|token| token.is_any(self.text, &["select", "with"]))
    }

    /// Words that end a list only together with the next.
    fn is_soft(&self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at) else { return false };
        let next = |words: &[&str]| self.tokens.get(at + 1).is_some_and(|token| token.is_any(self.text, words));
        let needs: &[&str] = match token.text(self.text).to_ascii_lowercase().as_str() {
            "group" | "order" | "connect" | "cluster" | "distribute" | "sort" => &["by"],
            "start" => &["with"],
            "lateral" => &["view"],
            "window" | "offset" | "minus" | "fetch" => {
                return self
                    .tokens
                    .get(at + 1)
                    .is_none_or(|token| !matches!(token.kind, Kind::Word | Kind::Number | Kind::Mark(b'(')));
            }
            _ => return false,
        };
        !next(needs)
    }

    fn after_modifiers(&self, mut at: usize) -> usize {
        let is = |at: usize, words: &[&str]| self.tokens.get(at).is_some_and(|token| token.is_any(self.text, words));
        if is(at, &["with"]) && is(at + 1, &["differential_privacy"]) {
            at += 2;
        }
        loop {
            if is(at, &["distinct", "all"]) && is(at + 1, &["on"]) {
                at = self.after_group(at + 2);
            } else if is(at, &["distinct", "all", "straight_join", "sql_no_cache"]) {
                at += 1;
            } else if is(at, &["as"]) && is(at + 1, &["struct", "value"]) {
                at += 2;
            } else if is(at, &["top"])
                && self.tokens.get(at + 1).is_some_and(|token| matches!(token.kind, Kind::Number | Kind::Mark(b'(')))
            {
                at = self.after_group(at + 1);
            } else {
                return at;
            }
        }
    }

    /// The token after a group in parentheses, or after the one token that is none.
    pub(super) fn after_group(&self, open: usize) -> usize {
        let (mut at, mut depth) = (open, 0_usize);
        while let Some(token) = self.tokens.get(at) {
            at += 1;
            match token.kind {
                Kind::Mark(b'(') => depth += 1,
                Kind::Mark(b')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        at
    }

    fn opens_type(&self, at: usize) -> bool {
        at.checked_sub(1)
            .and_then(|at| self.tokens.get(at))
            .is_some_and(|token| token.is_any(self.text, &["struct", "array", "map", "range"]))
    }

    fn after_type(&self, open: usize) -> usize {
        let (mut at, mut depth) = (open, 0_usize);
        while let Some(token) = self.tokens.get(at) {
            at += 1;
            match token.kind {
                Kind::Mark(b'<') => depth += 1,
                Kind::Mark(b'>') => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        at
    }

    /// From `select` to the end of its group in parentheses or its statement.
    pub(super) fn select_range(&self, select: usize) -> Range<usize> {
        let (mut at, mut depth) = (select, 0_usize);
        while let Some(token) = self.tokens.get(at) {
            match token.kind {
                Kind::Mark(b'(') => depth += 1,
                Kind::Mark(b')') if depth == 0 => break,
                Kind::Mark(b')') => depth -= 1,
                Kind::Mark(b';') if depth == 0 => break,
                Kind::Word if depth == 0 && at > select && token.is_any(self.text, &["union", "intersect"]) => break,
                _ => {}
            }
            at += 1;
        }
        self.span(select, at)
    }
}
