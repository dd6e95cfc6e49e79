//! How change requests are told on the command line: `REPOSITORY#NUMBER`.

use crate::failure::Failure;
use greylag_driver::forge::{ChangeRequest, Filter, Forge, State, Which};
use greylag_model::code;
use std::fmt;
use std::str::FromStr;

/// Change requests that are asked for at a time.
const PAGE: usize = 500;

/// A change request's repository and number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) repository: String,
    pub(super) number: u64,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.rsplit_once('#').filter(|(repository, _)| !repository.is_empty());
        let read = parts.and_then(|(repository, number)| Some((repository, number.parse().ok()?)));
        let (repository, number) =
            read.ok_or_else(|| "a change request is told by repository and number, e.g. `team/models#3`".to_owned())?;
        Ok(Self { repository: repository.to_owned(), number })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}#{}", self.repository, self.number)
    }
}

impl Address {
    /// That of a change request.
    pub(super) fn of(request: &ChangeRequest) -> Self {
        Self { repository: request.repository.clone(), number: request.number }
    }

    /// It, as it is now.
    pub(super) fn find(&self, forge: &dyn Forge) -> Result<ChangeRequest, Failure> {
        let found = forge.find(&self.repository, &Which::Number(self.number))?;
        found.ok_or_else(|| {
            Failure::error(code::repository::FORGE_UNKNOWN, format!("the forge has no change request `{self}`"))
                .hint("`greylag changes list` shows what there is")
        })
    }
}

/// All change requests of a repository, or of all, in a state, or in any.
pub(super) fn all(
    forge: &dyn Forge,
    repository: Option<&str>,
    state: Option<State>,
) -> Result<Vec<ChangeRequest>, Failure> {
    let mut found = Vec::new();
    let mut filter = Filter { repository: repository.map(str::to_owned), state, after: None, limit: PAGE };
    loop {
        let page = forge.list(&filter)?;
        let Some(last) = page.last() else { return Ok(found) };
        filter.after = Some((last.repository.clone(), last.number));
        let full = page.len() == PAGE;
        found.extend(page);
        if !full {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_are_read() {
        let cases = [
            ("a#1", Some(("a", 1))),
            ("team/models#12", Some(("team/models", 12))),
            ("a#b#3", Some(("a#b", 3))),
            ("a", None),
            ("#1", None),
            ("a#", None),
            ("a#-1", None),
        ];
        for (text, expected) in cases {
            let found = text.parse::<Address>().ok();
            let expected = expected.map(|(repository, number)| Address { repository: repository.to_owned(), number });
            assert_eq!(found, expected, "{text}");
        }
    }
}
