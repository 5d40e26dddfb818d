/* One box that ticks everybody of a class; without it each is ticked by itself. */
(() => {
  "use strict";
  const form = document.querySelector("[data-ticks]");
  const all = form?.querySelector("[data-tick-all]");
  if (!all) return;
  const boxes = [...form.querySelectorAll("input[name=stay]")];
  const show = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  };
  all.hidden = false;
  all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; });
  form.addEventListener("change", (event) => { if (event.target.name === "stay") show(); });
  show();
})();
