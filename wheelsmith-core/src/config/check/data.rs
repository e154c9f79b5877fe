//! Validation of files that a wheel installs beside its packages.

use super::Check;
use crate::config::data_table::{DataEntry, DataTable};
use crate::config::{DataFiles, Scheme};

impl Check<'_> {
    /// Checks the lists of the wheel at the key `wheel`.
    pub(super) fn data_files(&mut self, wheel: &str, raw: DataTable) -> Vec<DataFiles> {
        let lists = [
            (Scheme::Scripts, raw.scripts),
            (Scheme::Headers, raw.headers),
            (Scheme::Data, raw.data),
        ];
        let mut files = Vec::new();
        for (scheme, list) in lists {
            for (i, DataEntry { from, to }) in list.into_iter().enumerate() {
                let key = format!("{wheel}.data.{}[{i}]", scheme.as_str());
                if scheme == Scheme::Scripts && to.is_some() {
                    let help = "leave `to` out: installers put all commands into one directory";
                    let message = "installers refuse directories below `scripts`";
                    self.problem(&format!("{key}.to"), message, Some(help));
                }
                files.push(DataFiles { key, scheme, from, to });
            }
        }
        files
    }
}
