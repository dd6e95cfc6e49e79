//! Backstage's rules for names, which are those of Kubernetes, and legal names out of odd ones.

/// Longest name, namespace, tag and the like, in characters (they are ASCII).
pub const LONGEST: usize = 63;

/// Whether `text` is a name: 1 to 63 of `A-Z`, `a-z`, `0-9`, `-`, `_` and `.`, with a letter or digit at both ends.
pub fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=LONGEST).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && [bytes.first(), bytes.last()].into_iter().flatten().all(u8::is_ascii_alphanumeric)
}

/// Whether `text` is a namespace, a DNS label: `a-z` and `0-9` in runs with one `-` between, 63 at most.
pub fn is_namespace(text: &str) -> bool {
    runs(text, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Whether `text` is a tag: `a-z`, `0-9`, `+`, `#` and `:` in runs with one `-` between, 63 at most.
pub fn is_tag(text: &str) -> bool {
    runs(text, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'#' | b':'))
}

fn runs(text: &str, fits: impl Fn(u8) -> bool) -> bool {
    text.len() <= LONGEST && text.split('-').all(|run| !run.is_empty() && run.bytes().all(&fits))
}

/// Whether `text` is the key of a label or annotation: a name, perhaps with a DNS subdomain and `/` before it.
pub fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => is_domain(domain) && is_name(name),
        None => is_name(text),
    }
}

/// Whether `text` is the value of a label: empty, or a name.
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name(text)
}

/// Whether `text` is a kind: a letter, then letters and digits, 63 at most.
pub fn is_kind(text: &str) -> bool {
    text.len() <= LONGEST
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether `text` is an API version: letters and digits, perhaps with a DNS subdomain and `/` before them.
pub fn is_api_version(text: &str) -> bool {
    let (domain, version) = text.split_once('/').map_or((None, text), |(domain, version)| (Some(domain), version));
    domain.is_none_or(is_domain)
        && (1..=LONGEST).contains(&version.len())
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_domain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_namespace)
}

/// A legal name for something that is called `text` (a path without its extension, say) and no other in the catalog is:
/// `text` itself if it is legal and no longer than allowed; else what is legal of it and 8 hex digits of a hash over
/// `unique`, so that two odd texts that look alike get different names, and the same one the same name every time.
pub fn legal(text: &str, unique: &str) -> String {
    if is_name(text) {
        return text.to_owned();
    }
    let hash = blake3::hash(unique.as_bytes()).to_hex();
    let mut slug = String::new();
    for letter in text.chars() {
        let letter = if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.') { letter } else { '-' };
        if !(letter == '-' && slug.ends_with('-')) {
            slug.push(letter);
        }
    }
    let end = |letter: char| !letter.is_ascii_alphanumeric();
    let slug = slug.trim_matches(end);
    let slug = slug[..slug.len().min(LONGEST - 9)].trim_end_matches(end);
    if slug.is_empty() { format!("dataset-{}", &hash[..8]) } else { format!("{slug}-{}", &hash[..8]) }
}

/// What is wrong with a name that is not one, and how it could read, for hints.
pub fn advice(text: &str) -> String {
    if text.is_empty() {
        return "give it a name".to_owned();
    }
    if text.len() > LONGEST {
        return format!("it has {} characters, {LONGEST} at most are allowed", text.chars().count());
    }
    let slug: String = text
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.') { letter } else { '-' })
        .collect();
    let slug = slug.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    if slug.is_empty() {
        "allowed are `A-Z`, `a-z`, `0-9`, `-`, `_` and `.`, with a letter or digit at both ends".to_owned()
    } else {
        format!("`{slug}` would do; the full name can go in `metadata.title`")
    }
}
