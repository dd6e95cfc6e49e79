//! Answers a request of git's protocol over HTTP.

use super::command::{Git, failed};
use super::process::Output;
use super::repository::Repository;
use greylag_driver::error::DriverError;

impl Repository {
    /// Runs `git http-backend` once for a request to this repository; `place` is what follows the repository in its path.
    pub(crate) fn backend(&self, place: &str, variables: &[(&str, &str)], body: &[u8]) -> Result<Output, DriverError> {
        let mut command = self.git.command_without(self.safety, &["http-backend"]);
        let mut translated = self.folder.clone().into_os_string();
        translated.push("/");
        translated.push(place);
        command.env("PATH_TRANSLATED", translated).env("PATH_INFO", place).env("GIT_HTTP_EXPORT_ALL", "1");
        command.env("CONTENT_LENGTH", body.len().to_string()).envs(variables.iter().copied());
        let output = self.git.run(command, "answer a request", body)?;
        if output.bytes.is_empty() { Err(failed("answer a request", &output)) } else { Ok(output) }
    }

    /// How it is read and written.
    pub(crate) fn git(&self) -> &Git {
        &self.git
    }
}
