// Lists of identities by keyboard: J and K move, X ticks, A takes theirs, R goes to the reason.
(() => {
  "use strict";

  const boxes = [...document.querySelectorAll("tbody input[name=person]")];
  if (!boxes.length) return;
  document.querySelectorAll("[data-keys]").forEach((hint) => { hint.hidden = false; });

  const here = () => boxes.findIndex((box) => box.closest("tr").contains(document.activeElement));
  const go = (place) => {
    const box = boxes[Math.max(0, Math.min(place, boxes.length - 1))];
    box.focus();
    box.closest("tr").scrollIntoView({ block: "nearest" });
  };
  const writes = (target) =>
    target instanceof HTMLElement &&
    (target.matches("textarea, select") || (target.matches("input") && target.type !== "checkbox"));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || writes(event.target)) return;
    if (document.querySelector("dialog:modal")) return;
    const place = here();
    const key = event.key.toLowerCase();
    if (key === "j") go(place + 1);
    else if (key === "k") go(place < 0 ? 0 : place - 1);
    else if (key === "x" && place >= 0) boxes[place].click();
    else if (key === "a" && place >= 0) boxes[place].closest("tr").querySelector("[data-accept]")?.click();
    else if (key === "r") document.getElementById("reason")?.focus();
    else return;
    event.preventDefault();
  });
})();
