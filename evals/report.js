"use strict";
// Every text goes in through textContent: nothing of a question or document is ever read as HTML.
const rows = JSON.parse(document.getElementById("rows").textContent);
const page = { shown: 200, sort: null, down: true };
let details = null; // parsed when the first question is opened

function el(tag, text, cls) {
  const node = document.createElement(tag);
  if (text !== undefined && text !== null) node.textContent = text;
  if (cls) node.className = cls;
  return node;
}
const $ = id => document.getElementById(id);
const number = value => (value === null || value === undefined ? "–" : value.toFixed(2));

function matching() {
  const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const outcome = $("outcome").value, tag = $("tag").value;
  const found = rows.list.filter(row =>
    (!outcome || row.outcome === outcome || (outcome === "!right" && row.outcome !== "right")) &&
    (!tag || row.tags.includes(tag)) &&
    words.every(word => row.find.includes(word)));
  if (page.sort !== null) {
    const value = row => (page.sort < 0 ? row.confidence : row.scores[page.sort]);
    found.sort((a, b) => ((value(a) ?? 2) - (value(b) ?? 2)) * (page.down ? 1 : -1));
  }
  return found;
}

function draw() {
  const found = matching(), body = el("tbody");
  for (const row of found.slice(0, page.shown)) {
    const line = el("tr"), link = el("a", row.id), first = el("td"), words = el("td", row.question, "text");
    link.href = "#q=" + encodeURIComponent(row.id);
    first.append(link);
    words.dir = "auto";
    line.append(first, words, el("td", row.tags.join(", "), "soft"),
      el("td", row.outcome, row.outcome === "right" ? "right-word" : "wrong-word"),
      el("td", number(row.confidence), "num"), ...row.scores.map(score => el("td", number(score), "num")));
    body.append(line);
  }
  $("questions").tBodies[0].replaceWith(body);
  $("count").textContent = found.length + " of " + rows.list.length;
  $("more").hidden = found.length <= page.shown;
}

function highlighted(text, cited, gold) {
  // Marks may overlap: every character knows whether it is cited and whether it is gold.
  const kinds = new Uint8Array(text.length);
  const paint = (quotes, bit) => {
    for (const quote of quotes) {
      const at = quote ? text.indexOf(quote) : -1;
      if (at >= 0) for (let i = at; i < at + quote.length; i++) kinds[i] |= bit;
    }
  };
  paint(cited, 1);
  paint(gold, 2);
  const box = document.createDocumentFragment();
  for (let from = 0, to; from < text.length; from = to) {
    for (to = from + 1; to < text.length && kinds[to] === kinds[from]; to++);
    const piece = text.slice(from, to);
    box.append(kinds[from] ? el("mark", piece, kinds[from] & 2 ? "gold" : "") : piece);
  }
  return box;
}

function answerOf(d) {
  const box = document.createDocumentFragment();
  if (!d.sentences.length) box.append(el("span", d.failure || "Not in the documents.", "soft"));
  for (const sentence of d.sentences) {
    box.append(el("span", sentence.text), el("sup", sentence.markers.map(m => "[" + m + "]").join("")));
    if (sentence.verdict !== "supported") {
      box.append(el("span", " (" + [sentence.verdict, ...sentence.reasons].join(": ") + ")", "soft"));
    }
    box.append(" ");
  }
  return box;
}

function passageOf(d, found) {
  const passage = details.passages[found[0]], box = el("div", null, "passage" + (found[1] ? " relevant" : ""));
  const cited = d.citations.filter(c => c.document === passage.document);
  const head = el("div", null, "soft");
  head.append(el("strong", passage.title || passage.name),
    " · " + [passage.name, passage.published || "undated", passage.locator, "score " + found[2].toFixed(3)].filter(Boolean).join(" · ") +
    (found[1] ? " · relevant" : "") + (cited.length ? " · cited" : ""));
  box.dir = "auto";
  box.append(head, highlighted(passage.text, cited.map(c => c.quote), d.quotes));
  return box;
}

function open(id) {
  details ??= JSON.parse($("details").textContent);
  const at = rows.list.findIndex(row => row.id === id), d = details.list[at], box = $("detail");
  $("all").hidden = at >= 0;
  box.hidden = at < 0;
  if (at < 0) return;
  const row = rows.list[at], facts = el("dl");
  const fact = (name, content) => {
    if (content === null || content === "" || content === undefined) return;
    const dd = el("dd");
    dd.dir = "auto";
    dd.append(content);
    facts.append(el("dt", name), dd);
  };
  const link = (words, hash) => Object.assign(el("a", words), { href: hash });
  const near = matching(), place = near.indexOf(row), ways = el("div", null, "steps");
  ways.append(link("← all questions", "#questions"));
  if (place > 0) ways.append(link("previous", "#q=" + encodeURIComponent(near[place - 1].id)));
  if (place >= 0 && place < near.length - 1) {
    ways.append(link("next of " + near.length + " →", "#q=" + encodeURIComponent(near[place + 1].id)));
  }
  const heading = el("h2", row.question);
  heading.dir = "auto";
  const happened = el("span");
  happened.append(el("strong", row.outcome, row.outcome === "right" ? "fine" : "lost"), ": " + d.why);
  for (const [stage, fine, how] of d.stages) {
    happened.append(el("br"), el("span", fine ? "✓ " : "✗ ", fine ? "fine" : "lost"), stage + ": " + how);
  }
  fact("what happened", happened);
  d.history.forEach(turn => fact("before", turn));
  if (d.query !== row.question) fact("searched for", d.query);
  fact("answer", answerOf(d));
  d.conflicts.forEach(conflict => fact("disagreement", conflict));
  fact("gold answers", d.answers.join(" · "));
  fact("relevant", d.relevant.join(", "));
  fact("ranked first", d.ranking.join(", "));
  const scores = el("div", null, "scores");
  d.scores.forEach((score, i) => score !== null && scores.append(el("span", rows.measures[i] + " " + number(score))));
  const key = el("p", "In the passages: ", "soft");
  key.append(el("mark", "words cited"), " and ", el("mark", "gold quotes", "gold"), ".");
  box.replaceChildren(ways, heading, facts, scores, key, ...d.passages.map(found => passageOf(d, found)));
  window.scrollTo(0, 0);
}

function route() {
  const hash = location.hash;
  if (hash.startsWith("#q=")) return open(decodeURIComponent(hash.slice(3)));
  $("all").hidden = false;
  $("detail").hidden = true;
  if (hash) document.querySelector(hash === "#questions" ? hash : "main").scrollIntoView();
}

function again() { page.shown = 200; draw(); }
$("find").addEventListener("input", again);
$("outcome").addEventListener("change", again);
$("tag").addEventListener("change", again);
$("more").addEventListener("click", () => { page.shown += 1000; draw(); });
document.querySelectorAll("#questions button").forEach(button => button.addEventListener("click", () => {
  const by = Number(button.value);
  page.down = page.sort === by ? !page.down : true;
  page.sort = by;
  again();
}));
window.addEventListener("hashchange", route);
draw();
route();
