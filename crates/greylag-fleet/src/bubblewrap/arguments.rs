//! What `bwrap` is told: the whole world of one job.

use greylag_driver::sandbox::Job;
use std::ffi::OsString;
use std::path::Path;

/// Number of the pipe on which `bwrap` tells of its child.
pub(super) const INFO: i32 = 3;
/// Number of the pipe on which it waits.
pub(super) const BLOCK: i32 = 4;

/// Folders of programs; on most systems all but the first are links into it.
const SYSTEM: [&str; 6] = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32"];
/// What programs need to find their libraries, time zones and names for types of files.
const SETTINGS: [&str; 6] = [
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
];
/// What they need besides to speak with others.
const NETWORK: [&str; 6] =
    ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl", "/etc/pki", "/etc/ca-certificates"];
/// Bytes of shared memory by name (`/dev/shm`).
const SHARED_BYTES: u64 = 16 << 20;

/// The arguments for one job.
pub(super) fn of(job: &Job) -> Vec<OsString> {
    let mut arguments = Arguments(Vec::new());
    // `--unshare-all` would go on without a user namespace; the second one would not.
    arguments.add(["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]);
    arguments.add(["--cap-drop", "ALL", "--hostname", "sandbox", "--clearenv"]);
    if job.network {
        arguments.add(["--share-net"]);
    }
    for (name, value) in
        [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/tmp"), ("TMPDIR", "/tmp"), ("LANG", "C.UTF-8")]
    {
        arguments.add(["--setenv", name, value]);
    }
    for (name, value) in &job.environment {
        arguments.add(["--setenv", name, value]);
    }
    arguments.add(["--info-fd", &INFO.to_string(), "--block-fd", &BLOCK.to_string()]);
    for folder in SYSTEM {
        arguments.system(folder);
    }
    let network: &[&str] = if job.network { &NETWORK } else { &[] };
    for file in SETTINGS.iter().chain(network) {
        arguments.add(["--ro-bind-try", file, file]);
    }
    arguments.add(["--proc", "/proc", "--dev", "/dev"]);
    arguments.add(["--size", &SHARED_BYTES.to_string(), "--tmpfs", "/dev/shm"]);
    arguments.add(["--size", &job.limits.disk_bytes.max(4096).to_string(), "--tmpfs", "/tmp"]);
    for folder in &job.folders {
        arguments.add([if folder.writable { "--bind" } else { "--ro-bind" }]);
        arguments.0.extend([folder.path.clone().into_os_string(), folder.at.clone().into_os_string()]);
    }
    // `/proc/sys` sets how the kernel works, and belongs to root, which the job is if Greylag is.
    arguments.add(["--remount-ro", "/proc"]);
    // Both are writable file systems in memory, without a limit on their size.
    arguments.add(["--remount-ro", "/dev", "--remount-ro", "/", "--chdir"]);
    arguments.0.push(job.directory.clone().into_os_string());
    arguments.add(["--"]);
    arguments.0.extend(job.argv.iter().map(OsString::from));
    arguments.0
}

struct Arguments(Vec<OsString>);

impl Arguments {
    fn add<const N: usize>(&mut self, arguments: [&str; N]) {
        self.0.extend(arguments.map(OsString::from));
    }

    /// A folder of the system as it is: itself, or a link.
    fn system(&mut self, folder: &str) {
        match std::fs::read_link(Path::new(folder)) {
            Ok(link) => {
                self.add(["--symlink"]);
                self.0.extend([link.into_os_string(), OsString::from(folder)]);
            }
            Err(_) => self.add(["--ro-bind-try", folder, folder]),
        }
    }
}
