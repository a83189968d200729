// The review page: draws one gather at a time, turns mouse and keys into edits, and saves each edit at once.

import { Edits } from "./edits.js?token=__TOKEN__";

const token = document.body.dataset.token;
const $ = (id) => document.getElementById(id);
const NEAR_PX = { mouse: 9, pen: 14, touch: 24 };
const CLICK_PX = 4;

let desk, colours, doc, view;
let gather, edits, chosen = null; // chosen: the trace whose pick is ringed
let changed = false; // since the gather was opened or last finished
let gain = 4;
let saving = Promise.resolve();
let unsaved = false;
let busy = Promise.resolve();

async function call(path, body) {
  const options = { headers: { "X-Seisray-Token": token } };
  if (body !== undefined) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
    options.keepalive = options.body.length < 60000; // so that a save survives the closing of the page
  }
  const answer = await fetch(path, options);
  const found = await answer.json().catch(() => ({ error: `status ${answer.status}` }));
  if (!answer.ok) throw new Error(found.error ?? `status ${answer.status}`);
  return found;
}

// ---- saving

function save(done, withdraw = false) {
  const place = gather.place;
  const body = { done, picks: withdraw ? null : edits.columns() };
  unsaved = true;
  say("saving …");
  saving = saving.then(async () => {
    try {
      const answer = await call(`/api/gather/${place}`, body);
      unsaved = false;
      if (gather.place === place) setStatus(answer.status);
      showProgress(answer);
      say("saved");
    } catch (error) {
      say(`not saved: ${error.message}`, true);
    }
    return !unsaved;
  });
  return saving;
}

function say(text, lost = false) {
  $("saved").textContent = text;
  $("saved").classList.toggle("lost", lost);
}

function setStatus(status) {
  gather.status = status;
  $("status").textContent = status === "draft" ? "changed, not finished" : status;
  $("status").className = `badge ${status}`;
}

function showProgress(state) {
  const parts = [`${state.accepted} accepted`, `${state.corrected} corrected`];
  if (state.draft) parts.push(`${state.draft} unfinished`);
  $("progress").textContent =
    `${parts.join(", ")} of ${state.n_gathers} gathers; ${state.n_labels} first breaks in ${state.labels}`;
}

// ---- going from gather to gather

// One step after the other, however fast keys are hit; each waits for what must be saved first.
function step(action) {
  busy = busy.then(action).catch((error) => say(error.message, true));
  return busy;
}

async function open(place) {
  const found = await call(`/api/gather/${place}`);
  gather = found;
  gather.opened = found.status;
  edits = new Edits(found.own, found.picks);
  chosen = null;
  changed = found.status === "draft";
  gather.index = new Map(found.trace.map((trace, i) => [trace, i]));
  $("title").textContent = `FFID ${found.ffid}`;
  $("facts").textContent =
    `${found.source_file} · gather ${place + 1} of ${desk.state.n_gathers} by suspicion · ` +
    `mean probability ${found.probability} · ${found.n_flagged} of ${found.n_live} live traces flagged`;
  setStatus(found.status);
  say("");
  frame(false);
  drawGather();
  draw();
  document.body.dataset.place = place; // says that the gather is there
}

async function go(place) {
  const untouched = !edits.done.length && gather.opened === "open"; // or all of it undone
  if (changed && !(await (untouched ? save(false, true) : finish()))) return;
  if (unsaved && !(await save(gather.status !== "draft" && gather.status !== "open"))) return;
  if (place < 0 || place >= desk.state.n_gathers) {
    say(place < 0 ? "this is the first gather" : "this was the last gather");
    return;
  }
  await open(place);
}

async function finish() {
  const saved = await save(true);
  if (saved) changed = false;
  return saved;
}

async function accept() {
  if (await finish()) await go(gather.place + 1);
}

// ---- drawing

function source(name) {
  return doc.get_model_by_name(name);
}

function frame(whole) {
  const plot = doc.get_model_by_name("plot");
  plot.x_range.setv({ start: -1, end: gather.trace.length });
  plot.y_range.setv({ start: whole ? gather.end_ms : gather.shown_ms, end: 0 });
  for (const range of [plot.x_range, plot.y_range]) {
    range.setv({ reset_start: range.start, reset_end: range.end });
  }
}

