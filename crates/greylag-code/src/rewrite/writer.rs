//! What a query that makes a changed dataset must give: the new columns where the old ones stood.
//!
//! A query's outputs are named by its select list, by that of each arm of a set operation, or by that of a block that
//! it shows by `select *` and that nothing else reads. An output that is an old column becomes whatever the mapping makes of it: another
//! name, an expression over it, several columns, or nothing. A column that the mapping adds follows the last one, if the query gives
//! all old columns; one that gives fewer is not the whole dataset, and is asked for no more than what it gives.
//!
//! What is read inside such a query is rewritten as anywhere else; an item that is just a column takes the new output's name instead of
//! the old one's.

use super::arms::arms_of;
use super::{Found, Style, Work};
use greylag_model::consumer::{Class, MadeColumn, TableChange};
use greylag_model::expr::Node;
use greylag_model::reference::{Confidence, Role};
use greylag_syntax::edit::{Edit, apply};
use greylag_syntax::sql::{ColumnUse, Name, Origin, Output, Quoting};
use std::fmt::Write as _;
use std::ops::Range;

/// Stands for an item's own text while an expression over it is written.
const ITSELF: &str = "\u{1}";

/// An item of a select list that is given otherwise.
#[derive(Clone, Debug)]
pub(super) struct Given {
    query: usize,
    item: Range<usize>,
    /// The output's new name, where the item is named by what reads the column; none where the writer names it.
    name: Option<String>,
}

/// What an item that is just a column is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Called<'a> {
    /// What it was.
    AsBefore,
    /// This, since the dataset that the text makes has this column now.
    As(&'a str),
    /// What whoever makes the dataset says.
    Later,
}

/// What becomes of an output.
#[derive(Clone, Debug)]
enum Becomes<'a> {
    Stays,
    Renamed(&'a str),
    Made(Vec<&'a MadeColumn>),
    Gone,
}

/// What becomes of the outputs of a query, by position, and what is added.
struct Outputs<'a> {
    each: Vec<Becomes<'a>>,
    /// The old names, by position.
    old: Vec<Option<String>>,
    added: Vec<&'a MadeColumn>,
}

/// Why a query cannot be given the new columns.
type Refused = (Range<usize>, Class, String);

impl<'a> Work<'a> {
    /// The blocks that name what the text gives, each with its statement; a finding, if they cannot be told.
    pub(super) fn outputs(&mut self, change: usize) -> Vec<(usize, Range<usize>)> {
        let reading = self.input.reading;
        let [statement] = reading.statements.as_slice() else {
            self.find(0..0, Class::Agentic, change, None, "it makes the dataset, and is not one query");
            return Vec::new();
        };
        let arms = statement.query.ok_or_else(|| "its query was not understood".to_owned());
        match arms.and_then(|query| arms_of(reading, query)) {
            Ok(arms) => arms.into_iter().map(|arm| (arm, statement.range.clone())).collect(),
            Err(why) => {
                self.find(
                    statement.range.clone(),
                    Class::Agentic,
                    change,
                    None,
                    format!("it makes the dataset, and {why}"),
                );
                Vec::new()
            }
        }
    }

    /// Notes which items are named otherwise, before the columns in them are looked at.
    pub(super) fn promise(&mut self, change: usize, arms: &[(usize, Range<usize>)]) {
        let Some(outputs) = self.all_outputs(change, arms) else { return };
        for (arm, _) in arms {
            for (output, becomes) in self.input.reading.queries[*arm].outputs.iter().zip(&outputs.each) {
                let name = match becomes {
                    Becomes::Stays => continue,
                    Becomes::Renamed(name) => Some((*name).to_owned()),
                    Becomes::Made(_) | Becomes::Gone => None,
                };
                self.given.push(Given { query: *arm, item: output.range.clone(), name });
            }
        }
    }

    /// Asks for the new outputs.
    pub(super) fn give(&mut self, change: usize, arms: &[(usize, Range<usize>)]) {
        self.writes = change;
        let Some(outputs) = self.all_outputs(change, arms) else { return };
        for (arm, statement) in arms {
            self.declare(*arm, change, &outputs);
            let asked = self.may_change(*arm, arms.len() > 1, &outputs).and_then(|()| self.give_in(*arm, &outputs));
            if let Err((at, class, why)) = asked {
                let at = if at.is_empty() { statement.clone() } else { at };
                self.find(at, class, change, None, why);
            }
        }
    }

