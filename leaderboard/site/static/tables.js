"use strict";
/* Sort, filter, search, pages and CSV for tables that are whole without it. */
(() => {
  const { read, write, save, element } = window.gauntlet;
  const PAGE = 100;
  const FORMULA = /^[=+\-@\t\r]/;

  class Sheet {
    constructor(table) {
      this.table = table;
      this.id = table.dataset.id;
      this.heads = [...table.tHead.rows[0].cells];
      // Controls are a body of their own, below the others whatever the order.
      this.bodies = [...table.tBodies].map((body) => ({ body, rows: [...body.rows] }));
      this.texts = new Map(this.bodies.flatMap(({ rows }) => rows.map((row) => [row, row.textContent.toLowerCase()])));
      this.section = table.closest("section");
      this.title = (this.section.querySelector(".sheet-head")?.textContent || "").toLowerCase();
      this.tools = document.querySelector(`.tools[data-for="${this.id}"]`);
      this.told = element("span", { className: "told" });
      this.told.setAttribute("aria-live", "polite");
      this.heads.forEach((head, k) => this.makeSortable(head, k));
      this.menus = this.heads.filter((head) => head.dataset.menu).map((head) => this.makeMenu(head));
      const rows = this.bodies.reduce((sum, own) => sum + own.rows.length, 0);
      this.pager = this.makePager();
      const csv = element("button", { type: "button", textContent: "CSV of the rows shown" });
      csv.addEventListener("click", () => this.download());
      if (rows > 3) {
        this.tools.append(...this.menus.map((menu) => menu.label), this.pager, this.told, csv);
        this.tools.hidden = false;
      }
    }

    makeSortable(head, k) {
      const button = element("button", { type: "button", textContent: head.textContent });
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const key = head.dataset.key;
        const now = read().get(`${this.id}.sort`);
        // Numbers: the highest first; the second click turns it round, the third takes it back.
        const steps = head.dataset.kind === "number" ? [`-${key}`, key, ""] : [key, `-${key}`, ""];
        write({ [`${this.id}.sort`]: steps[(steps.indexOf(now) + 1) % 3], [`${this.id}.page`]: "" });
        this.show();
      });
    }

    makeMenu(head) {
      const key = head.dataset.key;
      const select = element("select", {}, element("option", { value: "", textContent: "all" }),
        ...JSON.parse(head.dataset.menu).map((value) => element("option", { value, textContent: value })));
      select.addEventListener("change", () => {
        write({ [`${this.id}.is.${key}`]: select.value, [`${this.id}.page`]: "" });
        this.show();
      });
      return { key, select, column: this.heads.indexOf(head), label: element("label", {}, head.textContent.trim(), select) };
    }

    makePager() {
      const turn = (by) => () => {
        write({ [`${this.id}.page`]: String(this.page + by + 1) });
        this.show();
      };
      this.before = element("button", { type: "button", textContent: "Before", onclick: turn(-1) });
      this.after = element("button", { type: "button", textContent: "Next", onclick: turn(1) });
      return element("span", { hidden: true }, this.before, " ", this.after);
    }

    /* Apply the view in the address: one change to each body, however many rows. */
    show(all = false) {
      const view = read();
      const words = (view.get("q") || "").toLowerCase().split(/\s+/).filter(Boolean);
      const sort = view.get(`${this.id}.sort`) || "";
      const [key, down] = sort.startsWith("-") ? [sort.slice(1), true] : [sort, false];
      const column = this.heads.findIndex((head) => head.dataset.key === key);
      for (const menu of this.menus) menu.select.value = view.get(`${this.id}.is.${menu.key}`) || "";
      const wanted = this.menus.filter((menu) => menu.select.value);
      this.heads.forEach((head, k) => {
        if (k === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      });
      this.shown = this.bodies.map(({ rows }) => this.sorted(rows.filter((row) =>
        words.every((word) => this.title.includes(word) || this.texts.get(row).includes(word))
        && wanted.every((menu) => row.cells[menu.column].dataset.v === menu.select.value)), column, down));
      const most = Math.max(...this.shown.map((rows) => rows.length), 0);
      const pages = Math.max(1, Math.ceil(most / PAGE));
      this.page = Math.min(Math.max(0, (Number(view.get(`${this.id}.page`)) || 1) - 1), pages - 1);
      this.bodies.forEach(({ body }, k) => body.replaceChildren(
        ...(all ? this.shown[k] : this.shown[k].slice(this.page * PAGE, (this.page + 1) * PAGE))));
      this.pager.hidden = pages < 2;
      this.before.disabled = this.page === 0;
      this.after.disabled = this.page === pages - 1;
      const rows = this.shown.reduce((sum, own) => sum + own.length, 0);
      const total = this.bodies.reduce((sum, own) => sum + own.rows.length, 0);
      this.section.hidden = words.length > 0 && rows === 0;
      const of = rows === total ? `${total} rows` : `${rows} of ${total} rows`;
      this.told.textContent = pages > 1 ? `${of}, page ${this.page + 1} of ${pages}` : of;
    }

    sorted(rows, column, down) {
      if (column < 0) return rows;
      const number = this.heads[column].dataset.kind === "number";
      const keyed = rows.map((row) => [row.cells[column].dataset.v, row]);
      const sign = down ? -1 : 1;
      keyed.sort(([a], [b]) => {
        if (a === "" || b === "") return (a === "") - (b === "");  // what is missing comes last both ways
        return sign * (number ? Number(a) - Number(b) : a.localeCompare(b, "en", { numeric: true }));
      });
      return keyed.map(([, row]) => row);
    }

    download() {
      const quoted = (text) => {
        const harmless = FORMULA.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
        return /[",\n\r]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
      };
      const lines = [this.heads.map((head) => head.dataset.key),
        ...this.shown.flat().map((row) => [...row.cells].map((cell) => cell.dataset.v))];
      save(`gauntlet-${this.id}.csv`, lines.map((line) => line.map(quoted).join(",") + "\n").join(""), "text/csv");
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const sheets = [...document.querySelectorAll("table[data-id]")].map((table) => new Sheet(table));
    const search = document.getElementById("search");
    const boxes = ["show-intervals", "show-extra"].map((id) => document.getElementById(id)).filter(Boolean);
    const show = () => {
      const view = read();
      if (search && search.value !== (view.get("q") || "")) search.value = view.get("q") || "";
      for (const box of boxes) box.checked = view.get(box.id) === "1";
      for (const sheet of sheets) sheet.show();
    };
    if (search) {
      search.closest("p").hidden = false;
      search.addEventListener("input", () => {
        write({ q: search.value, ...Object.fromEntries(sheets.map((sheet) => [`${sheet.id}.page`, ""])) });
        for (const sheet of sheets) sheet.show();
      });
    }
    for (const box of boxes) box.addEventListener("change", () => write({ [box.id]: box.checked ? "1" : "" }));
    addEventListener("hashchange", () => { if (location.hash.includes("=") || !location.hash) show(); });
    addEventListener("beforeprint", () => sheets.forEach((sheet) => sheet.show(true)));
    addEventListener("afterprint", () => sheets.forEach((sheet) => sheet.show()));
    show();
  });
})();