function drawGather() {
  const n = gather.trace.length;
  const half = gather.interval_ms / 2;
  const url = `/api/gather/${gather.place}/${gain}.png?token=${token}`;
  source("picture").data = { url: [url], x: [-0.5], y: [-half], w: [n], h: [gather.end_ms + 2 * half] };
  const dead = gather.live.flatMap((live, i) => (live ? [] : [i]));
  source("dead").data = { x: dead, top: dead.map(() => gather.end_ms) };
  source("labels").data = positions(gather.labels);
  const axis = doc.get_model_by_name("plot").below[0];
  axis.formatter = axis.formatter; // ticks are positions; their labels are traces where these count otherwise
  axis.major_label_overrides = new Map(gather.trace.map((trace, i) => [i, String(trace)]));
}

function positions(pairs) {
  return { x: pairs.map(([trace]) => gather.index.get(trace)), y: pairs.map(([, time]) => time) };
}

function draw() {
  const picks = [...edits.picks];
  const colour = picks.map(([trace, time]) => {
    const i = gather.index.get(trace);
    const untouched = edits.own.get(trace) === time;
    return untouched && gather.flag[i] !== "ok" ? colours.flagged : colours.pick;
  });
  source("picks").data = { ...positions(picks), colour };
  source("own").data = positions([...edits.own].filter(([trace, time]) => edits.picks.get(trace) !== time));
  source("chosen").data = positions(picks.filter(([trace]) => trace === chosen));
  $("undo").disabled = !edits.done.length;
  $("redo").disabled = !edits.undone.length;
  $("delete").disabled = chosen === null;
  document.body.dataset.picks = JSON.stringify(edits.columns());
}

// ---- editing

function edit(changes) {
  if (edits.apply(changes)) noteChange();
  else draw();
}

function noteChange() {
  changed = true;
  if (chosen !== null && !edits.picks.has(chosen)) chosen = null;
  draw();
  save(false);
}

function remove() {
  if (chosen === null) return;
  const i = gather.index.get(chosen);
  const trace = chosen;
  edit([[trace, null]]);
  // the neighbour's pick is ringed next, so that a run of bad picks goes by one key
  chosen = gather.trace.slice(i + 1).find((one) => edits.picks.has(one)) ?? null;
  draw();
}

function removeFlagged() {
  const flagged = [...edits.picks].filter(
    ([trace, time]) => gather.flag[gather.index.get(trace)] !== "ok" && edits.own.get(trace) === time,
  );
  if (flagged.length) edit(flagged.map(([trace]) => [trace, null]));
  else say("no pick is flagged");
}

async function startOver() {
  edits.reset();
  chosen = null;
  changed = false;
  draw();
  await save(false, true);
}

function choose(direction) {
  const picked = gather.trace.filter((trace) => edits.picks.has(trace));
  if (!picked.length) return;
  const at = picked.indexOf(chosen);
  chosen = picked[at < 0 ? 0 : Math.min(Math.max(at + direction, 0), picked.length - 1)];
  draw();
}

function nudge(samples) {
  if (chosen === null) return;
  edit([[chosen, within(edits.picks.get(chosen) + samples * gather.interval_ms)]]);
}

function within(time) {
  return Math.round(Math.min(Math.max(time, 0), gather.end_ms) * 1000) / 1000;
}

// ---- mouse and fingers; Bokeh pans and zooms, and does not hear of what is done to picks

function plotView() {
  return view;
}

function screenOf(event) {
  const box = plotView().canvas_view.el.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function inside(sx, sy) {
  const { left, right, top, bottom } = plotView().frame.bbox;
  return sx >= left && sx <= right && sy >= top && sy <= bottom;
}

function nearest(sx, sy, reach) {
  const { x_scale, y_scale } = plotView().frame;
  let best = null;
  for (const [trace, time] of edits.picks) {
    const dx = x_scale.compute(gather.index.get(trace)) - sx;
    const dy = y_scale.compute(time) - sy;
    const distance = Math.hypot(dx, dy);
    if (distance <= reach && (best === null || distance < best.distance)) best = { trace, distance };
  }
  return best?.trace ?? null;
}

function listen(host) {
  let drag = null; // {trace, from, moved} while a pick is held
  let press = null; // where a click may have begun
  host.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !gather) return;
    const [sx, sy] = screenOf(event);
    press = null;
    if (!inside(sx, sy)) return;
    const trace = nearest(sx, sy, NEAR_PX[event.pointerType] ?? 9);
    if (trace === null) {
      press = [sx, sy];
      return;
    }
    event.stopPropagation();
    event.preventDefault();
    host.setPointerCapture(event.pointerId);
    drag = { trace, from: edits.picks.get(trace), sy, moved: false };
    chosen = trace;
    draw();
  }, true);
  host.addEventListener("pointermove", (event) => {
    if (!gather) return;
    const [sx, sy] = screenOf(event);
    if (press && Math.hypot(sx - press[0], sy - press[1]) > CLICK_PX) press = null;
    if (!drag) {
      host.style.cursor = inside(sx, sy) && nearest(sx, sy, 9) !== null ? "ns-resize" : "";
      return;
    }
    event.stopPropagation();
    drag.moved ||= Math.abs(sy - drag.sy) > 2;
    if (!drag.moved) return;
    const y_scale = plotView().frame.y_scale;
    edits.picks.set(drag.trace, within(drag.from + y_scale.invert(sy) - y_scale.invert(drag.sy)));
    draw();
  }, true);
  host.addEventListener("pointerup", (event) => {
    const [sx, sy] = screenOf(event);
    if (drag) {
      event.stopPropagation();
      const { trace, from, moved } = drag;
      const to = edits.picks.get(trace);
      drag = null;
      edits.picks.set(trace, from); // the whole drag is one step
      if (moved) edit([[trace, to]]);
      else draw();
    } else if (press && Math.hypot(sx - press[0], sy - press[1]) <= CLICK_PX) {
      add(sx, sy);
    }
    press = null;
  }, true);
  host.addEventListener("pointercancel", () => {
    if (drag) edits.picks.set(drag.trace, drag.from);
    drag = press = null;
    if (gather) draw();
  }, true);
}

