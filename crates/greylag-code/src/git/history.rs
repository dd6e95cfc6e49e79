//! What commits say of themselves, and where a repository's history begins.

use super::command::failed;
use super::commit::Person;
use super::object::{ObjectId, damaged};
use super::reference::{check_branch, is_branch_name};
use super::repository::Repository;
use super::stored;
use greylag_driver::error::DriverError;

/// Prefix of the names of branches.
const HEADS: &str = "refs/heads/";

/// What a commit says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The commits that it comes after.
    pub parents: Vec<ObjectId>,
    /// Who committed it; whoever amends a commit of somebody else's is the new one's committer.
    pub committer: Person,
}

impl Repository {
    /// What a commit says of itself.
    pub fn written(&self, commit: &ObjectId) -> Result<Written, DriverError> {
        let output = self.run("read a commit", &["cat-file", "commit", commit.as_str()], &[])?;
        written(&String::from_utf8_lossy(&output.bytes)).ok_or_else(|| damaged(&format!("commit `{commit}`")))
    }

    /// The commits without parents that a branch descends from.
    pub fn roots(&self, branch: &str) -> Result<Vec<ObjectId>, DriverError> {
        check_branch(branch)?;
        let branch = format!("{HEADS}{branch}");
        let arguments = ["rev-list", "--max-parents=0", "--end-of-options", &branch];
        let output = self.run("find first commits", &arguments, &[])?;
        String::from_utf8_lossy(&output.bytes).lines().map(ObjectId::parse).collect()
    }

    /// The branch that its users see first, whether or not it is there.
    pub fn default_branch(&self) -> Result<String, DriverError> {
        if let Some(branch) = stored::head(&self.folder).filter(|name| is_branch_name(name)) {
            return Ok(branch);
        }
        let output = self.try_run("read the default branch", &["symbolic-ref", "--quiet", "HEAD"], &[])?;
        let said = String::from_utf8_lossy(&output.bytes);
        match (output.exit(), said.trim().strip_prefix(HEADS).filter(|name| is_branch_name(name))) {
            (Some(0), Some(branch)) => Ok(branch.to_owned()),
            (Some(0), None) => Err(damaged("its default branch has a strange name")),
            _ => Err(failed("read the default branch", &output)),
        }
    }

    /// Says which branch its users see first.
    pub fn set_default_branch(&self, branch: &str) -> Result<(), DriverError> {
        check_branch(branch)?;
        let branch = format!("{HEADS}{branch}");
        self.run("set the default branch", &["symbolic-ref", "HEAD", &branch], &[]).map(|_| ())
    }
}

fn written(text: &str) -> Option<Written> {
    let head = text.split_once("\n\n").map_or(text, |(head, _)| head);
    let parents = head.lines().filter_map(|line| line.strip_prefix("parent "));
    let parents = parents.map(ObjectId::parse).collect::<Result<_, _>>().ok()?;
    let committer = head.lines().find_map(|line| line.strip_prefix("committer "))?;
    let (name, rest) = committer.split_once('<')?;
    let (email, _) = rest.split_once('>')?;
    Some(Written { parents, committer: Person { name: name.trim().to_owned(), email: email.to_owned() } })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::written;

    #[test]
    fn the_head_of_a_commit_is_read_and_not_its_message() {
        let id = "1".repeat(40);
        let text = format!(
            "tree {id}\nparent {id}\nauthor A B <a@example.com> 1 +0000\ncommitter C D <c@example.com> 2 +0000\n\n\
             committer E <e@example.com> 3 +0000\nparent {id}\n"
        );
        let found = written(&text).unwrap();
        assert_eq!((found.parents.len(), found.committer.name.as_str()), (1, "C D"));
        assert_eq!(found.committer.email, "c@example.com");
        assert_eq!(written("tree\n\ncommitter C <c@example.com> 2 +0000\n"), None);
    }
}
