//! What the README tells each of its readers to type works when it is pasted.

use std::path::Path;

/// The lines of the blocks below "Three ways in", one list a block.
fn blocks() -> Vec<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let own = readme.split("## Three ways in").nth(1).unwrap().split("\n## ").next().unwrap();
    let block = |text: &str| text.split("```").next().unwrap().trim().lines().map(str::to_owned).collect();
    own.split("```sh\n").skip(1).map(block).collect()
}

#[test]
fn each_reader_s_ten_lines_work_when_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = osteon_testing::fixture("cohort.csv").parent().unwrap().to_owned();
    std::os::unix::fs::symlink(fixtures, folder.path().join("fixtures")).unwrap();
    std::fs::create_dir(folder.path().join("bin")).unwrap();
    let program = env!("CARGO_BIN_EXE_osteon");
    std::os::unix::fs::symlink(program, folder.path().join("bin/osteon")).unwrap();
    let paths = format!("{}:{}", folder.path().join("bin").display(), std::env::var("PATH").unwrap());
    let blocks = blocks();
    assert_eq!(blocks.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 10]);
    for line in blocks.concat() {
        let output = std::process::Command::new("sh")
            .args(["-c", &line])
            .current_dir(folder.path())
            .env("PATH", &paths)
            .env_remove("OSTEON_STUDY")
            .env_remove("OSTEON_BLIND")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {said}");
    }
    for file in ["study-locked.db", "features.csv", "ring.csv", "mr.toml", "clinical.csv"] {
        let size = std::fs::metadata(folder.path().join(file)).map(|found| found.len());
        assert!(size.is_ok_and(|size| size > 50), "{file}");
    }
}
