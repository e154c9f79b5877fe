//! Digests in `RECORD`: a name of an algorithm, `=`, and URL-safe base64 without padding.

use sha2::digest::DynDigest;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// Algorithm that installers trust. SHA-256 is the one that tools write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    /// Splits a digest into its algorithm and its text; `None` if the algorithm is not trusted.
    pub(crate) fn split(digest: &str) -> Option<(Self, &str)> {
        let (name, text) = digest.split_once('=')?;
        let algorithm = match name {
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        };
        Some((algorithm, text))
    }

    /// Returns its name in `RECORD`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Returns a hasher that has read no bytes.
    pub(crate) fn hasher(self) -> Box<dyn DynDigest> {
        match self {
            Self::Sha256 => Box::new(Sha256::new()),
            Self::Sha384 => Box::new(Sha384::new()),
            Self::Sha512 => Box::new(Sha512::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_name_their_algorithm() {
        let check = |digest: &str, expected: Option<(Algorithm, &str, usize)>| {
            let found = Algorithm::split(digest);
            let found =
                found.map(|(algorithm, text)| (algorithm, text, algorithm.hasher().output_size()));
            assert_eq!(found, expected, "{digest}");
            if let Some((algorithm, text, _)) = found {
                assert_eq!(format!("{}={text}", algorithm.name()), digest);
            }
        };
        check("sha256=ab", Some((Algorithm::Sha256, "ab", 32)));
        check("sha384=ab=", Some((Algorithm::Sha384, "ab=", 48)));
        check("sha512=", Some((Algorithm::Sha512, "", 64)));
        check("md5=ab", None);
        check("SHA256=ab", None);
        check("sha256", None);
        check("", None);
    }
}
