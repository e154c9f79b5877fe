"use strict";
// Everything can be read without this: it adds the search, and shows a node's arrows when pointed at.
for (const box of document.querySelectorAll(".findings")) {
  const search = box.querySelector("input[type=search]");
  const rows = [...box.querySelectorAll("tbody tr")];
  search.hidden = rows.length < 5;
  search.addEventListener("input", () => {
    const wanted = search.value.toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
}
for (const graph of document.querySelectorAll("svg.graph")) {
  const edges = [...graph.querySelectorAll(".edge")];
  const nodes = [...graph.querySelectorAll(".node")];
  const show = (n) => {
    const on = new Set([n]);
    for (const edge of edges) {
      const { f, t } = edge.dataset;
      const joined = n !== undefined && (f === n || t === n);
      edge.classList.toggle("on", joined);
      if (joined) on.add(f).add(t);
    }
    for (const node of nodes) node.classList.toggle("on", on.has(node.dataset.n));
    graph.classList.toggle("hot", n !== undefined);
  };
  for (const node of nodes) {
    node.addEventListener("pointerenter", () => show(node.dataset.n));
    node.addEventListener("pointerleave", () => show());
  }
}
