//! What a validator finds, in the words of someone who wrote the file.

use super::reference::yaml_text;
use crate::code::{Code, spec as code};
use crate::diagnostic::{Diagnostic, Place};
use crate::yaml::{Entry, Kind, Node, Places};
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::{Map, Value};

const DURATION_HINT: &str = "write a whole number and a unit: `250ms`, `30s`, `5m`, `6h` or `14d`";

/// One finding of the validator, as one diagnostic or (for unknown keys) several.
pub(super) fn error(schema: &Value, error: &ValidationError<'_>, places: &Places, out: &mut Vec<Diagnostic>) {
    let at = error.instance_path().as_str();
    let rule = error.schema_path().as_str();
    let owner = rule.rsplit_once('/').and_then(|(owner, _)| schema.pointer(owner)).unwrap_or(&Value::Null);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            out.extend(unexpected.iter().map(|key| unknown_key(schema, owner, at, key, places)));
        }
        ValidationErrorKind::Required { property } => {
            out.extend(missing_key(schema, owner, at, property.as_str().unwrap_or_default(), places));
        }
        // The version and the kind were looked at before.
        ValidationErrorKind::Constant { .. } => {}
        ValidationErrorKind::Type { kind } => out.extend(wrong_type(at, &type_names(kind), owner, places)),
        ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::Enum { .. } => {
            out.extend(not_allowed(at, &allowed(owner), error.instance(), places));
        }
        _ => out.push(out_of_range(schema, owner, error, places)),
    }
}

/// A text without what people get wrong first: case and separators.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_lowercase()
}

/// The candidate that is meant, if one is close: the same but for case and separators, or few letters away.
pub(super) fn closest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(text);
    if wanted.len() > 64 {
        return None;
    }
    let distance = |candidate: &&str| strsim::damerau_levenshtein(&wanted, &plain(candidate));
    let (distance, candidate) =
        candidates.into_iter().map(|one| (distance(&one), one)).min_by_key(|(away, _)| *away)?;
    (distance <= wanted.chars().count().div_ceil(3).min(3) && !wanted.is_empty()).then_some(candidate)
}

fn unknown_key(schema: &Value, owner: &Value, at: &str, key: &str, places: &Places) -> Diagnostic {
    let place = places.key(&format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")));
    let diagnostic =
        Diagnostic::error(code::UNKNOWN_KEY, format!("{} has no key `{}`", subject(at), key.escape_debug()))
            .at(Some(place));
    if key.contains(')') && places.node(&format!("{at}/{key}")).is_some_and(|node| node.kind == Kind::Null) {
        return diagnostic.hint("inside braces a value with a comma needs quotes: `{type: \"decimal(15,2)\"}`");
    }
    let known: Vec<&str> = properties(owner).map(|(key, _)| key.as_str()).collect();
    if let Some(close) = closest(key, known.iter().copied()) {
        return diagnostic.hint(format!("did you mean `{close}`?"));
    }
    if let Some((own, homes)) = homes(schema, key) {
        return diagnostic.hint(format!("`{own}` belongs in {}", homes.join(" or ")));
    }
    diagnostic.hint(format!("keys here are {}", list(&known)))
}

/// The key as the schema spells it, and where it belongs, as `spec.mapping`.
fn homes<'a>(schema: &'a Value, key: &str) -> Option<(&'a str, Vec<String>)> {
    let wanted = plain(key);
    let mut found: Vec<(&str, String)> = Vec::new();
    let mut open = vec![(schema, String::new())];
    while let Some((node, path)) = open.pop() {
        for (own, property) in properties(node) {
            if !path.is_empty() && plain(own) == wanted {
                found.push((own, path.clone()));
            }
            let property = resolve(schema, property);
            let item = property.get("items").map(|item| resolve(schema, item));
            let below = if path.is_empty() { own.clone() } else { format!("{path}.{own}") };
            // Deep enough for every key; mappings of pairs repeat those of the migration.
            if path.matches('.').count() < 4 {
                open.push((item.unwrap_or(property), if item.is_some() { below + "[]" } else { below }));
            }
        }
    }
    // The nearest to the root say enough.
    found.sort_by_key(|(_, path)| (path.matches('.').count(), path.len()));
    found.truncate(2);
    let own = found.first()?.0;
    Some((own, found.iter().map(|(_, path)| format!("`{path}`")).collect()))
}

