// The plots of the Trends tab. In: props.value (JSON list of {key, title, words, figure, csv, file}, "" = nothing yet),
// data-library (URL of plotly.js, fetched once, when there is something to plot). Out: trigger('click', {week, word})
// when a point is clicked. A clicked word is marked in every plot that has it. Runs inside the function that gr.HTML
// makes of js_on_load.
const root = element.querySelector(".fd-board");
const LIBRARY = root.dataset.library; // not a prop: a tab that is opened after its value changed is made without them
const words = JSON.parse(root.dataset.words); // {save, missing, months}
const fill = (text, places) => text.replace(/\{(\w+)\}/g, (_, name) => places[name]);
// Months on the axes are those of the page, whatever the browser speaks.
const LOCALE = { locale: "page", locales: { page: { format: { shortMonths: words.months } } } };
const WIDTH_OF_EXPORT = 1200; // pixels; SVG scales, PNG is drawn at twice that
const FADED = 0.25;
let cards = [];
let chosen = ""; // the word that is marked
let drawn = 0; // number of the newest value; older ones that wait for the library are dropped

function library() {
  if (!window.fashiondistillPlotly) {
    window.fashiondistillPlotly = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = LIBRARY;
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => {
        delete window.fashiondistillPlotly;
        reject(new Error(fill(words.missing, { library: LIBRARY })));
      };
      document.head.append(script);
    });
  }
  return window.fashiondistillPlotly;
}

const make = (tag, options, ...children) => {
  const node = Object.assign(document.createElement(tag), options);
  node.append(...children);
  return node;
};

function save(name, blob) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// On a page of its own a picture needs a ground and ink: those of the theme that is on.
async function savePicture(Plotly, card, format) {
  const style = getComputedStyle(root);
  const ink = style.color;
  const ground = getComputedStyle(document.body).backgroundColor;
  const layout = {
    ...card.figure.layout,
    paper_bgcolor: ground,
    plot_bgcolor: ground,
    font: { ...card.figure.layout.font, color: ink },
    title: { text: card.title, x: 0.01, font: { size: 15, color: ink } },
  };
  layout.margin = { ...layout.margin, t: 70 };
  const height = (layout.height || 400) + 50;
  const picture = { data: card.figure.data, layout: { ...layout, height }, config: LOCALE };
  const url = await Plotly.toImage(picture, { format, width: WIDTH_OF_EXPORT, height, scale: format === "png" ? 2 : 1 });
  save(card.file + "." + format, await (await fetch(url)).blob());
}

function build(Plotly, card) {
  const plot = make("div", { className: "fd-plot-area" });
  const tools = make("div", { className: "fd-plot-tools" });
  for (const format of ["PNG", "SVG", "CSV"]) {
    const button = make("button", { type: "button", textContent: format, ariaLabel: fill(words.save, { title: card.title, format }) });
    button.addEventListener("click", () =>
      format === "CSV"
        ? save(card.file + ".csv", new Blob([card.csv], { type: "text/csv" }))
        : savePicture(Plotly, card, format.toLowerCase()),
    );
    tools.append(button);
  }
  const head = make("header", {}, make("h3", { textContent: card.title }), tools);
  const section = make("section", { id: card.key === "shares" ? "trend-plot" : "trend-" + card.key, className: "fd-plot" });
  section.append(head, plot, make("p", { textContent: card.words }));
  return { section, plot };
}

// The word that a point stands for; areas that share one hover label stand for their week only.
function meaning(event) {
  const points = event.points || [];
  const data = (points[0] && points[0].customdata) || [];
  const alone = points.length === 1;
  return { week: String(data[0] || ""), word: alone ? String(data[1] || "") : "" };
}

function mark(Plotly, word) {
  chosen = word;
  const holds = (trace) => trace.meta === word || (Array.isArray(trace.customdata) && trace.customdata.some((row) => row[1] === word));
  for (const { plot, card } of cards) {
    const marked = word && card.figure.data.some(holds); // a plot without the word stays as it is
    card.figure.data.forEach((trace, number) => {
      if (trace.meta !== undefined && trace.meta !== null) {
        const dim = marked && trace.meta !== word;
        const change = trace.stackgroup ? { "line.width": marked && !dim ? 3 : 1 } : { opacity: dim ? FADED : 1 };
        Plotly.restyle(plot, change, [number]);
      } else if (Array.isArray(trace.customdata) && ["momentum", "life", "map", "ribbon"].includes(card.key)) {
        const base = typeof (trace.marker || {}).opacity === "number" ? trace.marker.opacity : 1;
        Plotly.restyle(plot, { "marker.opacity": [trace.customdata.map((row) => (marked && row[1] !== word ? FADED * base : base))] }, [number]);
      }
    });
  }
}

async function draw() {
  const number = (drawn += 1);
  if (!props.value) return;
  const Plotly = await library();
  if (number !== drawn) return;
  const given = JSON.parse(props.value);
  cards.forEach(({ plot }) => Plotly.purge(plot));
  cards = given.map((card) => ({ card, ...build(Plotly, card) }));
  root.replaceChildren(...cards.map(({ section }) => section));
  for (const { card, plot } of cards) {
    if (number !== drawn) return;
    await Plotly.newPlot(plot, card.figure.data, card.figure.layout, { displayModeBar: false, responsive: true, ...LOCALE });
    plot.on("plotly_click", (event) => {
      const { week, word } = meaning(event);
      mark(Plotly, word === chosen ? "" : word);
      if (week) trigger("click", { week, word: chosen === word ? word : "" });
    });
  }
  root.dataset.ready = String(number);
}

function failed(error) {
  root.replaceChildren(make("p", { className: "fd-board-wait", textContent: error.message, role: "alert" }));
}

watch("value", () => draw().catch(failed));
draw().catch(failed);
