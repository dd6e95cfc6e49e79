//! Where a repository is fetched from and pushed to.

use super::object::ObjectId;
use super::reference::is_branch_name;
use super::stored::{self, Stored};
use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;
use std::fmt;
use std::path::{Path, PathBuf};

/// How a remote is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A path of this machine, through `upload-pack` and `receive-pack`.
    File,
    /// HTTP without encryption.
    Http,
    /// HTTP with encryption.
    Https,
    /// A secure shell; only where its command is configured.
    Ssh,
}

impl Way {
    /// What git calls it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Http => "http",
            Self::Https => "https",
            Self::Ssh => "ssh",
        }
    }
}

/// An address that was looked at, and what goes with it.
#[derive(Clone, PartialEq, Eq)]
pub struct Remote {
    pub(crate) url: String,
    pub(crate) way: Way,
    pub(crate) path: Option<PathBuf>,
    pub(crate) header: Option<String>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Remote {
    /// Reads an address: an absolute path, or a URL with `file`, `http`, `https` or `ssh`. Fails with class denied for every
    /// other one, and for one that holds a password.
    pub fn parse(text: &str) -> Result<Self, DriverError> {
        let refused = |why: &str| {
            let shown = text.split('@').next_back().unwrap_or_default().escape_debug();
            DriverError::denied(code::GIT_URL, format!("the address `{shown}` is refused: {why}"))
                .hint("use an absolute path, or a URL with `https`, `http` or `ssh`")
        };
        if text.is_empty() || text.starts_with('-') {
            return Err(refused("it is empty or begins with `-`"));
        }
        if text.chars().any(|letter| letter.is_control() || letter.is_whitespace() && !text.starts_with('/')) {
            return Err(refused("it has control characters or spaces"));
        }
        if text.starts_with('/') {
            return Ok(Self::at(Path::new(text)));
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| refused("it has no scheme"))?;
        let way = match scheme {
            "file" if rest.starts_with('/') => return Ok(Self::at(Path::new(rest))),
            "http" => Way::Http,
            "https" => Way::Https,
            "ssh" => Way::Ssh,
            _ => return Err(refused("its scheme is none of `file`, `http`, `https` and `ssh`")),
        };
        let (host, _) = rest.split_once('/').ok_or_else(|| refused("it has no path"))?;
        let (user, host) = host.rsplit_once('@').map_or(("", host), |(user, host)| (user, host));
        if user.contains(':') || !user.is_empty() && way != Way::Ssh {
            return Err(refused("it holds a user or a password"));
        }
        if host.is_empty() || host.starts_with('-') || user.starts_with('-') {
            return Err(refused("it has no host"));
        }
        Ok(Self { url: text.to_owned(), way, path: None, header: None })
    }

    /// A repository at an absolute path of this machine.
    pub fn at(path: &Path) -> Self {
        // Of all that a path may hold, git takes only `%` for something else.
        let url = format!("file://{}", path.display().to_string().replace('%', "%25"));
        Self { url, way: Way::File, path: Some(path.to_owned()), header: None }
    }

    /// The same with a header for every request, e.g. `Authorization: …`; it is never in an argument list.
    pub fn with_header(self, header: impl Into<String>) -> Self {
        Self { header: Some(header.into()), ..self }
    }

    /// The default branch of a repository on this machine, or another one, and where it is, if its files say so plainly: it saves
    /// asking before a fetch. Only `upload-pack` hands out anything of it.
    pub fn plainly(&self, branch: Option<&str>) -> Option<(String, ObjectId)> {
        let path = self.path.as_ref()?;
        let folder = [path.clone(), path.join(".git")].into_iter().find(|folder| folder.join("objects").is_dir())?;
        let branch = branch.map_or_else(|| stored::head(&folder), |branch| Some(branch.to_owned()));
        let branch = branch.filter(|branch| is_branch_name(branch))?;
        match stored::branch(&folder, &branch) {
            Stored::At(commit) => Some((branch, commit)),
            Stored::Nowhere | Stored::Unknown => None,
        }
    }

    /// The address, without secrets.
    pub fn url(&self) -> &str {
        &self.url
    }
}

#[cfg(test)]
mod tests {
    use super::{Remote, Way};

    #[test]
    fn addresses_are_read() {
        let cases = [
            ("/srv/a b.git", Some(Way::File)),
            ("file:///srv/a.git", Some(Way::File)),
            ("https://example.com/a.git", Some(Way::Https)),
            ("http://127.0.0.1:80/a.git", Some(Way::Http)),
            ("ssh://git@example.com/a.git", Some(Way::Ssh)),
            ("", None),
            ("-uevil", None),
            ("--upload-pack=touch x", None),
            ("ext::sh -c id", None),
            ("ext::sh", None),
            ("fd::3", None),
            ("git://example.com/a", None),
            ("ftp://example.com/a", None),
            ("file://host/a", None),
            ("a/b", None),
            ("../a", None),
            ("git@example.com:a.git", None),
            ("https://user:token@example.com/a", None),
            ("https://token@example.com/a", None),
            ("ssh://-oProxyCommand=id/a", None),
            ("ssh://-o@h/a", None),
            ("https://example.com/a\r", None),
            ("https://example.com/a b", None),
            ("/srv/a\n", None),
            ("HTTPS://example.com/a", None),
            ("https://", None),
        ];
        for (text, way) in cases {
            assert_eq!(Remote::parse(text).ok().map(|remote| remote.way), way, "{text:?}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let Err(error) = Remote::parse("https://user:s3cret@example.com/a") else { panic!("taken") };
        assert!(!format!("{error:?}").contains("s3cret"));
        let remote = Remote::at("/a".as_ref()).with_header("Authorization: s3cret");
        assert!(!format!("{remote:?}").contains("s3cret"));
    }
}
