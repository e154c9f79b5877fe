//! Draws the sizes of files as areas: the parts that the loader reads, and the others.
//!
//! Squarified (Bruls, Huizing, van Wijk, "Squarified treemaps", 2000): a row is filled as long as
//! that brings its rectangles closer to squares.

use std::fmt::Write as _;

use wheelsmith_core::audit::{Input, NativeFile};

use crate::output::report::escape::{Markup, shown};
use crate::output::report::words::{count, module_name, size};

/// Number of files that are drawn separately; smaller ones share an area.
const MOST_FILES: usize = 120;
/// Width of a character (11 px, proportional), rounded up.
const CHAR: f64 = 6.8;

/// Rectangle: left, top, width, height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) w: f64,
    pub(super) h: f64,
}

struct Tile {
    path: String,
    bytes: u64,
    /// Number of bytes that are never loaded.
    unloaded: u64,
}

/// Renders the drawing with its caption; empty if there are no bytes.
pub(super) fn section(input: &Input) -> String {
    let tiles = tiles(&input.files);
    let total: u64 = tiles.iter().map(|tile| tile.bytes).fold(0, u64::saturating_add);
    if tiles.is_empty() || total == 0 {
        return String::new();
    }
    let unloaded: u64 = tiles.iter().map(|tile| tile.unloaded).fold(0, u64::saturating_add);
    let mut out = String::from("<section class=\"card\"><h3>Sizes</h3>");
    let loaded = size(total.saturating_sub(unloaded));
    let _ = write!(
        out,
        "<p class=\"legend\"><span><i class=\"key loaded\"></i>loaded: {loaded}</span>"
    );
    if unloaded > 0 {
        let never = size(unloaded);
        let _ = write!(out, "<span><i class=\"key unloaded\"></i>never loaded: {never}</span>");
    }
    out.push_str("</p>");
    // A tall drawing for phones and a wide one for other screens; the style sheet selects one.
    for (class, w, h) in [("wide", 960.0, 360.0), ("tall", 340.0, 460.0)] {
        let _ = write!(
            out,
            "<svg class=\"treemap {class}\" viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"Sizes \
             of the native files\">"
        );
        draw(&mut out, &tiles, Area { x: 0.0, y: 0.0, w, h });
        out.push_str("</svg>");
    }
    out.push_str("</section>");
    out
}

fn tiles(files: &[NativeFile]) -> Vec<Tile> {
    let tile = |file: &NativeFile| Tile {
        path: file.path.to_string(),
        bytes: file.size_bytes,
        unloaded: file.elf().map_or(0, |elf| elf.unloaded_bytes).min(file.size_bytes),
    };
    let mut tiles: Vec<Tile> = files.iter().map(tile).filter(|tile| tile.bytes > 0).collect();
    tiles.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    if tiles.len() > MOST_FILES {
        let rest = tiles.split_off(MOST_FILES - 1);
        tiles.push(Tile {
            path: count(rest.len(), "smaller file"),
            bytes: rest.iter().map(|tile| tile.bytes).fold(0, u64::saturating_add),
            unloaded: rest.iter().map(|tile| tile.unloaded).fold(0, u64::saturating_add),
        });
        tiles.sort_by_key(|tile| std::cmp::Reverse(tile.bytes));
    }
    tiles
}

fn draw(out: &mut String, tiles: &[Tile], area: Area) {
    let bytes: Vec<f64> = tiles.iter().map(|tile| tile.bytes as f64).collect();
    for (tile, area) in tiles.iter().zip(squarify(&bytes, area)) {
        // A margin of up to 0.75 pixels on each side separates neighbours.
        let gap = 0.75_f64.min(area.w / 4.0).min(area.h / 4.0);
        let Area { x, y, w, h } =
            Area { x: area.x + gap, y: area.y + gap, w: area.w - 2.0 * gap, h: area.h - 2.0 * gap };
        let share = tile.unloaded as f64 / tile.bytes as f64;
        let never = match tile.unloaded {
            0 => String::new(),
            some => format!(", of them {} never loaded", size(some)),
        };
        let title = format!("{}: {}{never}", tile.path, size(tile.bytes));
        let _ = write!(
            out,
            "<g><title>{}</title><rect class=\"loaded\" x=\"{x:.2}\" y=\"{y:.2}\" width=\"{w:.2}\" \
             height=\"{h:.2}\" rx=\"2\"/>",
            Markup(&title)
        );
        if share > 0.0 {
            let _ = write!(
                out,
                "<rect class=\"unloaded\" x=\"{x:.2}\" y=\"{:.2}\" width=\"{w:.2}\" \
                 height=\"{:.2}\" rx=\"2\"/>",
                y + h * (1.0 - share),
                h * share
            );
        }
        caption(out, tile, Area { x, y, w, h });
        out.push_str("</g>");
    }
}

