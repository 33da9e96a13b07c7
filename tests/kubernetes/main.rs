//! The manifests of `deploy/kubernetes`: against the published schemas, against the program, and what KEDA starts by them.

mod keda;
mod manifests;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use optlab::worker::LONGEST_STOP;
use serde_json::{Value, json};
use support::OPTLAB;
use tempfile::TempDir;

use manifests::{check, manifest, manifests, misspelt, pods};

/// The texts of a list.
fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn every_manifest_satisfies_the_published_schemas_and_is_listed() {
    let files: BTreeSet<String> = manifests().iter().map(|manifest| manifest.file.clone()).collect();
    let kustomization = manifest("Kustomization", "");
    let listed = texts(&kustomization["resources"]).into_iter();
    let expected = listed.chain(["kustomization.yaml", "admin.yaml"]).map(str::to_owned).collect();
    assert_eq!(files, expected);
}

#[test]
fn a_misspelt_field_is_reported() {
    let folder = TempDir::new().unwrap();
    let mut files = Vec::new();
    let mut fields = Vec::new();
    for manifest in manifests() {
        for (path, changed) in misspelt(&manifest.document) {
            let file = folder.path().join(format!("{}.json", files.len()));
            fs::write(&file, changed.to_string()).unwrap();
            files.push(file);
            fields.push(format!("{}: {path}", manifest.file));
        }
    }
    assert!(files.len() > 200, "{}", files.len());
    let errors = check(&files).err().expect("nothing is reported");
    let reported: BTreeSet<&str> =
        errors.lines().filter_map(|line| line.split_once(".json: ")).map(|(file, _)| file).collect();
    let accepted =
        fields.iter().enumerate().filter(|(number, _)| !reported.contains(number.to_string().as_str()));
    assert_eq!(accepted.map(|(_, field)| field).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn no_pod_may_do_more_than_it_needs() {
    let pods = pods();
    assert_eq!(pods.len(), 4);
    for (name, pod) in pods {
        assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
        assert_eq!(pod["enableServiceLinks"], false, "{name}");
        let user = &pod["securityContext"];
        assert_eq!((&user["runAsNonRoot"], &user["runAsUser"]), (&json!(true), &json!(1000)), "{name}");
        assert_eq!(user["seccompProfile"]["type"], "RuntimeDefault", "{name}");
        for container in pod["containers"].as_array().unwrap() {
            let expected = json!({
                "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] },
            });
            assert_eq!(container["securityContext"], expected, "{name}");
            assert!(container["resources"]["limits"]["memory"].is_string(), "{name}");
            // The same settings everywhere.
            let settings =
                json!([{ "configMapRef": { "name": "optlab" } }, { "secretRef": { "name": "optlab" } }]);
            assert_eq!(container["envFrom"], settings, "{name}");
        }
    }
}

#[test]
fn the_images_have_the_user_of_the_pods() {
    let dockerfile = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Dockerfile")).unwrap();
    assert!(dockerfile.lines().any(|line| line == "USER 1000"), "runAsNonRoot requires a number");
    let kustomization = manifest("Kustomization", "");
    let image = &kustomization["images"][0];
    assert_eq!(image["name"], "optlab");
    for (name, pod) in pods() {
        let tag = if name.ends_with("cuda") { "cuda" } else { "cpu" };
        // The pod for administration is no part of the kustomization.
        let place = if name.ends_with("admin") { image["newName"].as_str().unwrap() } else { "optlab" };
        assert_eq!(pod["containers"][0]["image"], format!("{place}:{tag}"), "{name}");
    }
}

#[test]
fn a_worker_has_time_to_drain_and_is_never_started_again() {
    for device in ["cpu", "cuda"] {
        let spec = &manifest("ScaledJob", device)["spec"];
        assert_eq!(
            spec["scalingStrategy"]["strategy"], "default",
            "the only one that {} fits",
            spec["triggers"][0]["metadata"]["query"]
        );
        assert_eq!(spec["rollout"]["strategy"], "gradual", "a change of the manifest kills no worker");
        assert_eq!(spec["jobTargetRef"]["backoffLimit"], 0);
        let pod = &spec["jobTargetRef"]["template"]["spec"];
        assert_eq!(pod["restartPolicy"], "Never");
        let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
        assert!(grace >= 2 * LONGEST_STOP.as_secs(), "{grace}");
    }
}

#[test]
fn the_program_accepts_the_arguments_and_the_trigger_counts_their_slots() {
    for (name, pod) in pods() {
        let container = &pod["containers"][0];
        let [program, args @ ..] = &texts(&container["args"])[..] else { panic!("{name} has no program") };
        if *program == "sleep" {
            continue;
        }
        assert_eq!(*program, "optlab", "{name}");
        let mut command = Command::new(OPTLAB);
        command.args(args).args(["--database-url", "nowhere:"]).env("OPTLAB_LISTEN", "127.0.0.1:0");
        let done = command.output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(said.contains("nowhere"), "{name}: {said}");
        assert!(!said.contains("unexpected argument") && !said.contains("--device"), "{name}: {said}");
    }
    for device in ["cpu", "cuda"] {
        let spec = &manifest("ScaledJob", device)["spec"];
        let args = &spec["jobTargetRef"]["template"]["spec"]["containers"][0]["args"];
        let args = texts(args);
        let slots = args.iter().position(|arg| *arg == "--slots-per-device").map(|flag| args[flag + 1]);
        assert_eq!(spec["triggers"][0]["metadata"]["targetQueryValue"].as_str(), slots, "{device}");
    }
}
