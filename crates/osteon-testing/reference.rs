//! Build script of every package whose tests compare to the reference collection: sets `cfg(reference)` where the collection
//! lies beside the checkout, so that tests which need it count as ignored elsewhere, not as passed.
//!
//! A collection that appears later is seen after `touch crates/osteon-testing/reference.rs`.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo::rustc-check-cfg=cfg(reference)");
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap());
    let top = if package.join("Cargo.lock").exists() { package } else { package.join("../..") };
    println!("cargo::rerun-if-changed={}", top.join("crates/osteon-testing/reference.rs").display());
    let collection = top.join("../shared/reference/radiomics/README.md");
    // Named only where it is there: a missing file would run this script, and build its package, at every call.
    if collection.exists() {
        println!("cargo::rerun-if-changed={}", collection.display());
        println!("cargo::rustc-cfg=reference");
    }
}
