//! Renders the dependency graph as inline SVG.

use std::fmt::Write as _;

use wheelsmith_core::audit::Input;
use wheelsmith_core::finding::Severity;

use super::layout::{Item, Layout, Spacing, layout};
use super::needs::{Needs, Node, Role};
use crate::output::report::escape::{Markup, shown};
use crate::output::report::words::{count, module_name};

/// Number of nodes up to which each is drawn.
const MOST_NODES: usize = 60;
/// Width of a character (12 px, fixed width), rounded up.
const CHAR: f64 = 7.3;
/// Number of characters from which on the middle of a name is cut out.
const LONGEST_NAME: usize = 36;
/// Smallest scale at which a drawing is shown.
const LEAST_SCALE: f64 = 0.75;
const BOX: f64 = 26.0;
const SPACING: Spacing = Spacing { row: BOX + 10.0, pass: 12.0, column: 64.0 };
const MARGIN: f64 = 12.0;

/// Renders the drawing with its caption; empty if no file has dependencies.
pub(super) fn section(input: &Input) -> String {
    let (needs, how) = legible(Needs::of(input));
    if needs.edges.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    out.push_str("<section class=\"card\"><h3>Needed libraries</h3><p class=\"legend\">");
    for (role, text) in [
        (Role::File, "in the input"),
        (Role::Promised, "guaranteed by the platform"),
        (Role::Excused, "optional, or waived"),
        (Role::Missing, "missing"),
    ] {
        if needs.nodes.iter().any(|node| node.role == role) {
            let _ = write!(out, "<span><i class=\"key {}\"></i>{text}</span>", role.class());
        }
    }
    let _ = write!(
        out,
        "</p>{how}<div class=\"scroll\" tabindex=\"0\">{}</div></section>",
        svg(&needs)
    );
    out
}

/// Reduces the graph to a legible size: each file has a node, or else the files of a directory
/// share one, with as many parts of the path as the size permits.
fn legible(needs: Needs) -> (Needs, String) {
    let files = needs.nodes.iter().filter(|node| node.role == Role::File).count();
    if needs.nodes.len() <= MOST_NODES {
        return (needs, String::new());
    }
    let outside = needs.nodes.len() - files;
    // Libraries of the platform are the least interesting.
    let joins_promised = outside > MOST_NODES / 2;
    let mut grouped = None;
    for depth in (0..=8).rev() {
        let group = |node: &Node| match node.role {
            Role::File => directory(&node.name, depth),
            Role::Promised if joins_promised => "libraries of the platform".to_owned(),
            _ => node.name.clone(),
        };
        let found = needs.grouped(group);
        let is_legible = found.nodes.len() <= MOST_NODES;
        grouped = Some(found);
        if is_legible {
            break;
        }
    }
    let mut how = format!("<p class=\"dim\">{} are drawn by directory", count(files, "file"));
    if joins_promised {
        how.push_str(", the libraries of the platform as one");
    }
    how.push_str(".</p>");
    (grouped.unwrap_or(needs), how)
}

