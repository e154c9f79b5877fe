//! Writes the rules as a POSIX shell script.

use std::fmt::Write as _;

use super::{Action, Matches, Rule, headers};

/// Returns the part of a shell script that changes its own arguments as [`super::apply`] does, with
/// builtins only. An `exec` of zig with `"$@"` follows it. The part is empty without rules.
///
/// Most lines need no change, so the script first checks whether any rule can match, and only then
/// rebuilds its arguments one by one.
pub fn to_sh(rules: &[Rule]) -> String {
    if rules.is_empty() {
        return String::new();
    }
    let mut keywords: Vec<String> = Vec::new();
    let (mut arg_cases, mut word_cases) = (String::new(), String::new());
    let mut interesting_args = vec!["-Xlinker".to_owned()];
    // `-Wl,-z` may end one argument, and its word may be in the next.
    let mut interesting_words = vec!["*,-z,".to_owned()];
    for rule in rules {
        match rule.matches {
            Matches::Keyword(word) => {
                keywords.push(quoted(word));
                interesting_words.push(format!("*,{},*", quoted(word)));
            }
            Matches::Arg(text) | Matches::ArgPrefix(text) => {
                let star = if matches!(rule.matches, Matches::ArgPrefix(_)) { "*" } else { "" };
                let pattern = format!("{}{star}", quoted(text));
                case(&mut arg_cases, &pattern, text, rule.action, "next");
                interesting_args.push(pattern);
            }
            Matches::Word(text) | Matches::WordPrefix(text) => {
                let star = if matches!(rule.matches, Matches::WordPrefix(_)) { "*" } else { "" };
                let pattern = format!("{}{star}", quoted(text));
                case(&mut word_cases, &pattern, text, rule.action, "word");
                let end = if star.is_empty() { ",*" } else { "*" };
                interesting_words.push(format!("*,{}{end}", quoted(text)));
            }
        }
    }
    let keywords = if keywords.is_empty() {
        String::new()
    } else {
        format!("{}) return ;; ", keywords.join("|"))
    };
    SCRIPT
        .replace("@INTERESTING_ARGS@", &interesting_args.join("|"))
        .replace("@INTERESTING_WORDS@", &interesting_words.join("|"))
        .replace("@ARGS@", &arg_cases)
        .replace("@WORDS@", &word_cases)
        .replace("@KEYWORDS@", &keywords)
        .replace("@OF_THE_MACHINE@", &headers::OF_THE_MACHINE.join("|"))
        .replace("@HEADERS@", &headers::C_LIBRARY.join(" "))
}

fn case(out: &mut String, pattern: &str, text: &str, action: Action, next: &str) {
    let body = match action {
        Action::Keep => "keep=1",
        Action::Drop => "",
        Action::DropWithNext => &format!("{next}=drop"),
        Action::DropAndTell => "tell",
        Action::DropWithNextAndTell => &format!("tell; {next}=drop"),
        Action::Replace(new) => &format!("keep=1; k={}\"${{a#{}}}\"", quoted(new), quoted(text)),
        Action::Exchange(new) => &format!("keep=1; k={}", quoted(new)),
        Action::PadNextVersion => &format!("keep=1; {next}=pad"),
        Action::SystemDir => &format!("{next}=system"),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(out, "    {pattern}) {body} ;;");
}

/// Quotes a text for the shell.
pub(in crate::toolchain) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

// `a` is the current argument or linker word, `k` what stays of it if `keep` is set, `next` and
// `word` the meaning of the next argument and the next linker word.
const SCRIPT: &str = r#"tell() { printf 'wheelsmith: left out `%s`\n' "$a" >&2; }
pad() { case $a in *.*.*) k=$a ;; *.*) k=$a.0 ;; *) k=$a.0.0 ;; esac; keep=1; }
system_dir() {
  k=-isystem
  case $1/ in @OF_THE_MACHINE@) return ;; esac
  for header in @HEADERS@; do
    if [ -e "$1/$header" ]; then k=-iwithprefixbefore; return; fi
  done
}
linker_word() {
  a=$1 k=$1 keep= z=
  case $word in
    drop) word=; return ;;
    pad) word=; pad; return ;;
    z) word=; case $a in @KEYWORDS@*) keep=1 z=1; return ;; esac ;;
  esac
  case $a in
    -z) word=z ;;
@WORDS@    *) keep=1 ;;
  esac
}
change=
for a do
  case $a in
    -Wl,*) case ${a#-Wl}, in @INTERESTING_WORDS@) change=1; break ;; esac ;;
    @INTERESTING_ARGS@) change=1; break ;;
  esac
done
if [ -n "$change" ]; then
  n=$# next= word=
  while [ "$n" -gt 0 ]; do
    a=$1 k=$1 keep=
    shift
    n=$((n - 1))
    case $next in
      drop) next=; continue ;;
      pad) next=; pad; set -- "$@" "$k"; continue ;;
      system) next=; system_dir "$a"; set -- "$@" "$k" "$a"; continue ;;
      linker)
        next=
        linker_word "$a"
        if [ -n "$z" ]; then set -- "$@" -Xlinker -z; fi
        if [ -n "$keep" ]; then set -- "$@" -Xlinker "$k"; fi
        continue ;;
    esac
    case $a in
    -Xlinker) next=linker ;;
    -Wl,*)
      rest=${a#-Wl,}, kept=
      while [ -n "$rest" ]; do
        linker_word "${rest%%,*}"
        if [ -n "$keep" ]; then kept=$kept${z:+,-z},$k; fi
        rest=${rest#*,}
      done
      if [ -n "$kept" ]; then k=-Wl$kept keep=1; else keep=; fi ;;
@ARGS@    *) keep=1 ;;
    esac
    if [ -n "$keep" ]; then set -- "$@" "$k"; fi
  done
  if [ "$next" = linker ]; then set -- "$@" -Xlinker; fi
  if [ "$next" = system ]; then set -- "$@" -isystem; fi
  if [ "$word" = z ]; then set -- "$@" -Wl,-z; fi
fi
"#;
