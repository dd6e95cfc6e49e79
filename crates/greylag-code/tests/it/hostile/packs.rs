//! Packs that are small, and are made to take all memory, room or time of whoever unpacks them.
//!
//! A delta copies any part of its base any number of times, and its base may be a delta again, so a few kilobytes can stand for
//! more bytes than there are. Nobody's git writes such packs: these are made by hand.

use super::Arena;
use crate::estate::{Estate, files_below};
use greylag_code::git::{Git, Limits, Remote, Repository, Safety, Wanted};
use greylag_model::code::repository as code;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Bytes of the object that is written out.
const BASE: usize = 60_000;
/// Most that one instruction of a delta copies.
const COPY: usize = 0xff_ffff;

/// A pack while it is written.
struct Pack {
    bytes: Vec<u8>,
    objects: u32,
    /// Where the last object is.
    last: usize,
}

impl Pack {
    fn new() -> Self {
        let mut pack = Self { bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), objects: 0, last: 0 };
        pack.object(3, None, &vec![b'x'; BASE]);
        pack
    }

    /// Adds an object: 3 is a blob, 6 a delta of the object so many bytes before.
    fn object(&mut self, kind: u8, before: Option<usize>, content: &[u8]) {
        self.last = self.bytes.len();
        self.objects += 1;
        let (mut byte, mut rest) = ((kind << 4) | (content.len() & 15) as u8, content.len() >> 4);
        while rest > 0 {
            self.bytes.push(byte | 0x80);
            (byte, rest) = ((rest & 0x7f) as u8, rest >> 7);
        }
        self.bytes.push(byte);
        if let Some(mut before) = before {
            let mut digits = vec![(before & 0x7f) as u8];
            while before > 0x7f {
                before = (before >> 7) - 1;
                digits.push(0x80 | (before & 0x7f) as u8);
            }
            self.bytes.extend(digits.iter().rev());
        }
        self.bytes.extend(stored(content));
    }

    /// Adds a delta of the object at a place, which is `times` its base of `size` bytes; answers its size.
    fn times(&mut self, of: usize, size: usize, times: usize, mark: u32) -> usize {
        let result = size * times + 4;
        let mut delta = [varint(size), varint(result)].concat();
        for _ in 0..times {
            let mut at = 0;
            while at < size {
                let length = (size - at).min(COPY);
                delta.push(0xff);
                delta.extend((at as u32).to_le_bytes());
                delta.extend(&(length as u32).to_le_bytes()[..3]);
                at += length;
            }
        }
        // What makes it another object than the next one of its size.
        delta.push(4);
        delta.extend(mark.to_le_bytes());
        let before = self.bytes.len() - of;
        self.object(6, Some(before), &delta);
        result
    }

    fn done(mut self) -> Vec<u8> {
        self.bytes[8..12].copy_from_slice(&self.objects.to_be_bytes());
        let digest = sha1(&self.bytes);
        self.bytes.extend(digest);
        self.bytes
    }
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(0x80 | (number & 0x7f) as u8);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// Blocks of zlib that are not compressed.
fn stored(content: &[u8]) -> Vec<u8> {
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in content {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    let mut all = vec![0x78, 0x01];
    let mut blocks = content.chunks(65_535).peekable();
    while let Some(block) = blocks.next() {
        all.push(u8::from(blocks.peek().is_none()));
        let length = block.len() as u16;
        all.extend(length.to_le_bytes());
        all.extend((!length).to_le_bytes());
        all.extend_from_slice(block);
    }
    all.extend(((high << 16) | low).to_be_bytes());
    all
}

#[expect(clippy::disallowed_methods, reason = "a digest for the pack's end, by the system's program")]
fn sha1(bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("sha1sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let told = child.wait_with_output().unwrap().stdout;
    (0..20).map(|at| u8::from_str_radix(std::str::from_utf8(&told[2 * at..2 * at + 2]).unwrap(), 16).unwrap()).collect()
}

/// 60 kB, 6 MB, 600 MB, 60 GB: each is a hundred times the one before.
fn deep() -> Vec<u8> {
    let mut pack = Pack::new();
    let mut size = BASE;
    for mark in 0..3 {
        size = pack.times(pack.last, size, 100, mark);
    }
    pack.done()
}

/// Objects of 24 MB each, ten thousand of them: none is too large, all together are 240 GB.
fn wide() -> Vec<u8> {
    let mut pack = Pack::new();
    let size = pack.times(pack.last, BASE, 400, 0);
    let of = pack.last;
    for mark in 1..10_000 {
        pack.times(of, size, 1, mark);
    }
    pack.done()
}

/// A pack that is no bomb, to see that what is made by hand is read.
fn honest() -> Vec<u8> {
    let mut pack = Pack::new();
    pack.times(pack.last, BASE, 3, 0);
    pack.done()
}

/// Serves a pack to whoever fetches, for so many requests.
fn served(pack: Vec<u8>) -> (Remote, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let remote = Remote::parse(&format!("http://{}/a.git", listener.local_addr().unwrap())).unwrap();
    let line = |text: &str| format!("{:04x}{text}", text.len() + 4);
    let branch = format!("{} refs/heads/main\0no-progress agent=git/2.40\n", "12".repeat(20));
    let told = format!("{}0000{}0000", line("# service=git-upload-pack\n"), line(&branch));
    let answers = [("advertisement", told.into_bytes()), ("result", [b"0008NAK\n".as_slice(), &pack].concat())];
    let server = std::thread::spawn(move || {
        for (kind, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 16 << 10];
            let _ = stream.read(&mut head).unwrap();
            let length = body.len();
            let head = format!(
                "HTTP/1.1 200 x\r\nContent-Type: application/x-git-upload-pack-{kind}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
            );
            // Who has enough of it hangs up.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    (remote, server)
}

/// Fetches a pack; answers the error.
fn fetched(pack: Vec<u8>, limits: Limits) -> greylag_driver::error::DriverError {
    let estate = Estate::new();
    let ours = Repository::make(Git::default().limited(limits), estate.path("ours.git"), Safety::Cache).unwrap();
    let (remote, server) = served(pack);
    let error = ours.fetch(&remote, &Wanted { branches: vec!["main".to_owned()], depth: None }).unwrap_err();
    server.join().unwrap();
    // What is left of it is not more than was sent.
    let left: u64 = files_below(&estate.path("ours.git")).iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(left < 8 << 20, "{left}");
    assert_eq!(super::processes_of(&estate), Vec::<String>::new());
    error
}

#[test]
fn a_small_pack_that_becomes_huge_is_refused() {
    let pack = deep();
    assert!(pack.len() < 300_000, "{}", pack.len());
    // Address space is what the kernel gives: no process of git had more than this.
    let limits = Limits { memory_bytes: 1 << 30, time: Duration::from_mins(1), ..Limits::default() };
    let error = fetched(pack, limits.clone());
    assert_eq!(error.code, code::GIT_LIMIT, "{error}");
    // The same way with an honest pack ends otherwise: it is read, and lacks the commit that was promised.
    let error = fetched(honest(), limits);
    assert_eq!(error.code, code::GIT_FAILED, "{error}");
    assert!(!error.message.contains("corrupt") && !error.message.contains("mismatch"), "{error}");
}

#[test]
fn a_small_pack_that_takes_for_ever_is_ended() {
    let pack = wide();
    assert!(pack.len() < 1 << 20, "{}", pack.len());
    let began = Instant::now();
    let limits = Limits { memory_bytes: 1 << 30, time: Duration::from_secs(2), ..Limits::default() };
    let error = fetched(pack, limits);
    assert_eq!(error.code, code::GIT_LIMIT, "{error}");
    assert!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
}

#[test]
fn nor_is_it_taken_from_whoever_pushes_it() {
    use greylag_code::forge::embedded::Request;
    use greylag_driver::forge::Policy;
    let arena = Arena::new();
    let limits = Limits { memory_bytes: 1 << 30, time: Duration::from_mins(1), ..Limits::default() };
    let forge = crate::forge::open_forge_with(arena.estate.folder.path(), Git::default().limited(limits));
    let hosted = forge.host("victim", Policy::ByHand).unwrap();
    let command = format!("{} {} refs/heads/main\0report-status\n", "0".repeat(40), "12".repeat(20));
    let body = [format!("{:04x}{command}0000", command.len() + 4).into_bytes(), deep()].concat();
    let request = Request {
        method: "POST".to_owned(),
        path: "/victim.git/git-receive-pack".to_owned(),
        content_type: "application/x-git-receive-pack-request".to_owned(),
        user: Some("ada".to_owned()),
        body,
        ..Request::default()
    };
    let said = String::from_utf8_lossy(&forge.serve(&request).unwrap().body).into_owned();
    assert!(said.contains("unpack ") && !said.contains("unpack ok"), "{said}");
    assert!(hosted.branches().unwrap().is_empty());
    assert_eq!(super::processes_of(&arena.estate), Vec::<String>::new());
}
