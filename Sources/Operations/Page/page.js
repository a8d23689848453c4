// Draws the figures of status.json, every few seconds. Whatever comes from there is set as text, never as markup.
"use strict";

const period = 3000;
const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function spoken(seconds) {
  if (seconds === undefined || seconds === null) return "none";
  if (seconds < 1) return Math.round(seconds * 1000) + " ms";
  if (seconds < 120) return Math.round(seconds) + " s";
  if (seconds < 7200) return Math.round(seconds / 60) + " min";
  return seconds < 172800 ? Math.round(seconds / 3600) + " h" : Math.round(seconds / 86400) + " d";
}

function pairs(id, rows) {
  byId(id).replaceChildren(...rows.map(([name, value]) => {
    const row = element("div");
    row.append(element("dt", name), element("dd", value));
    return row;
  }));
}

// Keys may hold anything, commas too, so each is an element of its own.
function keys(list) {
  const cell = element("td");
  for (const key of list) cell.append(element("code", key), " ");
  return cell;
}

function rows(id, list) {
  byId(id).tBodies[0].replaceChildren(...list.map((cells) => {
    const row = element("tr");
    row.append(...cells.map((cell) => Array.isArray(cell) ? keys(cell) : element("td", cell)));
    return row;
  }));
}

function plot(id, samples, value, shown) {
  const svg = byId(id);
  const most = Math.max(...samples.map(value), 0);
  const end = samples.length ? samples[samples.length - 1].at : 0;
  const svgElement = (name, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, text] of Object.entries(attributes)) made.setAttribute(key, text);
    return made;
  };
  const points = samples.map((sample) => {
    const x = 360 - (end - sample.at) / 10;
    const y = most > 0 ? 98 - 94 * value(sample) / most : 98;
    return x.toFixed(1) + "," + y.toFixed(1);
  });
  svg.setAttribute("viewBox", "0 0 360 100");
  svg.setAttribute("preserveAspectRatio", "none");
  const last = samples.length ? shown(value(samples[samples.length - 1])) : "no sample yet";
  const label = svg.parentElement.querySelector("figcaption").textContent + ": now " + last + ", at most " + shown(most);
  svg.setAttribute("aria-label", label);
  svg.replaceChildren(
    svgElement("line", { class: "rule", x1: 0, x2: 360, y1: 4, y2: 4 }),
    svgElement("line", { class: "rule", x1: 0, x2: 360, y1: 98, y2: 98 }),
    svgElement("polyline", { points: points.length === 1 ? points[0] + " " + points[0] : points.join(" ") }));
  let scale = svg.parentElement.querySelector(".scale");
  if (!scale) svg.after(scale = element("p", undefined, "scale"));
  scale.replaceChildren(element("span", "an hour ago"), element("span", "at most " + shown(most)), element("span", "now: " + last));
}

function drawFleet(fleet) {
  const waiting = (status) => (fleet.users.find((entry) => entry.status === status) || { count: 0 }).count;
  pairs("tiles", [
    ["Lag", spoken(fleet.lag_seconds)],
    ["Waiting", number.format(fleet.change_backlog + waiting("pending") + waiting("in_flight"))],
    ["Accepted in a minute", number.format(fleet.accepted_last_minute)],
    ["Synced, of " + number.format(fleet.total), number.format(waiting("synced"))],
    ["New in 24 h", number.format(fleet.new_subscribers_last_day)],
    ["Agents", number.format(fleet.agents)],
  ]);
  pairs("users", fleet.users.map((entry) => [entry.status.replaceAll("_", " "), number.format(entry.count)]));
  pairs("rest", [
    ["Woken by", fleet.agents_listening === fleet.agents ? "notifications" : "looking at intervals: " + (fleet.polling_reason || "")],
    ["Triggers", fleet.capture_trouble || "as they should be, or not in use"],
    ["Pause", fleet.pause || "none"],
    ["SignalWire asked to wait until", fleet.throttled_until || "nothing"],
    ["Held, because so many changed", number.format(fleet.held_by_mass_change)],
    ["Held, because of limits.new_subscribers", number.format(fleet.held_by_limit)],
    ["Last comparison of everybody", fleet.sweep],
    ["Drift found", number.format(fleet.drift_found)],
    ["Notification queue", (100 * fleet.notify_queue_usage).toFixed(1) + " % full"],
    ["Schema", "version " + fleet.schema_version],
  ]);
}

function draw(status) {
  const health = byId("health");
  const trouble = !status.is_database_up ? "The database does not answer." : status.fleet ? status.fleet.concern : "No figures yet.";
  health.textContent = trouble || "Everything is well.";
  health.className = "health " + (trouble ? "bad" : "good");
  byId("figures").hidden = !status.fleet;
  if (!status.fleet) return;
  drawFleet(status.fleet);
  plot("lag", status.history, (sample) => sample.lag_seconds, spoken);
  plot("throughput", status.history, (sample) => sample.accepted_last_minute, (count) => number.format(count));
  byId("nobody").hidden = status.attention.length > 0;
  byId("attention").parentElement.hidden = status.attention.length === 0;
  rows("attention", status.attention.map((group) => [
    number.format(group.count), group.standing, group.code + (group.reason ? ": " + group.reason : ""), group.remedy,
    group.count > group.users.length ? [...group.users, "…"] : group.users,
  ]));
  rows("agents", status.agents.map((agent) => [
    agent.id, agent.host, agent.version, spoken(agent.uptime_seconds), spoken(agent.seen_seconds_ago) + " ago",
    agent.wake_up + ": " + agent.reason,
  ]));
  byId("age").textContent = "Figures " + spoken(status.age_seconds) + " old. Version " + status.version + ".";
}

async function turn() {
  try {
    const answer = await fetch("status.json", { cache: "no-store", signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(answer.statusText);
    draw(await answer.json());
  } catch {
    byId("health").textContent = "The agent does not answer.";
    byId("health").className = "health bad";
  }
  setTimeout(turn, document.hidden ? 10 * period : period);
}

turn();
