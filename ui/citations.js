// Runs once in each gr.HTML of the window. Gradio passes `element`, `trigger` and `watch`.
const root = element;
const panel = () => document.querySelector("#panel .source");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";

function markOpen() {
  const shown = panel()?.dataset.shown;
  for (const button of document.querySelectorAll("#desk [data-ref]")) {
    button.classList.toggle("is-open", button.dataset.ref === shown);
  }
}

// The cited words into view: in the panel where it scrolls by itself, else in the page.
function showPassage() {
  const source = panel();
  if (!source) return;
  const column = document.querySelector("#panel-column");
  const target = source.querySelector("mark") ?? source.querySelector(".passage") ?? source;
  if (getComputedStyle(column).position === "sticky") {
    column.scrollTop = 0;
    const [words, frame] = [target.getBoundingClientRect(), column.getBoundingClientRect()];
    if (words.bottom > frame.bottom) column.scrollTop = words.top - frame.top - frame.height / 4;
  } else {
    target.scrollIntoView({ block: "center", behavior: calm });
  }
  source.focus({ preventScroll: true });
}

function back() {
  const opener = document.querySelector("#talk .is-open");
  opener?.scrollIntoView({ block: "nearest", behavior: calm });
  opener?.focus({ preventScroll: true });
}

async function copy(button) {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure context or the permission there is only the old way.
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = label), 1500);
}

root.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { ref, whole } = button.dataset;
  if (ref) {
    trigger("click", { ref, whole: whole !== undefined });
    if (panel()?.dataset.shown === ref) showPassage();
  } else if ("copy" in button.dataset) {
    copy(button);
  } else if ("back" in button.dataset) {
    back();
  }
});

root.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && root.closest("#panel")) back();
});

// A new question goes to the top and stays there while its answer grows, until the reader scrolls.
let turns = 0;
let follow = false;
for (const type of ["wheel", "touchmove", "keydown", "mousedown"]) {
  addEventListener(type, () => (follow = false), { passive: true });
}

watch("value", () => {
  markOpen();
  if (root.closest("#panel")) {
    showPassage();
  } else if (root.closest("#conversation")) {
    const articles = root.querySelectorAll(".turn");
    if (articles.length > turns) follow = true;
    if (follow) articles[articles.length - 1]?.scrollIntoView({ block: "start", behavior: calm });
    turns = articles.length;
  }
});
