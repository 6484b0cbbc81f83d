// Put into a page by the test of reports: writes down what the browser made
// of the page, as the document's only content.
addEventListener("load", () => {
  const size = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return { width, height };
  };
  const outside = (svg) => {
    const frame = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text, polyline, rect, circle")].filter((part) => {
      const box = part.getBoundingClientRect();
      return box.left < frame.left - 1 || box.right > frame.right + 1 ||
        box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
    }).map((part) => part.outerHTML.slice(0, 200));
  };
  const overlaps = (svg) => {
    const boxes = [...svg.querySelectorAll("text")].map((text) => [text, text.getBoundingClientRect()]);
    const found = [];
    boxes.forEach(([a, one], index) => boxes.slice(index + 1).forEach(([b, other]) => {
      if (one.left < other.right - 1 && other.left < one.right - 1 &&
          one.top < other.bottom - 3 && other.top < one.bottom - 3) {
        found.push(`${a.textContent} / ${b.textContent}`);
      }
    }));
    return found;
  };
  const plots = [...document.querySelectorAll("svg")].map((svg) => ({
    ...size(svg),
    title: svg.querySelector("title").textContent,
    labelled: svg.getAttribute("aria-labelledby").split(" ").every((id) => document.getElementById(id)),
    outside: outside(svg),
    overlaps: overlaps(svg),
  }));
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  const seen = {
    plots,
    title: document.title,
    heading: document.querySelector("h1").textContent,
    tables: document.querySelectorAll("table").length,
    scripts: document.scripts.length - 1,
    width: document.documentElement.scrollWidth,
    height: document.documentElement.scrollHeight,
    requests: performance.getEntriesByType("resource").map((entry) => entry.name),
    twice: ids.filter((id, index) => ids.indexOf(id) !== index),
    numbers: document.body.innerHTML.match(/\b(NaN|Infinity|undefined|inf)\b/g) ?? [],
  };
  const text = document.createElement("pre");
  text.textContent = JSON.stringify(seen);
  document.body.replaceChildren(text);
});
