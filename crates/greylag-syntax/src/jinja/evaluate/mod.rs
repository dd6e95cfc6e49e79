//! From a tree to text.
//!
//! An [`Evaluator`] makes one rendering; [`render`] makes all. Scopes are Jinja2's: loops, macros, `with`, `call`, `filter` and block
//! `set` have names of their own, `if` has none. Macros see the names of where they were defined, when they are called.
//!
//! **Bounds.** Every node and expression is a step, and what copies bytes or items costs steps by their number. Steps, the bytes of a
//! text, the items of a list and the depth of calls are bounded by [`Limits`]. The stack grows on the
//! heap where it is short, and how deep nodes stand in each other is bounded by the parser.

mod access;
mod builtin;
mod call;
mod cover;
mod expression;
mod memo;
mod operate;
mod oracle;
mod repeat;
mod scope;
mod statement;

pub use call::call_words;
pub use memo::{Place, forget};
pub use oracle::{Decision, Rendering, Renderings, render};
pub use scope::Scope;

use super::error::{Error, ErrorKind};
use super::value::{Open, Value, repr};
use crate::trace::{Span, Traced};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

/// What an evaluation may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Steps of one rendering.
    pub steps: u64,
    /// Steps of all renderings of a template after which no other is begun.
    pub all_steps: u64,
    /// Bytes of a text.
    pub text: usize,
    /// Items of a list.
    pub items: usize,
    /// Macros that are called from each other.
    pub calls: usize,
    /// Ways to render one template: all that there are, and again those in which what is asked at one place is answered alike.
    pub renderings: usize,
    /// Ways to render one template with each three answers together, where there are more than that.
    pub threes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 4_000_000,
            all_steps: 16_000_000,
            text: 16 << 20,
            items: 200_000,
            calls: 100,
            renderings: 64,
            threes: 192,
        }
    }
}

/// Why an evaluation goes no further.
#[derive(Debug)]
pub enum Stop {
    /// Something is wrong.
    Error(Box<Error>),
    /// The macro around gives this value, as dbt's `return` does.
    Return(Value),
    /// The loop around ends.
    Break,
    /// The loop around goes on with its next item.
    Continue,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}

/// What the embedding gives to templates. One host serves one rendering.
pub trait Host {
    /// What a name stands for that the template does not set: variables, functions, macros, packages of macros.
    fn global(&self, evaluator: &mut Evaluator<'_>, name: &str, at: Span) -> Option<Value>;

    /// A filter that Jinja2 does not have: it is called with the value before its arguments.
    fn filter(&self, _name: &str) -> Option<Value> {
        None
    }

    /// What is known of a part of something open: `what` are the words of the whole, the key is the name or item that is asked for.
    fn part(&self, _what: &str, _key: &str) -> Option<Value> {
        None
    }

    /// Whether something open counts as true in every run, if that much is known of it.
    fn truth(&self, _what: &str) -> Option<bool> {
        None
    }

    /// Is told of a call of something that there is not. Its result is open.
    fn unknown(&self, _name: &str, _at: Span) {}

    /// Where the rendering is, if what macros without arguments give may be remembered for others of the project.
    fn place(&self) -> Option<Place> {
        None
    }

    /// Whether what a name stands for is the same in every rendering at this place, and asking for it notes nothing.
    fn is_constant(&self, _name: &str) -> bool {
        false
    }

    /// What was noted beside the text: renderings of the same text that differ in it are two.
    fn fingerprint(&self) -> u64 {
        0
    }
}

/// A host that gives nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHost;

impl Host for NoHost {
    fn global(&self, _: &mut Evaluator<'_>, _: &str, _: Span) -> Option<Value> {
        None
    }
}

/// One evaluation.
pub struct Evaluator<'a> {
    host: &'a dyn Host,
    limits: &'a Limits,
    steps: u64,
    calls: usize,
    closures: usize,
    oracle: oracle::Oracle,
    open: HashMap<Arc<str>, Rc<Open>>,
    watches: Vec<memo::Watch>,
    /// Texts that a run may have otherwise, and what they are of.
    assumed: Vec<(Arc<Traced>, Arc<str>, Span)>,
    /// A word of its own that was printed last, and how long the text was then.
    word: Option<(usize, Arc<Traced>)>,
}

impl<'a> Evaluator<'a> {
    fn new(host: &'a dyn Host, limits: &'a Limits) -> Self {
        let (oracle, open) = (oracle::Oracle::default(), HashMap::new());
        Self {
            host,
            limits,
            steps: 0,
            calls: 0,
            closures: 0,
            oracle,
            open,
            watches: Vec::new(),
            assumed: Vec::new(),
            word: None,
        }
    }

    /// The bounds.
    pub fn limits(&self) -> &Limits {
        self.limits
    }

    /// Pays for work.
    ///
    /// # Errors
    /// There are no steps left.
    pub fn spend(&mut self, steps: usize, at: Span) -> Result<(), Stop> {
        self.steps = self.steps.saturating_add(steps as u64);
        if self.steps > self.limits.steps {
            return fail(ErrorKind::Limit, format!("the template takes more than {} steps", self.limits.steps), at);
        }
        Ok(())
    }