/// Writes the name, cut to the width, and the size below it if there is space.
fn caption(out: &mut String, tile: &Tile, area: Area) {
    let place = ((area.w - 10.0) / CHAR).max(0.0);
    if place < 5.0 || area.h < 18.0 {
        return;
    }
    let name = shown(&module_name(&tile.path));
    let fits = |at: &usize| (*at as f64) < place;
    let mut text: String =
        name.chars().enumerate().take_while(|(at, _)| fits(at)).map(|(_, c)| c).collect();
    if text.len() < name.len() {
        text.pop();
        text.push('…');
    }
    let (x, y) = (area.x + 5.0, area.y + 14.0);
    let _ = write!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", Markup(&text));
    let size = size(tile.bytes);
    if area.h >= 34.0 && size.len() as f64 <= place {
        let y = y + 14.0;
        let _ = write!(out, "<text class=\"dim\" x=\"{x:.1}\" y=\"{y:.1}\">{size}</text>");
    }
}

/// Returns a rectangle for each value, the largest first. The areas are proportional to the values
/// and fill `area`.
pub(super) fn squarify(values: &[f64], area: Area) -> Vec<Area> {
    let total: f64 = values.iter().sum();
    let scale = if total > 0.0 { area.w * area.h / total } else { 0.0 };
    let mut left = area;
    let mut areas = Vec::with_capacity(values.len());
    let mut rest = values;
    while !rest.is_empty() {
        let side = left.w.min(left.h);
        let mut row = 1;
        while row < rest.len()
            && worst(&rest[..=row], side, scale) <= worst(&rest[..row], side, scale)
        {
            row += 1;
        }
        let (now, later) = rest.split_at(row);
        left = fill(now, left, scale, &mut areas);
        rest = later;
    }
    areas
}

/// Returns the worst ratio of sides in a row along `side`.
fn worst(row: &[f64], side: f64, scale: f64) -> f64 {
    let sum: f64 = row.iter().sum::<f64>() * scale;
    let most = row.iter().copied().fold(0.0, f64::max) * scale;
    let least = row.iter().copied().fold(f64::MAX, f64::min) * scale;
    let square = side * side;
    (square * most / (sum * sum)).max(sum * sum / (square * least))
}

/// Places a row along the shorter side, and returns the remaining area.
fn fill(row: &[f64], area: Area, scale: f64, areas: &mut Vec<Area>) -> Area {
    let sum: f64 = row.iter().sum::<f64>() * scale;
    let is_column = area.w >= area.h;
    let side = if is_column { area.h } else { area.w };
    let thick = if side > 0.0 { sum / side } else { 0.0 };
    let mut at = 0.0;
    for value in row {
        let long = if thick > 0.0 { value * scale / thick } else { 0.0 };
        areas.push(if is_column {
            Area { x: area.x, y: area.y + at, w: thick, h: long }
        } else {
            Area { x: area.x + at, y: area.y, w: long, h: thick }
        });
        at += long;
    }
    if is_column {
        Area { x: area.x + thick, w: (area.w - thick).max(0.0), ..area }
    } else {
        Area { y: area.y + thick, h: (area.h - thick).max(0.0), ..area }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64]) {
        let whole = Area { x: 0.0, y: 0.0, w: 600.0, h: 400.0 };
        let areas = squarify(values, whole);
        assert_eq!(areas.len(), values.len());
        let total: f64 = values.iter().sum();
        for (value, area) in values.iter().zip(&areas) {
            let wanted = value / total * 240_000.0;
            assert!((area.w * area.h - wanted).abs() < 1e-6 * 240_000.0, "{area:?}");
            assert!(area.x >= -1e-6 && area.x + area.w <= 600.1, "{area:?}");
            assert!(area.y >= -1e-6 && area.y + area.h <= 400.1, "{area:?}");
        }
    }

    #[test]
    fn areas_are_as_the_values_and_fill_the_whole() {
        check(&[6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0]);
        check(&[1.0]);
        check(&[1e12, 1.0]);
        check(&(1..200).rev().map(f64::from).collect::<Vec<_>>());
    }

    /// Checks the example of the paper.
    #[test]
    fn rectangles_are_nearly_square() {
        let whole = Area { x: 0.0, y: 0.0, w: 6.0, h: 4.0 };
        let areas = squarify(&[6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0], whole);
        assert_eq!(areas[0], Area { x: 0.0, y: 0.0, w: 3.0, h: 2.0 });
        assert_eq!(areas[1], Area { x: 0.0, y: 2.0, w: 3.0, h: 2.0 });
    }
}
