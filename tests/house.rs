//! The house keeps its order: who may know whom, one way to write, files of a readable length. Reads the sources alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The longest a source file may be, in lines.
const LONGEST: usize = 600;

/// Which rooms a room may name, its own apart.
const MAY_KNOW: [(&str, &[&str]); 8] = [
    ("access", &[]),
    ("api", &[]),
    ("telemetry", &[]),
    // The vendor's side: what it shared with our clients could hide a mistake on both.
    ("simulators", &[]),
    ("engine", &["access"]),
    ("backends", &["access"]),
    ("controller", &["access", "api", "backends", "engine"]),
    ("cli", &["access", "api", "backends", "controller", "engine", "simulators", "telemetry"]),
];

struct Source {
    /// From `src/` on, such as `engine/plan.rs`.
    path: String,
    text: String,
}

impl Source {
    fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// Its text without comments and without what only its own tests are made of.
    fn code(&self) -> String {
        let shipped = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = shipped.lines().map(|line| match line.trim_start().starts_with("//") {
            true => "",
            false => line.split(" // ").next().unwrap_or_default(),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// A file of a module that is compiled for tests alone.
    fn is_test(&self) -> bool {
        let file = self.path.rsplit('/').next().unwrap_or_default();
        let of_the_engine = ["_tests.rs", "properties.rs", "cases.rs", "testing.rs"];
        self.path.contains("/tests/")
            || file == "tests.rs"
            || (self.room() == "engine" && of_the_engine.iter().any(|end| file.ends_with(end)))
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(Source { path, text });
            }
        }
    }
    assert!(found.len() > 50, "the sources were not found");
    found
}

/// The names that follow `prefix` in a text: one, or every first one of a group in braces.
fn named_after(text: &str, prefix: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices(prefix) {
        let inside_a_word = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        if inside_a_word {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(group_heads(group)),
            None => names.extend(word(rest)),
        }
    }
    names
}

fn word(text: &str) -> Option<String> {
    let word: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!word.is_empty()).then_some(word)
}

/// The first word of each part of a group whose opening brace has been read.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, sign) in group.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' | ',' if depth == 0 => {
                heads.extend(word(group[start..at].trim_start()));
                start = at + 1;
                if sign == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    heads
}

#[test]
fn every_room_knows_only_the_rooms_that_it_may() {
    let table: BTreeMap<&str, &[&str]> = MAY_KNOW.into();
    let sources = sources();
    let rooms: BTreeSet<&str> = sources.iter().map(Source::room).collect();
    let mut broken = Vec::new();
    for source in &sources {
        let room = source.room();
        if matches!(room, "main" | "lib") {
            continue;
        }
        let Some(allowed) = table.get(room) else {
            broken.push(format!("src/{}: {room} has no line in the table of this test", source.path));
            continue;
        };
        let mut text = source.code();
        // Tests of a room are of that room too.
        if source.is_test() {
            text.clone_from(&source.text);
        }
        for known in named_after(&text, "crate::").iter().chain(&named_after(&text, "rolewright::")) {
            if known != room && rooms.contains(known.as_str()) && !allowed.contains(&known.as_str()) {
                broken.push(format!("src/{}: {room} may not know {known}", source.path));
            }
        }
        let deep = source.path.matches('/').count() + usize::from(!source.path.ends_with("/mod.rs"));
        let climbs = (1..6).rev().find(|n| text.contains(&"super::".repeat(*n))).unwrap_or(0);
        // A file's own module is as deep as its path; one `super` more than that leaves the room.
        if climbs >= deep && !source.is_test() {
            broken.push(format!("src/{}: leaves its room by super::", source.path));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn one_function_alone_writes_to_back_ends() {
    let writers: BTreeSet<String> = sources()
        .iter()
        .filter(|source| !source.is_test() && calls_write(&source.code()))
        .map(|source| source.path.clone())
        .collect();
    assert_eq!(writers, BTreeSet::from(["controller/apply.rs".to_owned()]));
}

/// Whether something is handed to another's method `write`: a lock's takes nothing.
fn calls_write(code: &str) -> bool {
    code.match_indices(".write(").any(|(at, call)| {
        let takes_nothing = code[at + call.len()..].trim_start().starts_with(')');
        !takes_nothing && !code[..at].ends_with("self")
    })
}

#[test]
fn only_the_engine_makes_changes() {
    let makers: BTreeSet<String> = sources()
        .iter()
        .filter(|source| !source.is_test() && makes_changes(&source.code()))
        .map(|source| source.path.clone())
        .collect();
    let planner = ["engine/planner.rs", "engine/planner/letting_go.rs"].map(str::to_owned);
    assert_eq!(makers, BTreeSet::from(planner));
}

fn makes_changes(code: &str) -> bool {
    ["Change::Create {", "Change::Update {", "Change::Delete {"].iter().any(|start| {
        code.match_indices(start).any(|(at, start)| {
            let body = &code[at + start.len()..];
            let end = closing(body);
            !body[..end].contains("..") && !is_matched(&body[end + 1..])
        })
    })
}

/// Where the brace that was opened before `text` is closed.
fn closing(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, sign) in text.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' if depth == 0 => return at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    panic!("a brace is not closed")
}

/// Whether what comes before `rest` is a pattern: an arrow, a bar or an equals sign follows, maybe behind the rest of a tuple.
fn is_matched(rest: &str) -> bool {
    let mut in_a_list = false;
    let mut depth = 0_usize;
    for (at, sign) in rest.char_indices() {
        match sign {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' if depth == 0 => in_a_list = false,
            ')' | ']' | '}' if depth > 0 => depth -= 1,
            ',' if depth == 0 => in_a_list = true,
            '|' if depth == 0 => return !rest[at..].starts_with("||"),
            '=' if depth == 0 => return !in_a_list && !rest[at..].starts_with("=="),
            ';' | '}' => return false,
            _ => {}
        }
    }
    false
}

#[test]
fn no_source_file_is_longer_than_can_be_read() {
    let mut too_long = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines >= LONGEST {
            too_long.push(format!("src/{}: {lines} lines", source.path));
        }
    }
    assert!(too_long.is_empty(), "{}", too_long.join("\n"));
}

#[test]
fn the_reader_of_this_test_sees_what_it_is_to_see() {
    let names = |text: &str| named_after(text, "crate::").into_iter().collect::<Vec<_>>();
    assert_eq!(names("use crate::engine::Plan;"), ["engine"]);
    assert_eq!(names("use crate::{\n    access::{Id, Key},\n    api,\n};"), ["access", "api"]);
    assert_eq!(names("let id: crate::access::Id = $crate::engine::x();"), ["access"]);

    assert!(makes_changes("self.push(Change::Create { after: body.clone() }, cause, entry, was)\n}"));
    assert!(makes_changes("let change = Change::Delete { id: seen.id.clone(), before: seen.body };"));
    assert!(makes_changes("match x { A => Change::Create { after },\n B => y }"));
    for pattern in [
        "match self { Change::Create { after } | Change::Update { after, .. } => after, }",
        "match c { Change::Create { after } => make(after), }",
        "Change::Create { after: Body::Grant(grant) }\n | Change::Update { after: Body::Grant(grant), .. } => {}",
        "(Change::Create { after }, End::Done(Some(now))) => {}",
        "if let Change::Create { after } = change {}",
        "matches!(change, Change::Delete { .. })",
    ] {
        assert!(!makes_changes(pattern), "{pattern}");
    }
    assert!(calls_write("backend.write(change).await") && !calls_write("lock.write().clone()"));
}