/// `None` if a mistyped key stands for it, which is reported by itself.
fn missing_key(schema: &Value, owner: &Value, at: &str, key: &str, places: &Places) -> Option<Diagnostic> {
    let known: Vec<&str> = properties(owner).map(|(key, _)| key.as_str()).collect();
    let mistyped =
        |entry: &Entry| !known.contains(&&*entry.key) && closest(&entry.key, known.iter().copied()) == Some(key);
    if let Some(Kind::Map(entries)) = places.node(at).map(|node| &node.kind)
        && entries.iter().any(mistyped)
    {
        return None;
    }
    let property = owner.get("properties").and_then(|all| all.get(key)).unwrap_or(&Value::Null);
    let diagnostic = Diagnostic::error(code::MISSING_KEY, format!("{} lacks `{key}`", subject(at)));
    let words = property.get("description").and_then(Value::as_str).unwrap_or_default();
    let words = lower_first(words.split(". ").next().unwrap_or_default().trim_end_matches('.')).replace('\n', " ");
    let sample = sample(schema, property).map(|sample| format!(" {sample}")).unwrap_or_default();
    Some(diagnostic.at(Some(first_line(places, at))).hint(format!("add `{key}:{sample}` – {words}")))
}

/// Whether a null is what is left of something that was refused, and reported, before.
fn is_damaged(node: &Node, places: &Places) -> bool {
    node.kind == Kind::Null
        && places.scalar_text(node).is_some_and(|text| !matches!(text, "~" | "null" | "Null" | "NULL"))
}

fn wrong_type(at: &str, expected: &[&str], owner: &Value, places: &Places) -> Option<Diagnostic> {
    let node = places.node(at).filter(|node| !is_damaged(node, places))?;
    let names = expected.iter().map(|name| noun(name)).collect::<Vec<_>>().join(" or ");
    if node.kind == Kind::Null {
        let diagnostic = Diagnostic::error(code::WRONG_TYPE, format!("{} has no value", subject(at)));
        return Some(diagnostic.at(Some(places.key(at))).hint(format!("write {names}, or remove the key")));
    }
    let given = match &node.kind {
        Kind::Number(_, text) | Kind::Boolean(_, text) => format!("`{text}`"),
        _ => node.noun().to_owned(),
    };
    let message = format!("{} wants {names}, but this is {given}", subject(at));
    let diagnostic = Diagnostic::error(code::WRONG_TYPE, message).at(Some(places.of(node)));
    Some(match type_hint(node, expected, owner, places) {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    })
}

/// How texts of a form that Greylag has are written.
fn form_hint(owner: &Value) -> Option<String> {
    match owner.get("pattern").and_then(Value::as_str)? {
        super::duration::PATTERN => Some(DURATION_HINT.to_owned()),
        super::consumers::DAY => Some(super::consumers::DAY_HINT.to_owned()),
        _ => None,
    }
}

