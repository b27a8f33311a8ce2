//! Compares the table of JSON outputs in docs/command-line.md with the commands' output.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use tempfile::tempdir;

use super::support::program::{json, printed, run, text};
use super::{quoted, rows, section, set};

/// The documented fields of the row with this first cell.
fn said(name: &str) -> BTreeSet<String> {
    let rows = rows(&section("docs/command-line.md", "## JSON output"));
    let row = rows.iter().find(|row| row[0] == name);
    set(quoted(&row.unwrap_or_else(|| panic!("no {name}"))[1]))
}

fn keys(value: &Value) -> BTreeSet<String> {
    set(value
        .as_object()
        .unwrap_or_else(|| panic!("{value}"))
        .keys())
}

#[test]
fn every_field_that_a_command_prints_is_documented_and_exists() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("shard")).unwrap();
    fs::copy(
        super::support::sample_path("coffee.png"),
        folder.path().join("shard/a.png"),
    )
    .unwrap();
    let print = |arguments: &str| json(&run(&folder, &format!("{arguments} --json")));
    const MODEL: &str = "--model TINY --size 64 --square";
    let picture = "SAMPLES/coffee.png";

    let rebuilt = said("`reconstruct`");
    assert_eq!(
        keys(&print(&format!("reconstruct {picture} a.png {MODEL}"))),
        rebuilt
    );
    let mut encoded = said("`encode`");
    encoded.extend(rebuilt);
    assert_eq!(
        keys(&print(&format!("encode {picture} a.tokens {MODEL}"))),
        encoded
    );
    assert_eq!(
        keys(&print("decode a.tokens b.png --model TINY")),
        said("`decode`")
    );
    let shards = print(&format!("encode shard --out-dir tokens {MODEL}"));
    let mut printed_shards = keys(&shards);
    printed_shards.extend(keys(&shards["shards"][0]));
    assert_eq!(printed_shards, said("`encode --out-dir`"));

    let report = print(&format!("eval {picture} {MODEL}"));
    assert_eq!(keys(&report), said("`eval`"));
    assert_eq!(keys(&report["images"][0]), said("`eval` `images`"));
    let report = print(&format!("eval {picture} {MODEL} --codecs"));
    let mut codecs: BTreeSet<_> = keys(&report).difference(&said("`eval`")).cloned().collect();
    codecs.extend(keys(&report["images"][0]["jpeg"]));
    // Fields that only exist for a single picture.
    let once = keys(&report["images"][0]["webp"]);
    assert_eq!(
        once.difference(&keys(&report["webp"])).collect::<Vec<_>>(),
        ["quality"]
    );
    codecs.insert("images".into());
    assert_eq!(codecs, said("`eval --codecs`"));

    assert_eq!(keys(&print("inspect TINY")), said("`inspect`"));
    assert_eq!(
        keys(&print("convert TINY b.safetensors --dtype int8")),
        said("`convert`")
    );
    let bytes = said("`interpolate`, `init`");
    assert_eq!(keys(&print("init vqvae-tiny c.safetensors")), bytes);
    assert_eq!(
        keys(&print("interpolate TINY TINY --out d.safetensors")),
        bytes
    );

    let tuned = print(&format!(
        "tune {picture} {MODEL} --steps 1 --out e.safetensors --held-out {picture}"
    ));
    assert_eq!(keys(&tuned), said("`tune`"));
    assert_eq!(keys(&tuned["held_out"]), said("`tune` `held_out`"));

    let output = run(&folder, "inspect absent --json");
    assert_eq!(output.status.code(), Some(1));
    let error: Value = serde_json::from_str(text(&output.stdout)).unwrap();
    assert_eq!(keys(&error), said("an error"));

    let ship = "ship f.safetensors --models models --notes notes.md --judge SAMPLES/coffee.png --judged-on a --trained-on b";
    fs::create_dir(folder.path().join("models")).unwrap();
    fs::write(folder.path().join("notes.md"), "Notes.\n").unwrap();
    printed(&run(&folder, "convert TINY f.safetensors --name f"));
    assert_eq!(keys(&print(ship)), said("`ship`"));
}
