//! Which files of a crate use which: by the paths in their code, through re-exports, without tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A file by its module path: empty for the crate's root, `models::kl` for `models/kl/mod.rs`.
type Module = Vec<String>;

pub struct Sources {
    /// The paths that each file uses, as written.
    uses: BTreeMap<Module, Vec<Vec<String>>>,
    /// The names that each file re-exports, with their paths.
    exports: BTreeMap<Module, BTreeMap<String, Vec<String>>>,
}

impl Sources {
    /// Reads the crate in `folder`, whose root is the file `root`.
    pub fn of(folder: &Path, root: &str) -> Self {
        let mut sources = Self {
            uses: BTreeMap::new(),
            exports: BTreeMap::new(),
        };
        for path in super::files(folder) {
            let inside = path.strip_prefix(folder).unwrap().with_extension("");
            let mut module: Module = inside
                .iter()
                .map(|part| part.to_str().unwrap().to_owned())
                .collect();
            let name = module.last().unwrap().clone();
            if module[0] == "bin" || name.ends_with("tests") {
                continue;
            }
            if name == "mod" || (module.len() == 1 && name == root) {
                module.pop();
            }
            sources.read(module, &fs::read_to_string(&path).unwrap());
        }
        sources
    }

    fn read(&mut self, module: Module, text: &str) {
        let code = code(text);
        let mut uses: Vec<Vec<String>> = Vec::new();
        let mut exports = BTreeMap::new();
        let (statements, code) = statements(&code);
        for (before, tree) in statements {
            for (path, name) in expanded(tree) {
                match before.starts_with("pub") {
                    true => drop(exports.insert(name, path)),
                    false => uses.push(path),
                }
            }
        }
        let part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let paths = code.split(|c| !part(c)).map(split);
        uses.extend(paths.filter(|path| path.len() > 1));
        self.uses.insert(module.clone(), uses);
        self.exports.insert(module, exports);
    }

    /// The file that defines what `path` means in `module`; `None` if it is not of this crate.
    fn resolve(&self, module: &[String], path: &[String]) -> Option<Module> {
        let up = path.iter().take_while(|part| *part == "super").count();
        let (mut at, mut rest) = match path[0].as_str() {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (module.to_vec(), &path[1..]),
            _ => (
                module[..module.len().checked_sub(up)?].to_vec(),
                &path[up..],
            ),
        };
        let below =
            |at: &Module, part: &String| [at.as_slice(), std::slice::from_ref(part)].concat();
        let relative = up > 0 || ["crate", "self"].contains(&path[0].as_str());
        if !relative && !self.uses.contains_key(&below(&at, &path[0])) {
            return None;
        }
        while let Some((part, after)) = rest.split_first() {
            let child = below(&at, part);
            if self.uses.contains_key(&child) {
                (at, rest) = (child, after);
            } else if let Some(path) = self.exports[&at].get(part) {
                return self.resolve(&at, path);
            } else {
                break;
            }
        }
        Some(at)
    }

    /// Pairs of files of which the first uses the second. Re-exporting what is in its own folder is
    /// no use, nor is anything that the crate's root does.
    pub fn pairs(&self) -> BTreeSet<(Module, Module)> {
        let mut pairs = BTreeSet::new();
        for (module, uses) in self.uses.iter().filter(|(module, _)| !module.is_empty()) {
            let found = uses.iter().filter_map(|path| self.resolve(module, path));
            let exported = self.exports[module].values();
            let exported = exported.filter_map(|path| self.resolve(module, path));
            let exported = exported.filter(|used| !used.starts_with(module));
            let used = found.chain(exported);
            let used = used.filter(|used| used != module && !used.is_empty());
            pairs.extend(used.map(|used| (module.clone(), used)));
        }
        pairs
    }
}

/// The uses between the files and folders beside each other in each folder; a folder's own `mod.rs`
/// is the file `mod`.
pub fn by_folder(
    pairs: &BTreeSet<(Module, Module)>,
) -> BTreeMap<Module, BTreeSet<(String, String)>> {
    let mut folders = BTreeMap::<Module, BTreeSet<(String, String)>>::new();
    for (from, to) in pairs {
        let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        let part = |module: &Module| module.get(common).map_or("mod", |part| part).to_owned();
        let folder = folders.entry(from[..common].to_vec()).or_default();
        folder.insert((part(from), part(to)));
    }
    folders
}

