//! The checks of one document.

use super::{Descriptor, Mention};
use crate::code::{Code, catalog as code};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::entity::kind::{self, KindRules};
use crate::entity::{Entity, EntityRef, RefError, annotation, name, relation};
use crate::yaml::{Entry, Kind, Node, Places};
use serde_json::{Map, Value};

pub(super) struct Checker<'a> {
    places: &'a Places,
    pub(super) diagnostics: Vec<Diagnostic>,
    mentions: Vec<Mention>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(places: &'a Places) -> Self {
        Self { places, diagnostics: Vec::new(), mentions: Vec::new() }
    }

    pub(super) fn sound(&self) -> bool {
        self.diagnostics.iter().all(|diagnostic| diagnostic.severity == Severity::Warning)
    }

    /// The entity of the document, unless it is not one or not to be read.
    pub(super) fn document(&mut self) -> Option<Descriptor> {
        let root = self.places.root();
        if !matches!(root.kind, Kind::Map(_)) {
            self.shape("", "a descriptor", "a mapping", root);
            return None;
        }
        let api_version = self.text(root, "", "apiVersion", true);
        if api_version.is_some_and(|version| version.starts_with("greylag.dev/")) {
            return None;
        }
        if let Some(version) = api_version.filter(|version| !version.starts_with("backstage.io/")) {
            let message = format!("`{version}` is not an API version of catalog entities");
            self.error("/apiVersion", code::DESCRIPTOR_VERSION, message, &["write `backstage.io/v1alpha1`"]);
        }
        let rules = self.kind(root)?;
        let namespace = self.metadata(root);
        self.spec(root, rules, &namespace);
        let entity = self.entity(root)?;
        let reference = entity.reference();
        let targets = self.targets(root);
        let mentions = std::mem::take(&mut self.mentions);
        Some(Descriptor { entity, reference, place: self.places.value("/metadata/name"), mentions, targets })
    }

    fn entity(&self, root: &Node) -> Option<Entity> {
        let object = |key: &str| match root.get(key).map(|node| node.to_json()) {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        Some(Entity {
            api_version: root.get("apiVersion")?.as_str()?.to_owned(),
            kind: root.get("kind")?.as_str()?.to_owned(),
            metadata: object("metadata"),
            spec: object("spec"),
        })
    }

    /// The rules of the document's kind.
    fn kind(&mut self, root: &Node) -> Option<&'static KindRules> {
        let text = self.text(root, "", "kind", true)?;
        let rules = kind::rules(text);
        if let Some(exact) = rules.filter(|rules| rules.name == text) {
            return Some(exact);
        }
        if kind::FOREIGN.contains(&text) {
            let message = format!("documents of kind `{text}` are passed over");
            self.diagnostics
                .push(Diagnostic::warning(code::UNKNOWN_KIND, message).at(Some(self.places.value("/kind"))));
            return None;
        }
        let names: Vec<&str> = kind::KINDS.iter().map(|rules| rules.name).collect();
        let hint = match rules.map(|rules| rules.name).or_else(|| nearest(text, &names)) {
            Some(near) => format!("did you mean `{near}`"),
            None => format!("the kinds are {}", listed(&names)),
        };
        self.error("/kind", code::UNKNOWN_KIND, format!("`{text}` is not a kind"), &[&hint]);
        None
    }

    /// Checks the metadata; answers the namespace.
    fn metadata(&mut self, root: &Node) -> String {
        let Some(metadata) = self.mapping(root, "", "metadata") else { return "default".to_owned() };
        if let Some(text) = self.text(metadata, "/metadata", "name", true)
            && !name::is_name(text)
        {
            let hint = name::advice(text);
            self.error("/metadata/name", code::ILLEGAL_NAME, format!("`{text}` is not a legal name"), &[&hint]);
        }
        let namespace = self.text(metadata, "/metadata", "namespace", false);
        if let Some(text) = namespace.filter(|text| !name::is_namespace(text)) {
            let message = format!("`{text}` is not a legal namespace");
            let hint = "allowed are `a-z`, `0-9` and single `-` between them, 63 at most";
            self.error("/metadata/namespace", code::ILLEGAL_NAME, message, &[hint]);
        }
        self.text(metadata, "/metadata", "title", false);
        if let Some(description) = metadata.get("description").filter(|node| node.as_str().is_none()) {
            self.shape("/metadata/description", "`metadata.description`", "text", description);
        }
        self.labels(metadata);
        self.annotations(metadata, namespace.unwrap_or("default"));
        self.tags(metadata);
        self.links(metadata);
        namespace.unwrap_or("default").to_owned()
    }

    fn labels(&mut self, metadata: &Node) {
        for (pointer, entry) in self.texts_by_key(metadata, "labels") {
            self.key(&pointer, "label", &entry.key);
            if let Some(text) = entry.value.as_str().filter(|text| !name::is_label_value(text)) {
                let message = format!("`{text}` is not a legal value of a label");
                self.error(&pointer, code::ILLEGAL_NAME, message, &["free text belongs in an annotation"]);
            }
        }
    }

    fn annotations(&mut self, metadata: &Node, namespace: &str) {
        let entries = self.texts_by_key(metadata, "annotations");
        for (pointer, entry) in &entries {
            self.key(pointer, "annotation", &entry.key);
            let Some(text) = entry.value.as_str() else { continue };
            if !entry.key.starts_with("greylag.dev/") {
                continue;
            }
            if !annotation::ALL.contains(&&*entry.key) {
                let hint = nearest(&entry.key, annotation::ALL).map(|near| format!("did you mean `{near}`"));
                let message = format!("Greylag knows no annotation `{}`", entry.key);
                let place = self.places.key(pointer);
                let warning = Diagnostic::warning(code::BAD_ANNOTATION, message).at(Some(place));
                self.diagnostics.push(hint.into_iter().fold(warning, Diagnostic::hint));
            }
            if let Some(fault) = annotation::layout_fault(&entry.key, text) {
                self.error(pointer, code::BAD_ANNOTATION, format!("`{}` {fault}", entry.key), &[]);
            }
            if &*entry.key == annotation::TABLE {
                for fault in annotation::tables(text).filter_map(Result::err) {
                    self.error(pointer, code::BAD_ANNOTATION, fault.to_string(), &["write `schema.table`"]);
                }
            }
            if [annotation::READS, annotation::WRITES].contains(&&*entry.key) {
                for reference in annotation::references(text) {
                    self.mention(pointer, &entry.key, reference, Some("resource"), namespace);
                }
            }
        }
        self.location(&entries);
    }

    /// `location` stands alone, `connection` and `path` go together.
    fn location(&mut self, entries: &[(String, &Entry)]) {
        let find = |key: &str| entries.iter().find(|(_, entry)| &*entry.key == key);
        let [location, connection, path] =
            [annotation::LOCATION, annotation::CONNECTION, annotation::PATH].map(|key| find(key).cloned());
        let (at, message, hint) = match (location, connection, path) {
            (Some(_), Some(other), _) | (Some(_), None, Some(other)) => {
                (other.0, format!("`{}` contradicts `{}`", other.1.key, annotation::LOCATION), "remove one of the two")
            }
            (None, Some(alone), None) => (
                alone.0,
                format!("`{}` needs `{}` beside it", annotation::CONNECTION, annotation::PATH),
                "say which path below the connection's root holds the dataset",
            ),
            (None, None, Some(alone)) => (
                alone.0,
                format!("`{}` needs `{}` beside it", annotation::PATH, annotation::CONNECTION),
                "a path without a connection goes in `greylag.dev/location`",
            ),
            (Some((at, entry)), None, None) if entry.value.as_str() == Some("") => {
                (at, format!("`{}` is empty", annotation::LOCATION), "write the path of a file or directory")
            }
            _ => return,
        };
        self.error(&at, code::BAD_ANNOTATION, message, &[hint]);
    }

    fn tags(&mut self, metadata: &Node) {
        let Some(node) = metadata.get("tags") else { return };
        let Kind::List(tags) = &node.kind else {
            self.shape("/metadata/tags", "`metadata.tags`", "a list", node);
            return;
        };
        for (index, tag) in tags.iter().enumerate() {
            let pointer = format!("/metadata/tags/{index}");
            match tag.as_str() {
                None => self.shape(&pointer, "a tag", "text", tag),
                Some(text) if !name::is_tag(text) => {
                    let message = format!("`{text}` is not a legal tag");
                    let hint = "allowed are `a-z`, `0-9`, `+`, `#`, `:` and single `-` between them, 63 at most";
                    self.error(&pointer, code::ILLEGAL_NAME, message, &[hint]);
                }
                Some(_) => {}
            }
        }
    }

    fn links(&mut self, metadata: &Node) {
        let Some(node) = metadata.get("links") else { return };
        let Kind::List(links) = &node.kind else {
            self.shape("/metadata/links", "`metadata.links`", "a list", node);
            return;
        };
        for (index, link) in links.iter().enumerate() {
            let pointer = format!("/metadata/links/{index}");
            if matches!(link.kind, Kind::Map(_)) {
                self.text(link, &pointer, "url", true);
            } else {
                self.shape(&pointer, "a link", "a mapping with `url`", link);
            }
        }
    }

    fn spec(&mut self, root: &Node, rules: &KindRules, namespace: &str) {
        let Some(spec) = self.mapping(root, "", "spec") else { return };
        let of = rules.name.to_lowercase();
        for key in rules.required {
            if spec.get(key).is_none() {
                let hint = match *key {
                    "children" | "memberOf" => format!("write `{key}: []` if there are none"),
                    "owner" => "name a group or user, e.g. `owner: group:default/data-platform`".to_owned(),
                    "lifecycle" => "e.g. `experimental`, `production` or `deprecated`".to_owned(),
                    _ => format!("add `{key}` to `spec`"),
                };
                let message = format!("a `{}` must have `spec.{key}`", rules.name);
                self.error("/spec", code::MISSING_FIELD, message, &[&hint]);
            }
        }
        let Kind::Map(entries) = &spec.kind else { return };
        for entry in entries {
            match relation::field(&of, &entry.key) {
                Some(field) => self.references(field, &entry.value, namespace),
                // A definition may be a mapping that says where to find it.
                None if &*entry.key == "definition" && matches!(entry.value.kind, Kind::Map(_)) => {}
                None if ["type", "lifecycle", "definition"].contains(&&*entry.key) && of != "location" => {
                    self.text(spec, "/spec", &entry.key, false);
                }
                None => {}
            }
        }
    }

    fn references(&mut self, field: &relation::Field, value: &Node, namespace: &str) {
        let pointer = format!("/spec/{}", field.name);
        let label = format!("spec.{}", field.name);
        match (&value.kind, field.many) {
            (Kind::List(items), true) => {
                for (index, item) in items.iter().enumerate() {
                    let pointer = format!("{pointer}/{index}");
                    match item.as_str() {
                        Some(text) => self.mention(&pointer, &label, text, field.kind, namespace),
                        None => self.shape(&pointer, "a reference", "text", item),
                    }
                }
            }
            (Kind::String(text, _), false) => self.mention(&pointer, &label, text, field.kind, namespace),
            (_, true) => self.shape(&pointer, &format!("`{label}`"), "a list of references", value),
            (_, false) => self.shape(&pointer, &format!("`{label}`"), "a reference", value),
        }
    }

    fn mention(&mut self, pointer: &str, field: &str, text: &str, kind: Option<&str>, namespace: &str) {
        match EntityRef::parse_in(text, kind, namespace) {
            Ok(to) => {
                let place = self.places.value(pointer);
                self.mentions.push(Mention { field: field.to_owned(), to, place });
            }
            Err(error) => {
                let hint = match error {
                    RefError::Kind => format!("write `resource:{text}` or `component:{text}`"),
                    _ => "e.g. `resource:default/users_v1`".to_owned(),
                };
                let message = format!("the reference `{text}` in `{field}` {error}");
                self.error(pointer, code::ILLEGAL_REFERENCE, message, &[&hint]);
            }
        }
    }

    /// The targets of a `Location`.
    fn targets(&mut self, root: &Node) -> Vec<(String, Place)> {
        let (Some("Location"), Some(spec)) = (root.get("kind").and_then(Node::as_str), root.get("spec")) else {
            return Vec::new();
        };
        let mut targets: Vec<(String, Place)> = Vec::new();
        if let Some(target) = self.text(spec, "/spec", "target", false) {
            targets.push((target.to_owned(), self.places.value("/spec/target")));
        }
        match spec.get("targets").map(|node| (node, &node.kind)) {
            None => {}
            Some((_, Kind::List(items))) => {
                for (index, item) in items.iter().enumerate() {
                    let pointer = format!("/spec/targets/{index}");
                    match item.as_str() {
                        Some(text) => targets.push((text.to_owned(), self.places.value(&pointer))),
                        None => self.shape(&pointer, "a target", "text", item),
                    }
                }
            }
            Some((node, _)) => self.shape("/spec/targets", "`spec.targets`", "a list", node),
        }
        if let Some(kind) = self.text(spec, "/spec", "type", false).filter(|kind| *kind != "file") {
            let message = format!("targets of type `{kind}` are not followed");
            self.error(
                "/spec/type",
                code::ILLEGAL_TARGET,
                message,
                &["only files are: leave `type` out or write `file`"],
            );
        }
        targets
    }

    /// The text entries of a mapping below `metadata`, with their pointers.
    fn texts_by_key<'n>(&mut self, metadata: &'n Node, key: &str) -> Vec<(String, &'n Entry)> {
        let Some(node) = metadata.get(key) else { return Vec::new() };
        let Kind::Map(entries) = &node.kind else {
            self.shape(&format!("/metadata/{key}"), &format!("`metadata.{key}`"), "a mapping", node);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for entry in entries {
            let escaped = entry.key.replace('~', "~0").replace('/', "~1");
            let pointer = format!("/metadata/{key}/{escaped}");
            if entry.value.as_str().is_none() {
                self.shape(&pointer, &format!("`{}`", entry.key), "text", &entry.value);
            }
            texts.push((pointer, entry));
        }
        texts
    }

    fn key(&mut self, pointer: &str, of: &str, key: &str) {
        if !name::is_key(key) {
            let message = format!("`{key}` is not a legal key of {} {of}", if of == "label" { "a" } else { "an" });
            let place = self.places.key(pointer);
            let hint = "a key is a name, perhaps with a DNS domain and `/` before it, e.g. `example.com/team`";
            self.diagnostics.push(Diagnostic::error(code::ILLEGAL_NAME, message).at(Some(place)).hint(hint));
        }
    }

    /// The text of a field; that it is missing or of another kind is an error.
    fn text<'n>(&mut self, node: &'n Node, parent: &str, key: &str, required: bool) -> Option<&'n str> {
        let path = format!("{parent}/{key}");
        let label = format!("`{}`", path[1..].replace('/', "."));
        match node.get(key) {
            None if required => {
                self.error(parent, code::MISSING_FIELD, format!("a descriptor must have {label}"), &[]);
                None
            }
            None => None,
            Some(found) => match found.as_str() {
                Some("") => {
                    self.error(&path, code::DESCRIPTOR_SHAPE, format!("{label} is empty"), &[]);
                    None
                }
                Some(text) => Some(text),
                None => {
                    self.shape(&path, &label, "text", found);
                    None
                }
            },
        }
    }

    fn mapping<'n>(&mut self, node: &'n Node, parent: &str, key: &str) -> Option<&'n Node> {
        let path = format!("{parent}/{key}");
        match node.get(key) {
            None => {
                self.error(parent, code::MISSING_FIELD, format!("a descriptor must have `{key}`"), &[]);
                None
            }
            Some(found) if matches!(found.kind, Kind::Map(_)) => Some(found),
            Some(found) => {
                self.shape(&path, &format!("`{key}`"), "a mapping", found);
                None
            }
        }
    }

    fn shape(&mut self, pointer: &str, what: &str, wanted: &str, found: &Node) {
        let message = format!("{what} must be {wanted}, not {}", found.noun());
        let quotes = wanted == "text" && matches!(found.kind, Kind::Number(..) | Kind::Boolean(..));
        let hints: &[&str] = if quotes { &["put it in quotes"] } else { &[] };
        self.error(pointer, code::DESCRIPTOR_SHAPE, message, hints);
    }

    fn error(&mut self, pointer: &str, code: Code, message: String, hints: &[&str]) {
        let error = Diagnostic::error(code, message).at(Some(self.places.value(pointer)));
        self.diagnostics.push(hints.iter().fold(error, |error, hint| error.hint(*hint)));
    }
}

/// The candidate that `text` is most like, if it is like one at all.
fn nearest<'n>(text: &str, candidates: &[&'n str]) -> Option<&'n str> {
    (candidates.iter())
        .map(|candidate| (strsim::damerau_levenshtein(&text.to_lowercase(), &candidate.to_lowercase()), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 5)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
