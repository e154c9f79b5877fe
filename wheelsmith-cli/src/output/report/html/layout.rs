//! Places the nodes of a graph in columns: each file is to the left of its dependencies.
//!
//! The columns of Sugiyama's method. An edge that crosses a column has a position in it. All edges
//! to the same node share that position, so that they join to one line.

use std::collections::{BTreeMap, BTreeSet};

/// Number of passes that sort the columns, alternately from the left and from the right.
const SWEEPS: usize = 8;
/// Number of passes that move nodes towards their neighbours.
const PULLS: usize = 12;

/// Node to be placed.
pub(super) struct Item {
    pub(super) width: f64,
    /// True if it belongs in the last column.
    pub(super) is_last: bool,
}

/// Sizes in the drawing.
pub(super) struct Spacing {
    pub(super) row: f64,
    /// Height of a position through which edges pass.
    pub(super) pass: f64,
    pub(super) column: f64,
}

/// Positions of nodes and edges. Points are at the left edge and the middle.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) items: Vec<(f64, f64)>,
    /// For each edge the points at which it crosses columns, from the left: start, end, and the
    /// middle of the row.
    pub(super) passes: Vec<Vec<(f64, f64, f64)>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Position in a column: an item, or the edges to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Item(usize),
    Pass { to: usize, column: usize },
}

pub(super) fn layout(items: &[Item], edges: &[(usize, usize)], spacing: &Spacing) -> Layout {
    let columns = columns(items, edges);
    let count = columns.iter().max().map_or(0, |last| last + 1);
    let (mut slots, links) = slots(&columns, count, edges);
    order(&mut slots, &links);
    let rows = rows(&slots, &links, spacing);
    let mut layout = Layout::default();
    let mut starts = Vec::new();
    for column in &slots {
        let widths = column.iter().map(|slot| match slot {
            Slot::Item(item) => items[*item].width,
            Slot::Pass { .. } => 0.0,
        });
        let width = widths.fold(0.0, f64::max);
        starts.push((layout.width, width));
        layout.width += width + spacing.column;
    }
    layout.width = (layout.width - spacing.column).max(0.0);
    let bottom = |(slot, y): (&Slot, &f64)| y + height(*slot, spacing) / 2.0;
    layout.height = rows.iter().map(bottom).fold(0.0, f64::max);
    for (item, &column) in columns.iter().enumerate() {
        layout.items.push((starts[column].0, rows[&Slot::Item(item)]));
    }
    for &(from, to) in edges {
        let between = columns[from] + 1..columns[to].max(columns[from] + 1);
        let pass = |column: usize| {
            let (start, width) = starts[column];
            (start, start + width, rows[&Slot::Pass { to, column }])
        };
        layout.passes.push(between.map(pass).collect());
    }
    layout
}

fn height(slot: Slot, spacing: &Spacing) -> f64 {
    match slot {
        Slot::Item(_) => spacing.row,
        Slot::Pass { .. } => spacing.pass,
    }
}

