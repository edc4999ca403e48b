// Tabs by the pattern of the ARIA Authoring Practices: one tab stop, arrows, Home and End.

import { h } from "./dom.js";

let count = 0;

/**
 * @param {{ name: string, key: string, panel: HTMLElement, opened?: () => void }[]} tabs
 * @param {string} labelKey Name of the list.
 */
export function tabs(tabs, labelKey) {
  const prefix = `tabs-${++count}`;
  const buttons = tabs.map(({ name, key, panel }) => {
    panel.id = `${prefix}-${name}`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", `${prefix}-${name}-tab`);
    return h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `${prefix}-${name}-tab`,
        "aria-controls": panel.id,
        "data-tab": name,
        onclick: () => select(name),
      },
      h("span", { text: key }),
    );
  });
  const list = h(
    "div",
    { class: "tabs", role: "tablist", label: labelKey, onkeydown: move },
    ...buttons,
  );

  /** @param {string} name */
  function select(name) {
    tabs.forEach((tab, index) => {
      const isSelected = tab.name === name;
      tab.panel.hidden = !isSelected;
      buttons[index].setAttribute("aria-selected", String(isSelected));
      buttons[index].tabIndex = isSelected ? 0 : -1;
      if (isSelected) tab.opened?.();
    });
  }

  /** @param {KeyboardEvent} event */
  function move(event) {
    const last = buttons.length - 1;
    const now = buttons.indexOf(/** @type {any} */ (document.activeElement));
    const next = {
      ArrowRight: now === last ? 0 : now + 1,
      ArrowLeft: now === 0 ? last : now - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (next === undefined || now < 0) return;
    event.preventDefault();
    select(tabs[next].name);
    buttons[next].focus();
  }

  select(tabs[0].name);
  return {
    list,
    select,
    /** @param {string} name */
    button: (name) => buttons[tabs.findIndex((tab) => tab.name === name)],
    /** @param {string} name */
    isOpen: (name) => !tabs.find((tab) => tab.name === name)?.panel.hidden,
  };
}