fn type_hint(node: &Node, expected: &[&str], owner: &Value, places: &Places) -> Option<String> {
    if let Some(hint) = form_hint(owner) {
        return Some(hint);
    }
    let text = places.scalar_text(node);
    match (&node.kind, text) {
        (Kind::Boolean(..) | Kind::Number(..), Some(text)) if expected.contains(&"string") => {
            Some(format!("put it in quotes if it is meant as text: `\"{text}\"`"))
        }
        (Kind::String(..), Some(text)) if expected.contains(&"array") => Some(format!("write `[{text}]`")),
        (Kind::Map(_), _) if expected.contains(&"array") => Some("begin each item with `- `".to_owned()),
        (Kind::List(_), _) if expected.contains(&"object") => {
            Some("write keys and values without `- ` before them".to_owned())
        }
        (Kind::String(..), Some(text)) if text.parse::<f64>().is_ok() => Some(format!("write `{text}` without quotes")),
        _ if expected.contains(&"object") => {
            let required =
                owner.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            let keys: Vec<&str> = required.collect();
            let keys = if keys.is_empty() { properties(owner).map(|(key, _)| key.as_str()).collect() } else { keys };
            Some(format!("it has keys such as {}", list(&keys)))
        }
        _ => None,
    }
}

fn not_allowed(at: &str, allowed: &[&str], value: &Value, places: &Places) -> Option<Diagnostic> {
    if places.node(at).is_some_and(|node| is_damaged(node, places) && value.is_null()) {
        return None;
    }
    let options = list(allowed);
    if value.is_null() {
        let diagnostic = Diagnostic::error(code::WRONG_TYPE, format!("{} has no value", subject(at)));
        return Some(diagnostic.at(Some(places.key(at))).hint(format!("write one of {options}, or remove the key")));
    }
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let short = if shown.chars().count() > 60 { "this".to_owned() } else { format!("`{}`", shown.escape_debug()) };
    let diagnostic = Diagnostic::error(code::NOT_ALLOWED, format!("{} cannot be {short}", subject(at)));
    let allowed_are =
        if allowed.len() == 1 { format!("only {options} is allowed") } else { format!("allowed are {options}") };
    let hint = match closest(&shown, allowed.iter().copied()) {
        Some(close) => format!("did you mean `{close}`? {allowed_are}"),
        None => allowed_are,
    };
    Some(diagnostic.at(Some(places.value(at))).hint(hint))
}

fn out_of_range(schema: &Value, owner: &Value, error: &ValidationError<'_>, places: &Places) -> Diagnostic {
    let at = error.instance_path().as_str();
    let subject = subject(at);
    let items = |limit: &u64, bound: &str| {
        let plural = if *limit == 1 { "" } else { "s" };
        (code::OUT_OF_RANGE, format!("{subject} needs at {bound} {limit} item{plural}"))
    };
    let (code, message): (Code, String) = match error.kind() {
        ValidationErrorKind::MinItems { limit } => items(limit, "least"),
        ValidationErrorKind::MaxItems { limit } => items(limit, "most"),
        ValidationErrorKind::MinLength { limit: 1 } => (code::OUT_OF_RANGE, format!("{subject} is empty")),
        ValidationErrorKind::MinLength { limit } => {
            (code::OUT_OF_RANGE, format!("{subject} needs at least {limit} characters"))
        }
        ValidationErrorKind::MaxLength { limit: 1 } => (code::OUT_OF_RANGE, format!("{subject} wants one character")),
        ValidationErrorKind::MaxLength { limit } => {
            (code::OUT_OF_RANGE, format!("{subject} has more than {limit} characters"))
        }
        ValidationErrorKind::Minimum { limit } => (
            code::OUT_OF_RANGE,
            format!("{subject} is {}: at least {} is needed", yaml_text(error.instance()), yaml_text(limit)),
        ),
        ValidationErrorKind::Maximum { limit } => (
            code::OUT_OF_RANGE,
            format!("{subject} is {}: at most {} is allowed", yaml_text(error.instance()), yaml_text(limit)),
        ),
        ValidationErrorKind::Pattern { .. } => {
            let shown = error.instance().as_str().unwrap_or_default();
            (code::MALFORMED, format!("{subject} cannot be `{}`", shown.escape_debug()))
        }
        other => (code::UNREADABLE, format!("{subject} does not fit the rule `{}`", other.keyword())),
    };
    let mut diagnostic = Diagnostic::error(code, message).at(Some(places.value(at)));
    if matches!(error.kind(), ValidationErrorKind::Pattern { .. }) {
        diagnostic.hints.push(pattern_hint(schema, owner, error.instance().as_str().unwrap_or_default()));
    }
    diagnostic
}

