//! A file written twice: as it is, and as it must be.

use super::truth::{Decoy, Edit, Reference, Role};

/// Whether the changes of a text are to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// They are.
    Made,
    /// Whoever makes them is right, and so is who leaves them to a person.
    Optional,
    /// They must not be: the old text is the new one.
    Held,
}

/// What a change stands for.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) old: String,
    pub(super) new: String,
    /// Other texts that mean the same.
    pub(super) alternatives: Vec<String>,
}

/// The text so far: old and new bytes, and what is known of them.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) old: String,
    pub(super) new: String,
    pub(super) edits: Vec<Edit>,
    pub(super) references: Vec<Reference>,
    pub(super) decoys: Vec<Decoy>,
    /// Whether values that the migration narrows go through it.
    pub(super) lossy: bool,
    /// Whether lines end as they do on Windows.
    pub(super) crlf: bool,
}

impl Text {
    /// An empty text.
    pub(super) fn new(crlf: bool) -> Self {
        Self { crlf, ..Self::default() }
    }

    /// Text that is the same in both.
    pub(super) fn fixed(&mut self, text: &str) {
        if self.crlf && text.contains('\n') {
            let text = text.replace('\n', "\r\n");
            self.old.push_str(&text);
            self.new.push_str(&text);
        } else {
            self.old.push_str(text);
            self.new.push_str(text);
        }
    }

    /// Text that is the same in both and must not be taken for a name that changes.
    pub(super) fn decoy(&mut self, text: &str, trap: &str) {
        let start = self.old.len();
        self.fixed(text);
        self.decoys.push(Decoy { start, end: self.old.len(), trap: trap.to_owned() });
    }

    /// Text that differs, where `hold` says so.
    pub(super) fn change(&mut self, change: Change, trap: &str, hold: Hold) {
        let start = self.old.len();
        self.old.push_str(&change.old);
        let made = hold == Hold::Made && change.old != change.new;
        self.new.push_str(if made { &change.new } else { &change.old });
        if change.old != change.new && hold != Hold::Held {
            self.edits.push(Edit {
                start,
                end: self.old.len(),
                new: change.new,
                alternatives: change.alternatives,
                trap: trap.to_owned(),
                optional: hold == Hold::Optional,
            });
        }
    }

    /// The end of a line and the indentation of this one, if nothing else stands on it yet.
    pub(super) fn next_line(&self) -> Option<String> {
        let line = &self.old[self.old.rfind('\n').map_or(0, |at| at + 1)..];
        let end = if self.crlf { "\r\n" } else { "\n" };
        line.trim().is_empty().then(|| format!("{end}{line}"))
    }

    /// Puts another text behind this one.
    pub(super) fn append(&mut self, other: Self) {
        let by = self.old.len();
        self.old.push_str(&other.old);
        self.new.push_str(&other.new);
        let shifted = |start: usize, end: usize| (start + by, end + by);
        for mut edit in other.edits {
            (edit.start, edit.end) = shifted(edit.start, edit.end);
            self.edits.push(edit);
        }
        for mut reference in other.references {
            (reference.start, reference.end) = shifted(reference.start, reference.end);
            self.references.push(reference);
        }
        for mut decoy in other.decoys {
            (decoy.start, decoy.end) = shifted(decoy.start, decoy.end);
            self.decoys.push(decoy);
        }
    }

    /// Takes away the end of the last line, where both texts have one.
    pub(super) fn without_final_newline(&mut self) {
        let end = if self.crlf { "\r\n" } else { "\n" };
        if self.old.ends_with(end) && self.new.ends_with(end) {
            self.old.truncate(self.old.len() - end.len());
            self.new.truncate(self.new.len() - end.len());
        }
    }

    /// Says that the bytes from `start` on name a dataset or a column of it.
    pub(super) fn refer(&mut self, start: usize, dataset: &str, column: Option<&str>, role: Role) {
        self.references.push(Reference {
            start,
            end: self.old.len(),
            dataset: dataset.to_owned(),
            column: column.map(str::to_owned),
            role,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Hold, Text};

    fn change(old: &str, new: &str) -> Change {
        Change { old: old.to_owned(), new: new.to_owned(), alternatives: vec![] }
    }

    #[test]
    fn both_texts_are_written_at_once() {
        let mut text = Text::new(true);
        text.fixed("a\n");
        text.change(change("uid", "user_id"), "t", Hold::Made);
        text.fixed("\n");
        text.change(change("x", "y"), "t", Hold::Held);
        text.decoy("uid", "t");
        text.change(change("p", "q"), "t", Hold::Optional);
        assert_eq!(text.old, "a\r\nuid\r\nxuidp");
        assert_eq!(text.new, "a\r\nuser_id\r\nxuidp");
        let edits: Vec<_> = text.edits.iter().map(|edit| (&text.old[edit.start..edit.end], edit.optional)).collect();
        assert_eq!(edits, [("uid", false), ("p", true)]);
        assert_eq!(&text.old[text.decoys[0].start..text.decoys[0].end], "uid");
    }
}
