//! No circle of imports between neighbouring modules, in any crate: no child of a module needs itself through its
//! siblings. A module and its own children may need each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::slice;

/// The path of a module as names; empty for the root of its crate.
type Place = Vec<String>;

/// The modules of a crate, each with its code.
struct Crate(BTreeMap<Place, Code>);

struct Code {
    /// Imports by `use`: the local name, and the path as it is written.
    imports: Vec<(String, Place)>,
    /// The other code, without comments and tests.
    text: String,
    /// Test modules, which are in their own files.
    tests: Vec<String>,
}

impl Crate {
    fn read(src: &Path) -> Self {
        let mut modules = BTreeMap::new();
        read_folder(src, &[], &mut modules);
        let tests: Vec<Place> = modules
            .iter()
            .flat_map(|(place, code)| {
                code.tests.iter().map(|name| [place.as_slice(), slice::from_ref(name)].concat())
            })
            .collect();
        modules.retain(|place, _| !tests.iter().any(|test| place.starts_with(test)));
        Self(modules)
    }

    /// The modules that the module at `place` names.
    fn needs(&self, place: &Place) -> BTreeSet<Place> {
        let code = &self.0[place];
        let is_used = |name: &str| words(&code.text).any(|path| path[0] == name);
        let imported = code.imports.iter().filter(|(name, _)| is_used(name)).map(|(_, path)| path.clone());
        // `name::Item`, where `name` is an imported module, needs the module that defines `Item`.
        let qualified = words(&code.text).filter(|path| path.len() > 1).map(|path| {
            match code.imports.iter().find(|(name, _)| *name == path[0]) {
                Some((_, imported)) => imported.iter().chain(&path[1..]).cloned().collect(),
                None => path,
            }
        });
        imported.chain(qualified).filter_map(|path| self.module_of(place, &path, 0)).collect()
    }

    /// The module that defines what `path` names in the module at `place`; `None` for other crates.
    fn module_of(&self, place: &[String], path: &[String], depth: usize) -> Option<Place> {
        let absolute = match path[0].as_str() {
            "crate" => path[1..].to_vec(),
            "self" => [place, &path[1..]].concat(),
            "super" => {
                let above = path.iter().take_while(|name| *name == "super").count();
                [&place[..place.len().checked_sub(above)?], &path[above..]].concat()
            }
            child if self.0.contains_key(&[place, &[child.to_owned()]].concat()) => [place, path].concat(),
            _ => return None,
        };
        let known = (0..=absolute.len()).rev().find(|&length| self.0.contains_key(&absolute[..length]))?;
        let (module, rest) = absolute.split_at(known);
        let reexported = rest.first().and_then(|item| {
            let (_, path) = self.0[module].imports.iter().find(|(name, _)| name == item)?;
            // Names of other crates, and circular names, end here.
            if depth < 8 { self.module_of(module, path, depth + 1) } else { None }
        });
        Some(reexported.unwrap_or(module.to_vec()))
    }

    /// A circle between the children of one module, if there is any.
    fn circle(&self) -> Option<Vec<Place>> {
        let mut neighbours = BTreeMap::<Place, BTreeSet<Place>>::new();
        for place in self.0.keys() {
            for needed in self.needs(place) {
                let shared = place.iter().zip(&needed).take_while(|(a, b)| a == b).count();
                if shared < place.len() && shared < needed.len() {
                    let to = needed[..=shared].to_vec();
                    neighbours.entry(place[..=shared].to_vec()).or_default().insert(to);
                }
            }
        }
        let mut done = BTreeSet::new();
        neighbours.keys().find_map(|start| circle(start, &neighbours, &mut Vec::new(), &mut done))
    }
}

/// The first circle that can be reached from `place`.
fn circle(
    place: &Place,
    neighbours: &BTreeMap<Place, BTreeSet<Place>>,
    way: &mut Vec<Place>,
    done: &mut BTreeSet<Place>,
) -> Option<Vec<Place>> {
    if let Some(start) = way.iter().position(|passed| passed == place) {
        return Some(way[start..].to_vec());
    }
    if !done.contains(place) {
        way.push(place.clone());
        let next = neighbours.get(place).into_iter().flatten();
        if let Some(found) = next.into_iter().find_map(|next| circle(next, neighbours, way, done)) {
            return Some(found);
        }
        way.pop();
        done.insert(place.clone());
    }
    None
}

