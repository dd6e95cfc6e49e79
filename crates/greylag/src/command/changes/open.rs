//! `greylag changes open`.

use super::offer::{Became, Offer};
use crate::consumers::{self, Converted, Meant};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Row, heading, wide};
use crate::reading::Reading;
use crate::templates::Parameters;
use crate::wire::{self, Hosting};
use crate::{migration_files, progress, side_by_side};
use clap::Args;
use greylag_code::proposal::{self, Proposal};
use greylag_model::code;
use greylag_model::consumer::{Class, TableChange};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Open change requests that move the code of hosted repositories to the new datasets of a migration.
///
/// Every repository is looked at where its branch is now. Where rules can rewrite anything, one change request is opened, with
/// what they wrote as one commit, and with what is left for people in its description. Done again, one that is open follows its
/// base and its migration, and the others stay as they are; one that its owner closed or took back stays so, unless `--reopen`
/// says otherwise. What verifiers, proofs and the repository's own trusted command say of it is shown in its description and as its
/// checks, as in a run.
///
/// Exit codes: 0 all that reads the datasets is offered; 3 some code needs somebody, a check fails, or an owner has said no; 1 a
/// repository could not be done.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag changes open -f users.yaml --dry-run\n  \
                        greylag changes open -f users.yaml reports team/models")]
pub(super) struct Open {
    /// Only these repositories.
    #[arg(value_name = "REPOSITORY")]
    repositories: Vec<String>,
    /// The migration, or a directory of files; more may be given.
    #[arg(short, long = "file", value_name = "FILE", required = true)]
    file: Vec<PathBuf>,
    #[command(flatten)]
    parameters: Parameters,
    /// Only show what would be opened or updated.
    #[arg(long)]
    dry_run: bool,
    /// Also what its owner closed or took back.
    #[arg(long)]
    reopen: bool,
    /// Do not run old and new texts over rows to compare what they give, which is most of the work.
    #[arg(long)]
    no_prove: bool,
    #[command(flatten)]
    reading: Reading,
}

/// What came of one migration in one repository.
struct Told {
    repository: String,
    migration: String,
    class: Class,
    files: usize,
    edits: usize,
    held: usize,
    outcome: &'static str,
    change: String,
    good: bool,
    opened: bool,
}

/// How many repositories are of which class.
#[derive(Default)]
struct Funnel {
    classes: BTreeMap<Class, usize>,
    failed: usize,
    opened: usize,
}

