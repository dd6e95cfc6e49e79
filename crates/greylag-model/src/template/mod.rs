//! Templates: rules that become a migration by what the datasets are.
//!
//! [`render()`] is pure: a template, values of its parameters and the datasets as they were looked at give a [`Rendered`]
//! migration, whose pairs have mappings of their own. All that follows, the plan above all, knows no templates: it is
//! shown and frozen what they became, and a person who does not like it can write it down and edit it.
//!
//! **Rules do not have an order.** Each column is held against every rule. What the rules that match want of it is put
//! together; where two want different things of one column (two names, a type and a drop), the dataset is blocked and both
//! are named, and likewise where two columns would get one name. So it does not matter where a rule is added.
//!
//! **Rules are about what is to be, not about a change.** A column that already has the name and type that a rule wants
//! is matched and not changed; a dataset in which nothing changes is left out, and so is one whose successor is there. So a
//! template can be planned again when half of its datasets have moved, and takes the other half.
//!
//! Every place in a rendered migration leads to a place in the template ([`Rendered::place`]), so that an error of the
//! mapping is shown where its rule stands.

mod parameters;
mod render;
mod rendered;
mod rule;

pub use parameters::parameters;
pub use render::render;
pub use rendered::{Applied, Left, Pair, Rendered};
pub use rule::check;

use crate::dataset::Location;
use crate::diagnostic::Diagnostic;
use crate::entity::EntityRef;
use crate::snapshot::Observed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Variables of a template's conditions and texts for datasets.
pub(crate) const OF_DATASET: [&str; 3] = ["params", "dataset", "columns"];
/// The same in rules.
pub(crate) const OF_COLUMN: [&str; 4] = ["params", "dataset", "columns", "column"];

/// A dataset that a template may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// What others call it.
    #[serde(rename = "ref")]
    pub entity: EntityRef,
    /// `spec.type`.
    pub entity_type: Option<String>,
    /// Who answers for it.
    pub owner: Option<EntityRef>,
    /// Where it is in its life.
    pub lifecycle: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Where it lies.
    pub location: Location,
    /// What was found there, or why nothing could be.
    pub observed: Result<Observed, Vec<Diagnostic>>,
}