fn pattern_hint(schema: &Value, owner: &Value, value: &str) -> String {
    if let Some(hint) = form_hint(owner) {
        return hint;
    }
    let rule = lower_first(owner.get("description").and_then(Value::as_str).unwrap_or_default().trim_end_matches('.'));
    let slug = slug(value);
    match (slug.is_empty(), sample(schema, owner)) {
        (true, Some(sample)) => format!("{rule}, e.g. `{sample}`"),
        _ => format!("{rule}, e.g. `{slug}`"),
    }
}

/// A name that the rules allow and that looks like the text.
fn slug(text: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() || "._-".contains(letter) { letter } else { '-' };
    let slug: String = text.to_lowercase().chars().map(letter).take(63).collect();
    slug.trim_matches(['.', '_', '-']).to_owned()
}

/// The thing at a pointer, as people speak of it: `spec.datasets[0].from`.
fn subject(at: &str) -> String {
    let mut path = String::new();
    for part in at.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~").escape_debug().to_string();
        match part.parse::<usize>() {
            Ok(index) => path = format!("{path}[{index}]"),
            Err(_) if path.is_empty() => path.push_str(&part),
            Err(_) => {
                path.push('.');
                path.push_str(&part);
            }
        }
    }
    if path.is_empty() { "the document".to_owned() } else { format!("`{path}`") }
}

/// A mapping's first line; its key if it has one.
fn first_line(places: &Places, at: &str) -> Place {
    if at.is_empty() { places.value(at) } else { places.key(at) }
}

fn properties(node: &Value) -> impl Iterator<Item = (&String, &Value)> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    node.get("properties").and_then(Value::as_object).unwrap_or(&NONE).iter()
}

/// Follows a `$ref` within the schema.
fn resolve<'a>(schema: &'a Value, node: &'a Value) -> &'a Value {
    let target = node.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    target.and_then(|pointer| schema.pointer(pointer)).unwrap_or(node)
}

/// What a value may look like: an example, the only value, or the default.
fn sample(schema: &Value, property: &Value) -> Option<String> {
    let sample = property.get("examples").and_then(|all| all.get(0));
    let sample = sample.or_else(|| property.get("const")).or_else(|| property.get("default"));
    if let Some(sample) = sample {
        return Some(yaml_text(sample));
    }
    allowed(resolve(schema, property)).first().map(|first| (*first).to_owned())
}

/// The values of an enumeration.
fn allowed(node: &Value) -> Vec<&str> {
    let cases = node.get("oneOf").and_then(Value::as_array).into_iter().flatten().filter_map(|case| case.get("const"));
    let options = node.get("enum").and_then(Value::as_array).into_iter().flatten();
    cases.chain(options).filter_map(Value::as_str).collect()
}

fn type_names(kind: &TypeKind) -> Vec<&'static str> {
    match kind {
        TypeKind::Single(one) => vec![one.as_str()],
        // `number` and `boolean` stand beside `string` only for editors: here all of them are text.
        TypeKind::Multiple(set) if set.contains(jsonschema::JsonType::String) => vec!["string"],
        TypeKind::Multiple(set) => set.iter().map(|one| one.as_str()).collect(),
    }
}

fn noun(name: &str) -> &'static str {
    match name {
        "string" => "text",
        "array" => "a list",
        "object" => "a mapping",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        _ => "nothing",
    }
}

fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match &quoted[..] {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_lowercase().to_string()).unwrap_or_default();
    // `URL` and the like keep their case.
    if letters.clone().next().is_some_and(char::is_uppercase) { text.to_owned() } else { first + letters.as_str() }
}
