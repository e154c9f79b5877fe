//! A C library or program, described in code.

use super::diagnose::Problem;
use super::names::ROOT;
use super::{C, CForm, Component, Headers, Kind, Source, SourceGroup, SourcePath};

/// C component, as in `[[tool.wheelsmith.component]]`. It is validated in the same way. Paths are
/// relative to the directory of the configuration, or to the component's source.
///
/// ```
/// use wheelsmith_core::config::{Config, Library};
///
/// let demo = Library::shared("demo")
///     .sources(["native/*.c"])
///     .std("c11")
///     .include("native")
///     .define("DEMO_LEVEL", "2")
///     .header("native/demo.h");
/// let config = Config::builder().library(demo).build()?;
/// assert_eq!(config.components[0].name, "demo");
/// # Ok::<(), wheelsmith_core::config::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Library {
    component: Component,
    /// Its keys as a C component; `None` if it is of another kind.
    c: Option<C>,
    /// Invalid paths and keys: key below the component, and description.
    mistakes: Vec<(String, String)>,
}

impl Library {
    /// Describes a static library.
    pub fn archive(name: &str) -> Self {
        Self::new(name, CForm::Static)
    }

    /// Describes a shared library.
    pub fn shared(name: &str) -> Self {
        Self::new(name, CForm::Shared)
    }

    /// Describes a program.
    pub fn program(name: &str) -> Self {
        Self::new(name, CForm::Executable)
    }

    fn new(name: &str, form: CForm) -> Self {
        let component = Component::new(name, Kind::default());
        Self { component, c: Some(C { form, ..C::default() }), mistakes: Vec::new() }
    }

    /// Returns a component of any kind.
    pub(super) fn of(component: Component) -> Self {
        Self { component, c: None, mistakes: Vec::new() }
    }

    /// Begins a group of files, by path or glob. The calls that follow ([`Library::include`] and so
    /// on) apply to this group, until another call begins another group.
    #[must_use]
    pub fn sources<S: Into<String>>(mut self, files: impl IntoIterator<Item = S>) -> Self {
        let key = format!("sources[{}].files", self.keys().sources.len());
        let files: Vec<String> = files.into_iter().map(Into::into).collect();
        let files = files.iter().filter_map(|file| self.path(&key, file)).collect();
        self.keys().sources.push(SourceGroup { files, ..SourceGroup::default() });
        self
    }

    /// Excludes files from the group.
    #[must_use]
    pub fn exclude(mut self, glob: &str) -> Self {
        let path = self.path("sources", glob);
        self.group().exclude.extend(path);
        self
    }

    /// Sets the language standard of the group: `c11`.
    #[must_use]
    pub fn std(mut self, std: &str) -> Self {
        self.group().std = Some(std.to_owned());
        self
    }

    /// Adds a directory of headers to the group.
    #[must_use]
    pub fn include(mut self, dir: &str) -> Self {
        let path = self.path("sources", dir);
        self.group().include.extend(path);
        self
    }

    /// Defines a macro in the group; an empty value defines its name alone.
    #[must_use]
    pub fn define(mut self, name: &str, value: &str) -> Self {
        let define = &mut self.group().define;
        define.retain(|other| other.split('=').next() != Some(name));
        define.push(match value {
            "" => name.to_owned(),
            value => format!("{name}={value}"),
        });
        self
    }

    /// Adds an argument of the compiler to the group.
    #[must_use]
    pub fn flag(mut self, flag: &str) -> Self {
        self.group().flags.push(flag.to_owned());
        self
    }

    /// Adds headers for users of the library, by path or glob.
    #[must_use]
    pub fn header(mut self, glob: &str) -> Self {
        let files = self.path("headers", glob).into_iter().collect();
        self.keys().headers.push(Headers { files, to: None });
        self
    }

    /// Links to another component.
    #[must_use]
    pub fn link(mut self, component: &str) -> Self {
        self.component.link.push(component.to_owned());
        self
    }

    /// Links to a system library: `m`.
    #[must_use]
    pub fn system_library(mut self, name: &str) -> Self {
        self.keys().libraries.push(name.to_owned());
        self
    }

