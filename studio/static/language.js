// What screen readers are told of the page's language. gradio writes the browser's there, once it has started.
(() => {
  const root = document.documentElement;
  const tell = () => root.lang === "{language}" || (root.lang = "{language}");
  tell();
  new MutationObserver(tell).observe(root, { attributeFilter: ["lang"] });
})();
