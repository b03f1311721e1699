"use strict";
/* What all pages share: the view lives in the address, and the colours may be chosen. */
window.gauntlet = (() => {
  const read = () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  /* Put a view into the address; what is empty is left out. Never adds to the history. */
  const write = (changes) => {
    const now = read();
    for (const [key, value] of Object.entries(changes)) {
      if (value) now.set(key, value); else now.delete(key);
    }
    const hash = now.toString();
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  };
  /* Hand a text over as a file. */
  const save = (name, text, type) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  const stored = () => { try { return localStorage.getItem("gauntlet-theme"); } catch { return null; } };
  const store = (theme) => { try { localStorage.setItem("gauntlet-theme", theme); } catch { /* a page from a disk may have no storage */ } };
  const theme = () => document.documentElement.dataset.theme
    || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  if (["dark", "light"].includes(stored())) document.documentElement.dataset.theme = stored();
  document.addEventListener("DOMContentLoaded", () => {
    // On a narrow window the menus are wider than it.
    for (const menu of document.querySelectorAll(".top nav, .tabs")) {
      const current = menu.querySelector("[aria-current]");
      if (current) menu.scrollLeft = current.offsetLeft - menu.offsetLeft - 16;
    }
    const button = document.querySelector(".theme");
    const name = () => { button.textContent = theme() === "dark" ? "Light" : "Dark"; };
    button.hidden = false;
    name();
    button.addEventListener("click", () => {
      document.documentElement.dataset.theme = theme() === "dark" ? "light" : "dark";
      store(theme());
      name();
    });
  });
  return { read, write, save, element };
})();
