//! Patterns of Python's `re` in the words of the crate that matches them.
//!
//! Only what means the same in both is taken; anything else (look-around, references back, possessive or nested quantifiers,
//! groups that may match nothing and are repeated) is not translated, and its result stays open.

use regex::{Regex, RegexBuilder};
use std::iter::Peekable;
use std::str::Chars;

/// The longest pattern that is looked at, and what one may take when it is compiled.
const LONGEST: usize = 2_000;
const SIZE: usize = 1 << 20;

/// The flags `re.IGNORECASE`, `re.MULTILINE`, `re.DOTALL`, and `re.UNICODE`, which changes nothing.
pub(super) const IGNORECASE: i64 = 2;
pub(super) const MULTILINE: i64 = 8;
pub(super) const DOTALL: i64 = 16;
pub(super) const UNICODE: i64 = 32;

/// Where a match has to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Anywhere,
    Start,
    Whole,
}

/// A pattern that is understood.
#[derive(Debug)]
pub(super) struct Pattern {
    translated: Translated,
    flags: i64,
    is_ascii: bool,
}

impl Pattern {
    pub(super) fn new(pattern: &str, flags: i64) -> Option<Self> {
        if pattern.len() > LONGEST || flags & !(IGNORECASE | MULTILINE | DOTALL | UNICODE) != 0 {
            return None;
        }
        let pattern = Self { translated: translate(pattern)?, flags, is_ascii: pattern.is_ascii() };
        pattern.regex(Anchor::Anywhere).map(|_| pattern)
    }

    /// Whether it may match where there is nothing: Python goes on from such a match in a way of its own.
    pub(super) fn may_be_empty(&self) -> bool {
        !self.translated.takes
    }

    /// Whether it means the same for this text in both.
    pub(super) fn is_same_for(&self, text: &str) -> bool {
        let folds = self.flags & IGNORECASE != 0;
        !text.contains(|c| ('\u{1c}'..='\u{1f}').contains(&c))
            && (text.is_ascii() && self.is_ascii || !self.translated.words && !folds)
            && !(self.translated.ends && self.flags & MULTILINE == 0 && text.ends_with('\n'))
    }

    pub(super) fn regex(&self, anchor: Anchor) -> Option<Regex> {
        let text = &self.translated.text;
        let text = match anchor {
            Anchor::Anywhere => text.clone(),
            Anchor::Start => format!("\\A(?:{text})"),
            Anchor::Whole => format!("\\A(?:{text})\\z"),
        };
        RegexBuilder::new(&text)
            .case_insensitive(self.flags & IGNORECASE != 0)
            .multi_line(self.flags & MULTILINE != 0)
            .dot_matches_new_line(self.flags & DOTALL != 0)
            .size_limit(SIZE)
            .nest_limit(64)
            .build()
            .ok()
    }
}

#[derive(Debug, Default)]
struct Translated {
    text: String,
    /// Whether it asks what a letter of a word is.
    words: bool,
    /// Whether `$` is in it.
    ends: bool,
    /// Whether each match has a character.
    takes: bool,
}

/// A group that is read: whether its alternatives so far, and the one that is read, take a character.
struct Group {
    all: bool,
    this: bool,
}

fn translate(pattern: &str) -> Option<Translated> {
    let mut out = Translated::default();
    let mut groups = vec![Group { all: true, this: false }];
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        // Whether it takes a character, if it may be repeated.
        let takes = match c {
            '|' => {
                let group = groups.last_mut()?;
                (group.all, group.this) = (group.all && group.this, false);
                out.text.push('|');
                continue;
            }
            '(' => {
                out.text.push('(');
                opened(&mut chars, &mut out.text)?;
                groups.push(Group { all: true, this: false });
                continue;
            }
            ')' => {
                let group = groups.pop().filter(|_| !groups.is_empty())?;
                out.text.push(')');
                group.all && group.this
            }
            '^' | '$' => {
                out.ends |= c == '$';
                out.text.push(c);
                false
            }
            '*' | '+' | '?' => return None,
            '[' => {
                class(&mut chars, &mut out)?;
                true
            }
            '\\' => escape(chars.next()?, &mut out)?,
            '.' => {
                out.text.push('.');
                true
            }
            // Python reads these as themselves where they are no quantifier, which is not worth telling apart.
            '{' | '}' => return None,
            c => {
                literal(c, &mut out.text);
                true
            }
        };
        let optional = quantifier(&mut chars, takes, &mut out.text)?;
        groups.last_mut()?.this |= takes && !optional;
    }
    let group = groups.pop().filter(|_| groups.is_empty())?;
    out.takes = group.all && group.this;
    Some(out)
}

