//! Blanks parts of a statement that the parser does not know and that name nothing.
//!
//! Each byte of them becomes a space, so all offsets stay true. What is blanked, in any dialect unless told otherwise:
//!
//! | what | example |
//! |---|---|
//! | hints in braces | `join @{join_method=hash_join} t` |
//! | options of what is made | `options (description = '…')` |
//! | the type of a written array | `array<struct<x int64>>[(1)]` |

use super::dialect::Dialect;
use super::lex::{Kind, Token};

/// A copy of the text with such parts blanked; none if there are none. `base` is where the text begins in that of the tokens.
pub(super) fn blank(text: &str, tokens: &[Token], base: usize, dialect: Dialect) -> Option<String> {
    let mut blanker = Blanker { text, tokens, base, bytes: text.as_bytes().to_vec(), changed: false };
    let mut at = 0;
    while at < tokens.len() {
        at = blanker.rule(at, dialect).max(at + 1);
    }
    blanker.changed.then(|| String::from_utf8(blanker.bytes).ok()).flatten()
}

struct Blanker<'a> {
    text: &'a str,
    tokens: &'a [Token],
    base: usize,
    bytes: Vec<u8>,
    changed: bool,
}

impl Blanker<'_> {
    fn word(&self, at: usize) -> &str {
        let token = self.tokens.get(at).filter(|token| token.kind == Kind::Word);
        token
            .and_then(|token| self.text.get(token.start as usize - self.base..token.end as usize - self.base))
            .unwrap_or_default()
    }

    fn is(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.word(at).eq_ignore_ascii_case(word))
    }

    fn mark(&self, at: usize, mark: u8) -> bool {
        self.tokens.get(at).is_some_and(|token| token.mark(mark))
    }

    /// The token after a group that opens at `open`.
    fn after(&self, open: usize) -> usize {
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

    fn clear(&mut self, first: usize, end: usize) -> usize {
        if let (Some(from), Some(to)) = (self.tokens.get(first), self.tokens.get(end.saturating_sub(1))) {
            let range = from.start as usize - self.base..to.end as usize - self.base;
            for byte in self.bytes.get_mut(range).unwrap_or_default().iter_mut().filter(|byte| **byte != b'\n') {
                *byte = b' ';
            }
            self.changed = true;
        }
        end
    }

    /// Applies the first rule that fits at a token, and says where to go on.
    fn rule(&mut self, at: usize, _dialect: Dialect) -> usize {
        if self.tokens.get(at).is_some_and(|token| token.kind == Kind::Parameter && token.end - token.start == 1)
            && self.mark(at + 1, b'{')
        {
            return self.clear(at, self.after(at + 1));
        }
        if self.is(at, &["options"]) && self.mark(at + 1, b'(') {
            return self.clear(at, self.after(at + 1));
        }
        if self.is(at, &["array"]) && self.mark(at + 1, b'<') {
            return self.typed_array(at);
        }
        at
    }

    /// `array<int64>[1, 2]` is read as `array[1, 2]`.
    fn typed_array(&mut self, at: usize) -> usize {
        let (mut end, mut depth) = (at + 1, 0_usize);
        while let Some(token) = self.tokens.get(end) {
            match token.kind {
                Kind::Mark(b'<') => depth += 1,
                Kind::Mark(b'>') => depth = depth.saturating_sub(1),
                Kind::Mark(b';') => return at,
                _ => {}
            }
            end += 1;
            if depth == 0 {
                break;
            }
        }
        if self.mark(end, b'[') { self.clear(at + 1, end) } else { at }
    }
}
