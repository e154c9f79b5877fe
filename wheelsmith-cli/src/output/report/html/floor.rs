//! Bars of the system version that each file requires: the newest glibc symbol, or the oldest
//! macOS.

use std::fmt::Write as _;

use wheelsmith_core::audit::{self, Input, NativeFile};
use wheelsmith_core::binary::macho::Platform;
use wheelsmith_core::name::{PlatformTag, PlatformVersion};

use crate::output::report::escape::Markup;
use crate::output::report::words::{count, file_name};

/// Number of bars that are shown; the others are folded.
const SHOWN: usize = 14;

/// Axis of versions: its name and its grid lines.
struct Axis {
    what: &'static str,
    ticks: &'static [(u16, u16)],
}

const GLIBC: Axis = Axis {
    what: "glibc",
    ticks: &[(2, 5), (2, 12), (2, 17), (2, 24), (2, 28), (2, 31), (2, 34), (2, 39)],
};
const MACOS: Axis = Axis {
    what: "macOS",
    ticks: &[(10, 9), (10, 15), (11, 0), (12, 0), (13, 0), (14, 0), (15, 0), (26, 0)],
};

impl Axis {
    /// Returns the position of a version on the axis. Distances count releases.
    fn place(&self, version: PlatformVersion) -> f64 {
        let (major, minor) = (f64::from(version.major), f64::from(version.minor));
        if self.what == "glibc" {
            return minor;
        }
        match version.major {
            // 10.0 to 10.15, then one a year; 26 came after 15.
            ..=10 => minor.min(15.0),
            11..=15 => 5.0 + major,
            _ => (major - 26.0).max(0.0) + 21.0,
        }
    }
}

/// Renders the bars with their caption; empty if no file has such a version.
pub(super) fn section(input: &Input) -> String {
    let mut out = String::new();
    chart(&mut out, input, &GLIBC, glibc);
    chart(&mut out, input, &MACOS, macos);
    out
}

fn chart(
    out: &mut String,
    input: &Input,
    axis: &Axis,
    version: impl Fn(&NativeFile) -> Option<PlatformVersion>,
) {
    let mut bars: Vec<(PlatformVersion, &NativeFile)> =
        input.files.iter().filter_map(|file| Some((version(file)?, file))).collect();
    if bars.is_empty() {
        return;
    }
    bars.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.path.cmp(&b.1.path)));
    let claimed = claimed(input, axis);
    let places = bars.iter().map(|bar| bar.0).chain(claimed).map(|version| axis.place(version));
    let (least, most) = places.fold((f64::MAX, 0.0_f64), |(a, b), at| (a.min(at), b.max(at)));
    // A margin before the smallest version keeps its bar visible.
    let (start, end) = ((least - 4.0).max(0.0), most + 1.0);
    let percent = |version| (axis.place(version) - start) / (end - start) * 100.0;
    let _ = write!(
        out,
        "<section class=\"card\"><h3>The {} that each file needs</h3><p class=\"dim\">",
        axis.what
    );
    let _ = match claimed {
        Some(floor) => write!(
            out,
            "The line is the floor of the tag: {} {floor}. A file whose bar crosses it does not \
             qualify.",
            axis.what
        ),
        None => write!(out, "The newest one decides the tag of the whole input."),
    };
    out.push_str("</p><div class=\"bars\"><div class=\"axis\"><span></span><div class=\"track\">");
    let ticks = axis.ticks.iter().map(|&(major, minor)| PlatformVersion::new(major, minor));
    let mut label = f64::MIN;
    for tick in ticks {
        let at = percent(tick);
        // Labels do not overlap.
        if (0.0..=96.0).contains(&at) && at - label >= 9.0 {
            let _ = write!(out, "<span style=\"left:{at:.2}%\">{tick}</span>");
            label = at;
        }
    }
    out.push_str("</div></div>");
    let bar = |out: &mut String, (version, file): &(PlatformVersion, &NativeFile)| {
        let is_beyond = claimed.is_some_and(|floor| *version > floor);
        let class = if is_beyond { "beyond" } else { "within" };
        let path = file.path.as_str();
        let _ = write!(
            out,
            "<div class=\"bar {class}\"><span class=\"name\" title=\"{}\"><span>{}</span></span><div \
             class=\"track\">",
            Markup(path),
            Markup(file_name(path)),
        );
        if let Some(floor) = claimed {
            let _ = write!(out, "<u style=\"left:{:.2}%\"></u>", percent(floor));
        }
        let at = percent(*version);
        let side = if at > 80.0 { " inside" } else { "" };
        let _ = write!(
            out,
            "<b class=\"fill{side}\" style=\"width:{at:.2}%\"><em>{version}</em></b></div></div>"
        );
    };
    let (shown, rest) = bars.split_at(bars.len().min(SHOWN));
    for found in shown {
        bar(out, found);
    }
    if !rest.is_empty() {
        let _ = write!(out, "<details><summary>{}</summary>", count(rest.len(), "more file"));
        for found in rest {
            bar(out, found);
        }
        out.push_str("</details>");
    }
    out.push_str("</div></section>");
}

/// Returns the oldest version that the tags of the input permit.
fn claimed(input: &Input, axis: &Axis) -> Option<PlatformVersion> {
    let tags = input.tag.iter().chain(match input.tag {
        Some(_) => &[],
        None => input.claimed_tags.as_slice(),
    });
    let version = |tag: &PlatformTag| match tag.modern() {
        PlatformTag::Manylinux { glibc, .. } if axis.what == "glibc" => Some(glibc),
        PlatformTag::MacOs { min, .. } if axis.what == "macOS" => Some(min),
        _ => None,
    };
    tags.filter_map(version).min()
}

/// Returns the oldest glibc that a file runs on.
pub(super) fn glibc(file: &NativeFile) -> Option<PlatformVersion> {
    audit::glibc_floor(file)
}

/// Returns the newest of the macOS versions that the slices of a file require.
pub(super) fn macos(file: &NativeFile) -> Option<PlatformVersion> {
    let builds = file.macho()?.slices.iter().flat_map(|slice| &slice.builds);
    builds.filter(|build| build.platform == Platform::MacOs).map(|build| build.minimum).max()
}
