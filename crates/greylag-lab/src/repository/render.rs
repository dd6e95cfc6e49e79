//! Writes the marks of a scenario: each is one logical thing, written as the old text has it and as the new one must.
//!
//! | mark | old text | new text |
//! |---|---|---|
//! | `‹out a›` | an output: `uid` | `user_id as uid`, or `cast(user_id as integer) as uid` |
//! | `‹again a›` | an output whose name does not matter: the same | `user_id`; with a name it is right as well |
//! | `‹outof d.a›` | an output that can be had from two tables after the change: `uid` | `d.user_id as uid` |
//! | `‹filter a›`, `‹join a›`, … | a use in an expression: `uid` | `user_id`, or `cast(user_id as integer)` |
//! | `‹OUT a›`, `‹FILTER a›` | the same, spelled in upper case | |
//! | `‹show a›` | an output whose values the migration changes | the new values under the old name |
//! | `‹regroup a›` | a group by the column beside an output of its name: `uid` | `user_id`; `uid` is right where outputs come first |
//! | `‹insert a›` | a target: `uid` | `user_id` |
//! | `‹arg a›`, `‹item a›` | in a string of Jinja: `uid` | `user_id`; `user_id as uid` |
//! | `‹field a›` | a name in YAML | the new name |
//! | `‹give a›` | the name of an output that is the dataset's column: `uid` | `user_id` |
//! | `‹model D›` | the model that makes the table, called as it is | the new name, also in paths |
//! | `‹old a›`, `‹oldname a›`, `‹fresh a›`, `‹name D›` | a word that looks like a name that changes | the same |
//! | `‹doc a›`, `‹doctable D›` | words for people | the same |
//! | `‹star D›`, `‹star D d›`, `‹star D -a›` | `*`, `d.*`, `* exclude (uid)` | the columns by name, where any changes |
//! | `‹any D›` | `*` that stays | |
//! | `‹using d n a›` | `using (uid)` | `on d.user_id = n.uid` |
//! | `‹from D›`, `‹into D›`, `‹qualifier D›`, `‹source D›` | the table, its own name, the name of the source | |
//! | `‹local D x›`, `‹stem D›`, `‹schema D›`, `‹quote x›`, `‹numbers n›` | fixed text | |
//!
//! A mark may have a qualifier before the letter: `‹out d.a›`.

use super::style::Style;
use super::table::{Fate, Table, TableColumn, is_plain};
use super::text::{Change, Hold, Text};
use super::truth::Role;
use std::collections::BTreeMap;

/// A dataset that a scenario was given.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) table: Table,
    /// Whether the source of a dbt project is called as the table is, so that its name changes.
    pub(super) by_name: bool,
}

impl Bound {
    /// What the project calls the source, now and then.
    pub(super) fn source(&self) -> (&str, &str) {
        if self.by_name { (&self.table.old, &self.table.new) } else { (&self.table.stem, &self.table.stem) }
    }
}

/// What the marks of a scenario stand for in one repository.
pub(super) struct Renderer<'a> {
    pub(super) style: &'a Style,
    /// Whether tables are named as sources of dbt.
    pub(super) dbt: bool,
    /// Datasets by letter.
    pub(super) tables: BTreeMap<char, Bound>,
    /// Columns by letter, with the letter of their dataset.
    pub(super) columns: BTreeMap<char, (char, TableColumn)>,
    pub(super) trap: &'a str,
    pub(super) hold: Hold,
}

