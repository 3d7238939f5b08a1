// Hands the canvas's repaint area or base picture to Python, and back. In and out: props.value. Runs inside the
// function that gr.HTML makes of js_on_load; the canvas may be mounted before it or after.
const place = element.querySelector("[data-outlet]");
const name = place.dataset.outlet;
const sessions = (window.fashiondistillCanvas = window.fashiondistillCanvas || {});
const session = (sessions[place.dataset.key] = sessions[place.dataset.key] || {});
session.outlets = session.outlets || {};
session.outlets[name] = props;
if (session.out && (props.value || "") !== (session.out[name] || "")) props.value = session.out[name] || "";
watch("value", () => session.receiveOutlet && session.receiveOutlet(name, props.value || ""));
