// What the pages do besides without a script: copy links, and show a code while its look is chosen.

for (const field of document.querySelectorAll(".copy input")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "secondary";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      field.select(); // without TLS browsers keep the clipboard closed to scripts
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  field.after(button);
  field.addEventListener("focus", () => field.select());
}

const look = document.querySelector("#look-form");
const preview = document.querySelector("#preview");
if (look && preview) {
  const show = () => {
    if (!look.checkValidity()) return;
    const query = new URLSearchParams(new FormData(look));
    query.delete("days");
    query.delete("tz");
    for (const [name, value] of [...query]) if (!value) query.delete(name);
    preview.src = look.dataset.image + "?" + query;
    preview.parentElement.classList.toggle("see-through", query.get("transparent") === "true");
    for (const link of document.querySelectorAll("#downloads [data-format]")) {
      link.href = look.dataset.image + "?" + query + "&format=" + link.dataset.format + "&download=1";
    }
  };
  preview.addEventListener("error", () => look.requestSubmit()); // the page then says what is wrong
  look.addEventListener("change", show);
}

for (const form of document.querySelectorAll("#report-form")) {
  const zones = form.querySelector("datalist");
  const own = document.createElement("option");
  own.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (own.value) zones.prepend(own);
  for (const field of form.querySelectorAll("select")) field.addEventListener("change", () => form.requestSubmit());
}

const sheet = document.querySelector("#sheet-form");
if (sheet) { // other choices are counted anew by the server
  for (const name of ["application", "kind", "campaign", "tag", "ref", "retired"]) {
    sheet.elements[name].addEventListener("change", () => sheet.requestSubmit(document.querySelector("#recount")));
  }
}
