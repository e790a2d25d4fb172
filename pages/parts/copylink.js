// Copies the address of the page. The clipboard is there on this machine and over HTTPS
// only; elsewhere the address is selected in a field, and copied the old way.

const SAID_MS = 4000;

export default function ({ parentElement }) {
  const root = parentElement.querySelector(".copylink");
  const button = root.querySelector("button");
  const told = root.querySelector(".told");
  let later = 0;
  button.onclick = async () => {
    told.textContent = (await copied(root, window.location.href)) ? "Copied" : "Press Ctrl+C";
    clearTimeout(later);
    later = setTimeout(() => { told.textContent = ""; }, SAID_MS);
  };
  return () => clearTimeout(later);
}

async function copied(root, address) {
  try {
    await navigator.clipboard.writeText(address);
    return true;
  } catch {
    return copiedFromField(root, address);
  }
}

function copiedFromField(root, address) {
  const known = root.querySelector("input");
  const field = known ?? document.createElement("input");
  field.readOnly = true;
  field.value = address;
  field.setAttribute("aria-label", "Address of this view");
  if (!known) root.append(field);
  field.select();
  const done = document.execCommand("copy");
  if (done) field.remove();
  return done;
}