function add(sx, sy) {
  const { x_scale, y_scale } = plotView().frame;
  const i = Math.round(x_scale.invert(sx));
  if (i < 0 || i >= gather.trace.length) return;
  const trace = gather.trace[i];
  if (!gather.live[i]) {
    say(`trace ${trace} is dead`);
    return;
  }
  chosen = trace;
  edit([[trace, within(y_scale.invert(sy))]]);
}

// ---- keys and buttons

function setGain(to) {
  gain = Math.min(Math.max(to, 0), desk.gains - 1);
  drawGather();
}

const ACTIONS = {
  previous: () => step(() => go(gather.place - 1)),
  next: () => step(() => go(gather.place + 1)),
  accept: () => step(accept),
  undo: () => edits.undo() && noteChange(),
  redo: () => edits.redo() && noteChange(),
  delete: remove,
  unflag: removeFlagged,
  reset: () => step(startOver),
  fainter: () => setGain(gain - 1),
  louder: () => setGain(gain + 1),
  whole: () => frame(true),
};

const KEYS = {
  ArrowRight: "next", n: "next", ArrowLeft: "previous", p: "previous", Enter: "accept", a: "accept",
  Delete: "delete", Backspace: "delete", d: "delete", f: "unflag", r: "reset",
  "+": "louder", "=": "louder", "-": "fainter", Home: "whole",
};

document.addEventListener("keydown", (event) => {
  if (!gather || event.target.tagName === "INPUT" || event.altKey) return;
  let name = null;
  if (event.ctrlKey || event.metaKey) {
    const key = event.key.toLowerCase();
    if (key === "z") name = event.shiftKey ? "redo" : "undo";
    else if (key === "y") name = "redo";
  } else if (event.key === "Enter" && event.target.tagName === "BUTTON" && event.target.id !== "accept") {
    return; // the button's own click
  } else if (event.key === "Tab") {
    return;
  } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    event.preventDefault();
    nudge((event.key === "ArrowUp" ? -1 : 1) * (event.shiftKey ? 10 : 1));
    return;
  } else if (event.key === "[" || event.key === "]") {
    choose(event.key === "[" ? -1 : 1);
    return;
  } else {
    name = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? null;
  }
  if (name) {
    event.preventDefault();
    ACTIONS[name]();
  }
});

for (const [name, action] of Object.entries(ACTIONS)) {
  $(name).addEventListener("click", () => {
    if (!gather) return;
    $(name).blur(); // keys go to the gather again
    action();
  });
}

$("jump").addEventListener("submit", (event) => {
  event.preventDefault();
  const ffid = $("ffid").value.trim();
  $("ffid").blur();
  if (!/^\d{1,12}$/.test(ffid)) return;
  step(async () => go((await call(`/api/find/${ffid}`)).place));
});

addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});

// ---- begin

async function begin() {
  const found = await call("/api/start");
  ({ desk } = found);
  colours = found.plot.colours;
  const views = await Bokeh.embed.embed_item(found.plot.item, "plot");
  doc = Bokeh.documents.at(-1);
  view = [...views].find((one) => one.model.name === "plot") ?? views.roots[0];
  document.title = `Review of ${desk.picks}`;
  listen($("plot"));
  showProgress(desk.state);
  await open(desk.first);
}

begin().catch((error) => say(`the page cannot start: ${error.message}`, true));
