//! Identifiers. All are plain strings or integers that the caller passes in: the model never invents one.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// Wraps a string.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

string_id!(
    /// One execution of a plan, e.g. `users-v2-7k3f`.
    RunId
);
string_id!(
    /// The work on one subject inside a plan. Equal to the target dataset's name for dataset tasks
    /// (namespace included when it is not `default`: `finance.orders_v2`), so a person can type it.
    TaskId
);
string_id!(
    /// The hash of a frozen plan, printed as `p-` and 12 hex digits.
    PlanId
);
string_id!(
    /// A process that leases attempts.
    WorkerId
);

/// Milliseconds since 1970-01-01T00:00:00Z. Passed in by whoever owns a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This instant and `millis` more (saturating).
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
    /// Milliseconds from `earlier` to this instant; negative if the clock went back.
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}
