//! Fields that refer to other entities, and the relations that follow from them.

use super::{Entity, EntityRef, annotation};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A field of `spec` that refers to other entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Lower-case kind of the entity that has it.
    pub of: &'static str,
    /// Its name in `spec`.
    pub name: &'static str,
    /// Kind of a reference that names none; `None` means that each must name one.
    pub kind: Option<&'static str>,
    /// Whether it is a list.
    pub many: bool,
    /// From the entity to what it refers to, e.g. `ownedBy`.
    pub forward: &'static str,
    /// From there back, e.g. `ownerOf`.
    pub backward: &'static str,
}

const fn one(
    of: &'static str,
    name: &'static str,
    kind: &'static str,
    forward: &'static str,
    backward: &'static str,
) -> Field {
    Field { of, name, kind: Some(kind), many: false, forward, backward }
}

const fn many(
    of: &'static str,
    name: &'static str,
    kind: Option<&'static str>,
    forward: &'static str,
    backward: &'static str,
) -> Field {
    Field { of, name, kind, many: true, forward, backward }
}

/// Every such field, as Backstage's built-in kinds have them. References without a namespace are in the namespace of the
/// entity that has the field.
pub const FIELDS: &[Field] = &[
    one("component", "owner", "group", "ownedBy", "ownerOf"),
    one("component", "system", "system", "partOf", "hasPart"),
    one("component", "subcomponentOf", "component", "partOf", "hasPart"),
    many("component", "providesApis", Some("api"), "providesApi", "apiProvidedBy"),
    many("component", "consumesApis", Some("api"), "consumesApi", "apiConsumedBy"),
    many("component", "dependsOn", None, "dependsOn", "dependencyOf"),
    many("component", "dependencyOf", None, "dependencyOf", "dependsOn"),
    one("resource", "owner", "group", "ownedBy", "ownerOf"),
    one("resource", "system", "system", "partOf", "hasPart"),
    many("resource", "dependsOn", None, "dependsOn", "dependencyOf"),
    many("resource", "dependencyOf", None, "dependencyOf", "dependsOn"),
    one("api", "owner", "group", "ownedBy", "ownerOf"),
    one("api", "system", "system", "partOf", "hasPart"),
    one("system", "owner", "group", "ownedBy", "ownerOf"),
    one("system", "domain", "domain", "partOf", "hasPart"),
    one("domain", "owner", "group", "ownedBy", "ownerOf"),
    one("domain", "subdomainOf", "domain", "partOf", "hasPart"),
    one("group", "parent", "group", "childOf", "parentOf"),
    many("group", "children", Some("group"), "parentOf", "childOf"),
    many("group", "members", Some("user"), "hasMember", "memberOf"),
    many("user", "memberOf", Some("group"), "memberOf", "hasMember"),
];

/// The field `name` of `kind` (lower case), if it refers to entities.
pub fn field(kind: &str, name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.of == kind && field.name == name)
}

/// The same, if it is a list.
pub fn list(kind: &str, name: &str) -> Option<&'static Field> {
    field(kind, name).filter(|field| field.many)
}

/// A directed tie between two entities. Each is stated once, by the entity that has the field; the way back is implied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relation {
    /// Who states it.
    pub from: EntityRef,
    /// `ownedBy`, `dependsOn`, `partOf` …; also `reads` and `writes`, from annotations.
    pub kind: String,
    /// To whom.
    pub to: EntityRef,
}

/// Name of the relation that the annotation `greylag.dev/reads` makes.
pub const READS: &str = "reads";
/// Name of the relation that the annotation `greylag.dev/writes` makes.
pub const WRITES: &str = "writes";

/// The relation seen from its other end, e.g. `ownerOf` for `ownedBy`.
pub fn backward(kind: &str) -> &str {
    match kind {
        READS => "readBy",
        WRITES => "writtenBy",
        _ => FIELDS.iter().find(|field| field.forward == kind).map_or(kind, |field| field.backward),
    }
}

/// The relations that `entity` states, sorted and without doubles. References that cannot be read are left out:
/// descriptors with such are refused before.
pub fn of_entity(entity: &Entity) -> Vec<Relation> {
    let from = entity.reference();
    let mut relations = Vec::new();
    for field in FIELDS.iter().filter(|field| field.of == from.kind) {
        let Some(value) = entity.spec.get(field.name) else { continue };
        let texts = match value {
            Value::Array(elements) => elements.as_slice(),
            single => std::slice::from_ref(single),
        };
        for text in texts.iter().filter_map(Value::as_str) {
            if let Ok(to) = EntityRef::parse_in(text, field.kind, &from.namespace) {
                relations.push(Relation { from: from.clone(), kind: field.forward.to_owned(), to });
            }
        }
    }
    for (key, kind) in [(annotation::READS, READS), (annotation::WRITES, WRITES)] {
        for text in entity.annotation(key).into_iter().flat_map(annotation::references) {
            if let Ok(to) = EntityRef::parse_in(text, Some("resource"), &from.namespace) {
                relations.push(Relation { from: from.clone(), kind: kind.to_owned(), to });
            }
        }
    }
    relations.sort();
    relations.dedup();
    relations
}
