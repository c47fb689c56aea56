//! Notes the commit that the core is built from, so that figures can be told apart.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Changes with every commit, also in a linked work tree.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_default();
    println!("cargo:rustc-env=COLLOQUE_COMMIT={commit}");
}

/// What git answers in one line; `None` outside of a repository or without git.
fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
