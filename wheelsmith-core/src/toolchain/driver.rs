//! Generates a POSIX shell script for the features of gcc and clang that `zig cc` lacks.
//!
//! zig compiles one file at a time, writes no assembly to standard output, replaces the file after
//! `-o` even if it is `/dev/null`, and fails on queries such as `-dumpmachine` if the target has a
//! floor. Makefiles, `configure`, cmake and meson rely on all of these. The usual command line, one
//! file to one object, costs one pass over its arguments and no process.

use super::filter::quoted;

/// Facts that a driver script needs.
pub(super) struct Driver<'a> {
    /// Path of zig.
    pub(super) program: &'a str,
    /// `cc` or `c++`.
    pub(super) command: &'a str,
    /// Arguments after the command on every line.
    pub(super) args: &'a [String],
    /// zig's name of the target, without a floor.
    pub(super) plain_target: &'a str,
    /// GNU name of the target, printed for `-dumpmachine`.
    pub(super) machine: &'a str,
    /// True if it links by `zig cc` to the shared C++ runtime.
    pub(super) shares_cxx: bool,
    /// Arguments that turn off `-pie`; `None` if programs are not linked with `-pie` by default.
    pub(super) pie: Option<&'a [&'a str]>,
}

/// Options with a value in the next argument.
const VALUES: &str = "-o|-x|-I|-D|-U|-L|-l|-T|-u|-z|-e|-F|-A|-G|-h|-include|-imacros|-isystem|\
    -idirafter|-iquote|-iprefix|-iwithprefix|-iwithprefixbefore|-isysroot|--sysroot|-MF|-MT|-MQ|\
    -Xlinker|-Xclang|-Xpreprocessor|-Xassembler|-arch|-framework|-target|--target|-aux-info|\
    -mllvm|--param|-rpath|-install_name|-compatibility_version|-current_version|-soname|-dumpdir|\
    -dumpbase|-wrapper|-B|-exported_symbols_list|-unexported_symbols_list|-undefined|-weak_library|\
    -weak_framework|-force_load";

/// Names of files that are compiled.
const SOURCES: &str = "*.c|*.i|*.ii|*.m|*.mi|*.mm|*.M|*.mii|*.h|*.hh|*.H|*.hp|*.hxx|*.hpp|*.HPP|\
    *.h++|*.tcc|*.cc|*.cp|*.cxx|*.cpp|*.CPP|*.c++|*.C|*.s|*.S|*.sx";

/// Returns the part of a wrapper that replaces response files (`@file`) by their words, so that the
/// rules apply to them. After it, only response files of half a megabyte or more remain.
pub(super) fn response_files() -> &'static str {
    RESPONSE_FILES
}

/// Returns the last part of a wrapper, which runs zig, once or for each source.
pub(super) fn to_sh(driver: &Driver<'_>) -> String {
    let Driver { program, command, args, plain_target, machine, shares_cxx, pie } = driver;
    let start = [*program, *command].map(quoted).join(" ");
    let own: String = args.iter().map(|arg| format!(" {}", quoted(arg))).collect();
    let pie_words = pie.map_or_else(|| "''".to_owned(), |words| words.join("|"));
    let (pie_on, pie_off) = if pie.is_some() { ("pie=-pie", "pie=") } else { ("pie=", "pie=") };
    let link = if *shares_cxx { SHARED_CXX } else { "" };
    DRIVER
        .replace("@SHARED_CXX@", link)
        .replace("@LINK@", &[*program, "cc"].map(quoted).join(" "))
        .replace("@CXX_LIBRARY@", &format!("-l{}", super::cxx::LINK_NAME))
        .replace("@START@", &start)
        .replace("@OWN@", &own)
        .replace("@PLAIN@", &quoted(plain_target))
        .replace("@MACHINE@", &quoted(machine))
        .replace("@LANGUAGE@", if *command == "c++" { "c++" } else { "c" })
        .replace("@VALUES@", VALUES)
        .replace("@SOURCES@", SOURCES)
        .replace("@PIE_ON@", pie_on)
        .replace("@PIE_OFF@", pie_off)
        .replace("@PIE_WORDS@", &pie_words)
}

