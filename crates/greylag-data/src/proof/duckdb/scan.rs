//! The tokens of a text, as DuckDB cuts them.
//!
//! No grammar stands behind it, so that what no parser here knows can be asked of DuckDB. Where one statement ends and which words
//! are words is all that is needed; DuckDB itself reads what is between.

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// As it stands in the text.
    pub(super) raw: &'a str,
    /// Where it begins.
    pub(super) at: usize,
}

/// Kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word: of the language, or a name.
    Word,
    /// A name between `"`.
    Quoted,
    /// A string.
    Text,
    /// A number.
    Number,
    /// One character of anything else.
    Mark,
}

impl Token<'_> {
    /// Whether it is this word.
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.raw.eq_ignore_ascii_case(word)
    }

    /// Whether it is this character.
    pub(super) fn is_mark(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.raw == mark
    }

    /// The name that it may be, in lower case.
    pub(super) fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.raw.to_lowercase()),
            Kind::Quoted => {
                let inner = self.raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
                inner.map(|inner| inner.replace("\"\"", "\"").to_lowercase())
            }
            _ => None,
        }
    }

    /// The end of it in the text.
    pub(super) fn end(&self) -> usize {
        self.at + self.raw.len()
    }
}

/// Cuts a text; `Err` says what is not closed.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, &'static str> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(first) = rest.chars().next() else { break };
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if rest.starts_with("--") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        if rest.starts_with("/*") {
            at += comment(rest).ok_or("a comment is not closed")?;
            continue;
        }
        let (kind, length) = token(rest, first)?;
        found.push(Token { kind, raw: &rest[..length], at });
        at += length;
    }
    Ok(found)
}

/// Kind and length of the first token.
fn token(rest: &str, first: char) -> Result<(Kind, usize), &'static str> {
    const OPEN: &str = "a string is not closed";
    if rest.starts_with(['e', 'E']) && rest[1..].starts_with('\'') {
        return Ok((Kind::Text, 1 + quoted(&rest[1..], '\'', true).ok_or(OPEN)?));
    }
    Ok(match first {
        '\'' => (Kind::Text, quoted(rest, '\'', false).ok_or(OPEN)?),
        '"' => (Kind::Quoted, quoted(rest, '"', false).ok_or("a name is not closed")?),
        '$' => match tag(rest) {
            Some(tag) => {
                let end = rest[tag.len()..].find(tag).ok_or(OPEN)?;
                (Kind::Text, end + 2 * tag.len())
            }
            None => (Kind::Mark, 1),
        },
        _ if first.is_ascii_digit() => (Kind::Number, number(rest)),
        _ if first.is_alphabetic() || first == '_' || !first.is_ascii() => {
            let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$') || !letter.is_ascii();
            (Kind::Word, rest.find(|letter| !is_part(letter)).unwrap_or(rest.len()))
        }
        _ => (Kind::Mark, first.len_utf8()),
    })
}

/// The length of what stands between quotes, which are doubled inside.
fn quoted(rest: &str, quote: char, escapes: bool) -> Option<usize> {
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if escapes && letter == '\\' {
            letters.next();
        } else if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
            return Some(at + 1);
        }
    }
    None
}

/// What begins and ends a string between dollars: `$$`, `$tag$`.
fn tag(rest: &str) -> Option<&str> {
    let end = rest[1..].find('$')?;
    let name = &rest[1..=end];
    let is_name = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
        && !name.starts_with(|letter: char| letter.is_ascii_digit());
    is_name.then(|| &rest[..end + 2])
}

/// The length of a comment, in which others may stand.
fn comment(rest: &str) -> Option<usize> {
    let (bytes, mut depth, mut at) = (rest.as_bytes(), 0_usize, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// The length of a number. A sign belongs to it after an exponent alone.
fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let is_part = |at: usize| match bytes.get(at) {
        Some(b'.') => true,
        Some(b'+' | b'-') => matches!(bytes.get(at - 1), Some(b'e' | b'E')),
        Some(byte) => byte.is_ascii_alphanumeric() || *byte == b'_',
        None => false,
    };
    (1..=bytes.len()).find(|at| !is_part(*at)).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::tokens;

    fn check(text: &str, expected: &str) {
        let found = tokens(text).map(|found| found.iter().map(|token| token.raw).collect::<Vec<_>>().join("|"));
        assert_eq!(found.as_deref().unwrap_or_else(|why| *why), expected);
    }

    #[test]
    fn what_is_no_code_is_passed_over() {
        check("select 'a;b''c', \"x;\"\"y\" -- d;\nfrom t", "select|'a;b''c'|,|\"x;\"\"y\"|from|t");
        check("a /* b /* ; */ c */ d", "a|d");
        check("select e'a\\';b', $$c;d$$, $x$ $$ ; $x$, $1", "select|e'a\\';b'|,|$$c;d$$|,|$x$ $$ ; $x$|,|$|1");
        check("1.5e-3+2-x.y, é(z)", "1.5e-3|+|2|-|x|.|y|,|é|(|z|)");
    }

    #[test]
    fn what_is_not_closed_is_told() {
        check("select 'a", "a string is not closed");
        check("select \"a", "a name is not closed");
        check("select $$a", "a string is not closed");
        check("select 1 /* /* */", "a comment is not closed");
    }
}
