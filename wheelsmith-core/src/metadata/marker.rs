//! Syntax of environment markers (dependency specifiers specification).

/// Names of values in a marker. The last six are the spellings of PEP 345, which readers accept
/// too.
const VARIABLES: [&str; 20] = [
    "dependency_groups",
    "extra",
    "extras",
    "implementation_name",
    "implementation_version",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_full_version",
    "python_version",
    "sys_platform",
    "os.name",
    "platform.machine",
    "platform.python_implementation",
    "platform.version",
    "python_implementation",
    "sys.platform",
];
/// Limit of nested parentheses in the index and pip.
const MOST_NESTED: usize = 200;
/// Operators. The first match counts, so longer ones come first.
const OPERATORS: [&str; 8] = ["===", "<=", ">=", "==", "!=", "~=", "<", ">"];

/// Next token that the grammar allows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Operand,
    Operator,
    Other,
    Join,
}

/// Returns an error if `text` is not a marker: the reason, as a clause.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut rest = text.trim_start();
    let (mut want, mut depth) = (Want::Operand, 0_usize);
    let mut not = false;
    while let Some(first) = rest.chars().next() {
        let taken = token(rest).ok_or_else(|| format!("`{rest}` cannot be read"))?;
        let unexpected = || Err(format!("`{taken}` does not belong there"));
        let is_value = first == '"' || first == '\'' || VARIABLES.contains(&taken);
        if not && taken != "in" {
            return unexpected();
        }
        want = match (want, taken) {
            (Want::Operand, "(") => {
                depth += 1;
                if depth > MOST_NESTED {
                    return Err(format!("more than {MOST_NESTED} parentheses are open"));
                }
                Want::Operand
            }
            (Want::Operand, _) if is_value => Want::Operator,
            (Want::Operator, "not") => {
                not = true;
                Want::Operator
            }
            (Want::Operator, _) if taken == "in" || OPERATORS.contains(&taken) => {
                not = false;
                Want::Other
            }
            (Want::Other, _) if is_value => Want::Join,
            (Want::Join, "and" | "or") => Want::Operand,
            (Want::Join, ")") if depth > 0 => {
                depth -= 1;
                Want::Join
            }
            _ => return unexpected(),
        };
        rest = rest[taken.len()..].trim_start();
    }
    if want == Want::Join && depth == 0 { Ok(()) } else { Err("it ends too early".to_owned()) }
}

/// Returns the first word, string or sign of `text`.
fn token(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    let length = match first {
        '(' | ')' => 1,
        '"' | '\'' => text[1..].find(first)? + 2,
        _ if first.is_ascii_alphabetic() => {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
            text.find(|c| !word(c)).unwrap_or(text.len())
        }
        _ => OPERATORS.iter().find(|operator| text.starts_with(**operator))?.len(),
    };
    Some(&text[..length])
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_markers_are_markers() {
        let check = |text: &str, answer: Result<(), &str>| {
            assert_eq!(super::check(text), answer.map_err(str::to_owned), "{text}");
        };
        check("python_version < '3.11'", Ok(()));
        check("python_version<'3.11'and os_name==\"nt\"", Ok(()));
        check("'linux' in sys_platform", Ok(()));
        check("(os_name == 'a' or (os_name not in 'b' and extra == 'c'))", Ok(()));
        check("sys.platform == 'win32' and os.name=='nt'", Ok(()));
        check("python_implementation == 'CPython' or platform.version > '1'", Ok(()));
        let nested = |n: usize| "(".repeat(n) + "os_name=='a'" + &")".repeat(n);
        check(&nested(200), Ok(()));
        check(&nested(9999), Err("more than 200 parentheses are open"));
        check("", Err("it ends too early"));
        check("python_version", Err("it ends too early"));
        check("(os_name == 'a'", Err("it ends too early"));
        check("os_name == 'a')", Err("`)` does not belong there"));
        check("os_name == 'a", Err("`'a` cannot be read"));
        check("python < '3'", Err("`python` does not belong there"));
        check("os_name not == 'a'", Err("`==` does not belong there"));
        check("os_name == 'a' os_name == 'b'", Err("`os_name` does not belong there"));
        check("os_name = 'a'", Err("`= 'a'` cannot be read"));
    }
}
