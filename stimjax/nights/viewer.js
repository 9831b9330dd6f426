// Keys, buttons and colors of the page of a night; Bokeh draws the tracks.
"use strict";
(async () => {
  const content = JSON.parse(document.getElementById("content").textContent);
  const views = await Bokeh.embed.embed_item(content.item);
  const rows = [...views][0].model.children;
  const time = rows[0].x_range;
  const [first, last] = [content.shift, content.shift + content.length];
  const closest = time.min_interval;

  function show(start, end) {
    const width = Math.min(Math.max(end - start, closest), last - first);
    const left = Math.min(Math.max((start + end - width) / 2, first), last - width);
    time.setv({ start: left, end: left + width });
  }

  function move(part) {
    const by = part * (time.end - time.start);
    const bounded = Math.min(Math.max(by, first - time.start), last - time.end);
    show(time.start + bounded, time.end + bounded);
  }

  function zoom(factor) {
    const middle = (time.start + time.end) / 2;
    const half = (factor * (time.end - time.start)) / 2;
    show(middle - half, middle + half);
  }

  let current = null; // the mark that the view was moved to, while it is still there
  function jump(step) {
    const middle = (time.start + time.end) / 2;
    const from = current !== null && Math.abs(current.middle - middle) < 1 ? current.mark
      : step > 0 && time.end - time.start >= last - first - 1 ? first - 1 : middle;
    const marks = content.marks.map((mark) => mark + first);
    const next = step > 0 ? marks.find((mark) => mark > from + 0.5)
      : marks.filter((mark) => mark < from - 0.5).pop();
    if (next === undefined) return;
    const width = Math.min(time.end - time.start, 600e3); // ten minutes show what lies around
    show(next + 30e3 - width / 2, next + 30e3 + width / 2);
    current = { mark: next, middle: (time.start + time.end) / 2 };
  }

  const keys = {
    ArrowLeft: () => move(-0.25), ArrowRight: () => move(0.25),
    ArrowUp: () => zoom(0.5), ArrowDown: () => zoom(2),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2),
    Home: () => show(first, last), n: () => jump(1), p: () => jump(-1),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  for (const button of document.querySelectorAll("button[data-key]"))
    button.addEventListener("click", () => keys[button.dataset.key]());

  const clock = (ms) => new Date(ms).toISOString().slice(11, 19);
  const say = () => {
    document.getElementById("where").textContent = `${clock(time.start)} to ${clock(time.end)}`;
  };
  time.change.connect(say);
  say();

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  function paint() {
    const [ink, soft, line] = ["ink", "soft", "line"].map(color);
    for (const row of rows) {
      for (const axis of row.right) axis.axis_line_color = line;
      for (const axis of [...row.left, ...row.below])
        axis.setv({
          axis_line_color: soft, major_tick_line_color: soft, minor_tick_line_color: null,
          major_label_text_color: ink, axis_label_text_color: ink,
        });
      for (const grid of row.center) if ("grid_line_color" in grid) grid.grid_line_color = line;
      for (const { name, glyph } of row.renderers) {
        const own = { value: color({ "left out": "left-out", "not covered": "not-covered",
          probability: "model", half: "soft" }[name] ?? name) };
        if ("line_color" in glyph) glyph.line_color = own;
        if ("fill_color" in glyph) glyph.fill_color = own;
        if ("hatch_color" in glyph) glyph.hatch_color = { value: color("paper") };
      }
    }
  }
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  paint();
  document.body.dataset.ready = "yes";
})();
