//! Tools that the gates need, installed below `target/` so that nothing else on the machine changes.

use crate::workspace::{Workspace, output, run};
use std::fs;

/// Installs a cargo tool into `target/tools`.
pub(crate) fn cargo_install(workspace: &Workspace, package: &str, version: &str) -> Result<(), String> {
    let root = workspace.target.join("tools");
    let root = root.to_string_lossy();
    println!("        installing {package} {version} below target/tools (once)");
    // Not optimised: it builds in a third of the time, and none of these tools works for long.
    let arguments = ["install", package, "--locked", "--debug", "--quiet", "--version", version, "--root", &root];
    // The workspace's own target directory would be locked, and its profile is not the tool's.
    let mut command = workspace.cargo(&arguments);
    command.env("CARGO_TARGET_DIR", workspace.target.join("tools/build"));
    run(&mut command).map_err(|error| {
        format!("{error}\n  hint: install it yourself with `cargo install {package} --locked --version {version}`")
    })
}

/// Installs Python packages into `target/venv`, which is made if it is not there.
pub(crate) fn pip_install(workspace: &Workspace, packages: &[&str]) -> Result<(), String> {
    let venv = workspace.target.join("venv");
    // What was installed is noted, so that nothing is asked of the network when nothing changed.
    let note = venv.join(format!("{}.installed", packages.join("+")));
    if note.exists() {
        return Ok(());
    }
    println!("        installing {} below target/venv (once)", packages.join(", "));
    let path = venv.to_string_lossy();
    if !venv.join("bin/pip").exists() {
        output(&mut workspace.command("python3", &["-m", "venv", &path])).map_err(|error| {
            format!("{error}\n  hint: install Python 3 with venv, e.g. `apt-get install python3-venv`")
        })?;
    }
    let mut arguments = vec!["install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
    arguments.extend(packages);
    output(&mut workspace.command(venv.join("bin/pip"), &arguments))
        .map_err(|error| format!("{error}\n  hint: make `{path}/bin/pip install {}` work", packages.join(" ")))?;
    fs::write(&note, "").map_err(|error| format!("cannot write `{}`: {error}", note.display()))
}

/// Installs a Debian package if a program that it brings is not there.
pub(crate) fn apt_install(workspace: &Workspace, program: &str, package: &str) -> Result<(), String> {
    if output(&mut workspace.command(program, &["--version"])).is_ok() {
        return Ok(());
    }
    println!("        installing {package} (once)");
    run(&mut workspace.command("apt-get", &["install", "-y", "-qq", package]))
        .map_err(|error| format!("{error}\n  hint: install it with `apt-get install {package}`, as root"))
}
