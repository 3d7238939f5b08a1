// Garments behind a plot. Out: trigger('take', {article, how}), how being "prompt" or "trace".
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-take]");
  if (button) trigger("take", { article: button.closest("li").dataset.article, how: button.dataset.take });
});
