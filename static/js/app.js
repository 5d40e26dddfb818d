// Small helps. Every page works without this file.
(() => {
  "use strict";

  const live = () => document.querySelector("[data-live]");
  const announce = (text) => {
    const region = live();
    if (!region) return;
    region.textContent = "";
    window.setTimeout(() => { region.textContent = text; }, 50);
  };
  const inField = (target) =>
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

  // Copy: the button answers in place and in the live region.
  const copy = async (button) => {
    const word = button.querySelector("[data-copy-word]");
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      const area = document.createElement("textarea");
      area.value = button.dataset.copy;
      area.setAttribute("readonly", "");
      area.className = "visually-hidden";
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      button.focus();
      if (!done) return;
    }
    if (!word) return;
    button.dataset.word ??= word.textContent;
    word.textContent = button.dataset.copied;
    button.classList.add("button--copied");
    announce(button.dataset.announce || button.dataset.copied);
    window.clearTimeout(Number(button.dataset.timer));
    button.dataset.timer = window.setTimeout(() => {
      word.textContent = button.dataset.word;
      button.classList.remove("button--copied");
    }, 4000);
  };

  // Money: dots on leaving the field, never while typing.
  const dot = (field) => {
    const digits = field.value.replace(/[\s.,\u00a0₫đ]/g, "");
    if (!/^\d+$/.test(digits)) return;
    const mark = document.documentElement.lang === "en" ? "," : ".";
    field.value = digits.replace(/^0+(?=\d)/, "").replace(/\B(?=(\d{3})+$)/g, mark);
  };

  const open = (dialog) => {
    if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
    dialog.showModal();
  };

  const toggle = (button, force) => {
    const panel = document.getElementById(button.dataset.toggles);
    if (!panel) return;
    const isOpen = panel.classList.toggle("is-open", force);
    button.setAttribute("aria-expanded", String(isOpen));
  };

  const prepare = (root) => {
    root.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
    root.querySelectorAll("[data-no-script]").forEach((part) => { part.hidden = true; });
    root.querySelectorAll("[data-toggles]").forEach((button) => {
      button.setAttribute("role", "button");
      button.setAttribute("aria-controls", button.dataset.toggles);
      button.setAttribute("aria-expanded", "false");
    });
    root.querySelectorAll("[data-opens]").forEach((link) => {
      link.setAttribute("role", "button");
      link.setAttribute("aria-haspopup", "dialog");
    });
    root.querySelectorAll("[data-closes]").forEach((link) => link.setAttribute("role", "button"));
    root.querySelectorAll("[data-money]").forEach(dot);
    root.querySelectorAll("[data-check-all]").forEach(gather);
    root.querySelectorAll(".scroll").forEach(fit);
  };

  // A table that fits its box needs no stop of the Tab key; one that does not scrolls inside it.
  const fit = (box) => {
    const isWide = [...box.children].some((part) => part.offsetWidth > box.clientWidth + 1)
      || box.scrollWidth > box.clientWidth + 1;
    box.classList.toggle("is-wide", isWide);
    if (isWide) box.setAttribute("tabindex", "0");
    else box.removeAttribute("tabindex");
  };

  const boxesOf = (all) => {
    const scope = all.closest("table, form");
    return scope ? [...scope.querySelectorAll(`input[type=checkbox][name="${all.dataset.checkAll}"]`)] : [];
  };
  const gather = (all) => {
    const boxes = boxesOf(all).filter((box) => !box.disabled);
    const on = boxes.filter((box) => box.checked).length;
    all.checked = on > 0 && on === boxes.length;
    all.indeterminate = on > 0 && on < boxes.length;
  };
  const shade = (box) => box.closest("tr")?.classList.toggle("is-selected", box.checked);

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    const find = (selector) => target.closest(selector);
    let hit;
    if ((hit = find("[aria-disabled='true']"))) { event.preventDefault(); return; }
    if ((hit = find("[data-copy]"))) { copy(hit); return; }
    if ((hit = find("[data-toggles]"))) { event.preventDefault(); toggle(hit); return; }
    if ((hit = find("[data-opens]"))) {
      event.preventDefault();
      open(document.getElementById(hit.dataset.opens));
      return;
    }
    if ((hit = find("[data-closes]"))) {
      const dialog = hit.closest("dialog");
      if (dialog?.open && dialog.matches(":modal")) { event.preventDefault(); dialog.close(); }
      return;
    }
    if ((hit = find("[data-print]"))) { event.preventDefault(); window.print(); return; }
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      if (!menu.contains(target)) menu.open = false;
    });
  });

  document.addEventListener("focusout", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.matches("[data-money]")) dot(event.target);
  });

  document.addEventListener("change", (event) => {
    const target = event.target;
    if (!(target instanceof HTMLElement)) return;
    if (target.matches("[data-submit-on-change]")) target.form?.requestSubmit();
    if (target.matches("[data-check-all]")) {
      boxesOf(target).forEach((box) => {
        if (!box.disabled) { box.checked = target.checked; shade(box); }
      });
    } else if (target.matches("td input[type=checkbox], th input[type=checkbox]")) {
      shade(target);
      document.querySelectorAll("[data-check-all]").forEach(gather);
    }
  });

  document.addEventListener("keydown", (event) => {
    const open = document.querySelector("dialog:modal");
    if (event.key === "Escape") {
      document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
        menu.open = false;
        menu.querySelector("summary")?.focus();
      });
      const button = document.querySelector("[data-toggles][aria-expanded='true']");
      if (button) { toggle(button, false); button.focus(); }
      return;
    }
    // Inside a form the second Enter must not skip a button that says why it is unavailable.
    if ((event.key === "Enter" || event.key === " ") && event.target instanceof Element
        && event.target.closest("[aria-disabled='true']")) { event.preventDefault(); return; }
    if (event.key === " " && event.target instanceof Element && event.target.matches("a[role=button]")) {
      event.preventDefault();
      event.target.click();
      return;
    }
    if (open || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "F2" && document.body.dataset.desk) {
      event.preventDefault();
      window.location.assign(document.body.dataset.desk);
      return;
    }
    // A button or link that says its key: 1 for the first choice, N for the next.
    const keyed = !inField(event.target) && /^[0-9a-z]$/i.test(event.key)
      && document.querySelector(`main [data-key="${event.key.toLowerCase()}"]`);
    if (keyed) { event.preventDefault(); keyed.click(); return; }
    if (event.key === "/" && !inField(event.target)) {
      const box = document.querySelector("main [data-search]") || document.querySelector("[data-search-top]");
      if (!box) return;
      const panel = box.closest(".cover-panel");
      const button = panel && document.querySelector(`[data-toggles="${panel.id}"]`);
      if (button && button.offsetParent) toggle(button, true);
      event.preventDefault();
      box.focus();
      box.select();
    }
  });

  // A toast stays until the next act, ten seconds at least; an undo in it is never taken away by time.
  const shownAt = Date.now();
  document.addEventListener("submit", () => {
    if (Date.now() - shownAt < 10000) return;
    document.querySelectorAll("[data-toasts] [data-toast]").forEach((toast) => toast.remove());
  });

  const start = () => {
    prepare(document);
    document.querySelector("[data-errors]")?.focus();
    const wanted = window.location.hash.length > 1 && document.getElementById(decodeURIComponent(window.location.hash.slice(1)));
    if (wanted instanceof HTMLDialogElement && !wanted.open) {
      window.history.replaceState(null, "", window.location.pathname + window.location.search);
      open(wanted);
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
  // htmx 4 and 2 name the event after a swap differently.
  ["htmx:after:swap", "htmx:afterSwap"].forEach((name) =>
    document.addEventListener(name, (event) => prepare(event.target instanceof Element ? event.target : document)));
  let waiting;
  window.addEventListener("resize", () => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => document.querySelectorAll(".scroll").forEach(fit), 150);
  });
})();
