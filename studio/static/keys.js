// Ctrl+Enter (Cmd+Enter) presses Generate, wherever the cursor is, while the button can be seen.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const button = document.querySelector("#generate");
  if (button && !button.disabled && button.offsetParent) { event.preventDefault(); button.click(); }
}, true);