// Splits a response file into words like libiberty, and quotes each for `eval`.
const RESPONSE_FILES: &str = r#"words() {
  awk 'function emit() { gsub(q, q "\\" q q, word); printf " %s%s%s", q, word, q; word = ""; has = 0 }
  BEGIN { q = sprintf("%c", 39); word = mode = ""; has = escaped = 0 }
  { line = $0 "\n"; n = length(line)
    for (i = 1; i <= n; i++) { c = substr(line, i, 1)
      if (escaped) { escaped = 0; if (c != "\n") { word = word c; has = 1 } }
      else if (c == "\\") escaped = 1
      else if (mode != "") { if (c == mode) mode = ""; else word = word c }
      else if (c == "\"" || c == q) { mode = c; has = 1 }
      else if (c ~ /[ \t\r\n\f\v]/) { if (has) emit() }
      else { word = word c; has = 1 } } }
  END { if (has) emit() }' "$1"
}
depth=0
while [ "$depth" -lt 4 ]; do
  all= at=0 found=
  for a do
    at=$((at + 1))
    case $a in
      @?*) if [ -f "${a#@}" ] && [ -r "${a#@}" ] && [ "$(wc -c <"${a#@}")" -lt 500000 ]; then
          found=1 all="$all $(words "${a#@}")"
        else all="$all \"\${$at}\""
        fi ;;
      *) all="$all \"\${$at}\"" ;;
    esac
  done
  [ -n "$found" ] || break
  eval "set -- $all"
  depth=$((depth + 1))
done
"#;

const DRIVER: &str = r#"quiet=
run() { @START@@OWN@ $pie $quiet "$@"; }
mode= sources=0 others= out= language= input= query= value= last=
@PIE_ON@
for a do
  if [ -n "$value" ]; then
    case $value in
      -o) out=$a ;;
      -x) language=$a; case $a in none) language= ;; esac ;;
    esac
    value= last=
    continue
  fi
  last=$a
  case $a in
    @PIE_WORDS@|@*) @PIE_OFF@ ;;
  esac
  case $a in
    @VALUES@) value=$a ;;
    -o*) out=${a#-o} ;;
    -x*) language=${a#-x} ;;
    -c|-S|-E|-M|-MM|-fsyntax-only) mode=$mode$a, ;;
    -v|-###|-dump*|-print-*|--print-*|--version|--help|--help=*|--target-help) query=$a ;;
    -Wl,--version|-Wl,-v|-Wl,-V|-Wl,--version,*) query=-Wl,--version ;;
    -) input=1 sources=$((sources + 1)) ;;
    -*) ;;
    @SOURCES@) sources=$((sources + 1)) ;;
    *) if [ -n "$language" ]; then sources=$((sources + 1)); else others=1; fi ;;
  esac
done
if [ -n "$query" ] && [ "$sources" = 0 ] && [ -z "$others" ]; then
  # No libraries and programs of the build machine.
  case ${query#-} in
    -print-*) query=-${query#--} ;;
  esac
  case $query in
    -dumpmachine|-print-multiarch) echo @MACHINE@; exit ;;
    -print-file-name=*|-print-prog-name=*) echo "${query#*=}"; exit ;;
    -print-libgcc-file-name) echo libgcc.a; exit ;;
    -print-search-dirs) echo 'install: '; echo 'programs: ='; echo 'libraries: ='; exit ;;
    -print-sysroot|-print-sysroot-headers-suffix) echo; exit ;;
    -print-multi-os-directory|-print-multi-directory) echo .; exit ;;
    -print-multi-lib) echo '.;'; exit ;;
    -dumpfullversion) query=-dumpversion ;;
    -v|--help)
      # libtool asks what it was given as `LD`, which is this program, and makes no shared library
      # without a GNU linker for ELF. On macOS it expects Apple's.
      @START@ -target @PLAIN@ "$query" || exit
      case @MACHINE@ in *-linux-*) ;; *) exit ;; esac
      if [ "$query" = --help ]; then
        echo '  --whole-archive, --no-whole-archive'
        echo 'ld: supported targets: elf'
        exit
      fi
      version=$(@START@ -target @PLAIN@ -dumpversion) || exit
      echo "LLD $version (compatible with GNU linkers)"
      exit ;;
    -Wl,--version)
      # zig says `zig ld`, which older build systems do not know; it is LLD of its clang's version.
      version=$(@START@ -target @PLAIN@ -dumpversion) || exit
      echo "LLD $version (compatible with GNU linkers)"
      exit ;;
  esac
  exec @START@ -target @PLAIN@ "$query"
fi
if [ -n "$input" ] && [ -z "$language" ]; then
  set -- -x @LANGUAGE@ "$@"
fi
single=
case $mode in
  *-E,*|*-M,*|*-MM,*) single=1 ;;
  *-S,*|*-c,*|*-fsyntax-only,*) ;;
  *) single=1 ;;