impl Open {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let mut files = migration_files::read(&self.file, context.format().is_json())?;
        self.parameters.render(context, &mut files)?;
        let (meant, left_out) = consumers::of_each(context, &files)?;
        let forge = wire::forge(context)?;
        let names = self.names(&forge)?;
        let bar = progress::bar(context);
        let (mut told, mut funnel) = (Vec::new(), Funnel::default());
        let offered = side_by_side::each(
            &names,
            wire::repositories_at_once(),
            |name| self.offer(context, &forge, name, &meant),
            || context.interrupted(),
            |done| progress::tick(&bar, done, names.len()),
        );
        if context.interrupted() {
            return Err(Failure::interrupted());
        }
        for found in offered {
            match found {
                Ok(found) => {
                    funnel.take(&found);
                    told.extend(found);
                }
                Err(failure) => {
                    failure.report(context.format().is_json());
                    funnel.failed += 1;
                }
            }
        }
        bar.finish_and_clear();
        output::list(context.format(), "changes", &HEADINGS, told.iter().map(row).collect())?;
        context.say(&funnel.line(names.len(), self.dry_run));
        Ok(if funnel.failed > 0 {
            Exit::Failed
        } else if left_out.is_empty() && told.iter().all(|told| told.good) {
            Exit::Done
        } else {
            Exit::Incomplete
        })
    }

    /// The repositories that were named, or all.
    fn names(&self, forge: &Hosting) -> Result<Vec<String>, Failure> {
        if self.repositories.is_empty() {
            let hosted = forge.hosted()?;
            if hosted.is_empty() {
                return Err(Failure::error(code::repository::FORGE_UNKNOWN, "the forge has no repositories")
                    .hint("take some with `greylag changes host PATH…`"));
            }
            return Ok(hosted);
        }
        for name in &self.repositories {
            forge.policy(name)?;
        }
        Ok(self.repositories.clone())
    }

    /// Offers a repository what each migration asks of it.
    fn offer(&self, context: &Context, forge: &Hosting, name: &str, meant: &[Meant<'_>]) -> Result<Vec<Told>, Failure> {
        let repository = forge.repository(name)?;
        let base = repository.default_branch()?;
        let tree = repository.branch_tree(&base)?.ok_or_else(|| {
            Failure::error(code::repository::FORGE_UNKNOWN, format!("the repository `{name}` has no branch `{base}`"))
                .hint("take it once more with `greylag changes host`")
        })?;
        let said = self.reading.said();
        let options = said.options();
        let (dry, reopen, proves) = (self.dry_run, self.reopen, !self.no_prove);
        let offer = Offer {
            context,
            forge,
            name,
            repository: &repository,
            base: &base,
            tree: &tree,
            options,
            dry,
            reopen,
            proves,
        };
        // Most repositories read nothing of most migrations: all are looked for at once before each is by itself.
        let all: Vec<TableChange> = meant.iter().flat_map(|meant| meant.changes.clone()).collect();
        let whole = proposal::look(&tree, name, &all, options)?;
        consumers::tell_of(context, Path::new(name), &whole.told);
        let mut whole = Some(whole);
        let met: Vec<String> =
            whole.iter().flat_map(|whole| proposal::datasets(&whole.files)).map(str::to_owned).collect();
        let unread = whole.as_ref().is_some_and(|whole| met.is_empty() && whole.class() != Class::Unaffected);
        let mut told = Vec::new();
        for meant in meant
            .iter()
            .filter(|one| unread || meant.len() == 1 || one.changes.iter().any(|change| met.contains(&change.dataset)))
        {
            let report = match whole.take_if(|_| all.len() == meant.changes.len()) {
                Some(report) => report,
                None => proposal::look(&tree, name, &meant.changes, options)?,
            };
            let migration = meant.migration;
            let until = migration.spec.consumers.as_ref().and_then(|consumers| consumers.until.as_deref());
            let proposal = Proposal {
                about: &migration.metadata,
                changes: &meant.changes,
                until,
                report,
                part: None,
                elsewhere: Vec::new(),
            };
            told.push(self.told(&offer, &proposal, &meant.rows)?);
        }
        if told.is_empty() {
            told.push(Told::unaffected(name));
        }
        Ok(told)
    }

    fn told(&self, offer: &Offer<'_>, proposal: &Proposal<'_>, rows: &[Converted]) -> Result<Told, Failure> {
        let migration = proposal.about.name.clone();
        let class = proposal.report.class();
        let offered = offer.make(proposal, rows)?;
        if class == Class::Unaffected && offered.outcome == Became::Held {
            return Ok(Told { migration, ..Told::unaffected(offer.name) });
        }
        Ok(Told {
            repository: offer.name.to_owned(),
            migration,
            class,
            files: proposal.changed().count(),
            edits: proposal.changed().map(|file| file.edits.len()).sum(),
            held: proposal.held().count(),
            outcome: offered.outcome.word(self.dry_run),
            change: offered.change.map(|change| change.to_string()).unwrap_or_default(),
            good: class <= Class::Mechanical && offered.outcome.is_good() && !offered.fails,
            opened: matches!(offered.outcome, Became::Opened),
        })
    }
}

impl Told {
    fn unaffected(name: &str) -> Self {
        Self {
            repository: name.to_owned(),
            migration: String::new(),
            class: Class::Unaffected,
            files: 0,
            edits: 0,
            held: 0,
            outcome: "unaffected",
            change: String::new(),
            good: true,
            opened: false,
        }
    }
}

impl Funnel {
    /// Counts a repository, by what is most difficult in it.
    fn take(&mut self, told: &[Told]) {
        let class = told.iter().map(|told| told.class).max().unwrap_or(Class::Unaffected);
        *self.classes.entry(class).or_default() += 1;
        self.opened += told.iter().filter(|told| told.opened).count();
    }

    fn line(&self, found: usize, dry: bool) -> String {
        let of = |class: Class| self.classes.get(&class).copied().unwrap_or_default();
        let all = [Class::Unaffected, Class::Mechanical, Class::Agentic, Class::Judgement, Class::Unknown];
        let classes: Vec<String> = all.map(|class| format!("{} {}", of(class), class.name())).to_vec();
        let opened = if dry { "to be opened" } else { "opened" };
        let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        format!("{found} found: {}{failed}; {} {opened}", classes.join(", "), self.opened)
    }
}

const HEADINGS: [output::Heading; 8] = [
    heading("repository"),
    heading("class"),
    heading("files"),
    heading("edits"),
    heading("held"),
    heading("outcome"),
    heading("change"),
    wide("migration"),
];

fn row(told: &Told) -> Row {
    let value = json!({
        "repository": told.repository, "migration": told.migration, "class": told.class, "files": told.files,
        "edits": told.edits, "held": told.held, "outcome": told.outcome, "change": told.change,
    });
    let cells = vec![
        told.repository.clone(),
        told.class.name().to_owned(),
        told.files.to_string(),
        told.edits.to_string(),
        told.held.to_string(),
        told.outcome.to_owned(),
        told.change.clone(),
        told.migration.clone(),
    ];
    let name = if told.change.is_empty() { &told.repository } else { &told.change };
    Row::new(name.clone(), cells, &value)
}
