// A small map made of square pieces from the address in the settings.

const PIECE_PX = 256;
const ASIDE = 2; // pieces to the left and right of the middle one

export default function ({ data, parentElement }) {
  const pieces = parentElement.querySelector(".pieces");
  pieces.setAttribute("aria-label", data.label);
  parentElement.querySelector("figcaption").textContent = data.credit;
  const place = JSON.stringify([data.url, data.x, data.y]);
  if (pieces.dataset.place === place) return;
  pieces.dataset.place = place;
  const pin = document.createElement("span");
  pin.className = "pin";
  pieces.replaceChildren(...around(data), pin);
}

function around({ url, zoom, x, y }) {
  const most = 2 ** zoom;
  const found = [];
  for (let across = -ASIDE; across <= ASIDE; across += 1) {
    for (let down = -1; down <= 1; down += 1) {
      const column = Math.floor(x) + across;
      const row = Math.floor(y) + down;
      if (row < 0 || row >= most) continue;
      const image = document.createElement("img");
      const round = ((column % most) + most) % most;
      image.src = url.replace("{z}", zoom).replace("{x}", round).replace("{y}", row);
      image.alt = "";
      image.style.left = `calc(50% + ${Math.round((column - x) * PIECE_PX)}px)`;
      image.style.top = `calc(50% + ${Math.round((row - y) * PIECE_PX)}px)`;
      found.push(image);
    }
  }
  return found;
}
