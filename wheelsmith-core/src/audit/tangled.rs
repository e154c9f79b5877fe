//! Message about libraries that need each other in too many ways.

/// Message if the graph of libraries is too large.
pub(super) const TANGLED: &str =
    "the libraries of the wheel need each other in more ways than the audit can follow";
/// Fix for it.
pub(super) const TANGLED_HELP: &str =
    "reduce the libraries that need each other, for example by linking some of them statically";
