//! Outputs that are plain columns of a changed dataset, and could take its new names.

use super::arms::arms_of;
use super::{Input, Work};
use greylag_model::consumer::Fate;
use greylag_model::spec::Outputs;
use greylag_syntax::sql::Output;

/// All outputs of a text that is one query, each by its name and the name that it could have: another one where it is nothing but a
/// column that only got another name, of a dataset whose readers take new names. None where that cannot be told of every output,
/// or where two would have one name.
pub fn shown(input: Input<'_>) -> Option<Vec<(String, String)>> {
    let mut work = Work::new(input);
    work.kept = work.stars();
    let [statement] = input.reading.statements.as_slice() else { return None };
    let arms = arms_of(input.reading, statement.query?).ok()?;
    let mut all: Option<Vec<(String, String)>> = None;
    for arm in arms {
        if input.reading.stars.iter().any(|star| star.query == arm) {
            return None;
        }
        let outputs = &input.reading.queries.get(arm)?.outputs;
        let names: Option<Vec<(String, String)>> = outputs.iter().map(|output| work.name_shown(arm, output)).collect();
        match &all {
            None => all = names,
            Some(first) if Some(first) == names.as_ref() => {}
            Some(_) => return None,
        }
    }
    let all = all?;
    let mut new: Vec<String> = all.iter().map(|(_, new)| new.to_lowercase()).collect();
    new.sort();
    let count = new.len();
    new.dedup();
    (new.len() == count).then_some(all)
}

impl Work<'_> {
    /// The name of an output, and the one that it could have.
    fn name_shown(&self, arm: usize, output: &Output) -> Option<(String, String)> {
        let old = output.name.as_deref()?.to_owned();
        let column = self.input.reading.columns.iter().find(|column| {
            column.query == Some(arm)
                && column.place.bare.is_some()
                && column.range == output.range
                && output.alias.is_none()
        });
        let new = column.and_then(|column| {
            let [origin] = column.from.as_slice() else { return None };
            let (relation, name) = self.reach(*origin, &column.name.text)?;
            let change = self.change(self.concerned[relation]?.0);
            let found = change.column(&name).filter(|found| found.judgement.is_none())?;
            match &found.fate {
                Fate::Same(new) if change.outputs == Outputs::Propagate => Some(new.clone()),
                _ => None,
            }
        });
        Some((old.clone(), new.unwrap_or(old)))
    }
}
