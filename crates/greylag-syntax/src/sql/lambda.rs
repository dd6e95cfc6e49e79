//! Parameters of lambdas where the parser takes `->` for an operator, as it does for Snowflake.

use std::ops::Range;

use super::lex::{Kind, Token};

/// The words that are parameters, and where: `x -> x + 1`, `x int -> x + 1`, `(x, y int) -> x + y`. Each is seen from its list to the end of
/// the argument that it stands in.
pub(super) fn parameters(text: &str, tokens: &[Token]) -> Vec<(Range<u32>, Box<str>)> {
    let mut found = Vec::new();
    for at in 1..tokens.len().saturating_sub(1) {
        let (minus, more) = (tokens[at], tokens[at + 1]);
        if !(minus.mark(b'-') && more.mark(b'>') && minus.end == more.start) {
            continue;
        }
        let Some((first, names)) = list_before(tokens, at) else { continue };
        let is_argument =
            first.checked_sub(1).is_some_and(|before| tokens[before].mark(b'(') || tokens[before].mark(b','));
        if is_argument {
            let range = tokens[first].start..end_of_argument(tokens, at + 2);
            found.extend(names.into_iter().map(|name| (range.clone(), tokens[name].text(text).into())));
        }
    }
    found
}

/// The list of parameters that ends before a token: where it begins, and its names.
fn list_before(tokens: &[Token], arrow: usize) -> Option<(usize, Vec<usize>)> {
    let last = arrow.checked_sub(1)?;
    let is_word = |at: usize| tokens.get(at).is_some_and(|token| token.kind == Kind::Word);
    if is_word(last) {
        let first = last.checked_sub(1).filter(|before| is_word(*before)).unwrap_or(last);
        return Some((first, vec![first]));
    }
    if !tokens[last].mark(b')') {
        return None;
    }
    let (mut names, mut at, mut depth) = (Vec::new(), last, 1_usize);
    while depth > 0 {
        at = at.checked_sub(1)?;
        match tokens[at].kind {
            Kind::Mark(b')') => depth += 1,
            Kind::Mark(b'(') => depth -= 1,
            _ => {}
        }
        let begins = depth == 0 || depth == 1 && tokens[at].mark(b',');
        if begins && is_word(at + 1) {
            names.push(at + 1);
        }
    }
    Some((at, names))
}

/// Where an argument ends that goes on at a token.
fn end_of_argument(tokens: &[Token], from: usize) -> u32 {
    let mut depth = 0_usize;
    for token in tokens.iter().skip(from) {
        match token.kind {
            Kind::Mark(b'(' | b'[' | b'{') => depth += 1,
            Kind::Mark(b')' | b']' | b'}' | b',') if depth == 0 => return token.start,
            Kind::Mark(b')' | b']' | b'}') => depth -= 1,
            _ => {}
        }
    }
    u32::MAX
}
