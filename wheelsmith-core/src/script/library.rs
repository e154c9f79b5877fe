//! A C library or program, described in code.

use toml::{Table, Value};

/// A component from C, as `[[tool.wheelsmith.component]]` describes it: what is said here is checked
/// in the same way, and paths are relative to the package's directory (or to the component's source).
///
/// ```
/// use wheelsmith_core::script::Library;
///
/// let demo = Library::shared("demo")
///     .sources(["native/*.c"])
///     .std("c11")
///     .include("native")
///     .define("DEMO_LEVEL", "2")
///     .header("native/demo.h");
/// assert!(demo.to_toml().starts_with("[[tool.wheelsmith.component]]\n"));
/// ```
#[derive(Debug, Clone)]
pub struct Library {
    table: Table,
    /// Groups of files that are compiled alike; the last is being described.
    groups: Vec<Table>,
}

impl Library {
    /// A static library.
    pub fn archive(name: &str) -> Self {
        Self::new(name, "c-static")
    }

    /// A shared library.
    pub fn shared(name: &str) -> Self {
        Self::new(name, "c-shared")
    }

    /// A program.
    pub fn program(name: &str) -> Self {
        Self::new(name, "c-executable")
    }

    fn new(name: &str, kind: &str) -> Self {
        let text = |value: &str| Value::from(value);
        let table = [("name".to_owned(), text(name)), ("kind".to_owned(), text(kind))];
        Self { table: table.into_iter().collect(), groups: Vec::new() }
    }

    /// The files of a group, by path or glob. What is said behind it ([`Library::include`] and so on)
    /// is for this group; another call begins another group.
    #[must_use]
    pub fn sources<S: Into<String>>(mut self, files: impl IntoIterator<Item = S>) -> Self {
        let files: Vec<Value> = files.into_iter().map(|file| Value::from(file.into())).collect();
        self.groups.push([("files".to_owned(), Value::Array(files))].into_iter().collect());
        self
    }

    /// Leaves files out of the group.
    #[must_use]
    pub fn exclude(self, glob: &str) -> Self {
        self.add_to_group("exclude", glob)
    }

    /// The language standard of the group: `c11`.
    #[must_use]
    pub fn std(mut self, std: &str) -> Self {
        self.group().insert("std".to_owned(), Value::from(std));
        self
    }

    /// A directory with headers, for the group.
    #[must_use]
    pub fn include(self, dir: &str) -> Self {
        self.add_to_group("include", dir)
    }

    /// A macro, for the group; with an empty value, its name alone.
    #[must_use]
    pub fn define(mut self, name: &str, value: &str) -> Self {
        let value = if value.is_empty() { Value::from(true) } else { Value::from(value) };
        let define = self.group().entry("define").or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(define) = define {
            define.insert(name.to_owned(), value);
        }
        self
    }

    /// A further argument of the compiler, for the group.
    #[must_use]
    pub fn flag(self, flag: &str) -> Self {
        self.add_to_group("flags", flag)
    }

    /// Headers for those who link to it, by path or glob.
    #[must_use]
    pub fn header(mut self, glob: &str) -> Self {
        let files = Value::Array(vec![Value::from(glob)]);
        let header: Table = [("files".to_owned(), files)].into_iter().collect();
        add(&mut self.table, "headers", Value::Table(header));
        self
    }

    /// Links to another component.
    #[must_use]
    pub fn link(mut self, component: &str) -> Self {
        add(&mut self.table, "link", Value::from(component));
        self
    }

    /// Links a shared library or program to a library of the system: `m`.
    #[must_use]
    pub fn system_library(mut self, name: &str) -> Self {
        add(&mut self.table, "libraries", Value::from(name));
        self
    }

    /// The SONAME of a shared library: `libdemo.so.1`.
    #[must_use]
    pub fn soname(mut self, soname: &str) -> Self {
        self.table.insert("soname".to_owned(), Value::from(soname));
        self
    }

    /// The version script of a shared library.
    #[must_use]
    pub fn version_script(mut self, path: &str) -> Self {
        self.table.insert("version-script".to_owned(), Value::from(path));
        self
    }

    /// A directory to which its paths are relative, instead of the package's.
    #[must_use]
    pub fn source_dir(mut self, dir: &str) -> Self {
        self.table.insert("source".to_owned(), source("path", dir));
        self
    }

    /// The table as it would be written.
    pub fn to_toml(&self) -> String {
        let mut table = self.table.clone();
        let groups = self.groups.iter().cloned().map(Value::Table);
        if !self.groups.is_empty() {
            table.insert("sources".to_owned(), Value::Array(groups.collect()));
        }
        // One line for each key: tables in it are written on one line as well.
        let lines = table.iter().map(|(key, value)| format!("{} = {}\n", quoted(key), line(value)));
        format!("[[tool.wheelsmith.component]]\n{}", lines.collect::<String>())
    }

    fn group(&mut self) -> &mut Table {
        if self.groups.is_empty() {
            // The configuration's check says that its `files` are missing.
            self.groups.push(Table::new());
        }
        let last = self.groups.len() - 1;
        &mut self.groups[last]
    }

    fn add_to_group(mut self, key: &str, text: &str) -> Self {
        add(self.group(), key, Value::from(text));
        self
    }
}

/// `value` on one line. The `toml` crate would write it as well, with a crate of its own that no
/// build script needs otherwise.
fn line(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(values) => {
            format!("[{}]", values.iter().map(line).collect::<Vec<_>>().join(", "))
        }
        Value::Table(table) => {
            let pairs =
                table.iter().map(|(key, value)| format!("{} = {}", quoted(key), line(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::Boolean(yes) => yes.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Datetime(time) => time.to_string(),
    }
}

/// A string of JSON is one of TOML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn source(key: &str, value: &str) -> Value {
    Value::Table([(key.to_owned(), Value::from(value))].into_iter().collect())
}

fn add(table: &mut Table, key: &str, value: Value) {
    let list = table.entry(key).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.push(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Kind};

    #[test]
    fn what_is_said_in_code_is_a_configuration() {
        let base = Library::archive("base").sources(["a.c"]).source_dir("base");
        let demo = Library::shared("demo")
            .sources(["x/*.c", "y.c"])
            .exclude("x/test_*.c")
            .std("c11")
            .include("x")
            .define("A", "")
            .define("B", "\"q\"")
            .flag("-fno-common")
            .sources(["z.c"])
            .header("x/*.h")
            .link("base")
            .system_library("m")
            .soname("libdemo.so.1")
            .version_script("demo.map");
        let config = config::parse("build.rs", &(demo.to_toml() + &base.to_toml())).unwrap();
        let names: Vec<&str> = config.components.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["base", "demo"]);
        let Kind::C(c) = &config.components[1].kind else { panic!("it is C") };
        assert_eq!(c.sources.len(), 2);
        assert_eq!(c.sources[0].define, ["A", "B=\"q\""]);
        assert_eq!(c.soname.as_deref(), Some("libdemo.so.1"));
        let error = config::parse("build.rs", &Library::archive("x").std("c11").to_toml());
        assert!(error.unwrap_err().to_string().contains("files"));
    }
}
