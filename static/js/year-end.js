// One letter a child: letters choose and go on, arrows move between rows, Ctrl Enter keeps the class.
(() => {
  "use strict";

  const form = document.querySelector("[data-letters]");
  if (!form) return;
  const rows = [...form.querySelectorAll("[data-row]")];
  const focus = (row) => {
    const box = row && (row.querySelector("input:checked") || row.querySelector("input"));
    if (!box) return;
    box.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  const say = (row) => {
    const box = row.querySelector("input:checked");
    const word = row.querySelector("[data-word]");
    if (box && word) word.textContent = box.parentElement.title;
  };

  form.addEventListener("change", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) say(row);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
      return;
    }
    const row = event.target.closest("[data-row]");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = rows.indexOf(row);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      focus(rows[place + (event.key === "ArrowDown" ? 1 : -1)]);
      return;
    }
    if (event.key.length !== 1) return;
    const box = row.querySelector(`input[data-letter="${CSS.escape(event.key.toUpperCase())}"]`);
    if (!box) return;
    event.preventDefault();
    box.checked = true;
    say(row);
    focus(rows[place + 1] || row);
  });
  focus(rows[0]);
})();
