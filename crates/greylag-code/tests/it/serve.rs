//! People's git clones from the embedded forge over HTTP, and pushes to it.

use crate::estate::{Estate, files_below};
use crate::forge::{Embedded, open_request};
use greylag_code::forge::embedded::{EmbeddedForge, Request};
use greylag_driver::forge::conformance::World;
use greylag_driver::forge::{Forge, Policy, Which};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

/// A listener for tests: one request a connection. Whoever sends any authorization is somebody.
struct Server {
    listener: TcpListener,
    over: AtomicBool,
}

impl Server {
    fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap(), over: AtomicBool::new(false) }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    fn run(&self, forge: &EmbeddedForge) {
        for stream in self.listener.incoming() {
            if self.over.load(Ordering::SeqCst) {
                return;
            }
            // Whoever hangs up is gone.
            let _ = answer(forge, stream.unwrap());
        }
    }

    fn stop(&self) {
        self.over.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address()).unwrap();
    }
}

fn answer(forge: &EmbeddedForge, stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut request = Request { method, path: path.to_owned(), query: query.to_owned(), ..Request::default() };
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-type" => request.content_type = value.to_owned(),
            "content-encoding" => request.content_encoding = value.to_owned(),
            "git-protocol" => request.git_protocol = value.to_owned(),
            "content-length" => length = value.parse().unwrap(),
            "transfer-encoding" => chunked = value == "chunked",
            "authorization" => request.user = Some("ada".to_owned()),
            _ => {}
        }
    }
    request.body = if chunked { chunks(&mut reader)? } else { exactly(&mut reader, length)? };
    let response = forge.serve(&request).unwrap();
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {} x\r\nConnection: close\r\nContent-Length: {}\r\n",
        response.status,
        response.body.len()
    )?;
    for (name, value) in &response.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&response.body)
}

fn exactly(reader: &mut impl Read, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn chunks(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim(), 16).unwrap();
        bytes.extend(exactly(reader, length)?);
        exactly(reader, 2)?;
        if length == 0 {
            return Ok(bytes);
        }
    }
}

/// Plays somebody with a clone of the forge's repository.
fn with_server(world: &Embedded, play: impl FnOnce(&Estate, &str)) {
    let server = Server::new();
    let estate = Estate::new();
    std::thread::scope(|scope| {
        scope.spawn(|| server.run(&world.forge));
        let url = format!("http://{}/{}.git", server.address(), world.repository());
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play(&estate, &url)));
        server.stop();
        if let Err(told) = told {
            std::panic::resume_unwind(told);
        }
    });
}

const SIGNED_IN: &str = "http.extraHeader=Authorization: Basic YWRhOmFkYQ==";

#[test]
fn people_clone_and_push() {
    let large = "x".repeat(3_000_000);
    let world = Embedded::new(Policy::ByHand, &[("a", "1\n"), ("large", &large)]);
    let head = world.commit(&world.branch("main").unwrap(), &[("a", Some("2\n"))]);
    let opened = world.forge.open(&open_request(&world, &head)).unwrap();
    with_server(&world, |estate, url| {
        estate.git(&["clone", "-q", url, "work"]);
        assert_eq!(std::fs::read_to_string(estate.path("work/large")).unwrap(), large);
        estate.git(&["-C", "work", "checkout", "-q", &opened.branch]);
        // So much that git sends it in chunks.
        let noise: Vec<u8> =
            (0..400_000_u64).flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).collect();
        std::fs::write(estate.path("work/a"), noise).unwrap();
        estate.git(&["-C", "work", "commit", "-qam", "mine"]);
        let refused = estate.try_git(&["-C", "work", "push", "-q"], b"");
        assert!(!refused.status.success());
        assert_eq!(world.forge.find(&opened.repository, &Which::Number(1)).unwrap().unwrap(), opened);
        estate.git(&["-C", "work", "-c", SIGNED_IN, "push", "-q"]);
        let seen = world.forge.find(&opened.repository, &Which::Number(1)).unwrap().unwrap();
        assert_eq!(seen.head, estate.git(&["-C", "work", "rev-parse", "HEAD"]));
        assert!(world.forge.approve(&opened.at(), "ada").is_err(), "the head has moved");
        // Forced, too.
        estate.git(&["-C", "work", "reset", "-q", "--hard", "origin/main"]);
        estate.git(&["-C", "work", "-c", SIGNED_IN, "push", "-qf", "origin", &format!("HEAD:{}", opened.branch)]);
        let seen = world.forge.find(&opened.repository, &Which::Number(1)).unwrap().unwrap();
        assert_eq!(Some(seen.head), world.branch("main"));
    });
}

#[test]
fn no_hook_of_a_repository_is_run() {
    let world = Embedded::new(Policy::ByHand, &[("a", "1\n")]);
    let canary = tempfile::tempdir().unwrap();
    let hosted = world.forge.repository(&world.repository()).unwrap();
    let hooks = hosted.folder().join("hooks");
    std::fs::create_dir_all(&hooks).unwrap();
    for hook in [
        "pre-receive",
        "update",
        "post-receive",
        "post-update",
        "reference-transaction",
        "proc-receive",
        "push-to-checkout",
    ] {
        let path = hooks.join(hook);
        std::fs::write(&path, format!("#!/bin/sh\ntouch {}/{hook}\n", canary.path().display())).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    with_server(&world, |estate, url| {
        estate.git(&["clone", "-q", url, "work"]);
        std::fs::write(estate.path("work/a"), "2\n").unwrap();
        estate.git(&["-C", "work", "commit", "-qam", "mine"]);
        estate.git(&["-C", "work", "-c", SIGNED_IN, "push", "-q"]);
        assert_eq!(world.read("main", "a").as_deref(), Some("2\n"));
    });
    assert!(files_below(canary.path()).is_empty());
}

#[test]
fn nothing_else_is_served() {
    let world = Embedded::new(Policy::ByHand, &[("a", "1\n")]);
    let name = world.repository();
    let cases = [
        ("GET", format!("/{name}.git/config"), "", 404),
        ("GET", format!("/{name}.git/HEAD"), "", 404),
        ("GET", "/../forge.db".to_owned(), "", 404),
        ("GET", "/none.git/info/refs".to_owned(), "service=git-upload-pack", 404),
        ("GET", format!("/{name}.git/info/refs"), "service=git-receive-pack", 403),
        ("GET", format!("/{name}.git/info/refs"), "service=git-upload-pack", 200),
    ];
    for (method, path, query, status) in cases {
        let request =
            Request { method: method.to_owned(), path: path.clone(), query: query.to_owned(), ..Request::default() };
        assert_eq!(world.forge.serve(&request).unwrap().status, status, "{path}");
    }
    let split = Request {
        method: "GET".to_owned(),
        path: format!("/{name}.git/info/refs"),
        query: "service=git-upload-pack".to_owned(),
        git_protocol: "version=2\nX".to_owned(),
        ..Request::default()
    };
    assert_eq!(world.forge.serve(&split).unwrap().status, 400);
}
