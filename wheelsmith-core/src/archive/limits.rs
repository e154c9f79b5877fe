//! Limits that protect against hostile or damaged inputs.

/// Limits of an input. A member beyond a limit is a finding (`over-limit`), not an error: the
/// others are judged.
///
/// The defaults were chosen from the largest wheels of public indexes, and are larger than those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Members of one artifact, including directories. 100 000.
    pub members: u64,
    /// Size of the directory of a zip archive, in bytes. 12 MiB.
    pub directory_bytes: u64,
    /// Unpacked size of one member, in bytes. 8 GiB.
    pub member_bytes: u64,
    /// Unpacked size of all members together, in bytes. 64 GiB.
    pub total_bytes: u64,
    /// Unpacked bytes for each packed byte, for members larger than [`Limits::ratio_from_bytes`].
    /// 400; deflate reaches at most 1032.
    pub ratio: u64,
    /// Size up to which members may have any ratio, in bytes. 64 MiB.
    pub ratio_from_bytes: u64,
    /// Path of one member, in bytes. 1024.
    pub path_bytes: usize,
    /// Native files of one artifact, including embedded ones. 20 000.
    pub native_files: usize,
    /// Nesting depth of archives and images. 3.
    pub depth: u32,
    /// Bytes of one native file that are in memory at once. 256 MiB.
    pub held_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            members: 100_000,
            directory_bytes: 12 << 20,
            member_bytes: 8 << 30,
            total_bytes: 64 << 30,
            ratio: 400,
            ratio_from_bytes: 64 << 20,
            path_bytes: 1024,
            native_files: 20_000,
            depth: 3,
            held_bytes: 256 << 20,
        }
    }
}
