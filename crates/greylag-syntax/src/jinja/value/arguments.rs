//! What a call was given.

use super::Value;
use crate::trace::Span;
use std::collections::VecDeque;
use std::sync::Arc;

/// Arguments of a call, and where it stands.
#[derive(Debug, Clone)]
pub struct Arguments {
    /// Those without a name.
    pub positional: VecDeque<Value>,
    /// Those with a name.
    pub named: Vec<(Arc<str>, Value)>,
    /// The bytes of the call.
    pub at: Span,
}

impl Arguments {
    /// No arguments.
    pub fn none(at: Span) -> Self {
        Self { positional: VecDeque::new(), named: Vec::new(), at }
    }

    /// Positional arguments.
    pub fn of(positional: impl IntoIterator<Item = Value>, at: Span) -> Self {
        Self { positional: positional.into_iter().collect(), named: Vec::new(), at }
    }

    /// Takes the next parameter, in the order of the signature: the next positional argument, else the one of this name.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.positional.pop_front().or_else(|| self.take_named(name))
    }

    /// Takes the argument of a name.
    pub fn take_named(&mut self, name: &str) -> Option<Value> {
        let at = self.named.iter().position(|(found, _)| &**found == name)?;
        Some(self.named.remove(at).1)
    }

    /// All values, positional ones first.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.positional.iter().chain(self.named.iter().map(|(_, value)| value))
    }
}
