//! Conditions and computed texts of templates: CEL, the Common Expression Language.
//!
//! CEL has no loops, no side effects and no clock, so that an expression gives the same for the same variables, and ends.
//! Besides the functions of the language there are those of its strings extension (`replace`, `lowerAscii`, `split` …).
//! Variables are JSON values; what each means is said where they are given (`template`). Two forms:
//!
//! - a **condition**, an expression that is true or false: `dataset.owner == "group:default/shop"`;
//! - a **text** with expressions in `${{ }}`: `${{ dataset.name }}_v2`. A number is written as in JSON, null as nothing.

mod free;

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

/// Bytes of an expression at most.
const LONGEST: usize = 8 << 10;

/// Variables by name.
pub type Variables = BTreeMap<&'static str, Value>;

/// The functions that there are: CEL's own, and those for strings that most implementations of it have.
fn environment() -> Arc<cel::Env> {
    static ENVIRONMENT: LazyLock<Arc<cel::Env>> = LazyLock::new(|| {
        let mut environment = cel::Env::stdlib();
        // Its names are not there yet, so it cannot be refused.
        let _ = environment.add_extension(cel::extensions::strings);
        Arc::new(environment)
    });
    Arc::clone(&ENVIRONMENT)
}

/// An expression that was understood.
#[derive(Clone)]
pub struct Expression {
    text: String,
    program: Arc<cel::Program>,
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

impl Expression {
    /// Reads an expression that may use these variables; an error is a line for people.
    pub fn parse(text: &str, variables: &[&str]) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("has {} bytes, more than {LONGEST}", text.len()));
        }
        let program = environment().compile(text).map_err(|errors| {
            let first = errors.errors.first();
            first.map_or_else(
                || "cannot be read".to_owned(),
                |error| {
                    let words = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
                    let words = words.split(" expecting ").next().unwrap_or(words);
                    format!("cannot be read: {words} (column {})", error.pos.1)
                },
            )
        })?;
        if let Some(unknown) = free::first_unknown(program.expression(), variables) {
            return Err(format!("uses `{unknown}`, but what there is is {}", variables.join(", ")));
        }
        Ok(Self { text: text.to_owned(), program: Arc::new(program) })
    }

    /// Its value.
    pub fn value(&self, variables: &Variables) -> Result<Value, String> {
        let mut context = cel::Context::with_env(environment());
        for (name, value) in variables {
            context.add_variable(*name, value).map_err(|error| error.to_string())?;
        }
        let value = self.program.execute(&context).map_err(|error| told(&error))?;
        value.json().map_err(|error| format!("gives what is no value: {error}"))
    }

    /// Whether it is true; anything but true and false is an error.
    pub fn holds(&self, variables: &Variables) -> Result<bool, String> {
        match self.value(variables)? {
            Value::Bool(value) => Ok(value),
            other => Err(format!("gives {other}, which is neither true nor false")),
        }
    }

    /// What it reads of its variables: for `steps.a.outputs.b` those four names, as far as they are plain.
    pub fn reads(&self) -> Vec<Vec<String>> {
        free::paths(self.program.expression())
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn told(error: &cel::ExecutionError) -> String {
    match error {
        cel::ExecutionError::NoSuchKey(key) => format!("asks for `{key}`, which is not there"),
        other => format!("cannot be computed: {other}"),
    }
}

/// A text with expressions in it.
#[derive(Clone, Debug)]
pub struct Text {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Literal(String),
    Computed(Expression),
}

impl Text {
    /// Reads a text whose expressions may use these variables; an error is a line for people.
    pub fn parse(text: &str, variables: &[&str]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("${{") {
            let after = &rest[start + 3..];
            let end = closing(after).ok_or_else(|| "has a `${{` that is not closed".to_owned())?;
            parts.push(Part::Literal(rest[..start].to_owned()));
            parts.push(Part::Computed(Expression::parse(after[..end].trim(), variables)?));
            rest = &after[end + 2..];
        }
        parts.push(Part::Literal(rest.to_owned()));
        Ok(Self { parts })
    }

    /// What its expressions read, see [`Expression::reads`].
    pub fn reads(&self) -> Vec<Vec<String>> {
        let computed = self.parts.iter().filter_map(|part| match part {
            Part::Computed(expression) => Some(expression),
            Part::Literal(_) => None,
        });
        computed.flat_map(Expression::reads).collect()
    }

    /// Its value: a text that is nothing but one expression has that one's, of whatever kind.
    pub fn value(&self, variables: &Variables) -> Result<Value, String> {
        let filled = |part: &&Part| !matches!(part, Part::Literal(text) if text.is_empty());
        let mut parts = self.parts.iter().filter(filled);
        if let (Some(Part::Computed(only)), None) = (parts.next(), parts.next()) {
            return only.value(variables);
        }
        self.write(variables, |literal, out| out.push_str(literal)).map(Value::String)
    }

    /// The text; `literal` sees the parts that are not computed.
    pub fn write(&self, variables: &Variables, literal: impl Fn(&str, &mut String)) -> Result<String, String> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => literal(text, &mut out),
                Part::Computed(expression) => match expression.value(variables)? {
                    Value::Null => {}
                    Value::String(text) => out.push_str(&text),
                    value @ (Value::Bool(_) | Value::Number(_)) => {
                        let _ = write!(out, "{value}");
                    }
                    _ => return Err(format!("`{}` gives a list or a map, not a text", expression.text())),
                },
            }
        }
        Ok(out)
    }
}

