// Shows one of the API's descriptions (nginx/description) as a page. It is read from this server, so it is that of
// the version which runs here; nothing is loaded from elsewhere. See Content-Security-Policy in console.conf.

import { element } from "./reference-element.js";
import { restPage } from "./reference-rest.js";
import { signalingPage } from "./reference-signaling.js";

const root = document.querySelector("[data-description]");

/** @param {Element} place */
async function show(place) {
  const name = place.getAttribute("data-description") ?? "";
  const response = await fetch(`/api/v1/${name}.json`);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const description = await response.json();
  const page = name === "openapi" ? restPage(description) : signalingPage(description);
  place.replaceChildren(contents(page), ...page);
  place.setAttribute("data-state", "shown");
  // The browser looked for the fragment before there was anything to find.
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

/**
 * Links to the sections.
 * @param {Node[]} page
 */
function contents(page) {
  const headings = page.flatMap((part) =>
    part instanceof HTMLElement
      ? [...(part.matches("h2") ? [part] : part.querySelectorAll("h2"))]
      : [],
  );
  const items = headings.map((each) =>
    element(
      "li",
      {},
      element("a", { href: `#${each.id}` }, each.textContent?.replace(/ #$/, "") ?? ""),
    ),
  );
  return element(
    "nav",
    { class: "contents", "aria-label": "On this page" },
    element("ul", {}, ...items),
  );
}

if (root) {
  show(root).catch((error) => {
    root.setAttribute("data-state", "failed");
    root.replaceChildren(
      element("p", { role: "alert" }, `The description cannot be shown: ${error.message}`),
    );
  });
}