fn literal(c: char, out: &mut String) {
    out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

/// What stands behind `(`.
fn opened(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<()> {
    if chars.next_if_eq(&'?').is_none() {
        return Some(());
    }
    out.push('?');
    match chars.next()? {
        ':' => out.push(':'),
        'P' => {
            chars.next_if_eq(&'<')?;
            out.push_str("P<");
            while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                out.push(c);
            }
            chars.next_if_eq(&'>')?;
            out.push('>');
        }
        _ => return None,
    }
    Some(())
}

/// A quantifier, if one is here: whether it allows none.
fn quantifier(chars: &mut Peekable<Chars<'_>>, takes: bool, out: &mut String) -> Option<bool> {
    let Some(c) = chars.next_if(|c| matches!(c, '*' | '+' | '?' | '{')) else { return Some(false) };
    if !takes {
        return None;
    }
    let mut optional = c != '+';
    out.push(c);
    if c == '{' {
        let number = |chars: &mut Peekable<Chars<'_>>| {
            let mut digits = String::new();
            while let Some(c) = chars.next_if(char::is_ascii_digit) {
                digits.push(c);
            }
            digits
        };
        let least: u16 = number(chars).parse().ok()?;
        optional = least == 0;
        out.push_str(&least.to_string());
        if chars.next_if_eq(&',').is_some() {
            out.push(',');
            out.push_str(&number(chars));
        }
        chars.next_if_eq(&'}')?;
        out.push('}');
    }
    if chars.next_if_eq(&'?').is_some() {
        out.push('?');
    }
    chars.peek().is_none_or(|c| !matches!(c, '*' | '+' | '?' | '{')).then_some(optional)
}

/// What stands behind `\`, outside of brackets: whether it takes a character.
fn escape(c: char, out: &mut Translated) -> Option<bool> {
    match c {
        'A' | 'b' | 'B' => {
            out.words |= c != 'A';
            out.text.extend(['\\', c]);
            Some(false)
        }
        'Z' => {
            out.text.push_str("\\z");
            Some(false)
        }
        c => member(c, out).map(|_| true),
    }
}

/// How many characters a part of brackets is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Member {
    One,
    Several,
}

/// An escape that stands for characters, the same in brackets.
fn member(c: char, out: &mut Translated) -> Option<Member> {
    let one = match c {
        'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
            out.words |= matches!(c, 'w' | 'W');
            out.text.extend(['\\', c]);
            return Some(Member::Several);
        }
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'f' => '\u{c}',
        'v' => '\u{b}',
        'a' => '\u{7}',
        c if c.is_ascii_alphanumeric() => return None,
        c => c,
    };
    literal(one, &mut out.text);
    Some(Member::One)
}

/// What stands behind `[`.
fn class(chars: &mut Peekable<Chars<'_>>, out: &mut Translated) -> Option<()> {
    out.text.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.text.push('^');
    }
    let mut first = true;
    loop {
        let c = chars.next()?;
        if c == ']' && !first {
            break;
        }
        first = false;
        let low = one(c, chars, out)?;
        let mut ahead = chars.clone();
        if ahead.next() != Some('-') || ahead.peek().is_none_or(|c| *c == ']') {
            continue;
        }
        chars.next();
        out.text.push('-');
        let c = chars.next()?;
        let high = one(c, chars, out)?;
        if (low, high) != (Member::One, Member::One) {
            return None;
        }
    }
    out.text.push(']');
    Some(())
}

/// One character of brackets, or what stands for several.
fn one(c: char, chars: &mut Peekable<Chars<'_>>, out: &mut Translated) -> Option<Member> {
    if c == '\\' {
        return member(chars.next()?, out);
    }
    literal(c, &mut out.text);
    Some(Member::One)
}
