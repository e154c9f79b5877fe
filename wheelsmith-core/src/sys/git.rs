//! The user's git, without variables that make it read another repository.

use super::Env;

/// Variables by which a hook or an outer git names another repository, and those that change how
/// git finds repositories and reads paths.
const FOREIGN_VARIABLES: [&str; 14] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Removes the variables that name another repository from `env`.
pub(crate) fn forget_repository(env: &mut Env) {
    for name in FOREIGN_VARIABLES {
        env.remove(name);
    }
}
