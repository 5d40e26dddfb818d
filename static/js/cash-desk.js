// The cash desk: sums, change and notes while typing. Everything works without it; the server counts.
"use strict";
(() => {
  const digits = (text) => {
    const bare = text.replace(/[^0-9]/g, "");
    return bare ? Number(bare) : 0;
  };

  const search = document.getElementById("q");
  const choices = [...document.querySelectorAll("[data-choice]")];
  const step = (event, by) => {
    if (!choices.length) return;
    event.preventDefault();
    const at = choices.indexOf(document.activeElement);
    const next = choices[Math.min(Math.max(at + by, 0), choices.length - 1)];
    if (at + by < 0) search?.focus();
    else next.focus();
  };
  document.addEventListener("keydown", (event) => {
    const inList = event.target === search || choices.includes(event.target);
    if (!inList) return;
    if (event.key === "ArrowDown") step(event, 1);
    if (event.key === "ArrowUp" && event.target !== search) step(event, -1);
  });

  const form = document.querySelector("[data-desk-form]");
  if (!form) return;
  const mark = form.dataset.thousands;
  const notes = form.dataset.notes.split(",").map(Number);
  const dotted = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, mark);
  const find = (name) => form.querySelector(`[data-${name}]`);
  const boxes = [...form.querySelectorAll("[data-open]")];
  const given = find("given");
  const amount = find("amount");
  const round = find("round");
  const changeBox = find("change-box");
  const changeNotes = find("change-notes");
  const word = find("change-word");

  const write = (place, value) => {
    const target = place?.querySelector(".double, .hero") ?? place;
    if (target) target.firstChild.textContent = dotted(value);
  };

  const ticked = () => boxes.filter((box) => box.checked);
  const sum = () => ticked().reduce((total, box) => total + Number(box.dataset.open), 0);
  const toCollect = () => {
    if (amount && amount.value.trim()) return digits(amount.value);
    const smallest = notes[notes.length - 1];
    return round?.checked ? Math.ceil(sum() / smallest) * smallest : sum();
  };

  const inNotes = (value) => {
    let left = value;
    const parts = [];
    notes.forEach((note) => {
      const count = Math.floor(left / note);
      if (count) parts.push(`${count}\u00a0×\u00a0${dotted(note)}`);
      left -= count * note;
    });
    if (left && value) parts.push(`${changeNotes.dataset.rest}\u00a0${dotted(left)}`);
    return parts.join(" · ");
  };

  const count = () => {
    const collect = toCollect();
    write(find("sum"), sum());
    write(find("collect"), collect);
    const lines = find("count");
    if (lines) lines.textContent = String(ticked().length);
    const handed = digits(given.value);
    changeBox.hidden = !given.value.trim();
    const change = handed - collect;
    word.textContent = change < 0 ? word.dataset.less : word.dataset.back;
    write(find("change"), Math.abs(change));
    find("change").firstElementChild.classList.toggle("hero--good", change >= 0);
    changeNotes.textContent = change > 0 ? inNotes(change) : "";
    form.querySelectorAll("[data-give]").forEach((button) => {
      const value = button.dataset.give === "exact" ? collect : Number(button.dataset.give);
      button.classList.toggle("button--pressed", Boolean(handed) && handed === value);
      button.hidden = button.dataset.give !== "exact" && value <= collect;
    });
  };

  form.querySelector("[data-quick]").hidden = false;
  form.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-give]") : null;
    if (!button) return;
    given.value = dotted(button.dataset.give === "exact" ? toCollect() : button.dataset.give);
    count();
    given.focus();
  });
  form.addEventListener("input", count);
  form.addEventListener("change", count);
  given.addEventListener("keydown", (event) => {
    if (event.key !== "+") return;
    event.preventDefault();
    document.querySelector("[data-add-sibling]")?.click();
  });
  let isSent = false;
  form.addEventListener("submit", (event) => {
    // A second Enter while the first is on its way: the server would answer the same, but slower.
    if (isSent) event.preventDefault();
    isSent = true;
  });
  window.addEventListener("pageshow", () => { isSent = false; });
  count();
})();