    /// What becomes of the outputs of all arms, which the first one names; a finding, if that cannot be said.
    fn all_outputs(&mut self, change: usize, arms: &[(usize, Range<usize>)]) -> Option<Outputs<'a>> {
        let (first, statement) = arms.first()?;
        let names = &self.input.reading.queries[*first].outputs;
        let of_first = self.input.reading.stars.iter().filter(|star| star.query == *first);
        let stars: Vec<Range<usize>> = of_first.map(|star| star.item.clone()).collect();
        match outputs_of(self.change(change), names, &stars) {
            Ok(outputs) => Some(outputs),
            Err(why) => {
                self.find(statement.clone(), Class::Agentic, change, None, why);
                None
            }
        }
    }

    /// The outputs that are old columns, as references.
    fn declare(&mut self, arm: usize, change: usize, outputs: &Outputs<'a>) {
        for (output, old) in self.input.reading.queries[arm].outputs.iter().zip(&outputs.old) {
            let Some(found) = old.as_ref().and_then(|old| self.change(change).column(old)) else { continue };
            let at = output.alias.clone().unwrap_or_else(|| output.range.clone());
            let (column, judged) = (Some(found.name.clone()), found.judgement.clone());
            if let Some(judgement) = judged {
                let why = format!("{} {}", judgement.text, judgement.guide);
                self.note(output.range.end, &judgement);
                self.find(at.clone(), Class::Judgement, change, Some(&found.name), why);
            }
            let (confidence, why) = (Confidence::Certain, String::new());
            self.wanted.references.push(Found { at, change, column, role: Role::Declare, confidence, why });
        }
    }

    /// Whether rows stay what they are if items come and go.
    fn may_change(&self, arm: usize, in_set: bool, outputs: &Outputs<'_>) -> Result<(), Refused> {
        let block = &self.input.reading.queries[arm];
        let refused =
            |why: &str| Err((block.range.clone(), Class::Agentic, format!("it makes the dataset, and {why}")));
        let other_count = outputs.each.iter().any(|becomes| {
            matches!(becomes, Becomes::Gone) || matches!(becomes, Becomes::Made(made) if made.len() > 1)
        });
        if block.outputs.len() != outputs.each.len() {
            return refused("the arms of a set operation have different columns");
        }
        if other_count && !block.positional.is_empty() {
            return refused("columns come or go that others are counted by");
        }
        if other_count && in_set {
            return refused("columns come or go in a set operation");
        }
        if outputs.each.iter().any(|becomes| matches!(becomes, Becomes::Gone)) && self.is_distinct(arm) {
            return refused("a column goes by which rows are told apart");
        }
        Ok(())
    }

    fn is_distinct(&self, query: usize) -> bool {
        let text = self.input.text.get(self.input.reading.queries[query].range.clone()).unwrap_or_default();
        text.split_whitespace().nth(1).is_some_and(|word| word.eq_ignore_ascii_case("distinct"))
    }

    fn give_in(&mut self, arm: usize, outputs: &Outputs<'a>) -> Result<(), Refused> {
        let items = &self.input.reading.queries[arm].outputs;
        let texts: Vec<String> = items.iter().map(|item| self.text_of(item)).collect();
        for (number, becomes) in outputs.each.iter().enumerate() {
            match becomes {
                Becomes::Stays => {}
                Becomes::Renamed(new) => self.give_name(arm, number, new),
                Becomes::Made(made) => self.give_made(arm, number, made, outputs, &texts)?,
                Becomes::Gone => {}
            }
            if !matches!(becomes, Becomes::Stays) {
                self.follow(arm, number, becomes)?;
            }
        }
        self.take_away(arm, outputs)?;
        self.add(arm, outputs)
    }

    /// Another name of an output.
    fn give_name(&mut self, arm: usize, number: usize, new: &str) {
        let output = &self.input.reading.queries[arm].outputs[number];
        if self.change(self.writes).undoes.is_some() && self.is_called(output, &self.expression(output), new) {
            self.demand(self.expression(output).end..output.range.end, "");
            return;
        }
        if let Some(alias) = self.alias_of(output) {
            let (at, by) = self.replaced(&alias, new);
            self.demand(at, by);
            return;
        }
        let end = output.range.end;
        // What reads the column has named it already.
        let named = self.wanted.demands.iter().any(|demand| demand.at.end == end && !demand.at.is_empty());
        if !named {
            let statement = self.input.reading.queries[arm].statement;
            let style = self.style(statement);
            self.demand(end..end, format!(" {} {}", style.word("as"), style.name(new)));
        }
    }

    /// Expressions over outputs, in the place of one of them.
    fn give_made(
        &mut self,
        arm: usize,
        number: usize,
        made: &[&'a MadeColumn],
        outputs: &Outputs<'a>,
        texts: &[String],
    ) -> Result<(), Refused> {
        let output = &self.input.reading.queries[arm].outputs[number];
        let statement = self.input.reading.queries[arm].statement;
        if let [one] = made
            && self.take_back(arm, number, one)
        {
            return Ok(());
        }
        if let [one] = made
            && let [only] = one.value.columns().as_slice()
        {
            let itself = [((*only).to_owned(), ITSELF.to_owned())];
            let style = Style { texts: &itself, ..self.style(statement) };
            let written = self.written(style, one, &output.range)?;
            if written.matches(ITSELF).count() == 1 {
                let (before, after) = written.split_once(ITSELF).unwrap_or_default();
                let expression = self.expression(output);
                self.demand(expression.start..expression.start, before);
                match self.alias_of(output) {
                    // In one piece with the alias, so that it stands there and not in a macro that ends the expression.
                    Some(alias) => {
                        let (at, by) = self.replaced(&alias, &one.name);
                        let part = |range: Range<usize>| self.input.text.get(range).unwrap_or_default();
                        let (before, behind) = (part(expression.end..at.start), part(at.end..alias.range.end));
                        self.demand(expression.end..alias.range.end, format!("{after}{before}{by}{behind}"));
                    }
                    None => {
                        let named = format!("{after} {} {}", style.word("as"), style.name(&one.name));
                        self.demand(expression.end..expression.end, named);
                    }
                }
                return Ok(());
            }
        }
        let named: Vec<(String, String)> =
            outputs.old.iter().zip(texts).filter_map(|(old, text)| Some((old.clone()?, text.clone()))).collect();
        let style = Style { texts: &named, ..self.style(statement) };
        let mut items = Vec::new();
        for one in made {
            let value = self.written(style, one, &output.range)?;
            items.push(format!("{value} {} {}", style.word("as"), style.name(&one.name)));
        }
        let separator = self.separator(arm, number);
        self.wanted.demands.retain(|demand| !within(&demand.at, &output.range));
        self.demand(output.range.clone(), items.join(&separator));
        Ok(())
    }

    /// Whether an item's expression, or a part of it, is a column of a name, with an alias behind.
    fn is_called(&self, output: &Output, expression: &Range<usize>, name: &str) -> bool {
        let is_it = |column: &ColumnUse| column.range == *expression && column.name.text.eq_ignore_ascii_case(name);
        output.alias.is_some() && self.input.reading.columns.iter().any(is_it)
    }

    /// Takes back an expression that the rules have written over a writer's own; whether one was there.
    fn take_back(&mut self, arm: usize, number: usize, made: &MadeColumn) -> bool {
        let output = &self.input.reading.queries[arm].outputs[number];
        let columns = made.value.columns();
        let (Some(undone), [name]) = (self.change(self.writes).undoes.as_deref(), columns.as_slice()) else {
            return false;
        };
        let Some(forward) = undone.made.iter().find(|forward| forward.name == *name) else { return false };
        let itself = [(made.name.clone(), ITSELF.to_owned())];
        let style = Style { texts: &itself, ..self.style(self.input.reading.queries[arm].statement) };
        let Ok(written) = style.write(&forward.value) else { return false };
        let at = self.expression(output);
        let text = self.input.text.get(at.clone()).unwrap_or_default();
        let Some((before, after)) = written.split_once(ITSELF) else { return false };
        let inner = text.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        let Some(inner) = inner.filter(|inner| !inner.is_empty()) else { return false };
        let inner = at.start + before.len()..at.start + before.len() + inner.len();
        let alone = self.is_called(output, &inner, &made.name);
        self.demand(at.start..inner.start, "");
        if alone {
            self.demand(inner.end..output.range.end, "");
        } else {
            self.demand(inner.end..at.end, "");
            if let Some((at, by)) = self.alias_of(output).map(|alias| self.replaced(&alias, &made.name)) {
                self.demand(at, by);
            }
        }
        true
    }

    fn written(&self, style: Style<'_>, made: &MadeColumn, at: &Range<usize>) -> Result<String, Refused> {
        if let Some(why) = &made.why {
            return Err((
                at.clone(),
                Class::Agentic,
                format!("`{}` cannot be made by a query alone: {why}", made.name),
            ));
        }
        style.write(&made.value).map_err(|why| (at.clone(), Class::Agentic, format!("`{}`: {why}", made.name)))
    }

    /// The uses of an output's name elsewhere in the text.
    fn follow(&mut self, arm: usize, number: usize, becomes: &Becomes<'_>) -> Result<(), Refused> {
        let of = Origin::Output { query: arm, output: number };
        let uses: Vec<ColumnUse> =
            self.input.reading.columns.iter().filter(|column| column.from.contains(&of)).cloned().collect();
        for column in uses {
            match becomes {
                Becomes::Renamed(new) if column.from.len() == 1 => {
                    let (at, by) = self.replaced(&column.name, new);
                    self.demand(at, by);
                }
                _ => {
                    let why = format!("it makes the dataset, and uses `{}` of what it gives", column.name.text);
                    return Err((column.range.clone(), Class::Agentic, why));
                }
            }
        }
        Ok(())
    }

    /// Takes items away, each with one comma.
    fn take_away(&mut self, arm: usize, outputs: &Outputs<'_>) -> Result<(), Refused> {
        let items: Vec<Range<usize>> =
            self.input.reading.queries[arm].outputs.iter().map(|output| output.range.clone()).collect();
        let gone: Vec<bool> = outputs.each.iter().map(|becomes| matches!(becomes, Becomes::Gone)).collect();
        if gone.iter().all(|gone| *gone) && !gone.is_empty() && outputs.added.is_empty() {
            return Err((0..0, Class::Agentic, "it makes the dataset, and none of its columns stays".to_owned()));
        }
        let mut at = 0;
        while at < items.len() {
            if !gone[at] {
                at += 1;
                continue;
            }
            let behind = (at..items.len()).find(|next| !gone[*next]);
            let range = match (behind, at.checked_sub(1)) {
                (Some(behind), _) => items[at].start..items[behind].start,
                (None, Some(before)) => items[before].end..items[items.len() - 1].end,
                (None, None) => {
                    return Err((
                        0..0,
                        Class::Agentic,
                        "it makes the dataset, and none of its columns stays".to_owned(),
                    ));
                }
            };
            let text = self.input.text.get(range.clone()).unwrap_or_default();
            if text.contains("--") || text.contains("/*") {
                return Err((range, Class::Agentic, "a comment stands where a column of the dataset goes".to_owned()));
            }
            self.wanted.demands.retain(|demand| demand.at.end <= range.start || demand.at.start >= range.end);
            self.demand(range, "");
            at = behind.unwrap_or(items.len());
        }
        Ok(())
    }

    /// Columns that the mapping adds, behind the last one.
    fn add(&mut self, arm: usize, outputs: &Outputs<'a>) -> Result<(), Refused> {
        let block = &self.input.reading.queries[arm];
        let Some(last) = block.outputs.len().checked_sub(1) else { return Ok(()) };
        if outputs.added.is_empty() {
            return Ok(());
        }
        let (style, end) = (self.style(block.statement), block.outputs[last].range.end);
        let separator = self.separator(arm, last);
        let mut text = String::new();
        for one in &outputs.added {
            let value = self.written(style, one, &block.range)?;
            let _ = write!(text, "{separator}{value} {} {}", style.word("as"), style.name(&one.name));
        }
        // Where the last one goes, what is added takes the place that it leaves.
        match self.wanted.demands.iter_mut().rfind(|demand| demand.at.end == end) {
            Some(demand) => demand.by.push_str(&text),
            None => self.demand(end..end, text),
        }
        Ok(())
    }

    /// What stands between two items.
    fn separator(&self, arm: usize, number: usize) -> String {
        let items = &self.input.reading.queries[arm].outputs;
        let between = |left: usize| {
            let text = self.input.text.get(items.get(left)?.range.end..items.get(left + 1)?.range.start)?;
            let plain = text.trim() == "," && !text.trim_start().is_empty();
            plain.then(|| text.to_owned())
        };
        number.checked_sub(1).and_then(between).or_else(|| between(number)).unwrap_or_else(|| ", ".to_owned())
    }

    /// The alias of an output as a name.
    fn alias_of(&self, output: &Output) -> Option<Name> {
        let range = output.alias.clone()?;
        let text = self.input.text.get(range.clone())?;
        let own = text.starts_with(['"', '`', '[']);
        let quoting = if own { Quoting::Own } else { Quoting::None };
        Some(Name { range, text: output.name.clone().unwrap_or_default(), quoting })
    }

    /// The expression of an item, without its alias.
    fn expression(&self, output: &Output) -> Range<usize> {
        let Some(alias) = &output.alias else { return output.range.clone() };
        let before = self.input.text.get(output.range.start..alias.start).unwrap_or_default().trim_end();
        let word = before.len().checked_sub(2).and_then(|at| before.get(at..));
        let without = match word {
            Some(word) if word.eq_ignore_ascii_case("as") => before[..before.len() - 2].trim_end(),
            _ => before,
        };
        output.range.start..output.range.start + without.len()
    }

    /// The expression of an item as it will be, to stand in another one.
    fn text_of(&self, output: &Output) -> String {
        let at = self.expression(output);
        let text = self.input.text.get(at.clone()).unwrap_or_default();
        let inner = self.wanted.demands.iter().filter(|demand| within(&demand.at, &at));
        let edits: Vec<Edit> = inner
            .map(|demand| Edit { at: demand.at.start - at.start..demand.at.end - at.start, by: demand.by.clone() })
            .collect();
        let text = apply(text, &edits).map_or_else(|_| text.to_owned(), |edited| edited.text);
        let plain = text.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '"' | '`'));
        if plain { text } else { format!("({text})") }
    }

    /// What an item that is just a column is called from now on.
    pub(super) fn called(&self, column: &ColumnUse) -> Called<'_> {
        let is_it = |given: &&Given| Some(given.query) == column.query && within(&column.range, &given.item);
        match self.given.iter().find(is_it) {
            None => Called::AsBefore,
            Some(Given { name: Some(name), .. }) => Called::As(name),
            Some(Given { name: None, .. }) => Called::Later,
        }
    }
}

