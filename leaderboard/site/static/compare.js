"use strict";
/* Look up two rows: numbers were computed when the site was built, sentences are laid side by side here. */
(() => {
  const { read, write, element } = window.gauntlet;
  document.addEventListener("DOMContentLoaded", () => {
    const data = JSON.parse(document.getElementById("data").textContent);
    const form = document.querySelector("form.filters");
    const place = document.getElementById("pair");
    const { a, b } = form.elements;
    const points = (share) => (100 * share).toFixed(1).replace("-", "−");
    const small = (p) => (p < 0.0001 ? "below 0.0001" : p.toFixed(4));

    const list = (title, numbers, row) => {
      const link = (k) => {
        const name = data.sentences[k];
        if (!row.page) return element("li", { textContent: name });
        const anchor = element("a", { textContent: name, href: `../${row.page}#${data.places[k]}` });
        return element("li", {}, anchor);
      };
      return element("section", {}, element("h3", { textContent: `${title} (${numbers.length})` }),
        element("ul", { className: "ids" }, ...numbers.map(link)));
    };
    const show = () => {
      const view = read();
      const count = data.rows.length;
      const index = (name, otherwise) => {
        const value = Number(view.get(name) ?? otherwise);
        return Number.isInteger(value) && value >= 0 && value < count ? value : otherwise;
      };
      const first = index("a", 0);
      const second = index("b", 1);
      a.value = String(first);
      b.value = String(second);
      const [one, other] = [data.rows[first], data.rows[second]];
      if (first === second) {
        place.replaceChildren(element("p", { className: "verdict", textContent: "Choose two different rows." }));
        return;
      }
      const sign = first < second ? 1 : -1;
      const [, , difference, low, high, p, adjusted] = data.pairs.find(
        ([x, y]) => x === Math.min(first, second) && y === Math.max(first, second));
      const ends = low === null ? "no interval (too few documents)"
        : `${sign > 0 ? `${points(low)} to ${points(high)}` : `${points(-high)} to ${points(-low)}`} (95 %)`;
      const apart = adjusted <= 0.05 ? "The sentences tell them apart." : "The sentences do not tell them apart.";
      const more = (x, y) => data.sentences.map((_, k) => k).filter((k) => x.counted[k] > y.counted[k]);
      const [ahead, behind] = [more(one, other), more(other, one)];
      const same = data.sentences.length - ahead.length - behind.length;
      const fact = (name, value) => element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value }));
      place.replaceChildren(
        element("p", { className: "verdict" },
          `${one.name} ${points(one.value)} against ${other.name} ${points(other.value)}: a difference of `,
          element("strong", { textContent: `${points(sign * difference)} points` }), ` of ${data.measure}. ${apart}`),
        element("dl", { className: "facts" }, fact("Interval", ends), fact("p", `${small(p)}, ${data.test}`),
          fact("p after Holm", small(adjusted)), fact("Sentences alike", `${same} of ${data.sentences.length}`)),
        element("div", { className: "columns-2" },
          list(`More ${data.unit} by ${one.name}`, ahead, one),
          list(`More ${data.unit} by ${other.name}`, behind, other)));
    };
    form.addEventListener("input", (event) => { write({ [event.target.name]: event.target.value }); show(); });
    form.addEventListener("submit", (event) => event.preventDefault());
    document.querySelector("table.heat").addEventListener("click", () => place.scrollIntoView());
    addEventListener("hashchange", show);
    form.hidden = false;
    show();
  });
})();
