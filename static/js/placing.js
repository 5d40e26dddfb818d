// Placing children in classes with the keyboard: arrows, Shift, Enter. Without it the boxes work one by one.
"use strict";
(() => {
  const form = document.querySelector("[data-placing]");
  if (!form) return;
  const boxes = [...form.querySelectorAll("input[name=enrolment]")];
  const target = form.querySelector("[name=class_name]");
  const count = form.querySelector("[data-count]");
  document.querySelectorAll("[data-keys]").forEach((line) => { line.hidden = false; });
  let anchor = null;

  const tell = () => {
    if (!count) return;
    const on = boxes.filter((box) => box.checked).length;
    const { one, many, none } = count.dataset;
    count.textContent = on === 0 ? none : on === 1 ? one : many.replace("#", String(on));
  };
  const set = (box, checked) => {
    if (box.checked === checked) return;
    box.checked = checked;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const between = (one, other, checked) => {
    const ends = [boxes.indexOf(one), boxes.indexOf(other)].sort((a, b) => a - b);
    boxes.slice(ends[0], ends[1] + 1).forEach((box) => set(box, checked));
  };

  form.addEventListener("click", (event) => {
    const box = event.target;
    if (!boxes.includes(box)) return;
    if (event.shiftKey && anchor && anchor !== box) between(anchor, box, box.checked);
    anchor = box;
  });
  form.addEventListener("change", tell);

  form.addEventListener("keydown", (event) => {
    const at = boxes.indexOf(event.target);
    if (at < 0) {
      if (event.key === "Escape" && event.target === target) {
        event.preventDefault();
        (anchor ?? boxes[0])?.focus();
      }
      return;
    }
    if (event.key === "Enter") {
      event.preventDefault();
      target.focus();
      target.select();
      return;
    }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") {
      event.preventDefault();
      const all = boxes.every((box) => box.checked);
      boxes.forEach((box) => set(box, !all));
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const next = boxes[at + step];
    if (!next) return;
    if (event.shiftKey) {
      set(boxes[at], true);
      set(next, true);
    }
    anchor = next;
    next.focus();
    next.closest("tr")?.scrollIntoView({ block: "nearest" });
  });
  tell();
})();
