//! What columns are called after a change, where YAML speaks of them.

use greylag_model::consumer::{Fate, TableChange};

/// How the columns of a source or a node are renamed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Renamed<'a> {
    /// They are called as before.
    No,
    /// It is read from the new dataset.
    Read(&'a TableChange),
    /// It makes the new dataset.
    Made(&'a TableChange),
}

impl<'a> Renamed<'a> {
    /// What a column may be called now; nothing if it is gone.
    pub(super) fn of(self, name: &'a str) -> Vec<&'a str> {
        match self {
            Self::No => vec![name],
            Self::Read(change) => vec![successor(change, name).unwrap_or(name)],
            Self::Made(change) => match change.column(name) {
                Some(column) => {
                    let made = change.made.iter().filter(|made| made.value.columns().contains(&column.name.as_str()));
                    made.map(|made| made.name.as_str()).collect()
                }
                None => vec![name],
            },
        }
    }

    /// Whether a text says of the columns what another one said of them before: the same words, those that are columns by their names now.
    pub(super) fn says_the_same(self, before: &'a str, after: &str) -> bool {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let between = |text: &str| text.split(is_word).filter(|rest| !rest.is_empty()).collect::<String>();
        let words = |text: &'a str| text.split(move |letter| !is_word(letter)).filter(|word| !word.is_empty());
        let (was, is): (Vec<&str>, Vec<&str>) =
            (words(before).collect(), after.split(|letter| !is_word(letter)).filter(|word| !word.is_empty()).collect());
        let fits = |(was, is): (&&'a str, &&str)| was == is || self.of(was).contains(is);
        before == after || was.len() == is.len() && between(before) == between(after) && was.iter().zip(&is).all(fits)
    }
}

/// The name that whoever names an old column without computing anything of it has to use now.
pub(super) fn successor<'a>(change: &'a TableChange, name: &str) -> Option<&'a str> {
    match &change.column(name)?.fate {
        Fate::Same(new) | Fate::Replaced { by: new, .. } => Some(new),
        Fate::Computed(expr) => match expr.columns().as_slice() {
            [one] => change.target.iter().find(|new| new.as_str() == *one).map(String::as_str),
            _ => None,
        },
        Fate::Lost(_) => None,
    }
}
