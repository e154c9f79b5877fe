//! Mutations that find more faults than random bytes: numbers at limits, parts moved, removed,
//! repeated, or copied from another input.

/// Pseudo-random numbers (xorshift64*).
pub struct Random(u64);

impl Random {
    /// Creates the sequence of `seed`.
    pub fn new(seed: &str) -> Self {
        // FNV-1a, so that no two targets have the same one.
        let hash = seed.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(hash | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Returns a number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or_default() % end.max(1)
    }
}

/// Numbers for which comparisons, sums and products of sizes often fail.
const EDGES: [u64; 14] = [
    0,
    1,
    2,
    0x7f,
    0xff,
    0x1000,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0xffff_ffff_ffff_fff0,
    u64::MAX,
];
/// Largest size of an input, in bytes.
const LONGEST: usize = 256 << 10;

/// Returns `bytes` with a few changes, some of them parts of `other`.
pub fn mutate(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        change(&mut bytes, other, random);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = place(bytes.len(), random);
    match random.below(8) {
        0 => flip(bytes, at, random),
        1..=3 => number(bytes, at, random),
        4 => bytes.truncate(at),
        5 => {
            let end = (at + 1 + random.below(64)).min(bytes.len());
            bytes.drain(at..end);
        }
        6 => {
            let part = part(bytes, random).to_vec();
            bytes.splice(at..at, part);
        }
        _ => {
            let part = part(other, random);
            let end = (at + part.len()).min(bytes.len());
            bytes.splice(at..end, part.iter().copied());
        }
    }
}

/// Returns an offset, half of the time among the first bytes, where headers are.
fn place(length: usize, random: &mut Random) -> usize {
    let length = if random.below(2) == 0 { length.min(1024) } else { length };
    random.below(length)
}

fn flip(bytes: &mut [u8], at: usize, random: &mut Random) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

/// Replaces a number of 1, 2, 4 or 8 bytes by one at or near a limit.
fn number(bytes: &mut [u8], at: usize, random: &mut Random) {
    let size = 1 << random.below(4);
    let at = at / size * size;
    let Some(field) = bytes.get_mut(at..at + size) else { return };
    let is_big = random.below(4) == 0;
    let mut value = [0; 8];
    value[..size].copy_from_slice(field);
    if is_big {
        value[..size].reverse();
    }
    let old = u64::from_le_bytes(value);
    let near = random.below(17) as u64;
    let new = match random.below(3) {
        0 => old.wrapping_add(near).wrapping_sub(8),
        1 => old << (near % 8),
        _ => EDGES[random.below(EDGES.len())],
    };
    let mut new = new.to_le_bytes();
    if is_big {
        new[..size].reverse();
    }
    field.copy_from_slice(&new[..size]);
}

fn part<'b>(bytes: &'b [u8], random: &mut Random) -> &'b [u8] {
    let start = place(bytes.len(), random);
    &bytes[start..(start + random.below(256)).min(bytes.len())]
}