fn read_folder(folder: &Path, place: &[String], modules: &mut BTreeMap<Place, Code>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            read_folder(&path, &[place, &[name]].concat(), modules);
        } else if path.extension().is_some_and(|ending| ending == "rs") && name != "main" {
            let is_parent = ["mod", "lib"].contains(&name.as_str());
            let place = if is_parent { place.to_vec() } else { [place, &[name]].concat() };
            modules.insert(place, code(&fs::read_to_string(&path).unwrap()));
        }
    }
}

fn code(text: &str) -> Code {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let tests =
        text.split("#[cfg(test)]\nmod ").skip(1).map(|rest| rest.split(';').next().unwrap().to_owned());
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let (mut imports, mut rest) = (Vec::new(), String::new());
    let mut lines = lines.peekable();
    while let Some(line) = lines.next() {
        let Some((_, tree)) = line.split_once("use ").filter(|(before, _)| is_visibility(before)) else {
            rest.extend([line, "\n"]);
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.contains(';') {
            tree.push_str(lines.next().unwrap());
        }
        expand(tree.split(';').next().unwrap(), &[], &mut imports);
    }
    Code { imports, text: rest, tests: tests.collect() }
}

fn is_visibility(before: &str) -> bool {
    let before = before.trim();
    before.is_empty() || before == "pub" || (before.starts_with("pub(") && before.ends_with(')'))
}

/// Adds the names of a tree such as `a::{b, c::D as E}` below `prefix`.
fn expand(tree: &str, prefix: &[String], imports: &mut Vec<(String, Place)>) {
    let (mut depth, mut start) = (0, 0);
    for (index, c) in tree.char_indices().chain([(tree.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand_one(tree[start..index].trim(), prefix, imports);
                start = index + 1;
            }
            _ => {}
        }
    }
}

fn expand_one(branch: &str, prefix: &[String], imports: &mut Vec<(String, Place)>) {
    if let Some((head, group)) = branch.split_once('{') {
        let prefix: Place = prefix.iter().cloned().chain(names(head)).collect();
        return expand(group.strip_suffix('}').unwrap(), &prefix, imports);
    }
    let (written, alias) =
        branch.split_once(" as ").map_or((branch, None), |(path, alias)| (path, Some(alias)));
    let mut full: Place = prefix.iter().cloned().chain(names(written)).collect();
    if full.last().is_some_and(|last| last == "self") {
        full.pop();
    }
    if let Some(last) = full.last() {
        imports.push((alias.unwrap_or(last).trim().to_owned(), full));
    }
}

/// The names of a path as it is written.
fn names(path: &str) -> impl Iterator<Item = String> {
    path.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// Every name or path in the text.
fn words(text: &str) -> impl Iterator<Item = Place> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    text.split(move |c| !is_word(c)).filter_map(|word| {
        let path: Place = names(word).collect();
        (!path.is_empty()).then_some(path)
    })
}

#[test]
fn neighbouring_modules_do_not_need_each_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    for folder in crates.chain([root.to_owned()]) {
        let found = Crate::read(&folder.join("src")).circle().unwrap_or_default();
        let found: Vec<String> = found.iter().map(|place| place.join("::")).collect();
        assert!(found.is_empty(), "{}: {}", folder.display(), found.join(" -> "));
    }
}

#[test]
fn circles_are_found_through_groups_aliases_and_reexports() {
    let has_circle = |files: &[(&str, &str)]| {
        let modules = files.iter().map(|(name, text)| (names(name).collect(), code(text)));
        Crate(modules.collect()).circle().is_some()
    };
    let user_of_b = ("a", "use crate::{b, other::X};\nfn f() { b::g() }");
    assert!(has_circle(&[("", ""), user_of_b, ("b", "use super::a::f as h;\nfn g() { h() }")]));
    assert!(has_circle(&[("", "pub use a::f;"), user_of_b, ("b", "fn g() { crate::f() }")]));
    assert!(!has_circle(&[("", "pub use a::f;"), user_of_b, ("b", "use crate::f;")]));
    assert!(!has_circle(&[
        ("", ""),
        ("a", "use self::c::g;\nfn f() { g() }"),
        ("a::c", "fn g() { super::f() }")
    ]));
}
