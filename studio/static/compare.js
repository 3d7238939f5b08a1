// The rail of a comparison moves the seam between its two pictures.
element.addEventListener("input", (event) => {
  const layers = event.target.closest(".fd-over")?.querySelector(".fd-seam");
  if (layers) layers.style.setProperty("--seam", `${event.target.value}%`);
});