    /// Sets the SONAME of a shared library: `libdemo.so.1`.
    #[must_use]
    pub fn soname(mut self, soname: &str) -> Self {
        self.only_shared("soname");
        self.keys().soname = Some(soname.to_owned());
        self
    }

    /// Sets the version script of a shared library.
    #[must_use]
    pub fn version_script(mut self, path: &str) -> Self {
        self.only_shared("version-script");
        let path = self.path("version-script", path);
        self.keys().version_script = path;
        self
    }

    /// Sets the directory to which its paths are relative.
    #[must_use]
    pub fn source_dir(mut self, dir: &str) -> Self {
        self.component.source = Source::Path(dir.to_owned());
        self
    }

    fn keys(&mut self) -> &mut C {
        self.c.get_or_insert_default()
    }

    /// Returns the last group; the first one, without files, if there is none.
    fn group(&mut self) -> &mut SourceGroup {
        if self.keys().sources.is_empty() {
            let message = "`files` is missing: call `sources` first".to_owned();
            self.mistakes.push(("sources[0]".to_owned(), message));
            self.keys().sources.push(SourceGroup::default());
        }
        let sources = &mut self.keys().sources;
        let last = sources.len() - 1;
        &mut sources[last]
    }

    fn path(&mut self, key: &str, text: &str) -> Option<SourcePath> {
        let path = text.parse::<SourcePath>();
        path.map_err(|error| self.mistakes.push((key.to_owned(), error.to_string()))).ok()
    }

    fn only_shared(&mut self, key: &str) {
        if self.keys().form != CForm::Shared {
            let message = "only a shared library has this key".to_owned();
            self.mistakes.push((key.to_owned(), message));
        }
    }

    /// Returns the component.
    pub(super) fn component(&self) -> Component {
        let kind = self.c.clone().map_or_else(|| self.component.kind.clone(), Kind::C);
        Component { kind, ..self.component.clone() }
    }

    /// Returns the mistakes of component number `index`.
    pub(super) fn problems(&self, index: usize) -> impl Iterator<Item = Problem> {
        self.mistakes.iter().map(move |(key, message)| Problem {
            line: 0,
            column: 0,
            key: format!("{ROOT}.component[{index}].{key}"),
            message: message.clone(),
            help: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Kind};

    #[test]
    fn components_in_code_are_checked_as_those_of_a_file() {
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
        let config = Config::builder().library(demo).library(base).build().unwrap();
        let names: Vec<&str> = config.components.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["base", "demo"]);
        let Kind::C(c) = &config.components[1].kind else { panic!("it is C") };
        assert_eq!(c.sources.len(), 2);
        assert_eq!(c.sources[0].define, ["A", "B=\"q\""]);
        assert_eq!(c.soname.as_deref(), Some("libdemo.so.1"));
    }

    #[test]
    fn mistakes_in_code_have_no_line() {
        let check = |library: Library, expected: &str| {
            let text = "[[tool.wheelsmith.component]]\nname = 'a'\nkind = 'files'\n\
                        outputs = [{ from = 'x', role = 'data' }]\n";
            let error = Config::builder().text("demo.toml", text).library(library).build();
            let expected = format!(
                "in the configuration made in code: `tool.wheelsmith.component[1]{expected}"
            );
            assert_eq!(error.unwrap_err().to_string(), expected);
        };
        check(
            Library::archive("x").std("c11"),
            ".sources[0]`: `files` is missing: call `sources` first",
        );
        check(
            Library::archive("x").sources(["x.c"]).soname("y"),
            ".soname`: only a shared library has this key",
        );
        check(
            Library::shared("x").sources(["/x.c"]),
            ".sources[0].files`: `/x.c` is not a relative path with `/` between its parts",
        );
        check(
            Library::shared("x").sources(["x.c"]).link("aa"),
            ".link[0]`: there is no component `aa`\n    did you mean `a`?",
        );
        check(Library::shared("a b").sources(["x.c"]), {
            ".name`: `a b` is not a component's name\n    use letters, digits, `-`, `_`, `.` and `+`"
        });
    }
}
