//! Validation of components of Go.

use super::Check;
use crate::config::{BuildMode, Go};

impl Check<'_> {
    pub(super) fn go(&mut self, key: &str, go: &Go) {
        if !go.cgo && go.build_mode != BuildMode::Exe {
            let message = format!("`build-mode = \"{}\"` needs cgo", go.build_mode);
            self.problem(&format!("{key}.cgo"), message, Some("leave `cgo` out"));
        }
        let is_inside = |part: &str| part != "..";
        if go.package != "." && !go.package.starts_with("./")
            || !go.package.split('/').all(is_inside)
            || go.package.contains("...")
        {
            let message = format!("`{}` is no package of the module", go.package);
            let help = "write its directory in the module, such as `./cmd/demo`";
            self.problem(&format!("{key}.package"), message, Some(help));
        }
    }
}
