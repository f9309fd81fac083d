"use strict";
// Everything on the page can be read without this: it sorts tables, enlarges previews, and opens all parts for print.
for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      const body = table.tBodies[0];
      const value = (row) => {
        const cell = row.cells[column];
        const text = cell.dataset.value ?? cell.textContent.trim();
        const number = Number(text.replace(/[,%]/g, "").replace("−", "-"));
        return text !== "" && Number.isFinite(number) ? number : text;
      };
      const order = (a, b) => {
        const [x, y] = [value(a), value(b)];
        if (typeof x === typeof y) return typeof x === "number" ? x - y : x.localeCompare(y);
        return typeof x === "number" ? -1 : 1;
      };
      const rows = [...body.rows].sort((a, b) => (down ? order(b, a) : order(a, b)));
      table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...rows);
    });
  });
}

const viewer = document.querySelector("dialog.viewer");
for (const image of document.querySelectorAll(".card img")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "enlarge";
  button.setAttribute("aria-label", "Enlarge: " + image.alt);
  image.replaceWith(button);
  button.append(image);
  button.addEventListener("click", () => {
    const large = viewer.querySelector("img");
    large.src = image.src;
    large.alt = image.alt;
    viewer.querySelector("p").textContent = image.alt;
    viewer.showModal();
  });
}
viewer?.addEventListener("click", () => viewer.close());

addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => (part.open = true)));
