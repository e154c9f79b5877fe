//! Splits commands into words.

/// Splits `text` into words: blanks separate them, `'…'` and `"…"` quote blanks. No shell is
/// involved, so other characters such as `\` and `$` have no special meaning.
///
/// # Errors
/// Returns an error if there is no word, or a quote is not closed.
pub(crate) fn words(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match (quote, words.is_empty()) {
        (Some(_), _) => Err("a quote is not closed"),
        (None, true) => Err("there is no word in it"),
        (None, false) => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn quotes_keep_words_together() {
        let check = |text: &str, expected: Result<&[&str], &str>| {
            let words = words(text);
            let words = words.as_ref().map(|words| words.iter().map(String::as_str).collect());
            let words: Result<Vec<&str>, &str> = words.map_err(|error| *error);
            assert_eq!(words, expected.map(<[&str]>::to_vec), "{text}");
        };
        check("demo --version", Ok(&["demo", "--version"]));
        check("python -c 'import demo; print(\"x\")'", {
            Ok(&["python", "-c", "import demo; print(\"x\")"])
        });
        check("  a\t\"b  c\"d '' $HOME C:\\x ", Ok(&["a", "b  cd", "", "$HOME", "C:\\x"]));
        check("a 'b", Err("a quote is not closed"));
        check("  ", Err("there is no word in it"));
    }
}