/// Where `}}` stands outside of quoted text.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if letter == '\\' => escaped = true,
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if matches!(letter, '"' | '\'') => quote = Some(letter),
            None if text[at..].starts_with("}}") => return Some(at),
            None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Expression, Text, Variables};
    use serde_json::json;

    fn variables() -> Variables {
        [("dataset", json!({"name": "orders", "tags": ["pii"], "rows": 7, "owner": null}))].into()
    }

    fn text(text: &str) -> Result<String, String> {
        Text::parse(text, &["dataset"])?.write(&variables(), |literal, out| out.push_str(literal))
    }

    #[test]
    fn conditions_are_true_or_false() {
        let holds = |text: &str| Expression::parse(text, &["dataset"]).and_then(|one| one.holds(&variables()));
        assert_eq!(holds("'pii' in dataset.tags && dataset.name.startsWith('or')"), Ok(true));
        assert_eq!(holds("dataset.rows > 7"), Ok(false));
        assert_eq!(holds("dataset.name.matches('^o.*s$')"), Ok(true));
        assert_eq!(holds("dataset.tags.exists(tag, tag == 'x')"), Ok(false));
        assert!(holds("dataset.tags.exists(tag, tag == other)").unwrap_err().contains("uses `other`"));
        assert!(holds("tag == 'x' || dataset.tags.exists(tag, tag == 'x')").unwrap_err().contains("uses `tag`"));
        assert_eq!(holds("dataset.owner == null"), Ok(true));
        assert_eq!(holds("dataset.name.replace('o', '0').upperAscii() == '0RDERS'"), Ok(true));
        assert!(holds("dataset.name.nope()").unwrap_err().starts_with("cannot be computed: "));
        assert!(holds("dataset.name").unwrap_err().contains("neither true nor false"));
        assert!(holds("dataset.nme == 'x'").unwrap_err().contains("asks for `nme`, which is not there"));
    }

    #[test]
    fn what_cannot_be_read_is_told_before_it_is_used() {
        let wrong = |text: &str| Expression::parse(text, &["dataset", "params"]).unwrap_err();
        assert!(wrong("dataset.name ==").starts_with("cannot be read: "), "{}", wrong("dataset.name =="));
        assert_eq!(wrong("data.name == 'x'"), "uses `data`, but what there is is dataset, params");
        assert!(wrong(&"a".repeat(9_000)).contains("bytes"));
    }

    #[test]
    fn texts_are_put_together() {
        assert_eq!(text("${{ dataset.name }}_v2"), Ok("orders_v2".to_owned()));
        assert_eq!(text("plain $1 {{x}}"), Ok("plain $1 {{x}}".to_owned()));
        assert_eq!(text("${{dataset.rows}}${{ dataset.owner }}!"), Ok("7!".to_owned()));
        assert_eq!(text("${{ '}}' + \"\\\"}}\" }}"), Ok("}}\"}}".to_owned()));
        assert!(text("${{ dataset.tags }}").unwrap_err().contains("a list or a map"));
        assert!(text("${{ dataset.name").unwrap_err().contains("not closed"));
    }
}
