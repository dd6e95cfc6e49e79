//! The kinds of entities, and what each must have.

/// A kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindRules {
    /// As Backstage writes it.
    pub name: &'static str,
    /// Fields of `spec` that must be there.
    pub required: &'static [&'static str],
    /// Further fields of `spec` that Backstage knows.
    pub optional: &'static [&'static str],
}

/// The kinds that are read.
pub const KINDS: &[KindRules] = &[
    KindRules {
        name: "Resource",
        required: &["type", "owner"],
        optional: &["lifecycle", "system", "dependsOn", "dependencyOf"],
    },
    KindRules {
        name: "Component",
        required: &["type", "lifecycle", "owner"],
        optional: &["system", "subcomponentOf", "providesApis", "consumesApis", "dependsOn", "dependencyOf"],
    },
    KindRules { name: "API", required: &["type", "lifecycle", "owner", "definition"], optional: &["system"] },
    KindRules { name: "Group", required: &["type", "children"], optional: &["profile", "parent", "members"] },
    KindRules { name: "User", required: &["memberOf"], optional: &["profile"] },
    KindRules { name: "System", required: &["owner"], optional: &["type", "domain"] },
    KindRules { name: "Domain", required: &["owner"], optional: &["type", "subdomainOf"] },
    KindRules { name: "Location", required: &[], optional: &["type", "target", "targets", "presence"] },
];

/// The rules of a kind, by its name in any case.
pub fn rules(kind: &str) -> Option<&'static KindRules> {
    KINDS.iter().find(|rules| rules.name.eq_ignore_ascii_case(kind))
}

/// Kinds that Backstage has and Greylag passes over without a word of blame.
pub const FOREIGN: &[&str] = &["Template", "AiResource", "Capability", "Environment", "Dataset"];