esac
# Where zig must not write: it replaces the file.
place=
case $out in
  -) case $mode in *-E,*|*-M,*|*-MM,*) ;; *-S,*) place=stdout ;; esac ;;
  /dev/null) place=null ;;
  /dev/stdout|/dev/fd/1|/proc/self/fd/1) place=stdout ;;
  /dev/*) place=$out ;;
esac
# zig compiles such a file with `-c` as well, and then complains of it.
case $mode in *-S,*|*-fsyntax-only,*) quiet=-Wno-unused-command-line-argument ;; esac
syntax=
case $mode in *-fsyntax-only,*) syntax=1 place=null ;; esac
# Runs zig with one of the sources, and with another output if there is a second argument.
one() {
  wanted=$1 to=$2 at=0 all= value= language= number=0
  shift 2
  for a do
    at=$((at + 1)) skip=
    if [ -n "$value" ]; then
      case $value in
        -o) if [ -n "$to" ]; then skip=1; fi ;;
        -x) language=$a; case $a in none) language= ;; esac ;;
        -L|-l|-T|-u|-z|-e|-h|-Xlinker|-rpath|-soname) if [ -n "$linking" ]; then skip=1; fi ;;
      esac
      value=
    else
      source=
      case $a in
        -L|-l|-T|-u|-z|-e|-h|-Xlinker|-rpath|-soname)
          value=$a; if [ -n "$linking" ]; then skip=1; fi ;;
        -o) value=$a; if [ -n "$to" ]; then skip=1; fi ;;
        @VALUES@) value=$a ;;
        -o*) if [ -n "$to" ]; then skip=1; fi ;;
        -x*) language=${a#-x} ;;
        -fsyntax-only) skip=1 ;;
        -c|-S) if [ -n "$syntax" ]; then skip=1; fi ;;
        -L*|-l*|-Wl,*|-shared|-pie|-no-pie|-rdynamic|-s)
          if [ -n "$linking" ]; then skip=1; fi ;;
        -) source=1 ;;
        -*) ;;
        @SOURCES@) source=1 ;;
        *) if [ -n "$language" ]; then source=1; elif [ -n "$linking" ]; then skip=1; fi ;;
      esac
      if [ -n "$source" ]; then
        number=$((number + 1))
        if [ "$wanted" != 0 ] && [ "$number" != "$wanted" ]; then skip=1; fi
      fi
    fi
    if [ -z "$skip" ]; then all="$all \"\${$at}\""; fi
  done
  eval "set -- $all"
  if [ -n "$syntax" ]; then set -- "$@" -S; fi
  if [ -n "$linking" ]; then set -- "$@" -c; fi
  if [ -n "$to" ]; then set -- "$@" -o "$to"; fi
  run "$@"
}
linking=
@SHARED_CXX@if [ "$single$place" = 1 ] || { [ "$sources" -le 1 ] && [ -z "$place" ]; }; then
  exec @START@@OWN@ $pie $quiet "$@"
fi
if [ -n "$out" ] && [ -z "$single" ] && [ "$sources" -gt 1 ] && [ -z "$syntax" ]; then
  echo 'wheelsmith: cannot use `-o` with `-c` or `-S` and several files' >&2
  exit 1
fi
if [ -z "$place" ]; then
  number=1
  while [ "$number" -le "$sources" ]; do
    wanted=$number
    one "$wanted" '' "$@" || exit
    number=$((wanted + 1))
  done
  exit 0
fi
temporary=$(mktemp -d "${TMPDIR:-/tmp}/wheelsmith-cc-XXXXXX") || exit
trap 'rm -rf "$temporary"' EXIT
trap 'exit 1' HUP INT TERM
if [ -n "$single" ]; then
  one 0 "$temporary/out" "$@" || exit
else
  number=1
  while [ "$number" -le "$sources" ]; do
    wanted=$number
    one "$wanted" "$temporary/out" "$@" || exit
    number=$((wanted + 1))
  done
fi
case $place in
  null) ;;
  stdout) cat "$temporary/out" ;;
  *) cat "$temporary/out" >"$place" ;;
esac
"#;

// Links by `zig cc`, because `zig c++` adds a private runtime. Sources on the line are compiled by
// `zig c++` before. A static program is alone in its process, and has a private runtime.
const SHARED_CXX: &str = r#"library=@CXX_LIBRARY@ alone=$mode$place
for a do
  case $a in
    -static|-static-pie) alone=1 ;;
    -nostdlib|-nostdlib++|-nodefaultlibs|-r|-Wl,-r) library= ;;
  esac
done
if [ -z "$alone" ] && [ "$sources" = 0 ]; then
  exec @LINK@@OWN@ $pie "$@" $library
fi
if [ -z "$alone" ]; then
  temporary=$(mktemp -d "${TMPDIR:-/tmp}/wheelsmith-cc-XXXXXX") || exit
  trap 'rm -rf "$temporary"' EXIT
  trap 'exit 1' HUP INT TERM
  linking=1 with_pie=$pie pie= number=1
  while [ "$number" -le "$sources" ]; do
    wanted=$number
    one "$wanted" "$temporary/$wanted.o" "$@" || exit
    number=$((wanted + 1))
  done
  at=0 all= value= language= number=0
  for a do
    at=$((at + 1)) word="\"\${$at}\"" source=
    if [ -n "$value" ]; then
      case $value in -x) word= language=$a; case $a in none) language= ;; esac ;; esac
      value=
    else
      case $a in
        -x) value=-x word= ;;
        @VALUES@) value=$a ;;
        -x*) language=${a#-x} word= ;;
        -) source=1 ;;
        -*) ;;
        @SOURCES@) source=1 ;;
        *) if [ -n "$language" ]; then source=1; fi ;;
      esac
      if [ -n "$source" ]; then
        number=$((number + 1))
        word="\"\$temporary/$number.o\""
      fi
    fi
    all="$all $word"
  done
  eval "set -- $all"
  @LINK@@OWN@ $with_pie "$@" $library
  exit
fi
"#;