/// Returns the column of each item: as far left as its incoming edges permit, or the last one.
/// Edges that close a cycle are ignored.
fn columns(items: &[Item], edges: &[(usize, usize)]) -> Vec<usize> {
    let mut columns = vec![0_usize; items.len()];
    // Longest paths. The number of passes is limited, because a cycle would move its items for
    // ever.
    let inner = edges.iter().filter(|(_, to)| !items[*to].is_last);
    let forward = acyclic(items.len(), inner.copied());
    for _ in 0..items.len() {
        let mut changed = false;
        for &(from, to) in &forward {
            if columns[to] < columns[from] + 1 {
                columns[to] = columns[from] + 1;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    let inner = items.iter().zip(&columns).filter(|(item, _)| !item.is_last);
    let last = inner.map(|(_, column)| column + 1).max().unwrap_or_default();
    for (item, column) in items.iter().zip(&mut columns) {
        if item.is_last {
            *column = last;
        }
    }
    columns
}

/// Returns the edges without those that close a cycle. The search does not recurse.
fn acyclic(count: usize, edges: impl Iterator<Item = (usize, usize)>) -> Vec<(usize, usize)> {
    let mut next = vec![Vec::new(); count];
    for (from, to) in edges {
        next[from].push(to);
    }
    let (mut open, mut done) = (vec![false; count], vec![false; count]);
    let mut kept = Vec::new();
    for root in 0..count {
        let mut stack = vec![(root, 0)];
        while let Some((node, at)) = stack.pop() {
            if done[node] {
                continue;
            }
            open[node] = true;
            let Some(&to) = next[node].get(at) else {
                (open[node], done[node]) = (false, true);
                continue;
            };
            stack.push((node, at + 1));
            if !open[to] {
                kept.push((node, to));
                stack.push((to, 0));
            }
        }
    }
    kept
}

type Links = BTreeSet<(Slot, Slot)>;

/// Returns the positions in each column, and the connections between neighbouring columns.
fn slots(columns: &[usize], count: usize, edges: &[(usize, usize)]) -> (Vec<Vec<Slot>>, Links) {
    let mut slots = vec![Vec::new(); count];
    for (item, &column) in columns.iter().enumerate() {
        slots[column].push(Slot::Item(item));
    }
    let mut passes = BTreeSet::new();
    let mut links = Links::new();
    for &(from, to) in edges {
        let mut left = Slot::Item(from);
        let between = slots.iter_mut().enumerate().take(columns[to]).skip(columns[from] + 1);
        for (column, slots) in between {
            let pass = Slot::Pass { to, column };
            if passes.insert(pass) {
                slots.push(pass);
            }
            links.insert((left, pass));
            left = pass;
        }
        links.insert((left, Slot::Item(to)));
    }
    (slots, links)
}

fn neighbours(links: &Links, to_left: bool) -> BTreeMap<Slot, Vec<Slot>> {
    let mut neighbours: BTreeMap<Slot, Vec<Slot>> = BTreeMap::new();
    for &(left, right) in links {
        let (slot, neighbour) = if to_left { (right, left) } else { (left, right) };
        neighbours.entry(slot).or_default().push(neighbour);
    }
    neighbours
}

/// Sorts each column by the average position of the neighbours.
fn order(slots: &mut [Vec<Slot>], links: &Links) {
    let sides = [neighbours(links, true), neighbours(links, false)];
    for sweep in 0..SWEEPS {
        let side = &sides[sweep % 2];
        let mut places: BTreeMap<Slot, f64> = BTreeMap::new();
        let mut sort = |column: &mut Vec<Slot>| {
            let wish = |(at, slot): (usize, &Slot)| {
                let joined: Vec<f64> = (side.get(slot).into_iter().flatten())
                    .filter_map(|other| places.get(other).copied())
                    .collect();
                (mean(&joined).unwrap_or(at as f64), *slot)
            };
            let mut wishes: Vec<(f64, Slot)> = column.iter().enumerate().map(wish).collect();
            wishes.sort_by(|a, b| a.0.total_cmp(&b.0));
            *column = wishes.into_iter().map(|(_, slot)| slot).collect();
            // Columns differ in length, so relative positions are compared.
            let len = column.len() as f64;
            let most = 1000.0 / len;
            places.extend(column.iter().enumerate().map(|(at, slot)| (*slot, at as f64 * most)));
        };
        if sweep % 2 == 0 {
            slots.iter_mut().for_each(&mut sort);
        } else {
            slots.iter_mut().rev().for_each(&mut sort);
        }
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Returns the middle of each position, from the top: in order, without overlap, near its
/// neighbours.
fn rows(slots: &[Vec<Slot>], links: &Links, spacing: &Spacing) -> BTreeMap<Slot, f64> {
    let mut rows = BTreeMap::new();
    let total = |column: &Vec<Slot>| column.iter().map(|s| height(*s, spacing)).sum::<f64>();
    let tallest = slots.iter().map(total).fold(0.0, f64::max);
    for column in slots {
        let mut top = (tallest - total(column)) / 2.0;
        for slot in column {
            let height = height(*slot, spacing);
            rows.insert(*slot, top + height / 2.0);
            top += height;
        }
    }
    let (left, right) = (neighbours(links, true), neighbours(links, false));
    for _ in 0..PULLS {
        for column in slots {
            let wish = |slot: &Slot| {
                let both = left.get(slot).into_iter().chain(right.get(slot)).flatten();
                let joined: Vec<f64> = both.map(|other| rows[other]).collect();
                mean(&joined).unwrap_or(rows[slot])
            };
            let wishes: Vec<f64> = column.iter().map(wish).collect();
            let heights: Vec<f64> = column.iter().map(|slot| height(*slot, spacing)).collect();
            for (slot, row) in column.iter().zip(settle(&wishes, &heights, tallest)) {
                rows.insert(*slot, row);
            }
        }
    }
    let top =
        rows.iter().map(|(slot, y)| y - height(*slot, spacing) / 2.0).fold(f64::MAX, f64::min);
    for y in rows.values_mut() {
        *y -= top;
    }
    rows
}

/// Returns the positions nearest to `wishes` that keep the order and do not overlap: the mean of
/// moving them down and moving them up.
fn settle(wishes: &[f64], heights: &[f64], bottom: f64) -> Vec<f64> {
    let mut down = Vec::with_capacity(wishes.len());
    let mut top = 0.0_f64;
    for (wish, height) in wishes.iter().zip(heights) {
        let at = wish.max(top + height / 2.0);
        down.push(at);
        top = at + height / 2.0;
    }
    let mut up = Vec::with_capacity(wishes.len());
    let mut limit = bottom;
    for (wish, height) in wishes.iter().zip(heights).rev() {
        let at = wish.min(limit - height / 2.0);
        up.push(at);
        limit = at - height / 2.0;
    }
    up.reverse();
    down.iter().zip(&up).map(|(down, up)| f64::midpoint(*down, *up)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACING: Spacing = Spacing { row: 30.0, pass: 10.0, column: 80.0 };

    fn place(count: usize, last: &[usize], edges: &[(usize, usize)]) -> Layout {
        let item = |at| Item { width: 100.0, is_last: last.contains(&at) };
        let items: Vec<Item> = (0..count).map(item).collect();
        layout(&items, edges, &SPACING)
    }

    #[test]
    fn needs_lead_to_the_right() {
        let chain = place(4, &[3], &[(0, 1), (1, 2), (0, 3), (2, 3)]);
        let lefts: Vec<f64> = chain.items.iter().map(|item| item.0).collect();
        assert_eq!(lefts, [0.0, 180.0, 360.0, 540.0]);
        assert_eq!(chain.passes.iter().map(Vec::len).collect::<Vec<_>>(), [0, 0, 2, 0]);
        assert!((chain.width - 640.0).abs() < f64::EPSILON);
    }

    #[test]
    fn rings_end() {
        let ring = place(3, &[], &[(0, 1), (1, 2), (2, 0)]);
        assert_eq!(ring.items.len(), 3);
        let alone = place(1, &[], &[(0, 0)]);
        assert_eq!(alone.items.len(), 1);
        assert_eq!(place(0, &[], &[]).items.len(), 0);
    }

    #[test]
    fn nothing_overlaps() {
        // Every tenth item is in the last column; edges connect all columns.
        let last: Vec<usize> = (0..60).filter(|n| n % 10 == 0).collect();
        let edges: Vec<(usize, usize)> = (0..60)
            .flat_map(|from| [(from, (from * 7 + 3) % 60), (from, (from * 11 + 20) % 60)])
            .filter(|(from, to)| from != to && !last.contains(from))
            .collect();
        let layout = place(60, &last, &edges);
        for (at, a) in layout.items.iter().enumerate() {
            assert!(a.1 >= 15.0 - 1e-6 && a.1 <= layout.height - 15.0 + 1e-6, "{a:?}");
            for b in &layout.items[..at] {
                let apart = (a.0 - b.0).abs() >= 100.0 || (a.1 - b.1).abs() >= 30.0 - 1e-6;
                assert!(apart, "{a:?} {b:?}");
            }
        }
    }
}
