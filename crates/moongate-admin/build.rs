//! Makes the console part of the program again when another one was built.
//!
//! A release build takes in the files that are in `console/dist` when this crate is compiled. The build of the console touches
//! its lock file, so that cargo notices also where there was no `dist` before.

fn main() {
    println!("cargo::rerun-if-changed=console/package-lock.json");
    if std::path::Path::new("console/dist").is_dir() {
        println!("cargo::rerun-if-changed=console/dist");
    }
}