/// The pairs that lie on or between cycles: what is left when everything has been removed that uses
/// nothing, or that nothing uses.
pub fn cyclic<T: Ord + Clone>(pairs: &BTreeSet<(T, T)>) -> BTreeSet<(T, T)> {
    let mut left = pairs.clone();
    loop {
        let from: BTreeSet<T> = left.iter().map(|(from, _)| from.clone()).collect();
        let to: BTreeSet<T> = left.iter().map(|(_, to)| to.clone()).collect();
        let before = left.len();
        left.retain(|(a, b)| to.contains(a) && from.contains(b));
        if left.len() == before {
            return left;
        }
    }
}

/// The text without tests and comments.
fn code(text: &str) -> String {
    let text = text.split("mod tests {").next().unwrap();
    let lines = text.lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The `use` statements, each with what is before the word, such as `pub`, and the tree after it;
/// and the code without them.
fn statements(code: &str) -> (Vec<(&str, &str)>, String) {
    let (mut found, mut rest) = (Vec::new(), String::new());
    for statement in code.split_inclusive(';') {
        let line = |at: usize| statement[..at].rfind('\n').map_or(0, |end| end + 1);
        let start = statement
            .match_indices("use ")
            .map(|(at, _)| (line(at), at));
        let start = start.filter(|&(line, at)| {
            let before = statement[line..at].trim();
            before.is_empty() || before.starts_with("pub")
        });
        match start.last() {
            Some((line, at)) => {
                found.push((
                    statement[line..at].trim(),
                    statement[at + 4..].trim_end_matches(';'),
                ));
                rest.push_str(&statement[..line]);
            }
            None => rest.push_str(statement),
        }
    }
    (found, rest)
}

/// The paths of a tree such as `a::{b, c::{self, d as e}}`.
fn expanded(tree: &str) -> Vec<(Vec<String>, String)> {
    let tree = tree.trim();
    let Some((before, inside)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
        let path = split(path);
        let name = path.last().map(|last| match alias.trim() {
            "" => last.clone(),
            alias => alias.to_owned(),
        });
        return name.map(|name| (path, name)).into_iter().collect();
    };
    let inside = inside.rsplit_once('}').unwrap().0;
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in inside.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match (c, depth) {
            (',', 0) => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(c),
        }
    }
    let inner = parts.iter().flat_map(|part| expanded(part));
    let before = split(before);
    inner
        .map(|(path, name)| ([before.clone(), path].concat(), name))
        .collect()
}

/// The parts of a path; `self` at its end means the path before it.
fn split(path: &str) -> Vec<String> {
    let parts = path.split("::").map(str::trim);
    let mut parts: Vec<String> = parts.filter(|p| !p.is_empty()).map(str::to_owned).collect();
    if parts.len() > 1 && parts.last().is_some_and(|last| last == "self") {
        parts.pop();
    }
    parts
}

#[test]
fn uses_are_found_through_trees_and_re_exports() {
    let mut sources = Sources {
        uses: BTreeMap::new(),
        exports: BTreeMap::new(),
    };
    let files = [
        ("", "mod a;\npub use a::{One, b::Two as Deux};\n"),
        ("a", "mod b;\npub struct One;\npub use b::Three;\n"),
        (
            "a b",
            "use super::{self, One};\nuse std::fmt::{\n    Debug,\n};\n",
        ),
        (
            "c",
            "// crate::a::b\nfn f(x: crate::Deux) {}\nmod tests { use crate::a; }",
        ),
        ("d", "use crate::a::{b::Two, Three};\n"),
        ("e", "mod g;\npub use crate::d::Four;\nfn f() { g::go() }"),
        ("e g", "use super::super::c as see;\n"),
    ];
    let module = |path: &str| path.split_whitespace().map(str::to_owned).collect();
    for (path, text) in files {
        sources.read(module(path), text);
    }
    let pairs: BTreeSet<(Module, Module)> = [
        ("a b", "a"),
        ("c", "a b"),
        ("d", "a b"),
        ("e", "d"),
        ("e", "e g"),
        ("e g", "c"),
    ]
    .map(|(from, to)| (module(from), module(to)))
    .into();
    assert_eq!(sources.pairs(), pairs);
    let folders = by_folder(&pairs);
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(folders[&module("e")], [pair("mod", "g")].into());
    assert!(folders[&module("")].contains(&pair("e", "c")));
    assert_eq!(cyclic(&pairs), BTreeSet::new());
    assert_eq!(
        cyclic(&[(1, 2), (2, 3), (3, 2), (3, 4)].into()),
        [(2, 3), (3, 2)].into()
    );
}
