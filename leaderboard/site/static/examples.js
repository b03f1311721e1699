"use strict";
/* Filter a run's sentences, against another run too; link to one; pick some and take them away. */
(() => {
  const { read, write, save, element } = window.gauntlet;
  document.addEventListener("DOMContentLoaded", () => {
    const data = JSON.parse(document.getElementById("data").textContent);
    const form = document.querySelector("form.filters");
    const tools = document.querySelector('.tools[data-for="examples"]');
    const examples = [...document.querySelectorAll(".example")];
    const texts = examples.map((example) => example.textContent.toLowerCase());
    const fields = ["show", "type", "flag", "other", "that", "q"].map((name) => form.elements[name]);
    const byDefault = { show: "success", that: "0" };
    form.elements.other.append(...Object.entries(data.others)
      .map(([value, run]) => element("option", { value, textContent: run.name })));

    const told = element("span");
    told.setAttribute("aria-live", "polite");
    const boxes = new Map(examples.map((example) => [example, example.querySelector(".pick input")]));
    const all = element("button", { type: "button", textContent: "Pick all shown" });
    const none = element("button", { type: "button", textContent: "Pick none" });
    const take = element("button", { type: "button" });
    tools.append(told, ...(Object.keys(data.tokens).length ? [all, none, take] : []));

    const picked = () => examples.filter((example) => boxes.get(example)?.checked);
    const count = () => {
      take.textContent = `Download picked as CoNLL (${picked().length})`;
      take.disabled = picked().length === 0;
    };
    const wanted = (example, k, view) => {
      const { status, types, flags, grave } = example.dataset;
      if (view.show !== "all" && status !== view.show) return false;
      if (view.type && !types.split(" ").includes(view.type)) return false;
      if (view.flag === "none" ? grave !== "0" : view.flag && !flags.split(" ").includes(view.flag)) return false;
      if (view.other && data.others[view.other]?.won[k] !== view.that) return false;
      return !view.q || texts[k].includes(view.q.toLowerCase());
    };
    const show = () => {
      const address = read();
      // A link to one sentence shows it whatever is filtered.
      const here = address.get("at") || (location.hash.includes("=") ? "" : decodeURIComponent(location.hash.slice(1)));
      for (const field of fields) field.value = address.get(field.name) || byDefault[field.name] || "";
      const view = Object.fromEntries(fields.map((field) => [field.name, field.value]));
      form.elements.that.disabled = !view.other;
      let shown = 0;
      examples.forEach((example, k) => {
        const visible = wanted(example, k, view) || example.id === here;
        example.hidden = !visible;
        example.classList.toggle("here", example.id === here);
        shown += visible;
      });
      told.textContent = `${shown} of ${examples.length} sentences`;
      return here;
    };
    form.addEventListener("input", (event) => {
      const { name, value } = event.target;
      write({ [name]: value === (byDefault[name] || "") ? "" : value, at: "" });
      show();
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    for (const example of examples) {
      example.querySelector("h3 a").addEventListener("click", (event) => {
        event.preventDefault();
        write({ at: example.id });
        show();
      });
      const box = boxes.get(example);
      if (box) { box.closest("label").hidden = false; box.addEventListener("change", count); }
    }
    all.addEventListener("click", () => {
      for (const example of examples) if (!example.hidden && boxes.get(example)) boxes.get(example).checked = true;
      count();
    });
    none.addEventListener("click", () => { for (const box of boxes.values()) if (box) box.checked = false; count(); });
    take.addEventListener("click", () => {
      const sentences = picked().map((example) => data.tokens[example.id].map(([token, tag]) => `${token} ${tag}\n`).join(""));
      save("adversarial.conll", sentences.join("\n"), "text/plain");
    });
    addEventListener("hashchange", show);
    form.hidden = tools.hidden = false;
    count();
    const here = show();
    if (here) document.getElementById(here)?.scrollIntoView();
  });
})();
