// A plugin on a website: a click becomes the opt-in of the chosen person, and the website's script is told.

const { kind, page, ref, userRef } = document.body.dataset;

function tell(event, more) {
  parent.postMessage({ emulator: true, kind, event, ref, user_ref: userRef, ...more }, "*");
}

async function optIn(optin) {
  const person = document.getElementById("person").value;
  const done = document.getElementById("done");
  let answer;
  try {
    answer = await fetch(`/_emu/v1/pages/${encodeURIComponent(page)}/people/${encodeURIComponent(person)}/actions`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ optin }),
    });
  } catch {
    done.textContent = "The emulator cannot be reached: is it still running?";
    return;
  }
  if (!answer.ok) {
    done.textContent = (await answer.json().catch(() => ({}))).error?.message ?? `The emulator answered with status ${answer.status}.`;
    return;
  }
  done.textContent = "Sent to Messenger";
  tell("opt_in");
}

document.getElementById("send")?.addEventListener("click", () => { tell("clicked"); optIn({ ref }); });
document.getElementById("box")?.addEventListener("change", (e) => tell("checkbox", { state: e.target.checked ? "checked" : "unchecked" }));
window.addEventListener("message", (e) => {
  if (e.source !== parent || e.data?.emulator !== true || e.data.event !== "confirm") return;
  if (document.getElementById("box")?.checked) optIn({ user_ref: userRef, ref: e.data.ref || ref });
});
tell("rendered");
