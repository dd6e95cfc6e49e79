//! `greylag explain`: what an error code means and how to cure it.

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format};
use clap::Args;
use greylag_model::code;

/// Explain an error code: why it happens and what to do.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code, e.g. `GL0101`; without one, all codes are listed.
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

impl Explain {
    pub(crate) fn run(&self, format: Format) -> Outcome {
        let Some(wanted) = &self.code else { return all(format) };
        let wanted = wanted.to_uppercase();
        let digits = wanted.strip_prefix("GL").unwrap_or(&wanted);
        let page =
            digits.parse::<u16>().ok().and_then(|number| code::pages().find(|page| page.code.0 == number)).ok_or_else(
                || {
                    Failure::error(code::cli::CODE_UNKNOWN, format!("`{wanted}` is not an error code"))
                        .hint("`greylag explain` without a code lists them all")
                },
            )?;
        if format.is_json() {
            let value = serde_json::json!({
                "code": page.code, "title": page.title, "cause": page.cause, "cure": page.cure
            });
            output::document(format, "explanation", &value)?;
        } else {
            output::text(&format!(
                "{}: {}\n\nCause\n{}\n\nCure\n{}\n",
                page.code,
                page.title,
                wrapped(page.cause),
                wrapped(page.cure)
            ))?;
        }
        Ok(Exit::Done)
    }
}

fn all(format: Format) -> Outcome {
    let rows = code::pages()
        .map(|page| {
            let value = serde_json::json!({ "code": page.code, "title": page.title });
            output::Row::new(page.code.to_string(), vec![page.code.to_string(), page.title.to_owned()], &value)
        })
        .collect();
    output::list(format, "codes", &[output::heading("code"), output::heading("title")], rows)?;
    Ok(Exit::Done)
}

/// Breaks a paragraph into lines of at most 96 columns, indented by two.
fn wrapped(paragraph: &str) -> String {
    let mut lines = vec![String::from(" ")];
    for word in paragraph.split_whitespace() {
        if lines.last().is_some_and(|line| line.chars().count() + word.chars().count() + 1 > 96) {
            lines.push(String::from(" "));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n")
}
