//! Names of packages that Python can import.

use wheelsmith_core::name::ProjectName;

/// Words of the language, in lower case as module names are.
const KEYWORDS: &str = "and as assert async await break class continue def del elif else except \
    finally for from global if import in is lambda nonlocal not or pass raise return try while \
    with yield";

/// Modules of the standard library of any Python from 3.8 on: Python finds them before any package
/// that is installed.
const STANDARD_LIBRARY: &str = "abc aifc annotationlib antigravity argparse array ast asynchat \
    asyncio asyncore atexit audioop base64 bdb binascii bisect builtins bz2 calendar cgi cgitb \
    chunk cmath cmd code codecs codeop collections colorsys compileall compression concurrent \
    configparser contextlib contextvars copy copyreg cprofile crypt csv ctypes curses dataclasses \
    datetime dbm decimal difflib dis distutils doctest email encodings ensurepip enum errno \
    faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt \
    getpass gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib imaplib imghdr imp \
    importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale logging lzma \
    mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc \
    nis nntplib nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev pathlib pdb \
    pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats \
    pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib \
    resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site smtpd \
    smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat \
    statistics string stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny \
    tarfile telnetlib tempfile termios test textwrap this threading time timeit tkinter token \
    tokenize tomllib trace traceback tracemalloc tty turtle turtledemo types typing unicodedata \
    unittest urllib uu uuid venv warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml \
    xmlrpc zipapp zipfile zipimport zlib zoneinfo";

/// Names of devices, which Windows gives to no file and no directory.
const DEVICES: &str = "aux com1 com2 com3 com4 com5 com6 com7 com8 com9 con lpt1 lpt2 lpt3 lpt4 \
    lpt5 lpt6 lpt7 lpt8 lpt9 nul prn";

/// Returns the package's name for a project.
///
/// # Errors
/// Returns the reason if Python could not import a package of that name.
pub(super) fn of(project: &ProjectName) -> Result<String, String> {
    let module = project.escaped();
    let is_in = |words: &str| words.split_whitespace().any(|word| word == module);
    let reason = if module.starts_with(|c: char| c.is_ascii_digit()) {
        "a module's name cannot begin with a digit"
    } else if is_in(KEYWORDS) {
        "it is a keyword of Python"
    } else if is_in(STANDARD_LIBRARY) {
        "Python's standard library has a module of this name"
    } else if is_in(DEVICES) {
        "Windows has a device of this name"
    } else {
        return Ok(module);
    };
    Err(format!("cannot name a package `{module}`: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_can_be_imported() {
        let check = |project: &str, expected: Result<&str, &str>| {
            let project: ProjectName = project.parse().unwrap();
            match (of(&project), expected) {
                (Ok(module), Ok(expected)) => assert_eq!(module, expected),
                (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
                (result, _) => panic!("{project}: {result:?}"),
            }
        };
        check("Hello.World", Ok("hello_world"));
        check("none", Ok("none"));
        check("match", Ok("match"));
        check("3d-tools", Err("begin with a digit"));
        check("Class", Err("keyword"));
        check("Json", Err("standard library"));
        check("py-compile", Err("standard library"));
        check("AUX", Err("device"));
    }
}
