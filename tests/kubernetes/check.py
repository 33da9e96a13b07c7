"""Checks manifests and prints their documents as a list in JSON, each with the name of its file.

Kubernetes' own kinds are checked against its published schemas, where no field is allowed that they do not name; KEDA's
and kustomize's against schemas.yaml.
"""
import json
import pathlib
import sys

import jsonschema
import kubernetes_validate
import yaml

# The oldest and the newest version that the manifests are for.
VERSIONS = ("1.29", "1.37")


def errors_of_kubernetes(document):
    try:
        for version in VERSIONS:
            kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        yield error.message


def errors(document, schemas):
    kind = document.get("kind")
    if kind is None or "apiVersion" not in document:
        yield "kind or apiVersion is missing"
        return
    if kind not in schemas:
        yield from errors_of_kubernetes(document)
        return
    schema = {**schemas[kind], "$defs": schemas["$defs"]}
    for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
        yield f"{error.json_path}: {error.message}"
    if kind == "ScaledJob":
        job = {"apiVersion": "batch/v1", "kind": "Job", "spec": document.get("spec", {}).get("jobTargetRef")}
        yield from (f"spec.jobTargetRef as a Job: {error}" for error in errors_of_kubernetes(job))


def main(files):
    schemas = yaml.safe_load(pathlib.Path(__file__).with_name("schemas.yaml").read_text())
    found, documents = [], []
    for file in map(pathlib.Path, files):
        for document in yaml.safe_load_all(file.read_text()):
            found += [f"{file.name}: {error}" for error in errors(document, schemas)]
            documents.append({"file": file.name, "document": document})
    if found:
        sys.exit("\n".join(found))
    json.dump(documents, sys.stdout)


main(sys.argv[1:])
