//! C++ runtimes inside linked files.

use super::Content;
use super::symbols::Symbols;

/// Largest file that is searched, in bytes. Others are taken for files without a private runtime.
const LARGEST: u64 = 64 << 20;

/// Name of a type of the C++ ABI, as in its type information (Itanium C++ ABI, 2.9.5). Only a file
/// that contains the runtime defines it, whether or not its symbols were stripped.
const CLASS_TYPE_INFO: &[u8] = b"N10__cxxabiv117__class_type_infoE\0";

/// True if a file has C++ symbols and a C++ runtime that no other file sees.
pub(super) fn is_private(symbols: &Symbols, content: Content<'_>) -> bool {
    let names = || symbols.undefined.iter().map(|symbol| symbol.name.as_str());
    let has_cxx = symbols.exports.has_cxx() || names().any(|name| name.starts_with("_Z"));
    if !has_cxx || names().any(is_of_runtime) || symbols.exports.contains("__cxa_throw") {
        return false;
    }
    let size = content.size();
    let bytes = if size <= LARGEST { content.get(0..size) } else { None };
    bytes.is_some_and(|bytes| memchr::memmem::find(bytes, CLASS_TYPE_INFO).is_some())
}

/// True for functions and types that every C++ runtime defines, and that C libraries do not.
fn is_of_runtime(name: &str) -> bool {
    // Not `operator new` and `delete`: they are replaceable, so that a private runtime exports them,
    // and its neighbours import them.
    const NAMES: [&str; 5] = [
        "__cxa_throw",
        "__cxa_begin_catch",
        "__cxa_allocate_exception",
        "__cxa_pure_virtual",
        "__gxx_personality_v0",
    ];
    NAMES.contains(&name) || name.starts_with("_ZTVN10__cxxabiv1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::symbols::{Exports, Undefined};

    #[test]
    fn a_private_runtime_is_found_by_its_type_information() {
        let check = |exports: &[&str], undefined: &[&str], bytes: &[u8], expected: bool| {
            let undefined = undefined.iter().map(|name| Undefined {
                name: (*name).to_owned(),
                version: None,
                weak: false,
            });
            let symbols = Symbols {
                undefined: undefined.collect(),
                exports: Exports::of(exports.iter().copied()),
            };
            let found = is_private(&symbols, Content::Whole(bytes));
            assert_eq!(found, expected, "{exports:?} {undefined:?}", undefined = symbols.undefined);
        };
        let runtime = b"..N10__cxxabiv117__class_type_infoE\0..";
        check(&["_Z4namei"], &[], runtime, true);
        check(&[], &["_Z4namei"], runtime, true);
        check(&["_Z4namei"], &[], b"no runtime", false);
        check(&["name"], &[], runtime, false);
        check(&["_Z4namei"], &["__cxa_throw"], runtime, false);
        check(&["_Z4namei"], &["_ZTVN10__cxxabiv120__si_class_type_infoE"], runtime, false);
        check(&["_Z4namei"], &["_Znwm", "_ZdlPv"], runtime, true);
        check(&["_Z4namei"], &["_Znwm"], b"no runtime", false);
        check(&["_Z4namei", "__cxa_throw"], &[], runtime, false);
        check(&[], &[], runtime, false);
    }
}
