//! Scripts: their first line, and paths in shell scripts.

use super::{Place, ends_path, relative};

/// Expression of a shell for the directory of the script, links resolved.
const HERE: &str = r#"$(dirname -- "$(realpath -- "$0")")"#;
/// Variable of rewritten shell scripts.
const VARIABLE: &str = "${wheelsmith_prefix}";

/// Starts the interpreter of the tree by the system's shell.
pub(super) fn shebang(place: &Place<'_>, text: &str) -> Result<String, String> {
    let (line, body) = text.split_once('\n').unwrap_or((text, ""));
    let mut words = line.trim_start_matches("#!").split_whitespace();
    let program = words.next().unwrap_or_default();
    let inside = place.inside(program).filter(|path| place.has(path));
    let inside = inside.ok_or_else(|| format!("`{program}` is not in the tree"))?;
    let arguments: String = words.map(|word| format!(" {word}")).collect();
    if arguments.contains(['\'', '"', '`', '$', '\\', ';', '&', '|']) {
        return Err("its interpreter has arguments that a shell would change".to_owned());
    }
    let to = relative(place.path.parent().unwrap_or_default(), inside);
    let start = format!(r#""{HERE}/{to}"{arguments}"#);
    let name = inside.rsplit('/').next().unwrap_or(inside);
    let language = name.trim_end_matches(|c: char| c.is_ascii_digit() || ".t-".contains(c));
    match language {
        // To Python, the second and third line are a text.
        "python" | "pypy" => {
            python_can_follow(body)?;
            Ok(format!("#!/bin/sh\n'''exec' {start} \"$0\" \"$@\"\n' '''\n{body}"))
        }
        // With -x, they skip everything before a line with their name.
        "perl" | "ruby" => {
            Ok(format!("#!/bin/sh\nexec {start} -x \"$0\" \"$@\"\n#!{language}{arguments}\n{body}"))
        }
        _ => Err(format!("no form is known for scripts of `{name}`")),
    }
}

/// Checks that a text may come before the script: a future import may come after one text alone, and
/// the encoding is stated in the first two lines.
fn python_can_follow(body: &str) -> Result<(), String> {
    let mut lines = body.lines().map(str::trim).filter(|line| !line.is_empty());
    let second = body.lines().next().unwrap_or_default();
    let is_utf8 = |line: &str| line.to_ascii_lowercase().replace('-', "").contains("utf8");
    if second.starts_with('#') && second.contains("coding") && !is_utf8(second) {
        return Err("it states its encoding in the second line".to_owned());
    }
    let first = lines.find(|line| !line.starts_with('#')).unwrap_or_default();
    let first = first.trim_start_matches(['r', 'R', 'u', 'U']);
    if first.starts_with(['"', '\'']) && body.contains("from __future__") {
        return Err("its future import may not follow two texts".to_owned());
    }
    Ok(())
}

/// Derives paths in a shell script from where the script is.
pub(super) fn body(place: &Place<'_>, text: &str) -> Result<String, String> {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let mut words = line.trim_start_matches("#!").split_whitespace();
    let mut name = words.next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    if name == "env" {
        name = words.next().unwrap_or_default();
    }
    if !["sh", "bash", "dash", "ash", "ksh", "zsh"].contains(&name) {
        return Err(format!("paths in scripts of `{name}` are not rewritten"));
    }
    let mut new = shell(rest, place.prefix)?;
    // The function of CPython's scripts loses directories with a space, and follows no link.
    new = new.replace(r#"$(installed_prefix "$0")"#, &format!("\"{VARIABLE}\""));
    let up = place.up();
    Ok(format!("{line}\nwheelsmith_prefix=\"$(CDPATH= cd -- \"{HERE}/{up}\" && pwd -P)\"\n{new}"))
}

/// State of a shell's reader.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    /// Outside of quotes.
    Plain,
    /// Between double quotes.
    Double,
    /// In `$(…)`.
    Command,
    /// Between backquotes.
    Back,
}

/// Replaces `dir` in a shell script by a variable, quoted as the place requires.
fn shell(text: &str, dir: &str) -> Result<String, String> {
    let mut new = String::with_capacity(text.len());
    let mut stack = vec![In::Plain];
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let state = *stack.last().unwrap_or(&In::Plain);
        let is_quoted = state == In::Double;
        if rest.starts_with(dir) && ends_path(&rest[dir.len()..]) {
            let quote = if is_quoted { "" } else { "\"" };
            new.extend([quote, VARIABLE, quote]);
            rest = &rest[dir.len()..];
            continue;
        }
        let mut taken = c.len_utf8();
        match c {
            '\\' => taken += rest[1..].chars().next().map_or(0, char::len_utf8),
            '\'' if !is_quoted => {
                let end = rest[1..].find('\'').ok_or("a quote in it has no end")? + 2;
                let inner =
                    super::replace(&rest[..end], dir, |_| Some(format!("'\"{VARIABLE}\"'")));
                new.push_str(&inner);
                rest = &rest[end..];
                continue;
            }
            '"' if is_quoted => _ = stack.pop(),
            '"' => stack.push(In::Double),
            '`' if state == In::Back => _ = stack.pop(),
            '`' if stack.contains(&In::Back) => return Err("its quotes are nested".to_owned()),
            '`' => stack.push(In::Back),
            '$' if rest.starts_with("$(") => {
                stack.push(In::Command);
                taken = 2;
            }
            '(' if !is_quoted => stack.push(In::Command),
            // The pattern of a `case` ends with one that was not opened.
            ')' if state == In::Command => _ = stack.pop(),
            '#' if !is_quoted && new.ends_with([' ', '\t', '\n', ';', '('])
                || new.is_empty() && c == '#' =>
            {
                let end = rest.find('\n').unwrap_or(rest.len());
                new.push_str(&super::replace(&rest[..end], dir, |_| Some(VARIABLE.to_owned())));
                rest = &rest[end..];
                continue;
            }
            '<' if !is_quoted && rest.starts_with("<<") && !rest.starts_with("<<<") => {
                let (body, size) = here_document(rest, dir)?;
                new.push_str(&body);
                rest = &rest[size..];
                continue;
            }
            _ => {}
        }
        new.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    Ok(new)
}

/// Returns the here-document that begins `text`, with its first line, and its length.
fn here_document(text: &str, dir: &str) -> Result<(String, usize), String> {
    let line_end = text.find('\n').ok_or("a here-document has no end")? + 1;
    let line = &text[..line_end];
    let word = line[2..].trim_start_matches('-').trim_start();
    let end = word.find(|c: char| c.is_whitespace() || ";|&)<>".contains(c)).unwrap_or(word.len());
    let mark = &word[..end];
    let plain = mark.replace(['\'', '"', '\\'], "");
    let mut size = line_end;
    for line in text[line_end..].split_inclusive('\n') {
        size += line.len();
        if line.trim_end_matches('\n').trim_start_matches('\t') == plain {
            let document = &text[line_end..size];
            if text[..line_end].contains(dir) || (mark != plain && document.contains(dir)) {
                return Err("a quoted here-document names the prefix".to_owned());
            }
            let body = super::replace(document, dir, |_| Some(VARIABLE.to_owned()));
            return Ok((format!("{}{body}", &text[..line_end]), size));
        }
    }
    Err("a here-document has no end".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_as_the_place_requires() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let new = shell(text, "/p").map(|new| new.replace(VARIABLE, "@"));
            assert_eq!(new.as_deref().map_err(String::as_str), expected, "{text}");
        };
        check("x=/p/lib", Ok("x=\"@\"/lib"));
        check("x=\"-L/p/lib\"", Ok("x=\"-L@/lib\""));
        check("x='-L/p/lib'", Ok("x='-L'\"@\"'/lib'"));
        check("x=\"$(echo \"/p\")\"", Ok("x=\"$(echo \"@\")\""));
        check("x=\"$(echo /p)\" y=/p", Ok("x=\"$(echo \"@\")\" y=\"@\""));
        check("x=`echo \"/p\"`", Ok("x=`echo \"@\"`"));
        check("x=/pq # don't /p.\ny='/p'", Ok("x=/pq # don't @.\ny=''\"@\"''"));
        check("a) x=/p;; b) y=\"/p\"", Ok("a) x=\"@\";; b) y=\"@\""));
        check("cat <<E\n/p 'x\nE\nx=/p", Ok("cat <<E\n@ 'x\nE\nx=\"@\""));
        check("cat <<'E'\n/p\nE\n", Err("a quoted here-document names the prefix"));
        check("x='/p", Err("a quote in it has no end"));
    }
}