/// Returns the first `depth` parts of a path's directory.
fn directory(path: &str, depth: usize) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    let parts = &parts[..parts.len() - 1];
    let parts = &parts[..parts.len().min(depth)];
    format!("{}/", if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

fn svg(needs: &Needs) -> String {
    let labels: Vec<String> = needs.nodes.iter().map(label).collect();
    let width = |label: &String| label.chars().count() as f64 * CHAR + 20.0;
    let items: Vec<Item> = needs
        .nodes
        .iter()
        .zip(&labels)
        .map(|(node, label)| Item { width: width(label), is_last: node.role.is_outside() })
        .collect();
    let placed = layout(&items, &needs.edges, &SPACING);
    let (across, down) = (placed.width + 2.0 * MARGIN, placed.height + 2.0 * MARGIN);
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg class=\"graph\" viewBox=\"0 0 {across:.0} {down:.0}\" width=\"{across:.0}\" \
         height=\"{down:.0}\" style=\"min-width:{:.0}px\" role=\"img\" aria-label=\"Which file needs which library\">",
        // At a smaller width the text is illegible, so the page scrolls instead.
        across * LEAST_SCALE,
    );
    for (at, &(from, to)) in needs.edges.iter().enumerate() {
        edge(&mut out, needs, &items, &placed, at, (from, to));
    }
    for (at, node) in needs.nodes.iter().enumerate() {
        let (x, y) = placed.items[at];
        let severity = node.severity.filter(|severity| *severity != Severity::Info);
        let class = format!("{} {}", node.role.class(), severity.map_or("", Severity::as_str));
        let _ = write!(
            out,
            "<g class=\"node {}\" data-n=\"{at}\"><title>{}</title><rect x=\"{:.1}\" y=\"{:.1}\" \
             width=\"{:.1}\" height=\"{BOX}\" rx=\"6\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
            class.trim_end(),
            Markup(&title(node)),
            x + MARGIN,
            y + MARGIN - BOX / 2.0,
            items[at].width,
            x + MARGIN + 10.0,
            y + MARGIN + 4.0,
            Markup(&labels[at]),
        );
    }
    out.push_str("</svg>");
    out
}

fn edge(
    out: &mut String,
    needs: &Needs,
    items: &[Item],
    placed: &Layout,
    at: usize,
    (from, to): (usize, usize),
) {
    let (left, start) = placed.items[from];
    let (right, end) = placed.items[to];
    let mut x = left + items[from].width + MARGIN;
    let mut y = start + MARGIN;
    let mut path = format!("M{x:.1} {y:.1}");
    let mut curve = |x: &mut f64, y: &mut f64, to_x: f64, to_y: f64| {
        // An arrow that points back to the left is more curved.
        let bend = ((to_x - *x) / 2.0).abs().max(30.0);
        let _ = write!(
            path,
            "C{:.1} {y:.1} {:.1} {to_y:.1} {to_x:.1} {to_y:.1}",
            *x + bend,
            to_x - bend,
            y = *y
        );
        (*x, *y) = (to_x, to_y);
    };
    for &(start, end, row) in &placed.passes[at] {
        curve(&mut x, &mut y, start + MARGIN, row + MARGIN);
        curve(&mut x, &mut y, end + MARGIN, row + MARGIN);
    }
    curve(&mut x, &mut y, right + MARGIN - 5.0, end + MARGIN);
    let class = needs.nodes[to].role.class();
    let (tip, row) = (right + MARGIN, end + MARGIN);
    let _ = write!(
        out,
        "<g class=\"edge {class}\" data-f=\"{from}\" data-t=\"{to}\"><path d=\"{path}\"/><path \
         class=\"tip\" d=\"M{tip:.1} {row:.1}l-7 -3.5v7z\"/></g>"
    );
}

fn label(node: &Node) -> String {
    let name = match node.role {
        Role::File if node.files == 1 => module_name(&node.name),
        _ if node.files > 1 => format!("{} · {}", node.name, node.files),
        _ => node.name.clone(),
    };
    shortened(&name)
}

/// Shortens a name: the ends are more informative than the middle.
fn shortened(name: &str) -> String {
    // Unseen characters are written as numbers, which are counted too.
    let name: Vec<char> = shown(name).chars().collect();
    if name.len() <= LONGEST_NAME {
        return name.into_iter().collect();
    }
    let (head, tail) = (LONGEST_NAME / 2, LONGEST_NAME - LONGEST_NAME / 2 - 1);
    let tail = &name[name.len() - tail..];
    name[..head].iter().chain(&['…']).chain(tail).collect()
}

fn title(node: &Node) -> String {
    match (node.role, node.files) {
        (_, 2..) => format!("{}: {}", node.name, count(node.files, "file")),
        (Role::Missing, _) => format!("{}: neither in the input nor guaranteed", node.name),
        (Role::Excused, _) => {
            format!("{}: not in the input and not guaranteed, but permitted", node.name)
        }
        (Role::Promised, _) => format!("{}: guaranteed by the platform", node.name),
        (Role::File, _) => node.name.clone(),
    }
}
