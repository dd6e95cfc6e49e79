//! Git's protocol over HTTP, one request at a time.
//!
//! Whoever listens (a server, with its own users and limits on connections) hands each request to [`EmbeddedForge::serve`].
//! Only the four requests of the smart protocol are answered, so no file of a repository's folder is ever served as such.
//! `git http-backend` does the work, hardened like every process of git here: no hook of a repository is run.

use super::EmbeddedForge;
use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: String,
    /// As it came, without the query: `/team/models.git/info/refs`.
    pub path: String,
    /// What follows the question mark.
    pub query: String,
    /// The header `Content-Type`.
    pub content_type: String,
    /// The header `Content-Encoding`: `gzip` or nothing.
    pub content_encoding: String,
    /// The header `Git-Protocol`.
    pub git_protocol: String,
    /// Who it is, as the listener has made sure; whoever is nobody may only read.
    pub user: Option<String>,
    /// All of it.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// E.g. 200.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

impl Response {
    fn plain(status: u16, words: &str) -> Self {
        let headers = vec![("Content-Type".to_owned(), "text/plain".to_owned())];
        Self { status, headers, body: words.as_bytes().to_vec() }
    }
}

/// What is asked for: the service, and the rest of the path.
fn asked(request: &Request) -> Option<(&str, &'static str, &'static str)> {
    let path = request.path.strip_prefix('/')?;
    let service = |service: &str| match service {
        "git-upload-pack" => Some("git-upload-pack"),
        "git-receive-pack" => Some("git-receive-pack"),
        _ => None,
    };
    if let Some(name) = path.strip_suffix(".git/info/refs") {
        let of = service(request.query.strip_prefix("service=")?)?;
        return (request.method == "GET").then_some((name, of, "info/refs"));
    }
    let (name, last) = path.rsplit_once(".git/")?;
    let of = service(last)?;
    (request.method == "POST").then_some((name, of, of))
}

impl EmbeddedForge {
    /// Answers a request of git's protocol.
    pub fn serve(&self, request: &Request) -> Result<Response, DriverError> {
        let Some((name, service, place)) = asked(request) else { return Ok(Response::plain(404, "not found\n")) };
        let repository = match self.repository(name) {
            Err(error) if error.code == code::FORGE_UNKNOWN => return Ok(Response::plain(404, "not found\n")),
            told => told?,
        };
        if service == "git-receive-pack" && request.user.is_none() {
            return Ok(Response::plain(403, "sign in to push\n"));
        }
        if request.body.len() > repository.git().limits().output_bytes {
            return Ok(Response::plain(413, "too large\n"));
        }
        let mut variables = vec![
            ("REQUEST_METHOD", request.method.as_str()),
            ("QUERY_STRING", request.query.as_str()),
            ("CONTENT_TYPE", &request.content_type),
            ("HTTP_CONTENT_ENCODING", &request.content_encoding),
            ("GIT_PROTOCOL", &request.git_protocol),
        ];
        if variables.iter().any(|(_, value)| value.chars().any(char::is_control)) {
            return Ok(Response::plain(400, "a header has control characters\n"));
        }
        // The name of somebody is only that somebody is there: what is done is by whom the commits say.
        variables.extend(request.user.iter().map(|_| ("REMOTE_USER", "user")));
        let output = repository.backend(place, &variables, &request.body)?;
        Ok(parsed(&output.bytes).unwrap_or_else(|| Response::plain(500, "git gave no answer\n")))
    }
}

/// Reads what a CGI program wrote.
fn parsed(bytes: &[u8]) -> Option<Response> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let mut response = Response { status: 200, headers: Vec::new(), body: bytes.get(end + 4..)?.to_vec() };
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':')?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("status") {
            response.status = value.split(' ').next()?.parse().ok()?;
        } else {
            response.headers.push((name.to_owned(), value.to_owned()));
        }
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::{Request, asked, parsed};

    #[test]
    fn only_four_requests_are_answered() {
        let cases = [
            ("GET /a/b.git/info/refs?service=git-upload-pack", Some(("a/b", "git-upload-pack", "info/refs"))),
            ("GET /a.git/info/refs?service=git-receive-pack", Some(("a", "git-receive-pack", "info/refs"))),
            ("POST /a.git/git-upload-pack", Some(("a", "git-upload-pack", "git-upload-pack"))),
            ("POST /a.git/git-receive-pack", Some(("a", "git-receive-pack", "git-receive-pack"))),
            ("GET /a.git/info/refs", None),
            ("GET /a.git/info/refs?service=git-upload-archive", None),
            ("GET /a.git/info/refs?service=git-upload-pack&x=y", None),
            ("POST /a.git/info/refs?service=git-upload-pack", None),
            ("GET /a.git/git-upload-pack", None),
            ("GET /a.git/HEAD", None),
            ("GET /a.git/config", None),
            ("GET /a.git/objects/info/packs", None),
            ("GET /forge.db", None),
            ("POST git-upload-pack", None),
        ];
        for (text, expected) in cases {
            let (method, rest) = text.split_once(' ').unwrap_or_default();
            let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
            let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
            assert_eq!(asked(&Request { method, path, query, ..Request::default() }), expected, "{text}");
        }
    }

    #[test]
    fn what_a_program_wrote_is_read() {
        let told =
            parsed(b"Status: 404 Not Found\r\nContent-Type: a\r\n\r\nbody\r\n\r\n").map(|it| (it.status, it.body));
        assert_eq!(told, Some((404, b"body\r\n\r\n".to_vec())));
        assert_eq!(parsed(b"Content-Type: a\r\n\r\n").map(|it| it.status), Some(200));
        for text in ["", "a", "a\r\n\r\n", "Status: x\r\n\r\n"] {
            assert_eq!(parsed(text.as_bytes()), None, "{text:?}");
        }
    }
}
