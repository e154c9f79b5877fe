//! How much of an input is read before it counts as absurd.

/// What no real input has more of. What goes beyond is a finding (`over-limit`), not an error: the
/// rest is judged.
///
/// The numbers were chosen from the largest wheels of public indexes, with room to grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Members of one artifact, directories included. 100 000.
    pub members: u64,
    /// The directory of a zip archive, in bytes. 12 MiB.
    pub directory_bytes: u64,
    /// The size of one member when unpacked, in bytes. 8 GiB.
    pub member_bytes: u64,
    /// What all members together have when unpacked, in bytes. 64 GiB.
    pub total_bytes: u64,
    /// Unpacked bytes for each packed one, of members above [`Limits::ratio_from_bytes`]. 400;
    /// deflate itself ends at 1032.
    pub ratio: u64,
    /// Smaller members may be packed as tightly as they like, in bytes. 64 MiB.
    pub ratio_from_bytes: u64,
    /// The path of one member, in bytes. 1024.
    pub path_bytes: usize,
    /// Native files of one artifact, embedded ones included. 20 000.
    pub native_files: usize,
    /// How deep containers and images may lie in one another. 3.
    pub depth: u32,
    /// What of one native file may be in memory at once, in bytes. 256 MiB.
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
