//! Filters of lists, and the words that a search goes by.

use super::Summary;
use greylag_model::entity::EntityRef;

/// What a list is narrowed to; empty fields do not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Kind, in any case, e.g. `resource`.
    pub kind: Option<String>,
    /// `spec.type`, e.g. `dataset`.
    pub entity_type: Option<String>,
    /// Who answers for it.
    pub owner: Option<EntityRef>,
    /// Namespace.
    pub namespace: Option<String>,
    /// A tag that it has.
    pub tag: Option<String>,
    /// `spec.lifecycle`, e.g. `deprecated`.
    pub lifecycle: Option<String>,
    /// Words, each of which begins a word of it, as in a search.
    pub text: Option<String>,
}

impl Filter {
    /// The datasets.
    pub fn datasets() -> Self {
        Self {
            kind: Some("resource".to_owned()),
            entity_type: Some(greylag_model::entity::DATASET.to_owned()),
            ..Self::default()
        }
    }
}

/// Whether an entity fits all of a filter but its text.
pub fn matches(filter: &Filter, summary: &Summary) -> bool {
    fn is<T: ?Sized>(wanted: Option<&T>, fits: impl FnOnce(&T) -> bool) -> bool {
        wanted.is_none_or(fits)
    }
    is(filter.kind.as_deref(), |kind| kind.eq_ignore_ascii_case(&summary.entity.kind))
        && is(filter.entity_type.as_deref(), |wanted| summary.entity_type.as_deref() == Some(wanted))
        && is(filter.owner.as_ref(), |owner| summary.owner.as_ref() == Some(owner))
        && is(filter.namespace.as_deref(), |wanted| wanted.eq_ignore_ascii_case(&summary.entity.namespace))
        && is(filter.tag.as_deref(), |tag| summary.tags.iter().any(|own| own == tag))
        && is(filter.lifecycle.as_deref(), |wanted| summary.lifecycle.as_deref() == Some(wanted))
}

/// The words of a text: runs of letters and digits, in lower case.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}