impl Renderer<'_> {
    /// Writes a template.
    pub(super) fn render(&self, template: &str, text: &mut Text) {
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('‹') {
            text.fixed(before);
            let (mark, tail) = after.split_once('›').unwrap_or((after, ""));
            self.mark(mark, text);
            rest = tail;
        }
        text.fixed(rest);
    }

    /// A path or a name, now and then.
    pub(super) fn named(&self, template: &str) -> (String, String) {
        let mut text = Text::new(false);
        self.render(template, &mut text);
        (text.old, text.new)
    }

    fn mark(&self, mark: &str, text: &mut Text) {
        let mut words = mark.split(' ');
        let role = words.next().unwrap_or_default();
        let words: Vec<&str> = words.collect();
        let first = words.first().copied().unwrap_or_default();
        let second = words.get(1).copied().unwrap_or_default();
        let (qualifier, letter) = match first.split_once('.') {
            Some((qualifier, letter)) => (format!("{qualifier}."), letter),
            None => (String::new(), first),
        };
        let letter = letter.chars().next().unwrap_or_default();
        if role == "using" {
            self.using(first, second, words.get(2).copied().unwrap_or_default(), text);
        } else if let Some(bound) = self.tables.get(&letter).filter(|_| letter.is_ascii_uppercase()) {
            self.table_mark(role, bound, second, text);
        } else if let Some((dataset, column)) = self.columns.get(&letter) {
            let place = Place { dataset: self.dataset(*dataset), column, qualifier: &qualifier };
            self.column_mark(role, &place, text);
        } else if role == "quote" {
            text.fixed(&self.style.dialect.quoted(first));
        } else if role == "numbers" {
            let count: usize = first.parse().unwrap_or_default();
            text.fixed(&(0..count).map(|number| (number * 7).to_string()).collect::<Vec<_>>().join(", "));
        }
    }

    fn dataset(&self, letter: char) -> &str {
        self.tables.get(&letter).map_or("", |bound| bound.table.dataset.as_str())
    }

    /// A column's name as SQL has it.
    fn name(&self, name: &str) -> String {
        if is_plain(name) { name.to_owned() } else { self.style.dialect.quoted(name) }
    }

    fn table_mark(&self, role: &str, bound: &Bound, second: &str, text: &mut Text) {
        let table = &bound.table;
        match role {
            "stem" => text.fixed(&table.stem),
            "schema" => text.fixed(&table.schema),
            "name" => text.decoy(&table.old, self.trap),
            "local" if self.dbt => text.fixed(&self.jinja_call("ref", &format!("{}_{second}", table.stem))),
            "local" => text.fixed(&format!("work.{}_{second}", table.stem)),
            "doctable" => {
                let start = text.old.len();
                text.decoy(&table.old, self.trap);
                text.refer(start, &table.dataset, None, Role::Documentation);
            }
            "source" => self.source_name(bound, text),
            "model" => {
                let start = text.old.len();
                self.change(&table.old, table.new.clone(), vec![], text);
                text.refer(start, &table.dataset, None, Role::Declare);
            }
            "qualifier" => self.change(&self.table_quoted(&table.old), self.table_quoted(&table.new), vec![], text),
            "from" if self.dbt => {
                let quote = if self.style.double_quotes { '"' } else { '\'' };
                text.fixed(&format!("{{{{ source({quote}{}{quote}, {quote}", table.schema));
                self.source_name(bound, text);
                text.fixed(&format!("{quote}) }}}}"));
            }
            "from" => self.table_name(table, Role::Read, text),
            "into" => self.table_name(table, Role::Write, text),
            "star" => self.star(table, second, text),
            "any" => {
                let start = text.old.len();
                text.fixed("*");
                text.refer(start, &table.dataset, None, Role::Star);
            }
            _ => {}
        }
    }

    fn jinja_call(&self, function: &str, name: &str) -> String {
        let quote = if self.style.double_quotes { '"' } else { '\'' };
        format!("{{{{ {function}({quote}{name}{quote}) }}}}")
    }

    fn source_name(&self, bound: &Bound, text: &mut Text) {
        let start = text.old.len();
        let (old, new) = bound.source();
        self.change(old, new.to_owned(), vec![], text);
        text.refer(start, &bound.table.dataset, None, Role::Read);
    }

    fn table_name(&self, table: &Table, role: Role, text: &mut Text) {
        let start = text.old.len();
        text.fixed(&format!("{}.", self.table_quoted(&table.schema)));
        self.change(&self.table_quoted(&table.old), self.table_quoted(&table.new), vec![], text);
        text.refer(start, &table.dataset, None, role);
    }

    fn table_quoted(&self, name: &str) -> String {
        if self.style.quoted_tables { self.style.dialect.quoted(name) } else { name.to_owned() }
    }

    fn column_mark(&self, role: &str, place: &Place<'_>, text: &mut Text) {
        let column = place.column;
        let start = text.old.len();
        let spelled = role.chars().all(|letter| letter.is_ascii_uppercase());
        let old = if spelled { column.old.to_ascii_uppercase() } else { self.name(&column.old) };
        let qualified = format!("{}{old}", place.qualifier);
        let new = column.new.as_deref().unwrap_or(&column.old);
        // A name that has quotes keeps them.
        let new = if is_plain(&column.old) || spelled { self.name(new) } else { self.style.dialect.quoted(new) };
        let as_old = |value: &str| format!("{value} {} {old}", self.style.word("as"));
        let recast = matches!(column.fate, Fate::Retyped | Fate::Narrowed | Fate::Restored);
        let differs = recast || column.new.as_deref() != Some(&*column.old);
        let lower = role.to_ascii_lowercase();
        match lower.as_str() {
            "ordered" | "old" => return text.decoy(&old, self.trap),
            "oldname" => return text.decoy(&column.old, self.trap),
            "fresh" => return text.decoy(&new, self.trap),
            "doc" => text.decoy(&column.old, self.trap),
            _ if !differs && column.fate != Fate::Computed => {
                text.fixed(if lower == "outof" { &old } else { &qualified });
            }
            "show" => {
                text.lossy = true;
                let value = self.value(place, &new);
                let new = if value == qualified { value } else { as_old(&value) };
                self.change(&qualified, new, vec![], text);
            }
            "out" => self.change(&qualified, as_old(&self.value(place, &new)), vec![], text),
            "outof" => self.change(&old, as_old(&self.value(place, &new)), vec![], text),
            "again" => {
                let value = self.value(place, &new);
                self.change(&qualified, as_old(&value), vec![value], text);
            }
            "sub" => {
                let value = self.value(place, &new);
                self.change(&qualified, value.clone(), vec![as_old(&value)], text);
            }
            "item" => self.change(&column.old, as_old(&new), vec![], text),
            // Where names of the select list come first, the old name means the output that keeps it.
            "regroup" if self.style.dialect.groups_by_outputs() => {
                let hold = if self.hold == Hold::Made { Hold::Optional } else { self.hold };
                let change = Change { old: qualified, new: self.value(place, &new), alternatives: vec![] };
                text.change(change, self.trap, hold);
            }
            "arg" | "field" | "insert" | "give" => {
                self.change(&qualified, format!("{}{new}", place.qualifier), vec![], text);
            }
            _ => self.change(&qualified, self.value(place, &new), vec![], text),
        }
        text.refer(start, place.dataset, Some(&column.old), role_of(&lower));
    }

    /// The old value, from the new column.
    fn value(&self, place: &Place<'_>, new: &str) -> String {
        let name = format!("{}{new}", place.qualifier);
        let old_type = self.style.dialect.type_name(&place.column.data_type).unwrap_or_default();
        if matches!(place.column.fate, Fate::Retyped | Fate::Narrowed) {
            format!("{}({name} {} {})", self.style.word("cast"), self.style.word("as"), self.style.word(&old_type))
        } else if place.column.fate == Fate::Restored {
            format!("{}({name})", self.style.word("lower"))
        } else {
            name
        }
    }

    fn using(&self, left: &str, right: &str, letter: &str, text: &mut Text) {
        let Some((dataset, column)) = letter.chars().next().and_then(|letter| self.columns.get(&letter)) else {
            return;
        };
        let old = self.name(&column.old);
        let qualifier = format!("{left}.");
        let place = Place { dataset: self.dataset(*dataset), column, qualifier: &qualifier };
        let value = self.value(&place, &self.name(column.new.as_deref().unwrap_or(&column.old)));
        let start = text.old.len();
        let (using, on) = (self.style.word("using"), self.style.word("on"));
        self.change(&format!("{using} ({old})"), format!("{on} {value} = {right}.{old}"), vec![], text);
        text.refer(start, place.dataset, Some(&column.old), Role::Join);
    }

    /// A star: by name where the new table has other columns than the old one.
    fn star(&self, table: &Table, option: &str, text: &mut Text) {
        let start = text.old.len();
        let left_out = option.strip_prefix('-').and_then(|letter| self.columns.get(&letter.chars().next()?));
        let left_out = left_out.map(|(_, column)| column.old.as_str());
        let qualifier = if option.is_empty() || left_out.is_some() { String::new() } else { format!("{option}.") };
        let old = match left_out {
            Some(name) => format!("* {} ({})", self.style.word(self.style.dialect.except()), self.name(name)),
            None => format!("{qualifier}*"),
        };
        if table.same {
            text.fixed(&old);
            return text.refer(start, &table.dataset, None, Role::Star);
        }
        let columns = || table.columns.iter().filter(|column| Some(column.old.as_str()) != left_out);
        text.lossy |= columns().any(|column| column.fate == Fate::Narrowed);
        let columns: Vec<String> = columns()
            .map(|column| {
                let place = Place { dataset: &table.dataset, column, qualifier: &qualifier };
                let new = self.name(column.new.as_deref().unwrap_or(&column.old));
                let value = self.value(&place, &new);
                let same = column.fate == Fate::Kept;
                if same { value } else { format!("{value} {} {}", self.style.word("as"), self.name(&column.old)) }
            })
            .collect();
        let separator = format!(",{}", text.next_line().unwrap_or_else(|| " ".to_owned()));
        self.change(&old, columns.join(&separator), vec![], text);
        text.refer(start, &table.dataset, None, Role::Star);
    }

    fn change(&self, old: &str, new: String, alternatives: Vec<String>, text: &mut Text) {
        text.change(Change { old: old.to_owned(), new, alternatives }, self.trap, self.hold);
    }
}

/// A column where it is used.
struct Place<'a> {
    dataset: &'a str,
    column: &'a TableColumn,
    /// What stands before the name: nothing, or `d.`.
    qualifier: &'a str,
}

fn role_of(mark: &str) -> Role {
    match mark {
        "filter" | "having" => Role::Filter,
        "join" => Role::Join,
        "group" | "regroup" => Role::Group,
        "order" => Role::Order,
        "window" => Role::Window,
        "key" => Role::MergeKey,
        "insert" => Role::Assign,
        "give" => Role::Declare,
        "field" => Role::Test,
        "doc" => Role::Documentation,
        _ => Role::Select,
    }
}