    /// A text as a value, and pays for it.
    ///
    /// # Errors
    /// It is too long.
    pub fn text(&mut self, text: Traced, at: Span) -> Result<Value, Stop> {
        self.check_text(text.text().len(), at)?;
        Ok(Value::text(text))
    }

    /// Pays for a text of so many bytes.
    fn check_text(&mut self, bytes: usize, at: Span) -> Result<(), Stop> {
        if bytes > self.limits.text {
            return fail(ErrorKind::Limit, format!("a text is longer than {} bytes", self.limits.text), at);
        }
        self.spend(bytes / 64, at)
    }

    /// Pays for a list of so many items.
    fn check_items(&mut self, items: usize, at: Span) -> Result<(), Stop> {
        if items > self.limits.items {
            return fail(ErrorKind::Limit, format!("a list has more than {} items", self.limits.items), at);
        }
        self.spend(items / 8, at)
    }

    /// A list as a value, and pays for it.
    ///
    /// # Errors
    /// It is too long.
    pub fn list(&mut self, items: Vec<Value>, at: Span) -> Result<Value, Stop> {
        self.check_items(items.len(), at)?;
        Ok(Value::list(items))
    }

    /// The items of a value.
    ///
    /// # Errors
    /// It has none, or too many.
    pub fn items(&mut self, value: &Value, at: Span) -> Result<Vec<Value>, Stop> {
        self.check_items(value.length().unwrap_or(0), at)?;
        match value.items() {
            Some(items) => Ok(items),
            None => fail(ErrorKind::Type, format!("`{}` cannot be looped over", value.type_name()), at),
        }
    }

    /// A value that cannot be known. What has the same words is the same value.
    pub fn open(&mut self, what: &str, at: Span) -> Value {
        Value::Open(self.open_of(what, at))
    }

    /// A text that is there unless whoever runs the template says another one: it prints as it is, and what is asked of it is open. A
    /// text that is made of it is as any other.
    pub fn assumed(&mut self, text: &Traced, what: &str, at: Span) -> Value {
        self.spoil();
        if let Some((known, ..)) = self.assumed.iter().find(|(known, of, _)| **of == *what && **known == *text) {
            return Value::Text(Arc::clone(known));
        }
        let own = Arc::new(text.clone());
        self.assumed.push((Arc::clone(&own), Arc::from(what), at));
        Value::Text(own)
    }

    /// What an assumed text is of.
    fn questioned(&mut self, value: &Value) -> Option<Rc<Open>> {
        let Value::Text(text) = value else { return None };
        let (_, what, at) = self.assumed.iter().find(|(assumed, ..)| Arc::ptr_eq(assumed, text)).cloned()?;
        Some(self.open_of(&what, at))
    }

    fn open_of(&mut self, what: &str, at: Span) -> Rc<Open> {
        let what = short(what);
        self.note_open(&what, at);
        let number = self.open.len() as u32;
        let found = self.open.entry(what.clone()).or_insert_with(|| Rc::new(Open { what, negated: false, at, number }));
        found.clone()
    }

    /// Whether a value counts as true. If that cannot be known, both ways are gone, in different renderings.
    pub fn truth(&mut self, value: &Value, at: Span) -> bool {
        // Any other text counts as true.
        if value.truth() == Some(false)
            && let Some(open) = self.questioned(value)
        {
            return self.decide(&open.what, at);
        }
        if let Some(known) = value.truth() {
            return known;
        }
        match value {
            Value::Open(open) => {
                let known = self.host.truth(&open.what);
                known.unwrap_or_else(|| self.decide(&open.what, at)) != open.negated
            }
            Value::Object(object) => self.decide(&Arc::from(object.type_name()), at),
            other => {
                let words = other.open_words().unwrap_or_else(|| Arc::from("?"));
                self.decide(&words, at)
            }
        }
    }

    /// A truth value that may be open: the words say what was asked.
    fn answer(&mut self, known: Option<bool>, negated: bool, at: Span, words: impl FnOnce() -> String) -> Value {
        match known {
            Some(known) => Value::Bool(known != negated),
            None if negated => {
                let open = self.open_of(&words(), at);
                Value::Open(Rc::new(Open { negated: true, ..(*open).clone() }))
            }
            None => self.open(&words(), at),
        }
    }
}

/// An error as a reason to stop.
pub(super) fn fail<T>(kind: ErrorKind, message: impl Into<String>, at: Span) -> Result<T, Stop> {
    Err(Error::at(kind, message, at).into())
}

/// A value in the words of a question: how an open one is got, else what `repr` shows.
pub fn words(value: &Value) -> String {
    match value.open_words() {
        Some(words) if matches!(value, Value::Open(_)) => words.to_string(),
        _ => repr(value).text().to_owned(),
    }
}

/// Words that are not longer than one can keep: the end of long ones is a hash. That they speak of an item of an unknown list is kept.
fn short(what: &str) -> Arc<str> {
    const LONG: usize = 240;
    if what.len() <= LONG {
        return Arc::from(what);
    }
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    let head: String = what.chars().take(LONG / 2).collect();
    let item = if cover::is_of_item(what) && !cover::is_of_item(&head) { cover::ITEM } else { "" };
    Arc::from(format!("{head}…{item}#{:016x}", hasher.finish()))
}
