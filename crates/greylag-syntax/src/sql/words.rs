//! Reads a statement by its words alone, when the parser gave it up.
//!
//! Nothing is resolved, so nothing is claimed: names after `from`, `join` and the like are relations that are likely, and every
//! other word that could be a column is one that is unknown, of any of these relations. A rewriter that meets one of these
//! knows that it must not touch the statement, and a reader that looks for a name finds it.

use std::ops::Range;

use super::lex::{Kind, Token};
use super::reading::{Confidence, Origin, Place, RelationRole, Role, Why};
use super::walk::{Resolution, Said, Walker};

/// Words that are no names.
const RESERVED: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "begin",
    "between",
    "by",
    "case",
    "cast",
    "collate",
    "create",
    "cross",
    "current",
    "default",
    "delete",
    "desc",
    "distinct",
    "drop",
    "else",
    "end",
    "escape",
    "except",
    "exclude",
    "exists",
    "false",
    "fetch",
    "following",
    "for",
    "from",
    "full",
    "group",
    "having",
    "if",
    "ignore",
    "ilike",
    "in",
    "inner",
    "insert",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "lateral",
    "left",
    "like",
    "limit",
    "matched",
    "merge",
    "natural",
    "not",
    "null",
    "nulls",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "overwrite",
    "partition",
    "pivot",
    "preceding",
    "qualify",
    "recursive",
    "replace",
    "respect",
    "right",
    "rows",
    "select",
    "set",
    "some",
    "struct",
    "table",
    "then",
    "true",
    "truncate",
    "unbounded",
    "union",
    "unnest",
    "unpivot",
    "update",
    "using",
    "values",
    "view",
    "when",
    "where",
    "window",
    "with",
    "within",
];

impl Walker<'_> {
    /// Reads the tokens of a statement that could not be parsed.
    pub(super) fn words(&mut self, piece: Range<usize>) {
        let ctes = self.ctes_of(&piece);
        let mut relations: Vec<usize> = Vec::new();
        let mut taken: Vec<Range<usize>> = Vec::new();
        let mut at = piece.start;
        while at < piece.end {
            let role = self.introduces(at);
            at += 1;
            let Some(role) = role else { continue };
            while self
                .tokens
                .get(at)
                .is_some_and(|token| token.is_any(self.text, &["if", "not", "exists", "table", "only", "lateral"]))
            {
                at += 1;
            }
            let is_name = self.tokens.get(at).is_some_and(|token| match token.kind {
                Kind::Quoted => true,
                Kind::Word => !token.is_any(self.text, RESERVED),
                _ => false,
            });
            let Some((parts, range, next)) = is_name.then(|| self.path_at(at)).flatten() else { continue };
            let calls = self.tokens.get(next).is_some_and(|token| token.mark(b'(')) && role == RelationRole::Read;
            let is_cte =
                matches!(parts.as_slice(), [only] if ctes.iter().any(|cte| cte.eq_ignore_ascii_case(&only.text)));
            if calls {
                continue;
            }
            taken.push(at..next);
            at = next;
            if !is_cte {
                relations.push(self.push_relation(parts, range, None, role, Confidence::Likely));
            }
        }
        self.candidates_of(piece, &taken, &relations);
    }

    /// Names that the statement gives itself: `x as (`.
    fn ctes_of(&self, piece: &Range<usize>) -> Vec<Box<str>> {
        let is = |at: usize, word: &str| self.tokens.get(at).is_some_and(|token| token.is(self.text, word));
        let open = |at: usize| self.tokens.get(at).is_some_and(|token| token.mark(b'('));
        let named = piece.clone().filter(|at| is(at + 1, "as") && open(at + 2));
        named.filter_map(|at| self.name_at(at)).map(|name| name.text).collect()
    }

    /// What is done to the relation whose name comes next.
    fn introduces(&self, at: usize) -> Option<RelationRole> {
        let word = self.tokens.get(at).filter(|token| token.kind == Kind::Word)?.text(self.text).to_ascii_lowercase();
        let before = at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let after = |words: &[&str]| before.is_some_and(|token| token.is_any(self.text, words));
        Some(match word.as_str() {
            "from" if after(&["delete"]) => RelationRole::Delete,
            "from" if after(&["distinct"]) => return None,
            "from" | "join" => RelationRole::Read,
            "into" if after(&["merge"]) => RelationRole::Merge,
            "into" => RelationRole::Insert,
            "update" => RelationRole::Update,
            "using" => RelationRole::Read,
            "table" | "view" if after(&["drop"]) => RelationRole::Drop,
            "table" | "view" if after(&["alter"]) => RelationRole::Alter,
            "table" if after(&["truncate"]) => RelationRole::Truncate,
            "table" if after(&["insert", "overwrite", "into"]) => RelationRole::Insert,
            "table" | "view" => RelationRole::Create,
            _ => return None,
        })
    }

    fn candidates_of(&mut self, piece: Range<usize>, taken: &[Range<usize>], relations: &[usize]) {
        let origins: Vec<Origin> = relations.iter().map(|relation| Origin::Relation(*relation)).collect();
        let mut taken = taken.iter().peekable();
        let mut at = piece.start;
        while at < piece.end {
            if let Some(range) = taken.next_if(|range| range.start <= at) {
                at = range.end.max(at);
                continue;
            }
            if self.may_be_column(at)
                && let Some(name) = self.name_at(at)
            {
                let resolution = Resolution::new(origins.clone(), Confidence::Unknown, Why::NotParsed);
                self.push_column(&[name], 0, resolution, Said { role: Role::Unknown, place: Place::default() });
            }
            at += 1;
        }
    }

    /// Whether a word may be a column: no keyword, no function, no alias, no qualifier.
    fn may_be_column(&self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at) else { return false };
        let is_name = match token.kind {
            Kind::Quoted => true,
            Kind::Word => !token.is_any(self.text, RESERVED),
            _ => false,
        };
        let next = self.tokens.get(at + 1);
        is_name && !next.is_some_and(|token: &Token| token.mark(b'(') || token.mark(b'.'))
    }
}
