// The picks of one gather under correction, with undo and redo. Nothing here knows of pages or servers.

export class Edits {
  // own: what the picker picked; picks: what to begin with; both [[trace, time_ms], ...].
  constructor(own, picks) {
    this.own = new Map(own);
    this.picks = new Map(picks);
    this.done = [];
    this.undone = [];
  }

  // Set picks at once: changes is [[trace, time_ms or null], ...]; null deletes. Returns whether anything changed.
  apply(changes) {
    const before = changes.map(([trace]) => [trace, this.picks.get(trace) ?? null]);
    if (changes.every(([, time], i) => time === before[i][1])) return false;
    this.#set(changes);
    this.done.push({ before, after: changes });
    this.undone = [];
    return true;
  }

  undo() {
    const step = this.done.pop();
    if (!step) return false;
    this.#set(step.before);
    this.undone.push(step);
    return true;
  }

  redo() {
    const step = this.undone.pop();
    if (!step) return false;
    this.#set(step.after);
    this.done.push(step);
    return true;
  }

  // Back to the picker's own picks, as one step that can be undone.
  reset() {
    const traces = new Set([...this.picks.keys(), ...this.own.keys()]);
    return this.apply([...traces].map((trace) => [trace, this.own.get(trace) ?? null]));
  }

  columns() {
    const sorted = [...this.picks].sort((a, b) => a[0] - b[0]);
    return { trace: sorted.map(([trace]) => trace), time_ms: sorted.map(([, time]) => time) };
  }

  #set(changes) {
    for (const [trace, time] of changes) {
      if (time === null) this.picks.delete(trace);
      else this.picks.set(trace, time);
    }
  }
}
