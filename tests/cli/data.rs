//! Recipes and data sets.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::support::OPTLAB;
use super::{optlab, out};

#[test]
fn recipes_and_data_are_listed() {
    let folder = TempDir::new().unwrap();
    let list = optlab(&folder, &["recipes", "--json"]);
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!(list[0]["name"], "digits-few");
    let shown = optlab(&folder, &["recipes", "show", "mnist-mlp"]);
    assert!(out(&shown).contains("name = \"mnist-mlp\""));
    assert!(out(&optlab(&folder, &["data", "list"])).contains("digits"));
    let verified = optlab(&folder, &["data", "verify", "digits"]);
    assert!(out(&verified).contains("digits: complete and official"), "{verified:?}");
}

#[test]
fn an_altered_data_file_is_named() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("mnist")).unwrap();
    for name in ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"] {
        fs::write(folder.path().join(format!("mnist/{name}-ubyte.gz")), b"short").unwrap();
    }
    let output = Command::new(OPTLAB)
        .args(["data", "verify", "mnist"])
        .env("OPTLAB_DATA_DIR", folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("train-images-idx3-ubyte.gz is truncated or altered"), "{}", out(&output));
    let list =
        Command::new(OPTLAB).args(["data", "list"]).env("OPTLAB_DATA_DIR", folder.path()).output().unwrap();
    assert!(out(&list).contains("truncated or altered: "), "{}", out(&list));
}