fn within(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// What becomes of outputs of these names. What comes through a star has no name of its own here; so a column may come
/// through one only if it stays what it is.
fn outputs_of<'a>(change: &'a TableChange, outputs: &[Output], stars: &[Range<usize>]) -> Result<Outputs<'a>, String> {
    let through_star = |output: &Output| output.is_open() || stars.contains(&output.range);
    let of = |output: &Output| Some(change.column(output.name.as_deref()?)?.name.clone());
    let old: Vec<Option<String>> = outputs.iter().map(|output| of(output).filter(|_| !through_star(output))).collect();
    let place = |name: &str| old.iter().position(|old| old.as_deref() == Some(name));
    let has_star = outputs.iter().any(through_star);
    let is_whole = has_star || change.columns.iter().all(|column| place(&column.name).is_some());
    let mut made: Vec<Vec<&MadeColumn>> = vec![Vec::new(); old.len()];
    let mut added = Vec::new();
    for one in &change.made {
        let columns = one.value.columns();
        let places: Vec<usize> = columns.iter().filter_map(|name| place(name)).collect();
        let stays = matches!(&one.value.node, Node::Column(name) if *name == one.name) && one.why.is_none();
        match places.first() {
            None if columns.is_empty() && is_whole => added.push(one),
            None if has_star && !columns.is_empty() && !stays => {
                return Err(format!("it makes the dataset, and `{}` may come through a star", columns[0]));
            }
            None => {}
            Some(first) if places.len() == columns.len() => made[*first].push(one),
            Some(_) => {
                return Err(format!("it makes the dataset, and gives not all of what `{}` is made of", one.name));
            }
        }
    }
    let ends = |name: &str| !change.made.iter().any(|made| made.value.columns().contains(&name));
    if let Some(column) =
        change.columns.iter().find(|column| has_star && place(&column.name).is_none() && ends(&column.name))
    {
        return Err(format!("it makes the dataset, and `{}` may come through a star", column.name));
    }
    if change.made.is_empty() || old.iter().flatten().next().is_none() {
        return Err("it makes the dataset, and gives no column of it by name".to_owned());
    }
    let each = old.iter().zip(made).map(|(old, made)| becomes(old.as_deref(), made)).collect();
    Ok(Outputs { each, old, added })
}

fn becomes<'a>(old: Option<&str>, made: Vec<&'a MadeColumn>) -> Becomes<'a> {
    let Some(old) = old else { return Becomes::Stays };
    match made.as_slice() {
        [] => Becomes::Gone,
        [one] if one.why.is_none() && matches!(&one.value.node, Node::Column(_)) => {
            if one.name == old {
                Becomes::Stays
            } else {
                Becomes::Renamed(&one.name)
            }
        }
        _ => Becomes::Made(made),
    }
}
